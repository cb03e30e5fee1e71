"""The rebate limit, the cost of a higher rebate, and when a decision needs a second person."""

from dataclasses import dataclass
from decimal import Decimal

from program import wording
from program.periods import Window

MONTH_DAYS = 30
# A window as long as a calendar month is a month and is not scaled to 30 days.
MONTH_LENGTHS = range(28, 32)
MONTHS_A_YEAR = 12
SMALLEST_STEP = Decimal("0.0001")


def rate_problem(rate: Decimal | None, *, standard: Decimal, most: Decimal) -> str | None:
    """Return why an approval may not grant this rate; ``None`` if it may.

    ``standard`` and ``most`` are the policy's standard and highest rate.
    """
    if rate is None or not (rate.is_finite() and standard < rate <= most):
        return (
            f"The rebate rate must be above the standard {standard * 100:.4g} % "
            f"and at most {most * 100:.4g} %."
        )
    if rate != rate.quantize(SMALLEST_STEP):
        return "The rebate rate takes at most two decimals of a percent."
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class RebateCost:
    """The cost of a rate against the standard rate, on a window's net fees. Exact USD.

    ``extra`` is the cost beyond the standard rate: over the window, a month, a year. ``left_usd``
    is what the exchange keeps of the window's net fees after the whole rebate. With negative net
    fees all are negative, and ``remark`` says so.
    """

    window: Window
    fees_usd: Decimal
    rate: Decimal
    standard: Decimal
    extra_usd: Decimal
    extra_month_usd: Decimal
    extra_year_usd: Decimal
    left_usd: Decimal

    @property
    def remark(self) -> str | None:
        """A caution about the figures; mostly ``None``."""
        if self.fees_usd >= 0:
            return None
        return (
            f"Net fees over the window are negative, {wording.cents_usd(self.fees_usd)} USD, "
            "so the extra cost is too. It says nothing about a month with positive fees."
        )


def cost(
    fees_usd: Decimal | None, *, window: Window, rate: Decimal, standard: Decimal
) -> RebateCost | None:
    """Return the cost of ``rate`` on the window's net fees; ``None`` if they are unknown.

    Rates are fractions. A window of 28 to 31 days is a month; any other is scaled to 30 days.
    Raises ValueError for an empty window.
    """
    if window.days < 1:
        raise ValueError("a window has at least one day")
    if fees_usd is None:
        return None
    extra = (rate - standard) * fees_usd
    month = extra if window.days in MONTH_LENGTHS else extra * MONTH_DAYS / window.days
    return RebateCost(
        window=window,
        fees_usd=fees_usd,
        rate=rate,
        standard=standard,
        extra_usd=extra,
        extra_month_usd=month,
        extra_year_usd=month * MONTHS_A_YEAR,
        left_usd=fees_usd - rate * fees_usd,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondReason:
    """Why a second person is needed. ``key`` is stored with the request for a second approval."""

    key: str
    label: str
    sentence: str


OVERRIDE = SecondReason(
    key="override",
    label="against the computed eligibility",
    sentence="This goes against the computed eligibility, so a second person decides.",
)


def needs_second_person(
    *,
    override: bool,
    cost: RebateCost | None,
    for_overrides: bool,
    from_monthly_extra_usd: Decimal | None,
) -> tuple[SecondReason, ...]:
    """Return every reason why one person is not enough; empty if one is.

    ``override`` is whether the decision goes against the computed eligibility. ``cost`` is an
    approval's; an unknown cost needs no second person. The last two are the policy's settings.
    """
    reasons = []
    if override and for_overrides:
        reasons.append(OVERRIDE)
    threshold = from_monthly_extra_usd
    if cost is not None and threshold is not None and cost.extra_month_usd >= threshold:
        reasons.append(_high_cost(cost, threshold))
    return tuple(reasons)


def _high_cost(cost: RebateCost, threshold: Decimal) -> SecondReason:
    return SecondReason(
        key="cost",
        label="high extra cost",
        sentence=(
            f"The rate costs {wording.cents_usd(cost.extra_month_usd)} USD more a month than the "
            f"standard one; from {wording.full_usd(threshold)} USD on, a second person decides."
        ),
    )
