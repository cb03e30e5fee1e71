"""Asking and deferring: what sets an application aside, and what brings it back."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, insert, text

from data_access.db import tables
from data_access.db.errors import DatabaseUnavailable, Invalid, NotInState
from data_access.eligibility import judging
from data_access.queue import listing
from data_access.queue import rows as queue_rows
from data_access.review import reactions
from program.periods import day_start
from program.review.queue_filters import Filters
from program.review.workflow import Status
from tests.builders import NOW, T, add_application, add_refresh, add_staff
from tests.data_access import clicks

MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def desk(engine: Engine) -> Engine:
    with engine.begin() as conn:
        add_staff(conn)
        add_refresh(conn)
        add_application(conn, 1)
    return engine


def status(desk: Engine, now: object = NOW) -> Status:
    return clicks.read(desk, 1, now=now).status


def counts(desk: Engine, *, now: object = NOW) -> tuple[int, dict[Status, int]]:
    with desk.connect() as conn:
        found = listing.counts(conn, judging.read_context(conn, now=now))  # type: ignore[arg-type]
    return found.total, {s: n for s, n in found.set_aside.items() if n}


def due(desk: Engine, now: object) -> object:
    with desk.connect() as conn:
        context = judging.read_context(conn, now=now)  # type: ignore[arg-type]
        return queue_rows.due_at(clicks.read(desk, 1, now=now).desk, context)


def test_asking_leaves_the_queue_and_sends_the_message(desk: Engine) -> None:
    clicks.ask_applicant(desk, 1)

    assert counts(desk) == (0, {Status.MORE_INFO_NEEDED: 1})
    with desk.connect() as conn:
        message = conn.execute(text("select decision_id, payload from review.outbox")).one()
    assert message.decision_id is None
    assert message.payload["kind"] == "information_requested"
    assert message.payload["message"] == "Please send a statement."


def test_the_clock_stops_while_the_applicant_owes_an_answer(desk: Engine) -> None:
    before, pause = due(desk, NOW), timedelta(days=7)
    clicks.ask_applicant(desk, 1)

    clicks.record_answer(desk, 1, now=NOW + pause)

    assert due(desk, NOW + pause) == before + pause  # type: ignore[operator]
    assert clicks.read(desk, 1, now=NOW + pause).desk.answered_at == NOW + pause


def test_going_on_without_an_answer_is_no_answer(desk: Engine) -> None:
    clicks.ask_applicant(desk, 1)
    clicks.stop_waiting(desk, 1)

    assert status(desk) is Status.PENDING
    assert clicks.read(desk, 1).desk.answered_at is None


@pytest.mark.parametrize("left", [MICROSECOND, timedelta(0)])
def test_a_deferral_ends_with_its_day(desk: Engine, left: timedelta) -> None:
    clicks.defer(desk, 1, until=T + timedelta(days=3))
    end = NOW.replace(hour=0) + timedelta(days=2)

    expected = Status.DEFERRED if left else Status.PENDING

    assert status(desk, end - left) is expected
    assert counts(desk, now=end - left) == ((0, {Status.DEFERRED: 1}) if left else (1, {}))


@pytest.mark.parametrize(
    ("days", "sentence"),
    [(0, "not in the future"), (-1, "not in the future"), (1, None), (365, None), (366, "a year")],
)
def test_a_deferral_ends_in_the_future_and_within_a_year(
    desk: Engine, days: int, sentence: str | None
) -> None:
    until = NOW.date() + timedelta(days=days)
    if sentence is None:
        clicks.defer(desk, 1, until=until)
        assert status(desk) is Status.DEFERRED
        return
    with pytest.raises(Invalid, match=sentence):
        clicks.defer(desk, 1, until=until)
    assert status(desk) is Status.PENDING


def test_a_deferral_without_an_end_is_refused(desk: Engine) -> None:
    with pytest.raises(Invalid, match="until when"):
        clicks.defer(desk, 1, until=None, until_change=False)


def test_another_answer_brings_it_back_and_the_same_answer_does_not(desk: Engine) -> None:
    clicks.defer(desk, 1, until=None, until_change=True)

    clicks.check(desk, 1)
    assert status(desk) is Status.DEFERRED
    clicks.record_evidence(desk, 1, entry=clicks.followers(4000))

    assert status(desk) is Status.PENDING
    last = clicks.events(desk, 1)[-1]
    assert (last.kind, last.actor) == ("brought_back", reactions.PROGRAM)


def test_new_metrics_bring_it_back_after_a_refresh(desk: Engine) -> None:
    clicks.defer(desk, 1, until=None, until_change=True)
    assert reactions.react_to_refresh(desk, now=NOW) == 0

    with desk.begin() as conn:
        conn.execute(
            text(
                "insert into review.affiliate_window values"
                " (1, :volume, 0, 0, 15, 5, 0, 0, 0, 0, 0, 0)"
            ),
            {"volume": Decimal(20_000_000)},
        )

    assert reactions.react_to_refresh(desk, now=NOW) == 1
    assert reactions.react_to_refresh(desk, now=NOW) == 0
    assert status(desk) is Status.PENDING


def test_a_refresh_writes_down_that_a_day_has_come(desk: Engine) -> None:
    clicks.defer(desk, 1, until=T + timedelta(days=3))
    later = NOW + timedelta(days=5)

    assert reactions.react_to_refresh(desk, now=later) == 1
    back = clicks.events(desk, 1)[-1]
    assert back.detail["why"] == "its date is reached"
    # It returns at that moment, whenever the refresh writes it.
    assert back.at == day_start(T + timedelta(days=3))


@pytest.mark.parametrize(
    ("until", "late"),
    [
        pytest.param(date(2026, 3, 20), timedelta(0), id="a Friday"),
        pytest.param(date(2026, 3, 21), timedelta(hours=60), id="a Saturday"),
        pytest.param(date(2026, 3, 22), MICROSECOND, id="a Sunday"),
        pytest.param(date(2026, 3, 23), timedelta(hours=30), id="a holiday"),
        pytest.param(date(2026, 3, 29), timedelta(hours=5), id="a change to summer time"),
        pytest.param(date(2026, 12, 31), timedelta(days=60), id="the end of the year"),
    ],
)
def test_the_return_is_of_the_day_that_was_chosen_whenever_the_refresh_comes(
    desk: Engine, until: date, late: timedelta
) -> None:
    with desk.begin() as conn:
        conn.execute(insert(tables.holidays).values(day=date(2026, 3, 23), name="a day off"))
    before, begins = due(desk, NOW), day_start(until)
    clicks.defer(desk, 1, until=until, until_change=True)

    assert reactions.react_to_refresh(desk, now=begins - MICROSECOND) == 0
    assert status(desk, begins - MICROSECOND) is Status.DEFERRED
    assert reactions.react_to_refresh(desk, now=begins + late) == 1
    assert reactions.react_to_refresh(desk, now=begins + late + timedelta(days=1)) == 0

    back = clicks.events(desk, 1)[-1]
    assert (back.kind, back.at, back.detail["why"]) == (
        *("brought_back", begins, "its date is reached"),
    )
    assert clicks.read(desk, 1, now=begins + late).desk.status_at == begins
    # The clock continued, so weekends and holidays move neither the day nor the due time.
    assert due(desk, begins + late) == before


def test_a_claim_before_the_return_was_written_down_outlives_it(desk: Engine) -> None:
    clicks.defer(desk, 1, until=T + timedelta(days=2))
    later = NOW + timedelta(days=1)
    clicks.claim(desk, 1, now=later)

    assert reactions.react_to_refresh(desk, now=later + timedelta(minutes=1)) == 1

    held = clicks.read(desk, 1, now=later + timedelta(minutes=1)).desk
    assert held.claim is not None
    assert held.claim.since == later
    assert [event.kind for event in clicks.events(desk, 1)] == [
        *("deferred", "claimed", "brought_back"),
    ]
    with desk.connect() as conn:
        thread = [line.at for line in clicks.thread(conn, 1, now=later)]
    assert thread == sorted(thread, reverse=True)


def test_a_busy_application_does_not_delay_the_others(desk: Engine, database_url: str) -> None:
    with desk.begin() as conn:
        add_application(conn, 2)
    for id_ in (1, 2):
        clicks.defer(desk, id_, until=T + timedelta(days=3))
    later = NOW + timedelta(days=5)
    impatient = create_engine(
        database_url, connect_args={"options": "-c lock_timeout=100 -c timezone=UTC"}
    )

    with desk.begin() as other:
        other.execute(
            text("select 1 from exchange.applications where application_id = 1 for update")
        )
        with pytest.raises(DatabaseUnavailable):
            reactions.react_to_refresh(impatient, now=later)
    impatient.dispose()

    assert [clicks.events(desk, id_)[-1].kind for id_ in (1, 2)] == ["deferred", "brought_back"]
    assert reactions.react_to_refresh(desk, now=later) == 1


def test_a_deferred_application_is_brought_back_before_it_is_decided(desk: Engine) -> None:
    clicks.defer(desk, 1)

    with pytest.raises(NotInState, match="Bring it back first"):
        clicks.reject(desk, 1)


def test_the_set_aside_are_lists_of_their_own(desk: Engine) -> None:
    clicks.defer(desk, 1)
    with desk.connect() as conn:
        context = judging.read_context(conn, now=NOW)
        deferred = listing.page(conn, Filters(status=Status.DEFERRED), context)
        pending = listing.page(conn, Filters(), context)

    assert [row.application_id for row in deferred] == [1]
    assert pending == []


@pytest.mark.parametrize("verb", [clicks.reject, clicks.ask_applicant, clicks.defer, clicks.claim])
def test_a_due_deferral_is_pending_before_anything_is_written(desk: Engine, verb: Any) -> None:
    clicks.defer(desk, 1, until=T + timedelta(days=2))
    later = NOW + timedelta(days=1)

    verb(desk, 1, now=later)

    event = clicks.events(desk, 1)[-1]
    assert event.detail.get("status", {"old": "pending"})["old"] == "pending"


def test_either_the_date_or_the_change_brings_it_back(desk: Engine) -> None:
    clicks.defer(desk, 1, until=T + timedelta(days=3), until_change=True)
    assert status(desk, NOW + timedelta(days=2)) is Status.PENDING

    clicks.record_evidence(desk, 1)

    assert status(desk) is Status.PENDING


def test_without_that_condition_a_change_does_not_bring_it_back(desk: Engine) -> None:
    clicks.defer(desk, 1, until=T + timedelta(days=3), until_change=False)

    clicks.record_evidence(desk, 1)

    assert status(desk) is Status.DEFERRED
    assert reactions.react_to_refresh(desk, now=NOW) == 0


def test_more_of_the_same_answer_does_not_bring_it_back(desk: Engine) -> None:
    clicks.record_evidence(desk, 1, entry=clicks.followers(4000))
    clicks.defer(desk, 1, until=None, until_change=True)

    clicks.record_evidence(desk, 1, entry=clicks.followers(5000, observed_at=NOW))
    assert status(desk) is Status.DEFERRED
    clicks.record_evidence(desk, 1, entry=clicks.followers(5001, observed_at=NOW))
    assert status(desk) is Status.PENDING


def test_the_clock_goes_on_while_it_is_deferred(desk: Engine) -> None:
    before = due(desk, NOW)
    clicks.defer(desk, 1, until=T + timedelta(days=8))
    clicks.bring_back(desk, 1, now=NOW + timedelta(days=5))

    assert due(desk, NOW + timedelta(days=5)) == before


@pytest.mark.parametrize("aside", [clicks.defer, clicks.ask_applicant])
def test_an_application_withdrawn_meanwhile_does_not_return(desk: Engine, aside: Any) -> None:
    aside(desk, 1)
    with desk.begin() as conn:
        conn.execute(text("update exchange.applications set status = 'withdrawn'"))

    assert reactions.react_to_refresh(desk, now=NOW + timedelta(days=60)) == 0
    assert status(desk, NOW + timedelta(days=60)) is Status.WITHDRAWN


def test_a_pause_costs_no_business_time(desk: Engine) -> None:
    """Submitted on a Tuesday at 9:00; asked on Thursday, answered on the Tuesday after."""
    tuesday = NOW - timedelta(days=5)
    thursday, answer = tuesday + timedelta(days=2), tuesday + timedelta(days=7)
    with desk.begin() as conn:
        conn.execute(insert(tables.holidays).values(day=date(2026, 3, 16), name="a day off"))
    clicks.ask_applicant(desk, 1, now=thursday)

    clicks.record_answer(desk, 1, now=answer)

    # Two of three business days were used, so one is left.
    assert due(desk, answer) == answer + timedelta(days=1)


def test_a_message_with_a_placeholder_left_is_not_sent(desk: Engine) -> None:
    before = clicks.kept(desk, 1)

    with pytest.raises(Invalid, match=r"still has \{\{username\}\}"):
        clicks.ask_applicant(desk, 1, message="Hello {{username}}")
    assert clicks.kept(desk, 1) == before


def test_the_answer_is_in_the_thread(desk: Engine) -> None:
    clicks.ask_applicant(desk, 1)
    clicks.record_answer(desk, 1, answer="<b>A statement</b>", now=NOW + timedelta(days=1))

    with desk.connect() as conn:
        answer = clicks.thread(conn, 1)[0]
    assert (answer.title, answer.body) == ("the applicant's answer", "<b>A statement</b>")
