"""When the weekly report is mailed and to whom: the version in force, and saving a new one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Connection, Engine, Row, insert, select

from data_access.db import locks, tables
from data_access.db.errors import Invalid, Outdated
from data_access.people import commands, staff
from data_access.people.commands import Command
from data_access.people.staff import Person
from program.reports import weekly
from program.reports.weekly import Schedule
from program.review import people
from program.review.permissions import Act


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSettings:
    """A version, its author, and since when its times of sending count."""

    version: int
    is_on: bool
    schedule: Schedule
    recipients: tuple[str, ...]
    counts_from: datetime
    author: str
    saved_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveWeeklyMail(Command):
    """Save a version; the form was filled from ``shown_version``, 0 if there was none."""

    act: ClassVar[Act] = Act.MAIL_REPORT
    is_on: bool
    schedule: Schedule
    recipients: Sequence[str]
    shown_version: int


def in_force(connection: Connection) -> SavedSettings | None:
    """Return the newest version; ``None`` while nothing was set up."""
    return next(iter(versions(connection, count=1)), None)


def versions(connection: Connection, *, count: int = 10) -> list[SavedSettings]:
    """Return the newest versions, newest first."""
    table = tables.report_mail_settings
    rows = connection.execute(select(table).order_by(table.c.version.desc()).limit(count))
    return [_saved(row) for row in rows]


def _saved(row: Row[Any]) -> SavedSettings:
    return SavedSettings(
        version=row.version,
        is_on=row.is_on,
        schedule=Schedule(weekday=row.weekday, hour=row.hour, zone=row.zone),
        recipients=tuple(row.colleagues),
        counts_from=row.counts_from,
        author=row.author,
        saved_at=row.saved_at,
    )


def to_choose(connection: Connection) -> list[Person]:
    """Return the active staff who may get the report, by role and name."""
    return [one for one in staff.everyone(connection) if one.role in weekly.RECIPIENTS]


def save(engine: Engine, command: SaveWeeklyMail) -> int:
    """Save a version and return its number; unchanged settings make no new version.

    Raises NotAllowed, Invalid, RequestReused, or Outdated if a newer version was saved.
    """
    _require_times(command.schedule)
    recipients = tuple(sorted({people.normal(one) for one in command.recipients}))

    def do(connection: Connection) -> int:
        before = in_force(connection)
        version = before.version if before else 0
        asked = (command.is_on, command.schedule, recipients)
        if before and asked == (before.is_on, before.schedule, before.recipients):
            return version
        if version != command.shown_version:
            raise Outdated
        _require_recipients(connection, recipients, is_on=command.is_on)
        _insert(connection, command, recipients, before)
        return version + 1

    return commands.perform(engine, command, do, lock=locks.REPORT_MAIL)


def _insert(
    connection: Connection,
    command: SaveWeeklyMail,
    recipients: Sequence[str],
    before: SavedSettings | None,
) -> None:
    schedule = command.schedule
    goes_on = before is not None and before.is_on and before.schedule == schedule
    values = {
        "version": command.shown_version + 1,
        "is_on": command.is_on,
        "weekday": schedule.weekday,
        "hour": schedule.hour,
        "zone": schedule.zone,
        "colleagues": list(recipients),
        # Other recipients do not make a mail that is late now due again or not due any more.
        "counts_from": before.counts_from if before and goes_on else command.at,
        "author": command.actor,
        "saved_at": command.at,
    }
    connection.execute(insert(tables.report_mail_settings).values(values))


def _require_times(schedule: Schedule) -> None:
    if not 1 <= schedule.weekday <= 7 or not 0 <= schedule.hour <= 23:
        raise Invalid("Choose a day from Monday to Sunday and an hour from 0 to 23.")
    if schedule.zone not in weekly.zones():
        raise Invalid("Choose a time zone by its name, such as Europe/Berlin or UTC.")


def _require_recipients(connection: Connection, recipients: Sequence[str], *, is_on: bool) -> None:
    known = {one.email for one in to_choose(connection)}
    if not known.issuperset(recipients):
        raise Invalid("Only active managers and administrators get the report. Choose again.")
    if is_on and not recipients:
        raise Invalid("Choose who gets the report, or turn it off.")
    if len(recipients) > weekly.MOST_RECIPIENTS:
        raise Invalid(f"At most {weekly.MOST_RECIPIENTS} people get the report.")
