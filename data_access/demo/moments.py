"""When applications arrive and are decided: an even flow that grows slowly."""

from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from data_access.demo.calendar import Calendar
from program.periods import ONE_DAY, day_start, utc_day
from program.review import business_time

# The share decided within the first business day, the second and so on. Most take nearly as long as
# the policy allows, three days.
SETTLED_WITHIN = np.array([0.04, 0.12, 0.55, 0.18, 0.07, 0.04])
# The ages of pending applications: the share that is not decided by then.
STILL_WAITING = 1 - np.cumsum(SETTLED_WITHIN) + SETTLED_WITHIN / 2
DOUBLES_IN_DAYS = 182
WORK_BEGINS, WORK_LASTS = timedelta(hours=8), timedelta(hours=9)
FRESHEST = timedelta(minutes=20)


def waiting_since(calendar: Calendar, count: int, rng: np.random.Generator) -> list[datetime]:
    """Return the submission times of ``count`` pending applications, unordered.

    They are spread evenly over the ages, so that the overdue share is the same for every seed.
    """
    starts = business_time.latest_starts(calendar.now, len(STILL_WAITING))
    edges = np.concatenate([[0], np.cumsum(STILL_WAITING)]) / STILL_WAITING.sum()
    shares = (rng.permutation(count) + rng.random(count)) / max(count, 1)
    ages = np.interp(shares, edges, np.arange(len(edges)))
    return [min(_aged(starts, age), calendar.now - FRESHEST) for age in ages.tolist()]


def submitted_before(settled: datetime, rng: np.random.Generator) -> datetime:
    """Return the submission time of an application that was decided at ``settled``."""
    starts = business_time.latest_starts(settled, len(SETTLED_WITHIN))
    day = int(rng.choice(len(SETTLED_WITHIN), p=SETTLED_WITHIN / SETTLED_WITHIN.sum()))
    return _aged(starts, day + rng.uniform(0.1, 1))


def settled_at(
    calendar: Calendar, first: int, end: int, count: int, rng: np.random.Generator
) -> list[datetime]:
    """Return working times of weekdays in ``[first, end)``, more of them on later days."""
    span = np.arange(first, max(end, first + 7))
    span = span[span < calendar.length]
    weekdays = (span + calendar.first.weekday()) % 7 < business_time.SATURDAY
    weights = weekdays * np.exp2(span / DOUBLES_IN_DAYS)
    days: NDArray[np.int64] = rng.choice(span, count, p=weights / weights.sum())
    seconds = rng.uniform(7.0, 17.5, count) * 3600
    return [
        calendar.moment(day, at) for day, at in zip(days.tolist(), seconds.tolist(), strict=True)
    ]


def at_work(at: datetime) -> datetime:
    """Return a working time on the same day, or on the Friday before a weekend."""
    day = utc_day(at)
    friday = day - max(0, day.weekday() - 4) * ONE_DAY
    into_work = (at - day_start(day)) * (WORK_LASTS / ONE_DAY)
    return (day_start(friday) + WORK_BEGINS + into_work).replace(microsecond=0)


def between(
    since: datetime, until: datetime, low: float, high: float, rng: np.random.Generator
) -> datetime:
    """Return a random time from ``low`` to ``high`` of the way, to the second."""
    return (since + (until - since) * rng.uniform(low, high)).replace(microsecond=0)


def _aged(starts: list[datetime], age: float) -> datetime:
    """Return the time ``age`` business days before the first of ``starts``, also on weekends."""
    day = min(int(age), len(starts) - 2)
    newer, older = starts[day], starts[day + 1]
    return (newer - (newer - older) * (age - day)).replace(microsecond=0)
