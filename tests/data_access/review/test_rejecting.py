"""Rejections state established facts, alone and in bulk, and record what was not."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from data_access.applications import decision_history
from data_access.db.errors import Invalid
from data_access.review import bulk
from program.messages.canned_texts import CANNED_BY_KEY, Use
from program.policy.checklist import CheckOutcome
from program.review.workflow import REASONS, Status
from tests.builders import NOW, T, add_application, add_evidence, add_refresh, add_staff
from tests.data_access import clicks

# KNOWN misses every minimum; UNKNOWN has no external evidence.
KNOWN, UNKNOWN = 1, 2
CLAIM = "the minimums are not reached yet"


@pytest.fixture
def desk(engine: Engine) -> Engine:
    with engine.begin() as conn:
        add_staff(conn)
        add_refresh(conn)
        for id_ in (KNOWN, UNKNOWN):
            add_application(conn, id_)
        add_evidence(conn, KNOWN, value=5000)
        add_evidence(conn, KNOWN, kind="external_volume", value=1, exchange_name="ExA")
    return engine


def snapshot(engine: Engine, id_: int) -> dict[str, Any]:
    with engine.connect() as conn:
        made = decision_history.current(conn, id_)
    assert made is not None
    return made.snapshot


def test_a_reason_that_asserts_the_unknown_needs_evidence_or_an_explicit_word(
    desk: Engine,
) -> None:
    with pytest.raises(Invalid, match="Followers on X and Volume on other exchanges"):
        clicks.reject(desk, UNKNOWN, knowingly=False)
    assert clicks.read(desk, UNKNOWN).status is Status.PENDING

    clicks.reject(desk, KNOWN, knowingly=False, message=f"Sorry, {CLAIM}.")
    clicks.reject(desk, UNKNOWN, knowingly=True)

    assert snapshot(desk, KNOWN)["unproven"] == []
    assert snapshot(desk, UNKNOWN)["unproven"] == ["Followers on X", "Volume on other exchanges"]


def test_with_the_confirmation_the_message_still_may_not_claim_it(desk: Engine) -> None:
    with pytest.raises(Invalid, match="states facts that are not established"):
        clicks.reject(desk, UNKNOWN, knowingly=True, message=f"Sorry, {CLAIM}.")
    assert clicks.read(desk, UNKNOWN).status is Status.PENDING


@pytest.mark.parametrize(
    "reason", [reason for reason in REASONS if reason.asserts_failed], ids=lambda one: one.code
)
def test_a_reason_that_rests_on_a_check_is_given_once_it_failed(desk: Engine, reason: Any) -> None:
    given = {"reason_code": reason.code, "knowingly": False}
    for outcome in (None, CheckOutcome.PASSED, CheckOutcome.NOT_APPLICABLE):
        if outcome is not None:
            clicks.check(desk, UNKNOWN, item=reason.asserts_failed, outcome=outcome)
        with pytest.raises(Invalid, match="requires facts that are not established"):
            clicks.reject(desk, UNKNOWN, **given)
    failed = {"item": reason.asserts_failed, "outcome": CheckOutcome.FAILED, "comment": "Seen"}
    clicks.check(desk, UNKNOWN, **failed)

    clicks.reject(desk, UNKNOWN, **given)

    assert snapshot(desk, UNKNOWN)["unproven"] == []


@pytest.mark.parametrize("knowingly", [False, True])
def test_a_bulk_rejection_claims_a_fact_only_where_it_is_established(
    desk: Engine, knowingly: bool
) -> None:
    canned = CANNED_BY_KEY[Use.REJECTION, "below_minimums"]
    command = clicks.command(
        bulk.RejectEach,
        ids=[KNOWN, UNKNOWN],
        reason_code="below_minimums",
        rationale="Short",
        message=canned.message,
        reapply="after_30_days",
        knowingly=knowingly,
    )

    results = bulk.reject(desk, command)

    assert [result.done for result in results] == [True, knowingly]
    with desk.connect() as conn:
        messages = dict(
            conn.execute(
                text("select application_id, payload ->> 'message' from review.outbox")
            ).all()
        )
    assert CLAIM in messages[KNOWN]
    if knowingly:
        assert CLAIM not in messages[UNKNOWN]
        assert "we have nothing that shows that the minimums are reached" in messages[UNKNOWN]
    else:
        assert "Followers on X and Volume on other exchanges" in results[1].sentence


def test_with_nothing_known_the_refusal_names_missing_facts_and_no_placeholder(
    engine: Engine,
) -> None:
    with engine.begin() as conn:
        add_staff(conn)
        add_application(conn, UNKNOWN)

    command = clicks.command(
        bulk.RejectEach,
        ids=[UNKNOWN],
        reason_code="below_minimums",
        rationale="Short",
        message="{{criterion_gap}}",
        reapply="after_30_days",
    )

    [result] = bulk.reject(engine, command)

    assert not result.done
    assert "requires facts that are not established" in result.sentence


# Metrics reach T, the day before NOW; some days later they are behind.
@pytest.mark.parametrize(("days", "provisional"), [(0, False), (1, True), (5, True)])
def test_a_decision_keeps_that_its_metrics_were_behind(
    desk: Engine, days: int, provisional: bool
) -> None:
    clicks.reject(desk, KNOWN, now=NOW + timedelta(days=days))

    kept = snapshot(desk, KNOWN)
    assert (kept["provisional"], kept["data_through"]) == (provisional, T.isoformat())
