"""Formatted figures, one row per figure."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from dashboard.ui import figures


@pytest.mark.parametrize(
    ("value", "short", "cut", "exact"),
    [
        ("0", "0", "0", "0.00 USD"),
        ("12400000", "12.4 M", "12.4 M", "12,400,000.00 USD"),
        ("19999999.99", "20 M", "19.9 M", "19,999,999.99 USD"),
        ("-1250.5", "−1.25 k", "−1.25 k", "−1,250.50 USD"),
        ("0.000001", "<0.01", "<0.01", "0.000001 USD"),
    ],
)
def test_money_is_short_or_cut_beside_a_minimum_or_whole(
    value: str, short: str, cut: str, exact: str
) -> None:
    money = Decimal(value)

    assert (figures.usd(money), figures.usd_cut(money)) == (short, cut)
    assert figures.usd_exact(money) == exact


@pytest.mark.parametrize(
    ("value", "expected"), [(0, "0"), (999, "999"), (1234, "1,234"), (-5000, "−5,000")]
)
def test_counts_have_separators(value: int, expected: str) -> None:
    assert expected == figures.count(value)


@pytest.mark.parametrize(
    ("margin", "expected"),
    [
        ("0.565", "+57 %"),
        ("0.5649", "+56 %"),
        ("-0.067", "−7 %"),
        ("1.93", "+193 %"),
        ("0", "0 %"),
        ("-0.0000000005", "−<0.1 %"),
        ("0.000499", "+<0.1 %"),
        ("0.0005", "+0.1 %"),
        ("0.009", "+0.9 %"),
        ("0.01", "+1 %"),
        ("-0.0101", "−1 %"),
        ("-1", "−100 %"),
        ("12.5", "+1,250 %"),
    ],
)
def test_a_margin_keeps_its_sign_however_small(margin: str, expected: str) -> None:
    assert expected == figures.percent(Decimal(margin))


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        ("0", "0 %"),
        ("0.0049", "<1 %"),
        ("0.005", "1 %"),
        ("0.125", "13 %"),
        ("0.9949", "99 %"),
        ("0.9951", ">99 %"),
        ("1", "100 %"),
        ("1.004", "100 %"),
    ],
)
def test_a_share_in_whole_percents_is_never_none_or_all_by_rounding(
    share: str, expected: str
) -> None:
    assert expected == figures.whole_percent(Decimal(share))


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
def test_waiting_is_formatted_in_its_largest_whole_unit(span: timedelta, expected: str) -> None:
    assert expected == figures.waiting(span)


@pytest.fixture
def in_2026(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "this_year", lambda: 2026)


@pytest.mark.usefixtures("in_2026")
@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (date(2026, 10, 24), date(2026, 11, 22), "24 Oct – 22 Nov"),
        (date(2026, 11, 1), date(2026, 11, 30), "1 – 30 Nov"),
        (date(2025, 12, 24), date(2026, 1, 22), "24 Dec 2025 – 22 Jan 2026"),
        (date(2026, 2, 28), date(2026, 2, 28), "28 Feb"),
        (date(2025, 11, 5), date(2026, 11, 5), "5 Nov 2025 – 5 Nov 2026"),
        (date(2020, 1, 1), date(2020, 1, 31), "1 – 31 Jan 2020"),
        (date(2025, 10, 24), date(2025, 11, 22), "24 Oct – 22 Nov 2025"),
        (date(2027, 2, 28), date(2027, 2, 28), "28 Feb 2027"),
    ],
)
def test_ranges_of_days_include_both_ends_and_name_other_years(
    first: date, last: date, expected: str
) -> None:
    assert expected == figures.day_range(first, last)


@pytest.mark.usefixtures("in_2026")
def test_days_and_moments() -> None:
    east = timezone(timedelta(hours=14))

    assert figures.day(date(2026, 10, 24)) == "24 Oct"
    assert figures.day(date(2025, 10, 24)) == "24 Oct 2025"
    assert figures.month(date(2026, 10, 1), year=None) == "Oct"
    assert figures.month(date(2025, 10, 1), year=None) == "Oct 2025"
    assert figures.day(date(2026, 10, 4), year=True) == "4 Oct 2026"
    assert figures.moment(datetime(2026, 11, 21, 14, 2, tzinfo=UTC)) == "21 Nov 2026, 14:02 UTC"
    assert figures.moment(datetime(2026, 1, 1, 3, 0, tzinfo=east)) == "31 Dec 2025, 13:00 UTC"
    with pytest.raises(ValueError, match="zone"):
        figures.moment(datetime(2026, 1, 1))  # noqa: DTZ001 - what is refused


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        (figures.usd, "unknown"),
        (figures.usd_cut, "unknown"),
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
