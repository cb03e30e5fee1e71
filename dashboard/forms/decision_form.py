"""What is to become of one application: the choices, each filled in first and sent second.

Two steps: the fields, and then exactly what the applicant will get, beside the one button
that sends it. Ctrl+Enter goes one step on, Escape one step back, and nothing typed is lost.
"""

import streamlit as st

from dashboard.components import keyboard, shortcuts
from dashboard.components.shortcuts import Shortcut
from dashboard.forms import (
    answers,
    approval_form,
    deferral_form,
    information_form,
    kept_text,
    moved_part,
    ownership_form,
    rejection_form,
    reopen_form,
    second_approval_form,
    steps,
)
from dashboard.forms.shown import Shown
from dashboard.forms.steps import Choice, name
from program.permissions import Act
from program.workflow import Status

CHOICES = (
    Choice(shortcut=shortcuts.APPROVE, word="Approve", draw=approval_form.draw),
    Choice(shortcut=shortcuts.REJECT, word="Reject", draw=rejection_form.draw),
    Choice(shortcut=shortcuts.ASK, word="Ask", draw=information_form.draw),
    Choice(shortcut=shortcuts.DEFER, word="Defer", draw=deferral_form.draw),
)
CHOSEN = "choice"


def draw(shown: Shown) -> None:
    """Draw what this person can do with the application as it stands."""
    status = shown.application.status
    answers.draw(name(shown.id_))
    if status in (Status.APPROVED, Status.REJECTED, Status.WITHDRAWN):
        reopen_form.draw(shown)
    elif status is Status.AWAITING_SECOND_APPROVAL:
        second_approval_form.draw(shown)
        kept_text.draw(shown, but=["second"])
    elif status is Status.MORE_INFO_NEEDED:
        information_form.draw_waiting(shown)
        kept_text.draw(shown, but=["answer"])
    elif status is Status.DEFERRED:
        deferral_form.draw_waiting(shown)
        kept_text.draw(shown)
    else:
        _draw_deciding(shown)


def _draw_deciding(shown: Shown) -> None:
    second_approval_form.draw_lapsed(shown)
    if not shown.person.may(Act.DECIDE):
        st.markdown("**Decision**")
        st.caption(f"Waiting for a reviewer. Your role, {shown.person.role}, does not decide.")
        return
    st.markdown("**Decide**")
    holder = shown.application.desk.assignee(shown.now)
    if shown.conflict is not None:
        st.warning(shown.conflict, icon=":material/block:")
    elif holder is not None and holder != shown.person.email:
        ownership_form.draw_take_over(shown, holder)
    else:
        _draw_choices(shown)
        kept_text.draw(shown, only=["answer", "second"])


def _draw_choices(shown: Shown) -> None:
    chosen = steps.picked(shown.id_, CHOSEN)
    with st.container(horizontal=True, gap="xsmall", wrap=False, key="choices"):
        for choice in CHOICES:
            _draw_choice(shown, choice.shortcut, choice.word, chosen=choice.shortcut.key == chosen)
    for choice in CHOICES:
        if choice.shortcut.key == chosen:
            moved_part.draw(shown)
            choice.draw(shown)
            return
    moved_part.forget(shown.id_)
    st.caption("Nothing is sent before you have seen it and confirmed.")


def _draw_choice(shown: Shown, shortcut: Shortcut, word: str, *, chosen: bool) -> None:
    with keyboard.hot(shortcut.key, width="stretch"):
        st.button(
            word,
            key=f"choose-{shortcut.key}-{shown.id_}",
            type="secondary" if chosen else "tertiary",
            width="stretch",
            help=f"Key {shortcut.key}: {shortcut.what}",
            on_click=steps.pick,
            args=[shown.id_, CHOSEN, shortcut.key],
        )
