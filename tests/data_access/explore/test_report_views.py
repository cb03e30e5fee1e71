"""The views for BI tools: what they say of an application at the desk."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from data_access.queue import standings
from tests.builders import add_application, add_metrics, add_refresh, add_staff

HOUR = timedelta(hours=1)
DESK = text(
    "insert into review.desk (application_id, status, assignee, claimed_at, claim_until,"
    " deferred_until) values (1, :status, :assignee, :claimed_at, :claim_until, :deferred_until)"
)


def viewed(engine: Engine) -> Any:
    with engine.connect() as conn:
        return conn.execute(text("select * from report.applications")).mappings().one()


@pytest.mark.parametrize(
    ("desk", "status", "assignee"),
    [
        ({"status": "pending", "assignee": "ana@example.com", "claim_until": HOUR}, "pending", "ana@example.com"),
        ({"status": "pending", "assignee": "ana@example.com", "claim_until": -HOUR}, "pending", None),
        ({"status": "pending", "assignee": "ana@example.com"}, "pending", "ana@example.com"),
        ({"status": "deferred", "deferred_until": HOUR}, "deferred", None),
        ({"status": "deferred", "deferred_until": -HOUR}, "pending", None),
    ],
)  # fmt: skip
def test_a_claim_or_deferral_that_is_over_no_longer_holds(
    engine: Engine, desk: dict[str, Any], status: str, assignee: str | None
) -> None:
    now = datetime.now(UTC)
    dated = {
        name: now + value if isinstance(value, timedelta) else value for name, value in desk.items()
    }
    with engine.begin() as conn:
        add_staff(conn)
        add_application(conn, 1)
        given = dict.fromkeys(("assignee", "claimed_at", "claim_until", "deferred_until")) | dated
        conn.execute(DESK, {**given, "claimed_at": now if given["assignee"] else None})

    found = viewed(engine)

    assert (found["desk_status"], found["assignee"]) == (status, assignee)


def test_without_metrics_nothing_is_known_and_nothing_is_zero(engine: Engine) -> None:
    with engine.begin() as conn:
        add_application(conn, 1)

    found = viewed(engine)

    assert (found["volume_usd"], found["eligibility"]) == (None, "unknown")
    assert found["risk_level"] == "not_enough_data"


def test_metrics_of_the_window_come_with_its_days(engine: Engine) -> None:
    with engine.begin() as conn:
        add_refresh(conn)
        add_application(conn, 1)
        add_metrics(conn, 1, volume=31_000_000, active=44, new=9)
    standings.restate(engine, now=datetime.now(UTC))

    found = viewed(engine)

    assert (found["volume_usd"], found["active_users"], found["eligibility"]) == (
        31_000_000,
        44,
        "met",
    )
    assert (found["window_end"] - found["window_start"]).days == 29
