"""The two steps of the decision panel, shared by all that can be done there."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import streamlit as st

from dashboard import opening, state
from dashboard.components import keyboard, message_preview
from dashboard.forms import answers, fields
from dashboard.forms.shown import Shown
from data_access import outbox
from data_access.refusals import Refusal
from program import messages
from program.periods import utc_day


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One thing to do: its key, its word, and what draws it."""

    key: str
    word: str
    draw: Callable[[Shown], None]


class Step(StrEnum):
    """Where somebody is: filling in, or looking at what will be sent."""

    FILL = "fill"
    PREVIEW = "preview"

    @staticmethod
    def place(id_: int) -> str:
        """Under which name the session keeps the step."""
        return f"step-{id_}"


def name(id_: int) -> str:
    """The form's name; its request id lives as long as the session, so repeats are harmless."""
    return f"decision-{id_}"


def now_at(shown: Shown) -> Step:
    """The step the panel is at."""
    return Step(state.kept(Step.place(shown.id_)) or Step.FILL)


def filled(shown: Shown, template: str, **more: object) -> str:
    """A canned text with what is known about this application put in."""
    fresh = shown.standing.freshness
    values = messages.values(
        username=shown.application.username,
        application_id=shown.id_,
        social_handle=shown.application.social_handle,
        assessment=shown.standing.assessment,
        window=fresh.window if fresh else None,
        policy=shown.standing.policy,
        on=utc_day(shown.now),
        **more,  # type: ignore[arg-type]
    )
    return messages.fill(template, values)


def preview_button(shown: Shown, check: Callable[[dict[str, object]], None]) -> None:
    """The way to the second step; ``check`` raises a Refusal for what cannot be sent."""
    with keyboard.hot(keyboard.GO):
        st.button(
            "Preview",
            key=f"preview-{shown.id_}",
            type="primary",
            width="stretch",
            help="Ctrl+Enter",
            on_click=_preview,
            args=[shown.id_, check],
        )


def _preview(id_: int, check: Callable[[dict[str, object]], None]) -> None:
    held = state.hold(name(id_))
    try:
        check(held)
    except Refusal as refusal:
        answers.refused(name(id_), str(refusal))
        return
    state.keep(Step.place(id_), Step.PREVIEW)


def draw_message(shown: Shown, text: str) -> None:
    """Exactly what the applicant will get, and where."""
    channel, recipient = outbox.reached_by(shown.application)
    message_preview.draw(channel=channel, recipient=recipient, text=text)


def send_buttons(shown: Shown, word: str, send: Callable[[], str]) -> None:
    """The one button that sends, and the way back. ``send`` acts and returns what to say."""
    with st.container(horizontal=True, gap="small"):
        with keyboard.hot(keyboard.BACK, width="content"):
            st.button(
                "Back", key=f"back-{shown.id_}", type="tertiary", on_click=_back, args=[shown.id_]
            )
        with keyboard.hot(keyboard.GO, width="stretch"):
            st.button(
                word,
                key=f"send-{shown.id_}",
                type="primary",
                width="stretch",
                help="Ctrl+Enter",
                on_click=_send,
                args=[shown, send, state.request_id(name(shown.id_))],
            )


def _back(id_: int) -> None:
    state.keep(Step.place(id_), Step.FILL)


def _send(shown: Shown, send: Callable[[], str], request_id: UUID) -> None:
    form = name(shown.id_)
    if answers.refused_to_stranger(form, shown.person.email):
        return
    try:
        said = send()
    except Refusal as refusal:
        state.keep(Step.place(shown.id_), Step.FILL)
        answers.refused(form, str(refusal))
        return
    state.forget(f"choice-{shown.id_}")
    state.forget(Step.place(shown.id_))
    fields.used(form, request_id)
    state.mark_sent(form)
    opening.open_next(shown, said, request_id)
