"""Scenarios, the engine and its outputs; and the Python face of both packages, for notebooks.

    import forecast

    ledger = forecast.open_ledger("forecast.db")
    reading = forecast.read_study(ledger, "japan-sar")
    outlook = reading.outlook(date(2026, 6, 7))
    outlook.probabilities()

The map, from the ground up; a room imports only what stands below it (`tests/test_floors.py` is the drawing):

1. Arrays and words: `probability`, `bayes` on `blocks`, `kalman`, `change`, `outcomes`, `words`, `version`.
2. The question, its rows, its file: `study`; `yaml_tree`, `findings`, `study_checks`, `study_file`; `history` and
   `baseline`, the outside view.
3. From reports to what they say: `events`, the `*_likelihood` rooms and `likelihood`; what follows from it: `explain`,
   `draws`, `simulation`, `boards`, `frames`.
4. `outlook`: all of it for one study and day, each part worked out when first asked for; what else can be asked of it:
   `assessment`, `dependence`, `surprise`, `flip`, `information`, `next_reading`, `projection`, `power`; in words:
   `display`. `revision`: what may change. `publication`: what was put on record. `resolution`: what came true.
   `track` on `scores` and `corp`: what was published, scored; `forecast_table`, `comparison`, `table_scores`, `crowd`:
   anybody's forecasts. `release`: the handling gate, which every way out goes through. `scorecard`: scores as values.
5. `reading`, `update`, `workflow`: from a ledger to an outlook, and what a person does to a ledger. `settled`: from a
   ledger to its track record. `api`: notebooks.
6. `charts`: pictures.
7. `export`: formats. `study_folder`, `cases`: a study with its files, and the worked cases.
8. `cli`: a thin skin over all of it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from forecast.version import __version__

__all__ = [
    "__version__",
    "backtest_table",
    "create_ledger",
    "open_ledger",
    "publish",
    "read_study",
    "released",
    "resolve",
    "score_table",
    "short_run_record",
    "track_record",
]

if TYPE_CHECKING:
    from forecast.api import (
        backtest_table,
        create_ledger,
        open_ledger,
        publish,
        read_study,
        released,
        resolve,
        score_table,
        short_run_record,
        track_record,
    )


def __getattr__(name: str) -> Any:
    # Loaded when first asked for, so that the command line does not pay for it at every start.
    if name in __all__:
        return getattr(importlib.import_module("forecast.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
