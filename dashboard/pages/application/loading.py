"""Read what an application's page shows."""

from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st

from dashboard.forms import submit
from dashboard.shell import sign_in
from data_access.applications import contacts
from data_access.db import database
from data_access.db.errors import NotFound
from data_access.people.staff import Person
from data_access.review import claims, opening
from data_access.review.opening import Opened
from program.review.queue_filters import Filters


def load(id_: int, filters: Filters, person: Person) -> Opened:
    """Read an application, and record that this person has it open. Raises NotFound."""
    now = datetime.now(UTC)
    with database.reading(database.reader()) as connection:
        shown = opening.open_one(connection, id_, filters, person, now=now)
    if not _stay(id_, person, now):
        return replace(shown, application=contacts.without(shown.application))
    return shown


def current(drawn: Opened) -> Opened:
    """Return what a part of the page shows: as ``drawn``, or read again if it reruns by itself.

    Reruns the whole page, and so the sign-in, if that would show something else now.
    """
    sign_in.require_same(drawn.person)
    if not sign_in.in_fragment():
        return drawn
    try:
        fresh = load(drawn.id_, drawn.filters, drawn.person)
    except NotFound:
        st.rerun()
    if not fresh.shows_the_same(drawn):
        st.rerun()
    return fresh


def _stay(id_: int, person: Person, now: datetime) -> bool:
    """Renew the person's claim, show colleagues that they are viewing, and record the reading.

    Returns whether it is recorded: without that, the contacts are not shown.
    """
    return submit.recorded(claims.stay, application_id=id_, actor=person.email, now=now)
