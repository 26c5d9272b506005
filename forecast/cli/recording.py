"""The command record: whether what came in was expected of the rows, before it came in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from forecast.cli.options import Asked, json_option, reading_options
from forecast.cli.powering import progress_shown

if TYPE_CHECKING:
    from datetime import date

    from forecast.past import ReleasedPast
    from forecast.release import Released
    from forecast.short_run import IndicatorRecord, ShortRun
    from forecast.suggestion import Suggestion

__all__ = ["asked_past", "record"]


@click.command(epilog="Example: forecast record --as-of 2026-06-07 --rows")
@click.option("--rows", is_flag=True, help="Show for every indicator what rows the log would suggest.")
@json_option
@reading_options
def record(rows: bool, as_json: bool, asked: Asked) -> None:
    """Show the short-run record: which rows have foretold what was logged, and which mislead.

    Every report is scored by the chance that it was given from what the ledger held just before it was logged, against
    the indicator's own past frequencies. Scores are log scores, and lower is better; a gain above nought says that the
    rows have helped. Suggested rows are shown beside the stated ones, and never applied.
    """
    from forecast.short_run import short_run

    released = asked.released()
    past = asked_past(asked, released, released.outlook.as_of)
    with progress_shown("going through the ledger") as progress:
        found = short_run(past.known, released.outlook.as_of, silenced=released.outlook.log.silenced, progress=progress)
    if as_json:
        click.echo(json.dumps(_as_json(released, found, past), ensure_ascii=False))
    else:
        _print(released, found, past, every=rows)


def asked_past(asked: Asked, released: Released, last: date) -> ReleasedPast:
    """The past of the study asked for, of reports dated and coverage begun up to a day of the world."""
    from forecast.past import released_past

    return released_past(
        asked.reading(),
        last,
        tlp=released.tlp,
        max_tlp=asked.max_tlp,
        without_above=asked.without_above,
        without=asked.without,
    )


def _as_json(released: Released, found: ShortRun, past: ReleasedPast) -> dict[str, object]:
    from forecast.short_run import notes
    from forecast.suggestion import suggestion

    return {
        "study": found.study.study,
        "as_of": found.as_of.isoformat(),
        "tlp": past.tlp,
        "without": list(released.provenance.without),
        "log_score": found.total,
        "indicators": [
            {
                "id": item.indicator.id,
                "kind": item.indicator.kind,
                "scored": len(item),
                "engine": item.engine if len(item) else None,
                "own_past": item.own_past if len(item) else None,
                "gain": item.gain if len(item) else None,
                "error": item.error,
                "verdict": item.verdict,
                "reports": [
                    {
                        "entry": one.entry or None,
                        "date": one.day.isoformat(),
                        "engine": one.engine,
                        "own_past": one.own_past,
                    }
                    for one in item.scored
                ],
                "rows": _rows_json(found, suggestion(released.outlook, item.indicator)),
            }
            for item in found.indicators
        ],
        "notes": notes(found, past.known),
    }


def _rows_json(found: ShortRun, rows: Suggestion | None) -> dict[str, object] | None:
    if rows is None:
        return None
    return {
        name: {
            "stated": rows.stated[k].tolist(),
            "suggested": rows.suggested[k].tolist(),
            "looks": float(rows.looks[k]),
        }
        for k, name in enumerate(found.study.scenario_ids)
    }


def _print(released: Released, found: ShortRun, past: ReleasedPast, *, every: bool) -> None:
    from rich.text import Text

    from forecast.cli.tables import console, print_left_out, print_table
    from forecast.short_run import COLUMNS, FEWEST, notes
    from indicators.markings import TLP_LEVELS, mark_text

    out = console()
    out.print(Text(found.study.label, style="bold"))
    out.print(Text(f"short-run record as of {found.as_of}; log scores, lower is better", style="dim"))
    if past.tlp != TLP_LEVELS[0]:
        out.print(Text(mark_text(past.tlp), style="bold"))
    print_left_out(out, released.provenance.without)
    out.print()
    out.print(Text(found.said))
    out.print()
    print_table(COLUMNS, [item.cells for item in found.indicators], right=COLUMNS[1:-1], wrap=("indicator",))
    about = f"the rows: over two standard errors they serve or mislead, else it is open; below {FEWEST} are too few"
    out.print(Text(about, style="dim"))
    for item in found.indicators:
        if every or item.verdict == "mislead":
            _print_rows(released, item)
    out.print()
    for note in notes(found, past.known):
        out.print(Text(f"note: {note}", style="yellow"))


def _print_rows(released: Released, item: IndicatorRecord) -> None:
    """Stated and suggested numbers of one indicator, scenario by scenario."""
    from rich.text import Text

    from forecast.cli.tables import console, print_table
    from forecast.suggestion import of_what, suggested_rows, suggestion, unit_of_looks

    rows = suggestion(released.outlook, item.indicator)
    if rows is None:
        return
    out = console()
    out.print()
    out.print(Text(f"{item.indicator.label}: {of_what(item.indicator)}", style="bold"))
    counted = unit_of_looks(item.indicator)
    lines = suggested_rows(released.outlook.study, rows)
    print_table(("if this is true", "stated", "the log suggests", counted), lines, right=(counted,))
