"""The schema in the database."""

from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from data_access import doctor
from data_access.db import migrate, tables
from data_access.db.errors import Invalid
from data_access.eligibility import policies
from program.policy.policy import Policy


def test_every_table_this_code_names_has_those_columns_and_no_others(conn: Connection) -> None:
    found = conn.execute(
        text(
            "select table_schema || '.' || table_name, array_agg(column_name::text) "
            "from information_schema.columns where table_schema in ('exchange', 'review') "
            "and table_name <> 'alembic_version' "
            "group by 1"
        )
    )
    in_database = {name: set(columns) for name, columns in found}
    in_code = {
        table.fullname: {column.name for column in table.columns}
        for table in tables.metadata.sorted_tables
    }

    assert in_code == in_database


def test_migrations_are_found_in_any_checkout_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = migrate.head()
    odd = tmp_path / "100% %(here)s + 'it', #1"
    odd.symlink_to(migrate.MIGRATIONS)
    monkeypatch.setattr(migrate, "MIGRATIONS", odd)

    assert migrate.head() == newest


def test_every_table_and_column_has_a_comment(conn: Connection) -> None:
    bare = conn.execute(
        text(
            "select c.oid::regclass || coalesce('.' || a.attname, '') "
            "from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped "
            "where n.nspname in ('exchange', 'review') and c.relkind in ('r', 'p') "
            "and not c.relispartition and c.relname <> 'alembic_version' "
            "and (col_description(c.oid, a.attnum) is null or obj_description(c.oid) is null)"
        )
    ).scalars()

    assert list(bare) == []


def test_version_1_is_the_public_program(conn: Connection) -> None:
    now = conn.execute(text("select now()")).scalar_one()

    assert Policy() == policies.in_force(conn, now=now)


def fill(engine: Engine) -> None:
    with engine.begin() as connection:
        for statement in (
            "insert into exchange.accounts (account_id, username, created_at) values (1, 'a', now())",
            "insert into exchange.applications (application_id, account_id, social_handle, submitted_at)"
            " values (7, 1, '@a', now())",
            "insert into review.notes (application_id, body, author) values (7, 'hello', 'ana')",
            "insert into review.decisions (application_id, outcome, reason_code, rationale, decided_by,"
            " policy_version, snapshot) values (7, 'rejected', 'other', 'why', 'ana', 1, '{}')",
        ):
            connection.execute(text(statement))


def held(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return [
            connection.execute(text(f"select count(*) from {name}")).scalar_one()
            for name in (
                "exchange.accounts",
                "exchange.applications",
                "review.notes",
                "review.decisions",
            )
        ]


NEIGHBOR = "create table public.alembic_version (version_num varchar(32) primary key)"


def test_another_programs_alembic_in_the_same_database_is_left_alone(engine: Engine) -> None:
    migrate.migrate(engine, to="base")
    with engine.begin() as connection:
        connection.execute(text(NEIGHBOR))
        connection.execute(text("insert into public.alembic_version values ('0012')"))

    assert migrate.migrate(engine) == (None, migrate.head())
    with engine.begin() as connection:
        theirs = connection.execute(text("select version_num from public.alembic_version"))
        assert theirs.scalar_one() == "0012"
        assert migrate.outdated(connection) is None
        connection.execute(text("drop table public.alembic_version"))


def test_a_database_of_an_unreleased_version_is_refused_with_how_to_start_over(
    engine: Engine,
) -> None:
    with engine.begin() as connection:
        connection.execute(text("drop table review.alembic_version"))
        connection.execute(text(NEIGHBOR))
        connection.execute(text("insert into public.alembic_version values ('0021')"))

    with pytest.raises(Invalid, match=r"made by an unreleased version.*Start over") as refused:
        migrate.migrate(engine)

    assert "\n" not in str(refused.value)


def test_down_to_nothing_refuses_while_anything_is_held(engine: Engine) -> None:
    fill(engine)

    with pytest.raises(RuntimeError, match="holds rows"):
        migrate.migrate(engine, to="base")

    assert held(engine) == [1, 1, 1, 1]


def test_down_to_nothing_and_up_again_on_an_empty_database(engine: Engine) -> None:
    assert migrate.migrate(engine, to="base") == (migrate.head(), None)
    assert migrate.migrate(engine) == (None, migrate.head())


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    assert migrate.migrate(engine) == (migrate.head(), migrate.head())


# Recorded rows are append-only.


CHANGES = (
    "update {table} set {column} = {column}",
    "update {table} set {column} = {column} where false",
    "delete from {table}",
    "delete from {table} where false",
    "truncate {table} cascade",
    "merge into {table} t using (select 1) s on true when matched then delete",
    "merge into {table} t using (select 1) s on true when matched then update set {column} = t.{column}",
    "with gone as (delete from {table} returning 1) select from gone",
)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", tables.APPEND_ONLY)
def test_recorded_rows_cannot_be_changed(conn: Connection, name: str, change: str) -> None:
    table = tables.metadata.tables[f"review.{name}"]
    statement = change.format(table=table.fullname, column=table.columns[1].name)

    with pytest.raises(DBAPIError, match=f"review.{name} is append-only") as refused:
        conn.execute(text(statement))

    assert refused.value.orig.sqlstate == "42501"  # type: ignore[union-attr]


def test_recorded_rows_cannot_be_replaced_by_an_upsert(conn: Connection) -> None:
    with pytest.raises(DBAPIError, match="policies is append-only"):
        conn.execute(
            text(
                "insert into review.policies (version, effective_from, author)"
                " values (1, now(), 'eve') on conflict (version) do update set author = 'eve'"
            )
        )


def test_doctor_names_a_guard_that_was_switched_off(conn: Connection) -> None:
    conn.execute(text("alter table review.decisions enable trigger append_only"))
    conn.execute(text("drop trigger append_only on review.notes"))

    found = doctor._guards(conn)

    assert not found.ok
    assert "review.decisions: the trigger append_only is switched off" in found.sentence
    assert "review.notes: the trigger append_only is missing" in found.sentence
