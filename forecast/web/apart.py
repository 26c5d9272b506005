"""A process of its own for what takes seconds, so that the pages are not held up by the engine.

It is begun when it is first needed, does one piece of work after the other, and ends with the server. What goes to it
and comes back is between our own two processes.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar, cast

__all__ = ["Apart", "ApartEndedError"]

T = TypeVar("T")

POLITE = 5
"""How far it stands back behind the pages where processors are short, as nice(1) counts; more would starve it."""


class ApartEndedError(RuntimeError):
    """The process ended while it was at work, as when the machine ran out of memory, or the work raised there."""


class Apart:
    """One process that works for a server; safe to use from several threads, which take turns."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process: BaseProcess | None = None
        self._line: Connection | None = None

    def run(self, work: Callable[..., T], *given: Any) -> T:
        """What `work` returns of what it is given; the calling thread waits.

        Raises
        ------
        ApartEndedError
            It came to no end. The next piece of work begins a new process.
        """
        with self._turn:
            line = self._begun()
            try:
                line.send((work, given))
                is_done, result = line.recv()
            except (EOFError, OSError):
                self._end()
                raise ApartEndedError("the process ended") from None
            if not is_done:
                raise ApartEndedError(result)
            return cast("T", result)

    def close(self) -> None:
        """End the process, whatever it is doing."""
        if self._process is not None:
            self._process.terminate()

    def _begun(self) -> Connection:
        if self._line is None or self._process is None or not self._process.is_alive():
            self._end()
            # A forked copy of a server would have its threads' locks, held by nobody.
            context = multiprocessing.get_context("spawn")
            self._line, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
            self._process.start()
            theirs.close()
        return self._line

    def _end(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.join()
        if self._line is not None:
            self._line.close()
        self._process, self._line = None, None


def _serve(line: Connection) -> None:
    """Do what comes, until the server has gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this one
    os.nice(POLITE)
    while True:
        try:
            work, given = line.recv()
        except EOFError:
            return
        try:
            answer = True, work(*given)
        except Exception as error:
            answer = False, type(error).__name__
        try:
            line.send(answer)
        except OSError:
            return
