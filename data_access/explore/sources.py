"""The rows of each dataset: joins, and one expression per column.

Every join is to at most one row and keeps all rows, so the planner removes unused ones. The names
are those of ``program.reports.datasets``; nothing else can be requested.
"""

import json
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    FromClause,
    Integer,
    Numeric,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, JSONPATH, distinct_on

from data_access.applications.read import effective_status, held_by, with_desk
from data_access.db import tables
from data_access.eligibility.judging import (
    FEES,
    TRADES,
    TRADING_DAYS,
    Judging,
    JudgingContext,
    judging,
    metric,
    outcome_word,
    track_truth,
    track_word,
)
from data_access.explore import invitable
from data_access.people.identities import person
from data_access.risk import judged_risk
from program.periods import ONE_DAY, month_start, utc_day
from program.policy.criteria import CRITERIA, TRACKS, X_FOLLOWERS, Unit
from program.reports.datasets import (
    ACTIVITY,
    AFFILIATES,
    APPLICATIONS,
    DECISIONS_MADE,
    LOG,
    MONTHLY,
    NEAR_MISSES,
    PEOPLE,
    RISK,
    Dataset,
)
from program.review.done import DONE
from program.review.permissions import Act
from program.review.workflow import Decision, Status

Expression = ColumnElement[Any]
Expressions = dict[str, Expression]
SHARES = ("top_user_share", "largest_day_share", "zero_fee_share")


def _nothing(_: Mapping[str, Expression]) -> Expressions:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The rows of a dataset.

    ``stored`` has an expression per column over ``rows``; ``derived`` builds the other columns from
    ``inner`` ones, which are thus computed once per row and not at each use. ``only``, if set,
    restricts the source to some keys.
    """

    rows: FromClause
    stored: Expressions
    inner: Expressions = field(default_factory=dict)
    derived: Callable[[Mapping[str, Expression]], Expressions] = _nothing
    conditions: Sequence[ColumnElement[bool]] = ()
    derives: frozenset[str] = frozenset()


def of(
    dataset: Dataset, context: JudgingContext, *, needed: Set[str], only: Sequence[int] = ()
) -> Source:
    """Return the dataset's rows, or those with ids in ``only`` (see `NARROWED_BY`).

    ``needed`` are the columns that are requested.
    """
    return _MAKERS[dataset.key](context, needed, only)


def applications(context: JudgingContext, needed: Set[str], only: Sequence[int] = ()) -> Source:
    """Return every application, with the metrics of its account and its evidence."""
    application, account, decision = tables.applications, tables.accounts, tables.current_decisions
    found = judging(context, only=only)
    rows = with_desk(_with_account(found.source, application.c.account_id))
    if needed & set(_DECISION):
        # At most one decision is current, which the planner cannot know.
        rows = rows.outerjoin(decision, decision.c.application_id == application.c.application_id)
    stored: Expressions = {
        **{name: application.c[name] for name in _APPLICATION},
        **{name: account.c[name] for name in _ACCOUNT},
        **{name: _stored(decision.c[name]) for name in _DECISION},
        **_windowed(context),
        **_measured(found),
        "assignee": held_by(context.now),
        "desk_status": effective_status(context.now),
        "status_changed_at": application.c.status_changed_at,
    }
    rows, stored = _with_risk(rows, stored, needed, application.c.account_id, context)
    narrowed = [application.c.application_id.in_(only)] if only else []
    return _judged(rows, stored, found, context, narrowed)


def affiliates(context: JudgingContext, needed: Set[str], only: Sequence[int] = ()) -> Source:
    """Return accounts with a current approval, each once, with the newest."""
    application, account, made = tables.applications, tables.accounts, tables.current_decisions
    approved = application.alias("approved")
    standing = and_(
        made.c.application_id == approved.c.application_id,
        made.c.outcome == Decision.APPROVED,
    )
    approved_at = func.coalesce(made.c.decided_at, approved.c.status_changed_at)
    newest = (
        select(
            approved.c.application_id,
            approved_at.label("approved_at"),
            person(made.c.decided_by).label("decided_by"),
            made.c.rebate_rate,
        )
        .select_from(approved.outerjoin(made, standing))
        .where(approved.c.status == Status.APPROVED)
        .ext(distinct_on(approved.c.account_id))
        .order_by(
            approved.c.account_id,
            approved_at.desc().nulls_last(),
            approved.c.application_id.desc(),
        )
        .subquery("newest")
    )
    found = judging(context, only=only)
    rows: FromClause = _with_account(found.source, application.c.account_id).join(
        newest, newest.c.application_id == application.c.application_id
    )
    stored: Expressions = {
        **{name: application.c[name] for name in _APPLICATION if name != "submitted_at"},
        **{name: account.c[name] for name in _ACCOUNT},
        **{name: newest.c[name] for name in ("approved_at", "decided_by", "rebate_rate")},
        **_windowed(context),
        **_measured(found),
    }
    rows, stored = _with_risk(rows, stored, needed, application.c.account_id, context)
    narrowed = [application.c.application_id.in_(only)] if only else []
    return _judged(rows, stored, found, context, narrowed)


def near_misses(context: JudgingContext, needed: Set[str], only: Sequence[int] = ()) -> Source:
    """Return accounts to invite, with their newest application; none while metrics are unknown."""
    account, found, last = tables.accounts, invitable.near(context, only=only), _LAST
    asked = needed & {*_OF_LAST, "may_apply_from"}
    rows = found.source.outerjoin(last, true()) if asked else found.source
    today = literal(utc_day(context.now), Date)
    stored: Expressions = {
        **{name: account.c[name] for name in ("account_id", *_ACCOUNT)},
        **_windowed(context),
        **found.values,
        X_FOLLOWERS.key: func.trim_scale(found.values[X_FOLLOWERS.key]),
        **{name: last.c[column] for name, column in _OF_LAST.items()},
        "may_apply_from": case((last.c.reapply_from > today, last.c.reapply_from)),
    }
    conditions = [*invitable.free_to_apply(), literal(context.freshness is not None)]
    return _judged(rows, stored, found, context, conditions)


def decisions(_: JudgingContext, __: Set[str], only: Sequence[int] = ()) -> Source:
    """Return every decision with its application, its account and its snapshot's values."""
    application, account, decision = tables.applications, tables.accounts, tables.decisions
    later = decision.alias("later")
    # Every decision has one; an outer join, so that the planner can remove it if it is not needed.
    of = application.c.application_id == decision.c.application_id
    joined = decision.outerjoin(application, of)
    rows = _with_account(joined, application.c.account_id).outerjoin(
        later, later.c.supersedes == decision.c.decision_id
    )
    hours = func.extract("epoch", decision.c.decided_at - application.c.submitted_at) / 3600
    stored: Expressions = {
        **{column.name: _stored(column) for column in decision.c if column.name != "snapshot"},
        **{name: account.c[name] for name in ("username", "country_code", "email")},
        "account_id": application.c.account_id,
        "submitted_at": application.c.submitted_at,
        "hours_to_decision": func.round(cast(hours, Numeric), 2),
        "is_current": later.c.decision_id.is_(None),
        **_snapshot(),
    }
    narrowed = [decision.c.decision_id.in_(only)] if only else []
    return Source(rows=rows, stored=stored, conditions=narrowed)


def monthly(context: JudgingContext, _: Set[str], __: Sequence[int] = ()) -> Source:
    """Return one row per affiliate and calendar month."""
    table, account = tables.affiliate_monthly, tables.accounts
    stored: Expressions = {
        **{name: table.c[name] for name in ("month", *_ACTIVITY)},
        **{name: account.c[name] for name in ("username", "country_code", "email")},
        "account_id": table.c.affiliate_account_id,
        "is_running": table.c.month >= running_month(context),
    }
    return Source(rows=_with_account(table, table.c.affiliate_account_id), stored=stored)


def running_month(context: JudgingContext) -> date:
    """Return the first day of the month that is not over at the data-through day."""
    fresh = context.freshness
    return month_start(fresh.data_through + ONE_DAY if fresh else utc_day(context.now))


def activity(_: JudgingContext, __: Set[str], ___: Sequence[int] = ()) -> Source:
    """Return one row per affiliate and day, from the daily rollup; always limited by days."""
    table, account = tables.affiliate_daily, tables.accounts
    stored: Expressions = {
        **{name: table.c[name] for name in ("day", *_ACTIVITY, "zero_fee_volume_usd")},
        **{name: account.c[name] for name in ("username", "country_code", "email")},
        "account_id": table.c.affiliate_account_id,
    }
    return Source(rows=_with_account(table, table.c.affiliate_account_id), stored=stored)


# As text: files are written without what converts a mapping.
WORDS_OF_COMMANDS = cast(literal(json.dumps(dict(DONE)), Text), JSONB)


def log(_: JudgingContext, __: Set[str], ___: Sequence[int] = ()) -> Source:
    """Return every act of staff with its application, if any; personal settings are no acts."""
    made, application, account = tables.requests, tables.applications, tables.accounts
    of = application.c.application_id == made.c.application_id
    command = made.c.content["command"].astext
    rows = _with_account(made.outerjoin(application, of), application.c.account_id)
    stored: Expressions = {
        **{name: made.c[name] for name in ("at", "application_id", "result")},
        **{name: account.c[name] for name in ("username", "country_code")},
        "request_id": cast(made.c.request_id, Text),
        "actor": person(made.c.actor),
        # A command that is gone from the product keeps its name.
        "done": func.coalesce(WORDS_OF_COMMANDS[command].astext, command),
        "outcome": made.c.content["draft"]["outcome"].astext,
        "permission": func.replace(func.lower(made.c.act), "_", " "),
        "account_id": application.c.account_id,
        "status": application.c.status,
    }
    return Source(rows=rows, stored=stored, conditions=[made.c.act != Act.READ.name])


_APPLICATION = (
    "application_id",
    "account_id",
    "social_platform",
    "social_handle",
    "contact_platform",
    "contact_handle",
    "submitted_at",
    "status",
)
_ACCOUNT = ("username", "country_code", "kyc_status", "email")
_DECISION = (
    "decided_at",
    "decided_by",
    "reason_code",
    "rebate_rate",
    "second_approver",
    "is_override",
)
_LAST = invitable.last_application()
_OF_LAST = {
    "last_application_id": "application_id",
    "last_status": "status",
    "last_at": "at",
    "reason_code": "reason_code",
}
_ACTIVITY = ("volume_usd", "fees_usd", "trade_count", "active_users", "new_users")


def _stored(column: ColumnElement[Any]) -> Expression:
    return person(column) if column.key in PEOPLE else column


def _judged(
    rows: FromClause,
    stored: Expressions,
    found: Judging,
    context: JudgingContext,
    conditions: Sequence[ColumnElement[bool]],
) -> Source:
    """Format tracks and eligibility as words; each is computed once per row."""
    truths = {track.key: track_truth(track, found.values, context.policy) for track in TRACKS}

    def words(inner: Mapping[str, Expression]) -> Expressions:
        judged = {key: inner[f"{key}_truth"] for key in truths}
        return {
            **{key: outcome_word(truth) for key, truth in judged.items()},
            "eligibility": outcome_word(or_(*judged.values())),
            "track": track_word(judged),
        }

    return Source(
        rows=rows,
        stored=stored | {"policy_version": literal(context.policy.version, Integer)},
        inner={f"{key}_truth": truth for key, truth in truths.items()},
        derived=words,
        derives=frozenset({*truths, "eligibility", "track"}),
        conditions=conditions,
    )


def _measured(found: Judging) -> Expressions:
    """Return criteria and other metrics of the window, NULL if unknown."""
    window = tables.affiliate_window.c
    parts = (window.top_user_volume_usd, window.largest_day_volume_usd, window.zero_fee_volume_usd)
    followers = found.values[X_FOLLOWERS.key]
    measured: Expressions = {
        **found.values,
        **{name: metric(name, found.late) for name in (FEES, TRADES, TRADING_DAYS)},
        # A count, whatever trailing zeros it was recorded with.
        X_FOLLOWERS.key: func.trim_scale(followers),
    }
    for name, part in zip(SHARES, parts, strict=True):
        # Rollups from before a change of the policy's window do not apply.
        share = func.round(part / func.nullif(window.volume_usd, 0), 4)
        measured[name] = share if found.late is not None else cast(null(), Numeric)
    return measured


def _with_risk(
    rows: FromClause,
    stored: Expressions,
    needed: Set[str],
    account_id: Expression,
    context: JudgingContext,
) -> tuple[FromClause, Expressions]:
    """Join the account's risk, judged now, if any of its columns is ``needed``."""
    if not needed & RISK:
        return rows, stored
    risk = judged_risk.of_account(context.policy, account_id)
    return rows.outerjoin(risk, true()), stored | judged_risk.values(risk)


def _windowed(context: JudgingContext) -> Expressions:
    fresh = context.freshness
    days = (fresh.data_through, fresh.window.start, fresh.window.last_day) if fresh else ()
    names = ("data_through", "window_start", "window_end")
    return {
        name: literal(days[place], Date) if days else cast(null(), Date)
        for place, name in enumerate(names)
    }


def _snapshot() -> Expressions:
    kept = tables.decisions.c.snapshot
    found: Expressions = {
        "snapshot_data_through": cast(kept["data_through"].astext, Date),
        "snapshot_window_start": cast(kept["window"]["start"].astext, Date),
        "snapshot_window_end": cast(kept["window"]["end"].astext, Date),
        "snapshot_eligibility": kept["outcome"].astext,
        "snapshot_track": kept["track"].astext,
    }
    for track in TRACKS:
        found[f"snapshot_{track.key}"] = kept["tracks"][track.key].astext
    for criterion in CRITERIA:
        path = literal(f'$.criteria[*] ? (@.key == "{criterion.key}").value', JSONPATH)
        value = func.jsonb_path_query_first(kept, path).op("#>>")(literal([], ARRAY(Text)))
        number = Numeric if criterion.unit is Unit.USD else BigInteger
        found[f"snapshot_{criterion.key}"] = cast(cast(value, Numeric), number)
    return found


def _with_account(source: FromClause, account_id: Expression) -> FromClause:
    # An outer join, so that the planner can remove it if it is not needed.
    return source.outerjoin(tables.accounts, tables.accounts.c.account_id == account_id)


_MAKERS: dict[str, Callable[[JudgingContext, Set[str], Sequence[int]], Source]] = {
    APPLICATIONS.key: applications,
    DECISIONS_MADE.key: decisions,
    AFFILIATES.key: affiliates,
    NEAR_MISSES.key: near_misses,
    MONTHLY.key: monthly,
    ACTIVITY.key: activity,
    LOG.key: log,
}
# The column by which a source finds given rows fast, if any.
NARROWED_BY = {
    APPLICATIONS.key: "application_id",
    AFFILIATES.key: "application_id",
    NEAR_MISSES.key: "account_id",
    DECISIONS_MADE.key: "decision_id",
}
