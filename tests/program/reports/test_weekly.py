"""When the weekly report is due, and which week it is about."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from program.periods import ONE_WEEK, Window
from program.reports import kpis, weekly
from program.reports.weekly import Line, Schedule, WeeklyReport

WEEK = Window(date(2026, 3, 2), date(2026, 3, 9))


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+00:00")


@pytest.mark.parametrize(
    ("zone", "hour", "now", "latest", "next_"),
    [
        ("UTC", 8, "2026-03-09T08:00", "2026-03-09T08:00", "2026-03-16T08:00"),
        ("UTC", 8, "2026-03-09T07:59", "2026-03-02T08:00", "2026-03-09T08:00"),
        # Clocks go forward on 29 March: the hour stays on the clock.
        ("Europe/Berlin", 8, "2026-03-28T12:00", "2026-03-23T07:00", "2026-03-30T06:00"),
        ("Europe/Berlin", 8, "2026-03-30T06:00", "2026-03-30T06:00", "2026-04-06T06:00"),
        # Midnight on Monday in Tokyo is still Sunday in UTC.
        ("Asia/Tokyo", 0, "2026-03-08T15:00", "2026-03-08T15:00", "2026-03-15T15:00"),
        ("Asia/Tokyo", 0, "2026-03-08T14:59", "2026-03-01T15:00", "2026-03-08T15:00"),
        ("America/Los_Angeles", 23, "2026-03-10T06:00", "2026-03-10T06:00", "2026-03-17T06:00"),
    ],
)
def test_the_hour_of_sending_is_that_of_the_clock_in_its_zone(
    zone: str, hour: int, now: str, latest: str, next_: str
) -> None:
    schedule = Schedule(weekday=1, hour=hour, zone=zone)

    assert schedule.latest(at(now)) == at(latest)
    assert schedule.next(at(now)) == at(next_)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia"])
def test_every_week_of_a_year_has_one_time_of_sending(zone: str) -> None:
    for weekday in range(1, 8):
        schedule = Schedule(weekday=weekday, hour=2, zone=zone)
        sent = [schedule.latest(at("2026-01-08T00:00"))]
        while sent[-1] < at("2027-01-08T00:00"):
            sent.append(schedule.next(sent[-1]))
            assert schedule.latest(sent[-1]) == sent[-1]
            assert schedule.latest(sent[-1] - timedelta(minutes=1)) == sent[-2]

        steps = {later - earlier for earlier, later in pairwise(sent)}
        assert {abs(step - ONE_WEEK) <= timedelta(hours=1) for step in steps} == {True}


@pytest.mark.parametrize(
    ("now", "monday"),
    [
        ("2026-03-09T00:00", date(2026, 3, 2)),
        ("2026-03-15T23:59", date(2026, 3, 2)),
        ("2026-03-08T23:59", date(2026, 2, 23)),
    ],
)
def test_a_report_is_about_the_last_week_that_has_ended_in_utc(now: str, monday: date) -> None:
    assert weekly.week_before(at(now)) == Window(monday, monday + ONE_WEEK)


def report(*lines: Line) -> WeeklyReport:
    return WeeklyReport(week=WEEK, lines=lines, sentences=["Data <through> 8 Mar 2026."])


def test_unknown_reads_differently_from_zero_in_every_part() -> None:
    unknown = Line(
        part="Trading",
        kpi=kpis.VOLUME,
        value=None,
        before=None,
        nothing="unknown",
        remark="no data yet",
    )
    zero = Line(
        part="Trading",
        kpi=kpis.FEES,
        value=Decimal(0),
        before=Decimal("2.50"),
        nothing="unknown",
        remark="",
    )
    found = report(unknown, zero)

    text, page, file = weekly.as_text(found), weekly.as_html(found), weekly.as_csv(found)
    assert "- Program volume: unknown; no data yet" in text
    assert "- Net fees: 0 USD (−100 %, from 2.50 USD)" in text
    assert ">unknown</td>" in page
    assert ">0 USD</td>" in page
    assert "Trading,volume,Program volume,USD,,,no data yet" in file
    assert "Trading,fees,Net fees,USD,0,2.50,\r\n" in file


def test_what_is_typed_is_escaped_in_the_page_and_guarded_in_the_file() -> None:
    kpi = replace(kpis.DECIDED, name="=1+1<i>")
    typed = Line(part="<b>", kpi=kpi, value=1, before=None, nothing="", remark="=cmd|<script>")

    page, file = weekly.as_html(report(typed)), weekly.as_csv(report(typed))
    assert "<script>" not in page
    assert "=1+1&lt;i&gt;</td>" in page
    assert "<h3>&lt;b&gt;</h3>" in page
    assert "Data &lt;through&gt;" in page
    assert ",'=1+1<i>," in file
    assert ",'=cmd|<script>" in file


def test_the_zones_to_choose_from_are_places_and_utc() -> None:
    assert weekly.zones()[0] == "UTC"
    assert {"Europe/Berlin", "Asia/Singapore"} < set(weekly.zones())
    assert not [name for name in weekly.zones() if name.startswith("Etc/")]
