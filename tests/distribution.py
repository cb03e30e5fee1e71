"""Which worker runs which tests: a module's tests run in one process, the browser's all in one.

Setup that tests share then runs once: a module's database, the browser and the site it visits.
"""

from collections import Counter

import pytest
from xdist.scheduler import LoadFileScheduling

BROWSER = "tests/browser"
# Few tests that take long; what is long comes first, so that no worker waits for it at the end.
LONG = (BROWSER, "tests/test_page_costs.py", "tests/test_command_line.py")


class ByModule(LoadFileScheduling):
    """Whole modules to each worker, in the order of the collection."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)


def unit_of(nodeid: str) -> str:
    """Return what is never divided among workers: the test's module, or the browser's folder."""
    module = nodeid.partition("::")[0]
    return BROWSER if module.startswith(f"{BROWSER}/") else module


def longest_first(items: list[pytest.Item]) -> None:
    """Sort tests by their unit: those known to take long, then by their number."""
    units = [unit_of(item.nodeid) for item in items]
    sizes = Counter(units)
    rank = {unit: place for place, unit in enumerate(LONG)}
    order = {unit: (rank.get(unit, len(LONG)), -sizes[unit], unit) for unit in sizes}
    items.sort(key=lambda item: order[unit_of(item.nodeid)])
