"""One chronological thread of an application: what happened, was written and was seen."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, select

from data_access import tables
from data_access.applications import Application


class EntryKind(StrEnum):
    """What a line of the timeline is."""

    SUBMITTED = "submitted"
    NOTE = "note"
    EVIDENCE = "evidence"
    CHECK = "check"
    EVENT = "event"
    DECISION = "decision"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One line: ``title`` is ours, ``body`` is typed text and never markup."""

    at: datetime
    kind: EntryKind
    actor: str
    title: str
    body: str = ""


def read(connection: Connection, application: Application) -> list[TimelineEntry]:
    """Everything about an application, newest first."""
    id_ = application.application_id
    entries = [
        TimelineEntry(
            at=application.submitted_at,
            kind=EntryKind.SUBMITTED,
            actor="applicant",
            title="submitted",
        )
    ]
    for read_some in (_notes, _evidence, _checks, _decisions, _events):
        entries += read_some(connection, id_)
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


def _notes(connection: Connection, id_: int) -> list[TimelineEntry]:
    table = tables.notes
    return [
        TimelineEntry(
            at=row.created_at, kind=EntryKind.NOTE, actor=row.author, title="note", body=row.body
        )
        for row in connection.execute(select(table).where(table.c.application_id == id_))
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
        for row in connection.execute(select(table).where(table.c.application_id == id_))
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
        for row in connection.execute(select(table).where(table.c.application_id == id_))
    ]


def _decisions(connection: Connection, id_: int) -> list[TimelineEntry]:
    table = tables.decisions
    return [
        TimelineEntry(
            at=row.decided_at,
            kind=EntryKind.DECISION,
            actor=row.decided_by,
            title=row.outcome + (" against the computed eligibility" if row.is_override else ""),
            body=row.rationale,
        )
        for row in connection.execute(select(table).where(table.c.application_id == id_))
    ]


def _events(connection: Connection, id_: int) -> list[TimelineEntry]:
    table = tables.events
    told_elsewhere = ("approved", "rejected")
    rows = connection.execute(
        select(table).where(table.c.application_id == id_, table.c.kind.not_in(told_elsewhere))
    )
    return [
        TimelineEntry(
            at=row.at, kind=EntryKind.EVENT, actor=row.actor, title=row.kind.replace("_", " ")
        )
        for row in rows
    ]
