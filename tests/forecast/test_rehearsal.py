"""A revision rehearsed is the revision recorded, and leaves no trace."""

from __future__ import annotations

from datetime import date

import pytest

from forecast.reading import read_study
from forecast.rehearsal import around_revision, common_day, moved, rehearsed, told_faults
from forecast.study_file import study_json
from tests.small import SOUND, STUDY, TODAY, head, log, new_ledger, record, study_of_text, ticking_clock

OTHER = STUDY.replace("[0.6, 0.3, 0.1]", "[0.5, 0.3, 0.2]")
NOW = ticking_clock()()


def test_what_is_rehearsed_is_what_is_recorded() -> None:
    ledger = new_ledger()
    for raw in SOUND.values():
        log(ledger, raw)
    before, study = head(ledger), study_of_text(OTHER)
    reading = read_study(ledger, "port")
    tried = rehearsed(reading, study, content=study_json(study), text=OTHER, author="ana", now=NOW)
    told = tried.released(TODAY, now=NOW, draws=100)
    assert head(ledger) == before
    record(ledger, OTHER)
    then = read_study(ledger, "port")
    real = then.released(TODAY, now=NOW, draws=100)
    assert told.outlook.final.tolist() == real.outlook.final.tolist()
    assert [flag[:20] for flag in told.flags] == [flag[:20] for flag in real.flags]
    was, now = around_revision(then, 2)
    assert was is not None
    assert was.released(TODAY, now=NOW, draws=100).outlook.final.tolist() == reading.outlook(TODAY).final.tolist()
    assert now.released(TODAY, now=NOW, draws=100).outlook.final.tolist() == real.outlook.final.tolist()
    assert around_revision(then, 1)[0] is None


def test_scenarios_that_come_and_go_have_one_number() -> None:
    text = STUDY.replace("strike", "lockout")
    ledger = new_ledger()
    before, study = read_study(ledger, "port"), study_of_text(text)
    after = rehearsed(before, study, content=study_json(study), text=text, author="ana", now=NOW)
    rows = moved(*(reading.released(TODAY, now=NOW, draws=100) for reading in (before, after)))
    assert [(row.id, row.before is None, row.after is None, row.change is None) for row in rows] == [
        ("settled", False, False, False),
        ("lockout", True, False, True),
        ("strike", False, True, True),
    ]


@pytest.mark.parametrize(
    ("horizon", "asked", "day"),
    [("2024-12-31", TODAY, TODAY), ("2024-03-01", TODAY, date(2024, 3, 1)), ("2023-06-30", TODAY, None)],
)
def test_the_nearest_day_on_which_both_are_open(horizon: str, asked: date, day: date | None) -> None:
    opens = "2023-01-01" if horizon < "2024" else "2024-01-01"
    other = STUDY.replace("horizon: 2024-12-31", f"horizon: {horizon}").replace("opens: 2024-01-01", f"opens: {opens}")
    assert common_day(study_of_text(), study_of_text(other), asked) == day


def test_faults_tell_nothing_of_what_is_withheld() -> None:
    ledger = new_ledger()
    log(ledger, SOUND["milestone"])
    secret = log(ledger, {**SOUND["state"], "tlp": "red"}).id
    text = STUDY.replace("hostile", "angry").replace("calm", "mild")
    text = text.replace("id: treaty", "id: pact")
    reading = read_study(ledger, "port")
    all_of_it = told_faults(study_of_text(text), reading, file="", max_tlp=None)
    told = [str(fault) for fault in told_faults(study_of_text(text), reading, file="", max_tlp="green")]
    assert any(secret in str(fault) for fault in all_of_it)
    assert not any(secret in line or "mood" in line for line in told)
    assert any("treaty" in line for line in told)
    assert any("marked above TLP:GREEN" in line for line in told)
