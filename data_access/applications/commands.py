"""The one shape of every act on an application.

The order matters. The application's row is locked first, so that two people and two clicks
wait for each other; then a repeated request gets its first result; then the role is asked;
and only then anything is checked and written, all in one transaction.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, insert, select

from data_access.applications import read, requests
from data_access.applications.read import Application
from data_access.applications.requests import Form
from data_access.db import database, tables
from data_access.people import staff

Doing = Callable[[Connection, Application], int]


def perform(engine: Engine, form: Form, do: Doing) -> int:
    """Run ``do`` on the locked application and return its result, the first one of a repeat.

    Raises NotAllowed, NotFound, RequestReused, and whatever ``do`` raises.
    """
    with database.acting(engine) as connection:
        application = read.read(connection, form.application_id, now=form.at, lock=True)
        earlier = requests.first_result(connection, form)
        if earlier is not None:
            return earlier
        staff.require(connection, form.actor, form.act)
        result = do(connection, application)
        requests.record(connection, form, result=result)
        return result


def tell(connection: Connection, form: Form, kind: str, **detail: Any) -> int:  # noqa: ANN401 - plain JSON values
    """Leave an event on the timeline and return its id; old and new values go into ``detail``."""
    event_id: int = connection.execute(
        insert(tables.events)
        .values(
            application_id=form.application_id,
            kind=kind,
            actor=form.actor,
            at=form.at,
            detail=detail,
        )
        .returning(tables.events.c.event_id)
    ).scalar_one()
    return event_id


def last_told(connection: Connection, application_id: int, kind: str, key: str) -> str | None:
    """What the newest event of this kind holds under ``key``; ``None`` without either."""
    table = tables.events
    told: str | None = connection.execute(
        select(table.c.detail[key].astext)
        .where(table.c.application_id == application_id, table.c.kind == str(kind))
        .order_by(table.c.event_id.desc())
        .limit(1)
    ).scalar()
    return told
