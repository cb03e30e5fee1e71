"""Sums carried forward, so that a refresh reads the newest days instead of a month of them.

After a refresh, `recounting` counts the days before T that the window of T + 1 will have, and those
of T's month, by affiliate and by user. The next refresh adds T, which may have been completed
since, and the days after it. Days are never subtracted, so maxima can be carried too.
"""

from datetime import date, datetime
from typing import Any, LiteralString

from psycopg import Cursor
from psycopg.sql import SQL, Composable, Identifier

from data_access.rollups import statements
from data_access.rollups.plan import Span
from data_access.rollups.statements import MONTH_DAY_SUMS, WINDOW_DAY_SUMS, of, within
from program.periods import ONE_DAY, Window, month_start, months_later, window
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
MAXIMA = ("largest_day", "top")

# One row per affiliate, with the columns of `statements.period`. Of users only those who traded on
# the added days are read: ``was`` is their carried volume, ``volume`` includes the added days.
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
        from (
            select added.*, before.in_month, coalesce(before.volume_usd, 0) as was,
                   coalesce(before.volume_usd, 0) + coalesce(added.volume_usd, 0) as volume
            from (
                select affiliate_account_id, referred_account_id, {user_facts}
                from exchange.referral_activity
                where {activity_days}
                group by affiliate_account_id, referred_account_id
            ) as added
            left join review.carried_users as before
                using (affiliate_account_id, referred_account_id)
        ) as traded
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

USERS = SQL(
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
SUMS = SQL(
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


def period(span: Span, policy: Policy) -> Composable:
    """Return what `statements.period` does for ``span``: the carried sums and its added days."""
    assert span.carried is not None
    columns: list[Composable] = []
    sums: list[Composable] = []
    facts: list[Composable] = []
    counts: list[Composable] = []
    for index, month in enumerate(span.months):
        name, is_carried = f"month_{index}", month == span.carried.month
        days = Window(max(month, span.carried.until), months_later(month, 1))
        columns += (_column(name, part, "month" if is_carried else None) for part in MONTH)
        sums.append(of(MONTH_DAY_SUMS, name, within("day", days)))
        facts.append(of(statements.MONTH_USER_FACTS, name, within("activity_date", days)))
        count = MONTH_USER_COUNT if is_carried else statements.MONTH_USER_COUNTS
        counts.append(SQL(count).format(name=SQL(name)))
    facts.append(of(WINDOW_USER_FACT, "", within("activity_date", *span.shown)))
    if span.window is not None:
        columns += (_column("window", part, "window") for part in WINDOW)
        sums.append(of(WINDOW_DAY_SUMS, "window", within("day", *span.shown)))
        counts.append(SQL(WINDOW_USER_COUNTS).format(active=statements.active(policy)))
    return PERIOD.format(
        columns=SQL(", ").join(columns),
        day_sums=SQL(", ").join(sums),
        days=within("day", *span.added),
        user_facts=SQL(", ").join(facts),
        user_counts=SQL(", ").join(counts),
        activity_days=within("activity_date", *span.added),
    )


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


def count(cursor: Cursor[Any], policy: Policy, *, through: date, now: datetime) -> None:
    """Count the days before ``through`` for the refreshes to come."""
    after = window(policy.window_kind, through + ONE_DAY)
    month = Window(month_start(through), through)
    shown = [Window(after.start, through)] if after.end > through else []
    days = Window(min(days.start for days in (month, *shown)), through)
    cursor.execute("truncate review.carried, review.carried_sums, review.carried_users")
    cursor.execute(
        USERS.format(
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
        SUMS.format(
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
