"""What a study can find out: simulated to its horizon under each scenario in turn, and what the engine makes of it.

Under every scenario many logs are drawn as `simulation` has it, and the filter is run on all of them side by side: how
often and by when the truth leads, how often something wrong does, which scenarios can be told apart, and what each
indicator adds. The numbers speak of the study as it stands: that its rows, rates and values are right is taken for
granted, and so is that everybody looks as planned. The scenario is held true from the first day to the horizon, also
where the study says that the answer drifts; the engine then forgets what is in truth still so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from forecast.bayes import filtered_side_by_side
from forecast.count_likelihood import CountLikelihood
from forecast.display import percent
from forecast.probability import Floats, log_sum_exp
from forecast.simulation import Plan, simulated, told
from forecast.study import Study
from indicators.days import DAYS_PER_YEAR

__all__ = ["LEADS", "OFTEN", "TELLING_ODDS", "USUALLY", "PairVerdict", "Power", "power", "probabilities", "share_text"]

LEADS = 0.80
"""At this probability a scenario counts as found, rightly or wrongly."""

TELLING_ODDS = 9.0
"""At these odds, to one, a run tells one scenario from another."""

USUALLY, OFTEN = 0.80, 0.50
"""Share of runs, under the worse of the two, from which a set can tell a pair, and from which it often can."""

# What rounding may take from a probability or from log odds that stand exactly at a limit.
_ROUNDING = 1e-9
# How many numbers one chunk of runs may hold.
_CHUNK = 12_000_000


def share_text(share: float) -> str:
    """A share of runs as percent; `none` and `all` are said of none and all, and of nothing near them.

    Examples
    --------
    >>> share_text(0.0), share_text(0.25), share_text(0.9999)
    ('none', '25.0 %', '>99.9 %')
    """
    if share <= _ROUNDING or share >= 1.0 - _ROUNDING:
        return "none" if share < 0.5 else "all"
    return percent(share)


@dataclass(frozen=True)
class PairVerdict:
    """Whether a set of indicators can tell one scenario from another before the horizon.

    Attributes
    ----------
    first, second : int
        Positions of the two, in file order.
    shares : tuple of float
        Share of runs under the first in which its odds over the second stand at 9:1 or more at the horizon, and the
        same with the two exchanged.
    level : str
        `can` where both shares are at least 0.8, `often` where both are at least 0.5, else `cannot`.
    sentence : str
        The same in plain words.
    """

    first: int
    second: int
    shares: tuple[float, float]
    level: str
    sentence: str


@dataclass(frozen=True)
class Power:
    """What a study can find out, from `runs` simulated logs under each of its K scenarios.

    Attributes
    ----------
    study : Study
    runs : int
        Under each scenario. A share of 200 runs is good to about 7 points, of 1,000 to about 3.
    found : float array, shape (K,)
        Share of runs in which the truth stands at 80 % or more at the horizon.
    found_by : tuple of date or None
        Median, over those runs, of the day from which it stays there; None when there are none.
    ever : float array, shape (K,)
        Share of runs in which the truth stands there on any day, for good or not.
    misled : float array, shape (K,)
        Share of runs in which a wrong scenario stands at 80 % or more at the horizon.
    confusion : float array, shape (K, K)
        [k, j]: mean probability of j at the horizon when k is true; each row sums to 1.
    apart : float array, shape (K, K)
        [k, j]: share of runs under k in which its odds over j stand at 9:1 or more at the horizon; priors count, and
        0 where j is k.
    bits : float array, shape (J, K)
        [i, k]: mean of log2 P(k) at the horizon when k is true, less the same without indicator i. What is given by i
        keeps its own reports and what they say. Zero for one that nobody watches; below zero for one that misleads.
    bits_error : float array, shape (J, K)
        Standard error of `bits`; not a number when there is only one run.
    left_out : frozenset of str
        Ids of the indicators left out on request.
    """

    study: Study
    runs: int
    found: Floats
    found_by: tuple[date | None, ...]
    ever: Floats
    misled: Floats
    confusion: Floats
    apart: Floats
    bits: Floats
    bits_error: Floats
    left_out: frozenset[str] = frozenset()

    @property
    def of_truth(self) -> Floats:
        """Mean probability of the truth at the horizon under each scenario, shape (K,)."""
        return self.confusion.diagonal()

    @property
    def added(self) -> Floats:
        """Bits that each indicator adds, averaged over the scenarios by their priors, shape (J,)."""
        return self.bits @ self._prior

    @property
    def added_error(self) -> Floats:
        """Standard error of `added`, shape (J,)."""
        return np.sqrt(self.bits_error**2 @ self._prior**2)

    @property
    def margin(self) -> float:
        """Half the width of the 95 % interval of a share of one half."""
        return float(0.98 / np.sqrt(self.runs))

    @cached_property
    def pairs(self) -> list[PairVerdict]:
        """A verdict on every two scenarios, in file order."""
        K = len(self.study.scenarios)
        return [self._pair(a, b) for a in range(K) for b in range(a + 1, K)]

    def _pair(self, a: int, b: int) -> PairVerdict:
        shares = (float(self.apart[a, b]), float(self.apart[b, a]))
        level = _level(min(shares))
        names = [self.study.scenarios[k].label for k in (a, b)]
        counts = [f"{round(share * self.runs)} of {self.runs} runs" for share in shares]
        verb = "can often" if level == "often" else level
        sentence = (
            f'This set {verb} tell "{names[0]}" from "{names[1]}" before the horizon: the odds between them end at 9:1 '
            f"or better for the truth in {counts[0]} under the first and in {counts[1]} under the second."
        )
        return PairVerdict(a, b, shares, level, sentence)

    @property
    def verdict(self) -> str:
        """The whole set in plain words: how often it finds the answer, how often a wrong one, which pairs it tells."""
        found, misled = (share_text(float(self._prior @ shares)) for shares in (self.found, self.misled))
        levels = [pair.level for pair in self.pairs]
        if "cannot" not in levels and "often" not in levels:
            apart = "It can tell every two scenarios apart."
        elif set(levels) == {"cannot"}:
            apart = "It cannot tell any two scenarios apart."
        else:
            says = {"can": "{} apart", "often": "{} apart more often than not", "cannot": "{} not at all"}
            parts = [says[level].format(n) for level in says if (n := levels.count(level))]
            told = " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
            apart = f"Of {len(levels)} pairs of scenarios it tells {told}."
        return (
            f"Watched as planned until {self.study.horizon}, this set ends with the truth at {100 * LEADS:.0f} % or "
            f"more in {found} of the runs and with a wrong scenario there in {misled}, each scenario counted by its "
            f"prior. {apart}"
        )

    @property
    def notes(self) -> list[str]:
        """What a reader must know beside the numbers, one sentence each."""
        plan = Plan(self.study, self.left_out)
        notes = []
        if self.study.drift:
            notes.append(
                "the study lets the answer drift, but every run holds its scenario true to the horizon; the engine "
                "forgets what is still so"
            )
        unseen = [i for i in plan.active if not isinstance(plan.models[i], CountLikelihood) and not len(plan.looks(i))]
        if unseen:
            notes.append(f"never looked at, because the first look would come after the horizon: {', '.join(unseen)}")
        retired = [i for i, indicator in self.study.by_id.items() if indicator.retired]
        if retired:
            notes.append(f"left out, because retired: {', '.join(retired)}")
        astray = (self.added + 2.0 * self.added_error < -_ROUNDING).tolist()
        misleading = [i for i, leads_astray in zip(self.study.by_id, astray, strict=True) if leads_astray]
        if misleading:
            notes.append(f"on average these take the engine away from the truth: {', '.join(misleading)}")
        return notes

    @property
    def _prior(self) -> Floats:
        return self.study.prior / self.study.prior.sum()


def power(
    study: Study,
    *,
    runs: int,
    rng: np.random.Generator,
    left_out: frozenset[str] = frozenset(),
    progress: Callable[[int, int], None] | None = None,
) -> Power:
    """Simulate a study to its horizon under each scenario in turn.

    Parameters
    ----------
    study : Study
    runs : int
        How many logs to draw under each scenario, at least 1.
    rng : numpy Generator
        The only source of chance: the same generator in the same state gives the same result, to the last bit.
    left_out : frozenset of str
        Ids of indicators that nobody watches, whose silence does not count either.
    progress : callable, optional
        Told how many runs are done, and of how many, after every chunk.

    Examples
    --------
    >>> power(study, runs=200, rng=np.random.default_rng(7)).verdict  # doctest: +SKIP
    'Watched as planned until 2027-12-31, this set ends with the truth at 80.0 % or more in ...'
    """
    if runs < 1:
        raise ValueError(f"{runs} runs; at least 1 is needed")
    plan = Plan(study, left_out)
    total = len(study.scenarios) * runs
    sizes = _sizes(runs, plan)
    done = 0
    by_truth = []
    for truth in range(len(study.scenarios)):
        chunks = []
        for size in sizes:
            chunks.append(_chunk(plan, truth, size, rng))
            done += size
            if progress:
                progress(done, total)
        by_truth.append(_Runs(*(np.concatenate(parts, axis=-1) for parts in zip(*chunks, strict=True))))
    return _power(plan, runs, by_truth)


def probabilities(study: Study, daily: Floats) -> Floats:
    """The filter over n simulated logs, from the day the study opens on.

    Parameters
    ----------
    study : Study
    daily : float array, shape (T + 1, K, n)
        Log likelihoods; used up.

    Returns
    -------
    float array, shape (T + 1, K, n)
        P(scenario | what was seen up to each day).
    """
    prior = study.prior[:, None]
    return filtered_side_by_side(prior, prior, study.daily_stay, daily)


class _Runs(NamedTuple):
    """What is kept of n runs under one truth.

    Attributes
    ----------
    since : int array, shape (n,)
        First day from which the truth leads to the end; T + 1 where it does not.
    ever : bool array, shape (n,)
    log_final : float array, shape (K, n)
    log_without : float array, shape (J, n)
        log P(truth) at the horizon without each indicator.
    """

    since: NDArray[np.int64]
    ever: NDArray[np.bool_]
    log_final: Floats
    log_without: Floats


def _sizes(runs: int, plan: Plan) -> list[int]:
    """Sizes of the chunks that the runs are taken in."""
    a_day = 3 * len(plan.study.scenarios)  # the daily values, what the filter makes of them, and one on the way
    numbers = a_day * plan.length
    for indicator_id in plan.active:
        likelihood = plan.models[indicator_id]
        if isinstance(likelihood, CountLikelihood):
            numbers += 3 * min(plan.length, int(likelihood.model.rates.max() * plan.length / DAYS_PER_YEAR) + 1)
        else:
            numbers += len(plan.study.scenarios) * len(plan.looks(indicator_id))
    size = max(1, min(runs, _CHUNK // numbers))
    return [size] * (runs // size) + ([runs % size] if runs % size else [])


def _chunk(plan: Plan, truth: int, runs: int, rng: np.random.Generator) -> _Runs:
    """Some runs under one truth."""
    study = plan.study
    said = told(plan, simulated(plan, truth, runs=runs, rng=rng))
    daily = np.zeros((plan.length, len(study.scenarios), runs))
    for item in said.values():
        item.add_to(daily)
    leads = probabilities(study, daily.copy())[:, truth] >= LEADS - _ROUNDING
    lasting = np.where(leads.all(axis=0), len(leads), np.argmin(leads[::-1], axis=0))
    log_final = _log_final(study, daily.copy())
    log_without = np.repeat(log_final[truth][None], len(study.indicators), axis=0)
    for row, indicator_id in enumerate(study.by_id):
        if indicator_id in said:
            rest = daily.copy()
            said[indicator_id].add_to(rest, -1.0)
            log_without[row] = _log_final(study, rest)[truth]
    return _Runs(len(leads) - lasting, np.asarray(leads.any(axis=0)), log_final, log_without)


def _log_final(study: Study, daily: Floats) -> Floats:
    """log P(scenario) at the horizon, shape (K, n); finite where the probability itself is too small for a double."""
    prior, stay = study.prior[:, None], study.daily_stay
    if stay == 1.0:
        log_weights = np.log(prior) + daily.sum(axis=0)
    else:
        last = daily[-1].copy()
        before = probabilities(study, daily[:-1])
        log_weights = last + np.log(stay * before[-1] + (1.0 - stay) * prior if len(before) else prior)
    return log_weights - log_sum_exp(log_weights.T)


def _power(plan: Plan, runs: int, by_truth: list[_Runs]) -> Power:
    """The shares and means of all runs."""
    study = plan.study
    log_final = np.array([kept.log_final for kept in by_truth])  # (truth, K, n)
    final = np.exp(log_final)
    K = len(by_truth)
    wrong = (final >= LEADS - _ROUNDING) & ~np.eye(K, dtype=bool)[:, :, None]
    log_truth = log_final[np.arange(K), np.arange(K)]
    odds = log_truth[:, None, :] - log_final
    without = np.array([kept.log_without for kept in by_truth])  # (truth, J, n)
    drop = (log_truth[:, None, :] - without) / np.log(2.0)
    with_one = np.full(drop.shape[:-1], np.nan)
    return Power(
        study=study,
        runs=runs,
        found=np.array([(kept.since < plan.length).mean() for kept in by_truth]),
        found_by=tuple(_median_day(study, kept.since[kept.since < plan.length]) for kept in by_truth),
        ever=np.array([kept.ever.mean() for kept in by_truth]),
        misled=wrong.any(axis=1).mean(axis=-1),
        confusion=final.mean(axis=-1),
        apart=(odds >= np.log(TELLING_ODDS) - _ROUNDING).mean(axis=-1),
        bits=drop.mean(axis=-1).T,
        bits_error=(drop.std(axis=-1, ddof=1) / np.sqrt(runs) if runs > 1 else with_one).T,
        left_out=plan.left_out,
    )


def _median_day(study: Study, since: NDArray[np.int64]) -> date | None:
    """The first day by which at least half of these runs have come to lead."""
    if not len(since):
        return None
    return study.opens + timedelta(days=int(np.sort(since)[(len(since) - 1) // 2]))


def _level(share: float) -> str:
    if share >= USUALLY - _ROUNDING:
        return "can"
    return "often" if share >= OFTEN - _ROUNDING else "cannot"
