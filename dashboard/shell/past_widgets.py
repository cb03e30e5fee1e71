"""Widgets that a page no longer shows."""

from streamlit.runtime import state
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state import SessionState


class Forgetful(SessionState):
    """Forgets a widget that is no longer shown.

    Streamlit keeps what each widget of a session does when it changes, and with it the data it was
    drawn from: every application that somebody opened in a day.
    """

    def on_script_finished(
        self, widget_ids_this_run: frozenset[str], *, remove_stale_widgets: bool = True
    ) -> None:
        """End a run; one that drew the whole page leaves the widgets it drew."""
        super().on_script_finished(widget_ids_this_run, remove_stale_widgets=remove_stale_widgets)
        run = get_script_run_ctx()
        if remove_stale_widgets and run is not None and not run.fragment_ids_this_run:
            known = self._new_widget_state.widget_metadata
            for id_ in known.keys() - widget_ids_this_run:
                del known[id_]


def forget() -> None:
    """Forget them in every page opened from now on."""
    state.SessionState = Forgetful
