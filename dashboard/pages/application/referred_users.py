"""The table of referred users."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import pyarrow as pa
import streamlit as st

from dashboard.ui import cells, headings
from program.periods import utc_day


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRow:
    """One referred user's part in the window."""

    account_id: int
    volume_usd: Decimal
    share: Decimal | None
    fees_usd: Decimal
    trading_days: int
    referred_at: datetime | None


def draw(rows: Sequence[UserRow], *, key: str) -> None:
    """Draw the users in the given order."""
    config = st.column_config
    table = pa.table(
        {
            "user": [f"u-{row.account_id}" for row in rows],
            "volume": cells.numbers([row.volume_usd for row in rows]),
            "share": cells.percents([row.share for row in rows]),
            "days": cells.whole([row.trading_days for row in rows]),
            "since": cells.days([row.referred_at and utc_day(row.referred_at) for row in rows]),
        }
    )
    headings.table(
        table,
        key=key,
        alt="Top referred users of the window",
        row_height=30,
        column_config={
            "user": config.TextColumn("User", width=78),
            "volume": cells.number_column(
                "Volume", written="%,.0f", help="USD in the window, to the dollar", width=76
            ),
            "share": config.ProgressColumn(
                "Share",
                help="Of the window's volume",
                min_value=0,
                max_value=100,
                format="%.1f %%",
                width=86,
            ),
            "days": cells.number_column("Days", help="Days with volume in the window", width=42),
            "since": cells.day_column("Referred", width=88),
        },
    )
