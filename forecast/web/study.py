"""Page study: the question, the scenarios, and how each indicator would set them apart; and how the study was revised.

Here is what is read; what is changed is `revising`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from forecast.charts.shades import STEPS
from forecast.information import looks
from forecast.line_diff import DiffLine
from forecast.reading import Reading
from forecast.rehearsal import Moved, around_revision, common_day, moved
from forecast.release import Released
from forecast.revision import changes, study_of
from forecast.study import Study
from forecast.study_lines import baseline_lines, traits
from forecast.telling import Line, Telling, telling
from forecast.web.paging import paged
from forecast.web.revising import ROUTES as REVISING
from forecast.web.revising import file_name, is_withheld, shown_diff, text_of
from forecast.web.rows import plain
from forecast.web.visit import Visit, reads
from indicators.entry import Entry
from indicators.errors import WatchfloorError
from indicators.indicator import Indicator, MeasureIndicator, StateIndicator

__all__ = ["ROUTES"]

PARTS = 5
"""Shades that states are told apart by."""


@dataclass(frozen=True)
class Part:
    """A stretch of a bar, in hundredths of its length."""

    x: float
    width: float
    shade: int


@dataclass(frozen=True)
class Bar:
    """One row in the matrix, drawn.

    Attributes
    ----------
    parts : list of Part
    says : str
        The same in words.
    text : str
        What stands beside it; empty for rows of probabilities.
    """

    parts: Sequence[Part]
    says: str
    text: str = ""


@dataclass(frozen=True)
class Told:
    """One indicator on the page.

    Attributes
    ----------
    telling : Telling
    traits : str
    baseline : list of str
    bits : float or None
        What the next look is expected to tell; None where no outlook may be shown.
    cells : list of list of Bar
        Of each scenario, a bar for each of its rows.
    """

    telling: Telling
    traits: str
    baseline: Sequence[str]
    bits: float | None
    cells: Sequence[Sequence[Bar]]

    @property
    def indicator(self) -> Indicator:
        """The indicator itself."""
        return self.telling.indicator


@dataclass(frozen=True)
class Revision:
    """One line of the history."""

    number: int
    entry: Entry
    changes: Sequence[str]
    withheld: bool


# Views


def page(visit: Visit) -> Response:
    """The study as it is in force."""
    study, order = visit.shown.study, visit.asked("order")
    bits, untold = _bits(visit)
    indicators = list(study.indicators)
    if order == "telling" and bits:
        indicators.sort(key=lambda indicator: -bits[indicator.id])
    shown, place = paged(indicators, visit.asked("page"))
    return visit.page(
        "study.html",
        page="study",
        study=study,
        told=[_told(study, indicator, bits) for indicator in shown],
        most=max(bits.values(), default=0.0),
        untold=untold,
        order="telling" if order == "telling" else "file",
        place=place,
        revision=visit.shown.known.revisions[-1],
        revisions=len(visit.shown.known.revisions),
        shade=shade,
        signed=signed,
        plain=plain,
        parts_shade=parts_shade,
        may_edit=visit.may("lead") and visit.known_at is None,
    )


def history(visit: Visit) -> Response:
    """Every revision, the last one first."""
    found = visit.shown.known.revisions
    shown, place = paged(range(len(found), 0, -1), visit.asked("page"))
    rows = [_revision(visit, n) for n in shown]
    return visit.page("study-history.html", page="study", rows=rows, place=place)


def revision(visit: Visit) -> Response:
    """One revision: what it changed, and what that did to the numbers."""
    found, text = visit.shown.known.revisions, visit.request.path_params["number"]
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not 1 <= number <= len(found):
        raise HTTPException(404)
    told = _revision(visit, number)
    before = found[number - 2] if number > 1 else None
    diff: list[DiffLine] = []
    if before is not None and not told.withheld and not is_withheld(visit, before):
        diff = shown_diff(text_of(before), text_of(told.entry))
    return visit.page(
        "study-revision.html",
        page="study",
        told=told,
        last=len(found),
        diff=diff,
        text="" if told.withheld else text_of(told.entry),
        file=file_name(visit),
        **_effect(visit, told),
    )


# One indicator


def _bits(visit: Visit) -> tuple[dict[str, float], str]:
    """What the next look at each indicator tells, by id; or nothing, and why not."""
    try:
        released = visit.released(without=())
    except WatchfloorError as error:
        return {}, str(error)
    return {look.indicator.id: look.bits for look in looks(released.outlook)}, ""


def _told(study: Study, indicator: Indicator, bits: dict[str, float]) -> Told:
    found = telling(study, indicator)
    most = max((max(line.numbers) for line in found.lines), default=0.0)
    span = _span(found)
    cells = [[_bar(found, line, most, span) for line in found.of(scenario)] for scenario in study.scenario_ids]
    return Told(found, traits(indicator), baseline_lines(study, indicator), bits.get(indicator.id), cells)


def _bar(found: Telling, line: Line, most: float, span: tuple[float, float]) -> Bar:
    if isinstance(found.indicator, StateIndicator):
        parts, x = [], 0.0
        for n, p in enumerate(line.numbers):
            parts.append(Part(100 * x, 100 * p, parts_shade(n, len(line.numbers))))
            x += p
        says = ", ".join(f"{state} {plain(round(p, 4))}" for state, p in zip(found.columns, line.numbers, strict=True))
        return Bar(parts, f"{line.place.state}: {says}" if line.place.state else says)
    if found.columns == ("mean", "sd"):
        mean, sd = line.numbers
        low, wide = span
        says = f"{plain(mean)} ± {plain(sd)}"
        return Bar([Part(100 * (mean - sd - low) / wide, 100 * 2 * sd / wide, 2)], says, says)
    if isinstance(found.indicator, MeasureIndicator):
        says = f"{line.numbers[0]:+g} a year" if line.numbers[0] else "0"
        return Bar([], says, says)
    text = f"{line.rate:.3g}" if line.rate is not None else plain(line.numbers[0])
    return Bar([Part(0.0, 100 * line.numbers[0] / most, 3)], f"{text} a year", text)


def _span(found: Telling) -> tuple[float, float]:
    """Where the readings of a measure lie that all scenarios together expect: from where, and how far."""
    if found.columns != ("mean", "sd"):
        return 0.0, 1.0
    low = min(line.numbers[0] - line.numbers[1] for line in found.lines)
    return low, max(line.numbers[0] + line.numbers[1] for line in found.lines) - low


def parts_shade(n: int, states: int) -> int:
    """Which shade a state has, from 0 for the first to 4 for the last."""
    return round((PARTS - 1) * n / max(states - 1, 1))


def shade(decibans: float) -> str:
    """The class of a cell that brings so much: how strong, for or against; empty for next to nothing."""
    step = sum(abs(decibans) >= bound for bound in STEPS)
    return f"{'for' if decibans > 0 else 'against'}-{step}" if step else ""


def signed(decibans: float) -> str:
    """Decibans with their sign and one decimal; `0` for next to none."""
    text = f"{decibans:+.1f}"
    return "0" if text in ("+0.0", "-0.0") else text


# One revision


def _revision(visit: Visit, number: int) -> Revision:
    found = visit.shown.known.revisions
    entry, before = found[number - 1], found[number - 2] if number > 1 else None
    withheld = is_withheld(visit, entry) or (before is not None and is_withheld(visit, before))
    lines = [] if withheld else changes(study_of(before) if before else None, study_of(entry))
    return Revision(number, entry, lines, is_withheld(visit, entry))


def _effect(visit: Visit, told: Revision) -> dict[str, Any]:
    """What a revision did on the day on which it was recorded."""
    if told.number == 1:
        return {"moved": [], "day": None, "untold": ""}
    before, after = around_revision(visit.reading, told.number)
    assert before is not None
    assert after.known_at is not None
    day = common_day(before.study, after.study, after.known_at.date())
    if day is None:
        return {"moved": [], "day": None, "untold": "The two have no day in common."}
    try:
        found: list[Moved] = moved(_released(visit, before, told, day), _released(visit, after, told, day))
    except WatchfloorError as error:
        return {"moved": [], "day": day, "untold": str(error)}
    return {"moved": found, "day": day, "untold": ""}


def _released(visit: Visit, reading: Reading, told: Revision, day: Any) -> Released:
    key = (visit.reading.head.hash, "revision", visit.study_id, told.entry.id, len(reading.known.revisions), day)
    return visit.state.outlooks.get(key, lambda: visit.gated(reading, day))


ROUTES = [
    Route("/s/{study}/study", reads(page), methods=["GET"]),
    Route("/s/{study}/study/history", reads(history), methods=["GET"]),
    Route("/s/{study}/study/history/{number}", reads(revision), methods=["GET"]),
    *REVISING,
]
