"""No page sends more statements or messages, or reads more rows, than its limit allows."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from bench import pages, quick
from bench.pages import VIEWS, Cost, Counts
from dashboard.shell.screens import SCREENS
from data_access.db.embedded import Cluster
from program.review.queue_filters import PAGE_SIZE
from tests.conftest import keep_nothing


@pytest.fixture(scope="module")
def costs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Cost]:
    cluster = Cluster(Path(tmp_path_factory.mktemp("pages")))
    cluster.ensure_running()
    keep_nothing(cluster)
    try:
        engine = quick.prepared(cluster)
        known = pages.applicant(engine)
        engine.dispose()
        with pages.counting(cluster.home, known) as count:
            return {view.name: count(view) for view in VIEWS}
    finally:
        cluster.stop("immediate")


def test_every_page_costs_at_most_its_limit(costs: Mapping[str, Cost]) -> None:
    found = {name: cost.counts for name, cost in costs.items()}

    assert pages.over(found, quick.LIMITS) == []


def test_the_queue_takes_at_most_three_rows_for_each_that_it_shows(
    costs: Mapping[str, Cost],
) -> None:
    for view in VIEWS:
        if view.path == "":
            taken = sum(one.returned for one in costs[view.name].statements)
            assert 0 < taken <= 3 * PAGE_SIZE, view.name


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
