"""The table of messages. Recipients are typed text and are shown only in cells."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import streamlit as st

from dashboard.ui import cells, headings

TALLEST = 640


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    """One message: its state in words, or when it was delivered."""

    application_id: int
    username: str
    what: str
    to: str
    written_at: datetime
    state: str | datetime | None


def draw(rows: Sequence[MessageRow], *, state: str, is_time: bool = False) -> None:
    """Draw the messages in the given order; ``state`` heads the last column, text or times."""
    config, states = st.column_config, [row.state for row in rows]
    table = pa.table(
        {
            "application": [f"/application?id={row.application_id}" for row in rows],
            "applicant": [row.username for row in rows],
            "what": [row.what for row in rows],
            "to": [row.to for row in rows],
            "when": cells.moments([row.written_at for row in rows]),
            "state": cells.moments(states) if is_time else pa.array(states, pa.string()),
        }
    )
    headings.table(
        table,
        key=f"outbox-{state}",
        alt="Messages to applicants",
        row_height=30,
        height=min(30 * (len(rows) + 1) + 2, TALLEST),
        column_config={
            "application": config.LinkColumn(
                "Application", display_text=r"id=(\d+)", width=84, help="Open the application"
            ),
            "applicant": config.TextColumn("Applicant", width=140),
            "what": config.TextColumn("Message", width=130),
            "to": config.TextColumn("To", width=200),
            "when": cells.moment_column("Written"),
            "state": cells.moment_column(state, width=160)
            if is_time
            else config.TextColumn(state, width=300),
        },
    )
