"""Lifecycle counts of applications by day: from the stored sums, plus what is newer.

Medians and 90th percentiles are of every single waiting time, stored to the second.
"""

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

import numpy as np
from sqlalchemy import ColumnElement, Connection, Row, Text, cast, func, literal, select

from data_access.db import tables
from data_access.reports.buckets import bucket
from data_access.rollups import lifecycle
from data_access.rollups.lifecycle import PROGRAM, At
from program.periods import Window
from program.reports.periods import Grain, buckets

Key = TypeVar("Key", bound=Hashable)
COUNTS = ("number", "touched", "decided", "approved", "overrides", "active")
HOUR = 3600
PLACES = Decimal("0.0001")
# The format in which the sums store them.
PACKED = np.dtype(">i4")


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """Counts over some days; ``waits`` in seconds, only for touches and decisions."""

    number: int = 0
    touched: int = 0
    decided: int = 0
    approved: int = 0
    overrides: int = 0
    active: int = 0
    waits: bytes = b""

    def hours(self, share: Decimal) -> Decimal | None:
        """Return a percentile of the waits in hours, interpolated; None if there are none."""
        waits = np.frombuffer(self.waits, PACKED).astype(np.int32)
        if not waits.size:
            return None
        place = share * (waits.size - 1)
        below = int(place)
        above = min(below + 1, waits.size - 1)
        parted = np.partition(waits, (below, above))
        low, high = int(parted[below]), int(parted[above])
        return ((low + (high - low) * (place - below)) / HOUR).quantize(PLACES)


Uncounted = Sequence[Row[Any]]


def uncounted(connection: Connection) -> Uncounted:
    """Read what no refresh has counted yet, or what changed since; once per page."""
    return lifecycle.uncounted(connection)


def whole(connection: Connection, at: At, period: Window, news: Uncounted) -> Worked:
    """Return the whole period as one."""
    found = _worked(connection, at, period, news, literal("", Text), lambda _: "")
    return found.get("", Worked())


def by_step(
    connection: Connection, at: At, period: Window, grain: Grain, news: Uncounted
) -> dict[date, Worked]:
    """Return the steps of the period in which something happened, by first day."""
    starts = [step.start for step in buckets(period, grain)]
    start = bucket(tables.work_daily.c.day, period, grain)
    return _worked(
        connection, at, period, news, start, lambda row: starts[bisect_right(starts, row.day) - 1]
    )


def by_segment(
    connection: Connection, at: At, period: Window, dimension: str, news: Uncounted
) -> dict[str, Worked]:
    """Return the period split into segments."""
    segment = tables.work_daily.c.segment
    return _worked(connection, at, period, news, segment, lambda row: row.segment, dimension)


def together(parts: Iterable[Worked]) -> Worked:
    """Return the sum of several."""
    parts = list(parts)
    counts = {name: sum(getattr(part, name) for part in parts) for name in COUNTS}
    return Worked(**counts, waits=b"".join(part.waits for part in parts))


def since(connection: Connection, at: At, day: date, news: Uncounted) -> int:
    """Return the number from ``day`` on."""
    return whole(connection, at, Window(day, date.max), news).number


def _worked(
    connection: Connection,
    at: At,
    period: Window,
    news: Uncounted,
    key: ColumnElement[Any],
    key_of: Callable[[Row[Any]], Key],
    dimension: str = PROGRAM,
) -> dict[Key, Worked]:
    table = tables.work_daily.c
    kept = connection.execute(
        select(
            key.label("key"),
            *(cast(func.sum(table[name]), table[name].type).label(name) for name in COUNTS),
            func.string_agg(table.waits, cast(literal(b""), table.waits.type)).label("waits"),
        )
        .where(
            table.moment == str(at),
            table.dimension == dimension,
            table.day >= period.start,
            table.day < period.end,
        )
        .group_by("key")
    )
    found: dict[Key, list[Worked]] = {row.key: [_of(row)] for row in kept}
    gone: dict[Key, list[bytes]] = {}
    for row in news:
        if (row.moment, row.dimension) == (at, dimension) and row.day in period:
            found.setdefault(key_of(row), []).append(_of(row))
            gone.setdefault(key_of(row), []).append(row.gone or b"")
    summed = {
        key: _without(together(parts), b"".join(gone.get(key, ()))) for key, parts in found.items()
    }
    return {key: worked for key, worked in summed.items() if worked.number}


def _of(row: Any) -> Worked:  # noqa: ANN401 - a row of sums
    counts = {name: int(getattr(row, name)) for name in COUNTS}
    return Worked(**counts, waits=row.waits or b"")


def _without(worked: Worked, gone: bytes) -> Worked:
    """Remove each of the waits in ``gone`` once."""
    if not gone:
        return worked
    waits, times = np.unique(np.frombuffer(worked.waits, PACKED), return_counts=True)
    leaving, times_gone = np.unique(np.frombuffer(gone, PACKED), return_counts=True)
    times[np.searchsorted(waits, leaving)] -= times_gone
    return replace(worked, waits=np.repeat(waits, times).tobytes())
