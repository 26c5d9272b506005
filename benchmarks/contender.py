"""One network tool on one study, in a process of its own: `python -m benchmarks.contender TOOL SIZE QUESTION`.

A process can be stopped at a limit of time and kept within a limit of memory, and a tool's import is not counted.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.references import network, pgmpy_posterior, pyagrum_posterior
from benchmarks.studies import SIZES, Case, drawn
from forecast.probability import Floats

__all__ = ["QUESTIONS", "TOOLS", "Answer", "ask", "case_for"]

MEMORY = 4 << 30
TOOLS = {"pyagrum": pyagrum_posterior, "pgmpy": pgmpy_posterior}
QUESTIONS = {
    "static": "no drift, half of the indicators keep their state",
    "memoryless": "drift, no indicator keeps its state",
    "full": "drift, half of the indicators keep their state",
}
Answer = tuple[float | None, Floats | None, str]


def case_for(size: str, question: str) -> Case:
    """The study of a size as a question has it."""
    case = drawn(SIZES[size])
    return replace(case, persistence=np.zeros_like(case.persistence)) if question == "memoryless" else case


def ask(tool: str, size: str, question: str, *, seconds: float) -> Answer:
    """Seconds from the study to the posterior of the last day, and the posterior; or None and how it gave up."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.contender", tool, size, question]
    root = Path(__file__).parent.parent
    try:
        done = subprocess.run(  # noqa: S603
            command, cwd=root, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return None, None, "stopped at the time limit"
    if done.returncode:
        told = (done.stderr.strip().splitlines() or [f"signal {-done.returncode}"])[-1]
        return None, None, f"gave up: {told.partition(':')[0][:60]}"
    found = json.loads(done.stdout.strip().splitlines()[-1])
    return found["seconds"], np.array(found["posterior"]), ""


def main(tool: str, size: str, question: str) -> None:
    """Print seconds and posterior as JSON."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    TOOLS[tool](*network(drawn(replace(SIZES["small"], reports=2, days=2)), drift=False))  # imports and first calls
    case = case_for(size, question)
    start = time.perf_counter()
    posterior = TOOLS[tool](*network(case, drift=question != "static"))
    print(json.dumps({"seconds": time.perf_counter() - start, "posterior": posterior.tolist()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
