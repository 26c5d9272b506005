"""What a server of the pages is told before it starts; nothing here reads a clock, a file or the environment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from indicators.address import Address
from indicators.attachment_folder import AttachmentFolder

__all__ = ["Settings"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the pages are served.

    Attributes
    ----------
    address : Path or DatabaseAddress
        Of the ledger.
    clock : callable
        The present moment, aware.
    author : str
        In whose name entries are written while the ledger has no accounts.
    hosts : frozenset of str
        What a browser may name as the host, with the port: `127.0.0.1:8000`. Every other name is refused, so that no
        foreign page can reach this one under a name of its own.
    token : str or None
        Lets one browser in, once, while the ledger has no accounts; None lets nobody in that way.
    read_only : bool
        Nobody may write, whatever their role.
    max_tlp : str or None
        The strictest handling mark that may be shown.
    without_above : bool
        Leave out what is above it, and say so, in place of refusing.
    draws : int
        Behind low and high.
    attachments : AttachmentFolder or None
        Where attached files lie; None where that is not known.
    is_apart : bool
        Work out boards in a process of its own, so that the engine does not hold up the pages.
    """

    address: Address
    clock: Callable[[], datetime]
    author: str
    hosts: frozenset[str]
    token: str | None = None
    read_only: bool = False
    max_tlp: str | None = None
    without_above: bool = False
    draws: int = 1000
    attachments: AttachmentFolder | None = None
    is_apart: bool = False
