"""The judgement in words: how sure, how often, what a reader must know, and the outlook in one paragraph.

Confidence is a statement of its own (SPEC 4.8): it speaks of the width of the leader's band, of how much evidence
stands behind it and of looks that are overdue, never of the probability. A probability's word carries the range of
words when its band reaches further than one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from forecast.dependence import dependences
from forecast.display import counted, percent, points
from forecast.outlook import Outlook
from forecast.probability import Floats
from forecast.surprise import surprise
from forecast.words import SCALES, band_index

__all__ = [
    "Confidence",
    "Unobserved",
    "confidence",
    "departure",
    "flags",
    "frequencies",
    "paragraph",
    "unobserved",
    "words_with_range",
]

_TRUSTED = 0.5
_LONG_DAYS = 60
_NARROW, _WIDE = 0.15, 0.40
# What another processor may make of the last digits; any more is another engine.
_SAME = 1e-9


@dataclass(frozen=True)
class Confidence:
    """How much the outlook can bear.

    Attributes
    ----------
    level : str
        `high`, `moderate` or `low`.
    why : str
        The facts it rests on, as a sentence without a full stop.
    """

    level: str
    why: str


@dataclass(frozen=True)
class Unobserved:
    """A span of days, both included, on which nothing was reported and nobody was looking."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """Its length."""
        return (self.last - self.first).days + 1


def confidence(outlook: Outlook) -> Confidence:
    """The confidence statement of SPEC 4.8.

    High when the leader's band is at most 0.15 wide, at least ten events of weight 0.5 or more stand behind the outlook
    and nothing is overdue; low when the band is over 0.40 wide or fewer than three such events stand behind it; else
    moderate.
    """
    leader = int(outlook.final.argmax())
    # Without what subtracting two decimal fractions leaves, so that a width on an edge lies on it.
    width = round(float(outlook.bands.high[-1, leader] - outlook.bands.low[-1, leader]), 12)
    events = trusted_events(outlook)
    overdue = sum(board.overdue for board in outlook.indicator_boards)
    if width > _WIDE or events < 3:
        level = "low"
    elif width <= _NARROW and events >= 10 and not overdue:
        level = "high"
    else:
        level = "moderate"
    late = f"{overdue} looks are overdue" if overdue != 1 else "one look is overdue"
    why = (
        f"the band of the leading scenario is {_in_points(width)} points wide, {_standing(events)} "
        f"behind it, and {late if overdue else 'no look is overdue'}"
    )
    return Confidence(level, why)


def _in_points(width: float) -> str:
    """The width of a band with as many decimals as show on which side of the limits it lies; mostly none."""
    texts = (f"{100 * width:.{digits}f}" for digits in range(12))
    return next(
        text for text in texts if all((float(text) / 100 <= edge) == (width <= edge) for edge in (_NARROW, _WIDE))
    )


def trusted_events(outlook: Outlook) -> int:
    """How many events have a report of weight 0.5 or more that counts."""
    found = 0
    for likelihood in outlook.likelihoods.values():
        reports = likelihood.reports
        found += sum(any(reports.rho[i] >= _TRUSTED for i in told) for told in reports.last_counted)
    return found


def words_with_range(outlook: Outlook) -> list[str]:
    """The word for each scenario's probability, with the range of words where its band is wider than a band away."""
    scale = outlook.study.words
    told = []
    for k, p in enumerate(outlook.final.tolist()):
        low, here, high = (
            band_index(float(x), scale) for x in (outlook.bands.low[-1, k], p, outlook.bands.high[-1, k])
        )
        word = SCALES[scale][here].word
        if here - low > 1 or high - here > 1:
            word += f" ({SCALES[scale][low].word} to {SCALES[scale][high].word})"
        told.append(word)
    return told


def frequencies(probabilities: Floats) -> list[int]:
    """The probabilities as whole worlds of 100, which add up to 100 (largest remainders; file order on a tie).

    Examples
    --------
    >>> frequencies(np.array([0.335, 0.335, 0.33]))
    [34, 33, 33]
    """
    parts = probabilities * 100
    worlds = np.floor(parts).astype(int)
    short = 100 - int(worlds.sum())
    for k in np.argsort(-(parts - worlds).round(9), kind="stable")[:short]:
        worlds[k] += 1
    return [int(n) for n in worlds]


def unobserved(outlook: Outlook) -> list[Unobserved]:
    """Spans of 60 days or more on which nothing was reported and nobody was looking, in order."""
    seen = np.zeros(outlook.length + 1, dtype=bool)
    seen[-1] = True
    for likelihood in outlook.likelihoods.values():
        for day, live in zip(likelihood.reports.days.tolist(), likelihood.reports.live, strict=True):
            length = (live.report.to - live.report.from_).days if live.report.to and live.report.from_ else 0
            seen[max(day - length, 0) : day + 1] = True
    for spans in outlook.log.coverage.values():
        for span in spans:
            first, last = outlook.study.day_index(span.from_), outlook.study.day_index(span.to)
            seen[max(first, 0) : min(last, outlook.length - 1) + 1] = True
    found, start = [], 0
    for day in np.flatnonzero(seen).tolist():
        if day - start >= _LONG_DAYS:
            opens = outlook.study.opens
            found.append(Unobserved(opens + timedelta(days=start), opens + timedelta(days=day - 1)))
        start = day + 1
    return found


def flags(outlook: Outlook, *, known: Sequence[str] = ()) -> list[str]:
    """What a reader must know beside the numbers, one sentence each.

    The surprise alarm, overdue looks, unobserved spans, indicators that move together more than their rows allow.

    Parameters
    ----------
    outlook : Outlook
    known : sequence of str
        Flags that come from the ledger, such as rows changed after the fact; they come first.
    """
    told = list(known)
    if outlook.stated is not None:
        told.append(departure(outlook) or f"the numbers are those published as {outlook.stated.entry}")
    if surprise(outlook).alarm:
        told.append("no scenario here expected these reports; a scenario or a row may be missing or wrong")
    overdue = [board.indicator.id for board in outlook.indicator_boards if board.overdue]
    if overdue:
        told.append(f"{_counted(len(overdue), 'look')} overdue: {', '.join(overdue)}")
    told += [str(dependence) for dependence in dependences(outlook)]
    for span in unobserved(outlook):
        told.append(f"unobserved from {span.first} to {span.last} ({span.days} days): read as unknown, not as quiet")
    return told


def departure(outlook: Outlook) -> str:
    """What to tell where this engine makes other numbers of what was published; empty where it makes the same."""
    if outlook.stated is None or outlook.departure <= _SAME:
        return ""
    return (
        f"the numbers are those published as {outlook.stated.entry} by engine {outlook.stated.engine}; of the same "
        f"entries this engine makes others, by up to {100 * outlook.departure:.2g} points"
    )


def paragraph(outlook: Outlook, *, since: date | None = None) -> str:
    """The outlook in plain words: the leader, how sure, how often, what moved it since a day, what is not known.

    Parameters
    ----------
    outlook : Outlook
    since : date, optional
        The day to compare with; 30 days before the as-of day where left out.
    """
    study = outlook.study
    order = np.argsort(-outlook.final, kind="stable")
    leader, second = int(order[0]), int(order[1])
    low, high = float(outlook.bands.low[-1, leader]), float(outlook.bands.high[-1, leader])
    beside = "level with" if outlook.final[leader] == outlook.final[second] else "ahead of"
    here, there = (percent(float(outlook.final[k])) for k in (leader, second))
    told = [
        f"As of {outlook.as_of}, {study.scenarios[leader].label} stands at {here} ({percent(low)} to {percent(high)}), "
        f"{beside} {study.scenarios[second].label} with {there}; in words: {words_with_range(outlook)[leader]}.",
        f"Of 100 worlds that looked like this one, about {_worlds(outlook)}.",
    ]
    told.append(_moved(outlook, since or max(study.opens, outlook.as_of - timedelta(days=30)), leader))
    sure = confidence(outlook)
    told.append(f"Confidence is {sure.level}: {sure.why}.")
    return " ".join(sentence for sentence in told if sentence)


def _worlds(outlook: Outlook) -> str:
    counts = frequencies(outlook.final)
    shown = [f"{n} end in {outlook.study.scenarios[k].label}" for k, n in enumerate(counts) if n]
    shown.sort(key=lambda text: -int(text.split()[0]))
    return ", ".join(shown[:-1]) + (" and " if len(shown) > 1 else "") + shown[-1]


def _moved(outlook: Outlook, since: date, leader: int) -> str:
    day = outlook.study.day_index(since)
    before = outlook.study.prior if day < 0 else outlook.course[day]
    change = float(outlook.final[leader] - before[leader])
    rows = sorted(outlook.rows_since(since), key=lambda row: -abs(float(row.log_odds[leader])))
    if not rows:
        return f"Nothing has moved it since {since}."
    names = []
    for row in rows[:2]:
        label = outlook.study.by_id[row.indicator].label if row.indicator else ""
        report = f"a report on {label}"
        names.append({"drift": "time passing", "silence": f"silence on {label}"}.get(row.what, report))
    through = " and ".join(dict.fromkeys(names))
    return f"Since {since} it has moved by {points(change)} points, most of all through {through}."


def _standing(events: int) -> str:
    return f"{counted(events, 'event')} of weight 0.5 or more {'stands' if events == 1 else 'stand'}"


def _counted(n: int, noun: str) -> str:
    return f"one {noun} is" if n == 1 else f"{n} {noun}s are"
