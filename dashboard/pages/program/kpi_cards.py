"""KPI cards: value, change, sparkline and definition."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import streamlit as st

from dashboard.ui import figures, sparklines
from program import wording
from program.policy.delivered import Known, no_change
from program.reports.kpis import Kpi, Reading, Unit
from program.review.queue_filters import Filters
from program.wording import MINUS, rounded

QUEUE = "dashboard/pages/queue/page.py"
UNCHANGED = "unchanged"
NOW = "now"
MEAN_OF_FEW = 100
Amount = int | Decimal | None
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


def of_trading(
    kpi: Kpi,
    value: Amount,
    *,
    now: Known,
    before: Amount = None,
    then: Known | None = None,
    course: Sequence[Amount] = (),
    as_of: str = "",
) -> Figure:
    """Return a figure of trading: unknown if nothing was delivered, compared only if all was.

    Without ``then`` it is not compared. ``as_of`` names another time it is as of.
    """
    days = f"{_span(now)} UTC"
    if not now.any:
        return Figure(kpi=kpi, value=None, nothing=figures.UNKNOWN, days=f"{days} · {now.gap}")
    gone = no_change(now, then) if then else ""
    days = ", ".join(filter(None, [days, now.gap]))
    return Figure(
        kpi=kpi,
        value=value,
        nothing=figures.UNKNOWN,
        before=None if gone else before,
        days=" · ".join(filter(None, [days, as_of])),
        compared="" if gone or not then else f"Compared with {_span(then)}.",
        no_change=gone,
        # A sparkline cannot show gaps, so it is drawn only if there are none.
        course=course if now.whole else (),
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
            amount_text(kpi.unit, figure.value, nothing=figure.nothing),
            delta=changed or figure.no_change or None,
            delta_arrow="off" if changed in (UNCHANGED, None) else "auto",
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
    amount = amount_text(figure.kpi.unit, figure.before).removesuffix(" USD")
    return f"from {amount} {figure.then}".rstrip()


def _counted(figure: Figure) -> str:
    counted = str(figure.kpi.counted)
    how = f"Counted {'' if counted.startswith('as ') else 'by '}{counted}"
    return f"{how}: {figure.days}." if figure.days != NOW else f"{how}."


def amount_text(unit: Unit, value: Amount, *, nothing: str = figures.DASH) -> str:
    """Format a value with its unit, in short."""
    if value is None:
        return nothing
    if unit is Unit.USD:
        return f"{figures.usd(Decimal(value))} USD"
    if unit is Unit.SHARE:
        return figures.whole_percent(Decimal(value))
    if unit is Unit.HOURS:
        return figures.took(Decimal(value))
    return counted(Decimal(value))


def counted(value: Decimal) -> str:
    """Format a number, with a decimal for a mean of few: ``7.3``, ``1,234``."""
    places = 1 if value != int(value) and abs(value) < MEAN_OF_FEW else 0
    return f"{rounded(value, places):,f}".replace("-", MINUS)


def exactly(unit: Unit, value: Amount) -> str:
    """Return a sentence with the value in full, if the card shortens it."""
    if value is None or unit in (Unit.APPLICATIONS, Unit.AFFILIATES):
        return ""
    number = Decimal(value)
    if unit is Unit.USD:
        return f"Exactly {wording.cents_usd(number)} USD."
    words = {Unit.SHARE: (number * 100, " %"), Unit.HOURS: (number, " hours")}
    size, letters = words.get(unit, (number, ""))
    return f"Exactly {rounded(size, 2):,f}{letters}."


def change(unit: Unit, now: Amount, before: Amount) -> str | None:
    """Format the difference from before, with its sign; ``None`` if one is unknown."""
    if now is None or before is None:
        return None
    if now == before:
        return UNCHANGED
    more = Decimal(now) - Decimal(before)
    sign = "-" if more < 0 else "+"
    if unit is Unit.SHARE:
        points = rounded(abs(more) * 100)
        return f"{sign}{points or '<1'} point{'' if points <= 1 else 's'}"
    if unit is Unit.HOURS:
        return f"{sign}{figures.took(abs(more))}"
    if unit is Unit.USD or abs(Decimal(before)) >= 1_000:
        share = None if not before else more / abs(Decimal(before))
        return None if share is None else figures.percent(share).replace(MINUS, "-")
    return f"{sign}{counted(abs(more))}"


def color(kpi: Kpi, now: Amount, before: Amount) -> Color:
    """Return green for better and orange for worse, as the KPI table defines it."""
    if kpi.reading is Reading.NEUTRAL or now is None or before is None or now == before:
        return "off"
    return "green" if (now > before) is (kpi.reading is Reading.HIGHER) else "orange"
