"""What referred users trade, who brings it, what it costs, and where it stands out."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise

import streamlit as st

from dashboard.components import badges, charts, figures, kpi_figures, sheets, stacks, states
from dashboard.components.charts import Chart
from dashboard.components.kpi_figures import Figure
from dashboard.components.sheets import Column, Kind, Sheet
from dashboard.forms import report_form
from dashboard.forms.report_form import Asked, open_list, span
from data_access.kpis.parts import LEADERS_DRAWN, Head, Volume
from data_access.kpis.volume import Leader, Month, Traded
from program import anomalies, kpis
from program.anomalies import Anomaly
from program.periods import ONE_DAY, Window, month_start
from program.reports import Dimension, Grain, buckets

PARTS_DRAWN = LEADERS_DRAWN
REST = "rest"
NOT_APPROVED = "not_approved"
MOST_TOLD = 5


def draw(part: Volume, head: Head, asked: Asked) -> None:
    """Figures, the trend, the months, and the largest affiliates."""
    traded = asked.traded
    if traded is None:
        states.empty("The data do not reach this period yet, so nothing of it was traded so far.")
        return
    kpi_figures.row(_first_row(part, head, asked), key="volume-figures")
    kpi_figures.row(_second_row(part, head, asked), key="volume-rebates")
    _draw_trend(part, head, asked, traded)
    left, right = st.columns([1.55, 1])
    with left:
        sheets.listing(
            months_sheet(part, asked),
            "Month over month",
            key="months",
            on_open=open_list,
            take=asked.take,
            more=f"data through {figures.day(asked.through)}",
        )
    with right:
        sheets.listing(
            leaders_sheet(part.leaders, head, traded),
            "The ten largest affiliates",
            key="leaders",
            on_open=open_list,
            take=asked.take,
        )


def total(rows: Iterable[Traded]) -> Decimal:
    """Their volume, USD."""
    return sum((row.volume_usd for row in rows), Decimal(0))


def _first_row(part: Volume, head: Head, asked: Asked) -> list[Figure]:
    now, before = head.traded, head.traded_before
    days, length = asked.traded, asked.traded_before
    assert days is not None
    assert length is not None

    def mean(rows: Sequence[Traded], over: Window) -> Decimal:
        return Decimal(sum(row.user_days for row in rows)) / over.days

    fees = sum((row.fees_usd for row in now), Decimal(0))
    fees_before = sum((row.fees_usd for row in before), Decimal(0))
    said = {"days": f"{span(days)} UTC", "compared": f"Compared with {span(length)}."}
    return [
        Figure(
            kpi=kpis.FEES,
            value=fees,
            before=fees_before,
            **said,
        ),
        Figure(
            kpi=kpis.ACTIVE_USERS,
            value=mean(now, days),
            before=mean(before, length),
            **said,
        ),
        Figure(
            kpi=kpis.NEW_USERS,
            value=sum(row.new_users for row in now),
            before=sum(row.new_users for row in before),
            **said,
        ),
        Figure(
            kpi=kpis.STANDARD_REBATE,
            value=part.rebates.standard_usd,
            before=part.rebates_before.standard_usd,
            **said,
        ),
    ]


def _second_row(part: Volume, head: Head, asked: Asked) -> list[Figure]:
    days, length = asked.traded, asked.traded_before
    assert days is not None
    assert length is not None
    assert asked.through is not None
    whole, newest = total(head.traded), _newest(part, asked.through)
    # A month that is still running is not held against a whole one.
    whole_month = newest is not None and part.same_days is None and len(part.months) > 1
    before = part.months[-2] if whole_month else None
    said = {"days": f"{span(days)} UTC", "compared": f"Compared with {span(length)}."}
    top = sum((leader.volume_usd for leader in part.leaders), Decimal(0))
    month = f"{figures.month(asked.through)} UTC, {_state(part)}"
    compared = f"Compared with {figures.month(before.month)}." if before else ""
    return [
        Figure(
            kpi=kpis.EXTRA_REBATE,
            value=part.rebates.extra_usd,
            before=part.rebates_before.extra_usd,
            **said,
        ),
        Figure(kpi=kpis.TOP_TEN, value=top / whole if whole else None, days=said["days"]),
        Figure(
            kpi=kpis.CONCENTRATION,
            value=newest.concentration if newest else None,
            before=before.concentration if before else None,
            days=month,
            compared=compared,
        ),
        Figure(
            kpi=kpis.MONTHLY_ACTIVE,
            value=newest.active_users if newest else None,
            before=before.active_users if before else None,
            days=month,
            compared=compared,
        ),
    ]


def _newest(part: Volume, through: date) -> Month | None:
    """The data-through day's own month, unless no month is known."""
    newest = part.months[-1] if part.months else None
    return newest if newest and newest.month == month_start(through) else None


def _state(part: Volume) -> str:
    return "whole" if part.same_days is None else "still running"


def _draw_trend(part: Volume, head: Head, asked: Asked, traded: Window) -> None:
    dimension = asked.report.dimension
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("**Volume, told apart by**", width="content")
        report_form.choose_dimension(asked.report)
    sheet = trend_sheet(part, head, asked, traded)
    title = f"How much do referred users trade? By {asked.grain}, UTC, USD"
    parts = {c.label: c.cells for c in sheet.columns[1:] if c.key != "whole"}
    if dimension is not Dimension.PROGRAM:
        chart = stacks.over_time(sheet.cells("first_day_utc"), parts, title=title, unit="USD")  # type: ignore[arg-type]
        sheets.card(
            sheet,
            chart,
            key=f"trend-{dimension}",
            on_open=open_list,
            take=asked.take,
            more=_note(dimension),
        )
        return
    marked = standing_out(part, traded)
    chart = _program_chart(sheet, title, marked)
    sheets.card(
        sheet,
        chart,
        key="trend-program",
        on_open=open_list,
        take=asked.take,
        more=_told(marked, asked),
    )


def _note(dimension: Dimension) -> str:
    if dimension is Dimension.AFFILIATE:
        return f"the {LEADERS_DRAWN} largest of the period, the others as the rest"
    return "as decisions stood at the last refresh" if dimension is not Dimension.COUNTRY else ""


def _program_chart(sheet: Sheet, title: str, marked: Sequence[Anomaly]) -> Chart:
    chart = charts.daily_bars(
        sheet.cells("first_day_utc"), sheet.cells("volume_usd"), title=title, unit="USD"
    )
    if marked:
        stacks.marks(
            chart.figure,
            [anomaly.day for anomaly in marked],
            [anomaly.value for anomaly in marked],
            [f"stands out: usual would be {figures.usd(a.usual)} USD" for a in marked],
        )
    return chart


def standing_out(part: Volume, traded: Window) -> list[Anomaly]:
    """The days of the period that stand out from what their weekday brings."""
    if not part.days:
        return []
    known = {row.start: row.volume_usd for row in part.days}
    # Before the first day with data there is nothing to be usual; days between are zero.
    first = max(traded.start - anomalies.DAYS_BEFORE * ONE_DAY, min(known))
    days = [step.start for step in buckets(Window(first, traded.end), Grain.DAY)]
    found = anomalies.found(days, [known.get(day, Decimal(0)) for day in days])
    return [anomaly for anomaly in found if anomaly.day in traded]


def _told(marked: Sequence[Anomaly], asked: Asked) -> str:
    if asked.grain is not Grain.DAY:
        return "days that stand out are marked by days"
    if not marked:
        return "no day stands out"
    told = [
        f"{figures.day(a.day)} ({figures.usd(a.value)} instead of {figures.usd(a.usual)} USD)"
        for a in marked[:MOST_TOLD]
    ]
    more = f" and {len(marked) - MOST_TOLD} more" if len(marked) > MOST_TOLD else ""
    return f"stand out: {', '.join(told)}{more}"


def trend_sheet(part: Volume, head: Head, asked: Asked, traded: Window) -> Sheet:
    """A row a step: the program's volume, or its largest segments and the rest."""
    starts = [step.start for step in buckets(traded, asked.grain)]
    whole = {row.start: row.volume_usd for row in head.traded}
    if asked.report.dimension is Dimension.PROGRAM:
        parts = {"volume_usd": whole}
    else:
        parts = largest(part.apart, whole)
    names = _names(asked.report.dimension, part.leaders)
    first = Column(
        key="first_day_utc",
        label=f"{asked.grain.capitalize()} from",
        kind=Kind.DAY,
        cells=starts,
    )
    columns = [
        Column(
            key=key,
            label="Volume" if key == "volume_usd" else names.get(key, key),
            kind=Kind.USD,
            cells=[volumes.get(start, Decimal(0)) for start in starts],
            help=kpis.VOLUME.definition,
        )
        for key, volumes in parts.items()
    ]
    name = f"volume-by-{asked.report.dimension}-{asked.grain}"
    return Sheet(name=name, window=traded, columns=(first, *columns))


def largest(
    rows: Sequence[Traded], whole: Mapping[date, Decimal]
) -> dict[str, dict[date, Decimal]]:
    """The segments with the most volume by step, the largest first, and what is left of it."""
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


def _names(dimension: Dimension, leaders: Sequence[Leader]) -> dict[str, str]:
    usual = {NOT_APPROVED: "not approved", REST: "the rest"}
    if dimension is Dimension.TRACK:
        return {**usual, **badges.TRACK_WORDS, "none": "no track met"}
    if dimension is Dimension.COHORT:
        return cohort_names()
    if dimension is Dimension.AFFILIATE:
        # The number beside the name, since upstream may know two of one name.
        return usual | {
            str(leader.affiliate_account_id): f"{leader.username or 'account'} "
            f"{leader.affiliate_account_id}"
            for leader in leaders
        }
    return usual


def cohort_names() -> dict[str, str]:
    """Months of approval as people read them."""
    months = (date(year, month, 1) for year in range(2000, 2100) for month in range(1, 13))
    named = {f"{month:%Y-%m}": figures.month(month) for month in months}
    return {NOT_APPROVED: "not approved", REST: "the rest", **named}


def months_sheet(part: Volume, asked: Asked) -> Sheet:
    """The calendar months without a gap, the newest first, each against the one before."""
    assert asked.through is not None
    months = part.months
    changes = [None, *(_change(now, then) for then, now in pairwise(months))][: len(months)]
    names = [figures.month(month.month) for month in months]
    if part.same_days is not None and (newest := _newest(part, asked.through)):
        # Against the same days of the month before, as long as it runs.
        then = part.same_days
        changes[-1] = (newest.volume_usd - then) / then if then else None
        names[-1] += f" to {figures.day(asked.through)}"
    first = months[0].month if months else asked.through
    cells: list[tuple[str, str, Kind, Sequence[sheets.Cell], str]] = [
        ("month", "Month", Kind.TEXT, names, kpis.MONTHLY_VOLUME.definition),
        ("volume_usd", "Volume", Kind.USD, [m.volume_usd for m in months], kpis.VOLUME.definition),
        ("change", "Change", Kind.SHARE, changes, kpis.MONTHLY_VOLUME.definition),
        ("fees_usd", "Net fees", Kind.USD, [m.fees_usd for m in months], kpis.FEES.definition),
        (
            "active_users",
            "Active users",
            Kind.COUNT,
            [m.active_users for m in months],
            kpis.MONTHLY_ACTIVE.definition,
        ),
        (
            "new_users",
            "New users",
            Kind.COUNT,
            [m.new_users for m in months],
            kpis.NEW_USERS.definition,
        ),
        (
            "concentration",
            "Concentration",
            Kind.COUNT,
            [None if m.concentration is None else round(m.concentration) for m in months],
            kpis.CONCENTRATION.definition,
        ),
    ]
    columns = tuple(
        Column(key=key, label=label, kind=kind, cells=list(values)[::-1], help=help_)
        for key, label, kind, values, help_ in cells
    )
    return Sheet(name="months", window=Window(first, asked.through + ONE_DAY), columns=columns)


def _change(now: Month, then: Month) -> Decimal | None:
    return (now.volume_usd - then.volume_usd) / then.volume_usd if then.volume_usd else None


def leaders_sheet(leaders: Sequence[Leader], head: Head, traded: Window) -> Sheet:
    """The largest affiliates and each one's share of all volume."""
    whole = total(head.traded)
    return Sheet(
        name="largest-affiliates",
        window=traded,
        columns=(
            Column(
                key="affiliate",
                label="Affiliate",
                kind=Kind.TEXT,
                cells=[leader.username or "unknown" for leader in leaders],
            ),
            Column(
                key="account_id",
                label="Account",
                kind=Kind.TEXT,
                cells=[str(leader.affiliate_account_id) for leader in leaders],
            ),
            Column(
                key="volume_usd",
                label="Volume",
                kind=Kind.USD,
                cells=[leader.volume_usd for leader in leaders],
                help=kpis.VOLUME.definition,
            ),
            Column(
                key="share",
                label="Share",
                kind=Kind.SHARE,
                cells=[leader.volume_usd / whole if whole else None for leader in leaders],
                help=kpis.TOP_TEN.definition,
            ),
        ),
    )
