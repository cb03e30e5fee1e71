"""Reading the policy."""

from dataclasses import fields
from datetime import datetime

from sqlalchemy import Connection, select

from data_access import tables
from data_access.refusals import SettingMissing
from program.policy import Policy, WindowKind


def in_force(connection: Connection, *, now: datetime) -> Policy:
    """The policy that rules at ``now``: the highest version already in effect."""
    table = tables.policies
    names = [field.name for field in fields(Policy)]
    row = (
        connection.execute(
            select(*(table.c[name] for name in names))
            .where(table.c.effective_from <= now)
            .order_by(table.c.version.desc())
            .limit(1)
        )
        .mappings()
        .first()
    )
    if row is None:
        raise SettingMissing("No policy is in effect. Run `python -m data_access migrate`.")
    return Policy(**{**row, "window_kind": WindowKind(row["window_kind"])})
