"""Notes: written once, by those who may, with refusals in words."""

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
from data_access.review import notes
from tests.builders import NOW, STAFF, add_application, add_staff
from tests.dashboard.ui.hostile import HOSTILE
from tests.data_access import clicks, crowd
from tests.databases import Databases

NUMBERS = itertools.count(1)


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


def write(engine: Engine, id_: int, **given: Any) -> int:
    return notes.write(
        engine,
        clicks.command(
            notes.WriteNote,
            **{
                "application_id": id_,
                "body": "Spoke on Telegram",
                "actor": "ana@example.com",
                "now": NOW,
                "request_id": uuid.uuid4(),
                **given,
            },
        ),
    )


def written(engine: Engine, id_: int) -> list[Any]:
    table = tables.notes
    with engine.connect() as conn:
        return list(
            conn.execute(
                select(table).where(table.c.application_id == id_).order_by(table.c.note_id)
            )
        )


def requests(engine: Engine) -> int:
    with engine.connect() as conn:
        found: int = conn.execute(text("select count(*) from review.requests")).scalar_one()
    return found


def test_a_note_is_kept_with_its_author_and_time(desk: Engine, id_: int) -> None:
    note_id = write(desk, id_, body="  Runs two servers.\n\nSecond line \n")

    (note,) = written(desk, id_)
    assert (note.note_id, note.body, note.author, note.created_at) == (
        *(note_id, "Runs two servers.\n\nSecond line"),
        *("ana@example.com", NOW),
    )


@pytest.mark.parametrize("actor", [*STAFF, "nobody@example.com"])
def test_reviewers_and_managers_write_notes_and_nobody_else(
    desk: Engine, id_: int, actor: str
) -> None:
    before = requests(desk)
    if STAFF.get(actor) in ("reviewer", "manager"):
        write(desk, id_, actor=actor)
        assert [note.author for note in written(desk, id_)] == [actor]
        return
    with pytest.raises(NotAllowed, match=r"may not write notes|staff list"):
        write(desk, id_, actor=actor)
    assert (written(desk, id_), requests(desk)) == ([], before)


def test_a_person_taken_off_the_list_is_refused_at_the_next_act(desk: Engine, id_: int) -> None:
    switch = "update review.staff set active = {} where email = 'ben@example.com'"
    with desk.begin() as conn:
        conn.execute(text(switch.format("false")))
    try:
        with pytest.raises(NotAllowed, match="not on the staff list"):
            write(desk, id_, actor="ben@example.com")
    finally:
        with desk.begin() as conn:
            conn.execute(text(switch.format("true")))
    assert written(desk, id_) == []


def test_the_same_request_again_returns_the_first_note(desk: Engine, id_: int) -> None:
    request_id = uuid.uuid4()
    first = write(desk, id_, request_id=request_id)

    again = write(desk, id_, request_id=request_id, now=NOW + timedelta(minutes=1))
    padded = write(desk, id_, request_id=request_id, body="  Spoke on Telegram ")

    assert first == again == padded
    assert len(written(desk, id_)) == 1


def test_a_double_click_writes_one_note(desk: Engine, id_: int) -> None:
    request_id = uuid.uuid4()
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: write(desk, id_, request_id=request_id), range(8)))

    assert len(set(made)) == 1
    assert len(written(desk, id_)) == 1


@pytest.mark.parametrize("changed", [{"body": "Another"}, {"actor": "ben@example.com"}])
def test_a_request_id_with_other_content_is_refused(
    desk: Engine, id_: int, changed: dict[str, Any]
) -> None:
    request_id = uuid.uuid4()
    write(desk, id_, request_id=request_id)

    with pytest.raises(RequestReused, match="already sent with other content"):
        write(desk, id_, request_id=request_id, **changed)
    assert len(written(desk, id_)) == 1


def test_a_request_id_of_another_application_is_refused(desk: Engine, id_: int) -> None:
    request_id = uuid.uuid4()
    write(desk, id_, request_id=request_id)
    with desk.begin() as conn:
        other = add_application(conn, next(NUMBERS))

    with pytest.raises(RequestReused):
        write(desk, other, request_id=request_id)
    assert written(desk, other) == []


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("", "The note is empty"),
        (" \n\t ", "The note is empty"),
        ("x" * 10_001, "10,001 characters; the limit is 10,000"),
        ("a\0b", "NUL"),
        ("half \ud83d", "an invalid character"),
    ],
    ids=["empty", "blank", "long", "nul", "half"],
)
def test_text_that_cannot_be_stored_is_refused_in_words(
    desk: Engine, id_: int, body: str, sentence: str
) -> None:
    before = requests(desk)

    with pytest.raises(Invalid, match=sentence):
        write(desk, id_, body=body)
    assert (written(desk, id_), requests(desk)) == ([], before)


@pytest.mark.parametrize("body", ["x" * 10_000, "  " + "x" * 10_000 + "  "], ids=["full", "padded"])
def test_the_longest_note_fits(desk: Engine, id_: int, body: str) -> None:
    write(desk, id_, body=body)

    assert len(written(desk, id_)[0].body) == 10_000


def test_hostile_text_is_kept_as_it_was_typed(desk: Engine, id_: int) -> None:
    typed = [body for body in HOSTILE if "\0" not in body]
    for body in typed:
        write(desk, id_, body=body)

    assert [note.body for note in written(desk, id_)] == [body.strip() for body in typed]


@pytest.mark.parametrize("missing", [0, -1, 999_999, 2**63])
def test_an_application_that_does_not_exist_is_not_found(desk: Engine, missing: int) -> None:
    with pytest.raises(NotFound, match=f"no application {missing}"):
        write(desk, missing)


def test_a_decided_application_still_takes_notes(desk: Engine) -> None:
    with desk.begin() as conn:
        decided = add_application(conn, next(NUMBERS), status="approved")

    write(desk, decided)

    assert len(written(desk, decided)) == 1


def test_a_failure_after_the_note_leaves_nothing(
    desk: Engine, id_: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any, **__: Any) -> None:
        raise RuntimeError("cut here")

    monkeypatch.setattr(commands, "record_result", breaks)
    with pytest.raises(RuntimeError, match="cut here"):
        write(desk, id_)
    assert written(desk, id_) == []
