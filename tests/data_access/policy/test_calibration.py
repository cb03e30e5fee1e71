"""The calibration read from measures, dismissals, and decisions with what the signal said."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, insert, text

from data_access.db import tables
from data_access.policy import calibration
from program.policy.calibration import Calibration, Endings, Portion
from program.policy.policy import Policy
from program.risk.signals import Severity
from tests.builders import NOW, T, add_account, add_application, add_metrics, add_staff

MIRA = "mira@example.com"


@pytest.fixture
def program(engine: Engine) -> Engine:
    with engine.begin() as conn:
        add_staff(conn)
    return engine


def measure(conn: Connection, account: int, **values: Any) -> None:
    row = {"data_through": T, "policy_version": 1, "measured_at": NOW, **values}
    conn.execute(insert(tables.risk_measures).values(account_id=account, **row))


def decide(conn: Connection, number: int, outcome: str, said: str, *volumes: int | None) -> None:
    """Decide an application whose R06 said this; volumes before and after an approval."""
    add_application(conn, number, status=outcome)
    decision = conn.execute(
        insert(tables.decisions)
        .values(
            application_id=number,
            outcome=outcome,
            reason_code="insufficient_volume" if outcome == "rejected" else None,
            rationale="",
            message_to_applicant="",
            rebate_rate=Decimal("0.2") if outcome == "approved" else None,
            is_override=False,
            decided_by=MIRA,
            decided_at=NOW,
            policy_version=1,
            snapshot={"risk_signals": [{"id": "R06", "severity": said, "dismissed": True}]},
        )
        .returning(tables.decisions.c.decision_id)
    ).scalar_one()
    for horizon, volume in zip((0, 30), volumes, strict=False):
        conn.execute(
            insert(tables.affiliate_outcomes).values(
                decision_id=decision,
                horizon_days=horizon,
                account_id=number,
                window_start=T - timedelta(days=30),
                window_end=T,
                volume_usd=volume,
                outcome="met",
            )
        )


def read(engine: Engine, signal: str, policy: Policy | None = None) -> Calibration:
    with engine.connect() as conn:
        found = calibration.read(conn, policy or Policy(), now=NOW + timedelta(days=1))
    return next(one for one in found.signals if one.signal.id == signal)


def test_measures_and_dismissals_are_counted(program: Engine) -> None:
    with program.begin() as conn:
        for account, value in {1: 2, 2: 4, 3: 10, 4: None}.items():
            add_account(conn, account)
            measure(conn, account, r06=value)
        for account in (2, 2, 3):
            conn.execute(
                text(
                    "insert into review.risk_dismissals (account_id, signal, reason, until, actor,"
                    " at) values (:account, 'R06', 'A contest', :until, :actor, now())"
                ),
                {"account": account, "until": T, "actor": MIRA},
            )

    found = read(program, "R06")

    assert (found.measured, found.lacking) == (3, 1)
    assert found.flagged == {Severity.WARN: 1, Severity.HIGH: 1}
    assert found.quantiles[2] == 4
    assert (found.dismissed, found.dismissed_accounts) == (3, 2)
    assert read(program, "R07").measured == 0


def test_of_many_affiliates_a_random_part_is_read_the_same_each_time(
    program: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "MOST_MEASURED", 5)
    with program.begin() as conn:
        for account in range(1, 41):
            add_account(conn, account)
            measure(conn, account, r06=account)

    found, again = read(program, "R06"), read(program, "R06")

    assert found.measured == 5
    assert found.quantiles == again.quantiles
    # Not the first five.
    assert found.bars[-1].end > 6
    with program.connect() as conn:
        whole = calibration.read(conn, Policy(), now=NOW)
    assert (whole.sampled, whole.affiliates) == (5, 40)


def test_fragile_eligibility_is_derived_under_the_policy(program: Engine) -> None:
    whole = {"volume": 30_000_000, "active": 20, "new": 9}
    parts = {
        f"{part}_{name}": value
        for part in ("without_top", "without_small", "fee_bearing")
        for name, value in {
            "volume_usd": 21_000_000,
            "active_users": 15,
            "new_users": 5,
        }.items()
    }
    with program.begin() as conn:
        for account, less in {
            1: {},
            2: {"without_top_volume_usd": 1, "without_top_new_users": 4},
        }.items():
            add_account(conn, account)
            add_metrics(conn, account, **whole)
            measure(conn, account, **{**parts, **less})
        add_account(conn, 3)
        measure(conn, 3, without_top_volume_usd=1)

    found = read(program, "R03")
    assert (found.measured, found.lacking) == (2, 1)
    assert found.flagged == {Severity.WARN: 0, Severity.HIGH: 0}
    sensitive = Policy(risk_thresholds={"R03.warn": Decimal(2)})
    assert read(program, "R03", sensitive).flagged == {Severity.WARN: 1, Severity.HIGH: 0}
    strict = Policy(min_active_users=16)
    assert read(program, "R03", strict).flagged == {Severity.WARN: 1, Severity.HIGH: 0}


def test_flagged_and_clear_decisions_are_followed_to_their_end(program: Engine) -> None:
    with program.begin() as conn:
        decide(conn, 1, "approved", "high", 100, 49)
        decide(conn, 2, "approved", "warn", 100, 50)
        decide(conn, 3, "rejected", "warn")
        decide(conn, 4, "approved", "clear", 100, 300)
        # Unknown later, or nothing before: approved, but not compared.
        decide(conn, 5, "approved", "clear", 100, None)
        decide(conn, 6, "approved", "clear", 0, 10)
        decide(conn, 7, "rejected", "not_enough_data")

    found = read(program, "R06")

    assert found.when_flagged == Endings(
        approved=Portion(number=2, of=3), kept=Portion(number=1, of=2)
    )
    assert found.when_clear == Endings(
        approved=Portion(number=3, of=3), kept=Portion(number=1, of=1)
    )
