"""The signals about users, in plain Python over the rows of `World`: value and sample of each."""

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from program.periods import Window
from program.policy.policy import Policy
from tests.data_access.risk.users_world import Affiliate, Day, User, World

MILLION = Decimal(1_000_000)
# A value and a sample; ``None``: not measured, or without a sample.
Found = tuple[Any, Any]


class Oracle:
    """What is true of one affiliate."""

    def __init__(self, world: World, one: Affiliate, policy: Policy, month: Window) -> None:
        self.world, self.one, self.policy, self.month = world, one, policy, month
        self.users = one.users
        self.active = [user for user in self.users if self.is_active(volume(user))]
        self.total = sum(map(volume, self.users), Decimal(0))
        self.is_large = self.total >= MILLION

    def is_active(self, amount: Decimal) -> bool:
        floor = self.policy.active_user_min_volume_usd
        return amount >= floor if floor else amount > 0

    def share(self, users: Iterable[User]) -> Any:
        return sum(map(volume, users), Decimal(0)) / self.total

    # Concentration

    def r01(self) -> Found:
        top = max(map(volume, self.users), default=Decimal(0))
        return (top / self.total if self.is_large else None), len(self.active)

    def r02(self) -> Found:
        squares = sum(volume(user) ** 2 for user in self.users)
        return (squares / self.total**2 if self.is_large else None), len(self.active)

    def r04(self) -> Found:
        return sum(volume(user) >= 1000 for user in self.users), len(self.active)

    def r26(self) -> Found:
        return spread(math.log(volume(user)) for user in self.active), len(self.active)

    # Acquisition

    def r10(self) -> Found:
        oldest = max((u.referred for u in self.users if u.referred is not None), default=0)
        known = oldest > 90 and self.total
        return (self.share(filter(is_new, self.users)) if known else None), len(self.active)

    def r11(self) -> Found:
        tried = [
            u for u in self.users if u.referred in range(14, 91) and trading_days(u, range(91))
        ]
        once = [u for u in tried if len(trading_days(u, range(91))) == 1]
        return part(once, tried)

    def r12(self) -> Found:
        earlier = [u for u in self.users if u.referred is not None and u.referred >= 30]
        return part([u for u in earlier if not volume(u)], earlier)

    def r13(self) -> Found:
        woken = [
            u
            for u in self.active
            if u.referred is not None and u.referred >= 90 and not volume(u, range(30, 90))
        ]
        return part(woken, self.active)

    def r20(self) -> Found:
        traders = [u for u in self.users if is_new(u) and trading_days(u, range(91))]
        same = [u for u in traders if max(trading_days(u, range(91))) == u.referred]
        return part(same, traders)

    # Economics

    def r18(self) -> Found:
        days = [d for one in self.world.affiliates for u in one.users for d in within(u)]
        program = sum(d.fees for d in days) / sum(d.volume for d in days)
        return (self.fees() / self.total / program if self.is_large else None), None

    def fees(self, *, positive: bool = False) -> Decimal:
        found = [d.fees for u in self.users for d in within(u) if d.fees > 0 or not positive]
        return sum(found, Decimal(0))

    def r19(self) -> Found:
        free = sum(d.volume for u in self.users for d in within(u) if d.fees <= 0)
        return (free / self.total if self.is_large else None), None

    def r29(self) -> Found:
        if not self.is_large:
            return None, None
        rate = self.one.rate or self.policy.max_rebate_rate
        net = self.fees()
        return (rate * self.fees(positive=True) / net if net > 0 else 1), None

    def r33(self) -> Found:
        known = [u for u in self.users if u.is_known]
        of = sum(map(volume, known), Decimal(0))
        unverified = sum((volume(u) for u in known if u.kyc != "verified"), Decimal(0))
        return (unverified / of if of >= MILLION else None), None

    # Origins

    def r23(self) -> Found:
        address = form(self.one.email)
        addresses = [form(u.email) for u in self.users if u.is_known]
        own = [u for u in self.users if u.id == self.one.id]
        if address:
            own += [u for u in self.users if u.is_known and form(u.email) == address]
        if own:
            return max(self.share(own) if self.total else Decimal(0), Decimal("0.000001")), None
        return (0 if address and any(addresses) else None), None

    def r31(self) -> Found:
        recent = [u for u in self.users if u.is_known and u.referred in range(90)]
        hours = Counter(u.created_at.replace(minute=0, second=0, microsecond=0) for u in recent)
        return largest(hours, len(recent)), len(recent)

    def r32(self) -> Found:
        counting = [
            u
            for u in self.users
            if u.is_known and form(u.email) and (self.is_active(volume(u)) or is_new(u))
        ]
        local = Counter(family(u.email) for u in counting)
        local.pop(None, None)
        elsewhere = {
            domain(u.email)
            for one in self.world.affiliates
            for u in one.users
            if one is not self.one and u.is_known and u.referred is not None
        }
        domains = Counter(d for u in counting if (d := domain(u.email)) not in elsewhere)
        sizes = [n for n in local.values() if n >= 2] + [n for n in domains.values() if n >= 3]
        return (max(sizes, default=0) / len(counting) if counting else None), len(counting)

    def r34(self) -> Found:
        countries = Counter(u.country for u in self.active if u.is_known and u.country)
        located = sum(countries.values())
        if not self.one.country or not located:
            return None, located
        most = max(countries.values())
        home = countries[self.one.country] == most
        return (0 if home else most / located), located

    # Days

    def r16(self) -> Found:
        days = [(u.id, d.volume) for u in self.users for d in within(u) if d.volume]
        repeats = Counter(days)
        unusual = [one for one in days if one[1] % 1000 == 0 or repeats[one] >= 3]
        return part(unusual, days)

    def r17(self) -> Found:
        days = [d.volume for u in self.users for d in within(u, range(90)) if d.volume]
        wide = spread(math.log(v) for v in days)
        digits = Counter(f"{v:f}".lstrip("0.")[0] for v in days)
        off = [
            abs(digits[str(n)] / len(days) - math.log10(1 + 1 / n)) for n in range(1, 10) if days
        ]
        return (sum(off) / 9 if wide and wide >= 1.2 and len(days) >= 2000 else None), len(days)

    def r27(self) -> Found:
        days = [d for u in self.users for d in within(u) if d.volume and d.trades]
        same = max(Counter(d.trades for d in days).values(), default=0)
        found = spread(math.log(float(d.volume) / d.trades) for d in days)
        halved = found is not None and 2 * same > len(days)
        return (found / 2 if halved else found), len(days)

    # The criteria without some users

    def variants(self) -> dict[str, Any]:
        of = dict.fromkeys(self.users, Decimal(0)) | {u: self._month(u) for u in self.users}
        fee_bearing = {u: self._month(u, positive=True) for u in self.users}
        ranked = sorted(self.users, key=lambda u: (-of[u], u.id))
        top = [u for u in ranked[:1] if of[u]]
        return {
            **self._criteria("without_top", {u: v for u, v in of.items() if u not in top}),
            **self._criteria("without_small", {u: v for u, v in of.items() if v >= 1000}),
            **self._criteria("fee_bearing", fee_bearing),
        }

    def _month(self, user: User, *, positive: bool = False) -> Decimal:
        days = [d for d in user.days if self._day(d.back) in self.month]
        return sum((d.volume for d in days if d.fees > 0 or not positive), Decimal(0))

    def _day(self, back: int) -> date:
        return self.world.day(back)

    def _criteria(self, name: str, of: dict[User, Decimal]) -> dict[str, Any]:
        new = [u for u in of if u.referred is not None and self._day(u.referred) in self.month]
        if self.policy.new_user_must_trade:
            new = [u for u in new if of[u]]
        return {
            f"{name}_volume_usd": sum(of.values(), Decimal(0)),
            f"{name}_active_users": sum(map(self.is_active, of.values())),
            f"{name}_new_users": len(new),
        }


SIGNALS: dict[str, Callable[[Oracle], Found]] = {
    name.upper(): getattr(Oracle, name) for name in vars(Oracle) if name[1:].isdigit()
}


def within(user: User, backs: range = range(30)) -> list[Day]:
    return [day for day in user.days if day.back in backs]


def volume(user: User, backs: range = range(30)) -> Decimal:
    return sum((day.volume for day in within(user, backs)), Decimal(0))


def trading_days(user: User, backs: range) -> set[int]:
    return {day.back for day in within(user, backs) if day.volume}


def is_new(user: User) -> bool:
    return user.referred is not None and 0 <= user.referred < 30


def part(some: list[Any], every: list[Any]) -> Found:
    return (len(some) / len(every) if every else None), len(every)


def largest(counts: Counter[datetime], of: int) -> float | None:
    return max(counts.values()) / of if of else None


def spread(logs: Iterable[float]) -> float | None:
    found = list(logs)
    return statistics.stdev(found) if len(found) > 1 else None


def domain(email: str | None) -> str | None:
    return email.partition("@")[2].lower() or None if email else None


def form(email: str | None) -> str | None:
    """The address without plus part and dots."""
    if not email or not domain(email):
        return None
    local = email.partition("@")[0].lower().partition("+")[0].replace(".", "")
    return f"{local}@{domain(email)}"


def family(email: str | None) -> str | None:
    local = (form(email) or "").partition("@")[0].rstrip("0123456789")
    return f"{local}@{domain(email)}" if local else None
