"""Erase a person's texts, and place legal holds that forbid it.

The decisions, their figures and the people who made them stay; the chain still verifies. What is
erased follows the rules in ``migrations/schema/10_erasures.sql``.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Engine, insert, select, text

from data_access.db import database, tables, text_rules
from data_access.db.errors import NotAllowed, NotFound, NotInState
from data_access.exports import spool
from program.review import people
from program.review.workflow import Status

LONGEST_REASON = 2_000
ERASE = "select review.erase_person(:account_id, :reason, :actor, :at, :request_id)"
NAMES = "select review.names_of(:account_id)"
MENTIONS = "select table_name, column_name, number from review.mentions(:names)"
WITH_STATISTICS = """
select distinct table_name from review.text_rules
where treatment in ('erased', 'keys', 'searched') order by 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonCommand:
    """A request of the command line about a person, whose user need not be staff."""

    account_id: int
    reason: str
    actor: str
    at: datetime
    request_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Erase(PersonCommand):
    """Erase the person's texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(PersonCommand):
    """Place a legal hold on the person's account, or lift it."""

    lifted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What was done. ``mentions`` counts rows about others, by column, that name the person."""

    erasure_id: int
    mentions: Mapping[str, int]

    def __str__(self) -> str:
        sentence = f"Erased, as erasure {self.erasure_id}."
        if not self.mentions:
            return sentence
        places = ", ".join(f"{place} ({number:,})" for place, number in self.mentions.items())
        return f"{sentence} Records about others still name the person; look at {places}."


def erase(engine: Engine, command: Erase) -> Erased:
    """Erase the person's texts in one transaction; a repeat returns the first erasure.

    Raises NotFound, NotAllowed under a legal hold, NotInState while an application is open, and
    Invalid.
    """
    reason = text_rules.require(command.reason, what="The reason", longest=LONGEST_REASON)
    with database.acting(engine) as connection:
        _require_account(connection, command.account_id)
        erasure_id = _earlier(connection, command.request_id)
        names = connection.execute(text(NAMES), {"account_id": command.account_id}).scalar_one()
        if erasure_id is None:
            _require_free(connection, command.account_id)
            given = {
                "account_id": command.account_id,
                "reason": reason,
                "actor": people.normal(command.actor),
                "at": command.at,
                "request_id": command.request_id,
            }
            erasure_id = connection.execute(text(ERASE), given).scalar_one()
        found = connection.execute(text(MENTIONS), {"names": names}).all()
        mentions = {f"{row.table_name}.{row.column_name}": row.number for row in found}
    _forget_statistics(engine)
    _empty_spool()
    return Erased(erasure_id=erasure_id, mentions=mentions)


def hold(engine: Engine, command: Hold) -> int:
    """Place or lift a legal hold; returns its id. Raises NotFound, NotInState and Invalid."""
    reason = text_rules.require(command.reason, what="The reason", longest=LONGEST_REASON)
    table = tables.holds
    with database.acting(engine) as connection:
        _require_account(connection, command.account_id)
        if is_held(connection, command.account_id) != command.lifted:
            state = "is not" if command.lifted else "is already"
            raise NotInState(f"Account {command.account_id} {state} under a legal hold.")
        hold_id: int = connection.execute(
            insert(table)
            .values(
                account_id=command.account_id,
                kind="lifted" if command.lifted else "placed",
                reason=reason,
                actor=people.normal(command.actor),
                at=command.at,
                request_id=command.request_id,
            )
            .returning(table.c.hold_id)
        ).scalar_one()
        return hold_id


def is_held(connection: Connection, account_id: int) -> bool:
    """Whether a legal hold forbids erasing this account."""
    table = tables.holds.c
    newest = select(table.kind).where(table.account_id == account_id).order_by(table.hold_id.desc())
    return connection.execute(newest.limit(1)).scalar() == "placed"


def _require_account(connection: Connection, account_id: int) -> None:
    table = tables.accounts.c
    # Held, so that a hold and an erasure of one person wait for each other.
    known = select(table.account_id).where(table.account_id == account_id).with_for_update()
    if connection.execute(known).first() is None:
        raise NotFound(f"There is no account {account_id}.")


def _require_free(connection: Connection, account_id: int) -> None:
    if is_held(connection, account_id):
        raise NotAllowed(
            f"Account {account_id} is under a legal hold. Lift it first with `hold --lift`."
        )
    table = tables.applications.c
    pending = connection.execute(
        select(table.application_id).where(
            table.account_id == account_id, table.status == str(Status.PENDING)
        )
    ).scalar()
    if pending is not None:
        raise NotInState(
            f"Application {pending} is still open. Decide it, or have it withdrawn, first."
        )


def _earlier(connection: Connection, request_id: UUID) -> int | None:
    table = tables.erasures.c
    found = select(table.erasure_id).where(table.request_id == request_id)
    return connection.execute(found).scalar()


def _forget_statistics(engine: Engine) -> None:
    """Compute the planner's statistics anew, which hold samples of rows that are gone."""
    with database.acting(engine) as connection:
        for table in connection.execute(text(WITH_STATISTICS)).scalars().all():
            connection.execute(text(f"analyze {table}"))


def _empty_spool() -> None:
    """Delete the files of exports on this host; a finished one can be exported again."""
    for folder in spool.SPOOL.glob(f"{spool.OURS}*/export-*"):
        shutil.rmtree(folder, ignore_errors=True)
