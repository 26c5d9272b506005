"""A canary in every text field of entries at every level: below that level it is in no byte of anything that leaves.

Every way out is a line of `EXITS`. A command that can be given `--max-tlp` and has no line there fails a test; so does
a new command that neither can be given it nor is known to stay in the house.
"""

from __future__ import annotations

import base64
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import click
import pandas as pd
import pytest

import forecast
from forecast import charts, settling, workflow
from forecast.cli.main import _COMMANDS, cli
from forecast.export import FORMATS
from forecast.release import Released
from indicators.attachment_folder import AttachmentFolder, folder_beside
from indicators.clock import utc_now
from indicators.ledger import Ledger
from indicators.ledger_sqlite import create_ledger
from indicators.markings import TLP_LEVELS
from tests.commands import Commands, Result
from tests.forecast.test_publication import TESTED
from tests.small import STUDY, place, record
from tests.traces import found_in

AS_OF = "2024-06-30"
LATER = date(2024, 12, 1)
TEXTS = ("source", "url", "origin", "event", "note", "author", "ref")
OUT = "out/file"
"""The place of a file to write, in an exit's arguments; its ending stands behind it."""


@dataclass(frozen=True)
class Exit:
    """A way out: the arguments of a command."""

    arguments: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join(self.arguments)


def _exports() -> Iterator[Exit]:
    for name, form in FORMATS.items():
        for table in form.tables or (None,):
            chosen = () if table is None else ("--table", table)
            yield Exit(("export", "--format", name, *chosen, OUT))
    yield Exit(("export", "--format", "json", "-"))
    yield Exit(("export", "--format", "markdown", "-"))


REPLAYS = (Exit(("backtest", "--by", "as-of", "--to", AS_OF, "--every", "30d", "-o", OUT + ".csv")),)
"""Those that are given their days."""

READINGS = (
    *REPLAYS,
    Exit(("record", "--rows")),
    Exit(("record", "--json")),
    Exit(("status",)),
    Exit(("status", "--json")),
    Exit(("explain", "--all")),
    Exit(("explain", "--json", "--since", "2024-02-15")),
    Exit(("watch",)),
    Exit(("watch", "--json")),
    Exit(("evidence",)),
    Exit(("evidence", "--json")),
    Exit(("evidence", "--json", "--corrected")),
    Exit(("calendar", "-o", OUT + ".ics")),
    Exit(("report", "--since", "2024-02-15", "-o", OUT + ".md")),
    *_exports(),
    *(Exit(("chart", name, "-o", OUT + ".json")) for name in ("timeline", "matrix", "waterfall", "board", "watch")),
    Exit(("chart", "series", "--indicator", "wait", "-o", OUT + ".json")),
)
"""Those that rest on what is logged, and are quick."""

PICTURES = (
    Exit(("export", "--all", OUT)),
    *(Exit(("chart", "timeline", "-o", OUT + ending)) for ending in (".png", ".svg", ".pdf")),
    Exit(("chart", "waterfall", "-o", OUT + ".svg")),
    Exit(("chart", "matrix", "-o", OUT + ".pdf")),
    *(Exit(("report", "-o", OUT + ending)) for ending in (".html", ".pdf", ".docx", ".ipynb")),
)
"""Those that draw, which takes longer."""

STUDIES = (
    Exit(("power", "--runs", "2", "--json")),
    Exit(("chart", "power", "--runs", "2", "-o", OUT + ".svg")),
    Exit(("study", "show")),
    Exit(("study", "show", "--file")),
    Exit(("study", "show", "--json")),
    Exit(("score",)),
    Exit(("score", "--json")),
    Exit(("score", "--csv")),
    Exit(("score", "--chart", OUT + ".svg")),
)
"""Those that rest on the study alone."""

EXITS = (*READINGS, *PICTURES, *STUDIES)

STAY_IN_THE_HOUSE = {
    *("init", "demo", "completion", "log", "import", "cover", "amend", "retract", "publish", "publications"),
    "resolve",
    *("verify", "copy", "dump", "load", "study check", "study add", "study list", "study history"),
    *(f"account {name}" for name in ("add", "list", "password", "role", "close", "reopen")),
}
"""Commands that write into a ledger, or hand on all of it, or print what only its keepers read."""


def canary(level: str) -> str:
    """The word of a level: in every text of its entries."""
    return f"kzq{TLP_LEVELS.index(level)}vx"


def texts(level: str, which: str) -> dict[str, object]:
    return {name: f"{canary(level)}-{which}-{name}" for name in TEXTS}


def logged(ledger: Ledger, files: AttachmentFolder, level: str, which: str, **fields: object) -> str:
    """A report at a level, whose every text has the canary; its attachment too, name and content."""
    word = canary(level)
    source = files.path.parent / f"{word}-{which}.txt"
    source.write_text(f"{word} {which}")
    raw = {**texts(level, which), "tlp": level, **fields}
    with files.staged([source]) as copies:
        entry = workflow.log_report(ledger, "port", raw, author=word, today=LATER, place=place, attached=copies)
    return entry.id


def fill(ledger: Ledger, files: AttachmentFolder, level: str, n: int) -> None:
    """Entries of every fate at a level."""
    word, day = canary(level), f"2024-0{n + 1}-1"
    logged(ledger, files, level, "state", indicator="mood", state="hostile", observed=f"{day}1", grade="A1")
    logged(ledger, files, level, "given", indicator="press", state="loud", observed=f"{day}2", grade="B2")
    logged(ledger, files, level, "count", indicator="talks", count=2, observed=f"{day}3", grade="B2")
    logged(ledger, files, level, "measure", indicator="wait", value=30 + n, observed=f"{day}4", grade="B2")
    logged(ledger, files, level, "later", indicator="mood", state="tense", observed=f"2024-08-0{n + 1}")
    amended = logged(ledger, files, level, "amended", indicator="mood", state="calm", observed=f"{day}5")
    by_canary = {"today": LATER, "place": place, "author": word}
    workflow.amend(ledger, "port", amended, {"note": f"{word} anew"}, why=f"{word} why", **by_canary)  # type: ignore[arg-type]
    gone = logged(ledger, files, level, "gone", indicator="mood", state="calm", observed=f"{day}6")
    workflow.retract(ledger, "port", gone, why=f"{word} why", author=word)
    lowered = logged(ledger, files, level, "lowered", indicator="mood", state="calm", observed=f"{day}7")
    clean = {name: f"clean-{n}-{name}" for name in TEXTS} | {"tlp": "clear"}
    workflow.amend(ledger, "port", lowered, clean, why=f"{word} why", **by_canary)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("canary") / "forecast.db"
    with create_ledger(path, clock=utc_now) as book:
        record(book, STUDY)
        for n, level in enumerate(TLP_LEVELS):
            fill(book, AttachmentFolder(folder_beside(path)), level, n)
    return path


def left_behind(result: Result, folder: Path) -> bytes:
    """Everything: what was said, and the names and bytes of what was written."""
    files = [path for path in (folder / "out").rglob("*") if path.is_file()]
    names = "\n".join(str(path.relative_to(folder)) for path in files)
    said = f"{result.out}\n{result.err}\n{names}".encode()
    # Apart, so that a packed file is seen to be one.
    return said if not files else b"\0".join(zipped(said, *(path.read_bytes() for path in files)))


def zipped(*parts: bytes) -> Iterator[bytes]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for n, part in enumerate(parts):
            archive.writestr(str(n), part)
    yield packed.getvalue()


def above(level: str) -> list[str]:
    return [canary(other) for other in TLP_LEVELS[TLP_LEVELS.index(level) + 1 :]]


def call(commands: Commands, leaves: Exit, ledger: Path, *more: str) -> bytes:
    """What an exit leaves behind, which is refused or done."""
    (commands.folder / "out").mkdir()
    options = () if leaves in (*STUDIES, *REPLAYS) else ("--as-of", AS_OF, "--draws", "100")
    result = commands(*leaves.arguments, "--ledger", ledger, *options, *more)
    assert result.code == (0 if "--without-above" in more or leaves in STUDIES else 2), result.err
    if result.code == 2:
        assert list((commands.folder / "out").rglob("*")) == []
        assert result.out == ""
    return left_behind(result, commands.folder)


@pytest.mark.parametrize("level", ["clear", "green", "amber", "amber+strict"])
@pytest.mark.parametrize("leaves", READINGS, ids=str)
def test_no_byte_for_an_audience_is_from_above_its_level(
    commands: Commands, ledger: Path, leaves: Exit, level: str
) -> None:
    assert found_in(call(commands, leaves, ledger, "--max-tlp", level, "--without-above"), above(level)) == []


@pytest.mark.parametrize("leaves", PICTURES, ids=str)
def test_no_byte_of_a_picture_is_from_above_its_level(commands: Commands, ledger: Path, leaves: Exit) -> None:
    assert found_in(call(commands, leaves, ledger, "--max-tlp", "amber", "--without-above"), above("amber")) == []


@pytest.mark.parametrize("leaves", STUDIES, ids=str)
def test_no_byte_of_a_study_is_from_an_entry(commands: Commands, ledger: Path, leaves: Exit) -> None:
    words = [canary(level) for level in TLP_LEVELS]
    assert found_in(call(commands, leaves, ledger, "--max-tlp", "clear"), words) == []


@pytest.mark.parametrize("leaves", [*READINGS, PICTURES[0], PICTURES[2]], ids=str)
def test_a_refusal_says_how_many_and_nothing_of_them(commands: Commands, ledger: Path, leaves: Exit) -> None:
    said = call(commands, leaves, ledger, "--max-tlp", "amber")
    assert found_in(said, [canary(level) for level in TLP_LEVELS]) == []
    assert b"entries marked above TLP:AMBER" in said
    assert b"--without-above" in said


WRONG = (
    ("status", "--without", f"source:{canary('red')}-state-sourc"),
    ("status", "--without", f"origin:{canary('red')}-state-origi"),
    ("status", "--without", "entry:e999"),
    ("evidence", "--show", "e999"),
    ("evidence", "--indicator", "moodd"),
    ("explain", "--scenario", "strik"),
    ("explain", "--since", "2023-01-01"),
    ("export", "--format", "csv", "--table", "evidenc"),
    ("chart", "series", "--indicator", "mood", "-o", OUT + ".svg"),
)


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_no_error_names_what_is_withheld(commands: Commands, ledger: Path, arguments: tuple[str, ...]) -> None:
    (commands.folder / "out").mkdir()
    result = commands(*arguments, "--ledger", ledger, "--max-tlp", "green", "--without-above")
    assert result.code == 2
    given = [word for word in above("green") if word in " ".join(arguments)]
    told = result.err.replace(" ".join(arguments[2:]).partition(":")[2] or "\0", "") if given else result.err
    assert found_in(told.encode(), above("green")) == []


def test_what_is_left_out_by_name_is_not_named_where_only_stricter_entries_have_the_name(
    commands: Commands, ledger: Path
) -> None:
    left_out = f"source:{canary('red')}-state-source"
    options = ("--as-of", AS_OF, "--max-tlp", "amber+strict", "--without-above")
    result = commands.done("status", "--json", "--ledger", ledger, "--without", left_out, *options)
    assert result.json["without"] == ["above:amber+strict"]
    assert found_in((result.out + result.err).encode(), above("amber+strict")) == []


@pytest.mark.parametrize("leaves", EXITS, ids=str)
def test_of_a_study_above_the_level_nothing_leaves(commands: Commands, tmp_path: Path, leaves: Exit) -> None:
    path = tmp_path / "strict.db"
    word = canary("red")
    with create_ledger(path, clock=utc_now) as book:
        record(book, STUDY.replace("title: The port", f"title: {word}\nquestion: {word}?\ntlp: red"))
    (tmp_path / "out").mkdir()
    result = commands(*leaves.arguments, "--ledger", path, "--max-tlp", "amber+strict")
    assert (result.code, result.out) == (2, "")
    assert "the study itself is marked above TLP:AMBER+STRICT" in result.err
    assert found_in(left_behind(result, tmp_path), [word]) == []


# What was published and settled

SETTLED = (
    Exit(("report", "-o", OUT + ".md")),
    *(Exit(("score", option)) for option in ("--json", "--csv")),
    Exit(("chart", "calibration", "-o", OUT + ".json")),
    Exit(("chart", "calibration", "--track", "opinion", "-o", OUT + ".svg")),
)
"""Those that tell of a record; what every format of the report says of it is the same texts."""


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study published after what is logged at each level, and settled; a clear one settled too, and a red one."""
    path = tmp_path_factory.mktemp("settled") / "forecast.db"
    now = datetime(2024, 1, 1, 8, tzinfo=UTC)
    opinion = {"settled": 0.4, "strike": 0.6}
    with create_ledger(path, clock=lambda: now) as book:
        record(book, TESTED)
        record(book, TESTED.replace("study: port", "study: quay"))
        word = canary("red")
        record(book, TESTED.replace("study: port", f"study: {word}\ntlp: red").replace("The port", word))
        for n, level in enumerate(TLP_LEVELS, start=1):
            now, day = now.replace(month=n, day=2), date(2024, n, 2)
            raw = {**texts(level, "state"), "tlp": level, "indicator": "mood", "state": "hostile", "observed": str(day)}
            workflow.log_report(book, "port", raw, author=canary(level), today=day, place=place)
            said = {"as_of": day, "today": day, "draws": 100, "opinion": opinion, "note": f"{canary(level)} note"}
            settling.publish(book, "port", author=canary(level), **said)  # type: ignore[arg-type]
            for name in ("quay", word):
                settling.publish(book, name, author="ana", as_of=day, today=day, draws=100, opinion=opinion)
        now = now.replace(month=8)
        for name in book.studies():
            settling.resolve(book, name, "strike", on=date(2024, 7, 1), author="ana", today=now.date())
    return path


def record_at(commands: Commands, leaves: Exit, ledger: Path, level: str) -> bytes:
    (commands.folder / "out").mkdir(exist_ok=True)
    one = ("--study", "port", "--as-of", AS_OF, "--draws", "100") if leaves.arguments[0] == "report" else ()
    options = ("--max-tlp", level, "--without-above")
    return left_behind(commands.done(*leaves.arguments, "--ledger", ledger, *one, *options), commands.folder)


@pytest.mark.parametrize("leaves", SETTLED, ids=str)
def test_no_byte_of_a_record_is_from_above_its_level(commands: Commands, settled: Path, leaves: Exit) -> None:
    is_drawn = leaves.arguments[-1].endswith(".svg")
    for level in ("amber",) if is_drawn else ("clear", "green", "amber", "amber+strict"):
        assert found_in(record_at(commands, leaves, settled, level), above(level)) == []


def test_the_record_of_a_report_counts_what_it_leaves_out(commands: Commands, settled: Path) -> None:
    told = []
    for level in ("green", "amber+strict", "red"):
        record_at(commands, SETTLED[0], settled, level)
        told.append((commands.folder / f"{OUT}.md").read_text().replace("\\", ""))
    assert "Left out, for resting on what is marked above TLP:GREEN: 3 more" in told[0]
    assert "Left out, for resting on what is marked above TLP:AMBER+STRICT: 1 more" in told[1]
    assert "It is not scored here" in told[0] and "It is not scored here" in told[1]
    assert "Left out" not in told[2] and "Scores are means over" in told[2]
    assert found_in(told[2].encode(), [canary("red")]), "another study's title, where it may be told"


# What a notebook shows


def shown(thing: object) -> bytes:
    """Everything that Jupyter would put into a cell's output."""
    told = [repr(thing)]
    for name in ("_repr_html_", "_repr_markdown_", "_repr_mimebundle_"):
        method = getattr(thing, name, None)
        if callable(method):
            told.append(json.dumps(method(), default=str))
    return "\n".join(told).encode()


NOTEBOOK: dict[str, Callable[[Released], object]] = {
    "released": lambda released: released,
    "outlook": lambda released: released.outlook,
    "evidence": lambda released: released.outlook.evidence(),
    "contributions": lambda released: released.outlook.contributions(),
    "board": lambda released: released.outlook.board(),
    "rows": lambda released: released.outlook.rows_since(None),
    "timeline chart": charts.timeline_chart,
    "waterfall chart": charts.waterfall_chart,
    "matrix chart": charts.matrix_chart,
    "board chart": charts.board_chart,
    "watch chart": charts.watch_chart,
    "series chart": lambda released: charts.series_chart(released, "wait"),
}


@pytest.mark.parametrize("made", NOTEBOOK.values(), ids=NOTEBOOK)
def test_no_cell_of_a_notebook_is_from_above_its_level(ledger: Path, made: Callable[[Released], object]) -> None:
    with forecast.open_ledger(ledger) as book:
        reading = forecast.read_study(book)
        day = date.fromisoformat(AS_OF)
        released = forecast.released(reading, day, max_tlp="amber", without_above=True, draws=100)
        with pd.option_context("display.max_rows", None, "display.max_columns", None, "display.max_colwidth", None):
            assert found_in(shown(made(released)), above("amber")) == []


def test_a_cell_that_may_show_it_does(ledger: Path) -> None:
    with forecast.open_ledger(ledger) as book:
        released = forecast.released(forecast.read_study(book), date.fromisoformat(AS_OF), max_tlp="red", draws=100)
        words = [canary(level) for level in TLP_LEVELS]
        assert found_in(shown(released.outlook.evidence().to_dict()), words) == words
        assert found_in(shown(charts.timeline_chart(released)), words), "those that moved it most"


# That the search would find it


@pytest.mark.parametrize("leaves", [Exit(("export", "--format", name, OUT)) for name in ("json", "stix", "markdown")])
def test_the_search_finds_what_may_leave(commands: Commands, ledger: Path, leaves: Exit) -> None:
    (commands.folder / "out").mkdir()
    result = commands.done(*leaves.arguments, "--ledger", ledger, "--as-of", AS_OF, "--max-tlp", "red")
    words = [canary(level) for level in TLP_LEVELS]
    assert found_in(left_behind(result, commands.folder), words) == words


@pytest.mark.parametrize("table", ["evidence", "contributions"])
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_search_finds_it_in_lists(commands: Commands, ledger: Path, form: str, table: str) -> None:
    (commands.folder / "out").mkdir()
    options = ("--format", form, "--table", table, OUT)
    result = commands.done("export", *options, "--ledger", ledger, "--as-of", AS_OF, "--max-tlp", "red")
    words = [canary(level) for level in TLP_LEVELS]
    assert found_in(left_behind(result, commands.folder), words) == words


HIDDEN = {
    "plain": b"kzq4vx",
    "upper": b"KZQ4VX",
    "utf-16": "kzq4vx".encode("utf-16-be"),
    "utf-16, at an odd place": b"\0" + "x kzq4vx".encode("utf-16-le"),
    "base64": base64.b64encode(b"some words before kzq4vx and after"),
    "base64 of a URL": base64.urlsafe_b64encode(b"??>kzq4vx and more words"),
    "json escapes": json.dumps("kzq4vx").replace("z", "\\u007a").encode(),
    "entities": b"k&#x7a;q4vx",
    "decimal entities": b"k&#122;q4vx",
    "percent": b"k%7aq4vx",
    "hex": b"<" + b"kzq4vx".hex().encode() + b">",
    "zlib": b"%PDF\nstream\n" + zlib.compress(b"some words kzq4vx"),
    "zip in zip": b"".join(zipped(b"".join(zipped(b"kzq4vx")))),
}


@pytest.mark.parametrize("content", HIDDEN.values(), ids=HIDDEN)
def test_the_search_finds_a_hidden_word(content: bytes) -> None:
    assert found_in(content, ["kzq4vx"]) == ["kzq4vx"]
    assert found_in(content, ["kzq3vx"]) == []


# That none is forgotten


def commands_of(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands_of(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def test_every_command_goes_through_the_gate_or_stays_in_the_house() -> None:
    assert len(_COMMANDS) > 10
    gated = {name for name, command in commands_of(cli) if any(p.name == "max_tlp" for p in command.params)}
    whole = {name for name, _ in commands_of(cli)}
    assert whole - gated == STAY_IN_THE_HOUSE & whole
    tried = {" ".join(leaves.arguments[:2]) for leaves in EXITS} | {leaves.arguments[0] for leaves in EXITS}
    assert gated - tried == {"serve"}, "whose pages have tests of their own, in test_web_canary"


def test_of_every_chart_there_is_an_exit() -> None:
    names = next(p for p in dict(commands_of(cli))["chart"].params if p.name == "name").type
    assert isinstance(names, click.Choice)
    drawn = {leaves.arguments[1] for leaves in (*EXITS, *SETTLED) if leaves.arguments[0] == "chart"}
    assert drawn == set(names.choices)
