"""What changed since the last publication, and why: lines that add up, in log odds.

From what was published to what holds now there are two steps. What became known since about the published day and the
days before it (late reports, corrections, a revision of the study, another engine) moved that day's number; that is one
line. What the days since then brought are the lines of the explanation since that day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from forecast.events import Live
from forecast.outlook import Outlook, Row
from forecast.probability import Floats, log_odds, log_or_minus_infinity
from forecast.publication import Publication
from forecast.reading import Reading
from forecast.release import Released, TooStrictError

__all__ = ["Update", "update_since"]


@dataclass(frozen=True)
class Update:
    """An outlook against what was last published of its study.

    Arrays are in the order of the outlook's scenarios; for a scenario that was not in the study then, `was` and `late`
    are NaN.

    Attributes
    ----------
    publication : Publication
    was : float array, shape (K,)
        Probabilities as published.
    now : float array, shape (K,)
        Probabilities now.
    late : float array, shape (K,)
        Change of the natural log odds of the published day by what became known since.
    rows : list of Row
        What moved the log odds since that day. `late` and these add up to the whole move.
    logged_late : tuple of Live
        Reports dated on the published day or before it that were logged since.
    corrected : tuple of str
        Entries logged before the publication and amended or retracted since.
    revised : bool
        Whether another revision of the study is in force.
    """

    publication: Publication
    was: Floats
    now: Floats
    late: Floats
    rows: list[Row]
    logged_late: tuple[Live, ...]
    corrected: tuple[str, ...]
    revised: bool

    @property
    def change(self) -> Floats:
        """What the probabilities gained since, shape (K,)."""
        return self.now - self.was


def update_since(reading: Reading, released: Released, *, now: datetime, max_tlp: str | None = None) -> Update | None:
    """An outlook against the last publication that speaks of its day or an earlier one.

    Parameters
    ----------
    reading : Reading
        What `released` was made from.
    released : Released
    now : datetime
        Stands for the present.
    max_tlp : str, optional
        As for `released`. A publication that rests on more is as if it had not been.

    Returns
    -------
    Update or None
        None where nothing comparable was published.
    """
    earlier = [found for found in reading.publications if found.as_of <= released.outlook.as_of]
    below = reading.within(max_tlp)
    for publication in reversed(earlier):
        then = reading.published(publication.number)
        if max_tlp is not None:
            try:
                then.released(publication.as_of, now=now, max_tlp=max_tlp)
            except TooStrictError:
                continue
        return _update(below, publication, released.outlook, released.provenance.revision)
    return None


def _update(below: Reading, publication: Publication, outlook: Outlook, revision: str) -> Update:
    said = {item.scenario: item.probability for item in publication.scenarios}
    was = np.array([said.get(name, np.nan) for name in outlook.study.scenario_ids])
    is_before = publication.as_of < outlook.study.opens
    since = None if is_before else publication.as_of
    there = outlook.study.prior if since is None else outlook.course[outlook.study.day_index(since)]
    live = [item.live for item in outlook.report_contributions]
    return Update(
        publication=publication,
        was=was,
        now=outlook.final,
        late=_odds(there) - _odds_of_each(was),
        rows=outlook.rows_since(since),
        logged_late=tuple(r for r in live if r.seq > publication.head.entries and r.report.dated <= publication.as_of),
        corrected=tuple(
            name
            for name, logged in below.known.logged.items()
            if logged.entry.seq < publication.head.entries
            and logged.corrections
            and logged.corrections[-1].seq > publication.head.entries
        ),
        revised=revision != publication.revision,
    )


def _odds(probabilities: Floats) -> Floats:
    return log_odds(log_or_minus_infinity(probabilities))


def _odds_of_each(probabilities: Floats) -> Floats:
    """Log odds of probabilities of which some may not be known."""
    return log_or_minus_infinity(probabilities) - log_or_minus_infinity(1.0 - probabilities)
