"""What is to become of one application: the choices, each filled in first and sent second.

Two steps: the fields, and then exactly what the applicant will get, beside the one button
that sends it. Ctrl+Enter goes one step on, Escape one step back, and nothing typed is lost.
"""

from uuid import UUID

import streamlit as st

from dashboard import state
from dashboard.components import keyboard
from dashboard.forms import (
    answers,
    approval_form,
    deferral_form,
    information_form,
    ownership_form,
    rejection_form,
    reopen_form,
    second_approval_form,
)
from dashboard.forms.shown import Shown
from dashboard.forms.steps import Choice, Step, name
from program.permissions import Act
from program.workflow import Status

CHOICES = (
    Choice(key="a", word="Approve", draw=approval_form.draw),
    Choice(key="r", word="Reject", draw=rejection_form.draw),
    Choice(key="i", word="Ask", draw=information_form.draw),
    Choice(key="d", word="Defer", draw=deferral_form.draw),
)


def draw(shown: Shown) -> None:
    """Draw what this person can do with the application as it stands."""
    status = shown.application.status
    answers.draw(name(shown.id_))
    if status in (Status.APPROVED, Status.REJECTED, Status.WITHDRAWN):
        reopen_form.draw(shown)
    elif not shown.person.may(Act.DECIDE):
        st.markdown("**Decision**")
        st.caption(f"Waiting for a reviewer. Your role, {shown.person.role}, does not decide.")
    elif status is Status.AWAITING_SECOND_APPROVAL:
        second_approval_form.draw(shown)
    elif status is Status.MORE_INFO_NEEDED:
        information_form.draw_waiting(shown)
    elif status is Status.DEFERRED:
        deferral_form.draw_waiting(shown)
    else:
        _draw_choices(shown)


def _draw_choices(shown: Shown) -> None:
    st.markdown("**Decide**")
    if shown.conflict is not None:
        st.warning(shown.conflict, icon=":material/block:")
        return
    holder = shown.application.desk.assignee(shown.now)
    if holder is not None and holder != shown.person.email:
        ownership_form.draw_take_over(shown, holder)
        return
    chosen = state.kept(_choice(shown.id_))
    with st.container(horizontal=True, gap="xsmall", key="choices"):
        for choice in CHOICES:
            with keyboard.hot(choice.key, width="content"):
                st.button(
                    choice.word,
                    key=f"choose-{choice.key}-{shown.id_}",
                    type="secondary" if choice.key == chosen else "tertiary",
                    help=f"Key {choice.key}",
                    on_click=_choose,
                    args=[shown.id_, choice.key],
                )
    for choice in CHOICES:
        if choice.key == chosen:
            choice.draw(shown)
            return
    st.caption("Choose one, or press its first letter. Nothing is sent before you confirm.")


def _choice(id_: int) -> str:
    return f"choice-{id_}"


def _choose(id_: int, key: str) -> None:
    state.hold(name(id_))
    state.keep(_choice(id_), key)
    state.keep(Step.place(id_), Step.FILL)


def renew(id_: int, request_id: UUID) -> None:
    """The form was accepted; another begins empty."""
    state.forget(_choice(id_))
    state.renew(name(id_), request_id)
