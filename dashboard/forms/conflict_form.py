"""Declaring a conflict of interest, after which one does not decide here."""

from datetime import UTC, datetime
from uuid import UUID

import streamlit as st

from dashboard import state
from dashboard.forms import answers
from dashboard.forms.shown import Shown
from data_access import conflicts, database
from data_access.refusals import Refusal
from program.permissions import Act
from program.workflow import OPEN_STATUSES


def draw(shown: Shown) -> None:
    """A popover with the one question it takes."""
    form = _name(shown.id_)
    answers.draw(form)
    open_here = shown.application.status in OPEN_STATUSES
    if not (shown.person.may(Act.DECLARE_CONFLICT) and open_here) or shown.conflict is not None:
        return
    with st.popover("I have a conflict of interest", type="tertiary", icon=":material/block:"):
        st.caption("You will not be able to decide here; a colleague will. It is recorded.")
        reason = state.form_key(form, "reason")
        st.text_area("What links you to the applicant? Internal", key=reason, height=80)
        st.button(
            "Declare it",
            key=f"declare-{shown.id_}",
            on_click=_declare,
            args=[shown, reason, state.request_id(form)],
        )


def _declare(shown: Shown, reason: str, request_id: UUID) -> None:
    form = _name(shown.id_)
    if answers.refused_to_stranger(form, shown.person.email):
        return
    try:
        conflicts.declare(
            database.writer(),
            application_id=shown.id_,
            email=shown.person.email,
            reason=state.typed(reason) or "",
            actor=shown.person.email,
            now=datetime.now(UTC),
            request_id=request_id,
        )
    except Refusal as refusal:
        answers.refused(form, str(refusal))
        return
    state.renew(form, request_id)
    answers.accepted(form, "Recorded. A colleague decides here.")


def _name(id_: int) -> str:
    return f"conflict-{id_}"
