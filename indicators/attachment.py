"""A file that belongs to a report: its content by SHA-256, its name, its size; and which names are taken.

The bytes lie in a folder beside the ledger (`attachment_folder`); here is only what an entry says of them.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from indicators.errors import WatchfloorError

__all__ = ["LARGEST", "MOST", "Attachment", "AttachmentError", "attachment_list", "checked_name", "read_attachments"]

LARGEST = 100_000_000
"""Bytes of one file."""
MOST = 20
"""Files of one report."""

_LONGEST_NAME = 200
_SHA256 = re.compile("[0-9a-f]{64}")
# Two signs that are not seen and without which some scripts cannot be written.
_JOINERS = "\u200c\u200d"


class AttachmentError(WatchfloorError):
    """A file that cannot be attached, or what an entry says of one that cannot be read."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """What an entry says of a file.

    Attributes
    ----------
    sha256 : str
        Of its content, 64 hexadecimal digits.
    name : str
        As it was handed in, without a folder.
    bytes : int
        Its size; at least 1.
    """

    sha256: str
    name: str
    bytes: int


def checked_name(name: str) -> str:
    """The name of a file, where it is one that no terminal, page or file system obeys.

    Raises
    ------
    AttachmentError
        It is empty or too long, has a separator of folders, a control character, or a sign that turns the direction of
        writing or is not seen.
    """
    mend = "rename the file"
    if not name.strip(" .") or name != name.strip() or len(name.encode("utf-8", "replace")) > _LONGEST_NAME:
        what = f"its name is empty, begins or ends with a blank, or has more than {_LONGEST_NAME} bytes"
        raise AttachmentError(what, mend=mend)
    for sign in name:
        if sign in "/\\:" or (unicodedata.category(sign)[0] in "CZ" and sign not in (" ", *_JOINERS)):
            raise AttachmentError(f"its name has the character U+{ord(sign):04X}", mend=mend)
    return name


def attachment_list(attachments: tuple[Attachment, ...]) -> list[dict[str, object]]:
    """Attachments as plain JSON values: what the ledger keeps."""
    return [{"sha256": item.sha256, "name": item.name, "bytes": item.bytes} for item in attachments]


def read_attachments(given: object) -> tuple[Attachment, ...]:
    """Attachments from plain JSON values.

    Raises
    ------
    AttachmentError
        They are not as `attachment_list` writes them.
    """
    if not isinstance(given, list) or not 0 < len(given) <= MOST:
        raise AttachmentError(f"attachments are not a list of 1 to {MOST}")
    return tuple(_read(item) for item in given)


def _read(given: object) -> Attachment:
    if not isinstance(given, dict) or set(given) != {"sha256", "name", "bytes"}:
        raise AttachmentError("an attachment has other parts than sha256, name and bytes")
    sha256, name, size = given["sha256"], given["name"], given["bytes"]
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise AttachmentError("the sha256 of an attachment is not one")
    if type(size) is not int or not 0 < size <= LARGEST:
        raise AttachmentError("the size of an attachment is not one")
    if not isinstance(name, str):
        raise AttachmentError("the name of an attachment is not a text")
    return Attachment(sha256, checked_name(name), size)
