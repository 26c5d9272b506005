"""Resolve, score and the calibration chart: what they take, refuse and print; and the same for programs."""

import csv
import io
import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import forecast
from forecast.backtest import SettingError
from forecast.charts.reliability import record_chart, table_chart
from forecast.forecast_table import ForecastTable
from forecast.release import TooStrictError
from forecast.table_scores import table_scores
from tests.commands import Commands
from tests.forecast.test_publication import TESTED
from tests.forecast.test_track import House, of, published_house
from tests.small import head

TABLE = """\
question,forecaster,date,outcome,probability,resolution,resolved_on
q1,ana,2024-01-01,x,0.2,y,2024-03-01
q1,ana,2024-01-01,y,0.8,y,2024-03-01
q1,=bo,2024-01-02,x,0.5,y,2024-03-01
q1,=bo,2024-01-02,y,0.5,y,2024-03-01
q2,ana,2024-01-02,x,0.5,,
q2,ana,2024-01-02,y,0.5,,
q3,ana,2024-01-02,x,0.5,x,2024-01-01
q3,ana,2024-01-02,y,0.5,x,2024-01-01
"""


@pytest.fixture
def port(commands: Commands) -> Commands:
    """A ledger with a study that says how it would be settled, published today."""
    Path("port.yaml").write_text(TESTED)
    commands.done("study", "add", "port.yaml")
    commands.done("publish", "--as-of", "2024-06-01", "--opinion", "settled=0.7", "--opinion", "strike=0.3")
    return commands


# resolve


def test_resolve_closes_the_study_and_undo_opens_it_again(port: Commands) -> None:
    said = port.done("resolve", "strike", "--on", "2024-05-01", "--why", "it was called")
    assert said.out == "e3  port is resolved: strike on 2024-05-01; score it with `forecast score`\n"
    port("log", "mood", "--state", "calm", "--on", "2024-02-01").is_refused("port: it was resolved by e3 (strike)")
    port("resolve", "settled", "--on", "2024-05-01").is_refused("it was resolved by e3", "--undo --why")
    assert "flag: the study was resolved by e3: strike on 2024-05-01" in port.done("status").out
    assert port.done("resolve", "--undo", "--why", "wrong day").out == "e4  port is open again; e3 is undone\n"
    port("resolve", "--undo", "--why", "again").is_refused("port: it is open; there is no resolution to undo")
    assert port.done("resolve", "--void", "--why", "no test").out == "e5  port is void and closed\n"
    port.done("verify")


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        ((), "name the SCENARIO that came true, or give --void, or --undo"),
        (("strike", "--void", "--why", "x"), "name the SCENARIO that came true, or give --void, or --undo"),
        (("strike",), "--on says on which day it was settled"),
        (("--void", "--on", "2024-05-01", "--why", "x"), "--on goes with a SCENARIO"),
        (("--void",), "--void and --undo need --why"),
        (("--undo",), "--void and --undo need --why"),
        (("--void", "--why", " "), "a void question needs its reason"),
        (("strike", "--on", "May"), '--on: "May" is not a day'),
        (("strik", "--on", "2024-05-01"), 'did you mean "strike"?'),
    ],
)
def test_what_resolve_refuses(port: Commands, arguments: tuple[str, ...], phrase: str) -> None:
    before = port.head("forecast.db")
    port("resolve", *arguments).is_refused(phrase)
    assert port.head("forecast.db") == before


# score, of a ledger


def test_without_a_resolution_there_is_nothing_to_score(port: Commands) -> None:
    said = port.done("score").out
    assert "0 studies settled, 0 void, 1 open" in said
    assert "nothing is scored yet" in said
    assert port.done("score", "--json").json["open"] == [{"study": "port", "why": "open until 2024-12-31"}]


def test_what_was_not_published_in_time_is_said_and_not_scored(port: Commands) -> None:
    port.done("resolve", "strike", "--on", "2024-05-01")
    told = port.done("score", "--json").json
    assert told["studies"] == []
    assert told["unsaid"] == [{"study": "port", "why": "nothing was published before the day that settled it"}]
    assert "1 study settled, 0 void, 0 open" in port.done("score").out


@pytest.fixture
def ledger(commands: Commands) -> Commands:
    """The published and settled study, in a file."""
    house = published_house()
    with forecast.create_ledger("forecast.db") as book:
        book.restore(house.ledger.entries())
    return commands


def test_the_table_the_json_and_the_csv_say_the_same(ledger: Commands) -> None:
    said = ledger.done("score")
    told = ledger.done("score", "--json").json
    rows = list(csv.DictReader(io.StringIO(ledger.done("score", "--csv").out)))
    [engine, opinion] = told["studies"]
    assert (engine["track"], opinion["track"], engine["outcome"], engine["days"]) == (
        "engine",
        "opinion",
        "strike",
        153,
    )
    assert told["ledger"]["entries"] == 6
    row = next(r for r in rows if (r["by"], r["track"], r["score"], r["baseline"]) == ("all", "engine", "log", "prior"))
    [whole] = [s for s in told["summaries"] if (s["by"], s["track"]) == ("all", "engine")]
    assert float(row["value"]) == whole["scores"]["log"]
    assert float(row["skill"]) == whole["against"]["prior"]["skill"]["log"]
    assert row["low"] == ""
    assert f"{engine['scores']['brier']:.4f}" in said.out
    assert whole["decomposition"]["score"] == pytest.approx(
        whole["decomposition"]["miscalibration"]
        - whole["decomposition"]["discrimination"]
        + whole["decomposition"]["uncertainty"]
    )
    assert sum(part["forecasts"] for part in whole["histogram"]) == 4
    assert {row["by"] for row in rows} == {"study", "all", "author", "lead"}


def test_against_a_crowd(ledger: Commands) -> None:
    rows = [
        "study,who,day,outcome,p",
        "port,x,2024-03-01,settled,0.1",
        "port,x,2024-03-01,strike,0.9",
        "other,x,2024-03-01,a,1",
    ]
    Path("crowd.csv").write_text("\n".join(rows))
    options = ("--crowd", "crowd.csv", "--column", "question=study", "--column", "forecaster=who")
    told = ledger.done("score", "--json", *options).json
    assert told["studies"][0]["references"]["crowd"]["brier"] == pytest.approx(0.02)
    assert told["crowd"] == {"studies": ["port"], "unfit": 0, "other_rows": 1}
    assert "crowd: 0 unfit forecasts and 1 row of others left out" in ledger.done("score", *options).out
    assert "skill over crowd" in ledger.done("score", *options).out


def test_known_at_an_earlier_moment_it_was_open(ledger: Commands) -> None:
    assert ledger.done("score", "--json", "--known-at", "2024-06-30").json["studies"] == []


def test_a_study_above_the_level_is_refused_or_left_out_without_a_word_of_it(commands: Commands) -> None:
    house = House()
    house.study("canary", tags="[canarytag]", tlp="red")
    house.study("port")
    house.on("2024-02-01").publish(name="canary", author="canaryauthor")
    house.publish(name="port")
    house.on("2024-07-01").resolve(name="canary")
    house.resolve(name="port")
    with forecast.create_ledger("forecast.db") as book:
        book.restore(house.ledger.entries())
    for form in ((), ("--json",), ("--csv",)):
        commands("score", *form, "--max-tlp", "amber").is_refused("the study itself is marked above TLP:AMBER")
        below = commands.done("score", *form, "--max-tlp", "amber", "--without-above", "--chart", "c.svg")
        assert "canary" not in below.out + below.err + Path("c.svg").read_text()
        assert "One study is marked above the level asked for" in below.err
    assert "TLP:RED" in commands.done("score").out


# score, of a table


def test_a_table_is_shown_with_what_was_left_out(commands: Commands) -> None:
    Path("t.csv").write_text(TABLE)
    said = commands.done("score", "t.csv").out
    assert "t.csv: 8 rows, 2 forecasts of 1 question scored" in said
    assert "left out 1: the question is not resolved: q2, ana, 2024-01-02 (line 6)" in said
    assert "left out 1: it is dated after the resolution: q3, ana, 2024-01-02 (line 8)" in said
    assert "1 pair with fewer than 5 common questions: not tested" in said
    told = commands.done("score", "t.csv", "--json").json
    assert (told["format"], told["form"], told["brier"]) == ("watchfloor.table-scores/1", "categories", 0.29)
    assert [item["reason"] for item in told["left_out"]] == ["unresolved", "late"]
    assert [point["probability"] for point in told["curve"]] == [0.2, 0.5, 0.8]
    rows = list(csv.reader(io.StringIO(commands.done("score", "t.csv", "--csv").out)))
    assert [row[0] for row in rows] == ["forecaster", "", "ana", "'=bo"]


def test_numbers_that_json_does_not_know_are_null(commands: Commands) -> None:
    Path("t.csv").write_text("probability,outcome\n0,1\n1,1\n")
    told = commands.done("score", "t.csv", "--json").json
    assert (told["log"], told["impossible"]) == (None, 1)
    assert (
        "the log score is infinite: 1 forecast gave no chance to what happened" in commands.done("score", "t.csv").out
    )


def test_forecasters_are_compared(commands: Commands) -> None:
    rng = np.random.default_rng(9)
    lines = ["question,forecaster,probability,resolution"]
    for q in range(80):
        truth = rng.random()
        happened = int(rng.random() < truth)
        lines += [f"q{q},good,{truth:.3f},{happened}", f"q{q},bad,{1 - truth:.3f},{happened}"]
    Path("t.csv").write_text("\n".join(lines))
    said = commands.done("score", "t.csv").out
    [row] = [line.split() for line in said.splitlines() if line.startswith("good") and "bad" in line]
    assert row[:3] == ["good", "bad", "80"]
    [pair] = commands.done("score", "t.csv", "--json").json["comparisons"]
    assert (pair["one"], pair["other"], pair["questions"]) == ("good", "bad", 80)
    assert pair["high"] < 0 and pair["p"] < 0.001


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        (("none.csv",), "none.csv"),
        (("t.csv", "--json", "--csv"), "--csv or --json, not both"),
        (("t.csv", "--max-tlp", "green"), "--max-tlp is for the studies of a ledger, not for a table"),
        (("t.csv", "--column", "probability"), '"probability" does not say which column stands for what'),
        (("t.csv", "--chart", "c.gif"), "c.gif ends in none of .png, .svg, .pdf"),
        (("--column", "date=day"), "--column is for a table"),
        (("--without-above",), "--without-above goes with --max-tlp"),
        (("--chart", "forecast.db.svg", "--ledger", "none.db"), "none.db"),
        (("bad.csv",), 'bad.csv:2: probability: "60%" is not a probability'),
        (("bin.csv",), "bin.csv"),
    ],
)
def test_what_score_refuses(commands: Commands, arguments: tuple[str, ...], phrase: str) -> None:
    Path("t.csv").write_text(TABLE)
    Path("bad.csv").write_text("probability,outcome\n60%,1\n")
    Path("bin.csv").write_bytes(b"\x89PNG\r\n\x1a\n\x00\xff")
    commands("score", *arguments).is_refused(phrase)


@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
def test_the_calibration_is_drawn(ledger: Commands, ending: str) -> None:
    Path("t.csv").write_text(TABLE)
    for arguments in (("score",), ("score", "t.csv")):
        said = ledger.done(*arguments, "--json", "--chart", f"c.{ending}")
        assert said.err == f"c.{ending} written\n"
        json.loads(said.out)
        assert Path(f"c.{ending}").stat().st_size > 1_000


def test_the_charts_of_programs(ledger: Commands) -> None:
    Path("t.csv").write_text("probability,outcome\n" + "0.25,1\n0.25,0\n" * 300)
    drawn = json.dumps(table_chart(table_scores(ForecastTable("t.csv"))))
    assert "600 forecasts" in drawn
    with forecast.open_ledger("forecast.db") as book:
        record = forecast.track_record(book)
    assert "Of one settled study, track opinion." in json.dumps(record_chart(record, track="opinion"))
    assert "TLP:CLEAR" in json.dumps(record_chart(record))


def test_programs_resolve_and_score_through_the_face_of_the_package(commands: Commands) -> None:
    assert commands.folder == Path.cwd()
    house = House()
    house.study()
    house.on("2024-02-01").publish()
    found = forecast.resolve(house.ledger, "strike", on=date(2024, 5, 1), author="ana")
    assert (found.entry, head(house.ledger).entries) == ("e3", 3)
    record = forecast.track_record(house.ledger)
    assert of(record, "all").studies == 1
    Path("t.csv").write_text("p,happened\n0.5,1\n")
    assert forecast.score_table("t.csv", columns={"outcome": "happened"}).brier == 0.25


def test_the_start_stays_lean() -> None:
    """Help, and everything but score, need neither scipy nor what reads tables."""
    code = (
        "import sys; from forecast.cli.main import run; run(['score', '--help']); "
        "import forecast.workflow, forecast.settled, forecast.table_scores, forecast.cli.resolving; "
        "print([m for m in ('scipy', 'pyarrow', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


# chart calibration


@pytest.mark.parametrize("more", [(), ("--track", "opinion"), ("--study", "port"), ("--max-tlp", "clear")])
def test_chart_draws_the_calibration_of_the_record(ledger: Commands, more: tuple[str, ...]) -> None:
    ledger.done("chart", "calibration", *more, "-o", "c.json")
    with forecast.open_ledger("forecast.db") as book:
        track = "opinion" if "opinion" in more else "engine"
        assert json.loads(Path("c.json").read_text()) == json.loads(
            json.dumps(record_chart(forecast.track_record(book), track=track))
        )


def test_chart_draws_the_calibration_of_a_table(commands: Commands) -> None:
    """No ledger is needed for it."""
    Path("t.csv").write_text("p,happened\n" + "0.25,1\n0.25,0\n" * 300)
    commands.done("chart", "calibration", "--table", "t.csv", "--column", "outcome=happened", "-o", "c.json")
    drawn = json.loads(Path("c.json").read_text())
    assert drawn["description"].startswith("Of 600 forecasts: 25 % came true 50 %")


@pytest.mark.parametrize(
    ("arguments", "phrases"),
    [
        (("timeline", "--track", "engine"), ("--track goes with calibration",)),
        (("timeline", "--table", "t.csv"), ("--table goes with calibration",)),
        (("board", "--column", "outcome=happened"), ("--column goes with calibration",)),
        (("calibration", "--column", "outcome=happened"), ("--column goes with --table",)),
        (("calibration", "--as-of", "2024-05-01"), ("--as-of is for charts of an outlook", "--known-at")),
        (("calibration", "--without", "source:Wire"), ("--without is for charts of an outlook",)),
        (("calibration", "--without-above"), ("--without-above goes with --max-tlp",)),
        (("calibration", "--since", "2024-05-01"), ("--since goes with matrix and waterfall",)),
        (("calibration", "--study", "prot"), ('no study "prot" in the ledger; did you mean "port"?',)),
        (("calibration", "--table", "t.csv", "--study", "port"), ("--study is for the studies of a ledger",)),
        (("calibration", "--table", "t.csv", "--track", "engine"), ("--track is for the studies of a ledger",)),
        (("calibration", "--table", "t.csv", "--column", "happened"), ("write it like probability=prob_win",)),
        (("calibration", "--table", "none.csv"), ("none.csv",)),
    ],
)
def test_what_the_chart_refuses(ledger: Commands, arguments: tuple[str, ...], phrases: tuple[str, ...]) -> None:
    Path("t.csv").write_text("p,happened\n0.5,1\n")
    ledger("chart", *arguments, "-o", "c.json").is_refused(*phrases)
    assert not Path("c.json").exists()


def test_a_curve_of_nothing_is_refused_with_what_to_do(port: Commands) -> None:
    mend = "publish with `forecast publish`, resolve with `forecast resolve`, or draw a table with --table"
    port("chart", "calibration", "-o", "c.svg").is_refused("nothing of a settled study was published in time", mend)
    port("chart", "calibration", "--track", "opinion", "-o", "c.svg").is_refused("no opinion of a settled study")


# study list


def test_the_list_of_studies_says_which_are_settled(port: Commands) -> None:
    Path("quay.yaml").write_text(TESTED.replace("study: port", "study: quay"))
    port.done("study", "add", "quay.yaml")
    port.done("resolve", "strike", "--on", "2024-05-01", "--study", "port")
    listed = port.done("study", "list", "--json").json
    assert [(item["status"], item["outcome"], item["resolved_on"]) for item in listed] == [
        ("resolved", "strike", "2024-05-01"),
        ("open", None, None),
    ]
    port.done("resolve", "--void", "--why", "no test", "--study", "quay")
    assert port.done("study", "list", "--json", "--study", "quay").json[0]["status"] == "void"
    shown = port.done("study", "list").out.splitlines()
    assert shown[0].split()[-1] == "status"
    assert [line.split()[-1] for line in shown[2:]] == ["2024-05-01", "void"]
    assert "strike on 2024-05-01" in shown[2]


# The face of the package


def test_programs_have_the_short_run_and_the_backtest(commands: Commands) -> None:
    """The same numbers as the commands, as typed tables; the table of a backtest is one that `score_table` reads."""
    house = published_house()
    reading = forecast.read_study(house.ledger)
    found = forecast.short_run_record(reading, date(2024, 6, 30))
    table, reports = found.table(), found.reports()
    assert table.index.tolist() == [item.indicator.id for item in found.indicators]
    assert table.loc["mood", "gain"] == found.indicators[0].gain
    assert reports["engine"].sum() == pytest.approx(found.total, abs=1e-12)
    assert str(table["scored"].dtype) == "int64" and str(reports["date"].dtype) == "datetime64[s]"
    without = forecast.short_run_record(reading, date(2024, 6, 30), without=["indicator:mood"])
    assert without.table().loc["mood", "scored"] == 0

    replay = forecast.backtest_table(reading, every_days=10, drift=["60d"], grades=["A=0.5"])
    assert replay["forecaster"].unique().tolist() == [
        "watchfloor replay",
        "watchfloor replay, drift 60d",
        "watchfloor replay, grades A=0.5",
    ]
    assert replay["date"].min() == pd.Timestamp("2024-01-01") and replay["date"].max() < pd.Timestamp("2024-06-01")
    sums = replay.groupby(["forecaster", "date"])["probability"].sum()
    np.testing.assert_allclose(sums, 1.0, atol=1e-12)
    replay.to_csv("replay.csv", index=False)
    assert len(forecast.score_table("replay.csv").forecasters) == 3
    first = forecast.backtest_table(reading, first=date(2024, 3, 1), last=date(2024, 3, 1))
    told = forecast.read_study(house.ledger, known_at="2024-03-01").outlook(date(2024, 3, 1)).probabilities()
    assert dict(zip(first["outcome"], first["probability"], strict=True)) == told.to_dict()


def test_the_past_of_programs_goes_through_the_gate(commands: Commands) -> None:
    house = House()
    house.study()
    house.on("2024-02-01").log("hostile", tlp="red")
    house.on("2024-03-01").log("calm")
    reading = forecast.read_study(house.ledger)
    for ask in (forecast.short_run_record, forecast.backtest_table):
        with pytest.raises(TooStrictError, match="one entry marked above TLP:AMBER"):
            ask(reading, max_tlp="amber")
    kept = forecast.short_run_record(reading, date(2024, 6, 1), max_tlp="amber", without_above=True)
    assert kept.table().loc["mood", "scored"] == 1
    open_table = forecast.backtest_table(reading, every_days=30, max_tlp="amber", without_above=True)
    assert open_table["resolution"].unique().tolist() == [""] and open_table["resolved_on"].isna().all()
    with pytest.raises(SettingError, match="neither a duration nor none"):
        forecast.backtest_table(reading, drift=["soon"])
