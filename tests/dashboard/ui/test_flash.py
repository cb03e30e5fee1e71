"""The page's message after an act."""

from streamlit.testing.v1 import AppTest

from dashboard.ui.state import Flash


def page() -> None:
    """A page that is cut short once, as by a click before it was drawn."""
    import streamlit as st

    from dashboard.forms import submit
    from dashboard.ui import state

    submit.draw_flash()
    if st.session_state.pop("cut", False):
        st.rerun()
    if st.session_state.pop("acts", False):
        state.flash(state.Flash(ok=True, text="Sent"))
    state.end_flash()


def opened(**session: object) -> AppTest:
    app = AppTest.from_function(page)
    for name, value in session.items():
        app.session_state[name] = value
    return app.run()


def toasts(app: AppTest) -> list[str]:
    assert not app.exception
    return [toast.value for toast in app.toast]


def test_a_message_is_drawn_once() -> None:
    app = opened(flash=Flash(ok=True, text="Saved"))

    assert toasts(app) == ["Saved"]
    assert toasts(app.run()) == []


def test_a_message_outlives_a_run_that_is_cut_short() -> None:
    app = opened(flash=Flash(ok=True, text="Saved"), cut=True)

    assert toasts(app) == ["Saved"]
    assert toasts(app.run()) == []


def test_a_message_left_by_the_same_run_is_drawn_by_the_next() -> None:
    app = opened(flash=Flash(ok=True, text="Saved"), acts=True)

    assert toasts(app) == ["Saved"]
    assert toasts(app.run()) == ["Sent"]


def test_a_message_for_a_form_is_not_the_pages() -> None:
    app = opened(flash=Flash(ok=False, text="Refused", place="note"))

    assert toasts(app) == []
    assert app.session_state["flash"].text == "Refused"
