"""What a session keeps of the widgets it was shown."""

from types import SimpleNamespace

import pytest
from streamlit.runtime import state
from streamlit.runtime.state import SessionState
from streamlit.testing.v1 import AppTest, app_test

from dashboard.shell import past_widgets
from dashboard.shell.past_widgets import Forgetful


def page() -> None:
    """Show one application, with a way to the next."""
    import streamlit as st

    def go_to(id_: int) -> None:
        st.session_state["id"] = id_

    id_ = st.session_state.get("id", 1)
    st.text_input("Note", key=f"note-{id_}")
    st.button("Next", key=f"next-{id_}", on_click=go_to, args=[id_ + 1])


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr(app_test, "SessionState", Forgetful)
    return AppTest.from_function(page).run()


def kept(app: AppTest) -> list[str]:
    """Return the keys of the widgets that the session still knows."""
    known = app.session_state._state._state._new_widget_state.widget_metadata
    return [id_.split("-", 2)[2] for id_ in known]


def test_an_application_that_was_left_leaves_nothing_behind(app: AppTest) -> None:
    for id_ in (1, 2, 3):
        assert kept(app) == [f"note-{id_}", f"next-{id_}"]
        app.button(key=f"next-{id_}").click().run()

    assert app.text_input(key="note-4").value == ""


def test_what_is_shown_keeps_what_was_typed(app: AppTest) -> None:
    app.text_input(key="note-1").input("asked for evidence").run()
    app.run()

    assert app.text_input(key="note-1").value == "asked for evidence"


@pytest.mark.parametrize(
    ("fragments", "ended", "left"),
    [
        (None, True, {"shown"}),
        (["checks"], True, {"shown", "elsewhere"}),
        (None, False, {"shown", "elsewhere"}),
    ],
    ids=["the whole page", "a fragment", "interrupted"],
)
def test_only_a_whole_run_to_its_end_knows_what_is_shown(
    monkeypatch: pytest.MonkeyPatch, fragments: list[str] | None, ended: bool, left: set[str]
) -> None:
    run = SimpleNamespace(fragment_ids_this_run=fragments)
    monkeypatch.setattr(past_widgets, "get_script_run_ctx", lambda: run)
    session = Forgetful()
    known = session._new_widget_state.widget_metadata
    known.update(dict.fromkeys(("shown", "elsewhere")))

    session.on_script_finished(frozenset({"shown"}), remove_stale_widgets=ended)

    assert known.keys() == left


def test_every_page_opened_afterwards_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "SessionState", SessionState)

    past_widgets.forget()

    assert state.SessionState is Forgetful
