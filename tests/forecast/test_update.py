"""What changed since the last publication: the lines add up, and none rests on what may not be seen."""

from datetime import UTC, date, datetime

import numpy as np
import pytest

from forecast import settling
from forecast.probability import Floats
from forecast.reading import read_study
from forecast.update import Update, update_since
from indicators.ledger import MemoryLedger
from tests.forecast.test_publication import MARCH, MAY, TESTED, publish, with_reports
from tests.small import SOUND, amend, log, new_ledger, record, retract

NOW = datetime(2024, 7, 2, tzinfo=UTC)


def update(ledger: MemoryLedger, as_of: date = MAY, *, max_tlp: str | None = None) -> Update | None:
    reading = read_study(ledger, "port")
    released = reading.released(as_of, now=NOW, max_tlp=max_tlp, without_above=max_tlp is not None)
    return update_since(reading, released, now=NOW, max_tlp=max_tlp)


def odds(probabilities: Floats) -> Floats:
    return np.log(probabilities / (1.0 - probabilities))


def adds_up(found: Update) -> None:
    moved = found.late + np.sum([row.log_odds for row in found.rows], axis=0)
    assert odds(found.now) == pytest.approx(odds(found.was) + moved, abs=1e-9)


def test_nothing_is_compared_with_nothing() -> None:
    assert update(with_reports()) is None


def test_only_what_came_since_moves_it() -> None:
    ledger = with_reports()
    publish(ledger)
    log(ledger, {**SOUND["state"], "state": "hostile", "observed": "2024-04-20"})
    found = update(ledger)
    assert found is not None
    adds_up(found)
    assert found.late == pytest.approx(0.0, abs=1e-9)
    assert [row.live.entry for row in found.rows if row.live] == ["e5"]
    assert (found.logged_late, found.corrected, found.revised) == ((), (), False)
    assert found.change == pytest.approx(found.now - found.was)


def test_what_became_known_about_the_days_before_is_one_line() -> None:
    ledger = with_reports()
    publish(ledger)
    log(ledger, {**SOUND["state"], "state": "hostile", "observed": "2024-02-20"})
    amend(ledger, "e2", state="tense")
    retract(ledger, "e3")
    found = update(ledger)
    assert found is not None
    adds_up(found)
    assert abs(found.late).min() > 0.1
    assert [live.entry for live in found.logged_late] == ["e5"]
    assert found.corrected == ("e2", "e3")
    assert not any(row.live for row in found.rows)


def test_a_revision_is_told() -> None:
    ledger = with_reports()
    publish(ledger)
    text = TESTED.replace("prior: 0.6,", "prior: 0.5,").replace("prior: 0.4,", "prior: 0.5,")
    record(ledger, text)
    found = update(ledger)
    assert found is not None and found.revised
    adds_up(found)
    assert np.isfinite(found.late).all()


def test_a_scenario_that_was_not_there_then_has_no_number_of_then() -> None:
    two = """\
study: port
opens: 2024-01-01
horizon: 2024-12-31
scenarios:
  - {id: settled, resolves_if: signed}
  - {id: strike, resolves_if: struck}
indicators:
  - {id: talks, kind: count, rates: {settled: 12, strike: 4}}
"""
    three = two.replace("strike: 4", "strike: 4, lull: 1").replace("ind", "  - {id: lull, resolves_if: quiet}\nind", 1)
    ledger = new_ledger(two)
    publish(ledger)
    record(ledger, three)
    found = update(ledger)
    assert found is not None and found.revised
    assert np.isnan(found.was).tolist() == np.isnan(found.late).tolist() == [False, False, True]
    assert np.isfinite(found.now).all()


def test_the_last_one_of_that_day_or_before_is_taken() -> None:
    ledger = with_reports()
    publish(ledger)
    publish(ledger, MAY)
    publish(ledger, MAY)
    found = [update(ledger, day) for day in (date(2024, 2, 1), date(2024, 4, 1), MAY, date(2024, 6, 1))]
    assert [item and item.publication.number for item in found] == [None, 1, 3, 3]


def test_of_a_publication_itself_the_one_before_is_told() -> None:
    ledger = with_reports()
    publish(ledger)
    publish(ledger, MAY)
    then = read_study(ledger, "port").published(2)
    found = update_since(then, then.released(MAY, now=NOW), now=NOW)
    assert found is not None and found.publication.number == 1
    adds_up(found)


def test_a_publication_that_rests_on_too_much_is_as_if_it_had_not_been() -> None:
    ledger = with_reports()
    publish(ledger)
    log(ledger, {**SOUND["state"], "state": "hostile", "observed": "2024-03-20", "tlp": "red"})
    publish(ledger, date(2024, 4, 1))
    seen, below = update(ledger), update(ledger, max_tlp="amber")
    assert seen is not None and below is not None
    assert (seen.publication.number, below.publication.number) == (2, 1)
    assert not any(row.live for row in below.rows)
    amend(ledger, "e2", tlp="red")
    assert update(ledger, max_tlp="amber") is None


def test_publishing_by_the_workflow_is_what_is_compared() -> None:
    ledger = with_reports()
    done = settling.publish(ledger, "port", as_of=MARCH, author="ana", today=MAY)
    found = update(ledger, MARCH)
    assert found is not None and found.publication == done
    assert (found.rows, found.late.tolist()) == ([], pytest.approx([0.0, 0.0], abs=1e-9))
