"""Referred users as a small table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import pyarrow as pa
import streamlit as st

from dashboard.components import headings
from program.periods import utc_day


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One referred user's part in the window."""

    account_id: int
    volume_usd: Decimal
    share: Decimal | None
    fees_usd: Decimal
    trading_days: int
    referred_at: datetime | None


def draw(rows: Sequence[Row]) -> None:
    """Draw the users in the order given."""
    config = st.column_config
    table = pa.table(
        {
            "user": [f"u-{row.account_id}" for row in rows],
            "volume": pa.array([float(row.volume_usd) for row in rows], pa.float64()),
            "share": pa.array(
                [None if row.share is None else float(row.share) for row in rows], pa.float64()
            ),
            "days": [row.trading_days for row in rows],
            "since": pa.array(
                [utc_day(row.referred_at) if row.referred_at else None for row in rows],
                pa.date32(),
            ),
        }
    )
    st.dataframe(
        table,
        hide_index=True,
        alt="Top referred users of the window",
        row_height=30,
        column_config={
            "user": config.TextColumn("User", width=82),
            "volume": config.NumberColumn(
                headings.numeric("Volume"), help="USD in the window", format="compact", width=66
            ),
            "share": config.ProgressColumn(
                "Share",
                help="Of the window's volume",
                min_value=0,
                max_value=1,
                format="percent",
                width=98,
            ),
            "days": config.NumberColumn(
                headings.numeric("Days"), help="Days with volume in the window", width=50
            ),
            "since": config.DateColumn("Referred", format="D MMM YYYY", width=88),
        },
    )
