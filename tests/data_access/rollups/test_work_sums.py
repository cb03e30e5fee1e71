"""The stored lifecycle sums plus newer changes equal a count of everything."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, delete, insert, select, text, update

from data_access import rollups
from data_access.db import tables
from data_access.eligibility import judging
from data_access.queue import listing
from data_access.reports import funnel, speed
from data_access.reports.workload import Sums
from data_access.rollups import lifecycle
from program.periods import Window
from program.reports.periods import Grain, Split
from program.review.drilldown import Moment, Scope, Slice, Stage, Timing
from program.review.queue_filters import Filters
from tests.builders import add_application, add_evidence, add_staff
from tests.cases import ALL, every
from tests.data_access.loading.test_loading import load
from tests.data_access.reports.test_kpis import add_event, decide, flow_of, reopen, settle
from tests.data_access.rollups.test_refreshing import Trade, deliver

T = date(2026, 3, 14)
NOW = datetime(2026, 3, 15, 9, tzinfo=UTC)
FIRST = datetime(2026, 1, 20, tzinfo=UTC)
WHOLE = Window(date(2026, 1, 1), date(2026, 4, 1))
FEBRUARY = Window(date(2026, 2, 3), date(2026, 2, 27))
# Some of the periods and steps in `make test`, all of them in `make prove`. The first has a whole
# month and parts of two.
PERIODS = every(3, (Window(date(2026, 1, 18), date(2026, 3, 4)), FEBRUARY, WHOLE))
GRAINS = list(Grain) if ALL else [Grain.WEEK]
pytestmark = pytest.mark.sampled
PEOPLE = ("ana@example.com", "ben@example.com")


def figures(conn: Connection) -> list[Any]:
    """Return everything that is read from the sums."""
    found: list[Any] = []
    sums = Sums(conn)
    for period in PERIODS:
        before = Window(period.start - timedelta(days=20), period.start)
        found += [flow_of(conn, period, grain) for grain in GRAINS]
        found += [speed.course(sums, period, before=before, grain=grain) for grain in GRAINS]
        found += [speed.decided_by(sums, period, split) for split in Split]
        found += [speed.submitted_by(sums, period, split) for split in speed.ARRIVING]
        found += [speed.touched(sums, period, before=before), funnel.stages(sums, period)]
    return found


@contextmanager
def without_sums(conn: Connection) -> Iterator[None]:
    """Remove the sums, as before the first refresh, so that everything is counted."""
    with conn.begin_nested() as point:
        for table in (
            tables.work_counted,
            tables.work_daily,
            tables.work_monthly,
            tables.application_courses,
        ):
            conn.execute(delete(table))
        yield
        point.rollback()


def assert_all_counted(engine: Engine) -> None:
    with engine.begin() as conn:
        found = figures(conn)
        with without_sums(conn):
            assert found == figures(conn)
        assert_lists_agree(conn)


def assert_lists_agree(conn: Connection) -> None:
    context, period, sums = judging.read_context(conn, now=NOW), FEBRUARY, Sums(conn)
    stages = funnel.stages(sums, period)
    open_then = flow_of(conn, period, Grain.MONTH).steps[-1].open_then
    decided = speed.course(sums, period, before=period, grain=Grain.DAY).now
    timed = Slice(scope=Scope.DECIDED, moment=Moment.DECIDED)
    numbers = {
        Slice(scope=Scope.ALL, moment=Moment.OPEN_AT_END): open_then,
        Slice(scope=Scope.ALL, moment=Moment.SUBMITTED): stages[funnel.SUBMITTED],
        Slice(scope=Scope.ALL, moment=Moment.TOUCHED): speed.touched(sums, period, before=period)[
            0
        ].number,
        timed: decided.total,
        replace(timed, timing=Timing.ON_TIME): decided.in_time,
        replace(timed, timing=Timing.LATE): decided.late,
        **{
            Slice(scope=Scope.ALL, moment=Moment.SUBMITTED, reached=stage): stages[stage]
            for stage in Stage
        },
    }
    for wanted, number in numbers.items():
        assert listing.count(conn, Filters(slice=wanted.during(period)), context) == number, wanted


def work(conn: Connection, chance: random.Random, ids: range) -> None:
    """Decide, touch, reopen or settle upstream some of the applications."""
    for id_ in chance.sample(ids, len(ids) // 3):
        at = FIRST + timedelta(days=chance.randrange(50), seconds=chance.randrange(86_400))
        application = tables.applications.c
        status, submitted = conn.execute(
            select(application.status, application.submitted_at).where(
                application.application_id == id_
            )
        ).one()
        at = max(at, submitted + timedelta(minutes=1))
        who = chance.choice(PEOPLE)
        if status == "pending" and chance.random() < 0.7:
            last = newest_decision(conn, id_)
            outcome = chance.choice(("approved", "rejected"))
            decide(conn, id_, outcome, at, who, track=chance.choice((None, "both")), supersedes=last,
                   is_override=chance.random() < 0.2)  # fmt: skip
        elif status == "pending":
            touch(conn, id_, at, chance.choice((who, "upstream", "")))
        elif (decision := newest_decision(conn, id_)) is not None:
            reopen(conn, id_, at, decision)


def touch(conn: Connection, id_: int, at: datetime, who: str) -> None:
    if who:
        add_event(conn, id_, "claimed", at, who)
    else:
        add_evidence(conn, id_, recorded_at=at)


def newest_decision(conn: Connection, id_: int) -> int | None:
    decision = tables.decisions.c
    return conn.execute(
        select(decision.decision_id)
        .where(decision.application_id == id_)
        .order_by(decision.decision_id.desc())
        .limit(1)
    ).scalar()


@pytest.fixture
def worked_on(engine: Engine) -> Engine:
    """Thirty applications of eight weeks; two of the accounts have trading referrals."""
    chance = random.Random(5)
    with engine.begin() as conn:
        add_staff(conn)
        for id_ in range(1, 31):
            at = FIRST - timedelta(days=3) + timedelta(days=chance.randrange(50), seconds=id_)
            country = chance.choice(("BR", "DE", None))
            add_application(conn, id_, submitted_at=at, account={"country_code": country},
                            social_platform=chance.choice(("x", "youtube")))  # fmt: skip
        work(conn, chance, range(1, 31))
    deliver(engine, *(Trade(day=T - timedelta(days=2 * (id_ % 20)), affiliate=id_, user=100 + id_)
                      for id_ in range(1, 31)))  # fmt: skip
    rollups.refresh(engine, now=NOW)
    return engine


def test_staff_work_on_after_a_refresh(worked_on: Engine) -> None:
    """Decisions, reopenings and touches count at once, also of long counted applications."""
    chance = random.Random(8)
    for _ in range(2):
        with worked_on.begin() as conn:
            work(conn, chance, range(1, 31))
        with worked_on.connect() as conn:
            assert lifecycle.uncounted(conn)
        assert_all_counted(worked_on)
        rollups.refresh(worked_on, now=NOW)
        assert_all_counted(worked_on)
    with worked_on.connect() as conn:
        assert not lifecycle.uncounted(conn)


def test_clocks_and_holidays_count_at_once(worked_on: Engine) -> None:
    """A pause moves the clock; a day off that is added or removed later moves many."""
    asked = FIRST + timedelta(days=20)
    with worked_on.begin() as conn:
        for id_ in range(1, 31):
            add_event(conn, id_, "answer_recorded", asked, PEOPLE[0])
            conn.execute(insert(tables.desk).values(application_id=id_, clock_from=asked))
    assert_all_counted(worked_on)
    rollups.refresh(worked_on, now=NOW)
    with worked_on.connect() as conn:
        before = figures(conn)
    days = [{"day": date(2026, 2, day), "name": "off"} for day in range(1, 29)]
    with worked_on.begin() as conn:
        conn.execute(insert(tables.holidays), days)
        assert figures(conn) != before
    assert_all_counted(worked_on)
    rollups.refresh(worked_on, now=NOW)
    assert_all_counted(worked_on)
    with worked_on.begin() as conn:
        conn.execute(delete(tables.holidays))
        assert figures(conn) == before
    assert_all_counted(worked_on)


def test_arrivals_and_departures_upstream_are_counted(worked_on: Engine) -> None:
    with worked_on.begin() as conn:
        add_application(conn, 31, submitted_at=NOW)
        settle(conn, 31, "withdrawn", NOW)
    assert_all_counted(worked_on)


def test_direct_changes_by_upstream_count_at_once(worked_on: Engine) -> None:
    with worked_on.begin() as conn:
        conn.execute(text("update exchange.accounts set country_code = 'FR' where account_id = 3"))
        conn.execute(
            update(tables.applications)
            .where(tables.applications.c.application_id == 4)
            .values(submitted_at=FIRST, social_platform="tiktok")
        )
        # Without a time, which nothing but the row itself shows.
        conn.execute(
            text("update exchange.applications set status = 'withdrawn' where application_id = 5")
        )
    assert_all_counted(worked_on)
    rollups.refresh(worked_on, now=NOW)
    assert_all_counted(worked_on)


def test_changes_during_a_refresh_count_after_it(worked_on: Engine) -> None:
    """Also of an application whose earlier change that refresh counts."""
    with worked_on.begin() as conn:
        touch(conn, 1, NOW - timedelta(hours=1), PEOPLE[0])

    def act(done: int, total: int) -> None:
        if done == total - 1:
            with worked_on.begin() as conn:
                settle(conn, 1, "withdrawn", NOW)
                add_application(conn, 31, submitted_at=NOW)

    rollups.refresh(worked_on, now=NOW, progress=act)

    with worked_on.connect() as conn:
        assert lifecycle.changed_ids(conn) == [1, 31]
    assert_all_counted(worked_on)


def test_trading_is_followed_both_ways(worked_on: Engine) -> None:
    """Approved ones become active with their first trade, and inactive if it is removed."""

    def active() -> int:
        with worked_on.connect() as conn:
            return funnel.stages(Sums(conn), WHOLE)["active"]

    before = active()
    rollups.refresh(worked_on, now=NOW, through=date(2026, 2, 1))
    assert active() < before
    assert_all_counted(worked_on)
    rollups.refresh(worked_on, now=NOW)
    assert active() == before
    assert_all_counted(worked_on)


def test_a_loads_changes_count_at_once(worked_on: Engine, tmp_path: Path) -> None:
    """With another country, and submitted long before the last refresh."""
    row = "77,77,x,@late,telegram,late,2026-02-10T12:00:00Z\n"
    files = {
        "accounts": "account_id,username,country_code,created_at\n"
        "3,user3,FR,2025-01-01T00:00:00Z\n77,user77,FR,2025-01-01T00:00:00Z\n",
        "applications": "application_id,account_id,social_platform,social_handle,"
        f"contact_platform,contact_handle,submitted_at\n{row}{row.replace('77', '3')}",
    }
    with worked_on.begin() as conn:
        add_application(conn, 100)
    rollups.refresh(worked_on, now=NOW)
    for kind, content in files.items():
        path = tmp_path / f"{kind}.csv"
        path.write_text(content)
        load(worked_on, kind, path)
        assert_all_counted(worked_on)
    with worked_on.connect() as conn:
        assert speed.submitted_by(Sums(conn), FEBRUARY, Split.COUNTRY)["FR"] == 2
