"""For how long evidence counts."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from program.policy.evidence import days_left, is_current
from program.policy.policy import Policy

T = date(2026, 3, 14)
NOW = datetime(2026, 3, 15, 9, tzinfo=UTC)
POLICY = Policy(evidence_valid_days=90)


@pytest.mark.parametrize(
    ("observed", "left"),
    [
        (datetime(2026, 3, 15, 8, tzinfo=UTC), 92),
        (datetime(2026, 3, 14, 0, tzinfo=UTC), 91),
        (datetime(2025, 12, 14, 23, 59, tzinfo=UTC), 1),
        (datetime(2025, 12, 14, 0, 0, tzinfo=UTC), 1),
        (datetime(2025, 12, 13, 23, 59, tzinfo=UTC), 0),
        (datetime(2025, 12, 10, 12, tzinfo=UTC), -3),
    ],
)
def test_an_observation_counts_for_so_many_days_more(observed: datetime, left: int) -> None:
    assert days_left(observed, data_through=T, now=NOW, policy=POLICY) == left


def test_without_metrics_the_days_count_from_today() -> None:
    assert days_left(NOW, data_through=None, now=NOW, policy=POLICY) == 91


@given(
    ago=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400)),
    valid=st.integers(1, 365),
    through=st.none() | st.dates(T - timedelta(days=40), T),
)
def test_days_are_left_exactly_while_it_is_current(
    ago: timedelta, valid: int, through: date | None
) -> None:
    policy = Policy(evidence_valid_days=valid)
    given = {"data_through": through, "now": NOW, "policy": policy}
    assert (days_left(NOW - ago, **given) > 0) is is_current(NOW - ago, **given)
