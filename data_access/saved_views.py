"""Views of the queue under a name: one's own, and those that colleagues share."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import Connection, Engine, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from data_access import database, staff, tables, texts
from data_access.refusals import Invalid, NotFound
from program.permissions import Act
from program.queue import Filters

LONGEST_NAME = 40
MOST_OF_ONE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedView:
    """One view; ``name`` is typed text. ``filters`` are without page and viewer."""

    view_id: int
    owner: str
    name: str
    shared: bool
    filters: Filters


def save(
    engine: Engine, *, name: str, filters: Filters, shared: bool, actor: str, now: datetime
) -> int:
    """Keep the view under this name, replacing one's own of the same name; returns its id.

    Raises NotAllowed or Invalid.
    """
    text = texts.require(name, what="The view's name", longest=LONGEST_NAME)
    if not text.isprintable():
        raise Invalid("The view's name holds signs that cannot be shown. Type another.")
    table = tables.saved_views
    values = {
        "name": text,
        "shared": shared,
        "query": urlencode(filters.on_page(1).to_query()),
    }
    with database.acting(engine) as connection:
        staff.require(connection, actor, Act.SAVE_VIEW)
        _require_room(connection, actor, text)
        view_id: int = connection.execute(
            insert(table)
            .values(owner=actor, created_at=now, **values)
            .on_conflict_do_update(
                index_elements=[table.c.owner, func.lower(table.c.name)], set_=values
            )
            .returning(table.c.view_id)
        ).scalar_one()
        return view_id


def remove(engine: Engine, *, view_id: int, actor: str) -> None:
    """Remove one's own view. Raises NotAllowed, or NotFound for what is not one's own."""
    table = tables.saved_views
    with database.acting(engine) as connection:
        staff.require(connection, actor, Act.SAVE_VIEW)
        gone = connection.execute(
            delete(table).where(table.c.view_id == view_id, table.c.owner == actor)
        )
        if gone.rowcount != 1:
            raise NotFound("This view is not there any more, or belongs to a colleague.")


def listed(connection: Connection, *, viewer: str) -> list[SavedView]:
    """One's own views and the shared ones, own first, by name."""
    table = tables.saved_views
    rows = connection.execute(
        select(table)
        .where(or_(table.c.owner == viewer, table.c.shared))
        .order_by((table.c.owner == viewer).desc(), func.lower(table.c.name), table.c.view_id)
    )
    return [
        SavedView(
            view_id=row.view_id,
            owner=row.owner,
            name=row.name,
            shared=row.shared,
            filters=Filters.from_query(dict(parse_qsl(row.query))),
        )
        for row in rows
    ]


def _require_room(connection: Connection, actor: str, name: str) -> None:
    table = tables.saved_views
    number = connection.execute(
        select(func.count())
        .select_from(table)
        .where(table.c.owner == actor, func.lower(table.c.name) != func.lower(name))
    ).scalar_one()
    if number >= MOST_OF_ONE:
        raise Invalid(f"You have {number} saved views. Remove one before you save another.")
