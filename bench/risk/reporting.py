"""What a simulation must show, and what the documents print of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.risk.simulating import PREVALENCES, Counts, Outcome, Scale
from program.risk.signals import SIGNALS

FILE = Path(__file__).resolve().parent.parent.parent / "docs" / "risk-simulation.json"
# Shares of honest affiliates that may be flagged.
MOST_HIGH, MOST_WARN = 0.005, 0.05
MOST_ANY_HIGH, MOST_ANY_WARN = 0.05, 0.25
# Share of planted ones that the signal meant for them flags.
LEAST_CAUGHT = 0.8
# Of those with a high signal, if one affiliate in 20 is a fraud.
LEAST_PRECISION = 0.5
USUAL = 0.05


def faults(outcome: Outcome) -> list[str]:
    """Return every bar that is missed, as a sentence."""
    found = [fault for size in outcome.honest for fault in _of_honest(size, outcome.honest[size])]
    found += [
        f"{one.signal} catches {outcome.caught(one):.0%} of {one.name}"
        for one in outcome.archetypes
        if outcome.caught(one) < LEAST_CAUGHT
    ]
    precision = outcome.precision(USUAL, high=True)
    if precision < LEAST_PRECISION:
        found.append(f"Of those with a high signal {precision:.0%} are frauds at {USUAL:.0%}")
    return found


def _of_honest(size: int, counts: Counts) -> Iterator[str]:
    for signal in SIGNALS:
        for word, number, most in (
            ("high", counts.high[signal.id], MOST_HIGH),
            ("warn", counts.warn[signal.id], MOST_WARN),
        ):
            share = number / counts.affiliates
            if share > most:
                yield f"{signal.id} is {word} for {share:.1%} of honest affiliates of {size} users"
    for word, number, most in (
        ("high", counts.any_high, MOST_ANY_HIGH),
        ("warn", counts.any_warn, MOST_ANY_WARN),
    ):
        if number > most * counts.affiliates:
            share = number / counts.affiliates
            yield f"Any is {word} for {share:.1%} of honest affiliates of {size} users"


def as_json(outcome: Outcome, scale: Scale) -> str:
    """Return what the documents print: shares of warn (or high), and of high."""
    sizes = outcome.honest.items()
    result: dict[str, Any] = {
        "honest_of_each_size": scale.honest,
        "planted_of_each_kind": scale.planted,
        "any": {str(size): _shares(c, c.any_warn, c.any_high) for size, c in sizes},
        "signals": {
            signal.id: {
                str(size): _shares(c, c.warn[signal.id], c.high[signal.id]) for size, c in sizes
            }
            for signal in SIGNALS
            if any(c.measured[signal.id] for _, c in sizes)
        },
        "planted": [
            {
                "name": one.name,
                "signal": one.signal,
                "caught": round(outcome.caught(one), 4),
                "any": _shares(
                    outcome.planted[one.name],
                    outcome.planted[one.name].any_warn,
                    outcome.planted[one.name].any_high,
                ),
            }
            for one in outcome.archetypes
        ],
        "precision": {
            str(p): [round(outcome.precision(p, high=high), 4) for high in (False, True)]
            for p in PREVALENCES
        },
    }
    return json.dumps(result, indent=1) + "\n"


def _shares(counts: Counts, warn: int, high: int) -> list[float]:
    return [round(number / counts.affiliates, 4) for number in (warn, high)]
