"""Claims hold, expire and pass on, and two people never get the same next application."""

import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, insert, text
from sqlalchemy.exc import OperationalError

from data_access.db import tables
from data_access.db.errors import (
    AlreadyDecided,
    ClaimedByAnother,
    Invalid,
    NotAllowed,
    NotInState,
    RequestReused,
)
from data_access.eligibility import judging
from data_access.queue import order_cache
from data_access.review import claims as review_claims
from data_access.review import presence
from program.policy.policy import Policy
from program.review.queue_filters import Filters
from program.review.workflow import Status
from tests.builders import (
    NOW,
    add_application,
    add_eligible,
    add_policy,
    add_refresh,
    add_staff,
    pass_checks,
)
from tests.cases import first_of
from tests.data_access import clicks
from tests.data_access.clicks import ADA, ANA, BEN, MIRA, NOOR

IDLE = timedelta(minutes=30)
MOMENT = timedelta(microseconds=1)
YEARS = timedelta(days=2000)


def holder(desk: Engine, id_: int, *, now: Any = NOW) -> str | None:
    return clicks.read(desk, id_, now=now).desk.assignee(now)


def assignments(desk: Engine, id_: int) -> list[tuple[str, str | None, str | None]]:
    """Return the assignments of an application: kind, from whom, to whom."""
    return [
        (event.kind, event.detail["assignee"]["old"], event.detail["assignee"]["new"])
        for event in clicks.events(desk, id_)
    ]


def test_an_application_has_no_holder_before_a_claim(desk: Engine, id_: int) -> None:
    assert holder(desk, id_) is None


def test_a_claim_holds_for_the_policys_idle_time(desk: Engine, id_: int) -> None:
    clicks.claim(desk, id_)

    claim = clicks.read(desk, id_).desk.claim
    assert claim is not None
    assert (claim.assignee, claim.since, claim.until) == (ANA, NOW, NOW + IDLE)


@pytest.mark.parametrize(
    ("after", "holds"), [(timedelta(0), True), (IDLE - MOMENT, True), (IDLE, False), (YEARS, False)]
)
def test_a_claim_lapses_after_the_idle_time(
    desk: Engine, id_: int, after: timedelta, holds: bool
) -> None:
    clicks.claim(desk, id_)
    later = NOW + after

    if holds:
        with pytest.raises(ClaimedByAnother, match=r"Ana works on this until 09:30 UTC"):
            clicks.claim(desk, id_, actor=BEN, now=later)
        assert holder(desk, id_, now=later) == ANA
        return
    assert holder(desk, id_, now=later) is None
    clicks.claim(desk, id_, actor=BEN, now=later)
    assert holder(desk, id_, now=later) == BEN
    assert assignments(desk, id_) == [("claimed", None, ANA), ("claimed", None, BEN)]


@pytest.mark.parametrize(("minutes", "holds"), [(4, True), (5, False)])
def test_the_idle_time_is_the_policys(engine: Engine, minutes: int, holds: bool) -> None:
    with engine.begin() as conn:
        add_staff(conn)
        add_policy(conn, Policy(version=2, claim_idle_minutes=5))
        id_ = add_application(conn, 1)

    clicks.claim(engine, id_)

    assert holder(engine, id_, now=NOW + timedelta(minutes=minutes)) == (ANA if holds else None)


@pytest.mark.parametrize("after", [IDLE - MOMENT, IDLE, YEARS])
def test_an_assignment_does_not_expire(desk: Engine, id_: int, after: timedelta) -> None:
    clicks.assign(desk, id_, assignee=BEN, actor=MIRA)

    assert holder(desk, id_, now=NOW + after) == BEN
    with pytest.raises(ClaimedByAnother, match=r"Ben works on this\. Take it over"):
        clicks.claim(desk, id_, now=NOW + after)


def test_a_released_application_is_free_again(desk: Engine, id_: int) -> None:
    clicks.claim(desk, id_)
    clicks.release(desk, id_)
    clicks.claim(desk, id_, actor=BEN)

    assert assignments(desk, id_) == [
        ("claimed", None, ANA),
        ("released", ANA, None),
        ("claimed", None, BEN),
    ]


def test_an_assigned_application_can_be_given_up(desk: Engine, id_: int) -> None:
    clicks.assign(desk, id_, assignee=BEN)

    clicks.release(desk, id_, actor=BEN)

    assert holder(desk, id_) is None


def test_only_the_holder_releases_a_claim(desk: Engine, id_: int) -> None:
    with pytest.raises(NotInState, match="nothing to release"):
        clicks.release(desk, id_)
    clicks.claim(desk, id_)
    with pytest.raises(ClaimedByAnother):
        clicks.release(desk, id_, actor=MIRA)
    with pytest.raises(NotInState, match="nothing to release"):
        clicks.release(desk, id_, now=NOW + IDLE)
    assert holder(desk, id_) == ANA


@pytest.mark.parametrize("address", [BEN, "  BEN@Example.com "])
def test_assigning_transfers_an_application_that_anybody_holds(
    desk: Engine, id_: int, address: str
) -> None:
    clicks.claim(desk, id_)

    clicks.assign(desk, id_, assignee=address, actor=MIRA)

    assert assignments(desk, id_)[1:] == [("assigned", ANA, BEN)]
    assert holder(desk, id_) == BEN


@pytest.mark.parametrize(
    "assignee", ["", "  ", NOOR, ADA, "nobody@example.com", "program", "'; drop table x", "a\0b"]
)
def test_only_colleagues_who_review_are_assigned_anything(
    desk: Engine, id_: int, assignee: str
) -> None:
    before = clicks.kept(desk, id_)

    with pytest.raises(Invalid, match="Choose a colleague who reviews applications"):
        clicks.assign(desk, id_, assignee=assignee)
    assert clicks.kept(desk, id_) == before


def test_taking_over_is_possible_and_shown(desk: Engine, id_: int) -> None:
    clicks.claim(desk, id_)

    clicks.take_over(desk, id_, actor=BEN)

    assert assignments(desk, id_)[1:] == [("taken_over", ANA, BEN)]
    with pytest.raises(ClaimedByAnother, match=r"Ben works on this"):
        clicks.reject(desk, id_)


def test_simultaneous_takeovers_each_name_the_previous_holder(desk: Engine, id_: int) -> None:
    clicks.claim(desk, id_)
    people = [BEN, MIRA, ANA] * 4
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda who: clicks.take_over(desk, id_, actor=who), people))

    passed = assignments(desk, id_)
    assert [old for _, old, _ in passed[1:]] == [new for _, _, new in passed[:-1]]
    assert holder(desk, id_) == passed[-1][2]


def test_one_of_many_simultaneous_claims_succeeds(desk: Engine, id_: int) -> None:
    def try_to(who: str) -> bool:
        try:
            clicks.claim(desk, id_, actor=who)
        except ClaimedByAnother:
            return False
        return True

    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(try_to, [ANA, BEN, MIRA]))

    assert sum(done) == 1
    assert len(clicks.events(desk, id_)) == 1


@pytest.mark.parametrize("verb", [clicks.claim, clicks.take_over, clicks.assign])
@pytest.mark.parametrize("status", ["approved", "rejected", "withdrawn"])
def test_a_decided_application_is_nobodys(desk: Engine, verb: Any, status: str) -> None:
    with desk.begin() as conn:
        id_ = add_application(conn, next(clicks.NUMBERS), status=status)

    with pytest.raises(AlreadyDecided, match=f"Already {status}"):
        verb(desk, id_)


OTHERS_MAY_NOT = (
    clicks.approve,
    clicks.reject,
    clicks.ask_second,
    clicks.ask_applicant,
    clicks.defer,
    clicks.claim,
    clicks.release,
)


@pytest.mark.parametrize("verb", OTHERS_MAY_NOT)
@pytest.mark.parametrize("actor", [BEN, MIRA])
def test_a_claimed_application_is_not_decided_by_others(
    desk: Engine, eligible: int, verb: Any, actor: str
) -> None:
    clicks.claim(desk, eligible)
    before = clicks.kept(desk, eligible)

    with pytest.raises(ClaimedByAnother, match=r"Ana .* Take it over first"):
        verb(desk, eligible, actor=actor)
    assert clicks.kept(desk, eligible) == before


@pytest.mark.parametrize("verb", [clicks.approve, clicks.ask_applicant, clicks.defer])
def test_the_holder_decides_and_anybody_does_after_the_claim_expired(
    desk: Engine, eligible: int, verb: Any
) -> None:
    clicks.claim(desk, eligible)
    with desk.begin() as conn:
        other = add_eligible(conn, next(clicks.NUMBERS))
    clicks.claim(desk, other)

    verb(desk, eligible)
    verb(desk, other, actor=BEN, now=NOW + IDLE)

    assert clicks.read(desk, eligible).status is clicks.read(desk, other).status


@pytest.mark.parametrize("verb", [clicks.note, clicks.record_evidence, clicks.check])
def test_adding_facts_leaves_the_claim_to_its_holder(desk: Engine, id_: int, verb: Any) -> None:
    clicks.claim(desk, id_)

    verb(desk, id_, actor=BEN)

    assert holder(desk, id_) == ANA


@pytest.mark.parametrize(
    ("verb", "still"),
    [
        (clicks.approve, None),
        (clicks.defer, None),
        (clicks.ask_applicant, ANA),
    ],
)
def test_a_finished_application_has_no_holder(
    desk: Engine, eligible: int, verb: Any, still: str | None
) -> None:
    clicks.claim(desk, eligible)

    verb(desk, eligible)

    assert holder(desk, eligible) == still


def test_an_application_that_waits_for_a_second_person_is_unassigned(
    desk: Engine, id_: int
) -> None:
    with desk.begin() as conn:
        pass_checks(conn, id_)
    clicks.claim(desk, id_)

    clicks.ask_second(desk, id_)

    assert holder(desk, id_) is None


def test_staying_extends_ones_own_claim_without_an_event(desk: Engine, id_: int) -> None:
    clicks.claim(desk, id_)
    before = clicks.events(desk, id_)

    review_claims.stay(desk, application_id=id_, actor=ANA, now=NOW + IDLE - MOMENT)

    claim = clicks.read(desk, id_).desk.claim
    assert claim is not None
    assert (claim.since, claim.until) == (NOW, NOW + 2 * IDLE - MOMENT)
    assert clicks.events(desk, id_) == before


@pytest.mark.parametrize(("who", "later"), [(BEN, timedelta(minutes=1)), (ANA, IDLE)])
def test_staying_prolongs_nothing_else(desk: Engine, id_: int, who: str, later: timedelta) -> None:
    clicks.claim(desk, id_)

    review_claims.stay(desk, application_id=id_, actor=who, now=NOW + later)

    claim = clicks.read(desk, id_).desk.claim
    assert claim is not None
    assert (claim.assignee, claim.until) == (ANA, NOW + IDLE)


def test_staying_leaves_an_assignment_without_an_end(desk: Engine, id_: int) -> None:
    clicks.assign(desk, id_, assignee=BEN)

    review_claims.stay(desk, application_id=id_, actor=BEN, now=NOW + IDLE)

    assert holder(desk, id_, now=NOW + YEARS) == BEN


def test_staying_claims_nothing(desk: Engine, id_: int) -> None:
    review_claims.stay(desk, application_id=id_, actor=ANA, now=NOW)

    assert holder(desk, id_) is None


@pytest.mark.parametrize(
    ("after", "shown"),
    [
        (timedelta(0), [ANA]),
        (presence.VIEWING_FOR - MOMENT, [ANA]),
        (presence.VIEWING_FOR, []),
    ],
)
def test_viewers_are_listed_for_half_a_minute(
    desk: Engine, id_: int, after: timedelta, shown: list[str]
) -> None:
    review_claims.record_view(desk, application_id=id_, actor=ANA, now=NOW)

    def others(actor: str) -> list[str]:
        with desk.connect() as conn:
            return list(presence.glance(conn, id_, viewer=actor, now=NOW + after).viewers)

    assert others(BEN) == shown
    assert others(ANA) == []


# The next application.


@pytest.fixture
def hall(database_url: str) -> Iterator[Engine]:
    """A database of its own with room for sixteen people at once."""
    made = create_engine(database_url, pool_size=16, connect_args={"options": "-c timezone=UTC"})
    with made.begin() as conn:
        add_staff(conn)
        add_refresh(conn)
    yield made
    made.dispose()


def line_up(hall: Engine, count: int) -> list[int]:
    """Add applications in order of priority: the longest waiting comes first."""
    with hall.begin() as conn:
        return [
            add_application(conn, id_, submitted_at=NOW - timedelta(days=2 * (count - id_)))
            for id_ in range(1, count + 1)
        ]


def test_next_gives_the_best_first_until_none_is_left(hall: Engine) -> None:
    ids = line_up(hall, 5)

    taken = [clicks.take_next(hall) for _ in range(7)]

    assert taken == [*ids, None, None]
    assert {holder(hall, id_) for id_ in ids} == {ANA}
    assert assignments(hall, ids[0]) == [("claimed", None, ANA)]


def test_an_eligible_one_comes_before_one_that_waits_as_long(hall: Engine) -> None:
    with hall.begin() as conn:
        add_application(conn, 1)
        add_eligible(conn, 2)

    assert clicks.take_next(hall) == 2


def test_next_skips_applications_that_the_person_may_not_decide(hall: Engine) -> None:
    line_up(hall, 3)
    with hall.begin() as conn:
        conn.execute(
            text("update exchange.accounts set email = ' Ana@Example.com' where account_id = 1")
        )
    clicks.declare_conflict(hall, 2, email=ANA)

    assert clicks.take_next(hall) == 3
    assert clicks.take_next(hall) is None
    assert clicks.take_next(hall, actor=BEN) == 1


def test_claiming_ones_own_assignment_does_not_make_it_expire(hall: Engine) -> None:
    line_up(hall, 1)
    clicks.assign(hall, 1, assignee=BEN)

    clicks.claim(hall, 1, actor=BEN)

    assert holder(hall, 1, now=NOW + timedelta(days=30)) == BEN


def test_a_used_up_order_is_skipped_in_batches(
    hall: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    line_up(hall, 3 * order_cache.BATCH_SIZE)
    clicks.take_next(hall)
    with hall.begin() as conn:
        conn.execute(
            text("update exchange.applications set status = 'withdrawn' where application_id < 60")
        )
    batches, whole = [], review_claims._take_first
    monkeypatch.setattr(
        review_claims, "_take_first", lambda *given: batches.append(given) or whole(*given)
    )

    assert clicks.take_next(hall) == 60
    assert len(batches) <= 3


def test_an_empty_queue_has_no_next_one(hall: Engine) -> None:
    assert clicks.take_next(hall) is None


def test_claimed_deferred_and_decided_applications_are_skipped(hall: Engine) -> None:
    ids = line_up(hall, 8)
    with hall.begin() as conn:
        for id_ in ids:
            pass_checks(conn, id_)
    clicks.claim(hall, 1, actor=BEN)
    clicks.assign(hall, 2, assignee=MIRA)
    clicks.ask_applicant(hall, 3)
    clicks.defer(hall, 4)
    clicks.ask_second(hall, 5)
    clicks.reject(hall, 6)

    assert [clicks.take_next(hall) for _ in range(3)] == [7, 8, None]


def test_applications_that_left_the_queue_are_skipped(hall: Engine) -> None:
    line_up(hall, 8)
    assert clicks.take_next(hall) == 1  # finds the order
    clicks.claim(hall, 2, actor=BEN)
    clicks.ask_applicant(hall, 3)
    clicks.reject(hall, 4)

    assert [clicks.take_next(hall) for _ in range(5)] == [5, 6, 7, 8, None]


def test_expired_released_and_due_applications_are_offered_again(hall: Engine) -> None:
    line_up(hall, 4)
    clicks.claim(hall, 1)
    clicks.claim(hall, 2, now=NOW + IDLE / 2)
    clicks.claim(hall, 3)
    clicks.release(hall, 3)
    clicks.defer(hall, 4)
    week = timedelta(days=7)

    assert clicks.take_next(hall, now=NOW + IDLE) == 1
    assert clicks.take_next(hall, now=NOW + IDLE) == 3
    assert clicks.take_next(hall, now=NOW + IDLE) is None
    late = [clicks.take_next(hall, now=NOW + week) for _ in range(5)]
    assert sorted(late[:4], key=str) == [1, 2, 3, 4]
    assert late[4] is None


def test_released_applications_are_found_when_the_order_is_used_up(hall: Engine) -> None:
    line_up(hall, 2)
    assert [clicks.take_next(hall), clicks.take_next(hall)] == [1, 2]
    clicks.release(hall, 1)

    assert [clicks.take_next(hall), clicks.take_next(hall)] == [1, None]


def test_the_next_one_is_taken_from_the_view(hall: Engine) -> None:
    line_up(hall, 3)
    with hall.begin() as conn:
        add_application(conn, 9, account={"country_code": "DE"})

    view = Filters(country="DE", status=Status.REJECTED, page=4)

    assert [clicks.take_next(hall, filters=view) for _ in range(2)] == [9, None]


def test_the_same_request_gives_the_same_next_one(hall: Engine) -> None:
    line_up(hall, 3)
    request_id = uuid.uuid4()

    taken = [clicks.take_next(hall, request_id=request_id) for _ in range(3)]

    assert taken == [1, 1, 1]
    assert clicks.take_next(hall) == 2


def test_a_double_click_takes_one(hall: Engine) -> None:
    line_up(hall, 20)
    for _ in range(5):
        request_id = uuid.uuid4()
        with ThreadPoolExecutor(4) as pool:
            given = {"request_id": request_id}
            taken = set(pool.map(lambda _, g=given: clicks.take_next(hall, **g), range(4)))
        assert len(taken) == 1
    with hall.connect() as conn:
        held = conn.execute(text("select count(*) from review.desk where assignee is not null"))
        assert held.scalar_one() == 5


def test_a_request_of_somebody_else_or_of_another_act_is_refused(hall: Engine) -> None:
    line_up(hall, 3)
    request_id, noted = uuid.uuid4(), uuid.uuid4()
    clicks.take_next(hall, request_id=request_id)
    clicks.note(hall, 2, request_id=noted)

    with pytest.raises(RequestReused):
        clicks.take_next(hall, request_id=request_id, actor=BEN)
    with pytest.raises(RequestReused):
        clicks.take_next(hall, request_id=noted)


@pytest.mark.parametrize("actor", [NOOR, ADA, "nobody@example.com"])
def test_only_reviewers_take_the_next_one(hall: Engine, actor: str) -> None:
    line_up(hall, 1)

    with pytest.raises(NotAllowed):
        clicks.take_next(hall, actor=actor)
    assert holder(hall, 1) is None


THREADS, PULLED = 16, 300


def pull_all(hall: Engine) -> Counter[int]:
    """Let sixteen people take the next one until none is left; returns how often each was given."""

    def work(number: int) -> list[int]:
        who, taken = (ANA, BEN, MIRA)[number % 3], []
        while (id_ := clicks.take_next(hall, actor=who)) is not None:
            taken.append(id_)
        return taken

    with ThreadPoolExecutor(THREADS) as pool:
        return Counter(id_ for taken in pool.map(work, range(THREADS)) for id_ in taken)


def test_sixteen_people_who_pull_three_hundred_never_get_the_same(hall: Engine) -> None:
    ids = line_up(hall, PULLED)

    assert pull_all(hall) == Counter(ids)
    with hall.connect() as conn:
        claims = conn.execute(
            text("select count(*), count(distinct application_id) from review.events")
        ).one()
    assert tuple(claims) == (PULLED, PULLED)


def begins_alike(connection: Any, filters: Filters, *, now: datetime) -> Any:
    """Offer sixteen people the same application, where the real function spreads them."""
    view = order_cache.ranked(connection, filters, judging.read_context(connection, now=now))
    start, view.offers_made = view.offers_made // THREADS, view.offers_made + 1
    return view.ids[start : start + order_cache.BATCH_SIZE]


LOCK, GUARD = "for update of application skip locked", "        where (held.assignee is null"


def without_guard(statement: str) -> str:
    start, end = statement.index(GUARD), statement.index("    returning application_id\n), event")
    return statement[:start] + statement[end:]


SIZES = pytest.mark.parametrize("pulled", first_of(50, PULLED))


@SIZES
def test_sixteen_people_sent_to_the_same_one_get_different_ones(
    hall: Engine, monkeypatch: pytest.MonkeyPatch, pulled: int
) -> None:
    monkeypatch.setattr(order_cache, "offer", begins_alike)
    ids = line_up(hall, pulled)

    assert pull_all(hall) == Counter(ids)


@SIZES
def test_without_lock_and_guard_the_race_is_lost(
    hall: Engine, monkeypatch: pytest.MonkeyPatch, pulled: int
) -> None:
    """The tests above can fail: without guards, one application is given twice."""
    bare = without_guard(review_claims._TAKE_FIRST.text).replace(LOCK, "")
    monkeypatch.setattr(review_claims, "_TAKE_FIRST", text(bare))
    monkeypatch.setattr(order_cache, "offer", begins_alike)
    line_up(hall, pulled)

    assert sum(pull_all(hall).values()) > pulled


def take_first(conn: Connection, ids: list[int], who: str) -> int | None:
    request = clicks.command(review_claims.TakeNext, filters=Filters(), actor=who)
    return review_claims._take_first(conn, ids, request)


def test_next_does_not_wait_for_an_application_being_claimed(hall: Engine) -> None:
    line_up(hall, 3)
    with hall.begin() as first, hall.begin() as second:
        second.execute(text("set local lock_timeout = 1000"))

        assert take_first(first, [1, 2, 3], ANA) == 1
        assert take_first(second, [1, 2, 3], BEN) == 2


def test_waiting_instead_of_skipping_would_be_noticed(
    hall: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = review_claims._TAKE_FIRST.text.replace(" skip locked", "")
    monkeypatch.setattr(review_claims, "_TAKE_FIRST", text(waits))

    with pytest.raises(OperationalError, match="lock timeout"):
        test_next_does_not_wait_for_an_application_being_claimed(hall)


@pytest.mark.parametrize("state", [{"assignee": ANA}, {"status": "deferred"}])
def test_an_application_claimed_during_the_statement_is_not_taken(
    hall: Engine, monkeypatch: pytest.MonkeyPatch, state: dict[str, str]
) -> None:
    """A colleague's change is committed after the statement started."""
    monkeypatch.setattr(review_claims, "_TAKE_FIRST", text(slowly(review_claims._TAKE_FIRST.text)))
    line_up(hall, 1)

    assert taken_during(hall, state) is None


def test_without_the_guard_the_application_would_be_taken(
    hall: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = slowly(without_guard(review_claims._TAKE_FIRST.text))
    monkeypatch.setattr(review_claims, "_TAKE_FIRST", text(bare))
    line_up(hall, 1)

    assert taken_during(hall, {"assignee": ANA}) == 1


GATE = 7_399_001
WAITS_AT_THE_GATE = """
select exists (select from pg_locks where locktype = 'advisory' and objid = :gate and not granted)
"""


def slowly(statement: str) -> str:
    """Return the same statement with a gate before its lock, after it read the desk."""
    nap = f"with nap as materialized (select pg_advisory_xact_lock({GATE})), free as ("
    return statement.replace("with free as (", nap).replace("from unnest", "from nap, unnest", 1)


def taken_during(hall: Engine, state: dict[str, str]) -> int | None:
    """Return what ben gets while somebody's row on the desk is written and committed."""
    row = {
        "claimed_at": NOW if "assignee" in state else None,
        "deferred_until": NOW + YEARS if "status" in state else None,
        **state,
    }

    def as_ben() -> int | None:
        with hall.begin() as conn:
            return take_first(conn, [1], BEN)

    with ThreadPoolExecutor(1) as pool, hall.connect() as first:
        first.execute(text("select pg_advisory_lock(:gate)"), {"gate": GATE})
        first.commit()
        second = pool.submit(as_ben)
        until(lambda: first.execute(text(WAITS_AT_THE_GATE), {"gate": GATE}).scalar_one())
        first.execute(insert(tables.desk).values(application_id=1, **row))
        first.commit()
        first.execute(text("select pg_advisory_unlock(:gate)"), {"gate": GATE})
        first.commit()
        return second.result(timeout=30)


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, up to a timeout."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "the state was never reached"
        time.sleep(0.01)
