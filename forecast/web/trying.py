"""Trying and writing under the handling gate: previews of what is shown, and refusals that tell nothing of what is not.

What is tried is held against what may be shown; what is written, against all of the ledger. Where only the second is
refused, no more is told than that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from forecast.desk import TwinError
from forecast.effect import Effect, effect
from forecast.web.visit import Visit
from forecast.workflow import Tryout
from indicators.errors import WatchfloorError
from indicators.ledger import LedgerError

__all__ = ["PastError", "UnseenConflictError", "effect_of", "refuse_past", "written"]

T = TypeVar("T")


class PastError(WatchfloorError):
    """Something to be written from a page that shows what was known earlier."""

    def __init__(self) -> None:
        super().__init__("this page shows what was known earlier", mend="open the page of the present to write")


class UnseenConflictError(WatchfloorError):
    """Something that does not fit the ledger, for a reason that may not be shown."""

    def __init__(self) -> None:
        what = "it does not fit the ledger: something was logged meanwhile, or is marked above what is shown here"
        super().__init__(what, mend="open the page again; if it still does not fit, ask whoever may see all of it")


def refuse_past(visit: Visit) -> None:
    """Raises `PastError` where the address asks for what was known earlier."""
    if visit.known_at is not None:
        raise PastError


def effect_of(visit: Visit, tryout: Tryout) -> Effect:
    """What writing would do to the probabilities that are shown; raises where the gate shows none."""
    return effect(visit.shown, visit.released(without=()), tryout, max_tlp=visit.settings.max_tlp)


def written(visit: Visit, write: Callable[[], T], tried: Callable[[], object]) -> T:
    """What `write` returns; what refuses it is told as far as `tried`, on what may be shown, is refused as well."""
    try:
        return write()
    except LedgerError:
        raise
    except TwinError as error:
        if error.entry in visit.shown.known.logged:
            raise
        raise UnseenConflictError from None
    except WatchfloorError:
        if visit.settings.max_tlp is None:
            raise
        tried()
        raise UnseenConflictError from None
