"""Worked cases that ship with the product, and the starter study: files to be written, and how a case is recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import forecast.bulk as bulk
import forecast.workflow as workflow
from forecast.study_file import schema, study_json
from forecast.study_folder import read_study_files
from indicators import coverage, evidence
from indicators.errors import WatchfloorError, nearest
from indicators.intake import Handed, read_rows
from indicators.ledger import Ledger

__all__ = ["CASES", "Counts", "case_files", "record_case", "starter_files", "write_files"]

CASES = {"japan-sar": "japan_sar"}
SCHEMA_FILE = "study.schema.json"


class UnknownCaseError(WatchfloorError):
    """A case that does not ship with the product."""

    def __init__(self, name: str) -> None:
        super().__init__(f'no case "{name}"', where="--case", mend=nearest(name, CASES))


class FileInTheWayError(WatchfloorError):
    """Files that are there already and differ from those to be written."""

    def __init__(self, paths: list[Path]) -> None:
        names = ", ".join(str(path) for path in paths)
        super().__init__(
            f"there already, with another content: {names}", mend="move them away, or choose another folder"
        )


@dataclass(frozen=True)
class Counts:
    """How much of a case was recorded; what was there already is not counted."""

    reports: int
    coverage: int


def case_files(name: str) -> dict[str, bytes]:
    """The files of a case by their path below the folder it is written to, the study's JSON Schema among them."""
    if name not in CASES:
        raise UnknownCaseError(name)
    found = _below(files("forecast.cases") / CASES[name])
    return found | {SCHEMA_FILE: _schema()}


def starter_files() -> dict[str, bytes]:
    """A commented study to start from, and the JSON Schema that editors check it with."""
    starter = (files("forecast.cases") / "starter.yaml").read_bytes()
    return {"study.yaml": starter, SCHEMA_FILE: _schema()}


def write_files(folder: Path, contents: Mapping[str, bytes]) -> list[str]:
    """Write files below a folder and name those written.

    Equal ones are left alone; where one differs, all are refused before any is written.
    """
    missing = [name for name in contents if not (folder / name).exists()]
    changed = [
        folder / name for name, content in contents.items() if name not in missing and _differs(folder / name, content)
    ]
    if changed:
        raise FileInTheWayError(changed)
    for name in missing:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(contents[name])
    return missing


def record_case(ledger: Ledger, folder: Path, name: str, *, author: str, today: date) -> Counts:
    """Record study, coverage and reports of a case from the files in a folder; what is recorded already stays."""
    file = folder / f"{name}.yaml"
    read = read_study_files(file, file.read_bytes())
    study = read.study
    workflow.record_study(ledger, study, content=study_json(study), text=read.text, file=str(file), author=author)
    spans = folder / "coverage.csv"
    rows, faults = read_rows(spans.read_bytes(), file=str(spans), fields=coverage.FIELDS)
    covered = bulk.cover_many(ledger, study.study, str(spans), rows, faults, author=author, today=today)
    reports = folder / "reports.csv"
    given = [Handed(str(reports), lambda: reports.open("rb"), evidence.FIELDS)]
    imported = bulk.import_reports(ledger, study.study, given, author=author, today=today)
    return Counts(len(imported.positions), len(covered.positions))


def _schema() -> bytes:
    return (json.dumps(schema(), indent=2, ensure_ascii=False) + "\n").encode()


def _below(folder: Traversable, prefix: str = "") -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        if item.is_dir():
            found |= _below(item, f"{prefix}{item.name}/")
        else:
            found[prefix + item.name] = item.read_bytes()
    return found


def _differs(path: Path, content: bytes) -> bool:
    return not path.is_file() or path.read_bytes() != content
