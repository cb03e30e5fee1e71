"""Figures, days and lists in words: both sides of each rounding."""

from datetime import date
from decimal import Decimal

import pytest

from program import wording
from program.periods import Window


@pytest.mark.parametrize(
    ("value", "short", "cut", "stated", "exact"),
    [
        ("0", "0", "0", "0", "0.00"),
        ("0.0049", "<0.01", "<0.01", "0.0049", "0.0049"),
        ("0.125", "0.13", "0.12", "0.125", "0.125"),
        ("0.5", "0.50", "0.50", "0.50", "0.50"),
        ("7", "7", "7", "7", "7.00"),
        ("99.99", "99.99", "99.99", "99.99", "99.99"),
        ("100.50", "101", "100", "100.50", "100.50"),
        ("999.49", "999", "999", "999.49", "999.49"),
        ("999.50", "1 k", "999", "999.50", "999.50"),
        ("1000", "1 k", "1 k", "1 k", "1,000.00"),
        ("461561.40", "462 k", "461 k", "461,561.40", "461,561.40"),
        ("999500", "1 M", "999 k", "999,500", "999,500.00"),
        ("1774139", "1.77 M", "1.77 M", "1,774,139", "1,774,139.00"),
        ("1775000", "1.78 M", "1.77 M", "1,775,000", "1,775,000.00"),
        ("4100000", "4.1 M", "4.1 M", "4.1 M", "4,100,000.00"),
        ("4100000.01", "4.1 M", "4.1 M", "4,100,000.01", "4,100,000.01"),
        ("19999999.99", "20 M", "19.9 M", "19,999,999.99", "19,999,999.99"),
        ("20000000.00", "20 M", "20 M", "20 M", "20,000,000.00"),
        ("20050000", "20.1 M", "20 M", "20,050,000", "20,050,000.00"),
        ("1079500000", "1.08 B", "1.07 B", "1,079,500,000", "1,079,500,000.00"),
        ("-1205", "−1.21 k", "−1.2 k", "−1,205", "−1,205.00"),
        (
            "9007199254740993.01",
            "9,007,199 B",
            "9,007,199 B",
            "9,007,199,254,740,993.01",
            "9,007,199,254,740,993.01",
        ),
    ],
)
def test_money_in_short_is_rounded_beside_a_minimum_cut_and_a_limit_keeps_every_digit(
    value: str, short: str, cut: str, stated: str, exact: str
) -> None:
    money = Decimal(value)

    assert wording.short_usd(money) == short
    assert wording.cut_usd(money) == cut
    assert (wording.stated_usd(money), wording.exact_usd(money)) == (stated, exact)


@pytest.mark.parametrize(
    ("value", "other", "words"),
    [
        ("8864000", "5900000", ("8.86 M", "5.90 M")),
        ("5900000", "8000000", ("5.9 M", "8.0 M")),
        ("8000000", "5000000", ("8 M", "5 M")),
        ("20500000", "5864000", ("20.5 M", "5.9 M")),
        ("20000000", "5000000", ("20 M", "5 M")),
        ("130400000", "99600000", ("130 M", "100 M")),
        # Too small for the digits of the larger one.
        ("130000000", "400000", ("130 M", "400 k")),
        ("130000000", "1000000", ("130 M", "1 M")),
        ("950000", "120", ("950 k", "120")),
        ("150", "0.3", ("150", "0.30")),
        ("1020000", "999000", ("1.02 M", "1.00 M")),
        ("20500000", "412000", ("20.5 M", "0.4 M")),
        ("20500000", "99000", ("20.5 M", "99 k")),
        ("-2500000", "1250000", ("−2.50 M", "1.25 M")),
        ("0", "2.5", ("0", "2.50")),
        ("99.5", "2", ("99.50", "2.00")),
    ],
)
def test_money_beside_other_money_is_in_one_scale_with_equal_decimals(
    value: str, other: str, words: tuple[str, str]
) -> None:
    one, two = Decimal(value), Decimal(other)

    assert (wording.beside_usd(one, two), wording.beside_usd(two, one)) == words


@pytest.mark.parametrize(
    ("share", "expected"),
    [("0.20", "20 %"), ("0.1250", "12.5 %"), ("1", "100 %"), ("0.0001", "0.01 %")],
)
def test_a_rate_has_the_digits_it_has(share: str, expected: str) -> None:
    assert wording.percent(Decimal(share)) == expected


@pytest.mark.parametrize(
    ("first", "end", "expected"),
    [
        (date(2026, 10, 24), date(2026, 11, 23), "24 Oct to 22 Nov 2026"),
        (date(2020, 1, 1), date(2020, 2, 1), "1 Jan to 31 Jan 2020"),
        (date(2026, 2, 28), date(2026, 3, 1), "28 Feb 2026"),
        (date(2026, 12, 3), date(2027, 1, 2), "3 Dec 2026 to 1 Jan 2027"),
    ],
)
def test_a_window_is_formatted_by_its_first_and_last_day(
    first: date, end: date, expected: str
) -> None:
    assert wording.span(Window(first, end)) == expected


@pytest.mark.parametrize(
    ("parts", "expected"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_parts_are_listed_as_people_list_them(parts: list[str], expected: str) -> None:
    assert wording.listed(parts) == expected


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        # One scale and two decimals, also for what is far smaller or ends in zeros.
        (("33100000000", "768000000", "4200000000"), ["33.10 B", "0.77 B", "4.20 B"]),
        (("8650000", "2900000", "255000", "1"), ["8.65 M", "2.90 M", "0.26 M", "<0.01 M"]),
        # Most are far smaller than the largest.
        (("1200000", "3000", "4100.5", "-20000"), ["1,200.00 k", "3.00 k", "4.10 k", "−20.00 k"]),
        (("999.5", "0", "-0.001"), ["999.50", "0.00", "−<0.01"]),
        ((None, "1000"), [None, "1.00 k"]),
        ((None, "0"), [None, "0.00"]),
        ((None,), [None]),
    ],
)
def test_a_column_of_money_has_one_scale_and_equal_decimals(
    column: tuple[str | None, ...], expected: list[str | None]
) -> None:
    cells = [None if one is None else Decimal(one) for one in column]

    words = wording.column_usd(cells)

    assert [None if one is None else words(one) for one in cells] == expected


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (("22.8", "91.2"), ["1.0 d", "3.8 d"]),
        (("11.9", "91.2"), ["11.9 h", "91.2 h"]),
        (("12", "47.99"), ["12.0 h", "48.0 h"]),
        (("12", "48", None), ["0.5 d", "2.0 d", None]),
        (("0.5", "0.99", "0.001"), ["30 min", "59 min", "<1 min"]),
        (("0.01", "1"), ["<0.1 h", "1.0 h"]),
        (("0", "2400000"), ["0.0 h", "2,400,000.0 h"]),
        ((None,), [None]),
    ],
)
def test_a_column_of_durations_has_one_unit_and_equal_decimals(
    column: tuple[str | None, ...], expected: list[str | None]
) -> None:
    cells = [None if one is None else Decimal(one) for one in column]

    words = wording.column_took(cells)

    assert [None if one is None else words(one) for one in cells] == expected
