"""The table of referred users with the most volume in the window."""

from collections.abc import Sequence

import streamlit as st

from dashboard.pages.application import trend
from dashboard.ui import figures, grid
from data_access.review.opening import Opened
from data_access.review.trends import ReferredUser
from program.periods import utc_day


def draw(shown: Opened, users: Sequence[ReferredUser]) -> None:
    """Draw the users by volume; a note without metrics."""
    standing = shown.standing
    fresh, total = standing.freshness, standing.facts.volume_usd
    with st.container(border=True, gap="small"):
        st.markdown("**Top referred users of the window**")
        if fresh is None or total is None:
            st.caption(trend.NOT_LOADED)
            return
        if not users:
            st.caption("No referred user of this account traded in the window.")
            return
        st.caption(
            f"{figures.day_range(fresh.window.start, fresh.window.last_day)}, UTC · "
            f"{len(users)} of {figures.count(standing.facts.active_users)} active"
        )
        shares = [user.volume_usd / total * 100 if total else None for user in users]
        grid.draw(
            {
                "user": grid.text("User", [f"u-{u.referred_account_id}" for u in users], width=78),
                "volume": grid.number(
                    "Volume",
                    [user.volume_usd for user in users],
                    written="%,.0f",
                    help="USD in the window, to the dollar",
                    width=76,
                ),
                "share": grid.GridColumn(
                    cells=grid.number_cells(shares),
                    config=st.column_config.ProgressColumn(
                        "Share",
                        help="Of the window's volume",
                        min_value=0,
                        max_value=100,
                        format="%.1f %%",
                        width=86,
                    ),
                ),
                "days": grid.whole(
                    "Days",
                    [user.trading_days for user in users],
                    help="Days with volume in the window",
                    width=42,
                ),
                "since": grid.day(
                    "Referred", [u.referred_at and utc_day(u.referred_at) for u in users], width=88
                ),
            },
            key=f"users-{shown.id_}",
            alt="Top referred users of the window",
            row_height=grid.LOW_ROW_HEIGHT,
        )
