"""Files that have to be refused: each goes through the whole import, as that is where a user meets it."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial

import pytest

from forecast.bulk import import_reports, tried_import
from indicators.errors import Fault, FaultsError
from indicators.evidence import FIELDS
from indicators.intake import Handed
from tests.small import TODAY, cover, csv_of, handed, head, log, new_ledger

__all__ = ["Bad", "check_refused", "faults_of"]

Bad = tuple[bytes, list[tuple[str, str]]]
"""A file's content; and of each fault the place after the file's name, and how its words begin."""


def check_refused(file: str, content: bytes, expected: list[tuple[str, str]], *, sheet: str | None = None) -> None:
    """The file has exactly these faults, in the dry run too, a sound one beside it none, and nothing is written."""
    ledger = new_ledger()
    log(ledger, {"indicator": "ballot", "observed": "2024-02-01"})
    cover(ledger, "talks", "2024-05-20", "2024-06-10")
    before = head(ledger)
    sound = csv_of([{"indicator": "mood", "observed": "2024-02-01", "state": "tense"}])
    files = [Handed(file, partial(io.BytesIO, content), FIELDS, sheet), *handed(("sound.csv", sound))]
    told = _told(lambda: import_reports(ledger, "port", files, author="ana", today=TODAY))
    assert told == _told(lambda: tried_import(ledger, "port", files, today=TODAY))
    assert len(told) == len(expected), told
    for line, (place, words) in zip(told, expected, strict=True):
        assert line.startswith(f"{file}{place}: {words}"), told
        assert "; " in line, "a mend"
        assert len(line) < 400
    assert head(ledger) == before


def _told(action: Callable[[], object]) -> list[str]:
    with pytest.raises(FaultsError) as caught:
        action()
    return [str(fault) for fault in caught.value.faults]


def faults_of(file: str, content: bytes, *, sheet: str | None = None) -> list[str]:
    """What a reader alone finds wrong with the form of a file."""
    items = Handed(file, partial(io.BytesIO, content), FIELDS, sheet)
    return [str(item) for item in items if isinstance(item, Fault)]
