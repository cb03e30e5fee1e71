"""The numbers behind a risk signal, in words."""

from typing import Any

import pytest

from dashboard.ui import figures, risk_inputs
from data_access.risk import origins, user_days, user_sums
from program.policy.evidence import EvidenceKind
from program.risk import inputs

MEASURED = {
    (signal, name.partition("=")[0])
    for listed in (origins.INPUTS, user_days.INPUTS, user_sums.INPUTS)
    for signal, names in listed.items()
    for name in names
}


@pytest.mark.parametrize(("signal", "name"), sorted(MEASURED))
def test_every_measured_number_has_words(signal: str, name: str) -> None:
    assert inputs.find(signal, name) is not None


@pytest.mark.parametrize("kind", inputs.Kind)
def test_every_kind_of_number_can_be_written(kind: inputs.Kind) -> None:
    assert kind in risk_inputs.WRITTEN


@pytest.mark.parametrize(
    ("signal", "kept", "words"),
    [
        (
            "R01",
            {"top_user": 31, "top_volume_usd": 12_400_000},
            "top user u-31 · its volume 12.4 M",
        ),
        ("R04", {"large_users": 1234}, "users above the size of small ones 1,234"),
        ("R17", {"digit_spread": 1.234567}, "spread of the logarithm 1.2346"),
        ("R06", {"share": 0.0123, "share_before": 1e-9}, "share of the program 1.23 % · share"),
        ("R09", {"day": "2020-02-29", "sign_ups": 7}, "day 29 Feb 2020 · sign-ups on it 7"),
        ("R08", {"days": ["2020-02-28", "2020-02-29"]}, "days 28 Feb 2020 and 29 Feb 2020"),
        ("R31", {"hour": "2020-02-29T23:00:00+00:00"}, "busiest hour, UTC 29 Feb 2020, 23:00"),
        ("R11", {"once_list": [3, 4, 5]}, "the largest of them u-3, u-4 and u-5"),
        ("R14", {"users": [3, 4], "near_one": False}, "users u-3 and u-4 · the ratio is near 1 no"),
        ("R30", {"users": 44, "applicants": 3}, "referred users 44 · users who applied themselves"),
        ("R35", {"before": 1000, "after": 9000}, "followers before 1,000 · followers 9,000"),
        ("R34", {"country": "BR"}, "most users from BR"),
        ("R22", {"handle": 9}, "same handle as account 9"),
    ],
)
def test_numbers_are_written_with_their_words_and_units(
    signal: str, kept: dict[str, Any], words: str
) -> None:
    assert risk_inputs.words(signal, kept).startswith(words)


def test_months_above_the_minimums_are_listed() -> None:
    month = {"first_day": "2020-02-01", "volume_usd": 2e7, "active_users": 15, "new_users": 5}

    assert risk_inputs.words("R05", {"windows": [month]}) == (
        "months just above a minimum 1 Feb 2020 (20 M USD, 15 active, 5 new)"
    )


@pytest.mark.parametrize("kept", [{}, {"hour": None}, {"own_list": []}, {"of an older version": 1}])
def test_what_is_unknown_or_empty_is_left_out(kept: dict[str, Any]) -> None:
    assert risk_inputs.words("R31", kept) == ""


@pytest.mark.parametrize("kind", EvidenceKind)
def test_a_criterion_is_named_and_not_shown_as_its_code(kind: EvidenceKind) -> None:
    assert "_" not in risk_inputs.words("R25", {"kind": str(kind)})
    assert figures.DASH not in risk_inputs.words("R25", {"kind": str(kind)})
