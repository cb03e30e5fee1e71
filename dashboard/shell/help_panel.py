"""The help panel: what the figures of a screen mean, the keys, and the words. `?` opens it."""

import streamlit as st

from dashboard.shell import help_topics, sign_in
from dashboard.shell.freshness import counted_words
from dashboard.shell.help_topics import KEYS, TOPICS, Topic
from dashboard.shell.screens import Screen
from dashboard.ui import shortcuts
from dashboard.ui.safe_text import escape
from data_access.eligibility.freshness import Freshness
from data_access.people.staff import Person
from program.review import tour
from program.text.glossary import TERMS


@st.fragment
def draw(screen: Screen, person: Person, newest: Freshness | None) -> None:
    """Draw the button of the panel. A fragment, so that opening it runs nothing of the page."""
    if st.button(
        "Help",
        key=shortcuts.HELP.widget,
        icon=":material/help:",
        type="tertiary",
        help="What the figures mean, and the keys: press ?",
    ):
        sign_in.stay(person.email)
        _panel(screen, person, newest)


@st.dialog("Help", icon=":material/help:", width="large")
def _panel(screen: Screen, person: Person, newest: Freshness | None) -> None:
    here, keys, words, desk = st.tabs([screen.title, "Keys", "Words", "Tour"])
    with here:
        st.caption(counted_words(newest))
        for number, topic in enumerate(TOPICS[screen]):
            with st.expander(topic.title, expanded=number == 0):
                _topic(topic, person)
    with keys:
        shortcuts.tables(KEYS.get(screen, shortcuts.EVERYWHERE))
    with words:
        _rows(TERMS.items())
    with desk:
        _rows((step.title, step.words) for step in tour.STEPS)


def _topic(topic: Topic, person: Person) -> None:
    if topic.source:
        st.caption(topic.source)
    _rows(topic.rows)
    if topic.set_at is not None and person.may(topic.set_at.act):
        st.page_link(
            topic.set_at.file,
            label=f"Set on the {topic.set_at.title} page",
            icon=":material/arrow_forward:",
        )


def _rows(rows: help_topics.Rows) -> None:
    """Draw names and meanings as one list: one element, however long it is.

    Escaped, the documents' marks of code would be read as letters, so they are left out.
    """
    st.markdown(
        "\n".join(
            f"- **{escape(name)}** · {escape(means.replace('`', ''))}" for name, means in rows
        )
    )
