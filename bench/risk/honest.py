"""Honest affiliates: heavy-tailed users, clumped sign-ups, a market that moves.

Everything that a row needs is drawn; what the figures assume of honest people is stated here.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DAYS = 120
MONTH = 30
HOURS = 24
SIZES = (15, 30, 100)
MARKETS = (0.5, 1.0, 2.0, 3.0)
COUNTRIES = np.array(
    ["DE", "FR", "GB", "US", "BR", "TR", "VN", "IN", "ID", "NG", "KR", "JP", "UA", "PL", "ES", "IT"]
)
DOMAINS = np.array(["gmail.com", "outlook.com", "yahoo.com", "proton.me", "icloud.com"])
SYLLABLES = np.array(
    [
        "an",
        "ba",
        "ca",
        "do",
        "el",
        "fi",
        "go",
        "ha",
        "in",
        "jo",
        "ka",
        "li",
        "mo",
        "na",
        "or",
        "pe",
        "ri",
        "sa",
        "ti",
        "vu",
    ]
)
# Sign-ups of a day are negative binomial with this size: a post brings several at once.
CLUMPING = 0.7
EVER_TRADES = 0.65
SAME_DAY = 0.35
LIFETIME_DAYS = 70
# Of users older than the simulated days: those who still trade on the last of them.
STAYS = 0.8
DAILY_SPREAD = 0.8
MOST_UNVERIFIED = 0.1


@dataclass(kw_only=True)
class Users:
    """Users of one affiliate: facts by user, and users by days; days count from 0, may be less."""

    referred: Floats
    created: Floats
    volume: Floats
    fees: Floats
    trades: NDArray[np.int64]
    country: NDArray[Any]
    kyc: NDArray[Any]
    email: NDArray[Any]
    home: str
    own_email: str
    followers: Floats

    def __len__(self) -> int:
        return len(self.referred)

    @property
    def total(self) -> float:
        """The volume of the last 30 days."""
        return float(self.volume[:, -MONTH:].sum())


def market(rng: Generator, times: float) -> Floats:
    """Return the program's daily level: to ``times`` over the last 90 days, with weeks and noise."""
    rise = np.clip((np.arange(DAYS) - (DAYS - 90)) / 90, 0, 1)
    weekend = np.where(np.arange(DAYS) % 7 >= 5, 0.75, 1.0)
    return times**rise * weekend * np.exp(rng.normal(0, 0.15, DAYS))


def affiliate(rng: Generator, size: int, level: Floats) -> Users:
    """Return an affiliate with ``size`` active users in the last 30 days."""
    fresh = _sign_ups(rng, size, level)
    old = -rng.uniform(0, 360, 2 * size)
    referred = np.concatenate([fresh, np.sort(old)])
    trading = _trading(rng, referred)
    keep = _keep(trading, len(fresh), size)
    referred, trading = referred[keep], trading[keep]
    return dressed(rng, referred, _volumes(rng, trading, level))


def _sign_ups(rng: Generator, size: int, level: Floats) -> Floats:
    """Return the days, with their hour, on which users signed up."""
    mean = max(7.0, 0.3 * size) / MONTH * np.sqrt(level / level.mean())
    counts = rng.poisson(mean * rng.gamma(CLUMPING, 1 / CLUMPING, DAYS))
    hours = np.clip(rng.normal(14, 5, counts.sum()), 0, HOURS - 0.1)
    return np.repeat(np.arange(DAYS), counts) + hours / HOURS


def _trading(rng: Generator, referred: Floats) -> NDArray[np.bool_]:
    """Return on which days each user trades: from the first trade until they leave."""
    n = len(referred)
    delay = np.where(rng.random(n) < SAME_DAY, 0, rng.geometric(0.2, n))
    first = np.floor(referred) + delay
    old = referred < 0
    leaves = np.where(
        old,
        np.where(rng.random(n) < STAYS, DAYS, rng.uniform(0, DAYS, n)),
        first + 1 + rng.exponential(LIFETIME_DAYS, n),
    )
    leaves = np.where(rng.random(n) < EVER_TRADES + (1 - EVER_TRADES) * old, leaves, -1)
    often = rng.beta(1.2, 2.2, n)[:, None]
    days = np.arange(DAYS)
    inside = (days >= first[:, None]) & (days < leaves[:, None])
    drawn = rng.random((n, DAYS)) < often
    # Who comes to trade trades on the first day.
    return inside & (drawn | (days == first[:, None]))


def _keep(trading: NDArray[np.bool_], fresh: int, size: int) -> NDArray[np.bool_]:
    """Keep as many of the active users as there shall be, and of the others in proportion."""
    active = trading[:, -MONTH:].any(axis=1)
    keep = np.ones(len(trading), bool)
    keep[np.flatnonzero(active)[size:]] = False
    idle = np.flatnonzero(~active & (np.arange(len(trading)) >= fresh))
    keep[idle[size // 2 :]] = False
    return keep


def _volumes(rng: Generator, trading: NDArray[np.bool_], level: Floats) -> Floats:
    sigma = rng.uniform(1.0, 2.0)
    users = np.exp(rng.normal(0, sigma, len(trading)))[:, None]
    volume = trading * users * level * np.exp(rng.normal(0, DAILY_SPREAD, trading.shape))
    month = 20e6 * 10 ** rng.uniform(0.0, 0.8)
    return np.round(volume * month / volume[:, -MONTH:].sum(), 2)


def dressed(rng: Generator, referred: Floats, volume: Floats) -> Users:
    """Return users with these sign-ups and volumes, and everything else about them drawn."""
    n = len(referred)
    home = str(rng.choice(COUNTRIES))
    audience = home if rng.random() < 0.85 else str(rng.choice(COUNTRIES))
    at_home = rng.random(n) < rng.beta(4, 3)
    followers = 5_000 * 10 ** rng.uniform(0, 1.2) * np.exp(rng.normal(0, 0.01, 3))
    return Users(
        referred=referred,
        created=referred - rng.exponential(0.02, n) - np.where(rng.random(n) < 0.1, 5, 0),
        volume=volume,
        fees=_fees(rng, volume),
        trades=_trades(rng, volume),
        country=np.where(at_home, audience, rng.choice(COUNTRIES, n)),
        kyc=_kyc(rng, volume),
        email=emails(rng, n),
        home=home,
        own_email=str(emails(rng, 1)[0]),
        followers=np.round(followers),
    )


def _fees(rng: Generator, volume: Floats) -> Floats:
    """Return fees of one to five hundredths of a percent; a few makers pay none on most days."""
    rate = rng.uniform(1e-4, 5e-4, len(volume))[:, None]
    free = np.where(rng.random(len(volume)) < 0.01, 0.6, 0.02)[:, None]
    fees = volume * rate * np.where(rng.random(volume.shape) < free, -0.05, 1.0)
    return np.round(fees, 6)


def _trades(rng: Generator, volume: Floats) -> NDArray[np.int64]:
    ticket = np.exp(rng.normal(6, 1.0, len(volume)))[:, None] * np.exp(
        rng.normal(0, 0.4, volume.shape)
    )
    trades: NDArray[np.int64] = np.clip(np.ceil(volume / ticket), 1, 2e9).astype(np.int64)
    return trades


def _kyc(rng: Generator, volume: Floats) -> NDArray[Any]:
    """Return states of verification; exchanges limit what unverified accounts may trade."""
    sums = volume.sum(axis=1)
    rank = sums.argsort().argsort() / max(len(sums), 1)
    unverified = rng.random(len(sums)) < MOST_UNVERIFIED * (rank < 0.7)
    return np.where(unverified, rng.choice(["none", "pending"], len(sums)), "verified")


def emails(rng: Generator, n: int) -> NDArray[Any]:
    """Return addresses of unrelated people: names of four syllables, some with a year."""
    if not n:
        return np.array([], dtype=object)
    parts = rng.choice(SYLLABLES, (n, 5))
    years = np.where(rng.random(n) < 0.3, rng.integers(60, 99, n).astype(str), "")
    names = ["".join(row) for row in parts]
    at = rng.choice(DOMAINS, n)
    return np.array([f"{a}{y}@{d}" for a, y, d in zip(names, years, at, strict=True)], dtype=object)
