"""The bench's own embedded server, never the user's."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, text

from data_access.db import migrate, privileges
from data_access.db.embedded import DATABASE, HOME, Cluster
from data_access.db.tables import GUARD

CLUSTER = Cluster(HOME / "bench")
NAME = DATABASE


def connect(name: str = NAME, *, cluster: Cluster | None = None) -> Engine:
    """Return an engine for database ``name`` of the bench's server, starting it if necessary."""
    cluster = cluster or CLUSTER
    cluster.ensure_running()
    return create_engine(cluster.url(name), connect_args={"options": "-c timezone=UTC"})


def recreate(name: str = NAME, *, cluster: Cluster | None = None) -> Engine:
    """Drop database ``name`` if it exists, and create it with the schema."""
    with _maintenance(cluster) as server:
        server.execute(text(f"drop database if exists {name}"))
        server.execute(text(f"create database {name}"))
    engine = connect(name, cluster=cluster)
    bring_up_to_date(engine)
    return engine


def bring_up_to_date(engine: Engine) -> None:
    """Bring the schema up to date, and give the dashboard's logins their rights."""
    migrate.migrate(engine)
    privileges.apply(engine, {})


def is_built(name: str = NAME, *, cluster: Cluster | None = None) -> bool:
    """Whether database ``name`` exists and its build was completed."""
    described = (
        "select shobj_description(oid, 'pg_database') from pg_database where datname = :name"
    )
    with _maintenance(cluster) as server:
        return server.execute(text(described), {"name": name}).scalar() is not None


OF_SCHEMA = """
select string_agg(oid::regclass::text, ', ') from pg_class
where relkind in ('r', 'p') and relnamespace = cast(:schema as regnamespace)
"""


def vacuum(engine: Engine, schema: str | None = None) -> None:
    """Clean up and take statistics, as a night does; with ``schema``, of its tables only."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        of = connection.scalar(text(OF_SCHEMA), {"schema": schema}) if schema else ""
        connection.execute(text(f"vacuum (analyze) {of}"))


def mark_built(engine: Engine, *, note: str) -> None:
    """Mark the database as completely built, with a note of its size."""
    with engine.begin() as connection:
        connection.execute(text(f"comment on database {engine.url.database} is '{note}'"))


@contextmanager
def taking_back(engine: Engine, *names: str) -> Iterator[Connection]:
    """Open a transaction in which rows of these append-only tables can be deleted."""
    with engine.begin() as connection:
        for name in names:
            connection.execute(text(f"alter table review.{name} disable trigger {GUARD}"))
        yield connection
        for name in names:
            connection.execute(text(f"alter table review.{name} enable always trigger {GUARD}"))


def take_back_decisions(engine: Engine, which: str, **given: object) -> None:
    """Undo the decisions that meet the condition ``which``, and what each of them left behind."""
    decided = f"from review.decisions where {which}"
    with taking_back(engine, "events", "decisions") as connection:
        for statement in (
            "update exchange.applications set status = 'pending'"
            f" where application_id in (select application_id {decided})",
            f"delete from review.outbox where decision_id in (select decision_id {decided})",
            "delete from review.events where (detail ->> 'decision_id')::bigint in"
            f" (select decision_id {decided})",
            "delete from review.requests where act = 'DECIDE'"
            f" and result in (select decision_id {decided})",
            f"delete {decided}",
        ):
            connection.execute(text(statement), given)


@contextmanager
def _maintenance(cluster: Cluster | None) -> Iterator[Connection]:
    engine = connect("postgres", cluster=cluster)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection
    engine.dispose()
