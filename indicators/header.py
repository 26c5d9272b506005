"""The header row of a table: which fields its columns are, and whether it is one that we exported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from indicators.errors import Fault, nearest

__all__ = ["EXPORTED", "UNREAD", "header_faults"]

MOST_COLUMNS = 100

EXPORTED = "entry"
"""The first column of evidence as we export it. The ids in it are those of the ledger that it comes from; nobody reads
them, but such a table is known by it to be one of ours."""

UNREAD = (EXPORTED, "attachments")
"""The columns of such a table that are no fields: the attachments themselves are not in it."""


def header_faults(header: Sequence[str], file: str, fields: Sequence[str]) -> Iterator[Fault]:
    """What is wrong with a header: names that are no field or stand twice, and no column for the indicator.

    Parameters
    ----------
    header : sequence of str
        The names, to the letter.
    file : str
        For the faults; their line is 1.
    fields : sequence of str
        The names that may occur.
    """
    if len(header) > MOST_COLUMNS:
        yield Fault(file, 1, 0, f"the header has {len(header)} columns", f"keep to: {', '.join(fields)}")
        return
    known = (*fields, *UNREAD) if header[:1] == [EXPORTED] else fields
    for position, name in enumerate(header):
        if name not in known:
            yield Fault(file, 1, 0, f'no field "{name[:60]}" (column {position + 1})', nearest(name[:60], fields))
        elif name in header[:position]:
            yield Fault(file, 1, 0, f'the column "{name}" stands twice', "take one of them out")
    if not set(header) - set(known) and "indicator" not in header:
        yield Fault(file, 1, 0, "there is no column indicator", "name each row's indicator in it")
