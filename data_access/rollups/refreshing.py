"""Refresh the rollups up to the data-through day, in one transaction."""

import logging
import time
from collections.abc import Callable
from datetime import date, datetime
from functools import partial

from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.sql import SQL, Composable, Identifier, Literal
from sqlalchemy import Connection, Engine

from data_access.affiliates import approved, cohort_outcomes, monthly_counts, requalification
from data_access.affiliates.requalification import Refreshed
from data_access.db import planner
from data_access.db.errors import DatabaseUnavailable
from data_access.eligibility import freshness, policies
from data_access.eligibility.freshness import Freshness
from data_access.people import preferences
from data_access.queue import standings
from data_access.risk import measuring
from data_access.risk.frame import Whose
from data_access.rollups import (
    carried,
    plan,
    program_sums,
    replacing,
    session,
    statements,
    work_sums,
)
from data_access.rollups.plan import Plan, Span
from data_access.rollups.replacing import Rollup
from program.periods import Window, month_start
from program.policy.policy import Policy

LOG = logging.getLogger(__name__)
# Called with (steps done, total steps).
Progress = Callable[[int, int], None]
# The parts of a refresh, by name.
Steps = list[tuple[str, Callable[[], None]]]
# So few days are read by index in one go; shares would each scan them again.
FEW_DAYS = 3
FEW_MONTHS = 2
PERIOD = Identifier("pg_temp", "fresh_period")
USERS = Identifier("pg_temp", "fresh_users")


def ignore_progress(done: int, total: int) -> None:
    """Ignore progress."""


def refresh(
    engine: Engine,
    *,
    now: datetime,
    since: date | None = None,
    through: date | None = None,
    again: bool = False,
    progress: Progress = ignore_progress,
    risk: Whose | None = Whose.ALL,
) -> Freshness:
    """Bring the rollups up to T, the newest complete day with activity, or ``through``.

    With ``again`` T is the one they have already. Days are recomputed from the last T, from the
    first day touched by a load since, or from ``since``, whichever is earliest. All or nothing:
    readers see the old state until the commit, and a killed refresh changes nothing. After the
    commit and the queue the risk of ``risk`` is measured. Raises Refusal if there is no T or
    another refresh runs for too long, Invalid if ``through`` is not complete yet,
    DatabaseUnavailable if Postgres fails.
    """
    with session.alone(engine, "refresh") as (connection, cursor):
        policy = policies.in_force(connection, now=now)
        before = freshness.newest(connection)
        made = plan.make(cursor, policy=policy, now=now, since=since, through=through, again=again)
        done = Refreshed(
            start=made.start, through=made.through, policy=policy, before=before, now=now
        )
        planner.set_for_transaction(cursor, session.SETTINGS)
        steps = _rollups(cursor, made) + _after_them(connection, done)
        _carry_out(steps, progress)
        _record(cursor, made, now)
        preferences.forget_requests(connection, now=now)
        fresh = freshness.newest(connection)
    assert fresh is not None
    _restate(engine, now)
    if risk is not None:
        measure_risk(engine, now=now, whose=risk)
    return fresh


def measure_risk(engine: Engine, *, now: datetime, whose: Whose) -> None:
    """Measure the risk signals, and show them in the queue. The refresh is done by then.

    If it fails, the measures stay those of an earlier refresh, which their T tells.
    """
    try:
        measuring.measure(engine, now=now, whose=whose)
        standings.follow_measures(engine)
    except Exception:
        LOG.exception("the risk signals could not be measured")


def _restate(engine: Engine, now: datetime) -> None:
    """Restate the open applications, in a transaction that sees what was recorded meanwhile.

    The refresh is done by then; if this fails, the queue computes standings until it is repeated.
    """
    try:
        kept = standings.restate(engine, now=now)
    except DatabaseUnavailable as error:
        LOG.warning("the standings could not be restated: %s", error)
    else:
        if not kept:
            LOG.warning("the standings were not restated, because a load is running")


def _rollups(cursor: Cursor[DictRow], made: Plan) -> Steps:
    cuts = session.cuts(cursor)
    return [
        *(
            (f"days of {d.start:%Y-%m}", partial(_write_days, cursor, d, cuts))
            for d in made.counted_chunks
        ),
        *((_name(s), partial(_write_periods, cursor, made, s, cuts)) for s in made.spans),
        ("later days and months", partial(_drop_later, cursor, made)),
        ("program sums", partial(program_sums.write, cursor, made)),
        ("statistics", partial(_take_statistics, cursor, made)),
    ]


def _name(span: Span) -> str:
    months = ", ".join(f"{month:%Y-%m}" for month in span.months)
    how = " carried on" if span.carried else ""
    return f"months {months}{' and window' if span.window else ''}{how}"


def _after_them(connection: Connection, done: Refreshed) -> Steps:
    """Return the steps that depend on the rollups, in the same transaction."""
    return [
        ("work sums and tests", partial(_test_affiliates, connection, done)),
        ("outcomes of approvals", partial(cohort_outcomes.update, connection, done)),
    ]


def _carry_out(steps: Steps, progress: Progress) -> None:
    for done, (name, step) in enumerate(steps):
        progress(done, len(steps))
        began = time.perf_counter()
        step()
        LOG.info("refresh: %s took %.2f s", name, time.perf_counter() - began)
    progress(len(steps), len(steps))


def _write_days(cursor: Cursor[DictRow], days: Window, cuts: list[int]) -> None:
    computed = statements.daily(days, cuts if days.days > FEW_DAYS else [])
    if replacing.add_month(cursor, month_start(days.start), computed):
        return
    replacing.compute(cursor, replacing.DAILY.fresh, computed)
    scope = SQL("held.day >= {} and held.day < {}").format(Literal(days.start), Literal(days.end))
    replacing.replace(cursor, replacing.DAILY, scope)


def _write_periods(cursor: Cursor[DictRow], made: Plan, span: Span, cuts: list[int]) -> None:
    for rollup, scope in _compute_periods(cursor, span, made.policy, cuts):
        replacing.replace(cursor, rollup, scope)
    program_sums.write_cohorts(cursor, span)


def count_differing(cursor: Cursor[DictRow], span: Span, policy: Policy) -> int:
    """Count ``span``, and return how many rows of the rollups differ from that."""
    computed = _compute_periods(cursor, span, policy, session.cuts(cursor))
    return sum(replacing.count_differing(cursor, rollup, scope) for rollup, scope in computed)


def _compute_periods(
    cursor: Cursor[DictRow], span: Span, policy: Policy, cuts: list[int]
) -> list[tuple[Rollup, Composable]]:
    """Compute the months and the window of ``span``; returns them with their scope."""
    if span.carried is None:
        replacing.compute(cursor, USERS, statements.users(span, cuts))
        counted = statements.period(span, policy, cuts)
    else:
        replacing.compute(cursor, USERS, carried.users(span))
        counted = carried.period(span, policy)
    cursor.execute(SQL("analyze {}").format(USERS))
    replacing.compute(cursor, PERIOD, counted)
    computed: list[tuple[Rollup, Composable]] = []
    if span.months:
        replacing.compute(cursor, replacing.MONTHLY.fresh, statements.monthly(span))
        months = SQL("held.month = any({})").format(Literal(list(span.months)))
        computed.append((replacing.MONTHLY, months))
    if span.window is not None:
        replacing.compute(cursor, replacing.WINDOW.fresh, statements.WINDOW)
        if policy.new_user_must_trade:
            cursor.execute(statements.new_users_who_traded(span, span.window))
        computed.append((replacing.WINDOW, SQL("true")))
    return computed


def _drop_later(cursor: Cursor[DictRow], made: Plan) -> None:
    cursor.execute("delete from review.affiliate_daily where day >= %s", [made.end])
    cursor.execute("delete from review.affiliate_monthly where month >= %s", [made.end])
    complete = month_start(made.end)
    cursor.execute("delete from review.referral_cohorts where active_month >= %s", [complete])
    if made.carried is None:
        # Days that it counts may have changed.
        cursor.execute("delete from review.carried")


def _take_statistics(cursor: Cursor[DictRow], made: Plan) -> None:
    """Update the planner's statistics, unless few rows changed and autovacuum will do."""
    for days in made.counted_chunks:
        if days.days > FEW_DAYS:
            cursor.execute(SQL("analyze {}").format(replacing.month_part(days.start)))
    if len(made.chunks) > FEW_MONTHS:
        cursor.execute("analyze review.affiliate_monthly, review.affiliate_window")


def _test_affiliates(connection: Connection, done: Refreshed) -> None:
    """Update work sums, then test the affiliates among the applications that changed."""
    changed = work_sums.write(connection, done)
    connection.execute(monthly_counts.SETTINGS)
    changed_accounts = approved.keep(connection, changed)
    requalification.test(connection, done, changed_accounts=changed_accounts)


def _record(cursor: Cursor[DictRow], made: Plan, now: datetime) -> None:
    cursor.execute(
        """insert into review.refreshes (data_through, recomputed_from, policy_version, window_kind,
               window_start, window_end, load_id, refreshed_at, decision_id, event_id)
           select %s, %s, %s, %s, %s, %s, %s, %s,
               (select coalesce(max(decision_id), 0) from review.decisions),
               (select coalesce(max(event_id), 0) from review.events)""",
        [
            *(made.through, made.start, made.policy.version, str(made.policy.window_kind)),
            *(made.window.start, made.window.end, made.load_id, now),
        ],
    )
