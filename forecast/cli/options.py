"""What the commands share: where the ledger is, which study, the two clocks, who writes, and completion of ids."""

from __future__ import annotations

import functools
import getpass
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from indicators.address import Address, address_of
from indicators.clock import utc_now
from indicators.days import parse_day, parse_moment
from indicators.errors import Fault, FaultsError, WatchfloorError
from indicators.markings import TLP_LEVELS

if TYPE_CHECKING:
    from forecast.reading import Reading
    from forecast.release import Released
    from indicators.ledger import Ledger

__all__ = [
    "LEDGER_FILE",
    "Asked",
    "as_of_day",
    "asked_for",
    "author_option",
    "author_or_user",
    "complete_entry",
    "complete_indicator",
    "complete_scenario",
    "complete_study",
    "file_content",
    "json_option",
    "known_moment",
    "ledger_address",
    "ledger_option",
    "max_tlp_option",
    "named_ledger",
    "open_reading",
    "open_the_ledger",
    "parsed",
    "reading_options",
    "reading_place_options",
    "refuse_over_ledger",
    "writing_options",
]

LEDGER_FILE = "forecast.db"
LARGEST_FILE = 50_000_000
F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


class NoLedgerError(WatchfloorError):
    """No ledger where one was looked for."""


class OverLedgerError(WatchfloorError):
    """An output that would be written over the ledger it comes from."""


class FutureError(WatchfloorError):
    """A clock set to what has not happened yet."""


class FileTooLargeError(WatchfloorError):
    """A file larger than anything a person would hand in."""

    def __init__(self, file: str) -> None:
        what = f"the file has more than {LARGEST_FILE // 1_000_000} MB"
        super().__init__(what, where=file, mend="hand it in in several parts")


def reading_place_options(command: F) -> F:
    """Which ledger and which study."""
    about = "The study; needed only when the ledger holds several."
    study = click.option("--study", metavar="ID", shell_complete=complete_study, help=about)
    return ledger_option(study(command))


def ledger_option(command: F) -> F:
    """Which ledger."""
    about = "The ledger, a file or postgresql:// URL (or FORECAST_LEDGER; else forecast.db here or above)."
    return click.option("--ledger", metavar="PATH|URL", help=about)(command)


def writing_options(command: F) -> F:
    """The options of a command that writes: ledger, study, author."""
    return reading_place_options(author_option(command))


def author_option(command: F) -> F:
    """Who writes."""
    return click.option("--author", metavar="NAME", help="Who writes (or FORECAST_AUTHOR; else your login).")(command)


@dataclass(frozen=True)
class Asked:
    """What a reading command was asked to read: ledger, study, the two clocks, what to leave out, for whom."""

    ledger: str | None
    study: str | None
    as_of: str | None
    known_at: str | None
    without: tuple[str, ...]
    max_tlp: str | None
    without_above: bool
    draws: int
    published: int | None

    def reading(self) -> Reading:
        """What the ledger holds of the study."""
        if self.without_above and self.max_tlp is None:
            raise click.UsageError("--without-above goes with --max-tlp")
        if self.published is None:
            return self._opened(self.known_at)
        if self.as_of is not None or self.known_at is not None:
            raise click.UsageError("--published says the day and what was known; leave --as-of and --known-at out")
        return self._opened(None).published(self.published)

    def _opened(self, known_at: str | None) -> Reading:
        """The reading; for an audience no other study of the ledger is named where this one is not found."""
        from forecast.reading import ChooseStudyError, UnknownStudyError

        try:
            return open_reading(self.ledger, self.study, known_at)[1]
        except (ChooseStudyError, UnknownStudyError) as error:
            if self.max_tlp is None:
                raise
            raise type(error)(error.what, where=error.where, mend="see `forecast study list`") from None

    def released(self) -> Released:
        """The outlook as it may be shown or written; what the gate left out is told on standard error too."""
        now = utc_now()  # before the ledger is read, so that what is added meanwhile is not claimed to be known
        reading = self.reading()
        found = reading.released(
            as_of_day(reading, self.as_of),
            now=now,
            max_tlp=self.max_tlp,
            without_above=self.without_above,
            without=self.without,
            draws=self.draws,
        )
        if found.gap:
            click.echo(f"note: {found.gap}", err=True)
        if found.outlook.stated is not None:
            _tell_departure(found)
        return found


def _tell_departure(found: Released) -> None:
    """Say loudly where this engine makes other numbers of what was published."""
    from forecast.assessment import departure

    told = departure(found.outlook)
    if told:
        click.echo(f"warning: {told}", err=True)


def reading_options(command: F) -> F:
    """The options of a command that reads; it takes them as one `asked`."""
    names = [field.name for field in fields(Asked)]

    @functools.wraps(command)
    def called(**given: Any) -> Any:
        return command(asked=Asked(**{name: given.pop(name) for name in names}), **given)

    options = [
        click.option("--as-of", metavar="DAY", help="The world up to that day; today when left out."),
        click.option("--known-at", metavar="TIME", help="What the ledger held then: a UTC time, or the end of a day."),
        click.option(
            "--without",
            multiple=True,
            metavar="KIND:X",
            help="Leave out source:X, origin:X, indicator:X or entry:X; may be repeated.",
        ),
        max_tlp_option,
        click.option(
            "--without-above", is_flag=True, help="Leave out what is above --max-tlp, and say so, in place of refusing."
        ),
        click.option(
            "--draws",
            type=click.IntRange(100, 100_000),
            default=1000,
            show_default=True,
            metavar="N",
            help="Draws behind the bands.",
        ),
        click.option(
            "--published", type=click.IntRange(1), metavar="N", help="As it was published, the Nth time, to the digit."
        ),
    ]
    decorated: Callable[..., Any] = called
    for option in reversed(options):
        decorated = option(decorated)
    return cast("F", reading_place_options(decorated))


def max_tlp_option(command: F) -> F:
    """The strictest handling mark that may leave."""
    about = "The strictest TLP that may leave; refused where it rests on more: clear, green, amber, amber+strict, red."
    return click.option("--max-tlp", metavar="LEVEL", type=click.Choice(TLP_LEVELS), help=about)(command)


def json_option(command: F) -> F:
    """JSON in place of the table."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON in place of the table.")(command)


def asked_for(name: str, own: str | None) -> str | None:
    """The value of an option that may stand before the command or after it, where it counts more; None without one."""
    given = (click.get_current_context().find_root().obj or {}).get(name)
    return own if own is not None else given


def named_ledger(asked: str | None) -> Address | None:
    """The ledger that is named: by the option, else by FORECAST_LEDGER; None when neither is given."""
    named = asked if asked is not None else os.environ.get("FORECAST_LEDGER") or None
    return None if named is None else parsed("--ledger", named, address_of)


def ledger_address(asked: str | None) -> Address:
    """Where the ledger is or would be: the named one, else forecast.db here or in a parent folder, or here."""
    named = named_ledger(asked)
    if named is not None:
        return named
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / LEDGER_FILE).is_file():
            return folder / LEDGER_FILE
    return here / LEDGER_FILE


def refuse_over_ledger(file: str, own: str | None) -> None:
    """Refuse a file to write to that is the ledger itself."""
    address = ledger_address(asked_for("ledger", own))
    if isinstance(address, Path) and address.exists() and Path(file).exists() and Path(file).samefile(address):
        raise OverLedgerError("this is the ledger itself; nothing was written", where=file, mend="name another file")


def parsed(option: str, text: str, parse: Callable[[str], T]) -> T:
    """What a text means; what is wrong with it is told of the option that it was given for."""
    try:
        return parse(text)
    except WatchfloorError as error:
        raise FaultsError([Fault(option, 0, 0, error.what, error.mend)]) from None


def file_content(file: str) -> bytes:
    """The bytes of a file that a person hands in; refused before it fills the memory."""
    with Path(file).open("rb") as stream:
        content = stream.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise FileTooLargeError(file)
    return content


def open_the_ledger(own: str | None) -> Ledger:
    """The ledger of this command; refused with the mend where there is none."""
    from indicators.opening import open_ledger

    asked = asked_for("ledger", own)
    path = ledger_address(asked)
    if named_ledger(asked) is None and isinstance(path, Path) and not path.exists():
        raise NoLedgerError(
            f"no {LEDGER_FILE} here or in a parent folder", where=str(path.parent), mend="make one with `forecast init`"
        )
    ledger = open_ledger(path, clock=utc_now)
    click.get_current_context().call_on_close(ledger.close)
    return ledger


def open_reading(own_ledger: str | None, own_study: str | None, known_at: str | None = None) -> tuple[Ledger, Reading]:
    """The ledger and what it holds of the study."""
    from forecast.reading import chosen_study, read_study

    moment = known_moment(known_at)
    ledger = open_the_ledger(own_ledger)
    study_id = chosen_study(ledger, asked_for("study", own_study), known_at=moment)
    return ledger, read_study(ledger, study_id, known_at=moment)


def known_moment(text: str | None) -> datetime | None:
    """The moment of --known-at; None where it is left out."""
    if text is None:
        return None
    moment, today = parsed("--known-at", text, parse_moment), utc_now().date()
    if moment.date() > today:
        what = f"{text} lies in the future (today is {today}, UTC)"
        raise FutureError(what, where="--known-at", mend="leave it out for what is known now")
    return moment


def as_of_day(reading: Reading, text: str | None) -> date:
    """The as-of day: the one asked for, else the day of known-at, else today; at most the horizon."""
    today = utc_now().date()
    if text is not None:
        day = parsed("--as-of", text, parse_day)
        if day > today:
            raise FutureError(
                f"{day} lies in the future (today is {today}, UTC)", where="--as-of", mend="give today or a day before"
            )
        return day
    return reading.default_as_of(min(today, reading.known_at.date()) if reading.known_at else today)


def author_or_user(given: str | None) -> str:
    """Who writes: the option, FORECAST_AUTHOR, or the login."""
    from indicators.evidence import read_text

    asked = (given or "").strip() or os.environ.get("FORECAST_AUTHOR", "")
    name = parsed("--author", asked, read_text)
    if not name:
        with suppress(OSError, KeyError, ImportError):
            name = getpass.getuser()
    return name or "unknown"


def _quiet_reading(ctx: click.Context) -> Reading | None:
    """For completion: what there is, or nothing; a TAB never shows an error."""
    with suppress(WatchfloorError, OSError):
        from forecast.reading import chosen_study, read_study
        from indicators.opening import open_ledger

        given = {name: ctx.params.get(name) or ctx.find_root().params.get(name) for name in ("ledger", "study")}
        ledger = open_ledger(ledger_address(given["ledger"]), clock=utc_now)
        return read_study(ledger, chosen_study(ledger, given["study"]))
    return None


def complete_indicator(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Indicator ids that start so."""
    reading = _quiet_reading(ctx)
    return [name for name in reading.study.by_id if name.startswith(incomplete)] if reading else []


def complete_scenario(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Scenario ids that start so."""
    reading = _quiet_reading(ctx)
    return [name for name in reading.study.scenario_ids if name.startswith(incomplete)] if reading else []


def complete_study(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Ids of the ledger's studies that start so."""
    with suppress(WatchfloorError, OSError):
        from indicators.opening import open_ledger

        asked = ctx.params.get("ledger") or ctx.find_root().params.get("ledger")
        studies = open_ledger(ledger_address(asked), clock=utc_now).studies()
        return [name for name in studies if name.startswith(incomplete)]
    return []


def complete_entry(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Ids of reports and coverage that start so."""
    reading = _quiet_reading(ctx)
    return [name for name in reading.known.logged if name.startswith(incomplete)] if reading else []
