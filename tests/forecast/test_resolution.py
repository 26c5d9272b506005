"""What settles a study: recorded, read back, undone; and that a closed study takes nothing more from anybody."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from forecast import bulk, desk, settling, workflow
from forecast.reading import read_study
from forecast.resolution import Resolution
from indicators.days import parse_moment
from indicators.entry import Draft
from indicators.errors import FaultsError
from indicators.ledger import Ledger, MemoryLedger
from indicators.replay import UnreadableEntryError
from tests.forecast.test_publication import TESTED, publish
from tests.small import SOUND, TODAY, amend, cover, csv_of, head, import_files, log, new_ledger, record, retract

MAY = date(2024, 5, 1)


def settle(ledger: Ledger, scenario: str = "strike", on: date = MAY, **more: Any) -> Resolution:
    return settling.resolve(ledger, "port", scenario, on=on, author="ana", today=TODAY, **more)


def undo(ledger: Ledger, why: str = "it was the other") -> str:
    return settling.undo_resolution(ledger, "port", why=why, author="bo").id


def with_reports() -> MemoryLedger:
    """Entries e1 to e3: the study, a report, a span of coverage."""
    ledger = new_ledger(TESTED)
    log(ledger, SOUND["state"])
    cover(ledger, "talks", "2024-02-01", "2024-02-20")
    return ledger


def test_a_resolution_says_what_came_true_and_when() -> None:
    ledger = with_reports()
    found = settle(ledger, why=" signed ")
    assert (found.entry, found.scenario, found.on, found.why, found.author) == ("e4", "strike", MAY, "signed", "ana")
    assert (found.is_void, found.told) == (False, "strike on 2024-05-01")
    reading = read_study(ledger, "port")
    assert reading.resolution == found
    assert reading.flags == ["the study was resolved by e4: strike on 2024-05-01"]


def test_it_is_known_only_from_when_it_was_recorded() -> None:
    ledger = with_reports()
    before = list(ledger.entries())[-1]
    settle(ledger)
    then = read_study(ledger, "port", known_at=parse_moment(before.recorded_at))
    assert (then.resolution, then.flags) == (None, [])


def test_a_void_one_needs_its_reason() -> None:
    ledger = with_reports()
    before = head(ledger)
    with pytest.raises(desk.NoReasonError, match="a void question needs its reason"):
        settling.resolve_void(ledger, "port", why=" ", author="ana")
    assert head(ledger) == before
    found = settling.resolve_void(ledger, "port", why="the port burnt down", author="ana")
    assert (found.is_void, found.scenario, found.on, found.told) == (True, None, None, "void")
    assert read_study(ledger, "port").resolution == found


WRITERS: dict[str, Callable[[Ledger], object]] = {
    "log": lambda ledger: log(ledger, SOUND["state"]),
    "import": lambda ledger: import_files(ledger, ("a.csv", csv_of([SOUND["state"]]))),
    "try an import": lambda ledger: bulk.tried_import(ledger, "port", [], today=TODAY),
    "amend": lambda ledger: amend(ledger, "e2", state="tense"),
    "retract": lambda ledger: retract(ledger, "e2"),
    "cover": lambda ledger: cover(ledger, "talks", "2024-03-01", "2024-03-05"),
    "cover many": lambda ledger: bulk.cover_many(ledger, "port", "a.csv", [], [], author="ana", today=TODAY),
    "publish": publish,
    "revise": lambda ledger: record(
        ledger, TESTED.replace("prior: 0.6", "prior: 0.5").replace("prior: 0.4", "prior: 0.5")
    ),
    "resolve": settle,
    "resolve as void": lambda ledger: settling.resolve_void(ledger, "port", why="no", author="ana"),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
@pytest.mark.parametrize("is_void", [False, True])
def test_a_closed_study_takes_nothing_until_it_is_undone(write: Callable[[Ledger], object], is_void: bool) -> None:
    ledger = with_reports()
    if is_void:
        settling.resolve_void(ledger, "port", why="no test", author="ana")
    else:
        settle(ledger)
    before = head(ledger)
    told = "void" if is_void else "strike"
    with pytest.raises(desk.SettledError, match=rf"port: it was resolved by e4 \({told}\) and takes nothing more"):
        write(ledger)
    assert head(ledger) == before
    undo(ledger)
    write(ledger)


def test_it_is_refused_also_where_it_was_settled_at_the_last_moment() -> None:
    """Between what a writer saw first and what it decides on, somebody else resolves."""

    class Overtaken(MemoryLedger):
        def append(self, decide: Any) -> Any:
            if self.overtake:
                self.overtake = False
                settle(self)
            return super().append(decide)

        overtake = False

    for write in (lambda ledger: log(ledger, SOUND["count"]), publish):
        quiet = with_reports()
        ledger = Overtaken(quiet._clock)
        ledger.restore(quiet.entries())
        ledger.overtake = True
        with pytest.raises(desk.SettledError):
            write(ledger)
        assert [entry.kind for entry in ledger.entries()][-1] == "resolve"


def test_the_same_study_may_be_handed_in_again() -> None:
    ledger = with_reports()
    settle(ledger)
    assert not record(ledger, TESTED).is_new


def test_another_study_of_the_ledger_stays_open() -> None:
    ledger = with_reports()
    record(ledger, TESTED.replace("study: port", "study: harbour"))
    settle(ledger)
    workflow.log_report(ledger, "harbour", SOUND["state"], author="ana", today=TODAY, place=str)


def test_undone_both_entries_stay_and_it_can_be_resolved_otherwise() -> None:
    ledger = with_reports()
    settle(ledger)
    assert undo(ledger) == "e5"
    last = list(ledger.entries())[-1]
    assert (last.kind, last.payload["undo"], last.payload["why"]) == ("resolve", "e4", "it was the other")
    assert read_study(ledger, "port").resolution is None
    with pytest.raises(settling.NotSettledError, match="there is no resolution to undo"):
        undo(ledger)
    assert settle(ledger, "settled").entry == "e6"
    with pytest.raises(desk.NoReasonError, match="undoing a resolution needs its reason"):
        undo(ledger, " ")
    resolution = read_study(ledger, "port").resolution
    assert resolution is not None
    assert resolution.scenario == "settled"
    assert ledger.verify() is None


@pytest.mark.parametrize(
    ("scenario", "on", "phrase"),
    [
        ("strik", MAY, 'SCENARIO: no scenario "strik" in the study; did you mean "strike"?'),
        ("strike", date(2024, 7, 2), r"--on: 2024-07-02 lies in the future \(today is 2024-07-01, UTC\)"),
        ("strike", date(2023, 12, 31), "--on: 2023-12-31 lies before the study opens on 2024-01-01"),
    ],
)
def test_what_cannot_have_come_true_is_refused(scenario: str, on: date, phrase: str) -> None:
    ledger = with_reports()
    before = head(ledger)
    with pytest.raises(FaultsError, match=phrase):
        settle(ledger, scenario, on)
    assert head(ledger) == before


def test_a_day_after_the_horizon_is_refused() -> None:
    with pytest.raises(FaultsError, match="lies after the study's horizon 2024-12-31"):
        settling.resolve(with_reports(), "port", "strike", on=date(2025, 1, 1), author="ana", today=date(2025, 2, 1))


SOUND_CONTENT = {"format": "watchfloor.resolution/1", "scenario": "strike", "on": "2024-05-01"}


@pytest.mark.parametrize(
    "changes",
    [{"format": "watchfloor.resolution/2"}, {"scenario": "peace"}, {"on": "soon"}, {"on": None}, {"why": 1}],
)
def test_what_this_version_does_not_know_is_refused(changes: dict[str, object]) -> None:
    ledger = with_reports()
    payload = {**SOUND_CONTENT, **changes}
    ledger.append(lambda _: [Draft(author="eve", study="port", kind="resolve", payload=payload)])
    with pytest.raises(UnreadableEntryError, match="not a resolution as this version knows it"):
        _ = read_study(ledger, "port").resolution
