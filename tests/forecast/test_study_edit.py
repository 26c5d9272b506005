"""Numbers are put into a study's text, and everything else in it stays to the letter."""

from __future__ import annotations

import difflib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.study_edit import NotEditableError, columns_of, row_places, rows_as_stated, with_rows
from forecast.study_file import examined, read_study
from tests.small import STUDY, steady, study_of_text

BLOCK = STUDY.replace(
    "      settled: [0.6, 0.3, 0.1]\n",
    "      settled:   # how calm it is\n        - 0.60   # calm\n        - 0.3\n        - 0.1    # hostile\n",
)


def changed(text: str, indicator: str, rows: dict[tuple[str, ...], list[str] | str]) -> list[str]:
    """The lines that differ, without those around them."""
    new, _, _ = with_rows(text, indicator, rows)
    lines = difflib.unified_diff(text.split("\n"), new.split("\n"), n=0, lineterm="")
    return [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]


def test_only_the_numbers_change_and_comments_stay() -> None:
    told = changed(BLOCK, "mood", {("likelihoods", "settled"): ["0.5", "0.3", "0.2"]})
    assert told == [
        "-        - 0.60   # calm",
        "+        - 0.5   # calm",
        "-        - 0.1    # hostile",
        "+        - 0.2    # hostile",
    ]


def test_a_number_that_is_the_same_keeps_its_own_way_of_being_written() -> None:
    assert changed(BLOCK, "mood", {("likelihoods", "settled"): ["0.6", "0.300", "1e-1"]}) == []


CALM = ("likelihoods", "settled", "calm")


@pytest.mark.parametrize(
    ("indicator", "keys", "typed", "line"),
    [
        (
            "wait",
            ("values", "settled"),
            ["21", "6"],
            "values: {settled: {mean: 21, sd: 6}, strike: {mean: 45, sd: 15}}",
        ),
        ("talks", ("rates", "strike"), ["5"], "rates: {settled: 12, strike: 5}"),
        ("press", CALM, ["0.7", "0.3"], "settled: {calm: [0.7, 0.3], tense: likely, hostile: likely}"),
        ("press", CALM, "very likely", "settled: {calm: very likely, tense: likely, hostile: likely}"),
        ("talks", ("rates", "strike"), ["1]: x"], 'rates: {settled: 12, strike: "1]: x"}'),
        ("talks", ("rates", "strike"), [""], "rates: {settled: 12, strike: null}"),
    ],
)
def test_every_kind_of_row(indicator: str, keys: tuple[str, ...], typed: list[str] | str, line: str) -> None:
    assert changed(STUDY, indicator, {keys: typed})[-1][1:].strip() == line


def test_a_row_in_lines_can_become_a_word() -> None:
    text = STUDY.replace("likelihoods: {settled: unlikely,", "likelihoods: {settled: [0.6, 0.4],")
    assert changed(text, "gone", {("likelihoods", "settled"): "unlikely"})
    new, _, _ = with_rows(BLOCK, "mood", {("likelihoods", "settled"): ["0.5", "0.5"]})
    assert any("[0.5, 0.5]" in line for line in new.split("\n"))


def test_what_is_not_there_cannot_be_changed() -> None:
    with pytest.raises(NotEditableError, match='the rows of "moon"'):
        with_rows(STUDY, "moon", {})
    with pytest.raises(NotEditableError, match='the rows of "mood"'):
        with_rows(STUDY, "mood", {("likelihoods", "nobody"): ["0.5", "0.3", "0.2"]})


@settings(steady, max_examples=25)
@given(st.lists(st.text(max_size=12), min_size=3, max_size=3))
def test_whatever_is_typed_changes_no_more_than_its_row(typed: list[str]) -> None:
    new, tree, path = with_rows(STUDY, "mood", {("likelihoods", "settled"): [text.strip() for text in typed]})
    found = examined(new, file="")
    if found.study is not None:
        before = read_study(STUDY, file="").model_dump()
        after = found.study.model_dump()
        after["indicators"][path[1]]["likelihoods"] = before["indicators"][path[1]]["likelihoods"]
        assert after == before
    assert tree.faults or tree.data["study"] == "port"


def test_places_numbers_and_columns_go_together() -> None:
    study = study_of_text()
    for indicator in study.indicators:
        places, rows = row_places(study, indicator), rows_as_stated(study, indicator)
        assert len(places) == len(rows)
        assert {len(row) for row in rows} == {len(columns_of(indicator))}
        assert [p.scenario for p in places] == sorted((p.scenario for p in places), key=study.scenario_ids.index)
