"""What a server keeps between requests: settings, the ledger, sessions, what has been worked out. No pages here."""

from __future__ import annotations

import hmac
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from starlette.requests import Request

from forecast.web.apart import Apart
from forecast.web.fresh import Fresh
from forecast.web.known import KnownBrowsers
from forecast.web.sessions import Person, Session, Sessions
from forecast.web.settings import Settings
from forecast.web.shared_ledger import SharedLedger
from forecast.web.shelf import Shelf
from forecast.web.throttle import InHand, InLine, Throttle
from indicators.opening import open_accounts, open_ledger

if TYPE_CHECKING:
    from indicators.accounts import Accounts

__all__ = ["State", "state_of"]

RECHECK = timedelta(seconds=20)
"""How long a closed account, or a changed role, may go unnoticed by a session."""

MOST_MAKERS = 3
"""How many threads make documents, which take seconds; who asks for more than that waits and holds nobody else up."""

MOST_PAGES = 8
"""How many pages are worked out for one person at a time, of the forty that can be; more wait for these."""

MOST_DOCUMENTS = 6
"""How many documents may be made, or wait to be, for one person at a time."""

MOST_HASHING = 2
"""How many passwords are checked at a time."""


class State:
    """What a server keeps between requests; shared by all threads.

    Attributes
    ----------
    settings : Settings
    ledger : SharedLedger
    sessions : Sessions
    readings, outlooks, drawings, documents, listings : Shelf
    makers : ThreadPoolExecutor
        Threads for what takes seconds, apart from those of the pages.
    boards : Fresh
        The last finished board of each study.
    tails, latest : Shelf
        What was logged after a board; the last reading of each study, from which the next goes on.
    apart : Apart or None
        Where boards are worked out, if not here.
    sign_ins, all_sign_ins, writes : Throttle
        Tries to sign in by name or by known browser, and those of strangers whatever the name; what is posted, by
        person.
    known : KnownBrowsers
    in_hand : InHand
        What `makers` have to do, by person.
    lines : InLine
        The pages that are being worked out, by person.
    hashing : BoundedSemaphore
        Held by whoever has a password hashed, which takes 64 MiB.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.ledger = SharedLedger(lambda: open_ledger(settings.address, clock=settings.clock))
        self.sessions = Sessions()
        self.readings, self.outlooks, self.drawings = Shelf(8), Shelf(8), Shelf(200)
        self.listings = Shelf(32)
        self.boards: Fresh[Any] = Fresh(50)
        self.tails, self.latest = Shelf(64), Shelf(8)
        self.apart = Apart() if settings.is_apart else None
        self.documents = Shelf(8)  # few, for they may be large
        self.makers = ThreadPoolExecutor(MOST_MAKERS, thread_name_prefix="making")
        self.sign_ins = Throttle(most=8, within=timedelta(minutes=5))
        self.all_sign_ins = Throttle(most=60, within=timedelta(minutes=5))
        self.writes = Throttle(most=240, within=timedelta(minutes=1))
        self.known, self.in_hand, self.lines = KnownBrowsers(), InHand(MOST_DOCUMENTS), InLine(MOST_PAGES)
        self.hashing = threading.BoundedSemaphore(MOST_HASHING)
        self._token, self._token_lock = settings.token, threading.Lock()

    def accounts(self) -> Accounts:
        """The accounts in the ledger's database, for the calling thread; whoever asks closes them."""
        return open_accounts(self.settings.address, clock=self.settings.clock)

    def has_accounts(self) -> bool:
        """Whether people sign in with names and passwords here."""
        with self.accounts() as found:
            return bool(found.accounts())

    def session(self, token: str | None, now: datetime) -> Session | None:
        """The session of a browser's token, with the role that its person has now.

        It ends with the account, and when somebody chooses another password for it.
        """
        session = self.sessions.found(token, now)
        if session is None or not session.person.has_account or now - session.checked_at < RECHECK:
            return session
        with self.accounts() as found:
            account = found.account(session.person.name)
            chosen_at = found.password_set_at(session.person.name)
        is_older = chosen_at is not None and datetime.fromisoformat(chosen_at) > session.begun_at
        if account is None or account.closed or is_older:
            self.sessions.end_all_of(session.person.name)
            return None
        session.person, session.checked_at = replace(session.person, role=account.role), now
        return session

    def person_of_token(self, token: str) -> Person | None:
        """Whom the one-time token lets in; None where it is not the one, was used before, or there are accounts."""
        with self._token_lock:
            if self._token is None or not hmac.compare_digest(self._token.encode(), token.encode()):
                return None
            if self.has_accounts():
                return None
            self._token = None
        return Person(self.settings.author, "lead")

    @staticmethod
    def address(study: str, page: str, /, **query: object) -> str:
        """The address of a page of a study; None and empty values of the query are left out."""
        given = [(name, value) for name, value in query.items() if value not in (None, "", (), [])]
        text = urlencode(given, doseq=True)
        return f"/s/{quote(study, safe='')}/{page}" + (f"?{text}" if text else "")


def state_of(request: Request) -> State:
    """The state of the server that a request came to."""
    state: State = request.app.state.watchfloor
    return state
