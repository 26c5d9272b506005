"""The command serve: the watch floor in a browser, on this machine."""

from __future__ import annotations

import gc
import secrets
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import click

from forecast.cli.attaching import attachments_option, known_folder
from forecast.cli.options import (
    asked_for,
    author_option,
    author_or_user,
    ledger_address,
    ledger_option,
    max_tlp_option,
    open_the_ledger,
)
from indicators.clock import utc_now
from indicators.errors import WatchfloorError

if TYPE_CHECKING:
    import socket

    from starlette.applications import Starlette

__all__ = ["serve"]

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

KEPT_OPEN = 75
"""In seconds, how long a browser may leave a connection idle: longer than somebody reads a page."""

A_TURN = 0.001
"""In seconds, how long a thread that computes may keep those waiting that answer; Python's own is 0.005."""

COLLECTING = (10_000, 10, 1_000)
"""How often Python looks for garbage; through all that is kept, which stops every page for as long as a third of a
second at ten thousand reports, a hundred times more seldom than by itself."""


class WebMissingError(WatchfloorError):
    """The pages asked for, where what serves them is not installed."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}, which the pages need, is not installed", mend="pip install 'watchfloor[web]'")


class OpenAddressError(WatchfloorError):
    """An address that others can reach, without accounts for them to sign in with."""

    def __init__(self, host: str) -> None:
        what = f"{host} can be reached by others, and the ledger has no accounts for them to sign in with"
        super().__init__(what, where="--host", mend="make one first: forecast account add NAME --role lead")


@click.command(epilog="Example: forecast serve --port 8765")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where to listen.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="Which port; 0 for any that is free."
)
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="HOST[:PORT]",
    help="A name under which browsers reach it, beside the address; may be repeated.",
)
@click.option("--read-only", is_flag=True, help="Nobody may write, whatever their role.")
@max_tlp_option
@click.option("--without-above", is_flag=True, help="Leave out what is above --max-tlp, in place of refusing.")
@click.option(
    "--draws", type=click.IntRange(100, 100_000), default=1000, show_default=True, help="Draws behind the bands."
)
@attachments_option
@author_option
@ledger_option
def serve(
    host: str,
    port: int,
    names: tuple[str, ...],
    read_only: bool,
    max_tlp: str | None,
    without_above: bool,
    draws: int,
    attachments: str | None,
    author: str | None,
    ledger: str | None,
) -> None:
    """Serve the watch floor to browsers on this machine, and print the address that lets you in.

    It listens on this machine alone unless --host says otherwise, and makes no connection to any other. While the
    ledger has no accounts, the address carries a token that works once; with accounts, people sign in.
    """
    if without_above and max_tlp is None:
        raise click.UsageError("--without-above goes with --max-tlp")
    try:
        import uvicorn  # noqa: F401 - to be refused in words where it is missing

        from forecast.web import Settings, create_app
    except ModuleNotFoundError as error:
        raise WebMissingError(error.name or "Starlette") from None
    from forecast.web.listening import listening_socket

    open_the_ledger(ledger).close()
    with closing(listening_socket(host, port)) as listening:
        bound = listening.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        own = {f"{name}:{bound}" for name in (shown, *(LOOPBACK if shown in LOOPBACK else ()))}
        settings = Settings(
            address=ledger_address(asked_for("ledger", ledger)),
            clock=utc_now,
            author=author_or_user(author),
            hosts=frozenset(own | {name.lower() for name in names}),
            token=secrets.token_urlsafe(32),
            read_only=read_only,
            max_tlp=max_tlp,
            without_above=without_above,
            draws=draws,
            attachments=known_folder(ledger, attachments),
            is_apart=True,
        )
        app = create_app(settings)
        has_accounts = app.state.watchfloor.has_accounts()
        if not has_accounts and shown not in LOOPBACK:
            raise OpenAddressError(host)
        click.echo(f"http://{shown}:{bound}/" + ("" if has_accounts else f"enter?token={settings.token}"))
        click.echo("open this address in a browser; stop the server with Ctrl-C", err=True)
        if shown not in LOOPBACK:
            click.echo("browsers elsewhere can sign in only through a proxy that adds TLS; see --name", err=True)
        _run(app, listening)


def _run(app: Starlette, listening: socket.socket) -> None:
    """Answer until somebody stops it."""
    import uvicorn

    from forecast.web.timed import TimedRequests

    config = uvicorn.Config(
        app,
        http=TimedRequests,
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEPT_OPEN,
    )
    sys.setswitchinterval(A_TURN)
    gc.set_threshold(*COLLECTING)
    uvicorn.Server(config).run(sockets=[listening])
