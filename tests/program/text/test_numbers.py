"""One format for numbers: what is accepted, and what is refused with the right format."""

from decimal import Decimal

import pytest

from program.policy import settings
from program.reports import column_filters
from program.reports.column_filters import Range
from program.reports.datasets import APPLICATIONS, DatasetColumn
from program.text import numbers


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.25", "0.25"),
        ("1234.50", "1234.50"),
        ("5000000", "5000000"),
        ("-3", "-3"),
        ("0", "0"),
        ("-0", "0"),
        ("-0.00", "0.00"),
        ("007", "7"),
        ("9" * 40 + ".123456", "9" * 40 + ".123456"),
    ],
)
def test_a_plain_number_is_read_to_its_last_digit(text: str, number: str) -> None:
    assert str(numbers.read(text)) == number


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("0,25", "has a decimal comma; write `0.25`"),
        ("0,250", "has a decimal comma; write `0.250`"),
        ("1.234,50", "has a decimal comma; write `1234.50`"),
        ("1,234.50", "has a thousands separator; write `1234.50`"),
        ("5,000,000", "has a thousands separator; write `5000000`"),
        ("1 000", "has a thousands separator; write `1000`"),
        ("1\u202f000", "has a thousands separator; write `1000`"),
        ("1'000", "has a thousands separator; write `1000`"),
        ("1_000", "has a thousands separator; write `1000`"),
        ("1.234.567", "has points between its digits; write `1234567`"),
        ("１５", "has digits other than 0 to 9; write it with those"),
        ("٣", "has digits other than 0 to 9; write it with those"),
        ("1e3", "is written with an exponent; write all its digits"),
        ("1E+3", "is written with an exponent; write all its digits"),
        ("0x10", "is not written in decimal digits; write it with 0 to 9"),
        ("NaN", "is not a number; write digits"),
        ("sNaN", "is not a number; write digits"),
        ("Infinity", "is infinite; leave an open end empty"),
        ("-inf", "is infinite; leave an open end empty"),
        ("25 %", "is a percentage; write the number itself"),
        ("$5", "has a currency sign; write only the number"),
        ("+5", "has a plus sign; leave it out"),
        ("−5", "has a dash for a minus sign; write -"),
        (".5", "starts with a point; write a 0 before it"),
        ("5.", "ends in a point; remove it"),
        ("1.2345678", "has more than 6 decimals; round it"),
        ("9" * 41, "is too large"),
        ("", "is empty; write digits"),
        ("many", "is not a number; write it like 1234.50"),
        ("5\n", "has spaces around it; remove them"),
        ("\u00a05", "has spaces around it; remove them"),
        (" ", "is empty; write digits"),
        ("\u00bd", "is not a number; write it like 1234.50"),
        ("1 234,5", "has a decimal comma; write `1234.5`"),
        ("1.234,5", "has a decimal comma; write `1234.5`"),
        ("1 234 5,", "is not a number; write it like 1234.50"),
    ],
)
def test_any_other_format_is_refused_with_what_to_write(text: str, remedy: str) -> None:
    with pytest.raises(numbers.NotANumber) as refused:
        numbers.read(text)

    assert str(refused.value) == remedy


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("1.5", "is not a whole number; write it without decimals"),
        ("1.234.567", "has points between its digits; write `1234567`"),
        ("9" * 19, "is too large"),
        ("x", "is not a whole number; write digits only"),
    ],
)
def test_a_whole_number_has_no_decimals(text: str, remedy: str) -> None:
    assert numbers.read("9" * 18, whole=True) == Decimal("9" * 18)
    with pytest.raises(numbers.NotANumber) as refused:
        numbers.read(text, whole=True)

    assert str(refused.value) == remedy


def column(name: str) -> DatasetColumn:
    found = APPLICATIONS.column(name)
    assert found is not None
    return found


def test_a_filter_reads_numbers_and_names_an_invalid_end() -> None:
    volume, active = column("volume_usd"), column("active_users")

    assert column_filters.parse(volume, "0.25..") == Range(
        column="volume_usd", least=Decimal("0.25")
    )
    for text in ("0,25..", "..0,25", "1.234,50..2000", "?0,25..", "1e3..", "NaN..", "..", "5"):
        assert column_filters.parse(volume, text) is None, text
    assert column_filters.refusal(volume, "0..0,25") == (
        "The filter “0..0,25” on volume_usd is not understood: “0,25” has a decimal comma; write `0.25`."
    )
    assert column_filters.refusal(active, "?1.5..") == (
        "The filter “?1.5..” on active_users is not understood: “1.5” is not a whole number; "
        "write it without decimals."
    )
    assert column_filters.refusal(volume, "5") == (
        "The filter “5” on volume_usd is not understood; write it like 15..40, 15.. or ..40."
    )


def test_a_range_that_ends_before_it_begins_is_refused_and_turned_around() -> None:
    for name, typed, turned in (
        ("volume_usd", "5..1", "1..5"),
        ("active_users", "?40..15", "15..40"),
        ("submitted_at", "2026-03-01..2026-01-01", "2026-01-01..2026-03-01"),
        ("data_through", "2024-03-01..2024-02-29", "2024-02-29..2024-03-01"),
    ):
        assert column_filters.parse(column(name), typed) is None
        assert column_filters.refusal(column(name), typed) == (
            f"The filter “{typed}” on {name} ends before it begins; write it as “{turned}”."
        )
    assert column_filters.parse(column("volume_usd"), "5..5") is not None
    assert column_filters.parse(column("data_through"), "2026-01-01..2026-01-01") is not None


def test_a_word_that_a_column_never_holds_is_refused_with_those_it_can() -> None:
    assert column_filters.refusal(column("kyc_status"), "Verified").startswith(
        "The filter “Verified” on kyc_status is not understood: it can be "
    )
    assert (
        column_filters.refusal(column("username"), "")
        == "The filter “” on username is not understood."
    )


@pytest.mark.parametrize(
    ("text", "whole", "number"),
    [
        ("5,000,000", False, "5000000"),
        ("5 000 000.25", False, "5000000.25"),
        ("5'000", False, "5000"),
        ("1,234.50", False, "1234.50"),
        ("5,200", True, "5200"),
        ("5200", True, "5200"),
    ],
)
def test_a_person_may_separate_thousands_where_nothing_else_can_be_meant(
    text: str, whole: bool, number: str
) -> None:
    assert str(numbers.read_typed(text, whole=whole)) == number


@pytest.mark.parametrize(
    "pasted",
    [
        "5\u00a0000\u00a0000",
        "5\u202f000\u202f000",
        "5\u2009000\u2009000",
        " 5 000 000\u00a0",
        "5\u2019000\u2019000",
        "\u200b5000000\ufeff",
        "\u20685,000,000\u2069",
        "5\u200b000\u200b000",
        "5000000\u200e",
    ],
)
def test_every_field_of_numbers_reads_what_is_seen_of_pasted_text(pasted: str) -> None:
    assert numbers.read_typed(pasted) == 5_000_000
    assert settings.parse(settings.SETTINGS_BY_NAME["min_volume_usd"], pasted) == 5_000_000
    assert column_filters.typed_end(column("volume_usd"), pasted) == "5000000"
    rate = settings.SETTINGS_BY_NAME["standard_rebate_rate"]
    assert settings.parse(rate, "\u200b12.5\u00a0%") == Decimal("0.125")


def test_a_refusal_quotes_what_is_seen() -> None:
    with pytest.raises(ValueError, match=r"“5 000,5” has a decimal comma; write `5000\.5`"):
        settings.parse(settings.SETTINGS_BY_NAME["min_volume_usd"], "\u200b5\u00a0000,5")
    assert column_filters.typed_end(column("volume_usd"), "\u200bmany ") == "many"
    assert column_filters.typed_end(column("volume_usd"), "") == ""


@pytest.mark.parametrize(
    ("text", "whole"),
    [("5,000", False), ("5,00,000", False), ("5,000 000", False), ("1.234.567", True)],
)
def test_what_may_be_two_numbers_is_refused_also_from_a_person(text: str, whole: bool) -> None:
    with pytest.raises(numbers.NotANumber):
        numbers.read_typed(text, whole=whole)
