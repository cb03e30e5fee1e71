"""The decision panel: choices that are filled in first and sent second.

Two steps: the fields, and then exactly what the applicant will get, beside the one button that
sends it. Ctrl+Enter goes one step on, Escape one step back, and nothing typed is lost.
"""

import streamlit as st

from dashboard.forms import submit
from dashboard.pages.application import claim
from dashboard.pages.application.decide import (
    approve,
    ask,
    changed_facts,
    defer,
    reject,
    reopen,
    second_approval,
    steps,
    unsent_text,
)
from dashboard.pages.application.decide.steps import Choice, name
from dashboard.ui import keyboard, shortcuts
from dashboard.ui.shortcuts import Shortcut
from data_access.review.opening import Opened
from program.review.permissions import Act
from program.review.workflow import Status

CHOICES = (
    Choice(shortcut=shortcuts.APPROVE, word="Approve", draw=approve.draw),
    Choice(shortcut=shortcuts.REJECT, word="Reject", draw=reject.draw),
    Choice(shortcut=shortcuts.ASK, word="Ask", draw=ask.draw),
    Choice(shortcut=shortcuts.DEFER, word="Defer", draw=defer.draw),
)
CHOSEN = "choice"


def draw(shown: Opened) -> None:
    """Draw what this person can do with the application in its status."""
    status = shown.application.status
    submit.draw(name(shown.id_))
    if status in (Status.APPROVED, Status.REJECTED, Status.WITHDRAWN):
        reopen.draw(shown)
    elif status is Status.AWAITING_SECOND_APPROVAL:
        second_approval.draw(shown)
        unsent_text.draw(shown, but=["second"])
    elif status is Status.MORE_INFO_NEEDED:
        ask.draw_waiting(shown)
        unsent_text.draw(shown, but=["answer"])
    elif status is Status.DEFERRED:
        defer.draw_waiting(shown)
        unsent_text.draw(shown)
    else:
        _draw_deciding(shown)


def _draw_deciding(shown: Opened) -> None:
    second_approval.draw_lapsed(shown)
    if not shown.person.may(Act.DECIDE):
        st.markdown("**Decision**")
        st.caption(f"Waiting for a reviewer. Your role, {shown.person.role}, does not decide.")
        return
    st.markdown("**Decide**")
    holder = shown.application.desk.assignee(shown.now)
    if shown.conflict is not None:
        st.warning(shown.conflict, icon=":material/block:")
    elif holder is not None and holder != shown.person.email:
        claim.draw_take_over(shown, holder)
    else:
        _draw_choices(shown)
        unsent_text.draw(shown, only=["answer", "second"])


def _draw_choices(shown: Opened) -> None:
    chosen = steps.picked(shown.id_, CHOSEN)
    with st.container(horizontal=True, gap="xsmall", wrap=False, key="choices"):
        for choice in CHOICES:
            _draw_choice(shown, choice.shortcut, choice.word, chosen=choice.shortcut.key == chosen)
    for choice in CHOICES:
        if choice.shortcut.key == chosen:
            changed_facts.draw(shown)
            choice.draw(shown)
            return
    changed_facts.forget(shown.id_)
    st.caption("Nothing is sent before you have seen it and confirmed.")


def _draw_choice(shown: Opened, shortcut: Shortcut, word: str, *, chosen: bool) -> None:
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
