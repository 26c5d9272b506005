"""What a revision does to the numbers: of one that is not recorded yet, and of those that are.

A revision is put behind what is known, as if it had been recorded, and the same reports are read with it. Nothing is
written. What may be shown of either outlook goes through the handling gate, as every outlook does.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from forecast.reading import Reading
from forecast.release import Released
from forecast.revision import revision_faults
from forecast.study import Study
from forecast.workflow import study_draft
from indicators.days import moment_text
from indicators.entry import sealed
from indicators.errors import Fault
from indicators.ledger import Head
from indicators.markings import mark_text
from indicators.replay import replayed

__all__ = ["Moved", "around_revision", "common_day", "moved", "rehearsed", "told_faults"]


@dataclass(frozen=True)
class Moved:
    """One scenario before and after a revision; None where it is not in the study.

    Attributes
    ----------
    id, name : str
    before, after : float or None
        Its probability.
    """

    id: str
    name: str
    before: float | None
    after: float | None

    @property
    def change(self) -> float | None:
        """After less before; None where the scenario is in one of them only."""
        return None if self.before is None or self.after is None else self.after - self.before


def rehearsed(
    reading: Reading, study: Study, *, content: Mapping[str, Any], text: str, author: str, now: datetime
) -> Reading:
    """What the ledger would hold of a study with another revision; nothing is written.

    Parameters
    ----------
    reading : Reading
        As it is.
    study, content, text, author
        As `workflow.record_study` takes them.
    now : datetime
        When it would be recorded.
    """
    draft = study_draft(study, reading.known, content=content, text=text, author=author)
    entry = sealed(draft, seq=reading.head.entries + 1, recorded_at=moment_text(now), prev=reading.head.hash)
    return replace(reading, known=replace(reading.known, revisions=[*reading.known.revisions, entry]))


def around_revision(reading: Reading, number: int) -> tuple[Reading | None, Reading]:
    """The ledger at the moment of a revision, as it was without that and with it; None before the first.

    Parameters
    ----------
    reading : Reading
    number : int
        From 1 to how many revisions are known.
    """
    entry = reading.known.revisions[number - 1]
    entries = reading.ledger.entries(study=reading.study_id)
    known = replayed(itertools.takewhile(lambda other: other.seq <= entry.seq, entries))
    moment = datetime.fromisoformat(entry.recorded_at)
    after = Reading(reading.ledger, reading.study_id, known, Head(entry.seq, entry.hash), moment)
    if number == 1:
        return None, after
    return replace(after, known=replace(known, revisions=known.revisions[:-1])), after


def common_day(before: Study, after: Study, asked: date) -> date | None:
    """The day nearest to the one asked for on which both are open; None where there is none."""
    first, last = max(before.opens, after.opens), min(before.horizon, after.horizon)
    return max(first, min(asked, last)) if first <= last else None


def moved(before: Released, after: Released) -> list[Moved]:
    """Every scenario of either outlook, in file order, those that are gone at the end."""
    was = dict(zip(before.outlook.study.scenario_ids, before.outlook.final.tolist(), strict=True))
    found = [
        Moved(scenario.id, scenario.label, was.pop(scenario.id, None), now)
        for scenario, now in zip(after.outlook.study.scenarios, after.outlook.final.tolist(), strict=True)
    ]
    gone = [scenario for scenario in before.outlook.study.scenarios if scenario.id in was]
    return found + [Moved(scenario.id, scenario.label, was[scenario.id], None) for scenario in gone]


def told_faults(new: Study, reading: Reading, *, file: str, max_tlp: str | None) -> list[Fault]:
    """Why a study may not be the next revision, with no trace of entries marked above a level; empty when it may be.

    What only such entries speak against is one fault that names none of them.
    """
    if max_tlp is None:
        return revision_faults(new, reading.known, file=file)
    told = revision_faults(new, reading.within(max_tlp).known, file=file)
    if len(told) == len(revision_faults(new, reading.known, file=file)):
        return told
    what = f"entries marked above {mark_text(max_tlp)} do not fit what it would become"
    return [*told, Fault(file, 0, 0, what, "keep the kinds, states and days of what has reports")]
