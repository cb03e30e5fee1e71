"""Sums of the outcomes of approvals, in the smallest groups needed; these add up to the others.

A refresh stores them by month, override, reviewer and horizon. Readers correct them for the
affiliates whose applications changed since: as they were counted is subtracted, and as they are now
is added. Horizon 0 is the number of approvals and their figures at application.
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, text

from data_access.affiliates import approved
from data_access.db import tables
from program.affiliates.cohorts import COLLAPSE_HORIZON, COLLAPSES
from program.periods import day_start

SUMS = (
    *("affiliates", "delivered", "compared", "trading", "volume_before", "volume"),
    *("active_before", "active", "new_before", "new", "met", "judged", "halved", "collapsed"),
)
# Of approvals with columns decision_id, approved_at, and sign: -1 subtracts one.
GROUPED = f"""
with standing as ({{standing}}), known as (
    select standing.decision_id, sign, is_override, review.person(decided_by) as decided_by,
           date_trunc('month', approved_at at time zone 'UTC')::date as month,
           seen.volume_usd as volume_before, seen.active_users as active_before,
           seen.new_users as new_before
    from standing join review.decisions using (decision_id)
    left join review.affiliate_outcomes as seen
        on seen.decision_id = standing.decision_id and seen.horizon_days = 0
), cells as (
    select month, is_override, decided_by, 0 as horizon_days, sum(sign) as affiliates,
           0 as delivered, 0 as compared, 0 as trading,
           sum(sign * volume_before) as volume_before, 0 as volume,
           sum(sign * active_before) as active_before, 0 as active,
           sum(sign * new_before) as new_before, 0 as new, 0 as met,
           0 as judged, 0 as halved, 0 as collapsed
    from known group by 1, 2, 3
    union all
    select month, is_override, decided_by, horizon_days, sum(sign),
           sum(sign) filter (where volume_usd is not null),
           sum(sign) filter (where whole and volume_before is not null),
           sum(sign) filter (where whole and volume_before > 0),
           sum(sign * volume_before) filter (where whole),
           sum(sign * volume_usd) filter (where volume_before is not null),
           sum(sign * active_before) filter (where whole),
           sum(sign * active_users) filter (where active_before is not null),
           sum(sign * new_before) filter (where whole),
           sum(sign * new_users) filter (where new_before is not null),
           sum(sign) filter (where outcome = 'met'), sum(sign) filter (where outcome <> 'unknown'),
           sum(sign) filter (where horizon_days = :collapse_at and volume_before > 0
               and volume_usd <= :halved * volume_before),
           sum(sign) filter (where horizon_days = :collapse_at and volume_before > 0
               and volume_usd <= :collapsed * volume_before)
    from known join review.affiliate_outcomes as later using (decision_id)
    cross join lateral (select later.missing_days = 0 as whole) as days
    where horizon_days > 0 group by 1, 2, 3, 4
)
select month, is_override, decided_by, horizon_days,
       {", ".join(f"coalesce({name}, 0) as {name}" for name in SUMS)}
from cells
"""  # noqa: S608 - pieces of our own
COLUMNS = ", ".join(("month", "is_override", "decided_by", "horizon_days", *SUMS))
COUNTED = """
select decision_id, approved_at, 1 as sign from ({recent}) as kept
where :everything
   or date_trunc('month', approved_at at time zone 'UTC')::date = any(cast(:months as date[]))
"""
MONTHS = """
select date_trunc('month', decided_at at time zone 'UTC')::date from review.decisions
where decision_id = any(cast(:changed as bigint[])) group by 1
"""
# The affiliates among changed applications: those that were counted, and those that are now.
CHANGED = """
select account_id from review.affiliate_outcomes join review.decisions using (decision_id)
where application_id = any(array(select application_id from review.uncounted))
  and horizon_days = 0
union
select account_id from exchange.applications
where application_id = any(array(select application_id from review.uncounted))
  and status = 'approved'
"""
CORRECTED = """
select decision_id, approved_at, 1 as sign from ({now}) as now
union all
select decision_id, decided_at, -1
from review.affiliate_outcomes join review.decisions using (decision_id)
where account_id = any(cast(:accounts as bigint[])) and horizon_days = 0 and decided_at >= :oldest
"""
READ = f"""
select month, is_override, decided_by, horizon_days,
       {", ".join(f"sum({name}) as {name}" for name in SUMS)}
from ({{every}}) as every
where month >= :first
  and (horizon_days = 0
       or (month + interval '1 month')::date - 1 + horizon_days <= :through)
group by grouping sets
    ((month, horizon_days), (is_override, horizon_days), (decided_by, horizon_days))
having sum(affiliates) > 0
order by month desc, is_override, decided_by, horizon_days
"""  # noqa: S608 - names of columns
GIVEN = {"collapse_at": COLLAPSE_HORIZON, **{step.key: step.at_most for step in COLLAPSES}}


def count(connection: Connection, oldest: date, changed: Collection[int]) -> None:
    """Count the approvals since ``oldest`` in the months of these decisions; needs `approved.KEPT`.

    The first time, all are counted.
    """
    held = text("select exists (select from review.outcome_counts)")
    everything = not connection.execute(held).scalar_one()
    months = connection.execute(text(MONTHS), {"changed": list(changed)}).scalars().all()
    connection.execute(
        text(
            "delete from review.outcome_counts"
            " where month < :oldest or month = any(cast(:months as date[]))"
        ),
        {"oldest": oldest, "months": months},
    )
    standing = COUNTED.format(recent=approved.kept_since(day_start(oldest)))
    grouped = GROUPED.format(standing=standing)
    connection.execute(
        text(f"insert into review.outcome_counts ({COLUMNS}) {grouped}"),
        {**GIVEN, "everything": everything, "months": months},
    )


def read(connection: Connection, *, first: date, through: date) -> Sequence[Row[Any]]:
    """Return the sums from month ``first`` on: by month, by override, and by reviewer.

    Each has its horizons that are complete at ``through``; only its own key is set.
    """
    given: dict[str, Any] = {"first": first, "through": through}
    every = f"select {COLUMNS} from review.outcome_counts"  # noqa: S608 - names of columns
    if accounts := connection.execute(text(CHANGED)).scalars().all():
        now = approved.current_approvals().where(
            tables.applications.c.account_id.in_(accounts),
            tables.current_decisions.c.decided_at >= day_start(first),
        )
        corrected = GROUPED.format(standing=CORRECTED.format(now=approved.as_text(now)))
        every = f"{every} union all ({corrected})"
        given |= {**GIVEN, "accounts": accounts, "oldest": day_start(first)}
    return connection.execute(text(READ.format(every=every)), given).all()
