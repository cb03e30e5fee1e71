"""The current decision, earlier ones, and Reopen for managers."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import streamlit as st

from dashboard.forms import fields, sending, submit
from dashboard.pages.application import scorecard
from dashboard.pages.application.decide import decision_card
from dashboard.pages.application.decide.steps import name
from dashboard.ui import badges, figures, keyboard, risk_words, state
from data_access.applications.decision_history import MadeDecision
from data_access.review import decisions
from data_access.review.opening import Opened
from program.policy.criteria import CRITERIA, Criterion, Unit
from program.policy.eligibility import CriterionResult
from program.policy.outcomes import Outcome
from program.review.permissions import Act
from program.review.reapplication import RULES_BY_KEY
from program.review.workflow import REASONS_BY_CODE, Status
from program.risk.judging import FLAGGED
from program.risk.signals import BY_ID, Severity


def draw(shown: Opened) -> None:
    """Draw the current decision, and Reopen for those who may."""
    st.markdown("**Decision**")
    badges.status_badge(shown.application.status)
    current, *earlier = shown.decisions or [None]
    if current is None:
        st.caption("Recorded upstream; there is no decision here.")
    else:
        decision_card.draw(as_made(current, shown.named))
    draw_earlier([made for made in earlier if made is not None], shown.named)
    reopenable = shown.application.status in (Status.APPROVED, Status.REJECTED)
    if reopenable and shown.person.may(Act.REOPEN):
        _draw_reopening(shown)


def draw_earlier(earlier: list[MadeDecision], named: Callable[[str], str]) -> None:
    """Draw decisions that were superseded or reopened."""
    for made in earlier:
        label = f"Earlier: {made.outcome}, {figures.day(made.decided_at.date(), year=True)}"
        with st.expander(label):
            decision_card.draw(as_made(made, named))


def as_made(made: MadeDecision, named: Callable[[str], str]) -> decision_card.Made:
    """Format a decision; ``named`` returns the name of a person by their address."""
    reason = REASONS_BY_CODE.get(made.reason_code or "")
    rule = RULES_BY_KEY.get(made.reapply or "")
    opens = f", from {figures.day(made.reapply_from, year=True)}" if made.reapply_from else ""
    through = made.snapshot.get("data_through")
    outcome = made.snapshot.get("outcome")
    return decision_card.Made(
        outcome=str(made.outcome),
        decided_by=named(made.decided_by),
        decided_at=made.decided_at,
        second_approver=made.second_approver and named(made.second_approver),
        policy_version=made.policy_version,
        is_override=made.is_override,
        override_reason=made.override_reason,
        rebate_rate=made.rebate_rate,
        reason=reason.label if reason else made.reason_code,
        reapply=f"{rule.label.lower()}{opens}" if rule else None,
        rationale=made.rationale,
        message=made.message_to_applicant,
        data_through=date.fromisoformat(through) if through else None,
        eligibility=badges.OUTCOMES[Outcome(outcome)].word if outcome else "not recorded",
        provisional=bool(made.snapshot.get("provisional")),
        unproven=tuple(made.snapshot.get("unproven", ())),
        criteria=tuple(map(_criterion, made.snapshot.get("criteria", ()))),
        risk=_risk(made.snapshot),
        risk_signals=tuple(_signals(made.snapshot)),
    )


def _risk(snapshot: dict[str, Any]) -> str | None:
    """Format the level of risk in a snapshot; ``None`` if none was measured."""
    through, level = snapshot.get("risk_data_through"), snapshot.get("risk_level")
    if not through or level not in list(Severity):
        return None
    day = figures.day(date.fromisoformat(through), year=True)
    return f"{badges.RISKS[Severity(level)].word}, on data through {day}"


def _signals(snapshot: dict[str, Any]) -> Iterator[str]:
    """Format the flagged signals of a snapshot, dismissed ones too."""
    for kept in snapshot.get("risk_signals", ()):
        signal, severity = BY_ID.get(kept["id"]), Severity(kept["severity"])
        if signal is not None and severity in FLAGGED:
            figure = risk_words.value(signal, Decimal(kept["value"]))
            dismissed = ", dismissed" if kept["dismissed"] else ""
            yield f"{badges.RISKS[severity].sign} {signal.name} {figure}{dismissed}"


def _criterion(kept: dict[str, Any]) -> str:
    """Format a snapshot's criterion, with the minimum of that time."""
    criterion = next((one for one in CRITERIA if one.key == kept["key"]), None)
    if criterion is None:
        return str(kept["key"])
    result = CriterionResult(
        criterion=criterion,
        value=_number(criterion, kept["value"]),
        minimum=_number(criterion, kept["minimum"]) or 0,
        outcome=Outcome(kept["outcome"]),
    )
    sign = badges.OUTCOMES[result.outcome].sign
    return f"{sign} {scorecard.label_words(result)} {scorecard.value_words(result)}"


def _number(criterion: Criterion, kept: str | None) -> Decimal | int | None:
    if kept is None:
        return None
    return Decimal(kept) if criterion.unit is Unit.USD else int(kept)


def _draw_reopening(shown: Opened) -> None:
    form = name(shown.id_)
    with st.expander("Reopen"), keyboard.draft(f"{form}-reopen"):
        st.caption("The application returns to the queue. This decision stays readable.")
        fields.text(form, "reopen", "Reason for reopening (internal)", height=70)
        sending.button(
            "Reopen",
            form=form,
            key=f"reopen-{shown.id_}",
            act=_reopen,
            args=[shown, state.request_id(form)],
        )


def _reopen(shown: Opened, request_id: UUID) -> None:
    form = name(shown.id_)
    state.hold(form)
    command = decisions.Reopen(
        application_id=shown.id_,
        reason=str(fields.value(form, "reopen")),
        actor=shown.person.email,
        at=datetime.now(UTC),
        request_id=request_id,
    )
    if submit.submit(form, command, decisions.reopen, drafts=[f"{form}-reopen"]) is not None:
        state.release(form)
        submit.accepted(form, "Reopened. The application is back in the queue.")
