"""A reused test database shows nothing of the previous test."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, create_engine, insert, select, text
from sqlalchemy.exc import DBAPIError

from data_access.db import partitions, tables
from data_access.queue import standings
from tests.builders import NOW, add_application, add_refresh, add_staff, set_policy
from tests.databases import Databases, Reused, Template

EVERYTHING = "select count(*) from exchange.applications"


@pytest.fixture
def reused(databases: Databases) -> Iterator[Reused]:
    made = Reused(databases)
    yield made
    made.close()


@contextmanager
def within(reused: Reused) -> Iterator[Connection]:
    engine = create_engine(reused.url)
    with engine.begin() as conn:
        yield conn
    engine.dispose()


def test_rows_and_numbering_are_as_the_template_made_them(reused: Reused) -> None:
    first = reused.name
    with within(reused) as conn:
        add_application(conn, 1)
        set_policy(conn, min_volume_usd=1)
        conn.execute(text("select nextval('review.decisions_decision_id_seq')"))

    reused.put_back()

    assert reused.name == first
    with within(reused) as conn:
        assert conn.execute(text(EVERYTHING)).scalar_one() == 0
        assert (
            conn.execute(text("select min_volume_usd from review.policies")).scalar_one()
            == 20_000_000
        )
        assert (
            conn.execute(text("select nextval('review.decisions_decision_id_seq')")).scalar_one()
            == 1
        )


def test_what_follows_other_tables_is_empty_again_too(reused: Reused) -> None:
    engine = create_engine(reused.url)
    with engine.begin() as conn:
        add_staff(conn)
        add_refresh(conn)
        for id_ in (1, 2):
            add_application(conn, id_)
            conn.execute(insert(tables.desk).values(application_id=id_, status_at=NOW))
    assert standings.restate(engine, now=NOW)
    engine.dispose()

    reused.put_back()

    with within(reused) as conn:
        for table in (tables.standings, tables.standing_sums):
            assert conn.execute(select(table)).all() == []


def test_a_changed_row_of_the_template_is_as_it_was(reused: Reused) -> None:
    rows = text("select t::text from review.alembic_version t")
    with within(reused) as conn:
        before = conn.execute(rows).all()
        conn.execute(text("update review.alembic_version set version_num = '9999'"))
        assert conn.execute(rows).all() != before

    reused.put_back()

    with within(reused) as conn:
        assert conn.execute(rows).all() == before


# Deleting from the second writes into the first, which is emptied before it.
WRITING = """
create table review.second (id int primary key);
create table review.first (id int references review.second);
create function review.follow() returns trigger language plpgsql as
    $$ begin insert into review.first values (null); return null; end $$;
create trigger follow after delete on review.second for each row execute function review.follow()
"""


def test_what_triggers_write_during_a_reset_is_removed_too(reused: Reused) -> None:
    reused.conn.execute(WRITING)
    template = Template(reused.conn)
    reused.conn.execute("insert into review.second values (1)")

    template.restore(reused.conn)

    for table in ("first", "second"):
        assert reused.conn.execute(f"select * from review.{table}").fetchall() == []


def test_a_test_may_end_every_connection(reused: Reused) -> None:
    first = reused.name
    with within(reused) as conn:
        add_application(conn, 1)
        conn.execute(text(f"select pg_terminate_backend({reused.conn.info.backend_pid}, 5000)"))

    reused.put_back()

    assert reused.name == first
    with within(reused) as conn:
        assert conn.execute(text(EVERYTHING)).scalar_one() == 0


def test_an_engine_whose_connection_a_test_ended_serves_the_next(reused: Reused) -> None:
    with reused.engine().connect() as conn:
        ended = conn.execute(text("select pg_backend_pid()")).scalar_one()
    reused.conn.execute("select pg_terminate_backend(%s, 5000)", [ended])

    reused.put_back()

    with reused.engine().connect() as conn:
        assert conn.execute(text("select pg_backend_pid()")).scalar_one() != ended


def test_partitions_that_came_with_data_are_dropped(reused: Reused) -> None:
    first = reused.name
    with within(reused) as conn:
        partitions.ensure_months(conn, NOW.date(), NOW.date())
        assert partitions.existing(conn) != []

    reused.put_back()

    assert reused.name == first
    with within(reused) as conn:
        assert partitions.existing(conn) == []


@pytest.mark.parametrize(
    "change",
    [
        "create table review.more (id int)",
        "alter table review.notes add column more int",
        "drop table review.viewers",
        "create index on review.notes (author)",
        "alter table review.notes alter column author drop not null",
        "alter table review.notes disable trigger append_only",
        "create or replace function review.refuse_change() returns trigger language plpgsql"
        " as $$ begin return null; end $$",
        "alter function review.chain_rows() security invoker",
        "do $$ begin execute format('alter database %I set work_mem = 64', current_database()); end $$",
    ],
)
def test_a_changed_definition_means_another_copy(reused: Reused, change: str) -> None:
    first = reused.name
    with within(reused) as conn:
        conn.execute(text(change))

    reused.put_back()

    assert reused.name != first


def test_after_a_reset_the_history_is_guarded_as_before(reused: Reused) -> None:
    with within(reused) as conn:
        add_staff(conn)

    reused.put_back()

    with within(reused) as conn, pytest.raises(DBAPIError, match="append-only"):
        conn.execute(text("delete from review.policies"))


def test_a_connection_left_open_is_reported(
    reused: Reused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.databases.PATIENCE_SECONDS", 0)
    with within(reused), pytest.raises(AssertionError, match="left a connection"):
        reused.put_back()
