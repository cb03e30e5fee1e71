"""Sums over all affiliates equal plain SQL, whatever came before the refresh."""

import random
import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from data_access import rollups
from data_access.affiliates import standing_changes
from data_access.affiliates.standing_changes import Change
from data_access.reports import volume
from program.affiliates.requalification import WAYS_BACK, Standing, Step
from program.periods import ONE_DAY, Window
from tests.builders import add_application, add_staff
from tests.data_access.reports.test_kpis import decide
from tests.data_access.rollups.test_refreshing import Referral, Trade, correct, deliver, record_load

T = date(2026, 3, 14)
NOW = datetime(2026, 3, 15, 9, tzinfo=UTC)
FIRST = date(2025, 12, 28)
AFFILIATES = (1, 2, 3, 4)

PLAIN_SEGMENTS = """
create temp table plain_segments on commit drop as
select affiliate_account_id, coalesce(country_code, 'unknown') as country,
       coalesce(track, 'not_approved') as track, coalesce(cohort, 'not_approved') as cohort,
       coalesce(rate, 'standard') as rate, decided_at
from (select distinct affiliate_account_id from review.affiliate_daily) as affiliates
left join exchange.accounts on account_id = affiliate_account_id
left join lateral (
    select coalesce(snapshot ->> 'track', 'none') as track,
           to_char(decided_at at time zone 'UTC', 'YYYY-MM') as cohort,
           trim_scale(rebate_rate)::text as rate, decided_at
    from exchange.applications a join review.decisions d using (application_id)
    where a.account_id = affiliate_account_id and a.status = 'approved' and outcome = 'approved'
      and not exists (select from review.decisions l where l.supersedes = d.decision_id)
    order by decided_at desc, decision_id desc limit 1) as approval on true
"""
# Whether an affiliate gets its granted rate on a day, by the last change before its end.
PAYS = """
create or replace function pg_temp.pays(affiliate bigint, approved timestamptz, day date) returns boolean
begin atomic
    select coalesce(day >= (approved at time zone 'UTC')::date and coalesce((
        select new from review.affiliate_events
        where account_id = affiliate and at >= approved and (at at time zone 'UTC')::date <= day
        order by at desc, affiliate_event_id desc limit 1), '') not in ('suspended', 'terminated'),
    false);
end
"""
HELD = {
    "affiliate_segments": """
        select affiliate_account_id, country, track, cohort, rate,
               (select count(*) from generate_series(date '2025-12-28', '2026-03-14', '1 day') as day
                where granted @> day::date)
        from review.affiliate_segments"""
}
PLAIN = {
    "affiliate_segments": """
        select affiliate_account_id, country, track, cohort, rate,
               (select count(*) from generate_series(date '2025-12-28', '2026-03-14', '1 day') as day
                where pg_temp.pays(affiliate_account_id, decided_at, day::date))
        from plain_segments""",
    "segment_daily": """
        select dimension, day, segment, count(*), sum(volume_usd), sum(fees_usd), sum(trade_count),
               sum(active_users), sum(new_users)
        from review.affiliate_daily join plain_segments using (affiliate_account_id)
        cross join lateral (values ('program', 'all'), ('country', country), ('track', track),
                                   ('cohort', cohort), ('rate',
            case when pg_temp.pays(affiliate_account_id, decided_at, day) then rate else 'standard' end)
        ) as segments (dimension, segment)
        group by dimension, day, segment""",
    "segment_monthly": """
        select dimension, date_trunc('month', day::timestamp)::date, segment, sum(volume_usd),
               sum(fees_usd), sum(active_users), sum(new_users)
        from review.segment_daily group by 1, 2, 3""",
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
        conn.exec_driver_sql(PAYS)
        for table, plain in PLAIN.items():
            given = {"end": T + ONE_DAY} if ":end" in plain else {}
            expected = sorted(map(tuple, conn.execute(text(plain), given)))
            held = HELD.get(table, f"select * from review.{table}")
            found = sorted(map(tuple, conn.execute(text(held))))
            assert found == expected, table
            assert found


@pytest.fixture
def traded(engine: Engine) -> Engine:
    """Four affiliates of several countries over eleven weeks, with metrics."""
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
                "truncate review.affiliate_segments, review.segment_daily, review.segment_monthly,"
                " review.program_monthly,"
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

    def step(id_: int, change: str, day: int, shown: Standing) -> None:
        move(traded, id_, Step(change), shown, datetime(2026, 2, day, 23, 59, tzinfo=UTC))
        rollups.refresh(traded, now=NOW)
        assert_plain(traded)

    before = datetime(2026, 1, 31, 23, 59, 59, 999999, tzinfo=UTC)
    act(
        _1=lambda conn, id_: decide(conn, id_, "approved", before, "ana@example.com", track="both"),
        _2=lambda conn, id_: decide(conn, id_, "approved", NOW, "ana@example.com"),
        _3=lambda conn, id_: decide(conn, id_, "rejected", NOW, "ana@example.com"),
    )
    step(1, "suspended", 2, Standing.ACTIVE)
    step(1, "terminated", 9, Standing.SUSPENDED)
    step(1, "reinstated", 20, Standing.TERMINATED)
    act(_1=lambda conn, id_: conn.execute(text(f"""
        insert into review.events (application_id, kind, actor, at)
        values ({id_}, 'reopened', 'mira@example.com', now());
        update exchange.applications set status = 'pending' where application_id = {id_}""")))  # fmt: skip
    act(
        _4=lambda conn, id_: conn.execute(
            text(f"update exchange.accounts set country_code = 'FR' where account_id = {id_}")
        )
    )


def move(engine: Engine, id_: int, step: Step, shown: Standing, at: datetime) -> None:
    reason = "mistake" if step in WAYS_BACK else "rules_broken"
    standing_changes.move(
        engine,
        standing_changes.MoveAffiliate(
            application_id=id_,
            change=Change(step=step, reason_code=reason, reason="So it is."),
            shown=shown,
            actor="mira@example.com",
            at=at,
            request_id=uuid.uuid4(),
        ),
    )


def test_a_granted_rate_is_paid_from_the_approval_while_in_the_program(engine: Engine) -> None:
    """On 1, 2 ... 7 March fees of 1, 10 ... 1,000,000; approved at 0.30 on the 3rd, at 23:00.

    On notice on the 4th, suspended on the 5th, restored on the 7th: paid on 3, 4 and 7. Over the
    standard rate of 0.10 that is 0.20 x (100 + 1,000 + 1,000,000) = 200,220.
    """
    first = datetime(2026, 3, 1, 23, tzinfo=UTC)

    def extra(standard: str) -> Decimal:
        rollups.refresh(engine, now=NOW)
        march = Window(date(2026, 3, 1), date(2026, 4, 1))
        with engine.connect() as conn:
            return volume.rebates(conn, march, standard=Decimal(standard)).extra_usd

    deliver(engine, *(Trade(day=first.date() + number * ONE_DAY, affiliate=1, fees=str(10**number))
                      for number in range(7)))  # fmt: skip
    with engine.begin() as conn:
        add_staff(conn)
        add_application(conn, 1)
        when, rate = first + 2 * ONE_DAY, Decimal("0.3")
        decide(conn, 1, "approved", when, "ana@example.com", rebate_rate=rate)

    assert extra("0.1") == Decimal("0.2") * 1_111_100
    move(engine, 1, Step.PUT_ON_NOTICE, Standing.ACTIVE, first + 3 * ONE_DAY)
    move(engine, 1, Step.SUSPEND, Standing.ON_NOTICE, first + 4 * ONE_DAY)
    assert extra("0.1") == Decimal("0.2") * 1_100
    move(engine, 1, Step.RESTORE, Standing.SUSPENDED, first + 6 * ONE_DAY)
    assert extra("0.1") == 200_220
    assert extra("0.4") == 0


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
    """Check that nothing after the data-through day is left, and February is complete."""
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
        # Of equal ones, the one with the smaller number.
        assert list(kept.scalars()) == [1, 2]
