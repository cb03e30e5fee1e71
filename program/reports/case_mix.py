"""Approval rates of reviewers beside what the others approved of such cases.

A case is what eligibility and track were at the decision. What is expected of a reviewer is what
all others approved of the same cases, in the reviewer's own mix. Cases that too few others decided
are left out on both sides. The interval is Wilson's, of 95 %, and is about chance alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from program.wording import rounded

LEAST_COMPARED = 20
# Of one case, decided by all others together.
LEAST_OTHERS = 5
PLACES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The decisions of one reviewer on one case."""

    decided: int
    approved: int


class Reading(StrEnum):
    """Whether chance explains how far a rate is from the expected one."""

    TOO_FEW = "too few to compare"
    AS_EXPECTED = "as expected"
    MORE = "approves more"
    FEWER = "approves fewer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One reviewer. Shares are of the ``compared`` decisions, and None if these are too few."""

    reviewer: str
    decided: int
    compared: int
    rate: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    expected: Decimal | None = None

    @property
    def reading(self) -> Reading:
        """The comparison in words."""
        if self.expected is None or self.low is None or self.high is None:
            return Reading.TOO_FEW
        if self.low <= self.expected <= self.high:
            return Reading.AS_EXPECTED
        return Reading.MORE if self.low > self.expected else Reading.FEWER


# The cases of each reviewer.
Mix = Mapping[str, Mapping[str, Tally]]


def compare(mix: Mix) -> list[Compared]:
    """Return the reviewers by name, so that nobody is first for a figure."""
    return [_compare(reviewer, mix) for reviewer in sorted(mix)]


def _compare(reviewer: str, mix: Mix) -> Compared:
    own = mix[reviewer]
    others = {
        case: _together(
            cases[case] for who, cases in mix.items() if who != reviewer and case in cases
        )
        for case in own
    }
    cases = [case for case in own if others[case].decided >= LEAST_OTHERS]
    whole = _together(own[case] for case in cases)
    found = Compared(
        reviewer=reviewer,
        decided=_together(own.values()).decided,
        compared=whole.decided,
    )
    if whole.decided < LEAST_COMPARED:
        return found
    return _judged(found, whole, [(own[case], others[case]) for case in cases])


def _judged(found: Compared, whole: Tally, pairs: Sequence[tuple[Tally, Tally]]) -> Compared:
    # Imported where it is used: SciPy takes long to import, and no other page needs it.
    from scipy import stats

    expected = sum(
        (Decimal(own.decided * others.approved) / others.decided for own, others in pairs),
        Decimal(0),
    )
    limits = stats.binomtest(whole.approved, whole.decided).proportion_ci(0.95, method="wilson")
    return Compared(
        reviewer=found.reviewer,
        decided=found.decided,
        compared=found.compared,
        rate=rounded(Decimal(whole.approved) / whole.decided, PLACES),
        low=rounded(Decimal(repr(float(limits.low))), PLACES),
        high=rounded(Decimal(repr(float(limits.high))), PLACES),
        expected=rounded(expected / whole.decided, PLACES),
    )


def _together(tallies: Iterable[Tally]) -> Tally:
    every = list(tallies)
    return Tally(
        decided=sum(one.decided for one in every), approved=sum(one.approved for one in every)
    )
