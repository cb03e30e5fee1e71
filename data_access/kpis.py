"""The program's figures. Each is one query over decisions, applications or rollups."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, Connection, Date, cast, func, or_, select

from data_access import tables
from program.periods import Window, day_start
from program.workflow import Decision, Status

Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """One week, Monday to Sunday UTC. ``pending`` is the queue's length at its end."""

    start: date
    submitted: int
    approved: int
    rejected: int
    pending: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramMonth:
    """One calendar month of the whole program; the last may still be running."""

    month: date
    volume_usd: Decimal
    fees_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What was decided in a period. Times are from submission to decision."""

    approved: int
    rejected: int
    median_hours: Decimal | None

    @property
    def total(self) -> int:
        """All decisions of the period."""
        return self.approved + self.rejected

    @property
    def approval_rate(self) -> Decimal | None:
        """Approved among decided; ``None`` when nothing was decided."""
        return Decimal(self.approved) / self.total if self.total else None


def decided(connection: Connection, period: Window) -> Decided:
    """Standing decisions made in the period, with the median time they took."""
    decision, application = tables.decisions, tables.applications
    hours = func.extract("epoch", decision.c.decided_at - application.c.submitted_at) / 3600
    row = connection.execute(
        select(
            func.count().filter(decision.c.outcome == Decision.APPROVED).label("approved"),
            func.count().filter(decision.c.outcome == Decision.REJECTED).label("rejected"),
            func.percentile_cont(0.5).within_group(hours.asc()).label("median"),
        )
        .join(application, application.c.application_id == decision.c.application_id)
        .where(*_within(decision.c.decided_at, period), ~_superseded())
    ).one()
    return Decided(
        approved=row.approved,
        rejected=row.rejected,
        median_hours=None if row.median is None else Decimal(str(round(row.median, 4))),
    )


def open_now(connection: Connection) -> int:
    """How many applications wait."""
    table = tables.applications
    return connection.execute(
        select(func.count()).where(table.c.status == Status.PENDING)
    ).scalar_one()


def weeks(connection: Connection, *, last: date, count: int) -> list[Week]:
    """``count`` weeks that end with the week ``last`` lies in, gaps as zeros."""
    end = last - timedelta(days=last.weekday()) + timedelta(weeks=1)
    period = Window(end - timedelta(weeks=count), end)
    arrived = _by_week(connection, "submitted", period)
    approved = _by_week(connection, Decision.APPROVED, period)
    rejected = _by_week(connection, Decision.REJECTED, period)
    left = _by_week(connection, "left", period)
    pending = _waiting_at(connection, end)
    found: list[Week] = []
    for back in range(count):
        start = end - timedelta(weeks=back + 1)
        found.append(
            Week(
                start=start,
                submitted=arrived.get(start, 0),
                approved=approved.get(start, 0),
                rejected=rejected.get(start, 0),
                pending=pending,
            )
        )
        # Walking back: what arrived this week was not there before it, what left still was.
        pending += left.get(start, 0) - arrived.get(start, 0)
    return found[::-1]


def months(connection: Connection, *, since: date) -> list[ProgramMonth]:
    """The program's calendar months from ``since`` on, from the monthly rollup."""
    table = tables.affiliate_monthly
    rows = connection.execute(
        select(
            table.c.month,
            func.sum(table.c.volume_usd).label("volume_usd"),
            func.sum(table.c.fees_usd).label("fees_usd"),
        )
        .where(table.c.month >= since)
        .group_by(table.c.month)
        .order_by(table.c.month)
    ).mappings()
    return [ProgramMonth(**row) for row in rows]


def _by_week(connection: Connection, what: str, period: Window) -> dict[date, int]:
    application, decision = tables.applications, tables.decisions
    if what == "submitted":
        moment: ColumnElement[datetime] = application.c.submitted_at
        conditions: list[Condition] = []
    elif what == "left":
        moment = _left()
        conditions = [application.c.status != Status.PENDING]
    else:
        moment, conditions = decision.c.decided_at, [decision.c.outcome == what, ~_superseded()]
    week = cast(func.date_trunc("week", func.timezone("UTC", moment)), Date)
    rows = connection.execute(
        select(week, func.count()).where(*_within(moment, period), *conditions).group_by(week)
    )
    return {start: number for start, number in rows}  # noqa: C416 - rows are not pairs to mypy


def _waiting_at(connection: Connection, day: date) -> int:
    """The queue's length when ``day`` began."""
    table = tables.applications
    begin = day_start(day)
    waited = or_(table.c.status == Status.PENDING, _left() >= begin)
    return connection.execute(
        select(func.count()).where(table.c.submitted_at < begin, waited)
    ).scalar_one()


def _left() -> ColumnElement[datetime]:
    # Upstream may not say when it settled an application: then it never waited.
    table = tables.applications
    return func.greatest(table.c.status_changed_at, table.c.submitted_at)


def _within(moment: ColumnElement[datetime], period: Window) -> tuple[Condition, Condition]:
    return (moment >= day_start(period.start), moment < day_start(period.end))


def _superseded() -> Condition:
    decision = tables.decisions
    later = decision.alias("later")
    return select(1).where(later.c.supersedes == decision.c.decision_id).exists()
