"""Judgements side by side: what is kept of them comes back, and a pool goes into a study as rows that sum to one."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.judged import OtherTableError, compared, given_rows, pool_as_typed
from forecast.study_file import read_study
from indicators.accounts import Judgement
from tests.small import STUDY, study_of_text


def test_one_judgement_is_its_own_pool() -> None:
    study = study_of_text()
    for indicator in study.indicators:
        rows = given_rows(study, indicator)
        found = compared(study, indicator, [Judgement("bo", rows, "")])
        assert found is not None
        assert np.allclose(found.pool, found.given[0])
        assert found.apart in (None, 0.0)
    assert compared(study, study.by_id["mood"], []) is None


def test_a_pool_of_probabilities_is_typed_as_rows_that_sum_to_one() -> None:
    study = study_of_text()
    pair = study, study.by_id["mood"]
    for row in ([1 / 3, 1 / 3, 1 / 3], [0.99998, 1e-5, 1e-5], [0.123456, 0.654321, 0.222223]):
        texts = pool_as_typed(pair, pair, np.array([row, row]))[0]
        assert sum(map(float, texts)) == pytest.approx(1.0, abs=1e-9)
        assert min(map(float, texts)) > 0.0
        assert np.allclose([float(text) for text in texts], row, atol=2e-4)


def test_rows_of_another_table_are_refused() -> None:
    study = study_of_text()
    mood = study.by_id["mood"]
    with pytest.raises(OtherTableError, match="open a new round"):
        compared(study, mood, [Judgement("bo", given_rows(study, study.by_id["gone"]), "")])
    other = read_study(STUDY.replace("hostile", "angry"), file="")
    with pytest.raises(OtherTableError, match='the table of "mood"'):
        pool_as_typed((study, mood), (other, other.by_id["mood"]), np.full((2, 3), 1 / 3))
