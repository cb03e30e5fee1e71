"""A database with staff, for tests of routes and of the frame."""

import pytest
from sqlalchemy import Engine

from data_access.db import database
from tests.builders import add_staff


@pytest.fixture
def staffed(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A database with staff, which every route uses."""
    for purpose in ("reader", "writer"):
        monkeypatch.setattr(database, purpose, lambda: engine)
    with engine.begin() as connection:
        add_staff(connection)
    return engine
