"""What a study says of an indicator beside its rows, in lines of plain text: its terms, its baseline and how well that
fits. The same on a terminal and on a page.
"""

from __future__ import annotations

import math

from forecast.baseline import BaseRate, Fit
from forecast.study import Study
from indicators.days import DAYS_PER_YEAR
from indicators.indicator import Indicator, MeasureIndicator, StateIndicator

__all__ = ["baseline_lines", "traits"]


def traits(indicator: Indicator) -> str:
    """The kind of an indicator and its terms, in one line."""
    found: list[str] = [indicator.kind]
    for name in ("unit", "persistence", "given", "silence", "check_every"):
        value = getattr(indicator, name, None)
        if value:
            found.append(f"{name.replace('_', ' ')} {value}")
    if indicator.retired:
        found.append("retired")
    return ", ".join(found)


def baseline_lines(study: Study, indicator: Indicator) -> list[str]:
    """Which history an indicator's numbers stand on, and what was read off it; empty where there is none."""
    if isinstance(indicator, StateIndicator) or indicator.baseline is None:
        return []
    if isinstance(indicator, MeasureIndicator):
        fit = study.baselines.fits[indicator.id]
        head = f"baseline {indicator.baseline.history}, {fit.points} readings up to {fit.last_day}:"
        return [head, *_fit_lines(fit)]
    span = indicator.baseline
    head = f"baseline {span.history}, {span.from_} to {span.to}:"
    return [head, _base_rate_line(study.baselines.rates[indicator.id])]


def _base_rate_line(base: BaseRate) -> str:
    """How a rate was read off a history."""
    told = f"{base.events} in {base.years:.2f} years, ({base.events} + 1/2) / {base.years:.2f} = {base.mean:.3g} a year"
    return told + (f"; {base.outside} more lie outside these days and are not counted" if base.outside else "")


def _fit_lines(fit: Fit) -> list[str]:
    """What was fitted: the model with its parameters, where it stood at the end, and what it misses."""
    parameters = ", ".join(f"{name} {value:.4g}" for name, value in fit.parameters.items())
    lines = [f"{fit.model} by days: {parameters}; log likelihood {fit.log_likelihood:.2f}"]
    level = f"level {fit.state[0]:.4g} with sd {math.sqrt(max(fit.covariance[0][0], 0.0)):.2g} on the last day"
    if len(fit.state) > 1:
        level += f", trend {fit.state[1] * DAYS_PER_YEAR:+.3g} a year"
    if fit.model == "ar1":
        kept = fit.parameters["ar.L1"]
        level += f", on its way back to {fit.parameters['intercept'] / (1.0 - kept):.4g}"
        level += f", half of it in {math.log(0.5) / math.log(kept):.3g} days" if kept > 0.0 else " at once"
    return [*lines, level, fit.residuals.says]
