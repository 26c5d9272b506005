"""`--max-tlp` and `--without-above` as a person meets them: what is refused, what is written, what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from forecast.cli.main import cli
from forecast.export.json_export import outlook_schema
from tests.commands import Commands
from tests.forecast.test_canary import commands_of
from tests.small import STUDY

GAP = "Entries marked above TLP:GREEN are left out, and all numbers are worked out without them."
BELOW = ("--max-tlp", "green", "--without-above")


@pytest.fixture
def marked(commands: Commands) -> Commands:
    """A ledger with one report that is clear, one that is green and two that are stricter."""
    Path("port.yaml").write_text(STUDY)
    Path("page.txt").write_text("a page")
    commands.done("study", "add", "port.yaml")
    for day, level in enumerate(("clear", "green", "amber", "red"), start=1):
        report = ("mood", "--state", "hostile", "--on", f"2024-02-0{day}", "--grade", "B2", "--note", f"note {level}")
        commands.done("log", *report, "--tlp", level, *(("--attach", "page.txt") if level == "green" else ()))
    return commands


def test_a_refusal_counts_and_writes_nothing(marked: Commands) -> None:
    marked("export", "--max-tlp", "green", "out.json").is_refused(
        "--max-tlp", "the outlook rests on 2 entries marked above TLP:GREEN", "--without-above"
    )
    assert not Path("out.json").exists()
    marked("evidence", "--max-tlp", "amber").is_refused("the list holds one entry marked above TLP:AMBER")
    assert marked.done("export", "--max-tlp", "red").json["tlp"] == "red"


def test_the_document_says_its_mark_and_what_is_not_in_it(marked: Commands) -> None:
    result = marked.done("export", *BELOW)
    assert result.err == f"note: {GAP}\n"
    assert (result.json["tlp"], result.json["study"]["tlp"]) == ("green", "clear")
    assert result.json["without"] == ["above:green"]
    assert [item["note"] for item in result.json["evidence"]] == ["note clear", "note green"]
    assert [item.get("attachments") for item in result.json["evidence"]] == [None, ["page.txt"]]
    Draft202012Validator(outlook_schema()).validate(result.json)


def test_the_page_says_it_on_top(marked: Commands) -> None:
    page = marked.done("export", "--format", "markdown", *BELOW).out
    assert page.startswith(f"# The port\n\nTLP:GREEN\n\n**Left out:** {GAP}\n")
    whole = marked.done("export", "--format", "markdown").out
    assert whole.startswith("# The port\n\nTLP:RED\n")
    assert "Left out:" not in whole


def test_a_list_says_it_beside_itself(marked: Commands) -> None:
    result = marked.done("export", "--format", "csv", *BELOW)
    assert GAP not in result.out
    note, *flags, head = result.err.splitlines()
    assert note == f"note: {GAP}"
    assert head.startswith("ledger ")
    assert all(line.startswith("flag: ") for line in flags)


def test_a_chart_says_it_in_its_head(marked: Commands) -> None:
    marked.done("chart", "timeline", "-o", "chart.json", *BELOW)
    assert f"TLP:GREEN. {GAP}" in Path("chart.json").read_text()
    marked.done("chart", "timeline", "-o", "whole.json")
    assert "TLP:RED" in Path("whole.json").read_text()


def test_a_screen_says_it_too(marked: Commands) -> None:
    status = marked.done("status", *BELOW)
    assert "without above:green" in status.out
    assert "TLP:GREEN" in status.out.splitlines()
    assert "without above:green" in marked.done("explain", *BELOW).out
    assert marked.done("watch", "--json", *BELOW).json["without"] == ["above:green"]
    shown = marked.done("evidence", *BELOW)
    assert "note green" in shown.out
    assert "note amber" not in shown.out


def test_the_levels_and_the_pair_of_options_are_checked(marked: Commands) -> None:
    marked("status", "--max-tlp", "purple").is_refused("--max-tlp", "'purple' is not one of")
    for command in ("status", "evidence", "export"):
        marked(command, "--without-above").is_refused("--without-above goes with --max-tlp")


def test_for_an_audience_no_other_study_is_named(marked: Commands) -> None:
    Path("other.yaml").write_text(STUDY.replace("study: port", "study: secret-port"))
    marked.done("study", "add", "other.yaml")
    for options in ((), ("--study", "secret-por")):
        refused = marked("status", "--max-tlp", "clear", *options)
        refused.is_refused("--study", "see `forecast study list`")
        assert "secret-port" not in refused.err
        assert "secret-port" in marked("status", *options).err


def test_help_shows_how() -> None:
    found = dict(commands_of(cli))
    assert "--max-tlp green --without-above" in str(found["export"].epilog)
    assert "--attach page.pdf" in str(found["log"].epilog)
