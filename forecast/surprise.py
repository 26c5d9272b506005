"""Whether what was reported was to be expected of any scenario here: the alarm that the right answer may be missing.

Before a state report is logged, the outlook gives a probability to each state that the report could name. If the rows
and the list of scenarios are right, -log p of what it does name is on average the entropy of that distribution. The
sum of the excesses, over the root of the summed variances, is then near a standard normal number; far above, reality
keeps doing what no scenario here expected.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from forecast.explain import around_reports
from forecast.likelihood import Likelihood
from forecast.outlook import Outlook
from forecast.probability import Floats, log_or_minus_infinity, normalised
from forecast.state_likelihood import StateLikelihood

__all__ = ["ALARM", "Surprise", "surprise"]

ALARM = 3.0
"""Above this score the outlook says that no scenario here expected this."""

# Rounding leaves this much variance per report where there is none: every state was equally likely.
_NOTHING = 1e-24


@dataclass(frozen=True)
class Surprise:
    """How far the state reports were from what the scenarios expected.

    Attributes
    ----------
    score : float or None
        In standard deviations; None where no state report counts, or where none could have surprised.
    alarm : bool
        Whether the score is above 3.
    reports : list of (str, float)
        Entry and predictive probability of each state report that counts, in order of dated day and ledger.
    """

    score: float | None
    alarm: bool
    reports: list[tuple[str, float]]


def surprise(outlook: Outlook) -> Surprise:
    """How surprising the state reports were, each by what was logged before it.

    Copies that do not count as of the day (same origin, lower weight) are left out, as if never logged. A report of
    weight 0 is in: it too names what such reports say, or does not.
    """
    outlook = _without_outdone_copies(outlook)
    before = _probabilities_before(outlook)
    found: list[tuple[tuple[int, int], str, float]] = []
    excess = variance = 0.0
    for indicator_id, likelihood in outlook.likelihoods.items():
        if not isinstance(likelihood, StateLikelihood) or not len(likelihood.reports):
            continue
        counts = _counting(likelihood)
        said = _predictive(likelihood, before[indicator_id])[counts]
        named = said[np.arange(len(said)), likelihood.states[counts]]
        surprisal = -log_or_minus_infinity(said)
        entropy = (said * surprisal).sum(axis=1)
        excess += float((-np.log(named) - entropy).sum())
        variance += float((said * (surprisal - entropy[:, None]) ** 2).sum())
        live = [likelihood.reports.live[position] for position in counts.tolist()]
        days = likelihood.reports.days[counts].tolist()
        found += [((day, r.seq), r.entry, p) for day, r, p in zip(days, live, named.tolist(), strict=True)]
    score = excess / math.sqrt(variance) if variance > _NOTHING * len(found) else None
    told = [(entry, p) for _, entry, p in sorted(found)]
    return Surprise(score, score is not None and score > ALARM, told)


def _predictive(likelihood: StateLikelihood, before: Floats) -> Floats:
    """P(each report names state x | what was logged before it), shape (R, S).

    Parameters
    ----------
    before : float array, shape (R, K)
        P(scenario) just before each report.
    """
    state = np.einsum("rk,rks->rs", before, likelihood.foretold)
    rho = likelihood.rho[:, None]
    return rho * state + (1.0 - rho) * likelihood.model.uninformed


def _probabilities_before(outlook: Outlook) -> dict[str, Floats]:
    """By indicator: P(scenario) just before each of its reports, after the day's drift and silence, shape (R, K)."""
    likelihoods = outlook.likelihoods
    reports = [likelihood.reports for likelihood in likelihoods.values()]
    days = np.concatenate([part.days for part in reports])
    order = np.lexsort((np.array([live.seq for part in reports for live in part.live], dtype=np.int64), days))
    contributions = np.concatenate([likelihood.contributions for likelihood in likelihoods.values()])
    quiet = outlook.chain.log_predicted + outlook.silence.sum(axis=1)
    weights = np.empty_like(contributions)
    weights[order], _ = around_reports(quiet, report_days=days[order], contributions=contributions[order])
    parts = np.split(normalised(weights), np.cumsum([len(part) for part in reports])[:-1])
    return dict(zip(likelihoods, parts, strict=True))


def _counting(likelihood: StateLikelihood) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Positions of the reports that count in the end, in order."""
    return np.array(sorted(r for counted in likelihood.reports.last_counted for r in counted), dtype=np.int64)


def _without_outdone_copies(outlook: Outlook) -> Outlook:
    """The outlook had those copies not been logged that counted once, and are outdone by a later one of more weight.

    A copy that never counted changes nothing, and needs no second run.
    """
    evidence = dict(outlook.log.reports)
    known: dict[str, Likelihood] = dict(outlook.likelihoods)
    for indicator_id, likelihood in outlook.likelihoods.items():
        if not isinstance(likelihood, StateLikelihood):
            continue
        counts = set(_counting(likelihood).tolist())
        outdone = [r for r, counted in enumerate(likelihood.reports.counted) if r in counted and r not in counts]
        if outdone:
            gone = {likelihood.reports.live[r].entry for r in outdone}
            evidence[indicator_id] = [live for live in evidence[indicator_id] if live.entry not in gone]
            for touched in (indicator_id, *outlook.study.children_of(indicator_id)):
                known.pop(touched, None)
    if len(known) == len(outlook.likelihoods):
        return outlook
    return Outlook(outlook.study, replace(outlook.log, reports=evidence), outlook.as_of, known)
