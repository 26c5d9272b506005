"""Who may use a team's watch floor, and what they judge before they see each other's rows.

Accounts are kept beside the ledger, in its database, and are no part of it: nothing here goes into the chain, a copy or
an export, and the names in entries stay what they are when an account is closed. An account is never removed, so that
no name can be taken over from somebody whose entries carry it.

A blind round asks several people for the rows of one indicator. Nobody is shown a row of another, the lead who opened
the round included, until everybody has given theirs or a lead has closed the round; from then on nobody can change any.
This room knows no database and no way to hash a password.
"""

from __future__ import annotations

import json
import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self

from indicators.entry import canonical_json
from indicators.errors import WatchfloorError, nearest

__all__ = [
    "LONGEST_NAME",
    "LONGEST_PASSWORD",
    "ROLES",
    "SHORTEST_PASSWORD",
    "Account",
    "AccountError",
    "Accounts",
    "BadNameError",
    "BadPasswordError",
    "BadPeopleError",
    "BadRowsError",
    "ClosedAccountError",
    "Hashing",
    "Judgement",
    "LastLeadError",
    "NameTakenError",
    "NotALeadError",
    "NotInRoundError",
    "Round",
    "RoundDoneError",
    "RoundNotDoneError",
    "RoundOpenError",
    "UnknownAccountError",
    "UnknownRoleError",
    "UnknownRoundError",
    "folded_name",
    "plain_password",
    "rows_text",
    "sound_name",
    "sound_password",
    "sound_role",
]

ROLES = ("reader", "analyst", "lead")
"""From the least to the most: who reads, who also logs and judges, who also opens rounds and looks after accounts."""

LONGEST_NAME = 100
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1_000

_FORMS = 4
"""How many times as long a text may be before it is put into its one form: beyond, that takes minutes."""

# Letters, marks and signs that Unicode calls printable and that show nothing: fillers, joiners, variation selectors.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)

# The ones of at least twelve characters that lists of leaked passwords have near their top; shorter ones are refused
# for their length.
_COMMON_PASSWORDS = (
    *("000000000000", "0123456789ab", "012345678910", "111111111111", "111222333444", "112233445566"),
    *("121212121212", "123123123123", "1234567890-=", "123456789000", "123456789012", "1234567890123"),
    *("12345678901234", "123456789abc", "1234567890qwerty", "123456789a123", "1234qwerasdf", "123qweasdzxc"),
    *("1q2w3e4r5t6y", "1q2w3e4r5t6y7u", "1q2w3e4r5t6y7u8i", "1qaz2wsx3edc", "1qaz2wsx3edc4rfv", "987654321000"),
    *("987654321012", "aaaaaaaaaaaa", "abc123456789", "abcd12345678", "abcdefghijkl", "abcdefghijklm"),
    *("administrator", "administrator1", "asdfasdfasdf", "asdfghjkl123", "asdfghjkl;'\\", "basketball123"),
    *("changeme1234", "changemenow1", "changemeplease", "correct horse battery staple"),
    *("correcthorsebatterystaple", "dragonballz1", "footballfootball", "forecast1234", "iloveyou1234"),
    *("iloveyouiloveyou", "letmein12345", "letmeinletmein", "letmeinplease", "manchesterunited", "minecraft123"),
    *("mypassword12", "mypassword123", "newpassword1", "p@ssw0rd1234", "pa$$word1234", "passw0rd1234"),
    *("password1234", "password12345", "password123456", "password1234567", "password12345678", "password123456789"),
    *("password2024", "password2025", "password2026", "password@123", "passwordpassword", "princess1234"),
    *("q1w2e3r4t5y6", "qazwsxedcrfv", "qwer1234asdf", "qwerasdfzxcv", "qwerty123456", "qwerty1234567"),
    *("qwerty12345678", "qwertyqwerty", "qwertyuiop12", "qwertyuiop123", "qwertyuiop[]", "qwertyuiopasdfghjkl"),
    *("spongebob123", "starwars1234", "superman1234", "thisismypassword", "trustno1trustno1", "unbelievable"),
    *("watchfloor12", "watchfloor123", "watchfloor1234", "welcome12345", "welcome123456", "zaq12wsxcde3"),
)


class AccountError(WatchfloorError):
    """Base of what is refused about accounts and blind rounds; nothing was written."""


class NameTakenError(AccountError):
    """Somebody has the name already, in these or in other letter cases; a closed account keeps its own."""

    def __init__(self, name: str, *, owner: str) -> None:
        same = "" if name == owner else f' (as "{owner}")'
        super().__init__(
            f'the name "{name}" is taken{same}', mend="take another, or reopen that account if it is closed"
        )


class UnknownAccountError(AccountError):
    """Nobody has the name."""

    def __init__(self, name: str) -> None:
        super().__init__(f'there is no account "{_shown(name)}"', mend="see the names with forecast account list")


class ClosedAccountError(AccountError):
    """The account is closed, and only an open one will do."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f'the account "{name}" is closed', mend="name another, or reopen it with forecast account reopen"
        )


class BadNameError(AccountError):
    """A text that no account may have for a name."""

    def __init__(self, name: str, why: str) -> None:
        mend = f"give 1 to {LONGEST_NAME} characters that can be seen, with no blank at either end"
        super().__init__(f'"{_shown(name)}" is no name for an account: it {why}', mend=mend)


class UnknownRoleError(AccountError):
    """A word that is not a role."""

    def __init__(self, role: str) -> None:
        super().__init__(f'"{_shown(role)}" is not a role', mend=nearest(role, ROLES))


class BadPasswordError(AccountError):
    """A password that is too short, too long or too easily guessed; the error does not tell it."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the password {why}", mend=f"choose another of {SHORTEST_PASSWORD} characters or more")


class LastLeadError(AccountError):
    """Nobody would be left who can look after accounts and rounds."""

    def __init__(self, name: str) -> None:
        mend = "make somebody else a lead first, with forecast account role NAME lead"
        super().__init__(f'"{name}" is the last lead whose account is open', mend=mend)


class NotALeadError(AccountError):
    """Somebody who is not a lead asked for what only a lead may do."""

    def __init__(self, name: str) -> None:
        super().__init__(f'"{name}" is not a lead, and only a lead opens and closes rounds', mend="ask a lead")


class BadPeopleError(AccountError):
    """Those asked to a round cannot be: nobody, somebody twice, or a reader."""

    def __init__(self, why: str) -> None:
        super().__init__(why, mend="name analysts or leads, each once")


class BadRowsError(AccountError):
    """Rows that would not come back from the database as they are."""

    def __init__(self) -> None:
        what = "the rows are empty or not plain JSON"
        super().__init__(what, mend="give each scenario its numbers, every number finite")


class RoundOpenError(AccountError):
    """The indicator has a round that is not done yet."""

    def __init__(self, indicator: str, round_id: int) -> None:
        what = f'round {round_id} on indicator "{indicator}" is still open'
        super().__init__(what, mend="wait until all have given their rows, or have a lead close it")


class UnknownRoundError(AccountError):
    """There is no such round."""

    def __init__(self, round_id: int) -> None:
        super().__init__(f"there is no round {round_id}", mend="see the rounds of the study")


class RoundDoneError(AccountError):
    """The round is done, and its rows stay as they are."""

    def __init__(self, round_id: int) -> None:
        super().__init__(f"round {round_id} is done, and its rows stay as they are", mend="have a lead open a new one")


class RoundNotDoneError(AccountError):
    """The rows were asked for while the round is still blind.

    Attributes
    ----------
    missing : tuple of str
        Whose rows are not in yet, by name.
    """

    def __init__(self, round_id: int, missing: Sequence[str]) -> None:
        self.missing = tuple(missing)
        what = f"round {round_id} is blind until {len(missing)} more have given their rows"
        super().__init__(what, mend="wait for them, or have a lead close the round")


class NotInRoundError(AccountError):
    """Somebody who was not asked."""

    def __init__(self, round_id: int, person: str) -> None:
        super().__init__(f'"{_shown(person)}" is not in round {round_id}', mend="have a lead open one with them in it")


@dataclass(frozen=True)
class Account:
    """Somebody who may sign in.

    Attributes
    ----------
    name : str
        As it stands in the entries that they log.
    role : str
        One of `ROLES`.
    added_at : str
        UTC, as `recorded_at` of an entry.
    closed : bool
        Whether they may not sign in any more.
    """

    name: str
    role: str
    added_at: str
    closed: bool


@dataclass(frozen=True)
class Round:
    """One question put to several people: which rows would you give this indicator?

    Attributes
    ----------
    id : int
        From 1.
    study, indicator : str
    revision : str
        Of the study, as whoever opened the round named it.
    people : tuple of str
        Who was asked, by name.
    opened_by : str
    opened_at : str
        UTC, as `recorded_at` of an entry.
    closed_at : str or None
        When it was done: when the last rows came in, or a lead closed it. None while it is blind.
    """

    id: int
    study: str
    indicator: str
    revision: str
    people: tuple[str, ...]
    opened_by: str
    opened_at: str
    closed_at: str | None

    @property
    def is_done(self) -> bool:
        """Whether its rows may be shown, and none be changed."""
        return self.closed_at is not None


@dataclass(frozen=True)
class Judgement:
    """What one person gave in a round.

    Attributes
    ----------
    person : str
    rows : dict
        As they were given: plain JSON.
    given_at : str
        When they were last given; UTC, as `recorded_at` of an entry.
    """

    person: str
    rows: dict[str, Any]
    given_at: str


class Hashing(Protocol):
    """How passwords are turned into what is kept of them."""

    @property
    def nobodys(self) -> str:
        """A hash that no password fits and that costs as much to try as any other."""
        ...

    def hashed(self, password: str) -> str:
        """What is kept of a password."""
        ...

    def fits(self, password: str, hashed: str) -> bool:
        """Whether it is the password that this was kept of."""
        ...

    def is_dated(self, hashed: str) -> bool:
        """Whether it was made with other parameters than those of today."""
        ...


class Accounts(ABC):
    """The accounts and blind rounds of one ledger's database; for the thread that opened them.

    Every method may also raise a `LedgerError` where the database cannot do what is asked. Names are compared in
    Unicode's form NFC, otherwise to the letter.
    """

    @abstractmethod
    def accounts(self) -> list[Account]:
        """All accounts, the closed ones too, by name."""

    @abstractmethod
    def account(self, name: str) -> Account | None:
        """The account of that name, closed or not; None when there is none."""

    @abstractmethod
    def add(self, name: str, role: str, password: str) -> Account:
        """Make an open account.

        Raises
        ------
        NameTakenError, BadNameError, UnknownRoleError, BadPasswordError
        """

    @abstractmethod
    def set_password(self, name: str, password: str) -> None:
        """Give an account another password.

        Raises
        ------
        UnknownAccountError, BadPasswordError
        """

    @abstractmethod
    def password_set_at(self, name: str) -> str | None:
        """When somebody last chose the password of an account, so that older sessions can end; None: no such account.

        A hash made anew with newer parameters is no new password.
        """

    @abstractmethod
    def set_role(self, name: str, role: str) -> None:
        """Give an account another role.

        Raises
        ------
        UnknownAccountError, UnknownRoleError, LastLeadError
        """

    @abstractmethod
    def close_account(self, name: str) -> None:
        """Let somebody sign in no more; their name stays theirs. A closed account stays closed.

        Raises
        ------
        UnknownAccountError, LastLeadError
        """

    @abstractmethod
    def reopen(self, name: str) -> None:
        """Let somebody sign in again, with their old role and password. An open account stays open.

        Raises
        ------
        UnknownAccountError
        """

    @abstractmethod
    def checked(self, name: str, password: str) -> Account | None:
        """The open account that name and password are those of; None otherwise, and not why.

        It takes the same work whether or not there is such an account, or it is closed. A hash that was made with
        older parameters is made anew where the database takes it.
        """

    @abstractmethod
    def open_round(self, study: str, indicator: str, revision: str, people: Sequence[str], by: str) -> Round:
        """Ask people for the rows of an indicator.

        Raises
        ------
        NotALeadError
            `by` is not a lead.
        BadPeopleError
            They are none, one is named twice, or one is a reader.
        RoundOpenError
            The indicator's last round is not done.
        UnknownAccountError, ClosedAccountError
            One of them, or `by`.
        """

    @abstractmethod
    def rounds(self, study: str) -> list[Round]:
        """The rounds of a study, in the order in which they were opened."""

    @abstractmethod
    def give(self, round_id: int, person: str, rows: dict[str, Any]) -> None:
        """Give one's rows, or others in their place while the round is blind; the last to give makes it done.

        Raises
        ------
        UnknownRoundError, RoundDoneError, NotInRoundError, ClosedAccountError, BadRowsError
        BadPeopleError
            The person has become a reader since.
        """

    @abstractmethod
    def given_by(self, round_id: int) -> list[str]:
        """Who has given their rows, by name; never what they are.

        Raises
        ------
        UnknownRoundError
        """

    @abstractmethod
    def own(self, round_id: int, person: str) -> Judgement | None:
        """What a person gave themselves; None when nothing yet, or when they were not asked.

        While the round is blind, what was given before the account's password was last chosen is not told: whoever
        chose it, as a lead can, may not be who gave it.

        Raises
        ------
        UnknownRoundError
        """

    @abstractmethod
    def judgements(self, round_id: int) -> list[Judgement]:
        """What was given in a round that is done, by name; empty when a lead closed it before anybody gave.

        Raises
        ------
        UnknownRoundError
        RoundNotDoneError
            It is still blind.
        """

    @abstractmethod
    def close_round(self, round_id: int, by: str) -> list[str]:
        """Make a round done before everybody has given.

        Returns
        -------
        list of str
            Whose rows are missing, by name.

        Raises
        ------
        UnknownRoundError, RoundDoneError, NotALeadError, UnknownAccountError, ClosedAccountError
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of files and connections; may be called twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def sound_name(name: str) -> str:
    """The name in the one form in which names are kept and compared.

    Raises
    ------
    BadNameError
    """
    plain = _in_form("NFC", name, LONGEST_NAME)
    if not plain.strip():
        raise BadNameError(plain, "is blank")
    if plain != plain.strip():
        raise BadNameError(plain, "has a blank at an end")
    if len(plain) > LONGEST_NAME:
        raise BadNameError(plain, f"has {len(plain)} characters")
    if not plain.isprintable() or _BLANK.search(plain):
        raise BadNameError(plain, "has a character that cannot be seen")
    if "  " in plain:
        raise BadNameError(plain, "has two blanks in a row, which look like one")
    return plain


def folded_name(name: str) -> str:
    """The name in the one form that all have which differ from it in letter case, width or style alone."""
    return _in_form("NFKC", _in_form("NFKC", name, LONGEST_NAME).casefold(), LONGEST_NAME)


def sound_role(role: str) -> str:
    """The role itself.

    Raises
    ------
    UnknownRoleError
    """
    if role not in ROLES:
        raise UnknownRoleError(role)
    return role


def plain_password(password: str) -> str:
    """The password in the one form in which passwords are hashed, so that every keyboard gives the same."""
    return _in_form("NFKC", password, LONGEST_PASSWORD)


def sound_password(password: str, *, name: str) -> str:
    """The password as it is hashed.

    Raises
    ------
    BadPasswordError
    """
    plain = plain_password(password)
    if len(plain) < SHORTEST_PASSWORD:
        raise BadPasswordError(f"has {len(plain)} characters")
    if len(plain) > LONGEST_PASSWORD:
        raise BadPasswordError(f"has more than {LONGEST_PASSWORD:,} characters")
    if plain.casefold() == plain_password(name).casefold():
        raise BadPasswordError("is the name of the account")
    if plain.casefold() in _COMMON_PASSWORDS:
        raise BadPasswordError("is one of the most common there are")
    return plain


def rows_text(rows: dict[str, Any]) -> str:
    """Rows as the JSON that is kept of them.

    Raises
    ------
    BadRowsError
        They would be read back as others.
    """
    try:
        text = canonical_json(rows)
        text.encode()
        is_kept = json.loads(text) == rows
    except (TypeError, ValueError, RecursionError):
        raise BadRowsError from None
    if not is_kept or not rows or not isinstance(rows, dict):
        raise BadRowsError
    return text


def _in_form(form: Literal["NFC", "NFKC"], text: str, longest: int) -> str:
    """The text in a form of Unicode; as it is, where it is too long in any."""
    return text if len(text) > _FORMS * longest else unicodedata.normalize(form, text)


def _shown(text: str) -> str:
    """The text, cut where it would fill the screen."""
    return text if len(text) <= LONGEST_NAME else f"{text[:LONGEST_NAME]}..."
