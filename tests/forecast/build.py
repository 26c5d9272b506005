"""Outlooks from plain data, without a ledger: what the tests of the engine's outputs are built on."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from forecast.events import Live
from forecast.outlook import Log, Outlook, Provenance
from forecast.release import Released, release
from forecast.study import Study
from forecast.study_folder import read_study_files
from indicators.coverage import Coverage, read_coverage
from indicators.evidence import read_report
from indicators.grades import grade_weight
from indicators.ledger import Head

Plain = Mapping[str, Any]

PROVENANCE = Provenance(
    engine="0.0.0",
    revision="ab" * 32,
    revision_number=2,
    known_at="2026-06-30T12:00:00.000000Z",
    head=Head(entries=7, hash="cd" * 32),
)


def outlook_of(study: Plain, reports: Sequence[Plain], coverage: Sequence[Plain], as_of: date) -> Outlook:
    """The outlook of a study as of a day.

    Parameters
    ----------
    study
        The content of a study file; days as ISO text or `date`.
    reports, coverage
        Records of SPEC 3 in the order of the ledger. The entry of report number n, from 0, is `e{n}`.
    as_of
        From the day the study opens to its horizon.
    """
    return outlook_of_study(Study.model_validate(_iso(study)), reports, coverage, as_of)


def outlook_of_study(model: Study, reports: Sequence[Plain], coverage: Sequence[Plain], as_of: date) -> Outlook:
    """As `outlook_of`, of a study that has been read already, with what its histories say."""
    live: dict[str, list[Live]] = {}
    for n, raw in enumerate(reports):
        report, problems = read_report(_iso(raw))
        assert report, (problems, raw)
        rho = grade_weight(model.grade_of(report.grade, report.source), model.grades)
        live.setdefault(report.indicator, []).append(Live(f"e{n}", n, report, rho))
    covered: dict[str, list[Coverage]] = {}
    for raw in coverage:
        span, problems = read_coverage(_iso(raw))
        assert span, (problems, raw)
        covered.setdefault(span.indicator, []).append(span)
    return Outlook(model, Log(live, covered), as_of)


def japan_sar(as_of: date) -> Outlook:
    """The outlook of the worked case on Japan, with the reports and coverage that come with it."""
    case = files("forecast") / "cases" / "japan_sar"
    reports, coverage = (
        list(csv.DictReader(io.StringIO((case / name).read_text("utf-8"), newline="")))
        for name in ("reports.csv", "coverage.csv")
    )
    return outlook_of_study(japan_sar_study(), reports, coverage, as_of)


@cache
def japan_sar_study() -> Study:
    """The study of the worked case, with its baselines."""
    file = Path(str(files("forecast") / "cases" / "japan_sar" / "japan-sar.yaml"))
    return read_study_files(file, file.read_bytes()).study


def released(outlook: Outlook, provenance: Provenance = PROVENANCE, *, flags: Sequence[str] = ()) -> Released:
    """The outlook as the gate lets it out where no level is asked for."""
    return release(outlook, provenance, flags=flags)


def _iso(record: Plain) -> dict[str, Any]:
    """The record with its days as text."""
    return {key: value.isoformat() if isinstance(value, date) else value for key, value in record.items()}
