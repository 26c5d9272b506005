"""Commands about accounts: who may sign in to the pages of this ledger, and as what.

A password is typed at a prompt or comes on standard input; it is never an argument, which others could read in the list
of processes, and never printed.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from forecast.cli.options import F, asked_for, json_option, ledger_address, ledger_option
from forecast.cli.suggesting import SuggestingGroup
from indicators.accounts import LONGEST_PASSWORD, ROLES, UnknownAccountError, sound_name
from indicators.clock import utc_now

if TYPE_CHECKING:
    from indicators.accounts import Accounts

__all__ = ["account"]

_LONGEST_LINE = LONGEST_PASSWORD + 3
"""In characters: enough to see that a password is too long, whatever ends its line."""


@click.group(cls=SuggestingGroup, epilog="Example: forecast account list")
def account() -> None:
    """Say who may sign in to the pages that `forecast serve` shows."""


def password_option(command: F) -> F:
    """Where the password comes from."""
    about = "Read the password from standard input, its first line, in place of a prompt."
    return click.option("--password-stdin", "from_stdin", is_flag=True, help=about)(command)


def name_argument(command: F) -> F:
    """Whose account."""
    return click.argument("name", metavar="NAME")(command)


@account.command(epilog="Example: forecast account add ana --role lead")
@name_argument
@click.option("--role", type=click.Choice(ROLES), required=True, help="What they may do.")
@password_option
@ledger_option
def add(name: str, role: str, from_stdin: bool, ledger: str | None) -> None:
    """Make an account for NAME.

    A reader reads; an analyst also logs and judges; a lead also changes studies, publishes, opens rounds and looks
    after accounts. NAME is what their entries will carry.
    """
    accounts = _opened(ledger)
    made = accounts.add(sound_name(name), role, _password(from_stdin))
    click.echo(f"{made.name}: {made.role} added")


@account.command(name="list", epilog="Example: forecast account list")
@json_option
@ledger_option
def list_(as_json: bool, ledger: str | None) -> None:
    """List the accounts, the closed ones too."""
    found = _opened(ledger).accounts()
    if as_json:
        rows = [{"name": a.name, "role": a.role, "added_at": a.added_at, "closed": a.closed} for a in found]
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    if not found:
        click.echo("no accounts yet; make one with `forecast account add NAME --role lead`")
        return
    from forecast.cli.tables import print_table

    shown = [(a.name, a.role, a.added_at[:10], "closed" if a.closed else "open") for a in found]
    print_table(("name", "role", "added", "state"), shown)


@account.command(epilog="Example: forecast account password ana")
@name_argument
@password_option
@ledger_option
def password(name: str, from_stdin: bool, ledger: str | None) -> None:
    """Give NAME another password."""
    accounts = _opened(ledger)
    if accounts.account(name) is None:
        raise UnknownAccountError(name)
    accounts.set_password(name, _password(from_stdin))
    click.echo(f"{name}: password changed")


@account.command(epilog="Example: forecast account role bo analyst")
@name_argument
@click.argument("role", type=click.Choice(ROLES))
@ledger_option
def role(name: str, role: str, ledger: str | None) -> None:
    """Give NAME another role; the last open lead stays one."""
    _opened(ledger).set_role(name, role)
    click.echo(f"{name}: {role}")


@account.command(epilog="Example: forecast account close bo")
@name_argument
@ledger_option
def close(name: str, ledger: str | None) -> None:
    """Let NAME sign in no more; the name stays theirs, and their entries stay as they are."""
    _opened(ledger).close_account(name)
    click.echo(f"{name}: closed")


@account.command(epilog="Example: forecast account reopen bo")
@name_argument
@ledger_option
def reopen(name: str, ledger: str | None) -> None:
    """Let NAME sign in again, with their old role and password."""
    _opened(ledger).reopen(name)
    click.echo(f"{name}: open")


def _opened(own_ledger: str | None) -> Accounts:
    """The accounts beside the ledger of this command."""
    from indicators.opening import open_accounts

    accounts = open_accounts(ledger_address(asked_for("ledger", own_ledger)), clock=utc_now)
    click.get_current_context().call_on_close(accounts.close)
    return accounts


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline(_LONGEST_LINE).removesuffix("\n").removesuffix("\r")
    if not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask for the password; give --password-stdin")
    found: str = click.prompt("Password", hide_input=True, confirmation_prompt="Once more", err=True)
    return found
