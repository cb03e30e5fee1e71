"""What became of an act on many applications: how far it is, and whom it was refused."""

import streamlit as st

from dashboard import running
from dashboard.forms import bulk_report
from dashboard.forms.bulk_acts import ACTS_BY_ACT, BulkAct, number_of
from data_access import bulk, database, preferences
from data_access.staff import Person
from program.permissions import Act

SEEN = "bulk_report_seen"
LOOK_EVERY = "1s"


def draw(person: Person) -> None:
    """The newest run until it is put away: how far it is, or what became of each."""
    engine = database.reader()
    run = bulk.latest(engine, actor=person.email)
    if run is None:
        return
    with engine.connect() as connection:
        seen = preferences.read(connection, email=person.email, name=SEEN)
    if seen == str(run.request_id):
        return
    with st.container(border=True, key="bulk-report", gap="small"):
        if run.finished_at is None and running.is_running(run.request_id):
            _progress(person)
        else:
            _report(run, person)


@st.fragment(run_every=LOOK_EVERY)
def _progress(person: Person) -> None:
    run = bulk.latest(database.reader(), actor=person.email)
    if run is None or run.finished_at is not None or not running.is_running(run.request_id):
        st.rerun()
    done, asked = len(run.results), len(run.asked)
    st.progress(done / asked, text=f"{_words(run).label}: {done:,} of {asked:,}")


def _report(run: bulk.Run, person: Person) -> None:
    refused = [result for result in run.results if not result.done]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(_sentence(run, len(refused)), width="content")
        st.space("stretch")
        st.button(
            "Dismiss",
            key="bulk-dismiss",
            type="tertiary",
            icon=":material/close:",
            on_click=bulk_report.dismiss,
            args=[SEEN, run.request_id, person.email],
        )
    if refused:
        bulk_report.refusals(refused)


def _sentence(run: bulk.Run, refused: int) -> str:
    words, done = _words(run), len(run.results) - refused
    asked = len(run.asked)
    if run.finished_at is None:
        return (
            f":material/warning: **{words.label} was cut off after {len(run.results):,} of "
            f"{asked:,}.** Choose the others and send it again; nothing is done twice."
        )
    icon = ":material/check:" if not refused else ":material/info:"
    told = f"{icon} **{words.done} {done:,} of {number_of(run.asked)}**"
    return f"{told} · {refused:,} refused" if refused else told


def _words(run: bulk.Run) -> BulkAct:
    return ACTS_BY_ACT[Act[run.act]]
