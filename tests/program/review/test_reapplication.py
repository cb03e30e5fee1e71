"""When a rejected applicant may apply again: whole tables, both sides of each day."""

from datetime import date

import pytest

from program.review.reapplication import (
    DEFAULT_RULES,
    RULES,
    RULES_BY_KEY,
    default_rule,
    may_reapply,
    reapply_from,
    reapply_sentence,
)
from program.review.workflow import REASONS

DECIDED = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("key", "opens_on", "sentence"),
    [
        ("at_once", DECIDED, "You may apply again at any time."),
        ("after_30_days", date(2026, 12, 24), "You may apply again from 24 Dec 2026."),
        ("after_90_days", date(2027, 2, 22), "You may apply again from 22 Feb 2027."),
        ("never", None, "We cannot consider another application from this account."),
    ],
)
def test_a_rule_gives_the_day_and_the_sentence(
    key: str, opens_on: date | None, sentence: str
) -> None:
    assert (reapply_from(key, DECIDED), reapply_sentence(key, DECIDED)) == (opens_on, sentence)


@pytest.mark.parametrize(
    ("key", "opens_on", "on", "may"),
    [
        ("at_once", DECIDED, DECIDED, True),
        ("after_30_days", date(2026, 12, 24), date(2026, 12, 23), False),
        ("after_30_days", date(2026, 12, 24), date(2026, 12, 24), True),
        ("never", None, date(2099, 1, 1), False),
        (None, None, DECIDED, True),
        ("a rule of last year", date(2026, 12, 1), date(2026, 11, 30), False),
        ("a rule of last year", date(2026, 12, 1), date(2026, 12, 1), True),
    ],
)
def test_the_day_that_was_promised_counts(
    key: str | None, opens_on: date | None, on: date, may: bool
) -> None:
    assert may_reapply(key, opens_on, on=on) is may


def test_the_rules_keep_their_keys() -> None:
    """Old decisions name them."""
    assert tuple(RULES_BY_KEY) == ("at_once", "after_30_days", "after_90_days", "never")
    assert len({rule.label for rule in RULES}) == len(RULES)


def test_every_reason_has_a_rule_and_none_shuts_the_door_by_itself() -> None:
    assert set(DEFAULT_RULES) == {reason.code for reason in REASONS}
    assert "never" not in {default_rule(reason.code) for reason in REASONS}
