"""Keep the standings of open applications, and compute them anew where they are not kept.

Triggers in the database follow every change to an application, its account, its desk state and its
evidence. Two things change all rows at once: a refresh and another policy. Until the rows are
restated, the queue computes them for each view; that takes longer and shows the same.
"""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Engine, func, select

from data_access.db import database, locks
from data_access.eligibility import judging
from data_access.eligibility.judging import JudgingContext
from data_access.risk import judged_risk

PATIENCE_S, PAUSE_S = 30, 0.05
COMPUTED = """
computed as materialized (
    select * from review.standing_rows(
        array(select application_id from exchange.applications where status = 'pending'),
        jsonb_populate_record(null::review.policies, %(policy)s::jsonb),
        %(covered_until)s, %(evidence_from)s, %(now)s)
),
computed_sums as (
    select status, eligible, on_exchange, external, clock_day, submitted_day,
        count(*)::integer as number
    from computed group by 1, 2, 3, 4, 5, 6
)
"""
RESTATE = """
select review.restate_all(row(
    true, %(policy_version)s, %(refresh_id)s, %(covered_until)s, %(evidence_from)s, %(now)s
)::review.standing_basis)
"""
# By their own basis, whatever is in force now.
DIFFERENCES = """
select array(
    select coalesce(kept.application_id, computed.application_id)
    from review.standings as kept
    full join (
        select computed.*
        from review.standing_basis as basis
        join review.policies as policy on policy.version = basis.policy_version
        cross join lateral review.standing_rows(
            array(select application_id from exchange.applications where status = 'pending'),
            policy, basis.covered_until, basis.evidence_from, 'infinity') as computed
    ) as computed using (application_id)
    where kept is distinct from computed
    order by 1)
"""
DIFFERING_SUMS = """
select count(*) from (
    select status, eligible, on_exchange, external, clock_day, submitted_day
    from (
        select status, eligible, on_exchange, external, clock_day, submitted_day, number
        from review.standing_sums
        union all
        select status, eligible, on_exchange, external, clock_day, submitted_day, -1
        from review.standings
    ) as change
    group by 1, 2, 3, 4, 5, 6 having sum(number) <> 0
) as differing
"""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a statement reads standings and their sums: names, and the CTEs they are, if any."""

    name: str
    sums: str
    computed: str = ""


KEPT = Source("review.standings", "review.standing_sums")
LIVE = Source("computed", "computed_sums", COMPUTED)


def source(context: JudgingContext, *, judged: bool = True) -> Source:
    """Return where to read standings that are right for ``context``.

    Without ``judged`` only what does not depend on facts and policy: those of any basis are right.
    """
    right = context.is_kept if judged else context.kept is not None
    return KEPT if right else LIVE


def values(context: JudgingContext) -> dict[str, Any]:
    """Return the parameters with which standings are computed."""
    return {
        "policy": Jsonb(judged_risk.policy_json(context.policy)),
        "covered_until": context.freshness.refreshed_at if context.freshness else None,
        "evidence_from": context.evidence_from,
        "now": context.now,
    }


def restate(engine: Engine, *, now: datetime) -> bool:
    """Compute all standings anew unless they are those of ``now``; returns whether they are now.

    Acts wait while it computes, half a second for twenty thousand applications. It waits for a load
    that is running, without holding up others, but not for ever: it can be called again.
    """
    waited_until = time.monotonic() + PATIENCE_S
    while not _restated(engine, now):
        if time.monotonic() > waited_until:
            return False
        time.sleep(PAUSE_S)
    return True


def _restated(engine: Engine, now: datetime) -> bool:
    with database.acting(engine) as connection:
        # A lock that was waited for would hold up whoever comes after, so try and come back.
        if not connection.execute(select(func.pg_try_advisory_xact_lock(locks.STANDINGS))).scalar():
            return False
        context = judging.read_context(connection, now=now)
        if context.kept != context.basis:
            fresh = context.freshness
            given = {
                **values(context),
                "policy_version": context.policy.version,
                "refresh_id": fresh.refresh_id if fresh else 0,
            }
            connection.exec_driver_sql(RESTATE, given)
    return True


def follow_measures(engine: Engine) -> None:
    """Restate the applications whose risk was measured anew, with another result.

    For measures that are not followed by `restate`, which a refresh does.
    """
    with database.acting(engine) as connection:
        connection.execute(select(func.review.restate_measured()))


def differences(connection: Connection) -> list[int]:
    """Return the applications whose kept standing is not what a recount gives; none should be."""
    found: list[int] = connection.exec_driver_sql(DIFFERENCES).scalar_one()
    return found


def differing_sums(connection: Connection) -> int:
    """Return how many sums are not the number of such standings; none should be."""
    found: int = connection.exec_driver_sql(DIFFERING_SUMS).scalar_one()
    return found
