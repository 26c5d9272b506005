"""A chart: its Vega-Lite specification, which draws itself for a notebook, a page, a document."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from forecast.charts.night import at_night
from forecast.charts.picture import pdf, png, svg
from forecast.display import shortened

__all__ = ["Chart"]


class Chart(dict[str, Any]):
    """A Vega-Lite 6 specification with its data: plain values that JSON holds, and nothing that has to be fetched.

    Users' texts in it are texts: no drawing obeys them. They are not escaped for any other format: a page that holds
    the specification itself has to.
    """

    def png(self, *, scale: float = 2) -> bytes:
        """As a PNG picture, `scale` times its size in pixels."""
        return png(self, scale=scale)

    def svg(self) -> str:
        """As an SVG document whose texts are texts, in the reader's Arial or what stands for it."""
        return svg(self)

    def pdf(self) -> bytes:
        """As a PDF of one page, with its fonts in it and texts that can be searched."""
        return pdf(self)

    def at_night(self) -> Chart:
        """The same for a page in dark colours."""
        return Chart(at_night(self))

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str]:
        """What a notebook shows: the drawing, which needs no network; where it cannot, what `repr` says."""
        return {"image/svg+xml": self.svg()}

    def __repr__(self) -> str:
        return f"<Chart: {shortened(str(self.get('description', '')), 300)}>"
