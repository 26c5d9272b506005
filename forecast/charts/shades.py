"""Shades of cells and bars in steps, from nothing to much, and from against to for.

What speaks for is blue and grows dark, what speaks against is orange and stays light: in grey print the two ends are
far apart still, and every cell has its number with its sign.
"""

from __future__ import annotations

from forecast.charts.style import INK

__all__ = ["AGAINST", "FOR", "ON_ORANGE", "STEPS", "blend", "cell_look", "shade", "shade_ink"]

STEPS = (0.5, 2.0, 5.0, 10.0, 20.0)
"""Decibans from which on a cell has the next shade."""

ON_ORANGE = "#1A1A1A"
"""The ink on strong orange, by day and by night."""

_STRENGTHS = (0.14, 0.32, 0.58, 0.80, 1.0)
_WHITE = "#FFFFFF"
_BLUE, _ORANGE = "#0A5A94", "#F6A75C"
_NOTHING = "#F5F5F5"
_SEQUENCE = 10
_DARK_FROM = 0.65


def blend(first: str, second: str, share: float) -> str:
    """A colour between two, both written `#RRGGBB`; `share` of the second."""
    parts = ((int(first[n : n + 2], 16), int(second[n : n + 2], 16)) for n in (1, 3, 5))
    return "#" + "".join(f"{round(a + share * (b - a)):02X}" for a, b in parts)


FOR = tuple(blend(_WHITE, _BLUE, strength) for strength in _STRENGTHS)
AGAINST = tuple(blend(_WHITE, _ORANGE, strength) for strength in _STRENGTHS)


def cell_look(decibans: float) -> tuple[str, str]:
    """Ground and ink of a cell with so much weight of evidence."""
    step = sum(abs(decibans) >= bound for bound in STEPS)
    if not step:
        return _NOTHING, INK
    strong = _STRENGTHS[step - 1] > _DARK_FROM
    if decibans < 0:
        return AGAINST[step - 1], ON_ORANGE if strong else INK
    return FOR[step - 1], "#FFFFFF" if strong else INK


def shade(share: float) -> str:
    """From nearly white for none to blue for all, in ten steps."""
    return blend("#F2F5F8", _BLUE, round(share * _SEQUENCE) / _SEQUENCE)


def shade_ink(share: float) -> str:
    """What can be read on that shade."""
    return "#FFFFFF" if round(share * _SEQUENCE) / _SEQUENCE > _DARK_FROM else INK
