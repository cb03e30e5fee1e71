"""A queue is cleared by keyboard only, and every act is in Postgres with its event."""

import sys

import pytest

from tests.browser import clearing
from tests.browser.clearing import COUNTRY, PLANS
from tests.browser.conftest import Site, Visit

pytestmark = [pytest.mark.browser]
MOST_PRESSES = 4


@pytest.mark.slow
def test_a_mixed_queue_is_cleared_by_keyboard(site: Site, visit: Visit) -> None:
    cleared(site, visit, approve=1, reject=1, defer=1, ask=1)


@pytest.mark.slow
def test_a_hundred_are_cleared_by_keyboard(site: Site, visit: Visit) -> None:
    figures = cleared(site, visit, approve=40, reject=40, defer=10, ask=10)
    sys.stdout.write(figures)


def cleared(site: Site, visit: Visit, **numbers: int) -> str:
    planned = clearing.arrive(site, **numbers)
    page = visit("ana", f"/?country={COUNTRY}")
    figures = clearing.clear(page, planned)

    assert max(max(presses) for presses in figures.presses.values()) <= MOST_PRESSES
    for number, kind in planned.items():
        plan = PLANS[kind]
        assert site.rows(
            "select kind, actor, detail->'status'->>'old', detail->'status'->>'new' "
            "from review.events where application_id = :n and kind <> 'claimed'",
            n=number,
        ) == [(plan.event, "ana@example.com", "pending", plan.status)]
        upstream = plan.status if kind in ("approve", "reject") else "pending"
        assert (
            site.one("select status from exchange.applications where application_id = :n", n=number)
            == upstream
        )
    decided = sum(number for kind, number in numbers.items() if kind in ("approve", "reject"))
    assert (
        site.one(
            "select count(*) from review.decisions d join exchange.applications using "
            "(application_id) join exchange.accounts using (account_id) where country_code = :c",
            c=COUNTRY,
        )
        == decided
    )
    return figures.report()
