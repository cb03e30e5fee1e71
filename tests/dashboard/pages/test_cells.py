"""Numbers, money, days and times are typed cells in every table, not text."""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from dashboard.shell.screens import (
    AFFILIATES,
    APPLICATION,
    EXPLORE,
    IMPORT,
    OUTBOX,
    POLICY,
    PROGRAM,
    QUEUE,
    STAFF,
    Screen,
)
from dashboard.ui import headings
from data_access import demo, rollups
from program.affiliates.filters import Figure
from program.reports.datasets import DATASETS
from program.review.permissions import Role
from tests.builders import end_sessions
from tests.cases import ALL, every
from tests.dashboard.pages.screen import PEOPLE, ROOT, Desk, open_popovers, texts

NUMBER = r"[-+−<>]?\s?[$€]?\d[\d,.  ]*"
UNIT = r"(k|M|B|%|USD|(k|M|B) USD|s|min|h|d|days?|hours?)"
MONTH = r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
CLOCK = r"\d{1,2}:\d{2}(:\d{2})?( ?UTC)?"
DAY = rf"(\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}} {MONTH}( \d{{4}})?|{MONTH} \d{{4}})"
TYPED = re.compile(
    rf"((in|for) )?{NUMBER}\s?{UNIT}?( ago)?|{DAY}|{CLOCK}|{DAY}[T,]? ?{CLOCK}", re.IGNORECASE
)
# Text columns whose values may look like numbers, and why they are text.
WORDS = {
    ("Thresholds of risk signals", "warn"): "in the unit of each signal, by sample size",
    ("Thresholds of risk signals", "high"): "in the unit of each signal, by sample size",
    ("Applications", "due"): "a sign and a word beside the time, which the column Due at holds",
    ("Applications", "contact_handle"): "typed by people, telephone numbers among them",
    ("Affiliates", "contact_handle"): "typed by people, telephone numbers among them",
    ("Applications", "standing"): "a status and since when, in one",
}


def looks_typed(cell: Any) -> bool:
    """Return whether a cell is text that reads as a number or a time."""
    if hasattr(cell, "__len__") and not isinstance(cell, str):
        return any(map(looks_typed, cell))
    return isinstance(cell, str) and TYPED.fullmatch(cell.strip()) is not None


@pytest.mark.parametrize(
    ("cell", "typed"),
    [
        ("1,118,829", True),
        ("−5", True),
        ("0.25", True),
        ("12.4 M", True),
        ("4,100,000.00 USD", True),
        ("12.5 %", True),
        ("<1 %", True),
        ("2026-11-30", True),
        ("24 Oct", True),
        ("Oct 2026", True),
        ("24 Oct 2026", True),
        ("2026-11-30 14:02", True),
        ("21 Nov 2026, 14:02 UTC", True),
        ("14:02", True),
        ("3 d", True),
        ("in 3 d", True),
        ("4 d ago", True),
        (["in 3 d"], True),
        (3, False),
        (None, False),
        ("", False),
        ("–", False),
        ("u-73", False),
        ("@2030", False),
        ("2 in a row", False),
        ("5,001 followers on X", False),
    ],
)
def test_a_number_stored_as_text_is_distinguished_from_text(cell: Any, typed: bool) -> None:
    assert looks_typed(cell) is typed


def views() -> Iterator[tuple[Screen, dict[str, str]]]:
    """Yield every page, at every address with its own tables."""
    yield from ((QUEUE, {}), (QUEUE, {"status": "approved"}))
    for dataset in DATASETS:
        everything = {"dataset": dataset.key, "columns": ",".join(dataset.names)}
        yield EXPLORE, everything
    yield from ((AFFILIATES, {}), (AFFILIATES, {"part": "near-misses"}))
    yield from ((AFFILIATES, {"part": "outcomes", "figure": figure}) for figure in Figure)
    yield from ((PROGRAM, {"tab": tab}) for tab in ("work", "volume", "cohorts", "reviewers"))
    yield from ((OUTBOX, {"show": part}) for part in ("waiting", "sent", "parked"))
    yield POLICY, {}
    yield from ((IMPORT, {}), (IMPORT, {"show": "history"}))
    yield from ((STAFF, {}), (STAFF, {"person": PEOPLE[Role.REVIEWER]}))


def tables(app: AppTest) -> Iterator[tuple[str, str, list[Any]]]:
    """Yield each table's name, and each column that is no button, with its cells."""
    for element in app.dataframe:
        columns = json.loads(element.proto.columns or "{}")
        for name in element.value.columns:
            kind = (columns.get(name, {}).get("type_config") or {}).get("type")
            if kind not in ("button", "link"):
                yield element.proto.alt, name, element.value[name].tolist()


@pytest.fixture
def busy(desk: Desk) -> Desk:
    """A program in which every table has rows."""
    end_sessions(desk.engine)
    with desk.engine.begin() as conn:
        conn.execute(text("delete from review.staff"))
    demo.fill(desk.engine, now=desk.now, affiliates=20)
    rollups.refresh(desk.engine, now=desk.now)
    demo.work_desk(desk.engine)
    desk.who = PEOPLE[Role.MANAGER]
    return desk


def beside_their_numbers(app: AppTest) -> Iterator[tuple[bool, str, str]]:
    """Each column of numbers, by whether its heading is above them, at the right."""
    for element in app.dataframe:
        for name, told in json.loads(element.proto.columns or "{}").items():
            kind = (told.get("type_config") or {}).get("type")
            if told.get("alignment") == "right" or kind == "number":
                above = told["label"].startswith(headings.AT_THE_RIGHT)
                yield above and told["alignment"] == "right", element.proto.alt, name


@pytest.mark.sampled
def test_tables_hold_numbers_and_times_as_such_with_headings_above_them(busy: Desk) -> None:
    found, seen = set(), set()
    heads: list[tuple[bool, str, str]] = []
    with busy.engine.connect() as conn:
        seen_elsewhere = conn.execute(text("select min(application_id) from review.evidence"))
    application = APPLICATION, {"id": str(seen_elsewhere.scalar_one())}
    for screen, query in (application, *every(3, list(views()))):
        app = open_popovers(busy.open(screen, **query))
        texts(app)
        heads += beside_their_numbers(app)
        for table, column, cells in tables(app):
            seen.add(table)
            if (table, column) not in WORDS and any(map(looks_typed, cells)):
                found.add((table, column, str(next(filter(looks_typed, cells)))))

    assert len(seen) >= (15 if ALL else 6), sorted(seen)
    assert found == set()
    assert len(heads) > (100 if ALL else 40)
    assert {(table, column) for above, table, column in heads if not above} == set()


def test_every_table_goes_by_the_rule_of_headings() -> None:
    own = {"dashboard/ui/headings.py"}
    drawn = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "dashboard").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("dataframe", "data_editor", "table")
        if isinstance(node.value, ast.Name) and node.value.id == "st"
    }

    assert drawn == own
