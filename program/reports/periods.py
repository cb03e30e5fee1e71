"""The program page's view: period, comparison, grain and split, kept in the address.

Rolling periods end with the last complete day; calendar periods run up to today. A rolling period
is compared with as many days before it. A calendar period is compared with the calendar period
before: all of it if the period is complete, else as many of its first days as have passed or have
data.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from program import query, wording
from program.periods import ONE_DAY, Window, month_start, months_later
from program.query import Parameter

# Nine series of so many points stay below the thousand points that a chart may have.
MOST_BUCKETS = 110
LONGEST_DAYS = 5 * 366
FIRST_DAY = date(2000, 1, 1)


class Choice(StrEnum):
    """The periods to choose from."""

    WEEK = "7d"
    THIRTY = "30d"
    NINETY = "90d"
    YEAR = "365d"
    THIS_MONTH = "this_month"
    LAST_MONTH = "last_month"
    THIS_QUARTER = "this_quarter"
    LAST_QUARTER = "last_quarter"
    THIS_YEAR = "this_year"
    LAST_YEAR = "last_year"
    CUSTOM = "custom"


CHOICE_LABELS = {
    Choice.WEEK: "Last 7 days",
    Choice.THIRTY: "Last 30 days",
    Choice.NINETY: "Last 90 days",
    Choice.YEAR: "Last 365 days",
    Choice.THIS_MONTH: "This month",
    Choice.LAST_MONTH: "Last month",
    Choice.THIS_QUARTER: "This quarter",
    Choice.LAST_QUARTER: "Last quarter",
    Choice.THIS_YEAR: "This year",
    Choice.LAST_YEAR: "Last year",
    Choice.CUSTOM: "From – to",
}
ROLLING_DAYS = {Choice.WEEK: 7, Choice.THIRTY: 30, Choice.NINETY: 90, Choice.YEAR: 365}
CALENDAR_MONTHS = {
    Choice.THIS_MONTH: 1,
    Choice.LAST_MONTH: 1,
    Choice.THIS_QUARTER: 3,
    Choice.LAST_QUARTER: 3,
    Choice.THIS_YEAR: 12,
    Choice.LAST_YEAR: 12,
}
# Calendar periods that have ended; the others run up to today.
ENDED = frozenset({Choice.LAST_MONTH, Choice.LAST_QUARTER, Choice.LAST_YEAR})


class Grain(StrEnum):
    """The length of one step of a chart."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Tab(StrEnum):
    """The parts of the page; only the open one is queried."""

    WORK = "work"
    REVIEWERS = "reviewers"
    VOLUME = "volume"
    COHORTS = "cohorts"
    MINIMUMS = "minimums"


class Split(StrEnum):
    """The dimension by which applications are split."""

    TRACK = "track"
    COUNTRY = "country"
    PLATFORM = "platform"
    REVIEWER = "reviewer"


class Dimension(StrEnum):
    """The dimension by which volume is split."""

    PROGRAM = "program"
    TRACK = "track"
    COUNTRY = "country"
    COHORT = "cohort"
    AFFILIATE = "affiliate"


TAB_LABELS = {
    Tab.WORK: "Work",
    Tab.REVIEWERS: "Reviewers",
    Tab.VOLUME: "Volume",
    Tab.COHORTS: "Cohorts",
    Tab.MINIMUMS: "Minimums",
}
GRAIN_LABELS = {Grain.DAY: "Days", Grain.WEEK: "Weeks", Grain.MONTH: "Months"}
SPLIT_LABELS = {
    Split.TRACK: "Track",
    Split.COUNTRY: "Country",
    Split.PLATFORM: "Platform",
    Split.REVIEWER: "Reviewer",
}
DIMENSION_LABELS = {
    Dimension.PROGRAM: "Program",
    Dimension.TRACK: "Track",
    Dimension.COUNTRY: "Country",
    Dimension.COHORT: "Month of approval",
    Dimension.AFFILIATE: "Top affiliates",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(query.Record):
    """One view of the page. ``since`` and ``until`` are the first and last day of a custom period.

    They are kept as entered; `period` limits them to what can be shown and `cut` says so.
    """

    parameters = (
        Parameter(name="period", field="choice", read=query.member(Choice)),
        Parameter(name="from", field="since", read=query.day),
        Parameter(name="to", field="until", read=query.day),
        Parameter(name="by", field="grain", read=query.member(Grain)),
        Parameter(name="tab", field="tab", read=query.member(Tab)),
        Parameter(name="split", field="split", read=query.member(Split)),
        Parameter(name="of", field="dimension", read=query.member(Dimension)),
    )
    choice: Choice = Choice.THIRTY
    since: date | None = None
    until: date | None = None
    grain: Grain | None = None
    tab: Tab = Tab.WORK
    split: Split = Split.COUNTRY
    dimension: Dimension = Dimension.PROGRAM

    def period(self, today: date) -> Window:
        """Return the days to show, as of the UTC day ``today``."""
        if self.since and self.until and not self._cannot_be:
            return _custom(self.since, self.until, today)
        return _period(self.choice, today)

    def cut(self, today: date) -> str:
        """Return which requested days cannot be shown, and which are; "" if all are."""
        if self.choice is not Choice.CUSTOM:
            return ""
        period = self.period(today)
        if self._cannot_be:
            return f"{self._cannot_be} Shown is {wording.span(period)}."
        if (period.start, period.last_day) == (self.since, self.until):
            return ""
        assert self.since is not None
        assert self.until is not None
        return (
            f"The days from {wording.day(FIRST_DAY)} to today, {wording.day(today)}, can be shown, "
            f"at most {LONGEST_DAYS:,} at once. {wording.day(self.since)} to "
            f"{wording.day(self.until)} is cut to {wording.span(period)}."
        )

    @property
    def _cannot_be(self) -> str:
        """Why the two days are not a period."""
        if self.since is None or self.until is None:
            return "A custom period needs two days, each written like 2026-03-31."
        if self.since > self.until:
            first, last = wording.day(self.since), wording.day(self.until)
            return f"The first day, {first}, comes after the last, {last}."
        return ""

    def before(self, today: date) -> Window:
        """Return the days to compare with."""
        return _before(self.choice, self.period(today))

    def traded(self, today: date, through: date) -> Window:
        """Return the days of trading to show, with data through day ``through``.

        A rolling period keeps its length and ends with ``through``; any other is cut there and may
        be empty.
        """
        days = self.period(today)
        if self.choice in ROLLING_DAYS:
            end = min(days.end, through + ONE_DAY)
            return Window(end - timedelta(days=days.days), end)
        return Window(days.start, max(days.start, min(days.end, through + ONE_DAY)))

    def traded_before(self, today: date, through: date) -> Window:
        """Return the days of trading to compare with."""
        return _before(self.choice, self.traded(today, through))

    def trading(self, today: date, through: date | None) -> tuple[Window, Window] | None:
        """Return the days of trading to show and to compare with; ``None`` if data reach none."""
        if through is None or self.traded(today, through).days <= 0:
            return None
        return self.traded(today, through), self.traded_before(today, through)

    def step(self, period: Window) -> Grain:
        """Return the chosen grain, or the finest that keeps a chart of ``period`` readable."""
        fitting = [grain for grain in Grain if len(buckets(period, grain)) <= MOST_BUCKETS]
        return self.grain if self.grain in fitting else fitting[0]

    def showing(self, **changes: object) -> "Report":
        """Return the same view with these fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def to_query(self) -> dict[str, str]:
        """Return the query parameters; defaults are left out."""
        custom = self.choice is Choice.CUSTOM
        return query.Record.to_query(self if custom else replace(self, since=None, until=None))

    def left_out(self, found: Mapping[str, str]) -> str:
        """Return the sentence that names parts of the address that were not used; "" if all were.

        Leaves out the days of a custom period, which `cut` describes, and sorting, which is the
        table's.
        """
        own = {"sort", "from", "to"} if self.choice is Choice.CUSTOM else {"sort"}
        relevant = {name: text for name, text in found.items() if name not in own}
        return query.Record.left_out(self, relevant)

    @classmethod
    def from_query(cls, found: Mapping[str, str]) -> "Report":
        """Parse the query parameters; anything malformed is ignored."""
        asked = cls(**cls.values(found))
        custom = asked.choice is Choice.CUSTOM
        return asked if custom else replace(asked, since=None, until=None)


QUERY_NAMES = (*(one.name for one in Report.parameters), "sort")


def buckets(period: Window, grain: Grain) -> list[Window]:
    """Return the steps of ``period``: days, weeks from Monday, or months, cut at its ends."""
    found = []
    start = period.start
    while start < period.end:
        end = min(_next(start, grain), period.end)
        found.append(Window(start, end))
        start = end
    return found


def _next(day: date, grain: Grain) -> date:
    if grain is Grain.MONTH:
        return months_later(month_start(day), 1)
    return day + (ONE_DAY if grain is Grain.DAY else timedelta(days=7 - day.weekday()))


def _period(choice: Choice, today: date) -> Window:
    months = CALENDAR_MONTHS.get(choice)
    if months is None:
        return Window(today - timedelta(days=ROLLING_DAYS.get(choice, 30)), today)
    month = month_start(today)
    start = months_later(month, -((month.month - 1) % months))
    if choice in ENDED:
        return Window(months_later(start, -months), start)
    return Window(start, today + ONE_DAY)


def _custom(since: date, until: date, today: date) -> Window:
    until = max(FIRST_DAY, min(until, today))
    since = max(FIRST_DAY, min(since, until))
    return Window(max(since, until - timedelta(days=LONGEST_DAYS - 1)), until + ONE_DAY)


def _before(choice: Choice, period: Window) -> Window:
    days = timedelta(days=max(period.days, 1))
    if choice not in CALENDAR_MONTHS:
        return Window(period.start - days, period.start)
    months = CALENDAR_MONTHS[choice]
    start = months_later(period.start, -months)
    if choice in ENDED and period.end == months_later(period.start, months):
        return Window(start, period.start)
    return Window(start, min(start + days, period.start))
