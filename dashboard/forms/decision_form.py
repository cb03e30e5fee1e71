"""Approving or rejecting one application."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import streamlit as st

from dashboard import state
from dashboard.components import badges
from dashboard.forms import answers
from data_access import database, decisions
from data_access.assessments import Seen, Standing
from data_access.refusals import Refusal
from data_access.staff import Person
from program.policy import Policy
from program.workflow import APPROVAL_MESSAGE, REASONS, REASONS_BY_CODE, Decision, is_override

SUGGESTED_PERCENT = Decimal(20)
RATIONALE = "Rationale, internal"
WORDS = {Decision.APPROVED: "Approve", Decision.REJECTED: "Reject"}


def name(id_: int) -> str:
    """The form's name; its request id lives as long as the session, so repeats are harmless."""
    return f"decision-{id_}"


def draw(id_: int, standing: Standing, person: Person, *, provisional: bool) -> None:
    """Choose between the two, then give what the choice needs."""
    st.markdown("**Decide**")
    outcome = st.segmented_control(
        "Decision",
        list(Decision),
        format_func=WORDS.__getitem__,
        key=f"decide-{id_}",
        label_visibility="collapsed",
        width="stretch",
    )
    if outcome is None:
        st.caption("Choose one to see what it needs. Nothing is sent before you confirm.")
        return
    with st.container():
        reason = _choose_reason(id_) if outcome is Decision.REJECTED else None
    if provisional:
        st.warning("Metrics are behind; eligibility is provisional.", icon=":material/schedule:")
    part = f"{id_}-{outcome}-{reason or ''}"
    # One form at one place, whatever is chosen: what was typed then outlives another choice.
    with st.form(name(id_), enter_to_submit=False, border=False):
        _inputs(id_, outcome, reason, standing)
        st.form_submit_button(
            WORDS[outcome],
            key=f"send-{part}",
            type="primary",
            width="stretch",
            on_click=_decide,
            args=[
                id_,
                outcome,
                reason,
                standing.seen,
                person.email,
                state.request_id(name(id_)),
            ],
        )


def _choose_reason(id_: int) -> str | None:
    return st.selectbox(
        "Reason",
        [reason.code for reason in REASONS],
        format_func=lambda code: REASONS_BY_CODE[code].label,
        key=f"reason-{id_}",
        index=None,
        placeholder="Choose a reason",
    )


def _inputs(id_: int, outcome: Decision, reason: str | None, standing: Standing) -> None:
    part = f"{id_}-{outcome}-{reason or ''}"
    message = APPROVAL_MESSAGE if outcome is Decision.APPROVED else ""
    if reason is not None:
        message = REASONS_BY_CODE[reason].message
    # Refused and then away for a while, as in an outage, the form still has its text.
    kept = state.unsent(name(id_)).get(RATIONALE, "")
    st.text_area(RATIONALE, value=kept, key=f"rationale-{id_}", height=90)
    if outcome is Decision.APPROVED:
        _rate_input(id_, standing.policy)
    st.text_area("Message to the applicant", value=message, key=f"message-{part}", height=140)
    if is_override(outcome, standing.assessment.outcome):
        word = badges.OUTCOMES[standing.assessment.outcome].word
        st.checkbox(
            f"I decide against the computed eligibility, which is {word}", key=f"override-{part}"
        )


def _rate_input(id_: int, policy: Policy) -> None:
    standard, most = policy.standard_rebate_rate * 100, policy.max_rebate_rate * 100
    st.number_input(
        f"Rebate, % of net fees (above {standard.normalize():f}, at most {most.normalize():f})",
        min_value=0.0,
        max_value=100.0,
        value=float(min(max(SUGGESTED_PERCENT, standard + 1), most)),
        step=0.5,
        format="%.2f",
        key=f"rate-{id_}",
    )


def _decide(
    id_: int,
    outcome: Decision,
    reason: str | None,
    shown: Seen,
    actor: str,
    request_id: UUID,
) -> None:
    if answers.refused_to_stranger(name(id_), actor):
        return
    part = f"{id_}-{outcome}-{reason or ''}"
    common = {
        "application_id": id_,
        "rationale": state.typed(f"rationale-{id_}") or "",
        "message": state.typed(f"message-{part}") or "",
        "override": bool(state.typed(f"override-{part}")),
        "shown": shown,
        "actor": actor,
        "now": datetime.now(UTC),
        "request_id": request_id,
    }
    # The widget holds hundredths of a percent, which this turns back into exactly those.
    percent = Decimal(f"{state.typed(f'rate-{id_}') or 0:.2f}")
    try:
        if outcome is Decision.APPROVED:
            decisions.approve(database.writer(), rebate_rate=percent / 100, **common)
        else:
            decisions.reject(database.writer(), reason_code=reason or "", **common)
    except Refusal as refusal:
        texts = {
            RATIONALE: common["rationale"],
            "Message to the applicant": common["message"],
        }
        state.keep_unsent(name(id_), texts)
        answers.refused(name(id_), str(refusal))
    else:
        state.keep_unsent(name(id_), {})
        answers.accepted(name(id_), f"Application {id_} is {outcome}.")
