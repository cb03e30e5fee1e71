"""Which activity is still needed, for every day that a refresh can show."""

from datetime import date, timedelta

import pytest

from data_access.risk.users import QUIET_DAYS, SETTLED_DAYS
from program.affiliates import archiving
from program.affiliates.cohorts import COHORTS, HORIZONS, window_of
from program.affiliates.requalification import MONTHS_KEPT
from program.periods import ONE_DAY, WindowKind, month_start, months_later, window
from program.risk.signals import DAYS

EVERY_DAY = [date(2023, 12, 1) + timedelta(days=n) for n in range(500)]


def first_days_read(through: date) -> dict[str, date]:
    """The first day of each reader, by its own definition."""
    end = through + ONE_DAY
    windows = [window(kind, through) for kind in WindowKind]
    tested = months_later(month_start(end), -MONTHS_KEPT)
    oldest_approval = months_later(month_start(through), -COHORTS)
    return {
        "the policy's month": min(one.start for one in windows),
        "risk signals": min(
            through - timedelta(days=SETTLED_DAYS),
            end - timedelta(days=DAYS + QUIET_DAYS),
            *(months_later(month_start(one.end), -3) for one in windows),
            *(one.end - timedelta(days=3 * DAYS) for one in windows),
        ),
        "monthly tests of affiliates": tested,
        "outcomes of approvals": min(window_of(oldest_approval, h).start for h in HORIZONS),
    }


def test_no_reader_looks_back_further_than_it_says() -> None:
    assert {reader.what for reader in archiving.READERS} == set(first_days_read(EVERY_DAY[0]))
    for through in EVERY_DAY:
        for reader in archiving.READERS:
            first = first_days_read(through)[reader.what]
            promised = months_later(month_start(through), -reader.months)
            assert first >= promised >= archiving.oldest_needed(through), (through, reader)


def test_the_oldest_day_needed_is_said_with_who_reads_it() -> None:
    assert archiving.still_needed(date(2026, 3, 14)) == (
        "2025-03-01 is the oldest day whose activity is still needed: "
        "monthly tests of affiliates and outcomes of approvals read from it on"
    )


@pytest.mark.parametrize(
    ("before", "month"),
    [
        (date(2025, 3, 1), date(2025, 2, 1)),
        (date(2025, 3, 31), date(2025, 2, 1)),
        (date(2025, 1, 15), date(2024, 12, 1)),
    ],
)
def test_only_months_that_are_over_before_the_day_are_archived(before: date, month: date) -> None:
    assert archiving.last_month_before(before) == month
