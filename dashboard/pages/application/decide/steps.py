"""The two steps of the decision panel, shared by all its choices."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.forms import fields, sending, submit, undo
from dashboard.pages.application import next_application
from dashboard.ui import keyboard, message_preview, state
from dashboard.ui.safe_text import escape
from dashboard.ui.shortcuts import Shortcut
from data_access.db import database
from data_access.db.errors import FiguresMoved, Refusal
from data_access.messages import rendering
from data_access.people.commands import CommandT, ResultT, Verb
from data_access.review.opening import Opened
from program.messages import canned_texts
from program.messages.canned_texts import MessageFacts
from program.periods import utc_day

# The width beside the step's main button, in pixels.
BESIDE = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One choice: its key, its label, and the function that draws it."""

    shortcut: Shortcut
    word: str
    draw: Callable[[Opened], None]


@dataclass(frozen=True, slots=True)
class Sent:
    """The result of sending, in words; ``undoable`` if its message still waits."""

    confirmation: str
    undoable: bool = False


class Step(StrEnum):
    """The current step: filling in, or previewing what will be sent."""

    FILL = "fill"
    PREVIEW = "preview"


def name(id_: int) -> str:
    """Return the form's name; its request id lives for the session, so repeats are harmless."""
    return f"decision-{id_}"


def now_at(shown: Opened) -> Step:
    """Return the panel's current step."""
    return Step(picked(shown.id_, "step") or Step.FILL)


def picked(id_: int, what: str) -> Any:  # noqa: ANN401 - each thing has its own type
    """Return what was picked before the fields, such as the reason; ``None`` before that."""
    return (state.kept(_place(id_)) or {}).get(what)


def pick(id_: int, what: str, value: object, also: Callable[[], None] | None = None) -> None:
    """Pick something, call ``also``, and show the fields; typed text is kept."""
    state.hold(name(id_))
    if also is not None:
        also()
    state.keep(_place(id_), {**(state.kept(_place(id_)) or {}), what: value, "step": Step.FILL})


def _go(id_: int, step: Step) -> None:
    sending.show_anew(_sends(id_))
    state.keep(_place(id_), {**(state.kept(_place(id_)) or {}), "step": step})


def _place(id_: int) -> str:
    return f"panel-{id_}"


def _sends(id_: int) -> str:
    return f"send-{id_}"


def filled(
    shown: Opened,
    template: str,
    *,
    rebate_rate: Decimal | None = None,
    reapply: str | None = None,
    finding: str | None = None,
) -> str:
    """Fill a canned text with what is known about this application."""
    fresh = shown.standing.freshness
    facts = MessageFacts(
        username=shown.application.username,
        application_id=shown.id_,
        social_handle=shown.application.social_handle,
        assessment=shown.standing.assessment,
        window=fresh.window if fresh else None,
        policy=shown.standing.policy,
        day=utc_day(shown.now),
    )
    values = canned_texts.values(facts, rebate_rate=rebate_rate, reapply=reapply, finding=finding)
    return canned_texts.fill(template, values)


def preview_button(shown: Opened, check: Callable[[], None]) -> None:
    """Draw the button to the second step; ``check`` raises a Refusal for an invalid form.

    It is where the second step has Back, so that pressing twice sends nothing.
    """
    with row():
        st.caption("Nothing is sent yet.", width="stretch")
        with keyboard.hot(keyboard.GO, width=BESIDE):
            st.button(
                "Preview",
                key=f"preview-{shown.id_}",
                type="primary",
                width="stretch",
                help="Ctrl+Enter",
                on_click=_preview,
                args=[shown.id_, check],
            )


def row() -> DeltaGenerator:
    """Return the container of a step's main button, which stays in sight."""
    return st.container(
        horizontal=True, wrap=False, vertical_alignment="center", gap="small", key="step-on"
    )


def _preview(id_: int, check: Callable[[], None]) -> None:
    state.hold(name(id_))
    try:
        check()
    except Refusal as refusal:
        submit.refused(name(id_), str(refusal))
        return
    _go(id_, Step.PREVIEW)


def draw_options(
    shown: Opened,
    question: str,
    what: str,
    options: Sequence[tuple[object, str]],
    *,
    also: Callable[[], None] | None = None,
) -> None:
    """Draw the options, as (value, label), with number keys.

    Picking one also calls ``also``.
    """
    st.caption(f"{question} Press its number.")
    with st.container(gap=None, key="options"):
        for number, (value, words) in enumerate(options, start=1):
            with keyboard.hot(str(number)):
                st.button(
                    f"{number} · {words}",
                    key=f"{what}-{value if isinstance(value, str) else number}-{shown.id_}",
                    type="tertiary",
                    on_click=pick,
                    args=[shown.id_, what, value, also],
                )


def draw_picked(shown: Opened, what: str, words: str) -> None:
    """Draw what was picked, and the button to pick again."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(words)
        with keyboard.hot(keyboard.BACK, width="content"):
            st.button(
                "Change",
                key=f"change-{what}-{shown.id_}",
                type="tertiary",
                on_click=pick,
                args=[shown.id_, what, None],
            )


def draw_omission(shown: Opened, field: str, text: str, words: str, *, refill: bool) -> None:
    """Warn if an edited message no longer contains ``words``, with which it was filled.

    ``refill`` offers to fill it again, which discards the edits.
    """
    form = name(shown.id_)
    if not fields.is_edited(form, field) or "".join(words.split()) in "".join(text.split()):
        return
    st.warning(f"The message does not say: {escape(words)}", icon=":material/edit_note:")
    if refill:
        st.button(
            "Fill in again",
            key=f"refill-{field}-{shown.id_}",
            type="tertiary",
            on_click=fields.refill,
            args=[form, field],
        )


def draw_message(shown: Opened, text: str, kind: str, *, of: str = "draft") -> None:
    """Draw exactly what the applicant will get, and where; or why it cannot be sent.

    ``of`` is what the message belongs to: a proposal's is shown beside one that is drafted.
    """
    with database.reading(database.reader()) as connection:
        made = rendering.preview(connection, shown.application, kind=kind, message=text)
    message_preview.draw(channel=made.channel, recipient=made.recipient, text=made.text, of=of)
    if made.obstacle is not None:
        st.warning(
            f"{escape(made.obstacle)} It will not reach the applicant as it is.",
            icon=":material/unsubscribe:",
        )


def send_buttons(
    shown: Opened,
    word: str,
    act: Callable[[UUID], Sent | None],
    *,
    sends: object,
    icon: str | None = None,
    destroys: bool = False,
) -> None:
    """Draw the one button that sends, and Back.

    ``sends`` identifies what is sent; ``act`` sends it under the given request id and returns
    ``None`` if it was refused.
    """
    with row():
        with keyboard.hot(keyboard.GO, width="stretch"):
            sending.button(
                word,
                form=name(shown.id_),
                key=_sends(shown.id_),
                act=_send,
                args=[shown, act, state.request_id(name(shown.id_))],
                sends=sends,
                destroys=destroys,
                type="primary",
                icon=icon,
                width="stretch",
                help="Ctrl+Enter",
            )
        with keyboard.hot(keyboard.BACK, width=BESIDE):
            st.button(
                "Back",
                key=f"back-{shown.id_}",
                type="tertiary",
                width="stretch",
                on_click=_go,
                args=[shown.id_, Step.FILL],
            )


def send(shown: Opened, command: CommandT, verb: Verb[CommandT, ResultT]) -> ResultT | None:
    """Send what the preview shows; ``None`` if refused, which leads back to the fields."""
    form = name(shown.id_)
    try:
        result = submit.submit(form, command, verb, drafts=[form], raises=(FiguresMoved,))
    except FiguresMoved as moved:
        # The preview is redrawn with the new figures, and its button sends those.
        submit.refused(form, str(moved))
        return None
    if result is None:
        _go(shown.id_, Step.FILL)
    return result


def _send(shown: Opened, act: Callable[[UUID], Sent | None], request_id: UUID) -> None:
    # A repeated press still has the used id, so it returns the same result.
    sent = act(request_id)
    if sent is None:
        return
    if sent.undoable:
        undo.offer(shown.id_, request_id, _as_it_was(shown.id_))
    state.forget(_place(shown.id_))
    state.release(name(shown.id_))
    next_application.open_next(shown, sent.confirmation, request_id)


def _as_it_was(id_: int) -> Callable[[], None]:
    """Return a function that restores the panel as it is now, at the fields."""
    held, panel = dict(state.held(name(id_))), {**(state.kept(_place(id_)) or {})}

    def put_back() -> None:
        state.held(name(id_)).update(held)
        state.keep(_place(id_), {**panel, "step": Step.FILL})

    return put_back
