"""What an XLSX file may be before anything reads its sheets: a guard, as the library behind it has none.

A workbook is a zip of XML parts. Two kilobytes of it can unpack to gigabytes, keep a reader busy for hours, name files
on other machines, or say one thing to one program and another to the next. So its parts are counted, unpacked within
limits and looked at as bytes first (`guarded`); then the one sheet is walked element by element (`sheet_faults`): cells
where they say they are, each once and in order, and no formulas, as what a formula gave when somebody last looked is no
evidence. The limits bound memory and time together. Nothing is unpacked to disk, and what the cells say is read
elsewhere.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, BinaryIO
from xml.parsers import expat

from indicators.errors import WatchfloorError

__all__ = ["MOST_COLUMNS", "WorkbookError", "guarded", "sheet_faults"]

LARGEST_FILE = 50_000_000
MOST_PARTS = 1_000
LARGEST_UNPACKED = 100_000_000
LARGEST_RATIO = 200
"""Unpacked to packed, of a part of more than a megabyte; a sheet of one repeated value comes to about 100."""

MOST_TAGS = 4_000_000
"""Opening and closing, in all parts together: some 60,000 rows of 12 cells, or ten seconds of reading."""

MOST_COLUMNS, MOST_ROWS = 100, 1_048_576
LONGEST_NUMBER = 40
MOST_CELL_FAULTS = 1_000

_BLOCK = 1 << 16
_LONGEST_TEXT = 1_000_000
_SMALL_PART = 1_000_000
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_CELL = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_ROW = re.compile(r"[1-9][0-9]{0,6}")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")

# What a workbook brings along besides cells, by the folder or name of its part.
_FOREIGN = (
    ("xl/vbaproject", "macros", "save it as a workbook without macros (.xlsx)"),
    ("xl/macrosheets/", "macros", "save it as a workbook without macros (.xlsx)"),
    ("xl/activex/", "active content", "take the controls out"),
    (
        "xl/externallinks/",
        "links to other workbooks",
        "break the links (Data, Edit Links), so that the values stand here",
    ),
    ("xl/connections", "connections to data elsewhere", "take the connections out, so that the values stand here"),
    ("xl/querytables/", "queries of data elsewhere", "take the queries out, so that the values stand here"),
    ("xl/embeddings/", "embedded files", "take the embedded objects out"),
)


class WorkbookError(WatchfloorError):
    """A file that is no workbook, or one that nothing here will open."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what, mend=mend)


def guarded(stream: BinaryIO) -> zipfile.ZipFile:
    """The workbook in a stream as a zip that may be read.

    Parameters
    ----------
    stream : binary file
        Seekable.

    Raises
    ------
    WorkbookError
        It is something else; too large, packed or unpacked; or has a macro, a link, a document type or another
        encoding in it.
    """
    start = stream.read(8)
    if stream.seek(0, 2) > LARGEST_FILE:
        raise WorkbookError(f"the file has more than {LARGEST_FILE // 1_000_000} MB", _AS_CSV)
    stream.seek(0)
    if start == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        what = "the workbook is protected by a password, or of the old kind (.xls)"
        raise WorkbookError(what, "save it as .xlsx without a password")
    try:
        archive = zipfile.ZipFile(stream)
        _check_parts(archive)
        tags = 0
        for part in archive.infolist():
            tags += _checked_part(archive, part, MOST_TAGS - tags)
    except _UNREADABLE:
        raise WorkbookError("the file is not an XLSX workbook, or it is damaged", "save it anew as .xlsx") from None
    return archive


# What the standard library raises on a zip that is none: its own error, and many that come from below.
_UNREADABLE = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError),
    *(ValueError, KeyError, IndexError, OverflowError, OSError, MemoryError),
)
_AS_CSV = "save the sheet as CSV, which may be of any length"


def _check_parts(archive: zipfile.ZipFile) -> None:
    parts = archive.infolist()
    names = [part.filename for part in parts]
    if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise WorkbookError("the file is a zip, but not an XLSX workbook", "save it as .xlsx")
    if len(parts) > MOST_PARTS:
        raise WorkbookError(f"the workbook has {len(parts)} parts, more than {MOST_PARTS}", _AS_CSV)
    if len({name.lower() for name in names}) < len(names):
        raise WorkbookError("the workbook has two parts of one name", "save it anew as .xlsx")
    if any(part.flag_bits & 1 for part in parts):
        raise WorkbookError("the workbook is protected by a password", "save it without one")
    for name in names:
        for beginning, what, mend in _FOREIGN:
            if name.lower().startswith(beginning):
                raise WorkbookError(f"the workbook has {what} in it", mend)
    if sum(part.file_size for part in parts) > LARGEST_UNPACKED:
        raise _too_large()
    for part in parts:
        if part.file_size > _SMALL_PART and part.file_size > LARGEST_RATIO * max(part.compress_size, 1):
            times = part.file_size // max(part.compress_size, 1)
            what = f"a part of the workbook unpacks to {times} times its size, as in a zip bomb"
            raise WorkbookError(what, _AS_CSV)


def _too_large() -> WorkbookError:
    return WorkbookError(f"the workbook unpacks to more than {LARGEST_UNPACKED // 1_000_000} MB", _AS_CSV)


def _checked_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo, most_tags: int) -> int:
    """How many tags a part has; the part is refused where a parser would stumble over it or obey it."""
    tags, tail, end = 0, b"", b""
    with archive.open(part) as stream:
        block = stream.read(_BLOCK)
        if not _is_markup(block):
            return 0
        _check_encoding(block)
        rest = block.removeprefix(b"\xef\xbb\xbf").removeprefix(b"<?xml")
        while rest:
            _check_markup(end + rest, is_large=part.file_size > _SMALL_PART)
            tags += rest.count(b"<")
            tail, end = _open_end(tail, rest), rest[-len("<!DOCTYPE") :]
            if tags > most_tags:
                raise WorkbookError(f"the workbook has more than {MOST_TAGS} tags, or about a million cells", _AS_CSV)
            rest = stream.read(_BLOCK)
    if part.filename.lower().endswith(".rels"):
        _check_relations(archive.read(part))
    if part.filename == "[Content_Types].xml" and b"macroenabled" in archive.read(part).lower():
        raise WorkbookError("the workbook has macros in it", "save it as a workbook without macros (.xlsx)")
    return tags


def _is_markup(block: bytes) -> bool:
    """Whether a part is XML; one in UTF-16, which could hide from every look at its bytes, is refused."""
    if block.startswith((b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")):
        raise WorkbookError("a part of the workbook is not UTF-8", "save it anew as .xlsx")
    return block.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"<", b"")


def _check_encoding(block: bytes) -> None:
    start = block.removeprefix(b"\xef\xbb\xbf")[:1_000]
    if not start.startswith(b"<?xml"):
        return
    found: list[str | None] = []
    parser = expat.ParserCreate()
    parser.XmlDeclHandler = lambda _version, encoding, _standalone: found.append(encoding)
    try:
        parser.Parse(start[: start.find(b"?>") + 2])
    except expat.ExpatError:
        found.clear()
    if not found or (found[0] or "utf-8").lower() not in ("utf-8", "us-ascii"):
        raise WorkbookError("a part of the workbook is not UTF-8", "save it anew as .xlsx")


def _check_markup(block: bytes, *, is_large: bool) -> None:
    """Markup that is no element: a document type anywhere; in a large part also what has no end in sight."""
    if b"<!DOCTYPE" in block or b"<!ENTITY" in block:
        raise WorkbookError("the workbook has a document type in it, as only an attack has", "save it anew as .xlsx")
    if is_large and (b"<!--" in block or b"<?" in block):
        raise WorkbookError("a large part of the workbook has comments in its markup", "save it anew as .xlsx")


def _open_end(tail: bytes, block: bytes) -> bytes:
    """What follows the last bracket; refused where it goes on without end, as a parser begins anew with each block."""
    pieces = (tail + block).split(b"<")
    if max(map(len, pieces)) > _LONGEST_TEXT:
        raise WorkbookError("a part of the workbook has a tag or a text without end", "save it anew as .xlsx")
    return pieces[-1]


def _check_relations(content: bytes) -> None:
    def look(_name: str, attributes: dict[str, str]) -> None:
        is_outside = attributes.get("TargetMode", "").lower() == "external"
        if is_outside and not attributes.get("Type", "").endswith("/hyperlink"):
            raise WorkbookError("the workbook has links to other files in it", "break the links, then save it anew")

    parser = expat.ParserCreate()
    parser.StartElementHandler = look
    try:
        parser.Parse(content, True)
    except expat.ExpatError:
        raise WorkbookError("a part of the workbook is not XML", "save it anew as .xlsx") from None


def sheet_faults(sheet: IO[bytes]) -> Iterator[tuple[int, str, str]]:
    """What is wrong with the cells of a sheet, in order: row, what, mend; at most `MOST_CELL_FAULTS`.

    Parameters
    ----------
    sheet : binary file
        The sheet's part of a workbook that is `guarded`.

    Raises
    ------
    WorkbookError
        It is no sheet, or one that two programs would read in two ways.
    """
    walk = _SheetWalk()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = walk.start, walk.end
    parser.CharacterDataHandler = walk.text
    try:
        while block := sheet.read(_BLOCK):
            parser.Parse(block)
            yield from walk.faults[:MOST_CELL_FAULTS]
            if len(walk.faults) > MOST_CELL_FAULTS:
                return
            walk.faults.clear()
        parser.Parse(b"", True)
    except expat.ExpatError:
        raise WorkbookError("the sheet is not XML", "save the workbook anew as .xlsx") from None


class _SheetWalk:
    """Where in a sheet the parser is, and the faults since they were last taken."""

    def __init__(self) -> None:
        self.faults: list[tuple[int, str, str]] = []
        self._depth = self._row_depth = 0
        self._row = self._column = 0
        self._type = "n"
        self._value: list[str] | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        space, _, name = name.rpartition(" ")
        if self._depth == 1 and (name, space) != ("worksheet", _MAIN):
            raise WorkbookError("the sheet is not one of an ordinary XLSX workbook", _NOT_STRICT)
        if self._row_depth and self._depth == self._row_depth + 1 and (name, space) != ("c", _MAIN):
            raise WorkbookError(
                f"row {self._row} has something in it that is no cell", "save the workbook anew as .xlsx"
            )
        if space == _MAIN and name in self._STARTS:
            self._STARTS[name](self, attributes)

    def end(self, name: str) -> None:
        if self._depth == self._row_depth:
            self._row_depth = 0
        self._depth -= 1
        if self._value is not None:
            self._check_value("".join(self._value))
            self._value = None

    def text(self, text: str) -> None:
        if self._value is not None:
            self._value.append(text)

    def _start_row(self, attributes: dict[str, str]) -> None:
        given = attributes.get("r", str(self._row + 1))
        if not _ROW.fullmatch(given) or not self._row < int(given) <= MOST_ROWS or self._row_depth:
            what = f'the row "{given[:20]}" stands where a row after {self._row} should'
            raise WorkbookError(what, "save the workbook anew as .xlsx")
        self._row, self._column, self._row_depth = int(given), 0, self._depth

    def _start_cell(self, attributes: dict[str, str]) -> None:
        address = attributes.get("r")
        self._type = attributes.get("t", "n")
        if address is None:
            self._column += 1
        else:
            match = _CELL.fullmatch(address)
            column = _number(match[1]) if match else 0
            if not match or int(match[2]) != self._row or column <= self._column or not self._row_depth:
                what = f'the cell "{address[:20]}" does not stand where it says, or stands twice'
                raise WorkbookError(what, "save the workbook anew as .xlsx")
            self._column = column
        if self._column > MOST_COLUMNS:
            raise WorkbookError(f"the cell {self._address()} stands beyond column {MOST_COLUMNS}", "take it out")

    def _start_formula(self, _attributes: dict[str, str]) -> None:
        what = f"cell {self._address()} has a formula, and what it gave when it was last worked out is no evidence"
        self.faults.append((self._row, what, "put the value in its place (copy, then paste as values)"))

    def _start_value(self, _attributes: dict[str, str]) -> None:
        self._value = []

    def _start_merge(self, attributes: dict[str, str]) -> None:
        area = attributes.get("ref", "")[:30]
        row = re.search("[0-9]{1,7}", area)
        what = f"the cells {area} are merged, so that all but the first are empty"
        self.faults.append((int(row[0]) if row else 0, what, "unmerge them, and fill each"))

    def _check_value(self, text: str) -> None:
        if not text:
            return
        if self._type == "n" and len(text) > LONGEST_NUMBER:
            what = f"cell {self._address()} has a number of {len(text)} characters"
            self.faults.append((self._row, what, "give a number within 1e15"))
        elif self._type == "n" and not _NUMBER.fullmatch(text):
            what = f'cell {self._address()} has "{text}" where a number should be'
            self.faults.append((self._row, what, "save the workbook anew as .xlsx"))
        if self._type == "s" and not _ROW.fullmatch(text) and text != "0":
            what = f"cell {self._address()} refers to no text of the workbook"
            self.faults.append((self._row, what, "save the workbook anew as .xlsx"))

    def _address(self) -> str:
        column, letters = self._column, ""
        while column:
            column, letter = divmod(column - 1, 26)
            letters = chr(ord("A") + letter) + letters
        return f"{letters}{self._row}"

    _STARTS = {
        "row": _start_row,
        "c": _start_cell,
        "f": _start_formula,
        "v": _start_value,
        "mergeCell": _start_merge,
    }


_NOT_STRICT = 'save it as "Excel workbook (.xlsx)", not as Strict Open XML'


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
