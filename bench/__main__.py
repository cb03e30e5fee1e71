"""``python -m bench``: build the bench database if it is missing, then measure.

``python -m bench build`` rebuilds it. ``python -m bench quick`` measures the pages over small data,
and their limits; ``python -m bench visits`` what a first visit to each page takes, for
``docs/first-visits.json``; ``python -m bench screens`` takes the pictures of ``docs/screens.md``;
``python -m bench risk`` simulates honest affiliates and fraud, and writes
what the risk signals flag to ``docs/risk-simulation.json``; ``python -m bench team`` has forty people
work for some minutes, on one process and on two; ``python -m bench curve`` compares refreshes and
pages at three sizes. Exits with status 1 if something could not
be measured, or exceeds a limit.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Engine

from bench import (
    boards,
    browser,
    build,
    curve,
    database,
    desk,
    executing,
    exporting,
    figures,
    loading,
    measurements,
    notifying,
    pages,
    people,
    pulling,
    quick,
    refreshing,
    report,
    screens,
    shares,
    team,
    weights,
    what_ifs,
)
from bench.measurements import Failures
from bench.risk import reporting, simulating

TIMED = (
    *loading.MEASUREMENTS,
    *refreshing.MEASUREMENTS,
    *desk.MEASUREMENTS,
    *what_ifs.MEASUREMENTS,
    *figures.MEASUREMENTS,
    *boards.MEASUREMENTS,
)
# Measurements with their own reports; each prints its rows as it goes.
APART: dict[str, Callable[[Engine, Failures], None]] = {
    "postgres": executing.report,
    "next": pulling.report,
    "pages": pages.report,
    "people": people.report,
    "browser": browser.report,
    "files": exporting.report,
    "notifying": notifying.report,
}


def main() -> None:
    """Run the command line."""
    chosen = arguments()
    if chosen.command == "quick":
        print(circumstances(), flush=True)
        faults = quick.report(chosen.only)
        sys.exit("\n".join(faults) or None)
    if chosen.command == "visits":
        sys.exit("\n".join(weights.report()) or None)
    if chosen.command == "screens":
        screens.report()
        return
    if chosen.command == "risk":
        sys.exit("\n".join(simulate_risk()) or None)
    if chosen.command == "build" or not database.is_built(chosen.database):
        size = build.Size.as_of(chosen.scale, datetime.now(UTC))
        engine = build.build(size, name=chosen.database)
        print(shares.report(engine))
    if chosen.command == "team":
        working = partial(team.report, minutes=chosen.minutes)
        sys.exit("\n".join(measure_alone(working, chosen.database)) or None)
    if chosen.command == "curve":
        sys.exit("\n".join(measure_alone(curve.report, chosen.database)) or None)
    if chosen.command == "measure":
        engine = database.connect(chosen.database)
        database.bring_up_to_date(engine)
        with report.written_to(chosen.report):
            failures = measure(engine, chosen.only)
        if failures.found:
            sys.exit(f"{len(failures.found)} not measured: {', '.join(failures.found)}")


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "command",
        nargs="?",
        choices=["build", "measure", "quick", "visits", "screens", "risk", "team", "curve"],
        default="measure",
    )
    parser.add_argument("--scale", type=float, default=1.0, help="1 is a million applications")
    parser.add_argument("--database", default=database.NAME, help="its name on the embedded server")
    parser.add_argument("--minutes", type=float, default=10, help="how long the team works")
    parser.add_argument("--only", nargs="*", help="measure these alone")
    parser.add_argument("--report", type=Path, help="keep what is printed in this Markdown file")
    return parser.parse_args()


def measure(engine: Engine, only: list[str] | None) -> Failures:
    """Measure everything, or what ``only`` names; returns the failures."""
    failures = Failures()
    print(circumstances(), flush=True)
    measurements.report(engine, TIMED, failures, only=only)
    for name, measured in APART.items():
        if not only or name in only:
            failures.guard(name, measured, engine)
            print(circumstances(), flush=True)
    return failures


def simulate_risk() -> list[str]:
    """Write what the risk signals flag of simulated affiliates; returns the bars missed."""

    @contextmanager
    def new_database() -> Iterator[Engine]:
        engine = database.recreate("risk_simulation")
        yield engine
        engine.dispose()

    scale = simulating.Scale()
    outcome = simulating.run(new_database, scale)
    reporting.FILE.write_text(reporting.as_json(outcome, scale))
    return reporting.faults(outcome)


def measure_alone(measured: Callable[[Engine, Failures], None], name: str) -> list[str]:
    """Measure one thing on the database; returns the failures and why."""
    engine, failures = database.connect(name), Failures()
    database.bring_up_to_date(engine)
    print(circumstances(), flush=True)
    measured(engine, failures)
    print(circumstances(), flush=True)
    return [f"{what}: {why}" for what, why in failures.found.items()]


def circumstances() -> str:
    """Return the measured commit and the load of the machine."""
    root = Path(__file__).resolve().parent.parent
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607 - the one on the path
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    one, five, _ = os.getloadavg()
    return (
        f"[{datetime.now(UTC):%H:%M:%S}] commit {described or 'unknown'}, load {one:.1f} over a "
        f"minute and {five:.1f} over five, {os.cpu_count()} cores"
    )


if __name__ == "__main__":
    main()
