"""The lists of an outlook as tables of typed columns: what CSV, XLSX and Parquet write, each in its own way.

The lists are those of the JSON document. What is a table of fixed keys there becomes columns here; what is keyed by
scenario or state becomes rows (long form), and what does not apply is None. Another program reads these columns: a name
or a type changes only together with `FORMAT`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple, TypeAlias

from forecast.assessment import words_with_range
from forecast.display import account
from forecast.export.json_export import CHANGE_DAYS
from forecast.flip import flips
from forecast.information import looks
from forecast.next_reading import next_readings
from forecast.outlook import Outlook
from forecast.projection import projection
from forecast.release import Released
from forecast.surprise import surprise
from indicators.errors import WatchfloorError, nearest
from indicators.evidence import FIELDS

__all__ = ["FORMAT", "TABLES", "Cell", "Column", "Row", "Table", "UnknownTableError", "table_of"]

FORMAT = "watchfloor.tables/1"
"""Name and version of the lists: their names, and the names, types and order of their columns."""

Kind: TypeAlias = Literal["text", "day", "probability", "number", "count", "truth"]
Cell: TypeAlias = str | date | float | bool | None
Row: TypeAlias = Sequence[Cell]


class UnknownTableError(WatchfloorError):
    """A list that an outlook does not have."""

    def __init__(self, table: str) -> None:
        super().__init__(f'an outlook has no table "{table}"', where="--table", mend=nearest(table, TABLES))


class Column(NamedTuple):
    """A column: its name, and what stands in it; any cell may be None.

    Attributes
    ----------
    name : str
    kind : str
        `text`; `day`, a `date`; `probability`, a float from 0 to 1; `number`, any float; `count`, an int; `truth`, a
        bool.
    """

    name: str
    kind: Kind


@dataclass(frozen=True)
class Table:
    """One list of an outlook.

    Attributes
    ----------
    name : str
    columns : tuple of Column
    rows : list of Row
        Each as long as `columns`.
    """

    name: str
    columns: tuple[Column, ...]
    rows: list[Row]


def table_of(released: Released, name: str) -> Table:
    """One list of what the gate lets out.

    Parameters
    ----------
    released : Released
    name : str
        - `timeline`: date, scenario, probability, low, high, smoothed; days first, scenarios in file order;
        - `scenarios`: one row a scenario, with the changes over 7, 30 and 90 days;
        - `contributions`: one row a report and scenario;
        - `indicators`: one row for each state of a state indicator with its probability, one row for each other
          indicator with its expected number;
        - `next`: one row a measure and scenario, with what the scenario expects of the next reading;
        - `projection`: date, scenario, probability, from the as-of day to the horizon with nothing new logged;
        - `surprise`: one row a state report, with its probability before it was logged;
        - `evidence`: one row a report, the fields as given.

    Raises
    ------
    UnknownTableError
        No such list.
    """
    if name not in _TABLES:
        raise UnknownTableError(name)
    columns, rows = _TABLES[name]
    return Table(name, columns, list(rows(released.outlook)))


def _timeline(outlook: Outlook) -> Iterator[Row]:
    courses = (outlook.course, outlook.bands.low, outlook.bands.high, outlook.smoothed_course)
    for day, *numbers in zip(outlook.days, *courses, strict=True):
        for row in zip(outlook.study.scenario_ids, *(values.tolist() for values in numbers), strict=True):
            yield day, *row


def _scenarios(outlook: Outlook) -> Iterator[Row]:
    changes = [outlook.change_over(days) for days in CHANGE_DAYS]
    words = words_with_range(outlook)
    for k, scenario in enumerate(outlook.study.scenarios):
        band = float(outlook.bands.low[-1, k]), float(outlook.bands.high[-1, k])
        stands = float(outlook.study.prior[k]), float(outlook.final[k]), *band, words[k]
        moved = (None if change is None else float(change[k]) for change in changes)
        yield scenario.id, scenario.label, *stands, *moved


def _contributions(outlook: Outlook) -> Iterator[Row]:
    for item in outlook.report_contributions:
        report = item.live.report
        about = item.live.entry, report.dated, report.indicator, account(outlook.study, report)
        numbers = (values.tolist() for values in (item.log_likelihoods, item.decibans, item.change))
        for row in zip(outlook.study.scenario_ids, *numbers, strict=True):
            yield *about, *row


def _indicators(outlook: Outlook) -> Iterator[Row]:
    flip = flips(outlook)
    for board, look in zip(outlook.indicator_boards, looks(outlook), strict=True):
        worth = look.bits, look.bits_per_cost, flip[board.indicator.id]
        about = board.indicator.id, board.indicator.label, board.indicator.kind
        seen = board.last_observed, board.due, board.overdue
        for state, probability in board.states.items():
            yield *about, *seen, state, probability, *[None] * 3, *worth
        if board.expectation is not None:
            coming = board.expectation
            yield *about, *seen, None, None, coming.expected, coming.low, coming.high, *worth


def _next(outlook: Outlook) -> Iterator[Row]:
    for indicator_id, coming in next_readings(outlook).items():
        for scenario, told in coming.by_scenario.items():
            yield coming.day, indicator_id, scenario, told.expected, told.low, told.high


def _projection(outlook: Outlook) -> Iterator[Row]:
    ahead = projection(outlook)
    for day, probabilities in zip(ahead.days, ahead.course.tolist(), strict=True):
        for row in zip(outlook.study.scenario_ids, probabilities, strict=True):
            yield day, *row


def _surprise(outlook: Outlook) -> Iterator[Row]:
    yield from surprise(outlook).reports


def _evidence(outlook: Outlook) -> Iterator[Row]:
    attributes = ["from_" if name == "from" else name for name in FIELDS]
    for item in outlook.report_contributions:
        files = "; ".join(file.name for file in item.live.report.attachments)
        yield item.live.entry, *(getattr(item.live.report, name) for name in attributes), files or None


_REPORT_KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("observed", "from", "to"), "day"), "count": "count", "value": "number"
}  # fmt: skip
_DATE, _SCENARIO, _PROBABILITY = Column("date", "day"), Column("scenario", "text"), Column("probability", "probability")
_LOW, _HIGH = Column("low", "probability"), Column("high", "probability")

_TABLES: Mapping[str, tuple[tuple[Column, ...], Callable[[Outlook], Iterable[Row]]]] = {
    "timeline": ((_DATE, _SCENARIO, _PROBABILITY, _LOW, _HIGH, Column("smoothed", "probability")), _timeline),
    "scenarios": (
        (
            *(Column("id", "text"), Column("name", "text"), Column("prior", "probability"), _PROBABILITY, _LOW, _HIGH),
            *(Column("words", "text"), *(Column(f"change_{days}", "number") for days in CHANGE_DAYS)),
        ),
        _scenarios,
    ),
    "contributions": (
        (
            *(Column("entry", "text"), _DATE, Column("indicator", "text"), Column("what", "text"), _SCENARIO),
            *(Column(name, "number") for name in ("loglik", "decibans", "change")),
        ),
        _contributions,
    ),
    "indicators": (
        (
            *(Column(name, "text") for name in ("id", "name", "kind")),
            *(Column("last_observed", "day"), Column("due", "day"), Column("overdue", "truth")),
            *(Column("state", "text"), _PROBABILITY),
            *(Column(name, "number") for name in ("expected", "low", "high", "bits", "bits_per_cost", "flip")),
        ),
        _indicators,
    ),
    "next": (
        (
            _DATE,
            Column("indicator", "text"),
            _SCENARIO,
            *(Column(name, "number") for name in ("expected", "low", "high")),
        ),
        _next,
    ),
    "projection": ((_DATE, _SCENARIO, _PROBABILITY), _projection),
    "surprise": ((Column("entry", "text"), Column("p", "probability")), _surprise),
    "evidence": (
        (
            *(Column("entry", "text"), *(Column(name, _REPORT_KINDS.get(name, "text")) for name in FIELDS)),
            Column("attachments", "text"),
        ),
        _evidence,
    ),
}
TABLES = tuple(_TABLES)
