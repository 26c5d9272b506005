"""A study file together with the histories beside it, checked as one: all that recording a study takes.

The one room besides the cases and the ledgers that opens files: the histories. Only what lies beside or below the study
file is opened, so that a study does not depend on where it was written; links that lead elsewhere are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from forecast.baseline import Baselines
from forecast.history import SIZE_LIMIT, Row, history_text
from forecast.study import Study
from forecast.study_file import NamedHistory, examined
from forecast.study_histories import fits_of, history_rows
from forecast.yaml_tree import shown, yaml_text
from indicators.errors import Fault, FaultsError

__all__ = ["StudyFiles", "read_study_files"]


@dataclass(frozen=True)
class StudyFiles:
    """A study as its files say it.

    Attributes
    ----------
    study : Study
        With its baselines: the histories, the rates read off them, and the models fitted to them.
    text : str
        The study file to the letter.
    """

    study: Study
    text: str


def read_study_files(file: str | Path, content: bytes) -> StudyFiles:
    """Read a study and every history that it names, and fit the models of its measures.

    Parameters
    ----------
    file : str or path
        The study file; histories are found relative to its folder. Faults carry it as it is given.
    content : bytes
        What is in it.

    Raises
    ------
    FaultsError
        With every fault of all files, in the order of their places. Models are fitted once nothing else is at fault.
    """
    text = yaml_text(content, file=str(file))
    found = examined(text, file=str(file))
    folder = _Folder(Path(file))
    rows = {named.indicator: folder.rows(named) for named in found.histories}
    faults = {*found.faults, *folder.faults}
    if faults or found.study is None:
        raise FaultsError(faults)
    fits = fits_of(found.histories, rows, file=str(file))
    return StudyFiles(found.study.with_baselines(Baselines.of(found.study.indicators, folder.texts, fits)), text)


class _Folder:
    """The folder of a study file; each history in it is read once.

    Attributes
    ----------
    texts : dict of str to str
        By the history's name; of those that could be read.
    faults : list of Fault
        Of the histories, and of their names in the study file.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.texts: dict[str, str] = {}
        self.faults: list[Fault] = []

    def rows(self, named: NamedHistory) -> list[Row]:
        """The rows of a history that an indicator names; empty where it has faults."""
        text = self._text(named)
        if text is None:
            return []
        rows, faults = history_rows(text, named, file=str(self._file.parent / named.name))
        self.faults += faults
        return rows

    def _text(self, named: NamedHistory) -> str | None:
        """The text of the history's file; None, with the fault told, where it cannot be read."""
        if named.name in self.texts:
            return self.texts[named.name]
        path = self._file.parent / named.name
        refusal = _refusal(path, self._file.parent)
        if refusal is None:
            try:
                with path.open("rb") as stream:
                    content = stream.read(SIZE_LIMIT + 1)
            except OSError as error:
                refusal = f"cannot be read ({error.strerror or error})", "look at what you may do there"
        if refusal is not None:
            place, what = named.name_place, f'"history" is {shown(named.name)}, which {refusal[0]}'
            self.faults.append(Fault(str(self._file), place.line, place.column, what, refusal[1]))
            return None
        text, faults = history_text(content, file=str(path))
        self.faults += faults
        if not faults:
            self.texts[named.name] = text
        return None if faults else text


def _refusal(path: Path, folder: Path) -> tuple[str, str] | None:
    """Why a history may not be opened, and the mend; None when it may."""
    try:
        real, within = path.resolve(), folder.resolve()
    except (OSError, RuntimeError):
        return "leads in a circle", "put the file itself there"
    if not real.is_relative_to(within):
        return "leads out of the study file's folder", "put a copy of the file beside or below the study file"
    if not path.exists():
        return "is not there", f"put the file at {path}, or correct the name"
    return None if path.is_file() else ("is not a file", "name a CSV file")
