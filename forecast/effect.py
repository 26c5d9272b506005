"""What one entry does to the probabilities: of one that is about to be written, and in words of one that was.

Only the indicators that it touches are worked out again, so that a preview keeps pace with typing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from forecast.display import number
from forecast.probability import Floats
from forecast.reading import Reading
from forecast.release import Released, release
from forecast.study import Study
from forecast.workflow import Tryout
from indicators.replay import Known

__all__ = ["Effect", "EffectLine", "effect", "leaning"]

_NOTHING = 1e-9


class EffectLine(NamedTuple):
    """A scenario before and after."""

    name: str
    before: float
    after: float

    @property
    def change(self) -> float:
        """What it gains."""
        return self.after - self.before


@dataclass(frozen=True)
class Effect:
    """The outlook without what is tried, and with it.

    Attributes
    ----------
    before, after : Released
    """

    before: Released
    after: Released

    @property
    def lines(self) -> list[EffectLine]:
        """The scenarios in file order."""
        names = (scenario.label for scenario in self.before.outlook.study.scenarios)
        finals = self.before.outlook.final.tolist(), self.after.outlook.final.tolist()
        return list(map(EffectLine, names, *finals))


def effect(reading: Reading, released: Released, tryout: Tryout, *, max_tlp: str | None = None) -> Effect:
    """What writing would do to the probabilities.

    Parameters
    ----------
    reading : Reading
        What may be shown of the study at present.
    released : Released
        Made from it, with nothing left out on request.
    tryout : Tryout
        Tried on `reading`.
    max_tlp : str, optional
        As for `Reading.released`; what is tried and marked above it does nothing to what is shown.
    """
    below = tryout.reading.within(max_tlp)
    touched = _touched(reading.known, below.known)
    outlook = released.outlook.with_log(below.log(only=touched), touched)
    after = release(outlook, released.provenance, flags=released.flags, max_tlp=max_tlp, at_least=reading.study_mark)
    return Effect(released, after)


def _touched(before: Known, after: Known) -> set[str]:
    """The indicators of every entry that is not the same in both."""
    pairs = ((before.logged.get(name), after.logged.get(name)) for name in {**before.logged, **after.logged})
    changed = [logged for old, new in pairs if old is not new for logged in (old, new) if logged is not None]
    return {logged.record.indicator for logged in changed}


def leaning(study: Study, log_likelihoods: Floats) -> str:
    """Under which scenario a report is likeliest, and by how much more than under the one where it is least so.

    Parameters
    ----------
    study : Study
    log_likelihoods : float array, shape (K,)
        l_r(k) of the report.
    """
    most, least = int(log_likelihoods.argmax()), int(log_likelihoods.argmin())
    ratio = float(log_likelihoods[most] - log_likelihoods[least])
    if ratio < _NOTHING:
        return "It is as likely under every scenario, and moves nothing by itself."
    names = study.scenarios[most].label, study.scenarios[least].label
    times = number(math.exp(ratio)) if ratio < 30 else "more than a million million"
    return f"It is {times} times as likely under “{names[0]}” as under “{names[1]}”."
