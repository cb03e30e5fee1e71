"""Pivots: cells and totals are those of the rows behind them, whatever has a column of its own."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import groupby
from statistics import median_low
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from data_access.eligibility import judging
from data_access.explore import pivots as explore_pivots
from data_access.explore import queries
from data_access.explore.pivots import Pivot
from program.periods import month_start, utc_day
from program.reports import charted, pivots
from program.reports.views import Function, View
from tests.builders import NOW
from tests.cases import examples
from tests.data_access import crowd, statements
from tests.databases import Databases

# Columns with few and many values, with and without unknown ones.
GROUPS = ("status", "country_code", "eligibility", "assignee", "submitted_at:month", "kyc_status")
MEASURES = ("count", *(f"{function}:volume_usd" for function in Function if function != "count"))
HEADS = 3


@pytest.fixture(scope="module")
def town(databases: Databases) -> Iterator[Engine]:
    with crowd.town(databases, crowd.invent(seed=5)) as engine:
        yield engine


def view(**query: str) -> View:
    found = View.from_query(query, personal=True)
    assert not found.problems
    return found


def read(town: Engine, wanted: View, **limits: int) -> Pivot:
    pivoted = pivots.of(wanted)
    assert pivoted is not None
    with town.connect() as conn:
        context = judging.read_context(conn, now=NOW)
        return explore_pivots.read(conn, pivoted, context, **{"size": 5_000, **limits})


def page(town: Engine, wanted: View) -> list[dict[str, Any]]:
    with town.connect() as conn:
        context = judging.read_context(conn, now=NOW)
        return queries.page(conn, wanted, context, size=5_000)


def name_of(group: str) -> str:
    return group.replace(":", "_")


def key_of(group: str, row: dict[str, Any]) -> Any:
    value = row[group.partition(":")[0]]
    return month_start(utc_day(value)) if ":" in group else value


def figure_of(function: str, rows: list[dict[str, Any]]) -> Any:
    """The measure by the words of the documents."""
    known = [row["volume_usd"] for row in rows if row["volume_usd"] is not None]
    counted = {"count": len(rows), "known": len(known), "distinct": len(set(known))}
    if function in counted:
        return counted[function]
    if not known:
        return None
    return {
        "sum": sum(known),
        "least": min(known),
        "most": max(known),
        "median": median_low(known),
        "average": (sum(known) / len(known)).quantize(Decimal("0.01"), "ROUND_HALF_UP"),
    }[function]


def split(rows: list[dict[str, Any]], found: Pivot, across: str) -> list[list[dict[str, Any]]]:
    """The rows of each column, in order."""
    own = [[row for row in rows if key_of(across, row) == value] for value in found.heads.values]
    rest = [row for row in rows if key_of(across, row) not in (*found.heads.values, None)]
    unknown = [row for row in rows if key_of(across, row) is None]
    return [*own, *([rest] * bool(found.heads.others)), *([unknown] * found.heads.has_unknown)]


@settings(max_examples=examples(12, of=30), suppress_health_check=list(HealthCheck))
@given(
    groups=st.lists(st.sampled_from(GROUPS), min_size=2, max_size=3, unique=True),
    measure=st.sampled_from(MEASURES),
    which=st.integers(0, 1),
    given_filter=st.sampled_from([{}, {"volume_usd": "1.."}, {"country_code": "BR,DE"}]),
)
def test_every_cell_and_total_is_that_of_its_rows(
    town: Engine, groups: list[str], measure: str, which: int, given_filter: dict[str, str]
) -> None:
    across = groups[which]
    down = [group for group in groups if group != across]
    wanted = view(
        group=",".join(groups),
        measures=measure,
        across=f"{name_of(across)},{name_of(measure)}",
        **given_filter,
    )
    function = measure.partition(":")[0]
    columns = {"volume_usd", *(group.partition(":")[0] for group in groups)}
    rows = page(town, view(columns=",".join(sorted(columns)), **given_filter))

    found = read(town, wanted, most=HEADS)

    def key(row: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(key_of(group, row) for group in down)

    by_key = {repr(k): list(v) for k, v in groupby(sorted(rows, key=lambda r: repr(key(r))), key)}
    assert found.total == len(found.rows) == len(by_key)
    assert len(found.heads.values) <= HEADS
    for row in found.rows:
        mine = by_key[repr(tuple(row.by.values()))]
        parts = split(mine, found, across)
        assert [cell.value for cell in row.cells] == [figure_of(function, part) for part in parts]
        assert [cell.rows for cell in row.cells] == [len(part) for part in parts]
        assert row.whole == figure_of(function, mine)
    totals = split(rows, found, across)
    assert [cell.value for cell in found.totals.cells] == [figure_of(function, p) for p in totals]
    assert found.totals.whole == figure_of(function, rows)
    # The plain grouping by the same keys, which a file has.
    plain = page(town, replace(wanted, across=None))
    assert found.pairs == len(plain)
    own = {
        (tuple(row[name_of(group)] for group in down), row[name_of(across)]): row[
            wanted.figures[0].name
        ]
        for row in plain
    }
    for row in found.rows:
        for value, cell in zip(found.heads.values, row.cells, strict=False):
            assert (cell.value if cell.rows else None) == own.get((tuple(row.by.values()), value))


def test_the_largest_values_have_columns_and_of_days_the_newest(town: Engine) -> None:
    countries = view(group="country_code,status", measures="sum:volume_usd")
    sums = {
        row["country_code"]: row["sum_volume_usd"]
        for row in page(town, replace(countries, groups=countries.groups[:1]))
    }
    largest = sorted((k for k in sums if k and sums[k]), key=lambda k: -sums[k])[:2]

    found = read(
        town,
        replace(
            countries,
            across=view(
                group="country_code,status",
                measures="sum:volume_usd",
                across="country_code,sum_volume_usd",
            ).across,
        ),
        most=2,
    )

    assert list(found.heads.values) == largest
    assert found.heads.others == len([k for k in sums if k]) - 2
    assert found.heads.has_unknown is (None in sums)

    wanted = view(group="status,submitted_at:day", across="submitted_at_day,count")
    every = read(town, wanted, most=500).heads.values
    assert list(every) == sorted(every)
    by_day = page(town, view(group="submitted_at:day", sort="-count"))
    newest = read(town, wanted, most=1).heads.values
    assert newest == every[-1:]
    assert newest != (by_day[0]["submitted_at_day"],)
    assert all(isinstance(day, date) for day in every)


def test_outcomes_stand_in_the_order_of_their_list(town: Engine) -> None:
    found = read(town, view(group="status,eligibility", across="eligibility,count"))

    assert found.heads.values == ("met", "not_met", "unknown")
    assert not found.heads.others


def test_no_row_is_told_from_an_unknown_figure(town: Engine) -> None:
    wanted = view(
        group="application_id,status", measures="sum:volume_usd", across="status,sum_volume_usd"
    )
    found = read(town, wanted)
    cells = {(cell.value is None, cell.rows) for row in found.rows for cell in row.cells}

    assert cells == {(True, 0), (True, 1), (False, 1)}


def test_a_pivot_is_read_by_two_statements_and_its_pages_follow_one_another(town: Engine) -> None:
    wanted = view(group="country_code,status", across="status,count", sort="-count")
    with town.connect() as conn:
        context = judging.read_context(conn, now=NOW)
        with statements.sent(conn) as sent:
            first = queries.preview(conn, wanted, context)
        beyond = queries.preview(conn, wanted.on_page(9), context)
    whole = read(town, wanted)

    assert len([one for one in sent if "exchange.applications" in one]) == 2
    assert first.pivot == whole
    assert beyond.pivot is not None
    assert (beyond.pivot.rows, beyond.view.page) == (whole.rows, 1)
    assert (first.total, first.in_files) == (whole.total, whole.pairs)
    pages = [read(town, wanted, page=number, size=3) for number in (1, 2, 3)]
    assert [row for one in pages for row in one.rows] == whole.rows[:9]
    assert {one.total for one in pages} == {whole.total}
    assert [one.totals for one in pages] == [whole.totals] * 3
    wholes = [row.whole for row in whole.rows]
    assert wholes == sorted(wholes, reverse=True)


def test_without_a_row_there_is_none(town: Engine) -> None:
    wanted = view(group="country_code,status", across="status,count", account_id="0..0")
    with town.connect() as conn:
        found = queries.preview(conn, wanted, judging.read_context(conn, now=NOW))

    assert (found.total, found.rows, found.in_files) == (0, [], 0)


def test_typed_text_in_a_column_is_a_parameter(town: Engine) -> None:
    with town.connect() as conn, statements.sent(conn) as sent:
        context = judging.read_context(conn, now=NOW)
        pivoted = pivots.of(view(group="status,username", across="username,count"))
        assert pivoted is not None
        found = explore_pivots.read(conn, pivoted, context)
        held = conn.execute(text("select min(username) from exchange.accounts")).scalar_one()

    assert found.heads.others
    assert held
    assert not [one for one in sent if str(found.heads.values[0]) in one]


def test_a_chart_of_a_pivot_reads_as_many_series_as_can_be_told_apart(town: Engine) -> None:
    wanted = view(
        group="submitted_at:month,username",
        across="username,count",
        chart="submitted_at_month,count",
    )
    drawn = charted.of(wanted, NOW.date())
    assert drawn is not None
    with town.connect() as conn:
        found = queries.charted(conn, drawn, judging.read_context(conn, now=NOW))

    assert found is not None
    assert found.pivot is not None
    assert len(found.pivot.heads.values) == charted.MOST_STACKED
    assert found.pivot.heads.others
