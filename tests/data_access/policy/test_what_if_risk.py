"""What a draft's thresholds would flag: levels and signals, by hand."""

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import Engine, text

from data_access.policy import what_if_risk
from program.affiliates.what_if import Population
from program.policy.policy import Policy
from program.policy.settings import with_values
from program.risk.signals import Severity
from tests.builders import NOW, T, add_application, add_staff

OPEN, AFFILIATES = Population.OPEN, Population.AFFILIATES
POLICY = Policy()


@pytest.fixture
def program(engine: Engine) -> Engine:
    """Open applications 1 to 4, of which 4 is not measured; affiliates 5 and 6."""
    measures = {
        1: ("0.1", None),
        2: ("0.3", None),
        3: ("0.4", 9),
        5: ("0.2", None),
        6: (None, None),
    }
    with engine.begin() as conn:
        add_staff(conn)
        for number in range(1, 7):
            add_application(conn, number, status="pending" if number < 5 else "approved")
        for account in (5, 6):
            conn.execute(
                text(
                    "insert into review.affiliate_tested (account_id, application_id, decision_id,"
                    " approved_at) values (:id, :id, :id, now())"
                ),
                {"id": account},
            )
        for account, (r19, r09) in measures.items():
            conn.execute(
                text(
                    "insert into review.risk_measures (account_id, data_through, policy_version,"
                    " measured_at, r19, r09, r09_sample) values (:id, :t, 1, :now, :r19, :r09, 20)"
                ),
                {"id": account, "t": T, "now": NOW, "r19": r19, "r09": r09},
            )
    return engine


def test_a_draft_that_judges_nothing_differently_has_no_replay(program: Engine) -> None:
    with program.connect() as conn:
        for draft in (POLICY, replace(POLICY, review_sla_business_days=9)):
            assert what_if_risk.replay(conn, POLICY, draft) is None


def test_levels_and_signals_move_with_the_thresholds(program: Engine) -> None:
    draft = with_values(POLICY, {"R19.warn": Decimal("0.15"), "R09.high": Decimal(10)})

    with program.connect() as conn:
        found = what_if_risk.replay(conn, POLICY, draft)

    assert found is not None
    assert {level: (found.before(OPEN, level), found.after(OPEN, level)) for level in Severity} == {
        Severity.HIGH: (1, 0),
        Severity.WARN: (1, 2),
        Severity.CLEAR: (1, 1),
        Severity.NOT_ENOUGH_DATA: (0, 0),
    }
    assert (found.total(OPEN), found.changed(OPEN)) == (3, 1)
    assert found.levels[AFFILIATES] == {
        (Severity.CLEAR, Severity.WARN): 1,
        (Severity.NOT_ENOUGH_DATA, Severity.NOT_ENOUGH_DATA): 1,
    }
    assert found.unmeasured == {OPEN: 1}
    # R09 flags as many, only less strongly.
    assert found.signals == {"R19": {OPEN: (2, 2), AFFILIATES: (0, 1)}}
    assert found.stale == ()


def test_minimums_move_only_what_is_judged_by_them(program: Engine) -> None:
    with program.connect() as conn:
        found = what_if_risk.replay(conn, POLICY, replace(POLICY, min_active_users=20))

    assert found is not None
    assert found.stale == ("R05", "R28")
    assert found.signals == {}
