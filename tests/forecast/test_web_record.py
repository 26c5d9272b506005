"""The page record: scores of what came true, and how the rows have done."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from forecast import settling, workflow
from forecast.study_file import read_study, study_json
from indicators.ledger import Ledger
from indicators.opening import open_ledger
from tests.forecast.test_web_reports import TESTED
from tests.small import TODAY
from tests.web import NOW, Site, opened_site, site

__all__ = ["site"]


def later(site: Site) -> Ledger:
    """The ledger, ten days on."""
    found = open_ledger(site.path, clock=lambda: NOW + timedelta(days=10))
    site.opened.append(found)
    return found


def settled(site: Site, name: str, *, tlp: str = "clear") -> None:
    """Another study, published today with an opinion and settled ten days later."""
    text = TESTED.replace("study: port\n", f"study: {name}\ntags: [ports]\ntlp: {tlp}\n")
    study = read_study(text, file=f"{name}.yaml")
    ledger = site.ledger()
    workflow.record_study(ledger, study, content=study_json(study), text=text, file=f"{name}.yaml", author="bo")
    own = {"settled": 0.7, "strike": 0.3}
    settling.publish(ledger, name, opinion=own, draws=100, author="bo", today=TODAY)
    on = TODAY + timedelta(days=10)
    settling.resolve(later(site), name, "settled", on=on, author="bo", today=on)


def test_nothing_to_score_is_told_plainly(site: Site) -> None:
    page = site.get("record")
    assert "there is nothing to score before it is resolved" in page
    assert "only what is published is ever scored" in page and "looks scored" in page
    assert site.client.get("/s/port/record/calibration-engine.svg").status_code == 404


def test_settled_studies_are_scored_on_both_tracks(site: Site) -> None:
    settled(site, "quay")
    page = site.get("record")
    assert "This ledger holds 1 settled study" in page and "Own opinion" in page
    assert "tag ports" in page and "author bo" in page and "ahead" in page
    for track in ("engine", "opinion"):
        day = site.client.get(f"/s/port/record/calibration-{track}.svg")
        night = site.client.get(f"/s/port/record/calibration-{track}.svg", params={"night": "1"})
        assert day.headers["content-type"] == "image/svg+xml" and day.content != night.content
        assert f"/s/port/record/calibration-{track}.svg" in page
    assert site.client.get("/s/port/record/calibration-crowd.svg").status_code == 404


def test_a_settled_study_shows_its_own_scores(site: Site) -> None:
    settled(site, "quay")
    page = site.client.get("/s/quay/record").text
    assert "The study was settled on 2024-07-11: Settlement" in page
    assert "First publication, held to the end" in page and "Equal chances" in page


def test_void_studies_are_listed_with_their_reason(site: Site) -> None:
    settled(site, "quay")
    settling.resolve_void(site.ledger(), "port", why="the port <closed>", author="ana")
    page = site.get("record")
    assert "The study is void, and is not scored" in page and "port: the port &lt;closed&gt;" in page


def test_studies_above_the_level_are_not_told_of(tmp_path: Path) -> None:
    site = opened_site(tmp_path, max_tlp="green", without_above=True)
    settled(site, "secret", tlp="red")
    settled(site, "quay")
    page = site.get("record")
    assert "secret" not in page and "Left out, for being marked above TLP:GREEN: 1" in page


def test_a_second_look_works_nothing_out(site: Site) -> None:
    first = site.get("record")
    made = (site.state.outlooks.made, site.state.drawings.made)
    assert site.get("record") == first
    assert (site.state.outlooks.made, site.state.drawings.made) == made
