"""Who would be refused if a bulk act were sent now, and why. The act itself asks again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC

from sqlalchemy import Connection, select

from data_access.db import tables
from data_access.eligibility import judging
from data_access.people import staff
from data_access.people.identities import known_by
from data_access.queue import rows
from data_access.queue.rows import QueueRow
from data_access.review.bulk import AssignEach, RejectEach
from data_access.review.bulk_runs import BulkCommand
from program.policy.outcomes import Outcome
from program.review.permissions import Act
from program.review.workflow import OPEN_STATUSES, STATUS_WORDS, Move, way

MOVES = {
    Act.DEFER: Move.DEFER,
    Act.REQUEST_INFORMATION: Move.REQUEST_INFORMATION,
    Act.DECIDE: Move.REJECT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """An application that would be refused. Names are typed text, never markup."""

    application_id: int
    username: str
    sentence: str


def refused(connection: Connection, command: BulkCommand) -> list[Expected]:
    """Return who of the command's applications would be refused, in its order.

    What a rejection states about each is not looked into, only what bars the act on any.
    """
    context = judging.read_context(connection, now=command.at)
    barred = _conflicts(connection, command.actor)
    people = staff.names(connection)
    found = []
    for row in rows.of_ids(connection, command.ids, context):
        sentence = next(_reasons(command, row, barred, people), None)
        if sentence is not None:
            found.append(
                Expected(
                    application_id=row.application_id, username=row.username, sentence=sentence
                )
            )
    return found


def _reasons(
    command: BulkCommand, row: QueueRow, barred: set[int], people: Mapping[str, str]
) -> Iterator[str]:
    move = MOVES.get(command.act)
    if way(move, row.status) is None if move else row.status not in OPEN_STATUSES:
        yield f"is {STATUS_WORDS[row.status]}"
    holder, claim = row.desk.assignee(command.at), row.desk.claim
    if holder not in (None, command.actor) and not isinstance(command, AssignEach):
        until = f" until {claim.until.astimezone(UTC):%H:%M} UTC" if claim and claim.until else ""
        yield f"{people.get(holder or '', holder)} works on it{until}"
    if isinstance(command, RejectEach):
        if row.account_id in barred:
            yield "you have a conflict of interest"
        if row.assessment.outcome is Outcome.MET:
            yield "eligibility is met; it needs its own page"


@known_by("email")
def _conflicts(connection: Connection, email: str) -> set[int]:
    table = tables.conflicts
    return set(
        connection.execute(select(table.c.account_id).where(table.c.email == email)).scalars()
    )
