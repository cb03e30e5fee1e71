"""Sums carried forward, so that a refresh reads the newest days instead of a month of them.

After a refresh, `recounting` counts the days before T that the window of T + 1 will have, and those
of T's month, by affiliate and by user. The next refresh adds T, which may have been completed
since, and the days after it. Days are never subtracted, so maxima can be carried too.
"""

from datetime import date, datetime, timedelta
from typing import Any, LiteralString

from psycopg import Cursor
from psycopg.sql import SQL, Composable, Identifier, Literal

from data_access.rollups import statements
from data_access.rollups.plan import Span
from data_access.rollups.statements import MONTH_DAY_SUMS, WINDOW_DAY_SUMS, of, within
from program.periods import ONE_DAY, Window, day_start, month_start, months_later, window
from program.policy.policy import Policy

# The columns of a period, by the subselect that counts them.
MONTH: dict[LiteralString, LiteralString] = {
    **dict.fromkeys(("rows", "volume", "fees", "trades", "new"), "days"),
    "active": "users",
}
WINDOW: dict[LiteralString, LiteralString] = {
    **MONTH,
    **dict.fromkeys(("trading_days", "largest_day", "zero_fee"), "days"),
    **dict.fromkeys(("over_1000", "top", "squares"), "users"),
}
PERIODS = (("month", MONTH), ("window", WINDOW))
# The month may be complete at the next refresh.
SOON = timedelta(days=2)
MAXIMA = ("largest_day", "top")

# Users who traded on the added days: ``was`` is their carried volume of the window, ``volume``
# includes the added days.
USERS = SQL(
    """
    select added.*, before.in_month, coalesce(before.volume_usd, 0) as was,
           coalesce(before.volume_usd, 0) + coalesce(added.volume_usd, 0) as volume
    from (
        select affiliate_account_id, referred_account_id, {user_facts}
        from exchange.referral_activity
        where {days}
        group by affiliate_account_id, referred_account_id
    ) as added
    left join review.carried_users as before using (affiliate_account_id, referred_account_id)
    """
)
# One row per affiliate, with the columns of `statements.period`.
PERIOD = SQL(
    """
    select affiliate_account_id, {columns}
    from review.carried_sums as carried
    full join (
        select affiliate_account_id, {day_sums}
        from review.affiliate_daily
        where {days}
        group by affiliate_account_id
    ) as days using (affiliate_account_id)
    left join (
        select affiliate_account_id, {user_counts}
        from pg_temp.fresh_users
        group by affiliate_account_id
    ) as users using (affiliate_account_id)
    """
)
WINDOW_USER_FACT = "sum(volume_usd) filter (where {inside}) as volume_usd"
WINDOW_USER_COUNTS = """
    count(*) filter (where volume {active} and not was {active}) as window_active,
    count(*) filter (where volume >= 1000 and was < 1000) as window_over_1000,
    max(volume) as window_top,
    sum(volume * volume - was * was) as window_squares"""
MONTH_USER_COUNT = """
    count(*) filter (where {name}_volume > 0 and in_month is not true) as {name}_active"""

COUNT_USERS = SQL(
    """
    insert into review.carried_users
    select affiliate_account_id, referred_account_id,
           coalesce(sum(volume_usd) filter (where {in_window}), 0),
           coalesce(sum(volume_usd) filter (where {in_month}), 0) > 0
    from exchange.referral_activity
    where {days}
    group by affiliate_account_id, referred_account_id
    having sum(volume_usd) > 0
    order by affiliate_account_id, referred_account_id
    """
)
COUNT_SUMS = SQL(
    """
    insert into review.carried_sums (affiliate_account_id, {names})
    select affiliate_account_id, {columns}
    from (
        select affiliate_account_id, {day_sums}
        from review.affiliate_daily
        where {days}
        group by affiliate_account_id
    ) as days
    left join (
        select affiliate_account_id, count(*) filter (where in_month) as month_active,
               {user_counts}
        from (select *, volume_usd as volume from review.carried_users) as users
        group by affiliate_account_id
    ) as counted using (affiliate_account_id)
    """
)
# Those referred from ``until`` on, or not at all yet, are left for the refresh that ends the month.
COUNT_COHORTS = SQL(
    """
    insert into review.carried_cohorts
    select date_trunc('month', referred_at at time zone 'UTC')::date, count(*)
    from review.carried_users
    join exchange.referrals using (affiliate_account_id, referred_account_id)
    where in_month and referred_at < {until}
    group by 1
    """
)
# The month's cohorts: carried users, those of them referred since, and users new in the month.
COHORTS = SQL(
    """
    select referral_month, {month}::date as active_month, sum(active_users)::bigint as active_users
    from (
        select referral_month, active_users from review.carried_cohorts
        union all
        select date_trunc('month', referred_at at time zone 'UTC')::date, count(*)
        from exchange.referrals
        join review.carried_users using (affiliate_account_id, referred_account_id)
        where {unreferred} > 0 and in_month and referred_at >= {until} and referred_at < {end}
        group by 1
        union all
        select date_trunc('month', referred_at at time zone 'UTC')::date, count(*)
        from pg_temp.fresh_users
        join exchange.referrals using (affiliate_account_id, referred_account_id)
        where {name}_volume > 0 and in_month is not true and referred_at < {end}
        group by 1
    ) as cohorts
    group by referral_month
    """
)
UNREFERRED = """
    update review.carried
    set unreferred = (select count(*) from review.carried_users where in_month)
        - (select coalesce(sum(active_users), 0) from review.carried_cohorts)"""


def users(span: Span) -> Composable:
    """Return the users who traded on the added days of ``span``, for `period`."""
    facts = [
        of(statements.MONTH_USER_FACTS, f"month_{index}", _inside("activity_date", days, span))
        for index, days in enumerate(_month_days(span))
    ]
    facts.append(of(WINDOW_USER_FACT, "", _inside("activity_date", span.window, span)))
    return USERS.format(user_facts=SQL(", ").join(facts), days=within("activity_date", *span.added))


def period(span: Span, policy: Policy) -> Composable:
    """Return what `statements.period` does for ``span``; needs `users` in a temporary table."""
    assert span.carried is not None
    columns: list[Composable] = []
    sums: list[Composable] = []
    counts: list[Composable] = []
    for index, days in enumerate(_month_days(span)):
        name, is_carried = f"month_{index}", span.months[index] == span.carried.month
        columns += (_column(name, part, "month" if is_carried else None) for part in MONTH)
        sums.append(of(MONTH_DAY_SUMS, name, _inside("day", days, span)))
        count = MONTH_USER_COUNT if is_carried else statements.MONTH_USER_COUNTS
        counts.append(SQL(count).format(name=SQL(name)))
    if span.window is not None:
        columns += (_column("window", part, "window") for part in WINDOW)
        sums.append(of(WINDOW_DAY_SUMS, "window", _inside("day", span.window, span)))
        counts.append(SQL(WINDOW_USER_COUNTS).format(active=statements.active(policy)))
    return PERIOD.format(
        columns=SQL(", ").join(columns),
        day_sums=SQL(", ").join(sums),
        days=within("day", *span.added),
        user_counts=SQL(", ").join(counts),
    )


def _month_days(span: Span) -> list[Window]:
    """Return the days of each month of ``span`` that are not carried."""
    assert span.carried is not None
    until = span.carried.until
    return [Window(max(month, until), months_later(month, 1)) for month in span.months]


def _inside(column: LiteralString, days: Window | None, span: Span) -> Composable:
    """Return whether an added day of ``span`` lies in ``days``; compares only if some do not."""
    if days is None:
        return SQL("false")
    if all(days.start <= added.start and added.end <= days.end for added in span.added):
        return SQL("true")
    return within(column, days)


def _column(
    name: LiteralString, part: LiteralString, carried_as: LiteralString | None
) -> Composable:
    """Return a column of period ``name``: what is carried, if it is, and what the days add."""
    added = SQL("{}.{}").format(SQL((WINDOW | MONTH)[part]), Identifier(f"{name}_{part}"))
    held = Identifier("carried", f"{carried_as}_{part}") if carried_as else SQL("0")
    both = (
        "coalesce(greatest({}, {}), 0)" if part in MAXIMA else "coalesce({}, 0) + coalesce({}, 0)"
    )
    return SQL("{} as {}").format(SQL(both).format(held, added), Identifier(f"{name}_{part}"))


def cohorts(span: Span, month: date) -> Composable | None:
    """Return the rows of referral_cohorts for the complete ``month``, if they are carried.

    Needs `users` in a temporary table.
    """
    held = span.carried
    if held is None or held.unreferred is None or month != held.month:
        return None
    return COHORTS.format(
        month=Literal(month),
        unreferred=Literal(held.unreferred),
        until=Literal(day_start(held.until)),
        end=Literal(day_start(months_later(month, 1))),
        name=SQL(f"month_{span.months.index(month)}"),
    )


def count(cursor: Cursor[Any], policy: Policy, *, through: date, now: datetime) -> None:
    """Count the days before ``through`` for the refreshes to come."""
    after = window(policy.window_kind, through + ONE_DAY)
    month = Window(month_start(through), through)
    shown = [Window(after.start, through)] if after.end > through else []
    days = Window(min(days.start for days in (month, *shown)), through)
    cursor.execute(
        "truncate review.carried, review.carried_sums, review.carried_users, review.carried_cohorts"
    )
    cursor.execute(
        COUNT_USERS.format(
            days=within("activity_date", days),
            in_window=within("activity_date", *shown),
            in_month=within("activity_date", month),
        )
    )
    cursor.execute("analyze review.carried_users")
    sums = [
        of(MONTH_DAY_SUMS, "month", within("day", month)),
        of(WINDOW_DAY_SUMS, "window", within("day", *shown)),
    ]
    names = [f"{period}_{part}" for period, parts in PERIODS for part in parts]
    cursor.execute(
        COUNT_SUMS.format(
            names=SQL(", ").join(map(Identifier, names)),
            columns=SQL(", ").join(
                SQL("coalesce({}, 0)").format(Identifier(name)) for name in names
            ),
            day_sums=SQL(", ").join(sums),
            days=within("day", days),
            user_counts=SQL(statements.WINDOW_USER_COUNTS).format(active=statements.active(policy)),
        )
    )
    cursor.execute("analyze review.carried_sums")
    cursor.execute(
        "insert into review.carried (policy_version, window_start, until, counted_at)"
        " values (%s, %s, %s, %s)",
        [policy.version, after.start if shown else None, through, now],
    )
    if months_later(month.start, 1) <= through + SOON:
        cursor.execute(COUNT_COHORTS.format(until=Literal(day_start(through))))
        cursor.execute(UNREFERRED)
