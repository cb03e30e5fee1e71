"""The audit trail of the policy: who drafted, proposed, published and withdrew what.

All commands share one lock, because drafts and withdrawals depend on the same schedule of versions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Connection, Engine, insert, select

from data_access.db import locks, tables
from data_access.people import commands
from data_access.people.commands import Command
from program.review.permissions import Act


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyCommand(Command):
    """A command on the policy."""

    act: ClassVar[Act] = Act.EDIT_POLICY


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyEvent:
    """One entry of the trail, for a draft or a version; ``detail`` holds old and new values."""

    draft_id: int | None
    kind: str
    actor: str
    at: datetime
    detail: dict[str, Any]


def perform(engine: Engine, command: PolicyCommand, do: Callable[[Connection], int]) -> int:
    """Run ``do`` under the policy's lock and return its result; a repeat returns the first."""
    return commands.perform(engine, command, do, lock=locks.POLICY)


def record_event(
    connection: Connection,
    command: PolicyCommand,
    kind: str,
    draft_id: int | None = None,
    **detail: Any,  # noqa: ANN401 - plain JSON values
) -> None:
    """Record the act in the trail, for a draft or, without one, for a version."""
    connection.execute(
        insert(tables.policy_events).values(
            draft_id=draft_id,
            kind=kind,
            actor=command.actor,
            at=command.at,
            detail=detail,
            request_id=command.request_id,
        )
    )


def newest(connection: Connection, *, most: int = 100) -> list[PolicyEvent]:
    """Return the newest entries, newest first."""
    table = tables.policy_events
    names = ("draft_id", "kind", "actor", "at", "detail")
    rows = connection.execute(
        select(*(table.c[name] for name in names)).order_by(table.c.event_id.desc()).limit(most)
    ).mappings()
    return [PolicyEvent(**row) for row in rows]
