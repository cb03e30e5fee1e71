"""Outcomes of approvals: every percentage is shown with its base."""

from datetime import date
from decimal import Decimal

import pytest

from dashboard.pages.affiliates.outcomes_tables import Line, Then, then_words, written
from program import wording
from program.affiliates.filters import Figure

JANUARY = date(2020, 1, 1)


@pytest.mark.parametrize(
    ("shown", "before", "now", "words"),
    [
        (Decimal(40_000_000), Decimal(40_000_000), Decimal(30_000_000), "30 M · −25 %"),
        (Decimal(40_000_000), Decimal(20_000_000), Decimal(30_000_000), "30 M from 20 M · +50 %"),
        (None, Decimal(20_000_000), Decimal(18_660_000), "18.7 M from 20 M · −7 %"),
        (None, Decimal(0), Decimal(5), "5 from 0 · –"),
    ],
)
def test_a_change_names_its_base_unless_the_previous_column_has_it(
    shown: Decimal | None, before: Decimal, now: Decimal, words: str
) -> None:
    line = Line(
        name="ana", affiliates=9, before=shown, at={60: Then(before=before, now=now)}, fell=None
    )

    assert then_words(line, 60, Figure.VOLUME, wording.short_usd) == words
    assert then_words(line, 90, Figure.VOLUME, wording.short_usd) == "unknown"


@pytest.mark.parametrize(
    ("through", "words"),
    [
        (date(2020, 3, 30), "unknown until 1 Apr 2020"),
        (date(2020, 3, 31), "unknown, not delivered"),
    ],
)
def test_an_unknown_month_shows_when_it_will_be_known_or_that_days_are_missing(
    through: date, words: str
) -> None:
    line = Line(
        name="Jan", affiliates=1, before=5, at={}, fell=None, month=JANUARY, through=through
    )

    assert then_words(line, 60, Figure.ACTIVE, str) == words


def test_all_volumes_of_a_table_have_one_scale() -> None:
    lines = [
        Line(
            name=name,
            affiliates=9,
            before=Decimal(before) * 10**6,
            at={30: Then(before=Decimal(before) * 10**6, now=Decimal(now) * 10**6)},
            fell=None,
        )
        for name, before, now in [("Jan", 327, 1_040), ("Feb", 813, 290)]
    ]

    words = written(lines, Figure.VOLUME)

    assert [then_words(line, 30, Figure.VOLUME, words) for line in lines] == [
        "1.04 B · +218 %",
        "0.29 B · −64 %",
    ]
    assert words(Decimal(327_000_000)) == "0.33 B"
