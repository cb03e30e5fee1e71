"""The figures of applicants at the time they applied, around the minimums in force."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from program.periods import Window
from program.policy.criteria import ACTIVE_USERS, NEW_USERS
from program.policy.policy import Policy
from program.reports import bunching
from program.reports.bunching import Bunching

# The newest applicants of the period; more would take longer, and the interval is narrow already.
MOST = 5_000
# The 30 days before the day of the application. Active users do not add up over days, so theirs
# are those that the first decision was based on.
APPLIED = text(
    """
    with applied as materialized (
        select application_id, account_id, (submitted_at at time zone 'UTC')::date as day
        from exchange.applications
        where submitted_at >= cast(:start as timestamp) at time zone 'UTC'
            and submitted_at < cast(:end as timestamp) at time zone 'UTC'
        order by submitted_at desc limit :most)
    select coalesce(before.volume_usd, 0) as volume_usd, coalesce(before.new_users, 0) as new_users,
        (select (jsonb_path_query_first(
                decision.snapshot, '$.criteria[*] ? (@.key == "active_users").value') #>> '{}')::int
            from review.decisions as decision
            where decision.application_id = applied.application_id
            order by decision_id limit 1) as active_users
    from applied cross join lateral (
        select sum(volume_usd) as volume_usd, sum(new_users)::int as new_users
        from review.affiliate_daily as daily
        where daily.affiliate_account_id = applied.account_id
            and daily.day >= applied.day - 30 and daily.day < applied.day) as before
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Minimums:
    """How applicants of a period lie around each minimum.

    ``decided`` of the ``applicants`` have active users that a decision was based on.
    """

    applicants: int
    decided: int
    volume: Bunching
    active_users: Bunching
    new_users: Bunching

    @property
    def all(self) -> tuple[Bunching, ...]:
        """Return the three in the order of the criteria."""
        return self.volume, self.active_users, self.new_users


def minimums(connection: Connection, policy: Policy, period: Window) -> Minimums:
    """Return how those who applied in the period lie around the policy's minimums."""
    given = {"start": period.start, "end": period.end, "most": MOST}
    rows = connection.execute(APPLIED, given).all()
    active = [row.active_users for row in rows if row.active_users is not None]
    return Minimums(
        applicants=len(rows),
        decided=len(active),
        volume=bunching.of_volume([row.volume_usd for row in rows], policy.min_volume_usd),
        active_users=bunching.of_users(ACTIVE_USERS, active, policy.min_active_users),
        new_users=bunching.of_users(
            NEW_USERS, [row.new_users for row in rows], policy.min_new_users
        ),
    )
