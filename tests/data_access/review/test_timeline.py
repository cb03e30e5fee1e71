"""The thread of an application: everything, newest first, text as typed."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from data_access.db import tables
from data_access.review.timeline import EntryKind, TimelineEntry
from tests.builders import NOW, add_application, add_evidence
from tests.dashboard.ui.hostile import HOSTILE
from tests.data_access import clicks

SUBMITTED = NOW - timedelta(days=5)


def ago(minutes: int) -> Any:
    return NOW - timedelta(minutes=minutes)


def add_note(conn: Connection, id_: int, body: str, at: Any, author: str = "ana") -> None:
    conn.execute(
        insert(tables.notes).values(application_id=id_, body=body, author=author, created_at=at)
    )


def add_check(conn: Connection, id_: int, item: str, outcome: str, at: Any, comment: str) -> None:
    conn.execute(
        insert(tables.checks).values(
            application_id=id_,
            item=item,
            outcome=outcome,
            comment=comment,
            author="ana",
            created_at=at,
        )
    )


def add_event(conn: Connection, id_: int, kind: str, at: Any, **detail: Any) -> None:
    values = {"application_id": id_, "kind": kind, "actor": "ana", "at": at, "detail": detail}
    conn.execute(insert(tables.events).values(values))


def add_decision(conn: Connection, id_: int, at: Any, **given: Any) -> int:
    values = {
        "application_id": id_,
        "outcome": "approved",
        "rationale": "Steady",
        "message_to_applicant": "Welcome",
        "rebate_rate": Decimal("0.2"),
        "decided_by": "mira",
        "decided_at": at,
        "policy_version": 1,
        "snapshot": {},
        **given,
    }
    made: int = conn.execute(
        insert(tables.decisions).values(values).returning(tables.decisions.c.decision_id)
    ).scalar_one()
    return made


def read(conn: Connection, id_: int = 7) -> list[TimelineEntry]:
    return clicks.thread(conn, id_)


def test_a_new_application_was_submitted_and_no_more(conn: Connection) -> None:
    add_application(conn, 7)

    assert read(conn) == [
        TimelineEntry(at=SUBMITTED, kind=EntryKind.SUBMITTED, actor="applicant", title="submitted")
    ]


def test_everything_is_listed_newest_first(conn: Connection) -> None:
    add_application(conn, 7)
    add_evidence(
        *(conn, 7),
        value=1234567,
        recorded_at=ago(50),
        recorded_by="ben",
        source_url="https://x.com/m",
    )
    add_evidence(
        *(conn, 7),
        kind="external_volume",
        value=Decimal("20000000.5"),
        exchange_name="ExA",
        recorded_at=ago(40),
        recorded_by="ben",
    )
    add_event(conn, 7, "information_requested", ago(60), message="Whose account is it?")
    add_event(conn, 7, "answer_recorded", ago(55), answer="Mine")
    add_note(conn, 7, "Spoke on Telegram", ago(30))
    add_check(conn, 7, "not_api_broker", "not_applicable", ago(20), "not one")
    add_decision(conn, 7, ago(10), is_override=True)

    assert [(e.kind, e.actor, e.title, e.body, e.at) for e in read(conn)] == [
        ("decision", "mira", "approved against the computed eligibility", "Steady", ago(10)),
        ("message", "mira", "message to the applicant", "Welcome", ago(10)),
        ("check", "ana", "check “Not an API broker”: not applicable", "not one", ago(20)),
        ("note", "ana", "note", "Spoke on Telegram", ago(30)),
        ("evidence", "ben", "evidence: 20,000,000.50 USD on another exchange", "ExA", ago(40)),
        ("evidence", "ben", "evidence: 1,234,567 followers on X", "https://x.com/m", ago(50)),
        ("answer", "ana", "the applicant's answer", "Mine", ago(55)),
        ("message", "ana", "asked for information", "Whose account is it?", ago(60)),
        ("submitted", "applicant", "submitted", "", SUBMITTED),
    ]


@pytest.mark.parametrize("kind", ["approved", "rejected"])
def test_a_decision_is_listed_once_although_it_is_also_an_event(
    conn: Connection, kind: str
) -> None:
    add_application(conn, 7, status="approved")
    add_decision(conn, 7, ago(10))
    add_event(conn, 7, kind, ago(10))

    assert [entry.kind for entry in read(conn)] == ["decision", "message", "submitted"]


@pytest.mark.parametrize("kind", ["claimed", "released", "deferred", "reopened", "approved_later"])
def test_every_other_event_is_shown(conn: Connection, kind: str) -> None:
    add_application(conn, 7)
    add_event(conn, 7, kind, ago(10))

    assert [entry.title for entry in read(conn)] == [kind.replace("_", " "), "submitted"]


def test_superseded_decisions_stay_in_the_thread(conn: Connection) -> None:
    add_application(conn, 7, status="approved")
    first = add_decision(
        conn, 7, ago(20), outcome="rejected", reason_code="other", rebate_rate=None
    )
    add_decision(conn, 7, ago(10), supersedes=first)

    titles = [entry.title for entry in read(conn) if entry.kind != "message"]

    assert titles == ["approved", "rejected", "submitted"]


def test_entries_of_one_moment_are_newest_first_with_the_submission_last(
    conn: Connection,
) -> None:
    add_application(conn, 7)
    for body in ("first", "second", "third"):
        add_note(conn, 7, body, SUBMITTED)

    assert [entry.body or entry.title for entry in read(conn)] == [
        *("third", "second", "first"),
        "submitted",
    ]


def test_another_applications_thread_is_not_mixed_in(conn: Connection) -> None:
    add_application(conn, 7)
    add_application(conn, 8)
    add_note(conn, 8, "of another", ago(1))
    add_evidence(conn, 8)
    add_event(conn, 8, "claimed", ago(1))
    add_decision(conn, 8, ago(1))
    add_check(conn, 8, "identity", "passed", ago(1), "")

    assert [entry.kind for entry in read(conn)] == ["submitted"]


def test_typed_text_is_in_the_body_alone_and_as_it_was_typed(conn: Connection) -> None:
    add_application(conn, 7)
    typed = [body for body in HOSTILE if "\0" not in body]
    for minute, body in enumerate(typed):
        add_note(conn, 7, body, ago(minute))

    notes = [entry for entry in read(conn) if entry.kind is EntryKind.NOTE]

    assert [entry.body for entry in notes] == typed
    assert {entry.title for entry in notes} == {"note"}


def test_a_change_shows_what_it_was_before(conn: Connection) -> None:
    add_application(conn, 7)
    add_check(conn, 7, "identity_and_account", "failed", ago(30), "")
    add_check(conn, 7, "of_an_older_list", "passed", ago(25), "")
    add_check(conn, 7, "identity_and_account", "passed", ago(20), "")
    add_evidence(conn, 7, value=5_000, recorded_at=ago(15), recorded_by="ben")
    add_evidence(conn, 7, value=6_000, recorded_at=ago(10), recorded_by="ben")
    add_event(conn, 7, "assigned", ago(5), assignee={"old": "ana", "new": "ben"})

    assert [entry.title for entry in read(conn)][:-1] == [
        "assigned to ben (before: ana)",
        "evidence: 6,000 followers on X (before: 5,000 followers on X)",
        "evidence: 5,000 followers on X",
        "check “Identity and account standing”: passed (before: failed)",
        "check “Of an older list”: passed",
        "check “Identity and account standing”: failed",
    ]
