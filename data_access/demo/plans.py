"""Plans: who applies, when, with what reach and what referral business.

A plan sets the outline; `trading` then generates its days, and `judgments` decides on them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import cycle
from typing import NamedTuple

import numpy as np

from data_access.demo import moments, names
from data_access.demo.calendar import Calendar
from program.periods import ONE_DAY, day_start, utc_day
from program.policy.evidence import EvidenceKind, EvidenceMethod
from program.review.workflow import Status

CENTS = 100
MILLION = 1_000_000 * CENTS
MINIMUM = 20 * MILLION
FIRST_ACCOUNT = 1001
FIRST_DECISION_DAY = 35


class Pattern(StrEnum):
    """What is unusual about an affiliate's activity."""

    ONE_USER = "one user carries nearly all volume, from another address of the affiliate"
    BURST = "sign-ups come in one burst, and all users trade alike"
    MIRRORED = "pairs of users trade the same volumes"
    SPIKE = "one day carries most of the volume"
    ROUND = "all volumes are round"
    ZERO_FEE = "most volume pays no fee"
    PADDED = "many users with next to no volume"
    ZERO_VOLUME_USER = "one user's trades sum to nothing"
    REFERRED_TODAY = "one user was referred after the data-through day"
    LAST_MOMENT = "one user was referred in the window's last microsecond"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """An affiliate's business. Days are indexes; money in cents; growth is log per 30 days.

    ``volume``, ``active`` and ``new`` are for the 30 days before index ``anchor``: exact if
    ``exact`` is set, else the volume is approximate and the counts are lower bounds.
    """

    users: int
    opened: int
    anchor: int
    volume: int | None = None
    active: int = 0
    new: int = 0
    exact: bool = False
    growth: float = 0.0
    after: float = 0.0
    pattern: Pattern | None = None

    @property
    def first_day(self) -> int:
        """The first day of sign-ups; exact counts need users from before the window."""
        needs_room = self.users > self.new and (self.exact or self.active > 0)
        return min(self.opened, self.anchor - 90) if needs_room else self.opened


class Observation(NamedTuple):
    """A value found at ``exchange``, or on a profile; ``age_days`` is given where it matters."""

    kind: EvidenceKind
    value: str
    exchange: str | None = None
    age_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One piece of evidence as recorded. ``value`` is followers, or USD as text."""

    kind: EvidenceKind
    value: str
    exchange_name: str | None
    method: EvidenceMethod
    observed_at: datetime
    recorded_at: datetime
    recorded_by: str


class Turn(StrEnum):
    """What the desk has done about an open application."""

    WAITING = "nobody has touched it"
    CLAIMED = "a reviewer works on it"
    ASSIGNED = "a manager gave it to a reviewer"
    ASKED = "the applicant was asked for information"
    ANSWERED = "the applicant was asked and answered"
    DEFERRED_TO_A_DAY = "set aside until a day"
    DEFERRED_TO_A_CHANGE = "set aside until a criterion's result changes"
    PROPOSED = "a decision waits for a second person"
    REOPENED = "a manager took its rejection back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One application and its outcome.

    ``settled_at`` is when it was decided or withdrawn; a reopened one was rejected then.
    ``turned_at`` is when an open one took its turn.
    """

    submitted_at: datetime
    status: Status
    settled_at: datetime | None = None
    turn: Turn = Turn.WAITING
    turned_at: datetime | None = None
    reviewer: str = names.REVIEWERS[0]
    sightings: tuple[Sighting, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it waits for a decision in the end."""
        return self.settled_at is None or self.turn is Turn.REOPENED


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One affiliate with all its applications, oldest first."""

    shape: Shape
    applications: tuple[Application, ...]
    created_at: datetime
    kyc_status: str = "verified"
    account_id: int = 0
    username: str = ""
    country: str = ""
    social_platform: str = "x"
    social_handle: str = ""
    contact_platform: str = "telegram"
    contact_handle: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A pending application with an exact result. ``reach`` as in `_sightings`."""

    volume: int = 3 * MILLION
    active: int = 9
    new: int = 2
    users: int = 40
    reach: str = "none"
    pattern: Pattern | None = None
    opened_before: int = 400
    waiting_days: float | None = None


# Both sides of each boundary, then the patterns that due diligence should notice.
CASES: tuple[Case, ...] = (
    Case(volume=MINIMUM - 1, active=15, new=5),
    Case(volume=MINIMUM, active=15, new=5, pattern=Pattern.LAST_MOMENT),
    Case(volume=24 * MILLION, active=14, new=6, reach="short", pattern=Pattern.ZERO_VOLUME_USER),
    Case(volume=22 * MILLION, active=15, new=4, pattern=Pattern.REFERRED_TODAY),
    Case(reach="followers 5000"),
    Case(reach="followers 5001"),
    Case(reach="exchanges 12+8"),
    Case(reach="followers 90 days old"),
    Case(reach="followers 91 days old"),
    Case(users=0, active=0, new=0, volume=0),
    Case(users=0, active=0, new=0, volume=0, reach="short"),
    Case(volume=2 * MILLION, active=8, new=9, users=9, opened_before=12),
    Case(volume=31 * MILLION, active=22, new=8, users=60, pattern=Pattern.ONE_USER),
    Case(volume=6 * MILLION, active=24, new=45, users=90, pattern=Pattern.BURST, waiting_days=7),
    Case(volume=26 * MILLION, active=18, new=6, pattern=Pattern.MIRRORED),
    Case(
        volume=15 * MILLION,
        active=17,
        new=6,
        reach="short",
        pattern=Pattern.SPIKE,
        waiting_days=10.4,
    ),
    Case(volume=9 * MILLION, active=12, new=3, pattern=Pattern.ROUND),
    Case(volume=42 * MILLION, active=25, new=9, users=70, pattern=Pattern.ZERO_FEE),
    Case(volume=21 * MILLION, active=21, new=5, users=60, pattern=Pattern.PADDED),
)
# Turns of the first applications that meet the minimums, do not, or may.
TURNS: dict[str, tuple[Turn, ...]] = {
    "met": (Turn.PROPOSED, Turn.CLAIMED, Turn.ANSWERED),
    "not_met": (
        Turn.PROPOSED,
        Turn.CLAIMED,
        Turn.DEFERRED_TO_A_CHANGE,
        Turn.ASKED,
        Turn.ASSIGNED,
        Turn.REOPENED,
        Turn.DEFERRED_TO_A_DAY,
        Turn.DEFERRED_TO_A_CHANGE,
        Turn.CLAIMED,
    ),
    "unknown": (
        Turn.ASKED,
        Turn.CLAIMED,
        Turn.DEFERRED_TO_A_DAY,
        Turn.PROPOSED,
        Turn.ASKED,
        Turn.ANSWERED,
        Turn.CLAIMED,
        Turn.ASSIGNED,
        Turn.ASKED,
        Turn.DEFERRED_TO_A_DAY,
    ),
}
# How many days ago an application came in, by turn, if the turn needs time.
CAME_BEFORE: dict[Turn, tuple[float, float]] = {
    Turn.ASKED: (5, 12),
    Turn.ANSWERED: (11, 15),
    Turn.DEFERRED_TO_A_DAY: (5, 14),
    Turn.DEFERRED_TO_A_CHANGE: (5, 14),
    Turn.PROPOSED: (2, 4),
    Turn.REOPENED: (18, 26),
}
# The share of the time since then that had passed at its turn.
TURNED_AFTER: dict[Turn, tuple[float, float]] = {
    Turn.CLAIMED: (0.5, 0.9),
    Turn.ASSIGNED: (0.5, 0.8),
    Turn.ASKED: (0.15, 0.5),
    Turn.ANSWERED: (0.94, 0.98),
    Turn.DEFERRED_TO_A_DAY: (0.3, 0.8),
    Turn.DEFERRED_TO_A_CHANGE: (0.3, 0.8),
    Turn.REOPENED: (0.92, 0.98),
}
CLAIMED_WITHIN = timedelta(minutes=25)
# An approved business with less growth afterwards fades, and its reach is checked again.
FADES = -0.2
RECHECKED_EVERY, RECHECKED_WITHIN = timedelta(days=75), timedelta(days=2)

# Patterns for which good figures are rejected.
REJECTED_PATTERNS = (Pattern.ONE_USER, Pattern.MIRRORED, Pattern.PADDED)
# Pairs of figures at the decision (met, not_met, close) and the reach found.
APPROVED_STORIES = (("met", "none"), ("not_met", "reach"), ("met", "reach"), ("close", "short"))
REJECTED_STORIES = (("not_met", "short"), ("not_met", "none"), ("met", "none"))
PASSING_STORIES = (
    (Status.REJECTED, "short", 0.48),
    (Status.REJECTED, "none", 0.26),
    (Status.APPROVED, "reach", 0.18),
    (Status.WITHDRAWN, "none", 0.08),
)
MIN_AFFILIATES = len(CASES) + 1
PENDING_SHARE = 0.15
# Applicants without referrals per affiliate. With fewer of them, the pending ones would be a sudden
# rush compared with the weeks before.
PASSERS_BY = 4.7


def accounts(calendar: Calendar, *, affiliates: int, rng: np.random.Generator) -> list[Account]:
    """Return everybody who ever applied, oldest account first, with ids and without names."""
    pending = max(len(CASES), round(affiliates * PENDING_SHARE))
    drafts = [
        *(_with_history(draft, calendar, rng) for draft in _pending(pending, calendar, rng)),
        *_decided(affiliates - pending, calendar, rng),
        *_passers_by(round(affiliates * PASSERS_BY), calendar, rng),
    ]
    drafts.sort(key=lambda draft: draft.created_at)
    return [replace(draft, account_id=FIRST_ACCOUNT + n) for n, draft in enumerate(drafts)]


def _pending(count: int, calendar: Calendar, rng: np.random.Generator) -> Iterator[Account]:
    since = iter(moments.waiting_since(calendar, count, rng))
    for case, reviewer in zip(CASES, cycle(names.REVIEWERS), strict=False):
        submitted = next(since)
        if case.waiting_days is not None:
            submitted = _days_ago(calendar, case.waiting_days)
        shape = _exact(case, calendar, rng)
        yield _account(shape, submitted, case.reach, calendar, rng, reviewer=reviewer)
    ordinary = count - len(CASES)
    met, not_met = round(ordinary * 0.1), round(ordinary * 0.5)
    wanted = {"met": met, "not_met": not_met, "unknown": ordinary - met - not_met}
    for outcome, number in wanted.items():
        turns = (*TURNS[outcome], *[Turn.WAITING] * number)[:number]
        for turn, reviewer in zip(turns, cycle(names.REVIEWERS), strict=False):
            submitted = next(since)
            if turn in CAME_BEFORE:
                submitted = _days_ago(calendar, rng.uniform(*CAME_BEFORE[turn]))
            close = outcome == "not_met" and turn is Turn.PROPOSED
            shape = _shape("close" if close else outcome, calendar.length, rng)
            reach = _reach(outcome, rng)
            yield _account(shape, submitted, reach, calendar, rng, turn=turn, reviewer=reviewer)


def _account(
    shape: Shape,
    submitted: datetime,
    reach: str,
    calendar: Calendar,
    rng: np.random.Generator,
    *,
    turn: Turn = Turn.WAITING,
    reviewer: str = names.REVIEWERS[0],
) -> Account:
    turned = _turned_at(turn, submitted, calendar, rng)
    settled = None
    if turn is Turn.REOPENED:
        settled = moments.at_work(moments.between(submitted, turned, 0.2, 0.3, rng))
    # Evidence for a turn was recorded before it.
    seen_by = settled or (calendar.now if turn is Turn.WAITING else turned)
    kyc = ("verified", "pending", "none", "rejected")[rng.choice(4, p=[0.93, 0.04, 0.02, 0.01])]
    return Account(
        shape=shape,
        created_at=_created(shape, submitted, calendar, rng),
        kyc_status=kyc if turn is Turn.WAITING else "verified",
        applications=(
            Application(
                submitted_at=submitted,
                status=Status.REJECTED if settled else Status.PENDING,
                settled_at=settled,
                turn=turn,
                turned_at=None if turn is Turn.WAITING else turned,
                reviewer=reviewer,
                sightings=_sightings(reach, submitted, seen_by, reviewer, calendar, rng),
            ),
        ),
    )


def _turned_at(
    turn: Turn, submitted: datetime, calendar: Calendar, rng: np.random.Generator
) -> datetime:
    since = submitted
    if turn is Turn.PROPOSED:
        # Proposals expire with every day's data, so a waiting one is from today.
        since = max(since, day_start(calendar.through + ONE_DAY))
    if turn is Turn.CLAIMED:
        since = max(since, calendar.now - CLAIMED_WITHIN)
    at = moments.between(since, calendar.now, *TURNED_AFTER.get(turn, (0.4, 0.8)), rng)
    worked = moments.at_work(at)
    return worked if since < worked < calendar.now else at


def _exact(case: Case, calendar: Calendar, rng: np.random.Generator) -> Shape:
    at_the_boundary = MINIMUM - 1 <= case.volume <= MINIMUM
    return Shape(
        users=case.users,
        opened=calendar.length - case.opened_before,
        anchor=calendar.length,
        volume=case.volume if at_the_boundary else int(case.volume * rng.uniform(1, 1.12)),
        active=case.active,
        new=case.new,
        exact=True,
        growth=0.08,
        pattern=case.pattern,
    )


def _decided(count: int, calendar: Calendar, rng: np.random.Generator) -> Iterator[Account]:
    approved, withdrawn = round(count * 0.49), round(count * 0.06)
    statuses = [Status.APPROVED] * approved + [Status.WITHDRAWN] * withdrawn
    statuses += [Status.REJECTED] * (count - len(statuses))
    settled = moments.settled_at(calendar, FIRST_DECISION_DAY, calendar.length, count, rng)
    for number, (status, at) in enumerate(zip(statuses, settled, strict=True)):
        account = _settled(status, at, calendar, rng)
        again = number % 7 == 0 and status is Status.APPROVED
        yield _with_history(account, calendar, rng, share=1.0) if again else account


def _settled(
    status: Status, settled: datetime, calendar: Calendar, rng: np.random.Generator
) -> Account:
    outcome, reach = _story(status, rng)
    odd = outcome == "met" and status is Status.REJECTED
    anchor = calendar.index(utc_day(settled))
    after = rng.choice([-0.35, 0.0, 0.1], p=[0.35, 0.35, 0.3]) if status is Status.APPROVED else 0
    shape = replace(
        _shape(outcome, anchor, rng),
        after=float(after + rng.normal(0, 0.05)),
        pattern=REJECTED_PATTERNS[rng.integers(len(REJECTED_PATTERNS))] if odd else None,
    )
    application = _closed(status, settled, reach, calendar, rng)
    if status is Status.APPROVED and after < FADES:
        # Not eligible here, so the reach elsewhere is checked.
        application = _rechecked(application, settled, "short", calendar)
    out_of_order = status is Status.REJECTED and rng.random() < 0.06
    return Account(
        shape=shape,
        created_at=_created(shape, application.submitted_at, calendar, rng),
        kyc_status="none" if out_of_order else "verified",
        applications=(application,),
    )


def _rechecked(
    application: Application, settled: datetime, reach: str, calendar: Calendar
) -> Application:
    """Return the application with its reach recorded again after the approval, at intervals."""
    rng = np.random.default_rng(int(settled.timestamp()))
    sightings = list(application.sightings)
    at = settled + timedelta(days=int(rng.integers(20, 40)))
    while at + RECHECKED_WITHIN < calendar.now:
        until = at + RECHECKED_WITHIN
        sightings += _sightings(reach, at, until, application.reviewer, calendar, rng)
        at += RECHECKED_EVERY
    return replace(application, sightings=tuple(sightings))


def _passers_by(count: int, calendar: Calendar, rng: np.random.Generator) -> Iterator[Account]:
    """Yield applicants without referrals: few have the reach, most are rejected, some withdraw."""
    kinds = rng.choice(len(PASSING_STORIES), count, p=[story[2] for story in PASSING_STORIES])
    for settled, kind in zip(
        moments.settled_at(calendar, FIRST_DECISION_DAY, calendar.length, count, rng),
        kinds.tolist(),
        strict=True,
    ):
        status, reach, _ = PASSING_STORIES[kind]
        application = _closed(status, settled, reach, calendar, rng)
        if status is Status.APPROVED and settled.minute % 2:
            application = _rechecked(application, settled, "reach", calendar)
        anchor = calendar.index(utc_day(settled))
        shape = Shape(users=0, opened=anchor, anchor=anchor)
        out_of_order = status is Status.REJECTED and rng.random() < 0.06
        yield Account(
            shape=shape,
            created_at=_created(shape, application.submitted_at, calendar, rng),
            kyc_status="none" if out_of_order else "verified",
            applications=(application,),
        )


def _closed(
    status: Status, settled: datetime, reach: str, calendar: Calendar, rng: np.random.Generator
) -> Application:
    submitted = moments.submitted_before(settled, rng)
    reviewer = names.REVIEWERS[rng.integers(2)]
    return Application(
        submitted_at=submitted,
        status=status,
        settled_at=settled,
        reviewer=reviewer,
        sightings=_sightings(reach, submitted, settled, reviewer, calendar, rng),
    )


def _story(status: Status, rng: np.random.Generator) -> tuple[str, str]:
    """Return the figures (met, not_met) and the reach found, for a decided application."""
    if status is Status.APPROVED:
        return APPROVED_STORIES[rng.choice(4, p=[0.62, 0.25, 0.08, 0.05])]
    if status is Status.WITHDRAWN:
        return "not_met", "none"
    return REJECTED_STORIES[rng.choice(3, p=[0.66, 0.23, 0.11])]


def _with_history(
    account: Account, calendar: Calendar, rng: np.random.Generator, share: float = 0.31
) -> Account:
    """Return the account with an earlier, rejected application, if it can have one."""
    final = calendar.index(utc_day(account.applications[0].submitted_at))
    last = final - 45
    if rng.random() >= share or last < FIRST_DECISION_DAY + 20 or account.shape.first_day > last:
        return account
    [settled] = moments.settled_at(calendar, max(FIRST_DECISION_DAY, final - 220), last, 1, rng)
    reach = "short" if rng.random() < 0.7 else "none"
    earlier = _closed(Status.REJECTED, settled, reach, calendar, rng)
    return replace(
        account,
        applications=(earlier, *account.applications),
        created_at=min(account.created_at, earlier.submitted_at - timedelta(days=30)),
    )


def _shape(outcome: str, anchor: int, rng: np.random.Generator) -> Shape:
    """Return a business that, at ``anchor``, is above the minimums, below them, or just below."""
    young = rng.random() < 0.12
    earliest = anchor - (50 if young else 650)
    opened = int(rng.integers(earliest, anchor - (10 if young else 60)))
    shape = Shape(users=0, opened=opened, anchor=anchor, growth=float(rng.normal(0.05, 0.07)))
    if outcome == "met":
        return replace(
            shape,
            users=int(rng.integers(42, 140)),
            volume=int(MINIMUM * np.exp(0.08 + abs(rng.normal(0, 0.6)))),
            active=int(rng.integers(16, 28)),
            new=int(rng.integers(6, 14)),
        )
    if outcome == "close":
        return replace(
            shape, users=40, volume=int(MINIMUM * rng.uniform(0.9, 0.99)), active=16, new=6
        )
    kind = rng.choice(3, p=[0.76, 0.14, 0.10])
    if kind == 1:
        active = int(rng.integers(5, 15))
        volume = int(MINIMUM * rng.uniform(1.02, 1.9))
        users, new = active + int(rng.integers(4, 30)), int(rng.integers(0, active))
        return replace(shape, users=users, volume=volume, active=active, new=new, exact=True)
    if kind == 2:
        active, new = int(rng.integers(15, 32)), int(rng.integers(0, 5))
        volume = int(MINIMUM * rng.uniform(1.02, 1.6))
        return replace(shape, users=60, volume=volume, active=active, new=new, exact=True)
    users = int(np.clip(rng.lognormal(2.8, 0.8), 3, 160))
    volume = int(min(rng.lognormal(np.log(2.5 * MILLION), 1.3), MINIMUM * rng.uniform(0.5, 0.97)))
    return replace(shape, users=users, volume=volume)


def _reach(outcome: str, rng: np.random.Generator) -> str:
    if outcome == "met":
        return "reach" if rng.random() < 0.2 else "none"
    if outcome == "not_met":
        return "short"
    reaches = ("none", "few followers", "little volume", "followers 91 days old")
    return reaches[rng.choice(4, p=[0.62, 0.2, 0.13, 0.05])]


def _sightings(
    reach: str,
    since: datetime,
    until: datetime,
    reviewer: str,
    calendar: Calendar,
    rng: np.random.Generator,
) -> tuple[Sighting, ...]:
    """Return evidence for a kind of reach, recorded between ``since`` and ``until``."""
    return tuple(
        _sighting(one, moments.between(since, until, 0.3, 0.9, rng), reviewer, calendar, rng)
        for one in _observations(reach, rng)
    )


def _observations(reach: str, rng: np.random.Generator) -> list[Observation]:
    followers, volume = EvidenceKind.X_FOLLOWERS, EvidenceKind.EXTERNAL_VOLUME
    first, second, _ = names.EXCHANGES
    few = str(int(np.clip(rng.lognormal(7.2, 0.8), 12, 4_800)))
    many = str(int(5001 + rng.lognormal(9.2, 1.0)))
    little = f"{int(rng.lognormal(14.6, 0.9)) % 19_000_000}.{rng.integers(100):02d}"
    large = f"{int(20_000_000 * (1 + rng.exponential(0.6)))}.{rng.integers(100):02d}"
    reaching = [Observation(followers, many), Observation(volume, large, first)]
    found = {
        "none": [],
        "short": [Observation(followers, few), Observation(volume, little, first)],
        "few followers": [Observation(followers, few)],
        "little volume": [Observation(volume, little, second)],
        "reach": [reaching[int(rng.random() < 0.35)]],
        "followers 5000": [
            Observation(followers, "5000"),
            Observation(volume, "19999999.99", first),
        ],
        "followers 5001": [Observation(followers, "5001")],
        "exchanges 12+8": [
            Observation(volume, "12000000.00", first),
            Observation(volume, "8000000.00", second),
        ],
        "followers 90 days old": [Observation(followers, "48000", age_days=90)],
        "followers 91 days old": [Observation(followers, "48000", age_days=91)],
    }
    return found[reach]


def _sighting(
    observation: Observation,
    recorded_at: datetime,
    reviewer: str,
    calendar: Calendar,
    rng: np.random.Generator,
) -> Sighting:
    observed = recorded_at - timedelta(minutes=int(rng.integers(1, 30)))
    if observation.age_days is not None:
        observed = day_start(calendar.through - observation.age_days * ONE_DAY) + timedelta(hours=9)
    of_profile = observation.kind is EvidenceKind.X_FOLLOWERS
    methods = (
        (EvidenceMethod.PROFILE_PAGE, EvidenceMethod.SCREENSHOT, EvidenceMethod.API)
        if of_profile
        else (EvidenceMethod.STATEMENT, EvidenceMethod.SCREENSHOT, EvidenceMethod.OTHER)
    )
    return Sighting(
        kind=observation.kind,
        value=observation.value,
        exchange_name=observation.exchange,
        method=methods[rng.choice(3, p=[0.7, 0.22, 0.08])],
        observed_at=observed,
        recorded_at=recorded_at,
        recorded_by=reviewer,
    )


def _days_ago(calendar: Calendar, days: float) -> datetime:
    return (calendar.now - timedelta(days=days)).replace(microsecond=0)


def _created(
    shape: Shape, submitted: datetime, calendar: Calendar, rng: np.random.Generator
) -> datetime:
    begun = min(calendar.moment(shape.first_day, 0), submitted)
    return (begun - timedelta(days=rng.exponential(160) + 2)).replace(microsecond=0)
