"""Change the review clock's holidays: add, rename, remove, each with a reason."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from typing import Any
from uuid import UUID

import streamlit as st

from dashboard.forms import sending, submit
from dashboard.forms.fields import ANY_DAY
from dashboard.ui import figures, state
from dashboard.ui.safe_text import escape
from data_access.db.errors import NeedsConfirming
from data_access.eligibility.holidays import Holiday
from data_access.people.staff import Person
from data_access.policy import holiday_changes
from data_access.policy.holiday_changes import LONGEST_NAME, LONGEST_REASON, Effect

FORM = "holiday"
CONFIRMING = "holiday-confirming"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A requested change; ``confirmed`` is the effect that the person has seen."""

    form: str
    kind: str
    day: date
    name: str
    reason: str
    request_id: UUID
    sentence: str = ""
    confirmed: Effect | None = None


def draw(person: Person) -> None:
    """Draw the form for a day, its name and the reason; and the effect of a past day."""
    submit.draw(FORM)
    _draw_confirming(person)
    with st.form(FORM, border=False):
        day, name = st.columns([1, 1.6])
        day.date_input(
            "Day", value=None, format="YYYY-MM-DD", key=state.form_key(FORM, "day"), **ANY_DAY
        )
        name.text_input(
            "Name",
            max_chars=LONGEST_NAME,
            placeholder="for example: New Year",
            key=state.form_key(FORM, "name"),
        )
        why, send = st.columns([2.2, 0.8], vertical_alignment="bottom")
        why.text_input("Reason", max_chars=LONGEST_REASON, key=state.form_key(FORM, "reason"))
        with send:
            sending.button(
                "Add",
                form=FORM,
                key=state.form_key(FORM, "send"),
                act=_send,
                args=[FORM, "added", None, person.email, state.request_id(FORM)],
                submit=True,
                icon=":material/add:",
                type="primary",
                width="stretch",
            )


def change_buttons(holiday: Holiday, person: Person) -> None:
    """Draw the buttons to rename a holiday or remove it."""
    _popover(holiday, person, "renamed", "Rename", ":material/edit:")
    _popover(holiday, person, "removed", "Remove", ":material/delete:")


def _popover(holiday: Holiday, person: Person, kind: str, word: str, icon: str) -> None:
    form = f"{FORM}-{kind}-{holiday.day.isoformat()}"
    with st.popover(word, icon=icon, key=f"{form}-open"):
        if kind == "renamed":
            st.text_input(
                "New name",
                value=holiday.name,
                max_chars=LONGEST_NAME,
                key=state.form_key(form, "name"),
            )
        st.text_input("Reason", max_chars=LONGEST_REASON, key=state.form_key(form, "reason"))
        sending.button(
            word,
            form=FORM,
            key=f"{form}-send",
            act=_send,
            args=[form, kind, holiday.day, person.email, state.request_id(form)],
            sends=holiday,
            type="primary",
        )


def _draw_confirming(person: Person) -> None:
    """Draw the change's effect on the past, and the two ways on."""
    asked: Asked | None = state.kept(CONFIRMING)
    if asked is None:
        return
    with st.container(border=True, key="holiday-confirming"):
        st.warning(escape(asked.sentence), icon=":material/history:")
        word = "Add" if asked.kind == "added" else "Remove"
        with st.container(horizontal=True):
            sending.button(
                f"{word} it and change the past",
                form=FORM,
                key="holiday-confirm",
                act=_do,
                args=[asked, person.email],
                sends=asked,
                type="primary",
            )
            st.button("Keep it", key="holiday-leave", on_click=state.forget, args=[CONFIRMING])


def _send(form: str, kind: str, day: date | None, actor: str, request_id: UUID) -> None:
    def typed(part: str) -> Any:  # noqa: ANN401 - each field has its own type
        return state.typed(f"{form}-{part}-{request_id.hex[:8]}")

    day = day or typed("day")
    if day is None:
        submit.refused(FORM, "Choose a day first.")
        return
    asked = Asked(
        form=form,
        kind=kind,
        day=day,
        name=typed("name") or "",
        reason=typed("reason") or "",
        request_id=request_id,
    )
    _do(asked, actor)


def _do(asked: Asked, actor: str) -> None:
    state.forget(CONFIRMING)
    try:
        day = submit.attempt(FORM, actor, partial(_put, asked, actor), raises=(NeedsConfirming,))
    except NeedsConfirming as needed:
        effect = needed.effect if isinstance(needed.effect, Effect) else None
        state.keep(CONFIRMING, replace(asked, sentence=str(needed), confirmed=effect))
        return
    if day is None:
        return
    state.renew(asked.form, asked.request_id)
    words = {
        "added": "is a holiday now",
        "renamed": "has another name now",
        "removed": "is an ordinary day again",
    }[asked.kind]
    state.flash(state.Flash(ok=True, text=f"{figures.day(day, year=True)} {words}."))


def _put(asked: Asked, actor: str, engine: Any) -> date:  # noqa: ANN401 - of data_access
    """Change the day as requested, and return it."""
    _verb(asked.kind)(
        engine,
        day=asked.day,
        reason=asked.reason,
        actor=actor,
        now=datetime.now(UTC),
        request_id=asked.request_id,
        **({} if asked.kind == "removed" else {"name": asked.name}),
        **({} if asked.kind == "renamed" else {"confirmed": asked.confirmed}),
    )
    return asked.day


def _verb(kind: str) -> Callable[..., None]:
    return {
        "added": holiday_changes.add,
        "renamed": holiday_changes.rename,
        "removed": holiday_changes.remove,
    }[kind]
