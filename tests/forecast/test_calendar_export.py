"""The calendar before the `icalendar` library, and the rules of RFC 5545 that it does not look at."""

import re
from datetime import date, timedelta
from typing import Any

import icalendar
import pytest
from hypothesis import given

from forecast.export.calendar_export import _folded, calendar_text
from forecast.outlook import Outlook
from tests.forecast.build import japan_sar, outlook_of, released
from tests.small import steady
from tests.strategies import AWKWARD, awkward_text


def looks(name: str = "x", check: str = "30 d", as_of: date = date(2025, 3, 1)) -> Outlook:
    """A study with a look every so often, one without, and one whose indicator is retired."""
    rates = {"rates": {"a": 1.0, "b": 2.0}}
    study = {
        "study": "looks",
        "title": name[:200],
        "opens": "2025-01-01",
        "horizon": "2026-01-01",
        "scenarios": [{"id": "a"}, {"id": "b"}],
        "indicators": [
            {"id": "often", "name": name[:200] or "x", "kind": "count", "check_every": check, **rates},
            {"id": "never", "kind": "count", **rates},
            {"id": "gone", "kind": "count", "check_every": check, "retired": True, **rates},
        ],
    }
    return outlook_of(study, [{"indicator": "often", "observed": "2025-02-20"}], [], as_of)


def events(outlook: Outlook) -> list[Any]:
    book = icalendar.Calendar.from_ical(calendar_text(released(outlook)))
    assert book.errors == []
    found: list[Any] = book.walk("VEVENT")
    assert all(event.errors == [] for event in found)
    return found


def test_a_look_has_an_event_of_a_whole_day_on_the_day_it_is_due() -> None:
    [event] = events(looks("Raids, or not; \\n"))
    assert event.decoded("dtstart") == date(2025, 2, 20) + timedelta(days=30)
    assert event.decoded("dtend") == event.decoded("dtstart") + timedelta(days=1)
    assert str(event["summary"]) == "Look due: Raids, or not; \\n"
    assert str(event["uid"]) == "looks/often@watchfloor"
    assert str(event["class"]) == "PUBLIC"


def test_an_overdue_look_stands_on_the_as_of_day_and_says_so() -> None:
    [event] = events(looks("Raids", as_of=date(2025, 6, 1)))
    assert event.decoded("dtstart") == date(2025, 6, 1)
    assert str(event["summary"]) == "OVERDUE since 2025-03-22: Raids"
    assert event.decoded("priority") == 1


def test_the_name_stays_while_day_and_sequence_move() -> None:
    early, late = (events(looks(as_of=day))[0] for day in (date(2025, 3, 1), date(2025, 6, 1)))
    assert early["uid"] == late["uid"]
    assert early.decoded("sequence") == 7
    assert f"{early.decoded('dtstamp'):%Y-%m-%d %H:%M %Z}" == "2026-06-30 12:00 UTC"


def test_every_indicator_with_a_due_day_has_one_event_in_order() -> None:
    outlook = japan_sar(date(2026, 6, 7))
    found = events(outlook)
    due = [board for board in outlook.indicator_boards if board.due]
    assert {str(event["uid"]) for event in found} == {f"japan-sar/{board.indicator.id}@watchfloor" for board in due}
    days = [event.decoded("dtstart") for event in found]
    assert days == sorted(days)
    assert sum("OVERDUE" in str(event["summary"]) for event in found) == sum(board.overdue for board in due)


def test_no_looks_make_a_calendar_without_events() -> None:
    study = {
        "study": "none",
        "opens": "2025-01-01",
        "horizon": "2026-01-01",
        "scenarios": [{"id": "a"}, {"id": "b"}],
        "indicators": [{"id": "c", "kind": "count", "rates": {"a": 1.0, "b": 2.0}}],
    }
    assert events(outlook_of(study, [], [], date(2025, 3, 1))) == []


@pytest.mark.parametrize(
    "text", [*AWKWARD, "BEGIN:VEVENT\r\nUID:evil\r\nEND:VEVENT", "x\r\nATTENDEE:mailto:a@example.invalid"]
)
def test_no_text_makes_a_line_of_its_own(text: str) -> None:
    raw = calendar_text(released(looks(text)))
    assert not re.search(r"(?<!\r)\n|\r(?!\n)", raw)
    assert all(len(line.encode()) <= 75 for line in raw.split("\r\n"))
    assert sorted(raw.replace("\r\n ", "").splitlines()[0:2]) == ["BEGIN:VCALENDAR", "VERSION:2.0"]
    [event] = events(looks(text))
    assert set(event) == set(events(looks("x"))[0])


@steady
@given(awkward_text())
def test_a_line_is_folded_without_loss(text: str) -> None:
    line = f"SUMMARY:{text}".replace("\r", "").replace("\n", "")
    folded = _folded(line)
    assert folded.endswith("\r\n")
    pieces = folded.removesuffix("\r\n").split("\r\n")
    assert all(len(piece.encode("utf-8", "surrogatepass")) <= 75 for piece in pieces)
    assert pieces[0] + "".join(piece[1:] for piece in pieces[1:]) == line
