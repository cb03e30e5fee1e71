"""Write the demo into an empty database: one transaction, by COPY."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime

import numpy as np
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Engine, text

from data_access.db import locks, partitions
from data_access.db.errors import DatabaseNotEmpty, Invalid
from data_access.demo import copies, identities, judgments, names, plans, trading
from data_access.demo.calendar import Calendar
from data_access.demo.judgments import Filed, Matter, Written
from data_access.demo.plans import Account
from data_access.demo.trading import Market, Trading
from data_access.eligibility import policies
from program.policy.policy import Policy
from program.review.sign_in import DEMO_ISSUER

DEFAULT_AFFILIATES = 400
DEFAULT_SEED = 7
MOST_AFFILIATES = 20_000
FIRST_REFERRED_ACCOUNT = 1_000_001
ACCOUNTS_A_COPY = 200
# Two processes that start together must not both fill.
LABEL = "demo"

HOLD_DATA = (
    "exchange.accounts",
    "exchange.applications",
    "exchange.referrals",
    "exchange.referral_activity",
    "review.staff",
    "review.evidence",
    "review.notes",
    "review.checks",
    "review.decisions",
    "review.proposals",
    "review.desk",
    "review.saved_views",
    "review.holidays",
    "review.affiliate_standings",
    "review.events",
    "review.outbox",
    "review.exports",
    "review.loads",
)
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoReport:
    """The contents of the demo. ``already_there``: it existed, and nothing was done."""

    affiliates: int
    seed: int
    data_through: str
    accounts: int
    applications: int
    pending: int
    referrals: int
    activity_rows: int
    already_there: bool = False

    def __str__(self) -> str:
        begin = "The demo is already there" if self.already_there else "The demo is made"
        return (
            f"{begin}: {self.affiliates:,} affiliates, {self.applications:,} applications "
            f"({self.pending:,} pending) and {self.activity_rows:,} rows of activity "
            f"through {self.data_through}."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """What everything else in a demo follows from."""

    affiliates: int
    seed: int
    calendar: Calendar
    policy: Policy

    def planned(self) -> list[Account]:
        """Return everybody who applied, with names."""
        rng = np.random.default_rng([self.seed, 0])
        drafts = plans.accounts(self.calendar, affiliates=self.affiliates, rng=rng)
        return identities.named(drafts, np.random.default_rng([self.seed, 4]))

    def market(self) -> Market:
        """Return the market in which all affiliates trade."""
        return Market.of(self.calendar, np.random.default_rng([self.seed, 1]))

    def matter(self, case: Filed, business: Trading, rng: np.random.Generator) -> Matter:
        """Return an application with what is needed to judge it."""
        return Matter(
            case=case, trading=business, calendar=self.calendar, policy=self.policy, rng=rng
        )


def is_empty(connection: Connection) -> bool:
    """Whether the database has no facts, no judgments, no staff and only the first policy."""
    held = " or ".join(f"exists (select from {table})" for table in HOLD_DATA)
    found = connection.execute(
        text(f"select {held} or exists (select from review.policies where version > 1)")  # noqa: S608
    )
    return not found.scalar_one()


def fill(
    engine: Engine,
    *,
    now: datetime,
    affiliates: int = DEFAULT_AFFILIATES,
    seed: int = DEFAULT_SEED,
    progress: Progress | None = None,
) -> DemoReport:
    """Fill an empty database with twelve months of a made-up program that end before ``now``.

    Nobody has worked on its open applications before `work_desk`.
    The same ``affiliates``, ``seed`` and ``now`` give the same rows. ``progress`` is called with
    the number of applicants done and in total. If the same demo exists, nothing is done. Raises
    Invalid for an impossible size, DatabaseNotEmpty if there is other data.
    """
    _check(now, affiliates, seed)
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": locks.DEMO})
        if not is_empty(connection):
            return _earlier(connection, affiliates, seed)
        demo = Demo(
            affiliates=affiliates,
            seed=seed,
            calendar=Calendar.ending_before(now),
            policy=policies.in_force(connection, now=now),
        )
        report = _fill(connection, demo, progress)
        connection.execute(text("analyze exchange.accounts, exchange.applications"))
        connection.execute(text("analyze exchange.referrals, exchange.referral_activity"))
        return report


def _check(now: datetime, affiliates: int, seed: int) -> None:
    if now.tzinfo is None:
        raise ValueError("the moment the demo is seen from needs a zone")
    if not plans.MIN_AFFILIATES <= affiliates <= MOST_AFFILIATES:
        raise Invalid(
            f"The demo takes {plans.MIN_AFFILIATES} to {MOST_AFFILIATES:,} affiliates; "
            f"{affiliates:,} were asked for."
        )
    if seed < 0:
        raise Invalid("The seed is a whole number that is not negative.")


def _earlier(connection: Connection, affiliates: int, seed: int) -> DemoReport:
    """Return the report of the existing demo; raises DatabaseNotEmpty unless it is the same."""
    made = _load(connection)
    if made is None:
        raise DatabaseNotEmpty(
            "The database holds other data, and the demo goes into an empty one only. "
            "Point DATABASE_URL at an empty database."
        )
    report, _ = made
    if (report.affiliates, report.seed) != (affiliates, seed):
        raise DatabaseNotEmpty(
            f"The database already holds a demo, made with --affiliates {report.affiliates} "
            f"--seed {report.seed}. Point DATABASE_URL at an empty database for another."
        )
    return report


def _load(connection: Connection) -> tuple[DemoReport, datetime] | None:
    """Return the report of the demo in the database, and its ``now``; ``None`` without a demo."""
    row = connection.execute(
        text(
            "select files -> 0 -> 'report' as report, loaded_at from review.loads "
            "where files -> 0 ->> 'name' = :name limit 1"
        ),
        {"name": LABEL},
    ).first()
    if row is None:
        return None
    return DemoReport(**{**row.report, "already_there": True}), row.loaded_at.astimezone(UTC)


def find(connection: Connection) -> Demo | None:
    """Return the demo in the database, or ``None``."""
    made = _load(connection)
    if made is None:
        return None
    report, now = made
    return Demo(
        affiliates=report.affiliates,
        seed=report.seed,
        calendar=Calendar.ending_before(now),
        policy=policies.in_force(connection, now=now),
    )


def open_matters(demo: Demo) -> Iterator[Matter]:
    """Yield the applications that wait for a decision, with the trading of their accounts."""
    market = demo.market()
    for cases in judgments.filed(demo.planned()).values():
        for case in cases:
            if case.application.is_open:
                business = _grown(demo, case.account, market)
                rng = np.random.default_rng([demo.seed, 5, case.application_id])
                yield demo.matter(case, business, rng)


def _grown(demo: Demo, account: Account, market: Market) -> Trading:
    rng = np.random.default_rng([demo.seed, 2, account.account_id])
    return trading.grow(account.shape, market, demo.calendar, rng)


def _copy_staff(connection: Connection) -> None:
    """Add the people, bound to an issuer that no identity provider can be."""
    columns = ("email", "display_name", "role", "issuer", "subject")
    rows = [(*person, DEMO_ISSUER, person[0]) for person in names.STAFF]
    copies.copy(connection, "review.staff", columns, rows)


def _fill(connection: Connection, demo: Demo, progress: Progress | None) -> DemoReport:
    calendar, planned = demo.calendar, demo.planned()
    filed = judgments.filed(planned)
    applications = sorted(
        (case for cases in filed.values() for case in cases), key=lambda case: case.application_id
    )
    _copy_staff(connection)
    copies.copy_settings(connection, calendar)
    copies.copy_affiliates(connection, planned, calendar)
    copies.copy_applications(connection, applications)
    partitions.ensure_months(connection, calendar.first, calendar.through)
    users, rows = _grow_and_judge(connection, demo, planned, filed, progress)
    copies.settle_identities(connection)
    report = DemoReport(
        affiliates=demo.affiliates,
        seed=demo.seed,
        data_through=calendar.through.isoformat(),
        accounts=len(planned) + users,
        applications=len(applications),
        pending=sum(case.application.is_open for case in applications),
        referrals=users,
        activity_rows=rows,
    )
    _copy_loads(connection, report, calendar)
    return report


def _grow_and_judge(
    connection: Connection,
    demo: Demo,
    planned: list[Account],
    filed: dict[int, list[Filed]],
    progress: Progress | None,
) -> tuple[int, int]:
    """Generate all trading and judge it; returns the number of users and days."""
    written, market = Written(), demo.market()
    users, rows = 0, 0
    for start in range(0, len(planned), ACCOUNTS_A_COPY):
        grown = []
        for account in planned[start : start + ACCOUNTS_A_COPY]:
            business = _grown(demo, account, market)
            grown.append((account, FIRST_REFERRED_ACCOUNT + users, business))
            users += len(business.signed_up)
            rng = np.random.default_rng([demo.seed, 6, account.account_id])
            for case in filed[account.account_id]:
                judgments.write(written, demo.matter(case, business, rng))
        rows += copies.copy_business(connection, grown, demo.calendar, demo.seed)
        if progress is not None:
            progress(start + len(grown), len(planned))
    copies.copy_written(connection, written)
    return users, rows


def _copy_loads(connection: Connection, report: DemoReport, calendar: Calendar) -> None:
    """Record one load per kind, as if delivered by upstream, so that a refresh includes it."""
    counts = {
        "accounts": report.accounts,
        "applications": report.applications,
        "referrals": report.referrals,
        "activity": report.activity_rows,
    }
    source = [{"name": LABEL, "size": 0, "sha256": "", "report": asdict(report)}]
    columns = (
        "kind",
        "files",
        "rows_read",
        "rows_inserted",
        "rows_updated",
        "first_day",
        "loaded_at",
    )
    earliest = connection.execute(
        text("select cast(min(referred_at) as date) from exchange.referrals")
    ).scalar_one()
    first_day: dict[str, date] = {"referrals": earliest, "activity": calendar.first}
    rows = (
        (kind, Jsonb(source), count, count, 0, first_day.get(kind), calendar.now)
        for kind, count in counts.items()
    )
    copies.copy(connection, "review.loads", columns, rows)
