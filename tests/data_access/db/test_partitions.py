"""Monthly partitions are created once, as data arrives, without blocking anybody."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import Connection, Engine, text

from data_access.db import partitions

INSERT = text(
    "insert into exchange.referral_activity values (1, 2, :day, 10.00, 0.01, 1) "
    "returning tableoid::regclass::text"
)


@pytest.mark.parametrize(
    ("first", "last", "made"),
    [
        (date(2026, 1, 31), date(2026, 1, 31), ["2026_01"]),
        (date(2026, 1, 31), date(2026, 2, 1), ["2026_01", "2026_02"]),
        (date(2025, 12, 1), date(2026, 1, 1), ["2025_12", "2026_01"]),
        (date(2026, 2, 1), date(2026, 1, 1), []),
    ],
)
def test_every_month_from_first_to_last_gets_a_partition(
    conn: Connection, first: date, last: date, made: list[str]
) -> None:
    names = [f"exchange.referral_activity_{month}" for month in made]

    assert partitions.ensure_months(conn, first, last) == names


@pytest.mark.parametrize(
    ("day", "month"),
    [
        (date(2024, 2, 29), "2024_02"),
        (date(2024, 3, 1), "2024_03"),
        (date(2024, 12, 31), "2024_12"),
        (date(2025, 1, 1), "2025_01"),
    ],
)
def test_a_day_goes_to_its_own_month(conn: Connection, day: date, month: str) -> None:
    partitions.ensure_months(conn, date(2024, 2, 1), date(2025, 1, 31))

    held_by = conn.execute(INSERT, {"day": day}).scalar_one()

    assert held_by == f"exchange.referral_activity_{month}"


def test_months_that_are_there_are_left_alone(conn: Connection) -> None:
    partitions.ensure_months(conn, date(2026, 1, 1), date(2026, 2, 1))
    conn.execute(INSERT, {"day": date(2026, 1, 5)})

    assert partitions.ensure_months(conn, date(2026, 1, 1), date(2026, 3, 1)) == [
        "exchange.referral_activity_2026_03"
    ]
    assert conn.execute(text("select count(*) from exchange.referral_activity")).scalar_one() == 1


def test_a_partition_has_the_key_and_the_checks_of_the_whole(conn: Connection) -> None:
    (name,) = partitions.ensure_months(conn, date(2026, 1, 1), date(2026, 1, 1))
    kinds = text(
        "select contype::text from pg_constraint where conrelid = cast(:name as regclass) "
        "and contype in ('p', 'c') order by 1"
    )

    of_whole = conn.execute(kinds, {"name": partitions.PARENT}).scalars().all()

    assert conn.execute(kinds, {"name": name}).scalars().all() == of_whole == ["c", "c", "c", "p"]


def test_readers_read_on_while_a_load_makes_a_month(engine: Engine) -> None:
    with engine.begin() as load, engine.begin() as reading:
        partitions.ensure_months(load, date(2026, 1, 1), date(2026, 1, 1))
        reading.execute(text("set local lock_timeout = '500ms'"))

        assert (
            reading.execute(text("select count(*) from exchange.referral_activity")).scalar() == 0
        )


def test_two_loads_that_bring_the_same_month_make_it_once(engine: Engine) -> None:
    def load(_: int) -> int:
        with engine.begin() as connection:
            return len(partitions.ensure_months(connection, date(2026, 1, 1), date(2026, 6, 1)))

    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(load, range(4)))

    assert sorted(made) == [0, 0, 0, 6]
