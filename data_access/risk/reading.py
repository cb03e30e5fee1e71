"""Read one account's risk: measures, dismissals, and what they mean under a policy."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, select

from data_access.db import tables
from data_access.db.bundles import Bundle
from data_access.risk import columns, judged_risk
from program.periods import utc_day
from program.policy import robust
from program.policy.eligibility import Facts
from program.policy.policy import Policy
from program.policy.robust import Robust
from program.risk import judging
from program.risk.judging import Measured, Risk

ACCOUNT_ID = bindparam("account_id", type_=BigInteger())
_MEASURED, _DISMISSED = tables.risk_measures, tables.risk_dismissals
_COUNTED = tables.policies.alias("counted")
MEASURES = (
    select(_MEASURED, *(_COUNTED.c[name].label(f"by_{name}") for name in judged_risk.RULES))
    .join_from(_MEASURED, _COUNTED, _COUNTED.c.version == _MEASURED.c.policy_version)
    .where(_MEASURED.c.account_id == ACCOUNT_ID)
)
DISMISSALS = (
    select(_DISMISSED)
    .where(_DISMISSED.c.account_id == ACCOUNT_ID)
    .order_by(_DISMISSED.c.dismissal_id.desc())
)
_BOTH = Bundle(measures=MEASURES, dismissals=DISMISSALS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dismissal:
    """A signal that somebody set aside; measures of ``until`` and later count again."""

    signal: str
    reason: str
    until: date
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRisk:
    """What was measured of an account up to ``data_through``, judged.

    ``robust`` is ``None`` if a figure is unknown. ``inputs`` are the numbers behind a signal's
    value, by its id. ``dismissals`` are all there were, newest first.
    """

    data_through: date
    measured_at: datetime
    risk: Risk
    robust: Robust | None
    inputs: Mapping[str, Mapping[str, Any]]
    dismissals: tuple[Dismissal, ...]

    def dismissed(self, signal: str) -> Dismissal | None:
        """Return the dismissal in force of a signal."""
        newest = next((one for one in self.dismissals if one.signal == signal), None)
        return newest if newest is not None and newest.until > self.data_through else None

    def times_dismissed(self, signal: str) -> int:
        """Return how often a signal was dismissed; ends of a dismissal are not counted."""
        return sum(one.signal == signal and one.until > utc_day(one.at) for one in self.dismissals)


def read(
    connection: Connection, account_id: int, *, facts: Facts, policy: Policy
) -> AccountRisk | None:
    """Return an account's risk, ``None`` if it was not measured.

    ``facts`` are its current ones, for eligibility without parts of the activity.
    """
    found = _BOTH.read(connection, **{ACCOUNT_ID.key: account_id})
    return of_rows(found["measures"], found["dismissals"], facts=facts, policy=policy)


def of_rows(
    measures: Sequence[Mapping[Any, Any]],
    dismissals: Iterable[Mapping[Any, Any]],
    *,
    facts: Facts,
    policy: Policy,
) -> AccountRisk | None:
    """Judge the rows of `MEASURES` and `DISMISSALS`."""
    if not measures:
        return None
    [row] = measures
    parts = _parts(row, policy)
    measured = {one.id: _measured(row, one.column) for one in columns.MEASURED}
    measured[robust.FRAGILE] = robust.measure(facts, parts, policy)
    known = tuple(
        Dismissal(**{name: one[name] for name in Dismissal.__slots__}) for one in dismissals
    )
    newest = {one.signal: one.until for one in reversed(known)}
    dismissed = [signal for signal, until in newest.items() if until > row["data_through"]]
    return AccountRisk(
        data_through=row["data_through"],
        measured_at=row["measured_at"],
        risk=judging.judge(measured, policy.risk_thresholds, dismissed),
        robust=robust.judge(facts, parts, policy),
        inputs=row["inputs"],
        dismissals=known,
    )


def _measured(row: Mapping[Any, Any], column: str) -> Measured:
    return Measured(value=row[column], sample=row.get(f"{column}_sample"))


def _parts(row: Mapping[Any, Any], policy: Policy) -> dict[str, Facts]:
    """Return the facts of each part; none if they were counted by other rules."""
    rules = {name: row[f"by_{name}"] == getattr(policy, name) for name in judged_risk.RULES}
    if not all(rules.values()):
        return {}
    return {
        variant.key: Facts(**{c.key: row[f"{variant.key}_{c.key}"] for c in robust.CRITERIA})
        for variant in robust.VARIANTS
    }
