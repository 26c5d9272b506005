"""The outlook: what the engine makes of a study and its log, as of a day; each part worked out when first asked for.

Holds no file, clock or ledger: its inputs are a study, the reports and coverage that stand, and a day. Labels are
attached here; the arithmetic is in the rooms below. The pandas face of each part has the name of the part.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, overload

import numpy as np
from numpy.typing import NDArray

import forecast.frames as frames
from forecast.bayes import Filtered, filtered_and_smoothed
from forecast.boards import Board, board
from forecast.change import Change, Changes, summed
from forecast.count_likelihood import CountLikelihood
from forecast.draws import Bands, bands
from forecast.events import Live
from forecast.explain import Moves, final_after_changes, final_after_each, moves
from forecast.faces import face
from forecast.likelihood import Likelihood, family_order, likelihoods
from forecast.probability import DECIBAN, Floats
from forecast.state_likelihood import StateLikelihood
from forecast.study import Study
from forecast.words import word_for
from indicators.coverage import Coverage
from indicators.days import day_range
from indicators.errors import WatchfloorError
from indicators.indicator import StateIndicator
from indicators.ledger import Head

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "AsOfError",
    "Contribution",
    "Contributions",
    "Log",
    "Outlook",
    "Provenance",
    "Row",
    "Stated",
    "TooManyDrawsError",
]


Integers = NDArray[np.int64]

# Days times scenarios times draws; the bands of so many take about five gigabytes of memory.
MOST_DRAWN = 200_000_000


class AsOfError(WatchfloorError):
    """A day for which there is no outlook."""


class TooManyDrawsError(WatchfloorError):
    """More draws than the memory of a machine holds side by side for so many days and scenarios."""

    def __init__(self, draws: int, scenarios: int, days: int) -> None:
        what = f"{draws:,} draws of {scenarios} scenarios on {days:,} days are more than fit into memory"
        most = MOST_DRAWN // (scenarios * days)
        super().__init__(what, where="--draws", mend=f"give at most {most // 100 * 100 or most}, or an earlier --as-of")


@dataclass(frozen=True)
class Log:
    """All that stands in the log of a study.

    Attributes
    ----------
    reports : mapping of indicator id to sequence of Live
    coverage : mapping of indicator id to sequence of Coverage
    silenced : frozenset of str
        Indicators left out altogether, their silence too.
    """

    reports: Mapping[str, Sequence[Live]]
    coverage: Mapping[str, Sequence[Coverage]]
    silenced: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Provenance:
    """Where an outlook comes from: enough to make it again, and to find a changed ledger.

    Attributes
    ----------
    engine : str
        Version of the engine.
    revision : str
        SHA-256 of the study's recorded content.
    revision_number : int
        Which revision of the study in this ledger it is, from 1.
    known_at : str
        UTC moment up to which ledger entries were read.
    head : Head
        Number of ledger entries and hash of the last, at that moment.
    without : tuple of str
        What was left out on request, such as `source:Kyodo`; empty when nothing was.
    revised_at : str
        UTC moment at which the revision was recorded; empty without a ledger.
    """

    engine: str
    revision: str
    revision_number: int
    known_at: str
    head: Head
    without: tuple[str, ...] = ()
    revised_at: str = ""


@dataclass(frozen=True)
class Contribution:
    """What one report did.

    Attributes
    ----------
    live : Live
        The report, its entry and its weight.
    log_likelihoods : float array, shape (K,)
        l_r(k), natural logs.
    decibans : float array, shape (K,)
        Weight of evidence for each scenario against the mixture of the others just before the report.
    change : float array, shape (K,)
        The final probabilities less what they would be had it not been logged.
    """

    live: Live
    log_likelihoods: Floats
    decibans: Floats
    change: Floats


@dataclass(frozen=True, eq=False, repr=False)
class Contributions(Sequence[Contribution]):
    """What each of R reports did: arrays, from which a `Contribution` is made when it is asked for.

    Attributes
    ----------
    live : sequence of Live
    log_likelihoods, decibans, change : float array, shape (R, K)
        As in a `Contribution`, a row for each report.
    """

    live: Sequence[Live]
    log_likelihoods: Floats
    decibans: Floats
    change: Floats

    def __len__(self) -> int:
        return len(self.live)

    @overload
    def __getitem__(self, place: int) -> Contribution: ...
    @overload
    def __getitem__(self, place: slice) -> Contributions: ...
    def __getitem__(self, place: int | slice) -> Contribution | Contributions:
        arrays = self.log_likelihoods[place], self.decibans[place], self.change[place]
        if isinstance(place, slice):
            return Contributions(self.live[place], *arrays)
        return Contribution(self.live[place], *arrays)

    def __iter__(self) -> Iterator[Contribution]:
        return map(Contribution, self.live, self.log_likelihoods, self.decibans, self.change)


@dataclass(frozen=True)
class Row:
    """One line of an explanation: what moved the log odds between two days.

    Attributes
    ----------
    what : str
        `report`, `silence` or `drift`.
    indicator : str
        Empty for drift.
    live : Live or None
        The report, for `report`.
    log_odds : float array, shape (K,)
        Change of the natural log odds of each scenario against all the others.
    """

    what: str
    indicator: str
    live: Live | None
    log_odds: Floats


@dataclass(frozen=True)
class Stated:
    """Numbers of an as-of day that were published, and stand whatever an engine makes of the same entries.

    Attributes
    ----------
    entry : str
        Of the publication.
    engine : str
        Version of the engine that they come from.
    probability, low, high : float array, shape (K,)
    """

    entry: str
    engine: str
    probability: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Outlook:
    """A study and its log, as of a day.

    Attributes
    ----------
    study : Study
    log : Log
        All that stands, later days included; what is dated after `as_of` does not count.
    as_of : date
        From `study.opens` to `study.horizon`.
    known : mapping of indicator id to Likelihood, optional
        Likelihoods already worked out for the same study and day, of indicators whose evidence is the same.
    seed : int
        Of the draws behind the bands; the hash of the study revision, so that anybody gets the same bands.
    draws : int
        How many; M of SPEC 4.6. Times days and scenarios at most `MOST_DRAWN`, or TooManyDrawsError.
    stated : Stated or None
        What was published of this outlook: on the as-of day these numbers stand in place of the engine's.
    """

    study: Study
    log: Log
    as_of: date
    known: Mapping[str, Likelihood] | None = None
    seed: int = 0
    draws: int = 1000
    stated: Stated | None = None

    def __post_init__(self) -> None:
        if not self.study.opens <= self.as_of <= self.study.horizon:
            raise AsOfError(
                f"{self.as_of} lies outside the study, which runs from {self.study.opens} to {self.study.horizon}",
                where="--as-of",
                mend="give a day within it",
            )
        scenarios = len(self.study.scenarios)
        if self.draws * scenarios * self.length > MOST_DRAWN:
            raise TooManyDrawsError(self.draws, scenarios, self.length)

    # What the reports say

    @cached_property
    def likelihoods(self) -> dict[str, Likelihood]:
        """The likelihood of every indicator, in file order."""
        only = None if self.known is None else [i for i in self.study.by_id if i not in self.known]
        return likelihoods(
            self.study,
            self.log.reports,
            self.log.coverage,
            as_of=self.as_of,
            only=only,
            known=self.known,
        )

    def with_report(self, live: Live) -> Outlook:
        """The outlook with one more report; only its indicator, and those given by it, are worked out again."""
        indicator = live.report.indicator
        return self.with_log(
            Log({indicator: (*self.log.reports.get(indicator, ()), live)}, self.log.coverage), [indicator]
        )

    def with_log(self, log: Log, indicators: Iterable[str]) -> Outlook:
        """The outlook with what another log has of some indicators; only they, and those given by them, cost anything.

        The rest of the other log is not looked at.
        """
        named = dict.fromkeys(indicators)
        whole = replace(
            self.log,
            reports={**self.log.reports, **{name: log.reports.get(name, ()) for name in named}},
            coverage={**self.log.coverage, **{name: log.coverage.get(name, ()) for name in named}},
        )
        touched = {name for own in named for name in (own, *self.study.children_of(own))}
        known = {key: value for key, value in self.likelihoods.items() if key not in touched}
        return replace(self, log=whole, known=known, stated=None)

    @cached_property
    def silence(self) -> Floats:
        """Log likelihood of each day's silence, indicator by indicator, shape (T + 1, J, K)."""
        shape = (self.length, len(self.study.indicators), len(self.study.scenarios))
        silence = np.zeros(shape)
        for j, (indicator_id, likelihood) in enumerate(self.likelihoods.items()):
            if indicator_id not in self.log.silenced:
                silence[:, j] = _silence_of(likelihood, shape)
        return silence

    @cached_property
    def _order(self) -> Integers:
        """Of every report that counts, the place where it stands indicator by indicator; by dated day and ledger."""
        days = np.concatenate([likelihood.reports.days for likelihood in self.likelihoods.values()])
        seqs = [live.seq for likelihood in self.likelihoods.values() for live in likelihood.reports.live]
        return np.lexsort((np.array(seqs, dtype=np.int64), days))

    @cached_property
    def _live(self) -> list[Live]:
        """Every report in that order."""
        found = [live for likelihood in self.likelihoods.values() for live in likelihood.reports.live]
        return [found[place] for place in self._order.tolist()]

    @cached_property
    def _log_likelihoods(self) -> Floats:
        """l_r(k) of every report in that order, shape (R, K)."""
        return np.concatenate([likelihood.contributions for likelihood in self.likelihoods.values()])[self._order]

    @cached_property
    def _report_days(self) -> Integers:
        return np.concatenate([likelihood.reports.days for likelihood in self.likelihoods.values()])[self._order]

    # The filter

    @property
    def length(self) -> int:
        """T + 1, the days from the first to the as-of day."""
        return self.study.day_index(self.as_of) + 1

    @property
    def days(self) -> list[date]:
        """Every day from the first to the as-of day, T + 1 of them."""
        return day_range(self.study.opens, self.as_of)

    @cached_property
    def daily(self) -> Floats:
        """Log likelihood of all that each day brings, shape (T + 1, K)."""
        daily = self.silence.sum(axis=1)
        np.add.at(daily, self._report_days, self._log_likelihoods)
        return daily

    @cached_property
    def _both_ways(self) -> tuple[Filtered, Floats]:
        return filtered_and_smoothed(self.study.prior, self.study.daily_stay, self.daily)

    @property
    def chain(self) -> Filtered:
        """The filter over the days; its last axes are days and scenarios."""
        return self._both_ways[0]

    @cached_property
    def course(self) -> Floats:
        """P(scenario | what was seen up to each day), shape (T + 1, K)."""
        course = np.exp(self.chain.log_filtered)
        if self.stated is not None:
            course[-1] = self.stated.probability
        return course

    @property
    def smoothed_course(self) -> Floats:
        """P(scenario on each day | all that was seen up to the as-of day), shape (T + 1, K)."""
        return self._both_ways[1]

    @property
    def final(self) -> Floats:
        """Probability of each scenario on the as-of day, shape (K,)."""
        return self.course[-1]

    def change_over(self, days: int) -> Floats | None:
        """Change of the probabilities over the last days, shape (K,); None when the study was not open then."""
        return self.final - self.course[-1 - days] if days < self.length else None

    @cached_property
    def bands(self) -> Bands:
        """What draws around the stated values make of it: low and high on every day."""
        drawn = self._drawn
        if self.stated is None:
            return drawn
        low, high = drawn.low.copy(), drawn.high.copy()
        low[-1], high[-1] = self.stated.low, self.stated.high
        return drawn._replace(low=low, high=high)

    @property
    def departure(self) -> float:
        """The largest difference between what was published and what this engine makes of it; 0 where nothing was."""
        if self.stated is None:
            return 0.0
        said = np.array([self.stated.probability, self.stated.low, self.stated.high])
        found = np.array([np.exp(self.chain.log_filtered[-1]), self._drawn.low[-1], self._drawn.high[-1]])
        return float(abs(said - found).max())

    @cached_property
    def _drawn(self) -> Bands:
        silenced = self.log.silenced
        return bands(
            self.study, self.likelihoods, length=self.length, seed=self.seed, draws=self.draws, silenced=silenced
        )

    @cached_property
    def words(self) -> list[str]:
        """The word for each scenario's probability on the study's scale."""
        return [word_for(float(p), self.study.words) for p in self.final]

    # Why

    @cached_property
    def _moves(self) -> Moves:
        return moves(
            self.chain, silence=self.silence, report_days=self._report_days, contributions=self._log_likelihoods
        )

    @cached_property
    def report_contributions(self) -> Contributions:
        """What each report did, in order of dated day and ledger."""
        return Contributions(
            self._live,
            log_likelihoods=self._log_likelihoods,
            decibans=self._moves.reports / DECIBAN,
            change=self.final - np.exp(self._final_without),
        )

    def contribution_of(self, entry: str) -> Contribution | None:
        """What one report did, as in `report_contributions`, at the price of one; None where it is not in here."""
        place = next((r for r, live in enumerate(self._live) if live.entry == entry), None)
        if place is None:
            return None
        live = self._live[place]
        indicator_id = live.report.indicator
        own = [item.entry for item in self.likelihoods[indicator_id].reports.live]
        change = self._changes_without(indicator_id)[own.index(entry)]
        final = final_after_changes(self.study.prior, self.study.daily_stay, self.daily, self.chain, [change])[0]
        decibans = self._moves.reports[place] / DECIBAN
        return Contribution(live, self._log_likelihoods[place], decibans, self.final - np.exp(final))

    def counts(self, entry: str) -> bool:
        """Whether a report counts in its event, or stands behind another of its origin; not where it is not in here."""
        for likelihood in self.likelihoods.values():
            for place, live in enumerate(likelihood.reports.live):
                if live.entry == entry:
                    return place in likelihood.reports.counted[place]
        return False

    @cached_property
    def _final_without(self) -> Floats:
        """Log probabilities on the as-of day had each report not been logged, shape (R, K)."""
        changes = (self._changes_without(indicator_id) for indicator_id in self.likelihoods)
        finals = final_after_each(self.study.prior, self.study.daily_stay, self.daily, self.chain, changes)
        return finals[self._order]

    def _changes_without(self, indicator_id: str) -> Changes:
        """For each report on an indicator, what the days would gain without it, in the indicators given by it too."""
        likelihood = self.likelihoods[indicator_id]
        own: Iterable[Change] = likelihood.changes_without()
        children = self.study.children_of(indicator_id)
        if children and isinstance(likelihood, StateLikelihood):
            own = (
                self._with_children(change, likelihood.without(position), indicator_id, children)
                for position, change in enumerate(own)
            )
        return own if isinstance(own, Changes) else Changes.of(own, scenarios=len(self.study.scenarios))

    def _with_children(self, own: Change, course: StateLikelihood, indicator_id: str, children: list[str]) -> Change:
        """A change of an indicator's course, and what it changes in those given by it, parents before children."""
        courses = {indicator_id: course}
        parts = [(own.days, own.added)]
        for child_id in (name for name in family_order(self.study) if name in children):
            child, indicator = self.likelihoods[child_id], self.study.by_id[child_id]
            assert isinstance(child, StateLikelihood) and isinstance(indicator, StateIndicator)
            courses[child_id] = child.given_by(courses[indicator.given or ""])
            parts.append((*child.change_to(courses[child_id]),))
        return summed(parts, scenarios=len(self.study.scenarios))

    def before(self, since: date | None) -> Floats:
        """The probabilities that the rows since a day start from: those of the day, or the priors before the first."""
        if since is None or since < self.study.opens:
            return self.study.prior
        return self.course[self.study.day_index(since)]

    def rows_since(self, since: date | None) -> list[Row]:
        """What moved the log odds after a day, or from the priors on where no day is given; the rows add up.

        Drift and each indicator's silence are one row each; rows in which nothing moved are left out.
        """
        first = 0 if since is None else self.study.day_index(since) + 1
        if not 0 <= first <= self.length:
            raise AsOfError(
                f"{since} lies outside {self.study.opens} to {self.as_of}", where="--since", mend="give a day within it"
            )
        steps = self._moves
        forgets = self.study.drift is not None
        rows = [Row("drift", "", None, steps.drift[first:].sum(axis=0))] if forgets else []
        silence = steps.silence[first:].sum(axis=0)
        rows += [Row("silence", i, None, silence[j]) for j, i in enumerate(self.study.by_id)]
        rows += [
            Row("report", live.report.indicator, live, steps.reports[r])
            for r, live in enumerate(self._live)
            if self._report_days[r] >= first
        ]
        return [row for row in rows if row.log_odds.any()]

    # The indicators

    @cached_property
    def indicator_boards(self) -> list[Board]:
        """Where every indicator stands, in file order."""
        return [
            board(
                self.study.by_id[indicator_id],
                likelihood,
                coverage=self.log.coverage.get(indicator_id, ()),
                final=self.final,
                opens=self.study.opens,
                as_of=self.as_of,
            )
            for indicator_id, likelihood in self.likelihoods.items()
        ]

    # The face in a notebook

    def _repr_html_(self) -> str:
        """A table of where every scenario stands."""
        low, high = self.bands.low[-1], self.bands.high[-1]
        rows = [
            (
                s.label,
                *(f"{float(p):.3g}" for p in (self.study.prior[k], self.final[k], low[k], high[k])),
                self.words[k],
            )
            for k, s in enumerate(self.study.scenarios)
        ]
        header = ("scenario", "prior", "probability", "low", "high", "in words")
        about = f"As of {self.as_of}, from {len(self._live)} reports."
        return face(self.study.label, about, header, rows)

    # The pandas face

    def probabilities(self) -> pd.Series[float]:
        """See `frames.probabilities`."""
        return frames.probabilities(self.study.scenario_ids, self.final)

    def timeline(self) -> pd.DataFrame:
        """See `frames.timeline`."""
        low, high = self.bands.low, self.bands.high
        return frames.timeline(
            self.days, self.study.scenario_ids, course=self.course, low=low, high=high, smoothed=self.smoothed_course
        )

    def contributions(self) -> pd.DataFrame:
        """See `frames.contributions`."""
        return frames.contributions(
            self.study.scenario_ids,
            [(c.live, c.log_likelihoods, c.decibans, c.change) for c in self.report_contributions],
        )

    def evidence(self) -> pd.DataFrame:
        """See `frames.evidence`."""
        return frames.evidence(self._live)

    def board(self) -> pd.DataFrame:
        """See `frames.board`."""
        return frames.board(self.indicator_boards)


def _silence_of(likelihood: Likelihood, shape: tuple[int, ...]) -> Floats:
    if isinstance(likelihood, CountLikelihood):
        return likelihood.silence
    return np.zeros((shape[0], shape[-1]))
