"""A message that did not leave: what it says, why it is here, and retry, correct or cancel."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

import streamlit as st

from dashboard.forms import sending, submit
from dashboard.ui import figures, message_preview, state
from dashboard.ui.safe_text import escape
from data_access.db import database
from data_access.db.errors import NotFound, NotInState, Refusal
from data_access.messages import resend
from data_access.messages.backlog import Message
from data_access.people.staff import Person
from program.messages.delivery import KIND_WORDS, REASON_WORDS, MessageKind, Reason, Stopped

RETRY_ALL = "retry-all"


def draw(message: Message, person: Person) -> None:
    """One message behind a line that says whose it is and what is wrong."""
    form = name(message)
    with st.expander(label(message)):
        # Inside: above, it would move the place of what is open, which would close.
        submit.draw(form)
        reason = REASON_WORDS.get(message.reason) if message.reason else None
        if reason is not None:
            st.caption(f"{reason.label}. {reason.way_on}")
        if message.last_error:
            st.text(message.last_error)
        if not message.text:
            st.caption("No text was saved with this message, so it cannot be sent.")
        message_preview.draw(
            channel=message.channel,
            recipient=message.sent_to or message.recipient,
            text=message.text,
        )
        st.page_link(
            "dashboard/pages/application/page.py",
            label=f"Application {message.application_id}",
            icon=":material/contact_page:",
            query_params={"id": str(message.application_id)},
        )
        _retry(form, message, person)
        if message.stopped_as is Stopped.PARKED:
            _redirect(form, message, person)
            _cancel(form, message, person)


def label(message: Message) -> str:
    """Whose it is, what it announces, where to, and why it is here."""
    what = KIND_WORDS[MessageKind.of(message.kind)]
    why = REASON_WORDS[message.reason].label.lower() if message.reason else "withheld"
    to = f"{message.channel} {message.recipient or 'nobody'}"
    return (
        f"{escape(message.username)} · {what} · {escape(to)} · {why} · "
        f"{figures.moment(message.stopped_at)}"
    )


def name(message: Message) -> str:
    """The form's name."""
    return f"message-{message.message_id.hex[:12]}"


def retry_all(messages: Sequence[Message], reason: Reason | None, person: Person) -> None:
    """One button for all that are listed."""
    submit.draw(RETRY_ALL)
    of = "" if reason is None else f" of “{REASON_WORDS[reason].label.lower()}”"
    many = len(messages)
    sending.button(
        f"Retry {'it' if many == 1 else f'all {many:,}'}{of}",
        form=RETRY_ALL,
        key="outbox-retry-all",
        act=_retry_all,
        args=[messages, person.email, state.request_id(RETRY_ALL)],
        sends=[message.message_id for message in messages],
        icon=":material/refresh:",
        type="primary",
    )


def _retry(form: str, message: Message, person: Person) -> None:
    withheld = message.stopped_as is Stopped.WITHHELD
    sending.button(
        "Send after all" if withheld else "Retry",
        form=form,
        key=state.form_key(form, "retry"),
        act=_do,
        args=[form, state.request_id(form), message, person.email, _send_again],
        icon=":material/refresh:",
        help="Available once the settings allow it." if withheld else None,
        disabled=not message.text,
    )


def _redirect(form: str, message: Message, person: Person) -> None:
    platform, recipient, send = st.columns([1, 2, 1], vertical_alignment="bottom")
    platform.text_input("Platform", value=message.channel, key=state.form_key(form, "platform"))
    recipient.text_input(
        "Recipient", value=message.recipient or "", key=state.form_key(form, "recipient")
    )
    with send:
        sending.button(
            "Correct and send",
            form=form,
            key=state.form_key(form, "redirect"),
            act=_do,
            args=[form, state.request_id(form), message, person.email, _redirected],
            icon=":material/edit:",
            width="stretch",
        )


def _cancel(form: str, message: Message, person: Person) -> None:
    why, send = st.columns([3, 1], vertical_alignment="bottom")
    why.text_input(
        "Reason for canceling (internal)",
        max_chars=resend.LONGEST_REASON,
        key=state.form_key(form, "reason"),
    )
    with send:
        sending.button(
            "Cancel message",
            form=form,
            key=state.form_key(form, "cancel"),
            act=_do,
            args=[form, state.request_id(form), message, person.email, _cancelled],
            icon=":material/cancel:",
            width="stretch",
        )


Doing = Callable[[str, UUID, Message, str], str]


def _do(form: str, request_id: UUID, message: Message, actor: str, do: Doing) -> None:
    """Run one act; a refusal is told beside the message."""
    if submit.refused_to_stranger(form, actor):
        return
    try:
        done = do(form, request_id, message, actor)
    except (NotFound, NotInState) as refusal:
        # It is not in this list any more, so there is no place beside it.
        state.flash(state.Flash(ok=False, text=str(refusal)))
        return
    except Refusal as refusal:
        submit.refused(form, str(refusal))
        return
    state.renew(form, request_id)
    state.flash(state.Flash(ok=True, text=done))


def _send_again(_: str, request_id: UUID, message: Message, actor: str) -> str:
    resend.retry(
        database.writer(),
        application_id=message.application_id,
        message_id=message.message_id,
        actor=actor,
        now=datetime.now(UTC),
        request_id=request_id,
    )
    return "Queued for delivery again."


def _redirected(form: str, request_id: UUID, message: Message, actor: str) -> str:
    part = request_id.hex[:8]
    resend.redirect(
        database.writer(),
        application_id=message.application_id,
        message_id=message.message_id,
        platform=state.typed(f"{form}-platform-{part}") or "",
        recipient=state.typed(f"{form}-recipient-{part}") or "",
        actor=actor,
        now=datetime.now(UTC),
        request_id=request_id,
    )
    return "Queued for delivery to the corrected recipient."


def _cancelled(form: str, request_id: UUID, message: Message, actor: str) -> str:
    resend.cancel(
        database.writer(),
        application_id=message.application_id,
        message_id=message.message_id,
        reason=state.typed(f"{form}-reason-{request_id.hex[:8]}") or "",
        actor=actor,
        now=datetime.now(UTC),
        request_id=request_id,
    )
    return "Canceled. The timeline keeps it."


def _retry_all(messages: Sequence[Message], actor: str, request_id: UUID) -> None:
    if submit.refused_to_stranger(RETRY_ALL, actor):
        return
    try:
        went, refused = resend.retry_all(
            database.writer(), messages, actor=actor, now=datetime.now(UTC), request_id=request_id
        )
    except Refusal as refusal:
        submit.refused(RETRY_ALL, str(refusal))
        return
    state.renew(RETRY_ALL, request_id)
    others = f" {len(refused):,} had moved on meanwhile." if refused else ""
    state.flash(state.Flash(ok=True, text=f"{went:,} on their way again.{others}"))
