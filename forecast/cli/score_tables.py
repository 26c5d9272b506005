"""What people see of scores in a terminal: the track record, and the scores of a table. Values in, lines printed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from rich.console import Console
from rich.text import Text

from forecast.cli.tables import console, print_table
from forecast.comparison import FEWEST_QUESTIONS, Comparison
from forecast.corp import Band, Bin, Pooled, histogram
from forecast.crowd import Crowd
from forecast.display import bar, counted, one_line, shortened
from forecast.probability import Floats
from forecast.release import ReleasedTrack
from forecast.scorecard import curve_band
from forecast.table_scores import TableScores
from forecast.track import BASELINES, Against, StudyScore, Summary, Unscored
from indicators.markings import TLP_LEVELS

__all__ = ["print_record", "print_table_scores"]

_BAR = 20
_MOST_ROWS = 20


def print_record(released: ReleasedTrack, crowd: Crowd | None = None) -> None:
    """The track record: study by study, against the baselines, and what is not scored."""
    out, record = console(), released.record
    head = f"ledger {released.head.entries}:{released.head.hash[:12]}"
    settled = len({score.study.study for score in record.studies} | {item.study for item in record.unsaid})
    numbers = f"{_studies(settled)} settled, {len(record.void)} void, {len(record.open)} open"
    out.print(Text(f"track record: {numbers}; {head}", style="bold"))
    if released.tlp != TLP_LEVELS[0] or released.gap:
        out.print(Text(released.said, style="bold"))
    if not record.studies:
        out.print(Text("nothing is scored yet: publish with `forecast publish`, and resolve with `forecast resolve`"))
    else:
        _print_studies(record.studies)
        _print_summaries(record.summaries)
        out.print(_EXPLAINED)
    _print_unscored(out, "void", record.void)
    _print_unscored(out, "not scored", record.unsaid)
    if crowd is not None and (crowd.unfit or crowd.others):
        told = f"crowd: {counted(crowd.unfit, 'unfit forecast')} and {counted(crowd.others, 'row')} of others left out"
        out.print(Text(told, style="yellow"))


_EXPLAINED = Text(
    "Scores are means over the days open, lower is better; MCB (miscalibration) costs, DSC (discrimination) gains.\n"
    "Skill is by the Brier score, above 0 is better than the baseline, with the 5th to 95th percentile over studies\n"
    "drawn anew. Persistence: the first publication held to the end.",
    style="dim",
)


def _print_studies(scores: Sequence[StudyScore]) -> None:
    columns = ("study", "track", "came true", "on", "days", "Brier", "log", "ranked")
    baselines = [name for name in BASELINES if any(name in score.references for score in scores)]
    rows = []
    for score in scores:
        study = score.study
        about = [study.study, score.track, study.outcome, str(study.on), str(len(score.own))]
        theirs = [_score(_mean_brier(score.references.get(name))) for name in baselines]
        rows.append([*about, *map(_score, score.mean.tolist()), *theirs])
    shown = [f"Brier of {name}" for name in baselines]
    print_table((*columns, *shown), rows, right=("days", "Brier", "log", "ranked", *shown))


def _mean_brier(scores: Floats | None) -> float:
    """Mean Brier score over the days that have one; NaN where none has."""
    values = np.array([np.nan]) if scores is None else scores[:, 0]
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else math.nan


def _print_summaries(summaries: Sequence[Summary]) -> None:
    """Two tables of the same groups: the scores, and the skill."""
    baselines = [name for name in BASELINES if any(a.baseline == name for s in summaries for a in s.against)]
    scores, skills = [], []
    for summary in summaries:
        of = {"all": "all", "lead": f"{summary.name} ahead"}.get(summary.by, f"{summary.by} {summary.name}")
        found = {item.baseline: item for item in summary.against}
        parts = summary.calibration.decomposition
        about = [summary.track, shortened(of, 30), str(summary.studies)]
        calibration = [_score(parts.miscalibration), _score(parts.discrimination)]
        scores.append([*about, f"{summary.days:,}", *map(_score, summary.scores.tolist()), *calibration])
        skills.append([*about, *(_skill(found.get(name)) for name in baselines)])
    numbers = ("studies", "days", "Brier", "log", "ranked", "MCB", "DSC")
    print_table(("track", "of", *numbers), scores, right=numbers)
    over = [f"skill over {name}" for name in baselines]
    print_table(("track", "of", "studies", *over), skills, right=("studies", *over))


def _skill(found: Against | None) -> str:
    if found is None or math.isnan(found.skill[0]):
        return "-"
    whole = f"{found.skill[0]:+.2f}"
    return whole if math.isnan(found.low[0]) else f"{whole} ({found.low[0]:+.2f} to {found.high[0]:+.2f})"


def _print_unscored(out: Console, what: str, items: Sequence[Unscored]) -> None:
    for item in items:
        out.print(Text(f"{what}: {item.study}: {shortened(item.why, 90)}", style="yellow"))


def print_table_scores(scores: TableScores) -> None:
    """The scores of a table: all of it, how well calibrated, who was better than whom, and what was left out."""
    out = console()
    of = "" if scores.questions is None else f" of {counted(scores.questions, 'question')}"
    title = (
        f"{one_line(scores.file)}: {counted(scores.rows, 'row')}, {counted(scores.forecasts, 'forecast')}{of} scored"
    )
    out.print(Text(title, style="bold"))
    form = "(p - o)^2" if scores.is_binary else "summed over the outcomes of a question"
    out.print(Text(f"Brier {scores.brier:.4f} ({form})   log {_score(scores.log)}"))
    if scores.impossible:
        told = f"the log score is infinite: {counted(scores.impossible, 'forecast')} gave no chance to what happened"
        out.print(Text(told, style="yellow"))
    parts = scores.calibration.decomposition
    each = "" if scores.is_binary else " of each outcome"
    out.print(
        Text(
            f"Brier{each} {parts.score:.4f} = miscalibration {parts.miscalibration:.4f} "
            f"- discrimination {parts.discrimination:.4f} + uncertainty {parts.uncertainty:.4f}"
        )
    )
    _print_histogram(scores.calibration)
    _print_forecasters(out, scores)
    _print_comparisons(out, scores)
    for item in scores.left_out:
        more = ", ..." if item.count > len(item.named) else ""
        out.print(
            Text(f"left out {item.count:,}: {item.what}: {one_line('; '.join(item.named))}{more}", style="yellow")
        )
    for sentence in scores.notes:
        out.print(Text(f"note: {sentence}", style="dim"))


def _print_histogram(found: Pooled) -> None:
    """How often each probability was given, how often that came true, and the calibration curve with its band."""
    parts, band = histogram(found, bins=10), curve_band(found)
    most = max(part.forecasts for part in parts)
    rows = [
        [
            f"{100 * part.low:.0f} to {100 * part.high:.0f} %",
            f"{part.forecasts:,}",
            bar(part.forecasts / most, _BAR),
            *_curve_cells(part, found, band),
        ]
        for part in parts
    ]
    columns = ("given", "forecasts", "", "came true", "curve", "curve if all is right")
    print_table(columns, rows, right=[name for name in columns if name])


def _curve_cells(part: Bin, found: Pooled, band: Band) -> list[str]:
    """How often it came true; then the curve and its band in the middle of the part."""
    if not part.forecasts:
        return ["-", "-", "-"]
    middle = 0.5 * (part.low + part.high)
    fit, low, high = (float(np.interp(middle, found.probabilities, a)) for a in (found.fit, band.low, band.high))
    return [_frequency(part.came_true / part.forecasts), _frequency(fit), f"{_frequency(low)} to {_frequency(high)}"]


def _frequency(share: float) -> str:
    """A share that was counted, which may well be none or all."""
    return f"{100 * share:.1f} %"


def _print_forecasters(out: Console, scores: TableScores) -> None:
    if len(scores.forecasters) < 2:
        return
    rows = []
    for item in scores.forecasters[:_MOST_ROWS]:
        parts = item.calibration.decomposition if item.calibration else None
        rows.append(
            [
                *(shortened(item.name, 40), f"{item.forecasts:,}"),
                *("-" if item.questions is None else f"{item.questions:,}", _score(item.brier), _score(item.log)),
                *(("-", "-") if parts is None else (_score(parts.miscalibration), _score(parts.discrimination))),
            ]
        )
    columns = ("forecaster", "forecasts", "questions", "Brier", "log", "MCB", "DSC")
    print_table(columns, rows, right=columns[1:])
    if len(scores.forecasters) > _MOST_ROWS:
        out.print(Text(f"and {counted(len(scores.forecasters) - _MOST_ROWS, 'more forecaster')}; --csv has all"))


def _print_comparisons(out: Console, scores: TableScores) -> None:
    """Who was better on common questions; pairs with too few of them are only counted."""
    tested = [item for item in scores.comparisons if not math.isnan(item.p)]
    if tested:
        names = [item.name for item in scores.forecasters]
        columns = ("better", "than", "common questions", "Brier less by", "90 % interval", "p", "p by Holm")
        print_table(columns, [_pair(item, names) for item in tested[:_MOST_ROWS]], right=columns[2:])
        if len(tested) > _MOST_ROWS:
            out.print(Text(f"and {counted(len(tested) - _MOST_ROWS, 'more pair')}; --json has all"))
    few = len(scores.comparisons) - len(tested)
    if few:
        out.print(
            Text(f"{counted(few, 'pair')} with fewer than {FEWEST_QUESTIONS} common questions: not tested", style="dim")
        )


def _pair(item: Comparison, names: Sequence[str]) -> list[str]:
    better, than = (item.one, item.other) if item.difference <= 0.0 else (item.other, item.one)
    low, high = sorted((-item.low, -item.high) if item.difference <= 0.0 else (item.low, item.high))
    interval = f"{low:+.4f} to {high:+.4f}"
    numbers = [
        f"{item.questions:,}",
        f"{abs(item.difference):.4f}",
        interval,
        f"{item.p:.2g}",
        f"{item.p_adjusted:.2g}",
    ]
    return [shortened(names[better], 30), shortened(names[than], 30), *numbers]


def _score(value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:.4f}" if math.isfinite(value) else "infinite"


def _studies(n: int) -> str:
    return f"{n} study" if n == 1 else f"{n} studies"
