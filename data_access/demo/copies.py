"""Write the demo's rows by COPY, and continue the id sequences after them."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from psycopg import Copy
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from data_access.demo import names
from data_access.demo.calendar import Calendar
from data_access.demo.judgments import Filed, RowValues, Written
from data_access.demo.plans import Account, Pattern
from data_access.demo.trading import Trading
from program.periods import day_start, utc_day
from program.review.workflow import Decision, Move

IDENTITIES = {
    "exchange.applications": "application_id",
    "review.evidence": "evidence_id",
    "review.notes": "note_id",
    "review.checks": "check_id",
    "review.decisions": "decision_id",
    "review.proposals": "proposal_id",
    "review.saved_views": "view_id",
    "review.events": "event_id",
}
ACCOUNT_COLUMNS = (
    "account_id",
    "username",
    "email",
    "country_code",
    "kyc_status",
    "created_at",
    "first_seen_at",
)
ACTIVITY_COLUMNS = (
    "affiliate_account_id",
    "activity_date",
    "referred_account_id",
    "volume_usd",
    "fees_usd",
    "trade_count",
)
VIEWS_SAVED_BEFORE = timedelta(days=40)
# An affiliate, the id of its first referred user, and the users' trading.
Grown = tuple[Account, int, Trading]


def copy(
    connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Append ``rows`` to ``table``."""
    with _copying(connection, table, columns) as stream:
        for row in rows:
            stream.write_row(row)


def _copy_text(
    connection: Connection, table: str, columns: Sequence[str], lines: Iterable[str]
) -> None:
    """Append lines of numbers and days, which need no quoting."""
    with _copying(connection, table, columns) as stream:
        for line in lines:
            stream.write(line)


@contextmanager
def _copying(connection: Connection, table: str, columns: Sequence[str]) -> Iterator[Copy]:
    driver = connection.connection.driver_connection
    if driver is None:
        raise RuntimeError("the connection was closed")
    command = f"copy {table} ({', '.join(columns)}) from stdin"
    with driver.cursor() as cursor, cursor.copy(command) as stream:
        yield stream


def copy_affiliates(connection: Connection, planned: list[Account], calendar: Calendar) -> None:
    """Append the affiliates' own accounts."""
    rows = (
        (
            account.account_id,
            account.username,
            f"{account.username}@example.com",
            account.country,
            account.kyc_status,
            account.created_at,
            calendar.now,
        )
        for account in planned
    )
    copy(connection, "exchange.accounts", ACCOUNT_COLUMNS, rows)


def copy_applications(connection: Connection, applications: list[Filed]) -> None:
    """Append all applications; decided and withdrawn ones with their status."""
    columns = (
        "application_id",
        "account_id",
        "social_platform",
        "social_handle",
        "contact_platform",
        "contact_handle",
        "submitted_at",
        "status",
        "status_changed_at",
    )
    rows = (
        (
            case.application_id,
            case.account.account_id,
            case.account.social_platform,
            case.account.social_handle,
            case.account.contact_platform,
            case.account.contact_handle,
            case.application.submitted_at,
            str(case.application.status),
            case.application.settled_at,
        )
        for case in applications
    )
    copy(connection, "exchange.applications", columns, rows)


def copy_business(connection: Connection, grown: list[Grown], calendar: Calendar, seed: int) -> int:
    """Append referred users and their trading; returns the number of activity rows."""
    _copy_users(connection, grown, calendar, seed)
    days = [calendar.day(index).isoformat() for index in range(calendar.length)]
    lines = [_activity_lines(account.account_id, id_, made, days) for account, id_, made in grown]
    blocks = ("".join(block) for block in lines)
    _copy_text(connection, "exchange.referral_activity", ACTIVITY_COLUMNS, blocks)
    return sum(len(block) for block in lines)


def _copy_users(connection: Connection, grown: list[Grown], calendar: Calendar, seed: int) -> None:
    origin = day_start(calendar.first)
    accounts, referrals = [], []
    for account, first_id, business in grown:
        rng = np.random.default_rng([seed, 3, account.account_id])
        kyc = rng.choice(
            ["verified", "pending", "none"], len(business.signed_up), p=[0.9, 0.05, 0.05]
        )
        own = _own_user(account, business)
        for offset, seconds in enumerate(business.signed_up.tolist()):
            at = origin + timedelta(microseconds=round(seconds * 1e6))
            user = first_id + offset
            email = f"{account.username}+trading@example.com" if offset == own else None
            referrals.append((account.account_id, user, at))
            accounts.append(
                (user, f"u-{user}", email, account.country, str(kyc[offset]), at, calendar.now)
            )
    copy(connection, "exchange.accounts", ACCOUNT_COLUMNS, accounts)
    columns = ("affiliate_account_id", "referred_account_id", "referred_at")
    copy(connection, "exchange.referrals", columns, referrals)


def _own_user(account: Account, business: Trading) -> int | None:
    """Return which of the users is the affiliate itself, if one is: the largest."""
    if account.shape.pattern is not Pattern.ONE_USER:
        return None
    return int(business.cents.sum(axis=1).argmax())


def _activity_lines(
    account_id: int, first_id: int, business: Trading, days: list[str]
) -> list[str]:
    """Yield rows in key order. Postgres reads ``12345e-2`` as exactly 123.45."""
    day, user = np.nonzero(business.trades.T)
    columns = (
        day.tolist(),
        (first_id + user).tolist(),
        business.cents[user, day].tolist(),
        business.fees[user, day].tolist(),
        business.trades[user, day].tolist(),
    )
    return [
        f"{account_id}\t{days[day]}\t{user}\t{cents}e-2\t{fees}e-6\t{count}\n"
        for day, user, cents, fees, count in zip(*columns, strict=True)
    ]


def copy_written(connection: Connection, written: Written) -> None:
    """Append all judgments, numbered in chronological order."""
    decisions = _numbered(written.decisions, "decision_id", "decided_at")
    proposals = _numbered(written.proposals, "proposal_id", "proposed_at")
    decided = {row["application_id"]: row["decision_id"] for row in decisions}
    proposed = {row["application_id"]: row["proposal_id"] for row in proposals}
    for event in written.events:
        id_ = event["application_id"]
        if event["kind"] in tuple(Decision):
            event["detail"]["decision_id"] = decided[id_]
        if event["kind"] == Move.ASK_SECOND_APPROVAL or "second_approver" in event["detail"]:
            event["detail"]["proposal_id"] = proposed[id_]
    for message in written.outbox:
        if message["payload"]["kind"] in tuple(Decision):
            message["decision_id"] = decided[message["application_id"]]
    evidence = sorted(written.evidence, key=lambda row: row["evidence_id"])
    outbox = sorted(written.outbox, key=lambda row: (row["created_at"], row["application_id"]))
    for table, rows in (
        ("review.evidence", evidence),
        ("review.notes", _numbered(written.notes, "note_id", "created_at")),
        ("review.checks", _numbered(written.checks, "check_id", "created_at")),
        ("review.decisions", decisions),
        ("review.proposals", proposals),
        ("review.events", _numbered(written.events, "event_id", "at")),
        ("review.outbox", outbox),
    ):
        _copy_rows(connection, table, rows)


def _numbered(rows: list[RowValues], key: str, time: str) -> list[RowValues]:
    ordered = sorted(rows, key=lambda row: (row[time], row["application_id"]))
    return [{key: number, **row} for number, row in enumerate(ordered, start=1)]


def _copy_rows(connection: Connection, table: str, rows: list[RowValues]) -> None:
    columns = sorted({name for row in rows for name in row})
    if rows:
        copy(connection, table, columns, (tuple(_values(row, columns)) for row in rows))


def _values(row: RowValues, columns: Sequence[str]) -> Iterator[Any]:
    for name in columns:
        value = row.get(name)
        yield Jsonb(value, dumps=_json) if isinstance(value, dict) else value


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def copy_settings(connection: Connection, calendar: Calendar) -> None:
    """Append the holidays of the next twelve months, and people's saved views."""
    today = utc_day(calendar.now)
    holidays = [
        (next(day for day in _each_year(today, month, number) if day > today), name)
        for month, number, name in names.HOLIDAYS
    ]
    copy(connection, "review.holidays", ("day", "name"), holidays)
    columns = ("owner", "name", "shared", "query", "created_at", "request_id")
    saved = day_start(today - VIEWS_SAVED_BEFORE)
    views = [(*view, saved, str(UUID(int=n))) for n, view in enumerate(names.VIEWS, start=1)]
    copy(connection, "review.saved_views", columns, views)


def _each_year(today: date, month: int, day: int) -> tuple[date, date]:
    return date(today.year, month, day), date(today.year + 1, month, day)


def settle_identities(connection: Connection) -> None:
    """Set the sequences so that the next row gets the next number."""
    for table, column in IDENTITIES.items():
        connection.execute(
            text(
                f"select setval(pg_get_serial_sequence('{table}', '{column}'), "  # noqa: S608
                f"(select coalesce(max({column}), 1) from {table}))"
            )
        )
