"""What an import has to know of a study's log, and no more: what is there already, and what may collide with it.

A log of a million reports does not fit into memory as records, so that of most of them only a short digest is kept.
Corrections are honoured as in `indicators.replay`. That is done in one walk along the entries, or in a second one where
the first learns too late that a report matters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b

from indicators.admission import Standing
from indicators.coverage import Coverage
from indicators.entry import KINDS, Entry
from indicators.evidence import Report, kept_content
from indicators.indicator import Indicator
from indicators.replay import UnreadableEntryError, amended, content_key, record_of, settling

__all__ = ["Register", "digest", "registered"]

IndicatorsOf = Callable[[Entry], Mapping[str, Indicator]]
"""The indicators of a study's revision, by id."""


def digest(text: str) -> bytes:
    """Sixteen bytes that stand for a text: two texts with the same do not occur, and nobody can make them."""
    return blake2b(text.encode(), digest_size=16).digest()


class Register:
    """What is taken and what stands in the log of one study.

    Attributes
    ----------
    revision : Entry or None
        The last of the study; None when nothing defines it.
    refs : set of bytes
        Digests of the refs that any report has or had.
    contents : set of bytes
        Digests of `content_key` of the reports without a ref, as they were logged and as each correction left them, so
        that neither the file they came from nor one exported since is taken for news.
    standing : Standing
        What stands that a report could collide with.
    settled : Entry or None
        What closed the study; None while it is open.
    """

    def __init__(self) -> None:
        self.revision: Entry | None = None
        self.refs: set[bytes] = set()
        self.contents: set[bytes] = set()
        self.standing = Standing()
        self.settled: Entry | None = None


def registered(entries: Callable[[], Iterable[Entry]], indicators_of: IndicatorsOf) -> Register:
    """The register of a study.

    Parameters
    ----------
    entries : callable
        The entries of the study from the first; asked once or twice.
    indicators_of : callable
        What a revision of the study watches.

    Raises
    ------
    UnreadableEntryError
        A payload that matters is not what its kind promises.
    """
    walk = _Walk(indicators_of)
    walk.take(entries())
    if walk.missed:
        walk = _Walk(indicators_of, walk.indicators, frozenset(walk.corrected))
        walk.take(entries())
    return walk.register()


class _Walk:
    """One walk along the entries; the second one knows the last revision and which reports are corrected."""

    def __init__(
        self,
        indicators_of: IndicatorsOf,
        indicators: Mapping[str, Indicator] | None = None,
        kept: frozenset[str] = frozenset(),
    ) -> None:
        self._indicators_of = indicators_of
        self._is_second = indicators is not None
        self.indicators = indicators or {}
        self._kept = kept
        self._found = Register()
        self._records: dict[str, tuple[Entry, Report | Coverage]] = {}
        self._seen: set[str] = set()
        self.corrected: set[str] = set()
        self.missed = False

    def take(self, entries: Iterable[Entry]) -> None:
        steps = {"study": self._study, "evidence": self._evidence, "coverage": self._coverage}
        steps |= {"amend": self._amendment, "retract": self._retraction, "resolve": self._resolution}
        for entry in entries:
            if entry.kind in steps:
                steps[entry.kind](entry)
            elif entry.kind not in KINDS:
                raise UnreadableEntryError(entry, "this version knows no such kind")

    def register(self) -> Register:
        for name, (_, record) in self._records.items():
            indicator = self.indicators.get(record.indicator)
            if indicator is not None:
                self._found.standing.add(name, record, indicator)
        return self._found

    def _study(self, entry: Entry) -> None:
        self._found.revision = entry
        if not self._is_second:
            was, self.indicators = self.indicators, self._indicators_of(entry)
            self.missed |= any(_kind(was, name) != _kind(self.indicators, name) for name in self._seen)

    def _evidence(self, entry: Entry) -> None:
        content = entry.payload
        ref, indicator = content.get("ref", ""), content.get("indicator")
        if not isinstance(ref, str) or not isinstance(indicator, str):
            raise UnreadableEntryError(entry, "its ref or its indicator is not a text")
        if ref:
            self._found.refs.add(digest(ref))
        else:
            self._found.contents.add(digest(content_key(content)))
        self._seen.add(indicator)
        if entry.id in self._kept or self._matters(content):
            self._records[entry.id] = (entry, record_of(entry, "evidence", content))

    def _coverage(self, entry: Entry) -> None:
        self._records[entry.id] = (entry, record_of(entry, "coverage", entry.payload))

    def _amendment(self, entry: Entry) -> None:
        name, changes = str(entry.payload.get("entry")), entry.payload.get("set")
        if not isinstance(changes, dict):
            raise UnreadableEntryError(entry, "it names no changes")
        if isinstance(changes.get("ref"), str):
            self._found.refs.add(digest(changes["ref"]))
        if name in self._records:
            logged, record = self._records[name]
            record = record_of(entry, logged.kind, amended(record, changes))
            self._records[name] = (logged, record)
            if isinstance(record, Report) and not record.ref:
                self._found.contents.add(digest(content_key(kept_content(record))))
        self.missed |= name not in self._records
        self.corrected.add(name)

    def _retraction(self, entry: Entry) -> None:
        name = str(entry.payload.get("entry"))
        self._records.pop(name, None)
        self.corrected.add(name)

    def _resolution(self, entry: Entry) -> None:
        self._found.settled = settling(entry)

    def _matters(self, content: Mapping[str, object]) -> bool:
        """Whether a report could collide with another: one of a milestone, or over a span."""
        return "to" in content or _kind(self.indicators, content["indicator"]) == "milestone"


def _kind(indicators: Mapping[str, Indicator], name: object) -> str:
    indicator = indicators.get(name) if isinstance(name, str) else None
    return indicator.kind if indicator is not None else ""
