"""What is published: written, read back, refused; and that it comes back to the digit whatever happens later."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

import forecast
from forecast import desk, settling
from forecast.assessment import departure, flags
from forecast.bayes import filtered_and_smoothed
from forecast.outlook import AsOfError
from forecast.publication import Publication, UnknownPublicationError, opinion_of, publications_of
from forecast.reading import Reading, UnknownStudyError, read_study
from indicators.entry import Draft, Entry
from indicators.errors import FaultsError
from indicators.ledger import Head, Ledger, MemoryLedger
from indicators.replay import UnreadableEntryError
from tests.small import SOUND, STUDY, TODAY, amend, head, log, new_ledger, record, retract

TESTED = STUDY.replace("prior: 0.6}", "prior: 0.6, resolves_if: it is signed}").replace(
    "prior: 0.4}", "prior: 0.4, resolves_if: nobody works}"
)
MARCH, MAY = date(2024, 3, 1), date(2024, 5, 1)
NOW = datetime(2024, 7, 2, tzinfo=UTC)


def publish(ledger: Ledger, as_of: date | None = MARCH, **more: Any) -> Entry:
    """The entry of a publication."""
    found = settling.publish(ledger, "port", as_of=as_of, author="ana", today=TODAY, **more)
    [entry] = ledger.entries(after=found.before.entries)
    assert (entry.id, entry.hash) == (found.entry, found.head.hash)
    return entry


def with_reports() -> MemoryLedger:
    """Entries e1 to e3: the study, and two reports."""
    ledger = new_ledger(TESTED)
    log(ledger, SOUND["state"])
    log(ledger, SOUND["count"])
    return ledger


def reading(ledger: Ledger) -> Reading:
    return read_study(ledger, "port")


def test_a_publication_holds_the_numbers_of_the_outlook_before_it() -> None:
    ledger = with_reports()
    before, outlook = head(ledger), reading(ledger).outlook(MARCH)
    entry = publish(ledger, note=" as agreed ")
    [found] = publications_of([entry])
    assert [said.scenario for said in found.scenarios] == ["settled", "strike"]
    assert [said.probability for said in found.scenarios] == outlook.final.tolist()
    assert [said.low for said in found.scenarios] == outlook.bands.low[-1].tolist()
    assert [said.high for said in found.scenarios] == outlook.bands.high[-1].tolist()
    assert (found.before, found.head) == (before, head(ledger))
    assert (found.number, found.entry, found.as_of, found.author) == (1, "e4", MARCH, "ana")
    assert (found.note, found.tlp, found.opinion) == ("as agreed", "clear", None)
    assert found.days_late == 122


def test_the_default_day_is_today_or_the_last_of_the_study() -> None:
    ledger = with_reports()
    assert publish(ledger, None).payload["as_of"] == "2024-07-01"
    found = settling.publish(ledger, "port", author="ana", today=date(2026, 1, 1))
    assert (found.as_of, found.number) == (date(2024, 12, 31), 2)


def later(ledger: Ledger) -> None:
    """All that may happen to a study afterwards."""
    log(ledger, {**SOUND["state"], "state": "hostile", "observed": "2024-02-20"})
    amend(ledger, "e2", state="tense")
    retract(ledger, "e3")
    record(ledger, TESTED.replace("[0.6, 0.3, 0.1]", "[0.1, 0.3, 0.6]"))


def test_it_comes_back_to_the_digit_whatever_is_logged_later() -> None:
    ledger = with_reports()
    outlook = reading(ledger).outlook(MARCH)
    publish(ledger)
    later(ledger)
    then = reading(ledger).published(1)
    assert then.head == Head(3, then.head.hash)
    again = then.outlook(MARCH)
    assert (again.final == outlook.final).all()
    assert (again.course == outlook.course).all()
    assert (again.bands.low == outlook.bands.low).all()
    assert departure(again) == ""
    assert flags(again)[0] == "the numbers are those published as e4"
    assert (reading(ledger).outlook(MARCH).final != outlook.final).all()


def test_another_engine_is_told_loudly_and_the_published_numbers_win(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = with_reports()
    said = reading(ledger).outlook(MARCH).final
    publish(ledger)

    def other(prior: Any, stay: Any, daily: Any) -> Any:
        return filtered_and_smoothed(prior, stay, 0.9 * daily)

    monkeypatch.setattr("forecast.outlook.filtered_and_smoothed", other)
    again = reading(ledger).published(1).outlook(MARCH)
    assert (again.final == said).all()
    assert again.departure > 1e-3
    assert "published as e4 by engine 0.1.0; of the same entries this engine makes others" in departure(again)
    assert flags(again)[0] == departure(again)


def test_without_something_it_is_worked_out_anew() -> None:
    ledger = with_reports()
    publish(ledger)
    then = reading(ledger).published(1)
    assert then.outlook(MARCH, without=["entry:e2"]).stated is None
    assert then.outlook(MAY).stated is None


def test_its_mark_is_the_strictest_of_what_it_rests_on() -> None:
    ledger = with_reports()
    log(ledger, {**SOUND["state"], "tlp": "amber", "observed": "2024-04-01"})
    assert [publish(ledger, day).payload["tlp"] for day in (MARCH, MAY)] == ["clear", "amber"]


def test_the_numbers_of_a_publication_stay_in_when_it_rests_on_too_much() -> None:
    ledger = with_reports()
    log(ledger, {**SOUND["state"], "tlp": "red", "observed": "2024-02-20"})
    said = publish(ledger).payload["scenarios"][0]["probability"]
    then = reading(ledger).published(1)
    below = then.released(MARCH, now=NOW, max_tlp="green", without_above=True)
    assert below.outlook.stated is None
    assert below.outlook.final[0] != said


def test_programs_publish_through_the_face_of_the_package() -> None:
    ledger = with_reports()
    found = forecast.publish(ledger, author="ana", as_of=MARCH, opinion={"settled": 0.7, "strike": 0.3})
    assert found == reading(ledger).publications[0]
    again = forecast.released(reading(ledger).published(1))
    assert (again.outlook.as_of, again.outlook.stated is not None) == (MARCH, True)
    with pytest.raises(UnknownStudyError):
        forecast.publish(ledger, "harbour", author="ana")


# What may be published


def refused(kind: type[Exception], ledger: Ledger, phrase: str, as_of: date | None = MARCH, **more: Any) -> None:
    before = head(ledger)
    with pytest.raises(kind, match=phrase):
        publish(ledger, as_of, **more)
    assert head(ledger) == before


def test_a_study_whose_scenarios_have_no_test_is_refused() -> None:
    refused(settling.NoTestError, new_ledger(), "settled, strike have no resolves_if")
    refused(settling.NoTestError, new_ledger(TESTED.replace(", resolves_if: nobody works", "")), "strike has no res")


def test_a_day_that_has_not_come_or_lies_outside_is_refused() -> None:
    refused(settling.NotYetError, with_reports(), "2024-07-02 lies in the future", date(2024, 7, 2))
    refused(AsOfError, with_reports(), "lies outside the study", date(2023, 7, 2))


def test_publications_run_forward() -> None:
    ledger = with_reports()
    publish(ledger, MAY)
    refused(settling.EarlierDayError, ledger, "2024-03-01 lies before 2024-05-01, of which e4 speaks already")
    assert publish(ledger, MAY).id == "e5"


def test_a_settled_question_is_not_forecast() -> None:
    ledger = with_reports()
    ledger.append(lambda _: [Draft(author="ana", study="port", kind="resolve", payload={"scenario": "strike"})])
    refused(desk.SettledError, ledger, "port: it was resolved by e4")


@pytest.mark.parametrize(
    ("opinion", "phrase"),
    [
        ({"settled": 0.7, "strike": 0.28}, "the opinion sums to 0.98, not to 1"),
        ({"settled": 0.7, "strike": 0.30001}, "the opinion sums to 1.00001, not to 1"),
        ({"settled": 0.7, "strike": 0.7}, "the opinion sums to 1.4, not to 1"),
        ({"settled": 0.7}, "says nothing of strike"),
        ({"settled": 0.7, "stroke": 0.3}, 'no scenario "stroke" in the study; did you mean "strike"'),
        ({"settled": 1.0, "strike": 0.0}, "1 is not a probability that settled could be given"),
        ({"settled": float("nan"), "strike": 0.5}, "nan is not a probability"),
        ({"settled": 1.5, "strike": -0.5}, "-0.5 is not a probability that strike could be given"),
    ],
)
def test_an_opinion_that_is_no_distribution_is_refused(opinion: dict[str, float], phrase: str) -> None:
    refused(FaultsError, with_reports(), phrase, opinion=opinion)


def test_an_opinion_stands_beside_the_number_in_file_order() -> None:
    entry = publish(with_reports(), opinion={"strike": 0.3 + 1e-9, "settled": 0.7})
    [found] = publications_of([entry])
    assert found.opinion == {"settled": 0.7, "strike": 0.3 + 1e-9}
    assert list(opinion_of({"b": 0.5, "a": 0.5}, ["a", "b"])) == ["a", "b"]


def test_a_note_is_a_text_like_any_other() -> None:
    refused(FaultsError, with_reports(), "--note: the text has the control character U\\+0007", note="\x07")


def test_a_writer_who_is_quicker_is_in_the_publication() -> None:
    class Interrupted(MemoryLedger):
        """A ledger to which somebody appends between the reading and the writing of another."""

        def append(self, decide: Callable[[Ledger], Any]) -> list[Entry]:
            if self.meanwhile:
                self.meanwhile = False
                log(self, {**SOUND["state"], "state": "hostile", "observed": "2024-02-20"})
            return super().append(decide)

        meanwhile = False

    quiet, ledger = with_reports(), Interrupted(with_reports()._clock)
    ledger.restore(quiet.entries())
    ledger.meanwhile = True
    entry = publish(ledger)
    assert entry.payload["ledger"]["entries"] == 4
    [found] = publications_of([entry])
    assert found.before.hash == entry.prev
    log(quiet, {**SOUND["state"], "state": "hostile", "observed": "2024-02-20"})
    assert [s.probability for s in found.scenarios] == reading(quiet).outlook(MARCH).final.tolist()
    assert departure(reading(ledger).published(1).outlook(MARCH)) == ""


# What is read back


def test_an_unknown_number_is_refused() -> None:
    ledger = with_reports()
    with pytest.raises(UnknownPublicationError, match="there is no publication 1; nothing was published yet"):
        reading(ledger).published(1)
    publish(ledger)
    with pytest.raises(UnknownPublicationError, match="no publication 2, only 1"):
        reading(ledger).published(2)


def tampered(**changes: Any) -> Entry:
    """A publication by another program: rightly chained, with other content."""
    ledger = with_reports()
    payload = publish(ledger).payload
    again = {**payload, "ledger": {"entries": 4, "head": ledger.head().hash}, **changes}
    return ledger.append(lambda _: [Draft(author="eve", study="port", kind="publish", payload=again)])[0]


def test_a_sound_one_is_read() -> None:
    assert isinstance(publications_of([tampered()])[0], Publication)


SAID = {"id": "settled", "probability": 0.5, "low": 0.1, "high": 0.9}


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "watchfloor.publication/2"},
        {"tlp": "secret"},
        {"as_of": "yesterday"},
        {"scenarios": [SAID]},
        {"scenarios": [SAID, {**SAID, "probability": "0.5"}]},
        {"scenarios": [SAID, {**SAID, "probability": True}]},
        {"scenarios": "none"},
        {"opinion": {"settled": 0.5}},
        {"engine": 1},
        {"note": 1},
        {"draws": None},
    ],
)
def test_what_this_version_does_not_know_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UnreadableEntryError, match="not a publication as this version knows it"):
        publications_of([tampered(**changes)])


def test_one_that_rests_on_another_ledger_is_refused() -> None:
    with pytest.raises(UnreadableEntryError, match="rests on another ledger than the one it stands in"):
        publications_of([tampered(ledger={"entries": 4, "head": "ab" * 32})])


def test_an_outlook_says_by_how_much_it_departs() -> None:
    ledger = with_reports()
    outlook = reading(ledger).outlook(MARCH)
    assert (outlook.departure, departure(outlook)) == (0.0, "")
    publish(ledger)
    then = reading(ledger).published(1).outlook(MARCH)
    assert then.with_report(then.report_contributions[0].live).stated is None
    assert np.isclose(then.final.sum(), 1.0)
