"""Reading the policy."""

from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, select

from data_access import tables
from data_access.freshness import Freshness
from data_access.refusals import SettingMissing
from program.policy import Policy, WindowKind


def in_force(connection: Connection, *, now: datetime) -> Policy:
    """The policy that rules at ``now``: the highest version already in effect."""
    table = tables.policies
    newest = (
        _fields().where(table.c.effective_from <= now).order_by(table.c.version.desc()).limit(1)
    )
    row = connection.execute(newest).mappings().first()
    if row is None:
        raise SettingMissing("No policy is in effect. Run `python -m data_access migrate`.")
    return _policy(row)


def of_version(connection: Connection, version: int) -> Policy:
    """One version, whether it rules or not."""
    chosen = _fields().where(tables.policies.c.version == version)
    return _policy(connection.execute(chosen).mappings().one())


def _fields() -> Select[Any]:
    return select(*(tables.policies.c[field.name] for field in fields(Policy)))


def _policy(row: RowMapping) -> Policy:
    lists = {name: tuple(row[name]) for name in ("checklist", "required_checks")}
    return Policy(**{**row, **lists, "window_kind": WindowKind(row["window_kind"])})


def measures_alike(connection: Connection, fresh: Freshness, policy: Policy) -> bool:
    """Whether the metrics of a refresh are those that ``policy`` asks about.

    Minimums may differ, since they are only compared with; what is counted may not.
    """
    if fresh.window_kind is not policy.window_kind:
        return False
    if fresh.policy_version == policy.version:
        return True
    table = tables.policies
    counted = (table.c.active_user_min_volume_usd, table.c.new_user_must_trade)
    row = connection.execute(
        select(*counted).where(table.c.version == fresh.policy_version)
    ).first()
    wanted = (policy.active_user_min_volume_usd, policy.new_user_must_trade)
    return row is not None and tuple(row) == wanted
