"""From entries to what was known: corrections applied in order, ids and keys remembered, nonsense refused in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators.entry import Draft, Entry
from indicators.evidence import Report
from indicators.ledger import MemoryLedger
from indicators.replay import Known, UnknownEntryError, UnreadableEntryError, amended, content_key, replayed
from tests.small import steady, ticking_clock

REPORT = {"indicator": "mood", "observed": "2024-02-01", "state": "calm"}
SPAN = {"indicator": "talks", "from": "2024-02-01", "to": "2024-02-29", "detect": 0.5}


def known(*lines: tuple[str, Mapping[str, Any]]) -> Known:
    """What some lines (kind, payload) say; the entry of line n, from 1, is `e{n}`."""
    return replayed(entries(*lines))


def entries(*lines: tuple[str, Mapping[str, Any]]) -> list[Entry]:
    ledger = MemoryLedger(ticking_clock())
    ledger.append(lambda _: [Draft(author="ana", study="port", kind=kind, payload=payload) for kind, payload in lines])
    return list(ledger.entries())


def amend(entry: str, **changes: object) -> tuple[str, Mapping[str, Any]]:
    return "amend", {"entry": entry, "set": changes, "why": "x"}


def retract(entry: str) -> tuple[str, Mapping[str, Any]]:
    return "retract", {"entry": entry, "why": "x"}


def test_nothing_is_known_from_nothing() -> None:
    assert replayed([]) == Known()


def test_reports_coverage_and_revisions_are_kept_apart() -> None:
    found = known(("study", {"study": {}}), ("evidence", REPORT), ("coverage", SPAN), ("study", {"study": {"a": 1}}))
    assert [entry.id for entry in found.revisions] == ["e1", "e4"]
    assert list(found.logged) == ["e2", "e3"]
    assert [logged.entry.id for logged, _ in found.reports()] == ["e2"]
    assert [(logged.entry.id, span.detect) for logged, span in found.coverage()] == [("e3", 0.5)]
    assert found.seq == 4


@pytest.mark.parametrize(("kind", "kept"), [("publish", "publications"), ("resolve", "resolutions")])
def test_what_was_published_and_resolved_is_kept_apart(kind: str, kept: str) -> None:
    found = known((kind, {"a": 1}), ("evidence", REPORT))
    assert (list(found.logged), found.seq) == (["e2"], 2)
    assert [entry.id for entry in getattr(found, kept)] == ["e1"]


def test_a_kind_of_a_later_version_is_refused() -> None:
    [entry] = MemoryLedger(ticking_clock()).append(
        lambda _: [Draft(author="ana", study="port", kind="publish", payload={})]
    )
    with pytest.raises(UnreadableEntryError, match="this version knows no such kind"):
        replayed([replace(entry, kind="prophecy")])


def test_amendments_apply_in_order_and_keep_the_place() -> None:
    found = known(
        ("evidence", REPORT),
        ("evidence", REPORT | {"state": "tense"}),
        amend("e1", state="hostile", note="n"),
        amend("e1", note=None, observed="2024-03-01"),
    )
    assert list(found.logged) == ["e1", "e2"]
    first = found.logged["e1"]
    assert first.record == Report(indicator="mood", observed=date(2024, 3, 1), state="hostile")
    assert first.entry.seq == 1
    assert [entry.id for entry in first.corrections] == ["e3", "e4"]
    assert not first.retracted
    assert found.logged["e2"].corrections == ()


def test_a_retracted_record_stays_listed_and_no_longer_stands() -> None:
    found = known(("evidence", REPORT), ("coverage", SPAN), amend("e1", state="tense"), retract("e1"), retract("e2"))
    assert [logged.retracted for logged in found.logged.values()] == [True, True]
    assert found.logged["e1"].record == Report(indicator="mood", observed=date(2024, 2, 1), state="tense")
    assert list(found.reports()) == []
    assert list(found.coverage()) == []


def test_a_twin_has_the_content_that_was_logged_first_whatever_became_of_it() -> None:
    found = known(("evidence", REPORT), ("evidence", REPORT), amend("e1", state="tense"), retract("e2"))
    assert found.twin_of(REPORT) == "e1"
    assert found.twin_of(REPORT | {"state": "tense"}) is None


def test_a_key_names_the_first_that_had_it_by_logging_or_by_amendment() -> None:
    found = known(
        ("evidence", REPORT | {"ref": "A"}),
        ("evidence", REPORT),
        amend("e2", ref="B"),
        amend("e1", ref="C"),
        retract("e2"),
    )
    assert found.refs == {"A": "e1", "B": "e2", "C": "e1"}


# Names


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("e22", 'e22: there is no such report or coverage in the study; did you mean "e2"?'),
        ("2", '2: there is no such report or coverage in the study; did you mean "e2"?'),
        ("E2", "E2: there is no such report or coverage in the study; one of: e2"),
        ("e1", "e1: there is no such report or coverage in the study; one of: e2"),
        ("", "there is no such report or coverage in the study; one of: e2"),
        ("e4", "e4: it is itself a correction of e2; name e2"),
        ("e5", "e5: it is itself a correction of e3; name e3"),
        ("e3", "e3: it was retracted by e5; log it again if it holds after all"),
    ],
)
def test_only_what_stands_may_be_corrected(name: str, words: str) -> None:
    found = known(("study", {}), ("evidence", REPORT), ("coverage", SPAN), amend("e2", state="tense"), retract("e3"))
    assert found.standing("e2").record == Report(indicator="mood", observed=date(2024, 2, 1), state="tense")
    with pytest.raises(UnknownEntryError) as caught:
        found.standing(name)
    assert str(caught.value) == words


# Nonsense


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (("evidence", {}), "the field indicator"),
        (("evidence", REPORT | {"later": 1}), "a field unknown to this version"),
        (("evidence", REPORT | {"observed": 5}), "the field observed"),
        (("coverage", {"indicator": "mood"}), "the field from"),
        (("amend", {"entry": "e9", "set": {}}), "it corrects an entry that is not there"),
        (("amend", {"set": {}}), "it corrects an entry that is not there"),
        (("amend", {"entry": ["e1"], "set": {}}), "it corrects an entry that is not there"),
        (("amend", {"entry": "e1"}), "it names no changes"),
        (("amend", {"entry": "e1", "set": []}), "it names no changes"),
        (("amend", {"entry": "e1", "set": {"later": 1}}), "a field unknown to this version"),
        (("amend", {"entry": "e1", "set": {"indicator": None}}), "the field indicator"),
        (("retract", {"entry": "e2"}), "it corrects an entry that is not there"),
        (("retract", {}), "it corrects an entry that is not there"),
    ],
)
def test_an_entry_of_another_program_is_refused_by_name(line: tuple[str, dict[str, Any]], why: str) -> None:
    with pytest.raises(UnreadableEntryError) as caught:
        known(("evidence", REPORT), line)
    assert str(caught.value).startswith(f"entry e2: its {line[0]} payload cannot be read ({why})")
    assert "forecast verify" in caught.value.mend


# Contents


def test_amended_content_leaves_out_what_is_set_to_nothing() -> None:
    report = Report(indicator="mood", observed=date(2024, 2, 1), state="calm", note="n")
    assert amended(report, {"note": None, "state": "tense", "ref": "A"}) == {
        "indicator": "mood", "observed": "2024-02-01", "state": "tense", "ref": "A",
    }  # fmt: skip


TEXT = st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=4)
CONTENT = st.dictionaries(st.sampled_from(["indicator", "note", "ref", "state"]), TEXT, max_size=3)


@steady
@given(CONTENT, CONTENT)
def test_contents_have_one_key_exactly_when_they_are_equal(one: dict[str, object], other: dict[str, object]) -> None:
    assert (content_key(one) == content_key(other)) == (one == other)


@steady
@given(st.permutations(list(REPORT.items())))
def test_the_order_of_fields_is_no_content(items: list[tuple[str, str]]) -> None:
    assert content_key(dict(items)) == content_key(REPORT)


@steady
@given(
    st.lists(st.sampled_from(["evidence", "coverage", "amend", "retract"]), max_size=12),
    st.randoms(use_true_random=False),
)
def test_taking_entries_one_by_one_or_in_two_parts_is_the_same(kinds: list[str], rng: Any) -> None:
    lines: list[tuple[str, Mapping[str, Any]]] = [("evidence", REPORT)]
    for kind in kinds:
        target = f"e{rng.randint(1, len(lines))}"
        if kind in ("evidence", "coverage"):
            lines.append((kind, REPORT if kind == "evidence" else SPAN))
        elif lines[int(target[1:]) - 1][0] in ("evidence", "coverage"):
            lines.append(amend(target, note="n") if kind == "amend" else retract(target))
    whole = entries(*lines)
    cut = rng.randint(0, len(whole))
    parts = replayed(whole[:cut])
    for entry in whole[cut:]:
        parts.take(entry)
    assert parts == replayed(whole)


def test_a_study_is_settled_until_that_is_undone() -> None:
    settled = ("resolve", {"scenario": "a"})
    assert known().settled is None
    found = known(settled).settled
    assert found is not None
    assert found.id == "e1"
    assert known(settled, ("resolve", {"undo": "e1"})).settled is None
    again = known(settled, ("resolve", {"undo": "e1"}), ("resolve", {"void": True})).settled
    assert again is not None
    assert again.id == "e3"
