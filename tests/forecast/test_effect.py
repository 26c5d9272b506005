"""What writing would do, tried without writing: the same as writing and looking."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
import pytest

from forecast import desk, workflow
from forecast.desk import Amendment
from forecast.effect import effect, leaning
from forecast.reading import Reading, read_study
from forecast.release import Released
from forecast.workflow import Tryout
from indicators.errors import FaultsError
from indicators.ledger import MemoryLedger
from indicators.replay import UnknownEntryError
from tests.small import SOUND, TODAY, cover, log, new_ledger, place

NOW = datetime(2024, 7, 1, 23, tzinfo=UTC)


@pytest.fixture
def ledger() -> MemoryLedger:
    """A report of every kind, two copies of a story, and a span of looking."""
    ledger = new_ledger()
    for kind in ("state", "given", "count", "measure"):
        log(ledger, SOUND[kind])
    for grade in ("B2", "C3"):
        log(ledger, {"indicator": "mood", "observed": "2024-03-01", "state": "hostile", "grade": grade, "origin": "x"})
    cover(ledger, "treaty", "2024-02-01", "2024-03-01")
    return ledger


def shown(ledger: MemoryLedger) -> tuple[Reading, Released]:
    reading = read_study(ledger, "port")
    return reading, reading.released(TODAY, now=NOW, draws=100)


def finals(ledger: MemoryLedger) -> np.ndarray:
    return shown(ledger)[1].outlook.final


def tried(ledger: MemoryLedger, tryout: Tryout) -> tuple[list[float], list[float]]:
    reading, released = shown(ledger)
    head = ledger.head()
    lines = effect(reading, released, tryout).lines
    assert ledger.head() == head
    return [line.before for line in lines], [line.after for line in lines]


@pytest.mark.parametrize("raw", SOUND.values(), ids=SOUND)
def test_a_report_tried_is_the_report_written(raw: Mapping[str, object], ledger: MemoryLedger) -> None:
    # A new day, so that nothing stands in the way; spans and the milestone have theirs.
    given = raw if "from" in raw or raw["indicator"] == "treaty" else {**raw, "observed": "2024-04-01"}
    tryout = workflow.tried_report(read_study(ledger, "port"), given, author="bo", today=TODAY, place=place)
    before, after = tried(ledger, tryout)
    assert before == pytest.approx(finals(ledger), abs=1e-12)
    entry = workflow.log_report(ledger, "port", given, author="bo", today=TODAY, place=place)
    assert after == pytest.approx(finals(ledger), abs=1e-12)
    assert [item.id for item in tryout.entries] == [entry.id]
    assert tryout.entries[0].payload == entry.payload


@pytest.mark.parametrize("changes", [{"state": "hostile"}, {"indicator": "press", "state": "quiet"}, {"grade": "E5"}])
def test_a_correction_tried_is_the_correction_written(changes: dict[str, str], ledger: MemoryLedger) -> None:
    asked = Amendment("e2", changes)
    tryout = workflow.tried_amendment(read_study(ledger, "port"), asked, author="bo", today=TODAY, place=place)
    _, after = tried(ledger, tryout)
    workflow.amend(ledger, "port", "e2", changes, why=None, author="bo", today=TODAY, place=place)
    assert after == pytest.approx(finals(ledger), abs=1e-12)


@pytest.mark.parametrize("entry", ["e2", "e4", "e6", "e7", "e8"])
def test_a_retraction_tried_is_the_retraction_written_and_what_the_entry_did(entry: str, ledger: MemoryLedger) -> None:
    outlook = shown(ledger)[1].outlook
    tryout = workflow.tried_retraction(read_study(ledger, "port"), entry, author="bo", today=TODAY)
    before, after = tried(ledger, tryout)
    own = outlook.contribution_of(entry)
    if own is not None:
        assert np.array(before) - after == pytest.approx(own.change, abs=1e-12)
    workflow.retract(ledger, "port", entry, why="a test", author="bo")
    assert after == pytest.approx(finals(ledger), abs=1e-12)


def test_coverage_tried_is_coverage_written(ledger: MemoryLedger) -> None:
    raw = {"indicator": "talks", "from": "2024-04-01", "to": "2024-05-01"}
    tryout = workflow.tried_coverage(read_study(ledger, "port"), raw, author="bo", today=TODAY, place=place)
    _, after = tried(ledger, tryout)
    cover(ledger, "talks", "2024-04-01", "2024-05-01")
    assert after == pytest.approx(finals(ledger), abs=1e-12)


def test_a_report_and_the_correction_beside_it_are_one_batch(ledger: MemoryLedger) -> None:
    raw = {**SOUND["state"], "observed": "2024-02-02", "origin": "e2"}
    beside = [Amendment("e2", {"origin": "e2"}, "told again")]
    reading = read_study(ledger, "port")
    tryout = workflow.tried_report(reading, raw, author="bo", today=TODAY, place=place, beside=beside)
    assert [item.kind for item in tryout.entries] == ["amend", "evidence"]
    _, after = tried(ledger, tryout)
    workflow.log_report(ledger, "port", raw, author="bo", today=TODAY, place=place, beside=beside)
    assert after == pytest.approx(finals(ledger), abs=1e-12)
    *_, first, second = ledger.entries()
    assert (first.kind, second.kind, first.recorded_at) == ("amend", "evidence", second.recorded_at)


def test_a_second_milestone_is_let_in_by_the_correction_beside_it_and_not_without(ledger: MemoryLedger) -> None:
    first = log(ledger, SOUND["milestone"]).id
    raw = {**SOUND["milestone"], "event": "signing", "source": "Wire"}
    head = ledger.head()
    with pytest.raises(FaultsError, match="has happened already"):
        workflow.log_report(ledger, "port", raw, author="bo", today=TODAY, place=place)
    assert ledger.head() == head
    beside = [Amendment(first, {"event": "signing"})]
    assert workflow.log_report(ledger, "port", raw, author="bo", today=TODAY, place=place, beside=beside)


def test_a_bad_report_keeps_the_correction_beside_it_from_being_written(ledger: MemoryLedger) -> None:
    head = ledger.head()
    with pytest.raises(FaultsError, match="has no state"):
        workflow.log_report(
            ledger,
            "port",
            {**SOUND["state"], "state": "furious"},
            author="bo",
            today=TODAY,
            place=place,
            beside=[Amendment("e2", {"origin": "z"})],
        )
    assert ledger.head() == head


def test_a_reading_at_hand_does_not_hide_what_was_logged_since(ledger: MemoryLedger) -> None:
    at_hand = read_study(ledger, "port")
    log(ledger, SOUND["milestone"])
    again = {**SOUND["milestone"], "source": "Wire"}
    with pytest.raises(FaultsError, match="has happened already, by e9"):
        workflow.log_report(ledger, "port", again, author="bo", today=TODAY, place=place, at_hand=at_hand)
    workflow.retract(ledger, "port", "e9", why="a test", author="bo")
    assert workflow.log_report(ledger, "port", again, author="bo", today=TODAY, place=place, at_hand=at_hand)
    asked = {"author": "bo", "today": TODAY, "place": place, "why": None, "at_hand": at_hand}
    with pytest.raises(UnknownEntryError, match="it was retracted by e10"):
        workflow.amend(ledger, "port", "e9", {"note": "n"}, **asked)  # type: ignore[arg-type]


def test_a_twin_is_refused_where_it_may_not_be_and_named(ledger: MemoryLedger) -> None:
    with pytest.raises(desk.TwinError, match="e2 has the same content") as caught:
        workflow.log_report(ledger, "port", SOUND["state"], author="bo", today=TODAY, place=place, may_repeat=False)
    assert caught.value.entry == "e2"


def test_one_contribution_is_that_of_the_whole_list(ledger: MemoryLedger) -> None:
    outlook = shown(ledger)[1].outlook
    for whole in outlook.report_contributions:
        own = outlook.contribution_of(whole.live.entry)
        assert own is not None and own.live == whole.live
        assert own.change == pytest.approx(whole.change, abs=1e-12)
        assert (own.decibans == whole.decibans).all()
        assert (own.log_likelihoods == whole.log_likelihoods).all()
    assert outlook.contribution_of("e8") is None
    assert outlook.counts("e6") and not outlook.counts("e7")


def test_what_is_marked_above_the_level_does_nothing_to_what_is_shown(ledger: MemoryLedger) -> None:
    reading = read_study(ledger, "port").within("green")
    released = reading.released(TODAY, now=NOW, max_tlp="green", draws=100)
    raw = {**SOUND["state"], "observed": "2024-04-01", "state": "hostile", "tlp": "red"}
    tryout = workflow.tried_report(reading, raw, author="bo", today=TODAY, place=place)
    found = effect(reading, released, tryout, max_tlp="green")
    assert [line.change for line in found.lines] == [0.0, 0.0]
    assert found.after.tlp == "clear"


def test_the_words_say_how_much_likelier() -> None:
    study = read_study(new_ledger(), "port").study
    assert leaning(study, np.log([0.1, 0.4])) == "It is 4 times as likely under “Long strike” as under “Settlement”."
    assert "as likely under every scenario" in leaning(study, np.array([-1.0, -1.0]))
    assert "a million million" in leaning(study, np.array([0.0, -800.0]))
