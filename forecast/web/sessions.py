"""Who is signed in: sessions in the server's memory, known by the hash of a token that only the browser has.

A session ends when its person signs out, after two hours without a request, after twelve in any case, and with the
server.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from indicators.accounts import ROLES

__all__ = ["Person", "Session", "Sessions"]

IDLE = timedelta(hours=2)
WHOLE = timedelta(hours=12)
MOST = 2_000
"""How many sessions there may be; beyond, the one that was idle longest ends."""


@dataclass(frozen=True)
class Person:
    """Somebody who has signed in, and what they may do.

    Attributes
    ----------
    name : str
        In whose name entries are written.
    role : str
        One of `ROLES`.
    has_account : bool
        False for the one who came with the token of a server without accounts.
    """

    name: str
    role: str
    has_account: bool = False

    def may(self, role: str) -> bool:
        """Whether they may do what a role may."""
        return ROLES.index(self.role) >= ROLES.index(role)


@dataclass
class Session:
    """What is kept of one session.

    Attributes
    ----------
    person : Person
    begun_at, seen_at, checked_at : datetime
        The start; the last request; when the account was last looked up.
    notices : list of str
        To be told on the next page, once.
    """

    person: Person
    begun_at: datetime
    seen_at: datetime
    checked_at: datetime
    notices: list[str] = field(default_factory=list)


class Sessions:
    """All sessions of a server; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_hash: dict[str, Session] = {}

    def begin(self, person: Person, now: datetime) -> str:
        """A new session; its token, of 256 bits, is not kept."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._forget_ended(now)
            if len(self._by_hash) >= MOST:
                del self._by_hash[min(self._by_hash, key=lambda name: self._by_hash[name].seen_at)]
            self._by_hash[_hashed(token)] = Session(person, now, now, now)
        return token

    def found(self, token: str | None, now: datetime) -> Session | None:
        """The session of a token, which counts as seen now; None where there is none, or it has ended."""
        if not token:
            return None
        with self._lock:
            session = self._by_hash.get(_hashed(token))
            if session is None or _has_ended(session, now):
                self._by_hash.pop(_hashed(token), None)
                return None
            session.seen_at = now
            return session

    def end(self, token: str | None) -> None:
        """End the session of a token, if there is one."""
        with self._lock:
            self._by_hash.pop(_hashed(token or ""), None)

    def end_all_of(self, name: str) -> None:
        """End every session of a person, as when their account is closed or their password changed."""
        with self._lock:
            self._by_hash = {key: s for key, s in self._by_hash.items() if s.person.name != name}

    def _forget_ended(self, now: datetime) -> None:
        self._by_hash = {key: session for key, session in self._by_hash.items() if not _has_ended(session, now)}


def _has_ended(session: Session, now: datetime) -> bool:
    return now - session.seen_at > IDLE or now - session.begun_at > WHOLE


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
