"""A publication: the numbers of one outlook as they were said, and perhaps the analyst's own beside them.

What was said is scored later and shown again for ever, so it stands in the ledger as an entry of its own: with the day
it speaks of, the head it rests on, and the version that worked it out. This room writes such an entry's content and
reads it back, strictly; it works nothing out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from indicators.days import parse_day
from indicators.entry import Entry
from indicators.errors import Fault, FaultsError, WatchfloorError, nearest
from indicators.ledger import Head
from indicators.markings import TLP_LEVELS
from indicators.replay import UnreadableEntryError

if TYPE_CHECKING:
    from forecast.outlook import Outlook, Stated

__all__ = [
    "FORMAT",
    "SUM_TOLERANCE",
    "Publication",
    "Said",
    "UnknownPublicationError",
    "chosen_publication",
    "opinion_of",
    "publication_content",
    "publications_of",
]

FORMAT = "watchfloor.publication/1"
"""Name and version of what a ledger keeps of a publication."""

SUM_TOLERANCE = 1e-6
"""How far from 1 an opinion may sum to."""


class UnknownPublicationError(WatchfloorError):
    """A publication that is not there."""

    def __init__(self, number: int, there: int) -> None:
        what = f"there is no publication {number}" + (f", only {there}" if there else "; nothing was published yet")
        mend = "list them with `forecast publications`" if there else "publish with `forecast publish`"
        super().__init__(what, where="--published", mend=mend)


@dataclass(frozen=True)
class Said:
    """What was said of one scenario.

    Attributes
    ----------
    scenario : str
        Its id.
    probability, low, high : float
        The engine's number, and its 5th and 95th percentile.
    opinion : float or None
        The analyst's own number, where one was given.
    """

    scenario: str
    probability: float
    low: float
    high: float
    opinion: float | None = None


@dataclass(frozen=True)
class Publication:
    """What was published of a study, once.

    Attributes
    ----------
    number : int
        Which publication of the study it is, from 1.
    entry : str
        Id of the ledger entry that holds it.
    recorded_at : str
        When it was published, by the ledger's clock, UTC.
    author : str
    as_of : date
        The day that it speaks of.
    scenarios : tuple of Said
        In the order of the study file then in force; the probabilities sum to 1, and so do the opinions.
    engine : str
        Version of the engine.
    draws : int
        How many draws are behind low and high.
    revision : str
        SHA-256 of the study's recorded content.
    before : Head
        The end of the ledger just before: what the numbers rest on.
    head : Head
        The end of the ledger with it: what to print and keep.
    tlp : str
        The handling mark of what it rested on then.
    note : str
        In the author's words; empty where there is none.
    """

    number: int
    entry: str
    recorded_at: str
    author: str
    as_of: date
    scenarios: tuple[Said, ...]
    engine: str
    draws: int
    revision: str
    before: Head
    head: Head
    tlp: str
    note: str

    @property
    def opinion(self) -> dict[str, float] | None:
        """The analyst's own distribution by scenario; None where none was given."""
        own = {said.scenario: said.opinion for said in self.scenarios if said.opinion is not None}
        return own or None

    @property
    def days_late(self) -> int:
        """How many days after the day it speaks of it was published; a score counts it from when it was published."""
        return (date.fromisoformat(self.recorded_at[:10]) - self.as_of).days

    @property
    def stated(self) -> Stated:
        """Its numbers, to stand in an outlook of its day."""
        from forecast.outlook import Stated

        columns = np.array([(said.probability, said.low, said.high) for said in self.scenarios]).T
        return Stated(self.entry, self.engine, *columns)


def publication_content(
    outlook: Outlook,
    *,
    engine: str,
    revision: str,
    before: Head,
    tlp: str,
    opinion: Mapping[str, float] | None = None,
    note: str = "",
) -> dict[str, Any]:
    """The content of a publication as plain JSON values: what the ledger keeps."""
    low, high = outlook.bands.low[-1].tolist(), outlook.bands.high[-1].tolist()
    numbers = zip(outlook.study.scenario_ids, outlook.final.tolist(), low, high, strict=True)
    return {
        "format": FORMAT,
        "as_of": outlook.as_of.isoformat(),
        "engine": engine,
        "draws": outlook.draws,
        "revision": revision,
        "ledger": {"entries": before.entries, "head": before.hash},
        "tlp": tlp,
        "scenarios": [{"id": name, "probability": p, "low": least, "high": most} for name, p, least, most in numbers],
        **({"opinion": dict(opinion)} if opinion else {}),
        **({"note": note} if note else {}),
    }


def publications_of(entries: Iterable[Entry]) -> list[Publication]:
    """What entries of the kind `publish` say, in their order.

    Raises
    ------
    UnreadableEntryError
        One is not as this version writes it, or rests on another ledger than the one it stands in.
    """
    return [_publication(entry, number) for number, entry in enumerate(entries, start=1)]


def chosen_publication(publications: Sequence[Publication], number: int) -> Publication:
    """The publication of that number, from 1; raises `UnknownPublicationError`."""
    if not 1 <= number <= len(publications):
        raise UnknownPublicationError(number, len(publications))
    return publications[number - 1]


def opinion_of(given: Mapping[str, float], scenarios: Sequence[str]) -> dict[str, float]:
    """An analyst's own distribution, in file order.

    Raises
    ------
    FaultsError
        A scenario is unknown or missing, a number is not a probability between 0 and 1, both left out, or they do not
        sum to 1 within 1e-6; all faults at once, in the option's words.
    """
    told = [(f'no scenario "{name}" in the study', nearest(name, scenarios)) for name in given if name not in scenarios]
    for name, p in given.items():
        if not (math.isfinite(p) and 0.0 < p < 1.0):
            what = f"{p:g} is not a probability that {name} could be given"
            told.append((what, "give a number above 0 and below 1: certainty either way could never be scored"))
    missing = [name for name in scenarios if name not in given]
    if missing:
        told.append((f"the opinion says nothing of {', '.join(missing)}", "give every scenario its probability"))
    total = math.fsum(given.values())
    if not told and abs(total - 1.0) > SUM_TOLERANCE:
        told.append((f"the opinion sums to {total:.12g}, not to 1", "give probabilities that sum to 1"))
    if told:
        raise FaultsError(Fault("--opinion", 0, 0, what, mend) for what, mend in told)
    return {name: given[name] for name in scenarios}


def _publication(entry: Entry, number: int) -> Publication:
    try:
        found = _read(entry, number)
    except (KeyError, TypeError, ValueError, AttributeError, WatchfloorError):
        raise UnreadableEntryError(entry, "it is not a publication as this version knows it") from None
    if found.before != Head(entry.seq - 1, entry.prev):
        raise UnreadableEntryError(entry, "it rests on another ledger than the one it stands in")
    return found


def _read(entry: Entry, number: int) -> Publication:
    content = entry.payload
    opinion, before = content.get("opinion", {}), content["ledger"]
    scenarios = tuple(
        Said(_text(s["id"]), _share(s["probability"]), _share(s["low"]), _share(s["high"]), opinion.get(s["id"]))
        for s in content["scenarios"]
    )
    _require(content["format"] == FORMAT)
    _require(content["tlp"] in TLP_LEVELS)
    _require(abs(math.fsum(said.probability for said in scenarios) - 1.0) <= SUM_TOLERANCE)
    if opinion:
        opinion_of(opinion, [said.scenario for said in scenarios])
    return Publication(
        number=number,
        entry=entry.id,
        recorded_at=entry.recorded_at,
        author=entry.author,
        as_of=parse_day(content["as_of"]),
        scenarios=scenarios,
        engine=_text(content["engine"]),
        draws=int(content["draws"]),
        revision=_text(content["revision"]),
        before=Head(before["entries"], before["head"]),
        head=Head(entry.seq, entry.hash),
        tlp=content["tlp"],
        note=_text(content.get("note", "")),
    )


def _require(holds: bool) -> None:
    if not holds:
        raise ValueError


def _text(value: object) -> str:
    _require(isinstance(value, str))
    return str(value)


def _share(value: object) -> float:
    _require(isinstance(value, float | int) and not isinstance(value, bool) and 0.0 <= value <= 1.0)
    return float(value)  # type: ignore[arg-type]
