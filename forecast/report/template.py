"""The templates that come with the package, read as they are, and the folder of its fonts."""

from __future__ import annotations

from importlib.resources import files

__all__ = ["fonts_folder", "template_text"]


def template_text(name: str) -> str:
    """The text of a template by the name of its file."""
    return files("forecast.report").joinpath("templates", name).read_text(encoding="utf-8")


def fonts_folder() -> str:
    """Where the fonts lie that the charts have too."""
    return str(files("forecast") / "fonts")
