"""The golden files, through load, refresh and export, equal the oracle in every cell."""

import csv
import io
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert

from data_access import loading, rollups
from data_access.db import tables
from data_access.eligibility import judging
from data_access.explore import exported as explore_exported
from data_access.exports import copy_stream
from data_access.loading import Delivery
from program.periods import WindowKind
from program.policy.policy import Policy
from program.review.queue_filters import Filters
from tests.builders import add_policy
from tests.conftest import ROOT

GOLDEN = ROOT.parent / "shared" / "golden"
KINDS = ("accounts", "applications", "referrals", "activity")
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle))


def insert_evidence(engine: Engine) -> None:
    with engine.begin() as conn:
        for row in rows(GOLDEN / "evidence.csv"):
            conn.execute(
                insert(tables.evidence).values(
                    application_id=int(row["application_id"]),
                    kind=row["kind"],
                    value=row["value"],
                    exchange_name=row["exchange_name"] or None,
                    observed_at=datetime.fromisoformat(row["observed_at"]),
                )
            )


def exported(engine: Engine, columns: tuple[str, ...]) -> list[dict[str, str]]:
    with engine.connect() as conn:
        statement = explore_exported.applications(
            Filters(), judging.read_context(conn, now=NOW), columns=columns
        )
        text = b"".join(copy_stream.CsvStream(conn, statement)).decode()
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (WindowKind.TRAILING_30_DAYS, "expected.csv"),
        (WindowKind.CALENDAR_MONTH, "expected_calendar.csv"),
    ],
)
def test_golden_data_is_equal_in_every_cell(
    engine: Engine, kind: WindowKind, expected: str
) -> None:
    for name in KINDS:
        loading.load(engine, Delivery(kind=name, paths=[GOLDEN / f"{name}.csv"]), now=NOW)
    insert_evidence(engine)
    if kind is WindowKind.CALENDAR_MONTH:
        with engine.begin() as conn:
            add_policy(conn, Policy(version=2, window_kind=kind))
    fresh = rollups.refresh(engine, now=NOW)
    wanted = rows(GOLDEN / expected)

    assert date(2026, 3, 14) == fresh.data_through
    assert wanted == exported(engine, tuple(wanted[0]))
