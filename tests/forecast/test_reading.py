"""From a ledger to an outlook: which study, the two clocks, and what is left out on request."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given

from forecast.outlook import AsOfError
from forecast.reading import (
    ChooseStudyError,
    NoStudyError,
    Reading,
    UnknownStudyError,
    WithoutError,
    chosen_study,
    read_study,
)
from forecast.study import Study
from forecast.version import __version__
from forecast.workflow import amend as amend_in
from forecast.workflow import log_report
from indicators.entry import content_hash
from indicators.errors import WatchfloorError
from indicators.ledger import Ledger, MemoryLedger
from tests.forecast.build import outlook_of
from tests.small import (
    OPENS,
    SOUND,
    STUDY,
    TODAY,
    amend,
    cover,
    import_files,
    log,
    new_ledger,
    place,
    record,
    retract,
    steady,
    ticking_clock,
)
from tests.strategies import Case, cases

NOON = datetime(2024, 7, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MOOD = {**SOUND["state"], "source": "Wire", "origin": "o1"}


def hours(n: float) -> datetime:
    """n hours after noon: entry e1 is recorded at 0, e2 at 1 and so on."""
    return NOON + n * HOUR


def at(ledger: Ledger, moment: datetime | None = None) -> Reading:
    return read_study(ledger, "port", known_at=moment)


def final(reading: Reading, as_of: date = TODAY, *without: str) -> list[float]:
    """The probabilities of a day."""
    values: list[float] = reading.outlook(as_of, without=without).final.tolist()
    return values


def others_too() -> MemoryLedger:
    """A ledger with the studies port, later and quay."""
    ledger = new_ledger()
    for name in ("later", "quay"):
        record(ledger, STUDY.replace("study: port", f"study: {name}"))
    return ledger


# Which study


def test_the_only_study_need_not_be_named() -> None:
    assert chosen_study(new_ledger(), None) == "port"


def test_one_of_several_must_be_named() -> None:
    with pytest.raises(ChooseStudyError, match=r"--study: the ledger holds 3 studies; name one of: port, later, quay"):
        chosen_study(others_too(), None)
    assert chosen_study(others_too(), "quay") == "quay"


def test_an_unknown_study_suggests_the_nearest() -> None:
    with pytest.raises(UnknownStudyError, match=r'--study: no study "prot" in the ledger; did you mean "port"\?'):
        chosen_study(others_too(), "prot")
    with pytest.raises(UnknownStudyError, match=r'no study "" in the ledger; one of: port'):
        chosen_study(new_ledger(), "")


@pytest.mark.parametrize("asked", [None, "port"])
def test_a_ledger_without_studies_says_so(asked: str | None) -> None:
    with pytest.raises(NoStudyError, match="the ledger: it holds no study; record one with `forecast study add FILE`"):
        chosen_study(MemoryLedger(ticking_clock()), asked)


@pytest.mark.parametrize("asked", [None, "port"])
def test_before_the_first_study_the_moment_is_at_fault(asked: str | None) -> None:
    with pytest.raises(NoStudyError, match="--known-at: the ledger held no study then; give a later moment"):
        chosen_study(new_ledger(), asked, known_at=hours(-1))


def test_a_study_recorded_later_was_not_known_then() -> None:
    ledger = others_too()
    assert chosen_study(ledger, None, known_at=hours(0.5)) == "port"
    with pytest.raises(UnknownStudyError):
        chosen_study(ledger, "quay", known_at=hours(1.5))
    with pytest.raises(UnknownStudyError, match='no study "quay" was known then'):
        read_study(ledger, "quay", known_at=hours(1.5))


def test_studies_in_one_ledger_do_not_mix() -> None:
    ledger = others_too()
    entry = log(ledger, MOOD)
    assert len(list(read_study(ledger, "quay").known.reports())) == 0
    assert len(list(at(ledger).known.reports())) == 1
    with pytest.raises(WatchfloorError, match=f"{entry.id}: there is no such report"):
        amend_in(ledger, "quay", entry.id, {"state": "tense"}, why=None, author="bo", today=TODAY, place=place)
    log_report(ledger, "quay", {**MOOD, "ref": "A"}, author="ana", today=TODAY, place=place)
    log(ledger, {**MOOD, "ref": "A"})


# Known-at


def test_what_was_known_at_a_moment_includes_the_moment() -> None:
    ledger = new_ledger()
    log(ledger, MOOD)
    assert [len(list(at(ledger, hours(n)).known.reports())) for n in (0, 0.99, 1, 2)] == [0, 0, 1, 1]


def test_a_correction_counts_from_when_it_was_recorded() -> None:
    ledger = new_ledger()
    log(ledger, MOOD)
    amend(ledger, "e2", state="hostile")
    retract(ledger, "e2")
    states = [[report.state for _, report in at(ledger, hours(n)).known.reports()] for n in (0, 1, 2, 3)]
    assert states == [[], ["calm"], ["hostile"], []]
    assert [at(ledger, hours(n)).known.logged.get("e2") is not None for n in (0, 1, 2, 3)] == [False, True, True, True]


def test_the_revision_in_force_then_is_used() -> None:
    ledger = new_ledger()
    log(ledger, MOOD)
    record(ledger, STUDY.replace("settled: [0.6, 0.3, 0.1]", "settled: [0.1, 0.3, 0.6]"))
    before, after = at(ledger, hours(1.5)), at(ledger)
    assert final(before) != final(after)
    assert (before.flags, len(after.flags)) == ([], 1)
    assert before.study.scenario_ids == after.study.scenario_ids


def test_a_past_reading_does_not_change_with_what_comes_later() -> None:
    ledger = new_ledger()
    log(ledger, MOOD)
    then = final(at(ledger, hours(1)))
    provenance = at(ledger, hours(1)).provenance(now=hours(1))
    cover(ledger, "talks", "2024-01-01", "2024-06-30")
    amend(ledger, "e2", state="hostile")
    record(ledger, STUDY + "# again\n")
    assert final(at(ledger, hours(1))) == then
    assert at(ledger, hours(1)).provenance(now=hours(9)) == provenance
    assert final(at(ledger)) != then


def test_provenance_says_what_was_read() -> None:
    ledger = new_ledger()
    log(ledger, MOOD)
    record(ledger, STUDY + "# again\n")
    log(ledger, MOOD)
    then = at(ledger, hours(2.5)).provenance(now=hours(9), without=["source:Wire"])
    entries = list(ledger.entries())
    assert (then.engine, then.revision_number, then.without) == (__version__, 2, ("source:Wire",))
    assert then.revision == content_hash(entries[2].payload)
    assert then.known_at == "2024-07-01T14:30:00.000000Z"
    assert (then.head.entries, then.head.hash) == (3, entries[2].hash)
    assert at(ledger).provenance(now=hours(9)).known_at == "2024-07-01T21:00:00.000000Z"
    assert at(ledger).provenance(now=hours(9)).head == ledger.head()


# As-of


def test_the_world_counts_up_to_the_day_whenever_it_was_logged() -> None:
    ledger = new_ledger()
    log(ledger, {**MOOD, "observed": "2024-03-01"})
    reading = at(ledger)
    assert [len(reading.outlook(date(2024, month, 1)).report_contributions) for month in (2, 3, 4)] == [0, 1, 1]
    assert final(reading, date(2024, 2, 29)) == pytest.approx(final(at(new_ledger()), date(2024, 2, 29)), abs=1e-15)


def test_a_late_report_changes_earlier_days_as_of_and_not_what_was_known() -> None:
    ledger = new_ledger()
    log(ledger, {**MOOD, "observed": "2024-03-01"})
    day = date(2024, 4, 1)
    assert final(at(ledger, hours(0)), day) != final(at(ledger), day)


@pytest.mark.parametrize("day", [OPENS - timedelta(days=1), date(2025, 1, 1)])
def test_there_is_no_outlook_outside_the_study(day: date) -> None:
    with pytest.raises(AsOfError, match=r"--as-of: .* lies outside the study, which runs from 2024-01-01 to "):
        at(new_ledger()).outlook(day)


@pytest.mark.parametrize(
    ("today", "day"),
    [
        ("2023-06-01", "2024-01-01"),
        ("2024-01-01", "2024-01-01"),
        ("2024-07-01", "2024-07-01"),
        ("2025-06-01", "2024-12-31"),
    ],
)
def test_the_day_is_todays_within_the_study(today: str, day: str) -> None:
    reading = at(new_ledger())
    assert reading.default_as_of(date.fromisoformat(today)) == date.fromisoformat(day)
    reading.outlook(reading.default_as_of(date.fromisoformat(today)))


# Without


WITHOUT = {
    "source:Wire": ["e4", "e5", "e6"],
    "source:Paper": ["e2", "e3", "e5", "e6"],
    "origin:o1": ["e3", "e5", "e6"],
    "indicator:mood": ["e5", "e6"],
    "indicator:talks": ["e2", "e3", "e4", "e6"],
    "entry:e2": ["e3", "e4", "e5", "e6"],
    "entry:e7": ["e2", "e3", "e4", "e5", "e6"],
    "indicator:wait": ["e2", "e3", "e4", "e5", "e6"],
}


def four_sources() -> MemoryLedger:
    """Reports e2 (Wire, o1), e3 (Wire, o2), e4 (Paper, o1), e5 (talks), e6 (treaty), coverage of the talks e7."""
    ledger = new_ledger()
    log(ledger, MOOD)
    log(ledger, {**MOOD, "observed": "2024-03-01", "state": "tense", "origin": "o2"})
    log(ledger, {**MOOD, "observed": "2024-03-05", "state": "hostile", "source": "Paper"})
    log(ledger, SOUND["count"])
    log(ledger, SOUND["milestone"])
    cover(ledger, "talks", "2024-03-01", "2024-03-31")
    return ledger


@pytest.mark.parametrize(("left_out", "rest"), WITHOUT.items())
def test_without_something_is_the_same_study_in_which_it_was_never_logged(left_out: str, rest: list[str]) -> None:
    reading = at(four_sources())
    evidence = reading.log([left_out])
    assert sorted(live.entry for found in evidence.reports.values() for live in found) == rest
    assert ("talks" in evidence.coverage) == (left_out not in ("indicator:talks", "entry:e7"))
    retracted = four_sources()
    for entry in ("e2", "e3", "e4", "e5", "e6"):
        if entry not in rest:
            retract(retracted, entry)
    if "talks" not in evidence.coverage:
        retract(retracted, "e7")
    assert final(reading, TODAY, left_out) == pytest.approx(final(at(retracted)), abs=1e-15)


def test_without_an_indicator_its_silence_goes_too() -> None:
    ledger = new_ledger()
    plain = np.array(final(at(ledger)))
    silent = np.array(final(at(ledger), TODAY, "indicator:ballot", "indicator:raids"))
    # Without the quiet days of what always counts, nothing was seen at all.
    assert silent.tolist() == pytest.approx([0.6, 0.4], abs=1e-15)
    assert abs(plain - silent).max() > 0.01


def test_several_things_are_left_out_together() -> None:
    reading = at(four_sources())
    evidence = reading.log(["source:Wire", "entry:e4", "indicator:treaty"])
    assert [live.entry for found in evidence.reports.values() for live in found] == ["e5"]


def test_a_source_with_a_colon_in_its_name() -> None:
    ledger = new_ledger()
    log(ledger, {**MOOD, "source": "wire: Kyodo"})
    assert at(ledger).log(["source:wire: Kyodo"]).reports == {}


def test_what_is_left_out_is_what_a_correction_made_of_it() -> None:
    ledger = new_ledger()
    log(ledger, MOOD)
    amend(ledger, "e2", source="Paper")
    assert at(ledger).log(["source:Paper"]).reports == {}
    with pytest.raises(WithoutError, match='no source "Wire" in the study; one of: Paper'):
        at(ledger).log(["source:Wire"])


@pytest.mark.parametrize("left_out", WITHOUT)
def test_leaving_out_of_a_list_agrees_with_leaving_out_of_the_evidence(left_out: str) -> None:
    reading = at(four_sources())
    kept = [logged.entry.id for logged in reading.listed(lambda _: True, without=[left_out])]
    evidence = reading.log([left_out])
    live = [item.entry for found in evidence.reports.values() for item in found]
    assert sorted(set(kept) - {"e7"}) == sorted(live)
    assert ("e7" in kept) == ("talks" in evidence.coverage)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Wire", '"Wire" names nothing to leave out; write source:NAME, origin:NAME, indicator:ID or entry:ID'),
        ("", '"" names nothing to leave out'),
        ("source:", '"source:" names nothing to leave out'),
        ("source", '"source" names nothing to leave out'),
        ("grade:B2", '"grade:B2" names nothing to leave out'),
        ("Source:Wire", '"Source:Wire" names nothing to leave out'),
        ("source:Wir", 'no source "Wir" in the study; did you mean "Wire"?'),
        ("source: Wire", 'no source " Wire" in the study; did you mean "Wire"?'),
        ("origin:o9", 'no origin "o9" in the study; one of: o1, o2'),
        ("indicator:moood", 'no indicator "moood" in the study; did you mean "mood"?'),
        ("entry:e1", 'no entry "e1" in the study; one of: e2'),
        ("entry:e8", 'no entry "e8" in the study; one of: e2'),
    ],
)
def test_what_is_not_there_cannot_be_left_out(text: str, words: str) -> None:
    ledger = four_sources()
    retract(ledger, log(ledger, MOOD).id)
    with pytest.raises(WithoutError) as caught:
        at(ledger).log([text])
    assert str(caught.value).startswith(f"--without: {words}")


# The same through a ledger as without one


@steady
@given(cases())
def test_a_reading_of_a_ledger_is_the_outlook_of_its_records(case: Case) -> None:
    study, reports, coverage, as_of = case
    direct = outlook_of(study, reports, coverage, as_of)
    name, today = str(study["study"]), date(2026, 12, 31)
    ledger = MemoryLedger(ticking_clock())
    model: Study = direct.study
    content = model.model_dump(mode="json", exclude_none=True)
    from forecast import workflow

    workflow.record_study(ledger, model, content=content, text="", file="x.yaml", author="ana")
    for raw in coverage:
        workflow.cover(ledger, name, raw, author="ana", today=today, place=place)
    for raw in reports:
        workflow.log_report(ledger, name, raw, author="ana", today=today, place=place)
    read = read_study(ledger, name).outlook(as_of)
    assert np.array_equal(read.course, direct.course)
    assert np.array_equal(read.smoothed_course, direct.smoothed_course)


def test_the_order_of_logging_does_not_matter_but_for_what_shares_a_day() -> None:
    days = ["2024-02-01", "2024-03-01", "2024-04-01"]
    reports = [
        {**MOOD, "observed": day, "state": state} for day, state in zip(days, ("calm", "tense", "hostile"), strict=True)
    ]
    forwards, backwards = new_ledger(), new_ledger()
    for raw in reports:
        log(forwards, raw)
    for raw in reversed(reports):
        log(backwards, raw)
    assert final(at(forwards)) == pytest.approx(final(at(backwards)), abs=1e-12)


def test_ten_copies_of_one_story_are_one_to_the_last_digit() -> None:
    one, ten = new_ledger(), new_ledger()
    log(one, MOOD)
    rows = "".join(f"mood,2024-02-{day:02},calm,Wire,o1,copy {day}\n" for day in range(1, 11))
    import_files(ten, ("a.csv", f"indicator,observed,state,source,origin,note\n{rows}".encode()))
    assert final(at(one)) == final(at(ten))
