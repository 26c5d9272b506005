"""The short-run record: was what came in expected of the rows, before it came in? A young study is tested by it.

Every report is a forecast that has come due. Just before it was logged the engine gave a probability to what it could
say; minus the logarithm of the one it gave to what the report did say is its log score, and lower is better. This is
the prequential approach (Dawid 1984): the scores of all entries add up to that of the whole log.

What the engine held the day before:

- Known-at is the ledger up to the entry before the report's own, and the study revision then in force. So a report that
  is dated back meets all that had been logged by then, of later days too; and rows changed after the fact, or a
  correction that came later, do not help.
- As-of is the day before the latest day that the log had reached, the report's own included: silence that counts is
  told up to there, drift up to the report's day. Not the day of the typing: a log that is behind the world says nothing
  of the days it has not come to yet.

What is scored:

- of a state the probability of what was reported, of a measure the density of the reading;
- of a count or milestone a look: the quiet days that count since the last one, and the events that ended it; the quiet
  days that no event has ended yet are the last look;
- what a report says as it stands now; one that was retracted is left out, and so is a copy, of the same origin and
  event as an earlier report, and a further report of an event that a count, milestone or measure has already.

Each is set against the indicator's own past (see `forecast.own_past`). Nothing here changes a row.

The engine tells the reports of an indicator forwards (SPEC 4.1, 4.3). So of a report that is dated back, where a state
lasts and the scenario may change meanwhile, or rows are `given` by another indicator, the chances of all that it could
say sum to one only nearly; and what a late report changes in indicators given by its own is nobody's score.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal, TypeGuard

import numpy as np

import forecast.frames as frames
from forecast.baseline_likelihood import BaselineLikelihood
from forecast.bayes import Filtered, filtered
from forecast.count_likelihood import CountLikelihood
from forecast.display import counted
from forecast.likelihood import Likelihood, likelihoods
from forecast.measure_likelihood import MeasureLikelihood
from forecast.own_past import log_chance_of_events, log_chance_of_state, log_density_of_reading
from forecast.past import Change, Past, changes
from forecast.probability import Floats, log_sum_exp
from forecast.state_likelihood import StateLikelihood
from forecast.study import Study
from indicators.coverage import Coverage
from indicators.evidence import Report
from indicators.indicator import CountIndicator, Indicator, MilestoneIndicator, StateIndicator
from indicators.replay import Known

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COLUMNS", "FEWEST", "IndicatorRecord", "Scored", "ShortRun", "notes", "short_run"]

_OPEN = "No rows can be told apart yet from the indicator's own past."

COLUMNS = ("indicator", "scored", "engine", "own past", "gain", "error", "the rows")
"""What `IndicatorRecord.cells` are."""

FEWEST = 10
"""Below this many scored reports nothing is said of an indicator's rows."""

Verdict = Literal["serve", "mislead", "open"]


@dataclass(frozen=True)
class Scored:
    """One report, or one stretch of quiet days, with the chance it was given.

    Attributes
    ----------
    indicator : str
    entry : str
        By which the report was logged; empty for the quiet days since the last look.
    day : date
        That the report is dated, or the last of the quiet days.
    engine, own_past : float
        Log score of each: minus the natural log of the probability, or density, that it gave beforehand.
    """

    indicator: str
    entry: str
    day: date
    engine: float
    own_past: float

    @property
    def gain(self) -> float:
        """By how much the engine did better."""
        return self.own_past - self.engine


@dataclass(frozen=True)
class IndicatorRecord:
    """How the rows of one indicator have done.

    Attributes
    ----------
    indicator : Indicator
    scored : tuple of Scored
        In order of logging.
    """

    indicator: Indicator
    scored: tuple[Scored, ...]

    def __len__(self) -> int:
        return len(self.scored)

    @property
    def engine(self) -> float:
        """Mean log score of the engine; NaN where nothing is scored."""
        return _mean([item.engine for item in self.scored])

    @property
    def own_past(self) -> float:
        """Mean log score of the indicator's own past; NaN where nothing is scored."""
        return _mean([item.own_past for item in self.scored])

    @property
    def gain(self) -> float:
        """By how much the engine's mean log score is better than that of the own past; above 0 the rows have helped."""
        return _mean([item.gain for item in self.scored])

    @property
    def error(self) -> float | None:
        """Standard error of the gain; None for fewer than two."""
        return _error([item.gain for item in self.scored])

    @property
    def verdict(self) -> Verdict:
        """`serve` or `mislead` where ten or more gain or lose over two standard errors on average; else `open`."""
        error = self.error
        if error is None or len(self) < FEWEST or abs(self.gain) <= 2.0 * error:
            return "open"
        return "serve" if self.gain > 0.0 else "mislead"

    @property
    def cells(self) -> list[str]:
        """As people read it: a cell for each of `COLUMNS`; empty where there is nothing to say."""
        if not len(self):
            return [self.indicator.label, "0", "", "", "", "", ""]
        said = self.verdict if len(self) >= FEWEST else "too few"
        gain = f"{self.gain:+.3f}" if abs(self.gain) >= 0.0005 else "0.000"
        numbers = (f"{self.engine:.3f}", f"{self.own_past:.3f}", gain)
        error = "" if self.error is None else f"{self.error:.3f}"
        return [self.indicator.label, str(len(self)), *numbers, error, said]


@dataclass(frozen=True)
class ShortRun:
    """The short-run record of a study.

    Attributes
    ----------
    study : Study
        The revision in force.
    as_of : date
    indicators : tuple of IndicatorRecord
        In file order, those without a scored report too.
    copies, retracted : int
        How many reports were left out for being told already, and for being withdrawn.
    """

    study: Study
    as_of: date
    indicators: tuple[IndicatorRecord, ...]
    copies: int
    retracted: int

    @property
    def total(self) -> float:
        """Sum of the engine's log scores: minus the log likelihood of all that is scored."""
        return math.fsum(item.engine for record in self.indicators for item in record.scored)

    @property
    def said(self) -> str:
        """The whole in two sentences."""
        if not any(len(item) for item in self.indicators):
            return "Nothing is logged that could be scored."
        told = [
            f"The rows of {', '.join(names)} {verb}."
            for verdict, verb in (("mislead", "mislead"), ("serve", "serve"))
            if (names := [item.indicator.id for item in self.indicators if item.verdict == verdict])
        ]
        scored = counted(sum(len(item) for item in self.indicators), "look")
        return " ".join([f"{scored} scored.", *(told or [_OPEN])])

    def table(self) -> pd.DataFrame:
        """How the rows of each indicator have done, as `forecast.frames.short_run` says."""
        return frames.short_run(
            [
                (item.indicator.id, len(item), item.engine, item.own_past, item.gain, item.error, item.verdict)
                for item in self.indicators
            ]
        )

    def reports(self) -> pd.DataFrame:
        """Every scored report, as `forecast.frames.scored_reports` says."""
        return frames.scored_reports(
            [
                (one.entry, one.day, one.indicator, one.engine, one.own_past, one.gain)
                for item in self.indicators
                for one in item.scored
            ]
        )


def short_run(
    known: Known,
    as_of: date,
    *,
    silenced: Iterable[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> ShortRun:
    """The short-run record of a study, entry by entry.

    Parameters
    ----------
    known : Known
        What the ledger holds of the study, less what is to be left out.
    as_of : date
        Within the study as it now stands; what is dated later is not scored.
    silenced : iterable of str
        Indicators left out altogether, their silence too.
    progress : callable, optional
        Told how many entries are gone through, and of how many.
    """
    walk = _Walk(known, as_of, frozenset(silenced))
    coming = changes(known)
    for number, change in enumerate(coming, start=1):
        walk.take(change)
        if progress:
            progress(number, len(coming))
    walk.finish()
    retracted = sum(item.retracted and isinstance(item.record, Report) for item in known.logged.values())
    records = (
        IndicatorRecord(indicator, tuple(item for item in walk.scored if item.indicator == indicator.id))
        for indicator in walk.study.indicators
    )
    return ShortRun(walk.study, as_of, tuple(records), walk.copies, retracted)


def notes(found: ShortRun, known: Known) -> list[str]:
    """What a reader of the record must know beside it; `known` is what it was worked out from."""
    told = []
    if found.copies:
        told.append(f"{counted(found.copies, 'report')} not scored: told of already by another of the same event")
    if found.retracted:
        told.append(f"{counted(found.retracted, 'report')} not scored: retracted")
    days = {change.recorded_at[:10] for change in changes(known)}
    if len(days) == 1:
        told.append(
            f"study and log were all recorded on {days.pop()}: the order of the ledger is all the past there is, and "
            "the rows may have been written with the reports in view"
        )
    return told


@dataclass
class _Told:
    """What has been told so far of one indicator.

    Attributes
    ----------
    daily : float array, shape (T + 1, K)
        Its log likelihood on the days from opening to the record's as-of; 0 where nothing is told yet.
    reached : date
        The last day whose silence is told.
    own_past : float
        `log_chance_of_events` at the last look.
    quiet : float
        The engine's score of the quiet days since.
    looked : bool
        Whether there were any.
    states : dict of str to int
        How often each state was reported in the scored reports so far.
    values : list of float
        What was read in them.
    """

    daily: Floats
    reached: date
    own_past: float = 0.0
    quiet: float = 0.0
    looked: bool = False
    states: dict[str, int] = field(default_factory=dict)
    values: list[float] = field(default_factory=list)


class _Walk:
    """The ledger gone through once more, with the evidence of all that is told before and after each entry.

    Only what an entry touches is worked out anew; the score of a report is by how much it changes the log likelihood
    of everything told so far.
    """

    study: Study
    last: date  # as_of, or the day before a study that was to open later

    def __init__(self, known: Known, as_of: date, silenced: frozenset[str]) -> None:
        self.known, self.as_of, self.silenced = known, as_of, silenced
        self.past = Past()
        self.scored: list[Scored] = []
        self.copies = 0
        self.told: dict[str, _Told] = {}
        self.likelihoods: dict[str, Likelihood] = {}
        self.front = date.min  # the latest day of any report so far

    # Entries

    def take(self, change: Change) -> None:
        """Take in the next entry."""
        if change.revision is not None:
            self.past.take(change)
            self._begin_anew(self.past.study())
        elif change.is_first and isinstance(change.record, Coverage):
            self._look_back(change)
        elif change.is_first and self._counts(final := self.known.logged[change.entry].record, change):
            self._score(change, final)
        else:
            self._correct(change)

    def _counts(self, final: object, change: Change) -> TypeGuard[Report]:
        """Whether a report is scored: it stands, its day has come, and it tells what was not told."""
        if not isinstance(final, Report) or self.known.logged[change.entry].retracted or final.dated > self.as_of:
            return False
        if not self._is_told(final):
            return final.indicator in self.told
        self.copies += 1
        return False

    def _is_told(self, report: Report) -> bool:
        """Whether an earlier entry tells the same: of a state the same testimony, of the others the same event."""
        key = report.event_key
        if key is None:
            return False
        is_state = report.state is not None
        earlier = (record for _, record in self.past.records.values() if isinstance(record, Report))
        return any(
            other.indicator == report.indicator
            and other.event_key == key
            and other.dated <= self.as_of
            and (not is_state or (other.origin is not None and other.origin == report.origin))
            for other in earlier
        )

    def _score(self, change: Change, report: Report) -> None:
        """A report is scored as it stands, and then taken in as it was logged."""
        name, as_logged = report.indicator, change.record
        self._reach(report)
        told, before = self.told[name], self._log_evidence()
        self.past.take(replace(change, record=report))
        self._retell(name, report.dated, children=False)
        engine = self._log_evidence() - before + told.quiet
        self.scored.append(Scored(name, change.entry, report.dated, -engine, -self._by_own_past(name, report)))
        told.quiet, told.looked = 0.0, False
        if as_logged == report:
            for child in self.study.children_of(name):
                self._tell(child)
        else:
            self._correct(change)

    def _correct(self, change: Change) -> None:
        """What is not scored: a copy, a correction, a report as it was logged before it was corrected."""
        before = self.past.records.get(change.entry)
        records = [record for record in (before[1] if before else None, change.record) if record is not None]
        if isinstance(change.record, Report) and change.record.dated <= self.as_of:
            self._reach(change.record)
        self.past.take(change)
        for name in {record.indicator for record in records} & set(self.told):
            own = self._events_by_own_past(name)
            self._retell(name, self.told[name].reached)
            self.told[name].own_past += self._events_by_own_past(name) - own

    def _look_back(self, change: Change) -> None:
        """Coverage of days that the log has passed already: their silence is told now."""
        self.past.take(change)
        assert change.record is not None
        told = self.told.get(change.record.indicator)
        if told is None:
            return
        before = self._log_evidence()
        old = told.daily
        self._retell(change.record.indicator, told.reached)
        told.quiet += self._log_evidence() - before
        told.looked |= bool((told.daily != old).any())

    def finish(self) -> None:
        """Tell the silence up to the as-of day, and score what no event has ended."""
        self._advance(self.as_of)
        for name, told in self.told.items():
            if told.looked:
                own = self._events_by_own_past(name) - told.own_past
                self.scored.append(Scored(name, "", self.as_of, -told.quiet, -own))

    # What is told

    def _begin_anew(self, study: Study) -> None:
        """A revision: all that was told so far is told by it, and nothing of that is scored."""
        owed = {name: self._events_by_own_past(name) - told.own_past for name, told in self.told.items()}
        earlier, self.study = self.told, study
        start = study.opens - timedelta(days=1)
        self.last = max(self.as_of, start)
        shape = (study.day_index(self.last) + 1, len(study.scenarios))
        reached = max(start, self.front - timedelta(days=1)) if self.front > start else start
        self.told = {name: replace(earlier.get(name, _Told(np.zeros(0), reached))) for name in study.by_id}
        log = self.past.log(study)
        self.likelihoods = likelihoods(study, log.reports, log.coverage, as_of=self.last)
        for name, told in self.told.items():
            told.daily, told.reached = np.zeros(shape), max(start, told.reached)
            self._retell(name, told.reached, children=False)
            told.own_past = self._events_by_own_past(name) - owed.get(name, 0.0)

    def _reach(self, report: Report) -> None:
        """The log reaches a report's day: the silence up to the day before is told, and scored."""
        self.front = max(self.front, report.dated)
        self._advance(self.front - timedelta(days=1))

    def _advance(self, to: date) -> None:
        """Tell the silence of every count and milestone up to a day; day by day, and within it in file order."""
        added: dict[str, Floats] = {}
        for name, told in self.told.items():
            if told.reached < to and not self._is_timeless(name):
                old = told.daily
                self._retell(name, to)
                added[name] = told.daily - old
        if not any(part.any() for part in added.values()):
            return
        length = self._length(to)
        total = self._total(length)
        weights = self._chain(total).log_predicted + total - sum(part[:length] for part in added.values())
        for name, part in added.items():
            after = weights + part[:length]
            self.told[name].quiet += float((log_sum_exp(after) - log_sum_exp(weights)).sum())
            self.told[name].looked |= bool(part.any())
            weights = after

    def _is_timeless(self, name: str) -> bool:
        """Whether an indicator has no silence."""
        return not isinstance(self.study.by_id[name], CountIndicator | MilestoneIndicator)

    def _retell(self, name: str, day: date, *, children: bool = True) -> None:
        """Work out anew what an indicator says, of silence up to a day; and, if asked, those that are given by it."""
        told = self.told[name]
        told.reached = max(told.reached, day)
        if name in self.silenced:
            return
        as_of = self.last if self._is_timeless(name) else told.reached
        family = [name, *self.study.children_of(name)]
        reports = {i: self.past.reports(self.study, i) for i in family}
        coverage = {name: self.past.coverage(name)}
        self.likelihoods = likelihoods(self.study, reports, coverage, as_of=as_of, only=family, known=self.likelihoods)
        for touched in family if children else [name]:
            self._tell(touched)

    def _tell(self, name: str) -> None:
        told = self.told[name]
        if name not in self.silenced:
            told.daily = _daily(self.likelihoods[name], told.daily.shape)

    # The engine

    def _length(self, to: date) -> int:
        return max(self.study.day_index(min(max(self.front, to), self.last)) + 1, 0)

    def _total(self, length: int) -> Floats:
        """Log likelihood of all that is told, day by day, shape (length, K)."""
        return np.sum([told.daily[:length] for told in self.told.values()], axis=0)

    def _chain(self, total: Floats) -> Filtered:
        return filtered(self.study.prior, np.full(len(total), self.study.daily_stay), total)

    def _log_evidence(self) -> float:
        """Log likelihood of all that is told."""
        total = self._total(self._length(self.front))
        return float(self._chain(total).log_normalisers.sum())

    # The indicator's own past

    def _events_by_own_past(self, name: str) -> float:
        """`log_chance_of_events` of a count or milestone, 0 of any other."""
        likelihood = self.likelihoods.get(name)
        if not isinstance(likelihood, CountLikelihood):
            return 0.0
        return log_chance_of_events(likelihood, float(likelihood.model.prior @ likelihood.model.rates))

    def _by_own_past(self, name: str, report: Report) -> float:
        """What the indicator's own past gave to a report, which then becomes part of it."""
        told, likelihood = self.told[name], self.likelihoods[name]
        if isinstance(likelihood, CountLikelihood):
            before, told.own_past = told.own_past, self._events_by_own_past(name)
            return told.own_past - before
        if isinstance(likelihood, StateLikelihood):
            return self._state_by_own_past(told, likelihood, name, report)
        assert report.value is not None
        means, variances = _by_rows_alone(likelihood, self.study.day_index(report.dated))
        prior = likelihood.model.prior
        found = log_density_of_reading(told.values, means=means, variances=variances, prior=prior, y=report.value)
        told.values.append(report.value)
        return found

    def _state_by_own_past(self, told: _Told, likelihood: StateLikelihood, name: str, report: Report) -> float:
        indicator = self.study.by_id[name]
        assert isinstance(indicator, StateIndicator) and report.state is not None
        earlier = np.array([told.states.get(state, 0) for state in indicator.states], dtype=np.float64)
        average = likelihood.model.uninformed / likelihood.model.uninformed.sum()
        told.states[report.state] = told.states.get(report.state, 0) + 1
        return log_chance_of_state(earlier, average, indicator.states.index(report.state))


def _daily(likelihood: Likelihood, shape: tuple[int, ...]) -> Floats:
    """Log likelihood of what each day brings of one indicator, shape (T + 1, K)."""
    daily = np.zeros(shape)
    np.add.at(daily, likelihood.reports.days, likelihood.contributions)
    if isinstance(likelihood, CountLikelihood):
        daily[: len(likelihood.silence)] += likelihood.silence
    return daily


def _by_rows_alone(likelihood: MeasureLikelihood | BaselineLikelihood, day: int) -> tuple[Floats, Floats]:
    """Mean and variance of a reading under each scenario, as if nothing had been read; each (K,)."""
    if isinstance(likelihood, MeasureLikelihood):
        return likelihood.model.means, likelihood.model.deviations**2
    means, variance = likelihood.model.expected(likelihood.model.start, day)
    return means, np.broadcast_to(variance[..., None], means.shape)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan


def _error(values: Sequence[float]) -> float | None:
    if len(values) < 2:
        return None
    middle = _mean(values)
    return math.sqrt(math.fsum((value - middle) ** 2 for value in values) / (len(values) - 1) / len(values))
