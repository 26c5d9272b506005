"""The `forecast` command: its list of subcommands, loaded only when called, and the one place where errors become text.

Nothing here imports more than click, so that help and completion answer at once.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
import traceback
from collections.abc import Sequence

import click

from forecast.cli.suggesting import SuggestingGroup
from forecast.version import __version__
from indicators.errors import FaultsError, WatchfloorError, sentence

__all__ = ["cli", "main"]

LONGEST_REFUSAL = 1_000

_COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("setting_up:init", "Make a ledger, with a starter study or a worked case."),
    "demo": ("setting_up:demo", "Build the Japan case in a folder of its own and show it."),
    "study": ("study:study", "Check, record, list and show studies."),
    "log": ("logging:log", "Log one report and see what it does."),
    "import": ("importing:import_", "Log all reports of CSV, JSONL, XLSX or STIX files, or none."),
    "cover": ("logging:cover", "Record that somebody was looking."),
    "amend": ("logging:amend", "Correct a logged report or coverage."),
    "retract": ("logging:retract", "Withdraw a logged report or coverage."),
    "evidence": ("showing:evidence", "List what is logged."),
    "status": ("showing:status", "Show where every scenario and indicator stands."),
    "explain": ("showing:explain", "Show what moved the probabilities, line by line."),
    "watch": ("watching:watch", "Show where to look next, and what is overdue."),
    "power": ("powering:power", "Simulate the study: can it find the truth before its horizon?"),
    "record": ("recording:record", "Show which rows have foretold what was logged, and which mislead."),
    "backtest": ("backtesting:backtest", "Write what the engine would have said on past days, as a table."),
    "chart": ("charting:chart", "Draw a chart of the outlook as PNG, SVG or PDF."),
    "report": ("reporting:report", "Write a report as HTML, PDF, DOCX, Markdown or notebook."),
    "export": ("exporting:export", "Write the outlook as JSON, XLSX, CSV, Parquet, STIX or Markdown."),
    "calendar": ("exporting:calendar", "Write the looks that are due as a calendar (.ics)."),
    "publish": ("publishing:publish", "Put the outlook on record, with an opinion of your own if you like."),
    "publications": ("publishing:publications", "List what was published."),
    "resolve": ("resolving:resolve", "Record what came true, which closes the study."),
    "score": ("scoring:score", "Score what was published of resolved studies, or a table of forecasts."),
    "serve": ("serving:serve", "Serve the watch floor to browsers on this machine."),
    "verify": ("exporting:verify", "Check every link of the ledger."),
    "copy": ("moving:copy", "Copy a ledger, between files and PostgreSQL."),
    "dump": ("moving:dump", "Write every entry of the ledger to a file."),
    "load": ("moving:load", "Put the entries of such a file into a ledger."),
    "account": ("accounts:account", "Say who may sign in to the pages of this ledger."),
    "completion": ("setting_up:completion", "Print the script that completes commands in a shell."),
}


class _Lazy(SuggestingGroup):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module, attribute = _COMMANDS[name][0].split(":")
        command = getattr(importlib.import_module(f"forecast.cli.{module}"), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in _COMMANDS.items()])


@click.group(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: forecast init --case japan-sar && forecast status",
)
@click.option("--ledger", metavar="PATH|URL", help="The ledger (or FORECAST_LEDGER; else forecast.db here or above).")
@click.option("--study", metavar="ID", help="The study; needed only when the ledger holds several.")
@click.version_option(__version__, prog_name="forecast")
@click.pass_context
def cli(ctx: click.Context, ledger: str | None, study: str | None) -> None:
    """Keep the likelihood of every scenario, day by day, from logged evidence."""
    ctx.obj = {"ledger": ledger, "study": study}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        In place of the process's own.
    """
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; its exit code."""
    # Waking the threads of the linear algebra library costs more than arrays of this size ever give back.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _prepare_streams()
    stdout = sys.stdout
    try:
        outcome = cli.main(args=arguments, prog_name="forecast", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        return done.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped; nothing more was written", err=True)
        return 2
    except BrokenPipeError:
        return _reader_has_gone()
    except SystemExit as left:
        # So rich answers a closed pipe, and click, which first puts another stream in the place of the broken one.
        if isinstance(left.__context__, BrokenPipeError) or sys.stdout is not stdout:
            return _reader_has_gone()
        raise
    except Exception as error:
        if os.environ.get("FORECAST_DEBUG"):
            traceback.print_exc()
        if isinstance(error, click.exceptions.NoArgsIsHelpError):
            click.echo(error.format_message(), err=True)
        for refusal in _refusals(error):
            click.echo(f"error: {_on_one_line(refusal)}", err=True)
        return 2
    return outcome if isinstance(outcome, int) else 0


def _prepare_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a sign gets a question mark, not a traceback; data for others is UTF-8.
            is_data = stream is sys.stdout and not stream.isatty()
            stream.reconfigure(encoding="utf-8" if is_data else None, errors="replace")


def _reader_has_gone() -> int:
    """The reader has closed the pipe, as `head` does; what is still buffered has nowhere to go."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _refusals(error: Exception) -> list[str]:
    """What to tell of an error: `where: what; mend`, one for each fault."""
    if isinstance(error, FaultsError):
        return error.lines
    if isinstance(error, WatchfloorError):
        return [str(error)]
    if isinstance(error, click.ClickException):
        return [_usage(error)]
    if isinstance(error, OSError):
        return [_system(error)]
    what = f"a fault of this program ({type(error).__name__}: {error})"
    return [sentence("forecast", what, "please report it, with what FORECAST_DEBUG=1 shows")]


def _usage(error: click.ClickException) -> str:
    """A refusal of the command line itself, with where to read more."""
    ctx = getattr(error, "ctx", None)
    where = ctx.command_path if ctx else "forecast"
    mend = f"see `{where} --help`"
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return sentence(where, "no command is given", mend)
    what = error.format_message().rstrip(".").replace(". Did you mean", "; did you mean")
    return sentence(where, what, "" if ";" in what else mend)


def _system(error: OSError) -> str:
    """A refusal of the operating system."""
    what = error.strerror or str(error)
    return sentence(error.filename or "the system", what, "look at the path, and at what you may do there")


def _on_one_line(text: str) -> str:
    """The text with everything a terminal would obey written out, and cut where it would fill the screen."""
    shown = " ".join(text.split())
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown)
    return shown if len(shown) <= LONGEST_REFUSAL else f"{shown[:LONGEST_REFUSAL]}..."
