"""The queries of each part of the program page; only the open part is queried."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection

from data_access.eligibility.judging import JudgingContext
from data_access.reports import backlog, flow, funnel, gaming, retention, reviewers, speed, volume
from data_access.reports.backlog import Open
from data_access.reports.flow import Flow
from data_access.reports.gaming import Minimums
from data_access.reports.retention import Retained
from data_access.reports.reviewers import Reviewed
from data_access.reports.speed import Course, Decided, Touched
from data_access.reports.volume import Leader, Month, Rebates, Traded
from data_access.reports.workload import Selection, Sums
from data_access.rollups.lifecycle import At
from program.periods import ONE_DAY, Window, month_start, months_later, utc_day
from program.policy.delivered import Delivered
from program.reports import forecast
from program.reports.anomalies import DAYS_BEFORE
from program.reports.forecast import Pace
from program.reports.periods import Dimension, Grain, Report, Split, Tab
from program.review.permissions import Act, Role, may

MONTHS_SHOWN = 13
LEADERS_DRAWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The data above every part: the period step by step, and the previous period.

    ``sums`` are the counts of applications, also used by the open part.
    """

    flow: Flow
    decided: Course
    open_now: Sequence[Open]
    traded: Sequence[Traded]
    traded_before: Sequence[Traded]
    sums: Sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """How applications fared; ``pace`` is that of the last four weeks, whatever the period.

    ``arrived`` is None if arrivals cannot be split this way.
    """

    stages: Mapping[str, int]
    touched: Touched
    touched_before: Touched
    pace: Pace
    apart: Sequence[Decided]
    arrived: Mapping[str, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewers:
    """What each reviewer decided in the period, and what was reopened of it.

    ``compared`` is None for a reader who may not compare them.
    """

    decided: Sequence[Decided]
    reopened: Mapping[str | None, int]
    compared: Sequence[Reviewed] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """Trading by step and segment; ``days`` begin 28 days before the period.

    ``months`` end with the one in which the period ends. If that one is running, ``same_days`` are
    as many days of the month before, and ``same_days_usd`` their volume.
    """

    apart: Sequence[Traded]
    days: Sequence[Traded]
    rebates: Rebates
    rebates_before: Rebates
    months: Sequence[Month]
    same_days: Window | None
    same_days_usd: Decimal
    leaders: Sequence[Leader]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohorts:
    """How long referred users stay, and what the affiliates approved in each month bring."""

    retained: Sequence[Retained]
    traded: Sequence[Traded]


Part = Work | Reviewers | Volume | Cohorts | Minimums


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingDays:
    """The days of trading that a report covers, step by step, and those it compares them with.

    ``through`` is the data-through day.
    """

    traded: Window
    before: Window
    grain: Grain
    through: date
    delivered: Delivered


def head(
    connection: Connection,
    context: JudgingContext,
    *,
    period: Window,
    before: Window,
    grain: Grain,
    traded: Window | None,
    traded_before: Window | None,
) -> Head:
    """Read the head; without any day of trading its volume is empty."""
    sums = Sums(connection)
    sums.prepare(
        *flow.selections(period, grain),
        *speed.course_selections(period, before=before, grain=grain),
    )
    open_now = backlog.by_age_and_clock(connection, context)
    return Head(
        sums=sums,
        flow=flow.steps(sums, period, grain, open_now=backlog.total(open_now)),
        decided=speed.course(sums, period, before=before, grain=grain),
        open_now=open_now,
        traded=volume.steps(connection, traded, grain) if traded else [],
        traded_before=volume.steps(connection, traded_before, Grain.MONTH)
        if traded and traded_before
        else [],
    )


def part(
    report: Report,
    sums: Sums,
    days: TradingDays | None,
    *,
    context: JudgingContext,
    role: Role,
    period: Window,
    before: Window,
) -> Part | None:
    """Read the open part; ``None`` if it is about trading and there are no ``days`` of it."""
    if report.tab is Tab.WORK:
        return work(sums, context, period=period, before=before, split=report.split)
    if report.tab is Tab.REVIEWERS:
        return reviewing(sums, role, period=period)
    if report.tab is Tab.MINIMUMS:
        return gaming.minimums(sums.connection, context.policy, period)
    if days is None:
        return None
    if report.tab is Tab.COHORTS:
        return cohorts(sums.connection, days)
    standard = context.policy.standard_rebate_rate
    return trading(sums.connection, days, dimension=report.dimension, standard=standard)


def work(
    sums: Sums, context: JudgingContext, *, period: Window, before: Window, split: Split
) -> Work:
    """Read the part on applications."""
    early, today = split in speed.ARRIVING, utc_day(context.now)
    paced = forecast.pace_days(today)
    sums.prepare(
        Selection(at=At.DECIDED, days=paced, grain=Grain.DAY),
        Selection(at=At.SUBMITTED, days=period),
        *(Selection(at=At.TOUCHED, days=days) for days in (period, before)),
        *(
            Selection(at=at, days=period, dimension=str(split))
            for at in ((At.DECIDED, At.SUBMITTED) if early else (At.DECIDED,))
        ),
    )
    touched, touched_before = speed.touched(sums, period, before=before)
    return Work(
        stages=funnel.stages(sums, period),
        touched=touched,
        touched_before=touched_before,
        pace=forecast.pace(speed.decided_daily(sums, paced), today, context.holidays),
        apart=speed.decided_by(sums, period, split),
        arrived=speed.submitted_by(sums, period, split) if early else None,
    )


def reviewing(sums: Sums, role: Role, *, period: Window) -> Reviewers:
    """Read the part on reviewers; they are compared only for a role that may see it."""
    compares = may(role, Act.COMPARE_REVIEWERS)
    of_each = Selection(at=At.DECIDED, days=period, dimension=str(Split.REVIEWER))
    sums.prepare(of_each, *([reviewers.selection(period)] if compares else []))
    return Reviewers(
        decided=speed.decided_by(sums, period, Split.REVIEWER),
        reopened=reviewers.reopened(sums.connection, period),
        compared=reviewers.compared(sums, period, role) if compares else None,
    )


def trading(
    connection: Connection, days: TradingDays, *, dimension: Dimension, standard: Decimal
) -> Volume:
    """Read the part on volume; ``standard`` is the standard rebate rate."""
    traded, grain = days.traded, days.grain
    leaders = volume.leaders(connection, traded)
    last = min(days.through, months_later(month_start(traded.last_day), 1) - ONE_DAY)
    same_days = _same_days(last)
    return Volume(
        apart=_apart(connection, traded, grain, dimension, leaders),
        days=_days_and_before(connection, traded, grain),
        rebates=volume.rebates(connection, traded, standard=standard),
        rebates_before=volume.rebates(connection, days.before, standard=standard),
        months=volume.months(
            connection,
            # One more than is shown: the oldest is compared with it.
            first=months_later(month_start(last), -MONTHS_SHOWN),
            through=last,
            delivered=days.delivered,
        ),
        same_days=same_days,
        same_days_usd=_volume(connection, same_days),
        leaders=leaders,
    )


def cohorts(connection: Connection, days: TradingDays) -> Cohorts:
    """Read the part on cohorts."""
    complete = month_start(days.through + ONE_DAY)
    return Cohorts(
        retained=retention.retained(
            connection,
            first=months_later(complete, 1 - MONTHS_SHOWN),
            complete=complete,
            delivered=days.delivered,
        ),
        traded=volume.steps(connection, days.traded, days.grain, Dimension.COHORT),
    )


def _apart(
    connection: Connection,
    traded: Window,
    grain: Grain,
    dimension: Dimension,
    leaders: Sequence[Leader],
) -> list[Traded]:
    if dimension is not Dimension.AFFILIATE:
        return volume.steps(connection, traded, grain, dimension)
    ids = [leader.affiliate_account_id for leader in leaders[:LEADERS_DRAWN]]
    return volume.of_affiliates(connection, traded, grain, ids)


def _days_and_before(connection: Connection, traded: Window, grain: Grain) -> list[Traded]:
    """Return the program's days, from enough days before the period to know what is usual."""
    if grain is not Grain.DAY:
        return []
    return volume.steps(
        connection, Window(traded.start - DAYS_BEFORE * ONE_DAY, traded.end), Grain.DAY
    )


def _same_days(through: date) -> Window | None:
    """Return the previous month's days up to the day of ``through``; None if it is complete."""
    month, end = month_start(through), through + ONE_DAY
    if end == months_later(month, 1):
        return None
    start = months_later(month, -1)
    return Window(start, min(start + (end - month), month))


def _volume(connection: Connection, days: Window | None) -> Decimal:
    found = volume.steps(connection, days, Grain.MONTH) if days else []
    return sum((row.volume_usd for row in found), Decimal(0))
