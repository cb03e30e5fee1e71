"""A desk with staff and a refresh, for modules whose tests bring their own applications."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from data_access.queue import standings
from tests.builders import NOW, add_application, add_eligible, add_refresh, add_staff
from tests.data_access.clicks import NUMBERS
from tests.databases import Databases


@pytest.fixture(scope="module")
def desk(databases: Databases) -> Iterator[Engine]:
    with databases.engine("desk", pool_size=16) as made:
        with made.begin() as conn:
            add_staff(conn)
            add_refresh(conn)
        standings.restate(made, now=NOW)
        yield made


@pytest.fixture(autouse=True)
def _standings_follow(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test did at the desk, the kept standings and sums are those of a recount."""
    desk = request.getfixturevalue("desk") if "desk" in request.fixturenames else None
    yield
    if isinstance(desk, Engine):
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
