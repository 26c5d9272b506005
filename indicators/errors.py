"""The one base error all of ours derive from, the record of a user's mistake, and the error that carries many of them.

A mistake in a user's file is data (`Fault`): it is collected, sorted and shown together with the others. An error is
raised when work cannot go on; its sentence says what, where, and how to mend.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Fault", "FaultsError", "WatchfloorError", "nearest"]


class WatchfloorError(Exception):
    """Base of every error that a user can cause or mend.

    Parameters
    ----------
    what : str
        The failure with its facts, as a sentence without a full stop.
    where : str, optional
        The place: a file with line, an entry, a field, an option. Empty when there is none.
    mend : str, optional
        What to do about it. Empty when nothing can be done.
    """

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        self.what, self.where, self.mend = what, where, mend
        super().__init__(sentence(where, what, mend))


@dataclass(frozen=True, order=True, slots=True)
class Fault:
    """One mistake of a user, with its place.

    Attributes
    ----------
    file : str
        The file as the user named it; a word such as `log` where the mistake is not in a file.
    line, column : int
        Counted from 1; 0 where the place has none.
    what, mend : str
        The mistake and its mend, without a full stop.
    """

    file: str
    line: int
    column: int
    what: str
    mend: str = ""

    def __str__(self) -> str:
        place = self.file
        if self.line:
            place += f":{self.line}"
            if self.column:
                place += f":{self.column}"
        return sentence(place, self.what, self.mend)


class FaultsError(WatchfloorError):
    """Input refused for one or several mistakes; nothing was written.

    Attributes
    ----------
    faults : tuple of Fault
        The mistakes found, in the order of their places; at least one.
    more : int
        How many further ones were found that are not told one by one.
    """

    def __init__(self, faults: Iterable[Fault], *, more: int = 0) -> None:
        self.faults: tuple[Fault, ...] = tuple(sorted(faults))
        self.more = more
        super().__init__("\n".join(self.lines))

    @property
    def lines(self) -> list[str]:
        """One line for each mistake, and a last one with the number of those not told."""
        told = [str(fault) for fault in self.faults]
        return [*told, f"and {self.more} more faults like these; mend those told first"] if self.more else told


def sentence(where: str, what: str, mend: str) -> str:
    """`where: what; mend`, leaving out what is empty."""
    text = f"{where}: {what}" if where else what
    return f"{text}; {mend}" if mend else text


def nearest(word: str, known: Iterable[str]) -> str:
    """`did you mean "x"?` for the known word most like `word`, or `one of a, b, c` when none is close.

    An empty text when nothing is known.
    """
    names: Sequence[str] = list(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f'did you mean "{close[0]}"?'
    if not names:
        return ""
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"one of: {shown}"
