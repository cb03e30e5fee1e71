"""Examining the installation: connection, schema, freshness, outbox, privileges."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, Engine, func, select, text

from data_access import freshness, schema, tables
from data_access.outbox import BACKEND

OLDEST_MESSAGE = timedelta(hours=1)
DURABLE = ("fsync", "full_page_writes", "synchronous_commit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing examined, and what was found in words."""

    what: str
    ok: bool
    said: str


def examine(engine: Engine, *, now: datetime) -> list[Finding]:
    """Examine everything; stops after the schema when that is not up to date."""
    with engine.connect() as connection:
        found = [_server(connection), _durability(connection), _schema(connection)]
        if not found[-1].ok:
            return found
        return [
            *found,
            _data(connection, now),
            _rollups(connection, now),
            _outbox(connection, now),
            _privileges(connection),
        ]


def newest_complete_day(connection: Connection, *, today: date) -> date | None:
    """T as upstream has delivered it: the newest activity day before ``today`` (UTC)."""
    table = tables.referral_activity
    day: date | None = connection.execute(
        select(func.max(table.c.activity_date)).where(table.c.activity_date < today)
    ).scalar_one()
    return day


def rollups_behind(connection: Connection, *, today: date) -> bool:
    """Whether a refresh would show a newer day, or was never run although there is data."""
    delivered = newest_complete_day(connection, today=today)
    shown = freshness.newest(connection)
    if delivered is None:
        return False
    return shown is None or shown.data_through < delivered


def _server(connection: Connection) -> Finding:
    version = connection.execute(text("show server_version")).scalar_one()
    number = int(connection.execute(text("show server_version_num")).scalar_one())
    supported = 15 <= number // 10_000 <= 18
    said = f"PostgreSQL {version}" + ("" if supported else "; 15 to 18 are supported")
    return Finding(what="connection", ok=supported, said=said)


def _durability(connection: Connection) -> Finding:
    off = [
        name
        for name in DURABLE
        if connection.execute(text("select current_setting(:name)"), {"name": name}).scalar_one()
        == "off"
    ]
    said = f"{', '.join(off)} off: a crash may lose decisions; switch on" if off else "on"
    return Finding(what="durable settings", ok=not off, said=said)


def _schema(connection: Connection) -> Finding:
    found, wanted = schema.revision(connection), schema.head()
    said = f"revision {found}"
    if found != wanted:
        said += f", this program needs {wanted}: run `python -m data_access migrate`"
    return Finding(what="schema", ok=found == wanted, said=said)


def _data(connection: Connection, now: datetime) -> Finding:
    today = now.astimezone(UTC).date()
    delivered = newest_complete_day(connection, today=today)
    if delivered is None:
        return Finding(what="data", ok=False, said="no activity loaded yet: run `load activity`")
    ok = delivered >= today - timedelta(days=1)
    said = f"activity through {delivered}" + ("" if ok else "; yesterday is missing: load it")
    return Finding(what="data", ok=ok, said=said)


def _rollups(connection: Connection, now: datetime) -> Finding:
    shown = freshness.newest(connection)
    if shown is None:
        return Finding(
            what="rollups", ok=False, said="never computed: run `python -m data_access refresh`"
        )
    behind = rollups_behind(connection, today=now.astimezone(UTC).date())
    said = f"metrics through {shown.data_through}, computed {shown.refreshed_at:%Y-%m-%d %H:%M} UTC"
    if behind:
        said += "; newer days are loaded: run `python -m data_access refresh`"
    return Finding(what="rollups", ok=not behind, said=said)


def _outbox(connection: Connection, now: datetime) -> Finding:
    table = tables.outbox
    waiting, oldest = connection.execute(
        select(func.count(), func.min(table.c.created_at)).where(
            table.c.delivered_at.is_(None), table.c.channel != BACKEND
        )
    ).one()
    if not waiting:
        return Finding(what="outbox", ok=True, said="nothing waits")
    ok = now - oldest < OLDEST_MESSAGE
    said = f"{waiting:,} messages wait, the oldest since {oldest:%Y-%m-%d %H:%M} UTC"
    # Delivery is not part of the product yet, so a backlog is told but is no problem.
    return Finding(
        what="outbox", ok=True, said=said + ("" if ok else "; delivery is not built yet")
    )


def _privileges(connection: Connection) -> Finding:
    superuser = connection.execute(
        text("select rolsuper from pg_roles where rolname = current_user")
    ).scalar_one()
    writable = connection.execute(
        text("select has_table_privilege('review.decisions', 'insert')")
    ).scalar_one()
    if superuser:
        return Finding(
            what="privileges", ok=False, said="the login is a superuser; use an ordinary one"
        )
    said = "an ordinary login that may decide" if writable else "the login cannot write decisions"
    return Finding(what="privileges", ok=writable, said=said)
