"""Approving: the rate with what it costs, the reasons, and the message."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import partial

import streamlit as st

from dashboard import state
from dashboard.components import badges, keyboard, rebate_cost
from dashboard.forms import answers, fields, steps
from dashboard.forms.shown import Shown
from dashboard.forms.steps import Step, name
from data_access import checklist, database, decisions, second_approvals, texts
from data_access.decisions import Draft
from data_access.refusals import Invalid, Refusal
from program import messages
from program.checklist import obstacles, open_items
from program.messages import Use
from program.outcomes import Outcome
from program.rebates import needs_second_person
from program.workflow import Decision

SUGGESTED_PERCENT = Decimal(20)
OVERRIDE_REASON = "Why nevertheless, internal"


def draw(shown: Shown) -> None:
    """Draw the step that the panel is at."""
    given = {key: answer.outcome for key, answer in shown.checks.items()}
    left = obstacles(shown.standing.policy.required_checks, given)
    if left:
        _draw_obstacles(shown, left)
        return
    if steps.now_at(shown) is Step.PREVIEW:
        _draw_preview(shown)
    else:
        _draw_fields(shown)


def _draw_obstacles(shown: Shown, left: tuple[str, ...]) -> None:
    policy = shown.standing.policy
    given = {key: answer.outcome for key, answer in shown.checks.items()}
    st.caption("An approval needs the required checks first:")
    for sentence in left:
        st.text(f"• {sentence}")
    if open_items(policy.required_checks, policy.required_checks, given):
        with keyboard.hot("p"):
            st.button(
                "Pass the open checks",
                key=f"pass-open-{shown.id_}",
                help="Key p. Records every open item as passed by you, now.",
                on_click=_pass_open,
                args=[shown, state.request_id(f"pass-{shown.id_}")],
            )


def _pass_open(shown: Shown, request_id: object) -> None:
    form = name(shown.id_)
    if answers.refused_to_stranger(form, shown.person.email):
        return
    try:
        checklist.pass_open(
            database.writer(),
            application_id=shown.id_,
            comment="",
            actor=shown.person.email,
            now=datetime.now(UTC),
            request_id=request_id,  # type: ignore[arg-type]
        )
    except Refusal as refusal:
        answers.refused(form, str(refusal))
        return
    state.renew(f"pass-{shown.id_}", request_id)  # type: ignore[arg-type]


def _draw_fields(shown: Shown) -> None:
    form, policy = name(shown.id_), shown.standing.policy
    standard, most = policy.standard_rebate_rate * 100, policy.max_rebate_rate * 100
    if shown.is_provisional:
        st.warning("Metrics are behind; eligibility is provisional.", icon=":material/schedule:")
    percent = fields.number(
        form,
        "percent",
        f"Rebate, % of net fees (above {standard.normalize():f}, at most {most.normalize():f})",
        first=float(min(max(SUGGESTED_PERCENT, standard + 1), most)),
        step=0.5,
        on_change=partial(state.hold, form),
    )
    rate = _rate(percent)
    rebate_cost.draw(shown.cost(rate), through=_through(shown))
    if _is_override(shown) or _needed_for(shown, rate):
        _say_override(shown, rate)
    with keyboard.draft(form):
        if _is_override(shown) or _needed_for(shown, rate):
            fields.text(form, "override", OVERRIDE_REASON, height=70)
        fields.text(form, "rationale", "Rationale, internal", filled=_rationale(shown), height=90)
        fields.text(
            form, "message", "Message to the applicant", filled=_message(shown, rate), height=150
        )
    steps.preview_button(shown, partial(_check, shown))


def _draw_preview(shown: Shown) -> None:
    draft = _draft(shown)
    rate = draft.rebate_rate or Decimal(0)
    needed = _needed_for(shown, rate)
    st.text(f"Rebate {rate * 100:.4g} % of net fees")
    rebate_cost.draw(shown.cost(rate), through=_through(shown))
    if needed:
        st.caption(f"Waits for a second person: {', '.join(needed)}.")
    steps.draw_message(shown, draft.message)
    word = "Ask for a second approval" if needed else "Approve"
    steps.send_buttons(shown, word, partial(_send, shown, draft, ask=bool(needed)))


def _send(shown: Shown, draft: Draft, *, ask: bool) -> str:
    now, request_id = datetime.now(UTC), state.request_id(name(shown.id_))
    form = decisions.form_of(
        draft,
        application_id=shown.id_,
        actor=shown.person.email,
        now=now,
        request_id=request_id,
        ask=ask,
    )
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
        return f"Application {shown.id_} waits for a second approval."
    decisions.decide(database.writer(), draft, shown.standing.seen, form)
    return f"Application {shown.id_} is approved."


def _draft(shown: Shown) -> Draft:
    form = name(shown.id_)
    rate = _rate(fields.value(form, "percent", float(_first_percent(shown))))
    return Draft(
        outcome=Decision.APPROVED,
        rationale=fields.value(form, "rationale", _rationale(shown)),
        message=fields.value(form, "message", _message(shown, rate)),
        rebate_rate=rate,
        override_reason=fields.value(form, "override"),
    )


def _check(shown: Shown, _: dict[str, object]) -> None:
    draft = _draft(shown)
    texts.require(draft.rationale, what="The rationale", longest=decisions.LONGEST_TEXT)
    texts.require_message(draft.message)
    decisions.check_rate(draft.rebate_rate or Decimal(0), shown.standing.policy)
    if (_is_override(shown) or _needed_for(shown, draft.rebate_rate or Decimal(0))) and not (
        draft.override_reason.strip()
    ):
        raise Invalid("Write why you decide so nevertheless.")


def _say_override(shown: Shown, rate: Decimal) -> None:
    outcome = badges.OUTCOMES[shown.standing.assessment.outcome].word
    parts = [f"Eligibility is {outcome}, so this goes against it."] if _is_override(shown) else []
    needed = _needed_for(shown, rate)
    if needed:
        parts.append(f"A second person has to confirm it: {', '.join(needed)}.")
    st.info(" ".join(parts), icon=":material/gavel:")


def _is_override(shown: Shown) -> bool:
    return shown.standing.assessment.outcome is not Outcome.MET


def _needed_for(shown: Shown, rate: Decimal) -> tuple[str, ...]:
    policy = shown.standing.policy
    reasons = needs_second_person(
        override=_is_override(shown),
        cost=shown.cost(rate),
        for_overrides=policy.second_approval_for_overrides,
        from_monthly_extra_usd=policy.second_approval_monthly_extra_usd,
    )
    return tuple(reason.label for reason in reasons)


def _first_percent(shown: Shown) -> Decimal:
    policy = shown.standing.policy
    standard, most = policy.standard_rebate_rate * 100, policy.max_rebate_rate * 100
    return min(max(SUGGESTED_PERCENT, standard + 1), most)


def _rate(percent: float) -> Decimal:
    # The widget holds hundredths of a percent, which this turns back into exactly those.
    return Decimal(f"{percent:.2f}") / 100


def _rationale(shown: Shown) -> str:
    return messages.rationale(Use.APPROVAL, "welcome", shown.standing.assessment)


def _message(shown: Shown, rate: Decimal) -> str:
    canned = messages.texts(Use.APPROVAL)[0]
    return steps.filled(shown, canned.message, rebate_rate=rate)


def _through(shown: Shown) -> object:
    fresh = shown.standing.freshness
    return fresh.data_through if fresh else None
