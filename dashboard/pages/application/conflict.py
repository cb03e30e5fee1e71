"""Declare a conflict of interest; the person then cannot decide here."""

from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import streamlit as st

from dashboard.forms import sending, submit
from dashboard.pages.application.decide.steps import name as decision_name
from dashboard.ui import popovers, state
from data_access.review import conflicts
from data_access.review.opening import Opened
from program.review.permissions import Act, Role
from program.review.workflow import OPEN_STATUSES


def draw(shown: Opened) -> None:
    """Draw a popover with one question; a manager may name a colleague."""
    form = _name(shown.id_)
    submit.draw(form)
    person, manages = shown.person, shown.person.role is Role.MANAGER
    open_here = shown.application.status in OPEN_STATUSES
    declared = shown.conflict is not None and not manages
    if not (person.may(Act.DECLARE_CONFLICT) and open_here) or declared:
        return
    popovers.draw(
        "Conflict of interest…",
        partial(_draw_form, shown, manages),
        key=state.form_key(form, "popover"),
        height=240,
        before=partial(state.hold, decision_name(shown.id_)),
        type="tertiary",
        icon=":material/block:",
    )


def _draw_form(shown: Opened, manages: bool) -> None:
    st.caption(
        "A person with a conflict of interest cannot decide on this applicant. The "
        "declaration is recorded."
    )
    form, person = _name(shown.id_), shown.person
    who_key = state.form_key(form, "whose")
    if manages:
        names = {p.email: shown.named(p.email) for p in shown.colleagues}
        mine = list(names).index(person.email) if person.email in names else 0
        st.selectbox(
            "Person",
            list(names),
            index=mine,
            format_func=lambda email: names[email],
            key=who_key,
        )
    reason = state.form_key(form, "reason")
    st.text_area("Link to the applicant (internal)", key=reason, height=80)
    sending.button(
        "Declare",
        form=form,
        key=f"declare-{shown.id_}",
        act=_declare,
        args=[shown, who_key, reason, state.request_id(form)],
    )


def _declare(shown: Opened, who_key: str, reason: str, request_id: UUID) -> None:
    form = _name(shown.id_)
    state.hold(decision_name(shown.id_))
    command = conflicts.DeclareConflict(
        application_id=shown.id_,
        email=state.typed(who_key) or shown.person.email,
        reason=state.typed(reason) or "",
        actor=shown.person.email,
        at=datetime.now(UTC),
        request_id=request_id,
    )
    if submit.submit(form, command, conflicts.declare) is not None:
        submit.accepted(
            form, f"Recorded: {shown.named(command.email)} does not decide on this applicant."
        )


def _name(id_: int) -> str:
    return f"conflict-{id_}"
