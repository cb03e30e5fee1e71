"""Personal settings, and how long the requests that set them are kept."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text

from data_access import rollups
from data_access.people import preferences
from data_access.people.preferences import REQUESTS_KEPT_FOR, PutPreference
from data_access.review import notes
from tests.builders import NOW, T, add_application, add_staff
from tests.data_access import clicks
from tests.data_access.clicks import ANA, BEN

MOMENT = timedelta(microseconds=1)


@pytest.fixture
def desk(engine: Engine) -> Engine:
    with engine.begin() as conn:
        add_staff(conn)
        add_application(conn, 1)
    return engine


def put(desk: Engine, columns: list[str], *, ago: timedelta = timedelta(0)) -> UUID:
    command = clicks.command(
        PutPreference, name="queue_columns", value=columns, now=NOW - ago, request_id=uuid4()
    )
    preferences.put(desk, command)
    return command.request_id


def columns_of(desk: Engine, email: str) -> object:
    with desk.connect() as conn:
        return preferences.read(conn, email=email, name="queue_columns")


def test_a_preference_is_each_persons_own(desk: Engine) -> None:
    put(desk, ["due"])
    put(desk, ["due", "owner"])

    assert columns_of(desk, ANA) == ["due", "owner"]
    assert columns_of(desk, BEN) is None


def test_a_refresh_removes_requests_of_preferences_after_a_week_and_no_others(desk: Engine) -> None:
    put(desk, ["due"], ago=REQUESTS_KEPT_FOR + MOMENT)
    note = clicks.command(
        notes.WriteNote, application_id=1, body="Seen.", now=NOW - timedelta(days=400)
    )
    notes.write(desk, note)
    recent = put(desk, ["owner"], ago=REQUESTS_KEPT_FOR)

    rollups.refresh(desk, now=NOW, through=T)

    with desk.connect() as conn:
        kept = conn.execute(text("select request_id from review.requests")).scalars()
        assert set(kept) == {note.request_id, recent}
    assert columns_of(desk, ANA) == ["owner"]
    # Repeats of the kept ones still change nothing.
    put(desk, ["due", "owner"])
    again = clicks.command(
        PutPreference, name="queue_columns", value=["owner"], now=NOW, request_id=recent
    )
    preferences.put(desk, again)
    assert columns_of(desk, ANA) == ["due", "owner"]
