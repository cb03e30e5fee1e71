"""The table of settings, and obstacles to publishing a draft."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from program.periods import WindowKind
from program.policy import settings as policy_settings
from program.policy.criteria import CRITERIA
from program.policy.drafts import Draft, carried_over, contradictions, needs_refresh
from program.policy.policy import Policy
from program.policy.setting import TYPED
from program.policy.settings import SETTINGS, SETTINGS_BY_NAME, changes, faults, with_values
from program.policy.thresholds import complete
from program.risk.signals import DEFAULTS, THRESHOLDS, Unit

NOW = datetime(2026, 3, 15, 9, tzinfo=UTC)
BASE = Policy()


def against(**given: Any) -> tuple[str, ...]:
    settings = {name: v for name, v in given.items() if name in SETTINGS_BY_NAME}
    about = {name: v for name, v in given.items() if name not in SETTINGS_BY_NAME}
    policy = replace(BASE, **settings)
    draft = Draft(**{"policy": policy, "note": "Why", "base_version": 1, **about})
    return contradictions(draft, base=BASE, now=NOW)


def test_every_setting_of_the_policy_has_one_row() -> None:
    others = {"version", "effective_from", "author", "note", "risk_thresholds"}
    of_fields = {name for name, setting in SETTINGS_BY_NAME.items() if setting.threshold is None}
    assert {field.name for field in fields(Policy)} == of_fields | others
    assert set(SETTINGS_BY_NAME) - of_fields == set(DEFAULTS)
    assert len(SETTINGS) == len(SETTINGS_BY_NAME)


def test_every_row_has_a_description() -> None:
    for setting in SETTINGS:
        assert setting.label
        assert setting.explanation.endswith(".")
        assert set(setting.recounts) <= {criterion.key for criterion in CRITERIA}


def test_the_public_program_contradicts_nothing() -> None:
    assert faults(BASE) == ()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"max_rebate_rate": Decimal("0.0999")}, "The highest rate, 9.99 %, is below the standard"),
        ({"max_rebate_rate": Decimal("0.10")}, "The highest rate equals the standard one"),
        ({"max_rebate_rate": Decimal("0.1001")}, None),
        ({"max_rebate_rate": Decimal("1.0001")}, "Highest rate: 100.01 % is above 100 %."),
        ({"standard_rebate_rate": Decimal("-0.01")}, "Standard rate: -1 % is below 0 %."),
        ({"standard_rebate_rate": Decimal("0.10001")}, "Standard rate: takes at most 2 decimals."),
        ({"window_kind": ""}, "A month is: there is no “”"),
        ({"window_kind": "0 days"}, "A month is: there is no “0 days”."),
        ({"window_kind": WindowKind.CALENDAR_MONTH}, None),
        ({"evidence_valid_days": -1}, "Evidence is current for: −1 days is below 0 days."),
        ({"evidence_valid_days": 0}, None),
        (
            {"review_sla_business_days": 0},
            "Review within: 0 business days is below 1 business day.",
        ),
        ({"review_sla_business_days": 1}, None),
        ({"claim_idle_minutes": 0}, "A claim expires after: 0 minutes is below 1 minute."),
        ({"min_volume_usd": Decimal("-0.01")}, "Referral volume, at least: −0.01 USD is below"),
        ({"min_volume_usd": Decimal("0.001")}, "Referral volume, at least: takes at most 2"),
        ({"min_volume_usd": Decimal("NaN")}, "Referral volume, at least: NaN is not a number."),
        ({"min_volume_usd": None}, "Referral volume, at least: enter a value."),
        ({"second_approval_monthly_extra_usd": None}, None),
        ({"checklist": ("audience_real",)}, "Required before an approval but not on the checklist"),
        (
            {"required_checks": ("horoscope",)},
            "Required before an approval: there is no “horoscope”",
        ),
        (
            {"checklist": (*BASE.checklist, "audience_real")},
            "Items to answer: an item is listed twice",
        ),
        ({}, "No setting differs from version 1."),
        ({"note": "  ", "min_new_users": 6}, "The note is empty."),
        ({"min_new_users": 6, "effective_from": NOW - timedelta(microseconds=1)}, "is past"),
        ({"min_new_users": 6, "effective_from": NOW}, None),
    ],
)
def test_a_draft_that_cannot_be_is_refused_in_words(
    given: dict[str, Any], sentence: str | None
) -> None:
    found = against(**given)

    assert len(found) == (sentence is not None)
    assert sentence is None or sentence in found[0]


def test_a_version_cannot_overtake_the_one_it_builds_on() -> None:
    scheduled = replace(BASE, version=2, effective_from=NOW + timedelta(days=7))

    def found(starts: datetime | None) -> tuple[str, ...]:
        draft = Draft(
            policy=replace(scheduled, min_new_users=6),
            note="Why",
            base_version=2,
            effective_from=starts,
        )
        return contradictions(draft, base=scheduled, now=NOW)

    assert "Version 2 takes effect on 22 Mar 2026" in found(None)[0]
    assert "Version 2 takes effect" in found(NOW + timedelta(days=6))[0]
    assert found(scheduled.effective_from) == ()


@pytest.mark.parametrize(
    ("name", "value", "refresh"),
    [
        ("min_volume_usd", Decimal(1), False),
        ("evidence_valid_days", 30, False),
        ("window_kind", WindowKind.CALENDAR_MONTH, True),
        ("active_user_min_volume_usd", Decimal(1), True),
        ("new_user_must_trade", True, True),
    ],
)
def test_only_a_change_of_counting_needs_a_refresh(name: str, value: Any, refresh: bool) -> None:
    assert needs_refresh(BASE, replace(BASE, **{name: value})) is refresh


def test_settings_come_back_from_json_as_they_were() -> None:
    policy = replace(BASE, min_volume_usd=Decimal("0.01"), second_approval_monthly_extra_usd=None)
    kept = policy_settings.to_json(policy)

    assert policy_settings.from_json(kept, BASE) == complete(policy)
    kept.pop("min_new_users")
    assert policy_settings.from_json(kept, replace(BASE, min_new_users=7)).min_new_users == 7


def test_changes_carried_over_keep_what_a_colleague_published() -> None:
    draft = Draft(policy=replace(BASE, min_new_users=6), note="Why", base_version=1)
    published = replace(BASE, version=2, min_active_users=20)

    moved = carried_over(draft, old=BASE, new=published)

    assert moved.base_version == 2
    assert [change.setting.name for change in changes(published, moved.policy)] == ["min_new_users"]


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("min_volume_usd", " 20,000,000.50 USD", Decimal("20000000.50")),
        ("min_volume_usd", "20 000 000", Decimal(20_000_000)),
        ("min_volume_usd", "-1", Decimal(-1)),
        ("min_x_followers", "5,000", 5000),
        ("min_x_followers", " 5000 ", 5000),
        ("min_new_users", "-0", 0),
        ("min_new_users", "", None),
        ("max_rebate_rate", "12.5 %", Decimal("0.125")),
        ("second_approval_monthly_extra_usd", " ", None),
    ],
)
def test_numbers_are_read_with_their_unit_and_the_separators_of_the_field(
    name: str, text: str, found: Decimal | int | None
) -> None:
    assert policy_settings.parse(SETTINGS_BY_NAME[name], text) == found


@pytest.mark.parametrize(
    ("name", "text", "remedy"),
    [
        ("min_volume_usd", "2e7", "is written with an exponent; write all its digits."),
        ("min_volume_usd", "20.000.000", "has points between its digits; write `20000000`."),
        ("min_volume_usd", "20 000,5", "has a decimal comma; write `20000.5`."),
        ("min_volume_usd", "1.234,50", "has a decimal comma; write `1234.50`."),
        ("min_volume_usd", "0,250", "has a decimal comma; write `0.250`."),
        ("min_volume_usd", "1234,567", "has a decimal comma; write `1234.567`."),
        ("min_volume_usd", "1_000", "has a thousands separator; write `1000`."),
        ("min_volume_usd", "twenty", "is not a number; write it like 1234.50."),
        ("min_volume_usd", "٣", "has digits other than 0 to 9; write it with those."),
        ("min_volume_usd", "NaN", "is not a number; write digits."),
        ("max_rebate_rate", "12,5", "has a decimal comma; write `12.5`."),
        ("max_rebate_rate", "２０", "has digits other than 0 to 9; write it with those."),
        ("min_x_followers", "5.000", "is not a whole number; write it without decimals."),
        ("min_x_followers", "0,25", "has a decimal comma; write `0.25`."),
        ("min_x_followers", "1e3", "is written with an exponent; write all its digits."),
        ("evidence_valid_days", "90.5", "is not a whole number; write it without decimals."),
    ],
)
def test_an_invalid_number_is_refused_with_what_to_write(name: str, text: str, remedy: str) -> None:
    setting = SETTINGS_BY_NAME[name]
    with pytest.raises(ValueError, match=r".") as refused:
        policy_settings.parse(setting, text)

    assert str(refused.value) == f"{setting.label}: “{text}” {remedy}"


def test_a_fields_text_is_parsed_back() -> None:
    policy = replace(BASE, min_volume_usd=Decimal("20000000.50"), min_x_followers=5_000_000)
    for setting in policy_settings.SETTINGS:
        if setting.kind in TYPED:
            found = policy_settings.value(policy, setting)
            shown = policy_settings.typed(setting, found)
            assert policy_settings.parse(setting, shown) == found, setting.name


def limits(**given: str) -> Policy:
    named = {name.replace("_", "."): Decimal(number) for name, number in given.items()}
    return with_values(BASE, named)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"R01_warn_15": "0.96"},
            "R01 Top-user share: warn from 15 active users at 96 % is looser",
        ),
        ({"R01_warn_15": "0.95"}, None),
        ({"R01_high_100": "0.50"}, None),
        (
            {"R01_high_100": "0.499999"},
            "R01 Top-user share: warn from 100 active users at 50 % is beyond high from 100 active "
            "users at 49.9999 %, so it would never warn. Set warn before high.",
        ),
        (
            {"R02_high_30": "0.93"},
            "R02 Concentration: high from 30 active users at 0.93 is looser than high from 15 "
            "active users at 0.92. With more active users it must not be.",
        ),
        ({"R09_warn": "8"}, None),
        ({"R09_warn": "8.000001"}, "warn at 8.000001 is beyond high at 8"),
        ({"R24_warn_30": "0.30"}, None),
        (
            {"R24_warn_30": "0.19"},
            "warn from 30 active users at 0.19 × is looser than warn at 0.20 ×",
        ),
        # Of these a lower value is worse.
        ({"R26_warn": "0.25"}, None),
        ({"R26_warn": "0.249999"}, "R26 Too equal: warn at 0.249999 is beyond high at 0.25"),
        ({"R18_warn": "0"}, None),
        ({"R28_warn": "0"}, None),
        ({"R06_warn": "-1"}, "R06 Spike before applying, warn: −1 × is below 0 ×."),
        ({"R06_high": "1000.1"}, "R06 Spike before applying, high: 1,000.10 × is above 1,000 ×."),
        ({"R33_high": "10.5"}, "R33 Unverified volume, high: 1050 % is above 1000 %."),
        ({"R04_warn": "14.5"}, "R04 Padded actives, warn: takes no decimals."),
        ({"R23_warn": "0.0000001"}, "R23 Self-referral, warn: takes at most 4 decimals."),
    ],
)
def test_thresholds_keep_their_order_and_limits(
    given: dict[str, str], sentence: str | None
) -> None:
    found = faults(limits(**given))

    assert len(found) == (sentence is not None), found
    assert sentence is None or sentence in found[0]


def test_a_threshold_that_is_left_out_has_its_default() -> None:
    policy = limits(R09_warn="2.5")

    assert changes(BASE, replace(BASE, risk_thresholds=DEFAULTS)) == ()
    (change,) = changes(BASE, policy)
    assert change.setting.label == "R09 Sign-up burst, warn"
    assert change.words == ("4", "2.50")
    assert complete(policy).risk_thresholds == DEFAULTS | {"R09.warn": Decimal("2.5")}
    assert faults(complete(BASE)) == ()


def test_thresholds_come_back_from_json_and_are_carried_over() -> None:
    policy = limits(R09_warn="2.5", R23_warn="0.000002")
    kept = policy_settings.to_json(policy)

    assert kept["R23.warn"] == "0.000002"
    assert complete(policy_settings.from_json(kept, BASE)) == complete(policy)
    draft = Draft(policy=policy, note="Why", base_version=1)
    published = replace(limits(R09_high="9", R09_warn="5"), version=2)
    moved = carried_over(draft, old=BASE, new=published)
    assert [one.setting.name for one in changes(published, moved.policy)] == [
        "R09.warn",
        "R23.warn",
    ]


def test_each_threshold_is_written_as_its_field_shows_it() -> None:
    for one in THRESHOLDS:
        setting = SETTINGS_BY_NAME[one.key]
        shown = policy_settings.typed(setting, one.default)
        words = policy_settings.words(setting, one.default)
        assert words.startswith(shown), one.key
        assert words.endswith("%") is (one.signal.unit is Unit.SHARE), one.key
