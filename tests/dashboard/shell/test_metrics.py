"""Metrics: what is counted, what is read when Prometheus asks, and who may ask."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import Engine

from dashboard.shell import metrics
from data_access.db import database
from data_access.db.database import Purpose
from data_access.db.errors import DatabaseUnavailable, NotAllowed, SettingMissing
from program.review.permissions import Act
from tests.browser.serving import free_port
from tests.builders import add_application

ROOT = Path(__file__).resolve().parent.parent.parent.parent
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "affiliate-review.json").read_text())


@pytest.fixture
def desk(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr(database, "reader", lambda: engine)
    return engine


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"affiliate_review_{name}", labels)


def test_an_act_is_counted_once_it_is_carried_out_and_a_refusal_by_its_kind(desk: Engine) -> None:
    def counts() -> tuple[float, float]:
        done = value("acts_total", act="DECIDE") or 0
        refused = value("refusals_total", act="DECIDE", refusal="NotAllowed") or 0
        return done, refused

    done, refused = counts()
    with metrics.counted(Act.DECIDE):
        pass
    with pytest.raises(NotAllowed), metrics.counted(Act.DECIDE):
        raise NotAllowed("no")

    assert counts() == (done + 1, refused + 1)


def test_what_waits_is_read_when_it_is_asked_for(desk: Engine) -> None:
    with desk.begin() as conn:
        add_application(conn, 1)

    assert value("database_up") == 1
    waiting = {one: value("queue", eligibility=one) for one in ("met", "not_met", "unknown")}
    assert waiting == {"met": 0, "not_met": 0, "unknown": 1}
    assert value("outbox", state="waiting") == 0
    # Nothing was refreshed yet, so the data have no age.
    assert value("data_age_seconds") is None


def test_a_database_that_is_away_is_a_metric_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Engine:
        raise DatabaseUnavailable("away")

    monkeypatch.setattr(database, "reader", away)

    assert value("database_up") == 0
    assert value("queue", eligibility="met") is None


def test_connections_in_use_are_counted_by_purpose() -> None:
    assert set(database.connections_in_use()) == set(Purpose)


def test_metrics_are_shown_on_a_port_of_this_computer(
    desk: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv(metrics.SETTING, str(port))
    metrics.serve()

    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()

    assert "affiliate_review_database_up 1.0" in text
    assert "process_resident_memory_bytes" in text
    with pytest.raises(SettingMissing, match="in use"):
        metrics.serve()


@pytest.mark.parametrize("given", ["0", "65536", "many", "-1", "1.5"])
def test_a_port_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv(metrics.SETTING, given)

    with pytest.raises(SettingMissing, match="METRICS_PORT is not a port"):
        metrics.serve()


def test_without_a_port_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []
    note: Callable[..., None] = lambda port, **_: opened.append(port)  # noqa: E731
    monkeypatch.setattr(metrics, "start_http_server", note)
    monkeypatch.delenv(metrics.SETTING, raising=False)

    metrics.serve()

    assert opened == []


def test_every_metric_of_the_grafana_dashboard_exists(desk: Engine) -> None:
    metrics.PAGES.labels("queue")
    asked = {
        name
        for panel in DASHBOARD["panels"]
        for target in panel["targets"]
        for name in re.findall(r"(?:affiliate_review|process)_\w+", target["expr"])
    }
    known = {sample.name for family in REGISTRY.collect() for sample in family.samples}
    # Each has a sample once something was counted, or refreshed.
    later = {
        "affiliate_review_acts_total",
        "affiliate_review_refusals_total",
        "affiliate_review_data_age_seconds",
    }

    assert asked - known <= later
    assert asked > later
