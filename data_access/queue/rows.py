"""The rows that a list shows: facts, judgment, desk state and priority of given applications."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache, lru_cache

from sqlalchemy import Connection, RowMapping

from data_access.applications.read import DESK, Desk, desk_of
from data_access.eligibility.judging import JudgingContext
from data_access.queue import priority_sql, standings
from data_access.queue.open_list import Statement
from data_access.risk import judged_risk
from program.periods import month_start, months_later, recent_months
from program.policy.criteria import CRITERIA
from program.policy.eligibility import Assessment, Facts, assess
from program.policy.robust import Robust
from program.review import business_time, priority
from program.review.priority import Clock, Priority
from program.review.workflow import Status
from program.risk.judging import Headline

SPARKLINE_MONTHS = 6
YET_TO_BEGIN = priority_sql.JUST_AFTER


class EvidenceState(StrEnum):
    """The state shown in the evidence column."""

    NONE = "none"
    CURRENT = "current"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """One pending application as the queue shows it. ``months`` ends with T's month, USD.

    ``duplicate`` is whether another account applied under the same handle or contact.
    """

    application_id: int
    account_id: int
    username: str
    country_code: str | None
    social_platform: str
    social_handle: str
    submitted_at: datetime
    status_changed_at: datetime | None
    facts: Facts
    assessment: Assessment
    months: tuple[Decimal, ...]
    evidence: EvidenceState
    status: Status
    desk: Desk
    risk: Headline
    robust: Robust | None
    duplicate: bool
    rejected_before: bool
    priority: Priority
    due_at: datetime


# Whether another account has an application with the same handle, or contact.
DUPLICATE = """exists (
        select from exchange.applications as other
        where other.account_id <> application.account_id and standing.search_keys[{place}] <> ''
            and review.identity_key(other.{kind}_platform, other.{kind}_handle) collate "C"
                = standing.search_keys[{place}])"""
COMPUTED = """review.standing_rows(
    wanted.ids, wanted.policy, %(covered_until)s, %(evidence_from)s, %(now)s)"""
# ``{ids}`` are the applications, in the order of the rows.
ROWS = f"""
with {{computed}} wanted as materialized (
    select array({{ids}}) as ids,
        jsonb_populate_record(null::review.policies, %(policy)s::jsonb) as policy
)
select application.application_id, application.account_id, account.username, account.country_code,
    application.social_platform, application.social_handle, application.submitted_at,
    application.status_changed_at,
    case when application.status <> 'pending' then application.status
         when desk.status = 'deferred' and desk.deferred_until <= %(now)s then 'pending'
         else coalesce(desk.status, 'pending') end as status,
    {", ".join(f"desk.{name}" for name in DESK)},
    standing.risk_level, standing.risk_score, standing.risk_signals,
    {", ".join(f"standing.robust_{name}" for name in judged_risk.COUNTS)},
    {DUPLICATE.format(place=1, kind="social")}
        or {DUPLICATE.format(place=2, kind="contact")} as duplicate,
    exists (
        select from exchange.applications as earlier
        where earlier.account_id = application.account_id and earlier.status = 'rejected'
            and earlier.submitted_at < application.submitted_at) as rejected_before,
    standing.has_evidence, {", ".join(f"standing.{one.key}" for one in CRITERIA)},
    (select jsonb_object_agg(month, volume_usd::text) from review.affiliate_monthly
     where affiliate_account_id = application.account_id and month >= %(first_month)s) as months,
    (select min(day) from review.segment_daily
     where dimension = 'program'
       and (trade_count > 0 or volume_usd > 0 or fees_usd <> 0)) as data_begin
from wanted
cross join unnest(wanted.ids) with ordinality as place (application_id, number)
join {{standings}} as standing using (application_id)
join exchange.applications as application using (application_id)
join exchange.accounts as account on account.account_id = application.account_id
left join review.desk as desk using (application_id)
order by place.number
"""  # noqa: S608 - names of columns


def of_ids(connection: Connection, ids: Sequence[int], context: JudgingContext) -> list[QueueRow]:
    """Return the rows of these applications, in the given order; of any status."""
    if not ids:
        return []
    given = Statement("select unnest(%(ids)s::bigint[])", "", {"ids": list(ids)})
    return _read(connection, given, context, COMPUTED)


def of_open(connection: Connection, ids: Statement, context: JudgingContext) -> list[QueueRow]:
    """Return the rows of the open applications that ``ids`` selects, in its order."""
    kept = standings.source(context) is standings.KEPT
    return _read(connection, ids, context, standings.KEPT.name if kept else COMPUTED)


def _read(
    connection: Connection, ids: Statement, context: JudgingContext, source: str
) -> list[QueueRow]:
    given = {**ids.values, **standings.values(context), "first_month": _first_month(context)}
    found = Statement(_rows(ids.text, ids.computed, source), "", given).run(connection)
    return [_row(row, context) for row in found.mappings()]


@cache
def _rows(ids: str, computed: str, source: str) -> str:
    return ROWS.format(ids=ids, computed=f"{computed}," if computed else "", standings=source)


def _first_month(context: JudgingContext) -> date | None:
    if context.freshness is None:
        return None
    return months_later(month_start(context.freshness.data_through), 1 - SPARKLINE_MONTHS)


# Everybody's lists begin with the same rows.
_assess = lru_cache(maxsize=2_048)(assess)


def _row(row: RowMapping, context: JudgingContext) -> QueueRow:
    found = Facts(**{criterion.key: row[criterion.key] for criterion in CRITERIA})
    current = found.x_followers is not None or found.external_volume_usd is not None
    recorded = EvidenceState.EXPIRED if row["has_evidence"] else EvidenceState.NONE
    judged_now = _assess(found, context.policy)
    desk, risk = desk_of(row), judged_risk.headline_of(row)
    return QueueRow(
        application_id=row["application_id"],
        account_id=row["account_id"],
        username=row["username"],
        country_code=row["country_code"],
        social_platform=row["social_platform"],
        social_handle=row["social_handle"],
        submitted_at=row["submitted_at"],
        status_changed_at=row["status_changed_at"],
        facts=found,
        assessment=judged_now,
        months=_months(row["months"], row["data_begin"], context),
        evidence=EvidenceState.CURRENT if current else recorded,
        status=Status(row["status"]),
        desk=desk,
        risk=risk,
        robust=judged_risk.robust_of(row),
        duplicate=row["duplicate"],
        rejected_before=row["rejected_before"],
        priority=priority_of(found, judged_now, desk, context, risk),
        due_at=due_at(desk, context),
    )


def priority_of(
    facts: Facts, judged_now: Assessment, desk: Desk, context: JudgingContext, risk: Headline
) -> Priority:
    """Return the priority with its parts in words; same points as the order in SQL.

    While the applicant owes information, the clock is stopped and adds nothing.
    """
    paused = desk.paused_at is not None
    return priority.explain(
        facts,
        judged_now,
        policy=context.policy,
        clock=Clock(
            since=context.now + YET_TO_BEGIN if paused else desk.clock_from,
            now=context.now,
            holidays=context.holidays,
        ),
        answered=desk.answered_at is not None,
        risk=risk,
    )


def due_at(desk: Desk, context: JudgingContext) -> datetime:
    """Return when the review is due; if the applicant owes information, as if answered now."""
    start = desk.clock_from
    if desk.paused_at is not None:
        start = business_time.resume(start, desk.paused_at, context.now, context.holidays)
    return business_time.due_at(start, context.policy.review_sla_business_days, context.holidays)


def _months(
    found: dict[str, str] | None, begin: date | None, context: JudgingContext
) -> tuple[Decimal, ...]:
    """Return the volumes of the last months; months before the first delivered day are left out."""
    if context.freshness is None:
        return ()
    volumes = found or {}
    months = _month_keys(context.freshness.data_through, begin)
    return tuple(Decimal(volumes.get(month, "0")) for month in months)


@lru_cache(maxsize=16)
def _month_keys(through: date, begin: date | None) -> tuple[str, ...]:
    months = recent_months(month_start(through), SPARKLINE_MONTHS, begin)
    return tuple(month.isoformat() for month in months)
