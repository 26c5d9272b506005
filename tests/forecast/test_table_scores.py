"""Anybody's tables: both forms, what is left out by name and count, what is refused, and that parts are the whole."""

from pathlib import Path

import numpy as np
import pytest
import scoringrules

from forecast import forecast_table
from forecast.forecast_table import ForecastTable, TableError
from forecast.table_scores import NothingToScoreError, TableScores, table_scores
from indicators.errors import FaultsError

HEADER = "question,forecaster,date,outcome,probability,resolution,resolved_on"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def table(*lines: str, columns: dict[str, str] | None = None) -> ForecastTable:
    Path("t.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return ForecastTable("t.csv", columns or {})


def scored(*lines: str, columns: dict[str, str] | None = None) -> TableScores:
    return table_scores(table(*lines, columns=columns))


def left_out(found: TableScores) -> dict[str, tuple[int, tuple[str, ...]]]:
    return {item.reason: (item.count, item.named) for item in found.left_out}


pytestmark = pytest.mark.usefixtures("folder")


# Both forms


def test_a_binary_table_of_two_columns() -> None:
    p, o = [0.1, 0.5, 0.9, 0.9], [0, 1, 1, 0]
    found = scored("probability,outcome", *(f"{a},{b}" for a, b in zip(p, o, strict=True)))
    assert (found.is_binary, found.rows, found.forecasts, found.questions) == (True, 4, 4, None)
    assert found.brier == pytest.approx(scoringrules.brier_score(np.array(o), np.array(p)).mean(), abs=1e-12)
    assert found.log == pytest.approx(scoringrules.log_score(np.array(o), np.array(p)).mean(), abs=1e-12)
    assert found.calibration.probabilities.tolist() == [0.1, 0.5, 0.9]
    assert found.calibration.came_true.tolist() == [0, 1, 1]
    assert found.forecasters == ()
    assert found.left_out == ()
    assert "duplicates cannot be told" in found.notes[0]
    assert "no column date" in found.notes[1]


@pytest.mark.parametrize("words", [("1", "0"), ("yes", "no"), ("TRUE", "False"), ("1.0", "0.0")])
def test_the_words_for_what_happened(words: tuple[str, str]) -> None:
    found = scored("probability,outcome", f"0.75,{words[0]}", f".25,{words[1]}", f"1e-1,{words[1]}")
    assert found.brier == pytest.approx((2 * 0.0625 + 0.01) / 3)


def test_a_table_of_categories() -> None:
    found = scored(
        HEADER,
        *("q1,ana,2024-01-01,x,0.2,y,", "q1,ana,2024-01-01,y,0.5,y,", "q1,ana,2024-01-01,z,0.3,y,"),
        *("q2,ana,2024-01-01,x,1,x,", "q2,bo,2024-01-01,x,0.6,x,", "q2,bo,2024-01-01,y,0.4,x,"),
    )
    assert (found.is_binary, found.forecasts, found.questions) == (False, 3, 2)
    assert found.brier == pytest.approx(np.mean([0.38, 0.0, 0.32]), abs=1e-15)
    assert found.log == pytest.approx(np.mean([np.log(2), 0.0, -np.log(0.6)]), abs=1e-15)
    assert [(item.name, item.forecasts, item.questions) for item in found.forecasters] == [("ana", 2, 2), ("bo", 1, 1)]
    assert found.forecasters[0].brier == pytest.approx(0.19)
    assert found.calibration.count == 6
    [pair] = found.comparisons
    assert (found.forecasters[pair.one].name, found.forecasters[pair.other].name) == ("ana", "bo")
    assert pair.questions == 1
    assert pair.difference == pytest.approx(-0.32)


def test_rows_of_a_forecast_may_stand_anywhere() -> None:
    lines = ["q1,ana,2024-01-01,x,0.2,y,", "q2,ana,2024-01-01,x,1,x,", "q1,ana,2024-01-01,y,0.8,y,"]
    assert scored(HEADER, *lines).brier == scored(HEADER, *sorted(lines)).brier == pytest.approx(0.04)


@pytest.mark.parametrize(
    "header",
    ["question_id,user,forecast_date,P,Resolution", "question;forecaster;date;probability;resolution"],
)
def test_other_names_and_separators(header: str) -> None:
    mark = ";" if ";" in header else ","
    rows = [
        mark.join(row) for row in (("q1", "ana", "2024-01-01", "0.8", "yes"), ("q1", "bo", "2024-01-02", "0.4", "1"))
    ]
    found = scored(header, *rows)
    assert (found.is_binary, found.questions) == (True, 1)
    assert [item.name for item in found.forecasters] == ["ana", "bo"]


def test_columns_may_be_named() -> None:
    found = scored(
        "game,prob1,prob1_outcome,p", "a,0.9,1,x", columns={"probability": "prob1", "outcome": "prob1_outcome"}
    )
    assert found.brier == pytest.approx(0.01)


def test_a_time_of_day_is_cut_off_and_texts_in_quotes_are_whole() -> None:
    found = scored(HEADER, '"a, ""b""\nc",ana,2024-01-01T10:00:00Z,x,1,x,2024-01-01')
    assert (found.forecasts, found.left_out) == (1, ())


# What is left out


CASES = {
    "unresolved": (["q,ana,2024-01-01,x,1,,"], "q, ana, 2024-01-01 (line 2)"),
    "void": (["q,ana,2024-01-01,x,1,Void,"], "q, ana, 2024-01-01 (line 2)"),
    "conflict": (["q,ana,2024-01-01,x,1,x,", "q,bo,2024-01-01,x,1,y,"], "q, ana, 2024-01-01 (line 2)"),
    "late": (["q,ana,2024-02-02,x,1,x,2024-02-01"], "q, ana, 2024-02-02 (line 2)"),
    "twice": (["q,ana,2024-01-01,x,0.4,x,", "q,ana,2024-01-01,x,0.6,x,"], "q, ana, 2024-01-01 (line 2)"),
    "sum": (["q,ana,2024-01-01,x,0.5,x,", "q,ana,2024-01-01,y,0.48,x,"], "q, ana, 2024-01-01 (line 2)"),
    "missing": (["q,ana,2024-01-01,x,1,y,"], "q, ana, 2024-01-01 (line 2)"),
}


@pytest.mark.parametrize("reason", CASES)
def test_what_does_not_count_is_left_out_by_name_and_count(reason: str) -> None:
    rows, name = CASES[reason]
    found = scored(HEADER, *rows, "sound,cy,2024-01-01,x,1,x,")
    assert found.forecasts == 1
    assert {name: count for name, (count, _) in left_out(found).items()} == {reason: 2 if reason == "conflict" else 1}
    assert left_out(found)[reason][1][0] == name


def test_a_row_said_again_counts_once() -> None:
    row = "q,ana,2024-01-01,0.7,1"
    found = scored("question,forecaster,date,probability,resolution", row, row, row)
    assert found.forecasts == 1
    assert found.brier == pytest.approx(0.09)
    assert left_out(found) == {"copy": (2, ("q, ana, 2024-01-01 (line 3)", "q, ana, 2024-01-01 (line 4)"))}


def test_two_numbers_of_one_forecaster_and_day_do_not_count() -> None:
    header = "question,forecaster,date,probability,resolution"
    found = scored(header, "q,ana,2024-01-01,0.7,1", "q,ana,2024-01-01,0.8,1", "q,bo,2024-01-01,0.5,1")
    assert found.forecasts == 1
    assert left_out(found)["twice"][0] == 1


def test_only_the_first_are_named_and_all_are_counted() -> None:
    rows = [f"q{n},ana,2024-01-01,x,0.5,x," for n in range(50)]
    found = scored(HEADER, *rows, "sound,cy,2024-01-01,x,1,x,")
    count, named = left_out(found)["sum"]
    assert (count, len(named), named[0]) == (50, 5, "q0, ana, 2024-01-01 (line 2)")


def test_where_nothing_counts_it_is_refused_with_the_reasons() -> None:
    with pytest.raises(NothingToScoreError, match=r"no forecast in it counts \(2: its probabilities do not sum to 1\)"):
        scored(HEADER, "q1,ana,2024-01-01,x,0.5,x,", "q2,ana,2024-01-01,x,0.5,x,")
    with pytest.raises(NothingToScoreError, match="it has no rows"):
        scored("probability,outcome")


def test_rounding_of_sums_is_forgiven_and_no_more() -> None:
    third = [f"q,ana,2024-01-01,{name},0.3333333,x," for name in "xyz"]
    assert scored(HEADER, *third).forecasts == 1
    with pytest.raises(NothingToScoreError, match="do not sum to 1"):
        scored(HEADER, *(line.replace("0.3333333", "0.33333") for line in third))


def test_what_was_given_no_chance_makes_the_log_score_infinite_and_is_counted() -> None:
    found = scored("probability,outcome", "0,1", "1,1", "0.5,0")
    assert (found.log, found.impossible) == (np.inf, 1)


# What is refused


@pytest.mark.parametrize(
    ("value", "told"),
    [
        *((text, f'probability: "{text}" is not a probability') for text in ("60%", "0,6x", "nan", "inf", "1.01")),
        *((text, f'probability: "{text}" is not a probability') for text in ("-0.1", "1e400", "٠.٦", "−0.5", "0x1")),
        ("", "probability: nothing is given"),
    ],
)
def test_a_number_that_is_no_probability_is_refused_with_its_line(value: str, told: str) -> None:
    with pytest.raises(FaultsError) as refused:
        scored("probability,outcome", "0.5,1", f'"{value}",1')
    assert [(fault.line, fault.what) for fault in refused.value.faults] == [(3, told)]


def test_all_faults_are_told_with_their_lines() -> None:
    with pytest.raises(FaultsError) as refused:
        scored(
            HEADER,
            *("q,ana,2024-01-01,x,1", ",ana,2024-01-01,x,1,x,", "q,ana,2024-02-30,x,1,x,", "q,ana,24-01-01,,1,x,"),
            "q,ana,2024-01-01,x,1,x,2024-1-1",
        )
    assert [(fault.line, fault.what) for fault in refused.value.faults] == [
        (2, "it has 5 values, and the header 7"),
        (3, "question: nothing is given"),
        (4, 'date: "2024-02-30" is not a day'),
        (5, 'date: "24-01-01" is not a day'),
        (5, "outcome: nothing is given"),
        (6, 'resolved_on: "2024-1-1" is not a day'),
    ]


def test_of_many_faults_the_first_are_told_and_the_others_counted() -> None:
    with pytest.raises(FaultsError, match="and 30 more faults like these"):
        scored("probability,outcome", *["2,1"] * 50)


def test_a_word_that_does_not_say_whether_it_happened() -> None:
    with pytest.raises(
        FaultsError, match=r'outcome: "Biden" does not say whether .* needs the columns question and res'
    ):
        scored("probability,outcome", "0.5,Biden")


@pytest.mark.parametrize(
    ("header", "phrase"),
    [
        ("a,b", "it has the columns a, b, which is no table of forecasts"),
        ("question,outcome", "which is no table of forecasts"),
        ("outcome,probability,resolution", "what belongs to one question is not told"),
        ("", "it has no header"),
        ('"question,probability,outcome', "its header cannot be read"),
    ],
)
def test_another_header_is_refused(header: str, phrase: str) -> None:
    with pytest.raises(TableError, match=phrase):
        table(header, "1,2")


def test_columns_that_could_be_the_same_are_refused() -> None:
    with pytest.raises(FaultsError, match="p and prob could both be the probability; say which with --column prob"):
        table("p,prob,outcome", "1,1,1")
    with pytest.raises(FaultsError, match=r'no column "x" in t\.csv'):
        table("p,outcome", "1,1", columns={"probability": "x"})
    with pytest.raises(FaultsError, match='"probabilty" is no column of a table; did you mean "probability"'):
        table("p,outcome", "1,1", columns={"probabilty": "p"})


@pytest.mark.parametrize("row", [b"M\xfcller,0.5,1", b"M\xfcller,0.5", b"a\0,0.5,1", b"a,0.5,1\xc3"])
def test_bytes_that_are_no_text_are_refused_with_their_line(row: bytes) -> None:
    Path("b.csv").write_bytes(b"question,probability,outcome\nq,0.5,1\n" + row)
    with pytest.raises(TableError, match=r"b\.csv:3: (it is not UTF-8 text|the text has a NUL character)"):
        table_scores(ForecastTable("b.csv"))


def test_another_encoding_is_refused() -> None:
    Path("utf16.csv").write_bytes("probability,outcome\n0.5,1\n".encode("utf-16"))
    with pytest.raises(TableError, match="it is not UTF-8 text"):
        ForecastTable("utf16.csv")


# In parts


def test_a_table_in_many_parts_is_scored_as_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    rows = []
    for q in range(40):
        happened = rng.choice(["x", "y"])
        for who in ("ana", "bo", "cy"):
            for day in range(1, 4):
                p = int(rng.integers(1, 100))
                about = f"q{q},{who},2024-01-{day:02}"
                rows += [
                    f"{about},x,{p / 100},{happened},2024-02-01",
                    f"{about},y,{(100 - p) / 100},{happened},2024-02-01",
                ]
    rows += ["bad,ana,2024-01-01,x,0.3,x,", rows[0]]
    rng.shuffle(rows)
    whole = scored(HEADER, *rows)
    monkeypatch.setattr(forecast_table, "PART_BYTES", 500)
    monkeypatch.setattr(forecast_table, "BLOCK_BYTES", 1_000)
    parts = scored(HEADER, *rows)
    assert (parts.rows, parts.forecasts, parts.questions) == (whole.rows, whole.forecasts, whole.questions)
    assert (whole.rows, whole.forecasts, whole.questions) == (len(rows), 360, 40)
    assert parts.left_out == whole.left_out
    np.testing.assert_allclose((parts.brier, parts.log), (whole.brier, whole.log), rtol=1e-12)
    assert parts.calibration.forecasts.tolist() == whole.calibration.forecasts.tolist()
    for one, other in zip(parts.forecasters, whole.forecasters, strict=True):
        assert (one.name, one.questions) == (other.name, other.questions)
        assert one.brier == pytest.approx(other.brier, rel=1e-12)
    for a, b in zip(parts.comparisons, whole.comparisons, strict=True):
        assert (a.one, a.other, a.questions) == (b.one, b.other, b.questions)
        np.testing.assert_allclose((a.difference, a.p), (b.difference, b.p), rtol=1e-9)
    assert list(Path().iterdir()) == [Path("t.csv")]


def test_of_too_many_distinct_probabilities_neighbours_are_taken_together_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(10)
    rows = [f"{p!r},{int(rng.random() < p)}" for p in rng.random(300).tolist()]
    whole = scored("probability,outcome", *rows)
    monkeypatch.setattr("forecast.table_scores.MOST_DISTINCT", 100)
    monkeypatch.setattr("forecast.table_scores.DECIMALS", 2)
    found = scored("probability,outcome", *rows)
    assert len(found.calibration.probabilities) <= 101
    assert (found.calibration.count, found.brier, found.log) == (300, whole.brier, whole.log)
    np.testing.assert_allclose(found.calibration.decomposition, whole.calibration.decomposition, rtol=0, atol=0.03)
    assert "that agree to 2 decimals" in found.notes[0]
    assert "agree" not in whole.notes[0]
