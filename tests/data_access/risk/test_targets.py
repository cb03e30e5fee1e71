"""R05, R09 and R28: how figures meet the minimums, and bursts of sign-ups."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.data_access.risk.world import CLEAR, HIGH, UNKNOWN, WARN, Case, World
from tests.databases import Databases

MILLION = 1_000_000


def month(
    world: World,
    id_: int,
    number: int,
    *,
    volume: Any = 0,
    active: int = 0,
    new: int = 0,
) -> None:
    """Give the 30 days so many windows before T these figures."""
    back = number * 30
    for place in range(active):
        share = Decimal(volume) - active + 1 if place == 0 else 1
        world.trade(id_, back + 29, share, user=world.user())
    if volume and not active:
        world.trade(id_, back + 3, volume)
    for place in range(new):
        world.refer(id_, back + 5 + place)


def months(*figures: dict[str, Any]) -> Callable[[World], int]:
    def build(world: World) -> int:
        id_ = world.add()
        for number, one in enumerate(figures):
            month(world, id_, number, **one)
        return id_

    return build


def r05(world: World, id_: int) -> Any:
    if not any(world.day(89) <= day for day in world.daily(id_)):
        return None
    found = 0
    for number in range(3):
        first, last = world.day(number * 30 + 29), world.day(number * 30)
        users: dict[int, Decimal] = defaultdict(Decimal)
        for trade in world.of(id_):
            if first <= trade.day <= last:
                users[trade.user] += trade.volume
        new = sum(a == id_ and first <= at.date() <= last for a, _, at in world.referrals)
        found += (
            sum(
                [
                    20 * MILLION <= sum(users.values()) < 21 * MILLION,
                    15 <= len(users) <= 16,
                    new == 5,
                ]
            )
            >= 2
        )
    return found


def signing_up(counts: dict[int, int]) -> Callable[[World], int]:
    """Refer so many users so many days before T."""
    return lambda world: world.add(new=[back for back, n in counts.items() for _ in range(n)])


def r09(world: World, id_: int) -> Any:
    days = Counter((world.through - at.date()).days for a, _, at in world.referrals if a == id_)
    month = {back: n for back, n in days.items() if back < 30}
    if not month:
        return None, None
    busiest, total = max(month.values()), sum(month.values())
    best = max(sum(month.get(back + n, 0) for n in range(3)) for back in range(-2, 30))
    if busiest < 5 or (busiest < 8 and best < 0.6 * total):
        return 0, total
    before = [days.get(back, 0) for back in range(30, 120)]
    mean = max(sum(before) / 90, 0.1)
    variance = sum((n - sum(before) / 90) ** 2 for n in before) / 89
    size = mean**2 / (variance - mean) if variance > mean else None
    one_day = sum(math.exp(log_mass(n, mean, size)) for n in range(busiest, busiest + 2_000))
    return -math.log10(-math.expm1(30 * math.log1p(-one_day))), total


def log_mass(n: int, mean: float, size: float | None) -> float:
    """The logarithm of the probability of ``n`` sign-ups on a day."""
    if size is None:
        return n * math.log(mean) - mean - math.lgamma(n + 1)
    success = size / (size + mean)
    ways = math.lgamma(n + size) - math.lgamma(size) - math.lgamma(n + 1)
    return ways + size * math.log(success) + n * math.log(1 - success)


def stopping(before: Any, after: Any, *, reached: int, floor: int = 0) -> Callable[[World], int]:
    """Reach the last minimum so many days before T, and trade at another pace from then on."""

    def build(world: World) -> int:
        id_ = world.add(new=[29] * 5)
        users = [world.user() for _ in range(15)]
        for back in range(29, -1, -1):
            volume = Decimal(before if back >= reached else after)
            trading = users[:14] if back > reached else users[14:] if back == reached else users
            for user in trading:
                world.trade(id_, back, volume / len(trading), user=user)
        return id_

    return build


def r28(world: World, id_: int) -> Any:
    start = world.day(29)
    daily = world.daily(id_)
    users: dict[int, date] = {}
    so_far, volume_on = Decimal(0), None
    for trade in sorted(world.of(id_), key=lambda t: t.day):
        if trade.day >= start:
            users.setdefault(trade.user, trade.day)
    for day in sorted(day for day in daily if day >= start):
        so_far += daily[day]
        if so_far >= 20 * MILLION and volume_on is None:
            volume_on = day
    new = sorted(at.date() for a, _, at in world.referrals if a == id_ and at.date() >= start)
    if volume_on is None or len(users) < 15 or len(new) < 5:
        return None, None
    reached = max(volume_on, sorted(users.values())[14], new[4])
    days = [start + timedelta(days=n) for n in range(30)]
    shares = {day: daily.get(day, 0) / world.market(day) for day in days}
    left = (world.through - reached).days
    if not left:
        return None, None
    after = sum(shares[day] for day in days if day > reached) / left
    return after / (sum(shares[day] for day in days if day <= reached) / (30 - left)), left


HUG = {"volume": 20 * MILLION, "active": 15}
# One sign-up on every third day of the 90 before, so the mean is 1/3 and no larger than variance.
REGULAR = dict.fromkeys(range(30, 120, 3), 1)
# Ten on every tenth day: the mean is 1, and the variance nine.
CLUMPED = dict.fromkeys(range(30, 120, 10), 10)

CASES: dict[str, Case] = {
    "R05 volume and actives at the minimum": (months(HUG), r05, CLEAR),
    "R05 just under 5 % and one above": (
        months({"volume": "20999999.99", "active": 16}),
        r05,
        CLEAR,
    ),
    "R05 5 % above": (months({"volume": 21 * MILLION, "active": 16}), r05, CLEAR),
    "R05 two users above": (months({"volume": 20 * MILLION, "active": 17}), r05, CLEAR),
    "R05 volume a cent short": (months({"volume": "19999999.99", "active": 15}), r05, CLEAR),
    "R05 actives and new users": (
        months({"volume": 99 * MILLION, "active": 15, "new": 5}),
        r05,
        CLEAR,
    ),
    "R05 six new users": (months({"volume": 99 * MILLION, "active": 15, "new": 6}), r05, CLEAR),
    "R05 volume and new users": (
        months({"volume": 20 * MILLION, "active": 30, "new": 5}),
        r05,
        CLEAR,
    ),
    "R05 one criterion": (months({"volume": 20 * MILLION, "active": 30}), r05, CLEAR),
    "R05 twice": (months(HUG, {}, HUG), r05, WARN),
    "R05 three times": (months(HUG, HUG, HUG), r05, HIGH),
    "R05 four windows ago": (months({"volume": 5}, {}, {}, HUG), r05, CLEAR),
    "R05 no volume": (months({"new": 5}), r05, UNKNOWN),
    "R09 a burst": (signing_up({**REGULAR, 5: 10}), r09, HIGH),
    "R09 six at once": (signing_up({**REGULAR, 5: 6, 20: 2, 25: 2}), r09, WARN),
    "R09 six, and others spread out": (
        signing_up({**REGULAR, 5: 6, **dict.fromkeys(range(8, 29, 4), 1)}),
        r09,
        CLEAR,
    ),
    "R09 five, of a mean of a third": (signing_up({**REGULAR, 5: 5, 6: 2, 20: 3}), r09, CLEAR),
    "R09 four at once": (signing_up({**REGULAR, 5: 4, 6: 4, 7: 4}), r09, CLEAR),
    "R09 nine sign-ups": (signing_up({**REGULAR, 5: 9}), r09, UNKNOWN),
    "R09 clumps as before": (signing_up({**CLUMPED, 5: 12}), r09, CLEAR),
    "R09 far above the clumps": (signing_up({**CLUMPED, 5: 75}), r09, WARN),
    "R09 nobody before": (signing_up({5: 10}), r09, HIGH),
    "R09 nobody in the month": (signing_up(REGULAR), r09, UNKNOWN),
    # 1.5 M a day until the 20 M, reached with the 15th user on T - 15.
    "R28 at the same pace": (stopping(1_500_000, 1_500_000, reached=15), r28, CLEAR),
    "R28 just above 0.35": (stopping(1_500_000, 525_100, reached=15), r28, CLEAR),
    "R28 0.35": (stopping(1_500_000, 525_000, reached=15), r28, WARN),
    "R28 nothing is no more than that": (stopping(1_500_000, 0, reached=15), r28, WARN),
    "R28 seven days left": (stopping(1_500_000, 0, reached=7), r28, WARN),
    "R28 six days left": (stopping(1_500_000, 0, reached=6), r28, UNKNOWN),
    "R28 volume comes last": (stopping(1_000_000, 100_000, reached=10), r28, WARN),
    "R28 not reached": (stopping(500_000, 0, reached=15), r28, UNKNOWN),
}


@pytest.fixture(scope="module")
def world(databases: Databases) -> tuple[World, dict[str, int]]:
    made = World()
    ids = {name: build(made) for name, (build, _, _) in CASES.items()}
    with databases.engine("risk") as engine:
        made.measure(engine)
    return made, ids


@pytest.mark.parametrize("name", CASES)
def test_a_signal_is_what_plain_python_measures(
    world: tuple[World, dict[str, int]], name: str
) -> None:
    made, ids = world
    made.check(ids[name], name, CASES[name])


def test_the_numbers_behind_a_signal_are_kept(world: tuple[World, dict[str, int]]) -> None:
    made, ids = world

    hugging = made.rows[ids["R05 twice"]]["inputs"]["R05"]["windows"]
    assert [one["first_day"] for one in hugging] == ["2025-12-15", "2026-02-13"]
    burst = made.rows[ids["R09 a burst"]]["inputs"]["R09"]
    assert (burst["day"], burst["sign_ups"]) == ("2026-03-09", 10)
    assert made.rows[ids["R28 0.35"]]["inputs"]["R28"]["reached"] == "2026-02-27"
