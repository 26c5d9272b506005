"""The templates that come with the package, read as they are."""

from __future__ import annotations

from importlib.resources import files

__all__ = ["template_text"]


def template_text(name: str) -> str:
    """The text of a template by the name of its file."""
    return files("forecast.report").joinpath("templates", name).read_text(encoding="utf-8")
