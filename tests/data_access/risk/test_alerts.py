"""Breaks of approved affiliates between two measurings become alerts, once."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from psycopg import Cursor
from psycopg.rows import DictRow
from sqlalchemy import Engine, text

from data_access.eligibility import policies
from data_access.risk import measuring
from data_access.risk.frame import Measuring, Part
from program.policy.policy import Policy
from tests.builders import (
    NOW,
    STAFF,
    T,
    add_account,
    add_application,
    add_refresh,
    add_staff,
)

AFFILIATE, WAITING, NEW = 1, 2, 3
MIRA = "mira@example.com"
COLUMNS = (
    *("r06", "r06_sample", "r07", "r07_sample", "r24", "r24_sample", "r28", "r28_sample", "r33"),
)
Values = Mapping[int, Mapping[str, Any]]
NEXT = T + timedelta(days=1)


@pytest.fixture
def program(engine: Engine) -> Engine:
    """An approved affiliate, an open application, and one approved later; nothing is measured."""
    with engine.begin() as conn:
        add_staff(conn)
        for number in (AFFILIATE, WAITING, NEW):
            add_application(conn, number, status="pending" if number == WAITING else "approved")
        add_account(conn, 90)
        add_account(conn, 91)
        conn.execute(
            text(
                "insert into exchange.referrals values (1, 90, now()), (3, 91, now());"
                " insert into review.affiliate_tested (account_id, application_id, decision_id,"
                " approved_at) values (1, 1, 1, now()), (3, 3, 3, now())"
            )
        )
        add_refresh(conn, through=T)
    return engine


def measure(engine: Engine, values: Values, *, through: date = T, **given: Any) -> None:
    """Measure these values instead of the real parts."""
    if through != T:
        with engine.begin() as conn:
            add_refresh(conn, through=through)

    def fill(cursor: Cursor[DictRow], _: Measuring) -> None:
        cursor.execute(
            "create temporary table given on commit drop as"
            f" select account_id, {', '.join(COLUMNS)},"
            " null as inputs from review.risk_measures limit 0"
        )
        for account, row in values.items():
            columns = ", ".join(["account_id", *row])
            cells = ", ".join(["%s"] * len(row))
            cursor.execute(
                f"insert into given ({columns}) values (%s, {cells})",
                [account, *row.values()],
            )

    part = Part(name="given", columns=COLUMNS, fill=fill)
    measuring.measure(engine, now=given.pop("now", NOW), parts=[part], **given)


def found(engine: Engine) -> list[tuple[Any, ...]]:
    with engine.connect() as conn:
        rows = conn.execute(
            text(
                "select account_id, signal, severity, value, threshold, data_through"
                " from review.risk_alerts order by alert_id"
            )
        )
        return [tuple(row) for row in rows]


CLEAR = {"r06": 1, "r07": 0.1, "r07_sample": 10, "r24": 1, "r28": 1, "r28_sample": 7}


@pytest.mark.parametrize(
    ("after", "alert"),
    [
        ({"r06": 3.999999}, None),
        ({"r06": 4}, ("R06", "warn", Decimal(4), Decimal(4))),
        ({"r06": 10}, ("R06", "high", Decimal(10), Decimal(10))),
        # With more users less is unusual.
        ({"r06": 3, "r06_sample": 29}, None),
        ({"r06": 3, "r06_sample": 30}, ("R06", "warn", Decimal(3), Decimal(3))),
        ({"r06": 6, "r06_sample": 30}, ("R06", "high", Decimal(6), Decimal(6))),
        ({"r07": 0.5, "r07_sample": 9}, None),
        ({"r07": 0.5}, ("R07", "high", Decimal("0.5"), Decimal("0.50"))),
        ({"r24": 0.21}, None),
        ({"r24": 0.04}, ("R24", "high", Decimal("0.04"), Decimal("0.04"))),
        ({"r28": 0.35}, ("R28", "warn", Decimal("0.35"), Decimal("0.35"))),
        ({"r28": 0, "r28_sample": 6}, None),
        # Not a break that a moving market leaves out.
        ({"r33": 1}, None),
        ({"r06": None}, None),
    ],
)
def test_a_break_since_the_previous_measuring_is_an_alert(
    program: Engine, after: Mapping[str, Any], alert: tuple[Any, ...] | None
) -> None:
    measure(program, {AFFILIATE: CLEAR, WAITING: CLEAR})
    assert found(program) == []

    changed = {**CLEAR, **after}
    measure(program, {AFFILIATE: changed, WAITING: changed}, through=NEXT)

    assert found(program) == ([(AFFILIATE, *alert, NEXT)] if alert else [])


def test_what_was_flagged_or_never_measured_before_is_no_news(program: Engine) -> None:
    spike = {**CLEAR, "r06": 4}
    measure(program, {AFFILIATE: spike})
    assert found(program) == []
    measure(program, {AFFILIATE: {**CLEAR, "r06": 6}}, through=NEXT)
    assert found(program) == []

    # Measured without enough data is not flagged.
    measure(program, {AFFILIATE: {**CLEAR, "r06": None}}, through=NEXT + timedelta(days=1))
    measure(program, {AFFILIATE: spike}, through=NEXT + timedelta(days=2))
    measure(program, {AFFILIATE: spike}, through=NEXT + timedelta(days=2))
    assert [row[1] for row in found(program)] == ["R06"]


def test_an_alert_of_a_day_is_written_once(program: Engine) -> None:
    for values in (CLEAR, {**CLEAR, "r06": 4}, CLEAR, {**CLEAR, "r06": 4}):
        measure(program, {AFFILIATE: values})

    assert len(found(program)) == 1


def test_stricter_thresholds_alone_are_no_break(program: Engine) -> None:
    measure(program, {AFFILIATE: {**CLEAR, "r06": 3.5}})
    stricter = Policy(
        version=2, effective_from=NOW, author=MIRA, risk_thresholds={"R06.warn": Decimal(3)}
    )
    with program.begin() as conn:
        policies.add(conn, stricter)
    later = NOW + timedelta(minutes=1)

    measure(program, {AFFILIATE: {**CLEAR, "r06": 3.6}}, through=NEXT, now=later)
    assert found(program) == []
    after = NEXT + timedelta(days=1)
    measure(program, {AFFILIATE: CLEAR}, through=after, now=later)
    measure(program, {AFFILIATE: {**CLEAR, "r06": 3}}, through=after, now=later)
    assert [row[3:5] for row in found(program)] == [(Decimal(3), Decimal(3))]


@pytest.mark.parametrize(("until", "alerts"), [(NEXT, 1), (NEXT + timedelta(days=1), 0)])
def test_a_dismissed_signal_raises_no_alert_until_the_day_it_ends(
    program: Engine, until: date, alerts: int
) -> None:
    measure(program, {AFFILIATE: CLEAR})
    with program.begin() as conn:
        conn.execute(
            text(
                "insert into review.risk_dismissals (account_id, signal, reason, until, actor, at)"
                " values (1, 'R06', 'A contest', :until, :actor, now())"
            ),
            {"until": until, "actor": next(iter(STAFF))},
        )

    measure(program, {AFFILIATE: {**CLEAR, "r06": 4}}, through=NEXT)

    assert len(found(program)) == alerts


def test_a_terminated_affiliate_raises_no_alert(program: Engine) -> None:
    measure(program, {AFFILIATE: CLEAR, NEW: CLEAR})
    with program.begin() as conn:
        conn.execute(
            text(
                "insert into review.affiliate_standings (account_id, status, since, changed_by,"
                " reason_code, reason, misses) values (1, 'terminated', now(), :actor, 'other', 'Left', 0)"
            ),
            {"actor": next(iter(STAFF))},
        )

    spike = {**CLEAR, "r06": 4}
    measure(program, {AFFILIATE: spike, NEW: spike}, through=NEXT)

    assert [row[0] for row in found(program)] == [NEW]
