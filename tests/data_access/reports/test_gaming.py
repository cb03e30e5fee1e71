"""Who applied in a period, and their figures of the 30 days before."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, insert, text

from data_access.db import tables
from data_access.reports import gaming
from program.periods import Window
from tests.builders import NOW, T, add_application

PERIOD = Window(T - timedelta(days=9), T + timedelta(days=1))


@pytest.mark.parametrize(("most", "volumes"), [(5, [1, 2, 3]), (2, [1, 2])])
def test_of_many_applicants_of_the_period_the_newest_count(
    engine: Engine, most: int, volumes: list[int]
) -> None:
    with engine.begin() as conn:
        conn.execute(
            text(
                "create table review.affiliate_daily_2026_02 partition of review.affiliate_daily"
                " for values from ('2026-02-01') to ('2026-03-01')"
            )
        )
        for ago in (1, 2, 3, 30):
            account = add_application(conn, ago, submitted_at=NOW - timedelta(days=ago))
            row = {"affiliate_account_id": account, "day": T - timedelta(days=20)}
            nothing = dict.fromkeys(
                ("fees_usd", "trade_count", "zero_fee_volume_usd", "active_users", "new_users"), 0
            )
            conn.execute(insert(tables.affiliate_daily).values(**row, **nothing, volume_usd=ago))
        given = {"start": PERIOD.start, "end": PERIOD.end, "most": most}
        found = conn.execute(gaming.APPLIED, given).all()

    assert sorted(row.volume_usd for row in found) == volumes
