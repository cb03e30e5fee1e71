"""Duplicate applicants: found in every disguise, and nobody else."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from data_access.applications import read
from data_access.review import duplicates
from data_access.review.duplicates import Connections
from program.review.workflow import Decision, Status
from program.text.handles import identity_key
from tests.builders import NOW, add_application
from tests.data_access.applications.test_read import add_decision
from tests.data_access.hostile_text import HOSTILE_TEXT


def of(conn: Connection, id_: int = 1, **given: Any) -> Connections:
    return duplicates.of(conn, read.read(conn, id_, now=NOW), now=NOW, **given)


def matches(conn: Connection, id_: int = 1) -> dict[int, tuple[str, ...]]:
    return {found.application_id: found.how for found in of(conn, id_).shown}


@pytest.mark.parametrize(
    ("handle", "how"),
    [
        ("@meadow", ("same handle",)),
        ("MEADOW", ("same handle",)),
        ("https://twitter.com/Meadow?s=20", ("same handle",)),
        ("mobile.x.com/@meadow/", ("same handle",)),
        ("mea\u200bdow", ("same handle",)),
        ("https://x.com/intent/follow?region=a&screen_name=meadow", ("same handle",)),
        ("https://x.com/intent/follow?region=meadow&screen_name=brook", None),
        ("me\u0430dow", ("handle looks alike",)),
        ("https://x.com/mead0w", ("handle looks alike",)),
        ("meadow_", None),
        ("meadow1", None),
        ("meado", None),
        ("", None),
    ],
)
def test_a_handle_is_found_in_every_disguise(
    conn: Connection, handle: str, how: tuple[str, ...] | None
) -> None:
    add_application(conn, 1, social_handle="@Meadow")
    add_application(conn, 2, social_handle=handle)

    expected = {} if how is None else {2: how}
    assert matches(conn) == expected
    assert matches(conn, 2) == ({} if how is None else {1: how})


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ("x", "x", True),
        ("x", "twitter", True),
        (" Twitter ", "X (Twitter)", True),
        ("x", "youtube", False),
        ("telegram", "tg", True),
        ("My Place", "my place ", True),
        ("My Place", "my other place", False),
        ("小红书", "RedNote", True),
    ],
)
def test_a_handle_counts_on_the_same_network(
    conn: Connection, one: str, other: str, found: bool
) -> None:
    add_application(conn, 1, social_handle="meadow", social_platform=one)
    add_application(conn, 2, social_handle="meadow", social_platform=other)

    assert matches(conn) == ({2: ("same handle",)} if found else {})


@pytest.mark.parametrize(
    ("one", "other", "how"),
    [
        (("telegram", "@meadow"), ("tg", "t.me/Meadow"), ("same contact",)),
        (("telegram", "@meadow"), ("telegram", "mead0w"), ("contact looks alike",)),
        (("telegram", "@meadow"), ("discord", "meadow"), None),
        ((None, "meadow"), (None, "@meadow"), ("same contact",)),
        ((None, "meadow"), ("telegram", "meadow"), None),
        (("email", "me@a.example"), ("telegram", "ME@A.example "), ("same contact",)),
        (("email", "me@a.example"), (None, "me@\u0430.example"), ("contact looks alike",)),
        (("email", "me@a.example"), ("email", "me@b.example"), None),
        (("email", "me@a.example"), ("E-mail", "mailto:Me@a.example"), ("same contact",)),
        (("whatsapp", "+1 (555) 010-0199"), ("phone", "0015550100199"), ("same contact",)),
        (
            ("whatsapp", "https://wa.me/15550100199"),
            ("Signal", "https://signal.me/#p/+15550100199"),
            ("same contact",),
        ),
        (
            ("whatsapp", "https://api.whatsapp.com/send?phone=15550100199"),
            ("whatsapp", "https://api.whatsapp.com/send?phone=447700900123"),
            None,
        ),
        (("discord", "meadow#0"), ("discord", "Meadow"), ("same contact",)),
        (("youtube", "youtube.com/watch?v=aaa"), ("youtube", "youtube.com/watch?v=aaa"), None),
        (("telegram", None), ("telegram", None), None),
        (("telegram", ""), ("telegram", ""), None),
        (("telegram", "@ab"), ("telegram", "@ab"), None),
        (("telegram", "abc"), ("telegram", "abc"), ("same contact",)),
    ],
)
def test_a_contact_counts_on_the_same_network_and_an_address_or_a_phone_anywhere(
    conn: Connection,
    one: tuple[str | None, str | None],
    other: tuple[str | None, str | None],
    how: tuple[str, ...] | None,
) -> None:
    for id_, (platform, handle) in ((1, one), (2, other)):
        add_application(conn, id_, contact_platform=platform, contact_handle=handle)

    assert matches(conn) == ({} if how is None else {2: how})


@pytest.mark.parametrize("handle", ["", "@", "ab", "@ab", "https://x.com/ab", "x.com", "n/a", "🦔"])
def test_a_name_of_under_three_characters_is_nobodys(conn: Connection, handle: str) -> None:
    for id_ in (1, 2):
        add_application(conn, id_, social_handle=handle, contact_handle=None)

    assert of(conn) == Connections()


def test_handle_and_contact_both_count_and_each_application_once(conn: Connection) -> None:
    for id_, handle in ((1, "meadow"), (2, "me\u0430dow")):
        add_application(conn, id_, social_handle=handle, contact_handle="@brook")

    found = of(conn)
    assert [(c.application_id, c.how) for c in found.shown] == [
        (2, ("handle looks alike", "same contact"))
    ]
    assert (found.total, found.at_least) == (1, False)


def test_the_accounts_own_applications_are_listed_separately(conn: Connection) -> None:
    add_application(conn, 1, social_handle="meadow")
    add_application(conn, 2, account_id=1, social_handle="meadow", status="rejected")

    assert of(conn) == Connections()


def test_a_match_shows_its_outcome(conn: Connection) -> None:
    add_application(conn, 1, social_handle="meadow")
    add_application(conn, 2, social_handle="meadow", status="approved")
    first = add_decision(conn, 2, decided_at=NOW - timedelta(days=2))
    add_decision(conn, 2, outcome="approved", reason_code=None, rebate_rate="0.3", supersedes=first)

    (found,) = of(conn).shown
    assert (found.account_id, found.username, found.social_handle) == (2, "user2", "meadow")
    assert (found.social_platform, found.contact_platform, found.contact_handle) == (
        *("x", "telegram"),
        "contact2",
    )
    assert (found.submitted_at, found.status) == (NOW - timedelta(days=5), Status.APPROVED)
    assert (found.outcome, found.reason_code, found.decided_at) == (Decision.APPROVED, None, NOW)


def test_the_status_shows_what_it_waits_for(conn: Connection) -> None:
    add_application(conn, 1, social_handle="meadow")
    add_application(conn, 2, social_handle="meadow")
    conn.execute(
        text(
            "insert into review.desk (application_id, status, paused_at) "
            "values (2, 'more_info_needed', :now)"
        ),
        {"now": NOW},
    )

    (found,) = of(conn).shown
    assert (found.status, found.outcome) == (Status.MORE_INFO_NEEDED, None)
    assert (found.reason_code, found.decided_at) == (None, None)


@pytest.fixture
def six(conn: Connection) -> list[int]:
    """Five others under one name, newest first; two of them at the same moment."""
    add_application(conn, 1, social_handle="meadow")
    for id_, days in ((2, 9), (3, 1), (4, 5), (5, 5), (6, 7)):
        submitted = NOW - timedelta(days=days)
        add_application(conn, id_, social_handle="meadow", submitted_at=submitted)
    return [3, 5, 4, 6, 2]


@pytest.mark.parametrize("limit", [1, 2, 4, 5, 6])
def test_the_newest_are_shown_and_all_are_counted(
    conn: Connection, six: list[int], limit: int
) -> None:
    found = of(conn, limit=limit)

    assert [c.application_id for c in found.shown] == six[:limit]
    assert (found.total, found.at_least) == (5, False)


@pytest.mark.parametrize(("most", "total", "at_least"), [(4, 4, True), (6, 5, False)])
def test_a_very_common_name_is_compared_with_a_limited_number(
    conn: Connection,
    six: list[int],
    monkeypatch: pytest.MonkeyPatch,
    most: int,
    total: int,
    at_least: bool,
) -> None:
    monkeypatch.setattr(duplicates, "MOST_CANDIDATES", most)

    found = of(conn)

    assert [c.application_id for c in found.shown] == six[:total]
    assert (found.total, found.at_least) == (total, at_least)


def test_hostile_text_is_found_as_it_was_typed_and_harms_nothing(conn: Connection) -> None:
    typed = [
        handle
        for handle in HOSTILE_TEXT
        if "\0" not in handle and not any("\ud800" <= sign <= "\udfff" for sign in handle)
    ]
    for id_, handle in enumerate(typed, start=1):
        add_application(conn, id_, social_handle=handle, contact_handle=handle)

    made = {id_: identity_key("x", handle) for id_, handle in enumerate(typed, start=1)}
    for id_, key in made.items():
        found = {connected.application_id for connected in of(conn, id_, limit=len(typed)).shown}
        same = {other for other, theirs in made.items() if theirs == key and key}
        assert found == same - {id_}


def test_both_indexes_are_used(conn: Connection) -> None:
    add_application(conn, 1, social_handle="meadow")
    statements: list[Any] = []

    def keep(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        statements.append((statement, parameters))

    application = read.read(conn, 1, now=NOW)
    event.listen(conn, "before_cursor_execute", keep)
    duplicates.of(conn, application, now=NOW)
    event.remove(conn, "before_cursor_execute", keep)
    ((statement, parameters),) = statements

    # With two rows the planner would scan the table.
    conn.execute(text("set local enable_seqscan = off"))
    conn.execute(text("set local enable_bitmapscan = off"))
    plan = "\n".join(conn.exec_driver_sql(f"explain {statement}", parameters).scalars())
    for index, column in (
        ("applications_by_social_identity", "social"),
        ("applications_by_contact_identity", "contact"),
    ):
        # The index itself returns the newest first: nothing is sorted before the limit.
        scan = f"Index Scan Backward using {index} "
        before, _, rest = plan.partition(scan)
        assert before != plan, plan
        assert "->  Limit" in before.splitlines()[-2], plan
        assert (
            f"Index Cond: ((review.identity_key({column}_platform, {column}_handle))"
            in rest.splitlines()[1]
        ), plan


def test_handles_of_any_length_are_stored_and_compared(engine: Engine) -> None:
    with engine.begin() as conn:
        for id_, handle in ((1, "meadow"), (2, "mead0w"), (3, "meadow" + "_" * 10_000)):
            add_application(conn, id_, social_handle=handle, contact_handle=handle)

    with engine.connect() as conn:
        assert matches(conn) == {2: ("handle looks alike", "contact looks alike")}
        assert read.read(conn, 3, now=NOW).social_handle == "meadow" + "_" * 10_000
