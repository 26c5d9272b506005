"""Downloads: a report or an export of the outlook, as a file whose name says of what it is, and how it is marked.

The level asked for in the address can only be stricter than the server's. A document takes seconds: it is made apart
from the pages, once for all who ask for the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from forecast.export import FORMATS, content_of
from forecast.export.calendar_export import calendar_text
from forecast.export.tables import TABLES, UnknownTableError
from forecast.reading import Reading
from forecast.release import Released
from forecast.report.formats import report_writer
from forecast.report.notebook import notebook_source, values_of
from forecast.web.record import kept_record
from forecast.web.visit import Visit, reads
from indicators.days import parse_day
from indicators.errors import WatchfloorError, nearest
from indicators.markings import TLP_LEVELS, exceeds, mark_text, strictest

__all__ = ["DOCUMENTS", "ROUTES", "Document", "levels_of"]


class UnknownLevelError(WatchfloorError):
    """A handling level that is none, or looser than what this server shows."""


class Document(NamedTuple):
    """What can be downloaded.

    Attributes
    ----------
    title, about : str
    suffix : str
        How the name of its file ends.
    media_type : str
    make : callable
        Makes its content.
    has_tables : bool
        Whether one of the lists of an outlook can be asked for.
    """

    title: str
    about: str
    suffix: str
    media_type: str
    make: Callable[[Order], bytes]
    has_tables: bool = False


@dataclass(frozen=True)
class Order:
    """What is to be made, of what.

    Attributes
    ----------
    visit : Visit
        Of whoever was the first to ask for it.
    form : str
    reading : Reading
    released : Released
        What the gate lets out of it.
    since : date or None
    table : str
        Which list; empty where none is asked for.
    level : str or None
        The strictest mark that may be in it.
    without_above : bool
    published : int or None
    """

    visit: Visit
    form: str
    reading: Reading
    released: Released
    since: date | None
    table: str
    level: str | None
    without_above: bool
    published: int | None


def _report(order: Order) -> bytes:
    released = order.released
    last = None if order.since else order.reading.last_published(released.outlook.as_of, max_tlp=order.level)
    record = kept_record(order.visit, order.reading, released, order.level)
    form = "markdown" if order.form == "md" else order.form
    return content_of(report_writer(form)(released, since=order.since, last=last, record=record))


def _notebook(order: Order) -> bytes:
    values = values_of(
        order.released,
        known_at=order.visit.asked("known_at"),
        published=order.published,
        since=order.since,
        max_tlp=order.level,
        without_above=order.without_above,
        draws=order.visit.settings.draws,
    )
    return notebook_source(values).encode()


def _export(order: Order) -> bytes:
    options = {"table": order.table} if order.table else {}
    return content_of(FORMATS[order.form].write(order.released, **options))


def _calendar(order: Order) -> bytes:
    return calendar_text(order.released).encode()


_OFFICE = "application/vnd.openxmlformats-officedocument"

DOCUMENTS: Mapping[str, Document] = {
    "pdf": Document("PDF", "the report, for reading and print", ".pdf", "application/pdf", _report),
    "html": Document("HTML", "the report as one file", ".html", "text/html; charset=utf-8", _report),
    "docx": Document("Word", "the report, to be edited", ".docx", f"{_OFFICE}.wordprocessingml.document", _report),
    "md": Document("Markdown", "the report as text", ".report.md", "text/markdown; charset=utf-8", _report),
    "ipynb": Document("Notebook", "works the report out, not run", ".ipynb", "application/x-ipynb+json", _notebook),
    "json": Document("JSON", "all of the outlook", ".json", "application/json", _export),
    "csv": Document("CSV", "one list", ".csv", "text/csv; charset=utf-8", _export, has_tables=True),
    "xlsx": Document("Excel", "every list on a sheet", ".xlsx", f"{_OFFICE}.spreadsheetml.sheet", _export),
    "parquet": Document(
        "Parquet", "one list, typed", ".parquet", "application/vnd.apache.parquet", _export, has_tables=True
    ),
    "markdown": Document("Short Markdown", "the outlook on a page", ".md", "text/markdown; charset=utf-8", _export),
    "stix": Document("STIX 2.1", "study and evidence", ".stix.json", "application/stix+json; version=2.1", _export),
    "calendar": Document("Calendar", "the looks that are due", ".ics", "text/calendar; charset=utf-8", _calendar),
}
"""By the name in the address; the first five are reports."""


def levels_of(visit: Visit) -> list[str]:
    """The handling levels that a download may be kept to: those of the server and below."""
    most = visit.settings.max_tlp
    return [level for level in TLP_LEVELS if most is None or not exceeds(level, most)]


def _download(visit: Visit) -> Response:
    form = str(visit.request.path_params["format"])
    if form not in DOCUMENTS:
        raise HTTPException(404)
    document = DOCUMENTS[form]
    level, without_above = _level(visit), visit.settings.without_above or visit.asked("without_above") == "1"
    since = parse_day(text) if (text := visit.asked("since")) else None
    published, table = _published(visit), _table(visit, document)
    as_of = visit.as_of if published is None else None

    def make() -> tuple[str, bytes]:
        reading = visit.reading if published is None else visit.reading.published(published)
        released = _released(visit, reading, level, without_above=without_above)
        order = Order(visit, form, reading, released, since, table, level, without_above, published)
        return _file_name(order), document.make(order)

    of = (visit.reading.head.hash, visit.study_id, visit.known_at, published, as_of, visit.without)
    name, content = visit.state.documents.get((*of, level, without_above, form, since, table), make)
    said = f'attachment; filename="{name}"'
    return Response(content, media_type=document.media_type, headers={"content-disposition": said})


def _released(visit: Visit, reading: Reading, level: str | None, *, without_above: bool) -> Released:
    """The outlook up to a level; the one that the pages show, where it is the same."""
    settings = visit.settings
    if reading is visit.reading and (level, without_above) == (settings.max_tlp, settings.without_above):
        return visit.released()
    as_of = visit.as_of if reading is visit.reading else reading.default_as_of(visit.today)
    visit.refuse_unseen(visit.without, as_of)
    return reading.released(
        as_of,
        now=visit.now,
        max_tlp=level,
        without_above=without_above,
        without=visit.without,
        draws=settings.draws,
    )


def _level(visit: Visit) -> str | None:
    """The level asked for, where it is no looser than the server's; else the server's."""
    text, most = visit.asked("max_tlp"), visit.settings.max_tlp
    if text is None:
        return most
    level = text.replace(" ", "+")  # how a plus that was not escaped arrives
    if level not in TLP_LEVELS:
        mend = nearest(level, levels_of(visit))
        raise UnknownLevelError(f'"{level[:40]}" is no handling level', where="max_tlp", mend=mend)
    if most is not None and exceeds(level, most):
        what = f"this server shows nothing above {mark_text(most)}"
        raise UnknownLevelError(what, where="max_tlp", mend="ask for that level or a lower one")
    return level


def _published(visit: Visit) -> int | None:
    """The number of the publication that is asked for; not found where it is none that may be told of."""
    text = visit.asked("published")
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 7):
        raise HTTPException(404)
    return int(text)


def _table(visit: Visit, document: Document) -> str:
    """The list asked for; none for a document that holds all."""
    text = visit.asked("table")
    if text is None or not document.has_tables:
        return ""
    if text not in TABLES:
        raise UnknownTableError(text[:40])
    return text


def _file_name(order: Order) -> str:
    """Made of ids, days and marks alone, so that no text of anybody's is in a header."""
    outlook, document = order.released.outlook, DOCUMENTS[order.form]
    marks = [order.released.tlp]
    if document.make is _report:
        marks.append(kept_record(order.visit, order.reading, order.released, order.level).tlp)
    parts = [outlook.study.study, str(outlook.as_of)]
    parts += [f"published-{order.published}"] if order.published else []
    parts += [order.table] if order.table else []
    return "-".join([*parts, "tlp", strictest(marks).replace("+", "-")]) + document.suffix


ROUTES = [Route("/s/{study}/reports/download/{format}", reads(_download, is_slow=True), methods=["GET"])]
