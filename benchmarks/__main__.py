"""The whole comparison in one run: `./run.sh bench`, or `./run.sh bench small medium` to leave the large study out.

Every ratio is of two things timed in turns in this run, median against median, so it holds on a slow machine and on a
busy one; seconds would not. One filter pass is what a fresh outlook takes from the records of reports to the
probabilities of every day, filtered and smoothed. Writes `benchmarks/results.md` when all sizes were run.
"""

from __future__ import annotations

import gc
import importlib.metadata
import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import handwritten
from benchmarks.contender import QUESTIONS, TOOLS, ask, case_for
from benchmarks.references import hmm_smoothed, pandas_script
from benchmarks.studies import SIZES, Case, Size, drawn
from forecast.bayes import filtered_and_smoothed
from forecast.events import Live
from forecast.information import looks
from forecast.outlook import Outlook

AGREE = 1e-9
TIMES_LONGER = 1_000
LEAST_LIMIT = 60.0
RESULTS = Path(__file__).parent / "results.md"
REPEATS = {"small": 15, "medium": 7, "large": 1}


class Figure(NamedTuple):
    """One line of the result: what was measured, where, the ratio, and what it should reach."""

    what: str
    size: str
    ratio: float
    most: float

    @property
    def line(self) -> str:
        """As a row of a Markdown table."""
        verdict = "PASS" if self.ratio <= self.most else "miss"
        return f"| {self.what} | {self.size} | {self.ratio:.3g} | ≤ {self.most:g} | {verdict} |"


def in_turns(repeats: int, *jobs: Callable[[], Any]) -> list[float]:
    """Median seconds of each job, each run in every round."""
    spent: list[list[float]] = [[] for _ in jobs]
    for _ in range(repeats):
        for job, times in zip(jobs, spent, strict=True):
            gc.collect()
            start = time.perf_counter()
            job()
            times.append(time.perf_counter() - start)
    return [statistics.median(times) for times in spent]


def one_pass(case: Case) -> Outlook:
    """A fresh outlook with the probabilities of every day."""
    outlook = case.outlook()
    assert len(outlook.course) == len(outlook.smoothed_course)
    return outlook


def without_answers(outlook: Outlook) -> Outlook:
    """The same outlook with its filter run, and nothing that follows from it worked out."""
    fresh = replace(outlook, known=outlook.likelihoods)
    assert len(fresh.course)
    return fresh


def figures(name: str) -> list[Figure]:
    """What one size reaches."""
    case, repeats = drawn(SIZES[name]), REPEATS[name]
    assert case.study.daily_stay and case.log.reports  # made before the clock runs
    outlook = one_pass(case)
    prior, stay, daily = outlook.study.prior, outlook.study.daily_stay, outlook.daily
    filtered, smoothed = filtered_and_smoothed(prior, stay, daily)
    by_hand, by_hmm = handwritten.filter_and_smoother(prior, stay, daily), hmm_smoothed(prior, stay, daily)
    agree(f"{name}: hand-written filter", np.exp(filtered.log_filtered), by_hand[0])
    agree(f"{name}: hand-written smoother", smoothed, by_hand[1])
    agree(f"{name}: hmmlearn", smoothed, by_hmm)
    engine, hand, hmm = in_turns(
        25,
        lambda: filtered_and_smoothed(prior, stay, daily),
        lambda: handwritten.filter_and_smoother(prior, stay, daily),
        lambda: hmm_smoothed(prior, stay, daily),
    )
    found = [
        Figure("filter and smoother / the same by hand in numpy", name, engine / hand, 2.0),
        Figure("filter and smoother / hmmlearn", name, engine / hmm, 1.0),
    ]
    rng = np.random.default_rng(1)
    drawn_by_engine, drawn_by_hand = in_turns(
        min(repeats, 5), lambda: without_answers(outlook).bands, lambda: handwritten.bands(case, rng)
    )
    found.append(Figure("bands / the same by hand in numpy", name, drawn_by_engine / drawn_by_hand, 2.0))
    fresh = iter([without_answers(outlook) for _ in range(2 * repeats)])
    last = max((live for lives in case.log.reports.values() for live in lives), key=lambda live: live.seq)
    more = Live("one-more", last.seq + 1, last.report, last.rho)
    whole, left_out, informed, added = in_turns(
        repeats,
        lambda: one_pass(case),
        lambda: next(fresh).report_contributions,
        lambda: looks(next(fresh)),
        lambda: outlook.with_report(more).course,
    )
    found.append(Figure("every report left out in turn / one filter pass", name, left_out / whole, 5.0))
    found.append(Figure("information of all indicators / one filter pass", name, informed / whole, 3.0))
    found.append(Figure("one more report / one filter pass", name, added / whole, 1.0))
    if name != "large":
        (script,) = in_turns(1, lambda: pandas_script(case))
        agree(f"{name}: pandas script", outlook.course, pandas_script(case))
        found.append(Figure("one filter pass / the pandas script", name, whole / script, 1.0))
    return found


def agree(what: str, ours: Any, theirs: Any) -> None:
    """Stop unless two answers are the same to 1e-9."""
    apart = float(np.abs(np.asarray(ours) - np.asarray(theirs)).max())
    print(f"agrees to {apart:.1e}   {what}", flush=True)
    if not apart <= AGREE:
        raise SystemExit(f"{what}: {apart:.1e} apart, more than {AGREE:.0e}")


GROWING = {
    "reports": Size("reports", scenarios=5, indicators=40, states=4, reports=8_000, days=1_000, draws=100),
    "days": Size("days", scenarios=5, indicators=40, states=4, reports=2_000, days=4_000, draws=100),
    "draws": Size("draws", scenarios=5, indicators=10, states=4, reports=1_000, days=1_000, draws=500),
}
FACTORS = (1, 2, 4, 8)


def growth(what: str) -> Figure:
    """The slope of log time on log size: of one pass with everything left out in turn, or of the bands."""
    sizes = [replace(GROWING[what], **{what: getattr(GROWING[what], what) * factor}) for factor in FACTORS]
    cases = [drawn(size) for size in sizes]
    assert all(len(case.log.reports) for case in cases)

    def job(case: Case) -> Callable[[], Any]:
        return (lambda: case.outlook().bands) if what == "draws" else (lambda: case.outlook().report_contributions)

    seconds = in_turns(3, *(job(case) for case in cases))
    slope = float(np.polyfit(np.log(FACTORS), np.log(seconds), 1)[0])
    of = "bands" if what == "draws" else "pass and every report left out"
    return Figure(f"growth in {what} ({of}): slope of log time on log size", f"1 to {FACTORS[-1]} times", slope, 1.15)


def contest(name: str, tool: str, question: str) -> str:
    """A row of the table of networks: one tool beside the engine on one question."""
    case = case_for(name, question)
    assert case.log.reports
    drift = question != "static"
    (ours,) = in_turns(5, lambda: case.outlook(drift=drift).final)
    limit = max(LEAST_LIMIT, TIMES_LONGER * ours)
    theirs, posterior, why = ask(tool, name, question, seconds=limit)
    if theirs is None:
        told = f"{why} ({limit / ours:,.0f} times the engine)" if "limit" in why else why
    else:
        told = f"{theirs / ours:,.0f} times the engine"
        if question != "full":
            agree(f"{name}: {tool}, {question}", case.outlook(drift=drift).final, posterior)
    print(f"{name}: {tool}, {question}: {told}", flush=True)
    return f"| {tool} | {name} | {QUESTIONS[question]} | {told} |"


def page(rows: list[Figure], networks: list[str]) -> str:
    """The result as Markdown."""
    tools = ("numpy", "pandas", "hmmlearn", "pyagrum", "pgmpy")
    versions = ", ".join(f"{tool} {importlib.metadata.version(tool)}" for tool in tools)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return "\n".join(
        [
            "# The engine beside other tools",
            "",
            f"Written by `./run.sh bench`: Python {platform.python_version()}, {versions};",
            f"{os.cpu_count()} cores, one thread for each tool.",
            "All ratios are of things timed in turns in one run; whatever two tools can both answer agreed to 1e-9, or",
            f"the run would have stopped. The whole run held {peak:.1f} GB at most.",
            "On the large study all but the first two figures were timed once: a busy moment shows in them.",
            "",
            "| figure | study | ratio | should be | |",
            "| --- | --- | --- | --- | --- |",
            *(row.line for row in rows),
            "",
            "One filter pass: from the records of reports to the probabilities of every day, filtered and smoothed.",
            "",
            "## Bayesian networks",
            "",
            "From the study to the probabilities of the last day; the engine's are those of every day. Where there is",
            "drift and a state persists, the network a modeller would draw is not quite the model of the engine, which",
            "tells each indicator's story under one scenario at a time; there the cost alone is compared.",
            "",
            f"Each had {TIMES_LONGER:,} times as long as the engine, at least {LEAST_LIMIT:.0f} seconds, and 4 GB.",
            "",
            "| tool | study | question | time |",
            "| --- | --- | --- | --- |",
            *networks,
            "",
        ]
    )


def main(names: list[str]) -> None:
    """Run all of it, print it, and write it down when it is complete."""
    rows = [figure for name in names for figure in figures(name)]
    rows += [growth(what) for what in GROWING]
    asked = [(name, tool, question) for name in names if name != "large" for tool in TOOLS for question in QUESTIONS]
    text = page(rows, [contest(*question) for question in asked])
    print(text)
    if set(names) == set(SIZES):
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:] or list(SIZES))
