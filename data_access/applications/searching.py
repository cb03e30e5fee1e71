"""Search applications and accounts in SQL, using the indexes, by `program/review/searching.py`."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Text,
    collate,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)

from data_access.db import tables
from program.review.searching import Sought, sought
from program.review.workflow import Status

_LIKE_SIGNS = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


def applications(term: str, *, pending_only: bool) -> Select[Any]:
    """Return ids of applications whose name, handle, contact or number matches ``term``."""
    application = tables.applications.alias("searched")
    pending = application.c.status == Status.PENDING if pending_only else true()
    wanted = sought(term)
    branches = [
        select(application.c.application_id).where(pending, condition)
        for condition in _of_application(application, wanted)
    ]
    account = tables.accounts
    branches.append(
        select(application.c.application_id)
        .join(account, account.c.account_id == application.c.account_id)
        .where(pending, contains(account.c.username, wanted.texts))
    )
    return select(union_all(*branches).subquery("found").c.application_id)


def accounts(term: str) -> Select[Any]:
    """Return ids of accounts that match by name or number, or through an application."""
    account, application = tables.accounts, tables.applications.alias("searched")
    wanted = sought(term)
    named = contains(account.c.username, wanted.texts)
    if wanted.number is not None:
        named = or_(named, account.c.account_id == wanted.number)
    return select(
        union_all(
            select(account.c.account_id).where(named),
            *(
                select(application.c.account_id).where(condition)
                for condition in _of_application(application, wanted)
            ),
        )
        .subquery("found")
        .c.account_id
    )


def contains(column: ColumnElement[Any], texts: Iterable[str]) -> ColumnElement[bool]:
    """Return whether a column of typed text contains any of these parts of `search_text`."""
    searched = func.review.search_text(column, type_=Text)
    return or_(*(searched.like(literal(part_of(part), Text), escape="\\") for part in texts))


def part_of(text: str) -> str:
    """Return the pattern of ``like`` for any text that contains this one."""
    return f"%{text.translate(_LIKE_SIGNS)}%"


def _of_application(application: FromClause, wanted: Sought) -> list[ColumnElement[bool]]:
    """Match by handle and contact, by the person named, and by number, each with an index."""
    found = [
        or_(
            contains(application.c.social_handle, wanted.texts),
            contains(application.c.contact_handle, wanted.texts),
        )
    ]
    if wanted.key:
        found += [
            collate(func.review.identity_key(platform, handle, type_=Text), "C")
            == literal(wanted.key, Text)
            for platform, handle in (
                (application.c.social_platform, application.c.social_handle),
                (application.c.contact_platform, application.c.contact_handle),
            )
        ]
    if wanted.number is not None:
        found.append(
            or_(
                application.c.application_id == wanted.number,
                application.c.account_id == wanted.number,
            )
        )
    return found
