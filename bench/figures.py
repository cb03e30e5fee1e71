"""The program page at scale: the queries of the head and each part."""

from dataclasses import replace
from datetime import date, timedelta
from functools import partial

from sqlalchemy import Engine, text

from bench.facts import moment
from bench.measurements import Measurement
from data_access.db import database
from data_access.db.database import Purpose
from data_access.eligibility import delivered, freshness, judging
from data_access.reports import page
from program.periods import ONE_DAY
from program.reports.periods import Choice, Dimension, Report, Split, Tab
from program.review.permissions import Role

MOST_S = 0.15
# Limited to today and to the longest period.
LONGEST = Report(choice=Choice.CUSTOM, since=date(2000, 1, 1), until=date(2100, 1, 1))


def read(engine: Engine, *, report: Report) -> None:
    """Read the page as `dashboard/pages/program/page.py` does."""
    now = moment(engine)
    today = now.date()
    with engine.connect() as connection:
        for name, value in database.SETTINGS[Purpose.REPORTER].items():
            connection.execute(text(f"set local {name} = {value}"))
        context, fresh = judging.read_context(connection, now=now), freshness.newest(connection)
        known = delivered.read(connection)
        assert fresh is not None
        through = fresh.data_through
        period, before = report.period(today), report.before(today)
        traded, earlier = report.traded(today, through), report.traded_before(today, through)
        grain = report.step(period)
        head = page.head(
            connection,
            context,
            period=period,
            before=before,
            grain=grain,
            traded=traded,
            traded_before=earlier,
        )
        days = page.TradingDays(
            traded=traded, before=earlier, grain=grain, through=through, delivered=known
        )
        page.part(
            report,
            head.sums,
            days,
            context=context,
            role=Role.MANAGER,
            period=period,
            before=before,
        )


def read_a_year(engine: Engine, *, tab: Tab) -> None:
    """Read the page over the last 365 days."""
    today = moment(engine).date()
    since, until = today - timedelta(days=365), today - ONE_DAY
    read(engine, report=Report(choice=Choice.CUSTOM, since=since, until=until, tab=tab))


def forget_connections(engine: Engine) -> None:
    """Start with a new connection that has no cached plans."""
    moment(engine)
    engine.dispose()


def _measured(name: str, report: Report) -> Measurement:
    return Measurement(
        name=f"kpi page, {report.tab}, {name}",
        ours=partial(read, report=report),
        prepare=forget_connections,
        bar_s=MOST_S,
        turns=7,
    )


MEASUREMENTS: tuple[Measurement, ...] = (
    *(
        _measured(choice, Report(choice=choice, tab=tab))
        for choice in (Choice.THIRTY, Choice.NINETY)
        for tab in Tab
    ),
    *(
        replace(_measured("a year", Report(tab=tab)), ours=partial(read_a_year, tab=tab))
        for tab in Tab
    ),
    *(
        _measured("five years", LONGEST.showing(tab=tab))
        for tab in (Tab.REVIEWERS, Tab.VOLUME, Tab.COHORTS)
    ),
    *(
        _measured(f"five years by {split}", LONGEST.showing(tab=Tab.WORK, split=split))
        for split in (Split.COUNTRY, Split.TRACK, Split.REVIEWER)
    ),
    *(
        _measured(f"five years by {of}", LONGEST.showing(tab=Tab.VOLUME, dimension=of))
        for of in (Dimension.COHORT, Dimension.AFFILIATE)
    ),
)
