"""One definition of eligibility serves Python and SQL."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, select, text

from data_access.db import tables
from data_access.eligibility import assessments, judging
from program.periods import WindowKind
from program.policy.criteria import CRITERIA, TRACKS
from program.policy.policy import Policy
from tests.builders import (
    NOW,
    T,
    add_account,
    add_application,
    add_metrics,
    add_policy,
    add_refresh,
)
from tests.cases import examples

CASES_A_BATCH = 100


def near(boundary: int) -> st.SearchStrategy[int]:
    return st.one_of(
        st.integers(boundary - 2, boundary + 2), st.integers(0, boundary * 3), st.just(0)
    )


def money(boundary: int) -> st.SearchStrategy[Decimal]:
    cents = near(boundary * 100)
    return cents.map(lambda c: Decimal(max(c, 0)) / 100)


def policies() -> st.SearchStrategy[Policy]:
    return st.builds(
        Policy,
        version=st.just(2),
        min_volume_usd=st.sampled_from([Decimal(0), Decimal("0.01"), Decimal(20_000_000)]),
        min_active_users=st.sampled_from([0, 1, 15]),
        min_new_users=st.sampled_from([0, 5]),
        min_x_followers=st.sampled_from([0, 5000]),
        min_external_volume_usd=st.sampled_from([Decimal(0), Decimal(20_000_000)]),
        evidence_valid_days=st.sampled_from([0, 1, 90]),
    )


observation = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["x_followers", "external_volume"]),
        "followers": near(5000).map(lambda n: max(n, 0)),
        "volume": money(20_000_000),
        "age": st.sampled_from(
            [
                timedelta(days=-1),
                timedelta(microseconds=-1),
                timedelta(0),
                timedelta(days=1),
                timedelta(days=90),
                timedelta(days=91, hours=9),
                timedelta(days=91, hours=9, microseconds=1),
                timedelta(days=400),
            ]
        ),
        "exchange_name": st.sampled_from([None, "", "ExA", "exa ", "ExB"]),
    }
)
case = st.fixed_dictionaries(
    {
        "metrics": st.none()
        | st.fixed_dictionaries(
            {
                "volume_usd": money(20_000_000),
                "active_users": near(15).map(lambda n: max(n, 0)),
                "new_users": near(5).map(lambda n: max(n, 0)),
            }
        ),
        "seen_after_refresh": st.booleans(),
        "evidence": st.lists(observation, max_size=4),
    }
)


def store(conn: Connection, number: int, one: dict[str, Any]) -> None:
    first_seen = NOW if one["seen_after_refresh"] else NOW - timedelta(days=9)
    add_application(conn, number, account={"first_seen_at": first_seen})
    if one["metrics"] is not None:
        blank = dict.fromkeys(
            (
                "fees_usd",
                "trade_count",
                "trading_days",
                "largest_day_volume_usd",
                "top_user_volume_usd",
                "sum_of_squared_user_volumes",
                "users_over_1000_usd",
                "zero_fee_volume_usd",
            ),
            0,
        )
        conn.execute(
            insert(tables.affiliate_window).values(
                affiliate_account_id=number, **blank, **one["metrics"]
            )
        )
    for seen in one["evidence"]:
        external = seen["kind"] == "external_volume"
        conn.execute(
            insert(tables.evidence).values(
                application_id=number,
                kind=seen["kind"],
                value=seen["volume"] if external else seen["followers"],
                exchange_name=seen["exchange_name"] if external else None,
                observed_at=NOW - seen["age"],
            )
        )


def judged_by_sql(conn: Connection, context: judging.JudgingContext) -> dict[int, tuple[Any, ...]]:
    found = judging.judging(context)
    values = found.values
    words = [
        judging.outcome_word(judging.track_truth(track, values, context.policy)) for track in TRACKS
    ]
    rows = conn.execute(
        select(
            tables.applications.c.application_id,
            *(values[criterion.key] for criterion in CRITERIA),
            *words,
            judging.outcome_word(judging.whole_truth(values, context.policy)),
            judging.track_word(
                {t.key: judging.track_truth(t, values, context.policy) for t in TRACKS}
            ),
        ).select_from(found.source)
    )
    return {row[0]: tuple(row[1:]) for row in rows}


def judged_by_python(
    conn: Connection, number: int, context: judging.JudgingContext
) -> tuple[Any, ...]:
    standing = assessments.read(conn, number, context)
    found = standing.assessment
    return (
        *(standing.facts.value(criterion) for criterion in CRITERIA),
        *(str(track.outcome) for track in found.tracks),
        str(found.outcome),
        found.track,
    )


HEALTH = [
    HealthCheck.function_scoped_fixture,
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.large_base_example,
]
BATCH = {
    "cases": st.lists(case, min_size=CASES_A_BATCH, max_size=CASES_A_BATCH),
    "policy": policies(),
    "refreshed": st.sampled_from([True, True, True, False]),
}


@settings(max_examples=examples(3, of=6), suppress_health_check=HEALTH)
@given(**BATCH)
def test_sql_and_python_agree_on_every_case(
    conn: Connection, cases: list[dict[str, Any]], policy: Policy, refreshed: bool
) -> None:
    judge_both_ways(conn, cases, policy, refreshed)


@pytest.mark.slow
@settings(max_examples=25, suppress_health_check=HEALTH)
@given(**BATCH)
def test_sql_and_python_agree_on_2500_cases(
    conn: Connection, cases: list[dict[str, Any]], policy: Policy, refreshed: bool
) -> None:
    judge_both_ways(conn, cases, policy, refreshed)


def judge_both_ways(
    conn: Connection, cases: list[dict[str, Any]], policy: Policy, refreshed: bool
) -> None:
    """Judge a batch of generated applications, unknowns included."""
    with conn.begin_nested() as savepoint:
        add_policy(conn, policy)
        if refreshed:
            add_refresh(conn, at=NOW - timedelta(hours=1))
        for number, one in enumerate(cases, start=1):
            store(conn, number, one)
        context = judging.read_context(conn, now=NOW)
        by_sql = judged_by_sql(conn, context)

        assert policy == context.policy
        for number in range(1, len(cases) + 1):
            assert judged_by_python(conn, number, context) == by_sql[number]
        savepoint.rollback()


@pytest.mark.parametrize(
    ("refreshed", "first_seen", "volume"),
    [
        (False, NOW - timedelta(days=9), None),
        (True, NOW - timedelta(hours=2), Decimal(0)),
        (True, NOW - timedelta(minutes=30), None),
    ],
)
def test_no_referrals_is_a_known_zero_but_metrics_not_yet_computed_are_unknown(
    conn: Connection, refreshed: bool, first_seen: Any, volume: Decimal | None
) -> None:
    if refreshed:
        add_refresh(conn, through=T, at=NOW - timedelta(hours=1))
    add_application(conn, 1, account={"first_seen_at": first_seen})

    standing = assessments.read(conn, 1, judging.read_context(conn, now=NOW))

    assert volume == standing.facts.volume_usd


def test_metrics_of_an_affiliate_count_even_if_the_account_came_later(conn: Connection) -> None:
    add_refresh(conn, at=NOW - timedelta(hours=1))
    add_account(conn, 1, first_seen_at=NOW)
    conn.execute(
        text(
            "insert into review.affiliate_window (affiliate_account_id, volume_usd, fees_usd,"
            " trade_count, active_users, new_users, trading_days, largest_day_volume_usd,"
            " top_user_volume_usd, sum_of_squared_user_volumes, users_over_1000_usd,"
            " zero_fee_volume_usd) values (1, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0)"
        )
    )
    add_application(conn, 7, account_id=1)

    standing = assessments.read(conn, 7, judging.read_context(conn, now=NOW))

    assert standing.facts.volume_usd == Decimal(5)


@pytest.mark.parametrize(
    ("change", "volume"),
    [
        ({"min_volume_usd": Decimal(1)}, Decimal(5)),
        ({"window_kind": WindowKind.CALENDAR_MONTH}, None),
        ({"active_user_min_volume_usd": Decimal(100)}, None),
        ({"new_user_must_trade": True}, None),
    ],
)
def test_metrics_counted_by_another_policys_words_are_unknown_until_a_refresh(
    conn: Connection, change: dict[str, Any], volume: Decimal | None
) -> None:
    add_refresh(conn)
    add_application(conn, 1)
    add_metrics(conn, 1, volume=5)
    add_policy(conn, Policy(version=2, **change))

    standing = assessments.read(conn, 1, judging.read_context(conn, now=NOW))

    assert volume == standing.facts.volume_usd
