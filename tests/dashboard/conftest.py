"""A desk for tests: every page reads and writes this test's database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar
from unittest.mock import MagicMock

import pytest
import streamlit as st
from sqlalchemy import Engine
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime import Runtime
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.testing.v1 import app_test, local_script_runner
from streamlit.testing.v1.local_script_runner import LocalScriptRunner

from dashboard.forms import sending
from dashboard.shell import sign_in
from data_access.db import database
from tests.builders import (
    STAFF,
    add_application,
    add_evidence,
    add_metrics,
    add_refresh,
    add_staff,
    begin_sessions,
    know_the_desk,
    session,
)
from tests.dashboard.pages.screen import Desk
from tests.data_access.statements import sent

MET, SHORT, UNKNOWN = 1, 2, 3
# Every app scans all installed packages at its start; a server does it once.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)
# Every run compiles the scripts of its pages; a server does it once.
SCRIPTS = ScriptCache()
app_test.ScriptCache = lambda: SCRIPTS  # type: ignore[attr-defined]
local_script_runner.ScriptCache = lambda: SCRIPTS  # type: ignore[attr-defined]

# Every run makes a runtime that answers anything, and with it a class for each answer.
RUNTIME = MagicMock(spec=Runtime)


def same_runtime(spec: type) -> MagicMock:
    RUNTIME.reset_mock()
    return RUNTIME


app_test.MagicMock = same_runtime  # type: ignore[attr-defined]


def wait_for_the_end(runner: LocalScriptRunner, timeout: float = 3) -> None:
    """Wait for a run without waking up each millisecond, which slows down what it waits for."""
    thread = runner._script_thread
    assert thread is not None
    thread.join(timeout)
    if thread.is_alive():
        runner.request_stop()
        runner.join()
        raise RuntimeError(f"The page was not drawn within {timeout} seconds.")


local_script_runner.require_widgets_deltas = wait_for_the_end


class SessionPages(PagesManager):
    """A session keeps its pages between runs; the testing library forgets them after each."""

    kept: ClassVar[dict[str, Any]] = {}

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        if self.kept:
            self._set_pages(dict(self.kept))

    def set_pages_and_resolve(self, pages: dict[str, Any], *given: Any, **named: Any) -> Any:
        SessionPages.kept = dict(pages)
        return super().set_pages_and_resolve(pages, *given, **named)


@dataclass
class Onlooker:
    """Somebody who looks at the screen for this long before pressing."""

    looks_for: timedelta = timedelta(seconds=1)


@pytest.fixture
def onlooker(monkeypatch: pytest.MonkeyPatch) -> Onlooker:
    """Sets how long people look before they press."""
    made, shown_at = Onlooker(), datetime.now(UTC)
    monkeypatch.setattr(sending, "drawn_at", lambda: shown_at)
    monkeypatch.setattr(sending, "pressed_at", lambda: shown_at + made.looks_for)
    return made


@pytest.fixture
def desk(engine: Engine, monkeypatch: pytest.MonkeyPatch, onlooker: Onlooker) -> Iterator[Desk]:
    """Staff and no other rows; ana is signed in."""
    add_people(engine)
    with sitting_at(engine, monkeypatch) as made:
        yield made


def add_people(engine: Engine) -> None:
    with engine.begin() as conn:
        add_staff(conn)
        know_the_desk(conn)


@contextmanager
def sitting_at(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Have every page use this database, whose staff `add_people` added."""
    made = Desk(engine, datetime.now(UTC))
    for purpose in ("reader", "writer", "reporter", "loader"):
        monkeypatch.setattr(database, purpose, lambda: engine)
    monkeypatch.setattr(app_test, "PagesManager", SessionPages)
    monkeypatch.setattr(SessionPages, "kept", {})
    monkeypatch.setattr(sign_in, "local_obstacle", lambda: None)
    monkeypatch.setattr(sign_in, "session_key", lambda: session(engine, made.who))
    begin_sessions(engine, *STAFF)
    # Cached choices belong to another test's database.
    st.cache_data.clear()
    yield made
    st.cache_data.clear()


@pytest.fixture
def queue(desk: Desk) -> Desk:
    """Three pending applications, one of each eligibility, with metrics through yesterday."""
    now = desk.now
    with desk.engine.begin() as conn:
        add_refresh(conn, through=desk.yesterday, at=now - timedelta(hours=1))
        for id_ in (MET, SHORT, UNKNOWN):
            add_application(conn, id_, submitted_at=now - timedelta(days=6 - id_, minutes=1))
        add_metrics(conn, MET, volume=Decimal("31234567.89"), active=44, new=9)
        add_metrics(conn, SHORT, volume=Decimal("19999999.99"), active=14, new=4)
        seen_at = now - timedelta(days=2)
        add_evidence(conn, SHORT, value=4000, observed_at=seen_at)
        add_evidence(
            conn,
            SHORT,
            kind="external_volume",
            value=Decimal("12345678.90"),
            exchange_name="ExA",
            observed_at=seen_at,
        )
    return desk


@pytest.fixture
def statements(engine: Engine) -> Iterator[list[str]]:
    """Collects every statement sent to the database."""
    with sent(engine) as found:
        yield found
