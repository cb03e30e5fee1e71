"""The what-if's headlines state their coverage."""

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.pages.policy import what_if_panel
from program.affiliates.what_if import Population, Replay
from program.policy.outcomes import Outcome


@pytest.mark.parametrize(
    ("replayed", "undetermined", "words"),
    [
        (394, 1_698, "of the 394 replayed (19 %); 1,698 could not be"),
        (2_091, 1, "of the 2,091 replayed (>99 %); 1 could not be"),
        (2_092, 0, ""),
        (0, 3, "of the 0 replayed (0 %); 3 could not be"),
    ],
)
def test_a_figure_names_the_share_that_was_replayed(
    replayed: int, undetermined: int, words: str
) -> None:
    moves = {(Outcome.MET, Outcome.MET): replayed} if replayed else {}
    replay = Replay(population=Population.DECISIONS, moves=moves, undetermined=undetermined)

    assert what_if_panel.replayed_words(replay) == words


def panel(replayed: int, undetermined: int = 3) -> None:
    from datetime import date
    from decimal import Decimal

    import streamlit as st

    from dashboard.pages.policy import what_if_panel
    from program.affiliates.what_if import Decided, Population, Rebates, Replay, WhatIf
    from program.periods import Window
    from program.policy.outcomes import Outcome

    moves = {(Outcome.MET, Outcome.MET): replayed} if replayed else {}
    replays = {
        one: Replay(population=one, moves=moves, undetermined=undetermined) for one in Population
    }
    sums = (Decimal(1), Decimal(1))
    costs = Rebates(
        window=Window(date(2026, 11, 1), date(2026, 12, 1)),
        affiliates=1,
        at_standard=0,
        above_most=(0, 0),
        over_usd=None,
        granted_usd=sums,
        standard_usd=sums,
        leaving_usd=Decimal(20),
        joining_usd=Decimal(30),
        costly=(0, 0),
    )
    decided = Decided(
        total=replayed, met=(replayed, replayed), overrides=(0, 0), recorded_overrides=0
    )
    found = WhatIf(replays=replays, decided=decided, rebates=costs)
    what_if_panel.draw_figures(found)
    what_if_panel.draw_sides(found)
    what_if_panel.draw_rebates(found)
    st.text(what_if_panel.no_change_words(found))


def test_unchanged_is_claimed_only_of_replayed_applications() -> None:
    some = AppTest.from_function(panel, args=(1,)).run().metric
    none = AppTest.from_function(panel, args=(0,)).run().metric

    about = "of the 1 replayed (25 %); 3 could not be"
    assert [(m.value, m.delta) for m in some[:3]] == [
        ("1", "no change"),
        ("100 %", "no change"),
        ("0", "no change"),
    ]
    assert [m.proto.delta_description for m in some] == [about, about, about, ""]
    assert {(m.value, m.delta) for m in none[:3]} == {
        ("unknown", "of the 0 replayed (0 %); 3 could not be")
    }


@pytest.mark.parametrize(
    ("replayed", "undetermined", "no_change", "met", "changed", "share"),
    [
        (1, 0, "No result changes.", "1", 0.0, "rate."),
        (1, 3, "No result changes among 3 replayed; 9 could not be.", "1", 0.0, "(25 %)"),
        (
            *(0, 3, "Whether a result changes is unknown: none of 9 could be replayed."),
            *("unknown", None, "(0 %)"),
        ),
        (0, 0, "No result changes.", "0", 0.0, "rate."),
    ],
)
def test_cases_that_were_not_replayed_have_no_results(
    replayed: int, undetermined: int, no_change: str, met: str, changed: float | None, share: str
) -> None:
    app = AppTest.from_function(panel, args=(replayed, undetermined)).run()
    sides = app.dataframe[0].value

    assert not app.exception
    assert app.text[0].value == no_change
    assert set(sides["met"]) == {met}
    assert set(sides["unknown"]) == ({"0"} if met != "unknown" else {"unknown"})
    assert [None if number != number else number for number in sides["changed"]] == [changed] * 3
    # Changed amounts state the coverage as well.
    (rebates,) = (one.value for one in app.caption if one.value.startswith("**Rebates**"))
    assert rebates.count(share) == 2
