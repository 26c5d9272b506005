"""Which column of a table of forecasts is what: the option that the commands which read such tables share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from indicators.errors import Fault, FaultsError

__all__ = ["columns_option", "named_columns"]

F = TypeVar("F", bound=Callable[..., Any])


def columns_option(table: str) -> Callable[[F], F]:
    """The option; `table` is what the command calls the table."""
    about = f"Of {table}: which of its columns is the question, forecaster, date, outcome, probability or resolution."
    return click.option("--column", "columns", multiple=True, metavar="NAME=HEADER", help=about)


def named_columns(given: tuple[str, ...]) -> dict[str, str]:
    """The columns by what they stand for; whether the table has them is seen where it is read."""
    found: dict[str, str] = {}
    for text in given:
        name, equals, header = text.partition("=")
        if not equals or not header:
            what = f'"{text[:60]}" does not say which column stands for what'
            raise FaultsError([Fault("--column", 0, 0, what, "write it like probability=prob_win")])
        found[name] = header
    return found
