"""Rejecting: a reason by its number, which fills rationale and message; both stay editable."""

from datetime import UTC, datetime
from functools import partial

import streamlit as st

from dashboard import state
from dashboard.components import keyboard
from dashboard.forms import fields, steps
from dashboard.forms.shown import Shown
from dashboard.forms.steps import Step, name
from data_access import database, decisions, second_approvals, texts
from data_access.decisions import Draft
from data_access.refusals import Invalid
from program import messages, reapplying
from program.messages import CANNED_BY_KEY, Use
from program.outcomes import Outcome
from program.rebates import needs_second_person
from program.workflow import REASONS, REASONS_BY_CODE, Decision


def draw(shown: Shown) -> None:
    """Draw the step that the panel is at."""
    reason = state.kept(_reason(shown.id_))
    if reason is None:
        _draw_reasons(shown)
    elif steps.now_at(shown) is Step.PREVIEW:
        _draw_preview(shown, reason)
    else:
        _draw_fields(shown, reason)


def _draw_reasons(shown: Shown) -> None:
    st.caption("Why? Press its number.")
    with st.container(gap=None, key="reasons"):
        for number, reason in enumerate(REASONS, start=1):
            with keyboard.hot(str(number)):
                st.button(
                    f"{number} · {reason.label}",
                    key=f"reason-{reason.code}-{shown.id_}",
                    type="tertiary",
                    on_click=_choose,
                    args=[shown.id_, reason.code],
                )


def _draw_fields(shown: Shown, reason: str) -> None:
    form = name(shown.id_)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(REASONS_BY_CODE[reason].label)
        with keyboard.hot(keyboard.BACK, width="content"):
            st.button(
                "Change",
                key=f"change-reason-{shown.id_}",
                type="tertiary",
                on_click=_choose,
                args=[shown.id_, None],
            )
    rule = fields.choice(
        form,
        f"reapply-{reason}",
        "May apply again",
        list(reapplying.RULES_BY_KEY),
        first=reapplying.default_rule(reason),
        words=lambda key: reapplying.RULES_BY_KEY[key].label,
    )
    if _is_override(shown):
        st.info("Eligibility is met, so this goes against it.", icon=":material/gavel:")
    with keyboard.draft(f"{form}-{reason}"):
        if _is_override(shown):
            fields.text(form, "override", "Why nevertheless, internal", height=70)
        fields.text(
            form,
            f"rationale-{reason}",
            "Rationale, internal",
            filled=_rationale(shown, reason),
            height=90,
        )
        fields.text(
            form,
            f"message-{reason}",
            "Message to the applicant",
            filled=_message(shown, reason, rule),
            height=170,
        )
    steps.preview_button(shown, partial(_check, shown, reason))


def _draw_preview(shown: Shown, reason: str) -> None:
    draft = _draft(shown, reason)
    st.text(f"Reason: {REASONS_BY_CODE[reason].label}")
    st.text(f"May apply again: {reapplying.RULES_BY_KEY[draft.reapply or 'at_once'].label.lower()}")
    needed = _needed_for(shown)
    if needed:
        st.caption(f"Waits for a second person: {', '.join(needed)}.")
    steps.draw_message(shown, draft.message)
    word = "Ask for a second approval" if needed else "Reject"
    steps.send_buttons(shown, word, partial(_send, shown, draft, ask=bool(needed)))


def _send(shown: Shown, draft: Draft, *, ask: bool) -> str:
    now, request_id = datetime.now(UTC), state.request_id(name(shown.id_))
    if ask:
        second_approvals.ask(
            database.writer(),
            application_id=shown.id_,
            draft=draft,
            shown=shown.standing.seen,
            actor=shown.person.email,
            now=now,
            request_id=request_id,
        )
        said = f"Application {shown.id_} waits for a second approval."
    else:
        form = decisions.form_of(
            draft,
            application_id=shown.id_,
            actor=shown.person.email,
            now=now,
            request_id=request_id,
        )
        decisions.decide(database.writer(), draft, shown.standing.seen, form)
        said = f"Application {shown.id_} is rejected."
    state.forget(_reason(shown.id_))
    return said


def _draft(shown: Shown, reason: str) -> Draft:
    form = name(shown.id_)
    rule = fields.value(form, f"reapply-{reason}", reapplying.default_rule(reason))
    return Draft(
        outcome=Decision.REJECTED,
        reason_code=reason,
        reapply=rule,
        rationale=fields.value(form, f"rationale-{reason}", _rationale(shown, reason)),
        message=fields.value(form, f"message-{reason}", _message(shown, reason, rule)),
        override_reason=fields.value(form, "override"),
    )


def _check(shown: Shown, reason: str, _: dict[str, object]) -> None:
    draft = _draft(shown, reason)
    texts.require(draft.rationale, what="The rationale", longest=decisions.LONGEST_TEXT)
    texts.require_message(draft.message)
    if _is_override(shown) and not draft.override_reason.strip():
        raise Invalid("Write why you decide so nevertheless.")


def _choose(id_: int, reason: str | None) -> None:
    state.hold(name(id_))
    state.keep(_reason(id_), reason)


def _reason(id_: int) -> str:
    return f"reason-{id_}"


def _is_override(shown: Shown) -> bool:
    return shown.standing.assessment.outcome is Outcome.MET


def _needed_for(shown: Shown) -> tuple[str, ...]:
    policy = shown.standing.policy
    reasons = needs_second_person(
        override=_is_override(shown),
        cost=None,
        for_overrides=policy.second_approval_for_overrides,
        from_monthly_extra_usd=policy.second_approval_monthly_extra_usd,
    )
    return tuple(reason.label for reason in reasons)


def _rationale(shown: Shown, reason: str) -> str:
    return messages.rationale(Use.REJECTION, reason, shown.standing.assessment)


def _message(shown: Shown, reason: str, rule: str) -> str:
    return steps.filled(shown, CANNED_BY_KEY[Use.REJECTION, reason].message, reapply=rule)
