"""Whose application it is: claiming, releasing, assigning, taking over."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

import streamlit as st

from dashboard.forms import sending, submit
from dashboard.pages.application.context import Shown
from dashboard.pages.application.decide import unsent_text
from dashboard.pages.application.decide.steps import name as decision_name
from dashboard.ui import keyboard, shortcuts, state
from dashboard.ui.safe_text import escape
from data_access.db import database
from data_access.db.errors import Refusal
from data_access.people.staff import Person
from data_access.review import claims
from program.review.permissions import Act
from program.review.workflow import OPEN_STATUSES


def draw(shown: Shown, colleagues: Sequence[Person]) -> None:
    """Who works on it, and what this person can do about that, in one line."""
    if shown.application.status not in OPEN_STATUSES:
        return
    holder = shown.application.desk.assignee(shown.now)
    if holder is None:
        st.caption("Unassigned", width="content")
    elif holder == shown.person.email:
        st.badge(f"yours{_until(shown)}", icon=":material/person_check:", color="green")
    else:
        # An address is typed text, for which a badge is no place.
        whose = f"**{escape(holder)}**{_until(shown)}"
        st.markdown(f":orange[:material/person:] {whose}", width="content")
    if shown.person.may(Act.CLAIM):
        _draw_act(shown, holder)
    if shown.person.may(Act.ASSIGN):
        others = [p for p in colleagues if p.email not in (holder, shown.person.email)]
        _draw_assigning(shown, others)


def draw_answer(shown: Shown) -> None:
    """How the last press went, where it did not go."""
    submit.draw(_name(shown.id_))


def draw_take_over(shown: Shown, holder: str) -> None:
    """Instead of the decision's form, while a colleague holds the application."""
    st.text(f"{holder} works on this{_until(shown)}.")
    st.caption("Taking over is recorded, and they are notified at once.")
    _button(shown, "Take over to decide", claims.take_over, kind="primary")
    unsent_text.draw(shown)


def _draw_act(shown: Shown, holder: str | None) -> None:
    if holder is None:
        with keyboard.hot(shortcuts.CLAIM.key, width="content"):
            _button(shown, "Claim", claims.claim, help_=f"Key {shortcuts.CLAIM.key}")
    elif holder == shown.person.email:
        _button(shown, "Release", claims.release, kind="tertiary")
    else:
        _button(shown, "Take over", claims.take_over)


def _draw_assigning(shown: Shown, others: Sequence[Person]) -> None:
    # Its request is in the key, so that it is another one, and closed, after it was used.
    key = state.form_key(_name(shown.id_), "assign")
    with st.popover("Assign to…", key=key, type="tertiary"):
        st.caption("The assignment lasts until they release or decide it.")
        for number, person in enumerate(others):
            sending.button(
                escape(f"{person.display_name} · {person.role}"),
                form=_name(shown.id_),
                key=f"assign-{number}-{shown.id_}",
                act=_assign,
                args=[shown, person.email, state.request_id(_name(shown.id_))],
                sends=person.email,
                type="tertiary",
            )
        if not others:
            st.caption("There is no other reviewer.")


def _until(shown: Shown) -> str:
    claim = shown.application.desk.claim
    if claim is None or claim.until is None:
        return " (assigned)"
    return f" until {claim.until.astimezone(UTC):%H:%M} UTC"


def _button(
    shown: Shown,
    label: str,
    act: Callable[..., int],
    *,
    kind: str = "secondary",
    help_: str | None = None,
) -> None:
    request_id = state.request_id(_name(shown.id_))
    sending.button(
        label,
        form=_name(shown.id_),
        key=f"{label}-{shown.id_}",
        act=_do,
        args=[shown, act, request_id],
        # Where Claim was, Release stands after it, and the other way round.
        sends=request_id,
        type=kind,
        help=help_,
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
        lambda: claims.assign(
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
    if submit.refused_to_stranger(form, shown.person.email):
        return
    state.hold(decision_name(shown.id_))
    try:
        act()
    except Refusal as refusal:
        submit.refused(form, str(refusal))
        return
    state.renew(form, request_id)


def _name(id_: int) -> str:
    return f"owner-{id_}"
