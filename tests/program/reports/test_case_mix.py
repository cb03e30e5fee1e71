"""Reviewers beside the others on the same cases, by hand."""

from decimal import Decimal

import pytest

from program.reports import case_mix
from program.reports.case_mix import Mix, Reading, Tally

MET, SHORT, RARE = "met on_exchange", "not_met none", "met both"


def of(decided: int, approved: int) -> Tally:
    return Tally(decided=decided, approved=approved)


# Ana has the better cases and Ben the worse ones; on each case both do as Cleo does.
MIX: Mix = {
    "cleo": {MET: of(50, 40), SHORT: of(50, 10)},
    "ben": {MET: of(10, 8), SHORT: of(40, 8)},
    "ana": {MET: of(40, 32), SHORT: of(10, 2)},
}


def test_who_has_better_cases_is_expected_to_approve_more() -> None:
    """Ana: 40 of which four in five, 10 of which one in five: 34 of 50. Ben the other way: 16."""
    ana, ben, _ = case_mix.compare(MIX)

    assert (ana.reviewer, ana.rate, ana.expected) == ("ana", Decimal("0.68"), Decimal("0.68"))
    assert (ben.reviewer, ben.rate, ben.expected) == ("ben", Decimal("0.32"), Decimal("0.32"))
    assert ana.reading is ben.reading is Reading.AS_EXPECTED


def test_the_interval_is_wilsons() -> None:
    """34 of 50: center (0.68 + z²/100) / (1 + z²/50), half-width by Wilson's formula."""
    ana = case_mix.compare(MIX)[0]
    z2 = 1.959963984540054**2
    center = (0.68 + z2 / 100) / (1 + z2 / 50)
    half = (z2 * (0.68 * 0.32 / 50 + z2 / 10_000)) ** 0.5 / (1 + z2 / 50)

    assert ana.low == pytest.approx(Decimal(center - half), abs=Decimal("0.0001"))
    assert ana.high == pytest.approx(Decimal(center + half), abs=Decimal("0.0001"))


@pytest.mark.parametrize(
    ("approved", "reading"),
    [(12, Reading.FEWER), (24, Reading.AS_EXPECTED), (39, Reading.MORE)],
)
def test_only_what_chance_does_not_explain_differs(approved: int, reading: Reading) -> None:
    mix = {"ana": {MET: of(40, approved)}, "ben": {MET: of(100, 60)}}

    assert case_mix.compare(mix)[0].reading is reading


def test_a_case_that_the_others_hardly_decide_is_left_out_on_both_sides() -> None:
    own = {MET: of(30, 15), RARE: of(30, 30)}
    for others, compared, rate in ((4, 30, "0.5"), (5, 60, "0.75")):
        mix = {
            "ana": own,
            "ben": {MET: of(40, 20), RARE: of(2, 1)},
            "cleo": {RARE: of(others - 2, 1)},
        }
        ana = case_mix.compare(mix)[0]

        assert (ana.decided, ana.compared, ana.rate) == (60, compared, Decimal(rate))


@pytest.mark.parametrize(("decided", "few"), [(19, True), (20, False)])
def test_few_decisions_are_not_compared(decided: int, few: bool) -> None:
    ana = case_mix.compare({"ana": {MET: of(decided, 9)}, "ben": {MET: of(90, 45)}})[0]

    assert (ana.decided, ana.rate is None, ana.low is None) == (decided, few, few)
    assert (ana.reading is Reading.TOO_FEW) is few


def test_who_works_alone_is_not_compared_with_themselves() -> None:
    (ana,) = case_mix.compare({"ana": {MET: of(500, 100)}})

    assert (ana.compared, ana.expected, ana.reading) == (0, None, Reading.TOO_FEW)
