"""The numbers of this version of the engine are those that were kept of it, and the keeping itself keeps its word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from forecast.version import __version__
from tests.golden_outlooks import FILE, OUTLOOKS, Kept, complaint, made, write

KEPT: Kept = json.loads(FILE.read_text(encoding="utf-8"))


def test_the_numbers_are_those_of_the_version() -> None:
    """Filter, smoother, bands, contributions, boards, bits, flips, surprise, projection, words and power."""
    assert complaint(KEPT, made()) == ""


def test_every_golden_outlook_is_kept_and_kinds_of_all_sorts_are_among_them() -> None:
    assert KEPT["engine"] == __version__
    assert list(KEPT["outlooks"]) == list(OUTLOOKS)
    kinds = {
        (indicator.kind, bool(getattr(indicator, "given", None)), bool(getattr(indicator, "baseline", None)))
        for outlook in OUTLOOKS.values()
        for indicator in outlook().study.indicators
    }
    plain = {(kind, False, False) for kind in ("state", "count", "milestone", "measure")}
    assert kinds >= plain | {("state", True, False), ("count", False, True), ("measure", False, True)}


def changed(name: str, part: str, by: float) -> dict[str, Any]:
    """What was kept, with the first number of one part of one outlook moved."""
    found: dict[str, Any] = json.loads(json.dumps(KEPT["outlooks"]))
    at = found[name][part]
    while isinstance(at[0], list):
        at = at[0]
    at[0] += by
    return found


NAME = "drawn at random, 5"


@pytest.mark.parametrize("part", ["probability", "low", "smoothed", "bits", "power", "change"])
def test_other_numbers_under_the_same_version_are_told_with_what_to_do(part: str) -> None:
    told = complaint(KEPT, changed(NAME, part, 1e-6))
    assert told.startswith(f'the numbers of engine {__version__} have changed ("{part}" of "{NAME}": ')
    assert "raise the version in forecast/version.py, and then `python -m tests.golden_outlooks`" in told


def test_what_another_processor_leaves_is_no_change() -> None:
    assert complaint(KEPT, changed(NAME, "probability", 1e-13)) == ""


def test_another_version_asks_for_new_ones() -> None:
    told = complaint(KEPT, changed(NAME, "probability", 0.1), version="99.0")
    assert told.startswith(f"the golden outlooks are those of engine {__version__}, and this is 99.0; ")


def test_another_input_is_told_apart_from_another_engine() -> None:
    found = changed(NAME, "probability", 0.1)
    found[NAME]["input"] = "0" * 64
    assert f'"{NAME}" is of another study or log' in complaint(KEPT, found)


def test_writing_anew_is_refused_while_the_version_is_the_same(tmp_path: Path) -> None:
    """Else the pin would hold nothing."""
    file = tmp_path / "outlooks.json"
    old = {"engine": __version__, "outlooks": changed(NAME, "final", 1e-3)}
    file.write_text(json.dumps(old))
    assert write(file).startswith("not written: the numbers of engine")
    assert json.loads(file.read_text()) == old
    assert write(file, version="99.0").endswith("written")
    kept = json.loads(file.read_text())
    assert kept["engine"] == "99.0" and complaint(kept, KEPT["outlooks"], version="99.0") == ""
