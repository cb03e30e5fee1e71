"""The table of evidence, newest observation first; none is ever removed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import streamlit as st

from dashboard.ui import cells, figures, headings
from program.periods import utc_day
from program.policy.evidence import EvidenceKind


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRow:
    """One observation. ``counts``: part of today's value; ``current``: not too old.

    ``expires`` is in how many days it stops counting; negative if it already has.
    """

    kind: EvidenceKind
    value: Decimal
    exchange: str | None
    observed_at: datetime
    age: timedelta
    method: str
    source: str | None
    recorded_by: str
    counts: bool
    current: bool
    expires: int


def draw(rows: Sequence[EvidenceRow], *, key: str) -> None:
    """Draw the observations in the given order."""
    config = st.column_config
    table = pa.table(
        {
            "what": [_what(row) for row in rows],
            "state": [_state(row) for row in rows],
            "age": cells.numbers([row.age / timedelta(days=1) for row in rows]),
            "expires": cells.whole([row.expires for row in rows]),
            "seen": cells.days([utc_day(row.observed_at) for row in rows]),
            "how": [row.method for row in rows],
            "by": [row.recorded_by for row in rows],
            "source": [row.source or "–" for row in rows],
        }
    )
    headings.table(
        table,
        key=key,
        alt="Evidence",
        row_height=30,
        column_config={
            "what": config.TextColumn("Seen", width="medium"),
            "state": config.TextColumn("State", width=84),
            "age": cells.number_column("Age", written="%.1f d", width=60),
            "expires": cells.number_column(
                "Expires in",
                written=cells.DAYS,
                width=74,
                help="Days until it stops counting, at the data-through day. Negative: already "
                "expired.",
            ),
            "seen": cells.day_column("On", width=88),
            "how": config.TextColumn("Method", width=96),
            "by": config.TextColumn("By"),
            "source": config.TextColumn("Source"),
        },
    )


def _what(row: EvidenceRow) -> str:
    if row.kind is EvidenceKind.X_FOLLOWERS:
        return f"{figures.count(int(row.value))} followers on X"
    return f"{figures.usd_cut(row.value)} USD · {row.exchange or 'another exchange'}"


def _state(row: EvidenceRow) -> str:
    if row.counts:
        return "✓ counts"
    return "superseded" if row.current else "expired"
