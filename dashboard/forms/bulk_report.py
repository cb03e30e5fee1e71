"""The report of an act on many, whatever the act: what was refused, and how it goes away."""

from collections.abc import Sequence
from uuid import UUID

import streamlit as st

from dashboard.forms import answers
from dashboard.opening import APPLICATION
from data_access import bulk, database, preferences
from data_access.refusals import Refusal

REFUSALS_LISTED = 50


def refusals(refused: Sequence[bulk.Result]) -> None:
    """Each that was refused with its reason, and the way to it."""
    with st.expander(f"The {len(refused):,} that were refused, and why", expanded=len(refused) < 6):
        for result in refused[:REFUSALS_LISTED]:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.page_link(
                    APPLICATION,
                    label=f"Application {result.application_id}",
                    query_params={"id": str(result.application_id)},
                )
                st.text(result.sentence)
        if len(refused) > REFUSALS_LISTED:
            st.caption(f"and {len(refused) - REFUSALS_LISTED:,} more")


def dismiss(seen: str, request_id: UUID, actor: str) -> None:
    """Show this report no more; ``seen`` is the preference that remembers the last one seen."""
    if answers.refused_to_stranger("", actor):
        return
    try:
        preferences.put(database.writer(), name=seen, value=str(request_id), actor=actor)
    except Refusal as refusal:
        answers.refused("", str(refusal))
