"""The outlook in formats for other programs and for documents: what the handling gate lets out in, text or bytes out.

Nothing here reads, writes or decides who may see it; that is `forecast.release`, which made what comes in. A new format
is one room beside these and one line in `FORMATS`. What another program reads changes only together with the name of
its format: `tests/golden/export` holds the structure of each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from forecast.export.csv_export import csv_text
from forecast.export.json_export import FORMAT as JSON_FORMAT
from forecast.export.json_export import json_text
from forecast.export.markdown_export import markdown_text
from forecast.export.parquet_export import parquet_bytes
from forecast.export.stix_export import FORMAT as STIX_FORMAT
from forecast.export.stix_export import stix_text
from forecast.export.tables import FORMAT as TABLES_FORMAT
from forecast.export.tables import TABLES
from forecast.export.xlsx_export import xlsx_bytes

__all__ = ["FORMATS", "Format", "content_of"]


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Attributes
    ----------
    write : callable
        `(released) -> str or bytes`; where there are `tables`, with a keyword `table`.
    suffix : str
        How the name of a file ends, like `.json`.
    name : str
        Name and version of what another program reads; empty for what is for people.
    tables : tuple of str
        The lists of an outlook that may be asked for one at a time, the first unasked; empty where it holds all.
    is_binary : bool
        Whether it is no text.
    """

    write: Callable[..., str | bytes]
    suffix: str
    name: str = ""
    tables: tuple[str, ...] = ()
    is_binary: bool = False


FORMATS: Mapping[str, Format] = {
    "json": Format(json_text, ".json", JSON_FORMAT),
    "csv": Format(csv_text, ".csv", TABLES_FORMAT, TABLES),
    "xlsx": Format(xlsx_bytes, ".xlsx", TABLES_FORMAT, is_binary=True),
    "parquet": Format(parquet_bytes, ".parquet", TABLES_FORMAT, TABLES, is_binary=True),
    "markdown": Format(markdown_text, ".md"),
    "stix": Format(stix_text, ".stix.json", STIX_FORMAT),
}


def content_of(text: str | bytes) -> bytes:
    """What a format wrote, as it stands in a file."""
    return text if isinstance(text, bytes) else text.encode()
