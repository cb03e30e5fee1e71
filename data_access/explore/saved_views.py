"""Saved views of the queue and the explore page: one's own and shared ones."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar
from urllib.parse import parse_qsl
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Insert,
    Row,
    Update,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from data_access.applications.read import LARGEST_ID
from data_access.db import locks, tables, text_rules
from data_access.db.errors import (
    Invalid,
    NameTaken,
    NotAllowed,
    NotFound,
    NotInState,
)
from data_access.people import commands, staff
from data_access.people.commands import Command
from data_access.people.identities import known_by
from program.reports.views import View
from program.review.permissions import Act
from program.review.queue_filters import Filters
from program.text.folding import name_key

LONGEST_NAME = 40
MOST_OF_ONE = 50
# Spaces that look like the plain one, from pasted text and full-width keyboards.
WIDE_SPACES = re.compile(r"[\u00a0\u2000-\u200a\u202f\u205f\u3000]")


class Of(StrEnum):
    """The screen that a view belongs to."""

    QUEUE = "queue"
    EXPLORE = "explore"


ViewT = TypeVar("ViewT", Filters, View)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedView(Generic[ViewT]):
    """A view of the queue or of the explore page, on its first page; ``name`` is typed text."""

    view_id: int
    owner: str
    name: str
    shared: bool
    view: ViewT


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveView(Command):
    """Save a view under a name.

    ``replacing`` is the `NameTaken` version of one's own view with that name.
    """

    act: ClassVar[Act] = Act.SAVE_VIEW
    name: str
    view: Filters | View
    shared: bool
    replacing: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveView(Command):
    """Remove one's own view."""

    act: ClassVar[Act] = Act.SAVE_VIEW
    view_id: int


def save(engine: Engine, command: SaveView) -> int:
    """Save the view under its name; returns its id.

    Raises NotAllowed, Invalid, RequestReused, NameTaken if the name is used and is not to be
    replaced, or NotInState if the view to replace has changed.
    """
    typed = WIDE_SPACES.sub(" ", command.name)
    name = text_rules.require(typed, what="The view's name", longest=LONGEST_NAME)
    if not name.isprintable():
        raise Invalid("The view's name contains characters that cannot be shown. Enter another.")
    screen = str(Of.EXPLORE if isinstance(command.view, View) else Of.QUEUE)
    values = {
        "owner": command.actor,
        "screen": screen,
        "name": name,
        "shared": command.shared,
        "query": command.view.kept,
        "request_id": command.request_id,
    }

    def do(connection: Connection) -> int:
        same = _same_name(connection, command.actor, screen, name)
        _require_knowing(same, name, command.replacing)
        if same is None:
            _require_room(connection, command.actor, screen)
        return _write(connection, same, values, command.at)

    return commands.perform(engine, command, do, lock=locks.SAVED_VIEWS, of=command.actor)


def remove(engine: Engine, command: RemoveView) -> int:
    """Remove one's own view and return its id.

    Raises NotAllowed, RequestReused, or NotFound for other people's views.
    """
    table = tables.saved_views

    def do(connection: Connection) -> int:
        is_own = (table.c.view_id == command.view_id, table.c.owner == command.actor)
        possible = 0 < command.view_id <= LARGEST_ID
        if not possible or connection.execute(delete(table).where(*is_own)).rowcount != 1:
            raise NotFound("This view no longer exists, or it belongs to a colleague.")
        return command.view_id

    return commands.perform(engine, command, do, lock=locks.SAVED_VIEWS, of=command.actor)


@known_by("viewer")
def listed(connection: Connection, *, viewer: str) -> list[SavedView[Filters]]:
    """Return one's own and the shared views of the queue, own first, by name."""
    return [_saved(row, Filters.from_query) for row in _rows(connection, Of.QUEUE, viewer)]


@known_by("viewer")
def explored(connection: Connection, *, viewer: str, personal: bool) -> list[SavedView[View]]:
    """Return the same for the explore page; ``personal`` includes email and contact columns."""
    read = partial(View.from_query, personal=personal)
    return [_saved(row, read) for row in _rows(connection, Of.EXPLORE, viewer)]


@known_by("owner")
def named(connection: Connection, name: str, *, owner: str | None = None) -> SavedView[View]:
    """Return the view of the explore page with that name, in any spelling, of any owner.

    Raises NotFound, Invalid if several people have a view of that name, or NotAllowed if it holds
    columns that its owner may not see any more.
    """
    table = tables.saved_views
    views = select(table).where(table.c.screen == str(Of.EXPLORE), _is_called(name))
    if owner is not None:
        views = views.where(table.c.owner == owner)
    rows = connection.execute(views.order_by(table.c.owner)).all()
    if not rows:
        raise NotFound(f"There is no view {name!a} of the explore page.")
    if len(rows) > 1:
        owners = ", ".join(row.owner for row in rows)
        raise Invalid(f"Several people have a view {name!a}: {owners}. Name one by --owner.")
    found = _saved(rows[0], partial(View.from_query, personal=True))
    person = staff.find(connection, found.owner)
    sees_all = person is not None and person.may(Act.SEE_CONTACT)
    theirs = _saved(rows[0], partial(View.from_query, personal=sees_all))
    if theirs.view.kept != found.view.kept:
        raise NotAllowed(
            f"The view {found.name!a} holds email or contact, which its owner {found.owner} may "
            "not see. Somebody who may see them can save it under another name."
        )
    return found


def _rows(connection: Connection, screen: Of, viewer: str) -> Sequence[Row[Any]]:
    table = tables.saved_views
    return connection.execute(
        select(table)
        .where(table.c.screen == str(screen), or_(table.c.owner == viewer, table.c.shared))
        .order_by((table.c.owner == viewer).desc(), func.lower(table.c.name), table.c.view_id)
    ).all()


def _saved(row: Row[Any], read: Callable[[Mapping[str, str]], ViewT]) -> SavedView[ViewT]:
    return SavedView(
        view_id=row.view_id,
        owner=row.owner,
        name=row.name,
        shared=row.shared,
        view=read(dict(parse_qsl(row.query))),
    )


def _is_called(name: str) -> ColumnElement[bool]:
    return func.review.name_key(tables.saved_views.c.name) == name_key(name)


def _same_name(connection: Connection, owner: str, screen: str, name: str) -> Row[Any] | None:
    table = tables.saved_views
    return connection.execute(
        select(table).where(table.c.owner == owner, table.c.screen == screen, _is_called(name))
    ).first()


def _require_knowing(same: Row[Any] | None, name: str, replacing: UUID | None) -> None:
    """Refuse to replace a view unasked, or one that changed since the person confirmed."""
    if replacing is None:
        if same is not None:
            raise NameTaken(same.name, is_shared=same.shared, version=same.request_id)
    elif same is None or same.request_id != replacing:
        raise NotInState(
            f"Your view “{name}” was changed or removed meanwhile, so nothing was replaced. "
            "Review it, then save again."
        )


def _write(
    connection: Connection, same: Row[Any] | None, values: Mapping[str, Any], now: datetime
) -> int:
    table = tables.saved_views
    statement: Insert | Update = insert(table).values(**values, created_at=now)
    if same is not None:
        statement = update(table).where(table.c.view_id == same.view_id).values(**values)
    view_id: int = connection.execute(statement.returning(table.c.view_id)).scalar_one()
    return view_id


def _require_room(connection: Connection, actor: str, screen: str) -> None:
    table = tables.saved_views
    number = connection.execute(
        select(func.count())
        .select_from(table)
        .where(table.c.owner == actor, table.c.screen == screen)
    ).scalar_one()
    if number >= MOST_OF_ONE:
        raise Invalid(f"You have {number} saved views. Remove one before you save another.")
