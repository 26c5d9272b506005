"""A changed study takes its histories and fits from the revision before, and fits anew only what is new."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from forecast import study_histories
from forecast.baseline import Fit, Residuals
from forecast.history import Row
from forecast.study import Study
from forecast.study_folder import read_study_files
from forecast.study_histories import revised
from indicators.errors import FaultsError

TEXT = """\
study: polls
opens: 2024-01-01
horizon: 2024-12-31
scenarios: [{id: a}, {id: b}]
indicators:
  - {id: poll, kind: measure, baseline: {history: poll.csv, model: local-level}, shifts: {a: 1, b: 0}}
  - id: talks
    kind: count
    baseline: {history: talks.csv, from: 2020-01-01, to: 2023-12-31}
    multipliers: {a: 2, b: 1}
"""


def plain_fit(rows: Sequence[Row], model: str) -> Fit:
    """Stands for a fit, which takes seconds."""
    residuals = Residuals(lags=1, statistic=0.0, p_value=1.0)
    numbers: dict[str, Any] = {"parameters": {}, "state": [51.0], "covariance": [[1.0]], "log_likelihood": 0.0}
    return Fit(model=model, last_day=rows[-1].day, points=len(rows), residuals=residuals, **numbers)


@pytest.fixture
def before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setattr(study_histories, "fitted", plain_fit)
    values = (50, 52, 49, 53, 51, 54, 50, 52, 55, 51)
    rows = "".join(f"2023-{month:02}-01,{value}\n" for month, value in enumerate(values, start=1))
    (tmp_path / "poll.csv").write_text(f"date,value\n{rows}", encoding="utf-8")
    (tmp_path / "talks.csv").write_text("date\n2021-01-01\n2022-01-01\n", encoding="utf-8")
    return read_study_files(tmp_path / "polls.yaml", TEXT.encode()).study


def test_what_stays_is_not_fitted_again(before: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("fitted anew")

    monkeypatch.setattr(study_histories, "fitted", never)
    study = revised(TEXT.replace("a: 2,", "a: 3,"), file="polls.yaml", before=before)
    assert study.baselines.fits == before.baselines.fits
    assert study.baselines.rates == before.baselines.rates
    assert study.baselines.histories == before.baselines.histories
    with pytest.raises(AssertionError, match="fitted anew"):
        revised(TEXT.replace("local-level", "ar1"), file="polls.yaml", before=before)


def test_a_history_no_longer_named_goes(before: Study) -> None:
    text = TEXT.replace("baseline: {history: talks.csv, from: 2020-01-01, to: 2023-12-31}", "rates: {a: 1, b: 2}")
    study = revised(text.replace("    multipliers: {a: 2, b: 1}\n", ""), file="polls.yaml", before=before)
    assert list(study.baselines.histories) == ["poll.csv"]


def test_every_fault_at_once_with_its_place(before: Study) -> None:
    text = TEXT.replace("talks.csv", "other.csv").replace("a: 2,", "a: 0,").replace("opens: 2024", "opens: 2023")
    with pytest.raises(FaultsError) as error:
        revised(text, file="polls.yaml", before=before)
    lines = error.value.lines
    assert any(line.startswith("polls.yaml:9:25: ") and "was not recorded with" in line for line in lines)
    assert any("Cromwell's rule" in line for line in lines)
    assert any(line.startswith("poll.csv:2: date: 2023-01-01 is not before the study opens") for line in lines)
