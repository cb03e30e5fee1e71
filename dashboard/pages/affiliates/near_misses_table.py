"""The table of near misses. Its cells never read text as markup."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pyarrow as pa
import streamlit as st

from dashboard.pages.affiliates.board_table import table_height
from dashboard.ui import badges, cells, figures, headings, volume_bar
from program.policy.outcomes import Outcome

OPEN = "near-misses-open"
ROW_HEIGHT = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMissRow:
    """One account in the table; ``open`` is "" if there is no application.

    ``waits_until`` is ``None`` if they may apply now.
    """

    open: str
    username: str
    country: str
    kyc: str
    outcome: Outcome
    volume_usd: Decimal | None
    active_users: int | None
    new_users: int | None
    closest: str
    months: tuple[Decimal, ...]
    last: str
    waits_until: date | None


def draw(
    rows: Sequence[NearMissRow], *, key: str, minimum_usd: Decimal, on_open: Callable[[], None]
) -> None:
    """Draw one page."""
    column = st.column_config
    outcomes = [badges.outcome_words(outcome) for outcome in Outcome]
    headings.table(
        _table(rows),
        key=key,
        alt="Near misses",
        row_height=ROW_HEIGHT,
        height=table_height(len(rows), ROW_HEIGHT),
        placeholder=figures.DASH,
        column_config={
            "open": column.ButtonColumn(
                "", key=OPEN, on_click=on_open, type="tertiary", width=50, pinned=True
            ),
            "username": column.TextColumn("Account", width=120),
            "outcome": column.MultiselectColumn(
                "Eligibility",
                options=outcomes,
                color=[badges.OUTCOMES[outcome].colour for outcome in Outcome],
                width=92,
            ),
            "volume": volume_bar.config(
                "Volume", minimum_usd=minimum_usd, help="Referral volume in the window", width=120
            ),
            "active": cells.number_column("Active", width=52),
            "new": cells.number_column("New", width=46),
            "closest": column.TextColumn(
                "Closest",
                help="The deciding criterion: the weakest on the exchange, or the strongest "
                "external one "
                "if it is closer.",
                width=146,
            ),
            "months": column.AreaChartColumn(
                "6 months",
                help="Volume by calendar month, the last one still running.",
                y_min=0,
                width=90,
            ),
            "waits_until": cells.day_column(
                "May apply from",
                help=f"The first day on which they may apply again; {figures.DASH} now.",
            ),
            "last": column.TextColumn("Last application", width=250),
            "country": column.TextColumn("Country", width=60),
            "kyc": column.TextColumn("KYC", width=70),
        },
    )


def _table(rows: Sequence[NearMissRow]) -> pa.Table:
    return pa.table(
        {
            "open": pa.array([row.open for row in rows], pa.string()),
            "username": pa.array([row.username for row in rows], pa.string()),
            "outcome": pa.array([[badges.outcome_words(row.outcome)] for row in rows]),
            "volume": volume_bar.cells([row.volume_usd for row in rows]),
            "active": cells.whole([row.active_users for row in rows]),
            "new": cells.whole([row.new_users for row in rows]),
            "closest": pa.array([row.closest for row in rows], pa.string()),
            "months": pa.array([[float(month) for month in row.months] for row in rows]),
            "waits_until": cells.days([row.waits_until for row in rows]),
            "last": pa.array([row.last for row in rows], pa.string()),
            "country": pa.array([row.country for row in rows], pa.string()),
            "kyc": pa.array([row.kyc for row in rows], pa.string()),
        }
    )
