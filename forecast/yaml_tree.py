"""Strict YAML: plain data with the line and column of every key and value, and every fault of writing at once.

The parser's events are taken one by one, so a construct that a study file has no use for (tags, anchors, double keys,
several documents) is named where it stands, and what follows is still read. Plain words become values by the rules of
YAML 1.2, without its octal, hexadecimal and infinite numbers: what looks like a number is one or is refused. What the
keys mean is not known here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from indicators.errors import Fault, FaultsError

__all__ = ["DEPTH_LIMIT", "SIZE_LIMIT", "UNREADABLE", "Path", "Position", "Tree", "read_tree", "shown", "yaml_text"]

SIZE_LIMIT = 2_000_000
DEPTH_LIMIT = 20

Path = tuple[str | int, ...]


class Position(NamedTuple):
    """A place in the text, counted from 1."""

    line: int
    column: int


class _Unreadable:
    """Stands where the text has a value that cannot be read, so that it is not complained about twice."""

    def __repr__(self) -> str:
        return "UNREADABLE"


UNREADABLE: Final = _Unreadable()


@dataclass(frozen=True, slots=True)
class Tree:
    """What a YAML text says, and where.

    Attributes
    ----------
    data : Any
        dict, list, str, int, float, bool and None, nested; None for an empty text. Keys are text. `UNREADABLE` in
        place of each value that has a fault, and of the whole where the text could not be read to its end.
    faults : tuple of Fault
        In the order in which they were met; empty when the text is sound.
    keys, values : mapping of path to Position
        Where the key and the value at a path begin; a value that is not there stands where its key does. A path is the
        keys and indices from the root, `()` being the root.
    ends : mapping of path to Position
        Where the value at a path ends: the place after its last character. That of a list or group which is not in
        brackets is the end of its last entry.
    """

    data: Any
    faults: tuple[Fault, ...]
    keys: Mapping[Path, Position]
    values: Mapping[Path, Position]
    ends: Mapping[Path, Position]

    def key_place(self, path: Path) -> Position:
        """Where the key stands; for an entry of a list where the entry begins; for what is missing, its parent's."""
        found = self.keys.get(path) or self.values.get(path)
        if found:
            return found
        return self.key_place(path[:-1]) if path else Position(1, 1)

    def value_place(self, path: Path) -> Position:
        """Where the value begins; for what is missing, the place of its parent's key."""
        return self.values.get(path) or self.key_place(path)


def yaml_text(content: bytes, *, file: str) -> str:
    """The text of a file's bytes; raises FaultsError when they are too many or not UTF-8.

    A byte order mark is dropped.
    """
    if len(content) > SIZE_LIMIT:
        raise FaultsError([_too_large(file, len(content))])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        good = error.object[: error.start].decode("utf-8-sig")
        line, column = _position(_unix_lines(good), None)
        what = f"the byte 0x{error.object[error.start]:02X} is not UTF-8"
        raise FaultsError([Fault(file, line, column, what, "save the file as UTF-8")]) from None


def read_tree(text: str, *, file: str) -> Tree:
    """Read a YAML text; never raises, whatever the text.

    Parameters
    ----------
    text : str
        The whole text, at most `SIZE_LIMIT` bytes in UTF-8.
    file : str
        The name that the faults carry.
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > SIZE_LIMIT:
        return Tree(UNREADABLE, (_too_large(file, size),), {}, {}, {})
    return _Reader(_unix_lines(text.removeprefix("\ufeff")), file).tree()


def shown(value: object) -> str:
    """A value as a message shows it: text in quotes on one line, shortened, odd characters escaped."""
    if isinstance(value, str):
        return f'"{_brief(value, 60)}"'
    if isinstance(value, bool):
        return str(value).lower()
    return "nothing" if value is None else repr(value)[:40]


# What a text may not hold: control characters but tab and line feed, half surrogates, non-characters, and the two line
# separators, at which some programs begin a line and others do not.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_REPLACEMENT = "\ufffd"
_NULLS = {"", "~", "null", "Null", "NULL"}
_TRUTHS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NUMBER_LIKE = re.compile(
    r"[-+]?(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9_]+)?"
    r"|\.[0-9][0-9_]*(?:[eE][-+]?[0-9_]+)?|\.(?:inf|Inf|INF|nan|NaN|NAN))"
)


class _NumberError(Exception):
    """A plain word that looks like a number and is none of ours; carries what and mend."""


def _plain_value(word: str) -> object:
    """The value of an unquoted word."""
    if word in _NULLS:
        return None
    if word in _TRUTHS:
        return _TRUTHS[word]
    if _NUMBER.fullmatch(word):
        return _number(word)
    if _NUMBER_LIKE.fullmatch(word):
        raise _NumberError(
            f"{_brief(word)} is not a plain decimal number", "write it like 1250 or 0.25, or in quotes if it is text"
        )
    return word


def _number(word: str) -> int | float:
    value = float(word)
    if math.isinf(value):
        raise _NumberError(f"{_brief(word)} is too large for a number", "write a number below 1e308")
    if value == 0 and re.search("[1-9]", re.split("[eE]", word)[0]):
        raise _NumberError(f"{_brief(word)} is too small for a number other than zero", "write a number above 1e-307")
    return int(word) if _INTEGER.fullmatch(word) else value


def _brief(word: str, most: int = 40) -> str:
    short = word if len(word) <= most else word[: most - 3] + "..."
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in short)


def _unix_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _position(text: str, index: int | None) -> Position:
    """Line and column of the character at `index`, or of the one after the text."""
    before = text[:index]
    return Position(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def _too_large(file: str, size: int) -> Fault:
    return Fault(file, 0, 0, f"{size:,} bytes, more than the {SIZE_LIMIT:,} that are read", "split or shorten the file")


class _StopError(Exception):
    """The rest of the text cannot be read; the fault is already noted."""


class _Reader:
    """One pass over the events of one text."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.faults: list[Fault] = []
        self.keys: dict[Path, Position] = {}
        self.values: dict[Path, Position] = {}
        self.ends: dict[Path, Position] = {}
        self.last = Position(1, 1)
        self.has_controls = False
        self.text = self._without_controls(text)
        self.stream = self._events()

    def tree(self) -> Tree:
        try:
            data = self._document()
        except _StopError:
            data = UNREADABLE
        return Tree(data, tuple(self.faults), self.keys, self.values, self.ends)

    def _fault(self, place: Position, what: str, mend: str) -> None:
        self.faults.append(Fault(self.file, place.line, place.column, what, mend))

    def _without_controls(self, text: str) -> str:
        """The text with each control character replaced, since the parser would read no further than the first."""
        found = list(_CONTROL.finditer(text))
        if found:
            self.has_controls = True
            more = f" (and {len(found) - 1} more in the file)" if len(found) > 1 else ""
            what = f"the control character U+{ord(found[0][0]):04X}{more}"
            self._fault(_position(text, found[0].start()), what, "remove it")
        return _CONTROL.sub(_REPLACEMENT, text)

    def _events(self) -> Iterator[Any]:
        """The parser's events; its own failures become one fault and end the reading."""
        try:
            for event in YAML(typ="safe", pure=True).parse(self.text):
                self.last = _mark(event.end_mark)
                yield event
        except MarkedYAMLError as error:
            self.faults.append(_syntax_fault(error, self.text, self.file))
            raise _StopError from None
        # The parser lets these out for a character number beyond Unicode and for a version of YAML it does not know.
        except (YAMLError, ValueError, OverflowError, AssertionError):
            self._fault(self.last, "what follows here is not YAML", "look for a \\U escape or a %YAML line to remove")
            raise _StopError from None

    def _document(self) -> object:
        data: object = None
        documents = 0
        for event in self.stream:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._fault(_mark(event.start_mark), "a second document begins here", 'remove the "---" or "..."')
                    break
                if event.version or event.tags:
                    self._fault(_mark(event.start_mark), "a %YAML or %TAG line stands before this", "remove that line")
            elif isinstance(event, NodeEvent):
                data = self._node(event, ())
        return data

    def _node(self, event: NodeEvent, path: Path) -> object:
        place = _mark(event.start_mark)
        if isinstance(event, ScalarEvent) and not event.value and not event.style:
            place = self.keys.get(path, place)  # the parser places nothing at the next line
        self.values[path] = place
        self.ends[path] = _mark(event.end_mark)
        if isinstance(event, AliasEvent):
            self._fault(place, f"the alias *{_brief(event.anchor)}", "write the value out where it is used")
            return UNREADABLE
        if event.anchor is not None:
            self._fault(place, f"the anchor &{_brief(event.anchor)}", "remove it, or put text that begins so in quotes")
        if event.tag is not None:  # type: ignore[attr-defined]
            self._fault(place, "a tag, which begins with !", "remove it, or put text that begins so in quotes")
        if isinstance(event, ScalarEvent):
            return self._scalar(event, place)
        if len(path) >= DEPTH_LIMIT:
            self._fault(place, f"nested more than {DEPTH_LIMIT} deep", "remove brackets or indentation")
            raise _StopError
        return self._group(path) if isinstance(event, MappingStartEvent) else self._list(path)

    def _scalar(self, event: Any, place: Position) -> object:
        text: str = event.value
        control = _CONTROL.search(text)
        if control:
            what = f"an escape for the control character U+{ord(control[0]):04X}"
            self._fault(place, what, "remove it")
            return UNREADABLE
        if event.tag is not None or (self.has_controls and _REPLACEMENT in text):
            return UNREADABLE
        if event.style:
            return text
        try:
            return _plain_value(text)
        except _NumberError as error:
            self._fault(place, *error.args)
            return UNREADABLE

    def _list(self, path: Path) -> list[object]:
        entries: list[object] = []
        for event in self.stream:
            if isinstance(event, SequenceEndEvent):
                self._end(event, path)
                break
            entries.append(self._node(event, (*path, len(entries))))
            self.ends[path] = self.ends[*path, len(entries) - 1]
        return entries

    def _end(self, event: Any, path: Path) -> None:
        """Note where a list or a group ends whose bracket this closes; one without brackets closes anywhere below."""
        if event.end_mark.index > event.start_mark.index:
            self.ends[path] = _mark(event.end_mark)

    def _group(self, path: Path) -> dict[str, object]:
        entries: dict[str, object] = {}
        for event in self.stream:
            if isinstance(event, MappingEndEvent):
                self._end(event, path)
                break
            key = self._key(event, path)
            if key is None or key in entries:
                self._node(next(self.stream), (*path, _NOWHERE))
            else:
                self.keys[*path, key] = _mark(event.start_mark)
                entries[key] = self._node(next(self.stream), (*path, key))
                self.ends[path] = self.ends[*path, key]
            if key is not None:
                self._refuse_twice(path, key, _mark(event.start_mark))
        return entries

    def _refuse_twice(self, path: Path, key: str, place: Position) -> None:
        first = self.keys[*path, key]
        if first != place:
            self._fault(place, f"the key {shown(key)} again, first on line {first.line}", "keep one of the two")

    def _key(self, event: NodeEvent, path: Path) -> str | None:
        """The key as text; None, and a fault, when it is no text."""
        noted = len(self.faults)
        key = self._node(event, (*path, _NOWHERE))
        if isinstance(key, str):
            return key
        if isinstance(key, int) and not isinstance(key, bool):
            return str(key)
        if len(self.faults) == noted:
            self._fault(_mark(event.start_mark), *_key_fault(key))
        return None


# The place of what is read only to be passed over; no key is a negative number.
_NOWHERE = -1


def _key_fault(key: object) -> tuple[str, str]:
    if isinstance(key, (dict, list)):
        return "brackets in place of a key", "put a key that begins with a bracket in quotes"
    if key is None:
        return "no key before the colon", "write the key, or remove the line"
    return f"the key {shown(key)} is not text", "put it in quotes"


def _mark(mark: Any) -> Position:
    return Position(mark.line + 1, mark.column + 1)


class _Syntax(NamedTuple):
    """How the parser names a failure, how we do, and whether the place is where the construct began."""

    problem: str
    what: str
    mend: str
    at_start: bool = False


_SYNTAX = (
    _Syntax(
        "mapping values are not allowed",
        "a colon that does not fit here",
        'put text that has ": " in it in quotes, begin keys of one group in one column, and write "key: value" with a '
        "space after the colon",
    ),
    _Syntax(
        "could not find expected ':'",
        "a line that is neither a key with its value nor part of the text above",
        'write "key: value", or indent it more than the key that it belongs to',
        at_start=True,
    ),
    _Syntax(
        "expected <block end>",
        "this does not fit the lines above it",
        "begin it in the column of the entries it belongs to, and write nothing after closing quotes or brackets",
    ),
    _Syntax("expected ',' or ']'", "a list in [ ] that is not closed, or lacks a comma", 'put "," between entries'),
    _Syntax("expected ',' or '}'", "a group in { } that is not closed, or lacks a comma", 'put "," between entries'),
    _Syntax("found unexpected end of stream", "quotes that are never closed", "close them", at_start=True),
    _Syntax("found unexpected document separator", "quotes that are never closed", "close them", at_start=True),
    _Syntax("but found '<stream end>'", "the file ends inside brackets", "close them"),
    _Syntax("sequence entries are not allowed", 'a "- " that does not fit here', "begin a list on a line of its own"),
    _Syntax("mapping keys are not allowed", 'a "? " that does not fit here', "put text that begins so in quotes"),
    _Syntax(
        "unknown escape",
        "a backslash that stands for nothing in double quotes",
        r"write \\ for a backslash, or use single quotes",
    ),
    _Syntax("escape sequence", "an escape with too few digits", r"write \\ for a backslash, or use single quotes"),
    _Syntax(
        "expected chomping",
        "text behind the sign for a block of text",
        "begin the text on the next line, or put the whole in quotes",
        at_start=True,
    ),
    _Syntax("expected '<document start>'", "text after the end of the document", "begin it in the column of the rest"),
    _Syntax("", "this cannot be read as YAML", "put text that begins with a special character in quotes"),
)


def _syntax_fault(error: Any, text: str, file: str) -> Fault:
    """The parser's failure in our words."""
    problem = str(error.problem)
    mark = error.problem_mark or error.context_mark
    tab = _tab_fault(text, mark, file)
    if tab:
        return tab
    known = next(entry for entry in _SYNTAX if entry.problem in problem)
    if known.at_start and error.context_mark:
        mark = error.context_mark
    what = known.what
    opened = error.context_mark
    if "',' or '" in known.problem and opened:
        what += f" (opened on line {opened.line + 1})"
    if "cannot start any token" in problem:
        what = f"{shown(text[mark.index : mark.index + 1])} cannot begin a text"
    return Fault(file, *_mark(mark), what, known.mend)


def _tab_fault(text: str, mark: Any, file: str) -> Fault | None:
    """The fault that names the tab, when the parser stumbled over one."""
    line = text.split("\n")[mark.line]
    indentation = line[: len(line) - len(line.lstrip())]
    if "\t" in indentation:
        column = indentation.index("\t")
        others = len(re.findall(r"^ *\t", text, re.MULTILINE)) - 1
    elif line[mark.column : mark.column + 1] == "\t":
        column, others = mark.column, 0
    else:
        return None
    more = f" (and in the indentation of {others} more)" if others else ""
    mend = "use spaces, or put text that holds a tab in quotes"
    return Fault(file, mark.line + 1, column + 1, f"a tab on this line{more}", mend)
