"""Reading a study file: every mistake at once, each with line, column and mend; and the published schema of the file.

Three steps look at the same data, and none stops for what another found. Names first: a mistyped key is reported and
then taken for the key that was meant, so that what stands under it is still checked. Then form: the types and ranges
of the records, each failure said in the user's words. Then sense: what only several values together can violate, as a
list of small checks (`CHECKS`) over data that may still be wrong elsewhere. Where a later step complains about a place
that an earlier one has named, it is not heard.

Whether a revision fits the reports already logged is not looked at here.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, get_args

from pydantic import ValidationError
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import ErrorDetails

from forecast.study import Drift, Scenario, Study
from forecast.words import SCALES, WordError, word_value
from forecast.yaml_tree import UNREADABLE, Path, Tree, read_tree, shown
from indicators.days import DayError, DurationError, parse_day
from indicators.errors import Fault, FaultsError, nearest
from indicators.grades import CREDIBILITY, RELIABILITY, GradeError
from indicators.indicator import (
    CountIndicator,
    MeasureIndicator,
    MeasureValue,
    MilestoneIndicator,
    Record,
    StateIndicator,
)

__all__ = ["CHECKS", "Finding", "read_study", "schema", "study_faults", "study_json"]

SUM_TOLERANCE = 1e-6
FIRST_YEAR, LAST_YEAR = 1900, 2200


def read_study(text: str, *, file: str) -> Study:
    """The study that a file's text states.

    Parameters
    ----------
    text : str
        The whole text; of bytes, as `yaml_text` gives it.
    file : str
        The file as the user named it, for the messages.

    Raises
    ------
    FaultsError
        With every fault of the text, in the order of their places.
    """
    study, faults = _examined(text, file)
    if study is None:
        raise FaultsError(faults)
    return study


def study_faults(text: str, *, file: str) -> list[Fault]:
    """Every fault of a study file's text in the order of their places; empty when `read_study` would read it."""
    return _examined(text, file)[1]


def study_json(study: Study) -> dict[str, Any]:
    """The study as plain JSON data without the keys that it left out; `Study.model_validate` reads it back equal."""
    return study.model_dump(mode="json", exclude_unset=True)


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a study file, which editors use to complete and check.

    It takes every study that `read_study` takes. What it cannot say (sums, names that must agree) it lets pass.
    """
    body = Study.model_json_schema(schema_generator=_PlainTitles)
    kinds = body["properties"]["indicators"]["items"]
    del kinds["discriminator"]
    for reference in kinds["oneOf"]:
        name = reference["$ref"].rpartition("/")[2]
        record = body["$defs"][name]
        record["required"] = [*record["required"], *(t for t in _TABLES.values() if t in record["properties"])]
        record["required"] = list(dict.fromkeys(record["required"]))
    body["properties"]["grades"]["propertyNames"] = {"enum": [*RELIABILITY, *CREDIBILITY]}
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "watchfloor.study/1",
        "title": "Watchfloor study",
        "description": "A study file: one question, its scenarios, its indicators, the day it opens and its horizon.",
    }
    return {**head, **{key: value for key, value in body.items() if key not in head}}


class _PlainTitles(GenerateJsonSchema):
    """Without a title for each key, which would only repeat the key."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never; the keys speak for themselves."""
        return False


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake at a path of the data; the text's line and column are looked up when it is told.

    Attributes
    ----------
    path : tuple
        Keys and indices from the root. What is missing has the path that it would have.
    what, mend : str
        As in `Fault`.
    on_key : bool
        Whether it is about the key and not about what stands under it.
    """

    path: Path
    what: str
    mend: str = ""
    on_key: bool = False


def _examined(text: str, file: str) -> tuple[Study | None, list[Fault]]:
    """The study, or None when there are faults; and the faults in order."""
    tree = read_tree(text, file=file)
    if tree.data is UNREADABLE:
        return None, sorted(tree.faults)
    names = _Names(tree.data)
    study, form = _form(names.data)
    told = {(finding.path, finding.on_key) for finding in form}
    draft = _Draft.of(names.data)
    sense = [f for check in CHECKS for f in check(draft) if (f.path, f.on_key) not in told]
    found = [names.fault(finding, tree, file) for finding in [*names.findings, *form, *sense]]
    faults = sorted({*tree.faults, *found})
    return (None if faults else study), faults


# --- Names: keys and kinds -------------------------------------------------------------------------------------------

_KINDS: Mapping[str, type[Record]] = {
    "state": StateIndicator,
    "count": CountIndicator,
    "milestone": MilestoneIndicator,
    "measure": MeasureIndicator,
}
_TABLES = {"state": "likelihoods", "count": "rates", "milestone": "rates", "measure": "values"}
_TABLE_KINDS = {"likelihoods": "state", "states": "state", "values": "measure", "rates": "count"}
# Keys for a rate or a level that is read off a history.
_LATER: Mapping[str, tuple[str, ...]] = {
    "count": ("baseline", "multipliers"),
    "milestone": ("baseline", "multipliers"),
    "measure": ("baseline", "shifts"),
}
_INDICATOR_KEYS = list(dict.fromkeys(key for record in _KINDS.values() for key in record.model_fields))


class _Names:
    """A copy of the data in which keys and kinds are those that were meant, with what had to be changed for it."""

    def __init__(self, data: object) -> None:
        self.findings: list[Finding] = []
        self._written: dict[Path, str] = {}
        self.data = self._study(data)

    def fault(self, finding: Finding, tree: Tree, file: str) -> Fault:
        """The finding with its place; a renamed key is looked up under the name that is written."""
        path = tuple(self._written.get(finding.path[: n + 1], key) for n, key in enumerate(finding.path))
        place = tree.key_place(path) if finding.on_key else tree.value_place(path)
        return Fault(file, place.line, place.column, finding.what, finding.mend)

    def _study(self, data: object) -> object:
        if not isinstance(data, dict):
            return data
        study = self._keys((), data, Study.model_fields)
        if isinstance(study.get("drift"), dict):
            study["drift"] = self._keys(("drift",), study["drift"], Drift.model_fields)
        self._each(study, "scenarios", lambda path, group: self._keys(path, group, Scenario.model_fields))
        self._each(study, "indicators", self._indicator)
        return study

    def _each(self, group: dict[str, Any], key: str, mend: Callable[[Path, dict[str, Any]], dict[str, Any]]) -> None:
        """Put what `mend` makes of every entry of the list under `key` in its place."""
        entries = group.get(key)
        if isinstance(entries, list):
            group[key] = [mend((key, n), e) if isinstance(e, dict) else e for n, e in enumerate(entries)]

    def _indicator(self, path: Path, group: dict[str, Any]) -> dict[str, Any]:
        later = {key for keys in _LATER.values() for key in keys}
        indicator = self._keys(path, group, _INDICATOR_KEYS, spared=later)
        kind = self._kind(path, indicator)
        if kind is None:
            return indicator
        for key in list(indicator):
            if key not in _KINDS[kind].model_fields and key not in _LATER.get(kind, ()):
                self._misplaced(path, key, kind)
                del indicator[key]
        table = indicator.get("values")
        if isinstance(table, dict):
            indicator["values"] = {
                k: self._keys((*path, "values", k), v, MeasureValue.model_fields) if isinstance(v, dict) else v
                for k, v in table.items()
            }
        return indicator

    def _misplaced(self, path: Path, key: str, kind: str) -> None:
        owners = [k for k, record in _KINDS.items() if key in record.model_fields or key in _LATER.get(k, ())]
        mend = f"remove it, as it belongs to kind {' and '.join(owners)}"
        self.findings.append(Finding((*path, key), f'an indicator of kind {kind} has no "{key}"', mend, on_key=True))

    def _kind(self, path: Path, indicator: dict[str, Any]) -> str | None:
        """The indicator's kind, put right where it can be guessed; None where it cannot."""
        kind = indicator.get("kind")
        if isinstance(kind, str) and kind in _KINDS:
            return kind
        by_table = next((k for table, k in _TABLE_KINDS.items() if table in indicator), None)
        close = _close(kind, _KINDS) if isinstance(kind, str) else None
        if kind is not UNREADABLE:
            what = f'"kind" is {shown(kind)}' if "kind" in indicator else f'{_label(path)} has no "kind"'
            mend = f'did you mean "{close}"?' if close else _one_of(_KINDS)
            self.findings.append(Finding((*path, "kind"), what, mend))
        guess = close or by_table
        if guess:
            indicator["kind"] = guess
        return guess

    def _keys(
        self, path: Path, group: dict[str, Any], known: Iterable[str], spared: Container[str] = ()
    ) -> dict[str, Any]:
        """The group with mistyped keys renamed and unknown ones left out."""
        known = list(known)
        renamed: dict[str, Any] = {}
        for key, value in group.items():
            if key in known or key in spared:
                renamed[key] = value
                continue
            absent = [k for k in known if k not in group and k not in renamed]
            meant = _close(key, absent)
            mend = f'did you mean "{meant}"?' if meant else _unknown_mend(key, known)
            self.findings.append(Finding((*path, meant or key), f"unknown key {shown(key)}", mend, on_key=True))
            if meant:
                self._written[*path, meant] = key
                renamed[meant] = value
        return renamed


def _close(word: str, known: Iterable[str]) -> str | None:
    """The known word most like this one, capitals aside; None when none is close."""
    if len(word) > 100:
        return None
    by_folded = {name.casefold(): name for name in known if len(name) <= 100}
    found = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def _unknown_mend(word: str, known: Iterable[str]) -> str:
    """What to do about a name that is not among the known ones."""
    if ":" in word:
        return 'write a space after the colon, like "key: value"'
    names = list(known)
    close = _close(word, names)
    return f"did you mean {shown(close)}?" if close else _one_of(names)


def _one_of(names: Iterable[str]) -> str:
    """The names to choose from; empty when there are none."""
    return nearest("", (shown(name)[1:-1] for name in names))


# --- Form: the records' own rules in the user's words ----------------------------------------------------------------


def _form(data: object) -> tuple[Study | None, list[Finding]]:
    """The study if the data has its form, and what is wrong with the form otherwise."""
    if not isinstance(data, dict):
        what = "the file is empty" if data is None else f"the file must hold keys, not {_described(data)}"
        return None, [Finding((), what, 'write "study: id" and the other keys of a study, one a line')]
    try:
        return Study.model_validate(data), []
    except ValidationError as error:
        found = [_form_finding(detail, data) for detail in error.errors(include_url=False)]
    return None, list(dict.fromkeys(finding for finding in found if finding))


def _form_finding(detail: ErrorDetails, data: object) -> Finding | None:
    """One failure of the records' rules; None for what is already reported."""
    path = _data_path(detail["loc"])
    value = _at(data, path)
    # An unreadable value and the names of keys and kinds are reported where they are met.
    if value is UNREADABLE or detail["type"] in ("extra_forbidden", "union_tag_invalid", "union_tag_not_found"):
        return None
    if _is_confidence(path):
        return Finding(path, f"{_label(path)} is {shown(value)}", "write low, medium, high or a number above 0")
    if detail["type"] == "row_form" and len(path) == _NESTED and isinstance(value, (int, float)):
        what = f"{_label(path[:-1])} is keyed by state"
        return Finding(path[:-1], what, 'write a list of probabilities in the order of "states"')
    say = _SENTENCES.get(detail["type"], _as_it_is)
    return Finding(path, *say(path, value, {**detail.get("ctx", {}), "msg": detail["msg"]}))


_NESTED = len(("indicators", 0, "likelihoods", "scenario", "state"))


def _data_path(loc: Sequence[str | int]) -> Path:
    """The path in the data of a place that pydantic names; it puts in the kind of indicator and the form of a row."""
    path = list(loc)
    if path[:1] == ["indicators"]:
        del path[2:3]
        if path[2:3] == ["likelihoods"]:
            if path[4:5] == ["given"]:
                del path[6:7]
            del path[4:5]
    # The two forms of a confidence, a word or a number, fail one by one below it.
    below = tuple(path[:-1])
    return below if _is_confidence(below) else tuple(path)


def _is_confidence(path: Path) -> bool:
    return path == ("prior_confidence",) or (len(path) == 3 and path[0] == "indicators" and path[2] == "confidence")


def _at(data: Any, path: Path) -> object:
    """The value at a path; None where there is none."""
    for key in path:
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _label(path: Path) -> str:
    """How a message names what stands at a path."""
    match path:
        case ("scenarios" | "indicators" as key, int(n)):
            return f"{key[:-1]} {n + 1}"
        case ("indicators", _, "likelihoods", *_, str(key), int(n)):
            return f"probability {n + 1} of {shown(key)}"
        case ("indicators", _, "likelihoods", _, *_):
            return f"the row of {shown(path[-1])}"
        case ("indicators", _, "rates", str(key)):
            return f"the rate of {shown(key)}"
        case ("indicators", _, "values", str(key)):
            return f"the value of {shown(key)}"
        case ("sources", str(key)):
            return f"the grade of {shown(key)}"
        case ("grades", str(key)):
            return f"the value of grade {shown(key)}"
        case (*_, str(key), int(n)):
            return f"entry {n + 1} of {shown(key)}"
    return shown(path[-1])


def _described(value: object) -> str:
    """What kind of thing a value is, with the value where it is short."""
    match value:
        case None:
            return "nothing"
        case bool():
            return shown(value)
        case str():
            return f"the text {shown(value)}"
        case int() | float():
            return f"the number {shown(value)}"
        case list():
            return "a list"
    return "a group of keys"


Told = tuple[str, str]
Context = Mapping[str, Any]
_RANGES = {
    "cost": "above 0 and at most 1e9",
    "mean": "between -1e15 and 1e15",
    "sd": "above 0 and at most 1e15",
    "rates": "above 0 and at most 1e12 a year",
    "grades": "at least 0 and below 1",
}
_CHOICES: Mapping[str, Sequence[str]] = {
    "tlp": get_args(Study.model_fields["tlp"].annotation),
    "words": get_args(Study.model_fields["words"].annotation),
    "silence": get_args(CountIndicator.model_fields["silence"].annotation),
}
_ADD = {
    "opens": 'add "opens: YYYY-MM-DD"',
    "horizon": 'add "horizon: YYYY-MM-DD"',
    "id": 'add "id:" with a short name of a-z, 0-9 and -',
    "study": 'add "study:" with a short name of a-z, 0-9 and -',
    "half_life": 'add "half_life: 2 y", or leave "drift" out',
}


def _missing(path: Path, value: object, context: Context) -> Told:
    parent = _label(path[:-1]) if len(path) > 1 else "the study"
    return f'{parent} has no "{path[-1]}"', _ADD.get(str(path[-1]), f'add "{path[-1]}:"')


def _not_text(path: Path, value: object, context: Context) -> Told:
    if isinstance(value, (bool, int, float)):
        mend = "put it in quotes if it is meant as text"
    else:
        mend = "write a text, or leave the key out if it is optional" if value is None else "write a text"
    return f"{_label(path)} must be text, not {_described(value)}", mend


def _text_empty(path: Path, value: object, context: Context) -> Told:
    return f"{_label(path)} is an empty text", "write at least one character"


def _text_long(path: Path, value: object, context: Context) -> Told:
    most = context["max_length"]
    return f"{_label(path)} has {len(str(value))} characters, more than {most}", "shorten it"


def _pattern(path: Path, value: object, context: Context) -> Told:
    if path[0] == "sources":
        return f"{_label(path)} is {shown(value)}", GradeError(value).mend
    made = re.sub("[^a-z0-9]+", "-", str(value)[:64].lower()).strip("-0123456789")
    example = f', like "{made}"' if made else ""
    return f"{_label(path)} is {shown(value)}", f"write 1 to 64 of a-z, 0-9 and -, a letter first{example}"


def _not_number(path: Path, value: object, context: Context) -> Told:
    text = str(value).strip() if isinstance(value, str) else ""
    mend = "write a number"
    if re.fullmatch(r"[0-9]+,[0-9]+", text):
        mend = f"write a decimal point: {text.replace(',', '.')}"
    elif re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,6})? ?%", text):
        mend = f"write a fraction: {float(text.rstrip(' %')) / 100:.6g}"
    elif re.fullmatch(r"[-+]?[0-9]*\.?[0-9]+(e[-+]?[0-9]+)?", text):
        mend = "write it without quotes"
    return f"{_label(path)} must be a number, not {_described(value)}", mend


def _out_of_range(path: Path, value: object, context: Context) -> Told:
    said = f"{_label(path)} is {shown(value)}"
    role = str(path[0] if path[0] == "grades" else path[2])
    if path[-1] in ("mean", "sd") and role == "values":
        role = str(path[-1])
    if role in _RANGES and not (role == "rates" and value == 0):
        return said, f"write a number {_RANGES[role]}"
    if value == 0:
        small = "a small rate such as 0.001" if role == "rates" else "a small probability such as 0.01"
        return f"{said}, and zero can never be undone (Cromwell's rule)", f"write {small}"
    if value == 1:
        return f"{said}, and certainty can never be undone (Cromwell's rule)", "write a probability such as 0.99"
    percent = f", {value / 100:g} for {value:g} %" if isinstance(value, (int, float)) and 1 < value < 100 else ""
    return f"{said}, outside 0 to 1", f"write a probability above 0 and below 1{percent}"


def _not_list(path: Path, value: object, context: Context) -> Told:
    return f"{_label(path)} must be a list, not {_described(value)}", 'write [one, two], or a line "- one" for each'


def _not_group(path: Path, value: object, context: Context) -> Told:
    return f"{_label(path)} must be a group of keys, not {_described(value)}", 'write a line "key: value" for each'


def _count_wrong(path: Path, value: object, context: Context) -> Told:
    size = len(value) if isinstance(value, list) else 0
    has = f"{_label(path)} has {size} {'entry' if size == 1 else 'entries'}"
    if "min_length" in context:
        return f"{has}, fewer than {context['min_length']}", "add what is missing"
    return f"{has}, more than {context['max_length']}", "remove some"


def _not_truth(path: Path, value: object, context: Context) -> Told:
    return f"{_label(path)} must be true or false, not {_described(value)}", "write true or false"


def _not_choice(path: Path, value: object, context: Context) -> Told:
    choices = _CHOICES.get(str(path[-1]), ())
    mend = _unknown_mend(value, choices) if isinstance(value, str) else _one_of(choices)
    return f"{_label(path)} is {shown(value)}", mend


def _not_day(path: Path, value: object, context: Context) -> Told:
    return f"{_label(path)} is {shown(value)}, which is not a day", DayError(value).mend


def _not_duration(path: Path, value: object, context: Context) -> Told:
    return f"{_label(path)} is {shown(value)}, which is not a duration above zero", DurationError(value).mend


def _not_row(path: Path, value: object, context: Context) -> Told:
    what = f"{_label(path)} must be a list of probabilities or a probability word, not {_described(value)}"
    return what, "write a probability for each state, like [0.7, 0.3]"


def _as_it_is(path: Path, value: object, context: Context) -> Told:
    return f"{_label(path)}: {context['msg']}", ""


_SENTENCES: Mapping[str, Callable[[Path, object, Context], Told]] = {
    "missing": _missing,
    "string_type": _not_text,
    "string_too_short": _text_empty,
    "string_too_long": _text_long,
    "string_pattern_mismatch": _pattern,
    "float_type": _not_number,
    "greater_than": _out_of_range,
    "greater_than_equal": _out_of_range,
    "less_than": _out_of_range,
    "less_than_equal": _out_of_range,
    "list_type": _not_list,
    "too_short": _count_wrong,
    "too_long": _count_wrong,
    "dict_type": _not_group,
    "model_type": _not_group,
    "model_attributes_type": _not_group,
    "bool_type": _not_truth,
    "literal_error": _not_choice,
    "day": _not_day,
    "date_type": _not_day,
    "duration": _not_duration,
    "row_form": _not_row,
}


# --- Sense: what only several values together can violate ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Entry:
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
class _Draft:
    """What the checks look at: a study's data, any part of which may be missing or wrong.

    Attributes
    ----------
    study : mapping
        The whole.
    scenarios, indicators : tuple of _Entry
        Those entries that are groups of keys.
    complete : set of str
        `scenarios` or `indicators` where every entry has an id of its own, so that a name not found is a wrong name.
    """

    study: Mapping[str, Any]
    scenarios: tuple[_Entry, ...]
    indicators: tuple[_Entry, ...]
    complete: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, data: object) -> _Draft:
        study = data if isinstance(data, dict) else {}
        lists: dict[str, tuple[_Entry, ...]] = {}
        complete = set()
        for key in ("scenarios", "indicators"):
            written = study.get(key)
            entries = written if isinstance(written, list) else []
            lists[key] = tuple(_Entry((key, n), e) for n, e in enumerate(entries) if isinstance(e, dict))
            if entries and len({e.text("id") for e in lists[key]} - {None}) == len(entries):
                complete.add(key)
        return cls(study, lists["scenarios"], lists["indicators"], frozenset(complete))

    def of_kind(self, *kinds: str) -> Iterator[_Entry]:
        """The indicators of these kinds, in file order."""
        return (indicator for indicator in self.indicators if indicator.kind in kinds)

    @property
    def by_id(self) -> dict[str, _Entry]:
        """Of each id the first indicator that has it, in file order."""
        found: dict[str, _Entry] = {}
        for indicator in self.indicators:
            name = indicator.text("id")
            if name is not None:
                found.setdefault(name, indicator)
        return found

    def tables(self) -> Iterator[tuple[Path, Mapping[str, Any]]]:
        """The table by scenario of every indicator that has one."""
        for indicator in self.of_kind(*_TABLES):
            key = _TABLES[indicator.kind or ""]
            table = indicator.table(key)
            if table is not None:
                yield (*indicator.path, key), table

    def rows(self) -> Iterator[tuple[Path, object, _Entry]]:
        """Every row of every state indicator, those nested by the states of another included."""
        for indicator in self.of_kind("state"):
            path = (*indicator.path, "likelihoods")
            for scenario, row in (indicator.table("likelihoods") or {}).items():
                if isinstance(row, dict):
                    yield from (((*path, scenario, state), nested, indicator) for state, nested in row.items())
                else:
                    yield (*path, scenario), row, indicator


def _ids_once(draft: _Draft) -> Iterator[Finding]:
    """No two scenarios and no two indicators share an id."""
    for entries in (draft.scenarios, draft.indicators):
        first: dict[str, Path] = {}
        for entry in entries:
            name = entry.text("id")
            if name is not None and first.setdefault(name, entry.path) != entry.path:
                what = f"the id {shown(name)} is used twice, first by {_label(first[name])}"
                yield Finding((*entry.path, "id"), what, "give one of them another id")


def _days_in_order(draft: _Draft) -> Iterator[Finding]:
    """Both days lie in sane years, and the study opens before its horizon."""
    days: dict[str, date] = {}
    for key in ("opens", "horizon"):
        try:
            written = draft.study.get(key)
            day = parse_day(written if isinstance(written, str) else "")
        except DayError:
            continue
        if FIRST_YEAR <= day.year <= LAST_YEAR:
            days[key] = day
        else:
            yield Finding((key,), f'"{key}" is {day}, outside {FIRST_YEAR} to {LAST_YEAR}', "correct the year")
    if len(days) == 2 and days["horizon"] <= days["opens"]:
        what = f'"horizon" is {days["horizon"]}, not after "opens", {days["opens"]}'
        yield Finding(("horizon",), what, "write a later day")


def _grades_known(draft: _Draft) -> Iterator[Finding]:
    """`grades` are keyed by one half of a grade."""
    grades = draft.study.get("grades")
    for key in grades if isinstance(grades, dict) else ():
        if key not in RELIABILITY and key not in CREDIBILITY:
            is_small = key.upper() in RELIABILITY
            mend = f'did you mean "{key.upper()}"?' if is_small else "write a letter A-F or a digit 1-6"
            yield Finding(("grades", key), f"{shown(key)} is not half of a grade", mend, on_key=True)


def _priors_all_or_none(draft: _Draft) -> Iterator[Finding]:
    """Every scenario has a prior or none has."""
    without = [s for s in draft.scenarios if s.group.get("prior") is None]
    if without and len(without) < len(draft.scenarios):
        names = ", ".join(shown(s.text("id") or _label(s.path)) for s in without)
        what = f"some scenarios have a prior, but not {names}"
        yield Finding((*without[0].path, "prior"), what, "give every scenario a prior, or none for equal ones")


def _priors_sum_to_one(draft: _Draft) -> Iterator[Finding]:
    """The priors, where given, sum to 1."""
    written = draft.study.get("scenarios")
    if isinstance(written, list) and len(draft.scenarios) == len(written) > 1:
        off = _off_one([s.group.get("prior") for s in draft.scenarios])
        if off:
            yield Finding(("scenarios",), f"the priors sum to {off[0]}", off[1], on_key=True)


def _tables_there(draft: _Draft) -> Iterator[Finding]:
    """Every indicator has the table of its kind; what states it by history is not in this version."""
    for indicator in draft.of_kind("count", "milestone", "measure"):
        kind = indicator.kind or ""
        table = _TABLES[kind]
        later = [key for key in _LATER[kind] if key in indicator.group]
        if later:
            what = f"{_listed(later)} not yet in this version"
            yield Finding((*indicator.path, later[0]), what, f'state "{table}" instead', on_key=True)
        elif indicator.group.get(table) is None:
            what = f'{_label(indicator.path)}, of kind {kind}, has no "{table}"'
            yield Finding((*indicator.path, table), what, _TABLE_MENDS[table])


def _listed(keys: list[str]) -> str:
    return " and ".join(f'"{key}"' for key in keys) + (" is" if len(keys) == 1 else " are")


_TABLE_MENDS = {
    "rates": 'add "rates:" with the events per year under each scenario',
    "values": 'add "values:" with {mean: .., sd: ..} under each scenario',
}


def _tables_complete(draft: _Draft) -> Iterator[Finding]:
    """Each table names every scenario and no other."""
    scenarios = [s.text("id") for s in draft.scenarios]
    known = [name for name in scenarios if name is not None]
    for path, table in draft.tables():
        yield from _names_agree(path, table, known, "scenario", complete="scenarios" in draft.complete)


def _names_agree(
    path: Path, table: Mapping[str, Any], known: Sequence[str], noun: str, *, complete: bool = True
) -> Iterator[Finding]:
    """The table's keys are the known names; a mistyped one stands for the one that is meant.

    Unless the known names are complete, one that is like none of them may be right.
    """
    missing = [name for name in dict.fromkeys(known) if name not in table]
    for key in table:
        if key not in known:
            meant = _close(key, missing)
            if meant:
                missing.remove(meant)
            mend = f"did you mean {shown(meant)}?" if meant else _unknown_mend(key, known)
            is_to_blame = complete if meant is None else noun == "state" or not _is_misspelt_id(meant)
            if is_to_blame:
                yield Finding((*path, key), f"unknown {noun} {shown(key)}", mend, on_key=True)
    if missing:
        names = f"{noun}{'s' if len(missing) > 1 else ''} {', '.join(map(shown, missing))}"
        yield Finding(path, f"{_label(path)} has nothing for {names}", "add a line for each", on_key=True)


def _is_misspelt_id(name: str) -> bool:
    """Whether an id is none by its form alone; what refers to it rightly is not to blame."""
    return not re.fullmatch("[a-z][a-z0-9-]{0,63}", name)


def _states_once(draft: _Draft) -> Iterator[Finding]:
    """No state is named twice in one indicator."""
    for indicator in draft.of_kind("state"):
        seen: set[str] = set()
        written = indicator.group.get("states")
        for n, state in enumerate(written if isinstance(written, list) else []):
            if isinstance(state, str):
                if state in seen:
                    what = f"the state {shown(state)} is named twice"
                    yield Finding((*indicator.path, "states", n), what, "name each state once")
                seen.add(state)


def _rows_fit(draft: _Draft) -> Iterator[Finding]:
    """Each row has a probability for each state, and they sum to 1."""
    for path, row, indicator in draft.rows():
        if not isinstance(row, list):
            continue
        states = indicator.states
        if states is not None and len(row) != len(states):
            some = "1 probability" if len(row) == 1 else f"{len(row)} probabilities"
            what = f"{_label(path)} has {some} for {len(states)} states"
            yield Finding(path, what, 'write one for each of "states", in their order')
        elif row:
            off = _off_one(row)
            if off:
                yield Finding(path, f"{_label(path)} sums to {off[0]}", off[1])


def _off_one(values: Sequence[object]) -> Told | None:
    """The sum and how to mend it; None when it is 1, or when some of the values are no probabilities anyway."""
    numbers = [v for v in values if isinstance(v, (int, float)) and not isinstance(v, bool) and 0 <= v <= 1]
    total = math.fsum(numbers)
    if len(numbers) < len(values) or not values or abs(total - 1) <= SUM_TOLERANCE:
        return None
    verb = "take away" if total > 1 else "add"
    return f"{total:.10g}, not to 1", f"{verb} {abs(total - 1):.10g} in all"


def _words_known(draft: _Draft) -> Iterator[Finding]:
    """A word stands only for a row of two states, and the study's scale has it."""
    scale = draft.study.get("words", "icd203")
    for path, row, indicator in draft.rows():
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
    mend = _unknown_mend(word, [band.word for band in SCALES[scale]])
    others = [name for name in SCALES if _has_word(name, word)]
    return f'{mend} (it is a word of the scale that "words: {others[0]}" sets)' if others else mend


def _given_sound(draft: _Draft) -> Iterator[Finding]:
    """`given` names another state indicator that has a persistence."""
    by_id = draft.by_id
    for indicator in draft.of_kind("state"):
        name = indicator.text("given")
        if name is None:
            continue
        told = _given_fault(name, indicator, by_id, known="indicators" in draft.complete)
        if told:
            yield Finding((*indicator.path, "given"), *told)


def _given_fault(name: str, indicator: _Entry, by_id: Mapping[str, _Entry], *, known: bool) -> Told | None:
    other = by_id.get(name)
    candidates = [i for i, e in by_id.items() if e.kind == "state" and e is not indicator]
    if other is indicator:
        return '"given" names the indicator itself', "name another state indicator, or remove it"
    if other is None:
        meant = _close(name, candidates)
        if not known or (meant and _is_misspelt_id(meant)):
            return None
        return f"no indicator {shown(name)} in the study", _unknown_mend(name, candidates) or _NO_OTHER
    if other.kind is not None and other.kind != "state":
        what = f'{shown(name)} is of kind {other.kind}; "given" needs one of kind state'
        return what, _one_of(candidates) or _NO_OTHER
    if other.group.get("persistence") is None:
        return f'{shown(name)} has no persistence, which "given" needs', f'add "persistence: 90 d" to {shown(name)}'
    return None


_NO_OTHER = 'remove "given", as there is no other state indicator'


def _given_without_circle(draft: _Draft) -> Iterator[Finding]:
    """No indicator is given, over others, by itself."""
    by_id = draft.by_id
    told: set[str] = set()
    for start in by_id:
        circle = _circle(start, by_id)
        if len(circle) > 1 and start not in told:
            told.update(circle)
            what = f'"given" goes in a circle: {", ".join(map(shown, [*circle, start]))}'
            yield Finding((*by_id[start].path, "given"), what, 'remove "given" from one of them')


def _circle(start: str, by_id: Mapping[str, _Entry]) -> list[str]:
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


def _rows_nested(draft: _Draft) -> Iterator[Finding]:
    """Rows are nested by the states of the other indicator when there is one, and only then."""
    by_id = draft.by_id
    for indicator in draft.of_kind("state"):
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


CHECKS: Sequence[Callable[[_Draft], Iterator[Finding]]] = (
    _ids_once,
    _days_in_order,
    _grades_known,
    _priors_all_or_none,
    _priors_sum_to_one,
    _tables_there,
    _tables_complete,
    _states_once,
    _rows_fit,
    _words_known,
    _given_sound,
    _given_without_circle,
    _rows_nested,
)
