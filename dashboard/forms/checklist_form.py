"""The due-diligence checklist: what was answered, by whom, and the answers still owed."""

from datetime import UTC, datetime
from uuid import UUID

import streamlit as st

from dashboard import state
from dashboard.components import figures
from dashboard.components.safe_text import escape
from dashboard.forms import answers
from dashboard.forms.shown import Shown
from data_access import checklist, database
from data_access.checklist import Answer
from data_access.refusals import Refusal
from program.checklist import OUTCOME_LABELS, CheckItem, CheckOutcome, item
from program.permissions import Act
from program.workflow import OPEN_STATUSES

LOOKS = {
    CheckOutcome.PASSED: (":material/check_circle:", "green"),
    CheckOutcome.FAILED: (":material/cancel:", "red"),
    CheckOutcome.NOT_APPLICABLE: (":material/do_not_disturb_on:", "gray"),
}


def draw(shown: Shown) -> None:
    """One line an item, and the one being answered below it."""
    policy, given = shown.standing.policy, shown.checks
    keys = list(dict.fromkeys((*policy.required_checks, *policy.checklist)))
    left = [k for k in policy.required_checks if not _is_done(given.get(k))]
    with st.container(border=True, gap="xsmall", key="checklist"):
        owed = f"{len(left)} required left" if left else "every required one is done"
        answered = sum(k in given for k in keys)
        st.markdown(f"**Checklist** · {answered} of {len(keys)}, {owed}")
        answers.draw(_name(shown.id_))
        for key in keys:
            _draw_item(shown, item(key), given.get(key), required=key in policy.required_checks)


def _is_done(given: Answer | None) -> bool:
    return given is not None and given.outcome is not CheckOutcome.FAILED


def _draw_item(shown: Shown, asked: CheckItem, given: Answer | None, *, required: bool) -> None:
    star = " · required" if required else ""
    may = shown.person.may(Act.ANSWER_CHECK) and shown.application.status in OPEN_STATUSES
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        if given is None:
            st.caption(f":material/radio_button_unchecked: {asked.label}{star}")
        else:
            icon, colour = LOOKS[given.outcome]
            said = f" · {escape(given.comment)}" if given.comment else ""
            st.caption(
                f":{colour}[{icon} {OUTCOME_LABELS[given.outcome]}] {asked.label} · "
                f"{escape(given.author)}, {figures.moment(given.at)}{said}"
            )
        if may:
            with st.popover("", icon=":material/edit:", type="tertiary", width="content"):
                _draw_answering(shown, asked)


def _draw_answering(shown: Shown, asked: CheckItem) -> None:
    form = _name(shown.id_)
    st.text(asked.question)
    if asked.hint:
        st.caption(asked.hint)
    comment = f"{state.form_key(form, asked.key)}-comment"
    st.text_area("Comment (needed when it failed)", key=comment, height=70)
    with st.container(horizontal=True, gap="xsmall"):
        for outcome in CheckOutcome:
            st.button(
                OUTCOME_LABELS[outcome].capitalize(),
                key=f"check-{asked.key}-{outcome}-{shown.id_}",
                on_click=_answer,
                args=[shown, asked.key, outcome, comment, state.request_id(form)],
            )


def _answer(shown: Shown, key: str, outcome: CheckOutcome, comment: str, request_id: UUID) -> None:
    form = _name(shown.id_)
    if answers.refused_to_stranger(form, shown.person.email):
        return
    state.hold(f"decision-{shown.id_}")
    try:
        checklist.answer(
            database.writer(),
            application_id=shown.id_,
            item=key,
            outcome=outcome,
            comment=state.typed(comment) or "",
            actor=shown.person.email,
            now=datetime.now(UTC),
            request_id=request_id,
        )
    except Refusal as refusal:
        answers.refused(form, str(refusal))
        return
    state.renew(form, request_id)


def _name(id_: int) -> str:
    return f"checklist-{id_}"
