"""One span of looking: days on which somebody was really watching an indicator, so that silence says something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from indicators.evidence import Problem, read_fields
from indicators.indicator import CountIndicator, Indicator, MilestoneIndicator

__all__ = ["FIELDS", "Coverage", "coverage_content", "coverage_problems", "read_coverage"]

FIELDS = ("indicator", "from", "to", "detect", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Somebody was looking at `indicator` from `from_` to `to`, both included.

    Attributes
    ----------
    detect : float
        Chance in (0, 1] that an event on such a day would have been seen.
    """

    indicator: str
    from_: date
    to: date
    detect: float = 1.0
    note: str | None = None


def read_coverage(raw: Mapping[str, object]) -> tuple[Coverage | None, list[Problem]]:
    """Coverage from texts or JSON values, with every problem of form; None exactly when there are problems."""
    values, problems = read_fields(raw, FIELDS)
    for name, attribute in (("from", "from_"), ("to", "to")):
        if attribute not in values and not any(p.field == name for p in problems):
            problems.append(Problem(name, f"{name} is missing", "give from and to, both included"))
    if "from_" in values and "to" in values and values["from_"] > values["to"]:
        what = f"the span ends on {values['to']}, before it starts on {values['from_']}"
        problems.append(Problem("to", what, "give from and to in order"))
    return (None if problems else Coverage(**values)), problems


def coverage_content(coverage: Coverage) -> dict[str, object]:
    """The fields as plain JSON values: what the ledger keeps."""
    content: dict[str, object] = {
        "indicator": coverage.indicator,
        "from": coverage.from_.isoformat(),
        "to": coverage.to.isoformat(),
        "detect": coverage.detect,
    }
    return content | ({"note": coverage.note} if coverage.note else {})


def coverage_problems(coverage: Coverage, indicator: Indicator, *, opens: date, today: date) -> list[Problem]:
    """What is wrong with well-formed coverage of this indicator: a kind without silence, days out of range."""
    problems = []
    if isinstance(indicator, CountIndicator | MilestoneIndicator) and indicator.silence != "covered":
        what = f'"{indicator.id}" says silence: {indicator.silence}, so coverage would change nothing'
        problems.append(Problem("indicator", what, "set silence: covered in the study, or leave the coverage out"))
    for name, day in (("from", coverage.from_), ("to", coverage.to)):
        if day > today:
            problems.append(
                Problem(name, f"{day} lies in the future (today is {today}, UTC)", "cover days that have passed")
            )
        if day < opens:
            problems.append(Problem(name, f"{day} lies before the study opens on {opens}", f"start on {opens}"))
    return problems
