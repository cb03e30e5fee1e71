"""A message that was not sent: its content, the reason, and retry, correct or cancel."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import streamlit as st

from dashboard.forms import sending, submit
from dashboard.ui import figures, message_preview, state
from dashboard.ui.safe_text import escape
from data_access.db.errors import NotFound, NotInState
from data_access.messages import resend
from data_access.messages.backlog import Message
from data_access.people.commands import CommandT, Verb
from data_access.people.staff import Person
from program.messages.delivery import KIND_WORDS, REASON_WORDS, MessageKind, Reason, Stopped

RETRY_ALL = "retry-all"


def draw(message: Message, person: Person) -> None:
    """Draw one message in an expander labeled with recipient and reason."""
    form = name(message)
    with st.expander(label(message)):
        # Inside: above, it would move the open expander, which would close.
        submit.draw(form)
        reason = REASON_WORDS.get(message.reason) if message.reason else None
        if reason is not None:
            st.caption(f"{reason.label}. {reason.way_on}")
        if message.last_error:
            st.text(message.last_error)
        if not message.text:
            st.caption("No text was saved with this message, so it cannot be sent.")
        elif message.obstacle and message.obstacle != message.last_error:
            st.caption(escape(message.obstacle))
        message_preview.draw(
            channel=message.channel,
            recipient=message.addressee,
            text=message.text,
            of=message.message_id,
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
    """Format recipient, kind, channel and reason."""
    what = KIND_WORDS[MessageKind.of(message.kind)]
    why = REASON_WORDS[message.reason].label.lower() if message.reason else "withheld"
    return (
        f"{escape(message.username)} · {what} · {escape(message.to)} · {why} · "
        f"{figures.moment(message.stopped_at)}"
    )


def name(message: Message) -> str:
    """Return the form's name."""
    return f"message-{message.message_id.hex[:12]}"


def retry_all(messages: Sequence[Message], reason: Reason | None, person: Person) -> None:
    """Draw one button that retries all listed messages; it leads where that is the way on."""
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
        type="primary" if reason and REASON_WORDS[reason].retries else "secondary",
    )


def _retry(form: str, message: Message, person: Person) -> None:
    withheld = message.stopped_as is Stopped.WITHHELD
    sending.button(
        "Send after all" if withheld else "Retry",
        form=form,
        key=state.form_key(form, "retry"),
        act=_send_again,
        args=[form, state.request_id(form), message, person.email],
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
            act=_send_corrected,
            args=[form, state.request_id(form), message, person.email],
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
            act=_give_up,
            args=[form, state.request_id(form), message, person.email],
            icon=":material/cancel:",
            width="stretch",
        )


def _send_again(form: str, request_id: UUID, message: Message, actor: str) -> None:
    command = resend.Retry(**_common_fields(message, actor, request_id))
    _submit(form, command, resend.retry, "Queued for delivery again.")


def _send_corrected(form: str, request_id: UUID, message: Message, actor: str) -> None:
    command = resend.Redirect(
        platform=state.entered(form, "platform", request_id) or "",
        recipient=state.entered(form, "recipient", request_id) or "",
        **_common_fields(message, actor, request_id),
    )
    _submit(form, command, resend.redirect, "Queued for delivery to the corrected recipient.")


def _give_up(form: str, request_id: UUID, message: Message, actor: str) -> None:
    reason = state.entered(form, "reason", request_id) or ""
    command = resend.CancelMessage(reason=reason, **_common_fields(message, actor, request_id))
    _submit(form, command, resend.cancel, "Canceled. The timeline keeps it.")


def _common_fields(message: Message, actor: str, request_id: UUID) -> dict[str, Any]:
    """Return the fields shared by all commands on a message."""
    return {
        "application_id": message.application_id,
        "message_id": message.message_id,
        "actor": actor,
        "at": datetime.now(UTC),
        "request_id": request_id,
    }


def _submit(form: str, command: CommandT, verb: Verb[CommandT, int], confirmation: str) -> None:
    try:
        submit.submit(form, command, verb, confirmation=confirmation, raises=(NotFound, NotInState))
    except (NotFound, NotInState) as refusal:
        # It is no longer in this list, so there is no place beside it.
        submit.refused("", str(refusal))


def _retry_all(messages: Sequence[Message], actor: str, request_id: UUID) -> None:
    command = resend.RetryAll(
        messages=messages, actor=actor, at=datetime.now(UTC), request_id=request_id
    )
    result = submit.submit(RETRY_ALL, command, resend.retry_all)
    if result is not None:
        went, refused = result
        others = f" {len(refused):,} had changed in the meantime." if refused else ""
        submit.accepted("", f"{went:,} queued for delivery again.{others}")
