"""The program's figures over small data, with results computed by hand."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, text, update

from data_access.db import tables
from data_access.db.errors import NotAllowed
from data_access.eligibility import judging
from data_access.queue import listing
from data_access.reports import backlog, flow, funnel, retention, reviewers, speed, volume
from data_access.reports.backlog import Open
from data_access.reports.flow import Flow
from data_access.reports.speed import Decided, Touched
from data_access.reports.workload import Sums
from program.periods import Window
from program.policy.delivered import Delivered
from program.reports import kpis
from program.reports.kpis import Kpi
from program.reports.periods import Dimension, Grain, Split
from program.review.drilldown import AGE_GROUPS, Clock, Moment, Scope, Slice, Stage
from program.review.permissions import Role
from program.review.queue_filters import Filters
from tests.builders import (
    NOW,
    add_application,
    add_evidence,
    add_policy,
    add_refresh,
    add_segment_sums,
    add_staff,
    scalar,
)

TICK = timedelta(microseconds=1)
FEBRUARY = Window(date(2026, 2, 1), date(2026, 3, 1))
MARCH = Window(date(2026, 3, 1), date(2026, 4, 1))
JANUARY = Window(date(2026, 1, 1), date(2026, 2, 1))
ANA, BEN, MIRA = "ana@example.com", "ben@example.com", "mira@example.com"


def delivered_days(*windows: Window) -> Delivered:
    return Delivered(days=[w.start + timedelta(days=n) for w in windows for n in range(w.days)])


def at(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def decide(conn: Connection, id_: int, outcome: str, when: datetime, by: str, **given: Any) -> int:
    """Add a decision and its status, as the desk does."""
    track = given.pop("track", None)
    made: int = conn.execute(
        insert(tables.decisions)
        .values(
            {
                "application_id": id_,
                "outcome": outcome,
                "reason_code": "other" if outcome == "rejected" else None,
                "rationale": "why",
                "message_to_applicant": "so",
                "rebate_rate": Decimal("0.2") if outcome == "approved" else None,
                "is_override": False,
                "decided_by": by,
                "decided_at": when,
                "policy_version": 1,
                "snapshot": {"track": track},
                **given,
            }
        )
        .returning(tables.decisions.c.decision_id)
    ).scalar_one()
    settle(conn, id_, outcome, when)
    return made


def settle(conn: Connection, id_: int, status: str, when: datetime) -> None:
    table = tables.applications
    conn.execute(
        update(table)
        .where(table.c.application_id == id_)
        .values(status=status, status_changed_at=when)
    )


def add_event(
    conn: Connection, id_: int, kind: str, when: datetime, by: str, **detail: Any
) -> None:
    conn.execute(
        insert(tables.events).values(
            application_id=id_, kind=kind, at=when, actor=by, detail=detail
        )
    )


def reopen(conn: Connection, id_: int, when: datetime, decision: int) -> None:
    add_event(conn, id_, "reopened", when, MIRA, decision_id=decision)
    settle(conn, id_, "pending", when)


def flow_of(conn: Connection, period: Window, grain: Grain) -> Flow:
    pending = scalar(conn, "select count(*) from exchange.applications where status = 'pending'")
    return flow.steps(Sums(conn), period, grain, open_now=pending)


def put(conn: Connection, id_: int, **state: Any) -> None:
    conn.execute(insert(tables.desk).values(application_id=id_, status_at=NOW, **state))


def trade(conn: Connection, account: int, day: date, amount: str, **given: Any) -> None:
    month = day.replace(day=1)
    name = f"review.affiliate_daily_{month:%Y_%m}"
    if conn.execute(text(f"select to_regclass('{name}')")).scalar_one() is None:
        after = (month + timedelta(days=32)).replace(day=1)
        conn.execute(
            text(
                f"create table {name} partition of review.affiliate_daily"
                f" for values from ('{month}') to ('{after}')"
            )
        )
    conn.execute(
        insert(tables.affiliate_daily).values(
            {
                "affiliate_account_id": account,
                "day": day,
                "volume_usd": Decimal(amount),
                "fees_usd": 0,
                "trade_count": 1,
                "zero_fee_volume_usd": 0,
                "active_users": 1,
                "new_users": 0,
                **given,
            }
        )
    )
    # A refresh writes the month as well.
    conn.execute(
        text(
            "insert into review.affiliate_monthly values (:account, :month, :amount, 0, 1, 1, 0)"
            " on conflict (affiliate_account_id, month)"
            " do update set volume_usd = affiliate_monthly.volume_usd + excluded.volume_usd"
        ),
        {"account": account, "month": month, "amount": Decimal(amount)},
    )


@pytest.fixture
def paper(conn: Connection) -> Connection:
    """Fourteen applications around the edges of February; it is Sunday, 15 March, 09:00 UTC.

    no. submitted          first touch         decisions                              now
     1  1 Feb 00:00        ana, +6 h           ana approves +48 h, on-exchange        approved
     2  10 Feb             the decision        ben rejects +24 h, an override         rejected
     3  30 Jan             a note on 31 Jan    ana approves 28 Feb, last tick, both   approved
     4  31 Jan, last tick  the decision        ben rejects 1 Mar 00:00                rejected
     5  20 Feb             evidence, +24 h     –                                      open
     6  5 Feb              the decision        ana rejects +24 h, mira reopens 7 Feb,
                                               ben approves +96 h                     approved
     7  12 Feb             the decision        ana approves +24 h, reopened 2 Mar     open
     8  15 Feb             –                   withdrawn upstream 16 Feb              withdrawn
     9  28 Feb, last tick  1 Mar               –                                      open
    10  12 Mar 09:00, 11 one tick later, 12 4 Mar 09:00 (its clock is stopped),
    13  4 Mar 09:00 and one tick, 14 11 Mar 12:00                                     open

    5 and 6 have no known country, 3 is from DE, the others from BR. 2 is on youtube.
    """
    add_staff(conn)
    submitted = {
        1: at(2, 1),
        2: at(2, 10),
        3: at(1, 30),
        4: at(2, 1) - TICK,
        5: at(2, 20),
        6: at(2, 5),
        7: at(2, 12),
        8: at(2, 15),
        9: at(3, 1) - TICK,
        10: at(3, 12, 9),
        11: at(3, 12, 9) + TICK,
        12: at(3, 4, 9),
        13: at(3, 4, 9) + TICK,
        14: at(3, 11, 12),
    }
    countries: dict[int, str | None] = {3: "DE", 5: None, 6: None}
    for id_, when in submitted.items():
        add_application(
            conn,
            id_,
            submitted_at=when,
            social_platform="youtube" if id_ == 2 else "x",
            account={"country_code": countries.get(id_, "BR")},
        )
    add_event(conn, 1, "claimed", at(2, 1, 6), ANA)
    decide(conn, 1, "approved", at(2, 3), ANA, track="on_exchange")
    decide(conn, 2, "rejected", at(2, 11), BEN, is_override=True)
    conn.execute(
        insert(tables.notes).values(application_id=3, body="x", author=BEN, created_at=at(1, 31))
    )
    decide(conn, 3, "approved", at(3, 1) - TICK, ANA, track="both")
    decide(conn, 4, "rejected", at(3, 1), BEN)
    add_evidence(conn, 5, recorded_at=at(2, 21))
    first = decide(conn, 6, "rejected", at(2, 6), ANA)
    reopen(conn, 6, at(2, 7), first)
    decide(conn, 6, "approved", at(2, 9), BEN, supersedes=first)
    taken_back = decide(conn, 7, "approved", at(2, 13), ANA)
    reopen(conn, 7, at(3, 2), taken_back)
    put(conn, 7, clock_from=at(3, 2))
    settle(conn, 8, "withdrawn", at(2, 16))
    add_event(conn, 8, "withdrawn", at(2, 16), "upstream")
    add_event(conn, 9, "claimed", at(3, 1), ANA)
    put(conn, 12, status="more_info_needed", clock_from=at(3, 4, 9), paused_at=at(3, 5))
    trade(conn, 1, date(2026, 2, 3), "5")
    trade(conn, 1, date(2026, 2, 4), "0.01")
    trade(conn, 6, date(2026, 2, 9), "900")
    trade(conn, 6, date(2026, 2, 10), "0")
    return conn


# --- The work -------------------------------------------------------------------------------------

BY_HAND = {
    # Current decisions: 1 (48 h), 2 (24 h), 3 (30 days less a tick), 6 (96 h). Sorted 24, 48, 96,
    # 720: the median is between 48 and 96; the 90th percentile is 0.7 into the last of three gaps:
    # 96 + 0.7 x 624.
    FEBRUARY: Decided(
        approved=3,
        rejected=1,
        overrides=1,
        # Due after three business days: 1 took a Sunday and a Monday, 2 a Tuesday, and 6 a Thursday
        # and a Friday besides the weekend; 3 took a month.
        in_time=3,
        late=1,
        median_hours=Decimal("72.0"),
        p90_hours=Decimal("532.8"),
    ),
    # Number 4 at the first moment, 28 days and a tick after its submission.
    MARCH: Decided(rejected=1, late=1, median_hours=Decimal("672.0"), p90_hours=Decimal("672.0")),
    JANUARY: Decided(),
}


@pytest.mark.parametrize("period", BY_HAND)
def test_decisions_and_their_durations(paper: Connection, period: Window) -> None:
    before = Window(period.start - timedelta(days=31), period.start)
    found = speed.course(Sums(paper), period, before=before, grain=Grain.MONTH)

    assert found.now == BY_HAND[period]
    if period == MARCH:
        assert found.before.total == BY_HAND[FEBRUARY].total
    assert [step.total for step in found.steps] == [BY_HAND[period].total]


def test_decisions_between_the_two_periods_count_for_neither(paper: Connection) -> None:
    """1 – 3 March against 1 – 3 February: 4 is decided in the first, 1 in the second.

    2, 3 and 6 are between. 1 and 2 February contain nothing.
    """
    running = Window(date(2026, 3, 1), date(2026, 3, 4))

    def before(last: int) -> int:
        earlier = Window(date(2026, 2, 1), date(2026, 2, last + 1))
        return speed.course(Sums(paper), running, before=earlier, grain=Grain.DAY).before.total

    assert (before(3), before(2)) == (1, 0)


@pytest.mark.parametrize(
    ("state", "off", "days", "in_time"),
    [
        pytest.param({}, None, "3 days", False, id="due at that very moment"),
        pytest.param({}, None, "2 days 23:59:59", True, id="a second before"),
        pytest.param({}, date(2026, 2, 10), "4 days", False, id="due a holiday later"),
        pytest.param({}, date(2026, 2, 10), "3 days 23:59:59", True, id="in time for a holiday"),
        pytest.param({"clock_from": at(2, 10)}, None, "4 days", False, id="due after a pause"),
        pytest.param(
            {"clock_from": at(2, 10)}, None, "3 days 23:59:59", True, id="in time for a pause"
        ),
        pytest.param({"clock_from": at(2, 12)}, None, "2 days", None, id="before its clock began"),
    ],
)
def test_a_decision_is_on_time_by_its_clock(
    conn: Connection, state: dict[str, datetime], off: date | None, days: str, in_time: bool | None
) -> None:
    """Submitted on Monday, 9 February 2026, at midnight; due after three business days."""
    add_staff(conn)
    add_application(conn, 1, submitted_at=at(2, 9))
    took: timedelta = conn.execute(text(f"select interval '{days}'")).scalar_one()
    decide(conn, 1, "rejected", at(2, 9) + took, BEN)
    put(conn, 1, **state)
    if off:
        conn.execute(insert(tables.holidays).values(day=off, name="off"))

    now = speed.course(Sums(conn), FEBRUARY, before=JANUARY, grain=Grain.MONTH).now

    assert (now.in_time, now.late) == (int(in_time is True), int(in_time is False))
    assert now.on_time_rate == (None if in_time is None else Decimal(in_time))


def test_the_policy_of_a_decision_says_when_it_was_due(conn: Connection) -> None:
    add_staff(conn)
    first = judging.read_context(conn, now=NOW).policy
    add_policy(conn, replace(first, version=2, review_sla_business_days=4))
    for id_, version in ((1, 1), (2, 2)):
        add_application(conn, id_, submitted_at=at(2, 9))
        decide(conn, id_, "rejected", at(2, 12, 12), BEN, policy_version=version)

    found = speed.decided_by(Sums(conn), FEBRUARY, Split.REVIEWER)

    assert [(row.in_time, row.late) for row in found] == [(1, 1)]


def test_a_period_without_decisions_has_no_rate(paper: Connection) -> None:
    empty = speed.course(Sums(paper), JANUARY, before=JANUARY, grain=Grain.DAY)

    assert empty.now.approval_rate is None
    assert len(empty.steps) == 31
    assert BY_HAND[FEBRUARY].approval_rate == Decimal("0.75")


def test_first_touches_by_staff(paper: Connection) -> None:
    """In February 1 (6 h), 2, 5, 6 and 7 (24 h each); 3 was touched in January.

    In March 4 (28 days and a tick, with its decision) and 9 (a tick).
    """
    day = Decimal("24.0")

    february = Touched(number=5, median_hours=day, p90_hours=day)
    january = Touched(number=1, median_hours=day, p90_hours=day)
    march = Touched(number=2, median_hours=Decimal("336.0"), p90_hours=Decimal("604.8"))
    assert speed.touched(Sums(paper), FEBRUARY, before=JANUARY) == (february, january)
    assert speed.touched(Sums(paper), MARCH, before=FEBRUARY) == (march, february)
    nothing = Window(date(2025, 1, 1), date(2025, 1, 1))
    assert speed.touched(Sums(paper), nothing, before=nothing) == (Touched(), Touched())


def test_steps_show_arrivals_and_how_many_were_open(paper: Connection) -> None:
    """At the start of February 3 and 4 are open. By week from Monday, cut at the ends:

    week    1 (Sun)   2 – 8   9 – 15  16 – 22  23 – 28
    came    1         6       2 7 8   5        9
    left    –         1       2 6     8        3
    open    3         3       4       4        4
    """
    found = flow_of(paper, FEBRUARY, Grain.WEEK)

    assert found.open_before == 2
    assert [(s.start.day, s.submitted, s.open_then) for s in found.steps] == [
        (1, 1, 3),
        (2, 1, 3),
        (9, 3, 4),
        (16, 1, 4),
        (23, 1, 4),
    ]
    decided = speed.course(Sums(paper), FEBRUARY, before=JANUARY, grain=Grain.WEEK).steps
    assert [(step.approved, step.rejected) for step in decided] == [
        (0, 0),
        (1, 0),
        (1, 1),
        (0, 0),
        (1, 0),
    ]


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
def test_days_are_utc_whatever_zone_the_connection_has(paper: Connection, zone: str) -> None:
    """March 2026 has a clock change in either zone's hemisphere."""
    paper.execute(text(f"set local timezone = '{zone}'"))

    assert [s.submitted for s in flow_of(paper, FEBRUARY, Grain.MONTH).steps] == [7]
    found = speed.course(Sums(paper), FEBRUARY, before=JANUARY, grain=Grain.DAY)
    assert found.now == BY_HAND[FEBRUARY]
    assert {step.key: step.total for step in found.steps if step.total} == {
        "2026-02-03": 1,
        "2026-02-09": 1,
        "2026-02-11": 1,
        "2026-02-28": 1,
    }


def test_an_application_settled_upstream_without_a_time_never_waited(conn: Connection) -> None:
    add_application(conn, 1, submitted_at=at(2, 10), status="approved")

    (step,) = flow_of(conn, FEBRUARY, Grain.MONTH).steps
    assert (step.submitted, step.open_then) == (1, 0)


APART = {
    Split.TRACK: {"both": 1, "none": 2, "on_exchange": 1},
    Split.COUNTRY: {"BR": 2, "DE": 1, "unknown": 1},
    Split.PLATFORM: {"x": 3, "youtube": 1},
    Split.REVIEWER: {ANA: 2, BEN: 2},
}


@pytest.mark.parametrize("split", Split)
def test_decisions_by_group_add_up_to_all(paper: Connection, split: Split) -> None:
    rows = speed.decided_by(Sums(paper), FEBRUARY, split)

    assert {row.key: row.total for row in rows} == APART[split]
    assert sum(row.total for row in rows) == BY_HAND[FEBRUARY].total
    assert sum(row.overrides for row in rows) == 1


def test_arrivals_are_split_by_country_and_platform_only(paper: Connection) -> None:
    assert speed.submitted_by(Sums(paper), FEBRUARY, Split.COUNTRY) == {"BR": 5, "unknown": 2}
    assert speed.submitted_by(Sums(paper), FEBRUARY, Split.PLATFORM) == {"x": 6, "youtube": 1}
    with pytest.raises(ValueError, match="no track yet"):
        speed.submitted_by(Sums(paper), FEBRUARY, Split.TRACK)


def test_reviewers_see_which_of_their_decisions_were_reopened(paper: Connection) -> None:
    assert reviewers.reopened(paper, FEBRUARY) == {None: 1, ANA: 1}
    assert reviewers.reopened(paper, MARCH) == {None: 1, ANA: 1}
    assert reviewers.reopened(paper, JANUARY) == {None: 0}


def test_reviewers_are_compared_on_the_same_cases(conn: Connection) -> None:
    """Ana has ten cases met and twenty not, Ben the other way; both approve all met, and no other."""
    add_staff(conn)
    ids = iter(range(1, 100))
    for who, met, short in ((ANA, 10, 20), (BEN, 20, 10)):
        for number in range(met + short):
            add_application(conn, id_ := next(ids), submitted_at=at(2, 3))
            snapshot = (
                {"outcome": "met", "track": "both"}
                if number < met
                else {"outcome": "not_met", "track": None}
            )
            outcome = "approved" if number < met else "rejected"
            decide(conn, id_, outcome, at(2, 4), who, snapshot=snapshot)

    ana, ben = reviewers.compared(Sums(conn), FEBRUARY, Role.MANAGER)

    assert (ana.compared.reviewer, ana.compared.compared) == (ANA, 30)
    assert (ana.compared.rate, ana.compared.expected) == (Decimal("0.3333"), Decimal("0.3333"))
    assert (ben.compared.rate, ben.compared.expected) == (Decimal("0.6667"), Decimal("0.6667"))
    assert ana.median_hours == 24


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.MANAGER])
def test_only_managers_may_compare_reviewers(conn: Connection, role: Role) -> None:
    with pytest.raises(NotAllowed, match=f"Your role, {role}, may not compare reviewers"):
        reviewers.compared(Sums(conn), FEBRUARY, role)


def test_an_application_reopened_twice_counts_once(paper: Connection) -> None:
    made = tables.decisions.c
    first = paper.execute(select(made.decision_id).where(made.application_id == 7)).scalar_one()
    again = decide(paper, 7, "rejected", at(3, 3), BEN, supersedes=first)
    reopen(paper, 7, at(3, 4), again)

    assert reviewers.reopened(paper, MARCH) == {None: 1, ANA: 1, BEN: 1}


STAGES = {
    "submitted": 7,  # 1 2 5 6 7 8 9
    "touched": 6,  # all but 8, which only upstream moved
    "decided": 3,  # 1 2 6; 7 was reopened
    "approved": 2,  # 1 6
    "active": 1,  # 1 on the day after; 6 only on the day itself, then volume of zero
}


def test_the_funnel(paper: Connection) -> None:
    assert funnel.stages(Sums(paper), FEBRUARY) == STAGES
    empty = Window(date(2025, 1, 1), date(2025, 1, 2))
    assert set(funnel.stages(Sums(paper), empty).values()) == {0}


# Three business days end on Sunday the 15th if submitted by Wednesday 00:00; two by Thursday.
OPEN = {
    ("0-2", Clock.LATER): 1,  # 11
    ("3-10", Clock.OVERDUE): 1,  # 13
    ("3-10", Clock.SOON): 1,  # 14
    ("3-10", Clock.LATER): 1,  # 10
    ("11-30", Clock.OVERDUE): 2,  # 5 9
    ("11-30", Clock.STOPPED): 1,  # 12
    ("31+", Clock.OVERDUE): 1,  # 7, whose clock began anew on 2 March
}


def test_open_applications_by_age_and_clock(paper: Connection) -> None:
    rows = backlog.by_age_and_clock(paper, judging.read_context(paper, now=NOW))

    assert rows == [Open(age=a, clock=c, number=n) for (a, c), n in OPEN.items()]
    assert backlog.total(rows) == 8
    assert backlog.total(rows, age="11-30") == 3
    assert backlog.total(rows, clock=Clock.OVERDUE) == 4
    # When Monday ends 14 is overdue too, and in three working days all whose clock runs.
    assert [backlog.overdue_then(rows, horizon) for horizon in (0, 1)] == [5, 7]


# --- Every number leads to exactly its applications -----------------------------------------------


def behind(kpi: Kpi, period: Window = FEBRUARY, **query: str) -> Filters:
    assert kpi.opens is not None
    slice_ = kpi.opens.during(period) if kpi.opens.moment else kpi.opens
    return Filters.from_query({**Filters(slice=slice_).to_query(), **query})


def test_the_list_behind_a_number_holds_as_many(paper: Connection) -> None:
    context = judging.read_context(paper, now=NOW)
    expected: list[tuple[Filters, int]] = [
        (behind(kpis.SUBMITTED), 7),
        (behind(kpis.DECIDED), 4),
        (behind(kpis.APPROVED), 3),
        (behind(kpis.REJECTED), 1),
        (behind(kpis.OVERRIDES), 1),
        (behind(kpis.ON_TIME), 1),
        (behind(kpis.ON_TIME, MARCH), 1),
        (behind(kpis.ON_TIME, timing="on_time"), 3),
        (behind(kpis.ON_TIME, timing="on_time", reviewer=BEN), 2),
        (behind(kpis.APPROVAL_RATE), 4),
        (behind(kpis.TIME_TO_DECISION), 4),
        (behind(kpis.TIME_TO_DECISION_P90, MARCH), 1),
        (behind(kpis.TOUCHED), 5),
        (behind(kpis.TIME_TO_TOUCH, MARCH), 2),
        (behind(kpis.TIME_TO_TOUCH_P90, JANUARY), 1),
        (behind(kpis.REOPENED), 1),
        (behind(kpis.REOPENED, reviewer=ANA), 1),
        (behind(kpis.REOPENED, reviewer=BEN), 0),
        (behind(kpis.OPEN_THEN), 4),
        (behind(kpis.OPEN_THEN, Window(date(2026, 2, 1), date(2026, 2, 9))), 3),
        (behind(kpis.OPEN_THEN, JANUARY), 2),
        (behind(kpis.OPEN), 8),
        (behind(kpis.OPEN_BY_AGE), 8),
        (behind(kpis.OPEN_BY_CLOCK, clock="overdue"), 4),
        (behind(kpis.FUNNEL), 7),
        *((behind(kpis.FUNNEL, reached=stage), STAGES[stage]) for stage in Stage),
        *((behind(kpis.OPEN, age=age, clock=clock), n) for (age, clock), n in OPEN.items()),
        *((behind(kpis.SUBMITTED, country=key), n) for key, n in {"BR": 5, "unknown": 2}.items()),
        *((behind(kpis.SUBMITTED, platform=key), n) for key, n in {"x": 6, "youtube": 1}.items()),
    ]
    words = {
        Split.TRACK: "decided_track",
        Split.COUNTRY: "country",
        Split.PLATFORM: "platform",
        Split.REVIEWER: "reviewer",
    }
    for split, rows in APART.items():
        expected += [(behind(kpis.DECIDED, **{words[split]: key}), n) for key, n in rows.items()]

    for filters, number in expected:
        found = listing.ids(paper, filters, context, most=100)
        assert (listing.count(paper, filters, context), len(found)) == (number, number), filters
    drilled = {filters.slice.scope for filters, _ in expected}
    assert {kpi.opens.scope for kpi in kpis.KPIS if kpi.opens} <= drilled


def test_ages_and_clocks_partition_open_applications(paper: Connection) -> None:
    context = judging.read_context(paper, now=NOW)
    whole = listing.ids(paper, behind(kpis.OPEN), context, most=100)
    for parts in (
        [behind(kpis.OPEN, age=group.key) for group in AGE_GROUPS],
        [behind(kpis.OPEN, clock=clock) for clock in Clock],
    ):
        found = [listing.ids(paper, part, context, most=100) for part in parts]
        assert sorted(id_ for ids in found for id_ in ids) == sorted(whole)


def test_a_list_behind_a_figure_shows_its_rows(paper: Connection) -> None:
    context = judging.read_context(paper, now=NOW)
    slice_ = Slice(scope=Scope.ALL, moment=Moment.SUBMITTED).during(FEBRUARY)

    rows = listing.page(paper, Filters(slice=slice_), context)

    assert {row.application_id for row in rows} == {1, 2, 5, 6, 7, 8, 9}


# --- What is traded -------------------------------------------------------------------------------


def sums(
    conn: Connection, dimension: str, segment: str, day: date, amount: str, **given: Any
) -> None:
    add_segment_sums(
        conn,
        {
            "dimension": dimension,
            "segment": segment,
            "day": day,
            "affiliates": 1,
            "volume_usd": Decimal(amount),
            "fees_usd": 0,
            "trade_count": 1,
            "active_users": 1,
            "new_users": 0,
            **given,
        },
    )


def test_volume_by_step_and_segment(conn: Connection) -> None:
    """31 January and 1 March are outside; both ends of February are inside."""
    for day, amount in (
        (date(2026, 1, 31), "1000"),
        (date(2026, 2, 1), "0.01"),
        (date(2026, 2, 2), "10.10"),
        (date(2026, 2, 28), "5"),
        (date(2026, 3, 1), "1000"),
    ):
        sums(conn, "program", "all", day, amount, fees_usd=Decimal("-0.5"), new_users=2)
        sums(conn, "country", "BR", day, amount)

    found = volume.steps(conn, FEBRUARY, Grain.WEEK)

    assert [(row.start.day, row.volume_usd) for row in found] == [
        (1, Decimal("0.01")),
        (2, Decimal("10.10")),
        (23, Decimal("5.00")),
    ]
    assert [(row.fees_usd, row.new_users, row.user_days) for row in found] == [
        (Decimal("-0.500000"), 2, 1)
    ] * 3
    assert {row.segment for row in volume.steps(conn, FEBRUARY, Grain.DAY, Dimension.COUNTRY)} == {
        "BR"
    }
    assert volume.steps(conn, Window(date(2025, 1, 1), date(2025, 2, 1)), Grain.DAY) == []


def test_rebates_by_the_rates_of_approved_affiliates(conn: Connection) -> None:
    """Fees 100 at 0.25, 40 at 0.5, 60 without an approval; the standard rate is 0.10.

    Standard 0.10 x 200 = 20; extra 0.15 x 100 + 0.40 x 40 = 31.
    """
    day = date(2026, 2, 28)
    for segment, fees in (("0.25", 100), ("0.5", 40), ("standard", 60)):
        sums(conn, "rate", segment, day, "1", fees_usd=fees)
    sums(conn, "rate", "0.25", date(2026, 3, 1), "1", fees_usd=7000)

    found = volume.rebates(conn, FEBRUARY, standard=Decimal("0.1"))

    assert (found.fees_usd, found.standard_usd, found.extra_usd) == (200, 20, 31)
    nothing = volume.rebates(conn, JANUARY, standard=Decimal("0.1"))
    assert (nothing.standard_usd, nothing.extra_usd) == (0, 0)


def test_a_months_concentration(conn: Connection) -> None:
    """Affiliates of 60 and 40: 0.36 + 0.16 of 10,000 is 5,200. A month without volume has none."""
    rows = ((date(2026, 2, 1), 100, 60 * 60 + 40 * 40), (date(2026, 1, 1), 0, 0))
    for month, whole, squares in rows:
        conn.execute(
            insert(tables.program_monthly).values(
                month=month,
                affiliates=2,
                volume_usd=whole,
                fees_usd=1,
                active_users=3,
                new_users=4,
                sum_of_squared_volumes=squares,
            )
        )

    found = volume.months(
        conn,
        first=date(2026, 1, 1),
        through=date(2026, 2, 28),
        delivered=delivered_days(JANUARY, FEBRUARY),
    )

    assert [(row.month.month, row.concentration) for row in found] == [(1, None), (2, 5200)]


def test_a_month_that_was_not_delivered_is_unknown(conn: Connection) -> None:
    """100 in November, 50 in January; December is missing, and October is unknown.

    Of the 4 referred in November 1 trades in it, 1 two months later; December is unknown.
    """
    shown = {"first": date(2025, 10, 1), "through": date(2026, 1, 31)}
    assert volume.months(conn, **shown, delivered=Delivered()) == []
    delivered = delivered_days(Window(date(2025, 11, 1), date(2025, 12, 1)), JANUARY)
    for month, whole, new in ((date(2025, 11, 1), 100, 4), (date(2026, 1, 1), 50, 0)):
        conn.execute(
            insert(tables.program_monthly).values(
                month=month,
                affiliates=1,
                volume_usd=whole,
                fees_usd=1,
                active_users=1,
                new_users=new,
                sum_of_squared_volumes=whole**2,
            )
        )
        conn.execute(
            insert(tables.referral_cohorts).values(
                referral_month=date(2025, 11, 1), active_month=month, active_users=1
            )
        )

    months = volume.months(conn, **shown, delivered=delivered)
    kept = retention.retained(
        conn, first=date(2025, 10, 1), complete=date(2026, 2, 1), delivered=delivered
    )

    assert [(m.month.month, m.volume_usd) for m in months] == [(11, 100), (12, None), (1, 50)]
    assert [m.trading.days for m in months] == [30, 0, 31]
    assert [(row.after, row.active) for row in kept] == [(0, 1), (1, None), (2, 1)]


def test_the_largest_affiliates_of_a_period_are_found_among_those_of_its_months(
    conn: Connection,
) -> None:
    """Over 28 Feb – 1 Mar: 1 has 3 + 4, 2 has 6; 3 traded on the 27th, 4 leads no month."""
    for account in (1, 2, 3):
        for month in (date(2026, 2, 1), date(2026, 3, 1)):
            conn.execute(
                insert(tables.month_leaders).values(
                    month=month, affiliate_account_id=account, volume_usd=1
                )
            )
    trade(conn, 1, date(2026, 2, 28), "3")
    trade(conn, 1, date(2026, 3, 1), "4")
    trade(conn, 2, date(2026, 3, 1), "6")
    trade(conn, 3, date(2026, 2, 27), "99")
    trade(conn, 4, date(2026, 3, 1), "99")
    period = Window(date(2026, 2, 28), date(2026, 3, 2))

    found = volume.leaders(conn, period)
    steps = volume.of_affiliates(conn, period, Grain.MONTH, [1])

    assert [(leader.affiliate_account_id, leader.volume_usd) for leader in found] == [
        (1, Decimal("7.00")),
        (2, Decimal("6.00")),
    ]
    assert [(step.start, step.volume_usd) for step in steps] == [
        (date(2026, 2, 28), Decimal("3.00")),
        (date(2026, 3, 1), Decimal("4.00")),
    ]
    assert len(volume.leaders(conn, period, most=1)) == 1


def test_cohorts_of_referred_users(conn: Connection) -> None:
    """Ten referred in January: 8 active then, 5 in February; March is incomplete.

    Four referred in February, none active yet; none in March.
    """
    for month, new in ((1, 10), (2, 4), (3, 0)):
        conn.execute(
            insert(tables.program_monthly).values(
                month=date(2026, month, 1),
                affiliates=1,
                volume_usd=1,
                fees_usd=0,
                active_users=1,
                new_users=new,
                sum_of_squared_volumes=1,
            )
        )
    for active, number in ((1, 8), (2, 5), (3, 9)):
        conn.execute(
            insert(tables.referral_cohorts).values(
                referral_month=date(2026, 1, 1),
                active_month=date(2026, active, 1),
                active_users=number,
            )
        )

    found = retention.retained(
        conn,
        first=date(2026, 1, 1),
        complete=date(2026, 3, 1),
        delivered=delivered_days(JANUARY, FEBRUARY),
    )

    assert [(row.month.month, row.after, row.share) for row in found] == [
        (1, 0, Decimal("0.8")),
        (1, 1, Decimal("0.5")),
        (2, 0, Decimal(0)),
    ]


def test_without_metrics_nothing_is_known_of_volume(conn: Connection) -> None:
    add_refresh(conn)

    assert volume.steps(conn, FEBRUARY, Grain.MONTH) == []
    assert volume.leaders(conn, FEBRUARY) == []
    nothing = retention.retained(
        conn, first=date(2026, 1, 1), complete=date(2026, 3, 1), delivered=Delivered()
    )
    assert nothing == []
