"""What the chain costs a decision."""

import statistics
import time

import pytest
from sqlalchemy import Connection, Engine, text

from data_access.queue import standings
from tests.builders import NOW, add_eligible, add_refresh, add_staff
from tests.data_access import clicks

ROUNDS, EACH = 16, 20
MOST_MS, MOST_TIMES = 10, 1.2


@pytest.mark.slow
def test_a_decision_takes_at_most_a_fifth_longer_and_ten_milliseconds(engine: Engine) -> None:
    with engine.begin() as conn:
        add_staff(conn)
        add_refresh(conn)
    standings.restate(engine, now=NOW)
    with engine.begin() as conn:
        ids = iter([add_eligible(conn, 9_000 + n) for n in range(2 * (ROUNDS + 1) * EACH)])
    took: dict[bool, list[float]] = {True: [], False: []}
    for round_ in range(ROUNDS + 1):
        # Alternating, so that both see the same machine; the first round warms up.
        for chained in (True, False):
            with engine.begin() as conn:
                switch(conn, chained=chained)
            for _ in range(EACH):
                id_ = next(ids)
                shown = clicks.viewed_with_checks(engine, id_)
                began = time.perf_counter()
                clicks.approve(engine, id_, shown=shown)
                if round_:
                    took[chained].append((time.perf_counter() - began) * 1000)

    # The lower quartile: what the machine does besides makes single decisions slow, never fast.
    with_chain, without = (statistics.quantiles(took[one])[0] for one in (True, False))
    print(f"a decision: {with_chain:.1f} ms with the chain, {without:.1f} ms without")  # noqa: T201
    assert with_chain - without <= MOST_MS
    assert with_chain <= MOST_TIMES * without


def switch(conn: Connection, *, chained: bool) -> None:
    order = "enable always" if chained else "disable"
    for table in ("decisions", "events", "notes"):
        conn.execute(text(f"alter table review.{table} {order} trigger chained"))
