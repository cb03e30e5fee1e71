"""Saved form maps: every version is stored, and the newest with a name counts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import Connection, Engine, func, insert, select
from sqlalchemy.dialects.postgresql import distinct_on

from data_access.db import locks, tables, text_rules
from data_access.db.errors import Invalid, NotFound, Outdated
from data_access.loading import form_map
from data_access.loading.form_map import FormMap
from data_access.people import commands
from data_access.people.commands import Command
from program.review.permissions import Act
from program.text.folding import name_key

LONGEST_NAME = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedMap:
    """The newest version of a map; ``content`` is as in a TOML map."""

    map_id: int
    name: str
    content: Mapping[str, Any]
    saved_by: str
    saved_at: datetime


def listed(connection: Connection) -> list[SavedMap]:
    """Return the maps that are not retired, by name."""
    table = tables.form_maps
    key = func.review.name_key(table.c.name)
    newest = select(table).ext(distinct_on(key)).order_by(key, table.c.map_id.desc()).subquery()
    found = connection.execute(select(newest).where(~newest.c.is_retired))
    return [
        SavedMap(
            map_id=row.map_id,
            name=row.name,
            content=row.content,
            saved_by=row.saved_by,
            saved_at=row.saved_at,
        )
        for row in found
    ]


def named(connection: Connection, name: str) -> SavedMap | None:
    """Return the map with that name in any spelling, or ``None``."""
    wanted = name_key(name)
    return next((one for one in listed(connection) if name_key(one.name) == wanted), None)


def chosen(engine: Callable[[], Engine], file_or_name: str) -> FormMap:
    """Return the map in that file, or with that name. Raises Refusal."""
    path = Path(file_or_name)
    # Anything that looks like a path is one, even if the file is missing.
    if path.suffix.lower() == ".toml" or path.parent != Path() or path.exists():
        return form_map.read(path)
    with engine().connect() as connection:
        saved = named(connection, file_or_name)
        known = ", ".join(one.name for one in listed(connection)) or "none yet"
    if saved is None:
        raise NotFound(
            f"{file_or_name} is neither a file nor the name of a saved map (saved: {known})."
        )
    return form_map.parse(saved.content, saved.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class MapCommand(Command):
    """A command on a saved map."""

    act: ClassVar[Act] = Act.IMPORT


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveMap(MapCommand):
    """Save a map, as TOML or JSON hold it, under a name.

    ``expected`` is the id of the version it replaces, ``None`` for a new name.
    """

    name: str
    definition: Mapping[str, Any]
    expected: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireMap(MapCommand):
    """Retire a map."""

    map_id: int


def save(engine: Engine, command: SaveMap) -> int:
    """Save a map under a name and return its id; unchanged content keeps the current version.

    Raises NotAllowed, Invalid, LoadRefused, RequestReused or Outdated.
    """
    name = text_rules.require(command.name, what="The map's name", longest=LONGEST_NAME)
    form_map.parse(command.definition, name)

    def do(connection: Connection) -> int:
        before, expected = named(connection, name), command.expected
        if before is not None and before.content == command.definition:
            return before.map_id
        if before is not None and expected is None:
            raise Invalid(f"There is a map {before.name} already. Replace it, or choose a name.")
        if expected is not None and (before is None or before.map_id != expected):
            raise Outdated
        return _add(connection, before.name if before else name, command.definition, command)

    return commands.perform(engine, command, do, lock=locks.FORM_MAPS)


def retire(engine: Engine, command: RetireMap) -> int:
    """Retire a map; returns its id. Raises NotAllowed, RequestReused or Outdated."""

    def do(connection: Connection) -> int:
        before = next((one for one in listed(connection) if one.map_id == command.map_id), None)
        if before is None:
            raise Outdated
        _add(connection, before.name, before.content, command, is_retired=True)
        return command.map_id

    return commands.perform(engine, command, do, lock=locks.FORM_MAPS)


def _add(
    connection: Connection,
    name: str,
    content: Mapping[str, Any],
    command: MapCommand,
    *,
    is_retired: bool = False,
) -> int:
    table = tables.form_maps
    map_id: int = connection.execute(
        insert(table)
        .values(
            name=name,
            content=dict(content),
            is_retired=is_retired,
            saved_by=command.actor,
            saved_at=command.at,
        )
        .returning(table.c.map_id)
    ).scalar_one()
    return map_id
