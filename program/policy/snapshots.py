"""The snapshot that a decision stores, as plain JSON values.

Numbers are kept as text, so that readers do not turn money into floats.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from program.periods import Window
from program.policy.eligibility import Assessment, CriterionResult
from program.policy.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Which metrics an assessment used; ``provisional`` is whether they were behind."""

    data_through: date
    window: Window
    provisional: bool = False


def take(
    assessment: Assessment,
    *,
    policy: Policy,
    metrics: Metrics | None,
    evidence_ids: Sequence[int] = (),
    checklist: Mapping[str, str] | None = None,
    unproven: Sequence[str] = (),
) -> dict[str, Any]:
    """Freeze an assessment: enough to recompute it, and to show what the reviewer saw.

    ``metrics`` is ``None`` if there were none; ``unproven`` names, in words, the facts that the
    rejection reason asserts and that were not established.
    """
    return {
        "data_through": metrics.data_through.isoformat() if metrics else None,
        "provisional": metrics is not None and metrics.provisional,
        "window": {
            "kind": str(policy.window_kind),
            "start": metrics.window.start.isoformat() if metrics else None,
            "end": metrics.window.last_day.isoformat() if metrics else None,
        },
        "policy_version": policy.version,
        "criteria": [_criterion(result) for result in assessment.criteria],
        "tracks": {result.track.key: str(result.outcome) for result in assessment.tracks},
        "outcome": str(assessment.outcome),
        "track": assessment.track,
        "risk_signals": [],
        "evidence_ids": list(evidence_ids),
        "checklist": dict(checklist or {}),
        "unproven": list(unproven),
    }


def _criterion(result: CriterionResult) -> dict[str, Any]:
    return {
        "key": result.criterion.key,
        "value": None if result.value is None else str(result.value),
        "minimum": str(result.minimum),
        "comparison": str(result.criterion.comparison),
        "outcome": str(result.outcome),
    }
