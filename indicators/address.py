"""Where a ledger is: a file, or a PostgreSQL database named by a URL that never shows its password.

Nothing is opened here, and no driver is needed to tell the two apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from indicators.errors import WatchfloorError

__all__ = ["HIDDEN", "Address", "AddressError", "DatabaseAddress", "address_of"]

HIDDEN = "postgresql://..."
"""What is shown of a URL whose password cannot be told from the rest."""

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_POSTGRES = re.compile(r"postgres(ql)?(\+\w+)?:", re.IGNORECASE)
_KEYWORDS = re.compile(r"(^|\s)(host|hostaddr|port|dbname|user|password|passfile|service)\s*=")

# What is shown of a URL is what can be nothing but user, host, port and database. A password with a sign that has a
# meaning in URLs would otherwise spill into the parts beside it.
_PLAIN = re.compile(
    r"postgres(?:ql)?://"
    r"(?:(?P<user>[\w.%-]*)(?::[^@/]*)?@)?"
    r"(?P<hosts>(?:[\w.%-]|\[[0-9a-f:.]+\]|:\d{1,5}(?=[,/?]|$)|,)*)"
    r"(?P<name>/[\w.%-]*)?"
    r"(?:\?.*)?",
    re.DOTALL,
)


class AddressError(WatchfloorError):
    """A name for a ledger that is neither a file nor the URL of a PostgreSQL database; it is not repeated."""

    def __init__(self, what: str) -> None:
        super().__init__(what, mend="give a file, or postgresql://USER@HOST/DATABASE")


@dataclass(frozen=True)
class DatabaseAddress:
    """The URL of a PostgreSQL database, as its users write it; as text it has neither password nor parameters.

    Attributes
    ----------
    url : str
        To the letter, for the driver alone.
    """

    url: str = field(repr=False)

    def __str__(self) -> str:
        parts = _PLAIN.fullmatch(self.url)
        if parts is None:
            return HIDDEN
        user = f"{parts['user']}@" if parts["user"] else ""
        return f"postgresql://{user}{parts['hosts']}{parts['name'] or ''}"


Address: TypeAlias = Path | DatabaseAddress


def address_of(name: str) -> Address:
    """What a person's name for a ledger means.

    Raises
    ------
    AddressError
        A URL of something else, or PostgreSQL's other way of naming a database.
    """
    scheme = _SCHEME.match(name)
    if scheme and scheme[1] in ("postgresql", "postgres"):
        return DatabaseAddress(name)
    if _POSTGRES.match(name):
        raise AddressError("the URL of a PostgreSQL ledger begins with postgresql://")
    if scheme:
        raise AddressError(f'"{scheme[1]}://" is no kind of ledger')
    if _KEYWORDS.search(name):
        raise AddressError("a PostgreSQL ledger is named by a URL")
    return Path(name)
