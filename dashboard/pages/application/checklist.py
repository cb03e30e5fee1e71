"""The due-diligence checklist: one press passes an item, two give another answer."""

from datetime import UTC, datetime
from uuid import UUID

import streamlit as st

from dashboard.forms import sending, submit
from dashboard.pages.application.decide.steps import name as decision_name
from dashboard.ui import figures, keyboard, state
from dashboard.ui.badges import Badge
from dashboard.ui.safe_text import escape
from data_access.review import checklist
from data_access.review.checklist import Answer
from data_access.review.opening import Opened
from program.policy.checklist import (
    OUTCOME_LABELS,
    CheckItem,
    CheckOutcome,
    item,
    lacks_evidence,
    obstacles,
)
from program.policy.evidence import KIND_LABELS
from program.review.permissions import Act
from program.review.workflow import OPEN_STATUSES

BADGES: dict[CheckOutcome, Badge] = {
    CheckOutcome.PASSED: Badge("passed", ":material/check_circle:", "green", "✓"),
    CheckOutcome.FAILED: Badge("failed", ":material/cancel:", "red", "×"),
    CheckOutcome.NOT_APPLICABLE: Badge(
        "not applicable", ":material/do_not_disturb_on:", "gray", "–"
    ),
}
OPEN = Badge("open", ":material/radio_button_unchecked:", "gray", "○")


def draw(shown: Opened) -> None:
    """Draw one line per item; a pressed item is open below its line."""
    policy, given = shown.standing.policy, shown.checks
    keys = list(dict.fromkeys((*policy.required_checks, *policy.checklist)))
    left = obstacles(policy.required_checks, {key: a.outcome for key, a in given.items()})
    may = shown.person.may(Act.ANSWER_CHECK) and shown.application.status in OPEN_STATUSES
    opened = state.kept(_opened(shown.id_))
    with st.container(border=True, gap=None, key="checklist"):
        owed = f"{len(left)} required left" if left else "nothing required is left"
        answered = sum(key in given for key in keys)
        st.markdown(f"**Checklist** · {answered} of {len(keys)}, {owed}")
        submit.draw(_name(shown.id_))
        for key in keys:
            check, answer = item(key), given.get(key)
            _draw_line(shown, check, answer, may=may, required=key in policy.required_checks)
            if key == opened:
                _draw_opened(shown, check, answer, may=may)


def _draw_line(
    shown: Opened, check: CheckItem, given: Answer | None, *, may: bool, required: bool
) -> None:
    st.button(
        _line_words(shown, check, given, required=required),
        key=f"check-open-{check.key}-{shown.id_}",
        type="tertiary",
        wrap=True,
        on_click=_open,
        args=[shown.id_, check.key],
    )
    if may and given is None:
        _draw_pass(shown, check)
    if given is not None and given.comment:
        st.caption(escape(given.comment))


def words(shown: Opened, check: CheckItem) -> str:
    """Return an item's line as Markdown, and whether evidence is missing to pass it."""
    given, required = shown.checks.get(check.key), shown.standing.policy.required_checks
    line = _line_words(shown, check, given, required=check.key in required)
    lacks = given is None and lacks_evidence(check, shown.evidence_kinds)
    return f"{line} · needs evidence" if lacks else line


def _line_words(shown: Opened, check: CheckItem, given: Answer | None, *, required: bool) -> str:
    """Format the line as one Markdown string, with typed text escaped."""
    if given is None:
        color, word = ("orange", "required") if required else (OPEN.color, OPEN.word)
        return f":{color}[{OPEN.icon} {word}] {escape(check.label)}"
    badge, who = BADGES[given.outcome], escape(shown.named(given.author))
    text = f":{badge.color}[{badge.icon} {badge.word}] {escape(check.label)}"
    return f"{text} · {who}, {figures.day(given.at.date())}"


def _draw_pass(shown: Opened, check: CheckItem) -> None:
    """Draw the button that passes an open item, unless its evidence is missing.

    The style sheet puts it at the right of the item's line.
    """
    if lacks_evidence(check, shown.evidence_kinds):
        with st.container(key=f"check-needs-{check.key}", width="content"):
            st.caption("needs evidence", width="content")
        return
    sending.button(
        "Pass",
        form=_name(shown.id_),
        key=f"check-pass-{check.key}-{shown.id_}",
        act=_answer,
        args=[shown, check.key, CheckOutcome.PASSED, None, _request(shown.id_, check.key)],
        icon=":material/check:",
        type="tertiary",
    )


def _draw_opened(shown: Opened, check: CheckItem, given: Answer | None, *, may: bool) -> None:
    with st.container(border=True, gap="small"):
        st.text(check.question)
        if check.hint:
            st.caption(f"Look at: {check.hint}")
        if given is not None:
            word = BADGES[given.outcome].word
            st.caption(f"{word}, {escape(shown.named(given.author))}, {figures.moment(given.at)}")
        if not may:
            return
        part = _item(shown.id_, check.key)
        lacks = lacks_evidence(check, shown.evidence_kinds)
        if check.needs and lacks:
            what = KIND_LABELS[check.needs].lower()
            st.caption(f"It passes once evidence is recorded: {what}.")
        comment = state.form_key(part, "comment")
        with keyboard.draft(part):
            st.text_area(_comment_label(given), key=comment, height=70)
        with st.container(horizontal=True, gap="xsmall"):
            for outcome in CheckOutcome:
                sending.button(
                    OUTCOME_LABELS[outcome],
                    form=_name(shown.id_),
                    key=f"check-{check.key}-{outcome}-{shown.id_}",
                    act=_answer,
                    args=[shown, check.key, outcome, comment, _request(shown.id_, check.key)],
                    sends=given,
                    icon=BADGES[outcome].icon,
                    disabled=outcome is CheckOutcome.PASSED and lacks,
                )


def _comment_label(given: Answer | None) -> str:
    if given is not None and given.outcome is CheckOutcome.FAILED:
        return "Comment (internal); required to change a failed answer"
    return "Comment (internal); required for a failed check"


def open_item(id_: int, key: str) -> None:
    """Open an item's answer, from wherever it is named."""
    state.hold(decision_name(id_))
    state.keep(_opened(id_), key)


def _open(id_: int, key: str) -> None:
    """Open or close the line."""
    state.hold(decision_name(id_))
    place = _opened(id_)
    state.keep(place, None if state.kept(place) == key else key)


def _answer(
    shown: Opened, key: str, outcome: CheckOutcome, comment: str | None, request_id: UUID
) -> None:
    part = _item(shown.id_, key)
    state.hold(decision_name(shown.id_))
    command = checklist.AnswerCheck(
        application_id=shown.id_,
        item=key,
        outcome=outcome,
        comment=(state.typed(comment) or "") if comment else "",
        actor=shown.person.email,
        at=datetime.now(UTC),
        request_id=request_id,
    )
    drafts = [part] if comment is not None else []
    result = submit.submit(_name(shown.id_), command, checklist.answer, renews=part, drafts=drafts)
    if result is not None and comment is not None:
        state.keep(_opened(shown.id_), None)


def _request(id_: int, key: str) -> UUID:
    # One per item: two items may be passed before the page is redrawn.
    return state.request_id(_item(id_, key))


def _item(id_: int, key: str) -> str:
    return f"{_name(id_)}-{key}"


def _opened(id_: int) -> str:
    return f"check-{id_}"


def _name(id_: int) -> str:
    return f"checklist-{id_}"
