"""Forms as a browser sends them from pages that ask for no referrer: without a name of where they come from."""

from __future__ import annotations

from tests.web import Site, site

__all__ = ["site"]


def test_a_form_of_our_own_pages_has_no_origin_and_is_let_in(site: Site) -> None:
    """Chromium sends `Origin: null` then, and says in `Sec-Fetch-Site` that the form is ours."""
    for found, status in (("same-origin", 422), ("none", 403), ("cross-site", 403), ("same-site", 403)):
        headers = {"origin": "null", "sec-fetch-site": found}
        answer = site.client.post("/s/port/study/preview", data={"text": "x", "base": "e1"}, headers=headers)
        assert answer.status_code == status, found
