"""Volume by month of approval: names, order and colors of the months."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from dashboard.ui import figures, stacked_charts
from dashboard.ui.data_table import CellKind, Sheet
from dashboard.ui.stacked_charts import Look

REST = "rest"
NOT_APPROVED = "not_approved"
BESIDE_MONTHS = {NOT_APPROVED: "not approved", REST: "the rest"}


def names(segments: Iterable[str]) -> dict[str, str]:
    """Format months of approval, ``YYYY-MM``, for people."""
    months = filter(_is_month, segments)
    named = {month: figures.month(date.fromisoformat(f"{month}-01")) for month in months}
    return BESIDE_MONTHS | named


def in_order(sheet: Sheet) -> Sheet:
    """Return the sheet with its months of approval from the oldest to the newest, then the rest."""
    money_ = [column for column in sheet.columns if column.kind is CellKind.USD]
    months = sorted((c for c in money_ if _is_month(c.key)), key=lambda column: column.key)
    others = [column for column in money_ if not _is_month(column.key)]
    first, *_, last = sheet.columns
    return replace(sheet, columns=(first, *months, *others, last))


def looks(sheet: Sheet) -> dict[str, Look]:
    """Return colors of the months of approval in the order of time."""
    parts = [column for column in sheet.columns if column.kind is CellKind.USD]
    return stacked_charts.in_order(
        [column.label for column in parts if _is_month(column.key)],
        others=[column.label for column in parts if not _is_month(column.key)],
    )


def _is_month(key: str) -> bool:
    return key not in BESIDE_MONTHS
