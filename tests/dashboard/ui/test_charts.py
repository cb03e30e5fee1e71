"""Charts say a question, start at zero, name their minimum and hold no more than they show."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from dashboard.ui import charts, figures, stacked_charts
from program.periods import Window

FIRST = date(2026, 9, 24)
DAYS = [FIRST + timedelta(days=n) for n in range(60)]
WINDOW = Window(date(2026, 10, 24), date(2026, 11, 23))
VOLUMES = [Decimal(1000 * n) for n in range(60)]


def volume_chart() -> charts.Chart:
    return charts.daily_bars(
        DAYS,
        VOLUMES,
        title="Does <b>volume</b> hold up?",
        unit="USD",
        window=WINDOW,
        minimum=Decimal(20000),
        minimum_label="the <i>pace</i> of",
    )


def test_the_window_stands_out_and_is_shaded_to_the_day() -> None:
    figure = volume_chart().figure

    assert [o for o in figure.data[0].marker.opacity if o == 1] == [1] * 30
    shade = next(shape for shape in figure.layout.shapes if shape.type == "rect")
    assert (shade.x0, shade.x1) == ("2026-10-23T12:00", "2026-11-22T12:00")


def test_the_minimum_is_a_line_with_its_label() -> None:
    figure = volume_chart().figure
    rule = next(shape for shape in figure.layout.shapes if shape.type == "line")

    assert rule.y0 == rule.y1 == 20000
    assert [note.text for note in figure.layout.annotations] == [
        "╌╌ the &lt;i&gt;pace&lt;/i&gt; of 20 k USD"
    ]


def test_typed_text_cannot_become_a_tag() -> None:
    figure = volume_chart().figure
    named = charts.lines(DAYS, {"<a href='x'>a</a>": VOLUMES}, title="Who?", unit="USD").figure

    assert figure.layout.title.text == "Does &lt;b&gt;volume&lt;/b&gt; hold up?"
    assert named.data[0].name == "&lt;a href='x'&gt;a&lt;/a&gt;"


def test_axes_start_at_zero_and_speak_the_unit() -> None:
    axis = volume_chart().figure.layout.yaxis

    assert axis.rangemode == "tozero"
    assert list(zip(axis.tickvals, axis.ticktext, strict=True))[:2] == [(0, "0"), (20000, "20 k")]


def test_hover_text_is_exact_and_an_unknown_is_a_gap() -> None:
    chart = charts.daily_bars(
        DAYS[:2], [Decimal("9007199254740993.01"), None], title="How much?", unit="USD"
    )

    assert list(chart.figure.data[0].customdata) == ["9,007,199,254,740,993.01 USD", "unknown"]
    assert chart.figure.data[0].y[1] is None


def test_a_step_between_gaps_or_alone_is_a_point_and_a_gap_is_nothing() -> None:
    def points(*values: int | None) -> list[bool]:
        days = DAYS[: len(values)]
        (line,) = charts.lines(days, {"open": values}, title="?", unit="users").figure.data
        assert line.mode == "lines+markers"
        assert not line.connectgaps
        return [size > 0 for size in line.marker.size]

    assert points(3) == [True]
    assert points(3, 4) == [False, False]
    assert points(3, None, 4, None, 5, 6) == [True, False, True, False, False, False]


def test_a_single_step_is_named_once_and_leaves_room_beside_it() -> None:
    for chart in (
        charts.lines(DAYS[:1], {"open": [3]}, title="?", unit="users"),
        charts.daily_bars(DAYS[:1], [3], title="?", unit="users"),
        stacked_charts.over_time(DAYS[:1], {"a": [3], "b": [4]}, title="?", unit="users"),
    ):
        axis = chart.figure.layout.xaxis
        assert list(axis.tickvals) == DAYS[:1]
        assert axis.range[0] < DAYS[0] < axis.range[1]


@pytest.mark.parametrize(
    ("starts", "widths"),
    [
        ([0], [1]),
        ([0, 1, 2], [1, 1, 1]),
        ([0, 1, 8, 15], [1, 7, 7, 7]),
    ],
)
def test_bars_are_as_wide_as_their_steps(starts: list[int], widths: list[int]) -> None:
    days = [FIRST + timedelta(days=n) for n in starts]
    values = [1] * len(days)
    for chart in (
        charts.daily_bars(days, values, title="?", unit="users"),
        stacked_charts.over_time(days, {"a": values}, title="?", unit="users"),
    ):
        (bars, *_) = chart.figure.data
        assert [round(width / 86_400_000 / 0.82) for width in bars.width] == widths
        assert all(offset <= 0 for offset in bars.offset)


def test_days_of_another_year_are_named_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for year, named in ((DAYS[0].year, False), (DAYS[0].year + 1, True)):
        monkeypatch.setattr(figures, "this_year", lambda year=year: year)
        axis = volume_chart().figure.layout.xaxis
        assert ("%Y" in axis.tickformat) is named


def test_the_words_for_those_who_do_not_see_it() -> None:
    chart = charts.monthly_bars(
        [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)],
        [40, 12, None],
        title="How many are active?",
        unit="users",
    )

    assert chart.alt == (
        "How many are active? Highest: 40 users in Jan 2026. Last: 12 users in Feb 2026."
    )


@pytest.mark.parametrize(("points", "series"), [(1001, 1), (501, 2)])
def test_more_points_than_can_be_seen_are_refused(points: int, series: int) -> None:
    days = [FIRST + timedelta(days=n) for n in range(points)]

    with pytest.raises(ValueError, match="1000 or fewer"):
        charts.lines(days, {str(n): [0] * points for n in range(series)}, title="?", unit="x")


@pytest.mark.parametrize(
    ("ceiling", "expected"),
    [(0, [0]), (3, [0, 1, 2, 3]), (15, [0, 5, 10, 15]), (31.2e6, [0, 1e7, 2e7, 3e7, 4e7])],
)
def test_ticks_are_round_numbers(ceiling: float, expected: list[float]) -> None:
    assert expected == charts.ticks_up_to(ceiling)


def test_no_value_at_all_can_be_drawn() -> None:
    chart = charts.daily_bars(DAYS, [None] * 60, title="Anything?", unit="users", window=WINDOW)

    assert chart.alt == "Anything? Nothing is known for this time."
