"""`review.judged_risk` is `program.risk.judging` with `program.policy.robust`, in SQL."""

import json
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, text

from data_access.db import tables
from data_access.risk import columns
from program.policy import robust
from program.policy.eligibility import Facts
from program.policy.policy import Policy
from program.policy.robust import Robust
from program.risk import judging
from program.risk.judging import Measured, Risk
from program.risk.signals import SIGNALS, THRESHOLDS
from tests.builders import NOW, T, add_account
from tests.cases import examples

JUDGED = """
select * from review.judged_risk(
    jsonb_populate_record((select policies from review.policies where version = 1),
        cast(:policy as jsonb)), :ids)
order by account_id
"""
FIRST_ID = 70_000
ACCOUNTS = 60
ULP = Decimal("0.000001")


@dataclass
class Case:
    """An account's measures, facts and dismissals, as the database and as Python know them."""

    account_id: int
    measures: dict[str, Any] = field(default_factory=dict)
    facts: Facts = field(default_factory=lambda: Facts(volume_usd=Decimal(0)))
    dismissals: list[tuple[str, date]] = field(default_factory=list)

    @property
    def parts(self) -> dict[str, Facts]:
        return {
            variant.key: Facts(
                **{c.key: self.measures.get(f"{variant.key}_{c.key}") for c in robust.CRITERIA}
            )
            for variant in robust.VARIANTS
        }

    def judged(self, policy: Policy) -> tuple[Risk, Robust | None]:
        measured = {
            s.id: Measured(
                value=self.measures.get(s.column), sample=self.measures.get(f"{s.column}_sample")
            )
            for s in columns.MEASURED
        }
        measured[robust.FRAGILE] = robust.measure(self.facts, self.parts, policy)
        newest = dict(self.dismissals)
        dismissed = {id_ for id_, until in newest.items() if until > T}
        found = robust.judge(self.facts, self.parts, policy)
        return judging.judge(measured, policy.risk_thresholds, dismissed), found


def settled(conn: Connection, cases: Sequence[Case]) -> None:
    for case in cases:
        conn.execute(
            insert(tables.risk_measures).values(
                account_id=case.account_id,
                data_through=T,
                policy_version=1,
                measured_at=NOW,
                inputs={},
                **case.measures,
            )
        )
        conn.execute(
            text(
                "insert into review.affiliate_window select (jsonb_populate_record("
                "null::review.affiliate_window, cast(:row as jsonb))).*"
            ),
            {"row": json.dumps(window_row(case))},
        )
        for signal, until in case.dismissals:
            conn.execute(
                insert(tables.risk_dismissals).values(
                    account_id=case.account_id,
                    signal=signal,
                    reason="looked into",
                    until=until,
                    actor="ana@example.com",
                    at=NOW,
                )
            )


def window_row(case: Case) -> dict[str, Any]:
    zeros = {c.name: 0 for c in tables.affiliate_window.c}
    facts = {c.key: str(case.facts.value(c) or 0) for c in robust.CRITERIA}
    return zeros | facts | {"affiliate_account_id": case.account_id}


def by_sql(conn: Connection, cases: Collection[Case], policy: Policy) -> list[tuple[Any, ...]]:
    minimums = {c.minimum: str(getattr(policy, c.minimum)) for c in robust.CRITERIA}
    thresholds = {key: str(limit) for key, limit in policy.risk_thresholds.items()}
    given = {
        "policy": json.dumps({**minimums, "risk_thresholds": thresholds}),
        "ids": [case.account_id for case in cases],
    }
    return [tuple(row) for row in conn.execute(text(JUDGED), given)]


def by_python(cases: Sequence[Case], policy: Policy) -> list[tuple[Any, ...]]:
    return [tuple(_expected(case, policy)) for case in cases]


def _expected(case: Case, policy: Policy) -> Iterator[Any]:
    risk, found = case.judged(policy)
    yield from (case.account_id, T, str(risk.level), risk.score)
    yield [result.signal.id for result in risk.flagged]
    for name in ("met", "without_top", "without_small", "fee_bearing"):
        yield None if found is None else getattr(found, name)


def _near(chance: random.Random, limits: Sequence[Decimal]) -> Decimal:
    return chance.choice(limits) + chance.choice([-ULP, Decimal(0), ULP, Decimal(2), Decimal(-2)])


def invented(chance: random.Random, policy: Policy) -> Iterator[Case]:
    """Accounts whose values lie around the thresholds, samples and minimums; some are unknown."""
    limits = {one.key: policy.risk_thresholds.get(one.key, one.default) for one in THRESHOLDS}
    for number in range(ACCOUNTS):
        unknown, case = chance.choice([0.05, 0.5, 0.97]), Case(FIRST_ID + number)
        for signal in columns.MEASURED:
            own = [one for one in THRESHOLDS if one.signal is signal]
            if chance.random() >= unknown:
                case.measures[signal.column] = _near(chance, [limits[one.key] for one in own])
            if signal.sample and chance.random() >= unknown / 2:
                sample = chance.choice([signal.least_sample, *(one.sample for one in own)])
                case.measures[f"{signal.column}_sample"] = max(
                    0, sample + chance.choice([-1, 0, 1, 500])
                )
        case.facts = Facts(**_figures(chance, policy))
        for variant in robust.VARIANTS:
            for key, value in _figures(chance, policy).items():
                if chance.random() > unknown / 20:
                    case.measures[f"{variant.key}_{key}"] = value
        for signal in chance.sample(SIGNALS, chance.choice([0, 0, 1, 12])):
            for _ in range(chance.choice([1, 2])):
                until = T + timedelta(days=chance.choice([-1, 0, 1, 90]))
                case.dismissals.append((signal.id, until))
        yield case


def _figures(chance: random.Random, policy: Policy) -> dict[str, Any]:
    beside = chance.choice([0, 1, 1])
    return {
        "volume_usd": policy.min_volume_usd - chance.choice([0, beside]) * Decimal("0.01"),
        "active_users": policy.min_active_users - chance.choice([0, beside]),
        "new_users": max(0, policy.min_new_users - chance.choice([0, beside])),
    }


policies = st.builds(
    lambda thresholds, volume, active, new: Policy(
        risk_thresholds=thresholds,
        min_volume_usd=volume,
        min_active_users=active,
        min_new_users=new,
    ),
    st.dictionaries(
        st.sampled_from([one.key for one in THRESHOLDS]),
        st.decimals(-3, 40, places=6),
        max_size=8,
    ),
    st.sampled_from([Decimal("20000000.00"), Decimal("0.01")]),
    st.sampled_from([15, 1]),
    st.sampled_from([5, 1]),
)


@settings(
    max_examples=examples(6, of=25),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(policy=policies, seed=st.integers(0, 2**32))
def test_sql_and_python_judge_every_account_the_same(
    conn: Connection, policy: Policy, seed: int
) -> None:
    """Some 60 generated accounts around every threshold, sample and minimum."""
    cases = list(invented(random.Random(seed), policy))
    with conn.begin_nested() as undone:
        for case in cases:
            add_account(conn, case.account_id)
        settled(conn, cases)

        assert by_sql(conn, cases, policy) == by_python(cases, policy)
        undone.rollback()


WHOLE = Facts(volume_usd=Decimal(20_000_000), active_users=15, new_users=5)
KEPT = {
    f"{variant.key}_{criterion.key}": WHOLE.value(criterion)
    for variant in robust.VARIANTS
    for criterion in robust.CRITERIA
}


TURNING = Policy(risk_thresholds={"R03.warn": Decimal(1)})


def fragile(conn: Connection, **measures: Any) -> tuple[Any, ...]:
    case = Case(FIRST_ID, measures=measures, facts=WHOLE)
    add_account(conn, FIRST_ID)
    settled(conn, [case])
    (found,) = by_sql(conn, [case], TURNING)
    assert found == by_python([case], TURNING)[0]
    return found[2:]


@pytest.mark.parametrize(
    ("measures", "expected"),
    [
        (KEPT, ("clear", 0, [], 3, 3, 3, 3)),
        ({**KEPT, "without_top_active_users": 14}, ("warn", 10, ["R03"], 3, 2, 3, 3)),
        (
            {**KEPT, "fee_bearing_active_users": 14, "fee_bearing_new_users": 4},
            ("warn", 10, ["R03"], 3, 3, 3, 1),
        ),
        (
            {**KEPT, "without_small_new_users": None},
            ("not_enough_data", 0, [], None, None, None, None),
        ),
    ],
)
def test_eligibility_is_fragile_if_it_turns_without_a_part(
    conn: Connection, measures: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    assert fragile(conn, **measures) == expected


def test_parts_counted_by_other_rules_say_nothing(conn: Connection) -> None:
    case = Case(FIRST_ID, measures=dict(KEPT), facts=WHOLE)
    add_account(conn, FIRST_ID)
    settled(conn, [case])
    changed: Mapping[str, Any] = {"window_kind": "calendar_month", "new_user_must_trade": True}
    for name, value in [*changed.items(), ("active_user_min_volume_usd", "1")]:
        given = {"policy": json.dumps({name: value}), "ids": [FIRST_ID]}
        (row,) = conn.execute(text(JUDGED), given)
        assert row.level == "not_enough_data"
        assert row.met is None


def test_accounts_that_were_not_measured_are_left_out(conn: Connection) -> None:
    assert by_sql(conn, [Case(FIRST_ID)], Policy()) == []
