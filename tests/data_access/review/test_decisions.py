"""Deciding: one transaction, one decision, and a named refusal for everything else."""

import random
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, insert, text, update
from sqlalchemy.sql.dml import ReturningUpdate

from data_access.applications import commands, decision_history
from data_access.applications.read import Application
from data_access.db import tables
from data_access.db.errors import (
    AlreadyDecided,
    DatabaseUnavailable,
    DataChanged,
    FiguresMoved,
    Invalid,
    NotAllowed,
    NotFound,
    RequestReused,
)
from data_access.eligibility import assessments, judging
from data_access.eligibility.assessments import ViewedFacts
from data_access.messages import outbox
from data_access.people import commands as requests
from data_access.review import decisions
from data_access.review import transitions as desks
from program.policy.policy import Policy
from program.review.workflow import Status
from tests.builders import (
    NOW,
    STAFF,
    T,
    add_application,
    add_evidence,
    add_metrics,
    add_policy,
    add_refresh,
    add_staff,
    pass_checks,
    scalar,
    set_policy,
)
from tests.cases import first_of
from tests.data_access import clicks, statements

MET, SHORT = 1, 2  # one application above the minimums, one below


@pytest.fixture
def desk(engine: Engine) -> Engine:
    with engine.begin() as conn:
        add_staff(conn)
        add_refresh(conn)
        add_application(conn, MET)
        add_metrics(conn, MET, volume=Decimal("20000000.00"), active=15, new=5)
        add_application(conn, SHORT)
        add_evidence(conn, SHORT, value=4000)
        add_evidence(conn, SHORT, kind="external_volume", value=1, exchange_name="ExA")
        for id_ in (MET, SHORT):
            pass_checks(conn, id_)
        one_person_suffices(conn)
    return engine


def one_person_suffices(conn: Connection) -> None:
    """A policy that never needs a second person; second approvals have their own tests."""
    set_policy(conn, second_approval_for_overrides=False, second_approval_monthly_extra_usd=None)


def viewed(engine: Engine, id_: int) -> ViewedFacts:
    with engine.connect() as conn:
        return assessments.read(conn, id_, judging.read_context(conn, now=NOW)).viewed_facts


def approve(engine: Engine, id_: int = MET, **given: Any) -> int:
    return clicks.approve(
        engine,
        id_,
        **{
            "rebate_rate": Decimal("0.20"),
            "rationale": "Steady referrals",
            "message": "Welcome",
            "shown": given.pop("shown", None) or viewed(engine, id_),
            "actor": "ana@example.com",
            "now": NOW,
            "request_id": uuid.uuid4(),
            **given,
        },
    )


def reject(engine: Engine, id_: int = SHORT, **given: Any) -> int:
    return clicks.reject(
        engine,
        id_,
        **{
            "reason_code": "below_minimums",
            "rationale": "Far below",
            "message": "Not yet",
            "knowingly": True,
            "shown": given.pop("shown", None) or viewed(engine, id_),
            "actor": "ana@example.com",
            "now": NOW,
            "request_id": uuid.uuid4(),
            **given,
        },
    )


def written(engine: Engine) -> dict[str, int]:
    with engine.connect() as conn:
        return {
            name: scalar(conn, f"select count(*) from review.{name}")
            for name in ("decisions", "events", "outbox", "requests")
        } | {
            "open": scalar(
                conn, "select count(*) from exchange.applications where status = 'pending'"
            )
        }


NOTHING = {"decisions": 0, "events": 0, "outbox": 0, "requests": 0, "open": 2}
ONE = {"decisions": 1, "events": 1, "outbox": 1, "requests": 1, "open": 1}


def test_an_approval_writes_decision_status_event_and_message_together(desk: Engine) -> None:
    id_ = approve(desk)

    with desk.connect() as conn:
        made = decision_history.current(conn, MET)
        status = scalar(
            conn, f"select status from exchange.applications where application_id = {MET}"
        )
        event = conn.execute(text("select kind, actor, detail from review.events")).one()
        message = conn.execute(
            text("select decision_id, channel, recipient, payload from review.outbox")
        ).one()
    assert made is not None
    assert (made.decision_id, made.outcome, made.rebate_rate, made.is_override) == (
        id_,
        "approved",
        Decimal("0.2000"),
        False,
    )
    assert status == "approved"
    assert (event.kind, event.actor) == ("approved", "ana@example.com")
    assert event.detail["status"] == {"old": "pending", "new": "approved"}
    assert (message.decision_id, message.channel, message.recipient) == (
        id_,
        "telegram",
        "contact1",
    )
    assert message.payload["message"] == "Welcome"
    assert written(desk) == ONE


def test_the_snapshot_holds_the_assessment(desk: Engine) -> None:
    approve(desk)

    with desk.connect() as conn:
        made = decision_history.current(conn, MET)
    assert made is not None
    assert made.snapshot["data_through"] == T.isoformat()
    assert made.snapshot["window"] == {
        "kind": "trailing_30_days",
        "start": "2026-02-13",
        "end": "2026-03-14",
    }
    assert made.snapshot["criteria"][0] == {
        "key": "volume_usd",
        "value": "20000000.00",
        "minimum": "20000000.00",
        "comparison": "at least",
        "outcome": "met",
    }
    assert made.snapshot["criteria"][3]["outcome"] == "unknown"
    assert (made.snapshot["outcome"], made.snapshot["track"]) == ("met", "on_exchange")


def test_a_rejection_keeps_reason_and_evidence(desk: Engine) -> None:
    reject(desk)

    with desk.connect() as conn:
        made = decision_history.current(conn, SHORT)
    assert made is not None
    assert (made.outcome, made.reason_code, made.rebate_rate) == (
        "rejected",
        "below_minimums",
        None,
    )
    assert len(made.snapshot["evidence_ids"]) == 2


@pytest.mark.parametrize("actor", [*STAFF, "nobody@example.com"])
def test_only_reviewers_and_managers_decide(desk: Engine, actor: str) -> None:
    if STAFF.get(actor) in ("reviewer", "manager"):
        approve(desk, actor=actor)
        assert written(desk) == ONE
    else:
        with pytest.raises(NotAllowed):
            approve(desk, actor=actor)
        assert written(desk) == NOTHING


def test_a_person_taken_off_the_list_is_refused_at_the_next_act(desk: Engine) -> None:
    with desk.begin() as conn:
        conn.execute(text("update review.staff set active = false where email = 'ana@example.com'"))

    with pytest.raises(NotAllowed, match="not on the staff list"):
        approve(desk)
    assert written(desk) == NOTHING


def test_a_second_decision_is_refused_and_the_first_stays(desk: Engine) -> None:
    shown = viewed(desk, MET)
    first = approve(desk, shown=shown)

    with pytest.raises(AlreadyDecided, match=r"approved by Ana at 09:00 UTC"):
        reject(desk, MET, shown=shown, actor="ben@example.com")

    with desk.connect() as conn:
        made = decision_history.current(conn, MET)
    assert made is not None
    assert made.decision_id == first
    assert written(desk) == ONE


def test_the_same_request_again_returns_the_first_result(desk: Engine) -> None:
    request_id, shown = uuid.uuid4(), viewed(desk, MET)

    first = approve(desk, request_id=request_id, shown=shown)

    assert first == approve(
        desk, request_id=request_id, shown=shown, now=NOW + timedelta(seconds=1)
    )
    assert written(desk) == ONE


@pytest.mark.parametrize(
    "changed",
    [{"rationale": "Another"}, {"rebate_rate": Decimal("0.3")}, {"actor": "ben@example.com"}],
)
def test_a_request_id_with_other_content_is_refused(desk: Engine, changed: dict[str, Any]) -> None:
    request_id = uuid.uuid4()
    approve(desk, request_id=request_id)

    with pytest.raises(RequestReused):
        approve(desk, request_id=request_id, **changed)
    assert written(desk) == ONE


def new_metrics(engine: Engine) -> None:
    with engine.begin() as conn:
        conn.execute(text("update review.affiliate_window set active_users = 14"))


def new_day(conn: Connection) -> None:
    add_refresh(conn, through=T + timedelta(days=1))


def new_evidence(engine: Engine) -> None:
    with engine.begin() as conn:
        add_evidence(conn, MET, value=10, observed_at=NOW - timedelta(days=365))


def new_policy(engine: Engine) -> None:
    with engine.begin() as conn:
        add_policy(conn, Policy(version=2))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (new_metrics, r"active users: 15 \(met\) is now 14 \(not met\)"),
        (new_evidence, "evidence: without the newest entry"),
        (new_policy, "policy version: 1 is now 2"),
    ],
)
def test_facts_changed_since_the_page_was_shown_are_refused_and_named(
    desk: Engine, change: Any, sentence: str
) -> None:
    shown = viewed(desk, MET)
    change(desk)

    with pytest.raises(DataChanged, match=sentence):
        approve(desk, shown=shown)
    assert written(desk) == NOTHING


@pytest.mark.parametrize(
    ("outcome", "sentence"), [(None, "not answered yet"), ("failed", "An approval needs it passed")]
)
def test_an_approval_needs_every_required_check(
    desk: Engine, outcome: str | None, sentence: str
) -> None:
    item = "owns_social_account"
    with desk.begin() as conn:
        add_application(conn, 3)
        add_metrics(conn, 3, volume=Decimal("20000000.00"), active=15, new=5)
        pass_checks(conn, 3, but=(item,))
        if outcome is not None:
            row = {
                "application_id": 3,
                "item": item,
                "outcome": outcome,
                "author": "ana@example.com",
            }
            conn.execute(insert(tables.checks), {**row, "comment": "", "created_at": NOW})

    with pytest.raises(Invalid, match=sentence):
        approve(desk, 3)
    assert written(desk) == {**NOTHING, "open": 3}


@pytest.mark.parametrize("change", [add_refresh, new_day])
def test_a_refresh_that_moved_no_figure_does_not_refuse(desk: Engine, change: Any) -> None:
    shown = viewed(desk, MET)
    with desk.begin() as conn:
        change(conn)

    approve(desk, shown=shown)

    assert written(desk) == ONE


def test_a_figure_that_moved_without_another_result_is_accepted_by_a_second_press(
    desk: Engine,
) -> None:
    shown = viewed(desk, MET)
    with desk.begin() as conn:
        conn.execute(text("update review.affiliate_window set active_users = active_users + 1"))

    with pytest.raises(FiguresMoved, match="Moved since you looked: active users 15 → 16"):
        approve(desk, shown=shown)
    assert written(desk) == NOTHING

    approve(desk, shown=viewed(desk, MET))
    assert written(desk) == ONE


@pytest.mark.parametrize(
    ("act", "id_", "said_so", "taken", "override"),
    [
        (approve, MET, False, True, False),
        (approve, SHORT, False, False, None),
        (approve, SHORT, True, True, True),
        (reject, SHORT, False, True, False),
        (reject, MET, False, False, None),
        (reject, MET, True, True, True),
        (approve, MET, True, True, False),
    ],
)
def test_an_override_needs_a_written_reason(
    desk: Engine, act: Any, id_: int, said_so: bool, taken: bool, override: bool | None
) -> None:
    if not taken:
        with pytest.raises(Invalid, match="this goes against it"):
            act(desk, id_)
        with pytest.raises(Invalid, match="this goes against it"):
            act(desk, id_, override_reason="\u2060\u00a0")
        assert written(desk) == NOTHING
        return
    act(desk, id_, override_reason="Known to us for years" if said_so else "")
    with desk.connect() as conn:
        made = decision_history.current(conn, id_)
    assert made is not None
    assert made.is_override is override


@pytest.mark.parametrize(
    ("rate", "taken"),
    [
        ("0.10", False),
        ("0.1001", True),
        ("0.50", True),
        ("0.5001", False),
        ("0.12345", False),
        ("-0.2", False),
        ("NaN", False),
        ("Infinity", False),
    ],
)
def test_the_rate_is_above_the_standard_and_at_most_the_maximum(
    desk: Engine, rate: str, taken: bool
) -> None:
    if taken:
        approve(desk, rebate_rate=Decimal(rate))
        assert written(desk) == ONE
    else:
        with pytest.raises(Invalid, match="rebate rate"):
            approve(desk, rebate_rate=Decimal(rate))
        assert written(desk) == NOTHING


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"rationale": "  "}, "rationale is empty"),
        ({"rationale": "\u200b\u2060\ufeff"}, "rationale is empty"),
        ({"message": "\u3164 \u2800"}, "message to the applicant is empty"),
        ({"message": "\x7f \ufff9\x02"}, "message to the applicant is empty"),
        ({"message": ""}, "message to the applicant is empty"),
        ({"rationale": "x" * 4001}, "4,001 characters"),
        ({"rationale": "x" * 20_000}, "20,000 characters"),
        ({"message": "Dear {{nickname}}"}, "still has {{nickname}}"),
        ({"reapply": "one_day"}, "Choose when"),
        ({"rationale": "a\0b"}, "NUL"),
        ({"reason_code": "because"}, "Choose a reason"),
        ({"reason_code": None}, "Choose a reason"),
    ],
)
def test_an_incomplete_form_is_refused_in_words(
    desk: Engine, given: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Invalid, match=sentence):
        reject(desk, **given)
    assert written(desk) == NOTHING


def test_an_application_that_does_not_exist_is_not_found(desk: Engine) -> None:
    with pytest.raises(NotFound):
        approve(desk, 99, shown=replace(viewed(desk, MET)))


def test_a_withdrawn_application_cannot_be_decided(desk: Engine) -> None:
    shown = viewed(desk, MET)
    with desk.begin() as conn:
        conn.execute(text("update exchange.applications set status = 'withdrawn'"))

    with pytest.raises(AlreadyDecided, match="withdrawn"):
        approve(desk, shown=shown)


@pytest.mark.parametrize(
    ("module", "step"),
    [
        (decisions, "_insert"),
        (desks, "move"),
        (outbox, "put"),
        (requests, "record_result"),
    ],
)
def test_a_failure_at_any_step_leaves_nothing(
    desk: Engine, monkeypatch: pytest.MonkeyPatch, module: Any, step: str
) -> None:
    whole = getattr(module, step)

    def breaks(*given: Any, **named: Any) -> None:
        whole(*given, **named)
        raise RuntimeError("cut here")

    monkeypatch.setattr(module, step, breaks)
    with pytest.raises(RuntimeError, match="cut here"):
        approve(desk)
    assert written(desk) == NOTHING


def test_a_decision_takes_eight_statements(desk: Engine) -> None:
    """Each is a turn to the server, which is most of the time that a decision takes."""
    shown = viewed(desk, MET)
    with statements.sent(desk) as sent:
        approve(desk, shown=shown)
    assert len(sent) == 8, sent


THREADS = 16
SIZES = first_of(30, 200)


def race(engine: Engine, applications: int) -> dict[str, int]:
    """Let 16 threads decide this many applications at random, with some double clicks."""
    ids = range(1, applications + 1)
    with engine.begin() as conn:
        add_staff(conn)
        add_refresh(conn)
        for id_ in ids:
            add_application(conn, id_)
            pass_checks(conn, id_)
        one_person_suffices(conn)
    shown = {id_: viewed(engine, id_) for id_ in ids}

    def work(number: int) -> list[tuple[int, int]]:
        chance = random.Random(number)
        done = []
        for id_ in chance.sample(ids, applications):
            act = chance.choice([approve, reject])
            again = uuid.uuid4()
            for _ in range(chance.choice([1, 1, 2])):
                with suppress(AlreadyDecided):
                    given = {"shown": shown[id_], "override_reason": "Known", "request_id": again}
                    done.append((id_, act(engine, id_, **given)))
        return done

    with ThreadPoolExecutor(THREADS) as pool:
        acknowledged = {pair for done in pool.map(work, range(THREADS)) for pair in done}
    with engine.connect() as conn:
        return {
            "acknowledged": len(acknowledged),
            "decisions": scalar(conn, "select count(*) from review.decisions"),
            "decided": scalar(conn, "select count(distinct application_id) from review.decisions"),
            "agreeing": scalar(
                conn,
                "select count(*) from review.decisions d join exchange.applications a"
                " using (application_id) where a.status = d.outcome",
            ),
            "events": scalar(conn, "select count(*) from review.events"),
            "messages": scalar(conn, "select count(distinct decision_id) from review.outbox"),
        }


COUNTED = ("acknowledged", "decisions", "decided", "agreeing", "events", "messages")


@pytest.fixture
def crowd(database_url: str) -> Any:
    made = create_engine(
        database_url, pool_size=THREADS, connect_args={"options": "-c timezone=UTC"}
    )
    yield made
    made.dispose()


@pytest.mark.parametrize("applications", SIZES)
def test_sixteen_people_at_once_make_exactly_one_decision_each(
    crowd: Engine, applications: int
) -> None:
    assert race(crowd, applications) == dict.fromkeys(COUNTED, applications)


@pytest.mark.slow
@pytest.mark.parametrize("applications", SIZES)
def test_without_its_guards_the_race_is_lost(
    crowd: Engine, monkeypatch: pytest.MonkeyPatch, applications: int
) -> None:
    """The race test can fail: without lock, status check and unique index doubles appear."""
    table = tables.applications

    def whatever_it_was(application: Application, new: Status, _: object) -> ReturningUpdate[int]:
        where = table.c.application_id == application.application_id
        changed = update(table).where(where).values(status=str(new.upstream))
        return changed.returning(table.c.application_id)

    monkeypatch.setattr(commands.read, "hold", lambda *_: None)
    monkeypatch.setattr(desks, "_write_back", whatever_it_was)
    with crowd.begin() as conn:
        conn.execute(text("drop index review.decisions_one_current_per_application"))
        conn.execute(text("alter table review.decisions drop constraint decisions_supersedes_once"))

    assert race(crowd, applications)["decisions"] > applications


@pytest.mark.parametrize(
    ("platform", "handle", "recipient"),
    [
        ("telegram", "contact1", ("telegram", "contact1")),
        ("telegram", None, ("email", "user1@example.com")),
        (None, "contact1", ("email", "user1@example.com")),
    ],
)
def test_the_message_goes_to_a_platform_with_its_handle_or_else_to_the_address(
    desk: Engine, platform: str | None, handle: str | None, recipient: tuple[str, str]
) -> None:
    with desk.begin() as conn:
        conn.execute(
            text("update exchange.applications set contact_platform = :p, contact_handle = :h"),
            {"p": platform, "h": handle},
        )
    approve(desk)

    with desk.connect() as conn:
        assert (
            tuple(conn.execute(text("select channel, recipient from review.outbox")).one())
            == recipient
        )


def test_a_busy_application_is_refused_as_busy_and_a_retry_is_harmless(
    desk: Engine, database_url: str
) -> None:
    impatient = create_engine(
        database_url, connect_args={"options": "-c lock_timeout=100 -c timezone=UTC"}
    )
    request_id, shown = uuid.uuid4(), viewed(desk, MET)
    with desk.begin() as other:
        other.execute(text("select 1 from exchange.applications for update"))
        with pytest.raises(DatabaseUnavailable, match="Send it again"):
            approve(impatient, request_id=request_id, shown=shown)
    assert written(desk) == NOTHING

    approve(impatient, request_id=request_id, shown=shown)

    assert written(desk) == ONE
    impatient.dispose()
