"""The planner's settings, for a transaction or for some of its statements."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from psycopg import Cursor
from psycopg.rows import DictRow


def set_for_transaction(cursor: Cursor[DictRow], settings: Mapping[str, str]) -> None:
    """Change the settings for the rest of the transaction."""
    for name, value in settings.items():
        cursor.execute("select set_config(%s, %s, true)", [name, value])


@contextmanager
def planning(cursor: Cursor[DictRow], settings: Mapping[str, str]) -> Iterator[None]:
    """Change the settings for some statements."""
    names = list(settings)
    before = [cursor.execute("select current_setting(%s) as value", [n]).fetchone() for n in names]
    set_for_transaction(cursor, settings)
    yield
    for name, row in zip(names, before, strict=True):
        cursor.execute("select set_config(%s, %s, true)", [name, row and row["value"]])
