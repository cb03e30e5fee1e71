"""A migrated database whose logins are separate, and every statement tried under each of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import URL, Engine, create_engine, make_url, text

from data_access.db import database, privileges
from data_access.db.database import Purpose
from data_access.db.privileges import BY_TABLE, FACTS_OWNER, LOADER, Relation
from data_access.db.roles import Login

# Runs each statement, takes it back, and returns "done" or the error's SQLSTATE. A guard has the
# same SQLSTATE as a missing right, and would hide a right too much.
ATTEMPTS = """
create function public.attempts(statements text[]) returns text[] language plpgsql as $$
declare
    found text[] := '{}';
    one text;
begin
    foreach one in array statements loop
        begin
            execute one;
            raise exception 'taken back' using errcode = 'ZZ000';
        exception when others then
            found := found || case when sqlstate = 'ZZ000' then 'done'
                when sqlerrm like '%is append-only%' then 'guarded' else sqlstate end;
        end;
    end loop;
    return found;
end $$
"""
DENIED = "42501"


@dataclass(frozen=True)
class Separated:
    """The owner's engine, and the address for each login."""

    owner: Engine
    urls: dict[str, URL]

    def connect(self, login: str) -> psycopg.Connection[Any]:
        address = self.urls[login].set(drivername="postgresql")
        return psycopg.connect(address.render_as_string(hide_password=False), autocommit=True)

    @contextmanager
    def engine(self, purpose: Purpose) -> Iterator[Engine]:
        """An engine as a process with only this login's password has it."""
        address = self.urls[database.LOGINS[purpose]].render_as_string(hide_password=False)
        made = database._engine.__wrapped__(purpose, address)
        yield made
        made.dispose()


def separate(address: str, passwords: dict[str, str], *, make: bool) -> Separated:
    """Separate the logins of a migrated database; ``make`` sets their passwords too."""
    owner = create_engine(address)
    privileges.apply(owner, passwords if make else {})
    urls = {
        str(login): make_url(address).set(username=login, password=passwords[login])
        for login in Login
    }
    return Separated(owner, urls)


def tried(there: Separated) -> tuple[int, list[str]]:
    """Try every statement under every login; returns how many, and which went otherwise."""
    with there.owner.connect() as conn:
        relations = [one for one in privileges.relations(conn) if not one.parent]
        kinds = dict(
            conn.execute(
                text(
                    "select attrelid::regclass::text || '.' || attname, format_type(atttypid, null)"
                    " from pg_attribute where attrelid::regclass::text = any(:names) "
                    "and attnum > 0 and attgenerated = ''"
                ),
                {"names": [one.name for one in relations]},
            ).all()
        )
    number, otherwise = 0, []
    for login in Login:
        wanted = dict(_statements(login, relations, kinds))
        with there.connect(login) as conn:
            # It is what they were granted that must refuse, not only this setting.
            conn.execute("set default_transaction_read_only = off")
            row = conn.execute("select public.attempts(%s)", [list(wanted)]).fetchone()
        assert row is not None
        for (statement, allowed), found in zip(wanted.items(), row[0], strict=True):
            number += 1
            if found not in (("done",) if allowed else (DENIED,)):
                otherwise.append(f"{login}: {statement}: {found}, allowed: {allowed}")
    return number, otherwise


def _statements(
    login: Login, relations: list[Relation], kinds: dict[str, str]
) -> Iterator[tuple[str, bool]]:
    """Yield each statement and whether the rules allow it."""
    for one in relations:
        rule = BY_TABLE[one.name]
        owns = login is LOADER and rule.owner == FACTS_OWNER
        yield f"select 1 from {one.name} where false", owns or login in rule.select
        if one.kind == "v":
            yield f"create or replace view {one.name} as select 1", False
            yield f"drop view {one.name} cascade", False
            continue
        yield f"delete from {one.name} where false", owns or login in rule.delete
        updated = rule.update.get(login, "").split()
        for column in one.given:
            kind = kinds[f"{one.name}.{column}"]
            inserted = login in rule.insert and column not in rule.by_database
            yield (
                f'insert into {one.name} ("{column}") select cast(null as {kind}) where false',
                owns or inserted,
            )
            yield (
                f'update {one.name} set "{column}" = null where false',
                owns or column in updated or updated == ["*"],
            )
        for column in set(one.columns) - set(one.given):
            if kind := kinds.get(f"{one.name}.{column}"):
                yield (
                    f'insert into {one.name} ("{column}") overriding system value '
                    f"select cast(null as {kind}) where false",
                    owns,
                )
        for statement in (
            f"truncate {one.name} cascade",
            f"alter table {one.name} add column more integer",
            f"alter table {one.name} disable trigger user",
            f"alter table {one.name} rename to other",
            f"create rule nothing as on insert to {one.name} do instead nothing",
            f"alter table {one.name} owner to {login}",
            f"drop table {one.name} cascade",
        ):
            yield statement, owns
    for statement in (
        "create or replace function review.refuse_change() returns trigger language plpgsql as "
        "'begin return null; end'",
        "alter function review.refuse_change() rename to other",
        "drop function review.refuse_change() cascade",
        "drop schema review cascade",
        "set session_replication_role = replica",
        "set role history_owner",
        f"alter role {login} createrole",
        "create role another",
        "create table public.more (id integer)",
        "copy review.staff to program 'cat'",
        "select pg_read_file('PG_VERSION')",
    ):
        yield statement, False
