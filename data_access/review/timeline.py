"""Read the timeline of an application: events, notes, evidence, checks and decisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, select

from data_access.applications.decision_history import MadeDecision
from data_access.applications.read import Application
from data_access.db import tables
from program.review.workflow import Move, Status


class EntryKind(StrEnum):
    """The kind of a line on the timeline."""

    SUBMITTED = "submitted"
    NOTE = "note"
    EVIDENCE = "evidence"
    CHECK = "check"
    EVENT = "event"
    MESSAGE = "message"
    ANSWER = "answer"
    DECISION = "decision"
    DELIVERY = "delivery"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One line: ``title`` is ours, ``body`` is typed text and never markup."""

    at: datetime
    kind: EntryKind
    actor: str
    title: str
    body: str = ""


def read(
    connection: Connection, application: Application, decisions: Sequence[MadeDecision]
) -> list[TimelineEntry]:
    """Return the timeline of an application with all its ``decisions``; both newest first."""
    id_ = application.application_id
    submitted = TimelineEntry(
        at=application.submitted_at,
        kind=EntryKind.SUBMITTED,
        actor="applicant",
        title="submitted",
    )
    # Each part comes newest first and sorting is stable: with equal times, the later stays above.
    entries = _decisions(decisions)
    for read_part in (_events, _checks, _notes, _evidence):
        entries += read_part(connection, id_)
    withdrawn = any(entry.title == Move.WITHDRAW for entry in entries)
    if application.status is Status.WITHDRAWN and application.status_changed_at and not withdrawn:
        entries.append(
            TimelineEntry(
                at=application.status_changed_at,
                kind=EntryKind.EVENT,
                actor="upstream",
                title="withdrawn",
            )
        )
    return sorted([*entries, submitted], key=lambda entry: entry.at, reverse=True)


def _notes(connection: Connection, id_: int) -> list[TimelineEntry]:
    table = tables.notes
    return [
        TimelineEntry(
            at=row.created_at, kind=EntryKind.NOTE, actor=row.author, title="note", body=row.body
        )
        for row in _newest_first(connection, table, table.c.note_id, id_)
    ]


def _evidence(connection: Connection, id_: int) -> list[TimelineEntry]:
    table = tables.evidence
    return [
        TimelineEntry(
            at=row.recorded_at,
            kind=EntryKind.EVIDENCE,
            actor=row.recorded_by,
            title=f"evidence: {row.value:,.0f} followers on X"
            if row.kind == "x_followers"
            else f"evidence: {row.value:,.2f} USD on another exchange",
            body=" · ".join(part for part in (row.exchange_name, row.source_url) if part),
        )
        for row in _newest_first(connection, table, table.c.evidence_id, id_)
    ]


def _checks(connection: Connection, id_: int) -> list[TimelineEntry]:
    table = tables.checks
    return [
        TimelineEntry(
            at=row.created_at,
            kind=EntryKind.CHECK,
            actor=row.author,
            title=f"check: {row.item.replace('_', ' ')} {row.outcome.replace('_', ' ')}",
            body=row.comment,
        )
        for row in _newest_first(connection, table, table.c.check_id, id_)
    ]


def _decisions(decisions: Sequence[MadeDecision]) -> list[TimelineEntry]:
    entries = []
    for made in decisions:
        against = " against the computed eligibility" if made.is_override else ""
        second = f", confirmed by {made.second_approver}" if made.second_approver else ""
        reasons = [made.rationale, made.override_reason or ""]
        decision = TimelineEntry(
            at=made.decided_at,
            kind=EntryKind.DECISION,
            actor=made.decided_by,
            title=f"{made.outcome}{against}{second}",
            body="\n".join(text for text in reasons if text),
        )
        message = TimelineEntry(
            at=made.decided_at,
            kind=EntryKind.MESSAGE,
            actor=made.decided_by,
            title="message to the applicant",
            body=made.message_to_applicant,
        )
        entries += [decision, message] if made.message_to_applicant else [decision]
    return entries


def _events(connection: Connection, id_: int) -> list[TimelineEntry]:
    table = tables.events
    rows = _newest_first(connection, table, table.c.event_id, id_)
    return [_event(row) for row in rows if row.kind not in _TOLD_BY_THE_DECISION]


_TOLD_BY_THE_DECISION = (str(Move.APPROVE), str(Move.REJECT))
_MESSAGES = {
    str(Move.REQUEST_INFORMATION): (EntryKind.MESSAGE, "asked for information", "message"),
    str(Move.RECORD_ANSWER): (EntryKind.ANSWER, "the applicant's answer", "answer"),
}


def _event(row: Row[Any]) -> TimelineEntry:
    detail = row.detail or {}
    if row.kind in _DELIVERIES:
        title, body = _delivery(row.kind, detail)
        return TimelineEntry(
            at=row.at, kind=EntryKind.DELIVERY, actor=row.actor, title=title, body=body
        )
    kind, title, key = _MESSAGES.get(
        row.kind, (EntryKind.EVENT, _title(row.kind, detail), "reason")
    )
    return TimelineEntry(
        at=row.at,
        kind=kind,
        actor=row.actor,
        title=title,
        body=str(detail.get(key) or _changes(detail) or _proposed(detail)),
    )


# The words for what became of a message, and the keys of the detail shown with them.
_DELIVERIES = {
    "message_sent": ("message sent by {route}", "to"),
    "message_delivered": ("message delivered by {route}", "to"),
    "message_failed": ("message failed, to be retried", "said"),
    "message_parked": ("message undeliverable after {tries}", "said"),
    "message_withheld": ("message withheld", "reason"),
    "message_retried": ("message queued again", ""),
    "message_redirected": ("message queued for another recipient", "to"),
    "message_cancelled": ("message canceled", "reason"),
}


def _delivery(kind: str, detail: dict[str, Any]) -> tuple[str, str]:
    words, key = _DELIVERIES[kind]
    tries = detail.get("tries", 1)
    title = words.format(
        route=detail.get("route", ""), tries=f"{tries} tr{'y' if tries == 1 else 'ies'}"
    )
    text = detail.get(key) or ""
    if isinstance(text, dict):
        old, new = (f"{side[0]} {side[1] or 'nobody'}" for side in (text["old"], text["new"]))
        text = f"{new}, instead of {old}"
    return title, str(text)


def _title(kind: str, detail: dict[str, Any]) -> str:
    words = kind.replace("_", " ")
    person = detail.get("assignee") or {}
    if kind == "assigned":
        return f"assigned to {person.get('new')}"
    if kind == "taken_over" and person.get("old"):
        return f"taken over from {person['old']}"
    if kind == Move.DEFER:
        return f"deferred {_until(detail)}".rstrip()
    if kind == Move.BRING_BACK and detail.get("why"):
        return f"back in the queue, because {detail['why']}"
    if kind == Move.ASK_SECOND_APPROVAL and detail.get("outcome"):
        wanted = {"approved": "approve", "rejected": "reject"}[detail["outcome"]]
        return f"{words}, to {wanted} ({', '.join(detail.get('needed_for', ()))})"
    return words


def _until(detail: dict[str, Any]) -> str:
    day = f"until {date.fromisoformat(detail['until']):%-d %b %Y}" if detail.get("until") else ""
    change = "until a criterion's result changes" if detail.get("until_change") else ""
    return ", or ".join(part for part in (day, change) if part)


def _proposed(detail: dict[str, Any]) -> str:
    """Return the reason of a proposal and the figures it was based on."""
    figures = ", ".join(f"{what} {value}" for what, value in detail.get("figures") or ())
    lines = (detail.get("override_reason"), f"Proposed on: {figures}" if figures else "")
    return "\n".join(line for line in lines if line)


def _changes(detail: dict[str, Any]) -> str:
    changes = detail.get("changes") or ()
    return "; ".join(f"{c['what']}: {c['old']} is now {c['new']}" for c in changes)


def _newest_first(
    connection: Connection, table: Table, key: ColumnElement[int], id_: int
) -> Sequence[Row[Any]]:
    statement = select(table).where(table.c.application_id == id_).order_by(key.desc())
    return connection.execute(statement).all()
