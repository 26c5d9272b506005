"""Page record: how good it was. Scores of what was published, and whether the rows have foretold what was logged.

The texts and tables are those of a report; here they are only set. What may be told of is for the handling gate.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from forecast.charts.reliability import record_chart
from forecast.reading import Reading
from forecast.release import Released, ReleasedTrack
from forecast.released_record import StudyRecord, study_record
from forecast.report.record import groups_table, record_part
from forecast.track import TRACKS
from forecast.web.charts import picture_answer
from forecast.web.visit import Visit, reads

__all__ = ["ROUTES", "kept_record"]

WHOSE = {"engine": "the engine's numbers", "opinion": "own opinions"}


def kept_record(visit: Visit, reading: Reading, released: Released, level: str | None) -> StudyRecord:
    """What may be told of the record of a study, up to a level; worked out once for all who ask."""
    provenance, publication = released.provenance, reading.publication
    of = (provenance.head.hash, reading.study_id, reading.known_at, publication and publication.number)
    key = ("record", *of, released.outlook.as_of, provenance.without, level)
    return visit.state.drawings.get(key, lambda: study_record(reading, released, max_tlp=level))


def _record(visit: Visit) -> Response:
    released = visit.released()
    found = _found(visit, released)
    track = _track(found)
    scored = [] if track is None else [s.track for s in track.record.summaries if s.by == "all"]
    return visit.page(
        "record.html",
        page="record",
        released=released,
        found=found,
        part=record_part(found, released.outlook.study),
        groups=None if track is None else groups_table(track.record),
        void=() if track is None else track.record.void,
        charts=[
            (name, WHOSE[name], record_chart(track, track=name)["description"])
            for name in TRACKS
            if track is not None and name in scored
        ],
    )


def _found(visit: Visit, released: Released) -> StudyRecord:
    return kept_record(visit, visit.reading, released, visit.settings.max_tlp)


def _track(found: StudyRecord) -> ReleasedTrack | None:
    """Of every resolved study; of this one alone, where there is no other."""
    return found.house or found.own


def _calibration(visit: Visit) -> Response:
    name, night = str(visit.request.path_params["track"]), visit.asked("night") == "1"
    found = _found(visit, visit.released())
    track = _track(found)
    if name not in TRACKS or track is None:
        raise HTTPException(404)
    chart = record_chart(track, track=name, title=f"Calibration of {WHOSE[name]}")
    key = ("calibration", track.head.hash, visit.study_id, visit.known_at, visit.as_of, visit.without, name)
    return picture_answer(visit, chart, key, night=night)


ROUTES = [
    Route("/s/{study}/record", reads(_record, is_slow=True), methods=["GET"]),
    Route("/s/{study}/record/calibration-{track}.svg", reads(_calibration), methods=["GET"]),
]
