"""Runs: one act on many applications, each in its own transaction, each with its own result.

A run is stored with its results, so its report outlives the page that started it, and a repeat of
the same command continues where the first was cut off.
"""

import json
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID, uuid5

from sqlalchemy import Engine, select, update
from sqlalchemy.dialects.postgresql import insert

from data_access.applications import read
from data_access.db import database, tables
from data_access.db.errors import Busy, DatabaseUnavailable, Invalid, Refusal, RequestReused
from data_access.people import staff
from data_access.people.commands import Command
from data_access.people.identities import known_by

MOST = 1_000
SAVED_EVERY = 20
BUSY = "A colleague is changing it right now. Try again in a moment."


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkCommand(Command):
    """A command on many applications, by their ids."""

    ids: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result for one application; ``sentence`` is the refusal if it was not done."""

    application_id: int
    done: bool
    sentence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A bulk run with its results so far. If unfinished, it is running or was cut off."""

    request_id: UUID
    act: str
    at: datetime
    finished_at: datetime | None
    ids: tuple[int, ...]
    results: tuple[Result, ...]


# Acts on one application; the UUID is its request id in the run.
Each = Callable[[int, UUID], object]


def own_request(request_id: UUID, id_: int) -> UUID:
    """Return the request id under which a run acts on one of its applications."""
    return uuid5(request_id, str(id_))


@known_by("actor")
def latest(engine: Engine, *, actor: str, names: Sequence[str]) -> Run | None:
    """Return the actor's newest run under one of these names, for the report."""
    table = tables.bulk_runs
    with database.acting(engine) as connection:
        row = connection.execute(
            select(table)
            .where(table.c.actor == actor, table.c.act.in_(names))
            .order_by(table.c.at.desc())
            .limit(1)
        ).first()
    if row is None:
        return None
    results = {result["application_id"]: Result(**result) for result in row.results}
    if row.finished_at is None:
        # Also count acts since the last save of results, where the server stopped.
        results |= _done_already(engine, row.request_id, row.asked)
    return Run(
        request_id=row.request_id,
        act=row.act,
        at=row.at,
        finished_at=row.finished_at,
        ids=tuple(row.asked),
        results=tuple(results[id_] for id_ in row.asked if id_ in results),
    )


def run(
    engine: Engine,
    command: BulkCommand,
    each: Each,
    *,
    name: str = "",
    noun: str = "application",
) -> list[Result]:
    """Act on each application, and store the run under ``name``, by default the act's.

    A repeat of a finished run returns its results; a repeat of one that was cut off does the
    rest. Raises NotAllowed, Invalid, RequestReused, and DatabaseUnavailable, after which the same
    command can be sent again.
    """
    ids = _require_ids(command.ids, noun)
    finished = _begin(engine, command, ids, name or command.act.name)
    if finished is not None:
        return finished
    progress = _Progress(engine, command.request_id, ids)
    try:
        for id_ in progress.open():
            with suppress(Busy):
                progress.add(_one(id_, each, own_request(command.request_id, id_)))
        # Applications locked by a colleague are tried once more, after all others.
        for id_ in progress.open():
            try:
                progress.add(_one(id_, each, own_request(command.request_id, id_)))
            except Busy:
                progress.add(Result(application_id=id_, done=False, sentence=BUSY))
    except DatabaseUnavailable:
        with suppress(DatabaseUnavailable):
            progress.save()
        raise
    progress.save(finished_at=command.at)
    return progress.results


class _Progress:
    """The results of a run so far, saved from time to time, so that others see them."""

    def __init__(self, engine: Engine, request_id: UUID, ids: Sequence[int]) -> None:
        self._engine, self._request_id, self._ids = engine, request_id, ids
        self._done = _done_already(engine, request_id, ids)

    def open(self) -> list[int]:
        """Return the applications without a result."""
        return [id_ for id_ in self._ids if id_ not in self._done]

    @property
    def results(self) -> list[Result]:
        """The results so far, in the order of the command."""
        return [self._done[id_] for id_ in self._ids if id_ in self._done]

    def add(self, result: Result) -> None:
        """Add the result of one application."""
        self._done[result.application_id] = result
        if len(self._done) % SAVED_EVERY == 0:
            self.save()

    def save(self, *, finished_at: datetime | None = None) -> None:
        """Save the results with the run."""
        table = tables.bulk_runs
        with database.acting(self._engine) as connection:
            connection.execute(
                update(table)
                .where(table.c.request_id == self._request_id, table.c.finished_at.is_(None))
                .values(
                    finished_at=finished_at, results=[asdict(result) for result in self.results]
                )
            )


def _one(id_: int, each: Each, request_id: UUID) -> Result:
    try:
        each(id_, request_id)
    except DatabaseUnavailable:
        raise
    except Refusal as refusal:
        return Result(application_id=id_, done=False, sentence=str(refusal))
    return Result(application_id=id_, done=True)


def _require_ids(ids: Sequence[int], noun: str) -> list[int]:
    """Return the distinct ids."""
    distinct = list(dict.fromkeys(ids))
    if not distinct:
        raise Invalid(f"Choose at least one {noun}.")
    if len(distinct) > MOST:
        raise Invalid(f"{len(distinct):,} are selected; the limit is {MOST:,}. Narrow the filters.")
    if max(distinct) > read.LARGEST_ID:
        raise Invalid("One of the selected applications does not exist. Select them again.")
    return distinct


def _begin(engine: Engine, command: BulkCommand, ids: list[int], name: str) -> list[Result] | None:
    """Store the run; returns its results if the same request has finished before."""
    table, content = tables.bulk_runs, _digest(command)
    with database.acting(engine) as connection:
        staff.require(connection, command.actor, command.act)
        connection.execute(
            insert(table)
            .values(
                request_id=command.request_id,
                actor=command.actor,
                act=name,
                at=command.at,
                asked=ids,
                content=content,
            )
            .on_conflict_do_nothing()
        )
        row = connection.execute(
            select(table).where(table.c.request_id == command.request_id)
        ).one()
    if (row.actor, row.act, row.content) != (command.actor, name, content):
        raise RequestReused
    if row.finished_at is None:
        return None
    return [Result(**result) for result in row.results]


def _digest(command: BulkCommand) -> str:
    """Return a digest that compares two commands, typed text included."""
    return sha256(json.dumps(command.content, sort_keys=True).encode()).hexdigest()


def _done_already(engine: Engine, request_id: UUID, ids: Collection[int]) -> dict[int, Result]:
    """Return the done applications of a run that was cut off, whatever their texts are now."""
    own = {own_request(request_id, id_): id_ for id_ in ids}
    table = tables.requests
    with database.acting(engine) as connection:
        found = connection.execute(
            select(table.c.request_id).where(table.c.request_id.in_(list(own)))
        ).scalars()
        return {own[one]: Result(application_id=own[one], done=True) for one in found}
