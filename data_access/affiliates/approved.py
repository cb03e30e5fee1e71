"""Who is an approved affiliate, and by which decision: the one definition, whoever asks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    CompoundSelect,
    Connection,
    DateTime,
    FromClause,
    MetaData,
    Select,
    SelectBase,
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

# Everybody, once for the transaction of a refresh.
KEPT = Table(
    "approvals_kept",
    MetaData(),
    Column("account_id", BigInteger),
    Column("application_id", BigInteger),
    Column("decision_id", BigInteger),
    Column("approved_at", DateTime(timezone=True)),
    schema="pg_temp",
)


def standing(*also: ColumnElement[Any], source: FromClause | None = None) -> Select[Any]:
    """Every approved affiliate once.

    An affiliate is an account with an application that is approved and has an approval that
    no decision supersedes; of several the one decided last counts. Columns are account_id,
    application_id, decision_id and approved_at, and ``also`` those of the decision or of
    ``source``, which is decisions beside their applications, and what else is joined to them.
    Narrow it by account, or by when it was decided, which asks for the last approval of that
    time; by anything else around it.
    """
    decision, application = tables.decisions, tables.applications
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
            ~conditions.superseded(),
        )
        .ext(distinct_on(application.c.account_id))
        .order_by(
            application.c.account_id, decision.c.decided_at.desc(), decision.c.decision_id.desc()
        )
    )


def keep(connection: Connection, changed: Sequence[int] | None = None) -> list[int] | None:
    """Fill `KEPT` with those of now.

    ``changed`` are the applications with which anything may have happened since the refresh
    before; ``None`` looks at all. Returns the accounts that were looked at, ``None`` for all.
    """
    connection.execute(text(f"drop table if exists {KEPT.fullname}"))
    accounts = None if changed is None else _accounts(connection, changed)
    everybody = as_text(standing() if accounts is None else _as_before_but(accounts))
    connection.execute(text(f"create temporary table {KEPT.name} on commit drop as {everybody}"))
    if accounts is None:
        connection.execute(text(f"analyze {KEPT.fullname}"))
    return accounts


def _accounts(connection: Connection, changed: Sequence[int]) -> list[int]:
    """Whose these applications are, and whose they were."""
    whose = union(
        *(
            select(table.c.account_id).where(table.c.application_id.in_(changed))
            for table in (tables.applications, tables.affiliate_tested)
        )
    )
    return list(connection.execute(whose).scalars())


def _as_before_but(accounts: Sequence[int]) -> CompoundSelect[Any]:
    """Those the refresh before summed up, and of these accounts as it is now."""
    held = tables.affiliate_tested
    before = select(*(held.c[c.name] for c in KEPT.c)).where(held.c.account_id.not_in(accounts))
    now = standing().where(tables.applications.c.account_id.in_(accounts)).subquery("now")
    return union_all(before, select(*now.c))


def kept_since(moment: datetime) -> str:
    """Those of `KEPT` whose approval is not from before ``moment``, as text."""
    return as_text(select(KEPT).where(KEPT.c.approved_at >= moment))


def since(moment: datetime, *also: ColumnElement[Any]) -> str:
    """Everybody whose approval is not from before ``moment``, as text."""
    return as_text(standing(*also).where(tables.decisions.c.decided_at >= moment))


def as_text(statement: SelectBase) -> str:
    """The statement with its values in it, for one that is written as text."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
