"""Calibration of the risk signals: distributions, what thresholds flag, and how it turned out."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import plotly.graph_objects as go
import streamlit as st

from dashboard.forms import submit
from dashboard.shell import replica
from dashboard.ui import address, charts, data_table, figures, state, states
from dashboard.ui.charts import Chart, Layout
from dashboard.ui.data_table import CellKind, Sheet, SheetColumn
from data_access.db import database
from data_access.exports import program_files
from data_access.people.staff import Person
from data_access.policy import calibration
from data_access.policy.calibration import Calibrated
from program import wording
from program.periods import ONE_DAY, Window
from program.policy.calibration import QUANTILES, Calibration, Endings, Portion, limits
from program.policy.policy import Policy
from program.reports.export_formats import Form
from program.review.permissions import Act
from program.risk import values
from program.risk.signals import BY_ID, SEVERITY_WORDS, Severity, Unit

CHOSEN = "calibration-signal"
TABLE = "calibration"
# Right of the chart, for the label of a threshold near its end.
LABEL_ROOM = 64
FLAGS = (Severity.WARN, Severity.HIGH)
NO_BREAK_SPACE = "\u00a0"
# Both stand out from white and from near-black as lines; none does as small text.
COLORS = {Severity.WARN: "#b7670a", Severity.HIGH: "#d9434f"}


def draw(policy: Policy, person: Person, *, now: datetime, chosen: str | None) -> None:
    """Draw the table of all signals, and one signal in detail."""
    with database.reading(database.reporter()) as connection:
        found = calibration.read(connection, policy, now=now)
    if not found.sampled or found.through is None:
        states.empty(
            "Nothing was measured yet. `python -m data_access refresh` measures the signals."
        )
        return
    st.caption(about(found, policy))
    replica.note()
    draw_signal(choose(found, chosen), policy)
    data_table.listing(
        sheet(found, policy),
        "All signals",
        key=TABLE,
        on_open=lambda _: None,
        take=_taking(person) if person.may(Act.EXPORT) else None,
    )


def about(found: Calibrated, policy: Policy) -> str:
    """Say whom the figures cover, and up to when."""
    assert found.through is not None
    part = f", a random {found.sampled:,} of them" if found.sampled < found.affiliates else ""
    return (
        f"{found.affiliates:,} affiliates with an open application or an approval{part} · "
        f"thresholds of version {policy.version} · data through "
        f"{figures.day(found.through, year=True)}, UTC · decisions of the last 365 days by what "
        "the signal said then. Signals ask, people decided; a share below does not say that a "
        "signal was right."
    )


def choose(found: Calibrated, wanted: str | None) -> Calibration:
    """Draw the choice of the signal; at first the one that flags most."""
    by_id = {one.signal.id: one for one in found.signals}
    most = max(found.signals, key=lambda one: sum(one.flagged.values()))
    shown = wanted if wanted in by_id else most.signal.id
    state.show(CHOSEN, shown)
    st.selectbox(
        "Signal",
        list(by_id),
        format_func=lambda id_: f"{id_} {BY_ID[id_].name}",
        key=CHOSEN,
        width=320,
        on_change=_show,
    )
    return by_id[shown]


def _show() -> None:
    address.write({"part": "calibration", "signal": state.typed(CHOSEN)})


def draw_signal(found: Calibration, policy: Policy) -> None:
    """Draw one signal: its distribution with the thresholds, and sentences."""
    left, right = st.columns([3, 2], gap="medium")
    with left, st.container(border=True, height="stretch"):
        if found.measured:
            charts.draw(histogram(found, policy), key=f"calibration-{found.signal.id}")
        else:
            states.empty("No affiliate has enough data for this signal.")
    with right, st.container(border=True, height="stretch", gap="xsmall"):
        st.markdown(f"**{found.signal.id} {found.signal.name}.** {found.signal.question}")
        for sentence in sentences(found, policy):
            st.markdown(sentence)


def sentences(found: Calibration, policy: Policy) -> list[str]:
    """Say what it flags, how often it was dismissed, and how both groups turned out."""
    lacking = f"{found.lacking:,} had not enough data"
    words = [f"Of {found.measured:,} affiliates with enough data ({lacking}), {_flags(found)}."]
    if found.measured:
        words[0] += f" Thresholds: {', '.join(_limits(found, policy))}."
        outside = found.measured - sum(bar.number for bar in found.bars)
        words[0] += f" The chart leaves out {outside:,} far away." if outside else ""
    times = "once" if found.dismissed == 1 else f"{found.dismissed:,} times"
    accounts = f", for {found.dismissed_accounts:,} affiliates" if found.dismissed > 1 else ""
    words.append(
        f"It was dismissed {times}{accounts}." if found.dismissed else "It was never dismissed."
    )
    words.append(
        f"Approved of those decided while flagged: {portion(found.when_flagged.approved)}; "
        f"while clear: {portion(found.when_clear.approved)}."
    )
    words.append(
        "Kept at least half of the volume in the 30 days after the approval: "
        f"flagged {portion(found.when_flagged.kept)}, clear {portion(found.when_clear.kept)}."
    )
    return words


def portion(of: Portion) -> str:
    """Format a share with its interval, or that there are too few to say."""
    if not of.of:
        return "none yet"
    if not of.is_known:
        return f"{of.number:,} of {of.of:,} (too few to say)"
    low, high = of.interval
    interval = f"95{NO_BREAK_SPACE}% interval {_percent(low)} to {_percent(high)}"
    return f"{of.number:,} of {of.of:,} ({_percent(of.share)}; {interval})"


def histogram(found: Calibration, policy: Policy) -> Chart:
    """Return the distribution, with the thresholds as lines; all of them if they depend."""
    signal = found.signal
    bars = go.Bar(
        x=[(one.start + one.end) / 2 for one in found.bars],
        y=[one.number for one in found.bars],
        width=[(one.end - one.start) * 0.92 for one in found.bars],
        customdata=[
            f"{_value(found, one.start)} to {_value(found, one.end)}<br>{one.number:,} affiliates"
            for one in found.bars
        ],
        hovertemplate="%{customdata}<extra></extra>",
        marker={"line": {"width": 0}},
    )
    title = f"How is {wording.inline(signal.name)} distributed? Affiliates by value"
    start, end = found.bars[0].start, found.bars[-1].end
    ticks = charts.ticks_between(start, end, least=1.0 if signal.unit is Unit.COUNT else 0.0)
    axis = {
        "type": "linear",
        "range": [start, end],
        "tickmode": "array",
        "tickvals": ticks,
        "ticktext": [_value(found, tick) for tick in ticks],
    }
    figure = charts.framed(
        [bars],
        title,
        max(one.number for one in found.bars),
        "affiliates",
        {"margin": {"t": charts.TWO_ROWS_ROOM, "r": LABEL_ROOM}, "xaxis": axis},
        *(_thresholds(found, policy, severity) for severity in FLAGS),
    )
    return Chart(figure, f"{title}. {_flags(found)}.")


def _thresholds(found: Calibration, policy: Policy, severity: Severity) -> Layout:
    """Return a line for each threshold of a severity that is in sight, one of them with words."""
    signal, start, end = found.signal, found.bars[0].start, found.bars[-1].end
    steps = [limit for _, limit in limits(signal, policy, severity)]
    seen = [limit for limit in steps if start <= limit <= end]
    if not seen:
        return {}
    # One of several lines has the label, as there is no room for more.
    value = f" {values.exact(signal, seen[0])}" if len(steps) == 1 else ""
    is_first = (severity is Severity.HIGH) == signal.lower_is_worse
    words = {
        # The lines of warn and high may be close to each other: their labels stand outside.
        "x": float(min(seen) if is_first else max(seen)),
        "xanchor": "right" if is_first else "left",
        "y": 1,
        "xref": "x",
        "yref": "y domain",
        "yanchor": "bottom",
        "showarrow": False,
        "text": f"{SEVERITY_WORDS[severity]}{value}",
        "font": {"size": 11},
    }
    lines = [charts.upright(float(limit), COLORS[severity]) for limit in seen]
    return {"shapes": lines, "annotations": [words]}


def sheet(found: Calibrated, policy: Policy) -> Sheet:
    """Return a row for each signal, with units in the cells."""
    rows = found.signals
    quantiles = [
        SheetColumn(
            key=f"p{round(of * 100)}",
            label="Median" if of == 0.5 else f"{round(of * 100)} %",
            kind=CellKind.FIGURE,
            cells=[
                values.even(one.signal, _exactly(one.quantiles[place]))
                if one.quantiles
                else figures.DASH
                for one in rows
            ],
            help=f"{round(of * 100)} % of the affiliates have at most this value.",
        )
        for place, of in enumerate(QUANTILES)
    ]
    return Sheet(
        name="risk-calibration",
        window=Window(found.through, found.through + ONE_DAY) if found.through else None,
        columns=(
            _text("signal", "Signal", [f"{one.signal.id} {one.signal.name}" for one in rows]),
            _count("measured", "Measured", [one.measured for one in rows]),
            _count("lacking", "Not enough data", [one.lacking for one in rows]),
            *quantiles,
            *(
                _figure(
                    f"{severity}_at",
                    f"{wording.capital(SEVERITY_WORDS[severity])} at",
                    [_first_limit(one, policy, severity) for one in rows],
                )
                for severity in FLAGS
            ),
            *(
                _count(
                    f"{severity}_flags",
                    wording.capital(SEVERITY_WORDS[severity]),
                    [one.flagged.get(severity, 0) for one in rows],
                )
                for severity in FLAGS
            ),
            _count("dismissed", "Dismissed", [one.dismissed for one in rows]),
            *_ended("flagged", "Flagged", [one.when_flagged for one in rows]),
            *_ended("clear", "Clear", [one.when_clear for one in rows]),
        ),
    )


def _ended(key: str, label: str, endings: Sequence[Endings]) -> list[SheetColumn]:
    parts = {
        "approved": [one.approved for one in endings],
        "kept_half": [one.kept for one in endings],
    }
    return [
        _figure(
            f"{key}_{part}",
            f"{label}: {part.replace('_', ' ')}",
            [f"{one.number:,} of {one.of:,}" if one.of else figures.DASH for one in portions],
        )
        for part, portions in parts.items()
    ]


def _text(key: str, label: str, cells: Sequence[str]) -> SheetColumn:
    return SheetColumn(key=key, label=label, kind=CellKind.TEXT, cells=cells)


def _figure(key: str, label: str, cells: Sequence[str]) -> SheetColumn:
    return SheetColumn(key=key, label=label, kind=CellKind.FIGURE, cells=cells)


def _count(key: str, label: str, cells: Sequence[int]) -> SheetColumn:
    return SheetColumn(key=key, label=label, kind=CellKind.COUNT, cells=cells)


def _flags(found: Calibration) -> str:
    if not found.measured:
        return "none is flagged"
    warn, high = (found.flagged.get(severity, 0) for severity in FLAGS)
    return (
        f"the level is {SEVERITY_WORDS[Severity.WARN]} for {warn:,} "
        f"({_percent(warn / found.measured)}) and {SEVERITY_WORDS[Severity.HIGH]} for {high:,} "
        f"({_percent(high / found.measured)})"
    )


def _limits(found: Calibration, policy: Policy) -> list[str]:
    words = []
    for severity in FLAGS:
        steps = limits(found.signal, policy, severity)
        listed = " / ".join(values.exact(found.signal, limit) for _, limit in steps)
        samples = " / ".join(figures.count(sample) for sample, _ in steps)
        by_sample = f" from {samples} {found.signal.sample}" if len(steps) > 1 else ""
        words += [f"{SEVERITY_WORDS[severity]} {listed}{by_sample}"] if steps else []
    return words


def _first_limit(found: Calibration, policy: Policy, severity: Severity) -> str:
    steps = limits(found.signal, policy, severity)
    words = [values.exact(found.signal, limit) for _, limit in steps]
    if not words:
        return figures.DASH
    return words[0] if len(words) == 1 else f"{words[0]} … {words[-1]}"


def _value(found: Calibration, number: float) -> str:
    return values.short(found.signal, _exactly(number))


def _exactly(number: float) -> Decimal:
    return Decimal(repr(float(number)))


def _percent(share: float) -> str:
    """Format a share within a sentence, whose line may not end before its sign."""
    return figures.whole_percent(Decimal(repr(float(share)))).replace(" ", NO_BREAK_SPACE)


def _taking(person: Person) -> data_table.Take:
    def take(shown: Sheet, form: Form) -> bytes:
        submit.write(
            program_files.record,
            email=person.email,
            sheet=shown.name,
            window=shown.window,
            columns=[column.key for column in shown.columns],
            row_count=shown.rows,
        )
        return data_table.as_csv(shown, form)

    return take
