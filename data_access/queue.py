"""The review queue: pending applications filtered, ordered, counted and paged in SQL.

A page is found in two steps. First the ids, touching only the tables that the filters and
the order ask about; then everything shown, for those fifty rows alone.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    exists,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)

from data_access import tables
from data_access.applications import possible_id
from data_access.standings import (
    METRIC_TYPES,
    Basis,
    judging,
    measured,
    metric,
    track_truth,
    uncovered,
    whole_truth,
    with_account,
)
from program.criteria import BOTH_TRACKS, TRACKS
from program.eligibility import Assessment, Facts, assess
from program.periods import month_start, months_later
from program.queue import PAGE_SIZE, Filters, Sort
from program.workflow import Status

SPARKLINE_MONTHS = 6
SORT_METRIC = {Sort.VOLUME: "volume_usd", Sort.ACTIVE: "active_users"}


class EvidenceState(StrEnum):
    """What stands in the evidence column."""

    NONE = "none"
    CURRENT = "current"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """One pending application as the queue shows it. ``months`` ends with T's month, USD."""

    application_id: int
    account_id: int
    username: str
    country_code: str | None
    social_platform: str
    social_handle: str
    submitted_at: datetime
    facts: Facts
    assessment: Assessment
    months: tuple[Decimal, ...]
    evidence: EvidenceState


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How the whole queue stands, whatever the filters."""

    total: int
    met: int
    not_met: int
    unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one application stands in a filtered queue; ``position`` counts from 1."""

    position: int | None
    total: int
    previous_id: int | None
    next_id: int | None


def counts(connection: Connection, ground: Basis) -> Counts:
    """Count the whole queue by eligibility."""
    found = judging(ground)
    truth = whole_truth(found.values, ground.policy)
    row = connection.execute(
        select(
            func.count().label("total"),
            func.count().filter(truth).label("met"),
            func.count().filter(~truth).label("not_met"),
        )
        .select_from(found.source)
        .where(tables.applications.c.status == Status.PENDING)
    ).one()
    return Counts(
        total=row.total,
        met=row.met,
        not_met=row.not_met,
        unknown=row.total - row.met - row.not_met,
    )


def count(connection: Connection, filters: Filters, ground: Basis) -> int:
    """How many pending applications the filters leave."""
    matching = _matching(filters.in_order(Sort.WAITING), ground).statement
    return connection.execute(
        matching.with_only_columns(func.count(), maintain_column_froms=True)
    ).scalar_one()


def page(
    connection: Connection, filters: Filters, ground: Basis, *, size: int = PAGE_SIZE
) -> list[QueueRow]:
    """The rows of the page the filters ask for, in order; empty past the end."""
    matching = _matching(filters, ground)
    ids = connection.execute(
        matching.statement.order_by(*matching.order).offset((filters.page - 1) * size).limit(size)
    ).scalars()
    return rows(connection, list(ids.all()), ground)


def rows(connection: Connection, ids: list[int], ground: Basis) -> list[QueueRow]:
    """The queue's rows for these applications, in the order given."""
    if not ids:
        return []
    judged_on = judging(ground, only=ids)
    application, account = tables.applications, tables.accounts
    recorded = exists().where(tables.evidence.c.application_id == application.c.application_id)
    found = connection.execute(
        select(
            application.c.application_id,
            application.c.account_id,
            account.c.username,
            account.c.country_code,
            application.c.social_platform,
            application.c.social_handle,
            application.c.submitted_at,
            recorded.label("recorded"),
            _recent_months(ground).label("months"),
            *(value.label(key) for key, value in judged_on.values.items()),
        )
        .select_from(with_account(judged_on.source))
        .where(application.c.application_id.in_(ids))
    ).mappings()
    by_id = {row["application_id"]: _row(dict(row), ground) for row in found}
    return [by_id[id_] for id_ in ids if id_ in by_id]


def place(connection: Connection, application_id: int, filters: Filters, ground: Basis) -> Place:
    """Find an application in the filtered queue, and its neighbours there.

    An application that the filters leave out has no position and no neighbours before it;
    the next is then the first of the queue, which is where work goes on.
    """
    matching = _matching(filters, ground)
    numbered = func.row_number().over(order_by=matching.order).label("position")
    ordered = matching.statement.add_columns(numbered).cte("ordered")
    here = select(ordered.c.position).where(ordered.c.application_id == application_id)
    position = here.scalar_subquery()
    near = func.coalesce(position, 0)
    found = connection.execute(
        select(
            select(func.count()).select_from(ordered).scalar_subquery().label("total"),
            position.label("position"),
            select(ordered.c.application_id)
            .where(ordered.c.position == near - 1)
            .scalar_subquery()
            .label("previous_id"),
            select(ordered.c.application_id)
            .where(ordered.c.position == near + 1)
            .scalar_subquery()
            .label("next_id"),
        )
    ).one()
    return Place(
        position=found.position,
        total=found.total,
        previous_id=found.previous_id,
        next_id=found.next_id,
    )


def countries(connection: Connection) -> list[str]:
    """The countries among pending applicants, for the filter's choices."""
    application, account = tables.applications, tables.accounts
    found = connection.execute(
        select(account.c.country_code)
        .join(application, application.c.account_id == account.c.account_id)
        .where(application.c.status == Status.PENDING, account.c.country_code.is_not(None))
        .distinct()
        .order_by(account.c.country_code)
    )
    return list(found.scalars())


def platforms(connection: Connection) -> list[str]:
    """The social platforms among pending applications, for the filter's choices."""
    table = tables.applications
    found = connection.execute(
        select(table.c.social_platform)
        .where(table.c.status == Status.PENDING)
        .distinct()
        .order_by(table.c.social_platform)
    )
    return list(found.scalars())


def filtered(
    filters: Filters, ground: Basis, *, pending_only: bool = True
) -> list[ColumnElement[bool]]:
    """The filters that need no judging, as conditions; shared by queue and export.

    A country needs the account joined.
    """
    application, account = tables.applications, tables.accounts
    conditions: list[ColumnElement[bool]] = []
    if filters.platform:
        conditions.append(application.c.social_platform == filters.platform)
    if filters.country:
        conditions.append(account.c.country_code == filters.country)
    if filters.waiting_days:
        since = ground.now - timedelta(days=filters.waiting_days)
        conditions.append(application.c.submitted_at <= since)
    if filters.search:
        conditions.append(application.c.application_id.in_(_search(filters.search, pending_only)))
    return conditions


def judged(
    filters: Filters, values: dict[str, ColumnElement[Any]], ground: Basis
) -> list[ColumnElement[bool]]:
    """The filters on eligibility and track as conditions over criterion values."""
    conditions: list[ColumnElement[bool]] = []
    if filters.eligibility:
        truth = whole_truth(values, ground.policy)
        conditions.append(or_(*(truth.is_(outcome.truth) for outcome in filters.eligibility)))
    if filters.track:
        truths = {t.key: track_truth(t, values, ground.policy) for t in TRACKS}
        if filters.track == BOTH_TRACKS:
            conditions.append(and_(*truths.values()))
        else:
            others = [t for key, t in truths.items() if key != filters.track]
            conditions += [truths[filters.track], *(other.is_not(True) for other in others)]
    return conditions


def ordering(sort: Sort, values: dict[str, ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    """The order asked for; ``values`` must hold the metric where the order is by one."""
    application = tables.applications
    if sort in SORT_METRIC:
        # An unknown is not a zero: it comes after every known value, never among them.
        largest = values[SORT_METRIC[sort]].desc().nulls_last()
        return [largest, application.c.application_id.asc()]
    if sort is Sort.SUBMITTED:
        return [application.c.submitted_at.desc(), application.c.application_id.desc()]
    return [application.c.submitted_at.asc(), application.c.application_id.asc()]


@dataclass(frozen=True, slots=True)
class _Matching:
    """Ids of the applications that match, and the order they are asked for in."""

    statement: Select[int]
    order: list[ColumnElement[Any]]


def _matching(filters: Filters, ground: Basis) -> _Matching:
    """Match with only those tables that filters and order ask about."""
    application = tables.applications
    conditions = [application.c.status == Status.PENDING, *filtered(filters, ground)]
    values: dict[str, ColumnElement[Any]] = {}
    source: FromClause = application
    if filters.eligibility or filters.track:
        found = judging(ground)
        source, values = found.source, found.values
        conditions += judged(filters, values, ground)
    elif filters.sort in SORT_METRIC:
        late = uncovered(ground)
        source, values = measured(late), {key: metric(key, late) for key in METRIC_TYPES}
    if filters.country:
        source = with_account(source)
    statement = select(application.c.application_id).select_from(source).where(*conditions)
    return _Matching(statement, ordering(filters.sort, values))


def _search(term: str, pending_only: bool) -> Select[Any]:
    """Ids of applications whose name, handle, contact or number matches ``term``."""
    application, account = tables.applications.alias("searched"), tables.accounts
    pending = application.c.status == Status.PENDING if pending_only else true()
    pattern = "%" + term.lstrip("@").translate(_LIKE_SIGNS) + "%"
    by_handle = select(application.c.application_id).where(
        pending,
        or_(
            application.c.social_handle.ilike(pattern, escape="\\"),
            application.c.contact_handle.ilike(pattern, escape="\\"),
        ),
    )
    by_name = (
        select(application.c.application_id)
        .join(account, account.c.account_id == application.c.account_id)
        .where(pending, account.c.username.ilike(pattern, escape="\\"))
    )
    branches = [by_handle, by_name]
    if (number := possible_id(term)) is not None:
        branches.append(
            select(application.c.application_id).where(
                pending,
                or_(application.c.application_id == number, application.c.account_id == number),
            )
        )
    return select(union_all(*branches).subquery("found").c.application_id)


_LIKE_SIGNS = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


def _recent_months(ground: Basis) -> ColumnElement[Any]:
    table = tables.affiliate_monthly
    if ground.freshness is None:
        return literal(None)
    first = months_later(month_start(ground.freshness.data_through), 1 - SPARKLINE_MONTHS)
    return (
        select(func.jsonb_object_agg(table.c.month, func.text(table.c.volume_usd)))
        .where(
            table.c.affiliate_account_id == tables.applications.c.account_id,
            table.c.month >= first,
        )
        .correlate(tables.applications)
        .scalar_subquery()
    )


def _row(row: dict[str, Any], ground: Basis) -> QueueRow:
    found = Facts(
        **{key: row[key] for key in METRIC_TYPES},
        x_followers=None if row["x_followers"] is None else int(row["x_followers"]),
        external_volume_usd=row["external_volume_usd"],
    )
    current = found.x_followers is not None or found.external_volume_usd is not None
    recorded = EvidenceState.EXPIRED if row["recorded"] else EvidenceState.NONE
    return QueueRow(
        application_id=row["application_id"],
        account_id=row["account_id"],
        username=row["username"],
        country_code=row["country_code"],
        social_platform=row["social_platform"],
        social_handle=row["social_handle"],
        submitted_at=row["submitted_at"],
        facts=found,
        assessment=assess(found, ground.policy),
        months=_months(row["months"], ground),
        evidence=EvidenceState.CURRENT if current else recorded,
    )


def _months(found: dict[str, str] | None, ground: Basis) -> tuple[Decimal, ...]:
    if ground.freshness is None:
        return ()
    last = month_start(ground.freshness.data_through)
    months = [months_later(last, back) for back in range(1 - SPARKLINE_MONTHS, 1)]
    return tuple(Decimal((found or {}).get(month.isoformat(), "0")) for month in months)
