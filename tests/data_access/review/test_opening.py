"""When an open page still shows how its application stands."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from data_access.people import staff
from data_access.review import claims, opening
from data_access.review.opening import Opened
from program.review.queue_filters import Filters
from tests.builders import NOW, T, add_application, add_refresh, add_staff, set_policy
from tests.data_access import clicks
from tests.data_access.clicks import ANA, BEN

ID = 7


@pytest.fixture
def desk(engine: Engine) -> Engine:
    with engine.begin() as conn:
        add_staff(conn)
        add_application(conn, ID)
        add_application(conn, ID + 1)
        add_refresh(conn)
    return engine


def opened(engine: Engine, *, after: timedelta = timedelta()) -> Opened:
    with engine.connect() as conn:
        person = staff.find(conn, ANA)
        assert person is not None
        return opening.open_one(conn, ID, Filters(), person, now=NOW + after)


def refresh(engine: Engine, id_: int, **_: Any) -> None:
    with engine.begin() as conn:
        add_refresh(conn, through=T, at=NOW)


def change_policy(engine: Engine, id_: int, **_: Any) -> None:
    with engine.begin() as conn:
        set_policy(conn, min_active_users=99)


@pytest.mark.parametrize(
    "happens",
    [
        clicks.note,
        clicks.check,
        clicks.record_evidence,
        clicks.ask_applicant,
        clicks.claim,
        refresh,
        change_policy,
    ],
)
@pytest.mark.parametrize("actor", [ANA, BEN])
def test_what_anybody_does_shows(happens: Callable[..., object], actor: str, desk: Engine) -> None:
    drawn = opened(desk)
    assert opened(desk).shows_the_same(drawn)

    happens(desk, ID, actor=actor)

    assert not opened(desk).shows_the_same(drawn)


def test_what_is_done_elsewhere_and_who_looks_do_not_count(desk: Engine) -> None:
    drawn = opened(desk)
    clicks.note(desk, ID + 1, actor=BEN)
    for who in (ANA, BEN):
        claims.record_view(desk, application_id=ID, actor=who, now=NOW)

    assert opened(desk, after=timedelta(minutes=5)).shows_the_same(drawn)


def test_a_claim_that_is_renewed_shows_the_same_and_one_that_expires_does_not(
    desk: Engine,
) -> None:
    clicks.claim(desk, ID)
    drawn = opened(desk)
    claims.stay(desk, application_id=ID, actor=ANA, now=NOW + timedelta(minutes=5))

    assert opened(desk, after=timedelta(minutes=5)).shows_the_same(drawn)
    assert not opened(desk, after=timedelta(hours=5)).shows_the_same(drawn)
