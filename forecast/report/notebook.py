"""The report as a notebook: our own, with its parameters filled in. Running it is the command's affair.

A value stands in it as a Python literal of ASCII signs alone, never within a text of ours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, TypeAlias

from forecast.release import Released
from forecast.report.template import template_text

__all__ = ["PARAMETERS", "Values", "notebook_source", "notebook_text", "parametrised", "values_of"]

Values: TypeAlias = Mapping[str, str | int | bool | list[str] | None]

PARAMETERS = (
    *("ledger", "study", "as_of", "known_at", "published", "since", "without", "max_tlp", "without_above", "draws"),
)
"""What the cell tagged `parameters` sets, in order."""


def notebook_text() -> str:
    """The notebook as it is kept, without outputs."""
    return template_text("report.ipynb")


def parametrised(cells: list[Any], values: Values) -> None:
    """Set the parameters in the cell that has them; those that are not given become None."""
    told = {name: values.get(name) for name in PARAMETERS}
    [cell] = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", ())]
    cell["source"] = "\n".join(f"{name} = {value!a}" for name, value in told.items())


def values_of(
    released: Released,
    *,
    known_at: str | None,
    published: int | None,
    since: date | None,
    max_tlp: str | None,
    without_above: bool,
    draws: int,
) -> dict[str, str | int | bool | list[str] | None]:
    """The parameters with which the notebook makes an outlook again; where the ledger is, they do not say."""
    return {
        "study": released.outlook.study.study,
        "as_of": None if published else str(released.outlook.as_of),
        "known_at": known_at,
        "published": published,
        "since": str(since) if since else None,
        # What is only known by withheld entries is no longer named here.
        "without": [text for text in released.provenance.without if not text.startswith("above:")],
        "max_tlp": max_tlp,
        "without_above": without_above,
        "draws": draws,
    }


def notebook_source(values: Values) -> str:
    """The notebook with its parameters set, without outputs; FORECAST_LEDGER tells it where the ledger is."""
    found = json.loads(notebook_text())
    parametrised(found["cells"], values)
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"
