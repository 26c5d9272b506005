"""The handling gate: what an outlook rests on, what is refused, and that there is no way around it."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import typing
from collections.abc import Iterator
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path
from types import FunctionType

import numpy as np
import pytest

import forecast
from forecast import charts, export
from forecast.outlook import Outlook
from forecast.power import Power, power
from forecast.reading import Reading, WithoutError, read_study
from forecast.release import (
    NotReleasedError,
    Released,
    ReleasedPower,
    StrictStudyError,
    TooStrictError,
    inherited,
    release,
    release_power,
)
from indicators.ledger import MemoryLedger
from indicators.markings import TLP_LEVELS
from tests.forecast.build import PROVENANCE, outlook_of
from tests.small import STUDY, amend, cover, log, new_ledger, record, retract, study_of_text

NOW = datetime(2024, 9, 1, tzinfo=UTC)
DAY = date(2024, 6, 30)
AMBER_STUDY = STUDY.replace("title: The port", "title: The port\ntlp: amber")


def mood(ledger: MemoryLedger, day: str = "2024-02-01", **fields: object) -> str:
    return log(ledger, {"indicator": "mood", "state": "hostile", "observed": day, "grade": "B2", **fields}).id


def reading(ledger: MemoryLedger, known_at: datetime | None = None) -> Reading:
    return read_study(ledger, "port", known_at=known_at)


def let_out(ledger: MemoryLedger, max_tlp: str | None = None, **more: object) -> Released:
    return reading(ledger).released(DAY, now=NOW, max_tlp=max_tlp, **more)  # type: ignore[arg-type]


def entries_of(found: Released) -> list[str]:
    return [item.live.entry for item in found.outlook.report_contributions]


# What an outlook inherits


@pytest.mark.parametrize("study", TLP_LEVELS)
@pytest.mark.parametrize("report", [None, *TLP_LEVELS])
def test_an_outlook_has_the_strictest_mark_of_its_study_and_its_reports(study: str, report: str | None) -> None:
    ledger = new_ledger(STUDY.replace("title: The port", f"title: The port\ntlp: {study}"))
    mood(ledger, **({"tlp": report} if report else {}))
    expected = max((study, report or study), key=TLP_LEVELS.index)
    assert let_out(ledger).tlp == expected
    assert let_out(ledger).mark == f"TLP:{expected.upper()}"


def test_a_report_that_moves_nothing_counts_for_its_text() -> None:
    ledger = new_ledger()
    mood(ledger, tlp="red", grade="E5")
    assert let_out(ledger).tlp == "red"


def test_what_no_longer_stands_or_comes_later_does_not_count() -> None:
    ledger = new_ledger()
    retract(ledger, mood(ledger, tlp="red"))
    mood(ledger, "2024-07-01", tlp="red")
    found = let_out(ledger, "clear")
    assert (found.tlp, found.gap, found.provenance.without) == ("clear", "", ())
    assert not any(found.outlook.log.reports.values()), "it is not carried along either"


def test_a_mark_that_is_none_is_red() -> None:
    outlook = outlook_of(study_of_text().model_dump(mode="json", exclude_none=True), [], [], DAY)
    strange = outlook.study.model_copy(update={"tlp": "purple"})
    assert inherited(dataclasses.replace(outlook, study=strange)) == "red"
    with pytest.raises(StrictStudyError):
        release(dataclasses.replace(outlook, study=strange), PROVENANCE, max_tlp="amber+strict")


# What is refused


def test_what_rests_on_more_is_refused_with_the_number_of_entries() -> None:
    ledger = new_ledger()
    mood(ledger, tlp="amber", note="secret")
    mood(ledger, "2024-02-02", tlp="red")
    mood(ledger, "2024-02-03", tlp="green")
    with pytest.raises(TooStrictError, match="rests on 2 entries marked above TLP:GREEN") as caught:
        let_out(ledger, "green")
    assert caught.value.entries == 2
    assert "secret" not in str(caught.value)
    with pytest.raises(TooStrictError, match="rests on one entry marked above TLP:AMBER;"):
        let_out(ledger, "amber")
    assert let_out(ledger, "red").tlp == "red"


@pytest.mark.parametrize("without_above", [False, True])
def test_a_study_above_the_level_cannot_be_left_out(without_above: bool) -> None:
    ledger = new_ledger(AMBER_STUDY)
    with pytest.raises(StrictStudyError, match="the study itself is marked above TLP:GREEN"):
        let_out(ledger, "green", without_above=without_above)
    with pytest.raises(StrictStudyError):
        reading(ledger).within("green")
    assert let_out(ledger, "amber").tlp == "amber"


def test_an_unknown_limit_lets_out_only_what_is_clear() -> None:
    ledger = new_ledger()
    mood(ledger, tlp="green")
    with pytest.raises(TooStrictError):
        let_out(ledger, "purple")


def test_the_gate_itself_refuses_whoever_brings_too_much() -> None:
    ledger = new_ledger()
    mood(ledger, tlp="red")
    mood(ledger, "2024-07-01", tlp="red")
    outlook = reading(ledger).outlook(DAY)
    with pytest.raises(TooStrictError, match="2 entries"):
        release(outlook, PROVENANCE, max_tlp="amber")


# What is left out


def test_without_what_is_above_it_is_the_outlook_of_a_ledger_that_never_had_it() -> None:
    ledger, other = new_ledger(), new_ledger()
    for book in (ledger, other):
        mood(book, tlp="green", source="Wire")
        cover(book, "talks", "2024-01-05", "2024-02-05")
    mood(ledger, "2024-03-01", tlp="red", event="x")
    found = let_out(ledger, "green", without_above=True)
    assert np.array_equal(found.outlook.final, let_out(other).outlook.final)
    assert entries_of(found) == ["e2"]
    assert found.tlp == "green"
    assert found.provenance.without == ("above:green",)
    assert found.gap.startswith("Entries marked above TLP:GREEN are left out")


def test_nothing_is_said_where_nothing_had_to_be_left_out() -> None:
    ledger = new_ledger()
    mood(ledger, tlp="green")
    found = let_out(ledger, "green", without_above=True)
    assert (found.gap, found.said, found.provenance.without) == ("", "TLP:GREEN", ())


def test_what_is_left_out_by_name_needs_no_leave() -> None:
    ledger = new_ledger()
    entry = mood(ledger, tlp="red", source="Mole")
    mood(ledger, "2024-02-02", source="Wire")
    for name in (f"entry:{entry}", "source:Mole"):
        found = let_out(ledger, "green", without=[name])
        assert found.provenance.without == ("above:green",), "its name would tell of it"
        assert entries_of(found) == ["e3"]
    found = let_out(ledger, "green", without=["source:Wire", "source:Mole"])
    assert found.provenance.without == ("source:Wire", "above:green")


def test_a_wrong_name_brings_no_hint_of_what_is_withheld() -> None:
    ledger = new_ledger()
    mood(ledger, tlp="red", source="Molehill")
    with pytest.raises(WithoutError, match='no source "Molehil"') as caught:
        let_out(ledger, "green", without=["source:Molehil"], without_above=True)
    assert caught.value.mend == ""
    with pytest.raises(WithoutError, match="Molehill"):
        let_out(ledger, without=["source:Molehil"])


def test_a_flag_speaks_of_no_withheld_report() -> None:
    ledger = new_ledger()
    mood(ledger, tlp="red")
    record(ledger, STUDY.replace("settled: [0.6, 0.3, 0.1]", "settled: [0.5, 0.4, 0.1]"))
    assert "first report e2" in "".join(let_out(ledger).flags)
    assert let_out(ledger, "green", without_above=True).flags == ()


# Marks and time


def test_a_mark_raised_later_holds_for_earlier_views_too() -> None:
    ledger = new_ledger()
    entry = mood(ledger, note="told too early")
    before = datetime(2024, 7, 1, 13, 30, tzinfo=UTC)
    amend(ledger, entry, tlp="red", note="")
    then = reading(ledger, before)
    assert [item.note for _, item in then.known.reports()] == ["told too early"]
    assert then.released(DAY, now=NOW).tlp == "red"
    with pytest.raises(TooStrictError):
        then.released(DAY, now=NOW, max_tlp="green")
    assert entries_of(then.released(DAY, now=NOW, max_tlp="green", without_above=True)) == []


def test_a_study_marked_more_strictly_later_is_so_in_earlier_views() -> None:
    ledger = new_ledger()
    record(ledger, AMBER_STUDY)
    then = reading(ledger, datetime(2024, 7, 1, 12, 30, tzinfo=UTC))
    assert then.study.tlp == "clear"
    assert then.released(DAY, now=NOW).tlp == "amber"
    with pytest.raises(StrictStudyError):
        then.released(DAY, now=NOW, max_tlp="green")


def test_a_study_marked_less_strictly_does_not_lower_what_was_logged_under_it() -> None:
    ledger = new_ledger(AMBER_STUDY)
    old = mood(ledger)
    cover(ledger, "talks", "2024-01-05", "2024-02-05")
    record(ledger, STUDY)
    mood(ledger, "2024-03-01")
    found = let_out(ledger)
    assert [item.live.report.tlp for item in found.outlook.report_contributions] == ["amber", None]
    with pytest.raises(TooStrictError, match="2 entries"):
        let_out(ledger, "green")
    amend(ledger, old, tlp="clear")
    with pytest.raises(TooStrictError, match="one entry"):
        let_out(ledger, "green")


def test_what_was_lowered_is_told_without_what_it_said_before() -> None:
    ledger = new_ledger()
    entry = mood(ledger, tlp="red", note="raw")
    amend(ledger, entry, why="cleared", tlp="green", note="clean")
    amend(ledger, entry, why="typo", note="cleaner")
    [logged] = reading(ledger).listed(lambda _: True, max_tlp="green")
    assert (logged.record, logged.first) == (logged.record, logged.record)
    assert [correction.payload["why"] for correction in logged.corrections] == ["typo"]
    assert logged.entry.author == "withheld"


def test_a_list_is_refused_or_cut_like_an_outlook() -> None:
    ledger = new_ledger()
    retract(ledger, mood(ledger, tlp="red"))
    mood(ledger, "2024-02-02")
    whole = reading(ledger)
    with pytest.raises(TooStrictError, match="the list holds one entry marked above TLP:AMBER"):
        whole.listed(lambda _: True, max_tlp="amber")
    kept = whole.listed(lambda _: True, max_tlp="amber", without_above=True)
    assert [logged.entry.id for logged in kept] == ["e4"]
    assert len(whole.listed(lambda logged: logged.entry.id == "e4", max_tlp="amber")) == 1


def test_the_python_face_has_the_gate() -> None:
    ledger = new_ledger()
    mood(ledger, tlp="amber")
    with pytest.raises(TooStrictError):
        forecast.released(reading(ledger), max_tlp="green")
    assert forecast.released(reading(ledger), DAY, max_tlp="green", without_above=True).tlp == "clear"
    assert forecast.released(reading(ledger)).outlook.as_of == date(2024, 12, 31)


def test_a_simulation_has_the_mark_of_its_study() -> None:
    found = power(study_of_text(AMBER_STUDY), runs=1, rng=np.random.default_rng(1))
    assert release_power(found).mark == "TLP:AMBER"
    assert release_power(found, at_least="red").tlp == "red"
    with pytest.raises(StrictStudyError):
        release_power(found, max_tlp="green")


# No way around it


@pytest.mark.parametrize("kind", [Released, ReleasedPower])
def test_only_the_gate_makes_what_is_released(kind: type[Released]) -> None:
    names = [field.name for field in dataclasses.fields(kind)]
    with pytest.raises(NotReleasedError):
        kind(**dict.fromkeys(names))  # type: ignore[arg-type]


def test_what_is_released_cannot_be_altered() -> None:
    found = let_out(new_ledger())
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.tlp = "clear"  # type: ignore[misc]
    with pytest.raises((NotReleasedError, ValueError)):
        dataclasses.replace(found, tlp="clear")


ROOT = Path(forecast.__file__).parent
WAYS_OUT = ("charts", "export", "report")
"""The packages and rooms from which things leave."""


def rooms() -> Iterator[str]:
    for name in WAYS_OUT:
        for path in sorted([*ROOT.glob(f"{name}.py"), *(ROOT / name).rglob("*.py")]):
            yield ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")


def offered(room: str) -> Iterator[tuple[str, FunctionType]]:
    module = import_module(room)
    for name in getattr(module, "__all__", ()):
        if inspect.isfunction(getattr(module, name)):
            yield name, getattr(module, name)


def test_there_are_ways_out_to_look_at() -> None:
    assert {name for name, _ in offered("forecast.charts")} >= {"timeline_chart", "power_chart"}
    assert [room for room in rooms() if room.endswith("json_export")]


@pytest.mark.parametrize("room", ["forecast.charts", "forecast.export", "forecast.export.folder"])
def test_nothing_offered_there_takes_what_is_not_released(room: str) -> None:
    for name, function in offered(room):
        if name == "moves_when_logged":
            continue  # numbers alone, which its own test recomputes
        taken = typing.get_type_hints(function)
        assert not {Outlook, Power, Reading} & set(taken.values()), f"{room}.{name}"


@pytest.mark.parametrize("form", list(export.FORMATS.values()), ids=list(export.FORMATS))
def test_every_format_takes_what_is_released(form: export.Format) -> None:
    assert next(iter(typing.get_type_hints(form.write).values())) is Released


@pytest.mark.parametrize("name", [name for name in charts.__all__ if name.endswith("_chart")])
def test_every_chart_takes_what_is_released(name: str) -> None:
    first = next(iter(typing.get_type_hints(getattr(charts, name)).values()))
    assert first in (Released, ReleasedPower) or name == "calibration_chart", "that one takes scores, and no texts"


@pytest.mark.parametrize("room", list(rooms()))
def test_no_way_out_reads_a_ledger_or_opens_the_gate_itself(room: str) -> None:
    """It gets what is released; only commands and the Python face ask for it."""
    tree = ast.parse(Path(str(import_module(room).__file__)).read_text("utf-8"))
    imported = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    at_run_time = {name for name in imported if name.startswith(("forecast.reading", "indicators.ledger"))}
    assert {name for name in at_run_time if not name.endswith(".Head")} == set()
    assert not imported & {"forecast.release.release", "forecast.release.release_power"}


def test_the_gate_has_one_key() -> None:
    users = [path.name for path in ROOT.rglob("*.py") if "_GATE" in path.read_text("utf-8")]
    assert users == ["release.py"]
