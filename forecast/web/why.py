"""Page why: what moved the probabilities, line by line down to the sum; and what they would be without some of it.

What is left out stands in the address, so that whoever gets it sees the same. The lines, the flip points and the
warnings are the engine's; here they are only put in order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from starlette.responses import Response
from starlette.routing import Route

from forecast.assessment import flags, frequencies, paragraph, words_with_range
from forecast.display import account, counted, largest_rows
from forecast.events import Live
from forecast.flip import flips
from forecast.outlook import Outlook, Row
from forecast.probability import DECIBAN
from forecast.release import Released
from forecast.surprise import ALARM, surprise
from forecast.web.charts import described
from forecast.web.paging import Paged, paged
from forecast.web.refusals import Refusal, refusal
from forecast.web.visit import Visit, reads
from indicators.days import parse_day
from indicators.errors import WatchfloorError

__all__ = ["ROUTES"]

MOST_LINES = 20
"""How many reports have a line of their own, unless all are asked for."""

MOST_NAMES = 40
"""How many sources, and how many origins, can be ticked; others are typed."""

MOST_SURPRISING = 5
BACK = (7, 30, 90)
FIELDS = {"--since": "since", "--scenario": "scenario", "--as-of": "as_of", "--without": "without", "as_of": "as_of"}


class Line(NamedTuple):
    """One line of the explanation.

    Attributes
    ----------
    what : str
        `report`, `silence`, `drift`, or `rest`, other reports together.
    live : Live or None
        The report, for `report`.
    says : str
    decibans : float
        For the scenario that is explained, against all the others.
    """

    what: str
    live: Live | None
    says: str
    decibans: float


class Standing(NamedTuple):
    """Where one scenario stands: before the lines, with everything, and without what is left out."""

    name: str
    before: float
    whole: float
    low: float
    high: float
    words: str
    worlds: int
    without: float | None
    difference: float | None
    leads: bool


class Choice(NamedTuple):
    """Something that can be left out."""

    value: str
    name: str
    reports: int | None
    is_out: bool


@dataclass(frozen=True)
class Findings:
    """What is worked out of an outlook whatever the form asks, and kept with it."""

    flips: list[tuple[str, float | None]]
    score: float | None
    alarm: bool
    surprising: list[tuple[Live, float, str]]
    flags: list[str]


def _why(visit: Visit) -> Response:
    refused = Refusal()
    released = _asked_outlook(visit, refused)
    outlook = released.outlook
    whole = visit.released(without=(), as_of=outlook.as_of).outlook if visit.without else outlook
    since, rows = _asked_rows(visit, outlook, refused)
    k = _asked_scenario(visit, outlook, refused)
    lines, place = _lines(visit, outlook, rows, k)
    choices = _choices(visit, whole)
    return visit.page(
        "why.html",
        status=422 if refused else 200,
        page="why",
        refused=refused,
        released=released,
        outlook=outlook,
        scenario=outlook.study.scenarios[k],
        since=since,
        told=paragraph(outlook, since=since),
        before=float(outlook.before(since)[k]),
        after=float(outlook.final[k]),
        standings=_standings(outlook, whole, since),
        lines=lines,
        widest=max((abs(line.decibans) for line in lines), default=0.0),
        total=sum(float(row.log_odds[k]) for row in rows) / DECIBAN,
        place=place,
        described="" if refused else described(visit, "waterfall", since=since, scenario=visit.asked("scenario")),
        findings=_findings(visit, released),
        alarm=ALARM,
        choices=choices,
        typed=_typed(visit, choices) if refused else "",
        days=_days(visit, outlook),
        here=_here(visit),
    )


# What is asked for


def _asked_outlook(visit: Visit, refused: Refusal) -> Released:
    """The outlook asked for; where the day is none, or what to leave out is not there, the one that is nearest."""
    day = None
    try:
        day = visit.as_of
        return visit.released()
    except WatchfloorError as error:
        found = refusal(error, FIELDS, default="" if day else "as_of")
        if not found.fields:
            raise
        refused.fields |= found.fields
    last = min(visit.today, visit.known_at.date()) if visit.known_at else visit.today
    return visit.released(without=(), as_of=visit.reading.default_as_of(last))


def _asked_rows(visit: Visit, outlook: Outlook, refused: Refusal) -> tuple[date | None, list[Row]]:
    """The day asked for and the rows since; from the priors on where there is none, or none that fits."""
    text = visit.asked("since")
    if text is not None:
        try:
            since = parse_day(text)
            return since, outlook.rows_since(since)
        except WatchfloorError as error:
            refused.fields |= refusal(error, FIELDS, default="since").fields
    return None, outlook.rows_since(None)


def _asked_scenario(visit: Visit, outlook: Outlook, refused: Refusal) -> int:
    """Position of the scenario asked for; of the leading one where there is none."""
    text = visit.asked("scenario")
    if text is not None:
        try:
            return outlook.study.scenario_position(text)
        except WatchfloorError as error:
            refused.fields |= refusal(error, FIELDS, default="scenario").fields
    return int(outlook.final.argmax())


def _here(visit: Visit) -> Mapping[str, object]:
    """What the address asks, to be asked again by its links."""
    names = ("since", "scenario", "as_of", "known_at", "all")
    return {name: visit.asked(name) for name in names} | {"without": visit.without}


def _days(visit: Visit, outlook: Outlook) -> list[tuple[str, date | None]]:
    """Days since which it may be worth asking."""
    found: list[tuple[str, date | None]] = [("the priors", None)]
    if visit.settings.max_tlp is None and visit.reading.publications:
        last = visit.reading.publications[-1]
        if outlook.study.opens <= last.as_of < outlook.as_of:
            found.append((f"publication {last.number}", last.as_of))
    back = ((f"{days} days ago", outlook.as_of - timedelta(days=days)) for days in BACK)
    return found + [(name, day) for name, day in back if day >= outlook.study.opens]


# What is told


def _lines(visit: Visit, outlook: Outlook, rows: list[Row], k: int) -> tuple[list[Line], Paged]:
    """The lines to show, and which page of them it is; the last line is of the reports that have none here."""
    place = Paged(1, 1)
    if visit.asked("all"):
        reports = [row for row in rows if row.what == "report"]
        part, place = paged(reports, visit.asked("page"))
        there = {id(row) for row in part}
        shown = [row for row in rows if row.what != "report"] + list(part)
        rest = [row for row in reports if id(row) not in there]
    else:
        shown, rest = largest_rows(rows, k, MOST_LINES)
    lines = [_line(outlook, row, k) for row in shown]
    if rest:
        together = sum(float(row.log_odds[k]) for row in rest) / DECIBAN
        which = "other" if visit.asked("all") else "smaller"
        lines.append(Line("rest", None, counted(len(rest), f"{which} report"), together))
    return lines, place


def _line(outlook: Outlook, row: Row, k: int) -> Line:
    decibans = float(row.log_odds[k]) / DECIBAN
    if row.live is not None:
        return Line("report", row.live, _told(outlook, row.live), decibans)
    if row.what == "silence":
        return Line("silence", None, f"Silence of {outlook.study.by_id[row.indicator].label}", decibans)
    return Line("drift", None, "Time passing (drift): what was learnt grows old", decibans)


def _told(outlook: Outlook, live: Live) -> str:
    return f"{outlook.study.by_id[live.report.indicator].label}: {account(outlook.study, live.report)}"


def _standings(outlook: Outlook, whole: Outlook, since: date | None) -> list[Standing]:
    before, words, worlds = outlook.before(since), words_with_range(outlook), frequencies(outlook.final)
    is_other = whole is not outlook
    leader = int(outlook.final.argmax())
    return [
        Standing(
            name=scenario.label,
            before=float(before[k]),
            whole=float(whole.final[k]),
            low=float(outlook.bands.low[-1, k]),
            high=float(outlook.bands.high[-1, k]),
            words=words[k],
            worlds=worlds[k],
            without=float(outlook.final[k]) if is_other else None,
            difference=float(outlook.final[k] - whole.final[k]) if is_other else None,
            leads=k == leader,
        )
        for k, scenario in enumerate(outlook.study.scenarios)
    ]


def _findings(visit: Visit, released: Released) -> Findings:
    """Worked out once for all who ask, like the outlook itself."""
    provenance, day = released.provenance, released.outlook.as_of
    key = ("why", provenance.head.hash, visit.study_id, visit.known_at, day, provenance.without)
    return visit.state.drawings.get(key, lambda: _found(released))


def _found(released: Released) -> Findings:
    outlook = released.outlook
    names = {name: indicator.label for name, indicator in outlook.study.by_id.items()}
    turns = sorted(flips(outlook).items(), key=lambda item: (item[1] is None, item[1] or 0.0))
    found = surprise(outlook)
    live = {live.entry: live for likelihood in outlook.likelihoods.values() for live in likelihood.reports.live}
    least = sorted(found.reports, key=lambda item: item[1])[:MOST_SURPRISING]
    return Findings(
        flips=[(names[name], share) for name, share in turns],
        score=found.score,
        alarm=found.alarm,
        surprising=[(live[entry], p, _told(outlook, live[entry])) for entry, p in least],
        flags=flags(outlook, known=released.flags),
    )


# What may be left out


def _choices(visit: Visit, whole: Outlook) -> dict[str, list[Choice]]:
    """What can be left out, by kind: the sources and origins told of most, every indicator, and entries left out."""
    reports = [live.report for found in whole.likelihoods.values() for live in found.reports.live]
    out = set(visit.without)
    labels = {name: indicator.label for name, indicator in whole.study.by_id.items()}
    by_indicator = Counter(report.indicator for report in reports)
    return {
        "source": list(_most_told("source", (report.source for report in reports), out)),
        "origin": list(_most_told("origin", (report.origin for report in reports), out)),
        "indicator": [
            Choice(value, label, by_indicator[name], value in out)
            for name, label in labels.items()
            if (value := f"indicator:{name}")
        ],
        "entry": [
            Choice(value, value.removeprefix("entry:"), None, True)
            for value in visit.without
            if value.startswith("entry:")
        ],
    }


def _typed(visit: Visit, choices: Mapping[str, list[Choice]]) -> str:
    """What was typed to be left out and cannot be ticked."""
    there = {choice.value for kind in choices.values() for choice in kind}
    return next((value for value in visit.without if value not in there), "")


def _most_told(kind: str, names: Iterable[str | None], out: set[str]) -> Iterator[Choice]:
    """Those with most reports, and those that are left out already."""
    for place, (name, count) in enumerate(Counter(name for name in names if name).most_common()):
        value = f"{kind}:{name}"
        if place < MOST_NAMES or value in out:
            yield Choice(value, name, count, value in out)


ROUTES = [Route("/s/{study}/why", reads(_why), methods=["GET"])]
