"""The line about messages to applicants on other pages."""

from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.ui import backlog
from data_access.messages.backlog import Backlog

NOW = datetime(2026, 3, 15, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("waiting", "minutes", "parked", "expected"),
    [
        (0, None, 0, "No messages to applicants are waiting."),
        (1, 5, 0, "1 message to applicants waits, the oldest for 5 min."),
        (1_200, 125, 3, "1,200 messages to applicants wait, the oldest for 2 h. 3 undeliverable."),
        (0, None, 3, "No messages to applicants are waiting. 3 undeliverable."),
    ],
)
def test_the_backlog_shows_how_many_wait_and_since_when(
    waiting: int, minutes: int | None, parked: int, expected: str
) -> None:
    oldest = None if minutes is None else NOW - timedelta(minutes=minutes)

    found = Backlog(waiting=waiting, oldest=oldest, failing=0, parked=parked)
    assert backlog.words(found, NOW) == expected


@pytest.mark.parametrize("is_late", [False, True])
def test_the_backlog_line_is_prominent_only_if_nothing_is_delivered(is_late: bool) -> None:
    def page(is_late: bool) -> None:
        from datetime import UTC, datetime, timedelta

        from dashboard.ui import backlog
        from data_access.messages.backlog import LATE, Backlog

        now = datetime(2026, 3, 15, 9, tzinfo=UTC)
        oldest = now - LATE + timedelta(seconds=0 if is_late else 1)
        backlog.line(Backlog(waiting=1, oldest=oldest, failing=0, parked=0), now)

    app = AppTest.from_function(page, args=(is_late,)).run()

    assert (len(app.warning), len(app.caption)) == ((1, 0) if is_late else (0, 1))
