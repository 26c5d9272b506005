"""One record as it stands in a file, before anybody knows what its fields mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from indicators.errors import Fault

__all__ = ["Raw", "Read", "place_in"]


@dataclass(frozen=True, slots=True)
class Raw:
    """One record as it stands in a file.

    Attributes
    ----------
    line : int
        Where it starts, from 1; the row of a sheet; 0 in a file without lines.
    values : dict of str to object
        By field; texts from CSV, JSON values from JSONL and STIX, texts and numbers from XLSX.
    part : str
        What part of the file it stands in: the sheet, the object of a bundle. Empty where a line says enough.
    """

    line: int
    values: dict[str, object]
    part: str = ""


Read: TypeAlias = Raw | Fault
"""What a reader gives, in the order of the file: a record, or what is wrong in place of one."""


def place_in(file: str, part: str) -> str:
    """How a part of a file is named in a fault: `reports.xlsx!Sheet1`."""
    return f"{file}!{part}" if part else file
