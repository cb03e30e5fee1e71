"""A page that cannot be read says so and offers a retry."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, make_url, text
from streamlit.testing.v1 import AppTest

from dashboard.shell.screens import QUEUE, SCREENS, Screen
from dashboard.ui import states
from data_access.db import database
from data_access.db.database import Purpose
from tests.cases import every
from tests.dashboard.pages.screen import Desk, texts

MIRA, ADA = "mira@example.com", "ada@example.com"
BUSY = "The database is busy and did not respond in time. Try again in a moment."
TABLES = """
select string_agg(c.oid::regclass::text, ', ') from pg_class c
where c.relkind in ('r', 'p') and not c.relispartition and c.oid <> 'review.staff'::regclass
    and c.relnamespace in ('review'::regnamespace, 'exchange'::regnamespace)
"""


@pytest.fixture
def hurried(desk: Desk, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Pages read and write as usual, with short waits for locks."""
    waits = {p: {**limits, "lock_timeout": 100} for p, limits in database.TIMEOUTS_MS.items()}
    monkeypatch.setattr(database, "TIMEOUTS_MS", waits)
    address = make_url(database_url).set(drivername="postgresql+psycopg")
    made = {
        purpose: database._engine.__wrapped__(
            purpose, address.render_as_string(hide_password=False)
        )
        for purpose in (Purpose.READER, Purpose.REPORTER, Purpose.WRITER)
    }
    for purpose, engine in made.items():
        monkeypatch.setattr(database, purpose.value, lambda engine=engine: engine)
    yield desk
    for engine in made.values():
        engine.dispose()


def locked(engine: Engine, tables: str) -> Iterator[None]:
    with engine.begin() as connection:
        connection.execute(text(f"lock table {tables} in access exclusive mode"))
        yield


def opened(desk: Desk, screen: Screen) -> AppTest:
    desk.who = ADA if screen.title == "Settings" else MIRA
    return desk.open(screen, id="1")


STAFF = "select 'review.staff'"


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("screen", "tables"),
    [
        *(pytest.param(screen, TABLES, id=screen.title) for screen in every(2, SCREENS)),
        *(pytest.param(screen, STAFF, id=f"staff {screen.title}") for screen in every(5, SCREENS)),
    ],
)
def test_a_page_whose_tables_are_locked_is_busy_and_then_itself_again(
    screen: Screen, tables: str, hurried: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    broke: list[str] = []
    monkeypatch.setattr(states, "broken", broke.append)
    with hurried.engine.connect() as connection:
        names = connection.execute(text(tables)).scalar_one()
    holding = locked(hurried.engine, names)
    next(holding)

    app = opened(hurried, screen)

    assert not app.exception
    assert BUSY in texts(app)
    assert "Retry" in [button.label for button in app.button]

    holding.close()
    [retry] = [button for button in app.button if button.label == "Retry"]
    retry.click().run()

    assert not app.exception
    assert BUSY not in texts(app)
    assert broke == []


def test_the_button_keeps_the_address(hurried: Desk) -> None:
    holding = locked(hurried.engine, "exchange.applications")
    next(holding)
    app = hurried.open(QUEUE, country="BR")
    holding.close()

    [retry] = [button for button in app.button if button.label == "Retry"]
    retry.click().run()

    assert dict(app.query_params) == {"country": "BR"}
