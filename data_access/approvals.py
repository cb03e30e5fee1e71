"""Who is an approved affiliate, and by which decision: the one definition, whoever asks."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    DateTime,
    FromClause,
    MetaData,
    Select,
    Table,
    select,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import distinct_on

from data_access import slices, tables
from program.workflow import Decision, Status

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
        .select_from(slices.with_application() if source is None else source)
        .where(
            application.c.status == str(Status.APPROVED),
            decision.c.outcome == str(Decision.APPROVED),
            ~slices.superseded(),
        )
        .ext(distinct_on(application.c.account_id))
        .order_by(
            application.c.account_id, decision.c.decided_at.desc(), decision.c.decision_id.desc()
        )
    )


def keep(connection: Connection) -> None:
    """Fill `KEPT` with those of now."""
    connection.execute(text(f"drop table if exists {KEPT.fullname}"))
    everybody = as_text(standing())
    connection.execute(text(f"create temporary table {KEPT.name} on commit drop as {everybody}"))
    connection.execute(text(f"analyze {KEPT.fullname}"))


def kept_since(moment: datetime) -> str:
    """Those of `KEPT` whose approval is not from before ``moment``, as text."""
    return as_text(select(KEPT).where(KEPT.c.approved_at >= moment))


def since(moment: datetime, *also: ColumnElement[Any]) -> str:
    """Everybody whose approval is not from before ``moment``, as text."""
    return as_text(standing(*also).where(tables.decisions.c.decided_at >= moment))


def as_text(statement: Select[Any]) -> str:
    """The statement with its values in it, for one that is written as text."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
