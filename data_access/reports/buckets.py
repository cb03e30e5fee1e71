"""The steps of a period, as Postgres tells them."""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date, cast, func, literal

from program.periods import Window
from program.reports.periods import Grain


def bucket(day: ColumnElement[Any], period: Window, grain: Grain) -> ColumnElement[date]:
    """The first day of the step that a UTC day or time lies in, cut at the period's start."""
    start = cast(func.date_trunc(str(grain), day), Date)
    cut: ColumnElement[date] = func.greatest(start, cast(literal(period.start), Date))
    return cut
