"""The what-if's headlines say of how many they are."""

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.pages.policy import what_if_panel
from program.affiliates.what_if import Population, Replay
from program.policy.outcomes import Outcome


@pytest.mark.parametrize(
    ("told", "untold", "words"),
    [
        (394, 1_698, "of the 394 replayed (19 %); 1,698 could not be"),
        (2_091, 1, "of the 2,091 replayed (>99 %); 1 could not be"),
        (2_092, 0, ""),
        (0, 3, "of the 0 replayed (0 %); 3 could not be"),
    ],
)
def test_a_figure_names_the_share_that_was_replayed(told: int, untold: int, words: str) -> None:
    moves = {(Outcome.MET, Outcome.MET): told} if told else {}
    replay = Replay(population=Population.DECISIONS, moves=moves, untold=untold)

    assert what_if_panel.replayed_words(replay) == words


def panel(told: int) -> None:
    from decimal import Decimal

    from dashboard.pages.policy import what_if_panel
    from program.affiliates.what_if import Decided, Population, Rebates, Replay, WhatIf
    from program.policy.outcomes import Outcome

    moves = {(Outcome.MET, Outcome.MET): told} if told else {}
    replays = {one: Replay(population=one, moves=moves, untold=3) for one in Population}
    sums = (Decimal(1), Decimal(1))
    costs = Rebates(
        window=None,
        affiliates=1,
        at_standard=0,
        above_most=(0, 0),
        over_usd=None,
        costly=None,
        granted_usd=sums,
        standard_usd=sums,
        leaving_usd=None,
        joining_usd=None,
    )
    decided = Decided(total=told, met=(told, told), overrides=(0, 0), recorded_overrides=0)
    what_if_panel.draw_figures(WhatIf(replays=replays, decided=decided, rebates=costs))


def test_no_change_is_said_only_of_those_that_were_replayed() -> None:
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
