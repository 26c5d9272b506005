"""A backtest: what the engine would have said, day by day, from what the ledger held by then; and with other settings.

A replay by known-at stands, on each day, where `status --known-at DAY` stood at the end of it: the revision then in
force, the entries recorded by then, the world up to that day. A replay by as-of takes all that is known now and only
sets the world's clock back: what was logged late, dated back or revised since counts from the day it speaks of, so
that it is hindsight. Either way nobody said these numbers at the time, and whoever shows them has to say so.

Settings are compared on the same days and the same entries. Choosing the best of several by this table, and then
quoting its score, is fitting to the past; the table does not know how often it was looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Literal, NamedTuple

from forecast.outlook import Outlook
from forecast.past import Past, changes
from forecast.probability import Floats
from forecast.resolution import Resolution, resolution_of
from forecast.study import Drift, Study
from indicators.days import DurationError, duration_days, moment_text, parse_moment
from indicators.errors import WatchfloorError
from indicators.indicator import MeasureIndicator, StateIndicator
from indicators.replay import Known

__all__ = [
    "COLUMNS",
    "By",
    "NoPastError",
    "Setting",
    "SettingError",
    "backtest_rows",
    "changed_drift",
    "changed_grades",
    "changed_persistence",
    "replay",
    "replay_days",
    "settings_of",
]

COLUMNS = ("question", "forecaster", "date", "outcome", "probability", "resolution", "resolved_on")
"""Of the table: those that `forecast score TABLE.csv` reads."""

By = Literal["known-at", "as-of"]
NONE = "none"
_GRADE = re.compile(r"([A-F1-6])=([0-9]*\.?[0-9]+)")


class SettingError(WatchfloorError):
    """A setting that cannot be tried on this study."""


class NoPastError(WatchfloorError):
    """A replay of days on which the ledger knew nothing yet, or all it ever knew."""


@dataclass(frozen=True)
class Setting:
    """One way to set the engine, to be compared with the study as it stands.

    Attributes
    ----------
    name : str
        What it is called in the table; empty for the study as it stands.
    drift : str or None
        Half-life such as `1 y`, or `none`; None leaves the study's.
    persistence : mapping of str to str
        By indicator id, a duration or `none`.
    grades : mapping of str to float
        By letter or digit, over those of the study.
    """

    name: str = ""
    drift: str | None = None
    persistence: Mapping[str, str] = field(default_factory=dict)
    grades: Mapping[str, float] = field(default_factory=dict)

    def of(self, study: Study) -> Study:
        """The study with this setting; indicators that it does not have yet are passed over."""
        if not (self.drift or self.persistence or self.grades):
            return study
        content: dict[str, Any] = study.model_dump(exclude_unset=True)
        if self.drift is not None:
            content["drift"] = None if self.drift == NONE else Drift(half_life=self.drift)
        for indicator in content["indicators"]:
            held = self.persistence.get(indicator["id"])
            if held is not None:
                indicator["persistence"] = None if held == NONE else held
        content["grades"] = {**study.grades, **self.grades}
        return Study.model_validate(content).with_baselines(study.baselines)


def changed_drift(text: str) -> Setting:
    """The setting that `--drift` asks for: a half-life such as `1 y`, or `none`."""
    _check_duration(text, "--drift")
    return Setting(f"drift {text}", drift=text)


def changed_persistence(study: Study, text: str) -> Setting:
    """The setting that `--persistence` asks for: `INDICATOR=90 d`, `INDICATOR=none`, or `90 d` for all that have one.

    Raises
    ------
    UnknownIndicatorError, SettingError
        There is no such indicator, or it cannot have that persistence.
    """
    name, equals, held = text.rpartition("=")
    _check_duration(held, "--persistence")
    chosen = [study.indicator(name)] if equals else [i for i in study.indicators if _persists(i)]
    for indicator in chosen:
        if not _persists(indicator) and not (equals and _may_persist(indicator)):
            what = f'"{indicator.id}" is no indicator whose state or value lasts'
            raise SettingError(what, where="--persistence", mend="name a state, or a measure without a baseline")
        if held == NONE and study.children_of(indicator.id):
            what = f'"{indicator.id}" needs its persistence: {study.children_of(indicator.id)[0]} is given by it'
            raise SettingError(what, where="--persistence", mend="give a duration, like 90 d")
    if not chosen:
        what = "no indicator of the study has a persistence"
        raise SettingError(what, where="--persistence", mend="name one: INDICATOR=90d")
    return Setting(f"persistence {text}", persistence={indicator.id: held for indicator in chosen})


def changed_grades(text: str) -> Setting:
    """The setting that `--grades` asks for: `B=0.9` or several such, `B=0.9,2=0.8`."""
    found: dict[str, float] = {}
    for part in text.replace(" ", "").split(","):
        match = _GRADE.fullmatch(part)
        if match is None or not float(match[2]) < 1.0:
            mend = "write a letter A-F or digit 1-6 with a number from 0 to below 1, like B=0.9,2=0.8"
            raise SettingError(f'"{part}" is no grade and its worth', where="--grades", mend=mend)
        found[match[1]] = float(match[2])
    return Setting(f"grades {text}", grades=found)


def settings_of(
    study: Study, *, drift: Iterable[str] = (), persistence: Iterable[str] = (), grades: Iterable[str] = ()
) -> list[Setting]:
    """The study as it stands, and then every other setting asked for, each with that alone changed.

    Raises
    ------
    UnknownIndicatorError, SettingError
        There is no such indicator, or a setting cannot be tried on this study.
    """
    return [
        Setting(),
        *(changed_drift(text) for text in drift),
        *(changed_persistence(study, text) for text in persistence),
        *(changed_grades(text) for text in grades),
    ]


def _check_duration(text: str, option: str) -> None:
    try:
        if text != NONE:
            duration_days(text)
    except DurationError:
        mend = "write a number and d, w, m or y, like 90d, or none"
        raise SettingError(f'"{text}" is neither a duration nor none', where=option, mend=mend) from None


def _may_persist(indicator: object) -> bool:
    return isinstance(indicator, StateIndicator) or (
        isinstance(indicator, MeasureIndicator) and indicator.baseline is None
    )


def _persists(indicator: object) -> bool:
    return isinstance(indicator, StateIndicator | MeasureIndicator) and indicator.persistence is not None


# The replay


def replay_days(
    known: Known, study: Study, *, first: date | None, last: date | None, every: int, today: date, by: By
) -> list[date]:
    """The days of a replay, in order.

    Parameters
    ----------
    known : Known
        All that the ledger holds of the study.
    study : Study
        The revision in force.
    first, last : date, optional
        Left out: from the first day on which there is anything to say, to the last day before the question was settled,
        or its horizon, or today.
    every : int
        Days from one to the next; at least 1.
    today : date
    by : str

    Raises
    ------
    NoPastError
        By known-at, where all that is known was recorded on one day; or where no day is left.
    """
    mend = "`--by as-of` goes by the days of observation instead, which is hindsight"
    moments = sorted({change.recorded_at[:10] for change in changes(known)})
    began = date.fromisoformat(moments[0])
    if by == "known-at" and len(moments) == 1:
        what = f"all {len(changes(known))} entries were recorded on {began}, so known-at has no past to replay"
        raise NoPastError(what, where="the ledger", mend=mend)
    start = study.opens if by == "as-of" else max(study.opens, began)
    settled = resolution_of(known)
    end = min(today, study.horizon, settled.on - timedelta(days=1) if settled and settled.on else date.max)
    low, high = max(first or start, start), min(last or end, end)
    if low > high:
        asked = f"from {first or start} to {last or end}"
        what = f"nothing can be replayed {asked}: it can be from {start} to {end}"
        raise NoPastError(what, where="--from", mend=mend if by == "known-at" else "give days within that")
    return [low + timedelta(days=n) for n in range(0, (high - low).days + 1, every)]


def replay(
    known: Known,
    days: Sequence[date],
    *,
    by: By = "known-at",
    setting: Setting | None = None,
    silenced: Iterable[str] = (),
) -> Iterator[tuple[date, Study, Floats]]:
    """Day by day: the study then in force, with the setting, and its probabilities, shape (K,).

    Parameters
    ----------
    known : Known
        What the ledger holds of the study, less what is to be left out.
    days : sequence of date
        In order. One on which the study then in force was not open is passed over.
    by : str
        `known-at` or `as-of`.
    setting : Setting, optional
    silenced : iterable of str
        Indicators left out altogether.
    """
    past, coming = Past(), changes(known)
    study, taken, quiet = None, 0, tuple(silenced)
    for day in days:
        moment = moment_text(parse_moment(day.isoformat()))
        while taken < len(coming) and (by == "as-of" or coming[taken].recorded_at <= moment):
            past.take(coming[taken])
            study = None if coming[taken].revision else study
            taken += 1
        if past.revision is None:
            continue
        study = study or (setting or Setting()).of(past.study())
        if study.opens <= day <= study.horizon:
            yield day, study, Outlook(study, past.log(study, silenced=quiet), day).final


class Row(NamedTuple):
    """One line of the table, in the order of `COLUMNS`; what is not known yet is empty."""

    question: str
    forecaster: str
    date: str
    outcome: str
    probability: float
    resolution: str
    resolved_on: str


def backtest_rows(
    known: Known,
    days: Sequence[date],
    settings: Sequence[Setting],
    *,
    by: By = "known-at",
    silenced: Iterable[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Row]:
    """The table of what would have been said, forecaster by forecaster, day by day, scenario by scenario.

    Parameters
    ----------
    known, days, by, silenced
        As for `replay`.
    settings : sequence of Setting
        Each is a forecaster of its own, called a replay by name.
    progress : callable, optional
        Told how many outlooks are made, and of how many.
    """
    settled = _settled(resolution_of(known))
    total = len(settings) * len(days)
    for number, setting in enumerate(settings):
        name = forecaster_name(setting, by)
        for place, (day, study, final) in enumerate(replay(known, days, by=by, setting=setting, silenced=silenced)):
            for scenario, p in zip(study.scenario_ids, final.tolist(), strict=True):
                yield Row(study.study, name, day.isoformat(), scenario, p, *settled)
            if progress:
                progress(number * len(days) + place + 1, total)


def forecaster_name(setting: Setting, by: By) -> str:
    """What the table calls it: never without the word replay, nor, where it is hindsight, without that."""
    name = "watchfloor replay" if by == "known-at" else "watchfloor replay in hindsight"
    return f"{name}, {setting.name}" if setting.name else name


def _settled(resolution: Resolution | None) -> tuple[str, str]:
    if resolution is None:
        return "", ""
    return ("void", "") if resolution.is_void else (resolution.scenario or "", str(resolution.on))
