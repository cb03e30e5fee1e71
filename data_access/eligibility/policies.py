"""Read the policy: the version in force, the newest one, and the history."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    exists,
    func,
    insert,
    select,
)

from data_access.db import tables
from data_access.db.errors import SettingMissing
from program.periods import WindowKind
from program.policy import settings
from program.policy.policy import Policy
from program.policy.settings import Change

NAMES = tuple(field.name for field in fields(Policy))


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A version with its changes and, if two people published it, who confirmed it.

    ``changes`` are against ``base_version``. ``withdrawn_by`` is the second manager who withdrew it
    before it took effect.
    """

    policy: Policy
    confirmed_by: str | None
    base_version: int | None
    changes: tuple[Change, ...]
    withdrawn_by: str | None = None
    withdrawn_at: datetime | None = None


def in_force(connection: Connection, *, now: datetime) -> Policy:
    """Return the policy in force at ``now``, by `review.policy_in_force`."""
    number = func.review.policy_in_force(now, type_=Integer)
    return _first(connection, _selected().where(tables.policies.c.version == number))


def scheduled(connection: Connection, *, now: datetime) -> list[Policy]:
    """Return versions that take effect after ``now``, the next one first."""
    table = tables.policies
    query = _selected().where(table.c.effective_from > now, ~_withdrawn())
    rows = connection.execute(
        query.order_by(None).order_by(table.c.effective_from, table.c.version)
    )
    return [of_row(row) for row in rows.mappings()]


def newest(connection: Connection) -> Policy:
    """Return the version in force last, whether it has taken effect or is scheduled."""
    table = tables.policies
    order = (table.c.effective_from.desc(), table.c.version.desc())
    return _first(connection, _selected().where(~_withdrawn()).order_by(None).order_by(*order))


def next_number(connection: Connection) -> int:
    """Return the number of the next version; numbers of withdrawn versions are not reused."""
    last: int = connection.execute(select(func.max(tables.policies.c.version))).scalar_one()
    return last + 1


def version(connection: Connection, number: int) -> Policy:
    """Return the version with this number, which must exist."""
    return _first(connection, _selected().where(tables.policies.c.version == number))


def every(connection: Connection) -> list[Policy]:
    """Return all versions that were not withdrawn, newest first."""
    rows = connection.execute(_selected().where(~_withdrawn()))
    return [of_row(row) for row in rows.mappings()]


def history(connection: Connection) -> list[Published]:
    """Return all versions, newest first, each with its changes against the version it builds on."""
    draft, gone = tables.policy_drafts, tables.policy_withdrawals
    confirmed = {
        row.version: row
        for row in connection.execute(select(draft).where(draft.c.version.is_not(None)))
    }
    taken_back = {
        row.version: row
        for row in connection.execute(select(gone).where(gone.c.closed_as == "withdrawn"))
    }
    found = {row["version"]: of_row(row) for row in connection.execute(_selected()).mappings()}
    listed = []
    for number, policy in found.items():
        by, back = confirmed.get(number), taken_back.get(number)
        # A version inserted by other means builds on the number before.
        base = by.base_version if by else number - 1 if number - 1 in found else None
        listed.append(
            Published(
                policy=policy,
                confirmed_by=by.closed_by if by else None,
                base_version=base,
                changes=settings.changes(found[base], policy) if base else (),
                withdrawn_by=back.closed_by if back else None,
                withdrawn_at=back.closed_at if back else None,
            )
        )
    return listed


def add(connection: Connection, policy: Policy) -> None:
    """Append a version; its number must be new."""
    connection.execute(insert(tables.policies).values(_columns(policy)))


def as_json(policy: Policy) -> str:
    """Return the row of a policy that may not be stored, for `jsonb_populate_record`."""
    return json.dumps(_columns(policy), default=str)


def _columns(policy: Policy) -> dict[str, Any]:
    return {name: _stored(getattr(policy, name)) for name in NAMES}


def _withdrawn() -> ColumnElement[bool]:
    gone = tables.policy_withdrawals
    return exists().where(
        gone.c.version == tables.policies.c.version, gone.c.closed_as == "withdrawn"
    )


def _selected() -> Select[Any]:
    table = tables.policies
    return select(*(table.c[name] for name in NAMES)).order_by(table.c.version.desc())


def _first(connection: Connection, statement: Select[Any]) -> Policy:
    row = connection.execute(statement.limit(1)).mappings().first()
    if row is None:
        raise none_in_force()
    return of_row(row)


def none_in_force() -> SettingMissing:
    """Return the refusal for a database without a policy."""
    return SettingMissing("No policy is in effect. Run `python -m data_access migrate`.")


def of_row(row: Mapping[Any, Any]) -> Policy:
    """Return the policy in the columns `NAMES` of a row."""
    found = {name: row[name] for name in NAMES}
    lists = {name: tuple(value) for name, value in found.items() if isinstance(value, list)}
    thresholds = {key: Decimal(limit) for key, limit in found["risk_thresholds"].items()}
    return Policy(
        **{
            **found,
            **lists,
            "window_kind": WindowKind(found["window_kind"]),
            "risk_thresholds": thresholds,
        }
    )


def _stored(value: Any) -> Any:  # noqa: ANN401 - each setting has its own type
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Mapping):
        return {key: f"{limit.normalize():f}" for key, limit in value.items()}
    return str(value) if isinstance(value, WindowKind) else value
