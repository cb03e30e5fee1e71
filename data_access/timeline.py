"""One chronological thread of an application: what happened, was written and was seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, select

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
    submitted = TimelineEntry(
        at=application.submitted_at,
        kind=EntryKind.SUBMITTED,
        actor="applicant",
        title="submitted",
    )
    # Each part comes newest first and sorting is stable: of one moment the later stays above.
    parts = (_decisions, _events, _checks, _notes, _evidence)
    entries = [entry for read_part in parts for entry in read_part(connection, id_)]
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
        for row in _newest_first(connection, table, table.c.decision_id, id_)
    ]


def _events(connection: Connection, id_: int) -> list[TimelineEntry]:
    table = tables.events
    told_elsewhere = ("approved", "rejected")
    rows = _newest_first(connection, table, table.c.event_id, id_)
    return [
        TimelineEntry(
            at=row.at, kind=EntryKind.EVENT, actor=row.actor, title=row.kind.replace("_", " ")
        )
        for row in rows
        if row.kind not in told_elsewhere
    ]


def _newest_first(
    connection: Connection, table: Table, key: ColumnElement[int], id_: int
) -> Sequence[Row[Any]]:
    statement = select(table).where(table.c.application_id == id_).order_by(key.desc())
    return connection.execute(statement).all()
