"""A module's tests, and all of the browser's, run in one process."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from tests.distribution import BROWSER, ByModule, longest_first, unit_of

COLLECTED = [
    *(f"{BROWSER}/test_{name}.py::test_{n}" for name in ("one", "other") for n in range(3)),
    *(f"tests/test_{name}.py::test_it[a::{n}@]" for name in "abcdef" for n in range(4)),
]


@dataclass(eq=False)
class Worker:
    """Keeps the places of the tests that it is sent."""

    got: list[int] = field(default_factory=list)
    shutting_down: bool = False
    gateway: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(id="gw"))

    def send_runtest_some(self, places: list[int]) -> None:
        self.got += places

    def shutdown(self) -> None:
        self.shutting_down = True


def test_each_worker_gets_whole_modules_and_one_gets_the_browser(
    pytestconfig: pytest.Config,
) -> None:
    options = {"dist": "loadfile", "tx": ["popen"] * 2}
    config = SimpleNamespace(
        getvalue=options.get, option=SimpleNamespace(loadscopereorder=False, **options)
    )
    made = pytestconfig.hook.pytest_xdist_make_scheduler(config=config, log=None)
    assert isinstance(made, ByModule)
    workers = [Worker(), Worker()]
    for worker in workers:
        made.add_node(worker)
        made.add_node_collection(worker, COLLECTED)
    made.schedule()
    for place in range(len(COLLECTED)):
        (worker,) = (one for one in workers if place in one.got)
        made.mark_test_complete(worker, place)

    first, second = ({unit_of(COLLECTED[place]) for place in one.got} for one in workers)
    assert first & second == set()
    assert len(first | second) == 7
    assert BROWSER in first | second


def test_what_takes_long_comes_first_and_then_what_has_more_tests() -> None:
    names = [*("tests/test_a.py::test_1",), *(f"tests/test_b.py::test_{n}" for n in range(2))]
    names += [f"{BROWSER}/test_c.py::test_1"]
    items = [SimpleNamespace(nodeid=name) for name in names]

    longest_first(items)  # type: ignore[arg-type]

    assert [one.nodeid.split("/")[-1] for one in items] == [
        *("test_c.py::test_1", "test_b.py::test_0", "test_b.py::test_1", "test_a.py::test_1"),
    ]
