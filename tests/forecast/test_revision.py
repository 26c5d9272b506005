"""What may change between two revisions, what did, and the flag for judgement that came after the evidence."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from forecast.reading import read_study
from forecast.revision import changes, late_changes, revision_faults, study_of
from forecast.workflow import Recorded
from indicators.errors import FaultsError
from indicators.ledger import Ledger
from indicators.replay import UnreadableEntryError, replayed
from tests.indicators.test_replay import entries
from tests.small import STUDY, amend, cover, head, log, new_ledger, record, retract, study_of_text


def edited(*pairs: tuple[str, str], text: str = STUDY) -> str:
    """The study's text with some passages, which must be there once, put otherwise."""
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def without(indicator: str, text: str = STUDY) -> str:
    """The study's text without an indicator."""
    found = re.sub(rf"  - id: {indicator}\n(    .*\n)+", "", text)
    assert found != text
    return found


def refused(ledger: Ledger, text: str) -> list[str]:
    """The faults of a revision; nothing may have been written."""
    before = head(ledger)
    with pytest.raises(FaultsError) as caught:
        record(ledger, text)
    assert head(ledger) == before
    assert all(fault.file == "port.yaml" and fault.mend for fault in caught.value.faults)
    return [fault.what for fault in caught.value.faults]


def accepted(ledger: Ledger, text: str) -> Recorded:
    """The revision that was recorded."""
    done = record(ledger, text)
    assert done.is_new
    return done


MOOD = {"indicator": "mood", "observed": "2024-02-01", "state": "calm"}
TALKS = {"indicator": "talks", "observed": "2024-02-01", "count": 2}
SPAN = {"indicator": "talks", "from": "2024-02-10", "to": "2024-03-10", "count": 1}
TREATY = {"indicator": "treaty", "observed": "2024-02-01"}

ROWS = "settled: [0.6, 0.3, 0.1]"
STATES = "states: [calm, tense, hostile]"
ONLY_TWO = (
    (STATES, "states: [calm, tense]"),
    (ROWS, "settled: [0.6, 0.4]"),
    ("strike: [0.2, 0.3, 0.5]", "strike: [0.2, 0.8]"),
    ("settled: {calm: unlikely, tense: likely, hostile: likely}", "settled: {calm: unlikely, tense: likely}"),
    ("strike: {calm: likely, tense: likely, hostile: very likely}", "strike: {calm: likely, tense: likely}"),
)
RENAMED = (
    (STATES, "states: [calm, tense, angry]"),
    ("tense: likely, hostile: likely}", "tense: likely, angry: likely}"),
    ("hostile: very likely", "angry: very likely"),
)


# What may not be taken away


@pytest.mark.parametrize("state", ["calm", "hostile"])
@pytest.mark.parametrize("change", [ONLY_TWO, RENAMED], ids=["dropped", "renamed"])
def test_the_states_of_an_indicator_with_live_reports_stay(change: tuple[tuple[str, str], ...], state: str) -> None:
    ledger = new_ledger()
    log(ledger, MOOD | {"state": state})
    assert refused(ledger, edited(*change)) == [
        'indicator "mood" has live reports (e2) and would lose the state hostile'
    ]


@pytest.mark.parametrize("change", [ONLY_TWO, RENAMED], ids=["dropped", "renamed"])
def test_states_may_go_while_nothing_live_stands_on_them(change: tuple[tuple[str, str], ...]) -> None:
    ledger = new_ledger()
    retract(ledger, log(ledger, MOOD).id)
    cover(ledger, "mood", "2024-02-01", "2024-02-02")
    accepted(ledger, edited(*change))


def test_states_may_be_added_and_put_in_another_order() -> None:
    ledger = new_ledger()
    log(ledger, MOOD | {"state": "hostile"})
    accepted(
        ledger,
        edited(
            (STATES, "states: [hostile, calm, tense, war]"),
            (ROWS, "settled: [0.1, 0.6, 0.2, 0.1]"),
            ("strike: [0.2, 0.3, 0.5]", "strike: [0.4, 0.2, 0.2, 0.2]"),
            ("tense: likely, hostile: likely}", "tense: likely, hostile: likely, war: likely}"),
            ("hostile: very likely}", "hostile: very likely, war: likely}"),
        ),
    )


@pytest.mark.parametrize("raw", [MOOD, TALKS, SPAN, TREATY], ids=["state", "count", "span", "milestone"])
def test_an_indicator_with_live_entries_may_not_be_dropped(raw: Mapping[str, object]) -> None:
    ledger = new_ledger()
    entry = log(ledger, raw).id
    name = str(raw["indicator"])
    text = without("press", without(name)) if name == "mood" else without(name)
    assert refused(ledger, text) == [f'indicator "{name}" has live entries ({entry}) and may not be dropped']
    retract(ledger, entry)
    accepted(ledger, text)


def test_coverage_holds_an_indicator_too() -> None:
    ledger = new_ledger()
    cover(ledger, "talks", "2024-02-01", "2024-02-02")
    assert refused(ledger, without("talks")) == ['indicator "talks" has live entries (e2) and may not be dropped']


def test_an_indicator_with_live_entries_may_be_retired() -> None:
    ledger = new_ledger()
    log(ledger, TALKS)
    accepted(ledger, edited(("    unit: round\n", "    unit: round\n    retired: true\n")))


def test_many_entries_are_named_in_short() -> None:
    ledger = new_ledger()
    for day in range(1, 9):
        log(ledger, TALKS | {"observed": f"2024-02-0{day}"})
    (what,) = refused(ledger, without("talks"))
    assert "(e2, e3, e4, e5, e6 and 3 more)" in what


TALKS_AS = {
    "state": "kind: state\n    states: [few, many]\n    likelihoods: {settled: likely, strike: unlikely}",
    "measure": "kind: measure\n    values: {settled: {mean: 3, sd: 1}, strike: {mean: 1, sd: 1}}",
    "milestone": "kind: milestone\n    rates: {settled: 12, strike: 4}",
}
TALKS_TEXT = "kind: count\n    unit: round\n    rates: {settled: 12, strike: 4}"


@pytest.mark.parametrize("kind", ["state", "measure"])
def test_an_indicator_may_not_become_a_kind_that_its_reports_do_not_fit(kind: str) -> None:
    ledger = new_ledger()
    log(ledger, TALKS)
    log(ledger, TALKS | {"observed": "2024-03-01", "count": None})
    assert refused(ledger, edited((TALKS_TEXT, TALKS_AS[kind]))) == [
        f'indicator "talks" would become a {kind}, which its live reports do not fit (e2, e3)'
    ]


def test_a_state_may_not_become_a_count() -> None:
    ledger = new_ledger()
    log(ledger, {"indicator": "press", "observed": "2024-02-01", "state": "loud"})
    text = without("press") + "  - {id: press, kind: count, rates: {settled: 1, strike: 2}}\n"
    assert refused(ledger, text) == ['indicator "press" would become a count, which its live reports do not fit (e2)']


def test_a_count_may_become_a_milestone_only_while_it_happened_once() -> None:
    ledger = new_ledger()
    log(ledger, TALKS | {"count": 1})
    second = log(ledger, TALKS | {"observed": "2024-03-01", "count": 1}).id
    text = edited((TALKS_TEXT, TALKS_AS["milestone"]))
    assert refused(ledger, text) == ['milestone "talks" has live reports of several events']
    retract(ledger, second)
    accepted(ledger, text)


@pytest.mark.parametrize("raw", [TALKS, SPAN, TALKS | {"count": 0}], ids=["two at once", "a span", "none"])
def test_a_count_may_not_become_a_milestone_with_reports_that_no_milestone_takes(raw: Mapping[str, object]) -> None:
    ledger = new_ledger()
    log(ledger, raw)
    assert refused(ledger, edited((TALKS_TEXT, TALKS_AS["milestone"]))) == [
        'milestone "talks" has live reports of a number or over a span (e2)'
    ]


def test_silence_may_not_count_the_days_of_a_span_again() -> None:
    ledger = new_ledger()
    log(ledger, SPAN)
    assert refused(ledger, edited(("    unit: round\n", "    unit: round\n    silence: always\n"))) == [
        'indicator "talks" has counts over spans (e2), which silence: always counts again'
    ]


@pytest.mark.parametrize(
    ("opens", "horizon", "words"),
    [
        ("2024-02-02", "2024-12-31", ["1 live entries (e2) are dated before it would open on 2024-02-02"]),
        ("2024-02-11", "2024-12-31", ["2 live entries (e2, e3) are dated before it would open on 2024-02-11"]),
        ("2024-04-02", "2024-12-31", ["3 live entries (e2, e3, e4) are dated before it would open on 2024-04-02"]),
        ("2024-01-01", "2024-03-31", ["1 live entries (e4) are dated after its horizon 2024-03-31"]),
        ("2024-01-01", "2024-03-09", ["2 live entries (e3, e4) are dated after its horizon 2024-03-09"]),
        (
            "2024-02-15",
            "2024-03-01",
            [
                "2 live entries (e2, e3) are dated before it would open on 2024-02-15",
                "2 live entries (e3, e4) are dated after its horizon 2024-03-01",
            ],
        ),
    ],
)
def test_the_days_of_a_study_hold_what_is_logged(opens: str, horizon: str, words: list[str]) -> None:
    ledger = new_ledger()
    log(ledger, TALKS)
    log(ledger, SPAN)
    cover(ledger, "talks", "2024-04-01", "2024-04-30")
    text = edited(("opens: 2024-01-01", f"opens: {opens}"), ("horizon: 2024-12-31", f"horizon: {horizon}"))
    assert refused(ledger, text) == words


def test_the_days_of_a_study_may_move_as_far_as_what_is_logged() -> None:
    ledger = new_ledger()
    log(ledger, TALKS)
    log(ledger, SPAN)
    accepted(ledger, edited(("opens: 2024-01-01", "opens: 2024-02-01"), ("horizon: 2024-12-31", "horizon: 2024-03-10")))


def test_every_fault_of_a_revision_comes_at_once() -> None:
    ledger = new_ledger()
    for raw in (MOOD, SPAN, TREATY):
        log(ledger, raw)
    text = edited(("opens: 2024-01-01", "opens: 2024-02-05"), *RENAMED, text=without("treaty"))
    assert len(refused(ledger, text)) == 3


def test_a_corrected_report_counts_as_corrected() -> None:
    ledger = new_ledger()
    entry = log(ledger, MOOD).id
    amend(ledger, entry, observed="2024-05-01")
    accepted(ledger, edited(("opens: 2024-01-01", "opens: 2024-04-01")))


def test_the_first_revision_has_nothing_to_take_away() -> None:
    assert revision_faults(study_of_text(), replayed([]), file="port.yaml") == []


# What did change


def changed(text: str) -> list[str]:
    return changes(study_of_text(), study_of_text(text))


def test_the_first_revision_in_a_line() -> None:
    assert changes(None, study_of_text()) == ["first revision: 2 scenarios, 8 indicators"]


def test_comments_and_layout_are_no_change() -> None:
    assert changed(edited(("title: The port", "title: The port  # ours"))) == ["nothing but comments or layout"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (edited(("title: The port", "title: A port")), ["title: The port -> A port"]),
        (edited(("horizon: 2024-12-31", "horizon: 2025-01-31")), ["horizon: 2024-12-31 -> 2025-01-31"]),
        (edited(("{Wire: B2}", "{Wire: A1}")), ['sources: {"Wire": "B2"} -> {"Wire": "A1"}']),
        (
            edited(("prior: 0.6", "prior: 0.7"), ("prior: 0.4", "prior: 0.3")),
            ["scenario settled: prior 0.6 -> 0.7", "scenario strike: prior 0.4 -> 0.3"],
        ),
        (edited(("persistence: 60 d", "persistence: 90 d")), ["indicator mood: persistence 60 d -> 90 d"]),
        (
            edited((ROWS, "settled: [0.5, 0.4, 0.1]")),
            ["indicator mood: likelihoods of settled [0.6, 0.3, 0.1] -> [0.5, 0.4, 0.1]"],
        ),
        (edited(("mean: 20", "mean: 21")), ["indicator wait: values of settled of mean 20.0 -> 21.0"]),
        (without("wait"), ["indicator wait: dropped"]),
        (
            STUDY + "  - {id: new, kind: milestone, rates: {settled: 1, strike: 2}}\n",
            ["indicator new: new"],
        ),
    ],
    ids=["title", "horizon", "sources", "priors", "persistence", "row", "value", "dropped", "new"],
)
def test_what_a_revision_changed_in_words(text: str, lines: list[str]) -> None:
    assert changed(text) == lines


def test_a_change_of_order_is_told() -> None:
    gone = "  - id: gone\n" + STUDY.partition("  - id: gone\n")[2]
    text = STUDY.replace(gone, "").replace("  - id: mood\n", gone + "  - id: mood\n")
    assert changed(text) == ["indicators: order changed"]


def test_a_long_change_is_cut() -> None:
    (line,) = changed(edited(("title: The port", f"title: {'x' * 150}")))
    assert line == f"title: The port -> {'x' * 57}..."


# Judgement after the evidence


def flags(ledger: Ledger) -> list[str]:
    return read_study(ledger, "port").flags


LATER = {
    "rows": (MOOD, (ROWS, "settled: [0.5, 0.4, 0.1]")),
    "persistence": (MOOD, ("persistence: 60 d", "persistence: 90 d")),
    "rates": (TALKS, ("rates: {settled: 12, strike: 4}", "rates: {settled: 11, strike: 4}")),
    "silence": (TALKS, ("    unit: round\n", "    unit: round\n    silence: never\n")),
    "values": ({"indicator": "wait", "observed": "2024-02-01", "value": 20}, ("mean: 20", "mean: 21")),
    "word": (
        {"indicator": "press", "observed": "2024-02-01", "state": "loud"},
        ("calm: unlikely", "calm: very unlikely"),
    ),
    "scale of words": (
        {"indicator": "press", "observed": "2024-02-01", "state": "loud"},
        ("title: The port", "words: phia"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("raw", "change"), LATER.values(), ids=LATER)
def test_a_change_of_rows_after_the_first_report_is_flagged(raw: dict[str, object], change: tuple[str, str]) -> None:
    text = edited(change)
    text = text.replace("hostile: very likely", "hostile: highly likely") if "words: phia" in text else text
    ledger = new_ledger()
    log(ledger, raw)
    assert flags(ledger) == []
    accepted(ledger, text)
    (flag,) = flags(ledger)
    assert flag == (f'rows of "{raw["indicator"]}" were changed on 2024-07-01 (revision 2), after its first report e2')


@pytest.mark.parametrize(("raw", "change"), LATER.values(), ids=LATER)
def test_a_change_of_rows_before_the_first_report_is_not(raw: dict[str, object], change: tuple[str, str]) -> None:
    text = edited(change)
    text = text.replace("hostile: very likely", "hostile: highly likely") if "words: phia" in text else text
    ledger = new_ledger()
    accepted(ledger, text)
    log(ledger, raw)
    assert flags(ledger) == []


@pytest.mark.parametrize(
    "change",
    [("title: The port", "title: A port"), ("    check_every: 30 d\n", "    check_every: 60 d\n    confidence: low\n"),
     ("horizon: 2024-12-31", "horizon: 2025-12-31"),
     ("rates: {settled: 12, strike: 4}", "rates: {settled: 1, strike: 4}")],
    ids=["title", "looks", "horizon", "another indicator"],
)  # fmt: skip
def test_what_is_no_row_of_the_indicator_is_not_flagged(change: tuple[str, str]) -> None:
    ledger = new_ledger()
    log(ledger, MOOD)
    accepted(ledger, edited(change))
    assert flags(ledger) == []


def test_every_late_change_is_flagged_and_changing_back_is_one_too() -> None:
    ledger = new_ledger()
    log(ledger, MOOD)
    accepted(ledger, edited((ROWS, "settled: [0.5, 0.4, 0.1]")))
    accepted(ledger, edited((ROWS, "settled: [0.5, 0.4, 0.1]"), ("title: The port", "title: A port")))
    accepted(ledger, STUDY)
    assert [re.findall(r"revision \d", flag)[0] for flag in flags(ledger)] == ["revision 2", "revision 4"]


def test_an_indicator_without_live_reports_is_not_flagged() -> None:
    ledger = new_ledger()
    entry = log(ledger, MOOD).id
    cover(ledger, "mood", "2024-02-01", "2024-02-02")
    accepted(ledger, edited((ROWS, "settled: [0.5, 0.4, 0.1]")))
    retract(ledger, entry)
    assert flags(ledger) == []


def test_late_changes_of_a_single_revision() -> None:
    ledger = new_ledger()
    log(ledger, MOOD)
    known = replayed(ledger.entries())
    assert late_changes(known, [study_of(entry) for entry in known.revisions]) == []


# Reading a recorded revision


@pytest.mark.parametrize("payload", [{}, {"study": {}}, {"study": {"study": "port", "later": 1}}, {"study": []}])
def test_a_revision_of_a_later_version_is_refused_by_name(payload: dict[str, object]) -> None:
    with pytest.raises(UnreadableEntryError, match=r"entry e1: its study payload cannot be read"):
        study_of(entries(("study", payload))[0])
