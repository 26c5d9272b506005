"""What a person does to a ledger: all of it or nothing, and every promise about corrections, keys and repetition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast import bulk, workflow
from forecast.reading import read_study
from indicators.coverage import FIELDS as COVERAGE_FIELDS
from indicators.errors import WatchfloorError
from indicators.intake import read_rows
from indicators.ledger import Ledger, MemoryLedger
from tests.small import (
    SOUND,
    STUDY,
    amend,
    cover,
    csv_of,
    head,
    import_files,
    log,
    new_ledger,
    place,
    record,
    retract,
    steady,
    ticking_clock,
)

MOOD = SOUND["state"]
TREATY = SOUND["milestone"]
SPAN = SOUND["span"]


def payloads(ledger: Ledger) -> list[tuple[str, Mapping[str, Any]]]:
    """Kind and payload of everything after the first study revision."""
    return [(entry.kind, entry.payload) for entry in ledger.entries(after=1)]


def refusal(ledger: Ledger, act: Callable[[], object]) -> list[str]:
    """What is said to an act that is refused, having written nothing."""
    before = head(ledger)
    with pytest.raises(WatchfloorError) as caught:
        act()
    assert head(ledger) == before
    return str(caught.value).splitlines()


def cover_file(ledger: Ledger, text: str, *, today: date = date(2024, 7, 1)) -> bulk.Imported:
    rows, faults = read_rows(text.encode(), file="spans.csv", fields=COVERAGE_FIELDS)
    return bulk.cover_many(ledger, "port", "spans.csv", rows, faults, author="ana", today=today)


def amend_by(ledger: Ledger, entry: str, changes: Mapping[str, object]) -> None:
    workflow.amend(ledger, "port", entry, changes, why=None, author="bo", today=date(2024, 7, 1), place=place)


# Studies


def test_a_study_is_recorded_whole() -> None:
    ledger = MemoryLedger(ticking_clock())
    done = record(ledger)
    assert (done.is_new, done.number, done.entry.kind, done.entry.study) == (True, 1, "study", "port")
    assert done.entry.payload["file"] == STUDY
    assert done.entry.payload["study"]["indicators"][0]["id"] == "mood"


def test_the_same_file_again_changes_nothing() -> None:
    ledger = new_ledger()
    before = head(ledger)
    done = record(ledger)
    assert (done.is_new, done.number, done.entry.id) == (False, 1, "e1")
    assert head(ledger) == before


def test_a_comment_is_a_revision() -> None:
    ledger = new_ledger()
    assert (record(ledger, STUDY + "# looked at again\n").number, record(ledger, STUDY).number) == (2, 3)


# Logging


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_report_is_recorded_as_it_was_given(name: str) -> None:
    ledger = new_ledger()
    entry = log(ledger, {**SOUND[name], "source": "Wire", "note": "n"})
    kept = {k: v for k, v in entry.payload.items() if k not in ("source", "note", "count", "value")}
    assert kept == {k: v for k, v in SOUND[name].items() if k not in ("count", "value")}
    assert (entry.kind, entry.id, entry.author) == ("evidence", "e2", "ana")


def test_the_author_is_whom_the_report_names_else_who_logs_it() -> None:
    ledger = new_ledger()
    assert log(ledger, {**MOOD, "author": "bo"}).author == "bo"
    assert log(ledger, MOOD).author == "ana"


BAD_LOGS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing": ({}, ["<indicator>: no indicator is named"]),
    "unknown indicator": (
        {"indicator": "moodd"},
        ['<indicator>: no indicator "moodd" in the study; did you mean "mood"?'],
    ),
    "retired": (
        {"indicator": "gone", "observed": "2024-02-01", "state": "no"},
        ['<indicator>: indicator "gone" is retired; take it up again'],
    ),
    "future": (
        {**MOOD, "observed": "2024-07-02"},
        ["<observed>: 2024-07-02 lies in the future (today is 2024-07-01, UTC)"],
    ),
    "before opens": (
        {**MOOD, "observed": "2023-12-31"},
        ["<observed>: 2023-12-31 lies before the study opens on 2024-01-01"],
    ),
    "form only": ({**MOOD, "grade": "Z"}, ['<grade>: "Z" is not a grade']),
    "state and day": (
        {"indicator": "mood", "observed": "2024-08-01", "state": "clam"},
        ["<observed>: 2024-08-01 lies in the future", '<state>: "mood" has no state "clam"; did you mean "calm"?'],
    ),
    "second milestone": (
        {"indicator": "ballot", "observed": "2024-03-01"},
        ['<event>: the milestone "ballot" has happened already, by e2 on 2024-02-01'],
    ),
    "ref taken": ({**MOOD, "ref": "A"}, ['<ref>: the ref "A" is taken by e3; amend that entry, or give another ref']),
    "ref of a retracted": ({**MOOD, "ref": "B"}, ['<ref>: the ref "B" is taken by e4; give another ref']),
    "ref and state": (
        {**MOOD, "ref": "A", "state": "clam"},
        ['<ref>: the ref "A" is taken by e3', '<state>: "mood" has no state "clam"'],
    ),
    "span over coverage": (
        {**SPAN, "from": "2024-05-01", "to": "2024-05-31"},
        ["<from>: the span overlaps the coverage e5 of 2024-05-20 to 2024-06-10"],
    ),
}


@pytest.mark.parametrize(("raw", "words"), BAD_LOGS.values(), ids=BAD_LOGS)
def test_a_report_is_refused_with_every_fault_and_nothing_written(raw: dict[str, Any], words: list[str]) -> None:
    ledger = new_ledger()
    log(ledger, {"indicator": "ballot", "observed": "2024-02-01"})
    log(ledger, {**MOOD, "ref": "A"})
    retract(ledger, log(ledger, {**MOOD, "ref": "B"}).id)
    cover(ledger, "talks", "2024-05-20", "2024-06-10")
    # The retraction took a place, so the coverage is e6.
    words = [text.replace("coverage e5", "coverage e6") for text in words]
    told = refusal(ledger, lambda: log(ledger, raw))
    assert len(told) == len(words)
    assert all(line.startswith(start) for line, start in zip(told, words, strict=True)), told


@pytest.mark.parametrize(
    "raw", [MOOD, TREATY, {**SPAN, "from": "2024-12-01", "to": "2025-01-01"}], ids=["day", "milestone", "span"]
)
def test_nothing_is_dated_after_the_horizon(raw: dict[str, object]) -> None:
    ledger = new_ledger()
    raw = raw if "to" in raw else {**raw, "observed": "2025-01-01"}
    field = "to" if "to" in raw else "observed"
    told = refusal(ledger, lambda: log(ledger, raw, today=date(2025, 6, 1)))
    assert told == [
        f"<{field}>: 2025-01-01 lies after the study's horizon 2024-12-31; the study is settled by then; resolve it"
    ]
    log(ledger, {**MOOD, "observed": "2024-12-31"}, today=date(2025, 6, 1))


def test_the_horizon_is_told_together_with_the_rest() -> None:
    ledger = new_ledger()
    raw = {"indicator": "mood", "observed": "2025-01-01", "state": "clam"}
    assert len(refusal(ledger, lambda: log(ledger, raw, today=date(2025, 6, 1)))) == 2


def test_a_milestone_may_happen_again_once_it_is_retracted() -> None:
    ledger = new_ledger()
    first = log(ledger, TREATY).id
    assert len(refusal(ledger, lambda: log(ledger, TREATY))) == 1
    retract(ledger, first)
    log(ledger, TREATY)


# Coverage


def test_a_span_of_looking_is_recorded() -> None:
    entry = cover(new_ledger(), "talks", "2024-02-01", "2024-02-29", detect="0.9", note="wire read daily")
    assert (entry.kind, entry.payload) == (
        "coverage",
        {"indicator": "talks", "from": "2024-02-01", "to": "2024-02-29", "detect": 0.9, "note": "wire read daily"},
    )


@pytest.mark.parametrize(
    ("indicator", "first", "last", "words"),
    [
        ("talk", "2024-02-01", "2024-02-02", '<indicator>: no indicator "talk" in the study; did you mean "talks"?'),
        ("gone", "2024-02-01", "2024-02-02", '<indicator>: indicator "gone" is retired'),
        ("ballot", "2024-02-01", "2024-02-02", '<indicator>: "ballot" says silence: always'),
        ("talks", "2024-02-02", "2024-02-01", "<to>: the span ends on 2024-02-01"),
        ("talks", "2024-06-01", "2024-07-02", "<to>: 2024-07-02 lies in the future"),
        ("talks", "2023-12-31", "2024-01-02", "<from>: 2023-12-31 lies before the study opens"),
        ("talks", "2024-03-31", "2024-04-02", "<from>: e2 already counts the days 2024-03-01 to 2024-03-31"),
    ],
)
def test_coverage_is_refused(indicator: str, first: str, last: str, words: str) -> None:
    ledger = new_ledger()
    log(ledger, SPAN)
    (told,) = refusal(ledger, lambda: cover(ledger, indicator, first, last))
    assert told.startswith(words)


def test_coverage_ends_with_the_horizon() -> None:
    ledger = new_ledger()
    (told,) = refusal(ledger, lambda: cover(ledger, "talks", "2024-12-01", "2025-01-01", today=date(2025, 6, 1)))
    assert told.startswith("<to>: 2025-01-01 lies after the study's horizon 2024-12-31")


SPANS = "indicator,from,to,detect,note\ntalks,2024-02-01,2024-02-10,0.9,n\ntreaty,2024-02-01,2024-02-10,,\n"


def test_a_file_of_coverage_read_twice_changes_nothing() -> None:
    ledger = new_ledger()
    assert [len(cover_file(ledger, SPANS).entries), cover_file(ledger, SPANS).skipped] == [2, 2]
    assert head(ledger).entries == 3
    more = SPANS + "talks,2024-03-01,2024-03-02,,\ntalks,2024-03-01,2024-03-02,,\n"
    done = cover_file(ledger, more)
    assert (len(done.entries), done.skipped) == (1, 3)


@pytest.mark.parametrize(
    "correct", [lambda ledger: amend(ledger, "e2", detect="0.5"), lambda ledger: retract(ledger, "e2")]
)
def test_coverage_that_was_corrected_does_not_come_back_with_its_file(correct: Callable[[Ledger], object]) -> None:
    ledger = new_ledger()
    cover_file(ledger, SPANS)
    correct(ledger)
    done = cover_file(ledger, SPANS)
    assert (len(done.entries), done.skipped) == (0, 2)


def test_one_bad_span_and_nothing_is_written() -> None:
    ledger = new_ledger()
    text = SPANS + "talks,x,2024-02-10,,\nballot,2024-02-01,2024-02-02,,\ntalks,2024-02-01,2024-02-02,2,\nshort\n"
    told = refusal(ledger, lambda: cover_file(ledger, text))
    assert [line.split(";")[0] for line in told] == [
        'spans.csv:4: from: "x" is not a day',
        'spans.csv:5: indicator: "ballot" says silence: always, so coverage would change nothing',
        'spans.csv:6: detect: "2" is not a chance of detection',
        "spans.csv:7: the row has 1 cells, the header 5",
    ]


def test_a_bad_span_twice_is_named_twice() -> None:
    ledger = new_ledger()
    text = "indicator,from,to\n" + 2 * "talks,2024-08-01,2024-08-02\n"
    assert len(refusal(ledger, lambda: cover_file(ledger, text))) == 4


# Imports


ROWS: list[dict[str, object]] = [
    {**MOOD, "ref": "A", "note": "first"},
    {**MOOD, "ref": "B"},
    {**MOOD, "note": "no ref"},
    {"indicator": "talks", "observed": "2024-02-01"},
    {"indicator": "talks", "observed": "2024-02-01", "count": 1},
]


def test_an_import_is_written_in_the_order_of_its_rows() -> None:
    ledger = new_ledger()
    done = import_files(
        ledger, ("a.csv", csv_of(ROWS)), ("b.jsonl", b'{"indicator": "wait", "observed": "2024-01-02", "value": 3}')
    )
    assert done.entries == ["e2", "e3", "e4", "e5", "e6", "e7"]
    entries = list(ledger.entries(after=1))
    assert [entry.payload["indicator"] for entry in entries] == ["mood"] * 3 + ["talks"] * 2 + ["wait"]
    assert len({entry.recorded_at for entry in entries}) == 1
    assert done.skipped == 0


def test_a_file_imported_twice_changes_nothing() -> None:
    ledger = new_ledger()
    import_files(ledger, ("a.csv", csv_of(ROWS)))
    before = head(ledger)
    done = import_files(ledger, ("renamed.csv", csv_of(ROWS)))
    assert (done.entries, done.skipped) == ([], len(ROWS))
    assert head(ledger) == before


def test_a_file_given_twice_in_one_import_is_written_once() -> None:
    ledger = new_ledger()
    done = import_files(ledger, ("a.csv", csv_of(ROWS)), ("a.csv", csv_of(ROWS)))
    assert (len(done.entries), done.skipped) == (len(ROWS), len(ROWS))


def test_csv_and_json_lines_of_one_content_are_one() -> None:
    ledger = new_ledger()
    import_files(ledger, ("a.csv", b"indicator,observed,value\nwait,2024-02-01,21.50\n"))
    done = import_files(
        ledger, ("a.jsonl", b'{"value": 21.5, "observed": "2024-02-01", "indicator": "wait", "note": null}')
    )
    assert (done.entries, done.skipped) == ([], 1)


def test_what_was_logged_by_hand_is_there_already() -> None:
    ledger = new_ledger()
    log(ledger, ROWS[0])
    log(ledger, ROWS[2])
    done = import_files(ledger, ("a.csv", csv_of(ROWS)))
    assert (len(done.entries), done.skipped) == (3, 2)


def test_a_known_ref_is_skipped_whatever_else_the_row_says() -> None:
    ledger = new_ledger()
    log(ledger, ROWS[0])
    done = import_files(ledger, ("a.csv", csv_of([{**ROWS[0], "state": "hostile", "note": "otherwise"}])))
    assert (done.entries, done.skipped) == ([], 1)


def test_without_a_ref_other_content_is_another_report() -> None:
    ledger = new_ledger()
    log(ledger, ROWS[2])
    done = import_files(ledger, ("a.csv", csv_of([{**ROWS[2], "note": "otherwise"}, {**ROWS[2], "grade": "A1"}])))
    assert len(done.entries) == 2


@pytest.mark.parametrize("row", [0, 2], ids=["with a ref", "without"])
@pytest.mark.parametrize(
    "correct",
    [lambda ledger: retract(ledger, "e2"), lambda ledger: amend(ledger, "e2", state="hostile", note="mended")],
    ids=["retracted", "amended"],
)
def test_what_was_corrected_does_not_come_back_with_its_file(row: int, correct: Callable[[Ledger], object]) -> None:
    ledger = new_ledger()
    log(ledger, ROWS[row])
    correct(ledger)
    done = import_files(ledger, ("a.csv", csv_of([ROWS[row]])))
    assert (done.entries, done.skipped) == ([], 1)


def test_a_ref_given_by_an_amendment_is_taken_too() -> None:
    ledger = new_ledger()
    log(ledger, MOOD)
    amend(ledger, "e2", ref="K")
    assert import_files(ledger, ("a.csv", csv_of([{**MOOD, "ref": "K"}]))).skipped == 1
    assert refusal(ledger, lambda: log(ledger, {**MOOD, "ref": "K"}))[0].startswith('<ref>: the ref "K" is taken by e2')
    log(ledger, MOOD)
    assert refusal(ledger, lambda: amend(ledger, "e4", ref="K")) == [
        '<ref>: the ref "K" is taken by e2; give another ref'
    ]


def test_an_import_follows_the_log_as_it_stands_when_it_is_written() -> None:
    ledger = new_ledger()
    rows = csv_of([TREATY])
    assert len(import_files(ledger, ("a.csv", rows)).entries) == 1
    assert import_files(ledger, ("a.csv", rows)).skipped == 1
    other = csv_of([{**TREATY, "note": "again"}])
    assert "by e2 on 2024-02-01" in refusal(ledger, lambda: import_files(ledger, ("b.csv", other)))[0]


def test_reports_of_one_milestone_come_in_together_when_they_share_its_event() -> None:
    rows = [{**TREATY, "event": "signing", "source": name} for name in ("Wire", "Paper")]
    assert len(import_files(new_ledger(), ("a.csv", csv_of(rows))).entries) == 2


def test_an_empty_import_writes_nothing() -> None:
    ledger = new_ledger()
    before = head(ledger)
    assert import_files(ledger, ("a.jsonl", b"")) == bulk.Imported(range(0), 0)
    assert head(ledger) == before


def test_no_row_can_set_what_is_the_ledgers_own() -> None:
    ledger = new_ledger()
    for name in ("recorded_at", "seq", "id", "hash", "prev", "kind", "study", "payload"):
        content = f"indicator,observed,state,{name}\nmood,2024-02-01,calm,x\n".encode()
        assert f'no field "{name}"' in refusal(ledger, lambda c=content: import_files(ledger, ("a.csv", c)))[0]  # type: ignore[misc]


# Amendments


def test_an_amendment_says_what_changed_and_why() -> None:
    ledger = new_ledger()
    log(ledger, {**MOOD, "grade": "B2", "note": "n"})
    entry = amend(ledger, "e2", "the paper has withdrawn it", grade="C3", note="", state="calm")
    assert (entry.kind, entry.author) == ("amend", "bo")
    assert entry.payload == {
        "entry": "e2",
        "set": {"grade": "C3", "note": None},
        "why": "the paper has withdrawn it",
    }
    ((_, report),) = read_study(ledger, "port").known.reports()
    assert (report.grade, report.note, report.state) == ("C3", None, "calm")


def test_amendments_build_on_each_other() -> None:
    ledger = new_ledger()
    log(ledger, MOOD)
    amend(ledger, "e2", state="tense", note="x")
    amend(ledger, "e2", state="hostile")
    ((_, report),) = read_study(ledger, "port").known.reports()
    assert (report.state, report.note) == ("hostile", "x")


def test_an_amended_report_keeps_its_place_among_those_of_its_day() -> None:
    ledger = new_ledger()
    for state in ("calm", "tense", "hostile"):
        log(ledger, {**MOOD, "state": state})
    amend(ledger, "e2", note="read again")
    outlook = read_study(ledger, "port").outlook(date(2024, 7, 1))
    assert [item.live.entry for item in outlook.report_contributions] == ["e2", "e3", "e4"]
    assert [item.live.seq for item in outlook.report_contributions] == [2, 3, 4]


def test_an_amended_day_moves_the_report() -> None:
    ledger = new_ledger()
    log(ledger, MOOD)
    log(ledger, {**MOOD, "observed": "2024-03-01"})
    amend(ledger, "e2", observed="2024-04-01")
    outlook = read_study(ledger, "port").outlook(date(2024, 7, 1))
    assert [item.live.entry for item in outlook.report_contributions] == ["e3", "e2"]


def test_a_report_may_be_moved_to_another_indicator() -> None:
    ledger = new_ledger()
    log(ledger, MOOD)
    amend(ledger, "e2", indicator="press", state="loud")
    ((_, report),) = read_study(ledger, "port").known.reports()
    assert (report.indicator, report.state) == ("press", "loud")


def test_a_day_may_become_a_span_and_back() -> None:
    ledger = new_ledger()
    log(ledger, SOUND["count"])
    amend(ledger, "e2", observed="", from_="2024-02-01", to="2024-02-05")
    assert amend(ledger, "e2", observed="2024-02-01", from_="", to="").payload["set"] == {
        "observed": "2024-02-01", "from": None, "to": None,
    }  # fmt: skip


BAD_AMENDS: dict[str, tuple[str, dict[str, object], list[str]]] = {
    "nothing": ("e2", {}, ["e2: it says so already; name a field to change"]),
    "the same": ("e2", {"state": "calm", "note": ""}, ["e2: it says so already"]),
    "unknown entry": ("e99", {"state": "tense"}, ["e99: there is no such report or coverage in the study; one of: e2"]),
    "a study": ("e1", {"state": "tense"}, ["e1: there is no such report or coverage"]),
    "a correction": ("e7", {"state": "tense"}, ["e7: it is itself a correction of e6; name e6"]),
    "retracted": ("e6", {"state": "tense"}, ["e6: it was retracted by e7"]),
    "bad form": (
        "e2",
        {"observed": "x", "grade": "Z"},
        ['<grade>: "Z" is not a grade', '<observed>: "x" is not a day'],
    ),
    "what it needs": ("e2", {"state": "", "observed": ""}, ["<observed>: the day is missing", "<state>: a report on"]),
    "no indicator": ("e2", {"indicator": ""}, ["<indicator>: no indicator is named"]),
    "unknown state": ("e2", {"state": "clam"}, ['<state>: "mood" has no state "clam"; did you mean "calm"?']),
    "unknown indicator": (
        "e2",
        {"indicator": "moood"},
        ['<indicator>: no indicator "moood" in the study; did you mean "mood"?'],
    ),
    "retired indicator": ("e2", {"indicator": "gone", "state": "no"}, ['<indicator>: indicator "gone" is retired']),
    "the future": ("e2", {"observed": "2024-07-02"}, ["<observed>: 2024-07-02 lies in the future"]),
    "before opens": ("e2", {"observed": "2023-12-31"}, ["<observed>: 2023-12-31 lies before"]),
    "second milestone": (
        "e2",
        {"indicator": "ballot", "state": ""},
        ['<event>: the milestone "ballot" has happened already, by e3'],
    ),
    "ref taken": ("e2", {"ref": "A"}, ['<ref>: the ref "A" is taken by e3; give another ref']),
    "coverage field on a report": ("e2", {"detect": "0.5"}, ['<detect>: no field "detect"']),
    "report field on coverage": (
        "e5",
        {"grade": "B2"},
        ['<grade>: no field "grade"; one of: indicator, from, to, detect, note'],
    ),
    "coverage over a span": (
        "e5",
        {"from": "2024-03-15"},
        ["<from>: e4 already counts the days 2024-03-01 to 2024-03-31"],
    ),
    "coverage without an end": ("e5", {"to": ""}, ["<to>: to is missing"]),
    "span over coverage": ("e4", {"to": "2024-05-01"}, ["<from>: the span overlaps the coverage e5"]),
}


@pytest.mark.parametrize(("entry", "changes", "words"), BAD_AMENDS.values(), ids=BAD_AMENDS)
def test_an_amendment_is_refused_with_every_fault(entry: str, changes: dict[str, object], words: list[str]) -> None:
    ledger = new_ledger()
    log(ledger, MOOD)
    log(ledger, {"indicator": "ballot", "observed": "2024-02-01", "ref": "A"})
    log(ledger, SPAN)
    cover(ledger, "talks", "2024-04-01", "2024-05-10")
    retract(ledger, log(ledger, {**MOOD, "note": "wrong"}).id)
    told = refusal(ledger, lambda: amend_by(ledger, entry, changes))
    assert len(told) == len(words)
    assert all(line.startswith(start) for line, start in zip(told, words, strict=True)), told


def test_an_entry_does_not_stand_in_its_own_way() -> None:
    ledger = new_ledger()
    log(ledger, {**TREATY, "ref": "T"})
    log(ledger, SPAN)
    cover(ledger, "talks", "2024-05-01", "2024-05-10")
    amend(ledger, "e2", observed="2024-03-01", ref="T")
    amend(ledger, "e3", to="2024-04-02")
    amend(ledger, "e4", to="2024-05-20", detect="0.5")
    assert head(ledger).entries == 7


def test_reports_on_a_retired_indicator_may_still_be_corrected() -> None:
    text = STUDY.replace("    retired: true\n", "")
    ledger = new_ledger(text)
    log(ledger, {"indicator": "gone", "observed": "2024-02-01", "state": "no"})
    cover(ledger, "gone", "2024-02-01", "2024-02-02")
    record(ledger, STUDY)
    amend(ledger, "e2", state="yes")
    amend(ledger, "e3", to="2024-02-03")
    retract(ledger, "e2")
    told = refusal(ledger, lambda: log(ledger, {"indicator": "gone", "observed": "2024-02-01", "state": "no"}))
    assert told == ['<indicator>: indicator "gone" is retired; take it up again in the study to log on it']


# Retractions


def test_a_retraction_keeps_its_reason() -> None:
    ledger = new_ledger()
    log(ledger, MOOD)
    entry = retract(ledger, "e2", "logged twice")
    assert (entry.kind, entry.payload) == ("retract", {"entry": "e2", "why": "logged twice"})
    assert list(read_study(ledger, "port").known.reports()) == []


@pytest.mark.parametrize("why", ["", " ", "\n\t"])
def test_a_retraction_needs_a_reason(why: str) -> None:
    ledger = new_ledger()
    log(ledger, MOOD)
    assert refusal(ledger, lambda: retract(ledger, "e2", why)) == [
        "--why: a retraction needs its reason; say in a few words why it is withdrawn"
    ]


@pytest.mark.parametrize("entry", ["e1", "e3", "e9", "", "E2"])
def test_only_what_stands_may_be_retracted(entry: str) -> None:
    ledger = new_ledger()
    log(ledger, MOOD)
    amend(ledger, "e2", state="tense")
    assert len(refusal(ledger, lambda: retract(ledger, entry))) == 1


def test_nothing_is_retracted_twice() -> None:
    ledger = new_ledger()
    log(ledger, MOOD)
    retract(ledger, "e2")
    assert refusal(ledger, lambda: retract(ledger, "e2")) == [
        "e2: it was retracted by e3; log it again if it holds after all"
    ]


# Whatever is done


FIELDS = st.fixed_dictionaries(
    {"indicator": st.sampled_from(["mood", "press", "talks", "raids", "treaty", "ballot", "wait", "gone", "nope"])},
    optional={
        "observed": st.sampled_from(["2024-01-01", "2024-02-01", "2024-07-01", "2024-07-02", "x"]),
        "state": st.sampled_from(["calm", "loud", "x"]),
        "count": st.sampled_from(["0", "1", "2", "x"]),
        "value": st.sampled_from(["1.5", "x"]),
        "from": st.sampled_from(["2024-02-01", "2024-03-01"]),
        "to": st.sampled_from(["2024-02-10", "2024-03-10"]),
        "event": st.sampled_from(["x", "y"]),
        "ref": st.sampled_from(["A", "B"]),
        "detect": st.sampled_from(["0.5", "2"]),
    },
)
ACTS = st.one_of(
    st.tuples(st.just("log"), FIELDS),
    st.tuples(st.just("import"), st.lists(FIELDS, max_size=3)),
    st.tuples(st.just("cover"), FIELDS),
    st.tuples(st.just("amend"), st.tuples(st.sampled_from(["e2", "e3", "e4", "e9"]), FIELDS)),
    st.tuples(st.just("retract"), st.sampled_from(["e2", "e3", "e4", "e9"])),
)


def do(ledger: Ledger, act: str, what: Any) -> int:
    """Do it; how many entries that should have written."""
    if act == "log":
        log(ledger, what)
    elif act == "import":
        return len(import_files(ledger, ("a.csv", csv_of(what) if what else b"indicator\n")).entries)
    elif act == "cover":
        workflow.cover(ledger, "port", what, author="ana", today=date(2024, 7, 1), place=place)
    elif act == "amend":
        amend_by(ledger, *what)
    else:
        retract(ledger, what)
    return 1


@steady
@given(st.lists(ACTS, max_size=8))
def test_every_act_is_done_whole_or_refused_and_the_log_stays_sound(acts: list[tuple[str, Any]]) -> None:
    ledger = new_ledger()
    refused: list[str] = []
    for act, what in acts:
        before = head(ledger)
        try:
            written = do(ledger, act, what)
        except WatchfloorError as error:
            assert head(ledger) == before
            refused.append(str(error))
        else:
            assert head(ledger).entries == before.entries + written
    assert all(refused)
    assert ledger.verify() is None
    reading = read_study(ledger, "port")
    for name in ("treaty", "ballot"):
        assert (
            len({r.event_key or logged.entry.id for logged, r in reading.known.reports() if r.indicator == name}) <= 1
        )
    # What is logged can be computed with, and a revision that changes nothing of substance is taken.
    assert reading.outlook(date(2024, 7, 1)).final.sum() == pytest.approx(1.0, abs=1e-12)
    assert record(ledger, STUDY + "# again\n").is_new
