"""Page reports: what was published, as it was said; publishing, settling, and every format for taking away.

What is put on record is shown before it is, and put there only if nothing has come in meanwhile. Only what the whole
ledger says can be published: where this server withholds entries, it is done elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from forecast import desk, settling
from forecast.assessment import departure
from forecast.display import counted
from forecast.export.tables import TABLES
from forecast.publication import SUM_TOLERANCE, Publication
from forecast.release import Released
from forecast.released_record import told_publications
from forecast.web.downloads import DOCUMENTS, levels_of
from forecast.web.paging import paged
from forecast.web.refusals import Refusal, refusal
from forecast.web.visit import Visit, reads, writes
from indicators.days import moment_text, parse_day
from indicators.errors import FaultsError, WatchfloorError

__all__ = ["ROUTES"]

REPORTS = 5
"""How many of `DOCUMENTS` are reports."""

PUBLISHING = {"--as-of": "as_of", "--note": "note", "--opinion": "opinion"}
SETTLING = {"SCENARIO": "scenario", "--on": "on", "--why": "why"}
OPINION = "opinion-"
ACTIONS = ("resolve", "void", "undo")
NUMBER = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,9})?|\.[0-9]{1,9}")
TOLERANCE = Decimal(str(100 * SUM_TOLERANCE))


class HiddenError(WatchfloorError):
    """Something to be put on record by a server that does not show all that it rests on."""


class PastError(WatchfloorError):
    """Something to be put on record of what was known at another time than now."""


class Shown(NamedTuple):
    """A publication in the list: what it said, the likeliest first."""

    publication: Publication
    says: list[tuple[str, float]]
    opinion: list[tuple[str, float]]


@dataclass
class Form:
    """A form as it was typed, and why it was refused."""

    typed: Mapping[str, str] = field(default_factory=dict)
    refused: Refusal = field(default_factory=Refusal)

    def __getitem__(self, name: str) -> str:
        return self.typed.get(name, "")


def _reports(visit: Visit) -> Response:
    return _page(visit, Form(), Form())


def _page(visit: Visit, publishing: Form, settling: Form, *, status: int = 200) -> Response:
    told = told_publications(visit.reading, visit.settings.max_tlp)
    last_first, place = paged(told[::-1], visit.asked("page"))
    study = visit.shown.study
    return visit.page(
        "reports.html",
        status=status,
        page="reports",
        study=study,
        publications=[_shown(visit, publication) for publication in last_first],
        count=len(told),
        withheld=len(visit.reading.publications) - len(told),
        place=place,
        resolution=visit.reading.resolution,
        names=_names(visit),
        untold=[scenario.label for scenario in study.scenarios if not scenario.resolves_if],
        may_write=visit.may("lead") and visit.known_at is None,
        hides=_hides(visit),
        publishing=publishing,
        settling=settling,
        reports=list(DOCUMENTS.items())[:REPORTS],
        exports=list(DOCUMENTS.items())[REPORTS:],
        tables=TABLES,
        levels=levels_of(visit),
    )


def _names(visit: Visit) -> dict[str, str]:
    return {scenario.id: scenario.label for scenario in visit.shown.study.scenarios}


def _shown(visit: Visit, publication: Publication) -> Shown:
    names = _names(visit)
    said = [(names.get(said.scenario, said.scenario), said) for said in publication.scenarios]
    numbers = sorted(((name, one.probability) for name, one in said), key=lambda item: -item[1])
    own = sorted(((name, one.opinion) for name, one in said if one.opinion is not None), key=lambda item: -item[1])
    return Shown(publication, numbers, own)


def _hides(visit: Visit) -> bool:
    """Whether the ledger holds more of the study than is shown here."""
    return len(visit.shown.known.logged) < len(visit.reading.known.logged)


def _refuse_past(visit: Visit) -> None:
    if visit.known_at is not None:
        raise PastError("what is put on record is of the present", where="known_at", mend="leave it out")


# One publication


def _publication(visit: Visit) -> Response:
    asked = str(visit.request.path_params["number"])
    told = told_publications(visit.reading, visit.settings.max_tlp)
    found = next((publication for publication in told if str(publication.number) == asked), None)
    if found is None:
        raise HTTPException(404)
    number, reading = found.number, visit.reading.published(found.number)
    settings, head = visit.settings, visit.reading.head

    def make() -> Released:
        level, above = settings.max_tlp, settings.without_above
        return reading.released(found.as_of, now=visit.now, max_tlp=level, without_above=above, draws=settings.draws)

    released = visit.state.outlooks.get(("published", head.hash, visit.study_id, visit.known_at, number), make)
    return visit.page(
        "publication.html",
        page="reports",
        publication=found,
        names=_names(visit) | {scenario.id: scenario.label for scenario in released.outlook.study.scenarios},
        departs=departure(released.outlook),
        known_at=moment_text(reading.known_at) if reading.known_at else None,
        reports=list(DOCUMENTS.items())[:REPORTS],
        exports=list(DOCUMENTS.items())[REPORTS:],
    )


# Publishing


def _publish(visit: Visit) -> Response:
    """The preview; and, once that is confirmed and nothing has come in since, the publication."""
    _refuse_past(visit)
    if _hides(visit):
        raise HiddenError(
            "the ledger holds entries of this study that this server does not show, and a publication rests on all",
            mend="publish from a server without --max-tlp, or with `forecast publish`",
        )
    form = Form({name: visit.field(name) for name in visit.form})
    if visit.field("step") == "change":
        return _page(visit, form, Form())
    try:
        as_of, opinion = _day_of(visit, form), _opinion(visit, form)
        if form.refused:
            return _page(visit, form, Form(), status=422)
        settling.refuse_publication(visit.reading, as_of, visit.today)
        if visit.field("step") == "record" and visit.field("rests_on") == str(visit.reading.known.seq):
            return _published(visit, as_of, opinion)
        return _preview(visit, form, as_of, opinion)
    except WatchfloorError as error:
        form.refused = refusal(error, PUBLISHING)
        return _page(visit, form, Form(), status=422)


def _published(visit: Visit, as_of: date, opinion: Mapping[str, float] | None) -> Response:
    done = settling.publish(
        visit.ledger,
        visit.study_id,
        as_of=as_of,
        opinion=opinion,
        note=visit.field("note") or None,
        draws=visit.settings.draws,
        author=visit.person.name,
        today=visit.today,
    )
    notice = (
        f"{done.entry} is on record as publication {done.number}. Keep its head: {done.head.entries}:{done.head.hash}"
    )
    return visit.see(visit.address(f"reports/{done.number}"), notice=notice)


def _preview(visit: Visit, form: Form, as_of: date, opinion: Mapping[str, float] | None) -> Response:
    """What would be put on record; told so where more has come in since it was last shown."""
    released = visit.released(without=(), as_of=as_of)
    was_shown = visit.field("step") == "record"
    return visit.page(
        "publish.html",
        status=409 if was_shown else 200,
        page="reports",
        form=form,
        as_of=as_of,
        released=released,
        scenarios=[
            (scenario.label, *numbers, (opinion or {}).get(scenario.id))
            for scenario, *numbers in zip(
                released.outlook.study.scenarios,
                released.outlook.final.tolist(),
                released.outlook.bands.low[-1].tolist(),
                released.outlook.bands.high[-1].tolist(),
                strict=True,
            )
        ],
        number=len(visit.reading.publications) + 1,
        rests_on=visit.reading.known.seq,
        has_moved=was_shown,
        days_late=(visit.today - as_of).days,
        opinion_fields=[name for name in form.typed if name.startswith(OPINION)],
    )


def _day_of(visit: Visit, form: Form) -> date:
    text = form["as_of"]
    try:
        return parse_day(text) if text else visit.reading.default_as_of(visit.today)
    except WatchfloorError as error:
        form.refused.add("as_of", error.what, error.mend)
        return visit.today


def _opinion(visit: Visit, form: Form) -> dict[str, float] | None:
    """The distribution typed in percent; None where every field is blank."""
    scenarios = visit.reading.study.scenarios
    typed = {scenario.id: form[OPINION + scenario.id] for scenario in scenarios}
    if not any(typed.values()):
        return None
    shares = {name: _percent(text) for name, text in typed.items()}
    for name, share in shares.items():
        if not typed[name]:
            form.refused.add(OPINION + name, "it is left out", "give every scenario its percentage, or none")
        elif share is None or not 0 < share < 100:
            what = f"“{typed[name][:20]}” is not a percentage above 0 and below 100"
            form.refused.add(OPINION + name, what, "certainty either way could never be scored")
    total = sum((share for share in shares.values() if share is not None), Decimal())
    if not form.refused and abs(total - 100) > TOLERANCE:
        form.refused.add("opinion", f"the opinion sums to {total:f} %", "it has to sum to 100 %")
    return {name: float(share / 100) for name, share in shares.items() if share is not None}


def _percent(text: str) -> Decimal | None:
    """A number as it is typed, with a point or a comma; None where it is none."""
    plain = text.removesuffix("%").strip().replace(",", ".")
    return Decimal(plain) if NUMBER.fullmatch(plain) else None


# Settling


def _settle(visit: Visit) -> Response:
    """What resolving, voiding or undoing would do; and, once that is confirmed, the doing."""
    _refuse_past(visit)
    form = Form({name: visit.field(name) for name in visit.form})
    action = form["action"]
    if action not in ACTIONS:
        raise HTTPException(404)
    if form["step"] == "change":
        return _page(visit, Form(), form)
    try:
        on = _settled_on(visit, form) if action == "resolve" else None
        _check_reason(form, action)
        _check_state(visit, action)
        if form.refused:
            return _page(visit, Form(), form, status=422)
        if form["step"] != "record":
            return _review(visit, form, action, on)
        return visit.see(visit.address("reports"), notice=_settled(visit, form, action, on))
    except WatchfloorError as error:
        form.refused = refusal(error, SETTLING)
        return _page(visit, Form(), form, status=422)


def _settled_on(visit: Visit, form: Form) -> date:
    """The day typed; raises what is wrong with it and with the scenario."""
    try:
        on = parse_day(form["on"])
    except WatchfloorError as error:
        form.refused.add("on", error.what, error.mend)
        return visit.today
    faults = settling.resolution_faults(visit.reading.study, form["scenario"], on, visit.today)
    if faults:
        raise FaultsError(faults)
    return on


def _check_reason(form: Form, action: str) -> None:
    if action != "resolve" and not form["why"]:
        form.refused.add("why", "this needs its reason", "say it in a few words; it stays on record")


def _check_state(visit: Visit, action: str) -> None:
    """Raise where the study is settled already, or is not."""
    settled = visit.reading.known.settled
    if action != "undo" and settled is not None:
        raise desk.SettledError(visit.study_id, settled)
    if action == "undo" and settled is None:
        raise settling.NotSettledError(visit.study_id)


def _review(visit: Visit, form: Form, action: str, on: date | None) -> Response:
    return visit.page(
        "settle.html",
        page="reports",
        form=form,
        action=action,
        on=on,
        name=_names(visit).get(form["scenario"], ""),
        scenario=next((s for s in visit.shown.study.scenarios if s.id == form["scenario"]), None),
        resolution=visit.reading.resolution,
        published=counted(len(told_publications(visit.reading, visit.settings.max_tlp)), "publication"),
    )


def _settled(visit: Visit, form: Form, action: str, on: date | None) -> str:
    """Do it; what to tell of it."""
    ledger, study, author, why = visit.ledger, visit.study_id, visit.person.name, form["why"]
    if action == "undo":
        entry = settling.undo_resolution(ledger, study, why=why, author=author)
        return f"{entry.id}: the study is open again; the resolution before stays on record."
    if action == "void":
        found = settling.resolve_void(ledger, study, why=why, author=author)
        return f"{found.entry}: the study is void and closed."
    assert on is not None
    found = settling.resolve(ledger, study, form["scenario"], on=on, why=why or None, author=author, today=visit.today)
    return f"{found.entry}: the study is resolved, {found.told}. Its scores stand under Record."


ROUTES = [
    Route("/s/{study}/reports", reads(_reports), methods=["GET"]),
    Route("/s/{study}/reports/publish", writes(_publish, role="lead"), methods=["POST"]),
    Route("/s/{study}/reports/settle", writes(_settle, role="lead"), methods=["POST"]),
    Route("/s/{study}/reports/{number}", reads(_publication), methods=["GET"]),
]
