"""Merge each kind in its own way."""

# ruff: noqa: S608 - names come from the tables in `kinds`; what a file says is never in a text

from collections.abc import Callable, Mapping
from types import MappingProxyType

from sqlalchemy import Connection, text

from data_access.db import locks
from data_access.loading import activity, applications, archived_facts
from data_access.loading.arrival import Arrival, Merged, refuse_repeated, upsert
from data_access.loading.staging import TABLE


def wait_for_turn(connection: Connection) -> None:
    """Wait for other loads, however long they take."""
    connection.execute(text("set local lock_timeout = 0"))
    connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": locks.LOAD})
    connection.execute(text("set local lock_timeout to default"))


def merge(arrival: Arrival) -> Merged:
    """Merge the staged rows. Raises LoadRefused."""
    return MERGES[arrival.kind.name](arrival)


def _accounts(arrival: Arrival) -> Merged:
    refuse_repeated(arrival, arrival.kind.key)
    # The time of this load, which a refresh compares with its own.
    return upsert(arrival, also="first_seen_at")


def _referrals(arrival: Arrival) -> Merged:
    refuse_repeated(arrival, arrival.kind.key)
    _refuse_second_affiliates(arrival)
    merged = upsert(arrival)
    archived_facts.refuse_referrals(arrival)
    return merged


def _refuse_second_affiliates(arrival: Arrival) -> None:
    arrival.name_rows(
        "select s.staged, s.referred_account_id::text, o.first "
        f"from {TABLE} s join (select referred_account_id, min(staged) as first from {TABLE} "
        "group by 1 having count(*) > 1) o using (referred_account_id) where s.staged > o.first",
        "referred_account_id",
        "has another affiliate on {other}; a referred account has one",
    )
    arrival.name_rows(
        "select s.staged, s.referred_account_id::text, null::bigint "
        f"from {TABLE} s join exchange.referrals t using (referred_account_id) "
        "where t.affiliate_account_id <> s.affiliate_account_id",
        "referred_account_id",
        "was already referred by another affiliate; a referred account has one",
    )
    arrival.problems.refuse_if_any()


MERGES: Mapping[str, Callable[[Arrival], Merged]] = MappingProxyType(
    {
        "accounts": _accounts,
        "applications": applications.merge,
        "referrals": _referrals,
        "activity": activity.merge,
    }
)
