"""Withdraw a scheduled version of the policy with two managers."""

from datetime import UTC, datetime
from uuid import UUID

import streamlit as st

from dashboard.forms import sending, submit
from dashboard.pages.policy.draft_form import PLACE
from dashboard.ui import figures, lookups, state
from dashboard.ui.safe_text import escape
from data_access.people.staff import Person
from data_access.policy import withdrawals
from data_access.policy.withdrawals import LONGEST_REASON, Withdrawal
from program.policy.policy import Policy


def draw(policy: Policy, waiting: Withdrawal | None, person: Person) -> None:
    """Draw the actions on one scheduled version, for those who may edit the policy."""
    if waiting is None:
        _draw_propose(policy, person)
        return
    since = figures.moment(waiting.proposed_at)
    st.warning(
        f"{escape(lookups.named(waiting.proposed_by))} proposes to withdraw version "
        f"{policy.version}, {since}: {escape(waiting.reason)}",
        icon=":material/event_busy:",
    )
    if waiting.proposed_by == person.email:
        st.caption("A second manager withdraws it or keeps it scheduled.")
        _draw_decline(waiting, person, "Take back")
        return
    form = _form("confirm", waiting.withdrawal_id)
    with st.container(horizontal=True):
        sending.button(
            f"Withdraw version {policy.version}",
            form=PLACE,
            key=f"{form}-button",
            act=_confirm,
            args=[waiting, person.email, state.request_id(form)],
            sends=waiting,
            icon=":material/event_busy:",
            type="primary",
        )
        _draw_decline(waiting, person, "Keep it scheduled")


def _draw_propose(policy: Policy, person: Person) -> None:
    form = _form("propose", policy.version)
    with st.popover(f"Withdraw version {policy.version}", icon=":material/event_busy:"):
        st.caption("It stays readable and never takes effect. A second manager confirms.")
        st.text_area(
            "Reason", key=state.form_key(form, "reason"), height=90, max_chars=LONGEST_REASON
        )
        sending.button(
            "Propose the withdrawal",
            form=PLACE,
            key=f"{form}-button",
            act=_propose,
            args=[policy.version, person.email, state.request_id(form)],
            type="primary",
        )


def _draw_decline(waiting: Withdrawal, person: Person, word: str) -> None:
    form = _form("decline", waiting.withdrawal_id)
    with st.popover(word, icon=":material/undo:"):
        st.text_area(
            "Reason", key=state.form_key(form, "reason"), height=90, max_chars=LONGEST_REASON
        )
        sending.button(
            word,
            form=PLACE,
            key=f"{form}-button",
            act=_decline,
            args=[waiting, person.email, state.request_id(form)],
            sends=waiting,
        )


def _form(act: str, number: int) -> str:
    return f"policy-withdrawal-{act}-{number}"


def _typed(form: str, request_id: UUID) -> str:
    return state.entered(form, "reason", request_id) or ""


def _propose(version: int, actor: str, request_id: UUID) -> None:
    form = _form("propose", version)
    command = withdrawals.ProposeWithdrawal(
        version=version,
        reason=_typed(form, request_id),
        actor=actor,
        at=datetime.now(UTC),
        request_id=request_id,
    )
    if submit.submit(PLACE, command, withdrawals.propose, renews=form) is not None:
        submit.accepted(PLACE, f"Proposed. A second manager withdraws version {version}.")


def _confirm(waiting: Withdrawal, actor: str, request_id: UUID) -> None:
    id_ = waiting.withdrawal_id
    command = withdrawals.ConfirmWithdrawal(
        withdrawal_id=id_, actor=actor, at=datetime.now(UTC), request_id=request_id
    )
    renews = _form("confirm", id_)
    version = submit.submit(PLACE, command, withdrawals.confirm, renews=renews)
    if version is not None:
        submit.accepted(PLACE, f"Version {version} is withdrawn and never takes effect.")


def _decline(waiting: Withdrawal, actor: str, request_id: UUID) -> None:
    form = _form("decline", waiting.withdrawal_id)
    command = withdrawals.DeclineWithdrawal(
        withdrawal_id=waiting.withdrawal_id,
        reason=_typed(form, request_id),
        actor=actor,
        at=datetime.now(UTC),
        request_id=request_id,
    )
    if submit.submit(PLACE, command, withdrawals.decline, renews=form) is not None:
        submit.accepted(PLACE, f"Version {waiting.version} stays scheduled.")
