"""Rollups: what a refresh derives from the facts, and how it behaves around them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, text

from data_access import rollups
from data_access.db import locks, partitions
from data_access.db.errors import DatabaseUnavailable, Invalid, Refusal
from data_access.eligibility import freshness
from data_access.rollups import session
from program.periods import ONE_DAY, Window, WindowKind, month_start, utc_day, window
from program.policy.policy import Policy
from tests.builders import add_application
from tests.cases import every, examples, first_of
from tests.data_access.affiliate_months import add_approval, add_short_reach

T = date(2026, 3, 14)
NOW = datetime(2026, 3, 15, 9, tzinfo=UTC)
ANN, BOB = 7001, 7002


@dataclass(frozen=True, kw_only=True)
class Trade:
    """A row of referral_activity."""

    day: date
    affiliate: int = ANN
    user: int = 1
    volume: str = "100.00"
    fees: str = "0.05"
    count: int = 2


@dataclass(frozen=True, kw_only=True)
class Referral:
    """A row of referrals."""

    at: datetime
    affiliate: int = ANN
    user: int = 1


def deliver(engine: Engine, *facts: Trade | Referral) -> None:
    trades = [vars_of(fact) for fact in facts if isinstance(fact, Trade)]
    referrals = [vars_of(fact) for fact in facts if isinstance(fact, Referral)]
    with engine.begin() as connection:
        if trades:
            days = [trade["day"] for trade in trades]
            partitions.ensure_months(connection, min(days), max(days))
            connection.execute(
                text(
                    "insert into exchange.referral_activity values (:affiliate, :user, :day,"
                    " cast(:volume as numeric), cast(:fees as numeric), :count)"
                ),
                trades,
            )
        if referrals:
            connection.execute(
                text("insert into exchange.referrals values (:affiliate, :user, :at)"), referrals
            )


def vars_of(fact: Trade | Referral) -> dict[str, Any]:
    return {name: getattr(fact, name) for name in fact.__dataclass_fields__}


def correct(engine: Engine, day: date, volume: str) -> None:
    run(
        engine,
        f"update exchange.referral_activity set volume_usd = {volume} where activity_date = '{day}'",
    )


def record_load(engine: Engine, first_day: date | None) -> None:
    day = f"'{first_day}'" if first_day else "null"
    run(
        engine,
        "insert into review.loads (kind, files, rows_read, rows_inserted, rows_updated, first_day)"
        f" values ('activity', '[]', 1, 1, 0, {day})",
    )


def set_policy(engine: Engine, **settings: object) -> None:
    names, values = ", ".join(settings), ", ".join(f"'{value}'" for value in settings.values())
    run(
        engine,
        f"insert into review.policies (version, effective_from, author, {names})"
        f" select max(version) + 1, '2021-01-01Z', 'mira', {values} from review.policies",
    )


def run(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement))


def refresh(engine: Engine, **given: Any) -> freshness.Freshness:
    return rollups.refresh(engine, **{"now": NOW, **given})


def rows(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def daily(engine: Engine) -> list[tuple[Any, ...]]:
    return rows(engine, "select * from review.affiliate_daily order by 1, 2")


def monthly(engine: Engine) -> list[tuple[Any, ...]]:
    return rows(engine, "select * from review.affiliate_monthly order by 1, 2")


def in_window(engine: Engine, column: str, affiliate: int = ANN) -> Any:
    found = rows(
        engine,
        f"select {column} from review.affiliate_window where affiliate_account_id = {affiliate}",
    )
    return found[0][0] if found else None


def everything(engine: Engine) -> list[Any]:
    windows = rows(engine, "select * from review.affiliate_window order by 1")
    return [daily(engine), monthly(engine), windows]


def at(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


# What the rollups say -------------------------------------------------------------------------


def test_a_hand_worked_case(engine: Engine) -> None:
    deliver(
        engine,
        Trade(day=T, user=1, volume="1000.00", fees="0.500000", count=3),
        Trade(day=T, user=2, volume="0.00", fees="0", count=0),
        Trade(day=T - ONE_DAY, user=1, volume="250.50", fees="-0.250000", count=1),
        Trade(day=date(2026, 2, 20), user=2, volume="49.50", fees="0", count=1),
        Trade(day=date(2026, 2, 20), user=3, volume="1.00", fees="0.000001", count=1),
        Trade(day=date(2026, 1, 5), user=1, volume="7.00", fees="0.01", count=1),
        Referral(at=at(T), user=4),
        Referral(at=at(date(2026, 2, 1)), user=2),
    )

    refresh(engine)

    assert daily(engine) == [
        (ANN, date(2026, 1, 5), Decimal("7.00"), Decimal("0.010000"), 1, Decimal("0.00"), 1, 0),
        (ANN, date(2026, 2, 1), Decimal("0.00"), Decimal("0.000000"), 0, Decimal("0.00"), 0, 1),
        (ANN, date(2026, 2, 20), Decimal("50.50"), Decimal("0.000001"), 2, Decimal("49.50"), 2, 0),
        (ANN, T - ONE_DAY, Decimal("250.50"), Decimal("-0.250000"), 1, Decimal("250.50"), 1, 0),
        (ANN, T, Decimal("1000.00"), Decimal("0.500000"), 3, Decimal("0.00"), 1, 1),
    ]
    assert monthly(engine) == [
        (ANN, date(2026, 1, 1), Decimal("7.00"), Decimal("0.010000"), 1, 1, 0),
        (ANN, date(2026, 2, 1), Decimal("50.50"), Decimal("0.000001"), 2, 2, 1),
        (ANN, date(2026, 3, 1), Decimal("1250.50"), Decimal("0.250000"), 4, 1, 1),
    ]
    assert rows(engine, "select * from review.affiliate_window") == [
        (
            ANN,
            Decimal("1301.00"),
            Decimal("0.250001"),
            6,
            3,  # active
            1,  # new
            3,  # trading days
            Decimal("1000.00"),
            Decimal("1250.50"),  # of the top user
            Decimal("1250.50") ** 2 + Decimal("49.50") ** 2 + 1,
            1,  # users over 1,000 USD
            Decimal("300.00"),  # a negative and a zero fee
        )
    ]


def test_which_days_trades_count_in_the_window(engine: Engine) -> None:
    counted = {
        T - timedelta(days=29): True,
        T - timedelta(days=30): False,
        T: True,
        T + ONE_DAY: False,
    }
    # An affiliate for each day.
    deliver(engine, *(Trade(day=day, affiliate=ANN + n) for n, day in enumerate(counted)))
    deliver(engine, *(Trade(day=T, affiliate=ANN + n, user=2) for n in range(len(counted))))

    refresh(engine)

    found = [in_window(engine, "active_users", ANN + n) for n in range(len(counted))]
    assert found == [2 if counts else 1 for counts in counted.values()]


def test_which_moments_a_new_user_counts_at(engine: Engine) -> None:
    counted = {
        datetime(2026, 3, 14, 23, 59, 59, 999999, tzinfo=UTC): True,
        datetime(2026, 3, 15, 0, 0, tzinfo=UTC): False,
        datetime(2026, 2, 13, 0, 0, tzinfo=UTC): True,
        datetime(2026, 2, 12, 23, 59, 59, 999999, tzinfo=UTC): False,
    }
    of_each = [ANN + n for n in range(len(counted))]
    deliver(engine, *(Trade(day=T, affiliate=id_) for id_ in of_each))
    deliver(
        engine,
        *(
            Referral(at=at, affiliate=id_, user=id_)
            for id_, at in zip(of_each, counted, strict=True)
        ),
    )

    refresh(engine)

    found = [in_window(engine, "new_users", id_) for id_ in of_each]
    assert found == [1 if counts else 0 for counts in counted.values()]
    for id_, referred_at in zip(of_each, counted, strict=True):
        new = sum(row[-1] for row in daily(engine) if row[0] == id_)
        assert new == (1 if referred_at.date() <= T else 0), referred_at


def test_a_user_whose_trades_sum_to_nothing_is_not_active(engine: Engine) -> None:
    deliver(engine, Trade(day=T, volume="0.00"), Trade(day=T - ONE_DAY, volume="0.00"))

    refresh(engine)

    assert in_window(engine, "active_users") == 0
    assert in_window(engine, "trading_days") == 0
    assert in_window(engine, "top_user_volume_usd") == 0
    assert monthly(engine)[0][5] == 0


def test_one_user_trading_on_thirty_days_is_one_active_user(engine: Engine) -> None:
    deliver(engine, *(Trade(day=T - timedelta(days=back)) for back in range(30)))

    refresh(engine)

    assert in_window(engine, "active_users") == 1
    assert in_window(engine, "trading_days") == 30
    assert [(row[1], row[5]) for row in monthly(engine)] == [
        (date(2026, 2, 1), 1),
        (date(2026, 3, 1), 1),
    ]


def test_trading_before_the_referral_counts_for_the_day_it_is_booked(engine: Engine) -> None:
    deliver(engine, Trade(day=T - timedelta(days=5)), Referral(at=at(T)))

    refresh(engine)

    assert in_window(engine, "active_users") == 1


def test_affiliates_that_have_no_account_here_roll_up_too(engine: Engine) -> None:
    deliver(engine, Trade(day=T, affiliate=1), Referral(at=at(T), affiliate=2))

    refresh(engine)

    assert in_window(engine, "active_users", 1) == 1
    assert in_window(engine, "new_users", 2) == 1


@pytest.mark.parametrize(
    ("floor", "volumes", "active"),
    [
        ("0", ["0.00", "0.01"], 1),
        ("100", ["99.99", "100.00"], 1),
        ("0.01", ["0.00", "0.01"], 1),
    ],
)
def test_the_floor_above_which_a_user_is_active(
    engine: Engine, floor: str, volumes: list[str], active: int
) -> None:
    set_policy(engine, active_user_min_volume_usd=floor)
    deliver(engine, *(Trade(day=T, user=u, volume=v) for u, v in enumerate(volumes)))

    refresh(engine)

    assert in_window(engine, "active_users") == active


@pytest.mark.parametrize(("must_trade", "new"), [(False, 4), (True, 1)])
def test_whether_a_new_user_must_have_traded_in_the_window(
    engine: Engine, must_trade: bool, new: int
) -> None:
    set_policy(engine, new_user_must_trade=must_trade)
    deliver(
        engine,
        *(Referral(at=at(T), user=user) for user in (1, 2, 3, 4)),
        Trade(day=T, user=1),
        Trade(day=T, user=2, volume="0.00"),
        Trade(day=T - timedelta(days=30), user=3),
        Trade(day=T, affiliate=BOB, user=4),
    )

    refresh(engine)

    assert in_window(engine, "new_users") == new
    assert in_window(engine, "new_users", BOB) == 0


MONTHS = (
    (date(2026, 2, 27), date(2026, 1, 1), date(2026, 1, 31)),
    (date(2026, 2, 28), date(2026, 2, 1), date(2026, 2, 28)),
    (date(2024, 2, 28), date(2024, 1, 1), date(2024, 1, 31)),
    (date(2024, 2, 29), date(2024, 2, 1), date(2024, 2, 29)),
    (date(2025, 12, 31), date(2025, 12, 1), date(2025, 12, 31)),
)


@pytest.mark.sampled
@pytest.mark.parametrize(("through", "start", "end"), every(3, MONTHS))
def test_a_calendar_month_as_the_window(
    engine: Engine, through: date, start: date, end: date
) -> None:
    set_policy(engine, window_kind="calendar_month")
    inside, outside = (start, end), (start - ONE_DAY, end + ONE_DAY)
    deliver(engine, *(Trade(day=day, user=i) for i, day in enumerate((*inside, *outside))))

    fresh = refresh(engine, through=through)

    assert fresh.window == Window(start, end + ONE_DAY)
    assert in_window(engine, "active_users") == 2


# Which day is T -------------------------------------------------------------------------------


def test_t_is_the_newest_day_with_activity_before_today(engine: Engine) -> None:
    deliver(engine, Trade(day=T - ONE_DAY), Trade(day=utc_day(NOW)))

    assert refresh(engine).data_through == T - ONE_DAY


def test_t_may_lie_long_ago(engine: Engine) -> None:
    deliver(engine, Trade(day=date(2024, 5, 6)))

    assert refresh(engine).data_through == date(2024, 5, 6)


def test_without_activity_there_is_no_t_unless_it_is_named(engine: Engine) -> None:
    with pytest.raises(Refusal, match="no referral activity before 2026-03-15"):
        refresh(engine)

    assert refresh(engine, through=T).data_through == T
    assert everything(engine) == [[], [], []]


@pytest.mark.parametrize("through", [utc_day(NOW), utc_day(NOW) + ONE_DAY])
def test_a_day_that_is_not_over_is_refused(engine: Engine, through: date) -> None:
    with pytest.raises(Invalid, match="not over yet"):
        refresh(engine, through=through)


def test_the_refresh_prints_its_result(engine: Engine) -> None:
    deliver(engine, Trade(day=date(2026, 1, 5)), Trade(day=T))
    record_load(engine, date(2026, 1, 5))

    fresh = refresh(engine)

    assert fresh.window == Window(date(2026, 2, 13), date(2026, 3, 15))
    assert fresh.refreshed_at == NOW
    assert rows(
        engine,
        "select data_through, recomputed_from, policy_version, window_kind, window_end, load_id"
        " from review.refreshes",
    ) == [(T, date(2026, 1, 5), 1, "trailing_30_days", date(2026, 3, 15), 1)]


# Again, later, and back -----------------------------------------------------------------------

# Some months in `make test`, ten in `make prove`.
HISTORY = [
    fact
    for back in range(0, examples(100, of=300), 7)
    for fact in (
        Trade(day=T - timedelta(days=back), user=back % 5, volume=f"{back}.25"),
        Trade(day=T - timedelta(days=back), affiliate=BOB, user=100 + back),
        Referral(at=at(T - timedelta(days=back)), user=back),
    )
]


def test_a_rerun_changes_nothing_and_writes_nothing(engine: Engine) -> None:
    deliver(engine, *HISTORY)
    refresh(engine)
    before = everything(engine)
    written = places(engine)

    refresh(engine)
    refresh(engine, since=date(2025, 1, 1))

    assert everything(engine) == before
    assert places(engine) == written


def places(engine: Engine, where: str = "true") -> list[tuple[Any, ...]]:
    """Return which transaction wrote each row."""
    return rows(
        engine,
        "select 1, affiliate_account_id, day, xmin::text from review.affiliate_daily"
        f" where {where} union all select 2, affiliate_account_id, month, xmin::text"
        f" from review.affiliate_monthly where {where.replace('day', 'month')} order by 1, 2, 3",
    )


def test_one_more_day_leaves_older_days_and_months_alone(engine: Engine) -> None:
    deliver(engine, *HISTORY)
    refresh(engine, through=T - ONE_DAY)
    written = places(engine, "day < '2026-03-01'")
    correct(engine, date(2025, 12, 20), "999.00")  # not announced, so not read

    refresh(engine)

    assert places(engine, "day < '2026-03-01'") == written
    assert daily(engine)[-1][1] == T
    assert rows(engine, "select max(recomputed_from) from review.refreshes") == [(T - ONE_DAY,)]


def test_the_last_day_is_reread_because_it_may_have_been_completed(engine: Engine) -> None:
    deliver(engine, Trade(day=T))
    refresh(engine)
    deliver(engine, Trade(day=T, user=2))

    refresh(engine)

    assert in_window(engine, "active_users") == 2


def test_since_picks_up_late_corrections(engine: Engine) -> None:
    deliver(engine, *HISTORY)
    refresh(engine)
    day = T - timedelta(days=70)
    correct(engine, day, "999.00")
    refresh(engine)
    assert Decimal("999.00") not in [row[2] for row in daily(engine)]

    refresh(engine, since=day)

    assert [row[2] for row in daily(engine) if row[1] == day] == [Decimal("999.00")] * 2
    assert [row[2] for row in monthly(engine) if row[:2] == (BOB, month_start(day))] == [
        sum(
            row[2]
            for row in daily(engine)
            if row[0] == BOB and month_start(row[1]) == month_start(day)
        )
    ]


@pytest.mark.parametrize("first_days", [[date(2025, 10, 3)], [None, date(2025, 10, 3), T]])
def test_a_load_of_older_days_is_picked_up_by_itself_once(
    engine: Engine, first_days: list[date | None]
) -> None:
    deliver(engine, Trade(day=T))
    refresh(engine)
    deliver(engine, Trade(day=date(2025, 10, 3), user=2))
    for first_day in first_days:
        record_load(engine, first_day)

    refresh(engine)

    assert [row[1] for row in daily(engine)] == [date(2025, 10, 3), T]
    assert [row[1] for row in monthly(engine)] == [date(2025, 10, 1), date(2026, 3, 1)]
    refresh(engine)
    assert [row[0] for row in rows(engine, "select recomputed_from from review.refreshes")] == [
        T,
        date(2025, 10, 3),
        T,
    ]


def test_since_a_later_day_leaves_no_gap(engine: Engine) -> None:
    deliver(engine, *HISTORY)
    refresh(engine, through=T - timedelta(days=60))

    refresh(engine, since=T)

    assert sorted({row[1] for row in daily(engine)})[-8:] == [
        T - timedelta(days=back) for back in range(49, -1, -7)
    ]


def test_since_a_day_before_all_facts_begins_with_the_first_month(engine: Engine) -> None:
    deliver(engine, Trade(day=date(2026, 1, 5)), Trade(day=T))
    refresh(engine)

    refresh(engine, since=date(1, 1, 1))

    recomputed = rows(engine, "select recomputed_from from review.refreshes order by refresh_id")
    assert recomputed == [(date(2026, 1, 5),), (date(2026, 1, 1),)]


def test_facts_that_went_away_leave_the_rollups(engine: Engine) -> None:
    deliver(engine, *HISTORY)
    refresh(engine)
    run(engine, f"delete from exchange.referral_activity where affiliate_account_id = {BOB}")

    refresh(engine, since=date(2025, 1, 1))

    assert {row[0] for table in everything(engine) for row in table} == {ANN}


def test_going_back_drops_later_days_and_months(engine: Engine) -> None:
    deliver(engine, *HISTORY)
    refresh(engine, through=date(2026, 2, 10))
    expected = everything(engine)
    refresh(engine)

    refresh(engine, through=date(2026, 2, 10))

    assert everything(engine) == expected
    assert max(row[1] for row in daily(engine)) <= date(2026, 2, 10)
    assert max(row[1] for row in monthly(engine)) == date(2026, 2, 1)


def test_a_new_policy_rewrites_the_window(engine: Engine) -> None:
    set_policy(engine, window_kind="calendar_month")
    deliver(engine, Trade(day=date(2026, 2, 3), volume="5.00"), Trade(day=T))
    refresh(engine)
    assert in_window(engine, "active_users") == 1

    set_policy(engine, window_kind="calendar_month", active_user_min_volume_usd="6")
    refresh(engine)

    assert in_window(engine, "active_users") == 0


def test_a_past_window_follows_corrections(engine: Engine) -> None:
    set_policy(engine, window_kind="calendar_month")
    deliver(engine, Trade(day=date(2026, 2, 3)), Trade(day=T))
    refresh(engine)
    correct(engine, date(2026, 2, 3), "8.00")

    refresh(engine)
    assert in_window(engine, "volume_usd") == Decimal("100.00")
    refresh(engine, since=date(2026, 2, 3))

    assert in_window(engine, "volume_usd") == Decimal("8.00")


def test_a_refresh_that_breaks_off_leaves_the_old_and_can_be_repeated(engine: Engine) -> None:
    deliver(engine, *HISTORY)
    refresh(engine, through=T - timedelta(days=20))
    before = everything(engine), rows(engine, "select * from review.refreshes")
    for step in range(4):

        def break_off(done: int, total: int, step: int = step) -> None:
            assert total >= step
            if done == step:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            refresh(engine, progress=break_off)

        kept = everything(engine), rows(engine, "select * from review.refreshes")
        assert kept == before, step
    assert refresh(engine).data_through == T


@pytest.mark.parametrize("step", first_of(2, 0))
def test_a_refresh_whose_server_process_is_killed_changes_nothing(
    engine: Engine, database_url: str, step: int
) -> None:
    deliver(engine, *HISTORY)
    refresh(engine, through=T - timedelta(days=20))
    before = everything(engine)
    doomed = create_engine(
        database_url, connect_args={"application_name": "doomed"}, pool_pre_ping=True
    )

    def kill(done: int, total: int) -> None:
        if done == step:
            run(
                engine,
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'doomed' and datname = current_database()",
            )

    with pytest.raises(DatabaseUnavailable, match="failed and changed nothing"):
        refresh(doomed, progress=kill)

    assert everything(engine) == before
    assert refresh(doomed).data_through == T
    doomed.dispose()


def test_readers_see_the_old_until_the_end(engine: Engine) -> None:
    deliver(engine, *HISTORY)
    refresh(engine, through=T - timedelta(days=40))
    before = everything(engine)
    seen = []

    refresh(engine, progress=lambda done, total: seen.append(everything(engine)))

    assert all(state == before for state in seen)
    assert everything(engine) != before


def test_a_second_refresh_waits_for_the_first_or_refuses(engine: Engine, database_url: str) -> None:
    deliver(engine, Trade(day=T))
    impatient = create_engine(database_url, connect_args={"options": "-c lock_timeout=100"})

    def refresh_too(done: int, total: int) -> None:
        with pytest.raises(Refusal, match="Another refresh, or archiving, is running"):
            refresh(impatient)

    refresh(engine, progress=refresh_too)

    assert refresh(impatient).data_through == T
    impatient.dispose()


def test_a_refresh_waits_for_a_running_load_or_refuses(engine: Engine, database_url: str) -> None:
    deliver(engine, Trade(day=T))
    impatient = create_engine(database_url, connect_args={"options": "-c lock_timeout=100"})

    with engine.begin() as loading:
        loading.execute(text("select pg_advisory_xact_lock(:key)"), {"key": locks.LOAD})
        with pytest.raises(Refusal, match="A load is running"):
            refresh(impatient)

    assert refresh(impatient).data_through == T
    impatient.dispose()


@pytest.mark.parametrize(
    "zone", first_of("Pacific/Auckland", "UTC", "America/Los_Angeles", "Asia/Kolkata")
)
def test_the_server_s_time_zone_makes_no_difference(
    engine: Engine, database_url: str, zone: str
) -> None:
    hours = [
        Referral(at=datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=hour), user=hour)
        for hour in range(0, 24 * 14, 5)
    ]
    deliver(engine, *hours, Trade(day=date(2026, 3, 1)), Trade(day=T))
    elsewhere = create_engine(database_url, connect_args={"options": f"-c timezone={zone}"})

    refresh(elsewhere)

    elsewhere.dispose()
    new = {row[1]: row[-1] for row in daily(engine) if row[-1]}
    expected: dict[date, int] = {}
    for referral in hours:
        expected[referral.at.date()] = expected.get(referral.at.date(), 0) + 1
    assert new == expected


# Against the plainest Python ------------------------------------------------------------------


def naive(facts: Iterable[Trade | Referral], through: date, policy: Policy) -> list[Any]:
    """Compute the rollups of ``facts`` cell by cell."""
    shown = window(policy.window_kind, through)
    known = [fact for fact in facts if day_of(fact) <= through]
    by_day = cells(known, day_of)
    by_month = cells(known, lambda fact: month_start(day_of(fact)))
    inside = [fact for fact in known if day_of(fact) in shown]
    by_affiliate = cells(inside, lambda fact: None)
    return [
        sorted((*key, *with_free(cell)) for key, cell in by_day.items()),
        sorted((*key, *sums(cell)) for key, cell in by_month.items()),
        sorted((affiliate, *judged(cell, policy)) for (affiliate, _), cell in by_affiliate.items()),
    ]


def day_of(fact: Trade | Referral) -> date:
    return fact.day if isinstance(fact, Trade) else utc_day(fact.at)


def cells(facts: Iterable[Trade | Referral], key: Any) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = {}
    for fact in facts:
        found.setdefault((fact.affiliate, key(fact)), []).append(fact)
    return found


def volumes(trades: list[Trade]) -> dict[int, Decimal]:
    found: dict[int, Decimal] = {}
    for trade in trades:
        found[trade.user] = found.get(trade.user, Decimal(0)) + Decimal(trade.volume)
    return found


def sums(cell: list[Any]) -> tuple[Any, ...]:
    trades = [fact for fact in cell if isinstance(fact, Trade)]
    return (
        sum((Decimal(trade.volume) for trade in trades), Decimal(0)),
        sum((Decimal(trade.fees) for trade in trades), Decimal(0)),
        sum(trade.count for trade in trades),
        sum(volume > 0 for volume in volumes(trades).values()),
        len(cell) - len(trades),
    )


def free(cell: list[Any]) -> Decimal:
    trades = [fact for fact in cell if isinstance(fact, Trade) and Decimal(fact.fees) <= 0]
    return sum((Decimal(trade.volume) for trade in trades), Decimal(0))


def with_free(cell: list[Any]) -> tuple[Any, ...]:
    volume, fees, count, active, new = sums(cell)
    return volume, fees, count, free(cell), active, new


def judged(cell: list[Any], policy: Policy) -> tuple[Any, ...]:
    trades = [fact for fact in cell if isinstance(fact, Trade)]
    users, floor = volumes(trades), policy.active_user_min_volume_usd
    days: dict[date, Decimal] = {}
    for trade in trades:
        days[trade.day] = days.get(trade.day, Decimal(0)) + Decimal(trade.volume)
    new = [fact.user for fact in cell if isinstance(fact, Referral)]
    if policy.new_user_must_trade:
        new = [user for user in new if users.get(user, 0) > 0]
    volume, fees, count, _, _ = sums(cell)
    return (
        volume,
        fees,
        count,
        sum(v >= floor if floor else v > 0 for v in users.values()),
        len(new),
        sum(v > 0 for v in days.values()),
        max(days.values(), default=Decimal(0)),
        max(users.values(), default=Decimal(0)),
        sum((v * v for v in users.values()), Decimal(0)),
        sum(v >= 1000 for v in users.values()),
        free(cell),
    )


DAYS = st.integers(0, 75).map(lambda back: T + ONE_DAY - timedelta(days=back))
TRADES = st.builds(
    Trade,
    day=DAYS,
    affiliate=st.sampled_from([ANN, BOB, 7003]),
    user=st.integers(1, 6),
    volume=st.sampled_from(["0.00", "0.01", "400.00", "999.99", "1000.00", "19999999.99"]),
    fees=st.sampled_from(["0", "-0.5", "0.000001", "12.5"]),
    count=st.integers(0, 3),
)
REFERRALS = st.builds(
    Referral,
    at=st.tuples(DAYS, st.integers(0, 86_399_999_999)).map(
        lambda drawn: at(drawn[0], 0) + timedelta(microseconds=drawn[1])
    ),
    affiliate=st.sampled_from([ANN, BOB, 7003]),
    user=st.integers(1, 9),
)


@settings(
    max_examples=examples(2, of=10),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    trades=st.lists(TRADES, max_size=40, unique_by=lambda t: (t.affiliate, t.day, t.user)),
    referrals=st.lists(REFERRALS, max_size=9, unique_by=lambda r: r.user),
    kind=st.sampled_from(WindowKind),
    floor=st.sampled_from(["0", "500"]),
    must_trade=st.booleans(),
    cuts=st.sampled_from([[], [BOB], [1, BOB, 7003, 9000]]),
    back=st.integers(1, 40),
)
def test_rollups_equal_a_plain_python_computation(
    engine: Engine,
    trades: list[Trade],
    referrals: list[Referral],
    kind: WindowKind,
    floor: str,
    must_trade: bool,
    cuts: list[int],
    back: int,
) -> None:
    policy = Policy(
        window_kind=kind,
        active_user_min_volume_usd=Decimal(floor),
        new_user_must_trade=must_trade,
    )
    start_over(engine)
    set_policy(
        engine,
        window_kind=kind,
        active_user_min_volume_usd=floor,
        new_user_must_trade=must_trade,
    )
    deliver(engine, *trades, *referrals)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(session, "cuts", lambda cursor: cuts)
        for through in (T - timedelta(days=back), T, T - timedelta(days=back), T):
            refresh(engine, through=through)
            assert everything(engine) == naive([*trades, *referrals], through, policy)


def start_over(engine: Engine) -> None:
    run(
        engine,
        "truncate exchange.referral_activity, exchange.referrals, review.affiliate_daily,"
        " review.affiliate_monthly, review.affiliate_window, review.refreshes",
    )


def test_days_add_up_to_months(engine: Engine) -> None:
    deliver(engine, *HISTORY)

    refresh(engine)

    by_day = rows(
        engine,
        "select affiliate_account_id, date_trunc('month', day)::date, sum(volume_usd), sum(fees_usd),"
        " sum(trade_count), sum(new_users) from review.affiliate_daily group by 1, 2 order by 1, 2",
    )
    assert by_day == [(*row[:5], row[6]) for row in monthly(engine)]


def test_a_month_with_a_hole_is_unknown_until_its_day_is_loaded(engine: Engine) -> None:
    """Nobody traded on 10 February; ANN is far below the minimums before and after it."""
    with engine.begin() as connection:
        add_application(connection, ANN, status="approved")
        add_approval(connection, ANN, datetime(2025, 12, 20, tzinfo=UTC), snapshot={})
        for month in (date(2026, 1, 1), date(2026, 2, 1)):
            add_short_reach(connection, ANN, month)
    hole = date(2026, 2, 10)
    all_days = [date(2025, 12, 1) + n * ONE_DAY for n in range((T - date(2025, 12, 1)).days + 1)]
    deliver(engine, *(Trade(day=day, affiliate=BOB) for day in all_days if day != hole))

    def periods() -> list[tuple[Any, ...]]:
        month = (
            "select month, outcome, missing_days from review.requalifications order by 1, tested_at"
        )
        period = (
            "select 0, outcome, missing_days from review.affiliate_outcomes where horizon_days = 60"
        )
        return [row[1:] for row in rows(engine, month) + rows(engine, period)]

    refresh(engine)
    assert periods() == [("not_met", 0), ("unknown", 1), ("unknown", 1)]

    deliver(engine, Trade(day=hole, affiliate=BOB))
    record_load(engine, hole)
    refresh(engine, now=NOW + timedelta(hours=1))

    assert periods() == [("not_met", 0), ("unknown", 1), ("not_met", 0), ("not_met", 0)]
