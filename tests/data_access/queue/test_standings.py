"""The kept standings and sums are those of a recount, whatever is done, by whom, in any order."""

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from data_access import doctor
from data_access.db import database
from data_access.db.errors import Refusal
from data_access.eligibility import judging
from data_access.eligibility.judging import JudgingContext
from data_access.queue import listing, open_counts, open_list, standings
from data_access.review.evidence import LARGEST_COUNT
from program.policy.outcomes import Outcome
from program.policy.policy import Policy
from program.review.queue_filters import Due, Filters, Owner, Sort
from program.review.workflow import Status
from tests.builders import (
    NOW,
    add_account,
    add_application,
    add_evidence,
    add_metrics,
    add_policy,
    add_refresh,
    add_staff,
    pass_checks,
)
from tests.cases import examples, first_of
from tests.data_access import clicks
from tests.data_access.clicks import ANA, BEN, MIRA
from tests.databases import Databases

DONE: set[str] = set()
HUNDRED_DAYS = timedelta(days=100)
# Every third application has been touched, in one of three ways.
TOUCHED = """
insert into review.desk (application_id, clock_from, status, deferred_until, assignee, claimed_at,
    claim_until)
select application_id, submitted_at + interval '1 hour' * (37 * application_id % 120),
    case application_id % 9 when 3 then 'deferred' else 'pending' end,
    case application_id % 9 when 3 then :now + interval '1 hour' * application_id end,
    case application_id % 9 when 6 then 'ana@example.com' end,
    case application_id % 9 when 6 then :now end,
    case application_id % 9 when 6 then :now + interval '1 hour' * application_id end
from exchange.applications where application_id % 3 = 0
"""
STANDING = "select * from review.standings where application_id = :id"


@pytest.fixture(scope="module")
def desk(databases: Databases) -> Iterator[Engine]:
    with databases.engine("standings", pool_size=8) as made:
        with made.begin() as conn:
            add_staff(conn)
            add_refresh(conn)
            for id_ in range(1, 5):
                add_application(conn, id_)
                add_account(conn, 201 - id_)
                pass_checks(conn, id_)
        assert standings.restate(made, now=NOW)
        yield made


@pytest.fixture
def fresh(engine: Engine) -> Engine:
    """A desk of its own with two open applications."""
    with engine.begin() as conn:
        add_staff(conn)
        add_refresh(conn)
        add_application(conn, 1)
        add_application(conn, 2)
    assert standings.restate(engine, now=NOW)
    return engine


def context_of(engine: Engine, **given: Any) -> JudgingContext:
    with engine.connect() as conn:
        return judging.read_context(conn, now=given.get("now", NOW))


def differing(engine: Engine) -> list[int]:
    with engine.connect() as conn:
        return standings.differences(conn)


def assert_as_recounted(engine: Engine, after: str = "") -> None:
    """Standings, their sums and the counts are what computing them anew gives."""
    with engine.connect() as conn:
        kept = judging.read_context(conn, now=NOW)
        recounted = replace(kept, kept=None)
        assert standings.differences(conn) == [], after
        assert standings.differing_sums(conn) == 0, after
        assert kept.is_kept
        assert listing.counts(conn, kept, viewer=ANA) == listing.counts(
            conn, recounted, viewer=ANA
        ), after


def sums(conn: Connection) -> Sequence[Any]:
    """The rows of sums, without their ids."""
    rows = conn.execute(text("select * from review.standing_sums order by sum_id")).all()
    return [tuple(row)[1:] for row in rows]


def merge_at_the_next_change(conn: Connection) -> None:
    sequence = "pg_get_serial_sequence('review.standing_sums', 'sum_id')"
    conn.execute(text(f"select setval({sequence}, nextval({sequence}) / 500 * 500 + 499)"))


def withdraw(conn: Connection, id_: int) -> None:
    withdrawn = "update exchange.applications set status = 'withdrawn' where application_id = :id"
    conn.execute(text(withdrawn), {"id": id_})


def standing(engine: Engine, id_: int) -> Any:
    with engine.connect() as conn:
        return conn.execute(text(STANDING), {"id": id_}).one_or_none()


def upstream(statement: str) -> Callable[[Engine, int], None]:
    """An act of the exchange's backend, which knows nothing of standings."""

    def act(engine: Engine, id_: int) -> None:
        with engine.begin() as conn:
            conn.execute(text(statement), {"id": id_})

    return act


ACTS: dict[str, Callable[..., object]] = {
    "claims": clicks.claim,
    "takes over": clicks.take_over,
    "releases": clicks.release,
    "assigns": clicks.assign,
    "asks": clicks.ask_applicant,
    "records the answer": clicks.record_answer,
    "stops waiting": clicks.stop_waiting,
    "defers": clicks.defer,
    "brings back": clicks.bring_back,
    "records followers": partial(clicks.record_evidence, entry=clicks.followers(5_001)),
    "records old followers": partial(
        clicks.record_evidence, entry=clicks.followers(9_000, observed_at=NOW - HUNDRED_DAYS)
    ),
    "rejects": partial(clicks.submit, draft=clicks.rejection()),
    "approves, with a second person if needed": partial(clicks.submit, draft=clicks.draft()),
    "confirms": clicks.confirm,
    "declines": clicks.decline,
    "reopens": clicks.reopen,
}
UPSTREAM: dict[str, Callable[[Engine, int], None]] = {
    "is withdrawn": upstream(
        "update exchange.applications set status = 'withdrawn', status_changed_at = now() "
        "where application_id = :id and status = 'pending'"
    ),
    "is pending again": upstream(
        "update exchange.applications set status = 'pending' where application_id = :id"
    ),
    "is renamed": upstream(
        "update exchange.accounts set username = username || 'x', country_code = 'DE' "
        "where account_id = :id"
    ),
    "all are renamed": upstream("update exchange.accounts set username = username || :id"),
    "has another handle": upstream(
        "update exchange.applications set social_handle = '@other', social_platform = 'YouTube', "
        "contact_handle = null where application_id = :id"
    ),
    "belongs to another account": upstream(
        "update exchange.applications set account_id = 201 - account_id where application_id = :id"
    ),
}


def act_at_random(desk: Engine, chance: random.Random) -> str | None:
    """Let somebody do something with an application; returns what, unless it was refused."""
    id_, name = chance.randint(1, 4), chance.choice([*ACTS, *UPSTREAM, "takes the next"])
    try:
        if name in UPSTREAM:
            UPSTREAM[name](desk, id_)
        elif name in ACTS:
            ACTS[name](desk, id_, actor=chance.choice([ANA, BEN, MIRA]))
        else:
            clicks.take_next(desk)
    except Refusal:
        return None
    return name


@pytest.mark.sampled
@pytest.mark.parametrize("seed", first_of(*range(8)))
def test_after_any_acts_the_kept_standings_are_those_of_a_recount(desk: Engine, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(examples(60, of=200)):
        if done := act_at_random(desk, chance):
            DONE.add(done)
            assert_as_recounted(desk, f"after somebody {done}")


@pytest.mark.slow
def test_each_of_these_acts_is_done_sooner_or_later(desk: Engine) -> None:
    """An act that is always refused would prove nothing."""
    chance, wanted = random.Random(8), {*ACTS, *UPSTREAM, "takes the next"}
    for _ in range(10_000):
        if wanted <= DONE:
            break
        DONE.add(act_at_random(desk, chance) or "")
    assert wanted - DONE == set()


def test_every_kind_of_act_can_change_a_standing(fresh: Engine) -> None:
    """Otherwise the acts above would prove nothing."""
    seen = []
    for name in ("claims", "asks", "records the answer", "records followers", "is renamed"):
        before = standing(fresh, 1)
        {**ACTS, **UPSTREAM}[name](fresh, 1)
        seen.append(standing(fresh, 1) != before)
    assert seen == [True] * 5


def test_a_standing_is_kept_while_the_application_is_pending_upstream(fresh: Engine) -> None:
    UPSTREAM["is withdrawn"](fresh, 1)
    assert standing(fresh, 1) is None

    UPSTREAM["is pending again"](fresh, 1)
    assert standing(fresh, 1) is not None


def test_an_application_that_arrives_has_a_standing_at_once(fresh: Engine) -> None:
    with fresh.begin() as conn:
        add_application(conn, 3, account={"first_seen_at": NOW - timedelta(days=9)})
        add_application(conn, 4, account={"first_seen_at": NOW})

    assert standing(fresh, 3).volume_usd == 0
    assert standing(fresh, 4).volume_usd is None, "its account came after the refresh"
    assert differing(fresh) == []


def test_a_claim_is_repeated_and_not_computed(fresh: Engine) -> None:
    """Most changes of the desk are claims, and to compute a standing is most of their work."""
    held = "select assignee, claim_until from review.standings where application_id = 1"
    claim = (
        "insert into review.desk as held (application_id, assignee, claimed_at, claim_until)"
        " values (1, :by, now(), now()) on conflict (application_id) do update"
        " set (assignee, claimed_at, claim_until) ="
        " row(excluded.assignee, excluded.claimed_at, excluded.claim_until)"
    )
    with fresh.connect() as conn:
        conn.execute(
            text(
                "create or replace function review.keep_standings(ids bigint[],"
                " basis review.standing_basis) returns void language plpgsql as"
                " $$ begin raise 'computed'; end $$"
            )
        )
        for by in (ANA, BEN):
            conn.execute(text(claim), {"by": by})
            assert conn.execute(text(held)).one().assignee == by
        conn.execute(
            text(
                "update review.desk set (assignee, claimed_at, claim_until) = row(null, null, null)"
            )
        )
        assert conn.execute(text(held)).one() == (None, None)
        with pytest.raises(DBAPIError, match="computed"):
            conn.execute(text("update review.desk set answered_at = now()"))


def test_a_rolled_back_act_leaves_the_standing(fresh: Engine) -> None:
    before = standing(fresh, 1)
    with fresh.connect() as conn:
        add_evidence(conn, 1)
        conn.rollback()

    assert standing(fresh, 1) == before


def test_two_people_recording_at_once_are_both_counted(fresh: Engine) -> None:
    """The second waits for the first, and then counts what it wrote."""
    with fresh.connect() as first:
        add_evidence(first, 1, value=5_001)
        with ThreadPoolExecutor(1) as pool:
            second = pool.submit(_record_volume, fresh)
            _wait_until_blocked(fresh)
            first.commit()
            second.result(timeout=20)

    assert (standing(fresh, 1).x_followers, standing(fresh, 1).external_volume_usd) == (5_001, 7)
    assert differing(fresh) == []


def _record_volume(engine: Engine) -> None:
    with engine.begin() as conn:
        add_evidence(conn, 1, kind="external_volume", value=7, exchange_name="Kraken")


def _wait_until_blocked(engine: Engine) -> None:
    """Wait until some session waits for a lock."""
    waiting = (
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' "
        "and datname = current_database()"
    )
    for _ in range(2_000):
        with engine.connect() as conn:
            if conn.execute(text(waiting)).scalar():
                return
        threading.Event().wait(0.01)
    raise AssertionError("nobody waited")


def test_two_people_changing_the_same_sum_do_not_wait_for_each_other(fresh: Engine) -> None:
    with fresh.connect() as first, fresh.connect() as second:
        second.execute(text("set local lock_timeout = '1ms'"))
        for id_, conn in enumerate((first, second), start=1):
            withdraw(conn, id_)
        first.commit()
        second.commit()

    assert_as_recounted(fresh)


def test_sums_are_merged_now_and_then(fresh: Engine) -> None:
    for _ in range(3):
        UPSTREAM["is withdrawn"](fresh, 1)
        UPSTREAM["is pending again"](fresh, 1)
    with fresh.begin() as conn:
        before = sums(conn)
        merge_at_the_next_change(conn)
    UPSTREAM["is withdrawn"](fresh, 1)

    with fresh.connect() as conn:
        assert len(before) > 6
        assert [row[-1] for row in sums(conn)] == [1]
    assert_as_recounted(fresh)


def test_while_one_merges_the_sums_another_adds_to_them(fresh: Engine) -> None:
    with fresh.connect() as merging, fresh.connect() as other:
        for id_, conn in enumerate((merging, other), start=1):
            merge_at_the_next_change(conn)
            conn.execute(text("set local lock_timeout = '1ms'"))
            withdraw(conn, id_)
        other.commit()
        merging.commit()

    assert_as_recounted(fresh)


def test_an_act_that_began_before_the_sums_were_merged_is_not_refused(fresh: Engine) -> None:
    older = fresh.execution_options(isolation_level="REPEATABLE READ")
    with older.connect() as conn:
        conn.execute(text("select count(*) from review.standing_sums"))
        with fresh.begin() as other:
            merge_at_the_next_change(other)
            withdraw(other, 1)
        merge_at_the_next_change(conn)
        withdraw(conn, 2)
        conn.commit()

    assert_as_recounted(fresh)


def test_counts_in_a_transaction_are_those_of_its_own_acts(fresh: Engine) -> None:
    with fresh.connect() as acting, fresh.connect() as other:
        add_evidence(acting, 1, value=9_000)
        met = [listing.counts(conn, context_of(fresh)).met for conn in (acting, other)]
        acting.rollback()

    assert met == [1, 0]
    assert_as_recounted(fresh)


def test_at_any_time_of_day_as_many_are_counted_as_are_found(fresh: Engine) -> None:
    """Some have a clock that began later, are held, or return from a deferral meanwhile."""
    with fresh.begin() as conn:
        for id_ in range(3, 90):
            add_application(conn, id_, submitted_at=NOW - timedelta(hours=5 * id_, minutes=id_))
        conn.execute(text(TOUCHED), {"now": NOW})
    views = [
        Filters(due=due, waiting_days=days, owner=owner, eligibility=eligibility)
        for due in (None, Due.OVERDUE)
        for days in (None, 3, 7, 14)
        for owner in (None, Owner.UNASSIGNED)
        for eligibility in ((), (Outcome.UNKNOWN,))
    ]
    with fresh.connect() as conn:
        for hours in range(0, 24 * 5, 7):
            context = judging.read_context(conn, now=NOW + timedelta(hours=hours))
            assert context.is_kept
            found = [len(listing.ids(conn, view, context, most=None)) for view in views]
            assert [listing.count(conn, view, context) for view in views] == found
            assert listing.counts(conn, context).overdue == listing.count(
                conn, Filters(due=Due.OVERDUE), context
            )


def test_restating_waits_for_a_running_act_and_holds_up_nobody(fresh: Engine) -> None:
    with fresh.connect() as acting, ThreadPoolExecutor(1) as pool:
        add_evidence(acting, 1, value=5_001)
        with fresh.begin() as conn:
            add_refresh(conn)
        restating = pool.submit(standings.restate, fresh, now=NOW)
        with fresh.begin() as conn:
            add_evidence(conn, 2, value=5_001)
        acting.commit()
        assert restating.result(timeout=20)

    assert differing(fresh) == []
    assert context_of(fresh).is_kept


def changed_policy() -> Policy:
    return Policy(version=2, effective_from=NOW - timedelta(hours=2), min_x_followers=10_000)


@pytest.mark.parametrize("change", ["a refresh", "a policy", "a policy that counts otherwise"])
def test_what_changes_all_standings_is_seen_at_once_and_kept_again_when_restated(
    fresh: Engine, change: str
) -> None:
    with fresh.begin() as conn:
        add_evidence(conn, 1, value=6_000)
        assert context_of(fresh).is_kept
        if change == "a refresh":
            add_refresh(conn)
            add_metrics(conn, 2, volume=Decimal(30_000_000), active=20, new=9)
        elif change == "a policy":
            add_policy(conn, changed_policy())
        else:
            add_policy(conn, replace(changed_policy(), active_user_min_volume_usd=Decimal(9)))

    before = context_of(fresh)
    shown = outcomes(fresh, before)
    assert standings.restate(fresh, now=NOW)
    after = context_of(fresh)

    assert (before.is_kept, after.is_kept) == (False, True)
    assert outcomes(fresh, after) == shown
    assert (1 in shown[Outcome.MET]) is (change == "a refresh")
    assert (2 in shown[Outcome.MET]) is (change == "a refresh")


def outcomes(engine: Engine, context: JudgingContext) -> dict[Outcome, Sequence[int]]:
    with engine.connect() as conn:
        return {
            outcome: listing.ids(
                conn, Filters(eligibility=(outcome,), sort=Sort.WAITING), context, most=None
            )
            for outcome in Outcome
        }


def test_without_metrics_the_standings_are_kept_by_day(engine: Engine) -> None:
    with engine.begin() as conn:
        add_application(conn, 1)
        add_evidence(conn, 1, observed_at=NOW - timedelta(days=90))
    assert standings.restate(engine, now=NOW)

    tomorrow = NOW + timedelta(days=1)
    assert context_of(engine).is_kept
    assert not context_of(engine, now=tomorrow).is_kept, "the evidence no longer counts"
    assert 1 in outcomes(engine, context_of(engine))[Outcome.MET]
    assert 1 in outcomes(engine, context_of(engine, now=tomorrow))[Outcome.UNKNOWN]


def test_evidence_of_the_future_does_not_count_yet(fresh: Engine) -> None:
    later = NOW + timedelta(hours=3)
    with fresh.begin() as conn:
        add_evidence(conn, 1, value=6_000, observed_at=later)

    assert 1 in outcomes(fresh, context_of(fresh))[Outcome.UNKNOWN]
    assert 1 in outcomes(fresh, context_of(fresh, now=later))[Outcome.MET]


def test_restating_again_writes_nothing(fresh: Engine) -> None:
    newest = "select max(xmin::text::bigint) from review.standings"
    with fresh.connect() as conn:
        before = conn.execute(text(newest)).scalar()
    assert standings.restate(fresh, now=NOW)

    with fresh.connect() as conn:
        assert conn.execute(text(newest)).scalar() == before


def test_a_load_that_takes_too_long_is_not_waited_for(
    fresh: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standings, "PATIENCE_S", 0)
    with fresh.connect() as loading:
        add_account(loading, 9)
        add_application(loading, 9, account_id=9)
        assert not standings.restate(fresh, now=NOW)
        loading.rollback()
    assert standings.restate(fresh, now=NOW)


def test_the_doctor_finds_a_standing_that_differs(fresh: Engine) -> None:
    with fresh.begin() as conn:
        conn.execute(text("update review.standings set points = 7 where application_id = 2"))

    with database.acting(fresh) as conn:
        assert standings.differences(conn) == [2]
    found = {one.what: one for one in doctor.examine(fresh, now=NOW)}["standings"]
    assert not found.ok
    assert "1 of the open applications differ from a recount, such as 2" in found.sentence


def test_the_doctor_finds_a_sum_that_differs(fresh: Engine) -> None:
    with fresh.begin() as conn:
        conn.execute(text("update review.standing_sums set number = number + 1"))

    found = {one.what: one for one in doctor.examine(fresh, now=NOW)}["standings"]
    assert not found.ok
    assert "1 of their sums differ from a recount" in found.sentence

    with fresh.begin() as conn:
        add_refresh(conn)
    assert standings.restate(fresh, now=NOW)
    assert_as_recounted(fresh)


@pytest.mark.parametrize("status", ["pending", "approved"])
def test_the_most_followers_that_can_be_recorded_are_shown_in_every_list(
    fresh: Engine, status: str
) -> None:
    upstream(f"update exchange.applications set status = '{status}' where application_id = :id")(
        fresh, 1
    )
    clicks.record_evidence(fresh, 1, entry=clicks.followers(int(LARGEST_COUNT)))
    with fresh.begin() as conn:
        add_refresh(conn)
    assert standings.restate(fresh, now=NOW)

    with fresh.connect() as conn:
        context = judging.read_context(conn, now=NOW)
        shown = listing.page(conn, Filters(status=Status(status)), context)
    assert [row.facts.x_followers for row in shown if row.application_id == 1] == [LARGEST_COUNT]


def test_who_writes_to_exchange_needs_no_rights_on_review(fresh: Engine) -> None:
    """Every trigger of ours there runs with its owner's rights, and finds only our functions."""
    triggers = """
        select proname, prosecdef, coalesce(array_to_string(proconfig, ','), '')
        from pg_trigger join pg_proc p on p.oid = tgfoid join pg_class c on c.oid = tgrelid
        where c.relnamespace = 'exchange'::regnamespace
            and p.pronamespace = 'review'::regnamespace and not tgisinternal
    """
    with fresh.connect() as conn:
        found = conn.execute(text(triggers)).all()
    assert len(found) >= 6
    for name, by_owner, settings in found:
        assert (by_owner, settings) == (True, "search_path=pg_catalog, pg_temp"), name


def test_an_account_that_changes_while_its_application_arrives_is_not_missed(
    fresh: Engine,
) -> None:
    with fresh.begin() as conn:
        add_account(conn, 9)
    with fresh.connect() as arriving, ThreadPoolExecutor(1) as pool:
        add_application(arriving, 9, account_id=9)
        moved = pool.submit(
            upstream("update exchange.accounts set country_code = 'FR' where account_id = :id"),
            *(fresh, 9),
        )
        _wait_until_blocked(fresh)
        arriving.commit()
        moved.result(timeout=20)

    assert standing(fresh, 9).country_code == "FR"
    assert differing(fresh) == []


def test_a_transaction_that_began_under_an_older_basis_is_refused(fresh: Engine) -> None:
    older = fresh.execution_options(isolation_level="REPEATABLE READ")
    with older.connect() as conn:
        conn.execute(text("select count(*) from review.standings"))
        with fresh.begin() as other:
            add_policy(other, changed_policy())
        assert standings.restate(fresh, now=NOW)
        with pytest.raises(OperationalError, match="could not serialize"):
            add_evidence(conn, 1)


def test_a_mine_view_of_another_person_is_not_kept_for_this_one(fresh: Engine) -> None:
    clicks.claim(fresh, 1)
    context = context_of(fresh)
    with fresh.connect() as conn:
        mine = [listing.counts(conn, context, viewer=viewer).mine for viewer in (ANA, BEN)]
    assert mine == [1, 0]


@pytest.mark.parametrize("policy", ["of a what-if", "that took effect"])
def test_what_no_policy_changes_is_read_from_kept_standings_under_any_policy(
    fresh: Engine, policy: str
) -> None:
    if policy == "that took effect":
        with fresh.begin() as conn:
            add_policy(conn, changed_policy())
    other = context_of(fresh)
    if policy == "of a what-if":
        other = replace(other, policy=replace(changed_policy(), min_x_followers=1))
    unjudged = Filters(due=Due.OVERDUE, sort=Sort.WAITING)

    assert not open_counts.counted(unjudged, other).computed
    assert not open_list.found(unjudged, other, size=50).computed
    assert open_list.found(Filters(), other, size=50).computed
    assert open_counts.counted(Filters(eligibility=(Outcome.MET,)), other).computed
    with fresh.connect() as conn:
        assert listing.count(conn, unjudged, other) == listing.count(
            conn, unjudged, context_of(fresh)
        )
