"""Mail new alerts to managers: one digest a UTC day each, sent at most once (`staff_mails`).

A digest may name applicants but holds no text; it is rendered from its range of alerts.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, text

from data_access.db import tables
from data_access.db.database import acting
from data_access.messages import settings as message_settings
from data_access.messages.leases import Outgoing
from data_access.messages.staff_mails import StaffMail
from data_access.risk import alert_list
from program.messages import letters
from program.messages.delivery import Route
from program.periods import utc_day
from program.review.permissions import Role
from program.risk import alerts

# Who had no mail for longer is not told of everything at once.
OLDEST = timedelta(days=7)
MAKE = text(
    """
    insert into review.risk_digests
        (day, manager, first_alert, last_alert, created_at, next_attempt_at)
    select :day, staff.email, min(alert_id), max(alert_id), :now, :now
    from review.staff
    join review.risk_alerts on noticed_at > :oldest and alert_id > coalesce((
        select max(last_alert) from review.risk_digests where manager = staff.email), 0)
    where staff.active and staff.role = 'manager'
    group by staff.email
    on conflict on constraint risk_digests_one_a_day do nothing
    """
)


def make(engine: Engine, now: datetime) -> int:
    """Make the day's digests for managers with new alerts; returns how many. Safe to repeat."""
    with acting(engine) as connection:
        if message_settings.in_force(connection).silent:
            return 0
        given = {"day": utc_day(now), "now": now, "oldest": now - OLDEST}
        return connection.execute(MAKE, given).rowcount


def _outgoing(connection: Connection, row: Row[Any]) -> Outgoing:
    first, last = row.first_alert, row.last_alert
    found = alert_list.between(connection, first, last, most=alerts.MOST_NAMED)
    # A name with line breaks would add lines.
    named = [replace(one, username=letters.harmless_line(one.username)) for one in found]
    number = alert_list.count(connection, first, last)
    return Outgoing(
        message_id=row.digest_id,
        route=Route.EMAIL,
        to=row.manager,
        subject=letters.harmless_line(alerts.subject(named, number)),
        text=letters.harmless(alerts.body(named, number)),
        made_at=row.created_at,
        payload={},
    )


MAIL = StaffMail(
    plural="digests",
    table=tables.risk_digests,
    key=tables.risk_digests.c.digest_id,
    to=tables.risk_digests.c.manager,
    roles=(Role.MANAGER,),
    gone="The recipient is no longer an active manager.",
    make=make,
    render=_outgoing,
)
