"""From a specification to a picture in bytes; nothing is fetched.

The renderer writes PNG in millions of colours, of which a chart has a few: the picture is written again with a palette
of at most 256, at an eighth of the size.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from functools import cache
from html import escape, unescape
from importlib.resources import files
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.charts.lettering import text_width
from forecast.charts.pdf_order import in_order
from forecast.display import one_line

__all__ = ["pdf", "png", "svg", "with_palette"]

_VEGA_LITE = "6.4"
_TEXT = re.compile(r'(?P<opening><text [^>]*font-size="(?P<size>[\d.]+)px"[^>]*)(?<!/)>.*?</text>', re.DOTALL)
_LINE = re.compile(r"(?P<opening><(?:text|tspan)\b[^>]*)>(?P<text>[^<]+)<")
_LAST_LATIN = "\u024f"
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TRUE_COLOUR_WITH_ALPHA = (8, 6, 0, 0, 0)
_SUB = 1
_PALETTE = 256
# Colours that differ by less than this in every channel are one to the eye, next to each other or not.
_STEP = 8


@cache
def _renderer() -> ModuleType:
    """The renderer, with the fonts of this package for the scripts that its own lack."""
    import vl_convert

    vl_convert.register_font_directory(str(files("forecast") / "fonts"))
    return vl_convert


def png(chart: Mapping[str, Any], *, scale: float = 2) -> bytes:
    """The chart as a PNG picture, `scale` times its size in pixels."""
    drawn = _renderer().vegalite_to_png(dict(chart), vl_version=_VEGA_LITE, scale=scale, allowed_base_urls=[])
    return with_palette(drawn)


def svg(chart: Mapping[str, Any]) -> str:
    """The chart as an SVG document whose texts are texts, and whose description is what a screen reader reads.

    Texts keep the width they were laid out for, whatever letters a reader's machine has for them.
    """
    # Of itself the renderer would have every mark read out with its places in pixels.
    plain = {**chart, "config": {**chart.get("config", {}), "aria": False}}
    drawing: str = _renderer().vegalite_to_svg(plain, vl_version=_VEGA_LITE, allowed_base_urls=[])
    label = escape(one_line(str(chart.get("description", ""))))
    return _TEXT.sub(_at_its_width, drawing).replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def _at_its_width(found: re.Match[str]) -> str:
    opening, size = found["opening"], float(found["size"])
    is_bold = 'font-weight="bold"' in opening

    def held(line: re.Match[str]) -> str:
        text = unescape(line["text"])
        if not text.strip() or max(text) > _LAST_LATIN:
            return line[0]  # its width is a guess
        width = text_width(text, size, bold=is_bold)
        return f'{line["opening"]} textLength="{width:.1f}" lengthAdjust="spacingAndGlyphs">{line["text"]}<'

    return _LINE.sub(held, found[0])


def pdf(chart: Mapping[str, Any]) -> bytes:
    """The chart as a PDF of one page, a point for each pixel, the same bytes whenever it is made."""
    return in_order(_renderer().vegalite_to_pdf(dict(chart), vl_version=_VEGA_LITE, allowed_base_urls=[]))


def with_palette(picture: bytes) -> bytes:
    """The same PNG with a palette of at most 256 colours; as it is where it is none of the renderer's opaque ones."""
    chunks = list(_chunks(picture))
    pixels = _pixels(chunks)
    if pixels is None:
        return picture
    places, palette = _reduced(pixels)
    rows = np.zeros((places.shape[0], places.shape[1] + 1), dtype=np.uint8)  # each begins with its filter, none
    rows[:, 1:] = places
    header = struct.pack(">IIBBBBB", places.shape[1], places.shape[0], 8, 3, 0, 0, 0)
    kept = [(kind, content) for kind, content in chunks if kind == b"pHYs"]
    written = [(b"IHDR", header), *kept, (b"PLTE", palette.tobytes()), (b"IDAT", zlib.compress(rows.tobytes(), 9))]
    return _SIGNATURE + b"".join(_chunk(kind, content) for kind, content in [*written, (b"IEND", b"")])


def _chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(picture):
        (size,) = struct.unpack_from(">I", picture, at)
        yield picture[at + 4 : at + 8], picture[at + 8 : at + 8 + size]
        at += size + 12


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _pixels(chunks: list[tuple[bytes, bytes]]) -> NDArray[np.uint8] | None:
    """Red, green and blue, shape (height, width, 3), of an opaque picture written the way the renderer writes."""
    width, height, *form = struct.unpack(">IIBBBBB", chunks[0][1])
    if tuple(form) != _TRUE_COLOUR_WITH_ALPHA:
        return None
    content = zlib.decompress(b"".join(content for kind, content in chunks if kind == b"IDAT"))
    rows = np.frombuffer(content, dtype=np.uint8).reshape(height, 4 * width + 1)
    if (rows[:, 0] != _SUB).any():
        return None
    # Each byte was written less the one of the pixel before it; bytes overflow by design.
    pixels = np.cumsum(rows[:, 1:].reshape(height, width, 4), axis=1, dtype=np.uint8)
    return pixels[:, :, :3] if (pixels[:, :, 3] == 255).all() else None


def _reduced(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """For each pixel the place of its colour in a palette, and the palette, shape (n, 3).

    Colours fall into boxes. The fullest boxes give the palette their commonest colour; any other takes the nearest.
    """
    height, width, _ = pixels.shape
    red, green, blue = np.moveaxis(pixels, -1, 0).astype(np.int32)
    codes, of_pixel, counts = np.unique(red << 16 | green << 8 | blue, return_inverse=True, return_counts=True)
    commonest = np.argsort(-counts, kind="stable")
    colours = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1)[commonest]
    corners = colours // _STEP @ np.array([1 << 16, 1 << 8, 1])
    _, first, box = np.unique(corners, return_index=True, return_inverse=True)
    fullest = np.argsort(-np.bincount(box, weights=counts[commonest]), kind="stable")[:_PALETTE]
    palette = colours[first[fullest]]
    nearest = ((colours[first][:, None] - palette) ** 2).sum(axis=-1).argmin(axis=1)
    places = np.empty(len(codes), dtype=np.uint8)
    places[commonest] = nearest[box]
    return places[of_pixel].reshape(height, width), palette.astype(np.uint8)
