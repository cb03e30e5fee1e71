"""Collect the statements that are sent to a database."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, event


@contextmanager
def sent(through: Connection | Engine) -> Iterator[list[str]]:
    """Collect the statements of the block; one that returns rows or not, but no savepoints."""
    found: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        found.append(statement)

    event.listen(through, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(through, "before_cursor_execute", note)
