"""The outlook in formats for other programs and for documents: an outlook and its provenance in, text out.

Nothing here reads, writes or decides who may see it; the handling gate stands before. A new format is one room beside
these and one line in `FORMATS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from forecast.export.csv_export import TABLES, csv_text
from forecast.export.json_export import json_text
from forecast.export.markdown_export import markdown_text

__all__ = ["FORMATS", "Format"]


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Attributes
    ----------
    write : callable
        `(outlook, provenance, *, flags=()) -> str`; where there are `tables`, with a further keyword `table`.
    tables : tuple of str
        The lists of an outlook that may be asked for one at a time, the first unasked; empty where the text holds all.
    """

    write: Callable[..., str]
    tables: tuple[str, ...] = ()


FORMATS: Mapping[str, Format] = {
    "json": Format(json_text),
    "csv": Format(csv_text, TABLES),
    "markdown": Format(markdown_text),
}
