"""The help panel explains every screen from the records that documents share."""

from streamlit.testing.v1 import AppTest

from dashboard.pages.queue import table
from dashboard.shell import screens
from dashboard.shell.help_topics import TOPICS
from dashboard.shell.screens import SCREENS, Screen
from dashboard.ui import shortcuts
from dashboard.ui.safe_text import escape
from program.policy.criteria import CRITERIA
from program.reports.kpis import KPIS
from program.review import priority, queue_explained
from program.risk.signals import SIGNALS
from program.text.glossary import TERMS
from tests.dashboard.pages.screen import Desk, protos, texts


def names(screen: Screen) -> set[str]:
    return {name for topic in TOPICS[screen] for name, _ in topic.rows}


def opened(desk: Desk, screen: Screen, **query: str) -> AppTest:
    return desk.open(screen, **query).button(key=shortcuts.HELP.widget).click().run()


def test_every_screen_has_help_in_whole_sentences() -> None:
    assert set(TOPICS) == set(SCREENS)
    assert [
        (screen.title, name)
        for screen in SCREENS
        for topic in TOPICS[screen]
        for name, means in topic.rows
        if not means.endswith((".", "?"))
    ] == []


def test_no_figure_is_left_out() -> None:
    assert {one.label for one in CRITERIA} <= names(screens.APPLICATION)
    assert {one.name for one in SIGNALS} <= names(screens.APPLICATION)
    assert {one.name for one in KPIS} <= names(screens.PROGRAM)
    assert set(queue_explained.COLUMNS) <= {column.label for column in table.COLUMNS}
    assert sum(one.cap for one, _ in queue_explained.points()) >= priority.HIGHEST


def test_help_says_which_days_count_and_where_the_minimums_are_set(queue: Desk) -> None:
    app = opened(queue, screens.QUEUE)

    said = texts(app)
    assert [words for words in said if words.startswith("Volume, active and new users count the")]
    assert [words for words in said if escape(TERMS["window"]) in words]
    assert [link for link in protos(app, "page_link") if link.label == "Set on the Policy page"]


def test_help_shows_no_marks_of_code(queue: Desk) -> None:
    said = texts(opened(queue, screens.OUTBOX))

    assert "`" in TERMS["undeliverable"]
    assert [words for words in said if "parked in the data" in words.replace("\\", "")]
    assert not [words for words in said if "\\`" in words]
