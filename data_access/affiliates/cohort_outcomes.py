"""Outcomes of approval cohorts: written by the refresh, read by month and by reviewer.

A referred account has one affiliate, so distinct users add up over affiliates. They do not add up
over days: they are counted from the raw activity, once per 30 days of an approval, when those are
complete.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, case, literal, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from data_access.affiliates import approved, monthly_counts, outcome_sums
from data_access.affiliates.outcome_sums import SUMS
from data_access.affiliates.requalification import Refreshed
from data_access.db import tables
from data_access.db.tables import affiliate_outcomes as table
from data_access.eligibility import delivered, judging, policies
from data_access.eligibility.judging import METRIC_TYPES
from data_access.people.identities import person
from program.affiliates.cohorts import (
    COHORTS,
    COLLAPSE_HORIZON,
    COLLAPSES,
    HORIZONS,
    LEAST_PER_REVIEWER,
    Collapse,
    collapse,
    window_of,
)
from program.periods import ONE_DAY, TRAILING_DAYS, day_start, month_start, months_later
from program.policy.criteria import ACTIVE_USERS, EXTERNAL_VOLUME, NEW_USERS, VOLUME, X_FOLLOWERS
from program.policy.policy import Policy

# Every approved affiliate with each horizon whose last day is complete and whose days were
# recomputed, or all complete horizons if there are no outcomes yet. The day of the approval belongs
# to neither side.
DUE_TABLE = """
create temporary table outcomes_due (
    account_id bigint, application_id bigint, decision_id bigint, policy_version integer,
    horizon_days integer, first_day date, after date, missing_days integer) on commit drop
"""
DUE = f"""
insert into pg_temp.outcomes_due
with standing as (
    select *, (approved_at at time zone 'UTC')::date as approved_on from ({{approvals}}) as kept
), period as (
    -- Once for all approvals of a day.
    select approved_on, horizon_days, first_day, after, {delivered.MISSING} as missing
    from (select distinct approved_on from standing) as approval
    cross join unnest(cast(:horizons as integer[])) as horizon_days
    cross join lateral (
        select approved_on + 1 + horizon_days - 30 as first_day,
               approved_on + 1 + horizon_days as after) as days
    where after - 1 <= :through
)
select account_id, application_id, decision_id, policy_version, horizon_days, first_day, after,
       missing
from standing join period using (approved_on)
join (select decision_id, policy_version from review.decisions) as decided using (decision_id)
left join (select decision_id, horizon_days, missing_days from review.affiliate_outcomes) as held
    using (decision_id, horizon_days)
where after - 1 >= :start or decision_id = any(:new) or missing_days is distinct from missing
"""  # noqa: S608 - pieces of our own
MEASURED = f"""
with span as (
    -- Most have no referrals; one look at their months spares three into the days.
    select *, exists (
        select from review.affiliate_monthly as m
        where m.affiliate_account_id = due.account_id
          and m.month >= date_trunc('month', first_day::timestamp)::date and m.month < after
    ) as referred
    from pg_temp.outcomes_due as due where policy_version = :version
)
select decision_id, horizon_days, account_id, first_day as window_start, after as window_end,
    case when referred then {monthly_counts.VOLUME} else 0 end as volume_usd,
    case when referred then {monthly_counts.ACTIVE_USERS} else 0 end as active_users,
    case when referred then {monthly_counts.NEW_USERS} else 0 end as new_users,
    (select e.value from review.evidence as e
     where e.application_id = span.application_id and e.kind = 'x_followers'
       and e.observed_at >= (after - 1 - :valid_days)::timestamp at time zone 'UTC'
       and e.observed_at < after::timestamp at time zone 'UTC'
     order by e.observed_at desc, e.evidence_id desc limit 1) as x_followers,
    (select sum(value) from (
        select distinct on (e.exchange_key) e.value from review.evidence as e
        where e.application_id = span.application_id and e.kind = 'external_volume'
          and e.observed_at >= (after - 1 - :valid_days)::timestamp at time zone 'UTC'
          and e.observed_at < after::timestamp at time zone 'UTC'
        order by e.exchange_key, e.observed_at desc, e.evidence_id desc) as newest
    ) as external_volume_usd,
    missing_days,
    (select seen.volume_usd from review.affiliate_outcomes as seen
     where seen.decision_id = span.decision_id and seen.horizon_days = 0) as before_usd
from span offset 0
"""  # noqa: S608 - pieces of our own

KEPT = (
    "decision_id",
    "horizon_days",
    "account_id",
    "window_start",
    "window_end",
    "volume_usd",
    "active_users",
    "new_users",
    "missing_days",
    "outcome",
    "fell_to",
)
NO_LONGER = """
delete from review.affiliate_outcomes
where decision_id not in (select decision_id from ({approvals}) as standing)
returning decision_id
"""
# Figures in the decision's snapshot, once per affiliate.
AT_APPLICATION_ROWS = """
insert into review.affiliate_outcomes
    (decision_id, horizon_days, account_id, window_start, window_end,
     volume_usd, active_users, new_users, outcome)
select d.decision_id, 0, standing.account_id,
       (d.snapshot -> 'window' ->> 'start')::date,
       (d.snapshot -> 'window' ->> 'end')::date + 1,
       seen.volume_usd, seen.active_users, seen.new_users,
       coalesce(d.snapshot ->> 'outcome', 'unknown')
from (select * from ({approvals}) as kept
      where decision_id not in (
          select decision_id from review.affiliate_outcomes where horizon_days = 0) offset 0
) as standing join review.decisions as d using (decision_id)
cross join lateral (
    select max((c ->> 'value')::numeric) filter (where c ->> 'key' = 'volume_usd') as volume_usd,
           max((c ->> 'value')::int) filter (where c ->> 'key' = 'active_users') as active_users,
           max((c ->> 'value')::int) filter (where c ->> 'key' = 'new_users') as new_users
    from jsonb_array_elements(coalesce(d.snapshot -> 'criteria', '[]'::jsonb)) as c
    where c ->> 'key' in ('volume_usd', 'active_users', 'new_users')
) as seen
returning decision_id
"""


def update(connection: Connection, done: Refreshed) -> None:
    """Bring the outcomes up to the refresh's days; safe to repeat. Needs `approved.KEPT`."""
    oldest = months_later(month_start(done.through), -COHORTS)
    connection.execute(monthly_counts.SETTINGS)
    recent = approved.kept_since(day_start(oldest))
    gone = connection.execute(text(NO_LONGER.format(approvals=recent))).scalars().all()
    new = connection.execute(text(AT_APPLICATION_ROWS.format(approvals=recent))).scalars().all()
    connection.execute(text("drop table if exists pg_temp.outcomes_due"))
    connection.execute(text(DUE_TABLE))
    connection.execute(
        text(DUE.format(approvals=recent)),
        {
            "horizons": list(HORIZONS),
            "through": done.through,
            "start": done.start,
            "new": new,
            "delivered": list(delivered.read(connection).days),
        },
    )
    versions = text("select distinct policy_version from pg_temp.outcomes_due order by 1")
    for version in connection.execute(versions).scalars().all():
        _measure(connection, policies.version(connection, version))
    due = connection.execute(text("select distinct decision_id from pg_temp.outcomes_due"))
    outcome_sums.count(connection, oldest, {*gone, *new, *due.scalars()})


def _measure(connection: Connection, policy: Policy) -> None:
    given = {
        "version": policy.version,
        "valid_days": policy.evidence_valid_days,
        **monthly_counts.words(policy),
    }
    keys = (VOLUME.key, ACTIVE_USERS.key, NEW_USERS.key, X_FOLLOWERS.key, EXTERNAL_VOLUME.key)
    measured = (
        text(MEASURED)
        .bindparams(*(bindparam(name, value) for name, value in given.items()))
        .columns(
            *(table.c[name] for name in KEPT[:5]),
            *(tables.requalifications.c[key] for key in keys),
            table.c.missing_days,
            table.c.volume_usd.label("before_usd"),
        )
        .subquery("measured")
    )
    missing = measured.c.missing_days
    known = delivered.known_values(
        {key: measured.c[key] for key in keys}, policy, missing=missing, days=literal(TRAILING_DAYS)
    )
    judged = judging.outcome_word(judging.whole_truth(known, policy))
    # Lower bounds are not compared, so incomplete figures are NULL.
    whole = {key: case((missing == 0, measured.c[key])) for key in METRIC_TYPES}
    values = {**measured.c, **whole, "outcome": judged, "fell_to": _fell_to(measured.c)}
    new = insert(table).from_select(
        [table.c[name] for name in KEPT], select(*(values[name].label(name) for name in KEPT))
    )
    connection.execute(
        new.on_conflict_do_update(
            index_elements=[table.c.decision_id, table.c.horizon_days],
            set_={name: new.excluded[name] for name in KEPT[2:]},
        )
    )


def _fell_to(measured: ReadOnlyColumnCollection[str, Any]) -> ColumnElement[Any]:
    """Return which share was left by days 31 to 60, if a half at most."""
    halved = max(step.at_most for step in COLLAPSES)
    before, later = measured.before_usd, measured.volume_usd
    fell = and_(
        measured.horizon_days == COLLAPSE_HORIZON,
        measured.missing_days == 0,
        before > 0,
        later <= halved * before,
    )
    return case((fell, later / before))


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """A group of approvals at one horizon. Money in USD.

    ``affiliates`` have reached the horizon; for ``delivered`` of them every day was delivered. The
    sums on both sides are over the ``compared`` ones, whose figures at application are known too.
    ``met`` of ``judged`` still qualify. Of the ``trading`` ones, with volume at application,
    ``halved`` and ``collapsed`` are by days 31 to 60; a collapse counts as both.
    """

    group: str
    horizon: int
    affiliates: int
    delivered: int
    compared: int
    trading: int
    volume_before: Decimal
    volume: Decimal
    active_before: int
    active: int
    new_before: int
    new: int
    met: int
    judged: int
    halved: int
    collapsed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """The approvals of one month; ``at`` holds only complete horizons.

    The figures are those at application, of the approvals for which they are known.
    """

    month: date
    affiliates: int
    volume_usd: Decimal
    active_users: int
    new_users: int
    at: Mapping[int, Turned]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallen:
    """An approval whose volume of days 31 to 60 fell to half of that at application or less."""

    application_id: int
    username: str
    approved_at: datetime
    decided_by: str
    is_override: bool
    before_usd: Decimal
    later_usd: Decimal

    @property
    def collapse(self) -> Collapse | None:
        """How far it fell."""
        return collapse(self.before_usd, self.later_usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """Outcomes of approvals: by month, newest first, by override, and by reviewer.

    A month has its complete horizons; a reviewer those with enough approvals.
    """

    cohorts: list[Cohort]
    by_override: list[Turned]
    by_reviewer: list[Turned]


def outcomes(connection: Connection, *, data_through: date) -> Outcomes:
    """Return the current outcomes of the last months' approvals."""
    oldest = months_later(month_start(data_through), 1 - COHORTS)
    rows = outcome_sums.read(connection, first=oldest, through=data_through)
    later = [row for row in rows if row.horizon_days > 0]
    months = {row.month: [t for t in later if t.month == row.month] for row in rows if row.month}
    return Outcomes(
        cohorts=[
            Cohort(
                month=row.month,
                affiliates=row.affiliates,
                volume_usd=row.volume_before,
                active_users=row.active_before,
                new_users=row.new_before,
                at={t.horizon_days: _turned(f"{t.month:%Y-%m}", t) for t in months[row.month]},
            )
            for row in rows
            if row.month and row.horizon_days == 0
        ],
        by_override=[
            _turned("override" if row.is_override else "not an override", row)
            for row in later
            if row.is_override is not None
        ],
        by_reviewer=[
            _turned(row.decided_by, row)
            for row in later
            if row.decided_by and row.affiliates >= LEAST_PER_REVIEWER
        ],
    )


def _turned(group: str, row: Row[Any]) -> Turned:
    return Turned(group=group, horizon=row.horizon_days, **{key: row._mapping[key] for key in SUMS})


FELL = """
select later.decision_id, later.account_id, before.volume_usd as before_usd,
       later.volume_usd as later_usd
from review.affiliate_outcomes as later
join review.affiliate_outcomes as before
    on before.decision_id = later.decision_id and before.horizon_days = 0
where later.fell_to is not null and later.window_end between :first and :after
order by later.fell_to, later.decision_id limit :most
"""


def fallen(connection: Connection, *, data_through: date, most: int) -> list[Fallen]:
    """Return the approvals that fell most by days 31 to 60, deepest first."""
    limit = 2 * most
    while True:
        oldest = months_later(month_start(data_through), 1 - COHORTS)
        given = {
            "first": window_of(oldest, COLLAPSE_HORIZON).end,
            "after": data_through + ONE_DAY,
            "most": limit,
        }
        fell = connection.execute(text(FELL), given).all()
        found = _still_standing(connection, fell)
        # Few have lost their approval since they were measured; if many have, read more.
        if len(found) >= most or len(fell) < limit:
            return found[:most]
        limit *= 4


def _decided_by() -> ColumnElement[str]:
    return person(tables.current_decisions.c.decided_by).label("decided_by")


def _still_standing(connection: Connection, fell: Sequence[Row[Any]]) -> list[Fallen]:
    application, account, decision = (
        tables.applications,
        tables.accounts,
        tables.current_decisions.c,
    )
    standing = (
        approved.current_approvals(_decided_by(), decision.is_override)
        .where(application.c.account_id.in_([one.account_id for one in fell]))
        .subquery("standing")
    )
    rows = connection.execute(
        select(standing, account.c.username).join(
            account, account.c.account_id == standing.c.account_id
        )
    )
    by_decision = {row.decision_id: row for row in rows}
    return [
        Fallen(
            application_id=row.application_id,
            username=row.username,
            approved_at=row.approved_at,
            decided_by=row.decided_by,
            is_override=row.is_override,
            before_usd=one.before_usd,
            later_usd=one.later_usd,
        )
        for one in fell
        if (row := by_decision.get(one.decision_id)) is not None
    ]
