"""Read applications: the applicant, the contact, and earlier applications."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    DateTime,
    FromClause,
    RowMapping,
    Select,
    Text,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
)

from data_access.db import tables
from data_access.db.errors import NotFound
from data_access.db.records import APPLICATION_ID
from program.review.workflow import OPEN_STATUSES, Status

LARGEST_ID = 2**63 - 1
# Parameters of statements that are built once.
ACCOUNT_ID = bindparam("account_id", type_=BigInteger())
NOW = bindparam("now", type_=DateTime(timezone=True))


def platform_key(typed: ColumnElement[Any]) -> ColumnElement[str]:
    """Return the key of the platform in a column, as `program.text.platforms` does."""
    return func.review.platform_key(typed, type_=Text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Who works on an application. Without ``until`` it was assigned and does not expire."""

    assignee: str
    since: datetime
    until: datetime | None

    def holds(self, now: datetime) -> bool:
        """Return whether the claim has not expired."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The desk's state of an application.

    The review clock counts from ``clock_from``; it stopped at ``paused_at`` if the applicant owes
    information.
    """

    status_at: datetime | None = None
    claim: Claim | None = None
    clock_from: datetime
    paused_at: datetime | None = None
    answered_at: datetime | None = None
    deferred_until: datetime | None = None
    deferred_answers: str | None = None

    def assignee(self, now: datetime) -> str | None:
        """Return who works on it at ``now``; an expired claim is nobody's."""
        return self.claim.assignee if self.claim and self.claim.holds(now) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """An application with its account. Names and handles are typed text, never markup.

    ``status`` is the desk's: upstream's status, or what a pending application waits for here.
    """

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
    desk: Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierApplication:
    """Another application of the same account, with its outcome.

    ``settled_at`` is when it was decided or withdrawn; ``None`` while it is open.
    """

    application_id: int
    submitted_at: datetime
    status: Status
    settled_at: datetime | None
    decided_at: datetime | None
    decided_by: str | None
    reason_code: str | None
    reapply: str | None = None
    reapply_from: date | None = None


def possible_id(text: str) -> int | None:
    """Parse an id; ``None`` if ``text`` cannot be one."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_ID))):
        return None
    number = int(text)
    return number if number <= LARGEST_ID else None


def read(
    connection: Connection, application_id: int, *, now: datetime, lock: bool = False
) -> Application:
    """Read one application at ``now``; ``lock`` locks its row for the transaction.

    Raises NotFound.
    """
    if lock:
        hold(connection, application_id)
    return of_row(row_of(connection, _ONE, application_id, now=now))


def usernames(connection: Connection, ids: Sequence[int]) -> dict[int, str]:
    """Return who made these applications, by id: typed text, never markup."""
    application, account = tables.applications, tables.accounts
    found = connection.execute(
        select(application.c.application_id, account.c.username)
        .join(account, account.c.account_id == application.c.account_id)
        .where(application.c.application_id.in_(ids))
    )
    return {row.application_id: row.username for row in found}


def hold(connection: Connection, application_id: int) -> None:
    """Lock the application's row for the transaction.

    Lock first and read then, so that a waiting transaction sees what the other wrote.
    """
    if _is_possible(application_id):
        connection.execute(_LOCK, {"application_id": application_id})


def row_of(
    connection: Connection,
    statement: Select[Any],
    application_id: int,
    *,
    now: datetime,
    **values: Any,  # noqa: ANN401 - bound parameters
) -> RowMapping:
    """Return the row of a statement of `selected`; raises NotFound."""
    row = None
    if _is_possible(application_id):
        given = {"application_id": application_id, "now": now, **values}
        row = connection.execute(statement, given).mappings().first()
    if row is None:
        raise NotFound(f"There is no application {application_id}.")
    return row


def _is_possible(application_id: int) -> bool:
    # An id out of range would be a database error.
    return 0 < application_id <= LARGEST_ID


def of_row(row: Mapping[Any, Any]) -> Application:
    """Return the application in the columns of `selected`."""
    facts = {name: row[name] for name in _FACTS}
    return Application(**facts, status=Status(row["status"]), desk=desk_of(row))


def effective_status(now: datetime | ColumnElement[datetime]) -> ColumnElement[str]:
    """Return upstream's status, or the desk's for a pending application; needs the desk joined.

    A deferred application whose time has come is pending without a write.
    """
    upstream, desk = tables.applications.c.status, tables.desk.c
    due = and_(desk.status == Status.DEFERRED, desk.deferred_until <= now)
    return case(
        (upstream != Status.PENDING, upstream),
        (due, Status.PENDING),
        else_=func.coalesce(desk.status, Status.PENDING),
    )


def with_status(
    status: Status, now: datetime | ColumnElement[datetime]
) -> list[ColumnElement[bool]]:
    """Return the conditions for an effective status; for open ones, needs the desk joined.

    Upstream's status comes first and plain, so that the partial indexes of pending ones apply.
    """
    upstream, desk = tables.applications.c.status, tables.desk.c
    if status not in OPEN_STATUSES:
        return [upstream == status]
    due = and_(desk.status == Status.DEFERRED, func.coalesce(desk.deferred_until <= now, False))
    if status is Status.PENDING:
        # Written so that the planner estimates half of the rows, not a sliver.
        here = ~func.coalesce(and_(desk.status != Status.PENDING, ~due), False)
    else:
        here = and_(desk.status == status, ~due)
    return [upstream == Status.PENDING, here]


def with_desk(source: FromClause) -> FromClause:
    """Return ``source`` left-joined with the desk's state."""
    desk = tables.desk
    return source.outerjoin(desk, desk.c.application_id == tables.applications.c.application_id)


def clock_from() -> ColumnElement[datetime]:
    """Return when the review clock started; needs the desk joined."""
    return func.coalesce(tables.desk.c.clock_from, tables.applications.c.submitted_at)


def is_held(now: datetime) -> ColumnElement[bool]:
    """Return whether somebody works on it; never NULL. Needs the desk joined.

    Written so that the planner estimates it well: an estimate of zero rows leads to bad plans.
    """
    desk = tables.desk.c
    lasting = or_(desk.claim_until.is_(None), desk.claim_until > now)
    return func.coalesce(and_(desk.assignee.is_not(None), lasting), False)


def held_by(now: datetime) -> ColumnElement[str | None]:
    """Return who works on it, or NULL; an expired claim is nobody's. Needs the desk joined."""
    return case((is_held(now), tables.desk.c.assignee))


# The desk's columns that `desk_of` reads.
DESK = (
    "status_at",
    "assignee",
    "claimed_at",
    "claim_until",
    "clock_from",
    "paused_at",
    "answered_at",
    "deferred_until",
    "deferred_answers",
)


def desk_columns() -> list[ColumnElement[Any]]:
    """Return the columns that `desk_of` reads, besides ``submitted_at``."""
    return [tables.desk.c[name] for name in DESK]


def selected(source: FromClause = tables.applications) -> Select[Any]:
    """Select one application with its account and desk, for `row_of`.

    ``source`` are applications, joined with what else is read of the same one.
    """
    application, account, desk = tables.applications, tables.accounts, tables.desk
    return (
        select(
            *(column for column in application.c if column.name != "status"),
            account.c.username,
            account.c.email,
            account.c.country_code,
            account.c.kyc_status,
            account.c.created_at.label("account_created_at"),
            effective_status(NOW).label("status"),
            *desk_columns(),
        )
        .join_from(source, account, account.c.account_id == application.c.account_id)
        .outerjoin(desk, desk.c.application_id == application.c.application_id)
        .where(application.c.application_id == APPLICATION_ID)
    )


_FACTS = [field.name for field in fields(Application) if field.name not in ("status", "desk")]
_ONE = selected()
_LOCK = (
    select(tables.applications.c.application_id)
    .where(tables.applications.c.application_id == APPLICATION_ID)
    .with_for_update()
)


def desk_of(row: Mapping[Any, Any]) -> Desk:
    """Build the desk's state from a row of `desk_columns` and ``submitted_at``."""
    claim = None
    if row["assignee"] is not None:
        claim = Claim(assignee=row["assignee"], since=row["claimed_at"], until=row["claim_until"])
    return Desk(
        status_at=row["status_at"],
        claim=claim,
        clock_from=row["clock_from"] or row["submitted_at"],
        paused_at=row["paused_at"],
        answered_at=row["answered_at"],
        deferred_until=row["deferred_until"],
        deferred_answers=row["deferred_answers"],
    )


def settled_at() -> ColumnElement[datetime | None]:
    """Return when an application was decided or withdrawn; needs its decision joined."""
    table, decision = tables.applications.c, tables.current_decisions.c
    at = func.coalesce(table.status_changed_at, decision.decided_at)
    return case((table.status != str(Status.PENDING), at))


def _others() -> Select[Any]:
    table, decision = tables.applications, tables.current_decisions
    return (
        select(
            table.c.application_id,
            table.c.submitted_at,
            table.c.status,
            settled_at().label("settled_at"),
            decision.c.decided_at,
            decision.c.decided_by,
            decision.c.reason_code,
            decision.c.reapply,
            decision.c.reapply_from,
        )
        .outerjoin_from(table, decision, decision.c.application_id == table.c.application_id)
        .where(table.c.account_id == ACCOUNT_ID, table.c.application_id != APPLICATION_ID)
        .order_by(table.c.submitted_at.desc(), table.c.application_id.desc())
    )


# The account's other applications, newest first.
OTHERS = _others()


def others_of(rows: Iterable[Mapping[Any, Any]]) -> list[EarlierApplication]:
    """Return the applications in the rows of `OTHERS`."""
    return [EarlierApplication(**{**row, "status": Status(row["status"])}) for row in rows]
