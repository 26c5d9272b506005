"""The Admiralty code: how reliable a source is (A-F), how credible an item (1-6), and what such a grade is worth.

The two halves are strongly correlated in practice, so the worth of a grade is their geometric mean, not their product
(Baker, McKendry and Mace 1968 found 87 % of gradings on the diagonal). The values are those of the public MISP
admiralty-scale taxonomy, capped below one: no report is beyond doubt.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from indicators.errors import WatchfloorError

__all__ = [
    "CREDIBILITY",
    "DEFAULT_GRADE",
    "RELIABILITY",
    "WORDS",
    "GradeError",
    "check_grade",
    "grade_weight",
    "grade_words",
]

RELIABILITY = {"A": 0.99, "B": 0.75, "C": 0.50, "D": 0.25, "E": 0.0, "F": 0.50}
CREDIBILITY = {"1": 0.99, "2": 0.75, "3": 0.50, "4": 0.25, "5": 0.0, "6": 0.50}
DEFAULT_GRADE = "F6"

WORDS = {
    "A": "completely reliable", "B": "usually reliable", "C": "fairly reliable",
    "D": "not usually reliable", "E": "unreliable", "F": "reliability cannot be judged",
    "1": "confirmed by other sources", "2": "probably true", "3": "possibly true",
    "4": "doubtful", "5": "improbable", "6": "truth cannot be judged",
}  # fmt: skip
"""What each letter and digit says, in the words of the code."""


class GradeError(WatchfloorError):
    """Text that is not an Admiralty grade."""

    def __init__(self, text: object) -> None:
        super().__init__(
            f'"{text}" is not a grade', mend="write a letter A-F for the source and a digit 1-6 for the item, like B2"
        )


def check_grade(text: str) -> str:
    """`text` itself when it is a grade such as `B2`; otherwise raises `GradeError`."""
    if not re.fullmatch("[A-F][1-6]", text):
        raise GradeError(text)
    return text


def grade_weight(grade: str, overrides: Mapping[str, float]) -> float:
    """Chance rho that a report of this grade carries information (SPEC 4.2).

    Parameters
    ----------
    grade : str
        Letter and digit.
    overrides : mapping of str to float
        Values in [0, 1) that a study puts in place of the table's, by letter or digit; may be empty.

    Examples
    --------
    >>> round(grade_weight("B2", {}), 2)
    0.75
    """
    letter, digit = check_grade(grade)[0], grade[1]
    return math.sqrt(overrides.get(letter, RELIABILITY[letter]) * overrides.get(digit, CREDIBILITY[digit]))


def grade_words(grade: str) -> str:
    """What the two halves of a grade say, in the words of the code."""
    letter, digit = check_grade(grade)[0], grade[1]
    return f"{WORDS[letter]}, {WORDS[digit]}"
