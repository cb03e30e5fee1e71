"""A small program of affiliates, written as rows, refreshed and measured as the product does.

Volume outside of the affiliates under test fills every day up to `market`: a thousand million USD a
day, and twice that in the last 30 days. So shares of the program are known, and an affiliate that
grew with the market has not changed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from data_access import rollups
from data_access.db import partitions
from data_access.risk import measuring
from program.risk import judging
from program.risk.judging import Measured
from tests.builders import T, add_account, add_application, add_evidence
from tests.data_access.affiliate_months import add_approval

# What builds an affiliate, what measures it in plain Python, and the severity worked out by hand.
Case = tuple[Callable[["World"], int], Callable[["World", int], Any], str]
UNKNOWN, CLEAR, WARN, HIGH = "not_enough_data", "clear", "warn", "high"
TERMINATE = text(
    "insert into review.affiliate_standings (account_id, status, since, changed_by, reason_code, "
    "reason, misses) values (:id, 'terminated', now(), 'ana@example.com', 'other', '', 0)"
)
FIRST = 7_000
OTHERS = 6_999
USD = Decimal("0.01")


@dataclass(frozen=True, kw_only=True)
class Trade:
    """A user's day."""

    affiliate: int
    user: int
    day: date
    volume: Decimal
    fees: Decimal


@dataclass(frozen=True, kw_only=True)
class Affiliate:
    """An affiliate under test, and when it applied or was approved."""

    id: int
    applied_on: date
    approved_on: date | None
    given: dict[str, Any]


@dataclass(kw_only=True)
class World:
    """Rows to write; days are counted back from T, 0 is T."""

    through: date = T
    step: int = 2
    affiliates: list[Affiliate] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)
    referrals: list[tuple[int, int, datetime]] = field(default_factory=list)
    evidence: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    terminated: list[int] = field(default_factory=list)
    rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    _users: Iterator[int] = field(default_factory=lambda: iter(range(1_000_000, 9_000_000)))

    def day(self, back: int) -> date:
        return self.through - timedelta(days=back)

    @property
    def now(self) -> datetime:
        return datetime.combine(self.through + timedelta(days=1), time(9), tzinfo=UTC)

    def add(
        self,
        *,
        applied: int = -1,
        approved: int | None = None,
        new: Iterable[int] = (400,),
        **given: Any,
    ) -> int:
        """Add an affiliate that applied, or was approved, so many days before T."""
        id_ = FIRST + len(self.affiliates)
        approved_on = None if approved is None else self.day(approved)
        self.affiliates.append(
            Affiliate(id=id_, applied_on=self.day(applied), approved_on=approved_on, given=given)
        )
        for back in new:
            self.refer(id_, back)
        return id_

    def user(self) -> int:
        return next(self._users)

    def refer(self, affiliate: int, back: int, *, user: int | None = None) -> int:
        user = user or self.user()
        at = datetime.combine(self.day(back), time(12), tzinfo=UTC)
        self.referrals.append((affiliate, user, at))
        return user

    def trade(
        self, affiliate: int, back: int, volume: Any, *, user: int = 1, fees: Any = "1"
    ) -> None:
        """Let a user trade, by default one that all trades of the affiliate share."""
        user = affiliate if user == 1 else user
        self.trades.append(
            Trade(
                affiliate=affiliate,
                user=user,
                day=self.day(back),
                volume=Decimal(volume).quantize(USD),
                fees=Decimal(fees),
            )
        )

    def saw(self, affiliate: int, back: float, value: Any, method: str, **given: Any) -> None:
        """Record evidence that was observed so many days before T."""
        at = datetime.combine(self.through, time(12), tzinfo=UTC) - timedelta(days=back)
        self.evidence.append(
            (affiliate, {"observed_at": at, "value": value, "method": method, **given})
        )

    def market(self, day: date) -> Decimal:
        """The program's volume of a day."""
        return Decimal(10) ** 9 * (self.step if (self.through - day).days < 30 else 1)

    def of(self, affiliate: int) -> list[Trade]:
        return [trade for trade in self.trades if trade.affiliate == affiliate]

    def daily(self, affiliate: int) -> dict[date, Decimal]:
        sums: dict[date, Decimal] = defaultdict(Decimal)
        for trade in self.of(affiliate):
            sums[trade.day] += trade.volume
        return {day: volume for day, volume in sums.items() if volume}

    def shares(self, affiliate: int, start: int, end: int) -> dict[date, Decimal]:
        """The shares of the program's volume from ``start`` to ``end`` days before T."""
        return {
            day: volume / self.market(day)
            for day, volume in self.daily(affiliate).items()
            if self.day(start) <= day <= self.day(end)
        }

    def share_of(self, affiliate: int, start: date, days: int = 30) -> Decimal:
        """The share of the program's volume of ``days`` days."""
        span = [start + timedelta(days=n) for n in range(days)]
        daily = self.daily(affiliate)
        return sum((daily.get(day, Decimal(0)) for day in span), Decimal(0)) / sum(
            self.market(day) for day in span
        )

    def measure(self, engine: Engine, *, fill: int = 200) -> None:
        """Write, refresh and measure; ``fill`` days are filled up to the market."""
        self._fill_up(fill)
        with engine.begin() as conn:
            for one in self.affiliates:
                self._write(conn, one)
            for id_, seen in self.evidence:
                add_evidence(conn, id_, **seen)
            for id_ in self.terminated:
                conn.execute(TERMINATE, {"id": id_})
            days = [trade.day for trade in self.trades]
            partitions.ensure_months(conn, min(days), max(days))
            cursor = conn.connection.cursor()
            with cursor.copy("copy exchange.referral_activity from stdin") as copy:  # type: ignore[attr-defined]
                for t in self.trades:
                    copy.write_row((t.affiliate, t.user, t.day, t.volume, t.fees, 1))
            with cursor.copy("copy exchange.referrals from stdin") as copy:  # type: ignore[attr-defined]
                for row in self.referrals:
                    copy.write_row(row)
        rollups.refresh(engine, now=self.now, risk=None)
        measuring.measure(engine, now=self.now)
        with engine.connect() as conn:
            found = conn.execute(text("select * from review.risk_measures")).mappings()
            self.rows = {row["account_id"]: dict(row) for row in found}

    def _fill_up(self, days: int) -> None:
        sums: dict[date, Decimal] = defaultdict(Decimal)
        for trade in self.trades:
            sums[trade.day] += trade.volume
        for back in range(days):
            rest = self.market(self.day(back)) - sums[self.day(back)]
            if self.market(self.day(back)):
                assert rest > 0
                self.trade(OTHERS, back, rest)

    def _write(self, conn: Any, one: Affiliate) -> None:
        submitted = datetime.combine(one.applied_on, time(8), tzinfo=UTC)
        status = "pending" if one.approved_on is None else "approved"
        given = {"submitted_at": submitted, "status": status, **one.given}
        if given.pop("account_only", False):
            add_account(conn, one.id)
            return
        add_application(conn, one.id, **given)
        if one.approved_on is not None:
            add_approval(conn, one.id, datetime.combine(one.approved_on, time(8), tzinfo=UTC))

    def value(self, affiliate: int, signal: str) -> tuple[Any, Any]:
        """The measured value and sample."""
        row = self.rows[affiliate]
        return row[signal.lower()], row.get(f"{signal.lower()}_sample")

    def severity(self, affiliate: int, signal: str) -> str:
        """What the signal says."""
        value, sample = self.value(affiliate, signal)
        risk = judging.judge({signal: Measured(value=value, sample=sample)}, {})
        return next(str(one.severity) for one in risk.results if one.signal.id == signal)

    def check(self, affiliate: int, name: str, case: Case) -> None:
        """Compare with the case's oracle, which gives a value, or a value and a sample."""
        _, oracle, severity = case
        signal = name[:3]
        expected = oracle(self, affiliate)
        if not isinstance(expected, tuple):
            expected = (expected, None)
        value, sample = self.value(affiliate, signal)
        if expected[0] is None:
            assert value is None
        else:
            assert value is not None
            assert float(value) == pytest.approx(float(expected[0]), abs=1.1e-6)
        assert sample == expected[1]
        assert self.severity(affiliate, signal) == severity
