"""Verify the hash chain over what staff recorded.

The database writes the chain (``migrations/schema/10_history.sql``); this walks it in order and
names the first row that is not as it was recorded.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Connection, Engine, select, text

from data_access.db import tables
from data_access.db.errors import NotFound, Refusal

# How many links are checked at a time.
BATCH = 2_000
_FUNCTION = re.compile(
    r"^create function review\.(\w+)\(.*?\$\$(.*?)\$\$", re.MULTILINE | re.DOTALL
)
Progress = Callable[[int, int], None]

CHAINED = "select distinct table_name from review.history_formats order by 1"
COUNTED = """
select coalesce((select sum(cardinality(row_ids)) from review.history_entries), 0)::bigint,
    (select count(*) from review.history_erased)
"""
BODIES = "select proname, prosrc from pg_proc where pronamespace = 'review'::regnamespace"
ACTIVE = """
select relname, tgname from pg_trigger join pg_class on pg_class.oid = tgrelid
where relnamespace = 'review'::regnamespace and tgenabled = 'A'
"""
UNCOVERED = """
select shape.table_name, attname from (
    select distinct on (table_name) * from review.history_formats order by table_name, format desc
) as shape
join pg_attribute on attrelid = to_regclass('review.' || shape.table_name)
where attnum > 0 and not attisdropped and attname <> all (shape.columns || shape.ignored)
order by 1, 2 limit 1
"""
GENESIS = """
select chain_id, hash = sha256(convert_to(
    format('%s %s %s', chain_id, extract(epoch from at), statement), 'UTF8')) as whole
from review.history_genesis
"""
LINK_FAULT = "select position, fault from review.history_link_faults(:after, :through)"
ROW_FAULT = (
    "select position, row_id, fault from review.history_row_faults(:of_table, :after, :through)"
)
END = "select position, hash from review.history_links order by position desc limit 1"
UNLINKED = """
select entry_id, table_name, row_ids[1] as row_id from review.history_entries
where entry_id not in (select entry_id from review.history_links) order by 1 limit 1
"""
UNCHAINED = "select row_id from review.history_unchained(:of_table)"
UNEXPLAINED = """
select table_name, row_id from review.history_erased
where erasure_id not in (select erasure_id from review.erasures) order by 1, 2 limit 1
"""


class Broken(Refusal):
    """The history is not as it was recorded; the text names the first place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The end of a chain: the number of its links, and the last one's hash."""

    chain_id: UUID
    position: int
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was found to be as it was recorded."""

    head: Head
    rows: int
    erased: int

    def __str__(self) -> str:
        erased = f", the texts of {self.erased:,} of them erased" if self.erased else ""
        return (
            f"The history is as it was recorded: {self.rows:,} rows{erased}, "
            f"in {self.head.position:,} links."
        )


def head(engine: Engine) -> Head:
    """Return the end of the chain. Raises NotFound before the migration."""
    with _snapshot(engine) as connection:
        return _head(connection)


def verify(engine: Engine, kept: Head | None = None, progress: Progress | None = None) -> Verified:
    """Check every link and every row; ``kept`` is an earlier head that was kept elsewhere.

    Raises Broken.
    """
    with _snapshot(engine) as connection:
        return verify_on(connection, kept, progress)


def verify_on(
    connection: Connection, kept: Head | None = None, progress: Progress | None = None
) -> Verified:
    """The same for what this connection sees."""
    end = _head(connection)
    chained = connection.execute(text(CHAINED)).scalars().all()
    _require_functions(connection)
    _require_triggers(connection, chained)
    _require_columns(connection)
    _require_genesis(connection, end)
    for after in range(0, end.position, BATCH):
        through = min(after + BATCH, end.position)
        _require_links(connection, chained, after, through)
        if progress is not None:
            progress(through, end.position)
    _require_end(connection, end)
    if kept is not None:
        _require_kept(connection, end, kept)
    _require_nothing_beside(connection, chained)
    rows, erased = connection.execute(text(COUNTED)).one()
    return Verified(head=end, rows=rows, erased=erased)


@contextmanager
def _snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one state, however long it reads."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        connection.execute(text("set transaction read only"))
        connection.execute(text("set local statement_timeout = 0"))
        yield connection


def _head(connection: Connection) -> Head:
    row = connection.execute(select(tables.history_head)).one_or_none()
    if row is None:
        raise NotFound("The history has no head: its row was removed.")
    return Head(chain_id=row.chain_id, position=row.position, hash=row.hash)


def _require_functions(connection: Connection) -> None:
    """Functions that were replaced could agree to anything."""
    written = (tables.SCHEMA / "10_history.sql").read_text(encoding="utf-8")
    stored = {row.proname: row.prosrc for row in connection.execute(text(BODIES))}
    for name, body in _FUNCTION.findall(written):
        if stored.get(name, "").strip() != body.strip():
            raise Broken(f"The function review.{name} is not the one that the migration made.")


def _require_triggers(connection: Connection, chained: Sequence[str]) -> None:
    """Every chained table writes entries, and every entry is linked."""
    active = {(row.relname, row.tgname) for row in connection.execute(text(ACTIVE))}
    wanted = {*((table, "chained") for table in chained), ("history_entries", "linked")}
    for table, trigger in sorted(wanted - active):
        raise Broken(
            f"The trigger {trigger} on review.{table} is missing or disabled, so the history "
            "does not cover every new row."
        )


def _require_columns(connection: Connection) -> None:
    row = connection.execute(text(UNCOVERED)).one_or_none()
    if row is not None:
        raise Broken(f"The history does not cover the column {row.attname} of {row.table_name}.")


def _require_genesis(connection: Connection, end: Head) -> None:
    row = connection.execute(text(GENESIS)).one_or_none()
    if row is None or not row.whole or row.chain_id != end.chain_id:
        raise Broken("The genesis of the history was changed or removed.")


def _require_links(
    connection: Connection, chained: Sequence[str], after: int, through: int
) -> None:
    """Raise Broken for the first of these links, or of their rows, that is not as recorded."""
    span = {"after": after, "through": through}
    found = [
        (row.position, f"Link {row.position:,} of the history is broken: {row.fault}.")
        for row in connection.execute(text(LINK_FAULT), span)
    ]
    for table in chained:
        for row in connection.execute(text(ROW_FAULT), {**span, "of_table": table}):
            when = _recorded_at(connection, row.position)
            sentence = f"Row {row.row_id:,} of review.{table} {row.fault} since it was recorded"
            found.append((row.position, f"{sentence} {when} (link {row.position:,})."))
    if found:
        raise Broken(min(found)[1])


def _recorded_at(connection: Connection, position: int) -> str:
    entries, links = tables.history_entries, tables.history_links
    at: datetime | None = connection.execute(
        select(entries.c.at)
        .join(links, links.c.entry_id == entries.c.entry_id)
        .where(links.c.position == position)
    ).scalar_one_or_none()
    return f"at {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else ""


def _require_end(connection: Connection, end: Head) -> None:
    last = connection.execute(text(END)).one_or_none()
    found = (last.position, last.hash) if last is not None else (0, end.hash)
    if found != (end.position, end.hash):
        raise Broken(
            f"The history ends at link {found[0]:,}, but its head names link {end.position:,}: "
            "links were cut off or added."
        )


def _require_kept(connection: Connection, end: Head, kept: Head) -> None:
    """Raise Broken unless the chain still contains a head that was kept elsewhere."""
    if kept.chain_id != end.chain_id:
        raise Broken("The kept head belongs to another history than this database's.")
    if kept.position > end.position:
        raise Broken(
            f"The kept head names link {kept.position:,}, but the history ends at link "
            f"{end.position:,}: its tail was cut off."
        )
    links = tables.history_links.c
    found = (
        connection.execute(select(links.hash).where(links.position == kept.position)).scalar()
        if kept.position
        else connection.execute(select(tables.history_genesis.c.hash)).scalar()
    )
    if found != kept.hash:
        raise Broken(
            f"Link {kept.position:,} is not the one that the kept head names: the history was "
            "written anew."
        )


def _require_nothing_beside(connection: Connection, chained: Sequence[str]) -> None:
    """Raise Broken if a row is not in the chain, or was erased without a recorded erasure."""
    loose = connection.execute(text(UNLINKED)).one_or_none()
    if loose is not None:
        raise Broken(f"Entry {loose.entry_id:,} of the history is not linked to it.")
    for table in chained:
        row_id = connection.execute(text(UNCHAINED), {"of_table": table}).scalar()
        if row_id is not None:
            raise Broken(
                f"Row {row_id:,} of review.{table} is not in the history: it was added past it."
            )
    gone = connection.execute(text(UNEXPLAINED)).one_or_none()
    if gone is not None:
        raise Broken(f"Row {gone.row_id:,} of review.{gone.table_name} was erased by nobody.")
