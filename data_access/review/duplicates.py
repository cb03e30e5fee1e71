"""Find each duplicate applicant: another account with the same or a similar handle or contact."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Integer,
    RowMapping,
    Select,
    Text,
    bindparam,
    collate,
    func,
    literal,
    select,
    union_all,
)

from data_access.applications.read import (
    ACCOUNT_ID,
    NOW,
    Application,
    effective_status,
    settled_at,
)
from data_access.db import tables
from program.review.workflow import Decision, Status
from program.text.handles import identity, identity_key

SHOWN = 20
# Thousands may type a contact such as "none"; at most this many of one name are compared.
MOST_CANDIDATES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """Another account's application, how it matches, and its decision if there is one.

    ``how`` holds "same handle" or "handle looks alike", and "same contact" or "contact looks
    alike". Names, platforms and handles are typed text, never markup.
    """

    application_id: int
    account_id: int
    username: str
    social_platform: str
    social_handle: str
    contact_platform: str | None
    contact_handle: str | None
    how: tuple[str, ...]
    submitted_at: datetime
    status: Status
    outcome: Decision | None
    reason_code: str | None
    settled_at: datetime | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """The newest matches and their number; ``at_least`` if the search stopped early."""

    shown: tuple[Connected, ...] = ()
    total: int = 0
    at_least: bool = False


def of(
    connection: Connection, application: Application, *, now: datetime, limit: int = SHOWN
) -> Connections:
    """Return other accounts' applications with the same handle or contact, newest first.

    Names are compared within their network, phones and email addresses across all. Names
    of under three characters are ignored.
    """
    social = (application.social_platform, application.social_handle)
    contact = (application.contact_platform or "", application.contact_handle or "")
    named = [part for part, typed in ((HANDLE, social), (CONTACT, contact)) if identity_key(*typed)]
    if not named:
        return Connections()
    given = {
        "account_id": application.account_id,
        "now": now,
        "most": limit,
        "most_candidates": MOST_CANDIDATES,
        **dict(zip(HANDLE.parameters + CONTACT.parameters, social + contact, strict=True)),
    }
    rows = connection.execute(_statement(*named), given).mappings().all()
    if not rows:
        return Connections()
    return Connections(
        shown=tuple(_connected(row, application) for row in rows),
        total=rows[0]["total"],
        at_least=rows[0]["candidates"] >= MOST_CANDIDATES,
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """What an application names a person by: the columns, and the parameters to compare with."""

    name: str
    platform: str
    handle: str
    by_handle: bool

    @property
    def parameters(self) -> tuple[str, str]:
        return f"own_{self.platform}", f"own_{self.handle}"

    def candidates(self) -> CTE:
        """Select the newest applications of the person named."""
        table = tables.applications
        typed = (bindparam(name, type_=Text()) for name in self.parameters)
        return (
            select(table.c.application_id, table.c.submitted_at)
            .where(
                _key(table.c[self.platform], table.c[self.handle]) == _key(*typed),
                table.c.account_id != ACCOUNT_ID,
            )
            .order_by(table.c.submitted_at.desc(), table.c.application_id.desc())
            .limit(bindparam("most_candidates", type_=Integer()))
            .cte(self.name)
        )


HANDLE = _Part("by_handle", "social_platform", "social_handle", by_handle=True)
CONTACT = _Part("by_contact", "contact_platform", "contact_handle", by_handle=False)


def _key(platform: ColumnElement[Any], handle: ColumnElement[Any]) -> ColumnElement[str]:
    return collate(func.review.identity_key(platform, handle, type_=Text), "C")


@cache
def _statement(*parts: _Part) -> Select[Any]:
    matches = _newest({part: part.candidates() for part in parts})
    application, account = tables.applications, tables.accounts
    desk, decision = tables.desk, tables.current_decisions
    return (
        select(
            *(column for column in application.c if column.name in _TYPED),
            *(matches.c[name] for name in ("by_handle", "by_contact", "total", "candidates")),
            account.c.username,
            effective_status(NOW).label("status"),
            decision.c.outcome,
            decision.c.reason_code,
            settled_at().label("settled_at"),
            decision.c.decided_at,
        )
        .join_from(matches, application, application.c.application_id == matches.c.application_id)
        .join(account, account.c.account_id == application.c.account_id)
        .outerjoin(desk, desk.c.application_id == application.c.application_id)
        .outerjoin(decision, decision.c.application_id == application.c.application_id)
        .order_by(application.c.submitted_at.desc(), application.c.application_id.desc())
    )


def _newest(parts: Mapping[_Part, CTE]) -> CTE:
    """Return the applications to show, each once, with what matched and their number."""
    every = union_all(
        *(
            select(
                candidates.c.application_id,
                candidates.c.submitted_at,
                literal(part.by_handle).label("by_handle"),
            )
            for part, candidates in parts.items()
        )
    ).subquery()
    counts = [
        select(func.count()).select_from(candidates).scalar_subquery()
        for candidates in parts.values()
    ]
    return (
        select(
            every.c.application_id,
            func.bool_or(every.c.by_handle).label("by_handle"),
            func.bool_or(~every.c.by_handle).label("by_contact"),
            func.count().over().label("total"),
            func.greatest(*counts).label("candidates"),
        )
        .group_by(every.c.application_id)
        .order_by(func.max(every.c.submitted_at).desc(), every.c.application_id.desc())
        .limit(bindparam("most", type_=Integer()))
        .cte("newest")
    )


_TYPED = (
    "application_id",
    "account_id",
    "social_platform",
    "social_handle",
    "contact_platform",
    "contact_handle",
    "submitted_at",
)


def _connected(row: RowMapping, application: Application) -> Connected:
    return Connected(
        **{name: row[name] for name in _TYPED},
        username=row["username"],
        how=_how(row, application),
        status=Status(row["status"]),
        outcome=Decision(row["outcome"]) if row["outcome"] else None,
        reason_code=row["reason_code"],
        settled_at=row["settled_at"],
        decided_at=row["decided_at"],
    )


def _how(row: RowMapping, application: Application) -> tuple[str, ...]:
    words = []
    if row["by_handle"]:
        same = _named(row["social_platform"], row["social_handle"]) == _named(
            application.social_platform, application.social_handle
        )
        words.append("same handle" if same else "handle looks alike")
    if row["by_contact"]:
        same = _named(row["contact_platform"], row["contact_handle"]) == _named(
            application.contact_platform, application.contact_handle
        )
        words.append("same contact" if same else "contact looks alike")
    return tuple(words)


def _named(platform: str | None, handle: str | None) -> str:
    """Return whom a handle names exactly, among those under one key."""
    found = identity(platform or "", handle or "")
    return found.text if found is not None else ""
