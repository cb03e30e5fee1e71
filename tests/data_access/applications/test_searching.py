"""Pasted text is found: links, phones, names in any spelling, numbers."""

from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, text

from data_access.applications import searching
from data_access.eligibility import judging
from data_access.explore import queries
from data_access.queue import listing
from program.reports.views import View
from program.review.queue_filters import Filters, clean_search
from program.review.searching import search_text
from tests.builders import NOW, add_application, add_refresh
from tests.cases import examples
from tests.data_access.applications.test_identity_keys import ASSIGNED, HANDLES
from tests.data_access.characters import SAMPLE_OR_ALL

APPLICANTS = {
    601: ("x", "meadow_one", "telegram", "@meadowtalk"),
    602: ("x", "https://x.com/meadow_two", "whatsapp", "+1 (555) 010-0199"),
    603: ("x", "İstanbulTrader", "telegram", "@ist"),
    604: ("x", "STRASSE_straße", "telegram", "@str"),
    605: ("x", "ＦＵＬＬＷＩＤＴＨ", "telegram", "@full"),
    606: ("x", "a_b%c", "telegram", "@pct"),
    607: ("x", "müller", "telegram", "@mu"),
    608: ("x", "brook", "whatsapp", "https://api.whatsapp.com/send?phone=%2B44%207700%20900123"),
    609: ("youtube", "youtube.com/watch?v=aaaaaaaaaaa", "email", "mailto:Ola@Example.org"),
}


@pytest.fixture
def queued(conn: Connection) -> Connection:
    for id_, (platform, handle, contact_platform, contact) in APPLICANTS.items():
        add_application(
            conn,
            id_,
            social_platform=platform,
            social_handle=handle,
            contact_platform=contact_platform,
            contact_handle=contact,
        )
    add_refresh(conn)
    return conn


def found(conn: Connection, term: str) -> set[int]:
    context = judging.read_context(conn, now=NOW)
    return {
        row.application_id
        for row in listing.page(conn, Filters.from_query({"search": term}), context)
    }


SEARCHES = [
    (
        601,
        [
            "meadow_one",
            "@Meadow_One",
            "MEADOW_ONE",
            "https://x.com/meadow_one",
            "x.com/meadow_one?s=20",
            "https://twitter.com/Meadow_One/status/1",
            "https://t.me/meadowtalk",
            "t.me/s/meadowtalk",
            "@meadowtalk",
            "tg://resolve?domain=meadowtalk",
            "https://web.telegram.org/k/#@meadowtalk",
            "601",
            "#601",
            " # 601 ",
            "＃６０１",
            "https://review.example/application?id=601",
            "http://localhost:8501/application?status=pending&id=601",
            "https://twitter.com/intent/follow?original_referer=https%3A%2F%2Fexample.org%2Fa-long-way-to-this-page%2F&region=follow_link&screen_name=meadow_one",
        ],
    ),
    (
        602,
        [
            "meadow_two",
            "https://x.com/meadow_two",
            "https://twitter.com/meadow_two",
            "+1 (555) 010-0199",
            "15550100199",
            "+15550100199",
            "001 555 010 0199",
            "555-010-0199",
            "(555) 010 0199",
            "0 555 010 0199",
            "010\u20110199",
            "+1\u00a0555",
            "١٥٥٥٠١٠٠١٩٩",
            "https://wa.me/15550100199",
            "tel:+15550100199",
            "\u202a+1 555 010 0199\u202c",
            "010-0199",
        ],
    ),
    (
        603,
        [
            "İstanbulTrader",
            "istanbultrader",
            "ISTANBULTRADER",
            "I\u0307stanbul",
            "i\u0307stanbul",
            "ıstanbul",
        ],
    ),
    (604, ["straße", "STRASSE_STRASSE", "strasse_straße", "STRAẞE"]),
    (605, ["fullwidth", "ＦＵＬＬＷＩＤＴＨ", "ｆｕｌｌ"]),
    (606, ["a_b%c", "_b%", "A_B", "b％c", "b%"]),
    (607, ["müller", "mu\u0308ller", "MÜLLER", "MU\u0308LLER", "ÜLL"]),
    (608, ["+44 7700 900123", "447700900123", "https://wa.me/447700900123", "+44 (0)7700 900123"]),
    (
        609,
        [
            "https://www.youtube.com/watch?v=aaaaaaaaaaa",
            "youtube.com/watch?v=aaaaaaaaaaa",
            "ola@example.org",
            "mailto:ola@example.org",
            "Ola <OLA@EXAMPLE.ORG>",
        ],
    ),
]


def test_pasted_text_is_found(queued: Connection) -> None:
    wrong = {
        term: answer
        for id_, terms in SEARCHES
        for term in terms
        if (answer := found(queued, term)) != {id_}
    }

    assert wrong == {}


@pytest.mark.parametrize(
    "term",
    [
        *("a.b%c", "aXb", "a__b", "https://x.com/meadow", "muller", "15550100198", "6019", "#60"),
        *("https://t.me/+meadowtalk", "+1 555 010 0100", "#" + "9" * 19),
    ],
)
def test_a_search_for_another_does_not_find_it(queued: Connection, term: str) -> None:
    expected = {601, 602} if term == "https://x.com/meadow" else set()

    assert found(queued, term) == expected


@settings(
    max_examples=examples(50, of=150),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(HANDLES | st.text(ASSIGNED, max_size=40), min_size=1, max_size=20))
def test_the_database_searches_the_same_text(conn: Connection, typed: list[str]) -> None:
    assert unequal(conn, typed) == []


@SAMPLE_OR_ALL
def test_the_database_agrees_for_every_character(conn: Connection, known: list[str]) -> None:
    assert unequal(conn, [text_ for sign in known for text_ in (f"{sign}a", f"+1 {sign}5")]) == []


def unequal(conn: Connection, typed: list[str]) -> list[tuple[str, str, str]]:
    query = "select review.search_text(t) from unnest(cast(:typed as text[])) with ordinality x(t, n) order by n"
    made = zip(typed, conn.execute(text(query), {"typed": typed}).scalars(), strict=True)
    return [(t, found_, search_text(t)) for t, found_ in made if found_ != search_text(t)]


def test_the_affiliates_board_has_the_same_search(queued: Connection) -> None:
    accounts = {
        term: set(queued.scalars(searching.accounts(term)))
        for _, terms in SEARCHES
        for term in terms
        if "application?" not in term
    }
    numbers = {
        id_: queued.execute(
            text("select account_id from exchange.applications where application_id = :id"),
            {"id": id_},
        ).scalar_one()
        for id_ in APPLICANTS
    }

    assert {
        term: ids
        for id_, terms in SEARCHES
        for term in terms
        if (ids := accounts.get(term)) and ids != {numbers[id_]}
    } == {}


@pytest.mark.parametrize(
    ("column", "part", "expected"),
    [
        ("social_handle", "https://twitter.com/meadow_one", [601]),
        ("social_handle", "MU\u0308LLER", [607]),
        ("social_handle", "_b%", [606]),
        ("contact_handle", "0015550100199", [602]),
        ("contact_platform", "WHATS", [602, 608]),
        ("username", "https://x.com/user601", [601]),
    ],
)
def test_a_column_gives_the_same_result_as_a_plain_frame(
    queued: Connection, column: str, part: str, expected: list[int]
) -> None:
    view = View.from_query(
        {"dataset": "applications", "columns": "application_id", column: f"~{part}"}, personal=True
    )
    rows = queries.page(queued, view, judging.read_context(queued, now=NOW))

    assert sorted(row["application_id"] for row in rows) == expected


CROWD = """
insert into exchange.accounts (account_id, username, created_at)
select id, 'crowd' || id, now() from generate_series(10001, 14000) as id;
insert into exchange.applications
    (application_id, account_id, social_handle, contact_platform, contact_handle, submitted_at, status)
select id, id, 'somebody' || id, 'telegram', '@reach' || id, now(),
    case when id % 4 = 0 then 'pending' else 'approved' end from generate_series(10001, 14000) as id;
analyze exchange.accounts, exchange.applications;
"""


def test_every_part_of_a_search_uses_an_index(queued: Connection) -> None:
    queued.execute(text(CROWD))
    terms = ("https://x.com/meadow_two", "+1 (555) 010-0199", "mu\u0308ller", "#601")
    for term, pending_only in product(terms, (True, False)):
        assert_indexed(queued, term, pending_only=pending_only)


def assert_indexed(queued: Connection, term: str, *, pending_only: bool) -> None:
    statements: list[Any] = []

    def keep(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        statements.append((statement, parameters))

    event.listen(queued, "before_cursor_execute", keep)
    queued.execute(searching.applications(clean_search(term), pending_only=pending_only))
    event.remove(queued, "before_cursor_execute", keep)
    ((statement, parameters),) = statements

    plan = "\n".join(queued.exec_driver_sql(f"explain {statement}", parameters).scalars())
    # The planner may use either of the two handle indexes.
    assert "_handle_search " in plan, plan
    assert "on accounts_username_search " in plan, plan
    assert "Seq Scan" not in plan, plan
