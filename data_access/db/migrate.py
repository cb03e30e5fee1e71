"""Bringing the schema up to date, and saying which version it has."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from data_access.db import locks
from data_access.db.errors import Invalid

MIGRATIONS = Path(__file__).parent / "migrations"
# Two processes that start at once must not migrate at once.


def migrate(engine: Engine, *, to: str = "head") -> tuple[str | None, str | None]:
    """Bring the schema to revision ``to`` in one transaction; returns (before, after).

    Raises Invalid for a revision that this code does not know.
    """
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": locks.MIGRATION})
        before = revision(connection)
        config = _config()
        _require_known(config, before, to)
        config.attributes["connection"] = connection
        heading_down = to != "head" and not _reaches(config, to, before)
        (command.downgrade if heading_down else command.upgrade)(config, to)
        return before, revision(connection)


def revision(connection: Connection) -> str | None:
    """The schema's revision, or ``None`` on an empty database."""
    return MigrationContext.configure(connection).get_current_revision()


def head() -> str | None:
    """The newest revision this code knows."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    # The file that this could be would have references to other values after a percent sign.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


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
