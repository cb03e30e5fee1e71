"""A person's import that is running or was cut off, whichever session sent it."""

from uuid import UUID

import streamlit as st

from dashboard.forms import background, dismissal, submit
from dashboard.ui import address, state, states
from dashboard.ui.safe_text import escape
from data_access.db import database
from data_access.loading import imports
from data_access.people import jobs
from data_access.people.jobs import Job, JobKind, State

FORM = "form-import"
DESK = "import"
FOLLOWED = "form-import-sent"
FILE = "file"
POLL_EVERY = "1s"


def draw(*, actor: str) -> bool:
    """Draw the actor's newest import if it runs or was cut off; return whether it runs."""
    followed: UUID | None = state.kept(FOLLOWED)
    if followed is not None and not background.is_running(followed):
        finish(followed)
        st.rerun()
    job = background.newest(JobKind.IMPORT, actor)
    if job is None:
        return False
    if job.state is State.RUNNING:
        # A session that was opened later also leads to the result.
        follow(job.job_id)
        _progress(job.job_id)
        return True
    if _was_cut_off(job) and not dismissal.is_dismissed(DESK, job.job_id, actor=actor):
        _report(job, actor)
    return False


def follow(request_id: UUID) -> None:
    """Remember the import, so that this session shows its result."""
    state.keep(FOLLOWED, request_id)


def finish(request_id: UUID) -> None:
    """Lead to the report of the import, or say why there is none."""
    state.forget(FOLLOWED)
    made = _made(request_id)
    if made is not None:
        state.renew(FORM, request_id)
        address.write({"show": "history", "import": str(made)})
        return
    job = jobs.find(database.reader(), request_id)
    if job is None or not _was_cut_off(job):
        why = job.sentence if job else ""
        submit.refused(FORM, why or "The import failed and nothing was loaded. Send it again.")


def _made(request_id: UUID) -> int | None:
    with database.reading(database.reader()) as connection:
        return imports.by_request(connection, request_id)


def _was_cut_off(job: Job) -> bool:
    """Whether its process is gone and nothing was loaded; an import is one transaction."""
    return job.state is State.LEFT and _made(job.job_id) is None


def _report(job: Job, actor: str) -> None:
    with st.container(border=True, key=f"{DESK}-report", horizontal=True):
        st.markdown(
            f":material/warning: **Import of {escape(job.request[FILE])} ended unfinished: "
            f"{jobs.STOPPED}; nothing was loaded.** Send it again.",
            width="content",
        )
        st.space("stretch")
        dismissal.button(DESK, job.job_id, actor=actor)


@st.fragment(run_every=POLL_EVERY)
def _progress(request_id: UUID) -> None:
    if not background.is_running(request_id):
        st.rerun()
    states.empty("Loading the rows. Another load may go first. You can leave this page.")
