"""Commands that set things up: init, demo, completion."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from forecast.cli.options import LEDGER_FILE, asked_for, author_option, author_or_user, named_ledger
from indicators.clock import today, utc_now

__all__ = ["completion", "demo", "init"]


@click.command(epilog="Example: forecast init japan --case japan-sar")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False))
@click.option("--case", metavar="NAME", help="Write a worked case and record it: japan-sar.")
@click.option("--ledger", metavar="PATH|URL", help="The ledger to make (or FORECAST_LEDGER; else forecast.db in DIR).")
@author_option
def init(folder: str, case: str | None, ledger: str | None, author: str | None) -> None:
    """Make a ledger in DIR, with a starter study to edit or a worked case.

    Files that are there already stay as they are; one that differs from what would be written is refused.
    """
    from forecast.cases import starter_files, write_files
    from indicators.opening import create_ledger, refuse_other

    where = Path(folder)
    path = named_ledger(asked_for("ledger", ledger)) or where / LEDGER_FILE
    refuse_other(path, clock=utc_now)  # here, before any file is written beside it
    if case is None:
        written = write_files(where, starter_files())
        create_ledger(path, clock=utc_now).close()
        click.echo(f"{path}: ledger ready")
        for name in written:
            click.echo(f"{where / name}: written")
        click.echo("next: edit study.yaml, then `forecast study check study.yaml` and `forecast study add study.yaml`")
        return
    from forecast.cases import case_files, record_case

    files = case_files(case)
    written = write_files(where, files)
    with create_ledger(path, clock=utc_now) as book:
        counts = record_case(book, where, case, author=author_or_user(author), today=today())
    click.echo(f"{path}: ledger ready")
    click.echo(f"{where}: {len(written)} files written, {len(files) - len(written)} there already")
    click.echo(f"{case}: {counts.reports} reports and {counts.coverage} spans of coverage recorded")
    there = "" if where == Path() else f"`cd {shlex.quote(str(where))}`, "
    click.echo(
        f"next: {there}`forecast status`, `forecast explain`, or edit the study and `forecast study add` it again"
    )


@click.command(epilog="Example: forecast demo /tmp/japan")
@click.argument("folder", metavar="[DIR]", default="watchfloor-demo", type=click.Path(file_okay=False))
def demo(folder: str) -> None:
    """Build the Japan case in DIR, show it, and write the outlook as JSON, CSV, Markdown and a chart."""
    from forecast.cases import case_files, record_case, write_files
    from forecast.charts import png, timeline_chart
    from forecast.cli.tables import console, print_explanation, print_status
    from forecast.export import FORMATS, content_of
    from forecast.reading import read_study
    from indicators.opening import create_ledger, refuse_other

    where, name = Path(folder), "japan-sar"
    refuse_other(where / LEDGER_FILE, clock=utc_now)
    write_files(where, case_files(name))
    progress = console(to_stderr=True)
    with create_ledger(where / LEDGER_FILE, clock=utc_now) as book:
        with progress.status("recording the study and its reports"):
            record_case(book, where, name, author=author_or_user(None), today=today())
        reading = read_study(book, name)
        with progress.status("working out the outlook"):
            released = reading.released(reading.default_as_of(today()), now=utc_now())
            outlook = released.outlook
            outlook.report_contributions  # noqa: B018  worked out here, under the display of progress
        print_status(released)
        leader = int(outlook.final.argmax())
        start = float(outlook.study.prior[leader])
        print_explanation(released, outlook.rows_since(None), leader, start=start, most=12)
        made = {}
        with progress.status("writing the outlook"):
            for form, ending in (("json", "json"), ("csv", "csv"), ("markdown", "md")):
                made[f"outlook.{ending}"] = content_of(FORMATS[form].write(released))
        with progress.status("drawing the chart"):
            made["timeline.png"] = png(timeline_chart(released))
    for file, content in made.items():
        (where / file).write_bytes(content)
    click.echo()
    click.echo(f"written to {where}: {', '.join(made)}")
    click.echo("next, in that folder:")
    for line in (
        f"cd {shlex.quote(str(where))}",
        "forecast explain --since 2026-01-01",
        "forecast log amend-road --state timetable --on 2026-06-15 --source Kyodo --note 'a report of your own'",
        "forecast status --without source:Kyodo",
        "forecast evidence --indicator export-rules",
    ):
        click.echo(f"  {line}")


@click.command(epilog='Example: eval "$(forecast completion bash)"')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes commands, options and ids in SHELL."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None
    whole = click.get_current_context().find_root().command
    sys.stdout.write(found(whole, {}, "forecast", "_FORECAST_COMPLETE").source())
