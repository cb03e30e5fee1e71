"""Periods split into whole months and the days around them."""

from datetime import date, timedelta

import pytest

from program.periods import ONE_DAY, Window, around_months

FIRST = date(2024, 1, 1)


@pytest.mark.parametrize(
    ("start", "end", "parts"),
    [
        ("2026-01-10", "2026-04-02", (22, 59, 1)),
        ("2026-02-01", "2026-04-01", (0, 59, 0)),
        ("2026-02-02", "2026-03-31", (57, 0, 0)),
        ("2026-02-02", "2026-04-01", (27, 31, 0)),
        ("2026-02-05", "2026-02-05", (0, 0, 0)),
    ],
)
def test_whole_months_are_told_from_the_days_around_them(
    start: str, end: str, parts: tuple[int, int, int]
) -> None:
    found = around_months(Window(date.fromisoformat(start), date.fromisoformat(end)))

    assert tuple(part.days for part in found) == parts


def test_the_parts_follow_each_other_and_only_whole_months_are_months() -> None:
    for first in range(0, 70, 3):
        for days in range(0, 500, 7):
            start = FIRST + timedelta(days=first)
            before, months, after = around_months(Window(start, start + timedelta(days=days)))

            assert (before.start, before.end, months.end) == (start, months.start, after.start)
            assert after.end == start + timedelta(days=days)
            if months.days:
                assert (months.start.day, months.end.day) == (1, 1)
                assert before.days < 31
                assert (after.end - ONE_DAY).month == months.end.month or not after.days
