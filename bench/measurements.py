"""Time work and the plainest SQL that does the same, and print one table.

A failed measurement is a row, and the others continue: stopping at the first failure would hide
later regressions.
"""

import statistics
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Engine


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One measurement; ``prepare`` runs before each turn of either side and is not timed.

    ``prepare_plain`` replaces it before the plain SQL, so that both results are there for
    ``check``, which fails if they differ.
    The limit is ``bar`` times the plain SQL's median, or ``bar_s`` seconds.
    """

    name: str
    ours: Callable[[Engine], object]
    plain: Callable[[Engine], object] | None = None
    prepare: Callable[[Engine], object] | None = None
    prepare_plain: Callable[[Engine], object] | None = None
    check: Callable[[Engine], object] | None = None
    bar: float | None = None
    bar_s: float | None = None
    turns: int = 5


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The seconds of every turn."""

    measurement: Measurement
    ours: list[float]
    plain: list[float]

    @property
    def ratio(self) -> float | None:
        """Our median divided by the plain SQL's."""
        if not self.plain:
            return None
        return statistics.median(self.ours) / statistics.median(self.plain)

    @property
    def within(self) -> bool:
        """Whether the limit is met."""
        measurement = self.measurement
        kept = True
        if measurement.bar is not None and self.ratio is not None:
            kept = self.ratio <= measurement.bar
        if measurement.bar_s is not None:
            kept = kept and statistics.median(self.ours) <= measurement.bar_s
        return kept


@dataclass(slots=True)
class Failures:
    """What could not be measured, by name, with the first line of its error."""

    found: dict[str, str] = field(default_factory=dict)

    def print_row(self, name: str, work: Callable[[], str]) -> None:
        """Print the row that ``work`` returns, or a row with its error."""
        try:
            row = work()
        except Exception as error:  # noqa: BLE001 - any fault is a row, and the run goes on
            traceback.print_exc()
            self.found[name] = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
            row = f"{name:<28} FAILED {self.found[name]}"
        print(row, flush=True)

    def guard(
        self, name: str, report: Callable[[Engine, "Failures"], None], engine: Engine
    ) -> None:
        """Run a report that prints its own rows; print a row if it fails as a whole."""

        def run() -> str:
            report(engine, self)
            return ""

        self.print_row(name, run)


def report(
    engine: Engine,
    measurements: Sequence[Measurement],
    failures: Failures,
    *,
    only: Sequence[str] | None = None,
) -> None:
    """Measure everything, or what contains a part of ``only``, and print a row for each."""
    chosen = [m for m in measurements if not only or any(part in m.name for part in only)]
    if chosen:
        print(
            f"{'':<28} {'median s':>9} {'[min - max]':>17} {'plain s':>9} {'ratio':>7} {'bar':>7}"
        )
    for measurement in chosen:
        failures.print_row(measurement.name, partial(_measured_row, engine, measurement))


def _measured_row(engine: Engine, measurement: Measurement) -> str:
    return _line(measure(engine, measurement))


def measure(engine: Engine, measurement: Measurement) -> Measured:
    """Run both alternately, so that a disturbance affects both."""
    ours, plain = [], []
    for _ in range(measurement.turns):
        _run(measurement.prepare, engine)
        ours.append(seconds(measurement.ours, engine))
        if measurement.plain is not None:
            _run(measurement.prepare_plain or measurement.prepare, engine)
            plain.append(seconds(measurement.plain, engine))
    _run(measurement.check, engine)
    return Measured(measurement=measurement, ours=ours, plain=plain)


def _run(step: Callable[[Engine], object] | None, engine: Engine) -> None:
    if step is not None:
        step(engine)


def seconds(work: Callable[[Engine], object], engine: Engine) -> float:
    """Return how long the work took."""
    began = time.perf_counter()
    work(engine)
    return time.perf_counter() - began


def _line(found: Measured) -> str:
    ours, measurement = found.ours, found.measurement
    plain = f"{statistics.median(found.plain):9.3f}" if found.plain else f"{'':>9}"
    ratio = f"{found.ratio:7.2f}" if found.ratio is not None else f"{'':>7}"
    limit = f"{measurement.bar_s:g} s" if measurement.bar_s is not None else ""
    if measurement.bar is not None:
        limit = f"{measurement.bar:g}x"
    verdict = ("ok" if found.within else "OVER") if limit else ""
    spread = f"[{min(ours):.3f} - {max(ours):.3f}]"
    return (
        f"{found.measurement.name:<28} {statistics.median(ours):9.3f} {spread:>17} {plain} {ratio}"
        f" {limit:>7} {verdict}"
    )
