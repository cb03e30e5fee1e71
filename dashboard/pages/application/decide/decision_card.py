"""A past decision: outcome, author, basis, and the message to the applicant."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import streamlit as st

from dashboard.ui import figures
from dashboard.ui.safe_text import escape
from program import wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One decision for display; texts are typed text.

    ``unproven`` is what the reason asserts and was not established. ``criteria`` are lines such as
    ``✓ Active users 44 of 15``, as of the decision; ``risk_signals`` those of flagged signals, and
    ``risk`` is ``None`` if it was not measured then.
    """

    outcome: str
    decided_by: str
    decided_at: datetime
    second_approver: str | None
    policy_version: int
    is_override: bool
    override_reason: str | None
    rebate_rate: Decimal | None
    reason: str | None
    reapply: str | None
    rationale: str
    message: str
    data_through: date | None
    eligibility: str
    criteria: tuple[str, ...] = ()
    risk: str | None = None
    risk_signals: tuple[str, ...] = ()
    provisional: bool = False
    unproven: tuple[str, ...] = ()


def draw(made: Made) -> None:
    """Draw the whole decision."""
    second = f" and {escape(made.second_approver)}" if made.second_approver else ""
    st.caption(
        f"{escape(made.decided_by)}{second} · {figures.moment(made.decided_at)} · "
        f"policy version {made.policy_version}"
    )
    if made.is_override:
        st.badge("against the computed eligibility", icon=":material/gavel:", color="orange")
    if made.rebate_rate is not None:
        st.text(f"Rebate {figures.rate(made.rebate_rate)} of net fees")
    if made.reason is not None:
        st.text(f"Reason: {made.reason}")
    if made.unproven:
        st.text(f"Not established then: {wording.listed(made.unproven)}")
    if made.reapply is not None:
        st.text(f"May apply again: {made.reapply}")
    for label, text in (
        ("Override reason (internal)", made.override_reason),
        ("Rationale (internal)", made.rationale),
        ("Message to the applicant", made.message),
    ):
        if text:
            st.caption(label)
            st.text(text)
    _draw_basis(made)


def _draw_basis(made: Made) -> None:
    """Draw what was known when it was decided."""
    if made.data_through is None:
        st.caption("Decided before metrics were ever computed.")
    else:
        through = figures.day(made.data_through, year=True)
        behind = ", which were behind: provisional" if made.provisional else ""
        st.caption(f"Eligibility then {made.eligibility}, on data through {through}{behind}:")
        with st.container(gap=None):
            for line in made.criteria:
                st.caption(escape(line))
    if made.risk is not None:
        st.caption(f"Risk then {made.risk}")
        with st.container(gap=None):
            for line in made.risk_signals:
                st.caption(escape(line))
