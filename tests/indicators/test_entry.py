"""One line of the ledger: its canonical text and its hash, against literal text that anybody can hash again."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators.entry import FIRST_PREV, KINDS, Draft, canonical_json, sealed
from tests.strategies import AWKWARD, awkward_text

DRAFT = Draft(author="ana", study="japan-sar", kind="evidence", payload={"state": "modest", "note": "é — “日本”"})

PLAIN_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | awkward_text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(awkward_text(), inner, max_size=4),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "{}"),
        ({"b": 1, "a": [True, False, None]}, '{"a":[true,false,null],"b":1}'),
        ({"B": 1, "a": 2, "é": 3, "日": 4, "🛰": 5}, '{"B":1,"a":2,"é":3,"日":4,"🛰":5}'),
        ({"x": 1.0, "y": 1e16, "z": 0.1, "w": -0.0}, '{"w":-0.0,"x":1.0,"y":1e+16,"z":0.1}'),
        ({"text": 'a "b" \\ /\b\f\n\r\t\0\x1f\x7f'}, r'{"text":"a \"b\" \\ /\b\f\n\r\t\u0000\u001f' + '\x7f"}'),
        ({"text": "\u2028\u2029é e\u0301"}, '{"text":"\u2028\u2029é e\u0301"}'),
        (10**30, "1" + "0" * 30),
    ],
)
def test_canonical_json_is_this_text(value: object, text: str) -> None:
    assert canonical_json(value) == text


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_canonical_json_has_no_text_for_what_json_has_not(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"n": number})


@given(PLAIN_JSON)
def test_canonical_json_read_and_written_again_is_the_same_text(value: object) -> None:
    text = canonical_json(value)
    assert json.loads(text) == value
    assert canonical_json(json.loads(text)) == text


@given(st.dictionaries(awkward_text(), st.integers(), max_size=8), st.randoms(use_true_random=False))
def test_canonical_json_does_not_depend_on_the_order_of_keys(value: dict[str, int], rng: Any) -> None:
    items = list(value.items())
    rng.shuffle(items)
    assert canonical_json(dict(items)) == canonical_json(value)


def test_the_first_entry_hashes_to_what_its_literal_text_hashes_to() -> None:
    text = (
        "0000000000000000000000000000000000000000000000000000000000000000"
        '{"author":"ana","id":"e1","kind":"evidence","payload":{"note":"é — “日本”","state":"modest"},'
        '"recorded_at":"2025-04-22T12:00:00.000000Z","seq":1,"study":"japan-sar"}'
    )
    entry = sealed(DRAFT, seq=1, recorded_at="2025-04-22T12:00:00.000000Z", prev=FIRST_PREV)
    assert entry.hash == hashlib.sha256(text.encode("utf-8")).hexdigest()
    assert entry.hash == "6261765adede7743428995a003f0a67d22d2ea3ebe60c4783a6214b4d260d11c"
    assert (entry.seq, entry.id, entry.prev) == (1, "e1", "0" * 64)


def test_a_later_entry_hashes_its_predecessors_hash_first() -> None:
    text = (
        "abababababababababababababababababababababababababababababababab"
        '{"author":"ana","id":"e12","kind":"evidence","payload":{"note":"é — “日本”","state":"modest"},'
        '"recorded_at":"2025-04-22T12:00:00.000001Z","seq":12,"study":"japan-sar"}'
    )
    entry = sealed(DRAFT, seq=12, recorded_at="2025-04-22T12:00:00.000001Z", prev="ab" * 32)
    assert entry.hash == hashlib.sha256(text.encode("utf-8")).hexdigest()


def test_every_part_of_an_entry_changes_its_hash() -> None:
    def hash_of(*, seq: int = 1, recorded_at: str = "t", prev: str = FIRST_PREV, **changes: Any) -> str:
        fields = {"author": "ana", "study": "s", "kind": "evidence", "payload": {"a": 1}} | changes
        return sealed(Draft(**fields), seq=seq, recorded_at=recorded_at, prev=prev).hash

    hashes = [
        hash_of(),
        hash_of(seq=2),
        hash_of(recorded_at="u"),
        hash_of(prev="1" * 64),
        hash_of(author="Ana"),
        hash_of(author="ana "),
        hash_of(study="t"),
        hash_of(kind="amend"),
        hash_of(payload={"a": 2}),
        hash_of(payload={"a": 1.0}),
        hash_of(payload={"a": True}),
        hash_of(payload={"a": "1"}),
        hash_of(payload={"a": 1, "b": None}),
    ]
    assert len(set(hashes)) == len(hashes)


@pytest.mark.parametrize("text", AWKWARD, ids=lambda text: repr(text[:20]))
def test_awkward_text_hashes_as_its_utf8(text: str) -> None:
    entry = sealed(Draft(author=text, study=text, kind="study", payload={text: text}), seq=1, recorded_at="t", prev="p")
    one = json.dumps(text, ensure_ascii=False)
    body = (
        f'{{"author":{one},"id":"e1","kind":"study","payload":{{{one}:{one}}},"recorded_at":"t","seq":1,"study":{one}}}'
    )
    assert entry.hash == hashlib.sha256(b"p" + body.encode("utf-8")).hexdigest()


def test_the_kinds_are_those_of_the_specification() -> None:
    assert KINDS == ("study", "evidence", "amend", "retract", "coverage", "publish", "resolve")
