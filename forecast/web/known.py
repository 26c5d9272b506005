"""Browsers in which somebody has signed in before: their tries are counted apart from those of strangers.

Without that, whoever types wrong passwords for a name would keep its owner out. What a browser keeps says nothing and
lets nobody in; it is good for one name, and until the server ends.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

__all__ = ["KNOWN", "KnownBrowsers"]

KNOWN = "watchfloor-known"
"""The cookie."""


class KnownBrowsers:
    """Gives browsers a mark, and knows it again."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def mark(self, name: str) -> str:
        """A mark for a browser in which the owner of a name has signed in."""
        nonce = secrets.token_urlsafe(16)
        return f"{nonce}.{self._sealed(nonce, name)}"

    def known(self, mark: str | None, name: str) -> str | None:
        """What the tries of a browser are counted by; None where its mark is none of ours, or for another name."""
        nonce, _, seal = (mark or "").partition(".")
        return nonce if hmac.compare_digest(seal.encode(), self._sealed(nonce, name).encode()) else None

    def _sealed(self, nonce: str, name: str) -> str:
        return hmac.new(self._secret, f"{nonce} {name}".encode(), hashlib.sha256).hexdigest()
