"""Rows that were recorded about an application, newest first."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Connection, RowMapping, Select, Table, bindparam, select

APPLICATION_ID = bindparam("application_id", type_=BigInteger())


@cache
def newest_first(table: Table) -> Select[Any]:
    """Select the rows about `APPLICATION_ID`, newest first; none is ever removed."""
    [key] = table.primary_key
    return select(table).where(table.c.application_id == APPLICATION_ID).order_by(key.desc())


def read(connection: Connection, table: Table, application_id: int) -> Sequence[RowMapping]:
    """Return the rows about an application, newest first."""
    given = {"application_id": application_id}
    return connection.execute(newest_first(table), given).mappings().all()
