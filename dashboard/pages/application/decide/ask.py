"""Ask the applicant for information, and continue with or without an answer."""

from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import streamlit as st

from dashboard.forms import fields, sending, submit
from dashboard.pages.application.decide import steps
from dashboard.pages.application.decide.steps import Sent, Step, name
from dashboard.ui import figures, keyboard, shortcuts, state
from data_access.db import text_rules
from data_access.review import information_requests
from data_access.review.opening import Opened
from program.messages import canned_texts
from program.messages.canned_texts import CANNED_BY_KEY, Use
from program.review.permissions import Act

PICKED = "ask"


def draw(shown: Opened) -> None:
    """Draw the panel's current step."""
    chosen = steps.picked(shown.id_, PICKED)
    if chosen is None:
        options = [(canned.key, canned.label) for canned in canned_texts.texts(Use.INFORMATION)]
        steps.draw_options(shown, "What do you need?", PICKED, options)
    elif steps.now_at(shown) is Step.PREVIEW:
        message = _message(shown, chosen)
        st.caption("The review clock stops until the answer is recorded.")
        steps.draw_message(shown, message, "information_requested")
        send = partial(_send, shown, message)
        steps.send_buttons(shown, "Ask the applicant", send, sends=message)
    else:
        _draw_fields(shown, chosen)


def draw_waiting(shown: Opened) -> None:
    """Draw since when the applicant owes an answer, and the two ways on."""
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
        for label, answered, kind in (
            ("Record the answer", True, "primary"),
            ("Stop waiting", False, "secondary"),
        ):
            sending.button(
                label,
                form=form,
                key=f"{label}-{shown.id_}",
                act=_go_on,
                args=[shown, answered, state.request_id(form)],
                sends=shown.question,
                type=kind,
            )


def _draw_fields(shown: Opened, chosen: str) -> None:
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


def _send(shown: Opened, message: str, request_id: UUID) -> Sent | None:
    command = information_requests.RequestInformation(
        application_id=shown.id_,
        message=message,
        actor=shown.person.email,
        at=datetime.now(UTC),
        request_id=request_id,
    )
    if steps.send(shown, command, information_requests.request) is None:
        return None
    return Sent(f"{shown.application.username} is asked for information.", undoable=True)


def _check(shown: Opened, chosen: str) -> None:
    text_rules.require_message(_message(shown, chosen))


def _message(shown: Opened, chosen: str) -> str:
    return str(fields.value(name(shown.id_), f"ask-{chosen}", _filled(shown, chosen)))


def _filled(shown: Opened, chosen: str) -> str:
    return steps.filled(shown, CANNED_BY_KEY[Use.INFORMATION, chosen].message)


def _go_on(shown: Opened, answered: bool, request_id: UUID) -> None:
    form = name(shown.id_)
    state.hold(form)
    given = str(fields.value(form, "answer"))
    common: dict[str, Any] = {
        "application_id": shown.id_,
        "actor": shown.person.email,
        "at": datetime.now(UTC),
        "request_id": request_id,
    }
    drafts = [f"{form}-answer"]
    if answered:
        answer = information_requests.RecordAnswer(answer=given, **common)
        result = submit.submit(form, answer, information_requests.record_answer, drafts=drafts)
    else:
        stop = information_requests.StopWaiting(reason=given, **common)
        result = submit.submit(form, stop, information_requests.stop_waiting, drafts=drafts)
    if result is not None:
        state.release(form)
        submit.accepted(form, "Back in the queue. The review clock is running.")
