"""A desk with staff and a refresh, for modules whose tests bring their own applications."""

from collections.abc import Iterator
from itertools import count

import pytest
from sqlalchemy import Engine

from data_access.queue import standings
from tests.builders import NOW, add_application, add_eligible, add_refresh, add_staff
from tests.cases import ALL
from tests.data_access.clicks import NUMBERS
from tests.databases import Databases

# Desks that all tests of a module use.
SHARED: set[Engine] = set()


@pytest.fixture(scope="module")
def desk(databases: Databases) -> Iterator[Engine]:
    with databases.engine("desk", pool_size=16) as made:
        with made.begin() as conn:
            add_staff(conn)
            add_refresh(conn)
        standings.restate(made, now=NOW)
        SHARED.add(made)
        yield made
        SHARED.remove(made)
        assert_standings_follow(made)


# A recount reads every application that a module's tests have added; there is one after the last.
RECOUNTED = 1 if ALL else 12
_tests = count(1)


@pytest.fixture(autouse=True)
def _standings_follow(request: pytest.FixtureRequest) -> Iterator[None]:
    """Recount after each test at a desk of its own, and after some at a shared one."""
    desk = request.getfixturevalue("desk") if "desk" in request.fixturenames else None
    yield
    if isinstance(desk, Engine) and (desk not in SHARED or next(_tests) % RECOUNTED == 0):
        assert_standings_follow(desk)


def assert_standings_follow(desk: Engine) -> None:
    """Whatever tests did at the desk, the kept standings and sums are those of a recount."""
    with desk.connect() as conn:
        assert standings.differences(conn) == []
        assert standings.differing_sums(conn) == 0


@pytest.fixture
def id_(desk: Engine) -> int:
    """An application of its own; its eligibility is unknown, its checks are open."""
    with desk.begin() as conn:
        return add_application(conn, next(NUMBERS))


@pytest.fixture
def eligible(desk: Engine) -> int:
    """An application that meets the on-exchange minimums, its required checks passed."""
    with desk.begin() as conn:
        return add_eligible(conn, next(NUMBERS))
