"""A table of forecasts scored: what of it counts, how good it was, how well calibrated, and who was better than whom.

Works through the table part by part and keeps sums, so that its length does not matter. What does not count is left
out, never silently: each forecast for one reason, counted, and the first of them by name.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from forecast.comparison import Comparison, Differences
from forecast.corp import Pooled, pooled
from forecast.forecast_table import NO_DATE, UNRESOLVED, VOID, YES, Rows
from forecast.probability import Floats
from forecast.scores import binary_brier_score, binary_log_score
from indicators.errors import WatchfloorError

if TYPE_CHECKING:
    from forecast.forecast_table import ForecastTable

__all__ = ["REASONS", "ForecasterScore", "LeftOut", "NothingToScoreError", "TableScores", "table_scores"]

SUM_TOLERANCE = 1e-6
MOST_NAMED = 5
MOST_COMPARED = 12
"""Forecasters that are compared in pairs, and whose calibration is told: those who made most forecasts."""

_MOST_PENDING = 4
MOST_DISTINCT = 1_000_000
DECIMALS = 6
"""Where more distinct probabilities were given, the calibration takes those together that agree to six decimals."""

REASONS = {
    "unresolved": "the question is not resolved",
    "void": "the question is void",
    "conflict": "the question is resolved in more than one way",
    "late": "it is dated after the resolution",
    "twice": "it gives one outcome two probabilities",
    "sum": "its probabilities do not sum to 1",
    "missing": "what happened is none of its outcomes",
}
"""Why a forecast is left out; where several hold, the first."""

COPY = "copy"
_COPY = "rows that say again what a row says already, counted once"


class NothingToScoreError(WatchfloorError):
    """A table of which no forecast counts."""


@dataclass(frozen=True)
class LeftOut:
    """Forecasts that do not count.

    Attributes
    ----------
    reason : str
        A key of `REASONS`; or `copy`, which counts rows.
    what : str
        The reason in words.
    count : int
        How many forecasts.
    named : tuple of str
        The first of them, in the order of the file: question, forecaster and date where the table has them, and line.
    """

    reason: str
    what: str
    count: int
    named: tuple[str, ...]


@dataclass(frozen=True)
class ForecasterScore:
    """What one forecaster's forecasts were worth; as in `TableScores`.

    Attributes
    ----------
    calibration : Pooled or None
        None of those who are not among the twelve with most forecasts.
    """

    name: str
    forecasts: int
    questions: int | None
    brier: float
    log: float
    impossible: int
    calibration: Pooled | None


@dataclass(frozen=True)
class TableScores:
    """A table of forecasts, scored.

    Attributes
    ----------
    file : str
    is_binary : bool
        Whether each row is a forecast of one event; then the Brier score is (p - o)^2, else the sum over outcomes.
    rows, forecasts : int
        What the table has, and what of it counts.
    questions : int or None
        How many questions those are of; None where the table does not tell.
    brier, log : float
        Mean scores over the forecasts. The log score is infinite where one gave no chance to what happened.
    impossible : int
        How many did.
    calibration : Pooled
        Every probability given, and whether that came true: in a table of categories each outcome of each forecast.
    forecasters : tuple of ForecasterScore
        The best Brier score first; empty where the table does not tell who they are.
    comparisons : tuple of Comparison
        Among the twelve with most forecasts; codes are places in `forecasters`.
    left_out : tuple of LeftOut
    notes : tuple of str
        What could not be checked, for want of a column, and what was rounded; sentences.
    """

    file: str
    is_binary: bool
    rows: int
    forecasts: int
    questions: int | None
    brier: float
    log: float
    impossible: int
    calibration: Pooled
    forecasters: tuple[ForecasterScore, ...]
    comparisons: tuple[Comparison, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]


def table_scores(table: ForecastTable) -> TableScores:
    """Score a table of forecasts.

    Raises
    ------
    TableError, FaultsError
        It is no table of forecasts; rows of it cannot be read.
    NothingToScoreError
        No forecast of it counts.
    """
    sums = _Sums(table)
    for rows in table.parts():
        sums.add(rows)
    return sums.scores()


@dataclass
class _Pool:
    """Pooled forecasts that more are joined to, with an end to how many distinct ones are kept."""

    pending: list[Pooled] = field(default_factory=list)
    is_rounded: bool = False

    def add(self, p: Floats, came_true: NDArray[np.bool_]) -> None:
        self.pending.append(pooled(p, came_true))
        if len(self.pending) >= _MOST_PENDING:
            self.pending = [self.whole()]

    def whole(self) -> Pooled:
        found = pooled([], [])
        for more in self.pending:
            found = found.joined(more)
            if len(found.probabilities) > MOST_DISTINCT:
                found, self.is_rounded = found.rounded(DECIMALS), True
        return found


class _Sums:
    """Everything that is kept of the parts of a table so far."""

    def __init__(self, table: ForecastTable) -> None:
        self._table = table
        self._compared: list[int] = []
        self._pool = _Pool()
        self._own: dict[int, _Pool] = {}
        self._differences = Differences([])
        self._by_forecaster = np.zeros((0, 4))
        self._questions = np.zeros(0)
        self._question_count = 0
        self._left_out: dict[str, tuple[int, list[int]]] = {}

    def add(self, rows: Rows) -> None:
        """Take in a part: whole questions, in any order."""
        is_grouped = "question" in self._table.has
        if is_grouped:
            self._choose_compared()
            rows = self._without_copies(_sorted(rows))
        first = _group_starts(rows) if is_grouped else np.arange(len(rows))
        if not len(rows):
            return
        reasons = _reasons(rows, first, is_binary=self._table.is_binary, is_grouped=is_grouped)
        lines = np.minimum.reduceat(rows["line"], first)
        for number, reason in enumerate(REASONS, start=1):
            self._leave_out(reason, lines[reasons == number])
        sizes = np.diff(np.r_[first, len(rows)])
        kept = rows[np.repeat(reasons == 0, sizes)]
        if len(kept):
            sizes = sizes[reasons == 0]
            self._score(kept, np.r_[0, np.cumsum(sizes)[:-1]], is_grouped=is_grouped)

    def _choose_compared(self) -> None:
        """All rows have been read before the first part is handed on, so that it is known who said most."""
        if not self._compared and "forecaster" in self._table.has:
            self._compared = self._table.most_active(MOST_COMPARED)
            self._differences = Differences(self._compared)

    def _without_copies(self, rows: Rows) -> Rows:
        """Sorted rows less those that say what the row before them says."""
        if len(rows) < 2:
            return rows
        names = ("question", "forecaster", "date", "outcome", "probability", "resolution")
        is_copy = np.r_[False, np.logical_and.reduce([rows[name][1:] == rows[name][:-1] for name in names])]
        self._leave_out(COPY, rows["line"][is_copy])
        return rows[~is_copy]

    def _leave_out(self, reason: str, lines: NDArray[np.int64]) -> None:
        if len(lines):
            count, named = self._left_out.get(reason, (0, []))
            first = np.partition(lines, MOST_NAMED - 1)[:MOST_NAMED] if len(lines) > MOST_NAMED else lines
            self._left_out[reason] = (count + len(lines), sorted([*named, *first.tolist()])[:MOST_NAMED])

    def _score(self, rows: Rows, first: NDArray[np.intp], *, is_grouped: bool) -> None:
        """Take in sorted rows that count; `first` is where each forecast begins."""
        p = rows["probability"]
        came_true = rows["resolution"] == (YES if self._table.is_binary else rows["outcome"])
        brier = np.add.reduceat(binary_brier_score(p, came_true), first)
        # Of the outcomes of a question only the one that came true makes the log score.
        counted = p if self._table.is_binary else np.where(came_true, p, 0.0)
        log = np.add.reduceat(binary_log_score(counted, came_true), first)
        who = rows["forecaster"][first]
        self._add_sums(who, brier, log)
        self._pool.add(p, came_true)
        for code in self._compared:
            own = rows["forecaster"] == code
            if own.any():
                self._own.setdefault(code, _Pool()).add(p[own], came_true[own])
        if is_grouped:
            self._count_questions(rows["question"][first], who)
            self._differences.add(rows["question"][first], rows["date"][first], who, brier)

    def _add_sums(self, who: NDArray[np.int64], brier: Floats, log: Floats) -> None:
        n = len(self._table.forecasters) or 1
        self._by_forecaster = _longer(self._by_forecaster, n)
        is_impossible = np.isinf(log)
        for column, values in enumerate((np.ones_like(brier), brier, np.where(is_impossible, 0.0, log), is_impossible)):
            self._by_forecaster[:, column] += np.bincount(who, values, n)

    def _count_questions(self, question: NDArray[np.uint64], who: NDArray[np.int64]) -> None:
        """Rows are sorted by question and then forecaster, so that each pair stands together."""
        is_new = np.r_[True, question[1:] != question[:-1]]
        self._question_count += int(is_new.sum())
        n = len(self._table.forecasters) or 1
        self._questions = _longer(self._questions, n)
        self._questions += np.bincount(who[is_new | np.r_[True, who[1:] != who[:-1]]], minlength=n)

    def scores(self) -> TableScores:
        """What all of it comes to."""
        left_out = self._told_left_out()
        if not self._by_forecaster.sum():
            why = "; ".join(f"{item.count:,}: {item.what}" for item in left_out) or "it has no rows"
            raise NothingToScoreError(f"no forecast in it counts ({why})", where=self._table.file)
        count, brier, log, impossible = self._by_forecaster.sum(axis=0).tolist()
        order = self._order()
        comparisons = self._differences.comparisons()
        is_grouped = "question" in self._table.has
        whole = self._pool.whole()
        return TableScores(
            file=self._table.file,
            is_binary=self._table.is_binary,
            rows=self._table.row_count,
            forecasts=int(count),
            questions=self._question_count if is_grouped else None,
            brier=brier / count,
            log=np.inf if impossible else log / count,
            impossible=int(impossible),
            calibration=whole,
            forecasters=tuple(self._forecaster(code, is_grouped=is_grouped) for code in order),
            comparisons=tuple(_renumbered(item, order) for item in comparisons),
            left_out=left_out,
            notes=_notes(self._table.has, is_rounded=self._pool.is_rounded),
        )

    def _order(self) -> list[int]:
        """Codes of the forecasters of whom something counts, the best first; none where the table names nobody."""
        if "forecaster" not in self._table.has:
            return []
        count, brier = self._by_forecaster[:, 0], self._by_forecaster[:, 1]
        codes = np.flatnonzero(count)
        return codes[np.argsort(brier[codes] / count[codes], kind="stable")].tolist()

    def _forecaster(self, code: int, *, is_grouped: bool) -> ForecasterScore:
        count, brier, log, impossible = self._by_forecaster[code].tolist()
        own = self._own.get(code)
        return ForecasterScore(
            name=list(self._table.forecasters)[code],
            forecasts=int(count),
            questions=int(self._questions[code]) if is_grouped else None,
            brier=brier / count,
            log=np.inf if impossible else log / count,
            impossible=int(impossible),
            calibration=own.whole() if own else None,
        )

    def _told_left_out(self) -> tuple[LeftOut, ...]:
        names = self._table.named({line for _, lines in self._left_out.values() for line in lines})
        told = []
        for reason, what in {**REASONS, COPY: _COPY}.items():
            if reason in self._left_out:
                count, lines = self._left_out[reason]
                named = tuple(f"{names[line]} (line {line})" if names.get(line) else f"line {line}" for line in lines)
                told.append(LeftOut(reason, what, count, named))
        return tuple(told)


def _sorted(rows: Rows) -> Rows:
    by = ("line", "probability", "outcome", "date", "forecaster", "question")
    return rows[np.lexsort([rows[name] for name in by])]


def _group_starts(rows: Rows) -> NDArray[np.intp]:
    """Where each forecast begins: the rows of one question, forecaster and date."""
    if not len(rows):
        return np.zeros(0, dtype=np.intp)
    names = ("question", "forecaster", "date")
    return np.flatnonzero(np.r_[True, np.logical_or.reduce([rows[name][1:] != rows[name][:-1] for name in names])])


def _reasons(rows: Rows, first: NDArray[np.intp], *, is_binary: bool, is_grouped: bool) -> NDArray[np.intp]:
    """For each forecast the number of the first of `REASONS` that holds, from 1; 0 where it counts."""
    resolution = rows["resolution"]
    no = np.zeros(len(first), dtype=bool)
    found = {
        "unresolved": np.logical_or.reduceat(resolution == UNRESOLVED, first),
        "void": np.logical_or.reduceat(resolution == VOID, first),
        "conflict": _conflicts(rows)[first] if is_grouped else no,
        "late": np.logical_or.reduceat((rows["date"] > rows["resolved_on"]) & (rows["resolved_on"] != NO_DATE), first),
        "twice": no,
        "sum": no,
        "missing": no,
    }
    if is_grouped:
        same = np.r_[False, rows["outcome"][1:] == rows["outcome"][:-1]]
        same[first] = False
        found["twice"] = np.logical_or.reduceat(same, first)
    if not is_binary:
        found["sum"] = np.abs(np.add.reduceat(rows["probability"], first) - 1.0) > SUM_TOLERANCE
        found["missing"] = ~np.logical_or.reduceat(rows["outcome"] == resolution, first)
    return np.select([found[reason] for reason in REASONS], range(1, len(REASONS) + 1), 0)


def _conflicts(rows: Rows) -> NDArray[np.bool_]:
    """For each row whether its question has two resolutions."""
    starts = np.flatnonzero(np.r_[True, rows["question"][1:] != rows["question"][:-1]])
    resolution = rows["resolution"]
    high = np.maximum.reduceat(resolution, starts)
    sizes = np.diff(np.r_[starts, len(rows)])
    # A row without a resolution does not contradict the others.
    low = np.minimum.reduceat(np.where(resolution == UNRESOLVED, np.repeat(high, sizes), resolution), starts)
    return np.repeat(low != high, sizes)


def _notes(has: frozenset[str], *, is_rounded: bool) -> tuple[str, ...]:
    told = []
    if is_rounded:
        told.append(
            f"the calibration takes probabilities together that agree to {DECIMALS} decimals; there are too many"
        )
    if "question" not in has:
        told.append("there is no column question, so that duplicates cannot be told")
    if "date" not in has or "resolved_on" not in has:
        there = "date" if "date" not in has else "resolved_on"
        told.append(f"there is no column {there}, so that no forecast is held to have come before the resolution")
    return tuple(told)


def _renumbered(item: Comparison, order: list[int]) -> Comparison:
    return replace(item, one=order.index(item.one), other=order.index(item.other))


def _longer(array: Floats, n: int) -> Floats:
    """The array with zeros behind it, n long."""
    return np.concatenate([array, np.zeros((n - len(array), *array.shape[1:]))]) if len(array) < n else array
