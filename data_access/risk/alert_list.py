"""Read alerts: by day for screens, by number for mails."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from program.risk.alerts import Alert
from program.risk.signals import BY_ID, Severity

DAYS = """
select data_through as day, count(*) as alerts, count(distinct account_id) as affiliates
from review.risk_alerts group by 1 order by 1 desc limit :most
"""
# The newest approved application, which the affiliate is known by; else the newest.
ALERTS = """
select alert.*, account.username, application.application_id{columns}
from review.risk_alerts as alert
join exchange.accounts as account using (account_id)
cross join lateral (
    select application_id from exchange.applications as a where a.account_id = alert.account_id
    order by a.status = 'approved' desc, application_id desc limit 1) as application
{joins}
where {which}
order by severity = 'warn', alert.data_through desc, alert.signal, alert_id
limit :most
"""
# Set aside after the alert, and still.
DISMISSED = """
left join review.standing_dismissals as dismissal
    on dismissal.account_id = alert.account_id and dismissal.signal = alert.signal
        and dismissal.at >= alert.noticed_at
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A data-through day with alerts."""

    day: date
    alerts: int
    affiliates: int


def days(connection: Connection, *, most: int) -> list[Day]:
    """Return the newest days with alerts, newest first."""
    rows = connection.execute(text(DAYS), {"most": most})
    return [Day(**row) for row in rows.mappings()]


def of_day(connection: Connection, day: date, *, most: int) -> list[Alert]:
    """Return the alerts of a day, high ones first, with what was dismissed since."""
    statement = ALERTS.format(
        columns=", dismissal.until as dismissed_until",
        joins=DISMISSED,
        which="alert.data_through = :day",
    )
    return _alerts(connection, statement, {"day": day, "most": most})


def between(connection: Connection, first: int, last: int, *, most: int) -> list[Alert]:
    """Return the alerts with these numbers, high ones first."""
    which = "alert_id between :first and :last"
    statement = ALERTS.format(columns="", joins="", which=which)
    return _alerts(connection, statement, {"first": first, "last": last, "most": most})


def count(connection: Connection, first: int, last: int) -> int:
    """Return how many alerts have these numbers."""
    statement = "select count(*) from review.risk_alerts where alert_id between :first and :last"
    number: int = connection.execute(text(statement), {"first": first, "last": last}).scalar_one()
    return number


def _alerts(connection: Connection, statement: str, given: dict[str, Any]) -> list[Alert]:
    rows: Sequence[Any] = connection.execute(text(statement), given).all()
    return [
        Alert(
            alert_id=row.alert_id,
            account_id=row.account_id,
            application_id=row.application_id,
            username=row.username,
            signal=BY_ID[row.signal],
            severity=Severity(row.severity),
            value=row.value,
            threshold=row.threshold,
            since=row.data_through,
            dismissed_until=getattr(row, "dismissed_until", None),
        )
        for row in rows
    ]
