"""What a report says of its study's record: the numbers are those of the record, and what may not leave does not."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import docx
import numpy as np
import pypdf
import pytest
from markdown_it import MarkdownIt

from forecast import released_record, settling, workflow
from forecast.charts.calibration import calibration_chart
from forecast.publication import Publication, Said
from forecast.reading import read_study
from forecast.release import Released
from forecast.released_record import StudyRecord, study_record
from forecast.report import docx as docx_room
from forecast.report import html, pdf
from forecast.report.content import briefing
from forecast.report.docx import docx_bytes
from forecast.report.html import html_text
from forecast.report.markdown import report_markdown
from forecast.report.pdf import pdf_bytes
from forecast.report.pictures import Picture, record_picture
from forecast.report.record import RecordPart, record_part
from forecast.resolution import Resolution
from forecast.settled import resolved_studies
from forecast.short_run import IndicatorRecord, Scored
from forecast.suggestion import suggestion
from indicators.ledger import Head
from tests.forecast.build import released
from tests.forecast.test_export import hostile
from tests.forecast.test_report import TOGETHER, Page
from tests.forecast.test_track import House, published_house

AS_OF = date(2024, 6, 30)


def asked(house: House, name: str = "port", *, max_tlp: str | None = None) -> tuple[Released, StudyRecord]:
    """An outlook of a study as it may leave, and the record beside it."""
    reading = read_study(house.ledger, name)
    outlook = reading.released(AS_OF, now=house.now, max_tlp=max_tlp, without_above=max_tlp is not None, draws=100)
    return outlook, study_record(reading, outlook, max_tlp=max_tlp)


def part_of(house: House, name: str = "port", *, max_tlp: str | None = None) -> RecordPart:
    outlook, record = asked(house, name, max_tlp=max_tlp)
    return record_part(record, outlook.outlook.study)


def settled_house(*names: str) -> House:
    """Studies that are published once, with an opinion, and settled."""
    house = House()
    for name in names:
        house.study(name)
    house.on("2024-02-01")
    for name in names:
        house.log("hostile", name=name)
        house.publish(name=name, opinion={"settled": 0.3, "strike": 0.7})
    house.on("2024-07-01")
    for name in names:
        house.resolve(name=name)
    return house


# What was published, and how it came out


def test_of_an_open_study_there_is_nothing_to_score_and_it_is_said() -> None:
    house = House()
    house.study()
    part = part_of(house)
    assert part.stands == "The study is open until 2024-12-31; there is nothing to score before it is resolved."
    assert part.published == "Nothing was published of it, and only what is published is ever scored."
    assert (part.publications, part.scored, part.scores) == ((), "", None)
    # Silence is a look too.
    assert part.ran.startswith("2 looks scored.")
    assert part.house == ""


def test_where_nothing_is_logged_nothing_is_scored() -> None:
    house = House()
    house.study()
    outlook, record = asked(house)
    assert record.run
    bare = replace(record.run, indicators=tuple(IndicatorRecord(i.indicator, ()) for i in record.run.indicators))
    part = record_part(replace(record, run=bare), outlook.outlook.study)
    assert part.ran == "Nothing is logged that could be scored."
    assert (part.short_run, part.suggested) == (None, "")


def test_what_was_published_stands_as_it_was_said() -> None:
    house = published_house()
    [table] = part_of(house).publications
    assert table.header == ("Publication", "Published", "As of", "Settlement", "Long strike")
    assert [row[:3] for row in table.rows] == [
        ("1", "2024-02-01", "2024-02-01"),
        ("2", "2024-03-01", "2024-03-01"),
        ("2, own opinion", "2024-03-01", "2024-03-01"),
    ]
    assert table.rows[2][3:] == ("30.0 %", "70.0 %")
    first = read_study(house.ledger, "port").publications[0]
    assert table.rows[0][3:] == tuple(f"{100 * said.probability:.1f} %" for said in first.scenarios)


def test_a_report_of_a_publication_tells_of_it_and_of_none_after_it() -> None:
    reading = read_study(published_house().ledger, "port").published(1)
    outlook = reading.released(date(2024, 2, 1), now=published_house().now, draws=100)
    part = record_part(study_record(reading, outlook), outlook.outlook.study)
    assert [row[0] for table in part.publications for row in table.rows] == ["1"]
    assert part.stands.startswith("The study is open until")


def test_the_scores_are_those_of_the_track_record() -> None:
    house = published_house()
    part, found = part_of(house), house.record().record
    assert part.stands == "The study was settled on 2024-06-01: Long strike."
    assert "means over the 153 days" in part.scored
    assert part.scores
    told = {row[0]: row[1:] for row in part.scores.rows}
    for whose, score in zip(("Engine", "Own opinion"), found.studies, strict=True):
        assert told[whose] == tuple(f"{x:.4f}" for x in score.mean)
    engine, opinion = found.studies
    assert told["Prior"] == tuple(f"{x:.4f}" for x in engine.references["prior"].mean(axis=0))
    assert told["Equal chances"][0] == "0.5000"
    held = "held to the end"
    for name, score in ((f"First publication, {held}", engine), (f"First own opinion, {held}", opinion)):
        assert told[name] == tuple(f"{x:.4f}" for x in score.references["persistence"].mean(axis=0))


def test_a_study_that_spoke_too_late_is_not_scored() -> None:
    house = House()
    house.study()
    house.on("2024-06-01").publish()
    house.on("2024-07-01").resolve()
    part = part_of(house)
    assert part.scores is None
    assert part.scored == "There is nothing to score: nothing was published before the day that settled it."


def test_a_void_study_says_why() -> None:
    house = House()
    house.study()
    settling.resolve_void(house.ledger, "port", why="nobody can tell", author="ana")
    part = part_of(house)
    assert part.stands == "The study is void, and is not scored: nobody can tell."
    assert (part.scored, part.scores) == ("", None)


def publication(number: int, scenarios: list[str]) -> Publication:
    said = tuple(Said(name, 1 / len(scenarios), 0.0, 1.0) for name in scenarios)
    return Publication(
        number=number,
        entry="e9",
        recorded_at="2024-05-01T00:00:00Z",
        author="ana",
        as_of=date(2024, 5, 1),
        scenarios=said,
        engine="0",
        draws=100,
        revision="ab",
        before=Head(8, "cd"),
        head=Head(9, "ef"),
        tlp="clear",
        note="",
    )


def test_many_scenarios_stand_in_several_tables_and_of_many_publications_the_last() -> None:
    outlook, record = asked(published_house())
    many = [f"s{n}" for n in range(9)]
    more = replace(record, publications=tuple(publication(n, many) for n in range(1, 31)))
    part = record_part(more, outlook.outlook.study)
    assert [len(table.header) - 3 for table in part.publications] == [4, 4, 3]
    assert [name for table in part.publications for name in table.header[3:]] == ["Settlement", "Long strike", *many]
    assert {len(table.rows) for table in part.publications} == {20}
    assert part.publications[0].rows[0][:4] == ("11", "2024-05-01", "2024-05-01", "")
    assert "30 publications." in part.published and "The last 20 are shown." in part.published


# How the rows have done


def test_the_short_run_is_that_of_the_command() -> None:
    outlook, record = asked(published_house())
    part = record_part(record, outlook.outlook.study)
    assert record.run and part.short_run
    [mood, *_] = record.run.indicators
    assert part.short_run.rows[0] == ("mood", *mood.cells[1:])
    assert part.ran.startswith("4 looks scored. No rows can be told apart yet")
    assert part.suggested.startswith("No indicator has 10 scored reports")


def test_rows_that_mislead_have_a_suggestion_beside_them() -> None:
    house = House()
    house.study()
    for n in range(1, 31):
        house.on(f"2024-01-{n:02d}").log(["calm", "hostile"][n % 2])
    outlook, record = asked(house)
    part = record_part(record, outlook.outlook.study)
    [table] = part.suggestions
    assert table.caption == "mood: rows of calm, tense, hostile"
    assert table.header == ("If this is true", "Stated", "The log suggests", "Looks")
    assert [row[:2] for row in table.rows] == [
        ("Settlement", "0.600  0.300  0.100"),
        ("Long strike", "0.200  0.300  0.500"),
    ]
    assert "never applied" in part.suggested


def test_a_long_log_is_left_to_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(released_record, "MOST_CHANGES", 2)
    part = part_of(published_house())
    assert part.ran == "The log has 3 entries, too many for a report; the command forecast record tells it."
    assert (part.short_run, part.notes, part.suggestions, part.suggested) == (None, (), (), "")


# All resolved studies


def test_the_whole_record_stands_where_there_are_other_resolved_studies() -> None:
    house = settled_house("port", "quay", "pier")
    assert resolved_studies(house.ledger) == ["port", "quay", "pier"]
    part, found = part_of(house), house.record().record
    assert part.house.startswith("This ledger holds 3 settled studies. Each study counts the same.")
    assert part.studies and part.skills
    # All three have one title, so that their ids tell them apart.
    assert [row[0] for row in part.studies.rows[::2]] == ["quay, The port", "pier, The port", "port, The port"]
    whole = next(s for s in found.summaries if (s.track, s.by) == ("engine", "all"))
    assert part.skills.rows[0][:5] == ("Engine", "3", *(f"{x:.4f}" for x in whole.scores))
    assert part.skills.rows[0][5].startswith(f"{whole.against[0].skill[0]:+.2f} (")
    picture = record_picture(asked(house)[1])
    assert picture and picture.alt.startswith("Of 6 forecasts: ")


def test_a_study_alone_has_no_whole_record() -> None:
    house = published_house()
    house.study("quay")
    part = part_of(house)
    assert (part.house, part.studies, part.skills) == ("", None, None)
    assert record_picture(asked(house)[1]) is None


def test_a_resolution_that_was_undone_counts_as_none() -> None:
    house = settled_house("port", "quay")
    settling.undo_resolution(house.ledger, "quay", why="the wrong one", author="ana")
    assert resolved_studies(house.ledger) == ["port"]
    assert part_of(house).house == ""


# The handling gate


def test_other_studies_do_not_make_the_mark_stricter() -> None:
    house = settled_house("port")
    house.now = house.now.replace(month=1)
    house.study("quay", tlp="amber")
    house.on("2024-02-01").publish(name="quay")
    house.on("2024-07-01").resolve(name="quay")
    outlook, record = asked(house)
    assert (outlook.tlp, record.tlp) == ("clear", "clear")
    part = record_part(record, outlook.outlook.study)
    assert "Left out, for being marked above TLP:CLEAR: 1." in part.house
    assert part.studies and [row[0] for row in part.studies.rows] == ["The port", "The port"]
    assert "quay" not in repr(part)


def test_what_is_in_the_record_makes_the_mark_stricter() -> None:
    """A report that was published on, and is retracted since, is in no outlook and yet in the record."""
    house = House()
    house.study()
    house.on("2024-02-01").log("hostile", tlp="red")
    house.publish()
    workflow.retract(house.ledger, "port", "e2", why="a mistake", author="ana")
    outlook, record = asked(house)
    assert (outlook.tlp, record.tlp) == ("clear", "red")
    told = briefing(outlook, record=record)
    assert (told.mark, told.handling) == ("TLP:RED", "TLP:RED")
    assert briefing(outlook).mark == "TLP:CLEAR"


def test_a_publication_that_rests_on_more_is_left_out_and_the_score_with_it() -> None:
    house = House()
    house.study()
    house.on("2024-02-01").publish()
    house.on("2024-03-01").log("hostile", tlp="red")
    house.publish()
    house.on("2024-07-01").resolve()
    part = part_of(house, max_tlp="amber")
    assert [row[0] for table in part.publications for row in table.rows] == ["1"]
    assert part.published.endswith("Left out, for resting on what is marked above TLP:AMBER: 1 more.")
    assert part.scores is None
    assert part.scored == "It is not scored here, for something that was published is left out."
    assert part_of(house, max_tlp="red").scores


def test_a_publication_from_before_an_entry_was_marked_up_is_left_out() -> None:
    """Its own mark is of then; the marks of what it rests on are of now."""
    house = House()
    house.study()
    house.on("2024-02-01").log("hostile")
    house.publish()
    house.on("2024-02-02")
    today: dict[str, Any] = {"author": "ana", "today": house.today, "place": str}
    workflow.amend(house.ledger, "port", "e2", {"tlp": "red"}, why="a name in it", **today)
    assert read_study(house.ledger, "port").publications[0].tlp == "clear"
    part = part_of(house, max_tlp="green")
    assert part.publications == ()
    assert part.published == "Left out, for resting on what is marked above TLP:GREEN: 1 publication."


def test_an_entry_that_came_after_it_leaves_a_publication_in() -> None:
    house = House()
    house.study()
    house.on("2024-02-01").publish()
    house.on("2024-03-01").log("hostile", tlp="red")
    assert len(part_of(house, max_tlp="green").publications) == 1


# The formats


class Blank:
    """A picture of nothing, drawn once; what the other charts show is no matter here, and takes long to draw."""

    def __init__(self) -> None:
        chart = calibration_chart(np.zeros(0), np.zeros(0), low=np.zeros(0), high=np.zeros(0))
        self.drawn = {"svg": chart.svg(), "pdf": chart.pdf(), "png": chart.png()}

    def svg(self) -> str:
        return str(self.drawn["svg"])

    def pdf(self) -> object:
        return self.drawn["pdf"]

    def png(self) -> object:
        return self.drawn["png"]

    def at_night(self) -> Blank:
        return self


@cache
def blank() -> Blank:
    return Blank()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The charts of a report left blank, but for the one of the record."""
    names = ("timeline", "waterfall", "matrix", "board")
    drawn = [Picture(name, name, name, blank()) for name in names]  # type: ignore[arg-type]
    for room in (html, pdf, docx_room):
        monkeypatch.setattr(room, "pictures", lambda *_, **__: drawn)


@cache
def written() -> tuple[Released, StudyRecord]:
    return asked(settled_house("port", "quay"))


def texts_of_pdf(content: bytes) -> str:
    pages = (page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)
    return " ".join(" ".join(pages).replace("\u200b", "").split())


def texts_of_docx(content: bytes) -> str:
    document = docx.Document(io.BytesIO(content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return " ".join(" ".join([*(p.text for p in document.paragraphs), *cells]).split())


def texts_of_markdown(text: str) -> str:
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    inline = (child for token in tokens for child in token.children or ())
    return " ".join(" ".join(child.content for child in inline).split())


FORMATS: dict[str, Callable[[Released, StudyRecord | None], str]] = {
    "html": lambda r, record: " ".join(" ".join(Page(html_text(r, record=record)).texts).split()),
    "pdf": lambda r, record: texts_of_pdf(pdf_bytes(r, record=record)),
    "docx": lambda r, record: texts_of_docx(docx_bytes(r, record=record)),
    "markdown": lambda r, record: texts_of_markdown(report_markdown(r, record=record)),
}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_all_of_it(name: str) -> None:
    outlook, record = written()
    text, part = FORMATS[name](outlook, record), record_part(record, outlook.outlook.study)
    assert "Annex: track record" in text
    assert part.scores and part.short_run and part.studies and part.skills
    for said in (part.stands, part.published, part.scored, part.ran, part.suggested, part.house, *part.notes):
        assert said in text
    for table in (part.scores, part.short_run, part.studies, part.skills):
        # Long names may be broken in a page that is set.
        assert all(row[-1] in text and row[-2] in text for row in table.rows)
    assert "2024-02-01" in text and "70.0 %" in text


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("name", FORMATS)
def test_without_a_record_there_is_no_section(name: str) -> None:
    assert "track record" not in FORMATS[name](written()[0], None)


@pytest.mark.usefixtures("quick")
def test_the_page_of_a_record_is_sound_and_has_its_curve() -> None:
    page = Page(html_text(written()[0], record=written()[1]))
    tags = [tag for tag, _ in page.tags]
    assert tags.count("caption") == tags.count("table")
    assert tags.count("svg") == 2 * 5
    assert all(given.get("scope") for tag, given in page.tags if tag == "th")
    assert any("Of 4 forecasts" in (given.get("aria-label") or "") for tag, given in page.tags if tag == "svg")


def attacked(text: str) -> tuple[Released, StudyRecord]:
    """A record in which every text that a user may write is this one."""
    outlook = released(hostile(text))
    study, name = outlook.outlook.study, text[:200]
    _, record = written()
    assert record.run
    found = suggestion(outlook.outlook, study.indicators[0])
    assert found
    item = Scored("s", "e1", date(2025, 2, 1), 1.0, 2.0)
    run = replace(record.run, indicators=tuple(IndicatorRecord(i, (item,) * 12) for i in study.indicators))
    why = Resolution("e9", "2025-03-01T00:00:00Z", "ana", None, None, text)
    told = replace(
        record,
        publications=(publication(1, ["a", "b", name]),),
        resolution=why,
        run=run,
        notes=(text,),
        suggestions={"s": found},
    )
    return outlook, told


def tags_of(outlook: Released, record: StudyRecord) -> set[str]:
    return {tag for tag, _ in Page(html_text(outlook, record=record)).tags}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("text", TOGETHER[::3], ids=range(len(TOGETHER[::3])))
def test_no_text_of_a_user_is_more_than_a_text(text: str) -> None:
    outlook, record = attacked(text)
    assert tags_of(*attacked(text)) <= tags_of(*attacked("harmless")) | {"a"}
    tokens = MarkdownIt("commonmark").enable("table").parse(report_markdown(outlook, record=record))
    inline = {child.type for token in tokens for child in token.children or ()}
    assert not {"html_inline", "link_open", "image", "code_inline", "em_open"} & inline
    assert "html_block" not in [token.type for token in tokens]
    assert "Annex: track record" in texts_of_docx(docx_bytes(outlook, record=record))
    assert "Annex: track record" in texts_of_pdf(pdf_bytes(outlook, record=record))


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("write", [html_text, report_markdown, docx_bytes, pdf_bytes])
def test_the_same_record_has_the_same_bytes(write: Any) -> None:
    outlook, record = written()
    assert write(outlook, record=record) == write(outlook, record=asked(settled_house("port", "quay"))[1])
