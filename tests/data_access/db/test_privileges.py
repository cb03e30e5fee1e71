"""Who may do what in the database: every login, table and statement."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege, ReadOnlySqlTransaction
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import ProgrammingError

from dashboard.shell import readiness
from data_access import doctor
from data_access.db import database, guards, privileges, roles, tables
from data_access.db.database import Purpose
from data_access.db.embedded import Cluster
from data_access.db.errors import Invalid, RightsMissing
from data_access.db.roles import Login
from tests.builders import NOW, add_application
from tests.conftest import CLUSTER
from tests.data_access.db.flows import work_a_day
from tests.data_access.db.separated import ATTEMPTS, Separated, separate, tried
from tests.databases import Databases

OWN = {str(login): f"pass-{login}" for login in Login}


@pytest.fixture(scope="module")
def there(databases: Databases) -> Iterator[Separated]:
    """A separated database for the tests that change nothing in it."""
    url = databases.url(databases.copy("separated")).render_as_string(hide_password=False)
    made = _separated(url)
    with made.owner.begin() as conn:
        conn.execute(text(ATTEMPTS))
    yield made
    made.owner.dispose()


def _separated(url: str) -> Separated:
    embedded = isinstance(CLUSTER, Cluster)
    return separate(url, CLUSTER._passwords() if embedded else OWN, make=not embedded)


def differences(engine: Engine) -> list[str]:
    with engine.connect() as conn:
        return [*privileges.differences(conn), *guards.differences(conn)]


# --- The rules --------------------------------------------------------------------------------------


def test_every_table_has_a_rule_and_every_rule_a_table(there: Separated) -> None:
    with there.owner.connect() as conn:
        found = privileges.relations(conn)

    assert privileges.without_rule(found) == []
    assert {one.name for one in found if not one.parent} == set(privileges.BY_TABLE)
    for rule in privileges.RULES:
        (of,) = [one for one in found if one.name == rule.table]
        named = " ".join(rule.update.values()).replace("*", "").split()
        assert {*named, *rule.by_database} <= set(of.columns), rule.table


def test_a_table_without_a_rule_is_refused_and_reported(there: Separated) -> None:
    with there.owner.begin() as conn:
        conn.execute(text("create table review.more (id integer)"))

    with pytest.raises(Invalid, match=r"No rule says who may use review\.more"):
        privileges.apply(there.owner, {})
    assert "review.more has no rule" in differences(there.owner)
    with there.owner.begin() as conn:
        conn.execute(text("drop table review.more"))


def test_nobody_may_change_what_says_append_only() -> None:
    for name in tables.APPEND_ONLY:
        rule = privileges.BY_TABLE[f"review.{name}"]
        assert (rule.update, rule.delete, rule.owner) == ({}, (), roles.HISTORY_OWNER), name


def test_every_table_that_says_append_only_is_guarded(there: Separated) -> None:
    """In its comment, which the documents repeat."""
    with there.owner.connect() as conn:
        says = conn.execute(
            text(
                "select relname::text from pg_class where relnamespace = 'review'::regnamespace "
                "and obj_description(oid, 'pg_class') ~ 'append-only' order by 1"
            )
        ).scalars()
        guarded = conn.execute(
            text(
                "select tgrelid::regclass::text from pg_trigger where tgname = 'append_only' "
                "and tgenabled = 'A' and tgfoid = 'review.refuse_change'::regproc "
                # before, for each statement: delete, update and truncate
                "and tgtype = 2 + 8 + 16 + 32 order by 1"
            )
        ).scalars()
        assert set(says) == set(tables.APPEND_ONLY)
        assert {name.removeprefix("review.") for name in guarded} == set(tables.APPEND_ONLY)


# --- The matrix -------------------------------------------------------------------------------------


def test_each_login_can_do_what_the_rules_allow_and_nothing_else(there: Separated) -> None:
    number, otherwise = tried(there)

    assert otherwise == []
    assert number > 5_000


def test_the_matrix_sees_a_right_too_much_and_one_too_few(there: Separated) -> None:
    with there.owner.begin() as conn:
        conn.execute(text("grant delete on review.notes to writer"))
        conn.execute(text("revoke update (status) on exchange.applications from writer"))

    _, otherwise = tried(there)

    assert [line.partition(":")[0] for line in otherwise] == ["writer", "writer"]
    assert "delete from review.notes" in " ".join(otherwise)
    assert 'update exchange.applications set "status"' in " ".join(otherwise)
    assert privileges.apply(there.owner, {}) == ["1 rights taken", "1 rights given"]


def test_the_catalogue_has_the_rights_of_the_rules(there: Separated) -> None:
    assert differences(there.owner) == []


CHANGES = (
    (
        "grant update on review.decisions to writer",
        "writer: update on review.decisions is too much",
    ),
    ("grant select on review.staff to public", "public: select on review.staff is too much"),
    ("revoke select on review.notes from reader", "reader: select on review.notes is missing"),
    ("alter table review.notes owner to facts_owner", "table review.notes belongs to facts_owner"),
    ("grant create on schema review to writer", "writer: create on schema review is too much"),
    ("grant temporary on database {} to reader", "reader: temporary on database is too much"),
    (
        "alter role writer in database {} reset statement_timeout",
        "writer: the settings statement_timeout are missing",
    ),
)


def test_what_was_changed_is_reported_and_made_right_again(there: Separated) -> None:
    for change, said in CHANGES:
        with there.owner.begin() as conn:
            conn.execute(text(change.format(there.owner.url.database)))
        assert said in differences(there.owner)
        assert privileges.apply(there.owner, {}) != []
        assert differences(there.owner) == []
    assert privileges.apply(there.owner, {}) == []


# --- Guards -----------------------------------------------------------------------------------------

BREAKING = (
    ("alter table review.decisions disable trigger append_only", "append_only is switched off"),
    ("alter table review.notes enable trigger append_only", "append_only is switched off or weak"),
    ("drop trigger append_only on review.events", "the trigger append_only is missing"),
    (
        "create or replace function review.refuse_change() returns trigger language plpgsql "
        "as 'begin return null; end'",
        "the function review.refuse_change was replaced",
    ),
    ("alter function review.place_decision() security invoker", "place_decision was replaced"),
    ("alter function review.chain_rows() reset search_path", "review.chain_rows was replaced"),
    (
        "create rule nothing as on insert to review.notes do instead nothing",
        "review.notes: the rule nothing was added",
    ),
    (
        "create function review.harmless() returns trigger language plpgsql as "
        "'begin return null; end'; drop trigger append_only on review.checks; create trigger "
        "append_only before delete or update or truncate on review.checks for each statement "
        "execute function review.harmless(); "
        "alter table review.checks enable always trigger append_only",
        "review.checks: the trigger append_only was replaced",
    ),
    (
        "alter table review.notes rename to kept; create table review.notes (like review.kept)",
        "review.notes: the trigger append_only is missing",
    ),
    (
        "create trigger also before insert on review.notes for each row "
        "execute function review.refuse_time('created_at')",
        "review.notes: the trigger also was added",
    ),
)


def test_functions_and_triggers_that_are_not_the_migrations_are_reported(there: Separated) -> None:
    for change, said in BREAKING:
        with there.owner.connect() as conn:
            conn.execute(text(change))
            found = guards.differences(conn)
            conn.rollback()
        assert any(said in line for line in found), (change, found)
    assert {table for table, name in guards.triggers() if name == "append_only"} == {
        f"review.{name}" for name in tables.APPEND_ONLY
    }


def test_doctor_finds_the_separation_in_order(there: Separated) -> None:
    found = {one.what: one for one in doctor.examine(there.owner, now=NOW)}

    assert found["logins"].ok
    assert found["logins"].sentence.startswith("owners, rights and limits are those of the rules")


# --- Times, reading, limits -------------------------------------------------------------------------

NOTE = "insert into review.notes (application_id, body, author, created_at) values (7, 'x', %s, %s)"


def test_a_login_cannot_date_what_it_adds_and_the_owner_can(there: Separated) -> None:
    with there.owner.begin() as conn:
        add_application(conn, 7)
        conn.execute(
            text(
                "insert into review.notes (application_id, body, author, created_at) "
                "values (7, 'x', 'ana@example.com', '1999-12-31T00:00:00Z')"
            )
        )
    now = datetime.now(UTC)
    with there.connect(Login.WRITER) as conn:
        conn.execute(NOTE, ["ana@example.com", now - timedelta(minutes=5)])
        for wrong in (now - timedelta(minutes=11), now + timedelta(minutes=11)):
            with pytest.raises(InsufficientPrivilege, match="created_at is not now"):
                conn.execute(NOTE, ["ana@example.com", wrong])


def test_every_time_of_the_history_is_guarded() -> None:
    """But for those that no login may write, and the refresh's, which says when it began."""
    free = {"exports", "requalifications", "text_rules"}
    chain = {name for name in tables.APPEND_ONLY if name.startswith("history_")}
    dated = {
        table.removeprefix("review.") for table, name in guards.triggers() if name == "dated_now"
    }

    assert dated == set(tables.APPEND_ONLY) - free - chain


@pytest.mark.parametrize("purpose", database.READING)
def test_what_reads_cannot_write(there: Separated, purpose: Purpose) -> None:
    with there.engine(purpose) as engine, engine.connect() as conn:
        with pytest.raises(Exception, match="read-only transaction") as refused:
            conn.execute(text("create temporary table mine (id integer)"))
        assert isinstance(refused.value.orig, ReadOnlySqlTransaction)  # type: ignore[attr-defined]


def test_an_owners_reading_connection_is_read_only_too(
    shared_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = shared_engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("DATABASE_URL", url)
    engine = database.reader()
    with engine.connect() as conn, pytest.raises(Exception, match="read-only transaction"):
        conn.execute(text("delete from review.staff"))
    engine.dispose()


@pytest.mark.parametrize("login", list(Login))
def test_a_logins_limits_hold_without_start_up_options(there: Separated, login: Login) -> None:
    with there.connect(login) as conn:
        for name, value in privileges.LIMITS[login].items():
            row = conn.execute(
                "select setting from pg_settings where name = lower(%s) or name = %s", [name, name]
            ).fetchone()
            assert row is not None
            assert row[0] == value, name


# --- Passwords --------------------------------------------------------------------------------------


def test_a_password_reaches_the_server_as_a_verifier_only(
    there: Separated, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(
        roles,
        "_run",
        lambda _, statement, role, *more: sent.append(
            sql.SQL(statement).format(sql.Identifier(role), *more).as_string()
        ),
    )

    with there.owner.connect() as conn:
        driver = conn.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        roles.make(driver, dict.fromkeys(map(str, Login), "s3cret"))

    assert len(sent) == len(Login)
    assert "s3cret" not in " ".join(sent)
    for statement in sent:
        assert re.match(r"""alter role "\w+" password 'SCRAM-SHA-256\$""", statement)


def test_each_purpose_signs_in_by_its_own_password(
    there: Separated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", there.owner.url.render_as_string(hide_password=False))
    for login, url in there.urls.items():
        monkeypatch.setenv(roles.variable(login), str(url.password))

    for purpose, login in database.LOGINS.items():
        engine = database.engine(purpose)
        with engine.connect() as conn:
            assert conn.execute(text("select current_user")).scalar_one() == login
        engine.dispose()
    owner = database.owner()
    with owner.connect() as conn:
        assert conn.execute(text("select current_user")).scalar_one() == roles.HISTORY_OWNER
    owner.dispose()
    assert database.without_login() == []


def test_a_login_without_its_rights_is_told_what_to_run(
    there: Separated, monkeypatch: pytest.MonkeyPatch
) -> None:
    with there.owner.begin() as conn:
        conn.execute(text("revoke usage on schema review from reader"))
    with there.engine(Purpose.READER) as engine:
        monkeypatch.setattr(database, "reader", lambda: engine)
        with pytest.raises(RightsMissing), database.reading(engine) as conn:
            conn.execute(text("select from review.notes"))
        assert readiness.obstacle() == str(RightsMissing())
        assert "python -m data_access privileges" in str(RightsMissing())

        privileges.apply(there.owner, {})
        assert readiness.obstacle() is None


def test_what_a_guard_refuses_is_no_missing_right(there: Separated) -> None:
    with there.engine(Purpose.WRITER) as engine:
        note = text(
            "insert into review.notes (application_id, body, author, created_at) "
            "values (7, 'x', 'ana@example.com', '1999-12-31T00:00:00Z')"
        )
        refused = pytest.raises(ProgrammingError, match="created_at is not now")
        with refused, database.acting(engine) as conn:
            conn.execute(note)


def test_a_login_cannot_do_anothers_work(there: Separated) -> None:
    engine = create_engine(there.urls[Login.DELIVERER])
    with engine.connect() as conn, pytest.raises(ProgrammingError, match="permission denied"):
        conn.execute(
            text("insert into review.notes (application_id, body, author) values (1, '', '')")
        )
    engine.dispose()


# --- Work -------------------------------------------------------------------------------------------


def test_a_days_work_is_done_under_the_separate_logins(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = databases.url(databases.copy("worked")).render_as_string(hide_password=False)
    worked = _separated(url)

    work_a_day(worked, tmp_path, monkeypatch, all_day=False)

    assert differences(worked.owner) == []
    worked.owner.dispose()
