"""Cells with numbers and times, and their formats in the grid; ``None`` is unknown.

Money is exact in the database and in files; only here is it a binary number.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import streamlit as st
from pandas.io.formats.style import Styler

from dashboard.ui import figures, headings

COUNT, DAYS, PERCENT = "%,d", "%,d d", "%g %%"
DAY, MONTH, MOMENT = "D MMM YYYY", "MMM YYYY", "D MMM YYYY, HH:mm"


def whole(values: Sequence[int | None]) -> pa.Array:
    """Return whole numbers."""
    return pa.array(values, pa.int64())


def numbers(values: Sequence[Decimal | float | None]) -> pa.Array:
    """Return numbers with decimals, such as money."""
    return pa.array([None if one is None else float(one) for one in values], pa.float64())


def percents(shares: Sequence[Decimal | None]) -> pa.Array:
    """Return shares as percentages: 0.125 is 12.5."""
    return numbers([None if share is None else share * 100 for share in shares])


def days(values: Sequence[date | None]) -> pa.Array:
    """Return days, UTC."""
    return pa.array(values, pa.date32())


def moments(values: Sequence[datetime | None]) -> pa.Array:
    """Return times in UTC."""
    return pa.array(values, pa.timestamp("us", tz="UTC"))


def worded(
    columns: Mapping[str, Sequence[Any]],
    formats: Mapping[str, Callable[[float], str]],
    *,
    unknown: str = figures.UNKNOWN,
) -> Styler:
    """Return a table whose columns in ``formats`` hold numbers but show formatted text."""
    held = {
        name: pd.Series([None if one is None else float(one) for one in values], dtype="float64")
        if name in formats
        else pd.Series(list(values), dtype="object")
        for name, values in columns.items()
    }
    return pd.DataFrame(held).style.format(dict(formats), na_rep=unknown)


def number_column(label: str, *, written: str | None = COUNT, **given: Any) -> Any:  # noqa: ANN401 - streamlit's own
    """Return a column of numbers with its heading at the right; ``written=None``: no format."""
    return st.column_config.NumberColumn(
        headings.numeric(label), format=written, alignment="right", **given
    )


def day_column(label: str, *, width: int = 92, **given: Any) -> Any:  # noqa: ANN401 - streamlit's own
    """Return a column of days: ``24 Oct 2026``."""
    return st.column_config.DateColumn(label, format=DAY, width=width, **given)


def moment_column(label: str, *, width: int = 136, written: str = MOMENT, **given: Any) -> Any:  # noqa: ANN401 - streamlit's own
    """Return a column of times, with UTC in the heading."""
    return st.column_config.DatetimeColumn(
        f"{label}, UTC", format=written, timezone="UTC", width=width, **given
    )
