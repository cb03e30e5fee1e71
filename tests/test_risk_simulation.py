"""Simulated honest affiliates are seldom flagged, and planted fraud is."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine

from bench.risk import reporting, simulating
from bench.risk.simulating import Scale
from tests.databases import Databases


def quiet(_: str) -> None:
    """Print nothing."""


def flat(found: Any, name: str = "") -> dict[str, float]:
    """Return the numbers of nested objects and lists, by their path."""
    if isinstance(found, dict | list):
        parts = found.items() if isinstance(found, dict) else enumerate(found)
        return {k: v for key, part in parts for k, v in flat(part, f"{name}/{key}").items()}
    return {} if isinstance(found, str) else {name: found}


@pytest.mark.slow
def test_simulated_affiliates_are_flagged_as_the_documents_say(databases: Databases) -> None:
    """`python -m bench risk` writes the file anew after a signal or threshold changed."""

    @contextmanager
    def new_database() -> Iterator[Engine]:
        with databases.engine("simulation") as engine:
            yield engine

    scale = Scale()
    outcome = simulating.run(new_database, scale, quiet)

    assert reporting.faults(outcome) == []
    measured, printed = (
        json.loads(one) for one in (reporting.as_json(outcome, scale), reporting.FILE.read_text())
    )
    # Sums of floats end differently on another machine; a value at a threshold then turns.
    assert flat(measured) == pytest.approx(flat(printed), abs=0.005)


def test_a_few_simulated_affiliates_are_told_apart(engine: Engine) -> None:
    @contextmanager
    def this_database() -> Iterator[Engine]:
        yield engine

    few = Scale(honest=8, planted=2, markets=(2.0,))
    outcome = simulating.run(this_database, few, quiet)

    caught = [one.name for one in outcome.archetypes if outcome.caught(one) >= 0.5]
    assert len(caught) >= 10
    honest = outcome.all_honest()
    assert honest.affiliates == 24
    assert honest.any_high <= 3
