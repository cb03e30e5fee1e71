"""Withdrawing a scheduled version of the policy before it takes effect, by two managers.

The version stays readable; the withdrawal is its own row, and `review.policy_in_force` skips
withdrawn versions.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, insert, select, update

from data_access.db import tables, text_rules
from data_access.db.errors import NotAllowed, NotInState
from data_access.eligibility import policies
from data_access.policy import trail
from data_access.policy.trail import PolicyCommand
from program import wording
from program.periods import utc_day
from program.policy.policy import Policy

LONGEST_REASON = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """A proposal to withdraw a version, open or closed; ``reason`` is typed text."""

    withdrawal_id: int
    version: int
    reason: str
    proposed_by: str
    proposed_at: datetime
    closed_as: str | None
    closed_by: str | None
    closed_at: datetime | None
    closing_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeWithdrawal(PolicyCommand):
    """Propose the withdrawal of a scheduled version."""

    version: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmWithdrawal(PolicyCommand):
    """Withdraw the version as the second manager."""

    withdrawal_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineWithdrawal(PolicyCommand):
    """Keep the version scheduled, with a reason."""

    withdrawal_id: int
    reason: str


def propose(engine: Engine, command: ProposeWithdrawal) -> int:
    """Propose the withdrawal of a scheduled version; returns the withdrawal's id.

    Raises NotAllowed, NotInState, Invalid or RequestReused.
    """
    reason = text_rules.require(command.reason, what="The reason", longest=LONGEST_REASON)
    version = command.version

    def do(connection: Connection) -> int:
        _require_scheduled(connection, version, command.at)
        if any(one.version == version for one in open_ones(connection)):
            raise NotInState("Its withdrawal is already proposed. Reload the page.")
        table = tables.policy_withdrawals
        withdrawal_id: int = connection.execute(
            insert(table)
            .values(
                version=version,
                reason=reason,
                proposed_by=command.actor,
                proposed_at=command.at,
            )
            .returning(table.c.withdrawal_id)
        ).scalar_one()
        trail.record_event(
            connection, command, "withdrawal_proposed", version=version, reason=reason
        )
        return withdrawal_id

    return trail.perform(engine, command, do)


def confirm(engine: Engine, command: ConfirmWithdrawal) -> int:
    """Withdraw the version as the second manager; returns its number.

    Raises NotAllowed, NotInState or RequestReused.
    """

    def do(connection: Connection) -> int:
        found = _require_open(connection, command.withdrawal_id)
        if command.actor == found.proposed_by:
            raise NotAllowed("You proposed this yourself; another manager must confirm it.")
        _require_scheduled(connection, found.version, command.at)
        _close(connection, command, found, "withdrawn")
        trail.record_event(
            connection,
            command,
            "withdrawn",
            version=found.version,
            reason=found.reason,
            proposed_by=found.proposed_by,
        )
        return found.version

    return trail.perform(engine, command, do)


def decline(engine: Engine, command: DeclineWithdrawal) -> int:
    """Keep the version scheduled, with a reason; returns the withdrawal's id.

    The proposer cancels the proposal in the same way. Raises NotAllowed, NotInState, Invalid or
    RequestReused.
    """
    reason = text_rules.require(command.reason, what="The reason", longest=LONGEST_REASON)

    def do(connection: Connection) -> int:
        found = _require_open(connection, command.withdrawal_id)
        closed_as = "cancelled" if command.actor == found.proposed_by else "declined"
        _close(connection, command, found, closed_as, reason)
        trail.record_event(
            connection, command, "withdrawal_declined", version=found.version, reason=reason
        )
        return found.withdrawal_id

    return trail.perform(engine, command, do)


def open_ones(connection: Connection) -> list[Withdrawal]:
    """Return the withdrawals that wait for a second manager."""
    return [one for one in every(connection) if one.closed_as is None]


def every(connection: Connection) -> list[Withdrawal]:
    """Return all withdrawals, newest first; none is ever deleted."""
    table = tables.policy_withdrawals
    rows = connection.execute(select(table).order_by(table.c.withdrawal_id.desc())).mappings()
    return [Withdrawal(**row) for row in rows]


def _require_scheduled(connection: Connection, version: int, now: datetime) -> Policy:
    """Return the version if it has not taken effect."""
    found = next((p for p in policies.scheduled(connection, now=now) if p.version == version), None)
    if found is not None:
        return found
    known = next(
        (one for one in policies.history(connection) if one.policy.version == version), None
    )
    if known is None:
        raise NotInState(f"There is no version {version}.")
    if known.withdrawn_by is not None:
        raise NotInState(f"Version {version} is already withdrawn. Reload the page.")
    since = wording.day(utc_day(known.policy.effective_from))
    raise NotInState(
        f"Version {version} took effect on {since} and cannot be withdrawn. "
        "Publish another version instead."
    )


def _require_open(connection: Connection, withdrawal_id: int) -> Withdrawal:
    found = next((one for one in every(connection) if one.withdrawal_id == withdrawal_id), None)
    if found is None or found.closed_as is not None:
        raise NotInState("This proposal is no longer open. Reload the page.")
    return found


def _close(
    connection: Connection,
    command: PolicyCommand,
    withdrawal: Withdrawal,
    closed_as: str,
    reason: str | None = None,
) -> None:
    table = tables.policy_withdrawals
    connection.execute(
        update(table)
        .where(table.c.withdrawal_id == withdrawal.withdrawal_id, table.c.closed_as.is_(None))
        .values(
            closed_as=closed_as,
            closed_by=command.actor,
            closed_at=command.at,
            closing_reason=reason,
        )
    )
