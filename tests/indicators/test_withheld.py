from collections.abc import Mapping
from datetime import date

import pytest

from indicators.attachment import Attachment, attachment_list
from indicators.coverage import Coverage
from indicators.entry import Draft, sealed
from indicators.evidence import Report
from indicators.replay import Known, Logged, replayed
from indicators.withheld import WITHHELD, within

FILE = Attachment("ab" * 32, "page.pdf", 12)
REPORT = {"indicator": "mood", "observed": "2024-02-01", "state": "calm"}


def known(*lines: tuple[str, Mapping[str, object]]) -> Known:
    return replayed(
        sealed(Draft(author=f"author-{n}", study="s", kind=kind, payload=payload), seq=n, recorded_at="", prev="")
        for n, (kind, payload) in enumerate(lines, start=1)
    )


def amber_by_default(_: Logged, own: str | None) -> str:
    return own or "amber"


def amend(entry: str, **fields: object) -> tuple[str, dict[str, object]]:
    return "amend", {"entry": entry, "set": fields}


def left(found: Known, most: str) -> list[str]:
    return list(within(found, most, amber_by_default).logged)


def test_entries_above_the_level_are_gone_with_their_corrections_and_refs() -> None:
    found = known(
        ("evidence", REPORT | {"tlp": "green", "ref": "a"}),
        ("evidence", REPORT | {"tlp": "red", "ref": "b"}),
        amend("e2", note="more"),
        ("evidence", REPORT | {"ref": "c"}),
        ("coverage", {"indicator": "mood", "from": "2024-02-01", "to": "2024-02-02"}),
    )
    assert left(found, "green") == ["e1"]
    assert left(found, "amber") == ["e1", "e4", "e5"], "what gives no mark has the default, coverage always"
    assert left(found, "red") == ["e1", "e2", "e4", "e5"]
    assert within(found, "green", amber_by_default).refs == {"a": "e1"}


@pytest.mark.parametrize("last", [amend("e1", tlp="red"), amend("e1", tlp=None)])
def test_a_mark_that_was_raised_counts(last: tuple[str, dict[str, object]]) -> None:
    assert left(known(("evidence", REPORT | {"tlp": "clear"}), last), "green") == []


def test_what_is_retracted_goes_by_its_mark_too() -> None:
    found = known(("evidence", REPORT | {"tlp": "red"}), ("retract", {"entry": "e1", "why": "secret"}))
    assert left(found, "green") == []


def test_of_a_lowered_entry_only_what_followed_is_left() -> None:
    first = REPORT | {"tlp": "red", "note": "raw", "ref": "mole", "attachments": attachment_list((FILE,))}
    clean = amend("e1", tlp="green", note="clean", ref="wire", author="cy")
    found = known(("evidence", first), amend("e1", note="rawer"), clean, amend("e1", grade="B2"))
    whole = within(found, "red", amber_by_default)
    assert whole.logged == found.logged
    low = within(found, "green", amber_by_default)
    entry = low.logged["e1"]
    assert entry.record == entry.first == Report(
        indicator="mood", observed=date(2024, 2, 1), state="calm", note="clean", ref="wire", author="cy", grade="B2",
        tlp="green",
    )  # fmt: skip
    assert [correction.id for correction in entry.corrections] == ["e4"]
    assert entry.entry.author == "cy"
    assert low.refs == {"wire": "e1"}


def test_between_two_strict_marks_nothing_is_told() -> None:
    found = known(
        ("evidence", REPORT | {"tlp": "clear", "note": "a"}), amend("e1", tlp="red", note="b"), amend("e1", note="c"),
        amend("e1", tlp="green", note="d"),
    )  # fmt: skip
    entry = within(found, "green", amber_by_default).logged["e1"]
    assert entry.corrections == ()
    assert isinstance(entry.first, Report)
    assert entry.first.note == "a"


def test_who_wrote_what_is_withheld_is_not_named() -> None:
    found = known(("evidence", REPORT | {"tlp": "red"}), amend("e1", tlp="green"))
    assert within(found, "green", amber_by_default).logged["e1"].entry.author == WITHHELD


def test_coverage_has_the_default_and_stays_as_it_is() -> None:
    found = known(("coverage", {"indicator": "mood", "from": "2024-02-01", "to": "2024-02-02"}))
    entry = within(found, "amber", amber_by_default).logged["e1"]
    assert isinstance(entry.record, Coverage)
    assert entry == found.logged["e1"]
