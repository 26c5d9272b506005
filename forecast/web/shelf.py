"""What has been worked out already: readings and outlooks by the state of the ledger, so that nothing is done twice.

Keys begin with the hash of the ledger's last entry. What is written changes it, so nothing here is ever out of date; a
second look at what has not changed costs no engine run. Whoever asks for what is being worked out waits for that.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

__all__ = ["Shelf"]

T = TypeVar("T")


class Shelf:
    """The values used last, by key.

    Parameters
    ----------
    most : int
        How many are kept.

    Attributes
    ----------
    made : int
        How many values had to be made.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._cells: OrderedDict[Hashable, _Cell] = OrderedDict()
        self.made = 0

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of a key; `make` makes it, once however many ask at the same time. What it raises is not kept."""
        cell = self._cell(key)
        with cell.lock:
            if not cell.is_made:
                cell.value, cell.is_made = make(), True
                self.made += 1
            return cast("T", cell.value)

    def renewed(self, key: Hashable, make: Callable[[T | None], T]) -> T:
        """The value of a key, made anew from the one that was there before; None where there was none."""
        cell = self._cell(key)
        with cell.lock:
            cell.value, cell.is_made = make(cell.value), True
            self.made += 1
            return cast("T", cell.value)

    def _cell(self, key: Hashable) -> _Cell:
        with self._lock:
            cell = self._cells.setdefault(key, _Cell())
            self._cells.move_to_end(key)
            while len(self._cells) > self._most:
                self._cells.popitem(last=False)
            return cell


class _Cell:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.is_made = False
        self.value: Any = None
