import csv
import dataclasses
import io
import json
import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator
from markdown_it import MarkdownIt

from forecast.display import one_line
from forecast.export import FORMATS, content_of
from forecast.export.csv_export import csv_text
from forecast.export.json_export import json_text, outlook_schema
from forecast.export.markdown_export import escaped, markdown_text
from forecast.export.tables import TABLES, UnknownTableError
from forecast.outlook import Outlook
from indicators.evidence import read_report
from tests.forecast.build import PROVENANCE, japan_sar, outlook_of, released
from tests.strategies import AWKWARD, Case, awkward_text, cases, random_case

VALIDATOR = Draft202012Validator(outlook_schema(), format_checker=Draft202012Validator.FORMAT_CHECKER)
WITHOUT = dataclasses.replace(PROVENANCE, without=("source:Kyodo",))


def document(outlook: Outlook, **arguments: Any) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(json_text(released(outlook, **arguments)))
    return read


def hostile(text: str) -> Outlook:
    """A study in which every text that a user may write is this one, with two reports on two kinds of indicator."""
    opens = date(2025, 1, 1)
    name = text[:200] or "x"
    report = {"observed": "2025-02-01", "grade": "A1"}
    texts = dict.fromkeys(("source", "url", "origin", "event", "note", "author", "ref"), text if readable(text) else "")
    study = {
        "study": "hostile",
        "title": text[:200],
        "question": text,
        "opens": "2025-01-01",
        "horizon": "2026-01-01",
        "scenarios": [{"id": "a", "name": name, "resolves_if": text or "x"}, {"id": "b", "name": name}],
        "indicators": [
            {
                "id": "s",
                "name": name,
                "kind": "state",
                "states": ["none", name[:64]],
                "likelihoods": {"a": [0.6, 0.4], "b": [0.2, 0.8]},
            },
            {"id": "c", "kind": "count", "unit": text, "rates": {"a": 1.0, "b": 2.0}},
        ],
    }
    reports = [{**report, **texts, "indicator": "s", "state": "none"}, {**report, **texts, "indicator": "c"}]
    return outlook_of(study, reports, [], opens + timedelta(days=60))


def readable(text: str) -> bool:
    """Whether a report takes the text at all."""
    return not read_report({"indicator": "s", "note": text})[1]


# JSON


def test_the_schema_is_a_schema_that_leaves_nothing_open() -> None:
    schema = outlook_schema()
    Draft202012Validator.check_schema(schema)
    tables = [part for part in parts_of(schema) if "object" in part.get("type", ())]
    assert len(tables) > 10
    assert all("additionalProperties" in part for part in tables)


def parts_of(value: Any) -> Iterator[dict[str, Any]]:
    """Every table inside plain data, however deep."""
    if isinstance(value, dict):
        yield value
    for inside in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from parts_of(inside)


@settings(max_examples=40, deadline=None)
@given(cases())
def test_the_document_is_what_the_schema_says(case: Case) -> None:
    VALIDATOR.validate(document(outlook_of(*case), flags=["A row was changed."]))


@pytest.mark.parametrize("text", AWKWARD)
def test_the_document_holds_every_text_as_it_was(text: str) -> None:
    outlook = hostile(text)
    read = document(outlook, flags=[text])
    VALIDATOR.validate(read)
    assert read["study"]["question"] == text
    assert read["flags"] == [text]
    if readable(text) and text.strip():
        assert read["evidence"][0]["note"] == text.strip()


def test_nothing_that_a_terminal_obeys_is_written() -> None:
    written = json_text(released(hostile("".join(AWKWARD[:10]))))
    assert all(character.isprintable() or character == "\n" for character in written)
    assert "日本の軍事的役割" in json_text(released(hostile("日本の軍事的役割")))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda d: d.pop("flags"), "'flags' is a required property"),
        (lambda d: d.update(more=1), "Additional properties"),
        (lambda d: d["study"].update(more=1), "Additional properties"),
        (lambda d: d["scenarios"][0].update(probability=1.1), "1.1 is greater than"),
        (lambda d: d["timeline"][0].update(date="2025-1-1"), "does not match"),
        (lambda d: d["indicators"][0].update(board={"expected": 1.0, "low": 0.0, "high": 2.0}), "greater than"),
        (lambda d: d["ledger"].update(head="abc"), "does not match"),
        (lambda d: d["evidence"][0].update(to="2025-01-01"), "not valid under any"),
    ],
)
def test_the_schema_refuses_what_it_does_not_describe(change: Any, why: str) -> None:
    read = document(hostile("x"))
    change(read)
    errors = [error.message for error in VALIDATOR.iter_errors(read)]
    assert any(why in error for error in errors)


def test_keys_stand_in_the_order_of_the_format() -> None:
    read = json.loads(json_text(released(hostile("x"), WITHOUT)))
    assert ", ".join(read) == (
        "format, engine, study, tlp, as_of, known_at, ledger, without, confidence, scenarios, timeline, projection, "
        "contributions, indicators, surprise, flags, evidence"
    )
    assert ", ".join(read["study"]) == "id, title, question, opens, horizon, revision, tlp"
    assert ", ".join(read["scenarios"][0]) == "id, name, prior, probability, low, high, words, change"
    assert ", ".join(read["timeline"][0]) == "date, probability, low, high, smoothed"
    assert ", ".join(read["contributions"][0]) == "entry, date, indicator, what, loglik, decibans, change"
    assert ", ".join(read["indicators"][0]) == (
        "id, name, kind, last_observed, due, overdue, board, bits, bits_per_cost, flip"
    )
    assert read["without"] == ["source:Kyodo"]
    assert "without" not in document(hostile("x"))


def test_provenance_is_in_the_document() -> None:
    read = document(hostile("x"))
    assert read["format"] == "watchfloor.outlook/1"
    assert read["engine"] == PROVENANCE.engine
    assert read["study"]["revision"] == PROVENANCE.revision
    assert read["known_at"] == PROVENANCE.known_at
    assert read["ledger"] == {"entries": 7, "head": PROVENANCE.head.hash}


@settings(max_examples=25, deadline=None)
@given(cases())
def test_json_numbers_come_back_to_the_last_digit(case: Case) -> None:
    outlook = outlook_of(*case)
    read, ids = document(outlook), outlook.study.scenario_ids
    assert [item["id"] for item in read["scenarios"]] == list(ids)
    assert [item["probability"] for item in read["scenarios"]] == outlook.final.tolist()
    assert [item["prior"] for item in read["scenarios"]] == outlook.study.prior.tolist()
    for days in (7, 30, 90):
        change = outlook.change_over(days)
        told = [item["change"][str(days)] for item in read["scenarios"]]
        assert told == ([None] * len(ids) if change is None else change.tolist())
    assert [item["date"] for item in read["timeline"]] == [day.isoformat() for day in outlook.days]
    for name, course in (("probability", outlook.course), ("smoothed", outlook.smoothed_course)):
        assert [[item[name][i] for i in ids] for item in read["timeline"]] == course.tolist()
    for item, told in zip(outlook.report_contributions, read["contributions"], strict=True):
        assert told["entry"] == item.live.entry
        assert told["date"] == item.live.report.dated.isoformat()
        assert list(told["loglik"].values()) == item.log_likelihoods.tolist()
        assert list(told["decibans"].values()) == item.decibans.tolist()
        assert list(told["change"].values()) == item.change.tolist()
    for board, told in zip(outlook.indicator_boards, read["indicators"], strict=True):
        assert told["id"] == board.indicator.id
        assert told["overdue"] is board.overdue
        assert told["board"] == (board.states or dataclasses.asdict(board.expectation))  # type: ignore[arg-type]


def test_evidence_is_given_as_it_was_logged() -> None:
    study, reports, coverage, as_of = random_case(random.Random(3), n_reports=12, days=50)
    read = document(outlook_of(study, reports, coverage, as_of))
    assert len(read["evidence"]) > 3
    for item in read["evidence"]:
        given_as = reports[int(item["entry"][1:])]
        assert {key: value for key, value in item.items() if key != "entry"} == given_as
    assert [item["entry"] for item in read["evidence"]] == [item["entry"] for item in read["contributions"]]


# CSV


def frame(outlook: Outlook, table: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(csv_text(released(outlook), table=table)))


@settings(max_examples=25, deadline=None)
@given(cases())
def test_csv_read_by_pandas_gives_the_same_numbers(case: Case) -> None:
    outlook = outlook_of(*case)
    timeline = frame(outlook, "timeline")
    assert list(timeline) == ["date", "scenario", "probability", "low", "high", "smoothed"]
    expected = outlook.timeline()
    assert (pd.to_datetime(timeline["date"]) == expected["date"]).all()
    assert timeline["scenario"].tolist() == expected["scenario"].tolist()
    assert timeline["probability"].tolist() == expected["probability"].tolist()
    assert timeline["smoothed"].tolist() == expected["smoothed"].tolist()
    assert timeline["low"].tolist() == expected["low"].tolist()
    assert timeline["high"].tolist() == expected["high"].tolist()
    contributions, wanted = frame(outlook, "contributions"), outlook.contributions()
    for name in ("entry", "scenario", "loglik", "decibans", "change"):
        assert contributions[name].tolist() == wanted[name].tolist()
    assert frame(outlook, "scenarios")["probability"].tolist() == outlook.final.tolist()


@settings(max_examples=15, deadline=None)
@given(cases())
def test_every_row_has_the_columns_of_the_header(case: Case) -> None:
    outlook = outlook_of(*case)
    for table in TABLES:
        text = csv_text(released(outlook), table=table)
        assert text.endswith("\n")
        assert "\r" not in text
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        assert len({len(row) for row in rows}) == 1


def test_indicators_have_a_row_for_each_state_and_one_for_each_number_to_come() -> None:
    outlook = hostile("x")
    rows = list(csv.DictReader(io.StringIO(csv_text(released(outlook), table="indicators"))))
    assert [(row["id"], row["state"]) for row in rows] == [("s", "none"), ("s", "x"), ("c", "")]
    board, count = outlook.indicator_boards
    assert [float(row["probability"]) for row in rows[:2]] == list(board.states.values())
    assert count.expectation is not None
    assert float(rows[2]["expected"]) == count.expectation.expected
    assert {row["overdue"] for row in rows} == {"false"}


@pytest.mark.parametrize("text", [*AWKWARD, "＝1+1", "＋1", "－1", "＠x", "\t=1", "\n=1"])
def test_no_text_is_a_formula_and_every_text_is_kept(text: str) -> None:
    outlook = hostile(text)
    for table in TABLES:
        written = csv_text(released(outlook), table=table)
        rows = list(csv.reader(io.StringIO(written, newline=""), strict=True))
        assert len({len(row) for row in rows}) == 1
        for cell in (cell for row in rows[1:] for cell in row):
            try:
                float(cell)
            except ValueError:
                assert not cell.startswith(tuple("=+-@\t\r\n＝＋－＠"))
    names = [row["name"] for row in csv.DictReader(io.StringIO(csv_text(released(outlook), table="scenarios"), ""))]
    dangerous = text.startswith(tuple("=+-@\t\r\n＝＋－＠"))
    assert names[0] == ("'" if dangerous else "") + (text[:200] or "x")


def test_negative_numbers_are_numbers() -> None:
    outlook = hostile("x")
    change = frame(outlook, "contributions")["change"]
    assert change.dtype == np.float64
    assert (change < 0).any()


def test_the_lists_that_look_ahead_and_back_are_those_of_the_document() -> None:
    outlook = japan_sar(date(2026, 6, 7))
    whole = document(outlook)
    ahead = frame(outlook, "projection")
    told = [(day["date"], k, p) for day in whole["projection"] for k, p in day["probability"].items()]
    assert list(ahead.itertuples(index=False, name=None)) == told
    assert (told[0][0], told[-1][0]) == ("2026-06-07", "2027-12-31")
    assert frame(outlook, "surprise").to_dict("records") == whole["surprise"]["reports"]


def test_an_unknown_table_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownTableError, match='did you mean "timeline"') as caught:
        csv_text(released(hostile("x")), table="timelines")
    assert caught.value.where == "--table"


# Markdown


RENDERER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def structure(text: str) -> list[str]:
    """What a renderer makes of the page, without its texts."""
    found: list[str] = []
    for token in RENDERER.parse(text):
        found += [token.type, *(child.type for child in token.children or [] if child.type != "text")]
    return found


def texts_in(text: str) -> list[str]:
    """What a reader sees of each paragraph, heading, list item and cell."""
    inline = [token.children or [] for token in RENDERER.parse(text) if token.type == "inline"]
    return ["".join(child.content for child in children) for children in inline]


def shown(text: str) -> str:
    """What a reader sees of one paragraph."""
    [_, inline, _] = RENDERER.parse(text)
    assert [child.type for child in inline.children or []] == ["text"]
    return "".join(child.content for child in inline.children or [])


BLOCKS = ("1. one", "12) twelve", "- [ ] task", "> quote", "===", "---", "+ plus", "* star", "```", "~~~", ": term")
INLINE = ("a|b", "\\|", "![x](y)", "<http://example.invalid>", "http://example.invalid", "www.example.invalid", "a_b_c")
MORE = (
    "~~gone~~",
    "$x^2$",
    "[^1]: note",
    "&lt;b&gt;",
    "    code",
    "# title #",
    "| a | b |\n|---|---|",
    "<!-- x",
    "a  \nb",
)


@pytest.mark.parametrize("text", [text for text in (*AWKWARD, *BLOCKS, *INLINE, *MORE) if one_line(text)])
def test_no_text_of_a_user_changes_the_page(text: str) -> None:
    plain, attacked = (markdown_text(released(hostile(t), WITHOUT, flags=[t])) for t in ("harmless", text))
    assert structure(attacked) == structure(plain)
    for was, now in zip(texts_in(plain), texts_in(attacked), strict=True):
        assert now == was or "harmless" in was


@pytest.mark.parametrize(
    "text", [*BLOCKS, *INLINE, *MORE, "<script>alert(1)</script>", "**bold** `code`", "back\\slash"]
)
def test_a_reader_sees_the_characters_that_were_written(text: str) -> None:
    assert shown(escaped(text)) == " ".join(text.split())


@settings(deadline=None)
@given(awkward_text())
def test_any_escaped_text_is_one_text_at_the_start_of_a_line(text: str) -> None:
    if escaped(text):
        assert shown(escaped(text)) == one_line(text)


def test_addresses_are_broken_for_renderers_that_look_for_them() -> None:
    written = escaped("see http://a.example and WWW.b.example or c@d.example")
    assert "http://" not in written
    assert "WWW.b" not in written
    assert "c@d" not in written


def test_the_page_says_what_the_outlook_says() -> None:
    outlook = japan_sar(date(2026, 6, 1))
    page = markdown_text(
        released(outlook, WITHOUT, flags=["The rows of sar-effect were changed after its first report."])
    )
    assert page.startswith("# Japan after the SAR agreement\n\nTLP:CLEAR\n\n**Question:** How far will")
    assert "As of 2026-06-01, from" in page
    assert "- **Flag:** The rows of sar-effect were changed" in page
    for scenario in outlook.study.scenarios:
        assert f"- **{scenario.label}**: " in page
    assert f"Ledger head 7:{'cd' * 32}; study revision 2 ({'ab' * 32}); engine 0.0.0" in page
    assert "known at 2026-06-30T12:00:00.000000Z; left out on request: source:Kyodo." in page
    assert "**overdue**" in page
    moved = page.split("## Reports that moved it most")[1].split("##")[0]
    assert sum(line.startswith("| 20") for line in moved.splitlines()) == 10


def test_losers_and_winners_are_not_rounded_away() -> None:
    study, reports, coverage, _ = random_case(random.Random(1), kinds=("state",), n_reports=0, n_indicators=1, days=30)
    study["scenarios"] = [{"id": "a", "prior": 0.99999}, {"id": "b", "prior": 0.00001}]
    study["indicators"][0]["likelihoods"] = {i: [0.5, 0.5] for i in "ab"}
    study["indicators"][0]["states"] = ["none", "some"]
    study.pop("drift", None)
    page = markdown_text(released(outlook_of(study, reports, coverage, date.fromisoformat(study["opens"]))))
    assert "| a | >99.9 % |" in page
    assert "| b | <0.1 % |" in page
    assert "No report has changed anything." in page
    assert "What settles it" not in page


def test_the_strictest_mark_stands_on_top() -> None:
    study, reports, coverage, as_of = random_case(random.Random(2), n_reports=6, days=40)
    outlook = outlook_of(
        {**study, "tlp": "green"}, [*reports[:-1], {**reports[-1], "tlp": "amber+strict"}], coverage, as_of
    )
    assert "\nTLP:AMBER+STRICT\n" in markdown_text(released(outlook))
    assert "\nTLP:GREEN\n" in markdown_text(released(outlook_of({**study, "tlp": "green"}, reports, coverage, as_of)))
    assert "\nTLP:RED\n" in markdown_text(released(outlook_of({**study, "tlp": "red"}, [], coverage, as_of)))


# All formats


@settings(max_examples=10, deadline=None)
@given(cases())
def test_every_format_writes_the_same_each_time(case: Case) -> None:
    for form in FORMATS.values():
        first, second = (form.write(released(outlook_of(*case))) for _ in range(2))
        assert first == second
        assert isinstance(first, bytes) == form.is_binary
        assert form.is_binary or content_of(first).endswith(b"\n")


def test_tables_are_offered_where_one_list_is_written() -> None:
    assert {name: form.tables for name, form in FORMATS.items() if form.tables} == {"csv": TABLES, "parquet": TABLES}
