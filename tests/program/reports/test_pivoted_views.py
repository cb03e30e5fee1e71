"""A view with a group across: in the address, kept, and named if it is not understood."""

from urllib.parse import parse_qsl

import pytest

from program.reports import charted, pivots
from program.reports.pivots import Heads
from program.reports.views import View
from tests.builders import NOW


def read(query: str) -> View:
    return View.from_query(dict(parse_qsl(query)), personal=False)


@pytest.mark.parametrize(
    "query",
    [
        "group=status,country_code&across=country_code,count",
        "group=status,submitted_at:month&across=submitted_at_month,count&sort=-count",
        "group=status,kyc_status,track&measures=count,median:volume_usd"
        "&across=kyc_status,median_volume_usd&chart=status,median_volume_usd",
    ],
)
def test_a_group_across_survives_the_address_and_a_saved_view(query: str) -> None:
    found = read(query)

    assert not found.problems
    assert pivots.of(found) is not None
    assert read(found.kept) == found
    assert dict(parse_qsl(found.kept)) == dict(parse_qsl(query))


@pytest.mark.parametrize(
    "query",
    [
        "group=status&across=status,count",
        "columns=status&across=status,count",
        "group=status,country_code&across=track,count",
        "group=status,country_code&across=country_code,sum_volume_usd",
        "group=status,country_code&across=country_code",
        "group=status,country_code&across=%27;--,[x](http://evil.example)",
        # A column for each amount says nothing.
        "group=status,volume_usd&across=volume_usd,count",
        # Email is not for everybody.
        "group=status,email&across=email,count",
    ],
)
def test_what_cannot_lie_across_is_named_and_left_out(query: str) -> None:
    found = read(query)

    assert [one for one in found.problems if one.startswith("The columns across “")]
    assert found.across is None
    assert "across" not in found.kept


@pytest.mark.parametrize("sort", ["country_code", "-average_volume_usd"])
def test_only_what_lies_down_and_the_cells_sort(sort: str) -> None:
    query = "group=status,country_code&measures=count,average:volume_usd&across=country_code,count"
    for possible in ("status", "-count"):
        assert str(read(f"{query}&sort={possible}").sorted_by[0]) == possible

    (problem,) = read(f"{query}&sort={sort}").problems
    assert problem.startswith("Sorting by")
    assert [order.column for order in read(query).sorted_by] == ["status"]


def test_what_has_no_column_of_its_own_is_said() -> None:
    def said(query: str) -> str:
        pivoted = pivots.of(read(query))
        assert pivoted is not None
        assert not pivots.cut_words(pivoted, Heads(values=("a", "b")))
        return pivots.cut_words(pivoted, Heads(values=("a", "b"), others=1_500))

    group = "group=status,country_code&across=country_code"
    rest = "of 1,502"
    assert said(f"{group},count") == f"the 2 largest {rest}"
    median = "median_volume_usd"
    assert said(f"{group},{median}&measures=median:volume_usd") == f"the 2 most frequent {rest}"
    month = "group=status,submitted_at:month&across=submitted_at_month,count"
    assert said(month) == f"the 2 newest {rest}"


def test_a_chart_has_a_series_for_each_value_across_if_that_says_something() -> None:
    def series(query: str) -> tuple[bool, int]:
        found = charted.of(read(f"group=status,submitted_at:month,track&{query}"), NOW.date())
        assert found is not None
        return found.view.across is not None, len(found.view.groups)

    by_status = "across=status,count"
    assert series(f"{by_status}&chart=submitted_at_month,count") == (True, 2)
    assert series(f"{by_status}&chart=track,count") == (True, 2)
    # The group across itself, and another measure than that of the cells, are plain bars.
    assert series(f"{by_status}&chart=status,count") == (False, 1)
    both = "measures=count,sum:volume_usd&across=status,count"
    assert series(f"{both}&chart=track,sum_volume_usd") == (False, 1)
    # Averages make lines in time, but no stacks.
    average = "measures=average:volume_usd&across=status,average_volume_usd"
    assert series(f"{average}&chart=submitted_at_month,average_volume_usd") == (True, 2)
    assert series(f"{average}&chart=track,average_volume_usd") == (False, 1)
