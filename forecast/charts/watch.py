"""Where to look next: what each look is expected to tell for its cost, as bars."""

from __future__ import annotations

from collections.abc import Iterable

from forecast.charts.chart import Chart
from forecast.charts.frame import framed
from forecast.charts.lettering import names_in_lines
from forecast.charts.style import COLOURS, MARGIN, WIDTH, Plain, column, day_text, layer, note, over, pixel
from forecast.display import bits_text, number, shortened
from forecast.information import Look, looks, watch_order
from forecast.release import Released

__all__ = ["watch_chart"]

_ROW = 24
_BARS, _LONGEST = 300, 250
_COST, _WHEN = 690, 720
_MOST = 30
_ORDINARY, _OVERDUE = COLOURS[0], COLOURS[1]


def watch_chart(released: Released, *, title: str = "Where to look next") -> Chart:
    """What the next look at each indicator is expected to tell about the scenarios, in bits per unit of cost.

    Parameters
    ----------
    released : Released
        Drawn are its indicators whose look is overdue, then the others, each by bits per cost. Retired indicators are
        left out, and what comes after the first thirty is only counted.
    title : str, optional

    Returns
    -------
    Chart
        A Vega-Lite 6 specification with its data, about 880 pixels wide.
    """
    return drawn_looks(looks(released.outlook), title=title, said=released.said)


def drawn_looks(looks: Iterable[Look], *, title: str, said: str) -> Chart:
    """The same chart of any looks."""
    ordered = watch_order(look for look in looks if not look.indicator.retired)
    shown, rest = ordered[:_MOST], len(ordered) - _MOST
    longest = max((look.bits_per_cost for look in shown), default=0.0)
    names = names_in_lines([look.indicator.label for look in shown], _BARS - 10, size=12.5)
    rows = [_row(look, n, longest, "".join(names[n])) for n, look in enumerate(shown)]
    said_last = "" if 0 < len(ordered) <= _MOST else f"and {rest} more" if rest > 0 else "No indicator is watched."
    says = "What the next look at each indicator is expected to tell about the scenarios, in bits per unit of cost."
    layers = [*(_heads() if rows else []), *over(rows, _marks())]
    if said_last:
        layers.append(note(said_last, x=0, y=_place(len(rows))))
    return framed(
        layers,
        title=title,
        subtitle=[says, "What is overdue comes first."] if any(look.overdue for look in ordered) else [says],
        description=_description(ordered),
        said=said,
        width=WIDTH + MARGIN,
        height=_place(len(rows) - 1 + bool(said_last)) + _ROW / 2,
    )


def _place(n: int) -> float:
    """The middle of the n-th row, in pixels from the top."""
    return 4 + _ROW * (n + 0.5)


def _row(look: Look, n: int, longest: float, name: str) -> Plain:
    share = look.bits_per_cost / longest if longest > 0 else 0.0
    length = max(_LONGEST * share, 1.0)
    return {
        "y": _place(n),
        "name": name or look.indicator.id,
        "end": _BARS + length,
        "bits": bits_text(look.bits_per_cost),
        "cost": number(look.indicator.cost),
        "when": "overdue" if look.overdue else day_text(look.due) if look.due else "",
        "overdue": look.overdue,
    }


def _marks() -> list[Plain]:
    by_due = {"condition": {"test": "datum.overdue", "value": _OVERDUE}, "value": _ORDINARY}
    value = {"type": "text", "align": "left", "baseline": "middle", "dx": 6, "fontSize": 12.5, "fontWeight": "bold"}
    at = {"y": pixel("y")}
    return [
        layer({"type": "rule", "strokeWidth": 13}, x=pixel("end"), x2={"value": _BARS}, **at, color=by_due),
        layer(value, x=pixel("end"), **at, text={"field": "bits"}),
        column("name", 0, limit=_BARS - 10),
        column("cost", _COST, align="right"),
        column("when", _WHEN, fontWeight={"expr": "datum.overdue ? 'bold' : 'normal'"}),
    ]


def _heads() -> list[Plain]:
    heads = (("Bits per unit of cost", _BARS, "left"), ("Cost", _COST, "right"), ("Next look", _WHEN, "left"))
    return [note(text, x=x, y=-8, align=align) for text, x, align in heads]


def _description(ordered: list[Look]) -> str:
    told = ", ".join(
        f"{shortened(look.indicator.label, 60)} {bits_text(look.bits_per_cost)}{' (overdue)' if look.overdue else ''}"
        for look in ordered[:_MOST]
    )
    return f"Expected information of the next look, in bits per unit of cost: {told or 'none'}."
