"""Cells of CSV files as a reader finds them again, without the apostrophes that guard them."""

import re

from program.reports.csv_guard import BREAKS, GUARD, LEADING_BREAKS, SIGNS, SKIPPED

_BEGINS = f"[{re.escape(SKIPPED)}]*[{re.escape(SIGNS)}]"
_BEGINS_TEXT = f"[{re.escape(SKIPPED)}]*[{re.escape(SIGNS + LEADING_BREAKS)}]"
_GUARDS = re.compile(f"\\A{GUARD}(?={_BEGINS_TEXT})|(?<=[{re.escape(BREAKS)}]){GUARD}(?={_BEGINS})")


def unguarded(text: str) -> str:
    """The text that `csv_guard.guarded` was given."""
    return _GUARDS.sub("", text)
