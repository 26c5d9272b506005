"""Page evidence: what was logged, filtered and sorted; each entry whole, with what it did and what became of it.

Only what may be shown is listed, searched, counted or corrected here; an entry above the level is as one that is not.
A file is found by the entry that names it and by its SHA-256, never by a path, and is only ever handed out to be kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import IO, Any, NamedTuple
from urllib.parse import quote

from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from forecast.desk import Amendment
from forecast.display import account, most_changed
from forecast.effect import EffectLine, leaning
from forecast.listing import ORDERS, STANDINGS, Wanted, dated, ordered, weighing
from forecast.outlook import Contribution
from forecast.probability import Floats
from forecast.reading import live_report
from forecast.web.paging import paged
from forecast.web.refusals import Refusal, refusal
from forecast.web.trying import effect_of, refuse_past, written
from forecast.web.visit import Visit, reads, writes
from forecast.workflow import Tryout, amend, retract, tried_amendment, tried_retraction
from indicators.attachment_folder import AttachmentFolder
from indicators.corrections import steps
from indicators.coverage import FIELDS as SPAN_FIELDS
from indicators.coverage import Coverage
from indicators.days import parse_day
from indicators.errors import WatchfloorError
from indicators.evidence import FIELDS, Report, read_text
from indicators.grades import WORDS, grade_words
from indicators.markings import TLP_LEVELS, exceeds, mark_text
from indicators.replay import Logged, amended

__all__ = ["ROUTES"]

MOST_AT_ONCE = 20_000
"""With more reports than this, what each changed is worked out only where the list is sorted by it."""

BLOCK = 1 << 18
LATEST = "logged"

_SIFTS = ("indicator", "source", "grade", "text", "from", "to", "author", "standing", "mark")
_AS_LOGGED = ("attachments", "author")
_PLACES = {name: "letter" if name == "grade" else name for name in (*FIELDS, "detect")} | {"--why": "why"}


class MovedOnError(WatchfloorError):
    """A correction of an entry that somebody else has corrected since the form was opened."""

    def __init__(self, entry: str, by: str) -> None:
        super().__init__(f"{entry} was corrected by {by} since this form was opened", mend="look at it again")


class NoFolderError(WatchfloorError):
    """An attached file asked for where the folder of attachments is not known."""

    def __init__(self) -> None:
        what = "this server does not know the folder of attachments"
        super().__init__(what, mend="start it with --attachments DIR")


class Change(NamedTuple):
    """What a report changed most: how much, and which scenario."""

    points: float
    scenario: str


class Line(NamedTuple):
    """One entry in the list."""

    logged: Logged
    day: date
    label: str
    told: str
    weight: float | None
    change: Change | None
    mark: str


# The list


@dataclass
class Sift:
    """What the address asks of the list.

    Attributes
    ----------
    wanted : Wanted
    order : str
        One of `ORDERS`.
    rising : bool
    typed : dict of str to str
        The fields of the form.
    refused : Refusal
        What cannot be read of it, which is then left out.
    """

    wanted: Wanted
    order: str
    rising: bool
    typed: dict[str, str]
    refused: Refusal


def _sift(visit: Visit) -> Sift:
    typed = {name: visit.asked(name) or "" for name in _SIFTS}
    refused, days = Refusal(), {}
    for name in ("from", "to"):
        try:
            days[name] = parse_day(typed[name]) if typed[name] else None
        except WatchfloorError as error:
            days[name] = None
            refused.add(name, error.what, error.mend)
    if days["from"] and days["to"] and days["to"] < days["from"]:
        refused.add("to", f"the list ends on {days['to']}, before it starts on {days['from']}", "give a later day")
    for name, known in (("standing", list(STANDINGS)), ("mark", list(TLP_LEVELS))):
        if typed[name] and typed[name] not in known:
            refused.add(name, f'"{typed[name][:40]}" is not known', f"one of: {', '.join(known)}")
            typed[name] = ""
    given = {name: typed[name] or None for name in ("indicator", "source", "grade", "text", "author")}
    wanted = Wanted(
        **given, first=days["from"], last=days["to"], standing=typed["standing"] or None, mark=typed["mark"] or None
    )
    sort = visit.asked("sort") or LATEST
    order, rising = sort.removeprefix("-"), sort.startswith("-")
    return Sift(wanted, order if order in ORDERS else LATEST, rising, typed, refused)


def _evidence(visit: Visit) -> Response:
    sift = _sift(visit)
    changes, untold = _changes(visit, sift.order)
    rows = _rows(visit, sift, changes)
    page, place = paged(rows, visit.asked("page"))
    here = {name: value for name, value in sift.typed.items() if value}
    here |= {"known_at": visit.asked("known_at") or ""}
    sort = ("-" if sift.rising else "") + sift.order
    hidden = len(visit.reading.known.logged) - len(visit.shown.known.logged)
    return visit.page(
        "evidence.html",
        status=422 if sift.refused else 200,
        page="evidence",
        study=visit.shown.study,
        sift=sift,
        fields=sift.typed,
        refused=sift.refused,
        lines=_lines(visit, page, changes),
        total=len(rows),
        everything=len(visit.shown.known.logged),
        place=place,
        here=here | {"sort": sort},
        filters=here,
        sort=sort,
        has_changes=bool(changes),
        untold=untold,
        gap=_gap(visit) if hidden else "",
        names=_names(visit),
        words=WORDS,
        levels=[level for level in TLP_LEVELS if not _is_above(level, visit)],
    )


def _is_above(level: str, visit: Visit) -> bool:
    return visit.settings.max_tlp is not None and exceeds(level, visit.settings.max_tlp)


def _gap(visit: Visit) -> str:
    return f"Entries marked above {mark_text(visit.settings.max_tlp or '')} are left out."


def _rows(visit: Visit, sift: Sift, changes: Mapping[str, Change]) -> Sequence[Logged]:
    """The entries asked for, in order; refused where one is above the level and none may be left out."""
    settings, reading = visit.settings, visit.reading
    asked = (reading.head.hash, visit.study_id, visit.known_at, sift.wanted, sift.order, sift.rising)

    def make() -> Sequence[Logged]:
        found = reading.listed(
            lambda logged: sift.wanted.takes(logged, reading),
            max_tlp=settings.max_tlp,
            without_above=settings.without_above,
        )
        size = {name: change.points for name, change in changes.items()}
        return ordered(found, sift.order, study=reading.study, changes=size, rising=sift.rising)

    return visit.state.listings.get(asked, make)


def _changes(visit: Visit, order: str) -> tuple[Mapping[str, Change], str]:
    """What each report changed most; or why that is not told."""
    standing = len(visit.shown.known.logged)
    if standing > MOST_AT_ONCE and order != "change":
        return {}, f"What each of {standing:,} entries changed is worked out when you sort by it."
    try:
        released = visit.released(without=())
    except WatchfloorError as error:
        return {}, f"{error}."
    names = [scenario.label for scenario in released.outlook.study.scenarios]
    key = (visit.reading.head.hash, visit.study_id, visit.known_at, released.outlook.as_of, "changes")

    def make() -> Mapping[str, Change]:
        found = released.outlook.report_contributions
        return {item.live.entry: _most(item.change, names) for item in found}

    return visit.state.listings.get(key, make), ""


def _most(change: Floats, names: Sequence[str]) -> Change:
    k = most_changed(change)[0]
    return Change(float(change[k]), names[k])


def _lines(visit: Visit, page: Sequence[Logged], changes: Mapping[str, Change]) -> list[Line]:
    shown, weight = visit.shown, weighing(visit.shown.study)
    found = []
    for logged in page:
        own = shown.study.by_id.get(logged.record.indicator)
        change = None if logged.retracted else changes.get(logged.entry.id)
        label = own.label if own else logged.record.indicator
        found.append(
            Line(
                logged, dated(logged), label, _told(visit, logged), weight(logged), change, visit.shown.mark_of(logged)
            )
        )
    return found


def _told(visit: Visit, logged: Logged) -> str:
    """What an entry says, in one line."""
    record = logged.record
    if isinstance(record, Coverage):
        return f"looked from {record.from_} to {record.to}, detect {record.detect:g}"
    return account(visit.shown.study, record) if record.indicator in visit.shown.study.by_id else ""


def _names(visit: Visit) -> dict[str, list[str]]:
    """The sources and authors that entries name, for the form."""
    key = (visit.reading.head.hash, visit.study_id, visit.known_at, "names")

    def make() -> dict[str, list[str]]:
        logged = visit.shown.known.logged.values()
        found = {item.record.source for item in logged if isinstance(item.record, Report) and item.record.source}
        return {"sources": sorted(found), "authors": sorted({item.entry.author for item in logged})}

    return visit.state.listings.get(key, make)


# One entry


@dataclass
class Desk:
    """What is being done to an entry on its page.

    Attributes
    ----------
    fields : dict of str to str
        Of the correction, as typed.
    refused : Refusal
    lines : list of EffectLine
        What a correction would do, where a preview of it was asked for.
    untold : str
        Why there is no preview.
    is_correcting : bool
        Whether the form is open.
    """

    fields: dict[str, str]
    refused: Refusal = field(default_factory=Refusal)
    lines: list[EffectLine] = field(default_factory=list)
    untold: str = ""
    is_correcting: bool = False


def _entry(visit: Visit) -> Response:
    logged = _asked(visit)
    return _page(visit, logged, Desk(_texts(logged.record)))


def _asked(visit: Visit) -> Logged:
    """The entry in the address, where it may be shown; one that may not is as one that is not there."""
    return visit.shown.known.named(str(visit.request.path_params["entry"]))


def _texts(record: Report | Coverage) -> dict[str, str]:
    """The fields of a form from a record."""
    found = {name: str(value) for name, value in amended(record, {}).items() if name not in _AS_LOGGED}
    grade = found.pop("grade", "")
    return found | {"letter": grade[:1], "digit": grade[1:]} if isinstance(record, Report) else found


def _page(visit: Visit, logged: Logged, desk: Desk, *, status: int = 200, part: str = "") -> Response:
    shown = visit.shown
    record = logged.record
    return visit.page(
        part if part and visit.is_htmx else "entry.html",
        status=status,
        page="evidence",
        study=shown.study,
        logged=logged,
        record=record,
        indicator=shown.study.by_id.get(record.indicator),
        told=_told(visit, logged),
        mark=shown.mark_of(logged),
        steps=steps(logged),
        rows=_rows_of(record),
        files=_files(visit, record),
        did=_did(visit, logged),
        desk=desk,
        fields=desk.fields,
        refused=desk.refused,
        levels=[level for level in TLP_LEVELS if level == getattr(record, "tlp", None) or not _is_above(level, visit)],
        marks=WORDS,
        may_correct=visit.may("analyst") and visit.known_at is None and not shown.resolution,
        corrections=len(logged.corrections),
        **_weighed(visit, logged),
    )


def _rows_of(record: Report | Coverage) -> list[tuple[str, str]]:
    """The fields of a record that are given, but for those shown elsewhere."""
    content = amended(record, {})
    return [(name, str(value)) for name, value in content.items() if name not in ("attachments", "url", "note")]


def _weighed(visit: Visit, logged: Logged) -> dict[str, Any]:
    """Grade and weight of a report; empty for a span of looking."""
    if not isinstance(logged.record, Report):
        return {"grade": "", "words": "", "weight": None}
    live = live_report(visit.shown.study, logged.entry.id, logged.entry.seq, logged.record)
    grade = visit.shown.study.grade_of(logged.record.grade, logged.record.source)
    return {"grade": grade, "words": grade_words(grade), "weight": live.rho}


def _files(visit: Visit, record: Report | Coverage) -> list[dict[str, Any]]:
    folder = visit.settings.attachments
    return [
        {"file": item, "status": folder.status(item) if folder else ""} for item in getattr(record, "attachments", ())
    ]


@dataclass
class Did:
    """What an entry does to the probabilities; `untold` says why that cannot be told.

    Attributes
    ----------
    lines : list of EffectLine
        The scenarios without it, and with it.
    contribution : Contribution or None
        For a report that is in the outlook.
    leaning : str
    counts : bool
    as_of : str
    """

    lines: list[EffectLine] = field(default_factory=list)
    contribution: Contribution | None = None
    leaning: str = ""
    counts: bool = True
    as_of: str = ""
    untold: str = ""

    @property
    def undone(self) -> list[EffectLine]:
        """The same the other way round: what retracting it does."""
        return [EffectLine(line.name, line.after, line.before) for line in self.lines]


def _did(visit: Visit, logged: Logged) -> Did:
    if logged.retracted:
        return Did(untold="It was retracted and no longer counts.")
    try:
        released = visit.released(without=())
    except WatchfloorError as error:
        return Did(untold=f"{error}.")
    outlook, name = released.outlook, logged.entry.id
    did = Did(contribution=outlook.contribution_of(name), as_of=outlook.as_of.isoformat())
    if did.contribution is not None:
        did.leaning = leaning(outlook.study, did.contribution.log_likelihoods)
        did.counts = outlook.counts(name)
    elif isinstance(logged.record, Report):
        return Did(untold=f"It is dated after {outlook.as_of}, the day that is shown, and does nothing yet.")
    if visit.shown.resolution is None:
        tryout = tried_retraction(visit.shown, name, author=visit.person.name, today=visit.today)
        found = effect_of(visit, tryout).lines
        did.lines = [EffectLine(line.name, line.after, line.before) for line in found]
    elif did.contribution is not None:
        names = [scenario.label for scenario in outlook.study.scenarios]
        without = (outlook.final - did.contribution.change).tolist()
        did.lines = list(map(EffectLine, names, without, outlook.final.tolist()))
    return did


# Correcting and retracting


def _typed(visit: Visit, logged: Logged) -> dict[str, str]:
    names = FIELDS if isinstance(logged.record, Report) else SPAN_FIELDS
    own = ("letter", "digit") if isinstance(logged.record, Report) else ()
    return {name: visit.field(name).replace("\r\n", "\n") for name in (*names, *own, "why") if name != "grade"}


def _amendment(visit: Visit, logged: Logged, typed: Mapping[str, str]) -> Amendment:
    """The fields that the form says otherwise than the record."""
    seen = visit.field("seen")
    if seen != str(len(logged.corrections)):
        raise MovedOnError(logged.entry.id, logged.corrections[-1].id if logged.corrections else logged.entry.id)
    said, asked = _texts(logged.record), {name: value for name, value in typed.items() if name != "why"}
    for each in (said, asked):
        if "letter" in each:
            each["grade"] = each.pop("letter") + each.pop("digit", "")
    changes = {name: value for name, value in asked.items() if name in visit.form or name == "grade"}
    changes = {name: value for name, value in changes.items() if value != said.get(name, "")}
    return Amendment(logged.entry.id, changes, read_text(typed["why"]) or None)


def _correct(visit: Visit) -> Response:
    refuse_past(visit)
    logged = _asked(visit)
    typed = _typed(visit, logged)
    try:
        asked = _amendment(visit, logged, typed)
        done = written(visit, lambda: _amended(visit, asked), lambda: _try_amendment(visit, asked))
    except WatchfloorError as error:
        desk = Desk(typed, refusal(error, _PLACES), is_correcting=True)
        return _page(visit, logged, desk, status=422)
    return _after(visit, logged, f"{done} corrects {logged.entry.id}")


def _amended(visit: Visit, asked: Amendment) -> str:
    return amend(
        visit.ledger,
        visit.study_id,
        asked.entry,
        asked.changes,
        why=asked.why,
        author=visit.person.name,
        today=visit.today,
        place=lambda name: name,
        at_hand=visit.reading,
    ).id


def _try_amendment(visit: Visit, asked: Amendment) -> Tryout:
    author, today = visit.person.name, visit.today
    return tried_amendment(visit.shown, asked, author=author, today=today, place=lambda name: name)


def _preview(visit: Visit) -> Response:
    """What a correction would do; nothing is written."""
    refuse_past(visit)
    logged = _asked(visit)
    typed = _typed(visit, logged)
    desk = Desk(typed, is_correcting=True)
    try:
        tryout = _try_amendment(visit, _amendment(visit, logged, typed))
        desk.lines = effect_of(visit, tryout).lines
        if _is_above(tryout.reading.mark_of(tryout.reading.known.logged[logged.entry.id]), visit):
            desk.untold = "It will then be marked above what is shown here, and no longer be seen on this server."
    except WatchfloorError as error:
        desk.refused = refusal(error, _PLACES)
    return _page(visit, logged, desk, part="part-correction.html")


def _retract(visit: Visit) -> Response:
    refuse_past(visit)
    logged = _asked(visit)
    author, today, name = visit.person.name, visit.today, logged.entry.id
    try:
        why = read_text(visit.field("why"))
        done = written(
            visit,
            lambda: retract(visit.ledger, visit.study_id, name, why=why, author=author),
            lambda: tried_retraction(visit.shown, name, author=author, today=today),
        )
    except WatchfloorError as error:
        desk = Desk(_texts(logged.record))
        found = refusal(error, {"--why": "why-retract"})
        desk.refused = found
        return _page(visit, logged, desk, status=422)
    return _after(visit, logged, f"{done.id} retracts {name}")


def _after(visit: Visit, logged: Logged, notice: str) -> Response:
    """Back to where the person came from: the entry's page, or the form for the next report."""
    if visit.field("back") == "log":
        return visit.see(visit.address("log", indicator=logged.record.indicator), notice=notice)
    if _is_seen_still(visit, logged.entry.id):
        return visit.see(visit.address(f"evidence/{logged.entry.id}"), notice=notice)
    notice += ", which is now marked above what is shown here"
    return visit.see(visit.address("evidence"), notice=notice)


def _is_seen_still(visit: Visit, name: str) -> bool:
    later = Visit(visit.request, visit.state, visit.session, visit.form, visit.now)
    return name in later.shown.known.logged


# Attached files


def _file(visit: Visit) -> Response:
    """An attached file, to be kept and not to be looked at here: whatever it holds, the browser runs none of it."""
    record = _asked(visit).record
    sha256 = str(visit.request.path_params["sha256"])
    named = next((item for item in getattr(record, "attachments", ()) if item.sha256 == sha256), None)
    if named is None:
        raise HTTPException(404)
    folder: AttachmentFolder | None = visit.settings.attachments
    if folder is None:
        raise NoFolderError
    source = folder.opened(named)
    plain = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "._-") else "_" for sign in named.name)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(named.name, safe='')}"
    return StreamingResponse(
        _blocks(source),
        media_type="application/octet-stream",
        headers={"content-disposition": disposition, "content-length": str(named.bytes)},
        background=BackgroundTask(source.close),
    )


def _blocks(source: IO[bytes]) -> Iterator[bytes]:
    while block := source.read(BLOCK):
        yield block


ROUTES = [
    Route("/s/{study}/evidence", reads(_evidence), methods=["GET"]),
    Route("/s/{study}/evidence/{entry}", reads(_entry), methods=["GET"]),
    Route("/s/{study}/evidence/{entry}/correct", writes(_correct), methods=["POST"]),
    Route("/s/{study}/evidence/{entry}/preview", writes(_preview), methods=["POST"]),
    Route("/s/{study}/evidence/{entry}/retract", writes(_retract), methods=["POST"]),
    Route("/s/{study}/evidence/{entry}/files/{sha256}", reads(_file), methods=["GET"]),
]
