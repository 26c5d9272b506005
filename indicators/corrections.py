"""What became of a logged record, step by step: which fields each correction changed, from what, to what, and why."""

from __future__ import annotations

from dataclasses import dataclass

from indicators.coverage import Coverage
from indicators.evidence import Report
from indicators.replay import Logged, amended

__all__ = ["Changed", "Step", "steps"]


@dataclass(frozen=True)
class Changed:
    """One field that a correction changed; None where it was not given, or was taken out."""

    field: str
    was: object
    now: object


@dataclass(frozen=True)
class Step:
    """One correction.

    Attributes
    ----------
    entry, kind, recorded_at, author : str
        Of the entry that corrects; `amend` or `retract`.
    changes : tuple of Changed
        Empty for a retraction.
    why : str
        Empty where no reason was given.
    """

    entry: str
    kind: str
    recorded_at: str
    author: str
    changes: tuple[Changed, ...]
    why: str


def steps(logged: Logged) -> list[Step]:
    """The corrections of a record in order; each change is told against what the record said just before."""
    content, found = _content(logged.first), []
    for entry in logged.corrections:
        given = entry.payload.get("set")
        new = dict(given) if isinstance(given, dict) else {}
        changes = tuple(Changed(name, content.get(name), value) for name, value in new.items())
        content |= new
        why = entry.payload.get("why")
        told = why if isinstance(why, str) else ""
        found.append(Step(entry.id, entry.kind, entry.recorded_at, entry.author, changes, told))
    return found


def _content(record: Report | Coverage) -> dict[str, object]:
    return amended(record, {})
