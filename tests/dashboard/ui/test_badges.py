"""Outcomes, statuses and roles: always icon, word and color."""

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.ui import badges
from program.policy import thresholds
from program.policy.criteria import BOTH_TRACKS, TRACK_WORDS, TRACKS
from program.policy.outcomes import Outcome
from program.reports.value_words import VALUE_WORDS
from program.review.workflow import Status
from program.risk.signals import THRESHOLDS


@pytest.mark.parametrize(
    ("outcome", "track", "expected"),
    [
        (Outcome.MET, "on_exchange", "✓ met · on-exchange"),
        (Outcome.MET, "both", "✓ met · both tracks"),
        (Outcome.NOT_MET, None, "− not met"),
        (Outcome.UNKNOWN, None, "? unknown"),
    ],
)
def test_outcomes_in_words(outcome: Outcome, track: str | None, expected: str) -> None:
    assert expected == badges.outcome_words(outcome, track=track)


def test_everything_that_exists_has_a_look_of_its_own() -> None:
    assert set(Outcome) == set(badges.OUTCOMES)
    assert set(Status) == set(badges.STATUSES)
    assert {*(track.key for track in TRACKS), BOTH_TRACKS} == set(TRACK_WORDS)
    all_badges = [*badges.OUTCOMES.values(), badges.PROVISIONAL, badges.OVERDUE]
    assert (
        len(all_badges)
        == len({badge.color for badge in all_badges})
        == len({badge.icon for badge in all_badges})
    )


def test_badges_and_explore_call_a_level_of_risk_an_outcome_or_a_status_the_same() -> None:
    for column, looks in (
        ("risk_level", badges.RISKS),
        ("eligibility", badges.OUTCOMES),
        ("desk_status", badges.STATUSES),
    ):
        assert VALUE_WORDS[column] == {str(code): badge.word for code, badge in looks.items()}
    assert VALUE_WORDS["track"] == TRACK_WORDS


def test_the_policy_calls_a_level_of_risk_as_its_badge_does() -> None:
    for one in THRESHOLDS:
        assert thresholds.place(one).startswith(badges.RISKS[one.severity].word)


def test_falling_short_is_no_alarm() -> None:
    calm = [*badges.OUTCOMES.values(), badges.PROVISIONAL, *badges.STATUSES.values()]

    assert "red" not in {badge.color for badge in calm}
    assert badges.OVERDUE.color == "red"


def test_badges_are_drawn_with_icon_word_and_color() -> None:
    def page() -> None:
        from dashboard.ui import badges
        from program.policy.outcomes import Outcome
        from program.review.workflow import Status

        badges.outcome_badge(Outcome.MET, track="on_exchange", provisional=True)
        badges.status_badge(Status.PENDING, detail="4 d")

    drawn = [element.value for element in AppTest.from_function(page).run().markdown]

    assert drawn == [
        ":green-badge[:material/check: met · on-exchange]",
        ":blue-badge[:material/schedule: provisional]",
        ":violet-badge[:material/hourglass_empty: pending 4 d]",
    ]
