"""Raw rows of a program with missing days, and its figures computed by pandas."""

import random
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Engine, text

from data_access import rollups
from program.affiliates.requalification import Standing, Step
from program.periods import Window, day_start
from tests.builders import add_application
from tests.data_access.reports.test_kpis import add_event, decide, reopen
from tests.data_access.rollups.test_program_sums import move
from tests.data_access.rollups.test_refreshing import Referral, Trade, deliver

DAY = timedelta(days=1)
BEGIN, END = 420, 1
# More than a calendar month in one piece, and a day.
HOLES = (*range(190, 252), 300)
AFFILIATES = range(1, 13)
# An affiliate who trades without an approval.
TURNED_DOWN = 12
# Before the first delivered day somebody was referred.
FIRST_REFERRAL = 440
COUNTRIES = ("BR", "DE", None)
# As typed, and as people know them.
PLATFORMS = {"x": "X", "YouTube": "YouTube", "Twitter": "X", " x ": "X"}
# A day that stands out by far.
SPIKE = 5
STANDARD = 0.1
ANA, BEN, MIRA = "ana@example.com", "ben@example.com", "mira@example.com"


def fill(engine: Engine, now: datetime) -> None:
    """Write activity of 420 days without two months; applications before, in and after."""
    chance, today = random.Random(11), now.date()
    users = {user: chance.choice(AFFILIATES) for user in range(100, 190)}
    facts: list[Trade | Referral] = []
    for user, affiliate in users.items():
        at = day_start(today - chance.randrange(END, BEGIN) * DAY) + _seconds(chance, 86_400)
        facts.append(Referral(at=at, affiliate=affiliate, user=user))
    facts.append(Referral(at=day_start(today - FIRST_REFERRAL * DAY), affiliate=1, user=99))
    for back in range(END, BEGIN + 1):
        if back in HOLES:
            continue
        for user in chance.sample(sorted(users), 9):
            volume = chance.choice([0, 19, 250, 9_000]) * chance.random() + (back % 7 == 3)
            volume *= 100 if back == SPIKE else 1
            facts.append(
                Trade(
                    day=today - back * DAY,
                    affiliate=users[user],
                    user=user,
                    volume=f"{volume:.2f}",
                    fees=f"{volume * chance.choice([-0.0001, 0.0006]):.6f}",
                )
            )
    deliver(engine, *facts)
    with engine.begin() as conn:
        for id_ in range(1, 61):
            _apply(conn, id_, chance, now)
        # Whatever the weekday, one is not due yet and others are at the edges.
        for id_, hours in enumerate((1, 26, 50, 74, 98, 122), start=61):
            add_application(conn, id_, submitted_at=now - timedelta(hours=hours))
    rollups.refresh(engine, now=now, risk=None)
    move(engine, 1, Step.SUSPEND, Standing.ACTIVE, day_start(today - 9 * DAY))
    rollups.refresh(engine, now=now, risk=None)


def _apply(conn: Connection, id_: int, chance: random.Random, now: datetime) -> None:
    affiliate = id_ in AFFILIATES
    back = chance.randrange(30, 90) if affiliate else chance.randrange(1, 500 if id_ < 40 else 45)
    submitted = now.replace(microsecond=0) - back * DAY - _seconds(chance, 86_400)
    country = COUNTRIES[id_ % len(COUNTRIES)]
    platform = list(PLATFORMS)[id_ % len(PLATFORMS)]
    account = {"country_code": country}
    add_application(conn, id_, submitted_at=submitted, account=account, social_platform=platform)
    touched = submitted + _seconds(chance, 400_000)
    if touched < now and chance.random() < 0.5:
        conn.execute(
            text(
                "insert into review.notes (application_id, body, author, created_at)"
                " values (:id, 'seen', :by, :at)"
            ),
            {"id": id_, "by": ANA, "at": touched},
        )
    decided = submitted + _seconds(chance, 1_000_000 if affiliate else 2_000_000)
    if not affiliate and (decided > now - DAY or chance.random() < 0.25):
        return
    outcome = "approved" if affiliate or chance.random() < 0.4 else "rejected"
    if id_ == TURNED_DOWN:
        outcome = "rejected"
    rate = {"rebate_rate": chance.choice(["0.15", "0.3"])} if outcome == "approved" else {}
    by, override = chance.choice([ANA, BEN]), chance.random() < 0.3
    made = decide(
        conn, id_, outcome, decided, by, track=chance.choice(["both", None]),
        is_override=override, **rate,
    )  # fmt: skip
    if not affiliate and chance.random() < 0.3:
        again = min(decided + _seconds(chance, 900_000), now - DAY)
        reopen(conn, id_, again, made)
        if chance.random() < 0.5:
            decide(conn, id_, "rejected", again + timedelta(hours=5), BEN, supersedes=made)
    if chance.random() < 0.2:
        add_event(conn, id_, "claimed", submitted + timedelta(hours=1), MIRA)


def _seconds(chance: random.Random, most: int) -> timedelta:
    return timedelta(seconds=chance.randrange(most))


class Plain:
    """The figures over ``window``, computed from the rows."""

    def __init__(self, engine: Engine, now: datetime) -> None:
        self.now = pd.Timestamp(now)
        with engine.connect() as connection:
            self.apps = _frame(
                connection, "exchange.applications join exchange.accounts using (account_id)"
            )
            self.decisions = _frame(connection, "review.decisions")
            self.events = _frame(connection, "review.events")
            self.notes = _frame(connection, "review.notes")
            self.activity = _frame(connection, "exchange.referral_activity")
            self.referrals = _frame(connection, "exchange.referrals")
            self.moves = _frame(connection, "review.affiliate_events")
        self.activity["day"] = pd.to_datetime(self.activity.activity_date, utc=True)
        for name in ("volume_usd", "fees_usd"):
            self.activity[name] = self.activity[name].astype(float)

    # Trading.

    def traded(self, window: Window) -> pd.DataFrame:
        return self.activity[_in(self.activity.day, window)]

    def delivered(self, window: Window) -> int:
        some = self.activity[
            (self.activity.volume_usd > 0)
            | (self.activity.trade_count > 0)
            | (self.activity.fees_usd != 0)
        ]
        return int(some.day[_in(some.day, window)].nunique())

    def volume(self, window: Window) -> float:
        return float(self.traded(window).volume_usd.sum())

    def fees(self, window: Window) -> float:
        return float(self.traded(window).fees_usd.sum())

    def active_a_day(self, window: Window) -> float:
        rows = self.traded(window)
        daily = rows[rows.volume_usd > 0].groupby("day").referred_account_id.nunique()
        return float(daily.sum()) / self.delivered(window)

    def new_users(self, window: Window) -> int:
        return int(_in(self.referrals.referred_at, window).sum())

    def standard_rebate(self, window: Window) -> float:
        return STANDARD * self.fees(window)

    def extra_rebate(self, window: Window) -> float:
        approved = self.standing[self.standing.outcome == "approved"].merge(
            self.apps[["application_id", "account_id"]], on="application_id"
        )
        rows = self.traded(window).merge(
            approved, left_on="affiliate_account_id", right_on="account_id"
        )
        rows = rows[rows.day >= rows.decided_at.dt.normalize()]
        for out in self.moves.itertuples():
            gone = (rows.affiliate_account_id == out.account_id) & (
                rows.day >= pd.Timestamp(out.at).normalize()
            )
            rows = rows[~gone]
        return float(((rows.rebate_rate.astype(float) - STANDARD) * rows.fees_usd).sum())

    def stand_out(self, window: Window) -> dict[date, float]:
        """Days far from what their weekday usually brings, and what that is."""
        daily = self.activity.groupby("day").volume_usd.sum()
        found = {}
        for back in range(window.days):
            day = window.start + back * DAY
            before = Window(day - 28 * DAY, day)
            if self.delivered(before) < before.days or not self.delivered(Window(day, day + DAY)):
                continue
            usual = {
                weekday: daily[_in(daily.index.to_series(), before)]
                .pipe(lambda days, weekday=weekday: days[days.index.day_of_week == weekday])
                .median()
                for weekday in range(7)
            }
            days = daily[_in(daily.index.to_series(), before)]
            strays = (days - days.index.day_of_week.map(usual)).abs()
            expected, value = usual[day.weekday()], daily[pd.Timestamp(day, tz="UTC")]
            if abs(value - expected) > max(4 * 1.4826 * strays.median(), 0.1 * expected):
                found[day] = float(expected)
        return found

    @cached_property
    def approvals(self) -> pd.DataFrame:
        """The approval that stands of each affiliate."""
        approved = self.standing[self.standing.outcome == "approved"]
        accounts = self.apps[["application_id", "account_id"]]
        return approved.merge(accounts, on="application_id").set_index("account_id")

    def by_affiliate(self, window: Window) -> pd.Series:
        return self.traded(window).groupby("affiliate_account_id").volume_usd.sum()

    def top_ten(self, window: Window) -> float:
        sums = self.by_affiliate(window)
        return float(sums.nlargest(10).sum() / sums.sum())

    def concentration(self, month: Window) -> float:
        shares = self.by_affiliate(month) / self.volume(month)
        return float(10_000 * (shares**2).sum())

    def active_in(self, month: Window) -> int:
        rows = self.traded(month)
        return int(rows[rows.volume_usd > 0].referred_account_id.nunique())

    def retained(self, referred: Window, month: Window) -> float | None:
        """Return the share of the users referred in one month that trades in another."""
        if self.delivered(month) < month.days:
            return None
        rows = self.referrals[_in(self.referrals.referred_at, referred)]
        active = self.traded(month)
        who = set(active[active.volume_usd > 0].referred_account_id)
        return float(rows.referred_account_id.isin(who).mean())

    # Work.

    @cached_property
    def standing(self) -> pd.DataFrame:
        """Return current decisions of applications that still have their outcome."""
        newest = self.decisions[
            ~self.decisions.decision_id.isin(self.decisions.supersedes.dropna())
        ]
        found = newest.merge(
            self.apps[
                ["application_id", "submitted_at", "status", "country_code", "social_platform"]
            ],
            on="application_id",
        )
        found = found[found.status == found.outcome]
        return found.assign(hours=_hours(found.decided_at - found.submitted_at))

    def decided(self, window: Window) -> pd.DataFrame:
        return self.standing[_in(self.standing.decided_at, window)]

    @cached_property
    def touches(self) -> pd.DataFrame:
        parts = [
            self.decisions.rename(columns={"decided_at": "touch"}),
            self.notes.rename(columns={"created_at": "touch"}),
            self.events.rename(columns={"at": "touch"}),
        ]
        every = pd.concat([part[["application_id", "touch"]] for part in parts])
        first = every.groupby("application_id").touch.min().reset_index()
        found = first.merge(self.apps[["application_id", "submitted_at"]], on="application_id")
        return found.assign(hours=_hours(found.touch - found.submitted_at))

    def touched(self, window: Window) -> pd.DataFrame:
        return self.touches[_in(self.touches.touch, window)]

    def submitted(self, window: Window) -> pd.DataFrame:
        return self.apps[_in(self.apps.submitted_at, window)]

    def reopened(self, window: Window) -> pd.DataFrame:
        again = self.events[(self.events.kind == "reopened") & _in(self.events["at"], window)]
        return again.drop_duplicates("application_id")

    def open_at(self, day: date) -> int:
        """Return how many were open at the start of ``day``, by their later outcome."""
        at = pd.Timestamp(day, tz="UTC")
        left = (self.apps.status != "pending") & (self.apps.status_changed_at < at)
        return int(((self.apps.submitted_at < at) & ~left).sum())

    def open_now(self) -> int:
        return int((self.apps.status == "pending").sum())

    def clock(self, submitted: pd.Timestamp) -> str:
        """How the clock of an open application stands: three business days, no holidays."""
        days = self.used(submitted, self.now)
        return "overdue" if days >= 3 else "soon" if days >= 2 else "later"

    def used(self, at: pd.Timestamp, until: pd.Timestamp) -> float:
        """Return the business days from ``at`` to ``until``; there are no holidays."""
        used = pd.Timedelta(0)
        while at < until:
            midnight = at.normalize() + pd.Timedelta(days=1)
            if at.weekday() < 5:
                used += min(midnight, until) - at
            at = midnight
        return used / pd.Timedelta(days=1)

    def stages(self, window: Window) -> list[int]:
        came = set(self.submitted(window).application_id)
        approved = self.standing[self.standing.outcome == "approved"]
        return [
            len(came),
            len(came & set(self.touches.application_id)),
            len(came & set(self.standing.application_id)),
            len(came & set(approved.application_id)),
            len(came & {row.application_id for row in approved.itertuples() if self._trades(row)}),
        ]

    def _trades(self, row: Any) -> bool:
        account = self.apps.set_index("application_id").account_id[row.application_id]
        mine = self.activity[self.activity.affiliate_account_id == account]
        return bool(((mine.day > row.decided_at.normalize()) & (mine.volume_usd > 0)).any())


def steps(window: Window, grain: str) -> Iterator[Window]:
    """Yield days, weeks from Monday or months, cut at both ends."""
    start = window.start
    following: dict[str, Callable[[date], date]] = {
        "day": lambda day: day + DAY,
        "week": lambda day: day + (7 - day.weekday()) * DAY,
        "month": lambda day: (day.replace(day=1) + 32 * DAY).replace(day=1),
    }
    while start < window.end:
        end = min(following[grain](start), window.end)
        yield Window(start, end)
        start = end


def _frame(connection: Connection, source: str) -> pd.DataFrame:
    rows = connection.execute(text(f"select * from {source}")).mappings().all()
    frame = pd.DataFrame([dict(row) for row in rows])
    for name in frame.columns:
        if name.endswith("_at") or name == "at":
            frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame


def _in(moments: pd.Series, window: Window) -> pd.Series:
    start, end = (pd.Timestamp(day, tz="UTC") for day in (window.start, window.end))
    return (moments >= start) & (moments < end)


def _hours(spans: pd.Series) -> pd.Series:
    return spans.dt.total_seconds() / 3600
