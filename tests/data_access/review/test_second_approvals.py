"""Two people for one decision: the second never the first, and nothing changed in between."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from data_access.applications import decision_history
from data_access.db.errors import (
    AlreadyDecided,
    ApprovalLapsed,
    ConflictOfInterest,
    Invalid,
    NotAllowed,
    NotInState,
)
from data_access.review import decisions, proposals, reactions
from program.policy.checklist import CheckOutcome
from program.policy.policy import Policy
from tests.builders import (
    NOW,
    add_application,
    add_eligible,
    add_metrics,
    add_policy,
    add_refresh,
    add_staff,
    pass_checks,
)
from tests.data_access import clicks
from tests.data_access.clicks import ADA, ANA, BEN, MIRA, NOOR, OTHER_WAY

ID = 1


@pytest.fixture
def desk(engine: Engine) -> Engine:
    """An application not known to be eligible, its checks passed; two managers."""
    with engine.begin() as conn:
        add_staff(conn)
        conn.execute(text("update review.staff set role = 'manager' where email = :e"), {"e": BEN})
        add_refresh(conn)
        add_application(conn, ID)
        pass_checks(conn, ID)
    return engine


def standing(desk: Engine) -> str:
    return str(clicks.read(desk, ID).status)


def last(desk: Engine) -> proposals.Proposal:
    with desk.connect() as conn:
        return proposals.history(conn, ID)[0]


def test_a_decision_for_two_people_is_proposed_and_not_made(desk: Engine) -> None:
    made = clicks.submit(desk, ID, draft=clicks.draft())

    assert isinstance(made, decisions.Proposed)
    assert standing(desk) == "awaiting_second_approval"


def test_the_same_request_again_returns_the_same_proposal(desk: Engine) -> None:
    once = {"draft": clicks.draft(), "shown": clicks.viewed(desk, ID), "request_id": uuid.uuid4()}

    assert clicks.submit(desk, ID, **once) == clicks.submit(desk, ID, **once)


def test_it_waits_in_its_own_status_with_its_reasons(desk: Engine) -> None:
    clicks.ask_second(desk, ID)

    assert standing(desk) == "awaiting_second_approval"
    assert last(desk).needed_for == ("against the computed eligibility",)
    with desk.connect() as conn:
        upstream = conn.execute(text("select status from exchange.applications")).scalar_one()
        assert clicks.decided(conn, ID) == []
    assert upstream == "pending"


def test_a_decision_for_one_person_is_made(engine: Engine) -> None:
    with engine.begin() as conn:
        add_staff(conn)
        add_refresh(conn)
        add_eligible(conn, ID)

    made = clicks.submit(engine, ID, draft=clicks.draft(override_reason=""))

    assert isinstance(made, decisions.Decided)
    assert standing(engine) == "approved"


def test_an_override_needs_its_reason(desk: Engine) -> None:
    with pytest.raises(Invalid, match="Write the override reason"):
        clicks.ask_second(desk, ID, draft=clicks.draft(override_reason="  "))


@pytest.mark.parametrize(
    ("actor", "sentence"),
    [(ANA, "may not"), (NOOR, "may not"), (ADA, "may not"), ("x@example.com", "staff list")],
)
def test_only_managers_are_second(desk: Engine, actor: str, sentence: str) -> None:
    clicks.ask_second(desk, ID)

    with pytest.raises(NotAllowed, match=sentence):
        clicks.confirm(desk, ID, actor=actor)
    assert standing(desk) == "awaiting_second_approval"


def test_the_second_is_never_the_first_manager_or_not(desk: Engine) -> None:
    clicks.ask_second(desk, ID, actor=MIRA)

    for verb in (clicks.confirm, clicks.decline):
        with pytest.raises(NotAllowed, match="yourself"):
            verb(desk, ID, actor=MIRA)
    clicks.confirm(desk, ID, actor=BEN)

    with desk.connect() as conn:
        made = decision_history.current(conn, ID)
    assert made is not None
    assert (made.decided_by, made.second_approver) == (MIRA, BEN)


def test_the_confirmed_decision_is_the_proposed_one(desk: Engine) -> None:
    clicks.ask_second(desk, ID)
    clicks.confirm(desk, ID)

    with desk.connect() as conn:
        made = decision_history.current(conn, ID)
        message = conn.execute(text("select payload from review.outbox")).scalar_one()
    assert made is not None
    assert (made.outcome, made.rebate_rate, made.override_reason) == (
        "approved",
        clicks.RATE,
        OTHER_WAY,
    )
    assert made.is_override
    assert message["message"] == "Welcome"
    assert standing(desk) == "approved"
    assert last(desk).closed_as == "confirmed"


def new_evidence(conn: Connection) -> None:
    conn.execute(
        text(
            "insert into review.evidence (application_id, kind, value, method, observed_at,"
            " recorded_by) values (1, 'x_followers', 10, 'api', :at, 'ana@example.com')"
        ),
        {"at": NOW - timedelta(days=400)},
    )


def new_policy(conn: Connection) -> None:
    add_policy(conn, Policy(version=2))


def new_metrics(conn: Connection) -> None:
    add_metrics(conn, ID, volume=20_000_000)


@pytest.mark.parametrize("change", [new_evidence, new_policy, new_metrics])
def test_a_change_in_between_lapses_it_and_the_lapse_stays(
    desk: Engine, change: Callable[[Connection], Any]
) -> None:
    clicks.ask_second(desk, ID)
    with desk.begin() as conn:
        change(conn)

    with pytest.raises(ApprovalLapsed, match="pending again"):
        clicks.confirm(desk, ID)

    assert standing(desk) == "pending"
    assert last(desk).closed_as == "lapsed"
    assert clicks.events(desk, ID)[-1].kind == "second_approval_lapsed"
    assert clicks.events(desk, ID)[-1].detail["changes"]


@pytest.mark.parametrize("change", [new_policy, new_metrics])
def test_a_refresh_expires_outdated_proposals(
    desk: Engine, change: Callable[[Connection], Any]
) -> None:
    clicks.ask_second(desk, ID)
    assert reactions.react_to_refresh(desk, now=NOW) == 0
    with desk.begin() as conn:
        change(conn)

    assert reactions.react_to_refresh(desk, now=NOW) == 1

    assert standing(desk) == "pending"
    lapse = clicks.events(desk, ID)[-1]
    assert (lapse.kind, lapse.actor) == ("second_approval_lapsed", reactions.PROGRAM)
    with pytest.raises(NotInState):
        clicks.confirm(desk, ID, proposal_id=last(desk).proposal_id)


def test_a_withdrawal_upstream_ends_an_open_proposal_once(desk: Engine) -> None:
    clicks.ask_second(desk, ID)
    with desk.begin() as conn:
        conn.execute(text("update exchange.applications set status = 'withdrawn'"))

    assert (
        reactions.react_to_refresh(desk, now=NOW) == reactions.react_to_refresh(desk, now=NOW) == 0
    )

    assert last(desk).closed_as == "withdrawn"
    kinds = [event.kind for event in clicks.events(desk, ID)]
    assert kinds.count("second_approval_ended") == 1


def test_an_application_reverted_upstream_is_pending_here_too(desk: Engine) -> None:
    clicks.ask_second(desk, ID)
    with desk.begin() as conn:
        conn.execute(text("update exchange.applications set status = 'withdrawn'"))
    reactions.react_to_refresh(desk, now=NOW)
    with desk.begin() as conn:
        conn.execute(text("update exchange.applications set status = 'pending'"))

    clicks.ask_second(desk, ID)

    assert standing(desk) == "awaiting_second_approval"


def test_a_conflict_recorded_since_is_the_first_persons_too(desk: Engine) -> None:
    clicks.ask_second(desk, ID)
    clicks.declare_conflict(desk, ID, email=ANA, actor=MIRA)

    with pytest.raises(ConflictOfInterest, match="who proposed this"):
        clicks.confirm(desk, ID)


@pytest.mark.parametrize("verb", [clicks.confirm, clicks.decline, clicks.cancel])
def test_a_second_person_with_a_conflict_does_nothing_with_it(desk: Engine, verb: Any) -> None:
    clicks.ask_second(desk, ID)
    clicks.declare_conflict(desk, ID, email=MIRA, actor=MIRA)

    with pytest.raises(ConflictOfInterest):
        verb(desk, ID, actor=MIRA)
    assert standing(desk) == "awaiting_second_approval"


@pytest.mark.parametrize(("fees", "lapses"), [(99_999, False), (100_000, True)])
def test_fees_lapse_it_where_they_cross_the_limit(desk: Engine, fees: int, lapses: bool) -> None:
    with desk.begin() as conn:
        add_metrics(conn, ID, volume=1_000_000, active=20, new=9)
    clicks.ask_second(desk, ID, draft=clicks.draft(rebate_rate=Decimal("0.20")))
    with desk.begin() as conn:
        conn.execute(text("update review.affiliate_window set fees_usd = :fees"), {"fees": fees})

    if lapses:
        with pytest.raises(ApprovalLapsed):
            clicks.confirm(desk, ID)
    else:
        clicks.confirm(desk, ID)

    assert last(desk).closed_as == ("lapsed" if lapses else "confirmed")


def test_the_day_to_apply_again_is_the_one_the_message_named(desk: Engine) -> None:
    with desk.begin() as conn:
        add_metrics(conn, ID, volume=25_000_000, active=20, new=9)
    clicks.ask_second(desk, ID, draft=clicks.rejection(reapply="after_30_days"))

    clicks.confirm(desk, ID, now=NOW + timedelta(days=1))

    with desk.connect() as conn:
        day = conn.execute(text("select reapply_from from review.decisions")).scalar_one()
    assert day == (NOW + timedelta(days=30)).date()


def test_a_refused_lapse_is_refused_again_by_the_same_click(desk: Engine) -> None:
    number, request_id = clicks.ask_second(desk, ID), uuid.uuid4()
    with desk.begin() as conn:
        new_metrics(conn)
    for _ in range(2):
        with pytest.raises(ApprovalLapsed):
            clicks.confirm(desk, ID, proposal_id=number, request_id=request_id)

    assert [e.kind for e in clicks.events(desk, ID)].count("second_approval_lapsed") == 1


def test_a_check_that_failed_meanwhile_lapses_it(desk: Engine) -> None:
    clicks.ask_second(desk, ID)
    clicks.check(
        desk, ID, item="no_prior_ban", outcome=CheckOutcome.FAILED, comment="Banned in May"
    )

    with pytest.raises(ApprovalLapsed):
        clicks.confirm(desk, ID)
    assert clicks.events(desk, ID)[-1].detail["changes"] == [
        {"what": "check “No prior ban”", "old": "passed", "new": "failed"}
    ]


def test_a_person_with_a_conflict_is_no_second_person(desk: Engine) -> None:
    clicks.ask_second(desk, ID)
    clicks.declare_conflict(desk, ID, actor=MIRA)

    with pytest.raises(ConflictOfInterest):
        clicks.confirm(desk, ID)
    clicks.confirm(desk, ID, actor=BEN)


def test_a_rejection_is_proposed_and_confirmed_like_an_approval(engine: Engine) -> None:
    with engine.begin() as conn:
        add_staff(conn)
        add_refresh(conn)
        add_eligible(conn, ID)
    clicks.ask_second(engine, ID, draft=clicks.rejection())
    clicks.confirm(engine, ID)

    with engine.connect() as conn:
        made = decision_history.current(conn, ID)
    assert made is not None
    assert (made.outcome, made.reason_code, made.reapply, made.second_approver) == (
        *("rejected", "promotion_methods", "after_90_days", MIRA),
    )


@pytest.mark.parametrize("rate", [None, Decimal("0.10"), Decimal("0.51"), Decimal("NaN")])
def test_a_proposal_needs_its_rate_as_a_decision_does(desk: Engine, rate: Decimal | None) -> None:
    before = clicks.kept(desk, ID)

    with pytest.raises(Invalid, match="rebate rate"):
        clicks.ask_second(desk, ID, draft=clicks.draft(rebate_rate=rate))
    assert clicks.kept(desk, ID) == before


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"rationale": ""}, "rationale is empty"),
        ({"rationale": "x" * 20_000}, "20,000 characters"),
        ({"message": "Dear {{name}}"}, r"still has \{\{name\}\}"),
        ({"override_reason": "x" * 20_000}, "20,000 characters"),
    ],
)
def test_a_proposal_is_checked_as_a_decision_is(
    desk: Engine, given: dict[str, Any], sentence: str
) -> None:
    before = clicks.kept(desk, ID)

    with pytest.raises(Invalid, match=sentence):
        clicks.ask_second(desk, ID, draft=clicks.draft(**given))
    assert clicks.kept(desk, ID) == before


def test_one_of_two_simultaneous_confirmations_succeeds(desk: Engine) -> None:
    number = clicks.ask_second(desk, ID)

    def try_to(who: str) -> bool:
        try:
            clicks.confirm(desk, ID, proposal_id=number, actor=who)
        except AlreadyDecided:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(try_to, [BEN, MIRA])) == 1
    with desk.connect() as conn:
        assert len(clicks.decided(conn, ID)) == 1


def test_evidence_recorded_meanwhile_lapses_it_at_once(desk: Engine) -> None:
    clicks.ask_second(desk, ID)

    clicks.record_evidence(desk, ID)

    assert standing(desk) == "pending"
    assert last(desk).closed_as == "lapsed"


@pytest.mark.parametrize(
    ("actor", "may"), [(ANA, True), (MIRA, True), (NOOR, False), ("ben2@example.com", False)]
)
def test_the_first_or_a_manager_cancels(desk: Engine, actor: str, may: bool) -> None:
    with desk.begin() as conn:
        conn.execute(
            text("insert into review.staff values ('ben2@example.com', 'Ben', 'reviewer', true)")
        )
    clicks.ask_second(desk, ID)

    if not may:
        with pytest.raises(NotAllowed):
            clicks.cancel(desk, ID, actor=actor)
        assert standing(desk) == "awaiting_second_approval"
        return
    clicks.cancel(desk, ID, actor=actor)
    assert standing(desk) == "pending"
    assert last(desk).closed_as == "cancelled"


def test_a_proposal_that_has_ended_cannot_be_confirmed(desk: Engine) -> None:
    number = clicks.ask_second(desk, ID)
    clicks.cancel(desk, ID)
    clicks.ask_second(desk, ID)

    for forged in (number, 0, 10**9):
        with pytest.raises(NotInState, match="is no longer open"):
            clicks.confirm(desk, ID, proposal_id=forged)


def test_the_thread_shows_all_of_it(desk: Engine) -> None:
    clicks.ask_second(desk, ID, now=NOW)
    clicks.decline(desk, ID, now=NOW + timedelta(minutes=1))
    clicks.ask_second(desk, ID, now=NOW + timedelta(minutes=2))
    clicks.confirm(desk, ID, now=NOW + timedelta(minutes=3))

    with desk.connect() as conn:
        titles = [e.title for e in clicks.thread(conn, ID)]
    assert "second approval declined" in titles
    assert sum(title.startswith("second approval asked, to approve") for title in titles) == 2
    assert any("confirmed by mira@example.com" in title for title in titles)


def costly(engine: Engine, fees: str, **policy: Any) -> None:
    with engine.begin() as conn:
        add_staff(conn)
        if policy:
            add_policy(conn, Policy(version=2, **policy))
        add_refresh(conn)
        add_eligible(conn, ID, fees=Decimal(fees))


@pytest.mark.parametrize(("fees", "needed"), [("99999.99", False), ("100000.00", True)])
def test_high_cost_needs_two_people_from_the_threshold_on(
    engine: Engine, fees: str, needed: bool
) -> None:
    costly(engine, fees)  # (20 % - 10 %) of 100,000 USD is 10,000 USD a month

    if needed:
        with pytest.raises(Invalid, match="justified"):
            clicks.approve(engine, ID)
        clicks.ask_second(engine, ID, draft=clicks.draft(override_reason="Worth it"))
        assert last(engine).needed_for == ("high extra cost",)
    else:
        clicks.approve(engine, ID)


def test_without_a_threshold_cost_needs_no_second_person(engine: Engine) -> None:
    costly(engine, "9999999", second_approval_monthly_extra_usd=None)

    clicks.approve(engine, ID)


def test_by_policy_an_override_needs_its_reason_alone(desk: Engine) -> None:
    with desk.begin() as conn:
        add_policy(conn, Policy(version=2, second_approval_for_overrides=False))

    clicks.approve(desk, ID, override_reason=OTHER_WAY)

    assert standing(desk) == "approved"
