"""Many changes in three arrays against the same changes one by one."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.change import Change, Changes, consecutive

LENGTHS = [2, 0, 3, 1, 0]


def one_by_one() -> list[Change]:
    rng = np.random.default_rng(3)
    return [Change(np.sort(rng.choice(9, length, replace=False)), rng.normal(size=(length, 2))) for length in LENGTHS]


def assert_same(found: list[Change], wanted: list[Change]) -> None:
    assert [change.days.tolist() for change in found] == [change.days.tolist() for change in wanted]
    assert [change.added.tolist() for change in found] == [change.added.tolist() for change in wanted]


def test_they_come_out_as_they_went_in() -> None:
    """By number from either end, in turn, taken in any order, and joined."""
    plain = one_by_one()
    changes = Changes.of(plain, scenarios=2)
    assert len(changes) == 5
    assert_same(list(changes), plain)
    assert_same([changes[2], changes[-2], changes[-1]], [plain[2], plain[3], plain[4]])
    assert_same(list(changes.taken(np.array([3, 0, 1, 3]))), [plain[3], plain[0], plain[1], plain[3]])
    assert_same(list(Changes.joined([changes, Changes.of([], scenarios=2), changes])), plain + plain)


@pytest.mark.parametrize("number", [5, -6])
def test_there_is_none_past_either_end(number: int) -> None:
    with pytest.raises(IndexError):
        Changes.of(one_by_one(), scenarios=2)[number]


def test_totals_are_sums_over_the_days_and_nothing_where_nothing_changes() -> None:
    totals = Changes.of(one_by_one(), scenarios=2).totals
    np.testing.assert_allclose(totals, [change.added.sum(axis=0) for change in one_by_one()], rtol=0, atol=1e-15)
    assert Changes.of([], scenarios=2).totals.shape == (0, 2)


@pytest.mark.parametrize("size", range(1, 9))
def test_pieces_are_all_of_them_in_order_and_no_larger_than_asked(size: int) -> None:
    """But for one change that has more days than that."""
    pieces = list(Changes.of(one_by_one(), scenarios=2).pieces(size))
    assert_same([change for piece in pieces for change in piece], one_by_one())
    assert all(len(piece.days) <= size or len(piece) == 1 for piece in pieces)


def test_consecutive_numbers_of_runs_of_no_length() -> None:
    assert consecutive(np.array([4, 9, 1]), np.array([0, 2, 0])).tolist() == [9, 10]
    assert consecutive(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)).tolist() == []
