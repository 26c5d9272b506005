"""A crowd's numbers for studies, from a table of forecasts: on each day the mean of everybody's latest.

Questions are study ids, outcomes scenario ids; a forecast that does not give every scenario its probability, or does
not sum to 1, is left out and counted. When a number was said is what the table claims: no ledger stands behind it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from forecast.forecast_table import EPOCH, ForecastTable, Rows, TableError, key_of
from forecast.probability import Floats
from forecast.track import Since

__all__ = ["Crowd", "crowd_of"]

SUM_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Crowd:
    """What a crowd said of studies.

    Attributes
    ----------
    courses : mapping of str to tuple of Since
        By study; those of which it said nothing are missing.
    unfit : int
        How many forecasts of these studies are left out: incomplete, said twice in two ways, or not summing to 1.
    others : int
        How many rows are of other questions.
    """

    courses: Mapping[str, tuple[Since, ...]]
    unfit: int
    others: int


def crowd_of(table: ForecastTable, studies: Mapping[str, Sequence[str]]) -> Crowd:
    """Read a crowd's numbers for some studies, given with their scenarios.

    Raises
    ------
    TableError, FaultsError
        It is no such table, or rows of it cannot be read.
    """
    if not {"question", "date", "outcome"} <= table.has:
        mend = "the columns are question (study id), forecaster, date, outcome (scenario id), probability"
        raise TableError("it does not tell whose numbers of which day these are", where=table.file, mend=mend)
    by_key = {key_of(study): study for study in studies}
    courses: dict[str, tuple[Since, ...]] = {}
    unfit = others = 0
    for rows in table.parts():
        is_known = np.isin(rows["question"], np.array(list(by_key), dtype=np.uint64))
        others += int((~is_known).sum())
        for key in np.unique(rows["question"][is_known]).tolist():
            study = by_key[key]
            found, bad = _course(rows[rows["question"] == key], studies[study])
            unfit += bad
            if found:
                courses[study] = found
    return Crowd(courses, unfit, others)


def _course(rows: Rows, scenarios: Sequence[str]) -> tuple[tuple[Since, ...], int]:
    """The mean of everybody's latest, from each day on which somebody spoke; and how many forecasts are unfit."""
    place = {key_of(name): number for number, name in enumerate(scenarios)}
    said: dict[tuple[int, int], dict[int, float]] = {}
    unfit = set()
    for row in rows:
        when = (int(row["date"]), int(row["forecaster"]))
        number, p = place.get(int(row["outcome"])), float(row["probability"])
        if number is None or said.setdefault(when, {}).setdefault(number, p) != p:
            unfit.add(when)
    for when, told in said.items():
        if len(told) < len(scenarios) or abs(sum(told.values()) - 1.0) > SUM_TOLERANCE:
            unfit.add(when)
    latest: dict[int, Floats] = {}
    means: dict[int, Floats] = {}
    for when in sorted(set(said) - unfit):
        day, forecaster = when
        latest[forecaster] = np.array([said[when][number] for number in range(len(scenarios))])
        means[day] = np.mean(list(latest.values()), axis=0)
    course = (
        Since(date.fromordinal(day + EPOCH), dict(zip(scenarios, mean.tolist(), strict=True)))
        for day, mean in means.items()
    )
    return tuple(course), len(unfit)
