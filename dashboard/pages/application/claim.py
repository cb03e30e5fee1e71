"""Claim, release, assign and take over."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import streamlit as st

from dashboard.forms import sending, submit
from dashboard.pages.application.decide import unsent_text
from dashboard.pages.application.decide.steps import name as decision_name
from dashboard.ui import keyboard, popovers, shortcuts, state
from dashboard.ui.safe_text import escape
from data_access.people.commands import CommandT, Verb
from data_access.people.staff import Person
from data_access.review import claims
from data_access.review.opening import Opened
from program.review.permissions import Act
from program.review.workflow import OPEN_STATUSES


def draw(shown: Opened) -> None:
    """Draw in one line who works on it, and this person's actions."""
    if shown.application.status not in OPEN_STATUSES:
        return
    holder = shown.application.desk.assignee(shown.now)
    if holder is None:
        st.caption("Unassigned", width="content")
    elif holder == shown.person.email:
        st.badge(f"yours{_until(shown)}", icon=":material/person_check:", color="green")
    else:
        # A name is typed text, which a badge must not show.
        owner = f"**{escape(shown.named(holder))}**{_until(shown)}"
        st.markdown(f":orange[:material/person:] {owner}", width="content")
    if shown.person.may(Act.CLAIM):
        _draw_act(shown, holder)
    if shown.person.may(Act.ASSIGN):
        others = [p for p in shown.colleagues if p.email not in (holder, shown.person.email)]
        _draw_assigning(shown, others)


def draw_answer(shown: Opened) -> None:
    """Draw the result of the last press if it was refused."""
    submit.draw(_name(shown.id_))


def draw_take_over(shown: Opened, holder: str) -> None:
    """Draw this instead of the decision form while a colleague holds the application."""
    st.text(f"{shown.named(holder)} works on this{_until(shown)}.")
    st.caption("Taking over is recorded, and they are notified at once.")
    _button(
        shown,
        "Take over to decide",
        claims.TakeOver(**_common_fields(shown)),
        claims.take_over,
        type="primary",
    )
    unsent_text.draw(shown)


def _draw_act(shown: Opened, holder: str | None) -> None:
    if holder is None:
        with keyboard.hot(shortcuts.CLAIM.key, width="content"):
            command, help_ = claims.Claim(**_common_fields(shown)), f"Key {shortcuts.CLAIM.key}"
            _button(shown, "Claim", command, claims.claim, help=help_)
    elif holder == shown.person.email:
        release = claims.Release(**_common_fields(shown))
        _button(shown, "Release", release, claims.release, type="tertiary")
    else:
        _button(shown, "Take over", claims.TakeOver(**_common_fields(shown)), claims.take_over)


def _draw_assigning(shown: Opened, others: Sequence[Person]) -> None:
    popovers.draw(
        "Assign to…",
        partial(_draw_colleagues, shown, others),
        key=state.form_key(_name(shown.id_), "assign"),
        height=40 + 37 * len(others),
        before=partial(state.hold, decision_name(shown.id_)),
        type="tertiary",
    )


def _draw_colleagues(shown: Opened, others: Sequence[Person]) -> None:
    st.caption("The assignment lasts until they release or decide it.")
    for number, person in enumerate(others):
        sending.button(
            escape(f"{person.display_name} · {person.role}"),
            form=_name(shown.id_),
            key=f"assign-{number}-{shown.id_}",
            act=_do,
            args=[
                shown,
                claims.Assign(assignee=person.email, **_common_fields(shown)),
                claims.assign,
            ],
            sends=person.email,
            type="tertiary",
        )
    if not others:
        st.caption("There is no other reviewer.")


def _until(shown: Opened) -> str:
    claim = shown.application.desk.claim
    if claim is None or claim.until is None:
        return " (assigned)"
    return f" until {claim.until.astimezone(UTC):%H:%M} UTC"


def _button(
    shown: Opened,
    label: str,
    command: CommandT,
    verb: Verb[CommandT, int],
    **look: Any,  # noqa: ANN401 - what a button takes
) -> None:
    sending.button(
        label,
        form=_name(shown.id_),
        key=f"{label}-{shown.id_}",
        act=_do,
        args=[shown, command, verb],
        # Release is drawn where Claim was, and the other way round.
        sends=command.request_id,
        **look,
    )


def _do(shown: Opened, command: CommandT, verb: Verb[CommandT, int]) -> None:
    state.hold(decision_name(shown.id_))
    submit.submit(_name(shown.id_), replace(command, at=datetime.now(UTC)), verb)


def _common_fields(shown: Opened) -> dict[str, Any]:
    """Return the fields shared by all commands here; ``at`` is replaced on sending."""
    return {
        "application_id": shown.id_,
        "actor": shown.person.email,
        "at": shown.now,
        "request_id": state.request_id(_name(shown.id_)),
    }


def _name(id_: int) -> str:
    return f"owner-{id_}"
