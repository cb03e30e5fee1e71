"""Health checks for load balancers, cheap to call often."""

import asyncio
import time

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from data_access.db import database, migrate
from data_access.db.errors import DatabaseRefused, Refusal
from data_access.db.logs import LOG

NOT_CACHED = {"Cache-Control": "no-store"}
AWAY = "the database does not respond"
# Concurrent checks share one query.
FRESH_FOR_S = 1.0


def healthz(_: Request) -> Response:
    """The process responds."""
    return PlainTextResponse("ok", headers=NOT_CACHED)


class Readiness:
    """The result of ``/readyz``: the database responds and its schema fits this program."""

    def __init__(self, fresh_for_s: float = FRESH_FOR_S) -> None:
        self.fresh_for_s = fresh_for_s
        self._lock = asyncio.Lock()
        self._checked_at = float("-inf")
        self._obstacle: str | None = None

    async def answer(self, _: Request) -> Response:
        """Return ``ready``, or 503 with what is missing."""
        async with self._lock:
            if time.monotonic() - self._checked_at > self.fresh_for_s:
                found = await run_in_threadpool(obstacle)
                self._note(found)
                self._obstacle, self._checked_at = found, time.monotonic()
            missing = self._obstacle
        if missing is None:
            return PlainTextResponse("ready", headers=NOT_CACHED)
        return PlainTextResponse(missing, status_code=503, headers=NOT_CACHED)

    def _note(self, found: str | None) -> None:
        if found is not None and found != self._obstacle:
            LOG.warning("not ready: %s", found)
        elif found is None and self._obstacle is not None:
            LOG.info("ready again")


def obstacle() -> str | None:
    """Return why the server is not ready, in words; ``None`` if it is."""
    try:
        with database.reading(database.reader()) as connection:
            return migrate.outdated(connection)
    except DatabaseRefused as refusal:
        return str(refusal)
    except Refusal:
        return AWAY
