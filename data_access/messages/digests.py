"""Mail new alerts to managers: one digest a UTC day each, sent at most once.

A digest may name applicants but holds no text; it is rendered from its range of alerts. If a worker
dies while it sends, or the server did not answer, nobody knows whether it arrived; it is not sent
again, since the affiliates page shows the same.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, text

from data_access.db import logs
from data_access.db.database import acting
from data_access.messages import settings as message_settings
from data_access.messages.leases import LONGEST_ERROR, Failure, Outgoing
from data_access.risk import alert_list
from program.messages import letters
from program.messages.delivery import Patience, Reason, Route
from program.periods import utc_day
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
END_UNSENT = text(
    """
    update review.risk_digests as digest set ended_at = :now, sent = false, leased_by = null,
        lease_until = null, last_error = case when digest.leased_by is null
            then 'The recipient is no longer an active manager.'
            else 'The attempt had no known end, so it is not repeated.' end
    where ended_at is null and (lease_until <= :now or leased_by is null and not exists (
        select from review.staff where email = manager and active and role = 'manager'))
    """
)
TAKE = text(
    """
    update review.risk_digests set leased_by = :lease, lease_until = :until
    where digest_id = (
        select digest_id from review.risk_digests
        where ended_at is null and leased_by is null and next_attempt_at <= :now
        order by next_attempt_at limit 1 for update skip locked)
    returning *
    """
)
END = text(
    """
    update review.risk_digests set attempts = attempts + :tried, ended_at = :ended_at, sent = :sent,
        next_attempt_at = coalesce(:next, next_attempt_at), last_error = :error,
        leased_by = null, lease_until = null
    where digest_id = :digest_id and leased_by = :lease and ended_at is null
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A leased digest as it is sent; ``tries`` counts the failures so far."""

    digest_id: UUID
    lease: UUID
    tries: int
    outgoing: Outgoing


def make(engine: Engine, *, now: datetime) -> int:
    """Make the day's digests for managers with new alerts; returns how many. Safe to repeat."""
    with acting(engine) as connection:
        if message_settings.in_force(connection).silent:
            return 0
        given = {"day": utc_day(now), "now": now, "oldest": now - OLDEST}
        return connection.execute(MAKE, given).rowcount


def take(engine: Engine, *, now: datetime, lease: timedelta) -> Digest | None:
    """Lease the digest that has waited longest, if any is due; ends those that must not be sent."""
    with acting(engine) as connection:
        if message_settings.in_force(connection).silent:
            return None
        connection.execute(END_UNSENT, {"now": now})
        given = {"now": now, "lease": uuid4(), "until": now + lease}
        row = connection.execute(TAKE, given).first()
        if row is None:
            return None
        outgoing = _outgoing(
            connection,
            digest_id=row.digest_id,
            to=row.manager,
            made_at=row.created_at,
            first=row.first_alert,
            last=row.last_alert,
        )
        return Digest(
            digest_id=row.digest_id, lease=row.leased_by, tries=row.attempts, outgoing=outgoing
        )


def finish(engine: Engine, digest: Digest, *, now: datetime) -> bool:
    """Record that the server took it. Returns whether the lease still held."""
    return _end(engine, digest, ended_at=now, sent=True)


def fail(
    engine: Engine,
    digest: Digest,
    failure: Failure,
    *,
    patience: Patience,
    chance: float,
    now: datetime,
) -> bool:
    """Record a failed attempt: try again later, or give up. Returns whether the lease held."""
    tries = digest.tries + 1
    error = letters.harmless_line(logs.without_secrets(failure.sentence))[:LONGEST_ERROR]
    unsure = failure.reason is Reason.NO_ANSWER
    if failure.final or unsure or tries >= patience.tries:
        return _end(engine, digest, ended_at=now, sent=False, error=error)
    wait = failure.after or patience.wait(tries, chance)
    return _end(engine, digest, next=now + wait, error=error)


def _end(
    engine: Engine,
    digest: Digest,
    *,
    ended_at: datetime | None = None,
    sent: bool | None = None,
    next: datetime | None = None,  # noqa: A002 - the parameter of the statement
    error: str | None = None,
) -> bool:
    given = {
        "digest_id": digest.digest_id,
        "lease": digest.lease,
        "tried": 0 if sent else 1,
        "ended_at": ended_at,
        "sent": sent,
        "next": next,
        "error": error,
    }
    with acting(engine) as connection:
        return connection.execute(END, given).rowcount == 1


def _outgoing(
    connection: Connection, *, digest_id: UUID, to: str, made_at: datetime, first: int, last: int
) -> Outgoing:
    found = alert_list.between(connection, first, last, most=alerts.MOST_NAMED)
    # A name with line breaks would add lines.
    named = [replace(one, username=letters.harmless_line(one.username)) for one in found]
    number = alert_list.count(connection, first, last)
    return Outgoing(
        message_id=digest_id,
        route=Route.EMAIL,
        to=to,
        subject=letters.harmless_line(alerts.subject(named, number)),
        text=letters.harmless(alerts.body(named, number)),
        made_at=made_at,
        payload={},
    )
