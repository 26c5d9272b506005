"""Looking for words in what a command left behind, however the bytes hide them.

A file is searched as it is, in other encodings of characters, with escapes undone, in base64 and as hexadecimal
digits; and whatever is packed in it is unpacked and searched again: zip archives, zlib streams of PNG and PDF, columns
of Parquet. What is drawn as a picture cannot be searched: of a chart there is also its specification.
"""

from __future__ import annotations

import base64
import html
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator

import pyarrow.parquet

__all__ = ["found_in"]

_ESCAPE = re.compile(rb"\\u([0-9a-fA-F]{4})|&#x([0-9a-fA-F]+);|%([0-9a-fA-F]{2})|=([0-9A-F]{2})")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}")
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){6,}")
_ZLIB = re.compile(rb"x[\x01\x5e\x9c\xda]")


def found_in(content: bytes, words: Iterable[str]) -> list[str]:
    """The words that are anywhere in the bytes, in whatever case; words are plain ASCII."""
    whole = b"\n".join(form.lower() for layer in _layers(content) for form in _forms(layer))
    return [word for word in words if word.lower().encode() in whole]


def _layers(content: bytes, depth: int = 0) -> Iterator[bytes]:
    """The bytes, and all that is packed in them."""
    yield content
    if depth == 4:
        return
    for inner in (*_members(content), *_streams(content), *_columns(content)):
        yield from _layers(inner, depth + 1)


def _members(content: bytes) -> Iterator[bytes]:
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for info in archive.infolist():
                yield b"\n".join((info.filename.encode(), info.comment, info.extra))
                yield archive.read(info)


def _streams(content: bytes) -> Iterator[bytes]:
    for match in _ZLIB.finditer(content):
        try:
            yield zlib.decompressobj().decompress(content[match.start() :], 50_000_000)
        except zlib.error:
            continue


def _columns(content: bytes) -> Iterator[bytes]:
    if content.startswith(b"PAR1"):
        table = pyarrow.parquet.read_table(io.BytesIO(content))
        yield repr((table.to_pydict(), table.schema.metadata)).encode()


def _forms(content: bytes) -> Iterator[bytes]:
    """The bytes in every way in which they can be read as text."""
    yield content
    for start in (0, 1):
        yield content[start::2]  # one half of UTF-16 is the ASCII in it
    yield _ESCAPE.sub(lambda match: _sign(next(part for part in match.groups() if part)), content)
    yield html.unescape(content.decode("latin-1")).encode("latin-1", "ignore")
    for match in _BASE64.finditer(content):
        for start in range(4):
            text = match[0][start:].translate(bytes.maketrans(b"-_", b"+/"))
            yield base64.b64decode(text[: len(text) // 4 * 4])
    for match in _HEX.finditer(content):
        yield bytes.fromhex(match[0].decode())


def _sign(digits: bytes) -> bytes:
    return chr(int(digits, 16)).encode("utf-8", "ignore") if int(digits, 16) < 0x110000 else b""
