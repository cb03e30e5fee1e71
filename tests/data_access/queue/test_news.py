"""The pulse reports what happened since, except one's own acts."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, insert

from data_access.db import tables
from data_access.eligibility import judging
from data_access.queue import listing, news
from data_access.queue.news import News, Pulse
from program.review.queue_filters import Filters
from program.review.workflow import Move
from tests.builders import NOW, add_application, add_staff

ANA, BEN = "ana@example.com", "ben@example.com"


@pytest.fixture
def desk(conn: Connection) -> Connection:
    add_staff(conn)
    for id_ in (10, 20):
        add_application(conn, id_, submitted_at=NOW - timedelta(days=3))
    add_event(conn, 10, "claimed")
    return conn


def add_event(conn: Connection, id_: int, kind: str, actor: str = BEN) -> None:
    conn.execute(
        insert(tables.events).values(application_id=id_, kind=kind, actor=actor, at=NOW, detail={})
    )


def pulse(conn: Connection) -> Pulse:
    """Return the pulse that the queue reads with its counts."""
    return listing.overview(conn, Filters(), judging.read_context(conn, now=NOW)).pulse


def test_an_empty_database_has_a_pulse(conn: Connection) -> None:
    assert not news.since(conn, pulse(conn), viewer=ANA)


def test_nothing_happened_since_now(desk: Connection) -> None:
    assert news.since(desk, pulse(desk), viewer=ANA) == News()


@pytest.mark.parametrize(
    ("id_", "days_ago", "arrived"),
    [(30, 0, 1), (30, 9, 1), (5, 0, 1), (5, 9, 0)],
    ids=["a later one", "a higher number", "a later time", "neither shows"],
)
def test_an_arrival_shows_by_number_or_time(
    id_: int, days_ago: int, arrived: int, desk: Connection
) -> None:
    seen = pulse(desk)

    add_application(desk, id_, submitted_at=NOW - timedelta(days=days_ago))

    assert news.since(desk, seen, viewer=ANA).arrived == arrived


def test_an_application_that_arrives_decided_is_not_in_the_queue(desk: Connection) -> None:
    seen = pulse(desk)

    add_application(desk, 30, submitted_at=NOW, status="rejected")

    assert not news.since(desk, seen, viewer=ANA)


@pytest.mark.parametrize("move", Move)
def test_decisions_are_distinguished_from_other_changes(move: Move, desk: Connection) -> None:
    seen = pulse(desk)

    add_event(desk, 10, move)

    decided = move in (Move.APPROVE, Move.REJECT, Move.CONFIRM)
    expected = News(decided=1) if decided else News(moved=1)
    assert news.since(desk, seen, viewer=ANA) == expected


def test_several_changes_of_one_application_are_one(desk: Connection) -> None:
    seen = pulse(desk)

    for kind in ("claimed", "released", "claimed"):
        add_event(desk, 10, kind)
    add_event(desk, 20, "assigned")

    assert news.since(desk, seen, viewer=ANA) == News(moved=2)


def test_ones_own_acts_are_no_news(desk: Connection) -> None:
    seen = pulse(desk)

    add_event(desk, 10, "claimed", actor=ANA)

    assert not news.since(desk, seen, viewer=ANA)
    assert news.since(desk, seen, viewer=BEN) == News(moved=1)
