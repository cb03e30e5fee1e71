"""Sums over all affiliates: the program's figures read them instead of millions of rows.

A refresh recomputes the days and months that it recomputed per affiliate. On earlier days only an
affiliate's segment can have changed (by a decision or a new country): its days are subtracted from
the old segment and added to the new one. In new tables, every affiliate is one without an old
segment.
"""

from datetime import date

from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.sql import SQL, Composable, Identifier, Literal
from sqlalchemy import text

from data_access.affiliates import approved
from data_access.db import planner, tables
from data_access.rollups import carried, replacing
from data_access.rollups.plan import Plan, Span
from data_access.rollups.replacing import Rollup
from data_access.rollups.statements import within
from program.periods import Window, day_start, month_start, months_later

MONTH_LEADERS = 100
# Ids are assigned before commit; an uncommitted one is at most this many behind.
IN_FLIGHT = 1_000
# With more chunks, every affiliate's segment is recomputed.
FEW_CHUNKS = 3
AFFECTED = Identifier("pg_temp", "affected_accounts")
JUDGED = Identifier("pg_temp", "fresh_judged")
FRESH = Identifier("pg_temp", "fresh_segments")
CHANGED = Identifier("pg_temp", "changed_segments")
MOVED = Identifier("pg_temp", "moved_days")
ELSEWHERE = Identifier("pg_temp", "affiliates_elsewhere")
# Few large groups, which the refresh's settings do not suit: those are for many small ones.
HASHING = {"enable_hashagg": "on", "enable_nestloop": "on"}
MERGING = {"enable_hashjoin": "off", "enable_nestloop": "off"}
SEGMENT_MONTHLY = Rollup(table=tables.segment_monthly)

# Accounts whose current approval may have changed.
TOUCHED_ACCOUNTS = SQL(
    """
    select application.account_id from exchange.applications as application
    where application.application_id in (
        select application_id from review.decisions where decision_id > {decision_id}
        union all select application_id from review.events where event_id > {event_id})
    union
    select affiliate_account_id from review.affiliate_monthly
    where month >= {month} and not exists (
        select from review.affiliate_segments as held
        where held.affiliate_account_id = affiliate_monthly.affiliate_account_id)
    """
)
EVERY_ACCOUNT = SQL(
    "select affiliate_account_id as account_id from review.affiliate_monthly group by 1"
)
# An affiliate has its granted rate from the day of the approval, except while suspended or out.
NEWEST_APPROVAL = SQL(
    """
    with approval as (
        select standing.account_id, decision.decided_at,
               coalesce(decision.snapshot ->> 'track', 'none') as track,
               to_char(decision.decided_at at time zone 'UTC', 'YYYY-MM') as cohort,
               trim_scale(decision.rebate_rate)::text as rate
        from ({standing}) as standing join review.decisions as decision using (decision_id)
    ), moved as (
        select account_id, event.new, (event.at at time zone 'UTC')::date as day,
               lead((event.at at time zone 'UTC')::date) over (
                   partition by account_id order by event.at, affiliate_event_id) as until
        from review.affiliate_events as event join approval using (account_id)
        where event.at >= approval.decided_at
    ), out as (
        select account_id, range_agg(daterange(day, until)) as days
        from moved where new in ('suspended', 'terminated') group by account_id
    )
    select wanted.account_id, approval.track, approval.cohort, approval.rate,
           datemultirange(daterange((approval.decided_at at time zone 'UTC')::date, null))
               - coalesce(out.days, '{{}}') as granted
    from ({accounts}) as wanted (account_id)
    left join approval using (account_id) left join out using (account_id)
    """
)
# For those not recomputed only the country can have changed.
SEGMENTS = SQL(
    """
    select judged.account_id as affiliate_account_id,
           coalesce(account.country_code, 'unknown')::text as country,
           coalesce(judged.track, 'not_approved') as track,
           coalesce(judged.cohort, 'not_approved') as cohort,
           coalesce(judged.rate, 'standard') as rate,
           case when judged.rate is null then '{{}}' else judged.granted end as granted
    from {judged} as judged
    left join exchange.accounts as account using (account_id)
    where exists (
        select from review.affiliate_monthly as months
        where months.affiliate_account_id = judged.account_id)
    union all
    select affiliate_account_id, elsewhere.country, held.track, held.cohort, held.rate, held.granted
    from review.affiliate_segments as held
    join {elsewhere} as elsewhere using (affiliate_account_id)
    where not exists (
        select from {judged} as judged where judged.account_id = held.affiliate_account_id)
    """
)
# In order of accounts on both sides: see `MERGING`.
MOVED_AFFILIATES = SQL(
    """
    select held.affiliate_account_id, coalesce(account.country_code, 'unknown')::text as country
    from review.affiliate_segments as held
    left join exchange.accounts as account on account.account_id = held.affiliate_account_id
    where held.country <> coalesce(account.country_code, 'unknown')
    """
)
CHANGES = SQL(
    """
    select affiliate_account_id, -1 as sign, held.country, held.track, held.cohort, held.rate,
           held.granted
    from review.affiliate_segments as held join {fresh} as fresh using (affiliate_account_id)
    where (held.country, held.track, held.cohort, held.rate, held.granted)
          is distinct from (fresh.country, fresh.track, fresh.cohort, fresh.rate, fresh.granted)
    union all
    select affiliate_account_id, 1, fresh.country, fresh.track, fresh.cohort, fresh.rate,
           fresh.granted
    from {fresh} as fresh left join review.affiliate_segments as held using (affiliate_account_id)
    where (held.country, held.track, held.cohort, held.rate, held.granted)
          is distinct from (fresh.country, fresh.track, fresh.cohort, fresh.rate, fresh.granted)
    """
)
KEEP = SQL(
    """
    insert into review.affiliate_segments as held
    select * from {fresh}
    on conflict (affiliate_account_id) do update
    set (country, track, cohort, rate, granted) =
        (excluded.country, excluded.track, excluded.cohort, excluded.rate, excluded.granted)
    where (held.country, held.track, held.cohort, held.rate, held.granted) is distinct from
        (excluded.country, excluded.track, excluded.cohort, excluded.rate, excluded.granted)
    """
)
# Few combinations of segments are left to add up in five ways.
BY_SEGMENT = SQL(
    """
    select case grouping(country, track, cohort, rate) when 15 then 'program' when 7 then 'country'
                when 11 then 'track' when 13 then 'cohort' else 'rate' end as dimension,
           day, coalesce(country, track, cohort, rate, 'all') as segment,
           sum(sign * affiliates)::bigint as affiliates,
           sum(sign * volume_usd)::numeric(26, 2) as volume_usd,
           sum(sign * fees_usd)::numeric(26, 6) as fees_usd,
           sum(sign * trade_count)::bigint as trade_count,
           sum(sign * active_users)::bigint as active_users,
           sum(sign * new_users)::bigint as new_users
    from ({combined}) as combined
    group by grouping sets ((day), (day, country), (day, track), (day, cohort), (day, rate))
    """
)
COMBINED = SQL(
    """
    select day, country, track, cohort,
           case when granted @> day then rate else 'standard' end as rate,
           {sign} as sign, count(*) as affiliates, sum(volume_usd) as volume_usd,
           sum(fees_usd) as fees_usd, sum(trade_count) as trade_count,
           sum(active_users) as active_users, sum(new_users) as new_users
    from {daily} join {segments} as segments using (affiliate_account_id)
    where {days}
    group by 1, 2, 3, 4, 5, 6
    """
)
MOVE = SQL(
    """
    insert into review.segment_daily as held
    select * from {moved} where (affiliates, volume_usd, fees_usd, trade_count, active_users,
        new_users) is distinct from (0, 0, 0, 0, 0, 0)
    on conflict (dimension, day, segment) do update set
        affiliates = held.affiliates + excluded.affiliates,
        volume_usd = held.volume_usd + excluded.volume_usd,
        fees_usd = held.fees_usd + excluded.fees_usd,
        trade_count = held.trade_count + excluded.trade_count,
        active_users = held.active_users + excluded.active_users,
        new_users = held.new_users + excluded.new_users
    """
)
SEGMENT_MONTHS = SQL(
    """
    select dimension, date_trunc('month', day::timestamp)::date as month, segment,
           sum(volume_usd)::numeric(26, 2) as volume_usd, sum(fees_usd)::numeric(26, 6) as fees_usd,
           sum(active_users)::bigint as active_users, sum(new_users)::bigint as new_users
    from review.segment_daily as held
    where {days}
    group by 1, 2, 3
    """
)
MONTHS = SQL(
    """
    select month, count(*) filter (where volume_usd > 0) as affiliates,
           sum(volume_usd)::numeric(26, 2) as volume_usd, sum(fees_usd)::numeric(26, 6) as fees_usd,
           sum(active_users)::bigint as active_users, sum(new_users)::bigint as new_users,
           sum(volume_usd * volume_usd) as sum_of_squared_volumes
    from review.affiliate_monthly where month >= {month} group by month
    """
)
LEADERS = SQL(
    """
    select month, affiliate_account_id, volume_usd
    from (select month, affiliate_account_id, volume_usd, row_number() over (
              partition by month order by volume_usd desc, affiliate_account_id) as place
          from review.affiliate_monthly where month >= {month} and volume_usd > 0) as placed
    where place <= {most}
    """
)
COHORTS = SQL(
    """
    select date_trunc('month', referred_at at time zone 'UTC')::date as referral_month,
           {month}::date as active_month, count(*) as active_users
    from ({active}) as active
    join exchange.referrals using (affiliate_account_id, referred_account_id)
    where referred_at < {end}
    group by 1
    """
)
COUNTED_ACTIVE = SQL("select * from pg_temp.fresh_users where {volume} > 0")
ALL_ACTIVE = SQL(
    """
    select affiliate_account_id, referred_account_id
    from exchange.referral_activity
    where {days} and volume_usd > 0
    group by affiliate_account_id, referred_account_id
    """
)


def write(cursor: Cursor[DictRow], made: Plan) -> None:
    """Bring the sums up to date with what was just written per affiliate."""
    with planner.planning(cursor, HASHING):
        _assign_segments(cursor, made)
        _sum_days(cursor, made)
        _sum_segment_months(cursor, made)
        _sum_months(cursor, made)
        _add_cohorts(cursor, made)


def _assign_segments(cursor: Cursor[DictRow], made: Plan) -> None:
    accounts = _affected_accounts(cursor, made)
    replacing.compute(cursor, AFFECTED, accounts)
    named = SQL("select account_id from {}").format(AFFECTED)
    judged = NEWEST_APPROVAL.format(accounts=named, standing=_current_approvals(cursor, named))
    replacing.compute(cursor, JUDGED, judged)
    with planner.planning(cursor, MERGING):
        replacing.compute(cursor, ELSEWHERE, MOVED_AFFILIATES)
    replacing.compute(cursor, FRESH, SEGMENTS.format(judged=JUDGED, elsewhere=ELSEWHERE))
    replacing.compute(cursor, CHANGED, CHANGES.format(fresh=FRESH))
    cursor.execute(SQL("analyze {}").format(CHANGED))
    days = SQL("day < {}").format(Literal(made.start))
    daily = SQL("review.affiliate_daily")
    before = COMBINED.format(daily=daily, segments=CHANGED, sign=SQL("sign"), days=days)
    replacing.compute(cursor, MOVED, BY_SEGMENT.format(combined=before))
    cursor.execute(MOVE.format(moved=MOVED))
    cursor.execute("delete from review.segment_daily where affiliates = 0")
    cursor.execute(KEEP.format(fresh=FRESH))


def _current_approvals(cursor: Cursor[DictRow], accounts: Composable) -> SQL:
    """Return the current approvals of these accounts."""
    among = text(f"{tables.applications.c.account_id} in ({accounts.as_string(cursor)})")
    return SQL(approved.as_text(approved.current_approvals().where(among)))


def _affected_accounts(cursor: Cursor[DictRow], made: Plan) -> Composable:
    last = cursor.execute(
        """select decision_id, event_id, exists (select from review.affiliate_segments) as counted
           from review.refreshes order by refresh_id desc limit 1"""
    ).fetchone()
    if last is None or not last["counted"] or len(made.chunks) > FEW_CHUNKS:
        return EVERY_ACCOUNT
    return TOUCHED_ACCOUNTS.format(
        decision_id=Literal(last["decision_id"] - IN_FLIGHT),
        event_id=Literal(last["event_id"] - IN_FLIGHT),
        month=Literal(month_start(made.start)),
    )


def _sum_days(cursor: Cursor[DictRow], made: Plan) -> None:
    segments = SQL("review.affiliate_segments")
    # A worker takes a month: named, as the planner would have all workers read each partition.
    combined = SQL(" union all ").join(
        SQL("({})").format(
            COMBINED.format(
                daily=replacing.month_part(days.start),
                segments=segments,
                sign=SQL("1"),
                days=within("day", days),
            )
        )
        for days in made.chunks
    )
    replacing.compute(cursor, replacing.SEGMENT_DAILY.fresh, BY_SEGMENT.format(combined=combined))
    scope = SQL("held.day >= {}").format(Literal(made.start))
    replacing.replace(cursor, replacing.SEGMENT_DAILY, scope)


def _sum_segment_months(cursor: Cursor[DictRow], made: Plan) -> None:
    """Sum up the recomputed months, and those in which an affiliate's days were moved."""
    first = _first_month(cursor, made, SEGMENT_MONTHLY)
    moved = SQL("select date_trunc('month', day::timestamp) as month from {} group by 1")
    months = [row["month"] for row in cursor.execute(moved.format(MOVED)).fetchall()]
    scope = SQL("({day} >= {first} or date_trunc('month', {day}::timestamp) = any({moved}))")
    among = {"first": Literal(first), "moved": SQL("{}::timestamp[]").format(Literal(months))}
    days, kept = (scope.format(day=Identifier("held", day), **among) for day in ("day", "month"))
    replacing.compute(cursor, SEGMENT_MONTHLY.fresh, SEGMENT_MONTHS.format(days=days))
    replacing.replace(cursor, SEGMENT_MONTHLY, kept)


def _sum_months(cursor: Cursor[DictRow], made: Plan) -> None:
    month = _first_month(cursor, made, replacing.PROGRAM_MONTHLY)
    scope = SQL("held.month >= {}").format(Literal(month))
    for rollup, statement in (
        (replacing.PROGRAM_MONTHLY, MONTHS),
        (replacing.LEADERS, LEADERS),
    ):
        parts = {"month": Literal(month), "most": Literal(MONTH_LEADERS)}
        replacing.compute(cursor, rollup.fresh, statement.format(**parts))
        replacing.replace(cursor, rollup, scope)


def write_cohorts(cursor: Cursor[DictRow], span: Span) -> None:
    """Update retention of the complete months of ``span``, whose users were just counted."""
    for index, month in enumerate(span.months):
        if months_later(month, 1) > span.days.end:
            continue
        computed = carried.cohorts(span, month)
        if computed is None:
            name = None if span.carried else f"month_{index}"
            computed = _cohorts(month, counted_as=name)
        _write_cohorts(cursor, month, computed)


def _add_cohorts(cursor: Cursor[DictRow], made: Plan) -> None:
    """Compute retention of the months before those recomputed, if it never was."""
    start = month_start(made.start)
    row = cursor.execute(
        """select exists (select from review.referral_cohorts where active_month < %s) as made,
                  (select min(month) from review.affiliate_monthly) as earliest""",
        [start],
    ).fetchone()
    assert row is not None
    month = start if row["made"] else row["earliest"] or start
    while month < start:
        _write_cohorts(cursor, month, _cohorts(month))
        month = months_later(month, 1)


def _cohorts(month: date, *, counted_as: str | None = None) -> Composable:
    """Return the cohorts of ``month``, from its counted users if they are named."""
    after = months_later(month, 1)
    active = ALL_ACTIVE.format(days=within("activity_date", Window(month, after)))
    if counted_as is not None:
        active = COUNTED_ACTIVE.format(volume=Identifier(f"{counted_as}_volume"))
    return COHORTS.format(month=Literal(month), active=active, end=Literal(day_start(after)))


def _write_cohorts(cursor: Cursor[DictRow], month: date, computed: Composable) -> None:
    with planner.planning(cursor, HASHING):
        replacing.compute(cursor, replacing.COHORTS.fresh, computed)
    scope = SQL("held.active_month = {}").format(Literal(month))
    replacing.replace(cursor, replacing.COHORTS, scope)


def _first_month(cursor: Cursor[DictRow], made: Plan, rollup: Rollup) -> date:
    """Return the first month to compute: the earliest if the sums were never computed."""
    row = cursor.execute(
        SQL(
            """select exists (select from {table}) as made,
                      (select min(month) from review.affiliate_monthly) as earliest"""
        ).format(table=Identifier(*rollup.table.fullname.split(".")))
    ).fetchone()
    start = month_start(made.start)
    if row is None or row["made"] or row["earliest"] is None:
        return start
    earliest: date = row["earliest"]
    return min(start, earliest)
