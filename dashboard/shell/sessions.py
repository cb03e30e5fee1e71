"""The sessions of browsers, written at sign-in, at acts and at sign-out."""

import asyncio
import time
from collections import OrderedDict

from starlette.concurrency import run_in_threadpool

from data_access.db import database
from data_access.db.errors import DatabaseUnavailable
from data_access.db.logs import LOG
from data_access.people import sessions
from program.review.sign_in import NOTED_EVERY, Identity

MOST = 10_000

# When this process last wrote a session's activity, by its clock.
_noted_at: OrderedDict[str, float] = OrderedDict()
_under_way: set[asyncio.Task[None]] = set()


def begin(identity: Identity, *, secret: str) -> bool:
    """Begin a session for this identity; returns whether it is let in."""
    return sessions.sign_in(database.writer(), identity, key=sessions.key_of(secret))


def begin_locally(email: str, *, secret: str) -> bool:
    """Begin a session without a proof, once for each secret; returns whether it began."""
    return sessions.sign_in_locally(database.writer(), email, key=sessions.key_of(secret))


def end(key: str | None) -> None:
    """End the session with this key, if there is one."""
    if key is not None:
        sessions.end(database.writer(), key)


def is_due(key: str) -> bool:
    """Whether this process last wrote the session's activity over a minute ago, or never."""
    return time.monotonic() - _noted_at.get(key, float("-inf")) >= NOTED_EVERY.total_seconds()


def note_activity(key: str) -> None:
    """Record in the background that the session's person did something."""
    _noted_at[key] = time.monotonic()
    _noted_at.move_to_end(key)
    while len(_noted_at) > MOST:
        _noted_at.popitem(last=False)
    task = asyncio.get_running_loop().create_task(_note(key))
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)


async def _note(key: str) -> None:
    try:
        await run_in_threadpool(sessions.note_activity, database.writer(), key)
    except DatabaseUnavailable as error:
        _noted_at.pop(key, None)
        LOG.warning("a person's activity was not recorded: %s", error)
