"""A study with the histories beside it: read as one, or refused with the faults of every file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from forecast.baseline import BaseRate
from forecast.study_folder import StudyFiles, read_study_files
from indicators.errors import FaultsError

STUDY = """\
study: polls
opens: 2024-01-01
horizon: 2024-12-31
scenarios: [{id: up, prior: 0.4}, {id: down, prior: 0.6}]
indicators:
  - id: strikes
    kind: count
    baseline: {history: past/strikes.csv, from: 2020-01-01, to: 2023-12-31}
    multipliers: {up: 2, down: 0.5}
  - id: support
    kind: measure
    baseline: {history: poll.csv, model: local-level}
    shifts: {up: 4, down: -2.5}
"""
STRIKES = "date,what\n2020-01-01,a\n2021-06-01,b\n2024-03-01,later\n"
POLL = "date,value\n" + "".join(f"20{20 + n // 4}-0{1 + 2 * (n % 4)}-01,{50 + (n * 7) % 5}\n" for n in range(16))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The study, with its histories, in a folder of its own."""
    place = tmp_path / "desk"
    (place / "past").mkdir(parents=True)
    (place / "past" / "strikes.csv").write_text(STRIKES, encoding="utf-8")
    (place / "poll.csv").write_text(POLL, encoding="utf-8")
    return place


def read(folder: Path, text: str = STUDY) -> StudyFiles:
    return read_study_files(folder / "polls.yaml", text.encode())


def faults_of(folder: Path, text: str = STUDY) -> list[str]:
    """Every fault, with the folder left out."""
    with pytest.raises(FaultsError) as caught:
        read(folder, text)
    return [str(fault).replace(f"{folder}/", "") for fault in caught.value.faults]


def test_the_study_comes_with_its_baselines(folder: Path) -> None:
    found = read(folder)
    assert found.text == STUDY
    assert found.study.baselines.histories == {"past/strikes.csv": STRIKES, "poll.csv": POLL}
    assert found.study.baselines.rates == {"strikes": BaseRate(2, 4.0, 1)}
    assert found.study.baselines.fits["support"].points == 16


def test_found_from_wherever_it_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative to the study file, not to where one stands."""
    monkeypatch.chdir(folder / "past")
    assert read_study_files("../polls.yaml", STUDY.encode()).study == read(folder).study


def test_a_byte_order_mark_is_no_part_of_the_history(folder: Path) -> None:
    (folder / "poll.csv").write_bytes(b"\xef\xbb\xbf" + POLL.encode())
    assert read(folder).study.baselines == read(folder).study.baselines
    assert read(folder).study.baselines.histories["poll.csv"] == POLL


def test_one_history_for_several_indicators(folder: Path) -> None:
    """It is read once, and its faults are told once."""
    twice = STUDY + STUDY[STUDY.index("  - id: strikes") : STUDY.index("  - id: support")].replace(
        "strikes\n", "raids\n"
    )
    assert set(read(folder, twice).study.baselines.rates) == {"strikes", "raids"}
    (folder / "past" / "strikes.csv").write_text("day\n", encoding="utf-8")
    assert len(faults_of(folder, twice)) == 1


@pytest.mark.parametrize(
    ("prepare", "told"),
    [
        (lambda f: (f / "poll.csv").unlink(), '"history" is "poll.csv", which is not there; put the file at '),
        (lambda f: _folder_in_place(f / "poll.csv"), '"history" is "poll.csv", which is not a file; name a CSV file'),
        (lambda f: _link(f / "poll.csv", f.parent / "elsewhere.csv"), "which leads out of the study file's folder;"),
        (lambda f: _link(f / "poll.csv", f / "poll.csv", made=False), "which leads in a circle; put the file itself"),
    ],
    ids=["missing", "folder", "link out", "link to itself"],
)  # fmt: skip
def test_a_file_that_cannot_be_opened(folder: Path, prepare: Callable[[Path], object], told: str) -> None:
    prepare(folder)
    (fault,) = faults_of(folder)
    assert fault.startswith("polls.yaml:12:25: ")
    assert told in fault


def _folder_in_place(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _link(path: Path, target: Path, *, made: bool = True) -> None:
    path.unlink()
    if made:
        target.write_text(POLL, encoding="utf-8")
    path.symlink_to(target)


def test_a_link_within_the_folder_is_followed(folder: Path) -> None:
    _link(folder / "poll.csv", folder / "past" / "poll-2023.csv")
    assert read(folder).study.baselines.histories["poll.csv"] == POLL


def test_the_faults_of_all_files_at_once(folder: Path) -> None:
    """Those of the study do not keep the histories from being looked at, nor the other way round."""
    (folder / "poll.csv").write_text(POLL.replace("2020-01-01,50", "2020-01-01,5O"), encoding="utf-8")
    (folder / "past" / "strikes.csv").write_text(f"{STRIKES}2020-00-01,x\n", encoding="utf-8")
    told = faults_of(folder, STUDY.replace("up: 2,", "up: 0,").replace("horizon: 2024-12-31", "horizon: 2023-12-31"))
    assert [fault.split("; ")[0] for fault in told] == [
        'past/strikes.csv:5: date: "2020-00-01" is not a day',
        'poll.csv:2: value: "5O" is not a number',
        'polls.yaml:3:10: "horizon" is 2023-12-31, not after "opens", 2024-01-01',
        'polls.yaml:9:23: the multiplier of "up" is 0, and zero can never be undone (Cromwell\'s rule)',
    ]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (POLL.splitlines()[:8], "poll.csv: it has 7 readings, too few to learn a course from; give at least 8"),
        (
            [line.split(",")[0] + ",50" if n else line for n, line in enumerate(POLL.splitlines())],
            'poll.csv: every reading is 50, which shows no course; state "values" in place of the baseline',
        ),
        (
            [*POLL.splitlines(), "2024-01-01,51"],
            "poll.csv:18: date: 2024-01-01 is not before the study opens on 2024-01-01; take the row out",
        ),
        (
            [*POLL.splitlines(), "2020-03-01,51"],
            "poll.csv:18: date: 2020-03-01 again, first on line 3; keep one reading a day",
        ),
    ],
    ids=["short", "constant", "late", "twice"],
)
def test_a_series_that_shows_no_course(folder: Path, rows: list[str], told: str) -> None:
    (folder / "poll.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (fault,) = faults_of(folder)
    assert fault.startswith(told)


def test_a_model_that_cannot_be_fitted_is_told_at_its_place(folder: Path) -> None:
    line = "date,value\n" + "".join(f"2020-01-{1 + n:02},{3 * n}\n" for n in range(12))
    (folder / "poll.csv").write_text(line, encoding="utf-8")
    (fault,) = faults_of(folder, STUDY.replace("local-level", "local-trend"))
    assert fault.startswith('polls.yaml:12:42: "local-trend": the ')
    assert fault.endswith('; try "model: local-level", or state "values" in place of the baseline')


def test_a_name_that_is_refused_is_not_opened(folder: Path) -> None:
    (folder.parent / "poll.csv").write_text("not a history", encoding="utf-8")
    (fault,) = faults_of(folder, STUDY.replace("poll.csv", "../poll.csv"))
    assert fault.startswith(
        'polls.yaml:12:25: "history" is "../poll.csv", which leads through . or ..; write its place'
    )
