"""The bundle before the reference validator, and before our own import."""

import dataclasses
import io
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from stix2validator import ValidationOptions, validate_string

from forecast.export.stix_export import stix_text
from forecast.reading import read_study
from forecast.release import Released
from indicators.evidence import FIELDS, read_report
from indicators.intake_stix import EXTENSION, stix_rows
from indicators.markings import TLP_LEVELS
from indicators.raw import Raw
from tests.forecast.build import PROVENANCE, japan_sar, outlook_of, released
from tests.forecast.test_export import hostile
from tests.small import SOUND, amend, log, new_ledger
from tests.strategies import AWKWARD

OPENS = date(2025, 1, 1)
NOW = datetime(2024, 7, 2, tzinfo=UTC)


def objects(what: Released) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(stix_text(what))["objects"]
    return found


def problems(text: str) -> list[str]:
    """What the validator has against a bundle, but for its wish that every address has a hash."""
    told = validate_string(text, ValidationOptions(version="2.1", disabled=["uuid-check"]))
    results = told if isinstance(told, list) else [told]
    assert results
    found = [str(issue) for one in results for issue in [*(one.errors or []), *(one.warnings or [])]]
    return [issue for issue in found if "{302}" not in issue]


def marked(tlp: str, *reports: str | None) -> Released:
    """A study with a mark of its own, and reports with theirs."""
    study = {
        "study": "marked",
        "opens": "2025-01-01",
        "horizon": "2026-01-01",
        "tlp": tlp,
        "scenarios": [{"id": "a"}, {"id": "b", "resolves_if": "it is so"}],
        "indicators": [{"id": "c", "kind": "count", "rates": {"a": 1.0, "b": 2.0}}],
    }
    day = {"indicator": "c", "observed": "2025-02-01", "grade": "B2", "url": "https://example.invalid/a?b=c"}
    logged = [{**day, **({"tlp": mark} if mark else {})} for mark in reports]
    return released(outlook_of(study, logged, [], date(2025, 3, 1)))


def test_the_worked_case_is_valid() -> None:
    assert problems(stix_text(released(japan_sar(date(2026, 6, 7))))) == []


@pytest.mark.parametrize("tlp", TLP_LEVELS)
def test_every_mark_is_valid_and_that_of_its_report(tlp: str) -> None:
    what = marked("clear", tlp, None)
    assert problems(stix_text(what)) == []
    names = {item["id"]: item["name"] for item in objects(what) if item["type"] == "marking-definition"}
    assert set(names.values()) == {"TLP:CLEAR", f"TLP:{tlp.upper()}"}
    notes = [item for item in objects(what) if "report" in item.get("extensions", {}).get(EXTENSION, {})]
    assert [names[note["object_marking_refs"][0]] for note in notes] == [f"TLP:{tlp.upper()}", "TLP:CLEAR"]
    [report] = [item for item in objects(what) if item["type"] == "report"]
    assert [names[mark] for mark in report["object_marking_refs"]] == [what.mark]


@pytest.mark.parametrize("text", [text for text in AWKWARD if text.strip()], ids=str)
def test_any_text_makes_a_valid_bundle(text: str) -> None:
    assert problems(stix_text(released(hostile(text)))) == []


def test_grades_are_labels_and_the_digit_a_confidence() -> None:
    [note] = [item for item in objects(marked("clear", None)) if "labels" in item]
    assert note["labels"] == [
        'admiralty-scale:source-reliability="b"',
        'admiralty-scale:information-credibility="2"',
    ]
    assert note["confidence"] == 70
    assert note["external_references"] == [{"source_name": "source", "url": "https://example.invalid/a?b=c"}]


def test_the_probabilities_stand_in_the_extension_to_the_last_digit() -> None:
    what = released(japan_sar(date(2026, 6, 7)))
    ours = [item["extensions"][EXTENSION] for item in objects(what) if EXTENSION in item.get("extensions", {})]
    told = [own["scenario"] for own in ours if "scenario" in own]
    assert [one["probability"] for one in told] == what.outlook.final.tolist()
    assert [one["low"] for one in told] == what.outlook.bands.low[-1].tolist()
    assert [one["id"] for one in told] == list(what.outlook.study.scenario_ids)


def test_another_outlook_has_other_ids_and_the_same_one_the_same() -> None:
    outlook = japan_sar(date(2026, 6, 7))
    later = dataclasses.replace(PROVENANCE, head=dataclasses.replace(PROVENANCE.head, entries=8, hash="ef" * 32))
    assert stix_text(released(outlook)) == stix_text(released(japan_sar(date(2026, 6, 7))))
    first, second = ({item["id"] for item in objects(released(outlook, p))} for p in (PROVENANCE, later))
    again = {item.rpartition("--")[0] for item in first - second}
    assert again == {"report", "note"}
    assert len(first - second) == 1 + len(outlook.study.scenarios)


def test_a_corrected_report_is_another_version_of_the_same_note() -> None:
    ledger = new_ledger()
    entry = log(ledger, {**SOUND["state"], "note": "first"})
    before = read_study(ledger, "port")
    correction = amend(ledger, entry.id, note="second")
    found = []
    for reading in (before, read_study(ledger, "port")):
        what = reading.released(date(2024, 3, 1), now=NOW)
        assert problems(stix_text(what)) == []
        [note] = [item for item in objects(what) if "report" in item.get("extensions", {}).get(EXTENSION, {})]
        found.append(note)
    assert found[0]["id"] == found[1]["id"]
    assert {note["created"] for note in found} == {entry.recorded_at}
    assert [note["modified"] for note in found] == [entry.recorded_at, correction.recorded_at]
    assert [note["content"] for note in found] == ["first", "second"]


@pytest.mark.parametrize("text", [text for text in AWKWARD if text.strip()], ids=str)
def test_our_import_reads_the_evidence_back_to_the_letter(text: str) -> None:
    outlook = hostile(text)
    rows = list(stix_rows(io.BytesIO(stix_text(released(outlook)).encode()), file="x.json", fields=FIELDS))
    assert all(isinstance(row, Raw) for row in rows), rows
    reports = [read_report(row.values)[0] for row in rows if isinstance(row, Raw)]
    assert reports == [dataclasses.replace(c.live.report, tlp="clear") for c in outlook.report_contributions]
