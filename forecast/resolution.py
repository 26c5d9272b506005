"""A resolution: what came true of a study and on which day, or that nobody can tell; and that one was taken back.

It stands in the ledger as an entry of its own. Undoing it is another entry, so that whoever reads the record sees both.
This room writes such an entry's content and reads it back, strictly; which one holds, `Known.settled` tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from indicators.days import DayError, parse_day
from indicators.entry import Entry
from indicators.replay import Known, UnreadableEntryError

__all__ = ["FORMAT", "Resolution", "resolution_content", "resolution_of", "undo_content", "void_content"]

FORMAT = "watchfloor.resolution/1"
"""Name and version of what a ledger keeps of a resolution."""


@dataclass(frozen=True)
class Resolution:
    """How a study was settled.

    Attributes
    ----------
    entry : str
        Id of the ledger entry that holds it.
    recorded_at : str
        When it was recorded, by the ledger's clock, UTC.
    author : str
    scenario : str or None
        Id of the one that came true; None where the question is void.
    on : date or None
        The day on which it was settled; None where it is void.
    why : str
        In the author's words; empty where there is none.
    """

    entry: str
    recorded_at: str
    author: str
    scenario: str | None
    on: date | None
    why: str

    @property
    def is_void(self) -> bool:
        """Whether no scenario can be said to have come true."""
        return self.scenario is None

    @property
    def told(self) -> str:
        """In a few words: `settled on 2024-05-01`, or `void`."""
        return "void" if self.is_void else f"{self.scenario} on {self.on}"


def resolution_content(scenario: str, on: date, *, why: str = "") -> dict[str, Any]:
    """The content of a resolution as plain JSON values."""
    return {"format": FORMAT, "scenario": scenario, "on": on.isoformat(), **({"why": why} if why else {})}


def void_content(why: str) -> dict[str, Any]:
    """The content of the entry that says that a question cannot be answered."""
    return {"format": FORMAT, "void": True, "why": why}


def undo_content(entry_id: str, why: str) -> dict[str, Any]:
    """The content of the entry that takes a resolution back."""
    return {"format": FORMAT, "undo": entry_id, "why": why}


def resolution_of(known: Known) -> Resolution | None:
    """How a study was settled, as far as is known; None while it is open, and again once that was undone.

    Raises
    ------
    UnreadableEntryError
        The entry is not as this version writes it, or names no scenario of the study.
    """
    entry = known.settled
    if entry is None:
        return None
    try:
        return _read(entry, _scenarios(known))
    except (KeyError, TypeError, ValueError, DayError):
        raise UnreadableEntryError(entry, "it is not a resolution as this version knows it") from None


def _read(entry: Entry, scenarios: frozenset[str]) -> Resolution:
    content = entry.payload
    why = content.get("why", "")
    if content["format"] != FORMAT or not isinstance(why, str):
        raise ValueError
    if content.get("void") is True:
        scenario, on = None, None
    else:
        scenario, on = content["scenario"], parse_day(content["on"])
        if scenario not in scenarios:
            raise ValueError
    return Resolution(entry.id, entry.recorded_at, entry.author, scenario, on, why)


def _scenarios(known: Known) -> frozenset[str]:
    """Ids of the scenarios of the study's revision in force."""
    return frozenset(scenario["id"] for scenario in known.revisions[-1].payload["study"]["scenarios"])
