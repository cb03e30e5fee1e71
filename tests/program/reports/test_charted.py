"""What Explore's chart draws: all rows that match, in steps that stay readable."""

from datetime import date

import pytest

from program.reports import charted
from program.reports.charted import Charted
from program.reports.views import Bucket, View

TODAY = date(2026, 3, 15)


def of(**query: str) -> Charted | None:
    view = View.from_query(query, personal=False).bounded()
    assert not view.problems
    return charted.of(view, TODAY)


@pytest.mark.parametrize(
    ("submitted", "bucket"),
    [
        ("", Bucket.MONTH),
        ("..2026-03-01", Bucket.MONTH),
        ("2025-11-26..2026-03-15", Bucket.DAY),  # 110 days
        ("2025-11-25..2026-03-15", Bucket.WEEK),
        ("2025-11-26..", Bucket.DAY),  # up to today
        ("2024-02-05..2026-03-15", Bucket.WEEK),  # 770 days
        ("2024-02-04..2026-03-15", Bucket.MONTH),
    ],
)
def test_days_are_drawn_in_the_finest_step_that_stays_readable(
    submitted: str, bucket: Bucket
) -> None:
    given = {"submitted_at": submitted} if submitted else {}
    found = of(columns="submitted_at,volume_usd", chart="submitted_at,volume_usd", **given)

    assert found is not None
    assert found.bucket is bucket
    assert found.across == f"submitted_at_{bucket}"


def test_a_month_column_is_drawn_by_month() -> None:
    found = of(dataset="monthly", chart="month,volume_usd", month="2026-01-01..2026-03-01")

    assert found is not None
    assert (found.across, found.up, found.bucket) == ("month", "sum_volume_usd", Bucket.MONTH)


def test_categories_are_sorted_by_their_bars_and_the_largest_are_drawn() -> None:
    found = of(columns="country_code,volume_usd", chart="country_code,volume_usd", status="pending")

    assert found is not None
    assert [str(order) for order in found.view.orders] == ["-sum_volume_usd"]
    assert found.view.filters
    assert found.words(has_more=True) == "the 30 largest of all that match"
    assert found.words(has_more=False) == "all that match"


def test_a_figure_of_smaller_groups_is_worked_out_anew() -> None:
    found = of(
        group="country_code,status",
        measures="count,average:volume_usd",
        chart="status,average_volume_usd",
    )

    assert found is not None
    assert [str(group) for group in found.view.groups] == ["status"]
    assert [str(measure) for measure in found.view.measures] == ["average:volume_usd"]


def test_without_a_chart_nothing_is_read() -> None:
    assert of() is None
    assert of(group="status") is None
