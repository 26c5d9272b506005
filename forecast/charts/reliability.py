"""Calibration charts of what was scored: of a track record, and of anybody's table."""

from __future__ import annotations

import numpy as np

from forecast.charts.calibration import calibration_chart
from forecast.charts.chart import Chart
from forecast.corp import Pooled
from forecast.display import counted
from forecast.release import ReleasedTrack
from forecast.scorecard import curve_band
from forecast.table_scores import TableScores

__all__ = ["record_chart", "table_chart"]


def record_chart(released: ReleasedTrack, *, track: str = "engine", title: str = "Calibration of the record") -> Chart:
    """A reliability diagram of every probability that was published on a track, each counted once.

    Parameters
    ----------
    released : ReleasedTrack
    track : str
        `engine` or `opinion`; of one on which nothing was said the chart says that there are no forecasts.
    title : str, optional
    """
    whole = [s for s in released.record.summaries if (s.track, s.by) == (track, "all")]
    if not whole:
        return _chart(None, title=title, subtitle=[], said=released.said)
    [summary] = whole
    studies = "one settled study" if summary.studies == 1 else f"{summary.studies} settled studies"
    subtitle = [f"Of {studies}, track {track}."]
    return _chart(summary.calibration, title=title, subtitle=subtitle, said=released.said)


def table_chart(scores: TableScores, *, title: str = "Calibration") -> Chart:
    """A reliability diagram of a table of forecasts: in one of categories, of every outcome of each."""
    subtitle = [f"{counted(scores.forecasts, 'forecast')} scored."]
    return _chart(scores.calibration, title=title, subtitle=subtitle, said="")


def _chart(found: Pooled | None, *, title: str, subtitle: list[str], said: str) -> Chart:
    if found is None or not found.count:
        none = np.zeros(0)
        return calibration_chart(none, none, low=none, high=none, title=title, subtitle=subtitle, said=said)
    band = curve_band(found)
    parts = found.decomposition
    notes = [
        f"Brier {parts.score:.4f}",
        f"miscalibration {parts.miscalibration:.4f}",
        f"discrimination {parts.discrimination:.4f}",
        f"uncertainty {parts.uncertainty:.4f}",
    ]
    return calibration_chart(
        found.probabilities,
        found.fit,
        low=band.low,
        high=band.high,
        times=found.forecasts,
        title=title,
        subtitle=subtitle,
        notes=notes,
        said=said,
    )
