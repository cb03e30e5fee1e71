"""KPI cards: value, change, sparkline and definition."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from dashboard.ui import figures, sparklines
from data_access.reports.measured import Measured, Trading
from program.policy.delivered import Known
from program.reports.amounts import Amount, amount_text, change, exactly
from program.reports.kpis import Kpi, Reading, Unit
from program.review.queue_filters import Filters

QUEUE = "dashboard/pages/queue/page.py"
NOW = "now"
Color = Literal["off", "green", "orange"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure over ``days``, in words. ``course`` is its values step by step.

    ``compared`` is a sentence on what ``before`` is, whose value was ``then``; if there is none,
    ``no_change`` says why it cannot be compared.
    """

    kpi: Kpi
    value: Amount
    days: str
    before: Amount = None
    compared: str = ""
    then: str = ""
    no_change: str = ""
    course: Sequence[Amount] = ()
    drilldown: Filters | None = None
    nothing: str = figures.DASH
    list_name: str = "List"


def of_measured(
    found: Measured,
    *,
    days: str,
    compared: str = "",
    then: str = "",
    drilldown: Filters | None = None,
    list_name: str = "List",
) -> Figure:
    """Return a figure as it was measured over ``days``."""
    return Figure(
        kpi=found.kpi,
        value=found.value,
        before=found.before,
        course=found.course,
        nothing=found.nothing,
        no_change=found.no_change,
        days=days,
        compared=compared,
        then=then,
        drilldown=drilldown,
        list_name=list_name,
    )


def of_trading(found: Measured, trading: Trading, *, as_of: str = "") -> Figure:
    """Return a figure of trading: unknown if nothing was delivered, compared only if all was.

    ``as_of`` names another time it is as of.
    """
    now, then = trading.now, trading.before
    days = f"{_span(now)} UTC"
    if not now.any:
        return of_measured(found, days=f"{days} · {now.gap}")
    days = ", ".join(filter(None, [days, now.gap]))
    return of_measured(
        found,
        days=" · ".join(filter(None, [days, as_of])),
        compared="" if found.no_change or not then else f"Compared with {_span(then)}.",
    )


def _span(known: Known) -> str:
    return figures.day_range(known.window.start, known.window.last_day)


def row(shown: Sequence[Figure], *, key: str) -> None:
    """Draw the figures side by side, each with its drill-down if it has one."""
    with st.container(key=key, gap="small"):
        for column, figure in zip(st.columns(len(shown)), shown, strict=True):
            with column:
                draw(figure)


def draw(figure: Figure) -> None:
    """Draw one figure."""
    kpi = figure.kpi
    course = [float(value) for value in figure.course if value is not None]
    changed = change(kpi.unit, figure.value, figure.before)
    with st.container(border=True, height="stretch", gap="xxsmall"):
        st.metric(
            kpi.name,
            amount_text(kpi.unit, figure.value, beside=figure.before, nothing=figure.nothing),
            delta=changed or figure.no_change or None,
            # Its sign says which way.
            delta_arrow="off",
            delta_color=color(kpi, figure.value, figure.before),
            delta_description=_before(figure),
            help=" ".join(
                filter(
                    None,
                    [
                        kpi.definition,
                        exactly(kpi.unit, figure.value),
                        _counted(figure),
                        figure.compared,
                    ],
                )
            ),
        )
        sparklines.draw(course, of=kpi.key)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(figure.days, width="content")
            if figure.drilldown is not None and _has_list(figure):
                st.page_link(
                    QUEUE,
                    label=figure.list_name,
                    icon=":material/arrow_forward:",
                    icon_position="right",
                    query_params=figure.drilldown.to_query(),
                    help="The applications behind this figure.",
                )


def _has_list(figure: Figure) -> bool:
    """Whether anything is behind the figure; behind a share of zero are all the others."""
    return bool(figure.value) or (figure.value is not None and figure.kpi.unit is Unit.SHARE)


def _before(figure: Figure) -> str | None:
    if figure.value is None or figure.before is None:
        return None
    amount = amount_text(figure.kpi.unit, figure.before, beside=figure.value).removesuffix(" USD")
    return f"from {amount} {figure.then}".rstrip()


def _counted(figure: Figure) -> str:
    counted = str(figure.kpi.counted)
    how = f"Counted {'' if counted.startswith('as ') else 'by '}{counted}"
    return f"{how}: {figure.days}." if figure.days != NOW else f"{how}."


def color(kpi: Kpi, now: Amount, before: Amount) -> Color:
    """Return green for better and orange for worse, as the KPI table defines it."""
    if kpi.reading is Reading.NEUTRAL or now is None or before is None or now == before:
        return "off"
    return "green" if (now > before) is (kpi.reading is Reading.HIGHER) else "orange"
