"""What a draft's thresholds would flag: by level, and by signal that moves."""

import streamlit as st

from dashboard.ui import badges, figures, grid
from program.affiliates.what_if import POPULATION_LABELS, Population, RiskReplay
from program.risk.signals import BY_ID

POPULATIONS = (Population.OPEN, Population.AFFILIATES)


def draw(found: RiskReplay) -> None:
    """Draw both tables, and what they leave out."""
    st.markdown("**Risk: who would be flagged**")
    draw_levels(found)
    if found.signals:
        draw_signals(found)
    else:
        st.caption("No signal flags anybody else.")
    st.caption(" ".join(notes(found)))


def notes(found: RiskReplay) -> list[str]:
    """Return what the tables rest on, a sentence each."""
    words = ["On what was measured after the last refresh; dismissed signals do not count."]
    missing = sum(found.unmeasured.values())
    if missing:
        words.append(f"{missing:,} were not measured yet and are left out.")
    if found.stale:
        names = " and ".join(f"{id_} {BY_ID[id_].name}" for id_ in found.stale)
        words.append(f"{names} are measured against the minimums, so they move after a refresh.")
    return words


def draw_levels(found: RiskReplay) -> None:
    """Draw how many have each level, now and under the draft."""
    grid.draw(
        {
            "who": grid.text(
                "Now → under the draft", [POPULATION_LABELS[one] for one in POPULATIONS], width=150
            ),
            "total": grid.whole("Measured", [found.total(one) for one in POPULATIONS], width=90),
            **{
                level: grid.figure_text(
                    words,
                    [
                        _now_then(found.before(one, level), found.after(one, level))
                        for one in POPULATIONS
                    ],
                    width=140,
                )
                for level, words in badges.RISK_TEXTS.items()
            },
            "changed": grid.whole("Changed", [found.changed(one) for one in POPULATIONS], width=90),
        },
        key="what-if-risk-levels",
        alt="Risk levels now and under the draft",
    )


def draw_signals(found: RiskReplay) -> None:
    """Draw how many each signal flags that moves."""
    ids = list(found.signals)
    grid.draw(
        {
            "signal": grid.text(
                "Flagged by", [f"{id_} {BY_ID[id_].name}" for id_ in ids], width=220
            ),
            **{
                population: grid.figure_text(
                    POPULATION_LABELS[population],
                    [_now_then(*found.signals[id_][population]) for id_ in ids],
                    width=160,
                )
                for population in POPULATIONS
            },
        },
        key="what-if-risk-signals",
        alt="Signals that flag more or fewer",
    )


def _now_then(now: int, then: int) -> str:
    return figures.count(now) if now == then else f"{now:,} → {then:,}"
