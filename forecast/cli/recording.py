"""The command record: whether what came in was expected of the rows, before it came in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import click

from forecast.cli.options import Asked, json_option, reading_options
from forecast.cli.powering import progress_shown

if TYPE_CHECKING:
    from datetime import date

    from forecast.probability import Floats
    from forecast.release import Released
    from forecast.short_run import IndicatorRecord, ShortRun
    from forecast.suggestion import Suggestion
    from indicators.replay import Known, Logged

__all__ = ["AskedPast", "asked_past", "record"]

_COLUMNS = ("indicator", "scored", "engine", "own past", "gain", "error", "the rows")


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


class AskedPast(NamedTuple):
    """What the ledger holds of the study, as it may leave the house, and the strictest mark of all that is in it.

    That may be stricter than the outlook's: a report that was retracted since is part of the past.
    """

    known: Known
    tlp: str


def asked_past(asked: Asked, released: Released, last: date) -> AskedPast:
    """The past of the study, of reports dated and coverage begun up to a day of the world."""
    from forecast.past import as_known
    from indicators.evidence import Report
    from indicators.markings import strictest

    def wanted(logged: Logged) -> bool:
        return (logged.record.dated if isinstance(logged.record, Report) else logged.record.from_) <= last

    reading = asked.reading()
    kept = reading.listed(wanted, max_tlp=asked.max_tlp, without_above=asked.without_above, without=asked.without)
    tlp = strictest([released.tlp, *(reading.mark_of(logged) for logged in kept)])
    return AskedPast(as_known(reading.known, {logged.entry.id: logged for logged in kept}), tlp)


def _notes(found: ShortRun, past: AskedPast) -> list[str]:
    """What a reader of the record must know beside it."""
    from forecast.display import counted
    from forecast.past import changes

    told = []
    if found.copies:
        told.append(f"{counted(found.copies, 'report')} not scored: told of already by another of the same event")
    if found.retracted:
        told.append(f"{counted(found.retracted, 'report')} not scored: retracted")
    days = {change.recorded_at[:10] for change in changes(past.known)}
    if len(days) == 1:
        told.append(
            f"study and log were all recorded on {days.pop()}: the order of the ledger is all the past there is, and "
            "the rows may have been written with the reports in view"
        )
    return told


def _as_json(released: Released, found: ShortRun, past: AskedPast) -> dict[str, object]:
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
        "notes": _notes(found, past),
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


def _print(released: Released, found: ShortRun, past: AskedPast, *, every: bool) -> None:
    from rich.text import Text

    from forecast.cli.tables import console, print_left_out, print_table
    from forecast.short_run import FEWEST
    from indicators.markings import TLP_LEVELS, mark_text

    out = console()
    out.print(Text(found.study.label, style="bold"))
    out.print(Text(f"short-run record as of {found.as_of}; log scores, lower is better", style="dim"))
    if past.tlp != TLP_LEVELS[0]:
        out.print(Text(mark_text(past.tlp), style="bold"))
    print_left_out(out, released.provenance.without)
    out.print()
    out.print(Text(_verdict(found)))
    out.print()
    print_table(_COLUMNS, [_line(item) for item in found.indicators], right=_COLUMNS[1:-1], wrap=("indicator",))
    about = f"the rows: over two standard errors they serve or mislead, else it is open; below {FEWEST} are too few"
    out.print(Text(about, style="dim"))
    for item in found.indicators:
        if every or item.verdict == "mislead":
            _print_rows(released, item)
    out.print()
    for note in _notes(found, past):
        out.print(Text(f"note: {note}", style="yellow"))


def _verdict(found: ShortRun) -> str:
    """The whole in two sentences."""
    from forecast.display import counted

    if not any(len(item) for item in found.indicators):
        return "Nothing is logged that could be scored."
    told = [
        f"The rows of {', '.join(names)} {verb}."
        for verdict, verb in (("mislead", "mislead"), ("serve", "serve"))
        if (names := [item.indicator.id for item in found.indicators if item.verdict == verdict])
    ]
    scored = counted(sum(len(item) for item in found.indicators), "look")
    return " ".join([f"{scored} scored.", *(told or ["No rows can be told apart yet from the indicator's own past."])])


def _line(item: IndicatorRecord) -> list[str]:
    from forecast.short_run import FEWEST

    if not len(item):
        return [item.indicator.label, "0", "", "", "", "", ""]
    said = item.verdict if len(item) >= FEWEST else "too few"
    gain = f"{item.gain:+.3f}" if abs(item.gain) >= 0.0005 else "0.000"
    numbers = (f"{item.engine:.3f}", f"{item.own_past:.3f}", gain)
    return [item.indicator.label, str(len(item)), *numbers, "" if item.error is None else f"{item.error:.3f}", said]


def _print_rows(released: Released, item: IndicatorRecord) -> None:
    """Stated and suggested numbers of one indicator, scenario by scenario."""
    from rich.text import Text

    from forecast.cli.tables import console, print_table
    from forecast.suggestion import suggestion

    rows, study = suggestion(released.outlook, item.indicator), released.outlook.study
    if rows is None:
        return
    out = console()
    out.print()
    out.print(Text(f"{item.indicator.label}: {_what(item)}", style="bold"))
    lines = [
        [
            scenario.label if u == 0 else "",
            _numbers(stated),
            _numbers(suggested),
            f"{rows.looks[k]:.2f}" if u == 0 else "",
        ]
        for k, scenario in enumerate(study.scenarios)
        for u, (stated, suggested) in enumerate(zip(_by_row(rows.stated[k]), _by_row(rows.suggested[k]), strict=True))
    ]
    counted = _unit(item)
    print_table(("if this is true", "stated", "the log suggests", counted), lines, right=(counted,))


def _what(item: IndicatorRecord) -> str:
    from indicators.indicator import MeasureIndicator, StateIndicator

    if isinstance(item.indicator, StateIndicator):
        return f"rows of {', '.join(item.indicator.states)}"
    return "mean of a reading" if isinstance(item.indicator, MeasureIndicator) else "rate a year"


def _unit(item: IndicatorRecord) -> str:
    """What the log has brought for each scenario: looks at a state, years of looking, or readings."""
    return {"state": "looks", "measure": "readings"}.get(item.indicator.kind, "years")


def _by_row(numbers: Floats) -> list[Floats]:
    """The rows of a scenario: one, or one for each state of the indicator it is given by."""
    return list(numbers) if numbers.ndim == 2 else [numbers.reshape(1)]


def _numbers(row: Floats) -> str:
    from forecast.display import number

    return "  ".join(f"{p:.3f}" for p in row.tolist()) if len(row) > 1 else number(float(row[0]))
