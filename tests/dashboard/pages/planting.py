"""Every payload in every text that somebody types, for tests that look for one that is live."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, insert

from data_access.db import tables
from program.periods import utc_day
from program.review.permissions import Role
from tests.builders import add_refresh
from tests.dashboard.ui.hostile import EVERY

NUMBERS = range(1, len(EVERY) + 1)
APPROVED, REJECTED = 1_000, 2_000  # added to the number of the pending application


def planted(number: int, column: str) -> str:
    """Return the payload as typed into ``column``; Postgres stores no NUL, and tests no sign.

    Staff addresses accept only visible ASCII characters.
    """
    typed = EVERY[number - 1].replace("\0", "") + f"zq{number}{column}q"
    return "".join(s for s in typed if "!" <= s <= "~") if column == "email" else typed


def address_of(number: int, role: Role) -> str:
    return planted(number, "email").lower() + role


def plant(engine: Engine, *, now: datetime, numbers: Sequence[int] = NUMBERS) -> None:
    """Add a pending, an approved and a rejected application full of each payload.

    Tests that look for something else than payloads take a few ``numbers``.
    """
    with engine.begin() as conn:
        add_refresh(conn, through=utc_day(now) - timedelta(days=1), at=now)
        conn.execute(
            insert(tables.staff),
            [
                {
                    "email": address_of(n, role),
                    "display_name": planted(n, "name"),
                    "role": role,
                    "active": True,
                }
                for n in numbers
                for role in Role
            ],
        )
        conn.execute(
            insert(tables.accounts),
            [
                {
                    "account_id": n,
                    "username": planted(n, "username"),
                    "email": planted(n, "mail"),
                    "country_code": "*_",
                    "kyc_status": "none",
                    "created_at": now - timedelta(days=400),
                    "first_seen_at": now - timedelta(days=300),
                }
                for n in numbers
            ],
        )
        conn.execute(
            insert(tables.applications),
            [
                {
                    "application_id": n + offset,
                    "account_id": n,
                    "social_platform": "x" if offset else planted(n, "platform"),
                    "social_handle": planted(n, "handle"),
                    "contact_platform": planted(n, "channel"),
                    "contact_handle": planted(n, "contact"),
                    "submitted_at": now - timedelta(days=1),
                    "status": status,
                }
                for n in numbers
                for offset, status in (
                    (0, "pending"),
                    (APPROVED, "approved"),
                    (REJECTED, "rejected"),
                )
            ],
        )
        for table, rows in typed_by_staff(now, numbers).items():
            conn.execute(insert(getattr(tables, table)), rows)


def typed_by_staff(now: datetime, numbers: Sequence[int]) -> dict[str, list[dict[str, Any]]]:
    """Return rows of judgments with a payload in every free text, by table."""
    rows: dict[str, list[dict[str, Any]]] = {
        "notes": [],
        "evidence": [],
        "checks": [],
        "events": [],
        "decisions": [],
        "staff_events": [],
    }
    for n in numbers:
        typed = partial(planted, n)
        by = address_of(n, Role.REVIEWER)
        for id_ in (n, n + APPROVED, n + REJECTED):
            about = {"application_id": id_}
            rows["notes"].append(about | {"body": typed("body"), "author": by})
            rows["evidence"].append(
                about
                | {
                    "kind": "external_volume",
                    "value": 1,
                    "exchange_name": typed("exchange"),
                    "source_url": typed("source"),
                    "method": "other",
                    "observed_at": now - timedelta(days=1),
                    "recorded_by": by,
                }
            )
            rows["checks"].append(
                about
                | {
                    "item": typed("item"),
                    "outcome": "passed",
                    "comment": typed("comment"),
                    "author": by,
                }
            )
            rows["events"].append(about | {"kind": typed("kind"), "actor": by})
        rows["staff_events"].append(
            {
                "email": by,
                "kind": "bound",
                "new": {"issuer": "https://id.example", "subject": typed("subject")},
                "reason": typed("why"),
                "actor": by,
                "at": now,
                "request_id": uuid.uuid4(),
            }
        )
        for id_, outcome in ((n + APPROVED, "approved"), (n + REJECTED, "rejected")):
            rows["decisions"].append(
                {
                    "application_id": id_,
                    "outcome": outcome,
                    "reason_code": typed("reason") if outcome == "rejected" else None,
                    "rationale": typed("rationale"),
                    "message_to_applicant": typed("message"),
                    "override_reason": typed("override"),
                    "is_override": True,
                    "second_approver": address_of(n, Role.MANAGER),
                    "rebate_rate": Decimal("0.2") if outcome == "approved" else None,
                    "decided_by": by,
                    "decided_at": now - timedelta(days=2),
                    "policy_version": 1,
                    "snapshot": {},
                }
            )
    return rows


def plant_elsewhere(engine: Engine, *, now: datetime, numbers: Sequence[int] = NUMBERS) -> None:
    """Add what is typed about anything else than one application, each payload once a column."""
    with engine.begin() as conn:
        insert_all(conn, (row for n in numbers for row in typed_elsewhere(n, now)))


def insert_all(conn: Connection, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    """Insert rows of several tables: those with the same columns in one statement."""
    alike = defaultdict(list)
    for table, row in rows:
        alike[table, *row].append(dict(row))
    for (table, *_), together in alike.items():
        conn.execute(insert(getattr(tables, table)), together)


def typed_elsewhere(n: int, now: datetime) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield rows with this payload in every free text, and their tables."""
    typed = partial(planted, n)
    line = " ".join(typed("subject").split())
    by, manager, later = address_of(n, Role.REVIEWER), address_of(n, Role.MANAGER), n + APPROVED
    day = date(2020, 1, 1) + timedelta(days=n)
    yield (
        "saved_views",
        {
            "owner": by,
            "name": typed("view"),
            "shared": True,
            "query": "",
            "created_at": now,
            "screen": "explore" if n % 2 else "queue",
        },
    )
    yield "holidays", {"day": day, "name": typed("holiday")}
    yield (
        "holiday_changes",
        {
            "day": day,
            "kind": "renamed",
            "old_name": typed("old"),
            "new_name": typed("new"),
            "reason": typed("reason"),
            "actor": manager,
            "at": now,
            "request_id": uuid.uuid4(),
        },
    )
    yield (
        "policies",
        {
            "version": n + 1,
            "effective_from": now - timedelta(days=500 - n),
            "author": manager,
            "note": typed("note"),
        },
    )
    yield (
        "policy_drafts",
        {
            "base_version": n + 1,
            "settings": {},
            "note": typed("note"),
            "author": manager,
            "saved_at": now,
            "proposed_at": now,
            "reason": typed("reason"),
        },
    )
    yield (
        "delivery_settings",
        {"version": n + 1, "author": manager, "note": typed("note"), "saved_at": now},
    )
    yield (
        "message_templates",
        {
            "kind": "approved",
            "language": "en",
            "version": n + 1,
            "subject": line,
            "body": typed("body"),
            "author": manager,
            "saved_at": now,
        },
    )
    yield (
        "outbox",
        {
            "message_id": uuid.uuid4(),
            "application_id": later,
            "channel": "email",
            "recipient": typed("recipient"),
            "payload": {"kind": "approved", "message": typed("message")},
            "created_at": now,
            "next_attempt_at": now,
            "attempts": 3,
            "last_error": typed("error"),
            "last_reason": "refused",
            **({"stopped_as": "parked", "stopped_at": now} if n % 2 else {}),
        },
    )
    yield (
        "affiliate_standings",
        {
            "account_id": n,
            "status": "on_notice",
            "since": now,
            "changed_by": manager,
            "reason_code": "other",
            "reason": typed("reason"),
            "misses": 1,
        },
    )
    yield (
        "affiliate_events",
        {
            "account_id": n,
            "application_id": later,
            "at": now,
            "actor": manager,
            "kind": "on_notice",
            "old": "active",
            "new": "on_notice",
            "reason_code": "other",
            "reason": typed("reason"),
            "misses": 1,
            "silent": True,
            "request_id": uuid.uuid4(),
        },
    )
    yield (
        "conflicts",
        {
            "email": manager,
            "account_id": n,
            "reason": typed("reason"),
            "recorded_by": by,
            "recorded_at": now,
        },
    )
    yield (
        "risk_dismissals",
        {
            "account_id": n,
            "signal": "R01",
            "reason": typed("reason"),
            "until": utc_day(now) + timedelta(days=30),
            "actor": by,
            "at": now,
        },
    )
    yield (
        "exports",
        {
            "exported_by": by,
            "exported_at": now,
            "dataset": "applications",
            "format": "csv",
            "filters": {"search": typed("search")},
            "columns": ["account_id"],
            "row_count": 1,
            "view_name": typed("view"),
        },
    )
    yield (
        "jobs",
        {
            "job_id": uuid.uuid4(),
            "kind": "run",
            "person": by,
            "request": {},
            "begun_at": now,
            "lease": uuid.uuid4(),
            "lease_until": now,
            "ended_at": now,
            "outcome": "failed",
            "sentence": typed("sentence"),
        },
    )
