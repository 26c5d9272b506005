"""Page log: one report typed, its effect seen before it is saved, and what it did once it is.

A preview goes the whole way that saving goes, on a copy of what is known in memory, and writes nothing. Reports that
may tell the same story are offered, so that copies are merged at entry; an earlier report is corrected for that only
where the person says so, and then in the same batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from forecast.desk import Amendment, TwinError
from forecast.effect import Effect, EffectLine, leaning
from forecast.listing import Source, sources
from forecast.reading import Reading, live_report
from forecast.web.blind import waiting
from forecast.web.refusals import Refusal, refusal
from forecast.web.trying import effect_of, refuse_past, written
from forecast.web.visit import Visit, reads, writes
from forecast.workflow import Tryout, log_report, tried_report, tried_retraction
from indicators.errors import WatchfloorError
from indicators.evidence import FIELDS, Report, read_fields, report_content
from indicators.grades import WORDS, grade_weight, grade_words
from indicators.indicator import Indicator
from indicators.likeness import Alike, alike
from indicators.markings import TLP_LEVELS, exceeds, mark_text

__all__ = ["ROUTES"]

TYPED = ("state", "count", "value", "when", "observed", "from", "to", "source", "letter", "digit", "url", "note")
MORE = ("origin", "event", "tlp", "ref", "same", "mend", "again")
MOST_SOURCES = 300
MANY = 15
"""With more indicators than this, one is found by typing."""

_VALUE = {"state": "state", "count": "count", "milestone": "count", "measure": "value"}


@dataclass
class Sheet:
    """What was typed so far.

    Attributes
    ----------
    indicator : Indicator or None
        None while none is chosen.
    fields : dict of str to str
        As typed.
    asked : str
        What was typed to find an indicator.
    refused : Refusal
        Why it was not saved.
    """

    indicator: Indicator | None
    fields: dict[str, str]
    asked: str = ""
    refused: Refusal = field(default_factory=Refusal)

    @property
    def is_span(self) -> bool:
        """Whether a count over a span of days is typed."""
        return self.indicator is not None and self.indicator.kind == "count" and self.fields.get("when") == "span"

    @property
    def raw(self) -> dict[str, object]:
        """The report, as texts by the fields of a report."""
        assert self.indicator is not None
        days = ("from", "to") if self.is_span else ("observed",)
        names = (*days, _VALUE[self.indicator.kind], "source", "url", "note", "origin", "event", "tlp", "ref")
        grade = self.fields.get("letter", "") + self.fields.get("digit", "")
        given = {"indicator": self.indicator.id, **{name: self.fields.get(name, "") for name in names}, "grade": grade}
        return {name: value for name, value in given.items() if value}


@dataclass
class Merge:
    """How a report is to be merged with an earlier one.

    Attributes
    ----------
    fills : mapping of str to str
        What it then says in fields that were left blank.
    beside : list of Amendment
        What earlier reports need to say for it.
    """

    fills: Mapping[str, str]
    beside: list[Amendment]


@dataclass
class Trial:
    """What saving would do.

    Attributes
    ----------
    refused : Refusal
        What speaks against it so far.
    tryout : Tryout or None
        None while something does.
    effect : Effect or None
        None where there is none to be shown; `untold` then says why.
    grade, words : str
        That counts, and what it says; with its weight.
    alike : list of Alike
    twin : str or None
        An entry with the same content.
    merge : Merge
    counts : bool
        Whether it counts beside the others of its event.
    leaning : str
    """

    refused: Refusal
    grade: str
    words: str
    weight: float
    alike: list[Alike]
    merge: Merge
    tryout: Tryout | None = None
    effect: Effect | None = None
    untold: str = ""
    twin: str | None = None
    counts: bool = True
    leaning: str = ""


def _place(name: str) -> str:
    return "letter" if name == "grade" else name


PLACES = {_place(name): _place(name) for name in FIELDS}


def _log(visit: Visit) -> Response:
    asked = visit.asked("indicator") or ""
    day = visit.shown.default_as_of(visit.today)
    sheet = Sheet(_found(visit.shown, asked), {"observed": day.isoformat(), "when": "day"}, asked)
    return _drawn(visit, sheet)


def _form(visit: Visit) -> Response:
    """The form for the indicator that was chosen, with what was typed still in it."""
    sheet = _sheet(visit)
    if "observed" not in visit.form:
        sheet.fields |= {"observed": visit.shown.default_as_of(visit.today).isoformat(), "when": "day"}
    return _drawn(visit, sheet, part="part-log-form.html")


def _preview(visit: Visit) -> Response:
    """What saving would do; nothing is written."""
    sheet = _sheet(visit)
    trial = _tried(visit, sheet)
    if trial is not None:
        sheet.fields |= {name: value for name, value in trial.merge.fills.items() if not sheet.fields.get(name)}
    return _drawn(visit, sheet, trial=trial, part="part-log-preview.html")


def _save(visit: Visit) -> Response:
    refuse_past(visit)
    sheet = _sheet(visit)
    trial = _tried(visit, sheet)
    if trial is None:
        sheet.refused.add("indicator", "no indicator is chosen", "choose one first")
        return _drawn(visit, sheet, status=422)
    if not trial.refused:
        try:
            entry = written(visit, lambda: _written(visit, sheet, trial.merge), lambda: None)
            return visit.see(visit.address("log", indicator=sheet.raw["indicator"], saved=entry))
        except TwinError as error:
            trial.twin = error.entry
            trial.refused.add("again", error.what, "tick below that it is a second report, or leave it")
        except WatchfloorError as error:
            trial.refused = refusal(error, PLACES)
    sheet.refused = trial.refused
    return _drawn(visit, sheet, trial=trial, status=422)


def _written(visit: Visit, sheet: Sheet, merge: Merge) -> str:
    return log_report(
        visit.ledger,
        visit.study_id,
        {**sheet.raw, **merge.fills},
        author=visit.person.name,
        today=visit.today,
        place=_place,
        beside=merge.beside,
        may_repeat=bool(sheet.fields.get("again")),
        at_hand=visit.reading,
    ).id


def _sheet(visit: Visit) -> Sheet:
    asked = visit.field("indicator")
    fields = {name: visit.field(name) for name in (*TYPED, *MORE)}
    return Sheet(_found(visit.shown, asked), fields, asked)


def _found(reading: Reading, asked: str) -> Indicator | None:
    """The indicator of an id, or the only one in whose id or name a text is; None where that is none or several."""
    by_id = reading.study.by_id
    if asked in by_id:
        return by_id[asked]
    fitting = _fitting(reading, asked) if asked else []
    return fitting[0] if len(fitting) == 1 else None


def _fitting(reading: Reading, asked: str) -> list[Indicator]:
    folded = asked.casefold()
    named = [item for item in reading.study.indicators if not item.retired]
    whole = [item for item in named if folded == item.label.casefold()]
    return whole or [item for item in named if folded in f"{item.id} {item.label}".casefold()]


def _tried(visit: Visit, sheet: Sheet) -> Trial | None:
    """What saving would do; None while no indicator is chosen."""
    if sheet.indicator is None:
        return None
    shown = visit.shown
    values, _ = read_fields(sheet.raw, FIELDS)
    refused = Refusal()
    merge = _merge(shown, sheet, refused)
    grade = shown.study.grade_of(values.get("grade"), values.get("source"))
    earlier = ((logged.entry.id, report) for logged, report in shown.known.reports())
    weight = grade_weight(grade, shown.study.grades)
    trial = Trial(refused, grade, grade_words(grade), weight, alike(values, earlier), merge)
    level = visit.settings.max_tlp
    if level is not None and exceeds(str(values.get("tlp", "clear")), level):
        refused.add("tlp", f"this server shows nothing above {mark_text(level)}", "log it where it may be shown")
    try:
        refuse_past(visit)
        trial.tryout = tried_report(
            shown,
            {**sheet.raw, **merge.fills},
            author=visit.person.name,
            today=visit.today,
            place=_place,
            beside=merge.beside,
        )
    except WatchfloorError as error:
        found = refusal(error, PLACES)
        for name, what in found.fields.items():
            refused.add(name, what)
        refused.others += found.others
        return trial
    _tell(visit, trial)
    return trial


def _tell(visit: Visit, trial: Trial) -> None:
    """Add what a sound report would do."""
    assert trial.tryout is not None
    entry = trial.tryout.entries[-1]
    report = trial.tryout.reading.known.logged[entry.id].record
    assert isinstance(report, Report)
    trial.twin = visit.shown.known.twin_of(report_content(report))
    try:
        trial.effect = effect_of(visit, trial.tryout)
    except WatchfloorError as error:
        trial.untold = str(error)
        return
    outlook = trial.effect.after.outlook
    likelihood = outlook.likelihoods[report.indicator]
    places = [place for place, live in enumerate(likelihood.reports.live) if live.entry == entry.id]
    if places:
        trial.counts = outlook.counts(entry.id)
        trial.leaning = leaning(outlook.study, likelihood.contributions[places[0]])


def _merge(shown: Reading, sheet: Sheet, refused: Refusal) -> Merge:
    """What the choice of an earlier report fills in, and what it needs of others; faults go to `refused`."""
    kind, _, name = sheet.fields.get("same", "").partition(":")
    earlier = shown.known.logged.get(name)
    if kind not in ("story", "event"):
        return Merge({}, [])
    assert sheet.indicator is not None
    if earlier is None or earlier.retracted or not isinstance(earlier.record, Report):
        refused.add("same", f"{name[:20]} is no report that stands", "choose another")
        return Merge({}, [])
    if earlier.record.indicator != sheet.indicator.id:
        return Merge({}, [])
    report, lacking = earlier.record, "origin" if kind == "story" else "event"
    key = getattr(report, lacking) or sheet.fields.get(lacking) or name
    fills = {lacking: key} | ({"event": report.event} if kind == "story" and report.event else {})
    for each, value in fills.items():
        if sheet.fields.get(each) not in (None, "", value):
            refused.add(each, f"{name} has another {each}", "clear this field, or take it as a report of its own")
    beside = _lacking(shown, report, name, lacking, key)
    if beside and not sheet.fields.get("mend"):
        named = ", ".join(item.entry for item in beside)
        refused.add("same", f"{named} has no {lacking} yet", f"tick that {named} gets it too, a correction on record")
    return Merge(fills, beside)


def _lacking(shown: Reading, report: Report, name: str, lacking: str, key: str) -> list[Amendment]:
    """The corrections that give an earlier report, and its copies, what it shares with the new one."""
    if getattr(report, lacking):
        return []
    copies = [name]
    if lacking == "event" and report.origin:
        # Copies without an event are one by their origin; if one alone got an event, they would fall apart.
        copies = [
            logged.entry.id
            for logged, other in shown.known.reports()
            if other.indicator == report.indicator and other.origin == report.origin and not other.event
        ]
    why = "the same story was reported again" if lacking == "origin" else "the same event was reported again"
    return [Amendment(copy, {lacking: key}, why) for copy in copies]


def _drawn(
    visit: Visit, sheet: Sheet, *, trial: Trial | None = None, status: int = 200, part: str = "log.html"
) -> Response:
    shown = visit.shown
    chosen = sheet.indicator
    named = [item for item in shown.study.indicators if not item.retired]
    return visit.page(
        part if visit.is_htmx else "log.html",
        status=status,
        page="log",
        study=shown.study,
        sheet=sheet,
        fields=sheet.fields,
        refused=sheet.refused,
        trial=trial,
        indicators=named,
        many=len(named) > MANY,
        fitting=[] if chosen or not sheet.asked else _fitting(shown, sheet.asked),
        sources=_sources(visit)[:MOST_SOURCES],
        levels=[level for level in TLP_LEVELS if _may_be(level, visit)],
        words=WORDS,
        last=_last(shown, chosen),
        saved=_saved(visit),
        waiting=[] if visit.is_htmx else waiting(visit),
    )


def _may_be(level: str, visit: Visit) -> bool:
    return visit.settings.max_tlp is None or not exceeds(level, visit.settings.max_tlp)


def _sources(visit: Visit) -> list[Source]:
    key = (visit.shown.head.hash, visit.study_id, visit.known_at, "sources")
    return visit.state.listings.get(key, lambda: sources(visit.shown))


def _last(shown: Reading, indicator: Indicator | None) -> tuple[str, Report] | None:
    """The report on an indicator with the latest day."""
    if indicator is None:
        return None
    found = [(log.entry.id, report) for log, report in shown.known.reports() if report.indicator == indicator.id]
    return max(found, key=lambda item: item[1].dated, default=None)


def _saved(visit: Visit) -> dict[str, Any] | None:
    """The report that the address says was just saved, and what it did; None where it names none that stands."""
    name = visit.asked("saved")
    logged = visit.shown.known.logged.get(name or "")
    if name is None or logged is None or logged.retracted or not isinstance(logged.record, Report):
        return None
    study = visit.shown.study
    live = live_report(study, name, logged.entry.seq, logged.record)
    told: dict[str, Any] = {"entry": name, "report": logged.record, "weight": live.rho, "lines": [], "untold": ""}
    told |= {"grade": study.grade_of(logged.record.grade, logged.record.source), "counts": True, "leaning": ""}
    try:
        tryout = tried_retraction(visit.shown, name, author=visit.person.name, today=visit.today)
        found = effect_of(visit, tryout)
    except WatchfloorError as error:
        return told | {"untold": str(error)}
    outlook = found.before.outlook
    contribution = outlook.contribution_of(name)
    if contribution is not None:
        told["leaning"] = leaning(study, contribution.log_likelihoods)
        told["counts"] = outlook.counts(name)
    told["lines"] = [EffectLine(line.name, line.after, line.before) for line in found.lines]
    return told


ROUTES = [
    Route("/s/{study}/log", reads(_log, role="analyst"), methods=["GET"]),
    Route("/s/{study}/log", writes(_save), methods=["POST"]),
    Route("/s/{study}/log/form", writes(_form), methods=["POST"]),
    Route("/s/{study}/log/preview", writes(_preview), methods=["POST"]),
]
