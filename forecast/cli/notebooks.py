"""Running the notebook of a report, so that its outputs are in it."""

from __future__ import annotations

import os
import tempfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast.cli.options import Asked, asked_for, ledger_address
from indicators.errors import WatchfloorError

if TYPE_CHECKING:
    from forecast.release import Released

__all__ = ["executed_notebook"]

_SECONDS = 300


class NoJupyterError(WatchfloorError):
    """Jupyter is not installed."""

    def __init__(self) -> None:
        mend = "install it with `pip install 'watchfloor[notebook]'`, or write .html"
        super().__init__("a notebook needs jupyter, which is not installed", where="forecast report", mend=mend)


class NotebookFailedError(WatchfloorError):
    """A cell of the notebook failed."""


def executed_notebook(released: Released, asked: Asked, *, since: date | None) -> str:
    """The notebook of a report as its file holds it, run to its end.

    For an audience, and where the ledger is a database, it does not say where the ledger is: FORECAST_LEDGER does.
    """
    from forecast.report.notebook import notebook_text, parametrised, values_of

    try:
        import nbformat
    except ImportError:
        raise NoJupyterError from None
    address = ledger_address(asked_for("ledger", asked.ledger))
    is_named = isinstance(address, Path) and asked.max_tlp is None
    values = values_of(
        released,
        known_at=asked.known_at,
        published=asked.published,
        since=since,
        max_tlp=asked.max_tlp,
        without_above=asked.without_above,
        draws=asked.draws,
    )
    found = nbformat.reads(notebook_text(), as_version=4)  # type: ignore[no-untyped-call]
    parametrised(found.cells, values)
    _run(found, str(address.resolve()) if isinstance(address, Path) else str(address))
    if is_named:
        parametrised(found.cells, {**values, "ledger": str(address)})
    text: str = nbformat.writes(found)  # type: ignore[no-untyped-call]
    return text + "\n"


def _run(found: Any, ledger: str) -> None:
    """Run the cells in a folder of their own; the kernel is reached through a socket that no other user can open."""
    try:
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError
        from traitlets.config import Config
    except ImportError:
        raise NoJupyterError from None
    with tempfile.TemporaryDirectory(prefix="nbk_") as folder:
        client = NotebookClient(
            found,
            timeout=_SECONDS,
            kernel_name="python3",
            record_timing=False,
            resources={"metadata": {"path": folder}},
            config=Config({"KernelManager": {"transport": "ipc", "ip": f"{folder}/k"}}),
        )
        try:
            client.execute(env={**os.environ, "FORECAST_LEDGER": ledger})
        except CellExecutionError as error:
            what = f"a cell of the notebook failed ({error.ename}: {error.evalue})"
            raise NotebookFailedError(what, where="forecast report", mend="run it in Jupyter to see where") from None
