"""What a report says of its study's record, as plain texts and tables: what was published, and did it come true.

Like `content`, it computes nothing anew. A table is a header and lines of texts, so that every format sets it alike.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forecast.display import counted, one_line, percent, shortened
from forecast.probability import Floats
from forecast.publication import Publication
from forecast.release import ReleasedTrack
from forecast.released_record import StudyRecord
from forecast.short_run import COLUMNS, FEWEST, ShortRun
from forecast.study import Study
from forecast.suggestion import of_what, suggested_rows, unit_of_looks
from forecast.track import BASELINES, TRACKS, Against, StudyScore, TrackRecord
from indicators.markings import mark_text

__all__ = ["PublicationLine", "RecordPart", "TablePart", "groups_table", "record_part"]

_MOST_PUBLICATIONS, _MOST_SCENARIOS, _MOST_STUDIES = 20, 5, 30
_NAME, _TITLE = 40, 60
_WHOSE = {"engine": "Engine", "opinion": "Own opinion"}
_REFERENCES = {
    "prior": "Prior",
    "uniform": "Equal chances",
    "persistence": "First publication, held to the end",
}

_HOW_ALL_COUNT = (
    "Each study counts the same. Skill is by the Brier score: above 0 is better than the prior, than equal chances, or "
    "than the first publication held to the end. In parentheses is the 5th to 95th percentile over studies drawn anew."
)


@dataclass(frozen=True)
class TablePart:
    """A table.

    Attributes
    ----------
    caption : str
    header : tuple of str
    rows : tuple of tuple of str
        Each as long as the header; the first cell names the row.
    numbers : tuple of int
        Which columns are numbers, from 0.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class PublicationLine:
    """A publication, or the own opinion in it, in words: for tables whose columns are fixed."""

    whose: str
    published: str
    as_of: str
    says: str


@dataclass(frozen=True)
class RecordPart:
    """The record of a study.

    Attributes
    ----------
    stands : str
        Whether the study is open, settled or void.
    published : str
        How much was published, and what is not told of it.
    publications : tuple of TablePart
        What was published: of many scenarios, some in each table.
    publication_lines : tuple of PublicationLine
        The same in words.
    scored : str
        What the scores are, or why there are none.
    scores : TablePart or None
    ran : str
        The short-run record in two sentences, or why there is none.
    short_run : TablePart or None
    notes : tuple of str
        What a reader of it must know.
    suggested : str
        What the suggested rows are, or why there are none.
    suggestions : tuple of TablePart
    house : str
        What all resolved studies of the ledger come to; empty where there is no other than this.
    studies, skills : TablePart or None
        Those, study by study; and against what they had to beat.
    """

    stands: str
    published: str
    publications: tuple[TablePart, ...]
    publication_lines: tuple[PublicationLine, ...]
    scored: str
    scores: TablePart | None
    ran: str
    short_run: TablePart | None
    notes: tuple[str, ...]
    suggested: str
    suggestions: tuple[TablePart, ...]
    house: str
    studies: TablePart | None
    skills: TablePart | None


def record_part(record: StudyRecord, study: Study) -> RecordPart:
    """What a report says of a record; `study` is the revision that its outlook has."""
    shown = record.publications[-_MOST_PUBLICATIONS:]
    suggestions = tuple(_suggestions(record, study))
    return RecordPart(
        stands=_stands(record, study),
        published=_published(record, len(shown)),
        publications=tuple(_publication_tables(shown, study)),
        publication_lines=tuple(line for publication in shown for line in _lines(publication, study)),
        scored=_scored(record),
        scores=_scores(record.own.record) if record.own else None,
        ran=_ran(record),
        short_run=_short_run(record.run) if record.run else None,
        notes=tuple(map(one_line, record.notes)),
        suggested=_suggested(record, suggestions),
        suggestions=suggestions,
        house=_house(record.house, record.level) if record.house else "",
        studies=_studies(record.house.record) if record.house else None,
        skills=_skills(record.house.record) if record.house else None,
    )


def _stands(record: StudyRecord, study: Study) -> str:
    found = record.resolution
    if found is None:
        return f"The study is open until {study.horizon}; there is nothing to score before it is resolved."
    if found.scenario is None:
        return f"The study is void, and is not scored: {shortened(found.why, 300)}."
    return f"The study was settled on {found.on}: {_names(study).get(found.scenario, found.scenario)}."


def _names(study: Study) -> dict[str, str]:
    return {scenario.id: shortened(scenario.label, _NAME) for scenario in study.scenarios}


# What was published


def _published(record: StudyRecord, shown: int) -> str:
    n = len(record.publications)
    told = []
    if n:
        told.append(f"{counted(n, 'publication')}. A score counts each from the day on which it was published.")
    elif not record.withheld:
        told.append("Nothing was published of it, and only what is published is ever scored.")
    if shown < n:
        told.append(f"The last {shown} are shown.")
    if record.withheld:
        what = f"{record.withheld} more" if n else counted(record.withheld, "publication")
        told.append(f"Left out, for resting on what is marked above {mark_text(record.level)}: {what}.")
    return " ".join(told)


def _publication_tables(shown: Sequence[Publication], study: Study) -> Iterator[TablePart]:
    """Every scenario that is spoken of has a column; those of the study come first, in its order."""
    spoken = (said.scenario for publication in shown for said in publication.scenarios)
    names = _names(study) | {name: shortened(name, _NAME) for name in spoken if name not in study.scenario_ids}
    if not shown:
        return
    scenarios = list(names)
    # As even as they can be, rather than a last one with a single column.
    tables = math.ceil(len(scenarios) / _MOST_SCENARIOS)
    for part in np.array_split(np.array(scenarios, dtype=object), tables):
        yield TablePart(
            caption="What was published, as it was said",
            header=("Publication", "Published", "As of", *(names[name] for name in part)),
            rows=tuple(row for publication in shown for row in _publication_rows(publication, part.tolist())),
            numbers=tuple(range(3, 3 + len(part))),
        )


def _publication_rows(found: Publication, scenarios: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for whose, said in _said(found):
        cells = (percent(said[name]) if name in said else "" for name in scenarios)
        yield (whose, found.recorded_at[:10], str(found.as_of), *cells)


def _said(found: Publication) -> Iterator[tuple[str, Mapping[str, float]]]:
    """What the engine said, and the opinion where there is one."""
    yield str(found.number), {said.scenario: said.probability for said in found.scenarios}
    if found.opinion:
        yield f"{found.number}, own opinion", found.opinion


def _lines(found: Publication, study: Study) -> Iterator[PublicationLine]:
    names = _names(study)
    for whose, said in _said(found):
        says = ", ".join(f"{names.get(name, one_line(name))} {percent(p)}" for name, p in said.items())
        yield PublicationLine(whose, found.recorded_at[:10], str(found.as_of), says)


# How it came out


def _scored(record: StudyRecord) -> str:
    if record.resolution is None or record.resolution.is_void:
        return ""
    if record.own is None:
        return "It is not scored here, for something that was published is left out."
    if not record.own.record.studies:
        why = "; ".join(item.why for item in record.own.record.unsaid) or "its publications are left out"
        return f"There is nothing to score: {why}."
    days = len(record.own.record.studies[0].own)
    return (
        f"Scores are means over the {counted(days, 'day')} that the study was open, of what had been published by "
        "then, and of the prior before that; lower is better."
    )


def _scores(found: TrackRecord) -> TablePart | None:
    """What each track scored, and what it had to beat."""
    if not found.studies:
        return None
    rows = [(_WHOSE[score.track], *_numbers(score.mean)) for score in found.studies]
    for score in found.studies:
        for name, label in _REFERENCES.items():
            if name == "persistence" and score.track == "opinion":
                label = "First own opinion, held to the end"
            elif score is not found.studies[0]:
                continue
            rows.append((label, *_numbers(score.references[name].mean(axis=0))))
    header = ("Whose", "Brier", "Log", "Ranked")
    return TablePart("Scores of what was published, and of what it had to beat", header, tuple(rows), (1, 2, 3))


def _numbers(scores: Floats) -> tuple[str, ...]:
    return tuple(f"{x:.4f}" if math.isfinite(x) else "infinite" for x in scores.tolist())


# How the rows have done


def _ran(record: StudyRecord) -> str:
    if record.run is None:
        return f"The log has {record.entries:,} entries, too many for a report; the command forecast record tells it."
    if not any(len(item) for item in record.run.indicators):
        return record.run.said
    return (
        f"{one_line(record.run.said)} Each is scored by the chance that the engine gave it just before it was logged, "
        "and by the chance by the indicator's own past. Above 0 the gain says that the rows have helped; over two "
        f"standard errors they serve or mislead, and below {FEWEST} scored are too few to tell."
    )


def _short_run(run: ShortRun) -> TablePart | None:
    """Of the indicators of which something is scored."""
    rows = tuple(
        (shortened(item.indicator.label, _TITLE), *item.cells[1:]) for item in run.indicators if len(item.scored)
    )
    header = tuple(name.capitalize() for name in COLUMNS)
    numbers = tuple(range(1, len(COLUMNS) - 1))
    return TablePart("Mean log scores, lower is better", header, rows, numbers) if rows else None


def _suggested(record: StudyRecord, there: Sequence[TablePart]) -> str:
    if record.run is None or not any(len(item) for item in record.run.indicators):
        return ""
    if not there:
        return (
            f"No indicator has {FEWEST} scored reports or misleads, so no other rows are suggested. "
            "The command forecast record --rows shows them all the same."
        )
    return (
        f"What the log would make of the rows, for indicators with {FEWEST} scored reports or whose rows mislead: to "
        "be looked at beside the stated ones, and never applied. It leans on the very probabilities that it would "
        "change."
    )


def _suggestions(record: StudyRecord, study: Study) -> Iterator[TablePart]:
    for name, found in record.suggestions.items():
        indicator = study.by_id[name]
        rows, last = [], ""
        for row in suggested_rows(study, found):
            last = one_line(row.scenario) or last
            rows.append((last, row.stated, row.suggested, row.looks))
        header = ("If this is true", "Stated", "The log suggests", unit_of_looks(indicator).capitalize())
        caption = f"{shortened(indicator.label, _TITLE)}: {one_line(of_what(indicator))}"
        yield TablePart(caption, header, tuple(rows), (1, 2, 3))


# All resolved studies


def _house(found: ReleasedTrack, level: str) -> str:
    record = found.record
    settled = len({score.study.study for score in record.studies} | {item.study for item in record.unsaid})
    told = [f"This ledger holds {settled} settled {'study' if settled == 1 else 'studies'}."]
    if record.void:
        told.append(f"{len(record.void)} more {'is' if len(record.void) == 1 else 'are'} void, and not scored.")
    if record.unsaid:
        told.append(f"Of {len(record.unsaid)} nothing was published in time.")
    if record.left_out:
        told.append(f"Left out, for being marked above {mark_text(level)}: {record.left_out}.")
    if not record.studies:
        told.append("There is nothing to score yet.")
    else:
        told.append(_HOW_ALL_COUNT)
    if (n := len({score.study.study for score in record.studies})) > _MOST_STUDIES:
        told.append(
            f"The last {_MOST_STUDIES} of the {n} that are scored are shown; the command forecast score has them all."
        )
    return " ".join(told)


def _studies(found: TrackRecord) -> TablePart | None:
    there = list(dict.fromkeys(score.study.study for score in found.studies))[-_MOST_STUDIES:]
    titles = Counter(score.study.title for score in found.studies if score.track == TRACKS[0])
    rows = tuple(
        _study_row(score, titles[score.study.title] > 1)
        for name in there
        for score in found.studies
        if score.study.study == name
    )
    header = ("Study", "Track", "Came true", "On", "Days", "Brier", "Log", "Ranked", "Brier of prior")
    return TablePart("Every settled study that is scored", header, rows, (4, 5, 6, 7, 8)) if rows else None


def _study_row(score: StudyScore, has_namesakes: bool) -> tuple[str, ...]:
    study = score.study
    name = f"{study.study}, {study.title}" if has_namesakes else study.title
    about = (shortened(name, _TITLE), _WHOSE[score.track], shortened(study.outcome, _NAME), str(study.on))
    prior = f"{score.references['prior'][:, 0].mean():.4f}"
    return (*about, str(len(score.own)), *_numbers(score.mean), prior)


def _skills(found: TrackRecord) -> TablePart | None:
    rows = []
    for track in TRACKS:
        for summary in found.summaries:
            if (summary.track, summary.by) == (track, "all"):
                against = {item.baseline: item for item in summary.against}
                about = (_WHOSE[track], str(summary.studies), *_numbers(summary.scores))
                rows.append((*about, *(_skill(against.get(name)) for name in BASELINES if name in _REFERENCES)))
    header = ("Track", "Studies", "Brier", "Log", "Ranked", "Over the prior", "Over equal chances", "Over the first")
    caption = "All of them: mean scores, and the skill over what they had to beat"
    return TablePart(caption, header, tuple(rows), tuple(range(1, len(header)))) if rows else None


def _skill(found: Against | None) -> str:
    if found is None or math.isnan(found.skill[0]):
        return "-"
    whole = f"{found.skill[0]:+.2f}"
    return whole if math.isnan(found.low[0]) else f"{whole} ({found.low[0]:+.2f} to {found.high[0]:+.2f})"


def groups_table(found: TrackRecord) -> TablePart | None:
    """The scores by tag, by author and by how far ahead it was said; None where nothing is scored."""
    rows = []
    for summary in found.summaries:
        if summary.by == "all":
            continue
        of = f"{summary.name} ahead" if summary.by == "lead" else f"{summary.by} {summary.name}"
        against = {item.baseline: item for item in summary.against}
        about = (shortened(of, _NAME), _WHOSE[summary.track], str(summary.studies), f"{summary.days:,}")
        skills = (_skill(against.get(name)) for name in BASELINES if name in _REFERENCES)
        rows.append((*about, *_numbers(summary.scores), *skills))
    skill = ("Over the prior", "Over equal chances", "Over the first")
    header = ("Of", "Track", "Studies", "Days", "Brier", "Log", "Ranked", *skill)
    caption = "By tag, by author and by days to the horizon: mean scores, and the skill over what they had to beat"
    return TablePart(caption, header, tuple(rows), tuple(range(2, len(header)))) if rows else None
