"""The queue's view round-trips through the address."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from program.policy.outcomes import Outcome
from program.review.queue_filters import (
    LONGEST_SEARCH,
    SORT_LABELS,
    TRACK_CHOICES,
    WAITING_CHOICES,
    Due,
    Filters,
    Owner,
    Sort,
    clean_search,
)
from program.review.workflow import Status
from program.text.platforms import platform_key

ASKED = {"search", "eligibility", "track", "country", "platform", "waiting", "sort", "page"}
ASKED |= {"status", "owner", "due"}
anything = st.text(max_size=200)
filters = st.builds(
    Filters,
    search=anything.map(clean_search),
    eligibility=st.sets(st.sampled_from(Outcome)).map(
        lambda chosen: tuple(outcome for outcome in Outcome if outcome in chosen)
    ),
    track=st.none() | st.sampled_from(TRACK_CHOICES),
    country=st.none() | st.text(string.ascii_uppercase, min_size=2, max_size=2),
    platform=st.none() | anything.map(clean_search).map(platform_key).filter(bool),
    waiting_days=st.none() | st.sampled_from(WAITING_CHOICES),
    status=st.sampled_from(Status),
    owner=st.none() | st.sampled_from(Owner),
    due=st.none() | st.sampled_from(Due),
    sort=st.sampled_from(Sort),
    page=st.integers(1, 1_000_000),
)


@given(filters)
def test_query_parameters_round_trip(wanted: Filters) -> None:
    query = wanted.to_query()

    assert Filters.from_query(query) == wanted
    assert set(query) <= ASKED
    assert all(isinstance(value, str) and value for value in query.values())


def test_defaults_leave_the_address_bar_empty() -> None:
    assert Filters().to_query() == {}
    assert Filters.from_query({}) == Filters()


@given(st.dictionaries(st.sampled_from(sorted(ASKED)) | anything, anything))
def test_garbage_in_the_address_bar_is_never_an_error(query: dict[str, str]) -> None:
    understood = Filters.from_query(query)

    assert Filters.from_query(understood.to_query()) == understood
    assert understood.page >= 1
    assert len(understood.search) <= LONGEST_SEARCH
    assert understood.search.isprintable()


@pytest.mark.parametrize(
    ("query", "understood"),
    [
        ({"eligibility": "met,unknown"}, Filters(eligibility=(Outcome.MET, Outcome.UNKNOWN))),
        ({"eligibility": "unknown,met"}, Filters(eligibility=(Outcome.MET, Outcome.UNKNOWN))),
        ({"eligibility": "met,met"}, Filters(eligibility=(Outcome.MET,))),
        ({"eligibility": "met,no"}, Filters(eligibility=(Outcome.MET,))),
        ({"eligibility": "MET"}, Filters()),
        ({"track": "both"}, Filters(track="both")),
        ({"track": "external"}, Filters(track="external")),
        ({"track": "neither"}, Filters()),
        ({"country": "BR"}, Filters(country="BR")),
        ({"country": "br"}, Filters()),
        ({"country": "BRA"}, Filters()),
        ({"country": "BR\n"}, Filters()),
        ({"platform": "x"}, Filters(platform="x")),
        *[
            ({"platform": word}, Filters(platform="x"))
            for word in ("Twitter", "X (Twitter)", "x'--")
        ],
        ({"platform": "小红书"}, Filters(platform="xiaohongshu")),
        ({"platform": "My Place"}, Filters(platform="myplace")),
        ({"platform": "a" * 101}, Filters(platform="a" * 100)),
        ({"platform": " \n"}, Filters()),
        ({"waiting": "3"}, Filters(waiting_days=3)),
        ({"waiting": "4"}, Filters()),
        ({"waiting": "-3"}, Filters()),
        ({"waiting": "٣"}, Filters()),
        ({"sort": "volume"}, Filters(sort=Sort.VOLUME)),
        ({"sort": "application_id; drop table"}, Filters()),
        ({"page": "2"}, Filters(page=2)),
        ({"page": "0"}, Filters()),
        ({"page": "-1"}, Filters()),
        ({"page": "1.5"}, Filters()),
        ({"page": "1e3"}, Filters()),
        ({"page": "1000001"}, Filters(page=1_000_000)),
        ({"page": "9" * 40}, Filters()),
        ({"unheard": "of"}, Filters()),
    ],
)
def test_unparsable_parameters_fall_back_to_the_default(
    query: dict[str, str], understood: Filters
) -> None:
    assert Filters.from_query(query) == understood


@pytest.mark.parametrize(
    ("typed", "looked_for"),
    [
        ("", ""),
        ("   ", ""),
        ("  meadow ", "meadow"),
        ("two  words", "two  words"),
        ("a\tb\nc", "a b c"),
        ("nul\0", "nul"),
        ("\u200b", ""),
        ("a\ud800b", "a b"),
        ("@meadow", "@meadow"),
        ("100%", "100%"),
        ("x" * 100, "x" * 100),
        ("x" * 101, "x" * 100),
        ("x" * 99 + " y", "x" * 99),
    ],
)
def test_a_search_holds_no_control_characters_and_is_bounded(typed: str, looked_for: str) -> None:
    assert clean_search(typed) == looked_for


@pytest.mark.parametrize(
    ("filters", "narrows"),
    [
        (Filters(), False),
        (Filters(page=3), False),
        (Filters(sort=Sort.VOLUME), False),
        (Filters(search="a"), True),
        (Filters(eligibility=(Outcome.UNKNOWN,)), True),
        (Filters(track="both"), True),
        (Filters(country="BR"), True),
        (Filters(platform="x"), True),
        (Filters(waiting_days=3, sort=Sort.ACTIVE), True),
    ],
)
def test_order_and_page_do_not_narrow(filters: Filters, narrows: bool) -> None:
    assert filters.narrows is narrows


def test_another_page_or_order_keeps_everything_else() -> None:
    filters = Filters(search="a", country="BR", sort=Sort.ACTIVE, page=2)

    assert filters.on_page(5) == Filters(search="a", country="BR", sort=Sort.ACTIVE, page=5)
    assert filters.in_order(Sort.VOLUME) == Filters(
        search="a", country="BR", sort=Sort.VOLUME, page=2
    )


def test_every_order_has_a_label_of_its_own() -> None:
    assert set(SORT_LABELS) == set(Sort)
    assert len(set(SORT_LABELS.values())) == len(Sort)
