"""What a report says, as plain values and texts without any form: the same in every format.

The numbers are those of the outlook, read and never computed anew. All texts are on one line, without signs that are
obeyed and not seen; escaping them for a format is that format's affair.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from forecast.assessment import confidence, paragraph, unobserved, words_with_range
from forecast.assessment import flags as all_flags
from forecast.boards import Board
from forecast.display import account, bits_text, number, one_line, percent, points, shortened
from forecast.flip import flips
from forecast.information import looks, watch_order
from forecast.outlook import Contribution, Outlook, Row
from forecast.probability import DECIBAN, Floats, log_odds, log_or_minus_infinity
from forecast.publication import Publication
from forecast.release import Released
from forecast.released_record import StudyRecord
from forecast.report.record import RecordPart, record_part
from forecast.study import Study, baseline_shifts, measure_values, rates_per_year, state_rows
from indicators.indicator import (
    CountIndicator,
    Indicator,
    MeasureIndicator,
    MilestoneIndicator,
    StateIndicator,
)
from indicators.markings import mark_text, strictest

__all__ = [
    "METHOD",
    "Briefing",
    "Evidence",
    "IndicatorPart",
    "LookPart",
    "Move",
    "Provenance",
    "ScenarioPart",
    "briefing",
    "default_since",
]

_MOST_MOVES, _MOST_LOOKS, _MOST_FLIPS = 5, 5, 3
_DAYS_BACK = 30
_NAME, _SOURCE, _NOTE, _SAYS, _URL = 90, 120, 1_000, 160, 500
_ADDRESS = re.compile(r"https?://[^\s<>\"'\\^`{|}]{1,2000}", re.IGNORECASE)

METHOD = (
    "Each scenario has a prior, stated when the study opened. Each indicator has rows, stated in advance: how likely "
    "each thing that may be seen of it is under each scenario. A report multiplies the odds by what its row says, "
    "weakened by its grade: reliability and credibility are averaged into the chance that the report carries "
    "information. Reports of one event, and copies that share an origin, count as one testimony.",
    "Silence counts only where somebody was looking, or where the thing could not stay unseen. With drift, what was "
    "learnt is forgotten at a stated rate, for the answer itself may change. Ten decibans multiply odds by ten; the "
    "decibans of all reports, of silence and of drift add up to the whole move.",
    "The range beside a probability runs from the 5th to the 95th percentile of draws around the stated priors, rows "
    "and grades. Words follow the scale of the study. Confidence is a statement of its own: it speaks of the width of "
    "the leading scenario's range, of how many events stand behind it and of looks that are overdue.",
)
"""How the numbers come about, for a reader without the manual."""


@dataclass(frozen=True)
class ScenarioPart:
    """One scenario. Probabilities are numbers; `probability_text`, `band` and `change` are as people read them."""

    id: str
    name: str
    prior: float
    prior_text: str
    probability: float
    probability_text: str
    low: float
    high: float
    band: str
    words: str
    change: str
    basis: str
    description: str
    resolves_if: str
    is_leader: bool


@dataclass(frozen=True)
class Move:
    """One line of what moved the leading scenario; `decibans` of all lines add up to the whole."""

    day: str
    what: str
    decibans: float
    decibans_text: str


@dataclass(frozen=True)
class LookPart:
    """One look that is worth taking next."""

    indicator: str
    due: str
    overdue: bool
    bits_per_cost: float
    bits_per_cost_text: str


@dataclass(frozen=True)
class IndicatorPart:
    """One indicator with its rows: a header and lines of texts."""

    id: str
    name: str
    kind: str
    about: str
    terms: str
    stands: str
    last_observed: str
    due: str
    flip: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Evidence:
    """One report as logged, with its weight and what it does to the leading scenario."""

    entry: str
    day: str
    indicator: str
    says: str
    grade: str
    weight: str
    source: str
    url: str
    link: str
    note: str
    mark: str
    change: str


@dataclass(frozen=True)
class Provenance:
    """Where it comes from."""

    entries: int
    head: str
    revision: str
    revision_number: int
    engine: str
    known_at: str
    draws: int
    without: str


@dataclass(frozen=True)
class Briefing:
    """A report.

    Attributes
    ----------
    handling : str
        The mark, and what was left out where something was.
    judgement, sureness : str
        The paragraph; confidence as a sentence of its own.
    since : str
        What the moves are counted from, as people read it.
    moves : tuple of Move
        Lines that add up to `moved`, from `before` to `after` for the leading scenario.
    hinges, looks, notes : tuple
        What would change it; where to look next; what was not looked at and what else a reader must know.
    record : RecordPart or None
        What was published, and did it come true; None where the ledger was not asked.
    """

    title: str
    question: str
    requirement: str
    assumptions: tuple[str, ...]
    mark: str
    handling: str
    gap: str
    as_of: str
    opens: str
    horizon: str
    reports: int
    judgement: str
    sureness: str
    leader: str
    since: str
    before: str
    after: str
    moves: tuple[Move, ...]
    moved: Move
    hinges: tuple[str, ...]
    looks: tuple[LookPart, ...]
    notes: tuple[str, ...]
    scenarios: tuple[ScenarioPart, ...]
    indicators: tuple[IndicatorPart, ...]
    record: RecordPart | None
    evidence: tuple[Evidence, ...]
    method: tuple[str, ...]
    provenance: Provenance


def default_since(outlook: Outlook) -> date | None:
    """Thirty days before the as-of day, or the first day; None, from the priors on, where that is the as-of day."""
    day = max(outlook.study.opens, outlook.as_of - timedelta(days=_DAYS_BACK))
    return day if day < outlook.as_of else None


def briefing(
    released: Released,
    *,
    since: date | None = None,
    last: Publication | None = None,
    record: StudyRecord | None = None,
) -> Briefing:
    """What a report of an outlook says.

    Parameters
    ----------
    released : Released
        What the gate lets out.
    since : date, optional
        What changed after that day; left out, since the last publication, else in thirty days.
    last : Publication, optional
        The one before the outlook's day. Its numbers are where the moves begin, unless `since` is given or something
        is left out of the outlook, which makes them incomparable.
    record : StudyRecord, optional
        What may be told of the study's record. The report then has the stricter of both marks.

    Raises
    ------
    AsOfError
        `since` lies outside the study.
    """
    outlook, study = released.outlook, released.outlook.study
    last = last if since is None and last is not None and last.as_of < outlook.as_of else None
    day = since or (last.as_of if last else default_since(outlook))
    moves = _Moves.of(outlook, day, _comparable(released, last))
    sure = confidence(outlook)
    sureness = f"Confidence is {sure.level}: {sure.why}."
    whole = paragraph(outlook, since=day or study.opens)
    said = f"publication {last.number}, as of {last.as_of}" if last else str(day) if day else "the priors"
    mark = mark_text(strictest([released.tlp, record.tlp])) if record else released.mark
    return Briefing(
        title=one_line(study.label),
        question=one_line(study.question),
        requirement=one_line(study.requirement or ""),
        assumptions=tuple(map(one_line, study.assumptions)),
        mark=mark,
        handling=f"{mark}. {released.gap}" if released.gap else mark,
        gap=released.gap,
        as_of=str(outlook.as_of),
        opens=str(study.opens),
        horizon=str(study.horizon),
        reports=len(outlook.report_contributions),
        judgement=one_line(whole.removesuffix(sureness)),
        sureness=sureness,
        leader=one_line(study.scenarios[moves.leader].label),
        since=said,
        before=percent(moves.before),
        after=percent(moves.after),
        moves=tuple(moves.lines()),
        moved=moves.total(),
        hinges=tuple(_hinges(outlook)),
        looks=tuple(_looks(outlook)),
        notes=tuple(_notes(released)),
        scenarios=tuple(_scenarios(outlook, moves.start)),
        indicators=tuple(_indicators(outlook)),
        record=record_part(record, study) if record else None,
        evidence=tuple(_evidence(outlook, item, moves.leader) for item in outlook.report_contributions),
        method=METHOD,
        provenance=_provenance(released),
    )


def _comparable(released: Released, last: Publication | None) -> Floats | None:
    """The numbers last published, where they are of the same scenarios and of all that the outlook rests on."""
    study = released.outlook.study
    if last is None or released.provenance.without:
        return None
    if tuple(said.scenario for said in last.scenarios) != study.scenario_ids:
        return None
    return np.array([said.probability for said in last.scenarios])


@dataclass(frozen=True)
class _Moves:
    """What moved the leader: from the probabilities at the start, by rows, to those of the as-of day."""

    outlook: Outlook
    leader: int
    start: Floats
    rows: list[Row]
    logged_since: float

    @classmethod
    def of(cls, outlook: Outlook, day: date | None, published: Floats | None) -> _Moves:
        rows = outlook.rows_since(day)
        seen = outlook.study.prior if day is None else outlook.course[outlook.study.day_index(day)]
        leader = int(outlook.final.argmax())
        start = seen if published is None else published
        later = 0.0 if published is None else _odds(seen, leader) - _odds(published, leader)
        return cls(outlook, leader, start, rows, later)

    @property
    def before(self) -> float:
        return float(self.start[self.leader])

    @property
    def after(self) -> float:
        return float(self.outlook.final[self.leader])

    def total(self) -> Move:
        step = sum(float(row.log_odds[self.leader]) for row in self.rows) + self.logged_since
        return _move("", "Together", step)

    def lines(self) -> Iterator[Move]:
        """The largest moves by size, each on a line, and the smaller ones together."""
        ordered = sorted(self.rows, key=lambda row: -abs(float(row.log_odds[self.leader])))
        for row in ordered[:_MOST_MOVES]:
            day = str(row.live.report.dated) if row.live else ""
            yield _move(day, _told(self.outlook.study, row), float(row.log_odds[self.leader]))
        rest = [float(row.log_odds[self.leader]) for row in ordered[_MOST_MOVES:]]
        if rest:
            yield _move("", f"{len(rest)} smaller move{'s' if len(rest) > 1 else ''}", sum(rest))
        if abs(self.logged_since) > 1e-9:
            yield _move("", "Logged or corrected since, about the time before", self.logged_since)


def _odds(probabilities: Floats, k: int) -> float:
    return float(log_odds(log_or_minus_infinity(probabilities))[k])


def _move(day: str, what: str, step: float) -> Move:
    decibans = float(step / DECIBAN)
    return Move(day, what, decibans, f"{decibans:+.1f}" if abs(decibans) >= 0.05 else "0.0")


def _told(study: Study, row: Row) -> str:
    if row.what == "drift":
        return "Time passing (drift)"
    label = one_line(study.by_id[row.indicator].label)
    if row.live is None:
        return f"Silence on {label}"
    return shortened(f"{label}: {account(study, row.live.report)}", _SAYS)


def _scenarios(outlook: Outlook, start: Floats) -> Iterator[ScenarioPart]:
    words, leader = words_with_range(outlook), int(outlook.final.argmax())
    for k, scenario in enumerate(outlook.study.scenarios):
        p, prior = float(outlook.final[k]), float(outlook.study.prior[k])
        low, high = float(outlook.bands.low[-1, k]), float(outlook.bands.high[-1, k])
        yield ScenarioPart(
            id=scenario.id,
            name=one_line(scenario.label),
            prior=prior,
            prior_text=percent(prior),
            probability=p,
            probability_text=percent(p),
            low=low,
            high=high,
            band=f"{percent(low)} to {percent(high)}",
            words=words[k],
            change=points(p - float(start[k])),
            basis=one_line(scenario.basis or ""),
            description=one_line(scenario.description or ""),
            resolves_if=one_line(scenario.resolves_if or ""),
            is_leader=k == leader,
        )


def _hinges(outlook: Outlook) -> Iterator[str]:
    found = sorted((at, name) for name, at in flips(outlook).items() if at is not None)
    leader = one_line(outlook.study.scenarios[int(outlook.final.argmax())].label)
    for at, name in found[:_MOST_FLIPS]:
        label = shortened(outlook.study.by_id[name].label, _NAME)
        yield f"If {percent(at)} of the judgement behind “{label}” is given up, {leader} no longer leads."
    if not found:
        yield f"{leader} leads whichever single indicator is judged to say nothing."
    elif len(found) > _MOST_FLIPS:
        yield f"The same holds, for more of it given up, of {len(found) - _MOST_FLIPS} more."


def _looks(outlook: Outlook) -> Iterator[LookPart]:
    active = (look for look in looks(outlook) if not look.indicator.retired)
    for look in watch_order(active)[:_MOST_LOOKS]:
        yield LookPart(
            indicator=shortened(look.indicator.label, _NAME),
            due="overdue" if look.overdue else str(look.due or ""),
            overdue=look.overdue,
            bits_per_cost=look.bits_per_cost,
            bits_per_cost_text=bits_text(look.bits_per_cost),
        )


def _notes(released: Released) -> Iterator[str]:
    outlook = released.outlook
    yield from map(one_line, all_flags(outlook, known=released.flags))
    if not any(board.overdue for board in outlook.indicator_boards):
        yield "no look is overdue"
    if not unobserved(outlook):
        yield "no span of 60 days or more was without reports and without anybody looking"


def _indicators(outlook: Outlook) -> Iterator[IndicatorPart]:
    flip = flips(outlook)
    for board in outlook.indicator_boards:
        indicator = board.indicator
        header, rows = _table(outlook.study, indicator)
        at = flip[indicator.id]
        yield IndicatorPart(
            id=indicator.id,
            name=one_line(indicator.label),
            kind=indicator.kind + (", retired" if indicator.retired else ""),
            about=one_line(indicator.description or indicator.watch_item or ""),
            terms=_terms(indicator),
            stands=_stands(board),
            last_observed=str(board.last_observed or "never"),
            due="" if board.due is None else f"{board.due}{' (overdue)' if board.overdue else ''}",
            flip="none" if at is None else percent(at),
            header=header,
            rows=rows,
        )


def _terms(indicator: Indicator) -> str:
    """What the rows go with, as in the study file."""
    told = [f"confidence {indicator.confidence}"]
    for name in ("persistence", "given", "silence", "check_every"):
        value = getattr(indicator, name, None)
        told += [f"{name.replace('_', ' ')} {value}"] if value else []
    return ", ".join(told)


def _stands(board: Board) -> str:
    coming, indicator = board.expectation, board.indicator
    if coming is None:
        likeliest = sorted(board.states.items(), key=lambda item: -item[1])[:2]
        return ", ".join(f"{one_line(state)} {percent(p)}" for state, p in likeliest)
    if isinstance(indicator, MilestoneIndicator):
        return f"{percent(min(max(coming.expected, 0.0), 1.0))} by the next look"
    unit = indicator.unit if isinstance(indicator, CountIndicator | MeasureIndicator) else None
    span = f"{number(coming.low)} to {number(coming.high)}"
    return one_line(f"{number(coming.expected)} {unit or ''} expected next, {span}")


def _table(study: Study, indicator: Indicator) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """The rows of an indicator: a header, and a line for each scenario."""
    names = [one_line(scenario.label) for scenario in study.scenarios]
    if isinstance(indicator, StateIndicator):
        return _state_table(study, indicator, names)
    if isinstance(indicator, CountIndicator | MilestoneIndicator):
        rates = rates_per_year(study, indicator).tolist()
        return ("Scenario", "A year"), tuple((n, number(r)) for n, r in zip(names, rates, strict=True))
    if indicator.baseline is not None:
        shifts = baseline_shifts(study, indicator).tolist()
        head = ("Scenario", "Shift a year against the baseline")
        return head, tuple((n, f"{s:+g}" if s else "0") for n, s in zip(names, shifts, strict=True))
    means, deviations = (part.tolist() for part in measure_values(study, indicator))
    told = zip(names, map(number, means), map(number, deviations), strict=True)
    return ("Scenario", "Mean", "Standard deviation"), tuple(told)


def _state_table(
    study: Study, indicator: StateIndicator, names: Sequence[str]
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    table, states = state_rows(study, indicator), [one_line(state) for state in indicator.states]
    if indicator.given is None:
        rows = [(name, *map(percent, row[0].tolist())) for name, row in zip(names, table, strict=True)]
        return ("Scenario", *states), tuple(rows)
    parent = study.by_id[indicator.given]
    assert isinstance(parent, StateIndicator)
    rows = [
        (name, one_line(state), *map(percent, row.tolist()))
        for name, block in zip(names, table, strict=True)
        for state, row in zip(parent.states, block, strict=True)
    ]
    return ("Scenario", f"While {shortened(parent.label, 40)} is", *states), tuple(rows)


def _evidence(outlook: Outlook, item: Contribution, leader: int) -> Evidence:
    report, study = item.live.report, outlook.study
    url, grade = one_line(report.url or ""), study.grade_of(report.grade, report.source)
    by = one_line(f"({grade}{', ' + report.source if report.source else ''})")
    return Evidence(
        entry=item.live.entry,
        day=str(report.dated),
        indicator=shortened(study.by_id[report.indicator].label, _NAME),
        says=shortened(account(study, report).removesuffix(by), _SAYS),
        grade=grade,
        weight=f"{item.live.rho:.2f}",
        source=shortened(report.source or "", _SOURCE),
        url=shortened(url, _URL),
        link=url if _ADDRESS.fullmatch(url) else "",
        note=shortened(report.note or "", _NOTE),
        mark=report.tlp or study.tlp,
        change=points(float(item.change[leader])),
    )


def _provenance(released: Released) -> Provenance:
    found = released.provenance
    return Provenance(
        entries=found.head.entries,
        head=found.head.hash,
        revision=found.revision,
        revision_number=found.revision_number,
        engine=found.engine,
        known_at=found.known_at,
        draws=released.outlook.draws,
        without=one_line(", ".join(found.without)),
    )
