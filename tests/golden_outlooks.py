"""Outlooks kept from one run of the tests to the next: what pins the version of the engine to its numbers.

An outlook names the engine's version so that it can be made again. That holds as long as the same version gives the
same numbers: those of some small studies of all kinds, and of the worked case, are kept in `golden/outlooks.json` with
the version that gave them. `python -m tests.golden_outlooks` writes them anew, once the version is another one.

Numbers are held to 1e-9, which is more than another processor's logarithms and exponentials leave between two machines
and less than any change of a formula.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from forecast.assessment import confidence, flags, frequencies, words_with_range
from forecast.baseline import Baselines, BaseRate, Fit, Residuals
from forecast.flip import flips
from forecast.information import looks
from forecast.outlook import Outlook
from forecast.power import power
from forecast.projection import projection
from forecast.study import Study
from forecast.surprise import surprise
from forecast.version import __version__
from indicators.entry import content_hash
from indicators.evidence import report_content
from tests.forecast.build import japan_sar, outlook_of, outlook_of_study
from tests.strategies import random_case

__all__ = ["FILE", "OUTLOOKS", "Kept", "complaint", "digest", "made", "write"]

FILE = Path(__file__).parent / "golden" / "outlooks.json"
TOLERANCE = 1e-9

Kept = dict[str, Any]

_OPENS = date(2025, 1, 1)


def _drawn(seed: int) -> Outlook:
    """A random study of all kinds, as the oracle's tests use them."""
    return outlook_of(*random_case(random.Random(seed), n_indicators=5, n_reports=14, days=50))


def _with_histories() -> Outlook:
    """A count whose rate and a measure whose course come from a history."""
    plain = {
        "study": "histories",
        "opens": _OPENS.isoformat(),
        "horizon": "2026-01-01",
        "scenarios": [{"id": "yes", "prior": 0.4}, {"id": "no", "prior": 0.6}],
        "indicators": [
            {
                "id": "talks",
                "kind": "count",
                "baseline": {"history": "talks.csv", "from": "2020-01-01", "to": "2023-12-31"},
                "multipliers": {"yes": 3.0, "no": 0.7},
            },
            {
                "id": "price",
                "kind": "measure",
                "baseline": {"history": "price.csv", "model": "local-level"},
                "shifts": {"yes": 40.0, "no": -20.0},
            },
        ],
    }
    fit = Fit(
        model="local-level",
        last_day=date(2024, 12, 1),
        points=40,
        parameters={"sigma2.irregular": 4.0, "sigma2.level": 0.2},
        state=[50.0],
        covariance=[[1.5]],
        log_likelihood=-80.0,
        residuals=Residuals(lags=1, statistic=0.1, p_value=0.7),
    )
    baselines = Baselines(rates={"talks": BaseRate(events=6, years=4.0)}, fits={"price": fit})
    reports: list[dict[str, Any]] = [
        {"indicator": "talks", "observed": "2025-01-20", "grade": "B2"},
        {"indicator": "price", "observed": "2025-02-01", "value": 55.0, "grade": "A2"},
        {"indicator": "price", "observed": "2025-03-20", "value": 49.0, "grade": "F6"},
    ]
    coverage = [{"indicator": "talks", "from": "2025-01-05", "to": "2025-03-01", "detect": 0.8}]
    study = Study.model_validate(plain).with_baselines(baselines)
    return outlook_of_study(study, reports, coverage, _OPENS + timedelta(days=90))


OUTLOOKS: Mapping[str, Callable[[], Outlook]] = {
    **{f"drawn at random, {seed}": partial(_drawn, seed) for seed in (2, 5, 8, 13, 21)},
    "with histories": _with_histories,
    "the case on Japan": lambda: japan_sar(date(2026, 6, 7)),
}


def digest(outlook: Outlook) -> Kept:
    """What stands for an outlook: its input by hash, and the numbers of every part of it, thinned."""
    outlook = replace(outlook, seed=20250422, draws=500)
    every = max(1, outlook.length // 6)
    unexpected, ahead = surprise(outlook), projection(outlook)
    last = outlook.report_contributions[-25:]
    return {
        "input": _input_hash(outlook),
        "days": [outlook.days[n].isoformat() for n in range(0, outlook.length, every)],
        "probability": outlook.course[::every].tolist(),
        "smoothed": outlook.smoothed_course[::every].tolist(),
        "low": outlook.bands.low[::every].tolist(),
        "high": outlook.bands.high[::every].tolist(),
        "final": outlook.final.tolist(),
        "projected": ahead.course[-1].tolist(),
        "loglik": [item.log_likelihoods.tolist() for item in last],
        "decibans": [item.decibans.tolist() for item in last],
        "change": [item.change.tolist() for item in last],
        "moved": [[row.what, row.indicator, row.log_odds.tolist()] for row in outlook.rows_since(None)[:10]],
        "boards": [
            [b.states, b.expectation and [b.expectation.expected, b.expectation.low, b.expectation.high], b.occurred]
            for b in outlook.indicator_boards
        ],
        "bits": [[look.bits, look.bits_per_cost] for look in looks(outlook)],
        "flip": flips(outlook),
        "surprise": [unexpected.score, [p for _, p in unexpected.reports[-25:]]],
        "words": words_with_range(outlook),
        "worlds": frequencies(outlook.final),
        "confidence": confidence(outlook).level,
        "flags": flags(outlook),
        "power": power(outlook.study, runs=20, rng=np.random.default_rng(7)).confusion.tolist(),
    }


def _input_hash(outlook: Outlook) -> str:
    """Of everything that was put in: study, reports and coverage."""
    reports = [[live.entry, report_content(live.report)] for found in outlook.log.reports.values() for live in found]
    coverage = [[c.indicator, str(c.from_), str(c.to), c.detect] for cs in outlook.log.coverage.values() for c in cs]
    study = outlook.study.model_dump(mode="json", exclude_defaults=True)
    return content_hash({"study": study, "reports": reports, "coverage": coverage})


def made() -> dict[str, Kept]:
    """Every outlook's digest, as this engine makes it."""
    return {name: json.loads(json.dumps(digest(outlook()))) for name, outlook in OUTLOOKS.items()}


def complaint(kept: Kept, found: Mapping[str, Kept], *, version: str = __version__) -> str:
    """What is wrong between what was kept and what was found, with the mend; empty when nothing is."""
    anew = "`python -m tests.golden_outlooks` writes them anew"
    if kept["engine"] != version:
        return f"the golden outlooks are those of engine {kept['engine']}, and this is {version}; {anew}"
    for name, one in found.items():
        before = kept["outlooks"].get(name)
        if before is None or before["input"] != one["input"]:
            return f'the golden outlook "{name}" is of another study or log than is kept of it; {anew}'
        for part, numbers in one.items():
            if (place := _difference(before.get(part), numbers)) is not None:
                return (
                    f'the numbers of engine {version} have changed ("{part}" of "{name}"{place}); an outlook names the '
                    "engine's version so that it can be made again: undo the change, or raise the version in "
                    f"forecast/version.py, and then {anew}"
                )
    return ""


def _difference(before: Any, now: Any) -> str | None:
    """Where two parts differ by more than rounding, in words; None where they do not."""
    if isinstance(before, float | int) and isinstance(now, float | int) and not isinstance(now, bool):
        return None if abs(before - now) <= TOLERANCE * max(1.0, abs(now)) else f": {before!r} was {now!r}"
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        places = (_difference(one, other) for one, other in zip(before, now, strict=True))
        return next((place for place in places if place is not None), None)
    if isinstance(before, dict) and isinstance(now, dict) and list(before) == list(now):
        return _difference(list(before.values()), list(now.values()))
    return None if before == now else f": {json.dumps(before)[:60]} was {json.dumps(now)[:60]}"


def write(file: Path = FILE, *, version: str = __version__) -> str:
    """Keep what this engine makes, or say why not; says what was done."""
    found = made()
    if file.exists():
        kept = json.loads(file.read_text(encoding="utf-8"))
        told = complaint(kept, found, version=version)
        if "have changed" in told:
            return f"not written: {told}"
    lines = [f"  {json.dumps(name)}: {json.dumps(one)}" for name, one in found.items()]
    text = f'{{"engine": {json.dumps(version)},\n "outlooks": {{\n' + ",\n".join(lines) + "\n}}\n"
    file.write_text(text, encoding="utf-8")
    return f"{file} written"


if __name__ == "__main__":
    sys.exit(None if (done := write()).endswith("written") else done)
