"""Reject: a reason by its number fills rationale and message, which stay editable."""

from functools import partial

import streamlit as st

from dashboard.forms import fields
from dashboard.pages.application.decide import override, steps
from dashboard.pages.application.decide.steps import Step, name
from dashboard.ui import figures, keyboard, shortcuts
from dashboard.ui.safe_text import escape
from data_access.review.decisions import Draft
from data_access.review.opening import Opened
from program import wording
from program.messages import canned_texts
from program.messages.canned_texts import CANNED_BY_KEY, Use
from program.periods import utc_day
from program.review import assertions, reapplication
from program.review.workflow import REASONS, REASONS_BY_CODE, Decision

PICKED = "reason"


def draw(shown: Opened) -> None:
    """Draw the panel's current step."""
    reason = steps.picked(shown.id_, PICKED)
    if reason is None:
        _draw_reasons(shown)
    elif steps.now_at(shown) is Step.PREVIEW:
        _draw_preview(shown, reason)
    else:
        _draw_fields(shown, reason)


def _draw_reasons(shown: Opened) -> None:
    options = [(reason.code, reason.label) for reason in REASONS]
    steps.draw_options(shown, "Why?", PICKED, options)


def _draw_fields(shown: Opened, reason: str) -> None:
    form = name(shown.id_)
    steps.draw_picked(shown, PICKED, REASONS_BY_CODE[reason].label)
    rule = fields.choice(
        form,
        _field("reapply", reason),
        "May apply again",
        list(reapplication.RULES_BY_KEY),
        first=reapplication.default_rule(reason),
        words=lambda key: reapplication.RULES_BY_KEY[key].label,
    )
    override.draw_provisional(shown)
    _draw_unproven(shown, reason)
    against = override.objections(shown, Decision.REJECTED)
    override.draw_objections(against)
    with keyboard.draft(f"{form}-{reason}"), keyboard.hot(shortcuts.EDIT.key):
        if against:
            override.draw_reason(shown)
        fields.text(
            form,
            _field("rationale", reason),
            "Rationale (internal)",
            filled=_rationale(shown, reason),
            height=90,
        )
        fields.text(
            form,
            _field("message", reason),
            "Message to the applicant",
            filled=_message(shown, reason, rule),
            height=170,
        )
    _draw_omission(shown, reason, rule, refill=True)
    steps.preview_button(shown, partial(_check, shown, reason))


def _draw_preview(shown: Opened, reason: str) -> None:
    draft = _draft(shown, reason)
    rule = draft.reapply or reapplication.default_rule(reason)
    with st.container(gap="xxsmall"):
        st.text(f"Reason: {REASONS_BY_CODE[reason].label}")
        st.text(f"May apply again: {_when(shown, rule)}")
    override.draw_provisional(shown)
    missing = override.unproven(shown, draft)
    if missing:
        st.caption(
            f"Not established: {escape(wording.listed(missing))}. The message leaves it out."
        )
    override.draw_waits(shown, draft)
    _draw_omission(shown, reason, rule, refill=False)
    steps.draw_message(shown, draft.message, str(draft.outcome))
    override.draw_send(shown, draft, "Reject", icon=":material/block:", destroys=True)


def _draw_unproven(shown: Opened, reason: str) -> None:
    """Ask for an explicit tick if the reason's facts are not established."""
    missing = override.unproven(shown, _bare(reason))
    if not missing:
        return
    st.warning(
        escape(assertions.unproven_sentence(REASONS_BY_CODE[reason], missing)),
        icon=":material/help:",
    )
    fields.flag(
        name(shown.id_),
        _field("knowingly", reason),
        "Reject anyway; the message does not claim it",
        first=False,
    )


def _draw_omission(shown: Opened, reason: str, rule: str, *, refill: bool) -> None:
    if "{{reapply_from}}" in CANNED_BY_KEY[Use.REJECTION, reason].message:
        steps.draw_omission(
            shown,
            _field("message", reason),
            _message_typed(shown, reason, rule),
            reapplication.reapply_sentence(rule, utc_day(shown.now)),
            refill=refill,
        )


def _draft(shown: Opened, reason: str) -> Draft:
    form = name(shown.id_)
    rule = fields.value(form, _field("reapply", reason), reapplication.default_rule(reason))
    return Draft(
        outcome=Decision.REJECTED,
        reason_code=reason,
        reapply=rule,
        rationale=fields.value(form, _field("rationale", reason), _rationale(shown, reason)),
        message=_message_typed(shown, reason, rule),
        override_reason=fields.value(form, override.FIELD),
        knowingly=bool(fields.value(form, _field("knowingly", reason), otherwise=False)),
    )


def _check(shown: Opened, reason: str) -> None:
    override.check(shown, _draft(shown, reason))


def _when(shown: Opened, rule: str) -> str:
    """Format the rule, with the day that it means if sent today."""
    label, day = reapplication.RULES_BY_KEY[rule].label.lower(), utc_day(shown.now)
    opens_on = reapplication.reapply_from(rule, day)
    waits = opens_on is not None and opens_on > day
    return f"{label}, from {figures.day(opens_on, year=True)}" if waits else label


def _field(part: str, reason: str) -> str:
    return f"{part}-{reason}"


def _rationale(shown: Opened, reason: str) -> str:
    return canned_texts.rationale(Use.REJECTION, reason, shown.standing.assessment)


def _message(shown: Opened, reason: str, rule: str) -> str:
    missing = override.unproven(shown, _bare(reason))
    return steps.filled(
        shown,
        CANNED_BY_KEY[Use.REJECTION, reason].message,
        reapply=rule,
        finding=canned_texts.finding(reason, shown.standing.assessment, missing),
    )


def _bare(reason: str) -> Draft:
    return Draft(outcome=Decision.REJECTED, reason_code=reason, rationale="", message="")


def _message_typed(shown: Opened, reason: str, rule: str) -> str:
    filled = _message(shown, reason, rule)
    return str(fields.value(name(shown.id_), _field("message", reason), filled))
