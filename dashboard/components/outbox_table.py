"""Messages of the outbox as a table. Recipients are typed text and stay cells."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import streamlit as st

from dashboard.components import headings

TALLEST = 640


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One message: ``when`` and ``state`` are the screen's words."""

    application_id: int
    username: str
    what: str
    to: str
    when: str
    state: str


def draw(rows: Sequence[Row], *, state: str) -> None:
    """Draw the messages in the order given; ``state`` heads the last column."""
    config = st.column_config
    table = pa.table(
        {
            "application": [f"/application?id={row.application_id}" for row in rows],
            "applicant": [row.username for row in rows],
            "what": [row.what for row in rows],
            "to": [row.to for row in rows],
            "when": [row.when for row in rows],
            "state": [row.state for row in rows],
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
                "Application", display_text=r"id=(\d+)", width=84, help="Opens it"
            ),
            "applicant": config.TextColumn("Applicant", width=140),
            "what": config.TextColumn("Announces", width=130),
            "to": config.TextColumn("To", width=200),
            "when": config.TextColumn("Written", width=150),
            "state": config.TextColumn(state, width=300),
        },
    )
