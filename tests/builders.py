"""Rows for tests: a builder fills in everything that the test does not set."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, insert, text, update
from sqlalchemy.dialects import postgresql

from data_access.db import database, tables
from data_access.people import staff
from data_access.people.sessions import key_of
from data_access.people.staff import Person
from program.periods import WindowKind, window
from program.policy.evidence import EvidenceKind
from program.policy.policy import DEFAULT_REQUIRED_CHECKS, Policy

T = date(2026, 3, 14)
NOW = datetime(2026, 3, 15, 9, tzinfo=UTC)
MINIMUMS: dict[str, Any] = {"volume": Decimal("20000000.00"), "active": 15, "new": 5}
STAFF = {
    "ana@example.com": "reviewer",
    "ben@example.com": "reviewer",
    "mira@example.com": "manager",
    "noor@example.com": "analyst",
    "ada@example.com": "admin",
}
# Sessions begun by a test; written once, so that they are not among the statements it counts.
_SESSIONS: WeakKeyDictionary[Engine, set[str]] = WeakKeyDictionary()


@contextmanager
def rewriting(conn: Connection, *names: str) -> Iterator[None]:
    """Allow changes to these append-only tables, as only their owner can."""
    for name in names:
        conn.execute(text(f"alter table review.{name} disable trigger append_only"))
    yield
    for name in names:
        conn.execute(text(f"alter table review.{name} enable always trigger append_only"))


def set_policy(conn: Connection, **settings: Any) -> None:
    """Change a setting of version 1."""
    with rewriting(conn, "policies"):
        conn.execute(update(tables.policies).values(settings))


def member(email: str | None) -> Person | None:
    """Return this active member of staff, read now, as if they were signed in."""
    if not email:
        return None
    with database.reading(database.reader()) as conn:
        return staff.find(conn, email)


def session(engine: Engine, email: str | None) -> str | None:
    """Return the key of an open session of this member of staff; ``None`` if there is nobody."""
    if email is None:
        return None
    key = key_of(f"{email} in a test")
    known = _SESSIONS.setdefault(engine, set())
    if key not in known:
        with engine.begin() as conn:
            found = conn.execute(
                text(
                    "insert into review.sessions (session_key, email) "
                    "select :key, email from review.staff where email = review.person(:email) "
                    "on conflict do nothing returning email"
                ),
                {"key": key, "email": email},
            )
            if found.first() is not None:
                known.add(key)
    return key


def begin_sessions(engine: Engine, *emails: str) -> None:
    """Begin what `session` returns, for several people at once."""
    keys = {key_of(f"{email} in a test"): email for email in emails}
    with engine.begin() as conn:
        begun = conn.execute(
            text(
                "insert into review.sessions (session_key, email) select key, email"
                " from unnest(cast(:keys as text[]), cast(:emails as text[])) as given (key, name)"
                " join review.staff on email = review.person(name)"
                " on conflict do nothing returning session_key"
            ),
            {"keys": list(keys), "emails": list(keys.values())},
        ).scalars()
        _SESSIONS.setdefault(engine, set()).update(begun)


def end_sessions(engine: Engine) -> None:
    """Remove the sessions begun by this test, and with them what keeps staff from being removed."""
    _SESSIONS.pop(engine, None)
    with engine.begin() as conn:
        conn.execute(text("delete from review.sessions"))


def add_staff(conn: Connection) -> None:
    """Add the five people whom every test may act as, where missing."""
    conn.execute(
        postgresql.insert(tables.staff).on_conflict_do_nothing(),
        [
            {
                "email": email,
                "display_name": email.split("@")[0].title(),
                "role": role,
                "active": True,
            }
            for email, role in STAFF.items()
        ],
    )


def know_the_desk(conn: Connection) -> None:
    """Let everybody on the staff have seen the tour."""
    conn.execute(
        text(
            "insert into review.preferences (email, name, value)"
            " select email, 'tour', 'true' from review.staff on conflict do nothing"
        )
    )


def add_account(conn: Connection, account_id: int, **given: Any) -> int:
    conn.execute(
        insert(tables.accounts).values(
            {
                "account_id": account_id,
                "username": f"user{account_id}",
                "email": f"user{account_id}@example.com",
                "country_code": "BR",
                "kyc_status": "verified",
                "created_at": NOW - timedelta(days=400),
                "first_seen_at": NOW - timedelta(days=300),
                **given,
            }
        )
    )
    return account_id


def add_application(conn: Connection, application_id: int, **given: Any) -> int:
    """Add an application, with an account of the same number unless one is given."""
    account = given.pop("account", {})
    if "account_id" not in given:
        given["account_id"] = add_account(conn, application_id, **account)
    conn.execute(
        insert(tables.applications).values(
            {
                "application_id": application_id,
                "social_platform": "x",
                "social_handle": f"@handle{application_id}",
                "contact_platform": "telegram",
                "contact_handle": f"contact{application_id}",
                "submitted_at": NOW - timedelta(days=5),
                "status": "pending",
                **given,
            }
        )
    )
    return application_id


def add_refresh(conn: Connection, *, through: date = T, at: datetime | None = None) -> None:
    """Record a refresh without computing any metrics."""
    span = window(WindowKind.TRAILING_30_DAYS, through)
    conn.execute(
        insert(tables.refreshes).values(
            data_through=through,
            recomputed_from=through,
            policy_version=1,
            window_kind="trailing_30_days",
            window_start=span.start,
            window_end=span.end,
            load_id=0,
            refreshed_at=at or NOW - timedelta(hours=1),
        )
    )


def add_metrics(
    conn: Connection,
    account_id: int,
    *,
    volume: Decimal | int = 0,
    active: int = 0,
    new: int = 0,
    fees: Decimal | int = 0,
) -> None:
    """Add window metrics of an affiliate, as a refresh would."""
    row = window_row(account_id, volume=volume, active=active, new=new, fees=fees)
    conn.execute(insert(tables.affiliate_window).values(row))
    conn.execute(
        text(
            "select review.restate(array(select application_id from review.standings "
            "where account_id = :account))"
        ),
        {"account": account_id},
    )


def window_row(
    account_id: int,
    *,
    volume: Decimal | int = 0,
    active: int = 0,
    new: int = 0,
    fees: Decimal | int = 0,
) -> dict[str, Any]:
    """Return the row of an affiliate's window."""
    return {
        "affiliate_account_id": account_id,
        "volume_usd": volume,
        "fees_usd": fees,
        "trade_count": 0,
        "active_users": active,
        "new_users": new,
        "trading_days": 0,
        "largest_day_volume_usd": 0,
        "top_user_volume_usd": 0,
        "sum_of_squared_user_volumes": 0,
        "users_over_1000_usd": 0,
        "zero_fee_volume_usd": 0,
    }


def measured_row(account_id: int, **measures: Any) -> dict[str, Any]:
    """Return the row of an account's measures of risk; those left out are unknown."""
    return {
        "account_id": account_id,
        "data_through": T,
        "policy_version": 1,
        "measured_at": NOW,
        "inputs": {},
        **measures,
    }


def add_measures(conn: Connection, account_id: int, **measures: Any) -> None:
    """Add measures of risk, as if after the newest refresh."""
    conn.execute(insert(tables.risk_measures).values(measured_row(account_id, **measures)))
    conn.execute(text("select review.restate_measured()"))


def pass_checks(conn: Connection, application_id: int, *, but: tuple[str, ...] = ()) -> None:
    """Answer every required check as passed, so that an approval is possible."""
    conn.execute(
        insert(tables.checks),
        [
            {
                "application_id": application_id,
                "item": item,
                "outcome": "passed",
                "comment": "",
                "author": "ana@example.com",
                "created_at": NOW - timedelta(days=1),
            }
            for item in DEFAULT_REQUIRED_CHECKS
            if item not in but
        ],
    )


def add_eligible(conn: Connection, application_id: int, **given: Any) -> int:
    """Add an application that meets the on-exchange minimums, with its checks passed."""
    fees = given.pop("fees", 0)
    add_application(conn, application_id, **given)
    add_metrics(conn, given.get("account_id", application_id), **MINIMUMS, fees=fees)
    pass_checks(conn, application_id)
    return application_id


def add_evidence(conn: Connection, application_id: int, **given: Any) -> None:
    conn.execute(
        insert(tables.evidence).values(
            {
                "application_id": application_id,
                "kind": str(EvidenceKind.X_FOLLOWERS),
                "value": 6000,
                "method": "profile_page",
                "observed_at": NOW - timedelta(days=3),
                "recorded_by": "ana@example.com",
                "recorded_at": NOW - timedelta(days=3),
                **given,
            }
        )
    )


def add_policy(conn: Connection, policy: Policy) -> None:
    columns = {c.name: getattr(policy, c.name) for c in tables.policies.columns}
    columns |= {name: list(columns[name]) for name in ("checklist", "required_checks")}
    conn.execute(
        insert(tables.policies).values({**columns, "window_kind": str(policy.window_kind)})
    )


def add_segment_sums(conn: Connection, *rows: Mapping[str, Any]) -> None:
    """Add rows of the segments' daily sums, and sum up their months as a refresh does."""
    monthly = tables.segment_monthly
    conn.execute(insert(tables.segment_daily), rows)
    conn.execute(monthly.delete())
    conn.execute(
        text(
            "insert into review.segment_monthly select dimension, date_trunc('month', day::timestamp), "
            "segment, sum(volume_usd), sum(fees_usd), sum(active_users), sum(new_users) "
            "from review.segment_daily group by 1, 2, 3"
        )
    )


def scalar(conn: Connection, statement: str) -> Any:
    return conn.execute(text(statement)).scalar_one()
