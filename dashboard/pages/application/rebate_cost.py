"""The current cost of a rebate rate, and its inputs."""

from datetime import date

import streamlit as st

from dashboard.ui import figures
from program.review.rebates import RebateCost


def draw(cost: RebateCost | None, *, through: date | None) -> None:
    """Draw the extra cost over the window, a month and a year, and the net fees left."""
    if cost is None:
        st.caption("Net fees are unknown, so the cost is too.")
        return
    st.caption(
        f"Costs **{figures.usd(cost.extra_month_usd)} USD more a month** than the standard rate, "
        f"{figures.usd(cost.extra_year_usd)} a year; leaves {figures.usd(cost.left_usd)} of "
        f"{figures.usd(cost.fees_usd)} USD net fees, "
        f"{figures.day_range(cost.window.start, cost.window.last_day)}, UTC"
        + (f", data through {figures.day(through)}." if through else ".")
    )
    if cost.remark:
        st.caption(cost.remark)
