"""The requalification board: approved affiliates, their standing, and what the tests suggest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Connection,
    case,
    exists,
    func,
    select,
)

from data_access.affiliates import judged
from data_access.db import tables
from program.affiliates import requalification
from program.affiliates.filters import ANY, MONTH_CHOICES, PAGE_SIZE, BoardFilters
from program.affiliates.requalification import MonthTest, Standing, Step, SuggestedRate
from program.policy.eligibility import Facts
from program.policy.outcomes import Outcome
from program.policy.policy import Policy

MONTHS_SHOWN = 6
CHANGED = ("since", "changed_by", "reason_code", "reason", "count_from")


@dataclass(frozen=True, slots=True, kw_only=True)
class Affiliate:
    """An approved affiliate. ``tests`` are the newest months, oldest first.

    ``since``, ``changed_by`` and ``reason`` describe the last change, ``None`` and "" without one.
    ``misses`` are in a row. ``counted_from`` is the first month whose miss counts.
    """

    account_id: int
    application_id: int
    username: str
    country_code: str | None
    approved_at: datetime
    rebate_rate: Decimal
    standing: Standing
    since: datetime | None
    changed_by: str | None
    reason_code: str | None
    reason: str
    misses: int
    counted_from: date
    tests: tuple[MonthTest, ...]
    suggestion: Step | None
    suggested_rate: SuggestedRate

    @property
    def newest(self) -> MonthTest | None:
        """The newest tested month; ``None`` before the first."""
        return self.tests[-1] if self.tests else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """How many have this standing and suggestion, and this result of the newest month."""

    standing: Standing
    suggestion: Step | None
    month: str
    near: bool
    number: int

    def matches(self, filters: BoardFilters) -> bool:
        """Whether they match the filters, except the search."""
        return (
            filters.standing in (None, self.standing)
            and (filters.suggested in (None, self.suggestion) or self._suggested(filters))
            and filters.month in (None, self.month)
            and (self.near or not filters.near)
        )

    def _suggested(self, filters: BoardFilters) -> bool:
        return filters.suggested == ANY and self.suggestion is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Counts over the whole board, regardless of filters."""

    groups: Sequence[Group]

    @property
    def total(self) -> int:
        """The number of affiliates."""
        return self.matching(BoardFilters())

    @property
    def by_standing(self) -> dict[Standing, int]:
        """Of each standing."""
        return {one: self.matching(BoardFilters(standing=one)) for one in Standing}

    @property
    def by_suggestion(self) -> dict[Step, int]:
        """With each suggestion."""
        return {one: self.matching(BoardFilters(suggested=one)) for one in judged.URGENCY}

    @property
    def by_month(self) -> dict[str, int]:
        """With each result of the newest month."""
        return {one: self.matching(BoardFilters(month=one)) for one in MONTH_CHOICES}

    @property
    def near(self) -> int:
        """Close to the minimums in the newest month."""
        return self.matching(BoardFilters(near=True))

    def matching(self, filters: BoardFilters) -> int:
        """Return how many match the filters, except the search."""
        return sum(group.number for group in self.groups if group.matches(filters))


def counts(connection: Connection, policy: Policy) -> Counts:
    """Count the board."""
    found = connection.execute(judged.counts(judged.state(connection, policy)))
    return Counts(
        groups=[
            Group(
                standing=Standing(row.standing),
                suggestion=None if row.suggestion is None else Step(row.suggestion),
                month=row.month,
                near=row.near,
                number=int(row.number),
            )
            for row in found
        ]
    )


def count(
    connection: Connection, filters: BoardFilters, policy: Policy, counted: Counts | None = None
) -> int:
    """Return how many affiliates match the filters; of ``counted`` if nothing is searched for."""
    if not filters.search:
        return (counted or counts(connection, policy)).matching(filters)
    found = judged.matching(judged.state(connection, policy), filters).subquery()
    return connection.execute(select(func.count()).select_from(found)).scalar_one()


def page(
    connection: Connection, filters: BoardFilters, policy: Policy, *, size: int = PAGE_SIZE
) -> list[Affiliate]:
    """Return the affiliates of the filters' page, most urgent first."""
    last = filters.page * size
    found = _matching(connection, filters, policy, first=last, skip=last - size)
    return rows(connection, list(found), policy)


def shown(
    connection: Connection, filters: BoardFilters, policy: Policy, *, most: int
) -> dict[int, Standing]:
    """Return the standing of all that match, by application, in order; at most ``most``."""
    return _matching(connection, filters, policy, first=most, skip=0)


def _matching(
    connection: Connection, filters: BoardFilters, policy: Policy, *, first: int, skip: int
) -> dict[int, Standing]:
    known = judged.state(connection, policy)
    listed = judged.matching(known, filters, first=first, skip=skip)
    return {id_: Standing(standing) for id_, standing in connection.execute(listed)}


def rows(connection: Connection, ids: Sequence[int], policy: Policy) -> list[Affiliate]:
    """Return the affiliates with these approved applications, in the given order."""
    if not ids:
        return []
    tested, account, standing, decision = (
        tables.affiliate_tested,
        tables.accounts,
        tables.affiliate_standings,
        tables.decisions,
    )
    found = connection.execute(
        select(
            *(tested.c[name] for name in ("account_id", "application_id", "approved_at")),
            account.c.username,
            account.c.country_code,
            decision.c.rebate_rate,
            judged.standing().label("standing"),
            *(case((judged.of_this_approval(), standing.c[name])).label(name) for name in CHANGED),
            judged.misses(policy).label("misses"),
        )
        .select_from(
            judged.board()
            .join(account, account.c.account_id == tested.c.account_id)
            .join(decision, decision.c.decision_id == tested.c.decision_id)
        )
        .where(tested.c.application_id.in_(ids), judged.still_approved())
    ).mappings()
    by_id = {row["application_id"]: dict(row) for row in found}
    tests = _tests(connection, [row["account_id"] for row in by_id.values()])
    return [
        _affiliate(by_id[id_], tests.get(by_id[id_]["account_id"], []), policy)
        for id_ in ids
        if id_ in by_id
    ]


def of_application(connection: Connection, application_id: int, policy: Policy) -> Affiliate | None:
    """Return the affiliate with its newest approval on this application, or ``None``."""
    found = rows(connection, [application_id], policy)
    return found[0] if found else None


def _affiliate(row: dict[str, Any], tests: list[MonthTest], policy: Policy) -> Affiliate:
    tests = [
        test for test in tests if test.month >= requalification.first_tested(row["approved_at"])
    ]
    newest = tests[-1] if tests else None
    standing, count_from = Standing(row["standing"]), row.pop("count_from")
    return Affiliate(
        **{**row, "standing": standing, "reason": row["reason"] or ""},
        counted_from=requalification.first_counted(row["approved_at"], policy, count_from),
        tests=tuple(tests),
        suggestion=requalification.suggestion(
            standing,
            since=row["since"],
            misses=row["misses"],
            newest=newest.outcome if newest else None,
            newest_month=newest.month if newest else None,
            policy=policy,
        ),
        suggested_rate=requalification.suggested_rate(
            row["rebate_rate"], newest, misses=row["misses"], policy=policy
        ),
    )


def _tests(connection: Connection, accounts: list[int]) -> dict[int, list[MonthTest]]:
    """Return the newest months of each, oldest first, each with its current result."""
    table = tables.requalifications
    later = table.alias("later")
    newest_first = func.row_number().over(
        partition_by=table.c.account_id, order_by=table.c.month.desc()
    )
    ranked = (
        select(table, newest_first.label("place"))
        .where(
            table.c.account_id.in_(accounts),
            ~exists().where(later.c.supersedes == table.c.requalification_id),
        )
        .subquery()
    )
    found = connection.execute(
        select(ranked).where(ranked.c.place <= MONTHS_SHOWN).order_by(ranked.c.month)
    )
    tests: dict[int, list[MonthTest]] = {}
    for row in found:
        tests.setdefault(row.account_id, []).append(
            MonthTest(
                month=row.month,
                outcome=Outcome(row.outcome),
                facts=Facts(
                    volume_usd=row.volume_usd,
                    active_users=row.active_users,
                    new_users=row.new_users,
                    x_followers=None if row.x_followers is None else int(row.x_followers),
                    external_volume_usd=row.external_volume_usd,
                ),
                near=row.near,
                policy_version=row.policy_version,
                missing_days=row.missing_days,
            )
        )
    return tests
