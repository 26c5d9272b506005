"""Sense: what only several values of a study together can violate, as a list of small checks.

They look at data that may be wrong or missing elsewhere, so each takes only what it needs and is silent where that is
not there. Types and ranges of single values are not looked at here, nor the histories that a study names.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from forecast.findings import Finding, Told, closest, label, one_of, unknown_mend
from forecast.words import SCALES, WordError, word_value
from forecast.yaml_tree import Path, shown
from indicators.days import FIRST_YEAR, LAST_YEAR, DayError, parse_day
from indicators.grades import CREDIBILITY, RELIABILITY

__all__ = ["CHECKS", "FORMS", "Item", "Sketch"]

SUM_TOLERANCE = 1e-6

FORMS: Mapping[str, Sequence[tuple[str, ...]]] = {
    "state": (("likelihoods",),),
    "count": (("rates",), ("baseline", "multipliers")),
    "milestone": (("rates",), ("baseline", "multipliers")),
    "measure": (("values",), ("baseline", "shifts")),
}
"""How an indicator of each kind may state what differs between the scenarios: the keys of each form."""


@dataclass(frozen=True, slots=True)
class Item:
    """One scenario or indicator as it is written, with its path; `group` may lack anything."""

    path: Path
    group: Mapping[str, Any]

    def text(self, key: str) -> str | None:
        """The text under a key; None when it is missing or no text."""
        value = self.group.get(key)
        return value if isinstance(value, str) else None

    def table(self, key: str) -> Mapping[str, Any] | None:
        """The group under a key; None when it is missing or no group."""
        value = self.group.get(key)
        return value if isinstance(value, dict) else None

    @property
    def kind(self) -> str | None:
        """The kind as it is written or was guessed."""
        return self.text("kind")

    @property
    def states(self) -> list[str] | None:
        """The states; None unless they are two or more texts, each named once."""
        value = self.group.get("states")
        if not isinstance(value, list) or not all(isinstance(state, str) for state in value):
            return None
        return value if len(set(value)) == len(value) >= 2 else None


@dataclass(frozen=True, slots=True)
class Sketch:
    """What the checks look at: a study's data, any part of which may be missing or wrong.

    Attributes
    ----------
    study : mapping
        The whole.
    scenarios, indicators : tuple of Item
        Those entries that are groups of keys.
    complete : set of str
        `scenarios` or `indicators` where every entry has an id of its own, so that a name not found is a wrong name.
    """

    study: Mapping[str, Any]
    scenarios: tuple[Item, ...]
    indicators: tuple[Item, ...]
    complete: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, data: object) -> Sketch:
        study = data if isinstance(data, dict) else {}
        lists: dict[str, tuple[Item, ...]] = {}
        complete = set()
        for key in ("scenarios", "indicators"):
            written = study.get(key)
            entries = written if isinstance(written, list) else []
            lists[key] = tuple(Item((key, n), e) for n, e in enumerate(entries) if isinstance(e, dict))
            if entries and len({e.text("id") for e in lists[key]} - {None}) == len(entries):
                complete.add(key)
        return cls(study, lists["scenarios"], lists["indicators"], frozenset(complete))

    def day(self, key: str) -> date | None:
        """The study's day under a key; None when it is missing or no day."""
        return _day(self.study.get(key))

    def of_kind(self, *kinds: str) -> Iterator[Item]:
        """The indicators of these kinds, in file order."""
        return (indicator for indicator in self.indicators if indicator.kind in kinds)

    @property
    def by_id(self) -> dict[str, Item]:
        """Of each id the first indicator that has it, in file order."""
        found: dict[str, Item] = {}
        for indicator in self.indicators:
            name = indicator.text("id")
            if name is not None:
                found.setdefault(name, indicator)
        return found

    def tables(self) -> Iterator[tuple[Path, Mapping[str, Any]]]:
        """The table by scenario of every indicator that has one."""
        for indicator in self.of_kind(*FORMS):
            for key in (key for form in FORMS[indicator.kind or ""] for key in form if key != "baseline"):
                table = indicator.table(key)
                if table is not None:
                    yield (*indicator.path, key), table

    def rows(self) -> Iterator[tuple[Path, object, Item]]:
        """Every row of every state indicator, those nested by the states of another included."""
        for indicator in self.of_kind("state"):
            path = (*indicator.path, "likelihoods")
            for scenario, row in (indicator.table("likelihoods") or {}).items():
                if isinstance(row, dict):
                    yield from (((*path, scenario, state), nested, indicator) for state, nested in row.items())
                else:
                    yield (*path, scenario), row, indicator


def _ids_once(sketch: Sketch) -> Iterator[Finding]:
    """No two scenarios and no two indicators share an id."""
    for entries in (sketch.scenarios, sketch.indicators):
        first: dict[str, Path] = {}
        for entry in entries:
            name = entry.text("id")
            if name is not None and first.setdefault(name, entry.path) != entry.path:
                what = f"the id {shown(name)} is used twice, first by {label(first[name])}"
                yield Finding((*entry.path, "id"), what, "give one of them another id")


def _days_in_order(sketch: Sketch) -> Iterator[Finding]:
    """Both days lie in sane years, and the study opens before its horizon."""
    days: dict[str, date] = {}
    for key in ("opens", "horizon"):
        day = sketch.day(key)
        off = _off_years((key,), day)
        yield from off
        if day and not off:
            days[key] = day
    if len(days) == 2 and days["horizon"] <= days["opens"]:
        what = f'"horizon" is {days["horizon"]}, not after "opens", {days["opens"]}'
        yield Finding(("horizon",), what, "write a later day")


def _off_years(path: Path, day: date | None) -> list[Finding]:
    """What is wrong with a day's year; empty when it is sane, or when there is no day."""
    if day is None or FIRST_YEAR <= day.year <= LAST_YEAR:
        return []
    return [Finding(path, f'"{path[-1]}" is {day}, outside {FIRST_YEAR} to {LAST_YEAR}', "correct the year")]


def _day(written: object) -> date | None:
    """The day that is written; None when it is none."""
    try:
        return parse_day(written) if isinstance(written, str) else None
    except DayError:
        return None


def _grades_known(sketch: Sketch) -> Iterator[Finding]:
    """`grades` are keyed by one half of a grade."""
    grades = sketch.study.get("grades")
    for key in grades if isinstance(grades, dict) else ():
        if key not in RELIABILITY and key not in CREDIBILITY:
            is_small = key.upper() in RELIABILITY
            mend = f'did you mean "{key.upper()}"?' if is_small else "write a letter A-F or a digit 1-6"
            yield Finding(("grades", key), f"{shown(key)} is not half of a grade", mend, on_key=True)


def _priors_all_or_none(sketch: Sketch) -> Iterator[Finding]:
    """Every scenario has a prior or none has."""
    without = [s for s in sketch.scenarios if s.group.get("prior") is None]
    if without and len(without) < len(sketch.scenarios):
        names = ", ".join(shown(s.text("id") or label(s.path)) for s in without)
        what = f"some scenarios have a prior, but not {names}"
        yield Finding((*without[0].path, "prior"), what, "give every scenario a prior, or none for equal ones")


def _priors_sum_to_one(sketch: Sketch) -> Iterator[Finding]:
    """The priors, where given, sum to 1."""
    written = sketch.study.get("scenarios")
    if isinstance(written, list) and len(sketch.scenarios) == len(written) > 1:
        off = _off_one([s.group.get("prior") for s in sketch.scenarios])
        if off:
            yield Finding(("scenarios",), f"the priors sum to {off[0]}", off[1], on_key=True)


def _tables_there(sketch: Sketch) -> Iterator[Finding]:
    """Every indicator is stated in one of the forms of its kind, whole, and in no other."""
    for indicator in sketch.of_kind("count", "milestone", "measure"):
        plain, by_history = FORMS[indicator.kind or ""]
        given = [key for key in (*plain, *by_history) if indicator.group.get(key) is not None]
        table, (_, against) = plain[0], by_history
        if not given:
            what = f'{label(indicator.path)}, of kind {indicator.kind}, has no "{table}"'
            mend = f'{_TABLE_MENDS[table]}, or "baseline:" and "{against}:"'
            yield Finding((*indicator.path, table), what, mend)
        elif table in given and len(given) > 1:
            what = f'"{table}" and "{given[1]}" state the same thing twice'
            yield Finding((*indicator.path, given[1]), what, f'keep "{table}", or "baseline" and "{against}"', True)
        elif len(given) == 1 and table not in given:
            missing = next(key for key in by_history if key not in given)
            what = f'{label(indicator.path)} has "{given[0]}" but no "{missing}"'
            yield Finding((*indicator.path, missing), what, _TABLE_MENDS[missing])


_TABLE_MENDS = {
    "rates": 'add "rates:" with the events per year under each scenario',
    "values": 'add "values:" with {mean: .., sd: ..} under each scenario',
    "baseline": 'add "baseline:" with the history that they refer to',
    "multipliers": 'add "multipliers:" with a factor of the baseline rate for each scenario, 1 to leave it',
    "shifts": 'add "shifts:" with a change per year against the baseline for each scenario, 0 for none',
}


def _baselines_keep_no_persistence(sketch: Sketch) -> Iterator[Finding]:
    """What a history's model carries on has no persistence beside it."""
    for indicator in sketch.of_kind("measure"):
        if indicator.table("baseline") is not None and indicator.group.get("persistence") is not None:
            what = '"persistence" beside a baseline, whose model says itself how long a departure lasts'
            yield Finding((*indicator.path, "persistence"), what, "remove it", on_key=True)


def _baseline_days_in_order(sketch: Sketch) -> Iterator[Finding]:
    """The years that a history of events speaks for are in order, and over when the study opens."""
    opens = sketch.day("opens")
    for indicator in sketch.of_kind("count", "milestone"):
        baseline, path = indicator.table("baseline") or {}, (*indicator.path, "baseline")
        days = {key: day for key in ("from", "to") if (day := _day(baseline.get(key)))}
        for key, day in days.items():
            yield from _off_years((*path, key), day)
        if len(days) == 2 and days["to"] < days["from"]:
            yield Finding((*path, "to"), f'"to" is {days["to"]}, before "from", {days["from"]}', "write a later day")
        elif opens and "to" in days and days["to"] > opens:
            what = f'"to" is {days["to"]}, after the study opens on {opens}'
            yield Finding((*path, "to"), what, "end it before; what comes later is logged, not part of the baseline")


def _tables_complete(sketch: Sketch) -> Iterator[Finding]:
    """Each table names every scenario and no other."""
    scenarios = [s.text("id") for s in sketch.scenarios]
    known = [name for name in scenarios if name is not None]
    for path, table in sketch.tables():
        yield from _names_agree(path, table, known, "scenario", complete="scenarios" in sketch.complete)


def _names_agree(
    path: Path, table: Mapping[str, Any], known: Sequence[str], noun: str, *, complete: bool = True
) -> Iterator[Finding]:
    """The table's keys are the known names; a mistyped one stands for the one that is meant.

    Unless the known names are complete, one that is like none of them may be right.
    """
    missing = [name for name in dict.fromkeys(known) if name not in table]
    for key in table:
        if key not in known:
            meant = closest(key, missing)
            if meant:
                missing.remove(meant)
            mend = f"did you mean {shown(meant)}?" if meant else unknown_mend(key, known)
            is_to_blame = complete if meant is None else noun == "state" or not _is_misspelt_id(meant)
            if is_to_blame:
                yield Finding((*path, key), f"unknown {noun} {shown(key)}", mend, on_key=True)
    if missing:
        names = f"{noun}{'s' if len(missing) > 1 else ''} {', '.join(map(shown, missing))}"
        yield Finding(path, f"{label(path)} has nothing for {names}", "add a line for each", on_key=True)


def _is_misspelt_id(name: str) -> bool:
    """Whether an id is none by its form alone; what refers to it rightly is not to blame."""
    return not re.fullmatch("[a-z][a-z0-9-]{0,63}", name)


def _states_once(sketch: Sketch) -> Iterator[Finding]:
    """No state is named twice in one indicator."""
    for indicator in sketch.of_kind("state"):
        seen: set[str] = set()
        written = indicator.group.get("states")
        for n, state in enumerate(written if isinstance(written, list) else []):
            if isinstance(state, str):
                if state in seen:
                    what = f"the state {shown(state)} is named twice"
                    yield Finding((*indicator.path, "states", n), what, "name each state once")
                seen.add(state)


def _rows_fit(sketch: Sketch) -> Iterator[Finding]:
    """Each row has a probability for each state, and they sum to 1."""
    for path, row, indicator in sketch.rows():
        if not isinstance(row, list):
            continue
        states = indicator.states
        if states is not None and len(row) != len(states):
            some = "1 probability" if len(row) == 1 else f"{len(row)} probabilities"
            what = f"{label(path)} has {some} for {len(states)} states"
            yield Finding(path, what, 'write one for each of "states", in their order')
        elif row:
            off = _off_one(row)
            if off:
                yield Finding(path, f"{label(path)} sums to {off[0]}", off[1])


def _off_one(values: Sequence[object]) -> Told | None:
    """The sum and how to mend it; None when it is 1, or when some of the values are no probabilities anyway."""
    numbers = [v for v in values if isinstance(v, (int, float)) and not isinstance(v, bool) and 0 <= v <= 1]
    total = math.fsum(numbers)
    if len(numbers) < len(values) or not values or abs(total - 1) <= SUM_TOLERANCE:
        return None
    verb = "take away" if total > 1 else "add"
    return f"{total:.10g}, not to 1", f"{verb} {abs(total - 1):.10g} in all"


def _words_known(sketch: Sketch) -> Iterator[Finding]:
    """A word stands only for a row of two states, and the study's scale has it."""
    scale = sketch.study.get("words", "icd203")
    for path, row, indicator in sketch.rows():
        if not isinstance(row, str) or not row:
            continue
        states = indicator.states
        if states is not None and len(states) != 2:
            what = f"the word {shown(row)} in place of a row, with {len(states)} states"
            yield Finding(path, what, "write a probability for each state, as a word speaks of two states only")
        elif isinstance(scale, str) and scale in SCALES and not _has_word(scale, row):
            yield Finding(path, f"{shown(row)} is not a probability word of {scale}", _word_mend(row, scale))


def _has_word(scale: str, word: str) -> bool:
    try:
        word_value(word, scale)
    except WordError:
        return False
    return True


def _word_mend(word: str, scale: str) -> str:
    mend = unknown_mend(word, [band.word for band in SCALES[scale]])
    others = [name for name in SCALES if _has_word(name, word)]
    return f'{mend} (it is a word of the scale that "words: {others[0]}" sets)' if others else mend


def _given_sound(sketch: Sketch) -> Iterator[Finding]:
    """`given` names another state indicator that has a persistence."""
    by_id = sketch.by_id
    for indicator in sketch.of_kind("state"):
        name = indicator.text("given")
        if name is None:
            continue
        told = _given_fault(name, indicator, by_id, known="indicators" in sketch.complete)
        if told:
            yield Finding((*indicator.path, "given"), *told)


def _given_fault(name: str, indicator: Item, by_id: Mapping[str, Item], *, known: bool) -> Told | None:
    other = by_id.get(name)
    candidates = [i for i, e in by_id.items() if e.kind == "state" and e is not indicator]
    if other is indicator:
        return '"given" names the indicator itself', "name another state indicator, or remove it"
    if other is None:
        meant = closest(name, candidates)
        if not known or (meant and _is_misspelt_id(meant)):
            return None
        return f"no indicator {shown(name)} in the study", unknown_mend(name, candidates) or _NO_OTHER
    if other.kind is not None and other.kind != "state":
        what = f'{shown(name)} is of kind {other.kind}; "given" needs one of kind state'
        return what, one_of(candidates) or _NO_OTHER
    if other.group.get("persistence") is None:
        return f'{shown(name)} has no persistence, which "given" needs', f'add "persistence: 90 d" to {shown(name)}'
    return None


_NO_OTHER = 'remove "given", as there is no other state indicator'


def _given_without_circle(sketch: Sketch) -> Iterator[Finding]:
    """No indicator is given, over others, by itself."""
    by_id = sketch.by_id
    told: set[str] = set()
    for start in by_id:
        circle = _circle(start, by_id)
        if len(circle) > 1 and start not in told:
            told.update(circle)
            what = f'"given" goes in a circle: {", ".join(map(shown, [*circle, start]))}'
            yield Finding((*by_id[start].path, "given"), what, 'remove "given" from one of them')


def _circle(start: str, by_id: Mapping[str, Item]) -> list[str]:
    """The ids from `start` back to it by way of `given`; empty when the way does not come back."""
    way: list[str] = [start]
    seen = {start}
    while True:
        entry = by_id.get(way[-1])
        name = entry.text("given") if entry else None
        if name == start:
            return way
        if name is None or name in seen:
            return []
        way.append(name)
        seen.add(name)


def _rows_nested(sketch: Sketch) -> Iterator[Finding]:
    """Rows are nested by the states of the other indicator when there is one, and only then."""
    by_id = sketch.by_id
    for indicator in sketch.of_kind("state"):
        given = indicator.group.get("given")
        table = indicator.table("likelihoods") or {}
        path = (*indicator.path, "likelihoods")
        nested = [scenario for scenario, row in table.items() if isinstance(row, dict)]
        flat = [scenario for scenario, row in table.items() if isinstance(row, (list, str))]
        if given is None and nested:
            what = f'{_rows_of(nested)} nested, but the indicator has no "given"'
            yield Finding((*path, nested[0]), what, 'name the other indicator in "given", or write one row a scenario')
        elif isinstance(given, str) and flat:
            what = f"{_rows_of(flat)} not nested by the states of {shown(given)}"
            mend = "write a row for each of its states, like {low: [0.7, 0.3], high: [0.4, 0.6]}"
            yield Finding((*path, flat[0]), what, mend)
        other = by_id.get(given) if isinstance(given, str) else None
        states = other.states if other and other is not indicator and other.kind == "state" else None
        for scenario in nested if states else ():
            if all(isinstance(row, (list, str)) for row in table[scenario].values()):
                yield from _names_agree((*path, scenario), table[scenario], states or [], "state")


def _rows_of(scenarios: list[str]) -> str:
    names = ", ".join(map(shown, scenarios))
    return f"the row of {names} is" if len(scenarios) == 1 else f"the rows of {names} are"


CHECKS: Sequence[Callable[[Sketch], Iterator[Finding]]] = (
    _ids_once,
    _days_in_order,
    _grades_known,
    _priors_all_or_none,
    _priors_sum_to_one,
    _tables_there,
    _baselines_keep_no_persistence,
    _baseline_days_in_order,
    _tables_complete,
    _states_once,
    _rows_fit,
    _words_known,
    _given_sound,
    _given_without_circle,
    _rows_nested,
)
