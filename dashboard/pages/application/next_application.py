"""The next application of the view, after something was done."""

from datetime import UTC, datetime
from uuid import UUID, uuid5

import streamlit as st

from dashboard.forms import submit
from dashboard.pages.application.context import Shown
from dashboard.ui import navigation, state
from data_access.db.errors import Refusal
from data_access.review import claims
from program.review.queue_filters import Owner


def open_next(shown: Shown, said: str, request_id: UUID) -> None:
    """After an act: the next unclaimed application of the view, claimed; or the queue.

    ``said`` is what the toast says of the application that was just left, with a link back.
    """
    after = _next_id(shown, request_id)
    state.flash(state.Flash(ok=True, text=said, link=shown.id_))
    if after is None:
        st.switch_page(navigation.QUEUE, query_params=shown.filters.to_query())
    navigation.open_one(after, shown.filters)


def _next_id(shown: Shown, request_id: UUID) -> int | None:
    if shown.filters.owner is Owner.MINE:
        return shown.place.next_id
    command = claims.TakeNext(
        filters=shown.filters,
        actor=shown.person.email,
        at=datetime.now(UTC),
        request_id=uuid5(request_id, "next"),
    )
    try:
        return submit.write(claims.take_next, command=command).application_id
    except Refusal:
        # What was done is done; only the way on is missing, and the queue is one.
        return None
