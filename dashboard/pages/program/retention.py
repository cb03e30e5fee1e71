"""Cohorts: retention of referred users, and volume by month of approval."""

from collections.abc import Sequence
from decimal import Decimal

from dashboard.pages.program import approval_months, volume
from dashboard.pages.program.report_bar import ReportView, open_list
from dashboard.ui import data_table, figures, stacked_charts, states
from dashboard.ui.data_table import CellKind, Sheet, SheetColumn
from data_access.reports.page import Cohorts, Head
from data_access.reports.retention import Retained
from program.periods import Window, months_later
from program.reports import kpis
from program.reports.periods import buckets


def draw(part: Cohorts, head: Head, view: ReportView) -> None:
    """Draw the retention grid, and volume by month of approval."""
    if not part.retained:
        states.empty("No calendar month with referred users is complete yet.")
    else:
        sheet = retention_sheet(part.retained)
        chart = stacked_charts.grid(
            [figures.month(month) for month in sheet.cells("referred_in")],
            [column.label for column in sheet.columns[2:]],
            list(zip(*(column.cells for column in sheet.columns[2:]), strict=True)),
            title="How many of the users referred in a month still trade?",
            row_name="referred in",
            column_name="whole calendar months after the one they were referred in, UTC",
        )
        data_table.card(
            sheet,
            chart,
            key="retention",
            on_open=open_list,
            viewer=view.viewer,
            more="share of the users referred; blank where a day of the month was not delivered",
        )
    if view.traded is None or not head.traded:
        return
    traded = approvals_sheet(part, head, view, view.traded)
    drawn = approval_months.in_order(traded)
    chart = stacked_charts.over_time(
        drawn.cells("first_day_utc"),
        volume.money(drawn),
        title=f"How much do affiliates trade, by month of approval? By {view.grain}, UTC, USD",
        unit="USD",
        ends=[step.end for step in buckets(view.traded, view.grain)],
        looks=approval_months.looks(drawn),
    )
    data_table.card(
        drawn,
        chart,
        key="approval-cohorts",
        on_open=open_list,
        viewer=view.viewer,
        more=", ".join(filter(None, [view.trading.gap, view.as_of])),
    )


def retention_sheet(rows: Sequence[Retained]) -> Sheet:
    """Return a row per referral month, newest first, with a column for each month since."""
    months = sorted({row.month for row in rows}, reverse=True)
    shares = {(row.month, row.after): row.share for row in rows}
    sizes = {row.month: row.referred for row in rows}
    longest = max(row.after for row in rows)
    last = max(months_later(row.month, row.after + 1) for row in rows)

    def after(number: int) -> list[Decimal | None]:
        return [shares.get((month, number)) for month in months]

    return Sheet(
        name="retention",
        window=Window(min(months), last),
        columns=(
            SheetColumn(
                key="referred_in",
                label="Referred in",
                kind=CellKind.MONTH,
                cells=months,
                help=kpis.RETENTION.definition,
            ),
            SheetColumn(
                key="users",
                label="Users",
                kind=CellKind.COUNT,
                cells=[sizes[month] for month in months],
                help=kpis.NEW_USERS.definition,
            ),
            *(
                SheetColumn(
                    key=f"active_after_{number}",
                    label=str(number),
                    kind=CellKind.SHARE,
                    cells=after(number),
                    help=kpis.RETENTION.definition,
                )
                for number in range(longest + 1)
            ),
        ),
    )


def approvals_sheet(part: Cohorts, head: Head, view: ReportView, traded: Window) -> Sheet:
    """Return a row per step, with a column for each of the largest approval months and the rest."""
    whole = {row.start: row.volume_usd for row in head.traded}
    parts = volume.largest(part.traded, whole)
    return volume.volume_sheet(
        "volume-by-month-of-approval",
        parts,
        approval_months.names(parts),
        view,
        traded,
    )
