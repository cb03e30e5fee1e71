"""Made-up but lifelike data: a year of an affiliate program, its queue and its history."""

from data_access.demo.affiliates import move_affiliates
from data_access.demo.filling import (
    DEFAULT_AFFILIATES,
    DEFAULT_SEED,
    DemoReport,
    fill,
    is_empty,
)
from data_access.demo.turns import work_desk

__all__ = [
    "DEFAULT_AFFILIATES",
    "DEFAULT_SEED",
    "DemoReport",
    "fill",
    "is_empty",
    "move_affiliates",
    "work_desk",
]
