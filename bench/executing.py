"""What a view of the queue takes in Postgres alone, without planning and without Python."""

import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import Engine, event

from bench import desk
from bench.measurements import Failures, Measurement

BAR_MS = 5
TURNS = 5
# What begins every view, and is the same for all of them.
VIEWS = ("queue ", "filter: ", "sort: ", "search: ", "counts ")
HEADER = (
    f"{'a view, in Postgres':<36} {'median ms':>10} {'longest':>9} {'statements':>11} {'bar':>7}"
)
Statement = tuple[str, Any]


def report(engine: Engine, failures: Failures) -> None:
    """Print a row for each view of the queue: all its statements, and the longest of them."""
    print(HEADER)
    for measurement in desk.MEASUREMENTS:
        if measurement.name.startswith(VIEWS):
            failures.print_row(measurement.name, partial(_row, engine, measurement))


def _row(engine: Engine, measurement: Measurement) -> str:
    screen = desk.screen(engine)
    # Once before, so that the server has read what it needs.
    measurement.ours(engine)
    with listened(screen) as statements:
        measurement.ours(engine)
    times = [executed(screen, one) for one in statements]
    verdict = "ok" if sum(times) <= BAR_MS else "OVER"
    return (
        f"{measurement.name:<36} {sum(times):>10.1f} {max(times):>9.1f} {len(times):>11}"
        f" {BAR_MS:>4} ms {verdict}"
    )


def executed(engine: Engine, statement: Statement) -> float:
    """Return the median of the milliseconds in which Postgres executes a statement that reads."""
    text, values = statement
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        explained = f"explain (analyze, timing off, format json) {text}"
        plans = (driver.execute(explained, values).fetchone() for _ in range(TURNS))
        return statistics.median(plan["Execution Time"] for ((plan,),) in plans)


@contextmanager
def listened(engine: Engine) -> Iterator[list[Statement]]:
    """Collect the statements that are sent, with their values."""
    sent: list[Statement] = []

    def keep(*given: Any) -> None:
        sent.append((given[2], given[3]))

    event.listen(engine, "before_cursor_execute", keep)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", keep)
