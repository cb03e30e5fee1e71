"""A full count once a day: it agrees with what was carried forward, or replaces it."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from data_access import rollups
from data_access.rollups import refreshing
from program.periods import ONE_DAY, Window
from tests.data_access.rollups.test_refreshing import (
    ANN,
    BOB,
    HISTORY,
    NOW,
    T,
    Trade,
    correct,
    deliver,
    everything,
    in_window,
    record_load,
    refresh,
    rows,
    run,
    set_policy,
)

TOMORROW = NOW + ONE_DAY


def recount(engine: Engine, now: datetime = NOW) -> rollups.Recount | None:
    return rollups.recount(engine, now=now)


def carried(engine: Engine) -> list[list[tuple[Any, ...]]]:
    return [
        rows(engine, f"select * from review.{name} order by 1, 2")
        for name in ("carried", "carried_sums", "carried_users")
    ]


@pytest.fixture
def yesterday(engine: Engine) -> Engine:
    """Refreshed and recounted through the day before T, and T delivered since."""
    deliver(engine, *HISTORY)
    refresh(engine, through=T - ONE_DAY)
    recount(engine)
    return engine


def test_a_recount_is_done_once_a_day_and_for_every_new_day(yesterday: Engine) -> None:
    assert recount(yesterday) is None
    assert recount(yesterday, TOMORROW) == agreed(T - ONE_DAY)

    refresh(yesterday, now=TOMORROW)

    assert recount(yesterday, TOMORROW) == agreed(T)
    refresh(yesterday, now=TOMORROW)
    assert recount(yesterday, TOMORROW) is None


def agreed(through: date) -> rollups.Recount:
    days = Window(through - timedelta(days=29), through + ONE_DAY)
    return rollups.Recount(days=days, differing=0)


def test_before_any_refresh_there_is_nothing_to_recount(engine: Engine) -> None:
    assert recount(engine) is None


def test_older_days_of_the_window_are_not_read_again(yesterday: Engine) -> None:
    before = in_window(yesterday, "users_over_1000_usd")
    run(
        yesterday,
        "update exchange.referral_activity set volume_usd = 5000"
        f" where activity_date < '{T - ONE_DAY}'",
    )

    refresh(yesterday)

    assert in_window(yesterday, "users_over_1000_usd") == before == 0


def test_facts_changed_without_a_load_are_found_logged_and_counted(
    yesterday: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    day = T - timedelta(days=7)
    correct(yesterday, day, "5000.00")
    refresh(yesterday)

    found = recount(yesterday)

    # The window and the month of both affiliates have one large user more, or another volume.
    assert found is not None
    assert found.differing == 2
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "Sums carried forward differed from a full count of 2026-02-13 to 2026-03-14 (rows: 2). "
        "The full count has replaced them. Were facts changed without `load`?"
    ]
    assert in_window(yesterday, "users_over_1000_usd", BOB) == 1
    assert (BOB, day, Decimal("5000.00")) in [row[:3] for row in everything(yesterday)[0]]
    assert rows(yesterday, "select differing from review.refreshes order by refresh_id") == [
        *[(0,), (2,), (0,)]
    ]


def test_wrong_sums_are_replaced_with_all_that_follows_from_them(yesterday: Engine) -> None:
    run(yesterday, "update review.carried_sums set month_active = month_active + 5")
    refresh(yesterday)
    wrong = rows(yesterday, "select active_users from review.program_monthly order by month")

    found = recount(yesterday)

    assert found is not None
    assert found.differing == 2
    right = rows(yesterday, "select active_users from review.program_monthly order by month")
    assert [a - b for (a,), (b,) in zip(wrong, right, strict=True)] == [
        *[0] * (len(right) - 1),
        10,
    ]


def test_a_day_refreshed_before_the_full_count_replaces_wrong_sums_stays(
    yesterday: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(yesterday, "update review.affiliate_window set volume_usd = volume_usd + 1")
    replace = refreshing.refresh

    def after_another(*given: Any, **named: Any) -> Any:
        refresh(yesterday, through=T)
        return replace(*given, **named)

    monkeypatch.setattr(refreshing, "refresh", after_another)

    found = recount(yesterday, TOMORROW)

    assert found is not None
    assert found.differing == 2
    throughs = rows(yesterday, "select data_through from review.refreshes order by refresh_id")
    assert [day for (day,) in throughs] == [T - ONE_DAY, T, T]


def test_facts_loaded_since_the_refresh_wait_for_the_next(yesterday: Engine) -> None:
    refresh(yesterday)
    deliver(yesterday, Trade(day=T - timedelta(days=2), user=77))
    record_load(yesterday, T - timedelta(days=2))

    assert recount(yesterday) is None
    refresh(yesterday)
    assert recount(yesterday) == agreed(T)


def test_a_load_of_days_to_come_makes_no_difference(yesterday: Engine) -> None:
    refresh(yesterday)
    record_load(yesterday, T + ONE_DAY)

    assert recount(yesterday) == agreed(T)


def test_a_policy_published_since_the_refresh_waits_for_the_next(yesterday: Engine) -> None:
    refresh(yesterday)
    set_policy(yesterday, active_user_min_volume_usd="6")

    assert recount(yesterday) is None


def test_a_crash_that_empties_the_carried_sums_costs_one_full_count(yesterday: Engine) -> None:
    run(
        yesterday,
        "truncate review.carried, review.carried_sums, review.carried_users, review.carried_cohorts",
    )
    refresh(yesterday)
    expected = everything(yesterday)

    assert recount(yesterday) == agreed(T)
    refresh(yesterday, since=date(2025, 1, 1))

    assert everything(yesterday) == expected


def test_a_recount_that_breaks_off_changes_nothing(yesterday: Engine) -> None:
    refresh(yesterday)
    before = carried(yesterday)

    def break_off(done: int, total: int) -> None:
        if done == total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rollups.recount(yesterday, now=NOW, progress=break_off)

    assert carried(yesterday) == before
    assert recount(yesterday) == agreed(T)
    assert carried(yesterday) != before
    assert in_window(yesterday, "active_users", ANN) == 5
