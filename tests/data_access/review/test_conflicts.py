"""Nobody decides about themselves, or with a recorded conflict of interest."""

import itertools
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, text

from data_access.applications import read
from data_access.db import tables
from data_access.db.errors import ConflictOfInterest, Invalid, NotAllowed, NotFound, RequestReused
from data_access.review import conflicts
from tests.builders import NOW, STAFF, add_application
from tests.dashboard.ui.hostile import HOSTILE
from tests.data_access import clicks

NUMBERS = itertools.count(1)
ANA, BEN, MIRA = "ana@example.com", "ben@example.com", "mira@example.com"


@pytest.fixture
def id_(desk: Engine) -> int:
    """An application of its own."""
    return apply(desk)


def apply(engine: Engine, **account: Any) -> int:
    with engine.begin() as conn:
        return add_application(conn, next(NUMBERS), account=account)


def declare(engine: Engine, id_: int, **given: Any) -> int:
    return conflicts.declare(
        engine,
        clicks.command(
            conflicts.DeclareConflict,
            **{
                "application_id": id_,
                "email": ANA,
                "reason": "We share a flat",
                "actor": ANA,
                "now": NOW,
                "request_id": uuid.uuid4(),
                **given,
            },
        ),
    )


def found(engine: Engine, id_: int, email: str) -> str | None:
    with engine.connect() as conn:
        return conflicts.refusal(conn, read.read(conn, id_, now=NOW), email)


def kept(engine: Engine, id_: int) -> list[Any]:
    """Return every conflict with the application's account, which has the same number."""
    table = tables.conflicts
    statement = select(table).where(table.c.account_id == id_).order_by(table.c.conflict_id)
    with engine.connect() as conn:
        return list(conn.execute(statement))


def events(engine: Engine, id_: int) -> list[Any]:
    table = tables.events
    with engine.connect() as conn:
        return list(conn.execute(select(table).where(table.c.application_id == id_)))


def requests(engine: Engine) -> int:
    with engine.connect() as conn:
        counted: int = conn.execute(text("select count(*) from review.requests")).scalar_one()
    return counted


@pytest.mark.parametrize(
    ("address", "email", "own"),
    [
        (ANA, ANA, True),
        ("Ana@Example.COM", ANA, True),
        (ANA, " ANA@example.com ", True),
        (" ana@example.com", ANA, True),
        (BEN, ANA, False),
        ("ana@example.com.br", ANA, False),
        ("xana@example.com", ANA, False),
        (None, ANA, False),
        ("", ANA, False),
        # Without an address nobody is the applicant, not even a person without one.
        (None, "", False),
        ("", "", False),
    ],
)
def test_the_person_with_the_accounts_address_is_the_applicant(
    desk: Engine, address: str | None, email: str, own: bool
) -> None:
    id_ = apply(desk, email=address)

    expected = "You are the applicant: the account has your email address." if own else None
    assert found(desk, id_, email) == expected


def test_a_recorded_conflict_is_found_with_its_newest_reason(desk: Engine, id_: int) -> None:
    declare(desk, id_)
    declare(desk, id_, reason="  We are **married** now ", now=NOW - timedelta(days=1))

    assert found(desk, id_, " Ana@example.com") == (
        "You have a conflict of interest with this applicant, recorded as: "
        "“We are **married** now”."
    )
    assert found(desk, id_, BEN) is None
    assert found(desk, apply(desk), ANA) is None


def test_a_conflict_is_with_the_account_and_so_with_all_its_applications(
    desk: Engine, id_: int
) -> None:
    declare(desk, id_)
    with desk.begin() as conn:
        again = add_application(conn, next(NUMBERS), account_id=id_, status="rejected")

    assert found(desk, again, ANA) == found(desk, id_, ANA) is not None


def test_only_people_with_a_conflict_may_not_decide(desk: Engine, id_: int) -> None:
    declare(desk, id_)

    with desk.connect() as conn:
        application = read.read(conn, id_, now=NOW)
        with pytest.raises(ConflictOfInterest, match=r"“We share a flat”\. Leave the decision"):
            conflicts.require_none(conn, application, ANA)
        conflicts.require_none(conn, application, BEN)
    assert issubclass(ConflictOfInterest, NotAllowed)


@pytest.mark.parametrize("act", [clicks.approve, clicks.reject, clicks.ask_second])
def test_no_deciding_act_is_taken_from_somebody_with_a_conflict(
    desk: Engine, id_: int, act: Callable[..., int]
) -> None:
    declare(desk, id_)
    before = clicks.kept(desk, id_)

    with pytest.raises(ConflictOfInterest, match="Leave the decision to a colleague"):
        act(desk, id_, actor=ANA)
    assert clicks.kept(desk, id_) == before


def test_a_conflict_is_stored_with_its_author_and_an_event(desk: Engine, id_: int) -> None:
    conflict_id = declare(desk, id_, email=" Ben@example.com", actor=MIRA)

    (row,) = kept(desk, id_)
    assert tuple(row) == (conflict_id, BEN, id_, "We share a flat", MIRA, NOW)
    (event,) = events(desk, id_)
    assert (event.kind, event.actor, event.at) == ("conflict_declared", MIRA, NOW)
    assert event.detail == {
        "conflict_id": conflict_id,
        "email": {"old": None, "new": BEN},
        "reason": "We share a flat",
    }


@pytest.mark.parametrize("actor", [*STAFF, "nobody@example.com"])
@pytest.mark.parametrize("owner", ["their own", "another's"])
def test_a_reviewer_declares_their_own_and_a_manager_anybodys(
    desk: Engine, id_: int, actor: str, owner: str
) -> None:
    email = actor if owner == "their own" else next(e for e in STAFF if e != actor)
    role, before = STAFF.get(actor), requests(desk)
    if role == "manager" or (role == "reviewer" and owner == "their own"):
        declare(desk, id_, email=email, actor=actor)
        assert [(row.email, row.recorded_by) for row in kept(desk, id_)] == [(email, actor)]
        return
    with pytest.raises(NotAllowed, match=r"may not declare|staff list|You declare your own"):
        declare(desk, id_, email=email, actor=actor)
    assert (kept(desk, id_), events(desk, id_), requests(desk)) == ([], [], before)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"reason": ""}, "The reason is empty"),
        ({"reason": " \n"}, "The reason is empty"),
        ({"reason": "x" * 2_001}, "2,001 characters; the limit is 2,000"),
        ({"reason": "a\0b"}, "NUL"),
        ({"reason": "half \ud83d"}, "an invalid character"),
        ({"email": " ", "actor": MIRA}, "The address is empty"),
        ({"email": "x" * 321, "actor": MIRA}, "321 characters; the limit is 320"),
        ({"email": "a\0b", "actor": MIRA}, "NUL"),
        ({"email": "nobody@example.com", "actor": MIRA}, "not on the staff list"),
    ],
    ids=["empty", "blank", "long", "nul", "half", "no one", "endless", "nul in it", "stranger"],
)
def test_text_that_cannot_be_stored_is_refused_in_words(
    desk: Engine, id_: int, given: dict[str, Any], sentence: str
) -> None:
    before = requests(desk)

    with pytest.raises(Invalid, match=sentence):
        declare(desk, id_, **given)
    assert (kept(desk, id_), events(desk, id_), requests(desk)) == ([], [], before)


def test_the_longest_reason_fits(desk: Engine, id_: int) -> None:
    declare(desk, id_, reason="x" * 2_000)

    assert len(kept(desk, id_)[0].reason) == 2_000


def test_hostile_text_is_kept_as_it_was_typed(desk: Engine, id_: int) -> None:
    typed = [reason for reason in HOSTILE if "\0" not in reason]
    for reason in typed:
        declare(desk, id_, reason=reason)
        assert reason.strip() in str(found(desk, id_, ANA))

    assert [row.reason for row in kept(desk, id_)] == [reason.strip() for reason in typed]


def test_the_same_request_again_returns_the_first_and_with_other_content_is_refused(
    desk: Engine, id_: int
) -> None:
    request_id = uuid.uuid4()
    first = declare(desk, id_, request_id=request_id)

    assert declare(desk, id_, request_id=request_id, email=" ANA@example.com ") == first
    with pytest.raises(RequestReused):
        declare(desk, id_, request_id=request_id, reason="Another")
    assert (len(kept(desk, id_)), len(events(desk, id_))) == (1, 1)


@pytest.mark.parametrize("missing", [0, -1, 999_999, 2**63])
def test_an_application_that_does_not_exist_is_not_found(desk: Engine, missing: int) -> None:
    with pytest.raises(NotFound, match=f"no application {missing}"):
        declare(desk, missing)


def test_a_failure_after_the_conflict_leaves_nothing(
    desk: Engine, id_: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any, **__: Any) -> None:
        raise RuntimeError("cut here")

    monkeypatch.setattr(conflicts.commands, "record_event", breaks)
    with pytest.raises(RuntimeError, match="cut here"):
        declare(desk, id_)
    assert (kept(desk, id_), events(desk, id_)) == ([], [])
