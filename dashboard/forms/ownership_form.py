"""Whose application it is: claiming, releasing, assigning, taking over."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

import streamlit as st

from dashboard import state
from dashboard.components import keyboard
from dashboard.components.safe_text import escape
from dashboard.forms import answers
from dashboard.forms.shown import Shown
from data_access import database, ownership
from data_access.refusals import Refusal
from data_access.staff import Person
from program.permissions import Act
from program.workflow import OPEN_STATUSES


def draw(shown: Shown, colleagues: Sequence[Person]) -> None:
    """Who works on it, and what this person can do about that."""
    form = _name(shown.id_)
    answers.draw(form)
    if shown.application.status not in OPEN_STATUSES:
        return
    holder = shown.application.desk.assignee(shown.now)
    mine = holder == shown.person.email
    st.caption(
        "nobody works on it" if holder is None else "yours" if mine else escape(holder),
        width="content",
    )
    if not shown.person.may(Act.CLAIM):
        return
    if holder is None:
        with keyboard.hot("c", width="content"):
            _button(shown, "Claim", ownership.claim)
    elif mine:
        _button(shown, "Release", ownership.release)
    else:
        _button(shown, "Take over", ownership.take_over)
    if shown.person.may(Act.ASSIGN):
        with st.popover("Assign", type="tertiary"):
            for person in colleagues:
                st.button(
                    escape(person.display_name),
                    key=f"assign-{person.email}-{shown.id_}",
                    type="tertiary",
                    on_click=_assign,
                    args=[shown, person.email, state.request_id(form)],
                )


def draw_take_over(shown: Shown, holder: str) -> None:
    """Instead of the decision's form, while a colleague holds the application."""
    claim = shown.application.desk.claim
    until = f" until {claim.until:%H:%M} UTC" if claim and claim.until else ""
    st.text(f"{holder} works on this{until}.")
    _button(shown, "Take it over", ownership.take_over)
    for label, text in state.held(f"decision-{shown.id_}").items():
        if isinstance(text, str) and text:
            st.caption(f"Your text is kept: {label.split('-')[0]}")
            st.code(text, language=None, wrap_lines=True)


def _button(shown: Shown, label: str, act: Callable[..., int]) -> None:
    st.button(
        label,
        key=f"{label}-{shown.id_}",
        type="tertiary" if label in ("Release",) else "secondary",
        on_click=_do,
        args=[shown, act, state.request_id(_name(shown.id_))],
    )


def _do(shown: Shown, act: Callable[..., int], request_id: UUID) -> None:
    _perform(
        shown,
        request_id,
        lambda: act(
            database.writer(),
            application_id=shown.id_,
            actor=shown.person.email,
            now=datetime.now(UTC),
            request_id=request_id,
        ),
    )


def _assign(shown: Shown, assignee: str, request_id: UUID) -> None:
    _perform(
        shown,
        request_id,
        lambda: ownership.assign(
            database.writer(),
            application_id=shown.id_,
            assignee=assignee,
            actor=shown.person.email,
            now=datetime.now(UTC),
            request_id=request_id,
        ),
    )


def _perform(shown: Shown, request_id: UUID, act: Callable[[], int]) -> None:
    form = _name(shown.id_)
    if answers.refused_to_stranger(form, shown.person.email):
        return
    state.hold(f"decision-{shown.id_}")
    try:
        act()
    except Refusal as refusal:
        answers.refused(form, str(refusal))
        return
    state.renew(form, request_id)


def _name(id_: int) -> str:
    return f"owner-{id_}"
