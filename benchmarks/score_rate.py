"""How fast a long table of forecasts is scored, and in how much memory.

`python -m benchmarks.score_rate [ROWS]` writes tables of so many rows (ten million if not said) into a temporary folder
and runs `forecast score` on each, in a process of its own: a binary one of two columns; one of questions with two
outcomes, ten forecasters and dates; and one in which every row is a question of its own. The folder is removed at the
end.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

SEED = 20250422
BLOCK = 200_000


def binary(file: Path, rows: int, rng: np.random.Generator) -> None:
    """Probability and outcome, no more."""
    with file.open("w", encoding="utf-8") as stream:
        stream.write("probability,outcome\n")
        for start in range(0, rows, BLOCK):
            p = np.round(rng.random(min(BLOCK, rows - start)), 4)
            came_true = rng.random(len(p)) < p
            stream.writelines(f"{a},{b:d}\n" for a, b in zip(p.tolist(), came_true.tolist(), strict=True))


def categories(file: Path, rows: int, rng: np.random.Generator) -> None:
    """Two outcomes a question; ten forecasters on fifty dates each."""
    with file.open("w", encoding="utf-8") as stream:
        stream.write("question,forecaster,date,outcome,probability,resolution,resolved_on\n")
        for number in range(0, rows // 2, BLOCK):
            index = np.arange(number, min(number + BLOCK, rows // 2))
            question, rest = index // 500, index % 500
            tenths = rng.integers(1, 100, len(index))
            for q, r, t in zip(question.tolist(), rest.tolist(), tenths.tolist(), strict=True):
                about = f"q{q},f{r % 10},2024-{1 + r // 10 // 25:02}-{1 + r // 10 % 25:02}"
                told = ("yes" if q % 2 else "no") + ",2024-12-31"
                stream.write(f"{about},yes,{t / 100:.2f},{told}\n{about},no,{(100 - t) / 100:.2f},{told}\n")


def one_each(file: Path, rows: int, rng: np.random.Generator) -> None:
    """A question a row."""
    with file.open("w", encoding="utf-8") as stream:
        stream.write("question,forecaster,probability,resolution\n")
        for start in range(0, rows, BLOCK):
            p = rng.random(min(BLOCK, rows - start))
            came_true = rng.random(len(p)) < p
            pairs = enumerate(zip(p.tolist(), came_true.tolist(), strict=True), start)
            stream.writelines(f"question-{n},f{n % 3},{a:.6f},{b:d}\n" for n, (a, b) in pairs)


def run(folder: Path, *arguments: str) -> tuple[float, float]:
    """One command in a process of its own: seconds, and peak memory in MB."""
    start = time.perf_counter()
    command = [sys.executable, "-c", "from forecast.cli.main import main; main()", *arguments]
    child = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)  # noqa: S603
    _, status, usage = os.wait4(child.pid, 0)
    assert status == 0, arguments
    return time.perf_counter() - start, usage.ru_maxrss / 1000


def main(rows: int) -> None:
    """Run everything and print one line each."""
    makers: dict[str, Callable[[Path, int, np.random.Generator], None]] = {
        "binary": binary,
        "categories": categories,
        "a question a row": one_each,
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for what, make in makers.items():
            file = folder / "table.csv"
            make(file, rows, np.random.default_rng(SEED))
            size = file.stat().st_size / 1e6
            seconds, memory = run(folder, "score", file.name, "--json")
            rate = f"{rows / seconds:9.0f} rows/s"
            print(f"{what:20} {rows} rows, {size:5.0f} MB {seconds:7.1f} s {rate} {memory:7.0f} MB", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000)
