"""The last finished one for everybody, at once, while one thread works out the new one.

A board of ten thousand reports takes seconds to work out, and each entry calls for a new one. Whoever looks is shown
the last that was finished, which says what it is of; only who comes before there is any waits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["Fresh"]

T = TypeVar("T")


class Fresh(Generic[T]):
    """Values by key, each of which is made anew in the background when it is no longer current.

    Parameters
    ----------
    most : int
        How many are kept.

    Attributes
    ----------
    made : int
        How many values had to be made.
    changed : Condition
        Told whenever one was made.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.changed = threading.Condition()
        self._cells: dict[Hashable, _Cell[T]] = {}
        self.made = 0

    def __contains__(self, key: Hashable) -> bool:
        return key in self._cells

    def get(
        self, key: Hashable, make: Callable[[], T], *, is_current: Callable[[T], bool], may_serve: Callable[[T], bool]
    ) -> T:
        """The value of a key: the current one; else the last, where that may serve; else the one that is waited for.

        Parameters
        ----------
        make : callable
            Makes the value, in a thread of its own; one at a time for each key. What it raises, those who wait get.
        is_current, may_serve : callable
            Whether a value is still right; whether it may be shown although it is not.
        """
        with self.changed:
            cell = self._cell(key)
            last = cell.last
        if last is not None:
            if is_current(last):
                return last
            if may_serve(last):
                self._begun(cell, make)
                return last
        # What is at work may have been begun before that was there which is asked for; the one after it was not.
        turn, is_new = self._begun(cell, make)
        found = self._ended(cell, turn)
        return found if is_new or is_current(found) else self._ended(cell, self._begun(cell, make)[0])

    def _cell(self, key: Hashable) -> _Cell[T]:
        cell = self._cells.pop(key, None) or _Cell()
        self._cells[key] = cell  # the one asked for last stands last
        while len(self._cells) > self._most:
            del self._cells[next(iter(self._cells))]
        return cell

    def _begun(self, cell: _Cell[T], make: Callable[[], T]) -> tuple[int, bool]:
        """The turn that is at work, and whether it was begun by this."""
        with self.changed:
            is_new = cell.begun == cell.ended
            if is_new:
                cell.begun += 1
                threading.Thread(target=self._work, args=(cell, make), daemon=True).start()
            return cell.begun, is_new

    def _ended(self, cell: _Cell[T], turn: int) -> T:
        """What a turn, or a later one, made; waits for it."""
        with self.changed:
            self.changed.wait_for(lambda: cell.ended >= turn)
            if cell.last is None:
                raise cell.error or RuntimeError("nothing was made")
            return cell.last

    def _work(self, cell: _Cell[T], make: Callable[[], T]) -> None:
        made, error = None, None
        try:
            made = make()
        except Exception as raised:
            error = raised
        with self.changed:
            self.made += 1
            cell.last, cell.error = made, error
            cell.ended += 1
            self.changed.notify_all()


class _Cell(Generic[T]):
    def __init__(self) -> None:
        self.begun = self.ended = 0
        self.last: T | None = None
        self.error: Exception | None = None
