"""A desk with its staff and a refresh, for a module whose tests bring their own applications."""

import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine, text

from tests.builders import add_application, add_eligible, add_refresh, add_staff
from tests.conftest import CLUSTER
from tests.data_access.clicks import NUMBERS


@pytest.fixture(scope="module")
def desk(server: Engine, template: str) -> Iterator[Engine]:
    name = f"desk_{uuid.uuid4().hex[:12]}"
    with server.connect() as maintenance:
        maintenance.execute(text(f"create database {name} template {template}"))
    made = create_engine(
        CLUSTER.url(name), pool_size=16, connect_args={"options": "-c timezone=UTC"}
    )
    with made.begin() as conn:
        add_staff(conn)
        add_refresh(conn)
    yield made
    made.dispose()
    with server.connect() as maintenance:
        maintenance.execute(text(f"drop database {name}"))


@pytest.fixture
def id_(desk: Engine) -> int:
    """An application of this test's own; its eligibility is unknown, its checks are open."""
    with desk.begin() as conn:
        return add_application(conn, next(NUMBERS))


@pytest.fixture
def eligible(desk: Engine) -> int:
    """One that meets the on-exchange minimums, its required checks passed."""
    with desk.begin() as conn:
        return add_eligible(conn, next(NUMBERS))
