"""The rows behind a risk signal: users, days or sign-ups, as a picture and a table."""

from collections.abc import Callable, Sequence
from decimal import Decimal

import streamlit as st

from dashboard.shell import sign_in
from dashboard.ui import charts, figures, grid, risk_inputs
from data_access.db import database
from data_access.review import risk_rows
from data_access.review.opening import Opened
from data_access.review.risk_rows import Rows
from data_access.risk.reading import AccountRisk
from program import wording
from program.periods import utc_day
from program.risk.signals import Signal

MOST_BARS = 15


@st.fragment
def draw(shown: Opened, found: AccountRisk, signal: Signal) -> None:
    """Read and draw what a signal was measured from; nothing else waits for it."""
    sign_in.require_same(shown.person)
    inputs = risk_inputs.words(signal.id, found.inputs.get(signal.id, {}))
    if inputs:
        st.text(inputs)
    picture = PICTURES.get(signal.id)
    if picture is None:
        return
    with database.reading(database.reader()) as connection:
        rows = risk_rows.read(connection, shown.application.account_id, through=found.data_through)
    picture(shown, rows)


def _draw_users(shown: Opened, rows: Rows) -> None:
    total = rows.volume_usd
    if not total:
        st.caption("No referred user traded in these days.")
        return
    shares = [user.volume_usd / total * 100 for user in rows.users]
    top = rows.users[:MOST_BARS]
    charts.draw(
        charts.category_bars(
            [f"u-{user.referred_account_id}" for user in top],
            [wording.rounded(share, 1) for share in shares[: len(top)]],
            title=f"Share of the volume by user, {_span(rows)}",
            unit="%",
        ),
        key="risk-users-chart",
    )
    grid.draw(
        {
            "user": grid.text(
                "User", [f"u-{user.referred_account_id}" for user in rows.users], width=78
            ),
            "volume": grid.number(
                "Volume", [user.volume_usd for user in rows.users], written="%,.0f", width=86
            ),
            "share": grid.number("Share", shares, written="%.1f %%", width=62),
            "fees": grid.number(
                "Net fees", [user.fees_usd for user in rows.users], written="%,.0f", width=70
            ),
            "days": grid.whole("Days", [user.trading_days for user in rows.users], width=48),
            "since": grid.day(
                "Referred",
                [user.referred_at and utc_day(user.referred_at) for user in rows.users],
                width=88,
            ),
            "kyc": grid.text(
                "Identity", [user.kyc_status or figures.UNKNOWN for user in rows.users], width=72
            ),
        },
        key=f"risk-users-{shown.id_}",
        alt="Users with the most volume",
        row_height=grid.LOW_ROW_HEIGHT,
        most_high=10,
    )


def _draw_bars(
    rows: Rows, what: str, values: Sequence[Decimal | int], *, unit: str, key: str
) -> None:
    charts.draw(
        charts.daily_bars(
            [day.day for day in rows.days],
            values,
            title=f"{what} by day, UTC; the last 30 days are shaded",
            unit=unit,
            window=rows.window,
        ),
        key=key,
    )


def _draw_days(_: Opened, rows: Rows) -> None:
    volumes = [day.volume_usd for day in rows.days]
    _draw_bars(rows, "Volume", volumes, unit="USD", key="risk-days-chart")
    busiest = sorted(rows.days, key=lambda day: -day.volume_usd)[:3]
    words = [
        f"{figures.day(day.day)} {figures.usd(day.volume_usd)} USD"
        + (
            f" ({figures.whole_percent(day.volume_usd / day.program_usd)} of the program)"
            if day.program_usd
            else ""
        )
        for day in busiest
        if day.volume_usd
    ]
    if words:
        st.caption(f"Busiest days: {wording.listed(words)}.")


def _draw_signups(_: Opened, rows: Rows) -> None:
    sign_ups = [day.new_users for day in rows.days]
    _draw_bars(rows, "Sign-ups", sign_ups, unit="users", key="risk-signups-chart")


def _span(rows: Rows) -> str:
    return figures.day_range(rows.window.start, rows.window.last_day)


Picture = Callable[[Opened, Rows], None]
_BY_USER = (
    *("R01", "R02", "R03", "R04", "R10", "R11", "R12", "R13", "R14", "R15", "R16", "R17"),
    *("R18", "R19", "R23", "R26", "R27", "R29", "R32", "R33", "R34"),
)
_BY_DAY = ("R05", "R06", "R07", "R08", "R21", "R24", "R28")
_BY_SIGN_UP = ("R09", "R20", "R31")
# What a signal is measured from; those of applications and evidence have no picture.
PICTURES: dict[str, Picture] = {
    **dict.fromkeys(_BY_USER, _draw_users),
    **dict.fromkeys(_BY_DAY, _draw_days),
    **dict.fromkeys(_BY_SIGN_UP, _draw_signups),
}
