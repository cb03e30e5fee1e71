"""Read risk as it is judged in SQL, under any policy."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    FromClause,
    Integer,
    Text,
    cast,
    column,
    func,
    literal,
    literal_column,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, array

from program.policy import robust
from program.policy.criteria import CRITERIA
from program.policy.policy import Policy
from program.policy.robust import Robust
from program.risk.judging import Headline
from program.risk.signals import Severity

# What the parts of an account's activity are counted by.
RULES = ("active_user_min_volume_usd", "new_user_must_trade", "window_kind")
COUNTS = ("met", *(variant.key for variant in robust.VARIANTS))


def policy_json(policy: Policy) -> dict[str, Any]:
    """Return what judging reads of a policy, as JSON for `jsonb_populate_record`."""
    named = {c.minimum: str(getattr(policy, c.minimum)) for c in CRITERIA}
    rules = {name: str(getattr(policy, name)) for name in RULES}
    thresholds = {key: str(limit) for key, limit in policy.risk_thresholds.items()}
    return {**named, **rules, "risk_thresholds": thresholds}


def of_account(policy: Policy, account_id: ColumnElement[int]) -> FromClause:
    """Return the row's risk, to be joined outer and on true; none if it was not measured."""
    record: ColumnElement[Any] = literal_column("null::review.policies")
    given = func.jsonb_populate_record(
        record, cast(literal(json.dumps(policy_json(policy)), Text), JSONB)
    )
    ids = array([account_id])
    return (
        func.review.judged_risk(given, ids)
        .table_valued(
            column("account_id", BigInteger),
            column("data_through", Date),
            column("level", Text),
            column("score", Integer),
            column("signals", ARRAY(Text)),
            *(column(name, Integer) for name in COUNTS),
        )
        .lateral("risk")
    )


def values(risk: FromClause) -> dict[str, ColumnElement[Any]]:
    """Return the columns of an outer-joined `of_account`, as exports have them."""
    return {
        "risk_level": func.coalesce(risk.c.level, str(Severity.NOT_ENOUGH_DATA)),
        "risk_score": risk.c.score,
        "risk_signals": func.nullif(func.array_to_string(risk.c.signals, ";"), ""),
        **{f"robust_{name}": risk.c[name] for name in COUNTS},
    }


def headline_of(row: Mapping[Any, Any]) -> Headline:
    """Return the headline in a standing's columns."""
    return Headline(
        level=Severity(row["risk_level"]),
        score=row["risk_score"],
        signals=tuple(row["risk_signals"]),
    )


def robust_of(row: Mapping[Any, Any]) -> Robust | None:
    """Return how many criteria are met in a standing's columns; ``None`` if it is unknown."""
    counts = {name: row[f"robust_{name}"] for name in COUNTS}
    return None if counts["met"] is None else Robust(**counts)
