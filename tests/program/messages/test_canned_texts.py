"""Texts to applicants: filled placeholders, what blocks sending, and harmless names."""

from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from program.messages import canned_texts
from program.messages.canned_texts import (
    CANNED,
    WORD_JOINER,
    Canned,
    MessageFacts,
    Use,
    fill,
    minimums,
    rationale,
    texts,
    unfilled,
)
from program.periods import WindowKind, window
from program.policy.criteria import CRITERIA
from program.policy.eligibility import Facts, assess
from program.policy.policy import Policy
from program.review.workflow import REASONS
from tests.dashboard.ui.hostile import HOSTILE
from tests.data_access.hostile_text import HOSTILE_TEXT

POLICY = Policy()
WINDOW = window(WindowKind.TRAILING_30_DAYS, date(2026, 11, 22))
SHORT = Facts(volume_usd=Decimal(4_100_000), active_users=12, new_users=6)
MET = Facts(x_followers=5001)
EXAMPLES = {
    "username": "meadow_trader",
    "application_id": "1042",
    "social_handle": "@meadow",
    "criterion_gap": (
        "Over 24 Oct to 22 Nov 2026 your referral volume was 4.1 M of 20 M USD and 12 of the "
        "required 15 users were active."
    ),
    "finding": "the minimums are not reached yet",
    "minimums": (
        "The program asks for at least 20 M USD of referral volume, at least 15 active users "
        "and at least 5 new users in 30 days; or, instead, for more than 5,000 followers on X "
        "or at least 20 M USD of volume on other exchanges in 30 days."
    ),
    "rebate_rate": "20 %",
    "reapply_from": "You may apply again from 24 Dec 2026.",
    "exchange": canned_texts.EXCHANGE,
}


def values(facts: Facts = SHORT, policy: Policy = POLICY, **given: Any) -> dict[str, str]:
    applies = {
        "rebate_rate": Decimal("0.2000"),
        "reapply": "after_30_days",
        "finding": "the minimums are not reached yet",
    }
    applies |= {name: given.pop(name) for name in applies.keys() & given.keys()}
    stated = {
        "username": "meadow_trader",
        "application_id": 1042,
        "social_handle": "@meadow",
        "assessment": assess(facts, policy),
        "window": WINDOW,
        "policy": policy,
        "day": date(2026, 11, 24),
        **given,
    }
    return canned_texts.values(MessageFacts(**stated), **applies)


def gap(policy: Policy = POLICY, **facts: Any) -> str | None:
    return values(Facts(**facts), policy).get("criterion_gap")


def test_with_everything_known_every_placeholder_reads_as_its_example() -> None:
    assert values() == EXAMPLES


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"rebate_rate": None}, "rebate_rate"),
        ({"reapply": None}, "reapply_from"),
        ({"facts": Facts()}, "criterion_gap"),
        ({"finding": None}, "finding"),
        ({"facts": MET}, "criterion_gap"),
        ({"username": "  "}, "username"),
        ({"social_handle": ""}, "social_handle"),
    ],
)
def test_unknown_placeholders_have_no_value_and_stay_in_the_text(
    given: dict[str, Any], name: str
) -> None:
    found = values(**given)

    assert name not in found
    assert unfilled(fill(f"a {{{{{name}}}}} b", found)) == (name,)


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        (
            {"volume_usd": Decimal("19999999.99")},
            "Over 24 Oct to 22 Nov 2026 your referral volume was 19.9 M of 20 M USD.",
        ),
        ({"volume_usd": Decimal("20000000.00")}, None),
        (
            {"volume_usd": Decimal(0), "active_users": 0, "new_users": 4},
            "Over 24 Oct to 22 Nov 2026 your referral volume was 0 of 20 M USD, 0 of the required 15 "
            "users were active and 4 of the required 5 users were new.",
        ),
        (
            {"x_followers": 5000},
            "When we last looked, you had 5,000 followers on X where more than 5,000 are required.",
        ),
        (
            {"active_users": 14, "external_volume_usd": Decimal(1_000_000)},
            "Over 24 Oct to 22 Nov 2026 14 of the required 15 users were active; when we last looked, "
            "your volume on other exchanges was 1 M of 20 M USD in 30 days.",
        ),
        ({"active_users": 14, "x_followers": 5001}, None),
    ],
)
def test_the_gap_names_the_known_shortfalls_of_an_application_that_is_not_eligible(
    facts: dict[str, Any], sentence: str | None
) -> None:
    assert gap(**facts) == sentence


@pytest.mark.parametrize(
    ("policy", "facts", "sentence"),
    [
        (
            Policy(min_volume_usd=Decimal(20_000)),
            {"volume_usd": Decimal("19999.99")},
            "19.9 k of 20 k",
        ),
        (Policy(min_volume_usd=Decimal(500)), {"volume_usd": Decimal("499.99")}, "499 of 500"),
        (
            Policy(min_volume_usd=Decimal(20_050_000)),
            {"volume_usd": Decimal("20049999.99")},
            "20 M of 20,050,000",
        ),
        (Policy(min_new_users=1), {"new_users": 0}, "0 of the required 1 user was new"),
    ],
)
def test_a_near_miss_never_reads_as_reached(
    policy: Policy, facts: dict[str, Any], sentence: str
) -> None:
    assert sentence in (gap(policy, **facts) or "")


def test_the_minimums_follow_the_policy() -> None:
    policy = Policy(
        min_volume_usd=Decimal("20500555.50"),
        min_new_users=1,
        min_x_followers=900,
        window_kind=WindowKind.CALENDAR_MONTH,
    )

    assert minimums(policy) == (
        "The program asks for at least 20,500,555.50 USD of referral volume, at least 15 active "
        "users and at least 1 new user in a calendar month; or, instead, for more than 900 "
        "followers on X or at least 20 M USD of volume on other exchanges in 30 days."
    )


def test_every_criterion_has_its_words() -> None:
    nothing = Facts(
        **{c.key: Decimal(0) if c.unit == "USD" else 0 for c in CRITERIA},
    )

    assert unfilled(gap(**{c.key: nothing.value(c) for c in CRITERIA}) or "{{none}}") == ()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("", ()),
        ("plain {one} }brace{", ()),
        ("{{username}}", ("username",)),
        ("{{ username }} {{username}} {{USERNAME}}", ("username", "USERNAME")),
        ("{{usrname}}", ("usrname",)),
        ("{{your own words}} and {{x}}", ("your own words", "x")),
        ("{{}} {{ }}", ("…",)),
        ("{{username}", ("…",)),
        ("{username}}", ("…",)),
        ("{{{username}}}", ("username",)),
        ("{{{{username}}}}", ("username", "…")),
        ("{{" + "x" * 60 + "}}", ("x" * 60,)),
        ("{{" + "x" * 61 + "}}", ("…",)),
        ("{{" * 10_000 + " " * 10_000, ("…",)),
    ],
    ids=range(14),
)
def test_every_pair_of_braces_in_a_typed_text_is_a_placeholder_or_a_broken_one(
    text: str, left: tuple[str, ...]
) -> None:
    assert unfilled(text) == left


@pytest.mark.parametrize(
    ("typed", "filled"),
    [
        ("Hello {{username}}.", "Hello meadow_trader."),
        ("{{ UserName }}/{{username}}", "meadow_trader/meadow_trader"),
        ("{{usrname}} {{username}", "{{usrname}} {{username}"),
        ("{{{username}}}", "{meadow_trader}"),
    ],
)
def test_filling_replaces_known_placeholders_and_leaves_the_rest(typed: str, filled: str) -> None:
    assert fill(typed, values()) == filled


BRACED = (
    "{{minimums}}",
    "{{criterion_gap}}",
    "{{username}}",
    "{{{{minimums}}}}",
    "{{",
    "}}",
    "{",
    "}",
    "{minimums}",
    "{minimums}}",
    "minimums}}",
    "{{minimums",
    "{}{}",
    "\\g<0>{{\\1}}",
)
PLACES = (
    "Hello {{username}}.",
    "{{{username}}}",
    "{{username}}{{social_handle}}",
    "{ {{username}} }",
)


@pytest.mark.parametrize("typed", PLACES)
def test_a_name_with_braces_neither_brings_anything_in_nor_blocks(typed: str) -> None:
    for name, handle in product(BRACED, ("@meadow", *BRACED)):
        found = values(username=name, social_handle=handle)
        filled = fill(typed, found)
        first = typed.replace("{{username}}", "\0").replace("{{social_handle}}", handle)

        assert filled.replace(WORD_JOINER, "") == first.replace("\0", name), (name, handle)
        assert unfilled(filled) == (), (name, handle)
        assert fill(filled, found) == filled, (name, handle)


@pytest.mark.parametrize(
    "name", [text for text in (*HOSTILE_TEXT, *HOSTILE) if text.strip()], ids=ascii
)
def test_a_hostile_name_comes_out_as_it_is_spelled(name: str) -> None:
    filled = fill("Hello {{username}}. {{minimums}}", values(username=name))

    shown = filled.replace(WORD_JOINER, "")
    assert shown == f"Hello {name.replace(WORD_JOINER, '')}. {minimums(POLICY)}"
    assert unfilled(filled) == ()
    assert (filled == f"Hello {name}. {minimums(POLICY)}") or "{" in name or "}" in name


def test_a_filled_text_that_is_edited_is_checked_as_typed() -> None:
    filled = fill("Hello {{username}}.", values(username="{{minimums}}"))

    assert unfilled(filled + " Regards") == ()
    assert unfilled(filled + " {{minimums}}") == ("minimums",)
    assert unfilled("Hello {{minimums}}.") == ("minimums",)


WRITE_YOURSELF = {"other": ("say why, in your own words",), "free": ("your question",)}


@pytest.mark.parametrize("canned", CANNED, ids=lambda each: f"{each.use}-{each.key}")
def test_a_text_is_ready_to_send_or_has_a_placeholder_to_write(canned: Canned) -> None:
    filled = fill(canned.message, values())

    assert unfilled(filled) == WRITE_YOURSELF.get(canned.key, ())
    assert filled.startswith("Hello meadow_trader,\n\n")
    assert "!" not in filled
    assert len(filled) < 1_000


@pytest.mark.parametrize("canned", texts(Use.INFORMATION), ids=lambda each: each.key)
def test_a_request_for_information_needs_no_figures(canned: Canned) -> None:
    unknown = values(Facts(), rebate_rate=None, reapply=None)

    assert unfilled(fill(canned.message, unknown)) == WRITE_YOURSELF.get(canned.key, ())


def test_rejecting_as_below_the_minimums_is_blocked_while_nothing_is_known_to_fall_short() -> None:
    (below, *_) = texts(Use.REJECTION)

    assert below.key == "below_minimums"
    assert unfilled(fill(below.message, values(Facts()))) == ("criterion_gap",)


def test_there_is_one_text_per_rejection_reason_under_the_reasons_own_name() -> None:
    found = [(text.key, text.label) for text in texts(Use.REJECTION)]

    assert found == [(reason.code, reason.label) for reason in REASONS]


def test_texts_have_distinct_keys_and_labels_within_their_use() -> None:
    assert len({(text.use, text.key) for text in CANNED}) == len(CANNED)
    assert len({(text.use, text.label) for text in CANNED}) == len(CANNED)
    assert [len(texts(use)) for use in Use] == [1, 9, 5]


def test_every_known_placeholder_is_used_by_some_text() -> None:
    used = {name for text in CANNED for name in unfilled(text.message)}

    assert used >= set(EXAMPLES)


@pytest.mark.parametrize(
    ("facts", "key", "sentence"),
    [
        (
            SHORT,
            "below_minimums",
            "Volume 4,100,000.00 of 20,000,000 USD; active 12 of 15; new 6 of 5; "
            "followers unknown; volume elsewhere unknown.",
        ),
        (
            Facts(x_followers=900, external_volume_usd=Decimal("19999999.99")),
            "evidence_missing",
            "Reach or volume elsewhere could not be confirmed. Volume unknown; active unknown; "
            "new unknown; followers 900 of more than 5,000; "
            "volume elsewhere 19,999,999.99 of 20,000,000 USD.",
        ),
        (SHORT, "other", ""),
    ],
)
def test_the_suggested_rationale_gives_the_figures_it_rests_on(
    facts: Facts, key: str, sentence: str
) -> None:
    assert rationale(Use.REJECTION, key, assess(facts, POLICY)) == sentence


def test_every_decisions_text_but_the_free_one_suggests_a_rationale() -> None:
    judged = assess(SHORT, POLICY)
    decided = [text for text in CANNED if text.use is not Use.INFORMATION]
    empty = [t.key for t in decided if not rationale(t.use, t.key, judged)]

    assert empty == ["other"]
