"""The outbox: waiting and undeliverable messages, templates, and delivery settings."""

from datetime import UTC, datetime

import streamlit as st

from dashboard.forms import recording
from dashboard.pages.outbox import settings as outbox_settings
from dashboard.pages.outbox import stopped_message, table
from dashboard.pages.outbox import templates as outbox_templates
from dashboard.shell import sign_in
from dashboard.ui import address, figures, grid, state, states
from dashboard.ui import backlog as backlog_parts
from data_access.db import database
from data_access.messages import backlog
from data_access.messages import settings as message_settings
from data_access.messages import templates as message_templates
from data_access.messages.backlog import Backlog, FailureCount, Message
from data_access.people.staff import Person
from program.messages import letters
from program.messages.delivery import (
    REASON_WORDS,
    STOPPED_WORDS,
    DeliverySettings,
    Reason,
    Stopped,
)
from program.review.permissions import Act

PARTS = {
    "parked": "Undeliverable",
    "waiting": "Waiting",
    "withheld": "Withheld",
    "sent": "Sent",
    "templates": "Templates",
    "settings": "Settings",
}
SHOWN_AT_ONCE = 25
WHY_STOPPED = {
    Stopped.PARKED: "Messages that could not be delivered appear here.",
    Stopped.WITHHELD: "Messages that the settings hold back appear here.",
}


def main() -> None:
    """Draw figures and failures, and below them the part in the address."""
    person = sign_in.require(Act.KEEP_OUTBOX)
    now = datetime.now(UTC)
    address.read(("show", "reason"))
    with database.reading(database.reader()) as connection:
        found, failures = backlog.read(connection), backlog.failures(connection)
        settings = message_settings.in_force(connection)
    draw_head(found, settings, now)
    part = chosen_part(found)
    if part in ("parked", "waiting"):
        draw_failures(failures)
    draw_part(part, failures, person, now)


def draw_head(found: Backlog, settings: DeliverySettings, now: datetime) -> None:
    """Draw four figures, and a warning if messages are held back."""
    st.subheader("Outbox", anchor=False)
    st.caption(f"Messages to applicants, as of {figures.moment(now)}.")
    if found.is_late(now):
        st.warning(
            "The oldest message has waited for over an hour. Is a worker running? "
            "`python -m data_access notify`",
            icon=":material/schedule_send:",
        )
    if settings.silent:
        st.info("Silent mode is on: no messages are sent.", icon=":material/volume_off:")
    elif not settings.send_rejections:
        st.info("Rejection messages are off.", icon=":material/volume_off:")
    backlog_parts.figures_row(found, now)


def draw_failures(failures: list[FailureCount]) -> None:
    """Draw failures by reason, with what to do about each."""
    with st.container(gap="xxsmall"):
        for one in failures:
            words = REASON_WORDS[one.reason]
            counted = ((one.parked, STOPPED_WORDS[Stopped.PARKED]), (one.waiting, "to be retried"))
            parts = ", ".join(f"{count:,} {what}" for count, what in counted if count)
            st.markdown(f":material/error: **{words.label}** · {parts} · {words.way_on}")


def chosen_part(found: Backlog) -> str:
    """Return the part in the address; by default undeliverable messages."""
    show = st.query_params.get("show")
    usual = next(iter(PARTS))
    counts = {"parked": f" {found.parked:,}", "waiting": f" {found.waiting:,}"}
    st.segmented_control(
        "Show",
        PARTS,
        default=show if show in PARTS else usual,
        format_func=lambda part: PARTS[part] + counts.get(part, ""),
        key=f"outbox-show-{show}",
        label_visibility="collapsed",
        on_change=_show_part,
        args=[f"outbox-show-{show}"],
    )
    return show if show in PARTS else usual


def draw_part(part: str, failures: list[FailureCount], person: Person, now: datetime) -> None:
    """Draw the list, the templates or the settings."""
    if part == "parked":
        draw_stopped(Stopped.PARKED, failures, person, now)
    elif part == "withheld":
        draw_stopped(Stopped.WITHHELD, failures, person, now)
    elif part == "waiting":
        with database.reading(database.reader()) as connection:
            listed = backlog.waiting(connection)
        draw_waiting(shown_to(person, listed, now), now)
    elif part == "sent":
        with database.reading(database.reader()) as connection:
            listed = backlog.delivered(connection)
        draw_sent(shown_to(person, listed, now))
    elif part == "templates":
        draw_templates(person)
    else:
        with database.reading(database.reader()) as connection:
            versions = message_settings.versions(connection)
            templates = message_templates.in_force(connection)
            proposal = message_settings.waiting(connection)
        outbox_settings.draw_waiting(proposal, versions[0].settings, person)
        outbox_settings.draw_missing(versions[0].settings, templates)
        outbox_settings.draw(versions, person)


def draw_templates(person: Person) -> None:
    """Draw the chosen template with its versions."""
    with database.reading(database.reader()) as connection:
        templates = message_templates.in_force(connection)
    kind, language = outbox_templates.choose(templates)
    with database.reading(database.reader()) as connection:
        versions = message_templates.history(connection, kind, language)
    spoken = letters.choose(templates, kind, language)
    outbox_templates.draw(kind, language, versions, spoken, person)


def draw_stopped(
    stopped_as: Stopped, failures: list[FailureCount], person: Person, now: datetime
) -> None:
    """Draw messages stopped in this way, with what can be done about them."""
    wanted = st.query_params.get("reason")
    reason = Reason(wanted) if wanted in set(Reason) else None
    if stopped_as is Stopped.PARKED:
        draw_reasons(failures, reason)
    with database.reading(database.reader()) as connection:
        listed = backlog.stopped(connection, stopped_as, reason=reason)
    if not listed:
        states.empty(f"No messages are {STOPPED_WORDS[stopped_as]}. {WHY_STOPPED[stopped_as]}")
        return
    st.caption(
        f"{min(len(listed), SHOWN_AT_ONCE):,} of {len(listed):,}"
        f"{' or more' if len(listed) == backlog.LISTED else ''} "
        f"{STOPPED_WORDS[stopped_as]}, the latest first."
    )
    if stopped_as is Stopped.PARKED:
        stopped_message.retry_all(listed, reason, person)
    for message in shown_to(person, listed[:SHOWN_AT_ONCE], now):
        stopped_message.draw(message, person)


def shown_to(person: Person, listed: list[Message], now: datetime) -> list[Message]:
    """Return messages as this person may see them: recipients only if the reading is recorded."""
    if not listed or recording.shows_contacts(person, "outbox", now):
        return listed
    return [message.hidden() for message in listed]


def draw_reasons(failures: list[FailureCount], reason: Reason | None) -> None:
    """Draw the filter by reason, which is kept in the address."""
    parked = {one.reason: one.parked for one in failures if one.parked}
    if len(parked) < 2 and reason is None:
        return
    key = f"outbox-reason-{reason}"
    st.pills(
        "Only",
        list(parked),
        default=reason if reason in parked else None,
        format_func=lambda one: f"{REASON_WORDS[one].label} {parked[one]:,}",
        key=key,
        label_visibility="collapsed",
        on_change=_only,
        args=[key],
    )


def draw_waiting(listed: list[Message], now: datetime) -> None:
    """Draw waiting messages, oldest first."""
    if not listed:
        states.empty("No messages are waiting. Decisions and questions add messages here.")
        return
    st.caption(f"{len(listed):,} shown, the oldest first.")
    words = [_waiting_words(one, now) for one in listed]
    table.draw(listed, grid.text("State", words, width=300), key="State")


def draw_sent(listed: list[Message]) -> None:
    """Draw the last delivered messages."""
    if not listed:
        states.empty("Nothing was sent yet.")
        return
    st.caption(f"The last {len(listed):,} sent, the latest first.")
    sent = grid.moment("Sent at", [one.delivered_at for one in listed], width=160)
    table.draw(listed, sent, key="Sent at")


def _waiting_words(message: Message, now: datetime) -> str:
    if not message.attempts:
        return "not tried yet"
    tries = f"{message.attempts} tr{'y' if message.attempts == 1 else 'ies'}"
    span = message.next_attempt_at - now
    again = "again now" if span.total_seconds() < 60 else f"again in {figures.waiting(span)}"
    return f"{tries} failed, {again}: {message.last_error}"


def _show_part(key: str) -> None:
    chosen = state.typed(key)
    st.query_params.clear()
    if chosen:
        st.query_params["show"] = chosen


def _only(key: str) -> None:
    chosen = state.typed(key)
    if chosen is None:
        st.query_params.pop("reason", None)
    else:
        st.query_params["reason"] = str(chosen)


main()
