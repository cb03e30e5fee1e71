"""The program page's parameters: part, period, grain; read from the address and written back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

import streamlit as st

from dashboard.forms import fields, submit
from dashboard.shell import sign_in
from dashboard.ui import address, data_table, figures, state
from dashboard.ui.data_table import Sheet, Viewer
from data_access.eligibility.freshness import Freshness
from data_access.eligibility.judging import JudgingContext
from data_access.exports import program_files
from data_access.people.staff import Person
from data_access.reports.measured import Trading
from program.periods import Window
from program.policy.delivered import Delivered, Known
from program.reports.export_formats import Form
from program.reports.periods import (
    CHOICE_LABELS,
    DIMENSION_LABELS,
    GRAIN_LABELS,
    SPLIT_LABELS,
    TAB_LABELS,
    Choice,
    Dimension,
    Grain,
    Report,
    Split,
    Tab,
)
from program.review.drilldown import Slice
from program.review.permissions import Act
from program.review.queue_filters import Filters

QUEUE = "dashboard/pages/queue/page.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportView:
    """The report with its days computed. ``traded`` is None if the data reach none of its days."""

    report: Report
    today: date
    period: Window
    before: Window
    grain: Grain
    context: JudgingContext
    through: date | None
    traded: Window | None
    traded_before: Window | None
    delivered: Delivered
    refreshed_at: datetime | None
    viewer: Viewer

    @property
    def days(self) -> str:
        """The days over which applications and decisions are counted."""
        return span(self.period)

    @property
    def compared(self) -> str:
        """The days they are compared with."""
        return f"Compared with {span(self.before)}."

    @property
    def as_of(self) -> str:
        """As of when trading figures know decisions and standings."""
        return f"decisions and standings as of {figures.moment(self.refreshed_at)}"

    @property
    def trading(self) -> Known:
        """The known trading days of the period; none if there cannot be any."""
        days = self.traded or Window(self.period.start, self.period.start)
        return self.delivered.trading(days)

    @property
    def trading_before(self) -> Known:
        """The known trading days of the period it is compared with."""
        return self.delivered.trading(self.traded_before or self.before)

    @property
    def compared_trading(self) -> Trading:
        """The known trading days of both."""
        return Trading(now=self.trading, before=self.trading_before)


def resolve(
    report: Report,
    context: JudgingContext,
    *,
    person: Person,
    today: date,
    fresh: Freshness | None,
    delivered: Delivered,
) -> ReportView:
    """Compute the days of a report."""
    period = report.period(today)
    through = fresh.data_through if fresh else None
    traded, traded_before = report.trading(today, through) or (None, None)
    return ReportView(
        report=report,
        today=today,
        period=period,
        before=report.before(today),
        grain=report.step(period),
        context=context,
        through=through,
        traded=traded,
        traded_before=traded_before,
        delivered=delivered,
        refreshed_at=fresh.refreshed_at if fresh else None,
        viewer=Viewer(
            take=partial(_as_file, person.email) if person.may(Act.EXPORT) else None,
            stay=partial(sign_in.require_same, person),
        ),
    )


def _as_file(email: str, sheet: Sheet, form: Form) -> bytes:
    submit.write(
        program_files.record,
        email=email,
        sheet=sheet.name,
        window=sheet.window,
        columns=[column.key for column in sheet.columns],
        row_count=sheet.rows,
    )
    return data_table.as_csv(sheet, form)


def span(window: Window) -> str:
    """Format the first and last day, both included."""
    return figures.day_range(window.start, window.last_day)


def draw(shown: ReportView) -> None:
    """Draw the choices on one line, and the resulting days."""
    _hold(shown)
    with st.container(key="report", horizontal=True, vertical_alignment="bottom"):
        _segments("Part", "tab", list(Tab), TAB_LABELS)
        st.space("stretch")
        st.selectbox(
            "Period",
            list(Choice),
            key=_key("choice"),
            format_func=CHOICE_LABELS.__getitem__,
            label_visibility="collapsed",
            width=150,
            on_change=_apply,
            args=["choice", shown.period],
        )
        if shown.report.choice is Choice.CUSTOM:
            st.date_input(
                "Days",
                key=_key("days"),
                format="YYYY-MM-DD",
                label_visibility="collapsed",
                width=230,
                on_change=_apply,
                args=["days", None],
                **fields.ANY_DAY,
            )
        _segments("By", "grain", list(Grain), GRAIN_LABELS)
    if cut := shown.report.cut(shown.today):
        st.warning(cut, icon=":material/event_busy:")
    st.caption(_words(shown))


def choose_split(report: Report) -> None:
    """Draw the choice of the dimension by which applications are split."""
    state.show(_key("split"), report.split)
    _segments("Split by", "split", list(Split), SPLIT_LABELS)


def choose_dimension(report: Report) -> None:
    """Draw the choice of the dimension by which volume is split."""
    state.show(_key("dimension"), report.dimension)
    _segments("Split by", "dimension", list(Dimension), DIMENSION_LABELS)


def open_list(drilldowns: Sequence[Filters | None], key: str) -> None:
    """Open the drill-down list of the pressed number."""
    click: Any = state.typed(key)
    row = click["row"] if click else None
    if row is not None and row < len(drilldowns) and (drilldown := drilldowns[row]) is not None:
        open_one(drilldown)


def open_one(drilldown: Filters) -> None:
    """Open a drill-down list."""
    st.switch_page(QUEUE, query_params=drilldown.to_query())


def drilldown(of: Slice | None, period: Window | None = None) -> Filters | None:
    """Return the drill-down list of a figure over ``period``; ``None`` if it has none."""
    if of is None:
        return None
    return Filters(slice=of if period is None else of.during(period))


def _words(shown: ReportView) -> str:
    sentences = [f"Applications and decisions of {span(shown.period)} UTC, compared with "]
    sentences.append(span(shown.before))
    if shown.period.last_day >= shown.today:
        sentences.append("; the last day is still running")
    if shown.traded and shown.traded_before:
        sentences.append(
            f". Trading of {span(shown.traded)}, compared with {span(shown.traded_before)}"
        )
        if not shown.trading.whole:
            sentences.append(f"; {shown.trading.gap}")
    if shown.report.grain not in (None, shown.grain):
        sentences.append(f". Too many steps for one chart, so by {shown.grain}")
    return "".join(sentences) + "."


def _segments(label: str, field: str, options: list[Any], labels: dict[Any, str]) -> None:
    st.segmented_control(
        label,
        options,
        key=_key(field),
        required=True,
        format_func=labels.__getitem__,
        label_visibility="collapsed",
        on_change=_apply,
        args=[field, None],
    )


def _hold(shown: ReportView) -> None:
    report = shown.report
    state.show(_key("tab"), report.tab)
    state.show(_key("choice"), report.choice)
    state.show(_key("grain"), shown.grain)
    if report.choice is Choice.CUSTOM:
        state.show(_key("days"), _typed_days(report))


def _typed_days(report: Report) -> tuple[date, ...]:
    """Return the requested days that the field can show."""
    ends = (report.since, report.until)
    days = [day for day in ends if day and day >= fields.ANY_DAY["min_value"]]
    return tuple(days) if days == sorted(days) else ()


def _apply(field: str, shown: Window | None) -> None:
    """Write what was just chosen to the address, which every run reads."""
    report, chosen = Report.from_query(st.query_params), state.typed(_key(field))
    changes: dict[str, Any] = {field: chosen}
    if field == "days":
        # While only the first of the two days is picked, change nothing.
        if not isinstance(chosen, tuple) or len(chosen) != 2:
            return
        changes = {"since": chosen[0], "until": chosen[1], "grain": None}
    if field == "choice":
        custom = shown if chosen is Choice.CUSTOM else None
        changes |= {
            "grain": None,
            "since": custom.start if custom else None,
            "until": custom.last_day if custom else None,
        }
    kept = {} if field in ("tab", "split", "dimension") else _order_of_a_table()
    address.write(report.showing(**changes).to_query() | kept)


def _order_of_a_table() -> dict[str, str]:
    """Return the sort parameter of a table on this part; other parts have other tables."""
    sort = st.query_params.get(data_table.SORT)
    return {data_table.SORT: sort} if sort else {}


def _key(field: str) -> str:
    return f"report-{field}"
