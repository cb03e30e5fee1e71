"""The browser acts that the bench measures work on the current pages."""

import pytest

from bench import browser, pages
from bench.browser import Ours
from tests.browser.conftest import Site, Visit

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-deciding")]

DECIDED = "select count(*) from review.decisions where rationale = :mark"


def test_every_act_of_the_bench_can_be_done(site: Site, visit: Visit) -> None:
    name = pages.applicant(site.engine)["name"]
    ours = Ours(visit("ana"), site.address, name)

    measured = {act.name: act.ours() for act in browser.acts(ours, people=2)}

    assert len(measured) == 7
    assert all(ms > 0 for ms in measured.values()), measured
    assert site.one(DECIDED, mark=browser.MARK) == 1
