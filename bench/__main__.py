"""``python -m bench``: build the bench database if it is missing, then measure.

``python -m bench build`` builds it anew.
"""

import argparse
from datetime import UTC, datetime, timedelta

from bench import (
    boards,
    browser,
    build,
    database,
    desk,
    exporting,
    figures,
    loading,
    measurements,
    notifying,
    pulling,
    refreshing,
    shares,
    what_ifs,
)
from program.periods import utc_day


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("command", nargs="?", choices=["build", "measure"], default="measure")
    parser.add_argument("--scale", type=float, default=1.0, help="1 is a million applications")
    parser.add_argument("--database", default=database.NAME, help="its name on the embedded server")
    parser.add_argument("--only", nargs="*", help="measure these alone")
    chosen = parser.parse_args()
    if chosen.command == "build" or not database.is_built(chosen.database):
        yesterday = utc_day(datetime.now(UTC)) - timedelta(days=1)
        engine = build.build(
            build.Size(scale=chosen.scale, through=yesterday), name=chosen.database
        )
        print(shares.report(engine))
    if chosen.command == "measure":
        everything = (
            *loading.MEASUREMENTS,
            *refreshing.MEASUREMENTS,
            *desk.MEASUREMENTS,
            *what_ifs.MEASUREMENTS,
            *figures.MEASUREMENTS,
            *boards.MEASUREMENTS,
        )
        engine = database.connect(chosen.database)
        print(measurements.report(engine, everything, only=chosen.only))
        if not chosen.only or "next" in chosen.only:
            print(pulling.report(engine))
        if not chosen.only or "browser" in chosen.only:
            print(browser.report(engine))
        if not chosen.only or "files" in chosen.only:
            exporting.report(engine)
        if not chosen.only or "notifying" in chosen.only:
            print(notifying.report())


if __name__ == "__main__":
    main()
