"""The report as a notebook: our own, with its parameters filled in. Running it is the command's affair.

A value stands in it as a Python literal of ASCII signs alone, never within a text of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forecast.report.template import template_text

__all__ = ["PARAMETERS", "notebook_text", "parametrised"]

PARAMETERS = (
    *("ledger", "study", "as_of", "known_at", "published", "since", "without", "max_tlp", "without_above", "draws"),
)
"""What the cell tagged `parameters` sets, in order."""


def notebook_text() -> str:
    """The notebook as it is kept, without outputs."""
    return template_text("report.ipynb")


def parametrised(cells: list[Any], values: Mapping[str, str | int | bool | list[str] | None]) -> None:
    """Set the parameters in the cell that has them; those that are not given become None."""
    told = {name: values.get(name) for name in PARAMETERS}
    [cell] = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", ())]
    cell["source"] = "\n".join(f"{name} = {value!a}" for name, value in told.items())
