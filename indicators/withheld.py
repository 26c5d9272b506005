"""What is known of a study for an audience: the entries within a handling level, with no trace of the others.

An entry goes by the mark that it has now. What it said while it was marked more strictly, and the corrections between
such a mark and another, are no part of what is left. Revisions of the study stay: their mark is the study's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from indicators.evidence import Report
from indicators.markings import exceeds, strictest
from indicators.replay import Known, Logged

__all__ = ["MarkOf", "within"]

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
    return Known(known.revisions, logged, refs, known.seq)


def _own(record: object) -> str | None:
    return record.tlp if isinstance(record, Report) else None


def _cleaned(item: Logged, most: str, mark_of: MarkOf) -> Logged:
    """The entry without what it said while its mark was above the level."""
    if not item.corrections:
        return item
    mark = mark_of(item, _own(item.first))
    first = item.record if exceeds(mark, most) else item.first
    kept = []
    for correction in item.corrections:
        before, changes = mark, correction.payload.get("set")
        if isinstance(changes, dict) and "tlp" in changes:
            mark = mark_of(item, changes["tlp"])
        if not exceeds(strictest([before, mark]), most):
            kept.append(correction)
    return replace(item, first=first, corrections=tuple(kept))


def _has_ref(item: Logged, ref: str) -> bool:
    return any(isinstance(record, Report) and record.ref == ref for record in (item.first, item.record))
