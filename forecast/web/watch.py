"""Page watch: where to look next, what is expected of the next reading, and the form that says where somebody looked.

A span that was covered is shown with its effect: the probabilities with it and without it, as the engine has them.
"""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from starlette.responses import Response
from starlette.routing import Route

from forecast.display import aligned, number
from forecast.effect import EffectLine
from forecast.information import Look, looks, uncertainty, watch_order
from forecast.next_reading import NextReading, next_readings
from forecast.outlook import Outlook
from forecast.release import Released
from forecast.web.charts import described
from forecast.web.refusals import Refusal, refusal
from forecast.web.visit import Visit, reads, writes
from forecast.workflow import cover
from indicators.coverage import FIELDS, Coverage
from indicators.errors import WatchfloorError

__all__ = ["ROUTES"]


class LookLine(NamedTuple):
    """A look: when it is due, by how many days it is late, and whether somebody can say that they looked."""

    look: Look
    due: date | None
    late: int


class Expected(NamedTuple):
    """What a scenario expects of the next reading, with the same number of decimals for all of them."""

    name: str
    expected: str
    low: str
    high: str


def _watch(visit: Visit) -> Response:
    fields = {"indicator": visit.asked("indicator") or "", "to": visit.today.isoformat()}
    return _drawn(visit, fields=fields, refused=Refusal())


def _cover(visit: Visit) -> Response:
    """Record that somebody looked."""
    typed = {name: visit.field(name) for name in FIELDS}
    given: dict[str, object] = {name: value for name, value in typed.items() if value}
    try:
        done = cover(
            visit.ledger,
            visit.study_id,
            given,
            author=visit.person.name,
            today=visit.today,
            place=lambda field: field,
        )
    except WatchfloorError as error:
        return _drawn(visit, fields=typed, refused=refusal(error, {name: name for name in FIELDS}), status=422)
    return visit.see(visit.address("watch", covered=done.id), notice=f"{done.id} is recorded")


def _drawn(visit: Visit, *, fields: dict[str, str], refused: Refusal, status: int = 200) -> Response:
    released = visit.released()
    outlook = released.outlook
    ordered = watch_order(looks(outlook))
    return visit.page(
        "watch.html",
        status=status,
        page="watch",
        released=released,
        outlook=outlook,
        lines=_lines(outlook, ordered),
        missing=uncertainty(outlook),
        coming=[(item, _expected(outlook, item)) for item in next_readings(outlook).values()],
        flags=visit.flags(),
        alt=described(visit, "watch"),
        covered=_covered(visit, released),
        fields=fields,
        refused=refused,
        may_cover=visit.may("analyst") and visit.known_at is None and not visit.shown.resolution,
    )


def _lines(outlook: Outlook, ordered: list[Look]) -> list[LookLine]:
    due = {board.indicator.id: board.due for board in outlook.indicator_boards}
    late = {name: (outlook.as_of - day).days if day else 0 for name, day in due.items()}
    return [LookLine(look, due[look.indicator.id], late[look.indicator.id] if look.overdue else 0) for look in ordered]


def _expected(outlook: Outlook, coming: NextReading) -> list[Expected]:
    told = [coming.by_scenario[scenario.id] for scenario in outlook.study.scenarios]
    texts = aligned([number(x) for item in told for x in (item.expected, item.low, item.high)])
    names = [scenario.label for scenario in outlook.study.scenarios]
    return list(map(Expected, names, texts[::3], texts[1::3], texts[2::3]))


def _covered(visit: Visit, released: Released) -> dict[str, Any] | None:
    """The span that the address names and what it does; None where it names none that may be shown."""
    name = visit.asked("covered")
    logged = visit.shown.known.logged.get(name or "")
    if name is None or logged is None or logged.retracted or not isinstance(logged.record, Coverage):
        return None
    before = visit.released(without=[*visit.without, f"entry:{name}"]).outlook.final.tolist()
    after = released.outlook.final.tolist()
    names = [scenario.label for scenario in released.outlook.study.scenarios]
    indicator = released.outlook.study.by_id[logged.record.indicator]
    return {
        "entry": name,
        "span": logged.record,
        "indicator": indicator.label,
        "lines": list(map(EffectLine, names, before, after)),
    }


ROUTES = [
    Route("/s/{study}/watch", reads(_watch), methods=["GET"]),
    Route("/s/{study}/watch", writes(_cover), methods=["POST"]),
]
