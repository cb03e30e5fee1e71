"""The button that ends all sessions of a person: in every browser, for every copied cookie."""

from datetime import UTC, datetime

import streamlit as st

from dashboard.forms import submit
from dashboard.ui import state
from data_access.people import sessions
from data_access.people.sessions import SignOutEverywhere

FORM = "sign-out-everywhere"


def draw(email: str) -> None:
    """Draw the button."""
    st.button(
        "Sign out everywhere",
        key=FORM,
        icon=":material/devices_off:",
        help="In all browsers in which you are signed in, this one too.",
        on_click=_press,
        args=[email],
        type="tertiary",
    )


def _press(email: str) -> None:
    command = SignOutEverywhere(
        actor=email, at=datetime.now(UTC), request_id=state.request_id(FORM)
    )
    submit.submit(FORM, command, sessions.sign_out_everywhere)
