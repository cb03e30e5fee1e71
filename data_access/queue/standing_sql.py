"""Write a standing's truths and points as SQL, from the tables of rules.

The text is kept in the schema's ``08_standings.sql``, where the triggers need it.
"""

from program.policy.criteria import (
    ON_EXCHANGE,
    TRACKS,
    Comparison,
    Criterion,
    Requires,
    Track,
    Unit,
)
from program.policy.outcomes import Outcome
from program.review import priority


def truth(track: Track) -> str:
    """Return whether a track is met, by the columns of ``value`` and ``policy``; may be NULL."""
    word = " and " if track.requires is Requires.ALL else " or "
    return word.join(_met(criterion) for criterion in track.criteria)


def eligible() -> str:
    """Return whether any track is met, by the columns of ``truth``; may be NULL."""
    return " or ".join(f"truth.{track.key}" for track in TRACKS)


def points() -> list[str]:
    """Return the points of each component that does not depend on the clock."""
    given, whole = priority.ELIGIBILITY_POINTS, eligible()
    steps = " ".join(
        f"when value.volume_usd >= {times} * policy.min_volume_usd then {points}"
        for times, points in priority.VOLUME_STEPS
    )
    near = " and ".join(_near(criterion) for criterion in ON_EXCHANGE.criteria)
    met, not_met, unknown = (
        given[outcome] for outcome in (Outcome.MET, Outcome.NOT_MET, Outcome.UNKNOWN)
    )
    return [
        f"case when {whole} then {met} when not ({whole}) then {not_met} else {unknown} end",
        f"case {steps} else 0 end",
        f"case when ({whole}) is not true and {near} then {priority.NEAR_MISS.cap} else 0 end",
        f"case when desk.answered_at is not null then {priority.ANSWERED.cap} else 0 end",
        f"least({priority.RISK.cap}, coalesce(risk.score, 0) / {priority.RISK_SCORE_A_POINT})",
    ]


def _met(criterion: Criterion) -> str:
    sign = ">" if criterion.comparison is Comparison.MORE_THAN else ">="
    return f"value.{criterion.key} {sign} policy.{criterion.minimum}"


def _near(criterion: Criterion) -> str:
    least = f"{priority.NEAR_SHARE} * policy.{criterion.minimum}"
    return f"value.{criterion.key} >= {least if criterion.unit is Unit.USD else f'ceil({least})'}"
