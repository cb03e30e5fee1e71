"""Exports: the queue's rows, in the contract's columns, safe to open, and logged."""

import asyncio
import csv
import getpass
import io
import random
import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, Text, func, insert, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from starlette.applications import Starlette

from dashboard.shell import browsers, export_links, identity, routes
from data_access.__main__ import main
from data_access.db import database, tables
from data_access.db.errors import Invalid
from data_access.eligibility import judging
from data_access.explore import cells
from data_access.explore import exported as explore_exported
from data_access.exports import copy_stream, jobs
from data_access.exports.copy_stream import CsvStream
from data_access.queue import listing
from program.policy.outcomes import Outcome
from program.policy.policy import Policy
from program.policy.robust import CRITERIA, VARIANTS
from program.reports import csv_guard
from program.reports.datasets import APPLICATIONS, ColumnKind, DatasetColumn
from program.review.permissions import Act, Role, may
from program.review.queue_filters import Due, Filters, Owner, Robustness, Sort
from program.review.workflow import Status
from program.risk.signals import Severity
from tests.builders import (
    NOW,
    STAFF,
    add_application,
    add_eligible,
    add_evidence,
    add_measures,
    add_metrics,
    add_policy,
    add_refresh,
    member,
    rewriting,
)
from tests.cases import examples, first_of
from tests.data_access import crowd
from tests.data_access.crowd import Applicant
from tests.data_access.guarded_cells import unguarded
from tests.databases import Databases

# The contract's list, word for word.
CONTRACT = [
    "application_id", "account_id", "username", "country_code", "kyc_status", "social_platform",
    "social_handle", "contact_platform", "contact_handle", "submitted_at", "status", "assignee",
    "data_through", "window_start", "window_end", "volume_usd", "active_users", "new_users",
    "x_followers", "external_volume_usd", "on_exchange", "external", "eligibility", "track",
    "risk_level", "risk_signals", "policy_version", "decided_at", "decided_by", "reason_code",
    "rebate_rate"
]  # fmt: skip
PENDING = (Status.PENDING,)
TYPED = ("username", "social_platform", "social_handle", "contact_platform", "contact_handle")
SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def written(
    conn: Connection,
    filters: Filters | None = None,
    *,
    statuses: Sequence[Status] = tuple(Status),
    columns: Sequence[str] = tuple(explore_exported.BY_NAME),
) -> bytes:
    context = judging.read_context(conn, now=NOW)
    statement = explore_exported.applications(
        filters or Filters(), context, statuses=statuses, columns=columns
    )
    return b"".join(CsvStream(conn, statement))


def rows(conn: Connection, *given: Any, **named: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(written(conn, *given, **named).decode(), newline="")))


def add_decision(conn: Connection, application_id: int, **given: Any) -> int:
    values = {
        "application_id": application_id,
        "outcome": "rejected",
        "reason_code": "other",
        "rationale": "why",
        "message_to_applicant": "so",
        "decided_by": "ana@example.com",
        "decided_at": NOW,
        "policy_version": 1,
        "snapshot": {},
        **given,
    }
    id_: int = conn.execute(
        insert(tables.decisions).values(values).returning(tables.decisions.c.decision_id)
    ).scalar_one()
    return id_


def test_the_header_is_the_contracts_list_in_its_order_and_the_datasets_further_columns(
    conn: Connection,
) -> None:
    header = written(conn).decode().splitlines()[0].split(",")

    assert header[: len(CONTRACT)] == CONTRACT
    assert header == list(APPLICATIONS.names)


def test_without_applications_there_is_only_a_header(conn: Connection) -> None:
    assert written(conn).decode() == ",".join(APPLICATIONS.names) + "\n"


def test_a_pending_application_in_every_cell(conn: Connection) -> None:
    add_refresh(conn)
    add_application(conn, 7, submitted_at=NOW - timedelta(days=5, microseconds=1))
    add_metrics(conn, 7, volume=Decimal("20000000.00"), active=15, new=5)
    add_evidence(conn, 7, value=Decimal(6000))

    assert rows(conn) == [
        {
            "application_id": "7",
            "account_id": "7",
            "username": "user7",
            "country_code": "BR",
            "kyc_status": "verified",
            "social_platform": "x",
            "social_handle": "'@handle7",
            "contact_platform": "telegram",
            "contact_handle": "contact7",
            "submitted_at": "2026-03-10T08:59:59.999999Z",
            "status": "pending",
            "assignee": "",
            "data_through": "2026-03-14",
            "window_start": "2026-02-13",
            "window_end": "2026-03-14",
            "volume_usd": "20000000.00",
            "active_users": "15",
            "new_users": "5",
            "x_followers": "6000",
            "external_volume_usd": "",
            "on_exchange": "met",
            "external": "met",
            "eligibility": "met",
            "track": "both",
            "risk_level": "not_enough_data",
            "risk_signals": "",
            "policy_version": "1",
            "decided_at": "",
            "decided_by": "",
            "reason_code": "",
            "rebate_rate": "",
            "email": "user7@example.com",
            "desk_status": "pending",
            "status_changed_at": "",
            "second_approver": "",
            "is_override": "",
            "fees_usd": "0.000000",
            "trade_count": "0",
            "trading_days": "0",
            "top_user_share": "0.0000",
            "largest_day_share": "0.0000",
            "zero_fee_share": "0.0000",
            "risk_score": "",
            "robust_met": "",
            "robust_without_top": "",
            "robust_without_small": "",
            "robust_fee_bearing": "",
        }
    ]


def test_risk_is_that_of_now_under_the_policy(conn: Connection) -> None:
    add_refresh(conn)
    add_eligible(conn, 7)
    parts = {f"{v.key}_{c.key}": 20_000_000 for v in VARIANTS for c in CRITERIA}
    measures = {"without_top_active_users": 14, "r10": 1, "r10_sample": 12, "r33": "0.5"}
    add_measures(conn, 7, **parts | measures)

    (row,) = rows(conn)

    assert (row["risk_level"], row["risk_signals"], row["risk_score"]) == ("high", "R10;R33", "30")
    assert [row[f"robust_{name}"] for name in ("met", "without_top", "fee_bearing")] == [
        *("3", "2", "3")
    ]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(risk=(Severity.HIGH,)), ["7"]),
        (Filters(risk=(Severity.NOT_ENOUGH_DATA,)), ["8"]),
        (Filters(risk=(Severity.WARN,)), []),
        (Filters(robust=Robustness.FRAGILE), ["7"]),
        (Filters(robust=Robustness.ROBUST), []),
    ],
)
def test_rows_are_filtered_by_risk_as_in_the_queue(
    conn: Connection, filters: Filters, found: list[str]
) -> None:
    add_refresh(conn)
    add_eligible(conn, 7)
    add_application(conn, 8)
    parts = {f"{v.key}_{c.key}": 20_000_000 for v in VARIANTS for c in CRITERIA}
    add_measures(conn, 7, **{**parts, "without_top_volume_usd": 0, "r10": 1, "r10_sample": 12})

    assert [row["application_id"] for row in rows(conn, filters)] == found


VALUES = ("volume_usd", "active_users", "new_users", "x_followers", "external_volume_usd")
OUTCOMES = ("on_exchange", "external", "eligibility")


def test_unknown_is_an_empty_value_and_the_word_in_outcomes(conn: Connection) -> None:
    add_application(conn, 7)

    (row,) = rows(conn)

    assert {row[name] for name in VALUES} == {""}
    assert {row[name] for name in OUTCOMES} == {"unknown"}
    assert (row["track"], row["data_through"], row["window_start"], row["window_end"]) == (
        *("", "", ""),
        "",
    )


def test_no_referrals_is_a_zero_and_not_an_unknown(conn: Connection) -> None:
    add_refresh(conn)
    add_application(conn, 7)

    (row,) = rows(conn)

    assert [row[name] for name in VALUES] == ["0.00", "0", "0", "", ""]
    assert [row[name] for name in OUTCOMES] == ["not_met", "unknown", "unknown"]


def test_missing_account_fields_are_empty(conn: Connection) -> None:
    add_application(
        conn, 7, account={"country_code": None}, contact_platform=None, contact_handle=None
    )

    (row,) = rows(conn)

    assert (row["country_code"], row["contact_platform"], row["contact_handle"]) == ("", "", "")


def test_a_decided_application_shows_who_when_and_what(conn: Connection) -> None:
    add_application(conn, 1, status="rejected")
    add_application(conn, 2, status="approved")
    add_decision(conn, 1)
    add_decision(
        *(conn, 2),
        outcome="approved",
        reason_code=None,
        rebate_rate=Decimal("0.2"),
        decided_by="mira@example.com",
    )
    decided = ("status", "decided_at", "decided_by", "reason_code", "rebate_rate")

    assert [[row[name] for name in decided] for row in rows(conn)] == [
        ["rejected", "2026-03-15T09:00:00Z", "ana@example.com", "other", ""],
        ["approved", "2026-03-15T09:00:00Z", "mira@example.com", "", "0.2000"],
    ]


def test_only_the_current_decision_is_shown(conn: Connection) -> None:
    add_application(conn, 1, status="approved")
    first = add_decision(conn, 1, reason_code="below_minimums")
    second = add_decision(conn, 1, supersedes=first, reason_code="duplicate")
    add_decision(
        *(conn, 1),
        supersedes=second,
        outcome="approved",
        reason_code=None,
        rebate_rate=Decimal("0.25"),
        decided_by="mira@example.com",
    )

    (row,) = rows(conn)

    assert (row["decided_by"], row["reason_code"], row["rebate_rate"]) == (
        *("mira@example.com", ""),
        "0.2500",
    )


def test_the_policy_in_force_judges_and_is_named(conn: Connection) -> None:
    add_refresh(conn)
    add_policy(
        conn, Policy(version=2, min_active_users=0, min_new_users=0, min_volume_usd=Decimal(0))
    )
    add_application(conn, 7)

    (row,) = rows(conn)

    assert (row["policy_version"], row["eligibility"]) == ("2", "met")


@pytest.mark.parametrize("sign", SIGNS, ids=ascii)
def test_text_that_a_spreadsheet_would_run_is_led_by_a_quote(conn: Connection, sign: str) -> None:
    typed = f'{sign}HYPERLINK("http://evil.example")'
    add_application(
        conn,
        7,
        account={"username": typed},
        **{name: typed for name in TYPED if name != "username"},
    )

    (row,) = rows(conn)

    assert {name: row[name] for name in TYPED} == dict.fromkeys(TYPED, "'" + typed)


@pytest.mark.parametrize(
    "typed", ["a=1", "'a", "1-2", "some@one", "a\tb", "x+y", '"quoted", with comma', "two\nlines"]
)
def test_other_text_is_written_as_it_was_typed(conn: Connection, typed: str) -> None:
    add_application(
        conn,
        7,
        account={"username": typed},
        **{name: typed for name in TYPED if name != "username"},
    )

    (row,) = rows(conn)

    assert {name: row[name] for name in TYPED} == dict.fromkeys(TYPED, typed)


def test_the_deciders_address_is_guarded_too(conn: Connection) -> None:
    add_application(conn, 1, status="rejected")
    add_decision(conn, 1, decided_by="+1@example.com")

    assert rows(conn)[0]["decided_by"] == "'+1@example.com"


@pytest.mark.parametrize("typed", ["'=1", "''+1", " =1", "\u3000=1", "' -", "'\u200b@x"])
def test_text_that_looks_guarded_or_hides_a_sign_is_guarded_too(
    conn: Connection, typed: str
) -> None:
    add_application(conn, 7, social_handle=typed)

    (row,) = rows(conn)

    assert row["social_handle"] == "'" + typed == csv_guard.guarded(typed)
    assert unguarded(row["social_handle"]) == typed


SPLIT = (
    *("meadow;=1+1", 'a;=HYPERLINK("http://127.0.0.1/x";"open")', "a\t=1", "two\n=1", "two\r\n-1"),
    *('a;"=1+1', 'a;""@x', "a; \u3000+1", "a;'=1", "=1;=2;;=3", ";=1", "\t;=1", "\n=1\n\n=2", 'x,";=1'),
    *("a\u00a0;\u200b＝1", "a;b", "a\n\nb", "Please:\n* this", "a;1-2", "a;"),
)  # fmt: skip


@pytest.mark.parametrize("typed", SPLIT, ids=ascii)
def test_no_cell_begins_a_formula_with_any_separator(conn: Connection, typed: str) -> None:
    names = [name for name in TYPED if name != "username"]
    add_application(conn, 7, account={"username": typed}, **dict.fromkeys(names, typed))
    content = written(conn, columns=[*TYPED, "application_id"]).decode()

    (row,) = csv.DictReader(io.StringIO(content, newline=""))
    assert {name: row[name] for name in TYPED} == dict.fromkeys(TYPED, csv_guard.guarded(typed))
    assert unguarded(row["username"]) == typed
    for separator in ",;\t":
        for line in csv.reader(io.StringIO(content, newline=""), delimiter=separator):
            live = [
                cell
                for cell in line
                if cell.lstrip(" \u00a0\u3000\u200b")[:1] in tuple("=+-@＝＋－＠")
            ]
            assert live == [], (separator, cells)


@given(st.text(st.sampled_from(csv_guard.SIGNS + csv_guard.BREAKS + csv_guard.SKIPPED + "a1,")))
def test_guarding_is_undone_exactly_and_twice_as_well(typed: str) -> None:
    once = csv_guard.guarded(typed)
    twice = csv_guard.guarded(once)

    assert unguarded(once) == typed
    assert unguarded(twice) == once


def test_the_database_guards_as_the_program_does(conn: Connection) -> None:
    rng = random.Random(7)
    signs = csv_guard.SIGNS + csv_guard.BREAKS + csv_guard.SKIPPED + "a1,"
    texts = ["".join(rng.choices(signs, k=rng.randrange(9))) for _ in range(5_000)]
    typed = func.unnest(literal(texts, ARRAY(Text))).column_valued("typed")
    column = DatasetColumn(name="typed", kind=ColumnKind.TEXT, description="")

    found = conn.execute(select(typed, cells.guarded(column, typed))).all()

    assert [kept for _, kept in found] == [csv_guard.guarded(text) for text, _ in found]
    assert len(found) == len(texts)


@pytest.mark.parametrize(
    "columns",
    [
        ("volume_usd", "application_id"),
        ("application_id",),
        ("track", "track"),
        tuple(CONTRACT[::-1]),
    ],
)
def test_columns_are_chosen_and_ordered_as_asked(
    conn: Connection, columns: tuple[str, ...]
) -> None:
    add_application(conn, 7)
    lines = written(conn, columns=columns).decode().splitlines()

    assert lines[0].split(",") == list(columns)
    assert len(lines) == 2


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (("volume",), "There is no column volume"),
        (("volume_usd", "shoe_size", "secret"), "There is no column shoe_size, secret"),
        (("application_id; drop table x",), "There is no column application_id; drop"),
        ((), "Name at least one column"),
    ],
)
def test_a_column_that_does_not_exist_is_refused_and_the_others_named(
    conn: Connection, columns: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(Invalid, match=sentence) as refused:
        written(conn, columns=columns)

    assert not columns or "rebate_rate" in str(refused.value)


# --- The same rows as the queue's, over a crowd ------------------------------------------------


@pytest.fixture(scope="module")
def people() -> list[Applicant]:
    return crowd.invent(seed=2)


@pytest.fixture(scope="module")
def town(databases: Databases, people: list[Applicant]) -> Iterator[Engine]:
    with crowd.town(databases, people) as engine:
        yield engine


views = st.builds(
    Filters,
    search=st.sampled_from(["", "", "meadow", "%", "_", "'", ":x", "%(a)s", "%s", "\\"]),
    eligibility=st.lists(st.sampled_from(Outcome), unique=True, max_size=2).map(tuple),
    track=st.none() | st.sampled_from(["on_exchange", "external", "both"]),
    country=st.none() | st.sampled_from(["BR", "US"]),
    platform=st.none() | st.sampled_from(["x", "youtube"]),
    waiting_days=st.none() | st.sampled_from([3, 14]),
    owner=st.none() | st.sampled_from(Owner),
    due=st.none() | st.sampled_from(Due),
    sort=st.sampled_from(Sort),
    reverse=st.booleans(),
)


@settings(max_examples=examples(10, of=30))
@given(view=views)
def test_the_export_has_the_queues_rows_in_the_queues_order(
    town: Engine, people: list[Applicant], view: Filters
) -> None:
    with town.connect() as conn:
        exported = rows(conn, view, statuses=PENDING)
        shown = listing.page(conn, view, judging.read_context(conn, now=NOW), size=1000)

    assert [row["application_id"] for row in exported] == [str(r.application_id) for r in shown]
    assert [row["application_id"] for row in exported] == [
        str(p.application_id) for p in crowd.expected(people, view)
    ]


def test_every_exported_value_is_the_one_the_queue_shows(
    town: Engine, people: list[Applicant]
) -> None:
    with town.connect() as conn:
        exported = {int(row["application_id"]): row for row in rows(conn)}

    assert set(exported) == {p.application_id for p in people}
    for person in people:
        row, judged = exported[person.application_id], person.assessment
        for criterion in judged.criteria:
            cell = row[criterion.criterion.key]
            assert (Decimal(cell) if cell else None) == criterion.value
        tracks = {t.track.key: str(t.outcome) for t in judged.tracks}
        assert {key: row[key] for key in tracks} == tracks
        assert (row["eligibility"], row["track"]) == (str(judged.outcome), judged.track or "")
        assert row["status"] == str(person.status.upstream)
        assert row["assignee"] == (person.holder or "")


def test_a_page_number_does_not_cut_an_export(town: Engine) -> None:
    with town.connect() as conn:
        first, fourth = (written(conn, Filters(page=page), statuses=PENDING) for page in (1, 4))

    assert first == fourth
    assert first.count(b"\n") > crowd.PENDING


def test_over_every_status_and_unfiltered_the_order_is_by_id(
    town: Engine, people: list[Applicant]
) -> None:
    with town.connect() as conn:
        ids = [int(row["application_id"]) for row in rows(conn)]

    assert ids == sorted(p.application_id for p in people)


def test_pieces_are_bounded_and_counted(town: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copy_stream, "CHUNK_BYTES", 1000)
    with town.connect() as conn:
        statement = explore_exported.applications(Filters(), judging.read_context(conn, now=NOW))
        stream = CsvStream(conn, statement)
        pieces = list(stream)

    assert len(pieces) > 10
    assert max(len(piece) for piece in pieces) < 3000
    assert stream.row_count == crowd.PENDING + crowd.OTHERS


# --- For somebody: the role, the log, and the two ways out ---------------------------------------


@pytest.fixture(scope="module")
def configured(town: Engine) -> Iterator[Engine]:
    """The town as the configured database, also for subprocesses."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", town.url.render_as_string(hide_password=False))
        patch.delenv("DATABASE_REPLICA_URL", raising=False)
        jobs.stop()
        yield town
        jobs.stop()
        log(town)
        for purpose in database.Purpose:
            database.engine(purpose).dispose()


@pytest.fixture
def served(configured: Engine) -> Engine:
    """The same, with an empty export log."""
    with configured.begin() as conn, rewriting(conn, "exports"):
        conn.execute(text("delete from review.exports"))
    return configured


def log(engine: Engine) -> list[dict[str, Any]]:
    columns = ("exported_by", "dataset", "format", "filters", "columns", "row_count", "outcome")
    table = tables.exports
    # The log entry is written when the last byte has been sent, in another thread.
    for thread in threading.enumerate():
        if thread.name == "export-log":
            thread.join(10)
    with engine.connect() as conn:
        found = conn.execute(
            select(*(table.c[name] for name in columns)).order_by(table.c.export_id)
        )
        return [dict(row) for row in found.mappings()]


@pytest.mark.parametrize("email", ["ana@example.com", "noor@example.com"])
def test_every_role_exports_only_visible_columns_and_each_export_is_logged(
    served: Engine, email: str
) -> None:
    view = Filters(search="meadow", eligibility=(Outcome.MET, Outcome.UNKNOWN), sort=Sort.VOLUME)
    personal = may(Role(STAFF[email]), Act.SEE_CONTACT)

    body = by_page(view, email)

    columns = [c.name for c in APPLICATIONS.columns if personal or not c.personal]
    written_rows = list(csv.DictReader(io.StringIO(body.decode(), newline="")))
    assert list(written_rows[0]) == columns
    (line,) = log(served)
    assert line == {
        "exported_by": email,
        "dataset": "applications",
        "format": "csv",
        "filters": {
            "statuses": ["pending"],
            "search": "meadow",
            "eligibility": "met,unknown",
            "sort": "volume",
        },
        "columns": columns,
        "row_count": len(written_rows),
        "outcome": "complete",
    }


BROWSER = "what this browser was given"


@pytest.fixture(autouse=True)
def _signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """The signed-in person is in a cookie of the tests."""
    monkeypatch.setattr(identity, "person", lambda asking: member(asking.cookies.get("who")))


async def answer(path: str, *, who: str, browser: str = BROWSER) -> httpx.Response:
    transport = httpx.ASGITransport(Starlette(routes=routes.ROUTES))
    cookies = {browsers.MARK_COOKIE: browser, "who": who}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://localhost", cookies=cookies, timeout=30
    ) as client:
        return await client.get(path)


def link(filters: Filters, email: str = "ana@example.com") -> str:
    role = Role(STAFF.get(email, "analyst"))
    return "/" + export_links.queue_link(email, role, filters, browser=BROWSER)


def by_page(filters: Filters, email: str = "ana@example.com") -> bytes:
    response = asyncio.run(answer(link(filters, email), who=email))
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    return response.content


def by_command(*arguments: str) -> bytes:
    done = CliRunner().invoke(main, ["export", "applications", "-", *arguments])
    assert done.exit_code == 0, done.stderr
    return done.stdout_bytes


@pytest.mark.parametrize(
    ("filters", "options"),
    first_of(
        (
            Filters(
                search="meadow",
                platform="x",
                waiting_days=3,
                track="external",
                country="BR",
                eligibility=(Outcome.MET, Outcome.UNKNOWN),
                sort=Sort.VOLUME,
            ),
            [
                *("--search", "meadow", "--platform", "x", "--waiting", "3", "--sort", "volume"),
                *("--track", "external", "--country", "BR"),
                *("--eligibility", "met", "--eligibility", "unknown"),
            ],
        ),
        (Filters(sort=Sort.WAITING), ["--sort", "waiting"]),
        (Filters(sort=Sort.VOLUME, reverse=True), ["--sort", "-volume"]),
        (Filters(reverse=True), ["--sort", "-priority"]),
    ),
)
def test_the_page_and_the_command_line_write_identical_bytes(
    served: Engine, tmp_path: Path, filters: Filters, options: list[str]
) -> None:
    file = tmp_path / "applications.csv"
    pending = ["--status", "pending", *options]

    from_page, from_stdout = by_page(filters), by_command(*pending)
    to_file = CliRunner().invoke(main, ["export", "applications", str(file), *pending])

    assert to_file.exit_code == 0, to_file.stderr
    assert from_page == from_stdout == file.read_bytes()
    assert from_page.startswith(b"application_id,account_id,")
    assert [entry["exported_by"] for entry in log(served)] == [
        "ana@example.com",
        *[getpass.getuser()] * 2,
    ]
    assert len({entry["row_count"] for entry in log(served)}) == 1


def test_a_search_reaches_every_status_that_is_exported(engine: Engine) -> None:
    with engine.begin() as conn:
        add_refresh(conn)
        add_application(conn, 1, status="approved", social_handle="@meadow")
        add_application(conn, 2, social_handle="@meadow_too")
        add_application(conn, 3, status="rejected", social_handle="@other")
        context = judging.read_context(conn, now=NOW)

        def found(*statuses: Status) -> list[str]:
            statement = explore_exported.applications(
                Filters(search="meadow"), context, statuses=statuses, columns=["application_id"]
            )
            return b"".join(CsvStream(conn, statement)).decode().split()[1:]

        assert found(*Status) == ["1", "2"]
        assert found(Status.APPROVED) == ["1"]
        assert found(Status.PENDING) == ["2"]
