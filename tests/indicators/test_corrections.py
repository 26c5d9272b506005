"""The steps of a record's history."""

from __future__ import annotations

from forecast import workflow
from indicators.corrections import Changed, steps
from indicators.replay import replayed
from tests.small import SOUND, TODAY, cover, log, new_ledger, place


def test_each_step_tells_what_was_there_just_before() -> None:
    ledger = new_ledger()
    entry = log(ledger, SOUND["state"]).id
    for changes, why in (({"state": "tense", "note": "n"}, "misread"), ({"state": "hostile", "note": ""}, None)):
        workflow.amend(ledger, "port", entry, changes, why=why, author="bo", today=TODAY, place=place)
    workflow.retract(ledger, "port", entry, why="logged twice", author="cy")
    found = steps(replayed(ledger.entries()).logged[entry])
    assert [(step.entry, step.kind, step.author, step.why) for step in found] == [
        ("e3", "amend", "bo", "misread"),
        ("e4", "amend", "bo", ""),
        ("e5", "retract", "cy", "logged twice"),
    ]
    assert set(found[0].changes) == {Changed("state", "calm", "tense"), Changed("note", None, "n")}
    assert set(found[1].changes) == {Changed("state", "tense", "hostile"), Changed("note", "n", None)}
    assert found[2].changes == ()


def test_a_span_of_looking_has_its_steps_and_what_was_never_corrected_none() -> None:
    ledger = new_ledger()
    span, other = cover(ledger, "talks", "2024-02-01", "2024-02-20").id, log(ledger, SOUND["state"]).id
    workflow.amend(ledger, "port", span, {"detect": "0.5"}, why=None, author="bo", today=TODAY, place=place)
    known = replayed(ledger.entries())
    assert steps(known.logged[span])[0].changes == (Changed("detect", 1.0, 0.5),)
    assert steps(known.logged[other]) == []
