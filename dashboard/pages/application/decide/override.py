"""Decisions against the computed eligibility: objections, reason, and sending."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from uuid import UUID

import streamlit as st

from dashboard.forms import fields
from dashboard.pages.application.decide import steps
from dashboard.pages.application.decide.steps import Sent, name
from dashboard.ui import badges, figures
from data_access.db import text_rules
from data_access.db.errors import Invalid
from data_access.review import decisions
from data_access.review.decisions import Draft, Proposed
from data_access.review.opening import Opened
from program.review.rebates import OVERRIDE, SecondReason
from program.review.workflow import Decision, is_override

FIELD = "override"
LABEL = "Override reason (internal)"


def needed_for(
    shown: Opened, decision: Decision, rate: Decimal | None = None
) -> tuple[SecondReason, ...]:
    """Return why a second person is needed; empty if one is enough."""
    return decisions.needed_for(shown.standing, decision, rate)


def objections(shown: Opened, decision: Decision, rate: Decimal | None = None) -> list[str]:
    """Return objections to the decision, a sentence each; empty if there are none."""
    outcome = shown.standing.assessment.outcome
    needed = needed_for(shown, decision, rate)
    sentences = [reason.sentence for reason in needed]
    if is_override(decision, outcome):
        sentences.insert(0, f"Eligibility is {badges.OUTCOMES[outcome].word}.")
        if OVERRIDE not in needed:
            sentences.insert(1, "This goes against the computed eligibility.")
    return sentences


def draw_provisional(shown: Opened) -> None:
    """Warn that the decision rests on metrics that are behind, if they are."""
    if shown.is_provisional and shown.standing.freshness is not None:
        through = figures.day(shown.standing.freshness.data_through, year=True)
        st.warning(
            f"Metrics reach only {through}; eligibility is provisional. The decision records that.",
            icon=":material/schedule:",
        )


def unproven(shown: Opened, draft: Draft) -> tuple[str, ...]:
    """Return in words what a rejection asserts but is not established."""
    given = {key: answer.outcome for key, answer in shown.checks.items()}
    return decisions.unproven(draft, shown.standing, given)


def draw_objections(objections_: list[str]) -> None:
    """Show the objections above the fields, if there are any."""
    if objections_:
        st.info(" ".join(objections_), icon=":material/gavel:")


def draw_reason(shown: Opened) -> None:
    """Draw the field for the override reason."""
    fields.text(name(shown.id_), FIELD, LABEL, height=70)


def check(shown: Opened, draft: Draft) -> None:
    """Raise a Refusal for a draft that cannot be sent, before it is previewed."""
    text_rules.require(draft.rationale, what="The rationale", longest=decisions.LONGEST_TEXT)
    text_rules.require_message(draft.message)
    text_rules.allow(
        draft.override_reason, what="The override reason", longest=decisions.LONGEST_REASON
    )
    against = objections(shown, draft.outcome, draft.rebate_rate)
    if against and not draft.override_reason.strip():
        raise Invalid("Write the override reason.")
    decisions.require_proven(draft, unproven(shown, draft))


def draw_send(shown: Opened, draft: Draft, word: str, *, icon: str, destroys: bool = False) -> None:
    """Draw the button that decides, or proposes if a second person is needed."""
    waits = bool(needed_for(shown, draft.outcome, draft.rebate_rate))
    steps.send_buttons(
        shown,
        "Ask for a second approval" if waits else word,
        partial(send, shown, draft),
        sends=draft,
        icon=":material/group:" if waits else icon,
        destroys=destroys and not waits,
    )


def draw_waits(shown: Opened, draft: Draft) -> None:
    """Say in the preview that nothing is sent until a second person confirms."""
    needed = needed_for(shown, draft.outcome, draft.rebate_rate)
    if needed:
        why = ", ".join(reason.label for reason in needed)
        st.caption(
            f"Needs a second person ({why}). The applicant gets the message once it is confirmed."
        )


def send(shown: Opened, draft: Draft, request_id: UUID) -> Sent | None:
    """Decide, or propose to a second person if one is needed."""
    command = decisions.Decide(
        application_id=shown.id_,
        draft=draft,
        shown=shown.viewed_facts,
        actor=shown.person.email,
        at=datetime.now(UTC),
        request_id=request_id,
    )
    result = steps.send(shown, command, decisions.submit)
    if result is None:
        return None
    if isinstance(result, Proposed):
        return Sent(f"{shown.application.username} waits for a second approval.")
    return Sent(f"{shown.application.username} is {draft.outcome}.", undoable=True)
