"""One report: what a source said about one indicator, on a day, with a grade; and the checks of a single one.

A report is kept as the analyst gave it. What it weighs depends on the study in force and is not part of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache
from operator import attrgetter
from sys import intern
from typing import Any

from indicators.attachment import Attachment, attachment_list, read_attachments
from indicators.days import parse_day
from indicators.errors import WatchfloorError, nearest
from indicators.grades import check_grade
from indicators.indicator import Indicator, StateIndicator
from indicators.markings import TLP_LEVELS

__all__ = [
    "FIELDS",
    "Problem",
    "Report",
    "kept_content",
    "read_fields",
    "read_kept_report",
    "read_report",
    "read_text",
    "report_content",
    "report_problems",
]

TEXT_LIMIT = 10_000
COUNT_LIMIT = 10**12
VALUE_LIMIT = 1e15

# Controls but for tab and line ends, and half surrogates. Signs that turn the direction of writing are lawful text.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One logged item of evidence.

    Attributes
    ----------
    indicator : str
        Id of the indicator it is about.
    observed : date or None
        The day the thing was so; None where a count covers a span.
    from_, to : date or None
        First and last day of a span, both included; the report is then dated `to`.
    state : str or None
        For state indicators.
    count : int or None
        For counts and milestones; None means 1.
    value : float or None
        For measures.
    source, url, note, author : str or None
        Who said it, where, what in our words, who logged it.
    grade : str or None
        Admiralty grade; None means that of the source in the study, else F6.
    origin, event : str or None
        Reports that share an origin are one testimony; reports that share an event are about one happening.
    tlp : str or None
        Handling mark; None means the study's.
    ref : str or None
        The user's own key.
    attachments : tuple of Attachment
        Files that belong to it. No field of a file of reports: they are attached when a report is logged.
    """

    indicator: str
    observed: date | None = None
    state: str | None = None
    count: int | None = None
    value: float | None = None
    from_: date | None = None
    to: date | None = None
    source: str | None = None
    grade: str | None = None
    url: str | None = None
    origin: str | None = None
    event: str | None = None
    tlp: str | None = None
    note: str | None = None
    author: str | None = None
    ref: str | None = None
    attachments: tuple[Attachment, ...] = ()

    @property
    def dated(self) -> date:
        """The day the report counts from: `observed`, or the last day of its span."""
        day = self.observed or self.to
        assert day is not None
        return day

    @property
    def is_span(self) -> bool:
        """Whether the report covers a span of days."""
        return self.to is not None

    @property
    def event_key(self) -> tuple[str, str] | None:
        """What reports on one event share: the event's id, else the origin; None for a report on its own."""
        if self.event:
            return ("event", self.event)
        return ("origin", self.origin) if self.origin else None


_ATTACHED = "attachments"
_ATTRIBUTES = tuple(f.name for f in fields(Report) if f.name != _ATTACHED)
_values = attrgetter(*_ATTRIBUTES)
FIELDS: tuple[str, ...] = tuple(name.rstrip("_") for name in _ATTRIBUTES)
_KIND_FIELD = {"state": "state", "count": "count", "milestone": "count", "measure": "value"}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field of a record, and how to mend it; the reader adds the place."""

    field: str
    what: str
    mend: str = ""


def read_report(raw: Mapping[str, object]) -> tuple[Report | None, list[Problem]]:
    """A report from texts (CSV, options) or JSON values, with every problem of form that it has.

    Parameters
    ----------
    raw : mapping of str to object
        SPEC 3's fields; texts, or numbers for `count` and `value`. A missing key, None and an empty text are the same.

    Returns
    -------
    (Report or None, list of Problem)
        The report is None exactly when there are problems.
    """
    values, problems = read_fields(raw, FIELDS)
    return (None if problems else Report(**values)), problems


def read_kept_report(content: Mapping[str, object]) -> tuple[Report | None, list[Problem]]:
    """A report from what the ledger keeps of one, attachments too; otherwise as `read_report`."""
    values, problems = read_fields(content, (*FIELDS, _ATTACHED))
    return (None if problems else Report(**values)), problems


def read_fields(raw: Mapping[str, object], names: Collection[str]) -> tuple[dict[str, Any], list[Problem]]:
    """The fields of a record that are given, read each by its own rule, and the problems of form.

    Parameters
    ----------
    raw : mapping of str to object
        As for `read_report`.
    names : collection of str
        The fields that the record has; `indicator` among them, which must be given.

    Returns
    -------
    (dict of str to value, list of Problem)
        By attribute name, so `from` as `from_`; what is not given or cannot be read is left out.
    """
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, given in raw.items():
        if name not in names:
            problems.append(Problem(name, f'no field "{name[:40]}"', nearest(name[:40], names)))
        elif given is None or given == "" or (isinstance(given, str) and given.isspace()):
            continue
        else:
            try:
                values["from_" if name == "from" else name] = _READERS.get(name, read_text)(given)
            except WatchfloorError as error:
                problems.append(Problem(name, error.what, error.mend))
    if "indicator" not in values and not any(p.field == "indicator" for p in problems):
        problems.append(Problem("indicator", "no indicator is named", "give the id of one of the study's indicators"))
    return values, problems


def report_content(report: Report) -> dict[str, object]:
    """The fields that are given, as plain JSON values in the order of SPEC 3; attachments are not among them."""
    content: dict[str, object] = {}
    for name, value in zip(FIELDS, _values(report), strict=True):
        if value is not None:
            content[name] = value.isoformat() if isinstance(value, date) else value
    return content


def kept_content(report: Report) -> dict[str, object]:
    """The same with what the report says of its attachments: what the ledger keeps."""
    content = report_content(report)
    return content | {_ATTACHED: attachment_list(report.attachments)} if report.attachments else content


def report_problems(report: Report, indicator: Indicator, *, opens: date, today: date) -> list[Problem]:
    """What is wrong with a well-formed report of this indicator: fields of another kind, states, days, spans.

    Parameters
    ----------
    report : Report
        As `read_report` gave it.
    indicator : Indicator
        The one it names.
    opens, today : date
        The first and the last day a report may be dated.
    """
    problems = []
    wanted = _KIND_FIELD[indicator.kind]
    for name in ("state", "count", "value"):
        if name != wanted and getattr(report, name) is not None:
            problems.append(
                Problem(name, f'"{indicator.id}" is a {indicator.kind} indicator and takes no {name}', _mend(indicator))
            )
    problems += _value_problems(report, indicator)
    problems += _day_problems(report, indicator, opens, today)
    return problems


def _value_problems(report: Report, indicator: Indicator) -> list[Problem]:
    if isinstance(indicator, StateIndicator):
        if report.state is None:
            return [Problem("state", f'a report on "{indicator.id}" needs a state', _mend(indicator))]
        if report.state not in indicator.states:
            what = f'"{indicator.id}" has no state "{report.state}"'
            return [Problem("state", what, nearest(report.state, indicator.states))]
    if indicator.kind == "measure" and report.value is None:
        return [Problem("value", f'a report on "{indicator.id}" needs a value', _mend(indicator))]
    if indicator.kind == "milestone" and report.count not in (None, 1):
        what = f'"{indicator.id}" is a milestone, which happens once, not {report.count} times'
        return [Problem("count", what, "leave count out; quiet days go into coverage")]
    return []


def _day_problems(report: Report, indicator: Indicator, opens: date, today: date) -> list[Problem]:
    problems = []
    if report.from_ or report.to:
        if indicator.kind != "count":
            what = f'"{indicator.id}" is a {indicator.kind} indicator and takes no span'
            problems.append(Problem("from", what, "give a single day"))
        elif report.observed:
            problems.append(Problem("observed", "both a day and a span are given", "give one of the two"))
        elif not (report.from_ and report.to):
            missing = "to" if report.from_ else "from"
            problems.append(Problem(missing, "half of the span is missing", "give from and to, both included"))
        elif report.from_ > report.to:
            what = f"the span ends on {report.to}, before it starts on {report.from_}"
            problems.append(Problem("to", what, "give from and to in order"))
    elif not report.observed:
        problems.append(Problem("observed", "the day is missing", "give the day the thing was so"))
    for name, day in (("observed", report.observed), ("from", report.from_), ("to", report.to)):
        if day and day > today:
            what = f"{day} lies in the future (today is {today}, UTC)"
            problems.append(Problem(name, what, "give the day the thing was so, not one to come"))
        if day and day < opens:
            what = f"{day} lies before the study opens on {opens}"
            problems.append(Problem(name, what, "what was known before belongs into the priors and rows"))
    return problems


def _mend(indicator: Indicator) -> str:
    if isinstance(indicator, StateIndicator):
        return f"give state, one of: {', '.join(indicator.states)}"
    return {"measure": "give value, a number"}.get(indicator.kind, "give count, or leave it out for 1")


class _FieldError(WatchfloorError):
    """A field's text that cannot be read."""


def read_text(given: object) -> str:
    """A text without the blanks around it; refused when it is none, too long or has a control character."""
    if not isinstance(given, str):
        raise _FieldError(f"{_shown(given)} is not a text", mend="write it as a text")
    if len(given) > TEXT_LIMIT:
        raise _FieldError(f"the text has {len(given)} characters", mend=f"keep it within {TEXT_LIMIT}")
    # Most texts are of printable signs alone, and that is seen at once.
    bad = None if given.isprintable() else _CONTROL.search(given)
    if bad is not None:
        raise _FieldError(f"the text has the control character U+{ord(bad[0]):04X}", mend="take it out")
    return given.strip()


def _shown(given: object) -> str:
    text = f'"{given}"' if isinstance(given, str) else repr(given)
    return text if len(text) <= 60 else text[:60] + "..."


# A long log has few days, grades and names. Each is read once, and one object stands for all that are equal.
_known_day = lru_cache(maxsize=4096)(lambda given: parse_day(read_text(given)))
_known_grade = lru_cache(maxsize=256)(lambda given: check_grade(read_text(given)))
_known_name = lru_cache(maxsize=4096)(lambda given: intern(read_text(given)))
_LONGEST_KNOWN = 200


def _day(given: object) -> date:
    return _known_day(given) if _may_be_known(given) else parse_day(read_text(given))


def _grade(given: object) -> str:
    return _known_grade(given) if _may_be_known(given) else check_grade(read_text(given))


def _repeated(given: object) -> str:
    """A text that many reports have in common."""
    return _known_name(given) if _may_be_known(given) else intern(read_text(given))


def _may_be_known(given: object) -> bool:
    """Whether it is a text, and none so long that many of them would fill the memory."""
    return type(given) is str and len(given) <= _LONGEST_KNOWN


def _count(given: object) -> int:
    number = given
    if isinstance(given, str):
        text = given.strip()
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= 13 else None
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= COUNT_LIMIT:
        raise _FieldError(f"{_shown(given)} is not a count", mend=f"give a whole number from 0 to {COUNT_LIMIT}")
    return number


def _value(given: object) -> float:
    number = _number(given)
    if number is None:
        raise _FieldError(f"{_shown(given)} is not a number", mend="give a number with a decimal point, like 54.5")
    if abs(number) > VALUE_LIMIT:
        what = f"{_shown(given)} is not a number within {VALUE_LIMIT:g} of zero"
        raise _FieldError(what, mend="give a number with a decimal point, like 54.5")
    return number


def _detect(given: object) -> float:
    chance = _number(given)
    if chance is None or not 0 < chance <= 1:
        raise _FieldError(f"{_shown(given)} is not a chance of detection", mend="give a number above 0, at most 1")
    return chance


def _number(given: object) -> float | None:
    """The number that a text or a JSON value is, infinite where it is too large; None when it is none."""
    if isinstance(given, str):
        text = given.strip()
        if not text.isascii() or len(text) > 40 or set(text) - set("0123456789.+-eE"):
            return None
        given = text
    elif isinstance(given, bool) or not isinstance(given, int | float) or given != given:
        return None
    try:
        return float(given)
    except ValueError:
        return None
    except OverflowError:
        return math.inf


def _tlp(given: object) -> str:
    text = read_text(given)
    if text not in TLP_LEVELS:
        raise _FieldError(f'"{text}" is not a TLP level', mend=nearest(text, TLP_LEVELS))
    return text


_READERS: dict[str, Callable[[object], object]] = {
    "observed": _day, "from": _day, "to": _day, "count": _count, "value": _value, "detect": _detect,
    _ATTACHED: read_attachments,
    "grade": _grade, "tlp": _tlp,
    **dict.fromkeys(("indicator", "state", "source"), _repeated),
}  # fmt: skip
