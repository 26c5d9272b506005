"""A reading that goes on from an earlier one is the reading from the start."""

from __future__ import annotations

from forecast.reading import Reading, read_on, read_study
from indicators.ledger import MemoryLedger
from tests.small import STUDY, TODAY, amend, cover, log, new_ledger, record, retract, ticking_clock

REPORT = {"indicator": "mood", "state": "tense", "observed": "2024-03-01", "ref": "r"}


def gone_on(before: Reading, ledger: MemoryLedger) -> Reading:
    """The reading that goes on, which is the same as one from the start."""
    found, whole = read_on(before), read_study(ledger, "port")
    assert (found.known, found.head, found.known_at) == (whole.known, whole.head, None)
    assert (found.outlook(TODAY).final == whole.outlook(TODAY).final).all()
    return found


def test_it_takes_in_entries_of_every_kind() -> None:
    ledger = new_ledger()
    reading = read_study(ledger, "port")
    assert gone_on(reading, ledger).known == reading.known
    log(ledger, REPORT)
    reading = gone_on(reading, ledger)
    cover(ledger, "talks", "2024-02-01", "2024-02-28")
    amend(ledger, "e2", state="hostile", ref="s")
    reading = gone_on(reading, ledger)
    record(ledger, STUDY.replace("title: The port", "title: The old port"))
    record(ledger, STUDY.replace("study: port", "study: other"))
    reading = gone_on(reading, ledger)
    assert reading.study.title == "The old port"
    retract(ledger, "e2")
    assert gone_on(reading, ledger).known.logged["e2"].retracted


def test_what_was_read_before_stays_as_it_was() -> None:
    ledger = new_ledger()
    log(ledger, REPORT)
    before = read_study(ledger, "port")
    retract(ledger, "e2")
    log(ledger, {**REPORT, "ref": "t"})
    read_on(before)
    assert list(before.known.logged) == ["e2"] and not before.known.logged["e2"].retracted
    assert list(before.known.refs) == ["r"]


def test_where_another_ledger_was_put_in_its_place_it_begins_anew() -> None:
    ledger, other = new_ledger(), MemoryLedger(ticking_clock())
    log(ledger, REPORT)
    before = read_study(ledger, "port")
    record(other)
    log(other, {**REPORT, "state": "calm"})
    ledger._entries[:] = list(other.entries())
    assert gone_on(before, ledger).known.logged["e2"].record.state == "calm"  # type: ignore[union-attr]
