"""Answers to the checklist: each its own row, the newest counts, refusals in words."""

import itertools
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, text

from data_access.db import tables
from data_access.db.errors import Invalid, NotAllowed, NotFound, RequestReused
from data_access.people import commands
from data_access.review import checklist
from data_access.review.checklist import Answer
from program.policy.checklist import CheckOutcome
from program.policy.policy import DEFAULT_CHECKLIST
from tests.builders import NOW, STAFF, add_application, add_evidence, add_staff
from tests.dashboard.ui.hostile import HOSTILE
from tests.data_access import clicks, crowd
from tests.databases import Databases

NUMBERS = itertools.count(1)
PASSED, FAILED, NOT_APPLICABLE = CheckOutcome
PROVEN = "external_volume_proven"
WITHOUT_EVIDENCE = tuple(key for key in DEFAULT_CHECKLIST if key != PROVEN)
ITEM = "owns_social_account"


@pytest.fixture(scope="module")
def desk(databases: Databases) -> Iterator[Engine]:
    with crowd.town(databases, []) as engine:
        with engine.begin() as conn:
            add_staff(conn)
        yield engine


@pytest.fixture
def id_(desk: Engine) -> int:
    """An application of its own."""
    with desk.begin() as conn:
        return add_application(conn, next(NUMBERS))


def answer(engine: Engine, id_: int, **given: Any) -> int:
    return checklist.answer(
        engine,
        clicks.command(
            checklist.AnswerCheck,
            **{
                "application_id": id_,
                "item": ITEM,
                "outcome": PASSED,
                "comment": "",
                "actor": "ana@example.com",
                "now": NOW,
                "request_id": uuid.uuid4(),
                **given,
            },
        ),
    )


def pass_open(engine: Engine, id_: int, **given: Any) -> int:
    return checklist.pass_open(
        engine,
        clicks.command(
            checklist.PassOpenChecks,
            **{
                "application_id": id_,
                "items": WITHOUT_EVIDENCE,
                "comment": "",
                "actor": "ana@example.com",
                "now": NOW,
                "request_id": uuid.uuid4(),
                **given,
            },
        ),
    )


def kept(engine: Engine, id_: int) -> list[Any]:
    table = tables.checks
    with engine.connect() as conn:
        return list(
            conn.execute(
                select(table).where(table.c.application_id == id_).order_by(table.c.check_id)
            )
        )


def answers(engine: Engine, id_: int) -> dict[str, Answer]:
    with engine.connect() as conn:
        return checklist.answers(conn, id_)


def requests(engine: Engine) -> int:
    with engine.connect() as conn:
        found: int = conn.execute(text("select count(*) from review.requests")).scalar_one()
    return found


def test_nothing_is_answered_before_anybody_answers(desk: Engine, id_: int) -> None:
    assert answers(desk, id_) == {}


def test_an_answer_is_kept_with_comment_author_and_time(desk: Engine, id_: int) -> None:
    check_id = answer(desk, id_, comment="  Wrote to us from it \n")

    (row,) = kept(desk, id_)
    assert (row.check_id, row.item) == (check_id, ITEM)
    assert answers(desk, id_) == {
        ITEM: Answer(
            outcome=PASSED, comment="Wrote to us from it", author="ana@example.com", at=NOW
        )
    }


def test_the_newest_answer_per_item_counts_and_the_older_ones_stay(desk: Engine, id_: int) -> None:
    answer(desk, id_, outcome=FAILED, comment="No reply")
    answer(desk, id_, item="jurisdiction")
    answer(desk, id_, actor="ben@example.com", now=NOW + timedelta(hours=1), comment="Wrote back")

    assert {key: (a.outcome, a.author) for key, a in answers(desk, id_).items()} == {
        ITEM: (PASSED, "ben@example.com"),
        "jurisdiction": (PASSED, "ana@example.com"),
    }
    assert [row.outcome for row in kept(desk, id_)] == ["failed", "passed", "passed"]


def test_answers_of_one_application_say_nothing_about_another(desk: Engine, id_: int) -> None:
    with desk.begin() as conn:
        other = add_application(conn, next(NUMBERS))
    answer(desk, id_)

    assert answers(desk, other) == {}


@pytest.mark.parametrize("item", DEFAULT_CHECKLIST)
@pytest.mark.parametrize("outcome", CheckOutcome)
def test_every_item_of_the_policy_takes_every_outcome(
    desk: Engine, id_: int, item: str, outcome: CheckOutcome
) -> None:
    with desk.begin() as conn:
        add_evidence(conn, id_, kind="external_volume", exchange_name="ExA")

    answer(desk, id_, item=item, outcome=outcome, comment="Seen")

    assert answers(desk, id_)[item].outcome is outcome


@pytest.mark.parametrize("actor", [*STAFF, "nobody@example.com"])
@pytest.mark.parametrize("act", [answer, pass_open])
def test_reviewers_and_managers_answer_and_nobody_else(
    desk: Engine, id_: int, actor: str, act: Any
) -> None:
    before = requests(desk)
    if STAFF.get(actor) in ("reviewer", "manager"):
        act(desk, id_, actor=actor)
        assert {row.author for row in kept(desk, id_)} == {actor}
        return
    with pytest.raises(NotAllowed, match=r"may not answer the checklist|staff list"):
        act(desk, id_, actor=actor)
    assert (kept(desk, id_), requests(desk)) == ([], before)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"outcome": FAILED}, "Write in the comment what was found"),
        ({"outcome": FAILED, "comment": " \n"}, "Write in the comment what was found"),
        ({"outcome": "maybe"}, "passed, failed or not applicable"),
        ({"item": "likes_cats"}, "not on the policy's checklist"),
        ({"item": ""}, "not on the policy's checklist"),
        ({"comment": "x" * 2_001}, "2,001 characters; the limit is 2,000"),
        ({"comment": "a\0b"}, "NUL"),
        ({"comment": "half \ud83d"}, "an invalid character"),
    ],
    ids=["failed", "failed blank", "outcome", "item", "no item", "long", "nul", "half"],
)
def test_text_that_cannot_be_stored_is_refused_in_words(
    desk: Engine, id_: int, given: dict[str, Any], sentence: str
) -> None:
    before = requests(desk)

    with pytest.raises(Invalid, match=sentence):
        answer(desk, id_, **given)
    assert (kept(desk, id_), requests(desk)) == ([], before)


@pytest.mark.parametrize("missing", [0, -1, 999_999, 2**63])
@pytest.mark.parametrize("act", [answer, pass_open])
def test_an_application_that_does_not_exist_is_not_found(
    desk: Engine, missing: int, act: Any
) -> None:
    with pytest.raises(NotFound, match=f"no application {missing}"):
        act(desk, missing)


def test_hostile_comments_are_kept_as_they_were_typed(desk: Engine, id_: int) -> None:
    typed = [comment for comment in HOSTILE if "\0" not in comment]
    for comment in typed:
        answer(desk, id_, comment=comment)

    assert [row.comment for row in kept(desk, id_)] == [comment.strip() for comment in typed]


@pytest.mark.parametrize("act", [answer, pass_open])
def test_a_double_click_answers_once(desk: Engine, id_: int, act: Any) -> None:
    request_id = uuid.uuid4()
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: act(desk, id_, request_id=request_id), range(8)))

    assert len(set(made)) == 1
    assert len(kept(desk, id_)) == (1 if act is answer else len(WITHOUT_EVIDENCE))


@pytest.mark.parametrize(
    "changed",
    [
        {"item": "jurisdiction"},
        {"outcome": NOT_APPLICABLE},
        {"comment": "x"},
        {"actor": "ben@example.com"},
    ],
    ids=["item", "outcome", "comment", "actor"],
)
def test_a_request_id_with_other_content_is_refused(
    desk: Engine, id_: int, changed: dict[str, Any]
) -> None:
    request_id = uuid.uuid4()
    answer(desk, id_, request_id=request_id)

    with pytest.raises(RequestReused, match="already sent with other content"):
        answer(desk, id_, request_id=request_id, **changed)
    assert len(kept(desk, id_)) == 1


# An item, and whether it passes with evidence of these kinds and ages in days.
EVIDENCE = [
    ("jurisdiction", None, 0, True),
    (PROVEN, None, 0, False),
    (PROVEN, "x_followers", 1, False),
    (PROVEN, "external_volume", 1, True),
    (PROVEN, "external_volume", 91, True),
    (PROVEN, "external_volume", 92, False),
    (PROVEN, "external_volume", -1, False),
]


@pytest.mark.parametrize(("item", "kind", "days", "passes"), EVIDENCE)
def test_a_check_that_needs_evidence_passes_only_with_what_counts(
    desk: Engine, id_: int, item: str, kind: str | None, days: int, passes: bool
) -> None:
    if kind is not None:
        with desk.begin() as conn:
            observed = NOW - timedelta(days=days)
            exchange = "ExA" if kind == "external_volume" else None
            add_evidence(conn, id_, kind=kind, observed_at=observed, exchange_name=exchange)

    if passes:
        assert pass_open(desk, id_, items=[item]) == 1
        answer(desk, id_, item=item)
        return
    with pytest.raises(Invalid, match="needs evidence first"):
        pass_open(desk, id_, items=["jurisdiction", item])
    with pytest.raises(Invalid, match="passes only with evidence"):
        answer(desk, id_, item=item, comment="It is surely so")
    assert kept(desk, id_) == []
    answer(desk, id_, item=item, outcome=NOT_APPLICABLE)
    answer(desk, id_, item=item, outcome=FAILED, comment="No statement")


@pytest.mark.parametrize("outcome", [PASSED, NOT_APPLICABLE])
@pytest.mark.parametrize("author", ["ana@example.com", "ben@example.com"])
def test_a_failed_answer_is_changed_only_with_a_comment(
    desk: Engine, id_: int, outcome: CheckOutcome, author: str
) -> None:
    answer(desk, id_, outcome=FAILED, comment="No reply", actor=author)

    for empty in (" ", "\u200b"):
        with pytest.raises(Invalid, match="why that no longer applies"):
            answer(desk, id_, outcome=outcome, comment=empty)
    assert answers(desk, id_)[ITEM].outcome is FAILED

    answer(desk, id_, outcome=outcome, comment="Replied today")
    assert answers(desk, id_)[ITEM].outcome is outcome
    # An item that is no longer failed needs no comment.
    answer(desk, id_, outcome=NOT_APPLICABLE)


def test_passing_the_listed_items_passes_those_and_no_others(desk: Engine, id_: int) -> None:
    answer(desk, id_, outcome=FAILED, comment="No reply")
    listed = ["no_prior_ban", "jurisdiction"]

    assert pass_open(desk, id_, items=listed, comment="Seen", actor="ben@example.com") == 2

    found = answers(desk, id_)
    assert set(found) == {ITEM, *listed}
    assert found[ITEM].outcome is FAILED
    assert found["no_prior_ban"] == Answer(
        outcome=PASSED, comment="Seen", author="ben@example.com", at=NOW
    )


@pytest.mark.parametrize("outcome", CheckOutcome)
def test_an_item_answered_in_the_meantime_is_not_passed(
    desk: Engine, id_: int, outcome: CheckOutcome
) -> None:
    answer(desk, id_, outcome=outcome, comment="Looked", actor="ben@example.com")

    with pytest.raises(Invalid, match="Owns the social account was answered"):
        pass_open(desk, id_)

    assert [row.item for row in kept(desk, id_)] == [ITEM]


def test_passing_is_all_or_nothing(desk: Engine, id_: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any, **__: Any) -> None:
        raise RuntimeError("cut here")

    monkeypatch.setattr(commands, "record_result", breaks)
    with pytest.raises(RuntimeError, match="cut here"):
        pass_open(desk, id_)
    assert kept(desk, id_) == []
