"""A study's text with the histories that it names: their rows, and the models fitted to them.

Opens no file. Where a study is revised without its folder at hand, the histories are those that were recorded with the
revision before, and so are the fits whose history and model are the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from forecast.baseline import Baselines, Fit, FitError, fitted
from forecast.history import Row, read_history, series_faults
from forecast.study import Study
from forecast.study_file import NamedHistory, examined
from forecast.yaml_tree import shown
from indicators.errors import Fault, FaultsError

__all__ = ["fits_of", "history_rows", "revised"]


def history_rows(text: str, named: NamedHistory, *, file: str) -> tuple[list[Row], list[Fault]]:
    """The rows of a history's text, and every fault of it; no rows where it has one.

    Parameters
    ----------
    text : str
        Of the history.
    named : NamedHistory
        As an indicator names it.
    file : str
        The history's name, for the faults.
    """
    rows, faults = read_history(text, file=file, with_values=named.model is not None)
    if not faults and named.model is not None:
        faults = series_faults(rows, file=file, opens=named.opens)
    return ([] if faults else rows), faults


def fits_of(
    histories: Sequence[NamedHistory],
    rows: Mapping[str, Sequence[Row]],
    *,
    file: str,
    known: Mapping[str, Fit] | None = None,
) -> dict[str, Fit]:
    """The fit of each measure's model, by indicator id.

    Parameters
    ----------
    histories : sequence of NamedHistory
    rows : mapping
        Of each, by indicator id.
    file : str
        The study file, for the faults.
    known : mapping, optional
        Fits that hold already, by indicator id.

    Raises
    ------
    FaultsError
        With each that cannot be fitted.
    """
    fits = dict(known or {})
    faults: list[Fault] = []
    for named in histories:
        if named.model is not None and named.indicator not in fits:
            try:
                fits[named.indicator] = fitted(rows[named.indicator], named.model)
            except FitError as error:
                place = named.model_place
                faults.append(Fault(file, place.line, place.column, f"{shown(named.model)}: {error.what}", error.mend))
    if faults:
        raise FaultsError(faults)
    return fits


def revised(text: str, *, file: str, before: Study) -> Study:
    """The study that a changed text states, with the histories of the revision before.

    Parameters
    ----------
    text : str
        Of the study file.
    file : str
        Its name, for the faults.
    before : Study
        With its baselines.

    Raises
    ------
    FaultsError
        With every fault, in the order of their places; a history that the revision before does not have is one.
    """
    found = examined(text, file=file)
    texts, rows, faults = {}, {}, list(found.faults)
    for named in found.histories:
        recorded = before.baselines.histories.get(named.name)
        if recorded is None:
            faults.append(_not_recorded(named, file))
            continue
        texts[named.name] = recorded
        rows[named.indicator], wrong = history_rows(recorded, named, file=named.name)
        faults += wrong
    if faults or found.study is None:
        raise FaultsError({*faults})
    fits = fits_of(found.histories, rows, file=file, known=_kept(found.histories, texts, before))
    return found.study.with_baselines(Baselines.of(found.study.indicators, texts, fits))


def _not_recorded(named: NamedHistory, file: str) -> Fault:
    place = named.name_place
    what = f'"history" is {shown(named.name)}, which the study was not recorded with'
    mend = "name one that it has, or record the study from its folder with `forecast study add FILE`"
    return Fault(file, place.line, place.column, what, mend)


def _kept(histories: Sequence[NamedHistory], texts: Mapping[str, str], before: Study) -> dict[str, Fit]:
    """The fits of the revision before that are to the same history and of the same model."""
    kept = {}
    for named in histories:
        fit, old = before.baselines.fits.get(named.indicator), before.by_id.get(named.indicator)
        if fit and old and fit.model == named.model and before.baselines.history_of(old) == texts[named.name]:
            kept[named.indicator] = fit
    return kept
