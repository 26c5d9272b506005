"""The studies that every tool is given: drawn from one seed, the same for all, in four sizes.

Half of the indicators keep their state for a while (a persistence of 90 days), the others are drawn anew by every
event; every report is an event of its own, so that a Bayesian network can say the same. The rows of the scenarios lie
so close together that the answer stays open however many reports there are: agreement on a foregone conclusion would
prove nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.events import Live
from forecast.outlook import Log, Outlook
from forecast.study import Study
from indicators.evidence import Report
from indicators.grades import grade_weight

__all__ = ["SIZES", "Case", "Size", "by_indicator", "drawn"]

SEED = 20250422
OPENS = date(2015, 1, 1)
PERSISTENCE_DAYS = 90
HALF_LIFE_DAYS = 365
_GRADES = ("A1", "A2", "B1", "B2", "B3", "C2", "C3", "D3", "D4", "F6")
_TOLD_APART = 4.0
"""How far the rows let the scenarios drift apart over all reports, in nats or so."""


@dataclass(frozen=True)
class Size:
    """How large a study is.

    Attributes
    ----------
    name : str
    scenarios, indicators, states, reports, days, draws : int
        K, J, S, R, T + 1 and M.
    """

    name: str
    scenarios: int
    indicators: int
    states: int
    reports: int
    days: int
    draws: int


SIZES = {
    size.name: size
    for size in (
        Size("small", scenarios=4, indicators=12, states=3, reports=200, days=365, draws=1000),
        Size("medium", scenarios=5, indicators=40, states=4, reports=10_000, days=1_000, draws=1000),
        Size("large", scenarios=8, indicators=200, states=5, reports=1_000_000, days=3_650, draws=100),
    )
}


@dataclass(frozen=True)
class Case:
    """One study and its log, as arrays and as a table; the engine's own records are made from them.

    Attributes
    ----------
    size : Size
    prior : float array, shape (K,)
    rows : float array, shape (J, K, S)
        P(state | scenario).
    persistence : float array, shape (J,)
        In days; 0 where every event is a new draw.
    reports : pandas.DataFrame
        In the order of days: `indicator`, `day`, `state` as numbers from 0, `grade`, and its weight `rho`.
    """

    size: Size
    prior: NDArray[np.float64]
    rows: NDArray[np.float64]
    persistence: NDArray[np.float64]
    reports: pd.DataFrame

    @property
    def daily_stay(self) -> float:
        """Share of what is known today that still holds tomorrow."""
        return float(np.exp2(-1.0 / HALF_LIFE_DAYS))

    @property
    def as_of(self) -> date:
        """The last day."""
        return OPENS + timedelta(days=self.size.days - 1)

    @cached_property
    def study(self) -> Study:
        """The study with drift."""
        return self._study(drift={"half_life": f"{HALF_LIFE_DAYS} d"})

    @cached_property
    def static_study(self) -> Study:
        """The study without drift."""
        return self._study()

    @cached_property
    def log(self) -> Log:
        """The log as the engine takes it."""
        days = [OPENS + timedelta(days=day) for day in range(self.size.days)]
        live: dict[str, list[Live]] = {f"i{j}": [] for j in range(self.size.indicators)}
        table = self.reports
        columns = (table[name].tolist() for name in ("indicator", "day", "state", "grade", "rho"))
        for seq, (j, day, state, grade, rho) in enumerate(zip(*columns, strict=True)):
            report = Report(indicator=f"i{j}", observed=days[day], state=f"s{state}", grade=grade)
            live[report.indicator].append(Live(f"e{seq}", seq, report, rho))
        return Log(live, {})

    def outlook(self, *, drift: bool = True) -> Outlook:
        """A fresh outlook, nothing worked out yet."""
        return Outlook(self.study if drift else self.static_study, self.log, self.as_of, draws=self.size.draws)

    def _study(self, **more: object) -> Study:
        K, J, S = self.size.scenarios, self.size.indicators, self.size.states
        indicators = [
            {
                "id": f"i{j}",
                "kind": "state",
                "states": [f"s{s}" for s in range(S)],
                "likelihoods": {f"k{k}": self.rows[j, k].tolist() for k in range(K)},
                **({"persistence": f"{self.persistence[j]:g} d"} if self.persistence[j] else {}),
            }
            for j in range(J)
        ]
        return Study.model_validate(
            {
                "study": self.size.name,
                "opens": OPENS.isoformat(),
                "horizon": (self.as_of + timedelta(days=365)).isoformat(),
                "scenarios": [{"id": f"k{k}", "prior": float(self.prior[k])} for k in range(K)],
                "indicators": indicators,
                **more,
            }
        )


def drawn(size: Size) -> Case:
    """The study of a size; the same whoever asks."""
    rng = np.random.default_rng([SEED, size.reports, size.days])
    prior = rng.dirichlet(np.full(size.scenarios, 5.0))
    common = rng.dirichlet(np.full(size.states, 3.0), (size.indicators, 1)) + 0.02
    apart = rng.normal(0.0, np.sqrt(_TOLD_APART / size.reports), (size.indicators, size.scenarios, size.states))
    rows = common * np.exp(apart)
    rows /= rows.sum(axis=-1, keepdims=True)
    persistence = np.where(np.arange(size.indicators) % 2 == 0, float(PERSISTENCE_DAYS), 0.0)
    indicator = rng.integers(size.indicators, size=size.reports)
    truth = rng.integers(size.scenarios, size=size.reports)
    chosen = rng.random(size.reports)[:, None] > np.cumsum(rows[indicator, truth], axis=1)
    grade = rng.choice(_GRADES, size.reports)
    worth = {text: grade_weight(text, {}) for text in _GRADES}
    reports = pd.DataFrame(
        {
            "indicator": indicator,
            "day": np.sort(rng.integers(size.days, size=size.reports)),
            "state": np.minimum(chosen.sum(axis=1), size.states - 1),
            "grade": grade,
            "rho": [worth[text] for text in grade],
        }
    )
    return Case(size, prior, rows, persistence, reports)


def by_indicator(case: Case) -> Iterator[tuple[int, pd.DataFrame]]:
    """The number of every indicator that has reports, and its rows of the table."""
    for j in np.unique(case.reports["indicator"]).tolist():
        yield j, case.reports[case.reports["indicator"] == j]
