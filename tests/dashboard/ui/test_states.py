"""Empty, stale, refused and broken screens, and the freshness line."""

from datetime import date

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.shell.freshness import freshness_words
from dashboard.ui.states import stale_words
from program.periods import Window

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("data_through", "expected"),
    [
        (date(2026, 11, 22), None),
        (
            date(2026, 11, 21),
            "Metrics end with 21 Nov 2026, one day behind; eligibility is provisional.",
        ),
        (
            date(2026, 11, 20),
            "Metrics end with 20 Nov 2026, 2 days behind; eligibility is provisional.",
        ),
        (
            None,
            "Metrics have never been computed, so eligibility is unknown. "
            "Run `python -m data_access refresh`.",
        ),
    ],
)
def test_staleness_is_shown_from_the_first_missing_day(
    data_through: date | None, expected: str | None
) -> None:
    assert expected == stale_words(data_through, today=TODAY)


@pytest.mark.parametrize(
    ("data_through", "window", "expected"),
    [
        (
            date(2026, 11, 22),
            Window(date(2026, 10, 24), date(2026, 11, 23)),
            "data through 22 Nov · 30 days · UTC",
        ),
        (
            date(2026, 11, 22),
            Window(date(2026, 10, 1), date(2026, 11, 1)),
            "data through 22 Nov · 1 – 31 Oct · UTC",
        ),
        (None, None, "metrics never computed"),
    ],
)
def test_the_freshness_line(
    data_through: date | None, window: Window | None, expected: str
) -> None:
    assert expected == freshness_words(data_through, window)


def test_a_fresh_line_is_quiet_and_a_stale_one_is_not() -> None:
    def page() -> None:
        from datetime import UTC, date, datetime

        from dashboard.shell.freshness import freshness_line
        from data_access.eligibility.freshness import Freshness
        from program.periods import Window, WindowKind

        newest = Freshness(
            refresh_id=1,
            data_through=date(2026, 11, 22),
            window=Window(date(2026, 10, 24), date(2026, 11, 23)),
            window_kind=WindowKind.TRAILING_30_DAYS,
            policy_version=1,
            refreshed_at=datetime(2026, 11, 23, 6, tzinfo=UTC),
        )
        freshness_line(newest, today=date(2026, 11, 23))
        freshness_line(newest, today=date(2026, 11, 24))

    app = AppTest.from_function(page).run()

    assert [line.value for line in app.caption] == ["data through 22 Nov · 30 days · UTC"]
    assert [line.value for line in app.markdown] == [
        ":orange-badge[:material/warning: data through 22 Nov · 30 days · UTC]"
    ]


def test_several_states_fit_on_one_page() -> None:
    def page() -> None:
        from datetime import date

        from dashboard.ui import states

        states.empty("The queue is empty.")
        states.empty("No notes yet.")
        states.refused("Your role may not.")
        states.stale(date(2026, 11, 20), today=date(2026, 11, 23))
        states.broken("ABC123")

    app = AppTest.from_function(page).run()

    assert not app.exception
    assert len(app.warning) == 1
    assert "Reference ABC123" in app.markdown[-1].value
