"""From a template and its context to an answer: everything is escaped, and an undefined name is a fault, not a gap."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from forecast.display import bits_text, number, one_line, percent, points
from forecast.version import __version__
from indicators.markings import mark_text

__all__ = ["drawn_page", "drawn_part", "static_file"]

TYPES = {".svg": "image/svg+xml", ".css": "text/css", ".js": "text/javascript", ".LICENSE": "text/plain"}


def drawn_page(template: str, *, status: int = 200, **context: Any) -> Response:
    """A page, or a part of one, drawn from a template."""
    return HTMLResponse(environment().get_template(template).render(**context), status_code=status)


def drawn_part(template: str, **context: Any) -> Markup:
    """A part of a page, drawn from a template once to stand in many pages."""
    return Markup(environment().get_template(template).render(**context))  # noqa: S704 - what a template has escaped


@cache
def environment() -> Environment:
    """The one environment of all templates."""
    paper = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, loader=FunctionLoader(_source)
    )
    paper.filters |= {
        "percent": percent,
        "points": points,
        "number": number,
        "bits": bits_text,
        "one_line": one_line,
        "mark": mark_text,
        "in_path": lambda text: quote(str(text), safe=""),
        "query": lambda pairs: urlencode(pairs, doseq=True),
        "link": lambda url: url if str(url).startswith(("https://", "http://")) else "",
    }
    paper.globals |= {"static": static_address, "version": __version__}
    return paper


def _source(name: str) -> str | None:
    place = files("forecast.web").joinpath("templates", name)
    return place.read_text(encoding="utf-8") if place.is_file() else None


@cache
def static_file(name: str) -> tuple[bytes, str] | None:
    """Content and media type of one of our own files; None where there is none of that name."""
    known = {item.name: item for item in files("forecast.web").joinpath("static").iterdir() if item.is_file()}
    if name not in known:
        return None
    suffix = name[name.rfind(".") :]
    return known[name].read_bytes(), TYPES.get(suffix, "application/octet-stream")


@cache
def static_address(name: str) -> str:
    """The address of one of our own files, which changes with its content."""
    found = static_file(name)
    assert found is not None, name
    return f"/static/{name}?{hashlib.sha256(found[0]).hexdigest()[:12]}"
