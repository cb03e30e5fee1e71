"""Bulk runs: each application on its own, with its own result, none lost."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from data_access.db.errors import Busy, Invalid, NotAllowed, RequestReused
from data_access.review import bulk, bulk_runs
from data_access.review.bulk_runs import Result, Run
from program.review.permissions import Act
from tests.builders import (
    MINIMUMS,
    NOW,
    add_application,
    add_eligible,
    add_evidence,
    add_metrics,
    add_refresh,
    add_staff,
)
from tests.data_access import clicks
from tests.data_access.clicks import ANA, BEN, NOOR

SHORT = (1, 2, 3)
MET = 4
MESSAGE = "Hello {{username}}, {{criterion_gap}}"


@pytest.fixture
def desk(engine: Engine) -> Engine:
    with engine.begin() as conn:
        add_staff(conn)
        add_refresh(conn)
        for id_ in SHORT:
            add_application(conn, id_)
            add_evidence(conn, id_, value=100)
            add_evidence(conn, id_, kind="external_volume", value=5, exchange_name="ExA")
        add_eligible(conn, MET)
    return engine


def reject(desk: Engine, *ids: int, **given: Any) -> list[Result]:
    whole = {
        "ids": ids,
        "reason_code": "below_minimums",
        "rationale": "Far below",
        "message": MESSAGE,
        "reapply": "after_30_days",
        **given,
    }
    return bulk.reject(desk, clicks.command(bulk.RejectEach, **whole))


def claim(desk: Engine, *ids: int, **given: Any) -> list[Result]:
    return bulk.claim(desk, clicks.command(bulk.ClaimEach, ids=ids, **given))


def done(results: list[Result]) -> dict[int, bool]:
    return {result.application_id: result.done for result in results}


def newest(desk: Engine, actor: str) -> Run | None:
    return bulk_runs.latest(desk, actor=actor, names=[act.name for act in Act])


def test_each_gets_its_own_result_and_a_partial_failure_is_reported(desk: Engine) -> None:
    clicks.claim(desk, 2, actor=BEN)

    results = reject(desk, 1, 2, 3, MET, 99)

    assert done(results) == {1: True, 2: False, 3: True, MET: False, 99: False}
    sentences = {r.application_id: r.sentence for r in results if not r.done}
    assert "Ben works on this" in sentences[2]
    assert "Eligibility is met" in sentences[MET]
    assert "no application 99" in sentences[99]
    assert [str(clicks.read(desk, id_).status) for id_ in (1, 2, 3, MET)] == [
        *("rejected", "pending", "rejected", "pending")
    ]


def test_each_message_is_filled_for_its_applicant(desk: Engine) -> None:
    reject(desk, *SHORT)

    with desk.connect() as conn:
        messages = conn.execute(
            text("select application_id, payload->>'message' from review.outbox order by 1")
        ).all()
    assert [row[0] for row in messages] == list(SHORT)
    assert all(f"Hello user{id_}, " in message for id_, message in messages)
    assert all("{{" not in message for _, message in messages)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"rationale": " "}, "rationale is empty"),
        ({"message": ""}, "message to the applicant is empty"),
        ({"rationale": "x" * 20_000}, "20,000 characters; the limit is 4,000"),
        ({"message": "x" * 20_000}, "20,000 characters; the limit is 4,000"),
        ({"reason_code": "because"}, "Choose a reason"),
        ({"reapply": "someday"}, "Choose when the applicant may apply again"),
    ],
)
def test_the_same_fields_are_required_as_for_one(
    desk: Engine, given: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Invalid, match=sentence):
        reject(desk, *SHORT, **given)
    assert newest(desk, ANA) is None


def test_an_unfilled_placeholder_is_refused_for_each_it_stays_unfilled_for(desk: Engine) -> None:
    results = reject(desk, 1, message="Hello {{nickname}}")

    assert done(results) == {1: False}
    assert "{{nickname}}" in results[0].sentence


def test_a_repeat_returns_the_first_results_and_does_nothing_more(desk: Engine) -> None:
    request_id = uuid.uuid4()
    first = reject(desk, *SHORT, request_id=request_id)

    assert reject(desk, *SHORT, request_id=request_id) == first
    with desk.connect() as conn:
        assert conn.execute(text("select count(*) from review.decisions")).scalar_one() == 3


def test_a_busy_application_is_retried_and_stops_nothing(
    desk: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, tries = bulk_runs._one, []

    def one(id_: int, *given: Any) -> Result:
        tries.append(id_)
        if id_ == SHORT[0]:
            raise Busy("Somebody is acting on it.")
        return whole(id_, *given)

    monkeypatch.setattr(bulk_runs, "_one", one)
    results = reject(desk, *SHORT)

    assert tries == [*SHORT, SHORT[0]]
    assert done(results) == {id_: id_ != SHORT[0] for id_ in SHORT}
    assert "Try again in a moment" in results[0].sentence


def test_the_same_id_for_something_else_is_refused(desk: Engine) -> None:
    request_id = uuid.uuid4()
    claim(desk, 1, request_id=request_id)

    with pytest.raises(RequestReused):
        claim(desk, 1, 2, request_id=request_id)


@pytest.mark.parametrize("other", [{"rationale": "Another"}, {"message": "Another"}])
def test_the_same_id_with_another_text_is_refused(desk: Engine, other: dict[str, str]) -> None:
    request_id = uuid.uuid4()
    reject(desk, 1, request_id=request_id)

    with pytest.raises(RequestReused):
        reject(desk, 1, request_id=request_id, **other)


def test_a_run_that_was_cut_off_goes_on_where_it_was(
    desk: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id, whole = uuid.uuid4(), bulk_runs._one
    acted: list[int] = []

    def breaks(id_: int, *given: Any) -> Result:
        if len(acted) == 2:
            raise RuntimeError("cut here")
        acted.append(id_)
        return whole(id_, *given)

    monkeypatch.setattr(bulk_runs, "_one", breaks)
    with pytest.raises(RuntimeError, match="cut here"):
        reject(desk, *SHORT, request_id=request_id)
    run = newest(desk, ANA)
    assert run is not None
    assert run.finished_at is None
    monkeypatch.setattr(bulk_runs, "_one", whole)

    later = NOW + timedelta(minutes=1)
    assert done(reject(desk, *SHORT, request_id=request_id, now=later)) == dict.fromkeys(
        SHORT, True
    )
    with desk.connect() as conn:
        assert conn.execute(text("select count(*) from review.decisions")).scalar_one() == 3


def test_an_interrupted_runs_results_count_as_done_though_the_facts_moved(
    desk: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message would read differently by now, and one has become eligible."""
    request_id, whole = uuid.uuid4(), bulk_runs._one

    def breaks(id_: int, *given: Any) -> Result:
        if id_ == 3:
            raise RuntimeError("cut here")
        return whole(id_, *given)

    monkeypatch.setattr(bulk_runs, "_one", breaks)
    with pytest.raises(RuntimeError, match="cut here"):
        reject(desk, *SHORT, request_id=request_id)
    monkeypatch.setattr(bulk_runs, "_one", whole)
    with desk.begin() as conn:
        add_metrics(conn, 1, **MINIMUMS)
        add_metrics(conn, 2, volume=7)

    results = reject(desk, *SHORT, request_id=request_id)

    assert done(results) == dict.fromkeys(SHORT, True)
    assert newest(desk, ANA).finished_at == NOW  # type: ignore[union-attr]
    with desk.connect() as conn:
        assert conn.execute(text("select count(*) from review.decisions")).scalar_one() == 3


def test_the_same_run_sent_twice_at_once_is_done_once(desk: Engine) -> None:
    request_id = uuid.uuid4()
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: reject(desk, *SHORT, request_id=request_id), range(2)))

    assert [done(results) for results in both] == [dict.fromkeys(SHORT, True)] * 2
    with desk.connect() as conn:
        assert conn.execute(text("select count(*) from review.decisions")).scalar_one() == 3


@pytest.mark.parametrize("forged", [0, -1, 999_999, 2**63 - 1])
def test_a_forged_number_is_one_of_the_results(desk: Engine, forged: int) -> None:
    results = claim(desk, 1, forged)

    assert done(results) == {1: True, forged: False}
    assert f"no application {forged}" in results[1].sentence


@pytest.mark.parametrize("forged", [2**63, 10**30])
def test_an_impossible_number_refuses_the_whole_request(desk: Engine, forged: int) -> None:
    with pytest.raises(Invalid, match="does not exist"):
        claim(desk, 1, forged)
    assert clicks.events(desk, 1) == []


@pytest.mark.parametrize("assignee", [NOOR, "nobody@example.com", "a\0b"])
def test_a_forged_colleague_is_refused_for_each(desk: Engine, assignee: str) -> None:
    request = clicks.command(bulk.AssignEach, ids=SHORT, assignee=assignee)
    results = bulk.assign(desk, request)

    assert done(results) == dict.fromkeys(SHORT, False)
    assert {r.sentence for r in results} == {"Choose a colleague who reviews applications."}


def test_an_applicant_named_like_a_placeholder_does_not_block_messages(
    engine: Engine,
) -> None:
    with engine.begin() as conn:
        add_staff(conn)
        add_refresh(conn)
        add_application(conn, 1, account={"username": "{{minimums}} <b>x</b>"})

    fields = {"message": "Hello {{username}}", "reason_code": "other"}
    assert done(reject(engine, 1, **fields)) == {1: True}
    with engine.connect() as conn:
        message_sent = conn.execute(
            text("select payload->>'message' from review.outbox")
        ).scalar_one()
    assert message_sent.replace("\u2060", "") == "Hello {{minimums}} <b>x</b>"


def test_the_report_outlives_the_page(desk: Engine) -> None:
    results = claim(desk, 1, 99)

    run = newest(desk, ANA)
    assert run is not None
    assert list(run.results) == results
    assert newest(desk, BEN) is None


@pytest.mark.parametrize(("number", "taken"), [(0, False), (1000, True), (1001, False)])
def test_at_least_one_and_at_most_a_thousand(
    desk: Engine, monkeypatch: pytest.MonkeyPatch, number: int, taken: bool
) -> None:
    monkeypatch.setattr(bulk_runs, "_one", lambda id_, *_: Result(application_id=id_, done=True))
    if taken:
        assert len(claim(desk, *range(1, number + 1))) == number
    else:
        with pytest.raises(Invalid):
            claim(desk, *range(1, number + 1))


def test_bulk_acts_need_the_permission_of_the_single_act(desk: Engine) -> None:
    with pytest.raises(NotAllowed):
        claim(desk, 1, actor=NOOR)
    with pytest.raises(NotAllowed):
        reject(desk, 1, actor=NOOR)


def test_assigning_deferring_and_asking(desk: Engine) -> None:
    assigned = bulk.assign(desk, clicks.command(bulk.AssignEach, ids=SHORT, assignee=ANA))
    question = clicks.command(bulk.AskEach, ids=(1,), message="Hello {{username}}")
    results = bulk.request_information(desk, question)
    week = {"until": NOW.date() + timedelta(days=7), "until_change": False, "reason": ""}
    deferred = bulk.defer(desk, clicks.command(bulk.DeferEach, ids=SHORT, **week))

    assert all(result.done for result in assigned)
    assert done(results) == {1: True}
    assert done(deferred) == {1: False, 2: True, 3: True}
    assert [str(clicks.read(desk, id_).status) for id_ in SHORT] == [
        *("more_info_needed", "deferred", "deferred")
    ]
