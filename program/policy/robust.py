"""Eligibility that survives a second look: the on-exchange criteria on parts of the activity.

What one account could have bought is left out in turn, and the rest is judged by the same criteria.
``review.judged_risk`` is the same in SQL; a property test compares the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from program.policy.criteria import ON_EXCHANGE, Criterion
from program.policy.eligibility import Facts, judge_criterion
from program.policy.outcomes import Outcome
from program.policy.policy import Policy
from program.risk.judging import Measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What is left out: ``words`` in a definition, ``short`` after a count on a screen."""

    key: str
    words: str
    short: str


WITHOUT_TOP = Variant(
    key="without_top", words="without the largest user", short="without its top user"
)
WITHOUT_SMALL = Variant(
    key="without_small",
    words="without users under 1,000 USD of volume",
    short="without small users",
)
FEE_BEARING = Variant(
    key="fee_bearing",
    words="on volume that bore a positive net fee",
    short="on fee-bearing volume",
)
VARIANTS = (WITHOUT_TOP, WITHOUT_SMALL, FEE_BEARING)
# The signal that is derived from these facts.
FRAGILE = "R03"
CRITERIA = ON_EXCHANGE.criteria


@dataclass(frozen=True, slots=True, kw_only=True)
class Robust:
    """How many on-exchange criteria are met, by all activity and by each part of it."""

    met: int
    without_top: int
    without_small: int
    fee_bearing: int

    @property
    def of(self) -> int:
        """The number of criteria."""
        return len(CRITERIA)

    @property
    def is_fragile(self) -> bool:
        """Whether all criteria are met, and by some part of the activity they are not."""
        return self.met == self.of and bool(self.weaker)

    @property
    def weaker(self) -> tuple[tuple[Variant, int], ...]:
        """The parts that meet fewer criteria, with how many, the weakest first."""
        counted = [(variant, self.count(variant)) for variant in VARIANTS]
        fewer = [(variant, number) for variant, number in counted if number < self.met]
        return tuple(sorted(fewer, key=lambda one: one[1]))

    @property
    def sentence(self) -> str:
        """All in one line: ``meets 3 of 3; 1 of 3 without its top user``."""
        whole = f"meets {self.met} of {self.of}"
        if not self.met:
            return whole
        if not self.weaker:
            return f"{whole}; the same without its top user"
        parts = [f"{number} of {self.of} {variant.short}" for variant, number in self.weaker]
        return "; ".join([whole, *parts])

    def count(self, variant: Variant) -> int:
        """Return how many criteria are met by this part."""
        number: int = getattr(self, variant.key)
        return number


def judge(facts: Facts, parts: Mapping[str, Facts], policy: Policy) -> Robust | None:
    """Judge all activity and each part, by key; ``None`` unless every figure is known."""
    met = _judged(facts, parts, policy)
    if met is None:
        return None
    whole, known = met
    return Robust(met=len(whole), **{key: len(one) for key, one in known.items()})


def measure(facts: Facts, parts: Mapping[str, Facts], policy: Policy) -> Measured:
    """Return the value and sample of `FRAGILE`: criteria that the worst part no longer meets."""
    met = _judged(facts, parts, policy)
    if met is None:
        return Measured(value=None)
    whole, known = met
    lost = max(len(whole - one) for one in known.values())
    return Measured(value=Decimal(lost), sample=Decimal(len(whole)))


_Met = frozenset[Criterion]


def _judged(
    facts: Facts, parts: Mapping[str, Facts], policy: Policy
) -> tuple[_Met, dict[str, _Met]] | None:
    whole = _met(facts, policy)
    met = {variant.key: _met(parts.get(variant.key, Facts()), policy) for variant in VARIANTS}
    known = {key: one for key, one in met.items() if one is not None}
    return None if whole is None or len(known) < len(VARIANTS) else (whole, known)


def _met(facts: Facts, policy: Policy) -> _Met | None:
    """Return the on-exchange criteria that are met; ``None`` if one is unknown."""
    results = [judge_criterion(criterion, facts, policy) for criterion in CRITERIA]
    if any(result.outcome is Outcome.UNKNOWN for result in results):
        return None
    return frozenset(r.criterion for r in results if r.outcome is Outcome.MET)
