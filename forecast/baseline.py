"""Baselines: what a history says of how often, or how high, before the study opened. The outside view.

A rate comes from the dated events of some years. A series is carried on by a statsmodels model that is fitted to it
once, when the study is recorded; what the fit found is plain numbers from then on, and statsmodels is loaded for
nothing else. The model lives on a grid of days in which the days without a reading are missing. The search for its
parameters steps from reading to reading instead, by the closed forms of `kalman`, which is the same likelihood; it is
flat over wide stretches and has several summits, so the search follows several starts and goes on until it is at rest.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.history import Row, read_history
from forecast.kalman import Process
from forecast.probability import Floats
from indicators.days import DAYS_PER_YEAR
from indicators.errors import WatchfloorError
from indicators.indicator import CountIndicator, Day, Indicator, MeasureIndicator, MilestoneIndicator, Record

__all__ = ["BaseRate", "Baselines", "Fit", "FitError", "Residuals", "base_rate", "fitted"]

Integers = NDArray[np.int64]

_TRIED = 3
"""How many of the likeliest starts are followed: the likelihood has several summits."""
_ROUNDS = 8
_AT_REST = 1e-7
"""The search is over when another round adds no more than this to the log likelihood."""
_NO_ERROR = 1e-9
"""A model whose typical error has less than this share of the readings' variance follows them to the letter."""
_FAR_LONGER = 20.0
_BRIEFEST, _LONGEST = -3.0, 25.0
"""Logs of days between which the time of `ar1` is looked for: below, nothing is kept for a day; above, nothing lost."""
_DOUBTFUL = 0.05


class FitError(WatchfloorError):
    """A history that a model cannot be fitted to."""


@dataclass(frozen=True)
class BaseRate:
    """How often something happened: a Gamma distribution of its rate, with Jeffreys' prior (SPEC 4.4).

    Attributes
    ----------
    events : int
        n, those within the years.
    years : float
        Y.
    outside : int
        How many events of the history lie outside the years, and are not counted.
    """

    events: int
    years: float
    outside: int = 0

    @property
    def shape(self) -> float:
        """n + 1/2; the rate parameter is Y."""
        return self.events + 0.5

    @property
    def mean(self) -> float:
        """Events per year, (n + 1/2) / Y."""
        return self.shape / self.years


def base_rate(days: Iterable[date], first: date, last: date) -> BaseRate:
    """The rate of events on these days, over the years from `first` to `last`, both days included.

    Examples
    --------
    >>> base_rate([date(2020, 5, 1), date(2021, 5, 1), date(2023, 5, 1)], date(2020, 1, 1), date(2021, 12, 31))
    BaseRate(events=2, years=2.001368925393566, outside=1)
    """
    within = [first <= day <= last for day in days]
    years = ((last - first).days + 1) / DAYS_PER_YEAR
    return BaseRate(sum(within), years, len(within) - sum(within))


class Residuals(Record):
    """Whether what the model did not foresee still hangs together: the test of Ljung and Box on its one-step errors.

    The errors are those of each reading against what the ones before it let expect, over their standard deviation.
    """

    lags: int
    statistic: float
    p_value: float

    @property
    def says(self) -> str:
        """The result in a plain sentence."""
        test = f"Ljung-Box, {self.lags} {'lag' if self.lags == 1 else 'lags'}, p = {self.p_value:.2g}"
        if self.p_value < _DOUBTFUL:
            return f"the errors hang together, so the model misses something ({test})"
        return f"no sign that the errors hang together ({test})"


class Fit(Record):
    """A model fitted to a series: all that is needed to carry it on.

    Attributes
    ----------
    model : str
        `local-level`, `local-trend` or `ar1`.
    last_day : date
        Of the last reading.
    points : int
        How many readings there were.
    parameters : dict of str to float
        As statsmodels names them; variances are those of one day.
    state : list of float
        Mean of the state after the last reading: the level, and the trend per day where the model has one.
    covariance : list of lists of float
    log_likelihood : float
        Natural log, of the readings under the parameters.
    residuals : Residuals
    """

    model: str
    last_day: Day
    points: int
    parameters: dict[str, float]
    state: list[float]
    covariance: list[list[float]]
    log_likelihood: float
    residuals: Residuals


@dataclass(frozen=True)
class Baselines:
    """What the histories of a study say.

    Attributes
    ----------
    histories : mapping of str to str
        The text of each file, by its name in the study.
    rates : mapping of str to BaseRate
        By indicator id, for counts and milestones that have a baseline.
    fits : mapping of str to Fit
        By indicator id, for measures that have one.
    """

    histories: Mapping[str, str] = field(default_factory=dict)
    rates: Mapping[str, BaseRate] = field(default_factory=dict)
    fits: Mapping[str, Fit] = field(default_factory=dict)

    @classmethod
    def of(cls, indicators: Iterable[Indicator], histories: Mapping[str, str], fits: Mapping[str, Fit]) -> Baselines:
        """Those of some indicators, from sound histories; an indicator whose history is not at hand is left out."""
        rates = {}
        for indicator in indicators:
            if isinstance(indicator, CountIndicator | MilestoneIndicator) and indicator.baseline:
                span = indicator.baseline
                if span.history in histories:
                    rows, _ = read_history(histories[span.history], file=span.history, with_values=False)
                    rates[indicator.id] = base_rate([row.day for row in rows], span.from_, span.to)
        return cls(histories, rates, fits)

    def history_of(self, indicator: Indicator) -> str | None:
        """The text of the history that an indicator refers to; None where it has none."""
        if isinstance(indicator, CountIndicator | MilestoneIndicator | MeasureIndicator) and indicator.baseline:
            return self.histories.get(indicator.baseline.history)
        return None

    def readings_of(self, indicator: Indicator) -> list[tuple[date, float]]:
        """Day and reading of the history of a measure, in order; empty where it has none."""
        text = self.history_of(indicator) if isinstance(indicator, MeasureIndicator) else None
        rows, _ = read_history(text, file="", with_values=True) if text else ([], [])
        return [(row.day, row.value) for row in rows]


def fitted(rows: Sequence[Row], model: str) -> Fit:
    """Fit a model to a series by maximum likelihood; the same series always gives the same fit.

    The first reading of a level or a trend starts from nothing (an exact diffuse start), so that the unit of the
    readings does not matter. The coefficient of `ar1` is kept at zero or above: where readings are days apart, a level
    that changed sides every day would be told by nothing but whether a gap is odd.

    Parameters
    ----------
    rows : sequence of Row
        In order of their days, one a day, not all equal; at least `history.FEWEST_READINGS`.
    model : str
        `local-level`, `local-trend` or `ar1`.

    Raises
    ------
    FitError
        The search does not come to rest, or what it finds cannot carry a series on.
    """
    days = np.array([(row.day - rows[0].day).days for row in rows])
    values = np.array([row.value for row in rows])
    centre, unit = float(values.mean()), float(values.std())
    place = _search(model, days, (values - centre) / unit)
    # The filter runs in the search's units too, so that readings of any size are as far from its own tolerances.
    result = _statsmodel(model, days, (values - centre) / unit).filter(list(_parameters(model, place).values()))
    foreseen = days[days >= result.nobs_diffuse]
    if float(np.median(result.forecasts_error_cov[0, 0, foreseen])) < _NO_ERROR:
        _refuse(model, "the model follows the readings without any error, so it cannot say how far they may stray")
    level, *trend = (unit * result.filtered_state[:, -1]).tolist()
    return Fit(
        model=model,
        last_day=rows[-1].day,
        points=len(rows),
        parameters=_in_units(model, place, centre, unit),
        state=[centre + level, *trend],
        covariance=(unit**2 * result.filtered_state_cov[:, :, -1]).tolist(),
        log_likelihood=float(result.llf) - len(foreseen) * math.log(unit),
        residuals=_residuals(result.standardized_forecasts_error[0, foreseen]),
    )


def _statsmodel(model: str, days: Integers, values: Floats) -> Any:
    """The statsmodels model on a grid of days, without a reading on most of them."""
    from statsmodels.tsa.statespace.sarimax import SARIMAX
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    grid = np.full(days[-1] + 1, np.nan)
    grid[days] = values
    if model == "ar1":
        return SARIMAX(grid, order=(1, 0, 0), trend="c")
    names = {"local-level": "local level", "local-trend": "local linear trend"}
    return UnobservedComponents(grid, names[model], use_exact_diffuse=True)


def _residuals(errors: Floats) -> Residuals:
    """The test on errors that are not centred first: of a right model their mean is zero, and a drift shows."""
    from scipy.special import gammaincc

    lags = max(1, min(10, len(errors) // 5))
    shares = [float(errors[lag:] @ errors[:-lag] / (errors @ errors)) for lag in range(1, lags + 1)]
    size = len(errors)
    statistic = size * (size + 2) * sum(r**2 / (size - lag) for lag, r in enumerate(shares, start=1))
    return Residuals(lags=lags, statistic=statistic, p_value=float(gammaincc(lags / 2, statistic / 2)))


def _log_likelihood(model: str, days: Integers, values: Floats) -> Callable[[Mapping[str, float]], float]:
    """What the statsmodels filter says of readings under some parameters, stepping from one reading to the next.

    The same as on a grid of days, and as fast for decades as for weeks.
    """
    from statsmodels.tsa.statespace.kalman_filter import KalmanFilter

    gaps = np.diff(days)
    # A filter whose steps are all alike settles, and then runs faster; after the last reading there is no step.
    gaps = gaps[:1] if (gaps == gaps[0]).all() else np.append(gaps, 1)
    states = 2 if model == "local-trend" else 1
    run = KalmanFilter(k_endog=1, k_states=states, k_posdef=states)
    run.bind(values.copy())
    run["design"], run["selection"] = np.eye(1, states), np.eye(states)

    def log_likelihood(parameters: Mapping[str, float]) -> float:
        process = Process(model, parameters)
        gap, lasting = process.gap(gaps), process.lasting
        run["transition"] = np.ascontiguousarray(np.moveaxis(gap.move, 0, -1))
        run["state_cov"] = np.ascontiguousarray(np.moveaxis(gap.noise, 0, -1))
        run["state_intercept"] = np.ascontiguousarray(gap.drift.T)
        run["obs_cov"] = np.array([[process.reading_noise]])
        if lasting is None:
            run.initialize_diffuse()
        else:
            run.initialize_known(*lasting)
        return float(np.sum(run.loglike()))

    return log_likelihood


def _search(model: str, days: Integers, values: Floats) -> Floats:
    """The place of greatest likelihood, for readings of mean 0 and variance 1."""
    from scipy.optimize import minimize

    log_likelihood = _log_likelihood(model, days, values)
    span = float(days[-1])

    def unlikely(place: Floats) -> float:
        return -log_likelihood(_parameters(model, place))

    def downhill(place: Floats, to_within: float) -> Any:
        # The simplex needs no slopes, which vanish where a variance goes to zero.
        simplex = np.vstack([place, place + np.diag(np.where(place == 0.0, 0.25, 0.25 * place))])
        limits = {"xatol": to_within, "fatol": to_within, "maxfev": 1_000, "initial_simplex": simplex}
        return minimize(unlikely, place, method="Nelder-Mead", options=limits)

    courses = sorted((min(alike, key=unlikely) for alike in _starts(model, span, span / (len(days) - 1))), key=unlikely)
    best = min((downhill(place, 1e-2) for place in courses[:_TRIED]), key=_height)
    for _ in range(_ROUNDS):
        further = downhill(best.x, _AT_REST)
        gained, best = best.fun - further.fun, min(best, further, key=_height)
        if gained <= _AT_REST:
            break
    else:
        _refuse(model, "the search for its parameters does not come to rest")
    if model == "ar1" and best.x[1] > math.log(_FAR_LONGER * span):
        _refuse(model, "the readings return to no mean within many times the length of the history")
    return best.x if model == "ar1" else _without_traces(unlikely, best.x)


def _height(found: Any) -> float:
    return float(found.fun)


def _without_traces(unlikely: Callable[[Floats], float], place: Floats) -> Floats:
    """Zero for the variances that the search has only come as near to zero as a double allows."""
    for position in range(len(place)):
        without = np.where(np.arange(len(place)) == position, 0.0, place)
        if without.any() and abs(unlikely(without) - unlikely(place)) <= _AT_REST:
            place = without
    return place


def _refuse(model: str, what: str) -> None:
    others = {"local-level": "local-trend", "local-trend": "local-level", "ar1": "local-level"}
    raise FitError(what, mend=f'try "model: {others[model]}", or state "values" in place of the baseline')


def _parameters(model: str, place: Floats) -> dict[str, float]:
    """The parameters at a place of the search: roots of variances; of `ar1` mean, log of time, root of variance."""
    if model != "ar1":
        names = ("sigma2.irregular", "sigma2.level", "sigma2.trend")
        return dict(zip(names, (place**2).tolist(), strict=False))
    mean, log_time, root = place.tolist()
    rate = math.exp(-min(max(log_time, _BRIEFEST), _LONGEST))
    return {
        "intercept": -math.expm1(-rate) * mean,
        "ar.L1": math.exp(-rate),
        "sigma2": -math.expm1(-2.0 * rate) * root**2,
    }


def _starts(model: str, span: float, gap: float) -> Iterator[list[Floats]]:
    """Courses to begin the search from, those alike together: how much is noise, how much movement, and how fast."""
    if model == "local-level":
        for noise in (0.01, 0.2, 0.5, 0.8, 0.99):
            shares = np.array([noise, (1.0 - noise) / gap])
            yield [np.sqrt(shares * total) for total in (0.03, 0.1, 0.3, 1.0)]
    elif model == "local-trend":
        uneven = (itertools.permutations(shares) for shares in ((0.01, 0.01, 0.98), (0.02, 0.49, 0.49)))
        for noise, level, trend in dict.fromkeys([(0.34, 0.33, 0.33), *itertools.chain(*uneven)]):
            shares = np.array([noise, level / gap, trend / gap**3])
            yield [np.sqrt(shares * total) for total in (0.001, 0.01, 0.1, 0.3, 1.0)]
    else:
        for time in np.geomspace(0.3, 3.0 * span, 14).tolist():
            yield [np.array([0.0, math.log(time), 1.0])]


def _in_units(model: str, place: Floats, centre: float, unit: float) -> dict[str, float]:
    """The parameters of the readings themselves, from the place found for them less their mean over their deviation."""
    if model == "ar1":
        return _parameters(model, np.array([centre + unit * place[0], place[1], unit * place[2]]))
    return _parameters(model, unit * place)
