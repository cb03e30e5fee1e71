"""Drill-downs: the applications behind a figure, as one frozen record.

A slice travels in the address with the queue's filters, so that the list behind a figure can be
opened, shared and exported. The address is untrusted text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import TypeVar

from program import wording
from program.periods import ONE_DAY, Window
from program.policy.criteria import BOTH_TRACKS, TRACKS
from program.review import people
from program.review.ages import AGE_GROUPS_BY_KEY

Member = TypeVar("Member", bound=StrEnum)
NO_TRACK = "none"
UNKNOWN_COUNTRY = "unknown"
# Query parameters that a slice writes.
QUERY_NAMES = (
    "scope",
    "moment",
    "since",
    "until",
    "reviewer",
    "override",
    "decided_track",
    "age",
    "clock",
    "reached",
)
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
STAGE_WORDS = {
    Stage.TOUCHED: "touched by staff",
    Stage.DECIDED: "decided",
    Stage.APPROVED: "approved",
    Stage.ACTIVE: "approved, with referral volume since",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """The applications of ``scope`` that match everything set; empty without a scope.

    ``since`` and ``until`` are the first and last UTC day of ``moment``. ``reviewer`` made the
    current decision (with REOPENED: the decision that was taken back); ``track`` is the track met
    at that decision, "none" if no track was.
    """

    scope: Scope | None = None
    moment: Moment | None = None
    since: date | None = None
    until: date | None = None
    reviewer: str = ""
    override: bool = False
    track: str = ""
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

    def to_query(self) -> dict[str, str]:
        """Return the query parameters; unset fields are left out."""
        spoken = {
            "scope": self.scope or "",
            "moment": self.moment or "",
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
            "reviewer": self.reviewer,
            "override": "yes" if self.override else "",
            "decided_track": self.track,
            "age": self.age,
            "clock": self.clock or "",
            "reached": self.reached or "",
        }
        return {name: str(value) for name, value in spoken.items() if value}

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "Slice":
        """Parse the query parameters; empty without a scope, and anything malformed is ignored."""
        scope = _member(Scope, query.get("scope"))
        if scope is None:
            return cls()
        since, until = day_of(query.get("since")), day_of(query.get("until"))
        moment = _member(Moment, query.get("moment"))
        if moment is None or since is None or until is None or since > until:
            moment = since = until = None
        return cls(
            scope=scope,
            moment=moment,
            since=since,
            until=until,
            reviewer=_matching(people.normal(query.get("reviewer") or ""), r"[!-~]{1,254}"),
            override=query.get("override") == "yes",
            track=_one_of(query.get("decided_track"), TRACKS_AT_DECISION),
            age=_one_of(query.get("age"), tuple(AGE_GROUPS_BY_KEY)),
            clock=_member(Clock, query.get("clock")),
            reached=_member(Stage, query.get("reached")),
        )

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
        if self.age:
            parts.append(f"{AGE_GROUPS_BY_KEY[self.age].label} old")
        if self.clock:
            parts.append(CLOCK_WORDS[self.clock])
        if self.reached:
            parts.append(STAGE_WORDS[self.reached])
        return " · ".join(parts)


WHOLE = Slice()


def day_of(text: str | None) -> date | None:
    """Parse an ISO date from 2000 to 2100; ``None`` for anything else."""
    if not text or not re.fullmatch(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _member(kind: type[Member], text: str | None) -> Member | None:
    return kind(text) if text in tuple(kind) else None


def _one_of(text: str | None, choices: tuple[str, ...]) -> str:
    return text if text in choices and text else ""


def _matching(text: str | None, pattern: str) -> str:
    return text if text and re.fullmatch(pattern, text) else ""
