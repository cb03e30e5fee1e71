"""Change the review clock's holidays: add, rename, remove, each with a reason."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
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
from data_access.policy.holiday_changes import (
    LONGEST_NAME,
    LONGEST_REASON,
    ChangeHoliday,
    ChangeKind,
    Effect,
)

FORM = "holiday"
CONFIRMING = "holiday-confirming"
DONE = {
    ChangeKind.ADDED: "is a holiday now",
    ChangeKind.RENAMED: "was renamed",
    ChangeKind.REMOVED: "is no longer a holiday",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirming:
    """A change of a past day; ``sentence`` states the effect to confirm."""

    form: str
    command: ChangeHoliday
    sentence: str


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
            sending.form_button(
                "Add",
                form=FORM,
                key=state.form_key(FORM, "send"),
                act=_send,
                args=[FORM, ChangeKind.ADDED, None, person.email, state.request_id(FORM)],
                icon=":material/add:",
                type="primary",
                width="stretch",
            )


def change_buttons(holiday: Holiday, person: Person) -> None:
    """Draw the buttons to rename a holiday or remove it."""
    _popover(holiday, person, ChangeKind.RENAMED, "Rename", ":material/edit:")
    _popover(holiday, person, ChangeKind.REMOVED, "Remove", ":material/delete:")


def _popover(holiday: Holiday, person: Person, kind: ChangeKind, word: str, icon: str) -> None:
    form = f"{FORM}-{kind}-{holiday.day.isoformat()}"
    with st.popover(word, icon=icon, key=f"{form}-open"):
        if kind is ChangeKind.RENAMED:
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
    confirming: Confirming | None = state.kept(CONFIRMING)
    if confirming is None:
        return
    with st.container(border=True, key="holiday-confirming"):
        st.warning(escape(confirming.sentence), icon=":material/history:")
        word = "Add" if confirming.command.kind is ChangeKind.ADDED else "Remove"
        with st.container(horizontal=True):
            sending.button(
                f"{word} it and change the past",
                form=FORM,
                key="holiday-confirm",
                act=_confirm,
                args=[confirming, person.email],
                sends=confirming,
                type="primary",
            )
            st.button("Keep it", key="holiday-leave", on_click=state.forget, args=[CONFIRMING])


def _send(form: str, kind: ChangeKind, day: date | None, actor: str, request_id: UUID) -> None:
    def typed(part: str) -> Any:  # noqa: ANN401 - each field has its own type
        return state.entered(form, part, request_id)

    day = day or typed("day")
    if day is None:
        submit.refused(FORM, "Choose a day first.")
        return
    command = ChangeHoliday(
        kind=kind,
        day=day,
        name=typed("name") or "",
        reason=typed("reason") or "",
        actor=actor,
        at=datetime.now(UTC),
        request_id=request_id,
    )
    _change(form, command)


def _confirm(confirming: Confirming, actor: str) -> None:
    _change(confirming.form, replace(confirming.command, actor=actor, at=datetime.now(UTC)))


def _change(form: str, command: ChangeHoliday) -> None:
    state.forget(CONFIRMING)
    confirmation = f"{figures.day(command.day, year=True)} {DONE[command.kind]}."
    try:
        submit.submit(
            FORM,
            command,
            holiday_changes.change,
            renews=form,
            confirmation=confirmation,
            raises=(NeedsConfirming,),
        )
    except NeedsConfirming as needed:
        effect = needed.effect if isinstance(needed.effect, Effect) else None
        command = replace(command, confirmed=effect)
        state.keep(CONFIRMING, Confirming(form=form, command=command, sentence=str(needed)))
