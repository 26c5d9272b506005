import itertools

import pytest

from indicators.markings import TLP_LEVELS, exceeds, mark_text, strictest


def test_the_levels_are_in_order() -> None:
    for low, high in itertools.pairwise(TLP_LEVELS):
        assert exceeds(high, low)
        assert not exceeds(low, high)
        assert not exceeds(low, low)
        assert strictest([low, high, low]) == high
    assert strictest([]) == "clear"


@pytest.mark.parametrize("unknown", ["", "AMBER", "white", "amber+", "red "])
def test_what_is_no_level_fails_closed(unknown: str) -> None:
    assert strictest(["clear", unknown]) == "red"
    assert exceeds(unknown, "amber+strict")
    assert not exceeds(unknown, "red")
    assert exceeds("green", unknown), "as a limit it lets out nothing but what is clear"
    assert mark_text(unknown) == "TLP:RED"


def test_a_mark_is_shown_as_the_protocol_writes_it() -> None:
    assert mark_text("amber+strict") == "TLP:AMBER+STRICT"
