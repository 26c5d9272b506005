"""Explanation through the command: rows that add up for every scenario, and `--without` wherever something is read."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from forecast.cli.main import run
from tests.small import STUDY
from tests.strategies import random_case, to_yaml

Forecast = Callable[..., str]


@pytest.fixture
def forecast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Forecast:
    """The command in an empty folder; gives back what it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORECAST_AUTHOR", "ana")
    monkeypatch.delenv("FORECAST_LEDGER", raising=False)

    def call(*arguments: str) -> str:
        capsys.readouterr()
        assert run(list(arguments)) == 0, (arguments, capsys.readouterr().err)
        return capsys.readouterr().out

    return call


def odds(p: dict[str, float], scenario: str) -> float:
    """Against all the others, whose sum keeps the digits that one less a probability near it has lost."""
    return math.log(p[scenario]) - math.log(math.fsum(other for name, other in p.items() if name != scenario))


@pytest.mark.parametrize("seed", [1, 4, 9, 16, 25, 36, 49, 64])
def test_the_rows_add_up_for_every_scenario_since_any_day(forecast: Forecast, seed: int) -> None:
    """Random studies of all kinds, with drift: from the log odds at the start to those at the end, to 1e-9.

    Where the probabilities themselves come from is the export: the rows start on the day's own, and end on the last.
    """
    study, reports, coverage, as_of = random_case(random.Random(seed), n_reports=10, days=45)
    study["drift"] = {"half_life": "40 d"}
    Path("study.yaml").write_text(to_yaml(study), encoding="utf-8")
    Path("reports.jsonl").write_text("".join(json.dumps(report) + "\n" for report in reports), encoding="utf-8")
    forecast("study", "add", "study.yaml")
    for span in coverage:
        forecast("cover", span["indicator"], *(f"--{n}={span[n]}" for n in ("from", "to", "detect") if n in span))
    forecast("import", "reports.jsonl")
    on = ["--as-of", as_of.isoformat(), "--draws", "100"]
    timeline = {day["date"]: day["probability"] for day in json.loads(forecast("export", *on))["timeline"]}
    opens = as_of - timedelta(days=45)
    for since in (None, opens - timedelta(days=1), opens, opens + timedelta(days=17), as_of - timedelta(days=1), as_of):
        told = json.loads(forecast("explain", "--json", *on, *([] if since is None else ["--since", str(since)])))
        if since is not None and since >= opens:
            assert told["from"] == timeline[since.isoformat()]
        assert told["to"] == timeline[as_of.isoformat()]
        if since is not None and since < as_of:
            assert "drift" in {row["what"] for row in told["rows"]}
        for scenario in told["to"]:
            moved = math.fsum(row["log_odds"][scenario] for row in told["rows"])
            assert odds(told["from"], scenario) + moved == pytest.approx(odds(told["to"], scenario), abs=1e-9)
        if since == as_of:
            assert told["rows"] == []
        assert sum(told["frequencies"].values()) == 100


# Without


@pytest.fixture
def port(forecast: Forecast) -> Forecast:
    """The small study with a report from each of two sources, coverage, and a count."""
    Path("port.yaml").write_text(STUDY)
    for arguments in (
        ["study", "add", "port.yaml"],
        ["log", "mood", "--state", "hostile", "--on", "2024-02-01", "--source", "Wire", "--origin", "o1"],
        ["log", "mood", "--state", "calm", "--on", "2024-03-01", "--source", "Paper", "--origin", "o2"],
        ["log", "talks", "--count", "2", "--on", "2024-03-05", "--source", "Wire"],
        ["cover", "talks", "--from", "2024-04-01", "--to", "2024-05-30"],
    ):
        forecast(*arguments)
    return forecast


COMMANDS: dict[str, list[str]] = {
    "status": ["status", "--json"],
    "explain": ["explain", "--json"],
    "watch": ["watch", "--json"],
    "evidence": ["evidence", "--json"],
    "json": ["export"],
    "markdown": ["export", "--format", "markdown"],
    "timeline": ["export", "--format", "csv"],
    "contributions": ["export", "--format", "csv", "--table", "contributions"],
}
LEFT_OUT = ["source:Wire", "origin:o2", "indicator:mood", "entry:e4"]


def numbers(text: str) -> Any:
    """What a command says, less what tells of the ledger and of what was left out."""
    if not text.startswith(("{", "[")):
        return text.partition("## Provenance")[0]
    told = json.loads(text)
    if isinstance(told, dict):
        for name in ("known_at", "ledger", "without"):
            told.pop(name, None)
    return told


@pytest.mark.parametrize("name", COMMANDS)
def test_without_is_the_study_in_which_it_was_never_logged(port: Forecast, name: str) -> None:
    """For every command and kind of thing; its only report retracted is an origin left out."""
    on = ["--as-of", "2024-06-30"] if name != "evidence" else []
    arguments = [*COMMANDS[name], *on]
    whole = numbers(port(*arguments))
    said = {left_out: numbers(port(*arguments, "--without", left_out)) for left_out in LEFT_OUT}
    assert all(told != whole for told in said.values())
    if name != "evidence":  # which lists what was retracted too
        port("retract", "e3", "--why", "to see")
        assert numbers(port(*arguments)) == said["origin:o2"]


def test_power_without_an_indicator_is_another_and_without_a_source_the_same(port: Forecast) -> None:
    """What is logged plays no part in it, so only an indicator can be left out to any effect."""
    told = {w: json.loads(port("power", "--json", "--runs", "5", *w)) for w in [(), ("--without", "indicator:ballot")]}
    whole, rest = told.values()
    assert rest["scenarios"] != whole["scenarios"]
    other = json.loads(port("power", "--json", "--runs", "5", "--without", "source:Wire"))
    assert other["scenarios"] == whole["scenarios"]
    assert rest["without"] == ["indicator:ballot"] and other["without"] == ["source:Wire"]


@pytest.mark.parametrize("name", [*COMMANDS, "power"])
def test_what_is_not_there_is_refused_by_every_command(
    port: Forecast, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    port("status")
    arguments = COMMANDS.get(name, ["power", "--json", "--runs", "2"])
    assert run([*arguments, "--without", "source:Wir"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert 'no source "Wir" in the study; did you mean "Wire"?' in said.err


def test_days_outside_the_outlook_are_refused(port: Forecast, capsys: pytest.CaptureFixture[str]) -> None:
    for since in (date(2023, 12, 30), date(2024, 7, 1)):
        assert run(["explain", "--as-of", "2024-06-30", "--since", str(since)]) == 2
        assert "--since" in capsys.readouterr().err
