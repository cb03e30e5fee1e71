"""Whether the replica may be read: it responds, and is not too far behind the database."""

import logging
import time
from dataclasses import dataclass
from threading import Lock

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from data_access.db.errors import DatabaseUnavailable

LOG = logging.getLogger(__name__)
MOST_LAG_S = 30.0
AWAY = (DatabaseUnavailable, SQLAlchemyError)
# Screens that are drawn together share one check.
FRESH_FOR_S = 5.0
WRITTEN = text("select pg_current_wal_lsn()::text")
REPLAYED = text(
    """
    select not pg_is_in_recovery() or pg_last_wal_replay_lsn() >= cast(:written as pg_lsn),
           extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())::float8
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How far the replica is behind; with an ``obstacle``, why the database is read instead."""

    lag_s: float | None
    obstacle: str | None = None

    @property
    def sentence(self) -> str:
        """Where figures are read, in words."""
        if self.obstacle is not None:
            return f"The replica {self.obstacle}, so this is read from the database itself."
        return f"Read from the replica, {_seconds(self.lag_s or 0.0)} behind the database."


def _seconds(lag_s: float) -> str:
    if lag_s < 1:
        return "less than a second"
    return f"{lag_s:.0f} second{'' if round(lag_s) == 1 else 's'}"


class Watch:
    """Checks a replica at most every few seconds, and remembers when it had caught up."""

    def __init__(self, database: Engine, replica: Engine) -> None:
        self.database, self.replica = database, replica
        self._lock = Lock()
        self._state: State | None = None
        self._checked_at = self._caught_up_at = float("-inf")

    def state(self) -> State:
        """Return the state of a few seconds ago, or of now."""
        with self._lock:
            if self._state is None or time.monotonic() - self._checked_at > FRESH_FOR_S:
                found = self._check()
                if self._state is None or found.obstacle != self._state.obstacle:
                    LOG.warning("%s", found.sentence)
                self._state, self._checked_at = found, time.monotonic()
            return self._state

    def _check(self) -> State:
        try:
            with self.database.connect() as connection:
                written = connection.execute(WRITTEN).scalar_one()
        except AWAY:
            # It cannot be compared; what the replica has is better than nothing.
            return State(lag_s=None)
        try:
            with self.replica.connect() as connection:
                lag_s = self._lag(connection, written)
        except AWAY as error:
            LOG.info("replica: %s", error)
            return State(lag_s=None, obstacle="does not respond")
        if lag_s > MOST_LAG_S:
            return State(lag_s=lag_s, obstacle=f"is {_seconds(lag_s)} behind")
        return State(lag_s=lag_s)

    def _lag(self, connection: Connection, written: str) -> float:
        """Return how long ago the replica had all; where nothing is written it never lags."""
        caught_up, since_commit = connection.execute(REPLAYED, {"written": written}).one()
        now = time.monotonic()
        if caught_up:
            self._caught_up_at = now
            return 0.0
        known = [now - self._caught_up_at, since_commit if since_commit is not None else 1e9]
        return float(min(known))
