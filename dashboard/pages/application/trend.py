"""The referral trend by day or month, with the minimum as a line."""

from collections.abc import Callable, Hashable, Sequence
from datetime import date, timedelta
from functools import lru_cache

import streamlit as st

from dashboard.ui import charts, figures
from dashboard.ui.charts import Chart, Minimum
from data_access.review.opening import DAYS_SHOWN, MONTHS_SHOWN, Opened
from data_access.review.trends import Point, Trends
from program import wording
from program.periods import Window, month_start, months_later
from program.policy.criteria import ACTIVE_USERS, NEW_USERS, VOLUME, Criterion
from program.policy.policy import Policy

# Unknown is not "none": without metrics no figures are shown.
NOT_LOADED = "Metrics are not loaded for this account yet."
METRICS: dict[str, tuple[Criterion, str]] = {
    "Volume": (VOLUME, "volume_usd"),
    "Active": (ACTIVE_USERS, "active_users"),
    "New": (NEW_USERS, "new_users"),
}


def draw(shown: Opened, trends: Trends) -> None:
    """Draw the choice of figure and grain, and the chart; or that metrics are missing."""
    standing = shown.standing
    fresh, policy = standing.freshness, standing.policy
    with st.container(border=True, gap="small", key="trend"):
        with st.container(horizontal=True):
            what = _choose("Figure", list(METRICS), key="trend-what")
            grain = _choose("By", ["Days", "Months"], key="trend-by")
        if fresh is None or standing.facts.volume_usd is None:
            st.caption(NOT_LOADED)
        elif not any(_happened(month) for month in trends.months):
            st.caption("No referral activity in the last twelve months.")
        elif grain == "Months":
            _draw_months(trends.months, what, policy, fresh.data_through)
        else:
            _draw_days(trends.days, what, policy, fresh.window, fresh.data_through)


def _choose(label: str, options: list[str], *, key: str) -> str:
    return str(
        st.segmented_control(
            label,
            options,
            key=key,
            default=options[0],
            required=True,
            label_visibility="collapsed",
        )
    )


@lru_cache(maxsize=32)
def _bars(make: Callable[..., Chart], _year: int, *given: Hashable, **look: Hashable) -> Chart:
    """Return the chart of ``make``; every run draws it, and mostly the same one.

    It also depends on the current year, which labels leave out.
    """
    return make(*given, **look)


def _draw_months(points: Sequence[Point], what: str, policy: Policy, through: date) -> None:
    criterion, field = METRICS[what]
    last = month_start(through)
    months = tuple(months_later(last, back) for back in range(1 - MONTHS_SHOWN, 1))
    found = {point.start: getattr(point, field) for point in points}
    values = tuple(found.get(month) for month in months)
    chart = _bars(
        charts.monthly_bars,
        figures.this_year(),
        months,
        values,
        title=f"{criterion.label} by calendar month, UTC",
        unit=str(criterion.unit),
        minimum=Minimum(getattr(policy, criterion.minimum)),
    )
    charts.draw(chart, key=f"trend-{what}-Months")
    _note_gaps(values)


def _draw_days(
    points: Sequence[Point], what: str, policy: Policy, window: Window, through: date
) -> None:
    """Draw days: not delivered ones are gaps, delivered ones without trading are zero."""
    criterion, field = METRICS[what]
    minimum = None
    if criterion is VOLUME:
        label = f"{wording.stated_usd(policy.min_volume_usd)} USD over {window.days} days, a day:"
        minimum = Minimum(policy.min_volume_usd / window.days, label)
    start = min(through - timedelta(days=DAYS_SHOWN - 1), window.start)
    days = tuple(start + timedelta(days=n) for n in range((through - start).days + 1))
    found = {point.start: getattr(point, field) for point in points}
    values = tuple(found.get(day) for day in days)
    chart = _bars(
        charts.daily_bars,
        figures.this_year(),
        days,
        values,
        title=f"{criterion.label} by day, UTC; the window is shaded",
        unit=str(criterion.unit),
        window=window,
        minimum=minimum,
    )
    charts.draw(chart, key=f"trend-{what}-Days")
    _note_gaps(values)


def _happened(point: Point) -> bool:
    return any(getattr(point, field) for _, field in METRICS.values())


def _note_gaps(values: Sequence[charts.Value]) -> None:
    if None in values:
        st.caption("Gaps are days that were not delivered; they are unknown.")
