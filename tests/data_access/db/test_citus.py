"""Facts are distributed by affiliate where the server has Citus, and elsewhere a sentence says why not."""

import os
from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import Engine, create_engine, text

from data_access import rollups
from data_access.db import citus, migrate
from data_access.db.errors import Refusal
from data_access.rollups import statements
from program.periods import Window
from tests.data_access.rollups.test_refreshing import (
    HISTORY,
    NOW,
    T,
    Trade,
    deliver,
    everything,
    refresh,
)

CITUS = os.environ.get("CITUS_DATABASE_URL")


def test_a_server_without_citus_is_told_and_nothing_changes(engine: Engine) -> None:
    with pytest.raises(Refusal, match=r"has no Citus, .* docs/scaling\.md says how far that goes"):
        citus.distribute(engine)

    with engine.connect() as conn:
        held = text("select count(*) from pg_constraint where conname = :name")
        assert conn.execute(held, {"name": citus.UNIQUE_ELSEWHERE}).scalar_one() == 1


@pytest.fixture
def cluster() -> Iterator[Engine]:
    """The empty database of CITUS_DATABASE_URL, where the extension and its workers are."""
    if not CITUS:
        pytest.skip("CITUS_DATABASE_URL is not set")
    made = create_engine(CITUS, connect_args={"options": "-c timezone=UTC"})
    migrate.migrate(made)
    yield made
    made.dispose()


@pytest.mark.citus
def test_distributed_facts_give_the_same_figures_from_grouped_results(
    cluster: Engine, engine: Engine
) -> None:
    for one in (engine, cluster):
        deliver(one, *HISTORY)
    assert len(citus.distribute(cluster).tables) == 2
    assert citus.distribute(cluster).tables == ()
    for one in (engine, cluster):
        # A month that comes later.
        deliver(one, Trade(day=date(2025, 1, 7)))
        refresh(one)
        rollups.recount(one, now=NOW)

    assert everything(cluster) == everything(engine)
    days = statements.daily(Window(date(2026, 2, 1), T), [])
    with cluster.connect() as conn:
        driver = conn.connection.driver_connection
        assert driver is not None
        plan = "\n".join(
            line for (line,) in driver.execute(f"explain {days.as_string(driver)}").fetchall()
        )
    assert "Citus Adaptive" in plan
    # What a subplan returns is pulled here whole.
    assert "Distributed Subplan" not in plan
