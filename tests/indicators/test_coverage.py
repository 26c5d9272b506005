"""One span of looking: read as strictly as a report, and refused where silence says nothing."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators.coverage import FIELDS, Coverage, coverage_content, coverage_problems, read_coverage
from tests.small import OPENS, TODAY, steady, study_of_text
from tests.strategies import awkward_text

STUDY = study_of_text()
SPAN = {"indicator": "talks", "from": "2024-02-01", "to": "2024-02-29"}


def only_problem(**changes: object) -> tuple[str, str]:
    """Field and words of the one problem that some fields make of a sound span."""
    coverage, problems = read_coverage(SPAN | {name.rstrip("_"): value for name, value in changes.items()})
    assert coverage is None
    (problem,) = problems
    assert problem.mend
    return problem.field, problem.what


def found(**changes: object) -> list[tuple[str, str]]:
    """The same of a well-formed span with its indicator."""
    coverage, problems = read_coverage(SPAN | {name.rstrip("_"): value for name, value in changes.items()})
    assert coverage is not None, problems
    problems = coverage_problems(coverage, STUDY.by_id[coverage.indicator], opens=OPENS, today=TODAY)
    return [(p.field, p.what) for p in problems]


def test_the_fields() -> None:
    assert FIELDS == ("indicator", "from", "to", "detect", "note")


def test_detection_is_certain_unless_it_says_otherwise() -> None:
    expected = Coverage(indicator="talks", from_=date(2024, 2, 1), to=date(2024, 2, 29), detect=1.0, note=None)
    assert read_coverage(SPAN) == (expected, [])
    assert read_coverage(SPAN | {"detect": "", "note": " "}) == (expected, [])
    assert read_coverage(SPAN | {"detect": " 0.5 ", "note": "n"})[0] == Coverage(
        indicator="talks", from_=date(2024, 2, 1), to=date(2024, 2, 29), detect=0.5, note="n"
    )


@pytest.mark.parametrize("value", ["1", "1.0", "1e-9", ".5", 1, 0.25])
def test_chances(value: object) -> None:
    coverage, _ = read_coverage(SPAN | {"detect": value})
    assert coverage is not None
    assert coverage.detect == float(str(value))


@pytest.mark.parametrize(
    "value",
    ["0", "-0.1", "1.01", "2", "90%", "0,9", "NaN", "nan", "inf", "1e400", "0_1", "0.5_5", "٠.٦", "−0.5", "certain",
     0, 0.0, -1, 1.5, True, False, float("nan"), float("inf"), [0.5]],
    ids=repr,
)  # fmt: skip
def test_what_is_no_chance_is_refused_with_the_text_shown(value: object) -> None:
    field, what = only_problem(detect=value)
    assert field == "detect"
    assert what == (f'"{value}"' if isinstance(value, str) else repr(value)) + " is not a chance of detection"


def test_what_is_missing_is_named() -> None:
    coverage, problems = read_coverage({})
    assert coverage is None
    assert [(p.field, p.what) for p in problems] == [
        ("indicator", "no indicator is named"),
        ("from", "from is missing"),
        ("to", "to is missing"),
    ]


@pytest.mark.parametrize("name", ["from", "to"])
@pytest.mark.parametrize("text", ["2024-2-1", "2024-02-30", "soon", "45323"])
def test_what_is_no_day_is_told_once(name: str, text: str) -> None:
    assert only_problem(**{name: text}) == (name, f'"{text}" is not a day')


def test_days_in_order() -> None:
    assert only_problem(to="2024-01-31") == ("to", "the span ends on 2024-01-31, before it starts on 2024-02-01")
    assert found(from_="2024-02-01", to="2024-02-01") == []


@pytest.mark.parametrize("name", ["observed", "state", "grade", "recorded_at", "detct"])
def test_unknown_fields_are_refused(name: str) -> None:
    assert only_problem(**{name: "x"}) == (name, f'no field "{name}"')


def test_all_problems_come_at_once() -> None:
    _, problems = read_coverage({"from": "x", "to": "2024-01-01", "detect": "x", "grade": "B2", "note": "\x1b"})
    assert [p.field for p in problems] == ["from", "detect", "grade", "note", "indicator"]


def test_the_note_is_a_text_without_control_characters() -> None:
    assert only_problem(note="a\x1b[31m") == ("note", "the text has the control character U+001B")
    assert only_problem(note={"a": 1}) == ("note", "{'a': 1} is not a text")
    assert only_problem(indicator=5) == ("indicator", "5 is not a text")


@pytest.mark.parametrize("indicator", ["mood", "press", "wait", "talks", "treaty"])
def test_a_look_at_what_is_not_always_watched_is_sound(indicator: str) -> None:
    assert found(indicator=indicator) == []


@pytest.mark.parametrize("indicator", ["raids", "ballot"])
def test_coverage_where_every_quiet_day_counts_anyway_is_refused(indicator: str) -> None:
    assert found(indicator=indicator) == [
        ("indicator", f'"{indicator}" says silence: always, so coverage would change nothing')
    ]


def test_the_days_lie_between_the_first_day_and_today() -> None:
    assert found(from_=OPENS.isoformat(), to=TODAY.isoformat()) == []
    assert found(from_="2023-12-31", to="2024-07-02") == [
        ("from", "2023-12-31 lies before the study opens on 2024-01-01"),
        ("to", "2024-07-02 lies in the future (today is 2024-07-01, UTC)"),
    ]


SPANS = st.builds(
    lambda indicator, days, detect, note: Coverage(
        indicator=indicator, from_=min(days), to=max(days), detect=detect, note=note
    ),
    st.just("talks"),
    st.tuples(st.dates(), st.dates()),
    st.floats(min_value=0, max_value=1, exclude_min=True),
    st.none() | st.text("abc é日", min_size=1).filter(lambda text: text == text.strip()),
)


@steady
@given(SPANS)
def test_what_the_ledger_keeps_reads_back_as_the_same_span(coverage: Coverage) -> None:
    content = coverage_content(coverage)
    assert list(content) == [name for name in FIELDS if name in content]
    assert read_coverage(content) == (coverage, [])


@steady
@given(
    st.dictionaries(
        st.sampled_from(FIELDS) | st.text(max_size=5),
        st.none() | st.booleans() | st.integers() | st.floats() | awkward_text() | st.lists(st.text(), max_size=2),
    )
)
def test_reading_gives_a_span_or_problems_and_never_anything_else(raw: dict[str, object]) -> None:
    coverage, problems = read_coverage(raw)
    assert (coverage is None) == bool(problems)
