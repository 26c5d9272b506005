"""What people do to a ledger in any order, against a model in plain Python: lists, dicts and the rules of SPEC 3.

The model knows nothing of entries, drafts or replaying. It says what must be refused, what must stand in the log at
any moment, and what stood there at every moment before.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from indicators.address import address_of
from indicators.coverage import coverage_content
from indicators.errors import WatchfloorError
from indicators.evidence import Report, report_content
from indicators.ledger import Head, Ledger
from indicators.opening import create_ledger, open_ledger
from indicators.replay import replayed
from tests import small
from tests.postgres import by_hand

Fields = dict[str, object]
DAYS = [str(date(2024, 2, 1) + timedelta(days=n)) for n in range(12)]
TITLES = ("The port", "The port, again", "Le port été 日本")
days = st.sampled_from(DAYS)
refs = st.sampled_from([None, None, "A", "B", "C"])
events = st.sampled_from([None, "vote", "other"])


@dataclass
class Standing:
    """What the model knows of one report or span of coverage."""

    fields: Fields
    is_retracted: bool = False


@dataclass
class Model:
    """What stands in the log, in the order of logging, and what cannot stand beside it."""

    logged: dict[str, Standing] = field(default_factory=dict)
    titles: list[str] = field(default_factory=list)
    refs: dict[str, str] = field(default_factory=dict)
    entries: int = 0

    def others(self, indicator: object, besides: str | None) -> list[Fields]:
        """What stands on an indicator."""
        standing = [(name, each.fields) for name, each in self.logged.items() if not each.is_retracted]
        return [fields for name, fields in standing if fields["indicator"] == indicator and name != besides]

    def allows(self, fields: Fields, besides: str | None = None) -> bool:
        """Whether a record may stand beside what stands."""
        others = self.others(fields["indicator"], besides)
        if self.refs.get(str(fields.get("ref")), besides) != besides:
            return False
        if fields["indicator"] == "treaty":
            event = fields.get("event")
            return all(event is not None and event == other.get("event") for other in others)
        if "from" not in fields:
            return True
        for other in others:
            is_pair_of_coverage = "count" not in fields and "count" not in other
            event = fields.get("event")
            is_same_event = event is not None and event == other.get("event")
            if "from" in other and not is_pair_of_coverage and not is_same_event and _overlap(fields, other):
                return False
        return True

    def log(self, name: str, fields: Fields) -> None:
        """Take in what was recorded under a name."""
        self.logged[name] = Standing(fields)
        self.take_ref(name)
        self.entries += 1

    def take_ref(self, name: str) -> None:
        """A ref belongs to the first that had it, for good."""
        ref = self.logged[name].fields.get("ref")
        if ref is not None:
            self.refs.setdefault(str(ref), name)

    def shown(self) -> tuple[object, ...]:
        """What must come out of the ledger."""
        logged = [(name, dict(each.fields), each.is_retracted) for name, each in self.logged.items()]
        return logged, list(self.titles), self.entries


def _overlap(one: Fields, other: Fields) -> bool:
    return str(one["from"]) <= str(other["to"]) and str(other["from"]) <= str(one["to"])


def shown_by(ledger: Ledger, until: datetime | None = None) -> tuple[object, ...]:
    """The same of a ledger, at the end or as it was."""
    known = replayed(ledger.entries(study="port", until=until))
    logged = []
    for name, each in known.logged.items():
        record = each.record
        content = report_content(record) if isinstance(record, Report) else coverage_content(record)
        logged.append((name, content, each.retracted))
    titles = [revision.payload["study"]["title"] for revision in known.revisions]
    return logged, titles, ledger.head(until=until).entries


class LedgerAgainstModel(RuleBasedStateMachine):
    """A ledger under a name, made by the first rule, and the model."""

    names = Bundle("names")

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name, self.model, self.to_let_go = name, Model(), ExitStack()
        self.past: list[tuple[datetime, tuple[object, ...], Head]] = []
        ticking = small.ticking_clock()

        def clock() -> datetime:
            self.now: datetime = ticking()
            return self.now

        self.clock = clock
        self.ledger = create_ledger(address_of(name), clock=clock)
        self.to_let_go.callback(lambda: self.ledger.close())
        self._revised(TITLES[0])

    def teardown(self) -> None:
        """Let go of the ledger."""
        self.to_let_go.close()

    def attempt(self, allowed: bool, change: Callable[[], str]) -> str | None:
        """Do it; where the model says no it has to be refused, and to leave everything as it was."""
        before = self.ledger.head()
        if allowed:
            return change()
        with pytest.raises(WatchfloorError):
            change()
        assert self.ledger.head() == before
        return None

    def log(self, fields: Fields) -> str | None:
        """Log a report or refuse it."""
        given = {name: value for name, value in fields.items() if value is not None}
        name = self.attempt(self.model.allows(given), lambda: small.log(self.ledger, given).id)
        if name is not None:
            self.model.log(name, given)
        return name

    @rule(target=names, day=days, state=st.sampled_from(["calm", "tense", "hostile"]), ref=refs)
    def log_state(self, day: str, state: str, ref: str | None) -> object:
        """A report of a state."""
        return self._named(self.log({"indicator": "mood", "observed": day, "state": state, "ref": ref}))

    @rule(target=names, first=days, last=days, count=st.integers(0, 3), event=events)
    def log_span(self, first: str, last: str, count: int, event: str | None) -> object:
        """A count over a span of days, which nothing else may cover."""
        first, last = sorted((first, last))
        return self._named(self.log({"indicator": "talks", "from": first, "to": last, "count": count, "event": event}))

    @rule(target=names, day=days, event=events)
    def log_milestone(self, day: str, event: str | None) -> object:
        """What happens once."""
        return self._named(self.log({"indicator": "treaty", "observed": day, "count": 1, "event": event}))

    @rule(target=names, first=days, last=days)
    def cover(self, first: str, last: str) -> object:
        """A span in which somebody looked."""
        first, last = sorted((first, last))
        fields: Fields = {"indicator": "talks", "from": first, "to": last, "detect": 1.0}
        name = self.attempt(self.model.allows(fields), lambda: small.cover(self.ledger, "talks", first, last).id)
        if name is not None:
            self.model.log(name, fields)
        return self._named(name)

    @rule(name=names, note=st.sampled_from([None, "seen", "été 日本"]), event=events, ref=refs)
    def amend(self, name: str, note: str | None, event: str | None, ref: str | None) -> None:
        """Correct one: its note, and what a report has besides."""
        was = self.model.logged[name]
        changes: Fields = {"note": note}
        if was.fields["indicator"] == "mood":
            changes["ref"] = ref
        elif "count" in was.fields:
            changes["event"] = event
        becomes = {key: value for key, value in (was.fields | changes).items() if value is not None}
        allowed = not was.is_retracted and becomes != was.fields and self.model.allows(becomes, besides=name)
        given = {key: "" if value is None else value for key, value in changes.items()}
        if self.attempt(allowed, lambda: small.amend(self.ledger, name, None, **given).id) is not None:
            was.fields = becomes
            self.model.take_ref(name)
            self.model.entries += 1

    @rule(name=names)
    def retract(self, name: str) -> None:
        """Withdraw one."""
        was = self.model.logged[name]
        if self.attempt(not was.is_retracted, lambda: small.retract(self.ledger, name).id) is not None:
            was.is_retracted = True
            self.model.entries += 1

    @rule(title=st.sampled_from(TITLES))
    def revise(self, title: str) -> None:
        """Record the study again; nothing is new where nothing has changed."""
        self._revised(title)

    @rule(days=st.lists(days, min_size=1, max_size=3), is_bad=st.booleans())
    def import_(self, days: list[str], is_bad: bool) -> None:
        """Import a file of reports with refs of their own, or none of it."""
        rows = [
            {"indicator": "mood", "observed": day, "state": "tense", "ref": f"{day}-{n}"} for n, day in enumerate(days)
        ]
        new = [row for row in rows if row["ref"] not in self.model.refs]
        bad = [{"indicator": "mood", "observed": "2024-02-30", "state": "calm", "ref": "bad"}] if is_bad else []
        content = small.csv_of([*rows, *bad])

        def change() -> str:
            self.imported = small.import_files(self.ledger, ("a.csv", content))
            return ""

        if self.attempt(not is_bad, change) is not None:
            assert self.imported.skipped == len(rows) - len(new)
            for name, row in zip(self.imported.entries, new, strict=True):
                self.model.log(name, dict(row))

    @rule(is_made=st.booleans())
    def reopen(self, is_made: bool) -> None:
        """Another program goes on."""
        self.ledger.close()
        self.ledger = (create_ledger if is_made else open_ledger)(address_of(self.name), clock=self.clock)

    @rule()
    def verify(self) -> None:
        """Every link holds, and every head that there ever was is still a link of the chain."""
        assert self.ledger.verify() is None
        hashes = [entry.hash for entry in self.ledger.entries()]
        for _, _, head in self.past:
            assert hashes[head.entries - 1] == head.hash

    @rule(data=st.data())
    def look_back(self, data: st.DataObject) -> None:
        """What was known at any moment before is known of it still."""
        moment, shown, head = data.draw(st.sampled_from(self.past))
        assert shown_by(self.ledger, moment) == shown
        assert self.ledger.head(until=moment) == head

    @invariant()
    def says_the_same(self) -> None:
        """What stands in the ledger is what stands in the model."""
        shown = self.model.shown()
        assert shown_by(self.ledger) == shown
        self.past.append((self.now, shown, self.ledger.head()))

    def _revised(self, title: str) -> None:
        recorded = small.record(self.ledger, small.STUDY.replace("title: The port", f"title: {title}"))
        assert recorded.is_new is (not self.model.titles or self.model.titles[-1] != title)
        if recorded.is_new:
            self.model.titles.append(title)
            self.model.entries += 1

    @staticmethod
    def _named(name: str | None) -> object:
        return multiple() if name is None else name


def trial(examples: int, steps: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def named(name: str, clear: Callable[[], object]) -> type[LedgerAgainstModel]:
    """The machine for a ledger of that name, which is cleared away before each run."""

    class Named(LedgerAgainstModel):
        def __init__(self) -> None:
            clear()
            super().__init__(name)

    return Named


def test_a_ledger_in_a_file_is_the_model(tmp_path: Path) -> None:
    path = tmp_path / "forecast.db"
    machine = named(str(path), lambda: path.unlink(missing_ok=True))
    run_state_machine_as_test(machine, settings=trial(40, 30))


def test_a_ledger_in_a_database_is_the_model(database: str) -> None:
    machine = named(database, lambda: by_hand(database, "DROP SCHEMA IF EXISTS watchfloor CASCADE"))
    run_state_machine_as_test(machine, settings=trial(10, 20))
