"""The tour for new reviewers: an offer on the queue until they take it or put it off."""

from datetime import UTC, datetime

import streamlit as st

from dashboard.forms import submit
from dashboard.shell import sign_in
from dashboard.ui import state
from data_access.people import preferences
from data_access.people.preferences import PutPreference
from data_access.people.staff import Person
from program.review.tour import STEPS

# The preference that says that its person has answered the offer.
NAME = "tour"
STEP, TAKEN = "tour-step", "tour-taken"


@st.fragment
def draw(person: Person, first_draws: state.FirstDraws, *, is_new: bool) -> None:
    """Draw the offer for a person who is new, and the tour once it is asked for.

    A fragment, so that neither runs anything of the list.
    """
    if not first_draws.has(NAME):
        sign_in.stay(person.email)
    if state.take(TAKEN):
        _steps()
    if not is_new or state.kept(_seen_by(person.email)):
        return
    with st.container(key="tour", horizontal=True, vertical_alignment="center"):
        st.text("New here?", width="content")
        st.button(
            "Take the tour", key="tour-take", type="tertiary", on_click=_take, args=[person.email]
        )
        st.button("Not now", key="tour-later", type="tertiary", on_click=_seen, args=[person.email])


def _seen_by(email: str) -> str:
    return f"{NAME}-{email}"


def _take(actor: str) -> None:
    state.keep(STEP, 0)
    state.keep(TAKEN, value=True)
    _seen(actor)


def _seen(actor: str) -> None:
    """Record that the person has answered the offer, for every browser."""
    command = PutPreference(
        name=NAME,
        value=True,
        actor=actor,
        at=datetime.now(UTC),
        request_id=state.request_id(NAME),
    )
    if submit.submit("", command, preferences.put, renews=NAME) is not None:
        state.keep(_seen_by(actor), value=True)


@st.dialog("The desk in five steps", icon=":material/explore:")
def _steps() -> None:
    number: int = state.kept(STEP) or 0
    step, last = STEPS[number], len(STEPS) - 1
    st.markdown(f"**{number + 1} of {len(STEPS)} · {step.title}**")
    st.text(step.words)
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.button(
            "Back",
            key="tour-back",
            type="tertiary",
            disabled=number == 0,
            on_click=state.keep,
            args=[STEP, number - 1],
        )
        if number < last:
            st.button(
                "Continue",
                key="tour-continue",
                type="primary",
                on_click=state.keep,
                args=[STEP, number + 1],
            )
        elif st.button("Done", key="tour-done", type="primary"):
            st.rerun()
