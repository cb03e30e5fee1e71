"""Check the installation: connection, schema, freshness, outbox, privileges."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, Engine, func, select, text

from data_access.db import (
    archived,
    database,
    environment,
    guards,
    migrate,
    partitions,
    privileges,
    tables,
)
from data_access.db.roles import Login
from data_access.eligibility import freshness, judging
from data_access.messages import backlog
from data_access.messages.backlog import Backlog
from data_access.queue import standings

# How many applications a sentence names.
NAMED = 5
RECENTLY = timedelta(days=7)
DURABLE = ("fsync", "full_page_writes", "synchronous_commit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of one check, in words."""

    what: str
    ok: bool
    sentence: str


def examine(engine: Engine, *, now: datetime) -> list[Finding]:
    """Run all checks; stops after the schema if that is not up to date."""
    with engine.connect() as connection:
        found = [
            _settings(),
            _server(connection),
            _durability(connection),
            _schema(connection),
        ]
        if not found[-1].ok:
            return found
        return [
            *found,
            _data(connection, now),
            _rollups(connection, now),
            _recounts(connection, now),
            _archives(connection),
            _standings(connection, now),
            _outbox(connection, now),
            _privileges(connection),
            _guards(connection),
            _separation(connection),
        ]


def newest_complete_day(connection: Connection, *, today: date) -> date | None:
    """Return T as delivered by upstream: the newest activity day before ``today`` (UTC)."""
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


def _settings() -> Finding:
    """Name settings that are misspelled, which would silently not apply."""
    unknown = environment.unknown()
    sentence = "; ".join(unknown) if unknown else "those that are set are known"
    return Finding(what="settings", ok=not unknown, sentence=sentence)


def _server(connection: Connection) -> Finding:
    version = connection.execute(text("show server_version")).scalar_one()
    number = int(connection.execute(text("show server_version_num")).scalar_one())
    supported = 15 <= number // 10_000 <= 18
    sentence = f"PostgreSQL {version}" + ("" if supported else "; 15 to 18 are supported")
    return Finding(what="connection", ok=supported, sentence=sentence)


def _durability(connection: Connection) -> Finding:
    off = [
        name
        for name in DURABLE
        if connection.execute(text("select current_setting(:name)"), {"name": name}).scalar_one()
        == "off"
    ]
    sentence = f"{', '.join(off)} off: a crash may lose decisions; switch on" if off else "on"
    return Finding(what="durable settings", ok=not off, sentence=sentence)


def _schema(connection: Connection) -> Finding:
    outdated = migrate.outdated(connection)
    sentence = outdated or f"revision {migrate.revision(connection)}"
    return Finding(what="schema", ok=outdated is None, sentence=sentence)


def _data(connection: Connection, now: datetime) -> Finding:
    today = now.astimezone(UTC).date()
    delivered = newest_complete_day(connection, today=today)
    if delivered is None:
        return Finding(
            what="data", ok=False, sentence="no activity loaded yet: run `load activity`"
        )
    ok = delivered >= today - timedelta(days=1)
    sentence = f"activity through {delivered}" + ("" if ok else "; yesterday is missing: load it")
    return Finding(what="data", ok=ok, sentence=sentence)


def _rollups(connection: Connection, now: datetime) -> Finding:
    shown = freshness.newest(connection)
    if shown is None:
        return Finding(
            what="rollups", ok=False, sentence="never computed: run `python -m data_access refresh`"
        )
    behind = rollups_behind(connection, today=now.astimezone(UTC).date())
    sentence = (
        f"metrics through {shown.data_through}, computed {shown.refreshed_at:%Y-%m-%d %H:%M} UTC"
    )
    if behind:
        sentence += "; newer days are loaded: run `python -m data_access refresh`"
    return Finding(what="rollups", ok=not behind, sentence=sentence)


def _recounts(connection: Connection, now: datetime) -> Finding:
    """Whether full counts of the last week agreed with the sums that refreshes carried forward."""
    table = tables.refreshes.c
    done = table.recounted_at.is_not(None)
    last = connection.execute(select(func.max(table.recounted_at)).where(done)).scalar_one()
    if last is None:
        return Finding(what="recounts", ok=True, sentence="none yet: `refresh` ends with one")
    wrong = connection.execute(
        select(table.recounted_at, table.differing)
        .where(table.differing > 0, table.recounted_at > now - RECENTLY)
        .order_by(table.refresh_id.desc())
        .limit(1)
    ).one_or_none()
    if wrong is None:
        sentence = f"sums carried forward agree with a full count of {last:%Y-%m-%d %H:%M} UTC"
        return Finding(what="recounts", ok=True, sentence=sentence)
    sentence = (
        f"sums carried forward differed from a full count of {wrong.recounted_at:%Y-%m-%d %H:%M} "
        f"UTC (rows: {wrong.differing:,}), which replaced them; were facts changed without `load`?"
    )
    return Finding(what="recounts", ok=False, sentence=sentence)


def _archives(connection: Connection) -> Finding:
    """Which months are archived, and whether one of them has activity here all the same."""
    months = archived.read(connection)
    if not months:
        return Finding(what="archives", ok=True, sentence="none: all activity is here")
    names = [one.month for one in months]
    there = {*partitions.existing(connection)}
    if here := [one for one in months if one.month in there]:
        sentence = (
            f"{archived.in_words([one.month for one in here])} is archived and has a partition "
            f"too, which nothing counts; bring it back with {archived.way_back(here)}"
        )
        return Finding(what="archives", ok=False, sentence=sentence)
    rows = sum(one.row_count for one in months)
    sentence = f"activity of {archived.in_words(names)} is in files ({rows:,} rows); its sums stay"
    return Finding(what="archives", ok=True, sentence=sentence)


def _standings(connection: Connection, now: datetime) -> Finding:
    """Compare the kept standings of all open applications with a recount."""
    differ, sums = standings.differences(connection), standings.differing_sums(connection)
    if not differ and not sums:
        context = judging.read_context(connection, now=now)
        sentence = "equal to a recount"
        if context.kept != context.basis:
            sentence = "computed for each view until the next refresh keeps them"
        return Finding(what="standings", ok=True, sentence=sentence)
    some = ", ".join(str(id_) for id_ in differ[:NAMED])
    what = f"{sums:,} of their sums differ from a recount"
    if differ:
        what = f"{len(differ):,} of the open applications differ from a recount, such as {some}"
    sentence = f"{what}: run `python -m data_access refresh`"
    return Finding(what="standings", ok=False, sentence=sentence)


def _outbox(connection: Connection, now: datetime) -> Finding:
    found = backlog.read(connection)
    sentence = backlog_words(found, now)
    if found.is_late(now):
        sentence += "; is a worker running? `python -m data_access notify`"
    if found.parked:
        sentence += "; see the page Outbox"
    # An undeliverable message waits for a person; a late one means that nothing is delivered.
    return Finding(what="outbox", ok=not found.is_late(now), sentence=sentence)


def backlog_words(found: Backlog, now: datetime) -> str:
    """Describe the backlog: how many wait, since when, and how many are undeliverable."""
    sentence = "nothing waits"
    if found.oldest is not None:
        are = "message waits" if found.waiting == 1 else "messages wait"
        since = f"{found.oldest.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        minutes = max(0, int((now - found.oldest).total_seconds() // 60))
        sentence = f"{found.waiting:,} {are}, the oldest since {since}, {minutes:,} min"
    return sentence + (f"; {found.parked:,} undeliverable" if found.parked else "")


def _privileges(connection: Connection) -> Finding:
    superuser, separated, writable = connection.execute(
        text(
            "select rolsuper, current_user::text = any(:logins), has_any_column_privilege("
            "'review.decisions', 'insert') from pg_roles where rolname = current_user"
        ),
        {"logins": list(map(str, Login))},
    ).one()
    if superuser:
        return Finding(
            what="privileges", ok=False, sentence="the login is a superuser; use an ordinary one"
        )
    if not writable and not separated:
        return Finding(what="privileges", ok=False, sentence="the login cannot write decisions")
    sentence = "an ordinary login that can decide but cannot change records"
    if separated:
        sentence = "a login that can do its own work alone"
    return Finding(what="privileges", ok=True, sentence=sentence)


def _guards(connection: Connection) -> Finding:
    """Compare functions and triggers with what the migration made."""
    differ = guards.differences(connection)
    if not differ:
        return Finding(
            what="guards", ok=True, sentence="functions and triggers are the migration's"
        )
    sentence = (
        f"{_some(differ)}: find out who did it; `migrate` on an empty database shows how it was"
    )
    return Finding(what="guards", ok=False, sentence=sentence)


def _separation(connection: Connection) -> Finding:
    """Whether each kind of work has its own login with the rights of the rules, and no more."""
    if not privileges.is_separated(connection):
        sentence = (
            "not separate: the login of DATABASE_URL owns the history and could switch its guards "
            "off; `python -m data_access privileges` makes an owner, a writer, a reader, a loader, "
            "a deliverer and an analyst"
        )
        return Finding(what="logins", ok=True, sentence=sentence)
    differ = privileges.differences(connection)
    if differ:
        sentence = f"{_some(differ)}: run `python -m data_access privileges`"
        return Finding(what="logins", ok=False, sentence=sentence)
    shared = database.without_login()
    sentence = "owners, rights and limits are those of the rules"
    if shared:
        sentence += f"; for {', '.join(shared)} this process still uses the login of DATABASE_URL"
    return Finding(what="logins", ok=True, sentence=sentence)


def _some(differ: Sequence[str]) -> str:
    more = len(differ) - NAMED
    return "; ".join(differ[:NAMED]) + (f"; and {more:,} more" if more > 0 else "")
