"""How cohorts of approvals turned out: written by the refresh, read by month and by reviewer.

An affiliate's users are its own, since a referred account has one affiliate, so distinct users
add up over affiliates. Over days they do not: they are counted from the raw activity, each
approval's 30 days once, when they are complete.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Connection, bindparam, select, text
from sqlalchemy.dialects.postgresql import insert

from data_access import affiliates_counted, approvals, policies, standings, tables
from data_access.affiliates_monthly import Refreshed
from data_access.tables import affiliate_outcomes as table
from program.criteria import ACTIVE_USERS, EXTERNAL_VOLUME, NEW_USERS, VOLUME, X_FOLLOWERS
from program.outcome_loop import (
    COHORTS,
    COLLAPSE_HORIZON,
    COLLAPSES,
    HORIZONS,
    LEAST_PER_REVIEWER,
    Collapse,
    collapse,
)
from program.periods import day_start, month_start, months_later
from program.policy import Policy

# Every approved affiliate with each horizon whose last day is complete and whose days were
# computed anew, or all of them where it was not followed before; the day of the approval itself
# belongs to neither side.
DUE_TABLE = """
create temporary table outcomes_due (
    account_id bigint, application_id bigint, decision_id bigint, policy_version integer,
    horizon_days integer, first_day date, after date) on commit drop
"""
DUE = """
insert into pg_temp.outcomes_due
select account_id, standing.application_id, decision_id, policy_version, horizon_days,
       approved_on + 1 + horizon_days - 30 as first_day, approved_on + 1 + horizon_days as after
from (select *, (approved_at at time zone 'UTC')::date as approved_on
      from ({approvals}) as kept) as standing
cross join unnest(cast(:horizons as integer[])) as horizon_days
join review.decisions using (decision_id)
where approved_on + horizon_days <= :through
  and (approved_on + horizon_days >= :start or decision_id = any(:new))
"""
MEASURED = f"""
with span as (
    select * from pg_temp.outcomes_due where policy_version = :version
)
select decision_id, horizon_days, account_id, first_day as window_start, after as window_end,
    {affiliates_counted.VOLUME} as volume_usd,
    {affiliates_counted.ACTIVE_USERS} as active_users,
    {affiliates_counted.NEW_USERS} as new_users,
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
    ) as external_volume_usd
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
    "outcome",
)
NO_LONGER = """
delete from review.affiliate_outcomes
where decision_id not in (select decision_id from ({approvals}) as standing)
"""
# What the decision saw, once for each affiliate.
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


def follow(connection: Connection, done: Refreshed) -> None:
    """Bring the outcomes up to the refresh's days; safe to repeat. Needs `approvals.KEPT`."""
    oldest = months_later(month_start(done.through), -COHORTS)
    connection.execute(affiliates_counted.SETTINGS)
    recent = approvals.kept_since(day_start(oldest))
    connection.execute(text(NO_LONGER.format(approvals=recent)))
    new = connection.execute(text(AT_APPLICATION_ROWS.format(approvals=recent))).scalars().all()
    connection.execute(text("drop table if exists pg_temp.outcomes_due"))
    connection.execute(text(DUE_TABLE))
    connection.execute(
        text(DUE.format(approvals=recent)),
        {"horizons": list(HORIZONS), "through": done.through, "start": done.start, "new": new},
    )
    versions = text("select distinct policy_version from pg_temp.outcomes_due order by 1")
    for version in connection.execute(versions).scalars().all():
        _measure(connection, policies.version(connection, version))


def _measure(connection: Connection, policy: Policy) -> None:
    given = {
        "version": policy.version,
        "valid_days": policy.evidence_valid_days,
        **affiliates_counted.words(policy),
    }
    keys = (VOLUME.key, ACTIVE_USERS.key, NEW_USERS.key, X_FOLLOWERS.key, EXTERNAL_VOLUME.key)
    measured = (
        text(MEASURED)
        .bindparams(*(bindparam(name, value) for name, value in given.items()))
        .columns(
            *(table.c[name] for name in KEPT[:5]),
            *(tables.requalifications.c[key] for key in keys),
        )
        .subquery("measured")
    )
    truth = standings.whole_truth({key: measured.c[key] for key in keys}, policy)
    kept = [table.c[name] for name in KEPT]
    new = insert(table).from_select(
        kept,
        select(
            *(measured.c[name] for name in KEPT[:-1]),
            standings.outcome_word(truth).label("outcome"),
        ),
    )
    connection.execute(
        new.on_conflict_do_update(
            index_elements=[table.c.decision_id, table.c.horizon_days],
            set_={name: new.excluded[name] for name in KEPT[2:]},
        )
    )


# Reading.


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """How a group of approvals stood at one horizon. Money in USD.

    ``affiliates`` of them are long enough ago; the sums are over the ``compared`` ones, whose
    figures at application are known, on both sides. ``met`` of ``judged`` still qualified.
    Of the ``trading`` ones, which had volume at application, ``halved`` and ``collapsed``
    are by days 31 to 60, a collapse counting as both.
    """

    group: str
    horizon: int
    affiliates: int
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

    @property
    def volume_share(self) -> Decimal | None:
        """Volume against application as a fraction; ``None`` where there was none."""
        return self.volume / self.volume_before if self.volume_before else None

    @property
    def met_share(self) -> Decimal | None:
        """Still qualifying among those that could be judged; ``None`` where none could."""
        return Decimal(self.met) / self.judged if self.judged else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """The approvals of one month; ``at`` holds only the horizons that are complete.

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
    """An approval whose volume of days 31 to 60 fell to a half of that at application or less."""

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


GROUPED = """
with compared as (
    select {group} as group_name, later.*, before.volume_usd as volume_before,
           before.active_users as active_before, before.new_users as new_before
    from review.affiliate_outcomes as before
    join review.affiliate_outcomes as later on later.decision_id = before.decision_id
    join ({approvals}) as d on d.decision_id = before.decision_id
    where before.horizon_days = 0 and later.horizon_days > 0
      and (date_trunc('month', d.approved_at at time zone 'UTC') + interval '1 month')::date
          - 1 + later.horizon_days <= :through
)
select group_name as "group", horizon_days as horizon, count(*) as affiliates,
       count(volume_before) as compared,
       count(*) filter (where volume_before > 0) as trading,
       coalesce(sum(volume_before), 0) as volume_before,
       coalesce(sum(volume_usd) filter (where volume_before is not null), 0) as volume,
       coalesce(sum(active_before), 0) as active_before,
       coalesce(sum(active_users) filter (where active_before is not null), 0) as active,
       coalesce(sum(new_before), 0) as new_before,
       coalesce(sum(new_users) filter (where new_before is not null), 0) as new,
       count(*) filter (where outcome = 'met') as met,
       count(*) filter (where outcome <> 'unknown') as judged,
       count(*) filter (where horizon_days = :collapse_at and volume_before > 0
           and volume_usd <= :halved * volume_before) as halved,
       count(*) filter (where horizon_days = :collapse_at and volume_before > 0
           and volume_usd <= :collapsed * volume_before) as collapsed
from compared group by 1, 2 having count(*) >= :least order by 1, 2
"""
BY_MONTH = "to_char(d.approved_at at time zone 'UTC', 'YYYY-MM')"
BY_OVERRIDE = "case when d.is_override then 'override' else 'not an override' end"
BY_REVIEWER = "d.decided_by"
SIZES = """
select date_trunc('month', d.approved_at at time zone 'UTC')::date as month, count(*) as affiliates,
       coalesce(sum(seen.volume_usd), 0) as volume_usd,
       coalesce(sum(seen.active_users), 0) as active_users,
       coalesce(sum(seen.new_users), 0) as new_users
from ({approvals}) as d
left join review.affiliate_outcomes as seen
    on seen.decision_id = d.decision_id and seen.horizon_days = 0
group by 1 order by 1 desc
"""


def cohorts(connection: Connection, *, data_through: date) -> list[Cohort]:
    """The months of approval, newest first, each with the horizons that are complete."""
    turned = _grouped(connection, BY_MONTH, data_through)
    sizes = connection.execute(text(SIZES.format(approvals=_approvals(data_through))))
    return [
        Cohort(**row, at={t.horizon: t for t in turned if t.group == f"{row['month']:%Y-%m}"})
        for row in sizes.mappings()
    ]


def by_override(connection: Connection, *, data_through: date) -> list[Turned]:
    """Approvals against the computed eligibility beside the others."""
    return _grouped(connection, BY_OVERRIDE, data_through)


def by_reviewer(connection: Connection, *, data_through: date) -> list[Turned]:
    """Each reviewer's approvals, at horizons at which there are enough of them."""
    return _grouped(connection, BY_REVIEWER, data_through, least=LEAST_PER_REVIEWER)


FALLEN = """
select d.application_id, account.username, d.approved_at, d.decided_by,
       d.is_override, before.volume_usd as before_usd, later.volume_usd as later_usd
from review.affiliate_outcomes as before
join review.affiliate_outcomes as later on later.decision_id = before.decision_id
join ({approvals}) as d on d.decision_id = before.decision_id
join exchange.accounts as account on account.account_id = before.account_id
where before.horizon_days = 0 and later.horizon_days = :collapse_at
  and before.volume_usd > 0 and later.volume_usd <= :halved * before.volume_usd
  and (d.approved_at at time zone 'UTC')::date + later.horizon_days <= :through
order by later.volume_usd / before.volume_usd, d.application_id limit :most
"""


def fallen(connection: Connection, *, data_through: date, most: int) -> list[Fallen]:
    """The approvals that fell most by days 31 to 60, the deepest fall first."""
    rows = connection.execute(
        text(FALLEN.format(approvals=_approvals(data_through))),
        {
            "collapse_at": COLLAPSE_HORIZON,
            "halved": max(step.at_most for step in COLLAPSES),
            "through": data_through,
            "most": most,
        },
    ).mappings()
    return [Fallen(**row) for row in rows]


def _grouped(
    connection: Connection, group: str, data_through: date, *, least: int = 1
) -> list[Turned]:
    shares = {step.key: step.at_most for step in COLLAPSES}
    rows = connection.execute(
        text(GROUPED.format(group=group, approvals=_approvals(data_through))),
        {
            "through": data_through,
            "collapse_at": COLLAPSE_HORIZON,
            "least": least,
            **shares,
        },
    ).mappings()
    return [Turned(**row) for row in rows]


def _approvals(data_through: date) -> str:
    oldest = months_later(month_start(data_through), 1 - COHORTS)
    decision = tables.decisions.c
    return approvals.since(day_start(oldest), decision.decided_by, decision.is_override)
