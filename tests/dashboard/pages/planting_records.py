"""Every payload in the records of what people and this program did, and which columns hold none."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection, Engine, insert, select, text, update

from data_access.db import tables
from data_access.eligibility import assessments, judging
from data_access.review import decisions
from program.review.permissions import Role
from program.review.workflow import Decision, Move
from tests.builders import pass_checks
from tests.dashboard.pages.planting import APPROVED, NUMBERS, address_of, insert_all, planted

# Columns with text that nobody types, by table, and why; all others must hold every payload.
UNTYPED: dict[str, dict[str, str]] = {
    "one of the words that a constraint or the program lists": {
        "exchange.accounts": "country_code kyc_status",
        "exchange.applications": "status",
        "review.staff": "role",
        "review.staff_events": "kind",
        "review.saved_views": "screen",
        "review.report_mail_settings": "zone",
        "review.jobs": "kind outcome",
        "review.policies": "window_kind checklist required_checks",
        "review.policy_drafts": "closed_as",
        "review.policy_events": "kind",
        "review.policy_withdrawals": "closed_as",
        "review.holiday_changes": "kind",
        "review.requests": "act result_kind",
        "review.desk": "status",
        "review.evidence": "kind method",
        "review.checks": "outcome",
        "review.decisions": "outcome reapply",
        "review.proposals": "outcome reapply needed_for closed_as",
        "review.bulk_runs": "act",
        "review.outbox": "channel stopped_as last_reason",
        "review.message_templates": "kind language",
        "review.delivery_settings": "email_instead language_by_country",
        "review.delivery_proposals": "closed_as",
        "review.affiliate_standings": "status reason_code",
        "review.affiliate_events": "kind old new reason_code suggested",
        "review.risk_dismissals": "signal",
        "review.risk_alerts": "signal severity",
        "review.exports": "dataset format columns outcome",
        "review.loads": "kind",
        "review.kept_rows": "state",
        "review.kept_row_events": "kind",
        "review.holds": "kind",
        "review.contact_reads": "list",
    },
    "chosen among what a page offers": {
        "review.preferences": "name value",
        "review.policy_drafts": "settings",
    },
    "figures, ids and counts that the program computed": {
        "review.policies": "risk_thresholds",
        "review.holiday_changes": "effect",
        "review.desk": "deferred_answers",
        "review.decisions": "snapshot",
        "review.risk_measures": "inputs",
        "review.form_imports": "counts",
        "review.archived_months": "file",
    },
    "computed from columns that hold the payloads; codes, or read by searches only": {
        "review.requalifications": "outcome",
        "review.affiliate_tested": "outcome",
        "review.affiliate_counts": "outcome",
        "review.affiliate_outcomes": "outcome",
        "review.outcome_counts": "decided_by",
        "review.refreshes": "window_kind",
        "review.affiliate_segments": "country track cohort rate",
        "review.segment_daily": "dimension segment",
        "review.segment_monthly": "dimension segment",
        "review.application_courses": "status platform country decided_by track decided_case",
        "review.work_daily": "moment dimension segment waits",
        "review.work_monthly": "moment dimension segment waits",
        "review.standing_sums": "status",
        "review.standings": "status country_code platform_key assignee risk_level risk_signals "
        "search_keys search_text",
    },
    "a digest, or random": {
        "review.sessions": "session_key",
        "review.bulk_runs": "content",
        "review.form_imports": "sha256",
        "review.archived_months": "sha256",
        "review.kept_rows": "fingerprint",
        "review.history_entries": "row_hashes",
        "review.history_links": "previous hash",
        "review.history_genesis": "hash",
        "review.history_head": "hash",
        "review.history_salts": "salt",
        "review.history_erased": "digests",
    },
    "about the schema": {
        "review.text_rules": "table_name column_name treatment kept_keys why",
        "review.history_formats": "table_name key_column columns erased kept_keys ignored",
        "review.history_entries": "table_name",
        "review.history_genesis": "statement",
        "review.history_salts": "table_name",
        "review.history_erased": "table_name",
    },
    "read by commands only": {
        "review.jobs": "folder",
        "review.erasures": "reason actor transaction_id",
    },
}


def plant_records(engine: Engine, *, now: datetime, numbers: Sequence[int] = NUMBERS) -> None:
    """Add what `plant` and `plant_elsewhere`, which come first, leave out."""
    for n in numbers[1::4]:
        propose(engine, n, now=now)
    with engine.begin() as conn:
        bind(conn, numbers)
        insert_all(conn, (row for n in numbers for row in records(n, now)))
        for n in numbers:
            plant_import(conn, n, now)
        for n in numbers[::4]:
            plant_past_proposal(conn, n, now)
        settings = conn.execute(select(tables.delivery_settings).limit(1)).mappings().one()
        plant_silencing(conn, settings, now, numbers)


def propose(engine: Engine, n: int, *, now: datetime) -> None:
    """Propose an approval that needs a second person."""
    with engine.begin() as conn:
        pass_checks(conn, n)
        context = judging.read_context(conn, now=now)
        shown = assessments.read(conn, n, context).viewed_facts
    draft = decisions.Draft(
        outcome=Decision.APPROVED,
        rebate_rate=Decimal("0.2"),
        rationale=planted(n, "rationale"),
        message=planted(n, "message"),
        override_reason=planted(n, "override"),
    )
    by = address_of(n, Role.REVIEWER)
    decisions.submit(
        engine,
        decisions.Decide(
            application_id=n, draft=draft, shown=shown, actor=by, at=now, request_id=uuid.uuid4()
        ),
    )


def plant_past_proposal(conn: Connection, n: int, now: datetime) -> None:
    """Add a proposal that a second person declined, and somebody who works on it since."""
    seen = conn.execute(select(tables.proposals.c.seen).limit(1)).scalar_one()
    by, manager = address_of(n, Role.REVIEWER), address_of(n, Role.MANAGER)
    conn.execute(
        insert(tables.proposals).values(
            application_id=n,
            outcome="rejected",
            reason_code=planted(n, "reason"),
            override_reason=planted(n, "override"),
            rationale=planted(n, "rationale"),
            message_to_applicant=planted(n, "message"),
            is_override=True,
            needed_for=["override"],
            seen=seen,
            proposed_by=by,
            proposed_at=now,
            closed_as="declined",
            closed_by=manager,
            closed_at=now,
        )
    )
    held = {"application_id": n, "status": "pending", "assignee": by, "claimed_at": now}
    conn.execute(insert(tables.desk).values(held))


def bind(conn: Connection, numbers: Sequence[int]) -> None:
    for n in numbers:
        bound = {"issuer": f"https://{planted(n, 'issuer')}", "subject": planted(n, "account")}
        email = address_of(n, Role.REVIEWER)
        conn.execute(update(tables.staff).where(tables.staff.c.email == email).values(bound))


def records(n: int, now: datetime) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield rows with this payload in every free text, and their tables."""
    typed = partial(planted, n)
    by, manager = address_of(n, Role.REVIEWER), address_of(n, Role.MANAGER)
    about = {"application_id": n, "actor": by, "at": now}
    for kind, detail in (
        (str(Move.REQUEST_INFORMATION), {"message": typed("asked")}),
        (str(Move.RECORD_ANSWER), {"answer": typed("answer")}),
        (str(Move.DEFER), {"reason": typed("deferred"), "until_change": True}),
        (str(Move.BRING_BACK), {"why": typed("why")}),
        ("assigned", {"assignee": {"old": None, "new": by}}),
        (str(Move.REOPEN), {"reason": typed("reopened")}),
        ("message_sent", {"to": typed("to"), "route": "email"}),
        ("message_parked", {"said": typed("said"), "tries": 3}),
        (str(Move.LAPSE), {"changes": [{"what": typed("what"), "old": "1", "new": typed("now")}]}),
    ):
        yield "events", about | {"kind": kind, "detail": detail}
    yield (
        "staff_events",
        {
            "email": by,
            "kind": "role_changed",
            "old": {"role": typed("before")},
            "new": {"role": typed("after")},
            "reason": typed("reason"),
            "actor": manager,
            "at": now,
            "request_id": uuid.uuid4(),
        },
    )
    closed = {
        "closed_as": "declined",
        "closed_by": address_of(n, Role.ADMIN),
        "closed_at": now,
        "closing_reason": typed("closing"),
    }
    yield (
        "policy_withdrawals",
        {"version": n + 1, "reason": typed("reason"), "proposed_by": manager, "proposed_at": now}
        | closed,
    )
    yield (
        "policy_events",
        {
            "kind": "declined",
            "actor": manager,
            "at": now,
            "detail": {"reason": typed("reason"), "version": n + 1},
            "request_id": uuid.uuid4(),
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
            "closed_as": "discarded",
            "closed_by": manager,
            "closed_at": now,
        },
    )
    yield (
        "bulk_runs",
        {
            "request_id": uuid.uuid4(),
            "actor": by,
            "act": "DECIDE",
            "at": now,
            "finished_at": now,
            "asked": [n],
            "results": [{"application_id": n, "done": False, "sentence": typed("sentence")}],
        },
    )
    yield (
        "jobs",
        {
            "job_id": uuid.uuid4(),
            "kind": "run",
            "person": by,
            "request": {"message": typed("message")},
            "begun_at": now,
            "lease": uuid.uuid4(),
            "lease_until": now,
            "ended_at": now,
            "outcome": "complete",
        },
    )
    yield (
        "outbox",
        {
            "message_id": uuid.uuid4(),
            "application_id": n + APPROVED,
            "channel": "email",
            "recipient": typed("recipient"),
            "payload": {"kind": "approved", "message": typed("message")},
            "created_at": now,
            "attempts": 3,
            "next_attempt_at": now,
            "last_error": typed("error"),
            "stopped_as": "parked",
            "stopped_at": now,
            "sent": {"route": "email", "to": typed("to"), "text": typed("sent")},
        },
    )
    yield (
        "report_mail_settings",
        {
            "version": n + 1,
            "is_on": True,
            "weekday": 1,
            "hour": 8,
            "zone": "UTC",
            "colleagues": [manager],
            "counts_from": now,
            "author": manager,
            "saved_at": now,
        },
    )
    yield (
        "report_mails",
        {
            "mail_id": uuid.uuid4(),
            "week": now.date() - timedelta(days=now.weekday() + 7 * n),
            "colleague": manager,
            "due_at": now,
            "subject": typed("subject"),
            "body": typed("body"),
            "html": typed("html"),
            "attached": typed("attached"),
            "created_at": now,
            "next_attempt_at": now,
            "ended_at": now,
            "sent": False,
            "last_error": typed("error"),
        },
    )
    yield (
        "risk_digests",
        {
            "digest_id": uuid.uuid4(),
            "day": now.date() - timedelta(days=n),
            "manager": manager,
            "first_alert": 1,
            "last_alert": 1,
            "created_at": now,
            "next_attempt_at": now,
            "ended_at": now,
            "sent": False,
            "last_error": typed("error"),
        },
    )
    yield (
        "saved_views",
        {
            "owner": by,
            "name": typed("searching"),
            "shared": True,
            "query": urlencode({"search": typed("search")}),
            "created_at": now,
            "screen": "queue",
        },
    )
    yield "leave", {"email": by, "first_day": now.date(), "last_day": now.date()}
    yield "viewers", {"application_id": n, "email": by, "seen_at": now}
    yield "contact_reads", {"email": by, "day": now.date(), "application_id": n, "first_at": now}
    yield "sessions", {"session_key": f"{n:064x}", "email": by}
    yield "preferences", {"email": by, "name": "queue_columns", "value": []}
    yield (
        "holds",
        {
            "account_id": n,
            "kind": "placed",
            "reason": typed("reason"),
            "actor": by,
            "at": now,
            "request_id": uuid.uuid4(),
        },
    )


def plant_import(conn: Connection, n: int, now: datetime) -> None:
    """Add a file whose names, cells and problems are the payload, and a kept row of it."""
    typed, by = partial(planted, n), address_of(n, Role.REVIEWER)
    problem = {"field": typed("field"), "value": typed("value"), "reason": typed("problem")}
    row = {"row": 2, "line": 2, "outcome": "kept for later", "application_id": None}
    conn.execute(
        insert(tables.form_maps).values(
            name=typed("map"),
            content={"fields": {"username": typed("field")}},
            saved_by=by,
            saved_at=now,
        )
    )
    conn.execute(
        insert(tables.loads).values(
            kind="applications",
            files=[typed("file")],
            rows_read=1,
            rows_inserted=0,
            rows_updated=0,
        )
    )
    import_id = conn.execute(
        insert(tables.form_imports)
        .values(
            request_id=uuid.uuid4(),
            file_name=typed("file"),
            bytes=1,
            sha256="0",
            map_name=typed("map"),
            map={"fields": {"username": typed("field")}},
            header=[typed("field")],
            counts={"kept for later": 1},
            report={
                "columns": {"username": typed("field")},
                "said": [typed("remark")],
                "rows": [row | {"problems": [problem], "said": [typed("remark")]}],
            },
            imported_by=by,
            imported_at=now,
        )
        .returning(tables.form_imports.c.import_id)
    ).scalar_one()
    row_id = conn.execute(
        insert(tables.kept_rows)
        .values(
            import_id=import_id,
            row_number=2,
            fingerprint=str(n),
            cells=[typed("cell")],
            problems=[problem],
            **({} if n % 2 else {"state": "dismissed", "settled_by": by, "settled_at": now}),
        )
        .returning(tables.kept_rows.c.row_id)
    ).scalar_one()
    conn.execute(
        insert(tables.kept_row_events).values(
            row_id=row_id,
            request_id=uuid.uuid4(),
            kind="corrected",
            actor=by,
            at=now,
            detail={"old": [typed("cell")], "new": [typed("corrected")]},
        )
    )


def plant_silencing(
    conn: Connection, newest: Mapping[Any, Any], now: datetime, numbers: Sequence[int]
) -> None:
    """Add a proposal to send fewer messages for each payload; one is open."""
    kept = {name: newest[name] for name in newest if name not in ("version", "author", "saved_at")}
    for n in numbers:
        closed = {"closed_as": "declined", "closed_by": address_of(n, Role.ADMIN), "closed_at": now}
        conn.execute(
            insert(tables.delivery_proposals).values(
                shown_version=numbers[-1] + 1,
                settings=kept | {"note": planted(n, "note")},
                proposed_by=address_of(n, Role.MANAGER),
                proposed_at=now,
                **({} if n == numbers[-1] else closed),
            )
        )


def untyped() -> set[tuple[str, str]]:
    return {
        (table, column)
        for by_table in UNTYPED.values()
        for table, columns in by_table.items()
        for column in columns.split()
    }


def without_payload(conn: Connection, columns: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return which of these columns hold no payload."""
    holds = "select exists (select from {} where {}::text ~ 'zq[0-9]+[a-z]+q')"
    return {
        (table, column)
        for table, column in columns
        if not conn.execute(text(holds.format(table, column))).scalar_one()
    }
