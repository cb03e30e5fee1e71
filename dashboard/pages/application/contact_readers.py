"""Whether the contacts are hidden, and who has read them."""

from functools import partial

import streamlit as st

from dashboard.ui import grid, popovers
from data_access.applications import contacts
from data_access.db import database
from data_access.review.opening import Opened
from program.review.permissions import Act

HIDDEN = "Email and contact are hidden from your role, {role}."
LOW = 160


def draw(shown: Opened) -> None:
    """Say that contacts are hidden from this role, or list who read them, for managers."""
    person = shown.person
    if not person.may(Act.SEE_CONTACT):
        st.caption(HIDDEN.format(role=person.role))
    if person.may(Act.SEE_EXPORTS):
        popovers.draw(
            "Who read the contacts",
            partial(_readers, shown),
            key=f"contact-readers-{shown.id_}",
            height=LOW,
            type="tertiary",
            icon=":material/visibility:",
        )


def _readers(shown: Opened) -> None:
    with database.reading(database.reader()) as connection:
        found = contacts.readings(connection, shown.id_, viewer=shown.person.email)
    st.caption(
        f"{len(found):,} {'day' if len(found) == 1 else 'days'} of reading, each person's days "
        "once. Times in UTC."
    )
    grid.draw(
        {
            "who": grid.text("Who", [shown.named(reading.by) for reading in found]),
            "when": grid.moment("First that day", [reading.first_at for reading in found]),
        },
        key="contact-readers",
        alt="Who read the contacts",
        row_height=grid.LOW_ROW_HEIGHT,
    )
