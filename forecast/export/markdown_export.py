"""The outlook as a page of Markdown for people: where it stands, what moved it, what is overdue, how it is settled.

Every text that a user wrote is escaped, so that Markdown, HTML and addresses in it stay the characters they are; line
breaks in it are folded into spaces. The page is plain CommonMark with the tables of GitHub's dialect.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from forecast.assessment import flags as all_flags
from forecast.assessment import paragraph, words_with_range
from forecast.boards import NEXT_DAYS, Board
from forecast.display import account, most_changed, most_moving, number, one_line, percent, points, shortened
from forecast.export.json_export import CHANGE_DAYS
from forecast.outlook import Contribution, Outlook, Provenance
from forecast.release import Released
from indicators.indicator import CountIndicator, MeasureIndicator, MilestoneIndicator

__all__ = ["escaped", "markdown_text"]

_MOST_MOVING = 10
_REPORT_LENGTH = 120
# What a board looks ahead where the study sets no `check_every`.
_ACTIVE = re.compile(r"[\\`*_\[\]{}#~$^@&<>|]|://|(?<=www)\.", re.IGNORECASE)
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}
_STARTS_A_BLOCK = re.compile(r"^(?:(\d+)(?=[.)](?:\s|$))|(?=[-+=:]))")


def markdown_text(released: Released) -> str:
    """The outlook as Markdown, ending in a newline.

    Parameters
    ----------
    released : Released
        What the gate lets out.
    """
    outlook = released.outlook
    parts = [
        *_head(released),
        "## Scenarios",
        _scenarios(outlook),
        "Changes are in percentage points; where there is none, the study was not open yet.",
        "## Indicators",
        _table(("Indicator", "Now", "Last report", "Look due"), map(_indicator, outlook.indicator_boards)),
        "## Reports that moved it most",
        *_reports(outlook),
        *_resolutions(outlook),
        "## Provenance",
        _provenance(released.provenance),
    ]
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """The text on one line, such that a Markdown renderer shows just its characters.

    Examples
    --------
    >>> escaped("*a* | <b>\\n[c](http://d)")
    '\\\\*a\\\\* &#124; &lt;b&gt; \\\\[c\\\\](http\\\\://d)'
    """
    line = _ACTIVE.sub(lambda match: _ENTITIES.get(match[0]) or "\\" + match[0], one_line(text))
    return _STARTS_A_BLOCK.sub(lambda match: f"{match[1] or ''}\\", line)


def _head(released: Released) -> Iterator[str]:
    outlook, study = released.outlook, released.outlook.study
    yield f"# {escaped(study.label)}"
    yield released.mark
    if released.gap:
        yield f"**Left out:** {released.gap}"
    if study.question:
        yield f"**Question:** {escaped(study.question)}"
    yield (
        f"As of {outlook.as_of}, from {_counted(len(outlook.report_contributions), 'report')}. "
        f"The study opened on {study.opens} and is settled on {study.horizon}."
    )
    yield escaped(paragraph(outlook))
    told = all_flags(outlook, known=released.flags)
    if told:
        yield "\n".join(f"- **Flag:** {escaped(flag)}" for flag in told)


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _scenarios(outlook: Outlook) -> str:
    changes = [outlook.change_over(days) for days in CHANGE_DAYS]
    words = words_with_range(outlook)
    header = ("Scenario", "Probability", "5 to 95 %", "In words", *(f"{days} days" for days in CHANGE_DAYS))
    rows = (
        (
            escaped(scenario.label),
            percent(float(outlook.final[k])),
            f"{percent(float(outlook.bands.low[-1, k]))} to {percent(float(outlook.bands.high[-1, k]))}",
            words[k],
            *("" if change is None else points(float(change[k])) for change in changes),
        )
        for k, scenario in enumerate(outlook.study.scenarios)
    )
    return _table(header, rows, right=(1, 2, 4, 5, 6))


def _indicator(board: Board) -> tuple[str, ...]:
    due = "" if board.due is None else f"{board.due}{', **overdue**' if board.overdue else ''}"
    return escaped(board.indicator.label), _stands(board), str(board.last_observed or "none"), due


def _stands(board: Board) -> str:
    """The two likeliest states, or the number expected."""
    indicator, coming = board.indicator, board.expectation
    if coming is None:
        likeliest = sorted(board.states.items(), key=lambda item: -item[1])[:2]
        return ", ".join(f"{escaped(state)} {percent(p)}" for state, p in likeliest)
    if board.occurred:
        return f"happened, weight {board.occurred:.2f}"
    next_days = f"in the next {indicator.check_every or f'{NEXT_DAYS:g} d'}"
    if isinstance(indicator, MilestoneIndicator):
        return f"{percent(coming.expected)} {next_days}"
    span = f"{number(coming.expected)} ({number(coming.low)} to {number(coming.high)})"
    unit = indicator.unit if isinstance(indicator, CountIndicator | MeasureIndicator) else None
    words = (span, escaped(unit or ""), next_days if isinstance(indicator, CountIndicator) else "")
    return " ".join(word for word in words if word)


def _reports(outlook: Outlook) -> Iterator[str]:
    strongest = most_moving(outlook, _MOST_MOVING)
    if not strongest:
        yield "No report has changed anything."
        return
    header = ("Day", "Indicator", "Report", "Effect", "Entry")
    yield _table(header, (_report(outlook, item) for item in strongest))
    yield "The effect is the probability less what it would be had the report not been logged, in percentage points."


def _report(outlook: Outlook, item: Contribution) -> tuple[str, ...]:
    study, report = outlook.study, item.live.report
    says = shortened(account(study, report), _REPORT_LENGTH)
    effect = ", ".join(
        f"{escaped(study.scenarios[k].label)} {points(float(item.change[k]))}" for k in most_changed(item.change)[:2]
    )
    return str(report.dated), escaped(study.indicator(report.indicator).label), escaped(says), effect, item.live.entry


def _resolutions(outlook: Outlook) -> Iterator[str]:
    lines = [
        f"- **{escaped(scenario.label)}**: {escaped(scenario.resolves_if)}"
        for scenario in outlook.study.scenarios
        if scenario.resolves_if
    ]
    if lines:
        yield "## What settles it"
        yield "\n".join(lines)


def _provenance(provenance: Provenance) -> str:
    left_out = "; left out on request: " + ", ".join(map(escaped, provenance.without)) if provenance.without else ""
    return (
        f"Ledger head {provenance.head.entries}:{provenance.head.hash}; study revision {provenance.revision_number} "
        f"({provenance.revision}); engine {provenance.engine}; known at {provenance.known_at}{left_out}."
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """A table whose cells are safe already; the columns at `right` are set flush right."""
    rule = ["---:" if column in right else "---" for column in range(len(header))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *rows))
