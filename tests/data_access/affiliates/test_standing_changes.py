"""Changing standings: only by managers, from the standing shown, recorded everywhere."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from data_access import undoing
from data_access.affiliates import board as affiliates_board
from data_access.affiliates import standing_changes
from data_access.affiliates.board import Affiliate
from data_access.affiliates.standing_changes import Change
from data_access.db.errors import (
    AlreadyMoved,
    ConflictOfInterest,
    Invalid,
    NotAllowed,
    NotFound,
    NotInState,
    RequestReused,
)
from data_access.review import bulk_runs
from program.affiliates.filters import ANY, BoardFilters
from program.affiliates.requalification import REASONS, Standing, Step
from program.messages.delivery import UNDO_FOR, undo_for
from program.policy.policy import Policy
from tests.builders import NOW, add_application, add_policy, add_refresh, add_staff, rewriting
from tests.data_access import clicks
from tests.data_access.affiliate_months import APPROVED, add_affiliate, add_approval, refresh
from tests.data_access.clicks import ADA, ANA, MIRA, NOOR, NUMBERS

POLICY = Policy()
LOUD = replace(
    POLICY,
    version=2,
    effective_from=NOW - timedelta(days=1),
    requalification_silent=False,
)
NOTICE = Change(step=Step.PUT_ON_NOTICE, reason_code="minimums_missed", reason="Short again.")
SUSPEND = replace(NOTICE, step=Step.SUSPEND)
TERMINATE = Change(step=Step.TERMINATE, reason_code="rules_broken", reason="Bought followers.")
RESTORE = Change(step=Step.RESTORE, reason_code="minimums_met", reason="Above again.")
REINSTATE = Change(step=Step.REINSTATE, reason_code="mistake", reason="Wrong account.")


@pytest.fixture(scope="module")
def board(desk: Engine) -> Engine:
    """A desk whose affiliates are tested when a test adds them."""
    return desk


def affiliate(board: Engine, months: str = "++++++---", **given: Any) -> int:
    """Add a tested affiliate; by default with three misses in a row."""
    with board.begin() as conn:
        id_ = add_affiliate(conn, next(NUMBERS), months, **given)
        refresh(conn, before=None)
    return id_


def read(board: Engine, id_: int, policy: Policy = POLICY) -> Affiliate:
    with board.connect() as conn:
        found = affiliates_board.of_application(conn, id_, policy)
    assert found is not None
    return found


def move(board: Engine, id_: int, change: Change, shown: Standing, **given: Any) -> int:
    return standing_changes.move(
        board,
        clicks.command(
            standing_changes.MoveAffiliate,
            application_id=id_,
            change=change,
            shown=shown,
            **{"actor": MIRA, "now": NOW, "request_id": uuid.uuid4(), **given},
        ),
    )


def selected(board: Engine, statement: str, id_: int) -> list[Any]:
    with board.connect() as conn:
        return list(conn.execute(text(statement), {"id": id_}).all())


def test_a_silent_change_is_stored_and_recorded_on_both_timelines(board: Engine) -> None:
    id_ = affiliate(board)
    assert read(board, id_).suggestion is Step.SUSPEND

    move(board, id_, SUSPEND, Standing.ACTIVE)

    found = read(board, id_)
    assert (found.standing, found.changed_by, found.since, found.reason) == (
        Standing.SUSPENDED,
        MIRA,
        NOW,
        "Short again.",
    )
    assert found.suggestion is None
    event = (
        "select kind, actor, old, new, reason_code, reason, misses, suggested, silent"
        " from review.affiliate_events where account_id = :id"
    )
    assert selected(board, event, id_) == [
        (
            *("suspended", MIRA, "active", "suspended"),
            *("minimums_missed", "Short again.", 3, "suspended", True),
        )
    ]
    (kind, detail) = selected(
        board, "select kind, detail from review.events where application_id = :id", id_
    )[0]
    assert kind == "affiliate_suspended"
    assert detail["standing"] == {"old": "active", "new": "suspended"}
    with board.connect() as conn:
        lines = clicks.thread(conn, id_)
    assert ("affiliate suspended", "Short again.") in [(line.title, line.body) for line in lines]
    left = "select channel, recipient, payload from review.outbox where application_id = :id"
    ((channel, recipient, payload),) = selected(board, left, id_)
    assert (channel, recipient) == ("backend", "exchange")
    assert payload.pop("withheld_message").startswith("Hello")
    assert payload == {
        "kind": "affiliate_suspended",
        "application_id": id_,
        "account_id": id_,
        "username": f"user{id_}",
        "standing": {"old": "active", "new": "suspended"},
    }


def test_the_ways_there_and_back(board: Engine) -> None:
    """Every transition in turn; an invalid one is refused and changes nothing."""
    id_ = affiliate(board)
    steps = [
        (NOTICE, Standing.ACTIVE, Standing.ON_NOTICE),
        (SUSPEND, Standing.ON_NOTICE, Standing.SUSPENDED),
        (RESTORE, Standing.SUSPENDED, Standing.ACTIVE),
        (TERMINATE, Standing.ACTIVE, Standing.TERMINATED),
        (REINSTATE, Standing.TERMINATED, Standing.ACTIVE),
    ]
    for change, old, new in steps:
        move(board, id_, change, old)
        assert read(board, id_).standing is new
    for change in (RESTORE, REINSTATE):
        with pytest.raises(NotInState, match="does not apply: this affiliate is active"):
            move(board, id_, change, Standing.ACTIVE)
    assert (
        len(selected(board, "select 1 from review.affiliate_events where account_id = :id", id_))
        == 5
    )


def test_a_restoration_restarts_the_count(board: Engine) -> None:
    id_ = affiliate(board)
    move(board, id_, SUSPEND, Standing.ACTIVE)
    move(board, id_, RESTORE, Standing.SUSPENDED)

    found = read(board, id_)
    assert (found.misses, found.suggestion) == (0, None)
    with board.begin() as conn:
        refresh(conn, before=None)
    assert read(board, id_).misses == 0


def test_an_approval_after_a_termination_begins_as_active(board: Engine) -> None:
    id_ = affiliate(board)
    move(board, id_, TERMINATE, Standing.ACTIVE)
    with board.begin() as conn:
        before = conn.execute(
            text("select decision_id from review.decisions where application_id = :id"), {"id": id_}
        ).scalar_one()
        add_approval(conn, id_, NOW + timedelta(hours=1), supersedes=before)
        refresh(conn, before=None)

    assert read(board, id_).standing is Standing.ACTIVE
    move(board, id_, NOTICE, Standing.ACTIVE, now=NOW + timedelta(hours=2))
    assert read(board, id_).standing is Standing.ON_NOTICE


ACTS = {
    Step.PUT_ON_NOTICE: (NOTICE, Standing.ACTIVE),
    Step.SUSPEND: (SUSPEND, Standing.ACTIVE),
    Step.RESTORE: (RESTORE, Standing.ON_NOTICE),
    Step.TERMINATE: (TERMINATE, Standing.ACTIVE),
    Step.REINSTATE: (REINSTATE, Standing.TERMINATED),
}


@pytest.mark.parametrize("step", Step)
def test_every_step_is_a_managers_alone(board: Engine, step: Step) -> None:
    """Alone and in bulk; refused before anything is read or written."""
    id_ = affiliate(board)
    change, shown = ACTS[step]
    for person in (ANA, NOOR, ADA, "nobody@example.com"):
        with pytest.raises(NotAllowed):
            move(board, id_, change, shown, actor=person)
        with pytest.raises(NotAllowed):
            move_each(board, {id_: shown}, change, actor=person)
    assert read(board, id_).since is None
    assert selected(board, "select 1 from review.bulk_runs where :id = any(asked)", id_) == []


def test_the_second_of_two_managers_is_refused_by_name(board: Engine) -> None:
    id_ = affiliate(board)
    move(board, id_, SUSPEND, Standing.ACTIVE)

    with pytest.raises(AlreadyMoved, match=r"Already suspended by Mira at 09:00 UTC"):
        move(board, id_, NOTICE, Standing.ACTIVE)
    assert (
        len(selected(board, "select 1 from review.affiliate_events where account_id = :id", id_))
        == 1
    )


def test_of_two_at_the_same_moment_one_is_refused(board: Engine) -> None:
    id_ = affiliate(board)

    def press(change: Change) -> str:
        try:
            move(board, id_, change, Standing.ACTIVE)
        except AlreadyMoved:
            return "refused"
        return "done"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(press, (NOTICE, SUSPEND))) == ["done", "refused"]


def test_a_repeat_returns_the_first_result(board: Engine) -> None:
    id_, request_id = affiliate(board), uuid.uuid4()
    first = move(board, id_, NOTICE, Standing.ACTIVE, request_id=request_id)

    assert move(board, id_, NOTICE, Standing.ACTIVE, request_id=request_id) == first
    with pytest.raises(RequestReused):
        move(board, id_, SUSPEND, Standing.ACTIVE, request_id=request_id)


def test_a_reason_is_required_that_fits_the_step(board: Engine) -> None:
    id_ = affiliate(board)
    for change, sentence in (
        (replace(NOTICE, reason=" "), "The reason is empty"),
        (replace(NOTICE, reason="x" * 2_001), "the limit is 2,000"),
        (replace(NOTICE, reason_code="minimums_met"), "Choose a reason"),
        (replace(NOTICE, reason_code=""), "Choose a reason"),
    ):
        with pytest.raises(Invalid, match=sentence):
            move(board, id_, change, Standing.ACTIVE)
    assert all(reason.label for reason in REASONS)


def test_accounts_that_are_no_affiliates_cannot_be_moved(board: Engine) -> None:
    with board.begin() as conn:
        pending = add_application(conn, next(NUMBERS))
    with pytest.raises(NotInState, match="not the one that made the account an affiliate"):
        move(board, pending, NOTICE, Standing.ACTIVE)
    reopened = affiliate(board)
    with board.begin() as conn:
        waits = "update exchange.applications set status = 'pending' where application_id = :id"
        conn.execute(text(waits), {"id": reopened})
    with pytest.raises(NotInState, match="not the one that made the account an affiliate"):
        move(board, reopened, NOTICE, Standing.ACTIVE)
    with pytest.raises(NotFound):
        move(board, 999_999, NOTICE, Standing.ACTIVE)


def test_a_conflict_of_interest_forbids_it(board: Engine) -> None:
    id_ = affiliate(board, account={"email": MIRA})

    with pytest.raises(ConflictOfInterest):
        move(board, id_, NOTICE, Standing.ACTIVE)


# Bulk.


def move_each(
    board: Engine, shown: dict[int, Standing], change: Change, **given: Any
) -> list[bulk_runs.Result]:
    whole = {"ids": list(shown), "shown": shown, "change": change, "actor": MIRA, **given}
    return standing_changes.move_each(board, clicks.command(standing_changes.MoveEach, **whole))


def test_each_gets_its_own_result_and_a_repeat_returns_them(board: Engine) -> None:
    ids = [affiliate(board) for _ in range(3)]
    move(board, ids[1], TERMINATE, Standing.ACTIVE)
    shown = {
        ids[0]: Standing.ACTIVE,
        ids[1]: Standing.ACTIVE,
        ids[2]: Standing.ACTIVE,
        99_999: Standing.ACTIVE,
    }
    request_id = uuid.uuid4()

    results = move_each(board, shown, NOTICE, request_id=request_id)

    assert [result.done for result in results] == [True, False, True, False]
    assert "Already terminated by Mira" in results[1].sentence
    assert move_each(board, shown, NOTICE, request_id=request_id) == results
    run = bulk_runs.latest(
        board, actor=MIRA, names=(standing_changes.run_name(Step.PUT_ON_NOTICE),)
    )
    assert run is not None
    assert list(run.results) == results
    # The queue reports its own runs only.
    assert bulk_runs.latest(board, actor=MIRA, names=("CLAIM", "DEFER")) is None


def test_messages_go_out_filled_in_the_same_transaction_unless_silent(board: Engine) -> None:
    loud, quiet = affiliate(board), affiliate(board)
    with pytest.raises(Invalid, match="The policy is silent"):
        move(board, quiet, replace(NOTICE, message="Hello"), Standing.ACTIVE)
    with board.begin() as conn:
        add_policy(conn, LOUD)
    try:
        message = standing_changes.suggested_message(Step.PUT_ON_NOTICE)
        with pytest.raises(Invalid, match="The message to the applicant is empty"):
            move(board, quiet, NOTICE, Standing.ACTIVE)
        (result,) = move_each(board, {loud: Standing.ACTIVE}, replace(NOTICE, message=message))
        assert result.done
        (unfilled,) = move_each(
            board, {quiet: Standing.ACTIVE}, replace(NOTICE, message="Hello {{nickname}}")
        )
        assert "{{nickname}}" in unfilled.sentence
    finally:
        with board.begin() as conn, rewriting(conn, "policies"):
            conn.execute(text("delete from review.policies where version = 2"))

    sent = "select channel, payload from review.outbox where application_id = :id"
    ((channel, payload),) = selected(board, sent, loud)
    assert channel == "telegram"
    assert payload["kind"] == "affiliate_put_on_notice"
    assert f"Hello user{loud}," in payload["message"]
    over = "Over 1 Feb to 28 Feb 2026 your referral volume was 19.9 M of 20 M USD"
    assert over in payload["message"]
    assert "{{" not in payload["message"]
    # Refused changes left nothing behind.
    assert read(board, quiet).since is None


# Undo.

KEPT = (
    "select s.* from review.affiliate_standings s "
    "join exchange.applications a using (account_id) where application_id = :id"
)
SOON = NOW + UNDO_FOR - timedelta(microseconds=1)


def undo(board: Engine, id_: int, undone: uuid.UUID, **given: Any) -> int:
    given = {"actor": MIRA, "now": SOON, "request_id": uuid.uuid4(), **given}
    return undoing.undo(
        board, clicks.command(undoing.Undo, application_id=id_, undone=undone, **given)
    )


def stepped(board: Engine, *before: Change) -> tuple[int, list[Any], uuid.UUID]:
    """Move an affiliate and then suspend it; returns its id, the state before, and the request."""
    id_, standing = affiliate(board), Standing.ACTIVE
    for day, change in enumerate(before, -len(before)):
        move(board, id_, change, standing, now=NOW + timedelta(days=day))
        standing = read(board, id_).standing
    kept, request_id = selected(board, KEPT, id_), uuid.uuid4()
    move(board, id_, SUSPEND, standing, request_id=request_id)
    return id_, kept, request_id


@pytest.mark.parametrize(
    "before", [(), (NOTICE,), (NOTICE, RESTORE)], ids=["never moved", "on notice", "restored"]
)
def test_a_change_that_is_undone_leaves_the_standing_as_it_was(
    board: Engine, before: tuple[Change, ...]
) -> None:
    id_, kept, request_id = stepped(board, *before)
    old = read(board, id_).standing
    assert old is Standing.SUSPENDED
    again = uuid.uuid4()

    event_id = undo(board, id_, request_id, request_id=again)

    assert selected(board, KEPT, id_) == kept
    assert undo(board, id_, request_id, request_id=again) == event_id
    newest = (
        "select affiliate_event_id, kind, old, new, actor from review.affiliate_events "
        "where application_id = :id order by 1 desc limit 1"
    )
    now = str(read(board, id_).standing)
    assert selected(board, newest, id_) == [(event_id, "undone", "suspended", now, MIRA)]
    stopped = "select stopped_as from review.outbox where application_id = :id order by created_at"
    assert selected(board, stopped, id_)[-1] == ("cancelled",)
    with board.connect() as conn:
        titles = [entry.title for entry in clicks.thread(conn, id_)]
    assert any("undone" in title for title in titles)
    # The affiliate can be moved on as if nothing had happened.
    move(board, id_, TERMINATE, read(board, id_).standing, now=NOW + timedelta(minutes=1))


def test_a_change_is_undone_only_by_its_author_in_time_and_while_current(board: Engine) -> None:
    id_, _, request_id = stepped(board)
    with pytest.raises(NotAllowed, match="Only Mira"):
        undo(board, id_, request_id, actor=ANA)
    with pytest.raises(NotInState, match="The time to undo is over"):
        undo(board, id_, request_id, now=NOW + UNDO_FOR)
    move(board, id_, TERMINATE, Standing.SUSPENDED, now=NOW + timedelta(seconds=1))
    with pytest.raises(NotInState, match="changed meanwhile"):
        undo(board, id_, request_id)
    assert read(board, id_).standing is Standing.TERMINATED

    other, _, request_id = stepped(board)
    undo(board, other, request_id)
    with pytest.raises(NotInState, match="already undone"):
        undo(board, other, request_id)


def test_all_of_a_run_are_undone(board: Engine) -> None:
    shown = {affiliate(board): Standing.ACTIVE for _ in range(3)}
    run, taken_back = uuid.uuid4(), uuid.uuid4()
    move_each(board, shown, SUSPEND, request_id=run)

    command = clicks.command(
        undoing.UndoRun,
        undone=run,
        ids=list(shown),
        actor=MIRA,
        now=NOW + undo_for(3) - timedelta(microseconds=1),
        request_id=taken_back,
        name=standing_changes.UNDO_RUN,
        noun="affiliate",
    )

    results = undoing.undo_run(board, command)

    assert [result.done for result in results] == [True] * 3
    assert {read(board, id_).standing for id_ in shown} == {Standing.ACTIVE}
    kept = bulk_runs.latest(board, actor=MIRA, names=(standing_changes.UNDO_RUN,))
    assert kept is not None
    assert kept.request_id == taken_back


# Board.


def test_the_board_filters_counts_and_orders(engine: Engine) -> None:
    with engine.begin() as conn:
        add_staff(conn)
        add_refresh(conn)
        add_affiliate(conn, 1, "++")
        add_affiliate(conn, 2, "+---", account={"username": "odd%name"})
        add_affiliate(conn, 3, "+-")
        add_affiliate(conn, 4, "--", seen_short=False)
        add_affiliate(conn, 5, approved_at=datetime(2026, 3, 2, tzinfo=UTC))
        add_affiliate(conn, 6, "-+")
        add_affiliate(conn, 7, "---", approved_at=APPROVED)
        refresh(conn)
    for id_, change in ((6, NOTICE), (7, TERMINATE)):
        move(engine, id_, change, Standing.ACTIVE, now=datetime(2026, 2, 3, tzinfo=UTC))

    def ids(**filters: Any) -> list[int]:
        wanted = BoardFilters(**filters)
        with engine.connect() as conn:
            rows = affiliates_board.page(conn, wanted, POLICY)
            assert affiliates_board.count(conn, wanted, POLICY) == len(rows)
            assert list(affiliates_board.shown(conn, wanted, POLICY, most=9)) == [
                row.application_id for row in rows
            ]
        # Each row states why the filter matched it.
        assert all(filters.get("suggested", ANY) in (ANY, row.suggestion) for row in rows)
        return [row.application_id for row in rows]

    assert ids()[:4] == [2, 3, 6, 7]
    assert ids(suggested=ANY) == [2, 3, 6]
    assert ids(suggested=Step.SUSPEND) == [2]
    assert ids(suggested=Step.PUT_ON_NOTICE) == [3]
    assert ids(suggested=Step.RESTORE) == [6]
    assert ids(standing=Standing.TERMINATED) == [7]
    assert ids(month="unknown") == [4]
    assert ids(month="untested") == [5]
    assert ids(near=True) == [2, 3, 6, 7, 1]
    assert ids(search="odd%") == [2]
    assert ids(search="3") == [3]
    with engine.connect() as conn:
        counts = affiliates_board.counts(conn, POLICY)
    assert counts.total == 7
    assert counts.by_standing[Standing.ACTIVE] == 5
    assert counts.by_suggestion == {Step.SUSPEND: 1, Step.PUT_ON_NOTICE: 1, Step.RESTORE: 1}
    assert counts.by_month == {"met": 2, "not_met": 3, "unknown": 1, "untested": 1}
