"""A decision that waits for a second person: the whole proposal, and who may do what."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

import streamlit as st

from dashboard.forms import fields, sending, submit, undo
from dashboard.pages.application import rebate_cost
from dashboard.pages.application.decide import override, steps, then_and_now
from dashboard.pages.application.decide.steps import name
from dashboard.ui import figures, keyboard, state
from dashboard.ui.safe_text import escape
from data_access.applications.commands import ApplicationCommand
from data_access.people.commands import Verb
from data_access.review import second_approvals
from data_access.review.opening import Opened
from data_access.review.proposals import Proposal
from program.review.permissions import Act
from program.review.reapplication import RULES_BY_KEY
from program.review.workflow import REASONS_BY_CODE, Decision

Kind = Literal["primary", "secondary"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to close a proposal: the command, its verb, and the message afterwards."""

    key: str
    command: Callable[..., ApplicationCommand]
    verb: Verb[Any, object]
    done: str
    says_why: bool = True


CONFIRM = Way(
    key="confirm",
    command=second_approvals.Confirm,
    verb=second_approvals.confirm,
    done="Confirmed. The decision is made.",
    says_why=False,
)
DECLINE = Way(
    key="decline",
    command=second_approvals.Decline,
    verb=second_approvals.decline,
    done="Declined. The application is pending again.",
)
CANCEL = Way(
    key="cancel",
    command=second_approvals.Cancel,
    verb=second_approvals.cancel,
    done="Canceled. The application is pending again.",
)


def draw(shown: Opened) -> None:
    """Draw the proposal, and this person's actions."""
    proposal = shown.proposal
    st.markdown("**Waits for a second approval**")
    if proposal is None:
        st.caption("The proposal has ended. Reload the page.")
        return
    override.draw_provisional(shown)
    _draw_proposal(shown, proposal, "proposes")
    _draw_difference(shown, proposal)
    first = proposal.proposed_by == shown.person.email
    second = shown.person.may(Act.APPROVE_SECOND) and not first and shown.conflict is None
    if shown.conflict is not None:
        st.warning(shown.conflict, icon=":material/block:")
    if not (first or second):
        st.caption("Another manager confirms or declines it.")
        return
    if first:
        st.caption("Another manager confirms or declines it. You can cancel it.")
    with keyboard.draft(f"{name(shown.id_)}-second"):
        fields.text(name(shown.id_), "second", "Reason for declining (internal)", height=70)
    if second:
        with st.container(key="step-on"):
            word = _verb(proposal).capitalize()
            destroys = proposal.outcome is Decision.REJECTED
            _button(shown, proposal, CONFIRM, f"Confirm: {word}", kind="primary", destroys=destroys)
    with st.container(horizontal=True, gap="small"):
        if second:
            _button(shown, proposal, DECLINE, "Decline", kind="secondary")
        _button(shown, proposal, CANCEL, "Cancel the proposal", kind="secondary")


def draw_lapsed(shown: Opened) -> None:
    """Draw the last proposal and the changes that expired it, if it expired."""
    if shown.lapsed is None:
        return
    proposal, changes = shown.lapsed.proposal, shown.lapsed.changes
    st.info(
        f"{escape(shown.named(proposal.proposed_by))} proposed to {_verb(proposal)}, but the facts "
        f"changed before it was confirmed: {_in_words(changes)}. Review it and decide.",
        icon=":material/sync_problem:",
    )
    with st.expander("What was proposed", type="compact"):
        _draw_proposal(shown, proposal, "proposed")


def _draw_difference(shown: Opened, proposal: Proposal) -> None:
    """Draw the changes since the first person looked: results that expire it, or only figures."""
    given = {key: answer.outcome for key, answer in shown.checks.items()}
    differs = second_approvals.difference(proposal, shown.standing, shown.application, given)
    if differs.changed:
        st.warning(
            f"The facts changed since this was proposed: {_in_words(differs.changed)}. "
            "It expires when somebody tries to confirm it.",
            icon=":material/sync_problem:",
        )
    elif differs.moved:
        st.info("Moved since it was proposed; no result changed.", icon=":material/trending_up:")
        then_and_now.draw(differs.moved, then="Proposed on", now="Now")


def _in_words(changes: Sequence[tuple[str, str, str]]) -> str:
    return escape("; ".join(f"{what}: {old} is now {new}" for what, old, new in changes))


def _verb(proposal: Proposal) -> str:
    return "approve" if proposal.outcome is Decision.APPROVED else "reject"


def _draw_proposal(shown: Opened, proposal: Proposal, verb: str) -> None:
    st.caption(
        f"{escape(shown.named(proposal.proposed_by))} {verb} to {_verb(proposal)} · "
        f"{figures.moment(proposal.proposed_at)} · {', '.join(proposal.needed_for)}"
    )
    if proposal.rebate_rate is not None:
        st.text(f"Rebate {figures.rate(proposal.rebate_rate)} of net fees")
        fresh = shown.standing.freshness
        rebate_cost.draw(
            shown.standing.cost(proposal.rebate_rate), through=fresh.data_through if fresh else None
        )
    if proposal.reason_code is not None:
        st.text(f"Reason: {REASONS_BY_CODE[proposal.reason_code].label}")
    if proposal.reapply is not None:
        st.text(f"May apply again: {RULES_BY_KEY[proposal.reapply].label.lower()}")
    st.caption("Override reason (internal)")
    st.text(proposal.override_reason)
    st.caption("Rationale (internal)")
    st.text(proposal.rationale)
    steps.draw_message(shown, proposal.message_to_applicant, str(proposal.outcome), of="proposal")


def _button(
    shown: Opened, proposal: Proposal, way: Way, label: str, *, kind: Kind, destroys: bool = False
) -> None:
    icon = ":material/block:" if destroys else ":material/check:" if way is CONFIRM else None
    sending.button(
        label,
        form=name(shown.id_),
        key=f"{way.key}-{shown.id_}",
        act=_end,
        args=[shown, proposal.proposal_id, way, state.request_id(name(shown.id_))],
        sends=(proposal, shown.viewed_facts),
        destroys=destroys,
        type=kind,
        icon=icon,
        width="stretch" if kind == "primary" else "content",
    )


def _end(shown: Opened, proposal_id: int, way: Way, request_id: UUID) -> None:
    form = name(shown.id_)
    state.hold(form)
    own = (
        {"reason": str(fields.value(form, "second"))}
        if way.says_why
        else {"shown": shown.viewed_facts}
    )
    command = way.command(
        application_id=shown.id_,
        proposal_id=proposal_id,
        actor=shown.person.email,
        at=datetime.now(UTC),
        request_id=request_id,
        **own,
    )
    if submit.submit(form, command, way.verb, drafts=[f"{form}-second"]) is None:
        return
    if way is CONFIRM:
        undo.offer(shown.id_, request_id)
    state.release(form)
    submit.accepted(form, way.done)
