"""Generate an affiliate's referred users and their trading, day by day.

Shapes are computed in floats; the results are whole cents and millionths of a USD.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_access.demo.calendar import Calendar
from data_access.demo.plans import Pattern, Shape

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Monday to Sunday: relative trading and sign-ups.
WEEK = np.array([1.04, 1.10, 1.10, 1.08, 1.02, 0.68, 0.62])
MARKET_SWING, AFFILIATE_SWING, DAY_NOISE = 0.06, 0.12, 0.7
USER_SPREAD = 1.3
ROUND_TO_CENTS = 100_000
SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Market:
    """What all affiliates share: the rhythm of the week, and better and worse weeks."""

    week: Floats
    mood: Floats

    @classmethod
    def of(cls, calendar: Calendar, rng: np.random.Generator) -> "Market":
        """Return the market over the calendar's days."""
        weekdays = (np.arange(calendar.length) + calendar.first.weekday()) % 7
        return cls(WEEK[weekdays], drift(calendar.length, MARKET_SWING, 0.94, rng))


@dataclass(frozen=True, slots=True)
class Trading:
    """Referred users (rows) over the calendar's days (columns).

    ``signed_up`` holds seconds since the first day's midnight, negative before it. A day with
    ``trades`` above 0 is a row of activity, even if its volume is 0.
    """

    signed_up: Floats
    cents: Integers
    fees: Integers
    trades: Integers

    def measured(self, window: slice) -> tuple[int, int, int]:
        """Return volume in cents, active users and new users over the days of ``window``."""
        by_user = self.cents[:, window].sum(axis=1)
        day = np.floor_divide(self.signed_up, SECONDS_A_DAY)
        new = (window.start <= day) & (day < window.stop)
        return int(by_user.sum()), int((by_user > 0).sum()), int(new.sum())

    def fees_in(self, window: slice) -> int:
        """Return net fees over the days of ``window``, in millionths of a USD."""
        return int(self.fees[:, window].sum())


def drift(length: int, swing: float, memory: float, rng: np.random.Generator) -> Floats:
    """Return a first-order autoregressive series around 0; ``swing`` is the step's deviation."""
    steps = rng.normal(0, swing, length)
    level, series = steps[0] / np.sqrt(1 - memory**2), np.empty(length)
    for day, step in enumerate(steps):
        series[day] = level
        level = memory * level + step
    return series


def grow(shape: Shape, market: Market, calendar: Calendar, rng: np.random.Generator) -> Trading:
    """Generate the whole business of one affiliate."""
    if not shape.users:
        nothing = np.zeros((0, calendar.length), np.int64)
        return Trading(np.zeros(0), nothing, nothing, nothing)
    window = calendar.window(shape.anchor)
    signed_up = _sign_ups(shape, window, market, rng)
    alive, volume = _volume(shape, signed_up, market, rng)
    _settle_active(shape, window, signed_up, volume, rng)
    _bend(shape.pattern, window, volume, rng)
    cents = _in_cents(shape, window, volume)
    grown = Trading(signed_up, cents, _fees(shape.pattern, cents, rng), _trades(cents, rng))
    if shape.pattern is Pattern.ZERO_VOLUME_USER:
        _trade_nothing(grown, window, alive)
    if shape.pattern is Pattern.REFERRED_TODAY:
        grown = _with_a_user_of_today(grown)
    return grown


def _sign_ups(shape: Shape, window: slice, market: Market, rng: np.random.Generator) -> Floats:
    """Return when each user signed up, in seconds; the window has as many as the shape says."""
    days = np.arange(min(shape.first_day, len(market.week) - 1), len(market.week))
    towards = np.minimum(days, shape.anchor) - shape.anchor
    beyond = np.maximum(days - shape.anchor, 0)
    pull = np.exp((shape.growth * towards + shape.after * beyond) / 30)
    noise = np.exp(drift(len(days), 0.2, 0.8, rng))
    weights = pull * noise * market.week[days % 7]
    chosen = rng.choice(days, size=shape.users, p=weights / weights.sum())
    _make_room(chosen, shape, window, rng)
    new = chosen[: min(shape.new, shape.users)]
    new[:] = rng.integers(max(window.start, shape.opened), window.stop, len(new))
    if shape.pattern is Pattern.BURST:
        new[:] = window.stop - 9 + (rng.random(len(new)) < 0.3)
    seconds = chosen * float(SECONDS_A_DAY) + rng.integers(0, SECONDS_A_DAY, shape.users)
    if shape.pattern is Pattern.LAST_MOMENT:
        seconds[0] = window.stop * float(SECONDS_A_DAY) - 1e-6
    return seconds


def _make_room(chosen: Integers, shape: Shape, window: slice, rng: np.random.Generator) -> None:
    """Move sign-ups before the window: those in it if exact, those after it if too many."""
    moved = np.zeros(len(chosen), bool)
    if shape.exact:
        moved |= (window.start <= chosen) & (chosen < window.stop)
    late = np.flatnonzero(chosen >= window.stop)
    moved[late[: max(0, shape.active - (len(chosen) - len(late)))]] = True
    if moved.any():
        first = min(shape.first_day, window.start - 1)
        chosen[moved] = rng.integers(first, window.start, int(moved.sum()))


def _volume(
    shape: Shape, signed_up: Floats, market: Market, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], Floats]:
    """Return who is a user on which day, and an unscaled volume for the days they trade."""
    days = np.arange(len(market.week))
    since = np.floor_divide(signed_up, SECONDS_A_DAY)[:, None]
    life = np.where(rng.random(shape.users) < 0.15, 2_000, 8 + rng.exponential(110, shape.users))
    alive = (since <= days) & (days < since + life[:, None])
    appetite = rng.beta(1.6, 3.4, shape.users)[:, None] * np.sqrt(market.week)
    trades = alive & (rng.random(alive.shape) < appetite)
    size = rng.lognormal(0, USER_SPREAD, shape.users)[:, None]
    trend = (np.minimum(days, shape.anchor) - shape.anchor) * shape.growth * 0.4
    trend = (trend + np.maximum(days - shape.anchor, 0) * shape.after) / 30
    level = np.exp(trend + market.mood + drift(len(days), AFFILIATE_SWING, 0.93, rng))
    volume = np.where(trades, size * (level * market.week), 0.0)
    volume[trades] *= rng.lognormal(0, DAY_NOISE, int(trades.sum()))
    return alive, volume


def _settle_active(
    shape: Shape,
    window: slice,
    signed_up: Floats,
    volume: Floats,
    rng: np.random.Generator,
) -> None:
    """Give the window as many active users as the shape says."""
    wanted = min(shape.active, shape.users)
    first_day = np.floor_divide(signed_up, SECONDS_A_DAY).astype(int)
    inside = volume[:, window]
    active = inside.sum(axis=1) > 0
    able = np.flatnonzero((first_day < window.stop) & ~active)
    for user in rng.permutation(able)[: max(0, wanted - int(active.sum()))]:
        start = max(first_day[user], window.start)
        days = rng.integers(start, window.stop, int(rng.integers(1, 7)))
        volume[user, days] = rng.lognormal(0, 1, len(days))
    if shape.exact:
        surplus = rng.permutation(np.flatnonzero(active))[wanted:]
        volume[surplus, window] = 0


def _bend(pattern: Pattern | None, window: slice, volume: Floats, rng: np.random.Generator) -> None:
    """Make the activity unusual as the pattern says; who trades when stays."""
    inside = volume[:, window]
    ranked = np.argsort(-inside.sum(axis=1))
    if pattern is Pattern.ONE_USER:
        volume[ranked[0]] *= 24 * inside.sum() / max(inside[ranked[0]].sum(), 1e-9)
    elif pattern is Pattern.BURST:
        totals = inside.sum(axis=1, keepdims=True)
        alike = rng.uniform(0.9, 1.1, totals.shape)
        np.divide(inside * alike, totals, out=inside, where=totals > 0)
    elif pattern is Pattern.MIRRORED:
        for one, other in zip(ranked[0:6:2], ranked[1:6:2], strict=True):
            days = np.flatnonzero(rng.random(inside.shape[1]) < 0.6)
            inside[one] = 0
            inside[one, days] = 8 * rng.lognormal(2, 0.5, len(days))
            inside[other] = inside[one] * rng.uniform(0.996, 1.0, inside.shape[1])
    elif pattern is Pattern.SPIKE:
        day = inside[:, -12]
        if day.sum() == 0:
            day[ranked[0]] = 1.0
        day *= 1.6 * (inside.sum() - day.sum()) / day.sum()
    elif pattern is Pattern.PADDED:
        volume[ranked[6:]] *= 1e-5


def _in_cents(shape: Shape, window: slice, volume: Floats) -> Integers:
    """Scale to the shape's volume in the window, to the cent if it must be exact."""
    total = volume[:, window].sum()
    scale = 20_000_000.0 if shape.volume is None or not total else shape.volume / total
    cents = np.where(volume > 0, np.maximum(1, np.rint(volume * scale)), 0).astype(np.int64)
    if shape.pattern is Pattern.ROUND:
        return -(-cents // ROUND_TO_CENTS) * ROUND_TO_CENTS
    if shape.exact and shape.volume and total:
        inside = cents[:, window]
        user, day = np.unravel_index(inside.argmax(), inside.shape)
        inside[user, day] += shape.volume - int(inside.sum())
    return cents


def _fees(pattern: Pattern | None, cents: Integers, rng: np.random.Generator) -> Integers:
    """Return net fees in millionths of a USD: 1.5 to 6 basis points, some maker rebates."""
    tenths = rng.integers(15, 60, len(cents))
    tenths[rng.random(len(cents)) < 0.03] = -3
    # A cent at one basis point is one millionth of a USD.
    fees: Integers = cents * tenths[:, None] // 10
    if pattern is Pattern.ZERO_FEE:
        fees[rng.random(fees.shape) < 0.8] = 0
    return fees


def _trades(cents: Integers, rng: np.random.Generator) -> Integers:
    trades = np.zeros_like(cents)
    traded = cents > 0
    trades[traded] = 1 + rng.poisson(0.4 + np.log1p(cents[traded] / 300_000))
    return trades


def _trade_nothing(grown: Trading, window: slice, alive: NDArray[np.bool_]) -> None:
    idle = np.flatnonzero(grown.cents[:, window].sum(axis=1) == 0)
    user = max(idle, key=lambda user: int(alive[user].sum()))
    grown.trades[user, window.stop - 10 : window.stop - 7] = 1


def _with_a_user_of_today(grown: Trading) -> Trading:
    days = grown.cents.shape[1]
    nothing = np.zeros((1, days), np.int64)
    return Trading(
        np.append(grown.signed_up, days * float(SECONDS_A_DAY)),
        np.vstack([grown.cents, nothing]),
        np.vstack([grown.fees, nothing]),
        np.vstack([grown.trades, nothing]),
    )
