"""The thresholds of risk signals: a folded table, and fields of the chosen families in a draft."""

from collections.abc import Callable, Sequence

import streamlit as st

from dashboard.pages.policy.settings_table import of_group
from dashboard.ui import figures, grid
from program import wording
from program.policy import thresholds
from program.policy.policy import Policy
from program.policy.setting import Group, Setting
from program.policy.settings import changes
from program.risk import values
from program.risk.signals import SEVERITY_WORDS, SIGNALS, THRESHOLDS, Family, Severity, Signal

CHOSEN = "policy-risk-families"
# Warn and high of two samples or signals beside each other.
FIELDS_ACROSS = 4
ROWS_SHOWN = 15


def draw_table(policy: Policy) -> None:
    """Draw all thresholds in a table that is folded away: one row per signal and sample."""
    rows = [(signal, sample) for signal in SIGNALS for sample in _samples(signal)]
    with st.expander(f"{Group.RISK}: {len(THRESHOLDS)} thresholds", icon=":material/flag:"):
        grid.draw(
            {
                "signal": grid.text("Signal", [f"{one.id} {one.name}" for one, _ in rows]),
                "family": grid.text("Family", [one.family for one, _ in rows], width=120),
                "sample": grid.text("From", [_from(*row) for row in rows], width=220),
                **{
                    severity: grid.figure_text(
                        wording.capital(SEVERITY_WORDS[severity]),
                        [_limit(policy, *row, severity) for row in rows],
                        width=100,
                    )
                    for severity in (Severity.WARN, Severity.HIGH)
                },
                "direction": grid.text(
                    "Flags", [_direction(one) for one, _ in rows], width=150, help="Inclusive."
                ),
            },
            key="policy-thresholds",
            alt="Thresholds of risk signals",
            most_high=ROWS_SHOWN,
        )


def choose(base: Policy, policy: Policy) -> list[Family]:
    """Draw the choice of families whose thresholds the form holds; those changed are chosen."""
    changed = {
        change.setting.threshold.signal.family
        for change in changes(base, policy)
        if change.setting.threshold is not None
    }
    return st.pills(
        "Edit thresholds of risk signals",
        list(Family),
        selection_mode="multi",
        default=[family for family in Family if family in changed],
        key=CHOSEN,
        help="Adds their fields below the other settings. Save before you close a family.",
    )


def draw_fields(families: Sequence[Family], draw_field: Callable[[Setting], None]) -> None:
    """Draw the fields of the chosen families."""
    for family in (one for one in Family if one in families):
        with st.container(border=True, gap="small", key=f"edit-risk-{family.name}"):
            st.markdown(f"**{Group.RISK}: {family.lower()}**")
            cells = _cells(family)
            for start in range(0, len(cells), FIELDS_ACROSS):
                columns = st.columns(FIELDS_ACROSS, vertical_alignment="bottom")
                for column, setting in zip(columns, cells[start:], strict=False):
                    if setting is not None:
                        with column:
                            draw_field(setting)


def _cells(family: Family) -> list[Setting | None]:
    """Return warn and high of each signal and sample of the family, in pairs."""
    settings = {one.name: one for one in of_group(Group.RISK)}
    keys = {(one.signal.id, one.sample, one.severity): one.key for one in THRESHOLDS}
    return [
        settings.get(keys.get((signal.id, sample, severity), ""))
        for signal in SIGNALS
        if signal.family is family
        for sample in _samples(signal)
        for severity in (Severity.WARN, Severity.HIGH)
    ]


def _samples(signal: Signal) -> list[int]:
    return sorted({one.sample for one in THRESHOLDS if one.signal is signal})


def _from(signal: Signal, sample: int) -> str:
    least = sample or signal.least_sample
    return f"{figures.count(least)} {signal.sample}" if least else ""


def _direction(signal: Signal) -> str:
    return "this and below" if signal.lower_is_worse else "this and above"


def _limit(policy: Policy, signal: Signal, sample: int, severity: Severity) -> str:
    of = (signal, sample, severity)
    found = [one for one in THRESHOLDS if (one.signal, one.sample, one.severity) == of]
    return values.exact(signal, thresholds.value(policy, found[0])) if found else ""
