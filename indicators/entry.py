"""One line of the ledger: what it says, its canonical bytes, and the hash that ties it to the line before.

hash = SHA-256 over the predecessor's hash (64 hexadecimal digits, as ASCII) followed by the canonical JSON (sorted
keys, no spaces, UTF-8) of `seq, id, recorded_at, author, study, kind, payload`. The first line's predecessor is 64
zeros. The entry never learns what a payload means.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["FIRST_PREV", "KINDS", "Draft", "Entry", "canonical_json", "content_hash", "sealed"]

KINDS = ("study", "evidence", "amend", "retract", "coverage", "publish", "resolve")
FIRST_PREV = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a writer hands to a ledger; the ledger adds position, id, time and hashes.

    Attributes
    ----------
    author : str
        Who wrote it; not empty.
    study : str
        Id of the study it belongs to.
    kind : str
        One of `KINDS`.
    payload : mapping
        Plain JSON values.
    """

    author: str
    study: str
    kind: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the ledger, as recorded.

    Attributes
    ----------
    seq : int
        Position, from 1, without gaps.
    id : str
        `e` and the position: what people type.
    recorded_at : str
        The ledger's own UTC clock, fixed width, later than every earlier batch's.
    author, study, kind, payload
        As drafted.
    prev, hash : str
        The predecessor's hash and this line's own.
    """

    seq: int
    id: str
    recorded_at: str
    author: str
    study: str
    kind: str
    payload: Mapping[str, Any]
    prev: str
    hash: str


def canonical_json(value: object) -> str:
    """The one text of a plain JSON value: sorted keys, no spaces, no escapes but JSON's own, no NaN.

    Examples
    --------
    >>> canonical_json({"b": 1, "a": "é"})
    '{"a":"é","b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def entry_hash(*, prev: str, seq: int, entry_id: str, recorded_at: str, draft: Draft) -> str:
    """SHA-256 over the predecessor's hash and the canonical JSON of the other fields."""
    body = {
        "seq": seq,
        "id": entry_id,
        "recorded_at": recorded_at,
        "author": draft.author,
        "study": draft.study,
        "kind": draft.kind,
        "payload": draft.payload,
    }
    return hashlib.sha256((prev + canonical_json(body)).encode()).hexdigest()


def content_hash(payload: Mapping[str, Any]) -> str:
    """SHA-256 of a payload's canonical JSON: the same content has the same hash in every ledger."""
    return hashlib.sha256(canonical_json(payload).encode()).hexdigest()


def sealed(draft: Draft, *, seq: int, recorded_at: str, prev: str) -> Entry:
    """The entry that a draft becomes at a position, time and predecessor."""
    entry_id = f"e{seq}"
    return Entry(
        seq=seq,
        id=entry_id,
        recorded_at=recorded_at,
        author=draft.author,
        study=draft.study,
        kind=draft.kind,
        payload=draft.payload,
        prev=prev,
        hash=entry_hash(prev=prev, seq=seq, entry_id=entry_id, recorded_at=recorded_at, draft=draft),
    )
