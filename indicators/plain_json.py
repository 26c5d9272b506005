"""JSON read strictly: no key twice, no NaN, no number beyond reason, no depth without end.

What two readers could understand in two ways is refused, so that a file says the same here as anywhere else.
"""

from __future__ import annotations

import json
from math import isinf
from typing import Any

from indicators.errors import WatchfloorError

__all__ = ["NestedTooDeeplyError", "NotJsonError", "parsed_json"]

LONGEST_INTEGER = 20
"""In characters, the sign included."""


class NotJsonError(WatchfloorError):
    """Text that is not JSON, says something twice, or has a number that is none.

    Attributes
    ----------
    line, column : int
        Where in the text, from 1; 0 where it is not known.
    """

    def __init__(self, what: str, *, mend: str = "", line: int = 0, column: int = 0) -> None:
        self.line, self.column = line, column
        super().__init__(what, mend=mend)


class NestedTooDeeplyError(NotJsonError):
    """Lists or objects within each other without end."""

    def __init__(self) -> None:
        super().__init__("the value is nested too deeply")


def parsed_json(text: str) -> Any:
    """The plain JSON value of a text.

    Raises
    ------
    NotJsonError
        It is none; without a mend where that depends on what the text should have been.
    """
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        what = f"not JSON ({error.msg})"
        raise NotJsonError(what, line=error.lineno, column=error.colno) from None
    except RecursionError:
        raise NestedTooDeeplyError from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise NotJsonError(f'the key "{twice[:40]}" stands twice', mend="take one of them out")
    return found


def _no_constant(name: str) -> None:
    raise NotJsonError(f"{name} is not a number", mend="give a finite number, or leave the field out")


def _whole(text: str) -> int:
    if len(text) > LONGEST_INTEGER:
        raise NotJsonError(f"the number {text[:20]}... has {len(text)} digits", mend="give a number within 1e15")
    return int(text)


def _decimal(text: str) -> float:
    value = float(text)
    if isinf(value):
        raise NotJsonError(f"{text[:40]} is larger than any number here", mend="give a number within 1e15")
    return value


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_no_constant, parse_int=_whole, parse_float=_decimal
)
