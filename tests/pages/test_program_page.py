"""The program's figures, worked out by hand for a handful of applications."""

import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text
from streamlit.proto.Metric_pb2 import Metric
from streamlit.testing.v1 import AppTest

from dashboard.screens import PROGRAM
from data_access import tables
from program.periods import day_start, month_start, months_later
from program.permissions import Act, Role, may
from tests.builders import add_application, add_refresh
from tests.pages.screen import PEOPLE, Desk, protos, said

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def figure(app: AppTest, name: str) -> tuple[str, str]:
    """A figure's value and change by the beginning of its label."""
    (found,) = (metric for metric in app.metric if metric.label.startswith(name))
    return found.value, found.delta


def series(app: AppTest, key: str) -> dict[str, list[float]]:
    """The lines of a chart by name."""
    (chart,) = (proto for proto in protos(app, "plotly_chart") if proto.id.endswith(key))
    return {trace.get("name", ""): trace["y"] for trace in json.loads(chart.spec)["data"]}


def titles(app: AppTest) -> list[str]:
    specs = [json.loads(proto.spec) for proto in protos(app, "plotly_chart")]
    return [spec["layout"]["title"]["text"] for spec in specs]


def decide(
    conn: Connection, id_: int, outcome: str, at: datetime, *, supersedes: int | None = None
) -> int:
    approved = outcome == "approved"
    conn.execute(
        text(
            "update exchange.applications set status = :outcome, status_changed_at = :at"
            " where application_id = :id"
        ),
        {"outcome": outcome, "at": at, "id": id_},
    )
    made: int = conn.execute(
        insert(tables.decisions)
        .values(
            application_id=id_,
            outcome=outcome,
            reason_code=None if approved else "other",
            rationale="because",
            message_to_applicant="",
            rebate_rate="0.2" if approved else None,
            decided_by="ben@example.com",
            decided_at=at,
            policy_version=1,
            snapshot={},
            supersedes=supersedes,
        )
        .returning(tables.decisions.c.decision_id)
    ).scalar_one()
    return made


def add_month(conn: Connection, account_id: int, month: date, volume: int) -> None:
    conn.execute(
        insert(tables.affiliate_monthly).values(
            affiliate_account_id=account_id,
            month=month,
            volume_usd=volume,
            fees_usd=0,
            trade_count=1,
            active_users=1,
            new_users=0,
        )
    )


@pytest.fixture
def manager(desk: Desk) -> Desk:
    desk.who = PEOPLE[Role.MANAGER]
    return desk


@pytest.fixture
def worked(manager: Desk) -> Desk:
    """Seven applications; the 30 days end with yesterday.

    In them: 2 approved after 24 h, 3 rejected after 72 h, 4 rejected and then approved after
    96 h, at the first moment of the first day. Before them: 5 approved after 48 h, at the last
    moment. After them: 6 approved at today's first moment. Pending: 1. Withdrawn: 7.
    """
    today = day_start(manager.now.date())
    first = today - 30 * DAY
    with manager.engine.begin() as conn:
        add_refresh(conn, through=manager.yesterday, at=manager.now)
        submitted = {
            1: today - 2 * DAY,
            2: today - 4 * DAY,
            3: today - 8 * DAY,
            4: first - 96 * HOUR,
            5: first - timedelta(microseconds=1) - 48 * HOUR,
            6: today - 20 * DAY,
            7: today - 15 * DAY,
        }
        for id_, at in submitted.items():
            add_application(conn, id_, submitted_at=at)
        decide(conn, 2, "approved", submitted[2] + 24 * HOUR)
        decide(conn, 3, "rejected", submitted[3] + 72 * HOUR)
        earlier = decide(conn, 4, "rejected", first - 50 * HOUR)
        decide(conn, 4, "approved", first, supersedes=earlier)
        decide(conn, 5, "approved", submitted[5] + 48 * HOUR)
        decide(conn, 6, "approved", today)
        conn.execute(
            text(
                "update exchange.applications set status = 'withdrawn', status_changed_at = :at"
                " where application_id = 7"
            ),
            {"at": today - 10 * DAY},
        )
    return manager


def test_five_figures_with_their_change(worked: Desk) -> None:
    app = worked.open(PROGRAM)

    assert len(app.metric) == 5
    assert figure(app, "Open now") == ("1", "")
    assert figure(app, "Decided, 30 days") == ("3", "2")
    assert figure(app, "Approval rate, 30 days") == ("67 %", "-33 points")
    assert figure(app, "Median time to decision, 30 days") == ("3 d", "+24 h")


def test_no_change_is_an_alarm(worked: Desk) -> None:
    colours = {metric.proto.color for metric in worked.open(PROGRAM).metric}

    assert colours == {Metric.MetricColor.GRAY}


def test_the_days_that_count_are_named(worked: Desk) -> None:
    app = worked.open(PROGRAM)

    (line,) = (words for words in said(app) if words.startswith("Decisions of "))
    last = worked.yesterday
    assert line.endswith(f"{last.day} {last:%b} UTC, compared with the 30 days before.")


def test_weeks_add_up_to_the_applications(worked: Desk) -> None:
    app = worked.open(PROGRAM)
    flow, pending = series(app, "weeks-flow"), series(app, "weeks-pending")

    assert {name: sum(weeks) for name, weeks in flow.items()} == {
        "submitted": 7,
        "approved": 4,
        "rejected": 1,
    }
    assert len(flow["submitted"]) == len(pending["pending"]) == 26
    assert pending["pending"][-1] == 1
    assert pending["pending"][0] == 0
    today = worked.now.date()
    monday = day_start(today - timedelta(days=today.weekday()))
    with worked.engine.connect() as conn:
        waiting = conn.execute(
            text(
                "select count(*) from exchange.applications where submitted_at < :end"
                " and coalesce(status_changed_at, 'infinity') >= :end"
            ),
            {"end": monday},
        ).scalar_one()
    assert pending["pending"][-2] == waiting


@pytest.mark.parametrize(
    ("through", "month", "running"),
    [
        ("last day of last month", "last", False),
        ("day before it", "last but one", True),
        ("first day of this month", "last", True),
    ],
)
def test_the_program_volume_is_that_of_the_last_month_known_to_its_end(
    through: str, month: str, running: bool, manager: Desk
) -> None:
    this = month_start(manager.now.date())
    last, before = months_later(this, -1), months_later(this, -2)
    day = {
        "last day of last month": this - DAY,
        "day before it": this - 2 * DAY,
        "first day of this month": this,
    }[through]
    with manager.engine.begin() as conn:
        add_refresh(conn, through=day, at=manager.now)
        add_application(conn, 1, submitted_at=manager.now)
        for account, volume in ((1, 1_500_000), (2, 2_000_000)):
            add_month(conn, account, last, volume)
        add_month(conn, 1, before, 700_000)
        if day == this:
            add_month(conn, 1, this, 9_000_000)

    app = manager.open(PROGRAM)

    expected = last if month == "last" else before
    assert figure(app, f"Program volume, {expected:%b %Y}")[0] == (
        "3.5 M USD" if month == "last" else "700 k USD"
    )
    assert titles(app)[-1].endswith("; the last is running") is running


def test_a_month_without_trading_is_zero_not_the_one_before(manager: Desk) -> None:
    this = month_start(manager.now.date())
    with manager.engine.begin() as conn:
        add_refresh(conn, through=manager.yesterday, at=manager.now)
        add_application(conn, 1, submitted_at=manager.now)
        add_month(conn, 1, months_later(this, -3), 700_000)

    value, _ = figure(manager.open(PROGRAM), "Program volume")

    assert value == "0 USD"


def test_an_empty_database_claims_nothing(manager: Desk) -> None:
    app = manager.open(PROGRAM)

    assert "No application arrived or was decided in the last 26 weeks." in said(app)
    assert figure(app, "Open now") == ("0", "")
    assert figure(app, "Decided, 30 days") == ("0", "0")
    assert figure(app, "Approval rate, 30 days") == ("nothing decided", "")
    assert figure(app, "Median time to decision, 30 days") == ("nothing decided", "")
    assert figure(app, "Program volume") == ("unknown", "")
    assert protos(app, "plotly_chart") == []
    assert said(app, ["warning"])[0].startswith("Metrics have never been computed")


def test_applications_without_any_trading_say_so(manager: Desk) -> None:
    with manager.engine.begin() as conn:
        add_refresh(conn, through=manager.yesterday, at=manager.now)
        add_application(conn, 1, submitted_at=manager.now)

    app = manager.open(PROGRAM)

    assert "No referral volume in the last twelve months." in said(app)
    assert len(protos(app, "plotly_chart")) == 2


def test_every_chart_is_told_in_words(worked: Desk) -> None:
    with worked.engine.begin() as conn:
        add_month(conn, 1, month_start(worked.yesterday), 9_000_000)

    charts = protos(worked.open(PROGRAM), "plotly_chart")

    assert len(charts) == 3
    assert all("Highest: " in chart.alt and "UTC" in chart.alt for chart in charts)


@pytest.mark.parametrize("role", Role)
def test_figures_are_for_roles_that_may_see_them(role: Role, worked: Desk) -> None:
    worked.who = PEOPLE[role]

    app = worked.open(PROGRAM)

    allowed = may(role, Act.SEE_PROGRAM)
    refusal = f"Your role, {role}, may not {Act.SEE_PROGRAM}. Ask a manager if you need it."
    assert bool(app.metric) is allowed
    assert (refusal in said(app)) is not allowed
    assert not app.error
    labels: list[Any] = [proto.label for proto in protos(app, "page_link")]
    assert labels == ([] if allowed else ["Back to the queue"])


def test_the_page_asks_as_much_of_the_database_however_much_there_is(
    worked: Desk, statements: list[str]
) -> None:
    worked.open(PROGRAM)
    asked = []
    for more in (100, 200):
        statements.clear()
        worked.open(PROGRAM)
        asked.append(len(statements))
        with worked.engine.begin() as conn:
            for id_ in range(more, more + 20):
                add_application(conn, id_, submitted_at=worked.now - timedelta(days=id_ - more))
    assert asked[0] == asked[1] > 0
