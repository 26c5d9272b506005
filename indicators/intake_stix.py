"""Reports from a STIX 2.1 bundle: notes and opinions that carry one in our property extension.

A report is what stands in `extensions[EXTENSION]["report"]`: the fields of SPEC 3 as JSON values, but for the handling
mark. That is the strictest of the object's own marking references, granular ones included; one that is not of the
Traffic Light Protocol, 2.0 or the first, counts as red. A `confidence` beside a grade has to say the same as its digit,
by the scale of the standard. Other objects of the bundle, the study and its scenarios among them, are passed over;
nothing is fetched.

The whole bundle is read at once, so it is held to a size. No library of STIX is needed for this little of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from indicators.errors import Fault, WatchfloorError
from indicators.markings import strictest
from indicators.plain_json import NotJsonError, parsed_json
from indicators.raw import Raw, Read, place_in
from indicators.utf8 import NotTextError, text_lines

__all__ = ["EXTENSION", "TLP_EXTENSION", "TLP_MARKINGS", "stix_rows"]

LARGEST_BUNDLE = 16_000_000
"""In bytes; a hostile one takes some fifteen times that much memory."""

EXTENSION = "extension-definition--f7419811-13a0-42db-b084-251e52ded2b5"
"""Our property extension; its `report`, `scenario` or `study` says what an object is."""

TLP_EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
"""The standard's property extension that a marking of TLP 2.0 has its level in."""

TLP_MARKINGS: Mapping[str, str] = {
    "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487": "clear",
    "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb": "green",
    "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421": "amber",
    "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003": "amber+strict",
    "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1": "red",
}
"""The five markings of TLP 2.0, which have the same id everywhere."""

_FIRST_TLP = {
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": "white",
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": "green",
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": "amber",
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": "red",
}
# What the first version called white the second calls clear; its amber let in clients too, as that of the second does.
_LEVELS = {**TLP_MARKINGS, **{mark: "clear" if level == "white" else level for mark, level in _FIRST_TLP.items()}}

_CREDIBILITY = {"1": (80, 100), "2": (60, 79), "3": (40, 59), "4": (20, 39), "5": (0, 19)}
"""The range of `confidence` for each digit of a grade (STIX 2.1, appendix A, Admiralty credibility); 6 has none."""

_ID = re.compile(r"[a-z][a-z0-9-]{1,249}--[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_AS_BUNDLE = "give a STIX 2.1 bundle, or reports as JSON lines in a .jsonl file"


class _ObjectError(WatchfloorError):
    """An object that cannot be taken for what it says it is."""


def stix_rows(stream: BinaryIO, *, file: str, fields: Sequence[str]) -> Iterator[Read]:
    """The reports of a bundle, in its order; a bundle without any is a fault.

    Parameters
    ----------
    stream : binary file
    file : str
        Its name, for faults.
    fields : sequence of str
        Not looked at: a key that is no field is the record's own fault.
    """
    del fields
    try:
        objects = _objects(stream)
    except (NotTextError, NotJsonError) as error:
        column = error.column if isinstance(error, NotJsonError) else 0
        yield Fault(file, error.line, column, error.what, error.mend or _AS_BUNDLE)
        return
    except _ObjectError as error:
        yield Fault(file, 0, 0, error.what, error.mend)
        return
    seen: set[str] = set()
    found = False
    for position, item in enumerate(objects):
        name = f"objects[{position}]"
        try:
            name = _checked_id(item, seen)
            _refuse_redefinition(item)
            row = _report(item)
        except _ObjectError as error:
            yield Fault(place_in(file, name), 0, 0, error.what, error.mend)
            found = True
        else:
            if row is not None:
                yield Raw(0, row, name)
                found = True
    if not found:
        what = "the bundle has no note and no opinion with a report of ours"
        yield Fault(file, 0, 0, what, f"put each into extensions, {EXTENSION}, report")


def _objects(stream: BinaryIO) -> list[Any]:
    pieces, size = [], 0
    for line in text_lines(stream):
        pieces.append(line)
        size += len(line)
        if size > LARGEST_BUNDLE:
            what = f"the bundle has more than {LARGEST_BUNDLE // 1_000_000} MB"
            raise _ObjectError(what, mend="hand it in as several bundles, or as JSON lines, which may be of any length")
    bundle = parsed_json("".join(pieces))
    if not isinstance(bundle, dict) or bundle.get("type") != "bundle":
        raise _ObjectError("the file is not a STIX bundle", mend=_AS_BUNDLE)
    objects = bundle.get("objects", [])
    if not isinstance(objects, list):
        raise _ObjectError("the objects of the bundle are not a list", mend=_AS_BUNDLE)
    return objects


def _checked_id(item: object, seen: set[str]) -> str:
    """The id of an object of STIX 2.1 that stands in the bundle once."""
    if not isinstance(item, dict):
        raise _ObjectError("the object is not a JSON object", mend=_AS_BUNDLE)
    kind, own = item.get("type"), item.get("id")
    if not isinstance(own, str) or not _ID.fullmatch(own) or own.partition("--")[0] != kind:
        raise _ObjectError("its id is not its type and a UUID", mend="write it as the standard does, like note--UUID")
    if own in seen:
        raise _ObjectError(f"{own} stands twice in the bundle", mend="keep the version that holds")
    seen.add(own)
    return own


def _refuse_redefinition(item: Mapping[str, Any]) -> None:
    """A bundle that says what a mark of TLP means has to say what it means everywhere."""
    own, meaning = item["id"], dict[str, Any]()
    level = TLP_MARKINGS.get(own) or _FIRST_TLP.get(own)
    if level is None:
        return
    if own in TLP_MARKINGS:
        meaning["extensions"] = {TLP_EXTENSION: {"extension_type": "property-extension", "tlp_2_0": level}}
    else:
        meaning |= {"definition_type": "tlp", "definition": {"tlp": level}}
    name = f"TLP:{level.upper()}"
    # The markings of the first version were long without names.
    said = {"name": name} | {key: value for key, value in item.items() if key not in ("created", "created_by_ref")}
    if said != {"type": "marking-definition", "spec_version": "2.1", "id": own, "name": name} | meaning:
        what = f"it redefines the standard marking {name}"
        raise _ObjectError(what, mend="leave the standard markings out, or as the standard has them")


def _report(item: Mapping[str, Any]) -> dict[str, object] | None:
    """The fields of the report that an object carries; None where it carries none."""
    custom = next((name for name in item if name.startswith("x_watchfloor")), None)
    if custom is not None:
        what = f'"{custom[:60]}" is a custom property, which nothing reads'
        raise _ObjectError(what, mend=f"put the report into extensions, {EXTENSION}, report")
    extensions = item.get("extensions", {})
    own = extensions.get(EXTENSION) if isinstance(extensions, dict) else None
    if not isinstance(own, dict) or "report" not in own:
        return None
    report = own["report"]
    if not isinstance(report, dict):
        raise _ObjectError("its report is not a JSON object", mend="give the fields of a report")
    _refuse_what_is_no_statement(item)
    if "tlp" in report:
        raise _ObjectError("its report has a tlp of its own", mend="mark the object, by object_marking_refs")
    _check_confidence(item, report)
    level = _level(item)
    return {**report, "tlp": level} if level else dict(report)


def _refuse_what_is_no_statement(item: Mapping[str, Any]) -> None:
    if item["type"] not in ("note", "opinion"):
        what = f'an object of type "{item["type"][:40]}" carries no report'
        raise _ObjectError(what, mend="put it into a note or an opinion")
    if item.get("spec_version") != "2.1":
        raise _ObjectError("its spec_version is not 2.1", mend="write it as STIX 2.1")
    if item.get("revoked", False) is not False:
        raise _ObjectError("it is revoked", mend="leave it out; what was imported of it before, retract here")


def _check_confidence(item: Mapping[str, Any], report: Mapping[str, Any]) -> None:
    """STIX has a scale for the digit of a grade; two places that say different things say nothing."""
    confidence, grade = item.get("confidence"), report.get("grade")
    if confidence is None:
        return
    if type(confidence) is not int or not 0 <= confidence <= 100:
        raise _ObjectError("its confidence is not a whole number from 0 to 100", mend="leave it out, or mend it")
    digit = grade[-1:] if isinstance(grade, str) else ""
    low, high = _CREDIBILITY.get(digit, (0, 100))
    if not low <= confidence <= high or digit == "6":
        what = f'its confidence {confidence} and its grade "{str(grade)[:10]}" contradict each other'
        raise _ObjectError(what, mend="leave the confidence out, or give the one of the Admiralty scale")


def _level(item: Mapping[str, Any]) -> str | None:
    """The strictest of an object's marks, red for one that is unknown; None where it has none."""
    marks = item.get("object_marking_refs", [])
    granular = item.get("granular_markings", [])
    if not isinstance(marks, list) or not isinstance(granular, list):
        raise _ObjectError("its markings are not a list", mend="give object_marking_refs as the standard does")
    # A granular marking may also say the language of a part, which marks nothing.
    of_parts = [mark for mark in granular if not (isinstance(mark, dict) and mark.keys() == {"lang", "selectors"})]
    marks = [*marks, *(mark.get("marking_ref") if isinstance(mark, dict) else None for mark in of_parts)]
    levels = [_LEVELS.get(mark, "red") if isinstance(mark, str) else "red" for mark in marks]
    return strictest(levels) if levels else None
