"""Here refreshes measure the risk signals."""

import pytest


@pytest.fixture(autouse=True)
def refreshes_measure_no_risk() -> None:
    """Not in this folder."""
