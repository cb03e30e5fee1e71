"""Charts ask a question, start at zero, label their minimum and limit their points."""

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
        minimum=charts.Minimum(Decimal(20000), "the <i>pace</i> of"),
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


def over_steps(starts: list[date], ends: list[date] | None = None) -> list[charts.Chart]:
    """Return every chart over time, with the same steps."""
    values, until = [3] * len(starts), ends or [day + timedelta(days=1) for day in starts]
    return [
        charts.lines(starts, {"open": values}, title="?", unit="users"),
        charts.step_bars(starts, values, title="?", unit="users", ends=ends or ()),
        stacked_charts.over_time(
            starts, {"a": values, "b": values}, title="?", unit="users", ends=until
        ),
    ]


@pytest.mark.parametrize(("days", "named"), [(1, 1), (2, 2), (3, 3), (7, 7), (8, 4), (90, 7)])
def test_each_label_is_the_beginning_of_a_step_and_appears_once(days: int, named: int) -> None:
    for chart in over_steps(DAYS[:1] if days == 1 else [FIRST + timedelta(n) for n in range(days)]):
        axis = chart.figure.layout.xaxis
        assert axis.tickmode == "array"
        assert len(set(axis.tickvals)) == len(axis.tickvals) == named
        assert set(axis.tickvals) <= set(chart.figure.data[0].x)


@pytest.mark.parametrize("months", [1, 2, 12])
def test_each_month_is_named_once_and_as_wide_as_it_is(months: int) -> None:
    starts = [date(2025, month, 1) for month in range(1, months + 1)]
    chart = charts.monthly_bars(starts, [3] * months, title="?", unit="users")

    axis, (bars,) = chart.figure.layout.xaxis, chart.figure.data
    assert list(axis.tickvals) == starts
    lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    assert [round(width / 86_400_000 / 0.82) for width in bars.width] == lengths[:months]
    if months == 1:
        assert axis.range[0] < starts[0] < axis.range[1]


def test_months_are_named_as_such_in_every_chart_over_time_and_other_steps_by_days() -> None:
    def ticks(starts: list[date], ends: list[date]) -> set[str]:
        values = [3] * len(starts)
        drawn = [
            *over_steps(starts, ends)[1:],
            charts.lines(starts, {"open": values}, title="?", unit="users", ends=ends),
        ]
        return {chart.figure.layout.xaxis.tickformat.split("\n")[0] for chart in drawn}

    first, second, third = date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1)
    assert ticks([first, second], [second, third]) == {"%b"}
    assert ticks([first], [second]) == {"%b"}
    # The last one is running.
    assert ticks([first, second], [second, date(2025, 2, 3)]) == {"%b"}
    assert ticks([date(2024, 12, 9), first], [first, second]) == {"%-d %b"}
    assert ticks([first, second], [first + timedelta(7), second + timedelta(7)]) == {"%-d %b"}
    assert ticks([first], [date(2025, 1, 2)]) == {"%-d %b"}


def test_a_bar_with_a_note_is_fainter_in_a_stack_too() -> None:
    steps = [date(2025, 1, 1), date(2025, 2, 1)]
    stack = stacked_charts.over_time(
        steps, {"a": [1, 2]}, title="?", unit="", ends=steps, notes=["", "still running"]
    )

    whole, running = stack.figure.data[0].marker.opacity
    assert running < whole == 1


def test_a_single_step_leaves_room_beside_it() -> None:
    for days in (1, 7, 31):
        end = FIRST + timedelta(days=days)
        for chart in over_steps([FIRST], [end]):
            axis = chart.figure.layout.xaxis
            assert axis.range[0] < FIRST
            assert axis.range[1] >= (FIRST if chart.figure.data[0].type == "scatter" else end)


@pytest.mark.parametrize(
    ("starts", "end", "lengths"),
    [
        ([0], 1, [1]),
        ([0], 7, [7]),
        ([0, 1, 2], 3, [1, 1, 1]),
        ([0, 1, 8, 15], 18, [1, 7, 7, 3]),
        ([0, 1], 30, [1, 29]),
    ],
)
def test_bars_are_as_wide_as_their_steps(starts: list[int], end: int, lengths: list[int]) -> None:
    days = [FIRST + timedelta(days=n) for n in starts]
    for chart in over_steps(days, [*days[1:], FIRST + timedelta(days=end)])[1:]:
        (bars, *_) = chart.figure.data
        assert [round(width / 86_400_000 / 0.82) for width in bars.width] == lengths
        # Days are centered on midnight, longer steps start at their first day.
        around = {True} if max(lengths) == 1 else {False}
        assert {offset < 0 for offset in bars.offset} == around


def test_days_with_others_missing_between_them_stay_days() -> None:
    days = [FIRST, FIRST + timedelta(days=3), FIRST + timedelta(days=4)]
    (bars,) = charts.daily_bars(days, [1, 1, 1], title="?", unit="users").figure.data

    assert [round(width / 86_400_000 / 0.82) for width in bars.width] == [1, 1, 1]


def test_days_of_another_year_are_named_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for year, named in ((DAYS[0].year, False), (DAYS[0].year + 1, True)):
        monkeypatch.setattr(figures, "this_year", lambda year=year: year)
        axis = volume_chart().figure.layout.xaxis
        assert ("%Y" in axis.tickformat) is named


def test_every_chart_has_a_text_alternative() -> None:
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


@pytest.mark.parametrize(
    ("start", "end", "least", "expected"),
    [
        (0, 0.65, 0, [0, 0.2, 0.4, 0.6]),
        (0.13, 0.9, 0, [0.2, 0.4, 0.6, 0.8]),
        (-0.5, 1.5, 0, [-0.5, 0, 0.5, 1, 1.5]),
        (0, 2, 1, [0, 1, 2]),
    ],
)
def test_ticks_within_a_range_are_round_numbers_too(
    start: float, end: float, least: float, expected: list[float]
) -> None:
    assert charts.ticks_between(start, end, least=least) == pytest.approx(expected)


def test_no_value_at_all_can_be_drawn() -> None:
    chart = charts.daily_bars(DAYS, [None] * 60, title="Anything?", unit="users", window=WINDOW)

    assert chart.alt == "Anything? Nothing is known for this time."
