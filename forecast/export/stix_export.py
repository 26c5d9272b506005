"""The outlook as a STIX 2.1 bundle: the study as a report, its scenarios and the evidence as notes on it.

What the standard has no place for (probabilities, and a report's fields as they were logged) stands in our property
extension, whose definition is in the bundle; `indicators.intake_stix` reads the evidence back from there. Confidence in
the outlook and the digit of a grade are given on STIX's own scale (appendix A), the grade also as labels of the MISP
taxonomy. Handling marks are those of TLP 2.0, which the usual library refuses; so the objects are written by hand.

Nothing here is drawn at random or read off a clock. An object of the study or of a scenario speaks of one outlook, and
another outlook has other ids: it is never changed. A note on evidence keeps its id when the entry is corrected.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID, uuid5

from forecast.assessment import confidence, paragraph, words_with_range
from forecast.assessment import flags as all_flags
from forecast.display import account, percent
from forecast.events import Live
from forecast.export.json_export import inert_json
from forecast.release import Released
from indicators.evidence import report_content
from indicators.intake_stix import EXTENSION, TLP_EXTENSION, TLP_MARKINGS

__all__ = ["FORMAT", "stix_text"]

FORMAT = "watchfloor.stix/1"
"""Name and version of what stands in our extension, and of which object is what."""

Object = dict[str, Any]

_NAMESPACE = UUID("5c2f0e9b-7a43-5d7e-9a0c-3f6f0f6a1c58")
_WRITTEN = "2026-11-01T00:00:00.000Z"
_TLP_WRITTEN = "2022-10-01T00:00:00.000Z"
_MAKER = f"identity--{uuid5(_NAMESPACE, 'watchfloor')}"
_MARKING_OF = {level: name for name, level in TLP_MARKINGS.items()}
# STIX 2.1, appendix A: None / Low / Med / High, and Admiralty credibility, which gives 6 no number.
_SURE = {"low": 15, "moderate": 50, "high": 85}
_CREDIBILITY = {"1": 90, "2": 70, "3": 50, "4": 30, "5": 10}
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[!-;=?-\[\]_a-z~]*)?")
_SCHEMA = """\
In `extensions` under the id of this definition. An object has one of three tables: `study` (id, question, opens, \
horizon, as_of, revision, engine, ledger, confidence, flags; without, where something was left out), `scenario` (id, \
name, prior, probability, low, high, words; resolves_if, where it is given) or `report` (the fields of one logged \
report: indicator, observed, or from and to, state, count, value, source, grade, url, origin, event, note, author, \
ref; its handling mark is that of the object), and beside it `format` and `extension_type`. Probabilities run from 0 \
to 1; low and high are the 5th and 95th percentile; days are YYYY-MM-DD.\
"""


def stix_text(released: Released) -> str:
    """The outlook as a STIX 2.1 bundle, one object a line, ending in a newline.

    Parameters
    ----------
    released : Released
        What the gate lets out. Every note on evidence has the mark of its report, all else that of the outlook.
    """
    objects = list(_objects(released))
    bundle = f"bundle--{uuid5(_NAMESPACE, inert_json(objects))}"
    lines = ",\n  ".join(map(inert_json, objects))
    return f'{{"type": "bundle", "id": "{bundle}", "objects": [\n  {lines}\n]}}\n'


def _objects(released: Released) -> Iterator[Object]:
    outlook = released.outlook
    about = _id("report", released)
    evidence = [_evidence(released, item.live, about) for item in outlook.report_contributions]
    notes = [*_scenarios(released, about), *evidence]
    yield from (_maker(), _definition())
    levels = {released.tlp, *(TLP_MARKINGS[mark] for note in notes for mark in note["object_marking_refs"])}
    yield from (_marking(level) for level in _MARKING_OF if level in levels)
    yield _study(released, about, (note["id"] for note in notes))
    yield from notes


def _id(kind: str, released: Released, *more: str) -> str:
    """The id of an object that speaks of this one outlook: another outlook, another id."""
    outlook, provenance = released.outlook, released.provenance
    numbers = [*outlook.final.tolist(), *outlook.bands.low[-1].tolist(), *outlook.bands.high[-1].tolist()]
    told = [outlook.study.study, outlook.as_of.isoformat(), provenance.revision, provenance.head.hash]
    return f"{kind}--{uuid5(_NAMESPACE, inert_json([*told, provenance.engine, released.tlp, numbers, *more]))}"


def _moment(released: Released) -> str:
    """When what the outlook rests on was last changed; where there was no ledger, when it was known."""
    provenance = released.provenance
    known = [item.live.changed_at for item in released.outlook.report_contributions]
    return max([provenance.revised_at, *known]) or provenance.known_at


def _maker() -> Object:
    return {
        "type": "identity",
        "spec_version": "2.1",
        "id": _MAKER,
        "created": _WRITTEN,
        "modified": _WRITTEN,
        "name": "Watchfloor",
        "description": "A program that keeps the likelihood of scenarios from logged evidence.",
        "identity_class": "system",
    }


def _definition() -> Object:
    return {
        "type": "extension-definition",
        "spec_version": "2.1",
        "id": EXTENSION,
        "created_by_ref": _MAKER,
        "created": _WRITTEN,
        "modified": _WRITTEN,
        "name": "Watchfloor outlook",
        "description": "Probabilities of scenarios, and the reports that they rest on.",
        "schema": _SCHEMA,
        "version": "1.0.0",
        "extension_types": ["property-extension"],
    }


def _marking(level: str) -> Object:
    """A marking of TLP 2.0, as its standard has it."""
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": _MARKING_OF[level],
        "created": _TLP_WRITTEN,
        "name": f"TLP:{level.upper()}",
        "extensions": {TLP_EXTENSION: {"extension_type": "property-extension", "tlp_2_0": level}},
    }


def _object(kind: str, own: str, *, created: str, modified: str, tlp: str, ours: Mapping[str, object]) -> Object:
    extension = {"extension_type": "property-extension", "format": FORMAT, **ours}
    return {
        "type": kind,
        "spec_version": "2.1",
        "id": own,
        "created_by_ref": _MAKER,
        "created": created,
        "modified": modified,
        "object_marking_refs": [_MARKING_OF[tlp]],
        "extensions": {EXTENSION: extension},
    }


def _study(released: Released, own: str, notes: Iterable[str]) -> Object:
    outlook, provenance = released.outlook, released.provenance
    study, sure, moment = outlook.study, confidence(outlook), _moment(released)
    ours = {
        "id": study.study,
        "question": study.question,
        "opens": study.opens.isoformat(),
        "horizon": study.horizon.isoformat(),
        "as_of": outlook.as_of.isoformat(),
        "revision": provenance.revision,
        "engine": provenance.engine,
        "ledger": {"entries": provenance.head.entries, "head": provenance.head.hash},
        "confidence": {"level": sure.level, "why": sure.why},
        "flags": all_flags(outlook, known=released.flags),
        **({"without": list(provenance.without)} if provenance.without else {}),
    }
    told = (study.question, paragraph(outlook), released.gap)
    return {
        **_object("report", own, created=moment, modified=moment, tlp=released.tlp, ours={"study": ours}),
        "confidence": _SURE[sure.level],
        "name": study.label,
        "description": "\n\n".join(text for text in told if text),
        "published": moment,
        "object_refs": list(notes),
    }


def _scenarios(released: Released, about: str) -> Iterator[Object]:
    outlook, moment = released.outlook, _moment(released)
    sure, words = _SURE[confidence(outlook).level], words_with_range(outlook)
    for k, scenario in enumerate(outlook.study.scenarios):
        p, low, high = (float(x) for x in (outlook.final[k], outlook.bands.low[-1, k], outlook.bands.high[-1, k]))
        ours = {
            "id": scenario.id,
            "name": scenario.label,
            "prior": float(outlook.study.prior[k]),
            **{"probability": p, "low": low, "high": high, "words": words[k]},
            **({"resolves_if": scenario.resolves_if} if scenario.resolves_if else {}),
        }
        own = _id("note", released, "scenario", scenario.id)
        figure = f"{percent(p)} ({percent(low)} to {percent(high)}), {words[k]}, as of {outlook.as_of}"
        yield {
            **_object("note", own, created=moment, modified=moment, tlp=released.tlp, ours={"scenario": ours}),
            "confidence": sure,
            "abstract": f"{scenario.label}: {percent(p)}",
            "content": f"{scenario.label}: {figure}.",
            "object_refs": [about],
        }


def _evidence(released: Released, live: Live, about: str) -> Object:
    study, report = released.outlook.study, live.report
    created = live.recorded_at or _moment(released)
    own = uuid5(_NAMESPACE, inert_json([study.study, live.entry, created]))
    content = report_content(report)
    tlp = str(content.pop("tlp", study.tlp))
    grade = study.grade_of(report.grade, report.source)
    says = account(study, report)
    note = _object(
        "note", f"note--{own}", created=created, modified=live.changed_at or created, tlp=tlp, ours={"report": content}
    )
    note["labels"] = [
        f'admiralty-scale:source-reliability="{grade[0].lower()}"',
        f'admiralty-scale:information-credibility="{grade[1]}"',
    ]
    if grade[1] in _CREDIBILITY:
        note["confidence"] = _CREDIBILITY[grade[1]]
    if report.url and _ADDRESS.fullmatch(report.url):
        note["external_references"] = [{"source_name": report.source or "source", "url": report.url}]
    return {**note, "abstract": says, "content": report.note or says, "object_refs": [about]}
