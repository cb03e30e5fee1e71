"""The program page's figures equal plain pandas over the raw rows, with missing days.

Over 30 whole days, over a year with two missing months, over 70 days that are past, and over 30
days before the first delivery: each card, its change and its course, each step of a chart, and
each column of the tables, however decisions and volume are told apart.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.shell.screens import PROGRAM
from dashboard.ui import figures, sparklines
from program import wording
from program.periods import Window
from program.reports import amounts
from program.reports.kpis import KPIS, Unit
from program.reports.periods import Dimension, Split
from program.review.permissions import Role
from tests.cases import first_of
from tests.dashboard.pages.program.program_world import (
    AFFILIATES,
    BEGIN,
    DAY,
    PLATFORMS,
    Plain,
    fill,
    steps,
)
from tests.dashboard.pages.program.test_program_page import traces
from tests.dashboard.pages.screen import PEOPLE, Desk, open_popovers, texts

KPIS_BY_KEY = {kpi.key: kpi for kpi in KPIS}
Number = float | int | None
AGES = ((0, 2), (3, 10), (11, 30), (31, 10_000))
THIRTY, YEAR, BEFORE = "30 days", "a year", "before the data"
PAST = "70 days that are over"


@dataclass
class World:
    """The page over one period, and its expected figures."""

    desk: Desk
    plain: Plain
    name: str
    period: Window
    before: Window
    grain: str

    def open(self, **query: str) -> AppTest:
        days = {"from": str(self.period.start), "to": str(self.period.last_day)}
        return open_popovers(self.desk.open(PROGRAM, period="custom", **days, **query))

    @property
    def known(self) -> bool:
        return self.plain.delivered(self.period) > 0

    @property
    def comparable(self) -> bool:
        return all(self.plain.delivered(w) == w.days for w in (self.period, self.before))


@pytest.fixture(params=first_of(THIRTY, YEAR, PAST, BEFORE))
def world(desk: Desk, request: pytest.FixtureRequest) -> World:
    desk.who = PEOPLE[Role.MANAGER]
    fill(desk.engine, desk.now)
    days, back, grain = {
        THIRTY: (30, 0, "day"),
        YEAR: (365, 0, "week"),
        PAST: (70, 40, "day"),
        BEFORE: (30, 790, "day"),
    }[request.param]
    end = desk.now.date() - back * DAY
    period = Window(end - days * DAY, end)
    before = Window(period.start - days * DAY, period.start)
    return World(desk, Plain(desk.engine, desk.now), request.param, period, before, grain)


def test_no_figure_differs_from_plain_pandas(world: World) -> None:
    assert_work(world)
    assert_reviewers(world)
    assert_volume(world)
    if world.known:
        for split in Split:
            assert_decisions_by(world, split)
        for dimension in Dimension:
            assert_volume_by(world, dimension)
        assert_cohorts(world)


def card(app: AppTest, key: str) -> Any:
    (found,) = (metric for metric in app.metric if metric.label == KPIS_BY_KEY[key].name)
    return found


def assert_card(
    app: AppTest,
    key: str,
    value: Number,
    before: Number,
    *,
    why: str = "",
    course: Sequence[Number] = (),
) -> None:
    """Check the short value, the exact value, the change or ``why``, and the trend if given."""
    found, unit = card(app, key), KPIS_BY_KEY[key].unit
    amount = None if value is None else _decimal(value, unit)
    was = None if before is None else _decimal(before, unit)
    assert found.value == amounts.amount_text(unit, amount, beside=was, nothing=found.value), key
    assert (value is None) == (found.value in ("unknown", "none", "–")), key
    exactly = re.search(r"Exactly ([−\d,.]+)", found.proto.help)
    whole = (Unit.APPLICATIONS, Unit.AFFILIATES)
    assert bool(exactly) is (amount is not None and unit not in whole), key
    if exactly and amount is not None:
        exact = Decimal(exactly[1].strip(".").replace(",", "").replace("−", "-"))
        assert abs(exact - (amount * 100 if unit is Unit.SHARE else amount)) < Decimal("0.011"), key
    assert found.delta == (amounts.change(unit, amount, was) or why), key
    if course:
        assert drawn_course(app, key) == sparklines.corners([float(value) for value in course]), key


def drawn_course(app: AppTest, key: str) -> str:
    """Return the corners of a card's small chart."""
    (body,) = (
        str(one.proto.body) for one in app.get("html") if f'data-of="{key}"' in one.proto.body
    )
    found = re.search(r"polygon\((.*)\)", body)
    assert found is not None
    return found[1]


def _decimal(value: float, unit: Unit) -> Decimal:
    places = {Unit.USD: 6, Unit.HOURS: 4}.get(unit, 8)
    return Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-places))


def _percentile(hours: pd.Series, share: int) -> Number:
    return float(np.percentile(hours, share)) if len(hours) else None


def _rate(decided: pd.DataFrame) -> Number:
    return float((decided.outcome == "approved").mean()) if len(decided) else None


def _on_time(decided: pd.DataFrame, plain: Plain) -> Number:
    """Return the share decided within three business days of their submission."""
    if not len(decided):
        return None
    took = [plain.used(row.submitted_at, row.decided_at) for row in decided.itertuples()]
    return sum(days < 3 for days in took) / len(took)


def _table(app: AppTest, column: str) -> pd.DataFrame:
    """Return the first table with this column; a chart's own table equals the one below it."""
    return next(table.value for table in app.dataframe if column in table.value)


def _missing(world: World) -> str:
    """Return the text in place of a change."""
    return f"unknown, {730 - BEGIN} days were not delivered" if world.name == YEAR else ""


def assert_work(world: World) -> None:
    app, plain, now, then = world.open(tab="work"), world.plain, world.period, world.before
    decided, was = plain.decided(now), plain.decided(then)

    past = now.end < world.desk.now.date()
    is_open = plain.open_at(now.end) if past else plain.open_now()
    assert_card(app, "open_at_end" if past else "open", is_open, plain.open_at(now.start))
    spans = list(steps(now, world.grain))
    made = [len(plain.decided(w)) for w in spans]
    assert_card(app, "decided", len(decided), len(was), course=made if any(made) else ())
    assert_card(app, "approval_rate", _rate(decided), _rate(was))
    assert_card(app, "on_time_rate", _on_time(decided, plain), _on_time(was, plain))
    hours = _percentile(decided.hours, 50)
    assert_card(app, "time_to_decision", hours, _percentile(was.hours, 50))

    flow, still = traces(app, "flow"), traces(app, "open-then")
    assert flow["submitted"] == [len(plain.submitted(w)) for w in spans]
    for outcome in ("approved", "rejected"):
        found = [int((plain.decided(w).outcome == outcome).sum()) for w in spans]
        assert flow[outcome] == found
    assert still["open"] == [plain.open_at(w.end) for w in spans]
    table = _table(app, "submitted")
    assert table.decided.tolist() == [str(number) for number in made]
    assert table.open.tolist() == [str(plain.open_at(w.end)) for w in spans]
    assert_open(app, plain)
    assert bool(len(decided)) is world.known
    if not len(decided):
        return
    funnel = _table(app, "share_of_submitted")
    stages = plain.stages(now)
    assert funnel.applications.tolist() == [f"{n:,}" for n in stages]
    assert funnel.share_of_submitted.tolist() == [
        figures.whole_percent(Decimal(n) / stages[0]) for n in stages
    ]
    times, touched = _table(app, "what"), plain.touched(now)
    assert times.applications.tolist() == [str(len(touched)), str(len(decided))]
    touched_before = plain.touched(then)
    for column, share, both in (
        ("median_hours", 50, (touched, decided)),
        ("p90_hours", 90, (touched, decided)),
        ("median_hours_before", 50, (touched_before, was)),
        ("p90_hours_before", 90, (touched_before, was)),
    ):
        assert times[column].tolist() == _took(both, share), column


def assert_open(app: AppTest, plain: Plain) -> None:
    """Those open now by age and by their clock."""
    pending = plain.apps[plain.apps.status == "pending"]
    clocks, table = pending.submitted_at.map(plain.clock), _table(app, "age")
    days = (plain.now - pending.submitted_at).dt.days
    assert set(clocks) >= {"overdue", "later"}
    for place, (low, high) in enumerate(AGES):
        of_age = days.between(low, high)
        assert table.open[place] == str(int(of_age.sum()))
        for clock in ("overdue", "soon", "later", "stopped"):
            assert table[clock][place] == str(int((of_age & (clocks == clock)).sum())), clock


def _took(of: Sequence[pd.DataFrame], share: int) -> list[str | None]:
    """Return the cells of a column of durations, which are written alike."""
    found = [_percentile(rows.hours, share) for rows in of]
    hours = [None if one is None else _decimal(one, Unit.HOURS) for one in found]
    words = wording.column_took(hours)
    return [None if one is None else words(one) for one in hours]


def assert_decisions_by(world: World, split: Split) -> None:
    """Each column of the decisions told apart, and those that arrived where they can be."""
    app, plain = world.open(tab="work", split=split), world.plain
    keys = {
        Split.TRACK: lambda rows: rows.snapshot.map(
            lambda kept: "both tracks" if kept["track"] else "no track met"
        ),
        Split.COUNTRY: lambda rows: rows.country_code.fillna("unknown"),
        Split.PLATFORM: lambda rows: rows.social_platform.map(PLATFORMS),
        Split.REVIEWER: lambda rows: named(rows.decided_by),
    }[split]
    decided, arrived = plain.decided(world.period), plain.submitted(world.period)
    apart = _assert_apart(app, str(split), plain, decided, keys(decided))
    if split in (Split.COUNTRY, Split.PLATFORM):
        counts = keys(arrived).value_counts()
        assert {key: int(n) for key, n in apart.submitted.items()} == {
            key: int(counts.get(key, 0)) for key in apart.index
        }
        assert int(counts.sum()) == apart.submitted.astype(int).sum() > 0
    else:
        assert "submitted" not in apart


def _assert_apart(
    app: AppTest, column: str, plain: Plain, decided: pd.DataFrame, keys: pd.Series
) -> pd.DataFrame:
    """The table with this column, each row's figures as those of the decisions with its key."""
    table = _table(app, column).set_index(column)
    assert len(set(keys)) > 1
    assert set(keys) <= set(table.index)
    for key, shown in table.iterrows():
        rows = decided[keys == key]
        assert shown.decided == str(len(rows)), key
        for outcome in ("approved", "rejected"):
            assert shown[outcome] == str(int((rows.outcome == outcome).sum())), key
        rate = _rate(rows)
        share = None if rate is None else figures.whole_percent(_decimal(rate, Unit.SHARE))
        assert shown.approval_rate == share, key
        assert shown.overrides == str(int(rows.is_override.sum())), key
        on_time = _on_time(rows, plain)
        share = None if on_time is None else figures.whole_percent(_decimal(on_time, Unit.SHARE))
        assert shown.on_time_rate == share, key
    for name, percent in (("median_hours", 50), ("p90_hours", 90)):
        expected = _took([decided[keys == key] for key in table.index], percent)
        assert table[name].tolist() == expected, name
    return table


def named(addresses: pd.Series) -> pd.Series:
    """Return the names that the staff of a test has."""
    return addresses.map(lambda email: email.split("@")[0].title())


def assert_reviewers(world: World) -> None:
    plain = world.plain
    app = world.open(tab="reviewers")

    decided, again = plain.decided(world.period), plain.reopened(world.period)
    if not len(decided):
        assert not app.dataframe
        return
    table = _assert_apart(app, "reviewer", plain, decided, named(decided.decided_by))
    taken_back = again.merge(
        plain.decisions,
        left_on=again.detail.map(lambda d: d["decision_id"]),
        right_on="decision_id",
    )
    counts = named(taken_back.decided_by).value_counts()
    assert {r: int(n) for r, n in table.reopened.items() if n != "0"} == counts.to_dict()


def assert_volume(world: World) -> None:
    app, plain, now, then = world.open(tab="volume"), world.plain, world.period, world.before
    why = _missing(world)

    def known(of: Callable[[Window], Number], days: Window) -> Number:
        return of(days) if plain.delivered(days) else None

    for key, of in (
        ("volume", plain.volume),
        ("fees", plain.fees),
        ("active_users", plain.active_a_day),
        ("standard_rebate", plain.standard_rebate),
        ("extra_rebate", plain.extra_rebate),
    ):
        was = known(of, then) if world.comparable else None
        course = [of(step) for step in steps(now, world.grain)] if key == "volume" else []
        assert_card(
            app, key, known(of, now), was, why=why, course=course if world.comparable else []
        )
    assert_card(app, "top_ten_share", known(plain.top_ten, now), None)
    lines = texts(app)
    if not world.known:
        begin = figures.day(world.desk.now.date() - BEGIN * DAY, year=True)
        assert sum(f"data begin {begin}" in line for line in lines) >= 6
        assert not [metric for metric in app.metric if metric.delta and "%" in metric.delta]
        for key in ("new_users", "concentration", "monthly_active_users"):
            assert_card(app, key, None, None)
        return
    # Users are known to be referred from the first one, or the first delivered day, on.
    begin = min(world.desk.now.date() - BEGIN * DAY, plain.referrals.referred_at.min().date())
    gone = max((begin - then.start).days, 0)
    was, lacks = None if gone else plain.new_users(then), f"unknown, {gone} days were not delivered"
    assert_card(app, "new_users", plain.new_users(now), was, why=lacks if gone else "")

    first = now.last_day.replace(day=1)
    through = world.desk.now.date()
    month = Window(first, min((first + 32 * DAY).replace(day=1), through))
    running = month.end != (first + 32 * DAY).replace(day=1)
    earlier = None if running else Window((first - DAY).replace(day=1), first)
    for key, of_month in (
        ("concentration", plain.concentration),
        ("monthly_active_users", plain.active_in),
    ):
        assert_card(app, key, of_month(month), of_month(earlier) if earlier else None)
    ends_in = f"{figures.month(first)}, in which the period ends, UTC"
    assert sum(line.startswith(ends_in) for line in lines) == 2
    # Rates are those of the last refresh, and say so.
    assert sum("decisions and standings as of " in line for line in lines) == 1

    trend = traces(app, "trend-program")
    drawn, expected_days = trend[""], plain.stand_out(now) if world.grain == "day" else {}
    assert trend.get("stands out", []) == pytest.approx(
        [plain.volume(Window(day, day + DAY)) for day in expected_days]
    )
    assert expected_days or world.name != THIRTY
    expected = [known(plain.volume, step) for step in steps(now, world.grain)]
    assert drawn == pytest.approx(expected, nan_ok=True)
    assert (None in drawn) == (world.name == YEAR)
    days = sum(line.count("delivered days of") for line in lines)
    assert (days > 0) == (world.name == YEAR)
    _assert_months(app, plain, month)
    leaders = _table(app, "share")
    largest = plain.by_affiliate(now).nlargest(10)
    assert leaders.account_id.astype(int).tolist() == largest.index.tolist()
    assert leaders.volume_usd.tolist() == pytest.approx(largest.tolist())
    assert leaders.share.tolist() == pytest.approx((largest / plain.volume(now)).tolist())


def _assert_months(app: AppTest, plain: Plain, newest: Window) -> None:
    """Check thirteen months up to the newest, each against the one before if both are whole."""
    table = _table(app, "concentration")
    months = [newest]
    while len(months) < len(table):
        start = (months[-1].start - DAY).replace(day=1)
        months.append(Window(start, months[-1].start))
    assert 0 in table.delivered_days.tolist()
    for row, month in zip(table.itertuples(), months, strict=True):
        assert row.delivered_days == plain.delivered(month)
        assert row.new_users == plain.new_users(month)
        if not row.delivered_days:
            unknown = (row.volume_usd, row.fees_usd, row.active_users, row.concentration)
            assert all(pd.isna(figure) for figure in (*unknown, row.change))
            continue
        assert row.volume_usd == pytest.approx(plain.volume(month))
        assert row.fees_usd == pytest.approx(plain.fees(month))
        assert row.active_users == plain.active_in(month)
        assert row.concentration == pytest.approx(plain.concentration(month), abs=0.51)
        start = (month.start - DAY).replace(day=1)
        before = Window(start, min(start + (month.end - month.start), month.start))
        whole_month = (month.start + 32 * DAY).replace(day=1) == month.end
        before = Window(start, month.start) if whole_month else before
        if all(plain.delivered(days) == days.days for days in (month, before)):
            change = plain.volume(month) / plain.volume(before) - 1
            assert row.change == pytest.approx(change)
        else:
            assert pd.isna(row.change)


def assert_volume_by(world: World, dimension: Dimension) -> None:
    """Each part of each step, drawn and as a table; nothing is left out or counted twice."""
    app, plain = world.open(tab="volume", of=dimension), world.plain
    if dimension is not Dimension.PROGRAM:
        _assert_parts(traces(app, f"trend-{dimension}"), world, _segments(plain, dimension, world))


def _segments(plain: Plain, dimension: Dimension, world: World) -> Callable[[int], str]:
    """The name of the part to which an affiliate's volume belongs."""
    approvals, accounts = plain.approvals, plain.apps.set_index("account_id")
    countries = accounts.country_code.fillna("unknown")
    leaders = plain.by_affiliate(world.period).nlargest(8).index

    assert set(plain.by_affiliate(world.period).index) > set(approvals.index) & set(AFFILIATES)

    def track(affiliate: int) -> str:
        if affiliate not in approvals.index:
            return "not approved"
        return "both tracks" if approvals.snapshot[affiliate]["track"] else "no track met"

    def cohort(affiliate: int) -> str:
        if affiliate not in approvals.index:
            return "not approved"
        return f"{approvals.decided_at[affiliate]:%b %Y}"

    return {
        Dimension.TRACK: track,
        Dimension.COHORT: cohort,
        Dimension.COUNTRY: lambda affiliate: countries[affiliate],
        Dimension.AFFILIATE: lambda affiliate: (
            f"user{affiliate} {affiliate}" if affiliate in leaders else "the rest"
        ),
    }[dimension]


def _assert_parts(
    drawn: Mapping[str, list[float]], world: World, part: Callable[[int], str]
) -> None:
    plain = world.plain
    names = {part(affiliate) for affiliate in plain.by_affiliate(world.period).index}
    assert set(drawn) == names
    assert len(names) > 2
    for place, step in enumerate(steps(world.period, world.grain)):
        rows = plain.traded(step)
        volumes = rows.groupby(rows.affiliate_account_id.map(part)).volume_usd.sum()
        for name, values in drawn.items():
            expected = float(volumes.get(name, 0)) if plain.delivered(step) else None
            assert values[place] == (
                expected if expected is None else pytest.approx(expected, abs=0.005)
            ), (step, name)


def assert_cohorts(world: World) -> None:
    app, plain = world.open(tab="cohorts"), world.plain

    drawn = traces(app, "approval-cohorts")
    _assert_parts(drawn, world, _segments(plain, Dimension.COHORT, world))
    table = _table(app, "referred_in")
    through = world.desk.now.date()
    end = through.replace(day=1)
    blank = 0
    for row in table.to_dict("records"):
        start = row["referred_in"]
        referred = Window(start, (start + 32 * DAY).replace(day=1))
        assert row["users"] == plain.new_users(referred)
        for after, month in enumerate(_whole_months(start, end)):
            expected = plain.retained(referred, month)
            found = row[f"active_after_{after}"]
            if expected is None:
                blank += 1
                assert pd.isna(found)
            else:
                assert found == pytest.approx(expected)
    assert blank
    assert len(table) > 10


def _whole_months(start: date, end: date) -> Iterator[Window]:
    while start < end:
        after = (start + 32 * DAY).replace(day=1)
        yield Window(start, after)
        start = after
