"""One logged entry as a page of lines: every field, its attachments, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from forecast.display import one_line

__all__ = ["entry_lines"]

_HEAD = ("entry", "kind", "recorded_at", "recorded_by")
_LISTS = ("attachments", "as_logged", "corrections", "retracted")


def entry_lines(told: Mapping[str, Any]) -> Iterator[str]:
    """The lines, from the same values that the JSON has; every text of a user stays on its line."""
    stands = "; retracted" if told["retracted"] else ""
    yield one_line(f"{told['entry']}  {told['kind']}, recorded {told['recorded_at']} by {told['recorded_by']}{stands}")
    for name, value in told.items():
        if name not in (*_HEAD, *_LISTS):
            yield f"  {name:<10}  {one_line(str(value))}"
    for file in told["attachments"]:
        yield f"  attached    {one_line(file['name'])}{_whereabouts(file)}"
    if told["as_logged"]:
        yield "as it was logged"
        yield from _fields(told["as_logged"], "not given")
    for correction in told["corrections"]:
        yield one_line(f"{correction['entry']}  {correction['kind']}, {_by(correction)}")
        yield from _fields(correction["set"] or {}, "taken out")
        if correction["why"]:
            yield f"  why         {one_line(correction['why'])}"


def _fields(values: Mapping[str, Any], without: str) -> Iterator[str]:
    for name, value in values.items():
        yield f"  {name:<10}  {without if value is None else one_line(str(value))}"


def _by(correction: Mapping[str, Any]) -> str:
    return f"recorded {correction['recorded_at']} by {correction['recorded_by']}"


def _whereabouts(file: Mapping[str, Any]) -> str:
    if "sha256" not in file:
        return ""
    size = f" ({file['bytes']:,} bytes)"
    return f"{size}, {file['status']}: {file['path']}" if "path" in file else f"{size}, {file['sha256']}"
