"""Volume: trading of referred users, the largest affiliates, costs, and unusual days."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise

import streamlit as st

from dashboard.pages.program import approval_months, kpi_cards, report_bar
from dashboard.pages.program.approval_months import BESIDE_MONTHS, REST
from dashboard.pages.program.kpi_cards import Figure
from dashboard.pages.program.report_bar import ReportView, open_list, span
from dashboard.ui import charts, data_table, figures, stacked_charts, states
from dashboard.ui.charts import Chart
from dashboard.ui.data_table import CellKind, Sheet, SheetColumn
from data_access.reports import measured
from data_access.reports.measured import Trading, volume_usd
from data_access.reports.page import LEADERS_DRAWN, MONTHS_SHOWN, Head, Volume
from data_access.reports.volume import Leader, Month, Traded
from program.periods import ONE_DAY, Window, month_start, months_later
from program.policy.criteria import TRACK_WORDS
from program.policy.delivered import Known, no_change
from program.reports import anomalies, kpis
from program.reports.amounts import Amount
from program.reports.anomalies import Anomaly
from program.reports.kpis import Kpi
from program.reports.periods import Dimension, Grain, buckets
from program.wording import rounded

PARTS_DRAWN = LEADERS_DRAWN
MOST_TOLD = 5


def draw(part: Volume, head: Head, view: ReportView) -> None:
    """Draw figures, the trend, the months, and the largest affiliates."""
    traded, known = view.traded, view.trading
    if traded is None:
        states.empty("The data do not reach this period yet.")
        return
    kpi_cards.row(_first_row(part, head, view), key="volume-figures")
    kpi_cards.row(_second_row(part, head, view), key="volume-rebates")
    if known.any:
        _draw_trend(part, head, view, traded)
    else:
        states.empty(f"Trading of {span(traded)}, UTC, is unknown: {known.gap}.")
    left, right = st.columns([1.55, 1])
    with left:
        if part.months:
            data_table.listing(
                months_sheet(part, view),
                "Month over month",
                key="months",
                on_open=open_list,
                take=view.viewer.take,
                more=f"data through {figures.day(view.through)}",
            )
    with right:
        if known.any:
            data_table.listing(
                leaders_sheet(part.leaders, head, traded),
                "The ten largest affiliates",
                key="leaders",
                on_open=open_list,
                take=view.viewer.take,
                more=known.gap,
            )


def _first_row(part: Volume, head: Head, view: ReportView) -> list[Figure]:
    trading = view.compared_trading
    referring = Trading(
        now=view.delivered.referring(view.trading.window),
        before=view.delivered.referring(view.trading_before.window),
    )
    rebate = measured.standard_rebate(part.rebates, part.rebates_before, trading)
    return [
        *(
            kpi_cards.of_trading(found, trading)
            for found in (measured.fees(head, trading), measured.active_users(head, trading))
        ),
        kpi_cards.of_trading(measured.new_users(head, referring), referring),
        kpi_cards.of_trading(rebate, trading),
    ]


def _second_row(part: Volume, head: Head, view: ReportView) -> list[Figure]:
    trading, whole = view.compared_trading, volume_usd(head.traded)
    top = sum((leader.volume_usd for leader in part.leaders), Decimal(0))
    extra = measured.extra_rebate(part.rebates, part.rebates_before, trading)
    alone = Trading(now=trading.now)
    share = alone.measured(kpis.TOP_TEN, top / whole if whole else None)
    return [
        kpi_cards.of_trading(extra, trading, as_of=view.as_of),
        kpi_cards.of_trading(share, alone),
        _of_month(kpis.CONCENTRATION, part, view, lambda month: month.concentration),
        _of_month(kpis.MONTHLY_ACTIVE, part, view, lambda month: month.active_users),
    ]


def _of_month(kpi: Kpi, part: Volume, view: ReportView, of: Callable[[Month], Amount]) -> Figure:
    """Return a figure of the calendar month in which the period ends."""
    assert view.traded is not None
    month, newest = month_start(view.traded.last_day), _newest(part, view)
    running = "" if part.same_days is None else ", still running"
    days = f"{figures.month(month)}, in which the period ends, UTC{running}"
    if newest is None or not newest.trading.any:
        known = view.delivered.trading(Window(month, months_later(month, 1)))
        return Figure(kpi=kpi, value=None, nothing=figures.UNKNOWN, days=f"{days} · {known.gap}")
    # A running month is not compared with a whole one.
    before = part.months[-2] if part.same_days is None and len(part.months) > 1 else None
    gone = no_change(newest.trading, before.trading) if before else ""
    gap = f", {newest.trading.gap}" if newest.trading.gap else ""
    return Figure(
        kpi=kpi,
        value=of(newest),
        nothing=figures.UNKNOWN,
        before=of(before) if before and not gone else None,
        days=f"{days}{gap}",
        compared=f"Compared with {figures.month(before.month)}." if before and not gone else "",
        no_change=gone,
    )


def _newest(part: Volume, view: ReportView) -> Month | None:
    """Return the month in which the period ends, unless it is unknown."""
    newest = part.months[-1] if part.months else None
    ends_in = month_start(view.traded.last_day) if view.traded else None
    return newest if newest and newest.month == ends_in else None


def _draw_trend(part: Volume, head: Head, view: ReportView, traded: Window) -> None:
    dimension = view.report.dimension
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("**Volume by**", width="content")
        report_bar.choose_dimension(view.report)
    sheet = trend_sheet(part, head, view, traded)
    title = f"How much do referred users trade? By {view.grain}, UTC, USD"
    steps = _steps(traded, view)
    notes, ends = [step.gap for step in steps], [step.window.end for step in steps]
    if dimension is not Dimension.PROGRAM:
        by_month = dimension is Dimension.COHORT
        sheet = approval_months.in_order(sheet) if by_month else sheet
        chart = stacked_charts.over_time(
            sheet.cells("first_day_utc"),
            money(sheet),
            title=title,
            unit="USD",
            ends=ends,
            notes=notes,
            looks=approval_months.looks(sheet) if by_month else stacked_charts.NO_LOOKS,
        )
        data_table.card(
            sheet,
            chart,
            key=f"trend-{dimension}",
            on_open=open_list,
            viewer=view.viewer,
            more=_note(view),
        )
        return
    marked = standing_out(part, view, traded)
    chart = _program_chart(sheet, title, marked, notes, ends)
    data_table.card(
        sheet,
        chart,
        key="trend-program",
        on_open=open_list,
        viewer=view.viewer,
        more=_anomaly_words(marked, view),
    )


def _steps(traded: Window, view: ReportView) -> list[Known]:
    return [view.delivered.trading(step) for step in buckets(traded, view.grain)]


def money(sheet: Sheet) -> dict[str, Sequence[charts.Value]]:
    """Return the columns to draw."""
    return {column.label: column.cells for column in sheet.columns if column.kind is CellKind.USD}  # type: ignore[misc]


def _note(view: ReportView) -> str:
    notes = {
        Dimension.AFFILIATE: f"the {LEADERS_DRAWN} largest of the period, the others as the rest",
        Dimension.COUNTRY: "",
    }
    note = notes.get(view.report.dimension, view.as_of)
    return ", ".join(filter(None, [view.trading.gap, note]))


def _program_chart(
    sheet: Sheet,
    title: str,
    marked: Sequence[Anomaly],
    notes: Sequence[str],
    ends: Sequence[date],
) -> Chart:
    chart = charts.step_bars(
        sheet.cells("first_day_utc"),
        sheet.cells("volume_usd"),
        title=title,
        unit="USD",
        notes=notes,
        ends=ends,
    )
    if marked:
        stacked_charts.marks(
            chart.figure,
            [anomaly.day for anomaly in marked],
            [anomaly.value for anomaly in marked],
            [f"stands out: {figures.usd(a.usual)} USD would be usual" for a in marked],
        )
    return chart


def standing_out(part: Volume, view: ReportView, traded: Window) -> list[Anomaly]:
    """Return the days of the period that are unusual for their weekday."""
    if not part.days:
        return []
    volumes = {row.start: row.volume_usd for row in part.days}
    first = traded.start - anomalies.DAYS_BEFORE * ONE_DAY
    days = buckets(Window(first, traded.end), Grain.DAY)
    values = [volumes.get(d.start) if view.delivered.trading(d).any else None for d in days]
    found = anomalies.detect([day.start for day in days], values)
    return [anomaly for anomaly in found if anomaly.day in traded]


def _anomaly_words(marked: Sequence[Anomaly], view: ReportView) -> str:
    gap = f"{view.trading.gap}, bars that miss some are faint; " if view.trading.gap else ""
    if view.grain is not Grain.DAY:
        return f"{gap}days that stand out are marked by days"
    if not marked:
        return f"{gap}no day stands out"
    days = [
        f"{figures.day(a.day)} ({figures.usd(a.value)} instead of {figures.usd(a.usual)} USD)"
        for a in marked[:MOST_TOLD]
    ]
    more = f" and {len(marked) - MOST_TOLD} more" if len(marked) > MOST_TOLD else ""
    return f"{gap}stand out: {', '.join(days)}{more}"


def trend_sheet(part: Volume, head: Head, view: ReportView, traded: Window) -> Sheet:
    """Return a row per step: the program's volume, or its largest segments and the rest."""
    whole = {row.start: row.volume_usd for row in head.traded}
    if view.report.dimension is Dimension.PROGRAM:
        parts = {"volume_usd": whole}
    else:
        parts = largest(part.apart, whole)
    names = {"volume_usd": "Volume", **_names(view.report.dimension, part.leaders, parts)}
    name = f"volume-by-{view.report.dimension}-{view.grain}"
    return volume_sheet(name, parts, names, view, traded)


def volume_sheet(
    name: str,
    parts: Mapping[str, Mapping[date, Decimal]],
    names: Mapping[str, str],
    view: ReportView,
    traded: Window,
) -> Sheet:
    """Return a row per step with the volume of each part; unknown if no day was delivered."""
    steps = _steps(traded, view)
    first = SheetColumn(
        key="first_day_utc",
        label=f"{view.grain.capitalize()} from",
        kind=CellKind.DAY,
        cells=[step.window.start for step in steps],
    )
    columns = [
        SheetColumn(
            key=key,
            label=names.get(key, key),
            kind=CellKind.USD,
            cells=[
                volumes.get(step.window.start, Decimal(0)) if step.any else None for step in steps
            ],
            help=kpis.VOLUME.definition,
            total=sum(volumes.values(), Decimal(0)),
        )
        for key, volumes in parts.items()
    ]
    return Sheet(name=name, window=traded, columns=(first, *columns, days_column(steps)))


def days_column(steps: Sequence[Known]) -> SheetColumn:
    """Return a column with the number of delivered days per step."""
    return SheetColumn(
        key="delivered_days",
        label="Days delivered",
        kind=CellKind.COUNT,
        cells=[step.days for step in steps],
        help="Days that were not delivered are unknown, not zero.",
    )


def largest(
    rows: Sequence[Traded], whole: Mapping[date, Decimal]
) -> dict[str, dict[date, Decimal]]:
    """Return the largest segments' volumes by step, largest first, and the rest."""
    by_segment: dict[str, dict[date, Decimal]] = {}
    for row in rows:
        by_segment.setdefault(row.segment, {})[row.start] = row.volume_usd
    order = sorted(by_segment, key=lambda key: (-sum(by_segment[key].values()), key))
    drawn = {key: by_segment[key] for key in order[:PARTS_DRAWN]}
    rest = {
        start: left
        for start, volume in whole.items()
        if (left := volume - sum(steps.get(start, Decimal(0)) for steps in drawn.values()))
    }
    return {**drawn, REST: rest} if rest else drawn


def _names(
    dimension: Dimension, leaders: Sequence[Leader], segments: Iterable[str]
) -> dict[str, str]:
    if dimension is Dimension.TRACK:
        return {**BESIDE_MONTHS, **TRACK_WORDS, "none": "no track met"}
    if dimension is Dimension.COHORT:
        return approval_months.names(segments)
    if dimension is Dimension.AFFILIATE:
        # With the account's number, since names upstream may repeat.
        return BESIDE_MONTHS | {
            str(leader.affiliate_account_id): f"{leader.username or 'account'} "
            f"{leader.affiliate_account_id}"
            for leader in leaders
        }
    return BESIDE_MONTHS


def months_sheet(part: Volume, view: ReportView) -> Sheet:
    """Return the calendar months without a gap, newest first, each compared with the previous."""
    assert view.through is not None
    known = part.months
    changes = [None, *(_change(now, then) for then, now in pairwise(known))][: len(known)]
    if part.same_days is not None and (newest := _newest(part, view)):
        # A running month is compared with the same days of the month before.
        then = replace(
            newest,
            trading=view.delivered.trading(part.same_days),
            volume_usd=part.same_days_usd,
        )
        changes[-1] = _change(newest, then)
    months, changes = known[-MONTHS_SHOWN:], changes[-MONTHS_SHOWN:]
    first, last = months[0].trading.window, months[-1].trading.window
    cells: list[tuple[str, str, CellKind, Sequence[data_table.Cell], str]] = [
        (
            "month",
            "Month",
            CellKind.MONTH,
            [m.month for m in months],
            kpis.MONTHLY_VOLUME.definition,
        ),
        (
            "volume_usd",
            "Volume",
            CellKind.USD,
            [m.volume_usd for m in months],
            kpis.VOLUME.definition,
        ),
        ("change", "Change", CellKind.CHANGE, changes, kpis.MONTHLY_VOLUME.definition),
        ("fees_usd", "Net fees", CellKind.USD, [m.fees_usd for m in months], kpis.FEES.definition),
        (
            "active_users",
            "Active users",
            CellKind.COUNT,
            [m.active_users for m in months],
            kpis.MONTHLY_ACTIVE.definition,
        ),
        (
            "new_users",
            "New users",
            CellKind.COUNT,
            [m.new_users for m in months],
            kpis.NEW_USERS.definition,
        ),
        (
            "concentration",
            "Concentration",
            CellKind.COUNT,
            [None if m.concentration is None else int(rounded(m.concentration)) for m in months],
            kpis.CONCENTRATION.definition,
        ),
    ]
    columns = [
        SheetColumn(key=key, label=label, kind=kind, cells=list(values)[::-1], help=help_)
        for key, label, kind, values, help_ in cells
    ]
    columns.append(days_column([month.trading for month in months[::-1]]))
    return Sheet(name="months", window=Window(first.start, last.end), columns=tuple(columns))


def _change(now: Month, then: Month) -> Decimal | None:
    """Return the change; unknown unless every day of both was delivered."""
    if no_change(now.trading, then.trading) or not then.volume_usd or now.volume_usd is None:
        return None
    return (now.volume_usd - then.volume_usd) / then.volume_usd


def leaders_sheet(leaders: Sequence[Leader], head: Head, traded: Window) -> Sheet:
    """Return the largest affiliates with their shares of all volume."""
    whole = volume_usd(head.traded)
    return Sheet(
        name="largest-affiliates",
        window=traded,
        columns=(
            SheetColumn(
                key="affiliate",
                label="Affiliate",
                kind=CellKind.TEXT,
                cells=[leader.username or "unknown" for leader in leaders],
            ),
            SheetColumn(
                key="account_id",
                label="Account",
                kind=CellKind.ID,
                help="The account's number on the exchange.",
                cells=[leader.affiliate_account_id for leader in leaders],
            ),
            SheetColumn(
                key="volume_usd",
                label="Volume",
                kind=CellKind.USD,
                cells=[leader.volume_usd for leader in leaders],
                help=kpis.VOLUME.definition,
                total=data_table.summed([leader.volume_usd for leader in leaders]),
            ),
            SheetColumn(
                key="share",
                label="Share",
                kind=CellKind.SHARE,
                cells=[leader.volume_usd / whole if whole else None for leader in leaders],
                help=kpis.TOP_TEN.definition,
            ),
        ),
    )
