"""The weekly report by mail: when it goes and to whom, what went last, and earlier settings."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import streamlit as st

from dashboard.forms import sending, submit
from dashboard.shell import sign_in
from dashboard.ui import figures, lookups, state
from data_access.db import database
from data_access.people.staff import Person
from data_access.reports import weekly_mails, weekly_settings
from data_access.reports.weekly_mails import Due, LastSent, State
from data_access.reports.weekly_settings import SavedSettings, SaveWeeklyMail
from program import wording
from program.reports import weekly
from program.reports.weekly import WEEKDAYS, Schedule
from program.review.permissions import Act

FORM = "weekly-mail"
AT_FIRST = Schedule(weekday=1, hour=8, zone="UTC")


def draw(person: Person) -> None:
    """Draw the button that opens the settings, for those who may set the report up."""
    if not person.may(Act.MAIL_REPORT):
        return
    st.button(
        "Weekly mail",
        key="weekly-mail-open",
        icon=":material/mail:",
        type="tertiary",
        help="Get the figures of each week by mail.",
        on_click=state.keep,
        args=["weekly-mail-asked", True],
    )
    if state.take("weekly-mail-asked"):
        _dialog(person)


@st.dialog("Weekly report by mail", width="medium", icon=":material/mail:")
def _dialog(person: Person) -> None:
    sign_in.stay(person.email)
    now = datetime.now(UTC)
    with database.reading(database.reader()) as connection:
        versions = weekly_settings.versions(connection)
        current = versions[0] if versions else None
        staff = weekly_settings.to_choose(connection)
        found = weekly_mails.state(connection, current, now)
    submit.draw(FORM)
    for sentence in sentences(found, current):
        st.text(sentence)
    _fields(current, staff, person)
    if versions:
        st.caption("Changes, newest first")
    for saved in versions:
        st.text(
            f"{figures.moment(saved.saved_at)} · {lookups.named(saved.author)}: {_words(saved)}"
        )


def sentences(found: State, current: SavedSettings | None) -> list[str]:
    """Say what went last, what is late, and what goes next."""
    said = [_last_words(found.last)] if found.last else []
    if found.due:
        said.append(_late_words(found.due))
    if found.next_at and found.next_week:
        said.append(f"Next: {figures.moment(found.next_at)}, for {wording.span(found.next_week)}.")
    elif current is None:
        said.append("Nobody gets it yet. Turn it on below.")
    else:
        said.append("It is off.")
    return said


def _last_words(last: LastSent) -> str:
    words = [f"Last: {wording.span(last.week)}"]
    if last.sent:
        words.append(f"sent to {last.sent} of {last.mails}, {figures.moment(last.ended_at)}")
    if last.waiting:
        words.append(f"{last.waiting} still waiting")
    failed = last.mails - last.sent - last.waiting
    if failed:
        words.append(f"{failed} not sent")
    error = f" {last.last_error}" if last.last_error and last.sent < last.mails else ""
    return f"{', '.join(words)}.{error}"


def _late_words(due: Due) -> str:
    return (
        f"The report on {wording.span(due.week)} was due on {figures.moment(due.at)} and goes as "
        "soon as the worker runs (notify) with a mail server."
    )


def _fields(current: SavedSettings | None, staff: Sequence[Person], person: Person) -> None:
    schedule = current.schedule if current else AT_FIRST
    chosen = set(current.recipients) if current else {person.email}
    st.toggle(
        "Send the figures of each week, Monday to Sunday, UTC",
        value=current.is_on if current else False,
        key=state.form_key(FORM, "on"),
    )
    day, hour, zone = st.columns([1, 0.7, 1.4])
    day.selectbox(
        "Day",
        range(1, 8),
        index=schedule.weekday - 1,
        format_func=lambda number: WEEKDAYS[number - 1],
        key=state.form_key(FORM, "weekday"),
    )
    hour.selectbox(
        "Hour",
        range(24),
        index=schedule.hour,
        format_func=lambda number: f"{number:02}:00",
        key=state.form_key(FORM, "hour"),
    )
    zone.selectbox(
        "Time zone",
        weekly.zones(),
        index=weekly.zones().index(schedule.zone) if schedule.zone in weekly.zones() else 0,
        key=state.form_key(FORM, "zone"),
    )
    emails = [one.email for one in staff]
    st.multiselect(
        "Recipients: managers and administrators",
        emails,
        default=[email for email in emails if email in chosen],
        format_func=lookups.named,
        max_selections=weekly.MOST_RECIPIENTS,
        key=state.form_key(FORM, "recipients"),
    )
    sending.button(
        "Save",
        form=FORM,
        key=state.form_key(FORM, "save"),
        act=_save,
        args=[state.request_id(FORM), current.version if current else 0, person.email],
        sends=current,
        type="primary",
        icon=":material/save:",
    )


def _words(saved: SavedSettings) -> str:
    if not saved.is_on:
        return "off"
    names = wording.listed([lookups.named(one) for one in saved.recipients])
    return f"{saved.schedule.words}, to {names}"


def _save(request_id: UUID, version: int, actor: str) -> None:
    command = SaveWeeklyMail(
        is_on=bool(state.entered(FORM, "on", request_id)),
        schedule=Schedule(
            weekday=state.entered(FORM, "weekday", request_id),
            hour=state.entered(FORM, "hour", request_id),
            zone=state.entered(FORM, "zone", request_id),
        ),
        recipients=state.entered(FORM, "recipients", request_id) or [],
        shown_version=version,
        actor=actor,
        at=datetime.now(UTC),
        request_id=request_id,
    )
    saved = submit.submit(FORM, command, weekly_settings.save)
    if saved is not None:
        submit.accepted(FORM, "Saved." if saved != version else "Nothing was changed.")
