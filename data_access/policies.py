"""Reading the policy: the version in force, the newest one, and all there were."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, insert, select

from data_access import tables
from data_access.freshness import Freshness
from data_access.refusals import SettingMissing
from program import policy_settings
from program.policy import Policy, WindowKind
from program.policy_settings import Change

NAMES = tuple(field.name for field in fields(Policy))


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A version with who confirmed it, where two people published it, and what it changed."""

    policy: Policy
    confirmed_by: str | None
    confirmed_at: datetime | None
    changes: tuple[Change, ...]


def in_force(connection: Connection, *, now: datetime) -> Policy:
    """The policy that rules at ``now``: the highest version already in effect."""
    table = tables.policies
    return _first(connection, _selected().where(table.c.effective_from <= now))


def newest(connection: Connection) -> Policy:
    """The highest version, whether it rules already or on a later day."""
    return _first(connection, _selected())


def version(connection: Connection, number: int) -> Policy:
    """The version of this number; it must exist."""
    return _first(connection, _selected().where(tables.policies.c.version == number))


def every(connection: Connection) -> list[Policy]:
    """All versions, newest first."""
    return [_policy(row) for row in connection.execute(_selected()).mappings()]


def history(connection: Connection) -> list[Published]:
    """All versions, newest first, each with what it changed against the one before."""
    draft = tables.policy_drafts
    confirmed = {
        row.version: row
        for row in connection.execute(
            select(draft.c.version, draft.c.closed_by, draft.c.closed_at).where(
                draft.c.version.is_not(None)
            )
        )
    }
    found = every(connection)
    return [
        Published(
            policy=policy,
            confirmed_by=confirmed[policy.version].closed_by
            if policy.version in confirmed
            else None,
            confirmed_at=confirmed[policy.version].closed_at
            if policy.version in confirmed
            else None,
            changes=policy_settings.changes(before, policy) if before else (),
        )
        for policy, before in zip(found, [*found[1:], None], strict=True)
    ]


def add(connection: Connection, policy: Policy) -> None:
    """Append a version; its number must be a new one."""
    row = {name: getattr(policy, name) for name in NAMES}
    connection.execute(insert(tables.policies).values({k: _stored(v) for k, v in row.items()}))


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


def _selected() -> Select[Any]:
    table = tables.policies
    return select(*(table.c[name] for name in NAMES)).order_by(table.c.version.desc())


def _first(connection: Connection, statement: Select[Any]) -> Policy:
    row = connection.execute(statement.limit(1)).mappings().first()
    if row is None:
        raise SettingMissing("No policy is in effect. Run `python -m data_access migrate`.")
    return _policy(row)


def _policy(row: Mapping[Any, Any]) -> Policy:
    lists = {name: tuple(v) for name, v in row.items() if isinstance(v, list)}
    return Policy(**{**row, **lists, "window_kind": WindowKind(row["window_kind"])})


def _stored(value: Any) -> Any:  # noqa: ANN401 - each setting has its own type
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, WindowKind) else value
