"""The database's roles: two owners that nobody signs in as, and a login for each kind of work."""

import os
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import psycopg
from psycopg import sql
from psycopg.errors import DuplicateObject, UniqueViolation

# Owns the history, its guards, and what only migrations change.
HISTORY_OWNER = "history_owner"
# Owns what loads and refreshes create and replace while they run: partitions and rollups.
FACTS_OWNER = "facts_owner"
OWNERS = (HISTORY_OWNER, FACTS_OWNER)


class Login(StrEnum):
    """A role that a process signs in as."""

    WRITER = "writer"
    READER = "reader"
    LOADER = "loader"
    DELIVERER = "deliverer"
    ANALYST = "analyst"


# Who holds the rights of an owner besides itself and the login of migrations.
MEMBERS = {Login.LOADER: FACTS_OWNER, HISTORY_OWNER: FACTS_OWNER}
NOTHING_MORE = "nosuperuser nocreatedb nocreaterole noreplication nobypassrls"


def variable(login: str) -> str:
    """Return the environment variable of a login's password; empty for a login without one."""
    return f"DATABASE_{login.upper()}_PASSWORD"


def passwords_set() -> dict[str, str]:
    """Return the passwords in the environment by login."""
    return {str(one): os.environ[variable(one)] for one in Login if variable(one) in os.environ}


def make(connection: psycopg.Connection[Any], passwords: Mapping[str, str]) -> list[str]:
    """Create the missing roles and set the given passwords; returns the names of new roles.

    The server gets a password's SCRAM verifier, so that no log can show the password.
    """
    known = {name for (name,) in connection.execute("select rolname from pg_roles")}
    made = [str(role) for role in (*OWNERS, *Login) if role not in known]
    for role in made:
        _create(connection, role)
    for login in Login:
        if passwords.get(login):
            verifier = connection.pgconn.encrypt_password(
                passwords[login].encode(), login.encode(), b"scram-sha-256"
            )
            _run(connection, "alter role {} password {}", login, sql.Literal(verifier.decode()))
    for member, owner in MEMBERS.items():
        _join(connection, member, owner)
    for owner in OWNERS:
        _join(connection, _current_login(connection), owner)
    return made


def _create(connection: psycopg.Connection[Any], role: str) -> None:
    signs_in = "nologin" if role in OWNERS else "login"
    try:
        with connection.transaction():
            _run(connection, f"create role {{}} {signs_in} inherit {NOTHING_MORE}", role)
    except (DuplicateObject, UniqueViolation):
        # Roles belong to the whole server: another database's command made it just now.
        return


def _join(connection: psycopg.Connection[Any], member: str, owner: str) -> None:
    found = connection.execute(
        "select from pg_roles where rolname = %s and (rolsuper or pg_has_role(%s, %s, 'usage'))",
        [member, member, owner],
    )
    if found.fetchone() is None:
        _run(connection, "grant {} to {}", owner, sql.Identifier(member))


def _current_login(connection: psycopg.Connection[Any]) -> str:
    row = connection.execute("select current_user").fetchone()
    assert row is not None
    return str(row[0])


def _run(
    connection: psycopg.Connection[Any], statement: str, role: str, *more: sql.Composable
) -> None:
    connection.execute(sql.SQL(statement).format(sql.Identifier(role), *more))
