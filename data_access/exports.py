"""The queue's rows as a file has them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column as SqlColumn
from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Text,
    and_,
    cast,
    func,
    literal,
    null,
    or_,
    select,
)
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from data_access import queue, tables
from data_access.applications import held_by, standing_at, with_desk
from data_access.exploring import Writer, guarded
from data_access.refusals import Invalid
from data_access.standings import (
    Basis,
    judging,
    outcome_word,
    track_truth,
    track_word,
    with_account,
)
from program.criteria import EXTERNAL_VOLUME, TRACKS, X_FOLLOWERS
from program.datasets import APPLICATIONS, Column
from program.queue import Filters
from program.workflow import OPEN_STATUSES, Status

DECISION_COLUMNS = ("decided_at", "decided_by", "reason_code", "rebate_rate")
# What the contract asks for; the explore page has more.
APPLICATION_COLUMNS: tuple[Column, ...] = APPLICATIONS.columns[
    : APPLICATIONS.names.index("rebate_rate") + 1
]
BY_NAME = {column.name: column for column in APPLICATION_COLUMNS}


def applications(
    filters: Filters,
    ground: Basis,
    *,
    statuses: Sequence[Status] = tuple(Status),
    columns: Sequence[str] = tuple(BY_NAME),
    write: Writer = guarded,
) -> Select[Any]:
    """The queue's export as a statement: all rows the filters leave, in their order.

    Over every status and without a filter the order is by application id. Raises Invalid
    for a column that does not exist.
    """
    require_known(columns)
    raw = _raw(filters, ground, statuses, write)
    shown = _expressions(raw.columns, ground, write)
    return select(*(shown[name].label(name) for name in columns)).order_by(
        *(raw.columns[f"order_{index}"] for index in range(raw.orders))
    )


@dataclass(frozen=True, slots=True)
class _Raw:
    """The rows before they are put into words, each track judged once a row."""

    columns: ReadOnlyColumnCollection[str, Any]
    orders: int


def _raw(filters: Filters, ground: Basis, statuses: Sequence[Status], write: Writer) -> _Raw:
    application, account, decision = tables.applications, tables.accounts, tables.decisions
    found = judging(ground)
    stored = (
        *application.c,
        *(account.c[name] for name in ("username", "country_code", "kyc_status")),
        *(decision.c[name] for name in DECISION_COLUMNS),
    )
    whole = len(statuses) == len(Status) and not filters.narrows
    order = queue.ordering(filters, found.values, ground)
    if whole:
        order = [application.c.application_id]
    # Descending orders and their place for unknowns are kept by numbering, not by repeating.
    ranked = order if whole else [func.row_number().over(order_by=order)]
    statement = (
        select(
            *(_written(column, write) for column in stored),
            *(value.label(key) for key, value in found.values.items()),
            write(BY_NAME["assignee"], held_by(ground.now)).label("assignee"),
            *(track_truth(t, found.values, ground.policy).label(t.key) for t in TRACKS),
            *(column.label(f"order_{index}") for index, column in enumerate(ranked)),
        )
        .select_from(_with_decision(with_desk(with_account(found.source))))
        .where(
            *([] if whole else [_standing(statuses, ground)]),
            *queue.filtered(filters, ground, pending_only=set(statuses) <= set(OPEN_STATUSES)),
            *queue.judged(filters, found.values, ground),
        )
        .order_by(*ranked)
    )
    # OFFSET 0 keeps the planner from judging again wherever a judgment is mentioned.
    return _Raw(statement.offset(0).subquery("raw").c, len(ranked))


def _standing(statuses: Sequence[Status], ground: Basis) -> ColumnElement[bool]:
    return or_(*(and_(*standing_at(status, ground.now)) for status in statuses))


def require_known(columns: Sequence[str]) -> None:
    """Raise Invalid for a column that does not exist, or for none at all."""
    unknown = [name for name in columns if name not in BY_NAME]
    if unknown:
        raise Invalid(
            f"There is no column {', '.join(unknown)}. The columns are: {', '.join(BY_NAME)}."
        )
    if not columns:
        raise Invalid("Name at least one column.")


def _expressions(
    raw: ReadOnlyColumnCollection[str, Any], ground: Basis, write: Writer
) -> dict[str, ColumnElement[Any]]:
    fresh = ground.freshness
    empty = cast(null(), Text)
    judged = {track.key: raw[track.key] for track in TRACKS}
    followers = BY_NAME[X_FOLLOWERS.key]
    outside = BY_NAME[EXTERNAL_VOLUME.key]
    return {
        **{name: raw[name] for name in BY_NAME if name in raw},
        outside.name: write(outside, raw[outside.name]),
        "data_through": literal(fresh.data_through) if fresh else empty,
        "window_start": literal(fresh.window.start) if fresh else empty,
        "window_end": literal(fresh.window.last_day) if fresh else empty,
        followers.name: write(followers, func.trim_scale(raw[followers.name])),
        **{key: outcome_word(truth) for key, truth in judged.items()},
        "eligibility": outcome_word(or_(*judged.values())),
        "track": track_word(judged),
        "risk_level": empty,
        "risk_signals": empty,
        "policy_version": literal(ground.policy.version),
    }


def _with_decision(source: FromClause) -> FromClause:
    decision = tables.decisions
    later = decision.alias("later")
    superseded = select(1).where(later.c.supersedes == decision.c.decision_id).exists()
    belongs = decision.c.application_id == tables.applications.c.application_id
    return source.outerjoin(decision, belongs & ~superseded)


def _written(column: SqlColumn[Any], write: Writer) -> ColumnElement[Any]:
    """A stored value as the file has it; done where several workers can share the work."""
    name = str(column.name)
    return write(BY_NAME[name], column).label(name) if name in BY_NAME else column
