"""Which value each figure of the program has, for the page and the weekly report."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from data_access.reports import backlog
from data_access.reports.page import Head
from data_access.reports.speed import Decided
from data_access.reports.volume import Rebates, Traded
from program.policy.delivered import Known, no_change
from program.reports import kpis
from program.reports.amounts import Amount
from program.reports.kpis import Kpi
from program.wording import DASH, UNKNOWN

NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A figure's value, that of the period before, and its course step by step.

    ``nothing`` stands for a missing value. ``gap`` says which days are missing, and ``no_change``
    why there is no change to tell.
    """

    kpi: Kpi
    value: Amount
    before: Amount = None
    course: Sequence[Amount] = ()
    nothing: str = DASH
    gap: str = ""
    no_change: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trading:
    """Days of trading, and those they are compared with, as far as they are known."""

    now: Known
    before: Known | None = None

    def measured(
        self, kpi: Kpi, value: Amount, before: Amount = None, course: Sequence[Amount] = ()
    ) -> Measured:
        """Return a figure of these days: unknown without any, compared only if none is missing."""
        now, then = self.now, self.before
        if not now.any:
            return Measured(kpi=kpi, value=None, nothing=UNKNOWN, gap=now.gap)
        gone = no_change(now, then) if then else ""
        return Measured(
            kpi=kpi,
            value=value,
            before=None if gone else before,
            # A sparkline cannot show gaps, so it is drawn only if there are none.
            course=course if now.whole else (),
            nothing=UNKNOWN,
            gap=now.gap,
            no_change=gone,
        )


def opened(head: Head, *, past: bool) -> Measured:
    """Return how many are open, or were at a past period's end, and at its beginning."""
    flow = head.flow
    return Measured(
        kpi=kpis.OPEN_AT_END if past else kpis.OPEN,
        value=flow.steps[-1].open_then if past else backlog.total(head.open_now),
        before=flow.open_before,
        course=[step.open_then for step in flow.steps],
    )


def submitted(head: Head, before: int | None = None) -> Measured:
    """Return how many arrived; ``before`` is how many did in the period before."""
    course = [step.submitted for step in head.flow.steps]
    return Measured(kpi=kpis.SUBMITTED, value=sum(course), before=before, course=course)


def decided(head: Head) -> Measured:
    """Return how many were decided."""
    return _of_decisions(kpis.DECIDED, head, lambda found: found.total)


def approved(head: Head) -> Measured:
    """Return how many were approved."""
    return _of_decisions(kpis.APPROVED, head, lambda found: found.approved)


def rejected(head: Head) -> Measured:
    """Return how many were rejected."""
    return _of_decisions(kpis.REJECTED, head, lambda found: found.rejected)


def approval_rate(head: Head) -> Measured:
    """Return the share that was approved."""
    return _of_decisions(kpis.APPROVAL_RATE, head, lambda found: found.approval_rate, NONE)


def time_to_decision(head: Head) -> Measured:
    """Return the median time to a decision."""
    return _of_decisions(kpis.TIME_TO_DECISION, head, lambda found: found.median_hours, NONE)


def on_time(head: Head) -> Measured:
    """Return the share of decisions made on time."""
    nothing = UNKNOWN if head.decided.now.total else NONE
    return _of_decisions(kpis.ON_TIME, head, lambda found: found.on_time_rate, nothing)


def _of_decisions(
    kpi: Kpi, head: Head, of: Callable[[Decided], Amount], nothing: str = DASH
) -> Measured:
    found = head.decided
    return Measured(
        kpi=kpi,
        value=of(found.now),
        before=of(found.before),
        course=[of(step) for step in found.steps],
        nothing=nothing,
    )


def volume(head: Head, trading: Trading) -> Measured:
    """Return the program's volume."""
    course = [row.volume_usd for row in head.traded]
    return trading.measured(
        kpis.VOLUME, volume_usd(head.traded), volume_usd(head.traded_before), course
    )


def fees(head: Head, trading: Trading) -> Measured:
    """Return the net fees."""
    return trading.measured(kpis.FEES, fees_usd(head.traded), fees_usd(head.traded_before))


def active_users(head: Head, trading: Trading) -> Measured:
    """Return the mean number of users with volume on a day."""
    before = trading.before
    return trading.measured(
        kpis.ACTIVE_USERS,
        _mean(head.traded, trading.now),
        _mean(head.traded_before, before) if before else None,
    )


def new_users(head: Head, referring: Trading) -> Measured:
    """Return how many users were referred, over the days ``referring`` of known referrals."""
    now, before = (sum(row.new_users for row in rows) for rows in (head.traded, head.traded_before))
    return referring.measured(kpis.NEW_USERS, now, before)


def standard_rebate(now: Rebates, before: Rebates, trading: Trading) -> Measured:
    """Return the rebate at the standard rate."""
    return trading.measured(kpis.STANDARD_REBATE, now.standard_usd, before.standard_usd)


def extra_rebate(now: Rebates, before: Rebates, trading: Trading) -> Measured:
    """Return the rebate above the standard rate."""
    return trading.measured(kpis.EXTRA_REBATE, now.extra_usd, before.extra_usd)


def volume_usd(rows: Iterable[Traded]) -> Decimal:
    """Return the total volume, USD."""
    return sum((row.volume_usd for row in rows), Decimal(0))


def fees_usd(rows: Iterable[Traded]) -> Decimal:
    """Return the total net fees, USD."""
    return sum((row.fees_usd for row in rows), Decimal(0))


def _mean(rows: Sequence[Traded], over: Known) -> Decimal | None:
    return Decimal(sum(row.user_days for row in rows)) / over.days if over.days else None
