"""A replay is, to the last digit, what the engine told at the end of each day; what makes no sense is refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from forecast import settling
from forecast.backtest import (
    COLUMNS,
    NoPastError,
    Setting,
    SettingError,
    backtest_rows,
    changed_drift,
    changed_grades,
    changed_persistence,
    replay,
    replay_days,
)
from forecast.reading import Reading, read_study
from forecast.study import UnknownIndicatorError
from forecast.version import __version__
from indicators.days import parse_moment
from indicators.ledger import Clock, Ledger, MemoryLedger
from indicators.opening import create_ledger
from tests.commands import Commands, commands
from tests.small import STUDY, amend, cover, log, new_ledger, record, retract, study_of_text, ticking_clock

__all__ = ["commands"]

DAYS = [date(2024, 2, 1) + timedelta(days=n) for n in range(0, 150, 3)]


def lived() -> MemoryLedger:
    """A ledger that grew from February on, an entry every nine days."""
    ledger = MemoryLedger(nine_days())
    grow(ledger)
    return ledger


def nine_days() -> Clock:
    return ticking_clock(datetime(2024, 2, 3, 12, tzinfo=UTC), timedelta(days=9))


def grow(ledger: Ledger) -> None:
    """Reports late and early, corrections, coverage, revisions."""
    record(ledger)
    log(ledger, {"indicator": "mood", "observed": "2024-02-10", "state": "tense", "source": "Wire"})
    wrong = log(ledger, {"indicator": "mood", "observed": "2024-01-20", "state": "hostile", "grade": "B2"})
    log(ledger, {"indicator": "press", "observed": "2024-02-28", "state": "loud", "grade": "C3"})
    cover(ledger, "talks", "2024-01-01", "2024-03-01")
    amend(ledger, wrong.id, state="calm")
    record(ledger, STUDY.replace("settled: [0.6, 0.3, 0.1]", "settled: [0.5, 0.3, 0.2]\n    # anew"))
    log(ledger, {"indicator": "raids", "observed": "2024-03-30", "grade": "B2", "count": 2})
    gone = log(ledger, {"indicator": "wait", "observed": "2024-04-02", "value": 44, "grade": "B2"})
    retract(ledger, gone.id)
    record(ledger, STUDY.replace("prior: 0.6", "prior: 0.5").replace("prior: 0.4", "prior: 0.5"))
    log(ledger, {"indicator": "treaty", "observed": "2024-04-15", "grade": "B2"})


def at_the_end_of(ledger: MemoryLedger, day: date) -> Reading:
    return read_study(ledger, "port", known_at=parse_moment(day.isoformat()))


def test_every_day_is_what_was_told_at_its_end() -> None:
    """Bit for bit, on all days from the first on which there was a study."""
    ledger = lived()
    known = read_study(ledger, "port").known
    found = {day: (study, final) for day, study, final in replay(known, DAYS)}
    assert sorted(found) == [day for day in DAYS if day >= date(2024, 2, 3)]
    for day, (study, final) in found.items():
        then = at_the_end_of(ledger, day)
        assert study == then.study
        assert final.tolist() == then.outlook(day).final.tolist()
    assert len({final.tobytes() for _, final in found.values()}) > 20


def test_by_as_of_every_day_knows_all_that_is_known_now() -> None:
    """The outlook as of the day, of everything."""
    reading = read_study(lived(), "port")
    for day, _, final in replay(reading.known, DAYS, by="as-of"):
        assert final.tolist() == reading.outlook(day).final.tolist()


@pytest.mark.parametrize(
    ("setting", "change"),
    [
        (
            lambda _: changed_drift("90d"),
            lambda text: text.replace("scenarios:", "drift: {half_life: 90 d}\nscenarios:", 1),
        ),
        (
            lambda s: changed_persistence(s, "mood=20d"),
            lambda text: text.replace("persistence: 60 d", "persistence: 20 d"),
        ),
        (lambda s: changed_persistence(s, "20 d"), lambda text: text.replace("persistence: 60 d", "persistence: 20 d")),
        (
            lambda s: changed_persistence(s, "wait=20d"),
            lambda text: text.replace("    unit: hours", "    unit: hours\n    persistence: 20 d"),
        ),
        (
            lambda _: changed_grades("B=0.9, 2=.95"),
            lambda text: text.replace("sources:", "grades: {B: 0.9, '2': 0.95}\nsources:"),
        ),
    ],
)
def test_a_setting_is_the_study_with_that_changed(
    setting: Callable[..., Setting], change: Callable[[str], str]
) -> None:
    """As if the study had said so from the first."""
    ledgers = [new_ledger(), new_ledger(change(STUDY))]
    for ledger in ledgers:
        log(ledger, {"indicator": "mood", "observed": "2024-02-10", "state": "hostile", "source": "Wire"})
        log(ledger, {"indicator": "mood", "observed": "2024-03-10", "state": "calm", "source": "Wire"})
        log(ledger, {"indicator": "wait", "observed": "2024-03-12", "value": 30, "grade": "B2"})
        log(ledger, {"indicator": "wait", "observed": "2024-03-22", "value": 31, "grade": "B2"})
    as_it_stands, changed = (read_study(ledger, "port") for ledger in ledgers)
    days = [date(2024, 2, 11), date(2024, 6, 1)]
    asked = setting(as_it_stands.study)
    found = [final.tolist() for _, _, final in replay(as_it_stands.known, days, by="as-of", setting=asked)]
    assert found == [changed.outlook(day).final.tolist() for day in days]
    assert found[-1] != as_it_stands.outlook(days[-1]).final.tolist()


def test_no_drift_and_no_persistence() -> None:
    """`none` takes away what the study has."""
    drifting = study_of_text(STUDY.replace("scenarios:", "drift: {half_life: 90 d}\nscenarios:", 1))
    assert changed_drift("none").of(drifting).drift is None
    lasting = study_of_text(STUDY.replace("    unit: hours", "    unit: hours\n    persistence: 20 d"))
    [*_, wait, _] = changed_persistence(lasting, "wait=none").of(lasting).indicators
    assert wait == study_of_text().by_id["wait"].model_copy(update={"persistence": None})


def test_the_table() -> None:
    """Every row says replay; what is settled is told; probabilities of a day sum to one."""
    ledger = lived()
    settling.resolve(ledger, "port", "settled", on=date(2024, 6, 1), author="ana", today=date(2024, 7, 1))
    reading = read_study(ledger, "port")
    days = replay_days(
        reading.known, reading.study, first=None, last=None, every=7, today=date(2024, 7, 1), by="known-at"
    )
    assert (days[0], days[-1]) == (date(2024, 2, 3), date(2024, 5, 25))
    told: list[tuple[int, int]] = []
    settings = [Setting(), changed_drift("1y")]
    rows = list(backtest_rows(reading.known, days, settings, progress=lambda *done: told.append(done)))
    assert len(rows) == 2 * 2 * len(days)
    assert {row.forecaster for row in rows} == {"watchfloor replay", "watchfloor replay, drift 1y"}
    assert {(row.resolution, row.resolved_on) for row in rows} == {("settled", "2024-06-01")}
    for settled, strike in zip(rows[::2], rows[1::2], strict=True):
        assert settled.probability + strike.probability == pytest.approx(1.0)
    assert told[-1] == (2 * len(days), 2 * len(days))
    hindsight = list(backtest_rows(reading.known, days[:1], [Setting()], by="as-of"))
    assert {row.forecaster for row in hindsight} == {"watchfloor replay in hindsight"}


def test_a_void_question_is_told_as_void() -> None:
    """It has no day on which it was settled."""
    ledger = lived()
    settling.resolve_void(ledger, "port", why="the port is gone", author="ana")
    known = read_study(ledger, "port").known
    assert {(row.resolution, row.resolved_on) for row in backtest_rows(known, DAYS[-1:], [Setting()])} == {("void", "")}


# Refusals


def asked_days(ledger: MemoryLedger, first: date | None = None, last: date | None = None) -> list[date]:
    reading = read_study(ledger, "port")
    return replay_days(
        reading.known, reading.study, first=first, last=last, every=1, today=date(2024, 7, 1), by="known-at"
    )


def test_a_ledger_of_one_day_has_no_past() -> None:
    """And the other way to go, with what it is, is named."""
    ledger = MemoryLedger(ticking_clock(step=timedelta(seconds=1)))
    record(ledger)
    log(ledger, {"indicator": "mood", "observed": "2024-02-10", "state": "hostile"})
    with pytest.raises(NoPastError, match=r"all 2 entries were recorded on 2024-07-01.*hindsight"):
        asked_days(ledger)


def test_days_before_the_ledger_began() -> None:
    """Nothing was known then."""
    assert asked_days(lived(), date(2024, 1, 1), date(2024, 2, 4)) == [date(2024, 2, 3), date(2024, 2, 4)]
    with pytest.raises(NoPastError, match="from 2024-01-01 to 2024-01-31: it can be from 2024-02-03 to 2024-07-01"):
        asked_days(lived(), date(2024, 1, 1), date(2024, 1, 31))


@pytest.mark.parametrize(
    ("ask", "phrase"),
    [
        (lambda _: changed_drift("soon"), '"soon" is neither a duration nor none'),
        (lambda s: changed_persistence(s, "mood=0d"), '"0d" is neither a duration nor none'),
        (lambda s: changed_persistence(s, "talks=3d"), '"talks" is no indicator whose state or value lasts'),
        (lambda s: changed_persistence(s, "mood=none"), '"mood" needs its persistence: press is given by it'),
        (lambda _: changed_grades("B=1"), '"B=1" is no grade and its worth'),
        (lambda _: changed_grades("G=0.5"), '"G=0.5" is no grade and its worth'),
        (lambda _: changed_grades(""), '"" is no grade and its worth'),
    ],
)
def test_settings_that_make_no_sense(ask: Callable[..., object], phrase: str) -> None:
    with pytest.raises(SettingError) as refusal:
        ask(study_of_text())
    assert phrase in str(refusal.value)


def test_an_indicator_that_is_not_there() -> None:
    with pytest.raises(UnknownIndicatorError, match="mood"):
        changed_persistence(study_of_text(), "moood=3d")


# The command


@pytest.fixture
def old(commands: Commands) -> Path:
    """The ledger that grew, in a file."""
    ledger = create_ledger(commands.folder / "l.db", clock=nine_days())
    grow(ledger)
    ledger.close()
    return commands.folder / "l.db"


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_command_writes_what_status_told(old: Path, commands: Commands) -> None:
    """Each number as `export --known-at DAY` has it, and a note that says what it is."""
    found = commands.done("backtest", "--ledger", old, "--from", "2024-02-10", "--to", "2024-03-01", "--every", "10d")
    assert "a replay, not a record" in found.err and "hindsight" not in found.err
    rows = rows_of(found.out)
    assert tuple(rows[0]) == COLUMNS
    assert sorted({row["date"] for row in rows}) == ["2024-02-10", "2024-02-20", "2024-03-01"]
    for row in rows:
        told = commands.done("export", "--known-at", row["date"], "--ledger", old, "--format", "json").json
        now = {item["id"]: item["probability"] for item in told["scenarios"]}
        assert told["engine"] == __version__ and told["as_of"] == row["date"]
        assert float(row["probability"]) == now[row["outcome"]]


def test_hindsight_is_said_loudly(old: Path, commands: Commands) -> None:
    """On standard error and in every line."""
    found = commands.done(
        "backtest", "--ledger", old, "--by", "as-of", "--every", "30d", "--drift", "1y", "-o", "t.csv"
    )
    assert found.out == ""
    assert "warning: by as-of every day knows" in found.err and "this is hindsight" in found.err
    rows = rows_of((commands.folder / "t.csv").read_text())
    assert {row["forecaster"] for row in rows} == {
        "watchfloor replay in hindsight",
        "watchfloor replay in hindsight, drift 1y",
    }


def test_score_reads_the_table(old: Path, commands: Commands) -> None:
    """Each setting is a forecaster."""
    commands.done("resolve", "settled", "--on", "2024-06-01", "--ledger", old)
    commands.done("backtest", "--ledger", old, "--every", "7d", "--drift", "60d", "-o", "replay.csv")
    told = commands.done("score", "replay.csv").out
    assert "watchfloor replay" in told and "drift 60d" in told


def test_what_is_refused(old: Path, commands: Commands) -> None:
    """Steps that are no days, a table over the ledger, what may not leave."""
    commands("backtest", "--ledger", old, "--every", "1.5d").is_refused('"1.5d" is not a number of whole days')
    commands("backtest", "--ledger", old, "-o", old).is_refused("this is the ledger itself")
    commands("backtest", "--ledger", old, "--from", "2019-01-01", "--to", "2019-02-01").is_refused(
        "nothing can be replayed"
    )
    commands.done("log", "mood", "--state", "tense", "--on", "2024-05-05", "--tlp", "red", "--ledger", old)
    commands("backtest", "--ledger", old, "--max-tlp", "amber").is_refused("one entry marked above TLP:AMBER")
    all_of_it = ("backtest", "--ledger", old, "--by", "as-of", "--every", "30d")
    kept = commands.done(*all_of_it, "--max-tlp", "amber", "--without-above")
    assert "Entries marked above TLP:AMBER are left out" in kept.err
    assert kept.out == commands.done(*all_of_it, "--without", "entry:e13").out != commands.done(*all_of_it).out
