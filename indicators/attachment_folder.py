"""The folder in which attached files lie, each under the SHA-256 of its content: `forecast.db.attachments/9f86d0...`.

A file is first copied into the folder under a name of its own and made durable (staged). Only when the entry that names
it has passed every check, and before it is appended, does it get its place. So an entry never names a file that is not
there; a refused entry leaves nothing; and a crash in between leaves at most a copy that nothing names. A file is never
obeyed or opened for anything but its bytes.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from indicators.attachment import LARGEST, MOST, Attachment, AttachmentError, checked_name, read_attachments
from indicators.entry import Entry

__all__ = ["CHANGED", "MISSING", "SOUND", "AttachmentFolder", "Flaw", "Staged", "folder_beside", "named_attachments"]

SOUND, MISSING, CHANGED = "sound", "missing", "changed"

_BLOCK = 1 << 20
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def folder_beside(ledger: Path) -> Path:
    """The folder of a ledger that is a file: beside it, under its name and `.attachments`."""
    return ledger.with_name(f"{ledger.name}.attachments")


@dataclass(frozen=True)
class Staged:
    """A copy that lies in the folder and has no place yet.

    Attributes
    ----------
    attachment : Attachment
    part, place : Path
        Where it lies, and where it will.
    """

    attachment: Attachment
    part: Path
    place: Path

    def put(self) -> None:
        """Give it its place, durably. May be done again; the same content stored before is replaced by itself."""
        if self.part.exists():
            self.part.replace(self.place)
            _sync_folder(self.place.parent)


@dataclass(frozen=True)
class Flaw:
    """An attached file that is not as an entry says.

    Attributes
    ----------
    entry : str
    name : str
        Of the file; empty where what the entry says of its files cannot be read.
    what : str
        `MISSING` or `CHANGED`.
    """

    entry: str
    name: str
    what: str

    def __str__(self) -> str:
        if not self.name:
            return f"entry {self.entry}: what it says of its attachments cannot be read"
        return f'entry {self.entry}: its attachment "{self.name}" is {self.what}'


class AttachmentFolder:
    """The attached files of a ledger.

    Parameters
    ----------
    path : Path
        The folder; made when the first file is attached.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def path_of(self, attachment: Attachment) -> Path:
        """Where a file lies, or would."""
        return self.path / attachment.sha256

    def status(self, attachment: Attachment) -> str:
        """`SOUND`, `MISSING`, or `CHANGED` where the content is another one or it is no plain file."""
        try:
            with _opened(self.path_of(attachment)) as source:
                digest, size = _digest(source)
        except FileNotFoundError:
            return MISSING
        except AttachmentError:
            return CHANGED
        return SOUND if (digest, size) == (attachment.sha256, attachment.bytes) else CHANGED

    def opened(self, attachment: Attachment) -> IO[bytes]:
        """The content of a file, from its start, to be closed by whoever asked; it is the one that the entry names.

        Raises
        ------
        AttachmentError
            It is missing, or changed.
        """
        try:
            with _opened(self.path_of(attachment)) as found:
                source = os.fdopen(os.dup(found), "rb")
        except FileNotFoundError:
            raise _not_as_named(attachment, MISSING) from None
        except AttachmentError:
            raise _not_as_named(attachment, CHANGED) from None
        try:
            if _digest(source.fileno()) != (attachment.sha256, attachment.bytes):
                raise _not_as_named(attachment, CHANGED)
            source.seek(0)
        except BaseException:
            source.close()
            raise
        return source

    @contextmanager
    def staged(self, files: Sequence[Path], *, where: str = "--attach") -> Iterator[list[Staged]]:
        """Copies of files, for as long as the entry that names them is being written; what got no place goes.

        Raises
        ------
        AttachmentError
            A file is missing, empty, too large, no plain file (a link, a folder, a device), or has a name that would
            be obeyed; or there are too many.
        """
        if len(files) > MOST:
            raise AttachmentError(f"there are {len(files)} files", where=where, mend=f"attach at most {MOST}")
        with ExitStack() as cleared:
            copies = []
            for file in files:
                try:
                    copy = self._copied(file)
                except (AttachmentError, OSError) as error:
                    raise _refusal(error, file, where) from None
                cleared.callback(copy.part.unlink, missing_ok=True)
                copies.append(copy)
            yield copies

    def _copied(self, file: Path) -> Staged:
        with _opened(file) as source:
            name = checked_name(file.name)
            _made(self.path)
            part = self.path / f".{os.getpid()}-{os.urandom(8).hex()}.part"
            try:
                with os.fdopen(os.open(part, _WRITE, 0o666), "wb") as target:
                    digest, size = _digest(source, target)
                    target.flush()
                    os.fsync(target.fileno())
            except BaseException:
                part.unlink(missing_ok=True)
                raise
        return Staged(Attachment(digest, name, size), part, self.path / digest)

    def flaws(self, entries: Iterable[Entry]) -> Iterator[Flaw]:
        """What is not as the entries say, in their order."""
        known: dict[Attachment, str] = {}
        for entry in entries:
            try:
                attachments = named_attachments(entry)
            except AttachmentError:
                yield Flaw(entry.id, "", CHANGED)
                continue
            for attachment in attachments:
                if attachment not in known:
                    known[attachment] = self.status(attachment)
                if known[attachment] != SOUND:
                    yield Flaw(entry.id, attachment.name, known[attachment])


def named_attachments(entry: Entry) -> tuple[Attachment, ...]:
    """The files that an entry names; raises `AttachmentError` where that cannot be read."""
    given = entry.payload.get("attachments") if entry.kind == "evidence" else None
    return () if given is None else read_attachments(given)


@contextmanager
def _opened(file: Path) -> Iterator[int]:
    """The file's descriptor; refused where it is no plain file."""
    try:
        descriptor = os.open(file, _READ)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK):
            raise AttachmentError("it is a link", mend="give the file that it leads to") from None
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise AttachmentError("it is no plain file", mend="give a file, not a folder or a device")
        yield descriptor
    finally:
        os.close(descriptor)


def _digest(source: int, target: IO[bytes] | None = None) -> tuple[str, int]:
    """SHA-256 and size of what is read, which is written to `target` meanwhile."""
    digest, size = hashlib.sha256(), 0
    while block := os.read(source, _BLOCK):
        size += len(block)
        if size > LARGEST:
            raise AttachmentError(f"it has more than {LARGEST // 1_000_000} MB", mend="attach a smaller file")
        digest.update(block)
        if target is not None:
            target.write(block)
    if not size:
        raise AttachmentError("it is empty", mend="attach a file with something in it")
    return digest.hexdigest(), size


def _not_as_named(attachment: Attachment, what: str) -> AttachmentError:
    mend = "look into the folder of attachments; `forecast verify` tells of every file"
    return AttachmentError(f'the file "{attachment.name}" is {what}', mend=mend)


def _refusal(error: AttachmentError | OSError, file: Path, where: str) -> AttachmentError:
    """The failure with its file, whose name is shown as far as it is inert."""
    shown = ascii(file.name or str(file))
    if isinstance(error, AttachmentError):
        return AttachmentError(f"{shown}: {error.what}", where=where, mend=error.mend)
    if isinstance(error, FileNotFoundError):
        return AttachmentError(f"{shown}: there is no such file", where=where, mend="look at the path")
    what = f"{shown} cannot be copied into the folder of attachments ({error.strerror})"
    return AttachmentError(what, where=where, mend="look at what you may do there, and at the room on the disk")


def _made(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
