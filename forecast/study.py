"""A study: one question, its scenarios with priors, its indicators, and the days between which it is open.

The record holds what the analyst wrote; the properties and functions below turn it into the numbers of SPEC 4 (priors
as an array, words resolved to rows, the grade of a report). What the histories say that it names is attached to it, and
is not part of its content. Reading the file with its positions is `study_file`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, PrivateAttr

from forecast.baseline import Baselines, Fit
from forecast.faces import face
from forecast.probability import Floats
from forecast.words import word_value
from indicators.days import duration_days
from indicators.errors import WatchfloorError, nearest
from indicators.grades import DEFAULT_GRADE
from indicators.indicator import (
    Confidence,
    CountIndicator,
    Day,
    Duration,
    Identifier,
    Indicator,
    MeasureIndicator,
    MilestoneIndicator,
    Name,
    Probability,
    Record,
    StateIndicator,
)

__all__ = [
    "EQUIVALENT_SAMPLE_SIZE",
    "Drift",
    "NoHistoryError",
    "Scenario",
    "Study",
    "UnknownIndicatorError",
    "UnknownScenarioError",
    "baseline_fit",
    "baseline_shifts",
    "measure_values",
    "rates_per_year",
    "state_rows",
]

EQUIVALENT_SAMPLE_SIZE = {"low": 4.0, "medium": 20.0, "high": 100.0}


class UnknownIndicatorError(WatchfloorError):
    """An indicator id that the study does not have."""

    def __init__(self, indicator: str, known: list[str], *, where: str = "") -> None:
        super().__init__(f'no indicator "{indicator}" in the study', where=where, mend=nearest(indicator, known))


class UnknownScenarioError(WatchfloorError):
    """A scenario id that the study does not have."""

    def __init__(self, scenario: str, known: Sequence[str], *, where: str = "") -> None:
        super().__init__(f'no scenario "{scenario}" in the study', where=where, mend=nearest(scenario, known))


class NoHistoryError(WatchfloorError):
    """An indicator whose numbers are read off a history that the study does not have with it."""

    def __init__(self, indicator: str) -> None:
        super().__init__(
            f'"{indicator}" takes its numbers from a history that is not at hand',
            mend="read the study from its ledger, or from its files with the history beside them",
        )


class Drift(Record):
    """How fast the answer itself may change: after one half-life, half of what was learnt is forgotten."""

    half_life: Duration = Field(description="How long until half of what was learnt is forgotten.")


class Scenario(Record):
    """One of the mutually exclusive, together exhaustive answers."""

    id: Identifier = Field(description="A short name of a-z, 0-9 and -, by which the tables name it.")
    name: Name | None = Field(None, description="For people; the id where it is left out.")
    prior: Probability | None = Field(None, description="All left out = equal.")
    basis: str | None = Field(None, description="Why this prior.")
    resolves_if: str | None = Field(None, description="A test that a stranger could apply.")
    description: str | None = Field(None, description="For people; nothing is computed from it.")

    @property
    def label(self) -> str:
        """The name, or the id where there is none."""
        return self.name or self.id


class Study(Record):
    """The content of a study file (SPEC 2)."""

    study: Identifier = Field(description="The study's id.")
    title: Annotated[str, Field(max_length=200)] = Field("", description="For people; the id where it is left out.")
    question: str = Field("", description="What the scenarios answer, with the day by which it is settled.")
    requirement: str | None = Field(None, description="Whose decision this serves.")
    tags: list[str] = Field([], description="Words to find the study by.")
    assumptions: list[str] = Field([], description="Key assumptions, one sentence each.")
    opens: Day = Field(description="The first day, YYYY-MM-DD; the priors are those of that day.")
    horizon: Day = Field(description="The day that settles the question, YYYY-MM-DD.")
    tlp: Literal["clear", "green", "amber", "amber+strict", "red"] = Field(
        "clear", description="Handling mark of the study's reports where they have none of their own."
    )
    words: Literal["icd203", "phia"] = Field("icd203", description="The scale of probability words.")
    prior_confidence: Confidence = Field(
        "medium", description="How sure the priors are: low, medium, high = sample size 4, 20, 100, or a number."
    )
    drift: Drift | None = Field(None, description="Leave out when the answer is already fixed and only unknown to us.")
    grades: dict[str, Annotated[float, Field(ge=0, lt=1)]] = Field(
        {}, description="Values in place of the grade table's, by letter A-F or digit 1-6."
    )
    sources: dict[str, Annotated[str, Field(pattern="^[A-F][1-6]$")]] = Field(
        {}, description="The grade of a report from this source that gives none."
    )
    scenarios: list[Scenario] = Field(
        min_length=2, max_length=20, description="The answers: exclusive, and together exhaustive."
    )
    indicators: list[Indicator] = Field(
        min_length=1, max_length=1000, description="What is watched because it differs between the scenarios."
    )

    _baselines: Baselines = PrivateAttr(default_factory=Baselines)

    @property
    def baselines(self) -> Baselines:
        """What the histories say; empty until they are attached."""
        return self._baselines

    def with_baselines(self, baselines: Baselines) -> Study:
        """The same study with what its histories say."""
        study = self.model_copy()
        study._baselines = baselines
        return study

    def check_baselines(self) -> None:
        """Raises `NoHistoryError` for an indicator with a baseline whose history is not attached."""
        known = {*self._baselines.rates, *self._baselines.fits}
        for indicator in self.indicators:
            if not isinstance(indicator, StateIndicator) and indicator.baseline and indicator.id not in known:
                raise NoHistoryError(indicator.id)

    @property
    def label(self) -> str:
        """The title, or the id where there is none."""
        return self.title or self.study

    def _repr_html_(self) -> str:
        """A table of the scenarios, for a notebook."""
        rows = [
            (s.id, s.label, f"{float(p):.3g}", s.basis or "") for s, p in zip(self.scenarios, self.prior, strict=True)
        ]
        watched = f"{len(self.indicators)} indicators, {self.opens} to {self.horizon}."
        return face(self.label, f"{self.question} {watched}".strip(), ("scenario", "name", "prior", "basis"), rows)

    @cached_property
    def scenario_ids(self) -> tuple[str, ...]:
        """Ids in file order; the order of every array with a scenario axis."""
        return tuple(scenario.id for scenario in self.scenarios)

    def scenario_position(self, scenario_id: str) -> int:
        """Where a scenario stands in file order, from 0; raises `UnknownScenarioError` with the nearest one."""
        if scenario_id not in self.scenario_ids:
            raise UnknownScenarioError(scenario_id, self.scenario_ids, where="--scenario")
        return self.scenario_ids.index(scenario_id)

    @cached_property
    def by_id(self) -> dict[str, Indicator]:
        """Indicators by id, in file order."""
        return {indicator.id: indicator for indicator in self.indicators}

    @cached_property
    def prior(self) -> Floats:
        """Prior probabilities as stated, shape (K,); equal where all are left out. Sums to 1 within 1e-6."""
        equal = 1.0 / len(self.scenarios)
        return np.array([equal if scenario.prior is None else scenario.prior for scenario in self.scenarios])

    @property
    def daily_stay(self) -> float:
        """e^(-h) of SPEC 4.1: the share of what is known today that still holds tomorrow; 1 without drift."""
        return 1.0 if self.drift is None else float(np.exp2(-1.0 / duration_days(self.drift.half_life)))

    def indicator(self, indicator_id: str) -> Indicator:
        """The indicator of that id; raises `UnknownIndicatorError` with the nearest one."""
        try:
            return self.by_id[indicator_id]
        except KeyError:
            raise UnknownIndicatorError(indicator_id, list(self.by_id)) from None

    def grade_of(self, grade: str | None, source: str | None) -> str:
        """The grade that counts: the report's own, else its source's in this study, else F6."""
        return grade or self.sources.get(source or "", DEFAULT_GRADE)

    def children_of(self, indicator_id: str) -> list[str]:
        """Ids of the indicators whose rows are given by this one, directly or further down, in file order."""
        found: set[str] = set()
        grew = True
        while grew:
            before = len(found)
            for other in self.indicators:
                if isinstance(other, StateIndicator) and (other.given == indicator_id or other.given in found):
                    found.add(other.id)
            grew = len(found) > before
        return [i for i in self.by_id if i in found]

    def day_index(self, day: date) -> int:
        """t of SPEC 4: 0 on the day the study opens."""
        return (day - self.opens).days


def state_rows(study: Study, indicator: StateIndicator) -> Floats:
    """P(state given scenario) as stated, shape (K, U, S): U states of the indicator it is given by, 1 without one.

    Each row sums to 1 within 1e-6, which is what the check of the file allows.
    """

    def numbers(row: list[float] | str) -> list[float]:
        if isinstance(row, str):
            last = word_value(row, study.words)
            return [1.0 - last, last]
        return row

    table = []
    for scenario in study.scenario_ids:
        row = indicator.likelihoods[scenario]
        if isinstance(row, dict):
            parent = study.indicator(indicator.given or "")
            assert isinstance(parent, StateIndicator)
            table.append([numbers(row[state]) for state in parent.states])
        else:
            table.append([numbers(row)])
    return np.array(table)


def rates_per_year(study: Study, indicator: CountIndicator | MilestoneIndicator) -> Floats:
    """Events per year under each scenario, shape (K,): as stated, or the mean rate of the baseline times its factor.

    Raises
    ------
    NoHistoryError
        It has a baseline, and the study does not have its history with it.
    """
    if indicator.rates is not None:
        return np.array([indicator.rates[scenario] for scenario in study.scenario_ids], dtype=np.float64)
    base, factors = study.baselines.rates.get(indicator.id), indicator.multipliers
    if base is None or factors is None:
        raise NoHistoryError(indicator.id)
    return base.mean * np.array([factors[scenario] for scenario in study.scenario_ids], dtype=np.float64)


def baseline_fit(study: Study, indicator: MeasureIndicator) -> Fit:
    """The model of a measure's history; raises `NoHistoryError` where the study does not have it with it."""
    try:
        return study.baselines.fits[indicator.id]
    except KeyError:
        raise NoHistoryError(indicator.id) from None


def baseline_shifts(study: Study, indicator: MeasureIndicator) -> Floats:
    """By how much a year each scenario moves the readings against the baseline, shape (K,)."""
    shifts = indicator.shifts or {}
    return np.array([shifts[scenario] for scenario in study.scenario_ids], dtype=np.float64)


def measure_values(study: Study, indicator: MeasureIndicator) -> tuple[Floats, Floats]:
    """Means and standard deviations under each scenario, each of shape (K,)."""
    values = indicator.values or {}
    pairs = [values[scenario] for scenario in study.scenario_ids]
    return np.array([p.mean for p in pairs]), np.array([p.sd for p in pairs])
