"""Rollups: sums of the facts per affiliate and day, month, and policy window."""

from data_access.rollups.recounting import Recount, recount
from data_access.rollups.refreshing import Progress, measure_risk, refresh

__all__ = ["Progress", "Recount", "measure_risk", "recount", "refresh"]
