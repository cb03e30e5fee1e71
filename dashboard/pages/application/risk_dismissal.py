"""Set a risk signal aside for a while, with a reason; or let it count again."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import streamlit as st

from dashboard.forms import sending, submit
from dashboard.forms.fields import ANY_DAY
from dashboard.pages.application.decide.steps import name as decision_name
from dashboard.ui import figures, keyboard, state
from dashboard.ui.safe_text import escape
from data_access.review import dismissals
from data_access.review.opening import Opened
from data_access.risk.reading import AccountRisk, Dismissal
from program import wording
from program.periods import utc_day
from program.review.permissions import Act
from program.risk.judging import Result
from program.risk.signals import Signal

ANOTHER_DAY = 0


def name(id_: int) -> str:
    """Return the form's name, beside which its message is shown."""
    return f"risk-dismissal-{id_}"


def draw(shown: Opened, found: AccountRisk, result: Result) -> None:
    """Draw who dismissed the signal, and what this person may do about it."""
    signal = result.signal
    may = shown.person.may(Act.DISMISS_SIGNAL) and shown.conflict is None
    dismissal = found.dismissed(signal.id)
    times = found.times_dismissed(signal.id)
    if times:
        st.caption(_history(times))
    if dismissal is not None:
        _draw_dismissed(shown, signal, dismissal, may=may)
    elif may:
        _draw_form(shown, signal)


def _history(times: int) -> str:
    return "Dismissed once." if times == 1 else f"Dismissed {times} times."


def _draw_dismissed(shown: Opened, signal: Signal, dismissal: Dismissal, *, may: bool) -> None:
    st.caption(
        f"Dismissed until {figures.day(dismissal.until)} by "
        f"{escape(shown.named(dismissal.actor))}, "
        f"{figures.moment(dismissal.at)}:"
    )
    st.text(dismissal.reason)
    if may:
        sending.button(
            "Let it count again",
            form=name(shown.id_),
            key=f"risk-end-{signal.id}-{shown.id_}",
            act=_end,
            args=[shown, signal.id, _request(shown.id_, signal.id)],
            icon=":material/undo:",
        )


def _draw_form(shown: Opened, signal: Signal) -> None:
    part = _part(shown.id_, signal.id)
    with keyboard.draft(part), st.form(part, enter_to_submit=False, border=False):
        st.text_area(
            "What did you find? (internal, required to dismiss)",
            key=state.form_key(part, "reason"),
            height=70,
        )
        with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
            st.selectbox(
                "Dismiss for",
                [*dismissals.CHOICES, ANOTHER_DAY],
                format_func=lambda days: f"{days} days" if days else "until the day at the right",
                key=state.form_key(part, "for"),
            )
            st.date_input(
                "Until",
                value=shown.now.date() + timedelta(days=max(dismissals.CHOICES)),
                format="YYYY-MM-DD",
                key=state.form_key(part, "until"),
                **ANY_DAY,
            )
        sending.form_button(
            "Dismiss signal",
            form=name(shown.id_),
            key=state.form_key(part, "send"),
            act=_dismiss,
            args=[shown, signal.id, part, _request(shown.id_, signal.id)],
            icon=":material/do_not_disturb_on:",
        )


def _dismiss(shown: Opened, signal: str, part: str, request_id: UUID) -> None:
    now = datetime.now(UTC)
    state.hold(decision_name(shown.id_))
    held = {field: state.entered(part, field, request_id) for field in ("reason", "for", "until")}
    until = _until(held["for"], held["until"], now)
    if until is None:
        submit.refused(name(shown.id_), "Choose until when it is dismissed.")
        return
    command = dismissals.DismissSignal(
        application_id=shown.id_,
        signal=signal,
        reason=held["reason"] or "",
        until=until,
        actor=shown.person.email,
        at=now,
        request_id=request_id,
    )
    done = submit.submit(name(shown.id_), command, dismissals.dismiss, renews=part, drafts=[part])
    if done is not None:
        submit.accepted(name(shown.id_), f"Dismissed until {wording.day(until)}.")


def _until(days: int | None, day: date | None, now: datetime) -> date | None:
    return utc_day(now) + timedelta(days=days) if days else day


def _end(shown: Opened, signal: str, request_id: UUID) -> None:
    state.hold(decision_name(shown.id_))
    command = dismissals.EndDismissal(
        application_id=shown.id_,
        signal=signal,
        actor=shown.person.email,
        at=datetime.now(UTC),
        request_id=request_id,
    )
    part = _part(shown.id_, signal)
    if submit.submit(name(shown.id_), command, dismissals.end, renews=part) is not None:
        submit.accepted(name(shown.id_), "The signal counts again.")


def _request(id_: int, signal: str) -> UUID:
    return state.request_id(_part(id_, signal))


def _part(id_: int, signal: str) -> str:
    return f"{name(id_)}-{signal}"
