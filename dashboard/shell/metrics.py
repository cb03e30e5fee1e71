"""Metrics for Prometheus, on a port of this computer that no browser reaches."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from prometheus_client import REGISTRY, Counter, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from data_access.db import database, environment
from data_access.db.errors import DatabaseUnavailable, Refusal, SettingMissing
from data_access.reports import gauges
from data_access.reports.gauges import Gauges
from program.review.permissions import Act

SETTING = "METRICS_PORT"
HIGHEST_PORT = 65_535
SECONDS = (0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4)
ACTS = Counter("affiliate_review_acts", "Acts that were carried out", ["act"])
REFUSALS = Counter("affiliate_review_refusals", "Acts that were refused", ["act", "refusal"])
PAGES = Histogram(
    "affiliate_review_page_seconds", "Time to draw a whole page", ["page"], buckets=SECONDS
)


class Desk(Collector):
    """Reads what waits whenever Prometheus asks."""

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges; only that it is away if the database does not respond."""
        yield from self._pools()
        behind = database.replica()
        if behind is not None:
            usable = behind.obstacle is None
            yield _gauge("replica_usable", "Whether figures are read from the replica", usable)
            yield _gauge("replica_lag_seconds", "Replica behind the database", behind.lag_s or 0)
        try:
            with database.reading(database.reader()) as connection:
                found = gauges.read(connection, now=datetime.now(UTC))
        except DatabaseUnavailable:
            yield _gauge("database_up", "Whether the database responds", 0)
            return
        yield _gauge("database_up", "Whether the database responds", 1)
        yield from self._gauges(found)

    def describe(self) -> list[Metric]:
        """Name no metrics beforehand, which would ask the database at the start."""
        return []

    def _gauges(self, found: Gauges) -> Iterator[Metric]:
        queue = GaugeMetricFamily(
            "affiliate_review_queue", "Open applications", labels=["eligibility"]
        )
        for outcome, number in found.queue.items():
            queue.add_metric([str(outcome)], number)
        yield queue
        if found.data_age_s is not None:
            yield _gauge("data_age_seconds", "Since the data-through day ended", found.data_age_s)
        outbox = GaugeMetricFamily("affiliate_review_outbox", "Messages", labels=["state"])
        for state in ("waiting", "failing", "parked"):
            outbox.add_metric([state], getattr(found.outbox, state))
        yield outbox
        yield _gauge(
            "outbox_oldest_seconds", "Age of the oldest waiting message", found.oldest_message_s
        )

    def _pools(self) -> Iterator[Metric]:
        pools = GaugeMetricFamily(
            "affiliate_review_connections", "Connections in use", labels=["purpose"]
        )
        for purpose, used in database.connections_in_use().items():
            pools.add_metric([purpose], used)
        yield pools


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"affiliate_review_{name}", meaning, value=value)


REGISTRY.register(Desk())


@contextmanager
def counted(act: Act) -> Iterator[None]:
    """Count an act as carried out or, by its kind, as refused."""
    try:
        yield
    except Refusal as refusal:
        REFUSALS.labels(act.name, type(refusal).__name__).inc()
        raise
    ACTS.labels(act.name).inc()


@contextmanager
def timed(page: str) -> Iterator[None]:
    """Measure how long a page takes to draw."""
    began = time.perf_counter()
    yield
    PAGES.labels(page).observe(time.perf_counter() - began)


def port() -> int | None:
    """Return the port of the metrics, if one is set. Raises SettingMissing."""
    value = environment.get(SETTING).strip()
    if not value:
        return None
    if not value.isdecimal() or not 0 < int(value) <= HIGHEST_PORT:
        raise SettingMissing(f"{SETTING} is not a port. Set it to a number up to {HIGHEST_PORT:,}.")
    return int(value)


def serve() -> None:
    """Show the metrics, if a port is set. Raises SettingMissing if it is in use."""
    chosen = port()
    if chosen is None:
        return
    try:
        start_http_server(chosen, addr="127.0.0.1")
    except OSError as error:
        raise SettingMissing(
            f"Port {chosen} of {SETTING} is in use. Give each process of the dashboard its own."
        ) from error
