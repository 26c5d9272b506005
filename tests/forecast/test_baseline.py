"""Baselines: rates by hand, fits against statsmodels itself, refusals, and a ledger that needs no other file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.diagnostic import acorr_ljungbox
from statsmodels.tsa.statespace.sarimax import SARIMAX
from statsmodels.tsa.statespace.structural import UnobservedComponents

import forecast.baseline as baseline
from forecast import workflow
from forecast.baseline import BaseRate, Fit, FitError, base_rate, fitted
from forecast.cli.main import run
from forecast.count_likelihood import CountLikelihood
from forecast.draws import drawn_likelihoods, drawn_prior
from forecast.history import Row
from forecast.likelihood import likelihoods
from forecast.probability import Floats
from forecast.reading import read_study
from forecast.revision import study_of
from forecast.study import NoHistoryError, Study, rates_per_year
from forecast.study_file import study_json
from forecast.study_folder import read_study_files
from indicators.entry import content_hash
from indicators.ledger import MemoryLedger
from tests.forecast.build import japan_sar_study
from tests.small import ticking_clock

START = date(1990, 3, 1)
MODELS = ("local-level", "local-trend", "ar1")


def statsmodel(model: str, rows: Sequence[Row]) -> Any:
    """The model as one would write it down: a value for every day, not-a-number where there is none."""
    grid = np.full((rows[-1].day - rows[0].day).days + 1, np.nan)
    for row in rows:
        grid[(row.day - rows[0].day).days] = row.value
    if model == "ar1":
        return SARIMAX(grid, order=(1, 0, 0), trend="c")
    name = {"local-level": "local level", "local-trend": "local linear trend"}[model]
    return UnobservedComponents(grid, name, use_exact_diffuse=True)


def series(days: Sequence[int], values: Sequence[float] | Floats) -> list[Row]:
    told = enumerate(zip(days, values, strict=True))
    return [Row(n + 2, START + timedelta(days=int(day)), float(value)) for n, (day, value) in told]


def wandering(seed: int, *, points: int = 24, span: int = 1_200, trend: float = 0.0) -> list[Row]:
    """Readings on irregular days of a level that wanders, with noise."""
    rng = np.random.default_rng(seed)
    days = np.sort(rng.choice(span, points, replace=False))
    days -= days[0]
    level = 50 + np.cumsum(rng.normal(trend, 0.1, span))
    return series(days.tolist(), np.round(level[days] + rng.normal(0, 0.7, points), 2))


class TestBaseRate:
    def test_by_hand(self) -> None:
        """Two leap years and two others: 1,461 days are four years; (3 + 1/2) / 4."""
        days = [date(2019, 1, 1), date(2020, 2, 29), date(2022, 12, 31), date(2018, 12, 31), date(2023, 1, 1)]
        rate = base_rate(days, date(2019, 1, 1), date(2022, 12, 31))
        assert rate == BaseRate(events=3, years=4.0, outside=2)
        assert (rate.shape, rate.mean) == (3.5, 0.875)

    def test_nothing_ever_happened(self) -> None:
        """Half an event in the years there were."""
        assert base_rate([], date(2001, 1, 1), date(2008, 12, 31)).mean == pytest.approx(0.5 / (2922 / 365.25))

    def test_one_day(self) -> None:
        assert base_rate([date(2001, 1, 1)], date(2001, 1, 1), date(2001, 1, 1)).years == 1 / 365.25

    def test_the_agreements_of_the_case(self) -> None:
        """Ten partners from 2007-01-01 to 2025-04-21, 6,686 days; times the factor of each scenario."""
        study = japan_sar_study()
        mean = 10.5 / (6686 / 365.25)
        assert study.baselines.rates["new-agreements"] == BaseRate(10, 6686 / 365.25)
        indicator = study.by_id["new-agreements"]
        assert indicator.kind == "count"
        expected = mean * np.array([0.78, 1.06, 1.67, 1.48, 1.39])
        np.testing.assert_allclose(rates_per_year(study, indicator), expected, rtol=1e-15)

    def test_a_history_that_is_not_at_hand(self) -> None:
        study = japan_sar_study()
        bare = Study.model_validate(study_json(study))
        indicator = bare.by_id["new-agreements"]
        assert indicator.kind == "count"
        with pytest.raises(NoHistoryError, match='"new-agreements" takes its numbers from a history'):
            rates_per_year(bare, indicator)
        for name in ("public-support", "new-agreements"):
            with pytest.raises(NoHistoryError, match=name):
                likelihoods(bare, {}, {}, as_of=bare.opens, only=[name])

    def test_draws_are_gamma_and_shared_by_the_scenarios(self) -> None:
        """With multipliers as good as certain, what is left is the rate's own Gamma(n + 1/2, Y)."""
        study = japan_sar_study()
        plain = study_json(study)
        number = [i["id"] for i in plain["indicators"]].index("new-agreements")
        plain["indicators"][number]["confidence"] = 1e9
        sure = Study.model_validate(plain).with_baselines(study.baselines)
        stated = likelihoods(sure, {}, {}, as_of=sure.opens)
        prior = drawn_prior(sure, seed=5, draws=4_000)
        drawn = dict(drawn_likelihoods(sure, stated, prior, seed=5))["new-agreements"]
        likelihood = stated["new-agreements"]
        assert isinstance(drawn, CountLikelihood) and isinstance(likelihood, CountLikelihood)
        base = drawn.model.rates / likelihood.model.rates * study.baselines.rates["new-agreements"].mean
        np.testing.assert_allclose(base, base[:, :1].repeat(5, axis=1), rtol=1e-3)
        gamma = stats.gamma(10.5, scale=365.25 / 6686)
        assert stats.kstest(base[:, 0], gamma.cdf).pvalue > 0.01

    def test_draws_of_stated_rates_are_as_before(self) -> None:
        """An indicator without a baseline has no such draw, and its numbers are those of its own stream alone."""
        study = japan_sar_study()
        stated = likelihoods(study, {}, {}, as_of=study.opens)
        prior = drawn_prior(study, seed=5, draws=2_000)
        drawn = dict(drawn_likelihoods(study, stated, prior, seed=5))["export-rules"]
        likelihood = stated["export-rules"]
        assert isinstance(drawn, CountLikelihood) and isinstance(likelihood, CountLikelihood)
        factors = drawn.model.rates / likelihood.model.rates
        assert abs(np.corrcoef(factors[:, 0], factors[:, 1])[0, 1]) < 0.1
        assert stats.kstest(factors[:, 0], stats.gamma(20, scale=1 / 20).cdf).pvalue > 0.01


class TestFit:
    @pytest.mark.parametrize("model", MODELS)
    @pytest.mark.parametrize("seed", [1, 2])
    def test_is_what_statsmodels_makes_of_the_parameters(self, model: str, seed: int) -> None:
        """Log likelihood, the state at the end and its covariance, of a filter over every day."""
        rows = wandering(seed)
        fit = fitted(rows, model)
        direct = statsmodel(model, rows)
        assert list(fit.parameters) == direct.param_names
        result = direct.filter(list(fit.parameters.values()))
        assert fit.log_likelihood == pytest.approx(result.llf, abs=1e-9)
        np.testing.assert_allclose(fit.state, result.filtered_state[:, -1], rtol=1e-9)
        np.testing.assert_allclose(fit.covariance, result.filtered_state_cov[:, :, -1], rtol=1e-9, atol=1e-12)
        assert (fit.points, fit.last_day) == (24, rows[-1].day)

    @pytest.mark.parametrize("model", MODELS)
    @pytest.mark.parametrize("rows", [wandering(3), wandering(4, points=9, span=3_000), wandering(5, trend=0.05)])
    def test_is_the_greatest_likelihood_that_can_be_found(self, model: str, rows: list[Row]) -> None:
        """No search from other places, by another method, finds a likelier one."""
        fit = fitted(rows, model)
        direct = statsmodel(model, rows)
        found = np.array(list(fit.parameters.values()))
        values = np.array([row.value for row in rows])
        rng = np.random.default_rng(0)
        best = -np.inf
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for _ in range(4):
                start = np.abs(found) * np.exp(rng.normal(0, 1.5, len(found))) + 1e-12 * values.var()
                if model == "ar1":
                    kept = np.exp(-1 / rng.uniform(1, 800))
                    start = np.array([(1 - kept) * values.mean(), kept, (1 - kept**2) * values.var()])
                other = direct.fit(start, method="powell", disp=False, return_params=True)
                best = max(best, direct.loglike(other))
        assert fit.log_likelihood >= best - 1e-5

    @pytest.mark.parametrize("model", MODELS)
    def test_another_unit_is_the_same_fit(self, model: str) -> None:
        """Readings in thousands, from another zero: parameters and state in that unit."""
        rows = wandering(6)
        fit, other = (fitted(part, model) for part in (rows, [r._replace(value=1e6 + 1e3 * r.value) for r in rows]))
        size = len(rows) - {"local-level": 1, "local-trend": 2, "ar1": 0}[model]
        assert other.log_likelihood == pytest.approx(fit.log_likelihood - size * np.log(1e3), abs=1e-5)
        assert other.state[0] == pytest.approx(1e6 + 1e3 * fit.state[0], rel=1e-5)
        assert other.parameters.get("ar.L1", 0.0) == pytest.approx(fit.parameters.get("ar.L1", 0.0), rel=1e-3)

    def test_the_same_series_gives_the_same_bits(self) -> None:
        assert fitted(wandering(7), "local-trend") == fitted(wandering(7), "local-trend")

    def test_ten_years_without_a_reading(self) -> None:
        """The start from nothing outlasts a gap of a decade, also where a trend waits for its second reading."""
        days = [0, 3650, 3651, 3700, 7300, 7400, 7500, 11000]
        rows = series(days, [50.0, 51.5, 51.0, 52.5, 49.0, 50.0, 50.5, 53.0])
        for model in MODELS:
            fit = fitted(rows, model)
            result = statsmodel(model, rows).filter(list(fit.parameters.values()))
            assert fit.log_likelihood == pytest.approx(result.llf, abs=1e-9)
            assert np.isfinite(fit.residuals.p_value)

    def test_the_search_steps_over_gaps_as_the_grid_does(self) -> None:
        """The likelihood from reading to reading is that of the grid of days, to 1e-8."""
        rows = wandering(10, points=40, span=9_000)
        days = np.array([(row.day - rows[0].day).days for row in rows])
        values = np.array([row.value for row in rows])
        for model in MODELS:
            fit = fitted(rows, model)
            over_gaps = baseline._log_likelihood(model, days, values)
            for factor in (0.5, 1.0, 3.0):
                parameters = dict(fit.parameters)
                variance = "sigma2" if model == "ar1" else "sigma2.irregular"
                parameters[variance] = factor * parameters[variance] + 0.1
                direct = statsmodel(model, rows).loglike(list(parameters.values()))
                assert over_gaps(parameters) == pytest.approx(direct, abs=1e-8)

    def test_what_is_said_of_a_poll_that_comes_back(self) -> None:
        """Readings that have nothing to do with each other: no level wanders, and nothing is kept."""
        rng = np.random.default_rng(11)
        rows = series(range(0, 3000, 60), rng.normal(50, 3, 50))
        fit = fitted(rows, "local-level")
        assert fit.parameters["sigma2.level"] < 1e-3
        assert fit.parameters["sigma2.irregular"] == pytest.approx(9, rel=0.35)
        assert fitted(rows, "ar1").parameters["ar.L1"] ** 60 < 0.3
        assert fit.residuals.says.startswith("no sign that the errors hang together (Ljung-Box, 9 lags, p = ")

    def test_what_is_said_of_a_model_that_misses_a_trend(self) -> None:
        rows = series(range(0, 600, 30), [3.0 * n + (0.4, -0.5, 0.1)[n % 3] for n in range(20)])
        fit = fitted(rows, "local-level")
        assert fit.residuals.p_value < 1e-6
        assert fit.residuals.says.startswith("the errors hang together, so the model misses something (Ljung-Box, 3")
        trend = fitted(rows, "local-trend")
        assert trend.state[1] == pytest.approx(0.1, rel=0.05)
        assert trend.log_likelihood > fit.log_likelihood

    def test_the_test_of_the_errors_is_that_of_statsmodels(self) -> None:
        """Which centres the errors first; these have their centre at zero."""
        errors = np.random.default_rng(3).normal(size=40)
        errors -= errors.mean()
        found = acorr_ljungbox(errors, lags=[8])
        mine = baseline._residuals(errors)
        assert mine.lags == 8
        assert mine.statistic == pytest.approx(float(found["lb_stat"].iloc[0]), rel=1e-12)
        assert mine.p_value == pytest.approx(float(found["lb_pvalue"].iloc[0]), rel=1e-12)

    def test_a_level_never_changes_sides(self) -> None:
        """Where an AR(1) would alternate, its coefficient stays at zero, and the test says that something is missed."""
        fit = fitted(series(range(12), [1.0, 2.0] * 6), "ar1")
        assert fit.parameters == pytest.approx({"intercept": 1.5, "ar.L1": 0.0, "sigma2": 0.25}, abs=1e-6)
        assert fit.residuals.p_value < 1e-4

    def test_comes_back_from_json_to_the_last_digit(self) -> None:
        fit = fitted(wandering(8), "local-trend")
        assert Fit.model_validate(json.loads(json.dumps(fit.model_dump(mode="json")))) == fit


class TestRefusals:
    def test_a_straight_line_has_no_error(self) -> None:
        """The likelihood grows without end as the variances vanish."""
        rows = series(range(0, 300, 30), [3.0 * n for n in range(10)])
        with pytest.raises(FitError, match=r"does not come to rest|without any error") as caught:
            fitted(rows, "local-trend")
        assert caught.value.mend == 'try "model: local-level", or state "values" in place of the baseline'

    def test_what_returns_to_no_mean(self) -> None:
        rng = np.random.default_rng(1)
        rows = series(range(0, 3600, 30), 5.0 * np.arange(120) + rng.normal(0, 0.5, 120))
        with pytest.raises(FitError, match="the readings return to no mean within many times the length") as caught:
            fitted(rows, "ar1")
        assert 'try "model: local-level"' in caught.value.mend

    def test_a_search_that_is_cut_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(baseline, "_ROUNDS", 1)
        with pytest.raises(FitError, match="the search for its parameters does not come to rest"):
            fitted(wandering(9), "local-level")


STUDY = """\
study: polls
opens: 2024-01-01
horizon: 2024-12-31
scenarios: [{id: up, prior: 0.4}, {id: down, prior: 0.6}]
indicators:
  - id: strikes
    kind: count
    baseline: {history: past/strikes.csv, from: 2020-01-01, to: 2023-12-31}
    multipliers: {up: 2, down: 0.5}
  - id: vote
    kind: milestone
    baseline: {history: past/strikes.csv, from: 2022-01-01, to: 2023-12-31}
    multipliers: {up: 1, down: 0.1}
  - id: support
    kind: measure
    baseline: {history: poll.csv, model: local-level}
    shifts: {up: 4, down: -2.5}
"""
STRIKES = "date,what\n2019-12-31,before\n2020-01-01,a\n2021-06-01,b\n2023-12-31,c\n"
POLL = "date,value\n" + "".join(f"202{n // 4}-0{1 + 2 * (n % 4)}-01,{50 + (n * 7) % 5}\n" for n in range(16))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The study with its histories."""
    (tmp_path / "past").mkdir()
    (tmp_path / "polls.yaml").write_text(STUDY, encoding="utf-8")
    (tmp_path / "past" / "strikes.csv").write_text(STRIKES, encoding="utf-8")
    (tmp_path / "poll.csv").write_text(POLL, encoding="utf-8")
    return tmp_path


def record(ledger: MemoryLedger, folder: Path) -> workflow.Recorded:
    file = folder / "polls.yaml"
    files = read_study_files(file, file.read_bytes())
    return workflow.record_study(
        ledger, files.study, content=study_json(files.study), text=files.text, file=str(file), author="ana"
    )


class TestLedger:
    def test_needs_no_other_file(self, folder: Path) -> None:
        """The recorded study has the same rates and the same fit when all files are gone; nothing is fitted again."""
        ledger = MemoryLedger(ticking_clock())
        study = read_study_files(folder / "polls.yaml", (folder / "polls.yaml").read_bytes()).study
        entry = record(ledger, folder).entry
        for file in ("polls.yaml", "poll.csv", "past/strikes.csv"):
            (folder / file).unlink()
        again = study_of(entry)
        assert again == study
        assert again.baselines == study.baselines
        assert again.baselines.rates == {"strikes": BaseRate(3, 4.0, 1), "vote": BaseRate(1, 730 / 365.25, 3)}
        assert entry.payload["history"] == {"past/strikes.csv": STRIKES, "poll.csv": POLL}
        assert entry.payload["file"] == STUDY
        assert entry.payload["study"] == study_json(study)
        assert "baselines" not in json.dumps(entry.payload["study"])
        assert read_study(ledger, "polls").outlook(date(2024, 6, 1)).final.sum() == pytest.approx(1.0)

    def test_the_readings_of_a_history_come_out_of_the_ledger(self, folder: Path) -> None:
        """In order; none for what is no measure."""
        study = study_of(record(MemoryLedger(ticking_clock()), folder).entry)
        readings = study.baselines.readings_of(study.by_id["support"])
        assert (len(readings), readings[0], readings[-1][0]) == (16, (date(2020, 1, 1), 50.0), date(2023, 7, 1))
        assert study.baselines.readings_of(study.by_id["strikes"]) == []

    def test_the_fit_is_frozen_as_plain_json(self, folder: Path) -> None:
        entry = record(MemoryLedger(ticking_clock()), folder).entry
        fit = entry.payload["fits"]["support"]
        assert set(entry.payload["fits"]) == {"support"}
        assert (fit["model"], fit["last_day"], fit["points"]) == ("local-level", "2023-07-01", 16)
        assert set(fit["parameters"]) == {"sigma2.irregular", "sigma2.level"}
        assert len(content_hash(entry.payload)) == 64

    def test_the_same_files_again_write_nothing(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Not even where the fit would now come out otherwise: what is recorded stays."""
        ledger = MemoryLedger(ticking_clock())
        record(ledger, folder)
        assert not record(ledger, folder).is_new
        monkeypatch.setattr(baseline, "_AT_REST", 1e-2)
        assert not record(ledger, folder).is_new

    def test_a_revision_keeps_the_fit_while_history_and_model_stay(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also where it would now come out otherwise; other rows or another model are fitted anew."""
        ledger = MemoryLedger(ticking_clock())
        first = record(ledger, folder).entry.payload["fits"]["support"]
        file = folder / "polls.yaml"
        file.write_text(STUDY.replace("down: -2.5", "down: -3"), encoding="utf-8")
        monkeypatch.setattr(baseline, "_AT_REST", 1e-2)
        fitted_now = read_study_files(file, file.read_bytes()).study.baselines.fits["support"]
        assert fitted_now.model_dump(mode="json") != first
        second = record(ledger, folder)
        assert (second.number, second.entry.payload["fits"]["support"]) == (2, first)
        (folder / "poll.csv").write_text(POLL + "2023-09-01,51\n", encoding="utf-8")
        assert record(ledger, folder).entry.payload["fits"]["support"]["points"] == 17
        file.write_text(STUDY.replace("local-level", "ar1"), encoding="utf-8")
        assert record(ledger, folder).entry.payload["fits"]["support"]["model"] == "ar1"

    def test_other_rows_are_another_revision_and_flagged(self, folder: Path) -> None:
        ledger = MemoryLedger(ticking_clock())
        record(ledger, folder)
        raw = {"indicator": "strikes", "observed": "2024-02-01"}
        workflow.log_report(ledger, "polls", raw, author="ana", today=date(2024, 7, 1), place=str)
        (folder / "past" / "strikes.csv").write_text(f"{STRIKES}2022-03-01,d\n", encoding="utf-8")
        done = record(ledger, folder)
        assert (done.is_new, done.number) == (True, 2)
        reading = read_study(ledger, "polls")
        assert reading.study.baselines.rates["strikes"].events == 4
        from forecast.revision import changes

        first, second = (study_of(entry) for entry in reading.known.revisions)
        assert changes(first, second) == ["history past/strikes.csv: other rows"]
        assert [flag for flag in reading.flags if flag.startswith('rows of "strikes" were changed')] == reading.flags
        assert len(reading.flags) == 1

    def test_a_study_without_its_histories_is_not_recorded(self, folder: Path) -> None:
        ledger = MemoryLedger(ticking_clock())
        study = read_study_files(folder / "polls.yaml", (folder / "polls.yaml").read_bytes()).study
        bare = Study.model_validate(study_json(study))
        with pytest.raises(NoHistoryError, match="strikes"):
            workflow.record_study(ledger, bare, content=study_json(bare), text=STUDY, file="polls.yaml", author="ana")
        assert ledger.studies() == []

    def test_a_study_without_baselines_is_recorded_as_before(self) -> None:
        from tests.small import new_ledger

        (entry,) = new_ledger().entries(study="port")
        assert set(entry.payload) == {"file", "study", "history"}
        assert entry.payload["history"] == {}


class TestCommands:
    @pytest.fixture
    def here(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.chdir(folder)
        return folder

    def test_check_add_and_show(self, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["study", "check", "polls.yaml"]) == 0
        assert run(["study", "add", "polls.yaml"]) == 0
        capsys.readouterr()
        assert run(["study", "show"]) == 0
        shown = " ".join(capsys.readouterr().out.split())
        for told in (
            "baseline past/strikes.csv, 2020-01-01 to 2023-12-31: 3 in 4.00 years, (3 + 1/2) / 4.00 = 0.875 a year; "
            "1 more lie outside these days and are not counted",
            "up 2.0 1.750 down 0.5 0.438",
            "baseline poll.csv, 16 readings up to 2023-07-01: local-level by days: sigma2.irregular",
            "log likelihood",
            "no sign that the errors hang together (Ljung-Box",
            "up +4.0 down -2.5",
        ):
            assert told in shown
        assert run(["status", "--as-of", "2024-06-01"]) == 0

    def test_check_names_the_faults_of_all_files(self, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (here / "poll.csv").write_text("date,value\n2023-01-01,x\n", encoding="utf-8")
        (here / "past" / "strikes.csv").write_text("day\n", encoding="utf-8")
        (here / "polls.yaml").write_text(STUDY.replace("down: 0.5}", "down: 0}"), encoding="utf-8")
        assert run(["study", "check", "polls.yaml"]) == 1
        told = capsys.readouterr().out.splitlines()
        assert [line.split("; ")[0] for line in told] == [
            "past/strikes.csv:1: there is no column date",
            'poll.csv:2: value: "x" is not a number',
            'polls.yaml:9:32: the multiplier of "down" is 0, and zero can never be undone (Cromwell\'s rule)',
        ]
        assert run(["study", "add", "polls.yaml"]) == 2
        assert capsys.readouterr().err.startswith("error: past/strikes.csv:1: there is no column date; name it")
        assert not (here / "forecast.db").exists()

    def test_a_start_does_not_load_statsmodels(self, here: Path) -> None:
        """Neither `log` nor `status`, of a study whose model was fitted; only `study add` does."""
        environment = {**os.environ, "FORECAST_AUTHOR": "ana"}

        def loaded(*arguments: str) -> list[str]:
            code = (
                "import sys; from forecast.cli.main import run; code = run(sys.argv[1:]); "
                "print(sorted({m.split('.')[0] for m in sys.modules} & {'statsmodels', 'scipy', 'pandas'}), "
                "file=sys.stderr); sys.exit(code)"
            )
            command = [sys.executable, "-c", code, *arguments]
            done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
            return done.stderr.strip().splitlines()[-1:]

        assert "statsmodels" in loaded("study", "add", "polls.yaml")[0]
        logged: Mapping[str, str] = {"--value": "52", "--on": "2024-02-01", "--grade": "B2"}
        assert loaded("log", "support", *(word for pair in logged.items() for word in pair)) == ["[]"]
        assert loaded("status", "--as-of", "2024-06-01") == ["[]"]
