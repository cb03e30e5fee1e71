"""Charts of parts of a whole: over time, across groups, and a grid of shares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import plotly.graph_objects as go

from dashboard.ui import figures
from dashboard.ui.charts import (
    HEIGHT,
    MOST_POINTS,
    TITLE_ROOM,
    TWO_ROWS_ROOM,
    Chart,
    Layout,
    Value,
    ceiling_of,
    check,
    exact,
    framed,
    hover,
    in_short,
    lengths,
    named_days,
    opacities,
    places,
    ticks_up_to,
)
from dashboard.ui.safe_text import escape_chart

Series = Mapping[str, Sequence[Value]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The fill of a part that means something; ``pattern`` is one of Plotly's, for hatching.

    The color must stand out from white and from near-black, and from the others for eyes that
    see fewer colors.
    """

    color: str
    pattern: str = ""


NO_LOOKS: Mapping[str, Look] = MappingProxyType({})
MOST_PARTS = 9
# A grid's shades end where its text, which Plotly colors by them, would be hard to read.
PALEST = 3
# Ever lighter, in hues that eyes that see fewer colors tell apart; each stands out from white and
# from near-black.
ORDERED = ((85, 80, 190), (44, 118, 170), (30, 138, 134), (84, 148, 70), (160, 150, 30))
OTHERS = "#8b93a5"
ROW_HEIGHT = 34
ROOM = 96
ONE_LEGEND_ROW = 4
LEGEND_ROOM = 60
LEGEND = {"traceorder": "normal", "font": {"size": 11}}
FIRST_ON_TOP = {"autorange": "reversed", "type": "category", "showgrid": False}


def over_time(
    starts: Sequence[date],
    parts: Series,
    *,
    title: str,
    unit: str,
    ends: Sequence[date],
    notes: Sequence[str] = (),
    looks: Mapping[str, Look] = NO_LOOKS,
) -> Chart:
    """Return stacked bars; ``parts`` are in legend order, from the bottom up.

    ``ends`` are the days after each step; ``notes`` say what is missing from each, which also
    makes it fainter; ``looks`` set the colors of parts by name.
    """
    _check_parts(parts)
    for values in parts.values():
        check(starts, values, lines=len(parts))
    bars = [
        go.Bar(
            name=escape_chart(name),
            **places(starts, ends),
            y=lengths(values),
            customdata=hover(values, unit, notes),
            hovertemplate="%{customdata}",
            marker={**_marker(looks.get(name)), "opacity": opacities(notes) or 1},
        )
        for name, values in parts.items()
    ]
    totals = [sum((v[i] or 0) for v in parts.values()) for i in range(len(starts))]
    figure = framed(
        bars,
        title,
        ceiling_of([totals]),
        unit,
        named_days(starts, ends),
        {"barmode": "stack", "hovermode": "x unified"},
        _legend_above(len(parts)),
    )
    return Chart(figure, f"{title} {_alternative(parts, unit)}")


def across(
    labels: Sequence[str],
    parts: Series,
    *,
    title: str,
    unit: str,
    colors_from: int = 0,
    looks: Mapping[str, Look] = NO_LOOKS,
) -> Chart:
    """Return horizontal bars, one per label, the first on top; stacked for several parts.

    ``colors_from`` skips so many of the theme's colors, so that a part has the same color in every
    chart; ``looks`` set those of parts by name.
    """
    _check_parts(parts)
    if any(len(values) != len(labels) for values in parts.values()):
        raise ValueError("every part needs a value for each label")
    if len(labels) * len(parts) > MOST_POINTS:
        raise ValueError(f"{len(labels)} bars; draw the largest, the rest as a table")
    bars = [
        go.Bar(
            name=escape_chart(name),
            y=[escape_chart(label) for label in labels],
            x=lengths(values),
            orientation="h",
            customdata=hover(values, unit),
            hovertemplate="%{y}: %{customdata}<extra>%{fullData.name}</extra>",
            text=_inside(values) if len(parts) == 1 else None,
            textposition="auto",
            textangle=0,
            marker=_marker(looks.get(name)),
        )
        for name, values in parts.items()
    ]
    # An empty trace uses up a color, but only if it has a point.
    passed_over = [
        go.Bar(x=[None], y=[labels[0] if labels else ""], orientation="h", showlegend=False)
        for _ in range(colors_from)
    ]
    totals = [sum(v[i] or 0 for v in parts.values()) for i in range(len(labels))]
    height = ROOM + ROW_HEIGHT * max(len(labels), 1)
    figure = framed(
        [*passed_over, *bars],
        title,
        0,
        unit,
        _laid_down(ceiling_of([totals]), unit),
        {"height": height},
        _legend_below(height) if len(parts) > 1 else {},
    )
    return Chart(figure, f"{title} {_alternative(parts, unit, labels)}", skipped=colors_from)


def in_order(names: Sequence[str], *, others: Sequence[str] = ()) -> dict[str, Look]:
    """Return looks for parts that have an order, such as months: from dark blue to light olive.

    ``others`` are parts beside them, in gray; all but the first are hatched.
    """
    last = max(len(names) - 1, 1)
    ordered = {name: Look(color=_between(place / last)) for place, name in enumerate(names)}
    beside = {
        name: Look(color=OTHERS, pattern="/" if place else "") for place, name in enumerate(others)
    }
    return ordered | beside


def _between(share: float) -> str:
    """Return the color at this share of the way along ORDERED."""
    place = share * (len(ORDERED) - 1)
    low = min(int(place), len(ORDERED) - 2)
    mixed = (
        round(one + (two - one) * (place - low))
        for one, two in zip(ORDERED[low], ORDERED[low + 1], strict=True)
    )
    return f"#{bytes(mixed).hex()}"


def _marker(look: Look | None) -> dict[str, Any]:
    plain: dict[str, Any] = {"line": {"width": 0}}
    if look is None:
        return plain
    pattern = {"shape": look.pattern, "fgopacity": 0.5, "size": 6} if look.pattern else {}
    return {**plain, "color": look.color, "pattern": pattern}


def grid(
    rows: Sequence[str],
    columns: Sequence[str],
    shares: Sequence[Sequence[Decimal | None]],
    *,
    title: str,
    row_name: str,
    column_name: str,
) -> Chart:
    """Return shares as a grid of shades with percentages; unknown is blank."""
    if len(rows) * len(columns) > MOST_POINTS:
        raise ValueError(f"{len(rows) * len(columns)} fields; show fewer rows or columns")
    words = [["" if s is None else figures.whole_percent(s) for s in line] for line in shares]
    heat = go.Heatmap(
        x=list(columns),
        y=list(rows),
        z=[[None if s is None else float(s) for s in line] for line in shares],
        text=words,
        texttemplate="%{text}",
        zmin=0,
        zmax=PALEST,
        showscale=False,
        xgap=2,
        ygap=2,
        hoverongaps=False,
        hovertemplate=f"{row_name} %{{y}}, {column_name} %{{x}}: %{{text}}<extra></extra>",
    )
    named = {"tickmode": "array", "tickvals": list(rows), "ticktext": list(rows)}
    layout = {
        "height": ROOM + 26 * len(rows),
        "margin": {"t": TWO_ROWS_ROOM + 30},
        "xaxis": {"type": "category", "side": "top", "title": {"text": column_name}},
        "yaxis": {**FIRST_ON_TOP, **named},
    }
    figure = framed([heat], title, 0, "", layout)
    first = next((line[0] for line in words if line), "")
    return Chart(figure, f"{title} {len(rows)} rows; the first field says {first or 'nothing'}.")


def marks(
    figure: go.Figure, days: Sequence[date], values: Sequence[Decimal], words: Sequence[str]
) -> None:
    """Mark the bars of ``days``, with ``words`` on hover."""
    figure.add_trace(
        go.Scatter(
            name="stands out",
            x=list(days),
            y=lengths(values),
            customdata=[escape_chart(word) for word in words],
            hovertemplate="%{customdata}<extra></extra>",
            mode="markers",
            marker={"symbol": "diamond", "size": 9, "line": {"width": 1}},
        )
    )


def _laid_down(ceiling: float, unit: str) -> Layout:
    """Return the axes of horizontal bars."""
    ticks = ticks_up_to(ceiling)
    return {
        "barmode": "stack",
        "xaxis": {
            "rangemode": "tozero",
            "showgrid": True,
            "tickvals": ticks,
            "ticktext": [in_short(tick, unit) for tick in ticks],
        },
        "yaxis": {**FIRST_ON_TOP, "tickmode": "auto", "tickvals": None, "ticktext": None},
    }


def _legend_above(parts: int) -> Layout:
    """Return the legend of upright bars: above them, or below if it takes several rows."""
    if parts == 1:
        return {}
    if parts <= ONE_LEGEND_ROW:
        return {"showlegend": True, "margin": {"t": TWO_ROWS_ROOM}, "legend": LEGEND}
    # Below the bars, rows do not reduce the plot.
    legend = {**LEGEND, "y": -0.22, "yanchor": "top"}
    return {"showlegend": True, "height": HEIGHT + LEGEND_ROOM, "legend": legend}


def _legend_below(height: int) -> Layout:
    """Return the legend of horizontal bars in a figure of this height.

    Beside long labels the row is narrow and wraps: at the bottom, with room for two.
    """
    return {
        "showlegend": True,
        "height": height + LEGEND_ROOM - (TWO_ROWS_ROOM - TITLE_ROOM),
        "margin": {"b": LEGEND_ROOM + 24},
        "legend": {**LEGEND, "y": 0, "yref": "container", "yanchor": "bottom"},
    }


def _inside(values: Sequence[Value]) -> list[str]:
    return [figures.UNKNOWN if value is None else f"{value:,}" for value in values]


def _check_parts(parts: Series) -> None:
    if not 1 <= len(parts) <= MOST_PARTS:
        raise ValueError(f"{len(parts)} parts; draw 1 to {MOST_PARTS}, the rest as one")


def _alternative(parts: Series, unit: str, labels: Sequence[str] | None = None) -> str:
    def total(values: Sequence[Value]) -> Any:  # noqa: ANN401 - whole numbers or money
        return sum((value for value in values if value is not None), 0)

    if labels is not None and len(parts) == 1:
        (values,) = parts.values()
        pairs = zip(labels, values, strict=True)
        return " ".join(f"{label}: {exact(value, unit)}." for label, value in pairs)
    return " ".join(
        f"{name}: {exact(total(values), unit)} in all." for name, values in parts.items()
    )
