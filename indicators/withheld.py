"""What is known of a study for an audience: the entries within a handling level, with no trace of the others.

An entry goes by the mark that it has now. What it said while it was marked more strictly, and the corrections between
such a mark and another, are no part of what is left. Revisions and resolutions of the study stay: their mark is the
study's. Publications do not: their numbers rest on more than can be told of one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from indicators.evidence import Report
from indicators.markings import exceeds, strictest
from indicators.replay import Known, Logged

__all__ = ["WITHHELD", "MarkOf", "within"]

WITHHELD = "withheld"
"""What stands for an author who is not named."""

MarkOf = Callable[[Logged, str | None], str]
"""From an entry, and the mark it gives itself, to the mark that holds; the second is None where it gives none."""


def within(known: Known, most: str, mark_of: MarkOf) -> Known:
    """What is known, less every report and span of coverage marked above a level, retracted ones too.

    Parameters
    ----------
    known : Known
    most : str
        The strictest level that stays.
    mark_of : callable
        Says what holds for entries without a mark.
    """
    logged = {
        name: _cleaned(item, most, mark_of)
        for name, item in known.logged.items()
        if not exceeds(mark_of(item, _own(item.record)), most)
    }
    refs = {ref: name for ref, name in known.refs.items() if name in logged and _has_ref(logged[name], ref)}
    return replace(known, logged=logged, refs=refs, publications=[])


def _own(record: object) -> str | None:
    return record.tlp if isinstance(record, Report) else None


def _cleaned(item: Logged, most: str, mark_of: MarkOf) -> Logged:
    """The entry without what it said while its mark was above the level."""
    if not item.corrections:
        return item
    mark = mark_of(item, _own(item.first))
    if exceeds(mark, most):
        item = _begun_above(item)
    kept = []
    for correction in item.corrections:
        before, changes = mark, correction.payload.get("set")
        if isinstance(changes, dict) and "tlp" in changes:
            mark = mark_of(item, changes["tlp"])
        if not exceeds(strictest([before, mark]), most):
            kept.append(correction)
    return replace(item, corrections=tuple(kept))


def _begun_above(item: Logged) -> Logged:
    """An entry that was logged above the level and lowered since: what it said then, and who wrote it, is withheld.

    So are its attachments, which no correction can take out.
    """
    record = item.record
    if isinstance(record, Report):
        record = replace(record, attachments=())
    author = getattr(record, "author", None) or WITHHELD
    return replace(item, entry=replace(item.entry, author=author), record=record, first=record)


def _has_ref(item: Logged, ref: str) -> bool:
    return any(isinstance(record, Report) and record.ref == ref for record in (item.first, item.record))
