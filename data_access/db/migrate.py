"""Migrate the schema, and report its version."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from data_access.db import locks
from data_access.db.embedded import HOME
from data_access.db.errors import Invalid

MIGRATIONS = Path(__file__).parent / "migrations"
# In our own schema, so that another program's Alembic in the same database is not affected.
VERSION_TABLE_SCHEMA = "review"
UNRELEASED = (
    "This database was made by an unreleased version and cannot be upgraded. Start over: "
    "name an empty database in DATABASE_URL, or remove the embedded one with "
    f"`python -m data_access stop` and `rm -r {HOME}`."
)


def migrate(engine: Engine, *, to: str = "head") -> tuple[str | None, str | None]:
    """Bring the schema to revision ``to`` in one transaction; returns (before, after).

    Raises Invalid for a revision that this code does not know, and for a database made before
    the first release.
    """
    with engine.begin() as connection:
        # Two processes that start together must not migrate at the same time.
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": locks.MIGRATION})
        before = revision(connection)
        _require_released(connection, before)
        connection.execute(text(f"create schema if not exists {VERSION_TABLE_SCHEMA}"))
        config = _config()
        _require_known(config, before, to)
        config.attributes["connection"] = connection
        config.attributes["version_table_schema"] = VERSION_TABLE_SCHEMA
        heading_down = to != "head" and not _reaches(config, to, before)
        (command.downgrade if heading_down else command.upgrade)(config, to)
        return before, revision(connection)


def revision(connection: Connection) -> str | None:
    """The schema's revision, or ``None`` on an empty database."""
    options = {"version_table_schema": VERSION_TABLE_SCHEMA}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def head() -> str | None:
    """The newest revision this code knows."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def outdated(connection: Connection) -> str | None:
    """Return what to run if the schema does not fit this program, in words; ``None`` if it does."""
    found, wanted = revision(connection), head()
    if found == wanted:
        return None
    return (
        f"the schema is at revision {found or 'none'}, and this program needs {wanted}: "
        "run `python -m data_access migrate`"
    )


def _config() -> Config:
    config = Config()
    # Config values interpolate percent signs.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _require_released(connection: Connection, found: str | None) -> None:
    made_before = text("select to_regclass('review.policies') is not null")
    if found is None and connection.execute(made_before).scalar_one():
        raise Invalid(UNRELEASED)


def _require_known(config: Config, found: str | None, wanted: str) -> None:
    scripts = ScriptDirectory.from_config(config).walk_revisions()
    known = ["base", *sorted(script.revision for script in scripts), "head"]
    if found is not None and found not in known:
        raise Invalid(
            f"The database's schema is at revision {found}, which this program does not know. "
            "Update the program."
        )
    if wanted not in known:
        raise Invalid(f"There is no revision {wanted}. The revisions are: {', '.join(known)}.")


def _reaches(config: Config, target: str, start: str | None) -> bool:
    if target == "base":
        return False
    known = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    known.reverse()
    return start is None or known.index(target) >= known.index(start)
