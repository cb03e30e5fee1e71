"""Some 260 random applications, in the database and as plain records, and an oracle.

The oracle filters, sorts and ranks in plain Python; queue and export must agree with it.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, insert, text

from data_access.db import tables
from data_access.queue.rows import EvidenceState
from program.policy import robust
from program.policy.eligibility import Assessment, Facts, assess
from program.policy.evidence import EvidenceKind, Observation, establish
from program.policy.outcomes import Outcome
from program.policy.policy import Policy
from program.policy.robust import Robust
from program.review import business_time, priority
from program.review.queue_filters import Due, Filters, Owner, Robustness, Sort
from program.review.searching import search_text, sought
from program.review.workflow import OPEN_STATUSES, Status
from program.risk.judging import Headline, Measured, judge
from program.text.handles import identity_key
from program.text.platforms import platform_key
from tests.builders import (
    NOW,
    T,
    add_application,
    add_evidence,
    add_refresh,
    add_staff,
    measured_row,
    window_row,
)
from tests.databases import Databases

METRICS = {
    Sort.VOLUME: "volume_usd",
    Sort.ACTIVE: "active_users",
    Sort.NEW: "new_users",
}
PENDING, OTHERS = 200, 60
HOLDERS = ("ana@example.com", "ben@example.com")
HOLIDAYS = frozenset({date(2026, 3, 11), date(2026, 3, 14)})
SLA = Policy().review_sla_business_days
MOMENT = timedelta(microseconds=1)
REFRESHED = NOW - timedelta(hours=1)
FIRST_ID = 1000
NAMES = (
    "meadow",
    "Meadow_Trader",
    "meadowXtrader",
    "100%",
    "1000",
    "a_b",
    "aXb",
    "back\\slash",
    "O'Neil",
    'say "hi"',
    "@at",
    "Ångström",
    "ÜNAL",
    "истра",
    "ΣΟΦΟΣ",
    "%",
    "_",
    "\\",
    "'; drop table x; --",
    "<b>bold</b>",
    "=1+1",
    "two words",
    "🦔 hedgehog",
    "naïve",
    "İstanbul",
)
CRITERIA = robust.CRITERIA
RISKS = ("R10", "R11")
COUNTRIES = ("BR", "US", "DE", "NG", None)
PLATFORMS = ("x", "Twitter", "youtube", "YouTube Channel", "tiktok", "My Place", "小红书")
VOLUMES = ("0.00", "19999999.99", "20000000.00", "20000000.01", "5000000.00", "123456789012.34")
AGES = tuple(
    age
    for days in (0, 3, 7, 14, 30)
    for age in (
        timedelta(days=days),
        timedelta(days=days, microseconds=1),
        timedelta(days=days) - timedelta(microseconds=1),
    )
    if age >= timedelta(0)
)


@dataclass
class Applicant:
    """One application as the oracle knows it."""

    application_id: int
    account_id: int
    username: str
    country: str | None
    platform: str
    handle: str
    contact: str | None
    submitted_at: datetime
    status: Status
    arrived_late: bool
    settled_at: datetime | None
    metrics: tuple[Decimal, int, int] | None
    months: dict[int, Decimal] = field(default_factory=dict)
    observations: list[Observation] = field(default_factory=list)
    # The measures of risk, if there are any.
    measures: dict[str, Any] | None = None
    # The desk's columns, if somebody worked on it.
    desk: dict[str, Any] = field(default_factory=dict)

    @property
    def clock_from(self) -> datetime:
        return self.desk.get("clock_from") or self.submitted_at

    @property
    def holder(self) -> str | None:
        until = self.desk.get("claim_until")
        return self.desk.get("assignee") if until is None or until > NOW else None

    @cached_property
    def points(self) -> int:
        return priority.explain(
            self.facts,
            self.assessment,
            policy=Policy(),
            clock=priority.Clock(
                since=NOW + MOMENT if self.is_paused else self.clock_from,
                now=NOW,
                holidays=HOLIDAYS,
            ),
            answered=self.desk.get("answered_at") is not None,
            risk=self.risk,
        ).total

    @cached_property
    def risk(self) -> Headline:
        if self.measures is None:
            return Headline()
        measured = {
            id_: Measured(
                value=self.measures[id_.lower()], sample=self.measures[f"{id_.lower()}_sample"]
            )
            for id_ in RISKS
        }
        whole = replace(self.facts, volume_usd=self.facts.volume_usd or Decimal(0))
        measured[robust.FRAGILE] = robust.measure(whole, self.parts, Policy())
        return judge(measured, {}).headline

    @cached_property
    def robust(self) -> Robust | None:
        return robust.judge(self.facts, self.parts, Policy())

    @property
    def parts(self) -> dict[str, Facts]:
        given = self.measures or {}
        return {
            variant.key: Facts(**{c.key: given.get(f"{variant.key}_{c.key}") for c in CRITERIA})
            for variant in robust.VARIANTS
        }

    @property
    def is_paused(self) -> bool:
        return self.desk.get("paused_at") is not None

    @property
    def is_overdue(self) -> bool:
        return not self.is_paused and business_time.due_at(self.clock_from, SLA, HOLIDAYS) <= NOW

    @property
    def is_due_soon(self) -> bool:
        due = business_time.due_at(self.clock_from, SLA, HOLIDAYS)
        return not self.is_paused and NOW < due <= business_time.due_at(NOW, 1, HOLIDAYS)

    @cached_property
    def facts(self) -> Facts:
        known = self.metrics
        if known is None and not self.arrived_late:
            known = (Decimal("0.00"), 0, 0)
        found = establish(self.observations, data_through=T, now=NOW, policy=Policy())
        volume, active, new = known or (None, None, None)
        return Facts(
            volume_usd=volume,
            active_users=active,
            new_users=new,
            x_followers=found.x_followers,
            external_volume_usd=found.external_volume_usd,
        )

    @cached_property
    def assessment(self) -> Assessment:
        return assess(self.facts, Policy())

    @cached_property
    def searched(self) -> list[str]:
        texts = (self.username, self.handle, self.contact)
        return [search_text(text) for text in texts if text is not None]

    @cached_property
    def named(self) -> set[str]:
        return {
            identity_key(self.platform, self.handle),
            identity_key("telegram", self.contact or ""),
        }

    @property
    def evidence_state(self) -> EvidenceState:
        if self.facts.x_followers is not None or self.facts.external_volume_usd is not None:
            return EvidenceState.CURRENT
        return EvidenceState.EXPIRED if self.observations else EvidenceState.NONE


@contextmanager
def town(databases: Databases, people: Sequence[Applicant]) -> Iterator[Engine]:
    """A database with these people, shared by a module's tests."""
    with databases.engine("town") as engine:
        with engine.begin() as filling:
            settle(filling, people)
            filling.execute(
                text("analyze exchange.accounts, exchange.applications, review.evidence")
            )
        yield engine


def invent(seed: int = 20260314) -> list[Applicant]:
    """Generate the same people for the same seed; ids are unrelated to age."""
    chance = random.Random(seed)
    ids = chance.sample(range(FIRST_ID, FIRST_ID + 900), PENDING + OTHERS)
    people = [_someone(chance, id_) for id_ in ids]
    for person in people[PENDING:]:
        person.status = chance.choice([s for s in Status if s is not Status.PENDING])
    for person in people:
        set_aside = person.status in OPEN_STATUSES[1:]
        if set_aside or (person.status is Status.PENDING and chance.random() < 0.6):
            person.desk = _touched(chance, person)
        elif person.status not in OPEN_STATUSES:
            person.settled_at = NOW - chance.choice(AGES) if chance.random() < 0.8 else None
    return people


def forget_the_future(people: Sequence[Applicant]) -> None:
    """Remove the observations that do not count yet."""
    for person in people:
        person.observations = [seen for seen in person.observations if seen.observed_at <= NOW]


def _touched(chance: random.Random, person: Applicant) -> dict[str, Any]:
    """Return a state of the desk that fits the status, with past and current claims."""
    desk: dict[str, Any] = {"status": str(person.status)}
    if chance.random() < 0.6:
        until = chance.choice([None, NOW, NOW + MOMENT, NOW - MOMENT])
        held = {"assignee": chance.choice(HOLDERS), "claimed_at": NOW, "claim_until": until}
        desk |= held
    if chance.random() < 0.5:
        desk["clock_from"] = NOW - chance.choice(AGES)
    if chance.random() < 0.3:
        desk["answered_at"] = NOW
    if person.status is Status.MORE_INFO_NEEDED:
        desk["paused_at"] = NOW - timedelta(days=1)
    if person.status is Status.DEFERRED:
        desk["deferred_until"] = chance.choice([NOW + MOMENT, None])
        desk["deferred_answers"] = "as they were"
    elif person.status is Status.PENDING and chance.random() < 0.3:
        # A deferral that is over counts as pending before it is written.
        desk |= {"status": "deferred", "deferred_until": chance.choice([NOW, NOW - MOMENT])}
    return desk


def _someone(chance: random.Random, id_: int) -> Applicant:
    traded = chance.random() < 0.7
    metrics = (
        Decimal(chance.choice(VOLUMES)),
        chance.choice([0, 14, 15, 40]),
        chance.choice([4, 5, 9]),
    )
    return Applicant(
        application_id=id_,
        account_id=id_ + 5000,
        username=chance.choice(NAMES),
        country=chance.choice(COUNTRIES),
        platform=chance.choice(PLATFORMS),
        handle=chance.choice(["", "@"]) + chance.choice(NAMES),
        contact=chance.choice([*NAMES, None]),
        submitted_at=NOW - chance.choice(AGES),
        status=Status.PENDING,
        settled_at=None,
        arrived_late=chance.random() < 0.3,
        metrics=metrics if traded else None,
        months={back: Decimal(chance.randrange(10**6)) / 100 for back in _some(chance, 8)},
        observations=[_seen(chance, number) for number in _some(chance, 3)],
        measures=_measured(chance, metrics) if traded and chance.random() < 0.8 else None,
    )


def _measured(chance: random.Random, metrics: Sequence[Any]) -> dict[str, Any]:
    """Return measures of two signals, and figures of which a part may fall short."""
    shares = {id_.lower(): Decimal(chance.choice(["0.1", "0.7", "0.95"])) for id_ in RISKS}
    samples = {f"{id_.lower()}_sample": chance.choice([3, 20, 100]) for id_ in RISKS}
    parts = {
        f"{variant.key}_{criterion.key}": value * chance.choice([0, 1, 1])
        for variant in robust.VARIANTS
        for criterion, value in zip(CRITERIA, metrics, strict=True)
    }
    return {**shares, **samples, **parts}


def _some(chance: random.Random, most: int) -> list[int]:
    return sorted(chance.sample(range(most), chance.randrange(most + 1)))


def _seen(chance: random.Random, number: int) -> Observation:
    kind = chance.choice(list(EvidenceKind))
    followers = kind is EvidenceKind.X_FOLLOWERS
    return Observation(
        evidence_id=number,
        kind=kind,
        value=Decimal(chance.choice(["5000", "5001", "0"] if followers else VOLUMES)),
        # Hours keep any two observations apart; some have expired, some are in the future.
        observed_at=NOW - timedelta(days=chance.choice([-2, 1, 30, 90, 120]), hours=number),
        exchange_name=None if followers else chance.choice(["ExA", "ExB"]),
    )


def settle(conn: Connection, people: Sequence[Applicant]) -> None:
    """Write them into an empty database."""
    add_refresh(conn, at=REFRESHED)
    add_staff(conn)
    conn.execute(insert(tables.holidays), [{"day": day, "name": "a day off"} for day in HOLIDAYS])
    for person in people:
        arrived = REFRESHED + timedelta(seconds=1 if person.arrived_late else 0)
        account = {
            "account_id": person.account_id,
            "username": person.username,
            "country_code": person.country,
            "first_seen_at": arrived,
        }
        conn.execute(
            insert(tables.accounts).values(
                **account, kyc_status="verified", created_at=NOW - timedelta(days=400)
            )
        )
        add_application(
            conn,
            person.application_id,
            account_id=person.account_id,
            social_platform=person.platform,
            social_handle=person.handle,
            contact_handle=person.contact,
            submitted_at=person.submitted_at,
            status=person.status.upstream,
            status_changed_at=person.settled_at,
        )
        if person.desk:
            conn.execute(
                insert(tables.desk).values(application_id=person.application_id, **person.desk)
            )
        _settle_evidence(conn, person)
    _settle_figures(conn, people)


def _settle_figures(conn: Connection, people: Sequence[Applicant]) -> None:
    """Write everybody's figures at once, as a refresh does."""
    windows = [
        window_row(p.account_id, volume=p.metrics[0], active=p.metrics[1], new=p.metrics[2])
        for p in people
        if p.metrics is not None
    ]
    measured = [measured_row(p.account_id, **p.measures) for p in people if p.measures is not None]
    months = [
        {
            "affiliate_account_id": person.account_id,
            "month": month_back(back),
            "volume_usd": volume,
            **dict.fromkeys(("fees_usd", "trade_count", "active_users", "new_users"), 0),
        }
        for person in people
        for back, volume in person.months.items()
    ]
    for table, rows in (
        (tables.affiliate_window, windows),
        (tables.risk_measures, measured),
        (tables.affiliate_monthly, months),
    ):
        if rows:
            conn.execute(insert(table), rows)
    conn.execute(text("select review.restate(array(select application_id from review.standings))"))
    conn.execute(text("select review.restate_measured()"))


def _settle_evidence(conn: Connection, person: Applicant) -> None:
    for seen in person.observations:
        add_evidence(
            conn,
            person.application_id,
            kind=seen.kind,
            value=seen.value,
            observed_at=seen.observed_at,
            exchange_name=seen.exchange_name,
        )


def month_back(back: int) -> date:
    """Return the first of the month ``back`` months before T's."""
    years, index = divmod(T.year * 12 + T.month - 1 - back, 12)
    return T.replace(year=years, month=index + 1, day=1)


def expected(people: Sequence[Applicant], filters: Filters) -> list[Applicant]:
    """Return the people of the view's status who match the filters, in order."""
    found = [p for p in people if p.status is filters.status and _passes(p, filters)]
    return in_order(found, filters)


def in_order(people: Sequence[Applicant], filters: Filters) -> list[Applicant]:
    forward = _forward(people, filters)
    if not filters.reverse:
        return forward
    backward = forward[::-1]
    return sorted(backward, key=lambda person: _is_unknown(person, filters))


def _is_unknown(person: Applicant, filters: Filters) -> bool:
    if filters.sort in METRICS:
        return _metric(person, filters.sort) is None
    if filters.sort is Sort.SUBMITTED:
        return False
    if filters.status not in OPEN_STATUSES:
        return person.settled_at is None
    return filters.sort is Sort.DUE and person.is_paused


def _forward(people: Sequence[Applicant], filters: Filters) -> list[Applicant]:
    sort = filters.sort
    by_id = sorted(people, key=lambda p: p.application_id)
    if sort in METRICS:
        known, unknown = [], []
        for person in by_id:
            (unknown if _metric(person, sort) is None else known).append(person)
        known.sort(key=lambda p: -(_metric(p, sort) or 0))
        return known + unknown
    if sort is Sort.SUBMITTED:
        return sorted(by_id, key=lambda p: (p.submitted_at, p.application_id), reverse=True)
    if filters.status not in OPEN_STATUSES:
        never = datetime.min.replace(tzinfo=UTC)
        return sorted(by_id, key=lambda p: (p.settled_at or never, p.application_id), reverse=True)
    keys = {
        Sort.WAITING: lambda p: p.submitted_at,
        Sort.DUE: lambda p: (p.is_paused, p.clock_from),
        Sort.PRIORITY: lambda p: (-p.points, p.clock_from),
    }
    return sorted(by_id, key=keys[sort])


def _metric(person: Applicant, sort: Sort) -> Decimal | int | None:
    value: Decimal | int | None = getattr(person.facts, METRICS[sort])
    return value


def _passes(person: Applicant, filters: Filters) -> bool:
    judged = person.assessment
    return all(
        (
            not filters.search or finds(filters.search, person),
            not filters.eligibility or judged.outcome in filters.eligibility,
            not filters.track or judged.track == filters.track,
            not filters.country or person.country == filters.country,
            not filters.platform or platform_key(person.platform) == filters.platform,
            not filters.waiting_days
            or person.submitted_at <= NOW - timedelta(days=filters.waiting_days),
            filters.owner is not Owner.MINE or person.holder == filters.viewer,
            filters.owner is not Owner.UNASSIGNED or person.holder is None,
            filters.due is not Due.OVERDUE or person.is_overdue,
            filters.due is not Due.SOON or person.is_due_soon,
            not filters.risk or person.risk.level in filters.risk,
            filters.robust is None
            or (person.robust is not None and _robustness(person.robust) is filters.robust),
        )
    )


def _robustness(found: Robust) -> Robustness | None:
    if found.met < found.of:
        return None
    return Robustness.FRAGILE if found.is_fragile else Robustness.ROBUST


# Each of the people is compared with the same search.
_sought = lru_cache(maxsize=1)(sought)


def finds(term: str, person: Applicant) -> bool:
    """Match part of a name, handle or contact in any spelling, or exactly a number."""
    wanted = _sought(term)
    if any(part in text for part in wanted.texts for text in person.searched):
        return True
    if wanted.key and wanted.key in person.named:
        return True
    return wanted.number in (person.application_id, person.account_id)


def tally(people: Sequence[Applicant]) -> dict[str, int]:
    """Count the pending ones by outcome, clock and owner, as ana sees them."""
    pending = [p for p in people if p.status is Status.PENDING]
    outcomes = [p.assessment.outcome for p in pending]
    return {
        "total": len(pending),
        **{str(o): outcomes.count(o) for o in Outcome},
        "overdue": sum(p.is_overdue for p in pending),
        "unassigned": sum(p.holder is None for p in pending),
        "mine": sum(p.holder == HOLDERS[0] for p in pending),
    }
