"""How far the rows of an indicator set the scenarios apart: every number of its table with the weight it would bring.

A row alone says little; what counts is how it differs from the rows of the other scenarios. So each number goes with
the decibans that the thing it speaks of, seen for certain on the first day, would add to the odds of its scenario.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecast.probability import DECIBAN, Floats, log_odds
from forecast.study import Study, measure_values, rates_per_year, state_rows
from forecast.study_edit import RowPlace, columns_of, row_places, rows_as_stated
from indicators.indicator import Indicator, MeasureIndicator, StateIndicator

__all__ = ["Line", "Telling", "telling"]


@dataclass(frozen=True)
class Line:
    """One row of an indicator's table.

    Attributes
    ----------
    place : RowPlace
    scenario : str
        Its name.
    word : str
        What stands in the study in place of the numbers; empty where they do.
    numbers : tuple of float
        As stated, or what the word stands for.
    decibans : tuple of float
        Of each number: of the state, of one event, of a reading at the mean; 0 for what nothing is seen of.
    rate : float or None
        Events a year, where the numbers are factors of a baseline's rate.
    """

    place: RowPlace
    scenario: str
    word: str
    numbers: tuple[float, ...]
    decibans: tuple[float, ...]
    rate: float | None = None


@dataclass(frozen=True)
class Telling:
    """The table of one indicator.

    Attributes
    ----------
    indicator : Indicator
    columns : tuple of str
        What the numbers of a row are.
    lines : tuple of Line
    """

    indicator: Indicator
    columns: tuple[str, ...]
    lines: tuple[Line, ...]

    def of(self, scenario: str) -> list[Line]:
        """The rows of one scenario: one, or one for each state of the indicator that they are given by."""
        return [line for line in self.lines if line.place.scenario == scenario]


def telling(study: Study, indicator: Indicator) -> Telling:
    """The table of an indicator with what each number would bring.

    Raises
    ------
    NoHistoryError
        It has a baseline, and the study does not have its history with it.
    """
    names = {scenario.id: scenario.label for scenario in study.scenarios}
    rates = {}
    if not isinstance(indicator, StateIndicator | MeasureIndicator) and indicator.baseline is not None:
        rates = dict(zip(study.scenario_ids, rates_per_year(study, indicator).tolist(), strict=True))
    told = zip(row_places(study, indicator), rows_as_stated(study, indicator), _weights(study, indicator), strict=True)
    lines = [
        Line(place, names[place.scenario], _word(indicator, place), (*row,), (*weights,), rates.get(place.scenario))
        for place, row, weights in told
    ]
    return Telling(indicator, columns_of(indicator), tuple(lines))


def _weights(study: Study, indicator: Indicator) -> list[list[float]]:
    """Decibans of every number, in the order of `rows_as_stated`."""
    if isinstance(indicator, StateIndicator):
        table = state_rows(study, indicator)
        weights = _gained(study, np.log(table))
        found: list[list[float]] = weights.reshape(-1, weights.shape[-1]).tolist()
        return found
    if isinstance(indicator, MeasureIndicator):
        if indicator.baseline is not None:
            return [[0.0] for _ in study.scenarios]
        means, sds = measure_values(study, indicator)
        # From what column's mean a reading is seen; row k is what scenario k says of it.
        logs = -0.5 * ((means[None, :] - means[:, None]) / sds[:, None]) ** 2 - np.log(sds)[:, None]
        return [[gained, 0.0] for gained in np.diag(_gained(study, logs)).tolist()]
    return [[gained] for gained in _gained(study, np.log(rates_per_year(study, indicator))).tolist()]


def _gained(study: Study, log_likelihoods: Floats) -> Floats:
    """What is added to the log odds of each scenario, the first axis, from the priors on; in decibans."""
    prior = np.log(study.prior)
    logs = np.moveaxis(log_likelihoods, 0, -1)
    return np.moveaxis(log_odds(prior + logs) - log_odds(prior), -1, 0) / DECIBAN


def _word(indicator: Indicator, place: RowPlace) -> str:
    """The word that stands in place of a row; empty where numbers do."""
    if not isinstance(indicator, StateIndicator):
        return ""
    row = indicator.likelihoods[place.scenario]
    if isinstance(row, dict):
        row = row[place.state or ""]
    return row if isinstance(row, str) else ""
