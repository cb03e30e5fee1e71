"""Applications as they are read: who applies, how to reach them, what came before."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from data_access import tables
from data_access.refusals import NotFound
from program.workflow import Status

LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One application beside its account. Names and handles are typed text, never markup."""

    application_id: int
    account_id: int
    username: str
    email: str | None
    country_code: str | None
    kyc_status: str
    account_created_at: datetime
    social_platform: str
    social_handle: str
    contact_platform: str | None
    contact_handle: str | None
    submitted_at: datetime
    status: Status
    status_changed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierApplication:
    """Another application of the same account, with how it ended."""

    application_id: int
    submitted_at: datetime
    status: Status
    decided_at: datetime | None
    decided_by: str | None
    reason_code: str | None


def possible_id(text: str) -> int | None:
    """The id that ``text`` names, or ``None`` where it can name none."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_ID))):
        return None
    number = int(text)
    return number if number <= LARGEST_ID else None


def read(connection: Connection, application_id: int, *, lock: bool = False) -> Application:
    """One application; with ``lock`` its row is held until the transaction ends.

    Raises NotFound.
    """
    application, account = tables.applications, tables.accounts
    statement = (
        select(
            *(column for column in application.c),
            account.c.username,
            account.c.email,
            account.c.country_code,
            account.c.kyc_status,
            account.c.created_at.label("account_created_at"),
        )
        .join_from(application, account, account.c.account_id == application.c.account_id)
        .where(application.c.application_id == application_id)
    )
    if lock:
        statement = statement.with_for_update(of=application)
    # A number that no id can be is asked of nobody: the database would call it out of range.
    possible = 0 < application_id <= LARGEST_ID
    row = connection.execute(statement).mappings().first() if possible else None
    if row is None:
        raise NotFound(f"There is no application {application_id}.")
    return Application(**{**row, "status": Status(row["status"])})


def others_of_account(connection: Connection, application: Application) -> list[EarlierApplication]:
    """The account's other applications, newest first."""
    table, decision = tables.applications, tables.decisions
    successor = decision.alias("successor")
    superseded = (
        select(1).where(successor.c.supersedes == decision.c.decision_id).correlate(decision)
    )
    rows = connection.execute(
        select(
            table.c.application_id,
            table.c.submitted_at,
            table.c.status,
            decision.c.decided_at,
            decision.c.decided_by,
            decision.c.reason_code,
        )
        .outerjoin_from(
            table,
            decision,
            (decision.c.application_id == table.c.application_id) & ~superseded.exists(),
        )
        .where(
            table.c.account_id == application.account_id,
            table.c.application_id != application.application_id,
        )
        .order_by(table.c.submitted_at.desc(), table.c.application_id.desc())
    ).mappings()
    return [EarlierApplication(**{**row, "status": Status(row["status"])}) for row in rows]
