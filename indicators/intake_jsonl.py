"""Records from JSON lines: one flat object a line, read strictly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from indicators.errors import Fault
from indicators.plain_json import NestedTooDeeplyError, NotJsonError, parsed_json
from indicators.raw import Raw, Read
from indicators.utf8 import NotTextError, text_lines

__all__ = ["jsonl_rows"]

_MEND = "write one JSON object a line"


def jsonl_rows(stream: BinaryIO, *, file: str, fields: Sequence[str]) -> Iterator[Read]:
    """The objects of a stream; blank lines are passed over.

    Parameters
    ----------
    stream : binary file
    file : str
        Its name, for faults.
    fields : sequence of str
        Not looked at: a key that is no field is the record's own fault.
    """
    del fields
    try:
        for number, line in enumerate(text_lines(stream, newline="\n"), start=1):
            if line.strip():
                yield _row(line.rstrip("\r\n"), number, file)
    except NotTextError as error:
        yield Fault(file, error.line, 0, error.what, error.mend)


def _row(line: str, number: int, file: str) -> Read:
    try:
        value = parsed_json(line)
    except NestedTooDeeplyError as error:
        return Fault(file, number, 0, error.what, "write one flat JSON object a line")
    except NotJsonError as error:
        return Fault(file, number, error.column, error.what, error.mend or _MEND)
    if not isinstance(value, dict):
        return Fault(file, number, 0, "the line is not a JSON object", _MEND)
    return Raw(number, value)
