"""Timing work beside the plainest SQL that does the same, and one table of it all."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One thing to measure; ``prepare`` is run before each turn of either and not timed.

    The most that may be used is ``bar`` times the plain SQL's median, or ``bar_s`` seconds.
    """

    name: str
    ours: Callable[[Engine], object]
    plain: Callable[[Engine], object] | None = None
    prepare: Callable[[Engine], object] | None = None
    bar: float | None = None
    bar_s: float | None = None
    turns: int = 5


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Seconds of every turn."""

    measurement: Measurement
    ours: list[float]
    plain: list[float]

    @property
    def ratio(self) -> float | None:
        """Our median over the plain SQL's."""
        if not self.plain:
            return None
        return statistics.median(self.ours) / statistics.median(self.plain)

    @property
    def within(self) -> bool:
        """Whether the bar is kept."""
        asked = self.measurement
        kept = True
        if asked.bar is not None and self.ratio is not None:
            kept = self.ratio <= asked.bar
        if asked.bar_s is not None:
            kept = kept and statistics.median(self.ours) <= asked.bar_s
        return kept


def report(
    engine: Engine, measurements: Sequence[Measurement], *, only: Sequence[str] | None = None
) -> str:
    """Measure everything, or what ``only`` names a part of, and return one table."""
    chosen = [m for m in measurements if not only or any(part in m.name for part in only)]
    lines = [f"{'':<28} {'median s':>9} {'[min - max]':>17} {'plain s':>9} {'ratio':>7} {'bar':>7}"]
    for measurement in chosen:
        lines.append(_line(measure(engine, measurement)))
        print(lines[-1], flush=True)
    return "\n".join(["", *lines])


def measure(engine: Engine, measurement: Measurement) -> Measured:
    """Run both in turn, so that a disturbance meets both."""
    ours, plain = [], []
    for _ in range(measurement.turns):
        _prepare(measurement, engine)
        ours.append(_seconds(measurement.ours, engine))
        if measurement.plain is not None:
            _prepare(measurement, engine)
            plain.append(_seconds(measurement.plain, engine))
    return Measured(measurement=measurement, ours=ours, plain=plain)


def _prepare(measurement: Measurement, engine: Engine) -> None:
    if measurement.prepare is not None:
        measurement.prepare(engine)


def _seconds(work: Callable[[Engine], object], engine: Engine) -> float:
    began = time.perf_counter()
    work(engine)
    return time.perf_counter() - began


def _line(found: Measured) -> str:
    ours, asked = found.ours, found.measurement
    plain = f"{statistics.median(found.plain):9.3f}" if found.plain else f"{'':>9}"
    ratio = f"{found.ratio:7.2f}" if found.ratio is not None else f"{'':>7}"
    limit = f"{asked.bar_s:g} s" if asked.bar_s is not None else ""
    if asked.bar is not None:
        limit = f"{asked.bar:g}x"
    verdict = ("ok" if found.within else "OVER") if limit else ""
    spread = f"[{min(ours):.3f} - {max(ours):.3f}]"
    return (
        f"{found.measurement.name:<28} {statistics.median(ours):9.3f} {spread:>17} {plain} {ratio}"
        f" {limit:>7} {verdict}"
    )
