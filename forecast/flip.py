"""How much of one indicator's judgement must be given up before another scenario leads.

The rows of an indicator are softened, (1 - a) L + a q, from a = 0, as the study has them, to a = 1, where they are the
same under every scenario and its reports say nothing; rates, values and shifts move towards their prior-weighted mean.
The flip point is the smallest a at which another scenario leads. Near 0 the answer hangs on a fine shade of that
judgement; near 1 it holds until almost nothing is left of it; where there is none, it does not depend on this indicator
alone.

The leader is worked out exactly, many a side by side: on a scan, closer where the lead has a dip, and then ever closer
to the first change. What the scan can miss is a stretch that lies between two of its points (1/24 apart, closer near 0
and 1) in which another scenario takes the lead and loses it again, where the lead at the points around it shows no dip.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from forecast.baseline_likelihood import BaselineLikelihood
from forecast.change import Change
from forecast.count_likelihood import CountLikelihood
from forecast.explain import final_after_changes
from forecast.likelihood import Likelihood, family_order
from forecast.outlook import Outlook
from forecast.probability import Floats
from forecast.state_likelihood import StateLikelihood
from indicators.days import DAYS_PER_YEAR
from indicators.indicator import StateIndicator

__all__ = ["flips"]

Integers = NDArray[np.int64]

_TIE = 1e-11
"""Log probabilities no further apart than this are equal: it is what rounding may leave between them."""
_WIDTH = 1e-9
_EVEN, _CLOSER = 24, 16
# Rows that are nearly 0 grow by powers of ten while a is tiny; those of an unlikely scenario, while 1 - a is.
_TINY = 10.0 ** np.arange(-12.0, -1.0)
_SCAN = np.unique(np.concatenate([np.linspace(0.0, 1.0, _EVEN + 1), _TINY, 1.0 - _TINY]))
_AROUND = 10.0 ** np.arange(-7.0, 0.0)
# How many numbers the courses of one indicator may hold at once.
_CHUNK = 2_000_000


def flips(outlook: Outlook) -> dict[str, float | None]:
    """For each indicator the smallest a in [0, 1] at which another scenario leads, in file order.

    What is given by the indicator is worked out again too. Of scenarios that are equally likely the earlier one leads.

    Returns
    -------
    dict of str to float or None
        By indicator id, from above and to within 1e-9; None where the same scenario leads at every a.
    """
    return {indicator_id: _flip(_Softening(outlook, indicator_id)) for indicator_id in outlook.likelihoods}


def _flip(softening: _Softening) -> float | None:
    if not len(softening.days):
        return None
    leader = int(_leaders(softening.log_final(_SCAN[:1]))[0])
    scan = _Scan.of(softening, leader, _SCAN)
    scan = scan.joined(_Scan.of(softening, leader, scan.around_dips()))
    if not scan.lost.any():
        return None
    while scan.bracket[1] - scan.bracket[0] > _WIDTH:
        scan = scan.joined(_Scan.of(softening, leader, scan.within_bracket()))
    return scan.bracket[1]


def _leaders(log_final: Floats) -> NDArray[np.int64]:
    """Position of the leading scenario in each row; the first of those that tie."""
    return np.argmax(log_final >= log_final.max(axis=1, keepdims=True) - _TIE, axis=1)


@dataclass(frozen=True)
class _Scan:
    """Some shares in rising order, by how much the leader leads there (a log ratio), and whether another one leads."""

    shares: Floats
    leads: Floats
    lost: NDArray[np.bool_]

    @classmethod
    def of(cls, softening: _Softening, leader: int, shares: Floats) -> _Scan:
        if not len(shares):
            return cls(shares, shares, shares > 0.0)
        log_final = softening.log_final(shares)
        others = np.delete(log_final, leader, axis=1).max(axis=1)
        return cls(shares, log_final[:, leader] - others, _leaders(log_final) != leader)

    def joined(self, other: _Scan) -> _Scan:
        """Both, in rising order."""
        shares = np.concatenate([self.shares, other.shares])
        order = np.argsort(shares, kind="stable")
        leads, lost = np.concatenate([self.leads, other.leads]), np.concatenate([self.lost, other.lost])
        return _Scan(shares[order], leads[order], lost[order])

    @property
    def first(self) -> int:
        """Position of the first share at which another leads; the last one where none does."""
        return int(self.lost.argmax()) if self.lost.any() else len(self.lost) - 1

    @property
    def bracket(self) -> tuple[float, float]:
        """The last share before another leads, and the first at which it does."""
        return float(self.shares[self.first - 1]), float(self.shares[self.first])

    def around_dips(self) -> Floats:
        """Shares between the points on either side of each dip of the lead, before another leads."""
        dips = [
            i for i in range(1, self.first) if self.leads[i - 1] > self.leads[i] and self.leads[i] <= self.leads[i + 1]
        ]
        edges = sorted({j for i in dips for j in (i - 1, i)})
        fractions = np.arange(1.0, _CLOSER + 1.0) / (_CLOSER + 1.0)
        parts = [self.shares[j] + (self.shares[j + 1] - self.shares[j]) * fractions for j in edges]
        return np.concatenate(parts) if parts else np.empty(0)

    def within_bracket(self) -> Floats:
        """Shares inside the bracket: evenly, and ever closer around where a straight line would change sign."""
        low, high = self.bracket
        before, after = self.leads[self.first - 1], self.leads[self.first]
        root = before / (before - after) if before > 0.0 > after else 0.5
        places = np.concatenate([np.arange(1.0, 5.0) / 5.0, root - _AROUND, [root], root + _AROUND])
        return low + (high - low) * np.unique(places[(places > 0.0) & (places < 1.0)])


class _Softening:
    """One indicator with its judgement given up by degrees.

    Attributes
    ----------
    days : int array
        Days on which anything can change: of reports on it or on what is given by it, and of silence that counts.
    """

    def __init__(self, outlook: Outlook, indicator_id: str) -> None:
        self.outlook = outlook
        self.indicator_id = indicator_id
        children = outlook.study.children_of(indicator_id)
        self.family = [i for i in family_order(outlook.study) if i == indicator_id or i in children]
        members = [outlook.likelihoods[i] for i in self.family]
        self.exposure = np.zeros(outlook.length)
        if isinstance(members[0], CountLikelihood) and indicator_id not in outlook.log.silenced:
            self.exposure = members[0].exposure
        reported = [member.reports.days for member in members]
        self.days: Integers = np.unique(np.concatenate([*reported, np.flatnonzero(self.exposure)]))
        self._size = len(outlook.study.prior) * len(self.days)
        self._size += sum(member.contributions.size * _states(member) for member in members)

    def log_final(self, shares: Floats) -> Floats:
        """Log probabilities on the as-of day with each share of the judgement given up, shape (A, K)."""
        outlook = self.outlook
        step = max(1, _CHUNK // self._size)
        changes = [c for first in range(0, len(shares), step) for c in self._changes(shares[first : first + step])]
        return final_after_changes(outlook.study.prior, outlook.study.daily_stay, outlook.daily, outlook.chain, changes)

    def _changes(self, shares: Floats) -> list[Change]:
        """What the daily log likelihoods gain at each share."""
        stated = self.outlook.likelihoods
        courses = {self.indicator_id: _softened(stated[self.indicator_id], shares)}
        for member in self.family[1:]:
            courses[member] = self._given_anew(member, courses, len(shares))
        added = np.zeros((len(shares), len(self.days), len(self.outlook.study.prior)))
        for member, course in courses.items():
            own = stated[member]
            days, starts = np.unique(course.reports.days, return_index=True)
            if len(days):
                gained = np.add.reduceat(course.contributions - own.contributions, starts, axis=-2)
                added[:, np.searchsorted(self.days, days)] += gained
            if isinstance(course, CountLikelihood) and isinstance(own, CountLikelihood):
                quiet = np.flatnonzero(self.exposure)
                moved = (course.model.rates - own.model.rates) / DAYS_PER_YEAR
                added[:, np.searchsorted(self.days, quiet)] -= self.exposure[quiet, None] * moved[:, None, :]
        return [Change(self.days, part) for part in added]

    def _given_anew(self, member: str, courses: dict[str, Likelihood], size: int) -> Likelihood:
        child, indicator = self.outlook.likelihoods[member], self.outlook.study.by_id[member]
        assert isinstance(child, StateLikelihood) and isinstance(indicator, StateIndicator)
        parent = courses[indicator.given or ""]
        assert isinstance(parent, StateLikelihood)
        return _side_by_side(child.given_by(parent), np.broadcast_to(child.model.rows, (size, *child.model.rows.shape)))


def _states(likelihood: Likelihood) -> int:
    return likelihood.model.rows.shape[-1] if isinstance(likelihood, StateLikelihood) else 1


def _softened(likelihood: Likelihood, shares: Floats) -> Likelihood:
    """The likelihood with each share a of its judgement given up, in a leading axis."""
    prior = likelihood.model.prior

    def towards(stated: Floats, mean: Floats) -> Floats:
        a = shares.reshape(-1, *([1] * stated.ndim))
        return (1.0 - a) * stated + a * mean

    if isinstance(likelihood, StateLikelihood):
        return _side_by_side(likelihood, towards(likelihood.model.rows, likelihood.model.uninformed))
    if isinstance(likelihood, CountLikelihood):
        rates = likelihood.model.rates
        return replace(likelihood, model=replace(likelihood.model, rates=towards(rates, prior @ rates)))
    if isinstance(likelihood, BaselineLikelihood):
        shifts = likelihood.model.shifts
        return replace(likelihood, model=replace(likelihood.model, shifts=towards(shifts, prior @ shifts)))
    values = likelihood.model
    means, deviations = (towards(stated, prior @ stated) for stated in (values.means, values.deviations))
    return replace(likelihood, model=replace(values, means=means, deviations=deviations))


def _side_by_side(likelihood: StateLikelihood, rows: Floats) -> StateLikelihood:
    """The same reports with other rows, shape (A, K, U, S), as A draws of everything."""
    prior, rho = (np.broadcast_to(part, (len(rows), *part.shape)) for part in (likelihood.model.prior, likelihood.rho))
    return replace(likelihood, model=replace(likelihood.model, rows=rows, prior=prior), rho=rho)
