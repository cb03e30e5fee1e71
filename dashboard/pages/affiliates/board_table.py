"""The requalification board's table. Its cells never read text as markup."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import streamlit as st

from dashboard.ui import badges, cells, headings, volume_bar
from dashboard.ui.badges import Look
from program.affiliates.filters import PAGE_SIZE
from program.affiliates.requalification import MonthTest, Standing, Step
from program.policy.outcomes import Outcome

OPEN = "affiliates-open"
ROW_HEIGHT = 36
STANDINGS: dict[Standing, Look] = {
    Standing.ACTIVE: Look("active", ":material/check_circle:", "green", "✓"),
    Standing.ON_NOTICE: Look("on notice", ":material/flag:", "orange", "⚑"),
    Standing.SUSPENDED: Look("suspended", ":material/pause_circle:", "violet", "‖"),
    Standing.TERMINATED: Look("terminated", ":material/block:", "gray", "×"),
}
SUGGESTIONS: dict[Step, Look] = {
    Step.SUSPEND: Look("suspend", ":material/pause_circle:", "violet", "‖"),
    Step.PUT_ON_NOTICE: Look("put on notice", ":material/flag:", "orange", "⚑"),
    Step.RESTORE: Look("restore", ":material/undo:", "green", "✓"),
}
PROTECTED_SIGN, UNTESTED_SIGN = "○", "·"
HEADER_HEIGHT = 34


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRow:
    """One affiliate in the table. ``None`` in a figure is unknown."""

    username: str
    country: str
    approved: date
    standing: Standing
    since: str
    suggestion: Step | None
    misses: str
    months: str
    outcome: Outcome | None
    volume_usd: Decimal | None
    active_users: int | None
    new_users: int | None
    near: str
    rate: Decimal
    new_rate: Decimal
    why: str


def table_height(rows: int, row_height: int) -> int:
    """Return the height in pixels that fits so many rows without a scroll bar or a gap."""
    return HEADER_HEIGHT + rows * row_height


def month_signs(
    tests: Sequence[MonthTest], counted: Callable[[MonthTest], bool], *, width: int
) -> str:
    """Return the newest ``width`` months as signs, oldest first; dots before the first test."""
    signs = [_sign(test, counted=counted(test)) for test in tests]
    return " ".join([*[UNTESTED_SIGN] * (width - len(signs)), *signs])


def _sign(test: MonthTest, *, counted: bool) -> str:
    if test.outcome is Outcome.NOT_MET and not counted:
        return PROTECTED_SIGN
    return badges.OUTCOMES[test.outcome].sign


def standing_words(standing: Standing) -> str:
    """Format a standing for a cell."""
    look = STANDINGS[standing]
    return f"{look.sign} {look.word}"


def draw(
    *,
    rows: Sequence[BoardRow],
    key: str,
    minimum_usd: Decimal,
    month: str,
    span: str,
    selectable: bool,
    on_open: Callable[[], None],
) -> list[int]:
    """Draw one page of the board; returns the indexes of the ticked rows.

    ``month`` names the newest tested month and ``span`` the months of the signs. The ticks belong
    to ``key``, as in the queue.
    """
    return headings.table(
        _table(rows),
        key=key,
        selectable=selectable,
        alt="Affiliates",
        row_height=ROW_HEIGHT,
        height=table_height(min(len(rows), PAGE_SIZE), ROW_HEIGHT),
        column_config={**_standing_columns(span, on_open), **_month_columns(month, minimum_usd)},
    )


def _standing_columns(span: str, on_open: Callable[[], None]) -> dict[str, Any]:
    """Return the columns for the affiliate, the standing and the suggestion."""
    column = st.column_config
    return {
        "open": column.ButtonColumn(
            "", key=OPEN, on_click=on_open, type="tertiary", width=50, pinned=True
        ),
        "username": column.TextColumn("Affiliate", width=116),
        "standing": column.MultiselectColumn(
            "Standing",
            options=[standing_words(s) for s in Standing],
            color=[STANDINGS[s].colour for s in Standing],
            width=104,
        ),
        "suggestion": column.MultiselectColumn(
            "Suggests",
            options=[f"{look.sign} {look.word}" for look in SUGGESTIONS.values()],
            color=[look.colour for look in SUGGESTIONS.values()],
            help="The step that the months suggest. A manager decides; nothing changes "
            "automatically.",
            width=118,
        ),
        "misses": column.TextColumn(
            "Missed",
            help="Missed months in a row that count. Unknown months neither add to them nor end "
            "them.",
            width=74,
        ),
        "months": column.TextColumn(
            span,
            help="✓ met · − missed · ? unknown, neither a miss nor a pass: external evidence "
            "is missing, or days were not delivered · ○ missed while protected after the "
            "approval · dots: not tested",
            width=92,
        ),
    }


def _month_columns(month: str, minimum_usd: Decimal) -> dict[str, Any]:
    """Return the columns for the newest tested month's result."""
    column = st.column_config
    return {
        "volume": volume_bar.config(
            f"{month} volume",
            minimum_usd=minimum_usd,
            help=f"Referral volume of {month}, UTC; unknown where days are missing "
            "and the others fall short of the minimum.",
            width=128,
        ),
        "active": cells.number_column("Active", width=50),
        "new": cells.number_column("New", width=42),
        "rate": cells.number_column("Rate", written=cells.PERCENT, width=56),
        "new_rate": cells.number_column(
            "Suggested",
            written=cells.PERCENT,
            help="The rate that the newest month supports. Granting it is a decision.",
            width=70,
        ),
        "near": column.TextColumn(
            "Near",
            help="Missed or passed by at most a tenth of a minimum, and which one.",
            width=128,
        ),
        "approved": cells.day_column("Approved"),
        "since": column.TextColumn("Last change", width=150),
        "why": column.TextColumn("Rate reason", width=190),
    }


def _table(rows: Sequence[BoardRow]) -> pa.Table:
    looks = [SUGGESTIONS[row.suggestion] if row.suggestion else None for row in rows]
    suggested = [[f"{look.sign} {look.word}"] if look else [] for look in looks]
    return pa.table(
        {
            "open": pa.array(["Open"] * len(rows)),
            "username": pa.array([row.username for row in rows], pa.string()),
            "standing": pa.array([[standing_words(row.standing)] for row in rows]),
            "suggestion": pa.array(suggested, pa.list_(pa.string())),
            "misses": pa.array([row.misses for row in rows], pa.string()),
            "months": pa.array([row.months for row in rows], pa.string()),
            "volume": volume_bar.cells([row.volume_usd for row in rows]),
            "active": cells.whole([row.active_users for row in rows]),
            "new": cells.whole([row.new_users for row in rows]),
            "rate": cells.percents([row.rate for row in rows]),
            "new_rate": cells.percents([row.new_rate for row in rows]),
            "near": pa.array([row.near for row in rows], pa.string()),
            "approved": cells.days([row.approved for row in rows]),
            "since": pa.array([row.since for row in rows], pa.string()),
            "why": pa.array([row.why for row in rows], pa.string()),
        }
    )
