"""The README does what it says: its blocks run in order in an empty folder and show what it shows.

Four kinds of block count. `console`: each line `$ forecast ...` (or `$ cd FOLDER`, `$ echo $?`) is run, and the lines
below it are what it prints, on standard output and error together. `python`: a session with prompts, as `doctest`
reads it; all of them share their names. `yaml` that begins with the comment `# NAME.yaml` is written to that file.
Blocks of other languages are only read. In output, a line `...` stands for any lines and `...` within a line for any
text; blanks at the end of a line do not count.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

import forecast
from forecast.cli.main import cli, run

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")

_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#]+)[^)]*\)")
_ABSOLUTE = re.compile(r"(?<![\w.~<:/*`-])/\w|\b[A-Za-z]:\\|file://")
_REGISTRY = re.compile(r"https?://\S*(?:pypi|index|registry|proxy|mirror|simple)|--(?:extra-)?index-url", re.IGNORECASE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the line of the README on which the text begins."""

    language: str
    text: str
    line: int


@dataclass(frozen=True)
class Step:
    """One command of a console block, with the output shown below it."""

    command: str
    shown: list[str]
    line: int


class Shell:
    """What a console block needs of a shell: a folder, the `forecast` command and its last exit code."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._code = 0

    def output_of(self, step: Step) -> str:
        """Run a command; refuses one that is none of ours, or whose exit code its output does not prepare for."""
        words = shlex.split(step.command)
        if words[0] == "cd":
            self._monkeypatch.chdir(words[1])
            return ""
        if step.command == "echo $?":
            return f"{self._code}\n"
        assert words[0] == "forecast", f"README.md:{step.line}: `{words[0]}` is not run here"
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            self._code = run(words[1:])
        refused = any(line.startswith("error: ") for line in step.shown)
        assert refused or self._code != 2, f"README.md:{step.line}: `{step.command}` was refused:\n{printed.getvalue()}"
        return printed.getvalue()


def blocks(text: str) -> list[Block]:
    """All fenced blocks in order."""
    return [
        Block(found[1], found[2], text.count("\n", 0, found.start()) + 2) for found in _FENCED.finditer(text)
    ]  # fmt: skip


def steps(block: Block) -> Iterator[Step]:
    """The commands of a console block; a backslash at the end of a line goes on with the next."""
    lines = block.text.splitlines()
    position = 0
    while position < len(lines):
        line = block.line + position
        assert lines[position].startswith("$ "), f"README.md:{line}: a console block begins with a command"
        command = lines[position][2:]
        while command.endswith("\\"):
            position += 1
            command = command[:-1].rstrip() + " " + lines[position].strip()
        position += 1
        shown = []
        while position < len(lines) and not lines[position].startswith("$ "):
            shown.append(lines[position])
            position += 1
        while shown and not shown[-1]:
            shown.pop()
        yield Step(command, shown, line)


def shows(shown: list[str], printed: str) -> bool:
    """Whether the output shown is what was printed, but for what is elided."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else ".*?".join(map(re.escape, line.rstrip().split("..."))) + r"\n"
        for line in shown
    )
    lines = [line.rstrip() for line in printed.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in lines)) is not None


def check_session(block: Block, names: dict[str, object]) -> None:
    """Run a python block and compare what it prints."""
    test = doctest.DocTestParser().get_doctest(block.text, names, "README.md", "README.md", block.line - 1)
    assert test.examples, f"README.md:{block.line}: a python block is a session with prompts"
    told = io.StringIO()
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    result = doctest.DocTestRunner(optionflags=options).run(test, out=told.write, clear_globs=False)
    names.update(test.globs)
    assert not result.failed, told.getvalue()


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell in an empty folder, with no setting of the person who runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in ("FORECAST_LEDGER", "FORECAST_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FORECAST_AUTHOR", "reader")
    return Shell(monkeypatch)


def test_every_block_does_what_it_shows(shell: Shell) -> None:
    names: dict[str, object] = {}
    for block in blocks(README):
        if block.language == "console":
            for step in steps(block):
                printed = shell.output_of(step)
                told = f"README.md:{step.line}: `{step.command}` printed\n{printed}\nand not\n" + "\n".join(step.shown)
                assert shows(step.shown, printed), told
        elif block.language == "python":
            check_session(block, names)
        elif block.language == "yaml" and (name := re.match(r"# ([\w-]+\.yaml)\n", block.text)):
            Path(name[1]).write_text(block.text, "utf-8")


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        (["a", "b"], "a  \nb\n\n", True),
        (["a", "b"], "a\n", False),
        (["a"], "a\nb\n", False),
        (["a", "...", "d"], "a\nb\nc\nd\n", True),
        (["a", "...", "d"], "a\nd\n", True),
        (["a", "...", "d"], "a\nb\n", False),
        (["a ... c"], "a b b c\n", True),
        (["a ..."], "a\n", False),
        (["1.5 ..."], "1x5 b\n", False),
        ([], "a\n", False),
        ([], "", True),
    ],
)
def test_elided_output_is_the_only_output_that_may_differ(shown: list[str], printed: str, same: bool) -> None:
    assert shows(shown, printed) is same


def test_the_readme_has_a_tour_and_sessions() -> None:
    languages = [block.language for block in blocks(README)]
    assert languages.count("console") >= 5 and languages.count("python") >= 2
    assert README.count("```") == 2 * len(languages)


def test_every_command_is_named() -> None:
    commands = cli.list_commands(click.Context(cli))
    assert commands
    assert [name for name in commands if f"`forecast {name}" not in README] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_linked_exists(document: str) -> None:
    links = [link for link in _LINK.findall((ROOT / document).read_text("utf-8")) if "://" not in link]
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_picture_is_there_and_small() -> None:
    assert "docs/timeline.png" in _LINK.findall(README)
    picture = (ROOT / "docs" / "timeline.png").read_bytes()
    assert picture.startswith(b"\x89PNG") and len(picture) < 300_000


def test_every_room_on_the_map_exists() -> None:
    section = README.partition("\n## The map of the code\n")[2].partition("\n## ")[0]
    rooms = [
        f"{package}.{room}"
        for package, rows in re.findall(r"^\| `(indicators|forecast)` \|.*?\| (.*) \|$", section, re.MULTILINE)
        for room in re.findall(r"`(\w+)`", rows)
    ]
    assert len(rooms) > 30
    assert [room for room in rooms if find_spec(room) is None] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_line_holds_a_path_of_some_machine_or_the_address_of_a_registry(document: str) -> None:
    lines = (ROOT / document).read_text("utf-8").splitlines()
    assert [line for line in lines if _ABSOLUTE.search(line) or _REGISTRY.search(line)] == []


def test_the_newest_version_in_the_changelog_is_this_one() -> None:
    versions = re.findall(r"^## \[?(\d[^\]\s]*)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert versions[0] == forecast.__version__
