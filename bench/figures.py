"""The program page at scale: what the head and each of its parts ask of the database."""

from functools import partial

from sqlalchemy import Engine, text

from bench.facts import moment
from bench.measurements import Measurement
from data_access import database, freshness, standings
from data_access.database import Purpose
from data_access.kpis import parts
from program.reports import Choice, Report, Tab

MOST_S = 0.3


def read(engine: Engine, *, report: Report) -> None:
    """The page as `dashboard/pages/program.py` reads it."""
    now = moment(engine)
    today = now.date()
    with engine.connect() as connection:
        for name, value in database.SETTINGS[Purpose.REPORTER].items():
            connection.execute(text(f"set local {name} = {value}"))
        ground, fresh = standings.basis(connection, now=now), freshness.newest(connection)
        assert fresh is not None
        through = fresh.data_through
        period, before = report.period(today), report.before(today)
        traded, earlier = report.traded(today, through), report.traded_before(today, through)
        grain = report.step(period)
        parts.head(
            connection,
            ground,
            period=period,
            before=before,
            grain=grain,
            traded=traded,
            traded_before=earlier,
        )
        if report.tab is Tab.WORK:
            parts.work(connection, period=period, before=before, split=report.split)
        elif report.tab is Tab.REVIEWERS:
            parts.reviewing(connection, period=period)
        elif report.tab is Tab.VOLUME:
            parts.trading(
                connection,
                traded=traded,
                before=earlier,
                grain=grain,
                dimension=report.dimension,
                standard=ground.policy.standard_rebate_rate,
                through=through,
            )
        else:
            parts.following(connection, traded=traded, grain=grain, through=through)


def forget_connections(engine: Engine) -> None:
    """Begin with a connection that has planned nothing yet."""
    moment(engine)
    engine.dispose()


MEASUREMENTS: tuple[Measurement, ...] = tuple(
    Measurement(
        name=f"kpi page, {tab}, {choice}",
        ours=partial(read, report=Report(choice=choice, tab=tab)),
        prepare=forget_connections,
        bar_s=MOST_S,
        turns=7,
    )
    for choice in (Choice.THIRTY, Choice.NINETY)
    for tab in Tab
)
