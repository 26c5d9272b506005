"""Anybody's forecasts as a CSV, of any length: read in blocks, and handed on in parts that hold whole questions.

A row is a probability that a forecaster gave, on a date, to an outcome of a question, with what happened. Texts become
numbers as they are read; a long table goes through a temporary folder, divided by question, so that never more than
some blocks or one part of it is in memory. What a row says is judged elsewhere; a row that cannot be read is refused.

Columns, with their other names: see `COLUMNS`. A table has one of two forms:

- categories: `question, outcome, probability, resolution`. The rows of one question, forecaster and date are one
  forecast; `resolution` names the outcome that came true.
- binary: `probability` and one column that is 1, yes or true, or 0, no or false: `outcome`, or `resolution` where there
  is no `outcome`. Each row is a forecast.

A blank resolution is an open question, and `void`, `annulled`, `ambiguous` or `n/a` one that was never answered.
"""

from __future__ import annotations

import codecs
import csv
import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from indicators.days import DayError, parse_day
from indicators.errors import Fault, FaultsError, WatchfloorError, nearest

__all__ = [
    "COLUMNS",
    "EPOCH",
    "NO",
    "NO_DATE",
    "UNRESOLVED",
    "VOID",
    "YES",
    "ForecastTable",
    "Rows",
    "TableError",
    "key_of",
]

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "question": ("question_id",),
    "forecaster": ("user", "model", "author"),
    "date": ("day", "forecast_date"),
    "outcome": ("answer",),
    "probability": ("p", "prob", "forecast"),
    "resolution": ("resolved_as",),
    "resolved_on": ("resolution_date",),
}
"""What a table may have, and what else each column may be called."""

UNRESOLVED, VOID, NO, YES = 0, 1, 2, 3
"""What a resolution may be; in tables of categories any other number is the key of an outcome."""

EPOCH = date(1970, 1, 1).toordinal()
NO_DATE = np.iinfo(np.int32).max
MOST_FAULTS = 20
LONGEST_HEADER = 100_000
BLOCK_BYTES = 4_000_000
PART_BYTES = 10_000_000
MOST_PARTS = 200
"""How much of the file becomes one part, which is one question at least; and into how many it is divided at most."""

Rows = NDArray[Any]
"""Rows of a table as records of `ROW`."""

ROW = np.dtype(
    [
        ("question", "u8"),
        ("forecaster", "i8"),
        ("date", "i4"),
        ("resolved_on", "i4"),
        ("outcome", "u8"),
        ("resolution", "u8"),
        ("probability", "f8"),
        ("line", "i8"),
    ]
)
_NUMBER = r"^(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?$"
_BINARY = {"1": YES, "yes": YES, "true": YES, "1.0": YES, "0": NO, "no": NO, "false": NO, "0.0": NO}
_SAVE = "save it as CSV in UTF-8"
_VOID = ("void", "annulled", "ambiguous", "n/a")


class TableError(WatchfloorError):
    """A file that is no table of forecasts."""


def key_of(text: str) -> int:
    """The number that stands for a text; above `YES`, and in practice no two texts have the same."""
    return max(int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big"), YES + 1)


@dataclass
class ForecastTable:
    """A CSV of forecasts.

    Attributes
    ----------
    file : str
    columns : mapping of str to str
        Which column of the file stands for which of `COLUMNS`, where its header does not say so itself.
    resolved : bool
        Whether it has to say what happened; where it need not, a table without resolutions has the form `categories`.
    """

    file: str
    columns: Mapping[str, str] = field(default_factory=dict)
    resolved: bool = True
    forecasters: dict[str, int] = field(default_factory=dict, init=False)
    row_count: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._header, self._delimiter = _header(self.file)
        self._place = _placed(self.file, self._header, self.columns)
        self.has: frozenset[str] = frozenset(self._place)
        self.is_binary = _is_binary(self.file, self.has, self._header, resolved=self.resolved)
        self._counts = np.zeros(0, dtype=np.int64)
        self._faults: list[Fault] = []
        self._more_faults = 0
        self._skipped: list[int] = []

    def parts(self) -> Iterator[Rows]:
        """The rows, whole questions together; in a table without questions each row is one of its own.

        `forecasters` (the code of each name) and `row_count` are complete once all is gone through.

        Raises
        ------
        FaultsError
            Rows cannot be read; told at the end, before the first part, where the table has questions.
        """
        if "question" not in self.has:
            yield from self._read()
            self._refuse()
            return
        parts = min(max(1, -(-Path(self.file).stat().st_size // PART_BYTES)), MOST_PARTS)
        if parts == 1:
            blocks = list(self._read())
            self._refuse()
            yield np.concatenate([np.zeros(0, ROW), *blocks])
            return
        with tempfile.TemporaryDirectory(prefix="watchfloor-") as folder:
            places = [Path(folder) / str(number) for number in range(parts)]
            self._divide(places)
            self._refuse()
            for place in places:
                yield np.fromfile(place, ROW)

    def _divide(self, places: list[Path]) -> None:
        """Write every row to the file of its question."""
        with ExitStack() as stack:
            files: list[BinaryIO] = [stack.enter_context(place.open("wb")) for place in places]
            for rows in self._read():
                number = rows["question"] % np.uint64(len(places))
                for part in np.unique(number).tolist():
                    rows[number == part].tofile(files[part])

    def most_active(self, most: int) -> list[int]:
        """Codes of those forecasters who have most rows, in order of code; of all that was read so far."""
        return sorted(np.argsort(-self._counts, kind="stable")[:most].tolist())

    def named(self, lines: set[int]) -> dict[int, str]:
        """What to call the rows of some lines: question, forecaster and date, as far as the table has them."""
        names = [name for name in ("question", "forecaster", "date") if name in self.has]
        found: dict[int, str] = {}
        line = 2
        for batch in self._batches() if lines and names else ():
            for wanted in sorted(at for at in lines if line <= at < line + batch.num_rows):
                texts = (batch.column(str(self._place[name]))[wanted - line].as_py().strip() for name in names)
                found[wanted] = ", ".join(text[:60] for text in texts if text)
            line += batch.num_rows
            if line > max(lines):
                break
        return found

    def _batches(self) -> Iterator[Any]:
        """Blocks of the file, every value a text; columns go by their number."""
        from pyarrow import ArrowInvalid
        from pyarrow.csv import open_csv

        try:
            with _Text(self.file) as text:
                yield from open_csv(text, **self._options())
        except ArrowInvalid as error:
            if "empty" in str(error).lower():
                return
            what = "the rows cannot be told from each other"
            raise TableError(what, where=self.file, mend=_SAVE) from None

    def _options(self) -> dict[str, Any]:
        """How the file is to be read."""
        from pyarrow import csv as arrow_csv
        from pyarrow import string

        def bad_row(row: Any) -> str:
            what = f"it has {row.actual_columns} values, and the header {row.expected_columns}"
            mend = "give every row as many values as the header"
            self.take_faults([Fault(self.file, row.number or 0, 0, what, mend)])
            self._skipped.append(row.number or 0)
            return "skip"

        names = [str(place) for place in range(len(self._header))]
        used = [names[place] for place in sorted(set(self._place.values()))]
        return {
            # With threads, what is wrong with a row would be told without its number.
            "read_options": arrow_csv.ReadOptions(
                use_threads=False, block_size=BLOCK_BYTES, column_names=names, skip_rows=1
            ),
            "parse_options": arrow_csv.ParseOptions(
                delimiter=self._delimiter, newlines_in_values=True, invalid_row_handler=bad_row
            ),
            "convert_options": arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, string()), include_columns=used, strings_can_be_null=False
            ),
        }

    def _read(self) -> Iterator[Rows]:
        """Blocks of the file as records; what cannot be read is kept for `_refuse`."""
        count = 0
        for batch in self._batches():
            rows = _Block(self, batch, self._lines(count, batch.num_rows)).rows()
            count += batch.num_rows
            if len(rows) and not self._faults:
                counts = np.bincount(rows["forecaster"], minlength=len(self._counts))
                counts[: len(self._counts)] += self._counts
                self._counts = counts
                yield rows
        self.row_count = count

    def _lines(self, before: int, n: int) -> NDArray[np.int64]:
        """The lines of the next n rows, where so many came before; right where no value spans lines."""
        lines = np.arange(before + 2, before + n + 2)
        for skipped in self._skipped:
            lines[lines >= skipped] += 1
        return lines

    def column_of(self, name: str) -> str | None:
        """By which name a block has one of `COLUMNS`; None where the file does not have it."""
        place = self._place.get(name)
        return None if place is None else str(place)

    def take_faults(self, faults: Sequence[Fault], *, more: int = 0) -> None:
        """Keep faults of rows, and how many more there are; the first are told one by one, the others counted."""
        room = MOST_FAULTS - len(self._faults)
        self._faults += faults[:room]
        self._more_faults += len(faults[room:]) + more

    def _refuse(self) -> None:
        if self._faults:
            faults, self._faults = self._faults, []
            raise FaultsError(faults, more=self._more_faults)


class _Text(io.FileIO):
    """A file that is read only as long as it is UTF-8 text without a NUL."""

    def __init__(self, file: str) -> None:
        super().__init__(file)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._line = 1

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes; raises `TableError` of what no text has."""
        block = super().read(size) or b""
        try:
            self._decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            line = self._line + error.object[: error.start].count(b"\n")
            raise TableError("it is not UTF-8 text", where=f"{self.name}:{line}", mend=_SAVE) from None
        if b"\0" in block:
            line = self._line + block[: block.index(b"\0")].count(b"\n")
            raise TableError("the text has a NUL character", where=f"{self.name}:{line}", mend=_SAVE)
        self._line += block.count(b"\n")
        return block


class _Block:
    """A block of rows as texts, on its way to records."""

    def __init__(self, table: ForecastTable, batch: Any, lines: NDArray[np.int64]) -> None:
        self._table, self._batch, self._lines = table, batch, lines
        self._bad = np.zeros(batch.num_rows, dtype=bool)

    def rows(self) -> Rows:
        """The sound rows; of the others faults are kept."""
        found = np.zeros(self._batch.num_rows, ROW)
        found["line"] = self._lines
        found["probability"] = self._probabilities()
        found["question"] = self._coded("question", self._name_key)
        found["forecaster"] = self._coded("forecaster", self._forecaster)
        found["date"] = self._coded("date", self._day, missing=-NO_DATE)
        found["resolved_on"] = self._coded("resolved_on", self._last_day, missing=NO_DATE)
        if not self._table.is_binary:
            found["outcome"] = self._coded("outcome", self._name_key)
            found["resolution"] = self._coded("resolution", _resolution)
        else:
            which = "resolution" if "resolution" in self._table.has else "outcome"
            found["resolution"] = self._coded(which, _binary)
        return found[~self._bad]

    def _coded(self, name: str, code: Any, *, missing: int = 0) -> NDArray[Any]:
        """The number of every text of a column; `missing` where there is no such column."""
        column = self._table.column_of(name)
        if column is None:
            return np.full(self._batch.num_rows, missing)
        encoded = self._batch.column(column).dictionary_encode()
        codes: list[int] = []
        refused: dict[int, WatchfloorError] = {}
        for place, text in enumerate(encoded.dictionary.to_pylist()):
            try:
                codes.append(code(text.strip()))
            except WatchfloorError as error:
                codes.append(0)
                refused[place] = error
        places = encoded.indices.to_numpy()
        for place, refusal in refused.items():
            bad = np.flatnonzero(places == place)
            self._refuse_rows(bad, [f"{name}: {refusal.what}"] * min(len(bad), MOST_FAULTS), refusal.mend)
        kind = np.uint64 if name in ("question", "outcome", "resolution") else np.int64
        return np.array(codes, dtype=kind)[places]

    def _probabilities(self) -> NDArray[np.float64]:
        import pyarrow.compute as pc
        from pyarrow import float64

        column = self._table.column_of("probability")
        assert column is not None
        texts = pc.utf8_trim_whitespace(self._batch.column(column))
        is_number = pc.match_substring_regex(texts, _NUMBER)
        values = pc.cast(pc.if_else(is_number, texts, "2"), float64()).to_numpy()

        bad = np.flatnonzero(~(values <= 1.0))
        shown = (texts[place].as_py()[:40] for place in bad[:MOST_FAULTS].tolist())
        whats = [f'probability: "{s}" is not a probability' if s else "probability: nothing is given" for s in shown]
        self._refuse_rows(bad, whats, "write a number from 0 to 1, with a point")
        return values

    def _refuse_rows(self, places: NDArray[np.intp], whats: Sequence[str], mend: str) -> None:
        """Keep the faults of some rows: the first of them in words, the others by number."""
        lines = self._lines[places[: len(whats)]].tolist()
        told = [Fault(self._table.file, line, 0, what, mend) for line, what in zip(lines, whats, strict=True)]
        self._table.take_faults(told, more=len(places) - len(told))
        self._bad[places] = True

    def _forecaster(self, name: str) -> int:
        return self._table.forecasters.setdefault(name, len(self._table.forecasters))

    @staticmethod
    def _name_key(text: str) -> int:
        if not text:
            raise TableError("nothing is given", mend="name it in every row")
        return key_of(text)

    @staticmethod
    def _day(text: str) -> int:
        # A time of day may follow; days are what is compared.
        if len(text) > 10 and text[10] not in "T ":
            raise DayError(text[:40])
        return parse_day(text[:10]).toordinal() - EPOCH

    @classmethod
    def _last_day(cls, text: str) -> int:
        return cls._day(text) if text else NO_DATE


def _resolution(text: str) -> int:
    """What a resolution is in a table of categories: unresolved, void, or the key of an outcome."""
    if not text:
        return UNRESOLVED
    return VOID if text.lower() in _VOID else key_of(text)


def _binary(text: str) -> int:
    if not text:
        return UNRESOLVED
    if text.lower() in _VOID:
        return VOID
    if text.lower() not in _BINARY:
        mend = "write 1 or 0; where it names an outcome, the table needs the columns question and resolution too"
        raise TableError(f'"{text[:40]}" does not say whether it came true', mend=mend)
    return _BINARY[text.lower()]


def _header(file: str) -> tuple[list[str], str]:
    """The names in the first line, and what stands between them."""
    if not Path(file).is_file():
        raise TableError("it is no file that can be read twice", where=file, mend="save what it gives to a file first")
    with Path(file).open("rb") as stream:
        raw = stream.readline(LONGEST_HEADER)
    try:
        line = raw.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise TableError("it is not UTF-8 text", where=file, mend=_SAVE) from None
    if not line.strip():
        raise TableError("it has no header", where=f"{file}:1", mend=_MEND)
    delimiter = "\t" if "\t" in line else ";" if ";" in line and "," not in line else ","
    try:
        [names] = csv.reader([line], delimiter=delimiter, strict=True)
    except csv.Error:
        raise TableError("its header cannot be read", where=f"{file}:1", mend=_MEND) from None
    return [name.strip() for name in names], delimiter


def _placed(file: str, header: list[str], columns: Mapping[str, str]) -> dict[str, int]:
    """Which column stands for which of `COLUMNS`, by place."""
    found: dict[str, int] = {}
    faults = []
    for name in columns:
        if name not in COLUMNS:
            faults.append(Fault("--column", 0, 0, f'"{name}" is no column of a table', nearest(name, COLUMNS)))
    for name, others in COLUMNS.items():
        asked = columns.get(name)
        wanted = (asked,) if asked is not None else (name, *others)
        places = [place for place, title in enumerate(header) if asked is None and title.lower() in wanted]
        places += [place for place, title in enumerate(header) if title == asked]
        if asked is not None and not places:
            faults.append(Fault("--column", 0, 0, f'no column "{asked}" in {file}', nearest(asked, header)))
        if len(places) > 1:
            what = f"{' and '.join(header[place] for place in places)} could both be the {name}"
            faults.append(Fault(file, 1, 0, what, f"say which with --column {name}=NAME, or rename one"))
        if places:
            found[name] = places[0]
    if faults:
        raise FaultsError(faults)
    return found


_MEND = "the columns are question, forecaster, date, outcome, probability, resolution; or probability, outcome"


def _is_binary(file: str, has: frozenset[str], header: list[str], *, resolved: bool) -> bool:
    """Whether each row is a forecast of one event; refused where the header fits neither form."""
    what = f"it has the columns {', '.join(header)[:200]}"
    if "probability" not in has or not ({"outcome", "resolution"} & has):
        raise TableError(f"{what}, which is no table of forecasts", where=f"{file}:1", mend=_MEND)
    is_binary = not {"outcome", "resolution"} <= has and resolved
    if not is_binary and not {"question", "outcome"} <= has:
        raise TableError(f"{what}: what belongs to one question is not told", where=f"{file}:1", mend=_MEND)
    return is_binary
