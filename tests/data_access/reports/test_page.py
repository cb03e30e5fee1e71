"""Every part of the program page takes a fixed number of statements, however long the period."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Connection, text

from data_access.affiliates.requalification import Refreshed
from data_access.eligibility import judging
from data_access.reports import page
from data_access.reports.workload import Selection, Sums
from data_access.rollups import work_sums
from data_access.rollups.lifecycle import At
from program.periods import Window
from program.policy.delivered import Delivered
from program.reports.periods import Choice, Dimension, Report, Split, Tab
from program.review.permissions import Role
from tests.builders import NOW, T, add_application, add_refresh, add_segment_sums, add_staff
from tests.data_access.reports.test_kpis import ANA, at, decide
from tests.data_access.statements import sent

TODAY = NOW.date()
PERIODS = {
    "30 days": Report(),
    "five years": Report(choice=Choice.CUSTOM, since=TODAY - timedelta(days=5 * 365), until=TODAY),
}
HEAD = 5


@pytest.fixture
def counted(conn: Connection) -> Connection:
    """A day of work and of trading, counted by a refresh."""
    add_staff(conn)
    add_refresh(conn)
    for id_ in (1, 2):
        add_application(conn, id_, submitted_at=at(2, 3))
        decide(conn, id_, "approved", at(2, 4), ANA)
    row = {"affiliates": 1, "volume_usd": 5, "fees_usd": 1, "trade_count": 1, "active_users": 1}
    add_segment_sums(
        conn, {**row, "dimension": "program", "segment": "all", "day": T, "new_users": 0}
    )
    count(conn)
    return conn


def count(conn: Connection) -> None:
    """Count the applications as a refresh does."""
    context = judging.read_context(conn, now=NOW)
    assert context.freshness is not None
    done = Refreshed(start=T, through=T, policy=context.policy, before=None, now=NOW)
    work_sums.write(conn, done)


def read(conn: Connection, report: Report) -> tuple[int, int]:
    """Return how many statements the head and the open part take."""
    context = judging.read_context(conn, now=NOW)
    period, before = report.period(TODAY), report.before(TODAY)
    traded, traded_before = report.traded(TODAY, T), report.traded_before(TODAY, T)
    grain = report.step(period)
    with sent(conn) as head_sent:
        head = page.head(
            conn,
            context,
            period=period,
            before=before,
            grain=grain,
            traded=traded,
            traded_before=traded_before,
        )
    days = page.TradingDays(
        traded=traded, before=traded_before, grain=grain, through=T, delivered=Delivered(days=[T])
    )
    with sent(conn) as part_sent:
        page.part(
            report,
            head.sums,
            days,
            context=context,
            role=Role.MANAGER,
            period=period,
            before=before,
        )
    return len(head_sent), len(part_sent)


# Days are read besides months for a period that is drawn by day.
STATEMENTS = {
    Tab.WORK: {"30 days": 1, "five years": 1},
    Tab.REVIEWERS: {"30 days": 2, "five years": 2},
    Tab.VOLUME: {"30 days": 7, "five years": 6},
    Tab.COHORTS: {"30 days": 2, "five years": 2},
    Tab.MINIMUMS: {"30 days": 1, "five years": 1},
}
PARTS = (
    *(Report(tab=Tab.WORK, split=split) for split in Split),
    Report(tab=Tab.REVIEWERS),
    *(Report(tab=Tab.VOLUME, dimension=of) for of in Dimension),
    Report(tab=Tab.COHORTS),
    Report(tab=Tab.MINIMUMS),
)


@pytest.mark.parametrize("period", PERIODS)
def test_a_part_takes_so_many_statements(counted: Connection, period: str) -> None:
    days = PERIODS[period]
    for part in PARTS:
        report = part.showing(choice=days.choice, since=days.since, until=days.until)

        assert read(counted, report) == (HEAD, STATEMENTS[part.tab][period]), part


def test_whole_months_are_not_read_by_day(counted: Connection) -> None:
    whole = Window(date(2026, 1, 20), date(2026, 3, 4))
    selection = Selection(at=At.DECIDED, days=whole)
    expected = Sums(counted).whole(At.DECIDED, whole)
    assert (expected.number, expected.hours(Decimal("0.5"))) == (2, (24,))
    counted.execute(
        text("delete from review.work_daily where day between '2026-02-01' and '2026-02-28'")
    )

    assert Sums(counted).whole(At.DECIDED, whole) == expected
    assert sum(days.days for days, months in selection.spans if not months) == 12 + 3
