"""Asking the applicant for information, and going on with or without an answer."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import streamlit as st

from dashboard.forms import fields, sending, submit
from dashboard.pages.application.context import Shown
from dashboard.pages.application.decide import steps
from dashboard.pages.application.decide.steps import Step, name
from dashboard.ui import figures, keyboard, shortcuts, state
from data_access.db import database, text_rules
from data_access.db.errors import Refusal
from data_access.review import information_requests
from program.messages import canned_texts
from program.messages.canned_texts import CANNED_BY_KEY, Use
from program.review.permissions import Act

PICKED = "ask"


def draw(shown: Shown) -> None:
    """Draw the step that the panel is at."""
    chosen = steps.picked(shown.id_, PICKED)
    if chosen is None:
        options = [(canned.key, canned.label) for canned in canned_texts.texts(Use.INFORMATION)]
        steps.draw_options(shown, "What do you need?", PICKED, options)
    elif steps.now_at(shown) is Step.PREVIEW:
        message = _message(shown, chosen)
        st.caption("The review clock stops until the answer is recorded.")
        steps.draw_message(shown, message, "information_requested")
        send = partial(_send, shown, message)
        steps.send_buttons(shown, "Ask the applicant", send, sends=message, undoable=True)
    else:
        _draw_fields(shown, chosen)


def draw_waiting(shown: Shown) -> None:
    """Since when the applicant owes an answer, and the two ways on."""
    form, since = name(shown.id_), shown.application.desk.paused_at
    st.markdown("**Waiting for the applicant**")
    if since is not None:
        st.caption(f"Asked {figures.moment(since)}; the review clock is stopped. The question:")
    with st.container(border=True):
        st.text(shown.question or "")
    if not shown.person.may(Act.RECORD_ANSWER):
        return
    with keyboard.draft(f"{form}-answer"):
        fields.text(form, "answer", "The applicant's answer, or why you continue without it")
    with st.container(horizontal=True, gap="small"):
        for label, act, kind in (
            ("Record the answer", information_requests.record_answer, "primary"),
            ("Stop waiting", information_requests.stop_waiting, "secondary"),
        ):
            sending.button(
                label,
                form=form,
                key=f"{label}-{shown.id_}",
                act=_go_on,
                args=[shown, act, state.request_id(form)],
                sends=shown.question,
                type=kind,
            )


def _draw_fields(shown: Shown, chosen: str) -> None:
    form = name(shown.id_)
    steps.draw_picked(shown, PICKED, CANNED_BY_KEY[Use.INFORMATION, chosen].label)
    with keyboard.draft(f"{form}-ask-{chosen}"), keyboard.hot(shortcuts.EDIT.key):
        fields.text(
            form,
            f"ask-{chosen}",
            "Message to the applicant",
            filled=_filled(shown, chosen),
            height=200,
        )
    steps.preview_button(shown, partial(_check, shown, chosen))


def _send(shown: Shown, message: str, request_id: UUID) -> str:
    information_requests.request(
        database.writer(),
        application_id=shown.id_,
        message=message,
        actor=shown.person.email,
        now=datetime.now(UTC),
        request_id=request_id,
    )
    return f"Application {shown.id_} waits for the applicant."


def _check(shown: Shown, chosen: str) -> None:
    text_rules.require_message(_message(shown, chosen))


def _message(shown: Shown, chosen: str) -> str:
    return str(fields.value(name(shown.id_), f"ask-{chosen}", _filled(shown, chosen)))


def _filled(shown: Shown, chosen: str) -> str:
    return steps.filled(shown, CANNED_BY_KEY[Use.INFORMATION, chosen].message)


def _go_on(shown: Shown, act: Callable[..., int], request_id: UUID) -> None:
    form = name(shown.id_)
    if submit.refused_to_stranger(form, shown.person.email):
        return
    state.hold(form)
    given = str(fields.value(form, "answer"))
    what = "answer" if act is information_requests.record_answer else "reason"
    try:
        act(
            database.writer(),
            application_id=shown.id_,
            actor=shown.person.email,
            now=datetime.now(UTC),
            request_id=request_id,
            **{what: given},
        )
    except Refusal as refusal:
        submit.refused(form, str(refusal))
        return
    fields.used(form, request_id)
    state.mark_sent(f"{form}-answer")
    submit.accepted(form, "Back in the queue. The review clock is running.")
