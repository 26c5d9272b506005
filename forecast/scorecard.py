"""Scores as plain values: what `forecast score` writes as JSON and CSV, of a track record and of anybody's table.

A score that is infinite, and what cannot be told, is null in JSON and an empty cell in CSV; `impossible` and the texts
beside say which. Every other number has all digits of the double.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from forecast.corp import Band, Pooled, consistency_band, histogram
from forecast.crowd import Crowd
from forecast.probability import Floats
from forecast.release import ReleasedTrack
from forecast.table_scores import TableScores
from forecast.track import BASELINES, SCORES, Against, StudyScore, Summary, Unscored
from indicators.formula import guarded

__all__ = ["RECORD_FORMAT", "TABLE_FORMAT", "curve_band", "record_csv", "record_json", "table_csv", "table_json"]

RECORD_FORMAT = "watchfloor.scores/1"
TABLE_FORMAT = "watchfloor.table-scores/1"
MOST_POINTS = 500
"""Of a curve; where more distinct probabilities were given, every so many of them are told."""

_RECORD_COLUMNS = (
    *("by", "name", "track", "studies", "days", "score", "value"),
    *("baseline", "on_common_days", "reference", "skill", "low", "high"),
)
_TABLE_COLUMNS = (
    *("forecaster", "forecasts", "questions", "brier", "log", "impossible"),
    *("miscalibration", "discrimination", "uncertainty"),
)


def curve_band(found: Pooled) -> Band:
    """The consistency band of a record, the same each time it is asked for."""
    return consistency_band(found, rng=np.random.default_rng(0))


def record_json(released: ReleasedTrack, crowd: Crowd | None = None) -> dict[str, Any]:
    """A track record as JSON values."""
    record = released.record
    return {
        "format": RECORD_FORMAT,
        "tlp": released.tlp,
        "gap": released.gap or None,
        "ledger": {"entries": released.head.entries, "head": released.head.hash},
        "studies": [_study(score) for score in record.studies],
        "summaries": [_summary(summary) for summary in record.summaries],
        "void": _unscored(record.void),
        "unsaid": _unscored(record.unsaid),
        "open": _unscored(record.open),
        "crowd": None
        if crowd is None
        else {"studies": list(crowd.courses), "unfit": crowd.unfit, "other_rows": crowd.others},
    }


def record_csv(released: ReleasedTrack) -> str:
    """A track record as CSV: a row for each study or group, score and baseline."""
    return _csv(_RECORD_COLUMNS, _record_rows(released))


def table_json(scores: TableScores) -> dict[str, Any]:
    """The scores of a table as JSON values, with the calibration curve and its band."""
    return {
        "format": TABLE_FORMAT,
        "file": scores.file,
        "form": "binary" if scores.is_binary else "categories",
        "rows": scores.rows,
        "forecasts": scores.forecasts,
        "questions": scores.questions,
        "brier": scores.brier,
        "log": _finite(scores.log),
        "impossible": scores.impossible,
        **_calibration(scores.calibration),
        "forecasters": [dict(zip(_TABLE_COLUMNS, row, strict=True)) for row in _forecaster_rows(scores)],
        "comparisons": [
            {
                "one": scores.forecasters[item.one].name,
                "other": scores.forecasters[item.other].name,
                "questions": item.questions,
                "difference": item.difference,
                "low": _finite(item.low),
                "high": _finite(item.high),
                "p": _finite(item.p),
                "p_adjusted": _finite(item.p_adjusted),
            }
            for item in scores.comparisons
        ],
        "left_out": [
            {"reason": item.reason, "what": item.what, "count": item.count, "first": list(item.named)}
            for item in scores.left_out
        ],
        "notes": list(scores.notes),
    }


def table_csv(scores: TableScores) -> str:
    """The scores of a table as CSV: a row for all of it, whose forecaster is empty, and one for each forecaster."""
    whole = [scores.forecasts, scores.questions, scores.brier, _finite(scores.log), scores.impossible]
    return _csv(_TABLE_COLUMNS, [("", *whole, *_parts(scores.calibration)), *_forecaster_rows(scores)])


def _forecaster_rows(scores: TableScores) -> Iterator[tuple[Any, ...]]:
    for item in scores.forecasters:
        own = (item.name, item.forecasts, item.questions, item.brier, _finite(item.log), item.impossible)
        yield (*own, *_parts(item.calibration))


def _parts(found: Pooled | None) -> tuple[float | None, ...]:
    """Miscalibration, discrimination and uncertainty; empty where they are not told."""
    return (None, None, None) if found is None else tuple(map(_finite, found.decomposition[1:]))


def _calibration(found: Pooled) -> dict[str, Any]:
    band = curve_band(found)
    n = len(found.probabilities)
    chosen = np.unique(np.linspace(0, n - 1, min(n, MOST_POINTS)).astype(np.intp)) if n else np.zeros(0, np.intp)
    points = (found.probabilities, found.forecasts, found.came_true, found.fit, band.low, band.high)
    names = ("probability", "forecasts", "came_true", "fit", "low", "high")
    return {
        "decomposition": {
            name: _finite(value) for name, value in zip(found.decomposition._fields, found.decomposition, strict=True)
        },
        "curve": [
            dict(zip(names, row, strict=True)) for row in zip(*(p[chosen].tolist() for p in points), strict=True)
        ],
        "distinct": n,
        "histogram": [part._asdict() for part in histogram(found)],
    }


def _study(score: StudyScore) -> dict[str, Any]:
    study = score.study
    return {
        "study": study.study,
        "title": study.title,
        "track": score.track,
        "tags": list(study.tags),
        "tlp": study.tlp,
        "outcome": study.outcome,
        "opens": study.opens.isoformat(),
        "on": study.on.isoformat(),
        "horizon": study.horizon.isoformat(),
        "days": len(score.own),
        "publications": len(score.spoken),
        "scores": _named(score.mean),
        "references": {name: _named(_mean(scores)) for name, scores in score.references.items()},
    }


def _summary(summary: Summary) -> dict[str, Any]:
    return {
        "track": summary.track,
        "by": summary.by,
        "name": summary.name,
        "studies": summary.studies,
        "days": summary.days,
        "scores": _named(summary.scores),
        "against": {
            item.baseline: {
                "studies": item.studies,
                "on_common_days": _named(item.own),
                "reference": _named(item.reference),
                "skill": _named(item.skill),
                "low": _named(item.low),
                "high": _named(item.high),
            }
            for item in summary.against
        },
        **_calibration(summary.calibration),
    }


def _record_rows(released: ReleasedTrack) -> Iterator[tuple[Any, ...]]:
    for score in released.record.studies:
        about = ("study", score.study.study, score.track, 1, len(score.own))
        for place, name in enumerate(SCORES):
            for baseline in BASELINES:
                if baseline in score.references:
                    there = ~np.isnan(score.references[baseline]).any(axis=1)
                    if there.any():
                        own = score.own[there, place].mean()
                        reference = score.references[baseline][there, place].mean()
                        worth = float(1.0 - own / reference) if reference > 0.0 else math.nan
                        row = (own, reference, worth, math.nan, math.nan)
                        yield (*about, name, _finite(score.mean[place]), baseline, *map(_finite, row))
    for summary in released.record.summaries:
        about = (summary.by, summary.name, summary.track, summary.studies, summary.days)
        for place, name in enumerate(SCORES):
            for item in summary.against:
                yield (*about, name, _finite(summary.scores[place]), item.baseline, *_row(item, place))


def _row(item: Against, place: int) -> tuple[float | None, ...]:
    return tuple(_finite(v[place]) for v in (item.own, item.reference, item.skill, item.low, item.high))


def _mean(scores: Floats) -> Floats:
    """Mean over the days that have one; NaN where none has."""
    there = ~np.isnan(scores).any(axis=1)
    return scores[there].mean(axis=0) if there.any() else np.full(len(SCORES), np.nan)


def _unscored(items: Iterable[Unscored]) -> list[dict[str, str]]:
    return [{"study": item.study, "why": item.why} for item in items]


def _named(values: Floats) -> Mapping[str, float | None]:
    return dict(zip(SCORES, map(_finite, values), strict=True))


def _finite(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([guarded(cell) if isinstance(cell, str) else cell for cell in row])
    return text.getvalue()
