"""The dialog of one step for one or many affiliates: its reason, and the affiliates."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

import streamlit as st

from dashboard.forms import background, bulk_report, sending, submit
from dashboard.shell import sign_in
from dashboard.ui import keyboard, message_preview, state
from dashboard.ui.safe_text import escape
from data_access.affiliates import board, standing_changes
from data_access.affiliates.standing_changes import UNDO_RUN, Change, run_name
from data_access.applications import read
from data_access.db import database
from data_access.db.errors import Refusal
from data_access.eligibility import policies
from data_access.messages import rendering
from data_access.people.staff import Person
from program.affiliates.requalification import (
    REASONS_BY_CODE,
    STANDING_WORDS,
    STEP_LABELS,
    TRANSITIONS,
    Standing,
    Step,
    reasons,
    way,
)
from program.policy.policy import Policy

FORM = "affiliates"
NAMED = 12
ICONS: dict[Step, str] = {
    Step.PUT_ON_NOTICE: ":material/flag:",
    Step.SUSPEND: ":material/pause_circle:",
    Step.RESTORE: ":material/undo:",
    Step.TERMINATE: ":material/block:",
    Step.REINSTATE: ":material/restart_alt:",
}
# Steps that take something away from the affiliate.
DESTROYS = (Step.SUSPEND, Step.TERMINATE)
DONE: dict[Step, str] = {
    Step.PUT_ON_NOTICE: "Put on notice:",
    Step.SUSPEND: "Suspended:",
    Step.RESTORE: "Restored:",
    Step.TERMINATE: "Terminated:",
    Step.REINSTATE: "Reinstated:",
}
RUNS = bulk_report.Words(
    desk="affiliates",
    noun="affiliate",
    acts={
        **{run_name(step): (STEP_LABELS[step], DONE[step]) for step in Step},
        UNDO_RUN: ("Undo", "Undone:"),
    },
    undoable=[run_name(step) for step in Step],
    undo=UNDO_RUN,
    # With a silent policy there is no message, but the step can be undone.
    waits="Can be undone for",
)
SILENT = ":material/notifications_off: Silent by policy: no messages are sent."


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The open dialog. ``change`` is set once the fields are valid."""

    step: Step
    shown: Mapping[int, Standing]
    change: Change | None = None
    filled: bool = False


# Buttons, for any selection.


def buttons(shown: Mapping[int, Standing], person: Person) -> None:
    """Draw a button for each step allowed from any of these; each opens the dialog."""
    for step in offered(shown, person):
        st.button(
            f"{STEP_LABELS[step]}…",
            key=f"affiliates-{step}",
            icon=ICONS[step],
            type="tertiary",
            on_click=_open,
            args=[step, dict(shown)],
        )


def offered(shown: Mapping[int, Standing], person: Person) -> list[Step]:
    """Return the steps that the role may take and that some of these standings allow."""
    standings = set(shown.values())
    return [
        step
        for step in Step
        if any(t.step is step and t.old in standings and person.may(t.act) for t in TRANSITIONS)
    ]


def _open(step: Step, shown: Mapping[int, Standing]) -> None:
    sending.show_anew("affiliates-confirm")
    state.keep(FORM, Chosen(step=step, shown=shown))
    st.rerun()


def close() -> None:
    """Close the dialog and drop what was typed."""
    state.forget(FORM)


# Dialog.


def draw(person: Person, policy: Policy) -> None:
    """Draw the dialog, if it is open."""
    chosen: Chosen | None = state.kept(FORM)
    if chosen is None:
        return
    title = f"{STEP_LABELS[chosen.step]}: {RUNS.number(len(chosen.shown))}"
    dialog = st.dialog(title, width="medium", icon=ICONS[chosen.step], on_dismiss=close)
    dialog(_step)(person, policy)


def _step(person: Person, policy: Policy) -> None:
    chosen: Chosen | None = state.kept(FORM)
    if chosen is None:
        return
    sign_in.stay(person.email)
    submit.draw(FORM)
    if chosen.filled:
        _confirmation(chosen, person)
    else:
        _fields(chosen, policy)


def _fields(chosen: Chosen, policy: Policy) -> None:
    step, before = chosen.step, chosen.change
    codes = [reason.code for reason in reasons(step)]
    with keyboard.draft(_draft(chosen)):
        st.selectbox(
            "Reason",
            codes,
            format_func=lambda code: REASONS_BY_CODE[code].label,
            index=codes.index(before.reason_code) if before and before.reason_code else None,
            placeholder="Choose a reason",
            key=_key(chosen, "code"),
        )
        st.text_area(
            "Explanation (internal, the same for all)",
            value=before.reason if before else "",
            height=80,
            key=_key(chosen, "reason"),
        )
        if policy.requalification_silent:
            st.caption(SILENT)
        else:
            st.text_area(
                "Message to the affiliate",
                value=before.message if before else standing_changes.suggested_message(step),
                height=190,
                key=_key(chosen, "message"),
                help="Placeholders such as {{username}} are filled for each; the next step "
                "shows one.",
            )
    with st.container(key="step-on"), keyboard.hot(keyboard.GO):
        st.button(
            "Continue",
            key="affiliates-go-on",
            type="primary",
            icon=":material/arrow_forward:",
            help="Ctrl+Enter",
            on_click=_go_on,
            args=[chosen],
        )


def _go_on(chosen: Chosen) -> None:
    change = Change(
        step=chosen.step,
        reason_code=state.typed(_key(chosen, "code")) or "",
        reason=state.typed(_key(chosen, "reason")) or "",
        message=state.typed(_key(chosen, "message")) or "",
    )
    try:
        standing_changes.check(change)
    except Refusal as refusal:
        submit.refused(FORM, str(refusal))
        state.keep(FORM, replace(chosen, change=change))
    else:
        sending.show_anew("affiliates-confirm")
        state.keep(FORM, replace(chosen, change=change, filled=True))


def _confirmation(chosen: Chosen, person: Person) -> None:
    change = chosen.change
    assert change is not None
    st.text(_named(chosen))
    apart = sum(way(chosen.step, standing) is None for standing in chosen.shown.values())
    if apart:
        st.caption(f"{RUNS.number(apart)} cannot take this step; the report will name them.")
    st.text(f"Reason: {REASONS_BY_CODE[change.reason_code].label}. {change.reason.strip()}")
    if change.message.strip():
        _preview(chosen, change)
    else:
        st.caption(SILENT)
    # Back is where Continue was, so that pressing twice sends nothing.
    with st.container(horizontal=True, key="step-on"):
        st.button("Back", key="affiliates-back", type="tertiary", on_click=_back, args=[chosen])
        st.space("stretch")
        with keyboard.hot(keyboard.GO, width="content"):
            sending.button(
                f"{STEP_LABELS[chosen.step]}: {RUNS.number(len(chosen.shown))}",
                form=FORM,
                key="affiliates-confirm",
                act=_confirm,
                args=[chosen, person.email, state.request_id(FORM)],
                sends=chosen,
                destroys=chosen.step in DESTROYS,
                type="primary",
                icon=ICONS[chosen.step],
                help="Ctrl+Enter",
            )


def _back(chosen: Chosen) -> None:
    state.keep(FORM, replace(chosen, filled=False))


def _named(chosen: Chosen) -> str:
    """List them with their current standings, as many as fit."""
    with database.reading(database.reader()) as connection:
        policy = policies.in_force(connection, now=datetime.now(UTC))
        rows = board.rows(connection, list(chosen.shown)[:NAMED], policy)
    listed = ", ".join(f"{row.username} ({STANDING_WORDS[row.standing]})" for row in rows)
    more = len(chosen.shown) - len(rows)
    return f"{listed} and {more:,} more" if more else listed


def _preview(chosen: Chosen, change: Change) -> None:
    first = next(
        (id_ for id_, standing in chosen.shown.items() if way(chosen.step, standing)),
        next(iter(chosen.shown)),
    )
    with database.reading(database.reader()) as connection:
        now = datetime.now(UTC)
        text = standing_changes.preview(connection, first, change.message, now=now)
        application = read.read(connection, first, now=now)
        made = rendering.preview(connection, application, kind=chosen.step.event, message=text)
        left_out = rendering.unreachable(connection, list(chosen.shown))
    st.caption("The first message. Each affiliate gets their own.")
    message_preview.draw(channel=made.channel, recipient=made.recipient, text=made.text)
    if made.obstacle is not None:
        st.warning(escape(made.obstacle), icon=":material/unsubscribe:")
    message_preview.draw_unfilled(text)
    message_preview.draw_unreachable(
        [(one.username, one.reason) for one in left_out], of=len(chosen.shown)
    )


def _confirm(chosen: Chosen, actor: str, request_id: UUID) -> None:
    assert chosen.change is not None
    command = standing_changes.MoveEach(
        ids=tuple(chosen.shown),
        shown=chosen.shown,
        change=chosen.change,
        actor=actor,
        at=datetime.now(UTC),
        request_id=request_id,
    )
    if not background.submit(FORM, command, standing_changes.move_each):
        return
    state.mark_sent(_draft(chosen))
    state.renew(FORM, request_id)
    close()
    st.rerun()


def _draft(chosen: Chosen) -> str:
    return f"{FORM}-{chosen.step}"


def _key(chosen: Chosen, part: str) -> str:
    return state.form_key(FORM, f"{chosen.step}-{part}")
