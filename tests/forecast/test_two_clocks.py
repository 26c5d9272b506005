"""Two clocks: what a command says of a moment is, byte for byte, what it said at that moment, whatever came after.

The command runs in this process with the clock in the test's hand. A study lives through revisions, reports late,
backdated and of a later day's news, corrections, retractions and coverage; all that can be read is read after each.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import forecast.cli
from forecast.cli.main import run
from forecast.reading import Reading, read_study
from indicators.days import moment_text, parse_moment
from indicators.ledger import Ledger, MemoryLedger
from tests.small import STUDY, amend, log, record, retract, ticking_clock

for _module in pkgutil.iter_modules(forecast.cli.__path__):
    # Now, so that none of them is first loaded while the clock is held, and keeps it.
    importlib.import_module(f"forecast.cli.{_module.name}")

CALLS = "date\n" + "".join(f"20{year}-{month:02}-11\n" for year in (20, 21, 22) for month in (2, 5, 11))
HISTORY = """\
  - id: calls
    kind: count
    baseline: {history: calls.csv, from: 2020-01-01, to: 2022-12-31}
    multipliers: {settled: 0.5, strike: 2}
"""


class World:
    """The command in a folder of its own, and the clock."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        self.now = datetime(2024, 3, 1, 9, tzinfo=UTC)
        self.err = ""

    def utc_now(self) -> datetime:
        return self.now

    def __call__(self, *arguments: str) -> str:
        """What a command that has to be done prints; what it says beside that stands in `err`."""
        self.capsys.readouterr()
        code = run(list(arguments))
        out, self.err = self.capsys.readouterr()
        assert code == 0, (arguments, self.err)
        return out

    def study(self, text: str) -> None:
        (self.folder / "port.yaml").write_text(text)
        self("study", "add", "port.yaml")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> World:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORECAST_AUTHOR", "ana")
    monkeypatch.delenv("FORECAST_LEDGER", raising=False)
    world = World(tmp_path, capsys)
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ("forecast", "indicators") and hasattr(module, "utc_now"):
            monkeypatch.setattr(module, "utc_now", world.utc_now)
    (tmp_path / "calls.csv").write_text(CALLS)
    return world


READINGS: dict[str, list[str]] = {
    "status": ["status"],
    "status --json": ["status", "--json"],
    "status --json, of an earlier day": ["status", "--json", "--as-of", "2024-02-20"],
    "explain": ["explain"],
    "explain --json": ["explain", "--json"],
    "explain --json --since": ["explain", "--json", "--since", "2024-02-15"],
    "evidence": ["evidence"],
    "evidence --json": ["evidence", "--json"],
    "watch": ["watch"],
    "watch --json": ["watch", "--json"],
    "record --rows": ["record", "--rows"],
    "record --json": ["record", "--json"],
    "power --json": ["power", "--json", "--runs", "3"],
    "export --format json": ["export"],
    "export, of an earlier day": ["export", "--as-of", "2024-02-20"],
    "export --without": ["export", "--without", "indicator:mood"],
    "export --draws": ["export", "--draws", "150"],
    "export --format markdown": ["export", "--format", "markdown"],
    **{
        f"export --table {table}": ["export", "--format", "csv", "--table", table]
        for table in ("timeline", "scenarios", "contributions", "indicators", "projection", "surprise", "evidence")
    },
    "study show": ["study", "show"],
}

REVISED = STUDY.replace("settled: [0.6, 0.3, 0.1]", "settled: [0.4, 0.4, 0.2]")
STEPS: list[tuple[str, Callable[[World], object]]] = [
    ("a first revision", lambda w: w.study(STUDY + HISTORY)),
    ("a report", lambda w: w("log", "mood", "--state", "calm", "--on", "2024-02-10", "--source", "Wire", "--ref", "A")),
    ("a late report", lambda w: w("log", "mood", "--state", "hostile", "--on", "2024-02-01", "--grade", "C3")),
    ("a report backdated to the first day", lambda w: w("log", "raids", "--on", "2024-01-01", "--event", "x")),
    ("coverage", lambda w: w("cover", "talks", "--from", "2024-01-10", "--to", "2024-02-28", "--detect", "0.8")),
    ("a count and a span", lambda w: (w("log", "talks", "--count", "2", "--on", "2024-02-05"),
                                     w("log", "calls", "--from", "2024-01-03", "--to", "2024-01-20"))),
    ("a correction", lambda w: w("amend", "e2", "--state", "tense", "--on", "2024-02-12", "--why", "misread")),
    ("a second origin of an old event", lambda w: w("log", "raids", "--on", "2024-01-09", "--event", "x",
                                                    "--origin", "y", "--grade", "B3")),
    ("rows changed after the fact", lambda w: w.study(REVISED + HISTORY)),
    ("a report under the new rows", lambda w: w("log", "press", "--state", "loud", "--on", "2024-02-14")),
    ("a retraction", lambda w: w("retract", "e3", "--why", "a hoax")),
    ("coverage corrected", lambda w: w("amend", "e5", "--to", "2024-02-20", "--detect", "0.5")),
    ("another study beside it", lambda w: ((w.folder / "quay.yaml").write_text(STUDY.replace("port", "quay")),
                                           w("study", "add", "quay.yaml"),
                                           w("--study", "quay", "log", "mood", "--state", "calm", "--on",
                                             "2024-02-10"))),
    ("a history with other rows", lambda w: ((w.folder / "calls.csv").write_text(CALLS + "2022-12-12\n"),
                                             w("study", "add", "port.yaml"))),
    ("a measure and a milestone", lambda w: (w("--study", "port", "log", "wait", "--value", "31", "--on", "2024-02-20"),
                                             w("--study", "port", "log", "treaty", "--on", "2024-02-25"))),
    ("drift, and an indicator retired", lambda w: w.study(
        REVISED.replace("scenarios:", "drift: {half_life: 90 d}\nscenarios:").replace(
            "raids\n", "raids\n    retired: true\n") + HISTORY)),
    ("an import", lambda w: ((w.folder / "more.csv").write_text(
        "indicator,observed,state,source\nmood,2024-02-28,tense,Paper\nmood,2024-01-15,calm,Wire\n"),
                             w("--study", "port", "import", "more.csv"))),
]  # fmt: skip


FEW_DRAWS = ("--draws", "100")
WITH_DRAWS = {"status", "explain", "watch", "evidence", "export"}


def everything(world: World, *more: str) -> dict[str, str]:
    """What every reading command says; of fewer draws but for one of them, as they have none to themselves."""
    said = {}
    for name, arguments in READINGS.items():
        few = FEW_DRAWS if arguments[0] in WITH_DRAWS and "--draws" not in arguments and arguments != ["export"] else ()
        said[name] = world("--study", "port", *arguments, *few, *more)
    return said


def test_known_at_gives_what_the_same_command_gave_then(world: World) -> None:
    """Every reading command after every step, and again when all of it has happened and a month has gone by."""
    said: list[tuple[str, datetime, dict[str, str]]] = []
    for step, do in STEPS:
        do(world)
        world.now += timedelta(minutes=7, microseconds=123)
        said.append((step, world.now, everything(world)))
        world.now += timedelta(hours=13)
    assert len({told["export --format json"] for _, _, told in said}) == len(STEPS)
    world.now += timedelta(days=30)
    for step, moment, before in said:
        again = everything(world, "--known-at", moment_text(moment))
        for name, told in before.items():
            assert again[name] == told, (step, name)


def test_an_export_can_be_made_again_from_what_it_says_itself(world: World) -> None:
    """Its `known_at` and `as_of`, and a day for `--known-at` is the end of that day in UTC."""
    for _, do in STEPS[:4]:
        do(world)
        world.now += timedelta(hours=9)
    told = world("export")
    document = json.loads(told)
    end_of_day = datetime(2024, 3, 2, 23, 59, 59, 999999, tzinfo=UTC)
    world.now = end_of_day
    last = json.loads(world("export"))
    world.now += timedelta(days=3)
    world("retract", "e2", "--why", "no")
    assert world("export", "--known-at", document["known_at"], "--as-of", document["as_of"]) == told
    assert json.loads(world("export", "--known-at", "2024-03-02")) == last


def test_the_same_moment_in_another_zone(world: World) -> None:
    STEPS[0][1](world)
    STEPS[1][1](world)
    world.now += timedelta(hours=1)
    told = world("status", "--json")
    there = world.now.astimezone(tz=None).isoformat()
    world.now += timedelta(days=1)
    world("retract", "e2", "--why", "no")
    assert world("status", "--json", "--known-at", there) == told


# The moment an outlook names is the moment it is of


def test_a_clock_that_lags_behind_the_ledger_names_the_ledgers_own_moment() -> None:
    """Logged by a machine whose clock is ahead: seen, so the moment told is not one at which it was not there."""
    ledger = MemoryLedger(ticking_clock())
    record(ledger)
    log(ledger, {"indicator": "mood", "observed": "2024-02-01", "state": "calm"})
    reading = read_study(ledger, "port")
    told = reading.provenance(now=datetime(2024, 7, 1, 12, 30, tzinfo=UTC))
    again = read_study(ledger, "port", known_at=parse_moment(told.known_at))
    assert told.known_at == "2024-07-01T13:00:00.000000Z"
    assert again.provenance(now=datetime(2025, 1, 1, tzinfo=UTC)) == told


def test_what_another_writer_adds_meanwhile_is_not_claimed_to_be_known(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry recorded while the ledger is read, and before the answer is printed, is later than what that names."""
    world.study(STUDY)
    ours = read_study

    def slow(ledger: Ledger, study_id: str, *, known_at: datetime | None = None) -> Reading:
        reading = ours(ledger, study_id, known_at=known_at)
        if known_at is None:
            world.now += timedelta(seconds=1)
            log(ledger, {"indicator": "mood", "observed": "2024-02-01", "state": "hostile"})
            world.now += timedelta(seconds=1)
        return reading

    monkeypatch.setattr("forecast.reading.read_study", slow)
    told = world("export")
    monkeypatch.undo()
    document = json.loads(told)
    ledger = world.folder / "forecast.db"
    monkeypatch.chdir(world.folder)
    assert json.loads(world("verify", "--json", "--ledger", str(ledger)))["entries"] == 2
    assert document["ledger"]["entries"] == 1
    again = world("export", "--known-at", document["known_at"], "--as-of", document["as_of"])
    assert again == told


# Rows changed after their first report


def flagged(world: World) -> dict[str, bool]:
    """In which outputs the change is told."""
    return {name: told_in(world, arguments) for name, arguments in FLAGGING.items()}


FLAGGING = {
    "status": ["status"],
    "status --json": ["status", "--json"],
    "export": ["export"],
    "markdown": ["export", "--format", "markdown"],
    "explain": ["explain"],
    "explain --json": ["explain", "--json"],
    "watch": ["watch"],
    "watch --json": ["watch", "--json"],
    "csv": ["export", "--format", "csv", "--table", "scenarios"],
    "parquet": ["export", "flagged.parquet"],
    "stix": ["export", "--format", "stix"],
}


def told_in(world: World, arguments: list[str], *more: str) -> bool:
    out = world(*arguments, *more)
    text = " ".join((out + world.err).split())
    return "were changed on 2024-03-02 (revision 2), after its first report e2" in text


def test_rows_changed_after_their_first_report_are_flagged_in_every_output(world: World) -> None:
    """From the moment they are changed on, and not before; also where the outlook is of an earlier day."""
    world.study(STUDY)
    world("log", "mood", "--state", "calm", "--on", "2024-02-10")
    world.now += timedelta(hours=1)
    before = moment_text(world.now)
    assert not any(flagged(world).values())
    world.now = datetime(2024, 3, 2, 9, tzinfo=UTC)
    world.study(REVISED)
    assert all(flagged(world).values())
    world("log", "mood", "--state", "calm", "--on", "2024-02-11")
    world.study(REVISED + "# a comment\n")
    assert all(flagged(world).values())
    for arguments in FLAGGING.values():
        assert told_in(world, arguments, "--as-of", "2024-02-01")
        assert not told_in(world, arguments, "--known-at", before)


@pytest.mark.parametrize(
    ("old", "new", "is_flagged"),
    [
        ("settled: [0.6, 0.3, 0.1]", "settled: [0.5, 0.4, 0.1]", True),
        ("persistence: 60 d", "persistence: 61 d", True),
        ("name: Settlement, prior: 0.6}\n  - {id: strike, name: Long strike, prior: 0.4}",
         "name: Settlement, prior: 0.7}\n  - {id: strike, name: Long strike, prior: 0.3}", False),
        ("title: The port", "title: The harbour", False),
        ("settled: {calm: unlikely", "settled: {calm: very unlikely", False),
        ("check_every: 30 d", "check_every: 60 d", False),
    ],
    ids=["rows", "persistence", "priors", "title", "rows of another without reports", "looks"],
)  # fmt: skip
def test_what_is_a_change_of_rows(old: str, new: str, is_flagged: bool) -> None:
    ledger = MemoryLedger(ticking_clock())
    record(ledger)
    log(ledger, {"indicator": "mood", "observed": "2024-02-01", "state": "calm"})
    assert old in STUDY
    record(ledger, STUDY.replace(old, new))
    assert bool(read_study(ledger, "port").flags) == is_flagged


def test_taking_the_report_back_takes_the_flag_back() -> None:
    """Nothing that counts was there before the rows; then the flag, which named it, would be a riddle."""
    ledger = MemoryLedger(ticking_clock())
    record(ledger)
    entry = log(ledger, {"indicator": "mood", "observed": "2024-02-01", "state": "calm"})
    record(ledger, REVISED)
    assert len(read_study(ledger, "port").flags) == 1
    amend(ledger, entry.id, state="tense")
    assert len(read_study(ledger, "port").flags) == 1
    retract(ledger, entry.id)
    assert read_study(ledger, "port").flags == []


def test_the_last_day_of_a_reading_is_that_of_its_moment(world: World) -> None:
    """As-of left out is the day of known-at, so that days that had not come yet are in no outlook of it."""
    for _, do in STEPS[:3]:
        do(world)
    moment = world.now = world.now + timedelta(hours=2)
    world.now += timedelta(days=90)
    told: dict[str, Any] = json.loads(world("export", "--known-at", moment_text(moment)))
    assert told["as_of"] == moment.date().isoformat() == "2024-03-01"
    assert date.fromisoformat(told["timeline"][-1]["date"]) == moment.date()
