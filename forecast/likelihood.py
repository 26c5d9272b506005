"""From a study's indicator, its live reports and its coverage to the likelihood of that kind.

The one place that turns labels into the arrays the likelihoods work on. A new kind of indicator adds one branch here
and one likelihood beside the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TypeAlias

import numpy as np

from forecast.baseline_likelihood import BaselineLikelihood, BaselineModel
from forecast.count_likelihood import CountLikelihood, CountModel
from forecast.events import Live, Sequenced, sequenced
from forecast.kalman import Process
from forecast.measure_likelihood import MeasureLikelihood, MeasureModel
from forecast.probability import Floats
from forecast.state_likelihood import StateLikelihood, StateModel
from forecast.study import Study, baseline_fit, baseline_shifts, measure_values, rates_per_year, state_rows
from indicators.coverage import Coverage
from indicators.days import duration_days
from indicators.indicator import MeasureIndicator, StateIndicator

__all__ = ["Likelihood", "detection", "family_order", "likelihoods"]

Likelihood: TypeAlias = StateLikelihood | CountLikelihood | MeasureLikelihood | BaselineLikelihood


def likelihoods(
    study: Study,
    live: Mapping[str, Sequence[Live]],
    coverage: Mapping[str, Sequence[Coverage]],
    *,
    as_of: date,
    only: Iterable[str] | None = None,
    known: Mapping[str, Likelihood] | None = None,
) -> dict[str, Likelihood]:
    """The likelihood of every indicator, from what is logged up to a day.

    Parameters
    ----------
    study : Study
    live : mapping of indicator id to sequence of Live
        Reports that stand, in any order; an indicator without any may be missing.
    coverage : mapping of indicator id to sequence of Coverage
    as_of : date
        Reports dated later and days of coverage after it are left out.
    only : iterable of str, optional
        The indicators to work out, with those given by them; the others are taken from `known`.
    known : mapping of str to Likelihood, optional
        Likelihoods that have not changed.

    Returns
    -------
    dict of str to Likelihood
        By indicator id, in file order.
    """
    wanted = set(study.by_id) if only is None else set(only)
    wanted |= {child for indicator in tuple(wanted) for child in study.children_of(indicator)}
    found: dict[str, Likelihood] = {key: value for key, value in (known or {}).items() if key not in wanted}
    for indicator_id in family_order(study):
        if indicator_id in wanted:
            reports = sequenced(live.get(indicator_id, ()), opens=study.opens, as_of=as_of)
            found[indicator_id] = _likelihood(
                study, indicator_id, reports, coverage.get(indicator_id, ()), as_of, found
            )
    return {indicator_id: found[indicator_id] for indicator_id in study.by_id}


def family_order(study: Study) -> list[str]:
    """Indicator ids with each one after the one it is given by."""
    ordered: list[str] = []

    def add(indicator_id: str) -> None:
        if indicator_id in ordered:
            return
        indicator = study.by_id[indicator_id]
        if isinstance(indicator, StateIndicator) and indicator.given:
            add(indicator.given)
        ordered.append(indicator_id)

    for indicator_id in study.by_id:
        add(indicator_id)
    return ordered


def detection(coverage: Sequence[Coverage], *, opens: date, as_of: date) -> Floats:
    """Chance that an event would have been seen, for each day from `opens` to `as_of`; 0 where nobody looked.

    Where spans overlap the better look counts: looking twice at one day is not two days.
    """
    detect = np.zeros((as_of - opens).days + 1)
    for span in coverage:
        first, last = max((span.from_ - opens).days, 0), (span.to - opens).days
        detect[first : last + 1] = np.maximum(detect[first : last + 1], span.detect)
    return detect


def _likelihood(
    study: Study,
    indicator_id: str,
    reports: Sequenced,
    coverage: Sequence[Coverage],
    as_of: date,
    found: Mapping[str, Likelihood],
) -> Likelihood:
    indicator = study.by_id[indicator_id]
    if isinstance(indicator, StateIndicator):
        persistence = duration_days(indicator.persistence) if indicator.persistence else None
        model = StateModel(state_rows(study, indicator), study.prior, persistence)
        place = {state: position for position, state in enumerate(indicator.states)}
        states = np.array([place[item.report.state or ""] for item in reports.live], dtype=np.int64)
        parent = found[indicator.given] if indicator.given else None
        assert parent is None or isinstance(parent, StateLikelihood)
        return StateLikelihood(model, reports, states, reports.rho, parent)
    if isinstance(indicator, MeasureIndicator) and indicator.baseline:
        return BaselineLikelihood(_baseline_model(study, indicator), reports, reports.rho)
    if isinstance(indicator, MeasureIndicator):
        means, deviations = measure_values(study, indicator)
        persistence = duration_days(indicator.persistence) if indicator.persistence else None
        return MeasureLikelihood(MeasureModel(means, deviations, study.prior, persistence), reports, reports.rho)
    rates = rates_per_year(study, indicator)
    model_of_count = CountModel(rates, study.prior, indicator.silence, once=indicator.kind == "milestone")
    detect = detection(coverage, opens=study.opens, as_of=as_of)
    return CountLikelihood(model_of_count, reports, reports.rho, detect)


def _baseline_model(study: Study, indicator: MeasureIndicator) -> BaselineModel:
    fit = baseline_fit(study, indicator)
    return BaselineModel(
        process=Process(fit.model, fit.parameters),
        state=np.array(fit.state),
        covariance=np.array(fit.covariance),
        age=(study.opens - fit.last_day).days,
        shifts=baseline_shifts(study, indicator),
        prior=study.prior,
    )
