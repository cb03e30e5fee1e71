"""The clock in a cell: always a word, and a sign unless it is simply running."""

from datetime import UTC, date, datetime, timedelta

import pytest

from dashboard.ui import due
from program.review.workflow import Status

TUESDAY = datetime(2026, 3, 17, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (48, "in 2 d"),
        (24, "in 1 d"),
        (23, "in 23 h"),
        (0.5, "in 30 min"),
        (0, "! overdue 0 min"),
        (-5, "! overdue 5 h"),
        (-24, "! overdue 1 d"),
        # Tuesday a week ago: the weekend does not count.
        (-7 * 24, "! overdue 5 d"),
        (7 * 24, "in 5 d"),
    ],
)
def test_a_running_clock(hours: float, words: str) -> None:
    at = TUESDAY + timedelta(hours=hours)

    assert due.words(at, status=Status.PENDING, now=TUESDAY) == words


def test_a_holiday_does_not_count() -> None:
    at = TUESDAY + timedelta(days=2)

    found = due.words(
        at, status=Status.PENDING, now=TUESDAY, holidays=frozenset({date(2026, 3, 18)})
    )

    assert found == "in 1 d"


@pytest.mark.parametrize("status", Status)
def test_each_status_has_its_clock(status: Status) -> None:
    words = due.words(TUESDAY - timedelta(days=1), status=status, now=TUESDAY)

    if status is Status.MORE_INFO_NEEDED:
        assert words == "‖ paused"
    elif status.upstream is Status.PENDING:
        assert words == "! overdue 1 d"
    else:
        assert words == "–"
