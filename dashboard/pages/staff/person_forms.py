"""Forms of the staff: a new person, and role, access and leave of one."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import streamlit as st

from dashboard.forms import sending, submit
from dashboard.forms.fields import ANY_DAY
from dashboard.ui import lookups, state
from data_access.people import leave, staff_changes
from data_access.people.leave import AddLeave, Leave, RemoveLeave
from data_access.people.roster import Member
from data_access.people.staff import Person
from data_access.people.staff_changes import (
    LONGEST_NAME,
    LONGEST_REASON,
    AddPerson,
    ChangeRole,
    Disable,
    Enable,
    Unbind,
)
from program import wording
from program.review import people
from program.review.permissions import MANAGES, Role
from program.review.sign_in import DEMO_ISSUER

NEW, PERSON = "staff-new", "staff-person"


def draw_new(viewer: Person) -> None:
    """Draw the form that adds a person."""
    st.markdown("**Add a person**")
    submit.draw(NEW)
    with st.form(NEW, border=True):
        st.text_input("Email address", max_chars=people.LONGEST, key=state.form_key(NEW, "email"))
        st.text_input("Name", max_chars=LONGEST_NAME, key=state.form_key(NEW, "name"))
        st.selectbox("Role", _roles(viewer), key=state.form_key(NEW, "role"))
        _reason(NEW)
        sending.form_button(
            "Add",
            form=NEW,
            key=state.form_key(NEW, "send"),
            act=_add,
            args=[viewer.email, state.request_id(NEW)],
            icon=":material/person_add:",
            type="primary",
        )


def draw(member: Member, away: Sequence[Leave], viewer: Person) -> None:
    """Draw what the viewer may change of a person."""
    submit.draw(PERSON)
    if member.email == viewer.email:
        st.caption("Nobody changes their own access. Ask another administrator.")
    elif member.role in MANAGES[viewer.role]:
        _draw_role(member, viewer)
        _draw_access(member, viewer)
        if member.issuer not in (None, DEMO_ISSUER):
            _draw_sign_in(member, viewer)
    else:
        st.caption("Only an administrator may change their access.")
    if member.active:
        _draw_leave(member, away, viewer)


def _draw_role(member: Member, viewer: Person) -> None:
    form = f"staff-role-{member.email}"
    with st.form(form, border=True):
        roles = _roles(viewer)
        st.selectbox(
            "Role", roles, index=roles.index(member.role), key=state.form_key(form, "role")
        )
        _reason(form)
        sending.form_button(
            "Change role",
            form=PERSON,
            key=state.form_key(form, "send"),
            act=_change_role,
            args=[form, member, viewer.email, state.request_id(form)],
        )


def _draw_access(member: Member, viewer: Person) -> None:
    form = f"staff-access-{member.email}"
    word = "Disable" if member.active else "Enable"
    with st.form(form, border=True):
        st.caption(
            "Ends the access at their next act. What they did stays."
            if member.active
            else f"Gives access again, as {member.role}."
        )
        _reason(form)
        sending.form_button(
            word,
            form=PERSON,
            key=state.form_key(form, "send"),
            act=_set_access,
            args=[form, member, viewer.email, state.request_id(form)],
        )


def _draw_sign_in(member: Member, viewer: Person) -> None:
    form = f"staff-sign-in-{member.email}"
    with st.form(form, border=True):
        st.caption(
            "Ends their sessions. The next sign-in with this address binds it again, to the "
            "account it comes with."
        )
        _reason(form)
        sending.form_button(
            "Release sign-in",
            form=PERSON,
            key=state.form_key(form, "send"),
            act=_release,
            args=[form, member.email, viewer.email, state.request_id(form)],
        )


def _draw_leave(member: Member, away: Sequence[Leave], viewer: Person) -> None:
    form = f"staff-leave-{member.email}"
    with st.form(form, border=True):
        st.caption("Leave, UTC days. Nobody assigns applications to a person on leave.")
        first, last = st.columns(2)
        for column, part, label in ((first, "first", "First day"), (last, "last", "Last day")):
            key = state.form_key(form, part)
            column.date_input(label, value=None, format="YYYY-MM-DD", key=key, **ANY_DAY)
        _reason(form)
        sending.form_button(
            "Set leave",
            form=PERSON,
            key=state.form_key(form, "send"),
            act=_add_leave,
            args=[form, member.email, viewer.email, state.request_id(form)],
        )
    for one in away:
        other = f"staff-leave-{one.leave_id}"
        with st.popover(f"Leave {wording.span(one.days)}", key=f"{other}-open"):
            _reason(other)
            sending.button(
                "Remove",
                form=PERSON,
                key=f"{other}-send",
                act=_remove_leave,
                args=[other, member.email, one, viewer.email, state.request_id(other)],
                sends=one,
            )


def _roles(viewer: Person) -> list[Role]:
    return [role for role in Role if role in MANAGES[viewer.role]]


def _reason(form: str) -> None:
    st.text_input("Reason", max_chars=LONGEST_REASON, key=state.form_key(form, "reason"))


def _common(form: str, actor: str, request_id: UUID) -> dict[str, Any]:
    return {
        "reason": state.entered(form, "reason", request_id) or "",
        "actor": actor,
        "at": datetime.now(UTC),
        "request_id": request_id,
    }


def _add(actor: str, request_id: UUID) -> None:
    command = AddPerson(
        email=state.entered(NEW, "email", request_id) or "",
        name=state.entered(NEW, "name", request_id) or "",
        role=Role(state.entered(NEW, "role", request_id)),
        **_common(NEW, actor, request_id),
    )
    confirmation = f"{command.email} is {command.role} now."
    submit.submit(NEW, command, staff_changes.add, confirmation=confirmation)


def _change_role(form: str, member: Member, actor: str, request_id: UUID) -> None:
    command = ChangeRole(
        email=member.email,
        role=Role(state.entered(form, "role", request_id)),
        shown=member.role,
        **_common(form, actor, request_id),
    )
    confirmation = f"{member.email} is {command.role} now."
    submit.submit(
        PERSON, command, staff_changes.change_role, renews=form, confirmation=confirmation
    )


def _set_access(form: str, member: Member, actor: str, request_id: UUID) -> None:
    common = _common(form, actor, request_id)
    if member.active:
        ending = Disable(email=member.email, **common)
        confirmation = f"{member.email} is disabled now."
        submit.submit(PERSON, ending, staff_changes.disable, renews=form, confirmation=confirmation)
        return
    command = Enable(email=member.email, **common)
    confirmation = f"{member.email} is active now."
    submit.submit(PERSON, command, staff_changes.enable, renews=form, confirmation=confirmation)


def _release(form: str, email: str, actor: str, request_id: UUID) -> None:
    command = Unbind(email=email, **_common(form, actor, request_id))
    confirmation = f"The sign-in of {lookups.named(email)} is released."
    submit.submit(PERSON, command, staff_changes.unbind, renews=form, confirmation=confirmation)


def _add_leave(form: str, email: str, actor: str, request_id: UUID) -> None:
    first = state.entered(form, "first", request_id)
    last = state.entered(form, "last", request_id)
    if first is None or last is None:
        submit.refused(PERSON, "Choose the first and the last day.")
        return
    command = AddLeave(
        email=email, first_day=first, last_day=last, **_common(form, actor, request_id)
    )
    confirmation = f"The leave of {lookups.named(email)} is set."
    submit.submit(PERSON, command, leave.add, renews=form, confirmation=confirmation)


def _remove_leave(form: str, email: str, away: Leave, actor: str, request_id: UUID) -> None:
    command = RemoveLeave(email=email, leave_id=away.leave_id, **_common(form, actor, request_id))
    confirmation = f"The leave of {lookups.named(email)} is removed."
    submit.submit(PERSON, command, leave.remove, renews=form, confirmation=confirmation)
