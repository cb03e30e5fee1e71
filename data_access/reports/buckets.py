"""The steps of a period, in SQL."""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date, cast, func, literal

from program.periods import Window
from program.reports.periods import Grain


def bucket(day: ColumnElement[Any], period: Window, grain: Grain) -> ColumnElement[date]:
    """Return the first day of the step with a UTC day or time, cut at the period's start."""
    start = cast(func.date_trunc(str(grain), day), Date)
    cut: ColumnElement[date] = func.greatest(start, cast(literal(period.start), Date))
    return cut
