"""Uncertain judgement: the same filter run on draws of everything that was judged, and the bands that come of it.

The analyst's numbers are centres, not facts. M times over, rows, rates, means, the priors and the chance that each
report carries information are drawn around the stated values, as widely as the stated confidence says (SPEC 4.6), and
the same likelihoods and the same recursion are run on all draws side by side. The headline stays the run on the stated
values. Randomness is seeded by the caller; each part of a study has a stream of its own, so that one more report or
indicator leaves the draws of the others as they were.

Of a baseline, the rate is drawn from its Gamma distribution, one draw for all scenarios, and the multipliers as rates
are. Of a measure with a baseline nothing is drawn but the weights of its reports: neither the shifts, for which SPEC
4.6 names no distribution, nor the parameters that were fitted to the history.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from forecast.baseline_likelihood import BaselineLikelihood
from forecast.bayes import filtered_side_by_side
from forecast.count_likelihood import CountLikelihood, CountModel
from forecast.likelihood import Likelihood, family_order
from forecast.measure_likelihood import MeasureLikelihood, MeasureModel
from forecast.probability import Floats, normalised
from forecast.state_likelihood import StateLikelihood, StateModel
from forecast.study import EQUIVALENT_SAMPLE_SIZE, Study
from indicators.days import DAYS_PER_YEAR
from indicators.indicator import Confidence

__all__ = ["Bands", "bands", "dirichlet", "drawn_likelihoods", "drawn_prior"]

LEVELS = (0.05, 0.95)
_GRADED, _UNGRADED = 20.0, 2.0
"""Sample size of a weight: of a grade that judges source and item, and of one that judges neither (F or 6)."""
_SMALLEST = 1e-300


class Bands(NamedTuple):
    """What the draws say beside the headline.

    Attributes
    ----------
    low, high : float array, shape (T + 1, K)
        5th and 95th percentile of P(scenario) on each day.
    final : float array, shape (M, K)
        P(scenario) on the as-of day in each draw.
    """

    low: Floats
    high: Floats
    final: Floats


def bands(
    study: Study,
    stated: Mapping[str, Likelihood],
    *,
    length: int,
    seed: int,
    draws: int,
    silenced: frozenset[str] = frozenset(),
) -> Bands:
    """Run the filter on draws around the stated values.

    Parameters
    ----------
    study : Study
    stated : mapping of indicator id to Likelihood
        At the stated values; its reports and coverage are those of every draw.
    length : int
        T + 1, the days from the first to the as-of day.
    seed : int
        The same seed gives the same bands, to the last bit.
    draws : int
        M.
    silenced : frozenset of str
        Indicators whose silence is left out.
    """
    prior = drawn_prior(study, seed=seed, draws=draws)
    # Days first and draws last: what is summed and sorted over then lies side by side.
    daily = np.zeros((length, prior.shape[1], draws))
    for indicator_id, likelihood in drawn_likelihoods(study, stated, prior, seed=seed):
        told = np.moveaxis(likelihood.contributions, 0, -1)
        for position, day in enumerate(likelihood.reports.days.tolist()):
            daily[day] += told[position]
        if isinstance(likelihood, CountLikelihood) and indicator_id not in silenced:
            _be_quiet(daily, likelihood)
    course = filtered_side_by_side(prior.T, prior.T, study.daily_stay, daily)
    low, high = np.quantile(course, LEVELS, axis=-1)
    return Bands(low, high, course[-1].T)


def _be_quiet(daily: Floats, likelihood: CountLikelihood) -> None:
    """Add the silence of one indicator to the days, shape (T + 1, K, M)."""
    rates = (likelihood.model.rates / DAYS_PER_YEAR).T
    exposure = likelihood.exposure.T
    quiet = np.flatnonzero(exposure.reshape(len(exposure), -1).any(axis=1))
    if exposure.ndim == 1:
        daily[quiet] -= exposure[quiet, None, None] * rates
    else:
        daily[quiet] -= exposure[quiet, None, :] * rates


def drawn_prior(study: Study, *, seed: int, draws: int) -> Floats:
    """Priors ~ Dirichlet(n pi), shape (M, K)."""
    return dirichlet(_stream(seed, "prior"), _sample_size(study.prior_confidence) * study.prior, draws)


def drawn_likelihoods(
    study: Study, stated: Mapping[str, Likelihood], prior: Floats, *, seed: int
) -> Iterator[tuple[str, Likelihood]]:
    """Every indicator and its likelihood with M draws in a leading axis, parents before those given by them.

    One at a time, because a draw of a large study fills the memory of hundreds of the study itself.

    Parameters
    ----------
    prior : float array, shape (M, K)
        Draws of the priors, on which the words of a report without information depend.
    """
    drawn: dict[str, Likelihood] = {}
    for indicator_id in family_order(study):
        likelihood = stated[indicator_id]
        size = _sample_size(study.by_id[indicator_id].confidence)
        stream = _stream(seed, f"indicator {indicator_id}")
        rho = _drawn_rho(study, likelihood, len(prior), seed=seed)
        if isinstance(likelihood, StateLikelihood):
            model = StateModel(
                dirichlet(stream, size * likelihood.model.rows, len(prior)), prior, likelihood.model.persistence_days
            )
            given = getattr(study.by_id[indicator_id], "given", None)
            parent = drawn[given] if given else None
            assert parent is None or isinstance(parent, StateLikelihood)
            drawn[indicator_id] = StateLikelihood(model, likelihood.reports, likelihood.states, rho, parent)
        elif isinstance(likelihood, MeasureLikelihood):
            shape = (len(prior), *likelihood.model.means.shape)
            means = stream.normal(likelihood.model.means, likelihood.model.deviations / np.sqrt(size), shape)
            measure = MeasureModel(means, likelihood.model.deviations, prior, likelihood.model.persistence_days)
            drawn[indicator_id] = MeasureLikelihood(measure, likelihood.reports, rho)
        elif isinstance(likelihood, BaselineLikelihood):
            model_of_baseline = replace(likelihood.model, prior=prior)
            drawn[indicator_id] = BaselineLikelihood(model_of_baseline, likelihood.reports, rho)
        else:
            rates = np.exp(_log_gamma(stream, np.full(likelihood.model.rates.shape, size), len(prior)))
            base = _drawn_base(study, indicator_id, len(prior), seed=seed)
            rates = np.maximum(rates * likelihood.model.rates / size * base, _SMALLEST)
            count = CountModel(rates, prior, likelihood.model.silence, likelihood.model.once)
            drawn[indicator_id] = CountLikelihood(count, likelihood.reports, rho, likelihood.detect)
        yield indicator_id, drawn[indicator_id]
        if not study.children_of(indicator_id):
            del drawn[indicator_id]


def _drawn_base(study: Study, indicator_id: str, draws: int, *, seed: int) -> Floats:
    """Base rates ~ Gamma(n + 1/2, Y) over their mean, shape (M, 1); ones for an indicator without a baseline."""
    base = study.baselines.rates.get(indicator_id)
    if base is None:
        return np.ones((draws, 1))
    stream = _stream(seed, f"baseline {indicator_id}")
    return np.exp(_log_gamma(stream, np.array([base.shape]), draws)) / base.shape


def dirichlet(stream: np.random.Generator, alpha: Floats, draws: int) -> Floats:
    """Draws from a Dirichlet over the last axis of `alpha`, shape (M, *alpha.shape); each vector sums to 1.

    Gamma variates are drawn in logarithms, because those of small shape are often too small for a double.
    """
    logs = _log_gamma(stream, alpha, draws)
    return np.maximum(normalised(logs), _SMALLEST)


def _log_gamma(stream: np.random.Generator, shape: Floats, draws: int) -> Floats:
    """log of Gamma(shape, 1) draws: G(a) is G(a + 1) U^(1/a) in distribution."""
    size = (draws, *shape.shape)
    return np.log(stream.standard_gamma(shape + 1.0, size)) + np.log1p(-stream.random(size)) / shape


def _drawn_rho(study: Study, likelihood: Likelihood, draws: int, *, seed: int) -> Floats:
    """Weights ~ Beta with the stated mean, shape (M, R); a report of weight 0 keeps it."""
    reports = likelihood.reports
    streams = _Streams(seed, "weights")
    rho = np.zeros((len(reports), draws))
    for position, live in enumerate(reports.live):
        if live.rho > 0.0:
            grade = study.grade_of(live.report.grade, live.report.source)
            size = _UNGRADED if "F" in grade or "6" in grade else _GRADED
            rho[position] = streams.at(live.seq).beta(live.rho * size, (1.0 - live.rho) * size, draws)
    return np.minimum(rho, np.nextafter(1.0, 0.0)).T


def _sample_size(confidence: Confidence) -> float:
    return EQUIVALENT_SAMPLE_SIZE[confidence] if isinstance(confidence, str) else confidence


def _stream(seed: int, part: str) -> np.random.Generator:
    """The stream of random numbers of one part of a study."""
    return np.random.default_rng([seed, zlib.crc32(part.encode())])


class _Streams:
    """A stream of random numbers for every number, each at the price of setting a counter."""

    def __init__(self, seed: int, part: str) -> None:
        self._bits = np.random.Philox(np.random.SeedSequence([seed, zlib.crc32(part.encode())]))
        self._generator = np.random.Generator(self._bits)
        self._start = self._bits.state

    def at(self, number: int) -> np.random.Generator:
        """The stream of this number from its beginning, until the next one is asked for."""
        self._start["state"]["counter"][-1] = number
        self._bits.state = self._start
        return self._generator
