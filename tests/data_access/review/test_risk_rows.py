"""The rows behind a risk signal: the users shown, and the volume that their shares are of."""

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import Engine, text

from data_access import rollups
from data_access.db import partitions
from data_access.review import risk_rows
from program.periods import day_start
from tests.builders import NOW, T, add_account

USERS = range(2, 2 + risk_rows.USERS_SHOWN + 10)


def test_shares_are_of_the_whole_volume_and_not_of_the_users_shown(engine: Engine) -> None:
    with engine.begin() as conn:
        partitions.ensure_months(conn, T, T)
        for account in (1, *USERS):
            add_account(conn, account)
        rows = [
            {"user": user, "at": day_start(T - timedelta(days=3)), "day": T - timedelta(days=back)}
            for user in USERS
            for back in (0, 1)
        ]
        conn.execute(
            text("insert into exchange.referrals values (1, :user, :at) on conflict do nothing"),
            rows,
        )
        conn.execute(
            text("insert into exchange.referral_activity values (1, :user, :day, 500, 0.1, 1)"),
            rows,
        )
    rollups.refresh(engine, now=NOW, risk=None)

    with engine.connect() as conn:
        found = risk_rows.read(conn, 1, through=T)

    assert len(found.users) == risk_rows.USERS_SHOWN
    assert found.users[0].kyc_status == "verified"
    assert found.volume_usd == Decimal(1_000 * len(USERS))
