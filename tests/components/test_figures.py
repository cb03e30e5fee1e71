"""What people read, one row a figure."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from dashboard.components import figures


@pytest.mark.parametrize(
    ("value", "short", "exact"),
    [
        ("0", "0", "0.00 USD"),
        ("999.99", "999", "999.99 USD"),
        ("1000", "1 k", "1,000.00 USD"),
        ("12400000", "12.4 M", "12,400,000.00 USD"),
        ("19999999.99", "19.9 M", "19,999,999.99 USD"),
        ("20000000.00", "20 M", "20,000,000.00 USD"),
        ("999999999.99", "999.9 M", "999,999,999.99 USD"),
        ("1250000000", "1.2 B", "1,250,000,000.00 USD"),
        ("-1250.5", "−1.2 k", "−1,250.50 USD"),
        ("0.000001", "0", "0.000001 USD"),
        ("9007199254740993.01", "9007199.2 B", "9,007,199,254,740,993.01 USD"),
    ],
)
def test_money_is_cut_in_short_and_whole_in_full(value: str, short: str, exact: str) -> None:
    assert short == figures.usd(Decimal(value))
    assert exact == figures.usd_exact(Decimal(value))


@pytest.mark.parametrize(
    ("value", "expected"), [(0, "0"), (999, "999"), (1234, "1,234"), (-5000, "−5,000")]
)
def test_counts_have_separators(value: int, expected: str) -> None:
    assert expected == figures.count(value)


@pytest.mark.parametrize(
    ("margin", "expected"),
    [
        ("0.565", "+56 %"),
        ("1.93", "+193 %"),
        ("0", "0 %"),
        ("-0.0000000005", "−<1 %"),
        ("0.009", "+<1 %"),
        ("0.01", "+1 %"),
        ("-0.0101", "−1 %"),
        ("-1", "−100 %"),
        ("12.5", "+1,250 %"),
    ],
)
def test_a_margin_keeps_its_sign_however_small(margin: str, expected: str) -> None:
    assert expected == figures.percent(Decimal(margin))


@pytest.mark.parametrize(
    ("share", "expected"), [("0.1", "10 %"), ("0.125", "12.5 %"), ("0.20", "20 %"), ("1", "100 %")]
)
def test_a_rate_shows_the_digits_it_has(share: str, expected: str) -> None:
    assert expected == figures.rate(Decimal(share))


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (timedelta(0), "0 min"),
        (timedelta(seconds=-5), "0 min"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(hours=1), "1 h"),
        (timedelta(hours=23, minutes=59), "23 h"),
        (timedelta(days=1), "1 d"),
        (timedelta(days=4, hours=23), "4 d"),
    ],
)
def test_waiting_is_told_in_its_largest_whole_unit(span: timedelta, expected: str) -> None:
    assert expected == figures.waiting(span)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (date(2026, 10, 24), date(2026, 11, 22), "24 Oct – 22 Nov"),
        (date(2026, 11, 1), date(2026, 11, 30), "1 – 30 Nov"),
        (date(2025, 12, 24), date(2026, 1, 22), "24 Dec 2025 – 22 Jan 2026"),
        (date(2026, 2, 28), date(2026, 2, 28), "28 Feb"),
        (date(2025, 11, 5), date(2026, 11, 5), "5 Nov 2025 – 5 Nov 2026"),
    ],
)
def test_ranges_of_days_include_both_ends(first: date, last: date, expected: str) -> None:
    assert expected == figures.day_range(first, last)


def test_days_and_moments() -> None:
    east = timezone(timedelta(hours=14))

    assert figures.day(date(2026, 10, 24)) == "24 Oct"
    assert figures.day(date(2026, 10, 4), year=True) == "4 Oct 2026"
    assert figures.moment(datetime(2026, 11, 21, 14, 2, tzinfo=UTC)) == "21 Nov 2026, 14:02 UTC"
    assert figures.moment(datetime(2026, 1, 1, 3, 0, tzinfo=east)) == "31 Dec 2025, 13:00 UTC"
    with pytest.raises(ValueError, match="zone"):
        figures.moment(datetime(2026, 1, 1))  # noqa: DTZ001 - what is refused


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        (figures.usd, "unknown"),
        (figures.usd_exact, "unknown"),
        (figures.count, "unknown"),
        (figures.percent, "–"),
        (figures.rate, "–"),
        (figures.waiting, "–"),
        (figures.day, "unknown"),
        (figures.moment, "unknown"),
    ],
)
def test_the_unknown_is_a_word_never_a_zero(figure, expected: str) -> None:  # noqa: ANN001
    assert expected == figure(None)
    assert figure(None, unknown="?") == "?"
