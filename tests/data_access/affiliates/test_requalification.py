"""Monthly tests: each whole month once, by the rules of its time, corrected by new rows."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product
from random import Random

import pytest
from sqlalchemy import Connection, insert, select, text, update

from data_access.affiliates import approved as affiliates_approved
from data_access.affiliates import board
from data_access.db import tables
from program.affiliates.requalification import (
    MonthTest,
    Standing,
    Step,
    may_have_missed_more,
)
from program.periods import Window, months_later
from program.policy.delivered import Delivered
from program.policy.eligibility import Facts, assess
from program.policy.policy import Policy
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
    LONG_AGO,
    MINIMUM,
    add_affiliate,
    add_approval,
    add_month,
    add_short_reach,
    deliver,
    refresh,
)
from tests.program.oracles import is_near, known_facts, misses_in_a_row

POLICY = Policy()
JANUARY = date(2026, 1, 1)


def months_of(conn: Connection, id_: int) -> list[MonthTest]:
    found = board.of_application(conn, id_, POLICY)
    assert found is not None
    return list(found.tests)


def outcomes(conn: Connection, id_: int) -> dict[date, str]:
    return {test.month: str(test.outcome) for test in months_of(conn, id_)}


def days(first: str, last: str) -> list[str]:
    """Return the days, both included."""
    start = date.fromisoformat(first)
    number = (date.fromisoformat(last) - start).days + 1
    return [str(start + timedelta(n)) for n in range(number)]


def signs(conn: Connection, id_: int) -> str:
    """Return the months as signs, oldest first: met, missed, unknown."""
    return "".join(
        {"met": "+", "not_met": "-", "unknown": "?"}[word] for word in outcomes(conn, id_).values()
    )


def set_status(conn: Connection, statuses: dict[int, str]) -> None:
    table = tables.applications
    for id_, status in statuses.items():
        conn.execute(update(table).where(table.c.application_id == id_).values(status=status))


def rows(conn: Connection) -> int:
    return int(scalar(conn, "select count(*) from review.requalifications"))


def test_each_whole_month_is_tested_by_the_calendar(conn: Connection) -> None:
    """The minimums pass, a cent less misses; delivered days without rows are zeros."""
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

    found = board.of_application(conn, 1, POLICY)
    assert found is not None
    assert found.misses == misses


def test_missing_every_month_read_means_at_least_that_many_misses(conn: Connection) -> None:
    """Twelve months are read; affiliates who joined later cannot have missed one before."""
    add_affiliate(conn, 1, "-" * 14, approved_at=datetime(2024, 6, 10, tzinfo=UTC))
    add_affiliate(conn, 2, "-" * 12, approved_at=datetime(2025, 2, 10, tzinfo=UTC))

    refresh(conn)

    policy = replace(POLICY, requalification_protection_months=0)
    found = [board.of_application(conn, id_, policy) for id_ in (1, 2)]
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


def test_the_month_of_the_approval_is_not_tested_and_missing_facts_are_unknown(
    conn: Connection,
) -> None:
    add_affiliate(conn, 1, "++", approved_at=datetime(2026, 1, 31, 23, tzinfo=UTC))
    add_affiliate(conn, 2, "--", seen_short=False)
    add_affiliate(conn, 3, "+", approved_at=datetime(2026, 2, 1, tzinfo=UTC))

    refresh(conn)

    assert outcomes(conn, 1) == {FEBRUARY: "met"}
    # Below the on-exchange minimums, without external evidence.
    assert outcomes(conn, 2)[FEBRUARY] == "unknown"
    assert outcomes(conn, 3) == {}


# Days without any activity between 1 October 2025 and T, 14 March 2026; and the months from October
# of an affiliate a cent below the minimum volume, and of one exactly at it.
HOLES: dict[str, tuple[list[str], str, str]] = {
    "none": ([], "-----", "+++++"),
    "a day in the middle": (["2026-01-15"], "---?-", "+++++"),
    "the last day of a month": (["2026-01-31"], "---?-", "+++++"),
    "the first day of a month": (["2026-02-01"], "----?", "+++++"),
    "both sides of a month's edge": (["2025-12-31", "2026-01-01"], "--??-", "+++++"),
    "the first day of the data": (["2025-10-01"], "?----", "+++++"),
    "after the last month": (["2026-03-01", "2026-03-14"], "-----", "+++++"),
    "all but one day": (days("2026-01-01", "2026-01-30"), "---?-", "+++++"),
    "a whole month": (days("2026-01-01", "2026-01-31"), "---?-", "+++?+"),
    "everything so far": (days("2025-10-01", "2026-03-14"), "?????", "?????"),
}
OCTOBER = date(2025, 10, 1)
HOLED = [date(2026, 1, 9), date(2025, 11, 30)]
NOTHING = Facts(volume_usd=Decimal(0), active_users=0, new_users=0)


@pytest.mark.parametrize(("holes", "short", "at_it"), HOLES.values(), ids=HOLES)
def test_a_month_with_missing_days_is_met_or_unknown_but_never_missed(
    conn: Connection, holes: list[str], short: str, at_it: str
) -> None:
    add_affiliate(conn, 1, "-----")
    add_affiliate(conn, 2, "+++++")
    missing = [date.fromisoformat(day) for day in holes]
    deliver(conn, OCTOBER, T, without=missing)

    refresh(conn, delivered=False)

    assert [signs(conn, id_)[-5:] for id_ in (1, 2)] == [short, at_it]
    there = {*days("2025-10-01", "2026-03-14")} - {*holes}
    for month in months_of(conn, 1):
        last = months_later(month.month, 1) - timedelta(days=1)
        assert month.missing_days == len({*days(str(month.month), str(last))} - there)
    found = board.of_application(conn, 1, POLICY)
    assert found is not None
    assert found.misses == short.count("-")


def test_each_figure_is_known_from_below_while_days_are_missing(conn: Connection) -> None:
    """Volume reached, users not; evidence of reach has no day and still decides."""
    for id_ in (1, 2):
        add_affiliate(conn, id_)
        add_month(conn, id_, FEBRUARY, MINIMUM, active=14, new=5)
    at = datetime(2026, 2, 20, tzinfo=UTC)
    add_evidence(conn, 2, value=5001, observed_at=at, recorded_at=at)
    deliver(conn, OCTOBER, T, without=[date(2026, 2, 3)])

    refresh(conn, delivered=False)

    short, elsewhere = (months_of(conn, id_)[-1] for id_ in (1, 2))
    assert [str(month.outcome) for month in (short, elsewhere)] == ["unknown", "met"]
    figures = (MINIMUM, None, 5)
    for month in (short, elsewhere):
        facts = month.facts
        assert (facts.volume_usd, facts.active_users, facts.new_users) == figures
        assert (month.near, month.gap) == (False, "1 of 28 days not delivered")


def test_days_that_arrive_later_retest_the_month(conn: Connection) -> None:
    add_affiliate(conn, 1, "---")
    add_refresh(conn)
    holes = [date(2026, 1, 10), date(2026, 1, 11)]
    deliver(conn, OCTOBER, T, without=holes)
    refresh(conn, delivered=False)
    refresh(conn, start=T, delivered=False)
    before = rows(conn)
    assert signs(conn, 1)[-3:] == "-?-"

    deliver(conn, OCTOBER, T, without=holes[1:])
    refresh(conn, start=holes[0], delivered=False)
    assert signs(conn, 1)[-3:] == "-?-"
    assert months_of(conn, 1)[-2].missing_days == 1
    deliver(conn, OCTOBER, T)
    # The number of missing days changed, whatever was recomputed.
    refresh(conn, start=T, delivered=False)

    assert signs(conn, 1)[-3:] == "---"
    assert rows(conn) == before + 2
    table = tables.requalifications
    query = select(table.c.outcome).where(table.c.month == JANUARY).order_by("requalification_id")
    assert list(conn.execute(query).scalars()) == ["unknown", "unknown", "not_met"]


def test_only_trade_volume_or_fees_deliver_a_day(conn: Connection) -> None:
    """Referrals reach further back, and their rows say nothing about trading."""
    add_affiliate(conn, 1, "-")
    first, last = FEBRUARY, date(2026, 2, 28)

    def after(**figures: int) -> str:
        deliver(conn, first, last, **{"trade_count": 0, **figures})
        refresh(conn, delivered=False)
        return signs(conn, 1)[-1]

    given: list[dict[str, int]] = [{"trade_count": 1}, {"volume_usd": 1}, {"fees_usd": -1}]
    assert [after(**figures) for figures in given] == ["-"] * 3
    assert after(new_users=3) == "?"


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
    assert outcomes(conn, 1)[FEBRUARY] == "not_met"  # no referrals and no volume


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

    refresh(conn, start=FEBRUARY)  # January's days were not recomputed
    assert outcomes(conn, 1)[JANUARY] == "not_met"
    refresh(conn, start=date(2026, 1, 31))

    assert outcomes(conn, 1)[JANUARY] == "met"
    old = "select count(*) from review.requalifications where month = '2026-01-01' and outcome = 'not_met'"
    assert scalar(conn, old) == 1
    assert board.of_application(conn, 1, POLICY).misses == 1  # type: ignore[union-attr]


def test_evidence_recorded_later_about_that_time_is_taken_up(conn: Connection) -> None:
    add_refresh(conn)
    add_affiliate(conn, 1, "-", seen_short=False)
    refresh(conn)
    add_short_reach(conn, 1, FEBRUARY)
    with rewriting(conn, "evidence"):
        conn.execute(update(tables.evidence).values(recorded_at=NOW))

    refresh(conn, start=T)

    assert outcomes(conn, 1)[FEBRUARY] == "not_met"


def test_only_currently_approved_accounts_are_affiliates(conn: Connection) -> None:
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

    assert board.of_application(conn, 1, POLICY) is None
    assert board.counts(conn, POLICY).total == 1
    refresh(conn, start=T)
    assert scalar(conn, "select array_agg(account_id) from review.affiliate_tested") == [2]


def test_a_reopened_approval_leaves_at_once_and_an_older_one_comes_back(conn: Connection) -> None:
    """Pending again or withdrawn; of two approved applications the last one counts."""
    for id_ in (1, 2, 4):
        add_affiliate(conn, id_, "+")
    add_affiliate(conn, 5, "+", account_id=4, approved_at=APPROVED + timedelta(days=1))
    add_refresh(conn)
    refresh(conn)
    held = "select array_agg(application_id order by application_id) from review.affiliate_tested"
    assert scalar(conn, held) == [1, 2, 5]

    set_status(conn, {1: "pending", 2: "withdrawn", 5: "pending"})

    assert board.rows(conn, [1, 2, 5], POLICY) == []
    assert board.counts(conn, POLICY).total == 0
    refresh(conn, start=T)
    assert scalar(conn, held) == [4]
    set_status(conn, {1: "approved"})
    refresh(conn, start=T)
    assert scalar(conn, held) == [1, 4]


def test_a_refresh_takes_more_changed_applications_than_a_statement_parameters(
    conn: Connection,
) -> None:
    add_affiliate(conn, 1, "+")

    assert affiliates_approved.keep(conn, range(1, 70_000)) is None

    kept = conn.execute(select(affiliates_approved.KEPT.c.account_id)).scalars()
    assert list(kept) == [1]


def test_another_protection_and_a_way_back_count_at_once(conn: Connection) -> None:
    """Approved in October: November to January are protected, or only November, or none."""
    add_affiliate(conn, 1, "----", approved_at=datetime(2025, 10, 31, 23, 59, tzinfo=UTC))
    refresh(conn)

    def counted(months: int) -> tuple[int, int, Step | None]:
        policy = replace(POLICY, requalification_protection_months=months)
        (found,) = board.rows(conn, [1], policy)
        assert found.misses == misses_in_a_row(found.tests, counted_from=found.counted_from)
        counts = board.counts(conn, policy)
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


def test_accounts_approved_only_upstream_are_no_affiliates_here(conn: Connection) -> None:
    add_application(conn, 1, status="approved")

    assert conn.execute(affiliates_approved.current_approvals()).all() == []


def test_sql_and_python_agree_on_misses_and_nearness(conn: Connection) -> None:
    """Every pattern of four months, and figures around each boundary; two months miss days."""
    chance = Random(7)
    delivered: dict[tuple[int, date], Facts] = {}
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
            delivered[id_, month] = Facts(
                volume_usd=volume, active_users=heads["active"], new_users=heads["new"]
            )
            if sign == "-":
                add_short_reach(conn, id_, month)
    # An earlier month's evidence must not settle a later unknown one.
    set_policy(conn, evidence_valid_days=8)

    every_day = [LONG_AGO + timedelta(n) for n in range((T - LONG_AGO).days + 1)]
    known = Delivered(days=[day for day in every_day if day not in HOLED])
    deliver(conn, LONG_AGO, T, without=HOLED)

    refresh(conn, delivered=False, policy=replace(POLICY, evidence_valid_days=8))

    seen = set()
    for found in board.rows(conn, list(range(1, 82)), POLICY):
        assert found.misses == misses_in_a_row(found.tests, counted_from=found.counted_from)
        for test in found.tests:
            assert test.outcome is assess(test.facts, POLICY).outcome
            gap = known.trading(Window(test.month, months_later(test.month, 1)))
            facts = delivered.get((found.application_id, test.month), NOTHING)
            reach = {
                key: getattr(test.facts, key) for key in ("x_followers", "external_volume_usd")
            }
            assert test.facts == replace(known_facts(facts, gap, POLICY), **reach)
            assert test.missing_days == gap.missing
            assert test.near is is_near(
                test.facts, test.outcome, POLICY, missing_days=test.missing_days
            )
            seen.add((str(test.outcome), test.near, bool(gap.missing)))
        assert found.standing is Standing.ACTIVE
    assert len(seen) == 7
