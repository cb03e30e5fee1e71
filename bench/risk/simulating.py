"""Simulate, measure with the product's own code, and count what was flagged."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
from sqlalchemy import Engine, text

from bench.risk import honest, writing
from bench.risk.archetypes import Archetype, archetypes
from bench.risk.honest import DAYS, MARKETS, SIZES, Floats
from bench.risk.writing import THROUGH, Simulated
from data_access import rollups
from data_access.risk import measuring
from program.periods import WindowKind, window
from program.risk import judging
from program.risk.judging import FLAGGED, Measured, Risk
from program.risk.signals import SIGNALS, Severity

SEED = 20260314
PREVALENCES = (0.01, 0.05, 0.20)
NOW = datetime(THROUGH.year, THROUGH.month, THROUGH.day, 9, tzinfo=UTC) + timedelta(days=1)
# A new database with the schema, for one market.
Databases = Callable[[], AbstractContextManager[Engine]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How many honest affiliates of each size, and planted ones of each kind, in all markets."""

    honest: int = 1_000
    planted: int = 100
    markets: Sequence[float] = MARKETS


@dataclass(kw_only=True)
class Counts:
    """Affiliates of one kind, and how many of them each signal flagged."""

    affiliates: int = 0
    any_warn: int = 0
    any_high: int = 0
    measured: Counter[str] = field(default_factory=Counter)
    warn: Counter[str] = field(default_factory=Counter)
    high: Counter[str] = field(default_factory=Counter)

    def add(self, risk: Risk) -> None:
        """Count one; warn counts high ones too."""
        self.affiliates += 1
        self.any_warn += risk.level in FLAGGED
        self.any_high += risk.level is Severity.HIGH
        for result in risk.results:
            id_ = result.signal.id
            self.measured[id_] += result.severity is not Severity.NOT_ENOUGH_DATA
            self.warn[id_] += result.severity in FLAGGED
            self.high[id_] += result.severity is Severity.HIGH


@dataclass(kw_only=True)
class Outcome:
    """What was flagged, of honest ones by size and of planted ones by archetype."""

    honest: dict[int, Counts] = field(default_factory=lambda: defaultdict(Counts))
    planted: dict[str, Counts] = field(default_factory=lambda: defaultdict(Counts))
    archetypes: Sequence[Archetype] = ()

    def all_honest(self) -> Counts:
        """Return the sizes together."""
        return _together(self.honest.values())

    def caught(self, one: Archetype) -> float:
        """Return the share of an archetype that the signal meant for it flags."""
        counts = self.planted[one.name]
        return counts.warn[one.signal] / counts.affiliates

    def precision(self, prevalence: float, *, high: bool) -> float:
        """Return the share of frauds among the flagged, if so many affiliates are frauds.

        Each archetype is as frequent as the others.
        """
        fraud, clean = _together(self.planted.values()), self.all_honest()
        found, false = (
            (one.any_high if high else one.any_warn) / one.affiliates for one in (fraud, clean)
        )
        return found * prevalence / (found * prevalence + false * (1 - prevalence))


def _together(counts: Any) -> Counts:
    total = Counts()
    for one in counts:
        for name in ("affiliates", "any_warn", "any_high"):
            setattr(total, name, getattr(total, name) + getattr(one, name))
        for name in ("measured", "warn", "high"):
            getattr(total, name).update(getattr(one, name))
    return total


def run(databases: Databases, scale: Scale, say: Callable[[str], None] = print) -> Outcome:
    """Simulate every market in a database of its own."""
    month_end = DAYS - (THROUGH - window(WindowKind.CALENDAR_MONTH, THROUGH).last_day).days
    outcome = Outcome(archetypes=archetypes(month_end))
    for place, times in enumerate(scale.markets):
        rng = np.random.default_rng([SEED, place])
        level = honest.market(rng, times)
        affiliates = list(_affiliates(rng, level, outcome.archetypes, scale))
        with databases() as engine:
            for one, risk in judged(engine, affiliates, level, say):
                counts = outcome.planted[one.kind] if one.kind else outcome.honest[one.size]
                counts.add(risk)
        say(f"market x {times}: {len(affiliates)} affiliates")
    return outcome


def _affiliates(
    rng: np.random.Generator, level: Floats, planted: Sequence[Archetype], scale: Scale
) -> Iterator[Simulated]:
    for size in SIZES:
        for _ in range(scale.honest // len(scale.markets)):
            users = honest.affiliate(rng, size, level)
            yield Simulated(users=users, approved=True, kind="", size=size)
    for one in planted:
        for _ in range(scale.planted // len(scale.markets)):
            users = one.plan(rng, level)
            yield Simulated(users=users, approved=False, kind=one.name, size=0)


def judged(
    engine: Engine, affiliates: Sequence[Simulated], level: Floats, say: Callable[[str], None]
) -> Iterator[tuple[Simulated, Risk]]:
    """Write, refresh, measure and judge; yields each affiliate with its results."""
    steps = [time.perf_counter()]
    ids = writing.write(engine, affiliates, level)
    steps.append(time.perf_counter())
    rollups.refresh(engine, now=NOW, risk=None)
    steps.append(time.perf_counter())
    measuring.measure(engine, now=NOW)
    steps.append(time.perf_counter())
    took = ", ".join(f"{b - a:.1f} s" for a, b in pairwise(steps))
    say(f"written, refreshed, measured in {took}")
    with engine.connect() as connection:
        rows = connection.execute(text("select * from review.risk_measures")).mappings()
        for row in rows:
            yield ids[row["account_id"]], judging.judge(_measured(row), {})


def _measured(row: Any) -> dict[str, Measured]:
    return {
        signal.id: Measured(value=row[signal.column], sample=row.get(f"{signal.column}_sample"))
        for signal in SIGNALS
        if signal.column in row
    }
