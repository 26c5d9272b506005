"""The command line as people and scripts meet it: exit codes, streams, refusals, and that it says what it does.

Nearly all of it runs in this process. What only a process of its own can show (a closed pipe, a terminal that cannot
show a sign, what a start imports) has a few of those.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from forecast.cli.main import cli, run
from forecast.display import percent
from forecast.export.json_export import outlook_schema
from indicators.clock import today, utc_now
from indicators.errors import WatchfloorError
from indicators.ledger_sqlite import open_ledger
from tests.small import STUDY
from tests.strategies import AWKWARD

DB = "forecast.db"
FULL_HEAD = 64


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def errors(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.startswith("error: ")]


Forecast = Callable[..., Result]


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder with the small study and a few entries, and one with the worked case; to be copied."""
    folders = {name: tmp_path_factory.mktemp(name) for name in ("small", "japan")}
    small = folders["small"]
    (small / "port.yaml").write_text(STUDY)
    for arguments in (
        ["study", "add", "port.yaml"],
        ["log", "mood", "--state", "calm", "--on", "2024-02-01", "--source", "Wire", "--origin", "o1", "--ref", "A"],
        ["log", "mood", "--state", "hostile", "--on", "2024-03-01", "--source", "Paper", "--grade", "C3"],
        ["log", "talks", "--count", "2", "--on", "2024-03-05", "--source", "Wire"],
        ["log", "ballot", "--on", "2024-04-01", "--event", "vote"],
        ["cover", "talks", "--from", "2024-04-01", "--to", "2024-06-30", "--detect", "0.9", "--note", "read daily"],
        ["log", "wait", "--value", "22.5", "--on", "2024-05-01", "--note", "été 日本"],
    ):
        assert quietly(small, arguments).code == 0
    assert quietly(folders["japan"], ["init", ".", "--case", "japan-sar"]).code == 0
    return folders


def quietly(folder: Path, arguments: Sequence[str]) -> Result:
    """A command run in a folder, outside of pytest's own capturing."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), our_environment():
        code = run(arguments)
    return Result(code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def our_environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORECAST_AUTHOR", "ana")
        patch.delenv("FORECAST_LEDGER", raising=False)
        yield


@pytest.fixture(autouse=True)
def _own_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("FORECAST_LEDGER", "FORECAST_DEBUG", "_FORECAST_COMPLETE", "COMP_WORDS", "COMP_CWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FORECAST_AUTHOR", "ana")


@pytest.fixture
def forecast(capsys: pytest.CaptureFixture[str]) -> Forecast:
    """The command, in an empty folder."""

    def call(*arguments: str) -> Result:
        capsys.readouterr()
        code = run(list(arguments))
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return Result(code, said.out, said.err)

    return call


@pytest.fixture
def small(forecast: Forecast, templates: dict[str, Path], tmp_path: Path) -> Forecast:
    """The command, in a folder with the small study: e2 and e3 mood, e4 talks, e5 ballot, e6 coverage, e7 wait."""
    shutil.copytree(templates["small"], tmp_path, dirs_exist_ok=True)
    return forecast


@pytest.fixture
def japan(forecast: Forecast, templates: dict[str, Path], tmp_path: Path) -> Forecast:
    """The command, in a folder with the worked case."""
    shutil.copytree(templates["japan"], tmp_path, dirs_exist_ok=True)
    return forecast


def entries(path: Path | str = DB) -> int:
    """How many entries a ledger has."""
    with open_ledger(Path(path), clock=utc_now) as ledger:
        return ledger.head().entries


def done(result: Result) -> Result:
    """The result of a command that has to be done."""
    assert result.code == 0, result.err
    return result


def every_command(
    group: click.Group = cli, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from every_command(command, (*path, name))


COMMANDS = dict(every_command())
NAMES = [" ".join(path) for path in COMMANDS]


# Help


def test_the_commands_of_this_version_are_there() -> None:
    promised = {"init", "demo", "study", "log", "cover", "amend", "retract", "evidence", "import", "status", "explain"}
    assert promised | {"export", "verify"} <= set(NAMES)
    assert {f"study {name}" for name in ("add", "check", "list", "show", "history")} <= set(NAMES)


@pytest.mark.parametrize("option", ["--help", "-h"])
@pytest.mark.parametrize("name", ["", *NAMES])
def test_every_command_explains_itself_with_an_example(forecast: Forecast, name: str, option: str) -> None:
    result = done(forecast(*name.split(), option))
    assert result.out.startswith(f"Usage: forecast {name}".rstrip())
    assert f"Example: forecast {name}".rstrip() in result.out or "$(forecast completion" in result.out
    assert result.err == ""
    assert max(map(len, result.out.splitlines())) <= 100


@pytest.mark.parametrize("name", NAMES)
def test_every_option_says_what_it_is_for(name: str) -> None:
    for parameter in COMMANDS[tuple(name.split())].params:
        if isinstance(parameter, click.Option):
            assert parameter.help and parameter.help.endswith("."), (name, parameter.name)


def test_the_examples_name_options_that_there_are() -> None:
    for path, command in COMMANDS.items():
        words = (command.epilog or "").partition(f"forecast {' '.join(path)}")[2].partition("&&")[0].split()
        options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= options, path


def test_the_version(forecast: Forecast) -> None:
    assert done(forecast("--version")).out.startswith("forecast, version ")


@pytest.mark.parametrize(("arguments", "where"), [((), "forecast"), (("study",), "forecast study")])
def test_without_a_command_the_help_goes_to_stderr(forecast: Forecast, arguments: tuple[str, ...], where: str) -> None:
    result = forecast(*arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"Usage: {where} ")
    assert "Commands:" in result.err
    assert result.err.splitlines()[-1] == f"error: {where}: no command is given; see `{where} --help`"


# Refusals


MISTAKES: dict[str, tuple[str, str]] = {
    # The command line itself
    "command": ("lgo", 'forecast: no command "lgo"; did you mean "log"?'),
    "command, far off": ("xyzzy", 'forecast: no command "xyzzy"; one of: init, demo, study'),
    "command in capitals": ("STATUS", 'forecast: no command "STATUS"; one of:'),
    "subcommand": ("study chek", 'forecast study: no command "chek"; did you mean "check"?'),
    "option": ("status --as-off x", "forecast status: No such option '--as-off'; did you mean '--as-of'?"),
    "option, far off": ("status --xyzzy", "forecast status: No such option '--xyzzy'; see `forecast status --help`"),
    "option before the command": ("--ledgr x status", "forecast: No such option '--ledgr'; did you mean '--ledger'?"),
    "option without its value": ("status --as-of", "forecast: Option '--as-of' requires an argument"),
    "option that takes none": ("status --json=1", "forecast: Option '--json' does not take a value"),
    "choice": ("export --format xml", "forecast export: Invalid value for '--format': 'xml' is not one of 'json'"),
    "too many arguments": ("status now", "forecast status: Got unexpected extra argument (now); see"),
    "argument missing": ("log", "forecast log: Missing argument 'INDICATOR'; see `forecast log --help`"),
    "why missing": ("retract e2", "forecast retract: Missing option '--why'; see"),
    "shell": ("completion tcsh", "forecast completion: Invalid value for"),
    # Names
    "indicator": ("log moood", 'INDICATOR: no indicator "moood" in the study; did you mean "mood"?'),
    "indicator, far off": ("log xyzzy", 'INDICATOR: no indicator "xyzzy" in the study; one of: mood, press, talks'),
    "indicator retired": ("log gone --state no --on 2024-02-01", 'INDICATOR: indicator "gone" is retired; take it up'),
    "indicator to cover": (
        "cover talk --from 2024-02-01 --to 2024-02-02",
        'INDICATOR: no indicator "talk" in the study; did you mean "talks"?',
    ),
    "indicator of a list": (
        "evidence --indicator moood",
        '--indicator: no indicator "moood" in the study; did you mean "mood"?',
    ),
    "state": ("log mood --state clam --on 2024-02-01", '--state: "mood" has no state "clam"; did you mean "calm"?'),
    "scenario": ("explain --scenario settle", '--scenario: no scenario "settle" in the study; did you mean "settled"?'),
    "scenario in JSON": ("explain --scenario settle --json", '--scenario: no scenario "settle" in the study'),
    "entry": ("retract e22 --why x", 'e22: there is no such report or coverage in the study; did you mean "e2"?'),
    "entry to amend": ("amend 2 --grade B2", '2: there is no such report or coverage in the study; did you mean "e2"?'),
    "entry of a study": ("amend e1 --grade B2", "e1: there is no such report or coverage in the study; one of: e2"),
    "study": ("status --study prot", '--study: no study "prot" in the ledger; did you mean "port"?'),
    "study before the command": ("--study prot status", '--study: no study "prot" in the ledger; did you mean "port"?'),
    "study to show": ("study show prot", '--study: no study "prot" in the ledger; did you mean "port"?'),
    "study to list": ("study list --study prot", '--study: no study "prot" in the ledger; did you mean "port"?'),
    "study of a file": (
        "--study quay study add port.yaml",
        'forecast study add: port.yaml is the study "port", not "quay"',
    ),
    "source to leave out": (
        "status --without source:Wir",
        '--without: no source "Wir" in the study; did you mean "Wire"?',
    ),
    "kind to leave out": (
        "export --without grade:B2",
        '--without: "grade:B2" names nothing to leave out; write source:NAME',
    ),
    "nothing of a list": ("evidence --without entry:e99", '--without: no entry "e99" in the study; '),
    "table": ("export --format csv --table timelin", '--table: an outlook has no table "timelin"; '),
    "table of JSON": ("export --table timeline", "forecast export: --table goes with --format csv or parquet; see"),
    "case": ("init x --case japan", '--case: no case "japan"; did you mean "japan-sar"?'),
    # Days and moments
    "as-of": ("status --as-of tomorrow", '--as-of: "tomorrow" is not a day; write it as YYYY-MM-DD'),
    "as-of empty": ("status --as-of ''", '--as-of: "" is not a day'),
    "as-of in the future": ("status --as-of 2999-01-01", "--as-of: 2999-01-01 lies in the future"),
    "as-of before": (
        "status --as-of 2023-12-31",
        "--as-of: 2023-12-31 lies outside the study, which runs from 2024-01-01 to 2024-12-31",
    ),
    "as-of after": ("export --as-of 2025-01-01", "--as-of: 2025-01-01 lies outside the study"),
    "as-of of a list": ("evidence --as-of 2999-01-01", "--as-of: 2999-01-01 lies in the future"),
    "known-at": ("status --known-at noon", '--known-at: "noon" is not a moment; write 2025-04-22T13:30:00Z'),
    "known-at without a zone": (
        "status --known-at 2026-01-01T12:00:00",
        '--known-at: "2026-01-01T12:00:00" is not a moment',
    ),
    "known-at in the future": ("status --known-at 2999-01-01", "--known-at: 2999-01-01 lies in the future"),
    "known-at before all": (
        "status --known-at 2020-01-01",
        "--known-at: the ledger held no study then; give a later moment",
    ),
    "since": ("explain --since spring", '--since: "spring" is not a day'),
    "since empty": ("explain --since ''", '--since: "" is not a day'),
    "since before": ("explain --since 2023-06-01", "--since: 2023-06-01 lies outside 2024-01-01 to 2024-12-31"),
    "since after as-of": (
        "explain --since 2024-06-01 --as-of 2024-05-01",
        "--since: 2024-06-01 lies outside 2024-01-01 to 2024-05-01",
    ),
    "from of a list": ("evidence --from x", '--from: "x" is not a day'),
    "to of a list": ("evidence --to x", '--to: "x" is not a day'),
    "span of a list": (
        "evidence --from 2024-03-01 --to 2024-02-01",
        "--to: the list ends on 2024-02-01, before it starts on 2024-03-01; give",
    ),
    "source of a list": ("evidence --source Wira", '--source: no source "Wira" in the study; did you mean "Wire"?'),
    "the future": ("log mood --state calm --on 2999-01-01", "--on: 2999-01-01 lies in the future"),
    "before opens": (
        "log mood --state calm --on 2023-12-31",
        "--on: 2023-12-31 lies before the study opens on 2024-01-01",
    ),
    "after the horizon": (
        "log mood --state calm --on 2025-01-01",
        "--on: 2025-01-01 lies after the study's horizon 2024-12-31",
    ),
    "span after the horizon": ("log talks --from 2024-12-01 --to 2025-01-01", "--to: 2025-01-01 lies after"),
    "coverage backwards": ("cover mood --from 2024-02-02 --to 2024-02-01", "--to: the span ends on 2024-02-01, before"),
    # Values
    "grade": ("log mood --state calm --on 2024-02-01 --grade b2", '--grade: "b2" is not a grade; write a letter A-F'),
    "tlp": (
        "log mood --state calm --on 2024-02-01 --tlp ambr",
        '--tlp: "ambr" is not a TLP level; did you mean "amber"?',
    ),
    "count": ("log talks --on 2024-02-01 --count many", '--count: "many" is not a count; give a whole number'),
    "value": (
        "log wait --on 2024-02-01 --value 0,6",
        '--value: "0,6" is not a number; give a number with a decimal point',
    ),
    "value of a state": (
        "log mood --state calm --on 2024-02-01 --value 1",
        '--value: "mood" is a state indicator and takes no value',
    ),
    "value missing": ("log wait --on 2024-02-01", '--value: a report on "wait" needs a value; give value, a number'),
    "detect": ("cover mood --from 2024-02-01 --to 2024-02-02 --detect 2", '--detect: "2" is not a chance of detection'),
    "escape": (
        "log mood --state calm --on 2024-02-01 --note '\x1b[2J'",
        "--note: the text has the control character U+001B",
    ),
    "undecodable": (
        "log mood --state calm --on 2024-02-01 --note '\udcff'",
        "--note: the text has the control character U+DCFF",
    ),
    "author": (
        "log mood --state calm --on 2024-02-01 --author 'a\x07'",
        "--author: the text has the control character U+0007",
    ),
    "why": ("retract e2 --why 'a\x07'", "--why: the text has the control character U+0007"),
    "why empty": ("retract e2 --why ' '", "--why: a retraction needs its reason"),
    "why of an amendment": ("amend e2 --grade B1 --why '\x1b'", "--why: the text has the control character U+001B"),
    # The log as it stands
    "second milestone": (
        "log ballot --on 2024-05-01",
        '--event: the milestone "ballot" has happened already, by e5 on 2024-04-01; log it with event vote',
    ),
    "span over coverage": ("log talks --from 2024-06-01 --to 2024-07-31", "--from: the span overlaps the coverage e6"),
    "ref taken": (
        "log mood --state calm --on 2024-02-01 --ref A",
        '--ref: the ref "A" is taken by e2; amend that entry',
    ),
    "nothing to amend": ("amend e2", "e2: it says so already; name a field to change"),
    "silence that counts anyway": (
        "cover ballot --from 2024-02-01 --to 2024-02-02",
        'INDICATOR: "ballot" says silence: always',
    ),
    "file and span": ("cover talks --file x.csv", "forecast cover: --file takes neither an indicator nor --from"),
    # Files
    "no such file": ("import nowhere.csv", "nowhere.csv: No such file or directory; look at the path"),
    "no such study file": ("study check nowhere.yaml", "nowhere.yaml: No such file or directory"),
    "no such file of coverage": ("cover --file nowhere.csv", "nowhere.csv: No such file or directory"),
    "a folder": ("import .", "forecast import: Invalid value for 'FILES...': File '.' is a directory; see"),
    "ending": ("import port.yaml", "port.yaml: the ending names no format of reports; give a .csv, "),
    "no such folder": ("export nowhere/x.json", "nowhere/x.json: No such file or directory"),
    "over the ledger": (
        "export forecast.db",
        "forecast.db: this is the ledger itself; nothing was written; name another file",
    ),
    "no such ledger": (
        "--ledger nowhere.db status",
        "nowhere.db: there is no ledger here; make one with forecast init",
    ),
    "no ledger": ("status --ledger port.yaml", "port.yaml: this is not a ledger; name another file"),
    "a folder for a ledger": ("status --ledger .", ".: this is not a ledger"),
    "no name for a ledger": ("status --ledger ''", ".: this is not a ledger"),
    "init over another file": ("init x --ledger port.yaml", "port.yaml: this is not a ledger"),
    "init under a file": ("init port.yaml", "forecast init: Invalid value for"),
}


@pytest.mark.parametrize(("arguments", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_in_one_line_with_its_mend_and_nothing_is_written(
    small: Forecast, tmp_path: Path, arguments: str, words: str
) -> None:
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    result = small(*shlex.split(arguments))
    assert (result.code, result.out) == (2, "")
    (line,) = result.err.splitlines()
    assert line.startswith(f"error: {words}")
    assert "; " in line and line.isprintable()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == files


def test_every_fault_of_one_command_has_its_line(small: Forecast) -> None:
    result = small("log", "mood", "--on", "x", "--grade", "x", "--tlp", "x", "--count", "x")
    assert result.code == 2
    assert [line.split(": ")[1] for line in result.err.splitlines()] == ["--count", "--grade", "--on", "--tlp"]


def test_without_a_ledger_the_way_to_one_is_told(forecast: Forecast, tmp_path: Path) -> None:
    for arguments in (["status"], ["log", "x"], ["study", "list"], ["verify"], ["evidence"]):
        result = forecast(*arguments)
        assert result.code == 2
        assert (
            result.err
            == f"error: {tmp_path}: no forecast.db here or in a parent folder; make one with `forecast init`\n"
        )


def test_without_a_study_the_way_to_one_is_told(forecast: Forecast) -> None:
    done(forecast("init"))
    result = forecast("status")
    assert result.err == "error: the ledger: it holds no study; record one with `forecast study add FILE`\n"
    assert "no studies yet" in done(forecast("study", "list")).out
    assert done(forecast("study", "list", "--json")).json == []


def test_a_failure_of_the_program_is_one_line_and_no_traceback(
    small: Forecast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("deep\nwithin")

    monkeypatch.setattr("forecast.reading.Reading.outlook", fail)
    result = small("status")
    assert (result.code, result.out) == (2, "")
    assert result.err == (
        "error: forecast: a fault of this program (ZeroDivisionError: deep within); "
        "please report it, with what FORECAST_DEBUG=1 shows\n"
    )


def test_a_debugger_may_see_the_traceback(
    small: Forecast, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("forecast.reading.Reading.outlook", lambda *_, **__: 1 / 0)
    monkeypatch.setenv("FORECAST_DEBUG", "1")
    assert run(["status"]) == 2
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("stop", [KeyboardInterrupt, click.Abort])
def test_a_stop_is_told_without_a_traceback(
    small: Forecast, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException]
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise stop

    monkeypatch.setattr("forecast.reading.Reading.outlook", interrupt)
    result = small("status")
    assert (result.code, result.out, result.err.strip()) == (2, "", "stopped; nothing more was written")


def test_what_a_terminal_would_obey_is_written_out(small: Forecast, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("indicator,\x1b[2Jnote,\u202e\nmood,a,b\n")
    result = small("import", "a.csv")
    assert result.code == 2
    assert result.err.replace("\n", "").isprintable()
    assert r'no field "\x1b[2Jnote"' in result.err


def test_a_long_mistake_is_cut(small: Forecast) -> None:
    result = small("log", "mood", "--state", "x" * 9_000, "--on", "2024-02-01")
    assert result.code == 2
    assert len(result.err) < 1_100


# Logging and correcting


def test_log_shows_what_status_says_before_and_after(small: Forecast) -> None:
    def now() -> dict[str, float]:
        return {s["id"]: s["probability"] for s in done(small("status", "--json")).json["scenarios"]}

    before = now()
    told = done(small("log", "mood", "--state", "tense", "--on", "2024-06-01", "--grade", "B2", "--json")).json
    assert told["before"] == before
    assert told["after"] == now()
    assert told["before"] != told["after"]
    assert (told["entry"], told["grade"], told["weight"]) == ("e8", "B2", 0.75)
    assert len(told["hash"]) == FULL_HEAD
    assert done(small("verify", "--head", told["hash"])).code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["mood", "--state", "tense", "--on", "2024-02-15"],
        ["press", "--state", "loud", "--on", "2024-03-01"],
        ["talks", "--count", "3", "--from", "2024-01-01", "--to", "2024-01-31"],
        ["raids", "--on", "2024-12-31"],
        ["treaty", "--on", "2024-01-01"],
        ["ballot", "--on", "2024-05-01", "--event", "vote", "--source", "Wire"],
        ["wait", "--value", "-1e15", "--on", "2024-05-02"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_before_and_after_agree_with_status_for_every_kind(small: Forecast, arguments: list[str]) -> None:
    told = done(small("log", *arguments, "--json")).json
    now = {s["id"]: s["probability"] for s in done(small("status", "--json")).json["scenarios"]}
    assert told["after"] == pytest.approx(now, abs=1e-12)
    done(small("retract", told["entry"], "--why", "test"))
    before = {s["id"]: s["probability"] for s in done(small("status", "--json")).json["scenarios"]}
    assert told["before"] == pytest.approx(before, abs=1e-12)


def test_log_prints_the_entry_its_weight_and_the_change(small: Forecast) -> None:
    result = done(small("log", "mood", "--state", "calm", "--on", "2024-06-01", "--source", "Wire"))
    first, *rest = result.out.splitlines()
    assert first == "e8  mood on 2024-06-01  grade B2, weight 0.75"
    assert [line.split("  ")[1].strip() for line in rest] == ["Settlement", "Long strike"]
    assert all(" -> " in line and "%" in line for line in rest)
    assert result.err == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["log", "mood", "--state", "hostile", "--on", "2024-12-01"],
        ["amend", "e2", "--state", "hostile"],
        ["retract", "e2", "--why", "a mistake"],
        ["cover", "treaty", "--from", "2024-01-01", "--to", "2024-12-31"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_what_writes_prints_the_probabilities_that_status_has_before_and_after(
    small: Forecast, arguments: list[str]
) -> None:
    def now() -> list[str]:
        return [percent(s["probability"]) for s in done(small("status", "--json")).json["scenarios"]]

    before = now()
    lines = [line.split("%") for line in done(small(*arguments)).out.splitlines() if "->" in line]
    assert [f"{line[0].split()[-1]} %" for line in lines] == before
    assert [f"{line[1].split()[-1]} %" for line in lines] == now() != before


def test_log_notes_a_twin_and_a_copy_on_stderr(small: Forecast) -> None:
    fields = ["--state", "calm", "--on", "2024-02-01", "--source", "Wire", "--origin", "o1"]
    twin = done(small("log", "mood", *fields))
    assert "counts once" in twin.err
    again = done(small("log", "mood", *fields))
    assert again.err == "note: e8 has the same content; if this is the same report, retract one of them\n"


def test_the_author_is_the_option_else_the_environment(small: Forecast, monkeypatch: pytest.MonkeyPatch) -> None:
    log = ["log", "mood", "--state", "calm", "--on", "2024-06-01"]
    for arguments in (["--author", "bo"], [], ["--author", "  "]):
        done(small(*log, *arguments))
    monkeypatch.delenv("FORECAST_AUTHOR")
    monkeypatch.setenv("LOGNAME", "login")
    done(small(*log))
    listed = done(small("evidence", "--json", "--from", "2024-06-01", "--indicator", "mood")).json
    assert [item["recorded_by"] for item in listed] == ["bo", "ana", "ana", "login"]


def test_amend_and_retract_and_the_list_of_what_became_of_it(small: Forecast) -> None:
    for arguments, first in (
        (
            ["amend", "e2", "--grade", "C3", "--origin", "", "--why", "withdrawn"],
            "e8  amends e2: grade C3, origin taken out",
        ),
        (["amend", "e6", "--detect", "0.5"], "e9  amends e6: detect 0.5"),
        (["retract", "e3", "--why", "logged twice"], "e10  retracts e3"),
    ):
        assert done(small(*arguments)).out.splitlines()[0] == first
    listed = {item["entry"]: item for item in done(small("evidence", "--json", "--corrected")).json}
    assert list(listed) == ["e2", "e3", "e6"]
    assert (listed["e2"]["grade"], "origin" in listed["e2"], listed["e2"]["retracted"]) == ("C3", False, False)
    (correction,) = listed["e2"]["corrections"]
    assert (correction["entry"], correction["kind"], correction["why"]) == ("e8", "amend", "withdrawn")
    assert correction["set"] == {"grade": "C3", "origin": None}
    assert listed["e3"]["retracted"]
    assert listed["e3"]["corrections"][0]["why"] == "logged twice"
    live = [item["entry"] for item in done(small("evidence", "--json", "--live")).json]
    assert live == ["e2", "e4", "e5", "e6", "e7"]
    table = done(small("evidence")).out
    assert "retracted" in table and "amended" in table


EVIDENCE_FILTERS = {
    "all": ([], ["e2", "e3", "e4", "e5", "e6", "e7"]),
    "indicator": (["--indicator", "mood"], ["e2", "e3"]),
    "source": (["--source", "Wire"], ["e2", "e4"]),
    "from": (["--from", "2024-03-05"], ["e4", "e5", "e6", "e7"]),
    "to": (["--to", "2024-03-01"], ["e2", "e3"]),
    "span": (["--from", "2024-03-01", "--to", "2024-03-05"], ["e3", "e4"]),
    "as-of": (["--as-of", "2024-03-05"], ["e2", "e3", "e4"]),
    "as-of and to": (["--as-of", "2024-03-05", "--to", "2024-03-01"], ["e2", "e3"]),
    "without a source": (["--without", "source:Wire"], ["e3", "e5", "e6", "e7"]),
    "without two": (["--without", "source:Wire", "--without", "indicator:talks"], ["e3", "e5", "e7"]),
    "indicator and source": (["--indicator", "mood", "--source", "Paper"], ["e3"]),
    "corrected": (["--corrected"], []),
}


@pytest.mark.parametrize(("arguments", "expected"), EVIDENCE_FILTERS.values(), ids=EVIDENCE_FILTERS)
def test_evidence_is_filtered(small: Forecast, arguments: list[str], expected: list[str]) -> None:
    assert [item["entry"] for item in done(small("evidence", "--json", *arguments)).json] == expected
    table = done(small("evidence", *arguments))
    assert [line.split()[0] for line in table.out.splitlines()[2:] if line.startswith("e")] == expected
    assert table.err == (f"{len(expected)} entries\n" if len(expected) != 1 else "1 entry\n")


def test_evidence_keeps_texts_to_the_letter(small: Forecast) -> None:
    assert done(small("evidence", "--json", "--indicator", "wait")).json[0]["note"] == "été 日本"


REPORTS = "indicator,observed,state,count,ref,note\nmood,2024-06-01,calm,,R1,one\ntalks,2024-07-05,,2,R2,two\n"


def test_import_twice(small: Forecast, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(REPORTS)
    (tmp_path / "b.jsonl").write_text('{"indicator": "wait", "observed": "2024-06-02", "value": 30}\n')
    assert (
        done(small("import", "a.csv", "b.jsonl")).out == "3 reports written (e8 to e10), 0 skipped as already there\n"
    )
    assert done(small("import", "a.csv", "b.jsonl")).out == "0 reports written, 3 skipped as already there\n"
    (tmp_path / "a.csv").write_text(REPORTS + "mood,2024-06-03,tense,,R3,\n")
    assert done(small("import", "a.csv", "--json")).json == {"written": 1, "skipped": 2, "entries": ["e11"]}


def test_import_names_every_bad_row_of_every_file_and_writes_nothing(small: Forecast, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(REPORTS)
    (tmp_path / "b.csv").write_text("indicator,observed,state\nmood,x,clam\nmoood,2024-02-01,calm\nmood\n")
    (tmp_path / "c.jsonl").write_text('{"indicator": "mood"}\nnonsense\n')
    result = small("import", "a.csv", "b.csv", "c.jsonl")
    assert (result.code, result.out) == (2, "")
    assert [line.removeprefix("error: ").split(";")[0] for line in result.err.splitlines()] == [
        'b.csv:2: observed: "x" is not a day',
        'b.csv:3: indicator: no indicator "moood" in the study',
        "b.csv:4: the row has 1 cells, the header 3",
        "c.jsonl:1: observed: the day is missing",
        'c.jsonl:1: state: a report on "mood" needs a state',
        "c.jsonl:2:1: not JSON (Expecting value)",
    ]
    assert entries() == 7


def test_coverage_from_a_file(small: Forecast, tmp_path: Path) -> None:
    (tmp_path / "spans.csv").write_text(
        "indicator,from,to,detect,note\ntreaty,2024-01-01,2024-02-01,,\ntalks,2024-01-01,2024-02-01,0.5,n\n"
    )
    assert done(small("cover", "--file", "spans.csv")).out.splitlines()[0] == "2 spans recorded"
    again = done(small("cover", "--file", "spans.csv", "--json")).json
    assert (again["entries"], again["skipped"]) == ([], 2)
    done(small("amend", "e8", "--detect", "0.5"))
    again = done(small("cover", "--file", "spans.csv", "--json")).json
    assert (again["entries"], again["skipped"]) == ([], 2)
    one = done(small("cover", "mood", "--from", "2024-01-01", "--to", "2024-01-02"))
    assert one.out.splitlines()[0] == "e11 recorded"


def test_a_file_that_never_ends_is_refused(small: Forecast, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("forecast.cli.options.LARGEST_FILE", 1_000_000)
    (tmp_path / "a.csv").write_bytes(b"x" * 1_000_001)
    for arguments in (
        ["cover", "--file", "a.csv"],
        ["study", "check", "a.csv"],
        ["study", "add", "a.csv"],
    ):
        result = small(*arguments)
        assert (result.code, result.err) == (
            2,
            "error: a.csv: the file has more than 1 MB; hand it in in several parts\n",
        )


# JSON


JSON_COMMANDS = [
    ["status"], ["explain"], ["explain", "--since", "2024-03-01"], ["evidence"], ["verify"], ["study", "list"],
    ["study", "show"], ["study", "history"], ["study", "check", "port.yaml"],
    ["log", "mood", "--state", "calm", "--on", "2024-06-01"],
    ["cover", "mood", "--from", "2024-06-01", "--to", "2024-06-02"],
]  # fmt: skip


@pytest.mark.parametrize("arguments", JSON_COMMANDS, ids=" ".join)
def test_json_is_all_that_goes_to_stdout(small: Forecast, arguments: list[str]) -> None:
    result = done(small(*arguments, "--json"))
    assert isinstance(result.json, dict | list)
    assert "NaN" not in result.out and "Infinity" not in result.out
    assert result.out.count("\n") == 1


def test_every_command_with_a_table_has_json() -> None:
    tables = ["status", "explain", "evidence", "verify", "import", "log", "cover"]
    for name in (*tables, "study list", "study show", "study history", "study check"):
        assert any("--json" in p.opts for p in COMMANDS[tuple(name.split())].params), name


# Reading


def test_status_names_everything_a_reader_needs(small: Forecast) -> None:
    text = done(small("status")).out
    for words in (
        "The port",
        "as of 2024-12-31, 5 reports",
        "Settlement",
        "Long strike",
        "overdue",
        "moved most",
        "ledger 7:",
    ):
        assert words in text
    for indicator in ("mood", "press", "talks", "raids", "treaty", "ballot", "wait"):
        assert f"\n{indicator} " in text
    assert max(map(len, text.splitlines())) <= 140


def test_status_as_json_agrees_with_the_export(small: Forecast) -> None:
    status, whole = done(small("status", "--json")).json, done(small("export")).json
    for name in ("study", "as_of", "ledger", "scenarios", "indicators", "flags"):
        assert status[name] == whole[name], name
    assert [item["entry"] for item in status["moved"]] == ["e5", "e4", "e3"] or len(status["moved"]) == 3


def test_the_two_clocks(small: Forecast) -> None:
    early = done(small("status", "--json", "--as-of", "2024-02-15")).json
    assert early["as_of"] == "2024-02-15"
    moments = [item["recorded_at"] for item in done(small("evidence", "--json")).json]
    then = done(small("export", "--known-at", moments[0])).json
    assert [item["entry"] for item in then["evidence"]] == ["e2"]
    assert then["ledger"]["entries"] == 2
    assert then["known_at"] == moments[0]
    again = done(small("export", "--known-at", moments[0])).json
    assert then == again
    assert done(small("status", "--known-at", today().isoformat(), "--json")).json["ledger"]["entries"] == 7


def test_without_is_told_in_every_output(small: Forecast) -> None:
    left_out = ["--without", "source:Wire"]
    assert "without source:Wire" in done(small("status", *left_out)).out
    assert done(small("status", "--json", *left_out)).json["without"] == ["source:Wire"]
    assert done(small("explain", "--json", *left_out)).json["without"] == ["source:Wire"]
    assert "without source:Wire" in done(small("explain", *left_out)).out
    assert done(small("export", *left_out)).json["without"] == ["source:Wire"]
    assert "source:Wire" in done(small("export", "--format", "markdown", *left_out)).out


def odds(p: float) -> float:
    return math.log(p) - math.log1p(-p)


@pytest.mark.parametrize("since", [None, "2023-12-31", "2024-01-01", "2024-03-01", "2024-12-30", "2024-12-31"])
@pytest.mark.parametrize("left_out", [[], ["--without", "indicator:ballot"]], ids=["all", "without"])
def test_the_rows_of_an_explanation_add_up_to_the_whole_move(
    small: Forecast, since: str | None, left_out: list[str]
) -> None:
    told = done(small("explain", "--json", *left_out, *([] if since is None else ["--since", since]))).json
    for scenario in ("settled", "strike"):
        moved = sum(row["log_odds"][scenario] for row in told["rows"])
        assert odds(told["from"][scenario]) + moved == pytest.approx(odds(told["to"][scenario]), abs=1e-9)
        decibans = sum(row["decibans"][scenario] for row in told["rows"])
        assert decibans == pytest.approx(moved * 10 / math.log(10), abs=1e-9)
    if since in (None, "2023-12-31"):
        assert told["from"] == {"settled": 0.6, "strike": 0.4}


def test_an_explanation_for_people(small: Forecast) -> None:
    text = done(small("explain", "--scenario", "strike")).out
    assert text.startswith("Long strike: 40.0 % -> ")
    assert "silence of raids" in text and "e5" in text and "sum" in text
    before = done(small("explain", "--scenario", "strike", "--since", "2023-12-31")).out
    assert before.splitlines()[0] == text.splitlines()[0]


def test_smaller_reports_are_put_together_unless_all_are_asked_for(japan: Forecast) -> None:
    short, whole = (
        done(japan("explain", "--as-of", "2026-06-07")).out,
        done(japan("explain", "--as-of", "2026-06-07", "--all")).out,
    )
    assert "smaller reports" in short and "smaller reports" not in whole
    assert whole.count("\n") > short.count("\n") + 40
    sums = [[line.split() for line in out.splitlines() if line.split()[:1] == ["sum"]] for out in (short, whole)]
    assert sums[0] == sums[1] != []


@pytest.mark.parametrize("count", ["0", "1000000000", "1000000000000"])
@pytest.mark.parametrize(
    "arguments", [["status"], ["status", "--json"], ["explain"], ["export"], ["watch"]], ids=" ".join
)
def test_a_scenario_that_is_all_but_ruled_out_makes_no_noise(small: Forecast, count: str, arguments: list[str]) -> None:
    done(small("log", "talks", "--count", count, "--on", "2024-02-05", "--grade", "B2"))
    result = done(small(*arguments))
    assert result.err == ""
    assert "nan" not in result.out.lower()


def test_a_study_that_has_not_opened_shows_its_priors(forecast: Forecast, tmp_path: Path) -> None:
    (tmp_path / "later.yaml").write_text(STUDY.replace("2024-01-01", "2199-01-01").replace("2024-12-31", "2199-12-31"))
    done(forecast("study", "add", "later.yaml"))
    told = done(forecast("status", "--json")).json
    assert told["as_of"] == "2199-01-01"
    assert forecast("log", "mood", "--state", "calm", "--on", "2199-01-01").code == 2
    assert entries() == 1


# Studies


def test_study_check_names_every_fault_and_leaves_with_one(forecast: Forecast, tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(STUDY)
    (tmp_path / "bad.yaml").write_text(STUDY.replace("prior: 0.4", "prior: 0.5").replace("kind: count", "kind: cuont"))
    good, bad = forecast("study", "check", "good.yaml"), forecast("study", "check", "bad.yaml")
    assert (good.code, good.out, good.err) == (0, "good.yaml: sound\n", "")
    assert bad.code == 1
    assert len(bad.out.splitlines()) >= 2
    assert all(line.startswith("bad.yaml:") and "; " in line for line in bad.out.splitlines())
    told = forecast("study", "check", "bad.yaml", "--json")
    assert told.code == 1
    faults = told.json["faults"]
    assert len(faults) == len(bad.out.splitlines())
    assert all(fault["line"] > 0 and fault["column"] > 0 and fault["mend"] for fault in faults)
    assert done(forecast("study", "check", "good.yaml", "--json")).json == {"faults": []}


def test_study_add_refuses_a_bad_file_with_every_fault_and_makes_no_ledger(forecast: Forecast, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(STUDY.replace("prior: 0.4", "prior: 0.5").replace("kind: count", "kind: cuont"))
    result = forecast("study", "add", "bad.yaml")
    assert (result.code, result.out) == (2, "")
    assert len(result.errors) >= 2
    assert not (tmp_path / DB).exists()


def test_study_add_makes_the_ledger_and_says_so_on_stderr(forecast: Forecast, tmp_path: Path) -> None:
    (tmp_path / "port.yaml").write_text(STUDY)
    first = done(forecast("study", "add", "port.yaml"))
    assert (first.out, first.err) == ("e1  port revision 1\n", f"made the ledger {tmp_path / DB}\n")
    again = done(forecast("study", "add", "port.yaml"))
    assert (again.out, again.err) == ("e1  port revision 1 is this file already; nothing was written\n", "")
    (tmp_path / "port.yaml").write_text(STUDY.replace("title: The port", "title: A port"))
    assert done(forecast("study", "add", "port.yaml")).out == "e2  port revision 2\n"


def test_a_revision_that_takes_the_ground_away_is_refused(small: Forecast, tmp_path: Path) -> None:
    text = STUDY.replace("    unit: hours\n", "").replace("  - id: wait", "  - id: waiting")
    (tmp_path / "port.yaml").write_text(text.replace("horizon: 2024-12-31", "horizon: 2024-04-15"))
    result = small("study", "add", "port.yaml")
    assert result.code == 2
    assert result.err.splitlines() == [
        "error: port.yaml: 1 live entries (e7) are dated after its horizon 2024-04-15; "
        "move the horizon, or retract them",
        'error: port.yaml: indicator "wait" has live entries (e7) and may not be dropped; '
        "keep it and mark it retired: true, or retract the entries",
    ]
    assert entries() == 7


def test_study_show_gives_back_the_file_to_the_letter(small: Forecast) -> None:
    assert done(small("study", "show", "--file")).out == STUDY
    assert done(small("study", "show", "port", "--json")).json["study"] == "port"
    text = done(small("study", "show")).out
    assert "The port" in text and "Settlement" in text and "persistence 60 d" in text


def test_a_word_is_shown_under_the_state_it_is_for(small: Forecast) -> None:
    lines = done(small("study", "show")).out.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("gone"))
    header, row = lines[start + 1], lines[start + 3]
    assert row.index("unlikely") >= header.index("no") + len("no")
    assert row.rstrip().endswith("unlikely")
    assert len(row.rstrip()) == len(header.rstrip()), "right under the last state"


def test_study_history_tells_what_changed_and_status_flags_it(small: Forecast, tmp_path: Path) -> None:
    (tmp_path / "port.yaml").write_text(STUDY.replace("settled: [0.6, 0.3, 0.1]", "settled: [0.5, 0.4, 0.1]"))
    done(small("study", "add", "port.yaml"))
    lines = done(small("study", "history")).out.splitlines()
    assert lines[0].startswith("revision 1  e1  ") and lines[0].endswith("  ana")
    assert lines[1] == "  first revision: 2 scenarios, 8 indicators"
    assert lines[2].startswith("revision 2  e8  ")
    assert "[0.6, 0.3, 0.1] -> [0.5, 0.4, 0.1]" in lines[3]
    flag = 'rows of "mood" were changed on'
    assert flag in done(small("status")).out
    assert done(small("status", "--json")).json["flags"][0].startswith(flag)
    assert flag in done(small("export", "--format", "markdown")).out


def test_several_studies_in_one_ledger(small: Forecast, tmp_path: Path) -> None:
    (tmp_path / "quay.yaml").write_text(STUDY.replace("study: port", "study: quay"))
    done(small("study", "add", "quay.yaml"))
    assert small("status").err == "error: --study: the ledger holds 2 studies; name one of: port, quay\n"
    for arguments in (["--study", "quay", "status", "--json"], ["status", "--study", "quay", "--json"]):
        assert done(small(*arguments)).json["study"]["id"] == "quay"
    assert done(small("--study", "port", "status", "--study", "quay", "--json")).json["study"]["id"] == "quay"
    assert [row["study"] for row in done(small("study", "list", "--json")).json] == ["port", "quay"]
    assert [row["study"] for row in done(small("--study", "quay", "study", "list", "--json")).json] == ["quay"]
    assert done(small("--study", "quay", "study", "show", "--json")).json["study"] == "quay"
    assert done(small("study", "history", "quay", "--json")).json[0]["entry"] == "e8"
    assert small("retract", "e2", "--why", "x", "--study", "quay").code == 2


# Exports


def verified(small: Forecast, line: str) -> bool:
    """Whether the head that a line ends with is one of the ledger's."""
    return small("verify", "--head", line.rpartition(":")[2]).code == 0


@pytest.mark.parametrize("form", ["json", "csv", "markdown"])
def test_an_export_to_a_file_is_that_to_stdout(small: Forecast, tmp_path: Path, form: str) -> None:
    moment = done(small("evidence", "--json")).json[-1]["recorded_at"]
    options = ["--format", form, "--known-at", moment]
    printed, written = done(small("export", *options)), done(small("export", "out", *options))
    assert (tmp_path / "out").read_bytes().decode() == printed.out
    beside = printed.err.splitlines()
    assert (written.out, written.err.splitlines()) == ("", ["out written", *beside])
    # The other formats have a place for them.
    assert [line.split()[0] for line in beside] == (["flag:"] * (len(beside) - 1) + ["ledger"] if form == "csv" else [])
    assert not beside or verified(small, beside[-1])
    assert done(small("export", "-", *options)).out == printed.out


def test_the_json_export_is_the_published_format(small: Forecast) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    whole = done(small("export")).json
    assert whole["format"] == "watchfloor.outlook/1"
    jsonschema.validate(whole, outlook_schema())
    assert len(whole["timeline"]) == 366
    assert [item["entry"] for item in whole["contributions"]] == ["e2", "e3", "e4", "e5", "e7"]


@pytest.mark.parametrize("table", ["timeline", "scenarios", "contributions", "indicators", "evidence"])
def test_csv_tables(small: Forecast, table: str) -> None:
    rows = list(csv.reader(io.StringIO(done(small("export", "--format", "csv", "--table", table)).out)))
    assert len(rows) > 1
    assert {len(row) for row in rows} == {len(rows[0])}
    if table == "timeline":
        assert rows == list(csv.reader(io.StringIO(done(small("export", "--format", "csv")).out)))
        assert rows[0][:3] == ["date", "scenario", "probability"]


def test_the_ledger_is_not_written_over_under_any_name(small: Forecast, tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / DB)
    before = (tmp_path / DB).read_bytes()
    for name in (DB, f"./{DB}", str(tmp_path / DB), "link.db"):
        assert "this is the ledger itself" in small("export", name).err
    assert (tmp_path / DB).read_bytes() == before


# Verifying


def tampered(path: Path, statement: str, trigger: str = "entry_is_never_updated") -> None:
    """Change a ledger behind its back and put its trigger back as it was."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        (sql,) = connection.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (trigger,)).fetchone()
        connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute(statement)
        connection.execute(sql)


def test_a_sound_ledger_is_found_sound(small: Forecast) -> None:
    result = done(small("verify"))
    assert result.out.startswith("ok: 7 entries, head 7:")
    told = done(small("verify", "--json")).json
    assert (told["ok"], told["fault"], told["entries"], len(told["head"])) == (True, None, 7, FULL_HEAD)


@pytest.mark.parametrize(
    ("statement", "trigger", "words"),
    [
        (
            "UPDATE entry SET author = 'eve' WHERE seq = 3",
            "entry_is_never_updated",
            "entry 3: its content does not fit",
        ),
        (
            "UPDATE entry SET payload = replace(payload, 'calm', 'hostile') WHERE seq = 2",
            "entry_is_never_updated",
            "entry 2: its content",
        ),
        ("DELETE FROM entry WHERE seq = 4", "entry_is_never_deleted", "entry 4: position 5 stands where 4 should"),
    ],
)
def test_a_change_behind_its_back_is_named_and_leaves_with_one(
    small: Forecast, tmp_path: Path, statement: str, trigger: str, words: str
) -> None:
    tampered(tmp_path / DB, statement, trigger)
    result = small("verify")
    assert result.code == 1
    assert result.out.startswith(words)
    assert result.err == ""
    told = small("verify", "--json")
    assert told.code == 1
    assert (told.json["ok"], told.json["fault"]) == (False, result.out.strip())


def test_a_dropped_trigger_is_found(small: Forecast, tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / DB, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER entry_is_never_deleted")
    result = small("verify")
    assert (result.code, result.out) == (1, 'the trigger "entry_is_never_deleted" is missing\n')


def test_a_head_kept_outside_shows_a_cut_tail(small: Forecast, tmp_path: Path) -> None:
    head = done(small("verify", "--json")).json["head"]
    for given_head in (head, f"7:{head}", head[:12], f"7:{head[:12]}"):
        assert "the head given is entry 7" in done(small("verify", "--head", given_head)).out
    done(small("log", "mood", "--state", "calm", "--on", "2024-06-01"))
    assert "the head given is entry 7" in done(small("verify", "--head", head)).out
    assert done(small("verify", "--head", head, "--json")).json["head_found_at"] == 7
    tampered(tmp_path / DB, "DELETE FROM entry WHERE seq >= 7", "entry_is_never_deleted")
    assert done(small("verify")).out.startswith("ok: 6 entries")
    cut = small("verify", "--head", head)
    assert (cut.code, cut.out) == (1, f"no entry has the head {head}; this ledger was cut, replaced or written anew\n")
    assert small("verify", "--head", head, "--json").json["ok"] is False


@pytest.mark.parametrize("head", ["0" * 64, "f" * 64, "", "7:", "abc", "6:{head}", "{head}0", "{short}"])
def test_what_is_no_head_of_the_ledger_is_answered_with_no(small: Forecast, head: str) -> None:
    own = done(small("verify", "--json")).json["head"]
    result = small("verify", "--head", head.format(head=own, short=own[:8]))
    assert (result.code, result.err) == (1, "")
    assert result.out.startswith("no entry has the head ")


def test_the_head_of_a_ledger_while_it_was_empty_holds(small: Forecast) -> None:
    done(small("verify", "--head", f"0:{'0' * 64}"))


def test_every_head_that_is_printed_can_be_verified(small: Forecast) -> None:
    status = done(small("status")).out
    printed = next(word for line in status.splitlines() for word in line.split() if word.startswith("7:"))
    heads = [
        printed,
        done(small("status", "--json")).json["ledger"]["head"],
        done(small("export")).json["ledger"]["head"],
    ]
    for head in heads:
        assert "the head given is entry 7" in done(small("verify", "--head", head)).out


# Where the ledger is


def test_the_ledger_is_found_as_git_finds_its_repository(
    small: Forecast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deep" / "down").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "down")
    assert done(small("status", "--json")).json["ledger"]["entries"] == 7
    done(small("log", "mood", "--state", "calm", "--on", "2024-06-01"))
    assert entries(tmp_path / DB) == 8
    done(small("init", "."))
    assert small("status").code == 2, "the nearest one counts"


def test_the_ledger_is_named_before_or_after_the_command_or_in_the_environment(
    small: Forecast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    ledger = str(tmp_path / "elsewhere" / "own.db")
    shutil.move(tmp_path / DB, ledger)
    assert small("status").code == 2
    for arguments in (
        ["--ledger", ledger, "status"],
        ["status", "--ledger", ledger],
        ["study", "list", "--ledger", ledger],
    ):
        done(small(*arguments))
    done(small("--ledger", "nowhere.db", "status", "--ledger", ledger))
    monkeypatch.setenv("FORECAST_LEDGER", ledger)
    done(small("status"))
    assert small("status", "--ledger", "nowhere.db").err.startswith("error: nowhere.db: there is no ledger here")
    assert small("--ledger", "nowhere.db", "status").code == 2
    monkeypatch.setenv("FORECAST_LEDGER", "nowhere.db")
    assert small("status").err.startswith("error: nowhere.db: there is no ledger here; make one with forecast init")
    assert done(small("init")).code == 0
    assert done(small("study", "list")).code == 0, "the mend that was named has mended it"


def test_an_empty_variable_is_none(small: Forecast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORECAST_LEDGER", "")
    done(small("status"))


# Setting up


def test_init_writes_a_starter_and_a_ledger_and_says_what_is_next(forecast: Forecast, tmp_path: Path) -> None:
    result = done(forecast("init", "new"))
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "forecast.db",
        "study.schema.json",
        "study.yaml",
    ]
    assert "forecast study check study.yaml" in result.out
    done(forecast("study", "check", "new/study.yaml"))
    done(forecast("study", "add", "new/study.yaml", "--ledger", "new/forecast.db"))


def test_init_twice_changes_nothing(forecast: Forecast, tmp_path: Path) -> None:
    done(forecast("init", "new"))
    files = {path: path.read_bytes() for path in (tmp_path / "new").iterdir()}
    done(forecast("init", "new"))
    assert {path: path.read_bytes() for path in (tmp_path / "new").iterdir()} == files


def test_init_of_the_case_twice_changes_nothing(japan: Forecast, tmp_path: Path) -> None:
    before = entries()
    assert before > 80
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert "0 reports and 0 spans of coverage recorded" in done(japan("init", ".", "--case", "japan-sar")).out
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == files


def test_init_of_the_case_does_not_undo_corrections(japan: Forecast) -> None:
    done(japan("amend", "e2", "--detect", "0.5"))
    done(japan("retract", "e3", "--why", "test"))
    done(japan("retract", "e20", "--why", "test"))
    before = entries()
    done(japan("init", ".", "--case", "japan-sar"))
    assert entries() == before


@pytest.mark.parametrize("name", ["study.yaml", "study.schema.json", "forecast.db"])
@pytest.mark.parametrize("case", [[], ["--case", "japan-sar"]], ids=["starter", "case"])
def test_init_refuses_a_file_in_the_way_and_writes_nothing(
    forecast: Forecast, tmp_path: Path, name: str, case: list[str]
) -> None:
    if case and name == "study.yaml":
        name = "japan-sar.yaml"
    (tmp_path / name).write_text("mine, all mine")
    result = forecast("init", *case)
    assert (result.code, result.out) == (2, "")
    assert name in result.errors[0]
    assert [path.name for path in tmp_path.rglob("*")] == [name]
    assert (tmp_path / name).read_text() == "mine, all mine"


def test_init_makes_the_ledger_where_it_is_told(forecast: Forecast, tmp_path: Path) -> None:
    for number, arguments in enumerate((["--ledger", "a0.db", "init", "x0"], ["init", "x1", "--ledger", "a1.db"])):
        done(forecast(*arguments))
        assert (tmp_path / f"a{number}.db").is_file()
        assert not (tmp_path / f"x{number}" / DB).exists()


def test_demo_builds_shows_and_writes_everything(forecast: Forecast, tmp_path: Path) -> None:
    result = done(forecast("demo", "show here"))
    folder = tmp_path / "show here"
    for name in (
        "forecast.db",
        "japan-sar.yaml",
        "reports.csv",
        "outlook.json",
        "outlook.csv",
        "outlook.md",
        "timeline.png",
    ):
        assert (folder / name).stat().st_size > 0, name
    assert (folder / "timeline.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert json.loads((folder / "outlook.json").read_bytes())["study"]["id"] == "japan-sar"
    assert "moved most" in result.out and "smaller reports" in result.out
    following = result.out.partition("next, in that folder:\n")[2].splitlines()
    assert following[0].strip() == "cd 'show here'"
    for line in following[1:]:
        program, *arguments = shlex.split(line)
        assert program == "forecast"
        with contextlib.chdir(folder):
            done(forecast(*arguments))


# Completion


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(forecast: Forecast, shell: str) -> None:
    script = done(forecast("completion", shell)).out
    assert "_FORECAST_COMPLETE" in script and f"{shell}_complete" in script


def completed(
    forecast: Forecast, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str
) -> list[str]:
    monkeypatch.setenv("_FORECAST_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", " ".join(("forecast", *words)))
    monkeypatch.setenv("COMP_CWORD", str(len(words)))
    capsys.readouterr()
    with pytest.raises(SystemExit) as left:
        run([])
    assert left.value.code == 0
    said = capsys.readouterr()
    assert said.err == ""
    return [line.partition(",")[2] for line in said.out.splitlines() if line]


def test_completion_of_commands_options_and_ids(
    small: Forecast, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def complete(*words: str) -> list[str]:
        return completed(small, capsys, monkeypatch, *words)

    assert complete("st") == ["study", "status"]
    assert complete("study", "h") == ["history"]
    assert complete("status", "--as") == ["--as-of"]
    assert complete("log", "t") == ["talks", "treaty"]
    assert complete("cover", "mo") == ["mood"]
    assert complete("amend", "e") == ["e2", "e3", "e4", "e5", "e6", "e7"]
    assert complete("explain", "--scenario", "s") == ["settled", "strike"]
    assert complete("evidence", "--indicator", "mo") == ["mood"]
    assert complete("status", "--study", "p") == ["port"]
    shutil.move(tmp_path / DB, tmp_path / "own.db")
    assert complete("log", "t") == []
    assert complete("--ledger", "own.db", "log", "t") == ["talks", "treaty"]
    assert complete("log", "--ledger", "own.db", "t") == ["talks", "treaty"]
    monkeypatch.setenv("FORECAST_LEDGER", "own.db")
    assert complete("log", "t") == ["talks", "treaty"]
    monkeypatch.setenv("FORECAST_LEDGER", "port.yaml")
    assert complete("log", "t") == []


# Processes of their own


def process(*arguments: str, code: str | None = None, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, *(["-c", code] if code else ["-m", "forecast.cli.main"]), *arguments]
    return subprocess.run(command, capture_output=True, check=False, env={**os.environ, **environment}, timeout=60)


START = """
import sys
from forecast.cli.main import run
code = run(sys.argv[1:])
print(code, *sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""
HEAVY = {
    "numpy",
    "pydantic",
    "pydantic_core",
    "pandas",
    "ruamel",
    "rich",
    "scipy",
    "statsmodels",
    "vl_convert",
    "sqlite3",
}


@pytest.mark.parametrize(
    ("arguments", "never"),
    [
        (["--help"], HEAVY),
        (["--version"], HEAVY),
        (["log", "--help"], HEAVY),
        (["completion", "bash"], HEAVY),
        (["xyzzy"], HEAVY),
        (["status"], {"pandas", "scipy", "statsmodels", "vl_convert", "ruamel"}),
        (["status", "--json"], {"pandas", "scipy", "statsmodels", "vl_convert", "ruamel", "rich"}),
        (["verify"], {"numpy", "pydantic", "pandas", "scipy", "statsmodels", "vl_convert", "ruamel", "rich"}),
        (
            ["log", "mood", "--state", "calm", "--on", "2024-06-01"],
            {"pandas", "scipy", "statsmodels", "vl_convert", "ruamel", "rich"},
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_start_imports_only_what_it_needs(small: Forecast, arguments: list[str], never: set[str]) -> None:
    code, *imported = process(*arguments, code=START).stderr.decode().splitlines()[-1].split()
    assert code == ("2" if arguments == ["xyzzy"] else "0")
    assert never & set(imported) == set()


@pytest.mark.parametrize(
    "arguments", [["status"], ["export"], ["evidence"], ["evidence", "--json"], ["verify"], ["--help"]], ids=" ".join
)
def test_a_closed_pipe_is_left_quietly(small: Forecast, arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with contextlib.closing(os.fdopen(writing, "wb")) as pipe:
        program = [sys.executable, "-c", "from forecast.cli.main import main; main()", *arguments]
        ended = subprocess.run(program, stdout=pipe, stderr=subprocess.PIPE, check=False, timeout=60)
    assert (ended.returncode, ended.stderr.decode().replace("6 entries\n", "")) == (0, "")


def test_the_installed_command_leaves_with_its_code(small: Forecast) -> None:
    main = "from forecast.cli.main import main; main()"
    for arguments, code in ((["verify"], 0), (["verify", "--head", "f" * 64], 1), (["lgo"], 2)):
        assert process(*arguments, code=main).returncode == code


@pytest.mark.parametrize(
    "environment", [{"PYTHONIOENCODING": "ascii"}, {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}]
)
def test_data_in_a_pipe_is_utf8_whatever_the_terminal(small: Forecast, environment: dict[str, str]) -> None:
    main = "from forecast.cli.main import main; main()"
    ended = process("evidence", "--json", code=main, **environment)
    assert json.loads(ended.stdout.decode("utf-8"))[-1]["note"] == "été 日本"
    assert process("status", code=main, **environment).returncode == 0


def test_two_writers_at_once_lose_nothing(small: Forecast) -> None:
    main = "from forecast.cli.main import main; main()"
    log = [sys.executable, "-c", main, "log", "mood", "--state", "calm", "--on", "2024-06-01", "--json"]
    writers = [subprocess.Popen(log, stdout=subprocess.PIPE) for _ in range(3)]
    told = [json.loads(writer.communicate(timeout=60)[0])["entry"] for writer in writers]
    assert sorted(told) == ["e10", "e8", "e9"]
    assert done(small("verify")).out.startswith("ok: 10 entries")


# Whatever is typed


ODD = [
    text
    for text in AWKWARD
    if "\0" not in text and len(text) < 200 and not text.startswith(("/", "..")) and ".." not in text
]
WORDS = [
    "mood", "press", "talks", "ballot", "wait", "gone", "e1", "e2", "e6", "e99", "port", "calm", "settled",
    "port.yaml", "a.csv", "2024-02-01", "2024-06-01", "2024-12-31", "2999-01-01", "2024-02-30", "B2", "1", "0.5",
    "-1", "1e400", "NaN", "source:Wire", "entry:e2", "indicator:mood", "csv", "markdown", "timeline", "red", "bash",
    "-", "--", "x",
]  # fmt: skip
OPTIONS = sorted(
    {name for command in COMMANDS.values() for p in command.params for name in p.opts if name.startswith("--")}
)
FUZZED = sorted({name for name in NAMES if name not in ("demo", "study", "power", "serve")})


def lines_of_words() -> st.SearchStrategy[list[str]]:
    word = st.sampled_from(WORDS) | st.sampled_from(ODD)
    option = st.tuples(st.sampled_from(OPTIONS), word).map(list) | st.sampled_from(OPTIONS).map(lambda name: [name])
    rest = st.lists(option | word.map(lambda text: [text]), max_size=6).map(
        lambda parts: [w for part in parts for w in part]
    )
    return st.tuples(st.sampled_from(FUZZED) | st.sampled_from(["", "lgo", "study"]), rest).map(
        lambda pair: [*pair[0].split(), *pair[1]]
    )


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("playground")


@settings(derandomize=True, deadline=None, max_examples=250, suppress_health_check=list(HealthCheck))
@example(arguments=["export", "--format", "csv", "--table", "evidence", "--as-of", "2024-01-01"])
@example(arguments=["log", "talks", "--count", "1000000000000", "--on", "2024-06-01"])
@example(arguments=["log", "wait", "--value", "1e15", "--on", "2024-06-01"])
@example(arguments=["log", "raids", "--count", "0", "--on", "2024-06-01"])
@given(arguments=lines_of_words())
def test_whatever_is_typed_is_done_or_refused_in_words(
    playground: Path, templates: dict[str, Path], arguments: list[str]
) -> None:
    folder = playground / "now"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(templates["small"], folder)
    (folder / "a.csv").write_text(REPORTS)
    result = quietly(folder, arguments)
    assert result.code in (0, 1, 2)
    assert "Traceback" not in result.out + result.err
    assert "a fault of this program" not in result.err
    if result.code == 2:
        assert result.out == ""
        assert result.errors and all(line.isprintable() for line in result.errors)
        assert (folder / DB).read_bytes() == (templates["small"] / DB).read_bytes()
    if result.code == 0 and "--json" in arguments and result.out.startswith(("{", "[")):
        json.loads(result.out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    with contextlib.suppress(WatchfloorError), open_ledger(folder / DB, clock=utc_now) as ledger:
        assert ledger.verify() is None
