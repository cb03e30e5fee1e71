"""One definition of priority serves Python and SQL."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    Boolean,
    Connection,
    DateTime,
    Integer,
    Numeric,
    Subquery,
    cast,
    column,
    select,
    values,
)

from data_access.eligibility import judging
from data_access.eligibility.judging import JudgingContext
from data_access.queue import priority_sql
from program.policy.criteria import CRITERIA
from program.policy.eligibility import Facts, assess
from program.policy.policy import Policy
from program.review import business_time, priority
from program.risk.judging import Headline
from tests.cases import examples

CASES_A_BATCH = 100
BATCHES = examples(8, of=25)
MOMENT = timedelta(microseconds=1)
# A Sunday and a Wednesday.
NOWS = (datetime(2026, 3, 15, 9, tzinfo=UTC), datetime(2026, 3, 18, 9, 30, tzinfo=UTC))
COLUMNS: dict[str, Any] = {
    "volume_usd": Numeric(24, 2),
    "active_users": Integer(),
    "new_users": Integer(),
    "x_followers": Numeric(24, 2),
    "external_volume_usd": Numeric(24, 2),
}

policies = st.builds(
    Policy,
    review_sla_business_days=st.sampled_from([0, 0, 1, 3, 12]),
    min_volume_usd=st.sampled_from([Decimal(0), Decimal("0.01"), Decimal(20_000_000)]),
    min_active_users=st.sampled_from([0, 1, 15]),
    min_new_users=st.sampled_from([0, 5]),
)
days_off = st.frozensets(st.dates(date(2026, 1, 1), date(2026, 3, 20)), max_size=12)


def figure(*boundaries: int) -> st.SearchStrategy[int | None]:
    """Generate unknown, or a count on either side of a boundary."""
    near = [max(0, boundary + step) for boundary in boundaries for step in (-1, 0, 1)]
    return st.sampled_from([None, *near])


def money(*boundaries: int) -> st.SearchStrategy[Decimal | None]:
    cents = figure(*(boundary * 100 for boundary in boundaries))
    return cents.map(lambda number: None if number is None else Decimal(number) / 100)


case = st.fixed_dictionaries(
    {
        "volume_usd": money(0, 18_000_000, 20_000_000, 40_000_000, 100_000_000),
        "active_users": figure(0, 13, 15),
        "new_users": figure(0, 4, 5),
        "x_followers": figure(0, 5000),
        "external_volume_usd": money(0, 20_000_000),
        "days": st.sampled_from([0, 0, *range(17)]),
        "beside": st.sampled_from([-MOMENT, timedelta(0), MOMENT, timedelta(hours=7)]),
        "answered": st.booleans(),
        "risk": st.sampled_from([None, 0, 9, 10, 57, 100]),
    }
)
Case = dict[str, Any]


def context(policy: Policy, now: datetime, off: frozenset[date]) -> JudgingContext:
    return JudgingContext(policy=policy, freshness=None, now=now, holidays=off)


def clock_of(one: Case, judging_context: JudgingContext) -> datetime:
    """Return a moment near the given business days ago; it may be in the future."""
    return (
        business_time.latest_start(judging_context.now, one["days"], judging_context.holidays)
        + one["beside"]
    )


def by_python(one: Case, judging_context: JudgingContext) -> int:
    facts = Facts(**{key: one[key] for key in COLUMNS})
    return priority.explain(
        facts,
        assess(facts, judging_context.policy),
        policy=judging_context.policy,
        clock=priority.Clock(
            since=clock_of(one, judging_context),
            now=judging_context.now,
            holidays=judging_context.holidays,
        ),
        answered=one["answered"],
        risk=Headline(score=one["risk"] or 0),
    ).total


def by_sql(conn: Connection, cases: Sequence[Case], judging_context: JudgingContext) -> list[int]:
    rows = literal_rows(cases, judging_context)
    row = rows.c
    known = {key: row[key] for key in COLUMNS}
    points = priority_sql.score(
        known,
        judging.whole_truth(known, judging_context.policy),
        clock_from=row.clock_from,
        answered=row.answered,
        risk=row.risk,
        context=judging_context,
    )
    return list(conn.execute(select(points).order_by(row.number)).scalars())


def literal_rows(cases: Sequence[Case], judging_context: JudgingContext) -> Subquery:
    listed = values(
        column("number", Integer),
        column("clock_from", DateTime(timezone=True)),
        column("answered", Boolean),
        column("risk", Integer),
        *(column(key, type_) for key, type_ in COLUMNS.items()),
        name="given",
    ).data(
        [
            (
                number,
                clock_of(one, judging_context),
                one["answered"],
                one["risk"],
                *(one[key] for key in COLUMNS),
            )
            for number, one in enumerate(cases)
        ]
    )
    # A column of only NULL would be text.
    typed = [cast(listed.c[key], type_).label(key) for key, type_ in COLUMNS.items()]
    typed.append(cast(listed.c.risk, Integer).label("risk"))
    return select(listed.c.number, listed.c.clock_from, listed.c.answered, *typed).subquery()


@settings(
    max_examples=BATCHES,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
    ],
)
@given(
    cases=st.lists(case, min_size=CASES_A_BATCH, max_size=CASES_A_BATCH),
    policy=policies,
    now=st.sampled_from(NOWS),
    off=days_off,
)
def test_sql_and_python_add_up_every_case_the_same(
    conn: Connection, cases: list[Case], policy: Policy, now: datetime, off: frozenset[date]
) -> None:
    """Batches of 100 generated cases, including unknown figures and future clocks."""
    judging_context = context(policy, now, off)

    assert by_sql(conn, cases, judging_context) == [
        by_python(one, judging_context) for one in cases
    ]


NOTHING: Case = {
    "volume_usd": Decimal(0),
    "active_users": 0,
    "new_users": 0,
    "x_followers": 0,
    "external_volume_usd": Decimal(0),
    "days": 0,
    "beside": timedelta(0),
    "answered": False,
    "risk": None,
}
UNKNOWN: Case = {**NOTHING, **dict.fromkeys(COLUMNS)}
NEAR: Case = {"volume_usd": Decimal(18_000_000), "active_users": 14, "new_users": 5}
LARGE: Case = {"volume_usd": Decimal(100_000_000), "active_users": 15, "new_users": 5}


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (NOTHING, 0),
        (UNKNOWN, 10),
        ({**NOTHING, "days": 3, "beside": MOMENT}, 4),
        ({**NOTHING, "days": 3}, 6 + 15),
        ({**NOTHING, "days": 20}, 20 + 30),
        ({**NOTHING, "beside": timedelta(days=1)}, 0),
        ({**NOTHING, **NEAR}, 10),
        ({**UNKNOWN, **NEAR}, 10 + 10),
        ({**NOTHING, **LARGE}, 25 + 15),
        ({**NOTHING, "answered": True}, 10),
        ({**NOTHING, "risk": 29}, 2),
        ({**NOTHING, **LARGE, "days": 20, "answered": True}, 100),
    ],
)
def test_points(conn: Connection, one: Case, expected: int) -> None:
    judging_context = context(Policy(), NOWS[1], frozenset())

    assert by_sql(conn, [one], judging_context) == [expected] == [by_python(one, judging_context)]


def test_every_figure_that_is_judged_is_among_the_cases() -> None:
    assert set(COLUMNS) == {criterion.key for criterion in CRITERIA}
