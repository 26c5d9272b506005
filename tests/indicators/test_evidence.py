"""One report: every field read strictly, every problem of form told at once, and what a kind of indicator takes."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators.evidence import (
    COUNT_LIMIT,
    FIELDS,
    TEXT_LIMIT,
    VALUE_LIMIT,
    Problem,
    Report,
    read_report,
    report_content,
    report_problems,
)
from tests.small import OPENS, SOUND, TODAY, steady, study_of_text
from tests.strategies import AWKWARD, awkward_text

STUDY = study_of_text()


def read(**fields: object) -> Report:
    """The report of some fields, on `mood` unless they say otherwise."""
    report, problems = read_report({"indicator": "mood", **{name.rstrip("_"): v for name, v in fields.items()}})
    assert report is not None, problems
    return report


def problem_of(field: str, value: object) -> Problem:
    """The one problem that a field's value makes."""
    report, problems = read_report({"indicator": "mood", field: value})
    assert report is None
    (problem,) = problems
    return problem


def found(raw: Mapping[str, object], *, opens: date = OPENS, today: date = TODAY) -> list[tuple[str, str]]:
    """Field and words of every problem of a well-formed report with its indicator."""
    report, problems = read_report(raw)
    assert report is not None, problems
    return [(p.field, p.what) for p in report_problems(report, STUDY.by_id[report.indicator], opens=opens, today=today)]


# Form


def test_the_fields_are_those_of_the_specification_in_its_order() -> None:
    spec = (
        "indicator, observed, state, count, value, from, to, source, grade, url, origin, event, tlp, note, author, ref"
    )
    assert ", ".join(FIELDS) == spec


def test_every_field_is_read_from_texts_as_from_json_values() -> None:
    texts = {
        "indicator": "talks", "from": "2024-03-01", "to": "2024-03-31", "count": "2", "value": "-1.5e2", "state": "a b",
        "observed": "2024-02-29", "source": "Wire", "grade": "B2", "url": "https://e.example/?a=1,2", "origin": "o",
        "event": "e", "tlp": "amber+strict", "note": "n", "author": "ana", "ref": "R-1",
    }  # fmt: skip
    report, problems = read_report(texts)
    assert not problems
    assert report == Report(
        indicator="talks", observed=date(2024, 2, 29), state="a b", count=2, value=-150.0, from_=date(2024, 3, 1),
        to=date(2024, 3, 31), source="Wire", grade="B2", url="https://e.example/?a=1,2", origin="o", event="e",
        tlp="amber+strict", note="n", author="ana", ref="R-1",
    )  # fmt: skip
    assert read_report(texts | {"count": 2, "value": -150})[0] == report


@pytest.mark.parametrize("nothing", ["", " ", "\t\n", None])
@pytest.mark.parametrize("field", [name for name in FIELDS if name != "indicator"])
def test_an_empty_text_is_a_field_left_out(field: str, nothing: object) -> None:
    assert read_report({"indicator": "mood", field: nothing}) == (Report(indicator="mood"), [])


@pytest.mark.parametrize("raw", [{}, {"indicator": ""}, {"indicator": None}, {"note": "x"}])
def test_a_report_names_its_indicator(raw: dict[str, object]) -> None:
    report, (problem,) = read_report(raw)
    assert report is None
    assert (problem.field, problem.what) == ("indicator", "no indicator is named")


@pytest.mark.parametrize(
    "name", ["recorded_at", "seq", "id", "hash", "prev", "kind", "study", "payload", "from_", "ID"]
)
def test_what_is_the_ledgers_own_or_unknown_is_no_field(name: str) -> None:
    assert problem_of(name, "x").what == f'no field "{name}"'


def test_a_mistyped_field_suggests_the_nearest() -> None:
    assert problem_of("obsrved", "2024-02-01").mend == 'did you mean "observed"?'


def test_all_problems_of_form_come_at_once() -> None:
    raw = {"obsrved": "x", "observed": "x", "count": "x", "value": "x", "grade": "x", "tlp": "x", "note": 5}
    report, problems = read_report(raw)
    assert report is None
    assert [p.field for p in problems] == [*raw, "indicator"]


@pytest.mark.parametrize(
    "text",
    ["2024-2-1", "24-02-01", "01.02.2024", "2024-02-30", "2023-02-29", "2024-W05", "2024-032", "45323", "20240201",
     "2024-02-01T00:00:00Z", "2024-02-01 00:00", "2024-02-01/2024-02-02", "yesterday", "٢٠٢٤-٠٢-٠١", "2024–02–01",
     "0000-01-01", "10000-01-01"],
)  # fmt: skip
@pytest.mark.parametrize("field", ["observed", "from", "to"])
def test_what_is_no_day_is_refused_with_the_text_shown(field: str, text: str) -> None:
    problem = problem_of(field, text)
    assert (problem.field, problem.what) == (field, f'"{text}" is not a day')
    assert "YYYY-MM-DD" in problem.mend


def test_blanks_around_a_day_or_number_do_no_harm() -> None:
    report = read(observed=" 2024-02-01 ", count=" 2\t", value=" 1.5 ", grade=" B2 ", state=" calm ")
    assert (report.observed, report.count, report.value) == (date(2024, 2, 1), 2, 1.5)
    assert (report.grade, report.state) == ("B2", "calm")


@pytest.mark.parametrize(
    ("given_value", "number"),
    [("0", 0), ("1", 1), ("007", 7), (0, 0), (3, 3), (str(COUNT_LIMIT), COUNT_LIMIT), (COUNT_LIMIT, COUNT_LIMIT)],
)
def test_counts(given_value: object, number: int) -> None:
    assert read(count=given_value).count == number


@pytest.mark.parametrize(
    "bad",
    ["-1", "+1", "1.0", "1e3", "1,000", "1_000", "one", "½", "²", "٣", "0x10", "NaN", "inf", str(COUNT_LIMIT + 1),
     "9" * 5000, 2**63, -1, 1.0, 1.5, True, False, float("nan"), float("inf"), [1], {"n": 1}],
    ids=lambda value: repr(value)[:24],
)  # fmt: skip
def test_what_is_no_count_is_refused_with_the_text_shown(bad: object) -> None:
    problem = problem_of("count", bad)
    assert problem.what.endswith("is not a count")
    assert (f'"{bad}"' if isinstance(bad, str) else repr(bad))[:40] in problem.what
    assert problem.mend == f"give a whole number from 0 to {COUNT_LIMIT}"


@pytest.mark.parametrize(
    ("given_value", "number"),
    [("0", 0.0), ("-0.5", -0.5), ("+.5", 0.5), ("5.", 5.0), ("1e3", 1000.0), ("1E-3", 0.001), ("1e-400", 0.0), (7, 7.0),
     (0.1, 0.1), ("1e15", VALUE_LIMIT), (-(10**15), -VALUE_LIMIT)],
)  # fmt: skip
def test_values(given_value: object, number: float) -> None:
    value = read(value=given_value).value
    assert type(value) is float
    assert value == number


@pytest.mark.parametrize(
    "bad",
    ["0,6", "60%", "٠.٦", "−0.5", "1_0", "NaN", "nan", "inf", "-Infinity", "1e400", "-1e400", "1e16", "0x1p3", "5 5",
     "e5", "--5", ".", "1e", "9" * 5000, "0." + "1" * 50, True, False, float("nan"), float("inf"), 10**16, 10**400,
     [1.0], {}],
    ids=lambda value: repr(value)[:24],
)  # fmt: skip
def test_what_is_no_number_is_refused_with_the_text_shown(bad: object) -> None:
    problem = problem_of("value", bad)
    assert "is not a number" in problem.what
    assert (f'"{bad}"' if isinstance(bad, str) else repr(bad))[:40] in problem.what
    assert len(problem.what) < 120
    assert problem.mend == "give a number with a decimal point, like 54.5"


@pytest.mark.parametrize("bad", ["b2", "B", "2B", "G1", "A7", "A0", "B22", "B 2", "Ｂ2", "A1, B2"])
def test_what_is_no_grade_is_refused(bad: str) -> None:
    assert problem_of("grade", bad).what == f'"{bad}" is not a grade'


@pytest.mark.parametrize(
    ("bad", "mend"), [("ambre", 'did you mean "amber"?'), ("white", "one of: clear"), ("RED", "one of")]
)
def test_what_is_no_tlp_level_is_refused(bad: str, mend: str) -> None:
    problem = problem_of("tlp", bad)
    assert problem.what == f'"{bad}" is not a TLP level'
    assert mend in problem.mend


@pytest.mark.parametrize("value", [5, 1.5, True, ["a"], {"a": 1}], ids=repr)
@pytest.mark.parametrize(
    "field", ["state", "source", "url", "origin", "event", "note", "author", "ref", "grade", "tlp", "to"]
)
def test_a_text_field_takes_texts_alone(field: str, value: object) -> None:
    assert problem_of(field, value).what == f"{value!r} is not a text"


def test_a_large_thing_in_place_of_a_text_is_shown_in_short() -> None:
    assert len(problem_of("note", ["x" * 100_000]).what) < 100
    assert len(problem_of("x" * 100_000, "a").what) < 100


CONTROLS = [chr(n) for n in range(0x110000) if unicodedata.category(chr(n)) == "Cc" and chr(n) not in "\t\n\r"]
CONTROLS += [chr(n) for n in (0xD800, 0xDCFF, 0xDFFF)]


@pytest.mark.parametrize("bad", CONTROLS, ids=lambda c: f"U+{ord(c):04X}")
@pytest.mark.parametrize("around", ["{}", "{}after", "before{}", "in {} between"])
def test_control_characters_are_refused_wherever_they_stand(bad: str, around: str) -> None:
    if not around.format(bad).strip():
        return  # some of them are blanks to Python, and a field of blanks is left out
    assert problem_of("note", around.format(bad)).what == f"the text has the control character U+{ord(bad):04X}"


def test_a_text_has_its_limit() -> None:
    assert read(note="x" * TEXT_LIMIT).note == "x" * TEXT_LIMIT
    assert problem_of("note", "x" * (TEXT_LIMIT + 1)).what == f"the text has {TEXT_LIMIT + 1} characters"


@pytest.mark.parametrize(
    "text",
    ["日本の軍事的役割",
     "مرحبا بالعالم", "e\u0301", "\u00e9", "👩‍👩‍👧‍👦", "=1+1", "a\nb\r\nc\td", "no", "null",
     "NaN", "0123", "1e400", "'; DROP TABLE entry; --", "\u202egnitirw", "zero\u200bwidth", "{{ 7 * 7 }}",
     "[link](http://x)", "%s", "\\n"],
)  # fmt: skip
def test_texts_come_back_to_the_letter(text: str) -> None:
    assert read(note=text, source=text, ref=text).note == text


@steady
@given(awkward_text())
def test_a_text_is_kept_to_the_letter_or_refused(text: str) -> None:
    report, problems = read_report({"indicator": "mood", "note": text})
    if report is None:
        assert problems[0].what.startswith("the text has ")
    else:
        assert report.note == (text.strip() or None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | awkward_text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@steady
@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=8), JSON, max_size=6))
def test_reading_gives_a_report_or_problems_and_never_anything_else(raw: dict[str, object]) -> None:
    report, problems = read_report(raw)
    assert (report is None) == bool(problems)
    assert all(p.field in {*raw, "indicator"} and p.what for p in problems)


DAYS = st.dates(min_value=date(1, 1, 1))
TEXTS = st.text(min_size=1, max_size=20).filter(lambda t: t == t.strip() and not read_report({"indicator": t})[1])
REPORTS = st.builds(
    Report, indicator=TEXTS, observed=st.none() | DAYS, state=st.none() | TEXTS,
    count=st.none() | st.integers(0, COUNT_LIMIT), value=st.none() | st.floats(-VALUE_LIMIT, VALUE_LIMIT),
    from_=st.none() | DAYS, to=st.none() | DAYS, source=st.none() | TEXTS, grade=st.sampled_from([None, "A1", "F6"]),
    url=st.none() | TEXTS, origin=st.none() | TEXTS, event=st.none() | TEXTS,
    tlp=st.sampled_from([None, "clear", "red"]), note=st.none() | TEXTS, author=st.none() | TEXTS,
    ref=st.none() | TEXTS,
)  # fmt: skip


@steady
@given(REPORTS)
def test_what_the_ledger_keeps_reads_back_as_the_same_report(report: Report) -> None:
    content = report_content(report)
    assert list(content) == [name for name in FIELDS if name in content]
    assert all(isinstance(value, str | int | float) for value in content.values())
    assert read_report(content) == (report, [])


# What it is about


def test_a_report_is_dated_by_its_day_or_the_last_of_its_span() -> None:
    assert read(observed="2024-02-01").dated == date(2024, 2, 1)
    span = read(from_="2024-02-01", to="2024-02-03")
    assert (span.dated, span.is_span) == (date(2024, 2, 3), True)
    assert not read(observed="2024-02-01").is_span


def test_reports_share_an_event_by_event_or_else_by_origin() -> None:
    assert read().event_key is None
    assert read(event="x").event_key == read(event="x", origin="o").event_key
    assert read(origin="x").event_key != read(event="x").event_key
    assert read(origin="x").event_key == read(origin="x", note="copy").event_key


# Sense


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_report_has_no_problem(name: str) -> None:
    assert found(SOUND[name]) == []


@pytest.mark.parametrize("name", [name for name in SOUND if name != "span"])
def test_the_first_and_the_last_day_are_sound(name: str) -> None:
    for day in (OPENS, TODAY):
        assert found({**SOUND[name], "observed": day.isoformat()}) == []


BAD_SENSE: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "state missing": (
        {"indicator": "mood", "observed": "2024-02-01"},
        [("state", 'a report on "mood" needs a state')],
    ),
    "state unknown": (
        {"indicator": "mood", "observed": "2024-02-01", "state": "clam"},
        [("state", '"mood" has no state "clam"')],
    ),
    "state in another case": (
        {"indicator": "mood", "observed": "2024-02-01", "state": "Calm"},
        [("state", '"mood" has no state "Calm"')],
    ),
    "count and value on a state": (
        {"indicator": "mood", "observed": "2024-02-01", "state": "calm", "count": 1, "value": 1.0},
        [
            ("count", '"mood" is a state indicator and takes no count'),
            ("value", '"mood" is a state indicator and takes no value'),
        ],
    ),
    "state on a count": (
        {"indicator": "talks", "observed": "2024-02-01", "state": "calm"},
        [("state", '"talks" is a count indicator and takes no state')],
    ),
    "value on a milestone": (
        {"indicator": "treaty", "observed": "2024-02-01", "value": 1},
        [("value", '"treaty" is a milestone indicator and takes no value')],
    ),
    "two of a milestone": (
        {"indicator": "treaty", "observed": "2024-02-01", "count": 2},
        [("count", '"treaty" is a milestone, which happens once, not 2 times')],
    ),
    "none of a milestone": (
        {"indicator": "treaty", "observed": "2024-02-01", "count": 0},
        [("count", '"treaty" is a milestone, which happens once, not 0 times')],
    ),
    "value missing": (
        {"indicator": "wait", "observed": "2024-02-01"},
        [("value", 'a report on "wait" needs a value')],
    ),
    "count on a measure": (
        {"indicator": "wait", "observed": "2024-02-01", "value": 1, "count": 1},
        [("count", '"wait" is a measure indicator and takes no count')],
    ),
    "no day": ({"indicator": "talks"}, [("observed", "the day is missing")]),
    "half a span, no end": ({"indicator": "talks", "from": "2024-02-01"}, [("to", "half of the span is missing")]),
    "half a span, no start": ({"indicator": "talks", "to": "2024-02-01"}, [("from", "half of the span is missing")]),
    "span backwards": (
        {"indicator": "talks", "from": "2024-02-02", "to": "2024-02-01"},
        [("to", "the span ends on 2024-02-01, before it starts on 2024-02-02")],
    ),
    "day and span": (
        {"indicator": "talks", "observed": "2024-02-01", "from": "2024-02-01", "to": "2024-02-02"},
        [("observed", "both a day and a span are given")],
    ),
    "span on a state": (
        {"indicator": "mood", "state": "calm", "from": "2024-02-01", "to": "2024-02-02"},
        [("from", '"mood" is a state indicator and takes no span')],
    ),
    "span on a milestone": (
        {"indicator": "treaty", "from": "2024-02-01", "to": "2024-02-02"},
        [("from", '"treaty" is a milestone indicator and takes no span')],
    ),
    "tomorrow": (
        {"indicator": "talks", "observed": "2024-07-02"},
        [("observed", "2024-07-02 lies in the future (today is 2024-07-01, UTC)")],
    ),
    "the day before": (
        {"indicator": "talks", "observed": "2023-12-31"},
        [("observed", "2023-12-31 lies before the study opens on 2024-01-01")],
    ),
    "span from before to tomorrow": (
        {"indicator": "talks", "from": "2023-12-31", "to": "2024-07-02"},
        [
            ("from", "2023-12-31 lies before the study opens on 2024-01-01"),
            ("to", "2024-07-02 lies in the future (today is 2024-07-01, UTC)"),
        ],
    ),
    "all at once": (
        {"indicator": "mood", "observed": "2025-01-01", "state": "clam", "value": 3},
        [
            ("value", '"mood" is a state indicator and takes no value'),
            ("state", '"mood" has no state "clam"'),
            ("observed", "2025-01-01 lies in the future (today is 2024-07-01, UTC)"),
        ],
    ),
}


@pytest.mark.parametrize(("raw", "problems"), BAD_SENSE.values(), ids=BAD_SENSE)
def test_what_does_not_fit_its_indicator_is_told(raw: dict[str, Any], problems: list[tuple[str, str]]) -> None:
    assert found(raw) == problems


def test_the_mends_say_what_to_write() -> None:
    report = read(observed="2024-02-01", state="clam")
    (problem,) = report_problems(report, STUDY.by_id["mood"], opens=OPENS, today=TODAY)
    assert problem.mend == 'did you mean "calm"?'
    report = read(observed="2024-02-01")
    (problem,) = report_problems(report, STUDY.by_id["mood"], opens=OPENS, today=TODAY)
    assert problem.mend == "give state, one of: calm, tense, hostile"


@pytest.mark.parametrize("text", AWKWARD)
def test_awkward_states_are_not_among_the_states(text: str) -> None:
    report, _ = read_report({"indicator": "mood", "observed": "2024-02-01", "state": text})
    if report is not None:
        problems = report_problems(report, STUDY.by_id["mood"], opens=OPENS, today=TODAY)
        assert [p.field for p in problems] == ["state"]
