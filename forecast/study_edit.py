"""Other numbers for the rows of one indicator, put into the text of its study file; everything else to the letter.

Comments, order and layout are the analyst's own, so the text is not written anew: where the numbers stand is looked up,
and only they are taken out and others put in. What is put in is what was typed. Whether it is sense is for the reader
of study files to say, at the line and column where it then stands.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from forecast.study import Study, measure_values, state_rows
from forecast.words import SCALES
from forecast.yaml_tree import Path, Tree, read_tree
from indicators.errors import WatchfloorError
from indicators.indicator import Indicator, MeasureIndicator, StateIndicator

__all__ = ["NotEditableError", "RowPlace", "columns_of", "row_places", "rows_as_stated", "with_rows", "words_of"]

_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_PLAIN_WORD = re.compile(r"[a-z]+( [a-z]+)*")


class NotEditableError(WatchfloorError):
    """Rows that do not stand in the study file as this room would change them."""

    def __init__(self, indicator: str) -> None:
        what = f'the rows of "{indicator}" cannot be changed in a form'
        super().__init__(what, mend="change them in the text of the study")


@dataclass(frozen=True)
class RowPlace:
    """Which row of an indicator's table this is.

    Attributes
    ----------
    scenario : str
        Its id.
    state : str or None
        Of the indicator that the rows are given by; None where there is none.
    keys : tuple of str
        Where it stands below the indicator in the study file: the table's name, the scenario, the state.
    """

    scenario: str
    state: str | None
    keys: tuple[str, ...]


def row_places(study: Study, indicator: Indicator) -> list[RowPlace]:
    """Every row of an indicator's table, in file order of scenarios and states."""
    if not isinstance(indicator, StateIndicator):
        table = _table_name(indicator)
        return [RowPlace(scenario, None, (table, scenario)) for scenario in study.scenario_ids]
    places = []
    for scenario in study.scenario_ids:
        row = indicator.likelihoods[scenario]
        keys = ("likelihoods", scenario)
        parent = study.by_id.get(indicator.given or "")
        if isinstance(row, dict) and isinstance(parent, StateIndicator):
            places += [RowPlace(scenario, state, (*keys, state)) for state in parent.states]
        else:
            places.append(RowPlace(scenario, None, keys))
    return places


def _table_name(indicator: Indicator) -> str:
    if isinstance(indicator, StateIndicator):
        return "likelihoods"
    if isinstance(indicator, MeasureIndicator):
        return "values" if indicator.baseline is None else "shifts"
    return "rates" if indicator.baseline is None else "multipliers"


def columns_of(indicator: Indicator) -> tuple[str, ...]:
    """What the numbers of a row are, in their order: its states, or what is stated of a rate or a reading."""
    if isinstance(indicator, StateIndicator):
        return tuple(indicator.states)
    named = {"values": ("mean", "sd"), "shifts": ("shift a year",), "rates": ("a year",), "multipliers": ("times",)}
    return named[_table_name(indicator)]


def words_of(study: Study, indicator: Indicator) -> tuple[str, ...]:
    """The words that may stand in place of a row; empty where numbers alone will do."""
    is_pair = isinstance(indicator, StateIndicator) and len(indicator.states) == 2
    return tuple(band.word for band in SCALES[study.words]) if is_pair else ()


def rows_as_stated(study: Study, indicator: Indicator) -> list[list[float]]:
    """The numbers of every row, in the order of `row_places` and `columns_of`; words as what they stand for."""
    if isinstance(indicator, StateIndicator):
        table = state_rows(study, indicator)
        rows: list[list[float]] = table.reshape(-1, table.shape[-1]).tolist()
        return rows
    if isinstance(indicator, MeasureIndicator) and indicator.baseline is None:
        return [list(pair) for pair in zip(*(part.tolist() for part in measure_values(study, indicator)), strict=True)]
    table_of: Mapping[str, float] = getattr(indicator, _table_name(indicator)) or {}
    return [[table_of[scenario]] for scenario in study.scenario_ids]


def with_rows(text: str, indicator: str, rows: Mapping[tuple[str, ...], Sequence[str] | str]) -> tuple[str, Tree, Path]:
    """The text of a study with rows of an indicator as somebody typed them.

    Parameters
    ----------
    text : str
        A sound study file.
    indicator : str
        Its id.
    rows : mapping
        By the `keys` of a row: the numbers as typed, in the order of `columns_of`; or a word.

    Returns
    -------
    text, tree, path
        The new text, what it says, and the path of the indicator in it. A number that is typed as it stands keeps its
        own way of being written.

    Raises
    ------
    NotEditableError
        The rows do not stand there in a form that can be changed in place.
    """
    tree = read_tree(text, file="")
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    path = _path_of(tree, indicator)
    changes: dict[Path, str] = {}
    for keys, typed in rows.items():
        changes |= _changes((*path, *keys), _at(tree.data, (*path, *keys)), typed)
    new = _replaced(lines, tree, changes, indicator)
    after = read_tree(new, file="")
    if not after.faults and _without(after.data, changes) != _without(tree.data, changes):
        raise NotEditableError(indicator)
    return new, after, path


def _path_of(tree: Tree, indicator: str) -> Path:
    entries = tree.data.get("indicators") if isinstance(tree.data, dict) else None
    for n, entry in enumerate(entries if isinstance(entries, list) else []):
        if isinstance(entry, dict) and entry.get("id") == indicator:
            return ("indicators", n)
    raise NotEditableError(indicator)


def _changes(path: Path, now: object, typed: Sequence[str] | str) -> dict[Path, str]:
    """What is to stand at which path in place of what; nothing where it says the same."""
    if isinstance(typed, str):
        return {} if now == typed else {path: _word(typed)}
    cells = list(_cells(path, now, len(typed)))
    if not cells:
        return {path: f"[{', '.join(map(_number, typed))}]"}
    return {place: _number(text) for (place, value), text in zip(cells, typed, strict=True) if not _is(value, text)}


def _cells(path: Path, now: object, width: int) -> Iterator[tuple[Path, object]]:
    """The places of a row's numbers where each can be changed by itself; none where the row must be put whole."""
    if isinstance(now, list) and len(now) == width:
        yield from (((*path, n), value) for n, value in enumerate(now))
    elif isinstance(now, dict) and width == len(("mean", "sd")):
        yield from (((*path, name), now.get(name)) for name in ("mean", "sd"))
    elif isinstance(now, (int, float)):
        yield path, now


def _is(value: object, typed: str) -> bool:
    return bool(_NUMBER.fullmatch(typed)) and isinstance(value, (int, float)) and float(typed) == value


def _number(typed: str) -> str:
    """As typed where it is a number; else a text, so that the check of the file says what is wrong with it."""
    if not typed:
        return "null"
    return typed if _NUMBER.fullmatch(typed) else json.dumps(typed)


def _word(typed: str) -> str:
    return typed if _PLAIN_WORD.fullmatch(typed) else json.dumps(typed)


def _replaced(text: str, tree: Tree, changes: Mapping[Path, str], indicator: str) -> str:
    """The text with the values at some paths replaced, from the last to the first so that places stay true."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    spans = []
    for path, fragment in changes.items():
        begin, end = tree.values.get(path), tree.ends.get(path)
        if begin is None or end is None or begin == tree.keys.get(path):
            raise NotEditableError(indicator)
        spans.append((starts[begin.line - 1] + begin.column - 1, starts[end.line - 1] + end.column - 1, fragment))
    for first, last, fragment in sorted(spans, reverse=True):
        text = text[:first] + fragment + text[last:]
    return text


def _at(data: object, path: Path) -> object:
    for key in path:
        try:
            data = data[key]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _without(data: object, paths: Mapping[Path, str], at: Path = ()) -> object:
    """The data with nothing in it of what stands at some paths."""
    if at in paths:
        return None
    if isinstance(data, dict):
        return {key: _without(value, paths, (*at, key)) for key, value in data.items()}
    if isinstance(data, list):
        return [_without(value, paths, (*at, n)) for n, value in enumerate(data)]
    return data
