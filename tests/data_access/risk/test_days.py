"""R06, R07, R08, R21 and R24: measured as plain Python measures the same rows."""

import math
import statistics
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.data_access.risk.world import CLEAR, HIGH, UNKNOWN, WARN, Case, World
from tests.databases import Databases

# Months before T, 14 March 2026: February is the last complete one.
FEBRUARY_LAST = 14


def spread(world: World, id_: int, start: int, end: int, total: Any, *, users: int = 1) -> None:
    """Trade ``total`` evenly from ``start`` to ``end`` days before T, a cent by other users."""
    days = range(end, start + 1)
    for _ in range(users - 1):
        world.trade(id_, end, "0.01", user=world.user())
    total = Decimal(total) - Decimal("0.01") * (users - 1)
    each = (Decimal(total) / len(days)).quantize(Decimal("0.01"))
    for back in days:
        rest = Decimal(total) - each * (len(days) - 1)
        world.trade(id_, back, rest if back == end else each)


def spike(
    month: Any, before: Any, long_before: Any, *, users: int = 1, **given: Any
) -> Callable[[World], int]:
    def build(world: World) -> int:
        id_ = world.add(**given)
        until = 0 if "approved" in given else given.get("applied", -1) + 1
        spread(world, id_, until + 29, until, month, users=users)
        spread(world, id_, until + 59, until + 30, before)
        spread(world, id_, until + 89, until + 60, long_before)
        return id_

    return build


def r06(world: World, id_: int) -> Any:
    one = next(a for a in world.affiliates if a.id == id_)
    end = world.through + timedelta(days=1)
    until = min(one.applied_on, end) if one.approved_on is None else end
    windows = [world.share_of(id_, until - timedelta(days=30 * n)) for n in (1, 2, 3)]
    volumes = [
        sum(
            v
            for day, v in world.daily(id_).items()
            if until - timedelta(days=30 * n) <= day < until - timedelta(days=30 * (n - 1))
        )
        for n in (2, 3)
    ]
    if sum(volumes) / 2 < 50_000:
        return None, None
    return windows[0] / ((windows[1] + windows[2]) / 2), active(world, id_)


def active(world: World, id_: int) -> int:
    return len({t.user for t in world.of(id_) if t.day >= world.day(29) and t.volume})


def days_of(volumes: dict[int, Any], **given: Any) -> Callable[[World], int]:
    """Trade these volumes so many days before T."""

    def build(world: World) -> int:
        id_ = world.add(**given)
        for back, volume in volumes.items():
            world.trade(id_, back, volume)
        return id_

    return build


def r07(world: World, id_: int) -> Any:
    shares = world.shares(id_, 29, 0).values()
    return (max(shares) / sum(shares), len(shares)) if shares else (None, None)


def r08(world: World, id_: int) -> Any:
    shares = world.shares(id_, 89, 0)
    window = [day for day in shares if day >= world.day(29)]
    if not window:
        return None, None
    x = {day: math.log(share) for day, share in shares.items()}
    middle = statistics.median(x.values())
    mad = statistics.median(abs(value - middle) for value in x.values())
    deviation = statistics.fmean(abs(value - middle) for value in x.values())
    scale = mad / 0.6745 if mad > 1e-9 else 1.253314 * deviation
    out = [day for day in window if scale > 1e-9 and (x[day] - middle) / scale > 3.5]
    daily = world.daily(id_)
    return sum(daily[day] for day in out) / sum(daily[day] for day in window), len(shares)


def r21(world: World, id_: int) -> Any:
    february = {d: v for d, v in world.daily(id_).items() if (d.year, d.month) == (2026, 2)}
    if not february:
        return None, None
    last = sum(v for d, v in february.items() if d >= date(2026, 2, 26))
    return last / sum(february.values()), len(february)


def decay(after: Any, before: Any, *, approved: int = 60, users: int = 1) -> Callable[[World], int]:
    """Approved so many days before T, two days after it applied."""

    def build(world: World) -> int:
        id_ = world.add(applied=approved + 2, approved=approved)
        spread(world, id_, approved + 32, approved + 3, before)
        if approved >= 60:
            spread(world, id_, approved - 31, approved - 60, after, users=users)
        return id_

    return build


def r24(world: World, id_: int) -> Any:
    one = next(a for a in world.affiliates if a.id == id_)
    assert one.approved_on
    if one.approved_on + timedelta(days=60) > world.through:
        return None, None
    before = world.share_of(id_, one.applied_on - timedelta(days=30))
    start = one.applied_on - timedelta(days=30)
    if sum(v for d, v in world.daily(id_).items() if start <= d < one.applied_on) < 1_000_000:
        return None, None
    after = world.share_of(id_, one.approved_on + timedelta(days=31))
    return after / before, active(world, id_)


def uneven(top: Any, *, days: int = 10) -> dict[int, Any]:
    """``days`` days of 900 in all, of which the busiest has ``top``."""
    rest = (900 - Decimal(top)) / (days - 1)
    return {0: top, **dict.fromkeys(range(1, days), rest)}


# Thirty days of which the odd ones are a tenth higher: median 105, MAD about 5 %.
STEADY = {back: 1000 + back % 2 * 100 for back in range(30)}


def with_outlier(volume: Any, *, days: int = 30) -> dict[int, Any]:
    return {**{back: 1000 + back % 2 * 100 for back in range(days)}, 3: volume}


CASES: dict[str, Case] = {
    # The market doubled in the last month, so eight times the volume is four times the share.
    "R06 just below four times": (spike(799_990, 100_000, 100_000), r06, CLEAR),
    "R06 four times": (spike(800_000, 100_000, 100_000), r06, WARN),
    "R06 just below ten times": (spike(1_999_990, 100_000, 100_000), r06, WARN),
    "R06 ten times": (spike(2_000_000, 100_000, 100_000), r06, HIGH),
    "R06 three times, 29 users": (spike(600_000, 100_000, 100_000, users=29), r06, CLEAR),
    "R06 three times, 30 users": (spike(600_000, 100_000, 100_000, users=30), r06, WARN),
    "R06 six times, 30 users": (spike(1_200_000, 100_000, 100_000, users=30), r06, HIGH),
    "R06 below six times, 30 users": (spike(1_199_990, 100_000, 100_000, users=30), r06, WARN),
    "R06 twice, 100 users": (spike(400_000, 100_000, 100_000, users=100), r06, WARN),
    "R06 four times, 100 users": (spike(800_000, 100_000, 100_000, users=100), r06, HIGH),
    "R06 doubled with the market": (spike(200_000, 100_000, 100_000), r06, CLEAR),
    "R06 a mean of 50,000 before": (spike(100_000, 100_000, 0), r06, CLEAR),
    "R06 less than 50,000 before": (spike(100_000, "99999.99", 0), r06, UNKNOWN),
    "R06 before an application of last week": (
        spike(800_000, 100_000, 100_000, applied=7),
        r06,
        WARN,
    ),
    "R06 of an approved affiliate": (
        spike(800_000, 100_000, 100_000, applied=42, approved=40),
        r06,
        WARN,
    ),
    "R07 just below 0.30": (days_of(uneven("269.9")), r07, CLEAR),
    "R07 0.30": (days_of(uneven(270)), r07, WARN),
    "R07 just below 0.50": (days_of(uneven("449.9")), r07, WARN),
    "R07 0.50": (days_of(uneven(450)), r07, HIGH),
    "R07 nine days": (days_of(uneven(450, days=9)), r07, UNKNOWN),
    "R07 no day": (days_of({40: 5}), r07, UNKNOWN),
    "R08 nothing stands out": (days_of(STEADY), r08, CLEAR),
    "R08 just below 0.30": (days_of(with_outlier(13_000)), r08, CLEAR),
    "R08 0.30": (days_of(with_outlier(13_100)), r08, WARN),
    "R08 just below 0.60": (days_of(with_outlier(45_500)), r08, WARN),
    "R08 0.60": (days_of(with_outlier(45_800)), r08, HIGH),
    "R08 29 days": (days_of(with_outlier(45_800, days=29)), r08, UNKNOWN),
    "R08 equal days but one": (days_of({**dict.fromkeys(range(30), 100), 4: 5000}), r08, HIGH),
    "R08 all days equal": (days_of(dict.fromkeys(range(30), 100)), r08, CLEAR),
    "R21 below 0.40": (
        days_of({**dict.fromkeys(range(17, 37), 30), FEBRUARY_LAST: 399}),
        r21,
        CLEAR,
    ),
    "R21 0.40": (days_of({**dict.fromkeys(range(17, 37), 30), FEBRUARY_LAST: 400}), r21, WARN),
    "R21 0.90 is no more than that": (
        days_of({**dict.fromkeys(range(17, 37), 30), 15: 5400}),
        r21,
        WARN,
    ),
    "R21 nine trading days": (days_of({**dict.fromkeys(range(17, 25), 1), 14: 50}), r21, UNKNOWN),
    "R21 no volume in February": (days_of({0: 5, 60: 5}), r21, UNKNOWN),
    # Days 31 to 60 after it end with T, where the market has doubled.
    "R24 just above 0.20": (decay(400_010, 1_000_000), r24, CLEAR),
    "R24 0.20": (decay(400_000, 1_000_000), r24, WARN),
    "R24 just above 0.04": (decay(80_010, 1_000_000), r24, WARN),
    "R24 0.04": (decay(80_000, 1_000_000), r24, HIGH),
    "R24 0.40, 29 users": (decay(800_000, 1_000_000, users=29), r24, CLEAR),
    "R24 0.40, 30 users": (decay(800_000, 1_000_000, users=30), r24, WARN),
    "R24 0.15, 30 users": (decay(300_000, 1_000_000, users=30), r24, HIGH),
    "R24 half, 100 users": (decay(1_000_000, 1_000_000, users=100), r24, WARN),
    "R24 a quarter, 100 users": (decay(500_000, 1_000_000, users=100), r24, HIGH),
    "R24 no volume is left": (decay(0, 1_000_000), r24, HIGH),
    "R24 approved 59 days ago": (decay(0, 1_000_000, approved=59), r24, UNKNOWN),
    "R24 little before": (decay(0, 999_999), r24, UNKNOWN),
}


@pytest.fixture(scope="module")
def world(databases: Databases) -> tuple[World, dict[str, int]]:
    made = World()
    ids = {name: build(made) for name, (build, _, _) in CASES.items()}
    with databases.engine("risk") as engine:
        made.measure(engine)
    return made, ids


@pytest.mark.parametrize("name", CASES)
def test_a_day_signal_is_what_plain_python_measures(
    world: tuple[World, dict[str, int]], name: str
) -> None:
    made, ids = world
    made.check(ids[name], name, CASES[name])


def test_the_days_behind_a_signal_are_kept(world: tuple[World, dict[str, int]]) -> None:
    made, ids = world

    assert made.rows[ids["R07 0.30"]]["inputs"]["R07"] == {"day": "2026-03-14", "volume_usd": 270}
    assert made.rows[ids["R08 0.60"]]["inputs"]["R08"]["days"] == ["2026-03-11"]
    assert made.rows[ids["R06 four times"]]["inputs"]["R06"]["volume_usd"] == 800_000
    assert "R08" not in made.rows[ids["R08 nothing stands out"]]["inputs"]


def test_the_largest_volumes_that_a_file_can_have_are_measured(databases: Databases) -> None:
    world = World()
    most = Decimal("999999999999999999.99")
    id_, other = world.add(), world.add()
    for back in range(40):
        world.trade(other, back, most)
        world.trade(id_, back, most if back in (2, 3) else 5, fees="99999999999999.999999")
    for _ in range(16):
        world.trade(id_, 2, most, user=world.user(), fees="-99999999999999.999999")
    with databases.engine("risk") as engine:
        world.measure(engine, fill=0)

    row = world.rows[id_]
    assert row["r07_sample"] == 30
    assert float(row["r08"]) == pytest.approx(1)
    assert row["inputs"]["R08"]["volume_usd"] == float(18 * most)
