"""How many will be overdue soon, by hand."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from program.periods import ONE_DAY
from program.reports import forecast
from program.reports.forecast import Overdue, Pace

# A Wednesday.
NOW = datetime(2026, 3, 11, 9, tzinfo=UTC)
STEADY = Pace(decided=(4,) * 20)


@pytest.mark.parametrize(
    ("due", "span", "expected"),
    [
        (10, ONE_DAY, Overdue(likely=6, low=6, high=6)),
        (10, 2 * ONE_DAY, Overdue(likely=2, low=2, high=2)),
        (10, timedelta(hours=36), Overdue(likely=4, low=4, high=4)),
        (3, ONE_DAY, Overdue(likely=0, low=0, high=0)),
        (10, timedelta(0), Overdue(likely=10, low=10, high=10)),
    ],
)
def test_a_steady_pace_takes_off_as_many_as_fit(
    due: int, span: timedelta, expected: Overdue
) -> None:
    assert STEADY.forecast(due, span) == expected


def test_the_range_is_that_of_slow_and_fast_runs_in_a_row() -> None:
    """On ten days 2, then on ten days 8: of two days in a row 4, 16, and once 10."""
    pace = Pace(decided=(2,) * 10 + (8,) * 10)

    assert pace.forecast(20, ONE_DAY) == Overdue(likely=15, low=12, high=18)
    assert pace.forecast(20, 2 * ONE_DAY) == Overdue(likely=10, low=4, high=16)


@pytest.mark.parametrize("decided", [(2,) * 14 + (1,), (10,) * 9, ()])
def test_too_little_gives_no_forecast(decided: Sequence[int]) -> None:
    pace = Pace(decided=tuple(decided))

    assert pace.forecast(5, ONE_DAY) is None
    assert f"{sum(decided)} decided on the last {len(decided)} working days" in pace.says_too_little


def test_just_enough_gives_one() -> None:
    assert Pace(decided=(3,) * 10).forecast(5, ONE_DAY) == Overdue(likely=2, low=2, high=2)


def test_only_working_days_of_four_weeks_make_the_pace() -> None:
    today, off = NOW.date(), frozenset({date(2026, 3, 9)})
    everyday = {today - number * ONE_DAY: number for number in range(40)}

    found = forecast.pace(everyday, today, off)

    assert len(found.decided) == 20 - 1
    assert (found.decided[0], found.decided[-1]) == (28, 1)


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        (NOW, (datetime(2026, 3, 13, tzinfo=UTC), datetime(2026, 3, 16, 9, tzinfo=UTC))),
        # On Friday the next working day is Monday; the holiday after it does not count.
        (
            datetime(2026, 3, 13, 9, tzinfo=UTC),
            (datetime(2026, 3, 17, tzinfo=UTC), datetime(2026, 3, 19, 9, tzinfo=UTC)),
        ),
    ],
)
def test_horizons_are_in_working_days(now: datetime, ends: tuple[datetime, datetime]) -> None:
    assert forecast.horizons(now, frozenset({date(2026, 3, 17)})) == ends
