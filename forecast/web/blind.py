"""Blind rounds: rows that several people give for one indicator before any of them sees another's.

What has been given is asked of `indicators.accounts`, which tells it to nobody before the round is done; this room asks
for nothing but a person's own rows until then. Only people with accounts take part: whoever came with the server's
token has a name that somebody's account may have too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from forecast.judged import Compared, OtherTableError, compared, given_rows, pool_as_typed
from forecast.revision import study_of
from forecast.study import Study
from forecast.study_edit import columns_of, row_places
from forecast.web.paging import paged
from forecast.web.refusals import Refusal
from forecast.web.revising import in_force, previewed, text_of
from forecast.web.rows import RowsForm, blank_rows, filled_rows, plain, proposed, typed_rows
from forecast.web.visit import Visit, reads, writes
from indicators.accounts import Round, RoundOpenError
from indicators.entry import Entry
from indicators.errors import WatchfloorError
from indicators.indicator import Indicator

__all__ = ["ROUTES", "waiting"]


@dataclass(frozen=True)
class Asked:
    """A round with what it is about.

    Attributes
    ----------
    round : Round
    revision : Entry
        Of the study, that it was opened on.
    study : Study
    indicator : Indicator
    """

    round: Round
    revision: Entry
    study: Study
    indicator: Indicator

    @property
    def wanted_by(self) -> str:
        """The indicator that the rows are given by; empty where there is none."""
        is_given = any(place.state is not None for place in row_places(self.study, self.indicator))
        return getattr(self.indicator, "given", None) or "" if is_given else ""


# Views


def page(visit: Visit) -> Response:
    """The rounds of the study, the last one first, and for leads how to open one."""
    return _page(visit)


def open_rounds(visit: Visit) -> Response:
    """Ask people for the rows of some indicators, a round for each; all of them or, where one cannot be, none."""
    _check_account(visit)
    _, revision, _ = in_force(visit)
    study, refusal = visit.shown.study, Refusal()
    wanted, people = _listed(visit, "indicator"), _listed(visit, "person")
    busy = {found.indicator: found for found in visit.accounts.rounds(visit.study_id) if not found.is_done}
    if not wanted:
        refusal.add("indicator", "no indicator is chosen", "choose one or more")
    if not people:
        refusal.add("person", "nobody is chosen", "choose who is to give their rows")
    for name in wanted:
        try:
            blank_rows(study, study.indicator(name))
            if name in busy:
                raise RoundOpenError(name, busy[name].id)
        except WatchfloorError as error:
            refusal.add("indicator", error.what, error.mend)
    if not refusal:
        try:
            found = [
                visit.accounts.open_round(visit.study_id, name, revision.id, people, visit.person.name)
                for name in wanted
            ]
            told = f"Round {found[0].id} is open." if len(found) == 1 else f"{len(found)} rounds are open."
            return visit.see(visit.address("blind"), told)
        except WatchfloorError as error:
            refusal.add("person", error.what, error.mend)
    return _page(visit, status=422, refusal=refusal, wanted=wanted, people=people)


def one(visit: Visit) -> Response:
    """A round: one's own rows while it is blind, everybody's once it is done."""
    return _round_page(visit, _asked(visit))


def give(visit: Visit) -> Response:
    """Give one's rows; they are checked as those of a study are."""
    _check_account(visit)
    asked = _asked(visit)
    typed = typed_rows(asked.study, asked.indicator, visit.field)
    found = proposed(text_of(asked.revision), typed)
    if found.study is None:
        return _round_page(visit, asked, status=422, form=found.form)
    rows = given_rows(found.study, found.study.indicator(asked.indicator.id))
    visit.accounts.give(asked.round.id, visit.person.name, rows)
    done = _asked(visit).round.is_done
    told = "Everybody has given their rows." if done else "Your rows are in. Nobody sees them before the round is done."
    return visit.see(visit.address(f"blind/{asked.round.id}"), told)


def close(visit: Visit) -> Response:
    """Make a round done before everybody has given."""
    _check_account(visit)
    asked = _asked(visit)
    missing = visit.accounts.close_round(asked.round.id, visit.person.name)
    told = f"The round is closed without the rows of {', '.join(missing)}." if missing else "The round is closed."
    return visit.see(visit.address(f"blind/{asked.round.id}"), told)


def take_pool(visit: Visit) -> Response:
    """What the pool of a round, put into the text of the study, would do."""
    asked = _asked(visit)
    found = compared(asked.study, asked.indicator, visit.accounts.judgements(asked.round.id))
    if found is None:
        raise HTTPException(404)
    _, revision, text = in_force(visit)
    study = visit.shown.study
    indicator = study.indicator(asked.indicator.id)
    cells = pool_as_typed((asked.study, asked.indicator), (study, indicator), found.pool)
    put = proposed(text, filled_rows(study, indicator, cells))
    said = f"The pool of round {asked.round.id} is in the text, rounded. Nothing is recorded yet."
    return previewed(visit, put.text, revision.id, said=said)


# What they are drawn from


def waiting(visit: Visit) -> list[Round]:
    """The rounds of the study that wait for the rows of who looks; none without an account."""
    person = visit.person
    if not person.has_account:
        return []
    mine = [
        found for found in visit.accounts.rounds(visit.study_id) if not found.is_done and person.name in found.people
    ]
    return [found for found in mine if person.name not in visit.accounts.given_by(found.id)]


def _check_account(visit: Visit) -> None:
    if not visit.person.has_account:
        raise _NoAccountError


class _NoAccountError(WatchfloorError):
    """Somebody without an account asked to take part in a round."""

    def __init__(self) -> None:
        what = "rounds are for people with accounts, and you came with the server's token"
        super().__init__(what, mend="sign out, and sign in with your name")


def _asked(visit: Visit) -> Asked:
    """The round that the address names, where it is one of this study."""
    number = visit.request.path_params["number"]
    found = next((r for r in visit.accounts.rounds(visit.study_id) if str(r.id) == number), None)
    if found is None:
        raise HTTPException(404)
    revision = next((entry for entry in visit.shown.known.revisions if entry.id == found.revision), None)
    if revision is None:
        raise OtherTableError(found.indicator)
    study = study_of(revision)
    return Asked(found, revision, study, study.indicator(found.indicator))


def _listed(visit: Visit, name: str) -> list[str]:
    return list(dict.fromkeys(value for value in visit.form.getlist(name) if isinstance(value, str) and value))


def _page(visit: Visit, *, status: int = 200, **told: Any) -> Response:
    found = visit.accounts.rounds(visit.study_id)[::-1]
    shown, place = paged(found, visit.asked("page"))
    study = visit.shown.study
    given: dict[str, Any] = {"refusal": Refusal(), "wanted": [], "people": []} | told
    return visit.page(
        "blind.html",
        page="study",
        status=status,
        rounds=[(r, visit.accounts.given_by(r.id)) for r in shown],
        names={indicator.id: indicator.label for indicator in study.indicators},
        place=place,
        indicators=[indicator for indicator in study.indicators if not indicator.retired],
        team=[a.name for a in visit.accounts.accounts() if a.role != "reader" and not a.closed],
        may_open=visit.may("lead") and visit.person.has_account and visit.known_at is None,
        **given,
    )


def _round_page(visit: Visit, asked: Asked, *, status: int = 200, form: RowsForm | None = None) -> Response:
    accounts, person = visit.accounts, visit.person
    is_mine = person.has_account and person.name in asked.round.people
    given_by = accounts.given_by(asked.round.id)
    found: Compared | None = None
    is_told = False
    if asked.round.is_done:
        found = compared(asked.study, asked.indicator, accounts.judgements(asked.round.id))
    elif is_mine:
        mine = accounts.own(asked.round.id, person.name)
        is_told = mine is not None
        form = form or _own_form(asked, mine.rows if mine else None)
    return visit.page(
        "blind-round.html",
        page="study",
        status=status,
        asked=asked,
        given_by=given_by,
        missing=[name for name in asked.round.people if name not in given_by],
        form=form if is_mine and not asked.round.is_done and visit.may("analyst") else None,
        has_given=person.name in given_by,
        is_told=is_told,
        compared=found,
        places=row_places(asked.study, asked.indicator),
        scenarios={scenario.id: scenario.label for scenario in asked.study.scenarios},
        columns=columns_of(asked.indicator),
        plain=lambda x: plain(float(f"{x:.4g}")),
        may_close=visit.may("lead") and person.has_account and not asked.round.is_done,
        may_take=visit.may("lead") and visit.known_at is None and found is not None,
    )


def _own_form(asked: Asked, rows: dict[str, Any] | None) -> RowsForm:
    if rows is None:
        return blank_rows(asked.study, asked.indicator)
    cells = []
    for place in row_places(asked.study, asked.indicator):
        row = rows[place.scenario] if place.state is None else rows[place.scenario][place.state]
        cells.append([plain(x) for x in row])
    return filled_rows(asked.study, asked.indicator, cells)


ROUTES = [
    Route("/s/{study}/blind", reads(page), methods=["GET"]),
    Route("/s/{study}/blind", writes(open_rounds, role="lead"), methods=["POST"]),
    Route("/s/{study}/blind/{number}", reads(one), methods=["GET"]),
    Route("/s/{study}/blind/{number}/give", writes(give), methods=["POST"]),
    Route("/s/{study}/blind/{number}/close", writes(close, role="lead"), methods=["POST"]),
    Route("/s/{study}/blind/{number}/pool", writes(take_pool, role="lead"), methods=["POST"]),
]
