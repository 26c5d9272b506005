"""The worked case as it ships: what was promised of it, and that writing it out is safe and repeatable."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from forecast.cases import (
    CASES,
    FileInTheWayError,
    UnknownCaseError,
    case_files,
    record_case,
    starter_files,
    write_files,
)
from forecast.reading import Reading, read_study
from forecast.study import Study
from forecast.study_file import read_study as study_from
from forecast.study_file import study_faults
from indicators.clock import utc_now
from indicators.days import parse_day
from indicators.grades import check_grade
from indicators.indicator import MilestoneIndicator, StateIndicator
from indicators.ledger import MemoryLedger

TODAY = date(2026, 6, 30)
LAST_WATCHED = date(2026, 6, 7)
"""The facts thin out after this day: what follows is unobserved, not quiet."""


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a CSV of the case."""
    return list(csv.DictReader(io.StringIO(case_files("japan-sar")[name].decode(), newline="")))


@pytest.fixture(scope="module")
def study() -> Study:
    return study_from(case_files("japan-sar")["japan-sar.yaml"].decode(), file="japan-sar.yaml")


@pytest.fixture(scope="module")
def reports() -> list[dict[str, str]]:
    return rows("reports.csv")


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Reading:
    folder = tmp_path_factory.mktemp("case")
    write_files(folder, case_files("japan-sar"))
    ledger = MemoryLedger(lambda: datetime(2026, 6, 30, 12, tzinfo=UTC))
    record_case(ledger, folder, "japan-sar", author="ana", today=TODAY)
    return read_study(ledger, "japan-sar")


# The study


def test_the_case_is_a_sound_study_file() -> None:
    assert study_faults(case_files("japan-sar")["japan-sar.yaml"].decode(), file="japan-sar.yaml") == []


def test_the_study_opens_with_the_story_and_asks_about_the_end_of_2027(study: Study) -> None:
    assert (study.study, study.opens, study.horizon) == ("japan-sar", date(2025, 4, 22), date(2027, 12, 31))
    assert study.question
    assert study.assumptions


def test_the_scenarios_can_be_settled_by_a_stranger(study: Study) -> None:
    assert 4 <= len(study.scenarios) <= 6
    assert study.prior.sum() == pytest.approx(1.0, abs=1e-9)
    for scenario in study.scenarios:
        assert scenario.prior is not None
        assert scenario.basis and scenario.description
        assert scenario.resolves_if and len(scenario.resolves_if) > 80


def test_the_indicators_are_of_all_kinds(study: Study) -> None:
    assert 8 <= len(study.indicators) <= 14
    assert Counter(i.kind for i in study.indicators).keys() == {"state", "count", "milestone", "measure"}
    assert all(i.name and i.watch_item and i.check_every for i in study.indicators)


def test_one_indicator_is_given_another_and_for_one_silence_counts(study: Study) -> None:
    given = [i for i in study.indicators if isinstance(i, StateIndicator) and i.given]
    assert given
    for child in given:
        parent = study.by_id[child.given or ""]
        assert isinstance(parent, StateIndicator) and parent.persistence
    silences = {getattr(i, "silence", None) for i in study.indicators}
    assert {"always", "covered"} <= silences
    assert any(isinstance(i, MilestoneIndicator) and i.silence == "always" for i in study.indicators)


def test_every_prior_and_row_has_its_reason_in_a_comment(study: Study) -> None:
    lines = case_files("japan-sar")["japan-sar.yaml"].decode().splitlines()
    for scenario in study.scenarios:
        at = next(n for n, line in enumerate(lines) if line.strip() == f"- id: {scenario.id}")
        prior = next(n for n in range(at, at + 9) if lines[n].strip().startswith("prior:"))
        assert any(line.strip().startswith("#") for line in lines[at:prior]), scenario.id
    for indicator in study.indicators:
        at = next(n for n, line in enumerate(lines) if line.strip() == f"- id: {indicator.id}")
        end = next((n for n in range(at + 1, len(lines)) if lines[n].strip().startswith("- id: ")), len(lines))
        assert any("#" in line for line in lines[at:end]), indicator.id


def test_the_history_that_the_rates_come_from_ships_with_it() -> None:
    text = case_files("japan-sar")["japan-sar.yaml"].decode()
    names = [name for name in case_files("japan-sar") if name.startswith("history/")]
    assert len(names) >= 5
    for name in names:
        assert name in text or name.removeprefix("history/") in text, f"{name} is not referred to"
        for row in rows(name):
            assert parse_day(row["date"]) < date(2025, 4, 22), f"{name} knows what came after the opening"
            assert row["source"] and row["url"].startswith("http")


# The reports


def test_there_are_enough_reports(reports: list[dict[str, str]]) -> None:
    assert len(reports) >= 80


def test_every_report_has_a_source_an_address_a_grade_and_an_origin(reports: list[dict[str, str]]) -> None:
    for row in reports:
        assert row["source"] and row["origin"] and row["note"] and row["ref"], row
        assert urlsplit(row["url"]).scheme in ("http", "https") and urlsplit(row["url"]).netloc, row
        check_grade(row["grade"])


def test_copies_of_one_story_share_its_origin(reports: list[dict[str, str]]) -> None:
    shared = [origin for origin, n in Counter((r["indicator"], r["origin"]) for r in reports).items() if n > 1]
    assert len(shared) >= 3
    for indicator, origin in shared:
        told = [r for r in reports if (r["indicator"], r["origin"]) == (indicator, origin)]
        days = sorted(parse_day(r["observed"] or r["to"]) for r in told)
        assert (days[-1] - days[0]).days <= 90, "one story, told for a year?"


def test_addresses_and_keys_are_used_once(reports: list[dict[str, str]]) -> None:
    assert max(Counter(row["ref"] for row in reports).values()) == 1
    told = Counter((row["indicator"], row["url"], row["observed"], row["event"]) for row in reports)
    assert max(told.values()) == 1


def test_every_indicator_that_can_be_reported_on_is(study: Study, reports: list[dict[str, str]]) -> None:
    silent = set(study.by_id) - {row["indicator"] for row in reports}
    assert silent <= {"amendment-initiated"}


def test_reports_lie_between_the_opening_and_early_june(reports: list[dict[str, str]]) -> None:
    days = [parse_day(row["observed"] or row["to"]) for row in reports]
    assert min(days) >= date(2025, 4, 22)
    assert max(days) <= LAST_WATCHED
    months = {(day.year, day.month) for day in days}
    assert len(months) >= 12


def test_grades_are_not_all_alike(reports: list[dict[str, str]]) -> None:
    assert len({row["grade"] for row in reports}) >= 6


def test_nobody_claims_to_have_looked_after_early_june(study: Study) -> None:
    for row in rows("coverage.csv"):
        assert study.opens <= parse_day(row["from"]) <= parse_day(row["to"]) <= LAST_WATCHED
        assert row["note"], "who looked, and where"
        assert 0 < float(row["detect"]) < 1, "nobody sees everything"


def test_texts_are_our_own_words_and_plain(reports: list[dict[str, str]]) -> None:
    for row in reports:
        assert len(row["note"]) <= 400, row["ref"]
        assert row["note"].isprintable()


# What comes of it


def test_the_case_moves_through_the_year(reading: Reading) -> None:
    outlook = reading.outlook(LAST_WATCHED)
    assert len(outlook.report_contributions) >= 80
    assert outlook.course.sum(axis=1) == pytest.approx(1.0, abs=1e-12)
    assert (outlook.course > 0).all()
    assert abs(outlook.final - outlook.study.prior).max() > 0.1
    assert reading.flags == []


def test_after_the_last_look_what_was_learnt_fades_towards_the_priors(reading: Reading) -> None:
    then, now = (reading.outlook(day).final for day in (LAST_WATCHED, TODAY))
    prior = reading.study.prior
    always = [i.id for i in reading.study.indicators if getattr(i, "silence", "") == "always"]
    assert always == ["amendment-initiated"]
    assert abs(now - prior).sum() < abs(then - prior).sum()


def test_the_end_of_coverage_is_no_quiet(reading: Reading) -> None:
    outlook = reading.outlook(TODAY)
    silent = {row.indicator for row in outlook.rows_since(LAST_WATCHED) if row.what == "silence"}
    assert silent <= {"amendment-initiated"}


def test_looks_are_overdue_by_the_end(reading: Reading) -> None:
    for board in reading.outlook(date(2027, 1, 1)).indicator_boards:
        is_watched_daily = getattr(board.indicator, "silence", "") == "always"
        assert board.overdue or is_watched_daily, board.indicator.id


# Writing it out


def test_the_case_is_written_whole_and_once(tmp_path: Path) -> None:
    files = case_files("japan-sar")
    assert {"japan-sar.yaml", "reports.csv", "coverage.csv", "study.schema.json"} <= set(files)
    assert sorted(write_files(tmp_path, files)) == sorted(files)
    found = {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == files
    assert write_files(tmp_path, files) == []


def test_a_missing_file_is_written_again(tmp_path: Path) -> None:
    files = case_files("japan-sar")
    write_files(tmp_path, files)
    (tmp_path / "coverage.csv").unlink()
    assert write_files(tmp_path, files) == ["coverage.csv"]


@pytest.mark.parametrize("name", ["reports.csv", "history/agreements.csv", "study.schema.json"])
def test_a_file_in_the_way_is_refused_and_nothing_written(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(FileInTheWayError) as caught:
        write_files(tmp_path, case_files("japan-sar"))
    assert name.rpartition("/")[2] in str(caught.value)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [name.rpartition("/")[2]]
    assert (tmp_path / name).read_text() == "mine"


def test_a_folder_in_the_way_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "reports.csv").mkdir()
    with pytest.raises(FileInTheWayError, match=r"reports\.csv"):
        write_files(tmp_path, case_files("japan-sar"))
    assert [path.name for path in tmp_path.iterdir()] == ["reports.csv"]


def test_every_file_in_the_way_is_named(tmp_path: Path) -> None:
    for name in ("reports.csv", "coverage.csv"):
        (tmp_path / name).write_text("mine")
    with pytest.raises(FileInTheWayError, match=r"coverage\.csv, .*reports\.csv"):
        write_files(tmp_path, case_files("japan-sar"))


def test_recording_twice_changes_nothing(tmp_path: Path) -> None:
    write_files(tmp_path, case_files("japan-sar"))
    ledger = MemoryLedger(utc_now)
    first = record_case(ledger, tmp_path, "japan-sar", author="ana", today=TODAY)
    head = ledger.head()
    second = record_case(ledger, tmp_path, "japan-sar", author="ana", today=TODAY)
    assert (first.reports, first.coverage) == (len(rows("reports.csv")), len(rows("coverage.csv")))
    assert (second.reports, second.coverage) == (0, 0)
    assert ledger.head() == head


@pytest.mark.parametrize("name", ["japan", "japan_sar", "", "../cases"])
def test_an_unknown_case_names_the_nearest(name: str) -> None:
    with pytest.raises(UnknownCaseError, match="japan-sar"):
        case_files(name)


def test_the_cases_there_are() -> None:
    assert list(CASES) == ["japan-sar"]


# The starter


def test_the_starter_is_a_sound_study_of_every_kind_with_the_schema_beside_it() -> None:
    files = starter_files()
    text = files["study.yaml"].decode()
    assert study_faults(text, file="study.yaml") == []
    study = study_from(text, file="study.yaml")
    assert {i.kind for i in study.indicators} == {"state", "count", "milestone", "measure"}
    assert text.startswith("# yaml-language-server: $schema=./study.schema.json\n")
    assert json.loads(files["study.schema.json"])["type"] == "object"


def test_the_case_too_tells_editors_of_the_schema() -> None:
    assert case_files("japan-sar")["japan-sar.yaml"].startswith(
        b"# yaml-language-server: $schema=./study.schema.json\n"
    )
