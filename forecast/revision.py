"""What may change between two revisions of a study, what did, and what changed after the evidence was in.

A revision may not take the ground from under what is logged: the states of an indicator with live reports stay, and so
does the indicator. Rows and rates may change, and every later outlook says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from pydantic import ValidationError

from forecast.baseline import Baselines, Fit
from forecast.study import Study
from indicators.coverage import Coverage
from indicators.entry import Entry
from indicators.errors import Fault
from indicators.evidence import Report
from indicators.indicator import Indicator, StateIndicator
from indicators.replay import Known, UnreadableEntryError

__all__ = ["changes", "late_changes", "revision_faults", "study_of"]

_JUDGEMENT = (
    *("states", "likelihoods", "rates", "values", "persistence", "given", "silence"),
    *("baseline", "multipliers", "shifts"),
)


def study_of(revision: Entry) -> Study:
    """The study that an entry recorded, with what its histories say.

    Raises
    ------
    UnreadableEntryError
        This version cannot read it.
    """
    try:
        study = Study.model_validate(revision.payload.get("study"))
        fits = {name: Fit.model_validate(fit) for name, fit in revision.payload.get("fits", {}).items()}
    except (ValidationError, AttributeError):
        raise UnreadableEntryError(revision, "it is not a study as this version knows it") from None
    return study.with_baselines(Baselines.of(study.indicators, revision.payload.get("history", {}), fits))


def revision_faults(new: Study, known: Known, *, file: str) -> list[Fault]:
    """Why a study may not follow what its ledger holds; empty when it may.

    Parameters
    ----------
    new : Study
        The revision to record.
    known : Known
        What the ledger holds of the study.
    file : str
        The study file's name, for the faults.
    """
    faults = []
    before = study_of(known.revisions[-1]).by_id if known.revisions else {}
    for indicator_id, records in _live(known).items():
        indicator = new.by_id.get(indicator_id)
        names = _some(records)
        if indicator is None:
            what = f'indicator "{indicator_id}" has live entries ({names}) and may not be dropped'
            faults.append(Fault(file, 0, 0, what, "keep it and mark it retired: true, or retract the entries"))
            continue
        reports = [(name, r) for name, r in records if isinstance(r, Report)]
        unfit = [*_lost_states(before.get(indicator_id), indicator, reports), *_unfit(indicator, reports)]
        faults += [Fault(file, 0, 0, what, mend) for what, mend in unfit]
    live = [named for records in _live(known).values() for named in records]
    early = [name for name, r in live if (r.from_ if isinstance(r, Coverage) else r.from_ or r.dated) < new.opens]
    late = [name for name, r in live if (r.from_ if isinstance(r, Coverage) else r.dated) > new.horizon]
    if early:
        what = f"{len(early)} live entries ({_names(early)}) are dated before it would open on {new.opens}"
        faults.append(Fault(file, 0, 0, what, "open it earlier, or retract them"))
    if late:
        what = f"{len(late)} live entries ({_names(late)}) are dated after its horizon {new.horizon}"
        faults.append(Fault(file, 0, 0, what, "move the horizon, or retract them"))
    return faults


def _lost_states(
    before: Indicator | None, indicator: Indicator, reports: list[tuple[str, Report]]
) -> Iterator[tuple[str, str]]:
    if not reports or not isinstance(before, StateIndicator) or not isinstance(indicator, StateIndicator):
        return
    lost = [state for state in before.states if state not in indicator.states]
    if lost:
        what = f'indicator "{indicator.id}" has live reports ({_names([name for name, _ in reports])}) and would lose '
        yield f"{what}the state {', '.join(lost)}", "keep its states, or retract the reports"


def _unfit(indicator: Indicator, reports: list[tuple[str, Report]]) -> Iterator[tuple[str, str]]:
    form = {"state": "state", "measure": "value"}.get(indicator.kind, "count")
    other_kind = [name for name, r in reports if _form_of(r) != form]
    if other_kind:
        what = f'indicator "{indicator.id}" would become a {indicator.kind}, which its live reports do not fit'
        yield f"{what} ({_names(other_kind)})", "keep its kind, or give the new one another id"
    spans = [name for name, r in reports if r.is_span]
    if indicator.kind == "milestone":
        numbers = [name for name, r in reports if r.is_span or r.count not in (None, 1)]
        if len({r.event_key or name for name, r in reports}) > 1:
            yield f'milestone "{indicator.id}" has live reports of several events', "keep it a count, or retract some"
        if numbers:
            what = f'milestone "{indicator.id}" has live reports of a number or over a span ({_names(numbers)})'
            yield what, "keep it a count, or retract them"
    if spans and indicator.kind == "count" and indicator.silence == "always":
        what = f'indicator "{indicator.id}" has counts over spans ({_names(spans)}), which silence: always counts again'
        yield what, "keep silence: covered, or retract them"


def _form_of(report: Report) -> str:
    """Which field carries what was seen; a report with neither state nor value counts."""
    if report.state is not None:
        return "state"
    return "value" if report.value is not None else "count"


def changes(old: Study | None, new: Study) -> list[str]:
    """What a revision changed, one line each, in words; the first revision has one line."""
    if old is None:
        return [f"first revision: {len(new.scenarios)} scenarios, {len(new.indicators)} indicators"]
    lines = []
    before, after = old.model_dump(mode="json"), new.model_dump(mode="json")
    for name in before:
        if name not in ("scenarios", "indicators") and before[name] != after[name]:
            lines.append(f"{name}: {_short(before[name])} -> {_short(after[name])}")
    for part in ("scenarios", "indicators"):
        lines += _part_changes(part[:-1], before[part], after[part])
    was, now = old.baselines.histories, new.baselines.histories
    lines += [f"history {name}: other rows" for name in now if name in was and was[name] != now[name]]
    return lines or ["nothing but comments or layout"]


def _part_changes(part: str, before: list[dict[str, object]], after: list[dict[str, object]]) -> Iterator[str]:
    old, new = {item["id"]: item for item in before}, {item["id"]: item for item in after}
    yield from (f"{part} {name}: new" for name in new if name not in old)
    yield from (f"{part} {name}: dropped" for name in old if name not in new)
    for name in new:
        if name in old:
            for key in new[name]:
                for place, was, now in _differences(key, old[name].get(key), new[name][key]):
                    yield f"{part} {name}: {place} {_short(was)} -> {_short(now)}"
    common_old, common_new = [n for n in old if n in new], [n for n in new if n in old]
    if common_old != common_new:
        yield f"{part}s: order changed"


def _differences(place: str, was: object, now: object) -> Iterator[tuple[str, object, object]]:
    """What differs, as deep inside tables as it can be named."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in [*was, *(key for key in now if key not in was)]:
            yield from _differences(f"{place} of {key}", was.get(key), now.get(key))
    elif was != now:
        yield place, was, now


def late_changes(known: Known, revisions: list[Study]) -> list[str]:
    """A flag for every indicator whose rows or rates changed after its first live report.

    Parameters
    ----------
    known : Known
        With at least one revision.
    revisions : list of Study
        The studies of `known.revisions`, in order.
    """
    flags = []
    for indicator_id, records in _live(known).items():
        logged = [known.logged[name].entry for name, record in records if isinstance(record, Report)]
        if not logged:
            continue
        first = min(logged, key=lambda entry: entry.seq)
        in_force = [r for entry, r in zip(known.revisions, revisions, strict=True) if entry.seq < first.seq]
        previous = in_force[-1] if in_force else revisions[0]
        for number, (entry, revision) in enumerate(zip(known.revisions, revisions, strict=True), start=1):
            if entry.seq > first.seq:
                if _judgement(previous, indicator_id) != _judgement(revision, indicator_id):
                    flags.append(
                        f'rows of "{indicator_id}" were changed on {entry.recorded_at[:10]} (revision {number}), '
                        f"after its first report {first.id}"
                    )
                previous = revision
    return flags


def _judgement(study: Study, indicator_id: str) -> dict[str, object] | None:
    indicator = study.by_id.get(indicator_id)
    if indicator is None:
        return None
    told = indicator.model_dump(include=set(_JUDGEMENT)) | {"history": study.baselines.history_of(indicator)}
    return told | {"words": study.words} if _has_words(indicator) else told


def _has_words(indicator: Indicator) -> bool:
    """Whether a word stands for a row, so that the scale of words is part of the rows."""
    rows = indicator.likelihoods.values() if isinstance(indicator, StateIndicator) else []
    return any(isinstance(item, str) for row in rows for item in (row.values() if isinstance(row, dict) else [row]))


def _live(known: Known) -> dict[str, list[tuple[str, Report | Coverage]]]:
    found: dict[str, list[tuple[str, Report | Coverage]]] = {}
    for logged in known.logged.values():
        if not logged.retracted:
            found.setdefault(logged.record.indicator, []).append((logged.entry.id, logged.record))
    return found


def _some(records: list[tuple[str, Report | Coverage]]) -> str:
    return _names([name for name, _ in records])


def _names(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _short(value: object) -> str:
    text = "nothing" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
