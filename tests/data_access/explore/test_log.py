"""The activity log: every act of staff, by whom, about which application."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from data_access.eligibility import judging
from data_access.explore import queries
from data_access.explore.cells import guarded
from program.reports.datasets import LOG
from program.reports.views import View
from program.review.done import DONE
from program.review.permissions import Act, Role, may
from tests.builders import NOW, add_application, add_eligible, add_refresh, add_staff, pass_checks
from tests.data_access import clicks

HANDLE = "=cmd|' /C calc'!A0"


@pytest.fixture
def worked(engine: Engine) -> Engine:
    """Ben takes and rejects one application, ana approves another and changes a setting."""
    with engine.begin() as conn:
        add_staff(conn)
        add_refresh(conn)
        add_application(conn, 1, account={"username": HANDLE})
        add_eligible(conn, 2)
        pass_checks(conn, 2)
    clicks.claim(engine, 1, actor=clicks.BEN, now=NOW)
    clicks.reject(engine, 1, actor=clicks.BEN, now=NOW + timedelta(minutes=1))
    clicks.approve(
        engine,
        2,
        rebate_rate=Decimal("0.25"),
        rationale="Known to us",
        message="Welcome",
        now=NOW + timedelta(minutes=2),
    )
    with engine.begin() as conn:
        conn.execute(
            text(
                "insert into review.requests (request_id, act, actor, content, at)"
                " values (gen_random_uuid(), 'READ', 'ana@example.com',"
                ' \'{"command": "PutPreference"}\', now())'
            )
        )
    return engine


def found(engine: Engine, **query: str) -> list[dict[str, Any]]:
    view = View.from_query(
        {"dataset": LOG.key, "columns": ",".join(LOG.names), **query}, personal=True
    ).bounded()
    assert not view.problems
    with engine.connect() as conn:
        return queries.page(conn, view, judging.read_context(conn, now=NOW), size=50)


def test_acts_are_listed_newest_first_in_words(worked: Engine) -> None:
    assert [
        (row["actor"], row["done"], row["outcome"], row["application_id"]) for row in found(worked)
    ] == [
        ("ana@example.com", "decided", "approved", 2),
        ("ben@example.com", "decided", "rejected", 1),
        ("ben@example.com", "claimed", None, 1),
    ]


def test_an_act_names_the_applicant_and_what_became_of_the_application(worked: Engine) -> None:
    (_, rejected, _) = found(worked)

    assert (rejected["username"], rejected["status"]) == (HANDLE, "rejected")
    assert rejected["permission"] == "decide"


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ({"actor": "BEN@example.com"}, 2),
        ({"done": "claimed"}, 1),
        ({"outcome": "approved,rejected"}, 2),
        ({"application_id": "2..2"}, 1),
        ({"at": "2000-01-01..2000-01-02"}, 0),
        ({"done": "changed a setting of their own"}, 0),
    ],
)
def test_the_log_is_filtered(worked: Engine, query: dict[str, str], number: int) -> None:
    assert len(found(worked, **query)) == number


def test_acts_are_grouped_and_exported_in_the_words_of_the_staff_page(worked: Engine) -> None:
    grouped = View.from_query({"dataset": LOG.key, "group": "done"}, personal=True)
    listed = View.from_query({"dataset": LOG.key, "columns": "done"}, personal=True).bounded()
    with worked.connect() as conn:
        context = judging.read_context(conn, now=NOW)
        groups = queries.page(conn, grouped, context, size=50)
        rows = conn.execute(queries.statement(listed, context, write=guarded)).scalars().all()

    assert {row["done"]: row["count"] for row in groups} == {"claimed": 1, "decided": 2}
    assert sorted(rows) == ["claimed", "decided", "decided"]


def test_evidence_is_logged_in_words_too(worked: Engine) -> None:
    clicks.record_evidence(worked, 1, now=NOW + timedelta(minutes=3))

    assert found(worked)[0]["done"] == "recorded evidence"


def test_a_command_that_is_gone_keeps_its_name(worked: Engine) -> None:
    with worked.begin() as conn:
        conn.execute(
            text(
                "insert into review.requests (request_id, act, actor, content, at)"
                " values (gen_random_uuid(), 'REVIEW', 'ana@example.com',"
                ' \'{"command": "Whistle"}\', now())'
            )
        )

    assert [row["done"] for row in found(worked, done="Whistle")] == ["Whistle"]


def test_words_of_acts_can_be_listed_in_a_filter() -> None:
    assert len(set(DONE.values())) == len(DONE)
    assert not [words for words in DONE.values() if "," in words or words.startswith("!")]


@pytest.mark.parametrize(
    ("role", "sees"),
    [(Role.REVIEWER, False), (Role.MANAGER, True), (Role.ANALYST, False), (Role.ADMIN, True)],
)
def test_only_those_who_lead_see_it(role: Role, sees: bool) -> None:
    assert may(role, LOG.act) is sees
    assert LOG.act is Act.SEE_LOG
