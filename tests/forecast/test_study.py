"""The study as numbers: priors, drift, rows, rates and values in the order of the file."""

from datetime import date
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pydantic import ValidationError

from forecast.study import (
    EQUIVALENT_SAMPLE_SIZE,
    Study,
    UnknownIndicatorError,
    measure_values,
    rates_per_year,
    state_rows,
)
from indicators.indicator import CountIndicator, MeasureIndicator, MilestoneIndicator, StateIndicator


def a_study(**changes: Any) -> Study:
    """A study of three scenarios and every kind, with a chain of two `given`; `changes` replace keys."""
    content: dict[str, Any] = {
        "study": "harbour",
        "opens": "2026-01-01",
        "horizon": "2026-12-31",
        "sources": {"Port authority": "A2"},
        "scenarios": [{"id": "b"}, {"id": "a"}, {"id": "c"}],
        "indicators": [
            {
                "id": "sign",
                "kind": "state",
                "states": ["off", "on"],
                "given": "tone",
                "persistence": "9 d",
                "likelihoods": {
                    "a": {"hostile": [0.1, 0.9], "calm": "unlikely"},
                    "b": {"calm": "very unlikely", "hostile": [0.3, 0.7]},
                    "c": {"calm": "likely", "hostile": "almost certain"},
                },
            },
            {
                "id": "talks",
                "kind": "state",
                "states": ["broken", "stalled", "moving"],
                "persistence": "60 d",
                "likelihoods": {"a": [0.1, 0.2, 0.7], "b": [0.2, 0.3, 0.5], "c": [0.6, 0.3, 0.1]},
            },
            {
                "id": "tone",
                "kind": "state",
                "states": ["calm", "hostile"],
                "given": "talks",
                "persistence": "30 d",
                "likelihoods": {
                    s: {"moving": [0.9, 0.1], "stalled": [0.5, 0.5], "broken": [0.2, 0.8]} for s in ("a", "b", "c")
                },
            },
            {"id": "ballot", "kind": "milestone", "rates": {"a": 0.5, "b": 1, "c": 2}},
            {"id": "walkouts", "kind": "count", "rates": {"c": 36.525, "b": 3.6525, "a": 365.25}},
            {
                "id": "wait",
                "kind": "measure",
                "values": {"c": {"mean": 3, "sd": 0.3}, "a": {"mean": 1, "sd": 0.1}, "b": {"mean": 2, "sd": 0.2}},
            },
        ],
    }
    return Study.model_validate(content | changes)


def state(study: Study, name: str) -> StateIndicator:
    indicator = study.indicator(name)
    assert isinstance(indicator, StateIndicator)
    return indicator


class TestPrior:
    def test_equal_where_none_is_given(self) -> None:
        assert_array_equal(a_study().prior, [1 / 3, 1 / 3, 1 / 3])

    def test_as_stated_in_file_order(self) -> None:
        study = a_study(scenarios=[{"id": "z", "prior": 0.7}, {"id": "a", "prior": 0.3}])
        assert study.scenario_ids == ("z", "a")
        assert_array_equal(study.prior, [0.7, 0.3])

    def test_is_not_made_to_sum_to_one(self) -> None:
        """What the analyst wrote is not changed behind his back; the check of the file allows 1e-6."""
        study = a_study(scenarios=[{"id": "a", "prior": 0.5}, {"id": "b", "prior": 0.5000001}])
        assert study.prior.sum() == pytest.approx(1.0000001, abs=1e-15)


class TestDrift:
    def test_without_drift_nothing_is_forgotten(self) -> None:
        assert a_study().daily_stay == 1.0

    @pytest.mark.parametrize(("half_life", "days"), [("1 d", 1), ("10 w", 70), ("2 m", 60.875), ("2 y", 730.5)])
    def test_half_is_left_after_a_half_life(self, half_life: str, days: float) -> None:
        stay = a_study(drift={"half_life": half_life}).daily_stay
        assert 0 < stay < 1
        assert stay**days == pytest.approx(0.5, rel=1e-12)

    def test_spec_formula(self) -> None:
        """SPEC 4.1: h = ln 2 / half-life in days, and the share that stays is e^(-h)."""
        assert a_study(drift={"half_life": "30 d"}).daily_stay == pytest.approx(np.exp(-np.log(2) / 30), rel=1e-15)


class TestStateRows:
    def test_flat(self) -> None:
        study = a_study()
        rows = state_rows(study, state(study, "talks"))
        assert rows.shape == (3, 1, 3)
        assert_array_equal(rows[:, 0], [[0.2, 0.3, 0.5], [0.1, 0.2, 0.7], [0.6, 0.3, 0.1]])

    def test_given_follows_the_states_of_the_other(self) -> None:
        """The order in which the file nests does not matter; that of the other's `states` does."""
        study = a_study()
        rows = state_rows(study, state(study, "tone"))
        assert rows.shape == (3, 3, 2)
        assert_array_equal(rows[0], [[0.2, 0.8], [0.5, 0.5], [0.9, 0.1]])

    def test_words_stand_for_the_last_state(self) -> None:
        study = a_study()
        rows = state_rows(study, state(study, "sign"))
        assert rows.shape == (3, 2, 2)
        assert_allclose(rows[0], [[0.875, 0.125], [0.3, 0.7]], rtol=1e-15)
        assert_allclose(rows[1], [[0.675, 0.325], [0.1, 0.9]], rtol=1e-15)
        assert_allclose(rows[2], [[0.325, 0.675], [0.03, 0.97]], rtol=1e-14)

    def test_words_are_those_of_the_scale(self) -> None:
        indicator = {"id": "i", "kind": "state", "states": ["no", "yes"]}
        tables = dict.fromkeys(("a", "b", "c"), "unlikely")
        study = a_study(words="phia", indicators=[{**indicator, "likelihoods": tables}])
        assert_allclose(state_rows(study, state(study, "i"))[:, 0, 1], [0.3, 0.3, 0.3], rtol=1e-15)

    def test_every_row_sums_to_one(self) -> None:
        study = a_study()
        for name in ("sign", "talks", "tone"):
            assert_allclose(state_rows(study, state(study, name)).sum(axis=2), 1, atol=1e-12)


class TestRatesAndValues:
    def test_rates_in_scenario_order(self) -> None:
        study = a_study()
        walkouts, ballot = study.indicator("walkouts"), study.indicator("ballot")
        assert isinstance(walkouts, CountIndicator)
        assert isinstance(ballot, MilestoneIndicator)
        assert_array_equal(rates_per_year(study, walkouts), [3.6525, 365.25, 36.525])
        assert_array_equal(rates_per_year(study, ballot), [1, 0.5, 2])

    def test_values_in_scenario_order(self) -> None:
        study = a_study()
        wait = study.indicator("wait")
        assert isinstance(wait, MeasureIndicator)
        means, sds = measure_values(study, wait)
        assert_array_equal(means, [2, 1, 3])
        assert_array_equal(sds, [0.2, 0.1, 0.3])


class TestChildren:
    @pytest.mark.parametrize(
        ("parent", "children"),
        [("talks", ["sign", "tone"]), ("tone", ["sign"]), ("sign", []), ("ballot", []), ("nobody", [])],
    )
    def test_direct_and_further_down_in_file_order(self, parent: str, children: list[str]) -> None:
        assert a_study().children_of(parent) == children


class TestGradeOf:
    @pytest.mark.parametrize(
        ("grade", "source", "counts"),
        [
            ("C3", "Port authority", "C3"),
            ("C3", None, "C3"),
            (None, "Port authority", "A2"),
            (None, "Somebody", "F6"),
            (None, None, "F6"),
            (None, "port authority", "F6"),
        ],
    )
    def test_own_then_source_then_unknown(self, grade: str | None, source: str | None, counts: str) -> None:
        assert a_study().grade_of(grade, source) == counts


class TestLookUp:
    def test_by_id_in_file_order(self) -> None:
        study = a_study()
        assert list(study.by_id) == ["sign", "talks", "tone", "ballot", "walkouts", "wait"]
        assert study.indicator("tone") is study.indicators[2]

    def test_unknown(self) -> None:
        with pytest.raises(UnknownIndicatorError, match=r'no indicator "talk" in the study; did you mean "talks"\?'):
            a_study().indicator("talk")

    def test_labels(self) -> None:
        study = a_study(scenarios=[{"id": "a", "name": "Settled"}, {"id": "b"}])
        assert (study.label, a_study(title="The harbour").label) == ("harbour", "The harbour")
        assert [scenario.label for scenario in study.scenarios] == ["Settled", "b"]
        assert study.indicator("talks").label == "talks"

    def test_days_count_from_opens(self) -> None:
        study = a_study()
        assert study.day_index(date(2026, 1, 1)) == 0
        assert study.day_index(date(2026, 3, 1)) == 59
        assert study.day_index(date(2025, 12, 31)) == -1


class TestRecord:
    def test_is_frozen(self) -> None:
        with pytest.raises(ValidationError, match="frozen"):
            a_study().title = "other"

    @pytest.mark.parametrize(
        "changes", [{"colour": "red"}, {"opens": "1 January 2026"}, {"tlp": "white"}, {"scenarios": [{"id": "a"}]}]
    )
    def test_refuses(self, changes: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            a_study(**changes)

    def test_sample_sizes_of_spec_2(self) -> None:
        assert EQUIVALENT_SAMPLE_SIZE == {"low": 4, "medium": 20, "high": 100}
