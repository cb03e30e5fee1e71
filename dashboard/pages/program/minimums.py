"""Whether applicants bunch just above the minimums: a histogram and a sentence each."""

from decimal import Decimal

import plotly.graph_objects as go
import streamlit as st

from dashboard.pages.program.report_bar import ReportView, open_list
from dashboard.ui import charts, data_table, figures, states
from dashboard.ui.charts import Chart
from dashboard.ui.data_table import CellKind, Sheet, SheetColumn
from data_access.reports.gaming import MOST, Minimums
from program import wording
from program.policy.criteria import VOLUME
from program.reports.bunching import Bunching

BELOW_OPACITY = 0.45
TICKS = 5


def draw(part: Minimums, view: ReportView) -> None:
    """Draw the three minimums beside each other."""
    if not part.applicants:
        states.empty("Nobody applied in this period. Choose an earlier one.")
        return
    st.caption(about(part))
    for column, found in zip(st.columns(3), part.all, strict=True):
        with column:
            data_table.card(
                sheet(found, view),
                histogram(found),
                key=f"minimum-{found.criterion.key}",
                on_open=open_list,
                viewer=view.viewer,
            )
            st.text(sentence(found))


def about(part: Minimums) -> str:
    """Say what is counted, and what a step may also mean."""
    number = f"the newest {MOST:,}" if part.applicants == MOST else f"{part.applicants:,}"
    return (
        f"Who applied in the period ({number}), by their figures of the 30 days before, UTC, "
        f"around the minimums in force; active users are those of the first decision, of "
        f"{part.decided:,}. Who waits until they qualify makes a step too, so it asks a question "
        "about the group and says nothing about one applicant."
    )


def sentence(found: Bunching) -> str:
    """Say how many lie just above the minimum, and how many would be expected."""
    minimum, step = _minimum(found), found.step
    if step is None:
        return (
            f"Too few to say: {wording.counted(found.near, 'applicant')} near {minimum}; at least "
            f"{found.least:,} are needed, some on each side."
        )
    expected = figures.count(round(step.expected))
    verdict = (
        f"{_times(step.ratio)} as dense above as below"
        if step.is_clear
        else "chance explains the difference"
    )
    return (
        f"{step.observed:,} applicants lie just above {minimum} where {expected} would be "
        f"expected: {verdict} (95 % interval {_times(step.low)} to {_times(step.high)})."
    )


def histogram(found: Bunching) -> Chart:
    """Return the bins with the minimum as a line; those below it are fainter."""
    counts = [one.applicants for one in found.bins]
    middles = [float((one.start + one.end) / 2) for one in found.bins]
    widths = [float(one.end - one.start) * 0.9 for one in found.bins]
    users = found.criterion is not VOLUME
    bars = go.Bar(
        x=[float(one.start) for one in found.bins] if users else middles,
        y=counts,
        width=[0.82] * len(widths) if users else widths,
        customdata=[f"{_span(found, place)}<br>{n:,} applicants" for place, n in enumerate(counts)],
        hovertemplate="%{customdata}<extra></extra>",
        marker={
            "opacity": [1 if one.start >= found.minimum else BELOW_OPACITY for one in found.bins],
            "line": {"width": 0},
        },
    )
    title = f"Applicants near {_minimum(found)}"
    every = max(1, len(found.bins) // TICKS)
    starts = [one.start for one in found.bins][:: every if users else every + 1]
    axis = {
        "type": "linear",
        "tickmode": "array",
        "tickvals": [float(start) for start in starts],
        "ticktext": [_figure(found, start) for start in starts],
    }
    cut = charts.upright(float(found.minimum) - (0.5 if users else 0))
    layout = {"xaxis": axis, "shapes": [cut]}
    figure = charts.framed([bars], title, max(counts, default=0), "applicants", layout)
    return Chart(figure, f"{title}. {sentence(found)}")


def sheet(found: Bunching, view: ReportView) -> Sheet:
    """Return the bins as rows."""
    kind = CellKind.USD if found.criterion is VOLUME else CellKind.COUNT
    return Sheet(
        name=f"applicants-near-{found.criterion.key.replace('_', '-')}",
        window=view.period,
        columns=(
            SheetColumn(
                key="from",
                label="From",
                help="The least value of the step, which belongs to it.",
                kind=kind,
                cells=[_cell(found, one.start) for one in found.bins],
            ),
            SheetColumn(
                key="below",
                label="Below",
                help="Where the next step begins; this value does not belong to the step.",
                kind=kind,
                cells=[_cell(found, one.end) for one in found.bins],
            ),
            SheetColumn(
                key="applicants",
                label="Applicants",
                help="Applicants of the period with a value in the step.",
                kind=CellKind.COUNT,
                cells=[one.applicants for one in found.bins],
            ),
        ),
    )


def _cell(found: Bunching, value: Decimal) -> Decimal | int:
    return wording.rounded(value, 2) if found.criterion is VOLUME else int(value)


def _span(found: Bunching, place: int) -> str:
    one = found.bins[place]
    if found.criterion is not VOLUME:
        return f"{_figure(found, one.start)} users"
    return f"{_figure(found, one.start)} to {_figure(found, one.end)} USD"


def _minimum(found: Bunching) -> str:
    if found.criterion is VOLUME:
        return f"{wording.stated_usd(found.minimum)} USD"
    return f"{found.minimum:f} {wording.inline(found.criterion.label)}"


def _figure(found: Bunching, value: Decimal) -> str:
    return wording.short_usd(value) if found.criterion is VOLUME else f"{int(value):,}"


def _times(ratio: float) -> str:
    return f"{ratio:.2g} ×" if ratio < 10 else f"{ratio:,.0f} ×"
