"""The report as a page of Markdown, without its charts; every text of a user is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from forecast.export.markdown_export import escaped
from forecast.publication import Publication
from forecast.release import Released
from forecast.released_record import StudyRecord
from forecast.report.content import Briefing, briefing
from forecast.report.record import RecordPart, TablePart

__all__ = ["provenance_lines", "record_lines", "report_markdown"]


def report_markdown(
    released: Released,
    *,
    since: date | None = None,
    last: Publication | None = None,
    record: StudyRecord | None = None,
) -> str:
    """The report as Markdown, ending in a newline.

    Parameters
    ----------
    released, since, last, record
        As for `forecast.report.content.briefing`.
    """
    told = briefing(released, since=since, last=last, record=record)
    return "\n\n".join([*_front(told), *_annex(told)]) + "\n"


def _front(told: Briefing) -> Iterator[str]:
    yield f"# {escaped(told.title)}"
    yield told.handling
    if told.question:
        yield f"**Question:** {escaped(told.question)}"
    yield f"As of {told.as_of}. The study opened on {told.opens} and is settled on {told.horizon}."
    yield "## Judgement"
    yield escaped(told.judgement)
    yield escaped(told.sureness)
    rows = [(s.name, s.probability_text, s.band, s.change, s.words) for s in told.scenarios]
    yield _table(("Scenario", "Probability", "5 to 95 %", "Change", "In words"), rows)
    yield f"## What changed since {told.since}, and why"
    yield f"{escaped(told.leader)}: from {told.before} to {told.after}. Ten decibans multiply the odds by ten."
    lines = [(m.day, m.what, m.decibans_text) for m in (*told.moves, told.moved)]
    yield _table(("Day", "What", "Decibans"), lines)
    yield "## What would change it"
    yield _list(told.hinges)
    looks = [(look.indicator, look.due, look.bits_per_cost_text) for look in told.looks]
    if looks:
        yield _table(("Where to look next", "Due", "Bits per cost"), looks)
    yield "## What was not looked at, and what else to know"
    yield _list(told.notes)


def _annex(told: Briefing) -> Iterator[str]:
    yield "## Annex: scenarios"
    if told.requirement:
        yield escaped(told.requirement)
    for s in told.scenarios:
        yield f"### {escaped(s.name)}"
        yield escaped(f"Prior {s.prior_text}, now {s.probability_text} ({s.band}). {s.description}")
        yield from (escaped(text) for text in (s.basis, s.resolves_if) if text)
    if told.assumptions:
        yield "### Key assumptions"
        yield _list(told.assumptions)
    yield "## Annex: indicators and their rows"
    for i in told.indicators:
        yield f"### {escaped(i.name)}"
        yield escaped(f"{i.about}. {i.kind}; {i.terms}. Now: {i.stands}. Flip: {i.flip}.".removeprefix(". "))
        yield _table(i.header, i.rows)
    if told.record:
        yield "## Annex: track record"
        yield from record_lines(told.record)
    yield "## Annex: evidence"
    evidence = [
        (e.entry, e.day, e.indicator, e.says, f"{e.grade}, {e.weight}", e.source, e.url, e.note, e.change)
        for e in told.evidence
    ]
    header = ("Entry", "Day", "Indicator", "Finding", "Grade, weight", "Source", "Address", "Note", "Change")
    yield _table(header, evidence)
    yield "## Annex: method"
    yield from map(escaped, told.method)
    yield "## Annex: where it comes from"
    yield _list(provenance_lines(told))


def record_lines(told: RecordPart) -> Iterator[str]:
    """The record of a study, a block each, without its heading."""
    yield escaped(told.stands)
    yield "### What was published"
    yield escaped(told.published)
    yield from map(_captioned, told.publications)
    if told.scored:
        yield escaped(told.scored)
    if told.scores:
        yield _captioned(told.scores)
    yield "### Short-run record"
    yield escaped(told.ran)
    if told.short_run:
        yield _captioned(told.short_run)
    if told.notes:
        yield _list(told.notes)
    if told.suggested:
        yield escaped(told.suggested)
    yield from map(_captioned, told.suggestions)
    if told.house:
        yield "### All resolved studies of the ledger"
        yield escaped(told.house)
    yield from (_captioned(table) for table in (told.studies, told.skills) if table)


def _captioned(table: TablePart) -> str:
    return f"{escaped(table.caption)}:\n\n{_table(table.header, table.rows)}"


def provenance_lines(told: Briefing) -> list[str]:
    """Where the report comes from, a line for each fact."""
    found = told.provenance
    without = [f"Without: {found.without}"] if found.without else []
    return [
        f"Ledger: {found.entries} entries, head {found.head}",
        f"Known at: {found.known_at}",
        f"Study: revision {found.revision_number}, {found.revision}",
        f"Engine: {found.engine}, {found.draws} draws",
        *without,
    ]


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {escaped(line)}" for line in lines)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(c if c == "---" else escaped(c) for c in line) + " |" for line in lines)
