"""The rows of one indicator as a form: a table of numbers, each a field, and a word where one may stand for a row.

What is typed is put into the text of the study and that is checked as any study is, so a row in a form is refused for
what it would be refused for in a file, in the same words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from forecast.study import Study
from forecast.study_edit import NotEditableError, columns_of, row_places, rows_as_stated, with_rows, words_of
from forecast.study_file import examined
from forecast.telling import telling
from forecast.web.refusals import Refusal
from forecast.yaml_tree import Path, Position, Tree
from indicators.errors import sentence
from indicators.indicator import Indicator, StateIndicator

__all__ = ["Proposed", "Row", "RowsForm", "blank_rows", "filled_rows", "plain", "proposed", "stated_rows", "typed_rows"]

MOST_CELLS = 88
"""A form has at most a hundred fields."""


@dataclass(frozen=True)
class Row:
    """One row of the form.

    Attributes
    ----------
    name : str
        Of the row; its fields are `NAMEc0`, `NAMEc1`, ... and `NAMEw`, the word.
    keys : tuple of str
        Where it stands below the indicator.
    scenario, state : str
        What it is called; the state of the indicator it is given by, or empty.
    cells : tuple of str
        What is typed, in the order of the columns.
    word : str
    meant : tuple of str
        The numbers that the word stands for, where there is one.
    """

    name: str
    keys: tuple[str, ...]
    scenario: str
    state: str
    cells: tuple[str, ...]
    word: str = ""
    meant: tuple[str, ...] = ()

    @property
    def total(self) -> str:
        """The sum of the numbers, as the script shows it too; empty where one is missing."""
        try:
            return f"{sum(float(cell) for cell in self.cells):.6g}"
        except ValueError:
            return ""


@dataclass(frozen=True)
class RowsForm:
    """The form of one indicator.

    Attributes
    ----------
    indicator : Indicator
    columns, words : tuple of str
        What the numbers are; the words that may stand for a row, none where numbers alone will do.
    rows : tuple of Row
    refusal : Refusal
    """

    indicator: Indicator
    columns: tuple[str, ...]
    words: tuple[str, ...]
    rows: tuple[Row, ...]
    refusal: Refusal = field(default_factory=Refusal)

    @property
    def sums(self) -> bool:
        """Whether each row must sum to one."""
        return isinstance(self.indicator, StateIndicator)


def plain(x: float) -> str:
    """A number as one would type it."""
    return f"{x:.12g}"


def stated_rows(study: Study, indicator: Indicator) -> RowsForm:
    """The form with the rows as the study has them."""
    lines = telling(study, indicator).lines
    rows = [
        Row(
            f"r{n}",
            line.place.keys,
            line.scenario,
            line.place.state or "",
            ("",) * len(line.numbers) if line.word else (*map(plain, line.numbers),),
            line.word,
            (*map(plain, line.numbers),) if line.word else (),
        )
        for n, line in enumerate(lines)
    ]
    return _form(study, indicator, rows)


def filled_rows(study: Study, indicator: Indicator, cells: Sequence[Sequence[str]]) -> RowsForm:
    """The form with some numbers in it, in the order of `study_edit.row_places`."""
    names = {scenario.id: scenario.label for scenario in study.scenarios}
    rows = [
        Row(f"r{n}", place.keys, names[place.scenario], place.state or "", (*typed,))
        for n, (place, typed) in enumerate(zip(row_places(study, indicator), cells, strict=True))
    ]
    return _form(study, indicator, rows)


def blank_rows(study: Study, indicator: Indicator) -> RowsForm:
    """The form with nothing in it."""
    return filled_rows(study, indicator, [[""] * len(row) for row in rows_as_stated(study, indicator)])


def typed_rows(study: Study, indicator: Indicator, posted: Callable[[str], str]) -> RowsForm:
    """The form with what was typed; `posted` gives a field by its name."""
    form, refusal, rows = blank_rows(study, indicator), Refusal(), []
    for row in form.rows:
        cells = tuple(posted(f"{row.name}c{n}")[:80] for n in range(len(row.cells)))
        word = posted(f"{row.name}w")[:80] if form.words else ""
        if word and any(cells):
            refusal.add(row.name, "numbers and a word in one row", "give the numbers or the word, and empty the other")
        rows.append(Row(row.name, row.keys, row.scenario, row.state, cells, word))
    return RowsForm(indicator, form.columns, form.words, tuple(rows), refusal)


def _form(study: Study, indicator: Indicator, rows: Sequence[Row]) -> RowsForm:
    words = words_of(study, indicator)
    if len(rows) * (len(columns_of(indicator)) + bool(words)) > MOST_CELLS:
        raise NotEditableError(indicator.id)
    return RowsForm(indicator, columns_of(indicator), words, tuple(rows))


@dataclass(frozen=True)
class Proposed:
    """What a form makes of the text of a study.

    Attributes
    ----------
    form : RowsForm
        With what is wrong in it.
    text : str
        The study with the rows of the form.
    study : Study or None
        What that says, without its histories; None where it is refused.
    """

    form: RowsForm
    text: str
    study: Study | None


def proposed(text: str, form: RowsForm) -> Proposed:
    """Put what is typed into the text of a study, and check it as any study is."""
    rows = {row.keys: row.word if row.word else row.cells for row in form.rows}
    new, tree, path = with_rows(text, form.indicator.id, rows)
    found, refusal = examined(new, file=""), form.refusal
    names = _names(tree, path, form)
    for fault in found.faults:
        name = names.get(Position(fault.line, fault.column))
        if name:
            refusal.add(name, fault.what, fault.mend)
        else:
            refusal.others.append(sentence("", fault.what, fault.mend))
    return Proposed(form, new, None if refusal else found.study)


def _names(tree: Tree, path: Path, form: RowsForm) -> dict[Position, str]:
    """Which row or field stands at which place of the text."""
    names = {}
    for row in form.rows:
        place: Path = (*path, *row.keys)
        names[tree.value_place(place)] = row.name
        if not row.word and len(row.cells) == 1:
            names[tree.value_place(place)] = f"{row.name}c0"
        elif not row.word:
            keys: Sequence[str | int] = form.columns if form.columns == ("mean", "sd") else range(len(row.cells))
            names |= {tree.value_place((*place, key)): f"{row.name}c{n}" for n, key in enumerate(keys)}
    return names
