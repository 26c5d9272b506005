"""The command power: what a study can find out before its horizon."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from forecast.cli.options import json_option, max_tlp_option, open_reading, reading_place_options

if TYPE_CHECKING:
    from forecast.power import PairVerdict, Power

__all__ = ["power", "progress_shown"]

_MOST_RUNS = 100_000
_PATIENCE = 1.0
"""Seconds after which progress is shown."""


@click.command(epilog="Example: forecast power --runs 1000 --json > power.json")
@click.option(
    "--runs",
    type=click.IntRange(1, _MOST_RUNS),
    default=200,
    show_default=True,
    help="How often to simulate the study under each scenario.",
)
@click.option(
    "--seed", metavar="N", type=click.IntRange(0), help="Of the simulation; the study revision's own when left out."
)
@click.option("--known-at", metavar="TIME", help="The study as it was then: a UTC time, or the end of a day.")
@click.option(
    "--without",
    multiple=True,
    metavar="KIND:X",
    help="Watch without indicator:X; source:X, origin:X and entry:X change nothing here. May be repeated.",
)
@max_tlp_option
@json_option
@reading_place_options
def power(
    runs: int,
    seed: int | None,
    known_at: str | None,
    without: tuple[str, ...],
    max_tlp: str | None,
    as_json: bool,
    ledger: str | None,
    study: str | None,
) -> None:
    """Simulate the study to its horizon under each scenario: can it find the truth?

    Everybody is taken to look as planned, every report to be graded B2, and the study's own numbers to be right. What
    is logged so far plays no part.
    """
    import numpy as np

    from forecast.power import power as simulated_power

    reading = open_reading(ledger, study, known_at)[1].within(max_tlp)
    chosen = reading.seed if seed is None else seed
    left_out = reading.log(without).silenced
    with progress_shown("simulating") as progress:
        found = simulated_power(
            reading.study, runs=runs, rng=np.random.default_rng(chosen), left_out=left_out, progress=progress
        )
    if as_json:
        click.echo(json.dumps(_as_json(found, chosen, without), ensure_ascii=False))
    else:
        _print(found, "seeded by the study revision" if seed is None else f"seed {seed}", without)


@contextmanager
def progress_shown(what: str, *, clock: Callable[[], float] = time.monotonic) -> Iterator[Callable[[int, int], None]]:
    """Something to tell of work done, and of how much; a bar appears on standard error once it has taken a second.

    The bar leaves nothing behind; where standard error is no terminal there is none.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from forecast.cli.tables import console

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=console(to_stderr=True), transient=True, disable=not sys.stderr.isatty())
    task = bar.add_task(what, total=None)
    began = clock()

    def tell(done: int, total: int) -> None:
        if clock() - began >= _PATIENCE:
            bar.start()
        bar.update(task, completed=done, total=total)

    try:
        yield tell
    finally:
        bar.stop()


def _as_json(found: Power, seed: int, without: tuple[str, ...]) -> dict[str, object]:
    ids = found.study.scenario_ids
    return {
        "study": found.study.study,
        "horizon": found.study.horizon.isoformat(),
        "without": list(without),
        "runs": found.runs,
        "seed": str(seed),  # the revision's own has more digits than a JSON number keeps
        "verdict": found.verdict,
        "scenarios": [
            {
                "id": name,
                "found": float(found.found[k]),
                "found_by": day.isoformat() if (day := found.found_by[k]) else None,
                "ever": float(found.ever[k]),
                "misled": float(found.misled[k]),
                "probability": dict(zip(ids, found.confusion[k].tolist(), strict=True)),
            }
            for k, name in enumerate(ids)
        ],
        "pairs": [
            {
                "scenarios": [ids[pair.first], ids[pair.second]],
                "shares": list(pair.shares),
                "verdict": pair.level,
                "sentence": pair.sentence,
            }
            for pair in found.pairs
        ],
        "indicators": [_indicator_json(found, row, name) for row, name in enumerate(found.study.by_id)],
        "notes": [*found.notes, *_of_no_effect(without)],
    }


def _of_no_effect(without: tuple[str, ...]) -> list[str]:
    """A note where something was left out that plays no part."""
    idle = [item for item in without if not item.startswith("indicator:")]
    return [f"what is logged plays no part here, so without {', '.join(idle)} it is the same"] if idle else []


def _indicator_json(found: Power, row: int, name: str) -> dict[str, object]:
    return {
        "id": name,
        "bits": float(found.added[row]),
        "error": float(found.added_error[row]) if found.runs > 1 else None,
        "by_scenario": dict(zip(found.study.scenario_ids, found.bits[row].tolist(), strict=True)),
    }


def _print(found: Power, seeded: str, without: tuple[str, ...]) -> None:
    """The verdict first, then what it rests on."""
    from rich.text import Text

    from forecast.cli.tables import console, print_left_out, print_table

    out, study = console(), found.study
    out.print(Text(study.label, style="bold"))
    about = f"{found.runs} runs under each scenario, {seeded}; shares are good to {100 * found.margin:.0f} points"
    out.print(Text(about, style="dim"))
    print_left_out(out, without)
    out.print()
    out.print(Text(found.verdict))
    out.print()
    shares = ("it ends at 80 %", "ever there", "a wrong one ends there")
    columns = ("when this is true", shares[0], "median day", *shares[1:])
    print_table(columns, _rows(found), right=shares, wrap=(columns[0], *shares))
    out.print()
    out.print(Text("mean probability at the horizon", style="bold"))
    print_table(("when this is true", *study.scenario_ids), _confusion_rows(found), right=study.scenario_ids)
    out.print()
    out.print(Text("what each indicator adds to the log score, in bits", style="bold"))
    numbers = ("bits", "standard error")
    print_table(("indicator", *numbers), _indicator_rows(found), right=numbers, wrap=("indicator",))
    out.print()
    for pair in _worst_first(found.pairs):
        out.print(Text(pair.sentence))
    for note in [*found.notes, *_of_no_effect(without)]:
        out.print(Text(f"note: {note}", style="yellow"))


def _rows(found: Power) -> list[list[str]]:
    from forecast.power import share_text

    return [
        [
            scenario.label,
            share_text(float(found.found[k])),
            day.isoformat() if (day := found.found_by[k]) else "",
            share_text(float(found.ever[k])),
            share_text(float(found.misled[k])),
        ]
        for k, scenario in enumerate(found.study.scenarios)
    ]


def _confusion_rows(found: Power) -> list[list[str]]:
    from forecast.display import percent

    names = found.study.scenario_ids
    return [[name, *(percent(float(p)) for p in row)] for name, row in zip(names, found.confusion, strict=True)]


def _indicator_rows(found: Power) -> list[list[str]]:
    """The indicators, the one that adds most first."""
    order = sorted(range(len(found.added)), key=lambda row: -float(found.added[row]))
    errors = [f"{error:.3f}" if found.runs > 1 else "" for error in found.added_error.tolist()]
    indicators = found.study.indicators
    return [[indicators[row].label, f"{float(found.added[row]):+.3f}", errors[row]] for row in order]


def _worst_first(pairs: list[PairVerdict]) -> list[PairVerdict]:
    levels = ("cannot", "often", "can")
    return sorted(pairs, key=lambda pair: levels.index(pair.level))
