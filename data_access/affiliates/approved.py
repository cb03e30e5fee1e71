"""Who is an approved affiliate, and since when: the one definition for all callers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ClauseElement,
    Column,
    ColumnElement,
    CompoundSelect,
    Connection,
    DateTime,
    FromClause,
    MetaData,
    Select,
    Table,
    select,
    text,
    union,
    union_all,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import distinct_on

from data_access.applications import conditions
from data_access.db import tables
from program.review.workflow import Decision, Status

# With more changed applications all are read; a statement takes 65,535 parameters at most.
MOST_CHANGED = 20_000
# All affiliates, filled once in the transaction of a refresh.
KEPT = Table(
    "approvals_kept",
    MetaData(),
    Column("account_id", BigInteger),
    Column("application_id", BigInteger),
    Column("decision_id", BigInteger),
    Column("approved_at", DateTime(timezone=True)),
    schema="pg_temp",
)


def current_approvals(*also: ColumnElement[Any], source: FromClause | None = None) -> Select[Any]:
    """Return every approved affiliate once.

    An affiliate is an account with an approved application that has a current approval; of several,
    the latest counts. Columns are account_id, application_id, decision_id and approved_at, and
    ``also`` columns of the decision or of ``source``, which is current decisions joined with their
    applications and more. Filter inside by account or by decision time (which gives the latest
    approval of that time); filter by anything else outside.
    """
    decision, application = tables.current_decisions, tables.applications
    return (
        select(
            application.c.account_id,
            application.c.application_id,
            decision.c.decision_id,
            decision.c.decided_at.label("approved_at"),
            *also,
        )
        .select_from(conditions.with_application() if source is None else source)
        .where(
            application.c.status == str(Status.APPROVED),
            decision.c.outcome == str(Decision.APPROVED),
        )
        .ext(distinct_on(application.c.account_id))
        .order_by(
            application.c.account_id, decision.c.decided_at.desc(), decision.c.decision_id.desc()
        )
    )


def keep(connection: Connection, changed: Sequence[int] | None = None) -> list[int] | None:
    """Fill `KEPT` with the current affiliates.

    ``changed`` are the applications that may have changed since the previous refresh; ``None``
    reads all. Returns the accounts that were read, ``None`` for all.
    """
    connection.execute(text(f"drop table if exists {KEPT.fullname}"))
    if changed is not None and len(changed) > MOST_CHANGED:
        changed = None
    accounts = None if changed is None else _accounts(connection, changed)
    everybody = as_text(current_approvals() if accounts is None else _as_before_but(accounts))
    connection.execute(text(f"create temporary table {KEPT.name} on commit drop as {everybody}"))
    if accounts is None:
        connection.execute(text(f"analyze {KEPT.fullname}"))
    return accounts


def _accounts(connection: Connection, changed: Sequence[int]) -> list[int]:
    """Return the accounts of these applications, now and as last counted."""
    accounts = union(
        *(
            select(table.c.account_id).where(table.c.application_id.in_(changed))
            for table in (tables.applications, tables.affiliate_tested)
        )
    )
    return list(connection.execute(accounts).scalars())


def _as_before_but(accounts: Sequence[int]) -> CompoundSelect[Any]:
    """Return the previous refresh's affiliates, except these accounts, which are read again."""
    held = tables.affiliate_tested
    before = select(*(held.c[c.name] for c in KEPT.c)).where(held.c.account_id.not_in(accounts))
    now = current_approvals().where(tables.applications.c.account_id.in_(accounts)).subquery("now")
    return union_all(before, select(*now.c))


def before(moment: datetime, accounts: Select[Any]) -> Select[Any]:
    """Return these accounts' affiliates by their approvals before ``moment``."""
    return current_approvals().where(
        tables.current_decisions.c.decided_at < moment,
        tables.applications.c.account_id.in_(accounts),
    )


def kept_before(moment: datetime) -> CompoundSelect[Any]:
    """Return the affiliates of `KEPT` by their approvals before ``moment``.

    Only of those approved again since is the earlier approval looked for.
    """
    held, later = KEPT.c, KEPT.alias("approved_later").c
    again = select(later.account_id).where(later.approved_at >= moment)
    earlier = before(moment, again).subquery("earlier")
    return union_all(select(KEPT).where(held.approved_at < moment), select(*earlier.c))


def kept_since(moment: datetime) -> str:
    """Return the affiliates of `KEPT` approved since ``moment``, as SQL text."""
    return as_text(select(KEPT).where(KEPT.c.approved_at >= moment))


def since(moment: datetime, *also: ColumnElement[Any]) -> str:
    """Return all affiliates approved since ``moment``, as SQL text."""
    return as_text(current_approvals(*also).where(tables.current_decisions.c.decided_at >= moment))


def as_text(statement: ClauseElement) -> str:
    """Return a statement or expression with literal values, for use in a text statement."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
