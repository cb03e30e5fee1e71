"""Planted fraud: an affiliate of honest users, and what somebody did to qualify."""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.random import Generator

from bench.risk.honest import DAYS, MONTH, Floats, Users, affiliate, dressed

Plan = Callable[[Generator, Floats], Users]


@dataclass(frozen=True, slots=True, kw_only=True)
class Archetype:
    """One way to cheat, and the signal meant for it."""

    name: str
    signal: str
    plan: Plan


def base(rng: Generator, level: Floats) -> Users:
    return affiliate(rng, int(rng.choice([15, 30])), level)


def joined(users: Users, more: Users) -> Users:
    """Return both together, as the first's affiliate."""
    parts = {
        one.name: np.concatenate([getattr(users, one.name), getattr(more, one.name)])
        for one in fields(Users)
        if one.name not in ("home", "own_email", "followers")
    }
    return Users(**parts, home=users.home, own_email=users.own_email, followers=users.followers)


def accounts(rng: Generator, n: int, referred: Floats, volume: Floats) -> Users:
    """Return ``n`` accounts of the cheater, dressed like others."""
    assert volume.shape == (n, DAYS)
    return dressed(rng, referred, np.round(volume, 2))


def days_on(rng: Generator, n: int, share: float, first: int = DAYS - MONTH) -> Floats:
    """Return ones on a share of the days from ``first`` on."""
    return (rng.random((n, DAYS)) < share) * (np.arange(DAYS) >= first)


def self_referral_ring(rng: Generator, level: Floats) -> Users:
    """Trade through one's own accounts at plus addresses."""
    users, n = base(rng, level), int(rng.integers(4, 9))
    amounts = days_on(rng, n, 0.7) * rng.lognormal(0, 0.7, (n, DAYS)) * level
    amounts *= users.total * rng.uniform(0.5, 1.5) / amounts.sum()
    own = accounts(rng, n, DAYS - rng.uniform(40, 90, n), amounts)
    name, domain = users.own_email.split("@")
    own.email = np.array([f"{name}+{k}@{domain}" for k in range(n)], dtype=object)
    return joined(users, own)


def mirrored_pair(rng: Generator, level: Floats) -> Users:
    """Buy with one account what the other sells."""
    users = base(rng, level)
    one = days_on(rng, 1, 0.7) * rng.lognormal(0, 0.9, (1, DAYS)) * level
    one *= users.total * rng.uniform(0.3, 1.0) / one.sum()
    two = one * (1 + rng.normal(0, 0.003, (1, DAYS)))
    return joined(users, accounts(rng, 2, DAYS - rng.uniform(40, 90, 2), np.vstack([one, two])))


def padded_actives(rng: Generator, level: Floats) -> Users:
    """Have a few real users, and accounts that trade some dollars once or twice."""
    users, n = affiliate(rng, int(rng.integers(3, 7)), level), int(rng.integers(12, 20))
    small = np.zeros((n, DAYS))
    small[np.arange(n), rng.integers(DAYS - MONTH, DAYS, n)] = rng.uniform(5, 200, n)
    return joined(users, accounts(rng, n, DAYS - rng.uniform(31, 60, n), small))


def one_day_farm(rng: Generator, level: Floats) -> Users:
    """Open accounts that trade on one day and never again."""
    users, n = base(rng, level), int(rng.integers(40, 60))
    referred = DAYS - rng.uniform(20, 85, n)
    volume = np.zeros((n, DAYS))
    volume[np.arange(n), np.floor(referred).astype(int)] = rng.lognormal(10, 1, n)
    return joined(users, accounts(rng, n, referred, volume))


def burst(rng: Generator, level: Floats) -> Users:
    """Open many accounts within two days of the month."""
    users, n = base(rng, level), int(rng.integers(30, 50))
    day = DAYS - rng.integers(4, 25)
    referred = day + rng.uniform(0, 1.99, n)
    volume = np.zeros((n, DAYS))
    volume[np.arange(n), np.floor(referred).astype(int)] = rng.lognormal(6, 1, n)
    return joined(users, accounts(rng, n, referred, volume))


def zero_fee(rng: Generator, level: Floats) -> Users:
    """Trade where no fee is taken."""
    users = base(rng, level)
    free = rng.random(users.volume.shape) < rng.uniform(0.7, 0.95)
    users.fees = np.where(free, 0.0, users.fees)
    return users


def bought_spike(rng: Generator, level: Floats) -> Users:
    """Buy the volume of one month."""
    users = base(rng, level)
    users.volume[:, -MONTH:] = np.round(users.volume[:, -MONTH:] * rng.uniform(6, 12), 2)
    users.fees[:, -MONTH:] *= 8
    return users


def equal_farm(rng: Generator, _: Floats) -> Users:
    """Run accounts that all trade the same volume."""
    n = int(rng.integers(16, 40))
    amounts = days_on(rng, n, 0.5) * rng.lognormal(0, 0.5, (n, DAYS))
    amounts *= 25e6 / n * (1 + rng.normal(0, 0.12, n))[:, None] / amounts.sum(axis=1)[:, None]
    return accounts(rng, n, DAYS - rng.uniform(5, 80, n), amounts)


def stop_at_target(rng: Generator, level: Floats) -> Users:
    """Trade until the minimums are met, early in the month, and hardly any more."""
    users, n = affiliate(rng, 30, level), 6
    users.volume *= 20e6 / users.total * rng.uniform(2.5, 3.5)
    fresh = DAYS - MONTH + rng.uniform(0, 4, n)
    users = joined(users, accounts(rng, n, fresh, np.zeros((n, DAYS))))
    month = users.volume[:, -MONTH:]
    active = np.maximum.accumulate(month > 0, axis=1).sum(axis=0)
    met = (month.sum(axis=0).cumsum() >= 20e6) & (active >= 15) & (np.arange(MONTH) >= 4)
    users.volume[:, DAYS - MONTH + int(np.argmax(met)) + 1 :] *= rng.uniform(0.02, 0.12)
    users.volume = np.round(users.volume, 2)
    return users


def subsidised_churn(rng: Generator, level: Floats) -> Users:
    """Churn at a loss in fees that the rebate pays back: maker rebates on the other side."""
    users = base(rng, level)
    maker = rng.random(users.volume.shape) < 0.5
    users.fees = np.where(maker, -users.volume * 1e-4, users.volume * 1.6e-4)
    return users


def month_end_loading(rng: Generator, level: Floats, month_end: int) -> Users:
    """Push the month's volume into its last three days, which end with day ``month_end``."""
    users = base(rng, level)
    before = users.volume[:, month_end - 30 : month_end - 3].sum()
    last = users.volume[:, month_end - 3 : month_end]
    share = rng.uniform(0.6, 0.85)
    users.volume[:, month_end - 3 : month_end] = np.round(
        last * before / max(float(last.sum()), 1.0) * share / (1 - share), 2
    )
    return users


def archetypes(month_end: int) -> tuple[Archetype, ...]:
    """Return all of them; the last complete month ends before day ``month_end``."""

    def loading(rng: Generator, level: Floats) -> Users:
        return month_end_loading(rng, level, month_end)

    plans: tuple[tuple[str, str, Plan], ...] = (
        ("Self-referral ring", "R23", self_referral_ring),
        ("Mirrored pair", "R14", mirrored_pair),
        ("Padded actives", "R04", padded_actives),
        ("One-day farm", "R11", one_day_farm),
        ("Burst of sign-ups", "R09", burst),
        ("Month-end loading", "R21", loading),
        ("Zero-fee volume", "R19", zero_fee),
        ("Bought spike", "R06", bought_spike),
        ("Equal farm", "R26", equal_farm),
        ("Stop at target", "R28", stop_at_target),
        ("Subsidised churn", "R29", subsidised_churn),
    )
    return tuple(Archetype(name=n, signal=s, plan=plan) for n, s, plan in plans)
