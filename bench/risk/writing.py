"""Write simulated affiliates as rows of the exchange."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
from sqlalchemy import Connection, Engine, text

from bench.risk.honest import DAYS, Floats, Users
from data_access.db import partitions

THROUGH = date(2026, 3, 14)
FIRST_DAY = THROUGH - timedelta(days=DAYS - 1)
# Everybody else, of whom no affiliate is a noticeable part.
OTHERS = 1
OTHERS_USD = 2e10
FIRST_AFFILIATE = 1_000
FIRST_USER = 1_000_000
# Long enough ago that the days after the approval are complete.
APPROVED_DAYS_AGO = 80
REVIEWER = "reviewer@example.org"
RATE = "0.40"


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """One affiliate: approved, or applying the day after T; which archetype, "" if honest."""

    users: Users
    approved: bool
    kind: str
    size: int


def write(engine: Engine, affiliates: Sequence[Simulated], level: Floats) -> dict[int, Simulated]:
    """Write their rows; returns them by account."""
    ids = {FIRST_AFFILIATE + place: one for place, one in enumerate(affiliates)}
    counts = [len(one.users) for one in affiliates]
    edges = FIRST_USER + np.concatenate([[0], np.cumsum(counts)])
    users = [np.arange(a, b) for a, b in pairwise(edges)]
    with engine.begin() as connection:
        partitions.ensure_months(connection, FIRST_DAY, THROUGH)
        _copy(connection, "exchange.accounts", _affiliate_accounts(ids))
        _copy(connection, "exchange.accounts", _user_accounts(affiliates, users))
        _applications(connection, ids)
        _copy(connection, "exchange.referrals", _referrals(ids, users))
        _copy(connection, "exchange.referral_activity", _others(level))
        for some in np.array_split(np.arange(len(affiliates)), max(len(affiliates) // 200, 1)):
            _copy(connection, "exchange.referral_activity", _activity(ids, users, some))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("analyze"))
    return ids


def _copy(connection: Connection, table: str, columns: dict[str, Any]) -> None:
    rows = io.BytesIO()
    options = pa.csv.WriteOptions(include_header=False)
    pa.csv.write_csv(pa.table(columns), rows, options)
    with connection.connection.cursor().copy(  # type: ignore[attr-defined]
        f"copy {table} ({', '.join(columns)}) from stdin (format csv)"
    ) as copy:
        copy.write(rows.getbuffer())


def _moments(days: Floats) -> Any:
    return np.datetime64(FIRST_DAY, "us") + (days * 86_400e6).astype("timedelta64[us]")


def _affiliate_accounts(ids: dict[int, Simulated]) -> dict[str, Any]:
    return {
        "account_id": list(ids),
        "username": [f"affiliate{id_}" for id_ in ids],
        "email": [one.users.own_email for one in ids.values()],
        "country_code": [one.users.home for one in ids.values()],
        "kyc_status": ["verified"] * len(ids),
        "created_at": [FIRST_DAY - timedelta(days=600)] * len(ids),
        "first_seen_at": [FIRST_DAY - timedelta(days=600)] * len(ids),
    }


def _user_accounts(affiliates: Sequence[Simulated], users: list[Any]) -> dict[str, Any]:
    ids = np.concatenate(users)
    created = _moments(np.concatenate([one.users.created for one in affiliates]))
    return {
        "account_id": ids,
        "username": [f"user{id_}" for id_ in ids],
        "email": np.concatenate([one.users.email for one in affiliates]),
        "country_code": np.concatenate([one.users.country for one in affiliates]),
        "kyc_status": np.concatenate([one.users.kyc for one in affiliates]),
        "created_at": created,
        "first_seen_at": created,
    }


def _referrals(ids: dict[int, Simulated], users: list[Any]) -> dict[str, Any]:
    counts = [len(one) for one in users]
    referred = np.concatenate([one.users.referred for one in ids.values()])
    return {
        "affiliate_account_id": np.repeat(list(ids), counts),
        "referred_account_id": np.concatenate(users),
        "referred_at": _moments(referred),
    }


def _others(level: Floats) -> dict[str, Any]:
    volume = np.round(OTHERS_USD * level, 2)
    return {
        "affiliate_account_id": np.full(DAYS, OTHERS),
        "referred_account_id": np.full(DAYS, OTHERS + 1),
        "activity_date": np.datetime64(FIRST_DAY, "D") + np.arange(DAYS),
        "volume_usd": volume,
        "fees_usd": np.round(volume * 3e-4, 6),
        "trade_count": np.full(DAYS, 1_000_000),
    }


def _activity(ids: dict[int, Simulated], users: list[Any], some: Any) -> dict[str, Any]:
    accounts = list(ids)
    parts = []
    for place in some:
        own = ids[accounts[place]].users
        rows, days = np.nonzero(own.volume)
        parts.append(
            (
                np.full(len(rows), accounts[place]),
                users[place][rows],
                np.datetime64(FIRST_DAY, "D") + days,
                own.volume[rows, days],
                np.round(own.fees[rows, days], 6),
                own.trades[rows, days],
            )
        )
    names = (
        *("affiliate_account_id", "referred_account_id", "activity_date"),
        *("volume_usd", "fees_usd", "trade_count"),
    )
    return dict(zip(names, map(np.concatenate, zip(*parts, strict=True)), strict=True))


def _applications(connection: Connection, ids: dict[int, Simulated]) -> None:
    approved = [one.approved for one in ids.values()]
    decided = THROUGH - timedelta(days=APPROVED_DAYS_AGO)
    _copy(
        connection,
        "exchange.applications",
        {
            "application_id": list(ids),
            "account_id": list(ids),
            "social_handle": [f"@creator{id_}" for id_ in ids],
            "contact_platform": ["telegram"] * len(ids),
            "contact_handle": [f"contact{id_}" for id_ in ids],
            "submitted_at": [
                decided - timedelta(days=2) if one else THROUGH + timedelta(days=1)
                for one in approved
            ],
            "status": ["approved" if one else "pending" for one in approved],
        },
    )
    _decisions(connection, [id_ for id_, one in ids.items() if one.approved], decided)
    _evidence(connection, ids)


def _decisions(connection: Connection, approved: list[int], decided: date) -> None:
    connection.execute(
        text(
            "insert into review.decisions (application_id, outcome, rationale, rebate_rate, "
            "is_override, decided_by, decided_at, policy_version, snapshot) "
            "select id, 'approved', 'Simulated.', cast(:rate as numeric), false, :by, :at, 1, '{}' "
            "from unnest(cast(:ids as bigint[])) as id"
        ),
        {"ids": approved, "rate": RATE, "by": REVIEWER, "at": decided},
    )


def _evidence(connection: Connection, ids: dict[int, Simulated]) -> None:
    """Followers seen twice within 30 days, and a screenshot that the applicant supplied."""
    looks = (("profile_page", 40), ("profile_page", 15), ("screenshot", 10))
    for place, (method, ago) in enumerate(looks):
        _copy(
            connection,
            "review.evidence",
            {
                "application_id": list(ids),
                "kind": ["x_followers"] * len(ids),
                "value": [int(one.users.followers[place]) for one in ids.values()],
                "method": [method] * len(ids),
                "observed_at": [THROUGH - timedelta(days=ago)] * len(ids),
                "recorded_by": [REVIEWER] * len(ids),
            },
        )
