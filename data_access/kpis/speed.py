"""What was decided and touched in a period, how long that took, and what it was told apart by."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Text,
    case,
    cast,
    func,
    or_,
    select,
    tuple_,
)

from data_access import slices, tables
from data_access.kpis.flow import bucket
from data_access.standings import with_account
from program.periods import Window, day_start
from program.reports import Grain, Split, buckets
from program.slices import UNKNOWN_COUNTRY, Moment, Scope, Slice
from program.workflow import Decision

WHOLE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The standing decisions of a period, or of one ``key`` among them; hours since submission."""

    key: str = WHOLE
    approved: int = 0
    rejected: int = 0
    overrides: int = 0
    median_hours: Decimal | None = None
    p90_hours: Decimal | None = None

    @property
    def total(self) -> int:
        """Both outcomes."""
        return self.approved + self.rejected

    @property
    def approval_rate(self) -> Decimal | None:
        """Approved among decided; ``None`` where nothing was decided."""
        return Decimal(self.approved) / self.total if self.total else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """Applications that staff first touched in a period; hours since submission."""

    number: int = 0
    median_hours: Decimal | None = None
    p90_hours: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The standing decisions of a period, of the one before, and of each step of the period.

    The key of a step is its first day; steps without a decision are there.
    """

    now: Decided
    before: Decided
    steps: tuple[Decided, ...]


def course(connection: Connection, period: Window, *, before: Window, grain: Grain) -> Course:
    """Both periods in one look at the decisions. What lies between them counts for neither.

    ``before`` ends where ``period`` begins, or earlier.
    """
    now = tables.decisions.c.decided_at >= day_start(period.start)
    day = func.timezone("UTC", tables.decisions.c.decided_at)
    step = case((now, cast(bucket(day, period, grain), Text)), else_=_BEFORE)
    whole = case((now, WHOLE), else_=_BEFORE)
    source = slices.with_application()
    both = Window(before.start, period.end)
    rows = _decided(both, case((func.grouping(step) == 0, step), else_=whole), source)
    if before.end < period.start:
        earlier = tables.decisions.c.decided_at < day_start(before.end)
        rows = rows.where(or_(now, earlier))
    sets = func.grouping_sets(tuple_(whole), tuple_(step))
    statement = rows.group_by(None).group_by(sets)
    found = {row.key: _decided_row(row) for row in connection.execute(statement)}
    starts = [bucket.start.isoformat() for bucket in buckets(period, grain)]
    return Course(
        now=found.get(WHOLE, Decided()),
        before=replace(found.get(_BEFORE, Decided()), key=WHOLE),
        steps=tuple(found.get(start, Decided(key=start)) for start in starts),
    )


_BEFORE = "before"


def decided_by(connection: Connection, period: Window, split: Split) -> list[Decided]:
    """The same told apart, the most first."""
    source, key = _told_apart(split)
    rows = connection.execute(_decided(period, key, source))
    return sorted(map(_decided_row, rows), key=lambda row: (-row.total, row.key))


def submitted_by(connection: Connection, period: Window, split: Split) -> dict[str, int]:
    """Applications submitted in the period, told apart by what they already had then.

    Raises ValueError for a track or a reviewer, which only a decision has.
    """
    if split not in (Split.COUNTRY, Split.PLATFORM):
        raise ValueError(f"an application that arrives has no {split} yet")
    source: FromClause = tables.applications
    asked = Slice(scope=Scope.ALL, moment=Moment.SUBMITTED).during(period)
    key = _KEYS[split]()
    found = connection.execute(
        select(key.label("key"), func.count().label("number"))
        .select_from(with_account(source) if split is Split.COUNTRY else source)
        .where(*slices.submitted(asked))
        .group_by("key")
    )
    return {row.key: row.number for row in found}


def touched(connection: Connection, period: Window, *, before: Window) -> tuple[Touched, Touched]:
    """What staff first touched in the period and in the one before, which ends where it begins."""
    first = slices.first_touched(Window(before.start, period.end))
    now = (first.c.touched_at >= day_start(period.start)).label("now")
    took = _hours(first.c.touched_at, first.c.submitted_at)
    rows = connection.execute(
        select(now, func.count().label("number"), *_percentiles(took)).group_by("now")
    )
    found = {
        row.now: Touched(
            number=row.number, median_hours=_exact(row.median), p90_hours=_exact(row.p90)
        )
        for row in rows
    }
    return found.get(True, Touched()), found.get(False, Touched())


def _decided(period: Window, key: ColumnElement[str], source: FromClause) -> Select[Any]:
    asked = Slice(scope=Scope.DECIDED, moment=Moment.DECIDED).during(period)
    decision = tables.decisions.c
    return (
        select(
            key.label("key"),
            func.count().filter(decision.outcome == Decision.APPROVED).label("approved"),
            func.count().filter(decision.outcome == Decision.REJECTED).label("rejected"),
            func.count().filter(decision.is_override).label("overrides"),
            *_percentiles(_hours(decision.decided_at, tables.applications.c.submitted_at)),
        )
        .select_from(source)
        .where(*slices.decided(asked))
        .group_by("key")
    )


def _decided_row(row: Any) -> Decided:  # noqa: ANN401 - a row of `_decided`
    return Decided(
        key=row.key,
        approved=row.approved,
        rejected=row.rejected,
        overrides=row.overrides,
        median_hours=_exact(row.median),
        p90_hours=_exact(row.p90),
    )


def _country() -> ColumnElement[str]:
    return func.coalesce(tables.accounts.c.country_code, UNKNOWN_COUNTRY)


def _platform() -> ColumnElement[str]:
    return tables.applications.c.social_platform


def _reviewer() -> ColumnElement[str]:
    return tables.decisions.c.decided_by


_KEYS = {
    Split.TRACK: slices.track_seen,
    Split.COUNTRY: _country,
    Split.PLATFORM: _platform,
    Split.REVIEWER: _reviewer,
}


def _told_apart(split: Split) -> tuple[FromClause, ColumnElement[str]]:
    source = slices.with_application()
    return with_account(source) if split is Split.COUNTRY else source, _KEYS[split]()


def _hours(moment: ColumnElement[Any], submitted: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.extract("epoch", moment - submitted) / 3600


def _percentiles(took: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    return [
        func.percentile_cont(share).within_group(took.asc()).label(name)
        for name, share in (("median", 0.5), ("p90", 0.9))
    ]


def _exact(hours: float | None) -> Decimal | None:
    return None if hours is None else Decimal(str(round(hours, 4)))
