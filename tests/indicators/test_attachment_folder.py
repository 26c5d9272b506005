import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indicators import attachment, attachment_folder
from indicators.attachment import Attachment, AttachmentError
from indicators.attachment_folder import (
    CHANGED,
    MISSING,
    SOUND,
    AttachmentFolder,
    folder_beside,
    named_attachments,
)
from indicators.entry import Draft, Entry, sealed


@pytest.fixture
def folder(tmp_path: Path) -> AttachmentFolder:
    return AttachmentFolder(folder_beside(tmp_path / "forecast.db"))


def page(tmp_path: Path, content: bytes = b"a page", name: str = "page.txt") -> Path:
    file = tmp_path / name
    file.write_bytes(content)
    return file


def stored(folder: AttachmentFolder, *files: Path) -> list[Attachment]:
    with folder.staged(files) as copies:
        for copy in copies:
            copy.put()
    return [copy.attachment for copy in copies]


def names(folder: AttachmentFolder) -> list[str]:
    return [path.name for path in folder.path.iterdir()]


def entry_of(attachments: Any, kind: str = "evidence") -> Entry:
    payload = {"indicator": "mood", "attachments": attachments}
    return sealed(Draft(author="a", study="s", kind=kind, payload=payload), seq=2, recorded_at="", prev="")


def test_a_file_lies_under_the_hash_of_its_content(folder: AttachmentFolder, tmp_path: Path) -> None:
    [found] = stored(folder, page(tmp_path))
    assert found == Attachment(hashlib.sha256(b"a page").hexdigest(), "page.txt", 6)
    assert folder.path == tmp_path / "forecast.db.attachments"
    assert folder.path_of(found).read_bytes() == b"a page"
    assert folder.status(found) == SOUND
    assert names(folder) == [found.sha256]


def test_the_same_content_is_kept_once(folder: AttachmentFolder, tmp_path: Path) -> None:
    first, second = stored(folder, page(tmp_path), page(tmp_path, name="other.txt"))
    stored(folder, page(tmp_path))
    assert (first.sha256, first.name, second.name) == (second.sha256, "page.txt", "other.txt")
    assert names(folder) == [first.sha256]


def test_what_gets_no_place_leaves_nothing(folder: AttachmentFolder, tmp_path: Path) -> None:
    with folder.staged([page(tmp_path)]) as copies:
        assert copies[0].part.exists()
    assert names(folder) == []
    with pytest.raises(KeyError), folder.staged([page(tmp_path)]):
        raise KeyError
    assert names(folder) == []


def test_a_place_is_given_again_without_harm(folder: AttachmentFolder, tmp_path: Path) -> None:
    with folder.staged([page(tmp_path)]) as copies:
        copies[0].put()
        copies[0].put()
    assert folder.status(copies[0].attachment) == SOUND


def test_content_that_was_changed_is_mended_when_it_is_attached_again(folder: AttachmentFolder, tmp_path: Path) -> None:
    [found] = stored(folder, page(tmp_path))
    folder.path_of(found).write_bytes(b"b page")
    assert folder.status(found) == CHANGED
    stored(folder, page(tmp_path))
    assert folder.status(found) == SOUND


def test_it_is_durable_before_it_has_its_place_and_the_place_before_the_entry(
    folder: AttachmentFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.path.mkdir()
    done: list[str] = []

    def noted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any) -> Any:
            done.append(name)
            return call(*arguments)

        return called

    monkeypatch.setattr(os, "fsync", noted("fsync", os.fsync))
    monkeypatch.setattr(Path, "replace", noted("replace", Path.replace))
    with folder.staged([page(tmp_path)]) as copies:
        assert done == ["fsync"]
        copies[0].put()
    assert done == ["fsync", "replace", "fsync"]


def link(tmp_path: Path) -> Path:
    (tmp_path / "link").symlink_to(page(tmp_path))
    return tmp_path / "link"


def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


REFUSED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "link": (link, "it is a link"),
    "pipe": (pipe, "it is no plain file"),
    "folder": (lambda tmp_path: tmp_path, "it is no plain file"),
    "here": (lambda _: Path(), "it is no plain file"),
    "device": (lambda _: Path("/dev/null"), "it is no plain file"),
    "missing": (lambda tmp_path: tmp_path / "none", "there is no such file"),
    "empty": (lambda tmp_path: page(tmp_path, b""), "it is empty"),
    "turned": (lambda tmp_path: page(tmp_path, name="a\u202efdp.exe"), r"its name has the character U\+202E"),
    "too large": (lambda tmp_path: page(tmp_path, b"x" * 11), "it has more than"),
}


@pytest.mark.parametrize(("made", "why"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_plain_small_file_is_refused(
    folder: AttachmentFolder, tmp_path: Path, made: Callable[[Path], Path], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachment_folder, "LARGEST", 10)
    files = [page(tmp_path, b"ok", "ok"), made(tmp_path)]
    with pytest.raises(AttachmentError, match=why) as caught, folder.staged(files):
        pass
    assert "\u202e" not in str(caught.value)
    assert str(caught.value).startswith("--attach: ")
    assert not folder.path.exists() or names(folder) == []


def test_too_many_files_are_refused(folder: AttachmentFolder, tmp_path: Path) -> None:
    with pytest.raises(AttachmentError, match="there are 21 files"), folder.staged([page(tmp_path)] * 21):
        pass


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    folder = AttachmentFolder(page(tmp_path, name="a file"))
    with pytest.raises(AttachmentError, match="cannot be copied into the folder"), folder.staged([page(tmp_path)]):
        pass


def removed(path: Path) -> None:
    path.unlink()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def linked(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def turned_into_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("done", "what"),
    [(removed, MISSING), (cut, CHANGED), (emptied, CHANGED), (linked, CHANGED), (turned_into_a_folder, CHANGED)],
)
def test_what_is_missing_or_changed_is_found(
    folder: AttachmentFolder, tmp_path: Path, done: Callable[[Path], None], what: str
) -> None:
    good, bad = stored(folder, page(tmp_path, b"other", "b"), page(tmp_path))
    entry = entry_of(attachment.attachment_list((good, bad)))
    assert list(folder.flaws([entry])) == []
    done(folder.path_of(bad))
    assert [str(flaw) for flaw in folder.flaws([entry])] == [f'entry e2: its attachment "page.txt" is {what}']


def test_what_cannot_be_read_is_a_flaw_and_other_kinds_name_none(folder: AttachmentFolder) -> None:
    [flaw] = folder.flaws([entry_of("x")])
    assert str(flaw) == "entry e2: what it says of its attachments cannot be read"
    assert named_attachments(entry_of("x", kind="coverage")) == ()
