"""What every ledger must do. A backend subclasses `LedgerContract` and says how one is made; the tests come with it.

A backend in SQL subclasses `SqlLedgerContract` and also says how somebody gets behind its back.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NoReturn

import pytest

from indicators.entry import FIRST_PREV, Draft, Entry, sealed
from indicators.ledger import (
    Clock,
    DraftError,
    Head,
    Ledger,
    LedgerTimeError,
    MemoryLedger,
    NestedAppendError,
    RestoreError,
)
from tests.strategies import AWKWARD

NOON = datetime(2025, 4, 22, 12, 0, tzinfo=UTC)

# What somebody may do to the table of a ledger of five entries, and the first position that then does not hold. Words
# in braces are filled in for a position.
ONE_ENTRY_TAMPERED = {
    "id": "UPDATE entry SET id = 'e77' WHERE seq = {seq}",
    "recorded earlier": "UPDATE entry SET recorded_at = '2025-04-22T11:00:00.000000Z' WHERE seq = {seq}",
    "recorded later": "UPDATE entry SET recorded_at = '2099-04-22T12:00:00.000000Z' WHERE seq = {seq}",
    "recorded at no time": "UPDATE entry SET recorded_at = 'yesterday' WHERE seq = {seq}",
    "author": "UPDATE entry SET author = 'eve' WHERE seq = {seq}",
    "letter case": "UPDATE entry SET author = 'Ana' WHERE seq = {seq}",
    "trailing blank": "UPDATE entry SET author = 'ana ' WHERE seq = {seq}",
    "emptied": "UPDATE entry SET author = '' WHERE seq = {seq}",
    "study": "UPDATE entry SET study = 'other' WHERE seq = {seq}",
    "kind": "UPDATE entry SET kind = 'retract' WHERE seq = {seq}",
    "payload": """UPDATE entry SET payload = '{{"n":77,"text":"é"}}' WHERE seq = {seq}""",
    "type in payload": """UPDATE entry SET payload = '{{"n":"{seq}","text":"é"}}' WHERE seq = {seq}""",
    "Unicode form": """UPDATE entry SET payload = '{{"n":{seq},"text":"e\u0301"}}' WHERE seq = {seq}""",
    "blank in payload": """UPDATE entry SET payload = '{{"n":{seq}, "text":"é"}}' WHERE seq = {seq}""",
    "blank after payload": "UPDATE entry SET payload = payload || ' ' WHERE seq = {seq}",
    "key twice": """UPDATE entry SET payload = '{{"n":0,"n":{seq},"text":"é"}}' WHERE seq = {seq}""",
    "letter escaped": """UPDATE entry SET payload = '{{"n":{seq},"text":"\\u00e9"}}' WHERE seq = {seq}""",
    "half surrogate": """UPDATE entry SET payload = '{{"n":{seq},"text":"\\ud800"}}' WHERE seq = {seq}""",
    "number as float": """UPDATE entry SET payload = '{{"n":{seq}.0,"text":"é"}}' WHERE seq = {seq}""",
    "no number": """UPDATE entry SET payload = '{{"n":NaN,"text":"é"}}' WHERE seq = {seq}""",
    "list for payload": "UPDATE entry SET payload = '[]' WHERE seq = {seq}",
    "no JSON": "UPDATE entry SET payload = 'secret' WHERE seq = {seq}",
    "deep JSON": "UPDATE entry SET payload = '" + '{{"n":' * 5000 + "' WHERE seq = {seq}",
    "prev": "UPDATE entry SET prev = '" + "a" * 64 + "' WHERE seq = {seq}",
    "hash": "UPDATE entry SET hash = '" + "a" * 64 + "' WHERE seq = {seq}",
    "hash in capitals": "UPDATE entry SET hash = upper(hash) WHERE seq = {seq}",
    "renumbered": "UPDATE entry SET seq = 77 WHERE seq = {seq}",
    "renumbered with its id": "UPDATE entry SET seq = 77, id = 'e77' WHERE seq = {seq}",
}
ROWS_TAMPERED: Mapping[str, tuple[Sequence[str], int]] = {
    "first deleted": (["DELETE FROM entry WHERE seq = 1"], 1),
    "middle deleted": (["DELETE FROM entry WHERE seq = 3"], 3),
    "middle deleted and closed up": (
        [
            "DELETE FROM entry WHERE seq = 3",
            "UPDATE entry SET seq = 3, id = 'e3' WHERE seq = 4",
            "UPDATE entry SET seq = 4, id = 'e4' WHERE seq = 5",
        ],
        3,
    ),
    "two swapped": (
        [
            "UPDATE entry SET seq = 77 WHERE seq = 2",
            "UPDATE entry SET seq = 2 WHERE seq = 3",
            "UPDATE entry SET seq = 3 WHERE seq = 77",
        ],
        2,
    ),
    "two swapped with their ids": (
        [
            "UPDATE entry SET seq = 77, id = 'e77' WHERE seq = 2",
            "UPDATE entry SET seq = 2, id = 'e2' WHERE seq = 3",
            "UPDATE entry SET seq = 3, id = 'e3' WHERE seq = 77",
        ],
        2,
    ),
    "one added at the end": (
        [
            "INSERT INTO entry SELECT 6, 'e6', recorded_at, author, study, kind, payload, hash, '"
            + "b" * 64
            + "' FROM entry WHERE seq = 5"
        ],
        6,
    ),
    "one put before the first": (
        [
            "INSERT INTO entry SELECT 0, 'e0', recorded_at, author, study, kind, payload, '"
            + "c" * 64
            + "', prev FROM entry WHERE seq = 1"
        ],
        1,
    ),
    "one put far below": (
        [
            "INSERT INTO entry SELECT -9000000000000000000, 'e-9', recorded_at, author, study, kind, payload, '"
            + "c" * 64
            + "', '"
            + "d" * 64
            + "' FROM entry WHERE seq = 1"
        ],
        1,
    ),
    "all renumbered": (["UPDATE entry SET seq = seq + 100", "UPDATE entry SET id = 'e' || seq"], 1),
}

BAD_DRAFTS: Mapping[str, tuple[dict[str, Any], str]] = {
    "unknown kind": ({"kind": "evidense"}, 'did you mean "evidence"'),
    "no author": ({"author": ""}, "name the author"),
    "NUL in the author": ({"author": "a\0b"}, "has a NUL"),
    "half surrogate in the author": ({"author": "a\ud800"}, "not plain JSON"),
    "no study": ({"study": ""}, "name the study"),
    "no number": ({"payload": {"n": float("nan")}}, "finite numbers"),
    "infinity": ({"payload": {"n": float("inf")}}, "finite numbers"),
    "half surrogate": ({"payload": {"text": "\ud800"}}, "half surrogates"),
    "half surrogate in a key": ({"payload": {"\udfff": 1}}, "half surrogates"),
    "number as key": ({"payload": {1: "a"}}, "text keys"),
    "one key in two types": ({"payload": {1: "a", "1": "b"}}, "text keys"),
    "tuple": ({"payload": {"pair": (1, 2)}}, "lists"),
    "moment": ({"payload": {"at": NOON}}, "not plain JSON"),
    "list for payload": ({"payload": [1]}, "mappings"),
}


def sealed_again(entry: Entry, **changes: Any) -> Entry:
    """The entry with some fields changed and the hash that fits them."""
    changed = replace(entry, **changes)
    as_draft = Draft(author=changed.author, study=changed.study, kind=changed.kind, payload=changed.payload)
    return sealed(as_draft, seq=changed.seq, recorded_at=changed.recorded_at, prev=changed.prev)


# What is no continuation of a ledger of two entries, made from the five that are; and the position that is named.
NOT_TO_BE_RESTORED: Mapping[str, tuple[Callable[[list[Entry]], list[Entry]], int, str]] = {
    "from the beginning": (lambda e: e, 3, "position 1 stands where 3 should"),
    "one left out": (lambda e: e[3:], 3, "position 4 stands where 3 should"),
    "one twice": (lambda e: [e[2], e[2]], 4, "position 3 stands where 4 should"),
    "in another order": (lambda e: [e[2], e[4], e[3]], 4, "position 5 stands where 4 should"),
    "of another chain": (lambda e: [sealed_again(e[2], prev="a" * 64)], 3, "link does not fit"),
    "changed": (lambda e: [e[2], replace(e[3], author="eve")], 4, "does not fit its hash"),
    "changed and sealed again": (lambda e: [sealed_again(e[2], author="eve"), e[3]], 4, "link does not fit"),
    "with another id": (lambda e: [replace(e[2], id="e77")], 3, "id does not fit its position"),
    "with another hash": (lambda e: [replace(e[2], hash="a" * 64)], 3, "does not fit its hash"),
    "earlier than the last": (
        lambda e: [sealed_again(e[2], recorded_at="2025-04-22T11:00:00.000000Z")],
        3,
        "recorded before the entry that it follows",
    ),
    "at no time": (lambda e: [sealed_again(e[2], recorded_at="yesterday, or the day after ")], 3, "not written as"),
    "at a time in another form": (
        lambda e: [sealed_again(e[2], recorded_at="2025-04-23T12:00:00.0000+00")],
        3,
        "not written as",
    ),
    "by nobody": (lambda e: [sealed_again(e[2], author="")], 3, "not written as"),
    "with a NUL in the study": (lambda e: [sealed_again(e[2], study="a\0")], 3, "not written as"),
    "of no kind": (lambda e: [sealed_again(e[2], kind="")], 3, "not written as"),
    "with half a surrogate": (lambda e: [replace(e[2], kind="\ud800")], 3, "not written as"),
    "with a list for payload": (lambda e: [sealed_again(e[2], payload=[1])], 3, "not written as"),
    "with no number": (lambda e: [replace(e[2], payload={"n": float("nan")})], 3, "not written as"),
    "bad at the very end": (lambda e: [e[2], e[3], replace(e[4], payload={"n": 77})], 5, "does not fit its hash"),
}


class RefusedError(Exception):
    """What a decision raises when it says no."""


def clock_at(*seconds: float) -> Clock:
    """A clock that reads so many seconds after noon: each in turn, then the last for ever."""
    readings = iter(seconds)
    last = 0.0

    def clock() -> datetime:
        nonlocal last
        last = next(readings, last)
        return NOON + timedelta(seconds=last)

    return clock


def draft(n: int = 0, **changes: Any) -> Draft:
    """A draft that any ledger takes, unless it is changed into another."""
    fields: dict[str, Any] = {"author": "ana", "study": "japan-sar", "kind": "evidence"}
    fields["payload"] = {"text": "é", "n": n}
    return Draft(**fields | changes)


def record(ledger: Ledger, *drafts: Draft) -> list[Entry]:
    """One batch, decided without a look at the ledger."""
    return ledger.append(lambda _: drafts)


def five_entries(ledger: Ledger) -> list[Entry]:
    """Five entries in two batches, numbered in their payloads."""
    return record(ledger, draft(1), draft(2)) + record(ledger, draft(3), draft(4), draft(5))


def hash_by_hand(entry: Entry) -> str:
    """What SPEC 5 says the hash is, without our own code."""
    body = {name: getattr(entry, name) for name in ("author", "id", "kind", "payload", "recorded_at", "seq", "study")}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(entry.prev.encode("ascii") + text.encode("utf-8")).hexdigest()


class LedgerContract:
    """The promise of `indicators.ledger`, as tests."""

    def make_ledger(self, tmp_path: Path, clock: Clock) -> Ledger:
        """A new, empty ledger."""
        raise NotImplementedError

    @pytest.fixture
    def ledger(self, tmp_path: Path) -> Iterator[Ledger]:
        """A new ledger whose clock goes on by a minute a batch."""
        with self.make_ledger(tmp_path, clock_at(*range(0, 60_000, 60))) as ledger:
            yield ledger

    def test_a_new_ledger_is_empty_and_holds(self, ledger: Ledger) -> None:
        assert list(ledger.entries()) == []
        assert ledger.head() == Head(0, "0" * 64)
        assert ledger.verify() is None

    def test_what_is_read_is_what_was_returned_and_handed_in(self, ledger: Ledger) -> None:
        drafts = [draft(1), draft(2, kind="amend"), draft(3, author="bob", study="other")]
        returned = record(ledger, *drafts)
        assert list(ledger.entries()) == returned
        assert [
            Draft(author=entry.author, study=entry.study, kind=entry.kind, payload=entry.payload) for entry in returned
        ] == drafts

    def test_positions_and_ids_run_without_a_gap(self, ledger: Ledger) -> None:
        for size in (3, 1, 2):
            record(ledger, *[draft(n) for n in range(size)])
        assert [(entry.seq, entry.id) for entry in ledger.entries()] == [(n, f"e{n}") for n in range(1, 7)]

    def test_each_entry_links_to_the_one_before(self, ledger: Ledger) -> None:
        record(ledger, draft(1), draft(2))
        record(ledger, draft(3))
        entries = list(ledger.entries())
        assert [entry.prev for entry in entries] == [FIRST_PREV, entries[0].hash, entries[1].hash]
        assert [entry.hash for entry in entries] == [hash_by_hand(entry) for entry in entries]

    def test_the_head_is_the_last_entry(self, ledger: Ledger) -> None:
        for count in (1, 2, 3):
            [entry] = record(ledger, draft(count))
            assert ledger.head() == Head(count, entry.hash)

    @pytest.mark.parametrize("name", BAD_DRAFTS)
    def test_a_batch_with_one_bad_draft_is_refused_whole(self, ledger: Ledger, name: str) -> None:
        changes, phrase = BAD_DRAFTS[name]
        record(ledger, draft(1))
        before = ledger.head()
        with pytest.raises(DraftError, match=phrase):
            record(ledger, draft(2), draft(3, **changes), draft(4))
        assert ledger.head() == before
        record(ledger, draft(5))
        assert [entry.payload["n"] for entry in ledger.entries()] == [1, 5]
        assert ledger.verify() is None

    def test_a_payload_nested_beyond_reading_is_refused(self, ledger: Ledger) -> None:
        nested: dict[str, Any] = {}
        for _ in range(100_000):
            nested = {"a": nested}
        with pytest.raises(DraftError, match="not plain JSON"):
            record(ledger, draft(payload=nested))
        assert ledger.head().entries == 0
        while nested:  # taken apart by hand: Python would do it by recursion
            nested = nested.pop("a")

    def test_a_refusal_by_the_decision_passes_through_and_writes_nothing(self, ledger: Ledger) -> None:
        record(ledger, draft(1))
        before = ledger.head()
        refusal = RefusedError("no")

        def refuse(_: Ledger) -> NoReturn:
            raise refusal

        with pytest.raises(RefusedError) as caught:
            ledger.append(refuse)
        assert caught.value is refusal
        assert ledger.head() == before
        assert [entry.seq for entry in record(ledger, draft(2))] == [2]

    def test_an_empty_decision_writes_nothing(self, ledger: Ledger) -> None:
        record(ledger, draft(1))
        before = ledger.head()
        assert ledger.append(lambda _: []) == []
        assert ledger.head() == before

    def test_the_decision_reads_the_ledger_as_it_stands(self, ledger: Ledger) -> None:
        for _ in range(3):
            ledger.append(lambda shown: [draft(shown.head().entries), draft(len(list(shown.entries())))])
        assert [entry.payload["n"] for entry in ledger.entries()] == [0, 0, 2, 2, 4, 4]

    def test_a_decision_may_not_append(self, ledger: Ledger) -> None:
        with pytest.raises(NestedAppendError, match="return the drafts instead"):
            ledger.append(lambda shown: [draft(len(record(shown, draft(1))))])
        assert ledger.head().entries == 0
        assert [entry.seq for entry in record(ledger, draft(2))] == [1]

    @pytest.mark.parametrize("seconds", [(0, 0, 0, 0), (60, 0, -86_400, 61), (0, -1e-6, 0, 1e-6), (5, 4, 3, 2)])
    def test_time_goes_on_when_the_clock_does_not(self, tmp_path: Path, seconds: tuple[float, ...]) -> None:
        with self.make_ledger(tmp_path, clock_at(*seconds)) as ledger:
            moments = [{entry.recorded_at for entry in record(ledger, draft(), draft())} for _ in seconds]
        expected, last = [], NOON - timedelta(days=1000)
        for reading in seconds:
            last = max(NOON + timedelta(seconds=reading), last + timedelta(microseconds=1))
            expected.append({last.strftime("%Y-%m-%dT%H:%M:%S.%fZ")})
        assert moments == expected

    def test_time_is_utc_whatever_the_clocks_zone(self, tmp_path: Path) -> None:
        tokyo = timezone(timedelta(hours=9))
        with self.make_ledger(tmp_path, lambda: datetime(2025, 4, 23, 1, 30, tzinfo=tokyo)) as ledger:
            [entry] = record(ledger, draft())
        assert entry.recorded_at == "2025-04-22T16:30:00.000000Z"

    def test_the_end_of_time_is_refused_in_words(self, tmp_path: Path) -> None:
        with self.make_ledger(tmp_path, lambda: datetime.max.replace(tzinfo=UTC)) as ledger:
            record(ledger, draft(1))
            with pytest.raises(LedgerTimeError, match="cannot be followed by a later one"):
                record(ledger, draft(2))
            assert ledger.head().entries == 1

    def test_entries_of_one_study_until_a_moment_after_a_position(self, ledger: Ledger) -> None:
        for n in range(1, 8):
            record(ledger, draft(n, study="other" if n % 3 == 0 else "japan-sar"), draft(-n))
        entries = list(ledger.entries())
        moments = [NOON + timedelta(minutes=m, microseconds=u) for m in (-1, 0, 2, 6, 9) for u in (-1, 0, 1)]
        for study in (None, "japan-sar", "other", "none"):
            for until in (None, *moments):
                limit = until.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if until else None
                for after in (-1, 0, 1, 6, 14, 99):
                    assert list(ledger.entries(study=study, until=until, after=after)) == [
                        entry
                        for entry in entries
                        if (study is None or entry.study == study)
                        and (limit is None or entry.recorded_at <= limit)
                        and entry.seq > after
                    ]

    def test_until_may_be_in_any_zone(self, ledger: Ledger) -> None:
        five_entries(ledger)
        record(ledger, draft(6))
        tokyo = timezone(timedelta(hours=9))
        until = datetime(2025, 4, 22, 21, 1, tzinfo=tokyo)  # 12:01 UTC
        assert [entry.seq for entry in ledger.entries(until=until)] == [1, 2, 3, 4, 5]

    def test_the_head_of_an_earlier_moment_is_the_last_entry_by_then(self, ledger: Ledger) -> None:
        entries = [entry for n in range(3) for entry in record(ledger, draft(n), draft(-n))]
        microsecond = timedelta(microseconds=1)
        assert ledger.head(until=NOON - microsecond) == Head(0, FIRST_PREV)
        for minutes, last in ((0, 1), (1, 3), (2, 5)):
            expected = Head(last + 1, entries[last].hash)
            until = NOON + timedelta(minutes=minutes)
            assert ledger.head(until=until) == expected
            assert ledger.head(until=until + timedelta(minutes=1) - microsecond) == expected
        assert ledger.head(until=NOON + timedelta(days=1)) == ledger.head()

    def test_studies_come_in_the_order_of_their_first_entry(self, ledger: Ledger) -> None:
        assert ledger.studies() == []
        record(ledger, draft(study="z"), draft(study="m"))
        record(ledger, draft(study="a"), draft(study="z"))
        assert ledger.studies() == ["z", "m", "a"]
        assert ledger.studies(until=NOON) == ["z", "m"]
        assert ledger.studies(until=NOON - timedelta(seconds=1)) == []

    def test_an_iteration_keeps_to_the_ledger_as_it_was_when_it_began(self, ledger: Ledger) -> None:
        five_entries(ledger)
        entries = ledger.entries()
        assert next(entries).seq == 1
        record(ledger, draft(6))
        assert [entry.seq for entry in entries] == [2, 3, 4, 5]
        assert [entry.seq for entry in ledger.entries(after=5)] == [6]

    def test_a_long_ledger_is_read_whole_and_in_order(self, ledger: Ledger) -> None:
        returned = record(ledger, *[draft(n, study=f"s{n % 2}") for n in range(1001)])
        assert list(ledger.entries()) == returned
        assert list(ledger.entries(study="s1")) == returned[1::2]
        assert ledger.verify() is None

    def test_a_payload_changed_by_its_writer_later_stays_as_recorded(self, ledger: Ledger) -> None:
        payload: dict[str, Any] = {"states": ["none"]}
        record(ledger, draft(payload=payload))
        payload["states"].append("marked")
        assert [entry.payload for entry in ledger.entries()] == [{"states": ["none"]}]
        assert ledger.verify() is None

    def test_awkward_text_comes_back_to_the_letter(self, ledger: Ledger) -> None:
        as_payloads = [draft(payload={"text": text, text: [text, None]}) for text in AWKWARD]
        as_names = [draft(author=text, study=text) for text in AWKWARD if text and "\0" not in text]
        record(ledger, *as_payloads, *as_names)
        entries = list(ledger.entries())
        assert [entry.payload for entry in entries[: len(AWKWARD)]] == [drafted.payload for drafted in as_payloads]
        assert [entry.author for entry in entries[len(AWKWARD) :]] == [drafted.author for drafted in as_names]
        assert [entry.hash for entry in entries] == [hash_by_hand(entry) for entry in entries]
        assert [list(ledger.entries(study=each.study)) for each in entries[-len(as_names) :]] == [
            [each] for each in entries[-len(as_names) :]
        ]
        assert ledger.verify() is None

    def test_numbers_come_back_to_the_last_digit(self, ledger: Ledger) -> None:
        numbers = [0, -0.0, 0.1 + 0.2, 1e-320, 1.7976931348623157e308, 2**64, -(10**40), 1e16, True]
        record(ledger, draft(payload={"numbers": numbers}))
        [entry] = ledger.entries()
        assert list(map(repr, entry.payload["numbers"])) == list(map(repr, numbers))
        assert ledger.verify() is None

    def test_drafts_from_a_generator_are_a_batch(self, ledger: Ledger) -> None:
        returned = ledger.append(lambda shown: (draft(n) for n in range(shown.head().entries + 3)))
        assert list(ledger.entries()) == returned
        assert [entry.payload["n"] for entry in returned] == [0, 1, 2]
        assert len({entry.recorded_at for entry in returned}) == 1
        assert ledger.verify() is None

    def test_a_stream_is_recorded_as_the_same_batch_would_be(self, tmp_path: Path) -> None:
        drafts = [draft(payload={"text": text, text: [text, None]}) for text in AWKWARD]
        drafts += [draft(author=text, study=text) for text in AWKWARD if text and "\0" not in text]
        drafts += [draft(payload={"numbers": [0, -0.0, 1e-320, 2**64], "n": True, "x": 0.1}), draft(payload={})]
        batches = MemoryLedger(clock_at(0, 60, 120))
        record(batches, draft(1))
        record(batches, *drafts)
        with self.make_ledger(tmp_path, clock_at(0, 60, 120)) as ledger:
            record(ledger, draft(1))
            assert ledger.append_stream(lambda _: iter(drafts)) == range(2, len(drafts) + 2)
            entries = list(ledger.entries())
            assert entries == list(batches.entries())
            assert [entry.payload for entry in entries[1:]] == [each.payload for each in drafts]
            assert [entry.hash for entry in entries] == [hash_by_hand(entry) for entry in entries]
            assert ledger.verify() is None

    def test_a_long_stream_comes_in_whole_and_in_order(self, ledger: Ledger) -> None:
        record(ledger, draft(0))
        assert ledger.append_stream(lambda _: (draft(n) for n in range(1, 2_503))) == range(2, 2_504)
        assert [entry.payload["n"] for entry in ledger.entries()] == list(range(2_503))
        [entry] = record(ledger, draft(9))
        assert entry.seq == 2_504
        assert ledger.verify() is None

    def test_an_empty_stream_writes_nothing(self, ledger: Ledger) -> None:
        record(ledger, draft(1))
        before = ledger.head()
        assert not ledger.append_stream(lambda _: iter(()))
        assert ledger.head() == before

    @pytest.mark.parametrize("count", [0, 1, 2_500])
    @pytest.mark.parametrize("error", [RefusedError("no"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no")])
    def test_what_a_generator_raises_passes_through_and_nothing_is_written(
        self, ledger: Ledger, count: int, error: Exception
    ) -> None:
        record(ledger, draft(1))
        before = ledger.head()

        def failing() -> Iterator[Draft]:
            yield from (draft(n) for n in range(count))
            raise error

        for append in (ledger.append, ledger.append_stream):
            with pytest.raises(type(error)) as caught:
                append(lambda _: failing())
            assert caught.value is error
            assert ledger.head() == before
        assert [entry.seq for entry in record(ledger, draft(2))] == [2]
        assert ledger.verify() is None

    @pytest.mark.parametrize("name", BAD_DRAFTS)
    def test_a_stream_with_one_bad_draft_is_refused_whole(self, ledger: Ledger, name: str) -> None:
        changes, phrase = BAD_DRAFTS[name]
        record(ledger, draft(1))
        before = ledger.head()
        with pytest.raises(DraftError, match=phrase):
            ledger.append_stream(lambda _: iter([draft(2), draft(3, **changes), draft(4)]))
        assert ledger.head() == before
        assert ledger.verify() is None

    def test_a_generator_may_not_append(self, ledger: Ledger) -> None:
        for append in (ledger.append, ledger.append_stream):
            with pytest.raises(NestedAppendError):
                append(lambda shown: (draft(len(record(shown, draft(n)))) for n in range(3)))
            assert ledger.head().entries == 0

    def test_what_is_restored_is_what_was_sealed_elsewhere(self, ledger: Ledger) -> None:
        source = MemoryLedger(clock_at(*range(10)))
        five_entries(source)
        record(source, *[draft(payload={"text": text, text: [text, None]}) for text in AWKWARD])
        record(source, *[draft(author=text, study=text) for text in AWKWARD if text and "\0" not in text])
        record(source, draft(payload={"numbers": [0, -0.0, 0.1 + 0.2, 1e-320, 2**64, 1e16, True]}))
        assert ledger.restore(source.entries()) == ledger.head() == source.head()
        assert list(ledger.entries()) == list(source.entries())
        assert [repr(entry.payload) for entry in ledger.entries()] == [repr(e.payload) for e in source.entries()]
        assert ledger.verify() is None

    def test_what_is_restored_goes_on_from_the_last(self, ledger: Ledger) -> None:
        entries = five_entries(MemoryLedger(clock_at(0, 1, 86_400)))
        for part in (entries[:2], [], entries[2:3], entries[3:]):
            ledger.restore(iter(part))
        [entry] = record(ledger, draft(6))
        assert list(ledger.entries()) == [*entries, entry]
        assert entry.prev == entries[-1].hash
        assert entry.recorded_at > entries[-1].recorded_at
        assert ledger.verify() is None

    def test_more_than_a_few_are_restored_from_a_generator(self, ledger: Ledger) -> None:
        source = MemoryLedger(clock_at(0))
        record(source, *[draft(n) for n in range(1203)])
        ledger.restore(entry for entry in source.entries())
        assert ledger.head() == source.head()
        assert ledger.verify() is None

    def test_kinds_of_a_later_version_are_restored(self, ledger: Ledger) -> None:
        [entry] = record(MemoryLedger(clock_at(0)), draft(1))
        later = sealed_again(entry, kind="witness")
        ledger.restore([later])
        assert list(ledger.entries()) == [later]

    @pytest.mark.parametrize("name", NOT_TO_BE_RESTORED)
    def test_what_does_not_follow_is_not_restored_nor_what_came_with_it(self, ledger: Ledger, name: str) -> None:
        changed, seq, phrase = NOT_TO_BE_RESTORED[name]
        entries = five_entries(MemoryLedger(clock_at(0, 60)))
        head = ledger.restore(entries[:2])
        with pytest.raises(RestoreError, match=phrase) as caught:
            ledger.restore(iter(changed(entries)))
        assert caught.value.fault.seq == seq
        assert "nothing was written" in str(caught.value)
        assert ledger.head() == head
        ledger.restore(entries[2:])
        assert list(ledger.entries()) == entries

    def test_what_the_source_raises_passes_through_and_nothing_is_restored(self, ledger: Ledger) -> None:
        entries = five_entries(MemoryLedger(clock_at(0, 60)))
        refusal = RefusedError("no more")

        def failing() -> Iterator[Entry]:
            yield from entries
            raise refusal

        with pytest.raises(RefusedError) as caught:
            ledger.restore(failing())
        assert caught.value is refusal
        assert ledger.head() == Head(0, FIRST_PREV)
        assert ledger.restore(entries).entries == 5

    def test_a_decision_may_not_restore(self, ledger: Ledger) -> None:
        entries = five_entries(MemoryLedger(clock_at(0, 60)))
        with pytest.raises(NestedAppendError):
            ledger.append(lambda shown: [draft(shown.restore(entries).entries)])
        assert ledger.head().entries == 0

    def test_a_restored_payload_changed_by_its_owner_later_stays_as_recorded(self, ledger: Ledger) -> None:
        [entry] = record(MemoryLedger(clock_at(0)), draft(payload={"states": ["none"]}))
        ledger.restore([entry])
        entry.payload["states"].append("marked")
        assert [found.payload for found in ledger.entries()] == [{"states": ["none"]}]

    def test_closing_twice_is_once(self, ledger: Ledger) -> None:
        ledger.close()
        ledger.close()


class SqlLedgerContract(LedgerContract):
    """The same of a ledger kept in a table `entry`, and that `verify` finds what was done to the table."""

    def behind_its_back(self, ledger: Ledger, statements: Sequence[str]) -> None:
        """Run statements on the ledger's table from elsewhere, with everything taken away that refuses them."""
        raise NotImplementedError

    @pytest.mark.parametrize("seq", [1, 3, 5])
    @pytest.mark.parametrize("name", ONE_ENTRY_TAMPERED)
    def test_verify_names_a_tampered_entry(self, ledger: Ledger, name: str, seq: int) -> None:
        five_entries(ledger)
        assert ledger.verify() is None
        self.behind_its_back(ledger, [ONE_ENTRY_TAMPERED[name].format(seq=seq)])
        fault = ledger.verify()
        assert fault is not None
        assert fault.seq == seq
        assert "secret" not in str(fault)

    @pytest.mark.parametrize("name", ROWS_TAMPERED)
    def test_verify_names_the_first_position_that_tampered_rows_break(self, ledger: Ledger, name: str) -> None:
        statements, seq = ROWS_TAMPERED[name]
        five_entries(ledger)
        self.behind_its_back(ledger, statements)
        fault = ledger.verify()
        assert fault is not None
        assert fault.seq == seq

    def test_a_cut_tail_shows_in_the_head_alone(self, ledger: Ledger) -> None:
        five_entries(ledger)
        head = ledger.head()
        self.behind_its_back(ledger, ["DELETE FROM entry WHERE seq > 3"])
        assert ledger.head().entries == 3
        assert ledger.head() != head
