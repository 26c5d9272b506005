"""The track record: what was published of the studies that are settled, scored day by day against what it had to beat.

A study is scored for every day that it was open, from its first day to the one that settled it, by what had been
published by then; a day before the first publication counts as the prior that was in the ledger. When something was
published, its ledger's clock says, never the day that it speaks of; on the very day that settled it a publication no
longer counts, for it may have been made in knowledge of the answer. So nothing that is logged, dated back or revised
later changes a score. The engine's numbers and an analyst's own opinion are two tracks.

Values in, values out: the ledger is read elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from forecast.corp import Pooled, pooled
from forecast.probability import Floats
from forecast.publication import Publication
from forecast.scores import brier_score, log_score, ranked_probability_score, skill

__all__ = [
    "BASELINES",
    "LEADS",
    "SCORES",
    "TRACKS",
    "Against",
    "SettledStudy",
    "Since",
    "StudyScore",
    "Summary",
    "TrackRecord",
    "Unscored",
    "study_score",
    "track_record",
]

TRACKS = ("engine", "opinion")
SCORES = ("brier", "log", "ranked")
"""The three scores, in the order of the last axis of every array of scores here."""

BASELINES = ("prior", "uniform", "persistence", "crowd")
"""What a forecast has to beat: the prior of the study; equal chances; its own first publication held to the end; and
the numbers of a crowd, where a table of them is given."""

LEADS: Mapping[str, tuple[int, int]] = {
    "30 days or less": (0, 30),
    "31 to 90 days": (31, 90),
    "91 to 365 days": (91, 365),
    "over a year": (366, 10**6),
}
"""How far ahead, in days to the horizon, first and last: known on the day, as the day that settles it is not."""

_BOOTSTRAPS = 2_000


class Since(NamedTuple):
    """Probabilities by scenario, in force from a day on; a scenario that is missing has none."""

    day: date
    probabilities: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class SettledStudy:
    """A study of which it is known what came true, and what was said of it.

    Attributes
    ----------
    study, title : str
    tags : tuple of str
    tlp : str
        The strictest handling mark of the study and of its publications.
    scenarios : tuple of str
        Every scenario that was ever in it: those of the file in its order, then those of earlier revisions.
    opens, on, horizon : date
        First day, the day that settled it, and the last that could have.
    outcome : str
        Id of the scenario that came true.
    priors : tuple of Since
        Of each revision, from the day on which it was recorded; at least one, the first of which holds before too.
    publications : tuple of Publication
        In order.
    crowd : tuple of Since
        A crowd's numbers by day; empty where none are known.
    """

    study: str
    title: str
    tags: tuple[str, ...]
    tlp: str
    scenarios: tuple[str, ...]
    opens: date
    on: date
    horizon: date
    outcome: str
    priors: tuple[Since, ...]
    publications: tuple[Publication, ...]
    crowd: tuple[Since, ...] = ()

    @cached_property
    def leads(self) -> NDArray[np.int64]:
        """Days to the horizon, of each day that it was open, shape (T,)."""
        return (self.horizon - self.opens).days - np.arange((self.on - self.opens).days + 1)

    def spoken(self, track: str, author: str | None = None) -> tuple[Since, ...]:
        """What was said in time on a track, by anybody or one author, from the day on which it was published."""
        said = []
        for publication in self.publications:
            day = date.fromisoformat(publication.recorded_at[:10])
            told = publication.opinion if track == "opinion" else _engine(publication)
            if told is not None and day < self.on and author in (None, publication.author):
                said.append(Since(day, told))
        return tuple(said)

    def vector(self, probabilities: Mapping[str, float]) -> Floats:
        """Probabilities in the order of `scenarios`; zero of one that was not among those spoken of."""
        return np.array([probabilities.get(name, 0.0) for name in self.scenarios])

    def course(self, spoken: Sequence[Since], before: Floats) -> Floats:
        """What was in force on each day, shape (T, K); `before` holds, day by day, until something is said."""
        days = before.copy()
        for since in spoken:
            days[max((since.day - self.opens).days, 0) :] = self.vector(since.probabilities)
        return days

    @cached_property
    def prior_course(self) -> Floats:
        """The prior in force on each day, shape (T, K)."""
        first = np.tile(self.vector(self.priors[0].probabilities), (len(self.leads), 1))
        return self.course([since for since in self.priors[1:] if since.day < self.on], first)

    def scores(self, course: Floats) -> Floats:
        """Brier, log and ranked score of each day, shape (T, 3); NaN where there is no forecast."""
        outcome = self.scenarios.index(self.outcome)
        functions = (brier_score, log_score, ranked_probability_score)
        return np.stack([function(course, outcome) for function in functions], axis=-1)


def _engine(publication: Publication) -> dict[str, float]:
    return {said.scenario: said.probability for said in publication.scenarios}


@dataclass(frozen=True)
class StudyScore:
    """One study on one track, day by day.

    Attributes
    ----------
    study : SettledStudy
    track : str
        One of `TRACKS`.
    spoken : tuple of Since
        What was said in time; at least one.
    own : float array, shape (T, 3)
        Scores of each day, in the order of `SCORES`.
    references : mapping of str to float array, shape (T, 3)
        The same of each baseline; NaN on days before the crowd spoke.
    """

    study: SettledStudy
    track: str
    spoken: tuple[Since, ...]
    own: Floats
    references: Mapping[str, Floats]

    @property
    def mean(self) -> Floats:
        """Mean scores over the days it was open, shape (3,)."""
        return self.own.mean(axis=0)


def study_score(study: SettledStudy, track: str, author: str | None = None) -> StudyScore | None:
    """The scores of a study on a track, perhaps of one author's publications alone; None where nothing was said."""
    spoken = study.spoken(track, author)
    if not spoken:
        return None
    prior = study.prior_course
    courses = {
        "prior": prior,
        "uniform": np.full_like(prior, 1.0) * _uniform(study),
        "persistence": study.course(spoken[:1], prior),
    }
    if study.crowd:
        told = [since for since in study.crowd if since.day < study.on]
        courses["crowd"] = study.course(told, np.full_like(prior, np.nan))
    references = {name: study.scores(course) for name, course in courses.items()}
    return StudyScore(study, track, spoken, study.scores(study.course(spoken, prior)), references)


def _uniform(study: SettledStudy) -> Floats:
    """Equal chances of the scenarios that the study had in its last revision."""
    there = study.vector(dict.fromkeys(study.priors[-1].probabilities, 1.0))
    return there / there.sum()


@dataclass(frozen=True)
class Against:
    """Scores against a baseline, over the days that the baseline has; each study counts the same.

    Attributes
    ----------
    baseline : str
        One of `BASELINES`.
    studies : int
        How many studies have it.
    own, reference : float array, shape (3,)
        Mean scores on those days, in the order of `SCORES`.
    skill : float array, shape (3,)
        1 - own / reference; above 0 is better than the baseline. NaN where there is nothing to gain.
    low, high : float array, shape (3,)
        5th and 95th percentile of the skill when the studies are drawn anew; NaN of fewer than two studies.
    """

    baseline: str
    studies: int
    own: Floats
    reference: Floats
    skill: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Summary:
    """The scores of some studies, or of some of their days, on a track.

    Attributes
    ----------
    track : str
    by : str
        `all`, `tag`, `author` or `lead`.
    name : str
        Which tag, author or lead; empty for all.
    studies, days : int
    scores : float array, shape (3,)
        Mean over the studies of their means over days, in the order of `SCORES`.
    against : tuple of Against
        One for each baseline that there is.
    calibration : Pooled
        Every probability said in time, counted once when it was published, and whether that scenario came true.
    """

    track: str
    by: str
    name: str
    studies: int
    days: int
    scores: Floats
    against: tuple[Against, ...]
    calibration: Pooled


@dataclass(frozen=True)
class Unscored:
    """A study that is not scored: its id, its handling mark, and why not."""

    study: str
    tlp: str
    why: str


@dataclass(frozen=True)
class TrackRecord:
    """All that was published of settled studies, scored.

    Attributes
    ----------
    studies : tuple of StudyScore
        On each track, in the order of the ledger.
    summaries : tuple of Summary
        Per track: of all; by tag, by author, by lead.
    void : tuple of Unscored
        Studies that were resolved as void, with their reason.
    unsaid : tuple of Unscored
        Settled ones of which nothing was published in time.
    open : tuple of Unscored
        Those not settled yet.
    left_out : int
        How many studies are marked above what was asked for, and left out.
    """

    studies: tuple[StudyScore, ...]
    summaries: tuple[Summary, ...]
    void: tuple[Unscored, ...] = ()
    unsaid: tuple[Unscored, ...] = ()
    open: tuple[Unscored, ...] = ()
    left_out: int = 0


def track_record(
    studies: Sequence[SettledStudy],
    *,
    void: Sequence[Unscored] = (),
    open_: Sequence[Unscored] = (),
    left_out: int = 0,
    rng: np.random.Generator,
) -> TrackRecord:
    """Score everything that was published of settled studies, on both tracks, by tag, by author and by lead."""
    scored = [found for track in TRACKS for study in studies if (found := study_score(study, track))]
    said = {found.study.study for found in scored}
    summaries = [summary for track in TRACKS for summary in _summaries(studies, track, rng)]
    why = "nothing was published before the day that settled it"
    unsaid = tuple(Unscored(study.study, study.tlp, why) for study in studies if study.study not in said)
    return TrackRecord(tuple(scored), tuple(summaries), tuple(void), unsaid, tuple(open_), left_out)


def _summaries(studies: Sequence[SettledStudy], track: str, rng: np.random.Generator) -> Iterator[Summary]:
    whole = [found for study in studies if (found := study_score(study, track))]
    if not whole:
        return
    yield _summary(track, "all", "", [_all_days(found) for found in whole], rng)
    for tag in sorted({tag for found in whole for tag in found.study.tags}):
        yield _summary(track, "tag", tag, [_all_days(found) for found in whole if tag in found.study.tags], rng)
    for author in sorted({publication.author for study in studies for publication in study.publications}):
        own = [found for study in studies if (found := study_score(study, track, author))]
        if own:
            yield _summary(track, "author", author, [_all_days(found) for found in own], rng)
    for name, (first, last) in LEADS.items():
        parts = [_days_between(found, first, last) for found in whole]
        if any(part.days.any() for part in parts):
            yield _summary(track, "lead", name, [part for part in parts if part.days.any()], rng)


class _Part(NamedTuple):
    """Some days of a study: which of them, and what was published on those."""

    score: StudyScore
    days: NDArray[np.bool_]
    spoken: list[Since]


def _all_days(score: StudyScore) -> _Part:
    return _Part(score, np.ones(len(score.own), dtype=bool), list(score.spoken))


def _days_between(score: StudyScore, first: int, last: int) -> _Part:
    leads, horizon = score.study.leads, score.study.horizon
    near, far = horizon - timedelta(days=first), horizon - timedelta(days=min(last, (horizon - date.min).days))
    return _Part(score, (leads >= first) & (leads <= last), [s for s in score.spoken if far <= s.day <= near])


def _summary(track: str, by: str, name: str, parts: Sequence[_Part], rng: np.random.Generator) -> Summary:
    own = np.array([part.score.own[part.days].mean(axis=0) for part in parts])
    pairs = [_pairs(part) for part in parts]
    against = (_against(baseline, parts, rng) for baseline in BASELINES)
    return Summary(
        track=track,
        by=by,
        name=name,
        studies=len(parts),
        days=sum(int(part.days.sum()) for part in parts),
        scores=own.mean(axis=0),
        against=tuple(found for found in against if found is not None),
        calibration=pooled(*(np.concatenate([pair[i] for pair in pairs]) for i in (0, 1))),
    )


def _pairs(part: _Part) -> tuple[Floats, Floats]:
    """Every probability that was said, and whether it came true."""
    study = part.score.study
    told = [(p, float(name == study.outcome)) for since in part.spoken for name, p in since.probabilities.items()]
    return np.array([p for p, _ in told]), np.array([o for _, o in told])


def _against(baseline: str, parts: Sequence[_Part], rng: np.random.Generator) -> Against | None:
    rows = []
    for part in parts:
        reference = part.score.references.get(baseline)
        if reference is not None:
            days = part.days & ~np.isnan(reference).any(axis=1)
            if days.any():
                rows.append((part.score.own[days].mean(axis=0), reference[days].mean(axis=0)))
    if not rows:
        return None
    own, theirs = (np.array([row[i] for row in rows]) for i in (0, 1))
    low, high = _bootstrapped(own, theirs, rng)
    mine, other = own.mean(axis=0), theirs.mean(axis=0)
    return Against(baseline, len(rows), mine, other, skill(mine, other), low, high)


def _bootstrapped(own: Floats, theirs: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """5th and 95th percentile of the skill over studies drawn anew, with replacement."""
    n = len(own)
    if n < 2:
        return np.full(len(SCORES), np.nan), np.full(len(SCORES), np.nan)
    shares = rng.multinomial(n, np.full(n, 1.0 / n), size=_BOOTSTRAPS) / n
    with np.errstate(invalid="ignore"):
        drawn = skill(shares @ own, shares @ theirs)
        low, high = np.percentile(drawn, [5.0, 95.0], axis=0)
    return low, high
