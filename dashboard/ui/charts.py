"""Charts from plain values. Pure; only `draw` touches the screen.

Colors come from the theme, so that charts suit light and dark. Values become binary numbers only
here, for lengths on a screen; hover texts are made from the exact ones.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import reduce
from math import ceil, floor, log10
from typing import Any

# Imported completely before anything is drawn: Plotly checks for pandas and would use one that
# another session is still importing.
import pandas as pd  # noqa: F401
import plotly.graph_objects as go
import streamlit as st

from dashboard.ui import figures, state
from dashboard.ui.safe_text import escape_chart
from program.periods import ONE_DAY, Window, months_later

Value = Decimal | int | None
# Part of a figure's layout: what Plotly calls its properties, one within the other.
Layout = Mapping[str, Any]
MOST_POINTS = 1_000
MOST_LINES = 6
HEIGHT = 230
# Space above the bars: the title, and below it a row for the legend or the minimum.
TITLE_ROOM, TWO_ROWS_ROOM = 40, 58
# Grays that stand out slightly from white and from near-black.
SHADE = "rgba(125, 132, 150, 0.12)"
RULE = "rgba(125, 132, 150, 0.95)"
OUTSIDE_OPACITY = 0.45
POINT = 8
BAR_SHARE, DAY_MS = 0.82, 86_400_000
MOST_TICKS, MOST_MONTH_TICKS = 7, 13
DASHED = {"width": 1.5, "dash": "dash"}
# What several layouts may each add to.
ADDED = ("shapes", "annotations")
MONTH_TICKS = "%b\n%Y"
NO_TOOLS = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}


@dataclass(frozen=True, slots=True)
class Minimum:
    """A minimum drawn as a line across a chart; ``label`` precedes its value."""

    value: Decimal | int
    label: str = "minimum"


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure, and its text alternative; its first ``skipped`` traces are empty."""

    figure: go.Figure
    alt: str
    skipped: int = 0


def draw(
    chart: Chart,
    *,
    key: str,
    picture: str | None = None,
    on_bar: Callable[[], None] | None = None,
) -> None:
    """Draw the chart; with ``picture``, a file name stem, it can be saved as PNG.

    A click on a bar calls ``on_bar``, which asks `clicked` for it.
    """
    tools = NO_TOOLS if picture is None else _camera(picture)
    st.plotly_chart(
        chart.figure,
        theme="streamlit",
        config=tools,
        alt=chart.alt,
        key=key,
        on_select=on_bar or "ignore",
        selection_mode="points",
    )


def clicked(chart: Chart, key: str) -> tuple[int, int] | None:
    """Return the series and the place in it of the bar that was just clicked."""
    points = (state.typed(key) or {}).get("selection", {}).get("points", [])
    if not points:
        return None
    series, place = points[0].get("curve_number"), points[0].get("point_index")
    if series is None or place is None or series < chart.skipped:
        return None
    return series - chart.skipped, place


def _camera(stem: str) -> dict[str, Any]:
    """Show one button, and only while the pointer is over the chart."""
    return {
        **NO_TOOLS,
        "displayModeBar": "hover",
        "displaylogo": False,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"format": "png", "scale": 2, "filename": stem},
    }


def daily_bars(
    days: Sequence[date],
    values: Sequence[Value],
    *,
    title: str,
    unit: str,
    window: Window | None = None,
    minimum: Minimum | None = None,
) -> Chart:
    """Return one bar per day; days of ``window`` are shaded and emphasized."""
    check(days, values)
    outside = [window is not None and day not in window for day in days]
    bars = _dated_bars(places(days), values, hover(values, unit), outside)
    shaded = {"shapes": [_shade(window)]} if window else {}
    figure = framed(
        [bars],
        title,
        ceiling_of([values], minimum),
        unit,
        named_days(days),
        shaded,
        _ruled(minimum, unit),
    )
    return Chart(figure, _alt(title, days, values, unit))


def step_bars(
    starts: Sequence[date],
    values: Sequence[Value],
    *,
    title: str,
    unit: str,
    ends: Sequence[date] = (),
    notes: Sequence[str] = (),
) -> Chart:
    """Return one bar per step of days. ``ends`` are the exclusive ends of longer steps.

    ``notes`` say what is missing from each bar, which also makes it fainter.
    """
    check(starts, values)
    faint = [bool(note) for note in notes] or [False] * len(starts)
    bars = _dated_bars(places(starts, ends), values, hover(values, unit, notes), faint)
    figure = framed([bars], title, ceiling_of([values]), unit, named_days(starts, ends))
    return Chart(figure, _alt(title, starts, values, unit))


def monthly_bars(
    months: Sequence[date],
    values: Sequence[Value],
    *,
    title: str,
    unit: str,
    minimum: Minimum | None = None,
    running: date | None = None,
) -> Chart:
    """Return one bar per month; ``months`` are first days of months.

    That of the month from ``running`` on is fainter, and says that it is not over.
    """
    check(months, values)
    notes = ["still running" if month == running else "" for month in months]
    ends = [months_later(month, 1) for month in months]
    bars = go.Bar(
        **places(months, ends),
        y=lengths(values),
        customdata=hover(values, unit, notes),
        hovertemplate="%{x|%b %Y}<br>%{customdata}<extra></extra>",
        marker={
            "line": {"width": 0},
            "opacity": opacities(notes),
        },
    )
    named = _named_steps(months, ends, ticks=MONTH_TICKS, most=MOST_MONTH_TICKS)
    ceiling = ceiling_of([values], minimum)
    figure = framed([bars], title, ceiling, unit, named, _ruled(minimum, unit))
    return Chart(figure, _alt(title, months, values, unit, spoken=_in_month))


def category_bars(
    labels: Sequence[str], values: Sequence[Value], *, title: str, unit: str
) -> Chart:
    """Return one bar per label, in the given order; labels are typed text."""
    if len(labels) != len(values) or len(labels) > MOST_POINTS:
        raise ValueError(f"{len(labels)} labels and {len(values)} values")
    shown = [escape_chart(label)[:40] for label in labels]
    bars = go.Bar(
        x=list(range(len(labels))),
        y=lengths(values),
        customdata=[
            f"{label}<br>{value}" for label, value in zip(shown, hover(values, unit), strict=True)
        ],
        hovertemplate="%{customdata}<extra></extra>",
        marker={"line": {"width": 0}},
    )
    named = {
        "tickmode": "array",
        "tickvals": list(range(len(labels))),
        "ticktext": [label[:18] for label in shown],
    }
    figure = framed([bars], title, ceiling_of([values]), unit, {"xaxis": named})
    known = [(v, label) for v, label in zip(values, labels, strict=True) if v is not None]
    if not known:
        return Chart(figure, f"{title} Nothing is known.")
    most, where = max(known)
    return Chart(figure, f"{title} Highest: {exact(most, unit)}, {where}.")


def lines(
    days: Sequence[date],
    series: Mapping[str, Sequence[Value]],
    *,
    title: str,
    unit: str,
    ends: Sequence[date] = (),
) -> Chart:
    """Return one line per series over the same days; a missing value is a gap, never a zero.

    ``ends`` are the exclusive ends of longer steps than days.
    """
    if not 1 <= len(series) <= MOST_LINES:
        raise ValueError(f"{len(series)} lines; draw 1 to {MOST_LINES}, the rest as a table")
    for values in series.values():
        check(days, values, lines=len(series))
    drawn = [_line(name, days, values, unit) for name, values in series.items()]
    figure = framed(
        drawn,
        title,
        ceiling_of(list(series.values())),
        unit,
        named_days(days, ends),
        {"hovermode": "x unified"},
        {"showlegend": True, "margin": {"t": TWO_ROWS_ROOM}} if len(series) > 1 else {},
    )
    texts = [_alt(name, days, values, unit) for name, values in series.items()]
    return Chart(figure, f"{title} {' '.join(texts)}")


def named_days(days: Sequence[date], ends: Sequence[date] = ()) -> Layout:
    """Label the axis with days, and with years below unless all are this year's; or with months."""
    if _are_months(days, ends):
        named = _named_steps(days, ends, ticks=MONTH_TICKS, most=MOST_MONTH_TICKS)
        return _joined(named, {"xaxis": {"hoverformat": "%b %Y"}})
    this = figures.this_year()
    ticks = "%-d %b" if all(day.year == this for day in days) else "%-d %b\n%Y"
    return _named_steps(days, ends, ticks=ticks, most=MOST_TICKS)


def _are_months(starts: Sequence[date], ends: Sequence[date]) -> bool:
    """Whether the steps are calendar months, of which the last may be running."""
    if not ends or any(start.day != 1 for start in starts):
        return False
    return any(end == months_later(start, 1) for start, end in zip(starts, ends, strict=True))


def _named_steps(starts: Sequence[date], ends: Sequence[date], *, ticks: str, most: int) -> Layout:
    """Label the beginnings of steps, at most ``most``.

    Left alone, Plotly labels few steps with the same day several times, and many with days on
    which no step begins.
    """
    every = max(1, ceil(len(starts) / most))
    axis: dict[str, Any] = {
        "type": "date",
        "tickformat": ticks,
        "tickmode": "array",
        "tickvals": list(starts[::every]),
    }
    if len(starts) == 1:
        # A single step would be as wide as the chart.
        (start,), (end,) = starts, ends or _next_days(starts)
        beside = 2 * (end - start)
        axis["range"] = [start - beside, end - ONE_DAY + beside]
    return {"xaxis": axis}


def places(starts: Sequence[date], ends: Sequence[date] = ()) -> dict[str, Any]:
    """Return positions and widths of bars: days around midnight, longer steps up to ``ends``.

    Left alone, Plotly draws a single bar very thin, and weeks as thin as a shorter one beside them.
    """
    ends = ends or _next_days(starts)
    days = [(end - start).days for start, end in zip(starts, ends, strict=True)]
    widths = [BAR_SHARE * DAY_MS * length for length in days]
    centered = max(days, default=1) == 1
    offsets = [-width / 2 if centered else 0 for width in widths]
    return {"x": list(starts), "width": widths, "offset": offsets}


def _next_days(days: Sequence[date]) -> list[date]:
    return [day + ONE_DAY for day in days]


def _dated_bars(
    at: Mapping[str, Any], values: Sequence[Value], texts: Sequence[str], faint: Sequence[bool]
) -> go.Bar:
    return go.Bar(
        **at,
        y=lengths(values),
        customdata=texts,
        hovertemplate="%{x|%-d %b %Y}<br>%{customdata}<extra></extra>",
        marker={
            "opacity": opacities(faint),
            "line": {"width": 0},
        },
    )


def opacities(faint: Sequence[object]) -> list[float]:
    """Return the opacity of each bar; those for which something is said are fainter."""
    return [OUTSIDE_OPACITY if one else 1 for one in faint]


def _line(name: str, days: Sequence[date], values: Sequence[Value], unit: str) -> go.Scatter:
    return go.Scatter(
        name=escape_chart(name),
        x=list(days),
        y=lengths(values),
        customdata=hover(values, unit),
        hovertemplate="%{customdata}",
        mode="lines+markers",
        line={"width": 2},
        # A line between two gaps has no length, so it gets a point.
        marker={"size": [POINT if alone else 0 for alone in _alone(values)]},
        connectgaps=False,
    )


def _alone(values: Sequence[Value]) -> list[bool]:
    """Return whether each value is between two missing ones."""
    missing = [True, *(value is None for value in values), True]
    return [
        not missing[place] and missing[place - 1] and missing[place + 1]
        for place in range(1, len(missing) - 1)
    ]


def framed(traces: list[Any], title: str, ceiling: float, unit: str, *layouts: Layout) -> go.Figure:
    """Return a figure with the common layout: title, one height, no tools, axis from zero.

    Each of ``layouts`` adds to it or replaces parts of it. All at once, since each later update of
    a figure takes as long as making it.
    """
    ticks = ticks_up_to(ceiling)
    words = escape_chart(title)
    common: Layout = {
        "title": {"text": words, "font": {"size": 14}, "x": 0, "y": 0.97, "yanchor": "top"},
        "height": HEIGHT,
        "margin": {"l": 8, "r": 8, "t": TITLE_ROOM, "b": 8},
        "bargap": 0.18,
        "showlegend": False,
        "legend": {"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0, "xanchor": "left"},
        "hoverlabel": {"align": "left"},
        "dragmode": False,
        "xaxis": {"fixedrange": True, "showgrid": False, "automargin": True},
        "yaxis": {
            "fixedrange": True,
            "rangemode": "tozero",
            "automargin": True,
            "tickvals": ticks,
            "ticktext": [in_short(tick, unit) for tick in ticks],
        },
    }
    return go.Figure(traces, reduce(_joined, layouts, common))


def _joined(layout: Layout, more: Layout) -> Layout:
    """Return both layouts as one: parts are joined, lists are added, of other values the later."""
    both = {**layout, **more}
    for name in layout.keys() & more.keys():
        first, then = layout[name], more[name]
        if isinstance(first, Mapping):
            both[name] = _joined(first, then)
        elif name in ADDED:
            both[name] = [*first, *then]
    return both


def _shade(window: Window) -> Layout:
    # A bar is centered on midnight: noon to noon covers exactly the window's bars.
    return {
        "type": "rect",
        "x0": f"{window.start - timedelta(days=1)}T12:00",
        "x1": f"{window.last_day}T12:00",
        "y0": 0,
        "y1": 1,
        "xref": "x",
        "yref": "y domain",
        "fillcolor": SHADE,
        "line": {"width": 0},
        "layer": "below",
    }


def upright(at: float, color: str = RULE) -> Layout:
    """Return a dashed line from the bottom to the top of a figure, one of its ``shapes``."""
    return {
        "type": "line",
        "x0": at,
        "x1": at,
        "y0": 0,
        "y1": 1,
        "xref": "x",
        "yref": "y domain",
        "line": {"color": color, **DASHED},
    }


def _ruled(minimum: Minimum | None, unit: str) -> Layout:
    """Draw the minimum across the bars, with its words above them, where none overlaps the text."""
    if minimum is None:
        return {}
    height = float(minimum.value)
    line = {
        "type": "line",
        "x0": 0,
        "x1": 1,
        "y0": height,
        "y1": height,
        "xref": "x domain",
        "yref": "y",
        "line": {"color": RULE, **DASHED},
    }
    words = {
        "text": escape_chart(f"╌╌ {minimum.label} {exact(minimum.value, unit, short=True)}"),
        "font": {"size": 11},
        "xref": "paper",
        "x": 1,
        "xanchor": "right",
        "yref": "paper",
        "y": 1,
        "yanchor": "bottom",
        "showarrow": False,
    }
    return {"shapes": [line], "annotations": [words], "margin": {"t": TWO_ROWS_ROOM}}


def check(days: Sequence[date], values: Sequence[Value], *, lines: int = 1) -> None:
    """Raise ValueError if lengths differ or there are more points than a chart shows."""
    if len(days) != len(values):
        raise ValueError(f"{len(days)} days and {len(values)} values")
    if len(days) * lines > MOST_POINTS:
        raise ValueError(f"{len(days) * lines} points; sum them up to {MOST_POINTS} or fewer first")


def lengths(values: Sequence[Value]) -> list[float | None]:
    """Return values as lengths on a screen."""
    return [None if value is None else float(value) for value in values]


def hover(values: Sequence[Value], unit: str, notes: Sequence[str] = ()) -> list[str]:
    """Return the exact values for hovering, each with its note."""
    texts = [exact(value, unit) for value in values]
    if notes:
        texts = [", ".join(filter(None, pair)) for pair in zip(texts, notes, strict=True)]
    return [escape_chart(words) for words in texts]


def ceiling_of(series: Sequence[Sequence[Value]], minimum: Minimum | None = None) -> float:
    """Return the largest of all values and the minimum."""
    heights = [float(value) for values in series for value in values if value is not None]
    return max([*heights, float(minimum.value) if minimum else 0.0, 0.0])


def ticks_up_to(ceiling: float) -> list[float]:
    """Return about four even ticks from zero to the first that reaches ``ceiling``."""
    if ceiling <= 0:
        return [0.0]
    step = max(_even_step(ceiling), 1.0)
    return [step * index for index in range(ceil(ceiling / step) + 1)]


def ticks_between(start: float, end: float, *, least: float = 0.0) -> list[float]:
    """Return about four even ticks from ``start`` to ``end``, at least ``least`` apart."""
    step = max(_even_step(end - start), least)
    return [step * index for index in range(ceil(start / step), floor(end / step) + 1)]


def _even_step(span: float) -> float:
    """Return a round number that fits about four times."""
    rough = span / 4
    size = 10.0 ** floor(log10(rough))
    return next(factor * size for factor in (1, 2, 2.5, 5, 10) if factor * size >= rough)


def in_short(value: float, unit: str) -> str:
    """Format a tick of an axis."""
    if unit == "USD":
        return figures.usd(Decimal(repr(value)))
    return figures.count(round(value))


def exact(value: Value, unit: str, *, short: bool = False) -> str:
    """Format a value with its unit."""
    if value is None:
        return figures.UNKNOWN
    if unit == "USD" and short:
        return f"{figures.usd(Decimal(value))} USD"
    return figures.usd_exact(Decimal(value)) if unit == "USD" else f"{value:,} {unit}"


def _on_day(day: date) -> str:
    return f"on {figures.day(day, year=True)}"


def _in_month(month: date) -> str:
    return f"in {figures.month(month)}"


def _alt(
    title: str,
    days: Sequence[date],
    values: Sequence[Value],
    unit: str,
    *,
    spoken: Callable[[date], str] = _on_day,
) -> str:
    known = [(value, day) for value, day in zip(values, days, strict=True) if value is not None]
    if not known:
        return f"{title} Nothing is known for this time."
    most, when = max(known)
    last, last_day = known[-1]
    return (
        f"{title} Highest: {exact(most, unit)} {spoken(when)}. "
        f"Last: {exact(last, unit)} {spoken(last_day)}."
    )
