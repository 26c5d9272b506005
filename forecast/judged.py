"""Rows that several people gave for one indicator, side by side: each one's, the spread, the pool.

Given rows are kept as plain JSON, by scenario and, where they are given by another indicator, by its state; each is the
list of numbers in the order of `study_edit.columns_of`. How opinions are pooled is `pool`'s affair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecast.pool import disagreement, pooled_rates, pooled_rows, pooled_values, spread
from forecast.probability import Floats
from forecast.study import Study
from forecast.study_edit import columns_of, row_places, rows_as_stated
from indicators.accounts import Judgement
from indicators.errors import WatchfloorError
from indicators.indicator import Indicator, StateIndicator

__all__ = ["Compared", "OtherTableError", "compared", "given_rows", "pool_as_typed"]

_DIGITS = 4


class OtherTableError(WatchfloorError):
    """Rows of a table that has other scenarios, states or columns than the one they are wanted for."""

    def __init__(self, indicator: str) -> None:
        what = f'the table of "{indicator}" has other rows or columns now than when the round was opened'
        super().__init__(what, mend="open a new round, or write the pool into the text of the study by hand")


@dataclass(frozen=True)
class Compared:
    """What people gave, each array in the order of `study_edit.row_places` and `columns_of`.

    Attributes
    ----------
    people : tuple of str
    given : float array, shape (J, R, C)
    low, high, pool : float array, shape (R, C)
        The least and the most that anybody gave, and the log-linear pool.
    apart : float or None
        Mean Jensen-Shannon divergence of the rows in bits; None for numbers that are no probabilities.
    """

    people: tuple[str, ...]
    given: Floats
    low: Floats
    high: Floats
    pool: Floats
    apart: float | None


def given_rows(study: Study, indicator: Indicator) -> dict[str, Any]:
    """The rows of an indicator as they are kept of a judgement; words as the numbers that they stand for."""
    kept: dict[str, Any] = {}
    for place, row in zip(row_places(study, indicator), rows_as_stated(study, indicator), strict=True):
        if place.state is None:
            kept[place.scenario] = row
        else:
            kept.setdefault(place.scenario, {})[place.state] = row
    return kept


def compared(study: Study, indicator: Indicator, judgements: Sequence[Judgement]) -> Compared | None:
    """What people gave, the spread and the pool; None where nobody gave anything.

    Parameters
    ----------
    study : Study
        The revision that they were asked about.
    indicator : Indicator
    judgements : sequence of Judgement

    Raises
    ------
    OtherTableError
        They are rows of another table.
    """
    if not judgements:
        return None
    given = np.array([_numbers(study, indicator, judgement.rows) for judgement in judgements], dtype=np.float64)
    low, high = spread(given)
    is_state = isinstance(indicator, StateIndicator)
    apart = disagreement(given) if is_state else None
    return Compared(tuple(j.person for j in judgements), given, low, high, _pool(indicator, given), apart)


def _numbers(study: Study, indicator: Indicator, kept: dict[str, Any]) -> list[list[float]]:
    width, rows = len(columns_of(indicator)), []
    for place in row_places(study, indicator):
        row = kept.get(place.scenario)
        if place.state is not None:
            row = row.get(place.state) if isinstance(row, dict) else None
        if not isinstance(row, list) or len(row) != width:
            raise OtherTableError(indicator.id)
        rows.append(row)
    return rows


def _pool(indicator: Indicator, given: Floats) -> Floats:
    if isinstance(indicator, StateIndicator):
        return pooled_rows(given)
    columns = columns_of(indicator)
    if columns == ("mean", "sd"):
        return np.stack(pooled_values(given[..., 0], given[..., 1]), axis=-1)
    # Of normal densities equally wide the pool is at the mean.
    return given.mean(axis=0) if columns == ("shift a year",) else pooled_rates(given)


def pool_as_typed(asked: tuple[Study, Indicator], now: tuple[Study, Indicator], pool: Floats) -> list[list[str]]:
    """The pool as numbers to put into a study: rows of probabilities with four decimals or more, that sum to one.

    Parameters
    ----------
    asked, now : pair of Study and Indicator
        What people were asked about; what the pool is to be put into.
    pool : float array, shape (R, C)

    Raises
    ------
    OtherTableError
        The two have different tables.
    """
    tables = [([p.keys for p in row_places(*pair)], columns_of(pair[1])) for pair in (asked, now)]
    if tables[0] != tables[1]:
        raise OtherTableError(now[1].id)
    if isinstance(now[1], StateIndicator):
        return [_row_texts(row) for row in pool]
    return [[f"{x:.4g}" for x in row] for row in pool.tolist()]


def _row_texts(row: Floats) -> list[str]:
    """A row rounded so that it still sums to one and nothing in it is zero: what is lost goes to the largest."""
    digits = _DIGITS if row.min() >= 10.0**-_DIGITS else 9
    rounded = np.round(row, digits)
    rounded = np.maximum(rounded, 10.0**-digits)
    rounded[rounded.argmax()] += 1.0 - rounded.sum()
    return [f"{x:.{digits}f}" for x in rounded.tolist()]
