"""Approve: the rate and its cost, the reasons, and the message."""

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from uuid import UUID

import streamlit as st

from dashboard.forms import fields, sending, submit
from dashboard.pages.application import checklist as application_checklist
from dashboard.pages.application import rebate_cost
from dashboard.pages.application.decide import override, steps
from dashboard.pages.application.decide.steps import Step, name
from dashboard.ui import figures, keyboard, shortcuts, state
from dashboard.ui.safe_text import escape
from data_access.db.errors import Invalid
from data_access.review import checklist, decisions
from data_access.review.decisions import Draft
from data_access.review.opening import Opened
from program import wording
from program.messages import canned_texts
from program.messages.canned_texts import Use
from program.policy.checklist import (
    CheckItem,
    CheckOutcome,
    item,
    obstacles,
    open_items,
    passable,
)
from program.review.workflow import Decision
from program.text import numbers

SUGGESTED, ONE_PERCENT = Decimal("0.2"), Decimal("0.01")


def draw(shown: Opened) -> None:
    """Draw the panel's current step."""
    if _left(shown):
        _draw_obstacles(shown)
    elif steps.now_at(shown) is Step.PREVIEW:
        _draw_preview(shown)
    else:
        _draw_fields(shown)


def _given(shown: Opened) -> dict[str, CheckOutcome]:
    return {key: answer.outcome for key, answer in shown.checks.items()}


def _left(shown: Opened) -> list[str]:
    """Return the required items that block an approval."""
    required, given = shown.standing.policy.required_checks, _given(shown)
    return [key for key in required if obstacles([key], given)]


def _draw_obstacles(shown: Opened) -> None:
    """Draw one list: what an approval needs, and what one press would pass besides."""
    policy, given, left = shown.standing.policy, _given(shown), _left(shown)
    open_ = open_items(policy.checklist, policy.required_checks, given)
    passing = passable(open_, shown.evidence_kinds) if not set(left) <= set(given) else ()
    st.caption(
        "An approval needs the required checks. Press a check to answer it"
        + (f", or {shortcuts.PASS_CHECKS.key.upper()} to pass the open ones." if passing else ".")
    )
    failed = [item(key) for key in left if key in given]
    listed = [*failed, *open_] if passing else [item(key) for key in left]
    with st.container(gap=None, key="obstacles"):
        for each in listed:
            st.button(
                application_checklist.words(shown, each),
                key=f"obstacle-{each.key}-{shown.id_}",
                type="tertiary",
                wrap=True,
                on_click=_open_item,
                args=[shown.id_, each.key],
            )
    if passing:
        _draw_pass_open(shown, passing)


def _open_item(id_: int, key: str) -> None:
    application_checklist.open_item(id_, key)
    # The checklist is outside the panel, which reruns by itself.
    st.rerun()


def _draw_pass_open(shown: Opened, passing: tuple[CheckItem, ...]) -> None:
    with steps.row(), keyboard.hot(shortcuts.PASS_CHECKS.key, width="stretch"):
        sending.button(
            f"Pass these {len(passing)}" if len(passing) > 1 else f"Pass: {passing[0].label}",
            form=name(shown.id_),
            key=f"pass-open-{shown.id_}",
            act=_pass_open,
            args=[
                shown,
                tuple(each.key for each in passing),
                state.request_id(f"pass-{shown.id_}"),
            ],
            sends=passing,
            type="primary",
            width="stretch",
        )


def _pass_open(shown: Opened, items: tuple[str, ...], request_id: UUID) -> None:
    command = checklist.PassOpenChecks(
        application_id=shown.id_,
        items=items,
        comment="",
        actor=shown.person.email,
        at=datetime.now(UTC),
        request_id=request_id,
    )
    submit.submit(name(shown.id_), command, checklist.pass_open, renews=f"pass-{shown.id_}")


def _draw_fields(shown: Opened) -> None:
    form = name(shown.id_)
    override.draw_provisional(shown)
    with keyboard.hot(shortcuts.EDIT.key):
        percent = fields.number(
            form,
            "percent",
            _rate_label(shown),
            first=_first_percent(shown),
            on_change=partial(state.hold, form),
        )
    rate = _draw_rate(shown, percent)
    against = override.objections(shown, Decision.APPROVED, rate)
    override.draw_objections(against)
    with keyboard.draft(form):
        if against:
            override.draw_reason(shown)
        fields.text(form, "rationale", "Rationale (internal)", filled=_rationale(shown), height=90)
        fields.text(
            form, "message", "Message to the applicant", filled=_message(shown, rate), height=150
        )
    if rate is not None:
        _draw_omission(shown, _message_typed(shown, rate), rate, refill=True)
    steps.preview_button(shown, partial(_check, shown))


def _draw_rate(shown: Opened, percent: str) -> Decimal | None:
    """Draw what the typed rate costs, or what is wrong with it; returns the rate if it is one."""
    try:
        rate = _rate(percent)
    except Invalid as wrong:
        st.error(escape(str(wrong)), icon=":material/error:")
        return None
    rebate_cost.draw(shown.standing.cost(rate), through=_through(shown))
    return rate


def _draw_preview(shown: Opened) -> None:
    draft = _draft(shown)
    rate = draft.rebate_rate or Decimal(0)
    override.draw_provisional(shown)
    st.text(f"Rebate {figures.rate(rate)} of net fees")
    rebate_cost.draw(shown.standing.cost(rate), through=_through(shown))
    override.draw_waits(shown, draft)
    _draw_omission(shown, draft.message, rate, refill=False)
    steps.draw_message(shown, draft.message, str(draft.outcome))
    override.draw_send(shown, draft, "Approve", icon=":material/check:")


def _draw_omission(shown: Opened, message: str, rate: Decimal, *, refill: bool) -> None:
    steps.draw_omission(shown, "message", message, wording.percent(rate), refill=refill)


def _draft(shown: Opened) -> Draft:
    form = name(shown.id_)
    rate = _rate(fields.value(form, "percent", _first_percent(shown)))
    return Draft(
        outcome=Decision.APPROVED,
        rationale=fields.value(form, "rationale", _rationale(shown)),
        message=_message_typed(shown, rate),
        rebate_rate=rate,
        override_reason=fields.value(form, override.FIELD),
    )


def _check(shown: Opened) -> None:
    draft = _draft(shown)
    decisions.check_rate(draft.rebate_rate, shown.standing.policy)
    override.check(shown, draft)


def _rate_label(shown: Opened) -> str:
    policy = shown.standing.policy
    standard = wording.percent(policy.standard_rebate_rate)
    most = wording.percent(policy.max_rebate_rate)
    return f"Rebate in % of net fees, above {standard} and at most {most}"


def _first_percent(shown: Opened) -> str:
    policy = shown.standing.policy
    standard, most = policy.standard_rebate_rate, policy.max_rebate_rate
    return wording.percent(min(max(SUGGESTED, standard + ONE_PERCENT), most)).removesuffix(" %")


def _rate(percent: str) -> Decimal:
    """Read a typed percentage; raises Invalid with what to write."""
    shown = numbers.as_seen(percent)
    try:
        return numbers.read_typed(shown.removesuffix("%")) / 100
    except numbers.NotANumber as wrong:
        raise Invalid(f"The rebate rate {wording.quoted(shown)} {wrong}.") from wrong


def _rationale(shown: Opened) -> str:
    return canned_texts.rationale(Use.APPROVAL, "welcome", shown.standing.assessment)


def _message(shown: Opened, rate: Decimal | None) -> str:
    canned = canned_texts.texts(Use.APPROVAL)[0]
    return steps.filled(shown, canned.message, rebate_rate=rate)


def _message_typed(shown: Opened, rate: Decimal) -> str:
    return str(fields.value(name(shown.id_), "message", _message(shown, rate)))


def _through(shown: Opened) -> date | None:
    fresh = shown.standing.freshness
    return fresh.data_through if fresh else None
