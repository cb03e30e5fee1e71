"""Views of datasets: counted, paged, grouped and exported like a plain frame of the same rows."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, insert, text
from sqlalchemy import column as sql_column

from data_access.db import tables
from data_access.db.errors import Invalid
from data_access.eligibility import judging
from data_access.eligibility.judging import JudgingContext
from data_access.explore import conditions
from data_access.explore import queries as explore_queries
from program.periods import month_start, utc_day
from program.reports import column_filters as filtering
from program.reports.column_filters import Contains, Days, Filter, Known, OneOf, Range
from program.reports.datasets import (
    ACTIVITY,
    AFFILIATES,
    APPLICATIONS,
    BY_KEY,
    DATASETS,
    DECISIONS_MADE,
    MONTHLY,
    NUMBERS,
    TIMES,
    WORDS,
    ColumnKind,
    Dataset,
    DatasetColumn,
)
from program.reports.views import Function, View, measurable
from program.review.searching import search_text, sought
from program.review.workflow import Status
from program.text.folding import folded
from program.text.platforms import platform_key
from tests.builders import NOW, T, add_account, add_application, add_metrics, add_refresh
from tests.cases import examples
from tests.conftest import ROOT
from tests.data_access import crowd, statements
from tests.data_access.crowd import Applicant
from tests.databases import Databases

HOSTILE = (
    *("'", '"', "\\", "%", "_", "%%", "%s", "%(a)s", ":x", "$1", ";", "--", "/*", "{}", "\n", "\t"),
    *("' or '1'='1", "'; drop table review.decisions; --", "1) or (1=1", "null", "NaN", "Infinity"),
    *(
        "\0",
        "\ud800",
        "\u202e",
        "\uff07",
        "İ",
        "ß",
        "🦔",
        "a" * 500,
        "..",
        "?",
        "!",
        "~",
        ",",
        "%00",
    ),
    *(
        "1e9",
        "1..2..3",
        "--1",
        "9" * 40,
        "0.1234567",
        "last0",
        "last99999",
        "2026-02-30..",
        "0001-01-01..",
    ),
    *("met,met", "met,nonsense", "-1..", "..-0", "?last1", "?..", "..", "1900-01-01..2199-12-31"),
)
TOOK = "volume_usd", "active_users", "new_users", "x_followers", "external_volume_usd"


@pytest.fixture(scope="module")
def people() -> list[Applicant]:
    return crowd.invent(seed=5)


@pytest.fixture(scope="module")
def town(databases: Databases, people: list[Applicant]) -> Iterator[Engine]:
    """The crowd, with decisions and daily figures."""
    with crowd.town(databases, people) as engine:
        with engine.begin() as conn:
            _decide(conn, [p for p in people if p.status in (Status.APPROVED, Status.REJECTED)])
            _trade(conn, people[:40])
        yield engine


def _decide(conn: Connection, settled: list[Applicant]) -> None:
    for number, person in enumerate(settled):
        approved = person.status is Status.APPROVED
        made = {
            "application_id": person.application_id,
            "outcome": str(person.status),
            "reason_code": None if approved else "other",
            "rebate_rate": Decimal("0.1500") + Decimal(number) / 10_000 if approved else None,
            "rationale": crowd.NAMES[number % len(crowd.NAMES)],
            "decided_by": crowd.HOLDERS[number % 2],
            "decided_at": NOW - timedelta(hours=number),
            "policy_version": 1,
            "is_override": number % 3 == 0,
            "snapshot": {} if number % 5 == 0 else _snapshot(number),
        }
        conn.execute(insert(tables.decisions).values(made))


def _snapshot(number: int) -> dict[str, Any]:
    return {
        "data_through": "2026-03-14",
        "window": {"kind": "trailing_30_days", "start": "2026-02-13", "end": "2026-03-14"},
        "criteria": [
            {"key": "volume_usd", "value": f"{number}000000.05"},
            {"key": "x_followers", "value": None},
        ],
        "tracks": {"on_exchange": "met", "external": "unknown"},
        "outcome": "met",
        "track": "on_exchange",
    }


def _trade(conn: Connection, people: list[Applicant]) -> None:
    conn.execute(
        text("create table review.affiliate_daily_all partition of review.affiliate_daily default")
    )
    for number, person in enumerate(people):
        conn.execute(
            insert(tables.affiliate_daily).values(
                affiliate_account_id=person.account_id,
                day=T - timedelta(days=number % 45),
                volume_usd=Decimal(number * 1001) / 100,
                fees_usd=Decimal(number) / 1000 - 1,
                trade_count=number,
                zero_fee_volume_usd=0,
                active_users=number % 4,
                new_users=0,
            )
        )


def context(conn: Connection) -> JudgingContext:
    return judging.read_context(conn, now=NOW)


def view(dataset: Dataset = APPLICATIONS, **query: str) -> View:
    return View.from_query({"dataset": dataset.key, **query}, personal=True).bounded()


def rows(conn: Connection, wanted: View, size: int = 5_000) -> list[dict[str, Any]]:
    return explore_queries.page(conn, wanted, context(conn), size=size)


@pytest.fixture(scope="module")
def frames(town: Engine) -> dict[str, pd.DataFrame]:
    """Return every dataset as a frame of Python values."""
    with town.connect() as conn:
        return {
            dataset.key: pd.DataFrame(
                rows(conn, everything(dataset)), columns=list(dataset.names), dtype=object
            )
            for dataset in DATASETS
        }


def everything(dataset: Dataset) -> View:
    return view(dataset, columns=",".join(dataset.names))


# --- What stands in the cells ---------------------------------------------------------------------


def test_applications_agree_with_the_rules(town: Engine, people: list[Applicant]) -> None:
    with town.connect() as conn:
        found = {row["application_id"]: row for row in rows(conn, everything(APPLICATIONS))}

    assert len(found) == len(people)
    for person in people:
        row, judged = found[person.application_id], person.assessment
        assert [row[name] for name in TOOK] == [getattr(person.facts, name) for name in TOOK]
        assert row["eligibility"] == judged.outcome
        assert row["track"] == judged.track
        assert row["status"] == person.status.upstream
        assert row["desk_status"] == person.status
        assert row["assignee"] == person.holder
        assert (row["decided_at"] is not None) == (
            person.status in (Status.APPROVED, Status.REJECTED)
        )


def test_a_decision_shows_its_facts_and_whether_it_is_current(conn: Connection) -> None:
    add_application(conn, 1, status="rejected", submitted_at=NOW - timedelta(hours=30))
    common = {
        "application_id": 1, "outcome": "rejected", "reason_code": "other", "rationale": "=1",
        "decided_by": "ana@example.com", "policy_version": 1,
    }  # fmt: skip
    first = conn.execute(
        insert(tables.decisions)
        .values(**common, decided_at=NOW - timedelta(hours=6), snapshot=_snapshot(20))
        .returning(tables.decisions.c.decision_id)
    ).scalar_one()
    conn.execute(
        insert(tables.decisions).values(**common, decided_at=NOW, snapshot={}, supersedes=first)
    )

    second, earlier = rows(conn, everything(DECISIONS_MADE))

    assert (earlier["is_current"], second["is_current"], second["supersedes"]) == (
        False,
        True,
        first,
    )
    assert (earlier["hours_to_decision"], second["hours_to_decision"]) == (24, 30)
    assert earlier["snapshot_volume_usd"] == Decimal("20000000.05")
    assert earlier["snapshot_data_through"] == date(2026, 3, 14)
    assert (earlier["snapshot_on_exchange"], earlier["snapshot_track"]) == ("met", "on_exchange")
    snapshot = [name for name in DECISIONS_MADE.names if name.startswith("snapshot_")]
    assert {second[name] for name in snapshot} == {None}
    assert earlier["rationale"] == "=1"


def test_an_affiliate_is_an_account_with_a_current_approval(conn: Connection) -> None:
    add_refresh(conn)
    add_account(conn, 7)
    for id_, status in ((1, "approved"), (2, "approved"), (3, "rejected")):
        add_application(conn, id_, account_id=7, status=status)
    add_application(conn, 4, status="pending")
    add_metrics(conn, 7, volume=Decimal("20000000.00"), active=15, new=5, fees=9)
    for id_, rate, at in ((1, "0.3", NOW), (2, "0.2", NOW - timedelta(days=1))):
        conn.execute(
            insert(tables.decisions).values(
                application_id=id_,
                outcome="approved",
                rationale="x",
                rebate_rate=rate,
                decided_by="ana@example.com",
                decided_at=at,
                policy_version=1,
                snapshot={},
            )
        )

    (row,) = rows(conn, everything(AFFILIATES))

    assert (row["account_id"], row["application_id"], row["rebate_rate"]) == (7, 1, Decimal("0.3"))
    assert (row["approved_at"], row["decided_by"]) == (NOW, "ana@example.com")
    assert (row["eligibility"], row["track"], row["fees_usd"]) == ("met", "on_exchange", 9)
    assert row["trading_days"] == 0


def test_a_month_runs_until_its_last_day_is_through(conn: Connection) -> None:
    add_account(conn, 1)
    add_refresh(conn, through=date(2026, 2, 28))
    for month in (date(2026, 2, 1), date(2026, 3, 1)):
        conn.execute(
            insert(tables.affiliate_monthly).values(
                affiliate_account_id=1,
                month=month,
                volume_usd=5,
                fees_usd=1,
                trade_count=1,
                active_users=1,
                new_users=0,
            )
        )

    found = rows(conn, view(BY_KEY["monthly"], columns="month,is_running"))

    assert [row["is_running"] for row in found] == [True, False]


def test_metrics_that_were_never_computed_are_unknown_and_not_zero(conn: Connection) -> None:
    add_application(conn, 1)

    (row,) = rows(conn, everything(APPLICATIONS))

    unknown = (*TOOK, "fees_usd", "trade_count", "trading_days", "top_user_share", "data_through")
    assert {row[name] for name in unknown} == {None}
    assert (row["on_exchange"], row["eligibility"], row["track"]) == ("unknown", "unknown", None)


# --- Filters, sorts and pages against a frame -----------------------------------------------------


def passes(filter_: Filter, value: Any, kind: ColumnKind) -> bool:
    if isinstance(filter_, Known):
        return (value is not None) == filter_.known
    if value is None:
        return filter_.or_unknown
    match filter_:
        case Range():
            return (filter_.least is None or value >= filter_.least) and (
                filter_.most is None or value <= filter_.most
            )
        case Days():
            day = utc_day(value) if kind is ColumnKind.MOMENT else value
            first, last = filter_.span(NOW.date())
            return (first is None or day >= first) and (last is None or day <= last)
        case OneOf():
            word = {True: "yes", False: "no"}[value] if kind is ColumnKind.TRUTH else value
            meant = platform_key(word) if filter_.column == "social_platform" else word
            return (meant in filter_.values) is not filter_.without
        case Contains():
            parts = sought(filter_.part).texts if filter_.column in conditions.NAMING else ()
            return any(part in search_text(value) for part in parts or (folded(filter_.part),))
    raise AssertionError(filter_)


def in_frame(frame: pd.DataFrame, wanted: View) -> pd.DataFrame:
    found = frame
    for one in wanted.filters:
        column = wanted.dataset.column(one.column)
        assert column is not None
        mask = [passes(one, value, column.kind) for value in none(found[one.column])]
        found = found[pd.Series(mask, index=found.index, dtype=bool)]
    keys = [(key, False) for key in wanted.dataset.keys]
    for name, descending in reversed(
        [*((o.column, o.descending) for o in wanted.sorted_by), *keys]
    ):
        column = wanted.dataset.column(name)
        assert column is not None
        order = _stable(none(found[name]), column.kind, descending=descending)
        found = found.iloc[order]
    return found


def _stable(values: list[Any], kind: ColumnKind, *, descending: bool) -> list[int]:
    known = [p for p in range(len(values)) if values[p] is not None]
    unknown = [p for p in range(len(values)) if values[p] is None]
    known.sort(key=lambda place: _key(values[place], kind), reverse=descending)
    return [*known, *unknown]


def _key(value: Any, kind: ColumnKind) -> Any:
    if kind in WORDS:
        return "".join(s.lower() if s.isascii() else s for s in value).encode()
    return value


def none(values: pd.Series) -> list[Any]:
    return [
        None if value is None or value is pd.NaT or value != value else value for value in values
    ]


def texts_for(column: DatasetColumn) -> st.SearchStrategy[str]:
    """Generate meaningful filters near the crowd's values, and hostile ones."""
    hostile = st.sampled_from(HOSTILE) | st.text(max_size=12)
    numbers = st.sampled_from(["0..", "..15", "5..5", "20000000..", "..19999999.99", "1000..1500"])
    days = st.sampled_from(["last30", "last1", "..2026-03-10", "2026-03-01..2026-03-14"])
    meant: st.SearchStrategy[str]
    if column.kind in NUMBERS:
        meant = numbers
    elif column.kind in TIMES:
        meant = days
    else:
        words = column.choices or ("yes", "x", "BR", "ana@example.com", "other")
        meant = st.lists(st.sampled_from(words), min_size=1, max_size=3).map(",".join)
        part = st.sampled_from([*crowd.NAMES, *HOSTILE]) | st.text(min_size=1, max_size=3)
        meant |= part.map(lambda text: f"~{text}") | meant.map(lambda text: f"!{text}")
    known = st.sampled_from(["?", "!"])
    return meant | meant.map(lambda text: f"?{text}") | known | hostile


@st.composite
def queries(draw: st.DrawFn, dataset: Dataset) -> dict[str, str]:
    columns = st.sampled_from(dataset.columns)
    chosen = draw(st.lists(columns, max_size=3, unique_by=lambda column: column.name))
    orders = draw(st.lists(columns, max_size=2, unique_by=lambda column: column.name))
    signs = [draw(st.sampled_from(["", "-"])) for _ in orders]
    sort = [sign + column.name for sign, column in zip(signs, orders, strict=True)]
    junk = draw(
        st.dictionaries(
            st.sampled_from(["sort", "columns", "group", "page", "x"]),
            st.sampled_from(HOSTILE),
            max_size=1,
        )
    )
    return {
        **{column.name: draw(texts_for(column)) for column in chosen},
        "sort": ",".join(sort),
        **junk,
    }


def hold_against_the_frame(
    town: Engine, frames: dict[str, pd.DataFrame], dataset: Dataset, query: dict[str, str]
) -> None:
    wanted = view(dataset, **{n: t for n, t in query.items() if n != "dataset"})
    if wanted.groups or wanted.too_long(NOW.date()):
        return
    expected = in_frame(frames[dataset.key], wanted)
    with town.connect() as conn:
        found = explore_queries.page(conn, wanted.on_page(1), context(conn), size=5_000)
        number = explore_queries.count(conn, wanted, context(conn))

    assert number == len(expected)
    first = wanted.shown[0].name
    assert [row[first] for row in found] == none(expected[first])
    again = View.from_query(wanted.to_query(), personal=True)
    assert (again, again.problems) == (wanted, ())


@settings(max_examples=examples(30, of=50), suppress_health_check=list(HealthCheck))
@given(data=st.data(), key=st.sampled_from(list(BY_KEY)))
def test_every_request_gives_the_same_as_a_plain_frame(
    town: Engine, frames: dict[str, pd.DataFrame], data: st.DataObject, key: str
) -> None:
    hold_against_the_frame(town, frames, BY_KEY[key], data.draw(queries(BY_KEY[key])))


@pytest.mark.slow
@settings(max_examples=5_000, suppress_health_check=list(HealthCheck))
@given(data=st.data(), key=st.sampled_from(list(BY_KEY)))
def test_5000_hostile_requests_are_answered_like_a_plain_frame(
    town: Engine, frames: dict[str, pd.DataFrame], data: st.DataObject, key: str
) -> None:
    hold_against_the_frame(town, frames, BY_KEY[key], data.draw(queries(BY_KEY[key])))


# --- Shapes, groups, and what not everybody may see -----------------------------------------------


def form(filter_: Filter) -> tuple[Any, ...]:
    """Return a filter's shape: which ends are open, and unknowns."""
    match filter_:
        case Known():
            return (Known, filter_.known)
        case Range():
            return (Range, filter_.least is None, filter_.most is None, filter_.or_unknown)
        case Days():
            return (Days, *(end is None for end in filter_.span(NOW.date())), filter_.or_unknown)
    return (type(filter_), filter_.or_unknown, getattr(filter_, "without", False))


def test_typed_text_is_never_part_of_a_statement(conn: Connection) -> None:
    typed = ("x", "x,y,z", "yes,no", "1..2", "1.5..2", "2026-01-01..2026-02-01", *HOSTILE)
    columns = [c for d in DATASETS for c in d.columns if not c.choices]
    # A name is sought in one or two spellings, everything else in one.
    by_kind = {c.kind: c for c in columns if c.name != "username"}
    judging_context = context(conn)
    shapes: dict[tuple[Any, ...], set[str]] = {}
    for column in by_kind.values():
        for text_ in (*typed, *(f"~{one}" for one in typed), *(f"?{one}" for one in typed)):
            filter_ = filtering.parse(column, text_)
            if filter_ is not None:
                made = conditions.condition(filter_, sql_column("x"), column.kind, judging_context)
                shape = str(made.compile(dialect=conn.dialect))
                shapes.setdefault((column.kind, *form(filter_)), set()).add(shape)

    assert len(shapes) > 25
    assert {len(found) for found in shapes.values()} == {1}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("group=status", "status"),
        ("group=status,country_code&measures=count", "status,country_code"),
    ],
)
def test_groups_count_like_a_frame(
    town: Engine, frames: dict[str, pd.DataFrame], query: str, expected: str
) -> None:
    wanted = View.from_query(dict(parse_qsl(query)), personal=True)
    by = frames["applications"].groupby(expected.split(","), dropna=False).size()
    with town.connect() as conn:
        found = explore_queries.page(conn, wanted, context(conn), size=1_000)
        number = explore_queries.count(conn, wanted, context(conn))

    assert number == len(found) == len(by)
    assert sorted(row["count"] for row in found) == sorted(by)


def test_figures_of_groups_are_exact_and_leave_out_unknown_values(
    town: Engine, frames: dict[str, pd.DataFrame]
) -> None:
    figures = [f for f in Function if f is not Function.COUNT]
    wanted = view(
        group="eligibility,submitted_at:month",
        measures=",".join(["count", *(f"{function}:volume_usd" for function in figures)]),
        sort="-count",
    )
    with town.connect() as conn:
        found = explore_queries.page(conn, wanted, context(conn), size=1_000)

    assert [row["count"] for row in found] == sorted((row["count"] for row in found), reverse=True)
    frame = frames["applications"]
    for row in found:
        mine = [
            value
            for value, outcome, at in zip(
                none(frame["volume_usd"]), frame["eligibility"], frame["submitted_at"], strict=True
            )
            if outcome == row["eligibility"]
            and month_start(utc_day(at)) == row["submitted_at_month"]
        ]
        known = sorted(value for value in mine if value is not None)
        assert row["count"] == len(mine)
        assert row["known_volume_usd"] == len(known)
        assert row["distinct_volume_usd"] == len(set(known))
        assert row["sum_volume_usd"] == (sum(known) if known else None)
        assert row["least_volume_usd"] == (known[0] if known else None)
        assert row["most_volume_usd"] == (known[-1] if known else None)
        assert row["median_volume_usd"] == (known[(len(known) - 1) // 2] if known else None)
        average = (
            (sum(known) / len(known)).quantize(Decimal("0.01"), "ROUND_HALF_UP") if known else None
        )
        assert row["average_volume_usd"] == average


def test_every_figure_of_every_column_is_answered(town: Engine) -> None:
    with town.connect() as conn:
        for dataset in DATASETS:
            figures = [
                f"{function}:{column.name}"
                for column in dataset.columns
                for function in Function
                if measurable(dataset, function, column.name)
            ]
            for start in range(0, len(figures), 12):
                wanted = view(
                    dataset, group=dataset.keys[0], measures=",".join(figures[start : start + 12])
                )
                assert not wanted.problems
                assert explore_queries.page(conn, wanted, context(conn)) is not None


def test_rows_are_counted_from_no_table_that_is_only_shown(town: Engine) -> None:
    """For a million applications, joining their decisions is most of the work of the page."""
    with town.connect() as conn, statements.sent(conn) as sent:
        judged = context(conn)
        explore_queries.count(conn, view(sort="-decided_at"), judged)
        counted_applications = sent[-1]
        explore_queries.count(conn, view(DECISIONS_MADE, sort="-submitted_at"), judged)
        explained = f"explain {sent[-1]}".replace("%(param_1)s", "1")
        plan = conn.exec_driver_sql(explained).scalars().all()

    assert "decisions" not in counted_applications
    assert not [line for line in plan if "applications" in line or "accounts" in line]


def test_a_page_of_rows_is_found_without_what_they_only_show(town: Engine) -> None:
    with town.connect() as conn, statements.sent(conn) as sent:
        explore_queries.page(conn, view(), context(conn))

    found = next(statement for statement in sent if "LIMIT" in statement)
    assert "decisions" not in found


def test_groups_and_their_number_are_read_by_one_statement(town: Engine) -> None:
    wanted = view(group="country_code")
    with town.connect() as conn:
        judged = context(conn)
        with statements.sent(conn) as sent:
            shown = explore_queries.preview(conn, wanted, judged)
        number = explore_queries.count(conn, wanted, judged)
        beyond = explore_queries.preview(conn, wanted.on_page(9), judged)
        nothing = explore_queries.preview(conn, view(group="status", account_id="0..0"), judged)

    assert len([statement for statement in sent if "exchange.applications" in statement]) == 1
    assert (shown.total, len(shown.rows)) == (number, number)
    assert beyond == shown
    assert (nothing.total, nothing.rows) == (0, [])


def test_groups_say_what_they_all_come_to(town: Engine) -> None:
    """As one group of all rows has it, also on a page that does not show every group."""
    measures = "count,sum:volume_usd,least:volume_usd,most:volume_usd,known:volume_usd"
    with town.connect() as conn:
        judged = context(conn)
        wanted = view(group="country_code,status", measures=f"{measures},average:volume_usd")
        found = explore_queries.preview(conn, wanted, judged)
        frame = pd.DataFrame(rows(conn, view(columns="volume_usd")))

    known = frame.volume_usd.dropna()
    assert found.in_all == {
        "count": len(frame),
        "sum_volume_usd": known.sum(),
        "least_volume_usd": known.min(),
        "most_volume_usd": known.max(),
        "known_volume_usd": len(known),
    }


def test_pages_follow_one_another_without_gap(town: Engine) -> None:
    wanted = view(sort="-volume_usd")
    with town.connect() as conn:
        whole = [row["application_id"] for row in rows(conn, wanted)]
        pages = [
            row["application_id"]
            for number in range(1, 8)
            for row in explore_queries.page(conn, wanted.on_page(number), context(conn))
        ]

    assert pages == whole


@pytest.mark.parametrize(
    "query",
    ["email=~a", "sort=email", "columns=email,contact_handle,contact_platform", "group=email",
     "group=status&measures=distinct:contact_handle"],
)  # fmt: skip
def test_hidden_columns_can_be_neither_filtered_nor_sorted(query: str) -> None:
    allowed = View.from_query(dict(parse_qsl(query)), personal=True)
    refused = View.from_query(dict(parse_qsl(query)), personal=False)

    assert not allowed.problems
    assert refused.problems
    assert "email" not in str(refused.to_query())
    assert "contact" not in str(refused.to_query())
    assert not [column for column in refused.shown if column.personal]


def test_activity_is_read_by_days(town: Engine) -> None:
    assert view(ACTIVITY).filter_on("day") == Days(column="day", latest=30)
    with town.connect() as conn:
        for days in ("2025-03-16..2026-03-16", "last366", "2026-03-01.."):
            explore_queries.count(conn, view(ACTIVITY, day=days), context(conn))
        for days in ("2025-03-15..2026-03-16", "..2026-03-01", "last367", "!", "?2000-01-01.."):
            with pytest.raises(Invalid, match="at most 366 days at a time"):
                explore_queries.count(conn, view(ACTIVITY, day=days), context(conn))


# --- Views for BI tools ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "dataset"),
    [("decisions", DECISIONS_MADE), ("monthly", MONTHLY)],
)
def test_a_view_has_the_values_of_its_dataset(
    town: Engine, frames: dict[str, pd.DataFrame], name: str, dataset: Dataset
) -> None:
    with town.connect() as conn:
        viewed = [
            dict(row) for row in conn.execute(text(f"select * from report.{name}")).mappings()
        ]
    expected = frames[dataset.key].to_dict("records")
    shared = [column for column in dataset.names if column in viewed[0]]

    assert {*dataset.keys} <= {*shared}
    assert "email" not in viewed[0]
    assert by_key(viewed, dataset, shared) == by_key(expected, dataset, shared)


def by_key(
    found: list[dict[str, Any]], dataset: Dataset, names: list[str]
) -> dict[tuple[Any, ...], dict[str, Any]]:
    return {
        tuple(row[key] for key in dataset.keys): {name: row[name] for name in names}
        for row in found
    }


def test_every_question_of_the_guide_is_answered(town: Engine) -> None:
    guide = (ROOT / "docs" / "reports.md").read_text()
    questions = re.findall(r"```sql\n(.*?)```", guide, re.DOTALL)
    with town.connect() as conn:
        answers = [conn.execute(text(question)).all() for question in questions]

    assert len(answers) == 3
    assert all(answers[:2])
