"""The next revision of a study in a browser: its text or one indicator's rows, what that would do, and recording it.

Nothing is recorded that was not previewed word for word, and nothing on top of a revision that its author has not seen.
The text names histories; the server opens no file for them, but takes those that the revision in force was recorded
with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from forecast.desk import SettledError
from forecast.line_diff import DiffLine, line_diff
from forecast.reading import Reading
from forecast.rehearsal import Moved, common_day, moved, rehearsed, told_faults
from forecast.release import Released
from forecast.revision import changes, study_of
from forecast.study import Study
from forecast.study_edit import NotEditableError
from forecast.study_file import study_json
from forecast.study_histories import revised
from forecast.web.rows import RowsForm, proposed, stated_rows, typed_rows
from forecast.web.visit import Visit, reads, writes
from forecast.workflow import RevisedSinceError, record_study
from forecast.yaml_tree import read_tree
from indicators.days import parse_day
from indicators.entry import Entry
from indicators.errors import Fault, FaultsError, WatchfloorError
from indicators.markings import exceeds

__all__ = ["ROUTES", "EarlierError", "file_name", "in_force", "is_withheld", "previewed", "shown_diff", "text_of"]

MOST_LINES = 1_500
LARGEST_TEXT = 900_000
"""In bytes; a request may have little more."""


class EarlierError(WatchfloorError):
    """A change asked for while looking at an earlier state of the ledger."""

    def __init__(self) -> None:
        super().__init__(
            "what was known earlier cannot be changed", where="known_at", mend="look at the study as it is"
        )


class TooLongError(WatchfloorError):
    """A study whose text does not fit into a form."""

    def __init__(self) -> None:
        what = f"the text of this study has more than {LARGEST_TEXT:,} bytes, too many for a page"
        super().__init__(what, mend="record its next revision with `forecast study add FILE`")


@dataclass(frozen=True)
class Preview:
    """What a revision would do.

    Attributes
    ----------
    seen : str
        The hash of the text it is of.
    changes : list of str
    refused : list of str
        Why it cannot be recorded; empty when it can.
    day : date or None
        The as-of day of the numbers.
    moved : list of Moved
    untold : str
        Why there are no numbers; empty when there are.
    flags : list of str
        What every later outlook would say that it does not say now.
    diff : list of DiffLine
    """

    seen: str
    changes: Sequence[str]
    refused: Sequence[str]
    day: date | None
    moved: Sequence[Moved]
    untold: str
    flags: Sequence[str]
    diff: Sequence[DiffLine]


@dataclass(frozen=True)
class Conflict:
    """Somebody recorded a revision meanwhile.

    Attributes
    ----------
    said : str
    theirs, yours : list of DiffLine
        From the one that was begun with to the one in force; from the one in force to what was typed.
    """

    said: str
    theirs: Sequence[DiffLine]
    yours: Sequence[DiffLine]


# What is in force


def in_force(visit: Visit) -> tuple[Reading, Entry, str]:
    """The study as it is now, with the entry and the text of the revision in force.

    Raises
    ------
    EarlierError
        The address asks for an earlier state.
    """
    if visit.known_at is not None:
        raise EarlierError
    revision = visit.shown.known.revisions[-1]
    return visit.reading, revision, text_of(revision)


def text_of(revision: Entry) -> str:
    """The text of a revision, with lines that end in one way."""
    return _plain_lines(str(revision.payload.get("file", "")))


def _plain_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def file_name(visit: Visit) -> str:
    """What the text is called in faults."""
    return f"{visit.study_id}.yaml"


def is_withheld(visit: Visit, revision: Entry) -> bool:
    """Whether a revision was marked above what may be shown."""
    level = visit.settings.max_tlp
    return level is not None and exceeds(study_of(revision).tlp, level)


def shown_diff(before: str, after: str) -> list[DiffLine]:
    """The lines that differ, as many as a page holds."""
    lines = line_diff(before, after)
    if len(lines) <= MOST_LINES:
        return lines
    return [*lines[:MOST_LINES], DiffLine("gap", None, None, f"{len(lines) - MOST_LINES:,} more lines")]


# Views


def edit(visit: Visit) -> Response:
    """The text of the study in force, to be changed."""
    _, revision, text = in_force(visit)
    if len(text.encode()) > LARGEST_TEXT:
        raise TooLongError
    return _editor(visit, text, revision)


def rows(visit: Visit) -> Response:
    """The rows of an indicator in force, to be changed."""
    _, revision, _ = in_force(visit)
    study = visit.shown.study
    try:
        form = stated_rows(study, study.indicator(visit.asked("indicator") or ""))
    except NotEditableError as error:
        return visit.see(visit.address("study/edit"), notice=f"{str(error)[0].upper()}{str(error)[1:]}.")
    return _rows_page(visit, form, revision.id)


def rows_typed(visit: Visit) -> Response:
    """What the rows of an indicator, as typed, would do."""
    _, revision, text = in_force(visit)
    study, base = visit.shown.study, visit.field("base")
    if base != revision.id:
        error = RevisedSinceError(visit.study_id, revision, len(visit.shown.known.revisions))
        form = typed_rows(study, study.indicator(visit.field("indicator")), visit.field)
        form.refusal.others.append(f"{error.what}; the numbers below are yours, beside what is in force now")
        return _rows_page(visit, form, revision.id, status=409)
    found = proposed(text, typed_rows(study, study.indicator(visit.field("indicator")), visit.field))
    if found.study is None:
        return _rows_page(visit, found.form, base, status=422)
    return previewed(visit, found.text, base)


def preview(visit: Visit) -> Response:
    """What a text would do."""
    return previewed(visit, _posted_text(visit), visit.field("base"))


def save(visit: Visit) -> Response:
    """Record a text as the next revision; one that was changed since its preview is previewed again."""
    text, base = _posted_text(visit), visit.field("base")
    reading, revision, _ = in_force(visit)
    if visit.field("seen") != _hash(text):
        return previewed(visit, text, base, said="The text has changed since its preview. This is what it does now.")
    if base != revision.id:
        return previewed(visit, text, base)
    try:
        study = _read(visit, text, reading.study)
        faults = told_faults(study, reading, file=file_name(visit), max_tlp=visit.settings.max_tlp)
        if faults:
            return previewed(visit, text, base)
        done = record_study(
            visit.ledger,
            study,
            content=study_json(study),
            text=text,
            file=file_name(visit),
            author=visit.person.name,
            based_on=base,
        )
    except (FaultsError, RevisedSinceError, SettledError):
        # Somebody wrote at the same moment; what is told of it goes through the gate.
        visit.forget()
        return previewed(visit, text, base)
    return visit.see(visit.address("study"), f"Revision {done.number} is recorded as {done.entry.id}.")


# A preview


def previewed(visit: Visit, text: str, base: str, *, said: str = "") -> Response:
    """The editor with what a text would do, or with why it cannot be read; for a base not in force, with both changes.

    Parameters
    ----------
    text : str
        With lines that end in LF.
    base : str
        The entry of the revision that it was made from.
    said : str
        A line above it.
    """
    reading, revision, now = in_force(visit)
    if base != revision.id:
        return _editor(visit, text, revision, status=409, conflict=_conflict(visit, base, text))
    if text == now:
        return _editor(visit, text, revision, said="The text is that of the revision in force: nothing would change.")
    try:
        study = _read(visit, text, reading.study)
    except FaultsError as error:
        return _editor(visit, text, revision, status=422, faults=error.faults)
    found = _preview(visit, text, study)
    return _editor(visit, text, revision, status=422 if found.refused else 200, preview=found, said=said)


def _preview(visit: Visit, text: str, study: Study) -> Preview:
    reading, revision, now = in_force(visit)
    refused = [str(f) for f in told_faults(study, reading, file="", max_tlp=visit.settings.max_tlp)]
    if reading.known.settled is not None:
        refused.append(str(SettledError(visit.study_id, reading.known.settled)))
    day, numbers, flags, untold = None, [], [], ""
    try:
        day = common_day(reading.study, study, _asked_day(visit))
        if day is None:
            untold = "The two have no day in common."
        elif not refused:
            before, after = visit.released(without=(), as_of=day), _rehearsed(visit, text, study, day)
            numbers = moved(before, after)
            flags = [flag for flag in after.flags if flag not in before.flags]
    except WatchfloorError as error:
        untold = str(error)
    return Preview(
        _hash(text),
        changes(reading.study, study),
        refused,
        day,
        numbers,
        untold,
        flags,
        [] if is_withheld(visit, revision) else shown_diff(now, text),
    )


def _rehearsed(visit: Visit, text: str, study: Study, day: date) -> Released:
    reading = visit.reading

    def make() -> Released:
        next_one = rehearsed(
            reading, study, content=study_json(study), text=text, author=visit.person.name, now=visit.now
        )
        return visit.gated(next_one, day)

    return visit.state.outlooks.get((reading.head.hash, "rehearsed", visit.study_id, _hash(text), day), make)


def _read(visit: Visit, text: str, before: Study) -> Study:
    """The study that the text states, with its histories; it is the one whose page this is."""
    study = revised(text, file=file_name(visit), before=before)
    if study.study != visit.study_id:
        place = read_tree(text, file="").value_place(("study",))
        what = f'this is the page of "{visit.study_id}", and the text is of "{study.study}"'
        mend = "write its id as it was; another study is recorded with `forecast study add FILE`"
        raise FaultsError([Fault(file_name(visit), place.line, place.column, what, mend)])
    return study


def _conflict(visit: Visit, base: str, text: str) -> Conflict:
    revisions = visit.shown.known.revisions
    begun = next((entry for entry in revisions if entry.id == base), None)
    error, now = RevisedSinceError(visit.study_id, revisions[-1], len(revisions)), text_of(revisions[-1])
    theirs = [] if begun is None or is_withheld(visit, begun) else shown_diff(text_of(begun), now)
    return Conflict(error.what, theirs, shown_diff(now, text))


def _asked_day(visit: Visit) -> date:
    text = visit.field("as_of")
    return min(parse_day(text), visit.today) if text else visit.as_of


def _posted_text(visit: Visit) -> str:
    return _plain_lines(str(visit.form.get("text", "")))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _editor(visit: Visit, text: str, revision: Entry, *, status: int = 200, **told: Any) -> Response:
    given: dict[str, Any] = {"faults": (), "preview": None, "conflict": None, "said": ""} | told
    return visit.page(
        "study-edit.html",
        page="study",
        status=status,
        text=text,
        base=revision.id,
        number=len(visit.shown.known.revisions),
        as_of=visit.field("as_of"),
        **given,
    )


def _rows_page(visit: Visit, form: RowsForm, base: str, *, status: int = 200) -> Response:
    number = len(visit.shown.known.revisions)
    return visit.page("study-rows.html", page="study", status=status, form=form, base=base, number=number)


ROUTES = [
    Route("/s/{study}/study/edit", reads(edit, role="lead"), methods=["GET"]),
    Route("/s/{study}/study/rows", reads(rows, role="lead"), methods=["GET"]),
    Route("/s/{study}/study/rows", writes(rows_typed, role="lead"), methods=["POST"]),
    Route("/s/{study}/study/preview", writes(preview, role="lead"), methods=["POST"]),
    Route("/s/{study}/study/save", writes(save, role="lead"), methods=["POST"]),
]
