"""The short form: small data, and what each page of the dashboard may cost at most.

``python -m bench quick`` prints the pages and fails over a limit; the tests hold the same limits.
Only counts are limited, since times depend on the machine.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Engine

from bench import build, database, pages
from bench.measurements import Failures
from bench.pages import Counts
from data_access import rollups
from data_access.db.embedded import HOME, Cluster

CLUSTER = Cluster(HOME / "bench-quick")
SCALE = 0.01
# Statements are exact. Messages and rows have some room, since the data follow the calendar.
LIMITS = {
    "queue": Counts(statements=6, messages=40, rows_read=1_650),
    "queue by waiting": Counts(statements=6, messages=40, rows_read=1_400),
    "queue, met": Counts(statements=6, messages=40, rows_read=1_400),
    "queue, one country": Counts(statements=6, messages=40, rows_read=1_100),
    "queue, waiting 14 d": Counts(statements=6, messages=40, rows_read=1_800),
    "queue, search": Counts(statements=6, messages=40, rows_read=1_500),
    "queue, approved": Counts(statements=7, messages=40, rows_read=1_050),
    "application": Counts(statements=8, messages=175, rows_read=1_200),
    "application, a choice": Counts(statements=7, messages=40, rows_read=1_200),
    "application, a check": Counts(statements=7, messages=40, rows_read=1_200),
    "program, work": Counts(statements=13, messages=165, rows_read=1_700),
    "program, reviewers": Counts(statements=14, messages=105, rows_read=1_600),
    # In the first days of a month the leaders of two months are looked up by day.
    "program, volume": Counts(statements=19, messages=155, rows_read=7_500),
    "program, cohorts": Counts(statements=14, messages=90, rows_read=4_300),
    "program, minimums": Counts(statements=13, messages=110, rows_read=2_900),
    "affiliates": Counts(statements=10, messages=45, rows_read=1_100),
    "affiliates, outcomes": Counts(statements=6, messages=40, rows_read=1_000),
    "affiliates, near misses": Counts(statements=6, messages=35, rows_read=3_200),
    "affiliates, alerts": Counts(statements=3, messages=35, rows_read=30),
    "explore": Counts(statements=8, messages=80, rows_read=14_000),
    "explore, decisions": Counts(statements=8, messages=80, rows_read=12_000),
    "explore, by country": Counts(statements=6, messages=65, rows_read=28_000),
    "outbox": Counts(statements=8, messages=35, rows_read=38),
    "policy": Counts(statements=8, messages=115, rows_read=34),
    "policy, history": Counts(statements=8, messages=30, rows_read=34),
    "policy, calibration": Counts(statements=12, messages=55, rows_read=5_300),
    "settings": Counts(statements=4, messages=75, rows_read=29),
    "staff": Counts(statements=7, messages=60, rows_read=400),
    "import": Counts(statements=4, messages=25, rows_read=25),
}


def report(only: Sequence[str] | None = None) -> list[str]:
    """Print a row for every page, over new data; returns what failed or exceeds a limit."""
    engine, failures = prepared(CLUSTER), Failures()
    try:
        found = pages.report_over(engine, CLUSTER.home, failures, only=only)
    finally:
        engine.dispose()
        CLUSTER.stop()
    return [*failures.found, *pages.over(found, LIMITS)]


def prepared(cluster: Cluster) -> Engine:
    """Build the small data on ``cluster``, with metrics and statistics.

    The build has analyzed the facts already, and a refresh does not change them.
    """
    now = datetime.now(UTC)
    engine = build.build(build.Size.as_of(SCALE, now), cluster=cluster)
    rollups.refresh(engine, now=now)
    database.vacuum(engine, "review")
    return engine
