"""Every act on an application: its roles, one transaction, its event, its request id."""

import re
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from data_access.db.errors import Invalid, NotAllowed, NotFound, RequestReused
from program.policy.checklist import CheckOutcome
from tests.builders import NOW, T, add_application, add_eligible, add_measures, pass_checks
from tests.cases import every
from tests.dashboard.ui.hostile import HOSTILE
from tests.data_access import clicks
from tests.data_access.clicks import ADA, ANA, BEN, MIRA, NOOR, NUMBERS

NOBODY = "nobody@example.com"
DESK, MANAGERS = (ANA, MIRA), (MIRA,)
Ready = Callable[[Engine, str], int]


def untouched(desk: Engine, _: str) -> int:
    with desk.begin() as conn:
        return add_application(conn, next(NUMBERS))


def eligible(desk: Engine, _: str) -> int:
    with desk.begin() as conn:
        return add_eligible(conn, next(NUMBERS))


def held(desk: Engine, actor: str) -> int:
    """Claim an application for the actor, or for ana if the actor may not."""
    id_ = untouched(desk, actor)
    clicks.claim(desk, id_, actor=actor if actor in DESK else ANA)
    return id_


def held_by_ben(desk: Engine, actor: str) -> int:
    id_ = untouched(desk, actor)
    clicks.claim(desk, id_, actor=BEN)
    return id_


def questioned(desk: Engine, actor: str) -> int:
    id_ = untouched(desk, actor)
    clicks.ask_applicant(desk, id_)
    return id_


def deferred(desk: Engine, actor: str) -> int:
    id_ = untouched(desk, actor)
    clicks.defer(desk, id_)
    return id_


def rejected(desk: Engine, actor: str) -> int:
    id_ = untouched(desk, actor)
    clicks.reject(desk, id_)
    return id_


def checked(desk: Engine, actor: str) -> int:
    id_ = untouched(desk, actor)
    with desk.begin() as conn:
        pass_checks(conn, id_)
    return id_


def proposed(desk: Engine, actor: str) -> int:
    """Add an approval that ana proposed to a second person."""
    id_ = checked(desk, actor)
    clicks.ask_second(desk, id_)
    return id_


def flagged(desk: Engine, actor: str) -> int:
    """Add an application with a risk signal."""
    id_ = untouched(desk, actor)
    with desk.begin() as conn:
        add_measures(conn, id_, r10=1, r10_sample=12)
    return id_


def dismissed(desk: Engine, actor: str) -> int:
    id_ = flagged(desk, actor)
    clicks.dismiss_signal(desk, id_)
    return id_


@dataclass(frozen=True, kw_only=True)
class Act:
    """A command: when it is possible, by whom, its event, and another form's fields."""

    do: Callable[..., int]
    ready: Ready
    by: tuple[str, ...] = DESK
    event: str | None = None
    detail: dict[str, Any] | None = None
    otherwise: tuple[dict[str, Any], ...] = ()

    @property
    def actor(self) -> str:
        return self.by[0]

    def __repr__(self) -> str:
        return self.do.__name__


def moved(old: str, new: str) -> dict[str, Any]:
    return {"status": {"old": old, "new": new}}


def passed_on(old: str | None, new: str | None) -> dict[str, Any]:
    return {"assignee": {"old": old, "new": new}}


SECOND = "awaiting_second_approval"
ACTS = (
    Act(do=clicks.claim, ready=untouched, event="claimed", detail=passed_on(None, ANA)),
    Act(do=clicks.take_over, ready=held_by_ben, event="taken_over", detail=passed_on(BEN, ANA)),
    Act(do=clicks.release, ready=held, event="released", detail=passed_on(ANA, None)),
    Act(
        do=clicks.assign,
        ready=held,
        event="assigned",
        detail=passed_on(ANA, BEN),
        otherwise=({"assignee": MIRA},),
    ),
    Act(
        do=clicks.ask_applicant,
        ready=untouched,
        event="information_requested",
        detail=moved("pending", "more_info_needed") | {"message": "Please send a statement."},
        otherwise=({"message": "Another"},),
    ),
    Act(
        do=clicks.record_answer,
        ready=questioned,
        event="answer_recorded",
        detail=moved("more_info_needed", "pending") | {"answer": "Here it is."},
        otherwise=({"answer": "Another"},),
    ),
    Act(
        do=clicks.stop_waiting,
        ready=questioned,
        event="waiting_stopped",
        detail=moved("more_info_needed", "pending") | {"reason": "No reply for weeks"},
        otherwise=({"reason": "Another"},),
    ),
    Act(
        do=clicks.defer,
        ready=untouched,
        event="deferred",
        detail=moved("pending", "deferred") | {"until": "2026-03-22", "until_change": False},
        otherwise=({"until": date(2026, 4, 1)}, {"until_change": True}, {"reason": "Another"}),
    ),
    Act(
        do=clicks.bring_back,
        ready=deferred,
        event="brought_back",
        detail=moved("deferred", "pending"),
    ),
    Act(
        do=clicks.approve,
        ready=eligible,
        event="approved",
        detail=moved("pending", "approved"),
        otherwise=(
            {"rationale": "Another"},
            {"message": "Another"},
            {"rebate_rate": Decimal("0.3")},
            {"override_reason": "Another"},
        ),
    ),
    Act(
        do=clicks.reject,
        ready=untouched,
        event="rejected",
        detail=moved("pending", "rejected"),
        otherwise=({"reason_code": "other"}, {"reapply": "never"}, {"rationale": "Another"}),
    ),
    Act(
        do=clicks.reopen,
        ready=rejected,
        by=MANAGERS,
        event="reopened",
        detail=moved("rejected", "pending") | {"reason": "Decided by mistake"},
        otherwise=({"reason": "Another"},),
    ),
    Act(
        do=clicks.ask_second,
        ready=checked,
        event="second_approval_asked",
        detail=moved("pending", SECOND)
        | {
            "outcome": "approved",
            "override_reason": clicks.OTHER_WAY,
            "needed_for": ["against the computed eligibility"],
        },
        otherwise=({"draft": clicks.draft(rationale="Another")},),
    ),
    Act(
        do=clicks.confirm,
        ready=proposed,
        by=MANAGERS,
        event="approved",
        detail=moved(SECOND, "approved") | {"proposed_by": ANA, "second_approver": MIRA},
        otherwise=({"proposal_id": 999_999},),
    ),
    Act(
        do=clicks.decline,
        ready=proposed,
        by=MANAGERS,
        event="second_approval_declined",
        detail=moved(SECOND, "pending") | {"reason": "The reach is not shown"},
        otherwise=({"reason": "Another"},),
    ),
    Act(
        do=clicks.cancel,
        ready=proposed,
        event="second_approval_cancelled",
        detail=moved(SECOND, "pending") | {"reason": "Thought again"},
        otherwise=({"reason": "Another"},),
    ),
    Act(do=clicks.note, ready=untouched, otherwise=({"body": "Another"},)),
    Act(
        do=clicks.record_evidence,
        ready=untouched,
        otherwise=({"entry": clicks.followers(1)},),
    ),
    Act(
        do=clicks.check,
        ready=untouched,
        otherwise=({"outcome": CheckOutcome.NOT_APPLICABLE}, {"comment": "Another"}),
    ),
    Act(
        do=clicks.dismiss_signal,
        ready=flagged,
        event="signal_dismissed",
        detail={"signal": "R10", "until": "2026-06-12", "reason": "A launch party"},
        otherwise=({"reason": "Another"}, {"until": T + timedelta(days=30)}),
    ),
    Act(
        do=clicks.end_dismissal,
        ready=dismissed,
        event="signal_counts_again",
        detail={"signal": "R10"},
    ),
    Act(
        do=clicks.declare_conflict,
        ready=untouched,
        event="conflict_declared",
        detail={"email": {"old": None, "new": ANA}},
        otherwise=({"reason": "Another"},),
    ),
)
every_act = pytest.mark.parametrize("act", ACTS, ids=repr)
Test = Callable[..., None]


def some_acts(place: int) -> Callable[[Test], Test]:
    """Try all acts, and in `make test` every fourth, beginning at this place.

    For claims that one piece of code keeps for all.
    """
    acts = every(4, (*ACTS[place:], *ACTS[:place]))
    tried = pytest.mark.parametrize("act", acts, ids=repr)
    return lambda test: pytest.mark.sampled(tried(test))


EVERYBODY = (ANA, MIRA, NOOR, ADA, NOBODY)


@every_act
def test_the_role_is_checked_where_the_rows_are_written(desk: Engine, act: Act) -> None:
    id_ = act.ready(desk, NOBODY)
    before = clicks.kept(desk, id_)
    for actor in EVERYBODY:
        if actor not in act.by:
            with pytest.raises(NotAllowed, match=r"may not|staff list"):
                act.do(desk, id_, actor=actor)
            assert clicks.kept(desk, id_) == before, actor

    for actor in act.by:
        id_ = act.ready(desk, actor)
        before = clicks.kept(desk, id_)
        act.do(desk, id_, actor=actor)
        assert clicks.kept(desk, id_) != before, actor


@some_acts(0)
def test_former_staff_are_refused_at_the_next_act(desk: Engine, act: Act) -> None:
    id_ = act.ready(desk, act.actor)
    before = clicks.kept(desk, id_)
    switch = "update review.staff set active = {} where email = :who"
    with desk.begin() as conn:
        conn.execute(text(switch.format("false")), {"who": act.actor})
    try:
        with pytest.raises(NotAllowed, match="not on the staff list"):
            act.do(desk, id_)
    finally:
        with desk.begin() as conn:
            conn.execute(text(switch.format("true")), {"who": act.actor})
    assert clicks.kept(desk, id_) == before


# Also within the clauses of a statement that selects.
WRITES = re.compile(r"\b(?:insert\s+into|update|delete\s+from)\s+(?:review|exchange)\.", re.I)


@contextmanager
def cut_after(desk: Engine, writes: int) -> Iterator[list[str]]:
    """Fail at the given write, counted from 1; yields the writes so far."""
    viewed: list[str] = []

    def count(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
        if WRITES.search(statement):
            viewed.append(statement)
            if len(viewed) == writes:
                raise RuntimeError("cut here")

    event.listen(desk, "after_cursor_execute", count)
    try:
        yield viewed
    finally:
        event.remove(desk, "after_cursor_execute", count)


@some_acts(1)
def test_a_failure_after_any_write_leaves_nothing(desk: Engine, act: Act) -> None:
    spare, id_ = (act.ready(desk, act.actor) for _ in range(2))
    before = clicks.kept(desk, id_)
    with cut_after(desk, 0) as writes:
        act.do(desk, spare)
    assert len(writes) >= 2  # its effect, and its request
    for number in range(1, len(writes) + 1):
        with cut_after(desk, number), pytest.raises(RuntimeError, match="cut here"):
            act.do(desk, id_)
        assert clicks.kept(desk, id_) == before, writes[number - 1]


@pytest.mark.parametrize("act", [act for act in ACTS if act.event], ids=repr)
def test_a_change_leaves_one_event_with_old_and_new_values(desk: Engine, act: Act) -> None:
    id_ = act.ready(desk, act.actor)
    before = clicks.events(desk, id_)

    act.do(desk, id_)

    (left,) = clicks.events(desk, id_)[len(before) :]
    assert (left.kind, left.actor, left.at) == (act.event, act.actor, NOW)
    assert left.detail.items() >= (act.detail or {}).items()


@pytest.mark.parametrize("act", [act for act in ACTS if not act.event], ids=repr)
def test_entries_with_their_own_row_need_no_event(desk: Engine, act: Act) -> None:
    id_ = act.ready(desk, act.actor)

    act.do(desk, id_)

    assert clicks.events(desk, id_) == []


@some_acts(2)
def test_the_same_request_again_returns_the_first_result_and_writes_nothing(
    desk: Engine, act: Act
) -> None:
    id_, request_id = act.ready(desk, act.actor), uuid.uuid4()
    given = same_form(desk, act, id_) | {"request_id": request_id}
    first = act.do(desk, id_, **given)
    after = clicks.kept(desk, id_)

    assert act.do(desk, id_, **given) == first
    assert clicks.kept(desk, id_) == after


@some_acts(3)
def test_a_double_click_does_it_once(desk: Engine, act: Act) -> None:
    id_, request_id = act.ready(desk, act.actor), uuid.uuid4()
    given = same_form(desk, act, id_) | {"request_id": request_id}
    with ThreadPoolExecutor(4) as pool:
        made = set(pool.map(lambda _: act.do(desk, id_, **given), range(4)))

    assert len(made) == 1
    assert len([row for row in clicks.kept(desk, id_)["requests"] if str(request_id) in row]) == 1


def same_form(desk: Engine, act: Act, id_: int) -> dict[str, Any]:
    """Return a form's hidden fields: what was shown when it was drawn."""
    if act.do in (clicks.approve, clicks.reject, clicks.ask_second):
        return {"shown": clicks.viewed(desk, id_)}
    proposal = clicks.waiting(desk, id_)
    return {"proposal_id": proposal.proposal_id} if proposal else {}


@some_acts(0)
def test_a_request_id_with_other_content_is_refused(desk: Engine, act: Act) -> None:
    id_, request_id = act.ready(desk, act.actor), uuid.uuid4()
    given = same_form(desk, act, id_) | {"request_id": request_id}
    act.do(desk, id_, **given)
    after = clicks.kept(desk, id_)

    for other in (*act.otherwise, {"actor": BEN}):
        with pytest.raises(RequestReused, match="already sent with other content"):
            act.do(desk, id_, **given | other)
        assert clicks.kept(desk, id_) == after, other


@some_acts(1)
def test_a_request_id_of_another_application_is_refused(desk: Engine, act: Act) -> None:
    id_, other, request_id = act.ready(desk, act.actor), act.ready(desk, act.actor), uuid.uuid4()
    act.do(desk, id_, request_id=request_id)
    before = clicks.kept(desk, other)

    with pytest.raises(RequestReused):
        act.do(desk, other, request_id=request_id)
    assert clicks.kept(desk, other) == before


@some_acts(2)
def test_a_request_id_of_another_act_is_refused(desk: Engine, act: Act) -> None:
    id_, request_id = act.ready(desk, act.actor), uuid.uuid4()
    another = clicks.note if act.do is not clicks.note else clicks.check
    another(desk, id_, request_id=request_id)
    before = clicks.kept(desk, id_)

    with pytest.raises(RequestReused):
        act.do(desk, id_, request_id=request_id)
    assert clicks.kept(desk, id_) == before


@some_acts(3)
def test_an_application_that_does_not_exist_is_not_found(desk: Engine, act: Act) -> None:
    given: dict[str, Any] = {}
    if act.do in (clicks.approve, clicks.reject, clicks.ask_second):
        given["shown"] = clicks.viewed(desk, untouched(desk, ANA))
    if act.do in (clicks.confirm, clicks.decline, clicks.cancel):
        given["proposal_id"] = 1

    for missing in (0, -1, 999_999, 2**63):
        with pytest.raises(NotFound, match=f"no application {missing}"):
            act.do(desk, missing, **given)


# Every field of typed text, and its maximum length.
FIELDS = [
    (clicks.ask_applicant, untouched, "message", 4_000),
    (clicks.record_answer, questioned, "answer", 4_000),
    (clicks.stop_waiting, questioned, "reason", 4_000),
    (clicks.defer, untouched, "reason", 2_000),
    (clicks.approve, eligible, "rationale", 4_000),
    (clicks.approve, eligible, "message", 4_000),
    (clicks.approve, eligible, "override_reason", 2_000),
    (clicks.reject, untouched, "rationale", 4_000),
    (clicks.reject, untouched, "message", 4_000),
    (clicks.reject, untouched, "override_reason", 2_000),
    (clicks.reopen, rejected, "reason", 2_000),
    (clicks.decline, proposed, "reason", 2_000),
    (clicks.cancel, proposed, "reason", 2_000),
    (clicks.note, untouched, "body", 10_000),
    (clicks.check, untouched, "comment", 2_000),
    (clicks.declare_conflict, untouched, "reason", 2_000),
]
MAY_STAY_EMPTY = {
    (clicks.defer, "reason"),
    (clicks.cancel, "reason"),
    (clicks.check, "comment"),
    (clicks.approve, "override_reason"),
    (clicks.reject, "override_reason"),
}
every_field = pytest.mark.parametrize(
    ("do", "ready", "field", "longest"),
    FIELDS,
    ids=[f"{do.__name__} {field}" for do, _, field, _ in FIELDS],
)
some_fields = pytest.mark.parametrize(
    ("do", "ready", "field", "longest"),
    SOME_FIELDS := every(4, FIELDS),
    ids=[f"{do.__name__} {field}" for do, _, field, _ in SOME_FIELDS],
)


@every_field
def test_text_that_cannot_be_kept_is_refused_in_a_sentence_and_nothing_is_saved(
    desk: Engine, do: Any, ready: Ready, field: str, longest: int
) -> None:
    id_ = ready(desk, ANA)
    before = clicks.kept(desk, id_)
    for typed, sentence in {
        "x" * (longest + 1): f"{longest + 1:,} characters; the limit is {longest:,}",
        "x" * 20_000: f"20,000 characters; the limit is {longest:,}",
        "a\0b": "contains a NUL character",
        "half \ud83d": "contains an invalid character",
    }.items():
        with pytest.raises(Invalid, match=sentence):
            do(desk, id_, **{field: typed})
        assert clicks.kept(desk, id_) == before, sentence


@every_field
def test_only_some_texts_may_stay_empty(
    desk: Engine, do: Any, ready: Ready, field: str, longest: int
) -> None:
    may_stay = (do, field) in MAY_STAY_EMPTY
    refused = pytest.raises(Invalid, match=r"is empty\. Enter some text\.")
    for blank in ("", " \n\t"):
        id_ = ready(desk, ANA)
        before = clicks.kept(desk, id_)
        with nullcontext() if may_stay else refused:
            do(desk, id_, **{field: blank})
        assert (clicks.kept(desk, id_) != before) is may_stay


@every_field
def test_the_longest_text_fits(
    desk: Engine, do: Any, ready: Ready, field: str, longest: int
) -> None:
    id_ = ready(desk, ANA)

    do(desk, id_, **{field: "  " + "x" * longest + "\n"})

    assert any("x" * longest in row for rows in clicks.kept(desk, id_).values() for row in rows)


@pytest.mark.sampled
@some_fields
def test_markup_is_kept_as_it_was_typed(
    desk: Engine, do: Any, ready: Ready, field: str, longest: int
) -> None:
    typed = "\n".join(body for body in HOSTILE if "\0" not in body and "{{" not in body)
    id_ = ready(desk, ANA)

    do(desk, id_, **{field: typed})

    assert typed.strip() in texts_of(desk, id_)


def texts_of(desk: Engine, id_: int) -> set[str]:
    """Return every stored text about an application, from columns and JSON."""
    found: set[str] = set()
    with desk.connect() as conn:
        for name in (*clicks.JUDGMENTS, "conflicts"):
            column = "account_id" if name == "conflicts" else "application_id"
            for row in conn.execute(
                text(f"select * from review.{name} where {column} = :id"), {"id": id_}
            ).mappings():
                for value in row.values():
                    inner = value.values() if isinstance(value, dict) else [value]
                    found |= {each for each in inner if isinstance(each, str)}
    return found
