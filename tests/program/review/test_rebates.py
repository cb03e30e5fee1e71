"""What a rebate costs, in exact decimals, and when one person is not enough."""

from datetime import date
from decimal import Decimal

import pytest

from program.periods import Window
from program.review.rebates import RebateCost, cost, needs_second_person, rate_problem

MONTH = Window(date(2026, 10, 24), date(2026, 11, 23))
FEBRUARY = Window(date(2026, 2, 1), date(2026, 3, 1))
MARCH = Window(date(2026, 3, 1), date(2026, 4, 1))
STANDARD = Decimal("0.10")


def costs(
    fees: str, *, window: Window = MONTH, rate: str = "0.20", standard: Decimal = STANDARD
) -> RebateCost:
    found = cost(Decimal(fees), window=window, rate=Decimal(rate), standard=standard)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("rate", "allowed"),
    [
        ("0.1000", False),
        ("0.1001", True),
        ("0.5000", True),
        ("0.5001", False),
        ("0.20005", False),
        ("NaN", False),
        ("Infinity", False),
    ],
)
def test_a_rate_is_above_the_standard_and_at_most_the_highest_in_hundredths_of_a_percent(
    rate: str, allowed: bool
) -> None:
    problem = rate_problem(Decimal(rate), standard=STANDARD, most=Decimal("0.50"))

    assert (problem is None) is allowed


@pytest.mark.parametrize(
    ("fees", "rate", "extra", "year", "left"),
    [
        ("12345.67", "0.20", "1234.567", "14814.804", "9876.536"),
        ("100000", "0.1001", "10", "120", "89990"),
        ("99999999999999.999999", "0.50", "39999999999999.9999996", None, None),
        ("0", "0.50", "0", "0", "0"),
        ("-1200", "0.20", "-120", "-1440", "-960"),
        ("1000", "0.10", "0", "0", "900"),
    ],
)
def test_the_cost_is_exact(
    fees: str, rate: str, extra: str, year: str | None, left: str | None
) -> None:
    found = costs(fees, rate=rate)

    assert (found.extra_usd, found.extra_month_usd) == (Decimal(extra), Decimal(extra))
    assert year is None or found.extra_year_usd == Decimal(year)
    assert left is None or found.left_usd == Decimal(left)


@pytest.mark.parametrize(
    ("window", "month"),
    [
        (MONTH, "100"),
        (FEBRUARY, "100"),
        (MARCH, "100"),
        (Window(date(2026, 3, 1), date(2026, 3, 16)), "200"),
        (Window(date(2026, 1, 1), date(2026, 3, 2)), "50"),
    ],
    ids=["trailing", "28 days", "31 days", "15 days", "60 days"],
)
def test_a_month_is_the_window_itself_or_thirty_days_of_another(window: Window, month: str) -> None:
    found = costs("1000", window=window)

    assert (found.extra_usd, found.extra_month_usd) == (Decimal(100), Decimal(month))
    assert found.extra_year_usd == 12 * Decimal(month)


def test_unknown_fees_have_no_cost() -> None:
    assert cost(None, window=MONTH, rate=Decimal("0.2"), standard=STANDARD) is None


def test_a_window_without_days_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one day"):
        costs("1", window=Window(MONTH.start, MONTH.start))


@pytest.mark.parametrize(("fees", "remarked"), [("-0.01", True), ("0", False), ("0.01", False)])
def test_negative_fees_are_remarked_on(fees: str, remarked: bool) -> None:
    remark = costs(fees).remark

    assert (remark is not None) is remarked
    assert not remarked or "−0.01 USD" in (remark or "")


@pytest.mark.parametrize(
    ("override", "extra", "for_overrides", "threshold", "keys"),
    [
        (False, None, True, "10000", ()),
        (True, None, True, "10000", ("override",)),
        (True, None, False, "10000", ()),
        (False, "9999.999999", True, "10000", ()),
        (False, "10000.00", True, "10000", ("cost",)),
        (False, "10000.00", True, None, ()),
        (True, "10000.01", True, "10000", ("override", "cost")),
        (True, "10000.01", False, "10000", ("cost",)),
        (False, "-20000", True, "10000", ()),
        (False, "0", True, "0", ("cost",)),
    ],
)
def test_a_second_person_is_needed_for_overrides_and_from_the_threshold_on(
    override: bool,
    extra: str | None,
    for_overrides: bool,
    threshold: str | None,
    keys: tuple[str, ...],
) -> None:
    # Ten points above the standard rate, so fees are ten times the extra cost.
    given = None if extra is None else costs(str(Decimal(extra) * 10))

    found = needs_second_person(
        override=override,
        cost=given,
        for_overrides=for_overrides,
        from_monthly_extra_usd=None if threshold is None else Decimal(threshold),
    )

    assert tuple(reason.key for reason in found) == keys


def test_the_reason_states_the_cost_and_the_threshold() -> None:
    (reason,) = needs_second_person(
        override=False,
        cost=costs("123456.789"),
        for_overrides=True,
        from_monthly_extra_usd=Decimal("10000.00"),
    )

    assert reason.sentence == (
        "The rate costs 12,345.68 USD more a month than the standard one; "
        "from 10,000 USD on, a second person decides."
    )
