"""The parts of a PDF in one order, so that the same chart gives the same bytes.

The renderer numbers fonts and pictures in an order that changes from run to run; all else about them is the same. Here
the parts are numbered anew in the order in which they are reached from the first, and written anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["in_order"]

_REFERENCE = re.compile(rb"\b(\d+) 0 R\b")
_NAMED = re.compile(rb"<<\n((?:\s+/\w+ \d+ 0 R\n)+)(\s*)>>")
_STREAM = b"\nstream\n"


def in_order(document: bytes) -> bytes:
    """The same document with its parts in one order, as the renderer writes it: one table of parts at its end."""
    table = document.rindex(b"\nxref\n") + 1
    trailer = document[document.index(b"trailer", table) : document.index(b"startxref", table)]
    parts = {number: _sorted(part) for number, part in _parts(document, table)}
    numbers = {number: b"%d" % n for n, number in enumerate(_reached(parts, trailer), 1)}
    written = document[: min(_places(document, table))]
    rows = [b"0000000000 65535 f \n"]
    for old, new in numbers.items():
        head, stream, content = parts[old].partition(_STREAM)
        rows.append(b"%010d 00000 n \n" % len(written))
        written += new + b" 0 obj" + _renumbered(head, numbers) + stream + content
    size = re.sub(rb"/Size \d+", b"/Size %d" % len(rows), _renumbered(trailer, numbers))
    end = b"startxref\n%d\n%%%%EOF" % len(written)
    return written + b"xref\n0 %d\n" % len(rows) + b"".join(rows) + size + end


def _places(document: bytes, table: int) -> list[int]:
    """Where each part begins, in the order of their numbers."""
    return [int(row[:10]) for row in document[table:].splitlines() if row[11:].startswith(b"00000 n")]


def _parts(document: bytes, table: int) -> Iterator[tuple[bytes, bytes]]:
    """The number of each part, and what follows the words `0 obj`."""
    places = sorted(_places(document, table))
    for place, end in zip(places, [*places[1:], table], strict=True):
        number, _, part = document[place:end].partition(b" 0 obj")
        yield number, part


def _sorted(part: bytes) -> bytes:
    """A part whose lists of named references are in the order of the names."""
    head, stream, content = part.partition(_STREAM)
    head = _NAMED.sub(lambda m: b"<<\n" + b"".join(sorted(m[1].splitlines(keepends=True))) + m[2] + b">>", head)
    return head + stream + content


def _reached(parts: dict[bytes, bytes], trailer: bytes) -> Iterator[bytes]:
    """The numbers of parts in the order in which they are named, from the trailer on, each once."""
    waiting, seen = _REFERENCE.findall(trailer)[::-1], set()
    while waiting:
        number = waiting.pop()
        if number not in seen:
            seen.add(number)
            yield number
            waiting += _REFERENCE.findall(parts[number].partition(_STREAM)[0])[::-1]


def _renumbered(head: bytes, numbers: dict[bytes, bytes]) -> bytes:
    return _REFERENCE.sub(lambda m: numbers[m[1]] + b" 0 R", head)
