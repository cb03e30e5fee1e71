"""The queue's table: fifty rows as cells, which never read their text as markup."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import product

import pyarrow as pa
import streamlit as st

from dashboard.components import badges, figures
from program.outcomes import Outcome
from program.queue import PAGE_SIZE

OPEN = "queue-open"
ROW_HEIGHT = 36
EVIDENCE_WORDS = {"none": "–", "current": "current", "expired": "expired"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One application as the table shows it. ``None`` among the figures is unknown."""

    application_id: int
    username: str
    handle: str
    platform: str
    country: str | None
    waiting: str
    submitted_at: datetime
    outcome: Outcome
    track: str | None
    volume_usd: Decimal | None
    active_users: int | None
    new_users: int | None
    months: tuple[Decimal, ...]
    evidence: str


def draw(
    *, rows: Sequence[Row], key: str, minimum_usd: Decimal, on_open: Callable[[], None]
) -> None:
    """Draw one page of the queue; a click on a row's button calls ``on_open``."""
    config = st.column_config
    st.dataframe(
        _table(rows),
        hide_index=True,
        key=key,
        alt="Pending applications",
        row_height=ROW_HEIGHT,
        height=ROW_HEIGHT * (min(len(rows), PAGE_SIZE) + 1) + 3,
        placeholder="unknown",
        column_config={
            "open": config.ButtonColumn(
                "", key=OPEN, on_click=on_open, type="tertiary", width=58, pinned=True
            ),
            # Not pinned: what is pinned is drawn faint, and this is what one looks for.
            "applicant": config.TextColumn("Applicant", width=140),
            "handle": config.TextColumn("Handle", width=140),
            "platform": config.TextColumn("Platform", width=74),
            "country": config.TextColumn("Country", width=64),
            "waiting": config.TextColumn("Waiting", width=66, alignment="right"),
            "eligibility": config.MultiselectColumn(
                "Eligibility", options=list(BADGES), color=list(BADGES.values()), width=148
            ),
            "volume": config.ProgressColumn(
                f"Volume / {figures.usd(minimum_usd)}",
                help="Referral volume in the window, USD; the bar is full at the minimum.",
                min_value=0,
                max_value=float(minimum_usd) or 1,
                format="compact",
                width=128,
            ),
            "active": config.NumberColumn("Active", format="localized", width=58),
            "new": config.NumberColumn("New", format="localized", width=50),
            "months": config.AreaChartColumn(
                "6 months", help="Volume by calendar month, the last one still running.", y_min=0
            ),
            "evidence": config.TextColumn("Evidence", width=76),
        },
    )


def _badges() -> dict[str, str]:
    tracks = (None, *badges.TRACK_WORDS)
    return {
        badges.outcome_words(outcome, track=track): badges.OUTCOMES[outcome].colour
        for outcome, track in product(Outcome, tracks)
        if track is None or outcome is Outcome.MET
    }


BADGES = _badges()


def _table(rows: Sequence[Row]) -> pa.Table:
    # Lengths of bars and lines only: the exact money stands on the application's page.
    columns = {
        "open": pa.array(["Open"] * len(rows)),
        "applicant": pa.array([row.username for row in rows]),
        "handle": pa.array([f"{row.handle}" for row in rows]),
        "platform": pa.array([row.platform for row in rows]),
        "country": pa.array([row.country or "–" for row in rows]),
        "waiting": pa.array([row.waiting for row in rows]),
        "eligibility": pa.array(
            [[badges.outcome_words(row.outcome, track=row.track)] for row in rows]
        ),
        "volume": pa.array(
            [None if row.volume_usd is None else float(row.volume_usd) for row in rows],
            pa.float64(),
        ),
        "active": pa.array([row.active_users for row in rows], pa.int64()),
        "new": pa.array([row.new_users for row in rows], pa.int64()),
        "months": pa.array([[float(month) for month in row.months] for row in rows]),
        "evidence": pa.array([EVIDENCE_WORDS[row.evidence] for row in rows]),
    }
    return pa.table(columns)
