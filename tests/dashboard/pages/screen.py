"""Open a screen without a browser, read it, and press its buttons."""

import html
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from dashboard.shell.screens import Screen
from program.review.permissions import Role

ROOT = Path(__file__).resolve().parent.parent.parent.parent
PEOPLE = {
    Role.REVIEWER: "ana@example.com",
    Role.MANAGER: "mira@example.com",
    Role.ANALYST: "noor@example.com",
    Role.ADMIN: "ada@example.com",
}
SAID = ("subheader", "text", "markdown", "caption", "warning", "error", "success", "code")


@dataclass
class Desk:
    """A database that every page uses, and the signed-in person."""

    engine: Engine
    now: datetime
    who: str = PEOPLE[Role.REVIEWER]

    @property
    def yesterday(self) -> date:
        """Return the data-through day of current metrics."""
        return self.now.date() - timedelta(days=1)

    def open(self, screen: Screen, **query: str) -> AppTest:
        """Open the screen at the address with ``query``, inside the shell."""
        app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
        app._page_hash = calc_hash(screen.path)
        app.query_params = dict(query)
        app.context = {"url": f"http://localhost:8501/{screen.path}"}
        app.run()
        # From here on a run stays on the page of the previous run.
        app._page_hash = ""
        return app


def texts(app: AppTest, kinds: Sequence[str] = SAID) -> list[str]:
    """Return the page's texts, one string per element; fails if the page raised."""
    assert not app.exception, app.exception[0].value
    return [str(element.value) for kind in kinds for element in app.get(kind)]


def protos(app: AppTest, kind: str) -> list[Any]:
    """Return the messages of elements that the testing library has no class for."""
    return [element.proto for element in app.get(kind)]


def open_popover(app: AppTest, label: str, *, closed: bool = False) -> AppTest:
    """Open, or close, a popover that draws its content once it is opened."""
    (found,) = (one for one in popovers(app) if one.label == label)
    app.session_state[key_of(found)] = not closed
    return app.run()


def open_popovers(app: AppTest) -> AppTest:
    """Open every popover that draws its content once it is opened."""
    closed = [key_of(found) for found in popovers(app) if found.id]
    for key in closed:
        app.session_state[key] = True
    return app.run() if closed else app


def popovers(app: AppTest) -> list[Any]:
    """Return the messages of all popovers."""
    return [one.proto.popover for one in app.get("popover")]


def key_of(popover: Any) -> str:
    _, _, key = popover.id.split("-", 2)
    return str(key)


def cells(app: AppTest, column: str, table: int = 0) -> list[Any]:
    """Return a column of a table."""
    return app.dataframe[table].value[column].tolist()


def row_mark(app: AppTest) -> dict[str, str]:
    """Return what the mark beside a table says about its rows."""
    (body,) = (one.proto.body for one in app.get("html") if 'class="row-cursor"' in one.proto.body)
    return {name: html.unescape(value) for name, value in re.findall(r'data-(\w+)="(.*?)"', body)}


def evidence_rows(app: AppTest) -> list[list[str]]:
    """Return the cells of an application's evidence, without escapes."""
    (table,) = (words for words in texts(app, ["markdown"]) if words.startswith("| Seen |"))
    plain = table.replace("\\", "").replace("\u2060", "")
    return [line.strip("| ").split(" | ") for line in plain.splitlines()[2:]]


def press_row(app: AppTest, row: int) -> AppTest:
    """Press the button in a row of the first table."""
    states = app._tree.get_widget_states()
    (widget,) = app.dataframe[0].proto.button_click_widgets.values()
    click = states.widgets.add(id=widget)
    click.string_trigger_value.data = json.dumps({"row": row, "label": "Open"})
    return app._run(states)
