"""Page board: where everything stands, as of now or of a day that the address asks for.

The present board is worked out and drawn once for everybody, in the background: whoever looks meanwhile is shown the
last one, which says of which entry it is and how many are being worked in. Whoever wrote one of those is shown its
effect on the probabilities at once. A board of another day is worked out when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from markupsafe import Markup
from starlette.responses import Response
from starlette.routing import Route

from forecast.assessment import confidence, flags, words_with_range
from forecast.boards import Board
from forecast.charts.chart import Chart
from forecast.charts.timeline import timeline_chart
from forecast.display import account, board_text, most_changed, most_moving
from forecast.effect import EffectLine
from forecast.information import looks
from forecast.outlook import Outlook
from forecast.reading import Reading, chosen_study, read_study
from forecast.release import Released
from forecast.web.apart import ApartEndedError
from forecast.web.page import drawn_part
from forecast.web.settings import Settings
from forecast.web.state import State
from forecast.web.visit import Visit, reads
from indicators.errors import WatchfloorError
from indicators.ledger import Head
from indicators.opening import open_ledger

__all__ = ["ROUTES", "Finished", "NotFinishedError", "board_apart", "present"]

BACK = (7, 30, 90)
"""Days over which a change is told."""

LATELY = 30
MOST_MOVING = 5
ADDING = ("evidence", "coverage", "publish")
"""Kinds of entries that add to what a board shows, and withhold nothing of it."""


class NotFinishedError(Exception):
    """A board that could not be worked out; whoever asks for the outlook itself is told why."""


class Newer(NamedTuple):
    """An entry of the study that a board does not have in it."""

    author: str
    kind: str


class ScenarioLine(NamedTuple):
    """One scenario: its probability, change over `BACK`, and the number of the last publication, where there is one."""

    id: str
    name: str
    probability: float
    low: float
    high: float
    words: str
    changes: tuple[float | None, ...]
    published: float | None
    leads: bool


class IndicatorLine(NamedTuple):
    """Where one indicator stands, how many days its look is late, and what the next one is worth."""

    board: Board
    stands: str
    late: int
    bits: float


class MoveLine(NamedTuple):
    """A report, and the change it made in the scenario that it changed most."""

    entry: str
    day: date
    indicator: str
    says: str
    scenario: str
    change: float


@dataclass(frozen=True)
class Finished:
    """A board, worked out and drawn.

    Attributes
    ----------
    label, mark : str
        Of the study.
    head : Head
        The end of the ledger that it is of.
    today : date
        The day on which it was worked out.
    as_of : date
    final : mapping of str to float
        Probability by scenario.
    block : Markup
        What the page shows of it.
    drawings : mapping of str to bytes
        The timeline by `day` and by `night`, as SVG; empty where it was not drawn with the board.
    """

    label: str
    mark: str
    head: Head
    today: date
    as_of: date
    final: Mapping[str, float]
    block: Markup
    drawings: Mapping[str, bytes]


# The board itself


def board_apart(settings: Settings, study_id: str, now: datetime) -> Finished | None:
    """The present board of a study with its chart, from a ledger opened for it alone; None where that is refused."""
    with closing(open_ledger(settings.address, clock=settings.clock)) as ledger:
        try:
            reading = read_study(ledger, study_id)
            released = reading.released(
                reading.default_as_of(now.date()),
                now=now,
                max_tlp=settings.max_tlp,
                without_above=settings.without_above,
                draws=settings.draws,
            )
            chart = timeline_chart(released)
            head = released.provenance.head.hash[:12]
            finished = _finished(reading, released, settings, chart=chart, asked={}, head=head, today=now.date())
        except WatchfloorError:
            return None
    drawings = {"day": chart.svg().encode(), "night": chart.at_night().svg().encode()}
    return replace(finished, drawings=drawings)


def _finished(
    reading: Reading,
    released: Released,
    settings: Settings,
    *,
    chart: Chart,
    asked: Mapping[str, object],
    today: date,
    head: str = "",
) -> Finished:
    """The board of an outlook, with its chart; `asked` and `head` are what the addresses in it ask for."""
    outlook, study = released.outlook, released.outlook.study
    tomorrow = outlook.as_of + timedelta(days=1)
    is_whole = not released.provenance.without
    last = reading.last_published(tomorrow, max_tlp=settings.max_tlp) if is_whole else None
    block = drawn_part(
        "part-board.html",
        released=released,
        outlook=outlook,
        study=study,
        resolution=reading.resolution,
        names={scenario.id: scenario.label for scenario in study.scenarios},
        scenarios=list(_scenarios(outlook, {s.scenario: s.probability for s in last.scenarios} if last else {})),
        back=BACK,
        last=last,
        lately=LATELY,
        moved=list(_moved(outlook)),
        indicators=list(_indicators(outlook)),
        sure=confidence(outlook),
        flags=flags(outlook, known=released.flags),
        alt=str(chart["description"]),
        address=partial(State.address, study.study),
        asked=asked,
        head=head,
    )
    final = dict(zip(study.scenario_ids, outlook.final.tolist(), strict=True))
    mark = reading.within(settings.max_tlp).study_mark
    return Finished(study.label, mark, released.provenance.head, today, outlook.as_of, final, block, {})


def _scenarios(outlook: Outlook, published: Mapping[str, float]) -> Iterator[ScenarioLine]:
    changes = [outlook.change_over(days) for days in BACK]
    words, leader = words_with_range(outlook), int(outlook.final.argmax())
    for k, scenario in enumerate(outlook.study.scenarios):
        yield ScenarioLine(
            id=scenario.id,
            name=scenario.label,
            probability=float(outlook.final[k]),
            low=float(outlook.bands.low[-1, k]),
            high=float(outlook.bands.high[-1, k]),
            words=words[k],
            changes=tuple(None if change is None else float(change[k]) for change in changes),
            published=published.get(scenario.id),
            leads=k == leader,
        )


def _moved(outlook: Outlook) -> Iterator[MoveLine]:
    study = outlook.study
    for moved in most_moving(outlook, MOST_MOVING, since=outlook.as_of - timedelta(days=LATELY)):
        k, report = most_changed(moved.change)[0], moved.live.report
        yield MoveLine(
            entry=moved.live.entry,
            day=report.dated,
            indicator=study.by_id[report.indicator].label,
            says=account(study, report),
            scenario=study.scenarios[k].label,
            change=float(moved.change[k]),
        )


def _indicators(outlook: Outlook) -> Iterator[IndicatorLine]:
    for board, look in zip(outlook.indicator_boards, looks(outlook), strict=True):
        late = (outlook.as_of - board.due).days if board.overdue and board.due else 0
        yield IndicatorLine(board, board_text(board), late, look.bits)


# The present one, for everybody


def present(visit: Visit) -> tuple[Finished, tuple[Newer, ...]]:
    """The present board as it may be shown to anybody, the last one finished, and the entries that are not in it yet.

    Raises
    ------
    NotFinishedError
        There is none, for a reason that the outlook tells.
    UnknownStudyError
        There is no such study.
    """
    state, head, study = visit.state, visit.ledger.head(), visit.study_id
    if study not in state.boards:
        chosen_study(visit.ledger, study)

    def newer(found: Finished) -> tuple[Newer, ...]:
        if found.head.entries >= head.entries:
            return ()
        return state.tails.get((head.hash, study, found.head.entries), lambda: _newer(visit, found.head))

    def may_serve(found: Finished) -> bool:
        # What was corrected to a stricter mark is gone from every answer from then on.
        return visit.settings.max_tlp is None or all(entry.kind in ADDING for entry in newer(found))

    found = state.boards.get(
        study,
        _maker(state, study, visit.now),
        is_current=lambda found: found.today == visit.today and not newer(found),
        may_serve=may_serve,
    )
    return found, newer(found)


def _newer(visit: Visit, head: Head) -> tuple[Newer, ...]:
    entries = visit.ledger.entries(study=visit.study_id, after=head.entries)
    return tuple(Newer(entry.author, entry.kind) for entry in entries)


def _maker(state: State, study: str, now: datetime) -> Callable[[], Finished]:
    asked = replace(state.settings, token=None), study, now

    def make() -> Finished:
        try:
            found = state.apart.run(board_apart, *asked) if state.apart else board_apart(*asked)
        except ApartEndedError:
            found = board_apart(*asked)
        if found is None:
            raise NotFinishedError
        return found

    return make


def _effect(visit: Visit, found: Finished) -> list[EffectLine]:
    """What the entries that are not in a board yet make of its probabilities."""
    outlook = visit.released().outlook
    now = zip(outlook.study.scenarios, outlook.final.tolist(), strict=True)
    return [EffectLine(s.label, found.final[s.id], p) for s, p in now if s.id in found.final]


# The page


def _board(visit: Visit) -> Response:
    newer: tuple[Newer, ...] = ()
    is_present = visit.asked("as_of") is None and visit.asked("known_at") is None and not visit.without
    if is_present:
        try:
            found, newer = present(visit)
        except NotFinishedError:
            found = _asked_for(visit)
    else:
        found = _asked_for(visit)
    is_waiting = bool(newer) or found.today != visit.today
    if visit.is_htmx and is_waiting and visit.asked("seen") == found.head.hash[:12]:
        return Response(status_code=204)  # nothing to put into the page
    is_own = any(entry.author == visit.person.name for entry in newer)
    told: dict[str, Any] = {
        "about": found,
        "newer": newer,
        "is_waiting": is_waiting,
        "effect": _effect(visit, found) if is_own else [],
        "is_present": is_present,
        "may_log": is_present and visit.may("analyst"),
    }
    return visit.page("part-live.html" if visit.is_htmx else "board.html", page="board", **told)


def _asked_for(visit: Visit) -> Finished:
    """The board of the day and moment that the address asks for; worked out once for all who ask."""
    asked = {"as_of": visit.asked("as_of"), "known_at": visit.asked("known_at"), "without": visit.without}
    key = ("board", visit.reading.head.hash, visit.study_id, visit.known_at, visit.as_of, visit.without, visit.today)

    def make() -> Finished:
        released = visit.released()
        chart = timeline_chart(released)
        return _finished(visit.reading, released, visit.settings, chart=chart, asked=asked, today=visit.today)

    return visit.state.drawings.get(key, make)


ROUTES = [Route("/s/{study}/board", reads(_board), methods=["GET"])]
