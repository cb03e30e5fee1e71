"""What the bench measures of the pages works on the current ones."""

import pytest

from bench import browser, pages, people, sessions, team
from bench.browser import Ours
from tests.browser.conftest import Site, Visit

pytestmark = [pytest.mark.browser]

DECIDED = "select count(*) from review.decisions where rationale = :mark"


@pytest.mark.slow
def test_every_act_of_the_bench_can_be_done(site: Site, visit: Visit) -> None:
    name = pages.applicant(site.engine)["name"]
    ours = Ours(visit("ana"), site.address, name)

    measured = {act.name: act.ours() for act in browser.acts(ours, people=2)}

    assert len(measured) == 8
    assert all(ms > 0 for ms in measured.values()), measured
    assert site.one(DECIDED, mark=browser.MARK) == 2


def test_people_without_a_browser_sign_in_and_act_in_turns(site: Site) -> None:
    cookies = sessions.sign_in(site.address, "ana@example.com")

    found = people.acted(site.address, cookies, 3, every_s=0.1, each=2)

    assert len(found) == 6
    assert None not in found


@pytest.mark.slow
def test_a_team_filters_opens_and_rejects_by_the_steps_of_the_panel(site: Site) -> None:
    cookies = sessions.sign_in(site.address, "ana@example.com")
    desk = team.Desk(name="one", address=site.address, processes=[], cookies=[cookies])
    rejected = "select count(*) from review.decisions where outcome = 'rejected'"
    before = site.one(rejected)

    found = team.acted(desk, team.applications(site.engine), turns=7, every_s=1.0)

    assert {kind: len(took) for kind, took in found.took.items()} == {
        team.QUEUE: 2,
        team.OPEN: 1,
        team.STEP: 3,
        team.DECIDE: 1,
    }
    assert found.lost == []
    assert site.one(rejected) == before + 1


def test_whoever_is_not_on_the_staff_list_cannot_be_signed_in(site: Site) -> None:
    with pytest.raises(AssertionError, match="does not offer nobody@example"):
        sessions.sign_in(site.address, "nobody@example.com")
