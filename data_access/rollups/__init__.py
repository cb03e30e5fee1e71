"""Rollups: sums of the facts per affiliate and day, month, and policy window."""

from data_access.rollups.recounting import Recount, recount
from data_access.rollups.refreshing import Progress, refresh

__all__ = ["Progress", "Recount", "recount", "refresh"]
