"""The handling gate: what may leave the house, made in this room alone and taken by every export, chart and report.

An outlook inherits the strictest mark of what it rests on: the study, and every report in it, also one that moved
nothing, for its text stands in the evidence. Coverage has no mark of its own; it has the study's. A mark that is not
one of the five counts as red. Nothing is left out here: that is done before, where the outlook is worked out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import InitVar, dataclass
from typing import TYPE_CHECKING

from forecast.outlook import Outlook, Provenance
from indicators.errors import WatchfloorError
from indicators.ledger import Head
from indicators.markings import exceeds, mark_text, strictest

if TYPE_CHECKING:
    from forecast.power import Power
    from forecast.track import TrackRecord

__all__ = [
    "Released",
    "ReleasedPower",
    "ReleasedTrack",
    "StrictRecordError",
    "StrictStudyError",
    "TooStrictError",
    "above",
    "inherited",
    "release",
    "release_power",
    "release_track",
]

_GATE = object()


class NotReleasedError(TypeError):
    """Something made to look released without the gate; a fault of the program, which no user can cause."""

    def __init__(self) -> None:
        super().__init__("only forecast.release makes what is released")


class TooStrictError(WatchfloorError):
    """An outlook or a list that rests on more than may leave; nothing of what is above is told but how much it is.

    Attributes
    ----------
    entries : int
    """

    def __init__(self, entries: int, max_tlp: str, *, what: str = "the outlook rests on") -> None:
        self.entries = entries
        what += f" {'one entry' if entries == 1 else f'{entries:,} entries'} marked above {mark_text(max_tlp)}"
        mend = "leave them out with --without-above, or allow a stricter level"
        super().__init__(what, where="--max-tlp", mend=mend)


class StrictStudyError(WatchfloorError):
    """A study that is itself marked above what may leave; without it nothing is left."""

    def __init__(self, max_tlp: str) -> None:
        what = f"the study itself is marked above {mark_text(max_tlp)}, and cannot be left out"
        super().__init__(what, where="--max-tlp", mend="allow a stricter level, or mark the study anew in a revision")


class StrictRecordError(WatchfloorError):
    """A track record with studies that are marked above what may leave, or of which something published is.

    Attributes
    ----------
    studies : int
    """

    def __init__(self, studies: int, max_tlp: str) -> None:
        self.studies = studies
        told = "the study itself is" if studies == 1 else f"{studies:,} studies are"
        what = f"{told} marked above {mark_text(max_tlp)}, or something published of {'it' if studies == 1 else 'them'}"
        super().__init__(
            what, where="--max-tlp", mend="leave such studies out with --without-above, or allow a stricter level"
        )


class _Gated:
    """What only the gate makes, and the mark it has."""

    tlp: str

    def __post_init__(self, key: object) -> None:
        if key is not _GATE:
            raise NotReleasedError

    @property
    def mark(self) -> str:
        """The mark as it is shown: `TLP:AMBER`."""
        return mark_text(self.tlp)


@dataclass(frozen=True, kw_only=True)
class Released(_Gated):
    """An outlook that may leave the house; only `release` makes one.

    Attributes
    ----------
    outlook : Outlook
        Nothing above the level asked for is in it: no report of its log, later days included.
    provenance : Provenance
        Its `without` says what was left out, `above:LEVEL` for what was left out by the gate.
    flags : tuple of str
        What the ledger says beside the numbers, such as rows changed after the fact.
    tlp : str
        The mark it has: the strictest of what it rests on.
    """

    outlook: Outlook
    provenance: Provenance
    flags: tuple[str, ...]
    tlp: str
    key: InitVar[object] = None

    @property
    def said(self) -> str:
        """The mark, and the gap where there is one: what every picture and page says of its handling."""
        return f"{self.mark}. {self.gap}" if self.gap else self.mark

    @property
    def gap(self) -> str:
        """One sentence that says that stricter entries were left out; empty when none were."""
        kept = [left.removeprefix(_ABOVE) for left in self.provenance.without if left.startswith(_ABOVE)]
        if not kept:
            return ""
        return f"Entries marked above {mark_text(kept[0])} are left out, and all numbers are worked out without them."


@dataclass(frozen=True, kw_only=True)
class ReleasedPower(_Gated):
    """A simulation of a study that may leave the house; only `release_power` makes one.

    Attributes
    ----------
    power : Power
    tlp : str
        The study's mark.
    """

    power: Power
    tlp: str
    key: InitVar[object] = None


@dataclass(frozen=True, kw_only=True)
class ReleasedTrack(_Gated):
    """A track record that may leave the house; only `release_track` makes one.

    Attributes
    ----------
    record : TrackRecord
    tlp : str
        The strictest mark of the studies in it, and of what was published of them.
    head : Head
        The end of the ledger that it was worked out from.
    """

    record: TrackRecord
    tlp: str
    head: Head
    key: InitVar[object] = None

    @property
    def gap(self) -> str:
        """One sentence that says that studies were left out for their mark; empty when none were."""
        if not self.record.left_out:
            return ""
        told = "one study is" if self.record.left_out == 1 else f"{self.record.left_out} studies are"
        return f"{told[0].upper()}{told[1:]} marked above the level asked for, and left out."

    @property
    def said(self) -> str:
        """The mark, and the gap where there is one."""
        return f"{self.mark}. {self.gap}" if self.gap else self.mark


_ABOVE = "above:"


def above(max_tlp: str) -> str:
    """How `Provenance.without` names the entries that are marked above a level: `above:amber`."""
    return f"{_ABOVE}{max_tlp}"


def inherited(outlook: Outlook) -> str:
    """The strictest mark of what an outlook rests on: its study, and the reports in it up to the as-of day."""
    taken = (live.report.tlp for c in outlook.likelihoods.values() for live in c.reports.live)
    return strictest([outlook.study.tlp, *(tlp for tlp in taken if tlp)])


def release(
    outlook: Outlook,
    provenance: Provenance,
    *,
    flags: Iterable[str] = (),
    max_tlp: str | None = None,
    at_least: str = "clear",
) -> Released:
    """Let an outlook out, or refuse.

    Parameters
    ----------
    outlook : Outlook
    provenance : Provenance
        Of the outlook.
    flags : iterable of str
        From the ledger.
    max_tlp : str, optional
        The strictest mark that may leave; left out, any may, and the outlook says its own.
    at_least : str
        A mark that the outlook has in any case, as that of a later revision of the study.

    Raises
    ------
    StrictStudyError
        The study is marked above that.
    TooStrictError
        A report is; those dated after the as-of day are counted too, for an outlook carries them with it.
    """
    if max_tlp is not None:
        _refuse_study(strictest([outlook.study.tlp, at_least]), max_tlp)
        marks = (live.report.tlp for reports in outlook.log.reports.values() for live in reports)
        strict = sum(exceeds(mark, max_tlp) for mark in marks if mark)
        if strict:
            raise TooStrictError(strict, max_tlp)
    tlp = strictest([inherited(outlook), at_least])
    return Released(outlook=outlook, provenance=provenance, flags=tuple(flags), tlp=tlp, key=_GATE)


def release_power(power: Power, *, max_tlp: str | None = None, at_least: str = "clear") -> ReleasedPower:
    """Let a simulation out, which rests on the study and on nothing that is logged, or refuse as `release` does."""
    tlp = strictest([power.study.tlp, at_least])
    if max_tlp is not None:
        _refuse_study(tlp, max_tlp)
    return ReleasedPower(power=power, tlp=tlp, key=_GATE)


def release_track(record: TrackRecord, head: Head, *, max_tlp: str | None = None) -> ReleasedTrack:
    """Let a track record out, or refuse where a study in it is marked above what may leave.

    Raises
    ------
    StrictRecordError
        Counts the studies, scored or not, that are.
    """
    listed = (*record.void, *record.unsaid, *record.open)
    marks = {item.study: item.tlp for item in listed} | {score.study.study: score.study.tlp for score in record.studies}
    strict = sum(max_tlp is not None and exceeds(mark, max_tlp) for mark in marks.values())
    if max_tlp is not None and strict:
        raise StrictRecordError(strict, max_tlp)
    return ReleasedTrack(record=record, tlp=strictest(["clear", *marks.values()]), head=head, key=_GATE)


def _refuse_study(tlp: str, max_tlp: str) -> None:
    if exceeds(tlp, max_tlp):
        raise StrictStudyError(max_tlp)
