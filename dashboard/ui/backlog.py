"""The backlog of messages to applicants: one line, or figures."""

from datetime import datetime

import streamlit as st

from dashboard.ui import figures


def line(
    *, waiting: int, oldest: datetime | None, parked: int, is_late: bool, now: datetime
) -> None:
    """Draw one line: how many wait, since when, and undeliverable ones; prominent only if late."""
    text = words(waiting=waiting, oldest=oldest, parked=parked, now=now)
    if is_late:
        st.warning(f"{text} Messages are not being delivered.", icon=":material/schedule_send:")
    else:
        st.caption(f":material/outgoing_mail: {text}")


def words(*, waiting: int, oldest: datetime | None, parked: int, now: datetime) -> str:
    """Return the text of :func:`line`."""
    text = "No messages to applicants are waiting."
    if waiting:
        many = "message to applicants waits" if waiting == 1 else "messages to applicants wait"
        age = figures.waiting(now - oldest) if oldest else figures.UNKNOWN
        text = f"{figures.count(waiting)} {many}, the oldest for {age}."
    return text + (f" {figures.count(parked)} undeliverable." if parked else "")


def figures_row(
    *, waiting: int, oldest: datetime | None, failing: int, parked: int, now: datetime
) -> None:
    """Draw the four current figures."""
    age = figures.waiting(now - oldest) if oldest else figures.DASH
    shown = (
        ("Waiting", figures.count(waiting), "Waiting to be sent, including retries."),
        ("Oldest waits for", age, "Since it was created or last retried."),
        ("Failed, will retry", figures.count(failing), "Included in waiting."),
        (
            "Undeliverable",
            figures.count(parked),
            "Delivery stopped until somebody retries or cancels.",
        ),
    )
    for column, (label, value, meaning) in zip(st.columns(len(shown)), shown, strict=True):
        column.metric(label, value, border=True, height="stretch", help=meaning)
