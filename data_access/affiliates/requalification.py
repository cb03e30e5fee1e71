"""Monthly tests of affiliates, written by the refresh.

A month is tested once it is complete at the data-through day, by the policy in force at its end and
the evidence current then. If not every day of it was delivered, it cannot be missed: what was
delivered meets the minimums, or the result is unknown. Results are only added: a late correction of
facts, days delivered later, or evidence recorded later about that time adds a row that supersedes
the old one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    FromClause,
    Select,
    Subquery,
    and_,
    bindparam,
    case,
    exists,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY

from data_access.affiliates import approved as affiliates_approved
from data_access.affiliates import judged, monthly_counts
from data_access.affiliates.monthly_counts import counts_as_the_rollup
from data_access.db import tables
from data_access.eligibility import delivered, judging, policies
from data_access.eligibility.freshness import Freshness
from data_access.eligibility.judging import METRIC_TYPES, JudgingContext
from program.affiliates.filters import UNTESTED
from program.affiliates.requalification import MONTHS_KEPT, clearly, nearly
from program.periods import ONE_DAY, Window, WindowKind, day_start, month_start, months_later
from program.policy.criteria import (
    ACTIVE_USERS,
    EXTERNAL_VOLUME,
    NEW_USERS,
    TRACKS,
    VOLUME,
    X_FOLLOWERS,
    Requires,
    Track,
)
from program.policy.delivered import Known
from program.policy.policy import Policy
from program.review.workflow import Decision

FIGURES = (VOLUME.key, ACTIVE_USERS.key, NEW_USERS.key, X_FOLLOWERS.key, EXTERNAL_VOLUME.key)
COMPARED = ("outcome", "near", *FIGURES, "policy_version", "missing_days")
LAST_MOMENT = timedelta(microseconds=1)
# A decision or evidence may have been written while the previous refresh was reading.
OVERLAP = timedelta(days=1)
# More affiliates than that are summed up in one statement over all.
FEW = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """What a refresh did: days from ``start`` to ``through`` were recomputed.

    ``before`` is the previous refresh, ``None`` for the first.
    """

    start: date
    through: date
    policy: Policy
    before: Freshness | None
    now: datetime


def test(
    connection: Connection, done: Refreshed, *, changed_accounts: Sequence[int] | None
) -> None:
    """Test the months that are due and sum up each affiliate; safe to repeat.

    Needs `approved.KEPT`, and the accounts returned by filling it.
    """
    decision = tables.decisions
    approved = exists().where(decision.c.outcome == str(Decision.APPROVED))
    if not connection.execute(select(approved)).scalar_one():
        return
    connection.execute(monthly_counts.SETTINGS)
    changed: set[int] = set()
    told = connection.execute(select(exists(_new_evidence(done)))).scalar_one()
    for known, whole in _due(connection, done):
        if whole or told:
            changed |= _test_month(connection, known, done, whole=whole)
    _sum_up(connection, done, changed, changed_accounts)


def _due(connection: Connection, done: Refreshed) -> list[tuple[Known, bool]]:
    """Return the months to test, oldest first; not ``whole`` if only evidence may be new."""
    newest = months_later(month_start(done.through + ONE_DAY), -1)
    months = [months_later(newest, -back) for back in range(MONTHS_KEPT - 1, -1, -1)]
    tested, days = _tested_before(connection, months), delivered.read(connection)
    known_days = [days.trading(Window(month, months_later(month, 1))) for month in months]
    return [
        (known, known.window.end > done.start or tested.get(known.window.start) != known.missing)
        for known in known_days
    ]


def _tested_before(connection: Connection, months: list[date]) -> dict[date, int]:
    """Return the number of missing days at each month's last test, for tested months."""
    wanted = func.unnest(literal(months, ARRAY(Date))).column_valued("wanted_month")
    table = tables.requalifications
    newest = (
        select(table.c.missing_days)
        .where(table.c.month == wanted)
        .order_by(table.c.requalification_id.desc())
        .limit(1)
        .lateral("newest")
    )
    held = connection.execute(select(wanted, newest.c.missing_days).join(newest, true()))
    return {row.wanted_month: row.missing_days for row in held}


def _test_month(connection: Connection, known: Known, done: Refreshed, *, whole: bool) -> set[int]:
    """Add results that are new or different; returns their accounts."""
    month = known.window.start
    policy = policies.in_force(connection, now=day_start(known.window.end) - LAST_MOMENT)
    tested = _tested(known, policy, None if whole else _new_evidence(done))
    table = tables.requalifications
    held = _current().where(table.c.month == month).subquery("held")
    new = select(
        tested.c.account_id,
        tested.c.application_id,
        literal(month, Date),
        *(tested.c[name] for name in COMPARED),
        literal(done.now),
        held.c.requalification_id,
    ).select_from(tested.outerjoin(held, held.c.account_id == tested.c.account_id))
    new = new.where(
        or_(
            held.c.requalification_id.is_(None),
            tuple_(*(held.c[name] for name in COMPARED)).is_distinct_from(
                tuple_(*(tested.c[name] for name in COMPARED))
            ),
        )
    )
    columns = ["account_id", "application_id", "month", *COMPARED, "tested_at", "supersedes"]
    # In the order of an index: a first refresh adds all affiliates for every month.
    added = (
        insert(table)
        .from_select(columns, new.order_by(tested.c.account_id))
        .returning(table.c.account_id)
    )
    return set(connection.execute(added).scalars())


def _current() -> Select[Any]:
    table = tables.requalifications
    later = table.alias("later")
    return select(table).where(~exists().where(later.c.supersedes == table.c.requalification_id))


def _new_evidence(done: Refreshed) -> Select[Any]:
    table = tables.evidence
    since = done.before.refreshed_at if done.before else done.now
    return select(table.c.application_id).where(table.c.recorded_at >= since - OVERLAP)


def _tested(month: Known, policy: Policy, only: Select[Any] | None) -> Subquery:
    """Return every affiliate approved before ``month`` with its figures and result.

    ``only`` restricts it to these applications. Needs `approved.KEPT`.
    """
    if only is None:
        due = affiliates_approved.kept_before(day_start(month.window.start)).subquery("due")
    else:
        application = tables.applications.alias("given")
        accounts = select(application.c.account_id).where(application.c.application_id.in_(only))
        due = affiliates_approved.before(day_start(month.window.start), accounts).subquery("due")
    source, values = _figures(due, month.window, policy)
    measured = (
        select(
            due.c.account_id,
            due.c.application_id,
            *(value.label(key) for key, value in values.items()),
        )
        .select_from(source)
        # OFFSET 0 keeps the planner from repeating the counts wherever a figure is used.
        .offset(0)
        .subquery("measured")
    )
    missing = literal(month.missing)
    known = delivered.known_values(
        {key: measured.c[key] for key in FIGURES},
        policy,
        missing=missing,
        days=literal(month.window.days),
    )
    truth = judging.whole_truth(known, policy)
    near = _near(truth, known, policy) if month.whole else false()
    return select(
        measured.c.account_id,
        measured.c.application_id,
        *(known[key].label(key) for key in FIGURES),
        judging.outcome_word(truth).label("outcome"),
        near.label("near"),
        literal(policy.version).label("policy_version"),
        missing.label("missing_days"),
    ).subquery("tested")


def _near(
    truth: ColumnElement[bool], values: dict[str, ColumnElement[Any]], policy: Policy
) -> ColumnElement[bool]:
    """Whether a miss missed, or a pass passed, by a tenth at most; unknown is neither."""
    nearly_met = or_(
        *(_combined(t, [values[c.key] >= nearly(c, policy) for c in t.criteria]) for t in TRACKS)
    )
    clearly_met = or_(
        *(_combined(t, [values[c.key] > clearly(c, policy) for c in t.criteria]) for t in TRACKS)
    )
    return func.coalesce(case((truth, clearly_met.is_not(True)), (~truth, nearly_met)), False)


def _combined(track: Track, truths: list[ColumnElement[bool]]) -> ColumnElement[bool]:
    return and_(*truths) if track.requires is Requires.ALL else or_(*truths)


def _figures(
    due: Subquery, window: Window, policy: Policy
) -> tuple[FromClause, dict[str, ColumnElement[Any]]]:
    """Return what was delivered of a month; without a row, nothing was."""
    month, end = window.start, window.end
    evidence = judging.established_evidence(_at_the_end(month, end, policy))
    source: FromClause = due.outerjoin(evidence, evidence.c.application_id == due.c.application_id)
    if counts_as_the_rollup(policy):
        monthly = tables.affiliate_monthly
        at = and_(monthly.c.affiliate_account_id == due.c.account_id, monthly.c.month == month)
        source = source.outerjoin(monthly, at)
        values: dict[str, ColumnElement[Any]] = {
            key: func.coalesce(monthly.c[key], 0) for key in METRIC_TYPES
        }
    else:
        counted = _counted(month, end, policy)
        source = source.outerjoin(counted, counted.c.account_id == due.c.account_id)
        values = {key: func.coalesce(counted.c[key], 0) for key in METRIC_TYPES}
    values |= {key: evidence.c[key] for key in (X_FOLLOWERS.key, EXTERNAL_VOLUME.key)}
    return source, values


def _at_the_end(month: date, end: date, policy: Policy) -> JudgingContext:
    fresh = Freshness(
        refresh_id=0,
        data_through=end - ONE_DAY,
        window=Window(month, end),
        window_kind=WindowKind.CALENDAR_MONTH,
        policy_version=policy.version,
        refreshed_at=day_start(end),
    )
    return JudgingContext(policy=policy, freshness=fresh, now=day_start(end) - LAST_MOMENT)


def _counted(month: date, end: date, policy: Policy) -> Subquery:
    """Return counts by other rules than the rollup's: from the raw activity of those with any."""
    statement = f"""
        select account_id, {monthly_counts.VOLUME} as volume_usd,
               {monthly_counts.ACTIVE_USERS} as active_users,
               {monthly_counts.NEW_USERS} as new_users
        from (select affiliate_account_id as account_id, cast(:first_day as date) as first_day,
                     cast(:after as date) as after
              from review.affiliate_monthly where month = :first_day) as traded
    """  # noqa: S608 - pieces of our own
    given = {"first_day": month, "after": end, **monthly_counts.words(policy)}
    return (
        text(statement)
        .bindparams(*(bindparam(name, value) for name, value in given.items()))
        .columns(
            tables.affiliate_tested.c.account_id,
            *(tables.affiliate_monthly.c[key] for key in METRIC_TYPES),
        )
        .subquery("counted")
    )


# One row per affiliate, for the board.

SUM_UP = """
with approval as ({approvals}), tests as (
    select approval.account_id, r.month, r.outcome, r.near, r.volume_usd,
           max(r.month) filter (where r.outcome = 'met') over mine as passed,
           max(r.month) over mine as newest
    from approval
    join review.requalifications as r on r.account_id = approval.account_id
    where r.month > (approval.approved_at at time zone 'UTC')::date and r.month >= :first
      and not exists (
          select from review.requalifications as later
          where later.supersedes = r.requalification_id)
    window mine as (partition by approval.account_id)
), summed as (
    select account_id, max(newest) as month, max(outcome) filter (where month = newest) as outcome,
           bool_or(near) filter (where month = newest) as near,
           max(volume_usd) filter (where month = newest) as volume_usd,
           array_agg(month order by month) filter (where outcome = 'not_met'
               and (passed is null or month > passed)) as missed
    from tests group by account_id
), tested as (
    select approval.account_id, application_id, decision_id, approved_at, month, outcome,
           coalesce(near, false) as near, volume_usd, coalesce(missed, '{{}}') as missed
    from approval left join summed on summed.account_id = approval.account_id
)
insert into review.affiliate_tested
    (account_id, application_id, decision_id, approved_at, month, outcome, near, volume_usd, missed,
     misses)
select tested.*, {misses} from tested
"""
COUNT = """
insert into review.affiliate_counts (protection_months, misses, outcome, near, number)
select :protection, misses, coalesce(outcome, :untested), near, count(*)
from review.affiliate_tested group by misses, coalesce(outcome, :untested), near
"""


def _sum_up(
    connection: Connection,
    done: Refreshed,
    changed: set[int],
    changed_accounts: Sequence[int] | None,
) -> None:
    """Sum up the affiliates that changed; at first, and under another protection, all."""
    ids: list[int] | None = None
    protection = done.policy.requalification_protection_months
    counted = exists().where(tables.affiliate_counts.c.protection_months == protection)
    if connection.execute(select(counted)).scalar_one():
        ids = sorted(
            changed | set(connection.execute(_changed_approvals(changed_accounts)).scalars())
        )
    if ids is not None and len(ids) > FEW:
        ids = None
    table = tables.affiliate_tested
    gone = table.delete() if ids is None else table.delete().where(table.c.account_id.in_(ids))
    connection.execute(gone)
    if ids == []:
        return
    chosen = select(affiliates_approved.KEPT)
    if ids is not None:
        chosen = chosen.where(affiliates_approved.KEPT.c.account_id.in_(ids))
    misses = judged.counted_misses(tables.affiliate_tested.alias("tested").c, protection)
    statement = SUM_UP.format(
        approvals=affiliates_approved.as_text(chosen), misses=affiliates_approved.as_text(misses)
    )
    connection.execute(
        text(statement), {"first": months_later(month_start(done.through), -MONTHS_KEPT)}
    )
    connection.execute(tables.affiliate_counts.delete())
    connection.execute(text(COUNT), {"protection": protection, "untested": UNTESTED})


def _changed_approvals(changed_accounts: Sequence[int] | None) -> Select[Any]:
    """Return affiliates with another approval than was summed up, newly approved, or no longer."""
    held, now = (
        select(table.c.account_id, table.c.decision_id)
        .where(true() if changed_accounts is None else table.c.account_id.in_(changed_accounts))
        .subquery(name)
        for table, name in ((tables.affiliate_tested, "held"), (affiliates_approved.KEPT, "now"))
    )
    return (
        select(func.coalesce(now.c.account_id, held.c.account_id))
        .select_from(now.outerjoin(held, held.c.account_id == now.c.account_id, full=True))
        .where(now.c.decision_id.is_distinct_from(held.c.decision_id))
    )
