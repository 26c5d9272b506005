"""Which earlier reports are offered as the same story."""

from __future__ import annotations

from datetime import date, timedelta

from indicators.evidence import Report
from indicators.likeness import NEAR, alike

DAY = date(2024, 3, 1)
STORY = "The port authority says that both piers reopened at dawn"


def earlier(**fields: object) -> Report:
    return Report(**({"indicator": "mood", "observed": DAY, "state": "calm"} | fields))  # type: ignore[arg-type]


def test_the_same_address_is_enough_whatever_the_day_and_its_spelling() -> None:
    old = earlier(observed=DAY - timedelta(days=300), url="https://www.example.org/Story/#top")
    found = alike({"indicator": "mood", "url": "http://example.org/story"}, [("e2", old)])
    assert [(item.entry, item.why) for item in found] == [("e2", ("same address",))]


def test_much_the_same_words_count_near_the_day_and_not_beyond() -> None:
    new = {"indicator": "mood", "observed": DAY, "note": f"{STORY}, a wire reports"}
    near, far = earlier(observed=DAY - NEAR, note=STORY), earlier(observed=DAY - NEAR - timedelta(days=1), note=STORY)
    assert [item.entry for item in alike(new, [("e2", near), ("e3", far)])] == ["e2"]
    assert alike(new | {"note": "a quiet day in the harbour"}, [("e2", near)]) == []


def test_a_source_alone_is_no_story_but_with_the_same_finding_it_may_be() -> None:
    new = {"indicator": "mood", "observed": DAY, "source": "Wire", "state": "calm"}
    found = alike(new, [("e2", earlier(source="Wire", state="tense")), ("e3", earlier(source="Wire"))])
    assert [(item.entry, item.why) for item in found] == [("e3", ("same source", "same finding"))]


def test_another_indicator_is_never_offered_and_the_likest_come_first() -> None:
    new = {"indicator": "mood", "observed": DAY, "source": "Wire", "state": "calm", "url": "https://a.example/x"}
    log = [
        ("e2", earlier(source="Wire")),
        ("e3", earlier(indicator="press", url="https://a.example/x")),
        ("e4", earlier(url="https://a.example/x")),
        ("e5", earlier(source="Wire")),
    ]
    assert [item.entry for item in alike(new, log)] == ["e4", "e5", "e2"]
    assert [item.entry for item in alike(new, log, most=1)] == ["e4"]


def test_what_is_not_typed_yet_is_like_nothing() -> None:
    assert alike({"indicator": "mood"}, [("e2", earlier(url=None, note=None, source=None))]) == []
