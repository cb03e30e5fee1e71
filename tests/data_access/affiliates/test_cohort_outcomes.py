"""Outcomes of approvals, computed by hand: one small cohort, day by day."""

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product
from random import Random

import pytest
from sqlalchemy import Connection, insert, text

from data_access.affiliates import approved, cohort_outcomes
from data_access.affiliates.requalification import Refreshed
from data_access.db import tables
from data_access.eligibility import delivered
from program.affiliates.cohorts import collapse, is_complete, window_of
from program.periods import Window
from program.policy.delivered import Delivered
from program.policy.policy import Policy
from tests.builders import NOW, add_application, add_evidence, scalar, set_policy
from tests.data_access.affiliate_months import add_approval, deliver
from tests.data_access.statements import sent

CLOSED = datetime(2025, 11, 30, 23, 59, tzinfo=UTC)  # the cohort's last day
BEGIN = date(2025, 10, 1)
THROUGH = date(2026, 2, 28)  # 90 complete days after it


def test_thirty_days_end_so_many_days_after_the_approval() -> None:
    assert window_of(date(2025, 11, 30), 30) == Window(date(2025, 12, 1), date(2025, 12, 31))
    assert window_of(date(2025, 11, 30), 60) == Window(date(2025, 12, 31), date(2026, 1, 30))


def test_a_cohort_is_complete_with_its_last_approval() -> None:
    november = date(2025, 11, 1)
    assert is_complete(november, 30, date(2025, 12, 30))
    assert not is_complete(november, 30, date(2025, 12, 29))
    assert not is_complete(november, 30, None)


def test_halved_and_collapsed() -> None:
    def fell(before: str | None, later: str | None) -> str:
        found = collapse(*(None if v is None else Decimal(v) for v in (before, later)))
        return found.key if found else ""

    assert fell("100", "50.01") == ""
    assert fell("100", "50") == "halved"
    assert fell("100", "20.01") == "halved"
    assert fell("100", "20") == "collapsed"
    assert fell("0", "0") == fell(None, "1") == fell("1", None) == ""


def snapshot(volume: int | None, active: int, new: int) -> dict[str, object]:
    figures = {"volume_usd": volume, "active_users": active, "new_users": new}
    return {
        "outcome": "met",
        "window": {"start": "2025-11-01", "end": "2025-11-30"},
        "criteria": [
            {"key": key, "value": None if v is None else str(v)} for key, v in figures.items()
        ],
    }


def approve(
    conn: Connection, id_: int, at: datetime, seen: dict[str, object], **given: object
) -> None:
    add_application(conn, id_, status="approved", submitted_at=at - timedelta(days=2))
    add_approval(conn, id_, at, snapshot=seen, **given)


def trade(conn: Connection, id_: int, user: int, day: date, volume: int) -> None:
    month = f"{day:%Y_%m}"
    first = day.replace(day=1)
    after = (first + timedelta(days=32)).replace(day=1)
    conn.execute(
        text(
            f"create table if not exists exchange.referral_activity_{month} partition of "
            f"exchange.referral_activity for values from ('{first}') to ('{after}')"
        )
    )
    conn.execute(
        text(
            f"create table if not exists review.affiliate_daily_{month} partition of "
            f"review.affiliate_daily for values from ('{first}') to ('{after}')"
        )
    )
    conn.execute(
        insert(tables.referral_activity).values(
            affiliate_account_id=id_,
            referred_account_id=user,
            activity_date=day,
            volume_usd=volume,
            fees_usd=0,
            trade_count=1,
        )
    )
    conn.execute(
        text(
            "insert into review.affiliate_daily values (:a, :d, :v, 0, 1, 0, 1, 0) on conflict "
            "(affiliate_account_id, day) do update set volume_usd = affiliate_daily.volume_usd + :v"
        ),
        {"a": id_, "d": day, "v": volume},
    )
    # The refresh has written the month before it measures outcomes.
    conn.execute(
        text(
            "insert into review.affiliate_monthly values (:a, :m, :v, 0, 1, 1, 0) on conflict "
            "(affiliate_account_id, month) do update set volume_usd = affiliate_monthly.volume_usd + :v"
        ),
        {"a": id_, "m": first, "v": volume},
    )


def update_outcomes(
    conn: Connection,
    *,
    through: date = THROUGH,
    start: date = date.min,
    begin: date = BEGIN,
    without: Collection[date] = (),
) -> None:
    """Update as a refresh does; somebody trades on every day from ``begin`` except some."""
    deliver(conn, begin, through, without=without)
    done = Refreshed(start=start, through=through, policy=Policy(), before=None, now=NOW)
    approved.keep(conn)
    cohort_outcomes.update(conn, done)


def small_cohort(conn: Connection) -> None:
    """Two approvals of November; the one an override that fades, the other unknown before.

    1, approved on the 30th with 100 USD, 2 active, 1 new: 40 USD on 30 Nov, which is its own
    day and counts nowhere; 60 on 1 Dec and 30 on 30 Dec by one user; 15 + 5 on 31 Dec by two.
    2, approved on the 1st, nothing known before: 7 USD on 1 Dec, its day 30.
    """
    approve(conn, 1, CLOSED, snapshot(100, 2, 1), is_override=True, override_reason="Growing")
    approve(conn, 2, datetime(2025, 11, 1, tzinfo=UTC), snapshot(None, 0, 0))
    trade(conn, 1, 11, date(2025, 11, 30), 40)
    trade(conn, 1, 11, date(2025, 12, 1), 60)
    trade(conn, 1, 11, date(2025, 12, 30), 30)
    trade(conn, 1, 11, date(2025, 12, 31), 15)
    trade(conn, 1, 12, date(2025, 12, 31), 5)
    trade(conn, 2, 21, date(2025, 12, 1), 7)
    conn.execute(
        text(
            "insert into exchange.referrals values (1, 12, '2025-12-31T00:00Z'), (1, 11, '2020-01-01Z')"
        )
    )


def test_a_cohort_worked_by_hand(conn: Connection) -> None:
    small_cohort(conn)

    update_outcomes(conn)

    (november,) = cohort_outcomes.outcomes(conn, data_through=THROUGH).cohorts
    assert (november.month, november.affiliates, november.volume_usd) == (date(2025, 11, 1), 2, 100)
    by_horizon = {h: (t.volume, t.active, t.new) for h, t in november.at.items()}
    # Volume covers the one with a known figure at application, users both.
    assert by_horizon == {30: (90, 2, 0), 60: (20, 2, 1), 90: (0, 0, 0)}
    at_60 = november.at[60]
    assert (at_60.affiliates, at_60.compared, at_60.trading) == (2, 1, 1)
    assert (at_60.halved, at_60.collapsed) == (1, 1)
    assert (at_60.volume_before, at_60.volume) == (100, 20)
    # No external evidence, so missing the minimums is unknown, and nobody is judged.
    assert (at_60.met, at_60.judged) == (0, 0)


def test_days_before_the_first_delivered_one_are_unknown_not_a_fall(conn: Connection) -> None:
    """Data begin on 1 Jan: for approvals of 1 and 30 Nov only days 61 to 90 are known."""
    small_cohort(conn)

    update_outcomes(conn, begin=date(2026, 1, 1))

    (november,) = cohort_outcomes.outcomes(conn, data_through=THROUGH).cohorts
    assert {h: t.delivered for h, t in november.at.items()} == {30: 0, 60: 0, 90: 2}
    assert {h: (t.volume, t.compared, t.trading) for h, t in november.at.items()} == {
        30: (0, 0, 0),
        60: (0, 0, 0),
        90: (0, 1, 1),
    }
    assert cohort_outcomes.fallen(conn, data_through=THROUGH, most=9) == []


# For the approval on 30 Nov days 31 to 60 are 31 Dec to 29 Jan. Each case: whether volume halved,
# how many have both figures known, and the days without any trade.
EDGES = {
    date(2025, 12, 30): (1, 1),
    date(2025, 12, 31): (0, 0),
    date(2026, 1, 29): (0, 0),
    date(2026, 1, 30): (1, 1),
}


@pytest.mark.parametrize(("hole", "expected"), EDGES.items())
def test_a_missing_day_leaves_a_fall_unknown(
    conn: Connection, hole: date, expected: tuple[int, int]
) -> None:
    small_cohort(conn)

    update_outcomes(conn, without=[hole])

    (november,) = cohort_outcomes.outcomes(conn, data_through=THROUGH).cohorts
    at_60 = november.at[60]
    assert (at_60.halved, at_60.compared) == expected
    assert len(cohort_outcomes.fallen(conn, data_through=THROUGH, most=9)) == expected[0]


def test_a_period_with_missing_days_is_met_or_unknown_and_recomputed_later(
    conn: Connection,
) -> None:
    """Days 31 to 60: the delivered part is enough for two active users, and short of three."""
    small_cohort(conn)
    short_reach = {"observed_at": datetime(2026, 1, 20, tzinfo=UTC)}
    add_evidence(conn, 1, value=1, **short_reach)
    add_evidence(conn, 1, kind="external_volume", value=1, exchange_name="ExA", **short_reach)
    hole = date(2026, 1, 10)
    query = text(
        "select o.outcome from review.affiliate_outcomes as o join review.decisions using (decision_id)"
        " where application_id = 1 and horizon_days = 60"
    )
    found = []
    for active, without in product([2, 3], [[hole], []]):
        set_policy(conn, min_volume_usd=20, min_active_users=active, min_new_users=1)
        update_outcomes(conn, without=without)
        found.append(conn.execute(query).scalar_one())
    assert found == ["met", "met", "unknown", "not_met"]

    update_outcomes(conn, without=[hole])
    assert conn.execute(query).scalar_one() == "unknown"
    # The number of missing days changed, whatever was recomputed.
    update_outcomes(conn, start=THROUGH)
    assert conn.execute(query).scalar_one() == "not_met"


def test_sql_and_python_count_missing_days_the_same(conn: Connection) -> None:
    chance = Random(3)
    for share in (0, 0.1, 0.5, 1):
        days = [BEGIN + timedelta(n) for n in range(60) if chance.random() < share]
        for _ in range(30):
            start = BEGIN + timedelta(chance.randrange(-40, 70))
            window = Window(start, start + timedelta(chance.randrange(1, 40)))
            counted = conn.execute(
                text(
                    f"select {delivered.MISSING} from (select cast(:start as date) as first_day,"
                    " cast(:after as date) as after) as span"
                ),
                {"start": window.start, "after": window.end, "delivered": days},
            ).scalar_one()
            assert counted == Delivered(days=days).trading(window).missing


def test_incomplete_periods_are_absent_not_zero(conn: Connection) -> None:
    small_cohort(conn)

    update_outcomes(conn, through=date(2025, 12, 29))
    (november,) = cohort_outcomes.outcomes(conn, data_through=date(2025, 12, 29)).cohorts
    assert november.at == {}
    update_outcomes(conn, start=date(2025, 12, 29), through=date(2026, 1, 29))
    (november,) = cohort_outcomes.outcomes(conn, data_through=date(2026, 1, 29)).cohorts

    assert {h: t.volume for h, t in november.at.items()} == {30: 90, 60: 20}


def test_a_late_correction_is_taken_up_and_again_changes_nothing(conn: Connection) -> None:
    small_cohort(conn)
    update_outcomes(conn)
    trade(conn, 1, 13, date(2026, 1, 29), 80)
    update_outcomes(conn, start=date(2026, 1, 30))
    (before,) = cohort_outcomes.outcomes(conn, data_through=THROUGH).cohorts
    update_outcomes(conn, start=date(2026, 1, 29))
    (after,) = cohort_outcomes.outcomes(conn, data_through=THROUGH).cohorts
    update_outcomes(conn)

    assert [c.at[60].volume for c in (before, after)] == [20, 100]
    assert cohort_outcomes.outcomes(conn, data_through=THROUGH).cohorts == [after]


def test_still_qualifying_is_by_the_policy_of_the_decision(conn: Connection) -> None:
    small_cohort(conn)
    set_policy(conn, min_volume_usd=20, min_active_users=2, min_new_users=1)

    update_outcomes(conn)

    (november,) = cohort_outcomes.outcomes(conn, data_through=THROUGH).cohorts
    assert (november.at[60].met, november.at[60].judged) == (1, 1)


def test_overrides_beside_the_others_and_a_superseded_approval_leaves(conn: Connection) -> None:
    small_cohort(conn)
    update_outcomes(conn)
    at_60 = {
        t.group: t
        for t in cohort_outcomes.outcomes(conn, data_through=THROUGH).by_override
        if t.horizon == 60
    }
    assert {group: t.affiliates for group, t in at_60.items()} == {
        "override": 1,
        "not an override": 1,
    }
    (fell,) = cohort_outcomes.fallen(conn, data_through=THROUGH, most=5)
    assert (fell.application_id, fell.before_usd, fell.later_usd) == (1, 100, 20)

    decision = conn.execute(
        text("select decision_id from review.decisions where application_id = 1")
    ).scalar_one()
    add_approval(conn, 1, NOW, supersedes=decision, snapshot=snapshot(1, 1, 1))
    update_outcomes(conn)

    assert [t.group for t in cohort_outcomes.outcomes(conn, data_through=THROUGH).by_override] == [
        "not an override"
    ] * 3


def summary(conn: Connection, through: date = THROUGH) -> list[object]:
    """Return cohorts, groups and listed falls, each with its owner and number."""
    cohorts = cohort_outcomes.outcomes(conn, data_through=through).cohorts
    grouped = cohort_outcomes.outcomes(conn, data_through=through).by_override
    fell = cohort_outcomes.fallen(conn, data_through=through, most=5)
    return [
        [(cohort.month.month, cohort.affiliates) for cohort in cohorts],
        [(t.group, t.affiliates) for t in grouped if t.horizon == 60],
        [one.application_id for one in fell],
    ]


def test_former_affiliates_leave_without_a_refresh(conn: Connection) -> None:
    """Superseded, or reopened, which leaves the decision row unchanged."""
    small_cohort(conn)
    update_outcomes(conn)
    both = [[(11, 2)], [("not an override", 1), ("override", 1)], [1]]
    assert summary(conn) == both

    conn.execute(
        text("update exchange.applications set status = 'pending' where application_id = 1")
    )
    other = [[(11, 1)], [("not an override", 1)], []]
    assert summary(conn) == other
    update_outcomes(conn, start=THROUGH)
    assert summary(conn) == other
    # Approved again, it is measured without recomputing a day.
    conn.execute(text("update exchange.applications set status = 'approved'"))
    update_outcomes(conn, start=THROUGH)
    assert summary(conn) == both
    decision = scalar(conn, "select decision_id from review.decisions where application_id = 1")
    add_approval(conn, 1, NOW, supersedes=decision)
    assert summary(conn) == [[(3, 1), (11, 1)], *other[1:]]


def test_an_account_counts_once_by_the_approval_decided_last(conn: Connection) -> None:
    small_cohort(conn)
    add_application(conn, 3, account_id=1, status="approved")
    add_approval(conn, 3, CLOSED - timedelta(days=1), snapshot=snapshot(1, 1, 1))

    update_outcomes(conn)

    assert summary(conn)[0] == [(11, 2)]
    held = "select array_agg(distinct decision_id) from review.affiliate_outcomes"
    assert len(scalar(conn, held)) == 2


def test_a_fall_is_listed_from_its_sixtieth_complete_day(conn: Connection) -> None:
    small_cohort(conn)
    update_outcomes(conn)

    assert summary(conn, date(2026, 1, 28))[2] == []
    assert summary(conn, date(2026, 1, 29))[2] == [1]


def test_a_reviewer_is_shown_from_ten_approvals_on(conn: Connection) -> None:
    for id_ in range(1, 20):
        by = "ana@example.com" if id_ <= 10 else "ben@example.com"
        approve(conn, id_, CLOSED, snapshot(1, 1, 1), decided_by=by)

    update_outcomes(conn)

    shown = cohort_outcomes.outcomes(conn, data_through=THROUGH).by_reviewer
    assert [(t.group, t.horizon, t.affiliates) for t in shown] == [
        ("ana@example.com", horizon, 10) for horizon in (30, 60, 90)
    ]


def random_cohorts(conn: Connection) -> None:
    """Thirty approvals of four months by three people, half of them trading later."""
    chance = Random(2)
    for id_ in range(1, 31):
        at = datetime(2025, 10, 1, tzinfo=UTC) + timedelta(days=chance.randrange(120))
        known = chance.choice([None, 50, 100])
        decided_by = chance.choice(["ana@example.com", "ben@example.com", "mira@example.com"])
        given = {"is_override": True, "override_reason": "Growing"} if id_ % 4 == 0 else {}
        approve(conn, id_, at, snapshot(known, 2, 1), decided_by=decided_by, **given)
        for later in chance.sample(range(1, 90), 6):
            trade(conn, id_, 100 + id_, (at + timedelta(days=later)).date(), chance.choice([5, 60]))


def everything(conn: Connection) -> list[object]:
    found = cohort_outcomes.outcomes(conn, data_through=THROUGH)
    return [found, cohort_outcomes.fallen(conn, data_through=THROUGH, most=50)]


def test_sums_corrected_for_changes_are_those_of_counting_all_again(conn: Connection) -> None:
    """Reopened, rejected by upstream, approved anew, and approved for the first time."""
    random_cohorts(conn)
    update_outcomes(conn)
    conn.execute(text("delete from review.uncounted"))
    counted = everything(conn)

    for status, ids in (("pending", "1, 2, 3, 4"), ("rejected", "5, 6, 7, 8")):
        change = (
            f"update exchange.applications set status = '{status}' where application_id in ({ids})"
        )
        conn.execute(text(change))
    for id_ in (9, 10, 11):
        decision = scalar(
            conn, f"select decision_id from review.decisions where application_id = {id_}"
        )
        add_approval(conn, id_, NOW - timedelta(days=id_), supersedes=decision)
    approve(conn, 40, NOW, {})

    corrected = everything(conn)
    assert corrected != counted
    conn.execute(text("delete from review.outcome_counts"))
    update_outcomes(conn, start=THROUGH)
    conn.execute(text("delete from review.uncounted"))
    assert everything(conn) == corrected
    # Back again, by months: what changed is counted anew, the rest stays.
    conn.execute(text("update exchange.applications set status = 'approved'"))
    update_outcomes(conn, start=THROUGH)
    conn.execute(text("delete from review.uncounted"))
    by_months = everything(conn)
    conn.execute(text("delete from review.outcome_counts"))
    update_outcomes(conn, start=THROUGH)
    assert by_months == everything(conn) != corrected


def test_outcomes_take_so_many_statements(conn: Connection) -> None:
    random_cohorts(conn)
    update_outcomes(conn)
    for _ in range(2):
        with sent(conn) as statements:
            everything(conn)
        assert len(statements) == 4
        conn.execute(text("delete from review.uncounted"))


def test_outcomes_are_read_from_sums(conn: Connection) -> None:
    random_cohorts(conn)
    update_outcomes(conn)
    conn.execute(text("delete from review.uncounted"))
    expected = cohort_outcomes.outcomes(conn, data_through=THROUGH)

    conn.execute(text("delete from review.affiliate_outcomes"))

    assert cohort_outcomes.outcomes(conn, data_through=THROUGH) == expected
