"""A figure of the registry as it stands in a row: value, change, course and definition."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import streamlit as st

from dashboard.components import figures
from program.kpis import Kpi, Reading, Unit
from program.queue import Filters

QUEUE = "dashboard/pages/queue.py"
UNCHANGED = "unchanged"
Amount = int | Decimal | None
Colour = Literal["off", "green", "orange"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure over ``days``, in words. ``course`` is how it went, step by step.

    ``compared`` is a sentence about what ``before`` is.
    """

    kpi: Kpi
    value: Amount
    days: str
    before: Amount = None
    compared: str = ""
    course: Sequence[Amount] = ()
    door: Filters | None = None
    nothing: str = figures.DASH


def row(shown: Sequence[Figure], *, key: str) -> None:
    """The figures side by side, each with its list where it has one."""
    with st.container(key=key, gap="small"):
        for column, figure in zip(st.columns(len(shown)), shown, strict=True):
            with column:
                draw(figure)


def draw(figure: Figure) -> None:
    """One figure."""
    kpi = figure.kpi
    course = [float(value) for value in figure.course if value is not None]
    changed = change(kpi.unit, figure.value, figure.before)
    with st.container(border=True, height="stretch", gap="xxsmall"):
        st.metric(
            kpi.name,
            said(kpi.unit, figure.value, nothing=figure.nothing),
            delta=changed,
            delta_arrow="off" if changed == UNCHANGED else "auto",
            delta_color=colour(kpi, figure.value, figure.before),
            delta_description=_before(figure),
            help=" ".join(filter(None, [kpi.definition, _counted(figure), figure.compared])),
            # A flat line at zero says nothing that the figure does not.
            chart_data=course if len(course) > 1 and any(course) else None,
            chart_type="area",
        )
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(figure.days, width="content")
            if figure.door is not None and figure.value:
                st.page_link(
                    QUEUE,
                    label="List",
                    icon=":material/arrow_forward:",
                    icon_position="right",
                    query_params=figure.door.to_query(),
                    help="The applications behind this figure.",
                )


def _before(figure: Figure) -> str | None:
    if figure.value is None or figure.before is None:
        return None
    return f"from {said(figure.kpi.unit, figure.before).removesuffix(' USD')}"


def _counted(figure: Figure) -> str:
    return f"Counted by {figure.kpi.counted}: {figure.days}."


def said(unit: Unit, value: Amount, *, nothing: str = figures.DASH) -> str:
    """A value with its unit, in short."""
    if value is None:
        return nothing
    if unit is Unit.USD:
        return f"{figures.usd(Decimal(value))} USD"
    if unit is Unit.SHARE:
        return figures.whole_percent(Decimal(value))
    if unit is Unit.HOURS:
        return figures.took(Decimal(value))
    return figures.count(round(value))


def change(unit: Unit, now: Amount, before: Amount) -> str | None:
    """How much more or less it is than before, with its sign; ``None`` where one is unknown."""
    if now is None or before is None:
        return None
    if now == before:
        return UNCHANGED
    more = Decimal(now) - Decimal(before)
    sign = "-" if more < 0 else "+"
    if unit is Unit.SHARE:
        points = round(more * 100)
        return f"{points:+d} point{'' if abs(points) == 1 else 's'}"
    if unit is Unit.HOURS:
        return f"{sign}{figures.took(abs(more))}"
    if unit is Unit.USD or abs(Decimal(before)) >= 1_000:
        return None if not before else f"{round(100 * more / abs(Decimal(before))):+,d} %"
    return f"{round(more):+,d}"


def colour(kpi: Kpi, now: Amount, before: Amount) -> Colour:
    """Green for better and orange for worse, where the registry says which is which."""
    if kpi.reading is Reading.NEUTRAL or now is None or before is None or now == before:
        return "off"
    return "green" if (now > before) is (kpi.reading is Reading.HIGHER) else "orange"
