"""The queue: waiting applications, their state, and links to each."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
import streamlit as st
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from dashboard.pages.queue import table
from dashboard.shell import export_links
from dashboard.shell.screens import QUEUE
from dashboard.ui import figures, grid
from data_access.explore import saved_views
from data_access.people import preferences
from data_access.review import claims, deferrals, information_requests
from program.policy.outcomes import Outcome
from program.review import permissions
from program.review.permissions import Act, Role, may
from program.review.queue_filters import Due, Filters, Owner, Sort
from program.review.sending import SEEN_FOR
from tests.builders import add_application, add_evidence, add_metrics, add_refresh, scalar
from tests.dashboard.conftest import MET, SHORT, UNKNOWN
from tests.dashboard.pages.screen import PEOPLE, Desk, cells, protos, row_mark, texts
from tests.data_access import clicks

NEVER = (
    "Metrics have never been computed, so eligibility is unknown. "
    "Run `python -m data_access refresh`."
)
EVERY_COLUMN = [column.key for column in table.COLUMNS]
EMPTY = "The queue is empty. New applications appear as they arrive."


def eligibility_counts(app: AppTest) -> list[str]:
    (group,) = (proto for proto in protos(app, "button_group") if proto.label == "Eligibility")
    return [option.content for option in group.options]


def show_all_columns(desk: Desk) -> None:
    preferences.put(
        desk.engine,
        clicks.command(
            preferences.PutPreference, name="queue_columns", value=EVERY_COLUMN, actor=desk.who
        ),
    )


def fill(desk: Desk, count: int) -> None:
    """Add ``count`` pending applications; the higher the id, the longer the wait."""
    with desk.engine.begin() as conn:
        add_refresh(conn, through=desk.yesterday, at=desk.now)
        for id_ in range(1, count + 1):
            add_application(conn, id_, submitted_at=desk.now - timedelta(hours=id_))


def test_a_row_shows_the_known_facts(queue: Desk) -> None:
    show_all_columns(queue)
    app = queue.open(QUEUE, sort="waiting")

    assert cells(app, "applicant") == ["user1", "user2", "user3"]
    assert cells(app, "handle") == ["@handle1", "@handle2", "@handle3"]
    assert [round(days, 1) for days in cells(app, "waiting")] == [5.0, 4.0, 3.0]
    assert [list(words) for words in cells(app, "eligibility")] == [
        ["✓ met · on-exchange"],
        ["− not met"],
        ["? unknown"],
    ]
    assert cells(app, "volume") == [31.23, 19.99, 0]
    assert cells(app, "active") == [44, 14, 0]
    assert cells(app, "new") == [9, 4, 0]
    assert cells(app, "platform") == ["x", "x", "x"]
    assert cells(app, "country") == ["BR", "BR", "BR"]
    assert cells(app, "evidence") == ["–", "current", "–"]
    assert cells(app, "owner") == ["–", "–", "–"]


def test_the_queue_shows_how_many_wait_by_state_and_how_many_are_listed(queue: Desk) -> None:
    app = queue.open(QUEUE)

    assert "Pending 3" in texts(app)
    assert eligibility_counts(app) == ["met 1", "not met 1", "unknown 1"]
    assert "1–3 of 3" in texts(app)
    assert not app.warning


def test_a_row_is_marked_as_duplicate_as_rejected_before_and_as_lacking_evidence(
    queue: Desk,
) -> None:
    with queue.engine.begin() as conn:
        add_application(
            conn,
            8,
            submitted_at=queue.now - timedelta(days=400),
            account_id=MET,
            status="rejected",
        )
        add_application(conn, 9, social_handle="https://x.com/Handle3", submitted_at=queue.now)

    app = queue.open(QUEUE, sort="waiting")

    assert [list(words) for words in cells(app, "marks")] == [
        ["rejected before"],
        [],
        ["duplicate", "no evidence"],
        ["duplicate", "no evidence"],
    ]


def test_counts_follow_the_filters_of_the_other_kinds(queue: Desk) -> None:
    app = queue.open(QUEUE, eligibility="not_met", search="user")

    assert "Pending 1 of 3" in texts(app)
    assert eligibility_counts(app) == ["met 1", "not met 1", "unknown 1"]
    (owner,) = (proto for proto in protos(app, "button_group") if proto.label == "Owner")
    assert [option.content for option in owner.options] == ["Mine 0", "Unassigned 1"]
    assert eligibility_counts(queue.open(QUEUE, search="user3")) == [
        "met 0",
        "not met 0",
        "unknown 1",
    ]


def test_one_button_clears_the_filters_and_keeps_list_and_order(queue: Desk) -> None:
    assert "queue-clear" not in buttons(queue.open(QUEUE, sort="waiting"))
    app = queue.open(QUEUE, sort="waiting", country="BR", waiting="3", eligibility="met")
    assert "BR · 3 d or more" in texts(app, ["caption"])

    app.button(key="queue-clear").click().run()

    assert app.query_params == {"sort": "waiting"}


def test_old_evidence_reads_expired(queue: Desk) -> None:
    with queue.engine.begin() as conn:
        add_evidence(conn, UNKNOWN, observed_at=queue.now - timedelta(days=92))
    show_all_columns(queue)

    assert cells(queue.open(QUEUE, sort="waiting"), "evidence") == ["–", "current", "expired"]


def test_an_account_that_came_after_the_metrics_is_unknown_not_zero(queue: Desk) -> None:
    with queue.engine.begin() as conn:
        conn.execute(
            text("update exchange.accounts set first_seen_at = now() where account_id = 3")
        )

    app = queue.open(QUEUE, sort="volume")

    assert cells(app, "applicant") == ["user1", "user2", "user3"]
    assert app.dataframe[0].value[["volume", "active", "new"]].iloc[2].isna().all()


def test_without_messages_nothing_waits(desk: Desk) -> None:
    fill(desk, 0)

    app = desk.open(QUEUE)

    assert EMPTY in texts(app)
    assert "Pending 0" in texts(app)
    (way_on,) = protos(app, "page_link")
    assert way_on.label == "Import applications"
    # Whoever may not import is not left without a way on.
    desk.who = PEOPLE[Role.ANALYST]
    (way_on,) = protos(desk.open(QUEUE), "page_link")
    assert way_on.label == "Explore all applications"
    assert not app.dataframe
    assert not app.pagination


def test_an_empty_queue_is_reported_with_filters_too(desk: Desk) -> None:
    fill(desk, 0)

    assert EMPTY in texts(desk.open(QUEUE, eligibility="met"))


@pytest.mark.parametrize(
    ("count", "sentence"),
    [
        (1, "The one pending application does not match these filters."),
        (2, "None of the 2 pending applications matches these filters."),
    ],
)
def test_filters_without_matches_are_reported_with_a_link_to_all(
    count: int, sentence: str, desk: Desk
) -> None:
    fill(desk, count)

    app = desk.open(QUEUE, search="nobody")

    assert sentence in texts(app)
    assert not app.dataframe
    (way_on,) = protos(app, "page_link")
    assert way_on.label == ("Show it" if count == 1 else "Show all of them")
    assert way_on.query_string == ""


@pytest.mark.parametrize(
    ("days_behind", "sentence"),
    [
        (0, None),
        (1, ", one day behind; eligibility is provisional."),
        (2, ", 2 days behind; eligibility is provisional."),
    ],
)
def test_old_metrics_are_shown_prominently(
    days_behind: int, sentence: str | None, desk: Desk
) -> None:
    with desk.engine.begin() as conn:
        add_refresh(conn, through=desk.yesterday - timedelta(days=days_behind), at=desk.now)
        add_application(conn, 1)

    app = desk.open(QUEUE)

    warnings = texts(app, ["warning"])
    assert len(warnings) == (sentence is not None)
    assert all(words.endswith(str(sentence)) for words in warnings)
    loud = [words for words in texts(app, ["markdown"]) if "data through" in words]
    assert all(":orange-badge[" in words for words in loud)
    assert len(loud) == (sentence is not None)


def test_metrics_never_computed_leave_everything_unknown(desk: Desk) -> None:
    with desk.engine.begin() as conn:
        add_application(conn, 1)

    app = desk.open(QUEUE)

    assert texts(app, ["warning"]) == [NEVER]
    assert eligibility_counts(app) == ["met 0", "not met 0", "unknown 1"]
    assert [list(words) for words in cells(app, "eligibility")] == [["? unknown"]]
    assert app.dataframe[0].value[["volume", "active", "new"]].isna().all(axis=None)


IN_THE_ADDRESS: tuple[tuple[dict[str, str], str, Any, list[int]], ...] = (
    ({"search": "user2"}, "search", "user2", [SHORT]),
    ({"search": "@handle3"}, "search", "@handle3", [UNKNOWN]),
    ({"search": "3"}, "search", "3", [UNKNOWN]),
    ({"eligibility": "met"}, "eligibility", [Outcome.MET], [MET]),
    (
        {"eligibility": "unknown,met"},
        "eligibility",
        [Outcome.MET, Outcome.UNKNOWN],
        [MET, UNKNOWN],
    ),
    ({"track": "on_exchange"}, "track", "on_exchange", [MET]),
    ({"track": "external"}, "track", "external", []),
    ({"country": "BR"}, "country", "BR", [MET, SHORT, UNKNOWN]),
    ({"country": "ZA"}, "country", "ZA", []),
    ({"platform": "x"}, "platform", "x", [MET, SHORT, UNKNOWN]),
    ({"waiting": "3"}, "waiting_days", 3, [MET, SHORT, UNKNOWN]),
    ({"waiting": "7"}, "waiting_days", 7, []),
    ({"owner": "unassigned"}, "owner", "unassigned", [MET, SHORT, UNKNOWN]),
    ({"owner": "mine"}, "owner", "mine", []),
)


def test_the_address_bar_fills_the_filters(queue: Desk) -> None:
    for given, widget, held, shown in IN_THE_ADDRESS:
        query = {"sort": "waiting"} | given
        app = queue.open(QUEUE, **query)

        assert app.session_state[f"queue-{widget}"] == held, given
        assert (cells(app, "applicant") if shown else []) == [f"user{id_}" for id_ in shown], given
        assert bool(app.dataframe) is bool(shown), given
        assert app.query_params == query


IN_ORDER = (
    ("submitted", "Order: newest first", [UNKNOWN, SHORT, MET]),
    ("waiting", "Order: waiting longest", [MET, SHORT, UNKNOWN]),
    ("-waiting", "Order: waiting shortest", [UNKNOWN, SHORT, MET]),
    ("active", "Order: active users, most first", [MET, SHORT, UNKNOWN]),
)


def test_the_order_of_the_address_is_named_and_the_menu_offers_the_others(queue: Desk) -> None:
    for given, label, shown in IN_ORDER:
        app = queue.open(QUEUE, sort=given)

        order = app.menu_button(key="queue-order")
        assert order.label == label, given
        assert len(order.options) == len(Sort) - 1, given
        assert cells(app, "applicant") == [f"user{id_}" for id_ in shown], given
        assert app.query_params == {"sort": given}


def test_another_order_keeps_the_filters_and_begins_on_page_one(queue: Desk) -> None:
    app = queue.open(QUEUE, country="BR", page="1", sort="-waiting")

    app.menu_button(key="queue-order").click(Sort.VOLUME).run()

    assert app.query_params == {"country": "BR", "sort": "volume"}
    assert app.menu_button(key="queue-order").label == "Order: volume, largest first"


CHOSEN: tuple[tuple[str, str, Any, dict[str, str]], ...] = (
    ("search", "text_input", "  user2 ", {"search": "user2"}),
    (
        "eligibility",
        "button_group",
        [Outcome.MET, Outcome.UNKNOWN],
        {"eligibility": "met,unknown"},
    ),
    ("track", "selectbox", "both", {"track": "both"}),
    ("country", "selectbox", "BR", {"country": "BR"}),
    ("platform", "selectbox", "x", {"platform": "x"}),
    ("waiting_days", "selectbox", 14, {"waiting": "14"}),
    ("owner", "button_group", Owner.MINE, {"owner": "mine"}),
    ("due", "button_group", Due.OVERDUE, {"due": "overdue"}),
)


def test_a_filter_goes_into_the_address_bar_on_page_one(queue: Desk) -> None:
    app = with_open(queue.open(QUEUE, page="1"), "queue-others")
    chosen: dict[str, str] = {}
    for widget, kind, value, query in CHOSEN:
        getattr(app, kind)(key=f"queue-{widget}").set_value(value).run()

        chosen |= query
        assert not app.exception
        assert app.query_params == chosen, widget


def test_one_filter_more_keeps_the_others_and_goes_to_page_one(desk: Desk) -> None:
    fill(desk, 51)
    app = desk.open(QUEUE, sort="submitted", country="BR", page="2")
    assert "51–51 of 51" in texts(app)

    app = with_open(app, "queue-others")
    app.selectbox(key="queue-platform").set_value("x").run()

    assert app.query_params == {"sort": "submitted", "country": "BR", "platform": "x"}
    assert "1–50 of 51" in texts(app)


def test_a_filter_taken_away_leaves_the_address_bar(queue: Desk) -> None:
    app = queue.open(QUEUE, search="user2", eligibility="not_met", owner="unassigned")

    app.text_input(key="queue-search").set_value("").run()
    app.button_group(key="queue-eligibility").set_value([]).run()
    app.button_group(key="queue-owner").set_value(None).run()

    assert app.query_params == {}
    assert len(cells(app, "applicant")) == 3


UNPARSABLE = (
    {"eligibility": "hacked"},
    {"track": "none"},
    {"country": "brazil"},
    {"country": "br"},
    {"waiting": "5"},
    {"waiting": "-3"},
    {"sort": "volume; drop table"},
    {"page": "0"},
    {"page": "-1"},
    {"page": "99999999999999999999"},
    {"page": "²"},
    {"search": "   "},
    {"search": "\x00"},
    {"id": "1", "unheard": "of"},
)


def test_unparsable_parameters_count_as_absent(queue: Desk) -> None:
    for query in UNPARSABLE:
        app = queue.open(QUEUE, **query)

        assert "1–3 of 3" in texts(app), query
        assert len(cells(app, "applicant")) == 3, query


UNUSED: tuple[tuple[dict[str, str], str], ...] = (
    ({"country": "br"}, "country “br”"),
    ({"eligibility": "met,maybe", "owner": "ben"}, "eligibility “maybe” and owner “ben”"),
    ({"scope": "open", "since": "2026-13-01"}, "since “2026"),
    ({"moment": "decided"}, "moment “decided”"),
    (
        {"status": "done", "due": "late", "waiting": "5"},
        "status “done”, due “late” and waiting",
    ),
)


def test_unused_parts_of_the_queues_address_are_named(queue: Desk) -> None:
    for query, named in UNUSED:
        app = queue.open(QUEUE, **query)

        assert f"The address asks for {named}" in " ".join(texts(app)), query


def test_a_valid_address_shows_no_remark(queue: Desk) -> None:
    app = queue.open(QUEUE, status="pending", platform="Twitter", page="99", search=" user ")

    assert "is not understood" not in " ".join(texts(app))


def test_an_unused_platform_matches_nothing_and_is_never_markup(queue: Desk) -> None:
    app = queue.open(QUEUE, platform="<script>alert(1)</script>")

    assert "None of the 3 pending applications matches these filters." in texts(app)


def test_a_search_looks_for_its_signs_and_nothing_else(queue: Desk) -> None:
    for search in ("100%", "_", "\\", "'", "a'; drop table review.staff; --"):
        app = queue.open(QUEUE, search=search)

        assert "None of the 3 pending applications matches these filters." in texts(app), search


@pytest.mark.parametrize(("count", "pages"), [(50, 0), (51, 2)])
def test_pages_are_offered_only_where_there_are_several(count: int, pages: int, desk: Desk) -> None:
    fill(desk, count)

    app = desk.open(QUEUE)

    assert [control.num_pages for control in app.pagination] == ([pages] if pages else [])
    assert len(cells(app, "applicant")) == 50
    assert f"1–50 of {count}" in texts(app)


def test_turning_the_page_goes_into_the_address_bar_and_back(desk: Desk) -> None:
    fill(desk, 51)
    app = desk.open(QUEUE, country="BR", sort="waiting")

    app.pagination[0].select(2).run()

    assert app.query_params == {"country": "BR", "sort": "waiting", "page": "2"}
    assert cells(app, "applicant") == ["user1"]
    assert "51–51 of 51" in texts(app)
    assert app.pagination[0].value == 2

    app.pagination[0].select(1).run()

    assert app.query_params == {"country": "BR", "sort": "waiting"}
    assert cells(app, "applicant")[0] == "user51"


def test_a_page_past_the_end_is_the_last_one(desk: Desk) -> None:
    fill(desk, 51)

    app = desk.open(QUEUE, page="9")

    assert "51–51 of 51" in texts(app)
    assert app.pagination[0].value == 2


@pytest.mark.parametrize("role", Role)
def test_the_export_link_is_for_roles_that_may(role: Role, queue: Desk) -> None:
    queue.who = PEOPLE[role]

    labels = [proto.label for proto in protos(queue.open(QUEUE), "link_button")]

    assert ("Export CSV" in labels) is may(role, Act.EXPORT)


def test_a_role_that_may_not_export_sees_no_link(
    queue: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(permissions.ALLOWED, Act.EXPORT, frozenset({Role.MANAGER}))

    assert protos(queue.open(QUEUE), "link_button") == []


def test_the_export_link_carries_the_person_and_the_filters(queue: Desk) -> None:
    (link,) = protos(queue.open(QUEUE, eligibility="met", sort="volume"), "link_button")

    parts = urlsplit(link.url)
    token = parse_qs(parts.query)["token"][0]
    wanted = Filters.from_query({"eligibility": "met", "sort": "volume"})
    assert parts.path == f"{export_links.EXPORT_PATH}/applications.csv"
    promise, _ = export_links._signer(export_links.SECRET_FILE).loads(token)
    assert (promise["email"], promise["role"]) == ("ana@example.com", "reviewer")
    assert Filters.from_query(promise["query"]) == wanted
    # This test has no browser cookie, so its link is refused.
    assert export_links.redeem_export(token, browser="") is None


def test_a_row_opens_its_application_within_the_filters(queue: Desk) -> None:
    mark = row_mark(queue.open(QUEUE, eligibility="not_met,unknown", sort="waiting"))

    assert mark["ids"] == f"{SHORT} {UNKNOWN}"
    assert mark["names"].split("\n") == [f"user{SHORT}", f"user{UNKNOWN}"]
    assert parse_qs(mark["query"]) == {"eligibility": ["not_met,unknown"], "sort": ["waiting"]}


def test_what_a_row_is_called_is_never_markup(queue: Desk) -> None:
    hostile = '"><img src=x onerror=alert(1)>'
    with queue.engine.begin() as conn:
        conn.execute(
            text("update exchange.accounts set username = :name where account_id = 1"),
            {"name": hostile},
        )

    mark = row_mark(queue.open(QUEUE, sort="waiting"))

    assert mark["names"].split("\n")[0] == hostile


def test_who_may_act_on_no_row_has_no_boxes_to_tick(queue: Desk) -> None:
    queue.who = "noor@example.com"
    assert row_mark(queue.open(QUEUE))["ticks"] == "0"


def test_the_bar_has_its_mark_at_the_minimum_in_force(queue: Desk) -> None:
    with queue.engine.begin() as conn:
        add_metrics(conn, UNKNOWN, volume=20_000_000, active=1, new=0)

    app = queue.open(QUEUE, sort="volume")

    columns = app.dataframe[0].proto.columns
    assert "of 20 M" in columns
    # Millions, rounded down: a value a cent short of the minimum never reads as enough.
    assert cells(app, "volume") == [31.23, 20, 19.99]
    assert cells(app, "scale") == [grid.scaled_bar(share) for share in (31.23 / 20, 1, 19.99 / 20)]


def test_the_queue_runs_the_same_queries_for_fifty_as_for_five(
    desk: Desk, statements: list[str]
) -> None:
    fill(desk, 5)
    desk.open(QUEUE)
    counts = []
    for first in (6, 51):
        statements.clear()
        st.cache_data.clear()
        desk.open(QUEUE)
        counts.append(len(statements))
        with desk.engine.begin() as conn:
            for id_ in range(first, first + 45):
                add_application(conn, id_, submitted_at=desk.now - timedelta(hours=id_))
    assert counts[0] == counts[1] > 0


# Lists, owner and clock.


def buttons(app: AppTest) -> dict[str, str]:
    """Return the labels of buttons by key."""
    return {button.key: button.label for button in app.button}


def with_open(app: AppTest, *popovers: str) -> AppTest:
    """Return the page with these popovers open, whose content is drawn only then."""
    for key in popovers:
        app.session_state[key] = True
    return app.run()


def segments(app: AppTest, label: str) -> list[str]:
    (group,) = (proto for proto in protos(app, "button_group") if proto.label == label)
    return [option.content for option in group.options]


@pytest.fixture
def set_aside(queue: Desk) -> Desk:
    """The met application is assigned to ana; the others wait for an answer and for a date."""
    act = {"actor": PEOPLE[Role.REVIEWER], "now": queue.now}
    claims.claim(
        queue.engine, clicks.command(claims.Claim, application_id=MET, request_id=uuid4(), **act)
    )
    information_requests.request(
        queue.engine,
        clicks.command(
            information_requests.RequestInformation,
            application_id=SHORT,
            message="Where?",
            request_id=uuid4(),
            **act,
        ),
    )
    deferrals.defer(
        queue.engine,
        clicks.command(
            deferrals.Defer,
            application_id=UNKNOWN,
            until=queue.now.date() + timedelta(days=20),
            until_change=True,
            reason="",
            request_id=uuid4(),
            **act,
        ),
    )
    return queue


def test_each_list_shows_its_total_and_links_to_the_others(set_aside: Desk) -> None:
    app = set_aside.open(QUEUE)

    assert "Pending 1" in texts(app)
    lists = {key: words for key, words in buttons(app).items() if key.startswith("queue-list-")}
    assert lists == {
        "queue-list-more_info_needed": "Waiting for the applicant 1",
        "queue-list-deferred": "Deferred 1",
        "queue-list-awaiting_second_approval": "Second approval 0",
    }
    decided = app.menu_button(key="queue-decided")
    assert (decided.label, decided.options) == (
        "Decided",
        ["Approved", "Rejected", "Withdrawn"],
    )


def test_another_list_begins_without_filters(set_aside: Desk) -> None:
    app = set_aside.open(QUEUE, search="user1", owner="mine")

    app.button(key="queue-list-deferred").click().run()

    assert app.query_params == {"status": "deferred"}
    assert "Deferred 1" in texts(app)
    assert cells(app, "applicant") == ["user3"]


@pytest.mark.parametrize(
    ("status", "title", "standing", "due"),
    [
        ("more_info_needed", "Waiting for the applicant 1", "for 0 min", "‖ paused"),
        ("deferred", "Deferred 1", "until ", None),
    ],
)
def test_a_set_aside_application_shows_for_how_long(
    status: str, title: str, standing: str, due: str | None, set_aside: Desk
) -> None:
    app = set_aside.open(QUEUE, status=status)

    assert title in texts(app)
    assert cells(app, "standing")[0].startswith(standing)
    assert due is None or [list(words) for words in cells(app, "due")] == [[due]]


def test_a_deferral_for_both_names_both(set_aside: Desk) -> None:
    (words,) = cells(set_aside.open(QUEUE, status="deferred"), "standing")

    day = set_aside.now.date() + timedelta(days=20)
    assert words.startswith(f"until {day.day} ")
    assert words.endswith(" or a change")


@pytest.mark.parametrize("status", ["approved", "rejected", "withdrawn"])
def test_decided_applications_are_listed_latest_first_without_a_clock(
    status: str, queue: Desk
) -> None:
    with queue.engine.begin() as conn:
        for id_, days in ((11, 3), (12, 1), (13, 2)):
            at = queue.now - timedelta(days=days)
            add_application(conn, id_, status=status, status_changed_at=at)

    app = queue.open(QUEUE, status=status)

    assert f"{status.capitalize()} 3" in texts(app)
    assert cells(app, "applicant") == ["user12", "user13", "user11"]
    assert all(words.startswith(f"{status} ") for words in cells(app, "standing"))
    shown = set(app.dataframe[0].value.columns)
    assert not shown & {"waiting", "due", "priority", "owner"}
    assert "take-next" not in buttons(app)


def test_an_empty_list_shows_it_with_a_way_back(queue: Desk) -> None:
    app = queue.open(QUEUE, status="deferred")

    assert "No application is deferred." in texts(app)


def test_filters_that_leave_nothing_of_another_list_lead_to_that_list(set_aside: Desk) -> None:
    app = set_aside.open(QUEUE, status="deferred", search="nobody")

    assert "The one deferred application does not match these filters." in texts(app)
    (way_on,) = (proto for proto in protos(app, "page_link") if proto.label == "Show it")
    assert way_on.query_string == "status=deferred"


def test_owners_and_clock_are_counted_and_named(set_aside: Desk) -> None:
    app = set_aside.open(QUEUE)

    assert segments(app, "Owner") == ["Mine 1", "Unassigned 0"]
    assert segments(app, "Due")[0].startswith("overdue ")
    assert cells(app, "owner") == ["Ana"]


def test_mine_is_mine_for_everybody(set_aside: Desk) -> None:
    assert cells(set_aside.open(QUEUE, owner="mine"), "applicant") == ["user1"]
    set_aside.who = PEOPLE[Role.MANAGER]
    assert not set_aside.open(QUEUE, owner="mine").dataframe


def test_the_default_order_is_priority_and_the_why_adds_up(queue: Desk) -> None:
    show_all_columns(queue)
    app = queue.open(QUEUE)

    points, why = cells(app, "priority"), cells(app, "why")
    assert points == sorted(points, reverse=True)
    assert [sum(int(part.split()[-1]) for part in words.split(" · ")) for words in why] == points
    assert any("eligibility met 25" in words for words in why)


# Columns.


def test_the_usual_columns_leave_the_finer_ones_out(queue: Desk) -> None:
    assert list(queue.open(QUEUE).dataframe[0].value.columns) == [
        "applicant",
        "handle",
        "waiting",
        "due",
        "priority",
        "eligibility",
        "risk",
        "volume",
        "scale",
        "active",
        "new",
        "months",
        "marks",
        "robust",
        "owner",
    ]


def test_a_choice_of_columns_is_remembered_for_the_person_alone(queue: Desk) -> None:
    app = with_open(queue.open(QUEUE), "columns")

    app.button_group(key="queue-columns").set_value(["owner", "applicant"]).run()

    assert list(app.dataframe[0].value.columns) == ["applicant", "owner"]
    assert list(queue.open(QUEUE).dataframe[0].value.columns) == ["applicant", "owner"]
    queue.who = PEOPLE[Role.ANALYST]
    assert len(queue.open(QUEUE).dataframe[0].value.columns) == 15


def test_the_usual_columns_come_back(queue: Desk) -> None:
    show_all_columns(queue)
    app = with_open(queue.open(QUEUE), "columns")

    app.button(key="columns-usual").click().run()

    assert len(app.dataframe[0].value.columns) == 15


@pytest.mark.parametrize("kept", [None, [], "owner", {"a": 1}, ["gone"], [["nested"]], 7])
def test_a_choice_that_means_nothing_is_the_usual_one(kept: Any, queue: Desk) -> None:
    preferences.put(
        queue.engine,
        clicks.command(
            preferences.PutPreference, name="queue_columns", value=kept, actor=queue.who
        ),
    )

    assert len(queue.open(QUEUE).dataframe[0].value.columns) == 15


# The next application.


def test_next_claims_the_best_unassigned_and_opens_it(queue: Desk) -> None:
    app = queue.open(QUEUE, eligibility="met,unknown")

    app.button(key="take-next").click().run()

    assert app.query_params == {"eligibility": "met,unknown", "id": str(MET)}
    with queue.engine.connect() as conn:
        assert scalar(conn, "select assignee from review.desk") == queue.who
        assert scalar(conn, "select count(*) from review.events where kind = 'claimed'") == 1


def test_a_view_without_unassigned_applications_is_reported(set_aside: Desk) -> None:
    app = set_aside.open(QUEUE)

    app.button(key="take-next").click().run()

    assert [toast.value for toast in app.toast] == [
        "This view has no unassigned applications left\\."
    ]
    assert "Pending 1" in texts(app)


@pytest.mark.parametrize("role", Role)
def test_next_needs_permission_to_claim(role: Role, queue: Desk) -> None:
    queue.who = PEOPLE[role]

    assert ("take-next" in buttons(queue.open(QUEUE))) is may(role, Act.CLAIM)


# Saved views.


def view_links(app: AppTest) -> list[tuple[str, str]]:
    return [(proto.label, proto.query_string) for proto in protos(app, "page_link")]


def save(desk: Desk, name: str, *, shared: bool = False, **query: str) -> None:
    saved_views.save(
        desk.engine,
        clicks.command(
            saved_views.SaveView,
            name=name,
            view=Filters.from_query(query),
            shared=shared,
            actor=desk.who,
            now=desk.now,
        ),
    )


def test_a_view_is_kept_under_a_name_and_counted(queue: Desk) -> None:
    app = with_open(queue.open(QUEUE, eligibility="met,unknown", sort="volume"), "queue-views")

    (name,) = (field for field in app.text_input if field.label == "Name of the view")
    name.set_value("Worth a look")
    (send,) = (button for button in app.button if button.label == "Save this view")
    send.click().run()

    found = ":violet[Worth a look 2]", "eligibility=met%2Cunknown&sort=volume"
    assert found in view_links(app)
    assert [toast.value for toast in app.toast] == ["The view Worth a look is saved\\."]


def kept_as(app: AppTest, name: str) -> AppTest:
    app = with_open(app, "queue-views")
    (field,) = (field for field in app.text_input if field.label == "Name of the view")
    field.set_value(name)
    (send,) = (button for button in app.button if button.label == "Save this view")
    return send.click().run()


def test_a_view_of_the_same_name_is_replaced_once_that_was_read_and_confirmed(
    queue: Desk, onlooker: Any
) -> None:
    save(queue, "Overdue BR", country="BR")
    app = kept_as(queue.open(QUEUE, country="TR"), "overdue  br")

    assert texts(app, ["warning"]) == [
        "You have a view “Overdue BR” already\\. Replace it, or choose another name\\."
    ]
    assert not app.toast
    (field,) = (field for field in app.text_input if field.label == "Name of the view")
    assert field.value == "overdue  br"
    onlooker.looks_for = SEEN_FOR - timedelta(milliseconds=1)
    app.button(key="view-replace").click().run()
    assert view_links(app)[0][1] == "country=BR"
    onlooker.looks_for = SEEN_FOR
    assert app.button(key="view-replace").label == "Replace “Overdue BR”"
    app.button(key="view-replace").click().run()

    assert view_links(app)[0] == (":violet[overdue br 0]", "country=TR")
    assert [toast.value for toast in app.toast] == ["The view overdue br is replaced\\."]
    assert "view-replace" not in buttons(app)


def test_the_question_ends_when_left_and_when_something_else_is_shown(queue: Desk) -> None:
    save(queue, "Overdue BR", country="BR")
    app = kept_as(queue.open(QUEUE, country="TR"), "Overdue BR")
    app.button(key="view-leave").click().run()
    assert "view-replace" not in buttons(app)

    app = kept_as(app, "Overdue BR")
    assert "view-replace" in buttons(app)
    app.query_params["country"] = "ZA"
    app.run()
    assert "view-replace" not in buttons(app)
    assert view_links(app)[0][1] == "country=BR"


def test_the_second_half_of_a_double_click_on_save_is_ignored(queue: Desk, onlooker: Any) -> None:
    app = with_open(kept_as(queue.open(QUEUE, country="BR"), "Once"), "queue-views")
    onlooker.looks_for = SEEN_FOR - timedelta(milliseconds=1)
    (send,) = (button for button in app.button if button.label == "Save this view")
    send.click().run()

    assert not app.error


def test_a_view_without_a_name_is_refused_in_its_place(queue: Desk) -> None:
    app = with_open(queue.open(QUEUE), "queue-views")

    (send,) = (button for button in app.button if button.label == "Save this view")
    send.click().run()

    assert "The view's name is empty" in app.error[0].value.replace("\\", "")
    assert view_links(app) == []


def test_the_form_of_a_view_stays_drawn_when_it_is_closed(
    queue: Desk,
) -> None:
    app = with_open(queue.open(QUEUE), "queue-views")

    app.session_state["queue-views"] = False
    app.run()

    assert "Name of the view" in [field.label for field in app.text_input]


def test_colleagues_see_shared_views_and_nobody_the_others(queue: Desk) -> None:
    save(queue, "for all", shared=True, country="BR")
    save(queue, "for me", country="ZA")

    assert [label for label, _ in view_links(queue.open(QUEUE))] == ["for all 3", "for me 0"]
    queue.who = PEOPLE[Role.MANAGER]
    assert [label for label, _ in view_links(queue.open(QUEUE))] == ["for all 3"]


def test_mine_in_a_shared_view_is_counted_for_each(set_aside: Desk) -> None:
    save(set_aside, "on my desk", shared=True, owner="mine")

    assert view_links(set_aside.open(QUEUE))[0][0] == "on my desk 1"
    set_aside.who = PEOPLE[Role.MANAGER]
    assert view_links(set_aside.open(QUEUE))[0][0] == "on my desk 0"


def test_ones_own_views_can_be_removed_and_no_others(queue: Desk) -> None:
    save(queue, "for all", shared=True)
    with queue.engine.connect() as conn:
        number = scalar(conn, "select view_id from review.saved_views")
    queue.who = PEOPLE[Role.MANAGER]
    assert f"view-remove-{number}" not in buttons(with_open(queue.open(QUEUE), "queue-views"))
    queue.who = PEOPLE[Role.REVIEWER]
    app = with_open(queue.open(QUEUE), "queue-views")

    app.button(key=f"view-remove-{number}").click().run()

    assert view_links(app) == []


# News.


def test_news_is_shown_without_touching_the_table() -> None:
    def script() -> None:
        from dashboard.pages.queue import news

        news.draw("3 new · 2 decided")

    app = AppTest.from_function(script).run()

    assert ":material/notifications: 3 new · 2 decided" in texts(app)
    assert [button.label for button in app.button] == ["Show"]


def test_a_fresh_look_has_no_news(queue: Desk) -> None:
    assert "show-news" not in buttons(queue.open(QUEUE))


def test_columns_are_as_wide_as_what_the_page_has(desk: Desk) -> None:
    fill(desk, 1)
    shown = desk.open(QUEUE).dataframe[0].proto
    widths = {name: one.get("width") for name, one in json.loads(shown.columns).items()}

    # "no evidence" alone, and "not enough data" whole.
    assert (widths["marks"], widths["risk"]) == (table.MARKS_WIDTHS[1], 126)
    assert shown.placeholder == figures.DASH
