"""Count the window and the newest months again in full: what was carried forward must agree."""

import logging
from dataclasses import dataclass
from datetime import date, datetime

from psycopg import Cursor
from psycopg.rows import DictRow
from sqlalchemy import Engine

from data_access.db import planner
from data_access.eligibility import policies
from data_access.rollups import carried, plan, refreshing, session
from data_access.rollups.plan import Span
from data_access.rollups.refreshing import Progress, ignore_progress
from program.periods import ONE_DAY, Window, day_start, month_start, utc_day
from program.policy.policy import Policy

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recount:
    """The newest refresh compared with a full count of ``days``; ``differing`` rows were wrong."""

    days: Window
    differing: int

    @property
    def sentence(self) -> str:
        """What differed, and what was done about it."""
        return (
            f"Sums carried forward differed from a full count of {self.days.start} to "
            f"{self.days.last_day} (rows: {self.differing:,}). The full count has replaced them. "
            "Were facts changed without `load`?"
        )


def recount(
    engine: Engine, *, now: datetime, progress: Progress = ignore_progress
) -> Recount | None:
    """Count in full once a UTC day and data-through day, and carry the sums for the next refresh.

    If any row differs, that is logged as an error, and everything since the first of these days is
    refreshed from a full count. Returns ``None`` if it was done already, or if facts have changed
    since the refresh, which the next one counts. Raises as `refreshing.refresh` does.
    """
    found = _compare(engine, now, progress)
    if found is not None and found.differing:
        refreshing.refresh(engine, now=now, since=found.days.start, again=True)
        _compare(engine, now, progress)
        LOG.error("%s", found.sentence)
    return found


def _compare(engine: Engine, now: datetime, progress: Progress) -> Recount | None:
    with session.alone(engine, "recount") as (connection, cursor):
        policy = policies.in_force(connection, now=now)
        last = _due(cursor, policy, now)
        if last is None:
            return None
        planner.set_for_transaction(cursor, session.SETTINGS)
        span = _span(Window(last["window_start"], last["window_end"]), last["data_through"])
        progress(0, 2)
        differing = refreshing.count_differing(cursor, span, policy)
        progress(1, 2)
        if not differing:
            carried.count(cursor, policy, through=last["data_through"], now=now)
        cursor.execute(
            "update review.refreshes set recounted_at = %s, differing = %s where refresh_id = %s",
            [now, differing, last["refresh_id"]],
        )
        progress(2, 2)
        return Recount(days=span.days, differing=differing)


def _due(cursor: Cursor[DictRow], policy: Policy, now: datetime) -> DictRow | None:
    """Return the newest refresh if it is to be recounted."""
    newest = "select * from review.refreshes order by refresh_id desc limit 1"
    last = cursor.execute(newest).fetchone()
    if last is None or last["policy_version"] != policy.version:
        return None
    through = last["data_through"]
    known = cursor.execute(
        """select exists (select from review.loads
                          where load_id > %s and first_day <= %s) as changed,
                  exists (select from review.refreshes
                          where data_through = %s and recounted_at >= %s) as today""",
        [last["load_id"], through, through, day_start(utc_day(now))],
    ).fetchone()
    held = plan.read_carried(cursor)
    fits = held is not None and (held.until, held.policy_version) == (through, policy.version)
    assert known is not None
    return None if known["changed"] or (known["today"] and fits) else last


def _span(shown: Window, through: date) -> Span:
    """Return the window with the months of the last two days, which a refresh reads."""
    months = tuple(sorted({month_start(through - ONE_DAY), month_start(through)}))
    days = Window(min(shown.start, months[0]), through + ONE_DAY)
    return Span(days=days, months=months, window=shown)
