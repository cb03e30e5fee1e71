"""Some 240 random applications, in the database and as plain records, and an oracle over them.

The oracle filters, orders and places in plain Python; queue and export must agree with it.
"""

import random
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property

from sqlalchemy import Connection, Engine, create_engine, insert, text

from data_access import tables
from data_access.queue import EvidenceState
from program.eligibility import Assessment, Facts, assess
from program.evidence import EvidenceKind, Observation, establish
from program.outcomes import Outcome
from program.policy import Policy
from program.queue import Filters, Sort
from program.workflow import Status
from tests.builders import NOW, T, add_application, add_evidence, add_metrics, add_refresh
from tests.conftest import CLUSTER

PENDING, OTHERS = 200, 40
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
COUNTRIES = ("BR", "US", "DE", "NG", None)
PLATFORMS = ("x", "youtube", "tiktok", "My Place")
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
    metrics: tuple[Decimal, int, int] | None
    months: dict[int, Decimal] = field(default_factory=dict)
    observations: list[Observation] = field(default_factory=list)

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

    @property
    def evidence_state(self) -> EvidenceState:
        if self.facts.x_followers is not None or self.facts.external_volume_usd is not None:
            return EvidenceState.CURRENT
        return EvidenceState.EXPIRED if self.observations else EvidenceState.NONE


@contextmanager
def town(server: Engine, template: str, people: Sequence[Applicant]) -> Iterator[Engine]:
    """A database of their own with these people in it; kept open for a module's tests."""
    name = f"town_{uuid.uuid4().hex[:12]}"
    with server.connect() as maintenance:
        maintenance.execute(text(f"create database {name} template {template}"))
    engine = create_engine(CLUSTER.url(name), connect_args={"options": "-c timezone=UTC"})
    with engine.begin() as filling:
        settle(filling, people)
        filling.execute(text("analyze exchange.accounts, exchange.applications, review.evidence"))
    yield engine
    engine.dispose()
    with server.connect() as maintenance:
        maintenance.execute(text(f"drop database {name}"))


def invent(seed: int = 20260314) -> list[Applicant]:
    """The same people for the same seed; ids say nothing about age."""
    chance = random.Random(seed)
    ids = chance.sample(range(FIRST_ID, FIRST_ID + 900), PENDING + OTHERS)
    people = [_someone(chance, id_) for id_ in ids]
    for person in people[PENDING:]:
        person.status = chance.choice([s for s in Status if s is not Status.PENDING])
    return people


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
        arrived_late=chance.random() < 0.3,
        metrics=metrics if traded else None,
        months={back: Decimal(chance.randrange(10**6)) / 100 for back in _some(chance, 8)},
        observations=[_seen(chance, number) for number in _some(chance, 3)],
    )


def _some(chance: random.Random, most: int) -> list[int]:
    return sorted(chance.sample(range(most), chance.randrange(most + 1)))


def _seen(chance: random.Random, number: int) -> Observation:
    kind = chance.choice(list(EvidenceKind))
    followers = kind is EvidenceKind.X_FOLLOWERS
    return Observation(
        evidence_id=number,
        kind=kind,
        value=Decimal(chance.choice(["5000", "5001", "0"] if followers else VOLUMES)),
        # The hours keep any two observations apart; some have expired, some lie ahead.
        observed_at=NOW - timedelta(days=chance.choice([-2, 1, 30, 90, 120]), hours=number),
        exchange_name=None if followers else chance.choice(["ExA", "ExB"]),
    )


def settle(conn: Connection, people: Sequence[Applicant]) -> None:
    """Write them into an empty database."""
    add_refresh(conn, at=REFRESHED)
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
            status=person.status,
        )
        _settle_figures(conn, person)


def _settle_figures(conn: Connection, person: Applicant) -> None:
    if person.metrics is not None:
        volume, active, new = person.metrics
        add_metrics(conn, person.account_id, volume=volume, active=active, new=new)
    for back, volume in person.months.items():
        conn.execute(
            insert(tables.affiliate_monthly).values(
                affiliate_account_id=person.account_id,
                month=month_back(back),
                volume_usd=volume,
                fees_usd=0,
                trade_count=0,
                active_users=0,
                new_users=0,
            )
        )
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
    """The first of the month ``back`` months before T's."""
    years, index = divmod(T.year * 12 + T.month - 1 - back, 12)
    return T.replace(year=years, month=index + 1, day=1)


def expected(people: Sequence[Applicant], filters: Filters) -> list[Applicant]:
    """The pending ones that the filters leave, in their order."""
    found = [p for p in people if p.status is Status.PENDING and _passes(p, filters)]
    return in_order(found, filters.sort)


def in_order(people: Sequence[Applicant], sort: Sort) -> list[Applicant]:
    by_id = sorted(people, key=lambda p: p.application_id)
    if sort is Sort.WAITING:
        return sorted(by_id, key=lambda p: p.submitted_at)
    if sort is Sort.SUBMITTED:
        return sorted(by_id, key=lambda p: (p.submitted_at, p.application_id), reverse=True)
    known, unknown = [], []
    for person in by_id:
        (unknown if _metric(person, sort) is None else known).append(person)
    known.sort(key=lambda p: -(_metric(p, sort) or 0))
    return known + unknown


def _metric(person: Applicant, sort: Sort) -> Decimal | int | None:
    return person.facts.volume_usd if sort is Sort.VOLUME else person.facts.active_users


def _passes(person: Applicant, filters: Filters) -> bool:
    judged = person.assessment
    return all(
        (
            not filters.search or finds(filters.search, person),
            not filters.eligibility or judged.outcome in filters.eligibility,
            not filters.track or judged.track == filters.track,
            not filters.country or person.country == filters.country,
            not filters.platform or person.platform == filters.platform,
            not filters.waiting_days
            or person.submitted_at <= NOW - timedelta(days=filters.waiting_days),
        )
    )


def finds(term: str, person: Applicant) -> bool:
    """Part of a name, handle or contact in any case, or exactly a number."""
    part = folded(term.lstrip("@"))
    texts = (person.username, person.handle, person.contact)
    if any(part in folded(text) for text in texts if text is not None):
        return True
    number = int(term) if term.isascii() and term.isdigit() else None
    return number in (person.application_id, person.account_id)


def folded(text: str) -> str:
    """Lower case as Postgres has it: sign by sign, each staying one sign."""
    return "".join(
        "i" if sign == "İ" else sign.lower() if len(sign.lower()) == 1 else sign for sign in text
    )


def tally(people: Sequence[Applicant]) -> dict[str, int]:
    """How the pending ones stand, by outcome."""
    pending = [p.assessment.outcome for p in people if p.status is Status.PENDING]
    return {"total": len(pending), **{str(o): pending.count(o) for o in Outcome}}
