"""The board as SQL: each affiliate with its standing, misses in a row, and suggested step.

A test compares suggestions with `program.affiliates.requalification`. The refresh stores how many
misses count by the policy then in force, and how many affiliates have so many. That holds for all
whose standing was never changed: they are read in the board's order, or as counts. The few others
are judged one by one, and so are all under a policy with another protection.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Date,
    FromClause,
    Select,
    Text,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    null,
    select,
    text,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from data_access.applications import searching
from data_access.db import tables
from program.affiliates.filters import ANY, UNTESTED, BoardFilters
from program.affiliates.requalification import Standing, Step
from program.policy.outcomes import Outcome
from program.policy.policy import Policy
from program.review.workflow import Status

# Steps in the order of the board.
URGENCY = (Step.SUSPEND, Step.PUT_ON_NOTICE, Step.RESTORE)
ORDERED_BY = ("application_id", "standing", "suggestion", "misses", "near", "volume_usd")
GROUPED_BY = ("standing", "suggestion", "month", "near")


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardState:
    """What the board is read with.

    ``counted`` is whether the stored misses count by the policy's protection. ``former`` are the
    accounts that have lost their approval since the refresh.
    """

    policy: Policy
    counted: bool
    former: tuple[int, ...]


def state(connection: Connection, policy: Policy) -> BoardState:
    """Read the state of the board under ``policy``."""
    stored, tested = tables.affiliate_counts.c, tables.affiliate_tested.c
    protection = policy.requalification_protection_months
    # As an array, so that each is looked up by index, however many the planner expects.
    noted = func.array(select(tables.uncounted.c.application_id).scalar_subquery())
    changed = tested.application_id == func.any(noted)
    former = select(func.array_agg(tested.account_id)).where(changed, ~still_approved())
    row = connection.execute(
        select(
            exists().where(stored.protection_months == protection).label("counted"),
            former.scalar_subquery().label("former"),
        )
    ).one()
    return BoardState(policy=policy, counted=row.counted, former=tuple(row.former or ()))


def counts(known: BoardState) -> Select[Any]:
    """Return how many have each standing, suggestion, result of the newest month, and nearness."""
    judged = _one_by_one(known).cte("judged").c
    month = func.coalesce(judged.outcome, UNTESTED)
    parts = [
        select(judged.standing, judged.suggestion, month.label("month"), judged.near, _number(1))
    ]
    if known.counted:
        active = literal(str(Standing.ACTIVE), Text)
        stored, tested = tables.affiliate_counts.c, tables.affiliate_tested.c
        parts += [
            # All as if no standing was ever changed, but neither those whose was, nor former ones.
            select(active, _step(known, stored), stored.outcome, stored.near, stored.number),
            select(active, judged.stored_step, month, judged.near, _number(-1)),
            select(
                active,
                _step(known, tested),
                func.coalesce(tested.outcome, UNTESTED),
                tested.near,
                _number(-1),
            ).where(_is_former(known)),
        ]
    every = union_all(*parts).subquery("every")
    keys = [every.c[name] for name in GROUPED_BY]
    number = func.sum(every.c.number)
    return select(*keys, number.label("number")).group_by(*keys).having(number != 0)


def matching(
    known: BoardState, filters: BoardFilters, *, first: int | None = None, skip: int = 0
) -> Select[Any]:
    """Return application and standing of those that match, most urgent first.

    Of the ``first`` so many, without the ``skip`` first; without a limit, all in any order.
    """
    judged = _one_by_one(known).subquery("judged").c
    wanted = _conditions(filters, judged)
    if filters.standing is not None:
        wanted.append(judged.standing == str(filters.standing))
    if filters.suggested is not None:
        other = judged.suggestion == filters.suggested
        wanted.append(judged.suggestion.is_not(None) if filters.suggested == ANY else other)
    parts = [select(*(judged[name] for name in ORDERED_BY)).where(*wanted)]
    if known.counted and filters.standing in (None, Standing.ACTIVE):
        stored = _as_stored(known, filters)
        if filters.month is not None:
            # The same for all, but the planner does not see that nulls are alike.
            stored = stored.order_by(tables.affiliate_tested.c.outcome)
        parts.append(_by_misses(stored).limit(first))
    every = union_all(*parts).subquery("every")
    found = select(every.c.application_id, every.c.standing)
    if first is None:
        return found
    urgency = case({str(step): n for n, step in enumerate(URGENCY)}, value=every.c.suggestion)
    return (
        _by_misses(found.order_by(urgency.asc().nulls_last()), every.c)
        .offset(skip)
        .limit(first - skip)
    )


def board() -> FromClause:
    """Return affiliates of the last refresh with their standing, if it was ever changed."""
    tested, moved = tables.affiliate_tested, tables.affiliate_standings
    return tested.outerjoin(moved, moved.c.account_id == tested.c.account_id)


def still_approved() -> ColumnElement[bool]:
    """Return whether the approval is current: not reopened, withdrawn or superseded since."""
    tested, application = tables.affiliate_tested.c, tables.applications.c
    later = tables.decisions.alias("later").c
    return and_(
        ~exists().where(later.supersedes == tested.decision_id),
        exists().where(
            application.application_id == tested.application_id,
            application.status == str(Status.APPROVED),
        ),
    )


def of_this_approval() -> ColumnElement[bool]:
    """Return whether the standing is of this approval; a later approval starts as active."""
    return tables.affiliate_standings.c.since >= tables.affiliate_tested.c.approved_at


def standing() -> ColumnElement[str]:
    """Return the standing; needs `board`."""
    moved = case((of_this_approval(), tables.affiliate_standings.c.status))
    return func.coalesce(moved, str(Standing.ACTIVE))


def misses(policy: Policy) -> ColumnElement[int]:
    """Return misses in a row since the first month that counts by policy; needs `board`."""
    return counted_misses(
        tables.affiliate_tested.c,
        policy.requalification_protection_months,
        tables.affiliate_standings.c.count_from,
    )


def counted_misses(
    tested: ReadOnlyColumnCollection[str, Any],
    protection_months: int,
    count_from: ColumnElement[Any] | None = None,
) -> ColumnElement[int]:
    """Return how many of the missed months count: after the protection, from ``count_from`` on."""
    # As in `program.affiliates.requalification.first_counted`.
    approved = func.date_trunc("month", func.timezone("UTC", tested.approved_at))
    protected = cast(approved + func.make_interval(0, protection_months + 1), Date)
    counted_from = protected if count_from is None else func.greatest(protected, count_from)
    before = cast(counted_from - text("interval '1 day'"), Date)
    missed = func.cardinality(tested.missed)
    # Most have missed none and need no date arithmetic.
    return case((missed == 0, 0), else_=missed - func.width_bucket(before, tested.missed))


def _one_by_one(known: BoardState) -> Select[Any]:
    """Return those who are judged by their own row: all, unless their misses are stored."""
    tested, moved = tables.affiliate_tested, tables.affiliate_standings
    source = board()
    if known.counted:
        source = tested.join(moved, moved.c.account_id == tested.c.account_id)
    shown = ("application_id", "account_id", "outcome", "near", "volume_usd")
    return (
        select(
            *(tested.c[name] for name in shown),
            standing().label("standing"),
            misses(known.policy).label("misses"),
            _suggestion(known.policy).label("suggestion"),
            _step(known, tested.c).label("stored_step"),
        )
        .select_from(source)
        .where(~_is_former(known))
    )


def _as_stored(known: BoardState, filters: BoardFilters) -> Select[Any]:
    """Return those who match and whose standing was never changed, as the refresh stored them."""
    tested, moved = tables.affiliate_tested.c, tables.affiliate_standings.c
    values = {
        **tested,
        "standing": literal(str(Standing.ACTIVE), Text).label("standing"),
        "suggestion": _step(known, tested).label("suggestion"),
    }
    enough = known.policy.requalification_misses
    suggested = {
        None: true(),
        ANY: tested.misses > 0,
        Step.SUSPEND: tested.misses >= enough,
        Step.PUT_ON_NOTICE: tested.misses.between(1, enough - 1),
        Step.RESTORE: false(),
    }[filters.suggested]
    return select(*(values[name] for name in ORDERED_BY)).where(
        ~exists().where(moved.account_id == tested.account_id),
        ~_is_former(known),
        suggested,
        *_conditions(filters, tested),
    )


def _number(of_each: int) -> ColumnElement[int]:
    return literal(of_each, BigInteger).label("number")


def _is_former(known: BoardState) -> ColumnElement[bool]:
    former = literal(list(known.former), ARRAY(BigInteger))
    return tables.affiliate_tested.c.account_id == func.any(former)


def _step(
    known: BoardState, stored: ReadOnlyColumnCollection[str, Any]
) -> ColumnElement[str | None]:
    """Return the step that stored misses suggest for an active affiliate."""
    return case(
        (stored.misses >= known.policy.requalification_misses, str(Step.SUSPEND)),
        (stored.misses > 0, str(Step.PUT_ON_NOTICE)),
    )


def _suggestion(policy: Policy) -> ColumnElement[str | None]:
    tested, since = tables.affiliate_tested.c, tables.affiliate_standings.c.since
    status, missed = standing(), misses(policy)
    ended = func.timezone("UTC", cast(tested.month, Date) + text("interval '1 month'"))
    back = and_(
        status.in_([str(Standing.ON_NOTICE), str(Standing.SUSPENDED)]),
        tested.outcome == str(Outcome.MET),
        ended > since,
    )
    return case(
        (status == str(Standing.TERMINATED), null()),
        (
            missed >= policy.requalification_misses,
            case((status != str(Standing.SUSPENDED), str(Step.SUSPEND))),
        ),
        (missed > 0, case((status == str(Standing.ACTIVE), str(Step.PUT_ON_NOTICE)))),
        (back, str(Step.RESTORE)),
    )


def _by_misses(
    found: Select[Any], judged: ReadOnlyColumnCollection[str, Any] = tables.affiliate_tested.c
) -> Select[Any]:
    """Order as the index does; among active affiliates, more misses are more urgent."""
    return found.order_by(
        judged.misses.desc(),
        judged.near.desc(),
        judged.volume_usd.desc().nulls_last(),
        judged.application_id,
    )


def _conditions(
    filters: BoardFilters, judged: ReadOnlyColumnCollection[str, Any]
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.month == UNTESTED:
        found.append(judged.outcome.is_(None))
    elif filters.month is not None:
        found.append(judged.outcome == filters.month)
    if filters.near:
        found.append(judged.near)
    if filters.search:
        found.append(judged.account_id.in_(searching.accounts(filters.search)))
    return found
