"""The drawing of the house, read from the imports, so that it stays true.

`FLOORS` is the drawing: every room of both packages, from the ground up. A room imports only rooms that stand before
it, wherever in its file the import stands. A new room gets its place there, and if it fits nowhere, the plan is wrong.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

FLOORS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "indicators": (
        # Days, grades, marks, the form of an entry and of a text; the clock.
        (
            *("errors", "markings", "clock", "entry", "days", "grades", "address", "formula"),
            *("utf8", "plain_json", "raw", "attachment"),
        ),
        # What may be watched, what was seen, who was looking; and what any ledger promises.
        ("indicator", "evidence", "likeness", "coverage", "ledger", "accounts"),
        # From files and entries to records, and whether they fit the log.
        (
            *("header", "workbook", "intake_csv", "intake_jsonl", "intake_xlsx", "intake_stix", "intake"),
            *("replay", "corrections", "admission", "register", "withheld", "transfer"),
        ),
        # The promise kept; the files beside a ledger.
        (
            *("ledger_sqlite", "postgres_schema", "ledger_postgres"),
            *("accounts_sql", "accounts_sqlite", "accounts_postgres", "password", "opening", "attachment_folder"),
        ),
    ),
    "forecast": (
        # Arrays and words.
        (
            *("version", "probability", "words", "faces", "blocks", "bayes", "kalman", "change", "outcomes"),
            *("scores", "corp", "comparison", "pool"),
        ),
        # The question, its rows, its file.
        (
            *("yaml_tree", "findings", "history", "baseline", "study", "study_checks", "study_file"),
            *("study_histories", "study_lines", "study_edit", "telling", "judged", "line_diff"),
        ),
        # From reports to what they say, and what follows from it.
        (
            *("events", "state_likelihood", "count_likelihood", "measure_likelihood", "baseline_likelihood"),
            *("likelihood", "own_past", "explain", "draws", "simulation", "boards", "frames"),
        ),
        # One study and day; what else can be asked of it; what became of it; what may leave the house.
        (
            *("outlook", "display", "dependence", "surprise", "assessment", "flip", "information", "next_reading"),
            *("projection", "power", "revision", "publication", "resolution", "track", "forecast_table", "crowd"),
            *("table_scores", "release", "scorecard"),
        ),
        # From a ledger to an outlook; its past; what a person does to a ledger; the face for notebooks.
        (
            *("reading", "settled", "update", "past", "short_run", "suggestion", "backtest"),
            *("desk", "workflow", "bulk", "settling", "rehearsal", "effect", "listing", "released_record", "api"),
        ),
        # Pictures.
        (
            *("charts.placing", "charts.style", "charts.lettering", "charts.shades", "charts.night"),
            *("charts.pdf_order", "charts.picture", "charts.chart", "charts.frame", "charts.time_axis", "charts.plot"),
            *("charts.line_ends", "charts.moves", "charts.timeline", "charts.series", "charts.watch", "charts.power"),
            *("charts.matrix", "charts.waterfall", "charts.board", "charts.calibration", "charts.reliability"),
            "charts.by_name",
            "charts",
        ),
        # Documents, formats; the worked cases.
        (
            *("export.json_export", "export.tables", "export.csv_export", "export.markdown_export"),
            *("export.xlsx_export", "export.parquet_export", "export.stix_export", "export"),
            *("export.calendar_export", "export.folder"),
            *("report.template", "report.record", "report.content", "report.pictures"),
            *("report.html", "report.pdf", "report.markdown"),
            *("report.docx_template", "report.docx", "report.notebook", "report.formats", "report"),
            *("study_folder", "cases"),
        ),
        # Thin skins over all of it: pages, commands.
        (
            *(
                "web.settings",
                "web.shared_ledger",
                "web.sessions",
                "web.throttle",
                "web.known",
                "web.shelf",
                "web.apart",
                "web.fresh",
                "web.state",
                "web.guard",
            ),
            *("web.page", "web.visit", "web.signing_in", "web.listening", "web.timed"),
            *("web.refusals", "web.trying", "web.paging", "web.rows", "web.revising", "web.blind"),
            *("web.board", "web.charts", "web.logging", "web.evidence", "web.why", "web.watch", "web.study"),
            *("web.record", "web.downloads", "web.reports", "web.team", "web.app", "web"),
            *("cli", "cli.suggesting", "cli.options", "cli.table_columns", "cli.writing", "cli.attaching"),
            *("cli.tables", "cli.study_tables", "cli.entry_page", "cli.score_tables"),
            *("cli.powering", "cli.charting", "cli.exporting", "cli.importing", "cli.logging", "cli.moving"),
            *("cli.notebooks", "cli.reporting", "cli.resolving", "cli.scoring", "cli.publishing"),
            *("cli.recording", "cli.backtesting", "cli.setting_up", "cli.showing", "cli.study", "cli.watching"),
            *("cli.serving", "cli.accounts"),
            "cli.main",
        ),
    ),
}
FACES = ("indicators", "forecast")
"""The packages themselves: they hold the map, may import any room of their own, and no room imports them."""

CLI = "forecast.cli"
WEB = "forecast.web"
OWNERS: Mapping[str, tuple[str, ...]] = {
    "sqlite3": ("indicators.ledger_sqlite",),
    "psycopg": ("indicators.ledger_postgres",),
    "argon2": ("indicators.password",),
    "pandas": ("forecast.frames",),
    "vl_convert": ("forecast.charts",),
    "xlsxwriter": ("forecast.export.xlsx_export",),
    "pyarrow": ("forecast.export.parquet_export", "forecast.forecast_table"),
    "jinja2": ("forecast.report.html", "forecast.report.docx", WEB),
    "typst": ("forecast.report.pdf",),
    "docx": ("forecast.report.docx_template", "forecast.report.docx"),
    "docxtpl": ("forecast.report.docx",),
    "nbformat": (CLI,),
    "nbclient": (CLI,),
    "traitlets": (CLI,),
    "statsmodels": ("forecast.baseline",),
    "scipy": ("forecast.baseline", "forecast.corp", "forecast.comparison"),
    "ruamel": ("forecast.yaml_tree",),
    "openpyxl": ("indicators.intake_xlsx",),
    "zipfile": ("indicators.workbook", "indicators.intake_xlsx", "forecast.report.docx"),
    "xml": ("indicators.workbook",),
    "starlette": (WEB,),
    "uvicorn": ("forecast.cli.serving", "forecast.web.timed"),
    "h11": ("forecast.web.timed",),
    "python_multipart": ("forecast.web.guard",),
    "threading": (WEB,),
    "multiprocessing": ("forecast.web.apart",),
    "signal": ("forecast.web.apart",),
    "socket": ("forecast.web.listening", CLI),
    "click": (CLI,),
    "rich": (CLI,),
    # Files, the environment, the terminal.
    "pathlib": (
        *("indicators.ledger_sqlite", "indicators.address", "indicators.opening", "indicators.attachment_folder"),
        "indicators.accounts_sqlite",
        *("forecast.study_folder", "forecast.api", "forecast.cases", "forecast.forecast_table", CLI),
    ),
    "os": ("indicators.attachment_folder", "forecast.api", "forecast.web.apart", CLI),
    "importlib": (
        "forecast",
        "forecast.report.template",
        "forecast.cases",
        "forecast.charts.picture",
        "forecast.export.json_export",
        "forecast.cli.main",
        "forecast.web.page",
    ),
    "getpass": (CLI,),
    "tempfile": ("forecast.forecast_table", CLI),
    "traceback": (CLI,),
    # The clock of the world is `indicators.clock`; these only wait or show progress.
    "time": ("indicators.ledger_postgres", CLI),
    "indicators.clock": ("forecast.api", CLI),
}
"""Who may import what, at run time; a package stands for all of its rooms."""

NOWHERE = (
    *("ctypes", "ftplib", "http", "httpx", "marshal", "pickle", "random", "requests", "shelve"),
    *("smtplib", "ssl", "subprocess", "yaml"),
)
"""No calls to the outside, no programs, no pickles, no chance but the generator that is handed in."""


@cache
def rooms() -> dict[str, Path]:
    """Every room of both packages and its file."""
    found = {}
    for package in FACES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(room: str) -> ast.Module:
    return ast.parse(rooms()[room].read_text(encoding="utf-8"))


def imported(nodes: Iterator[ast.AST]) -> Iterator[tuple[str, int]]:
    """What is imported, in full, with the line; also what is named to `import_module` as a text."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, "imports are written in full"
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "import_module":
            texts = [a.value for a in node.args if isinstance(a, ast.Constant)]
            yield from ((text, node.lineno) for text in texts if isinstance(text, str))


def own_room(name: str) -> str | None:
    """The room that an import reaches: the longest beginning of its name that is one; None for foreign ones."""
    parts = name.split(".")
    beginnings = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
    return next((beginning for beginning in beginnings if beginning in rooms()), None)


def at_run_time(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a tree but for blocks that only a type checker reads."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and getattr(child.test, "id", "") == "TYPE_CHECKING":
            continue
        yield from at_run_time(child)


def order() -> list[str]:
    """Every room of the drawing, `indicators` first, from the ground up."""
    return [f"{package}.{room}" for package in FACES for floor in FLOORS[package] for room in floor]


ROOMS = sorted(set(rooms()) - set(FACES))


def test_every_room_is_in_the_drawing_once_and_no_other() -> None:
    drawn = order()
    assert sorted(drawn) == sorted(set(drawn))
    missing, torn_down = set(ROOMS) - set(drawn), set(drawn) - set(ROOMS)
    assert not missing, f"give these their place in FLOORS: {sorted(missing)}"
    assert not torn_down, f"these are not there: {sorted(torn_down)}"


def test_the_map_in_the_readme_is_this_drawing() -> None:
    """A line a floor, from the top down, with the rooms and packages of rooms that stand on it."""
    lines = [line for line in (ROOT / "README.md").read_text("utf-8").splitlines() if line.startswith("| `")]
    shown = [
        tuple(re.findall(r"`(\w+)`", line)) for line in lines if re.match(r"\| `(forecast|indicators)` \| \d ", line)
    ]
    drawn = [
        (package, *dict.fromkeys(room.partition(".")[0] for room in floor))
        for package in reversed(FACES)
        for floor in reversed(FLOORS[package])
    ]
    assert shown == drawn


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_stands_only_on_what_is_below_it(room: str) -> None:
    place = {name: number for number, name in enumerate(order())}
    for name, line in imported(ast.walk(tree(room))):
        other = own_room(name)
        if other is None or other == room:
            continue
        where = f"{rooms()[room].relative_to(ROOT)}:{line}"
        assert other not in FACES, f"{where} imports the package; import the room"
        assert place[other] < place[room], f"{where}: {room} stands below {other}"


def test_what_is_watched_knows_nothing_of_what_is_concluded() -> None:
    for room in ("indicators", *(name for name in ROOMS if name.startswith("indicators."))):
        assert [name for name, _ in imported(ast.walk(tree(room))) if name.split(".")[0] == "forecast"] == []


def test_no_room_leads_back_to_itself() -> None:
    """The floors say so already; this does not depend on the drawing, and takes the packages in."""
    edges = {room: {own_room(name) for name, _ in imported(ast.walk(tree(room)))} - {room, None} for room in rooms()}
    reached: dict[str, set[str]] = {}

    def below(room: str, above: tuple[str, ...]) -> set[str]:
        assert room not in above, f"a circle: {' -> '.join((*above[above.index(room) :], room))}"
        if room not in reached:
            reached[room] = set()
            for other in edges[room]:
                assert other is not None
                reached[room] |= {other, *below(other, (*above, room))}
        return reached[room]

    for room in rooms():
        below(room, ())


def test_the_commands_are_the_rooms_that_main_names() -> None:
    from forecast.cli.main import _COMMANDS

    for name, (target, _) in _COMMANDS.items():
        assert f"forecast.cli.{target.partition(':')[0]}" in order(), name


def is_among(room: str, owners: tuple[str, ...]) -> bool:
    return any(room == owner or room.startswith(f"{owner}.") for owner in owners if owner not in FACES or room == owner)


@pytest.mark.parametrize("library", OWNERS)
def test_a_library_is_known_only_where_it_belongs(library: str) -> None:
    users = {
        room
        for room in rooms()
        for name, _ in imported(at_run_time(tree(room)))
        if name == library or name.startswith(f"{library}.")
    }
    assert [room for room in users if not is_among(room, OWNERS[library])] == []


@pytest.mark.parametrize("room", rooms())
def test_no_room_reaches_outside(room: str) -> None:
    names = [name for name, _ in imported(ast.walk(tree(room)))]
    assert [name for name in names if name.partition(".")[0] in NOWHERE or name.startswith("urllib.request")] == []


@pytest.mark.parametrize("room", rooms())
def test_the_clock_is_read_in_one_place(room: str) -> None:
    readers = {"now", "utcnow", "today", "fromtimestamp"}
    times = "time" in {name for name, _ in imported(ast.walk(tree(room)))}
    for node in ast.walk(tree(room)):
        if isinstance(node, ast.Attribute) and node.attr in readers and room != "indicators.clock":
            assert getattr(node.value, "id", "") not in ("datetime", "date", "dt"), f"{room}:{node.lineno}"
        if times and isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "time":
            assert node.attr in ("monotonic", "sleep", "perf_counter", "max"), f"{room}:{node.lineno}"


@pytest.mark.parametrize("room", rooms())
def test_files_are_opened_only_where_they_belong(room: str) -> None:
    verbs = {"read_text", "write_text", "read_bytes", "write_bytes", "unlink", "mkdir", "touch", "rename"}
    calls = [node for node in ast.walk(tree(room)) if isinstance(node, ast.Call)]
    methods = {call.func.attr for call in calls if isinstance(call.func, ast.Attribute)}
    plain = {call.func.id for call in calls if isinstance(call.func, ast.Name)}
    assert not plain & {"eval", "exec", "compile", "__import__", "input"}
    allowed = (
        "indicators.ledger_sqlite",
        "indicators.attachment_folder",
        "forecast.study_folder",
        "forecast.cases",
        "forecast.export.json_export",
        "forecast.report.template",
        "forecast.web.page",
        CLI,
    )
    if not is_among(room, allowed):
        assert not methods & verbs
        assert "open" not in plain
    if not room.startswith("forecast.cli"):
        assert "print" not in plain, "only the command line prints"


@pytest.mark.parametrize("room", rooms())
def test_no_shell_no_pickle_no_unsafe_reader(room: str) -> None:
    for node in ast.walk(tree(room)):
        if isinstance(node, ast.keyword):
            assert node.arg not in ("shell", "allow_pickle"), f"{room}:{node.value.lineno}"
        if isinstance(node, ast.Attribute):
            assert node.attr not in ("extractall", "system", "popen"), f"{room}:{node.lineno}"


def narrows(test: ast.expr) -> bool:
    """Whether an assertion only tells the type checker what the code before it has made sure of."""
    if isinstance(test, ast.BoolOp):
        return all(narrows(value) for value in test.values)
    if isinstance(test, ast.Compare):
        return isinstance(test.ops[0], ast.Is | ast.IsNot) and getattr(test.comparators[0], "value", 0) is None
    is_type_check = isinstance(test, ast.Call) and getattr(test.func, "id", "") == "isinstance"
    return is_type_check or isinstance(test, ast.Name | ast.Attribute)


@pytest.mark.parametrize("room", rooms())
def test_an_assertion_in_the_product_only_narrows_a_type(room: str) -> None:
    """It would be gone under `python -O`; what a user can cause is an error with words."""
    for node in ast.walk(tree(room)):
        if isinstance(node, ast.Assert):
            assert narrows(node.test), f"{room}:{node.lineno}: {ast.unparse(node)}"


@pytest.mark.parametrize("room", rooms())
def test_every_room_says_what_it_is_for(room: str) -> None:
    said = ast.get_docstring(tree(room))
    assert said and len(said) > 20


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_names_what_it_offers(room: str) -> None:
    """`__all__` is sorted, and everything in it is there."""
    body = tree(room).body
    if len(body) <= 1:
        return
    lists = [n.value for n in body if isinstance(n, ast.Assign) and getattr(n.targets[0], "id", "") == "__all__"]
    assert len(lists) == 1, "one list of names"
    names = ast.literal_eval(lists[0])
    assert len(set(names)) == len(names)
    defined = {getattr(n, "name", "") for n in body}
    named = [n for statement in body for n in ast.walk(statement) if isinstance(n, ast.Name)]
    defined |= {n.id for n in named if isinstance(n.ctx, ast.Store)}
    defined |= {alias.asname or alias.name for n in body if isinstance(n, ast.ImportFrom) for alias in n.names}
    assert set(names) <= defined, sorted(set(names) - defined)
