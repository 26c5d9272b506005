"""Scenarios, the engine and its outputs; and the Python face of both packages, for notebooks.

    import forecast

    ledger = forecast.open_ledger("forecast.db")
    reading = forecast.read_study(ledger, "japan-sar")
    outlook = reading.outlook(date(2026, 6, 7))
    outlook.probabilities()

The map, from the ground up; a room imports only lower floors:

1. `probability`, `bayes`, `words`: arrays and words.
2. `study`, `yaml_tree`, `study_file`: the question, its rows, its file. `events`, the `*_likelihood` rooms and
   `likelihood`: from reports to what they say. `explain`, `boards`, `frames`: what follows from it.
3. `outlook`: all of it for one study and day, each part worked out when first asked for. `revision`: what may change.
4. `release`: the handling gate, which every way out goes through. `reading`, `workflow`: from a ledger to an outlook,
   and what a person does to a ledger.
5. `display`, `charts`, `export`: pictures, documents, formats. `cases`: the worked cases.
6. `cli`: a thin skin over all of it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from forecast.version import __version__

__all__ = ["__version__", "create_ledger", "open_ledger", "publish", "read_study", "released"]

if TYPE_CHECKING:
    from forecast.api import create_ledger, open_ledger, publish, read_study, released


def __getattr__(name: str) -> Any:
    # Loaded when first asked for, so that the command line does not pay for it at every start.
    if name in __all__:
        return getattr(importlib.import_module("forecast.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
