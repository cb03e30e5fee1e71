"""Tables of simulated affiliates for the cog blocks in docs/*.md.

`python -m bench risk` measures what they print.
"""

import json
from pathlib import Path
from typing import Any

from docs.generated import table
from program.risk.signals import BY_ID

FOUND: dict[str, Any] = json.loads(Path(__file__).with_name("risk-simulation.json").read_text())


def scale() -> str:
    """Return how many were simulated."""
    return (
        f"{FOUND['honest_of_each_size']:,} honest affiliates of each size, and "
        f"{FOUND['planted_of_each_kind']} of each kind of fraud:"
    )


def honest() -> str:
    """Return the share of honest affiliates that each signal flags, by their users."""
    sizes = list(FOUND["any"])
    words = [f"{size} users: {word}" for size in sizes for word in ("flagged", "high")]
    rows = [
        (f"{id_} {BY_ID[id_].name}", *_shares(by_size, sizes))
        for id_, by_size in FOUND["signals"].items()
    ]
    return table(("signal", *words), [("**Any**", *_shares(FOUND["any"], sizes)), *rows])


def planted() -> str:
    """Return the share of each kind of fraud that is flagged."""
    rows = [
        (
            one["name"],
            f"{one['signal']} {BY_ID[one['signal']].name}",
            _percent(one["caught"]),
            *map(_percent, one["any"]),
        )
        for one in FOUND["planted"]
    ]
    return table(("planted", "meant for it", "caught by that", "flagged", "high"), rows)


def precision() -> str:
    """Return how many of the flagged are frauds."""
    rows = [
        (f"{float(share):.0%}", *map(_percent, found))
        for share, found in FOUND["precision"].items()
    ]
    return table(
        ("frauds among all affiliates", "frauds among the flagged", "frauds among the high ones"),
        rows,
    )


def _shares(by_size: dict[str, list[float]], sizes: list[str]) -> list[str]:
    return [_percent(share) for size in sizes for share in by_size[size]]


def _percent(share: float) -> str:
    return f"{share:.1%}"
