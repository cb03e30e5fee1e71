"""Priority of applications, in points with an explanation.

Each component has a cap, so that none dominates, and the sum is at most 100. The points are data:
this module explains them, and the queue's order in SQL is built from them.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from program.policy.criteria import ON_EXCHANGE, Criterion, Unit
from program.policy.eligibility import Assessment, Facts
from program.policy.outcomes import OUTCOME_WORDS, Outcome
from program.policy.policy import Policy
from program.review import business_time
from program.risk.judging import NOT_MEASURED, Headline

HIGHEST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One component of the priority; ``cap`` is its maximum."""

    key: str
    label: str
    cap: int


WAITING = Component(key="waiting", label="Waiting", cap=20)
OVERDUE = Component(key="overdue", label="Overdue", cap=30)
ELIGIBILITY = Component(key="eligibility", label="Eligibility", cap=25)
VOLUME = Component(key="volume", label="Volume", cap=15)
NEAR_MISS = Component(key="near_miss", label="Near miss", cap=10)
ANSWERED = Component(key="answered", label="Answered", cap=10)
RISK = Component(key="risk", label="Risk", cap=10)

POINTS_A_DAY_WAITING = 2
POINTS_WHEN_OVERDUE = 15
POINTS_A_DAY_OVERDUE = 3
ELIGIBILITY_POINTS = {Outcome.MET: 25, Outcome.UNKNOWN: 10, Outcome.NOT_MET: 0}
ELIGIBILITY_SENTENCES = {one: f"eligibility {words}" for one, words in OUTCOME_WORDS.items()}
# Window volume of at least so many times the minimum; the first match counts.
VOLUME_STEPS: tuple[tuple[int, int], ...] = ((5, 15), (2, 10), (1, 5))
NEAR_SHARE = Decimal("0.9")
# So many points of the risk score are one point here.
RISK_SCORE_A_POINT = 10
MOST_SIGNALS_NAMED = 3


def waiting_points(days: int) -> int:
    """Return the points for whole business days of waiting."""
    return min(WAITING.cap, days * POINTS_A_DAY_WAITING)


def overdue_points(beyond: int) -> int:
    """Return the points for whole business days past due; 0 is overdue already."""
    if beyond < 0:
        return 0
    return min(OVERDUE.cap, POINTS_WHEN_OVERDUE + beyond * POINTS_A_DAY_OVERDUE)


def risk_points(score: int) -> int:
    """Return the points for a risk score: what may be gamed deserves an early look."""
    return min(RISK.cap, score // RISK_SCORE_A_POINT)


def days_counted(policy: Policy) -> int:
    """Return after how many business days the clock adds no more points."""
    waiting = -(-WAITING.cap // POINTS_A_DAY_WAITING)
    overdue = -(-(OVERDUE.cap - POINTS_WHEN_OVERDUE) // POINTS_A_DAY_OVERDUE)
    return max(waiting, policy.review_sla_business_days + overdue)


def near(criterion: Criterion, policy: Policy) -> Decimal | int:
    """Return the value from which a criterion is nearly met; a whole number for counts."""
    minimum: Decimal | int = getattr(policy, criterion.minimum)
    least = NEAR_SHARE * minimum
    return least if criterion.unit is Unit.USD else math.ceil(least)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The review clock ``since`` it started, read at ``now``."""

    since: datetime
    now: datetime
    holidays: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityPart:
    """The points of one component, and the reason."""

    component: Component
    points: int
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Priority:
    """The total and its parts, largest first; parts without points are left out."""

    total: int
    parts: tuple[PriorityPart, ...]

    @property
    def sentence(self) -> str:
        """The parts in one line."""
        text = " · ".join(f"{part.sentence} {part.points}" for part in self.parts)
        return text or "No points yet"


def explain(
    facts: Facts,
    assessment: Assessment,
    *,
    policy: Policy,
    clock: Clock,
    answered: bool,
    risk: Headline = NOT_MEASURED,
) -> Priority:
    """Compute one application's priority. Unknown figures add nothing."""
    parts = [
        *_clock(clock, policy),
        _eligibility(assessment.outcome),
        *_size(facts, policy),
        *_near_miss(facts, policy, assessment),
        *([_part(ANSWERED, ANSWERED.cap, "the applicant answered")] if answered else []),
        _part(RISK, risk_points(risk.score), _risk_words(risk)),
    ]
    counting = sorted((p for p in parts if p.points), key=lambda p: -p.points)
    return Priority(
        total=min(HIGHEST, sum(part.points for part in counting)), parts=tuple(counting)
    )


def _clock(clock: Clock, policy: Policy) -> Iterator[PriorityPart]:
    days = business_time.whole_days(clock.since, clock.now, clock.holidays)
    yield _part(WAITING, waiting_points(days), f"waiting {_days(days)}")
    beyond = days - policy.review_sla_business_days
    # With zero review days, a clock that has yet to begin is not late.
    if beyond >= 0 and clock.since <= clock.now:
        sentence = f"overdue by {_days(beyond)}" if beyond else "overdue"
        yield _part(OVERDUE, overdue_points(beyond), sentence)


def _eligibility(outcome: Outcome) -> PriorityPart:
    return _part(ELIGIBILITY, ELIGIBILITY_POINTS[outcome], ELIGIBILITY_SENTENCES[outcome])


def _size(facts: Facts, policy: Policy) -> Iterator[PriorityPart]:
    for times, points in VOLUME_STEPS:
        if facts.volume_usd is not None and facts.volume_usd >= times * policy.min_volume_usd:
            more = f"at least {times} times the minimum" if times > 1 else "at the minimum or more"
            yield _part(VOLUME, points, f"volume {more}")
            return


def _near_miss(facts: Facts, policy: Policy, assessment: Assessment) -> Iterator[PriorityPart]:
    if assessment.outcome is Outcome.MET:
        return
    held = [(facts.value(criterion), near(criterion, policy)) for criterion in ON_EXCHANGE.criteria]
    if all(value is not None and value >= least for value, least in held):
        yield _part(NEAR_MISS, NEAR_MISS.cap, "within a tenth of every on-exchange minimum")


def _risk_words(risk: Headline) -> str:
    names, more = risk.names[:MOST_SIGNALS_NAMED], len(risk.signals) - MOST_SIGNALS_NAMED
    return f"risk: {', '.join(names)}{f' and {more} more' if more > 0 else ''}"


def _part(component: Component, points: int, sentence: str) -> PriorityPart:
    return PriorityPart(component=component, points=points, sentence=sentence)


def _days(number: int) -> str:
    return f"{number} business day{'' if number == 1 else 's'}"
