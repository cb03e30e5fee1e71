"""One table of shortcuts: the code listens to what the help panel shows."""

import ast
from collections import Counter
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.ui import shortcuts
from dashboard.ui.shortcuts import PAGES, SHORTCUTS, shortcuts_of

ROOT = Path(__file__).resolve().parent.parent.parent.parent
FILES = [*(ROOT / "dashboard").rglob("*.py"), ROOT / "streamlit_app.py"]
KEYS = {shortcut.key for shortcut in SHORTCUTS}


def listened_to(tree: ast.AST) -> list[ast.expr]:
    """Return the arguments of ``shortcut=`` and of ``keyboard.hot``."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            found += [given.value for given in node.keywords if given.arg == "shortcut"]
            if ast.unparse(node.func) == "keyboard.hot":
                found += node.args[:1]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_key_that_is_spelled_in_the_code_is_in_the_table(path: Path) -> None:
    spelled = [
        node.value
        for node in listened_to(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant)
    ]

    assert [key for key in spelled if key not in KEYS] == []


def test_the_walk_sees_both_ways_to_listen() -> None:
    tree = ast.parse("st.button('a', shortcut='z')\nwith keyboard.hot('y', width=1): pass")

    assert [ast.literal_eval(node) for node in listened_to(tree)] == ["z", "y"]


@pytest.mark.parametrize("page", PAGES)
def test_no_key_means_two_things_on_a_page(page: str) -> None:
    keys = [one.key for one in (*shortcuts_of(page), *shortcuts_of(shortcuts.EVERYWHERE))]
    if page == shortcuts.EVERYWHERE:
        keys = keys[: len(shortcuts_of(page))]

    assert max(Counter(keys).values()) == 1


def test_every_key_belongs_to_a_page() -> None:
    assert {shortcut.page for shortcut in SHORTCUTS} == set(PAGES)


def test_the_tables_show_every_key_those_of_the_page_first() -> None:
    def script() -> None:
        from dashboard.ui import shortcuts

        shortcuts.tables(shortcuts.APPLICATION)

    app = AppTest.from_function(script).run()

    assert [text.value for text in app.text] == [
        shortcut.what
        for page in ("Application", "Queue", "Everywhere")
        for shortcut in shortcuts_of(page)
    ]
