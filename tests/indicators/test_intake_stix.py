"""STIX bundles: reports in our extension with their strictest mark; what contradicts itself is refused by object."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import indicators.intake_stix as intake_stix
from indicators.errors import Fault
from indicators.evidence import FIELDS
from indicators.intake_stix import EXTENSION, TLP_MARKINGS, stix_rows
from indicators.markings import TLP_LEVELS
from indicators.raw import Raw
from tests.bad_files import check_refused, faults_of
from tests.small import SOUND, import_files, new_ledger, steady

MARK = {level: mark for mark, level in TLP_MARKINGS.items()}
TLP_EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
UNKNOWN = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41db"
"""One digit beside TLP:GREEN of the first version."""

FIRST_MARKS = {
    "white": ("marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", "clear"),
    "green": ("marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da", "green"),
    "amber": ("marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", "amber"),
    "red": ("marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed", "red"),
}
"""Of the first version, as STIX 2.1 prints them (7.2.1.4); and the level that each is now."""

MOOD = {"indicator": "mood", "observed": "2024-02-01", "state": "calm"}
WORDS = f"put each into extensions, {EXTENSION}, report"

Object = dict[str, Any]


def own_id(number: int, kind: str = "note") -> str:
    return f"{kind}--{UUID(int=number + 1)}"


def note(report: object, number: int = 0, kind: str = "note", **more: Any) -> Object:
    """An object that carries a report, as our own export writes it."""
    return {
        "type": kind,
        "spec_version": "2.1",
        "id": own_id(number, kind),
        "created": "2024-02-01T00:00:00.000Z",
        "modified": "2024-02-01T00:00:00.000Z",
        "content": "what it says, for other programs",
        "object_refs": [own_id(99, "report")],
        "extensions": {EXTENSION: {"extension_type": "property-extension", "report": report}},
        **more,
    }


def standard(level: str) -> Object:
    """The marking of TLP 2.0 as the standard has it."""
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": MARK[level],
        "created": "2022-10-01T00:00:00.000Z",
        "name": f"TLP:{level.upper()}",
        "extensions": {TLP_EXTENSION: {"extension_type": "property-extension", "tlp_2_0": level}},
    }


def first_standard(level: str) -> Object:
    """The marking of the first version as STIX 2.1 prints it."""
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": FIRST_MARKS[level][0],
        "created": "2017-01-20T00:00:00.000Z",
        "definition_type": "tlp",
        "name": f"TLP:{level.upper()}",
        "definition": {"tlp": level},
    }


def bundle(*objects: Any) -> bytes:
    return json.dumps({"type": "bundle", "id": own_id(0, "bundle"), "objects": objects}).encode()


def without(item: Object, *names: str) -> Object:
    return {name: value for name, value in item.items() if name not in names}


FIRST = f"!{own_id(0)}"
AS_BUNDLE = "give a STIX 2.1 bundle, or reports as JSON lines in a .jsonl file"

BAD: dict[str, tuple[bytes, list[tuple[str, str]]]] = {
    # The file
    "empty": (b"", [(":1:1", f"not JSON (Expecting value); {AS_BUNDLE}")]),
    "JSON lines": (b'{"indicator": "mood"}\n{"indicator": "mood"}\n', [(":2:1", "not JSON (Extra data); give a STIX")]),
    "a list": (b"[]", [("", f"the file is not a STIX bundle; {AS_BUNDLE}")]),
    "one report": (json.dumps(MOOD).encode(), [("", "the file is not a STIX bundle")]),
    "an outlook": (b'{"format": "watchfloor.outlook/1"}', [("", "the file is not a STIX bundle")]),
    "objects that are no list": (
        b'{"type": "bundle", "objects": {}}',
        [("", "the objects of the bundle are not a list")],
    ),
    "no object": (bundle(), [("", f"the bundle has no note and no opinion with a report of ours; {WORDS}")]),
    "nobody's objects": (
        bundle({"type": "identity", "id": own_id(0, "identity")}, without(note(MOOD), "extensions")),
        [("", "the bundle has no note and no opinion with a report of ours")],
    ),
    "not UTF-8": (
        bundle(note(MOOD)).replace(b"calm", b"c\xe4lm"),
        [(":1", 'byte 0xe4 is not UTF-8, but "ä" in Windows')],
    ),
    "UTF-16": (bundle(note(MOOD)).decode().encode("utf-16"), [(":1", "the file is UTF-16 LE, not UTF-8")]),
    "NUL": (bundle(note(MOOD)) + b"\0", [(":1", "the text has a NUL character")]),
    "a key twice": (b'{"type": "bundle", "type": "bundle"}', [("", 'the key "type" stands twice; take one')]),
    "a key twice, deep inside": (
        bundle(note(MOOD)).replace(b'"state": "calm"', b'"state": "calm", "state": "tense"'),
        [("", 'the key "state" stands twice')],
    ),
    "NaN": (
        bundle(note({"indicator": "wait", "observed": "2024-02-01", "value": float("nan")})),
        [("", "NaN is not a number; give a finite number")],
    ),
    "a number of five thousand digits": (
        bundle(note({**MOOD, "count": 1})).replace(b'"count": 1', b'"count": ' + b"9" * 5_000),
        [("", "the number 99999999999999999999... has 5000 digits")],
    ),
    "nested without end": (
        b'{"type": "bundle", "objects": ' + b"[" * 100_000,
        [("", "the value is nested too deeply")],
    ),
    # Objects
    "an object that is none": (bundle(5), [("!objects[0]", "the object is not a JSON object")]),
    "no id": (bundle(without(note(MOOD), "id")), [("!objects[0]", "its id is not its type and a UUID; write it as")]),
    "an id that is none": (bundle(note(MOOD, id="note--5")), [("!objects[0]", "its id is not its type and a UUID")]),
    "an id of another type": (bundle(note(MOOD, id=own_id(0, "opinion"))), [("!objects[0]", "its id is not its type")]),
    "an object twice": (
        bundle(note(MOOD), note({**MOOD, "state": "tense"})),
        [("!objects[1]", f"{own_id(0)} stands twice in the bundle; keep the version that holds")],
    ),
    "an earlier STIX": (bundle(note(MOOD, spec_version="2.0")), [(FIRST, "its spec_version is not 2.1")]),
    "no version": (bundle(without(note(MOOD), "spec_version")), [(FIRST, "its spec_version is not 2.1")]),
    "revoked": (bundle(note(MOOD, revoked=True)), [(FIRST, "it is revoked; leave it out")]),
    "revoked, perhaps": (bundle(note(MOOD, revoked="no")), [(FIRST, "it is revoked")]),
    "a report on another thing": (
        bundle(note(MOOD, kind="indicator")),
        [
            (
                f"!{own_id(0, 'indicator')}",
                'an object of type "indicator" carries no report; put it into a note or an opinion',
            )
        ],
    ),
    "custom properties": (
        bundle({**without(note(MOOD), "extensions"), "x_watchfloor_indicator": "mood"}),
        [(FIRST, '"x_watchfloor_indicator" is a custom property, which nothing reads; put the report into')],
    ),
    "a report that is none": (bundle(note(["mood"])), [(FIRST, "its report is not a JSON object")]),
    # Marks
    "a mark in the report": (
        bundle(note({**MOOD, "tlp": "clear"})),
        [(FIRST, "its report has a tlp of its own; mark")],
    ),
    "marks that are no list": (
        bundle(note(MOOD, object_marking_refs=MARK["red"])),
        [(FIRST, "its markings are not a")],
    ),
    "granular marks that are no list": (
        bundle(note(MOOD, granular_markings={})),
        [(FIRST, "its markings are not a list")],
    ),
    "red called clear": (
        bundle(note(MOOD), {**standard("clear"), "id": MARK["red"]}),
        [(f"!{MARK['red']}", "it redefines the standard marking TLP:RED; leave the standard markings out")],
    ),
    "red that says clear inside": (
        bundle(note(MOOD), {**standard("red"), "extensions": standard("clear")["extensions"]}),
        [(f"!{MARK['red']}", "it redefines the standard marking TLP:RED")],
    ),
    "red with a statement": (
        bundle(note(MOOD), {**standard("red"), "definition_type": "statement", "definition": {"statement": "for all"}}),
        [(f"!{MARK['red']}", "it redefines the standard marking TLP:RED")],
    ),
    "red of the first version called white": (
        bundle(note(MOOD), {**first_standard("white"), "id": FIRST_MARKS["red"][0]}),
        [(f"!{FIRST_MARKS['red'][0]}", "it redefines the standard marking TLP:RED; leave the standard markings out")],
    ),
    "amber of the first version that says white inside": (
        bundle(note(MOOD), {**first_standard("amber"), "definition": {"tlp": "white"}}),
        [(f"!{FIRST_MARKS['amber'][0]}", "it redefines the standard marking TLP:AMBER")],
    ),
    # Confidence
    "doubtful and almost certain": (
        bundle(note({**MOOD, "grade": "B4"}, confidence=85)),
        [(FIRST, 'its confidence 85 and its grade "B4" contradict each other; leave the confidence out')],
    ),
    "cannot be judged, and yet": (bundle(note({**MOOD, "grade": "F6"}, confidence=50)), [(FIRST, "its confidence 50")]),
    "confidence beyond": (bundle(note(MOOD, confidence=101)), [(FIRST, "its confidence is not a whole number from 0")]),
    "confidence true": (bundle(note(MOOD, confidence=True)), [(FIRST, "its confidence is not a whole number")]),
    "confidence in words": (bundle(note(MOOD, confidence="high")), [(FIRST, "its confidence is not a whole number")]),
    # The report
    "an unknown state": (
        bundle(note({**MOOD, "state": "clam"})),
        [(FIRST, 'state: "mood" has no state "clam"; did you mean "calm"?')],
    ),
    "an unknown field": (
        bundle(note({**MOOD, "obsrved": "x"})),
        [(FIRST, 'obsrved: no field "obsrved"; did you mean')],
    ),
    "the ledger's own field": (bundle(note({**MOOD, "recorded_at": "x"})), [(FIRST, 'recorded_at: no field "recor')]),
    "a day that never was": (
        bundle(note({**MOOD, "observed": "2024-02-30"})),
        [(FIRST, 'observed: "2024-02-30" is not')],
    ),
    "half a surrogate": (
        bundle(note({**MOOD, "note": "\ud800"})),
        [(FIRST, "note: the text has the control character U+D8")],
    ),
    "a NUL escaped": (
        bundle(note({**MOOD, "note": "a\0b"})),
        [(FIRST, "note: the text has the control character U+0000")],
    ),
    "nested JSON": (bundle(note({**MOOD, "note": {"a": [1]}})), [(FIRST, "note: {'a': [1]} is not a text")]),
    "an empty report": (bundle(note({})), [(FIRST, "indicator: no indicator is named")]),
    "two bad ones and a good one": (
        bundle(note({}, 1), note(MOOD, 2), note({**MOOD, "observed": "x"}, 3)),
        [(f"!{own_id(1)}", "indicator: no indicator"), (f"!{own_id(3)}", 'observed: "x" is not a day')],
    ),
    "a second milestone": (
        bundle(note({"indicator": "ballot", "observed": "2024-02-02"})),
        [(FIRST, 'event: the milestone "ballot" has happened already, by e2')],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_every_fault_is_named_by_its_object_and_nothing_written(name: str) -> None:
    content, expected = BAD[name]
    check_refused("bad.json", content, expected)


def test_a_bundle_has_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake_stix, "LARGEST_BUNDLE", 100)
    assert faults_of("a.json", bundle(note(MOOD)))[0].startswith("a.json: the bundle has more than 0 MB; hand it in as")


# What is lawful


def rows_of(*objects: Any) -> list[Raw]:
    """The rows of a bundle that has no fault."""
    found = list(stix_rows(io.BytesIO(bundle(*objects)), file="a.json", fields=FIELDS))
    assert not [item for item in found if isinstance(item, Fault)], found
    return [item for item in found if isinstance(item, Raw)]


def test_reports_come_in_the_order_of_the_bundle_and_the_rest_is_passed_over() -> None:
    others: list[Object] = [
        {"type": "identity", "spec_version": "2.1", "id": own_id(7, "identity"), "name": "Desk"},
        {"type": "report", "spec_version": "2.1", "id": own_id(8, "report"), "object_refs": [own_id(0)]},
        {
            **note(None, 9),
            "extensions": {EXTENSION: {"extension_type": "property-extension", "scenario": {"id": "up"}}},
        },
        {"type": "extension-definition", "spec_version": "2.1", "id": EXTENSION},
        without(note(None, 10), "extensions"),
        {**note(None, 11), "extensions": []},
    ]
    sound = list(SOUND.values())
    mixed = [item for n, report in enumerate(sound) for item in (others[n], note(report, n))]
    assert [(raw.part, raw.values) for raw in rows_of(*mixed)] == [(own_id(n), dict(r)) for n, r in enumerate(sound)]


def test_a_bundle_is_imported_and_importing_it_twice_changes_nothing() -> None:
    ledger = new_ledger()
    content = bundle(*[note(report, n, kind=("note", "opinion")[n % 2]) for n, report in enumerate(SOUND.values())])
    assert len(import_files(ledger, ("a.json", content)).positions) == len(SOUND)
    assert import_files(ledger, ("a.json", content)).skipped == len(SOUND)
    lines = "".join(json.dumps(report) + "\n" for report in SOUND.values()).encode()
    assert import_files(ledger, ("a.jsonl", lines)).skipped == len(SOUND), "the same in another format is the same"


@pytest.mark.parametrize("level", TLP_LEVELS)
def test_the_marks_of_the_standard_are_known_by_their_ids(level: str) -> None:
    for objects in ([], [standard(level)], [without(standard(level), "created")]):
        [raw] = rows_of(note(MOOD, object_marking_refs=[MARK[level]]), *objects)
        assert raw.values["tlp"] == level


@pytest.mark.parametrize("level", FIRST_MARKS)
def test_the_marks_of_the_first_version_are_known_too(level: str) -> None:
    mark, now = FIRST_MARKS[level]
    for objects in ([], [first_standard(level)], [without(first_standard(level), "name")]):
        [raw] = rows_of(note(MOOD, object_marking_refs=[mark]), *objects)
        assert raw.values["tlp"] == now


MARKED: dict[str, tuple[Object, str | None]] = {
    "one of each version": ({"object_marking_refs": [FIRST_MARKS["white"][0], MARK["green"]]}, "green"),
    "none": ({}, None),
    "an empty list": ({"object_marking_refs": []}, None),
    "two": ({"object_marking_refs": [MARK["green"], MARK["amber"]]}, "amber"),
    "the other way round": ({"object_marking_refs": [MARK["amber"], MARK["green"]]}, "amber"),
    "one that is unknown": ({"object_marking_refs": [UNKNOWN]}, "red"),
    "one of them unknown": ({"object_marking_refs": [MARK["clear"], UNKNOWN]}, "red"),
    "no text": ({"object_marking_refs": [5]}, "red"),
    "a part": (
        {
            "object_marking_refs": [MARK["green"]],
            "granular_markings": [{"marking_ref": MARK["amber+strict"], "selectors": ["content"]}],
        },
        "amber+strict",
    ),
    "a part by one that is unknown": ({"granular_markings": [{"marking_ref": UNKNOWN, "selectors": ["a"]}]}, "red"),
    "a part by none": ({"granular_markings": ["x"]}, "red"),
    "the language of a part": ({"granular_markings": [{"lang": "fr", "selectors": ["content"]}]}, None),
}


@pytest.mark.parametrize("name", MARKED)
def test_the_strictest_mark_counts_and_an_unknown_one_is_red(name: str) -> None:
    marks, level = MARKED[name]
    [raw] = rows_of(note(MOOD, **marks))
    assert raw.values.get("tlp") == level


@pytest.mark.parametrize(
    ("grade", "confidence"),
    [("A1", 90), ("B2", 70), ("C3", 50), ("C3", 59), ("D4", 20), ("E5", 0), (None, 33), ("B2", None), ("F6", None)],
)
def test_a_confidence_that_says_what_the_grade_says(grade: str | None, confidence: int | None) -> None:
    given: Object = {} if confidence is None else {"confidence": confidence}
    [raw] = rows_of(note({**MOOD, **({"grade": grade} if grade else {})}, **given))
    assert raw.values.get("grade") == grade


def test_texts_come_in_to_the_letter() -> None:
    text = "=1+1 \u202egnitirw <script> été 日本 👩‍👩‍👧‍👦"
    assert rows_of(note({**MOOD, "note": text}))[0].values["note"] == text


# Whatever comes

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from([*MARK.values()]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)
NAMES = [
    "type",
    "id",
    "spec_version",
    "extensions",
    "object_marking_refs",
    "granular_markings",
    "confidence",
    "revoked",
]


def check_reads(content: bytes) -> None:
    """Records and faults, and never anything else."""
    for item in stix_rows(io.BytesIO(content), file="a.json", fields=FIELDS):
        assert isinstance(item, Raw | Fault)
        assert isinstance(item, Raw) or (item.what and item.mend)


@settings(steady, max_examples=60)
@given(st.binary(max_size=100) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_give_faults(content: bytes) -> None:
    check_reads(content)


def changed(change: Callable[[Any, Any, Any], Object]) -> st.SearchStrategy[Object]:
    return st.builds(change, st.sampled_from(NAMES), JSON, st.sampled_from([None, "report", EXTENSION]))


def _change(name: str, value: Any, deeper: str | None) -> Object:
    item = note(dict(MOOD), confidence=50, object_marking_refs=[MARK["green"]])
    if deeper == EXTENSION:
        item["extensions"] = {EXTENSION: value}
    elif deeper == "report":
        item["extensions"] = {EXTENSION: {"report": value}}
    else:
        item[name] = value
    return item


@settings(steady, max_examples=100)
@given(st.lists(changed(_change) | JSON, max_size=3))
def test_changed_objects_give_reports_or_faults(objects: list[Any]) -> None:
    check_reads(bundle(*objects))
