"""Accounts and blind rounds as three tables, whatever database keeps them.

`account`, `round` and `judgement` stand beside the ledger's entries and lead nowhere from there. A judgement is a row
from the moment somebody is asked; what they gave is empty until they give it, and no statement here reads it while its
round is blind, but for the person themselves. Every refusal that rests on what the tables hold is made in the
transaction that would write.

The statements are in the words that SQLite and PostgreSQL share; `Tables` is what a database adds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from indicators.accounts import (
    LONGEST_PASSWORD,
    Account,
    Accounts,
    BadNameError,
    BadPeopleError,
    ClosedAccountError,
    Hashing,
    Judgement,
    LastLeadError,
    NameTakenError,
    NotALeadError,
    NotInRoundError,
    Round,
    RoundDoneError,
    RoundNotDoneError,
    RoundOpenError,
    UnknownAccountError,
    UnknownRoundError,
    folded_name,
    plain_password,
    rows_text,
    sound_name,
    sound_password,
    sound_role,
)
from indicators.days import moment_text
from indicators.ledger import Clock, LedgerError

__all__ = ["SqlAccounts", "Tables"]

Row = tuple[Any, ...]
T = TypeVar("T")

_LARGEST_ID = 2**63 - 1
_ACCOUNT = "SELECT name, role, added_at, closed_at FROM account"
_SELECT_ACCOUNTS = f"{_ACCOUNT} ORDER BY name"
_SELECT_ACCOUNT = f"{_ACCOUNT} WHERE name = :name"
_SELECT_PASSWORD = "SELECT password FROM account WHERE name = :name"  # noqa: S105  a statement, not a password
_SELECT_PASSWORD_SET_AT = "SELECT password_set_at FROM account WHERE name = :name"  # noqa: S105
_SELECT_OWNER = "SELECT name FROM account WHERE folded = :folded"
_SELECT_OTHER_LEADS = "SELECT name FROM account WHERE role = 'lead' AND closed_at IS NULL AND name <> :name LIMIT 1"
_INSERT_ACCOUNT = (
    "INSERT INTO account (name, folded, role, password, password_set_at, added_at)"
    " VALUES (:name, :folded, :role, :password, :now, :now)"
)
_UPDATE_PASSWORD = "UPDATE account SET password = :password, password_set_at = :now WHERE name = :name"  # noqa: S105
# Where the password was changed meanwhile, the new one stays.
_RENEW_HASH = "UPDATE account SET password = :password WHERE name = :name AND password = :dated"
_UPDATE_ROLE = "UPDATE account SET role = :role WHERE name = :name"
_CLOSE_ACCOUNT = "UPDATE account SET closed_at = :now WHERE name = :name AND closed_at IS NULL"
_REOPEN_ACCOUNT = "UPDATE account SET closed_at = NULL WHERE name = :name"

_ROUND = "SELECT id, study, indicator, revision, opened_by, opened_at, closed_at FROM round"
_SELECT_ROUNDS = f"{_ROUND} WHERE study = :study ORDER BY id"
_SELECT_ROUND = f"{_ROUND} WHERE id = :id"
_SELECT_OPEN_ROUND = "SELECT id FROM round WHERE study = :study AND indicator = :indicator AND closed_at IS NULL"
_SELECT_NEXT_ID = "SELECT coalesce(max(id), 0) + 1 FROM round"
_INSERT_ROUND = (
    "INSERT INTO round (id, study, indicator, revision, opened_by, opened_at)"
    " VALUES (:id, :study, :indicator, :revision, :by, :now)"
)
_CLOSE_ROUND = "UPDATE round SET closed_at = :now WHERE id = :id"
_SELECT_PEOPLE = "SELECT round, person FROM judgement WHERE round = :id ORDER BY person"
_SELECT_PEOPLE_OF_STUDY = (
    "SELECT round, person FROM judgement WHERE round IN (SELECT id FROM round WHERE study = :study) ORDER BY person"
)
_INSERT_PERSON = "INSERT INTO judgement (round, person) VALUES (:id, :person)"
_SELECT_GIVERS = "SELECT person FROM judgement WHERE round = :id AND given IS NOT NULL ORDER BY person"
_SELECT_MISSING = "SELECT person FROM judgement WHERE round = :id AND given IS NULL ORDER BY person"
_SELECT_OWN = (
    "SELECT person, given, given_at FROM judgement WHERE round = :id AND person = :person AND given IS NOT NULL"
)
_SELECT_GIVEN = (
    "SELECT person, given, given_at FROM judgement WHERE round = :id AND given IS NOT NULL"
    " AND EXISTS (SELECT id FROM round WHERE id = :id AND closed_at IS NOT NULL) ORDER BY person"
)
_GIVE = "UPDATE judgement SET given = :given, given_at = :now WHERE round = :id AND person = :person"


class Tables(Protocol):
    """The database that keeps the tables."""

    def query(self, statement: str, values: Mapping[str, object]) -> list[Row]:
        """What a statement gives; its values are named with a colon, its tables by their bare names."""
        ...

    def transact(self, work: Callable[[], T]) -> T:
        """What work gives with nobody else writing to the tables meanwhile; all of it is kept, or nothing."""
        ...

    def close(self) -> None:
        """Let go of it; may be called twice."""
        ...


class SqlAccounts(Accounts):
    """Accounts and blind rounds in such tables.

    Parameters
    ----------
    tables : Tables
    hashing : Hashing
        Of passwords.
    clock : callable
        The present moment, aware.
    """

    def __init__(self, tables: Tables, *, hashing: Hashing, clock: Clock) -> None:
        self._tables = tables
        self._hashing = hashing
        self._clock = clock

    def accounts(self) -> list[Account]:
        """See `Accounts.accounts`."""
        return [_account(row) for row in self._query(_SELECT_ACCOUNTS)]

    def account(self, name: str) -> Account | None:
        """See `Accounts.account`."""
        try:
            rows = self._query(_SELECT_ACCOUNT, name=sound_name(name))
        except BadNameError:
            return None
        return _account(rows[0]) if rows else None

    def add(self, name: str, role: str, password: str) -> Account:
        """See `Accounts.add`."""
        name, role = sound_name(name), sound_role(role)
        hashed = self._hashing.hashed(sound_password(password, name=name))

        def work() -> Account:
            folded = folded_name(name)
            for (owner,) in self._query(_SELECT_OWNER, folded=folded):
                raise NameTakenError(name, owner=owner)
            self._query(_INSERT_ACCOUNT, name=name, folded=folded, role=role, password=hashed, now=self._now())
            return self._known(name)

        return self._tables.transact(work)

    def set_password(self, name: str, password: str) -> None:
        """See `Accounts.set_password`."""
        known = self._known(name).name
        hashed = self._hashing.hashed(sound_password(password, name=known))
        # An account once there stays there, so that what was found above still holds.
        self._tables.transact(lambda: self._query(_UPDATE_PASSWORD, name=known, password=hashed, now=self._now()))

    def password_set_at(self, name: str) -> str | None:
        """See `Accounts.password_set_at`."""
        account = self.account(name)
        return self._query(_SELECT_PASSWORD_SET_AT, name=account.name)[0][0] if account else None

    def set_role(self, name: str, role: str) -> None:
        """See `Accounts.set_role`."""
        sound_role(role)

        def work() -> None:
            account = self._known(name)
            if role != "lead":
                self._refuse_last_lead(account)
            self._query(_UPDATE_ROLE, name=account.name, role=role)

        self._tables.transact(work)

    def close_account(self, name: str) -> None:
        """See `Accounts.close_account`."""

        def work() -> None:
            account = self._known(name)
            self._refuse_last_lead(account)
            self._query(_CLOSE_ACCOUNT, name=account.name, now=self._now())

        self._tables.transact(work)

    def reopen(self, name: str) -> None:
        """See `Accounts.reopen`."""
        self._tables.transact(lambda: self._query(_REOPEN_ACCOUNT, name=self._known(name).name))

    def checked(self, name: str, password: str) -> Account | None:
        """See `Accounts.checked`."""
        account, plain = self.account(name), plain_password(password)
        # Asked for in any case: a question less could be told from outside by the time it takes.
        rows = self._query(_SELECT_PASSWORD, name=account.name if account else "")
        hashed = rows[0][0] if rows else self._hashing.nobodys
        is_theirs = self._hashing.fits(plain[:LONGEST_PASSWORD], hashed) and len(plain) <= LONGEST_PASSWORD
        if account is None or account.closed or not is_theirs:
            return None
        if self._hashing.is_dated(hashed):
            self._renew(account.name, plain, hashed)
        return account

    def open_round(self, study: str, indicator: str, revision: str, people: Sequence[str], by: str) -> Round:
        """See `Accounts.open_round`."""

        def work() -> Round:
            lead = self._open_lead(by).name
            asked = self._asked(people)
            for (open_id,) in self._query(_SELECT_OPEN_ROUND, study=study, indicator=indicator):
                raise RoundOpenError(indicator, open_id)
            [(new_id,)] = self._query(_SELECT_NEXT_ID)
            question = {"study": study, "indicator": indicator, "revision": revision}
            self._query(_INSERT_ROUND, id=new_id, **question, by=lead, now=self._now())
            for person in asked:
                self._query(_INSERT_PERSON, id=new_id, person=person)
            return self._round(new_id)

        return self._tables.transact(work)

    def rounds(self, study: str) -> list[Round]:
        """See `Accounts.rounds`."""
        # In this order, so that a round opened in between is left out and not shown without its people.
        rows = self._query(_SELECT_ROUNDS, study=study)
        people: dict[int, list[str]] = {}
        for round_id, person in self._query(_SELECT_PEOPLE_OF_STUDY, study=study):
            people.setdefault(round_id, []).append(person)
        return [_round(row, people[row[0]]) for row in rows]

    def give(self, round_id: int, person: str, rows: dict[str, Any]) -> None:
        """See `Accounts.give`."""
        given = rows_text(rows)

        def work() -> None:
            name = self._judging(round_id, person)
            self._query(_GIVE, id=round_id, person=name, given=given, now=self._now())
            if not self._query(_SELECT_MISSING, id=round_id):
                self._query(_CLOSE_ROUND, id=round_id, now=self._now())

        self._tables.transact(work)

    def given_by(self, round_id: int) -> list[str]:
        """See `Accounts.given_by`."""
        return self._names(_SELECT_GIVERS, self._round(round_id))

    def own(self, round_id: int, person: str) -> Judgement | None:
        """See `Accounts.own`."""
        found = self._round(round_id)
        try:
            name = _member(found, person)
        except NotInRoundError:
            return None
        rows = self._query(_SELECT_OWN, id=round_id, person=name)
        if not rows:
            return None
        given = _judgement(rows[0])
        chosen_at = self.password_set_at(name)
        # A lead may have chosen that password, and come in with it.
        is_told = found.is_done or chosen_at is None or chosen_at <= given.given_at
        return given if is_told else None

    def judgements(self, round_id: int) -> list[Judgement]:
        """See `Accounts.judgements`."""
        found = self._round(round_id)
        # A round that is done stays done, and its rows stay as they are.
        if not found.is_done:
            raise RoundNotDoneError(round_id, self._names(_SELECT_MISSING, found))
        return [_judgement(row) for row in self._query(_SELECT_GIVEN, id=round_id)]

    def close_round(self, round_id: int, by: str) -> list[str]:
        """See `Accounts.close_round`."""

        def work() -> list[str]:
            found = self._round(round_id)
            self._open_lead(by)
            if found.is_done:
                raise RoundDoneError(round_id)
            self._query(_CLOSE_ROUND, id=round_id, now=self._now())
            return self._names(_SELECT_MISSING, found)

        return self._tables.transact(work)

    def close(self) -> None:
        """See `Accounts.close`."""
        self._tables.close()

    def _query(self, statement: str, **values: object) -> list[Row]:
        return self._tables.query(statement, values)

    def _now(self) -> str:
        return moment_text(self._clock())

    def _known(self, name: str) -> Account:
        account = self.account(name)
        if account is None:
            raise UnknownAccountError(name)
        return account

    def _open(self, name: str) -> Account:
        account = self._known(name)
        if account.closed:
            raise ClosedAccountError(account.name)
        return account

    def _open_lead(self, name: str) -> Account:
        account = self._open(name)
        if account.role != "lead":
            raise NotALeadError(account.name)
        return account

    def _open_judge(self, name: str) -> Account:
        account = self._open(name)
        if account.role == "reader":
            raise BadPeopleError(f'"{account.name}" is a reader, and readers give no rows')
        return account

    def _refuse_last_lead(self, account: Account) -> None:
        is_open_lead = account.role == "lead" and not account.closed
        if is_open_lead and not self._query(_SELECT_OTHER_LEADS, name=account.name):
            raise LastLeadError(account.name)

    def _renew(self, name: str, plain: str, dated: str) -> None:
        """Keep a new hash of the same password; whoever signs in is not held up where that cannot be written."""
        hashed = self._hashing.hashed(plain)
        with suppress(LedgerError):
            self._tables.transact(lambda: self._query(_RENEW_HASH, name=name, password=hashed, dated=dated))

    def _asked(self, people: Sequence[str]) -> list[str]:
        """The names of those who are asked, once each."""
        names = [self._open_judge(person).name for person in people]
        if not names:
            raise BadPeopleError("nobody is asked")
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise BadPeopleError(f'"{twice}" is asked twice')
        return names

    def _judging(self, round_id: int, person: str) -> str:
        """The name of somebody who may give their rows now."""
        found = self._round(round_id)
        name = _member(found, person)
        if found.is_done:
            raise RoundDoneError(round_id)
        return self._open_judge(name).name

    def _round(self, round_id: int) -> Round:
        rows = self._query(_SELECT_ROUND, id=round_id) if 1 <= round_id <= _LARGEST_ID else []
        if not rows:
            raise UnknownRoundError(round_id)
        return _round(rows[0], [person for _, person in self._query(_SELECT_PEOPLE, id=round_id)])

    def _names(self, statement: str, of: Round) -> list[str]:
        return [name for (name,) in self._query(statement, id=of.id)]


def _account(row: Row) -> Account:
    name, role, added_at, closed_at = row
    return Account(name, role, added_at, closed_at is not None)


def _round(row: Row, people: Sequence[str]) -> Round:
    round_id, study, indicator, revision, opened_by, opened_at, closed_at = row
    return Round(round_id, study, indicator, revision, tuple(people), opened_by, opened_at, closed_at)


def _judgement(row: Row) -> Judgement:
    person, given, given_at = row
    return Judgement(person, json.loads(given), given_at)


def _member(of: Round, person: str) -> str:
    """The name of somebody as the round has it."""
    with suppress(BadNameError):
        name = sound_name(person)
        if name in of.people:
            return name
    raise NotInRoundError(of.id, person)
