"""The Admiralty code: the table of SPEC 4.2, the worth of a grade, and the refusal of what is none."""

import itertools
import math

import pytest

from indicators.grades import (
    CREDIBILITY,
    DEFAULT_GRADE,
    RELIABILITY,
    GradeError,
    check_grade,
    grade_weight,
    grade_words,
)
from tests.strategies import AWKWARD

GRADES = [letter + digit for letter, digit in itertools.product("ABCDEF", "123456")]


def test_the_table_is_that_of_the_specification() -> None:
    values = [0.99, 0.75, 0.50, 0.25, 0.0, 0.50]
    assert list(RELIABILITY.items()) == list(zip("ABCDEF", values, strict=True))
    assert list(CREDIBILITY.items()) == list(zip("123456", values, strict=True))
    assert DEFAULT_GRADE == "F6"


@pytest.mark.parametrize(
    ("grade", "weight"),
    [("A1", 0.99), ("B2", 0.75), ("A2", 0.8616843969), ("C3", 0.5), ("D4", 0.25), ("B4", 0.4330127019), ("F6", 0.5)],
)
def test_a_grade_is_worth_this(grade: str, weight: float) -> None:
    assert grade_weight(grade, {}) == pytest.approx(weight, abs=1e-10)


@pytest.mark.parametrize("grade", GRADES)
def test_every_grade_weighs_less_than_one_and_nothing_if_a_half_is_worth_nothing(grade: str) -> None:
    weight = grade_weight(check_grade(grade), {})
    assert 0 <= weight < 1
    assert (weight == 0) == ("E" in grade or "5" in grade)
    assert weight**2 == pytest.approx(RELIABILITY[grade[0]] * CREDIBILITY[grade[1]], abs=1e-15)


def test_an_override_takes_the_place_of_its_half_alone() -> None:
    overrides = {"B": 0.8, "5": 0.2, "D": 0.0}
    assert grade_weight("B2", overrides) == pytest.approx(math.sqrt(0.8 * 0.75), abs=1e-15)
    assert grade_weight("A5", overrides) == pytest.approx(math.sqrt(0.99 * 0.2), abs=1e-15)
    assert grade_weight("B5", overrides) == pytest.approx(0.4, abs=1e-15)
    assert grade_weight("D1", overrides) == 0
    assert grade_weight("A1", overrides) == grade_weight("A1", {})


def test_a_grade_in_words() -> None:
    assert grade_words("B2") == "usually reliable, probably true"
    assert grade_words("F6") == "reliability cannot be judged, truth cannot be judged"
    assert len({grade_words(grade) for grade in GRADES}) == 36


@pytest.mark.parametrize(
    "text",
    [
        *["b2", "B", "2", "2B", "G1", "A0", "A7", "B22", "BB2", "B 2", "B-2", " B2", "B2 ", "B2\n"],
        *["Ｂ２", "В2", "B٢", "B²"],
        *AWKWARD,
    ],
    ids=lambda text: repr(text[:20]),
)
@pytest.mark.parametrize("reader", [check_grade, grade_words, lambda text: grade_weight(text, {})])
def test_what_is_not_a_grade_is_refused_with_its_text(text: str, reader: object) -> None:
    assert callable(reader)
    with pytest.raises(GradeError) as caught:
        reader(text)
    mend = "write a letter A-F for the source and a digit 1-6 for the item, like B2"
    assert str(caught.value) == f'"{text}" is not a grade; {mend}'
