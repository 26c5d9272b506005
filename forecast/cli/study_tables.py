"""A recorded study as people see it in a terminal: scenarios, indicators, rows, and what was read off histories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from forecast.cli.tables import console
from forecast.display import aligned, percent
from forecast.study import rates_per_year
from forecast.study_lines import baseline_lines, traits
from indicators.indicator import CountIndicator, MeasureIndicator, MilestoneIndicator, StateIndicator

if TYPE_CHECKING:
    from rich.console import Console

    from forecast.reading import Reading
    from forecast.study import Study
    from indicators.indicator import Indicator

__all__ = ["print_study"]


def _table(*columns: str, right: tuple[str, ...] = (), wrap: tuple[str, ...] = ()) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for name in columns:
        table.add_column(
            escape(name), justify="right" if name in right else "left", no_wrap=name not in wrap, overflow="fold"
        )
    return table


def print_study(reading: Reading) -> None:
    """A study as recorded: its question, scenarios, indicators and rows, and its baselines with how well they fit."""
    out = console()
    study = reading.study
    revision = reading.known.revisions[-1]
    out.print(Text(study.label, style="bold"))
    out.print(Text(study.question))
    out.print(
        Text(
            f"{study.study}, revision {len(reading.known.revisions)} ({revision.id}, {revision.recorded_at[:10]}), "
            f"open {study.opens} to {study.horizon}, TLP {study.tlp}"
            + (f", drift with half-life {study.drift.half_life}" if study.drift else ", no drift"),
            style="dim",
        )
    )
    out.print()
    table = _table("id", "scenario", "prior", "resolves if", right=("prior",), wrap=("resolves if", "scenario"))
    for scenario, prior in zip(study.scenarios, study.prior, strict=True):
        table.add_row(scenario.id, Text(scenario.label), percent(float(prior)), Text(scenario.resolves_if or ""))
    out.print(table)
    out.print()
    for indicator in study.indicators:
        out.print(Text.assemble((indicator.label, "bold"), f"  {indicator.id}, {traits(indicator)}"))
        _print_rows(out, study, indicator)
        out.print()


def _print_rows(out: Console, study: Study, indicator: Indicator) -> None:
    if isinstance(indicator, StateIndicator):
        _print_state_rows(out, study, indicator)
    elif isinstance(indicator, MeasureIndicator):
        _print_measure_rows(out, study, indicator)
    else:
        _print_rates(out, study, indicator)


def _print_state_rows(out: Console, study: Study, indicator: StateIndicator) -> None:
    rows: list[tuple[str, list[str]]] = []
    for scenario in study.scenario_ids:
        row = indicator.likelihoods[scenario]
        for state in _states_of(study, indicator) if isinstance(row, dict) else [""]:
            cells = row[state] if isinstance(row, dict) else row
            named = f"  {scenario}" + (f", {indicator.given} {state}" if state else "")
            # A word is for the last of two states.
            rows.append((named, [f"{p:g}" for p in cells] if isinstance(cells, list) else ["", cells]))
    table = _table("  scenario", *indicator.states, right=tuple(indicator.states))
    columns = [aligned(column) for column in zip(*(cells for _, cells in rows), strict=True)]
    for (named, _), *shown in zip(rows, *columns, strict=True):
        table.add_row(Text(named), *map(Text, shown))
    out.print(table)


def _states_of(study: Study, indicator: StateIndicator) -> list[str]:
    """The states of the indicator that this one is given by, in their order."""
    parent = study.by_id[indicator.given or ""]
    return parent.states if isinstance(parent, StateIndicator) else []


def _print_rates(out: Console, study: Study, indicator: CountIndicator | MilestoneIndicator) -> None:
    rates = rates_per_year(study, indicator).tolist()
    if indicator.baseline is None:
        table = _table("  scenario", "a year", right=("a year",))
        for scenario, text in zip(study.scenario_ids, aligned([f"{rate:g}" for rate in rates]), strict=True):
            table.add_row(Text(f"  {scenario}"), text)
    else:
        _print_baseline(out, study, indicator)
        table = _table("  scenario", "times", "a year", right=("times", "a year"))
        times = aligned([f"{(indicator.multipliers or {})[scenario]:g}" for scenario in study.scenario_ids])
        for scenario, *told in zip(study.scenario_ids, times, aligned([f"{rate:.3g}" for rate in rates]), strict=True):
            table.add_row(Text(f"  {scenario}"), *told)
    out.print(table)


def _print_measure_rows(out: Console, study: Study, indicator: MeasureIndicator) -> None:
    if indicator.baseline is None:
        table = _table("  scenario", "mean and sd", right=("mean and sd",))
        for scenario in study.scenario_ids:
            value = (indicator.values or {})[scenario]
            table.add_row(Text(f"  {scenario}"), f"{value.mean:g} ({value.sd:g})")
    else:
        _print_baseline(out, study, indicator)
        table = _table("  scenario", "shift a year", right=("shift a year",))
        shifts = [(indicator.shifts or {})[scenario] for scenario in study.scenario_ids]
        texts = aligned([f"{shift:+g}" if shift else "0" for shift in shifts])
        for scenario, text in zip(study.scenario_ids, texts, strict=True):
            table.add_row(Text(f"  {scenario}"), text)
    out.print(table)


def _print_baseline(out: Console, study: Study, indicator: Indicator) -> None:
    for line in baseline_lines(study, indicator):
        out.print(Text(f"  {line}"))
