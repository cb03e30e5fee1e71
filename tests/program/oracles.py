"""Rules that production computes in SQL, written once more in Python to compare with."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from program.affiliates.requalification import MonthTest, clearly, nearly
from program.policy.criteria import TRACKS, Requires, Track
from program.policy.delivered import ADDED_UP, Known
from program.policy.eligibility import Facts, judge_criterion
from program.policy.outcomes import Outcome, all_of, any_of
from program.policy.policy import Policy


def known_facts(facts: Facts, known: Known, policy: Policy) -> Facts:
    """What ``facts``, summed over the delivered days, say of all days of the window."""
    if known.whole:
        return facts
    unknown = [
        criterion.key
        for criterion in ADDED_UP
        if not known.any or judge_criterion(criterion, facts, policy).outcome is not Outcome.MET
    ]
    return replace(facts, **dict.fromkeys(unknown))


def misses_in_a_row(tests: Sequence[MonthTest], *, counted_from: date) -> int:
    """How many counted months were missed since the last pass.

    An unknown month is neither a miss nor a pass: it adds nothing and ends nothing.
    """
    misses = 0
    for test in sorted(tests, key=lambda test: test.month, reverse=True):
        if test.outcome is Outcome.MET:
            break
        misses += test.outcome is Outcome.NOT_MET and test.month >= counted_from
    return misses


def is_near(facts: Facts, outcome: Outcome, policy: Policy, *, missing_days: int = 0) -> bool:
    """Whether a miss missed by a tenth at most, or a pass passed by a tenth at most.

    With ``missing_days`` nobody can tell by how much.
    """
    if outcome is Outcome.UNKNOWN or missing_days:
        return False
    values = {criterion: facts.value(criterion) for track in TRACKS for criterion in track.criteria}
    if outcome is Outcome.MET:
        above = {c: None if v is None else v > clearly(c, policy) for c, v in values.items()}
        return not any(_holds(track, [above[c] for c in track.criteria]) for track in TRACKS)
    close = {c: None if v is None else v >= nearly(c, policy) for c, v in values.items()}
    return any(_holds(track, [close[c] for c in track.criteria]) for track in TRACKS)


def _holds(track: Track, truths: list[bool | None]) -> bool:
    combine = all_of if track.requires is Requires.ALL else any_of
    return combine(Outcome.of(truth) for truth in truths) is Outcome.MET
