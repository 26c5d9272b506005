"""How wide a text is drawn, near enough to break it into lines and to tell whether it fits.

The widths are those of Helvetica, which Liberation Sans and Arial share; letters beyond ASCII count as middling ones,
and those of East Asia as squares. Whatever is drawn has a limit of its own as well, so that a wrong guess cuts and
never collides.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence

from forecast.display import one_line

__all__ = ["fits", "in_lines", "name_and", "names_in_lines", "text_width"]

# Of the signs from space to tilde, in thousandths of the size.
_WIDTHS = (
    *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556),
    *(1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778),
    *(667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556),
    *(333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556),
    *(556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584),
)
_MIDDLING, _SQUARE = 600, 1000
_BOLDER = 1.08
_MORE = "…"


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """How wide a text of a size is, in pixels."""
    return sum(map(_sign_width, text)) * size / 1000 * (_BOLDER if bold else 1)


def _sign_width(sign: str) -> int:
    if " " <= sign <= "~":
        return _WIDTHS[ord(sign) - 32]
    if unicodedata.combining(sign) or unicodedata.category(sign) in ("Mn", "Cf"):
        return 0
    return _SQUARE if unicodedata.east_asian_width(sign) in "WF" or sign == _MORE else _MIDDLING


def _runs_leftwards(sign: str) -> bool:
    return unicodedata.bidirectional(sign) in ("R", "AL")


def fits(text: str, width: float, size: float) -> bool:
    """Whether a text of a size has room in a width."""
    return text_width(text, size) <= width


def in_lines(text: str, width: float, *, size: float, lines: int, bold: bool = False) -> list[str]:
    """The text in at most some lines of a width in pixels, cut with an ellipsis where they do not hold it.

    Lines break at spaces, and within a word that is wider than a line, as those of Chinese and Japanese are; there is
    no line for no text, and only one for a text that holds Arabic or Hebrew.
    """

    def room(part: str) -> bool:
        return text_width(part, size, bold=bold) <= width

    found: list[str] = []
    rest = one_line(text)
    # The renderer garbles letters that are joined from right to left where a text of several lines has them.
    lines = 1 if any(map(_runs_leftwards, rest)) else lines
    while rest:
        if len(found) == lines - 1 and not room(rest):
            return [*found, _beginning(rest, lambda part: room(part + _MORE)).rstrip(" ,;:") + _MORE]
        line = _beginning(rest, room)
        found.append(line.rstrip())
        rest = rest[len(line) :].lstrip()
    return found


def names_in_lines(
    names: Sequence[str], width: float, *, size: float, lines: int = 1, bold: bool = False
) -> list[list[str]]:
    """Each name in at most some lines; of those that a cut would make the same, the middle is left out, not the end.

    Examples
    --------
    >>> names_in_lines(["The talks go on until 2026", "The talks go on until 2027"], 100, size=12)
    [['The talk…til 2026'], ['The talk…til 2027']]
    """
    cut = [in_lines(name, width, size=size, lines=lines, bold=bold) for name in names]
    times = Counter(map(tuple, cut))
    return [
        _without_middle(name, width, size=size, lines=lines, bold=bold) if times[tuple(told)] > 1 else told
        for name, told in zip(names, cut, strict=True)
    ]


def name_and(names: Sequence[str], chosen: int, rest: str, width: float, *, size: float) -> str:
    """One of some names with a text after it, `Name: text`, the name cut to the room that the text leaves."""
    room = max(width - text_width(f": {rest}", size), width / 3)
    return f"{''.join(names_in_lines(names, room, size=size)[chosen])}: {rest}"


def _without_middle(text: str, width: float, *, size: float, lines: int, bold: bool) -> list[str]:
    """Beginning and end of a text, as much as some lines hold; the whole of it where they do."""
    text = one_line(text)
    told = in_lines(text, width, size=size, lines=lines, bold=bold)
    if "".join(told).replace(" ", "") == text.replace(" ", ""):
        return told
    for kept in range(len(text) - 1, 1, -1):
        shown = f"{_head(text, (kept + 1) // 2)}{_MORE}{_head(text[::-1], kept // 2)[::-1]}"
        told = in_lines(shown, width, size=size, lines=lines, bold=bold)
        if "".join(told).replace(" ", "") == shown.replace(" ", ""):
            return told
    return told


def _head(text: str, length: int) -> str:
    """So many signs of a text, to the last whole word where one is near."""
    space = text.rfind(" ", 0, length + 1)
    return text[: space if space > length // 2 else length].strip()


def _beginning(text: str, room: Callable[[str], bool]) -> str:
    """As much of a text as has room, to a space where one is near; at least one sign."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if room(text[:middle]) else (low, middle - 1)
    space = text.rfind(" ", 0, low + 1) if low < len(text) else -1
    return text[:space] if space > low // 2 else text[:low]
