"""Open the next application of the view after an act."""

from datetime import UTC, datetime
from uuid import UUID, uuid5

import streamlit as st

from dashboard.forms import submit
from dashboard.ui import navigation, state
from data_access.db.errors import Refusal
from data_access.review import claims
from data_access.review.opening import Opened
from program.review.queue_filters import Owner


def open_next(shown: Opened, confirmation: str, request_id: UUID) -> None:
    """Claim and open the next unassigned application of the view; else open the queue.

    ``confirmation`` is the toast about the application just left, with a link back.
    """
    state.flash(state.Flash(ok=True, text=confirmation, link=shown.id_))
    # Now already, since the next page takes longer; its own drawing of it changes nothing then.
    submit.draw_flash_at_once()
    after = _next_id(shown, request_id)
    if after is None:
        st.switch_page(navigation.QUEUE, query_params=shown.filters.to_query())
    navigation.open_one(after, shown.filters)


def _next_id(shown: Opened, request_id: UUID) -> int | None:
    if shown.filters.owner is Owner.MINE:
        return shown.place.next_id
    command = claims.TakeNext(
        filters=shown.filters,
        actor=shown.person.email,
        at=datetime.now(UTC),
        request_id=uuid5(request_id, "next"),
    )
    try:
        return submit.carry_out(command, claims.take_next).application_id
    except Refusal:
        # The act is done; only the next application is missing, so go to the queue.
        return None
