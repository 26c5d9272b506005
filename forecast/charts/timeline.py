"""The probability of each scenario over time: how sure it is, what moved it, and how it goes on with nothing new."""

from __future__ import annotations

from forecast.charts.chart import Chart
from forecast.charts.frame import framed
from forecast.charts.line_ends import LineEnd, line_ends
from forecast.charts.moves import badges, told, told_lines
from forecast.charts.plot import Plot
from forecast.charts.style import Plain, day_text, value_axis
from forecast.charts.time_axis import TimeAxis
from forecast.display import counted, one_line, percent
from forecast.outlook import Outlook
from forecast.projection import Projection, projection
from forecast.release import Released

__all__ = ["timeline_chart"]

_HEIGHT = 300
_LEGEND = _HEIGHT + 60
_MOST_POINTS = 400
_POINTS_TO_COME = 60


def timeline_chart(released: Released, *, title: str | None = None) -> Chart:
    """The probability of each scenario over time, with its band, its projection, and the reports that moved it most.

    A ribbon shows the 5th to the 95th percentile of the leading scenario on every day, a bar the same of each (of the
    seven likeliest, where there are more) on the as-of day. Right of that day the lines go on to the horizon with
    nothing new logged. They are named at their right end, with the probability at the horizon and, in bold, on the
    as-of day. The reports that moved a probability most on their day, at most eight, stand as numbers on top, in order
    of time, and are told in the lines below.

    Parameters
    ----------
    released : Released
        What the gate lets out; the chart says its mark, and what was left out.
    title : str, optional
        Left out, the study's.

    Returns
    -------
    Chart
        A Vega-Lite 6 specification with its data, about 880 pixels wide.
    """
    outlook = released.outlook
    time = TimeAxis(outlook.study.opens, outlook.as_of, outlook.study.horizon)
    plot = Plot(time, outlook.final, domain=(0.0, 1.0), height=_HEIGHT)
    reports, to_come = told(outlook), projection(outlook)
    days, corners = outlook.days, _corners(outlook)
    drawn, of = [days[x] for x, _ in corners], [t for _, t in corners]
    percents = value_axis(values=[0, 0.25, 0.5, 0.75, 1], labelExpr="format(100 * datum.value, 'd') + ' %'")
    bands = outlook.bands
    about = f"As of {day_text(outlook.as_of)}, from {counted(len(outlook.report_contributions), 'report')}."
    layers = [
        *time.zone(_HEIGHT, "with nothing new"),
        *plot.ribbon(drawn, bands.low[of], bands.high[of]),
        *badges(reports, time, _HEIGHT),
        *plot.lines("p", drawn, outlook.course[of], axis=percents),
        *_lines_to_come(plot, to_come),
        *plot.bars(time.now, low=bands.low[-1], middle=outlook.final, high=bands.high[-1]),
        *_names(outlook, plot, to_come),
        *told_lines(outlook, reports, top=_LEGEND),
    ]
    return framed(
        layers,
        title=title or outlook.study.label,
        subtitle=[outlook.study.question, f"{about} {plot.bands}"],
        description=_description(outlook),
        said=released.said,
        height=_HEIGHT,
    )


def _description(outlook: Outlook) -> str:
    """What the picture says, for those who cannot see it."""
    low, high = outlook.bands.low[-1].tolist(), outlook.bands.high[-1].tolist()
    stands = ", ".join(
        f"{one_line(scenario.label)} {percent(p)} ({_range(a, b)})"
        for scenario, p, a, b in zip(outlook.study.scenarios, outlook.final.tolist(), low, high, strict=True)
    )
    return f"Probability of each scenario from {outlook.study.opens} to {outlook.as_of}. On the last day: {stands}."


def _range(low: float, high: float) -> str:
    """A band in whole percent, never 0 or 100: `9 to 96 %`, `<1 %`."""
    ends = ["<1" if p < 0.005 else ">99" if p > 0.995 else f"{100 * p:.0f}" for p in (low, high)]
    return f"{ends[0]} %" if ends[0] == ends[1] else f"{ends[0]} to {ends[1]} %"


def _corners(outlook: Outlook) -> list[tuple[int, int]]:
    """The days between which straight lines are drawn, each with the day whose probability is taken.

    Some hundred evenly spaced; a report's day comes twice, with the probability of the day before first, so that what a
    report did is a jump and what time did is a slope.
    """
    last = len(outlook.days) - 1
    jumps = {outlook.study.day_index(item.live.report.dated) for item in outlook.report_contributions} - {0}
    evenly = range(0, last + 1, max(1, last // _MOST_POINTS))
    return sorted([*((t, t) for t in {*evenly, *jumps, last}), *((t, t - 1) for t in jumps)])


def _lines_to_come(plot: Plot, to_come: Projection) -> list[Plain]:
    last = len(to_come.days) - 1
    if not last:
        return []
    points = sorted({*range(0, last, max(1, last // _POINTS_TO_COME)), last})
    return plot.lines("then", [to_come.days[t] for t in points], to_come.course[points], faint=True)


def _names(outlook: Outlook, plot: Plot, to_come: Projection) -> list[Plain]:
    """Each scenario's name at the end of its line, with its probability there and on the as-of day."""
    study, goes_on = outlook.study, len(to_come.days) > 1
    low, high = outlook.bands.low[-1].tolist(), outlook.bands.high[-1].tolist()
    then = to_come.course[-1].tolist()
    ends = [
        LineEnd(plot.y(then[k]), percent(then[k]) if goes_on else "", percent(p), _range(low[k], high[k]))
        for k, p in enumerate(outlook.final.tolist())
    ]
    return line_ends(
        study.scenarios,
        ends,
        heads=[study.horizon, outlook.as_of] if goes_on else [outlook.as_of],
        leader=plot.leader,
        height=_HEIGHT,
        clear=0 if goes_on else plot.bars_width,
    )
