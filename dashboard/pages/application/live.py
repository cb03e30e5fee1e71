"""Changes to an application while its page is open, shown beside it, never in it."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import streamlit as st

from dashboard.forms import submit
from dashboard.pages.application.decide.steps import name
from dashboard.shell import sign_in
from dashboard.ui import figures, state
from dashboard.ui.safe_text import escape
from data_access.db import database
from data_access.db.errors import DatabaseUnavailable, NotAllowed
from data_access.eligibility import freshness
from data_access.eligibility.freshness import Freshness
from data_access.review import claims, presence
from data_access.review.opening import Opened
from data_access.review.presence import Glance, Moved
from program.review.workflow import OPEN_STATUSES, STATUS_WORDS

EVERY = "5s"
SILENT = "The database is not responding. Your text is kept."
SIGNED_OUT = "You are no longer signed in. Copy what you typed, then sign in again."


def draw(shown: Opened) -> None:
    """Draw who else is viewing, and from then on what colleagues do."""
    strip(shown, iter([shown.glance]))


@st.fragment(run_every=EVERY)
def strip(shown: Opened, read_already: Iterator[Glance]) -> None:
    """Draw who else is viewing, and what colleagues did since the page was drawn.

    A fragment that reruns by itself: viewers go into a reserved line and news float, so that a form
    being filled is neither changed nor moved. Its first run has nothing to look up.
    """
    glance = next(read_already, None)
    if glance is not None:
        _draw([], _viewers(shown, glance))
        return
    now = datetime.now(UTC)
    try:
        if not sign_in.is_here(shown.person.email):
            _draw([SIGNED_OUT])
            return
        glance, moved, newest = _poll(shown, now)
    except DatabaseUnavailable:
        _draw([SILENT])
        return
    except NotAllowed:
        _draw([SIGNED_OUT])
        return
    news = [
        status_words(shown, glance, moved),
        claim_words(shown, glance, now),
        refresh_words(shown, newest),
    ]
    fresh = glance.others_wrote - shown.others_wrote
    _draw([words for words in news if words], _viewers(shown, glance), fresh=fresh, id_=shown.id_)


def _poll(shown: Opened, now: datetime) -> tuple[Glance, Moved | None, Freshness | None]:
    """Record the visit, and read the application's current state and the newest refresh."""
    viewer = shown.person.email
    submit.write(claims.record_view, application_id=shown.id_, actor=viewer, now=now)
    with database.reading(database.reader()) as connection:
        glance = presence.glance(connection, shown.id_, viewer=viewer, now=now)
        newest = freshness.newest(connection)
        if glance.application.status is shown.application.status:
            return glance, None, newest
        return glance, presence.last_move(connection, shown.id_), newest


def status_words(shown: Opened, glance: Glance, moved: Moved | None) -> str | None:
    """Describe a changed status, by whom and when; ``None`` if it is the same."""
    status = glance.application.status
    if status is shown.application.status:
        return None
    first = "Now" if status in OPEN_STATUSES else "Already"
    at = moved.at if moved else glance.application.status_changed_at
    who = f" by {shown.named(moved.by)}" if moved else ""
    when = f" at {at.astimezone(UTC):%H:%M} UTC" if at else ""
    return f"{first} {STATUS_WORDS[status]}{who}{when}. Your text is kept."


def refresh_words(shown: Opened, newest: Freshness | None) -> str | None:
    """Say that the figures on the page were computed again; ``None`` if they were not."""
    drawn = shown.context.freshness
    if newest is None or (drawn and drawn.refresh_id == newest.refresh_id):
        return None
    return (
        f"Metrics were refreshed at {newest.refreshed_at.astimezone(UTC):%H:%M} UTC, with data "
        f"through {figures.day(newest.data_through)}. Your text is kept."
    )


def claim_words(shown: Opened, glance: Glance, now: datetime) -> str | None:
    """Describe a new owner, or that the viewer's own claim expired."""
    claim = glance.application.desk.claim
    before = shown.application.desk.assignee(shown.now)
    holder = glance.application.desk.assignee(now)
    if holder == before:
        return None
    if holder is not None and claim is not None and holder != shown.person.email:
        verb = "works on this since" if before is None else "took this over at"
        return f"{shown.named(holder)} {verb} {claim.since.astimezone(UTC):%H:%M} UTC."
    if before == shown.person.email and glance.application.status in OPEN_STATUSES:
        return "Your claim has expired. The application is unassigned."
    return None


def _viewers(shown: Opened, glance: Glance) -> list[str]:
    return [shown.named(email) for email in glance.viewers]


def _draw(
    news: Sequence[str], viewers: Sequence[str] = (), *, fresh: int = 0, id_: int | None = None
) -> None:
    if viewers:
        verb = "looks" if len(viewers) == 1 else "look"
        st.caption(
            f":material/visibility: {escape(', '.join(viewers))} {verb} at this too",
            width="content",
        )
    if not (news or fresh > 0):
        return
    with st.container(key="live", gap="xsmall"):
        for words in news:
            st.markdown(f":orange[:material/notifications_active:] **{escape(words)}**")
        if id_ is not None:
            entries = f"Show {fresh} new {'entry' if fresh == 1 else 'entries'}"
            st.button(
                entries if fresh > 0 else "Show how it stands now",
                key=f"show-new-{id_}",
                type="tertiary",
                icon=":material/refresh:",
                on_click=_show,
                args=[id_],
            )


def _show(id_: int) -> None:
    # Typed text of a decision form outlives the form.
    state.hold(name(id_))
    st.rerun()
