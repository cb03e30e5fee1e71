"""The reapply date: when a rejected applicant may apply again."""

from dataclasses import dataclass
from datetime import date, timedelta

from program import wording


@dataclass(frozen=True, slots=True, kw_only=True)
class ReapplyRule:
    """How long to wait, in whole UTC days from the day of the decision; ``None`` is forever."""

    key: str
    label: str
    days: int | None


AT_ONCE = ReapplyRule(key="at_once", label="At any time", days=0)
AFTER_30_DAYS = ReapplyRule(key="after_30_days", label="After 30 days", days=30)
AFTER_90_DAYS = ReapplyRule(key="after_90_days", label="After 90 days", days=90)
NEVER = ReapplyRule(key="never", label="Never", days=None)
RULES: tuple[ReapplyRule, ...] = (AT_ONCE, AFTER_30_DAYS, AFTER_90_DAYS, NEVER)
RULES_BY_KEY: dict[str, ReapplyRule] = {rule.key: rule for rule in RULES}

# What can be fixed is open at once; figures take a month to change. A person may choose never, but
# it is not suggested.
DEFAULT_RULES: dict[str, ReapplyRule] = {  # by reason code
    "below_minimums": AFTER_30_DAYS,
    "evidence_missing": AT_ONCE,
    "account_not_in_order": AT_ONCE,
    "audience_not_genuine": AFTER_90_DAYS,
    "promotion_methods": AFTER_90_DAYS,
    "api_broker": AT_ONCE,
    "self_referral": AFTER_90_DAYS,
    "duplicate": AT_ONCE,
    "other": AFTER_30_DAYS,
}


def default_rule(reason_code: str) -> str:
    """Return the key of the default rule for a rejection reason."""
    return DEFAULT_RULES[reason_code].key


def reapply_from(key: str, decided_on: date) -> date | None:
    """Return the first UTC day on which the applicant may apply again; ``None`` for never."""
    days = RULES_BY_KEY[key].days
    return None if days is None else decided_on + timedelta(days=days)


def may_reapply(key: str | None, opens_on: date | None, *, on: date) -> bool:
    """Whether the applicant may apply on the day ``on``.

    ``key`` and ``opens_on`` are stored with the decision, so that a later change of the rule does
    not move a promised day. A decision without them sets no limit.
    """
    if opens_on is not None:
        return on >= opens_on
    return key != NEVER.key


def reapply_sentence(key: str, decided_on: date) -> str:
    """Return the rule as a sentence for the applicant."""
    opens_on = reapply_from(key, decided_on)
    if opens_on is None:
        return "We cannot consider another application from this account."
    if opens_on <= decided_on:
        return "You may apply again at any time."
    return f"You may apply again from {wording.day(opens_on)}."
