"""The policy: every minimum and setting of the program, one frozen record per version.

The defaults are version 1, the public program. Words that the public page leaves undefined
("month", "active", "new") are defined by a setting here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from program.periods import WindowKind

DEFAULT_REQUIRED_CHECKS = (
    "identity_and_account",
    "owns_social_account",
    "not_api_broker",
    "no_self_referral",
    "no_prior_ban",
)
DEFAULT_CHECKLIST = (
    *DEFAULT_REQUIRED_CHECKS,
    "audience_real",
    "promotion_methods",
    "jurisdiction",
    "external_volume_proven",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One version of the program. Money in USD, rates as fractions of net trading fees."""

    version: int = 1
    effective_from: datetime = field(default=datetime(2020, 1, 1, tzinfo=UTC))
    author: str = "program"
    note: str = "The public program"

    min_volume_usd: Decimal = Decimal("20000000.00")
    min_active_users: int = 15
    min_new_users: int = 5
    min_x_followers: int = 5000
    min_external_volume_usd: Decimal = Decimal("20000000.00")

    window_kind: WindowKind = WindowKind.TRAILING_30_DAYS
    active_user_min_volume_usd: Decimal = Decimal(0)
    new_user_must_trade: bool = False
    evidence_valid_days: int = 90

    standard_rebate_rate: Decimal = Decimal("0.10")
    max_rebate_rate: Decimal = Decimal("0.50")
    review_sla_business_days: int = 3
    claim_idle_minutes: int = 30
    checklist: tuple[str, ...] = DEFAULT_CHECKLIST
    required_checks: tuple[str, ...] = DEFAULT_REQUIRED_CHECKS
    second_approval_for_overrides: bool = True
    second_approval_monthly_extra_usd: Decimal | None = Decimal("10000.00")
    requalification_misses: int = 3
    requalification_protection_months: int = 3
    requalification_silent: bool = True
    # By key, see `program.risk.signals.THRESHOLDS`; one that is left out has its default.
    risk_thresholds: Mapping[str, Decimal] = field(default_factory=dict, hash=False)


def ruling_at(versions: Iterable[Policy], moment: datetime) -> Policy:
    """Return the version in force: the one with the latest start, then the highest version.

    Pass no withdrawn versions. ``review.policy_in_force`` is the same in SQL.
    """
    begun = [policy for policy in versions if policy.effective_from <= moment]
    return max(begun, key=lambda policy: (policy.effective_from, policy.version))
