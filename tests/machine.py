"""What a machine may do to a program: a user to whom modes apply, and a disk that is full."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

__all__ = ["as_a_plain_user", "on_a_small_disk"]

ROOT = Path(__file__).parent.parent
NOBODY = 65534


@contextmanager
def as_a_plain_user(folder: Path) -> Iterator[Path]:
    """A folder of a user to whom modes apply, as that user; under root it is another folder, where nobody owns."""
    if os.geteuid() != 0:
        yield folder
        return
    theirs = Path(tempfile.mkdtemp())
    os.chown(theirs, NOBODY, NOBODY)
    os.seteuid(NOBODY)
    try:
        if not os.access(theirs, os.R_OK | os.W_OK, effective_ids=True):
            pytest.skip("root ignores modes, and no other user reaches the folder for temporary files")
        yield theirs
    finally:
        os.seteuid(0)
        shutil.rmtree(theirs)


def on_a_small_disk(program: str, folder: Path, *, kilobytes: int) -> str:
    """What a room of the tests prints when its folder is a disk of that size, which is gone when it ends.

    Skipped where the system lets this user make no disk: `unshare` and a file system in memory are needed.
    """
    if not _may_make_disks():
        pytest.skip("this user may not mount a file system in memory (unshare --mount), so that no disk can be filled")
    mount = f'mount -t tmpfs -o size={kilobytes}k tmpfs "$0" && exec "$@"'
    command = [*_own_mounts(), "sh", "-c", mount, str(folder), sys.executable, "-m", program, str(folder)]
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True, timeout=120)
    return ended.stdout


def _own_mounts() -> list[str]:
    return ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]


@cache
def _may_make_disks() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        mount = [*_own_mounts(), "mount", "-t", "tmpfs", "tmpfs", folder]
        try:
            return subprocess.run(mount, capture_output=True, check=False).returncode == 0
        except FileNotFoundError:
            return False
