"""Reports into events: which happening a report is about, and which reports of it count.

Reports of one indicator, in the order of their dated day and then of the ledger, fall into events (SPEC 4.3): those
that share `event`, or where that is empty `origin`, else each on its own. Of an event's reports that share an origin
only the one of highest weight counts, the earliest on a tie: ten copies of one wire story are one report. Everything
downstream works on the arrays kept here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from indicators.evidence import Report

__all__ = ["Live", "Sequenced", "sequenced"]

Integers = NDArray[np.int64]


class Live(NamedTuple):
    """A report that stands, with what the study makes of its grade.

    Attributes
    ----------
    entry : str
        Id of the ledger entry it was logged by.
    seq : int
        Its position in the ledger.
    report : Report
        With all corrections applied.
    rho : float
        Chance that it carries information.
    recorded_at, changed_at : str
        UTC moments at which it was logged and last corrected, equal where it never was; empty without a ledger.
    """

    entry: str
    seq: int
    report: Report
    rho: float
    recorded_at: str = ""
    changed_at: str = ""

    @property
    def order(self) -> tuple[date, int]:
        """Dated day, then position in the ledger."""
        return self.report.dated, self.seq


@dataclass(frozen=True, slots=True)
class Sequenced:
    """The reports of one indicator in order, with their events.

    Attributes
    ----------
    live : tuple of Live
        R reports in order.
    days : int array, shape (R,)
        Dated day of each, counted from the day the study opens.
    rho : float array, shape (R,)
    event : int array, shape (R,)
        Number of each report's event; events are numbered by their first report, from 0.
    event_days : int array, shape (E,)
        The day of each event's first report.
    counted : tuple of tuples of int
        For each report, the positions of those that count in its event once it is in, in order.
    """

    live: tuple[Live, ...]
    days: Integers
    rho: NDArray[np.float64]
    event: Integers
    event_days: Integers
    counted: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.live)

    @property
    def last_counted(self) -> list[tuple[int, ...]]:
        """For each event, the positions of the reports that count in the end."""
        last: list[tuple[int, ...]] = [()] * len(self.event_days)
        for number, counted in zip(self.event.tolist(), self.counted, strict=True):
            last[number] = counted
        return last

    @property
    def alone(self) -> NDArray[np.bool_]:
        """Whether each report is the only one of its event, shape (R,)."""
        return np.bincount(self.event, minlength=len(self.event_days))[self.event] == 1

    @property
    def has_late(self) -> bool:
        """Whether some report tells of an event that is no longer the last."""
        return bool((self.event < np.maximum.accumulate(self.event)).any()) if len(self.event) else False

    def only(self, positions: NDArray[np.int64]) -> Sequenced:
        """Some of the reports alone, put into events anew."""
        return _in_events(tuple(self.live[i] for i in positions), self.days[positions])

    def without(self, position: int) -> Sequenced:
        """The same reports without one of them, put into events anew."""
        rest = self.live[:position] + self.live[position + 1 :]
        return _in_events(rest, np.delete(self.days, position))


def sequenced(live: Iterable[Live], *, opens: date, as_of: date) -> Sequenced:
    """Order the reports of one indicator that are dated up to `as_of`, and put them into events.

    Parameters
    ----------
    live : iterable of Live
        Reports of one indicator in any order; those dated later are left out.
    opens, as_of : date
        The study's first day and the day up to which the world is known.
    """
    given = list(live)
    ordinals = np.array([item.report.dated.toordinal() for item in given], dtype=np.int64)
    order = np.lexsort((np.array([item.seq for item in given], dtype=np.int64), ordinals))
    order = order[ordinals[order] <= as_of.toordinal()]
    return _in_events(tuple(given[i] for i in order.tolist()), ordinals[order] - opens.toordinal())


def _in_events(live: tuple[Live, ...], days: Integers) -> Sequenced:
    positions = np.arange(len(live))
    opener = positions.copy()  # of each report, the first one of its event
    counted: list[tuple[int, ...]] = list(zip(positions.tolist()))
    told: dict[tuple[str, str], tuple[int, dict[object, int]]] = {}  # its first report; by origin, the one that counts
    for position, item in enumerate(live):
        key = item.report.event_key
        if key is None:
            continue
        first, by_origin = told.setdefault(key, (position, {}))
        origin = item.report.origin or position
        rival = by_origin.get(origin)
        if rival is None or item.rho > live[rival].rho:
            by_origin[origin] = position
        opener[position] = first
        counted[position] = _in_order(by_origin.values())
    opens = opener == positions
    return Sequenced(
        live=live,
        days=days,
        rho=np.array([item.rho for item in live]),
        event=(np.cumsum(opens) - 1)[opener],
        event_days=days[opens],
        counted=tuple(counted),
    )


def _in_order(positions: Iterable[int]) -> tuple[int, ...]:
    chosen: Sequence[int] = tuple(positions)
    return tuple(sorted(chosen)) if len(chosen) > 1 else tuple(chosen)
