"""Which entries a list holds, and in which order."""

from __future__ import annotations

from datetime import date

import pytest

from forecast import workflow
from forecast.listing import ORDERS, Source, Wanted, ordered, sources, weighing
from forecast.reading import Reading, read_study
from tests.small import TODAY, cover, log, new_ledger, place


@pytest.fixture(scope="module")
def reading() -> Reading:
    ledger = new_ledger()
    log(ledger, {"indicator": "mood", "state": "calm", "observed": "2024-03-01", "source": "Wire", "note": "Été"})
    log(ledger, {"indicator": "mood", "state": "tense", "observed": "2024-02-01", "source": "Paper", "grade": "C3"})
    log(ledger, {"indicator": "talks", "observed": "2024-04-01", "source": "Paper", "grade": "C3", "tlp": "amber"})
    cover(ledger, "treaty", "2024-02-01", "2024-05-01")
    log(ledger, {"indicator": "wait", "value": "20", "observed": "2024-05-02", "source": "Paper", "grade": "A1"})
    workflow.retract(ledger, "port", "e3", why="twice", author="bo")
    workflow.amend(ledger, "port", "e6", {"note": "n"}, why=None, author="bo", today=TODAY, place=place)
    return read_study(ledger, "port")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), "e2 e3 e4 e5 e6"),
        (Wanted(indicator="mood"), "e2 e3"),
        (Wanted(source="Paper"), "e3 e4 e6"),
        (Wanted(source="paper"), ""),
        (Wanted(author="ana"), "e2 e3 e4 e5 e6"),
        (Wanted(author="bo"), ""),
        (Wanted(grade="C"), "e3 e4"),
        (Wanted(grade="2"), "e2"),
        (Wanted(grade="B2"), "e2"),
        (Wanted(text="ÉTÉ"), "e2"),
        (Wanted(text="e4"), "e4"),
        (Wanted(first=date(2024, 3, 1), last=date(2024, 5, 1)), "e2 e4 e5"),
        (Wanted(standing="live"), "e2 e4 e5 e6"),
        (Wanted(standing="corrected"), "e3 e6"),
        (Wanted(standing="retracted"), "e3"),
        (Wanted(mark="amber"), "e4"),
    ],
)
def test_what_is_wanted(wanted: Wanted, found: str, reading: Reading) -> None:
    logged = reading.known.logged.values()
    assert " ".join(item.entry.id for item in logged if wanted.takes(item, reading)) == found


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("logged", "e6 e5 e4 e3 e2"),
        ("day", "e6 e5 e4 e2 e3"),
        ("weight", "e6 e2 e4 e3 e5"),
        ("change", "e3 e2 e6 e5 e4"),
    ],
)
def test_every_order_and_its_reverse(order: str, found: str, reading: Reading) -> None:
    logged, changes = list(reading.known.logged.values()), {"e3": -0.2, "e2": 0.1}
    rows = ordered(logged, order, study=reading.study, changes=changes)
    assert " ".join(item.entry.id for item in rows) == found
    assert ordered(logged, order, study=reading.study, changes=changes, rising=True) == rows[::-1]
    assert order in ORDERS


def test_a_span_of_looking_has_no_weight(reading: Reading) -> None:
    weight = weighing(reading.study)
    assert weight(reading.known.logged["e5"]) is None
    assert weight(reading.known.logged["e3"]) == pytest.approx(0.5)


def test_sources_have_the_grade_of_the_study_or_the_one_they_have_most_often(reading: Reading) -> None:
    assert sources(reading) == [Source("Paper", "C3", False, 2), Source("Wire", "B2", True, 1)]
