"""What stands above a table, and which list a clicked bar opens."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
import streamlit as st

from dashboard.pages.program import approval_months
from dashboard.ui import charts, data_table, stacked_charts
from dashboard.ui.data_table import CellKind, Sheet, SheetColumn
from program.review.drilldown import Clock, Scope, Slice
from program.review.queue_filters import Filters

OVERDUE, SOON = (
    Filters(slice=Slice(scope=Scope.OPEN, clock=c)) for c in (Clock.OVERDUE, Clock.SOON)
)


def column(
    key: str, cells: Sequence[Any], kind: CellKind = CellKind.COUNT, **more: Any
) -> SheetColumn:
    return SheetColumn(key=key, label=key.capitalize(), kind=kind, cells=cells, **more)


def test_totals_are_of_columns_that_add_up() -> None:
    names = column("who", ["a", "b"], CellKind.TEXT)
    numbers = column("decided", [1_000, 234], total=1_234)
    money = column("volume", [Decimal(1), None], CellKind.USD, total=data_table.summed([1, None]))
    sheet = Sheet(name="x", window=None, columns=(names, numbers, money))

    assert data_table.totals(sheet) == "2 rows · in all: Decided 1,234"


def test_text_with_figures_stands_at_the_right_like_numbers() -> None:
    sides = [
        data_table._config(column("warn", ["30 %"], kind), "x", lambda _: None, "")["alignment"]
        for kind in (CellKind.FIGURE, CellKind.TEXT)
    ]

    assert sides == ["right", "left"]


def test_one_row_is_its_own_total() -> None:
    sheet = Sheet(name="x", window=None, columns=(column("decided", [5], total=5),))

    assert data_table.totals(sheet) == "1 row"


def test_each_table_of_a_page_keeps_its_own_order(monkeypatch: pytest.MonkeyPatch) -> None:
    address: dict[str, str] = {"sort": "left:who,gone:x,,:y,left"}
    monkeypatch.setattr(st, "query_params", address)
    names = column("who", ["b", "a"], CellKind.TEXT)
    sheet = Sheet(name="x", window=None, columns=(names, column("decided", [1, 2])))

    data_table._sort(sheet, "right", "decided")
    data_table._sort(sheet, "left", "who")

    assert address["sort"] == "left:-who,gone:x,right:-decided"
    assert data_table._sorted(sheet, "left").cells("who") == ["b", "a"]
    assert data_table._sorted(sheet, "right").cells("who") == ["a", "b"]
    assert data_table._sorted(sheet, "gone") is sheet


@pytest.mark.parametrize(
    ("point", "opened"),
    [
        ({"curve_number": 1, "point_index": 0}, [OVERDUE]),
        ({"curve_number": 2, "point_index": 1}, [SOON]),
        # An empty trace that only takes a color, a bar without a list, and nothing.
        ({"curve_number": 0, "point_index": 0}, []),
        ({"curve_number": 1, "point_index": 1}, []),
        (None, []),
    ],
)
def test_a_clicked_bar_opens_its_list(point: dict[str, int] | None, opened: list[Filters]) -> None:
    sheet = Sheet(
        name="x",
        window=None,
        columns=(
            column("age", ["young", "old"], CellKind.TEXT),
            column("late", [3, 0], drilldowns=[OVERDUE, None]),
            column("soon", [1, 2], drilldowns=[None, SOON]),
        ),
    )
    parts = {name: sheet.cells(name) for name in ("late", "soon")}
    chart = stacked_charts.across(
        sheet.cells("age"), parts, title="?", unit="applications", colors_from=1
    )
    st.session_state["bars"] = {"selection": {"points": [point] if point else []}}
    found: list[Filters] = []

    data_table._open_bar(chart, [sheet.drilldowns(key) for key in parts], "bars", found.append)

    assert found == opened


def test_nothing_is_clicked_before_the_first_click() -> None:
    chart = charts.category_bars(["a"], [1], title="?", unit="")

    assert charts.clicked(chart, "never drawn") is None


def test_months_of_approval_are_in_the_order_of_time_and_the_rest_comes_last() -> None:
    keys = ("2026-02", "2025-12", "not_approved", "2026-01", "rest")
    money = [column(key, [1], CellKind.USD) for key in keys]
    sheet = Sheet(
        name="x",
        window=None,
        columns=(column("day", [1]), *money, column("delivered", [1])),
    )

    drawn = approval_months.in_order(sheet)

    assert [one.key for one in drawn.columns] == [
        "day", "2025-12", "2026-01", "2026-02", "not_approved", "rest", "delivered",
    ]  # fmt: skip
    *months, not_approved, rest = approval_months.looks(drawn).values()
    assert len({look.color for look in months}) == 3
    assert not_approved.color == rest.color == stacked_charts.OTHERS
    assert not_approved.pattern != rest.pattern


@pytest.mark.parametrize("number", range(1, 10))
def test_ordered_colors_grow_lighter_and_stand_out_in_both_themes(number: int) -> None:
    colors = [
        look.color for look in stacked_charts.in_order([str(n) for n in range(number)]).values()
    ]
    shades = [luminance(color) for color in colors]

    assert shades == sorted(shades)
    assert len(set(colors)) == number
    for shade in shades:
        assert 1.05 / (shade + 0.05) >= 3
        assert (shade + 0.05) / (luminance("#14161c") + 0.05) >= 2.5


def luminance(color: str) -> float:
    """Return the relative luminance as WCAG defines it."""
    parts = [value / 255 for value in bytes.fromhex(color[1:])]
    red, green, blue = (
        one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
