"""Publish the next policy with two managers: propose, confirm, decline, take back."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import streamlit as st

from dashboard.forms import sending, submit
from dashboard.pages.policy.draft_form import PLACE
from dashboard.ui import figures, state
from data_access.people.staff import Person
from data_access.policy import drafts
from data_access.policy.drafts import Kept

SILENT = "The queue uses it from then on. Earlier decisions keep their own version."
NEEDS_REFRESH = (
    "It changes how metrics are counted, so on-exchange eligibility is unknown in the queue from "
    "then until `python -m data_access refresh` has run."
)


def draw_consequences(kept: Kept, *, needs_refresh: bool) -> None:
    """Draw when it takes effect, and how the queue changes then."""
    starts = kept.draft.effective_from
    when = f"at {figures.moment(starts)}" if starts else "when a second manager confirms it"
    st.caption(f"It takes effect {when}. {'' if needs_refresh else SILENT}")
    if needs_refresh:
        st.warning(NEEDS_REFRESH, icon=":material/sync_problem:")


def propose_button(kept: Kept, person: Person, *, sound: bool) -> None:
    """Draw the button that proposes it to a second manager."""
    form = _form("propose", kept)
    sending.button(
        "Propose for publishing",
        form=PLACE,
        key=f"{form}-button",
        act=_propose,
        args=[kept, person.email, state.request_id(form)],
        sends=kept,
        icon=":material/how_to_reg:",
        type="primary",
        disabled=not sound,
    )


def take_back_button(kept: Kept, person: Person) -> None:
    """Draw the button that makes the person's own proposal a draft again."""
    form = _form("cancel", kept)
    sending.button(
        "Take back",
        form=PLACE,
        key=f"{form}-button",
        act=_cancel,
        args=[kept, person.email, state.request_id(form)],
        sends=kept,
        icon=":material/undo:",
    )


def draw_second(kept: Kept, person: Person, *, version: int, sound: bool) -> None:
    """Draw the second manager's choices: publish it, or return it with a reason."""
    confirm, decline = _form("confirm", kept), _form("decline", kept)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        sending.button(
            f"Publish as version {version}",
            form=PLACE,
            key=f"{confirm}-button",
            act=_confirm,
            args=[kept, person.email, state.request_id(confirm)],
            sends=kept,
            icon=":material/gavel:",
            type="primary",
            disabled=not sound,
        )
        with st.popover("Decline", icon=":material/undo:"):
            st.text_area("Reason", key=state.form_key(decline, "reason"), height=90)
            sending.button(
                "Return to author",
                form=PLACE,
                key=f"{decline}-button",
                act=_decline,
                args=[kept, person.email, state.request_id(decline)],
                sends=kept,
            )


def _form(act: str, kept: Kept) -> str:
    return f"policy-{act}-{kept.draft_id}-{kept.revision}"


def _propose(kept: Kept, actor: str, request_id: UUID) -> None:
    command = drafts.ProposeDraft(revision=kept.revision, **_common_fields(kept, actor, request_id))
    if submit.submit(PLACE, command, drafts.propose) is not None:
        submit.accepted(PLACE, "Proposed. A second manager publishes it.")


def _cancel(kept: Kept, actor: str, request_id: UUID) -> None:
    command = drafts.CancelProposal(**_common_fields(kept, actor, request_id))
    if submit.submit(PLACE, command, drafts.cancel) is not None:
        submit.accepted(PLACE, "It is a draft again.")


def _confirm(kept: Kept, actor: str, request_id: UUID) -> None:
    command = drafts.ConfirmDraft(revision=kept.revision, **_common_fields(kept, actor, request_id))
    version = submit.submit(PLACE, command, drafts.confirm)
    if version is not None:
        submit.accepted(PLACE, f"Published as version {version}.")


def _decline(kept: Kept, actor: str, request_id: UUID) -> None:
    reason = state.entered(_form("decline", kept), "reason", request_id) or ""
    command = drafts.DeclineDraft(
        revision=kept.revision, reason=reason, **_common_fields(kept, actor, request_id)
    )
    if submit.submit(PLACE, command, drafts.decline) is not None:
        submit.accepted(PLACE, "Returned to the author with your reason.")


def _common_fields(kept: Kept, actor: str, request_id: UUID) -> dict[str, Any]:
    """Return the fields shared by all commands on a draft."""
    return {
        "draft_id": kept.draft_id,
        "actor": actor,
        "at": datetime.now(UTC),
        "request_id": request_id,
    }
