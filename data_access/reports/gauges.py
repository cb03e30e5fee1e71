"""Figures for monitoring: how much waits, since when, and how old the data are."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, exists, func, select

from data_access.db import tables
from data_access.eligibility import freshness
from data_access.messages import backlog
from data_access.messages.backlog import Backlog
from program.periods import ONE_DAY, day_start
from program.policy.outcomes import Outcome
from program.review.workflow import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """What waits at ``at``. ``data_age_s`` is since the end of the data-through day."""

    queue: dict[Outcome, int]
    data_age_s: float | None
    outbox: Backlog
    oldest_message_s: float


def read(connection: Connection, *, now: datetime) -> Gauges:
    """Read them: a few rows each, whatever was decided or delivered before."""
    fresh = freshness.newest(connection)
    waiting = backlog.read(connection)
    oldest = (now - waiting.oldest).total_seconds() if waiting.oldest else 0.0
    age = (now - day_start(fresh.data_through + ONE_DAY)).total_seconds() if fresh else None
    return Gauges(
        queue=_queue(connection), data_age_s=age, outbox=waiting, oldest_message_s=max(0.0, oldest)
    )


def _queue(connection: Connection) -> dict[Outcome, int]:
    """Count open applications by computed eligibility; before the first refresh all are unknown."""
    kept = connection.execute(select(exists().select_from(tables.standing_basis))).scalar_one()
    if not kept:
        pending = tables.applications.c.status == str(Status.PENDING)
        number = connection.execute(select(func.count()).where(pending)).scalar_one()
        return {**dict.fromkeys(Outcome, 0), Outcome.UNKNOWN: number}
    sums = tables.standing_sums
    outcome = case(
        (sums.c.eligible, str(Outcome.MET)),
        (~sums.c.eligible, str(Outcome.NOT_MET)),
        else_=str(Outcome.UNKNOWN),
    )
    rows = connection.execute(select(outcome, func.sum(sums.c.number)).group_by(outcome))
    found = {Outcome(word): int(number) for word, number in rows}
    return {one: found.get(one, 0) for one in Outcome}
