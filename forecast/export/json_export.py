"""The outlook as JSON (SPEC 7): one document, every number in full double precision, keys and ids in a fixed order.

`outlook.schema.json` describes the document, key by key, with meaning and unit.
"""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

from forecast.assessment import confidence, words_with_range
from forecast.assessment import flags as all_flags
from forecast.boards import Board, Expectation
from forecast.display import account
from forecast.events import Live
from forecast.flip import flips
from forecast.information import Look, looks
from forecast.next_reading import NextReading, next_readings
from forecast.outlook import Contribution, Outlook
from forecast.probability import Floats
from forecast.projection import projection
from forecast.release import Released
from forecast.surprise import surprise
from indicators.evidence import report_content

__all__ = ["CHANGE_DAYS", "FORMAT", "inert_json", "json_text", "outlook_json", "outlook_schema"]

FORMAT = "watchfloor.outlook/1"
"""Name and version of the document, as its schema has it."""

CHANGE_DAYS = (7, 30, 90)
"""The spans of days over which the change of each probability is told."""

# Characters that a terminal obeys or that turn the reading direction; inside JSON texts they can be written as numbers.
_OBEYED = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def json_text(released: Released) -> str:
    """The outlook as JSON text, one line for each item of a list, ending in a newline.

    Parameters
    ----------
    released : Released
        What the gate lets out.
    """
    members = [f"{inert_json(key)}: {_laid_out(value)}" for key, value in outlook_json(released).items()]
    return "{" + ",\n ".join(members) + "}\n"


def outlook_json(released: Released) -> dict[str, Any]:
    """The same document as plain values: dict, list, str, int, float, bool and None."""
    outlook, provenance = released.outlook, released.provenance
    study = outlook.study
    sure, ahead, unexpected = confidence(outlook), projection(outlook), surprise(outlook)
    return {
        "format": FORMAT,
        "engine": provenance.engine,
        "study": {
            "id": study.study,
            "title": study.title,
            "question": study.question,
            "opens": study.opens.isoformat(),
            "horizon": study.horizon.isoformat(),
            "revision": provenance.revision,
            "tlp": study.tlp,
        },
        "tlp": released.tlp,
        "as_of": outlook.as_of.isoformat(),
        "known_at": provenance.known_at,
        "ledger": {"entries": provenance.head.entries, "head": provenance.head.hash},
        **({"without": list(provenance.without)} if provenance.without else {}),
        "confidence": {"level": sure.level, "why": sure.why},
        "scenarios": _scenarios(outlook),
        "timeline": _timeline(outlook),
        "projection": [
            {"date": day.isoformat(), "probability": _by_scenario(outlook, probability)}
            for day, probability in zip(ahead.days, ahead.course, strict=True)
        ],
        "contributions": [_contribution(outlook, item) for item in outlook.report_contributions],
        "indicators": _indicators(outlook),
        "surprise": {
            "score": unexpected.score,
            "alarm": unexpected.alarm,
            "reports": [{"entry": entry, "p": p} for entry, p in unexpected.reports],
        },
        "flags": all_flags(outlook, known=released.flags),
        "evidence": [_evidence(item.live) for item in outlook.report_contributions],
    }


def outlook_schema() -> dict[str, Any]:
    """The published JSON Schema (draft 2020-12) of the document, with the meaning and unit of every key."""
    text = files("forecast.export").joinpath("outlook.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _evidence(live: Live) -> dict[str, Any]:
    """The record as given; of attachments their names alone, for they themselves do not leave."""
    names = [file.name for file in live.report.attachments]
    return {"entry": live.entry, **report_content(live.report), **({"attachments": names} if names else {})}


def _scenarios(outlook: Outlook) -> list[dict[str, Any]]:
    changes = {days: outlook.change_over(days) for days in CHANGE_DAYS}
    words = words_with_range(outlook)
    return [
        {
            "id": scenario.id,
            "name": scenario.label,
            "prior": float(outlook.study.prior[k]),
            "probability": float(outlook.final[k]),
            "low": float(outlook.bands.low[-1, k]),
            "high": float(outlook.bands.high[-1, k]),
            "words": words[k],
            "change": {str(days): None if change is None else float(change[k]) for days, change in changes.items()},
        }
        for k, scenario in enumerate(outlook.study.scenarios)
    ]


def _timeline(outlook: Outlook) -> list[dict[str, Any]]:
    return [
        {
            "date": day.isoformat(),
            "probability": _by_scenario(outlook, probability),
            "low": _by_scenario(outlook, low),
            "high": _by_scenario(outlook, high),
            "smoothed": _by_scenario(outlook, smoothed),
        }
        for day, probability, low, high, smoothed in zip(
            outlook.days,
            outlook.course,
            outlook.bands.low,
            outlook.bands.high,
            outlook.smoothed_course,
            strict=True,
        )
    ]


def _contribution(outlook: Outlook, item: Contribution) -> dict[str, Any]:
    report = item.live.report
    return {
        "entry": item.live.entry,
        "date": report.dated.isoformat(),
        "indicator": report.indicator,
        "what": account(outlook.study, report),
        "loglik": _by_scenario(outlook, item.log_likelihoods),
        "decibans": _by_scenario(outlook, item.decibans),
        "change": _by_scenario(outlook, item.change),
    }


def _indicators(outlook: Outlook) -> list[dict[str, Any]]:
    flip, coming = flips(outlook), next_readings(outlook)
    return [
        _indicator(board, look, flip[board.indicator.id], coming.get(board.indicator.id))
        for board, look in zip(outlook.indicator_boards, looks(outlook), strict=True)
    ]


def _indicator(board: Board, look: Look, flip: float | None, coming: NextReading | None) -> dict[str, Any]:
    expectation = board.expectation
    stands: dict[str, float] = dict(board.states)
    if expectation is not None:
        stands = _expectation(expectation)
    return {
        "id": board.indicator.id,
        "name": board.indicator.label,
        "kind": board.indicator.kind,
        "last_observed": board.last_observed and board.last_observed.isoformat(),
        "due": board.due and board.due.isoformat(),
        "overdue": board.overdue,
        "board": stands,
        "bits": look.bits,
        "bits_per_cost": look.bits_per_cost,
        "flip": flip,
        **({} if coming is None else {"next": _next(coming)}),
    }


def _next(coming: NextReading) -> dict[str, Any]:
    by_scenario = {scenario: _expectation(told) for scenario, told in coming.by_scenario.items()}
    return {"date": coming.day.isoformat(), "by_scenario": by_scenario}


def _expectation(told: Expectation) -> dict[str, float]:
    return {"expected": told.expected, "low": told.low, "high": told.high}


def _by_scenario(outlook: Outlook, values: Floats) -> dict[str, float]:
    return dict(zip(outlook.study.scenario_ids, values.tolist(), strict=True))


def _laid_out(value: object) -> str:
    """A list with one item a line; anything else on one line."""
    if isinstance(value, list) and value:
        return "[\n  " + ",\n  ".join(map(inert_json, value)) + "\n ]"
    return inert_json(value)


def inert_json(value: object) -> str:
    """A plain value as JSON on one line, with nothing in it that a terminal obeys."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _OBEYED.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
