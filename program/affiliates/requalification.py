"""Affiliates after their approval: standings, monthly tests, and the steps they suggest.

Every whole calendar month is tested by the criteria that applications are judged by. Tests only
suggest; a person changes a standing.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from program import wording
from program.periods import day_start, month_start, months_later, utc_day
from program.policy import delivered
from program.policy.criteria import TRACKS, Criterion, Requires, Track
from program.policy.eligibility import CriterionResult, Facts, judge_track
from program.policy.outcomes import Outcome
from program.policy.policy import Policy
from program.review.permissions import Act
from program.review.priority import near

# Months tested and looked back at; more than a policy can require in a row.
MONTHS_KEPT = 12
NARROW_SHARE = Decimal("1.1")


class Standing(StrEnum):
    """An approved affiliate's standing; active until somebody changes it."""

    ACTIVE = "active"
    ON_NOTICE = "on_notice"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"


STANDING_WORDS = {
    Standing.ACTIVE: "active",
    Standing.ON_NOTICE: "on notice",
    Standing.SUSPENDED: "suspended",
    Standing.TERMINATED: "terminated",
}
STANDING_MEANINGS = {
    Standing.ACTIVE: "in the program, at the granted rate",
    Standing.ON_NOTICE: "in the program; notified that the minimums are missed",
    Standing.SUSPENDED: "at the standard rate until restored",
    Standing.TERMINATED: "out of the program; only a manager's reinstatement leads back",
}


class Step(StrEnum):
    """A step that changes a standing. The value completes the kind of its event."""

    PUT_ON_NOTICE = "put_on_notice"
    SUSPEND = "suspended"
    RESTORE = "restored"
    TERMINATE = "terminated"
    REINSTATE = "reinstated"

    @property
    def event(self) -> str:
        """The kind of the event on the timeline of the affiliate's application."""
        return f"affiliate_{self}"


# These restart the count of misses.
WAYS_BACK = (Step.RESTORE, Step.REINSTATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One allowed change from a standing to another; ``label`` is its button's text."""

    step: Step
    old: Standing
    new: Standing
    label: str
    act: Act = Act.REQUALIFY


def _ways(step: Step, label: str, new: Standing, *old: Standing) -> tuple[Transition, ...]:
    return tuple(Transition(step=step, old=each, new=new, label=label) for each in old)


_ACTIVE, _NOTICE, _OUT, _GONE = Standing

TRANSITIONS: tuple[Transition, ...] = (
    *_ways(Step.PUT_ON_NOTICE, "Put on notice", _NOTICE, _ACTIVE),
    *_ways(Step.SUSPEND, "Suspend", _OUT, _ACTIVE, _NOTICE),
    *_ways(Step.RESTORE, "Restore", _ACTIVE, _NOTICE, _OUT),
    *_ways(Step.TERMINATE, "Terminate", _GONE, _ACTIVE, _NOTICE, _OUT),
    *_ways(Step.REINSTATE, "Reinstate", _ACTIVE, _GONE),
)
STEP_LABELS: dict[Step, str] = {way.step: way.label for way in TRANSITIONS}


def way(step: Step, old: Standing) -> Transition | None:
    """Return the transition of ``step`` from ``old``; ``None`` if it is not allowed."""
    return next((t for t in TRANSITIONS if (t.step, t.old) == (step, old)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a standing changes, and the steps for which the reason can be given."""

    code: str
    label: str
    steps: tuple[Step, ...]


_DOWN = (Step.PUT_ON_NOTICE, Step.SUSPEND, Step.TERMINATE)
REASONS: tuple[Reason, ...] = (
    Reason(code="minimums_missed", label="Minimums missed", steps=_DOWN),
    Reason(code="activity_not_genuine", label="Activity not genuine", steps=_DOWN),
    Reason(code="rules_broken", label="Program rules broken", steps=_DOWN),
    Reason(code="own_wish", label="Affiliate's request", steps=(Step.SUSPEND, Step.TERMINATE)),
    Reason(code="minimums_met", label="Minimums met again", steps=WAYS_BACK),
    Reason(code="concern_cleared", label="Concern resolved", steps=WAYS_BACK),
    Reason(code="mistake", label="It was a mistake", steps=WAYS_BACK),
    Reason(code="other", label="Other", steps=tuple(Step)),
)
REASONS_BY_CODE: dict[str, Reason] = {reason.code: reason for reason in REASONS}


def reasons(step: Step) -> tuple[Reason, ...]:
    """Return the reasons to choose from, in order."""
    return tuple(reason for reason in REASONS if step in reason.steps)


# Results of the tests.


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthTest:
    """A tested calendar month. ``near``: a tenth more or less would change the result.

    ``missing_days`` were not delivered; with any, figures are lower bounds.
    """

    month: date
    outcome: Outcome
    facts: Facts
    near: bool
    policy_version: int
    missing_days: int = 0

    @property
    def gap(self) -> str:
        """The missing days in words; "" if there are none."""
        if not self.missing_days:
            return ""
        days = (months_later(self.month, 1) - self.month).days
        return delivered.missing_words(self.missing_days, days)


def first_tested(approved_at: datetime) -> date:
    """Return the first month that is tested: the one after the month of the approval."""
    return months_later(month_start(utc_day(approved_at)), 1)


def first_counted(approved_at: datetime, policy: Policy, count_from: date | None = None) -> date:
    """Return the first month whose miss counts: after the protection, from ``count_from`` on.

    ``count_from`` is the month of the last restoration or reinstatement, which restarts the count.
    """
    protected = months_later(first_tested(approved_at), policy.requalification_protection_months)
    return max(protected, count_from) if count_from else protected


def may_have_missed_more(misses: int, *, counted_from: date, newest: date) -> bool:
    """Whether every month kept up to ``newest`` was missed, so that earlier ones may be too."""
    return misses >= MONTHS_KEPT and counted_from < months_later(newest, 1 - MONTHS_KEPT)


def suggestion(
    standing: Standing,
    *,
    since: datetime | None,
    misses: int,
    newest: Outcome | None,
    newest_month: date | None,
    policy: Policy,
) -> Step | None:
    """Return the step that the tests suggest; ``None`` if there is nothing to do.

    ``since`` is when the standing began, ``newest`` the result of the newest month. Only a month
    that ended after the standing began can suggest a restoration.
    """
    if standing is Standing.TERMINATED:
        return None
    if misses >= policy.requalification_misses:
        return None if standing is Standing.SUSPENDED else Step.SUSPEND
    if misses:
        return Step.PUT_ON_NOTICE if standing is Standing.ACTIVE else None
    if standing is Standing.ACTIVE or newest is not Outcome.MET or newest_month is None:
        return None
    ended = day_start(months_later(newest_month, 1))
    return Step.RESTORE if since is None or ended > since else None


# Near: a tenth more or less would have changed the result.


def nearly(criterion: Criterion, policy: Policy) -> Decimal | int:
    """Return the value from which a criterion is met, or missed by at most a tenth."""
    return near(criterion, policy)


def clearly(criterion: Criterion, policy: Policy) -> Decimal:
    """Return the value from which a criterion is met by more than a tenth of its minimum."""
    return NARROW_SHARE * Decimal(getattr(policy, criterion.minimum))


# The suggested rate.


@dataclass(frozen=True, slots=True, kw_only=True)
class RateStep:
    """A month with at least so many times the minimum volume supports a rate up to ``most``."""

    times: int
    most: Decimal | None


# The first match counts. None means the policy's maximum.
RATE_STEPS: tuple[RateStep, ...] = (
    RateStep(times=5, most=None),
    RateStep(times=2, most=Decimal("0.30")),
    RateStep(times=0, most=Decimal("0.20")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestedRate:
    """A rate as a fraction of net fees, never above the policy's maximum, and the reason."""

    rate: Decimal
    why: str


def suggested_rate(
    granted: Decimal, newest: MonthTest | None, *, misses: int, policy: Policy
) -> SuggestedRate:
    """Return the rate that the newest month supports; it never rises by itself.

    A counted miss leads to the standard rate. A pass keeps the granted rate as far as the month's
    volume supports it. Protected, unknown and untested months, and a volume that is unknown or
    incomplete, change nothing.
    """
    most = policy.max_rebate_rate
    if misses and newest is not None and newest.outcome is Outcome.NOT_MET:
        return SuggestedRate(rate=min(policy.standard_rebate_rate, most), why="missed: standard")
    if newest is None or newest.outcome is not Outcome.MET:
        why = newest.gap if newest and newest.gap else "no month counts against it"
        return SuggestedRate(rate=min(granted, most), why=f"kept: {why}")
    volume = newest.facts.volume_usd
    if volume is None:
        return SuggestedRate(rate=min(granted, most), why="kept: the month's volume is unknown")
    step = _rate_step(volume, policy)
    carried = most if step.most is None else min(step.most, most)
    if granted <= carried:
        return SuggestedRate(rate=granted, why="kept: passed with enough volume")
    if newest.gap:
        return SuggestedRate(rate=min(granted, most), why=f"kept: {newest.gap}")
    return SuggestedRate(rate=carried, why=f"passed, volume supports {wording.percent(carried)}")


def _rate_step(volume: Decimal, policy: Policy) -> RateStep:
    return next(s for s in RATE_STEPS if volume >= s.times * policy.min_volume_usd)


# Messages to affiliates, sent unless the policy is silent.

_HELLO = "Hello {{username}},\n\n"
_MISSED = "{{criterion_gap}} {{minimums}}"
MESSAGES: dict[Step, str] = {
    Step.PUT_ON_NOTICE: (
        _HELLO + "As an affiliate of {{exchange}} you are tested every calendar month, and the "
        "last one did not reach the program's minimums. " + _MISSED + "\n\nYour rebate stays as "
        "it is for now. If the minimums are missed again, it may be suspended."
    ),
    Step.SUSPEND: (
        _HELLO + "Your higher rebate in the affiliate program of {{exchange}} is suspended. "
        "From now on the standard rebate applies. It can be restored when a calendar month "
        "reaches the minimums again. {{minimums}}"
    ),
    Step.RESTORE: (
        _HELLO + "Your place in the affiliate program of {{exchange}} is as it was before: "
        "your rebate is {{rebate_rate}} of the net trading fees of the users you refer."
    ),
    Step.TERMINATE: (
        _HELLO + "Your membership in the affiliate program of {{exchange}} ends today. The "
        "standard rebate of every account is still yours, and you can still claim what you "
        "have earned."
    ),
    Step.REINSTATE: (
        _HELLO + "You are back in the affiliate program of {{exchange}}. Your rebate is "
        "{{rebate_rate}} of the net trading fees of the users you refer."
    ),
}


def closest(facts: Facts, policy: Policy) -> CriterionResult | None:
    """Return the criterion that decided the result; ``None`` if none can be named.

    Within a track that requires all criteria it is the weakest, within one that requires any the
    strongest; of the tracks, the one that came closest.
    """
    decisive = [found for track in TRACKS if (found := _decisive(track, facts, policy))]
    return max(decisive, key=_margin, default=None)


def margin_words(test: MonthTest, policy: Policy) -> str:
    """Format the deciding criterion and its margin: ``volume −3 %``."""
    found = closest(test.facts, policy)
    if found is None:
        return ""
    return f"{wording.inline(found.criterion.label)} {wording.change(_margin(found))}"


def _decisive(track: Track, facts: Facts, policy: Policy) -> CriterionResult | None:
    known = [r for r in judge_track(track, facts, policy).criteria if r.margin is not None]
    if not known:
        return None
    return (min if track.requires is Requires.ALL else max)(known, key=_margin)


def _margin(result: CriterionResult) -> Decimal:
    assert result.margin is not None
    return result.margin
