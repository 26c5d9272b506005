"""What is wrong with a study file, before it has its line and column, and how messages name places and names.

A finding stands at a path of the data; the reader of the file looks the place up. Which mistakes there are is not known
here.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from forecast.yaml_tree import Path, shown
from indicators.errors import nearest

__all__ = ["Finding", "Told", "closest", "label", "one_of", "unknown_mend"]

Told = tuple[str, str]
"""What is wrong and how to mend it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake at a path of the data; the text's line and column are looked up when it is told.

    Attributes
    ----------
    path : tuple
        Keys and indices from the root. What is missing has the path that it would have.
    what, mend : str
        As in `Fault`.
    on_key : bool
        Whether it is about the key and not about what stands under it.
    """

    path: Path
    what: str
    mend: str = ""
    on_key: bool = False


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like this one, capitals aside; None when none is close."""
    if len(word) > 100:
        return None
    by_folded = {name.casefold(): name for name in known if len(name) <= 100}
    found = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def unknown_mend(word: str, known: Iterable[str]) -> str:
    """What to do about a name that is not among the known ones."""
    if ":" in word:
        return 'write a space after the colon, like "key: value"'
    names = list(known)
    meant = closest(word, names)
    return f"did you mean {shown(meant)}?" if meant else one_of(names)


def one_of(names: Iterable[str]) -> str:
    """The names to choose from; empty when there are none."""
    return nearest("", (shown(name)[1:-1] for name in names))


def label(path: Path) -> str:
    """How a message names what stands at a path."""
    match path:
        case ("scenarios" | "indicators" as key, int(n)):
            return f"{key[:-1]} {n + 1}"
        case ("indicators", _, "likelihoods", *_, str(key), int(n)):
            return f"probability {n + 1} of {shown(key)}"
        case ("indicators", _, "likelihoods", _, *_):
            return f"the row of {shown(path[-1])}"
        case ("indicators", _, "rates" | "values" | "multipliers" | "shifts" as table, str(key)):
            return f"the {table[:-1]} of {shown(key)}"
        case ("sources", str(key)):
            return f"the grade of {shown(key)}"
        case ("grades", str(key)):
            return f"the value of grade {shown(key)}"
        case (*_, str(key), int(n)):
            return f"entry {n + 1} of {shown(key)}"
    return shown(path[-1])
