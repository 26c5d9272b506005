"""What an import knows of a log is what the log says, whatever was corrected, though most of it is kept as digests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import forecast.settling as settling
import forecast.workflow as workflow
from forecast.revision import study_of
from indicators.admission import report_conflicts
from indicators.entry import Draft, Entry
from indicators.errors import WatchfloorError
from indicators.evidence import Report, read_report, report_content
from indicators.indicator import Indicator
from indicators.ledger import Ledger
from indicators.register import Register, digest, registered
from indicators.replay import Known, UnreadableEntryError, content_key, replayed
from tests.small import STUDY, TODAY, amend, cover, log, new_ledger, place, record, retract, steady

SPAN = {"indicator": "talks", "from": "2024-02-01", "to": "2024-02-10"}


def indicators_of(entry: Entry) -> Mapping[str, Indicator]:
    return study_of(entry).by_id


def register_of(ledger: Ledger) -> Register:
    return registered(ledger.entries, indicators_of)


def conflicts(ledger: Ledger, **fields: object) -> list[str]:
    """What speaks against a further report, by the register."""
    report, problems = read_report({name.rstrip("_"): value for name, value in fields.items()})
    assert report is not None, problems
    found = register_of(ledger)
    assert found.revision is not None
    indicator = indicators_of(found.revision)[report.indicator]
    return [problem.what for problem in report_conflicts(report, indicator, found.standing.others(report))]


def test_a_retracted_report_no_longer_stands() -> None:
    ledger = new_ledger()
    entry = log(ledger, {"indicator": "treaty", "observed": "2024-02-01"})
    assert "has happened already, by e2" in conflicts(ledger, indicator="treaty", observed="2024-03-01")[0]
    retract(ledger, entry.id)
    assert conflicts(ledger, indicator="treaty", observed="2024-03-01") == []


def test_a_report_that_becomes_one_that_matters_is_found() -> None:
    ledger = new_ledger()
    entry = log(ledger, {"indicator": "mood", "observed": "2024-02-01", "state": "calm"})
    amend(ledger, entry.id, indicator="treaty", state="")
    assert "has happened already, by e2" in conflicts(ledger, indicator="treaty", observed="2024-03-01")[0]
    day = log(ledger, {"indicator": "talks", "observed": "2024-02-01"})
    amend(ledger, day.id, observed="", from_="2024-02-01", to="2024-02-10")
    assert "overlaps that of e4" in conflicts(ledger, indicator="talks", from_="2024-02-10", to="2024-02-11")[0]


def test_a_report_that_no_longer_matters_is_forgotten() -> None:
    ledger = new_ledger()
    span = log(ledger, SPAN)
    amend(ledger, span.id, observed="2024-02-01", from_="", to="")
    assert conflicts(ledger, indicator="talks", from_="2024-02-10", to="2024-02-11") == []


def test_coverage_stands_in_the_way_of_spans() -> None:
    ledger = new_ledger()
    cover(ledger, "talks", "2024-02-01", "2024-02-10")
    assert "overlaps the coverage e2" in conflicts(ledger, indicator="talks", from_="2024-02-10", to="2024-02-11")[0]


def test_a_count_that_becomes_a_milestone_in_a_later_revision() -> None:
    ledger = new_ledger()
    log(ledger, {"indicator": "talks", "observed": "2024-02-01"})
    changed = STUDY.replace("  - id: talks\n    kind: count\n    unit: round\n", "  - id: talks\n    kind: milestone\n")
    assert record(ledger, changed).is_new
    assert "has happened already, by e2" in conflicts(ledger, indicator="talks", observed="2024-03-01")[0]


@pytest.mark.parametrize(
    ("kind", "payload", "why"),
    [
        ("evidence", {}, "its ref or its indicator is not a text"),
        ("evidence", {"indicator": "mood", "ref": 5}, "its ref or its indicator is not a text"),
        ("evidence", {"indicator": "talks", "to": "x"}, "its evidence payload cannot be read .the field to.;"),
        ("coverage", {"indicator": "talks"}, "its coverage payload cannot be read .the field from.;"),
        ("amend", {"entry": "e1"}, "it names no changes"),
    ],
)
def test_what_no_version_of_ours_wrote_is_named(kind: str, payload: dict[str, Any], why: str) -> None:
    ledger = new_ledger()
    ledger.append(lambda _: [Draft(author="eve", study="port", kind=kind, payload=payload)])
    with pytest.raises(UnreadableEntryError, match=why):
        register_of(ledger)


def test_it_knows_what_closed_the_study_and_that_it_was_undone() -> None:
    ledger = new_ledger()
    assert register_of(ledger).settled is None
    settled = settling.resolve(ledger, "port", "strike", on=date(2024, 5, 1), author="ana", today=TODAY)
    found = register_of(ledger).settled
    assert found is not None
    assert found.id == settled.entry
    settling.undo_resolution(ledger, "port", why="x", author="ana")
    assert register_of(ledger).settled is None


def test_publications_are_passed_over() -> None:
    ledger = new_ledger()
    ledger.append(lambda _: [Draft(author="ana", study="port", kind="publish", payload={})])
    assert register_of(ledger).revision is not None


# Against the whole log


REPORTS = st.fixed_dictionaries(
    {"indicator": st.sampled_from(["mood", "talks", "treaty", "wait"])},
    optional={
        "observed": st.sampled_from(["2024-01-01", "2024-02-01", "2024-02-05"]),
        "state": st.just("calm"),
        "value": st.just("1.5"),
        "from": st.sampled_from(["2024-02-01", "2024-02-05", "2024-02-11"]),
        "to": st.sampled_from(["2024-02-05", "2024-02-10", "2024-02-11"]),
        "event": st.sampled_from(["x", "y"]),
        "ref": st.sampled_from(["A", "B", "C"]),
    },
)
SPANS = st.tuples(*[st.sampled_from(["2024-02-01", "2024-02-04", "2024-02-08", "2024-02-12"])] * 2)
ENTRIES = st.sampled_from([f"e{n}" for n in range(2, 9)])
ACTS = st.one_of(
    st.tuples(st.just("log"), REPORTS),
    st.tuples(st.just("cover"), SPANS),
    st.tuples(st.just("amend"), st.tuples(ENTRIES, REPORTS)),
    st.tuples(st.just("retract"), ENTRIES),
    st.tuples(st.just("revise"), st.booleans()),
)
AS_MILESTONE = STUDY.replace(
    "  - id: talks\n    kind: count\n    unit: round\n", "  - id: talks\n    kind: milestone\n"
)


def do(ledger: Ledger, act: str, what: Any) -> None:
    if act == "log":
        log(ledger, what)
    elif act == "cover":
        cover(ledger, "talks", *sorted(what))
    elif act == "amend":
        changes = {"observed": "", "from": "", "to": "", "state": "", "value": "", **what[1]}
        workflow.amend(ledger, "port", what[0], changes, why=None, author="bo", today=TODAY, place=place)
    elif act == "retract":
        retract(ledger, what)
    else:
        record(ledger, AS_MILESTONE if what else STUDY)


def against_all(known: Known, report: Report, indicators: Mapping[str, Indicator]) -> list[str]:
    """What speaks against a report, given everything that stands on its indicator."""
    logged = [(name, item.record) for name, item in known.logged.items() if not item.retracted]
    others = [(name, other) for name, other in logged if other.indicator == report.indicator]
    return [problem.what for problem in report_conflicts(report, indicators[report.indicator], others)]


@settings(steady, max_examples=150)
@given(st.lists(ACTS, max_size=14), st.lists(REPORTS, min_size=1, max_size=6))
def test_the_register_says_what_the_whole_log_says(acts: list[tuple[str, Any]], asked: list[dict[str, str]]) -> None:
    ledger = new_ledger()
    for act, what in acts:
        try:
            do(ledger, act, what)
        except WatchfloorError:
            continue
    known, found = replayed(ledger.entries()), register_of(ledger)
    assert found.revision == known.revisions[-1]
    assert found.refs == {digest(ref) for ref in known.refs}
    entries = list(ledger.entries())
    stages = [replayed(entries[:length]).logged.values() for length in range(1, len(entries) + 1)]
    ever = [item.record for stage in stages for item in stage if isinstance(item.record, Report)]
    assert found.contents == {digest(content_key(report_content(record))) for record in ever if not record.ref}
    indicators = indicators_of(found.revision)
    for raw in asked:
        report, _ = read_report(raw)
        assert report is not None
        told = report_conflicts(report, indicators[report.indicator], found.standing.others(report))
        assert bool(told) == bool(against_all(known, report, indicators)), (raw, told)


def test_what_is_held_against_a_report_stays_little() -> None:
    ledger = new_ledger()
    treaty = {"indicator": "treaty", "observed": "2024-02-01", "event": "signing"}
    for n in range(30):
        log(ledger, {**treaty, "source": f"Wire {n}"})
        log(ledger, {"indicator": "talks", "from": date(2024, 1, 1 + n).isoformat(), "to": f"2024-01-{1 + n:02}"})
    found = register_of(ledger)
    for raw in ({**treaty, "source": "Paper"}, {"indicator": "talks", "from": "2024-01-05", "to": "2024-01-06"}):
        report, _ = read_report(raw)
        assert report is not None
        assert len(list(found.standing.others(report))) <= 2
