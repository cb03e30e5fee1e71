"""The KPI table, the periods, the address, and anomalies."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from program import wording
from program.periods import Window
from program.reports import anomalies
from program.reports.csv_guard import guarded
from program.reports.kpis import KPIS, Counted
from program.reports.periods import (
    MOST_BUCKETS,
    Choice,
    Dimension,
    Grain,
    Report,
    Split,
    Tab,
    buckets,
)
from program.review.drilldown import AGE_GROUPS, Clock, Moment, Scope, Slice, Stage
from program.review.queue_filters import Filters

MONDAY = date(2026, 3, 2)


def days(first: str, last: str) -> Window:
    return Window(date.fromisoformat(first), date.fromisoformat(last) + timedelta(days=1))


def test_every_figure_has_a_key_of_its_own_a_definition_and_a_moment() -> None:
    assert len({kpi.key for kpi in KPIS}) == len(KPIS)
    for kpi in KPIS:
        assert kpi.definition.endswith(".")
        assert isinstance(kpi.counted, Counted)


def test_a_drilldown_uses_the_same_date_as_its_figure() -> None:
    moments = {
        Counted.SUBMISSION: Moment.SUBMITTED,
        Counted.TOUCH: Moment.TOUCHED,
        Counted.DECISION: Moment.DECIDED,
        Counted.REOPENING: Moment.REOPENED,
        Counted.NOW: None,
        Counted.STEP_END: Moment.OPEN_AT_END,
    }
    opening = [kpi for kpi in KPIS if kpi.opens is not None]

    assert {kpi.counted for kpi in opening} == set(moments), "a list behind each moment"
    for kpi in opening:
        assert kpi.opens is not None
        assert kpi.opens.moment is moments[kpi.counted], kpi.key


def test_age_groups_leave_no_gap() -> None:
    assert AGE_GROUPS[0].first == 0
    assert AGE_GROUPS[-1].last is None
    for younger, older in pairwise(AGE_GROUPS):
        assert younger.last is not None
        assert older.first == younger.last + 1


@pytest.mark.parametrize(
    ("today", "choice", "period", "before"),
    [
        ("2026-03-15", Choice.WEEK, ("2026-03-08", "2026-03-14"), ("2026-03-01", "2026-03-07")),
        ("2026-03-01", Choice.THIRTY, ("2026-01-30", "2026-02-28"), ("2025-12-31", "2026-01-29")),
        ("2026-03-31", Choice.NINETY, ("2025-12-31", "2026-03-30"), ("2025-10-02", "2025-12-30")),
        # A running month or quarter is compared with as many days of the previous one.
        ("2026-03-01", Choice.THIS_MONTH, ("2026-03-01", "2026-03-01"), ("2026-02-01", "2026-02-01")),
        ("2026-03-28", Choice.THIS_MONTH, ("2026-03-01", "2026-03-28"), ("2026-02-01", "2026-02-28")),
        ("2026-03-27", Choice.THIS_MONTH, ("2026-03-01", "2026-03-27"), ("2026-02-01", "2026-02-27")),
        ("2026-02-28", Choice.THIS_MONTH, ("2026-02-01", "2026-02-28"), ("2026-01-01", "2026-01-28")),
        ("2026-03-31", Choice.THIS_MONTH, ("2026-03-01", "2026-03-31"), ("2026-02-01", "2026-02-28")),
        ("2026-01-31", Choice.LAST_MONTH, ("2025-12-01", "2025-12-31"), ("2025-11-01", "2025-11-30")),
        ("2024-03-31", Choice.LAST_MONTH, ("2024-02-01", "2024-02-29"), ("2024-01-01", "2024-01-31")),
        ("2026-06-30", Choice.THIS_QUARTER, ("2026-04-01", "2026-06-30"), ("2026-01-01", "2026-03-31")),
        ("2026-01-01", Choice.THIS_QUARTER, ("2026-01-01", "2026-01-01"), ("2025-10-01", "2025-10-01")),
        ("2026-05-15", Choice.THIS_QUARTER, ("2026-04-01", "2026-05-15"), ("2026-01-01", "2026-02-14")),
        ("2026-03-15", Choice.YEAR, ("2025-03-15", "2026-03-14"), ("2024-03-15", "2025-03-14")),
        ("2026-06-30", Choice.LAST_QUARTER, ("2026-01-01", "2026-03-31"), ("2025-10-01", "2025-12-31")),
        ("2026-01-01", Choice.LAST_QUARTER, ("2025-10-01", "2025-12-31"), ("2025-07-01", "2025-09-30")),
        ("2024-12-31", Choice.THIS_YEAR, ("2024-01-01", "2024-12-31"), ("2023-01-01", "2023-12-31")),
        ("2025-12-31", Choice.THIS_YEAR, ("2025-01-01", "2025-12-31"), ("2024-01-01", "2024-12-30")),
        ("2026-01-01", Choice.THIS_YEAR, ("2026-01-01", "2026-01-01"), ("2025-01-01", "2025-01-01")),
        ("2026-01-01", Choice.LAST_YEAR, ("2025-01-01", "2025-12-31"), ("2024-01-01", "2024-12-31")),
        # Clocks change in Europe on 29 March and in the US on 8 March; UTC days do not.
        ("2026-03-30", Choice.WEEK, ("2026-03-23", "2026-03-29"), ("2026-03-16", "2026-03-22")),
    ],
)  # fmt: skip
def test_a_period_and_the_one_before_it(
    today: str, choice: Choice, period: tuple[str, str], before: tuple[str, str]
) -> None:
    report, day = Report(choice=choice), date.fromisoformat(today)

    assert (report.period(day), report.before(day)) == (days(*period), days(*before))


CUT = (
    "The days from 1 Jan 2000 to today, 15 Mar 2026, can be shown, at most 1,830 at once. "
    "{} to {} is cut to {}."
)


def day_words(day: str) -> str:
    return wording.day(date.fromisoformat(day))


@pytest.mark.parametrize(
    ("since", "until", "period"),
    [
        ("2026-02-01", "2026-02-10", ("2026-02-01", "2026-02-10")),
        ("2026-03-10", "2026-04-01", ("2026-03-10", "2026-03-15")),  # not beyond today
        ("2026-04-01", "2026-05-01", ("2026-03-15", "2026-03-15")),
        ("2001-01-01", "2026-03-15", ("2021-03-12", "2026-03-15")),  # at most 1,830 days
        ("1999-12-31", "2000-01-02", ("2000-01-01", "2000-01-02")),
        ("0001-01-01", "0001-01-02", ("2000-01-01", "2000-01-01")),
        ("2026-03-15", "9999-12-31", ("2026-03-15", "2026-03-15")),
    ],
)
def test_a_custom_period_is_limited_to_today_and_five_years(
    since: str, until: str, period: tuple[str, str]
) -> None:
    report = Report.from_query({"period": "custom", "from": since, "to": until})
    found = report.period(date(2026, 3, 15))

    assert found == days(*period)
    cut = CUT.format(day_words(since), day_words(until), wording.span(found))
    assert report.cut(date(2026, 3, 15)) == ("" if (since, until) == period else cut)
    assert report.before(date(2026, 3, 15)).end == found.start
    assert report.before(date(2026, 3, 15)).days == found.days


@pytest.mark.parametrize(
    ("choice", "through", "traded"),
    [
        (Choice.WEEK, "2026-03-14", ("2026-03-08", "2026-03-14")),
        (Choice.WEEK, "2026-03-12", ("2026-03-06", "2026-03-12")),  # keeps its length
        (Choice.WEEK, "2026-03-20", ("2026-03-08", "2026-03-14")),
        (Choice.THIS_MONTH, "2026-03-12", ("2026-03-01", "2026-03-12")),
        (Choice.LAST_MONTH, "2026-03-12", ("2026-02-01", "2026-02-28")),
    ],
)
def test_trading_ends_with_the_data(choice: Choice, through: str, traded: tuple[str, str]) -> None:
    report = Report(choice=choice)

    assert report.traded(date(2026, 3, 15), date.fromisoformat(through)) == days(*traded)


@pytest.mark.parametrize(
    ("choice", "through", "before"),
    [
        (Choice.THIS_MONTH, "2026-03-12", ("2026-02-01", "2026-02-12")),
        (Choice.LAST_MONTH, "2026-03-12", ("2026-01-01", "2026-01-31")),
        (Choice.LAST_MONTH, "2026-02-27", ("2026-01-01", "2026-01-27")),  # cut
        (Choice.LAST_QUARTER, "2026-03-12", ("2025-07-01", "2025-09-30")),
        (Choice.LAST_QUARTER, "2025-12-30", ("2025-07-01", "2025-09-29")),  # cut
        (Choice.WEEK, "2026-03-12", ("2026-02-27", "2026-03-05")),
    ],
)
def test_trading_is_held_against_as_many_days(
    choice: Choice, through: str, before: tuple[str, str]
) -> None:
    report = Report(choice=choice)

    assert report.traded_before(date(2026, 3, 15), date.fromisoformat(through)) == days(*before)


def test_a_month_of_which_no_day_is_known_yet_holds_no_trading() -> None:
    report = Report(choice=Choice.THIS_MONTH)

    assert report.traded(date(2026, 3, 1), date(2026, 2, 27)).days == 0
    assert report.trading(date(2026, 3, 1), date(2026, 2, 27)) is None
    assert report.trading(date(2026, 3, 1), None) is None
    assert report.trading(date(2026, 3, 2), date(2026, 3, 1)) == (
        days("2026-03-01", "2026-03-01"),
        days("2026-02-01", "2026-02-01"),
    )


@pytest.mark.parametrize(
    ("grain", "starts"),
    [
        (Grain.DAY, ["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02", "2026-03-03"]),
        (Grain.WEEK, ["2026-02-27", "2026-03-02"]),  # a Friday; then Monday
        (Grain.MONTH, ["2026-02-27", "2026-03-01"]),
    ],
)
def test_steps_are_cut_at_the_ends_of_the_period(grain: Grain, starts: list[str]) -> None:
    period = days("2026-02-27", "2026-03-03")
    steps = buckets(period, grain)

    assert [step.start.isoformat() for step in steps] == starts
    assert sum(step.days for step in steps) == period.days


@given(
    choice=st.sampled_from(Choice),
    grain=st.none() | st.sampled_from(Grain),
    first=st.dates(date(2015, 1, 1), date(2026, 3, 15)),
    length=st.integers(0, 4000),
)
def test_no_chart_has_more_steps_than_it_can_show(
    choice: Choice, grain: Grain | None, first: date, length: int
) -> None:
    since, until = (
        (first, first + timedelta(days=length)) if choice is Choice.CUSTOM else (None,) * 2
    )
    report = Report(choice=choice, since=since, until=until, grain=grain)
    period = report.period(date(2026, 3, 15))

    assert 1 <= len(buckets(period, report.step(period))) <= MOST_BUCKETS


@given(
    choice=st.sampled_from([choice for choice in Choice if choice is not Choice.CUSTOM]),
    grain=st.none() | st.sampled_from(Grain),
    tab=st.sampled_from(Tab),
    split=st.sampled_from(Split),
    dimension=st.sampled_from(Dimension),
)
def test_a_report_survives_its_address(
    choice: Choice, grain: Grain | None, tab: Tab, split: Split, dimension: Dimension
) -> None:
    report = Report(choice=choice, grain=grain, tab=tab, split=split, dimension=dimension)

    assert Report.from_query(report.to_query()) == report


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({}, "A custom period needs two days, each written like 2026-03-31."),
        (
            {"from": "2026-02-30", "to": "2026-03-01"},
            "A custom period needs two days, each written like 2026-03-31.",
        ),
        (
            {"from": "2026-03-02", "to": "2026-03-01"},
            "The first day, 2 Mar 2026, comes after the last, 1 Mar 2026.",
        ),
    ],
)
def test_days_that_are_no_period_show_the_usual_and_a_sentence(
    query: dict[str, str], reason: str
) -> None:
    report = Report.from_query({"period": "custom", **query})
    today = date(2026, 3, 15)

    assert report.period(today) == Report().period(today)
    assert report.cut(today) == f"{reason} Shown is {wording.span(report.period(today))}."


@pytest.mark.parametrize(
    "query",
    [
        {"period": "<b>", "by": "hour", "tab": "x", "split": "", "of": "'"},
        {"from": "2026-01-01", "to": "2026-02-01"},
    ],
)
def test_a_malformed_address_shows_the_usual(query: dict[str, str]) -> None:
    assert Report.from_query(query) == Report()


@given(
    scope=st.sampled_from(Scope),
    moment=st.none() | st.sampled_from(Moment),
    reviewer=st.sampled_from(["", "ana@example.com"]),
    override=st.booleans(),
    track=st.sampled_from(["", "both", "none"]),
    age=st.sampled_from(["", *(group.key for group in AGE_GROUPS)]),
    clock=st.none() | st.sampled_from(Clock),
    reached=st.none() | st.sampled_from(Stage),
)
def test_a_list_behind_a_figure_survives_its_address(
    moment: Moment | None, **given: object
) -> None:
    period = days("2026-02-01", "2026-02-28")
    slice_ = Slice(moment=moment, **given)  # type: ignore[arg-type]
    filters = Filters(slice=slice_.during(period) if moment else slice_)

    assert Filters.from_query(filters.to_query()) == filters
    assert filters.slice.sentence.startswith("Applications ")


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"scope": "everything", "moment": "decided"},
        {"moment": "decided", "since": "2026-01-01", "until": "2026-01-31"},
    ],
)
def test_without_a_scope_there_is_no_slice(query: dict[str, str]) -> None:
    assert Slice.from_query(query) == Slice()


def test_half_a_custom_period_is_no_period() -> None:
    query = {"scope": "all", "moment": "decided", "since": "2026-01-01", "reviewer": "a b"}

    assert Slice.from_query(query) == Slice(scope=Scope.ALL)


def test_a_formula_is_shown_as_text_in_a_spreadsheet() -> None:
    assert [guarded(text) for text in ("=1+1", "-x", "＝1", "ana", "")] == [
        "'=1+1",
        "'-x",
        "'＝1",
        "ana",
        "",
    ]


# --- Days that stand out: 28 days of 100 on weekdays and 40 on weekends, so no day strays ---------


def course(*last: int) -> tuple[list[date], list[Decimal]]:
    values = [40 if day % 7 > 4 else 100 for day in range(28)] + list(last)
    return [MONDAY + timedelta(days=n) for n in range(len(values))], [Decimal(v) for v in values]


@pytest.mark.parametrize(
    ("monday", "marked"),
    [
        (100, False),
        (110, False),  # a tenth of what is usual is not more than a tenth
        (111, True),
        (90, False),
        (89, True),
        (0, True),
    ],
)
def test_a_day_stands_out_beyond_a_tenth_where_days_never_stray(monday: int, marked: bool) -> None:
    found = anomalies.detect(*course(monday))

    assert [(a.day, a.usual) for a in found] == ([(date(2026, 3, 30), 100)] if marked else [])


def test_a_weekend_is_held_against_weekends() -> None:
    """Mon-Fri as usual, then a Saturday of 100, 60 above the usual 40; Sunday 40."""
    found = anomalies.detect(*course(100, 100, 100, 100, 100, 100, 40))

    assert [(a.day, a.value, a.usual) for a in found] == [(date(2026, 4, 4), 100, 40)]


@pytest.mark.parametrize(("monday", "marked"), [(159, False), (160, True), (41, False), (40, True)])
def test_a_day_stands_out_beyond_four_usual_deviations(monday: int, marked: bool) -> None:
    """Every weekday comes as 90, 110, 90, 110: median 100, all stray by 10.

    So the usual deviation is 14.826, and four of them are 59.304.
    """
    values = [Decimal(90 if week % 2 == 0 else 110) for week in range(4) for _ in range(7)]
    all_days = [MONDAY + timedelta(days=n) for n in range(29)]

    assert bool(anomalies.detect(all_days, [*values, Decimal(monday)])) is marked


def test_with_fewer_days_before_it_a_day_is_not_tested() -> None:
    all_days, values = course(5000)

    assert anomalies.detect(all_days[1:], values[1:]) == []
    assert anomalies.detect([], []) == []


def test_days_with_a_gap_are_refused() -> None:
    all_days, values = course(1)

    with pytest.raises(ValueError, match="follow one another"):
        anomalies.detect(all_days[:3] + all_days[4:], values[:-1])
