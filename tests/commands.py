"""The `forecast` command called in this process, and a small ledger: for tests of what commands do to ledgers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from forecast.cli.main import run
from tests.small import STUDY

__all__ = ["REPORT", "Commands", "Result", "commands"]

REPORT = ("log", "mood", "--state", "calm", "--on", "2024-06-01")


@dataclass(frozen=True)
class Result:
    """What a command left behind: its exit code and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it said, read."""
        return json.loads(self.out)

    def is_refused(self, *phrases: str) -> None:
        """See that it was refused in one line that has these phrases, and said nothing else."""
        assert (self.code, self.out) == (2, "")
        [line] = self.err.splitlines()
        assert line.startswith("error: ")
        for phrase in phrases:
            assert phrase in line


class Commands:
    """The command, in a folder of its own where no ledger is named but by `--ledger`."""

    def __init__(self, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
        self._capsys = capsys
        self.folder = folder

    def __call__(self, *arguments: str | Path) -> Result:
        """What a command left behind, whatever its exit code."""
        self._capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        said = self._capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return Result(code, said.out, said.err)

    def done(self, *arguments: str | Path) -> Result:
        """What a command left behind that has to be done."""
        result = self(*arguments)
        assert result.code == 0, result.err
        return result

    def head(self, ledger: str | Path) -> str:
        """The head that `verify` prints of a ledger that holds."""
        told = self.done("verify", "--json", "--ledger", ledger).json
        return f"{told['entries']}:{told['head']}"

    def seven_entries(self, ledger: str | Path) -> str:
        """A ledger with a study, four reports, a span of coverage and a correction; its head."""
        (self.folder / "port.yaml").write_text(STUDY)
        for arguments in (
            ["study", "add", "port.yaml"],
            ["log", "mood", "--state", "calm", "--on", "2024-02-01", "--source", "Wire", "--note", "été 日本"],
            ["log", "mood", "--state", "hostile", "--on", "2024-03-01", "--grade", "C3"],
            ["log", "talks", "--count", "2", "--on", "2024-03-05"],
            ["cover", "talks", "--from", "2024-04-01", "--to", "2024-06-30"],
            ["log", "wait", "--value", "22.5", "--on", "2024-05-01"],
            ["amend", "e3", "--grade", "B2"],
        ):
            self.done(*arguments, "--ledger", ledger)
        return self.head(ledger)


@pytest.fixture
def commands(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """The command, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORECAST_AUTHOR", "ana")
    for name in ("FORECAST_LEDGER", "FORECAST_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    return Commands(capsys, tmp_path)
