"""What holds for every format at once: what another program reads is kept, and no text of a user does anything."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import icalendar
import openpyxl
import pyarrow.parquet as pq
import pytest
from click import Option
from hypothesis import given, settings

import forecast.export.calendar_export as calendar_export
import forecast.publication as publication
from forecast.cli import exporting
from forecast.export import FORMATS, content_of
from forecast.export.calendar_export import calendar_text
from forecast.export.folder import folder_of
from forecast.export.json_export import outlook_schema
from forecast.export.parquet_export import METADATA_KEY
from forecast.export.stix_export import stix_text
from forecast.export.tables import TABLES, table_of
from forecast.publication import publication_content
from forecast.release import Released
from indicators.intake_stix import EXTENSION
from indicators.ledger import Head
from tests.forecast.build import PROVENANCE, japan_sar, released
from tests.forecast.test_export import hostile, readable
from tests.strategies import AWKWARD, Case, cases

GOLDEN = Path(__file__).parent.parent / "golden" / "export"


@cache
def japan() -> Released:
    return released(japan_sar(date(2026, 6, 7)), dataclasses.replace(PROVENANCE, without=("source:Kyodo",)))


# What another program reads


def _tables() -> Any:
    tables = {name: [list(column) for column in table_of(japan(), name).columns] for name in TABLES}
    return {"format": FORMATS["csv"].name, "tables": tables}


def _xlsx() -> Any:
    book = openpyxl.load_workbook(io.BytesIO(content_of(FORMATS["xlsx"].write(japan()))))
    about = [row[0].value for row in book["about"].rows]
    return {
        "format": FORMATS["xlsx"].name,
        "about": list(dict.fromkeys(about)),
        "sheets": {sheet.title: [cell.value for cell in next(sheet.rows)] for sheet in book.worksheets[1:]},
        "frozen": sorted({str(sheet.freeze_panes) for sheet in book.worksheets[1:]}),
    }


def _parquet() -> Any:
    found, keys = {}, set()
    for name in TABLES:
        schema = pq.read_schema(io.BytesIO(content_of(FORMATS["parquet"].write(japan(), table=name))))
        found[name] = [[field.name, str(field.type)] for field in schema]
        keys |= set(json.loads(schema.metadata[METADATA_KEY]))
    return {"format": FORMATS["parquet"].name, "metadata": sorted(keys), "tables": found}


def _json() -> Any:
    schema = json.dumps(outlook_schema(), sort_keys=True)
    return {"format": FORMATS["json"].name, "schema": hashlib.sha256(schema.encode()).hexdigest()}


def _stix() -> Any:
    objects: dict[str, set[str]] = {}
    for item in json.loads(stix_text(japan()))["objects"]:
        own = item.get("extensions", {}).get(EXTENSION, {})
        for name in own.keys() & {"study", "scenario", "report"}:
            objects.setdefault(f"extension {name}", set()).update(own[name])
        kind = next((f"{item['type']} of a {name}" for name in ("scenario", "report") if name in own), item["type"])
        objects.setdefault(kind, set()).update(item)
    return {"format": FORMATS["stix"].name, "objects": {name: sorted(keys) for name, keys in objects.items()}}


def _calendar() -> Any:
    text = calendar_text(japan()).replace("\r\n ", "")
    names = [re.split("[:;]", line, maxsplit=1)[0] for line in text.splitlines()]
    uid = re.search(r"UID:.*", text)
    assert uid
    return {"format": calendar_export.FORMAT, "properties": list(dict.fromkeys(names)), "named like": uid[0]}


def _publication() -> Any:
    told = publication_content(
        japan().outlook,
        engine="0",
        revision="0",
        before=Head(1, "0"),
        tlp="clear",
        opinion={"network": 1.0},
        note="x",
    )
    return {"format": publication.FORMAT, "keys": list(told), "scenario": list(told["scenarios"][0])}


STRUCTURES = {
    "tables": _tables,
    "xlsx": _xlsx,
    "parquet": _parquet,
    "json": _json,
    "stix": _stix,
    "calendar": _calendar,
    "publication": _publication,
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_what_another_program_reads_is_as_it_was_kept(name: str) -> None:
    found = json.dumps(STRUCTURES[name](), indent=1) + "\n"
    kept = (GOLDEN / f"{name}.json").read_text(encoding="utf-8")
    assert found == kept, (
        f"Other programs read this. If the change is meant, give FORMAT in the room of this format its next number, "
        f"put the following into tests/golden/export/{name}.json, and say in CHANGELOG.md what to do about it:\n{found}"
    )


def test_the_lists_have_the_same_columns_in_every_format() -> None:
    tables = {name: [column for column, _ in columns] for name, columns in _tables()["tables"].items()}
    assert _xlsx()["sheets"] == tables
    assert {name: [column for column, _ in columns] for name, columns in _parquet()["tables"].items()} == tables
    for name in TABLES:
        text = content_of(FORMATS["csv"].write(japan(), table=name)).decode()
        assert text.partition("\n")[0].split(",") == tables[name]


def test_the_command_offers_the_formats_there_are() -> None:
    assert tuple(FORMATS) == exporting._FORMATS
    assert {form.suffix: name for name, form in FORMATS.items()} == exporting._SUFFIXES


def test_the_command_names_the_lists_there_are() -> None:
    [told] = [
        option.help for option in exporting.export.params if isinstance(option, Option) and option.name == "table"
    ]
    assert told
    names = told.partition(":")[2].replace("(default)", "").replace(" or ", " ")
    assert re.findall(r"[a-z]+", names) == [*TABLES]


# Whatever a user wrote


HOSTILE = (
    *AWKWARD,
    "'=1+1",
    "＝1+1",
    "\t=1",
    "\r=1",
    "\ufffe\uffff",
    "_x0041_ _x005F_",
    "]]><x>",
    "&amp;&#65;",
    "BEGIN:VEVENT\r\nUID:evil\r\nEND:VEVENT",
    "a\r\nATTENDEE:mailto:x@example.invalid",
    "\\, \\; \\n",
    "&L&\"Arial\"&A",
    "🛰️" * 3_000,
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_of_a_user_is_more_than_a_text(text: str) -> None:
    plain, attacked = released(hostile("harmless")), released(hostile(text), flags=[text])
    _see_workbook(attacked, text)
    _see_parquet(attacked, text)
    _see_stix(plain, attacked, text)
    _see_calendar(attacked)


def _see_workbook(attacked: Released, text: str) -> None:
    content = content_of(FORMATS["xlsx"].write(attacked))
    book = openpyxl.load_workbook(io.BytesIO(content))
    cells = [cell for sheet in book.worksheets for row in sheet.rows for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d", "b"}
    assert all(cell.hyperlink is None for cell in cells)
    assert b"<f>" not in content
    notes = [cell.value for cell in book["evidence"]["O"][1:]]
    assert book["evidence"]["O1"].value == "note"
    if readable(text) and text.strip() and "\r" not in text and "\ufffe" not in text and "_x" not in text:
        assert notes == [text.strip()] * 2


def _see_parquet(attacked: Released, text: str) -> None:
    content = content_of(FORMATS["parquet"].write(attacked, table="evidence"))
    if readable(text) and text.strip():
        assert pq.read_table(io.BytesIO(content))["note"].to_pylist() == [text.strip()] * 2


def _see_stix(plain: Released, attacked: Released, text: str) -> None:
    written = stix_text(attacked)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", written)
    assert len(written.splitlines()) == len(stix_text(plain).splitlines())
    notes = [item for item in json.loads(written)["objects"] if item["type"] == "note"]
    if readable(text) and text.strip():
        assert notes[-1]["extensions"][EXTENSION]["report"]["note"] == text.strip()
        assert notes[-1]["content"] == text.strip()
    for item in notes:
        assert all(re.fullmatch(r"https?://\S+", ref["url"]) for ref in item.get("external_references", []))


def _see_calendar(attacked: Released) -> None:
    raw = calendar_text(attacked)
    assert all(len(line.encode()) <= 75 for line in raw.split("\r\n"))
    assert not re.search(r"(?<!\r)\n|\r(?!\n)", raw)
    assert not icalendar.Calendar.from_ical(raw).walk("VEVENT"), "the study sets no check_every"


@settings(max_examples=8, deadline=None)
@given(cases())
def test_the_folder_has_no_text_of_the_study_in_its_names(case: Case) -> None:
    from tests.forecast.build import outlook_of

    outlook = outlook_of(*case)
    files = {name: content for name, content in folder_of(released(outlook)) if not name.endswith(".svg")}
    start = f"{outlook.study.study}-{outlook.as_of}"
    rest = {name.removeprefix(start) for name in files}
    tables = {f"-{table}{form.suffix}" for form in FORMATS.values() for table in form.tables}
    assert rest == tables | {form.suffix for form in FORMATS.values() if not form.tables} | {".ics"}
    assert all(files.values())


def test_the_folder_has_every_chart_that_an_outlook_has() -> None:
    names = [name.removeprefix("japan-sar-2026-06-07-chart-") for name, _ in folder_of(japan()) if "chart" in name]
    assert names == ["timeline.svg", "matrix.svg", "waterfall.svg", "board.svg", "watch.svg", "series-1.svg"]
