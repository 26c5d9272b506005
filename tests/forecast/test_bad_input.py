"""Every bad file of the tables beside the readers, handed in as a user does: by command, into a ledger on disk.

Whatever the file, the command leaves with 2, names each fault in a line of its own with place and mend, prints nothing
else, and neither the ledger nor its folder is any different afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from forecast.cli.main import run
from tests.forecast.test_study_file import ONE_FAULT, SEVERAL_FAULTS, changed
from tests.indicators import test_intake, test_intake_csv, test_intake_stix, test_intake_xlsx
from tests.small import STUDY, TODAY

REPORTS: dict[str, tuple[str, bytes, list[str]]] = {
    **{
        f"{file}, {name}": (file, test_intake.as_bytes(content), [words for _, words in faults])
        for file, table in (("bad.csv", test_intake.CSV), ("bad.jsonl", test_intake.JSONL))
        for name, (content, faults) in table.items()
    },
    **{
        f"{file}, {name}, by place": (file, content, [f"{file}{place}: {words}" for place, words in faults])
        for file, table in (
            ("bad.csv", test_intake_csv.BAD),
            ("bad.xlsx", test_intake_xlsx.BAD),
            ("bad.json", test_intake_stix.BAD),
        )
        for name, (content, faults) in table.items()
    },
}
"""File, content, and of each fault the words that have to stand in its line."""

STUDIES: dict[str, tuple[str, list[tuple[str, str]]]] = {
    **{name: (changed(old, new), [(where, words)]) for name, old, new, where, words in ONE_FAULT},
    **{f"several: {name}": (changed(old, new), list(told)) for name, old, new, told in SEVERAL_FAULTS},
    "empty": ("", [("1:1", "the file is empty; ")]),
    "a list": ("- a\n", [("1:1", "the file must hold keys")]),
    "NUL": ("study: a\0b\n", [("1:9", "the control character U+0000")]),
}
"""Text; and the place of each fault, with words that have to stand in its line."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a ledger on disk, as `check_refused` has one in memory: e2 a ballot, e3 coverage of talks."""
    folder = tmp_path_factory.mktemp("bad-input")
    (folder / "port.yaml").write_text(STUDY)
    (folder / "sound.csv").write_text("indicator,observed,state\nmood,2024-02-01,tense\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("FORECAST_AUTHOR", "ana")
        patch.delenv("FORECAST_LEDGER", raising=False)
        patch.setattr("forecast.cli.importing.today", lambda: TODAY)
        for arguments in (
            ["study", "add", "port.yaml"],
            ["log", "ballot", "--on", "2024-02-01"],
            ["cover", "talks", "--from", "2024-05-20", "--to", "2024-06-10"],
        ):
            assert run(arguments) == 0
        yield folder


def refused(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], file: str, content: bytes
) -> list[str]:
    """The lines of the refusal of a file, without their `error: `."""
    before = {path.name: path.read_bytes() for path in home.iterdir()}
    (home / file).write_bytes(content)
    capsys.readouterr()
    try:
        code = run(arguments)
    finally:
        (home / file).unlink()
    said = capsys.readouterr()
    assert (code, said.out) == (2, ""), said
    assert {path.name: path.read_bytes() for path in home.iterdir()} == before
    lines = said.err.splitlines()
    assert lines
    assert all(line.startswith(f"error: {file}") and "; " in line and line.isprintable() for line in lines), lines
    return [line.removeprefix("error: ") for line in lines]


def test_there_are_enough_of_them() -> None:
    assert len(STUDIES) >= 60
    assert len(REPORTS) >= 60
    for ending in (".csv", ".jsonl", ".xlsx", ".json"):
        assert sum(file.endswith(ending) for file, *_ in REPORTS.values()) >= 30


@pytest.mark.parametrize("name", REPORTS)
def test_a_bad_file_of_reports(name: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, content, expected = REPORTS[name]
    told = refused(home, capsys, ["import", file, "sound.csv"], file, content)
    assert len(told) == len(expected), told
    for words in expected:
        assert any(words in line for line in told), told


@pytest.mark.parametrize("name", STUDIES)
def test_a_bad_study(name: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, expected = STUDIES[name]
    told = refused(home, capsys, ["study", "add", "bad.yaml"], "bad.yaml", text.encode())
    for where, words in expected:
        assert any(line.startswith(f"bad.yaml:{where}: ") and words in line for line in told), told
