"""How many of its cases a test tries: some in `make test`, all in `make prove`."""

import os
from collections.abc import Sequence
from typing import TypeVar

import pytest

ALL = os.environ.get("TEST_CASES") == "all"
Case = TypeVar("Case")


def examples(some: int, *, of: int) -> int:
    """Return how many examples a property is tried on."""
    return of if ALL else some


def every(step: int, cases: Sequence[Case], *, start: int = 0) -> Sequence[Case]:
    """Return each ``step``-th case; for tests marked `sampled`."""
    return cases[start:] if ALL else cases[start::step]


def first_of(*cases: object) -> list[object]:
    """Return parameters of which `make test` tries the first only."""
    return [cases[0], *(_slow(case) for case in cases[1:])]


def _slow(case: object) -> object:
    given = case if isinstance(case, tuple) else (case,)
    return pytest.param(*given, marks=pytest.mark.slow)
