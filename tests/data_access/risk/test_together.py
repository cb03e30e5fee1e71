"""R14 and R15: users who trade alike."""

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date
from itertools import combinations
from typing import Any

import pytest

from tests.data_access.risk.world import CLEAR, HIGH, UNKNOWN, WARN, Case, World
from tests.databases import Databases

# Steps that neither repeat nor lie near one another.
UNRELATED = (1.0, 2.7, 0.4, 5.1, 1.9, 0.7, 3.3, 8.2, 0.3, 4.4, 1.3, 6.6, 2.2, 0.9, 3.8)
OTHER = (3.1, 0.8, 6.2, 1.4, 0.5, 7.3, 2.1, 0.6, 4.9, 1.1, 2.9, 0.45, 5.6, 1.7, 0.35)


def group(*users: dict[int, float], rest: float = 0) -> Callable[[World], int]:
    """Let users trade these volumes so many days before T, and ``rest`` by many others."""

    def build(world: World) -> int:
        id_ = world.add()
        for volumes in users:
            user = world.user()
            for back, volume in volumes.items():
                world.trade(id_, back, round(volume, 2), user=user)
        for place in range(10 if rest else 0):
            world.trade(id_, place, rest / 10, user=world.user())
        return id_

    return build


def pattern(steps: Sequence[float], scale: float = 100_000, days: int = 5) -> dict[int, float]:
    return {back: scale * steps[back] for back in range(days)}


def of_users(world: World, id_: int) -> dict[int, dict[date, float]]:
    """The top 50 users' days of the window."""
    users: dict[int, dict[date, float]] = defaultdict(dict)
    for trade in world.of(id_):
        if trade.day >= world.day(29):
            users[trade.user][trade.day] = float(trade.volume)
    ranked = sorted(users, key=lambda user: (-sum(users[user].values()), user))
    return {user: users[user] for user in ranked[:50]}


def r14(world: World, id_: int) -> Any:
    users = of_users(world, id_)
    total = sum(float(t.volume) for t in world.of(id_) if t.day >= world.day(29))
    able = [u for u, days in users.items() if sum(v >= 10_000 for v in days.values()) >= 5]
    often = [u for u, days in users.items() if len(days) >= 10]
    if len(able) < 2 and len(often) < 3:
        return None, None
    best, most = (0.0, 0), 0
    for a, b in combinations(users, 2):
        joint = [
            math.log(v / users[b][day])
            for day, v in users[a].items()
            if v >= 10_000 and users[b].get(day, 0) >= 10_000
        ]
        most = max(most, len(joint))
        if len(joint) < 5:
            continue
        middle = statistics.median(joint)
        near = [
            sum(abs(one - center) <= -math.log(0.99) for one in joint) / len(joint)
            for center in (0, middle)
        ]
        if near[0] >= 0.5 or (near[1] >= 0.5 and len(joint) >= 10):
            share = (sum(users[a].values()) + sum(users[b].values())) / total
            best = max(best, (share, len(joint)))
    return best if best[0] else (0, most)


def r15(world: World, id_: int) -> Any:
    users = of_users(world, id_)
    total = sum(float(t.volume) for t in world.of(id_) if t.day >= world.day(29))
    often = [u for u, days in users.items() if len(days) >= 10]
    if len(often) < 3:
        able = [u for u, days in users.items() if sum(v >= 10_000 for v in days.values()) >= 5]
        return (0, len(often)) if len(able) >= 2 else (None, None)
    logs = {
        u: {day: math.log(v / float(world.market(day))) for day, v in users[u].items()}
        for u in often
    }
    clusters = [{u} for u in often]
    for a, b in combinations(often, 2):
        both = sorted(logs[a].keys() & logs[b].keys())
        alike = len(both) >= 0.9 * len(logs[a].keys() | logs[b].keys()) and (
            statistics.correlation([logs[a][d] for d in both], [logs[b][d] for d in both]) >= 0.95
        )
        if alike:
            merged = [c for c in clusters if a in c or b in c]
            clusters = [c for c in clusters if c not in merged] + [set().union(*merged)]
    found = [sum(sum(users[u].values()) for u in c) for c in clusters if len(c) >= 3]
    return max(found, default=0) / total, len(often)


ONE, TWO = pattern(UNRELATED), pattern(OTHER)
LONG, LONG_OTHER = pattern(UNRELATED, days=10), pattern(OTHER, days=10)
PAIR_SUM = sum(ONE.values()) * 2
CLUSTER_SUM = sum(LONG.values()) * 3


def off(volumes: dict[int, float], **days: float) -> dict[int, float]:
    """Multiply the volumes of these days, ``d3=1.5``."""
    return {back: v * days.get(f"d{back}", 1) for back, v in volumes.items()}


def times(volumes: dict[int, float], by: float) -> dict[int, float]:
    return {back: v * by for back, v in volumes.items()}


CASES: dict[str, Case] = {
    "R14 the same volumes on five days": (group(ONE, ONE), r14, HIGH),
    "R14 a fifth of the volume": (group(ONE, ONE, rest=PAIR_SUM * 4), r14, HIGH),
    "R14 just below a fifth": (group(ONE, ONE, rest=PAIR_SUM * 4.01), r14, WARN),
    "R14 a hundredth of the volume": (group(ONE, ONE, rest=PAIR_SUM * 99), r14, WARN),
    "R14 just below a hundredth": (group(ONE, ONE, rest=PAIR_SUM * 99.5), r14, CLEAR),
    "R14 four days": (group(pattern(UNRELATED, days=4), pattern(UNRELATED, days=4)), r14, UNKNOWN),
    "R14 three of five days match": (group(ONE, off(ONE, d0=1.5, d1=1.5)), r14, HIGH),
    "R14 two of five days match": (group(ONE, off(ONE, d0=1.5, d1=1.7, d2=2)), r14, CLEAR),
    "R14 0.9 percent apart": (group(ONE, times(ONE, 1.009)), r14, HIGH),
    "R14 1.1 percent apart on five days": (group(ONE, times(ONE, 1.011)), r14, CLEAR),
    "R14 below 10,000 USD": (
        group(pattern(UNRELATED, 1_000), pattern(UNRELATED, 1_000)),
        r14,
        UNKNOWN,
    ),
    "R14 twice the volume on ten days": (group(LONG, times(LONG, 2)), r14, HIGH),
    "R14 twice the volume on five days": (group(ONE, times(ONE, 2)), r14, CLEAR),
    "R14 unrelated": (group(LONG, LONG_OTHER), r14, CLEAR),
    "R15 three in step": (group(LONG, times(LONG, 3), times(LONG, 0.5)), r15, HIGH),
    "R15 three tenths of the volume": (
        group(LONG, LONG, LONG, rest=CLUSTER_SUM * 7 / 3),
        r15,
        HIGH,
    ),
    "R15 just below three tenths": (group(LONG, LONG, LONG, rest=CLUSTER_SUM * 2.34), r15, WARN),
    "R15 two in step": (group(LONG, LONG, LONG_OTHER), r15, CLEAR),
    "R15 a hundredth": (group(LONG, LONG, LONG, rest=CLUSTER_SUM * 99), r15, WARN),
    "R15 just below a hundredth": (group(LONG, LONG, LONG, rest=CLUSTER_SUM * 99.5), r15, CLEAR),
    "R15 other days": (
        group(LONG, LONG, {back + 5: v for back, v in LONG.items()}),
        r15,
        CLEAR,
    ),
    "R15 nine of ten days": (group(LONG, LONG, {**LONG, 10: 90_000}), r15, HIGH),
    "R15 two with ten days": (group(LONG, LONG, ONE), r15, UNKNOWN),
    "R15 loosely in step": (
        group(
            LONG,
            {b: v * (1 + 3 * (b % 2)) for b, v in LONG.items()},
            {b: v * (1 + 3 * (b % 3)) for b, v in LONG.items()},
        ),
        r15,
        CLEAR,
    ),
    "R15 nearly in step": (
        group(
            LONG,
            {b: v * (1 + 0.15 * (b % 2)) for b, v in LONG.items()},
            {b: v * (1 + 0.45 * (b % 2)) for b, v in LONG.items()},
        ),
        r15,
        HIGH,
    ),
}


@pytest.fixture(scope="module")
def world(databases: Databases) -> tuple[World, dict[str, int]]:
    made = World()
    ids = {name: build(made) for name, (build, _, _) in CASES.items()}
    with databases.engine("risk") as engine:
        made.measure(engine)
    return made, ids


@pytest.mark.parametrize("name", CASES)
def test_users_who_trade_alike_are_those_of_plain_python(
    world: tuple[World, dict[str, int]], name: str
) -> None:
    made, ids = world
    made.check(ids[name], name, CASES[name])


def test_a_ratio_near_one_is_told_from_another(world: tuple[World, dict[str, int]]) -> None:
    made, ids = world

    same = made.rows[ids["R14 the same volumes on five days"]]["inputs"]["R14"]
    copied = made.rows[ids["R14 twice the volume on ten days"]]["inputs"]["R14"]

    assert (same["near_one"], same["ratio"]) == (True, 1)
    assert (copied["near_one"], copied["ratio"]) == (False, 2)
    assert copied["matching_days"] == copied["joint_days"] == 10
    assert len(set(copied["users"])) == 2


def test_the_users_of_a_cluster_are_kept(world: tuple[World, dict[str, int]]) -> None:
    made, ids = world

    assert len(made.rows[ids["R15 three in step"]]["inputs"]["R15"]["users"]) == 3
    assert "R15" not in made.rows[ids["R15 two in step"]]["inputs"]
