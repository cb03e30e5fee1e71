"""Adding a holiday to the review clock's list, and taking one out."""

from datetime import date, timedelta
from uuid import UUID

import streamlit as st

from dashboard import state
from dashboard.components import figures
from dashboard.forms import answers
from data_access import database, holidays
from data_access.holidays import Holiday
from data_access.refusals import Refusal
from data_access.staff import Person

FORM = "holiday"
FURTHEST = timedelta(days=3 * 366)


def draw(person: Person, today: date) -> None:
    """A day and its name; a day that is there already gets the new name."""
    answers.draw(FORM)
    with st.form(FORM, border=False):
        day, name, send = st.columns([1.3, 1.8, 0.8], vertical_alignment="bottom")
        day.date_input(
            "Day",
            value=None,
            min_value=today - FURTHEST,
            max_value=today + FURTHEST,
            format="YYYY-MM-DD",
            key=state.form_key(FORM, "day"),
        )
        name.text_input(
            "Name",
            max_chars=holidays.LONGEST_NAME,
            placeholder="for example: New Year",
            key=state.form_key(FORM, "name"),
        )
        send.form_submit_button(
            "Add",
            key=state.form_key(FORM, "send"),
            icon=":material/add:",
            type="primary",
            width="stretch",
            on_click=_add,
            args=[person.email, state.request_id(FORM)],
        )


def remove_button(holiday: Holiday, person: Person, today: date) -> None:
    """Make it an ordinary day again."""
    st.button(
        "Remove",
        key=f"holiday-remove-{holiday.day.isoformat()}",
        icon=":material/delete:",
        type="tertiary",
        help="It is over; clocks that ran across it would count it after all."
        if holiday.day < today
        else None,
        on_click=_remove,
        args=[holiday, person.email],
    )


def _add(actor: str, request_id: UUID) -> None:
    if answers.refused_to_stranger(FORM, actor):
        return
    part = request_id.hex[:8]
    day = state.typed(f"{FORM}-day-{part}")
    if day is None:
        answers.refused(FORM, "Choose the day first.")
        return
    try:
        name = state.typed(f"{FORM}-name-{part}") or ""
        holidays.keep(database.writer(), day=day, name=name, actor=actor)
    except Refusal as refusal:
        answers.refused(FORM, str(refusal))
        return
    state.renew(FORM, request_id)
    state.flash(state.Flash(ok=True, text=f"{figures.day(day, year=True)} is a holiday now."))


def _remove(holiday: Holiday, actor: str) -> None:
    if answers.refused_to_stranger(FORM, actor):
        return
    try:
        holidays.drop(database.writer(), day=holiday.day, actor=actor)
    except Refusal as refusal:
        answers.refused(FORM, str(refusal))
        return
    words = f"{figures.day(holiday.day, year=True)} is an ordinary day again."
    state.flash(state.Flash(ok=True, text=words))
