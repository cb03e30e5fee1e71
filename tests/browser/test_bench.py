"""The browser acts that the bench measures work on the current pages."""

import pytest

from bench import browser
from tests.browser.conftest import Site, Visit

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-deciding")]

DECIDED = "select count(*) from review.decisions where rationale = :mark"


def test_every_act_of_the_bench_can_be_done_and_has_a_bar(site: Site, visit: Visit) -> None:
    measured = {
        name: work()
        for name, work in browser.measurements(
            visit("ana"), site.address, times=1, people=2, warmed=False
        )
    }

    assert set(measured) == set(browser.BARS)
    assert all(ms > 0 for [ms] in measured.values()), measured
    assert site.one(DECIDED, mark=browser.MARK) == 1
