"""Lifecycle counts of applications by day: from the stored sums, plus what is newer.

Medians and 90th percentiles are of every single waiting time, stored to the second.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, text

from data_access.rollups import lifecycle
from data_access.rollups.lifecycle import COUNTS, PROGRAM, WHOLE, At
from program.periods import Window, around_months
from program.reports.periods import Grain, buckets

HOUR = 3600
PLACES = Decimal("0.0001")
# The format in which the sums store them.
PACKED = np.dtype(">i4")
# A step's key is its first day, cut at the period's start. OFFSET 0 keeps one index scan per span.
READ = f"""
with span as (
    select * from unnest(
        cast(:places as integer[]), cast(:moments as text[]), cast(:dimensions as text[]),
        cast(:grains as text[]), cast(:starts as date[]), cast(:firsts as date[]),
        cast(:afters as date[]), cast(:months as boolean[])
    ) as span (place, moment, dimension, grain, start, first, after, months)
), part as (
    select span.*, sums.* from span cross join lateral (
        select day, segment, {", ".join(COUNTS)}, waits from review.work_daily as daily
        where daily.moment = span.moment and daily.dimension = span.dimension
          and day >= first and day < after offset 0) as sums
    where not months
    union all
    select span.*, sums.* from span cross join lateral (
        select month, segment, {", ".join(COUNTS)}, waits from review.work_monthly as monthly
        where monthly.moment = span.moment and monthly.dimension = span.dimension
          and month >= first and month < after offset 0) as sums
    where months
)
select place, greatest(date_trunc(grain, day::timestamp)::date, start) as step, segment,
       {", ".join(f"sum({name})::bigint as {name}" for name in COUNTS)},
       string_agg(waits, '') as waits
from part group by 1, 2, 3
"""  # noqa: S608 - names of columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """Counts over some days; ``waits`` in seconds, only for touches and decisions."""

    number: int = 0
    touched: int = 0
    decided: int = 0
    approved: int = 0
    overrides: int = 0
    active: int = 0
    in_time: int = 0
    late: int = 0
    waits: bytes = b""

    def hours(self, *shares: Decimal) -> tuple[Decimal | None, ...]:
        """Return percentiles of the waits in hours, interpolated; None if there are none."""
        waits = np.sort(np.frombuffer(self.waits, PACKED).astype(np.int32))
        return tuple(_percentile(waits, share) if waits.size else None for share in shares)


def _percentile(waits: Any, share: Decimal) -> Decimal:  # noqa: ANN401 - a sorted array
    place = share * (waits.size - 1)
    below = int(place)
    low, high = int(waits[below]), int(waits[min(below + 1, waits.size - 1)])
    hours: Decimal = (low + (high - low) * (place - below)) / HOUR
    return hours.quantize(PLACES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Sums of one step over some days: in total, by ``grain``, or by segment of ``dimension``."""

    at: At
    days: Window
    grain: Grain | None = None
    dimension: str = PROGRAM

    @property
    def spans(self) -> Iterator[tuple[Window, bool]]:
        """The stored sums to read: whole months where these are enough, and single days."""
        if self.grain in (Grain.DAY, Grain.WEEK):
            yield self.days, False
            return
        before, months, after = around_months(self.days)
        yield from ((before, False), (months, True), (after, False))


Found = dict[Any, Worked]


class Sums:
    """The sums of one page, in one transaction; `prepare` reads several in one statement.

    What no refresh has counted yet is read once.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._uncounted = lifecycle.uncounted(connection)
        self._found: dict[Selection, Found] = {}

    def prepare(self, *selections: Selection) -> None:
        """Read these at once."""
        rows = _stored(self.connection, selections)
        for selection, stored in zip(selections, rows, strict=True):
            self._found[selection] = _updated(selection, stored, self._uncounted)

    def by_step(self, at: At, period: Window, grain: Grain) -> dict[date, Worked]:
        """Return the steps of the period in which something happened, by first day."""
        return self._read(Selection(at=at, days=period, grain=grain))

    def by_segment(self, at: At, period: Window, dimension: str) -> dict[str, Worked]:
        """Return the period split into segments."""
        return self._read(Selection(at=at, days=period, dimension=dimension))

    def whole(self, at: At, period: Window) -> Worked:
        """Return the whole period as one."""
        return self._read(Selection(at=at, days=period)).get(WHOLE, Worked())

    def since(self, at: At, day: date) -> int:
        """Return the number from ``day`` on."""
        return self.whole(at, since(day)).number

    def _read(self, selection: Selection) -> Found:
        if selection not in self._found:
            self.prepare(selection)
        return self._found[selection]


def since(day: date) -> Window:
    """Return all days from ``day`` on."""
    return Window(day, date.max)


def together(parts: Iterable[Worked]) -> Worked:
    """Return the sum of several."""
    parts = list(parts)
    counts = {name: sum(getattr(part, name) for part in parts) for name in COUNTS}
    return Worked(**counts, waits=b"".join(part.waits for part in parts))


def _stored(connection: Connection, selections: Sequence[Selection]) -> list[Found]:
    """Return each selection's stored sums by key."""
    spans = [
        (place, selection, span, months)
        for place, selection in enumerate(selections)
        for span, months in selection.spans
        if span.start < span.end
    ]
    rows = connection.execute(
        text(READ),
        {
            "places": [place for place, _, _, _ in spans],
            "moments": [str(selection.at) for _, selection, _, _ in spans],
            "dimensions": [selection.dimension for _, selection, _, _ in spans],
            "grains": [selection.grain and str(selection.grain) for _, selection, _, _ in spans],
            "starts": [
                selection.days.start if selection.grain else None for _, selection, _, _ in spans
            ],
            "firsts": [span.start for _, _, span, _ in spans],
            "afters": [span.end for _, _, span, _ in spans],
            "months": [months for _, _, _, months in spans],
        },
    )
    found: list[Found] = [{} for _ in selections]
    for row in rows:
        found[row.place][row.step or row.segment] = _of(row)
    return found


def _updated(selection: Selection, stored: Found, uncounted: Sequence[Row[Any]]) -> Found:
    """Add what is newer, and remove what it replaces."""
    days = selection.days
    starts = [step.start for step in buckets(days, selection.grain)] if selection.grain else []
    parts: dict[Any, list[Worked]] = {key: [worked] for key, worked in stored.items()}
    gone: dict[Any, list[bytes]] = {}
    for row in uncounted:
        if (row.moment, row.dimension) == (selection.at, selection.dimension) and row.day in days:
            key = starts[bisect_right(starts, row.day) - 1] if starts else row.segment
            parts.setdefault(key, []).append(_of(row))
            gone.setdefault(key, []).append(row.gone or b"")
    summed = {
        key: _without(together(some), b"".join(gone.get(key, ()))) for key, some in parts.items()
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
