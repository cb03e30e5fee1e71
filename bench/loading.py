"""Loading the activity file, compared with ``psql \\copy`` into the same table."""

import os
import subprocess

from sqlalchemy import Engine, text

from bench import database, memory
from bench.measurements import Measurement
from data_access.db import partitions
from data_access.db.embedded import HOME, binaries

FILE = HOME / "bench" / "activity.csv"
COLUMNS = (
    "affiliate_account_id, referred_account_id, activity_date, volume_usd, fees_usd, trade_count"
)
# A separate database, so that the bench's facts stay unchanged.
TARGET = "load_target"
MOST_MEMORY_KB = 300 * 1024


def psql(address: str, command: str) -> None:
    plain = address.replace("postgresql+psycopg", "postgresql")
    subprocess.run([binaries() / "psql", plain, "-q", "-c", command], check=True)


def address(name: str) -> str:
    return database.CLUSTER.url(name)


def ready(engine: Engine) -> None:
    """Write the file once, and create an empty target with the schema and its partitions."""
    if not FILE.exists():
        source = engine.url.render_as_string(hide_password=False)
        query = f"select {COLUMNS} from exchange.referral_activity"
        psql(source, f"\\copy ({query}) to '{FILE}' with (format csv, header)")
    database.recreate(TARGET).dispose()


def loaded(_: Engine) -> None:
    """Run the command; its memory is checked too."""
    command = ["data_access", "load", "activity", str(FILE)]
    peak = memory.peak_of(command, {**os.environ, "DATABASE_URL": address(TARGET)})
    print(f"  the load's process peaked at {peak / 1024:.0f} MB", flush=True)
    if peak > MOST_MEMORY_KB:
        raise AssertionError(f"the load took {peak / 1024:.0f} MB")


def copied(engine: Engine) -> None:
    """Copy the same rows into the same table, whose partitions exist."""
    target = database.connect(TARGET)
    with engine.connect() as source, target.begin() as connection:
        months = source.execute(
            text(
                "select generate_series(date_trunc('month', min(activity_date)),"
                " max(activity_date), '1 month')::date from exchange.referral_activity"
            )
        )
        found = sorted(months.scalars())
        partitions.ensure_months(connection, found[0], found[-1])
    target.dispose()
    psql(
        address(TARGET),
        f"\\copy exchange.referral_activity ({COLUMNS}) from '{FILE}' with (format csv, header)",
    )


MEASUREMENTS = (
    Measurement(
        name="load all activity", ours=loaded, plain=copied, prepare=ready, bar=4.0, turns=1
    ),
)
