"""Signals about referred users: measured by Postgres, and by plain Python over the same rows.

Each case is an affiliate on one side of a threshold or of the minimum sample. All of them are
written at once and measured once; every signal of every affiliate is compared with its oracle.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from data_access import rollups
from data_access.eligibility import freshness, policies
from data_access.queue import standings
from data_access.risk import measuring
from data_access.risk.frame import Whose
from program.periods import WindowKind
from program.risk import judging
from program.risk.judging import Measured
from tests.builders import set_policy
from tests.cases import first_of
from tests.data_access.risk.users_oracle import SIGNALS, Oracle
from tests.data_access.risk.users_world import User, World, traded
from tests.databases import Databases

UNKNOWN, CLEAR, WARN, HIGH = "not_enough_data", "clear", "warn", "high"
CASES: list[tuple[str, str, Callable[[World], int]]] = []
LEAP_DAY = date(2024, 2, 29)
ORDINARY = date(2026, 3, 14)
OTHER_POLICY: dict[str, Any] = {
    "window_kind": WindowKind.CALENDAR_MONTH,
    "active_user_min_volume_usd": Decimal(500),
    "new_user_must_trade": True,
}


def case(signal: str, severity: str, build: Callable[[World], Any], **given: Any) -> None:
    """An affiliate of the built users, and what the signal says about it."""
    CASES.append((signal, severity, lambda world: world.add(build(world), **given)))


def volumes(*amounts: Any) -> Callable[[World], list[User]]:
    return lambda world: world.users(amounts)


def top(share: str, users: int, total: int = 10_000_000) -> Callable[[World], list[User]]:
    """Users of whom one has this share of the volume."""
    first = Decimal(share) * total
    return volumes(first, *[(total - first) / (users - 1)] * (users - 1))


for severity, share, users in (
    (CLEAR, "0.9499", 5), (WARN, "0.95", 5), (WARN, "0.9899", 5), (HIGH, "0.99", 5),
    (UNKNOWN, "0.99", 4), (CLEAR, "0.7999", 15), (WARN, "0.80", 15), (WARN, "0.9599", 15),
    (HIGH, "0.96", 15),
):  # fmt: skip
    case("R01", severity, top(share, users))
case("R01", UNKNOWN, top("0.99", 5, total=999_990))
for severity, share, users in (
    (CLEAR, "0.91", 10), (WARN, "0.93", 10), (WARN, "0.979", 10), (HIGH, "0.981", 10),
    (UNKNOWN, "0.981", 9),
):  # fmt: skip
    case("R02", severity, top(share, users))
for severity, large, users in (
    (CLEAR, 15, 15), (WARN, 14, 15), (WARN, 8, 15), (HIGH, 7, 15), (UNKNOWN, 7, 14),
):  # fmt: skip
    case("R04", severity, volumes(*["1000.00"] * large, *["999.99"] * (users - large)))
for severity, deviation, users in (
    (CLEAR, 0.36, 16), (WARN, 0.34, 16), (WARN, 0.26, 16), (HIGH, 0.24, 16), (UNKNOWN, 0.1, 14),
):  # fmt: skip
    step = deviation * math.sqrt((users - 1) / users)
    amounts = [1e6 * math.exp(step * (-1) ** n) for n in range(users)]
    case("R26", severity, volumes(*amounts))


# Acquisition


def new_share(share: str, *, users: int = 5, oldest: int = 91) -> Callable[[World], list[User]]:
    fresh = Decimal(share) * 1000
    return lambda world: [
        world.user(traded(fresh), referred=29),
        *world.users([(1000 - fresh) / (users - 1)] * (users - 1), referred=oldest),
    ]


for severity, share, given in (
    (CLEAR, "0.6999", {}), (WARN, "0.70", {}), (WARN, "0.9199", {}), (HIGH, "0.92", {}),
    (CLEAR, "0.5999", {"users": 30}), (WARN, "0.60", {"users": 30}),
    (WARN, "0.8499", {"users": 30}), (HIGH, "0.85", {"users": 30}),
    (UNKNOWN, "0.92", {"users": 4}), (UNKNOWN, "0.92", {"oldest": 90}),
):  # fmt: skip
    case("R10", severity, new_share(share, **given))


def once(number: int, tried: int) -> Callable[[World], list[User]]:
    def build(world: World) -> list[User]:
        backs = [14, 90, *[40] * (tried - 2)]
        twice = (traded(5, back=3), traded(5, back=4))
        return [
            *(
                world.user(*twice[: 1 if n < number else 2], referred=back)
                for n, back in enumerate(backs)
            ),
            # Referred too lately or too long ago, never traded, or without volume.
            world.user(traded(5), referred=13),
            world.user(traded(5), referred=91),
            world.user(referred=50),
            world.user(traded(0), referred=50),
        ]

    return build


for severity, number, users in (
    (CLEAR, 4, 10), (WARN, 5, 10), (WARN, 8, 11), (HIGH, 9, 12), (UNKNOWN, 9, 9),
):  # fmt: skip
    case("R11", severity, once(number, users))
for severity, number, users in (
    (CLEAR, 15, 20), (WARN, 16, 20), (WARN, 18, 20), (HIGH, 19, 20), (UNKNOWN, 19, 19),
):  # fmt: skip
    case(
        "R12",
        severity,
        lambda world, number=number, users=users: [
            *(world.user(traded(100, back=30), referred=30) for _ in range(number)),
            *world.users([100] * (users - number), referred=31),
            world.user(referred=29),
        ],
    )


def woken(number: int, users: int) -> Callable[[World], list[User]]:
    def build(world: World) -> list[User]:
        now, before = traded(100, back=29), traded(100, back=90)
        awake = [(traded(1, back=30),), (traded(1, back=89),)]
        return [
            *(world.user(now, before, referred=90) for _ in range(number)),
            world.user(now, referred=89),
            *(world.user(now, *awake[n % 2], referred=300) for n in range(users - number - 1)),
        ]

    return build


for severity, number, users in (
    (CLEAR, 3, 10), (WARN, 4, 10), (WARN, 6, 10), (HIGH, 7, 10), (UNKNOWN, 7, 9),
):  # fmt: skip
    case("R13", severity, woken(number, users))
for severity, same, users in ((CLEAR, 8, 10), (WARN, 9, 10), (UNKNOWN, 9, 9)):
    case(
        "R20",
        severity,
        lambda world, same=same, users=users: [
            *(world.user(traded(9, back=20), referred=20) for _ in range(same)),
            *(world.user(traded(9, back=19), referred=20) for _ in range(users - same)),
            world.user(traded(0, back=20), referred=20),
            world.user(traded(9, back=29), referred=20),
        ][: users + 1 + (same == 8)],
    )


# Economics. Nearly all of the program is one affiliate, whose fees are the program's yield.


def paying(*parts: tuple[Any, Any]) -> Callable[[World], list[User]]:
    """Users, each with a volume and its fees."""
    return lambda world: [world.user(traded(amount, fees=fees)) for amount, fees in parts]


for severity, volume_, fees in (
    (CLEAR, 4_000_000, "501"), (WARN, 4_000_000, "499"), (WARN, 4_000_000, "0.01"),
    (HIGH, 4_000_000, "0"), (HIGH, 4_000_000, "-5"), (UNKNOWN, "999999.99", "0"),
):  # fmt: skip
    case("R18", severity, paying((volume_, fees)))
for severity, free in ((CLEAR, 299_999), (WARN, 300_000), (WARN, 599_999), (HIGH, 600_000)):
    case("R19", severity, paying((free, "-0.1"), (1_000_000 - free, "0.000001")))
case("R19", UNKNOWN, paying((999_999, "0")))
for severity, negative, given in (
    (CLEAR, "-3749", {}), (WARN, "-3751", {}), (WARN, "-4999", {}), (HIGH, "-5000", {}),
    (HIGH, "-20000", {}), (CLEAR, "-5000", {"rate": Decimal("0.3")}),
):  # fmt: skip
    case("R29", severity, paying((2_000_000, "10000"), (10, negative)), **given)
case("R29", UNKNOWN, paying((2_000, "10000"), (10, "-20000")))


def verified(share: str, total: int = 1_000_000) -> Callable[[World], list[User]]:
    part = Decimal(share) * total
    return lambda world: [
        world.user(traded(part / 2), kyc="none"),
        world.user(traded(part / 4), kyc="rejected"),
        world.user(traded(part / 4), kyc="pending"),
        world.user(traded(total - part)),
        # Nothing is known of this one.
        world.user(traded(5_000_000), is_known=False),
    ]


for severity, share in ((CLEAR, "0.2999"), (WARN, "0.30"), (WARN, "0.5999"), (HIGH, "0.60")):
    case("R33", severity, verified(share))
case("R33", UNKNOWN, verified("0.60", total=999_999))


# Origins


def alias(share: str, email: str = "Ow.ner+7@Mail.Example") -> Callable[[World], list[User]]:
    own = Decimal(share) * 1000
    return lambda world: [
        world.user(traded(own), email=email),
        world.user(traded(1000 - own)),
    ]


for severity, share in ((WARN, "0"), (WARN, "0.0499"), (HIGH, "0.05")):
    case("R23", severity, alias(share))
case("R23", CLEAR, alias("0.9", email="owner@mail.example.org"))
case("R23", UNKNOWN, alias("0.9"), email=None)
case("R23", UNKNOWN, lambda world: [world.user(traded(5), email=None)])
case("R23", UNKNOWN, lambda world: [])


def hours(together: int, users: int) -> Callable[[World], list[User]]:
    noon = datetime(2026, 1, 5, 12, tzinfo=UTC)
    return lambda world: [
        *(
            world.user(
                referred=89,
                created_at=noon + (timedelta(minutes=59, seconds=59) if n else timedelta()),
            )
            for n in range(together)
        ),
        *(world.user(referred=20) for _ in range(users - together - 1)),
        world.user(referred=20, created_at=noon + timedelta(hours=1)),
        world.user(referred=90, created_at=noon),
        world.user(referred=5, is_known=False),
    ]


for severity, together, users in (
    (CLEAR, 2, 10), (WARN, 3, 10), (WARN, 5, 10), (HIGH, 6, 10), (UNKNOWN, 6, 9),
):  # fmt: skip
    case("R31", severity, hours(together, users))


def related(emails: list[str], users: int) -> Callable[[World], list[User]]:
    return lambda world: [
        *(world.user(traded(5), email=email) for email in emails),
        *(world.user(referred=3) for _ in range(users - len(emails))),
        # Neither active nor new, and one without an address.
        world.user(email=emails[0]),
        world.user(traded(5), email=None),
    ]


FAMILY = ["ring1@mail.example", "ri.ng22@mail.example", "RING+x@mail.example", "ring@mail.example"]
OWN = [f"{name}@own.example" for name in ("ann", "bob", "cid", "dan")]
for severity, emails, users in (
    (CLEAR, FAMILY[:1], 10), (WARN, FAMILY[:2], 10), (WARN, FAMILY[:3], 10), (HIGH, FAMILY, 10),
    (UNKNOWN, FAMILY, 9), (CLEAR, ["1@mail.example", "2@mail.example", "3@mail.example"], 10),
    (CLEAR, [f"{name}@two.example" for name in ("ann", "bob")], 10), (HIGH, OWN, 10),
    (CLEAR, [f"{name}@shared.example" for name in ("ann", "bob", "cid")], 10),
    (WARN, [f"{name}@nobody.example" for name in ("ann", "bob", "cid")], 10),
):  # fmt: skip
    case("R32", severity, related(emails, users))


def abroad(*countries: tuple[str | None, int]) -> Callable[[World], list[User]]:
    return lambda world: [
        world.user(traded(5), country=country) for country, users in countries for _ in range(users)
    ]


for severity, countries in (
    (CLEAR, (("DE", 7), ("BR", 3))), (WARN, (("DE", 8), ("BR", 2))), (WARN, (("DE", 18), ("FR", 2))),
    (HIGH, (("DE", 19), ("BR", 1))), (UNKNOWN, (("DE", 9), (None, 9))), (CLEAR, (("BR", 10),)),
):  # fmt: skip
    case("R34", severity, abroad(*countries))
case("R34", UNKNOWN, abroad(("DE", 10)), country=None)


# Days


def days_of(*amounts: Any) -> Callable[[World], list[User]]:
    """One user for every 25 amounts, each on its own day."""
    return lambda world: [
        world.user(*(traded(v, back=n) for n, v in enumerate(amounts[at : at + 25])))
        for at in range(0, len(amounts), 25)
    ]


UNEVEN = [f"{1234 + n}.{n:02}" for n in range(60)]
for severity, round_, every in (
    (CLEAR, 9, 50), (WARN, 10, 50), (WARN, 19, 50), (HIGH, 20, 50), (UNKNOWN, 20, 49),
):  # fmt: skip
    rounded = [1000 * (n + 1) for n in range(round_)]
    case("R16", severity, days_of(*rounded, *UNEVEN[: every - round_]))
case("R16", WARN, days_of(*["77.70"] * 10, *UNEVEN[:40]))
# Twice is chance, and so is the same amount of two users.
case("R16", CLEAR, days_of(*[f"{77 + n // 2}.70" for n in range(20)], *UNEVEN[:30]))


def digits(
    excess: float, users_days: int = 2000, decades: float = 4
) -> Callable[[World], list[User]]:
    """Volumes that follow Benford's law but for an excess of those that begin with 1."""

    def build(world: World) -> list[User]:
        ones = round(users_days * excess)
        regular = users_days - ones
        amounts = [10 ** (2 + decades * n / regular) for n in range(regular)]
        amounts += [10 ** (2 + n % 4) * 1.5 for n in range(ones)]
        return [
            world.user(*(traded(v, back=n) for n, v in enumerate(amounts[at : at + 90])))
            for at in range(0, users_days, 90)
        ]

    return build


for severity, excess, given in (
    (CLEAR, 0.09, {}), (WARN, 0.11, {}), (UNKNOWN, 0.11, {"users_days": 1999}),
    (UNKNOWN, 0.0, {"decades": 1}),
):  # fmt: skip
    case("R17", severity, digits(excess, **given))


def tickets(
    deviation: float, *, trades: int = 25, users_days: int = 50
) -> Callable[[World], list[User]]:
    step = deviation * math.sqrt((users_days - 1) / users_days)

    def size(n: int) -> float:
        return 50_000 * math.exp(step * (-1) ** n)

    return lambda world: [
        world.user(
            *(
                traded(size(n) * (1 + n % trades), back=n, trades=1 + n % trades)
                for n in range(users_days // 2)
            )
        )
        for _ in range(2)
    ]


for severity, deviation, given in (
    (CLEAR, 0.16, {}), (WARN, 0.14, {}), (WARN, 0.06, {}), (HIGH, 0.04, {}),
    (CLEAR, 0.32, {"trades": 1}), (WARN, 0.28, {"trades": 1}), (HIGH, 0.08, {"trades": 1}),
    (UNKNOWN, 0.04, {"users_days": 48}),
):  # fmt: skip
    case("R27", severity, tickets(deviation, **given))


def edges(world: World) -> None:
    """Affiliates that are about no threshold, but must be measured right."""
    world.add([])
    world.add([world.user(traded(0, fees=0))])
    world.add([world.user(traded("0.01", fees="-3", back=0, trades=0))])
    # Nothing but one day, and days beyond those that are read.
    world.add(world.users(["12.34", "0.07"]))
    world.add([world.user(traded(5000, back=91), traded(4000, back=200))])
    # Traded before the referral, without one, and referred after T.
    world.add([
        world.user(traded(700, back=20), referred=10),
        world.user(traded(900), referred=None),
        world.user(traded(1200), referred=-1),
        world.user(traded(1100), is_known=False, email=None),
        world.user(traded(1300, fees="-1"), traded(800, back=9), referred=4),
        world.user(referred=29),
    ])  # fmt: skip
    world.add(
        [
            world.user(traded(10**15, fees=10**13 + 10**12), email='"<img src=x>"@mail.example'),
            world.user(traded("0.01", fees=-(10**13)), email="@@", country="ZZ"),
            world.user(traded(10**15, fees="0.000001", trades=2**31 - 1), email="no address"),
        ],
        email="<b>@",
    )
    own = world.add([])
    one = world.affiliates[-1]
    user = world.user(traded(3), referred=20)
    world.affiliates[-1] = replace(one, users=(replace(user, id=own), world.user(traded(97))))
    # Of a program without these two, no e-mail would be shared, and no yield known.
    world.add(world.users([5] * 3, email="eve@shared.example"), in_scope=False)
    world.add([world.user(traded(10**13, fees=5 * 10**9))], in_scope=False)


@pytest.fixture(scope="module", params=first_of("trailing", "calendar"))
def measured(
    request: pytest.FixtureRequest, databases: Databases
) -> Iterator[tuple[World, Engine, dict[int, str]]]:
    """All cases, under the first policy, and under another that counts otherwise."""
    other = request.param == "calendar"
    world = World(through=LEAP_DAY if other else ORDINARY)
    named = {build(world): f"{signal} {severity}" for signal, severity, build in CASES}
    edges(world)
    with databases.engine(f"users_{request.param}") as engine:
        if other:
            with engine.begin() as conn:
                set_policy(conn, **OTHER_POLICY)
        world.write(engine)
        yield world, engine, named


def rows(engine: Engine) -> dict[int, dict[str, Any]]:
    with engine.connect() as conn:
        found = conn.execute(text("select * from review.risk_measures")).mappings()
        return {row["account_id"]: dict(row) for row in found}


def oracles(world: World, engine: Engine) -> dict[int, Oracle]:
    with engine.connect() as conn:
        fresh = freshness.newest(conn)
        policy = policies.in_force(conn, now=world.now)
    assert fresh is not None
    return {
        one.id: Oracle(world, one, policy, fresh.window) for one in world.affiliates if one.in_scope
    }


def severity_of(row: dict[str, Any], signal: str, **others: Measured) -> str:
    found = Measured(value=row[signal.lower()], sample=row.get(f"{signal.lower()}_sample"))
    risk = judging.judge({signal: found, **others}, {})
    return next(str(one.severity) for one in risk.results if one.signal.id == signal)


def same(value: Decimal | None, expected: Any) -> bool:
    """Whether they are equal, rounded to the sixth decimal."""
    if value is None or expected is None:
        return value is expected
    return float(value) == pytest.approx(float(expected), abs=1.1e-6, rel=1e-9)


def test_every_signal_is_what_plain_python_finds(measured: Any) -> None:
    world, engine, named = measured
    found, wrong = rows(engine), []
    for id_, oracle in oracles(world, engine).items():
        for signal, measure in SIGNALS.items():
            expected = measure(oracle)
            column = signal.lower()
            got = found[id_][column], found[id_].get(f"{column}_sample")
            if not same(got[0], expected[0]) or got[1] != expected[1]:
                wrong.append((signal, named.get(id_), id_, got, expected))
    assert wrong == []


def test_the_criteria_without_some_users_are_what_plain_python_finds(measured: Any) -> None:
    world, engine, named = measured
    found, wrong = rows(engine), []
    for id_, oracle in oracles(world, engine).items():
        expected = oracle.variants()
        got = {name: found[id_][name] for name in expected}
        if got != expected:
            wrong.append((named.get(id_), got, expected))
    assert wrong == []


def test_each_case_is_judged_as_worked_out_by_hand(measured: Any) -> None:
    world, engine, named = measured
    if world.through == LEAP_DAY:
        pytest.skip("its policy counts users otherwise")
    found = rows(engine)
    judged = {id_: severity_of(found[id_], name.split()[0]) for id_, name in named.items()}
    wrong = [(name, judged[id_]) for id_, name in named.items() if name.split()[1] != judged[id_]]
    assert wrong == []


def test_clockwork_onboarding_is_high_only_with_a_burst() -> None:
    row = {"r20": Decimal("0.9"), "r20_sample": 10}
    burst = Measured(value=Decimal(4), sample=Decimal(20))

    assert severity_of(row, "R20") == WARN
    assert severity_of(row, "R20", R09=burst) == HIGH


def test_every_signal_has_its_cases() -> None:
    cases = {(signal, severity) for signal, severity, _ in CASES}
    for signal in SIGNALS:
        missing = {UNKNOWN, CLEAR, WARN} - {severity for one, severity in cases if one == signal}
        assert not missing, f"{signal} has no case that is {missing}"


def test_numbers_behind_a_value_are_kept(measured: Any) -> None:
    world, engine, named = measured
    if world.through == LEAP_DAY:
        pytest.skip("its policy counts users otherwise")
    found = rows(engine)
    by_name = {name: found[id_]["inputs"] for id_, name in named.items()}
    assert by_name["R12 high"]["R12"] == {"dormant_users": 19, "earlier_users": 20}
    assert by_name["R16 high"]["R16"]["round_days"] == 20
    assert len(by_name["R32 high"]["R32"]["family_list"]) == 4
    for row in found.values():
        assert "<" not in str(row["inputs"])
        assert set(row["inputs"]) >= set(SIGNALS) - {"R03"}


def test_only_some_accounts_are_measured_the_same(measured: Any) -> None:
    world, engine, named = measured
    before = rows(engine)
    some = sorted(named)[5:8]
    with engine.begin() as conn:
        conn.execute(text("update review.risk_measures set inputs = '{}', r04 = 77"))
    measuring.measure(engine, now=world.now, only=some)
    after = rows(engine)
    assert all(after[id_] == before[id_] for id_ in some)
    assert {row["r04"] for id_, row in after.items() if id_ not in some} == {77}
    measuring.measure(engine, now=world.now)
    assert rows(engine) == before


def test_who_waits_and_the_others_are_together_everybody(measured: Any) -> None:
    world, engine, _ = measured
    before = rows(engine)
    waiting = (
        "account_id in (select account_id from exchange.applications where status = 'pending')"
    )
    with engine.begin() as conn:
        conn.execute(text("update review.risk_measures set inputs = '{}', r04 = 77"))
        of_waiting = set(
            conn.execute(
                text(f"select account_id from review.risk_measures where {waiting}")
            ).scalars()
        )

    measuring.measure(engine, now=world.now, whose=Whose.WAITING)
    first = rows(engine)
    measuring.measure(engine, now=world.now, whose=Whose.OTHERS)

    assert {id_ for id_, row in first.items() if row == before[id_]} == of_waiting
    assert 0 < len(of_waiting) < len(before)
    assert rows(engine) == before


def test_the_queue_shows_the_risk_that_a_refresh_measured(measured: Any) -> None:
    world, engine, _ = measured
    with engine.begin() as conn:
        conn.execute(text("delete from review.risk_measures"))

    rollups.refresh(engine, now=world.now, risk=Whose.WAITING)

    with engine.connect() as conn:
        levels = conn.execute(text("select distinct risk_level from review.standings")).scalars()
        assert {"clear", "warn", "high"} & set(levels)
        assert standings.differences(conn) == []
    rollups.measure_risk(engine, now=world.now, whose=Whose.OTHERS)


def test_a_failure_of_the_measuring_leaves_the_refresh_done(
    measured: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world, engine, _ = measured
    before = rows(engine)

    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(measuring, "measure", fail)
    fresh = rollups.refresh(engine, now=world.now)

    assert fresh.data_through == world.through
    assert rows(engine) == before
    assert "the risk signals could not be measured" in caplog.text
