"""The median decision time of a period, and that of first touches, in total and by group."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from data_access.reports import workload
from data_access.reports.workload import Selection, Sums, Worked
from data_access.rollups.lifecycle import At
from program.periods import Window
from program.reports.periods import Grain, Split, buckets

WHOLE = ""
MEDIAN, P90 = Decimal("0.5"), Decimal("0.9")
# What an application has before it is decided.
ARRIVING = (Split.COUNTRY, Split.PLATFORM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The current decisions of a period, or of one ``key``; hours since submission."""

    key: str = WHOLE
    approved: int = 0
    rejected: int = 0
    overrides: int = 0
    in_time: int = 0
    late: int = 0
    median_hours: Decimal | None = None
    p90_hours: Decimal | None = None

    @property
    def total(self) -> int:
        """Both outcomes."""
        return self.approved + self.rejected

    @property
    def on_time_rate(self) -> Decimal | None:
        """Made before they were due, among those whose clock is known; ``None`` if none is."""
        known = self.in_time + self.late
        return Decimal(self.in_time) / known if known else None

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


def course(sums: Sums, period: Window, *, before: Window, grain: Grain) -> Course:
    """Return both periods. Days between them count for neither."""
    found = sums.by_step(At.DECIDED, period, grain)
    starts = [step.start for step in buckets(period, grain)]
    return Course(
        now=_decided(WHOLE, workload.together(found.values())),
        before=_decided(WHOLE, sums.whole(At.DECIDED, before)),
        steps=tuple(_decided(start.isoformat(), found.get(start, Worked())) for start in starts),
    )


def course_selections(period: Window, *, before: Window, grain: Grain) -> tuple[Selection, ...]:
    """Return the sums that `course` reads."""
    return (
        Selection(at=At.DECIDED, days=period, grain=grain),
        Selection(at=At.DECIDED, days=before),
    )


def decided_by(sums: Sums, period: Window, split: Split) -> list[Decided]:
    """Return the decisions by group, largest first."""
    found = sums.by_segment(At.DECIDED, period, str(split))
    rows = [_decided(key, part) for key, part in found.items()]
    return sorted(rows, key=lambda row: (-row.total, row.key))


def decided_daily(sums: Sums, days: Window) -> dict[date, int]:
    """Return the decisions of each day with any."""
    found = sums.by_step(At.DECIDED, days, Grain.DAY)
    return {day: worked.number for day, worked in found.items()}


def submitted_by(sums: Sums, period: Window, split: Split) -> dict[str, int]:
    """Return the applications submitted in the period by group, as of their submission.

    Raises ValueError for a track or a reviewer, which only a decision has.
    """
    if split not in ARRIVING:
        raise ValueError(f"an application that arrives has no {split} yet")
    found = sums.by_segment(At.SUBMITTED, period, str(split))
    return {key: part.number for key, part in found.items()}


def touched(sums: Sums, period: Window, *, before: Window) -> tuple[Touched, Touched]:
    """Return what staff first touched in the period and in the one before."""
    now, then = (sums.whole(At.TOUCHED, days) for days in (period, before))
    return _touched(now), _touched(then)


def _decided(key: str, found: Worked) -> Decided:
    median, p90 = found.hours(MEDIAN, P90)
    return Decided(
        key=key,
        approved=found.approved,
        rejected=found.number - found.approved,
        overrides=found.overrides,
        in_time=found.in_time,
        late=found.late,
        median_hours=median,
        p90_hours=p90,
    )


def _touched(found: Worked) -> Touched:
    median, p90 = found.hours(MEDIAN, P90)
    return Touched(number=found.number, median_hours=median, p90_hours=p90)
