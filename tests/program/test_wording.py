"""Figures, days and lists in words: both sides of each rounding."""

from datetime import date
from decimal import Decimal

import pytest

from program import wording
from program.periods import Window


@pytest.mark.parametrize(
    ("value", "short", "stated", "exact"),
    [
        ("0", "0", "0", "0.00"),
        ("999", "999", "999", "999.00"),
        ("999.99", "999", "999.99", "999.99"),
        ("1000", "1 k", "1 k", "1,000.00"),
        ("4100000", "4.1 M", "4.1 M", "4,100,000.00"),
        ("4100000.01", "4.1 M", "4,100,000.01", "4,100,000.01"),
        ("19999999.99", "19.9 M", "19,999,999.99", "19,999,999.99"),
        ("20000000.00", "20 M", "20 M", "20,000,000.00"),
        ("20050000", "20 M", "20,050,000", "20,050,000.00"),
        ("1500000000", "1.5 B", "1.5 B", "1,500,000,000.00"),
        ("0.123456", "0", "0.123456", "0.123456"),
        ("-1200", "−1.2 k", "−1.2 k", "−1,200.00"),
    ],
)
def test_money_is_cut_in_short_and_a_limit_is_shortened_only_where_nothing_is_lost(
    value: str, short: str, stated: str, exact: str
) -> None:
    money = Decimal(value)

    assert (wording.short_usd(money), wording.stated_usd(money), wording.exact_usd(money)) == (
        *(short, stated, exact),
    )


@pytest.mark.parametrize(
    ("share", "said"),
    [("0.20", "20 %"), ("0.1250", "12.5 %"), ("1", "100 %"), ("0.0001", "0.01 %")],
)
def test_a_rate_has_the_digits_it_has(share: str, said: str) -> None:
    assert wording.percent(Decimal(share)) == said


@pytest.mark.parametrize(
    ("first", "end", "said"),
    [
        (date(2026, 10, 24), date(2026, 11, 23), "24 Oct to 22 Nov"),
        (date(2026, 12, 2), date(2027, 1, 1), "2 Dec to 31 Dec"),
        (date(2026, 12, 3), date(2027, 1, 2), "3 Dec 2026 to 1 Jan 2027"),
    ],
)
def test_a_window_is_said_by_its_first_and_last_day(first: date, end: date, said: str) -> None:
    assert wording.span(Window(first, end)) == said


@pytest.mark.parametrize(
    ("parts", "said"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_parts_are_listed_as_people_list_them(parts: list[str], said: str) -> None:
    assert wording.listed(parts) == said
