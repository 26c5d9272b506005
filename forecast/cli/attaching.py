"""What the commands share of attached files: in which folder they lie, what of them is not sound, and moving them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from forecast.cli.options import asked_for, ledger_address
from indicators.address import Address
from indicators.attachment import Attachment, AttachmentError
from indicators.attachment_folder import MISSING, SOUND, AttachmentFolder, folder_beside, named_attachments
from indicators.entry import Entry
from indicators.errors import WatchfloorError

__all__ = [
    "attachment_folder",
    "attachments_option",
    "carry_attachments",
    "folder_of",
    "known_folder",
    "named_in",
    "tell_of_attachments",
]

F = TypeVar("F", bound=Callable[..., Any])


class NoFolderError(WatchfloorError):
    """A file to attach, and no folder for it."""

    def __init__(self) -> None:
        what = "a ledger in a database has no folder beside it for attachments"
        mend = "name one that all who log can reach, with --attachments DIR or FORECAST_ATTACHMENTS"
        super().__init__(what, where="--attach", mend=mend)


def attachments_option(command: F) -> F:
    """In which folder attached files lie."""
    about = "The folder of attached files (or FORECAST_ATTACHMENTS; else beside the ledger, when it is a file)."
    return click.option("--attachments", metavar="DIR", type=click.Path(file_okay=False), help=about)(command)


def folder_of(address: Address, asked: str | None = None) -> AttachmentFolder | None:
    """The folder of a ledger's attachments: the one asked for, else that of the environment, else the one beside it."""
    named = asked or os.environ.get("FORECAST_ATTACHMENTS")
    if named:
        return AttachmentFolder(Path(named))
    return AttachmentFolder(folder_beside(address)) if isinstance(address, Path) else None


def known_folder(own_ledger: str | None, asked: str | None) -> AttachmentFolder | None:
    """The folder of this command's ledger; None where none is known."""
    return folder_of(ledger_address(asked_for("ledger", own_ledger)), asked)


def attachment_folder(own_ledger: str | None, asked: str | None) -> AttachmentFolder:
    """The folder of this command's ledger; refused where none is known."""
    folder = known_folder(own_ledger, asked)
    if folder is None:
        raise NoFolderError
    return folder


def named_in(entries: Iterable[Entry]) -> list[Attachment]:
    """Every file that entries name, once; what cannot be read is left to `forecast verify`."""
    found: dict[Attachment, None] = {}
    for entry in entries:
        try:
            found |= dict.fromkeys(named_attachments(entry))
        except AttachmentError:
            continue
    return list(found)


def carry_attachments(entries: Iterable[Entry], here: Address, there: Address) -> None:
    """Copy the files that entries name beside a copy of their ledger; says on standard error what stays behind."""
    named = named_in(entries)
    if not named:
        return
    source, target = folder_of(here), folder_of(there)
    if source is None or target is None:
        click.echo(f"note: {_files(len(named))} named in it, and not copied; move their folder yourself", err=True)
        return
    left = 0
    for attachment in named:
        if target.status(attachment) == SOUND:
            continue
        if source.status(attachment) != SOUND:
            left += 1
            continue
        with target.staged([source.path_of(attachment)], where=str(source.path)) as copies:
            copies[0].put()
    click.echo(f"{_files(len(named) - left)} in {target.path}", err=True)
    if left:
        click.echo(f"note: {_files(left)} {MISSING} or changed in {source.path}, and not copied", err=True)


def tell_of_attachments(entries: Iterable[Entry]) -> None:
    """Say on standard error that the files which entries name do not lie in a dump of them."""
    named = named_in(entries)
    if named:
        click.echo(f"note: {_files(len(named))} named in it and not part of it; move their folder too", err=True)


def _files(n: int) -> str:
    return "1 attached file is" if n == 1 else f"{n} attached files are"
