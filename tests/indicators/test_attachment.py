import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indicators.attachment import (
    LARGEST,
    MOST,
    Attachment,
    AttachmentError,
    attachment_list,
    checked_name,
    read_attachments,
)
from indicators.evidence import Report, kept_content, read_kept_report, read_report, report_content
from tests.small import steady

HASH = "ab" * 32
PAGE = Attachment(HASH, "page.pdf", 12)
KEPT = {"sha256": HASH, "name": "page.pdf", "bytes": 12}


@pytest.mark.parametrize(
    "name", ["page.pdf", "-rf", "=1+1.csv", "日本 (2).pdf", "گزارش\u200cها.txt", ".hidden", "a" * 200]
)
def test_a_name_that_nothing_obeys_is_taken(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", " ", " a", "a ", "a" * 201, "日" * 67),
        *("a/b", "a\\b", "a:b", "a\0b", "a\nb", "a\tb", "a\x1b[2Jb", "a\x7fb"),
        *("a\u202eb", "a\u2066b", "a\u200fb", "a\u2028b", "a\xa0b", "a\u200bb", "a\udcffb", "a\ue000b"),
    ],
)
def test_a_name_that_something_could_obey_is_refused(name: str) -> None:
    with pytest.raises(AttachmentError, match="its name"):
        checked_name(name)


@steady
@given(st.text(max_size=30))
def test_whatever_is_taken_is_seen_and_stays_in_its_folder(name: str) -> None:
    try:
        taken = checked_name(name)
    except AttachmentError:
        return
    assert not set(taken) & set("/\\:\0\r\n")
    assert all(unicodedata.category(sign) not in ("Cc", "Cs", "Zl", "Zp") for sign in taken)
    assert all(unicodedata.bidirectional(sign) not in ("RLO", "LRO", "RLE", "LRE", "RLI", "LRI") for sign in taken)


def test_what_is_kept_is_read_back() -> None:
    report = Report(indicator="mood", attachments=(PAGE, Attachment("cd" * 32, "b", LARGEST)))
    assert attachment_list(report.attachments)[0] == KEPT
    assert read_kept_report(kept_content(report)) == (report, [])


def test_without_attachments_a_report_is_kept_as_it_always_was() -> None:
    assert kept_content(Report(indicator="mood")) == report_content(Report(indicator="mood")) == {"indicator": "mood"}


def test_a_record_of_a_file_cannot_name_attachments() -> None:
    report, [problem] = read_report({"indicator": "mood", "attachments": [KEPT]})
    assert report is None
    assert problem.what == 'no field "attachments"'


def test_the_fields_of_a_report_say_nothing_of_its_attachments() -> None:
    assert report_content(Report(indicator="mood", attachments=(PAGE,))) == {"indicator": "mood"}


@pytest.mark.parametrize(
    "given",
    [
        *("x", {}, [], [KEPT] * (MOST + 1), [1], [{}], [KEPT | {"more": 1}]),
        *([KEPT | {"sha256": text}] for text in ("", "AB" * 32, "ab" * 31, "../" + "ab" * 32, 5)),
        *([KEPT | {"bytes": size}] for size in (0, -1, True, 1.0, "1", LARGEST + 1)),
        *([KEPT | {"name": name}] for name in ("a/b", "", 5, None, "a\u202eb")),
    ],
)
def test_what_no_ledger_of_ours_keeps_is_refused(given: Any) -> None:
    with pytest.raises(AttachmentError):
        read_attachments(given)
    report, [problem] = read_kept_report({"indicator": "mood", "attachments": given})
    assert report is None
    assert problem.field == "attachments"
