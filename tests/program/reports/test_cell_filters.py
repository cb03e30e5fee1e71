"""What a cell offers as a filter, and that the address holds it."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import pytest

from program.reports import cell_filters, value_words
from program.reports import column_filters as filtering
from program.reports.datasets import DATASETS, TRUTHS, ColumnKind
from program.reports.views import View

AT = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
ROWS = "columns=status,country_code,volume_usd"


def offered(query: str, name: str, value: Any) -> dict[str, str]:
    view = View.from_query(dict(parse_qsl(query)), personal=True)
    assert not view.problems
    return {
        offer.words: filtering.to_text(offer.filter_)
        for offer in cell_filters.offers(view, name, value)
    }


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        # Always known: without it, nothing unknown is left to keep.
        ("status", "pending", {"Only pending": "pending", "Without pending": "!pending"}),
        ("country_code", "BR", {"Only BR": "BR", "Without BR": "?!BR"}),
        ("country_code", None, {"Only unknown": "?", "Without unknown": "!"}),
        ("username", "~a,b!", {"Only ~a,b!": "%7Ea%2Cb%21", "Without ~a,b!": "?!%7Ea%2Cb%21"}),
        ("track", "on_exchange", {"Only on-exchange": "on_exchange", "Without on-exchange": "?!on_exchange"}),
        ("is_override", False, {"Only no": "no", "Without no": "?!no"}),
        ("social_platform", "Twitter", {"Only Twitter": "x", "Without Twitter": "!x"}),
        ("application_id", 7, {"Only 7": "7..7"}),
        ("volume_usd", Decimal("1234.50"), {"Only 1,234.50": "1234.50..1234.50", "At least 1,234.50": "1234.50..", "At most 1,234.50": "..1234.50"}),
        ("submitted_at", AT, {"Only 1 Mar 2026": "2026-03-01..2026-03-01", "From 1 Mar 2026": "2026-03-01..", "Until 1 Mar 2026": "..2026-03-01"}),
    ],
)  # fmt: skip
def test_a_cell_offers_its_value(name: str, value: Any, expected: dict[str, str]) -> None:
    assert offered(f"columns={name}", name, value) == expected


@pytest.mark.parametrize(
    ("bucket", "first", "span", "words"),
    [
        ("month", date(2026, 2, 1), "2026-02-01..2026-02-28", "Only Feb 2026"),
        ("week", date(2026, 2, 23), "2026-02-23..2026-03-01", "Only the week from 23 Feb 2026"),
        ("day", date(2026, 2, 1), "2026-02-01..2026-02-01", "Only 1 Feb 2026"),
    ],
)
def test_a_step_of_time_offers_its_days(bucket: str, first: date, span: str, words: str) -> None:
    found = offered(f"group=submitted_at:{bucket}", f"submitted_at_{bucket}", first)
    assert found[words] == span


def test_an_offer_goes_on_from_the_filter_that_is_there() -> None:
    of = "Without BR"
    assert offered(f"{ROWS}&country_code=BR,DE", "country_code", "BR")[of] == "DE"
    assert offered(f"{ROWS}&country_code=?BR,DE", "country_code", "BR")[of] == "?DE"
    assert offered(f"{ROWS}&country_code=?!DE", "country_code", "BR")[of] == "?!DE,BR"
    assert offered(f"{ROWS}&country_code=!DE", "country_code", "BR")[of] == "!DE,BR"
    assert offered(f"{ROWS}&country_code=!", "country_code", "BR")[of] == "!BR"
    # Nothing would be left, or another filter would be lost.
    assert offered(f"{ROWS}&country_code=BR", "country_code", "BR") == {}
    assert list(offered(f"{ROWS}&country_code=~R", "country_code", "BR")) == ["Only BR"]

    low = offered(f"{ROWS}&volume_usd=1..9", "volume_usd", Decimal(5))
    assert (low["At least 5"], low["At most 5"]) == ("5..9", "1..5")
    until = offered("columns=submitted_at&submitted_at=2026-01-01..", "submitted_at", AT)
    assert until["Until 1 Mar 2026"] == "2026-01-01..2026-03-01"


def test_measures_of_groups_and_strange_values_offer_nothing() -> None:
    assert offered("group=status", "count", 5) == {}
    assert offered("group=status", "nonsense", 5) == {}
    # A status that the rules do not know, and text that the address cannot hold.
    assert offered(ROWS, "status", "nonsense") == {}
    assert offered("columns=username", "username", "a" * 300) == {}


def test_every_column_says_which_values_its_filter_takes() -> None:
    for dataset in DATASETS:
        for column in dataset.columns:
            said = value_words.taken(column)
            assert said.endswith("."), column.name
            allowed = TRUTHS if column.kind is ColumnKind.TRUTH else column.choices
            assert all(value in said for value in allowed), column.name


def test_words_are_those_of_values_that_columns_have() -> None:
    names = {column.name for dataset in DATASETS for column in dataset.columns}
    assert set(value_words.VALUE_WORDS) <= names
    assert value_words.word("track", "on_exchange") == "on-exchange"
    assert value_words.word("desk_status", "more_info_needed") == "waiting for the applicant"
    assert value_words.word("snapshot_on_exchange", "not_met") == "not met"
    assert value_words.word("username", "on_exchange") == "on_exchange"
