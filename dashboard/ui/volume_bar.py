"""A column of volumes as bars that are full at the minimum.

The grid's own short format rounds, and 19.6 M would read 20M beside a minimum of 20 M. So its cells
are in millions, rounded down to two decimals.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import streamlit as st

from program import wording

MILLION = Decimal(10**6)
PLACES = 2


def cells(volumes: Sequence[Decimal | None]) -> pa.Array:
    """Return volumes in USD as lengths; the application's page has the exact figures."""
    cut = [None if usd is None else wording.cut(usd / MILLION, PLACES) for usd in volumes]
    return pa.array([None if size is None else float(size) for size in cut], pa.float64())


def config(label: str, *, minimum_usd: Decimal, help: str, width: int) -> Any:  # noqa: A002, ANN401 - streamlit's own
    """Return the column; the minimum follows ``label``."""
    return st.column_config.ProgressColumn(
        f"{label} / {wording.stated_usd(minimum_usd)}",
        help=f"{help}, USD, rounded down; the bar is full at the minimum.",
        min_value=0,
        max_value=float(minimum_usd / MILLION) or 1,
        format=f"%.{PLACES}f M",
        width=width,
    )
