"""Reading a study file: every mistake at once, each with line, column and mend; and the published schema of the file.

Three steps look at the same data, and none stops for what another found. Names first: a mistyped key is reported and
then taken for the key that was meant, so that what stands under it is still checked. Then form: the types and ranges
of the records, each failure said in the user's words. Then sense (`study_checks`): what only several values together
can violate. Where a later step complains about a place that an earlier one has named, it is not heard.

The histories that a study names are not read here, and whether a revision fits the reports already logged is not
looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, get_args

from pydantic import ValidationError
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import ErrorDetails

from forecast.findings import Finding, Told, closest, label, one_of, unknown_mend
from forecast.study import Drift, Scenario, Study
from forecast.study_checks import CHECKS, FORMS, Sketch
from forecast.yaml_tree import UNREADABLE, Path, Position, Tree, read_tree, shown
from indicators.days import DayError, DurationError
from indicators.errors import Fault, FaultsError
from indicators.grades import CREDIBILITY, RELIABILITY, GradeError
from indicators.indicator import (
    CountBaseline,
    CountIndicator,
    MeasureBaseline,
    MeasureIndicator,
    MeasureValue,
    MilestoneIndicator,
    Record,
    StateIndicator,
)

__all__ = ["Examined", "NamedHistory", "examined", "read_study", "schema", "study_faults", "study_json"]


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
    found = examined(text, file=file)
    if found.study is None:
        raise FaultsError(found.faults)
    return found.study


def study_faults(text: str, *, file: str) -> list[Fault]:
    """Every fault of a study file's text in the order of their places; empty when `read_study` would read it."""
    return examined(text, file=file).faults


@dataclass(frozen=True, slots=True)
class NamedHistory:
    """A history as an indicator names it.

    Attributes
    ----------
    indicator : str
        Its id, or what it is called where it has none.
    name : str
        Of the file, below the study file's folder.
    model : str or None
        Which model is to carry it on; None for a history of events.
    opens : date or None
        When the study opens, which is after the last reading; None where the study does not say.
    name_place, model_place : Position
        Where they stand in the study file.
    """

    indicator: str
    name: str
    model: str | None
    opens: date | None
    name_place: Position
    model_place: Position


@dataclass(frozen=True, slots=True)
class Examined:
    """What a study file's text is found to say.

    Attributes
    ----------
    study : Study or None
        None when there are faults.
    faults : list of Fault
        In the order of their places.
    histories : list of NamedHistory
        Those whose name is sound, also where something else is at fault.
    """

    study: Study | None
    faults: list[Fault]
    histories: list[NamedHistory]


def examined(text: str, *, file: str) -> Examined:
    """Look at the whole of a study file's text; never raises, whatever the text."""
    tree = read_tree(text, file=file)
    if tree.data is UNREADABLE:
        return Examined(None, sorted(tree.faults), [])
    names = _Names(tree.data)
    study, form = _form(names.data)
    told = {(finding.path, finding.on_key) for finding in form}
    sketch = Sketch.of(names.data)
    sense = [f for check in CHECKS for f in check(sketch) if (f.path, f.on_key) not in told]
    found = [names.fault(finding, tree, file) for finding in [*names.findings, *form, *sense]]
    faults = sorted({*tree.faults, *found})
    return Examined(None if faults else study, faults, list(_histories(sketch, names, tree, told)))


def _histories(sketch: Sketch, names: _Names, tree: Tree, told: Container[tuple[Path, bool]]) -> Iterator[NamedHistory]:
    """Every history that an indicator names soundly, with its model where it needs one."""
    for indicator in sketch.of_kind("count", "milestone", "measure"):
        path = (*indicator.path, "baseline")
        baseline = indicator.table("baseline") or {}
        wanted = ("history", "model") if indicator.kind == "measure" else ("history",)
        values = [baseline.get(key) for key in wanted]
        if all(isinstance(v, str) and ((*path, key), False) not in told for key, v in zip(wanted, values, strict=True)):
            called = indicator.text("id") or label(indicator.path)
            places = [names.place((*path, key), tree) for key in ("history", "model")]
            model = baseline["model"] if indicator.kind == "measure" else None
            yield NamedHistory(called, baseline["history"], model, sketch.day("opens"), *places)


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
    for kind, record in _KINDS.items():
        rules = body["$defs"][record.__name__]
        if len(FORMS[kind]) > 1:
            rules["oneOf"] = [_only(form, FORMS[kind]) for form in FORMS[kind]]
    measure = body["$defs"][MeasureIndicator.__name__]["oneOf"]
    measure[1]["properties"]["persistence"] = {"type": "null"}
    body["properties"]["grades"]["propertyNames"] = {"enum": [*RELIABILITY, *CREDIBILITY]}
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "watchfloor.study/1",
        "title": "Watchfloor study",
        "description": "A study file: one question, its scenarios, its indicators, the day it opens and its horizon.",
    }
    return {**head, **{key: value for key, value in body.items() if key not in head}}


def _only(form: Sequence[str], forms: Sequence[Sequence[str]]) -> dict[str, Any]:
    """The rule that an indicator is stated in this one of its forms: all of its keys, and none of the others'."""
    others = [key for other in forms for key in other if other is not form]
    given = {key: {"not": {"type": "null"}} for key in form}
    return {"required": list(form), "properties": given | {key: {"type": "null"} for key in others}}


class _PlainTitles(GenerateJsonSchema):
    """Without a title for each key, which would only repeat the key."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never; the keys speak for themselves."""
        return False


# --- Names: keys and kinds -------------------------------------------------------------------------------------------

_KINDS: Mapping[str, type[Record]] = {
    "state": StateIndicator,
    "count": CountIndicator,
    "milestone": MilestoneIndicator,
    "measure": MeasureIndicator,
}
_TABLE_KINDS = {
    "likelihoods": "state",
    "states": "state",
    "values": "measure",
    "shifts": "measure",
    "rates": "count",
    "multipliers": "count",
}
_INDICATOR_KEYS = list(dict.fromkeys(key for record in _KINDS.values() for key in record.model_fields))


def _keys_of(record: type[Record]) -> list[str]:
    """The keys of a record as they are written in a file."""
    return [field.alias or name for name, field in record.model_fields.items()]


class _Names:
    """A copy of the data in which keys and kinds are those that were meant, with what had to be changed for it."""

    def __init__(self, data: object) -> None:
        self.findings: list[Finding] = []
        self._written: dict[Path, str] = {}
        self.data = self._study(data)

    def fault(self, finding: Finding, tree: Tree, file: str) -> Fault:
        """The finding with its place."""
        place = self.place(finding.path, tree, on_key=finding.on_key)
        return Fault(file, place.line, place.column, finding.what, finding.mend)

    def place(self, path: Path, tree: Tree, *, on_key: bool = False) -> Position:
        """Where a path stands in the text; a renamed key is looked up under the name that is written."""
        written = tuple(self._written.get(path[: n + 1], key) for n, key in enumerate(path))
        return tree.key_place(written) if on_key else tree.value_place(written)

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
        indicator = self._keys(path, group, _INDICATOR_KEYS)
        kind = self._kind(path, indicator)
        if kind is None:
            return indicator
        for key in list(indicator):
            if key not in _KINDS[kind].model_fields:
                self._misplaced(path, key, kind)
                del indicator[key]
        table = indicator.get("values")
        if isinstance(table, dict):
            indicator["values"] = {
                k: self._keys((*path, "values", k), v, MeasureValue.model_fields) if isinstance(v, dict) else v
                for k, v in table.items()
            }
        baseline = indicator.get("baseline")
        if isinstance(baseline, dict):
            known = _keys_of(MeasureBaseline if kind == "measure" else CountBaseline)
            indicator["baseline"] = self._keys((*path, "baseline"), baseline, known)
        return indicator

    def _misplaced(self, path: Path, key: str, kind: str) -> None:
        owners = [k for k, record in _KINDS.items() if key in record.model_fields]
        mend = f"remove it, as it belongs to kind {' and '.join(owners)}"
        self.findings.append(Finding((*path, key), f'an indicator of kind {kind} has no "{key}"', mend, on_key=True))

    def _kind(self, path: Path, indicator: dict[str, Any]) -> str | None:
        """The indicator's kind, put right where it can be guessed; None where it cannot."""
        kind = indicator.get("kind")
        if isinstance(kind, str) and kind in _KINDS:
            return kind
        by_table = next((k for table, k in _TABLE_KINDS.items() if table in indicator), None)
        close = closest(kind, _KINDS) if isinstance(kind, str) else None
        if kind is not UNREADABLE:
            what = f'"kind" is {shown(kind)}' if "kind" in indicator else f'{label(path)} has no "kind"'
            mend = f'did you mean "{close}"?' if close else one_of(_KINDS)
            self.findings.append(Finding((*path, "kind"), what, mend))
        guess = close or by_table
        if guess:
            indicator["kind"] = guess
        return guess

    def _keys(self, path: Path, group: dict[str, Any], known: Iterable[str]) -> dict[str, Any]:
        """The group with mistyped keys renamed and unknown ones left out."""
        known = list(known)
        renamed: dict[str, Any] = {}
        for key, value in group.items():
            if key in known:
                renamed[key] = value
                continue
            absent = [k for k in known if k not in group and k not in renamed]
            meant = closest(key, absent)
            mend = f'did you mean "{meant}"?' if meant else unknown_mend(key, known)
            self.findings.append(Finding((*path, meant or key), f"unknown key {shown(key)}", mend, on_key=True))
            if meant:
                self._written[*path, meant] = key
                renamed[meant] = value
        return renamed


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
        return Finding(path, f"{label(path)} is {shown(value)}", "write low, medium, high or a number above 0")
    if detail["type"] == "row_form" and len(path) == _NESTED and isinstance(value, (int, float)):
        what = f"{label(path[:-1])} is keyed by state"
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


Context = Mapping[str, Any]
_RANGES = {
    "cost": "above 0 and at most 1e9",
    "mean": "between -1e15 and 1e15",
    "sd": "above 0 and at most 1e15",
    "rates": "above 0 and at most 1e12 a year",
    "multipliers": "above 0 and at most 1e6",
    "shifts": "between -1e15 and 1e15",
    "grades": "at least 0 and below 1",
}
_SMALL = {"rates": "a small rate such as 0.001", "multipliers": "a small factor such as 0.01"}
_CHOICES: Mapping[str, Sequence[str]] = {
    "tlp": get_args(Study.model_fields["tlp"].annotation),
    "words": get_args(Study.model_fields["words"].annotation),
    "silence": get_args(CountIndicator.model_fields["silence"].annotation),
    "model": get_args(MeasureBaseline.model_fields["model"].annotation),
}
_ADD = {
    "opens": 'add "opens: YYYY-MM-DD"',
    "horizon": 'add "horizon: YYYY-MM-DD"',
    "id": 'add "id:" with a short name of a-z, 0-9 and -',
    "study": 'add "study:" with a short name of a-z, 0-9 and -',
    "history": 'add "history: FILE.csv", a file below the folder of this one',
    "from": 'add "from: YYYY-MM-DD", the first day that the history speaks for',
    "to": 'add "to: YYYY-MM-DD", the last day that the history speaks for',
    "model": f'add "model:", {one_of(_CHOICES["model"])}',
    "half_life": 'add "half_life: 2 y", or leave "drift" out',
}


def _missing(path: Path, value: object, context: Context) -> Told:
    parent = label(path[:-1]) if len(path) > 1 else "the study"
    return f'{parent} has no "{path[-1]}"', _ADD.get(str(path[-1]), f'add "{path[-1]}:"')


def _not_text(path: Path, value: object, context: Context) -> Told:
    if isinstance(value, (bool, int, float)):
        mend = "put it in quotes if it is meant as text"
    else:
        mend = "write a text, or leave the key out if it is optional" if value is None else "write a text"
    return f"{label(path)} must be text, not {_described(value)}", mend


def _text_empty(path: Path, value: object, context: Context) -> Told:
    return f"{label(path)} is an empty text", "write at least one character"


def _text_long(path: Path, value: object, context: Context) -> Told:
    most = context["max_length"]
    return f"{label(path)} has {len(str(value))} characters, more than {most}", "shorten it"


def _pattern(path: Path, value: object, context: Context) -> Told:
    if path[0] == "sources":
        return f"{label(path)} is {shown(value)}", GradeError(value).mend
    made = re.sub("[^a-z0-9]+", "-", str(value)[:64].lower()).strip("-0123456789")
    example = f', like "{made}"' if made else ""
    return f"{label(path)} is {shown(value)}", f"write 1 to 64 of a-z, 0-9 and -, a letter first{example}"


def _not_number(path: Path, value: object, context: Context) -> Told:
    text = str(value).strip() if isinstance(value, str) else ""
    mend = "write a number"
    if re.fullmatch(r"[0-9]+,[0-9]+", text):
        mend = f"write a decimal point: {text.replace(',', '.')}"
    elif re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,6})? ?%", text):
        mend = f"write a fraction: {float(text.rstrip(' %')) / 100:.6g}"
    elif re.fullmatch(r"[-+]?[0-9]*\.?[0-9]+(e[-+]?[0-9]+)?", text):
        mend = "write it without quotes"
    return f"{label(path)} must be a number, not {_described(value)}", mend


def _out_of_range(path: Path, value: object, context: Context) -> Told:
    said = f"{label(path)} is {shown(value)}"
    role = str(path[0] if path[0] == "grades" else path[2])
    if path[-1] in ("mean", "sd") and role == "values":
        role = str(path[-1])
    small = _SMALL.get(role, "a small probability such as 0.01")
    if role in _RANGES and not (role in _SMALL and value == 0):
        return said, f"write a number {_RANGES[role]}"
    if value == 0:
        return f"{said}, and zero can never be undone (Cromwell's rule)", f"write {small}"
    if value == 1:
        return f"{said}, and certainty can never be undone (Cromwell's rule)", "write a probability such as 0.99"
    percent = f", {value / 100:g} for {value:g} %" if isinstance(value, (int, float)) and 1 < value < 100 else ""
    return f"{said}, outside 0 to 1", f"write a probability above 0 and below 1{percent}"


def _not_list(path: Path, value: object, context: Context) -> Told:
    return f"{label(path)} must be a list, not {_described(value)}", 'write [one, two], or a line "- one" for each'


def _not_group(path: Path, value: object, context: Context) -> Told:
    return f"{label(path)} must be a group of keys, not {_described(value)}", 'write a line "key: value" for each'


def _count_wrong(path: Path, value: object, context: Context) -> Told:
    if isinstance(value, str):
        return _text_empty(path, value, context) if "min_length" in context else _text_long(path, value, context)
    size = len(value) if isinstance(value, list) else 0
    has = f"{label(path)} has {size} {'entry' if size == 1 else 'entries'}"
    if "min_length" in context:
        return f"{has}, fewer than {context['min_length']}", "add what is missing"
    return f"{has}, more than {context['max_length']}", "remove some"


def _not_truth(path: Path, value: object, context: Context) -> Told:
    return f"{label(path)} must be true or false, not {_described(value)}", "write true or false"


def _not_choice(path: Path, value: object, context: Context) -> Told:
    choices = _CHOICES.get(str(path[-1]), ())
    mend = unknown_mend(value, choices) if isinstance(value, str) else one_of(choices)
    return f"{label(path)} is {shown(value)}", mend


def _not_day(path: Path, value: object, context: Context) -> Told:
    return f"{label(path)} is {shown(value)}, which is not a day", DayError(value).mend


def _not_duration(path: Path, value: object, context: Context) -> Told:
    return f"{label(path)} is {shown(value)}, which is not a duration above zero", DurationError(value).mend


def _not_history(path: Path, value: object, context: Context) -> Told:
    return f"{label(path)} is {shown(value)}, which {context['what']}", context["mend"]


def _not_row(path: Path, value: object, context: Context) -> Told:
    what = f"{label(path)} must be a list of probabilities or a probability word, not {_described(value)}"
    return what, "write a probability for each state, like [0.7, 0.3]"


def _as_it_is(path: Path, value: object, context: Context) -> Told:
    return f"{label(path)}: {context['msg']}", ""


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
    "history_name": _not_history,
    "row_form": _not_row,
}
