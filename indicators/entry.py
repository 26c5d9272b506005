"""One line of the ledger: what it says, its canonical bytes, and the hash that ties it to the line before.

hash = SHA-256 over the predecessor's hash (64 hexadecimal digits, as ASCII) followed by the canonical JSON (sorted
keys, no spaces, UTF-8) of `seq, id, recorded_at, author, study, kind, payload`. The first line's predecessor is 64
zeros. The entry never learns what a payload means.

As a row of a ledger's table it is nine columns, the payload as its canonical JSON.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

__all__ = [
    "COLUMNS",
    "FIRST_PREV",
    "KINDS",
    "Draft",
    "Entry",
    "canonical_json",
    "content_hash",
    "entry_of_row",
    "fits_its_hash",
    "row_of_entry",
    "sealed",
    "sealed_row",
]

KINDS = ("study", "evidence", "amend", "retract", "coverage", "publish", "resolve")
FIRST_PREV = "0" * 64
COLUMNS = ("seq", "id", "recorded_at", "author", "study", "kind", "payload", "prev", "hash")
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


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
    return _ENCODER.encode(value)


# Thousands of entries have the same moment, author and study.
_known_text = lru_cache(maxsize=256)(canonical_json)


def entry_hash(*, prev: str, seq: int, entry_id: str, recorded_at: str, draft: Draft, payload: str) -> str:
    """SHA-256 over the predecessor's hash and the canonical JSON of the other fields.

    `payload` is the draft's as canonical JSON; around it the body is put together by hand, so that nothing is encoded
    twice.
    """
    text = _known_text
    body = (
        f'{{"author":{text(draft.author)},"id":{canonical_json(entry_id)},"kind":{text(draft.kind)},'
        f'"payload":{payload},"recorded_at":{text(recorded_at)},"seq":{seq},"study":{text(draft.study)}}}'
    )
    return hashlib.sha256((prev + body).encode()).hexdigest()


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
        hash=entry_hash(
            prev=prev,
            seq=seq,
            entry_id=entry_id,
            recorded_at=recorded_at,
            draft=draft,
            payload=canonical_json(draft.payload),
        ),
    )


def sealed_row(draft: Draft, *, payload: str, seq: int, recorded_at: str, prev: str) -> tuple[Any, ...]:
    """The row of the entry that a draft becomes, in the order of `COLUMNS`; `payload` is its own as canonical JSON."""
    entry_id = f"e{seq}"
    own = entry_hash(prev=prev, seq=seq, entry_id=entry_id, recorded_at=recorded_at, draft=draft, payload=payload)
    return (seq, entry_id, recorded_at, draft.author, draft.study, draft.kind, payload, prev, own)


def fits_its_hash(entry: Entry) -> bool:
    """Whether an entry's hash is that of its content; nothing is said of its link or its place."""
    draft = Draft(author=entry.author, study=entry.study, kind=entry.kind, payload=entry.payload)
    own = entry_hash(
        prev=entry.prev,
        seq=entry.seq,
        entry_id=entry.id,
        recorded_at=entry.recorded_at,
        draft=draft,
        payload=canonical_json(entry.payload),
    )
    return entry.hash == own


def row_of_entry(entry: Entry) -> tuple[Any, ...]:
    """The entry as a row of a ledger's table, in the order of `COLUMNS`."""
    own = (entry.seq, entry.id, entry.recorded_at, entry.author, entry.study, entry.kind)
    return (*own, canonical_json(entry.payload), entry.prev, entry.hash)


def entry_of_row(row: Sequence[Any]) -> Entry | None:
    """The entry in a row of a ledger's table; None where the row is in any form but the one that is written.

    A payload in another form would slip through the hash: read and written again, two keys of one name are one.
    """
    seq, *texts = row
    try:
        "".join(texts).encode()
        payload = json.loads(texts[5])
        if type(seq) is not int or not isinstance(payload, dict) or canonical_json(payload) != texts[5]:
            return None
    except (TypeError, ValueError, RecursionError):
        return None
    entry_id, recorded_at, author, study, kind, _, prev, own_hash = texts
    return Entry(
        seq=seq,
        id=entry_id,
        recorded_at=recorded_at,
        author=author,
        study=study,
        kind=kind,
        payload=payload,
        prev=prev,
        hash=own_hash,
    )
