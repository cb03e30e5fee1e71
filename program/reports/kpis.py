"""Every figure of the program page: its definition, its date, and the list behind it.

The page's tooltips, the columns of its tables and files, and docs/kpis.md are made from here.
"""

from dataclasses import dataclass
from enum import StrEnum

from program.reports import anomalies
from program.review.drilldown import Moment, Scope, Slice, Timing


class Unit(StrEnum):
    """The unit of a figure."""

    APPLICATIONS = "applications"
    SHARE = "%"
    HOURS = "hours"
    USD = "USD"
    USERS = "users"
    AFFILIATES = "affiliates"
    INDEX = "points of 10,000"


class Counted(StrEnum):
    """The date by which something falls into a period. All days are UTC."""

    SUBMISSION = "the day it was submitted"
    TOUCH = "the day staff first touched it"
    DECISION = "the day of the current decision"
    REOPENING = "the day it was reopened"
    NOW = "as it stands now"
    STEP_END = "as it stood at the end of each step"
    TRADING = "the day of trading, of those that were delivered"
    REFERRAL = "the day the user was referred"
    MONTH = "the calendar month of trading"


class Reading(StrEnum):
    """Whether higher or lower is better; decides the color of a change."""

    NEUTRAL = "neither"
    HIGHER = "higher"
    LOWER = "lower"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """One figure. ``opens`` is its drill-down list over the days of the period; None for none."""

    key: str
    name: str
    unit: Unit
    definition: str
    counted: Counted
    opens: Slice | None = None
    reading: Reading = Reading.NEUTRAL


_SUBMITTED = Slice(scope=Scope.ALL, moment=Moment.SUBMITTED)
_TOUCHED = Slice(scope=Scope.ALL, moment=Moment.TOUCHED)
_DECIDED = Slice(scope=Scope.DECIDED, moment=Moment.DECIDED)
_APPROVED = Slice(scope=Scope.APPROVED, moment=Moment.DECIDED)
_REJECTED = Slice(scope=Scope.REJECTED, moment=Moment.DECIDED)
_REOPENED = Slice(scope=Scope.ALL, moment=Moment.REOPENED)
_OPEN_AT_END = Slice(scope=Scope.ALL, moment=Moment.OPEN_AT_END)
_OPEN = Slice(scope=Scope.OPEN)
_STANDS = "A decision is current unless a later one supersedes it or the application was reopened."
_AT_THE_PACE = (
    "Those overdue now or due by then, less what is decided until then, at the pace of the last "
    "four weeks, if those due first are decided first. The range is that of a fast and a slow run "
    "of as many working days: one run in ten was faster, one slower. Stopped clocks, and what "
    "arrives meanwhile, are not counted."
)
_TRADES = "Upstream's figures, summed over all affiliates."

SUBMITTED = Kpi(
    key="submitted",
    name="Applications in",
    unit=Unit.APPLICATIONS,
    definition="Applications submitted in the period, with any outcome.",
    counted=Counted.SUBMISSION,
    opens=_SUBMITTED,
)
DECIDED = Kpi(
    key="decided",
    name="Decided",
    unit=Unit.APPLICATIONS,
    definition=(
        f"Applications whose current decision, either way, was made here in the period. {_STANDS}"
    ),
    counted=Counted.DECISION,
    opens=_DECIDED,
)
APPROVED = Kpi(
    key="approved",
    name="Approved",
    unit=Unit.APPLICATIONS,
    definition="Of the decided, those that were approved.",
    counted=Counted.DECISION,
    opens=_APPROVED,
)
REJECTED = Kpi(
    key="rejected",
    name="Rejected",
    unit=Unit.APPLICATIONS,
    definition="Of the decided, those that were rejected.",
    counted=Counted.DECISION,
    opens=_REJECTED,
)
OPEN = Kpi(
    key="open",
    name="Open now",
    unit=Unit.APPLICATIONS,
    definition=(
        "Applications that are not settled: pending, deferred, or waiting for the applicant or a "
        "second approval."
    ),
    counted=Counted.NOW,
    opens=_OPEN,
)
OPEN_THEN = Kpi(
    key="open_then",
    name="Open at the end of each step",
    unit=Unit.APPLICATIONS,
    definition=(
        "Open now, plus what was settled since, minus what arrived since. A reopened application "
        "counts as open all along."
    ),
    counted=Counted.STEP_END,
    opens=_OPEN_AT_END,
)
OPEN_AT_END = Kpi(
    key="open_at_end",
    name="Open at the end",
    unit=Unit.APPLICATIONS,
    definition=(
        "Applications that were not settled when the last day of a past period ended: open now, "
        "plus what was settled since, minus what arrived since."
    ),
    counted=Counted.STEP_END,
    opens=_OPEN_AT_END,
)
OPEN_BY_AGE = Kpi(
    key="open_by_age",
    name="Open by age",
    unit=Unit.APPLICATIONS,
    definition="Open applications by whole days of 24 hours since they were submitted.",
    counted=Counted.NOW,
    opens=_OPEN,
)
OPEN_BY_CLOCK = Kpi(
    key="open_by_clock",
    name="Open by due state",
    unit=Unit.APPLICATIONS,
    definition=(
        "Open applications by the state of their review clock, which is stopped while the "
        "applicant owes information."
    ),
    counted=Counted.NOW,
    opens=_OPEN,
)
APPROVAL_RATE = Kpi(
    key="approval_rate",
    name="Approval rate",
    unit=Unit.SHARE,
    definition="Approved among decided; empty if nothing was decided.",
    counted=Counted.DECISION,
    opens=_DECIDED,
)
ON_TIME = Kpi(
    key="on_time_rate",
    name="Decided on time",
    unit=Unit.SHARE,
    definition=(
        "Of the decided, the share whose current decision came before it was due: by the review "
        "clock, which a question to the applicant stops and a reopening restarts, the review time "
        "of that decision's policy, and the holidays as they are now. A decision from before its "
        "clock began is left out."
    ),
    counted=Counted.DECISION,
    opens=Slice(scope=Scope.DECIDED, moment=Moment.DECIDED, timing=Timing.LATE),
    reading=Reading.HIGHER,
)
OVERDUE_NEXT_DAY = Kpi(
    key="overdue_next_day",
    name="Overdue after the next working day",
    unit=Unit.APPLICATIONS,
    definition=f"Open applications that will be overdue when it ends, 24:00 UTC. {_AT_THE_PACE}",
    counted=Counted.NOW,
    reading=Reading.LOWER,
)
OVERDUE_IN_THREE = Kpi(
    key="overdue_in_three_days",
    name="Overdue in three working days",
    unit=Unit.APPLICATIONS,
    definition=f"Open applications that will be overdue in three working days. {_AT_THE_PACE}",
    counted=Counted.NOW,
    reading=Reading.LOWER,
)
OVERRIDES = Kpi(
    key="overrides",
    name="Overrides",
    unit=Unit.APPLICATIONS,
    definition="Of the decided, those that went against the computed eligibility.",
    counted=Counted.DECISION,
    opens=Slice(scope=Scope.DECIDED, moment=Moment.DECIDED, override=True),
)
TIME_TO_DECISION = Kpi(
    key="time_to_decision",
    name="Median time to decision",
    unit=Unit.HOURS,
    definition=(
        "From submission to the current decision, of the decided: half took longer. Hours of the"
        " calendar, nights and weekends included."
    ),
    counted=Counted.DECISION,
    opens=_DECIDED,
    reading=Reading.LOWER,
)
TIME_TO_DECISION_P90 = Kpi(
    key="time_to_decision_p90",
    name="Time to decision, 9 of 10 within",
    unit=Unit.HOURS,
    definition=(
        "From submission to the current decision: one in ten took longer (90th percentile, "
        "interpolated)."
    ),
    counted=Counted.DECISION,
    opens=_DECIDED,
    reading=Reading.LOWER,
)
TIME_TO_TOUCH = Kpi(
    key="time_to_touch",
    name="Median time to first touch",
    unit=Unit.HOURS,
    definition=(
        "From submission to the first act by staff (event, note, evidence, check or decision), "
        "of those first touched in the period."
    ),
    counted=Counted.TOUCH,
    opens=_TOUCHED,
    reading=Reading.LOWER,
)
TIME_TO_TOUCH_P90 = Kpi(
    key="time_to_touch_p90",
    name="Time to first touch, 9 of 10 within",
    unit=Unit.HOURS,
    definition="As the median, but one in ten took longer (90th percentile, interpolated).",
    counted=Counted.TOUCH,
    opens=_TOUCHED,
    reading=Reading.LOWER,
)
TOUCHED = Kpi(
    key="touched",
    name="First touched",
    unit=Unit.APPLICATIONS,
    definition="Applications on which staff acted for the first time in the period.",
    counted=Counted.TOUCH,
    opens=_TOUCHED,
)
REOPENED = Kpi(
    key="reopened",
    name="Reopened",
    unit=Unit.APPLICATIONS,
    definition=(
        "Applications reopened in the period, each once; for a reviewer, those whose decision by "
        "them was reopened."
    ),
    counted=Counted.REOPENING,
    opens=_REOPENED,
)
FUNNEL = Kpi(
    key="funnel",
    name="From submitted to active",
    unit=Unit.APPLICATIONS,
    definition=(
        "Applications submitted in the period, and how many of them by now were touched, are "
        "decided, are approved, and had referral volume on a day after the approval."
    ),
    counted=Counted.SUBMISSION,
    opens=_SUBMITTED,
)
FUNNEL_SHARE = Kpi(
    key="funnel_share",
    name="Share of those submitted",
    unit=Unit.SHARE,
    definition=(
        "Of the applications submitted in the period, the share that reached this stage by now; "
        "empty if none was submitted."
    ),
    counted=Counted.SUBMISSION,
    opens=_SUBMITTED,
)
VOLUME = Kpi(
    key="volume",
    name="Program volume",
    unit=Unit.USD,
    definition=f"Trading volume of all referred users. {_TRADES}",
    counted=Counted.TRADING,
    reading=Reading.HIGHER,
)
FEES = Kpi(
    key="fees",
    name="Net fees",
    unit=Unit.USD,
    definition=f"Trading fees of all referred users, net; may be negative. {_TRADES}",
    counted=Counted.TRADING,
    reading=Reading.HIGHER,
)
ACTIVE_USERS = Kpi(
    key="active_users",
    name="Active users on a day",
    unit=Unit.USERS,
    definition=(
        "Distinct referred users with volume on a day, averaged over the days. Distinct users of "
        "whole months are in the table of months."
    ),
    counted=Counted.TRADING,
)
NEW_USERS = Kpi(
    key="new_users",
    name="New users",
    unit=Unit.USERS,
    definition="Users referred on a day of the period.",
    counted=Counted.REFERRAL,
)
STANDARD_REBATE = Kpi(
    key="standard_rebate",
    name="Rebate, standard",
    unit=Unit.USD,
    definition="The policy's standard rate times the net fees of all affiliates.",
    counted=Counted.TRADING,
)
EXTRA_REBATE = Kpi(
    key="extra_rebate",
    name="Rebate, extra",
    unit=Unit.USD,
    definition=(
        "For approved affiliates: the rate of the current decision minus the standard rate, times "
        "net fees from the UTC day of that decision on. From the day of a suspension or "
        "termination until the day before their return the standard rate applies. Decisions and "
        "standings are those of the last refresh, whose time is shown below."
    ),
    counted=Counted.TRADING,
)
TOP_TEN = Kpi(
    key="top_ten_share",
    name="Share of the ten largest",
    unit=Unit.SHARE,
    definition=(
        "Volume of the ten affiliates with the most volume of the period, among all volume. "
        "Only the 100 largest of each calendar month in the period are compared."
    ),
    counted=Counted.TRADING,
)
CONCENTRATION = Kpi(
    key="concentration",
    name="Concentration of affiliates",
    unit=Unit.INDEX,
    definition=(
        "Herfindahl-Hirschman index of a calendar month: 10,000 times the sum of each affiliate's"
        " squared share of volume. 10,000 is one affiliate alone; below 1,500 is widely spread."
    ),
    counted=Counted.MONTH,
)
MONTHLY_ACTIVE = Kpi(
    key="monthly_active_users",
    name="Active users of a month",
    unit=Unit.USERS,
    definition="Distinct referred users with volume on a day of the calendar month.",
    counted=Counted.MONTH,
)
MONTHLY_VOLUME = Kpi(
    key="monthly_volume",
    name="Volume month over month",
    unit=Unit.USD,
    definition=(
        "Volume of each calendar month and its change to the month before. An incomplete newest "
        "month is compared with the same days of the month before."
    ),
    counted=Counted.MONTH,
)
RETENTION = Kpi(
    key="retention",
    name="Referred users still active",
    unit=Unit.SHARE,
    definition=(
        "Of the users referred in a calendar month, the share with volume in the month itself (0)"
        " and in each whole calendar month after it. A month appears once the data reach its "
        "last day."
    ),
    counted=Counted.REFERRAL,
)
STANDING_OUT = Kpi(
    key="anomalies",
    name="Days that stand out",
    unit=Unit.USD,
    definition=anomalies.FORMULA,
    counted=Counted.TRADING,
)

KPIS: tuple[Kpi, ...] = (
    SUBMITTED,
    DECIDED,
    APPROVED,
    REJECTED,
    OPEN,
    OPEN_THEN,
    OPEN_AT_END,
    OPEN_BY_AGE,
    OPEN_BY_CLOCK,
    APPROVAL_RATE,
    ON_TIME,
    OVERDUE_NEXT_DAY,
    OVERDUE_IN_THREE,
    OVERRIDES,
    TOUCHED,
    TIME_TO_TOUCH,
    TIME_TO_TOUCH_P90,
    TIME_TO_DECISION,
    TIME_TO_DECISION_P90,
    REOPENED,
    FUNNEL,
    FUNNEL_SHARE,
    VOLUME,
    FEES,
    ACTIVE_USERS,
    NEW_USERS,
    STANDARD_REBATE,
    EXTRA_REBATE,
    TOP_TEN,
    CONCENTRATION,
    MONTHLY_ACTIVE,
    MONTHLY_VOLUME,
    RETENTION,
    STANDING_OUT,
)
