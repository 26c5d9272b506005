"""The pandas face: every public table with its columns, types and index. The numbers are computed elsewhere.

pandas is imported when the first table is asked for, so that a command which prints none does not pay for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from forecast.boards import Board
from forecast.events import Live
from forecast.probability import Floats
from indicators.evidence import FIELDS, report_content

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "board",
    "contributions",
    "evidence",
    "forecasts",
    "probabilities",
    "scored_reports",
    "short_run",
    "timeline",
]

_DAY_FIELDS = ("observed", "from", "to")
_DAY = "datetime64[s]"


def probabilities(scenarios: Sequence[str], values: Floats) -> pd.Series[float]:
    """Probability of each scenario on the as-of day.

    Returns
    -------
    Series of float, named `probability`
        Index `scenario`, in file order; sums to 1.
    """
    import pandas as pd

    return pd.Series(values, index=pd.Index(list(scenarios), name="scenario"), name="probability")


def timeline(
    days: Sequence[date], scenarios: Sequence[str], *, course: Floats, low: Floats, high: Floats, smoothed: Floats
) -> pd.DataFrame:
    """Probabilities day by day, in long form: what the CSV export writes.

    Returns
    -------
    DataFrame
        One row a day and scenario, days first, scenarios in file order. Columns:

        - `date` (datetime64): from the day the study opens to the as-of day;
        - `scenario` (str);
        - `probability` (float): from what was seen up to that day;
        - `low`, `high` (float): its band, from draws around the stated values;
        - `smoothed` (float): of that day, from all that was seen up to the as-of day.
    """
    import pandas as pd

    return pd.DataFrame(
        {
            "date": np.repeat(np.array(days, dtype=_DAY), len(scenarios)),
            "scenario": list(scenarios) * len(days),
            "probability": course.ravel(),
            "low": low.ravel(),
            "high": high.ravel(),
            "smoothed": smoothed.ravel(),
        }
    )


def contributions(scenarios: Sequence[str], rows: Sequence[tuple[Live, Floats, Floats, Floats]]) -> pd.DataFrame:
    """What each report did to each scenario, in long form.

    Returns
    -------
    DataFrame
        One row a report and scenario, in order of dated day and ledger. Columns:

        - `entry` (str), `date` (datetime64), `indicator` (str), `scenario` (str);
        - `loglik` (float): change of the natural log likelihood under the scenario;
        - `decibans` (float): weight of evidence for it against the mixture of the others just before;
        - `change` (float): the final probability less what it would be had the report not been logged.
    """
    import pandas as pd

    K = len(scenarios)
    return pd.DataFrame(
        {
            "entry": [live.entry for live, *_ in rows for _ in range(K)],
            "date": np.array([live.report.dated for live, *_ in rows for _ in range(K)], dtype=_DAY),
            "indicator": [live.report.indicator for live, *_ in rows for _ in range(K)],
            "scenario": list(scenarios) * len(rows),
            "loglik": np.array([loglik for _, loglik, _, _ in rows], dtype=np.float64).ravel(),
            "decibans": np.array([decibans for _, _, decibans, _ in rows], dtype=np.float64).ravel(),
            "change": np.array([change for _, _, _, change in rows], dtype=np.float64).ravel(),
        }
    )


def evidence(live: Sequence[Live]) -> pd.DataFrame:
    """The reports that count.

    Returns
    -------
    DataFrame
        One row a report, in order of dated day and ledger. Columns `entry` (str), the fields of a report as logged
        (`observed`, `from` and `to` as datetime64, `count` and `value` as float, the others as text; missing where not
        given), and `rho` (float), the chance that the report carries information.
    """
    import pandas as pd

    rows = [{"entry": item.entry, **report_content(item.report), "rho": item.rho} for item in live]
    frame = pd.DataFrame(rows, columns=["entry", *FIELDS, "rho"])
    numbers = dict.fromkeys(("count", "value", "rho"), "float64")
    texts = {name: "str" for name in frame.columns if name not in numbers and name not in _DAY_FIELDS}
    return frame.astype(numbers | texts | dict.fromkeys(_DAY_FIELDS, _DAY))


def board(boards: Sequence[Board]) -> pd.DataFrame:
    """Where every indicator stands.

    Returns
    -------
    DataFrame
        One row an indicator, in file order, index `indicator`. Columns:

        - `name`, `kind` (str);
        - `last_observed`, `due` (datetime64, missing where there is none), `overdue` (bool);
        - `state` (str): the likeliest state now, `p_state` (float): its probability; missing for other kinds;
        - `expected`, `low`, `high` (float): of the number to come; missing for state indicators.
    """
    import pandas as pd

    rows = []
    for item in boards:
        state = max(item.states, key=lambda name: item.states[name], default=None)
        rows.append(
            {
                "name": item.indicator.label,
                "kind": item.indicator.kind,
                "last_observed": item.last_observed,
                "due": item.due,
                "overdue": item.overdue,
                "state": state,
                "p_state": item.states[state] if state else np.nan,
                "expected": item.expectation.expected if item.expectation else np.nan,
                "low": item.expectation.low if item.expectation else np.nan,
                "high": item.expectation.high if item.expectation else np.nan,
            }
        )
    frame = pd.DataFrame(rows, index=pd.Index([item.indicator.id for item in boards], name="indicator"))
    return frame.astype({"last_observed": _DAY, "due": _DAY, "state": "str"})


def short_run(rows: Sequence[tuple[str, int, float, float, float, float | None, str]]) -> pd.DataFrame:
    """How the rows of each indicator have done in the short run.

    Returns
    -------
    DataFrame
        One row an indicator, in file order, index `indicator`. Columns:

        - `scored` (int): how many reports and stretches of quiet days;
        - `engine`, `own_past` (float): mean log score of each, lower is better; missing where nothing is scored;
        - `gain`, `error` (float): by how much the engine's is better, above 0 the rows have helped, and its standard
          error;
        - `verdict` (str): `serve`, `mislead` or `open`.
    """
    import pandas as pd

    names = ["indicator", "scored", "engine", "own_past", "gain", "error", "verdict"]
    numbers = dict.fromkeys(("engine", "own_past", "gain", "error"), "float64")
    texts = {"indicator": "str", "verdict": "str"}
    return pd.DataFrame(rows, columns=names).astype({"scored": "int64"} | numbers | texts).set_index("indicator")


def scored_reports(rows: Sequence[tuple[str, date, str, float, float, float]]) -> pd.DataFrame:
    """Every report that has come due, with what it was given beforehand.

    Returns
    -------
    DataFrame
        One row a report or stretch of quiet days, indicator by indicator, in order of logging. Columns:

        - `entry` (str): by which it was logged; empty for the quiet days since the last look;
        - `date` (datetime64), `indicator` (str);
        - `engine`, `own_past`, `gain` (float): log scores, and by how much the engine's is better.
    """
    import pandas as pd

    frame = pd.DataFrame(rows, columns=["entry", "date", "indicator", "engine", "own_past", "gain"])
    numbers = dict.fromkeys(("engine", "own_past", "gain"), "float64")
    return frame.astype({"entry": "str", "date": _DAY, "indicator": "str"} | numbers)


def forecasts(rows: Sequence[tuple[str, str, str, str, float, str, str]]) -> pd.DataFrame:
    """A table of forecasts, with the columns that `forecast.score_table` reads when it is written as CSV.

    Returns
    -------
    DataFrame
        One row a forecaster, day and scenario. Columns:

        - `question`, `forecaster` (str); `date` (datetime64); `outcome` (str): the scenario;
        - `probability` (float);
        - `resolution` (str): the scenario that came true, `void`, or empty while it is open;
        - `resolved_on` (datetime64): the day that settled it; missing while it is open or void.
    """
    import pandas as pd

    names = ["question", "forecaster", "date", "outcome", "probability", "resolution", "resolved_on"]
    frame = pd.DataFrame(rows, columns=names)
    frame["resolved_on"] = pd.to_datetime(frame["resolved_on"].replace("", None))
    texts = dict.fromkeys(("question", "forecaster", "outcome", "resolution"), "str")
    return frame.astype(texts | {"probability": "float64", "date": _DAY, "resolved_on": _DAY})
