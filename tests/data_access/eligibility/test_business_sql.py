"""Business time in SQL is that of the program."""

from collections.abc import Sequence
from datetime import datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, DateTime, Integer, column, delete, insert, select, values

from data_access.db import tables
from data_access.eligibility import business_sql
from program.review import business_time
from program.review.business_time import Holidays
from tests.program.review.test_business_time import holidays, moments

Span = tuple[datetime, datetime]
spans = st.lists(st.tuples(moments, moments), min_size=1, max_size=30)


def put_off(conn: Connection, off: Holidays) -> None:
    conn.execute(delete(tables.holidays))
    if off:
        conn.execute(insert(tables.holidays), [{"day": day, "name": "off"} for day in off])


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=spans, off=holidays)
def test_business_time_in_sql_is_that_of_the_program(
    conn: Connection, pairs: Sequence[Span], off: Holidays
) -> None:
    put_off(conn, off)
    pairs = [(min(pair), max(pair)) for pair in pairs]
    zoned = DateTime(timezone=True)
    table = values(
        column("place", Integer), column("begun", zoned), column("ended", zoned), name="spans"
    ).data([(place, *pair) for place, pair in enumerate(pairs)])
    took = business_sql.elapsed(table.c.begun, table.c.ended)
    found = conn.execute(select(took).order_by(table.c.place)).scalars().all()

    assert found == [business_time.elapsed(*pair, off) for pair in pairs]
