"""The program's figures over small data, with every answer worked out on paper."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text

from data_access import kpis, tables
from data_access.kpis import Decided, ProgramMonth, Week
from program.periods import Window
from tests.builders import add_application

TICK = timedelta(microseconds=1)
FEBRUARY = Window(date(2026, 2, 1), date(2026, 3, 1))
WEDNESDAY = date(2026, 3, 18)


def at(day: int, month: int = 3, hour: int = 12) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def midnight(day: int, month: int = 3) -> datetime:
    return at(day, month, hour=0)


def add_decision(
    conn: Connection, id_: int, outcome: str, when: datetime, *, supersedes: int | None = None
) -> int:
    made: int = conn.execute(
        insert(tables.decisions)
        .values(
            application_id=id_,
            outcome=outcome,
            reason_code="other" if outcome == "rejected" else None,
            rationale="why",
            message_to_applicant="so",
            rebate_rate=Decimal("0.2") if outcome == "approved" else None,
            decided_by="ana@example.com",
            decided_at=when,
            policy_version=1,
            snapshot={},
            supersedes=supersedes,
        )
        .returning(tables.decisions.c.decision_id)
    ).scalar_one()
    return made


def add_case(
    conn: Connection, id_: int, submitted: datetime, status: str = "pending", **given: Any
) -> int | None:
    """An application and, where its status is one, the decision made at ``changed``."""
    changed = given.pop("changed", None)
    add_application(
        conn, id_, submitted_at=submitted, status=status, status_changed_at=changed, **given
    )
    if status in ("approved", "rejected") and changed is not None:
        return add_decision(conn, id_, status, changed)
    return None


# --- What was decided in a period -----------------------------------------------------------------


def test_a_period_without_decisions_has_no_rate_and_no_median(conn: Connection) -> None:
    found = kpis.decided(conn, FEBRUARY)

    assert found == Decided(approved=0, rejected=0, median_hours=None)
    assert (found.total, found.approval_rate) == (0, None)


@pytest.mark.parametrize(
    ("when", "counts"),
    [
        (midnight(1, 2) - TICK, False),
        (midnight(1, 2), True),
        (midnight(28, 2), True),
        (midnight(1, 3) - TICK, True),
        (midnight(1, 3), False),
    ],
)
def test_a_month_begins_and_ends_at_midnight_utc(
    conn: Connection, when: datetime, counts: bool
) -> None:
    add_case(conn, 1, at(1, 1), "approved", changed=when)

    assert kpis.decided(conn, FEBRUARY).total == int(counts)


@pytest.mark.parametrize(
    ("hours", "median"),
    [
        ([5], "5.0"),
        ([1, 30], "15.5"),
        ([30, 1, 5], "5.0"),
        ([40, 1, 30, 5], "17.5"),  # between 5 and 30
        ([1, 1, 1, 1000], "1.0"),
    ],
)
def test_the_median_is_the_middle_or_lies_between_the_two(
    conn: Connection, hours: list[int], median: str
) -> None:
    for id_, took in enumerate(hours, start=1):
        add_case(conn, id_, at(10, 2) - timedelta(hours=took), "rejected", changed=at(10, 2))

    assert kpis.decided(conn, FEBRUARY).median_hours == Decimal(median)


def test_a_median_keeps_minutes(conn: Connection) -> None:
    add_case(conn, 1, at(10, 2) - timedelta(minutes=20), "rejected", changed=at(10, 2))

    assert kpis.decided(conn, FEBRUARY).median_hours == Decimal("0.3333")


def test_the_rate_is_approved_among_decided(conn: Connection) -> None:
    add_case(conn, 1, at(1, 2), "approved", changed=at(2, 2))
    for id_ in (2, 3):
        add_case(conn, id_, at(1, 2), "rejected", changed=at(2, 2))

    found = kpis.decided(conn, FEBRUARY)

    assert (found.approved, found.rejected, found.total) == (1, 2, 3)
    assert found.approval_rate == Decimal(1) / 3


def test_pending_and_withdrawn_applications_are_not_decisions(conn: Connection) -> None:
    add_case(conn, 1, at(1, 2))
    add_case(conn, 2, at(1, 2), "withdrawn", changed=at(2, 2))

    assert kpis.decided(conn, FEBRUARY).total == 0


def test_a_superseded_decision_counts_neither_itself_nor_its_time(conn: Connection) -> None:
    """Rejected after 1 h, which was superseded by an approval 72 h after submission."""
    first = add_case(conn, 1, at(1, 2), "rejected", changed=at(1, 2) + timedelta(hours=1))
    add_decision(conn, 1, "approved", at(4, 2), supersedes=first)

    assert kpis.decided(conn, FEBRUARY) == Decided(
        approved=1, rejected=0, median_hours=Decimal("72.0")
    )


def test_a_decision_superseded_later_is_gone_from_its_own_period(conn: Connection) -> None:
    first = add_case(conn, 1, at(1, 2), "rejected", changed=at(3, 2))
    add_decision(conn, 1, "approved", at(4, 3), supersedes=first)

    assert kpis.decided(conn, FEBRUARY).total == 0
    assert kpis.decided(conn, Window(date(2026, 3, 1), date(2026, 4, 1))).approved == 1


# --- How many wait --------------------------------------------------------------------------------


def test_only_pending_applications_wait(conn: Connection) -> None:
    assert kpis.open_now(conn) == 0
    for id_, status in enumerate(["pending", "pending", "approved", "rejected", "withdrawn"], 1):
        add_application(conn, id_, status=status)

    assert kpis.open_now(conn) == 2


# --- Weeks ----------------------------------------------------------------------------------------


def week(start: date, *figures: int) -> Week:
    submitted, approved, rejected, pending = figures
    return Week(
        start=start, submitted=submitted, approved=approved, rejected=rejected, pending=pending
    )


def test_without_applications_every_week_is_there_with_zeros(conn: Connection) -> None:
    assert kpis.weeks(conn, last=WEDNESDAY, count=3) == [
        week(date(2026, 3, 2), 0, 0, 0, 0),
        week(date(2026, 3, 9), 0, 0, 0, 0),
        week(date(2026, 3, 16), 0, 0, 0, 0),
    ]


def paper(conn: Connection) -> None:
    """Eight applications around the edges of three weeks.

    no.  submitted              left                            who waits at the end of the weeks
    1    Sun 8, last tick       –                               02  09  16
    2    Mon 9, midnight        approved Sun 15, last tick      –   –   –
    3    Tue 10                 rejected Mon 16, midnight       –   09  –
    4    Tue 3                  withdrawn Wed 11                02  –   –
    5    5 January              –                               02  09  16
    6    6 January              approved 1 February             –   –   –
    7    Tue 17                 –                               –   –   16
    8    Sun 22, last tick      –                               –   –   16
    """
    add_case(conn, 1, midnight(9) - TICK)
    add_case(conn, 2, midnight(9), "approved", changed=midnight(16) - TICK)
    add_case(conn, 3, at(10), "rejected", changed=midnight(16))
    add_case(conn, 4, at(3), "withdrawn", changed=at(11))
    add_case(conn, 5, at(5, 1))
    add_case(conn, 6, at(6, 1), "approved", changed=at(1, 2))
    add_case(conn, 7, at(17))
    add_case(conn, 8, midnight(23) - TICK)


ON_PAPER = [
    week(date(2026, 3, 2), 2, 0, 0, 3),
    week(date(2026, 3, 9), 2, 1, 0, 3),
    week(date(2026, 3, 16), 2, 0, 1, 4),
]


@pytest.mark.parametrize("last", [date(2026, 3, 16), WEDNESDAY, date(2026, 3, 22)])
def test_a_week_goes_from_monday_midnight_to_sunday_midnight_utc(
    conn: Connection, last: date
) -> None:
    paper(conn)

    assert kpis.weeks(conn, last=last, count=3) == ON_PAPER


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
def test_weeks_are_utc_whatever_zone_the_connection_has(conn: Connection, zone: str) -> None:
    paper(conn)
    conn.execute(text(f"set local timezone = '{zone}'"))

    assert kpis.weeks(conn, last=WEDNESDAY, count=3) == ON_PAPER


def test_weeks_that_end_in_the_past_know_who_waited_then(conn: Connection) -> None:
    """What came and went since must be walked back too."""
    paper(conn)

    assert kpis.weeks(conn, last=date(2026, 3, 15), count=2) == ON_PAPER[:2]
    assert kpis.weeks(conn, last=date(2026, 3, 4), count=1) == ON_PAPER[:1]


def test_a_week_counts_the_decisions_that_stand(conn: Connection) -> None:
    """Rejected on the 10th, approved instead on the 17th."""
    first = add_case(conn, 1, at(3), "rejected", changed=at(10))
    add_decision(conn, 1, "approved", at(17), supersedes=first)

    assert [(w.approved, w.rejected) for w in kpis.weeks(conn, last=WEDNESDAY, count=3)] == [
        (0, 0),
        (0, 0),
        (1, 0),
    ]


@pytest.mark.parametrize("status", ["approved", "rejected", "withdrawn"])
def test_what_upstream_settled_without_saying_when_never_waited(
    conn: Connection, status: str
) -> None:
    add_case(conn, 1, at(10), status)
    add_case(conn, 2, at(11))

    assert [w.pending for w in kpis.weeks(conn, last=WEDNESDAY, count=3)] == [0, 1, 1]


@pytest.mark.parametrize("seed", range(5))
def test_the_queues_length_at_each_weeks_end_is_that_of_a_head_count(
    conn: Connection, seed: int
) -> None:
    chance = random.Random(seed)
    stays = []
    for id_ in range(1, 41):
        came = midnight(1, 1) + timedelta(hours=chance.randrange(24 * 80))
        status = chance.choice(["pending", "approved", "rejected", "withdrawn"])
        went = came + timedelta(hours=chance.choice([0, 1, 30, 200, 500]))
        add_case(conn, id_, came, status, changed=None if status == "pending" else went)
        stays.append((came, None if status == "pending" else went))
    last = date(2026, 1, 1) + timedelta(days=chance.randrange(60, 80))

    for found in kpis.weeks(conn, last=last, count=12):
        end = datetime.combine(found.start, datetime.min.time(), UTC) + timedelta(weeks=1)
        waiting = [came for came, went in stays if came < end and (went is None or went >= end)]
        assert found.pending == len(waiting)
        assert found.submitted == sum(end - timedelta(weeks=1) <= came < end for came, _ in stays)


# --- Months ---------------------------------------------------------------------------------------


def add_month(conn: Connection, account: int, month: date, volume: str, fees: str) -> None:
    conn.execute(
        insert(tables.affiliate_monthly).values(
            affiliate_account_id=account,
            month=month,
            volume_usd=Decimal(volume),
            fees_usd=Decimal(fees),
            trade_count=1,
            active_users=1,
            new_users=0,
        )
    )


def test_a_month_of_the_program_is_the_sum_over_affiliates(conn: Connection) -> None:
    add_month(conn, 1, date(2026, 1, 1), "999.99", "1")
    add_month(conn, 1, date(2026, 2, 1), "100.10", "0.000001")
    add_month(conn, 2, date(2026, 2, 1), "0.01", "-0.500000")
    add_month(conn, 1, date(2026, 3, 1), "7.00", "0.1")

    assert kpis.months(conn, since=date(2026, 2, 1)) == [
        ProgramMonth(
            month=date(2026, 2, 1), volume_usd=Decimal("100.11"), fees_usd=Decimal("-0.499999")
        ),
        ProgramMonth(month=date(2026, 3, 1), volume_usd=Decimal("7.00"), fees_usd=Decimal("0.1")),
    ]


def test_without_metrics_there_are_no_months(conn: Connection) -> None:
    assert kpis.months(conn, since=date(2026, 1, 1)) == []
