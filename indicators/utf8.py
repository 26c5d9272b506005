"""Text from bytes, strictly: UTF-8 with or without its mark; any other encoding is refused, by name where it shows one.

Text is drawn from a stream a block at a time and handed on line by line, so that a file may be longer than memory. What
stands before the fault is handed on first. No byte is ever replaced by a question mark.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from typing import BinaryIO

from indicators.errors import WatchfloorError

__all__ = ["NotTextError", "text_lines"]

LONGEST_LINE = 4_000_000
"""In characters; a record is far shorter, and a file that never ends a line would fill the memory."""

_BLOCK = 1 << 18
_MEND = 'save the file as UTF-8 (in Excel: "CSV UTF-8")'

# The longer mark first: that of UTF-32 LE begins with that of UTF-16 LE.
_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32 LE"),
    (codecs.BOM_UTF32_BE, "UTF-32 BE"),
    (codecs.BOM_UTF16_LE, "UTF-16 LE"),
    (codecs.BOM_UTF16_BE, "UTF-16 BE"),
)


class NotTextError(WatchfloorError):
    """Bytes that are not UTF-8 text.

    Attributes
    ----------
    line : int
        Where, from 1.
    """

    def __init__(self, line: int, what: str, mend: str = _MEND) -> None:
        self.line = line
        super().__init__(what, mend=mend)


def text_lines(stream: BinaryIO, *, newline: str = "") -> Iterator[str]:
    r"""The lines of a stream, each with its end.

    Parameters
    ----------
    stream : binary file
        Read from where it stands.
    newline : str
        As in `io.StringIO`: empty for lines that end in LF, CR or CRLF; "\n" for those that end in LF alone.

    Raises
    ------
    NotTextError
        Once everything before is handed on: at bytes in another encoding, a NUL, or a line of more than
        `LONGEST_LINE` characters.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    line, rest = 1, ""
    for block in _blocks(stream):
        fault = None
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            text, fault = error.object[: error.start].decode(), error
        whole, rest = _cut(rest + text, newline, at_end=not block and fault is None)
        for found in io.StringIO(whole, newline=newline):
            if "\0" in found:
                raise NotTextError(line, "the text has a NUL character", "save the file as plain UTF-8 text")
            yield found
            line += 1
        if fault is not None:
            raise NotTextError(line + (not newline and rest.endswith("\r")), _not_utf8(fault))
        if len(rest) > LONGEST_LINE:
            what = f"the line has more than {LONGEST_LINE} characters"
            raise NotTextError(line, what, "end every record with a line break")


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    """The bytes without the mark of UTF-8; an empty block comes last."""
    block = stream.read(_BLOCK)
    _refuse_other_encoding(block)
    block = block.removeprefix(codecs.BOM_UTF8)
    while block:
        yield block
        block = stream.read(_BLOCK)
    yield b""


def _cut(text: str, newline: str, *, at_end: bool) -> tuple[str, str]:
    """Whole lines and what is left; a CR at the very end is left, as its LF may be still to come."""
    if at_end:
        return text, ""
    end = text.rfind("\n") + 1
    if not newline:
        end = max(end, text.rfind("\r", 0, len(text) - 1) + 1)
    return text[:end], text[end:]


def _refuse_other_encoding(block: bytes) -> None:
    """Refuses what its first bytes give away: a mark, or letters with a zero byte beside each."""
    for mark, name in _MARKS:
        if block.startswith(mark):
            raise NotTextError(1, f"the file is {name}, not UTF-8")
    head = block[:100]
    for name, zeros, letters in (("UTF-16 LE", head[1::2], head[::2]), ("UTF-16 BE", head[::2], head[1::2])):
        if len(zeros) > 1 and not any(zeros) and all(letters):
            raise NotTextError(1, f"the file is {name}, not UTF-8")


def _not_utf8(error: UnicodeDecodeError) -> str:
    """What the byte is not, and what it most likely is: a letter alone among ASCII is one of a Western set."""
    data, at = error.object, error.start
    what = f"byte {data[at]:#04x} is not UTF-8"
    if error.reason == "unexpected end of data":
        return f"{what}: the file ends within a character"
    beside = (*data[max(at - 1, 0) : at], *data[at + 1 : at + 2])
    letter = data[at : at + 1].decode("cp1252", "ignore")
    if not letter or any(byte >= 0x80 for byte in beside):
        return what
    sets = "Windows-1252 or Latin-1" if data[at] >= 0xA0 else "Windows-1252"
    return f'{what}, but "{letter}" in {sets}'
