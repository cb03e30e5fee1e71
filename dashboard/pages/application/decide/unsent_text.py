"""Typed text of a decision form after a colleague decided first."""

from collections.abc import Collection

import streamlit as st

from dashboard.pages.application.decide.steps import name
from dashboard.ui import state
from data_access.review.opening import Opened

LABELS = {
    "rationale": "Rationale (internal)",
    "override": "Override reason (internal)",
    "message": "Message to the applicant",
    "ask": "Question to the applicant",
    "why": "Reason for the deferral",
    "answer": "The applicant's answer",
    "second": "Reason, to the first person",
    "reopen": "Reason for reopening",
}


def draw(
    shown: Opened, *, only: Collection[str] = tuple(LABELS), but: Collection[str] = ()
) -> None:
    """Draw each text for copying, while the tab is open; nothing if nothing was typed.

    ``only`` and ``but`` select the fields, so that none is shown that can still be edited.
    """
    wanted = set(only) - set(but)
    typed = {
        field: text
        for field, text in state.held(name(shown.id_)).items()
        if isinstance(text, str) and text.strip() and field.split("-")[0] in wanted
    }
    if not typed:
        return
    st.markdown("**What you had written**")
    for field, text in typed.items():
        st.caption(LABELS[field.split("-")[0]])
        st.code(text, language=None, wrap_lines=True)
