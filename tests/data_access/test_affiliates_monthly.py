"""The monthly tests: each whole month once, by the rules of its time, corrected by adding."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product
from random import Random

import pytest
from sqlalchemy import Connection, delete, insert, text, update

from data_access import affiliates, approvals, tables
from program.affiliates import (
    MonthTest,
    Standing,
    Step,
    is_near,
    may_have_missed_more,
    misses_in_a_row,
)
from program.eligibility import assess
from program.periods import months_later
from program.policy import Policy
from tests.builders import (
    NOW,
    T,
    add_application,
    add_evidence,
    add_policy,
    add_refresh,
    rewriting,
    scalar,
    set_policy,
)
from tests.data_access.affiliate_months import (
    APPROVED,
    FEBRUARY,
    MINIMUM,
    add_affiliate,
    add_approval,
    add_month,
    add_short_reach,
    refresh,
)

POLICY = Policy()
JANUARY = date(2026, 1, 1)


def months_of(conn: Connection, id_: int) -> list[MonthTest]:
    found = affiliates.of_application(conn, id_, POLICY)
    assert found is not None
    return list(found.tests)


def outcomes(conn: Connection, id_: int) -> dict[date, str]:
    return {test.month: str(test.outcome) for test in months_of(conn, id_)}


def add_daily_part(conn: Connection, month: str) -> None:
    first = date.fromisoformat(f"{month.replace('_', '-')}-01")
    conn.execute(
        text(
            f"create table if not exists review.affiliate_daily_{month} partition of"
            f" review.affiliate_daily for values from ('{first}') to ('{months_later(first, 1)}')"
        )
    )


def set_status(conn: Connection, statuses: dict[int, str]) -> None:
    table = tables.applications
    for id_, status in statuses.items():
        conn.execute(update(table).where(table.c.application_id == id_).values(status=status))


def rows(conn: Connection) -> int:
    return int(scalar(conn, "select count(*) from review.requalifications"))


def test_each_whole_month_is_tested_by_the_calendar(conn: Connection) -> None:
    """Exactly at the minimums is a pass, a cent below a miss, no row a known zero."""
    add_affiliate(conn, 1, "+++-.+")
    add_month(conn, 1, date(2026, 3, 1), MINIMUM)  # still running at T

    refresh(conn)

    months = [months_later(FEBRUARY, -back) for back in range(5, -1, -1)]
    words = ["met", "met", "met", "not_met", "not_met", "met"]
    assert outcomes(conn, 1) == dict(zip(months, words, strict=True))


@pytest.mark.parametrize(("months", "misses"), [("-" * 7, 7), ("+" + "-" * 7, 7)])
def test_every_miss_in_a_row_counts_from_the_first_refresh_on(
    conn: Connection, months: str, misses: int
) -> None:
    add_affiliate(conn, 1, months, approved_at=datetime(2025, 3, 10, tzinfo=UTC))

    refresh(conn)

    found = affiliates.of_application(conn, 1, POLICY)
    assert found is not None
    assert found.misses == misses


def test_who_missed_every_month_looked_at_may_have_missed_more(conn: Connection) -> None:
    """Of twelve months that are looked at; whoever came later cannot have missed one before."""
    add_affiliate(conn, 1, "-" * 14, approved_at=datetime(2024, 6, 10, tzinfo=UTC))
    add_affiliate(conn, 2, "-" * 12, approved_at=datetime(2025, 2, 10, tzinfo=UTC))

    refresh(conn)

    policy = replace(POLICY, requalification_protection_months=0)
    found = [affiliates.of_application(conn, id_, policy) for id_ in (1, 2)]
    more = [
        may_have_missed_more(one.misses, counted_from=one.counted_from, newest=FEBRUARY)
        for one in found
        if one
    ]
    assert [one.misses for one in found if one] == [12, 12]
    assert more == [True, False]


def test_a_month_is_complete_with_its_last_day(conn: Connection) -> None:
    add_affiliate(conn, 1, "+")
    add_month(conn, 1, date(2026, 3, 1), MINIMUM)

    refresh(conn, through=date(2026, 3, 30))
    assert max(outcomes(conn, 1)) == FEBRUARY
    refresh(conn, start=date(2026, 3, 30), through=date(2026, 3, 31))
    assert max(outcomes(conn, 1)) == date(2026, 3, 1)


def test_the_month_of_the_approval_is_not_tested_and_what_is_not_known_is_unknown(
    conn: Connection,
) -> None:
    add_affiliate(conn, 1, "++", approved_at=datetime(2026, 1, 31, 23, tzinfo=UTC))
    add_affiliate(conn, 2, "--", seen_short=False)
    add_affiliate(conn, 3, "+", approved_at=datetime(2026, 2, 1, tzinfo=UTC))

    refresh(conn)

    assert outcomes(conn, 1) == {FEBRUARY: "met"}
    # Short on the exchange, and nobody has looked elsewhere.
    assert outcomes(conn, 2)[FEBRUARY] == "unknown"
    assert outcomes(conn, 3) == {}


def test_a_month_is_known_from_the_first_day_with_activity_on(conn: Connection) -> None:
    """Referrals reach back further, and their rows say nothing of what was traded."""
    add_affiliate(conn, 1, "....")
    for month in (date(2025, 11, 1), date(2025, 12, 1), JANUARY, FEBRUARY):
        add_month(conn, 1, month, 0, active=0, new=3)
    for month in ("2025_12", "2026_01"):
        add_daily_part(conn, month)

    def volumes(day: date, **figures: int) -> list[Decimal | None]:
        conn.execute(delete(tables.affiliate_daily))
        conn.execute(
            insert(tables.affiliate_daily).values(
                affiliate_account_id=0,
                day=day,
                fees_usd=0,
                zero_fee_volume_usd=0,
                active_users=1,
                **{"volume_usd": 0, "trade_count": 0, "new_users": 0, **figures},
            )
        )
        conn.execute(
            delete(tables.affiliate_monthly).where(
                tables.affiliate_monthly.c.affiliate_account_id == 0
            )
        )
        conn.execute(
            text(
                "insert into review.affiliate_monthly select affiliate_account_id,"
                " date_trunc('month', day), volume_usd, 0, trade_count, 1, 0 from review.affiliate_daily"
            )
        )
        refresh(conn, long_delivered=False)
        return [test.facts.volume_usd for test in months_of(conn, 1)][-4:]

    assert volumes(date(2025, 12, 1), trade_count=1) == [None, 0, 0, 0]
    assert volumes(date(2025, 12, 2), trade_count=1) == [None, None, 0, 0]
    assert volumes(JANUARY, volume_usd=1) == [None, None, 0, 0]
    assert volumes(date(2026, 1, 2), volume_usd=1) == [None, None, None, 0]
    assert volumes(JANUARY, new_users=1) == [None] * 4


def test_evidence_counts_if_it_was_current_at_the_months_end(conn: Connection) -> None:
    add_affiliate(conn, 1, "--", seen_short=False)
    end = datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=UTC)
    add_evidence(conn, 1, value=5001, observed_at=end)
    add_affiliate(conn, 2, "--", seen_short=False)
    add_evidence(conn, 2, value=5001, observed_at=end + timedelta(microseconds=1))

    refresh(conn)

    assert [outcomes(conn, id_)[FEBRUARY] for id_ in (1, 2)] == ["met", "unknown"]
    assert outcomes(conn, 1)[JANUARY] == "unknown"


def test_the_policy_in_force_at_the_months_end_judges(conn: Connection) -> None:
    add_affiliate(conn, 1, "++")
    harder = {"min_volume_usd": MINIMUM * 2, "note": "Harder"}
    from_march = datetime(2026, 3, 1, tzinfo=UTC)
    add_policy(conn, replace(POLICY, version=2, effective_from=from_march, **harder))
    refresh(conn)
    assert set(outcomes(conn, 1).values()) >= {"met"}

    last_moment = from_march - timedelta(microseconds=1)
    add_policy(conn, replace(POLICY, version=3, effective_from=last_moment, **harder))
    refresh(conn)

    assert [outcomes(conn, 1)[m] for m in (JANUARY, FEBRUARY)] == ["met", "not_met"]
    assert [test.policy_version for test in months_of(conn, 1)][-2:] == [1, 3]


def test_other_words_of_a_policy_are_counted_from_the_activity(conn: Connection) -> None:
    """A floor of 100 USD a month: 14 of 15 users reach it, one by two trades."""
    policy = replace(
        POLICY, version=2, active_user_min_volume_usd=Decimal(100), min_active_users=14
    )
    add_policy(conn, policy)
    add_affiliate(conn, 1, "+")
    conn.execute(
        text(
            "create table if not exists exchange.referral_activity_2026_02 partition of"
            " exchange.referral_activity for values from ('2026-02-01') to ('2026-03-01')"
        )
    )
    conn.execute(
        text(
            "insert into exchange.referral_activity select 1, user_id, date '2026-02-03', v, 0, 1 from"
            " (select n as user_id, 100.00 as v from generate_series(1, 13) n"
            "  union all select 14, 50 union all select 15, 99.99) users"
            " union all select 1, 14, date '2026-02-28', 50, 0, 1"
        )
    )

    refresh(conn, policy=policy)

    assert months_of(conn, 1)[-1].facts.active_users == 14
    assert outcomes(conn, 1)[FEBRUARY] == "not_met"  # nobody was referred, and no volume summed


def test_testing_again_adds_nothing(conn: Connection) -> None:
    add_affiliate(conn, 1, "+-+")
    refresh(conn)
    before = rows(conn)
    refresh(conn)

    assert rows(conn) == before == 8


def test_a_late_correction_adds_a_result_that_supersedes(conn: Connection) -> None:
    add_affiliate(conn, 1, "+--")
    refresh(conn)
    monthly = tables.affiliate_monthly
    corrected = update(monthly).where(monthly.c.month == JANUARY).values(volume_usd=MINIMUM)
    conn.execute(corrected)

    refresh(conn, start=FEBRUARY)  # January's days were not computed anew
    assert outcomes(conn, 1)[JANUARY] == "not_met"
    refresh(conn, start=date(2026, 1, 31))

    assert outcomes(conn, 1)[JANUARY] == "met"
    old = "select count(*) from review.requalifications where month = '2026-01-01' and outcome = 'not_met'"
    assert scalar(conn, old) == 1
    assert affiliates.of_application(conn, 1, POLICY).misses == 1  # type: ignore[union-attr]


def test_evidence_recorded_later_about_that_time_is_taken_up(conn: Connection) -> None:
    add_refresh(conn)
    add_affiliate(conn, 1, "-", seen_short=False)
    refresh(conn)
    add_short_reach(conn, 1, FEBRUARY)
    with rewriting(conn, "evidence"):
        conn.execute(update(tables.evidence).values(recorded_at=NOW))

    refresh(conn, start=T)

    assert outcomes(conn, 1)[FEBRUARY] == "not_met"


def test_only_who_is_approved_now_is_an_affiliate(conn: Connection) -> None:
    add_affiliate(conn, 1, "+")
    add_affiliate(conn, 2, "+")
    add_refresh(conn)
    refresh(conn)
    superseded = scalar(conn, "select decision_id from review.decisions where application_id = 1")
    add_approval(
        conn,
        1,
        NOW,
        outcome="rejected",
        rebate_rate=None,
        reason_code="other",
        supersedes=superseded,
    )

    assert affiliates.of_application(conn, 1, POLICY) is None
    assert affiliates.counts(conn, POLICY).total == 1
    refresh(conn, start=T)
    assert scalar(conn, "select array_agg(account_id) from review.affiliate_tested") == [2]


def test_a_reopened_approval_leaves_at_once_and_an_older_one_comes_back(conn: Connection) -> None:
    """Whether it waits again or is withdrawn; of two approved applications the last one counts."""
    for id_ in (1, 2, 4):
        add_affiliate(conn, id_, "+")
    add_affiliate(conn, 5, "+", account_id=4, approved_at=APPROVED + timedelta(days=1))
    add_refresh(conn)
    refresh(conn)
    held = "select array_agg(application_id order by application_id) from review.affiliate_tested"
    assert scalar(conn, held) == [1, 2, 5]

    set_status(conn, {1: "pending", 2: "withdrawn", 5: "pending"})

    assert affiliates.rows(conn, [1, 2, 5], POLICY) == []
    assert affiliates.counts(conn, POLICY).total == 0
    refresh(conn, start=T)
    assert scalar(conn, held) == [4]
    set_status(conn, {1: "approved"})
    refresh(conn, start=T)
    assert scalar(conn, held) == [1, 4]


def test_another_protection_and_a_way_back_count_at_once(conn: Connection) -> None:
    """Approved in October: November to January are protected, or November alone, or none."""
    add_affiliate(conn, 1, "----", approved_at=datetime(2025, 10, 31, 23, 59, tzinfo=UTC))
    refresh(conn)

    def counted(months: int) -> tuple[int, int, Step | None]:
        policy = replace(POLICY, requalification_protection_months=months)
        (found,) = affiliates.rows(conn, [1], policy)
        assert found.misses == misses_in_a_row(found.tests, counted_from=found.counted_from)
        counts = affiliates.counts(conn, policy)
        assert counts.by_suggestion.get(found.suggestion, 0) == (found.suggestion is not None)
        return found.misses, sum(counts.by_suggestion.values()), found.suggestion

    assert [counted(months) for months in (24, 4, 3, 1, 0)] == [
        *[(0, 0, None)] * 2,
        (1, 1, Step.PUT_ON_NOTICE),
        *[(3, 1, Step.SUSPEND), (4, 1, Step.SUSPEND)],
    ]
    conn.execute(
        insert(tables.affiliate_standings).values(
            account_id=1,
            status="active",
            since=NOW,
            changed_by="mira@example.com",
            reason_code="mistake",
            reason="No.",
            misses=3,
            count_from=FEBRUARY,
        )
    )
    assert counted(0) == (1, 1, Step.PUT_ON_NOTICE)


def test_who_was_approved_upstream_alone_is_no_affiliate_here(conn: Connection) -> None:
    add_application(conn, 1, status="approved")

    assert conn.execute(approvals.standing()).all() == []


def test_sql_and_python_count_misses_and_nearness_alike(conn: Connection) -> None:
    """Every pattern of four months, and figures around each line."""
    chance = Random(7)
    for id_, signs in enumerate(product("+-?", repeat=4), start=1):
        # The latter is protected up to January.
        approved = chance.choice([APPROVED, datetime(2025, 10, 5, tzinfo=UTC)])
        add_affiliate(conn, id_, approved_at=approved, seen_short=False)
        for place, sign in enumerate(signs):
            month = months_later(FEBRUARY, place - 3)
            volume = MINIMUM * Decimal(chance.choice(["0.89", "0.9", "0.99"]))
            if sign == "+":
                volume = MINIMUM * Decimal(chance.choice(["1", "1.1", "1.11", "3"]))
            heads = {"active": chance.choice([15, 16, 17]), "new": chance.choice([5, 6])}
            add_month(conn, id_, month, volume, **heads)
            if sign == "-":
                add_short_reach(conn, id_, month)
    # An earlier month's evidence must not settle a later unknown one.
    set_policy(conn, evidence_valid_days=8)

    refresh(conn, policy=replace(POLICY, evidence_valid_days=8))

    seen = set()
    for found in affiliates.rows(conn, list(range(1, 82)), POLICY):
        assert found.misses == misses_in_a_row(found.tests, counted_from=found.counted_from)
        for test in found.tests:
            assert test.outcome is assess(test.facts, POLICY).outcome
            assert test.near is is_near(test.facts, test.outcome, POLICY)
            seen.add((str(test.outcome), test.near))
        assert found.standing is Standing.ACTIVE
    assert len(seen) == 5
