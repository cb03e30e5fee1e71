"""The backlog of messages to applicants: one line, or figures."""

from datetime import datetime

import streamlit as st

from dashboard.ui import figures
from data_access.messages.backlog import Backlog


def line(found: Backlog, now: datetime) -> None:
    """Draw one line: how many wait, since when, and undeliverable ones; prominent only if late."""
    text = words(found, now)
    if found.is_late(now):
        st.warning(f"{text} Messages are not being delivered.", icon=":material/schedule_send:")
    else:
        st.caption(f":material/outgoing_mail: {text}")


def words(found: Backlog, now: datetime) -> str:
    """Return the text of :func:`line`."""
    text = "No messages to applicants are waiting."
    if found.waiting:
        many = (
            "message to applicants waits" if found.waiting == 1 else "messages to applicants wait"
        )
        age = figures.waiting(now - found.oldest) if found.oldest else figures.UNKNOWN
        text = f"{figures.count(found.waiting)} {many}, the oldest for {age}."
    return text + (f" {figures.count(found.parked)} undeliverable." if found.parked else "")


def figures_row(found: Backlog, now: datetime) -> None:
    """Draw the four current figures."""
    age = figures.waiting(now - found.oldest) if found.oldest else figures.DASH
    shown = (
        ("Waiting", figures.count(found.waiting), "Waiting to be sent, including retries."),
        ("Oldest waits for", age, "Since it was created or last retried."),
        ("Failed, will retry", figures.count(found.failing), "Included in waiting."),
        (
            "Undeliverable",
            figures.count(found.parked),
            "Delivery stopped until somebody retries or cancels.",
        ),
    )
    for column, (label, value, meaning) in zip(st.columns(len(shown)), shown, strict=True):
        column.metric(label, value, border=True, height="stretch", help=meaning)
