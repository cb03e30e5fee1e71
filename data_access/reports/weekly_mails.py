"""The weekly report by mail: one a week and recipient, made by the worker and sent at most once.

A worker that was away makes the newest report that is due, once; the weeks before it stay on the
program page.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Engine, Row, all_, case, func, select
from sqlalchemy.dialects.postgresql import insert

from data_access.db import database, tables
from data_access.db.database import acting, reading
from data_access.messages import settings as message_settings
from data_access.messages import staff_mails
from data_access.messages.leases import Attachment, Outgoing
from data_access.messages.staff_mails import StaffMail
from data_access.reports import weekly_figures, weekly_settings
from data_access.reports.weekly_settings import SavedSettings
from program.messages import letters
from program.messages.delivery import Route
from program.periods import ONE_WEEK, Window
from program.reports import weekly
from program.reports.weekly import FILE_FORM, WeeklyReport

Reporter = Callable[[], Engine]
OFF = "Withheld, because the weekly report is off."
NOT_A_RECIPIENT = "Withheld, because the report no longer goes to this person."


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A report to make: its week, when it was due, and who gets it."""

    week: Window
    at: datetime
    recipients: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LastSent:
    """What became of the newest report: how many mails there are, were sent, and still wait."""

    week: Window
    due_at: datetime
    mails: int
    sent: int
    waiting: int
    ended_at: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The newest report, the one that is due but not made, and when the next goes."""

    last: LastSent | None
    due: Due | None
    next_at: datetime | None
    next_week: Window | None


def mail(reporter: Reporter) -> StaffMail:
    """Return the kind of mail; ``reporter`` gives the engine that reads figures."""
    table = tables.report_mails
    return StaffMail(
        plural="weekly reports",
        table=table,
        key=table.c.mail_id,
        to=table.c.colleague,
        roles=weekly.RECIPIENTS,
        gone="The recipient is no longer an active manager or administrator.",
        make=partial(make, reporter=reporter),
        render=_outgoing,
        withheld=_withheld(),
    )


def _withheld() -> ColumnElement[str | None]:
    """Return why the settings in force withhold a mail; null if they do not."""
    of, to = tables.report_mail_settings.c, tables.report_mails.c.colleague
    why = case((~of.is_on, OFF), (to != all_(of.colleagues), NOT_A_RECIPIENT))
    newest = select(why).order_by(of.version.desc()).limit(1)
    return newest.correlate(tables.report_mails).scalar_subquery()


def make(engine: Engine, now: datetime, *, reporter: Reporter) -> int:
    """Make the mails of the report that is due; returns how many. Safe to repeat."""
    with acting(engine) as connection:
        if message_settings.in_force(connection).silent:
            return 0
        due = due_now(connection, weekly_settings.in_force(connection), now)
    if due is None:
        return 0
    with reading(reporter()) as connection:
        report = weekly_figures.read(connection, due.week, due_at=due.at, now=now)
    with acting(engine) as connection:
        return _put(connection, due, report, now)


def due_now(connection: Connection, settings: SavedSettings | None, now: datetime) -> Due | None:
    """Return the newest report that is due and was not made yet, if somebody is to get it."""
    if settings is None or not settings.is_on:
        return None
    at = settings.schedule.latest(now)
    week = weekly.week_before(at)
    if at <= settings.counts_from or _is_made(connection, week.start):
        return None
    active = {person.email for person in weekly_settings.to_choose(connection)}
    recipients = [one for one in settings.recipients if one in active]
    return Due(week=week, at=at, recipients=recipients) if recipients else None


def state(connection: Connection, settings: SavedSettings | None, now: datetime) -> State:
    """Return what was sent last, what is late, and what goes next."""
    last, due = _last(connection), due_now(connection, settings, now)
    if settings is None or not settings.is_on:
        return State(last=last, due=None, next_at=None, next_week=None)
    at = settings.schedule.next(now)
    if last is not None and weekly.week_before(at).start <= last.week.start:
        # That week was sent before the day or the hour was changed.
        at = settings.schedule.next(at)
    return State(last=last, due=due, next_at=at, next_week=weekly.week_before(at))


def _is_made(connection: Connection, monday: date) -> bool:
    table = tables.report_mails
    return connection.scalar(select(select(table).where(table.c.week >= monday).exists())) or False


def _last(connection: Connection) -> LastSent | None:
    of, withheld = tables.report_mails.c, staff_mails.withheld(mail(database.reporter))
    row = connection.execute(
        select(
            of.week,
            func.min(of.due_at).label("due_at"),
            func.count().label("mails"),
            func.count().filter(of.sent).label("sent"),
            func.count().filter(of.ended_at.is_(None), withheld.is_(None)).label("waiting"),
            func.max(of.ended_at).label("ended_at"),
            func.max(func.coalesce(withheld, of.last_error)).label("last_error"),
        )
        .group_by(of.week)
        .order_by(of.week.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    found = {name: value for name, value in row._mapping.items() if name != "week"}
    return LastSent(week=Window(row.week, row.week + ONE_WEEK), **found)


def _put(connection: Connection, due: Due, report: WeeklyReport, now: datetime) -> int:
    content = {
        "week": due.week.start,
        "due_at": due.at,
        "subject": letters.harmless_line(weekly.subject(report)),
        "body": letters.harmless(weekly.as_text(report)),
        "html": letters.harmless(weekly.as_html(report)),
        "attached": weekly.as_csv(report),
        "created_at": now,
        "next_attempt_at": now,
    }
    rows = [{**content, "mail_id": uuid4(), "colleague": one} for one in due.recipients]
    # Another worker may have made them just now.
    statement = insert(tables.report_mails).on_conflict_do_nothing(
        constraint="report_mails_one_a_week"
    )
    made = connection.execute(statement.values(rows).returning(tables.report_mails.c.mail_id))
    return len(made.all())


def _outgoing(_: Connection, row: Row[Any]) -> Outgoing:
    week = Window(row.week, row.week + ONE_WEEK)
    return Outgoing(
        message_id=row.mail_id,
        route=Route.EMAIL,
        to=row.colleague,
        subject=row.subject,
        text=row.body,
        made_at=row.created_at,
        payload={},
        html=row.html,
        attachment=Attachment(
            name=weekly.file_name(week),
            media=FILE_FORM.media,
            content=FILE_FORM.mark + row.attached.encode(),
        ),
    )
