"""No page sends more statements or messages, or reads more rows, than its limit allows."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench import pages, quick
from bench.pages import VIEWS, Cost, Counts, View
from dashboard.shell.screens import SCREENS
from data_access.db.embedded import Cluster
from tests.conftest import keep_nothing


@pytest.fixture(scope="module")
def count(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[View], Cost]]:
    cluster = Cluster(Path(tmp_path_factory.mktemp("pages")))
    cluster.ensure_running()
    keep_nothing(cluster)
    try:
        engine = quick.prepared(cluster)
        known = pages.applicant(engine)
        engine.dispose()
        with pages.counting(cluster.home, known) as counting:
            yield counting
    finally:
        cluster.stop("immediate")


def test_every_page_costs_at_most_its_limit(count: Callable[[View], Cost]) -> None:
    found = {view.name: count(view).counts for view in VIEWS}

    assert pages.over(found, quick.LIMITS) == []


def test_every_screen_is_measured_and_every_view_has_a_limit() -> None:
    assert {view.path for view in VIEWS} == {screen.path for screen in SCREENS}
    assert [view.name for view in VIEWS] == list(quick.LIMITS)


def test_what_exceeds_a_limit_is_named_with_both_numbers() -> None:
    limits = {"queue": Counts(statements=6, messages=40, rows_read=1_000)}
    found = {"queue": Counts(statements=7, messages=40, rows_read=1_200)}

    assert pages.over(found, limits) == [
        "queue: 7 statements, of at most 6",
        "queue: 1,200 rows read, of at most 1,000",
    ]
