"""Affiliates with users who trade, as rows in Python; what measures them reads these, not SQL."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from sqlalchemy import Connection, Engine, insert

from data_access import rollups
from data_access.db import partitions, tables
from program.periods import ONE_DAY
from tests.builders import add_account, add_application
from tests.data_access.affiliate_months import add_approval

CENT = Decimal("0.01")
FEE_RATE = Decimal("0.0005")


@dataclass(frozen=True, kw_only=True)
class Day:
    """A user's day; ``back`` is how many days before T."""

    back: int
    volume: Decimal
    fees: Decimal
    trades: int = 3


@dataclass(frozen=True, kw_only=True)
class User:
    """A referred user; ``referred`` is how many days before T, ``None`` if there is no referral."""

    id: int
    referred: int | None = 200
    days: tuple[Day, ...] = ()
    is_known: bool = True
    kyc: str = "verified"
    country: str | None = "BR"
    email: str | None = None
    created_at: datetime = datetime(2020, 1, 1, tzinfo=UTC)

    def on(self, *days: Day) -> "User":
        return replace(self, days=(*self.days, *days))


@dataclass(frozen=True, kw_only=True)
class Affiliate:
    """An affiliate under test; with a rate it is approved."""

    id: int
    users: tuple[User, ...]
    country: str | None = "BR"
    email: str | None = "owner@mail.example"
    rate: Decimal | None = None
    in_scope: bool = True


def traded(volume: Any, *, back: int = 5, fees: Any = None, trades: int = 3) -> Day:
    """A day of trading, with the usual fee."""
    exact = Decimal(volume).quantize(CENT)
    fee = exact * FEE_RATE if fees is None else Decimal(fees)
    return Day(back=back, volume=exact, fees=fee.quantize(Decimal("0.000001")), trades=trades)


@dataclass(kw_only=True)
class World:
    """Everybody, and the last day."""

    through: date
    affiliates: list[Affiliate] = field(default_factory=list)
    _ids: Iterator[int] = field(default_factory=lambda: count(100_000))

    def user(self, *days: Day, **given: Any) -> User:
        """A user with an address, and an hour of creation, that nobody else has."""
        id_ = next(self._ids)
        letters = "".join(chr(ord("a") + int(digit)) for digit in str(id_))
        given.setdefault("email", f"{letters}@mail.example")
        given.setdefault("created_at", datetime(2019, 1, 1, tzinfo=UTC) + id_ * timedelta(hours=3))
        return User(id=id_, days=days, **given)

    def users(self, volumes: Iterable[Any], **given: Any) -> list[User]:
        """Users who traded these volumes on one day."""
        return [self.user(traded(volume), **given) for volume in volumes]

    def add(self, users: Iterable[User], **given: Any) -> int:
        """Add an affiliate of these users."""
        id_ = next(self._ids)
        self.affiliates.append(Affiliate(id=id_, users=tuple(users), **given))
        return id_

    def day(self, back: int) -> date:
        return self.through - timedelta(days=back)

    def at(self, back: int) -> datetime:
        return datetime.combine(self.day(back), time(12), tzinfo=UTC)

    @property
    def now(self) -> datetime:
        return datetime.combine(self.through + ONE_DAY, time(9), tzinfo=UTC)

    def write(self, engine: Engine) -> None:
        """Write the rows, and refresh; that measures, too."""
        self.write_rows(engine)
        rollups.refresh(engine, now=self.now)

    def write_rows(self, engine: Engine) -> None:
        with engine.begin() as conn:
            for one in self.affiliates:
                self._write_affiliate(conn, one)
            self._write_facts(conn)

    def _write_affiliate(self, conn: Connection, one: Affiliate) -> None:
        account = {"country_code": one.country, "email": one.email, "username": "<b>&</b>"}
        if not one.in_scope:
            add_account(conn, one.id, **account)
            return
        submitted = {"submitted_at": self.at(40), "social_handle": "@<script>alert(1)</script>"}
        status = "approved" if one.rate else "pending"
        add_application(conn, one.id, account=account, status=status, **submitted)
        if one.rate:
            add_approval(conn, one.id, self.at(20), rebate_rate=one.rate)

    def _write_facts(self, conn: Connection) -> None:
        accounts, referrals, activity = [], [], []
        for one in self.affiliates:
            for user in one.users:
                if user.is_known and user.id != one.id:
                    accounts.append(
                        {"account_id": user.id, "username": f"u{user.id}", "email": user.email,
                         "country_code": user.country, "kyc_status": user.kyc,
                         "created_at": user.created_at}
                    )  # fmt: skip
                if user.referred is not None:
                    referrals.append((one.id, user.id, self.at(user.referred)))
                activity += [
                    (one.id, self.day(d.back), user.id, d.volume, d.fees, d.trades)
                    for d in user.days
                ]
        conn.execute(insert(tables.accounts), accounts)
        partitions.ensure_months(conn, min(a[1] for a in activity), self.through)
        cursor: Any = conn.connection.cursor()
        for columns, rows in (
            ("referrals", referrals),
            ("referral_activity (affiliate_account_id, activity_date, referred_account_id,"
             " volume_usd, fees_usd, trade_count)", activity),
        ):  # fmt: skip
            with cursor.copy(f"copy exchange.{columns} from stdin") as copy:
                for row in rows:
                    copy.write_row(row)
