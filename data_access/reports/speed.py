"""The median decision time of a period, and that of first touches, in total and by group."""

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection

from data_access.reports import workload
from data_access.reports.workload import Uncounted, Worked
from data_access.rollups.lifecycle import At
from program.periods import Window
from program.reports.periods import Grain, Split, buckets

WHOLE = ""
MEDIAN, P90 = Decimal("0.5"), Decimal("0.9")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The current decisions of a period, or of one ``key``; hours since submission."""

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
        """Approved among decided; ``None`` if nothing was decided."""
        return Decimal(self.approved) / self.total if self.total else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """Applications that staff first touched in a period; hours since submission."""

    number: int = 0
    median_hours: Decimal | None = None
    p90_hours: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The current decisions of a period, of the previous one, and of each step of the period.

    The key of a step is its first day; steps without a decision are included.
    """

    now: Decided
    before: Decided
    steps: tuple[Decided, ...]


def course(
    connection: Connection,
    period: Window,
    *,
    before: Window,
    grain: Grain,
    news: Uncounted | None = None,
) -> Course:
    """Return both periods. Days between them count for neither."""
    if news is None:
        news = workload.uncounted(connection)
    found = workload.by_step(connection, At.DECIDED, period, grain, news)
    starts = [step.start for step in buckets(period, grain)]
    return Course(
        now=_decided(WHOLE, workload.together(found.values())),
        before=_decided(WHOLE, workload.whole(connection, At.DECIDED, before, news)),
        steps=tuple(_decided(start.isoformat(), found.get(start, Worked())) for start in starts),
    )


def decided_by(
    connection: Connection, period: Window, split: Split, news: Uncounted | None = None
) -> list[Decided]:
    """Return the decisions by group, largest first."""
    if news is None:
        news = workload.uncounted(connection)
    found = workload.by_segment(connection, At.DECIDED, period, str(split), news)
    rows = [_decided(key, part) for key, part in found.items()]
    return sorted(rows, key=lambda row: (-row.total, row.key))


def submitted_by(
    connection: Connection, period: Window, split: Split, news: Uncounted | None = None
) -> dict[str, int]:
    """Return the applications submitted in the period by group, as of their submission.

    Raises ValueError for a track or a reviewer, which only a decision has.
    """
    if split not in (Split.COUNTRY, Split.PLATFORM):
        raise ValueError(f"an application that arrives has no {split} yet")
    if news is None:
        news = workload.uncounted(connection)
    found = workload.by_segment(connection, At.SUBMITTED, period, str(split), news)
    return {key: part.number for key, part in found.items()}


def touched(
    connection: Connection, period: Window, *, before: Window, news: Uncounted | None = None
) -> tuple[Touched, Touched]:
    """Return what staff first touched in the period and in the one before."""
    if news is None:
        news = workload.uncounted(connection)
    now, then = (workload.whole(connection, At.TOUCHED, days, news) for days in (period, before))
    return _touched(now), _touched(then)


def _decided(key: str, found: Worked) -> Decided:
    return Decided(
        key=key,
        approved=found.approved,
        rejected=found.number - found.approved,
        overrides=found.overrides,
        median_hours=found.hours(MEDIAN),
        p90_hours=found.hours(P90),
    )


def _touched(found: Worked) -> Touched:
    return Touched(
        number=found.number, median_hours=found.hours(MEDIAN), p90_hours=found.hours(P90)
    )
