"""Sums carried forward equal a count of everything, after any sequence of days."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert, text

from data_access import rollups
from data_access.db import tables
from data_access.eligibility import policies
from data_access.rollups import carried
from program.periods import ONE_DAY, WindowKind, day_start
from program.policy.policy import Policy
from tests.builders import add_application, rewriting
from tests.cases import examples, first_of
from tests.data_access.affiliate_months import add_approval, add_short_reach
from tests.data_access.rollups.test_refreshing import (
    ANN,
    BOB,
    NOW,
    Referral,
    T,
    Trade,
    deliver,
    everything,
    in_window,
    naive,
    record_load,
    refresh,
    rows,
    run,
    set_policy,
)

EVE = 7003
AFFILIATES = (ANN, BOB, EVE)
FIRST = date(2026, 1, 20)
STEPS = examples(8, of=20)
VOLUMES = ("0.00", "0.01", "400.00", "999.99", "1000.00", "19999999.99")
FEES = ("0", "-0.5", "0.000001", "12.5")
# What a refresh derives, without when.
DERIVED = {
    "segment_daily": "*",
    "affiliate_segments": "affiliate_account_id, country, track, cohort, rate, granted::text",
    "program_monthly": "*",
    "month_leaders": "*",
    "referral_cohorts": "*",
    "application_courses": "*",
    "affiliate_outcomes": "*",
    "affiliate_tested": "account_id, month, outcome, near, volume_usd, missed::text",
    "requalifications": "account_id, month, outcome, near, volume_usd, active_users, new_users,"
    " x_followers, external_volume_usd, policy_version, missing_days",
}


class World:
    """Facts that arrive day by day, and a clock on the morning after the newest."""

    def __init__(self, engine: Engine, seed: int) -> None:
        self.engine, self.chance = engine, random.Random(seed)
        self.facts: dict[Any, Trade | Referral] = {}
        self.through = FIRST
        self.refreshed = FIRST

    @property
    def now(self) -> datetime:
        return day_start(self.through + ONE_DAY) + timedelta(hours=9)

    def deliver(self, *days: date) -> None:
        """Add, or correct, some of each day's trades and referrals."""
        arriving: dict[Any, Trade | Referral] = {}
        for day in days:
            for _ in range(self.chance.randrange(7)):
                trade = self._trade(day)
                arriving[trade.affiliate, trade.user, day] = trade
            if self.chance.random() < 0.4:
                referral = self._referral(day)
                arriving.setdefault((referral.affiliate, referral.user), referral)
        self._load(arriving)

    def _trade(self, day: date) -> Trade:
        chance, affiliate = self.chance, self.chance.choice(AFFILIATES)
        return Trade(day=day, affiliate=affiliate, user=chance.randint(1, 6) + affiliate * 10,
                     volume=chance.choice(VOLUMES), fees=chance.choice(FEES),
                     count=chance.randrange(4))  # fmt: skip

    def _referral(self, day: date) -> Referral:
        affiliate = self.chance.choice(AFFILIATES)
        user = self.chance.randint(1, 9) + affiliate * 10
        at = day_start(day) + timedelta(seconds=self.chance.choice((0, 40_000, 86_399)))
        return Referral(at=at, affiliate=affiliate, user=user)

    def _load(self, arriving: dict[Any, Trade | Referral]) -> None:
        """Replace trades; a user stays with who referred them first."""
        known = self.facts.keys() & arriving.keys()
        new = {k: v for k, v in arriving.items() if k not in known or isinstance(v, Trade)}
        for key in new.keys() & known:
            affiliate, user, day = key
            run(
                self.engine,
                f"delete from exchange.referral_activity where affiliate_account_id = {affiliate}"
                f" and referred_account_id = {user} and activity_date = '{day}'",
            )
        deliver(self.engine, *new.values())
        self.facts |= new

    def correct(self) -> None:
        """Load facts of an older day."""
        day = self.through - timedelta(days=self.chance.randrange(50))
        self.deliver(day)
        record_load(self.engine, day)

    def publish(self) -> None:
        """Publish a policy that counts differently from now on."""
        chance = self.chance
        settings = {
            "window_kind": chance.choice(list(WindowKind)),
            "active_user_min_volume_usd": chance.choice(("0", "0", "500")),
            "new_user_must_trade": chance.random() < 0.5,
        }
        with self.engine.begin() as conn:
            version = conn.execute(text("select max(version) + 1 from review.policies"))
            conn.execute(
                insert(tables.policies).values(
                    version=version.scalar_one(), author="mira", effective_from=self.now, **settings
                )
            )

    def refresh(self, through: date | None = None) -> None:
        since = self.through - timedelta(days=3) if self.chance.random() < 0.05 else None
        fresh = rollups.refresh(self.engine, now=self.now, through=through, since=since)
        self.refreshed = fresh.data_through

    def step(self) -> None:
        """Let a few days pass, with or without changes, then refresh and perhaps recount."""
        chance = self.chance
        for _ in range(chance.choice((0, 0, 1, 1, 1, 1, 1, 1, 1, 2, 5))):
            self.through += ONE_DAY
            self.deliver(self.through)
        # What was there already may have been completed.
        self.deliver(self.refreshed)
        if chance.random() < 0.15:
            self.correct()
        if chance.random() < 0.1:
            self.publish()
        back = timedelta(days=chance.randrange(4)) if chance.random() < 0.1 else None
        self.refresh(self.through - back if back else None)
        if chance.random() < 0.8:
            found = rollups.recount(self.engine, now=self.now)
            assert found is None or found.differing == 0

    def expected(self) -> list[Any]:
        with self.engine.connect() as conn:
            policy = policies.in_force(conn, now=self.now)
        return naive(self.facts.values(), self.refreshed, policy)


def derived(engine: Engine) -> dict[str, Counter[tuple[Any, ...]]]:
    found = {}
    for name, columns in DERIVED.items():
        current = " where not exists (select from review.requalifications as later where"
        current += " later.supersedes = requalifications.requalification_id)"
        where = current if name == "requalifications" else ""
        found[name] = Counter(rows(engine, f"select {columns} from review.{name}{where}"))
    return found


def start_over(engine: Engine) -> None:
    with engine.begin() as conn, rewriting(conn, "requalifications"):
        conn.execute(
            text(
                f"truncate {', '.join(f'review.{name}' for name in DERIVED)},"
                " review.affiliate_daily, review.affiliate_monthly, review.affiliate_window,"
                " review.refreshes, review.work_daily, review.work_counted"
            )
        )


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The spans that were carried on instead of counted in full."""
    spans: list[Any] = []
    period = carried.period

    def noted(span: Any, policy: Policy) -> Any:
        spans.append(span)
        return period(span, policy)

    monkeypatch.setattr(carried, "period", noted)
    return spans


@pytest.mark.sampled
@pytest.mark.parametrize("seed", first_of(0, 1, 2))
def test_any_sequence_of_refreshes_equals_one_from_scratch(
    engine: Engine, counted: list[Any], seed: int
) -> None:
    world = World(engine, seed)
    with engine.begin() as conn:
        for id_ in AFFILIATES[:2]:
            add_application(conn, id_, status="approved")
            add_approval(conn, id_, datetime(2025, 12, 20, tzinfo=UTC), snapshot={})
            add_short_reach(conn, id_, date(2026, 2, 1))
    world.deliver(*(FIRST - timedelta(days=back) for back in range(60)))
    world.refresh()

    for _ in range(STEPS):
        world.step()
        assert everything(engine) == world.expected()

    assert len(counted) > STEPS // 6
    found = everything(engine), derived(engine)
    start_over(engine)
    world.refresh(world.refreshed)
    assert (everything(engine), derived(engine)) == found


def counted_anew(engine: Engine, **given: Any) -> list[Any]:
    """Return the rollups, after checking that a full count changes nothing."""
    refresh(engine, **given)
    found = everything(engine)
    refresh(engine, since=FIRST, **given)
    assert everything(engine) == found
    return found


def test_days_that_changed_while_the_rollups_were_behind_are_counted_anew(engine: Engine) -> None:
    day = T - timedelta(days=2)
    deliver(engine, *(Trade(day=T - timedelta(days=back)) for back in range(20)))
    refresh(engine)
    rollups.recount(engine, now=NOW)
    refresh(engine, through=T - timedelta(days=5))
    deliver(engine, Trade(day=day, user=2, volume="5000.00"))
    record_load(engine, day)
    refresh(engine, through=T - timedelta(days=5))
    refresh(engine)

    counted_anew(engine)

    assert in_window(engine, "top_user_volume_usd") == 5000


@pytest.mark.parametrize(
    ("setting", "value", "column", "counted"),
    first_of(
        ("window_kind", "calendar_month", "trading_days", 1),
        ("active_user_min_volume_usd", "150", "active_users", 1),
        ("new_user_must_trade", True, "new_users", 1),
    ),
)
def test_sums_of_another_policy_are_not_carried_on(
    engine: Engine, setting: str, value: Any, column: str, counted: int
) -> None:
    deliver(
        engine,
        Trade(day=date(2026, 2, 28), user=1, volume="100"),
        *(Trade(day=day, user=2, volume="100") for day in (T - ONE_DAY, T)),
        *(Referral(at=day_start(T - ONE_DAY), user=user) for user in (2, 3)),
    )
    refresh(engine, through=T - ONE_DAY)
    rollups.recount(engine, now=NOW)
    set_policy(engine, **{setting: value})

    counted_anew(engine)

    assert in_window(engine, column) == counted
