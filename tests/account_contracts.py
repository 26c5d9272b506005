"""What accounts and blind rounds must do in any database. A backend subclasses `AccountsContract` and opens them."""

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest

from indicators.accounts import (
    Account,
    AccountError,
    Accounts,
    BadNameError,
    BadPasswordError,
    BadPeopleError,
    BadRowsError,
    ClosedAccountError,
    Hashing,
    Judgement,
    LastLeadError,
    NameTakenError,
    NotALeadError,
    NotInRoundError,
    RoundDoneError,
    RoundNotDoneError,
    RoundOpenError,
    UnknownAccountError,
    UnknownRoleError,
    UnknownRoundError,
)
from indicators.ledger import Clock
from indicators.password import Argon2id

CHEAP = Argon2id(passes=1, memory=8, lanes=1)
DATED = Argon2id(passes=2, memory=8, lanes=1)
SECRET = "nine green lanterns"
"""A password that is fine."""
OTHER = "eleven slow ferries"
ROWS: dict[str, Any] = {"calm": [0.5, 0.4, 0.1], "storm": [0.1, 0.2, 0.7]}
OTHER_ROWS: dict[str, Any] = {"calm": [0.25, 0.5, 0.25], "storm": [0.1, 0.1, 0.8]}
BAD_ROWS: list[Any] = [
    *({}, [], [0.5, 0.5], {1: [0.5]}, {"calm": (0.5, 0.5)}, {"calm": {0.5}}, {"c\ud800": [0.5]}),
    *({"calm": [float("nan"), 1.0]}, {"calm": [float("inf")]}),
]


def minutes() -> Clock:
    """A clock that goes on by a minute each time it is read, from noon."""
    readings = iter(range(10_000))
    return lambda: datetime(2025, 4, 22, 12, 0, tzinfo=UTC) + timedelta(minutes=next(readings))


class Counting:
    """A hashing that keeps what it was asked to try."""

    def __init__(self, inner: Hashing) -> None:
        self._inner = inner
        self.tried: list[str] = []

    @property
    def nobodys(self) -> str:
        return self._inner.nobodys

    def hashed(self, password: str) -> str:
        return self._inner.hashed(password)

    def fits(self, password: str, hashed: str) -> bool:
        self.tried.append(hashed)
        return self._inner.fits(password, hashed)

    def is_dated(self, hashed: str) -> bool:
        return self._inner.is_dated(hashed)


def with_people(accounts: Accounts, **roles: str) -> Accounts:
    """The accounts with some more, each with the fine password."""
    for name, role in roles.items():
        accounts.add(name, role, SECRET)
    return accounts


def asked(accounts: Accounts, people: Sequence[str] = ("ana", "bo"), indicator: str = "mood") -> int:
    """A round that lee, the lead, opens."""
    return accounts.open_round("port", indicator, "e1", people, "lee").id


class AccountsContract:
    """The promise of `indicators.accounts`, as tests."""

    def open(self, place: Any, hashing: Hashing) -> Accounts:
        """The accounts at a place, over a connection of their own, with a clock of minutes."""
        raise NotImplementedError

    def by_hand(self, place: Any, statement: str) -> list[tuple[Any, ...]]:
        """What a statement on the tables gives to another program."""
        raise NotImplementedError

    @pytest.fixture
    def place(self) -> Any:
        """Where there is a new ledger."""
        raise NotImplementedError

    @pytest.fixture
    def accounts(self, place: Any) -> Iterator[Accounts]:
        with self.open(place, CHEAP) as accounts:
            yield accounts

    @pytest.fixture
    def team(self, accounts: Accounts) -> Accounts:
        """One lead, three analysts, one reader."""
        return with_people(accounts, lee="lead", ana="analyst", bo="analyst", cy="analyst", rea="reader")

    def test_a_new_ledger_has_none(self, accounts: Accounts) -> None:
        assert accounts.accounts() == []
        assert accounts.account("ana") is None
        assert accounts.checked("ana", SECRET) is None
        assert accounts.password_set_at("ana") is None
        assert accounts.rounds("port") == []

    def test_who_was_added_is_there_by_name_for_every_connection(self, place: Any, accounts: Accounts) -> None:
        bo, ana = accounts.add("bo", "lead", SECRET), accounts.add("ana", "reader", SECRET)
        assert bo == Account("bo", "lead", "2025-04-22T12:00:00.000000Z", closed=False)
        assert accounts.accounts() == [ana, bo]
        with self.open(place, CHEAP) as others:
            assert others.accounts() == [ana, bo]
            assert others.account("bo") == bo
            assert others.checked("ana", SECRET) == ana

    def test_a_name_is_kept_and_found_in_one_form(self, accounts: Accounts) -> None:
        assert accounts.add("Zoe\u0308", "lead", SECRET).name == "Zo\u00eb"
        assert accounts.account("Zoe\u0308") == accounts.account("Zo\u00eb") == accounts.accounts()[0]
        assert accounts.checked("Zoe\u0308", SECRET) is not None

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            *(("ana", "ana"), ("ana", "Ana"), ("Straße", "STRASSE"), ("Zoë", "zoe\u0308")),
            *(("ana", "\uff41na"), ("Kim", "\u212aim"), ("fil", "\ufb01l")),
        ],
    )
    def test_a_name_is_taken_in_any_letter_case(self, accounts: Accounts, first: str, second: str) -> None:
        accounts.add(first, "lead", SECRET)
        with pytest.raises(NameTakenError, match="is taken"):
            accounts.add(second, "lead", SECRET)
        assert len(accounts.accounts()) == 1

    def test_a_closed_account_keeps_its_name(self, team: Accounts) -> None:
        team.close_account("ana")
        with pytest.raises(NameTakenError, match="reopen that account if it is closed"):
            team.add("ana", "lead", SECRET)

    @pytest.mark.parametrize(
        ("name", "phrase"),
        [
            ("", "is blank"),
            (" \u3000", "is blank"),
            ("ana ", "blank at an end"),
            ("a" * 101, "has 101 characters"),
            ("a\0b", "cannot be seen"),
            ("a\nb", "cannot be seen"),
            ("a\u202eb", "cannot be seen"),
            ("a\u200bb", "cannot be seen"),
            ("ana\ufe0f", "cannot be seen"),
            ("\u3164", "cannot be seen"),
            ("a  b", "two blanks in a row"),
            ("a" + "\u0301\u0316" * 400_000, "has 800001 characters"),
            ("a\ud800", "cannot be seen"),
        ],
    )
    def test_a_bad_name_is_refused_and_is_nobodys(self, accounts: Accounts, name: str, phrase: str) -> None:
        with pytest.raises(BadNameError, match=phrase):
            accounts.add(name, "lead", SECRET)
        assert accounts.accounts() == []
        assert accounts.account(name) is None
        assert accounts.checked(name, SECRET) is None
        with pytest.raises(UnknownAccountError):
            accounts.reopen(name)

    def test_the_longest_name(self, accounts: Accounts) -> None:
        assert accounts.add("é" * 100, "lead", SECRET) == accounts.account("é" * 100)

    def test_an_unknown_role_is_refused(self, team: Accounts) -> None:
        for role in ("", "Lead", "owner", "lead "):
            with pytest.raises(UnknownRoleError, match="is not a role"):
                team.add("new", role, SECRET)
            with pytest.raises(UnknownRoleError, match="is not a role"):
                team.set_role("ana", role)
        assert team.account("new") is None

    @pytest.mark.parametrize(
        ("password", "phrase"),
        [
            ("", "has 0 characters"),
            ("elevenchars", "has 11 characters"),
            ("x" * 1001, "more than 1,000"),
            ("Magdalena Novak", "is the name"),
            ("PasswordPassword", "most common"),
            ("ｐａｓｓｗｏｒｄ１２３４", "most common"),
        ],
    )
    def test_a_bad_password_is_refused_and_not_told(self, team: Accounts, password: str, phrase: str) -> None:
        team.add("magdalena novak", "reader", SECRET)
        with pytest.raises(BadPasswordError, match=phrase) as caught:
            team.set_password("magdalena novak", password)
        assert not password or password not in str(caught.value)
        with pytest.raises(BadPasswordError, match=phrase):
            team.add("Magdalena NOVAK" if "name" in phrase else "new", "reader", password)
        assert team.checked("magdalena novak", SECRET) is not None

    def test_the_shortest_and_the_longest_password(self, accounts: Accounts) -> None:
        for name, password in (("ana", "twelve chars"), ("bo", "日" * 1000)):
            accounts.add(name, "lead", password)
            assert accounts.checked(name, password) is not None
        assert accounts.checked("bo", "日" * 1001) is None

    def test_a_password_is_the_same_from_every_keyboard(self, accounts: Accounts) -> None:
        accounts.add("ana", "lead", "caf\u00e9 caf\u00e9 caf\u00e9")
        assert accounts.checked("ana", "cafe\u0301 cafe\u0301 cafe\u0301") is not None
        assert accounts.checked("ana", "cafe cafe cafe") is None

    def test_only_the_right_password_of_an_open_account_is_let_in(self, team: Accounts) -> None:
        ana = team.account("ana")
        assert team.checked("ana", SECRET) == ana
        for name, password in (("ana", OTHER), ("ana", ""), ("Ana", SECRET), ("nobody", SECRET), ("", SECRET)):
            assert team.checked(name, password) is None
        team.close_account("ana")
        assert team.checked("ana", SECRET) is None
        team.reopen("ana")
        assert team.checked("ana", SECRET) == ana

    def test_one_hash_is_tried_whoever_asks(self, place: Any) -> None:
        hashing = Counting(CHEAP)
        with self.open(place, hashing) as accounts:
            with_people(accounts, lee="lead", ana="analyst", bo="analyst").close_account("bo")
            for name, password in (
                *(("ana", SECRET), ("ana", OTHER), ("bo", SECRET), ("nobody", SECRET), ("a\0", SECRET)),
                *(("ana", "x" * 100_000), ("nobody", "x" * 100_000)),
                ("ana", "\u0301\u0316" * 400_000),
            ):
                hashing.tried.clear()
                accounts.checked(name, password)
                assert len(hashing.tried) == 1
                assert hashing.tried[0].startswith("$argon2id$v=19$m=8,t=1,p=1$")

    def test_a_new_password_takes_the_place_of_the_old(self, team: Accounts) -> None:
        before = team.password_set_at("ana")
        team.set_password("ana", OTHER)
        after = team.password_set_at("ana")
        assert before is not None and after is not None and before < after
        assert team.checked("ana", SECRET) is None
        assert team.checked("ana", OTHER) == team.account("ana")
        assert team.checked("bo", SECRET) is not None

    def test_a_hash_of_older_parameters_is_made_anew_at_sign_in(self, place: Any, accounts: Accounts) -> None:
        with self.open(place, DATED) as older:
            with_people(older, ana="lead")
        chosen = accounts.password_set_at("ana")
        assert accounts.checked("ana", OTHER) is None
        assert "t=2" in self.by_hand(place, "SELECT password FROM account")[0][0]
        for _ in range(2):
            assert accounts.checked("ana", SECRET) is not None
            assert "t=1" in self.by_hand(place, "SELECT password FROM account")[0][0]
        assert accounts.password_set_at("ana") == chosen

    def test_no_password_is_kept(self, place: Any, team: Accounts) -> None:
        kept = self.by_hand(place, "SELECT * FROM account")
        assert len({row[3] for row in kept}) == len(kept), "each has a salt of its own"
        assert SECRET not in repr(kept) + repr(team.accounts())
        assert "argon2" not in repr(team.accounts())

    def test_a_role_can_be_changed(self, team: Accounts) -> None:
        team.set_role("ana", "lead")
        assert [a.name for a in team.accounts() if a.role == "lead"] == ["ana", "lee"]
        team.set_role("lee", "reader")
        assert team.account("lee") == Account("lee", "reader", "2025-04-22T12:00:00.000000Z", closed=False)

    def test_the_last_open_lead_stays_one(self, team: Accounts) -> None:
        team.add("old", "lead", SECRET)
        team.close_account("old")
        for role in ("analyst", "reader"):
            with pytest.raises(LastLeadError, match="make somebody else a lead first"):
                team.set_role("lee", role)
        with pytest.raises(LastLeadError, match="make somebody else a lead first"):
            team.close_account("lee")
        team.set_role("lee", "lead")
        team.close_account("old")
        team.set_role("old", "analyst")
        team.set_role("ana", "lead")
        team.close_account("lee")
        with pytest.raises(LastLeadError, match='"ana" is the last lead'):
            team.close_account("ana")

    def test_closing_and_reopening_twice_changes_nothing(self, team: Accounts) -> None:
        for _ in range(2):
            team.close_account("ana")
            assert [a.name for a in team.accounts() if a.closed] == ["ana"]
        for _ in range(2):
            team.reopen("ana")
            assert [a.name for a in team.accounts() if a.closed] == []

    def test_nothing_is_done_to_nobody(self, team: Accounts) -> None:
        for attempt in (
            lambda: team.set_password("nobody", SECRET),
            lambda: team.set_role("nobody", "lead"),
            lambda: team.close_account("nobody"),
            lambda: team.reopen("nobody"),
            lambda: team.open_round("port", "mood", "e1", ["ana"], "nobody"),
            lambda: team.open_round("port", "mood", "e1", ["nobody"], "lee"),
        ):
            with pytest.raises(UnknownAccountError, match='there is no account "nobody"'):
                attempt()

    def test_a_round_is_as_it_was_opened(self, place: Any, team: Accounts) -> None:
        first = team.open_round("port", "mood", "e1", ["bo", "ana"], "lee")
        assert first.id == 1
        assert (first.study, first.indicator, first.revision) == ("port", "mood", "e1")
        assert (first.people, first.opened_by, first.closed_at) == (("ana", "bo"), "lee", None)
        assert not first.is_done
        second = team.open_round("port", "talks", "e1", ["cy"], "lee")
        other = team.open_round("other", "mood", "e9", ["cy"], "lee")
        assert [second.id, other.id] == [2, 3]
        with self.open(place, CHEAP) as others:
            assert others.rounds("port") == [first, second]
            assert others.rounds("other") == [other]
            assert others.rounds("none") == []

    def test_only_an_open_lead_opens_and_closes_a_round(self, team: Accounts) -> None:
        number = asked(team)
        for by in ("ana", "rea"):
            with pytest.raises(NotALeadError, match=f'"{by}" is not a lead'):
                team.open_round("port", "talks", "e1", ["ana"], by)
            with pytest.raises(NotALeadError):
                team.close_round(number, by)
        team.add("old", "lead", SECRET)
        team.close_account("old")
        with pytest.raises(ClosedAccountError, match='the account "old" is closed'):
            team.open_round("port", "talks", "e1", ["ana"], "old")
        with pytest.raises(ClosedAccountError):
            team.close_round(number, "old")
        assert [found.closed_at for found in team.rounds("port")] == [None]

    def test_who_may_be_asked(self, team: Accounts) -> None:
        team.close_account("cy")
        for people, error, phrase in (
            ([], BadPeopleError, "nobody is asked"),
            (["ana", "bo", "ana"], BadPeopleError, '"ana" is asked twice'),
            (["ana", "rea"], BadPeopleError, '"rea" is a reader'),
            (["ana", "cy"], ClosedAccountError, '"cy" is closed'),
        ):
            with pytest.raises(error, match=phrase):
                asked(team, people)
        assert team.rounds("port") == []
        asked(team, ["ana", "lee"])

    def test_an_indicator_has_one_open_round(self, team: Accounts) -> None:
        number = asked(team)
        with pytest.raises(RoundOpenError, match=f'round {number} on indicator "mood" is still open'):
            asked(team, ["cy"])
        asked(team, indicator="talks")
        team.close_round(number, "lee")
        assert asked(team) == 3

    def test_rows_are_hidden_until_all_are_in(self, place: Any, team: Accounts) -> None:
        number = asked(team)
        team.give(number, "bo", ROWS)
        with self.open(place, CHEAP) as others:
            for accounts in (team, others):
                with pytest.raises(RoundNotDoneError, match=f"round {number} is blind until 1 more") as caught:
                    accounts.judgements(number)
                assert caught.value.missing == ("ana",)
                assert accounts.given_by(number) == ["bo"]
                assert accounts.own(number, "ana") is None
                assert accounts.own(number, "bo") == accounts.own(number, "bo")
        team.give(number, "ana", OTHER_ROWS)
        [done] = team.rounds("port")
        assert done.is_done
        found = team.judgements(number)
        assert [(judgement.person, judgement.rows) for judgement in found] == [("ana", OTHER_ROWS), ("bo", ROWS)]
        assert found == [team.own(number, "ana"), team.own(number, "bo")]
        assert found[1].given_at < found[0].given_at < (done.closed_at or "")

    def test_rows_may_be_given_again_until_it_is_done(self, team: Accounts) -> None:
        number = asked(team)
        team.give(number, "ana", ROWS)
        first = team.own(number, "ana")
        team.give(number, "ana", OTHER_ROWS)
        second = team.own(number, "ana")
        assert first is not None and second is not None
        assert (first.rows, second.rows) == (ROWS, OTHER_ROWS)
        assert first.given_at < second.given_at
        team.give(number, "bo", ROWS)
        for person in ("ana", "bo"):
            with pytest.raises(RoundDoneError, match="its rows stay as they are"):
                team.give(number, person, ROWS)
        assert team.own(number, "ana") == second

    def test_a_new_password_shows_no_rows_given_before_it_while_the_round_is_blind(self, team: Accounts) -> None:
        number = asked(team)
        team.give(number, "ana", ROWS)
        team.set_password("ana", "of the lead's choosing")
        assert team.own(number, "ana") is None
        assert team.given_by(number) == ["ana"]
        team.give(number, "bo", OTHER_ROWS)
        told = team.own(number, "ana")
        assert told is not None and told.rows == ROWS

    def test_rows_given_after_a_new_password_are_told(self, team: Accounts) -> None:
        number = asked(team)
        team.set_password("ana", "of her own choosing")
        team.give(number, "ana", ROWS)
        told = team.own(number, "ana")
        assert told is not None and told.rows == ROWS

    def test_a_lead_may_close_it_before_all_are_in(self, team: Accounts) -> None:
        number = asked(team, ["ana", "bo", "cy"])
        team.give(number, "bo", ROWS)
        assert team.close_round(number, "lee") == ["ana", "cy"]
        assert [judgement.person for judgement in team.judgements(number)] == team.given_by(number) == ["bo"]
        assert team.own(number, "ana") is None
        with pytest.raises(RoundDoneError):
            team.give(number, "ana", ROWS)
        with pytest.raises(RoundDoneError):
            team.close_round(number, "lee")

    def test_a_round_closed_before_anybody_gave_has_no_rows(self, team: Accounts) -> None:
        number = asked(team)
        assert team.close_round(number, "lee") == ["ana", "bo"]
        assert team.judgements(number) == []

    def test_only_who_was_asked_gives(self, team: Accounts) -> None:
        number = asked(team)
        for person in ("lee", "cy", "nobody", "a\0"):
            with pytest.raises(NotInRoundError, match=f"is not in round {number}"):
                team.give(number, person, ROWS)
            assert team.own(number, person) is None
        assert team.given_by(number) == []

    def test_who_is_closed_or_made_a_reader_meanwhile_gives_no_more(self, team: Accounts) -> None:
        number = asked(team)
        team.close_account("ana")
        team.set_role("bo", "reader")
        with pytest.raises(ClosedAccountError):
            team.give(number, "ana", ROWS)
        with pytest.raises(BadPeopleError, match='"bo" is a reader'):
            team.give(number, "bo", ROWS)
        team.reopen("ana")
        team.give(number, "ana", ROWS)

    def test_there_is_no_such_round(self, team: Accounts) -> None:
        asked(team)
        attempts: list[Callable[[int], object]] = [
            lambda number: team.give(number, "ana", ROWS),
            team.given_by,
            lambda number: team.own(number, "ana"),
            team.judgements,
            lambda number: team.close_round(number, "lee"),
        ]
        for number in (0, -1, 2, 2**63, -(2**70)):
            for attempt in attempts:
                with pytest.raises(UnknownRoundError, match=f"there is no round {number}"):
                    attempt(number)

    def test_rows_that_would_come_back_as_others_are_refused(self, team: Accounts) -> None:
        number = asked(team)
        for rows in BAD_ROWS:
            with pytest.raises(BadRowsError, match="empty or not plain JSON"):
                team.give(number, "ana", rows)
        assert team.given_by(number) == []

    def test_rows_come_back_to_the_last_digit(self, team: Accounts) -> None:
        number = asked(team, ["ana"])
        rows: dict[str, Any] = {"été": [0.1, 0.2, 0.7], "tiny": 5e-324, "nested": {"u": {"mean": -1e300, "sd": 1 / 3}}}
        team.give(number, "ana", rows)
        assert team.judgements(number) == [team.own(number, "ana")]
        [judgement] = team.judgements(number)
        assert json.dumps(judgement.rows, sort_keys=True) == json.dumps(rows, sort_keys=True)
        assert isinstance(judgement, Judgement)

    def test_no_statement_reads_a_blind_row_but_its_givers(self, place: Any, team: Accounts) -> None:
        """Nothing that can be asked while it is blind has a row of another in its answer."""
        number = asked(team, ["ana", "bo", "cy"])
        team.give(number, "ana", {"canary": [0.987654321]})
        answers: list[object] = [team.rounds("port"), team.given_by(number), team.accounts(), team.own(number, "bo")]
        with pytest.raises(RoundNotDoneError) as caught:
            team.judgements(number)
        with pytest.raises(RoundOpenError) as again:
            asked(team)
        answers += [caught.value.args, vars(caught.value), again.value.args]
        assert "canary" not in repr(answers)
        assert "0.98" not in repr(answers)
        assert "canary" in self.by_hand(place, "SELECT given FROM judgement WHERE person = 'ana'")[0][0]

    def test_two_leads_who_demote_each_other_at_once(self, place: Any, accounts: Accounts) -> None:
        with_people(accounts, lee="lead", max="lead")
        for _ in range(5):
            refused = self._at_once(
                place, lambda own: own.set_role("lee", "analyst"), lambda own: own.set_role("max", "analyst")
            )
            assert [type(error) for error in refused] == [LastLeadError]
            for name in ("lee", "max"):
                accounts.set_role(name, "lead")

    def test_of_rows_given_at_once_none_is_lost(self, place: Any, team: Accounts) -> None:
        for _ in range(5):
            number = asked(team, ["ana", "bo", "cy"])
            giving = [lambda own, p=p, n=number: own.give(n, p, ROWS) for p in ("ana", "bo", "cy")]
            assert self._at_once(place, *giving) == []
            assert [judgement.person for judgement in team.judgements(number)] == ["ana", "bo", "cy"]

    def test_a_name_is_given_once_however_many_ask(self, place: Any, accounts: Accounts) -> None:
        refused = self._at_once(place, *[lambda own: own.add("ana", "lead", SECRET)] * 4)
        assert [type(error) for error in refused] == [NameTakenError] * 3
        assert [account.name for account in accounts.accounts()] == ["ana"]

    def _at_once(self, place: Any, *attempts: Callable[[Accounts], object]) -> list[AccountError]:
        """What is refused of some attempts, each in a thread with a connection of its own."""
        start = Barrier(len(attempts))

        def one(attempt: Callable[[Accounts], object]) -> AccountError | None:
            with self.open(place, CHEAP) as own:
                start.wait()
                try:
                    attempt(own)
                except AccountError as error:
                    return error
            return None

        with ThreadPoolExecutor(len(attempts)) as pool:
            return [error for error in pool.map(one, attempts) if error is not None]
