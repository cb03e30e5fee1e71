"""Sums over all affiliates are those of plain SQL, whatever came before the refresh."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from data_access import rollups
from program.periods import ONE_DAY
from tests.builders import add_application, add_staff
from tests.data_access.test_kpis import decide
from tests.data_access.test_rollups import Referral, Trade, correct, deliver, record_load

T = date(2026, 3, 14)
NOW = datetime(2026, 3, 15, 9, tzinfo=UTC)
FIRST = date(2025, 12, 28)
AFFILIATES = (1, 2, 3, 4)

PLAIN_SEGMENTS = """
create temp table plain_segments on commit drop as
select affiliate_account_id, coalesce(country_code, 'unknown') as country,
       coalesce(track, 'not_approved') as track, coalesce(cohort, 'not_approved') as cohort,
       coalesce(rate, 'standard') as rate
from (select distinct affiliate_account_id from review.affiliate_daily) as affiliates
left join exchange.accounts on account_id = affiliate_account_id
left join lateral (
    select coalesce(snapshot ->> 'track', 'none') as track,
           to_char(decided_at at time zone 'UTC', 'YYYY-MM') as cohort,
           trim_scale(rebate_rate)::text as rate
    from exchange.applications a join review.decisions d using (application_id)
    where a.account_id = affiliate_account_id and a.status = 'approved' and outcome = 'approved'
      and not exists (select from review.decisions l where l.supersedes = d.decision_id)
    order by decided_at desc, decision_id desc limit 1) as approval on true
"""
PLAIN = {
    "affiliate_segments": "select * from plain_segments",
    "segment_daily": """
        select dimension, day, segment, count(*), sum(volume_usd), sum(fees_usd), sum(trade_count),
               sum(active_users), sum(new_users)
        from review.affiliate_daily join plain_segments using (affiliate_account_id)
        cross join lateral (values ('program', 'all'), ('country', country), ('track', track),
                                   ('cohort', cohort), ('rate', rate)) as told (dimension, segment)
        group by dimension, day, segment""",
    "program_monthly": """
        select month, count(*) filter (where volume_usd > 0), sum(volume_usd), sum(fees_usd),
               sum(active_users), sum(new_users), sum(volume_usd * volume_usd)
        from review.affiliate_monthly group by month""",
    "month_leaders": """
        select month, affiliate_account_id, volume_usd from review.affiliate_monthly
        where volume_usd > 0""",
    "referral_cohorts": """
        select date_trunc('month', referred_at at time zone 'UTC')::date, month, count(*)
        from (select distinct affiliate_account_id, referred_account_id,
                     date_trunc('month', activity_date)::date as month
              from exchange.referral_activity where volume_usd > 0) as active
        join exchange.referrals using (affiliate_account_id, referred_account_id)
        where (referred_at at time zone 'UTC')::date < month + interval '1 month'
          and month + interval '1 month' <= cast(:end as date)
        group by 1, 2""",
}


def assert_plain(engine: Engine) -> None:
    with engine.begin() as conn:
        conn.execute(text(PLAIN_SEGMENTS))
        for table, plain in PLAIN.items():
            given = {"end": T + ONE_DAY} if ":end" in plain else {}
            expected = sorted(map(tuple, conn.execute(text(plain), given)))
            found = sorted(map(tuple, conn.execute(text(f"select * from review.{table}"))))
            assert found == expected, table
            assert found


@pytest.fixture
def traded(engine: Engine) -> Engine:
    """Four affiliates of several countries over eleven weeks, metrics computed."""
    chance = random.Random(3)
    facts: list[Trade | Referral] = []
    for affiliate in AFFILIATES:
        for user in range(affiliate * 10, affiliate * 10 + 4):
            day = FIRST + timedelta(days=chance.randrange(50))
            facts.append(Referral(at=datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC),
                                  affiliate=affiliate, user=user))  # fmt: skip
            for later in {chance.randrange(76) for _ in range(12)}:
                amount = chance.choice(["0", "0.01", "10.10", "700"])
                facts.append(Trade(day=FIRST + timedelta(days=later), affiliate=affiliate,
                                   user=user, volume=amount, fees=chance.choice(["-0.5", "1"])))  # fmt: skip
    facts += [
        Trade(day=T, affiliate=1, user=99),
        Trade(day=date(2026, 2, 28), affiliate=1, user=99),
    ]
    with engine.begin() as conn:
        add_staff(conn)
        for affiliate, country in zip(AFFILIATES, ("BR", "BR", "DE", None), strict=True):
            add_application(conn, affiliate, account={"country_code": country})
    deliver(engine, *facts)
    rollups.refresh(engine, now=NOW)
    return engine


def test_the_first_refresh_and_one_over_tables_that_are_new(traded: Engine) -> None:
    assert_plain(traded)
    with traded.begin() as conn:
        conn.execute(
            text(
                "truncate review.affiliate_segments, review.segment_daily, review.program_monthly,"
                " review.month_leaders, review.referral_cohorts"
            )
        )

    rollups.refresh(traded, now=NOW)

    assert_plain(traded)


def test_decisions_and_countries_move_all_days_of_an_affiliate(traded: Engine) -> None:
    def act(**by_id: Any) -> None:
        with traded.begin() as conn:
            for id_, change in by_id.items():
                change(conn, int(id_[1:]))
        rollups.refresh(traded, now=NOW)
        assert_plain(traded)

    before = datetime(2026, 1, 31, 23, 59, 59, 999999, tzinfo=UTC)
    act(
        _1=lambda conn, id_: decide(conn, id_, "approved", before, "ana@example.com", track="both"),
        _2=lambda conn, id_: decide(conn, id_, "approved", NOW, "ana@example.com"),
        _3=lambda conn, id_: decide(conn, id_, "rejected", NOW, "ana@example.com"),
    )
    act(_1=lambda conn, id_: conn.execute(text(f"""
        insert into review.events (application_id, kind, actor, at)
        values ({id_}, 'reopened', 'mira@example.com', now());
        update exchange.applications set status = 'pending' where application_id = {id_}""")))  # fmt: skip
    act(
        _4=lambda conn, id_: conn.execute(
            text(f"update exchange.accounts set country_code = 'FR' where account_id = {id_}")
        )
    )


def test_late_corrections_and_an_earlier_day(traded: Engine) -> None:
    correct(traded, date(2026, 1, 5), "77.77")
    record_load(traded, date(2026, 1, 5))
    rollups.refresh(traded, now=NOW)
    assert_plain(traded)

    rollups.refresh(traded, now=NOW, through=date(2026, 2, 28))
    assert_plain_through_february(traded)

    rollups.refresh(traded, now=NOW)
    assert_plain(traded)


def assert_plain_through_february(engine: Engine) -> None:
    """Nothing later than the data-through day is left, and February is complete with it."""
    with engine.connect() as conn:
        newest = conn.execute(
            text(
                "select (select max(day) from review.segment_daily),"
                " (select max(month) from review.program_monthly),"
                " (select max(active_month) from review.referral_cohorts)"
            )
        ).one()
    assert tuple(newest) == (date(2026, 2, 28), date(2026, 2, 1), date(2026, 2, 1))


def test_a_refresh_that_finds_nothing_new_writes_nothing(traded: Engine) -> None:
    def versions() -> list[Any]:
        with traded.connect() as conn:
            return [
                sorted(map(str, conn.execute(text(f"select xmin, ctid from review.{table}"))))
                for table in PLAIN
            ]

    before = versions()
    rollups.refresh(traded, now=NOW)

    assert versions() == before


def test_only_the_largest_of_a_month_are_kept(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data_access.rollups.program_sums.MONTH_LEADERS", 2)
    for affiliate, amount in ((1, "5"), (2, "9"), (3, "5"), (4, "1")):
        deliver(engine, Trade(day=T, affiliate=affiliate, user=affiliate * 10, volume=amount))

    rollups.refresh(engine, now=NOW)

    with engine.connect() as conn:
        kept = conn.execute(
            text("select affiliate_account_id from review.month_leaders order by 1")
        )
        # Of two alike the one with the smaller number.
        assert list(kept.scalars()) == [1, 2]
