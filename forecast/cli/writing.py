"""Writing what a command makes: whole or not at all, to a file, a folder or standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from indicators.errors import WatchfloorError

__all__ = ["refuse_terminal", "whole_file", "write_content", "write_folder"]


class TerminalError(WatchfloorError):
    """Content that is no text, on its way to a terminal."""

    def __init__(self, what: str) -> None:
        mend = "name a file, or pipe it on"
        super().__init__(f"{what} is no text for a terminal", where="standard output", mend=mend)


class ThereAlreadyError(WatchfloorError):
    """Files that are there already, in a folder that is to be filled."""

    def __init__(self, folder: str, names: list[str]) -> None:
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        what = f"{', '.join(names[:3])}{more} {'is' if len(names) == 1 else 'are'} there already; nothing was written"
        super().__init__(what, where=folder, mend="name another folder, or write over them with --force")


@contextmanager
def whole_file(file: str) -> Iterator[IO[bytes]]:
    """A stream into a file, which gets its name only when all is written; into a pipe or device as it comes."""
    path = Path(file).resolve()
    if path.exists() and not path.is_file():
        with path.open("wb") as stream:
            yield stream
        return
    part = path.with_name(f".{path.name}.part-{os.getpid()}")
    try:
        with part.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except OSError as error:
        if error.filename == str(part):
            error.filename = file  # the name that the user gave
        raise
    finally:
        part.unlink(missing_ok=True)


def write_content(file: str, content: str | bytes) -> None:
    """Write a text or bytes to a file, or to standard output for `-`, where a terminal takes only a text."""
    if file != "-":
        with whole_file(file) as stream:
            stream.write(content if isinstance(content, bytes) else content.encode())
    elif isinstance(content, str):
        sys.stdout.write(content)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)


def refuse_terminal(file: str, what: str) -> None:
    """Refuse to write what is no text to standard output where that is a terminal."""
    if file == "-" and sys.stdout.isatty():
        raise TerminalError(what)


def write_folder(folder: str, files: Mapping[str, bytes], *, force: bool) -> None:
    """Write files into a folder, which is made where it is not there; they get their names when all are written.

    Raises
    ------
    ThereAlreadyError
        One of them is there and `force` is not given; nothing was written.
    """
    place = Path(folder)
    there = [name for name in files if (place / name).exists()]
    if there and not force:
        raise ThereAlreadyError(folder, there)
    place.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        for name, content in files.items():
            stack.enter_context(whole_file(str(place / name))).write(content)
