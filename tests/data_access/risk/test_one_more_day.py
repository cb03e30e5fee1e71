"""Measured again after one more day, the signals are those that are measured from nothing."""

import random
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, text

from data_access import rollups
from data_access.risk import measuring
from data_access.risk.frame import Whose
from program.periods import ONE_DAY
from tests.data_access.risk.users_world import User, World, traded

# The day after a month's end, and one in the middle.
LAST_DAYS = (date(2026, 4, 1), date(2026, 4, 18))
# So many days ago, a referral or a day enters or leaves what a signal counts.
EDGES = (0, 1, 13, 14, 15, 29, 30, 31, 59, 60, 61, 88, 89, 90, 91, 92, 118, 119, 120, 121)


def world_of(chance: random.Random, through: date) -> World:
    """Affiliates with few or many users, who trade on days around the edges, and alike."""
    world = World(through=through)
    for number in range(24):
        shape = [chance.randrange(3_000, 90_000) for _ in range(4)]
        users = [user(world, chance, shape) for _ in range(chance.choice((0, 3, 12, 40)))]
        rate = chance.choice((None, None, "0.30"))
        world.add(users, rate=rate, email=f"owner{number}@mail.example")
    return world


def user(world: World, chance: random.Random, shape: list[int]) -> User:
    days = {*chance.sample(EDGES, 12), *chance.sample(range(40), 14)}
    size = chance.choice((1, 2, chance.uniform(0.01, 9)))
    return world.user(
        *(
            traded(
                size * shape[back % 4],
                back=back,
                fees=chance.choice((None, None, "0", "-1")),
                trades=chance.choice((1, 1, 5)),
            )
            for back in sorted(days)
        ),
        referred=chance.choice((*EDGES, 200, None)),
        kyc=chance.choice(("verified", "verified", "none")),
        country=chance.choice(("BR", "BR", "PT", None)),
        email=f"{chance.choice('abc')}{chance.randrange(99)}@{chance.choice('xy')}.example",
        is_known=chance.random() < 0.9,
    )


def rows(engine: Engine) -> list[dict[str, Any]]:
    with engine.connect() as conn:
        found = conn.execute(text("select * from review.risk_measures order by account_id"))
        return [dict(row) for row in found.mappings()]


@pytest.mark.parametrize("through", LAST_DAYS)
def test_after_one_more_day_the_signals_are_those_measured_from_nothing(
    engine: Engine, through: date
) -> None:
    world = world_of(random.Random(f"{through}"), through)
    world.write_rows(engine)
    rollups.refresh(engine, now=world.now - ONE_DAY, through=world.day(1))
    rollups.recount(engine, now=world.now - ONE_DAY)
    before = rows(engine)

    rollups.refresh(engine, now=world.now, risk=Whose.WAITING)
    rollups.measure_risk(engine, now=world.now, whose=Whose.OTHERS)

    found = rows(engine)
    with engine.begin() as conn:
        conn.execute(text("delete from review.risk_measures"))
    measuring.measure(engine, now=world.now)
    assert found == rows(engine)
    assert len(found) == len(before) > 0
    assert {row["data_through"] for row in found} == {through}
    for signal in ("r01", "r07", "r16", "r27"):
        assert {row[signal] for row in found} != {row[signal] for row in before}
