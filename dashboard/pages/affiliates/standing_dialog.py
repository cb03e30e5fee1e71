"""The dialog of one step for one or many affiliates: its reason, and the affiliates."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from dashboard.forms import bulk_report, confirm_dialog
from dashboard.forms.confirm_dialog import Dialog
from dashboard.ui import message_preview, state
from dashboard.ui.safe_text import escape
from data_access.affiliates import board, standing_changes
from data_access.affiliates.standing_changes import UNDO_RUN, Change, MoveEach, run_name
from data_access.applications import read
from data_access.db import database
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
            on_click=confirm_dialog.begin,
            args=[FORM, Chosen(step=step, shown=dict(shown))],
        )


def offered(shown: Mapping[int, Standing], person: Person) -> list[Step]:
    """Return the steps that the role may take and that some of these standings allow."""
    standings = set(shown.values())
    return [
        step
        for step in Step
        if any(t.step is step and t.old in standings and person.may(t.act) for t in TRANSITIONS)
    ]


def draw(person: Person, policy: Policy) -> None:
    """Draw the dialog, if it is open."""
    confirm_dialog.draw(FORM, person, partial(_dialog, person, policy))


def _dialog(person: Person, policy: Policy, chosen: Chosen) -> Dialog:
    return Dialog(
        label=STEP_LABELS[chosen.step],
        number=RUNS.number(len(chosen.shown)),
        icon=ICONS[chosen.step],
        destroys=chosen.step in DESTROYS,
        draft=f"{FORM}-{chosen.step}",
        fields=partial(_fields, chosen, policy),
        read=partial(_read, chosen),
        check=lambda typed: standing_changes.check(typed.change),
        explain=partial(_explain, chosen, person),
        verb=standing_changes.move_each,
    )


def _fields(chosen: Chosen, policy: Policy) -> None:
    step, before = chosen.step, chosen.change
    codes = [reason.code for reason in reasons(step)]
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
            help="Placeholders such as {{username}} are filled for each; the next step shows one.",
        )


def _read(chosen: Chosen) -> Chosen:
    change = Change(
        step=chosen.step,
        reason_code=state.typed(_key(chosen, "code")) or "",
        reason=state.typed(_key(chosen, "reason")) or "",
        message=state.typed(_key(chosen, "message")) or "",
    )
    return replace(chosen, change=change)


def _explain(chosen: Chosen, person: Person) -> MoveEach:
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
    return MoveEach(
        ids=tuple(chosen.shown),
        shown=chosen.shown,
        change=change,
        actor=person.email,
        at=datetime.now(UTC),
        request_id=state.request_id(FORM),
    )


def _named(chosen: Chosen) -> str:
    """List them with their current standings, as many as fit."""
    with database.reading(database.reader()) as connection:
        policy = policies.in_force(connection, now=datetime.now(UTC))
        rows = board.rows(connection, list(chosen.shown)[:NAMED], policy)
    names = [f"{row.username} ({STANDING_WORDS[row.standing]})" for row in rows]
    return confirm_dialog.listed(names, len(chosen.shown))


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
    message_preview.draw(channel=made.channel, recipient=made.recipient, text=made.text, of="first")
    if made.obstacle is not None:
        st.warning(escape(made.obstacle), icon=":material/unsubscribe:")
    message_preview.draw_unfilled(text)
    message_preview.draw_unreachable(
        [(one.username, one.reason) for one in left_out], of=len(chosen.shown)
    )


def _key(chosen: Chosen, part: str) -> str:
    return state.form_key(FORM, f"{chosen.step}-{part}")
