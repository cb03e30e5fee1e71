"""The requalification board: approved affiliates, their standing, and what the tests suggest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    FromClause,
    Select,
    Subquery,
    and_,
    case,
    cast,
    exists,
    func,
    null,
    select,
    text,
)
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from data_access.applications import searching
from data_access.db import tables
from program.affiliates import requalification
from program.affiliates.filters import ANY, PAGE_SIZE, UNTESTED, BoardFilters
from program.affiliates.requalification import MonthTest, Standing, Step, SuggestedRate
from program.policy.eligibility import Facts
from program.policy.outcomes import Outcome
from program.policy.policy import Policy
from program.review.workflow import Status

MONTHS_SHOWN = 6
CHANGED = ("since", "changed_by", "reason_code", "reason", "count_from")
# For pages beyond this row, all affiliates are checked for a current approval.
FIRST = 1_000
# How many of the first may have lost their approval since the refresh.
CHANGED_SINCE = 50
# Steps in the order of the board.
URGENCY = (Step.SUSPEND, Step.PUT_ON_NOTICE, Step.RESTORE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Affiliate:
    """An approved affiliate. ``tests`` are the newest months, oldest first.

    ``since``, ``changed_by`` and ``reason`` describe the last change, ``None`` and "" without one.
    ``misses`` are in a row. ``counted_from`` is the first month whose miss counts.
    """

    account_id: int
    application_id: int
    username: str
    country_code: str | None
    approved_at: datetime
    rebate_rate: Decimal
    standing: Standing
    since: datetime | None
    changed_by: str | None
    reason_code: str | None
    reason: str
    misses: int
    counted_from: date
    tests: tuple[MonthTest, ...]
    suggestion: Step | None
    suggested_rate: SuggestedRate

    @property
    def newest(self) -> MonthTest | None:
        """The newest tested month; ``None`` before the first."""
        return self.tests[-1] if self.tests else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Counts over the whole board, regardless of filters."""

    total: int
    by_standing: Mapping[Standing, int]
    by_suggestion: Mapping[Step, int]
    by_month: Mapping[str, int]
    near: int


def counts(connection: Connection, policy: Policy) -> Counts:
    """Count the board by standing, suggestion and newest month, in one query."""
    tested = tables.affiliate_tested.c
    rows = connection.execute(
        select(
            _standing().label("standing"),
            _suggestion(policy).label("suggestion"),
            func.coalesce(tested.outcome, UNTESTED).label("month"),
            tested.near,
            func.count().label("number"),
        )
        .select_from(_board())
        .where(_still_approved())
        .group_by(text("1, 2, 3, 4"))
    ).all()

    def number(name: str, value: object) -> int:
        return sum(row.number for row in rows if getattr(row, name) == value)

    return Counts(
        total=sum(row.number for row in rows),
        by_standing={standing: number("standing", standing) for standing in Standing},
        by_suggestion={step: number("suggestion", step) for step in URGENCY},
        by_month={month: number("month", month) for month in (*map(str, Outcome), UNTESTED)},
        near=sum(row.number for row in rows if row.near),
    )


def count(connection: Connection, filters: BoardFilters, policy: Policy) -> int:
    """Return how many affiliates match the filters."""
    matching = _matching(filters, policy).order_by(None).subquery()
    return connection.execute(select(func.count()).select_from(matching)).scalar_one()


def page(
    connection: Connection, filters: BoardFilters, policy: Policy, *, size: int = PAGE_SIZE
) -> list[Affiliate]:
    """Return the affiliates of the filters' page, most urgent first."""
    before, after = (filters.page - 1) * size, filters.page * size
    ids = _first(connection, filters, policy, after) if after <= FIRST else None
    if ids is None:
        wanted = _matching(filters, policy).offset(before).limit(size)
        ids, before = list(connection.execute(wanted).scalars()), 0
    return rows(connection, ids[before:][:size], policy)


def _first(
    connection: Connection, filters: BoardFilters, policy: Policy, number: int
) -> list[int] | None:
    """Return the first ``number`` that match, or all if they are fewer.

    Only the first ones are checked for a current approval, since few have lost it; returns ``None``
    if too many have.
    """
    limit = number + CHANGED_SINCE
    listed = _matching(filters, policy, _not_superseded()).limit(limit)
    ids = list(connection.execute(listed).scalars())
    application = tables.applications.c
    approved = set(
        connection.execute(
            select(application.application_id).where(
                application.application_id.in_(ids), application.status == str(Status.APPROVED)
            )
        ).scalars()
    )
    found = [id_ for id_ in ids if id_ in approved]
    return found[:number] if len(found) >= number or len(ids) < limit else None


def shown(
    connection: Connection, filters: BoardFilters, policy: Policy, *, most: int
) -> dict[int, Standing]:
    """Return the standing of all that match, by application, in order; at most ``most``."""
    wanted = _matching(filters, policy).limit(most)
    return {id_: Standing(standing) for id_, standing in connection.execute(wanted)}


def rows(connection: Connection, ids: Sequence[int], policy: Policy) -> list[Affiliate]:
    """Return the affiliates with these approved applications, in the given order."""
    if not ids:
        return []
    tested, account, standing, decision = (
        tables.affiliate_tested,
        tables.accounts,
        tables.affiliate_standings,
        tables.decisions,
    )
    found = connection.execute(
        select(
            *(tested.c[name] for name in ("account_id", "application_id", "approved_at")),
            account.c.username,
            account.c.country_code,
            decision.c.rebate_rate,
            _standing().label("standing"),
            *(case((_of_this_approval(), standing.c[name])).label(name) for name in CHANGED),
            _misses(policy).label("misses"),
        )
        .select_from(
            _board()
            .join(account, account.c.account_id == tested.c.account_id)
            .join(decision, decision.c.decision_id == tested.c.decision_id)
        )
        .where(tested.c.application_id.in_(ids), _still_approved())
    ).mappings()
    by_id = {row["application_id"]: dict(row) for row in found}
    tests = _tests(connection, [row["account_id"] for row in by_id.values()])
    return [
        _affiliate(by_id[id_], tests.get(by_id[id_]["account_id"], []), policy)
        for id_ in ids
        if id_ in by_id
    ]


def of_application(connection: Connection, application_id: int, policy: Policy) -> Affiliate | None:
    """Return the affiliate with its newest approval on this application, or ``None``."""
    found = rows(connection, [application_id], policy)
    return found[0] if found else None


def _affiliate(row: dict[str, Any], tests: list[MonthTest], policy: Policy) -> Affiliate:
    tests = [
        test for test in tests if test.month >= requalification.first_tested(row["approved_at"])
    ]
    newest = tests[-1] if tests else None
    standing, count_from = Standing(row["standing"]), row.pop("count_from")
    return Affiliate(
        **{**row, "standing": standing, "reason": row["reason"] or ""},
        counted_from=requalification.first_counted(row["approved_at"], policy, count_from),
        tests=tuple(tests),
        suggestion=requalification.suggestion(
            standing,
            since=row["since"],
            misses=row["misses"],
            newest=newest.outcome if newest else None,
            newest_month=newest.month if newest else None,
            policy=policy,
        ),
        suggested_rate=requalification.suggested_rate(
            row["rebate_rate"], newest, misses=row["misses"], policy=policy
        ),
    )


def _tests(connection: Connection, accounts: list[int]) -> dict[int, list[MonthTest]]:
    """Return the newest months of each, oldest first, each with its current result."""
    table = tables.requalifications
    later = table.alias("later")
    newest_first = func.row_number().over(
        partition_by=table.c.account_id, order_by=table.c.month.desc()
    )
    ranked = (
        select(table, newest_first.label("place"))
        .where(
            table.c.account_id.in_(accounts),
            ~exists().where(later.c.supersedes == table.c.requalification_id),
        )
        .subquery()
    )
    found = connection.execute(
        select(ranked).where(ranked.c.place <= MONTHS_SHOWN).order_by(ranked.c.month)
    )
    tests: dict[int, list[MonthTest]] = {}
    for row in found:
        tests.setdefault(row.account_id, []).append(
            MonthTest(
                month=row.month,
                outcome=Outcome(row.outcome),
                facts=Facts(
                    volume_usd=row.volume_usd,
                    active_users=row.active_users,
                    new_users=row.new_users,
                    x_followers=None if row.x_followers is None else int(row.x_followers),
                    external_volume_usd=row.external_volume_usd,
                ),
                near=row.near,
                policy_version=row.policy_version,
                missing_days=row.missing_days,
            )
        )
    return tests


# The board as SQL. A test compares suggestions with `program.affiliates.requalification`.


def _board() -> FromClause:
    tested, standing = tables.affiliate_tested, tables.affiliate_standings
    return tested.outerjoin(standing, standing.c.account_id == tested.c.account_id)


def _still_approved() -> ColumnElement[bool]:
    """Return whether the approval is current: not reopened, withdrawn or superseded since."""
    tested, application = tables.affiliate_tested, tables.applications
    return and_(
        _not_superseded(),
        exists().where(
            application.c.application_id == tested.c.application_id,
            application.c.status == str(Status.APPROVED),
        ),
    )


def _not_superseded() -> ColumnElement[bool]:
    # As a list, since few decisions are superseded: an in-memory lookup per affiliate.
    later = tables.decisions.c.supersedes
    return tables.affiliate_tested.c.decision_id.not_in(select(later).where(later.is_not(None)))


def _of_this_approval() -> ColumnElement[bool]:
    """Return whether the standing is of this approval; a later approval starts as active."""
    return tables.affiliate_standings.c.since >= tables.affiliate_tested.c.approved_at


def _standing() -> ColumnElement[str]:
    moved = case((_of_this_approval(), tables.affiliate_standings.c.status))
    return func.coalesce(moved, str(Standing.ACTIVE))


def _misses(policy: Policy) -> ColumnElement[int]:
    """Return misses in a row since the first month that counts by policy and last reset."""
    tested, standing = tables.affiliate_tested.c, tables.affiliate_standings.c
    # As in `program.affiliates.requalification.first_counted`.
    approved = func.date_trunc("month", func.timezone("UTC", tested.approved_at))
    protected = approved + func.make_interval(0, policy.requalification_protection_months + 1)
    counted_from = func.greatest(cast(protected, Date), standing.count_from)
    before = cast(counted_from - text("interval '1 day'"), Date)
    missed = func.cardinality(tested.missed)
    # Most have missed none and need no date arithmetic.
    return case((missed == 0, 0), else_=missed - func.width_bucket(before, tested.missed))


def _suggestion(policy: Policy) -> ColumnElement[str | None]:
    tested, since = tables.affiliate_tested.c, tables.affiliate_standings.c.since
    status, misses = _standing(), _misses(policy)
    ended = func.timezone("UTC", cast(tested.month, Date) + text("interval '1 month'"))
    back = and_(
        status.in_([str(Standing.ON_NOTICE), str(Standing.SUSPENDED)]),
        tested.outcome == str(Outcome.MET),
        ended > since,
    )
    return case(
        (status == str(Standing.TERMINATED), null()),
        (
            misses >= policy.requalification_misses,
            case((status != str(Standing.SUSPENDED), str(Step.SUSPEND))),
        ),
        (misses > 0, case((status == str(Standing.ACTIVE), str(Step.PUT_ON_NOTICE)))),
        (back, str(Step.RESTORE)),
    )


def _judged(policy: Policy, stands: ColumnElement[bool] | None) -> Subquery:
    """Return every affiliate of the board with its standing, misses and suggestion.

    OFFSET 0 makes the planner look approvals up together, before sorting.
    """
    tested = tables.affiliate_tested.c
    kept = ("application_id", "account_id", "outcome", "near", "volume_usd")
    return (
        select(
            *(tested[name] for name in kept),
            _standing().label("standing"),
            _misses(policy).label("misses"),
            _suggestion(policy).label("suggestion"),
        )
        .select_from(_board())
        .where(_still_approved() if stands is None else stands)
        .offset(0 if stands is None else None)
        .subquery("judged")
    )


def _matching(
    filters: BoardFilters, policy: Policy, stands: ColumnElement[bool] | None = None
) -> Select[Any]:
    """Return application and standing of those that match, most urgent first.

    ``stands`` replaces the check for a current approval.
    """
    judged = _judged(policy, stands).c
    urgency = case({str(step): n for n, step in enumerate(URGENCY)}, value=judged.suggestion)
    return (
        select(judged.application_id, judged.standing)
        .where(*_conditions(filters, judged))
        .order_by(
            urgency.asc().nulls_last(),
            judged.misses.desc(),
            judged.near.desc(),
            judged.volume_usd.desc().nulls_last(),
            judged.application_id,
        )
    )


def _conditions(
    filters: BoardFilters, judged: ReadOnlyColumnCollection[str, Any]
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.standing is not None:
        found.append(judged.standing == str(filters.standing))
    if filters.suggested == ANY:
        found.append(judged.suggestion.is_not(None))
    elif filters.suggested is not None:
        found.append(judged.suggestion == filters.suggested)
    if filters.month == UNTESTED:
        found.append(judged.outcome.is_(None))
    elif filters.month is not None:
        found.append(judged.outcome == filters.month)
    if filters.near:
        found.append(judged.near)
    if filters.search:
        found.append(judged.account_id.in_(searching.accounts(filters.search)))
    return found
