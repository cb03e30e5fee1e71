"""Freshness of the rollups: the data-through day, the window, and the time of the refresh."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from data_access.db import tables
from program.periods import Window, WindowKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """The newest finished refresh. ``data_through`` is T, the last complete UTC day."""

    refresh_id: int
    data_through: date
    window: Window
    window_kind: WindowKind
    policy_version: int
    refreshed_at: datetime


def newest(connection: Connection) -> Freshness | None:
    """Return the newest refresh, or ``None`` if metrics were never computed."""
    table = tables.refreshes
    query = select(table).order_by(table.c.refresh_id.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return None if row is None else of_row(row)


def of_row(row: Mapping[Any, Any]) -> Freshness:
    """Return the refresh in the columns of ``review.refreshes``."""
    return Freshness(
        refresh_id=row["refresh_id"],
        data_through=row["data_through"],
        window=Window(row["window_start"], row["window_end"]),
        window_kind=WindowKind(row["window_kind"]),
        policy_version=row["policy_version"],
        refreshed_at=row["refreshed_at"],
    )
