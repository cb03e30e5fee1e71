"""The weekly report by mail: when it is due, which week it is about, and its words.

A week runs from Monday to Sunday, UTC, as the steps of the program page. The day and hour of
sending are those of a time zone, so they keep their place on the clock when it changes.
"""

import csv
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from program import wording
from program.periods import ONE_DAY, ONE_WEEK, Window, utc_day
from program.reports.amounts import Amount, amount_text, change
from program.reports.csv_guard import guarded
from program.reports.export_formats import Form
from program.reports.kpis import Kpi
from program.review.permissions import Role

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
RECIPIENTS = (Role.MANAGER, Role.ADMIN)
MOST_RECIPIENTS = 20
# A mail that is made this much later says when it was due.
LATE = timedelta(hours=1)
FILE_FORM = Form(bom=True)
FILE_COLUMNS = (
    "first_day_utc",
    "last_day_utc",
    "part",
    "figure",
    "name",
    "unit",
    "value",
    "value_before",
    "remark",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When the report is sent each week: ``weekday`` counts from 1, Monday; ``hour`` from 0."""

    weekday: int
    hour: int
    zone: str

    @property
    def words(self) -> str:
        """The day, hour and zone: ``Mondays, 08:00 Europe/Berlin``."""
        return f"{WEEKDAYS[self.weekday - 1]}s, {self.hour:02}:00 {self.zone}"

    def latest(self, now: datetime) -> datetime:
        """Return the newest time of sending at or before ``now``, in UTC."""
        at = self._on_the_week_of(now)
        return at if at <= now else self._on_the_week_of(now - ONE_WEEK)

    def next(self, now: datetime) -> datetime:
        """Return the first time of sending after ``now``, in UTC."""
        return self._on_the_week_of(self.latest(now) + ONE_WEEK + timedelta(hours=12))

    def _on_the_week_of(self, moment: datetime) -> datetime:
        """Return the time of sending on the last such weekday up to the day of ``moment``."""
        zone = ZoneInfo(self.zone)
        today = moment.astimezone(zone).date()
        day = today - timedelta(days=(today.isoweekday() - self.weekday) % 7)
        return datetime.combine(day, time(self.hour), tzinfo=zone).astimezone(UTC)


@cache
def zones() -> tuple[str, ...]:
    """Return the names of time zones to choose from: places, and UTC."""
    places = (name for name in available_timezones() if "/" in name)
    return ("UTC", *sorted(name for name in places if not name.startswith(("Etc/", "SystemV/"))))


def week_before(at: datetime) -> Window:
    """Return the last whole week, Monday to Sunday in UTC, that has ended at ``at``."""
    today = utc_day(at)
    monday = today - timedelta(days=today.weekday())
    return Window(monday - ONE_WEEK, monday)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A figure of the week; ``nothing`` stands for a missing value, ``remark`` says why."""

    part: str
    kpi: Kpi
    value: Amount
    before: Amount
    nothing: str
    remark: str

    @property
    def words(self) -> str:
        """The value in short, with its unit."""
        return amount_text(self.kpi.unit, self.value, beside=self.before, nothing=self.nothing)

    @property
    def change(self) -> str:
        """The change from the week before; empty if it is unknown."""
        return change(self.kpi.unit, self.value, self.before) or ""

    @property
    def words_before(self) -> str:
        """The value of the week before; empty if it is unknown."""
        return amount_text(self.kpi.unit, self.before, beside=self.value, nothing="")


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyReport:
    """The figures of ``week`` beside those of the week before, and sentences on what they cover."""

    week: Window
    lines: Sequence[Line]
    sentences: Sequence[str]


def subject(report: WeeklyReport) -> str:
    """Return the subject, which names the week."""
    return f"Affiliate program, {wording.span(report.week)}"


def as_text(report: WeeklyReport) -> str:
    """Return the report as plain text: a line for each figure."""
    found = [*report.sentences]
    for part in _parts(report):
        found += ["", part, *map(_text_line, _lines(report, part))]
    return "\n".join([*found, "", *_ending(report)])


def _text_line(line: Line) -> str:
    compared = f" ({line.change}, from {line.words_before})" if line.change else ""
    remark = f"; {line.remark}" if line.remark else ""
    return f"- {line.kpi.name}: {line.words}{compared}{remark}"


def as_html(report: WeeklyReport) -> str:
    """Return the report as a web page with a table for each part; everything is escaped."""
    pieces = [_paragraph(sentence) for sentence in report.sentences]
    for part in _parts(report):
        pieces.append(f"<h3>{html.escape(part)}</h3>")
        pieces.append(_table(_lines(report, part)))
    pieces += [_paragraph(sentence) for sentence in _ending(report)]
    head = '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"></head>'
    body = '<body style="font-family: sans-serif; font-size: 14px">'
    return "\n".join([head + body, *pieces, "</body></html>", ""])


def _paragraph(sentence: str) -> str:
    return f"<p>{html.escape(sentence)}</p>"


def _table(lines: Sequence[Line]) -> str:
    rows = [_row("th", ("", "This week", "Change", "Week before", ""))]
    rows += [
        _row("td", (one.kpi.name, one.words, one.change, one.words_before, one.remark))
        for one in lines
    ]
    return '<table style="border-collapse: collapse">\n' + "\n".join(rows) + "\n</table>"


def _row(tag: str, cells: Sequence[str]) -> str:
    left, right = "text-align: left", "text-align: right"
    looks = (left, right, right, right, left)
    written = (
        f'<{tag} style="padding: 3px 12px 3px 0; {look}">{html.escape(cell)}</{tag}>'
        for cell, look in zip(cells, looks, strict=True)
    )
    return f"<tr>{''.join(written)}</tr>"


def as_csv(report: WeeklyReport) -> str:
    """Return the figures as CSV, exact; an unknown value is empty and its remark says why."""
    written = io.StringIO()
    writer = csv.writer(written, delimiter=FILE_FORM.separator)
    writer.writerow(FILE_COLUMNS)
    days = (report.week.start.isoformat(), report.week.last_day.isoformat())
    for one in report.lines:
        kpi, values = one.kpi, (_exact(one.value), _exact(one.before))
        remark = one.remark or (one.nothing if one.value is None else "")
        writer.writerow(
            [*days, one.part, kpi.key, guarded(kpi.name), str(kpi.unit), *values, guarded(remark)]
        )
    return written.getvalue()


def file_name(week: Window) -> str:
    """Return the name of the attached file."""
    return f"affiliate-program-{week.start}-to-{week.last_day}-utc.{FILE_FORM.ending}"


def _exact(value: Amount) -> str:
    return "" if value is None else f"{Decimal(value):f}"


def _parts(report: WeeklyReport) -> list[str]:
    return list(dict.fromkeys(line.part for line in report.lines))


def _lines(report: WeeklyReport, part: str) -> list[Line]:
    return [line for line in report.lines if line.part == part]


def _ending(report: WeeklyReport) -> list[str]:
    first, last = report.week.start, report.week.end - ONE_DAY
    return [
        (
            "The attached file has the same figures with every digit. The page Program shows them "
            f"for the period From – to, {first} to {last}."
        ),
        "Managers set this mail up on the page Program, under Weekly mail.",
    ]
