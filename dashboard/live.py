"""What changed on an application while its page is open: shown beside it, never into it."""

from datetime import UTC, datetime

import streamlit as st

from dashboard import state
from dashboard.components import badges, figures
from dashboard.components.safe_text import escape
from dashboard.forms.shown import Shown
from dashboard.forms.steps import name
from data_access import applications, database, ownership, timeline
from data_access.refusals import Refusal
from program.workflow import OPEN_STATUSES

EVERY = "5s"


@st.fragment(run_every=EVERY)
def strip(shown: Shown, entries: int) -> None:
    """Who else looks, and what colleagues did since the page was drawn.

    Runs by itself and draws only here, so a form that is being filled is not touched.
    """
    now, person = datetime.now(UTC), shown.person
    try:
        ownership.look(database.writer(), application_id=shown.id_, actor=person.email, now=now)
        with database.reader().connect() as connection:
            application = applications.read(connection, shown.id_, now=now)
            others = ownership.others_looking(
                connection, application_id=shown.id_, actor=person.email, now=now
            )
            found = timeline.read(connection, application)
    except Refusal:
        st.caption("The database does not answer just now; what you typed is kept.")
        return
    if others:
        st.caption(f":material/visibility: {escape(', '.join(others))} looks at this too")
    if application.status is not shown.application.status:
        word = badges.STATUSES[application.status].word
        by = next((e.actor for e in found if e.actor != person.email), None)
        said = "Already" if application.status not in OPEN_STATUSES else "Now"
        st.warning(
            f"{said} {word}{f', by {escape(by)}' if by else ''}. Your text is kept. "
            "Reload to see it.",
            icon=":material/gavel:",
        )
    before, holder = shown.application.desk.assignee(shown.now), application.desk.assignee(now)
    if holder != before and holder != person.email:
        claim = application.desk.claim
        if holder is not None and claim is not None:
            st.warning(
                f"{escape(holder)} took this over at {claim.since.astimezone(UTC):%H:%M} UTC.",
                icon=":material/person_alert:",
            )
        elif before == person.email:
            st.caption("Your claim has lapsed.")
    if len(found) > entries:
        fresh = found[: len(found) - entries]
        if any(entry.actor != person.email for entry in fresh) and st.button(
            f"{len(fresh)} new in the thread since {figures.moment(shown.now)}: show",
            key=f"show-new-{shown.id_}",
            type="tertiary",
            icon=":material/refresh:",
        ):
            state.hold(name(shown.id_))
            st.rerun()
