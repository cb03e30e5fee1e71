"""The program page's figures equal plain pandas over the raw rows, with missing days.

Over 30 whole days, over a year with thirteen missing days, and over 30 days before the first
delivery: each card, its change, each step of a chart, and the tables.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.pages.program import kpi_cards
from dashboard.shell.screens import PROGRAM
from dashboard.ui import figures
from program.periods import Window
from program.reports.kpis import KPIS, Unit
from program.review.permissions import Role
from tests.dashboard.pages.program.program_world import BEGIN, DAY, Plain, fill, steps
from tests.dashboard.pages.program.test_program_page import traces
from tests.dashboard.pages.screen import PEOPLE, Desk, said

KPIS_BY_KEY = {kpi.key: kpi for kpi in KPIS}
Number = float | int | None
AGES = ((0, 2), (3, 10), (11, 30), (31, 10_000))
THIRTY, YEAR, BEFORE = "30 days", "a year", "before the data"


@dataclass
class World:
    """The page over one period, and what it should say."""

    desk: Desk
    plain: Plain
    name: str
    period: Window
    before: Window
    grain: str

    def open(self, **query: str) -> AppTest:
        days = {"from": str(self.period.start), "to": str(self.period.last_day)}
        return self.desk.open(PROGRAM, period="custom", **days, **query)

    @property
    def known(self) -> bool:
        return self.plain.delivered(self.period) > 0

    @property
    def comparable(self) -> bool:
        return all(self.plain.delivered(w) == w.days for w in (self.period, self.before))


@pytest.fixture(params=[THIRTY, YEAR, BEFORE])
def world(desk: Desk, request: pytest.FixtureRequest) -> World:
    desk.who = PEOPLE[Role.MANAGER]
    fill(desk.engine, desk.now)
    days, back, grain = {THIRTY: (30, 0, "day"), YEAR: (365, 0, "week"), BEFORE: (30, 790, "day")}[
        request.param
    ]
    end = desk.now.date() - back * DAY
    period = Window(end - days * DAY, end)
    before = Window(period.start - days * DAY, period.start)
    return World(desk, Plain(desk.engine, desk.now), request.param, period, before, grain)


def test_no_figure_differs_from_plain_pandas(world: World) -> None:
    assert_work(world)
    assert_reviewers(world)
    assert_volume(world)
    if world.known:
        assert_countries(world)
        assert_cohorts(world)


def card(app: AppTest, key: str) -> Any:
    (found,) = (metric for metric in app.metric if metric.label == KPIS_BY_KEY[key].name)
    return found


def assert_card(app: AppTest, key: str, value: Number, before: Number, *, why: str = "") -> None:
    """The short value, the exact one, and the change; ``why`` is said in the place of a change."""
    found, unit = card(app, key), KPIS_BY_KEY[key].unit
    amount = None if value is None else _decimal(value, unit)
    was = None if before is None else _decimal(before, unit)
    assert found.value == kpi_cards.said(unit, amount, nothing=found.value), key
    assert (value is None) == (found.value in ("unknown", "none", "–")), key
    if (exactly := re.search(r"Exactly ([−\d,.]+)", found.proto.help)) and amount is not None:
        told = Decimal(exactly[1].strip(".").replace(",", "").replace("−", "-"))
        assert abs(told - (amount * 100 if unit is Unit.SHARE else amount)) < Decimal("0.011"), key
    assert found.delta == (kpi_cards.change(unit, amount, was) or why), key


def _decimal(value: float, unit: Unit) -> Decimal:
    places = {Unit.USD: 6, Unit.HOURS: 4}.get(unit, 8)
    return Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-places))


def _percentile(hours: pd.Series, share: int) -> Number:
    return float(np.percentile(hours, share)) if len(hours) else None


def _rate(decided: pd.DataFrame) -> Number:
    return float((decided.outcome == "approved").mean()) if len(decided) else None


def _table(app: AppTest, column: str) -> pd.DataFrame:
    """The first table with this column; a chart's own is the same as the one below it."""
    return next(table.value for table in app.dataframe if column in table.value)


def _missing(world: World) -> str:
    """What stands in the place of a change."""
    return f"unknown, {730 - BEGIN} days were not delivered" if world.name == YEAR else ""


def assert_work(world: World) -> None:
    app, plain, now, then = world.open(tab="work"), world.plain, world.period, world.before
    decided, was = plain.decided(now), plain.decided(then)

    past = now.end < world.desk.now.date()
    is_open = plain.open_at(now.end) if past else plain.open_now()
    assert_card(app, "open_at_end" if past else "open", is_open, plain.open_at(now.start))
    assert_card(app, "decided", len(decided), len(was))
    assert_card(app, "approval_rate", _rate(decided), _rate(was))
    hours = _percentile(decided.hours, 50)
    assert_card(app, "time_to_decision", hours, _percentile(was.hours, 50))

    spans = list(steps(now, world.grain))
    flow, still = traces(app, "flow"), traces(app, "open-then")
    assert flow["submitted"] == [len(plain.submitted(w)) for w in spans]
    for outcome in ("approved", "rejected"):
        found = [int((plain.decided(w).outcome == outcome).sum()) for w in spans]
        assert flow[outcome] == found
    assert still["open"] == [plain.open_at(w.end) for w in spans]
    if not len(decided):
        return
    days = (plain.now - plain.apps[plain.apps.status == "pending"].submitted_at).dt.days
    ages = [int(days.between(low, high).sum()) for low, high in AGES]
    assert _table(app, "age").open.tolist() == [str(number) for number in ages]
    funnel = _table(app, "share_of_submitted")
    stages = plain.stages(now)
    assert funnel.applications.tolist() == [f"{n:,}" for n in stages]
    assert funnel.share_of_submitted.tolist() == [
        figures.whole_percent(Decimal(n) / stages[0]) for n in stages
    ]
    times, touched = _table(app, "what"), plain.touched(now)
    assert times.applications.tolist() == [str(len(touched)), str(len(decided))]
    for column, share in (("median_hours", 50), ("p90_hours", 90)):
        waits = [_percentile(rows.hours, share) for rows in (touched, decided)]
        assert times[column].tolist() == [figures.took(_decimal(w, Unit.HOURS)) for w in waits]
    by_country = decided.fillna({"country_code": "unknown"}).groupby("country_code")
    apart = _table(app, "country").set_index("country")
    assert apart.decided.to_dict() | {
        c: "0" for c in apart.index if c not in by_country.groups
    } == (dict.fromkeys(apart.index, "0") | {c: str(len(rows)) for c, rows in by_country})
    for country, rows in by_country:
        assert apart.overrides[country] == str(int(rows.is_override.sum()))


def assert_reviewers(world: World) -> None:
    plain = world.plain
    app = world.open(tab="reviewers")

    decided, again = plain.decided(world.period), plain.reopened(world.period)
    if not len(decided):
        assert not app.dataframe
        return
    table = _table(app, "reviewer").set_index("reviewer")
    for reviewer, rows in decided.groupby("decided_by"):
        assert table.decided[reviewer] == str(len(rows))
        assert table.rejected[reviewer] == str(int((rows.outcome == "rejected").sum()))
        assert table.approval_rate[reviewer] == figures.whole_percent(
            _decimal(_rate(rows) or 0, Unit.SHARE)
        )
    taken_back = again.merge(
        plain.decisions,
        left_on=again.detail.map(lambda d: d["decision_id"]),
        right_on="decision_id",
    )
    counts = taken_back.decided_by.value_counts()
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
        assert_card(app, key, known(of, now), was, why=why)
    assert_card(app, "top_ten_share", known(plain.top_ten, now), None)
    lines = said(app)
    if not world.known:
        begin = figures.day(world.desk.now.date() - BEGIN * DAY, year=True)
        assert sum(f"data begin {begin}" in line for line in lines) >= 6
        assert not [metric for metric in app.metric if metric.delta and "%" in metric.delta]
        return
    news = plain.new_users(then) if then.start >= plain.referrals.referred_at.min().date() else None
    assert_card(app, "new_users", plain.new_users(now), news, why=card(app, "new_users").delta)

    first = now.last_day.replace(day=1)
    month = Window(first, min((first + 32 * DAY).replace(day=1), now.end))
    running = month.end != (first + 32 * DAY).replace(day=1)
    earlier = None if running else Window((first - DAY).replace(day=1), first)
    for key, of_month in (
        ("concentration", plain.concentration),
        ("monthly_active_users", plain.active_in),
    ):
        assert_card(app, key, of_month(month), of_month(earlier) if earlier else None)

    drawn = traces(app, "trend-program")[""]
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
    """Thirteen months up to the newest, each against the one before, if all of both is there."""
    table = _table(app, "concentration")
    months = [newest]
    while len(months) < len(table):
        start = (months[-1].start - DAY).replace(day=1)
        months.append(Window(start, months[-1].start))
    for row, month in zip(table.itertuples(), months, strict=True):
        assert row.delivered_days == plain.delivered(month)
        if not row.delivered_days:
            assert pd.isna(row.volume_usd)
            continue
        assert row.volume_usd == pytest.approx(plain.volume(month))
        assert row.fees_usd == pytest.approx(plain.fees(month))
        assert row.active_users == plain.active_in(month)
        assert row.new_users == plain.new_users(month)
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


def assert_countries(world: World) -> None:
    app, plain = world.open(tab="volume", of="country"), world.plain

    drawn = traces(app, "trend-country")
    countries = plain.apps.set_index("account_id").country_code
    for name, values in drawn.items():
        for step, value in zip(steps(world.period, world.grain), values, strict=True):
            rows = plain.traded(step)
            theirs = rows.affiliate_account_id.map(countries).fillna("unknown") == name
            expected = float(rows[theirs].volume_usd.sum()) if plain.delivered(step) else None
            assert value == (expected if expected is None else pytest.approx(expected)), step


def assert_cohorts(world: World) -> None:
    app, plain = world.open(tab="cohorts"), world.plain

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


def _whole_months(start: date, end: date) -> Iterator[Window]:
    while start < end:
        after = (start + 32 * DAY).replace(day=1)
        yield Window(start, after)
        start = after
