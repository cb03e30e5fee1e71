"""R22, R25, R30 and R35: what is known of people; and data that has only just begun."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.builders import set_policy
from tests.data_access.risk.world import CLEAR, HIGH, UNKNOWN, WARN, Case, World
from tests.databases import Databases

NOBODY: tuple[int, ...] = ()


def expect(value: Any) -> Callable[[World, int], Any]:
    """A value that is read off the case."""
    return lambda _world, _id: value if value is None else Decimal(str(value))


def named(handle: str, *others: dict[str, Any]) -> Callable[[World], int]:
    """Apply with a handle that others have too."""

    def build(world: World) -> int:
        id_ = world.add(social_handle=handle)
        for other in others:
            terminated = other.pop("terminated", False)
            also = world.add(**{"social_handle": handle, **other})
            if terminated:
                world.terminated.append(also)
        return id_

    return build


def seen(*evidence: tuple[float, Any, str], **given: Any) -> Callable[[World], int]:
    """Have these observations: days before T, value, method."""

    def build(world: World) -> int:
        id_ = world.add()
        for back, value, method in evidence:
            world.saw(id_, back, value, method, **given)
        return id_

    return build


def volumes(claimed: Any, observed: Any, *, exchange: str = "ExA") -> Callable[[World], int]:
    def build(world: World) -> int:
        id_ = world.add()
        given = {"kind": "external_volume"}
        world.saw(id_, 2, claimed, "statement", exchange_name="ExA", **given)
        world.saw(id_, 2, observed, "api", exchange_name=exchange, **given)
        return id_

    return build


def referring(users: int, applicants: int) -> Callable[[World], int]:
    def build(world: World) -> int:
        id_ = world.add(new=[100] * (users - applicants))
        for _ in range(applicants):
            world.refer(id_, 100, user=world.add(new=NOBODY))
        return id_

    return build


def referred_by(*, terminated: bool = False, back: bool = False) -> Callable[[World], int]:
    """Be referred by an affiliate, which was referred in turn if ``back``."""

    def build(world: World) -> int:
        id_, other = world.add(new=NOBODY), world.add(new=NOBODY)
        world.refer(other, 100, user=id_)
        if back:
            world.refer(id_, 100, user=other)
        if terminated:
            world.terminated.append(other)
        return id_

    return build


CASES: dict[str, Case] = {
    "R22 nobody else's": (named("@only_one"), expect(0), CLEAR),
    "R22 another account's": (named("@shared_a", {}), expect(1), WARN),
    "R22 one of a withdrawn application": (
        named("@shared_b", {"status": "withdrawn"}),
        expect(1),
        WARN,
    ),
    "R22 spelled in another way": (
        named("@Shared_C", {"social_handle": "https://x.com/shared_c"}),
        expect(1),
        WARN,
    ),
    "R22 of a rejected account": (named("@shared_d", {"status": "rejected"}), expect(2), HIGH),
    "R22 of a terminated affiliate": (
        named("@shared_e", {"approved": 40, "terminated": True}),
        expect(2),
        HIGH,
    ),
    "R22 one of several was rejected": (
        named("@shared_f", {}, {"status": "rejected"}, {}),
        expect(2),
        HIGH,
    ),
    "R22 names nobody": (
        lambda world: world.add(social_handle="none", contact_handle=None),
        expect(None),
        UNKNOWN,
    ),
    "R25 just below a tenth": (
        seen((9, 10_999, "screenshot"), (2, 10_000, "api")),
        expect(0.0999),
        CLEAR,
    ),
    "R25 a tenth": (seen((9, 11_000, "screenshot"), (2, 10_000, "api")), expect(0.1), WARN),
    "R25 a tenth too little": (
        seen((9, 9_000, "screenshot"), (2, 10_000, "profile_page")),
        expect(0.1),
        WARN,
    ),
    "R25 only the claim meets the minimum": (
        seen((9, 5_250, "screenshot"), (2, 5_000, "profile_page")),
        expect(1),
        HIGH,
    ),
    "R25 only the claim does, by a little": (
        seen((9, 5_249, "screenshot"), (2, 5_000, "profile_page")),
        expect("0.0498"),
        CLEAR,
    ),
    "R25 twice": (seen((9, 20_000, "screenshot"), (2, 10_000, "api")), expect(1), HIGH),
    "R25 nobody follows": (seen((9, 100, "screenshot"), (2, 0, "api")), expect(1), HIGH),
    "R25 the newest of each counts": (
        seen(
            (9, 30_000, "screenshot"), (3, 10_000, "screenshot"), (5, 99, "api"), (2, 10_000, "api")
        ),
        expect(0),
        CLEAR,
    ),
    "R25 31 days old": (
        seen((31, 20_000, "screenshot"), (2, 10_000, "api")),
        expect(None),
        UNKNOWN,
    ),
    "R25 only what was supplied": (seen((9, 20_000, "screenshot")), expect(None), UNKNOWN),
    "R25 by other means": (seen((9, 20_000, "other"), (2, 10_000, "api")), expect(None), UNKNOWN),
    "R25 volumes": (volumes(33_000_000, 30_000_000), expect(0.1), WARN),
    "R25 only the claimed volume meets the minimum": (
        volumes(20_000_000, 19_000_000),
        expect(1),
        HIGH,
    ),
    "R25 volumes of two exchanges": (volumes(9, 5, exchange="ExB"), expect(None), UNKNOWN),
    "R30 two applicants": (referring(10, 2), expect(0), CLEAR),
    "R30 three applicants": (referring(10, 3), expect(1), WARN),
    "R30 three of sixty": (referring(60, 3), expect(1), WARN),
    "R30 three of sixty-one": (referring(61, 3), expect(0), CLEAR),
    "R30 an active referrer": (referred_by(), expect(0), CLEAR),
    "R30 a terminated referrer": (referred_by(terminated=True), expect(1), WARN),
    "R30 a circle": (referred_by(back=True), expect(2), HIGH),
    "R30 no referral": (lambda world: world.add(new=NOBODY), expect(None), UNKNOWN),
    "R35 just below a half": (seen((30, 10_000, "api"), (1, 14_999, "api")), expect(0.4999), CLEAR),
    "R35 a half": (seen((30, 10_000, "api"), (1, 15_000, "api")), expect(0.5), WARN),
    "R35 doubled": (seen((30, 10_000, "api"), (1, 20_000, "api")), expect(1), HIGH),
    "R35 in 31 days": (seen((31, 10_000, "api"), (0, 20_000, "api")), expect(None), UNKNOWN),
    "R35 of 999": (seen((20, 999, "api"), (1, 20_000, "api")), expect(None), UNKNOWN),
    "R35 of 1,000": (seen((20, 1_000, "api"), (1, 2_000, "api")), expect(1), HIGH),
    "R35 fewer than before": (seen((20, 5_000, "api"), (1, 2_000, "api")), expect(0), CLEAR),
    "R35 long ago": (seen((120, 5_000, "api"), (100, 20_000, "api")), expect(None), UNKNOWN),
    "R35 one observation": (seen((1, 5_000, "api")), expect(None), UNKNOWN),
}


@pytest.fixture(scope="module")
def world(databases: Databases) -> tuple[World, dict[str, int]]:
    made = World()
    ids = {name: build(made) for name, (build, _, _) in CASES.items()}
    with databases.engine("risk") as engine:
        made.measure(engine)
    return made, ids


@pytest.mark.parametrize("name", CASES)
def test_what_is_known_of_people_is_measured(
    world: tuple[World, dict[str, int]], name: str
) -> None:
    made, ids = world
    made.check(ids[name], name, CASES[name])


def test_the_other_account_is_kept(world: tuple[World, dict[str, int]]) -> None:
    made, ids = world
    first = ids["R22 one of several was rejected"]

    assert made.rows[first]["inputs"]["R22"] == {"handle": first + 2}


def test_a_single_day_of_data_measures_what_it_can(engine: Engine) -> None:
    """The day is 29 February; nothing was there before."""
    world = World(through=date(2024, 2, 29), step=1)
    id_ = world.add(new=[0] * 12)
    world.trade(id_, 0, 500, fees="-1")

    world.measure(engine, fill=1)

    assert {name: world.severity(id_, name) for name in ("R05", "R06", "R07", "R08", "R21")} == {
        "R05": CLEAR,
        "R06": UNKNOWN,
        "R07": UNKNOWN,
        "R08": UNKNOWN,
        "R21": UNKNOWN,
    }
    # February is complete on its 29th day, and all of its volume is on the last three days.
    assert world.value(id_, "R21") == (1, 1)
    assert world.severity(id_, "R09") == HIGH


def test_a_day_without_a_market_is_left_out(engine: Engine) -> None:
    """Nobody traded on two days; on another, users traded for nothing and got a fee."""
    world = World(step=0)
    id_ = world.add()
    for back in (1, 2, *range(5, 14)):
        world.trade(id_, back, 100, fees="-3" if back == 1 else "0")
    world.trade(id_, 3, 0)

    world.measure(engine)

    value, sample = world.value(id_, "R07")
    assert (float(value), sample) == (pytest.approx(1 / 11, abs=1e-6), 11)


def test_months_are_the_policys(engine: Engine) -> None:
    """Under calendar months, figures of the last three complete ones are compared."""
    world = World()
    id_ = world.add(new=[400])
    for first in (date(2026, 2, 3), date(2026, 1, 31), date(2025, 12, 1)):
        back = (world.through - first).days
        world.trade(id_, back, 19_999_986)
        for _ in range(14):
            world.trade(id_, back, 1, user=world.user())
    with engine.begin() as conn:
        set_policy(conn, window_kind="calendar_month")

    world.measure(engine)

    assert world.value(id_, "R05")[0] == 3
    windows = world.rows[id_]["inputs"]["R05"]["windows"]
    assert [one["first_day"] for one in windows] == ["2025-12-01", "2026-01-01", "2026-02-01"]


def test_new_users_who_must_trade_are_counted_by_that(engine: Engine) -> None:
    """Nine signed up; only five of them traded, the last of these on T - 10."""
    world = World()
    id_ = world.add(new=[29] * 4)
    for back in (20, 20, 20, 20, 10):
        world.trade(id_, back, 1_000_000, user=world.refer(id_, 25))
    for _ in range(20):
        world.trade(id_, 28, 1_000_000, user=world.user())
    with engine.begin() as conn:
        set_policy(conn, new_user_must_trade=True)

    world.measure(engine)

    assert world.rows[id_]["inputs"]["R28"]["reached"] == str(world.day(10))
    assert world.value(id_, "R28")[1] == 10
    assert world.value(id_, "R05")[0] == 0


def test_an_approval_before_its_application_is_measured(engine: Engine) -> None:
    """An import may say so; the days before the application are those before it."""
    world = World(step=1)
    id_ = world.add(applied=70, approved=75)
    for back in range(71, 101):
        world.trade(id_, back, 100_000)
    for back in range(15, 45):
        world.trade(id_, back, 25_000)

    world.measure(engine)

    assert world.value(id_, "R24")[0] == Decimal("0.25")


def test_only_the_accounts_asked_for_are_measured(engine: Engine) -> None:
    from data_access.risk import measuring

    world = World()
    first, second = world.add(), world.add()
    for id_ in (first, second):
        for back in range(10):
            world.trade(id_, back, 100 + back)
    world.measure(engine)

    again = measuring.measure(engine, now=world.now + timedelta(hours=1), only=[second])

    assert again is not None
    assert again.accounts == 1
