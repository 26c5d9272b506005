"""The command watch: where to look next."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from forecast.cli.options import Asked, json_option, reading_options

if TYPE_CHECKING:
    from datetime import date

    from rich.console import Console
    from rich.text import Text

    from forecast.information import Look
    from forecast.outlook import Outlook
    from forecast.release import Released

__all__ = ["watch"]

_COLUMNS = ("indicator", "due", "bits", "cost", "bits per cost", "the look")


@click.command(epilog="Example: forecast watch --as-of 2026-06-07 --json")
@json_option
@reading_options
def watch(
    as_json: bool,
    asked: Asked,
) -> None:
    """Show where to look next: what is overdue, then what tells most about the scenarios for its cost.

    Bits are what the next look is expected to tell: one tells as much as the answer to an even question of yes or no.
    A look is a report or reading of grade B2 on the day it is due, or what happens until the next look. Of a measure it
    is also shown what each scenario expects to be read then.
    """
    from forecast.information import looks, watch_order

    released = asked.released()
    ordered = watch_order(looks(released.outlook))
    if as_json:
        click.echo(json.dumps(_as_json(released, ordered), ensure_ascii=False))
    else:
        _print(released, ordered)


def _due_days(outlook: Outlook) -> dict[str, date | None]:
    """By indicator the day its look is due, which may have passed; None where no day is set."""
    return {board.indicator.id: board.due for board in outlook.indicator_boards}


def _as_json(released: Released, ordered: list[Look]) -> dict[str, object]:
    from dataclasses import asdict

    from forecast.assessment import flags
    from forecast.information import uncertainty
    from forecast.next_reading import next_readings

    outlook = released.outlook
    due = _due_days(outlook)
    return {
        "study": outlook.study.study,
        "as_of": outlook.as_of.isoformat(),
        "without": list(released.provenance.without),
        "uncertainty_bits": uncertainty(outlook),
        "looks": [
            {
                "indicator": look.indicator.id,
                "kind": look.indicator.kind,
                "due": day.isoformat() if (day := due[look.indicator.id]) else None,
                "overdue": look.overdue,
                "look": look.what,
                "look_on": look.due.isoformat() if look.due else None,
                "bits": look.bits,
                "cost": look.indicator.cost,
                "bits_per_cost": look.bits_per_cost,
            }
            for look in ordered
        ],
        "next": {
            name: {
                "date": coming.day.isoformat(),
                "by_scenario": {scenario: asdict(told) for scenario, told in coming.by_scenario.items()},
            }
            for name, coming in next_readings(outlook).items()
        },
        "flags": flags(outlook, known=released.flags),
    }


def _print(released: Released, ordered: list[Look]) -> None:
    from rich.text import Text

    from forecast.cli.tables import console, print_flags, print_left_out, print_table
    from forecast.display import bits_text, number
    from forecast.information import uncertainty

    out, outlook = console(), released.outlook
    due = _due_days(outlook)
    out.print(Text(outlook.study.label, style="bold"))
    left = f"as of {outlook.as_of}; {uncertainty(outlook):.2f} bits are missing to certainty"
    out.print(Text(left, style="dim"))
    print_left_out(out, released.provenance.without)
    out.print()
    rows: list[list[str | Text]] = [
        [
            look.indicator.label,
            _when(look, due[look.indicator.id], outlook.as_of),
            bits_text(look.bits),
            number(look.indicator.cost),
            bits_text(look.bits_per_cost),
            look.what,
        ]
        for look in ordered
    ]
    print_table(_COLUMNS, rows, right=("bits", "cost", "bits per cost"), wrap=("indicator", "the look"))
    _print_next(out, outlook)
    out.print()
    print_flags(out, released)


def _print_next(out: Console, outlook: Outlook) -> None:
    """What each scenario expects of the next reading of every measure."""
    from rich.text import Text

    from forecast.cli.tables import print_table
    from forecast.display import aligned, number
    from forecast.next_reading import next_readings

    for coming in next_readings(outlook).values():
        unit = coming.indicator.unit
        out.print()
        out.print(Text(f"{coming.indicator.label}, a reading on {coming.day}" + (f", in {unit}" if unit else "")))
        told = [coming.by_scenario[scenario.id] for scenario in outlook.study.scenarios]
        texts = aligned([number(x) for item in told for x in (item.expected, item.low, item.high)])
        rows = [
            [scenario.label, expected, f"{low} to {high}"]
            for scenario, expected, low, high in zip(
                outlook.study.scenarios, texts[::3], texts[1::3], texts[2::3], strict=True
            )
        ]
        print_table(("if this is true", "expected", "5 - 95 %"), rows, right=("expected", "5 - 95 %"))


def _when(look: Look, due: date | None, as_of: date) -> Text:
    from rich.text import Text

    if look.indicator.retired:
        return Text("retired", style="dim")
    if look.overdue and due:
        return Text(f"overdue {(as_of - due).days} d", style="bold red")
    return Text(due.isoformat() if due else "")
