"""What an open page learns about its application."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from data_access.db.errors import NotAllowed, NotFound
from data_access.review import claims, presence
from data_access.review.presence import Glance
from program.review.workflow import Status
from tests.builders import NOW, add_application, add_staff
from tests.data_access import clicks
from tests.data_access.clicks import ANA, BEN, MIRA

ID = 7


@pytest.fixture
def desk(engine: Engine) -> Engine:
    with engine.begin() as conn:
        add_staff(conn)
        add_application(conn, ID)
        add_application(conn, ID + 1)
    return engine


def glance(engine: Engine, *, viewer: str = ANA) -> Glance:
    with engine.connect() as conn:
        return presence.glance(conn, ID, viewer=viewer, now=NOW)


def test_a_glance_returns_the_current_state(desk: Engine) -> None:
    clicks.claim(desk, ID, actor=BEN)
    clicks.ask_applicant(desk, ID, actor=BEN)

    seen = glance(desk)

    assert seen.application.status is Status.MORE_INFO_NEEDED
    assert seen.application.desk.assignee(NOW) == BEN


@pytest.mark.parametrize(("seconds", "shown"), [(0, True), (29, True), (30, False)])
def test_other_viewers_are_shown_for_half_a_minute(seconds: int, shown: bool, desk: Engine) -> None:
    at = NOW - timedelta(seconds=seconds)
    for who in (ANA, BEN):
        claims.record_view(desk, application_id=ID, actor=who, now=at)
    claims.record_view(desk, application_id=ID + 1, actor=MIRA, now=NOW)

    assert glance(desk).viewers == ((BEN,) if shown else ())


def test_others_entries_of_every_kind_are_counted(desk: Engine) -> None:
    assert glance(desk).others_wrote == 0
    for act in (clicks.note, clicks.check, clicks.record_evidence, clicks.ask_applicant):
        before = glance(desk).others_wrote
        act(desk, ID, actor=BEN)
        assert glance(desk).others_wrote == before + 1
        assert glance(desk, viewer=BEN).others_wrote == 0
    clicks.note(desk, ID + 1, actor=BEN)
    assert glance(desk).others_wrote == 4


@pytest.mark.parametrize("act", [claims.record_view, claims.stay])
def test_former_staff_neither_view_nor_stay(desk: Engine, act: Callable[..., None]) -> None:
    clicks.claim(desk, ID)
    with desk.begin() as conn:
        conn.execute(text("update review.staff set active = false where email = :a"), {"a": ANA})

    for who in (ANA, "nobody@example.com"):
        with pytest.raises(NotAllowed):
            act(desk, application_id=ID, actor=who, now=NOW + timedelta(minutes=1))

    assert glance(desk, viewer=BEN).viewers == ()
    claim = clicks.read(desk, ID).desk.claim
    assert claim is not None
    assert (claim.since, claim.until) == (NOW, NOW + timedelta(minutes=30))


def test_no_application_is_refused(desk: Engine) -> None:
    with desk.connect() as conn, pytest.raises(NotFound):
        presence.glance(conn, 999, viewer=ANA, now=NOW)


def test_the_last_move_is_the_newest_change_of_status(desk: Engine) -> None:
    def last() -> presence.Moved | None:
        with desk.connect() as conn:
            return presence.last_move(conn, ID)

    clicks.claim(desk, ID)
    assert last() is None
    clicks.ask_applicant(desk, ID, now=NOW - timedelta(hours=2))
    clicks.record_answer(desk, ID, actor=BEN, now=NOW - timedelta(hours=1))
    clicks.note(desk, ID, actor=MIRA)
    assert last() == presence.Moved(by=BEN, at=NOW - timedelta(hours=1))
