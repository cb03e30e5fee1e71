"""Screens name colleagues; their addresses stand where they are managed, and in data."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text
from streamlit.testing.v1 import AppTest

from dashboard.pages.queue.bulk_dialog import Chosen
from dashboard.shell.screens import (
    AFFILIATES,
    APPLICATION,
    IMPORT,
    OUTBOX,
    POLICY,
    PROGRAM,
    QUEUE,
    SETTINGS,
    STAFF,
    Screen,
)
from program.review.permissions import Act, Role
from tests.dashboard.conftest import Onlooker, add_people, sitting_at
from tests.dashboard.pages.planting import APPROVED, REJECTED, address_of, plant, plant_elsewhere
from tests.dashboard.pages.planting_records import plant_records
from tests.dashboard.pages.screen import Desk, open_popovers, texts
from tests.dashboard.pages.test_hostile_text import IDS, messages, strings
from tests.databases import Databases

VIEWER = 4
# Enough colleagues for the screens below.
SOME = range(1, 11)
# Part of each planted address of staff, with the number of the person.
ADDRESS = re.compile(r"zq([0-9]+)emailq")
# What a browser is asked for, which the mark of the cursor repeats, and names of widgets.
UNSEEN = ("PageLink.query_string", "LinkButton.url", *IDS)
SHOWN: tuple[tuple[Screen, dict[str, str]], ...] = (
    (QUEUE, {}),
    (QUEUE, {"scope": "decided", "reviewer": address_of(7, Role.REVIEWER)}),
    *((APPLICATION, {"id": str(id_)}) for id_ in (1, 2, 3, 7 + APPROVED, 7 + REJECTED)),
    *((PROGRAM, {"tab": part}) for part in ("work", "reviewers")),
    *((AFFILIATES, {"part": part}) for part in ("", "outcomes")),
    *((OUTBOX, {"show": part}) for part in ("parked", "waiting", "templates", "settings")),
    *((POLICY, {"part": part}) for part in ("", "draft", "history")),
    (SETTINGS, {}),
    (IMPORT, {"show": "kept"}),
    (IMPORT, {"show": "history"}),
    (IMPORT, {"show": "history", "import": "3"}),
)


@pytest.fixture(scope="module")
def planted(databases: Databases) -> Iterator[Engine]:
    """What colleagues did, each with a name that nobody else has; read only."""
    now = datetime.now(UTC)
    with databases.engine("names") as engine:
        add_people(engine)
        plant(engine, now=now, numbers=SOME)
        plant_elsewhere(engine, now=now, numbers=SOME)
        plant_records(engine, now=now, numbers=SOME)
        with engine.begin() as conn:
            conn.execute(text("update review.staff set display_name = 'N' || md5(email)"))
        yield engine


@pytest.fixture
def named(planted: Engine, monkeypatch: pytest.MonkeyPatch, onlooker: Onlooker) -> Iterator[Desk]:
    """A desk full of what colleagues did."""
    with sitting_at(planted, monkeypatch) as desk:
        desk.who = address_of(VIEWER, Role.MANAGER)
        yield desk


def addresses(app: AppTest) -> Iterator[str]:
    """Yield where the page shows the address of a colleague."""
    assert not app.exception, app.exception[0].value
    shown = [
        (path, words)
        for message in messages(app)
        for path, words in strings(message)
        if not (path.endswith(UNSEEN) or "row-cursor" in words)
    ]
    shown += [("cells", str(table.value.to_dict("list"))) for table in app.dataframe]
    for path, words in shown:
        if {int(number) for number in ADDRESS.findall(words)} - {VIEWER}:
            yield f"{path}: {words[:200]}"


def test_no_screen_shows_an_address_where_a_name_belongs(named: Desk) -> None:
    found = [
        f"{screen.title} {query}: {where}"
        for screen, query in SHOWN
        for where in addresses(open_popovers(named.open(screen, **query)))
    ]

    assert found == [], "\n".join(found)


def test_only_the_list_of_staff_has_the_addresses_of_colleagues(named: Desk) -> None:
    app = named.open(STAFF)

    people, *others = (table.value for table in app.dataframe)
    assert "email" in people.columns
    assert not ADDRESS.search(str([table.to_dict("list") for table in others]))
    lines = [line for line in texts(app, ["text"]) if " · " in line]
    assert lines
    assert not any(ADDRESS.search(line) for line in lines)


def test_a_bulk_assignment_names_the_colleague(named: Desk) -> None:
    whom = address_of(9, Role.REVIEWER)
    app = named.open(QUEUE)
    app.session_state["kept-bulk"] = Chosen(
        act=Act.ASSIGN, ids=(1, 2), fields={"assignee": whom}, filled=True
    )

    app.run()

    (line,) = (line for line in texts(app, ["text"]) if line.startswith("To "))
    assert line == f"To {name_of(named, whom)}"


def name_of(desk: Desk, email: str) -> str:
    with desk.engine.connect() as conn:
        found = text("select display_name from review.staff where email = :email")
        return str(conn.execute(found, {"email": email}).scalar_one())
