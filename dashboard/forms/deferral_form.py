"""Deferring until a day or until a criterion's answer changes, and bringing back early."""

from datetime import UTC, date, datetime, timedelta
from functools import partial
from uuid import UUID

import streamlit as st

from dashboard import state
from dashboard.components import figures, keyboard
from dashboard.forms import answers, fields, steps
from dashboard.forms.shown import Shown
from dashboard.forms.steps import Step, name
from data_access import database, deferrals
from data_access.refusals import Refusal
from program.periods import utc_day

PRESETS = (("1", "Tomorrow", 1), ("2", "In a week", 7), ("3", "In a month", 30))
ON_CHANGE = "4"


def draw(shown: Shown) -> None:
    """Draw the step that the panel is at."""
    if state.kept(_until(shown.id_)) is None and steps.now_at(shown) is Step.FILL:
        _draw_presets(shown)
    elif steps.now_at(shown) is Step.PREVIEW:
        _draw_preview(shown)
    else:
        _draw_fields(shown)


def draw_waiting(shown: Shown) -> None:
    """Until when it waits, and the way back into the queue."""
    desk = shown.application.desk
    st.markdown("**Deferred**")
    if desk.deferred_until is not None:
        st.text(f"Until {figures.day(desk.deferred_until.date(), year=True)}, 00:00 UTC.")
    if desk.deferred_answers is not None:
        st.text("Until a criterion has another answer.")
    st.button(
        "Bring back",
        key=f"bring-back-{shown.id_}",
        type="primary",
        on_click=_bring_back,
        args=[shown, state.request_id(f"bring-back-{shown.id_}")],
    )


def _draw_presets(shown: Shown) -> None:
    st.caption("Until when? Press its number.")
    with st.container(gap=None, key="deferrals"):
        for key, label, days in PRESETS:
            day = utc_day(shown.now) + timedelta(days=days)
            _preset(shown, key, f"{key} · {label}, {figures.day(day)}", (day, False))
        _preset(
            shown, ON_CHANGE, f"{ON_CHANGE} · When a criterion has another answer", (None, True)
        )


def _preset(shown: Shown, key: str, label: str, until: tuple[date | None, bool]) -> None:
    with keyboard.hot(key):
        st.button(
            label,
            key=f"defer-{key}-{shown.id_}",
            type="tertiary",
            on_click=_choose,
            args=[shown.id_, until],
        )


def _draw_fields(shown: Shown) -> None:
    form = name(shown.id_)
    day, change = state.kept(_until(shown.id_))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text("Defer")
        with keyboard.hot(keyboard.BACK, width="content"):
            st.button(
                "Change",
                key=f"change-until-{shown.id_}",
                type="tertiary",
                on_click=_choose,
                args=[shown.id_, None],
            )
    # Days that lie behind are refused by the act as well; here they are not even offered.
    fields.day(form, "day", "Until the UTC day", first=day, least=utc_day(shown.now))
    st.checkbox("Or until a criterion has another answer", value=change, key=_box(shown.id_))
    with keyboard.draft(f"{form}-defer"):
        fields.text(form, "why", "Reason, internal (may be empty)", height=70)
    steps.preview_button(shown, partial(_check, shown))


def _draw_preview(shown: Shown) -> None:
    day, change = _chosen(shown)
    parts = [f"until {figures.day(day, year=True)}, 00:00 UTC"] if day else []
    parts += ["until a criterion has another answer"] if change else []
    st.text("Deferred " + ", or ".join(parts) + ".")
    st.caption("The applicant is told nothing, and the review clock goes on.")
    steps.send_buttons(shown, "Defer", partial(_send, shown, day, change))


def _send(shown: Shown, day: date | None, change: bool) -> str:
    deferrals.defer(
        database.writer(),
        application_id=shown.id_,
        until=day,
        until_change=change,
        reason=fields.value(name(shown.id_), "why"),
        actor=shown.person.email,
        now=datetime.now(UTC),
        request_id=state.request_id(name(shown.id_)),
    )
    state.forget(_until(shown.id_))
    return f"Application {shown.id_} is deferred."


def _check(shown: Shown, _: dict[str, object]) -> None:
    _, change = state.kept(_until(shown.id_))
    change = (
        bool(state.typed(_box(shown.id_))) if state.typed(_box(shown.id_)) is not None else change
    )
    day, _ = state.kept(_until(shown.id_))
    held = fields.value(name(shown.id_), "day", day)
    deferrals.check(held, change, datetime.now(UTC))
    state.keep(_until(shown.id_), (held, change))


def _chosen(shown: Shown) -> tuple[date | None, bool]:
    day, change = state.kept(_until(shown.id_))
    return day, change


def _choose(id_: int, until: tuple[date | None, bool] | None) -> None:
    state.hold(name(id_))
    state.keep(_until(id_), until)


def _until(id_: int) -> str:
    return f"until-{id_}"


def _box(id_: int) -> str:
    return state.form_key(name(id_), "on-change")


def _bring_back(shown: Shown, request_id: UUID) -> None:
    form = name(shown.id_)
    if answers.refused_to_stranger(form, shown.person.email):
        return
    try:
        deferrals.bring_back(
            database.writer(),
            application_id=shown.id_,
            actor=shown.person.email,
            now=datetime.now(UTC),
            request_id=request_id,
        )
    except Refusal as refusal:
        answers.refused(form, str(refusal))
        return
    state.renew(f"bring-back-{shown.id_}", request_id)
    answers.accepted(form, "Back in the queue.")
