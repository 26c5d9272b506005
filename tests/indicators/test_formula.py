import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators.formula import guarded, unguarded
from tests.small import steady
from tests.strategies import AWKWARD, awkward_text

STARTS = tuple("=+-@\t\r\n＝＋－＠")
QUOTED = st.builds(lambda quotes, start, rest: quotes + start + rest, st.text("'"), st.sampled_from(STARTS), st.text())


@steady
@given(awkward_text() | QUOTED)
def test_every_text_comes_back_to_the_letter(text: str) -> None:
    assert unguarded(guarded(text)) == text


@steady
@given(awkward_text() | QUOTED)
def test_nothing_that_is_guarded_begins_a_formula(text: str) -> None:
    assert not guarded(text).startswith(STARTS)


@pytest.mark.parametrize("text", ["", "'", "''", "it's", "'tis = 2", "a=b", " =1", "１", "x-y"])
def test_other_texts_are_left_alone(text: str) -> None:
    assert guarded(text) == text
    assert unguarded(text) == text


def test_the_pool_of_awkward_texts_has_some_that_need_it() -> None:
    assert sum(guarded(text) != text for text in AWKWARD) > 5
