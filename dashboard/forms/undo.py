"""Undo what was just sent, in the seconds before its message leaves."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import streamlit as st

from dashboard.forms import sending, submit
from dashboard.ui import keyboard, lookups, navigation, state
from data_access import undoing
from program.messages.delivery import UNDO_FOR
from program.review.queue_filters import Filters

OFFERED = "undo"
# Refusals are shown on the page, since the bar is gone by then.
PAGE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What can be undone: the request that sent it, and its form's content."""

    application_id: int
    request_id: UUID
    until: datetime
    put_back: Callable[[], None]


def offer(id_: int, request_id: UUID, put_back: Callable[[], None] = lambda: None) -> None:
    """Offer to undo what was just sent; ``put_back`` restores what was typed."""
    until = datetime.now(UTC) + UNDO_FOR
    sending.show_anew(OFFERED)
    sent = Sent(application_id=id_, request_id=request_id, until=until, put_back=put_back)
    state.keep(OFFERED, sent)


def draw(actor: str) -> None:
    """Draw the bar that offers it, on any page; the browser removes it in time."""
    sent: Sent | None = state.kept(OFFERED)
    left = sent.until - datetime.now(UTC) if sent else timedelta(0)
    if sent is None or left <= timedelta(0):
        return
    with st.container(key="undo-bar", horizontal=True, vertical_alignment="center", gap="small"):
        st.text("The message leaves in", width="content")
        keyboard.count_down(left)
        sending.button(
            "Undo",
            form=PAGE,
            key=OFFERED,
            act=_undo,
            args=[sent, actor, state.request_id(OFFERED)],
            sends=sent.request_id,
            icon=":material/undo:",
        )


def _undo(sent: Sent, actor: str, request_id: UUID) -> None:
    state.forget(OFFERED)
    command = undoing.Undo(
        application_id=sent.application_id,
        undone=sent.request_id,
        actor=actor,
        at=datetime.now(UTC),
        request_id=request_id,
    )
    confirmation = f"Undone: application {sent.application_id} is pending again. Nothing was sent."
    if (
        submit.submit(PAGE, command, undoing.undo, renews=OFFERED, confirmation=confirmation)
        is None
    ):
        return
    sent.put_back()
    lookups.count_anew()
    navigation.open_one(sent.application_id, Filters.from_query(st.query_params))
