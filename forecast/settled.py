"""From a ledger to its track record: which studies are settled, void or open, and what each had said by when.

Reads every study of a ledger; nothing here writes, and nothing is worked out anew from evidence.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime

import numpy as np

from forecast.crowd import Crowd, crowd_of
from forecast.forecast_table import ForecastTable
from forecast.reading import Reading, read_study
from forecast.release import ReleasedTrack, release_track
from forecast.revision import study_of
from forecast.track import SettledStudy, Since, Unscored, track_record
from indicators.ledger import Ledger
from indicators.markings import exceeds, strictest

__all__ = ["released_record", "resolved_studies", "settled_study"]


def released_record(
    ledger: Ledger,
    studies: Sequence[str],
    *,
    known_at: datetime | None = None,
    max_tlp: str | None = None,
    without_above: bool = False,
    crowd: ForecastTable | None = None,
) -> tuple[ReleasedTrack, Crowd | None]:
    """The track record of some studies of a ledger, as it may leave the house, and what was made of a crowd's table.

    Parameters
    ----------
    studies : sequence of str
        Their ids.
    known_at : datetime, optional
        What the ledger held by that moment; all of it where left out.
    max_tlp : str, optional
        The strictest mark that may leave; any, where left out.
    without_above : bool
        Leave out studies above it, and say so, in place of refusing.
    crowd : ForecastTable, optional
        Numbers of others to be measured against.

    Raises
    ------
    StrictRecordError
        A study, or something published of one, is marked above the level.
    TableError, FaultsError
        The crowd's table is none, or cannot be read.
    """
    head = ledger.head(until=known_at)
    settled: list[SettledStudy] = []
    void, open_ = [], []
    left_out = 0
    for name in studies:
        reading = read_study(ledger, name, known_at=known_at)
        tlp = _mark(reading)
        if without_above and max_tlp is not None and exceeds(tlp, max_tlp):
            left_out += 1
        elif reading.resolution is None:
            open_.append(Unscored(name, tlp, f"open until {reading.study.horizon}"))
        elif reading.resolution.is_void:
            void.append(Unscored(name, tlp, reading.resolution.why))
        else:
            settled.append(settled_study(reading))
    told = None
    if crowd is not None:
        told = crowd_of(crowd, {study.study: tuple(study.priors[-1].probabilities) for study in settled})
        settled = [replace(study, crowd=told.courses.get(study.study, ())) for study in settled]
    rng = np.random.default_rng(int(head.hash, 16))
    record = track_record(settled, void=void, open_=open_, left_out=left_out, rng=rng)
    return release_track(record, head, max_tlp=max_tlp), told


def resolved_studies(
    ledger: Ledger, *, known_at: datetime | None = None, but: Collection[str] = frozenset()
) -> list[str]:
    """Ids of the studies that are settled or void, in the order of the ledger, but for some that are not looked at."""
    asked = [name for name in ledger.studies(until=known_at) if name not in but]
    there = (name for name in asked if _was_resolved(ledger, name, known_at))
    return [name for name in there if read_study(ledger, name, known_at=known_at).resolution is not None]


def _was_resolved(ledger: Ledger, study: str, known_at: datetime | None) -> bool:
    """Whether it was ever, for that may have been taken back."""
    return any(entry.kind == "resolve" for entry in ledger.entries(study=study, until=known_at))


def settled_study(reading: Reading) -> SettledStudy:
    """A study of which it is known what came true, with what was said of it; `reading` is of one that is settled."""
    found = reading.resolution
    assert found is not None and found.scenario is not None and found.on is not None
    study = reading.study
    revisions = [(date.fromisoformat(entry.recorded_at[:10]), study_of(entry)) for entry in reading.known.revisions]
    priors = tuple(
        Since(day, dict(zip(revision.scenario_ids, revision.prior.tolist(), strict=True)))
        for day, revision in revisions
    )
    earlier = [name for since in reversed(priors) for name in since.probabilities]
    return SettledStudy(
        study=study.study,
        title=study.label,
        tags=tuple(study.tags),
        tlp=_mark(reading),
        scenarios=tuple(dict.fromkeys([*study.scenario_ids, *earlier])),
        opens=min(revision.opens for _, revision in revisions),
        on=found.on,
        horizon=study.horizon,
        outcome=found.scenario,
        priors=priors,
        publications=tuple(reading.publications),
    )


def _mark(reading: Reading) -> str:
    """The strictest mark of a study and of all that was published of it."""
    return strictest([reading.study_mark, *(publication.tlp for publication in reading.publications)])
