"""Defer until a day or until a result changes, and bring back early."""

from datetime import UTC, date, datetime, timedelta
from functools import partial
from uuid import UUID

import streamlit as st

from dashboard.forms import fields, sending, submit
from dashboard.pages.application.decide import steps
from dashboard.pages.application.decide.steps import Sent, Step, name
from dashboard.ui import figures, keyboard, shortcuts, state
from data_access.db import text_rules
from data_access.review import deferrals
from data_access.review.opening import Opened
from program.periods import utc_day
from program.review.permissions import Act

PICKED = "defer"
DAYS = (("Tomorrow", 1), ("In a week", 7), ("In a month", 30))
UNTIL_CHANGE = "a criterion's result changes"


def draw(shown: Opened) -> None:
    """Draw the panel's current step."""
    until = steps.picked(shown.id_, PICKED)
    if until is None:
        _draw_presets(shown)
    elif steps.now_at(shown) is Step.PREVIEW:
        _draw_preview(shown, *until)
    else:
        _draw_fields(shown, *until)


def draw_waiting(shown: Opened) -> None:
    """Draw until when it waits and why, and the button to bring it back."""
    desk = shown.application.desk
    st.markdown("**Deferred**")
    until = desk.deferred_until.date() if desk.deferred_until is not None else None
    st.text(_words(until, change=desk.deferred_answers is not None))
    if shown.deferred_because:
        st.caption("Reason (internal)")
        st.text(shown.deferred_because)
    if shown.person.may(Act.DEFER):
        sending.button(
            "Bring back",
            form=name(shown.id_),
            key=f"bring-back-{shown.id_}",
            act=_bring_back,
            args=[shown, state.request_id(f"bring-back-{shown.id_}")],
            type="primary",
            width="stretch",
        )


def _draw_presets(shown: Opened) -> None:
    today = utc_day(shown.now)
    days = [(label, today + timedelta(days=days)) for label, days in DAYS]
    steps.draw_options(
        shown,
        "Until when?",
        PICKED,
        [
            *(((day, False), f"{label}, {figures.day(day)}") for label, day in days),
            ((None, True), f"When {UNTIL_CHANGE}"),
            ((None, False), "Another day"),
        ],
        also=partial(_fill_anew, shown.id_),
    )


def _fill_anew(id_: int) -> None:
    # Choosing a preset replaces a day that was typed before.
    fields.refill(name(id_), "day", "change")


def _draw_fields(shown: Opened, day: date | None, change: bool) -> None:
    form = name(shown.id_)
    steps.draw_picked(shown, PICKED, "Defer until")
    # The verb refuses past days too; here they are not offered.
    with keyboard.hot(shortcuts.EDIT.key):
        fields.day(form, "day", "UTC day, 00:00", first=day)
    fields.flag(form, "change", f"Or until {UNTIL_CHANGE}", first=change)
    with keyboard.draft(f"{form}-defer"):
        fields.text(form, "why", "Reason (internal, optional)", height=70)
    steps.preview_button(shown, partial(_check, shown, day, change))


def _draw_preview(shown: Opened, day: date | None, change: bool) -> None:
    day, change = _typed(shown, day, change)
    why = str(fields.value(name(shown.id_), "why"))
    st.text(_words(day, change=change))
    if why.strip():
        st.caption("Reason (internal)")
        st.text(why)
    st.caption("The applicant gets no message, and the review clock keeps running.")
    send = partial(_send, shown, day, change, why)
    steps.send_buttons(shown, "Defer", send, sends=(day, change, why))


def _send(shown: Opened, day: date | None, change: bool, why: str, request_id: UUID) -> Sent | None:
    command = deferrals.Defer(
        application_id=shown.id_,
        until=day,
        until_change=change,
        reason=why,
        actor=shown.person.email,
        at=datetime.now(UTC),
        request_id=request_id,
    )
    if steps.send(shown, command, deferrals.defer) is None:
        return None
    return Sent(f"{shown.application.username} is deferred.")


def _check(shown: Opened, day: date | None, change: bool) -> None:
    deferrals.check(*_typed(shown, day, change), datetime.now(UTC))
    why = str(fields.value(name(shown.id_), "why"))
    text_rules.allow(why, what="The reason", longest=deferrals.LONGEST_REASON)


def _typed(shown: Opened, day: date | None, change: bool) -> tuple[date | None, bool]:
    """Return the day and the change in the fields, which start from the preset."""
    form = name(shown.id_)
    return fields.value(form, "day", day), fields.value(form, "change", change)


def _words(day: date | None, *, change: bool) -> str:
    parts = [f"until {figures.day(day, year=True)}, 00:00 UTC"] if day else []
    parts += [f"until {UNTIL_CHANGE}"] if change else []
    return f"Deferred {', or '.join(parts)}."


def _bring_back(shown: Opened, request_id: UUID) -> None:
    form = name(shown.id_)
    command = deferrals.BringBack(
        application_id=shown.id_,
        actor=shown.person.email,
        at=datetime.now(UTC),
        request_id=request_id,
    )
    renews = f"bring-back-{shown.id_}"
    if submit.submit(form, command, deferrals.bring_back, renews=renews) is not None:
        submit.accepted(form, "Back in the queue.")
