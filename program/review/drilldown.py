"""Drill-downs: the applications behind a figure, as one frozen record.

A slice travels in the address with the queue's filters, so that the list behind a figure can be
opened, shared and exported. The address is untrusted text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from program import query, wording
from program.periods import ONE_DAY, Window
from program.policy.criteria import BOTH_TRACKS, TRACKS
from program.query import Parameter
from program.review import people

# The first two digits of every year that is accepted.
CENTURY = 20
NO_TRACK = "none"
UNKNOWN_COUNTRY = "unknown"
TRACKS_AT_DECISION = (*(track.key for track in TRACKS), BOTH_TRACKS, NO_TRACK)


class Scope(StrEnum):
    """Groups of statuses, for slices that are not of one status."""

    OPEN = "open"
    DECIDED = "decided"
    APPROVED = "approved"
    REJECTED = "rejected"
    ALL = "all"


class Moment(StrEnum):
    """What must have happened during the period, or been true at its end."""

    SUBMITTED = "submitted"
    TOUCHED = "touched"
    DECIDED = "decided"
    REOPENED = "reopened"
    OPEN_AT_END = "open_at_end"


class Clock(StrEnum):
    """The review clock of an open application; each is in exactly one state."""

    OVERDUE = "overdue"
    SOON = "soon"
    LATER = "later"
    STOPPED = "stopped"


class Timing(StrEnum):
    """Whether a decision was made before its application was due."""

    ON_TIME = "on_time"
    LATE = "late"


class Stage(StrEnum):
    """How far an application came; each stage includes the later ones."""

    TOUCHED = "touched"
    DECIDED = "decided"
    APPROVED = "approved"
    ACTIVE = "active"


SCOPE_WORDS = {
    Scope.OPEN: "open",
    Scope.DECIDED: "approved and rejected",
    Scope.APPROVED: "approved",
    Scope.REJECTED: "rejected",
    Scope.ALL: "of every status",
}
MOMENT_WORDS = {
    Moment.SUBMITTED: "submitted",
    Moment.TOUCHED: "first touched",
    Moment.DECIDED: "decided",
    Moment.REOPENED: "reopened",
    Moment.OPEN_AT_END: "open at the end of",
}
CLOCK_WORDS = {
    Clock.OVERDUE: "overdue",
    Clock.SOON: "due within a business day",
    Clock.LATER: "due later",
    Clock.STOPPED: "clock stopped, the applicant owes information",
}
TIMING_WORDS = {
    Timing.ON_TIME: "decided on time",
    Timing.LATE: "decided when overdue",
}
STAGE_WORDS = {
    Stage.TOUCHED: "touched by staff",
    Stage.DECIDED: "decided",
    Stage.APPROVED: "approved",
    Stage.ACTIVE: "approved, with referral volume since",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeGroup:
    """Whole days of 24 hours since submission, from ``first`` to ``last``; open-ended if None."""

    key: str
    label: str
    first: int
    last: int | None


AGE_GROUPS = (
    AgeGroup(key="0-2", label="0–2 days", first=0, last=2),
    AgeGroup(key="3-10", label="3–10 days", first=3, last=10),
    AgeGroup(key="11-30", label="11–30 days", first=11, last=30),
    AgeGroup(key="31+", label="31 days and more", first=31, last=None),
)
AGE_GROUPS_BY_KEY = {group.key: group for group in AGE_GROUPS}


def _day(text: str) -> date | None:
    found = query.day(text)
    return found if found and found.year // 100 == CENTURY else None


def _reviewer(text: str) -> str | None:
    address = people.normal(text)
    return address if re.fullmatch(r"[!-~]{1,254}", address) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice(query.Record):
    """The applications of ``scope`` that match everything set; empty without a scope.

    ``since`` and ``until`` are the first and last UTC day of ``moment``. ``reviewer`` made the
    current decision (with REOPENED: the decision that was taken back); ``track`` is the track met
    at that decision, "none" if no track was.
    """

    parameters = (
        Parameter(name="scope", field="scope", read=query.member(Scope)),
        Parameter(name="moment", field="moment", read=query.member(Moment)),
        Parameter(name="since", field="since", read=_day),
        Parameter(name="until", field="until", read=_day),
        Parameter(name="reviewer", field="reviewer", read=_reviewer),
        Parameter(name="override", field="override", read=query.flag("yes"), write=lambda _: "yes"),
        Parameter(name="decided_track", field="track", read=query.one_of(TRACKS_AT_DECISION)),
        Parameter(name="timing", field="timing", read=query.member(Timing)),
        Parameter(name="age", field="age", read=query.one_of(AGE_GROUPS_BY_KEY)),
        Parameter(name="clock", field="clock", read=query.member(Clock)),
        Parameter(name="reached", field="reached", read=query.member(Stage)),
    )
    scope: Scope | None = None
    moment: Moment | None = None
    since: date | None = None
    until: date | None = None
    reviewer: str = ""
    override: bool = False
    track: str = ""
    timing: Timing | None = None
    age: str = ""
    clock: Clock | None = None
    reached: Stage | None = None

    @property
    def period(self) -> Window | None:
        """The days of ``moment``; ``None`` if no days are set."""
        if self.since is None or self.until is None:
            return None
        return Window(self.since, self.until + ONE_DAY)

    def during(self, period: Window) -> "Slice":
        """Return the same slice over the days of ``period``."""
        return replace(self, since=period.start, until=period.last_day)

    @classmethod
    def from_query(cls, found: Mapping[str, str]) -> "Slice":
        """Parse the query parameters; empty without a scope, and anything malformed is ignored."""
        asked = cls(**cls.values(found))
        if asked.scope is None:
            return cls()
        if asked.moment and asked.since and asked.until and asked.since <= asked.until:
            return asked
        return replace(asked, moment=None, since=None, until=None)

    @property
    def sentence(self) -> str:
        """Describe the slice, without the reviewer's address, which is typed text."""
        if self.scope is None:
            return ""
        parts = [f"Applications {SCOPE_WORDS[self.scope]}"]
        if self.moment and self.period:
            parts.append(f"{MOMENT_WORDS[self.moment]} {wording.span(self.period)}, UTC")
        if self.override:
            parts.append("against the computed eligibility")
        if self.track:
            parts.append(f"track at the decision: {self.track.replace('_', '-')}")
        if self.timing:
            parts.append(TIMING_WORDS[self.timing])
        if self.age:
            parts.append(f"{AGE_GROUPS_BY_KEY[self.age].label} old")
        if self.clock:
            parts.append(CLOCK_WORDS[self.clock])
        if self.reached:
            parts.append(STAGE_WORDS[self.reached])
        return " · ".join(parts)


WHOLE = Slice()


QUERY_NAMES = tuple(one.name for one in Slice.parameters)
