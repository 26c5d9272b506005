"""One span of looking: days on which somebody was really watching an indicator, so that silence says something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from indicators.days import parse_day
from indicators.errors import WatchfloorError, nearest
from indicators.evidence import Problem
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
    given = {name: value for name, value in raw.items() if value not in (None, "")}
    problems = [Problem(name, f'no field "{name}"', nearest(name, FIELDS)) for name in given if name not in FIELDS]
    days: dict[str, date] = {}
    for name in ("from", "to"):
        if name not in given:
            problems.append(Problem(name, f"{name} is missing", "give from and to, both included"))
            continue
        try:
            days[name] = parse_day(str(given[name]))
        except WatchfloorError as error:
            problems.append(Problem(name, error.what, error.mend))
    if len(days) == 2 and days["from"] > days["to"]:
        what = f"the span ends on {days['to']}, before it starts on {days['from']}"
        problems.append(Problem("to", what, "give from and to in order"))
    if "indicator" not in given:
        problems.append(Problem("indicator", "no indicator is named", "give the id of one of the study's indicators"))
    try:
        detect = float(str(given.get("detect", 1.0)))
    except ValueError:
        detect = 0.0
    if not 0 < detect <= 1:
        what = f'"{given["detect"]}" is not a chance of detection'
        problems.append(Problem("detect", what, "give a number above 0, at most 1"))
    if problems:
        return None, problems
    note = str(given["note"]) if "note" in given else None
    return Coverage(indicator=str(given["indicator"]), from_=days["from"], to=days["to"], detect=detect, note=note), []


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
