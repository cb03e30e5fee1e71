"""The bench's data have the intended size and shares."""

import uuid
from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import Engine, text

from bench import build, database, executing, facts, figures, refreshing, shares
from bench.measurements import Failures
from program.reports.periods import LONGEST_DAYS
from tests.conftest import CLUSTER

# One worker builds the data for all of them.
pytestmark = [pytest.mark.slow]
THROUGH = date(2026, 3, 14)
NAME = f"bench_{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="module")
def made(server: Engine) -> Iterator[Engine]:
    engine = build.build(build.Size(scale=0.02, through=THROUGH), name=NAME, cluster=CLUSTER)
    yield engine
    engine.dispose()
    with server.connect() as maintenance:
        maintenance.execute(text(f"drop database {NAME} with (force)"))


def count(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(f"select count(*) from {table}")).scalar_one())


def test_the_demo_has_the_requested_size(made: Engine) -> None:
    assert count(made, "exchange.accounts") == 20_000
    assert count(made, "exchange.applications") == 20_000
    assert count(made, "exchange.applications where status = 'pending'") == 400
    assert count(made, "exchange.referrals") == 40_000
    assert 830_000 < count(made, "exchange.referral_activity") < 1_010_000
    assert facts.newest_day(made) == THROUGH


def test_some_of_the_pending_meet_each_track(made: Engine) -> None:
    found = shares.of_pending(made)

    assert 0.04 < found["on_exchange"] < 0.12
    assert 0.04 < found["external"] < 0.12


def test_the_program_page_is_measured_over_the_longest_period_and_every_costly_split() -> None:
    assert figures.LONGEST.period(THROUGH).days == LONGEST_DAYS
    measured = {measurement.name for measurement in figures.MEASUREMENTS}
    assert len(measured) == len(figures.MEASUREMENTS)
    for name in ("work, five years by track", "volume, five years by affiliate"):
        assert f"kpi page, {name}" in measured


def test_every_view_of_the_queue_is_executed_alone(
    made: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    failures = Failures()
    executing.report(made, failures)

    rows = capsys.readouterr().out.splitlines()[1:]
    assert not failures.found
    assert len(rows) == 20
    assert all(" ms " in row for row in rows)


def test_a_finished_build_is_marked(made: Engine) -> None:
    assert database.is_built(NAME, cluster=CLUSTER)
    assert not database.is_built("bench_that_is_not", cluster=CLUSTER)


def test_the_plain_rollups_are_those_of_the_refresh(made: Engine) -> None:
    refreshing.forget_rollups(made)
    refreshing.refresh_all(made)
    refreshing.forget_plain_rollups(made)
    refreshing.refresh_all_plainly(made)

    refreshing.compare_rollups(made)
    for ours, plain in refreshing.SAME.items():
        assert count(made, f"review.{ours}") == count(made, f"bench.{plain}") > 0, ours


def test_one_other_row_fails_the_comparison_of_rollups(made: Engine) -> None:
    with made.begin() as connection:
        connection.execute(text("update bench.outcome_counts set judged = judged + 1"))

    with pytest.raises(AssertionError, match="outcome_counts"):
        refreshing.compare_rollups(made)
